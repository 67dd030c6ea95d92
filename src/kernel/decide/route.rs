//! The receiver of an inbound message: a session that waits for it, a trigger, a queue, or nobody
//! (SEMANTICS I1, I3, I4, I5, I9, I12).

use std::cmp::Reverse;

use chrono::{DateTime, TimeDelta, Utc};

use crate::address::AccountRef;
use crate::flow::answer::Choices;
use crate::flow::node::{CompiledNode, Question};
use crate::flow::{Flow, NodeIx, Rank};
use crate::id::{FlowId, SessionId};
use crate::kernel::node::takes;
use crate::kernel::offer::offered_choices;
use crate::kernel::time::span;
use crate::limits::Limits;
use crate::session::{Conversation, Message, MessageKind, Reply, Session, Status};

/// A message may be this much older than the question it answers: clocks differ (SEMANTICS I12).
const OLDER_THAN_WAIT: TimeDelta = TimeDelta::seconds(60);
/// A delay that ends within this keeps messages for what comes after it (SEMANTICS I1).
const SHORT_DELAY: TimeDelta = TimeDelta::seconds(60);
/// Time for which a campaign's reach counts (SEMANTICS I4).
pub(crate) const CAMPAIGN_REACH: TimeDelta = TimeDelta::days(7);

/// An inbound message, as routing sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InboundMessage<'a> {
    pub(crate) message: &'a Message,
    pub(crate) account: AccountRef<'a>,
    /// The session and wait number that its payload names, if it is ours.
    pub(crate) choice: Option<(SessionId, u32)>,
    /// When the channel says it was sent.
    pub(crate) timestamp: Option<DateTime<Utc>>,
}

/// A flow that messages of this account may start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) flow: &'a Flow,
    /// True if it may start with this contact now.
    pub(crate) admitted: bool,
}

/// A question that a session waits at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenQuestion<'f> {
    node: &'f CompiledNode,
    question: &'f Question,
    /// Maximum age of a message that answers it (SEMANTICS I12).
    patience: TimeDelta,
}

impl OpenQuestion<'_> {
    /// True if what it is answered with is never a keyword (SEMANTICS I6).
    pub(super) fn keywords_off(&self) -> bool {
        self.question.keywords_off
    }

    /// True if a text names one of the choices that it offers this session, or is a word of one
    /// (SEMANTICS U5).
    pub(super) fn offers(&self, session: &Session, text: &str) -> bool {
        let has = |choices: &Choices| choices.has(text) || choices.mention(text);
        self.node.choices().is_some_and(|choices| match offered_choices(session, choices) {
            Some(choices) => has(&choices),
            None => has(choices),
        })
    }
}

/// The receiver of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Routing {
    /// The session at this place takes it as its answer.
    Answer(usize),
    /// It starts this flow.
    Start(FlowId),
    /// The session at this place keeps it for its next question.
    Queue(usize),
    /// The session at this place can keep no more.
    InboxFull,
    /// It chooses from an earlier question of this session.
    StaleChoice(SessionId),
    /// It is too old for what it would do.
    TooOld,
    /// No flow takes it.
    Unmatched,
}

/// Decides, on a conversation to which all that was due has been applied. `wait_of` finds the
/// question that a session waits at.
pub(crate) fn route<'f>(
    inbound: &InboundMessage<'_>,
    conversation: Option<&Conversation>,
    wait_of: impl Fn(&Session) -> Option<OpenQuestion<'f>>,
    candidates: &[Candidate<'_>],
    now: DateTime<Utc>,
    limits: &Limits,
) -> Routing {
    let age = inbound.timestamp.map(|sent| now - sent);
    if age.is_some_and(|age| age > span(limits.max_message_age)) {
        return Routing::TooOld;
    }
    let sessions = conversation.map_or(&[][..], |conversation| &conversation.sessions);
    if let Some((session, wait)) = inbound.choice
        && let Some(named) = sessions.iter().find(|live| live.id == session)
        && wait <= named.answered
    {
        return Routing::StaleChoice(session);
    }
    let outlived = |patience: TimeDelta| age.is_some_and(|age| age > patience);
    if let Some(flow) = interrupting(inbound, sessions, &wait_of, candidates) {
        let is_over = outlived(flow.settings().max_message_age);
        return if is_over { Routing::TooOld } else { Routing::Start(flow.id().clone()) };
    }
    if let Some((place, session, patience)) = answering(inbound, sessions, &wait_of) {
        let too_old = outlived(patience)
            || inbound.timestamp.is_some_and(|sent| {
                session.parked_at - sent > OLDER_THAN_WAIT || is_overtaken(inbound.account, session, sent)
            });
        return if too_old { Routing::TooOld } else { Routing::Answer(place) };
    }
    if matches!(inbound.message.kind, MessageKind::Reaction | MessageKind::Other) {
        return Routing::Unmatched;
    }
    let mut keepers = sessions.iter().enumerate().rev();
    let keeper = keepers.find(|(_, session)| {
        inbound.choice.is_none_or(|(named, _)| named == session.id) && keeps_messages(session, now)
    });
    let best = best_trigger(inbound, conversation, candidates, now, keeper.is_some());
    match (best, keeper) {
        (Some(flow), _) if outlived(flow.settings().max_message_age) => Routing::TooOld,
        (Some(flow), _) => Routing::Start(flow.id().clone()),
        (None, Some((_, session))) if session.queue().len() >= limits.queued_messages => Routing::InboxFull,
        (None, Some((place, _))) => Routing::Queue(place),
        (None, None) => Routing::Unmatched,
    }
}

