//! Answering a trigger: anew, or once more as it was recorded.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::error::Error;
use crate::id::{ContactId, FlowVersion, SessionId};
use crate::kernel::decide::environment::Published;
use crate::kernel::decide::trigger::TriggerCall;
use crate::kernel::decide::trigger::state::{SessionState, TriggerAnswer};
use crate::kernel::{SessionRef, Triggered};
use crate::session::{Conversation, KeyRecord};

impl TriggerCall {
    /// The recorded answer. `live`: the conversation that was looked up, for a key whose record
    /// does not say what became of its session.
    pub(super) fn replayed(
        &self,
        record: &KeyRecord,
        name: &Arc<str>,
        live: Option<&Conversation>,
    ) -> Result<TriggerAnswer, Error> {
        if record.erased
            && let Some(key) = &self.request.key
        {
            return Err(Error::Erased(key.clone()));
        }
        if record.fingerprint != self.fingerprint {
            return Err(match &self.request.key {
                Some(key) => Error::IdempotencyConflict(key.clone()),
                None => Error::invalid("uuid", "was used for another request"),
            });
        }
        let state = record.status.map_or_else(
            || SessionState::now(live, record.session),
            |status| SessionState { status, failure: record.failure },
        );
        let version = (record.version, record.digest);
        let mut session = self.session_ref(name, record.session, version, &record.contact, state);
        session.replayed = true;
        let triggered =
            if record.started { Triggered::Started(session) } else { Triggered::AlreadyRunning(session) };
        Ok(TriggerAnswer::Final(triggered))
    }

    /// The answer of this call whose earlier attempt was written, in the state that it led to.
    pub(super) fn started(
        &self,
        published: &Published<'_>,
        conversation: &Conversation,
        key: Option<&KeyRecord>,
    ) -> TriggerAnswer {
        let live = || conversation.sessions().iter().find(|live| live.id() == self.session);
        let version = key
            .map(|record| (record.version, record.digest))
            .or_else(|| live().map(|live| (live.version(), live.digest())))
            .or(published.online)
            .unwrap_or((FlowVersion(0), None));
        let contact = &conversation.contact().id;
        let state = self.decided.unwrap_or_else(|| SessionState::now(Some(conversation), self.session));
        let session = self.session_ref(published.name, self.session, version, contact, state);
        TriggerAnswer::Final(Triggered::Started(session))
    }

    pub(super) fn session_ref(
        &self,
        name: &Arc<str>,
        session: SessionId,
        (version, digest): (FlowVersion, Option<u128>),
        contact: &ContactId,
        state: SessionState,
    ) -> SessionRef {
        SessionRef {
            session_id: session,
            flow_id: self.request.flow.clone(),
            flow_name: Arc::clone(name),
            flow_version: version,
            flow_digest: digest,
            contact_id: contact.clone(),
            status: state.status,
            failure: state.failure,
            replayed: false,
        }
    }

    /// The record of this answer under the trigger's key.
    pub(super) fn key_record(&self, triggered: &Triggered, expires_at: DateTime<Utc>) -> Option<KeyRecord> {
        let session = triggered.session().filter(|_| self.request.key.is_some())?;
        Some(KeyRecord {
            fingerprint: self.fingerprint,
            started: matches!(triggered, Triggered::Started(_)),
            session: session.session_id,
            version: session.flow_version,
            digest: session.flow_digest,
            contact: session.contact_id.clone(),
            expires_at,
            status: Some(session.status),
            failure: session.failure,
            erased: false,
        })
    }
}
