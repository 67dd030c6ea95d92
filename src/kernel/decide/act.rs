//! Changes to a conversation that is there, by the host: answers of calls, cancellations, reports,
//! handoffs, the contact itself (SEMANTICS D2, D1, S10, Q2, Q3).

use chrono::{DateTime, Utc};

use crate::address::Address;
use crate::calls::CallResult;
use crate::error::Error;
use crate::id::{CallId, ContactId, FlowId, FlowVersion, MessageId, SessionId};
use crate::kernel::decide::contact::Source;
use crate::kernel::decide::decision::Decision;
use crate::kernel::decide::environment::{Environment, Unready};
use crate::kernel::decide::frame::{Applied, FoundConversation, Halt, Operation, Replay};
use crate::session::{ContactChange, DeliveryReport, EndReason};
use crate::value::PackedMap;

/// One change to a conversation.
pub(crate) trait ConversationChange: Send {
    /// Makes it. Returns whether it took effect.
    fn make(&mut self, decision: &mut Decision<'_>) -> bool;

    /// True if it needs every version that its live sessions are pinned to (SEMANTICS S14). Where
    /// it does not and one cannot be used here, it is made and nothing that was due is applied.
    fn needs_flows(&self) -> bool {
        true
    }
}

/// A change as a call: after all that was due, and remembered if it took effect.
pub(crate) struct HostChange<'a> {
    change: &'a mut dyn ConversationChange,
    /// True if it took effect, once it is decided.
    pub(crate) took_effect: bool,
}

impl<'a> HostChange<'a> {
    pub(crate) fn new(change: &'a mut dyn ConversationChange) -> Self {
        Self { change, took_effect: false }
    }
}

impl Operation for HostChange<'_> {
    fn replay(&mut self, found: &mut FoundConversation<'_>, env: &Environment<'_>) -> Result<Replay, Error> {
        let known = found.conversation.as_deref().filter(|_| found.maybe_done && found.fault.is_none());
        if known.is_some_and(|conversation| conversation.knows_call(env.call)) {
            self.took_effect = true;
            return Ok(Replay::Done);
        }
        self.took_effect = false;
        Ok(Replay::New)
    }

    fn tolerates(&self, unready: &Unready, _env: &Environment<'_>) -> bool {
        matches!(unready, Unready::Missing(..) | Unready::InDoubt(_)) && !self.change.needs_flows()
    }

    fn apply(&mut self, decision: &mut Decision<'_>) -> Result<Applied, Halt> {
        self.took_effect = self.change.make(decision);
        if self.took_effect {
            decision.remember_call(decision.env.call);
        }
        Ok(Applied::WriteIfChanged)
    }
}

/// A change that a host asks for.
#[derive(Debug)]
pub(crate) enum Action<'a> {
    /// The result of a call is handed in (SEMANTICS D2).
    Complete { call: CallId, result: &'a CallResult },
    /// A session is cancelled.
    Cancel { session: SessionId },
    /// News of a message that the transport took (SEMANTICS D1). `contact` is whose it is, once it
    /// is known, `of` the flow that sent it, for those who watch.
    Report {
        message: MessageId,
        report: &'a DeliveryReport,
        contact: &'a mut Option<ContactId>,
        of: &'a mut Option<(FlowId, Option<FlowVersion>)>,
    },
    /// A session is handed over to a person (SEMANTICS S10).
    HandOver { session: SessionId },
    /// Its newest session is, or without one it is itself.
    HandOverContact,
    /// The contact comes back from a person, who found these out.
    HandBack { vars: &'a PackedMap },
    /// The person is busy with the contact.
    Touch,
    /// The contact does not want to be written to (SEMANTICS T10).
    OptOut,
    /// It did not want to since this instant.
    OptedOutAt(DateTime<Utc>),
    /// It may be written to again.
    OptIn,
    /// Its profile changes (SEMANTICS Q2). `refused`: the field and the rule that refuse
    /// it.
    Update { changes: &'a [ContactChange], refused: &'a mut Option<(String, String)> },
    /// The bot is silent for it (SEMANTICS Q3).
    Pause { until: Option<DateTime<Utc>> },
    /// The bot is silent no more.
    Unpause,
    /// An opt-out comes with an address that it is about to get.
    CarryOptOut { since: DateTime<Utc> },
    /// It gets an address.
    Link { address: &'a Address },
    /// A dead letter goes back into the outbox, if the contact may be written to.
    Requeue { message: MessageId },
    /// A dead letter is dropped.
    DropDeadLetter { message: MessageId },
    /// An address leads to it no more, if it is in no session, and is its own until another
    /// contact has it.
    Yield { address: &'a Address },
    /// It loses an address, if it is in no session.
    Unlink { address: &'a Address },
    /// It loses an address that belongs to somebody else now.
    Forsake { address: &'a Address },
    /// One of its addresses became another.
    Relink { old: &'a Address, new: &'a Address },
}

impl ConversationChange for Action<'_> {
    fn needs_flows(&self) -> bool {
        !matches!(self, Self::Cancel { .. })
    }

    fn make(&mut self, decision: &mut Decision<'_>) -> bool {
        let now = decision.now;
        match self {
            Self::Complete { call, result } => decision.answer_call(*call, result.clone(), now),
            Self::Cancel { session } => {
                let place = decision.place_of(*session);
                place.map(|place| decision.end(place, EndReason::Cancelled, now)).is_some()
            }
            Self::Report { message, report, contact, of } => {
                let is_known = (1..=decision.conversation.last_seq).contains(&message.seq);
                **contact = is_known.then(|| decision.conversation.contact().id.clone());
                **of = decision.env.observed.then(|| decision.sender_of(*message)).flatten();
                is_known && decision.report(*message, report)
            }
            Self::HandOver { session } => {
                let place = decision.place_of(*session);
                place.is_some_and(|place| decision.hand_over(place))
            }
            Self::HandOverContact => decision.hand_over_contact(),
            Self::HandBack { vars } => decision.hand_back(vars),
            Self::Touch => decision.touch(),
            Self::Yield { address } => {
                decision.conversation.sessions.is_empty() && decision.yield_up(address)
            }
            Self::Unlink { address } => decision.conversation.sessions.is_empty() && decision.unlink(address),
            Self::Forsake { address } => decision.forsake(address),
            Self::Relink { old, new } => decision.relink(old, new),
            Self::Requeue { message } => decision.requeue(*message),
            Self::DropDeadLetter { message } => decision.take_letter(*message).is_some(),
            Self::OptOut | Self::OptedOutAt(_) | Self::OptIn | Self::Update { .. } => {
                self.change_contact(decision);
                true
            }
            Self::Pause { until } => {
                decision.pause(*until);
                true
            }
            Self::Unpause => {
                decision.unpause(now);
                true
            }
            Self::CarryOptOut { since } => {
                decision.edit().contact.opted_out_at.get_or_insert(*since);
                true
            }
            Self::Link { address } => {
                decision.link(address, Source::Host);
                true
            }
        }
    }
}

impl Action<'_> {
    fn change_contact(&mut self, decision: &mut Decision<'_>) {
        match self {
            Self::OptOut => decision.opt_out(),
            Self::OptedOutAt(since) => {
                decision.opt_out();
                decision.edit().contact.opted_out_at = Some(*since);
            }
            Self::OptIn => decision.opt_in(),
            Self::Update { changes, refused } => **refused = decision.change_contact(changes).err(),
            _ => {}
        }
    }
}
