//! Handing messages over after a commit, in order, under the conversation's lease (SEMANTICS D1).
//! When all goes well one settle is all that is written; anything else is booked by `work`.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::calls::Call;
use crate::engine::Engine;
use crate::engine::crew::Shift;
use crate::engine::deadline::{HostOutcome, bounded};
use crate::engine::pacer::Passes;
use crate::error::{SendError, StoreErrorKind};
use crate::id::{CallId, ContactId, FlowId, FlowVersion, WorkspaceId};
use crate::kernel::{Decision, DeliveryResult, Outgoing, SendException};
use crate::observer::{BackgroundTask, Cause, EventKind, PendingEvent, Timings};
use crate::session::{Conversation, DeadReason, Outbound};
use crate::store::{ConversationStore, Lookup, Settle, Settled, Token};
use crate::transport::Receipt;

/// Messages and calls of a conversation that are due now, and the lease they are done under.
pub(super) struct Delivery {
    pub(super) contact: ContactId,
    pub(super) revision: u64,
    /// The call's token, which names the lease.
    pub(super) token: Token,
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
    /// None: nobody watches.
    watched: Option<Box<WatchedWork>>,
}

/// Facts about messages and calls for those who watch.
struct WatchedWork {
    /// The attempts that were made to send each message, by the number in its id.
    attempts: Vec<(u64, u32)>,
    /// The version of the flow that asks, of each call.
    versions: Vec<(CallId, FlowVersion)>,
}

impl WatchedWork {
    #[cold]
    fn of(decision: &Decision<'_>, outgoing: &Outgoing) -> Box<Self> {
        let Conversation { outbox, sessions, .. } = &*decision.conversation;
        let attempts = outbox.iter().filter(|unsent| unsent.attempts > 0);
        let attempts = attempts.map(|unsent| (unsent.message.id.seq, unsent.attempts)).collect();
        let version = |call: &Call| {
            let id = call.reference.call;
            let session = sessions.iter().find(|session| session.id == id.session)?;
            Some((id, session.active().1))
        };
        Box::new(Self { attempts, versions: outgoing.calls.iter().filter_map(version).collect() })
    }
}

impl Delivery {
    pub(super) fn new(
        decision: &Decision<'_>,
        outgoing: Outgoing,
        lookup: &Lookup,
        passes: Option<Box<Passes>>,
    ) -> Self {
        let (contact, cause) = (decision.conversation.contact().id.clone(), decision.env.cause);
        let (token, since) = (lookup.token, lookup.now);
        let watched = decision.env.observed.then(|| WatchedWork::of(decision, &outgoing));
        Self { contact, revision: 0, token, since, outgoing, is_done: false, cause, passes, watched }
    }

    /// The flow that makes a call, and its version, for those who watch.
    pub(super) fn caller(&self, call: &Call) -> (FlowId, Option<FlowVersion>) {
        let versions = self.watched.as_deref().map_or(&[] as &[_], |watched| &watched.versions);
        let version = versions.iter().find(|(id, _)| *id == call.reference.call);
        (call.flow.clone(), version.map(|(_, version)| *version))
    }

    /// The number of an attempt to send a message, from 1, for those who watch.
    fn attempt(&self, message: &Outbound) -> u32 {
        let attempts = self.watched.as_deref().map_or(&[] as &[_], |watched| &watched.attempts);
        let before = attempts.iter().find(|(seq, _)| *seq == message.id.seq);
        before.map_or(1, |(_, before)| before.saturating_add(1))
    }

