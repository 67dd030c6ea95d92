//! Inbound messages: who gets them, and what comes of it (SEMANTICS I).

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::address::{AccountRef, Alias};
use crate::engine::Engine;
use crate::engine::catalogue::Snapshot;
use crate::engine::contacts::Released;
use crate::engine::decide::{Decided, Facts, Found, LeaseIntent, Written, put_back, take};
use crate::engine::erase::CarriedOptOut;
use crate::engine::outcome::Received;
use crate::engine::request::{CheckedInbound, Inbound};
use crate::error::Error;
use crate::flow::{Flow, KeywordAction, Keywords, keyword_form};
use crate::id::{ContactId, FlowId, FlowVersion, SessionId, WorkspaceId};
use crate::kernel::{
    Admission, Allowances, Candidate, Decision, Heard, InboundMessage, Input, NewSession, Routing, Unready,
    admit, default_inputs, hear, message_hash, own_choice, route,
};
use crate::limits::Limits;
use crate::observer::{Cause, EventKind, Noted};
use crate::session::{EndReason, Message, MessageKind, Origin, Route, Session, Verdict};
use crate::store::{ConversationStore, Lookup, Subject};
use crate::value::Bag;

impl<S: ConversationStore> Engine<S> {
    /// Takes a message from a contact to the session, the trigger or the queue that it is for
    /// (SEMANTICS I1).
    ///
    /// Safe to repeat with the same `id`: a redelivery answers [`Received::Duplicate`] and changes
    /// nothing.
    ///
    /// # Errors
    /// `InvalidInput`, `Quarantined`, `VersionMissing`, `Contention`, `Store`. The message was not
    /// taken, unless `Store` is of kind [`Unknown`](crate::error::StoreErrorKind::Unknown): then
    /// nobody knows, and the same call with the same `id` finds out (SEMANTICS D6).
    #[cfg_attr(
        feature = "tracing",
        tracing::instrument(name = "chatflow.receive", level = "debug", target = "chatflow", skip_all)
    )]
    pub async fn receive(&self, inbound: Inbound) -> Result<Received, Error> {
        let workspace = self.workspace()?;
        let inbound = inbound.check(&self.ports.limits)?;
        let now = self.time(Cause::Receive).await?;
        let token = self.token(now);
        let arrival = Arrival::of(inbound, self.ports.ids.mint(now).into(), token.0.as_u128());
        let subject = match &arrival.inbound.contact {
            Some(contact) => Subject::Contact(contact.clone()),
            None => Subject::Alias(Alias::Address(arrival.inbound.address.clone())),
        };
        let in_place = arrival.inbound.contact.is_none();
        let lookup = Lookup { in_place, ..Lookup::new(workspace.clone(), subject, token, now) };
        let mut opt_out = self.no_opt_out();
        for _ in 0..3 {
            let mut met = None;
            let decide = |facts: Facts<'_>| {
                met = self.met(&facts);
                self.decide_inbound(workspace, &lookup, &arrival, opt_out, facts)
            };
            let Written { answer, batch } =
                self.transact(Cause::Receive, workspace, &self.flows, &lookup, None, decide).await?;
            match answer? {
                Answer::Final(received) => {
                    let contact = met.as_ref().unwrap_or(&arrival.contact);
                    self.tell_one(workspace, contact, Cause::Receive, |at| {
                        Noted::new(at, heard_as(&received))
                    });
                    self.finish(&lookup, &self.flows, batch).await;
                    return Ok(received);
                }
                Answer::AddressTaken(alias, holder) => {
                    if let Released::Free { opted_out_at } = self
                        .release_address(workspace, &alias, (&holder, &arrival.contact), "from", true)
                        .await?
                    {
                        opt_out = CarriedOptOut { since: opted_out_at, is_known: true };
                    }
                }
                Answer::AddressNew => {
                    let since = self.kept_opt_out(workspace, &arrival.inbound.address).await?;
                    opt_out = CarriedOptOut { since, is_known: true };
                }
            }
        }
        Err(Error::Contention)
    }

    fn decide_inbound(
        &self,
        workspace: &WorkspaceId,
        lookup: &Lookup,
        arrival: &Arrival,
        opt_out: CarriedOptOut,
        facts: Facts<'_>,
    ) -> Decided<Answer> {
        let Facts { snapshot, loaded, now, maybe_done, taken } = facts;
        let limits = &self.ports.limits;
        if let Some((alias, holder)) = taken
            && arrival.inbound.contact.is_some()
        {
            return Decided::Answer(Ok(Answer::AddressTaken(alias.clone(), holder.clone())));
        }
        let found = match take(loaded) {
            Ok(found) => found,
            Err(error) => return Decided::Answer(Err(error)),
        };
        let found = match found.map(|found| arrival.recall(found, now, limits)) {
            // Only the call that took the message says so; any other found it taken (SEMANTICS D6).
            Some((found, Some((first, call)))) if maybe_done && call == arrival.tag() => {
                return self.resume_delivery(
                    (workspace, Cause::Receive),
                    snapshot,
                    loaded,
                    found,
                    now,
                    Answer::Final(first.into()),
                );
            }
            Some((found, Some((first, _)))) => {
                put_back(loaded, found);
                return Decided::Answer(Ok(Answer::Final(Received::Duplicate {
                    first: Box::new(first.into()),
                })));
            }
            other => other.map(|(found, _)| found),
        };
        let ground = self.ground(workspace, snapshot, now, Cause::Receive);
        // Nobody may want the message but a flow that cannot be used here (SEMANTICS S14): then all
        // is as it was.
        let lacking = snapshot.missing_on(arrival.account()).map(|missing| {
            let (flow, version, reason) = missing;
            let before = found.as_ref().map(|found| Arc::clone(&found.conversation));
            (before, Unready::Missing(flow, version, reason))
        });
        let place = found.as_ref().map(Found::place);
        let expect = place.map(|place| place.revision);
        let mut decision = match found {
            Some(found) => Decision::new(ground, found.conversation, found.settled, now),
            None => Decision::first(ground, arrival.contact.clone(), now),
        };
        let host = &self.ports.keywords;
        if let Err(unready) = decision.ready()
            && !(matches!(unready, Unready::Missing(..) | Unready::InDoubt(_)) && arrival.opts_out(host))
        {
            let contact = decision.conversation.contact().id.clone();
            if let Some(place) = place {
                put_back(loaded, place.with(decision.conversation));
            }
            return Decided::unready(contact, unready);
        }
        if !opt_out.is_known && !decision.conversation.contact.addresses.contains(&arrival.inbound.address) {
            if let Some(place) = place {
                put_back(loaded, place.with(decision.conversation));
            }
            return Decided::Answer(Ok(Answer::AddressNew));
        }
        decision.apply_due();
        let message = InboundMessage {
            message: &arrival.inbound.message,
            account: arrival.account(),
            choice: arrival.choice,
            timestamp: arrival.inbound.timestamp,
        };
        let known = expect.is_some().then_some(&*decision.conversation);
        let is_out = opt_out.since.is_some() || decision.conversation.contact.opted_out_at.is_some();
        let version_of = |flow: &FlowId, version: FlowVersion| decision.version_of(flow, version);
        let asked_by = |session: &Session| decision.asked_by(session);
        let heard = hear(&message, (known, is_out), version_of, asked_by, host, decision.now, limits);
        if heard != Heard::Nothing {
            arrival.meet(&mut decision, expect.is_none(), opt_out.since);
        }
        let is_new = expect.is_none();
        let verdict = match arrival.obey(&mut decision, snapshot, heard) {
            Some(verdict) => verdict,
            None => match arrival.pass_on(&mut decision, snapshot, &message, is_new, opt_out.since) {
                Ok(verdict) => verdict,
                Err(Received::Unmatched) if lacking.is_some() => Verdict::Unmatched,
                Err(unwritten) => return Decided::Answer(Ok(Answer::Final(unwritten))),
            },
        };
        if let Some((before, missing)) = lacking.filter(|_| verdict == Verdict::Unmatched) {
            let contact = decision.conversation.contact().id.clone();
            if let Some((place, before)) = place.zip(before) {
                put_back(loaded, place.with(before));
            }
            return Decided::unready(contact, missing);
        }
        decision.remember(arrival.id, verdict, arrival.tag());
        decision.forget();
        let answer = Ok(Answer::Final(verdict.into()));
        Decided::Write(answer, self.draft(decision, lookup, expect, None, LeaseIntent::Deliver))
    }
}

