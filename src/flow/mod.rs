//! Flows: what a canvas saves ([`FlowDef`]) becomes what the kernel runs on ([`Flow`]), or the
//! complete list of what is wrong with it ([`Issues`]). Parsed once, checked once, never changed.
//! What must not live here: sessions, time, I/O.
//!
#![doc = include_str!("reference.md")]
#![doc = include_str!("expr/filter/table.md")]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub(crate) mod answer;
mod capacity;
mod check;
mod closest;
mod compile;
mod condition;
pub(crate) mod content;
mod def;
mod diff;
mod digits;
pub mod draft;
pub(crate) mod expr;
mod fold;
pub mod gallery;
mod graph;
mod issue;
mod json;
mod json_template;
mod keyword;
mod lifecycle;
pub(crate) mod node;
mod operator;
mod path;
mod pattern;
mod read;
pub(crate) mod recognize;
mod recursion;
mod reminder;
mod render;
#[cfg(feature = "schema")]
mod schema;
mod settings;
mod span;
pub(crate) mod template;
#[cfg(test)]
mod tests;
mod trigger;
mod variables;
mod window;
mod zone;

pub use answer::Decimal;
pub use condition::{CompareDef, ConditionDef, Operand};
pub use content::{
    ButtonDef, CardDef, DegreesDef, ListDef, LocationDef, MediaDef, MediaType, MessageDef, OptionDef,
    ParametersDef, RowDef, SectionDef, TemplateDef, TextDef,
};
pub use def::{EdgeDef, FlowDef};
pub use diff::{FieldChange, FlowDiff};
pub use issue::{Issue, IssueCode, Issues, Severity};
pub use keyword::{KeywordAction, KeywordDef, Keywords};
pub use node::{
    AnswerDef, AnswerKind, ArmDef, AskDef, AssignDef, BranchDef, CallFlowDef, ChoiceDef, ClassDef,
    ClassifyDef, Consent, ContactMode, DelayDef, EditDef, EndDef, FunctionDef, HandoffDef, HandoffTimeout,
    HttpMethod, HttpRequestDef, InputDef, InputPolicy, InputType, JumpDef, KeywordMode, LlmDef, LogDef,
    LogLevel, NodeDef, NodeKind, OnTimeout, OpenHoursDef, RandomSplitDef, RecognizeEntitiesDef,
    RecognizeLanguageDef, RecognizePhoneDef, ReplyKind, SendAction, SendMessageDef, SetContactDef,
    SetVariablesDef, ShareDef, StartDef, TypingDef, UpdateContactDef, VariableDef, WaitReplyDef, WeekDef,
};
pub use operator::Operator;
pub use recognize::EntityType;
pub use reminder::ReminderDef;
#[cfg(feature = "schema")]
pub use schema::schema;
pub use settings::{
    Clash, Concurrency, Reentry, ReentryDef, Sender, Settings, SettingsDef, TtlMode, Undefined,
};
pub use span::{BadSpan, Span};
pub use trigger::{Campaign, InboundDef, MatchKind, Rank, RuleDef, Trigger, TriggerDef};

pub(crate) use condition::Condition;
pub(crate) use json_template::JsonTemplate;
pub(crate) use keyword::{Keyword, keyword_form};
pub(crate) use lifecycle::{DraftText, check_binding, takes_any};
pub(crate) use recursion::check_calls;
pub(crate) use reminder::Reminder;
pub(crate) use render::Render;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::flow::node::{Node, Port, Start};
use crate::{FlowId, Limits, NodeId};

/// A flow, checked and compiled: immutable, and shared by all its sessions.
///
/// ```
/// use chatflow::Flow;
///
/// let flow = Flow::from_json(r#"{
///     "spec": 1, "code": "hello", "trigger": {"kind": "manual"},
///     "settings": {"sender": {"channel": "whatsapp", "account": "+15550100"}},
///     "nodes": [
///         {"id": "start", "kind": "start"},
///         {"id": "hi", "kind": "send_message", "text": "Hi {{contact.name}}"}
///     ],
///     "edges": [{"from": "start", "to": "hii"}]
/// }"#);
/// assert_eq!(
///     flow.unwrap_err().to_string(),
///     "edges[0]: leads to \"hii\", which is no node; did you mean \"hi\"? (edge_to_nowhere)\n\
///      node \"hi\": cannot be reached (unreachable)",
/// );
/// ```
#[derive(Clone, Debug)]
pub struct Flow {
    id: FlowId,
    name: Arc<str>,
    def: FlowDef,
    settings: Settings,
    trigger: Trigger,
    warnings: Issues,
    entry: (NodeIx, NodeId, Start),
    keywords: Keywords,
    reminder: Option<Reminder>,
    steps: Box<[Step]>,
    index: BTreeMap<NodeId, NodeIx>,
    digest: u128,
}

