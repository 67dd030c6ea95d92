//! Working a conversation under its lease until nothing is due: book what was sent and called,
//! apply what is due, do what that leads to. Ticks come here, and calls whose delivery did not go
//! plainly.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::address::Alias;
use crate::calls::{Answer, Call, CallResult};
use crate::engine::Engine;
use crate::engine::catalogue::WorkspaceFlows;
use crate::engine::deadline::{Ended, bounded};
use crate::engine::decide::{Decided, Facts, LeaseIntent, put_back, take};
use crate::engine::deliver::{Delivery, DeliveryResult, SendException};
use crate::engine::tick::{Shift, Tenure};
use crate::error::{CallError, Error};
use crate::id::{CallId, ContactId, MessageId, WorkspaceId};
use crate::kernel::{Decision, Input, jitter, later, span};
use crate::observer::{BackgroundTask, Cause, EventKind, Noted, Took};
use crate::session::{DeadReason, Status};
use crate::store::{ConversationStore, Loaded, Lookup, Revision, Subject};

/// The first pause before a message or a call is tried again; doubled each time (SEMANTICS D1).
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);
/// Rounds of one claim; what is left is due again.
const ROUNDS: u32 = 100;

/// What was done outside and is to be booked.
#[derive(Default)]
pub(super) struct Done {
    sent: Option<(Delivery, DeliveryResult)>,
    called: Vec<(CallId, Result<Answer, CallError>)>,
}

impl Done {
    /// True before anything was done outside: whatever is decided then, time alone brings.
    fn is_nothing(&self) -> bool {
        self.sent.is_none() && self.called.is_empty()
    }

    /// The call whose work it is: that which took the lease.
    fn cause(&self) -> Cause {
        self.sent.as_ref().map_or(Cause::Tick, |(batch, _)| batch.cause)
    }
}

/// The outcome of a decision under the lease.
enum Booked {
    /// All is booked, or about to be written.
    Done,
    /// Nothing of the conversation, at this revision, is worth being kept (SEMANTICS S19).
    Over(Revision),
}

impl<S: ConversationStore> Engine<S> {
    /// Goes on from a batch whose messages were handed over.
    pub(super) async fn work(
        &self,
        workspace: &WorkspaceId,
        flows: &WorkspaceFlows,
        tenure: Tenure<'_>,
        batch: Delivery,
        sent: DeliveryResult,
    ) {
        let contact = batch.contact.clone();
        let called = self.call_all(workspace, &batch, tenure.shift).await;
        // What cannot be booked is done again after the lease, by whoever claims the conversation
        // then.
        let done = Done { sent: Some((batch, sent)), called };
        if let Err(error) = self.rounds(workspace, flows, tenure, &contact, None, done).await {
            self.note_failure(BackgroundTask::Work, error);
        }
    }

    /// Works a conversation that was claimed.
    pub(super) async fn work_claimed(
        &self,
        workspace: &WorkspaceId,
        flows: &WorkspaceFlows,
        tenure: Tenure<'_>,
        contact: &ContactId,
        loaded: Loaded,
    ) -> Result<(), Error> {
        self.rounds(workspace, flows, tenure, contact, Some(loaded), Done::default()).await
    }

    async fn rounds(
        &self,
        workspace: &WorkspaceId,
        flows: &WorkspaceFlows,
        tenure: Tenure<'_>,
        contact: &ContactId,
        mut first: Option<Loaded>,
        mut done: Done,
    ) -> Result<(), Error> {
        let Tenure { token, since, shift } = tenure;
        for _ in 0..ROUNDS {
            let now = match done.is_nothing() {
                true => self.tick_time().await?,
                false => self.time(done.cause()).await?,
            };
            let lookup = Lookup::new(workspace.clone(), Subject::Contact(contact.clone()), token, now);
            let want = if self.is_late(since, now) || shift.is_over() {
                LeaseIntent::Stop
            } else {
                LeaseIntent::Continue
            };
            let decide = |facts: Facts<'_>| self.book(workspace, &lookup, facts, &done, want);
            let cause = done.cause();
            let written = self.transact(cause, workspace, flows, &lookup, first.take(), decide).await?;
            if let Booked::Over(revision) = written.answer? {
                if self.let_go(workspace, contact, revision, now).await? {
                    return Ok(());
                }
                continue;
            }
            let Some(mut batch) = written.batch.map(|batch| Delivery { since, ..batch }) else {
                return Ok(());
            };
            let sent = self.send_all(workspace, &mut batch, now, shift).await;
            if batch.calls.is_empty() && self.settle(workspace, token, &batch, &sent).await {
                return Ok(());
            }
            let called = self.call_all(workspace, &batch, shift).await;
            done = Done { sent: Some((batch, sent)), called };
        }
        Ok(())
    }

