//! Conversations that are worked side by side by one loop or tick: how many are claimed, what is
//! waited for, and when those come that may be what ended a process (SEMANTICS S15, S16).

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::task::Poll;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::engine::Engine;
use crate::engine::deadline::{Boxed, Timer};
use crate::engine::hands::Hands;
use crate::engine::span::CallSpan;
use crate::error::Error;
use crate::kernel::{later, span};
use crate::observer::{BackgroundTask, Cause};
use crate::store::{ConversationStore, Due, Token};

/// For so long at most, where a timer is known, nothing else is begun while they are worked.
const SUSPECTS_TURN: Duration = Duration::from_secs(5);
/// For so long at most, where a timer is known, what was begun before is waited for: what takes
/// longer hangs.
const LAST_ONES: Duration = Duration::from_secs(2);
/// The time after which a hand that is free is used, where a timer is known: meanwhile others come
/// free, and one claim is for all of them.
const GATHERING: Duration = Duration::from_millis(10);
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
    pub(super) fn note(&self, now: DateTime<Utc>) {
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
    pub(super) over: Option<&'a AtomicBool>,
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
pub(super) struct Crew<'a, S> {
    engine: &'a Engine<S>,
    pub(super) shift: Shift<'a>,
    hands: Hands<'a, ()>,
    /// The span of a look for work by a loop: what it begins stays within it while it waits.
    span: Option<CallSpan>,
}

/// The outcome of a claim.
pub(super) struct Look {
    pub(super) claimed: usize,
    /// The place of the last one among the hands.
    place: Option<usize>,
    /// True if it got all that it asked for, so that more may be due.
    pub(super) is_full: bool,
    pub(super) next_due: Option<DateTime<Utc>>,
}

impl<'a, S: ConversationStore> Crew<'a, S> {
    pub(super) fn new(engine: &'a Engine<S>, shift: Shift<'a>) -> Self {
        Self { engine, shift, hands: Hands::new(), span: None }
    }

    /// Claims no more than there are free hands, and begins it.
    pub(super) async fn claim(&mut self, limit: usize) -> Result<Look, Error> {
        let free = self.engine.ports.options.width.saturating_sub(self.hands.busy());
        self.claim_some(free.min(limit), false).await
    }

    pub(super) async fn claim_some(&mut self, limit: usize, suspects: bool) -> Result<Look, Error> {
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
    pub(super) async fn work_suspects(&mut self, limit: usize) -> Result<usize, Error> {
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
    pub(super) async fn until_some_are_free(&mut self) {
        let width = self.engine.ports.options.width;
        let many = width - (width / 4).max(1);
        self.until(width - 1, None, None).await;
        if let Some(timer) = self.shift.timer.filter(|_| self.hands.busy() > many) {
            self.until(many, None, Some(&mut timer.sleep(GATHERING))).await;
        }
    }

    /// Waits until all that was begun has ended.
    pub(super) async fn finish(&mut self) {
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
    pub(super) async fn work_on(&mut self, timer: &dyn Timer, max_idle: Duration) {
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
