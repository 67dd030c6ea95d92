//! Handing messages over after a commit, in order, under the conversation's lease (SEMANTICS D1).
//! When all goes well one settle is all that is written; anything else is booked by `work`.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::engine::Engine;
use crate::engine::catalogue::WorkspaceFlows;
use crate::engine::deadline::{Ended, bounded};
use crate::engine::pacer::Passes;
use crate::engine::tick::{Shift, Tenure};
use crate::error::{SendError, StoreErrorKind};
use crate::id::{ContactId, WorkspaceId};
use crate::kernel::{Decision, DeliveryResult, Outgoing, SendException};
use crate::observer::{BackgroundTask, Cause, EventKind, Noted, Took};
use crate::session::{DeadReason, Outbound};
use crate::store::{ConversationStore, Lookup, Settle, Settled, Token};
use crate::transport::Receipt;

/// Messages and calls of a conversation that are due now, and the lease they are done under.
pub(super) struct Delivery {
    pub(super) contact: ContactId,
    pub(super) revision: u64,
    /// When the lease began that it is done under.
    pub(super) since: DateTime<Utc>,
    /// The messages and calls.
    pub(super) outgoing: Outgoing,
    /// Nothing is to be done, or the lease is gone.
    pub(super) is_done: bool,
    /// The call that led to it.
    pub(super) cause: Cause,
    /// Tokens that the messages may leave with, where there is a pace (SEMANTICS D7).
    passes: Option<Box<Passes>>,
}

impl Delivery {
    pub(super) fn new(
        decision: &Decision<'_>,
        outgoing: Outgoing,
        since: DateTime<Utc>,
        passes: Option<Box<Passes>>,
    ) -> Self {
        let (contact, cause) = (decision.conversation.contact().id.clone(), decision.env.cause);
        Self { contact, revision: 0, since, outgoing, is_done: false, cause, passes }
    }

    /// The delivery of a commit that was written: what was settled between its load and its commit
    /// is not sent again.
    pub(super) fn written(mut self, revision: u64, settled: u64) -> Self {
        self.outgoing.messages.retain(|(seq, _)| *seq > settled);
        Self { revision, ..self }
    }

    /// Keeps the places of messages that wait for their pace: they are written, or about to be.
    pub(super) fn keep_places(&mut self) {
        if let Some(passes) = &mut self.passes {
            passes.keep();
        }
    }
}

impl<S: ConversationStore> Engine<S> {
    /// Does what a commit left to do, under the lease that it took. Whatever goes wrong here is
    /// fixed by a later tick.
    pub(super) async fn finish(&self, lookup: &Lookup, flows: &WorkspaceFlows, delivery: Option<Delivery>) {
        let Some(mut delivery) = delivery else { return };
        let Lookup { workspace, token, now, .. } = lookup;
        let tenure =
            Tenure { token: *token, since: delivery.since, shift: Shift::of(self.ports.timer.as_deref()) };
        let sent = self.send_all(workspace, &mut delivery, *now, tenure.shift).await;
        if delivery.outgoing.calls.is_empty() && self.settle(workspace, *token, &delivery, &sent).await {
            return;
        }
        Box::pin(self.work(workspace, flows, tenure, delivery, sent)).await;
    }

