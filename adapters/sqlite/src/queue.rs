//! The way of a call to a thread of the store, and of its answer back: a bounded queue, and a
//! future that any executor can wait for. Calls that find the queue full wait outside it, in order
//! of arrival, each for a bounded time.

use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use chatflow::clock::{Clock, SystemClock};
use chatflow::error::StoreError;

pub(super) use crate::call::{Accepted, Failure, Operation, Ran};

use crate::call::{Call, Task};

/// Calls that wait for a thread.
pub(super) struct Queue {
    inner: Mutex<Inner>,
    has_work: Condvar,
    /// Tells the thread that watches the calls outside that the queue is closed.
    is_closing: Condvar,
    room: usize,
    /// Time that a call waits for room.
    patience: Duration,
    /// Number of calls that wait, for a thread that looks without the lock.
    waiting: AtomicUsize,
    /// Number of callers that wait for an answer.
    asking: AtomicUsize,
    /// True if its thread lets callers run before it takes what they ask.
    is_eager: bool,
}

struct Inner {
    calls: VecDeque<Accepted>,
    /// Calls that found no room, by their number in order of arrival. None of them waits while
    /// there is room.
    outside: BTreeMap<u64, Outside>,
    /// The number of the next call that finds no room.
    next: u64,
    /// A thread sees to it that no call waits outside for too long.
    is_watched: bool,
    is_closed: bool,
    /// Threads that sleep until there is work.
    asleep: usize,
    /// A thread is at work, or unable to.
    is_busy: bool,
}

/// A call that waits for room.
struct Outside {
    call: Accepted,
    /// When it is given up, by [`Clock::elapsed`].
    until: Duration,
}

/// The most calls that share one transaction.
const MOST: usize = 1024;

/// Number of times that the thread lets others run who are about to ask, before it begins a
/// transaction.
const TURNS: usize = 16;

impl Queue {
    pub(super) fn new(room: usize, patience: Duration) -> Self {
        let inner = Inner {
            calls: VecDeque::new(),
            outside: BTreeMap::new(),
            next: 0,
            is_watched: false,
            is_closed: false,
            asleep: 0,
            is_busy: false,
        };
        Self {
            inner: Mutex::new(inner),
            has_work: Condvar::new(),
            is_closing: Condvar::new(),
            room,
            patience,
            waiting: AtomicUsize::new(0),
            asking: AtomicUsize::new(0),
            is_eager: false,
        }
    }

    /// The same, for one thread that does more at a time for less.
    pub(super) fn eager(room: usize, patience: Duration) -> Self {
        Self { is_eager: true, ..Self::new(room, patience) }
    }

    /// Has an operation done. It is queued when this is first polled, and then done whether or not
    /// anybody waits for it. While the queue is full it waits outside; it leaves when nobody waits
    /// for it any more, or no room comes in time.
    pub(super) async fn ask<O: Operation>(self: &Arc<Self>, operation: O) -> Result<O::Answer, StoreError> {
        let call = Call::new(operation);
        let place = self.push(Accepted(Arc::clone(&call) as Arc<dyn Task>))?;
        self.answer(call, place).await
    }

    /// The same, by this queue's thread if it has nothing to do, else by those of `other`.
    pub(super) async fn ask_idle_or<O: Operation>(
        self: &Arc<Self>,
        other: &Arc<Self>,
        operation: O,
    ) -> Result<O::Answer, StoreError> {
        let call = Call::new(operation);
        let accepted = Accepted(Arc::clone(&call) as Arc<dyn Task>);
        match self.push_if_idle(accepted) {
            None => self.answer(call, None).await,
            Some(accepted) => {
                let place = other.push(accepted)?;
                other.answer(call, place).await
            }
        }
    }

    /// Answers the number of a call that has to wait outside.
    fn push(self: &Arc<Self>, call: Accepted) -> Result<Option<u64>, StoreError> {
        let inner = self.lock();
        if inner.is_closed {
            let doing = call.doing();
            drop(inner);
            return Err(StoreError::transient(format!("{doing}: the store is closed")));
        }
        if inner.calls.len() >= self.room {
            return Ok(Some(self.push_outside(inner, call)));
        }
        self.push_to(inner, call);
        Ok(None)
    }

    fn push_outside(self: &Arc<Self>, mut inner: MutexGuard<'_, Inner>, call: Accepted) -> u64 {
        let number = inner.next;
        inner.next += 1;
        let until = SystemClock.elapsed().saturating_add(self.patience);
        inner.outside.insert(number, Outside { call, until });
        let is_watched = std::mem::replace(&mut inner.is_watched, true);
        drop(inner);
        if !is_watched {
            let queue = Arc::clone(self);
            let watcher = thread::Builder::new().name("chatflow-patience".to_owned());
            // Without it they are given up as others are let in, perhaps late.
            if watcher.spawn(move || queue.watch()).is_err() {
                self.lock().is_watched = false;
            }
        }
        number
    }

