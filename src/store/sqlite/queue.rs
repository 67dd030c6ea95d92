//! How a call gets to a thread of the store and its answer back: a bounded queue, and a future that any executor can wait
//! for.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use crate::error::StoreError;
use crate::store::sqlite::database::Database;

/// What a call does on its thread. Run again if others that shared its transaction spoiled it, hence `&self`.
pub(super) trait Operation: Send + Sync + 'static {
    type Answer: Send + 'static;

    /// For errors: what the store was doing.
    const DOING: &'static str;

    /// What it writes may be lost with the power, though not with the process.
    fn may_be_lost(&self) -> bool {
        false
    }

    /// It shares its transaction with no other, and an error of its own rolls that back.
    fn is_alone(&self) -> bool {
        false
    }

    /// Writes nothing unless it is to be kept: what refuses is looked at first.
    fn run(&self, database: &Database<'_>) -> Result<Self::Answer, Failure>;
}

/// Why an operation has no answer.
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
    fn is_alone(&self) -> bool;
    /// Runs it. The answer is kept until it is told; [`Failure::Refused`] is one.
    fn run(&self, database: &Database<'_>) -> Result<Ran, rusqlite::Error>;
    /// Tells the caller: the kept answer, or this error in its place.
    fn tell(&self, error: Option<StoreError>);
}

/// Whether what an operation wrote is to be kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ran {
    Well,
    Refused,
}

struct Call<O: Operation> {
    operation: O,
    state: Mutex<State<O::Answer>>,
}

struct State<A> {
    answer: Option<Result<A, StoreError>>,
    is_told: bool,
    waker: Option<Waker>,
}

impl<O: Operation> Call<O> {
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

    fn is_alone(&self) -> bool {
        self.operation.is_alone()
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
pub(super) struct Accepted(Arc<dyn Task>);

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

/// Calls that wait for a thread.
pub(super) struct Queue {
    inner: Mutex<Inner>,
    has_work: Condvar,
    room: usize,
}

struct Inner {
    calls: VecDeque<Accepted>,
    is_closed: bool,
}

/// The most calls that share one transaction.
const MOST: usize = 1024;

impl Queue {
    pub(super) fn new(room: usize) -> Self {
        let inner = Inner { calls: VecDeque::new(), is_closed: false };
        Self { inner: Mutex::new(inner), has_work: Condvar::new(), room }
    }

    /// Has an operation done. It is queued when this is first polled, and then done whether or not anybody waits for it.
    pub(super) async fn ask<O: Operation>(&self, operation: O) -> Result<O::Answer, StoreError> {
        let state = State { answer: None, is_told: false, waker: None };
        let call = Arc::new(Call { operation, state: Mutex::new(state) });
        self.push(Accepted(Arc::clone(&call) as Arc<dyn Task>))?;
        answer_of(call).await
    }

    fn push(&self, call: Accepted) -> Result<(), StoreError> {
        let mut inner = self.lock();
        if inner.is_closed || inner.calls.len() >= self.room {
            let doing = call.doing();
            drop(inner);
            return Err(StoreError::transient(format!("{doing}: too many calls wait for the file")));
        }
        inner.calls.push_back(call);
        drop(inner);
        self.has_work.notify_one();
        Ok(())
    }

    /// Waits for a call without taking it. False: the queue is closed and empty.
    pub(super) fn wait(&self) -> bool {
        let mut inner = self.lock();
        while inner.calls.is_empty() && !inner.is_closed {
            inner = self.has_work.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        !inner.calls.is_empty()
    }

    /// Waits for calls, and takes those that may share a transaction, in order; no more than a part of them where
    /// `share` threads serve the queue. None: the queue is closed and empty.
    pub(super) fn take(&self, share: usize) -> Option<Vec<Accepted>> {
        let mut inner = self.lock();
        while inner.calls.is_empty() {
            if inner.is_closed {
                return None;
            }
            inner = self.has_work.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        let most = inner.calls.len().div_ceil(share).min(MOST);
        let alone = inner.calls.iter().take(most).position(|call| call.is_alone());
        let count = alone.unwrap_or(most).max(1);
        Some(inner.calls.drain(..count).collect())
    }

    /// Accepts no more; what was accepted is done.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.has_work.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answer_of<O: Operation>(call: Arc<Call<O>>) -> impl Future<Output = Result<O::Answer, StoreError>> + Send {
    poll_fn(move |context| {
        let mut state = call.state();
        if state.is_told
            && let Some(answer) = state.answer.take()
        {
            return Poll::Ready(answer);
        }
        match &mut state.waker {
            Some(waker) => waker.clone_from(context.waker()),
            waker => *waker = Some(context.waker().clone()),
        }
        Poll::Pending
    })
}