/// A node's place in its compiled flow. It differs from version to version: what is stored names
/// nodes by their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeIx(pub(crate) u32);

impl NodeIx {
    fn of(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    fn as_usize(self) -> usize {
        self.0 as usize
    }
}

/// A compiled node with its ways out.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) id: NodeId,
    pub(crate) title: Arc<str>,
    pub(crate) node: Node,
    exits: Box<[Exit]>,
}

#[derive(Clone, Debug)]
struct Exit {
    name: Arc<str>,
    to: Option<NodeIx>,
}

impl Flow {
    /// Reads, checks and compiles a flow under the default limits.
    ///
    /// # Errors
    /// Every issue of the flow, with its warnings.
    pub fn from_json(json: &str) -> Result<Self, Issues> {
        Self::from_json_within(json, &Limits::default())
    }

    /// Reads, checks and compiles a flow.
    ///
    /// # Errors
    /// Every issue of the flow, with its warnings. What hangs on a part that cannot be read is not
    /// checked.
    pub fn from_json_within(json: &str, limits: &Limits) -> Result<Self, Issues> {
        compile::from_json(json, limits)
    }

    /// Checks and compiles a definition.
    ///
    /// # Errors
    /// Every issue of the flow, with its warnings.
    pub fn compile(def: FlowDef, limits: &Limits) -> Result<Self, Issues> {
        compile::from_def(def, limits)
    }

    /// The code that callers know it by.
    #[must_use]
    pub fn id(&self) -> &FlowId {
        &self.id
    }

    /// A hash of its content, whatever its layout and order of keys: what a version is (SEMANTICS
    /// S13).
    #[must_use]
    pub fn digest(&self) -> u128 {
        self.digest
    }

    /// What people call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it was compiled from.
    #[must_use]
    pub fn def(&self) -> &FlowDef {
        &self.def
    }

    /// How its sessions live.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What starts it.
    #[must_use]
    pub fn trigger(&self) -> &Trigger {
        &self.trigger
    }

    /// What its author should look at; none of it blocks publishing.
    #[must_use]
    pub fn warnings(&self) -> &Issues {
        &self.warnings
    }

    /// The flows that it calls, in the order of its nodes; one may come several times (SEMANTICS
    /// N9).
    pub fn calls(&self) -> impl Iterator<Item = &FlowId> {
        self.steps.iter().filter_map(|step| match &step.node {
            Node::CallFlow(call) => Some(&call.flow),
            _ => None,
        })
    }

    /// The branches of a node in their order, each with the node behind it, if an edge leads there.
    pub fn branches(&self, node: &NodeId) -> impl Iterator<Item = (&str, Option<&NodeId>)> {
        let step = self.index.get(node).and_then(|at| self.node(*at));
        let exits = step.into_iter().flat_map(|step| &step.exits);
        exits.map(|exit| (&*exit.name, exit.to.and_then(|to| self.node(to)).map(|to| &to.id)))
    }

    /// Where every session begins.
    pub(crate) fn start(&self) -> (NodeIx, &Start) {
        (self.entry.0, &self.entry.2)
    }

    /// The node where every session begins.
    pub(crate) fn entry(&self) -> (NodeIx, &NodeId) {
        (self.entry.0, &self.entry.1)
    }

    /// The words that mean something to its sessions.
    pub(crate) fn keywords(&self) -> &Keywords {
        &self.keywords
    }

    pub(crate) fn reminder(&self) -> Option<Reminder> {
        self.reminder
    }

    pub(crate) fn node(&self, at: NodeIx) -> Option<&Step> {
        self.steps.get(at.as_usize())
    }

    /// The place of a node by its id, looked for first where the caller last saw it.
    pub(crate) fn find(&self, id: &NodeId, hint: NodeIx) -> Option<NodeIx> {
        match self.node(hint) {
            Some(step) if step.id == *id => Some(hint),
            _ => self.index.get(id).copied(),
        }
    }
}

impl Step {
    /// The node behind a branch; none if the branch has no edge.
    pub(crate) fn exit(&self, port: Port) -> Option<NodeIx> {
        self.exits.get(usize::from(port.0))?.to
    }

    /// The branch with a name, as a host's answer gives it.
    pub(crate) fn port_named(&self, branch: &str) -> Option<Port> {
        let at = self.exits.iter().position(|exit| *exit.name == *branch)?;
        u16::try_from(at).ok().map(Port)
    }

    /// A branch's name; none for a branch that the node does not have.
    pub(crate) fn port_name(&self, port: Port) -> Option<&Arc<str>> {
        Some(&self.exits.get(usize::from(port.0))?.name)
    }
}