    /// Gives calls up that have waited outside for too long, until none is there.
    fn watch(&self) {
        let mut inner = self.lock();
        loop {
            let late = self.let_in(&mut inner);
            if !late.is_empty() {
                drop(inner);
                give_up(late);
                inner = self.lock();
                continue;
            }
            let Some(first) = inner.outside.first_entry() else { break };
            let left = first.get().until.saturating_sub(SystemClock.elapsed());
            let waited = self.is_closing.wait_timeout(inner, left);
            (inner, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        inner.is_watched = false;
    }

    /// Lets calls in that wait outside, as far as there is room. Answers those that have waited for
    /// too long.
    fn let_in(&self, inner: &mut Inner) -> Vec<Accepted> {
        let now = SystemClock.elapsed();
        let mut late = Vec::new();
        while let Some(first) = inner.outside.first_entry() {
            if first.get().until <= now {
                late.push(first.remove().call);
            } else if inner.calls.len() < self.room {
                inner.calls.push_back(first.remove().call);
            } else {
                break;
            }
        }
        late
    }

    /// A call that waits outside goes; one that was let in is done.
    fn leave(&self, number: u64) {
        let left = self.lock().outside.remove(&number);
        // Not under the lock: with it goes what it was to write.
        drop(left);
    }

    /// Waits for a call without taking it, on a thread that has no connection. False: the queue is
    /// closed and empty.
    pub(super) fn wait(&self) -> bool {
        let mut inner = self.lock();
        inner.is_busy = true;
        while inner.calls.is_empty() && !inner.is_closed {
            inner.asleep += 1;
            inner = self.has_work.wait(inner).unwrap_or_else(PoisonError::into_inner);
            inner.asleep -= 1;
        }
        !inner.calls.is_empty()
    }

    /// The call comes back if a thread is at work.
    fn push_if_idle(&self, call: Accepted) -> Option<Accepted> {
        let inner = self.lock();
        if inner.is_closed || inner.is_busy || !inner.calls.is_empty() {
            return Some(call);
        }
        self.push_to(inner, call);
        None
    }

    fn push_to(&self, mut inner: MutexGuard<'_, Inner>, call: Accepted) {
        inner.calls.push_back(call);
        self.waiting.store(inner.calls.len(), Ordering::Release);
        let is_asleep = inner.asleep > 0;
        drop(inner);
        // Telling nobody is a system call too.
        if is_asleep {
            self.has_work.notify_one();
        }
    }

    /// Waits for calls, and takes those that may share a transaction, in order; no more than a part
    /// of them where `share` threads serve the queue. None: the queue is closed and empty. A thread
    /// that `is_able` gets calls that another queue could have too.
    pub(super) fn take(&self, share: usize, is_able: bool) -> Option<Vec<Accepted>> {
        let mut inner = self.lock();
        inner.is_busy = !is_able;
        while inner.calls.is_empty() {
            if inner.is_closed {
                return None;
            }
            inner.asleep += 1;
            inner = self.has_work.wait(inner).unwrap_or_else(PoisonError::into_inner);
            inner.asleep -= 1;
        }
        inner.is_busy = true;
        if self.is_eager && self.asking.load(Ordering::Relaxed) > 1 {
            drop(inner);
            self.gather();
            inner = self.lock();
        }
        Some(self.drain(inner, share))
    }

    /// The same, without waiting: None if no call waits, of a thread that has something else to do.
    pub(super) fn take_now(&self) -> Option<Vec<Accepted>> {
        let mut inner = self.lock();
        inner.is_busy = true;
        if inner.calls.is_empty() { None } else { Some(self.drain(inner, 1)) }
    }

    fn drain(&self, mut inner: MutexGuard<'_, Inner>, share: usize) -> Vec<Accepted> {
        let most = inner.calls.len().div_ceil(share).min(MOST);
        let is_read = inner.calls.front().is_some_and(|call| call.is_read());
        let apart = |call: &Accepted| call.is_alone() || call.is_read() != is_read;
        let count = inner.calls.iter().take(most).position(apart).unwrap_or(most).max(1);
        let calls = inner.calls.drain(..count).collect();
        let late = if inner.outside.is_empty() { Vec::new() } else { self.let_in(&mut inner) };
        self.waiting.store(inner.calls.len(), Ordering::Release);
        drop(inner);
        give_up(late);
        calls
    }

    /// Said by a thread that has done what it took, before it answers: who is answered may ask
    /// again at once.
    pub(super) fn rest(&self) {
        self.lock().is_busy = false;
    }

    /// Lets callers run who were just answered, as long as they ask again: what they ask shares the
    /// transaction. Where no caller is about to run it takes no time.
    fn gather(&self) {
        let mut waiting = self.waiting.load(Ordering::Acquire);
        for _ in 0..TURNS {
            thread::yield_now();
            let now = self.waiting.load(Ordering::Acquire);
            if now == waiting {
                return;
            }
            waiting = now;
        }
    }

    /// Accepts no more; what was accepted is done.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.has_work.notify_all();
        self.is_closing.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer<O: Operation>(
        &self,
        call: Arc<Call<O>>,
        place: Option<u64>,
    ) -> impl Future<Output = Result<O::Answer, StoreError>> + Send {
        let asking = Asking::of(self, place);
        poll_fn(move |context| {
            let _counted = &asking;
            call.poll(context.waker())
        })
    }
}

/// Tells calls that no room came in time. Not under the lock: whom it wakes may run at once, and
/// may panic.
fn give_up(late: Vec<Accepted>) {
    for call in late {
        let error = StoreError::transient(format!("{}: too many calls wait for the file", call.doing()));
        let _ = catch_unwind(AssertUnwindSafe(|| call.tell(Some(error))));
    }
}

/// A caller that waits, counted as long as it does.
struct Asking<'q> {
    queue: &'q Queue,
    /// Its number, if it had to wait outside.
    place: Option<u64>,
}

impl<'q> Asking<'q> {
    fn of(queue: &'q Queue, place: Option<u64>) -> Self {
        queue.asking.fetch_add(1, Ordering::Relaxed);
        Self { queue, place }
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.queue.asking.fetch_sub(1, Ordering::Relaxed);
        if let Some(number) = self.place {
            self.queue.leave(number);
        }
    }
}
