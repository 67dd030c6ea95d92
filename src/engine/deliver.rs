//! Handing messages over after a commit, in order, under the conversation's lease (SEMANTICS D1).
//! When all goes well one settle is all that is written; anything else is booked by `work`.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::address::Address;
use crate::calls::{Call, CallRef, CallRequest};
use crate::engine::Engine;
use crate::engine::catalogue::WorkspaceFlows;
use crate::engine::deadline::{Ended, bounded};
use crate::engine::pacer::{Paced, Passes};
use crate::engine::tick::{Shift, Tenure};
use crate::error::{SendError, StoreErrorKind};
use crate::id::{ContactId, WorkspaceId};
use crate::kernel::Decision;
use crate::observer::{BackgroundTask, Cause, EventKind, Noted, Took};
use crate::session::{DeadReason, Outbound, Status, Unsent};
use crate::store::{ConversationStore, Lookup, Settle, Settled, Token};
use crate::transport::Receipt;

/// What is to be done for a conversation now.
pub(super) struct Delivery {
    pub(super) contact: ContactId,
    pub(super) revision: u64,
    /// When the lease began that it is done under.
    pub(super) since: DateTime<Utc>,
    /// Messages that are due, in order, each with its number in the outbox.
    pub(super) messages: Vec<(u64, Arc<Outbound>)>,
    /// Host calls that are due.
    pub(super) calls: Vec<Call>,
    /// Whether these are all the messages that are unsettled.
    pub(super) is_whole: bool,
    /// The number of the last message in the outbox.
    pub(super) last_seq: u64,
    /// When something is due next once all of it is done.
    pub(super) due_after: Option<DateTime<Utc>>,
    /// The first deadline of a wait that does not pass before these messages are settled (SEMANTICS
    /// N3).
    pub(super) held_until: Option<DateTime<Utc>>,
    /// Whether a session waits for what becomes of one of its messages, be it after a handoff
    /// (SEMANTICS D1).
    pub(super) is_awaited: bool,
    /// Nothing is to be done, or the lease is gone.
    pub(super) is_done: bool,
    /// The call that led to it.
    pub(super) cause: Cause,
    /// What the messages may leave with, where there is a pace (SEMANTICS D7).
    pub(super) passes: Option<Box<Passes>>,
}

impl Delivery {
    pub(super) fn of(
        decision: &Decision<'_>,
        contact: &ContactId,
        with_calls: bool,
        since: DateTime<Utc>,
        paced: &Paced,
    ) -> Self {
        let conversation = &decision.conversation;
        let mut messages = Vec::with_capacity(conversation.outbox.len());
        let mut is_whole = true;
        for (place, unsent) in
            conversation.outbox.iter().enumerate().filter(|(_, unsent)| unsent.seq > decision.settled)
        {
            let must_wait = |unsent: &Unsent| {
                unsent.not_before > decision.now || paced.held.iter().any(|(seq, _)| *seq == unsent.seq)
            };
            let waits = |earlier: &Unsent| {
                earlier.seq > decision.settled
                    && must_wait(earlier)
                    && earlier.message.route == unsent.message.route
            };
            if must_wait(unsent) || conversation.outbox.iter().take(place).any(waits) {
                is_whole = false;
            } else {
                messages.push((unsent.seq, Arc::clone(&unsent.message)));
            }
        }
        let calls = if with_calls { calls_due(decision, contact) } else { Vec::new() };
        let held = conversation
            .sessions
            .iter()
            .filter(|session| session.status == Status::Waiting && session.sent_before > decision.settled);
        Self {
            contact: contact.clone(),
            revision: 0,
            since,
            messages,
            calls,
            is_whole,
            last_seq: conversation.last_seq,
            due_after: conversation
                .due_at(conversation.last_seq)
                .or_else(|| decision.idle_until(conversation.last_seq)),
            held_until: held.filter_map(|session| session.deadline).min(),
            is_awaited: conversation
                .sessions
                .iter()
                .any(|session| session.awaits_sooner_or_later().is_some()),
            is_done: false,
            cause: decision.ground.cause,
            passes: None,
        }
    }

    /// The batch of a commit that was written: what was settled between its load and its commit is
    /// not sent again.
    pub(super) fn written(mut self, revision: u64, settled: u64) -> Self {
        self.messages.retain(|(seq, _)| *seq > settled);
        Self { revision, ..self }
    }

    /// What the messages that wait for their pace wait for is written, or about to be.
    pub(super) fn keep_places(&mut self) {
        if let Some(passes) = &mut self.passes {
            passes.keep();
        }
    }

    pub(super) fn has_work(&self) -> bool {
        !self.messages.is_empty() || !self.calls.is_empty()
    }
}

