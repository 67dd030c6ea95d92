//! Handing a contact over to a person of the host, and taking it back (SEMANTICS S10).

use serde_json::Value;

use crate::address::Alias;
use crate::engine::Engine;
use crate::engine::outcome::{HandedBack, HandedOver};
use crate::engine::request::bad_value;
use crate::error::Error;
use crate::id::{ContactId, SessionId};
use crate::observer::Cause;
use crate::store::{ConversationStore, Subject};
use crate::value::{Bag, Caps};

impl<S: ConversationStore> Engine<S> {
    /// Hands a session over to a person, wherever it stands; afterwards it stands there again, with
    /// the time that it had left. It lasts 24 hours from the latest message or touch; then the
    /// session is expired.
    ///
    /// Until the contact is handed back the engine is silent for the whole conversation: messages
    /// of the contact are answered as [`Received::Handoff`](crate::Received::Handoff), for the
    /// person to read; timers of its other sessions stand still; triggers are refused.
    ///
    /// # Errors
    /// `SessionNotFound`, `Quarantined`, `Contention`, `Store`.
    pub async fn handoff(&self, session: SessionId) -> Result<HandedOver, Error> {
        let workspace = self.workspace()?;
        let lookup = self.lookup(workspace, Subject::Alias(Alias::Session(session)));
        if self.store.load(&lookup).await?.conversation.is_none() {
            return Err(Error::SessionNotFound(session));
        }
        self.act(
            Cause::Handoff,
            workspace,
            lookup.subject,
            HandedOver::Unchanged,
            HandedOver::HandedOver,
            |decision| {
                let place = decision.place_of(session);
                place.is_some_and(|place| decision.hand_over(place))
            },
        )
        .await
    }

    /// Takes a contact back from a person: each session in handoff goes on. One that a `handoff`
    /// node handed over takes `returned`, or `next` without such an edge; any other stands where it
    /// stood.
    ///
    /// `vars` are variables that the person found out, written before the session goes on: an
    /// object, `json!({})` for none.
    ///
    /// # Errors
    /// `InvalidInput` of `vars`; `Quarantined`, `Contention`, `Store`.
    pub async fn resume_from_handoff(&self, contact: &ContactId, vars: Value) -> Result<HandedBack, Error> {
        let workspace = self.workspace()?;
        let vars = Bag::from_json(&vars, &Caps::of(&self.ports.limits))
            .map_err(|error| bad_value("vars", &error))?;
        let subject = Subject::Contact(contact.clone());
        self.act(
            Cause::Handoff,
            workspace,
            subject,
            HandedBack::NotInHandoff,
            HandedBack::Resumed,
            |decision| decision.hand_back(&vars),
        )
        .await
    }

    /// Says that the person is busy with the contact: the handoff's time begins anew, as it does
    /// with each message of the contact. Answers whether the contact is in handoff.
    ///
    /// # Errors
    /// `Quarantined`, `Contention`, `Store`.
    pub async fn touch(&self, contact: &ContactId) -> Result<bool, Error> {
        let workspace = self.workspace()?;
        let subject = Subject::Contact(contact.clone());
        self.act(Cause::Handoff, workspace, subject, false, true, |decision| decision.touch()).await
    }
}
