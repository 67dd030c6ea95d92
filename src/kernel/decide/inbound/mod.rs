//! Inbound messages: who gets them, and what comes of it (SEMANTICS I).

mod obey;

use std::cell::OnceCell;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::address::{AccountRef, Address, Alias};
use crate::clock::Ids;
use crate::error::Error;
use crate::flow::{Flow, KeywordAction, Keywords, keyword_form};
use crate::id::{ContactId, FlowId, FlowVersion, SessionId};
use crate::kernel::begin::NewSession;
use crate::kernel::choice::{ChosenId, own_choice};
use crate::kernel::decide::admit::{Admission, Allowances, admit};
use crate::kernel::decide::contact::Source;
use crate::kernel::decide::decision::Decision;
use crate::kernel::decide::environment::{CarriedOptOut, Environment, Unready};
use crate::kernel::decide::frame::{Applied, FoundConversation, Halt, Operation, Replay};
use crate::kernel::decide::keyword::{KeywordMeaning, hear};
use crate::kernel::decide::route::{Candidate, InboundMessage, Routing, route};
use crate::kernel::{Input, Received, default_inputs, message_hash};
use crate::observer::EventKind;
use crate::request::CheckedInbound;
use crate::session::{EndReason, Message, MessageKind, Origin, Route, Session, Verdict};
use crate::value::PackedMap;

/// The answer of a decision on an inbound message.
#[derive(Debug)]
pub(crate) enum InboundAnswer {
    /// The caller's answer.
    Final(Received),
    /// The address leads to another contact than the one that the message names.
    AddressTaken(Alias, ContactId),
    /// Nobody has the sender's address; somebody may have another one of the same person.
    SenderNew,
    /// An address of a sender who is not known leads to this contact (SEMANTICS A2, A4).
    HeldBy(ContactId),
    /// Another address of the same person leads to another contact (SEMANTICS A4): this one's, and
    /// that one's.
    TwoContacts { alias: Alias, met: ContactId, holder: ContactId },
    /// These addresses are new: one may have an opt-out of a contact that was erased.
    AddressesNew(Vec<Address>),
}

/// An inbound message and what is minted for it, once.
pub(crate) struct Arrival<'a> {
    inbound: CheckedInbound,
    /// A hash by which a repeat is recognised: of channel, account and message id; without an id
    /// the call itself.
    id: u128,
    /// The contact, once it is known that it has to be made.
    contact: OnceCell<ContactId>,
    /// Makes it, and the time that may go into its id.
    mint: (&'a dyn Ids, DateTime<Utc>),
    /// The session, if one is started.
    session: u128,
    /// The session and wait number that a payload of ours names.
    choice: Option<(SessionId, u32)>,
    /// The opt-out that its address brings, as far as it is known.
    pub(crate) opt_out: CarriedOptOut,
    /// The contact that one of the addresses led to, where the sender's does not lead there yet.
    pub(crate) held_by: Option<ContactId>,
    /// True if it has been looked for the other addresses of the sender.
    pub(crate) is_looked_for: bool,
    /// The answer, once it is decided.
    pub(crate) answer: Option<InboundAnswer>,
    /// The flow and version of the session that the answer names, for those who watch.
    pub(crate) taken_by: Option<Box<(FlowId, Option<FlowVersion>)>>,
}