    /// Hands the delivery's messages over, one after the other; behind one that must wait, its
    /// destination waits.
    #[cfg_attr(
        feature = "tracing",
        tracing::instrument(name = "chatflow.deliver", level = "debug", target = "chatflow", skip_all)
    )]
    pub(super) async fn send_all(
        &self,
        workspace: &WorkspaceId,
        delivery: &mut Delivery,
        started: DateTime<Utc>,
        shift: Shift<'_>,
    ) -> DeliveryResult {
        // What is left of them goes back at the end.
        let mut passes = delivery.passes.take();
        let delivery = &*delivery;
        let mut odd: Vec<(u64, SendException)> = Vec::new();
        let mut at = started;
        for (place, (number, message)) in delivery.outgoing.messages.iter().enumerate() {
            if place > 0 {
                at = self.now();
            }
            let waits = odd.iter().any(|(seq, odd)| {
                matches!(odd, SendException::Later { .. } | SendException::Untried)
                    && delivery
                        .outgoing
                        .messages
                        .iter()
                        .any(|(_, earlier)| earlier.id.seq == *seq && earlier.route == message.route)
            });
            if waits || self.is_late(delivery.since, at) || shift.is_over() {
                odd.push((message.id.seq, SendException::Untried));
                continue;
            }
            if let Some(passes) = &mut passes {
                passes.spend(*number);
            }
            let begun = self.stopwatch();
            let answer = self.send_one(message, shift).await;
            if let Some(send) = self.lap(begun) {
                self.tell_sent(workspace, delivery, message, answer.as_ref().err(), send);
            }
            match answer {
                Ok(receipt) => {
                    odd.extend(
                        receipt.address.map(|address| (message.id.seq, SendException::KnownAs(address))),
                    );
                }
                // Nothing is lost with it, and nothing waits for it.
                Err(_) if message.content.is_typing() => {}
                Err(SendError::Retry { after, reason }) => {
                    odd.push((message.id.seq, SendException::Later { after, reason }))
                }
                Err(SendError::Rejected { reason }) => {
                    odd.push((message.id.seq, SendException::Dead(DeadReason::Rejected(reason))));
                }
                Err(SendError::WindowClosed) => {
                    odd.push((message.id.seq, SendException::Dead(DeadReason::WindowClosed)))
                }
            }
        }
        DeliveryResult { odd, at: self.now() }
    }

    /// Hands one message over. What does not end in time, or panics, is tried again (SEMANTICS D5).
    async fn send_one(&self, message: &Outbound, shift: Shift<'_>) -> Result<Receipt, SendError> {
        let begin = || self.ports.transport.send_boxed(message);
        match bounded(begin, self.send_time(), shift.timer).await {
            Ended::Done(answer) => answer,
            Ended::Late => Err(SendError::retry("the transport did not answer in time")),
            Ended::Panicked => Err(SendError::retry("the transport panicked")),
        }
    }

    /// Tells what the transport said to a message. Nothing is told of an indicator that failed:
    /// nothing is lost with it.
    fn tell_sent(
        &self,
        workspace: &WorkspaceId,
        delivery: &Delivery,
        message: &Outbound,
        failed: Option<&SendError>,
        send: Duration,
    ) {
        let (id, channel) = (message.id, message.account().channel.clone());
        let result = match failed {
            None => None,
            Some(_) if message.content.is_typing() => return,
            Some(SendError::Retry { .. }) => Some("retry"),
            Some(SendError::Rejected { .. }) => Some("rejected"),
            Some(SendError::WindowClosed) => Some("window_closed"),
        };
        let kind = match result {
            None => EventKind::Delivered { message: id, channel },
            Some(result) => EventKind::SendFailed { message: id, channel, result },
        };
        let now = self.now();
        let noted = Noted {
            of: Some((message.flow.clone(), None)),
            lag: result.is_none().then(|| (now - message.created_at).to_std().unwrap_or_default()),
            took: Took { send: Some(send), ..Took::default() },
            ..Noted::new(now, kind)
        };
        self.tell(workspace, &delivery.contact, delivery.cause, [noted]);
    }

    /// True if so much of a lease is over that nothing more is begun under it: what is begun must
    /// end before somebody else may begin.
    pub(super) fn is_late(&self, since: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        now > since && (now - since).to_std().unwrap_or_default() > self.ports.options.lease / 2
    }

    /// Settles a delivery that went well: raises the watermark, frees the lease, rewrites nothing.
    /// Answers whether that is the end of it.
    pub(super) async fn settle(
        &self,
        workspace: &WorkspaceId,
        token: Token,
        delivery: &Delivery,
        sent: &DeliveryResult,
    ) -> bool {
        if !delivery.outgoing.is_plain(sent) {
            return false;
        }
        let settle = Settle {
            workspace: workspace.clone(),
            contact: delivery.contact.clone(),
            token,
            revision: delivery.revision,
            settled: delivery.outgoing.last_seq,
            due_at: delivery.outgoing.due_after,
            quarantine: false,
            now: sent.at,
        };
        let mut failed = None;
        for _ in 0..2 {
            match self.store.settle(&settle).await {
                Ok(Settled::Done | Settled::LeaseLost) => return true,
                Ok(Settled::Conflict { .. }) => return false,
                // Repeated unchanged: it may have happened (the store's contract, 16).
                Err(error) if error.kind() != StoreErrorKind::Permanent => failed = Some(error),
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        if let Some(error) = failed {
            self.note_failure(BackgroundTask::Settle, error.into());
        }
        true
    }
}