    /// One decision under the lease: books what was done, applies what is due.
    fn book(
        &self,
        workspace: &WorkspaceId,
        lookup: &Lookup,
        facts: Facts<'_>,
        done: &Done,
        want: LeaseIntent,
    ) -> Decided<Booked> {
        let found = match take(facts.loaded) {
            Ok(Some(found)) if found.leased => found,
            Ok(Some(found)) => {
                put_back(facts.loaded, found);
                return Decided::Answer(Ok(Booked::Done));
            }
            Ok(None) => return Decided::Answer(Ok(Booked::Done)),
            Err(error) => return Decided::Answer(Err(error)),
        };
        let place = found.place();
        let (found_revision, expect) = (found.revision, Some(found.revision));
        let ground = self.ground(workspace, facts.snapshot, facts.now, done.cause());
        let mut decision = Decision::new(ground, found.conversation, found.settled, facts.now);
        if let Err(unready) = decision.ready() {
            let contact = decision.conversation.contact().id.clone();
            put_back(facts.loaded, place.with(decision.conversation));
            return Decided::unready(contact, unready);
        }
        if let Some((batch, sent)) = &done.sent {
            let taken = facts.taken.map(|(alias, _)| alias);
            self.book_sent(&mut decision, batch, sent, taken);
        }
        decision.apply_due();
        for (call, answer) in &done.called {
            book_called(&mut decision, *call, answer);
        }
        decision.apply_due();
        decision.forget();
        if done.sent.is_none() && decision.is_over() {
            put_back(facts.loaded, place.with(decision.conversation));
            return Decided::Answer(Ok(Booked::Over(found_revision)));
        }
        let paced = self.ask_pace(&decision, self.will_send(want));
        paced.put_off(&mut decision);
        if !decision.changed && want == LeaseIntent::Continue {
            let contact = decision.conversation.contact().id.clone();
            let batch = Delivery::of(&decision, &contact, true, lookup.now, &paced);
            if batch.has_work() {
                put_back(facts.loaded, place.with(decision.conversation));
                let batch = Delivery { revision: found_revision, passes: paced.passes, ..batch };
                return Decided::Go(Ok(Booked::Done), Box::new(batch));
            }
        }
        Decided::Write(Ok(Booked::Done), self.draft_paced(decision, lookup, expect, None, want, paced))
    }

    /// An address that the channel reports and that leads to another contact stays with that one
    /// (SEMANTICS T2).
    fn book_sent(
        &self,
        decision: &mut Decision<'_>,
        batch: &Delivery,
        sent: &DeliveryResult,
        taken: Option<&Alias>,
    ) {
        let at = sent.at;
        for (_, message) in &batch.messages {
            let odd = sent.odd.iter().find(|(seq, _)| *seq == message.id.seq).map(|(_, odd)| odd);
            match odd {
                None => decision.settle_message(message.id, at),
                Some(SendException::KnownAs(address)) => {
                    decision.settle_message(message.id, at);
                    let alias = Alias::Address(address.clone());
                    let is_known = decision.conversation.contact.addresses.contains(address);
                    if !is_known && taken != Some(&alias) {
                        decision.edit().contact.addresses.push(address.clone());
                        decision.add_aliases.push(alias);
                    }
                }
                Some(SendException::Dead(reason)) => decision.give_up(message.id, reason.clone(), at),
                Some(SendException::Later { after, reason }) => {
                    self.put_off(decision, message.id, *after, reason, at)
                }
                Some(SendException::Untried) => {}
            }
        }
    }

