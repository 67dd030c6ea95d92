//! A call on its way through a thread: what it does there, and its answer.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use chatflow::error::StoreError;

use crate::database::Database;

/// The work of a call on its thread. Run again if others that shared its transaction spoiled it,
/// hence `&self`.
pub(super) trait Operation: Send + Sync + 'static {
    type Answer: Send + 'static;

    /// For errors: what the store was doing.
    const DOING: &'static str;

    /// True if its writes may be lost with the power, though not with the process.
    fn may_be_lost(&self) -> bool {
        false
    }

    /// It writes nothing: it is answered out of one snapshot of what is written.
    fn is_read(&self) -> bool {
        false
    }

    /// It shares its transaction with no other, and an error of its own rolls that back.
    fn is_alone(&self) -> bool {
        false
    }

    /// The copy that is to be made, step by step between other calls, in place of
    /// [`run`](Self::run).
    fn copy(&self) -> Option<&Path> {
        None
    }

    /// Writes nothing unless it is to be kept: what refuses is looked at first.
    fn run(&self, database: &Database<'_>) -> Result<Self::Answer, Failure>;
}

/// The reason an operation has no answer.
pub(super) enum Failure {
    /// The transaction is spoiled.
    Sqlite(rusqlite::Error),
    /// It is refused, and wrote nothing (or is alone).
    Refused(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// A call in a queue.
pub(super) trait Task: Send + Sync {
    fn doing(&self) -> &'static str;
    fn may_be_lost(&self) -> bool;
    fn is_read(&self) -> bool;
    fn is_alone(&self) -> bool;
    fn copy(&self) -> Option<&Path>;
    /// Runs it. The answer is kept until it is told; [`Failure::Refused`] is one.
    fn run(&self, database: &Database<'_>) -> Result<Ran, rusqlite::Error>;
    /// Tells the caller: the kept answer, or this error in its place.
    fn tell(&self, error: Option<StoreError>);
}

/// True if what an operation wrote is to be kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ran {
    Well,
    Refused,
}

pub(super) struct Call<O: Operation> {
    operation: O,
    state: Mutex<State<O::Answer>>,
}

struct State<A> {
    answer: Option<Result<A, StoreError>>,
    is_told: bool,
    waker: Option<Waker>,
}

impl<O: Operation> Call<O> {
    pub(super) fn new(operation: O) -> Arc<Self> {
        let state = Mutex::new(State { answer: None, is_told: false, waker: None });
        Arc::new(Self { operation, state })
    }

    /// The answer, once it is told; until then `waker` is woken when it is.
    pub(super) fn poll(&self, waker: &Waker) -> Poll<Result<O::Answer, StoreError>> {
        let mut state = self.state();
        if state.is_told
            && let Some(answer) = state.answer.take()
        {
            return Poll::Ready(answer);
        }
        match &mut state.waker {
            Some(known) => known.clone_from(waker),
            known => *known = Some(waker.clone()),
        }
        Poll::Pending
    }

    fn state(&self) -> MutexGuard<'_, State<O::Answer>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<O: Operation> Task for Call<O> {
    fn doing(&self) -> &'static str {
        O::DOING
    }

    fn may_be_lost(&self) -> bool {
        self.operation.may_be_lost()
    }

    fn is_read(&self) -> bool {
        self.operation.is_read()
    }

    fn is_alone(&self) -> bool {
        self.operation.is_alone()
    }

    fn copy(&self) -> Option<&Path> {
        self.operation.copy()
    }

    fn run(&self, database: &Database<'_>) -> Result<Ran, rusqlite::Error> {
        let (answer, ran) = match self.operation.run(database) {
            Ok(answer) => (Ok(answer), Ran::Well),
            Err(Failure::Refused(error)) => (Err(error), Ran::Refused),
            Err(Failure::Sqlite(error)) => return Err(error),
        };
        self.state().answer = Some(answer);
        Ok(ran)
    }

    fn tell(&self, error: Option<StoreError>) {
        let mut state = self.state();
        if state.is_told {
            return;
        }
        state.is_told = true;
        if let Some(error) = error {
            state.answer = Some(Err(error));
        }
        let waker = state.waker.take();
        drop(state);
        // Not under the lock: what it wakes may run at once.
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// A call that was accepted. One that is dropped unanswered, since its thread died, tells that.
pub(super) struct Accepted(pub(super) Arc<dyn Task>);

impl std::ops::Deref for Accepted {
    type Target = dyn Task;
    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl Drop for Accepted {
    fn drop(&mut self) {
        self.0.tell(Some(StoreError::unknown("the store's thread ended before it answered")));
    }
}
