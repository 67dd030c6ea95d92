//! The checks after every write, and of every answer.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;

use chatflow::session::encode_session;
use chatflow::{Error, Received, Session, SessionId, Status, Triggered};
use chrono::{DateTime, Utc};

use super::store::SimStore;
use crate::kit::sessions_of;

/// The outcome of a call.
pub(super) enum Done {
    Triggered(String, Option<String>, Result<Triggered, Error>),
    Received(String, Result<Received, Error>),
    Other(Result<(), Error>),
}

/// The facts so far, against which the next one is checked.
#[derive(Default)]
pub(super) struct Checks {
    /// INV-S3: ended sessions as they ended.
    pub(super) ended: HashMap<SessionId, Vec<u8>>,
    /// Live sessions as they were last seen: status, wait number, when the first timer passes.
    pub(super) live: HashMap<SessionId, (Status, u32, Option<DateTime<Utc>>)>,
    /// INV-K1: what each key was answered with.
    pub(super) keys: HashMap<(String, String), (SessionId, bool)>,
    /// INV-M1: what each message came to.
    pub(super) verdicts: HashMap<String, Received>,
    pub(super) started: HashSet<SessionId>,
    /// INV-S6: what each session took.
    pub(super) taken: HashMap<SessionId, Vec<String>>,
    /// People who said that they leave.
    pub(super) left: HashSet<String>,
    /// The number of commits when all was looked at last.
    pub(super) looked_at: usize,
}

impl Checks {
    pub(super) fn answered(&mut self, done: Done) {
        match done {
            Done::Triggered(flow, key, Ok(triggered)) => {
                let Some(session) = triggered.session() else { return };
                let started = matches!(triggered, Triggered::Started(_));
                if started && !session.replayed {
                    assert!(self.started.insert(session.session_id), "INV-S4: one id, two sessions");
                }
                let Some(key) = key else { return };
                let answer = (session.session_id, started);
                let first = *self.keys.entry((flow, key)).or_insert(answer);
                assert_eq!(first, answer, "INV-K1: one key, two answers");
            }
            Done::Received(id, Ok(received)) => {
                let verdict = match received {
                    Received::Duplicate { first } => *first,
                    received => received,
                };
                if let (Some((person, _)), Received::Keyword { .. }) =
                    (id.strip_prefix("stop-").and_then(|rest| rest.split_once('-')), &verdict)
                {
                    self.left.insert(person.to_owned());
                }
                if let Received::Consumed { session } = &verdict {
                    self.taken.entry(*session).or_default().push(id.clone());
                    self.looked_at = 0;
                }
                if verdict == Received::Unmatched {
                    return;
                }
                let first = self.verdicts.entry(id).or_insert_with(|| verdict.clone());
                assert_eq!(*first, verdict, "INV-M1: one message, two verdicts");
            }
            Done::Triggered(.., Err(error)) | Done::Received(_, Err(error)) | Done::Other(Err(error)) => {
                let is_expected = error.is_retryable()
                    || matches!(error, Error::SessionNotFound(_) | Error::IdempotencyConflict(_));
                assert!(is_expected, "not an answer to a fault or a lost race: {error}");
            }
            Done::Other(Ok(())) => {}
        }
    }

    pub(super) fn look(&mut self, store: &SimStore) {
        let written = store.written.load(Ordering::Relaxed);
        if std::mem::replace(&mut self.looked_at, written) == written {
            return;
        }
        let mut live = HashSet::new();
        let mut now_live = HashMap::new();
        let mut heard = HashSet::new();
        for record in sessions_of(&*store.memory) {
            let session = record.session();
            let id = session.id();
            let said = said(session);
            let writes_all = matches!(session.flow().as_str(), "diary" | "ask");
            for text in self.taken.get(&id).into_iter().flatten().filter(|text| writes_all && is_own(text)) {
                assert!(said.contains(text), "INV-S6: what was taken is lost");
            }
            for text in said.into_iter().filter(|text| is_own(text)) {
                assert!(heard.insert(text), "INV-M1: a message was taken twice");
            }
            if session.status().is_live() {
                assert!(!self.ended.contains_key(&id), "INV-S3: an ended session lives");
                let place = (record.contact().clone(), session.flow().clone());
                assert!(live.insert(place), "INV-S1: two live sessions of one flow and contact");
                let timer = session.deadline().or(session.expires_at());
                now_live.insert(id, (session.status(), session.wait_number(), timer));
                continue;
            }
            let bytes = encode_session(session).expect("it has a form");
            assert!(bytes.len() < 64 << 10, "INV-L3");
            let first = self.ended.entry(id).or_insert_with(|| bytes.clone());
            assert_eq!(*first, bytes, "INV-S3: an ended session changed");
            if let Some((Status::Waiting, wait, Some(timer))) = self.live.get(&id)
                && session.status() == Status::Expired
                && *wait == session.wait_number()
            {
                assert!(session.ended_at() >= Some(*timer), "INV-T2: it expired early");
            }
        }
        self.live = now_live;
    }
}

/// True if a text is like no other: it is the message's id.
fn is_own(text: &str) -> bool {
    text.rsplit_once('-').is_some_and(|(phone, number)| !phone.contains('-') && number.parse::<u32>().is_ok())
}

/// The replies that a session has written down.
pub(super) fn said(session: &Session) -> Vec<String> {
    let vars = session.vars().to_json();
    let texts = ["said", "mood", "more"].iter().filter_map(|name| vars[*name].as_str());
    let parts = texts.flat_map(|text| text.split_terminator(']'));
    parts.map(|part| part.trim_start_matches('[').to_owned()).collect()
}
