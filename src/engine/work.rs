//! Working a conversation under its lease until nothing is due: book what was sent and called,
//! apply what is due, do what that leads to. Ticks come here, and calls whose delivery did not go
//! plainly.

use chrono::{DateTime, TimeDelta, Utc};

use crate::address::Alias;
use crate::calls::{Answer, Call};
use crate::engine::Engine;
use crate::engine::catalogue::WorkspaceFlows;
use crate::engine::crew::{Shift, Tenure};
use crate::engine::deadline::{HostOutcome, bounded};
use crate::engine::deliver::Delivery;
use crate::engine::transact::{LeaseIntent, Transaction};
use crate::error::{CallError, Error};
use crate::id::{CallId, ContactId, WorkspaceId};
use crate::kernel::{CarriedOptOut, DeliveryResult, Meeting, WorkBooking, later};
use crate::observer::{BackgroundTask, Cause, EventKind, PendingEvent, Timings};
use crate::store::{ConversationStore, LeasedConversation, Loaded, Lookup, Settle, Settled, Subject};

/// Claims after which a conversation that makes no progress is set aside (SEMANTICS S9).
const MOST_CLAIMS: u32 = 10;
/// The pause before a conversation is looked at again that a newer release wrote, or that needs a
/// version which cannot be used here (SEMANTICS S14).
const NEWER_PAUSE: TimeDelta = TimeDelta::minutes(5);

/// Rounds of one claim; what is left is due again.
const ROUNDS: u32 = 100;

/// Lost races until two contacts stay two.
const MEETINGS: u32 = 8;

/// The state of booking what was done outside.
struct Round {
    /// The contact that is worked.
    contact: ContactId,
    /// The contact that it comes to: what was done is booked there.
    into: Option<ContactId>,
    meeting: Meeting,
    meetings: u32,
    opt_out: CarriedOptOut,
}

impl Round {
    fn new(contact: ContactId, opt_out: CarriedOptOut) -> Self {
        Self { contact, into: None, meeting: Meeting::Open, meetings: 0, opt_out }
    }
}

/// The result of booking what was done outside.
enum Booked {
    /// Nothing is left to do.
    Done,
    /// It is to be booked once more, with what is known now.
    Again,
    /// An address leads to another contact, or that one changed meanwhile.
    Met(Option<(Alias, ContactId)>),
    /// It is booked, and something is to be done under the lease.
    Left(Delivery),
}

/// Work that was done outside and is to be booked.
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
        self.sent.as_ref().map_or(Cause::Tick, |(delivery, _)| delivery.cause)
    }
}

