//! Words that act before anybody's question is answered: opting out, the silence of a handoff,
//! keywords of flows and of the host (SEMANTICS I1, I6, T10). A flow's keyword acts on its session,
//! the host's on the newest or on all.

use std::cmp::Reverse;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::flow::{Flow, Keyword, KeywordAction, Keywords, NodeIx, keyword_form};
use crate::gather::Arrange;
use crate::id::{FlowId, FlowVersion, NodeId, SessionId};
use crate::kernel::decide::decision::Decision;
use crate::kernel::decide::route::{InboundMessage, OpenQuestion, answering};
use crate::kernel::time::span;
use crate::kernel::turn::{Move, Run};
use crate::limits::Limits;
use crate::observer::EventKind;
use crate::session::{ContactChange, Conversation, EndReason, MessageKind, Route, Session, Status};

/// A message may be this much older than the session that its keyword acts on: clocks differ
/// (SEMANTICS I12).
const OLDER_THAN_SESSION: TimeDelta = TimeDelta::seconds(60);

/// The meaning of a message before it is anybody's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeywordMeaning {
    /// A word of opting out.
    OptOut,
    /// A word that takes an opt-out back.
    OptIn,
    /// Something for the person who has this session.
    Handoff(SessionId),
    /// Something for the person who paused the bot.
    Paused,
    /// A keyword for these sessions.
    Keyword { action: KeywordAction, sessions: Vec<SessionId>, node: Option<NodeId> },
    /// Nothing of that.
    Nothing,
}

/// Decides, on a conversation to which all that was due has been applied; of a contact who opted
/// out, or did not. `version_of` finds a version of a flow.
pub(crate) fn hear<'f>(
    inbound: &InboundMessage<'_>,
    (conversation, is_out): (Option<&Conversation>, bool),
    version_of: impl Fn(&FlowId, FlowVersion) -> Option<&'f Flow>,
    question_of: impl Fn(&Session) -> Option<OpenQuestion<'f>>,
    host: &Keywords,
    now: DateTime<Utc>,
    limits: &Limits,
) -> KeywordMeaning {
    let is_text = inbound.message.kind == MessageKind::Text;
    let sessions = conversation.map_or(&[][..], |conversation| &conversation.sessions);
    let flows = || sessions.iter().flat_map(|session| flows_of(session, &version_of));
    let asked = || {
        let (_, session, _) = answering(inbound, sessions, &question_of)?;
        Some((session, question_of(session)?))
    };
    let is_offered = || asked().is_some_and(|(session, asked)| asked.offers(session, &inbound.message.text));
    let word = is_text.then(|| keyword_form(&inbound.message.text)).flatten();
    let word = word.filter(|word| is_keyword(word, host, flows(), is_offered));
    if let Some(word) = &word {
        let of_flows = flows().filter_map(|flow| flow.keywords().find(word));
        let is_free = || of_flows.clone().next().is_none() && !is_offered();
        let of_host = host.find(word).filter(|keyword| !keyword.yields || is_free());
        let means = |action| of_flows.clone().chain(of_host).any(|keyword| keyword.action == action);
        if means(KeywordAction::OptOut) {
            return KeywordMeaning::OptOut;
        }
        if is_out && means(KeywordAction::OptIn) {
            return KeywordMeaning::OptIn;
        }
    }
    if let Some(session) = sessions.iter().rev().find(|session| session.status() == Status::Handoff) {
        return KeywordMeaning::Handoff(session.id);
    }
    if conversation.is_some_and(|conversation| conversation.pause().is_some()) {
        return KeywordMeaning::Paused;
    }
    let (Some(word), false) = (word, sessions.is_empty()) else { return KeywordMeaning::Nothing };
    let interrupts = |asked: &OpenQuestion<'_>| !asked.keywords_off();
    let asked = asked().map(|(_, asked)| asked);
    let age = inbound.timestamp.map(|sent| now - sent);
    if age.is_some_and(|age| age > span(limits.max_message_age)) || !asked.as_ref().is_none_or(interrupts) {
        return KeywordMeaning::Nothing;
    }
    let flow_of = |session: &Session| {
        let (flow, version) = session.active();
        version_of(flow, version)
    };
    let newest_first = newest_first(sessions, inbound, age, flow_of);
    of_a_flow(&word, &newest_first, &version_of)
        .or_else(|| of_the_host(host.find(&word)?, &newest_first, flow_of))
        .unwrap_or(KeywordMeaning::Nothing)
}

/// True if a word is a keyword of the host or of one of these flows; what only comes near to one is
/// the choice that it names first.
fn is_keyword<'f>(
    word: &str,
    host: &Keywords,
    mut flows: impl Iterator<Item = &'f Flow> + Clone,
    is_offered: impl FnOnce() -> bool,
) -> bool {
    let of_host = host.find(word);
    if of_host.is_none() && !flows.clone().any(|flow| flow.keywords().find(word).is_some()) {
        return false;
    }
    let opts_out = of_host.is_some_and(|keyword| keyword.action == KeywordAction::OptOut);
    opts_out || host.names(word) || flows.any(|flow| flow.keywords().names(word)) || !is_offered()
}

/// The sessions that a keyword of this age may act on, the one that waits since last first.
fn newest_first<'s, 'f>(
    sessions: &'s [Session],
    inbound: &InboundMessage<'_>,
    age: Option<TimeDelta>,
    flow_of: impl Fn(&Session) -> Option<&'f Flow>,
) -> Vec<&'s Session> {
    let is_young = |session: &&Session| {
        let patience = flow_of(session).map_or(TimeDelta::MAX, |flow| flow.settings().max_message_age);
        age.is_none_or(|age| age <= patience)
            && inbound.timestamp.is_none_or(|sent| session.started_at - sent <= OLDER_THAN_SESSION)
    };
    let mut newest_first: Vec<&Session> = sessions.iter().filter(is_young).collect();
    newest_first.reverse();
    newest_first.arrange_by_key(|session| Reverse(session.parked_at));
    newest_first
}

