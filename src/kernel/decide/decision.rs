//! A conversation while it is decided on: what it is, what is true of the flows that its sessions
//! need, and what the decision leaves to be written.

use std::cell::Cell;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::error::MissingReason;
use crate::flow::Flow;
use crate::id::{FlowId, FlowVersion, MessageId, SessionId};
use crate::kernel::decide::environment::{Environment, Pinned, Unready};
use crate::kernel::decide::output::Output;
use crate::kernel::decide::route::{OpenQuestion, wait_node};
use crate::observer::{EventKind, PendingEvent};
use crate::session::{Conversation, Outbound, Session};

/// A conversation further ahead of the clock than this is reported (SEMANTICS S8).
const CLOCK_BEHIND: TimeDelta = TimeDelta::hours(1);

/// A conversation while it is decided on. It is borrowed from its loader, and changed in
/// place; where somebody else holds it, it is a copy.
pub(crate) struct Decision<'a> {
    pub(crate) env: &'a Environment<'a>,
    pub(crate) conversation: &'a mut Conversation,
    pub(crate) out: &'a mut Output,
    /// True if the conversation begins with this decision.
    pub(crate) is_new: bool,
    /// The conversation's time (SEMANTICS S8).
    pub(crate) now: DateTime<Utc>,
    /// Messages up to here are settled.
    pub(crate) settled: u64,
    /// True if a version that a session needs cannot be used here (SEMANTICS S14), or nobody knows
    /// what is due (S20): time does nothing then.
    pub(super) is_stranded: bool,
    /// True if a session needs a version that was terminated (SEMANTICS L4).
    pub(super) has_terminated: bool,
    /// Messages of the turn that just ended which come too late to be sent.
    pub(super) overdue: Vec<Arc<Outbound>>,
    /// Messages that sessions wait for and that are not said to who opted out.
    pub(super) unsaid: Vec<MessageId>,
    /// True while what time brings is applied.
    pub(super) is_timed: bool,
    /// The flow that was last asked for, by the address of its id: sessions share it with their
    /// compiled flow.
    last_pinned: Cell<Option<((usize, FlowVersion), Pinned<'a>)>>,
}

impl<'a> Decision<'a> {
    /// Takes up a conversation at the clock's time, or at its own if that is later.
    #[inline]
    pub(crate) fn new(
        env: &'a Environment<'a>,
        conversation: &'a mut Conversation,
        settled: u64,
        out: &'a mut Output,
    ) -> Self {
        let now = env.now.max(conversation.last_at);
        let mut decision = Self {
            env,
            conversation,
            out,
            is_new: false,
            now,
            settled,
            is_stranded: false,
            has_terminated: false,
            overdue: Vec::new(),
            unsaid: Vec::new(),
            is_timed: false,
            last_pinned: Cell::new(None),
        };
        if now > env.now && now - env.now > CLOCK_BEHIND {
            decision.note(EventKind::ClockBehind);
        }
        decision
    }

    /// The conversation. None: it begins with this decision.
    pub(crate) fn known(&self) -> Option<&Conversation> {
        (!self.is_new).then_some(&*self.conversation)
    }

    /// Checks that all is there and known that the decision needs: time, and the versions that its
    /// live sessions need. The session of a terminated one needs none, as it is to end (SEMANTICS
    /// L4).
    pub(crate) fn ready(&mut self) -> Result<(), Unready> {
        if let Some(skew) = self.env.skew.filter(|skew| self.has_due_after(skew.engine)) {
            self.is_stranded = true;
            return Err(Unready::InDoubt(skew));
        }
        let is_usable = |flow: &FlowId, version, digest| {
            let pinned = self.pinned(flow, version);
            pinned.is_some_and(|pinned| !pinned.terminated && pinned.flow_of(digest).is_some())
        };
        match self.conversation.sessions.iter().all(|session| session.has_pins(is_usable)) {
            true => Ok(()),
            false => self.look_for_versions(),
        }
    }

