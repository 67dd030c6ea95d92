//! Starting a flow by call (SEMANTICS T).

mod answer;
mod begin;
mod state;
mod target;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::address::Alias;
use crate::error::Error;
use crate::flow::Flow;
use crate::id::{ContactId, FlowVersion, SessionId};
use crate::kernel::decide::admit::{Admission, Allowances, admit};
use crate::kernel::decide::decision::Decision;
use crate::kernel::decide::environment::{CarriedOptOut, Environment, Policy, Unready};
use crate::kernel::decide::frame::{Applied, FoundConversation, Halt, Operation, Replay};
use crate::kernel::time::{later, span};
use crate::kernel::{Triggered, accept_inputs, fingerprint};
use crate::limits::Limits;
use crate::request::CheckedTrigger;
use crate::session::Session;
use crate::value::PackedMap;

pub(crate) use state::TriggerAnswer;
pub(crate) use target::Target;

use state::SessionState;

/// A trigger and what was minted for it, once.
pub(crate) struct TriggerCall {
    request: CheckedTrigger,
    fingerprint: u128,
    session: SessionId,
    target: Target,
    /// The opt-out that its address brings, as far as it is known.
    pub(crate) opt_out: CarriedOptOut,
    /// The contact that the other form of its address led to, if one did (SEMANTICS A2).
    pub(crate) held_by: Option<ContactId>,
    /// The flow that it starts, once it is known that it may.
    accepted: Option<Accepted>,
    /// The state that an attempt led to.
    decided: Option<SessionState>,
    /// The answer, once it is decided.
    pub(crate) answer: Option<Result<TriggerAnswer, Error>>,
}

/// The version that a trigger starts, with the context as that takes it.
struct Accepted {
    version: FlowVersion,
    flow: Arc<Flow>,
    name: Arc<str>,
    context: PackedMap,
    /// Inputs that the start node does not take.
    dropped: Vec<String>,
}

impl TriggerCall {
    /// A trigger whose form is right, of whose conversation it is about. `session` names what it
    /// starts, and the call.
    pub(crate) fn new(
        request: CheckedTrigger,
        target: Target,
        session: SessionId,
        opt_out: CarriedOptOut,
    ) -> Self {
        let fingerprint = fingerprint(
            request.given.0.as_ref(),
            request.given.1.as_ref(),
            &request.context,
            request.out_id.as_deref(),
        );
        Self {
            request,
            fingerprint,
            session,
            target,
            opt_out,
            held_by: None,
            accepted: None,
            decided: None,
            answer: None,
        }
    }

    pub(crate) fn request(&self) -> &CheckedTrigger {
        &self.request
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// Starts the session.
    ///
    /// # Errors
    /// `InvalidInput` when the contact cannot be reached: it is to be as it was.
    fn start(
        &mut self,
        decision: &mut Decision<'_>,
        accepted: Accepted,
        admission: Admission,
    ) -> Result<Triggered, Error> {
        let (flow, name) = (Arc::clone(&accepted.flow), Arc::clone(&accepted.name));
        let pin = (accepted.version, Some(flow.digest()));
        self.begin(decision, accepted, admission);
        if let Some(error) = self.unreachable(decision, &flow) {
            return Err(error);
        }
        let ended = decision.out.ended.iter().find(|ended| ended.id() == self.session);
        let state = match ended {
            Some(ended) => SessionState::of(ended),
            None => SessionState::now(Some(&*decision.conversation), self.session),
        };
        self.decided = Some(state);
        let contact = &decision.conversation.contact().id;
        Ok(Triggered::Started(self.session_ref(&name, self.session, pin, contact, state)))
    }

    /// The answer of a flow that runs with the contact already.
    fn running(
        &self,
        decision: &Decision<'_>,
        name: &Arc<str>,
        (session, version): (SessionId, FlowVersion),
    ) -> Triggered {
        let running = decision.place_of(session);
        let running = running.and_then(|place| decision.conversation.sessions.get(place));
        let pin = (version, running.and_then(Session::digest));
        let state = SessionState::now(Some(&*decision.conversation), session);
        let contact = &decision.conversation.contact().id;
        Triggered::AlreadyRunning(self.session_ref(name, session, pin, contact, state))
    }

    /// Until when a key is honoured: the retention, or the discard time if that is later, at most
    /// 30 days (SEMANTICS T5).
    fn key_expiry(&self, policy: &Policy, limits: &Limits, now: DateTime<Utc>) -> DateTime<Utc> {
        let most = limits.max_key_retention;
        let retention = later(now, span(policy.key_retention.min(most)));
        let discard = self.request.discard_time.filter(|discard| *discard > retention);
        discard.map_or(retention, |discard| discard.min(later(now, span(most))))
    }
}

impl Operation for TriggerCall {
    fn replay(&mut self, found: &mut FoundConversation<'_>, env: &Environment<'_>) -> Result<Replay, Error> {
        let Some(published) = env.flows.published(&self.request.flow) else {
            return Err(Error::FlowNotFound(self.request.flow.clone()));
        };
        let conversation = found.conversation.as_deref();
        match found.key {
            Some(record) if !(found.maybe_done && record.session == self.session) => {
                self.answer = Some(self.replayed(record, published.name, conversation));
                return Ok(Replay::Answered);
            }
            _ => {}
        }
        let Some(conversation) = conversation.filter(|_| found.maybe_done && found.fault.is_none()) else {
            return Ok(Replay::New);
        };
        if found.key.is_none() && !conversation.knows_call(self.session.0.as_u128()) {
            return Ok(Replay::New);
        }
        self.answer = Some(Ok(self.started(&published, conversation, found.key)));
        Ok(Replay::Done)
    }