    /// The settle of a delivery that went well.
    pub(super) fn settle(&self, workspace: &WorkspaceId, now: DateTime<Utc>) -> Settle {
        Settle {
            workspace: workspace.clone(),
            contact: self.contact.clone(),
            token: self.token,
            revision: self.revision,
            settled: self.outgoing.last_seq,
            due_at: self.outgoing.due_after,
            quarantine: false,
            now,
        }
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
    pub(super) async fn finish(&self, workspace: &WorkspaceId, left: &mut Option<Delivery>) {
        let Some(delivery) = left else { return };
        let shift = Shift::of(self.ports.timer.as_deref());
        // One message is the usual case; a future for several is made where there are.
        let sent = match (&*delivery.outgoing.messages, &delivery.passes) {
            ([(_, message)], None) => self.send_single(workspace, delivery, message, shift).await,
            _ => {
                let since = delivery.since;
                Box::pin(self.send_all(workspace, delivery, since, shift)).await
            }
        };
        if delivery.outgoing.calls.is_empty() && delivery.outgoing.is_plain(&sent) {
            let settle = delivery.settle(workspace, sent.at);
            match self.store.settle_at_once(&settle) {
                Some(Ok(Settled::Done | Settled::LeaseLost)) => return,
                Some(Ok(Settled::Conflict { .. })) => {}
                _ => {
                    if Box::pin(self.settle(settle)).await {
                        return;
                    }
                }
            }
        }
        if let Some(delivery) = left.take() {
            Box::pin(self.work(workspace, delivery, sent, shift)).await;
        }
    }

    /// Hands the only message of a delivery over that has just begun.
    #[cfg_attr(
        feature = "tracing",
        tracing::instrument(
            name = "chatflow.deliver", level = "debug", target = "chatflow", skip_all,
            fields(%workspace, flow = %message.flow, contact = self.contact_label(workspace, &delivery.contact))
        )
    )]
    async fn send_single(
        &self,
        workspace: &WorkspaceId,
        delivery: &Delivery,
        message: &Outbound,
        shift: Shift<'_>,
    ) -> DeliveryResult {
        let (begun, mut odd) = (self.stopwatch(), Vec::new());
        let answer = self.send_one(message, shift).await;
        self.take_answer(workspace, delivery, message, (Some(answer), self.lap(begun)), &mut odd);
        DeliveryResult { odd, at: self.now() }
    }

    /// Hands the delivery's messages over; behind one that must wait, its destination waits.
    #[cfg_attr(
        feature = "tracing",
        tracing::instrument(
            name = "chatflow.deliver", level = "debug", target = "chatflow", skip_all,
            fields(%workspace, contact = self.contact_label(workspace, &delivery.contact))
        )
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
        match &*delivery.outgoing.messages {
            [] => {}
            [(_, message)] if self.is_late(delivery.since, started) || shift.is_over() => {
                odd.push((message.id.seq, SendException::Untried));
            }
            [(number, message)] => {
                if let Some(passes) = &mut passes {
                    passes.spend(*number);
                }
                let begun = self.stopwatch();
                let answer = self.send_one(message, shift).await;
                let took = self.lap(begun);
                self.take_answer(workspace, delivery, message, (Some(answer), took), &mut odd);
            }
            // Boxed: the future of a call has no room for what few turns need.
            _ => odd = Box::pin(self.send_several(workspace, delivery, &mut passes, (started, shift))).await,
        }
        DeliveryResult { odd, at: self.now() }
    }

    /// Hands several messages over, one after the other, or those of a turn at once.
    async fn send_several(
        &self,
        workspace: &WorkspaceId,
        delivery: &Delivery,
        passes: &mut Option<Box<Passes>>,
        (started, shift): (DateTime<Utc>, Shift<'_>),
    ) -> Vec<(u64, SendException)> {
        let messages = &*delivery.outgoing.messages;
        let mut odd = Vec::new();
        // Places of messages that left with an earlier one, and of those that are sent one by one.
        let (mut sent, mut single) = (Vec::new(), Vec::new());
        let mut at = started;
        for (place, (number, message)) in messages.iter().enumerate() {
            if sent.contains(&place) {
                continue;
            }
            if place > 0 {
                at = self.now();
            }
            if waits(&odd, messages, message) || self.is_late(delivery.since, at) || shift.is_over() {
                odd.push((message.id.seq, SendException::Untried));
                continue;
            }
            let turn = if single.contains(&place) { Vec::new() } else { turn_at(messages, place) };
            if turn.len() > 1 {
                let begun = self.stopwatch();
                if let Some(answers) = self.send_turn(messages, &turn, shift).await {
                    let took = self.lap(begun);
                    for ((number, message), answer) in at_places(messages, &turn).zip(answers) {
                        passes.iter_mut().for_each(|passes| passes.spend(*number));
                        self.take_answer(workspace, delivery, message, (answer, took), &mut odd);
                    }
                    sent.extend(turn);
                    continue;
                }
                single.extend(turn);
            }
            passes.iter_mut().for_each(|passes| passes.spend(*number));
            let begun = self.stopwatch();
            let answer = self.send_one(message, shift).await;
            let took = self.lap(begun);
            self.take_answer(workspace, delivery, message, (Some(answer), took), &mut odd);
        }
        odd
    }

    /// Notes what the transport said to a message, and tells it. None: it was not tried.
    fn take_answer(
        &self,
        workspace: &WorkspaceId,
        delivery: &Delivery,
        message: &Outbound,
        (answer, took): (Option<Result<Receipt, SendError>>, Option<Duration>),
        odd: &mut Vec<(u64, SendException)>,
    ) {
        let Some(answer) = answer else { return odd.push((message.id.seq, SendException::Untried)) };
        if let Some(send) = took {
            self.tell_sent(workspace, delivery, message, answer.as_ref().err(), send);
        }
        let exception = match answer {
            Ok(receipt) => match receipt.address {
                Some(address) => SendException::KnownAs(address),
                None => return,
            },
            // Nothing is lost with it, and nothing waits for it.
            Err(_) if message.content.is_typing() => return,
            Err(SendError::Retry { after, reason }) => SendException::Later { after, reason },
            Err(SendError::Rejected { reason }) => SendException::Dead(DeadReason::Rejected(reason)),
            Err(SendError::WindowClosed) => SendException::Dead(DeadReason::WindowClosed),
        };
        odd.push((message.id.seq, exception));
    }

    /// Hands the messages of a turn over at once, and answers for each: what it came to, or that it
    /// was not tried. None: the transport takes one after the other (SEMANTICS D9).
    async fn send_turn(
        &self,
        messages: &[(u64, Arc<Outbound>)],
        turn: &[usize],
        shift: Shift<'_>,
    ) -> Option<Vec<Option<Result<Receipt, SendError>>>> {
        let messages: Vec<&Outbound> = at_places(messages, turn).map(|(_, message)| &**message).collect();
        let begin = || self.ports.transport.send_turn_boxed(&messages);
        let (answers, unknown) = match bounded(begin, self.send_time(), shift.timer).await {
            HostOutcome::Done(answers) => (answers?, "the transport did not answer for the message"),
            HostOutcome::Late => (Vec::new(), "the transport did not answer in time"),
            HostOutcome::Panicked => (Vec::new(), "the transport panicked"),
        };
        let waits = answers.iter().any(|answer| matches!(answer, Err(SendError::Retry { .. })));
        let unanswered = (!waits).then(|| Err(SendError::retry(unknown)));
        let answers = answers.into_iter().map(Some).chain(std::iter::repeat(unanswered));
        Some(answers.take(turn.len()).collect())
    }

    /// Hands one message over. What does not end in time, or panics, is tried again (SEMANTICS D5).
    async fn send_one(&self, message: &Outbound, shift: Shift<'_>) -> Result<Receipt, SendError> {
        let begin = || self.ports.transport.send_boxed(message);
        match bounded(begin, self.send_time(), shift.timer).await {
            HostOutcome::Done(answer) => answer,
            HostOutcome::Late => Err(SendError::retry("the transport did not answer in time")),
            HostOutcome::Panicked => Err(SendError::retry("the transport panicked")),
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
        let noted = PendingEvent {
            of: Some(message.sender()),
            attempt: Some(delivery.attempt(message)),
            lag: result.is_none().then(|| (now - message.created_at).to_std().unwrap_or_default()),
            took: Timings { send: Some(send), ..Timings::default() },
            ..PendingEvent::new(now, kind)
        };
        self.tell(workspace, &delivery.contact, delivery.cause, [noted]);
    }

    /// True if so much of a lease is over that nothing more is begun under it: what is begun must
    /// end before somebody else may begin.
    pub(super) fn is_late(&self, since: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        now > since && (now - since).to_std().unwrap_or_default() > self.ports.options.lease / 2
    }

    /// Settles a delivery that went well: raises the watermark, frees the lease, rewrites nothing.
    /// Returns whether that is the end of it.
    pub(super) async fn settle(&self, settle: Settle) -> bool {
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

/// True if an earlier message to the same destination must wait.
fn waits(odd: &[(u64, SendException)], messages: &[(u64, Arc<Outbound>)], message: &Outbound) -> bool {
    odd.iter().any(|(seq, odd)| {
        matches!(odd, SendException::Later { .. } | SendException::Untried)
            && messages.iter().any(|(_, earlier)| earlier.id.seq == *seq && earlier.route == message.route)
    })
}

/// The places of the messages from this one on that are of its turn, to its destination; none if it
/// is the only one.
fn turn_at(messages: &[(u64, Arc<Outbound>)], place: usize) -> Vec<usize> {
    let mut rest = messages.iter().enumerate().skip(place);
    let Some((_, (_, first))) = rest.next() else { return Vec::new() };
    let others = rest.filter(|(_, (_, message))| {
        message.turn == first.turn && message.id.session == first.id.session && message.route == first.route
    });
    let mut others = others.map(|(place, _)| place).peekable();
    match others.peek() {
        Some(_) => [place].into_iter().chain(others).collect(),
        None => Vec::new(),
    }
}

fn at_places<'a>(
    messages: &'a [(u64, Arc<Outbound>)],
    places: &'a [usize],
) -> impl Iterator<Item = &'a (u64, Arc<Outbound>)> {
    places.iter().filter_map(|place| messages.get(*place))
}
