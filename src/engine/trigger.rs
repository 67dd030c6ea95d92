//! Starting a flow by call (SEMANTICS T).

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::address::{Address, Alias, Phone};
use crate::engine::Engine;
use crate::engine::catalogue::{Snapshot, View};
use crate::engine::contacts::Released;
use crate::engine::decide::{Decided, Facts, Found, Want, Written, put_back, take};
use crate::engine::deliver::Batch;
use crate::engine::outcome::{SessionRef, Triggered};
use crate::engine::request::{CheckedTrigger, TriggerRequest};
use crate::error::Error;
use crate::flow::{ContactMode, Flow};
use crate::id::{ContactId, FlowVersion, SessionId, WorkspaceId};
use crate::kernel::{
    Admission, Allowances, Decision, NewSession, Refusal, accept_inputs, admit, fingerprint, later, span,
};
use crate::observer::EventKind;
use crate::session::{Conversation, EndReason, Origin, Route, Session, Verdict};
use crate::store::{ConversationStore, KeyName, KeyRecord, Loaded, Lookup, Subject};
use crate::value::Bag;

impl<S: ConversationStore> Engine<S> {
    /// Starts a flow for a contact, and runs it to its first wait (SEMANTICS T).
    ///
    /// Safe to repeat with the same `uuid`: the first answer comes again. Without one, a contact with a live
    /// session of the flow answers [`Triggered::AlreadyRunning`].
    ///
    /// # Errors
    /// `InvalidInput`, `FlowNotFound`, `FlowNotPublished`, `IdempotencyConflict`, `ContactNotFound`,
    /// `TooManySessions`, `Quarantined`, `Contention`, `Store`. Nothing was started, and the key was not used.
    pub async fn trigger(&self, request: TriggerRequest) -> Result<Triggered, Error> {
        let workspace = self.workspace()?;
        let mut request = request.check(&self.ports.limits)?;
        let now = self.now();
        let snapshot = self.snapshot(now).await?;
        let subject = Target::of(&mut request, &snapshot, || self.ports.ids.mint(now).into());
        let token = self.token(now);
        let call = Call {
            fingerprint: fingerprint(
                request.given.0.as_ref(),
                request.given.1.as_ref(),
                &request.context,
                request.out_id.as_deref(),
            ),
            session: SessionId(token.0),
            target: subject,
            request,
        };
        drop(snapshot);
        let lookup = Lookup {
            workspace: workspace.clone(),
            subject: call.target.subject(),
            key: call.request.key.clone().map(|key| KeyName { flow: call.request.flow.clone(), key }),
            token,
            now,
            in_place: false,
        };
        let mut carried_opt_out = None;
        for _ in 0..2 {
            let decide =
                |facts: Facts<'_>| self.decide_trigger(workspace, &call, &lookup, carried_opt_out, facts);
            let Written { answer, batch } =
                self.transact(workspace, &self.flows, &lookup, None, decide).await?;
            match answer? {
                Answer::Final(triggered) => {
                    self.finish(&lookup, &self.flows, batch).await;
                    return Ok(triggered);
                }
                Answer::AddressTaken(alias, holder) => {
                    let transactional = call.request.transactional;
                    match self.release_address(workspace, &alias, &holder, "phone", transactional).await? {
                        Released::Free { opted_out_at } => carried_opt_out = opted_out_at,
                        Released::OptedOut => return Ok(Triggered::Refused(Refusal::OptedOut)),
                    }
                }
            }
        }
        Err(Error::Contention)
    }