/// The event of what became of an inbound message.
fn heard_as(received: &Received) -> EventKind {
    match received {
        Received::Unmatched => EventKind::Unmatched,
        taken => EventKind::Received { outcome: taken.as_str() },
    }
}

/// What a decision on an inbound message answers.
enum Answer {
    Final(Received),
    /// The address leads to another contact than the one that the message names.
    AddressTaken(Alias, ContactId),
    /// The address is new: it may have an opt-out of a contact that was erased.
    AddressNew,
}

/// An inbound message and what was minted for it, once.
pub(super) struct Arrival {
    inbound: CheckedInbound,
    /// How a repeat is recognised: by channel, account and message id; without an id by the call
    /// itself.
    id: u128,
    /// The contact, if it has to be made.
    contact: ContactId,
    /// The session, if one is started.
    session: u128,
    /// The session and wait number that a payload of ours names.
    choice: Option<(SessionId, u32)>,
}

impl Arrival {
    fn of(mut inbound: CheckedInbound, contact: ContactId, call: u128) -> Self {
        let account = AccountRef { channel: &inbound.channel, account: &inbound.account };
        let id = inbound.id.as_deref().map_or(call, |id| message_hash(account, id));
        let mut choice = None;
        if let Some(payload) = inbound.message.payload.take() {
            inbound.message.payload = Some(match own_choice(&payload) {
                Some((session, wait, option)) => {
                    choice = Some((session, wait));
                    option.into()
                }
                None => payload,
            });
        }
        let contact = inbound.contact.clone().unwrap_or(contact);
        Self { inbound, id, contact, session: call, choice }
    }

