//! The state of a turn in progress, and what any part of it may do: the loop, the nodes, handoffs,
//! reminders, calls of flows.

use std::borrow::Cow;
use std::sync::Arc;

use crate::flow::node::Port;
use crate::flow::{Flow, NodeIx, Step};
use crate::id::{FlowId, FlowVersion};
use crate::kernel::ending::missed_notes;
use crate::kernel::environment::{Effect, TurnEnvironment};
use crate::kernel::journal::{CalledFlow, JournalStep, StepEvent};
use crate::kernel::library::Callee;
use crate::list::ShortList;
use crate::observer::EventKind;
use crate::session::{
    Contact, ContactChange, Ending, FailureCode, LeftOpen, Session, Standing, Status, Stop,
};
use crate::value::{Packed, PackedMap};

/// A flow that is about to be entered.
pub(super) struct FlowEntrance {
    pub(super) flow: FlowId,
    pub(super) version: FlowVersion,
    pub(super) context: PackedMap,
    /// True if it takes the place of the flow that calls.
    pub(super) is_terminal: bool,
}

/// The way a node is left.
pub(super) enum Move {
    /// By this branch.
    Take(Port),
    /// To this node, without an edge.
    Jump(NodeIx),
    /// Into another flow.
    Call(Box<FlowEntrance>),
    /// Not: the session stays here, like this.
    Park(Standing),
    /// Not: the session waits on for what it waits for, until then as before.
    Stay,
    /// Back to the place where the session was before.
    Back(Stop),
    /// The flow ends.
    End(Ending),
    /// The session fails.
    Fail(FailureCode, String),
    /// The input does not fit here; nothing changes.
    Ignore,
}

impl Move {
    pub(super) fn fail(code: FailureCode, message: impl ToString) -> Self {
        Self::Fail(code, message.to_string())
    }

    pub(super) fn event(&self) -> StepEvent {
        match self {
            Self::Take(_) => StepEvent::Left,
            Self::Jump(_) => StepEvent::Jumped,
            Self::Call(_) => StepEvent::Called,
            Self::Park(_) | Self::Stay | Self::Back(_) | Self::Ignore => StepEvent::Parked,
            Self::End(_) => StepEvent::Ended,
            Self::Fail(..) => StepEvent::Failed,
        }
    }
}

/// A turn in progress.
pub(super) struct Run<'a> {
    /// The flow that the session is in.
    pub(super) flow: &'a Flow,
    /// Its name now.
    pub(super) flow_name: &'a str,
    /// The flow that was started.
    pub(super) root: &'a Flow,
    pub(super) session: &'a mut Session,
    pub(super) env: &'a TurnEnvironment<'a>,
    /// The contact as this turn has made it.
    pub(super) contact: Cow<'a, Contact>,
    pub(super) effects: ShortList<Effect>,
    /// Messages of this turn.
    pub(super) sends: u32,
    /// Of them those that only show that somebody is writing: no answer is asked by them, and none
    /// is overtaken.
    pub(super) signs: u32,
    /// The title of the node that led here.
    pub(super) component: Option<&'a Arc<str>>,
    /// True if the session needs other versions of flows than before.
    pub(super) calls_changed: bool,
    /// The called flows that were looked up, for the journal.
    pub(super) called: Vec<CalledFlow>,
    /// The outcome of the called flow that has just ended, for its caller to read.
    pub(super) outcome: Option<Arc<str>>,
    /// True if it runs beside a wait, which stays as it is (SEMANTICS S6).
    pub(super) beside: bool,
    pub(super) visited: u32,
    pub(super) steps: Vec<JournalStep>,
    /// True if the turn took a reply: what it sends answers that.
    pub(super) has_reply: bool,
    /// True if the session came to its node in this turn.
    pub(super) entered: bool,
    /// The reason the session's node is left.
    pub(super) why: Option<Arc<str>>,
    /// True once what is said last has begun.
    pub(super) is_parting: bool,
    /// The question that was answered by no choice, in this turn (SEMANTICS I9).
    pub(super) left_open: Option<Box<LeftOpen>>,
    /// The item that templates read, while choices are made of a list (SEMANTICS N10).
    pub(super) item: Option<Box<ItemNames>>,
}

/// Names that templates over an item read beside the names of the session.
#[derive(Clone)]
pub(super) struct ItemNames {
    pub(super) item: Packed,
    /// Its place in the list, from 0.
    pub(super) index: usize,
    /// The item of the section that it is in.
    pub(super) section: Option<Packed>,
}

/// The branch that a flow runs before such an end, if it says anything (SEMANTICS S21).
fn last_words(ending: &Ending) -> Option<fn(&Flow) -> Option<NodeIx>> {
    match ending {
        Ending::Failed(_) => Some(|flow| flow.last_words().on_error),
        Ending::Expired => Some(|flow| flow.last_words().on_expire),
        _ => None,
    }
}

