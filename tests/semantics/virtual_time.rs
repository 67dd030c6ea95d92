//! Time that passes as soon as nothing else can happen: an executor, and a timer for it.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use chatflow::Clock;
use chatflow::testkit::ManualClock;
use chrono::{DateTime, TimeDelta, Utc};

/// Clones share the time.
#[derive(Clone)]
pub(crate) struct VirtualTime {
    pub(crate) clock: ManualClock,
    alarms: Arc<Mutex<Alarms>>,
}

#[derive(Default)]
struct Alarms {
    count: u64,
    set: BTreeMap<(DateTime<Utc>, u64), Waker>,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl VirtualTime {
    pub(crate) fn new() -> Self {
        Self { clock: ManualClock::default(), alarms: Arc::default() }
    }

    /// Ends after so long; the time begins now.
    pub(crate) fn sleep(&self, time: Duration) -> impl Future<Output = ()> + Send + use<> {
        let this = self.clone();
        let until = self.clock.now() + TimeDelta::from_std(time).unwrap();
        let mut key = None;
        poll_fn(move |context| {
            let mut alarms = this.alarms.lock().unwrap();
            if this.clock.now() >= until {
                if let Some(key) = key.take() {
                    alarms.set.remove(&key);
                }
                return Poll::Ready(());
            }
            let count = alarms.count;
            let key = *key.get_or_insert((until, count));
            alarms.count += 1;
            alarms.set.insert(key, context.waker().clone());
            Poll::Pending
        })
    }

    pub(crate) fn timer(
        &self,
    ) -> impl Fn(Duration) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync + use<> {
        let this = self.clone();
        move |time| Box::pin(this.sleep(time))
    }

    /// Runs it to its end.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.run_for(TimeDelta::days(365), work).expect("it ends")
    }

    /// Runs it for so long at most, then drops it; None: it did not end.
    pub(crate) fn run_for<T>(&self, time: TimeDelta, work: impl Future<Output = T>) -> Option<T> {
        let end = self.clock.now() + time;
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(flag.clone());
        let mut work = pin!(work);
        loop {
            while flag.0.swap(false, Ordering::SeqCst) {
                if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return Some(done);
                }
            }
            let mut alarms = self.alarms.lock().unwrap();
            let (at, _) = *alarms.set.first_key_value()?.0;
            if at > end {
                alarms.set.clear();
                self.clock.set(end);
                return None;
            }
            self.clock.set(at.max(self.clock.now()));
            let later = alarms.set.split_off(&(self.clock.now() + TimeDelta::nanoseconds(1), 0));
            let woken = std::mem::replace(&mut alarms.set, later);
            drop(alarms);
            woken.into_values().for_each(Waker::wake);
        }
    }
}
