//! Replaying a journal: the same inputs at the same times lead to the same session (SEMANTICS L6).
//! Pure, like the turns that it repeats: nothing is sent, asked or stored.

use crate::flow::Flow;
use crate::id::{FlowId, FlowVersion, WorkspaceId};
use crate::kernel::begin::start;
use crate::kernel::ending::fail;
use crate::kernel::journal::{CalledFlow, JournalEntry, JournalStep, Seen, count};
use crate::kernel::run::take;
use crate::kernel::{Callee, Input, Library, TurnEnvironment};
use crate::limits::Limits;
use crate::session::{FailureCode, Session};

/// The reason a journal cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// Its first entries are missing: the journal was purged, or begins later than the session.
    #[error("the journal does not begin with the session's start")]
    NotFromStart,
    /// An entry is missing, or of another session.
    #[error("entry {seq} of the journal is missing")]
    Gap {
        /// Its place in the journal, from 1.
        seq: u32,
    },
    /// A version was not given.
    #[error("version {version} of flow `{flow}` is not known")]
    UnknownFlow {
        /// The flow.
        flow: FlowId,
        /// The version.
        version: FlowVersion,
    },
    /// A turn did not come to what the journal says: the journal was changed, or the flow, the
    /// limits or the release are not those that it was written under.
    #[error("turn {turn} differs from the journal at entry {seq}")]
    Diverged {
        /// The turn.
        turn: u32,
        /// The entry, from 1.
        seq: u32,
    },
}

/// Returns the session that a journal leads to: all of its entries, in order, from the start.
///
/// `flows` finds the versions that the session ran on, as they were compiled then; `limits` are the
/// engine's. The answer equals the session that is stored, live or ended.
///
/// ```
/// use chatflow::kernel::replay;
/// use chatflow::limits::Limits;
/// use chatflow::{Engine, Flow, MemoryStore, SessionId};
///
/// async fn check(bot: &Engine<MemoryStore>, flow: &Flow, id: SessionId) -> Result<bool, Box<dyn std::error::Error>> {
///     let journal = bot.journal(id).await?;
///     let replayed = replay(|_flow, _version| Some(flow), &journal, &Limits::default())?;
///     Ok(bot.session(id).await?.is_some_and(|stored| *stored.session() == replayed))
/// }
/// ```
///
/// # Errors
/// [`ReplayError`]; `Diverged` names the turn.
pub fn replay<'f>(
    flows: impl Fn(&FlowId, FlowVersion) -> Option<&'f Flow>,
    journal: &[JournalEntry],
    limits: &Limits,
) -> Result<Session, ReplayError> {
    let begins =
        journal.first().and_then(|first| Some((first, first.new.as_deref()?, first.seen.as_deref()?)));
    let Some((first, new, mut seen)) = begins else { return Err(ReplayError::NotFromStart) };
    let flow = flows(&first.flow, first.version).ok_or_else(|| unknown(first))?;
    let mut session = start(flow, new.clone(), first.at);
    for (entry, seq) in journal.iter().zip(1..) {
        if entry.seq != seq || entry.session != session.id {
            return Err(ReplayError::Gap { seq });
        }
        seen = entry.seen.as_deref().unwrap_or(seen);
        let flow = flows(&entry.flow, entry.version);
        let called: Vec<_> =
            entry.called.iter().map(|called| (called, flows(&called.flow, called.version))).collect();
        if let Some((unknown, _)) = called.iter().find(|(_, flow)| flow.is_none()) {
            let (flow, version) = (unknown.flow.clone(), unknown.version);
            return Err(ReplayError::UnknownFlow { flow, version });
        }
        if flow.is_none() && !ends_without_flow(entry) {
            return Err(unknown(entry));
        }
        let steps = repeat(flow, &Looked(called), &mut session, (entry, seen), limits);
        let came_to = (session.turns, &session.at, session.status(), session.failure());
        if steps.as_deref() != Some(&entry.steps)
            || came_to != (entry.turn, &entry.node, entry.status, entry.failure.as_ref())
        {
            return Err(ReplayError::Diverged { turn: entry.turn, seq });
        }
    }
    Ok(session)
}

/// The called flows that a turn looked up.
struct Looked<'f>(Vec<(&'f CalledFlow, Option<&'f Flow>)>);

impl Library for Looked<'_> {
    fn find(&self, flow: &FlowId, version: Option<FlowVersion>) -> Option<Callee<'_>> {
        let is_meant = |called: &CalledFlow| match version {
            Some(version) => called.version == version,
            None => called.online,
        };
        let found = self.0.iter().find(|(called, _)| called.flow == *flow && is_meant(called));
        let (called, flow) = found?;
        Some(Callee { flow: (*flow)?, version: called.version, name: &called.name })
    }
}

/// Takes an entry's input once more. None: the session does not take it.
fn repeat(
    flow: Option<&Flow>,
    called: &Looked<'_>,
    session: &mut Session,
    (entry, seen): (&JournalEntry, &Seen),
    limits: &Limits,
) -> Option<Vec<JournalStep>> {
    let env = TurnEnvironment {
        now: entry.at,
        workspace: &WorkspaceId::default(),
        contact: &seen.contact,
        flow_name: &seen.flow_name,
        flows: called,
        limits,
        last_seq: entry.last_seq,
        unsent: entry.unsent,
        journal: true,
    };
    let outcome = take(flow, session, entry.input.clone(), &env);
    // Decided on the whole conversation, which a journal of one session does not have.
    if let Some(failure) =
        entry.failure.as_ref().filter(|failure| failure.code == FailureCode::ConversationSize)
    {
        let _missed = fail(session, failure.code, failure.message.clone(), entry.at);
        if let Some(flow) = flow {
            session.keep_results(&flow.settings().results);
        }
    }
    count(session, &seen.contact, &seen.flow_name);
    outcome.taken.then_some(outcome.steps)
}

fn ends_without_flow(entry: &JournalEntry) -> bool {
    let is_gone = |failure: &crate::session::Failure| failure.code == FailureCode::MissingNode;
    matches!(entry.input, Input::End(_)) || entry.failure.as_ref().is_some_and(is_gone)
}

fn unknown(entry: &JournalEntry) -> ReplayError {
    ReplayError::UnknownFlow { flow: entry.flow.clone(), version: entry.version }
}