impl<S: ConversationStore> Engine<S> {
    /// Works a conversation that was claimed, or sets it aside or puts it off where that cannot
    /// be.
    pub(super) async fn work_one(&self, tenure: Tenure<'_>, claimed: LeasedConversation) {
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

    /// Continues after a delivery whose messages were handed over.
    pub(super) async fn work(
        &self,
        workspace: &WorkspaceId,
        delivery: Delivery,
        sent: DeliveryResult,
        shift: Shift<'_>,
    ) {
        let (flows, contact) = (&*self.flows, delivery.contact.clone());
        let tenure = Tenure { token: delivery.token, since: delivery.since, shift };
        let called = self.call_all(workspace, &delivery, shift).await;
        // What cannot be booked is done again after the lease, by the engine that claims the
        // conversation then.
        let done = Done { sent: Some((delivery, sent)), called };
        let mut held_by = None;
        let worked = self.rounds((workspace, &contact), flows, tenure, None, done, &mut held_by).await;
        self.meet_again(workspace, &contact, held_by).await;
        if let Err(error) = worked {
            self.note_failure(BackgroundTask::Work, error);
        }
    }

    /// Unites a contact with the one that an address leads to which the channel reported for it
    /// (SEMANTICS A4).
    async fn meet_again(&self, workspace: &WorkspaceId, contact: &ContactId, holder: Option<ContactId>) {
        let Some(holder) = holder else { return };
        if let Err(error) = Box::pin(self.unite(workspace, contact, &holder)).await {
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
        let (loaded, mut held_by) = (Some(Box::new(loaded)), None);
        let worked =
            self.rounds((workspace, contact), flows, tenure, loaded, Done::default(), &mut held_by).await;
        self.meet_again(workspace, contact, held_by).await;
        worked
    }

    async fn rounds(
        &self,
        (workspace, contact): (&WorkspaceId, &ContactId),
        flows: &WorkspaceFlows,
        tenure: Tenure<'_>,
        mut first: Option<Box<Loaded>>,
        mut done: Done,
        held_by: &mut Option<ContactId>,
    ) -> Result<(), Error> {
        let (since, shift) = (tenure.since, tenure.shift);
        let mut round = Round::new(contact.clone(), self.no_opt_out());
        for _ in 0..ROUNDS {
            let now = match done.is_nothing() {
                true => self.tick_time().await?,
                false => self.time(done.cause()).await?,
            };
            let place = (workspace, flows, now);
            let mut delivery = match self.book(place, tenure, &mut round, first.take(), &done).await? {
                Booked::Done => return Ok(()),
                Booked::Again => continue,
                Booked::Met(met) => {
                    Box::pin(self.meet(workspace, &mut round, met, held_by)).await?;
                    continue;
                }
                Booked::Left(delivery) => delivery,
            };
            round = Round::new(delivery.contact.clone(), self.no_opt_out());
            delivery.since = since;
            let sent = self.send_all(workspace, &mut delivery, now, shift).await;
            if delivery.outgoing.calls.is_empty()
                && delivery.outgoing.is_plain(&sent)
                && self.settle(delivery.settle(workspace, sent.at)).await
            {
                return Ok(());
            }
            let called = self.call_all(workspace, &delivery, shift).await;
            done = Done { sent: Some((delivery, sent)), called };
        }
        Ok(())
    }

    /// Books what was done, and applies what is due.
    async fn book(
        &self,
        (workspace, flows, now): (&WorkspaceId, &WorkspaceFlows, DateTime<Utc>),
        Tenure { token, since, shift }: Tenure<'_>,
        round: &mut Round,
        first: Option<Box<Loaded>>,
        done: &Done,
    ) -> Result<Booked, Error> {
        let subject = Subject::Contact(round.into.as_ref().unwrap_or(&round.contact).clone());
        let lookup = Lookup::new(workspace.clone(), subject, token, now);
        let is_over = self.is_late(since, now) || shift.is_over();
        let intent = match round.into {
            Some(_) => LeaseIntent::Change,
            None if is_over => LeaseIntent::Stop,
            None => LeaseIntent::Continue,
        };
        let call = Transaction { cause: done.cause(), flows, lookup: &lookup, intent };
        let sent = done.sent.as_ref().map(|(delivery, result)| (&delivery.outgoing, result));
        let mut book = WorkBooking::new(sent, &done.called, round.opt_out, &mut round.meeting);
        let delivery = self.transact(call, first, &mut book, &mut None, false).await;
        let WorkBooking { met, is_undone, new_addresses, over_at, .. } = book;
        let delivery = match delivery {
            Ok(_) if is_undone => return Ok(Booked::Met(met)),
            // The other's conversation cannot be used: this one's work is booked all the same.
            Err(error) if round.into.is_some() && !matches!(error, Error::Store(_) | Error::Contention) => {
                self.note_failure(BackgroundTask::Work, error);
                (round.meeting, round.into) = (Meeting::Two, None);
                return Ok(Booked::Again);
            }
            delivery => delivery?,
        };
        if !new_addresses.is_empty() {
            let since = Box::pin(self.kept_opt_out(workspace, &new_addresses)).await?;
            round.opt_out = CarriedOptOut { since, is_known: true };
            return Ok(Booked::Again);
        }
        if let Some(revision) = over_at {
            round.opt_out = self.no_opt_out();
            let is_gone = self.let_go(workspace, &round.contact, revision, now).await?;
            return Ok(if is_gone { Booked::Done } else { Booked::Again });
        }
        Ok(delivery.map_or(Booked::Done, Booked::Left))
    }

    /// Finds out what to book in a round in which an address led to another contact.
    async fn meet(
        &self,
        workspace: &WorkspaceId,
        round: &mut Round,
        met: Option<(Alias, ContactId)>,
        held_by: &mut Option<ContactId>,
    ) -> Result<(), Error> {
        round.into = None;
        round.meetings += 1;
        let Some((alias, holder)) = met else { return Ok(()) };
        if matches!(round.meeting, Meeting::Open) {
            let found = match round.meetings <= MEETINGS {
                true => self.encounter(workspace, &round.contact, (&alias, &holder)).await?,
                false => Meeting::Two.into(),
            };
            (round.meeting, round.into) = (found.meeting, found.into);
            round.opt_out = found.opt_out.unwrap_or(round.opt_out);
        }
        if matches!(round.meeting, Meeting::Two) {
            *held_by = held_by.take().or(Some(holder));
        }
        Ok(())
    }

    async fn call_all(
        &self,
        workspace: &WorkspaceId,
        delivery: &Delivery,
        shift: Shift<'_>,
    ) -> Vec<(CallId, Result<Answer, CallError>)> {
        let mut called = Vec::with_capacity(delivery.outgoing.calls.len());
        for call in &delivery.outgoing.calls {
            if self.is_late(delivery.since, self.now()) || shift.is_over() {
                break;
            }
            let answer = self.call_one(workspace, delivery, call, shift).await;
            called.push((call.reference.call, answer));
        }
        called
    }

    #[cfg_attr(
        feature = "tracing",
        tracing::instrument(
            name = "chatflow.call", level = "debug", target = "chatflow", skip_all,
            fields(%workspace, flow = %call.flow, contact = self.contact_label(workspace, &delivery.contact))
        )
    )]
    async fn call_one(
        &self,
        workspace: &WorkspaceId,
        delivery: &Delivery,
        call: &Call,
        shift: Shift<'_>,
    ) -> Result<Answer, CallError> {
        let of = || Some(delivery.caller(call));
        let id = call.reference.call;
        self.tell_one(workspace, &delivery.contact, delivery.cause, |at| PendingEvent {
            of: of(),
            ..PendingEvent::new(at, EventKind::Called { call: id })
        });
        let begun = self.stopwatch();
        let ended = bounded(|| self.ports.calls.call_boxed(call), self.send_time(), shift.timer).await;
        let answer = match ended {
            HostOutcome::Done(answer) => answer,
            HostOutcome::Late => Err(CallError::retry("the call did not end in time")),
            HostOutcome::Panicked => Err(CallError::retry("the call panicked")),
        };
        if let Some(spent) = self.lap(begun) {
            let result = match &answer {
                Ok(Answer::Now(_)) => "now",
                Ok(Answer::Later) => "later",
                Err(CallError::Retry { .. }) => "retry",
                Err(CallError::Failed { .. }) => "failed",
            };
            self.tell_one(workspace, &delivery.contact, delivery.cause, |at| PendingEvent {
                of: of(),
                took: Timings { call: Some(spent), ..Timings::default() },
                ..PendingEvent::new(at, EventKind::CallDone { call: id, result })
            });
        }
        answer
    }
}