/// The flow of which a rule goes before an answer (SEMANTICS I4): not where the question takes no
/// keywords, or offers a choice of that name.
fn interrupting<'c, 'f>(
    inbound: &InboundMessage<'_>,
    sessions: &[Session],
    wait_of: impl Fn(&Session) -> Option<OpenQuestion<'f>>,
    candidates: &[Candidate<'c>],
) -> Option<&'c Flow> {
    let is_wanted = |candidate: &&Candidate<'c>| candidate.admitted && candidate.flow.trigger().interrupts();
    if inbound.choice.is_some() || sessions.is_empty() || !candidates.iter().any(|one| is_wanted(&one)) {
        return None;
    }
    let text = &*inbound.message.text;
    if let Some((_, session, _)) = answering(inbound, sessions, &wait_of)
        && wait_of(session).is_some_and(|asked| asked.keywords_off() || asked.offers(session, text))
    {
        return None;
    }
    let payload = inbound.message.payload.as_deref();
    let ranked = candidates.iter().filter(is_wanted).filter_map(|candidate| {
        let trigger = candidate.flow.trigger();
        let rank = trigger.interrupts_by(Some(text).filter(|text| !text.is_empty()), payload)?;
        Some(((Reverse(trigger.priority()), Reverse(rank), candidate.flow.id()), candidate.flow))
    });
    ranked.min_by(|(one, _), (other, _)| one.cmp(other)).map(|(_, flow)| flow)
}

/// The session whose question a message answers: the one its payload names, else the one that waits
/// since last (SEMANTICS I3). A choice of ours answers no question but its own (I9).
pub(super) fn answering<'s, 'f>(
    inbound: &InboundMessage<'_>,
    sessions: &'s [Session],
    wait_of: impl Fn(&Session) -> Option<OpenQuestion<'f>>,
) -> Option<(usize, &'s Session, TimeDelta)> {
    let mut waiting = sessions.iter().enumerate().filter_map(|(place, session)| {
        let asked = (session.status() == Status::Waiting).then(|| wait_of(session))??;
        takes(asked.question, session, inbound.message.kind, inbound.account).then_some((
            place,
            session,
            asked.patience,
        ))
    });
    match inbound.choice {
        Some((named, _)) => waiting.find(|(_, session, _)| named == session.id),
        None => waiting.max_by_key(|(place, session, _)| (session.parked_at, *place)),
    }
}

/// True if a message of this account that was sent later has answered an earlier question of the
/// session (SEMANTICS I12). While a question is asked again its answers come in any order.
fn is_overtaken(account: AccountRef<'_>, session: &Session, sent: DateTime<Utc>) -> bool {
    let is_here = session.route.as_ref().is_some_and(|route| account == route.account);
    let is_asked_again = session.heard().is_some_and(|heard| heard.invalid > 0);
    let last = session.reply.as_deref().and_then(Reply::latest);
    is_here && !is_asked_again && last.is_some_and(|last| sent < last)
}

fn keeps_messages(session: &Session, now: DateTime<Utc>) -> bool {
    match session.status() {
        Status::Calling => true,
        Status::Delayed => session.deadline().is_some_and(|deadline| deadline - now <= SHORT_DELAY),
        _ => false,
    }
}

/// The flow that a message starts (SEMANTICS I4). Where a session could keep the message, only a
/// rule about its words comes first (I1).
fn best_trigger<'c>(
    inbound: &InboundMessage<'_>,
    conversation: Option<&Conversation>,
    candidates: &[Candidate<'c>],
    now: DateTime<Utc>,
    by_words_only: bool,
) -> Option<&'c Flow> {
    let first_contact = conversation.is_none_or(|conversation| !conversation.has_written);
    let reached = conversation
        .and_then(|conversation| conversation.campaign_at())
        .is_some_and(|at| now - at <= CAMPAIGN_REACH);
    let text = (inbound.message.kind != MessageKind::Choice || !inbound.message.text.is_empty())
        .then_some(inbound.message.text.as_ref());
    let payload = inbound.message.payload.as_deref().filter(|_| inbound.choice.is_none());
    candidates
        .iter()
        .filter(|candidate| candidate.admitted)
        .filter_map(|candidate| {
            let trigger = candidate.flow.trigger();
            if trigger.needs_campaign() && !reached {
                return None;
            }
            let rank = trigger.matches(text, payload, first_contact)?;
            let allowed = !by_words_only
                || matches!(
                    rank,
                    Rank::Payload
                        | Rank::Exact
                        | Rank::StartsWith
                        | Rank::Regex
                        | Rank::HasWord
                        | Rank::Contains
                );
            let order = (Reverse(trigger.priority()), Reverse(rank), candidate.flow.id());
            allowed.then_some((order, candidate.flow))
        })
        .min_by(|(one, _), (other, _)| one.cmp(other))
        .map(|(_, flow)| flow)
}

/// The question that a session waits at, in its own version of the flow.
pub(super) fn wait_node<'f>(flow: &'f Flow, session: &Session) -> Option<OpenQuestion<'f>> {
    let at = flow.find(&session.at, NodeIx(session.hint))?;
    let node = &flow.node(at)?.node;
    let question = node.question()?;
    Some(OpenQuestion { node, question, patience: flow.settings().max_message_age })
}
