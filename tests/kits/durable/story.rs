//! A history, sorted by contact, and what it shows to be wrong: alone, and beside the sessions that
//! are stored.

use std::collections::{BTreeMap, BTreeSet};

use chatflow::store::SessionRecord;
use chatflow::{MessageId, Session, SessionId, Status};

use super::history::{Event, Replied, Step};
use super::talk::contact_id;
use super::violation::Violation;

/// A history, sorted.
#[derive(Default)]
pub(super) struct Story {
    /// The requests, by contact.
    pub(super) contacts: BTreeMap<u64, BTreeSet<Step>>,
    /// Each answered call, with the session that the first answer names.
    pub(super) acknowledged: BTreeMap<(u64, Step), SessionId>,
    /// The sessions that answers name, by contact.
    named: BTreeMap<u64, BTreeSet<SessionId>>,
    /// Answers that say that the call itself took effect.
    effects: BTreeMap<(u64, Option<Step>), usize>,
    /// Answers that are none.
    bad: Vec<Violation>,
    /// Hand-overs by contact, in their order.
    pub(super) sent: BTreeMap<u64, Vec<Handed>>,
    pub(super) redeliveries: usize,
}

/// A message that was handed over.
pub(super) struct Handed {
    id: MessageId,
    /// Turn, and index in it.
    place: (u32, u32),
    text: String,
}

impl Story {
    pub(super) fn read(events: &[Event]) -> Self {
        let mut story = Self::default();
        let mut seen = BTreeSet::new();
        for event in events {
            match event {
                Event::Asked { contact, step } => {
                    story.contacts.entry(*contact).or_default().insert(*step);
                }
                Event::Triggered { contact, step, session, started, replayed } => {
                    story.answered(*contact, *step, *session);
                    // One start for a contact, whichever of its keys it was.
                    if *started && !replayed {
                        *story.effects.entry((*contact, None)).or_default() += 1;
                    }
                }
                Event::Replied { contact, step, replied } => match replied {
                    Replied::Taken(session) => {
                        story.answered(*contact, *step, *session);
                        *story.effects.entry((*contact, Some(*step))).or_default() += 1;
                    }
                    Replied::TakenBefore(session) => story.answered(*contact, *step, *session),
                    Replied::Lost => story.bad.push(Violation::LostTurn {
                        contact: *contact,
                        step: *step,
                        why: "no session wanted it, though the trigger was answered".to_owned(),
                    }),
                },
                Event::Failed { contact, step, error } => {
                    story.bad.push(Violation::Refused {
                        contact: *contact,
                        step: *step,
                        error: error.clone(),
                    });
                }
                Event::Sent { contact, message, turn, index, text } => {
                    if !seen.insert(*message) {
                        story.redeliveries += 1;
                    }
                    let handed = Handed { id: *message, place: (*turn, *index), text: text.clone() };
                    story.sent.entry(*contact).or_default().push(handed);
                }
                Event::Ready => {}
            }
        }
        story
    }

    fn answered(&mut self, contact: u64, step: Step, session: SessionId) {
        self.acknowledged.entry((contact, step)).or_insert(session);
        self.named.entry(contact).or_default().insert(session);
    }

    /// Violations that the answers alone show.
    pub(super) fn contradictions(&self) -> Vec<Violation> {
        let mut found = self.bad.clone();
        for (contact, sessions) in self.named.iter().filter(|(_, sessions)| sessions.len() > 1) {
            found.push(Violation::SecondSession {
                contact: *contact,
                sessions: sessions.iter().copied().collect(),
            });
        }
        for ((contact, step), _) in self.effects.iter().filter(|(_, times)| **times > 1) {
            found.push(Violation::TwiceDone { contact: *contact, step: step.unwrap_or(Step::Trigger) });
        }
        found
    }

    /// Ids and order of messages.
    pub(super) fn sent_wrongly(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        for (&contact, sent) in &self.sent {
            let mut by_id: BTreeMap<MessageId, &Handed> = BTreeMap::new();
            let mut by_place: BTreeMap<(SessionId, (u32, u32)), MessageId> = BTreeMap::new();
            let mut by_text: BTreeMap<(SessionId, &str), MessageId> = BTreeMap::new();
            let mut last = 0;
            for handed in sent {
                let (message, session) = (handed.id, handed.id.session);
                if let Some(first) = by_id.insert(message, handed) {
                    if (first.place, &first.text) != (handed.place, &handed.text) {
                        found.push(Violation::TwoContents { contact, message });
                    }
                    continue;
                }
                let first = *by_place.entry((session, handed.place)).or_insert(message);
                let same = *by_text.entry((session, &handed.text)).or_insert(first);
                if let Some(first) = [first, same].into_iter().find(|first| *first != message) {
                    found.push(Violation::TwoIds { contact, first, second: message });
                }
                if message.seq != last + 1 {
                    found.push(Violation::Disorder { contact, message, after: last });
                }
                last = last.max(message.seq);
            }
        }
        found
    }

