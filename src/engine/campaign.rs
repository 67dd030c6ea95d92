//! Many triggers, some at a time, answered in order (SEMANTICS T8).

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::engine::Engine;
use crate::engine::deadline::{Boxed, Timer};
use crate::engine::hands::Hands;
use crate::error::Error;
use crate::id::MAX_BYTES;
use crate::kernel::Triggered;
use crate::kernel::later;
use crate::request::TriggerRequest;
use crate::store::ConversationStore;

type Outcome = Result<Triggered, Error>;

/// The most starts a second that can be asked for.
const MOST_STARTS: u32 = 1_000_000;
/// The most outcomes for each hand that are kept or in the making, because an earlier one is not
/// known yet.
const KEPT_FOR_EACH: usize = 64;
/// A start that comes this late, or by its distance, is made up for by a shorter pause; one that is
/// later is not.
const SLACK: TimeDelta = TimeDelta::milliseconds(10);

/// The outcomes of a campaign, in the order of its requests. No session starts until somebody asks
/// for the [`next`](Self::next).
#[must_use]
pub struct Campaign<'a, S, R> {
    engine: &'a Engine<S>,
    width: usize,
    requests: R,
    /// The next request, if it waits for its start.
    ahead: Option<TriggerRequest>,
    /// None: starts are not paced.
    starts: Option<Starts<'a>>,
    hands: Hands<'a, Outcome>,
    /// Those that are running or not yet answered, in order.
    running: VecDeque<CampaignSlot>,
    progress: Progress,
}

enum CampaignSlot {
    /// At this place of the hands.
    Running(usize),
    Done(Outcome),
}

/// Progress of a campaign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Progress {
    /// Outcomes that were answered.
    pub done: u64,
    /// Sessions that were started, by this run or an earlier one.
    pub started: u64,
    /// Of all outcomes, those that an earlier run had recorded.
    pub replayed: u64,
    /// Contacts that were in the flow already.
    pub already_running: u64,
    /// Triggers that were refused.
    pub refused: u64,
    /// Triggers whose discard time had passed.
    pub discarded: u64,
    /// Triggers that failed.
    pub failed: u64,
}

impl<S> fmt::Debug for Campaign<'_, S, ()> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Campaign").field("progress", &self.progress).finish_non_exhaustive()
    }
}

impl<S: ConversationStore> Engine<S> {
    /// Triggers each request, at most `width` at the same time, and answers in their order: behind
    /// one that hangs others are done, and up to `64 * width` outcomes wait for it
    /// ([SEMANTICS T8](crate::semantics#t8)).
    ///
    /// A request with a [`campaign`](TriggerRequest::campaign) and without a `uuid` gets the key
    /// `CAMPAIGN:CONTACT`, the contact as given and both at most 255 bytes: a second run of the
    /// same campaign continues where the first one stopped.
    ///
    /// ```
    /// # use chatflow::{Engine, MemoryStore, TriggerRequest};
    /// # async fn example(shop: Engine<MemoryStore>, phones: Vec<String>) -> Result<(), chatflow::Error> {
    /// let requests = phones.iter().map(|phone| TriggerRequest::new("spring").phone(phone).campaign("spring-2026"));
    /// let mut campaign = shop.trigger_many(8, requests);
    /// while let Some(outcome) = campaign.next().await {
    ///     println!("{} done: {outcome:?}", campaign.progress().done);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn trigger_many<R>(&self, width: usize, requests: R) -> Campaign<'_, S, R::IntoIter>
    where
        R: IntoIterator<Item = TriggerRequest>,
    {
        let progress = Progress::default();
        Campaign {
            engine: self,
            width: width.max(1),
            requests: requests.into_iter(),
            ahead: None,
            starts: None,
            hands: Hands::new(),
            running: VecDeque::new(),
            progress,
        }
    }
}

/// Starts at even distances.
struct Starts<'a> {
    timer: &'a dyn Timer,
    distance: TimeDelta,
    /// When the next one is due; None before the first.
    next: Option<DateTime<Utc>>,
    alarm: Option<Boxed<'a, ()>>,
}

impl Starts<'_> {
    /// Ready when one may start; it is counted then.
    fn poll_next(&mut self, now: DateTime<Utc>, context: &mut Context<'_>) -> Poll<()> {
        let next = self.next.unwrap_or(now);
        if now < next {
            // Up to the next millisecond; never longer than one distance, should the clock have
            // been set back.
            let left = (next - now).min(self.distance).to_std().unwrap_or_default();
            let whole = Duration::from_millis(u64::try_from(left.as_micros().div_ceil(1_000)).unwrap_or(0));
            let timer = self.timer;
            let alarm = self.alarm.get_or_insert_with(|| timer.sleep(whole));
            if alarm.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
        self.alarm = None;
        let is_on_time = (now - next).abs() <= self.distance.max(SLACK);
        self.next = Some(later(if is_on_time { next } else { now }, self.distance));
        Poll::Ready(())
    }
}