impl<'a> Arrival<'a> {
    /// A message whose form is right. `mint` makes the id of a contact that is not known, `call`
    /// names the call and a session that it starts.
    pub(crate) fn new(
        mut inbound: CheckedInbound,
        mint: (&'a dyn Ids, DateTime<Utc>),
        call: u128,
        opt_out: CarriedOptOut,
    ) -> Self {
        let account = AccountRef { channel: &inbound.channel, account: &inbound.account };
        let id = inbound.message.id.as_deref().map_or(call, |id| message_hash(account, id));
        let mut choice = None;
        if let Some(payload) = inbound.message.payload.take() {
            inbound.message.payload = Some(match own_choice(&payload) {
                Some((session, wait, id)) => {
                    choice = Some((session, wait));
                    if let ChosenId::Written(id) = id { id.into() } else { payload }
                }
                None => payload,
            });
        }
        let contact = inbound.contact.clone().map_or_else(OnceCell::new, OnceCell::from);
        Self {
            inbound,
            id,
            contact,
            mint,
            session: call,
            choice,
            opt_out,
            held_by: None,
            is_looked_for: false,
            answer: None,
            taken_by: None,
        }
    }

    /// Decides on the answer.
    fn reply(&mut self, decision: &Decision<'_>, received: Received) {
        if decision.env.observed {
            self.taken_by = received.session().and_then(|session| decision.pinned_to(session)).map(Box::new);
        }
        self.answer = Some(InboundAnswer::Final(received));
    }

    /// Names this call among those that may have brought the same message; never 0.
    #[expect(clippy::cast_possible_truncation, reason = "the last bits of a random id tell calls apart")]
    fn tag(&self) -> u32 {
        (self.session as u32).max(1)
    }

    pub(crate) fn inbound(&self) -> &CheckedInbound {
        &self.inbound
    }

    /// The contact, if it has to be made.
    pub(crate) fn contact(&self) -> &ContactId {
        self.contact.get_or_init(|| self.mint.0.mint(self.mint.1).into())
    }

    fn account(&self) -> AccountRef<'_> {
        AccountRef { channel: &self.inbound.channel, account: &self.inbound.account }
    }

    fn text(&self) -> &str {
        &self.inbound.message.text
    }

    fn route(&self) -> Arc<Route> {
        Arc::new(Route { account: self.account().to_account(), to: self.inbound.address.clone() })
    }

    fn session(&self) -> SessionId {
        SessionId(uuid::Uuid::from_u128(self.session))
    }

    /// True for a host's word of opting out that always works (SEMANTICS I6, U5).
    fn opts_out(&self, host: &Keywords) -> bool {
        let Message { kind, text, .. } = &self.inbound.message;
        let word = (*kind == MessageKind::Text).then(|| keyword_form(text)).flatten();
        let keyword = word.and_then(|word| host.find(&word));
        keyword.is_some_and(|keyword| keyword.action == KeywordAction::OptOut && !keyword.yields)
    }

    fn message(&self) -> Message {
        self.inbound.message.clone()
    }

    /// The same for a session, which knows the choice that a short payload means.
    fn message_to(&self, session: &Session) -> Message {
        let mut message = self.message();
        if let (Some((_, wait)), Some(payload)) = (self.choice, &message.payload)
            && let Some((_, _, id @ ChosenId::Hash(_))) = own_choice(payload)
            && let Some(chosen) = session.offered_at(wait).find(|choice| id.is(&choice.id))
        {
            message.payload = Some(Arc::clone(&chosen.id));
        }
        message
    }

