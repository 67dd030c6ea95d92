//! Bounds for the host's code: a deadline where a timer is known, and a fence around its panics.

use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

pub(super) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Tells when a time has passed.
pub(super) trait Timer: Send + Sync {
    /// Ends after so long.
    fn sleep(&self, time: Duration) -> Boxed<'_, ()>;
}

/// A timer from a runtime's function, such as `tokio::time::sleep`.
pub(super) struct Sleeper<F, R>(F, PhantomData<fn() -> R>);

impl<F, R> Sleeper<F, R>
where
    F: Fn(Duration) -> R + Send + Sync,
    R: Future<Output = ()> + Send,
{
    pub(super) fn new(sleep: F) -> Self {
        Self(sleep, PhantomData)
    }
}

impl<F, R> Timer for Sleeper<F, R>
where
    F: Fn(Duration) -> R + Send + Sync,
    R: Future<Output = ()> + Send,
{
    fn sleep(&self, time: Duration) -> Boxed<'_, ()> {
        Box::pin((self.0)(time))
    }
}

/// The way in which code of the host ended.
pub(super) enum HostOutcome<T> {
    Done(T),
    /// It did not end in time; it was dropped.
    Late,
    /// It panicked; nobody else notices.
    Panicked,
}

/// Runs the host's code, at most for so long where there is a timer (SEMANTICS D5). The timer is
/// asked only for what does not end at its first poll.
pub(super) async fn bounded<'a, T>(
    begin: impl FnOnce() -> Boxed<'a, T>,
    time: Duration,
    timer: Option<&dyn Timer>,
) -> HostOutcome<T> {
    let Ok(mut work) = catch_unwind(AssertUnwindSafe(begin)) else { return HostOutcome::Panicked };
    let mut alarm = None;
    poll_fn(move |context| {
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(Poll::Ready(done)) => return Poll::Ready(HostOutcome::Done(done)),
            Ok(Poll::Pending) => {}
            Err(_) => return Poll::Ready(HostOutcome::Panicked),
        }
        let Some(timer) = timer else { return Poll::Pending };
        let alarm = alarm.get_or_insert_with(|| timer.sleep(time));
        alarm.as_mut().poll(context).map(|()| HostOutcome::Late)
    })
    .await
}
