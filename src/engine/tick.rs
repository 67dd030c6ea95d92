//! What time brings: deadlines, expiry, host calls, messages that are still to be sent, retention. A missed tick costs
//! latency only.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::engine::Engine;
use crate::engine::outcome::Ticked;
use crate::error::Error;
use crate::kernel::later;
use crate::observer::EventKind;
use crate::store::{ConversationStore, Due, LeasedConversation, Loaded, Settle, Settled, Token};

/// Claims after which a conversation that makes no progress is set aside (SEMANTICS S9).
const MOST_CLAIMS: u32 = 10;
/// The pause before a conversation is looked at again that a newer release wrote, or that needs a version which cannot
/// be used here (SEMANTICS S14).
const NEWER_PAUSE: TimeDelta = TimeDelta::minutes(5);

impl<S: ConversationStore> Engine<S> {
    /// Works up to `limit` conversations that have something due, in all workspaces: timers, TTL, host calls,
    /// messages to be sent again.
    ///
    /// Any number of processes may tick at once; each conversation is worked by one of them. One conversation's
    /// failure does not stop the others.
    ///
    /// # Errors
    /// `Store` when due conversations could not be claimed.
    pub async fn tick(&self, limit: usize) -> Result<Ticked, Error> {
        let now = self.now();
        // What can not be woken now is at the next tick; it must not keep the others from being worked.
        let _ = self.wake_terminated(now).await;
        let token = self.token(now);
        let due = Due { now, token, lease: self.ports.policy.lease, limit };
        let leased = self.store.lease_due(&due).await?;
        let worked = leased.conversations.len();
        for claimed in leased.conversations {
            if self.is_late(now, self.now()) {
                self.give_back(token, claimed, now).await;
            } else {
                self.work_one(token, now, claimed).await;
            }
        }
        self.purge(now).await?;
        let left = worked == limit && limit > 0;
        Ok(Ticked { worked, next_due: if left { Some(now) } else { leased.next_due } })
    }

    /// Ticks for ever, and sleeps in between until something is due, at most `max_idle`: the loop that every host
    /// would write. Drop the future to stop.
    ///
    /// A store's failure is waited out for `max_idle`.
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
        F: Fn(Duration) -> R,
        R: Future<Output = ()>,
    {
        const AT_A_TIME: usize = 100;
        loop {
            let idle = match self.tick(AT_A_TIME).await {
                Ok(Ticked { next_due: Some(due), .. }) => {
                    (due - self.now()).to_std().unwrap_or_default().min(max_idle)
                }
                Ok(_) | Err(_) => max_idle,
            };
            sleep(idle).await;
        }
    }

    /// Frees a conversation that was claimed and not begun: those before it took long, and its lease may end while
    /// it is worked.
    async fn give_back(&self, token: Token, claimed: LeasedConversation, now: DateTime<Utc>) {
        let LeasedConversation { workspace, stored, .. } = claimed;
        let settle = Settle {
            workspace,
            contact: stored.contact,
            token,
            revision: stored.revision,
            settled: stored.settled,
            due_at: Some(now),
            quarantine: false,
            now: self.now(),
        };
        // Whatever comes of it: else the lease ends by itself.
        let _ = self.store.settle(&settle).await;
    }

    async fn work_one(&self, token: Token, since: DateTime<Utc>, claimed: LeasedConversation) {
        let LeasedConversation { workspace, stored, claims } = claimed;
        let contact = stored.contact.clone();
        let revision = stored.revision;
        let settled = stored.settled;
        let flows = self.ports.catalogues.of(&workspace);
        let outcome = if claims > MOST_CLAIMS {
            Err(Error::Quarantined(contact.clone()))
        } else {
            let loaded = Loaded { conversation: Some(stored), ..Loaded::default() };
            self.work_claimed(&workspace, &flows, (token, since), &contact, loaded).await
        };
        let (due_at, quarantine) = match outcome {
            Err(Error::Quarantined(_)) => (None, true),
            Err(Error::NewerFormat { .. } | Error::VersionMissing { .. }) => {
                (Some(later(self.now(), NEWER_PAUSE)), false)
            }
            // Anything else is claimed again when the lease ends.
            Ok(()) | Err(_) => return,
        };
        let settle = Settle {
            workspace: workspace.clone(),
            contact: contact.clone(),
            token,
            revision,
            settled,
            due_at,
            quarantine,
            now: self.now(),
        };
        if let Ok(Settled::Done) = self.store.settle(&settle).await
            && quarantine
        {
            self.tell(&workspace, &contact, [(settle.now, EventKind::Quarantined)]);
        }
    }
}
