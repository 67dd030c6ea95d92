//! Work that time brings: deadlines, expiry, host calls, messages that are still to be sent,
//! retention. A missed tick costs latency only.

use std::convert::Infallible;
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::engine::Engine;
use crate::engine::crew::{Crew, Shift};
use crate::engine::deadline::{Sleeper, Timer};
use crate::engine::outcome::Ticked;
use crate::error::Error;
use crate::observer::{BackgroundTask, Observer};
use crate::store::ConversationStore;

/// For so long at most conversations whose last lease ended unsettled are left out while there is
/// other work.
const SUSPECTS_WAIT_MILLIS: i64 = 15_000;
/// The longest that one send or call may take where a timer is known, whatever the lease.
pub(super) const LONGEST_SEND: Duration = Duration::from_secs(20);

impl<S: ConversationStore> Engine<S> {
    /// Processes what is due without end, several conversations at once, and sleeps until
    /// something is due, at most `max_idle`: the loop that every host would write.
    /// [`run_until`](Self::run_until) stops it cleanly; dropping the future is safe too.
    ///
    /// `sleep` also bounds each send and each call ([SEMANTICS D5](crate::semantics#d5)). A store's
    /// failure goes to [`on_error`](crate::Builder::on_error) and to the observer, and is waited
    /// out for `max_idle`.
    ///
    /// ```
    /// # async fn example(bot: chatflow::Engine<chatflow::MemoryStore>) {
    /// # fn sleep(time: std::time::Duration) -> impl Future<Output = ()> { async {} }
    /// // with tokio: bot.run(Duration::from_secs(1), tokio::time::sleep).await
    /// bot.run(std::time::Duration::from_secs(1), sleep).await;
    /// # }
    /// ```
    pub async fn run<F, R>(&self, max_idle: Duration, sleep: F) -> Infallible
    where
        F: Fn(Duration) -> R + Send + Sync,
        R: Future<Output = ()> + Send,
    {
        self.run_until(pending::<Infallible>(), max_idle, sleep).await
    }

    /// Like [`run`](Self::run), until `stop` is ready: then it claims and sends nothing new, ends
    /// the sends and calls that it has begun, settles what they came to, and returns what `stop`
    /// answered ([SEMANTICS R1](crate::semantics#r1)). After half of the lease it returns in any
    /// case; what is unsettled then is worked again once its lease has ended.
    ///
    /// ```
    /// # async fn example(bot: chatflow::Engine<chatflow::MemoryStore>) {
    /// # fn sleep(time: std::time::Duration) -> impl Future<Output = ()> { async {} }
    /// # async fn ctrl_c() {}
    /// // with tokio: tokio::signal::ctrl_c(), tokio::time::sleep
    /// bot.run_until(ctrl_c(), std::time::Duration::from_secs(1), sleep).await;
    /// # }
    /// ```
    pub async fn run_until<T, F, R>(&self, stop: impl Future<Output = T>, max_idle: Duration, sleep: F) -> T
    where
        F: Fn(Duration) -> R + Send + Sync,
        R: Future<Output = ()> + Send,
    {
        let (sleeper, over) = (Sleeper::new(sleep), AtomicBool::new(false));
        let timer: &dyn Timer = &sleeper;
        let mut crew = Crew::new(self, Shift { timer: Some(timer), over: Some(&over) });
        let (mut stop, mut work) = (pin!(stop), Box::pin(crew.work_on(timer, max_idle)));
        let mut stopped = None;
        let answer = poll_fn(|context| {
            if stopped.is_none()
                && let Poll::Ready(answer) = stop.as_mut().poll(context)
            {
                over.store(true, Ordering::Release);
                stopped = Some((answer, timer.sleep(self.ports.options.lease / 2)));
            }
            let is_done = work.as_mut().poll(context).is_ready();
            let Some((answer, mut bound)) = stopped.take() else { return Poll::Pending };
            if is_done || bound.as_mut().poll(context).is_ready() {
                return Poll::Ready(answer);
            }
            stopped = Some((answer, bound));
            Poll::Pending
        })
        .await;
        self.flush().await;
        answer
    }

    /// Processes up to `limit` conversations that have something due, in all workspaces, several of
    /// them at once ([`Builder::width`](crate::Builder::width)): timers, TTL, host calls, messages
    /// to be sent again ([SEMANTICS S15](crate::semantics#s15)).
    ///
    /// Any number of processes may tick at once; each conversation is worked by one of them. One
    /// conversation's failure does not stop the others. With a [`timer`](crate::Builder::timer) a
    /// send or a call that does not end is given up after a third of the lease, at most 20 s, and
    /// tried again ([SEMANTICS D5](crate::semantics#d5)); without one the tick does all else, and
    /// returns only once it has ended.
    ///
    /// # Errors
    /// `ClockSkew` when the engine's clock is too far from the store's: nothing was done
    /// ([SEMANTICS S20](crate::semantics#s20)). `Store` when due conversations could not be
    /// claimed, or what is old not purged; what was claimed before is worked all the same.
    pub async fn tick(&self, limit: usize) -> Result<Ticked, Error> {
        Box::pin(self.tick_whole(limit, Shift::of(self.ports.timer.as_deref()))).await
    }

