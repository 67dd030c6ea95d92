//! Work that time brings: deadlines, expiry, host calls, messages that are still to be sent,
//! retention. A missed tick costs latency only.

use std::convert::Infallible;
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::task::Poll;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::engine::Engine;
use crate::engine::deadline::{Boxed, Sleeper, Timer};
use crate::engine::hands::Hands;
use crate::engine::outcome::Ticked;
use crate::engine::span::CallSpan;
use crate::error::Error;
use crate::kernel::{later, span};
use crate::observer::{BackgroundTask, Cause, EventKind, Observer, PendingEvent};
use crate::store::{ConversationStore, Due, LeasedConversation, Loaded, Settle, Settled, Token};

/// Claims after which a conversation that makes no progress is set aside (SEMANTICS S9).
const MOST_CLAIMS: u32 = 10;
/// The pause before a conversation is looked at again that a newer release wrote, or that needs a
/// version which cannot be used here (SEMANTICS S14).
const NEWER_PAUSE: TimeDelta = TimeDelta::minutes(5);

/// For so long at most conversations whose last lease ended unsettled are left out while there is
/// other work.
const SUSPECTS_WAIT_MILLIS: i64 = 15_000;
/// For so long at most, where a timer is known, nothing else is begun while they are worked.
const SUSPECTS_TURN: Duration = Duration::from_secs(5);
/// For so long at most, where a timer is known, what was begun before is waited for: what takes
/// longer hangs.
const LAST_ONES: Duration = Duration::from_secs(2);
/// The time after which a hand that is free is used, where a timer is known: meanwhile others come
/// free, and one claim is for all of them.
const GATHERING: Duration = Duration::from_millis(10);
/// The longest that one send or call may take where a timer is known, whatever the lease.
pub(super) const LONGEST_SEND: Duration = Duration::from_secs(20);
/// The pause before a loop looks for new work after a conversation ended while others are being
/// worked.
const SECOND_LOOK: Duration = Duration::from_millis(250);
/// The shortest pause of a loop that found nothing to do.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

/// A pause in a process's work longer than this counts as if it had been off.
const GAP_MILLIS: i64 = 10 * 60 * 1_000;

/// Since when this process has been at work without a gap: what was due before then and is late is
/// late because nobody was there, what came due since is late because there was much to do
/// (SEMANTICS S15).
pub(super) struct AtWork {
    since: AtomicI64,
    last: AtomicI64,
}

impl Default for AtWork {
    fn default() -> Self {
        Self { since: AtomicI64::new(i64::MIN), last: AtomicI64::new(i64::MIN) }
    }
}

impl AtWork {
    /// Work is being done at this time.
    fn note(&self, now: DateTime<Utc>) {
        let now = now.timestamp_millis();
        let last = self.last.swap(now, Ordering::AcqRel);
        if last == i64::MIN || now.saturating_sub(last) > GAP_MILLIS {
            self.since.store(now, Ordering::Release);
        }
    }

    /// None: nobody is at work at this time.
    pub(super) fn since(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let last = self.last.load(Ordering::Acquire);
        if last == i64::MIN || now.timestamp_millis().saturating_sub(last) > GAP_MILLIS {
            return None;
        }
        DateTime::from_timestamp_millis(self.since.load(Ordering::Acquire))
    }
}

/// The timer and the end of a loop or a call, for all that it does under leases.
#[derive(Clone, Copy)]
pub(super) struct Shift<'a> {
    pub(super) timer: Option<&'a dyn Timer>,
    over: Option<&'a AtomicBool>,
}

impl<'a> Shift<'a> {
    /// Of a call that nobody stops.
    pub(super) fn of(timer: Option<&'a dyn Timer>) -> Self {
        Self { timer, over: None }
    }

    /// True if nothing new is to be begun.
    pub(super) fn is_over(&self) -> bool {
        self.over.is_some_and(|over| over.load(Ordering::Acquire))
    }
}

/// A lease under which something is done.
#[derive(Clone, Copy)]
pub(super) struct Tenure<'a> {
    pub(super) token: Token,
    pub(super) since: DateTime<Utc>,
    pub(super) shift: Shift<'a>,
}

/// Conversations that are worked side by side.
struct Crew<'a, S> {
    engine: &'a Engine<S>,
    shift: Shift<'a>,
    hands: Hands<'a, ()>,
    /// The span of a look for work by a loop: what it begins stays within it while it waits.
    span: Option<CallSpan>,
}

