//! A channel that refuses now and then, and checks the order of what it gets.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use chatflow::{
    ContactId, Content, MemoryStore, MessageId, Outbound, Receipt, SendError, SessionId, Transport,
};

use super::dice::Dice;
use super::people::People;
use super::store::{Weather, pause};
use crate::kit::{route, sessions_of};

/// The messages that the channel saw.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) content: HashMap<MessageId, Outbound>,
    /// The number of times that each was handed over.
    pub(super) times: HashMap<MessageId, usize>,
    pub(super) accepted: HashSet<MessageId>,
    /// Those that were refused, at once or by a report.
    pub(super) refused: HashSet<MessageId>,
    /// Signs of writing: not counted, and not tried again.
    pub(super) signs: HashSet<MessageId>,
    /// Contacts that have ever opted out: messages that were still to be sent to them were dropped.
    pub(super) opted_out: HashSet<ContactId>,
    /// The highest number that each destination has got.
    pub(super) last: BTreeMap<String, u64>,
}

#[derive(Clone)]
pub(super) struct SimWire {
    pub(super) memory: Arc<MemoryStore>,
    pub(super) dice: Dice,
    pub(super) weather: Weather,
    pub(super) healed: Arc<Mutex<bool>>,
    pub(super) seen: Arc<Mutex<Seen>>,
    /// The invariant that a message was seen to break.
    pub(super) broken: Arc<Mutex<Option<String>>>,
}

impl SimWire {
    /// Says which invariant was broken. Told to the round and not to the engine, which takes a
    /// panic of its transport for a send that did not end.
    pub(super) fn raise(&self) {
        let broken = self.broken.lock().unwrap().take();
        if let Some(what) = broken {
            panic!("{what}");
        }
    }

    pub(super) fn take(&self, message: &Outbound) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let known =
            sessions_of(&*self.memory).iter().any(|record| record.session().id() == message.session());
        assert!(known, "INV-O1: handed over before it was committed");
        let first = seen.content.entry(message.id).or_insert_with(|| message.clone());
        // Who turns out to be another contact, or moves, is written to as that one.
        match self.weather.people {
            People::Apart => assert_eq!(first, message, "INV-O3: one id, two messages"),
            _ => assert_eq!(first.content, message.content, "INV-O3: one id, two messages"),
        }
        let times = seen.times.entry(message.id).or_default();
        *times += 1;
        let times = *times;
        assert!(!self.weather.calm || times == 1, "INV-O5: `{}` was handed over twice", message.text());
        // What was dropped while a transport that is slower than the lease had it may leave after
        // what came later.
        let is_gone = seen.refused.contains(&message.id) || self.is_dropped(message.session());
        if times == 1 && !is_gone && !self.weather.people.drops() {
            let last = seen.last.entry(route(message)).or_default();
            assert!(message.id.seq > *last, "INV-O4: number {} after {last}", message.id.seq);
            *last = message.id.seq;
            let earlier = |other: &&Outbound| other.route == message.route && other.id.seq < message.id.seq;
            for other in seen.content.values().filter(earlier) {
                assert!(
                    seen.accepted.contains(&other.id)
                        || seen.refused.contains(&other.id)
                        || seen.signs.contains(&other.id)
                        || seen.opted_out.contains(&other.contact)
                        || self.is_dropped(other.session()),
                    "INV-O4: {} left before {}",
                    message.id.seq,
                    other.id.seq
                );
            }
        }
    }

    pub(super) fn is_dropped(&self, session: SessionId) -> bool {
        let sessions = sessions_of(&*self.memory);
        sessions.iter().any(|found| found.session().id() == session && found.session().ended_by().is_some())
    }
}

impl Transport for SimWire {
    async fn send(&self, message: &Outbound) -> Result<Receipt, SendError> {
        let healed = *self.healed.lock().unwrap();
        if !healed {
            pause().await;
        }
        let stormy = !self.weather.calm && !healed;
        if stormy && self.dice.one_in(8) {
            return Err(SendError::retry("refused by the dice"));
        }
        if let Err(what) = catch_unwind(AssertUnwindSafe(|| self.take(message))) {
            self.broken.lock().unwrap().get_or_insert(super::said(&*what));
        }
        if !healed {
            pause().await;
        }
        let refuses = self.weather.rich && !healed && self.dice.one_in(12);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(message.content, Content::Typing { .. }) {
            seen.signs.insert(message.id);
        }
        if refuses {
            seen.refused.insert(message.id);
            return Err(SendError::rejected("by the dice"));
        }
        seen.accepted.insert(message.id);
        if stormy && self.dice.one_in(8) {
            return Err(SendError::retry("taken, but the answer was lost by the dice"));
        }
        Ok(Receipt::new())
    }
}