    /// Tries a message again later, or gives it up when its time is over (SEMANTICS D1).
    fn put_off(
        &self,
        decision: &mut Decision<'_>,
        id: MessageId,
        after: Option<Duration>,
        reason: &str,
        at: DateTime<Utc>,
    ) {
        // By the conversation's time: under a clock that went back the pause would be over before
        // it began.
        let from = at.max(decision.now);
        let Some(unsent) = decision.edit().outbox.iter_mut().find(|unsent| unsent.message.id == id) else {
            return;
        };
        unsent.attempts = unsent.attempts.saturating_add(1);
        let pause = after.map_or_else(|| jitter(backoff(unsent.attempts), id, unsent.attempts), span);
        let (until, attempt) = (later(from, pause), unsent.attempts);
        let message = Arc::clone(&unsent.message);
        if attempt == 1 && self.ports.pacer.is_some() {
            unsent.tried_at = Some(from);
        }
        let since = unsent.tried_at.unwrap_or(unsent.message.created_at);
        let last = later(since, span(self.ports.policy.give_up_after));
        unsent.not_before = until;
        if until > last {
            decision.give_up(id, DeadReason::GaveUp(reason.to_owned()), at);
        } else {
            decision.note_message(&message, Some(attempt), EventKind::SendDelayed { message: id, until });
        }
    }

    async fn call_all(
        &self,
        workspace: &WorkspaceId,
        batch: &Delivery,
        shift: Shift<'_>,
    ) -> Vec<(CallId, Result<Answer, CallError>)> {
        let mut called = Vec::with_capacity(batch.calls.len());
        for call in &batch.calls {
            if self.is_late(batch.since, self.now()) || shift.is_over() {
                break;
            }
            let answer = self.call_one(workspace, batch, call, shift).await;
            called.push((call.reference.call, answer));
        }
        called
    }

    #[cfg_attr(
        feature = "tracing",
        tracing::instrument(name = "chatflow.call", level = "debug", target = "chatflow", skip_all)
    )]
    async fn call_one(
        &self,
        workspace: &WorkspaceId,
        batch: &Delivery,
        call: &Call,
        shift: Shift<'_>,
    ) -> Result<Answer, CallError> {
        let of = || Some((call.flow.clone(), None));
        let id = call.reference.call;
        self.tell_one(workspace, &batch.contact, batch.cause, |at| Noted {
            of: of(),
            ..Noted::new(at, EventKind::Called { call: id })
        });
        let begun = self.stopwatch();
        let ended = bounded(|| self.ports.calls.call_boxed(call), self.send_time(), shift.timer).await;
        let answer = match ended {
            Ended::Done(answer) => answer,
            Ended::Late => Err(CallError::retry("the call did not end in time")),
            Ended::Panicked => Err(CallError::retry("the call panicked")),
        };
        if let Some(spent) = self.lap(begun) {
            let result = match &answer {
                Ok(Answer::Now(_)) => "now",
                Ok(Answer::Later) => "later",
                Err(CallError::Retry { .. }) => "retry",
                Err(CallError::Failed { .. }) => "failed",
            };
            self.tell_one(workspace, &batch.contact, batch.cause, |at| Noted {
                of: of(),
                took: Took { call: Some(spent), ..Took::default() },
                ..Noted::new(at, EventKind::CallDone { call: id, result })
            });
        }
        answer
    }
}

/// Books what the host said to a call. An answer to a call that the session does not wait for any
/// more is void (SEMANTICS D2).
fn book_called(decision: &mut Decision<'_>, id: CallId, answer: &Result<Answer, CallError>) {
    let now = decision.now;
    let result = match answer {
        Ok(Answer::Now(result)) => Some(result.clone()),
        Err(CallError::Failed { reason }) => Some(CallResult::failed(reason)),
        Ok(Answer::Later) | Err(CallError::Retry { .. }) => None,
    };
    if let Some(result) = result {
        decision.answer_call(id, result, now);
        return;
    }
    // A call of a session that was handed over meanwhile is made again afterwards, under the same
    // id.
    let waits = |session: &crate::session::Session| {
        session.status == Status::Calling && session.call.as_ref().is_some_and(|call| call.id == id)
    };
    let Some(place) = decision.conversation.sessions.iter().position(waits) else { return };
    let input = match answer {
        Err(CallError::Retry { .. }) => {
            let call = decision.conversation.sessions.get(place).and_then(|session| session.call.as_ref());
            let attempts = call.map_or(0, |call| call.attempts);
            Input::CallLater { call: id, until: later(now, backoff(attempts + 1)) }
        }
        _ => Input::Handed(id),
    };
    decision.advance(place, input, now);
}

/// 1 s, doubled each time, at most 5 min.
fn backoff(attempts: u32) -> TimeDelta {
    let doublings = attempts.saturating_sub(1).min(16);
    span(FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE))
}
