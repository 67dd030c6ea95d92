//! Time that passes only when no task can run, and the tasks to be polled until then.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use chatflow::Clock;
use chatflow::testkit::ManualClock;
use chrono::{DateTime, TimeDelta, Utc};

type Timers = BTreeMap<(DateTime<Utc>, u64), Waker>;

/// A clock with timers. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Time {
    pub(super) clock: ManualClock,
    timers: Arc<Mutex<Timers>>,
    count: Arc<AtomicU64>,
}

impl Time {
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn timers<T>(&self, work: impl FnOnce(&mut Timers) -> T) -> T {
        work(&mut self.timers.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn sleep(&self, by: Duration) -> Sleep {
        let by = TimeDelta::from_std(by).unwrap_or(TimeDelta::days(1));
        let key = (self.now() + by, self.count.fetch_add(1, Ordering::Relaxed));
        Sleep { time: self.clone(), key }
    }

    pub(super) async fn millis(&self, millis: u64) {
        self.sleep(Duration::from_millis(millis)).await;
    }

    /// The instant of the next timer.
    pub(super) fn next(&self) -> Option<DateTime<Utc>> {
        self.timers(|timers| timers.keys().next().map(|(at, _)| *at))
    }

    /// Moves the clock on and wakes those who slept until then.
    pub(super) fn advance_to(&self, to: DateTime<Utc>) {
        self.clock.set(to.max(self.now()));
        let due = self.timers(|timers| {
            let later = timers.split_off(&(self.now() + TimeDelta::milliseconds(1), 0));
            std::mem::replace(timers, later)
        });
        due.into_values().for_each(Waker::wake);
    }
}

/// Ready at an instant.
pub(super) struct Sleep {
    time: Time,
    key: (DateTime<Utc>, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.time.now() >= self.key.0 {
            return Poll::Ready(());
        }
        self.time.timers(|timers| timers.insert(self.key, context.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.time.timers(|timers| timers.remove(&self.key));
    }
}

/// True if a task is to be polled.
#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A future with its own waker.
pub(super) struct Task<T> {
    flag: Arc<Flag>,
    future: Pin<Box<dyn Future<Output = T>>>,
}

impl<T> Task<T> {
    pub(super) fn new(future: impl Future<Output = T> + 'static) -> Self {
        Self { flag: Arc::new(Flag(AtomicBool::new(true))), future: Box::pin(future) }
    }

    pub(super) fn is_woken(&self) -> bool {
        self.flag.0.load(Ordering::Relaxed)
    }

    pub(super) fn poll(&mut self) -> Poll<T> {
        self.flag.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&self.flag));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }
}
