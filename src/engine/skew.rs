//! The store's clock beside the engine's. Where the two are far apart, nothing is done that time
//! alone causes, and calls go by the store's (SEMANTICS S20).

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::engine::Engine;
use crate::error::{Error, StoreError, StoreErrorKind};
use crate::id::WorkspaceId;
use crate::kernel::{Skew, later, span};
use crate::observer::{BackgroundTask, Cause, EventKind, PendingEvent};
use crate::store::{ConversationStore, LeasedConversation, Loaded, Lookup, Settle, Settled, Subject, Token};

/// For so long by the engine's clock it is trusted after the store agreed with it.
const TRUSTED_MILLIS: i64 = 60_000;
/// By so much the engine's clock may go back meanwhile: calls at the same time hear of it in any
/// order.
const SLACK_MILLIS: i64 = 1_000;
/// Number of attempts to give back a conversation that others change at the same time.
const GIVING_BACK_ATTEMPTS: u32 = 3;

/// The time that the store's clock showed when it was last told. All in milliseconds.
pub(super) struct StoreClock {
    /// The correction from the engine's time to the store's; 0 while they are close enough.
    correction: AtomicI64,
    /// Between these two instants of the engine's clock it is trusted without asking.
    trusted_from: AtomicI64,
    trusted_until: AtomicI64,
}

impl Default for StoreClock {
    /// Nothing is known yet.
    fn default() -> Self {
        Self {
            correction: AtomicI64::new(0),
            trusted_from: AtomicI64::new(i64::MAX),
            trusted_until: AtomicI64::new(i64::MIN),
        }
    }
}

impl StoreClock {
    /// True if the engine's clock, which shows this, cannot be far ahead of the store's.
    fn trusts(&self, now: DateTime<Utc>) -> bool {
        let now = now.timestamp_millis();
        self.trusted_from.load(Ordering::Relaxed) <= now && now <= self.trusted_until.load(Ordering::Relaxed)
    }

    /// Returns the correction from the engine's time to the store's; 0 while they are close enough.
    fn correction(&self) -> i64 {
        self.correction.load(Ordering::Relaxed)
    }

    fn trust(&self, from: i64, until: i64) {
        self.correction.store(0, Ordering::Relaxed);
        self.trusted_from.store(from, Ordering::Relaxed);
        self.trusted_until.store(until, Ordering::Relaxed);
    }

    /// Takes note of what the store told between two readings of the engine's clock; `most` is what
    /// they may differ by.
    fn hear(
        &self,
        told: DateTime<Utc>,
        (before, after): (DateTime<Utc>, DateTime<Utc>),
        most: i64,
    ) -> Option<Skew> {
        let (store, from, until) =
            (told.timestamp_millis(), before.timestamp_millis(), after.timestamp_millis());
        if from.saturating_sub(store) > most || store.saturating_sub(until) > most {
            self.trusted_until.store(i64::MIN, Ordering::Relaxed);
            self.correction.store(store.saturating_sub(until), Ordering::Relaxed);
            return Some(Skew { engine: after, store: told });
        }
        let ahead = until.saturating_sub(store).max(0);
        let left = most.saturating_sub(ahead).min(TRUSTED_MILLIS);
        self.trust(until.saturating_sub(SLACK_MILLIS), until.saturating_add(left));
        None
    }
}

impl<S> Engine<S> {
    /// The time: that of the engine's clock, or of the store's where they are far apart.
    pub(super) fn now(&self) -> DateTime<Utc> {
        let now = self.clock_now();
        match self.ports.store_clock.correction() {
            0 => now,
            millis => later(now, TimeDelta::milliseconds(millis)),
        }
    }

    /// The two clocks, if the engine's is known to be far behind: then nobody knows whether what is
    /// due by the store's is.
    pub(super) fn behind(&self, now: DateTime<Utc>) -> Option<Skew> {
        let millis = self.ports.store_clock.correction();
        (millis > 0).then(|| Skew { engine: later(now, TimeDelta::milliseconds(-millis)), store: now })
    }
}

