//! A message of the contact.

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::sync::Arc;

use siphasher::sip128::{Hasher128, SipHasher13};

use super::record::{Message, Place, Session, State, Verdict};
use super::shard::Shard;
use super::*;

impl Lean {
    pub(crate) fn receive(
        &self,
        from: &str,
        text: String,
        id: Option<&str>,
        sent_at: Option<i64>,
    ) -> Result<Received, Refused> {
        let phone = read_phone(from).ok_or(Refused::Invalid("from"))?;
        id.map_or(Ok(()), |id| check_name(id, "id"))?;
        if text.len() > MOST_TEXT {
            return Err(Refused::Invalid("text"));
        }
        let id = id.map(id_hash);
        let now = millis();
        let hash = self.hasher.hash_one(phone);
        let number = hash as usize % SHARDS;
        let mut shard = self.shards[number].lock();
        let Some(place) = shard.find(hash, phone) else { return Ok(Received::First(Verdict::Unmatched)) };
        let slot = &mut shard.slots[place as usize];
        let now = now.max(slot.last_at);
        if let Some(verdict) = id.and_then(|id| slot.verdict_of(id, now)) {
            return Ok(Received::Duplicate(verdict));
        }
        slot.last_at = now;
        shard.apply_due(place, now, &self.hasher);
        let (verdict, message) = self.decide(&mut shard, place, text, sent_at, now);
        if let Some(id) = id {
            shard.slots[place as usize].remember(id, now, verdict);
        }
        match message {
            Some(message) => {
                let token = self.commit(&mut shard, place, now);
                drop(shard);
                self.deliver(number, place, token, &message);
            }
            None => shard.file(place),
        }
        Ok(Received::First(verdict))
    }

    fn decide(
        &self,
        shard: &mut Shard,
        place: u32,
        text: String,
        sent_at: Option<i64>,
        now: i64,
    ) -> (Verdict, Option<Arc<Message>>) {
        let slot = &mut shard.slots[place as usize];
        let word = text.trim();
        if word.eq_ignore_ascii_case("stop") {
            slot.opted_out_at = now;
            slot.drop_unsent();
            if let Some(session) = slot.session.take() {
                shard.archive(session, State::Cancelled, now, &self.hasher);
            }
            return (Verdict::OptedOut, None);
        }
        if slot.opted_out_at != 0 && word.eq_ignore_ascii_case("start") {
            slot.opted_out_at = 0;
            return (Verdict::OptedIn, None);
        }
        if sent_at.is_some_and(|at| now - at > OLDEST_MESSAGE) {
            return (Verdict::TooOld, None);
        }
        let Some(mut session) = slot.session.take() else { return (Verdict::Unmatched, None) };
        if sent_at.is_some_and(|at| session.waits_since - at > SLACK) || session.turns >= MOST_TURNS {
            slot.session = Some(session);
            return (Verdict::TooOld, None);
        }
        session.turns += 1;
        session.answered = session.wait;
        session.last_interaction_at = now;
        let (from, said, goes_on) = answer(&session, word);
        session.reply = text.into();
        let message = slot.say(&session, from, said);
        let verdict = Verdict::Consumed { session: session.id };
        if goes_on {
            session.wait += 1;
            session.waits_since = now;
            session.sent_before = message.number;
            (session.deadline, session.expires_at) = (now + TTL, now + TTL);
            slot.session = Some(session);
        } else {
            shard.archive(session, State::Completed, now, &self.hasher);
        }
        (verdict, Some(message))
    }
}

/// The flow behind its wait: where the answer comes from, what is said, whether it waits again.
fn answer(session: &Session, word: &str) -> (Place, Cow<'static, str>, bool) {
    let from = |node, branch| Place { node, component: "1 or 2?", branch: Some(branch) };
    match word {
        "1" => {
            let said = joined(&["Checkout: https://shop.example/c/", session.context.cart_id()]);
            (from("checkout", "1"), said.into(), false)
        }
        "2" => (from("agent", "2"), "An agent will write to you.".into(), false),
        _ => (from("sorry", "else"), "Sorry, please answer 1 or 2.".into(), true),
    }
}

/// Ids of messages are those of a channel and an account.
fn id_hash(id: &str) -> u128 {
    let mut hash = SipHasher13::new();
    hash_text(&mut hash, "whatsapp");
    hash_text(&mut hash, ACCOUNT);
    hash_text(&mut hash, id);
    hash.finish128().as_u128()
}