/// The outcome of a claim.
struct Look {
    claimed: usize,
    /// The place of the last one among the hands.
    place: Option<usize>,
    /// True if it got all that it asked for, so that more may be due.
    is_full: bool,
    next_due: Option<DateTime<Utc>>,
}

impl<'a, S: ConversationStore> Crew<'a, S> {
    fn new(engine: &'a Engine<S>, shift: Shift<'a>) -> Self {
        Self { engine, shift, hands: Hands::new(), span: None }
    }

    /// Claims no more than there are free hands, and begins it.
    async fn claim(&mut self, limit: usize) -> Result<Look, Error> {
        let free = self.engine.ports.options.width.saturating_sub(self.hands.busy());
        self.claim_some(free.min(limit), false).await
    }

    async fn claim_some(&mut self, limit: usize, suspects: bool) -> Result<Look, Error> {
        let (engine, shift) = (self.engine, self.shift);
        let now = self.hands.beside(engine.tick_time(), |_, ()| {}).await?;
        let token = engine.token(now);
        let due = Due { now, token, lease: engine.ports.options.lease, limit, suspects };
        let leased = self.hands.beside(engine.store.lease_due(&due), |_, ()| {}).await?;
        if let Some(skew) = engine.hear_time(now, leased.store_time, Cause::Tick) {
            self.hands.beside(engine.give_back(token, leased.conversations), |_, ()| {}).await;
            return Err(skew.into());
        }
        engine.ports.at_work.note(now);
        let claimed = leased.conversations.len();
        if suspects || (claimed < limit && leased.next_due.is_none_or(|next| next > now)) {
            engine.ports.suspects_at.store(now.timestamp_millis(), Ordering::Release);
        }
        let mut place = None;
        for conversation in leased.conversations {
            let tenure = Tenure { token, since: now, shift };
            let work = engine.work_one(tenure, conversation);
            place = Some(self.hands.begin(match self.span.clone() {
                Some(span) => Box::pin(span.over(work)),
                None => Box::pin(work),
            }));
        }
        Ok(Look { claimed, place, is_full: claimed > 0 && claimed == limit, next_due: leased.next_due })
    }

    /// Works conversations whose last lease ended unsettled, one after the other with nothing
    /// beside it, at most so many (SEMANTICS S16). Answers how many there were. Where a timer is
    /// known, what hangs is not waited for beyond a turn.
    async fn work_suspects(&mut self, limit: usize) -> Result<usize, Error> {
        let mut worked = 0;
        self.finish_within(LAST_ONES).await;
        let began = self.engine.now();
        let mut turn = self.shift.timer.map(|timer| timer.sleep(SUSPECTS_TURN));
        while worked < limit && !self.shift.is_over() {
            let Some(suspect) = self.claim_some(1, true).await?.place else { break };
            worked += 1;
            let is_turn_over = self.until(0, Some(suspect), turn.as_mut()).await;
            if is_turn_over || span(SUSPECTS_TURN) < self.engine.now() - began {
                break;
            }
        }
        Ok(worked)
    }

    /// True if a conversation whose last lease ended unsettled may be tried now.
    async fn has_suspects(&mut self) -> Result<bool, Error> {
        let next = self.claim_some(0, true).await?.next_due;
        Ok(next.is_some_and(|next| next <= self.engine.now()))
    }

    /// Waits until a good part of the hands is free; or a moment after one is, or at once where no
    /// timer is known, since all others may hang.
    async fn until_some_are_free(&mut self) {
        let width = self.engine.ports.options.width;
        let many = width - (width / 4).max(1);
        self.until(width - 1, None, None).await;
        if let Some(timer) = self.shift.timer.filter(|_| self.hands.busy() > many) {
            self.until(many, None, Some(&mut timer.sleep(GATHERING))).await;
        }
    }

    /// Waits until all that was begun has ended.
    async fn finish(&mut self) {
        self.until(0, None, None).await;
    }

    /// The same, for so long at most where a timer is known.
    async fn finish_within(&mut self, time: Duration) {
        let mut alarm = self.shift.timer.map(|timer| timer.sleep(time));
        self.until(0, None, alarm.as_mut()).await;
    }

