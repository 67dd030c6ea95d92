//! The role that every kind of node plays: what it has to say for itself while a flow is read,
//! checked and compiled. What must not live here: what one kind says.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::TimeDelta;

use crate::flow::content::PlacedText;
use crate::flow::form::path::Path;
use crate::flow::form::read::Fields;
use crate::flow::lang::context::Compile;
use crate::flow::place::Port;

/// The text that nodes look at if they are told none of their own.
pub(super) const REPLY_TEXT: &str = "{{ reply.text }}";

/// A list of what an author gives names to.
pub(super) type NamedList<T> = Box<[(Arc<str>, T)]>;

/// The name of a branch: fixed by the kind, or an author's label.
pub(crate) type PortName = Cow<'static, str>;

/// The way in which a session passes a node: what the checks of loops ask.
pub(crate) enum Blocking<'a> {
    /// At once.
    Runs,
    /// Never: it ends here.
    Ends,
    /// After a time, or when the host answers: with no word of the contact.
    Timed,
    /// When the contact replies; through the port, if any, when a time has passed.
    Reply { timer: Option<Port> },
    /// At once, to a node that is not named by an edge, so many times in a session.
    Jumps { target: &'a str, most: u32 },
    /// At once; back to it by its body so many times.
    Rounds { most: u32 },
    /// As the flow does that it calls; at once through the port of a call that fails.
    Calls { flow: &'a str, failed: Port },
}

/// The things that a node may do beside a wait, in the branch of a reminder (SEMANTICS S6).
pub(crate) enum ReminderStep {
    /// Nothing.
    Never,
    /// Be its end.
    Ends,
    /// For all that it does.
    Runs,
    /// Its work, while `next` is the only way out.
    RunsOn,
}

/// The contract of a kind of node.
pub(crate) trait NodeContract: Sized {
    /// The form that the kernel runs on.
    type Compiled;

    /// Reads the fields of this kind; what cannot be read is an issue and takes its default.
    fn read(fields: &mut Fields<'_, '_, '_>) -> Self;

    /// Its branches, in the order of their [`Port`]s.
    fn ports(&self) -> Vec<PortName>;

    /// Checks and compiles it; `None` only with an issue.
    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Self::Compiled>;

    fn blocking(&self) -> Blocking<'_> {
        Blocking::Runs
    }

    fn sends(&self) -> bool {
        false
    }

    /// True if it sends the contact something that WhatsApp takes only within a day of the
    /// contact's last message.
    fn sends_free_text(&self) -> bool {
        false
    }

    /// The longest time that a session stays here before it leaves by the port with no word of the
    /// contact. None: there is no telling. What takes but seconds counts as nothing.
    fn longest(&self, _port: Port) -> Option<TimeDelta> {
        Some(TimeDelta::zero())
    }

    /// True if it offers what a list has and nothing else.
    fn needs_items(&self) -> bool {
        false
    }

    /// The shortest time that a session certainly stays here before it leaves.
    fn shortest(&self) -> TimeDelta {
        TimeDelta::zero()
    }

    /// The branch by which a session leaves at once where it otherwise waits.
    fn at_once(&self) -> Option<Port> {
        None
    }

    /// Variables that it writes.
    fn writes(&self) -> Vec<&str> {
        Vec::new()
    }

    /// True if an edge without a branch's name leaves by the first port.
    fn has_default_port(&self) -> bool {
        true
    }

    /// True if the branch needs an edge.
    fn needs_edge(&self, _port: Port) -> bool {
        false
    }

    /// True if a session may come to the branch by what it is told, and fails without an edge
    /// there.
    fn wants_edge(&self, _port: Port) -> bool {
        false
    }

    /// True if the branch is the one for when no condition holds.
    fn is_else(&self, _port: Port) -> bool {
        false
    }

    /// True if it sends from the flow's own account, so that there must be one.
    fn needs_sender(&self) -> bool {
        self.sends()
    }

    /// The texts that may be written in several languages, by their place in it.
    fn texts_mut(&mut self) -> Vec<PlacedText<'_>> {
        Vec::new()
    }

    /// Returns what it may do in the branch of a reminder.
    fn aside(&self) -> ReminderStep {
        ReminderStep::Never
    }
}
