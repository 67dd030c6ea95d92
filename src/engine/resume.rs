//! Resuming a session from outside: the answer to a host call, a cancellation, news of a message.

use chrono::{DateTime, Utc};

use crate::address::Alias;
use crate::calls::{CallRef, CallResult};
use crate::engine::Engine;
use crate::engine::outcome::{Cancelled, Completed, Reported};
use crate::error::Error;
use crate::id::{MessageId, SessionId, WorkspaceId};
use crate::kernel::{Action, ConversationChange, HostChange};
use crate::observer::{Cause, EventKind, PendingEvent};
use crate::session::DeliveryReport;
use crate::store::{ConversationStore, Lookup, Subject};

impl<S: ConversationStore> Engine<S> {
    /// Hands in the result of a call that the host answered with
    /// [`Answer::Later`](crate::calls::Answer::Later) ([SEMANTICS D2](crate::semantics#d2)).
    ///
    /// A result is applied at most once; repeating it answers [`Completed::Stale`]. While the
    /// contact is with a person it is kept, and applied when they come back
    /// ([SEMANTICS S10](crate::semantics#s10)).
    ///
    /// # Errors
    /// `InvalidInput` when the reference is of another workspace; `Quarantined`, `Contention`,
    /// `Store`.
    #[cfg_attr(
        feature = "tracing",
        tracing::instrument(
            name = "chatflow.complete", level = "debug", target = "chatflow", skip_all,
            fields(
                workspace = %reference.workspace,
                contact = self.contact_label(&reference.workspace, &reference.contact)
            )
        )
    )]
    pub async fn complete(&self, reference: CallRef, result: CallResult) -> Result<Completed, Error> {
        let workspace = self.workspace()?;
        if reference.workspace != *workspace {
            return Err(Error::invalid("call_ref", "must be of this workspace"));
        }
        let mut complete = Action::Complete { call: reference.call, result: &result };
        let subject = Subject::Contact(reference.contact.clone());
        let resumed = self.act(Cause::Complete, workspace, subject, &mut complete).await?
            || Box::pin(self.complete_elsewhere(workspace, &reference, &mut complete)).await?;
        Ok(if resumed { Completed::Resumed } else { Completed::Stale })
    }

    /// The same where the contact turned out to be another one since the call was made (SEMANTICS
    /// A5).
    async fn complete_elsewhere(
        &self,
        workspace: &WorkspaceId,
        reference: &CallRef,
        complete: &mut Action<'_>,
    ) -> Result<bool, Error> {
        let subject = Subject::Alias(Alias::Session(reference.call.session));
        let stored = self.store.load(&self.lookup(workspace, subject)).await?.conversation;
        match stored.filter(|stored| stored.contact != reference.contact) {
            Some(stored) => {
                self.act(Cause::Complete, workspace, Subject::Contact(stored.contact), complete).await
            }
            None => Ok(false),
        }
    }

    /// Takes news of a message after the transport took it ([SEMANTICS D1](crate::semantics#d1)).
    /// It is told to the observer, and journalled while the session lives and its flow is logged. A
    /// message that did not arrive takes its node's `failed` or `window_closed` branch, if that
    /// send is the session's latest step and was not read.
    ///
    /// # Errors
    /// `InvalidInput` of `code` above 256 bytes; `Store`, and `Quarantined` or `Contention`.
    pub async fn report(&self, message: MessageId, report: DeliveryReport) -> Result<Reported, Error> {
        let workspace = self.workspace()?;
        let status = match &report {
            DeliveryReport::Delivered => "delivered",
            DeliveryReport::Read => "read",
            DeliveryReport::WindowClosed => "window_closed",
            DeliveryReport::Failed { code } => {
                crate::id::check_name(code).map_err(|rule| Error::invalid("code", rule))?;
                code
            }
        };
        let subject = Subject::Alias(Alias::Session(message.session));
        let lookup = self.lookup_for(Cause::Report, workspace, subject).await?;
        let (mut known, mut of) = (None, None);
        let mut note = Action::Report { message, report: &report, contact: &mut known, of: &mut of };
        self.act_on(Cause::Report, &lookup, &mut note).await?;
        let Some(contact) = known else { return Ok(Reported::Unknown) };
        self.tell_one(workspace, &contact, Cause::Report, |_| PendingEvent {
            of,
            ..PendingEvent::new(lookup.now, EventKind::Reported { message, status: status.into() })
        });
        Ok(Reported::Noted)
    }

    /// Ends a session; messages that it has not sent are dropped
    /// ([SEMANTICS D1](crate::semantics#d1)).
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
        let ended = self.act_on(Cause::Cancel, &lookup, &mut Action::Cancel { session }).await?;
        Ok(if ended { Cancelled::Cancelled } else { Cancelled::AlreadyEnded })
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
        let lookup = Lookup::new(workspace.clone(), subject, self.token(now), now);
        Lookup { in_place: true, known: true, ..lookup }
    }

    /// One change to a conversation that is there, after all that was due. Returns whether it took
    /// effect.
    pub(super) async fn act(
        &self,
        cause: Cause,
        workspace: &WorkspaceId,
        subject: Subject,
        change: &mut dyn ConversationChange,
    ) -> Result<bool, Error> {
        let lookup = self.lookup_for(cause, workspace, subject).await?;
        self.act_on(cause, &lookup, change).await
    }

    /// The same, with a lookup of the caller's: one that may add addresses must not decide in
    /// place.
    pub(super) async fn act_on(
        &self,
        cause: Cause,
        lookup: &Lookup,
        change: &mut dyn ConversationChange,
    ) -> Result<bool, Error> {
        let call = self.delivering(cause, lookup);
        let mut act = HostChange::new(change);
        // Boxed: the futures of the calls of hosts have no room for them.
        let mut delivery = Box::pin(self.transact(call, None, &mut act, &mut None, false)).await?;
        if delivery.is_some() {
            Box::pin(self.finish(&lookup.workspace, &mut delivery)).await;
        }
        Ok(act.took_effect)
    }
}
