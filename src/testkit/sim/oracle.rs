//! The rules that must hold, told from the contract alone: of each answer, of each message, of what
//! is stored after each step, and at the end. Nothing here is shared with the engine.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use super::dice::Dice;
use super::people::Person;
use super::world::CallOutcome;
use crate::calls::Call;
use crate::engine::DeadLetterEntry;
use crate::error::Error;
use crate::id::{CallId, ContactId, FlowVersion, MessageId, SessionId};
use crate::kernel::{Received, Triggered};
use crate::session::{FailureCode, Outbound, Session, Status};
use crate::store::SessionRecord;

/// After so many messages of all people the id of one may be forgotten (SEMANTICS I2).
const MOST_REMEMBERED: usize = 55;

/// Everything seen so far.
#[derive(Debug, Default)]
pub(super) struct Oracle {
    /// The first thing that must not be.
    pub(super) violation: Option<String>,
    /// True while nothing goes wrong: nothing comes twice, and every call is answered.
    pub(super) is_calm: bool,
    messages: HashMap<MessageId, Outbound>,
    accepted: BTreeSet<MessageId>,
    /// The highest number that each address has got.
    last: HashMap<String, u64>,
    calls: HashMap<CallId, String>,
    keys: HashMap<(String, String), (SessionId, bool)>,
    verdicts: HashMap<String, Received>,
    started: BTreeSet<SessionId>,
    /// Sessions that an answer named.
    told: BTreeSet<SessionId>,
    /// The words of each contact, each with its number among all.
    said: BTreeMap<String, usize>,
    /// The words that a call was told to have taken.
    taken_by_a_call: BTreeSet<String>,
    /// The edition of the flow that each session told of.
    editions: HashMap<SessionId, String>,
    /// The message of the flow in which each text of a contact was heard.
    heard: HashMap<String, MessageId>,
    /// The session that took each text.
    taken: BTreeMap<String, SessionId>,
    ended: HashMap<SessionId, String>,
    live: HashMap<SessionId, (Status, u32, Option<DateTime<Utc>>)>,
    versions: HashMap<SessionId, FlowVersion>,
    flows: HashMap<SessionId, String>,
    /// Contacts of whom an erasure was asked: what they said and got may be gone.
    pub(super) erased: BTreeSet<ContactId>,
    /// Sessions that somebody took to another version, or ended from outside.
    pub(super) moved: BTreeSet<SessionId>,
    /// Sessions that an operator handed to a person: they may end there, and say nothing.
    pub(super) handed: BTreeSet<SessionId>,
    /// People whose addresses may lead to another contact than before.
    pub(super) loose: BTreeSet<Person>,
    /// People to whom messages may have been dropped.
    pub(super) dropping: BTreeSet<Person>,
    contacts: HashMap<SessionId, ContactId>,
    /// The revision of each conversation that was written last, for a defect.
    pub(super) revisions: HashMap<ContactId, u64>,
}

impl Oracle {
    pub(super) fn check(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds && self.violation.is_none() {
            self.violation = Some(what());
        }
    }

    /// True if a message came before.
    pub(super) fn has_seen(&self, message: &Outbound) -> bool {
        self.messages.contains_key(&message.id)
    }

    /// One of the messages that came.
    pub(super) fn some_message(&self, dice: &Dice) -> Option<MessageId> {
        let mut ids: Vec<MessageId> = self.messages.keys().copied().collect();
        ids.sort();
        ids.get(dice.below(ids.len())).copied()
    }

    /// True if what is said at the end of the text by whom may lead to another contact than before.
    fn is_loose(&self, text: &str) -> bool {
        Person::in_text(text).is_none_or(|person| self.loose.contains(&person))
    }

    /// True if so much was said since that its id may be forgotten, or by whom may lead to another
    /// contact than before.
    fn may_come_again(&self, text: &str) -> bool {
        let since = self.said.get(text).map_or(0, |number| self.said.len() - number);
        since > MOST_REMEMBERED || self.is_loose(text)
    }

