//! Several futures at work in the caller's task, side by side: no runtime, no spawn. A wake polls
//! only the future that was woken.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

pub(super) type Work<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Futures that are polled together; each has a place while it runs. Nothing is allocated before
/// the first one.
pub(super) struct Hands<'a, T> {
    places: Vec<Hand<'a, T>>,
    free: Vec<usize>,
    woken: Arc<Woken>,
}

struct Hand<'a, T> {
    work: Option<Work<'a, T>>,
    signal: Arc<Signal>,
    waker: Waker,
}

/// The places that were woken, in that order, and whom to wake for them.
#[derive(Default)]
struct Woken(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    places: VecDeque<usize>,
    caller: Option<Waker>,
}

struct Signal {
    place: usize,
    is_queued: AtomicBool,
    woken: Arc<Woken>,
}

impl Woken {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.is_queued.swap(true, Ordering::AcqRel) {
            return;
        }
        let caller = {
            let mut queue = self.woken.lock();
            queue.places.push_back(self.place);
            queue.caller.take()
        };
        if let Some(caller) = caller {
            caller.wake();
        }
    }
}

impl<'a, T> Hands<'a, T> {
    pub(super) fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new(), woken: Arc::default() }
    }

    /// Returns the number of those at work.
    pub(super) fn busy(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Begins one, and answers its place; it runs once the hands are polled.
    pub(super) fn begin(&mut self, work: Work<'a, T>) -> usize {
        let place = self.free.pop().unwrap_or_else(|| {
            let place = self.places.len();
            let signal =
                Arc::new(Signal { place, is_queued: AtomicBool::new(false), woken: Arc::clone(&self.woken) });
            let waker = Waker::from(Arc::clone(&signal));
            self.places.push(Hand { work: None, signal, waker });
            place
        });
        if let Some(hand) = self.places.get_mut(place) {
            hand.work = Some(work);
            hand.signal.wake_by_ref();
        }
        place
    }

    /// The next one that ends, with its place. Pending also when none is at work.
    ///
    /// One that wakes itself all the time keeps neither the others nor the caller's other futures
    /// waiting.
    pub(super) fn poll_ended(&mut self, context: &mut Context<'_>) -> Poll<(usize, T)> {
        let mut left = {
            let mut queue = self.woken.lock();
            queue.caller = None;
            queue.places.len()
        };
        loop {
            let place = {
                let mut queue = self.woken.lock();
                if left == 0 {
                    if queue.places.is_empty() {
                        queue.caller = Some(context.waker().clone());
                    } else {
                        context.waker().wake_by_ref();
                    }
                    return Poll::Pending;
                }
                queue.places.pop_front()
            };
            left -= 1;
            let Some((place, hand)) = place.and_then(|place| Some((place, self.places.get_mut(place)?)))
            else {
                continue;
            };
            hand.signal.is_queued.store(false, Ordering::Release);
            let Some(work) = &mut hand.work else { continue };
            if let Poll::Ready(output) = work.as_mut().poll(&mut Context::from_waker(&hand.waker)) {
                hand.work = None;
                self.free.push(place);
                return Poll::Ready((place, output));
            }
        }
    }

    /// Awaits something while the hands work; hears of each that ends meanwhile.
    pub(super) async fn beside<R>(
        &mut self,
        other: impl Future<Output = R>,
        mut ended: impl FnMut(usize, T),
    ) -> R {
        let mut other = pin!(other);
        poll_fn(|context| {
            while let Poll::Ready((place, output)) = self.poll_ended(context) {
                ended(place, output);
            }
            other.as_mut().poll(context)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// Counts how often it is polled; ends at the given poll, and wakes itself if told to.
    fn counted<'a>(polls: &'a AtomicUsize, last: usize, wakes: bool) -> Work<'a, usize> {
        Box::pin(poll_fn(move |context| {
            let count = polls.fetch_add(1, Ordering::SeqCst) + 1;
            if count == last {
                return Poll::Ready(count);
            }
            if wakes {
                context.waker().wake_by_ref();
            }
            Poll::Pending
        }))
    }

    #[test]
    fn a_wake_polls_only_the_future_that_was_woken() {
        let (idle, busy) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let mut hands = Hands::new();
        hands.begin(counted(&idle, 2, false));
        hands.begin(counted(&busy, 10, true));
        let mut context = Context::from_waker(Waker::noop());
        let ended = (0..20).find_map(|_| match hands.poll_ended(&mut context) {
            Poll::Ready(ended) => Some(ended),
            Poll::Pending => None,
        });
        assert_eq!(ended, Some((1, 10)));
        assert_eq!((idle.load(Ordering::SeqCst), hands.busy()), (1, 1));
    }

    #[test]
    fn a_place_that_came_free_is_used_again() {
        let polls: Vec<AtomicUsize> = (0..5).map(|_| AtomicUsize::new(0)).collect();
        let mut hands = Hands::new();
        for polled in &polls {
            hands.begin(counted(polled, 1, false));
            let ended = hands.poll_ended(&mut Context::from_waker(Waker::noop()));
            assert_eq!(ended, Poll::Ready((0, 1)));
        }
        assert_eq!((hands.places.len(), hands.busy()), (1, 0));
    }
}