    fn check(&mut self, is_known: bool, env: &Environment<'_>) -> Result<bool, Halt> {
        let flow = &self.request.flow;
        let published = env.flows.published(flow).ok_or_else(|| Error::FlowNotFound(flow.clone()))?;
        let usable = published.usable().filter(|(_, flow)| flow.trigger().is_manual());
        let Some((version, online)) = usable else {
            return Err(match published.missing(flow) {
                Some((flow, version, reason)) => Halt::Unready(Unready::Missing(flow, version, reason)),
                None => Halt::Error(Error::FlowNotPublished(flow.clone())),
            });
        };
        if self.request.discard_time.is_some_and(|discard| env.now >= discard) {
            self.answer = Some(Ok(TriggerAnswer::Final(Triggered::Discarded)));
            return Ok(true);
        }
        self.target.check(is_known, env.policy.refuse_unknown_contacts)?;
        let (context, dropped) = accept_inputs(online.start().1, self.request.context.clone(), env.limits)?;
        let (flow, name) = (Arc::clone(online), Arc::clone(published.name));
        self.accepted = Some(Accepted { version, flow, name, context, dropped });
        Ok(false)
    }

    fn newcomer(&mut self) -> Option<ContactId> {
        Some(self.target.contact())
    }

    fn may_undo(&self, _env: &Environment<'_>) -> bool {
        true
    }

    fn doubts_address(&mut self, decision: &Decision<'_>, taken: Option<&(Alias, ContactId)>) -> bool {
        // Who was named by the address alone is its holder, and was found by it, unless an older
        // release wrote it down in one form only.
        let is_named = matches!(self.target, Target::Named(_));
        let is_own =
            |alias: &Alias| self.target.address().is_some_and(|own| *alias == Alias::Address(own.clone()));
        let taken = taken.filter(|(alias, _)| is_named || !is_own(alias));
        let doubt = match taken {
            Some((alias, holder)) if is_named => {
                Some(TriggerAnswer::AddressTaken(alias.clone(), holder.clone()))
            }
            Some((_, holder)) => Some(TriggerAnswer::HeldBy(holder.clone())),
            None if self.opt_out.is_known => None,
            None => {
                let address = self.new_address(&decision.conversation.contact);
                address.map(|address| TriggerAnswer::AddressNew(address.clone()))
            }
        };
        let is_in_doubt = doubt.is_some();
        self.answer = doubt.map(Ok);
        is_in_doubt
    }

    fn apply(&mut self, decision: &mut Decision<'_>) -> Result<Applied, Halt> {
        let Some(accepted) = self.accepted.take() else { return Ok(Applied::Undo) };
        let limits = decision.env.limits;
        let allow =
            Allowances { opted_out: self.request.transactional, in_handoff: self.request.during_handoff };
        let answer = match admit(&accepted.flow, decision.known(), allow, decision.now, limits.live_sessions)
        {
            Admission::Refused(why) => Ok(Triggered::Refused(why)),
            Admission::TooMany => {
                let contact = decision.conversation.contact().id.clone();
                Err(Error::TooManySessions { contact, max: limits.live_sessions })
            }
            Admission::AlreadyRunning(session, version) => {
                Ok(self.running(decision, &accepted.name, (session, version)))
            }
            admission => Ok(self.start(decision, accepted, admission)?),
        };
        let expires_at = self.key_expiry(decision.env.policy, limits, decision.env.now);
        decision.out.key = answer.as_ref().ok().and_then(|answer| self.key_record(answer, expires_at));
        self.answer = Some(answer.map(TriggerAnswer::Final));
        Ok(if decision.out.key.is_some() { Applied::Write } else { Applied::WriteIfChanged })
    }
}