    fn as_routed(&self) -> InboundMessage<'_> {
        InboundMessage {
            message: &self.inbound.message,
            account: self.account(),
            choice: self.choice,
            timestamp: self.inbound.timestamp,
        }
    }

    /// The word that it is before it is anybody's answer.
    fn hear(&self, decision: &Decision<'_>) -> KeywordMeaning {
        let is_out = self.opt_out.since.is_some() || decision.conversation.contact.opted_out_at.is_some();
        let version_of = |flow: &FlowId, version: FlowVersion| decision.version_of(flow, version);
        let asked_by = |session: &Session| decision.asked_by(session);
        let (host, limits) = (&decision.env.policy.keywords, decision.env.limits);
        let known = (decision.known(), is_out);
        hear(&self.as_routed(), known, version_of, asked_by, host, decision.now, limits)
    }

    /// Gives the message to the session, the trigger or the queue that it is for. Err: it came to
    /// this and writes nothing, since its contact is not known and it starts no session (SEMANTICS
    /// I13).
    fn pass_on(&self, decision: &mut Decision<'_>) -> Result<Verdict, Received> {
        let limits = decision.env.limits;
        let startable = decision.env.flows.startable(self.account());
        let allow = Allowances { opted_out: true, in_handoff: false };
        let admit = |flow| admit(flow, decision.known(), allow, decision.now, limits.live_sessions);
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
        let routing = route(&self.as_routed(), decision.known(), asked_by, &candidates, decision.now, limits);
        if decision.is_new && !matches!(routing, Routing::Start(_)) {
            return Err(if routing == Routing::TooOld { Received::TooOld } else { Received::Unmatched });
        }
        self.meet(decision);
        Ok(match routing {
            Routing::Answer(place) => self.answer_question(decision, place),
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

    /// The names of the same person beside the sender's address as it is written.
    pub(crate) fn others(&self) -> impl Iterator<Item = Alias> {
        let also = self.inbound.also.iter().flat_map(Address::aliases);
        self.inbound.address.aliases().skip(1).chain(also)
    }

    /// Links the addresses that the message came with.
    fn link(&self, decision: &mut Decision<'_>) {
        decision.link(&self.inbound.address, Source::Channel);
        if self.held_by.is_some() {
            decision.claim(&self.inbound.address);
        }
        for address in &self.inbound.also {
            decision.link(address, Source::Channel);
        }
    }

    /// Lets an address be that was said to be the same person's, and cannot be.
    pub(crate) fn ignore(&mut self, alias: &Alias) {
        self.inbound.also.retain(|address| address.aliases().all(|known| known != *alias));
    }

    fn answer_question(&self, decision: &mut Decision<'_>, place: usize) -> Verdict {
        let Some(session) = decision.conversation.sessions.get(place) else { return Verdict::Unmatched };
        let id = session.id;
        let same = |route: &&Arc<Route>| self.account() == route.account && route.to == self.inbound.address;
        let route = session.route.as_ref().filter(same).map_or_else(|| self.route(), Arc::clone);
        let (message, now) = (self.message_to(session), decision.now);
        if decision.advance(place, Input::Reply { message, route }, now) {
            Verdict::Consumed(id)
        } else {
            Verdict::Unmatched
        }
    }

    fn queue(&self, decision: &mut Decision<'_>, place: usize) -> Verdict {
        let Some(session) = decision.conversation.sessions.get(place) else { return Verdict::Unmatched };
        let (id, message, now) = (session.id, self.message_to(session), decision.now);
        if decision.advance(place, Input::Queue { message, route: self.route() }, now) {
            Verdict::Queued(id)
        } else {
            Verdict::Unmatched
        }
    }

    /// Writes down what the message says of the contact.
    fn meet(&self, decision: &mut Decision<'_>) {
        if decision.is_new {
            decision.edit().contact.minted = self.inbound.contact.is_none();
        }
        decision.carry_opt_out(self.opt_out.since);
        self.link(decision);
        if let Some(profile) = &self.inbound.profile {
            decision.edit().contact.hear(profile);
        }
        if !decision.conversation.has_written {
            decision.edit().has_written = true;
        }
    }

    /// Starts a flow by this message, which brings no context.
    fn start(&self, decision: &mut Decision<'_>, version: FlowVersion, flow: &Flow) {
        let context = default_inputs(flow.start().1, decision.env.limits);
        decision.start(flow, self.new_session(version, context));
    }

    fn new_session(&self, version: FlowVersion, context: PackedMap) -> NewSession {
        NewSession {
            context,
            origin: Some(Box::new(Origin { inbound: true, ..Origin::default() })),
            route: Some(self.route()),
            opening: Some(self.message()),
            ..NewSession::new(self.session(), version)
        }
    }
}

impl Operation for Arrival<'_> {
    fn replay(&mut self, found: &mut FoundConversation<'_>, env: &Environment<'_>) -> Result<Replay, Error> {
        let Some(conversation) = found.conversation.as_deref().filter(|_| found.fault.is_none()) else {
            return Ok(Replay::New);
        };
        let now = env.now.max(conversation.last_at);
        let Some((first, call)) = conversation.recall(self.id, now, env.limits) else {
            return Ok(Replay::New);
        };
        if env.observed {
            let of = |session: &Session| Box::new((session.flow.clone(), Some(session.version)));
            let taken = Received::from(first).session();
            let mut live = conversation.sessions.iter();
            self.taken_by = live.find(|session| Some(session.id) == taken).map(of);
        }
        // Only the call that took the message says so; any other found it taken (SEMANTICS D6).
        if found.maybe_done && call == self.tag() {
            self.answer = Some(InboundAnswer::Final(first.into()));
            return Ok(Replay::Done);
        }
        let first = Box::new(first.into());
        self.answer = Some(InboundAnswer::Final(Received::Duplicate { first }));
        Ok(Replay::Answered)
    }

    fn newcomer(&mut self) -> Option<ContactId> {
        Some(self.contact().clone())
    }

    /// A word of opting out always works.
    fn tolerates(&self, unready: &Unready, env: &Environment<'_>) -> bool {
        matches!(unready, Unready::Missing(..) | Unready::InDoubt(_)) && self.opts_out(&env.policy.keywords)
    }

    fn may_undo(&self, env: &Environment<'_>) -> bool {
        env.flows.missing_on(self.account()).is_some()
    }

    fn doubts_address(&mut self, decision: &Decision<'_>, taken: Option<&(Alias, ContactId)>) -> bool {
        let is_named = self.inbound.contact.is_some();
        let is_own = |alias: &Alias| *alias == Alias::Address(self.inbound.address.clone());
        let taken = taken.filter(|(alias, _)| is_named || self.held_by.is_some() || !is_own(alias));
        let contact = &decision.conversation.contact;
        let own = || std::iter::once(&self.inbound.address).chain(&self.inbound.also);
        let new = || own().filter(|address| contact.same_address(address).is_none()).cloned().collect();
        self.answer = match taken {
            Some((alias, holder)) if is_named => {
                Some(InboundAnswer::AddressTaken(alias.clone(), holder.clone()))
            }
            Some((_, holder)) if decision.is_new => Some(InboundAnswer::HeldBy(holder.clone())),
            Some((alias, holder)) => Some(InboundAnswer::TwoContacts {
                alias: alias.clone(),
                met: contact.id.clone(),
                holder: holder.clone(),
            }),
            None if decision.is_new && !is_named && !self.is_looked_for && self.others().next().is_some() => {
                Some(InboundAnswer::SenderNew)
            }
            None if self.opt_out.is_known => None,
            None => Some(InboundAnswer::AddressesNew(new()))
                .filter(|answer| !matches!(answer, InboundAnswer::AddressesNew(new) if new.is_empty())),
        };
        self.answer.is_some()
    }

    fn apply(&mut self, decision: &mut Decision<'_>) -> Result<Applied, Halt> {
        // Nobody may want the message but a flow that cannot be used here (SEMANTICS S14): then all
        // is as it was.
        let lacking = decision.env.flows.missing_on(self.account());
        if !decision.is_new {
            decision.take_opt_out(self.opt_out.since);
        }
        let heard = self.hear(decision);
        if heard != KeywordMeaning::Nothing {
            self.meet(decision);
        }
        let verdict = match self.obey(decision, heard) {
            Some(verdict) => verdict,
            None => match self.pass_on(decision) {
                Ok(verdict) => verdict,
                Err(Received::Unmatched) if lacking.is_some() => Verdict::Unmatched,
                Err(unwritten) => {
                    self.reply(decision, unwritten);
                    return Ok(Applied::Undo);
                }
            },
        };
        if let Some((flow, version, reason)) = lacking.filter(|_| verdict == Verdict::Unmatched) {
            return Err(Halt::Unready(Unready::Missing(flow, version, reason)));
        }
        decision.remember(self.id, verdict, self.tag());
        decision.forget();
        self.reply(decision, verdict.into());
        Ok(Applied::Write)
    }
}