    /// A contact says something that nobody said before, or says it again.
    pub(super) fn says(&mut self, text: &str) {
        let number = self.said.len();
        self.said.entry(text.to_owned()).or_insert(number);
    }

    /// A message reaches the channel.
    pub(super) fn sent(&mut self, message: &Outbound) {
        let (id, text) = (message.id, message.text().to_owned());
        let first = self.messages.entry(id).or_insert_with(|| message.clone()).clone();
        let person = Person::at(message.to());
        let is_in = |people: &BTreeSet<Person>| person.is_none_or(|person| people.contains(&person));
        let may_move = is_in(&self.loose);
        self.check(first.content == message.content && (may_move || first.route == message.route), || {
            format!("O3: message {id} was `{}` and is `{text}`", first.text())
        });
        let is_again = self.accepted.contains(&id);
        self.check(!self.is_calm || !is_again, || format!("O5: `{text}` left twice"));
        if !is_again {
            let to = message.to().to_string();
            let last = self.last.get(&to).copied().unwrap_or_default();
            // Messages that were dropped while they were on their way may leave after later ones.
            let is_free = is_in(&self.dropping);
            self.check(is_free || id.seq > last, || {
                format!("O4: `{text}`, number {}, came after {last}", id.seq)
            });
            self.last.insert(to, last.max(id.seq));
        }
        self.accepted.insert(id);
        self.check(self.started.contains(&id.session) || self.contacts.contains_key(&id.session), || {
            format!("O1: `{text}` of session {} left before anything was committed", id.session)
        });
        if let Some(heard) = text.strip_prefix("heard ") {
            let is_said = self.said.contains_key(heard);
            self.check(is_said, || format!("M4: `{heard}` was never said"));
            let known = *self.heard.entry(heard.to_owned()).or_insert(id);
            let is_free = self.may_come_again(heard);
            self.check(is_free || known == id, || format!("M1: `{heard}` was taken twice"));
        }
        if let Some(edition) = text.strip_prefix("hi ").or_else(|| text.strip_prefix("gone ")) {
            let first = self.editions.entry(id.session).or_insert_with(|| edition.to_owned()).clone();
            let is_moved = self.moved.contains(&id.session);
            self.check(is_moved || first == edition, || {
                format!("S13: session {} began edition {first}, and says `{text}`", id.session)
            });
        }
        if let Some(found) = text.strip_prefix("found r") {
            let is_own =
                self.calls.keys().any(|call| call.session == id.session && call.to_string() == found);
            self.check(is_own, || format!("D3: session {} got the answer of call {found}", id.session));
        }
        let is_known = ["hi ", "heard ", "found ", "sorry", "up", "back", "gone"]
            .iter()
            .any(|word| text.starts_with(word));
        self.check(is_known, || format!("N2: `{text}` is no text of the flows"));
    }

    /// The host is asked something.
    pub(super) fn called(&mut self, call: &Call) {
        let (id, asked) = (call.reference.call, call.to_string());
        let first = self.calls.entry(id).or_insert_with(|| asked.clone()).clone();
        self.check(first == asked, || format!("D3: call {id} was {first} and is {asked}"));
    }