    fn decide_trigger(
        &self,
        workspace: &WorkspaceId,
        call: &Call,
        lookup: &Lookup,
        carried_opt_out: Option<DateTime<Utc>>,
        facts: Facts<'_>,
    ) -> Decided<Answer> {
        let Facts { snapshot, loaded, now, maybe_done, taken } = facts;
        let request = &call.request;
        let Some(view) = snapshot.view(&request.flow) else {
            return Decided::Answer(Err(Error::FlowNotFound(request.flow.clone())));
        };
        let key = loaded.key.take();
        if let Some(record) = &key
            && !(maybe_done && record.session == call.session)
        {
            return Decided::Answer(call.replay(record, view));
        }
        // Who was named by the address alone is its holder, and was found by it.
        if let Some((alias, holder)) = taken
            && matches!(call.target, Target::Named(_))
        {
            return Decided::Answer(Ok(Answer::AddressTaken(alias.clone(), holder.clone())));
        }
        let mut found = match take(loaded) {
            Ok(found) => found,
            Err(error) => return Decided::Answer(Err(error)),
        };
        if maybe_done && let Some(found) = found.take_if(|found| call.is_in(found, key.is_some(), now, self))
        {
            let answer = call.started(view, &found.conversation, key.as_ref());
            return self.resume_delivery(workspace, snapshot, loaded, found, now, answer);
        }
        let mut give_back = |found: Option<Found>, answer: Result<Triggered, Error>| {
            if let Some(found) = found {
                put_back(loaded, found);
            }
            Decided::Answer(answer.map(Answer::Final))
        };
        let Some((version, flow)) = view.online().filter(|(_, flow)| flow.trigger().is_manual()) else {
            return give_back(found, Err(Error::FlowNotPublished(request.flow.clone())));
        };
        if request.discard_time.is_some_and(|discard| now >= discard) {
            return give_back(found, Ok(Triggered::Discarded));
        }
        if let Err(error) = call.target.check(found.is_some(), self.ports.policy.refuse_unknown_contacts) {
            return give_back(found, Err(error));
        }
        let (context, dropped) =
            match accept_inputs(flow.start().1, request.context.clone(), &self.ports.limits) {
                Ok(accepted) => accepted,
                Err(error) => return give_back(found, Err(error)),
            };
        let ground = self.ground(workspace, snapshot);
        let expect = found.as_ref().map(|found| found.revision);
        let contact = call.target.contact();
        let mut decision = match found {
            Some(found) => Decision::new(ground, found.conversation, found.settled, now),
            None => Decision::first(ground, contact.clone(), now),
        };
        let missing = decision.missing();
        if !missing.is_empty() {
            return Decided::Fetch(missing);
        }
        decision.apply_due();
        let answer =
            match self.admit_trigger(&decision, flow, expect.is_some(), request) {
                Admission::Refused(why) => Ok(Triggered::Refused(why)),
                Admission::TooMany => {
                    let contact = decision.conversation.contact().id.clone();
                    Err(Error::TooManySessions { contact, max: self.ports.limits.live_sessions })
                }
                Admission::AlreadyRunning(session, version) => Ok(Triggered::AlreadyRunning(
                    call.session_ref(view, session, version, &decision.conversation.contact().id),
                )),
                admission => {
                    if admission == Admission::Interrupt {
                        decision.end_all(EndReason::Interrupted);
                    }
                    call.meet(&mut decision, expect.is_none(), carried_opt_out);
                    let route = call.route(&decision, flow);
                    for key in dropped {
                        decision.note(EventKind::InputDropped { session: call.session, key: key.into() });
                    }
                    decision.start(flow, call.new_session(version, context, route));
                    if lookup.key.is_none() {
                        decision.remember(lookup.token.0.as_u128(), Verdict::Started(call.session));
                    }
                    Ok(Triggered::Started(call.session_ref(
                        view,
                        call.session,
                        version,
                        &decision.conversation.contact().id,
                    )))
                }
            };
        let key = answer.as_ref().ok().and_then(Triggered::session).and_then(|session| {
            let started = matches!(answer, Ok(Triggered::Started(_)));
            Some((lookup.key.clone()?, call.key_record(session, started, self.key_expiry(request, now))))
        });
        let answer = answer.map(Answer::Final);
        if !decision.changed && key.is_none() {
            return Decided::Answer(answer);
        }
        Decided::Write(answer, self.draft(decision, lookup, expect, key, Want::Deliver))
    }

    fn admit_trigger(
        &self,
        decision: &Decision<'_>,
        flow: &Flow,
        is_known: bool,
        request: &CheckedTrigger,
    ) -> Admission {
        let allow = Allowances { opted_out: request.transactional, in_handoff: request.during_handoff };
        let conversation = is_known.then_some(&*decision.conversation);
        admit(flow, conversation, allow, decision.now, self.ports.limits.live_sessions)
    }

