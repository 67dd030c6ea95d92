//! The facts that are known from outside: what was asked of engines, what they answered, and what
//! left through their transports.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chatflow::{MessageId, SessionId};
use serde::{Deserialize, Serialize};

use super::talk::last_step;

/// One call of a conversation. A contact's calls are made in this order, each after the one before
/// was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Step {
    /// The trigger, with a key.
    Trigger,
    /// A second trigger beside the first, with another key: it starts nothing.
    Rival,
    /// The reply "hello", which the flow does not understand.
    Hello,
    /// The reply "1", with which the session ends.
    One,
}

/// The outcome of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Replied {
    /// The session took it.
    Taken(SessionId),
    /// The session had taken it before.
    TakenBefore(SessionId),
    /// Anything else: no session wanted it.
    Lost,
}

/// One line of the history. A process writes each with one write, so that its death tears none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A call is about to be made.
    Asked { contact: u64, step: Step },
    /// A trigger was answered: the session, whether the call says that it started it, and whether
    /// the answer is a repeat.
    Triggered { contact: u64, step: Step, session: SessionId, started: bool, replayed: bool },
    /// A reply was answered.
    Replied { contact: u64, step: Step, replied: Replied },
    /// A call was answered with an error that repeating it would not fix.
    Failed { contact: u64, step: Step, error: String },
    /// A transport was handed a message. It is written before the transport answers.
    Sent { contact: u64, message: MessageId, turn: u32, index: u32, text: String },
    /// A process works now.
    Ready,
}

/// Where events are told.
pub trait Report: Send + Sync {
    fn report(&self, event: Event);
}

impl<R: Report + ?Sized> Report for Arc<R> {
    fn report(&self, event: Event) {
        (**self).report(event);
    }
}

/// Events in the order in which they happened. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct History(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    events: Vec<Event>,
    /// Contacts by what was asked and answered last: None until the first answer.
    asked: BTreeMap<u64, Option<Step>>,
    last_asked: u64,
    ready: usize,
}

impl Report for History {
    fn report(&self, event: Event) {
        self.with(|inner| {
            match &event {
                Event::Asked { contact, .. } => {
                    inner.asked.entry(*contact).or_default();
                    inner.last_asked = inner.last_asked.max(*contact);
                }
                Event::Triggered { contact, step, .. } | Event::Replied { contact, step, .. } => {
                    let last = inner.asked.entry(*contact).or_default();
                    *last = (*last).max(Some(*step));
                }
                Event::Ready => inner.ready += 1,
                Event::Failed { .. } | Event::Sent { .. } => {}
            }
            inner.events.push(event);
        });
    }
}

impl History {
    fn with<T>(&self, read: impl FnOnce(&mut Inner) -> T) -> T {
        read(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// All events so far.
    pub fn events(&self) -> Vec<Event> {
        self.with(|inner| inner.events.clone())
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.with(|inner| inner.events.len())
    }

    /// The number of processes that have begun to work.
    pub fn ready(&self) -> usize {
        self.with(|inner| inner.ready)
    }

    /// A history that a test has changed.
    pub fn of(events: impl IntoIterator<Item = Event>) -> Self {
        let history = Self::default();
        for event in events {
            history.report(event);
        }
        history
    }

    /// The contact after the last one that anything was asked for.
    pub fn next_contact(&self) -> u64 {
        self.with(|inner| inner.last_asked + 1)
    }

    /// Contacts that were begun and whose last call was not answered.
    pub fn unfinished(&self) -> Vec<u64> {
        self.with(|inner| {
            let open = inner
                .asked
                .iter()
                .filter(|(contact, last)| last.is_none_or(|last| last < last_step(**contact)));
            open.map(|(contact, _)| *contact).collect()
        })
    }
}