    /// The number of completed sessions, and what is wrong with the ends of sessions.
    pub(super) fn ends(&self, sessions: &[SessionRecord]) -> (usize, Vec<Violation>) {
        let mut found = Vec::new();
        let mut completed = 0;
        let mut stored: BTreeMap<_, Vec<&Session>> = BTreeMap::new();
        for record in sessions {
            stored.entry(record.contact().clone()).or_default().push(record.session());
        }
        for (&contact, asked) in &self.contacts {
            let own = stored.remove(&contact_id(contact)).unwrap_or_default();
            if own.len() > 1 {
                let sessions = own.iter().map(|session| session.id()).collect();
                found.push(Violation::SecondSession { contact, sessions });
            }
            for session in self.named.get(&contact).into_iter().flatten() {
                if !own.iter().any(|stored| stored.id() == *session) {
                    let why = format!("session {session} is not stored");
                    found.push(Violation::LostTurn { contact, step: Step::Trigger, why });
                }
            }
            for session in &own {
                completed += usize::from(session.status() == Status::Completed);
                found.extend(self.end(contact, asked, session));
            }
            let is_own = |handed: &&Handed| own.iter().any(|session| session.id() == handed.id.session);
            let sent = self.sent.get(&contact).into_iter().flatten();
            found.extend(
                sent.filter(|handed| !is_own(handed))
                    .map(|handed| Violation::UnknownMessage { contact, message: handed.id }),
            );
        }
        for (contact, sessions) in stored {
            let unknown = |session: &&Session| Violation::UnknownSession {
                contact: contact.clone(),
                session: session.id(),
            };
            found.extend(sessions.iter().map(unknown));
        }
        (completed, found)
    }

    fn end(&self, contact: u64, asked: &BTreeSet<Step>, session: &Session) -> Vec<Violation> {
        let mut found = Vec::new();
        let (id, status) = (session.id(), session.status());
        if status.is_live() {
            found.push(Violation::Stuck { contact: contact_id(contact), session: id, status });
        }
        let is_completed = status == Status::Completed && session.outcome() == Some("checkout");
        let was_answered = |step| self.acknowledged.contains_key(&(contact, step));
        let expected = match () {
            () if was_answered(Step::One) && !is_completed => Some("completed with `checkout`"),
            () if !asked.contains(&Step::One) && status != Status::Expired => Some("expired"),
            () if !is_completed && status != Status::Expired => Some("completed or expired"),
            () => None,
        };
        // Each turn but the last ends at the question.
        let turns = if is_completed { 3 } else { session.wait_number() };
        if let Some(expected) = expected {
            let found_end = format!("{} with {:?}", status.as_str(), session.outcome());
            found.push(Violation::WrongEnd { contact, session: id, expected, found: found_end });
        }
        if was_answered(Step::Hello) && turns < 2 {
            let why = format!("session {id} had no such turn");
            found.push(Violation::LostTurn { contact, step: Step::Hello, why });
        }
        found.extend(self.said(contact, id, turns));
        found
    }

    /// Each of its turns said its text, and it said nothing else.
    fn said(&self, contact: u64, session: SessionId, turns: u32) -> Vec<Violation> {
        let sent = self.sent.get(&contact).map(Vec::as_slice).unwrap_or_default();
        let own = || sent.iter().filter(|handed| handed.id.session == session);
        let texts = [
            format!(
                "Hi Ada, your cart cart-{contact} totals 129.00. Reply 1 to check out or 2 for an agent."
            ),
            "Sorry, please answer 1 or 2.".to_owned(),
            format!("Checkout: https://shop.example/c/cart-{contact}"),
        ];
        let mut found = Vec::new();
        let due: Vec<((u32, u32), &String)> = (1..=turns).map(|turn| (turn, 0)).zip(&texts).collect();
        for (place, text) in &due {
            if !own().any(|handed| (handed.place, &handed.text) == (*place, *text)) {
                found.push(Violation::LostMessage { contact, session, text: (*text).clone() });
            }
        }
        for handed in own().filter(|handed| !due.contains(&(handed.place, &handed.text))) {
            found.push(Violation::UnknownMessage { contact, message: handed.id });
        }
        found
    }
}
