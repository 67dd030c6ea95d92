//! Handing a contact over to a person of the host, and taking it back (SEMANTICS S10).

use serde_json::Value;

use crate::address::Alias;
use crate::engine::Engine;
use crate::engine::outcome::{HandedBack, HandedOver};
use crate::error::Error;
use crate::id::{ContactId, SessionId};
use crate::kernel::Action;
use crate::observer::Cause;
use crate::request::bad_value;
use crate::store::{ConversationStore, Subject};
use crate::value::{PackLimits, PackedMap};

/// The session, or the contact, that a person takes over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandoffOf {
    /// This session.
    Session(SessionId),
    /// The newest session of this contact, or the contact alone.
    Contact(ContactId),
}

impl From<SessionId> for HandoffOf {
    fn from(session: SessionId) -> Self {
        Self::Session(session)
    }
}

impl From<ContactId> for HandoffOf {
    fn from(contact: ContactId) -> Self {
        Self::Contact(contact)
    }
}

impl From<&ContactId> for HandoffOf {
    fn from(contact: &ContactId) -> Self {
        Self::Contact(contact.clone())
    }
}

impl<S: ConversationStore> Engine<S> {
    /// Hands a session over to a person, at any node; afterwards it is at that node again, with
    /// the time that it had left. It lasts 24 hours from the latest message or touch; then the
    /// session is expired.
    ///
    /// Of a [contact](HandoffOf::Contact) it is the newest session that is handed over. A contact
    /// who is in no session is with a person by a [pause](Self::pause) of the bot, which has no end
    /// of its own ([SEMANTICS Q3](crate::semantics#q3)).
    ///
    /// Until the contact is handed back the engine is silent for the whole conversation: messages
    /// of the contact are answered as [`Received::Handoff`](crate::Received::Handoff), for the
    /// person to read; timers of its other sessions are suspended; triggers are refused.
    ///
    /// # Errors
    /// `SessionNotFound`, `ContactNotFound`, `Quarantined`, `Contention`, `Store`.
    pub async fn handoff(&self, of: impl Into<HandoffOf>) -> Result<HandedOver, Error> {
        let workspace = self.workspace()?;
        let session = match of.into() {
            HandoffOf::Session(session) => session,
            HandoffOf::Contact(contact) => {
                let handed_over = self.change(&contact, Action::HandOverContact).await?;
                return Ok(if handed_over { HandedOver::HandedOver } else { HandedOver::Unchanged });
            }
        };
        let lookup = self.lookup(workspace, Subject::Alias(Alias::Session(session)));
        if self.store.load(&lookup).await?.conversation.is_none() {
            return Err(Error::SessionNotFound(session));
        }
        let mut hand_over = Action::HandOver { session };
        let handed_over = self.act(Cause::Handoff, workspace, lookup.subject, &mut hand_over).await?;
        Ok(if handed_over { HandedOver::HandedOver } else { HandedOver::Unchanged })
    }

    /// Takes a contact back from a person: each session in handoff continues. One that a `handoff`
    /// node handed over takes `returned`, or `next` without such an edge; any other is where it
    /// was.
    ///
    /// `vars` are variables that the person found out, written before the session continues: an
    /// object, `json!({})` for none.
    ///
    /// # Errors
    /// `InvalidInput` of `vars`; `Quarantined`, `Contention`, `Store`.
    pub async fn resume_from_handoff(&self, contact: &ContactId, vars: Value) -> Result<HandedBack, Error> {
        let workspace = self.workspace()?;
        let vars = PackedMap::from_json(&vars, &PackLimits::of(&self.ports.limits))
            .map_err(|error| bad_value("vars", &error))?;
        let subject = Subject::Contact(contact.clone());
        let mut hand_back = Action::HandBack { vars: &vars };
        let resumed = self.act(Cause::Handoff, workspace, subject, &mut hand_back).await?;
        Ok(if resumed { HandedBack::Resumed } else { HandedBack::NotInHandoff })
    }

    /// Says that the person is busy with the contact: the handoff's time begins anew, as it does
    /// with each message of the contact. Returns true if the contact is in handoff.
    ///
    /// # Errors
    /// `Quarantined`, `Contention`, `Store`.
    pub async fn touch(&self, contact: &ContactId) -> Result<bool, Error> {
        let workspace = self.workspace()?;
        let subject = Subject::Contact(contact.clone());
        self.act(Cause::Handoff, workspace, subject, &mut Action::Touch).await
    }
}
