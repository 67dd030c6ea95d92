//! The work after a decision: the lease, the delivery, its settlement, and the tick.

use super::record::{Message, Session, State};
use super::shard::Shard;
use super::*;

impl Lean {
    /// Ends a decision with something to send: the lease is taken, and its end filed, so that a
    /// tick delivers if this thread never does.
    pub(super) fn commit(&self, shard: &mut Shard, place: u32, now: i64) -> u64 {
        let token = self.tokens.fetch_add(1, Ordering::Relaxed);
        shard.slots[place as usize].lease(token, now + LEASE);
        shard.file(place);
        token
    }

    pub(super) fn deliver(&self, number: usize, place: u32, token: u64, message: &Message) {
        self.send(message);
        let mut shard = self.shards[number].lock();
        if shard.slots[place as usize].settle(token, message.number) {
            shard.file(place);
        }
    }

    fn send(&self, message: &Message) {
        let Message {
            session,
            number,
            contact,
            to,
            account,
            node,
            component,
            branch,
            turn,
            created_at,
            text,
        } = message;
        std::hint::black_box((session, number, contact, to, account));
        std::hint::black_box((node, component, branch, turn, created_at));
        self.counter.take(text);
    }

    /// Works what is due: sessions that time ends, messages whose sender was lost. Answers how many
    /// contacts it came to.
    pub(crate) fn tick(&self, now: i64) -> usize {
        let mut worked = 0;
        for number in 0..SHARDS {
            self.keys[number].lock().purge(now);
            let mut shard = self.shards[number].lock();
            shard.purge(now, &self.hasher);
            while let Some(place) = shard.take_due(now) {
                if shard.slots[place as usize].due() > now {
                    shard.file(place);
                    continue;
                }
                worked += 1;
                shard.apply_due(place, now, &self.hasher);
                let token = self.tokens.fetch_add(1, Ordering::Relaxed);
                let claimed = shard.slots[place as usize].claim(token, now, now + LEASE);
                shard.file(place);
                if let Some(message) = claimed {
                    drop(shard);
                    self.deliver(number, place, token, &message);
                    shard = self.shards[number].lock();
                }
            }
        }
        worked
    }

    /// Looks at a session, live or ended.
    fn session<T>(&self, id: u128, look: impl Fn(&Session) -> T) -> Option<T> {
        let home = self.home(&self.sessions, id)?;
        let shard = self.shards[home.shard as usize].lock();
        let live = shard.slots[home.slot as usize].session.as_deref().filter(|session| session.id == id);
        live.or_else(|| shard.ended(id, &self.hasher)).map(look)
    }

    fn state(&self, id: u128) -> Option<State> {
        self.session(id, |session| session.state)
    }

    /// Checks what the conversations of the benchmark do not come to, after so many of them.
    pub(crate) fn prove(&self, conversations: usize) {
        let Script { phone: [first, ..], context, key, ids: [_, id], .. } = crate::script::script(1);
        let Ok(Triggered::Started(began)) = self.trigger(&first, &context, key.clone(), None) else {
            panic!("a repeat answers as the first time")
        };
        assert!(began.replayed && self.state(began.session) == Some(State::Completed));
        assert!(self.home(&self.contacts, began.contact).is_some());
        assert_eq!(self.session(began.session, |session| *session.key == *key), Some(true));
        let lasted = self.session(began.session, |session| session.ended_at - session.started_at);
        assert!(lasted.is_some_and(|millis| (0..TTL).contains(&millis)));
        assert_eq!(
            self.trigger(&first, &Value::Object(Default::default()), key, None),
            Err(Refused::Conflict)
        );
        let repeat = self.receive(&first, "1".to_owned(), Some(&id), None);
        assert_eq!(repeat, Ok(Received::Duplicate(Verdict::Consumed { session: began.session })));
        let ended: usize = self.shards.iter().map(|shard| shard.lock().count_ended()).sum();
        assert_eq!(ended, conversations);
        assert!(self.shards.iter().all(|shard| shard.lock().slots.iter().all(|slot| slot.is_settled())));

        let other = "+49 170 1234567";
        let start = |key: &str| self.trigger(other, &context, key.to_owned(), None);
        let Ok(Triggered::Started(one)) = start("k") else { panic!("a new contact starts") };
        assert_eq!(start("l"), Ok(Triggered::AlreadyRunning(one)));
        assert_eq!(self.trigger(other, &context, "m".to_owned(), Some(0)), Ok(Triggered::Discarded));
        let old = Some(millis() - 2 * OLDEST_MESSAGE);
        assert_eq!(self.receive(other, "1".to_owned(), None, old), Ok(Received::First(Verdict::TooOld)));
        assert_eq!(self.tick(millis()), 0);
        assert!(self.tick(millis() + TTL + 2_000) >= 1);
        assert_eq!(self.state(one.session), Some(State::Expired));
        let late = self.receive(other, "1".to_owned(), Some("x"), None);
        assert_eq!(late, Ok(Received::First(Verdict::Unmatched)));
        assert_eq!(
            self.receive(other, "Stop".to_owned(), None, None),
            Ok(Received::First(Verdict::OptedOut))
        );
        assert_eq!(start("n"), Ok(Triggered::OptedOut));
        assert_eq!(
            self.receive(other, "start".to_owned(), None, None),
            Ok(Received::First(Verdict::OptedIn))
        );
        assert!(matches!(start("o"), Ok(Triggered::Started(_))));
    }
}