    /// A call of the host was answered.
    pub(super) fn answered(&mut self, done: CallOutcome) {
        match done {
            CallOutcome::Triggered { flow, key, answer: Ok(answer) } => {
                let Some(session) = answer.session() else { return };
                self.told.insert(session.session_id);
                let is_started = matches!(answer, Triggered::Started(_));
                if is_started && !session.replayed {
                    let is_new = self.started.insert(session.session_id);
                    self.check(is_new, || format!("S4: session {} was started twice", session.session_id));
                }
                let Some(key) = key else { return };
                let told = (session.session_id, is_started);
                let first = *self.keys.entry((flow, key.clone())).or_insert(told);
                self.check(first == told, || format!("K1: key {key} was answered {first:?} and is {told:?}"));
            }
            CallOutcome::Received { text, answer: Ok(answer) } => self.received(&text, answer),
            CallOutcome::Triggered { answer: Err(error), .. }
            | CallOutcome::Received { answer: Err(error), .. } => {
                let is_calm = self.is_calm && error.is_retryable();
                self.check(!is_calm && is_expected(&error), || {
                    format!("E: not an answer to a fault: {error}")
                });
            }
            CallOutcome::Erased { contact, is_alone, left } => {
                self.erased.insert(contact.clone());
                self.check(!is_alone || left == 0, || {
                    format!("Q: {contact} was erased, and {left} sessions are left")
                });
            }
            CallOutcome::Operated(Err(error)) => {
                self.check(!matches!(&error, Error::Store(store) if !error.is_retryable() && store.to_string().contains("permanent")), || {
                    format!("E: an operation broke the store: {error}")
                });
            }
            CallOutcome::Operated(Ok(())) | CallOutcome::Ticked(Ok(_)) => {}
            CallOutcome::Ticked(Err(error)) => {
                let is_expected = error.is_retryable() && !self.is_calm;
                self.check(is_expected, || format!("E: a tick failed: {error}"));
            }
        }
    }

    /// A call was told what became of a message.
    fn received(&mut self, text: &str, answer: Received) {
        let is_free = self.may_come_again(text);
        let verdict = match answer {
            Received::Duplicate { first } => *first,
            other => {
                let is_first = other.session().is_none() || self.taken_by_a_call.insert(text.to_owned());
                self.check(is_free || is_first, || format!("I8: `{text}` was taken by two calls"));
                other
            }
        };
        if let Received::Consumed { session } = &verdict {
            self.taken.insert(text.to_owned(), *session);
        }
        // A message that nothing took is not remembered.
        if verdict == Received::Unmatched {
            return;
        }
        let first = self.verdicts.entry(text.to_owned()).or_insert_with(|| verdict.clone()).clone();
        self.check(is_free || first == verdict, || format!("M1: `{text}` was {first} and is {verdict}"));
    }

    /// Checks what is stored after a step.
    pub(super) fn look(&mut self, records: &[SessionRecord]) {
        let (mut live, mut places) = (HashMap::new(), BTreeSet::new());
        for record in records {
            let (session, contact) = (record.session(), record.contact());
            let id = session.id();
            self.contacts.insert(id, contact.clone());
            self.flows.insert(id, session.flow().to_string());
            let version = *self.versions.entry(id).or_insert_with(|| session.version());
            let is_moved = self.moved.contains(&id);
            self.check(is_moved || version == session.version(), || {
                format!("S5: session {id} went from version {version} to {}", session.version())
            });
            self.said_in(session);
            if session.status().is_live() {
                let is_back = self.ended.contains_key(&id);
                self.check(!is_back, || format!("S3: session {id} had ended, and lives"));
                let place = (contact.clone(), session.flow().clone());
                self.check(places.insert(place), || {
                    format!("S1: two live sessions of {} and {contact}", session.flow())
                });
                let timer = session.deadline().or(session.expires_at());
                live.insert(id, (session.status(), session.wait_number(), timer));
                continue;
            }
            let failure = session.failure().map(|failure| failure.code);
            self.check(failure != Some(FailureCode::MissingNode), || {
                format!("S14: session {id} failed by a process that cannot read its flow")
            });
            let now = format!(
                "{} {} {:?} {}",
                session.status(),
                session.node(),
                session.ended_at(),
                session.vars().to_json()
            );
            let first = self.ended.entry(id).or_insert_with(|| now.clone()).clone();
            self.check(first == now, || format!("S3: session {id} had ended as {first}, and is {now}"));
            if let Some((Status::Waiting, wait, Some(timer))) = self.live.get(&id).copied()
                && session.status() == Status::Expired
                && wait == session.wait_number()
            {
                self.check(session.ended_at() >= Some(timer), || {
                    format!("T2: session {id} expired before {timer}")
                });
            }
        }
        self.live = live;
    }