    /// Waits until so many are busy at most, or the one at this place has ended. Answers true if
    /// the alarm came first.
    async fn until(
        &mut self,
        most: usize,
        awaited: Option<usize>,
        mut alarm: Option<&mut Boxed<'_, ()>>,
    ) -> bool {
        let engine = self.engine;
        let hands = &mut self.hands;
        poll_fn(|context| {
            let mut is_ended = false;
            while let Poll::Ready((place, ())) = hands.poll_ended(context) {
                engine.ports.at_work.note(engine.now());
                is_ended |= awaited == Some(place);
            }
            if is_ended || hands.busy() <= most {
                return Poll::Ready(false);
            }
            match &mut alarm {
                Some(alarm) => alarm.as_mut().poll(context).map(|()| true),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// Rests until it is time to look for work again: after so long, or as conversations end.
    async fn rest(&mut self, timer: &dyn Timer, idle: Duration) {
        let (engine, shift, hands) = (self.engine, self.shift, &mut self.hands);
        let mut alarm = timer.sleep(idle);
        let mut is_short = idle <= SECOND_LOOK;
        let pacer = engine.ports.pacer.as_deref();
        let in_a_while = |time| pacer.map(|pacer| (pacer, later(engine.now(), span(time))));
        let mut paced = in_a_while(idle);
        poll_fn(|context| {
            let mut has_ended = false;
            while hands.poll_ended(context).is_ready() {
                engine.ports.at_work.note(engine.now());
                has_ended = true;
            }
            if shift.is_over() || (has_ended && hands.busy() == 0) {
                return Poll::Ready(());
            }
            if has_ended && !is_short {
                is_short = true;
                alarm = timer.sleep(SECOND_LOOK);
                paced = in_a_while(SECOND_LOOK);
            }
            if let Some((pacer, wakes_at)) = &mut paced
                && let Some(sooner) = pacer.listen(*wakes_at, context.waker())
            {
                *wakes_at = sooner;
                let left = (sooner - engine.now()).to_std().unwrap_or_default();
                is_short |= left <= SECOND_LOOK;
                alarm = timer.sleep(left.max(SHORTEST_PAUSE));
            }
            alarm.as_mut().poll(context)
        })
        .await;
    }

    /// Works what is due until the shift is over; then ends what was begun.
    async fn work_on(&mut self, timer: &dyn Timer, max_idle: Duration) {
        while !self.shift.is_over() {
            let idle = match self.look_around().await {
                Ok(Some(look)) if look.is_full => {
                    self.until_some_are_free().await;
                    continue;
                }
                Ok(Some(Look { claimed, next_due: Some(due), .. })) => {
                    let left = (due - self.engine.now()).to_std().unwrap_or_default();
                    let shortest = match claimed {
                        _ if self.hands.busy() > 0 => self.engine.paced_look(left).unwrap_or(SECOND_LOOK),
                        0 => SHORTEST_PAUSE,
                        _ => Duration::ZERO,
                    };
                    left.max(shortest).min(max_idle)
                }
                Ok(None) => continue,
                Ok(Some(_)) | Err(_) => max_idle,
            };
            self.rest(timer, idle).await;
        }
        self.finish().await;
    }

    /// One look for work. None: there was some, and it is done.
    async fn look_around(&mut self) -> Result<Option<Look>, Error> {
        let span = CallSpan::tick();
        self.span = Some(span.clone());
        let looked = span.over(self.look_within()).await;
        self.span = None;
        looked
    }

    async fn look_within(&mut self) -> Result<Option<Look>, Error> {
        let engine = self.engine;
        let now = match self.hands.beside(engine.tick_time(), |_, ()| {}).await {
            Ok(now) => now,
            Err(error) => return Err(engine.note_failure(BackgroundTask::Claim, error)),
        };
        if let Some(pacer) = &engine.ports.pacer {
            pacer.look();
        }
        self.hands.beside(engine.keep_house(now), |_, ()| {}).await;
        let look = match self.claim(usize::MAX).await {
            Ok(look) => look,
            Err(error) => return Err(engine.note_failure(BackgroundTask::Claim, error)),
        };
        match self.look_at_suspects(&look, now).await {
            Ok(0) => Ok(Some(look)),
            Ok(_) => Ok(None),
            Err(error) => Err(engine.note_failure(BackgroundTask::Claim, error)),
        }
    }

    /// They come last; but after a while they come all the same.
    async fn look_at_suspects(&mut self, look: &Look, now: DateTime<Utc>) -> Result<usize, Error> {
        let is_overdue = look.next_due.is_some_and(|next| next <= now);
        let is_their_turn = self.hands.busy() == 0 && is_overdue;
        if is_their_turn {
            return self.work_suspects(1).await;
        }
        if self.engine.are_suspects_starved(now) && self.has_suspects().await? {
            return self.work_suspects(usize::MAX).await;
        }
        Ok(0)
    }
}

impl<S: ConversationStore> Engine<S> {
    /// Processes what is due without end, several conversations at once, and sleeps until
    /// something is due, at most `max_idle`: the loop that every host would write.
    /// [`run_until`](Self::run_until) stops it cleanly; dropping the future is safe too.
    ///
    /// `sleep` also bounds each send and each call ([SEMANTICS D5](crate::semantics#d5)). A store's
    /// failure goes to [`on_error`](crate::Builder::on_error) and to the observer, and waited
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
        if let Err(error) = self.store.flush().await {
            self.note_failure(BackgroundTask::Settle, error.into());
        }
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
    #[cfg_attr(
        feature = "tracing",
        tracing::instrument(name = "chatflow.tick", level = "debug", target = "chatflow", skip_all)
    )]
    pub async fn tick(&self, limit: usize) -> Result<Ticked, Error> {
        Box::pin(self.tick_whole(limit, Shift::of(self.ports.timer.as_deref()))).await
    }

    /// Like [`tick`](Self::tick), until `stop` is ready: then it claims and sends nothing new, ends
    /// the sends and calls that it has begun, settles what they came to, and returns
    /// ([SEMANTICS R1](crate::semantics#r1)). For hosts that are woken, and tick beside a loop.
    /// With a [`timer`](crate::Builder::timer) it returns after half of the lease in any case; what
    /// is unsettled then is worked again once its lease has ended.
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
        poll_fn(|context| {
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
        .await
    }

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
    fn are_suspects_starved(&self, now: DateTime<Utc>) -> bool {
        let (asked_at, now) = (&self.ports.suspects_at, now.timestamp_millis());
        let _ = asked_at.compare_exchange(i64::MIN, now, Ordering::AcqRel, Ordering::Acquire);
        now.saturating_sub(asked_at.load(Ordering::Acquire)) > SUSPECTS_WAIT_MILLIS
    }

    /// Does the upkeep, whose failure does not hold up the work.
    async fn keep_house(&self, now: DateTime<Utc>) {
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

    async fn work_one(&self, tenure: Tenure<'_>, claimed: LeasedConversation) {
        let LeasedConversation { workspace, stored, claims } = claimed;
        let contact = stored.contact.clone();
        let revision = stored.revision;
        let settled = stored.settled;
        let flows = self.ports.catalogues.of(&workspace);
        let outcome = if claims > MOST_CLAIMS {
            Err(Error::Quarantined(contact.clone()))
        } else {
            let loaded = Loaded { conversation: Some(stored), ..Loaded::default() };
            self.work_claimed(&workspace, &flows, tenure, &contact, loaded).await
        };
        let (due_at, quarantine) = match outcome {
            Err(Error::Quarantined(_)) => (None, true),
            Err(Error::NewerFormat { .. } | Error::VersionMissing { .. }) => {
                (Some(later(self.now(), NEWER_PAUSE)), false)
            }
            Err(Error::ClockSkew { .. }) => (Some(self.now()), false),
            Ok(()) => return,
            // Anything else is claimed again when the lease ends.
            Err(error) => {
                self.note_failure(BackgroundTask::Work, error);
                return;
            }
        };
        let settle = Settle {
            workspace: workspace.clone(),
            contact: contact.clone(),
            token: tenure.token,
            revision,
            settled,
            due_at,
            quarantine,
            now: self.now(),
        };
        match self.store.settle(&settle).await {
            Ok(Settled::Done) if quarantine => {
                self.tell_one(&workspace, &contact, Cause::Tick, |at| {
                    PendingEvent::new(at, EventKind::Quarantined)
                });
            }
            Ok(_) => {}
            Err(error) => {
                self.note_failure(BackgroundTask::Settle, error.into());
            }
        }
    }
}
