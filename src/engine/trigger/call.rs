//! One trigger while it is decided on, and what was minted for it: what it writes, what it answers.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::address::{Address, Alias};
use crate::engine::catalogue::View;
use crate::engine::decide::Found;
use crate::engine::outcome::{SessionRef, Triggered};
use crate::engine::request::CheckedTrigger;
use crate::engine::trigger::target::Target;
use crate::error::Error;
use crate::flow::Flow;
use crate::flow::node::{ContactMode, Node};
use crate::id::{ContactId, FlowVersion, SessionId};
use crate::kernel::{Decision, NewSession};
use crate::session::{Contact, Conversation, FailureCode, Origin, Route, Session, Status};
use crate::store::KeyRecord;
use crate::value::Bag;

/// What a decision on a trigger answers.
pub(super) enum Answer {
    Final(Triggered),
    /// The address leads to another contact.
    AddressTaken(Alias, ContactId),
    /// The address is new: it may have an opt-out of a contact that was erased.
    AddressNew(Address),
}

/// A session's status and the reason of its failure (SEMANTICS T11).
#[derive(Clone, Copy)]
pub(super) struct State {
    pub(super) status: Status,
    pub(super) failure: Option<FailureCode>,
}

impl State {
    pub(super) fn of(session: &Session) -> Self {
        Self { status: session.status(), failure: session.failure().map(|failure| failure.code) }
    }

    /// As a conversation has it now; a session that it does not have has ended.
    pub(super) fn now(conversation: Option<&Conversation>, session: SessionId) -> Self {
        let live = conversation.and_then(|found| found.sessions().iter().find(|live| live.id() == session));
        live.map_or(Self { status: Status::Completed, failure: None }, Self::of)
    }
}

/// A trigger and what was minted for it, once.
pub(super) struct Call {
    pub(super) request: CheckedTrigger,
    pub(super) fingerprint: u128,
    pub(super) session: SessionId,
    pub(super) target: Target,
}

