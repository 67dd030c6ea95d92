//! Going on with a session from outside: the answer to a host call, a cancellation, news of a
//! message.

use chrono::{DateTime, Utc};

use crate::address::Alias;
use crate::calls::{CallRef, CallResult};
use crate::engine::Engine;
use crate::engine::decide::{Decided, Facts, Found, LeaseIntent, Written, put_back, take};
use crate::engine::outcome::{Cancelled, Completed, Reported};
use crate::error::Error;
use crate::id::{MessageId, SessionId, WorkspaceId};
use crate::kernel::{Decision, Unready};
use crate::observer::{Cause, EventKind, Noted};
use crate::session::{DeliveryReport, EndReason};
use crate::store::{ConversationStore, Lookup, Subject};

/// The versions of flows that a change to a conversation cannot do without (SEMANTICS S14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// All that its live sessions are pinned to.
    Flows,
    /// None: where one cannot be used here, the change is made and nothing that was due is applied.
    Nothing,
}

impl<S: ConversationStore> Engine<S> {
    /// Hands in the result of a call that the host answered with
    /// [`Answer::Later`](crate::Answer::Later) (SEMANTICS D2).
    ///
    /// A result is applied at most once; repeating it answers [`Completed::Stale`]. While the
    /// contact is with a person it is kept, and applied when they come back (SEMANTICS S10).
    ///
    /// # Errors
    /// `InvalidInput` when the reference is of another workspace; `Quarantined`, `Contention`,
    /// `Store`.
    #[cfg_attr(
        feature = "tracing",
        tracing::instrument(name = "chatflow.complete", level = "debug", target = "chatflow", skip_all)
    )]
    pub async fn complete(&self, reference: CallRef, result: CallResult) -> Result<Completed, Error> {
        let workspace = self.workspace()?;
        if reference.workspace != *workspace {
            return Err(Error::invalid("call_ref", "must be of this workspace"));
        }
        let subject = Subject::Contact(reference.contact);
        let call = reference.call;
        self.act(Cause::Complete, workspace, subject, Completed::Stale, Completed::Resumed, |decision| {
            let now = decision.now;
            decision.answer_call(call, result.clone(), now)
        })
        .await
    }

    /// Ends a session; messages that it has not sent are dropped (SEMANTICS D1).
    ///
    /// # Errors
    /// `SessionNotFound`, `Quarantined`, `Contention`, `Store`.
    pub async fn cancel(&self, session: SessionId) -> Result<Cancelled, Error> {
        let workspace = self.workspace()?;
        let lookup =
            self.lookup_for(Cause::Cancel, workspace, Subject::Alias(Alias::Session(session))).await?;
        if self.store.load(&lookup).await?.conversation.is_none() {
            return Err(Error::SessionNotFound(session));
        }
        let effects = (Cancelled::AlreadyEnded, Cancelled::Cancelled);
        self.act_on(Cause::Cancel, &lookup, Needs::Nothing, effects, |decision| {
            let place = decision.conversation.sessions.iter().position(|live| live.id == session);
            let now = decision.now;
            place.map(|place| decision.end(place, EndReason::Cancelled, now)).is_some()
        })
        .await
    }

    /// Takes news of a message after the transport took it (SEMANTICS D1). It is told to the
    /// observer, and journalled while the session lives and its flow is logged. A message that did
    /// not arrive takes its node's `failed` branch, if that send is the session's latest step.
    ///
    /// # Errors
    /// `InvalidInput` of `code` above 256 bytes; `Store`, and `Quarantined` or `Contention`.
    pub async fn report(&self, message: MessageId, report: DeliveryReport) -> Result<Reported, Error> {
        let workspace = self.workspace()?;
        let status = match &report {
            DeliveryReport::Delivered => "delivered",
            DeliveryReport::Read => "read",
            DeliveryReport::Failed { code } => {
                crate::id::check_name(code).map_err(|rule| Error::invalid("code", rule))?;
                code
            }
        };
        let subject = Subject::Alias(Alias::Session(message.session));
        let lookup = self.lookup_for(Cause::Report, workspace, subject).await?;
        let mut known = None;
        self.act_on(Cause::Report, &lookup, Needs::Flows, ((), ()), |decision| {
            let conversation = &decision.conversation;
            known =
                (1..=conversation.last_seq).contains(&message.seq).then(|| conversation.contact().id.clone());
            known.is_some() && decision.report(message, &report)
        })
        .await?;
        let Some(contact) = known else { return Ok(Reported::Unknown) };
        self.tell_one(workspace, &contact, Cause::Report, |_| {
            Noted::new(lookup.now, EventKind::Reported { message, status: status.into() })
        });
        Ok(Reported::Noted)
    }

    /// A lookup of a call that changes something, without key and address.
    pub(super) async fn lookup_for(
        &self,
        cause: Cause,
        workspace: &WorkspaceId,
        subject: Subject,
    ) -> Result<Lookup, Error> {
        let now = self.time(cause).await?;
        Ok(self.lookup_at(now, workspace, subject))
    }

    /// A lookup of a call that only looks.
    pub(super) fn lookup(&self, workspace: &WorkspaceId, subject: Subject) -> Lookup {
        self.lookup_at(self.now(), workspace, subject)
    }

    fn lookup_at(&self, now: DateTime<Utc>, workspace: &WorkspaceId, subject: Subject) -> Lookup {
        Lookup { in_place: true, ..Lookup::new(workspace.clone(), subject, self.token(now), now) }
    }

    /// One change to a conversation that exists, after all that was due; `change` says whether it
    /// took effect.
    pub(super) async fn act<T: Copy + Send + Sync>(
        &self,
        cause: Cause,
        workspace: &WorkspaceId,
        subject: Subject,
        without_effect: T,
        with_effect: T,
        change: impl FnMut(&mut Decision<'_>) -> bool + Send,
    ) -> Result<T, Error> {
        let lookup = self.lookup_for(cause, workspace, subject).await?;
        self.act_on(cause, &lookup, Needs::Flows, (without_effect, with_effect), change).await
    }

    /// The same, with a lookup of the caller's: one that may add addresses must not decide in
    /// place.
    pub(super) async fn act_on<T: Copy + Send + Sync>(
        &self,
        cause: Cause,
        lookup: &Lookup,
        needs: Needs,
        effects: (T, T),
        mut change: impl FnMut(&mut Decision<'_>) -> bool + Send,
    ) -> Result<T, Error> {
        let workspace = &lookup.workspace;
        let decide = |facts: Facts<'_>| self.decide_act(cause, lookup, needs, effects, &mut change, facts);
        let Written { answer, batch } =
            self.transact(cause, workspace, &self.flows, lookup, None, decide).await?;
        let answer = answer?;
        self.finish(lookup, &self.flows, batch).await;
        Ok(answer)
    }

    fn decide_act<T: Copy>(
        &self,
        cause: Cause,
        lookup: &Lookup,
        needs: Needs,
        (without_effect, with_effect): (T, T),
        change: &mut (impl FnMut(&mut Decision<'_>) -> bool + Send),
        facts: Facts<'_>,
    ) -> Decided<T> {
        let workspace = &lookup.workspace;
        let found: Found = match take(facts.loaded) {
            Ok(Some(found)) => found,
            Ok(None) => return Decided::Answer(Ok(without_effect)),
            Err(error) => return Decided::Answer(Err(error)),
        };
        let id = lookup.token.0.as_u128();
        if facts.maybe_done && found.conversation.knows_call(id) {
            return self.resume_delivery(
                (workspace, cause),
                facts.snapshot,
                facts.loaded,
                found,
                facts.now,
                with_effect,
            );
        }
        let place = found.place();
        let mut decision = Decision::new(
            self.ground(workspace, facts.snapshot, facts.now, cause),
            found.conversation,
            place.settled,
            facts.now,
        );
        match decision.ready() {
            Err(Unready::Missing(..) | Unready::InDoubt(_)) if needs == Needs::Nothing => {}
            Err(unready) => {
                let contact = decision.conversation.contact().id.clone();
                put_back(facts.loaded, place.with(decision.conversation));
                return Decided::unready(contact, unready);
            }
            Ok(()) => {}
        }
        decision.apply_due();
        let took_effect = change(&mut decision);
        if took_effect {
            decision.remember_call(id);
        }
        let answer = if took_effect { with_effect } else { without_effect };
        if !decision.changed {
            put_back(facts.loaded, place.with(decision.conversation));
            return Decided::Answer(Ok(answer));
        }
        Decided::Write(
            Ok(answer),
            self.draft(decision, lookup, Some(place.revision), None, LeaseIntent::Deliver),
        )
    }
}