    /// Names this call among those that may have brought the same message; never 0.
    #[expect(clippy::cast_possible_truncation, reason = "the last bits of a random id tell calls apart")]
    fn tag(&self) -> u32 {
        (self.session as u32).max(1)
    }

    /// The outcome of the same message before, and the call that brought it.
    fn recall(&self, found: Found, now: DateTime<Utc>, limits: &Limits) -> (Found, Option<(Verdict, u32)>) {
        let now = now.max(found.conversation.last_at);
        let first = found.conversation.recall(self.id, now, limits);
        (found, first)
    }

    pub(super) fn account(&self) -> AccountRef<'_> {
        AccountRef { channel: &self.inbound.channel, account: &self.inbound.account }
    }

    pub(super) fn text(&self) -> &str {
        &self.inbound.message.text
    }

    pub(super) fn route(&self) -> Arc<Route> {
        Arc::new(Route { account: self.account().to_account(), to: self.inbound.address.clone() })
    }

    pub(super) fn session(&self) -> SessionId {
        SessionId(uuid::Uuid::from_u128(self.session))
    }

    /// True for a host's word of opting out, which always works (SEMANTICS I6).
    fn opts_out(&self, host: &Keywords) -> bool {
        let Message { kind, text, .. } = &self.inbound.message;
        let word = (*kind == MessageKind::Text).then(|| keyword_form(text)).flatten();
        let keyword = word.and_then(|word| host.find(&word));
        keyword.is_some_and(|keyword| keyword.action == KeywordAction::OptOut)
    }

    fn message(&self) -> Message {
        self.inbound.message.clone()
    }

    /// Gives the message to the session, the trigger or the queue that it is for. Err: it came to
    /// this and writes nothing, since its contact is not known and it starts no session (SEMANTICS
    /// I13).
    fn pass_on(
        &self,
        decision: &mut Decision<'_>,
        snapshot: &Snapshot,
        message: &InboundMessage<'_>,
        is_new: bool,
        opted_out_at: Option<DateTime<Utc>>,
    ) -> Result<Verdict, Received> {
        let limits = decision.ground.limits;
        let startable: Vec<_> = snapshot.startable(self.account()).collect();
        let known = (!is_new).then_some(&*decision.conversation);
        let allow = Allowances { opted_out: true, in_handoff: false };
        let admit = |flow| admit(flow, known, allow, decision.now, limits.live_sessions);
        let admissions: Vec<Admission> = startable.iter().map(|(_, flow)| admit(flow)).collect();
        let candidates: Vec<Candidate<'_>> = startable
            .iter()
            .zip(&admissions)
            .map(|((_, flow), admission)| Candidate {
                flow,
                admitted: matches!(admission, Admission::Start | Admission::Interrupt),
            })
            .collect();
        let asked_by = |session: &Session| decision.asked_by(session);
        let routing = route(message, known, asked_by, &candidates, decision.now, limits);
        if is_new && !matches!(routing, Routing::Start(_)) {
            return Err(if routing == Routing::TooOld { Received::TooOld } else { Received::Unmatched });
        }
        self.meet(decision, is_new, opted_out_at);
        Ok(match routing {
            Routing::Answer(place) => self.answer(decision, place),
            Routing::Queue(place) => self.queue(decision, place),
            Routing::Start(chosen) => {
                let place = startable.iter().position(|(_, flow)| *flow.id() == chosen);
                match place.and_then(|place| Some((startable.get(place)?, admissions.get(place)?))) {
                    Some(((version, flow), admission)) => {
                        if *admission == Admission::Interrupt {
                            decision.end_all(EndReason::Interrupted);
                        }
                        self.start(decision, *version, flow);
                        Verdict::Started(self.session())
                    }
                    None => Verdict::Unmatched,
                }
            }
            Routing::StaleChoice(session) => {
                decision.note(EventKind::StaleChoice { session });
                Verdict::StaleChoice
            }
            Routing::InboxFull => Verdict::InboxFull,
            Routing::TooOld => Verdict::TooOld,
            Routing::Unmatched => Verdict::Unmatched,
        })
    }

    fn answer(&self, decision: &mut Decision<'_>, place: usize) -> Verdict {
        let Some(session) = decision.conversation.sessions.get(place) else { return Verdict::Unmatched };
        let id = session.id;
        let same = |route: &&Arc<Route>| self.account() == route.account && route.to == self.inbound.address;
        let route = session.route.as_ref().filter(same).map_or_else(|| self.route(), Arc::clone);
        let now = decision.now;
        if decision.advance(place, Input::Reply { message: self.message(), route }, now) {
            Verdict::Consumed(id)
        } else {
            Verdict::Unmatched
        }
    }

    fn queue(&self, decision: &mut Decision<'_>, place: usize) -> Verdict {
        let Some(session) = decision.conversation.sessions.get(place) else { return Verdict::Unmatched };
        let (id, now) = (session.id, decision.now);
        if decision.advance(place, Input::Queue { message: self.message(), route: self.route() }, now) {
            Verdict::Queued(id)
        } else {
            Verdict::Unmatched
        }
    }

    /// Writes down what the message says of the contact.
    fn meet(&self, decision: &mut Decision<'_>, is_new: bool, opted_out_at: Option<DateTime<Utc>>) {
        if is_new {
            decision.edit().contact.minted = self.inbound.contact.is_none();
        }
        if opted_out_at.is_some() && decision.conversation.contact.opted_out_at.is_none() {
            decision.edit().contact.opted_out_at = opted_out_at;
        }
        if !decision.conversation.contact.addresses.contains(&self.inbound.address) {
            decision.edit().contact.addresses.push(self.inbound.address.clone());
            decision.add_aliases.push(Alias::Address(self.inbound.address.clone()));
        }
        if let Some(profile) = &self.inbound.profile {
            decision.edit().contact.learn(profile);
        }
        if !decision.conversation.has_written {
            decision.edit().has_written = true;
        }
    }

    /// Starts a flow by this message, which brings no context.
    pub(super) fn start(&self, decision: &mut Decision<'_>, version: FlowVersion, flow: &Flow) {
        let context = default_inputs(flow.start().1, decision.ground.limits);
        decision.start(flow, self.new_session(version, context));
    }

    fn new_session(&self, version: FlowVersion, context: Bag) -> NewSession {
        NewSession {
            context,
            origin: Some(Box::new(Origin { inbound: true, ..Origin::default() })),
            route: Some(self.route()),
            opening: Some(self.message()),
            ..NewSession::new(self.session(), version)
        }
    }
}
