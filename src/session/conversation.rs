//! One contact in one workspace: the unit of consistency. Whatever must hold per contact holds
//! because this one record changes by one compare-and-swap.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::gather::Arrange;
use crate::id::{ContactId, FlowId};
use crate::limits::Limits;
use crate::session::outbox::heads;
use crate::session::ring::{Ring, Verdict, age};
use crate::session::{Contact, DeadLetter, Pause, Session, Silence, Status, Unsent};

/// A contact's record: who it is, its live sessions, what it said lately, what it has yet to be
/// sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    pub(crate) contact: Contact,
    /// The conversation's own time: never goes back (SEMANTICS S8).
    pub(crate) last_at: DateTime<Utc>,
    /// Live sessions, oldest first.
    #[serde(default)]
    pub(crate) sessions: Vec<Session>,
    /// Messages on their way, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) outbox: Vec<Unsent>,
    /// The number of the message that was last put into the outbox.
    #[serde(default)]
    pub(crate) last_seq: u64,
    /// Ids of inbound messages, with what they came to, oldest first (SEMANTICS I2).
    #[serde(default, skip_serializing_if = "Ring::is_empty")]
    pub(crate) remembered: Ring,
    /// Ids of the latest calls that took effect, apart from the messages, so that they push none of
    /// them out.
    #[serde(default, skip_serializing_if = "Ring::is_empty")]
    pub(crate) calls: Ring,
    /// The parts that few conversations have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) history: Option<Box<History>>,
    /// True if the contact has ever written (SEMANTICS I4 `first_contact`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) has_written: bool,
}

/// A time of a session that passes; at the same instant the node's deadline goes before expiry
/// (SEMANTICS S2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SessionTimer {
    /// The node's own deadline.
    Deadline,
    /// The reminder that comes before the TTL.
    Reminder,
    /// The TTL, or the longest life.
    Expiry,
}

/// Parts of a conversation that most conversations do not have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct History {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) dead_letters: Vec<DeadLetter>,
    /// When each flow with a re-entry rule last started (SEMANTICS T6).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) marks: Vec<ReentryMark>,
    /// When a campaign last reached the contact (SEMANTICS I4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) campaign_at: Option<DateTime<Utc>>,
    /// The engine's silence while the contact is with a person (SEMANTICS S10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) silence: Option<Silence>,
}

/// When a flow with a re-entry rule last started with this contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReentryMark {
    /// The flow.
    pub(crate) flow: FlowId,
    /// When.
    pub(crate) at: DateTime<Utc>,
}

impl History {
    /// Takes over the history of another contact that turned out to be this one (SEMANTICS A5).
    pub(crate) fn take_in(&mut self, other: Self, contact: &ContactId) {
        for mut letter in other.dead_letters {
            Arc::make_mut(&mut letter.message).contact = contact.clone();
            self.dead_letters.push(letter);
        }
        self.dead_letters.arrange_by_key(|letter| letter.at);
        for mark in other.marks {
            match self.marks.iter_mut().find(|known| known.flow == mark.flow) {
                Some(known) => known.at = known.at.max(mark.at),
                None => self.marks.push(mark),
            }
        }
        self.campaign_at = self.campaign_at.max(other.campaign_at);
        match (&mut self.silence, other.silence) {
            (Some(own), Some(theirs)) => {
                own.since = own.since.min(theirs.since);
                own.results.extend(theirs.results);
                own.sent.extend(theirs.sent);
                own.pause = match (own.pause.take(), theirs.pause) {
                    // The one that lasts longer; one without an end the longest.
                    (Some(one), Some(other)) => {
                        let is_longer = other.until.is_none_or(|end| one.until.is_some_and(|own| own < end));
                        Some(if is_longer { other } else { one })
                    }
                    (one, other) => one.or(other),
                };
            }
            (own, theirs) => *own = own.take().or(theirs),
        }
    }
}

impl Conversation {
    pub(crate) fn new(id: ContactId, now: DateTime<Utc>) -> Self {
        Self {
            contact: Contact::new(id),
            last_at: now,
            sessions: Vec::new(),
            outbox: Vec::new(),
            last_seq: 0,
            remembered: Ring::default(),
            calls: Ring::default(),
            history: None,
            has_written: false,
        }
    }

    /// Returns the contact.
    #[must_use]
    pub fn contact(&self) -> &Contact {
        &self.contact
    }

    /// Returns its live sessions, oldest first.
    #[must_use]
    pub fn sessions(&self) -> &[Session] {
        &self.sessions
    }

    /// Messages that are on their way, in order; some may be delivered already (see the store's
    /// watermark).
    #[must_use]
    pub fn outbox(&self) -> &[Unsent] {
        &self.outbox
    }

    /// Messages that were given up, oldest first.
    #[must_use]
    pub fn dead_letters(&self) -> &[DeadLetter] {
        self.history.as_ref().map_or(&[], |history| &history.dead_letters)
    }

    pub(crate) fn marks(&self) -> &[ReentryMark] {
        self.history.as_ref().map_or(&[], |history| &history.marks)
    }

    pub(crate) fn campaign_at(&self) -> Option<DateTime<Utc>> {
        self.history.as_ref()?.campaign_at
    }

    /// The engine's silence while the contact is with a person.
    pub(crate) fn silence(&self) -> Option<&Silence> {
        self.history.as_ref()?.silence.as_ref()
    }

    /// Returns the pause of the bot, if it is paused ([SEMANTICS Q3](crate::semantics#q3)).
    #[must_use]
    pub fn pause(&self) -> Option<Pause> {
        self.silence()?.pause
    }