    #[cold]
    fn look_for_versions(&mut self) -> Result<(), Unready> {
        let (mut fetch, mut missing, mut has_terminated) = (Vec::new(), None, false);
        for (flow, version, digest) in self.conversation.sessions.iter().flat_map(Session::pins) {
            let pinned = self.pinned(flow, version);
            has_terminated |= pinned.is_some_and(|pinned| pinned.terminated);
            match pinned {
                None => fetch.push((flow.clone(), version)),
                Some(pinned) if pinned.flow_of(digest).is_some() => {}
                Some(Pinned { terminated: true, digest: stored, .. })
                    if digest.is_none() || digest == stored => {}
                Some(Pinned { flow: Err(unusable), digest: stored, .. })
                    if digest.is_none() || stored.is_none() || digest == stored =>
                {
                    missing.get_or_insert_with(|| unusable.named(flow, version));
                }
                Some(_) => {
                    missing.get_or_insert_with(|| (flow.clone(), version, MissingReason::NotStored));
                }
            }
        }
        self.has_terminated = has_terminated;
        if !fetch.is_empty() {
            return Err(Unready::Fetch(fetch));
        }
        let Some((flow, version, reason)) = missing else { return Ok(()) };
        self.is_stranded = true;
        Err(Unready::Missing(flow, version, reason))
    }

    pub(crate) fn note(&mut self, kind: EventKind) {
        self.note_at(self.now, kind);
    }

    /// Notes what became of a message of this flow, whose session may be over.
    pub(crate) fn note_message(&mut self, message: &Outbound, attempt: Option<u32>, kind: EventKind) {
        if self.env.observed {
            self.note(kind);
            if let Some(noted) = self.out.events.last_mut() {
                let sender = message.sender();
                if sender.1.is_some() || noted.of.is_none() {
                    noted.of = Some(sender);
                }
                noted.attempt = attempt;
            }
        }
    }

    pub(super) fn note_at(&mut self, at: DateTime<Utc>, kind: EventKind) {
        if self.env.observed {
            let noted = PendingEvent {
                of: kind.session().and_then(|session| self.pinned_to(session)),
                lag: self.is_timed.then(|| (self.now - at).to_std().unwrap_or_default()),
                ..PendingEvent::new(at, kind)
            };
            self.out.events.push(noted);
        }
    }

    /// The flow and version of a session, live or ended by this decision.
    pub(crate) fn pinned_to(&self, id: SessionId) -> Option<(FlowId, Option<FlowVersion>)> {
        let mut sessions =
            self.conversation.sessions.iter().chain(self.out.ended.iter().map(|ended| &**ended));
        let session = sessions.find(|session| session.id == id)?;
        Some((session.flow.clone(), Some(session.version)))
    }

    /// A version of a flow; asked for several times in a decision, mostly for the same one.
    pub(crate) fn pinned(&self, flow: &FlowId, version: FlowVersion) -> Option<Pinned<'a>> {
        let key = (flow.as_str().as_ptr().addr(), version);
        match self.last_pinned.get() {
            Some((last, pinned)) if last == key => Some(pinned),
            _ => {
                let pinned = self.env.flows.pinned(flow, version)?;
                self.last_pinned.set(Some((key, pinned)));
                Some(pinned)
            }
        }
    }

    /// A version of a flow, if it can be used here.
    pub(crate) fn version_of(&self, flow: &FlowId, version: FlowVersion) -> Option<&'a Flow> {
        self.pinned(flow, version)?.flow_of(None)
    }

    /// The flow that a session was started with, if it can be used here.
    pub(crate) fn own_flow(&self, session: &Session) -> Option<&'a Flow> {
        self.pinned(&session.flow, session.version)?.flow_of(session.digest)
    }

    /// The question that a session waits at.
    pub(crate) fn asked_by(&self, session: &Session) -> Option<OpenQuestion<'a>> {
        let (flow, version) = session.active();
        wait_node(self.version_of(flow, version)?, session)
    }

    /// The record, to be changed.
    pub(crate) fn edit(&mut self) -> &mut Conversation {
        self.out.changed = true;
        self.conversation
    }
}
