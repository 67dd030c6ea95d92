//! The checks of every answer, and of the state when all is over. Each check says first what it is
//! about.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chatflow::error::StoreErrorKind;
use chatflow::store::{ConversationStore, Lookup, Subject, Token};
use chatflow::{ContactId, Engine, Error, Received, WorkspaceId};
use chrono::{DateTime, TimeDelta, Utc};
use pollster::block_on;
use uuid::Uuid;

use super::town::{DIES, HANGS, PANICS, SLOW, STRANGE};
use super::{Act, Answer, Call, Crowd, Troubles};
use crate::kit::sessions_of;

impl Crowd {
    /// Checks an answer.
    pub(super) fn told(&mut self, call: Call, answer: Result<Answer, Error>) {
        match (&call.act, answer) {
            (Act::Say { id }, Ok(Answer::Received(received))) => self.heard(id, call.sole, received),
            (Act::Strange { .. }, Ok(Answer::Received(received))) => {
                assert!(matches!(received, Received::Unmatched), "strangers: {received:?}");
            }
            (_, Ok(_)) => {}
            (act, Err(error)) => {
                let waited = self.time.now() - call.begun;
                let is_contention = matches!(error, Error::Contention) && self.troubles.alone;
                assert!(!is_contention, "contention: in one process, after {waited}");
                if let Error::Store(error) = &error
                    && error.kind() == StoreErrorKind::Transient
                    && call.sole
                    && call.attempt == 0
                    && let Act::Say { id } | Act::Trigger { key: id, .. } = act
                {
                    assert!(
                        !self.is_anywhere(&call.phone, id),
                        "unknown: {id} was surely not done, and is there"
                    );
                }
                let is_damaged =
                    matches!(&error, Error::Quarantined(contact) if self.damaged.contains(contact));
                let bad = [PANICS, HANGS, DIES].iter().any(|prefix| call.phone.starts_with(prefix));
                let is_set_aside = matches!(&error, Error::Quarantined(_));
                assert!(!is_set_aside || is_damaged || bad, "neighbours: {error}");
                assert!(
                    error.is_retryable() || is_damaged || bad,
                    "an answer that no fault explains: {error}"
                );
                if error.is_retryable() {
                    self.again(call);
                }
            }
        }
    }

    /// `is_sole`: nobody else hands this in at the same time, so that no repeat is answered before
    /// the first.
    fn heard(&mut self, id: &str, is_sole: bool, received: Received) {
        let known = self.verdicts.get(id);
        match received {
            Received::Unmatched => assert!(known.is_none(), "redelivery: {id} was forgotten"),
            Received::Duplicate { first } => match known {
                Some(known) => assert_eq!(*known, *first, "redelivery: {id} has two verdicts"),
                None => _ = self.verdicts.insert(id.to_owned(), *first),
            },
            verdict => {
                let is_first = known.is_none_or(|known| !is_sole && *known == verdict);
                assert!(is_first, "redelivery: {id} was {verdict} after it was {known:?}");
                assert!(self.told.insert(id.to_owned()), "redelivery: {id} was {verdict} twice");
                self.verdicts.insert(id.to_owned(), verdict);
            }
        }
    }

    /// True if an id is in what is stored of a contact.
    fn is_anywhere(&self, phone: &str, id: &str) -> bool {
        let Some(stored) = self.stored(phone) else { return false };
        // Ids end in a number: one is the beginning of another.
        let within = |bytes: &[u8]| {
            let mut parts = bytes.windows(id.len() + 1);
            parts.any(|part| part.starts_with(id.as_bytes()) && !part[id.len()].is_ascii_digit())
        };
        let ended = sessions_of(&*self.store.memory);
        within(&stored.record.to_bytes().expect("it has a form"))
            || ended.iter().any(|record| {
                *record.contact() == stored.contact && within(&record.to_bytes().expect("it has a form"))
            })
    }

    /// D7: in no stretch of time more messages leave than the buckets of all processes have tokens.
    fn check_pace(&self, at: &[DateTime<Utc>]) {
        let processes = if self.troubles.paced { self.processes.len() } else { return };
        for (place, first) in at.iter().enumerate() {
            for (count, last) in (1..).zip(&at[place..]) {
                let seconds = usize::try_from((*last - *first).num_seconds()).expect("in order");
                // The burst, what came meanwhile, and what was there for one whose turn was a
                // little before.
                let most = processes * (1 + seconds + 1);
                assert!(count <= most, "pace: {count} messages in {seconds} seconds, at most {most}");
            }
        }
    }

    /// Checks the state when all is over.
    pub(super) fn check(&self) {
        let memory = &*self.store.memory;
        let seen = self.wire.seen.lock().unwrap();
        let bad = |phone: &str| [SLOW, HANGS, PANICS, DIES].iter().any(|prefix| phone.starts_with(prefix));
        let mut editions: HashMap<_, BTreeSet<&str>> = HashMap::new();
        let mut echoes: BTreeSet<&str> = BTreeSet::new();
        for (id, (_, text, _)) in &seen.first {
            editions.entry(id.session).or_default().extend(text.split(' ').next());
            if let Some((_, said)) = text.split_once("got ") {
                assert!(echoes.insert(said), "redelivery: {said} was answered twice");
            }
        }
        for (session, editions) in editions {
            assert!(editions.len() == 1, "editions: session {session} speaks {editions:?}");
        }
        self.check_pace(&seen.at);
        let Troubles { poison, limits, editions, faults, damage, bursts, paced, .. } = self.troubles;
        let is_even = !(poison || limits || editions || faults || damage || bursts);
        let most = TimeDelta::seconds(if paced { 30 } else { 8 });
        for (phone, text, late) in seen.first.values().filter(|(phone, ..)| is_even && !bad(phone)) {
            assert!(*late <= most, "late: `{text}` to {phone} by {late}");
        }
        let owners: HashMap<ContactId, &String> =
            self.phones.iter().filter_map(|phone| Some((self.stored(phone)?.contact, phone))).collect();
        let engine = Engine::builder(Arc::clone(&self.store.memory)).clock(self.time.clock.clone()).build();
        let quarantined = block_on(engine.quarantined(None)).expect("memory answers");
        for contact in &quarantined {
            let phone = owners.get(contact);
            let poisoned = phone.is_some_and(|phone| phone.starts_with(DIES));
            assert!(poisoned || self.damaged.contains(contact), "neighbours: {phone:?} is quarantined");
        }
        for record in sessions_of(memory) {
            let session = record.session();
            let failure = session.failure().map(|failure| failure.code.as_str());
            let is_damaged = self.damaged.contains(record.contact());
            assert!(is_damaged || failure != Some("missing_node"), "limits: {session:?}");
            let bad = owners.get(record.contact()).is_none_or(|phone| bad(phone));
            let is_free = bad || is_damaged || self.troubles.editions;
            assert!(is_free || !session.status().is_live(), "ends: {session:?}");
        }
        for contact in &self.damaged {
            let lookup = Subject::Contact(contact.clone());
            let lookup = Lookup::new(WorkspaceId::default(), lookup, Token(Uuid::nil()), self.time.now());
            let stored = block_on(memory.load(&lookup)).expect("memory answers").conversation;
            let reads = stored.is_some_and(|stored| stored.record.conversation().is_ok());
            assert!(
                reads || quarantined.contains(contact),
                "damage: {contact} is neither read nor set aside"
            );
        }
        for n in 0..20 {
            let phone = format!("{STRANGE}{n:04}");
            assert!(self.stored(&phone).is_none(), "strangers: {phone} was written down");
        }
    }
}