/// The flows whose keywords act on a session, the nearest first: the one that it is in, those
/// that wait for it, the one that was started.
fn flows_of<'s, 'f: 's>(
    session: &'s Session,
    version_of: &'s impl Fn(&FlowId, FlowVersion) -> Option<&'f Flow>,
) -> impl Iterator<Item = &'f Flow> + Clone + 's {
    let waiting = session.frames().iter().rev().map(|frame| (&frame.flow, frame.version));
    let started = session.is_in_call().then_some((&session.flow, session.version));
    let flows = std::iter::once(session.active()).chain(waiting).chain(started);
    flows.filter_map(|(flow, version)| version_of(flow, version))
}

/// The keyword of the newest session of which a flow has it. A jump stays in the flow where the
/// session is.
fn of_a_flow<'f>(
    word: &str,
    newest_first: &[&Session],
    version_of: &impl Fn(&FlowId, FlowVersion) -> Option<&'f Flow>,
) -> Option<KeywordMeaning> {
    newest_first.iter().find_map(|session| {
        let mut keywords = flows_of(session, version_of).map(|flow| flow.keywords().find(word)).enumerate();
        let keyword = keywords.find_map(|(outward, keyword)| {
            keyword.filter(|keyword| match keyword.action {
                KeywordAction::OptIn => false,
                KeywordAction::Jump | KeywordAction::Say => outward == 0,
                _ => true,
            })
        })?;
        let (action, node) = (keyword.action, keyword.node.clone());
        Some(KeywordMeaning::Keyword { action, sessions: vec![session.id], node })
    })
}

/// The host's keyword, if there is a session that it can act on.
fn of_the_host<'f>(
    keyword: &Keyword,
    newest_first: &[&Session],
    flow_of: impl Fn(&Session) -> Option<&'f Flow>,
) -> Option<KeywordMeaning> {
    let has_node = |session: &&&Session, node| {
        flow_of(session).is_some_and(|flow| flow.find(node, NodeIx(u32::MAX)).is_some())
    };
    let sessions: Vec<SessionId> = match (keyword.action, &keyword.node) {
        (KeywordAction::Cancel, _) => newest_first.iter().map(|session| session.id).collect(),
        (KeywordAction::Restart | KeywordAction::Handoff, _) => vec![newest_first.first()?.id],
        (KeywordAction::Jump, Some(node)) => {
            vec![newest_first.iter().find(|session| has_node(session, node))?.id]
        }
        _ => return None,
    };
    let (action, node) = (keyword.action, keyword.node.clone());
    (!sessions.is_empty()).then_some(KeywordMeaning::Keyword { action, sessions, node })
}

impl Run<'_> {
    /// Leaves the session's node for another one of its flow. What was offered there is stale now
    /// (SEMANTICS I9).
    pub(in crate::kernel) fn jump(&mut self, node: &NodeId, route: Option<Arc<Route>>) -> Move {
        let Some(target) = self.flow.find(node, NodeIx(u32::MAX)) else { return Move::Ignore };
        if self.session.status() == Status::Handoff {
            return Move::Ignore;
        }
        self.session.answered = self.session.wait;
        self.session.take_left_open();
        if route.is_some() {
            self.session.route = route;
        }
        Move::Jump(target)
    }
}

impl Decision<'_> {
    /// The contact does not want to be written to: all sessions end, and nothing that is unsent is
    /// sent, be it of sessions that ended by themselves (SEMANTICS T10).
    pub(crate) fn opt_out(&mut self) {
        self.end_all(EndReason::OptedOut);
        let now = self.now;
        let conversation = self.edit();
        conversation.outbox.clear();
        conversation.contact.opted_out_at.get_or_insert(now);
    }

    /// Makes changes of the contact, all or none. Returns the field that refuses one, and its
    /// rule.
    pub(crate) fn change_contact(&mut self, changes: &[ContactChange]) -> Result<(), (String, String)> {
        let (now, limits) = (self.now, self.env.limits);
        let mut contact = self.conversation.contact.clone();
        for change in changes {
            contact.change(change, now, limits).map_err(|rule| (change.field(), rule))?;
        }
        contact.opted_in_at = self.conversation.contact.opted_in_at;
        contact.opted_out_at = self.conversation.contact.opted_out_at;
        if contact != self.conversation.contact {
            self.edit().contact = contact;
            self.note(EventKind::ContactUpdated);
        }
        for change in changes {
            match change {
                ContactChange::OptIn => self.opt_in(),
                ContactChange::OptOut => self.opt_out(),
                _ => {}
            }
        }
        Ok(())
    }

    /// Takes an opt-out back.
    pub(crate) fn opt_in(&mut self) {
        let now = self.now;
        let contact = &mut self.edit().contact;
        contact.opted_out_at = None;
        contact.opted_in_at.get_or_insert(now);
    }

    /// True if the contact takes a message of this session that answers nothing: it did not opt
    /// out, or the session is transactional (SEMANTICS T10).
    pub(crate) fn may_be_written_to(&self, session: SessionId) -> bool {
        let place = self.place_of(session);
        let origin = place.and_then(|place| self.conversation.sessions.get(place)?.origin.as_ref());
        self.conversation.contact.opted_out_at.is_none() || origin.is_some_and(|origin| origin.transactional)
    }

    pub(crate) fn place_of(&self, session: SessionId) -> Option<usize> {
        self.conversation.sessions.iter().position(|live| live.id == session)
    }
}