impl<'a, S, R> Campaign<'a, S, R> {
    /// Starts at most so many sessions a second, evenly spaced: one every 1/`starts` seconds, as
    /// exactly as the timer tells the time ([SEMANTICS T8](crate::semantics#t8)). A campaign that
    /// falls behind, because nobody asks for the [`next`](Self::next) or all of its `width` is
    /// busy, does not catch up. To bound what leaves, from every source, give the engine a
    /// [`pace`](crate::Builder::pace).
    ///
    /// # Errors
    /// `InvalidInput` of `per_second`: not 1 to 1,000,000 starts, or the engine has no
    /// [`timer`](crate::Builder::timer).
    ///
    /// ```
    /// # use chatflow::{Engine, MemoryStore, TriggerRequest};
    /// # use std::time::Duration;
    /// # fn sleep(time: Duration) -> impl Future<Output = ()> { async {} }
    /// # async fn example(phones: Vec<String>) -> Result<(), chatflow::Error> {
    /// let shop = Engine::builder(MemoryStore::new()).timer(sleep).build(); // such as `tokio::time::sleep`
    /// let requests = phones.iter().map(|phone| TriggerRequest::new("spring").phone(phone).campaign("spring-2026"));
    /// let mut campaign = shop.trigger_many(8, requests).per_second(20)?;
    /// while let Some(outcome) = campaign.next().await {
    ///     println!("{outcome:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn per_second(self, starts: u32) -> Result<Self, Error> {
        if !(1..=MOST_STARTS).contains(&starts) {
            return Err(Error::invalid("per_second", "must be 1 to 1,000,000 starts"));
        }
        let Some(timer) = self.engine.ports.timer.as_deref() else {
            let rule = "needs an engine with a timer: `Builder::timer` sets one";
            return Err(Error::invalid("per_second", rule));
        };
        let distance = TimeDelta::nanoseconds(i64::from(1_000_000_000_u32.div_ceil(starts)));
        Ok(Self { starts: Some(Starts { timer, distance, next: None, alarm: None }), ..self })
    }
}

impl<S: ConversationStore, R: Iterator<Item = TriggerRequest>> Campaign<'_, S, R> {
    /// Returns the next outcome; None when all are answered. Dropping the future loses nothing: ask
    /// again.
    pub async fn next(&mut self) -> Option<Result<Triggered, Error>> {
        let outcome = poll_fn(|context| {
            self.begin(context);
            while let Poll::Ready((place, outcome)) = self.hands.poll_ended(context) {
                let is_its =
                    |slot: &&mut CampaignSlot| matches!(slot, CampaignSlot::Running(at) if *at == place);
                if let Some(slot) = self.running.iter_mut().find(is_its) {
                    *slot = CampaignSlot::Done(outcome);
                }
                // While the next outcome is not known, its hand alone is busy with it.
                if matches!(self.running.front(), Some(CampaignSlot::Running(_))) {
                    self.begin(context);
                }
            }
            match self.running.pop_front() {
                Some(CampaignSlot::Done(outcome)) => Poll::Ready(Some(outcome)),
                Some(running) => {
                    self.running.push_front(running);
                    Poll::Pending
                }
                None if self.ahead.is_some() => Poll::Pending,
                None => Poll::Ready(None),
            }
        })
        .await?;
        self.progress.count(&outcome);
        Some(outcome)
    }

    /// Begins as many as may be.
    fn begin(&mut self, context: &mut Context<'_>) {
        let most = self.width.saturating_mul(KEPT_FOR_EACH);
        while self.hands.busy() < self.width && self.running.len() < most {
            self.ahead = self.ahead.take().or_else(|| self.requests.next());
            if self.ahead.is_none() {
                return;
            }
            if let Some(starts) = &mut self.starts
                && starts.poll_next(self.engine.now(), context).is_pending()
            {
                return;
            }
            let Some(request) = self.ahead.take() else { return };
            self.running.push_back(match keyed(request) {
                Ok(request) => {
                    CampaignSlot::Running(self.hands.begin(Box::pin(self.engine.trigger(request))))
                }
                Err(error) => CampaignSlot::Done(Err(error)),
            });
        }
    }

    /// Returns its progress so far.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress
    }
}

impl Progress {
    fn count(&mut self, outcome: &Result<Triggered, Error>) {
        self.done += 1;
        let session = outcome.as_ref().ok().and_then(Triggered::session);
        self.replayed += u64::from(session.is_some_and(|session| session.replayed));
        *match outcome {
            Ok(Triggered::Started(_)) => &mut self.started,
            Ok(Triggered::AlreadyRunning(_)) => &mut self.already_running,
            Ok(Triggered::Discarded) => &mut self.discarded,
            Ok(Triggered::Refused(_)) => &mut self.refused,
            Err(_) => &mut self.failed,
        } += 1;
    }
}

/// The request with a campaign's key, if it has none of its own. Names that are too long by
/// themselves are told by the trigger.
fn keyed(request: TriggerRequest) -> Result<TriggerRequest, Error> {
    let (None, Some(campaign), Some(contact)) =
        (&request.uuid, &request.campaign, request.contact_as_given())
    else {
        return Ok(request);
    };
    let key = format!("{campaign}:{contact}");
    if key.len() > MAX_BYTES && campaign.len() <= MAX_BYTES && contact.len() <= MAX_BYTES {
        let rule =
            format!("and the contact must have at most {} bytes together: they are the key", MAX_BYTES - 1);
        return Err(Error::invalid("campaign", rule));
    }
    Ok(request.uuid(key))
}