/// The result of a turn beside the session.
pub(crate) struct TurnOutcome {
    pub(crate) effects: ShortList<Effect>,
    pub(crate) steps: Vec<JournalStep>,
    /// True if the input was taken, with a turn or without.
    pub(crate) taken: bool,
    /// True if the session needs other versions of flows than before.
    pub(crate) calls_changed: bool,
    /// The called flows that the turn looked up, if the nodes that it visits are reported.
    pub(crate) called: Vec<CalledFlow>,
}

impl TurnOutcome {
    /// An input that was taken without a turn, or was not.
    pub(crate) fn aside(taken: bool) -> Self {
        let (effects, steps, called) = (ShortList::None, Vec::new(), Vec::new());
        Self { effects, steps, taken, calls_changed: false, called }
    }
}

impl<'a> Run<'a> {
    /// A flow that is called, or that called: a version of it, or the one that is online.
    pub(super) fn find(&mut self, flow: &FlowId, version: Option<FlowVersion>) -> Option<Callee<'a>> {
        let found = self.env.flows.find(flow, version)?;
        if self.env.journal {
            self.called.push(CalledFlow::of(&found, version.is_none()));
        }
        Some(found)
    }

    /// Counts a node. Returns whether the turn may have so many.
    pub(super) fn visit(&mut self) -> bool {
        self.visited += 1;
        self.visited <= self.env.limits.nodes_per_turn
    }

    /// Writes down what happened at a node, if there is a journal.
    pub(super) fn book_step(&mut self, step: &'a Step, event: StepEvent, branch: Option<&Arc<str>>) {
        if self.env.journal {
            let (node, entered, why) = (step.id.clone(), self.entered, self.why.take());
            let (branch, called) = (branch.cloned(), self.session.called().cloned());
            self.steps.push(JournalStep { node, entered, event, branch, why, called });
        }
        self.component = Some(&step.title);
    }

    pub(super) fn park(&mut self, standing: Standing) {
        self.session.park(standing, self.env.now);
    }

    pub(super) fn end(&mut self, ending: Ending) -> bool {
        let has_words = self.flow.has_last_words() || self.root.has_last_words();
        // What time alone ends in quiet hours, and cannot be put off, ends in silence.
        let is_quiet = || matches!(ending, Ending::Expired) && self.quiet_until(self.env.now).is_some();
        let words = if has_words && !is_quiet() { last_words(&ending) } else { None };
        let missed = self.session.end(ending, self.env.now);
        self.effects.extend(missed_notes(self.session.id, missed));
        if let Some(words) = words {
            self.say_last(words);
        }
        true
    }

    /// Ends the session as failed; what this turn would have sent or changed is not (SEMANTICS S7,
    /// S9).
    pub(super) fn fail(&mut self, code: FailureCode, message: String) -> bool {
        self.effects.retain(|effect| matches!(effect, Effect::Note(_)));
        self.session.sent = self.session.sent.saturating_sub(self.sends.saturating_sub(self.signs));
        (self.sends, self.signs) = (0, 0);
        self.end(self.session.failing(code, message))
    }

    /// The number of the wait that choices of a message belong to: the one that it is sent at, or
    /// the next.
    pub(super) fn offered_wait(&self) -> u32 {
        let is_asked = self.beside || self.session.status() == Status::Waiting;
        if is_asked { self.session.wait } else { self.session.wait.saturating_add(1) }
    }

    /// The next wait number: a wait, a delay or a call is being entered (SEMANTICS S4).
    pub(super) fn next_wait(&mut self) -> u32 {
        self.session.wait = self.session.wait.saturating_add(1);
        self.session.wait
    }

    /// Changes the contact, for the rest of the turn and for good.
    pub(super) fn change_contact(&mut self, change: ContactChange) -> Result<(), Move> {
        let changed = self.contact.to_mut().change(&change, self.env.now, self.env.limits);
        changed.map_err(|rule| Move::fail(FailureCode::Contact, rule))?;
        self.effects.push(Effect::Contact(change));
        Ok(())
    }

    /// Leaves the contact as it was, and what has been noted since is no change of it.
    pub(super) fn forget_changes(&mut self, (contact, effects): (Cow<'a, Contact>, usize)) {
        self.contact = contact;
        let mut place = 0;
        self.effects.retain(|effect| {
            place += 1;
            place <= effects || !matches!(effect, Effect::Contact(_))
        });
    }

    /// Says, in the journal if there is one, why the node is left as it is.
    pub(super) fn because(&mut self, why: impl FnOnce(&Self) -> String) {
        if self.env.journal {
            self.why = Some(why(self).into());
        }
    }

    pub(super) fn note(&mut self, kind: EventKind) {
        self.effects.push(Effect::Note(kind));
    }
}