    /// Until when a key is honoured: the retention, or the discard time if that is later, at most 30 days
    /// (SEMANTICS T5).
    fn key_expiry(&self, request: &CheckedTrigger, now: DateTime<Utc>) -> DateTime<Utc> {
        let retention = later(now, span(self.ports.policy.key_retention));
        let most = later(now, span(self.ports.limits.max_key_retention));
        request.discard_time.map_or(retention, |discard| discard.max(retention)).min(most)
    }

    /// This call's own work was found after an unknown outcome: deliver it, if its lease is still ours.
    pub(super) fn resume_delivery<T>(
        &self,
        workspace: &WorkspaceId,
        snapshot: &Snapshot,
        loaded: &mut Loaded,
        found: Found,
        now: DateTime<Utc>,
        answer: T,
    ) -> Decided<T> {
        if !found.leased {
            put_back(loaded, found);
            return Decided::Answer(Ok(answer));
        }
        let place = found.place();
        let contact = found.conversation.contact().id.clone();
        let decision =
            Decision::new(self.ground(workspace, snapshot), found.conversation, place.settled, now);
        let batch = Batch::of(&decision, &contact, self.ports.policy.inline_calls, now);
        put_back(loaded, place.with(decision.conversation));
        Decided::Go(Ok(answer), Box::new(Batch { revision: place.revision, ..batch }))
    }
}

/// What a decision on a trigger answers.
enum Answer {
    Final(Triggered),
    /// The address leads to another contact.
    AddressTaken(Alias, ContactId),
}

/// A trigger and what was minted for it, once.
struct Call {
    request: CheckedTrigger,
    fingerprint: u128,
    session: SessionId,
    target: Target,
}

impl Call {
    fn replay(&self, record: &KeyRecord, view: &View) -> Result<Answer, Error> {
        if record.fingerprint != self.fingerprint {
            return Err(match &self.request.key {
                Some(key) => Error::IdempotencyConflict(key.clone()),
                None => Error::invalid("uuid", "was used for another request"),
            });
        }
        let mut session = self.session_ref(view, record.session, record.version, &record.contact);
        session.replayed = true;
        let triggered =
            if record.started { Triggered::Started(session) } else { Triggered::AlreadyRunning(session) };
        Ok(Answer::Final(triggered))
    }

    /// Whether an earlier attempt of this very call was written.
    fn is_in<S: ConversationStore>(
        &self,
        found: &Found,
        key_found: bool,
        now: DateTime<Utc>,
        engine: &Engine<S>,
    ) -> bool {
        key_found || found.conversation.recall(self.session.0.as_u128(), now, &engine.ports.limits).is_some()
    }

    /// What this call came to, as an earlier attempt of it was written.
    fn started(&self, view: &View, conversation: &Conversation, key: Option<&KeyRecord>) -> Answer {
        let live = || conversation.sessions().iter().find(|live| live.id() == self.session);
        let version = key
            .map(|record| record.version)
            .or_else(|| live().map(Session::version))
            .or_else(|| view.entry.online())
            .unwrap_or(FlowVersion(0));
        let contact = &conversation.contact().id;
        Answer::Final(Triggered::Started(self.session_ref(view, self.session, version, contact)))
    }

    fn session_ref(
        &self,
        view: &View,
        session: SessionId,
        version: FlowVersion,
        contact: &ContactId,
    ) -> SessionRef {
        SessionRef {
            session_id: session,
            flow_id: self.request.flow.clone(),
            flow_name: Arc::clone(&view.entry.name),
            flow_version: version,
            contact_id: contact.clone(),
            replayed: false,
        }
    }

    fn key_record(&self, session: &SessionRef, started: bool, expires_at: DateTime<Utc>) -> KeyRecord {
        KeyRecord {
            fingerprint: self.fingerprint,
            started,
            session: session.session_id,
            version: session.flow_version,
            contact: session.contact_id.clone(),
            expires_at,
        }
    }

