//! The one order in which every call is decided: is it a repeat, may it be asked, are the versions
//! there that it needs, is an address in doubt, what was due before, and then the operation itself.

use std::sync::Arc;

use crate::address::Alias;
use crate::error::{Error, MissingReason};
use crate::id::{ContactId, FlowId, FlowVersion};
use crate::kernel::decide::decision::Decision;
use crate::kernel::decide::environment::{Environment, Unready};
use crate::kernel::decide::output::Output;
use crate::session::{Conversation, KeyRecord};

/// A conversation as a call finds it.
pub(crate) struct FoundConversation<'a> {
    /// The conversation; None: there is none. It is as it was unless the decision is to be written.
    pub(crate) conversation: &'a mut Option<Arc<Conversation>>,
    /// The revision that it was found at; only handed on.
    pub(crate) revision: u64,
    /// Messages up to here are settled.
    pub(crate) settled: u64,
    /// True if the call holds the lease.
    pub(crate) is_leased: bool,
    /// The error of a conversation that cannot be used: it was set aside, or cannot be read.
    pub(crate) fault: Option<Box<Error>>,
    /// The record of the trigger's key.
    pub(crate) key: Option<&'a KeyRecord>,
    /// True if an earlier attempt of this call may have been written: what it left is to be found.
    pub(crate) maybe_done: bool,
    /// An alias that an earlier attempt wanted, and the contact that has it.
    pub(crate) taken: Option<&'a (Alias, ContactId)>,
}

/// The answer of a call to the question whether it is a repeat.
pub(crate) enum Replay {
    /// It is no repeat.
    New,
    /// It has its answer.
    Answered,
    /// It was done by an earlier attempt of this very call, whose lease may still be held.
    Done,
}

/// The result of an operation, as far as writing goes.
pub(crate) enum Applied {
    /// To be written.
    Write,
    /// To be written if anything has changed, be it by what was due.
    WriteIfChanged,
    /// Nothing: the conversation is to be as it was found.
    Undo,
}

/// One call as the frame sees it. It keeps its own answer.
pub(crate) trait Operation: Send {
    /// Finds out whether the call was answered before.
    fn replay(&mut self, found: &mut FoundConversation<'_>, env: &Environment<'_>) -> Result<Replay, Error>;

    /// Looks at the request beside the conversation, which is there or not. Returns whether it has
    /// its answer.
    fn check(&mut self, _is_known: bool, _env: &Environment<'_>) -> Result<bool, Halt> {
        Ok(false)
    }

    /// The contact that is made where there is none. None: the call is about one that is there, and
    /// has its answer where there is none.
    fn newcomer(&mut self) -> Option<ContactId> {
        None
    }

    /// True if it can do without what is lacking (SEMANTICS S14).
    fn tolerates(&self, _unready: &Unready, _env: &Environment<'_>) -> bool {
        false
    }

    /// True if it may come to nothing after it has changed the conversation.
    fn may_undo(&self, _env: &Environment<'_>) -> bool {
        false
    }

    /// Finds out whether an address is in doubt, such as one that an earlier attempt wanted and
    /// that this contact has. Returns whether it has its answer.
    fn doubts_address(&mut self, _decision: &Decision<'_>, _taken: Option<&(Alias, ContactId)>) -> bool {
        false
    }