    /// True if a session is on hold because the contact is with a person, or the bot is paused
    /// (SEMANTICS S10, Q3).
    pub(crate) fn stands_still(&self, session: &Session) -> bool {
        self.silence().is_some() && !session.goes_on_in_handoff()
    }

    pub(crate) fn history(&mut self) -> &mut History {
        self.history.get_or_insert_default()
    }

    /// The outcome of a message that has been dealt with before, and the call that brought it.
    pub(crate) fn recall(&self, id: u128, now: DateTime<Utc>, limits: &Limits) -> Option<(Verdict, u32)> {
        let (at, verdict, call) = self.remembered.recall(id)?;
        (age(now, at).to_std().unwrap_or_default() <= limits.remember_ids_for).then_some((verdict, call))
    }

    /// True for one of the latest calls that took effect.
    pub(crate) fn knows_call(&self, id: u128) -> bool {
        self.calls.recall(id).is_some()
    }

    /// Forgets messages up to the watermark: they are settled.
    pub(crate) fn prune(&mut self, settled: u64) {
        if self.outbox.first().is_some_and(|first| first.seq <= settled) {
            self.outbox.retain(|unsent| unsent.seq > settled);
            if self.outbox.is_empty() {
                self.outbox = Vec::new();
            }
        }
    }

    /// About how many bytes it holds of what grows: values, texts.
    pub(crate) fn weight(&self) -> usize {
        let sessions = self.sessions.iter().map(Session::weight).sum::<usize>();
        let outbox = self.outbox.iter().map(|unsent| unsent.message.weight()).sum::<usize>();
        let dead = self.dead_letters().iter().map(|letter| letter.message.weight()).sum::<usize>();
        sessions + outbox + dead
    }

    /// The silence that nothing keeps up any more: nobody is in handoff, and the bot is not paused.
    /// One is written down where what it suspends could not be continued (SEMANTICS S14).
    pub(crate) fn spent_silence(&self) -> Option<&Silence> {
        let is_with_person = || self.sessions.iter().any(|session| session.status() == Status::Handoff);
        self.silence().filter(|silence| silence.pause.is_none() && !is_with_person())
    }

    /// When something is to be done next, given what is settled: a deadline, an expiry, a call, a
    /// message, the end of a silence.
    pub(crate) fn due_at(&self, settled: u64) -> Option<DateTime<Utc>> {
        let until = self.pause().and_then(|pause| pause.until);
        let mut next = until.or_else(|| self.spent_silence().map(|silence| silence.since));
        for session in &self.sessions {
            next = sooner(next, self.timer(session, settled).map(|(at, _)| at));
            if let Some(call) = session.call().filter(|_| !self.stands_still(session)) {
                next = sooner(next, call.due_at());
            }
        }
        sooner(next, self.sends_at(settled))
    }

    /// When the next message is to be sent, given what is settled.
    pub(crate) fn sends_at(&self, settled: u64) -> Option<DateTime<Utc>> {
        let first = self.outbox.iter().position(|unsent| unsent.seq > settled)?;
        match self.outbox.get(first..) {
            Some([only]) => Some(only.not_before),
            _ => heads(&self.outbox, settled).map(|unsent| unsent.not_before).min(),
        }
    }

    /// When a session's own deadline, or else its TTL, passes; its longest life ends in any case. A
    /// wait's deadline does not pass while a message that was sent before it is undelivered
    /// (SEMANTICS N3), and no time but the longest passes in a handoff (S10).
    pub(crate) fn timer(&self, session: &Session, settled: u64) -> Option<(DateTime<Utc>, SessionTimer)> {
        let window = session.window();
        let own = match (window, session.deadline()) {
            _ if self.stands_still(session) => None,
            // The end of a handoff would speak, too.
            _ if session.status() == Status::Handoff && self.pause().is_some() => None,
            // What is being said is the answer: the question's time does not pass meanwhile.
            (Some(until), _) => Some((until.max(session.parked_at), SessionTimer::Deadline)),
            (None, Some(_)) if self.is_held(session, settled) => None,
            (None, Some(deadline)) => Some((deadline, SessionTimer::Deadline)),
            (None, None) if session.status() == Status::Handoff => None,
            // A node may outlive the TTL (S3), but no session ends before it came to where it
            // is.
            (None, None) => session.expires_at.map(|at| (at.max(session.parked_at), SessionTimer::Expiry)),
        };
        let silent = own.filter(|_| window.is_none());
        let reminder = silent.and_then(|_| session.reminds_at()).map(|at| (at, SessionTimer::Reminder));
        sooner(sooner(own, reminder), session.ends_by.map(|at| (at, SessionTimer::Expiry)))
    }

    fn is_held(&self, session: &Session, settled: u64) -> bool {
        session.status() == Status::Waiting
            && session.sent_before > settled
            && self.outbox.iter().any(|unsent| {
                unsent.message.session() == session.id
                    && unsent.seq > settled
                    && unsent.seq <= session.sent_before
            })
    }

    /// The place of the session whose wait's deadline passed while this message held it, and is
    /// held by nothing else now that the message is settled, at `at`: the wait gets its time anew
    /// (SEMANTICS N3).
    pub(crate) fn held_wait(&self, message: &Unsent, settled: u64, at: DateTime<Utc>) -> Option<usize> {
        self.sessions.iter().position(|session| {
            session.id == message.message.id.session
                && session.status() == Status::Waiting
                && message.seq <= session.sent_before
                && session.deadline().is_some_and(|deadline| deadline <= at)
                && !self.is_held(session, settled)
        })
    }
}

/// The sooner of two, if there is any.
fn sooner<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