    /// Like [`tick`](Self::tick), until `stop` is ready: then it claims and sends nothing new, ends
    /// the sends and calls that it has begun, settles what they came to, and returns
    /// ([SEMANTICS R1](crate::semantics#r1)). For hosts that are woken, and tick beside a loop.
    /// With a [`timer`](crate::Builder::timer) it returns after half of the lease in any case, and
    /// then answers as if nothing was worked; what is unsettled then is worked again once its lease
    /// has ended.
    ///
    /// ```
    /// # async fn example(bot: chatflow::Engine<chatflow::MemoryStore>) -> Result<(), chatflow::Error> {
    /// # async fn ctrl_c() {}
    /// // with tokio: tokio::signal::ctrl_c()
    /// let ticked = bot.tick_until(ctrl_c(), 32).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`tick`](Self::tick).
    pub async fn tick_until(&self, stop: impl Future<Output = ()>, limit: usize) -> Result<Ticked, Error> {
        let (over, timer) = (AtomicBool::new(false), self.ports.timer.as_deref());
        let mut work = Box::pin(self.tick_whole(limit, Shift { timer, over: Some(&over) }));
        let (mut stop, mut bound) = (pin!(stop), None);
        let ticked = poll_fn(|context| {
            if !over.load(Ordering::Acquire) && stop.as_mut().poll(context).is_ready() {
                over.store(true, Ordering::Release);
                bound = timer.map(|timer| timer.sleep(self.ports.options.lease / 2));
            }
            if let Poll::Ready(ticked) = work.as_mut().poll(context) {
                return Poll::Ready(ticked);
            }
            match &mut bound {
                Some(bound) => bound.as_mut().poll(context).map(|()| Ok(Ticked::default())),
                None => Poll::Pending,
            }
        })
        .await;
        if over.load(Ordering::Acquire) {
            self.flush().await;
        }
        ticked
    }

    /// Has the store write what it has acknowledged.
    async fn flush(&self) {
        if let Err(error) = self.store.flush().await {
            self.note_failure(BackgroundTask::Settle, error.into());
        }
    }

    #[cfg_attr(
        feature = "tracing",
        tracing::instrument(name = "chatflow.tick", level = "debug", target = "chatflow", skip_all)
    )]
    async fn tick_whole(&self, limit: usize, shift: Shift<'_>) -> Result<Ticked, Error> {
        let now = self.tick_time().await.map_err(|error| self.note_failure(BackgroundTask::Claim, error))?;
        // What cannot be woken now is at the next tick; it must not keep the others from being
        // worked.
        if let Err(error) = self.wake_terminated(now).await {
            self.note_failure(BackgroundTask::Wake, error);
        }
        let mut crew = Crew::new(self, shift);
        let ticked = self.tick_with(&mut crew, limit).await;
        crew.finish().await;
        let (worked, mut next_due) =
            ticked.map_err(|error| self.note_failure(BackgroundTask::Claim, error))?;
        self.purge(now).await.map_err(|error| self.note_failure(BackgroundTask::Purge, error))?;
        if worked > 0 {
            let look = crew.claim_some(0, false).await;
            next_due = look.map_err(|error| self.note_failure(BackgroundTask::Claim, error))?.next_due;
        }
        Ok(Ticked { worked, next_due })
    }

    /// Answers how many were worked, and when something was due next at the last claim.
    async fn tick_with(
        &self,
        crew: &mut Crew<'_, S>,
        limit: usize,
    ) -> Result<(usize, Option<DateTime<Utc>>), Error> {
        let now = self.now();
        let is_starved = self.are_suspects_starved(now);
        // They have a part of it then, whatever else is due.
        let ordinary = if is_starved { limit - limit.div_ceil(4) } else { limit };
        let (mut worked, mut last) = (0, None);
        while !crew.shift.is_over() {
            let look = crew.claim(ordinary - worked).await?;
            worked += look.claimed;
            let is_last = !look.is_full || worked == ordinary;
            last = Some(look);
            if is_last {
                break;
            }
            crew.until_some_are_free().await;
        }
        let Some(last) = last.filter(|_| !crew.shift.is_over()) else { return Ok((worked, None)) };
        let is_overdue = last.next_due.is_some_and(|next| next <= self.now());
        if is_starved || (!last.is_full && is_overdue) {
            worked += crew.work_suspects(limit - worked).await?;
        }
        Ok((worked, last.next_due))
    }

    /// The time that one send or call may take where a timer is known (SEMANTICS D5).
    pub(super) fn send_time(&self) -> Duration {
        (self.ports.options.lease / 3).min(LONGEST_SEND)
    }

    /// True if conversations whose last lease ended unsettled have been left out for long.
    pub(super) fn are_suspects_starved(&self, now: DateTime<Utc>) -> bool {
        let (asked_at, now) = (&self.ports.suspects_at, now.timestamp_millis());
        let _ = asked_at.compare_exchange(i64::MIN, now, Ordering::AcqRel, Ordering::Acquire);
        now.saturating_sub(asked_at.load(Ordering::Acquire)) > SUSPECTS_WAIT_MILLIS
    }

    /// Does the upkeep, whose failure does not hold up the work.
    pub(super) async fn keep_house(&self, now: DateTime<Utc>) {
        if let Err(error) = self.wake_terminated(now).await {
            self.note_failure(BackgroundTask::Wake, error);
        }
        if let Err(error) = self.purge(now).await {
            self.note_failure(BackgroundTask::Purge, error);
        }
    }

    /// Tells of a failure in the background, and returns it.
    pub(super) fn note_failure(&self, doing: BackgroundTask, error: Error) -> Error {
        self.ports.observers.failed(doing, &error);
        if let Some(on_error) = &self.ports.on_error {
            on_error(doing, &error);
        }
        error
    }
}