    /// Checks that what a session wrote down was said, and is in no other session.
    fn said_in(&mut self, session: &Session) {
        let vars = session.vars().to_json();
        let text = vars["said"].as_str().unwrap_or_default();
        for part in text.split_terminator(']').map(|part| part.trim_start_matches('[')) {
            let is_said = self.said.contains_key(part);
            self.check(is_said, || {
                format!("M4: session {} wrote down `{part}`, which nobody said", session.id())
            });
        }
        for (part, _) in self.taken.iter().filter(|(_, taker)| **taker == session.id()) {
            let holds = session.flow().as_str() != "diary" || text.contains(&format!("[{part}]"));
            if !holds && self.violation.is_none() {
                self.violation = Some(format!("S6: session {} took `{part}`, and has lost it", session.id()));
            }
        }
    }

    /// At the end: whatever began has ended, and whatever was to be sent was.
    pub(super) fn end(
        &mut self,
        records: &[SessionRecord],
        letters: &[DeadLetterEntry],
        people: &HashMap<ContactId, Vec<Person>>,
    ) {
        self.look(records);
        let there: BTreeSet<SessionId> = records.iter().map(|record| record.session().id()).collect();
        let dead: BTreeSet<MessageId> = letters.iter().map(|letter| letter.letter.message.id).collect();
        for record in records {
            let session = record.session();
            self.check(!session.status().is_live(), || {
                format!("T3: session {} never ends: {} at {}", session.id(), session.status(), session.node())
            });
            // Those whose addresses are somebody else's now have none.
            let own = people.get(record.contact()).map(Vec::as_slice).unwrap_or_default();
            let is_free = session.ended_by().is_some()
                || self.moved.contains(&session.id())
                || self.erased.contains(record.contact())
                || own.is_empty()
                || own.iter().any(|person| self.loose.contains(person));
            if !is_free {
                self.check_all_said(session, &dead);
            }
        }
        for session in self.told.clone() {
            let is_erased = match self.contacts.get(&session) {
                Some(contact) => self.erased.contains(contact),
                None => !self.erased.is_empty(),
            };
            self.check(is_erased || there.contains(&session), || format!("A5: session {session} is gone"));
        }
    }
}

impl Oracle {
    /// Checks that what a session that has ended wanted to say was said, or could not be.
    fn check_all_said(&mut self, session: &Session, dead: &BTreeSet<MessageId>) {
        let is_dead = dead.iter().any(|message| message.session == session.id());
        let vars = session.vars().to_json();
        let said = vars["said"].as_str().unwrap_or_default();
        for part in said.split_terminator(']').map(|part| part.trim_start_matches('[')) {
            let is_sent = is_dead || self.heard.contains_key(part);
            self.check(is_sent, || format!("O2: `heard {part}` was never sent"));
        }
        let is_sent = is_dead || self.accepted.iter().any(|message| message.session == session.id());
        let is_silent = session.status() == Status::Failed || self.handed.contains(&session.id());
        self.check(is_silent || is_sent || session.turns() == 0, || {
            format!(
                "O2: session {} of {} ended as {} at {}, and said nothing",
                session.id(),
                session.flow(),
                session.status(),
                session.node()
            )
        });
    }
}

/// Errors that a host is told of: a fault that passes, a lost race, a flow that is offline.
fn is_expected(error: &Error) -> bool {
    error.is_retryable()
        || matches!(
            error,
            Error::SessionNotFound(_)
                | Error::IdempotencyConflict(_)
                | Error::Erased(_)
                | Error::FlowNotPublished(_)
                | Error::InvalidInput { .. }
        )
}