impl Call {
    /// `live`: the conversation that was looked up, for a key whose record does not say what became
    /// of its session.
    pub(super) fn replay(
        &self,
        record: &KeyRecord,
        view: &View,
        live: Option<&Conversation>,
    ) -> Result<Answer, Error> {
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
            || State::now(live, record.session),
            |status| State { status, failure: record.failure },
        );
        let mut session =
            self.session_ref(view, record.session, (record.version, record.digest), &record.contact, state);
        session.replayed = true;
        let triggered =
            if record.started { Triggered::Started(session) } else { Triggered::AlreadyRunning(session) };
        Ok(Answer::Final(triggered))
    }

    /// Whether an earlier attempt of this very call was written.
    pub(super) fn is_in(&self, found: &Found, key_found: bool) -> bool {
        key_found || found.conversation.knows_call(self.session.0.as_u128())
    }

    /// The answer of this call whose earlier attempt was written. `decided` is the state that the
    /// attempt led to.
    pub(super) fn started(
        &self,
        view: &View,
        conversation: &Conversation,
        key: Option<&KeyRecord>,
        decided: Option<State>,
    ) -> Answer {
        let live = || conversation.sessions().iter().find(|live| live.id() == self.session);
        let version = key
            .map(|record| (record.version, record.digest))
            .or_else(|| live().map(|live| (live.version(), live.digest())))
            .or_else(|| view.entry.online().map(|version| (version, view.digest(version))))
            .unwrap_or((FlowVersion(0), None));
        let contact = &conversation.contact().id;
        let state = decided.unwrap_or_else(|| State::now(Some(conversation), self.session));
        Answer::Final(Triggered::Started(self.session_ref(view, self.session, version, contact, state)))
    }

    pub(super) fn session_ref(
        &self,
        view: &View,
        session: SessionId,
        (version, digest): (FlowVersion, Option<u128>),
        contact: &ContactId,
        state: State,
    ) -> SessionRef {
        SessionRef {
            session_id: session,
            flow_id: self.request.flow.clone(),
            flow_name: Arc::clone(&view.entry.name),
            flow_version: version,
            flow_digest: digest,
            contact_id: contact.clone(),
            status: state.status,
            failure: state.failure,
            replayed: false,
        }
    }

    pub(super) fn key_record(
        &self,
        session: &SessionRef,
        started: bool,
        expires_at: DateTime<Utc>,
    ) -> KeyRecord {
        KeyRecord {
            fingerprint: self.fingerprint,
            started,
            session: session.session_id,
            version: session.flow_version,
            digest: session.flow_digest,
            contact: session.contact_id.clone(),
            expires_at,
            status: Some(session.status),
            failure: session.failure,
            erased: false,
        }
    }

    /// Writes down what the request says of the contact; only a session that is really started
    /// makes or links one (SEMANTICS T2).
    pub(super) fn meet(
        &self,
        decision: &mut Decision<'_>,
        is_new: bool,
        opted_out_at: Option<DateTime<Utc>>,
    ) {
        let now = decision.now;
        let request = &self.request;
        if is_new {
            let contact = &mut decision.edit().contact;
            contact.minted = request.contact.is_none();
            contact.opted_in_at = (self.target != Target::Nobody(contact.id.clone())).then_some(now);
        }
        if opted_out_at.is_some() && decision.conversation.contact.opted_out_at.is_none() {
            decision.edit().contact.opted_out_at = opted_out_at;
        }
        if let Some(address) = &request.address
            && !decision.conversation.contact.addresses.contains(address)
        {
            let addresses = &mut decision.edit().contact.addresses;
            addresses.reserve_exact(1);
            addresses.push(address.clone());
            decision.add_aliases.push(Alias::Address(address.clone()));
        }
        if let Some(profile) = &request.profile {
            decision.edit().contact.learn(profile);
        }
        if request.campaign.is_some() {
            decision.edit().history().campaign_at = Some(now);
        }
    }

    /// The address that a session would link to the contact.
    pub(super) fn new_address(&self, contact: &Contact) -> Option<&Address> {
        self.request.address.as_ref().filter(|address| !contact.addresses.contains(address))
    }

    /// Where the session's messages go, as far as the request says: an address alone is written to
    /// from the flow's sender (SEMANTICS D4).
    pub(super) fn route(&self, decision: &Decision<'_>, flow: &Flow) -> Option<Arc<Route>> {
        let sender = || self.request.address.as_ref().and(flow.settings().sender.clone());
        let account = self.request.from.clone().or_else(sender)?;
        let given = self.request.address.clone().filter(|address| address.is_on(&account));
        let known = || {
            decision
                .conversation
                .contact
                .addresses
                .iter()
                .rev()
                .find(|address| address.is_on(&account))
                .cloned()
        };
        let to = given.or_else(known)?;
        Some(Arc::new(Route { account, to }))
    }

    /// The error in place of a session whose first turn failed, and so sent nothing, because the
    /// contact has no address on the channel that the flow sends from (SEMANTICS T11).
    pub(super) fn unreachable(&self, decision: &Decision<'_>, root: &Flow) -> Option<Error> {
        let session = decision.ended.last().filter(|ended| ended.id() == self.session)?;
        if session.failure()?.code != FailureCode::NoDestination
            || root.start().1.contact == ContactMode::None
        {
            return None;
        }
        let (flow, version) = session.active();
        let flow = decision.ground.flows.find(flow, Some(version))?.flow;
        let step = flow.node(flow.find(session.node(), flow.start().0)?)?;
        if matches!(&step.node, Node::SendMessage(send) if send.to.is_some()) {
            return None;
        }
        // Without a sender it is not the contact who is at fault.
        let sender = flow.settings().sender.as_ref().or(root.settings().sender.as_ref())?;
        let field = match &self.request.given {
            (_, Some(Address::Phone(_))) => "phone",
            (_, Some(_)) => "address",
            _ => "contact",
        };
        let channel = &sender.channel;
        Some(Error::invalid(field, format_args!("gives no address on {channel}, where the flow sends from")))
    }

    pub(super) fn new_session(
        &self,
        version: FlowVersion,
        context: Bag,
        route: Option<Arc<Route>>,
    ) -> NewSession {
        let request = &self.request;
        let origin = Origin {
            uuid: request.key.clone(),
            out_id: request.out_id.clone(),
            claim_time: request.claim_time,
            campaign: request.campaign.clone(),
            inbound: false,
            transactional: request.transactional,
            during_handoff: request.during_handoff,
        };
        NewSession {
            context,
            origin: (origin != Origin::default()).then(|| Box::new(origin)),
            route,
            ..NewSession::new(self.session, version)
        }
    }
}
