//! Starting a flow by call (SEMANTICS T).

mod call;
mod target;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::engine::Engine;
use crate::engine::catalogue::{Snapshot, View};
use crate::engine::contacts::Released;
use crate::engine::decide::{Decided, Facts, Found, LeaseIntent, Written, put_back, take};
use crate::engine::deliver::Delivery;
use crate::engine::erase::CarriedOptOut;
use crate::engine::outcome::Triggered;
use crate::engine::request::{CheckedTrigger, TriggerRequest};
use crate::error::Error;
use crate::flow::Flow;
use crate::id::{ContactId, FlowVersion, SessionId, WorkspaceId};
use crate::kernel::{
    Admission, Allowances, Decision, Refusal, accept_inputs, admit, fingerprint, later, span,
};
use crate::observer::{Cause, EventKind, Noted};
use crate::session::{EndReason, Session};
use crate::store::{ConversationStore, KeyName, Loaded, Lookup};
use crate::value::Bag;

use call::{Answer, Call, State};
use target::Target;

impl<S: ConversationStore> Engine<S> {
    /// Starts a flow for a contact, and runs it to its first wait (SEMANTICS T).
    ///
    /// Safe to repeat with the same `uuid`: the first answer comes again. Without one, a contact
    /// with a live session of the flow answers [`Triggered::AlreadyRunning`].
    ///
    /// # Errors
    /// `InvalidInput`, `FlowNotFound`, `FlowNotPublished`, `IdempotencyConflict`,
    /// `ContactNotFound`, `TooManySessions`, `Quarantined`, `VersionMissing`, `Contention`,
    /// `Store`. Nothing was started, and the key was not used, unless `Store` is of kind
    /// [`Unknown`](crate::error::StoreErrorKind::Unknown): then nobody knows, and the same call
    /// with the same `uuid` finds out (SEMANTICS D6).
    #[cfg_attr(
        feature = "tracing",
        tracing::instrument(name = "chatflow.trigger", level = "debug", target = "chatflow", skip_all)
    )]
    pub async fn trigger(&self, request: TriggerRequest) -> Result<Triggered, Error> {
        let workspace = self.workspace()?;
        let mut request = request.check(&self.ports.limits)?;
        let now = self.time(Cause::Trigger).await?;
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
            key: call.request.key.clone().map(|key| KeyName { flow: call.request.flow.clone(), key }),
            ..Lookup::new(workspace.clone(), call.target.subject(), token, now)
        };
        let mut opt_out = self.no_opt_out();
        let mut decided = None;
        for _ in 0..3 {
            let mut met = None;
            let decide = |facts: Facts<'_>| {
                met = self.met(&facts);
                self.decide_trigger(workspace, &call, &lookup, opt_out, facts, &mut decided)
            };
            let Written { answer, batch } =
                self.transact(Cause::Trigger, workspace, &self.flows, &lookup, None, decide).await?;
            match answer? {
                Answer::Final(triggered) => {
                    if let Triggered::Refused(why) = &triggered {
                        self.tell_refused(workspace, &call, met, why);
                    }
                    self.finish(&lookup, &self.flows, batch).await;
                    return Ok(triggered);
                }
                Answer::AddressTaken(alias, holder) => {
                    let transactional = call.request.transactional;
                    let contacts = (&holder, &call.target.contact());
                    match self.release_address(workspace, &alias, contacts, "phone", transactional).await? {
                        Released::Free { opted_out_at } => {
                            opt_out = CarriedOptOut { since: opted_out_at, is_known: true };
                        }
                        Released::OptedOut => {
                            self.tell_refused(workspace, &call, Some(holder), &Refusal::OptedOut);
                            return Ok(Triggered::Refused(Refusal::OptedOut));
                        }
                    }
                }
                Answer::AddressNew(address) => {
                    let since = self.kept_opt_out(workspace, &address).await?;
                    if since.is_some() && !call.request.transactional {
                        self.tell_refused(workspace, &call, met, &Refusal::OptedOut);
                        return Ok(Triggered::Refused(Refusal::OptedOut));
                    }
                    opt_out = CarriedOptOut { since, is_known: true };
                }
            }
        }
        Err(Error::Contention)
    }

    /// Tells that a trigger was refused to this contact; None: to one that is not known.
    fn tell_refused(&self, workspace: &WorkspaceId, call: &Call, met: Option<ContactId>, why: &Refusal) {
        let contact = met.unwrap_or_else(|| call.target.contact().clone());
        self.tell_one(workspace, &contact, Cause::Trigger, |at| Noted {
            of: Some((call.request.flow.clone(), None)),
            ..Noted::new(at, EventKind::Refused { reason: why.code() })
        });
    }

    fn decide_trigger(
        &self,
        workspace: &WorkspaceId,
        call: &Call,
        lookup: &Lookup,
        opt_out: CarriedOptOut,
        facts: Facts<'_>,
        decided: &mut Option<State>,
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
            let found = loaded.conversation.as_ref().filter(|_| record.status.is_none());
            let found = found.and_then(|stored| stored.record.conversation().ok());
            return Decided::Answer(call.replay(record, view, found.as_deref()));
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
        if maybe_done && let Some(found) = found.take_if(|found| call.is_in(found, key.is_some())) {
            let answer = call.started(view, &found.conversation, key.as_ref(), *decided);
            return self.resume_delivery((workspace, Cause::Trigger), snapshot, loaded, found, now, answer);
        }
        let before = found.as_ref().map(|found| (found.place(), Arc::clone(&found.conversation)));
        let decision = self.decide_found(call, lookup, opt_out, (snapshot, now), (view, found), decided);
        // What nothing is written about stays as it was loaded.
        if let (Some((place, before)), false) = (before, matches!(decision, Decided::Write(..))) {
            put_back(loaded, place.with(before));
        }
        decision
    }

    /// Decides on a trigger that was not answered before, about the conversation that was found, if
    /// any.
    fn decide_found(
        &self,
        call: &Call,
        lookup: &Lookup,
        opt_out: CarriedOptOut,
        (snapshot, now): (&Snapshot, DateTime<Utc>),
        (view, found): (&View, Option<Found>),
        decided: &mut Option<State>,
    ) -> Decided<Answer> {
        let request = &call.request;
        let Some((version, flow)) = snapshot.online(view).filter(|(_, flow)| flow.trigger().is_manual())
        else {
            return match snapshot.missing_online(view) {
                Some((flow, version, reason)) => {
                    Decided::Missing(Box::new((call.target.contact(), flow, version, reason)))
                }
                None => Decided::Answer(Err(Error::FlowNotPublished(request.flow.clone()))),
            };
        };
        if request.discard_time.is_some_and(|discard| now >= discard) {
            return Decided::Answer(Ok(Answer::Final(Triggered::Discarded)));
        }
        if let Err(error) = call.target.check(found.is_some(), self.ports.policy.refuse_unknown_contacts) {
            return Decided::Answer(Err(error));
        }
        let (context, dropped) =
            match accept_inputs(flow.start().1, request.context.clone(), &self.ports.limits) {
                Ok(accepted) => accepted,
                Err(error) => return Decided::Answer(Err(error)),
            };
        let ground = self.ground(&lookup.workspace, snapshot, now, Cause::Trigger);
        let expect = found.as_ref().map(|found| found.revision);
        let contact = call.target.contact();
        let mut decision = match found {
            Some(found) => Decision::new(ground, found.conversation, found.settled, now),
            None => Decision::first(ground, contact.clone(), now),
        };
        if let Err(unready) = decision.ready() {
            return Decided::unready(decision.conversation.contact().id.clone(), unready);
        }
        if !opt_out.is_known
            && let Some(address) = call.new_address(&decision.conversation.contact)
        {
            return Decided::Answer(Ok(Answer::AddressNew(address.clone())));
        }
        decision.apply_due();
        let answer = match self.admit_trigger(&decision, flow, expect.is_some(), request) {
            Admission::Refused(why) => Ok(Triggered::Refused(why)),
            Admission::TooMany => {
                let contact = decision.conversation.contact().id.clone();
                Err(Error::TooManySessions { contact, max: self.ports.limits.live_sessions })
            }
            Admission::AlreadyRunning(session, version) => {
                let running = decision.place_of(session);
                let running = running.and_then(|place| decision.conversation.sessions.get(place));
                let pin = (version, running.and_then(Session::digest));
                let state = State::now(Some(&decision.conversation), session);
                let contact = &decision.conversation.contact().id;
                Ok(Triggered::AlreadyRunning(call.session_ref(view, session, pin, contact, state)))
            }
            admission => {
                let is_new = expect.is_none();
                begin(
                    &mut decision,
                    call,
                    flow,
                    NewTrigger { version, context, dropped, admission, is_new, opted_out_at: opt_out.since },
                );
                if lookup.key.is_none() {
                    decision.remember_call(lookup.token.0.as_u128());
                }
                if let Some(error) = call.unreachable(&decision, flow) {
                    return Decided::Answer(Err(error));
                }
                let ended = decision.ended.iter().find(|ended| ended.id() == call.session);
                let state = match ended {
                    Some(ended) => State::of(ended),
                    None => State::now(Some(&decision.conversation), call.session),
                };
                *decided = Some(state);
                let contact = &decision.conversation.contact().id;
                let pin = (version, Some(flow.digest()));
                Ok(Triggered::Started(call.session_ref(view, call.session, pin, contact, state)))
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
        Decided::Write(answer, self.draft(decision, lookup, expect, key, LeaseIntent::Deliver))
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

    /// Until when a key is honoured: the retention, or the discard time if that is later, at most
    /// 30 days (SEMANTICS T5).
    fn key_expiry(&self, request: &CheckedTrigger, now: DateTime<Utc>) -> DateTime<Utc> {
        let retention = later(now, span(self.ports.policy.key_retention));
        let most = later(now, span(self.ports.limits.max_key_retention));
        request.discard_time.map_or(retention, |discard| discard.max(retention)).min(most)
    }

    /// This call's own work was found after an unknown outcome: deliver it, if its lease is still
    /// ours.
    pub(super) fn resume_delivery<T>(
        &self,
        (workspace, cause): (&WorkspaceId, Cause),
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
        let decision = Decision::new(
            self.ground(workspace, snapshot, now, cause),
            found.conversation,
            place.settled,
            now,
        );
        let paced = self.ask_pace(&decision, true);
        let batch = Delivery::of(&decision, &contact, self.ports.policy.inline_calls, now, &paced);
        put_back(loaded, place.with(decision.conversation));
        let batch = Delivery { revision: place.revision, passes: paced.passes, ..batch };
        Decided::Go(Ok(answer), Box::new(batch))
    }
}

/// What was decided about a trigger that starts.
struct NewTrigger {
    version: FlowVersion,
    context: Bag,
    dropped: Vec<String>,
    admission: Admission,
    /// Whether the contact was not known.
    is_new: bool,
    opted_out_at: Option<DateTime<Utc>>,
}

/// Starts the session: whoever stands in its way ends, the contact is written down, what was
/// dropped is told.
fn begin(decision: &mut Decision<'_>, call: &Call, flow: &Flow, new: NewTrigger) {
    if new.admission == Admission::Interrupt {
        decision.end_all(EndReason::Interrupted);
    }
    call.meet(decision, new.is_new, new.opted_out_at);
    let route = call.route(decision, flow);
    for key in new.dropped {
        decision.note(EventKind::InputDropped { session: call.session, key: key.into() });
    }
    decision.start(flow, call.new_session(new.version, new.context, route));
}
