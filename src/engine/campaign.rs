//! Many triggers, some at a time, answered in order (SEMANTICS T8).

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::task::Poll;

use serde::Serialize;

use crate::engine::Engine;
use crate::engine::hands::Hands;
use crate::engine::outcome::Triggered;
use crate::engine::request::TriggerRequest;
use crate::error::Error;
use crate::id::MAX_BYTES;
use crate::store::ConversationStore;

type Outcome = Result<Triggered, Error>;

/// The outcomes of a campaign, in the order of its requests. Nothing goes on while nobody asks for the
/// [`next`](Self::next).
#[must_use]
pub struct Campaign<'a, S, R> {
    engine: &'a Engine<S>,
    width: usize,
    requests: R,
    hands: Hands<'a, Outcome>,
    /// Those that are running or not yet answered, in order.
    running: VecDeque<Slot>,
    progress: Progress,
}

enum Slot {
    /// At this place of the hands.
    Running(usize),
    Done(Outcome),
}

/// How far a campaign has come.
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
    /// Triggers each request, at most `width` at the same time, and answers in their order.
    ///
    /// A request with a [`campaign`](TriggerRequest::campaign) and without a `uuid` gets the key
    /// `CAMPAIGN:CONTACT`, the contact as given and both at most 255 bytes: a second run of the same campaign
    /// goes on where the first one stopped.
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
            hands: Hands::new(),
            running: VecDeque::new(),
            progress,
        }
    }
}

impl<S: ConversationStore, R: Iterator<Item = TriggerRequest>> Campaign<'_, S, R> {
    /// The next outcome; None when all are answered. Dropping the future loses nothing: ask again.
    pub async fn next(&mut self) -> Option<Result<Triggered, Error>> {
        while self.running.len() < self.width {
            let Some(request) = self.requests.next() else { break };
            self.running.push_back(match keyed(request) {
                Ok(request) => Slot::Running(self.hands.begin(Box::pin(self.engine.trigger(request)))),
                Err(error) => Slot::Done(Err(error)),
            });
        }
        let outcome = poll_fn(|context| {
            while let Poll::Ready((place, outcome)) = self.hands.poll_ended(context) {
                let is_its = |slot: &&mut Slot| matches!(slot, Slot::Running(at) if *at == place);
                if let Some(slot) = self.running.iter_mut().find(is_its) {
                    *slot = Slot::Done(outcome);
                }
            }
            match self.running.pop_front() {
                Some(Slot::Done(outcome)) => Poll::Ready(Some(outcome)),
                Some(running) => {
                    self.running.push_front(running);
                    Poll::Pending
                }
                None => Poll::Ready(None),
            }
        })
        .await?;
        self.progress.count(&outcome);
        Some(outcome)
    }

    /// How far it has come.
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

/// The request with a campaign's key, if it has none of its own. Names that are too long by themselves are told by the trigger.
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