impl<S: ConversationStore> Engine<S> {
    /// The time that a call goes by, if the store agreed with the engine's clock a moment ago.
    pub(super) fn trusted_time(&self) -> Option<DateTime<Utc>> {
        let now = self.clock_now();
        self.ports.store_clock.trusts(now).then_some(now)
    }

    /// The time that a call goes by. The store is asked for it unless it agreed with the engine's
    /// clock a moment ago.
    pub(super) async fn time(&self, cause: Cause) -> Result<DateTime<Utc>, Error> {
        let now = self.clock_now();
        if self.ports.store_clock.trusts(now) {
            return Ok(now);
        }
        Box::pin(self.ask_time(cause)).await.map(|_| self.now())
    }

    /// The same for what time alone causes: an error if the two clocks are far apart.
    pub(super) async fn tick_time(&self) -> Result<DateTime<Utc>, Error> {
        let now = self.clock_now();
        if self.ports.store_clock.trusts(now) {
            return Ok(now);
        }
        match Box::pin(self.ask_time(Cause::Tick)).await? {
            Some(skew) => Err(skew.into()),
            None => Ok(self.now()),
        }
    }

    async fn ask_time(&self, cause: Cause) -> Result<Option<Skew>, Error> {
        let before = self.clock_now();
        let told = self.store.time().await.map_err(|error| match error.kind() {
            // Nothing was to be done.
            StoreErrorKind::Unknown => StoreError::transient(error),
            _ => error,
        })?;
        if told.is_none() {
            self.ports.store_clock.trust(i64::MIN, i64::MAX);
        }
        Ok(self.hear_time(before, told, cause))
    }

    /// Takes note of what the store tells, which was asked at this time of the engine's clock.
    pub(super) fn hear_time(
        &self,
        asked_at: DateTime<Utc>,
        told: Option<DateTime<Utc>>,
        cause: Cause,
    ) -> Option<Skew> {
        let most = span(self.ports.options.max_skew).num_milliseconds();
        let skew = self.ports.store_clock.hear(told?, (asked_at, self.clock_now()), most)?;
        let default = WorkspaceId::default();
        let workspace = self.workspace.as_ref().unwrap_or(&default);
        let Skew { engine, store } = skew;
        self.tell_one(workspace, &Uuid::nil().into(), cause, |at| {
            PendingEvent::new(at, EventKind::ClockSkew { engine, store })
        });
        Some(skew)
    }

    /// Gives conversations back as they were that were claimed under a clock which is far from the
    /// store's: the engine that claims them next finds them due when they were.
    pub(super) async fn give_back(&self, token: Token, claimed: Vec<LeasedConversation>) {
        for LeasedConversation { workspace, mut stored, .. } in claimed {
            let contact = stored.contact.clone();
            for _ in 0..GIVING_BACK_ATTEMPTS {
                let now = self.now();
                let conversation = stored.record.conversation().ok();
                let due_at = conversation.and_then(|conversation| conversation.due_at(stored.settled));
                let settle = Settle {
                    workspace: workspace.clone(),
                    contact: contact.clone(),
                    token,
                    revision: stored.revision,
                    settled: stored.settled,
                    due_at: Some(due_at.unwrap_or(now)),
                    quarantine: false,
                    now,
                };
                let given_back = self.store.settle(&settle).await;
                match given_back {
                    Ok(Settled::Done | Settled::LeaseLost) => break,
                    Ok(Settled::Conflict { .. }) => {}
                    Err(error) => {
                        self.note_failure(BackgroundTask::Settle, error.into());
                        continue;
                    }
                }
                let subject = Subject::Contact(contact.clone());
                let lookup = Lookup::new(workspace.clone(), subject, token, now);
                match self.store.load(&lookup).await {
                    Ok(Loaded { conversation: Some(found), .. }) => stored = found,
                    Ok(_) => break,
                    Err(error) => {
                        self.note_failure(BackgroundTask::Settle, error.into());
                    }
                }
            }
        }
    }
}