    /// Writes down what the request says of the contact; only a session that is really started makes or links one
    /// (SEMANTICS T2).
    fn meet(&self, decision: &mut Decision<'_>, is_new: bool, opted_out_at: Option<DateTime<Utc>>) {
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

    /// Where the session's messages go, as far as the request says: an address alone is written to from the flow's
    /// sender (SEMANTICS D4).
    fn route(&self, decision: &Decision<'_>, flow: &Flow) -> Option<Arc<Route>> {
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

    fn new_session(&self, version: FlowVersion, context: Bag, route: Option<Arc<Route>>) -> NewSession {
        let request = &self.request;
        let origin = Origin {
            uuid: request.key.clone(),
            out_id: request.out_id.clone(),
            claim_time: request.claim_time,
            campaign: request.campaign.clone(),
            inbound: false,
            transactional: request.transactional,
        };
        NewSession {
            context,
            origin: (origin != Origin::default()).then(|| Box::new(origin)),
            route,
            ..NewSession::new(self.session, version)
        }
    }
}

/// Whose conversation a trigger is about.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    /// The contact that the request names.
    Named(ContactId),
    /// Whoever has this address; a new contact with this id if nobody does.
    Addressed(Address, ContactId),
    /// Nobody: the flow runs without a contact, in a conversation of its own.
    Nobody(ContactId),
    /// The request, or what it leads to, is no contact.
    Wrong(ContactId, String, String),
}

impl Target {
    /// The contact that a request names, or that its context holds where the start node says (SEMANTICS T2).
    fn of(request: &mut CheckedTrigger, snapshot: &Snapshot, mint: impl Fn() -> ContactId) -> Self {
        request.given = (request.contact.clone(), request.address.clone());
        if request.contact.is_none() && request.address.is_none() {
            let online = snapshot.view(&request.flow).and_then(View::online);
            if let Some(start) = online.map(|(_, flow)| flow.start().1) {
                if let Err((field, rule)) =
                    read_contact(request, start.contact_id_from.as_deref(), start.contact_from.as_deref())
                {
                    return Self::Wrong(mint(), field, rule);
                }
                if start.contact == ContactMode::None
                    && request.contact.is_none()
                    && request.address.is_none()
                {
                    return Self::Nobody(mint());
                }
            }
        }
        match (&request.contact, &request.address) {
            (Some(contact), _) => Self::Named(contact.clone()),
            (None, Some(address)) => Self::Addressed(address.clone(), mint()),
            (None, None) => {
                let rule = "must be given: a `contact_id`, a `phone` or an `address`";
                Self::Wrong(mint(), "contact".to_owned(), rule.to_owned())
            }
        }
    }

    fn subject(&self) -> Subject {
        match self {
            Self::Addressed(address, _) => Subject::Alias(Alias::Address(address.clone())),
            Self::Named(contact) | Self::Nobody(contact) | Self::Wrong(contact, ..) => {
                Subject::Contact(contact.clone())
            }
        }
    }

    /// The contact, if it has to be made.
    fn contact(&self) -> ContactId {
        match self {
            Self::Named(contact)
            | Self::Addressed(_, contact)
            | Self::Nobody(contact)
            | Self::Wrong(contact, ..) => contact.clone(),
        }
    }

    fn check(&self, is_known: bool, refuse_unknown: bool) -> Result<(), Error> {
        match self {
            Self::Wrong(_, field, rule) => Err(Error::invalid(field.clone(), rule)),
            Self::Named(contact) if refuse_unknown && !is_known => {
                Err(Error::ContactNotFound(contact.clone()))
            }
            _ => Ok(()),
        }
    }
}

/// Reads the contact from the context, where the start node says it is.
fn read_contact(
    request: &mut CheckedTrigger,
    id_from: Option<&str>,
    address_from: Option<&str>,
) -> Result<(), (String, String)> {
    let text = |name: Option<&str>| {
        let value = request.context.get(name?)?;
        value.as_str().map(ToOwned::to_owned).or_else(|| value.as_u64().map(|number| number.to_string()))
    };
    let (id, address) = (text(id_from), text(address_from));
    if let Some(id) = id {
        let name = id_from.unwrap_or_default();
        request.contact =
            Some(ContactId::new(id).map_err(|rule| {
                (format!("context.{name}"), format!("holds the contact's id, which {rule}"))
            })?);
    }
    if let Some(address) = address {
        let name = address_from.unwrap_or_default();
        let named = request.from.as_ref().filter(|account| !account.channel.is_phone());
        let address = match named {
            Some(account) => Address::new(account, &address).map_err(|rule| rule.to_string()),
            None => Phone::parse_inbound(&address).map(Address::Phone).map_err(|rule| rule.to_string()),
        };
        request.address = Some(address.map_err(|rule| {
            (format!("context.{name}"), format!("holds the contact's address, which {rule}"))
        })?);
    }
    Ok(())
}