fn calls_due(decision: &Decision<'_>, contact: &ContactId) -> Vec<Call> {
    let sessions = decision.conversation.sessions.iter();
    let due = sessions.filter_map(|session| {
        let call = session.call.as_ref().filter(|_| !decision.conversation.stands_still(session))?;
        (call.due_at()? <= decision.now).then(|| Call {
            reference: CallRef {
                workspace: decision.ground.workspace.clone(),
                contact: contact.clone(),
                call: call.id,
            },
            flow: session.active().0.clone(),
            node: session.at.clone(),
            request: CallRequest::of(call),
        })
    });
    due.collect()
}

/// What became of a message that did not simply leave.
pub(super) enum SendException {
    /// It left, and the contact is known there under this address too.
    KnownAs(Address),
    /// It is to be tried again.
    Later { after: Option<Duration>, reason: String },
    /// It never will.
    Dead(DeadReason),
    /// It was not tried: an earlier one to the same destination waits, or time ran out.
    Untried,
}

/// What became of a batch's messages: those without a word left.
pub(super) struct DeliveryResult {
    pub(super) odd: Vec<(u64, SendException)>,
    /// When the last one was handed over.
    pub(super) at: DateTime<Utc>,
}

impl<S: ConversationStore> Engine<S> {
    /// Does what a commit left to do, under the lease that it took. Whatever goes wrong here is
    /// fixed by a later tick.
    pub(super) async fn finish(&self, lookup: &Lookup, flows: &WorkspaceFlows, batch: Option<Delivery>) {
        let Some(mut batch) = batch else { return };
        let Lookup { workspace, token, now, .. } = lookup;
        let tenure =
            Tenure { token: *token, since: batch.since, shift: Shift::of(self.ports.timer.as_deref()) };
        let sent = self.send_all(workspace, &mut batch, *now, tenure.shift).await;
        if batch.calls.is_empty() && self.settle(workspace, *token, &batch, &sent).await {
            return;
        }
        self.work(workspace, flows, tenure, batch, sent).await;
    }

    /// Hands the batch's messages over, one after the other; behind one that must wait, its
    /// destination waits.
    #[cfg_attr(
        feature = "tracing",
        tracing::instrument(name = "chatflow.deliver", level = "debug", target = "chatflow", skip_all)
    )]
    pub(super) async fn send_all(
        &self,
        workspace: &WorkspaceId,
        batch: &mut Delivery,
        started: DateTime<Utc>,
        shift: Shift<'_>,
    ) -> DeliveryResult {
        // What is left of them goes back at the end.
        let mut passes = batch.passes.take();
        let batch = &*batch;
        let mut odd: Vec<(u64, SendException)> = Vec::new();
        let mut at = started;
        for (place, (number, message)) in batch.messages.iter().enumerate() {
            if place > 0 {
                at = self.now();
            }
            let waits = odd.iter().any(|(seq, odd)| {
                matches!(odd, SendException::Later { .. } | SendException::Untried)
                    && batch
                        .messages
                        .iter()
                        .any(|(_, earlier)| earlier.id.seq == *seq && earlier.route == message.route)
            });
            if waits || self.is_late(batch.since, at) || shift.is_over() {
                odd.push((message.id.seq, SendException::Untried));
                continue;
            }
            if let Some(passes) = &mut passes {
                passes.spend(*number);
            }
            let begun = self.stopwatch();
            let answer = self.send_one(message, shift).await;
            if let Some(send) = self.lap(begun) {
                self.tell_sent(workspace, batch, message, answer.as_ref().err(), send);
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
        batch: &Delivery,
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
        self.tell(workspace, &batch.contact, batch.cause, [noted]);
    }

    /// Whether so much of a lease is over that nothing more is begun under it: what is begun must
    /// end before somebody else may begin.
    pub(super) fn is_late(&self, since: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        now > since && (now - since).to_std().unwrap_or_default() > self.ports.policy.lease / 2
    }

    /// Settles a batch that went well: raises the watermark, frees the lease, rewrites nothing.
    /// Answers whether that is the end of it.
    pub(super) async fn settle(
        &self,
        workspace: &WorkspaceId,
        token: Token,
        batch: &Delivery,
        sent: &DeliveryResult,
    ) -> bool {
        let is_plain = sent.odd.is_empty()
            && batch.is_whole
            && !batch.is_awaited
            && batch.held_until.is_none_or(|held| sent.at < held);
        if !is_plain {
            return false;
        }
        let settle = Settle {
            workspace: workspace.clone(),
            contact: batch.contact.clone(),
            token,
            revision: batch.revision,
            settled: batch.last_seq,
            due_at: batch.due_after,
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