    /// Books what must be known before what is due.
    fn book(&mut self, _decision: &mut Decision<'_>, _taken: Option<&(Alias, ContactId)>) {}

    /// Does it, after all that was due.
    fn apply(&mut self, decision: &mut Decision<'_>) -> Result<Applied, Halt>;
}

/// The reason nothing is decided.
pub(crate) enum Halt {
    /// The call fails.
    Error(Error),
    /// It cannot be decided with the flows as they are.
    Unready(Unready),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// The result of a decision.
pub(crate) enum Resolution<'a> {
    /// The operation has its answer, and nothing is to be written.
    Answered,
    /// The operation has its answer; nothing is to be written, and what is due is to be done under
    /// the lease that the call holds.
    Deliver(Decision<'a>),
    /// The operation has its answer once this is written.
    Write(Decision<'a>),
    /// These versions of flows must be fetched first.
    Fetch(Vec<(FlowId, FlowVersion)>),
    /// A version that the contact's conversation needs cannot be used here (SEMANTICS S14).
    Missing(Box<(ContactId, FlowId, FlowVersion, MissingReason)>),
}

impl Resolution<'_> {
    fn halted(contact: Option<ContactId>, halt: Halt) -> Result<Self, Error> {
        match (halt, contact) {
            (Halt::Error(error), _) => Err(error),
            (Halt::Unready(Unready::Fetch(versions)), _) => Ok(Self::Fetch(versions)),
            (Halt::Unready(Unready::InDoubt(skew)), _) => Err(skew.into()),
            (Halt::Unready(Unready::Missing(flow, version, reason)), Some(contact)) => {
                Ok(Self::Missing(Box::new((contact, flow, version, reason))))
            }
            (Halt::Unready(Unready::Missing(..)), None) => Ok(Self::Answered),
        }
    }
}

/// Decides a call on the conversation that was found.
///
/// # Errors
/// The error of the call. Nothing is to be written then, and the conversation is as it was found.
pub(crate) fn decide<'a>(
    env: &'a Environment<'a>,
    found: &'a mut FoundConversation<'_>,
    out: &'a mut Output,
    operation: &mut dyn Operation,
) -> Result<Resolution<'a>, Error> {
    match operation.replay(found, env)? {
        Replay::New => {}
        Replay::Done if found.is_leased => {
            let Some(conversation) = found.conversation else { return Ok(Resolution::Answered) };
            let conversation = Arc::make_mut(conversation);
            return Ok(Resolution::Deliver(Decision::new(env, conversation, found.settled, out)));
        }
        Replay::Answered | Replay::Done => return Ok(Resolution::Answered),
    }
    if let Some(fault) = found.fault.take() {
        return Err(*fault);
    }
    let is_new = found.conversation.is_none();
    match operation.check(!is_new, env) {
        Ok(false) => {}
        Ok(true) => return Ok(Resolution::Answered),
        Err(halt) => {
            let contact = match found.conversation {
                Some(known) => Some(known.contact().id.clone()),
                None => operation.newcomer(),
            };
            return Resolution::halted(contact, halt);
        }
    }
    let (conversation, before) = match &mut *found.conversation {
        Some(conversation) => {
            let before = operation.may_undo(env).then(|| Arc::clone(conversation));
            (conversation, before)
        }
        none => {
            let Some(contact) = operation.newcomer() else { return Ok(Resolution::Answered) };
            (none.insert(Arc::new(Conversation::new(contact, env.now))), None)
        }
    };
    let mut decision = Decision::new(env, Arc::make_mut(conversation), found.settled, out);
    decision.is_new = is_new;
    match on_time(&mut decision, operation, found.taken) {
        Ok(true) => Ok(Resolution::Write(decision)),
        halted => {
            let contact = decision.conversation.contact().id.clone();
            if let Some(before) = before {
                *decision.conversation = Arc::unwrap_or_clone(before);
            }
            match halted {
                Ok(_) => Ok(Resolution::Answered),
                Err(halt) => Resolution::halted(Some(contact), halt),
            }
        }
    }
}

/// The part of the frame that has a conversation. Returns whether it is to be written.
fn on_time(
    decision: &mut Decision<'_>,
    operation: &mut dyn Operation,
    taken: Option<&(Alias, ContactId)>,
) -> Result<bool, Halt> {
    if let Err(unready) = decision.ready()
        && !operation.tolerates(&unready, decision.env)
    {
        return Err(Halt::Unready(unready));
    }
    if operation.doubts_address(decision, taken) {
        return Ok(false);
    }
    operation.book(decision, taken);
    decision.apply_due();
    match operation.apply(decision)? {
        Applied::Write => Ok(true),
        Applied::WriteIfChanged => Ok(decision.out.changed),
        Applied::Undo => Ok(false),
    }
}
