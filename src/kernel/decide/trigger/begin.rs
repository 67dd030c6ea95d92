//! The start of a session by a trigger: what it writes down of the contact, where its messages go.

use std::sync::Arc;

use crate::address::Address;
use crate::error::Error;
use crate::flow::Flow;
use crate::flow::node::ContactMode;
use crate::kernel::NewSession;
use crate::kernel::decide::admit::Admission;
use crate::kernel::decide::contact::Source;
use crate::kernel::decide::decision::Decision;
use crate::kernel::decide::trigger::target::Target;
use crate::kernel::decide::trigger::{Accepted, TriggerCall};
use crate::observer::EventKind;
use crate::session::{Contact, EndReason, FailureCode, Origin, Route};

impl TriggerCall {
    /// Starts the session: those that run in its way end, the contact is written down, what was
    /// dropped is told.
    pub(super) fn begin(&self, decision: &mut Decision<'_>, accepted: Accepted, admission: Admission) {
        if admission == Admission::Interrupt {
            decision.end_all(EndReason::Interrupted);
        }
        self.meet(decision);
        let route = self.route(decision, &accepted.flow);
        for key in &accepted.dropped {
            let key = key.as_str().into();
            decision.note(EventKind::InputDropped { session: self.session, key });
            if let Some(noted) = decision.out.events.last_mut() {
                // Its session is not there yet.
                noted.of = Some((self.request.flow.clone(), Some(accepted.version)));
            }
        }
        decision.start(&accepted.flow, self.new_session(accepted.version, accepted.context, route));
        if self.request.key.is_none() {
            decision.remember_call(self.session.0.as_u128());
        }
    }

    /// Writes down what the request says of the contact; only a session that is really started
    /// makes or links one (SEMANTICS T2).
    fn meet(&self, decision: &mut Decision<'_>) {
        let now = decision.now;
        let request = &self.request;
        if decision.is_new {
            let contact = &mut decision.edit().contact;
            contact.minted = request.contact.is_none();
            contact.opted_in_at = (!matches!(self.target, Target::Nobody(_))).then_some(now);
        }
        decision.carry_opt_out(self.opt_out.since);
        if let Some(address) = &request.address {
            decision.link(address, Source::Host);
        }
        if self.held_by.is_some()
            && let Some(address) = &request.address
        {
            decision.claim(address);
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
        self.request.address.as_ref().filter(|address| contact.same_address(address).is_none())
    }

    /// Where the session's messages go, as far as the request says: an address alone is written to
    /// from the flow's sender (SEMANTICS D4).
    fn route(&self, decision: &Decision<'_>, flow: &Flow) -> Option<Arc<Route>> {
        let sender = || self.request.address.as_ref().and(flow.settings().sender.clone());
        let account = self.request.from.clone().or_else(sender)?;
        let contact = &decision.conversation.contact;
        let given = self.request.address.as_ref().filter(|address| address.is_on(&account));
        // In the form that its channel uses.
        let as_known = given.and_then(|given| contact.addresses.get(contact.same_address(given)?));
        let to = as_known.or(given).or_else(|| contact.address_on(&account))?.clone();
        Some(Arc::new(Route { account, to }))
    }

    /// The error in place of a session whose first turn failed, and so sent nothing, because the
    /// contact has no address on the channel that the flow sends from (SEMANTICS T11).
    pub(super) fn unreachable(&self, decision: &Decision<'_>, root: &Flow) -> Option<Error> {
        let session = decision.out.ended.last().filter(|ended| ended.id() == self.session)?;
        if session.failure()?.code != FailureCode::NoDestination
            || root.start().1.contact == ContactMode::None
        {
            return None;
        }
        let (flow, version) = session.active();
        let flow = decision.env.flows.find(flow, Some(version))?.flow;
        let step = flow.node(flow.find(session.node(), flow.start().0)?)?;
        if step.node.names_recipient() {
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

    fn new_session(
        &self,
        version: crate::id::FlowVersion,
        context: crate::value::PackedMap,
        route: Option<Arc<Route>>,
    ) -> NewSession {
        let request = &self.request;
        let origin = Origin {
            uuid: request.key.clone(),
            out_id: request.out_id.clone(),
            claim_time: request.claim_time,
            campaign: request.campaign.clone(),
            inbound: false,
            restarted: false,
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
