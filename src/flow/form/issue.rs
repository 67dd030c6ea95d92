//! The issues of a flow, for its author: each issue names its place, its rule and how to fix
//! it. What must not live here: the checks themselves.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::flow::form::lines::FlowLines;
use crate::flow::form::path::Path;
use crate::id::NodeId;

/// The weight of an issue: an error blocks publishing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The flow cannot be published.
    Error,
    /// The flow can be published, but probably does not do what its author expects.
    Warning,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $code:ident = $word:literal),+ $(,)?) => {
        /// The rule that a flow breaks ([SEMANTICS C](crate::semantics#c)). Texts may change from
        /// release to release, codes do not.
        ///
        #[doc = include_str!("../issues.md")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum IssueCode { $($(#[doc = $doc])* $code),+ }

        impl IssueCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$code),+];

            /// Returns the code as text, in snake_case.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$code => $word),+ }
            }

            /// Returns the meaning of this issue for a flow that has it, in a sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$code => concat!($($doc),*).trim_ascii_start()),+ }
            }
        }
    };
}

codes! {
    /// The text is not JSON.
    NotJson = "not_json",
    /// The text has more bytes than `Limits::flow_bytes`.
    TooLarge = "too_large",
    /// JSON, a condition or a value is nested too deeply.
    TooDeep = "too_deep",
    /// An object has the same key twice.
    DuplicateKey = "duplicate_key",
    /// A field that the format does not have.
    UnknownField = "unknown_field",
    /// A value of another type than the field takes.
    WrongType = "wrong_type",
    /// A required field is not there.
    MissingField = "missing_field",
    /// A format number other than 1.
    BadSpec = "bad_spec",
    /// A code, an id or a name with no character, too many, or a control character.
    BadName = "bad_name",
    /// A value out of its range, or one that contradicts another.
    BadValue = "bad_value",
    /// A time span that cannot be read, is zero, or is too long.
    BadSpan = "bad_span",
    /// An unknown kind of node.
    UnknownKind = "unknown_kind",
    /// More nodes than `Limits::nodes`.
    TooManyNodes = "too_many_nodes",
    /// More edges than `Limits::edges`.
    TooManyEdges = "too_many_edges",
    /// No start node.
    NoEntry = "no_entry",
    /// More than one start node.
    ManyEntries = "many_entries",
    /// Two nodes with one id.
    DuplicateNode = "duplicate_node",
    /// Two branches of a node, or two options, inputs, variables or keywords, with one name.
    DuplicateBranch = "duplicate_branch",
    /// Two choices of a message whose labels are the same to a reader. A warning.
    SameLabel = "same_label",
    /// A text that is missing in one of the flow's `languages`. A warning.
    Untranslated = "untranslated",
    /// A message with a form, and no question behind it that takes one. A warning.
    FormNotTaken = "form_not_taken",
    /// A message with choices, a question for a place or goods, and a question behind it that takes
    /// no such answer. A warning.
    AnswerNotTaken = "answer_not_taken",
    /// A condition on a choice that no message of the flow offers, but one with a name close to it.
    /// A warning.
    UnknownChoice = "unknown_choice",
    /// A question whose message shows none of its choices. A warning.
    ChoicesUnseen = "choices_unseen",
    /// An address as a whole where an approved message leaves its end open. A warning.
    WholeAddress = "whole_address",
    /// Two edges from one branch.
    DuplicateEdge = "duplicate_edge",
    /// An edge from a node that does not exist.
    EdgeFromNowhere = "edge_from_nowhere",
    /// An edge or a jump to a node that does not exist.
    EdgeToNowhere = "edge_to_nowhere",
    /// An edge or a jump to the start node.
    IntoStart = "into_start",
    /// An edge on a branch that its node does not have.
    UnknownBranch = "unknown_branch",
    /// A time or a time zone that a template gives, and no edge for when it gives none: the session
    /// fails then. A warning.
    NoInvalidEdge = "no_invalid_edge",
    /// Choices that are made of data alone, and no edge from `empty` for a list without an item:
    /// the session fails then. A warning.
    NoEmptyEdge = "no_empty_edge",
    /// A branch without an edge.
    DeadEnd = "dead_end",
    /// A `branch` node whose `else` has no edge.
    MissingElse = "missing_else",
    /// A node that no path reaches: what is wrong with its ways out is not told. A warning.
    Unreachable = "unreachable",
    /// A loop without a wait in it.
    EndlessLoop = "endless_loop",
    /// A loop through jumps alone that exceeds a turn's node limit.
    LongLoop = "long_loop",
    /// A `for_each` to which nothing of its body comes back. A warning.
    OpenLoop = "open_loop",
    /// A loop that keeps sending on timers while the contact is silent.
    TimerLoop = "timer_loop",
    /// An edge for `timeout` on a wait that has none.
    TimeoutBranch = "timeout_branch",
    /// A reminder's branch that does more than send, set variables and branch, or that leads into
    /// the talk.
    ReminderPath = "reminder_path",
    /// A wait that is longer than a session may live.
    WaitTooLong = "wait_too_long",
    /// Delays, rounds or timeouts that together may take longer than a session may live. A warning.
    MayOutlive = "may_outlive",
    /// A wait for a reply in a flow that runs without a contact.
    WaitWithoutContact = "wait_without_contact",
    /// A send that certainly has no address to go to ([SEMANTICS D4](crate::semantics#d4)).
    NoDestination = "no_destination",
    /// Messages to the contact in a flow that is triggered and has no sender: each trigger has to
    /// name one, or its session fails ([SEMANTICS D4](crate::semantics#d4)). A warning.
    NoSender = "no_sender",
    /// A free text that WhatsApp may not take any more, or not yet (its 24-hour window). A warning.
    WindowMayBeClosed = "window_may_be_closed",
    /// A text, a choice or a form that its channel does not carry.
    ChannelLimit = "channel_limit",
    /// A template that does not parse.
    BadTemplate = "bad_template",
    /// An expression that does not parse.
    BadExpression = "bad_expression",
    /// A regular expression that does not parse, or is too large.
    BadRegex = "bad_regex",
    /// A variable that nothing declares and nothing sets. A warning.
    UndeclaredVariable = "undeclared_variable",
    /// A field that `reply`, `contact`, `trigger`, `flow` or `session` does not have, or another
    /// product's name of a channel. A warning.
    UnknownName = "unknown_name",
    /// A placeholder in the form of another product, which is sent as it is. A warning.
    ForeignPlaceholder = "foreign_placeholder",
    /// A flow that messages start is bound to no account.
    UnboundAccount = "unbound_account",
    /// Two online flows take any message on one account.
    TwoAnyTriggers = "two_any_triggers",
    /// A call of a flow that does not exist.
    UnknownSubflow = "unknown_subflow",
    /// A flow that calls itself, or others that call it, with no wait in between.
    EndlessRecursion = "endless_recursion",
    /// More issues than one list holds; the rest is left out.
    MoreIssues = "more_issues",
}

impl IssueCode {
    /// Returns the weight of this issue: a flow with an error cannot be published.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::UndeclaredVariable
            | Self::Unreachable
            | Self::OpenLoop
            | Self::UnknownName
            | Self::ForeignPlaceholder
            | Self::NoSender
            | Self::WindowMayBeClosed
            | Self::SameLabel
            | Self::FormNotTaken
            | Self::AnswerNotTaken
            | Self::ChoicesUnseen
            | Self::NoInvalidEdge
            | Self::NoEmptyEdge
            | Self::MayOutlive
            | Self::WholeAddress
            | Self::UnknownChoice
            | Self::Untranslated => Severity::Warning,
            _ => Severity::Error,
        }
    }
}

impl fmt::Display for IssueCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for IssueCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A repair that follows from an issue alone, which an editor makes at one press. Places are
/// written as in [`Issue::path`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "do", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Repair {
    /// Another text at a place, such as `edges[1].to`.
    Replace {
        /// The place of the text.
        path: String,
        /// The text that was probably meant.
        with: String,
    },
    /// Another key for a field, which keeps its value.
    Rename {
        /// The place of the field.
        path: String,
        /// The key that was probably meant.
        to: String,
    },
    /// No such field.
    Remove {
        /// The place of the field.
        path: String,
    },
    /// Another name in the templates or the expression at a place, wherever they read it.
    Reword {
        /// The place of the text.
        path: String,
        /// The name that is read, such as `context.frist_name`.
        name: String,
        /// The name that was probably meant.
        to: String,
    },
    /// One more input of the start node.
    Declare {
        /// The name of the input.
        input: String,
    },
    /// An edge from a branch of the issue's node to an end.
    Lead {
        /// The branch.
        branch: String,
    },
}

impl Repair {
    /// Another text at a place, if one was probably meant.
    pub(crate) fn replace(at: &Path<'_>, meant: Option<&str>) -> Option<Self> {
        meant.map(|with| Self::Replace { path: at.to_string(), with: with.to_owned() })
    }
}

/// One thing that is wrong with a flow.
///
/// Prints as `node "menu": branch "2" leads nowhere (dead_end)`, and with `{:#}` how to fix it as
/// well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Issue {
    /// Its weight: an error blocks publishing.
    pub severity: Severity,
    /// The rule.
    pub code: IssueCode,
    /// The node that it is in, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
    /// Its place in the flow's JSON, such as `nodes[3].timeout`; empty for the flow as a whole.
    pub path: String,
    /// A description of the fault.
    pub message: String,
    /// A description of the fix.
    pub fix: String,
    /// The fix as data, where it follows from the issue alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repair: Option<Repair>,
    /// The line of the flow file, from 1; of what the field is missing from, if it is not there.
    /// None where no file was read, or where the file as a whole is what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The column in it, in characters from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
}

impl Issue {
    /// The place as the text shows it: the node and the field in it, or the path.
    fn place(&self) -> (Option<&NodeId>, &str) {
        let Some(node) = &self.node else { return (None, &self.path) };
        let in_node = self.path.strip_prefix("nodes[").and_then(|rest| rest.split_once(']'));
        (Some(node), in_node.map_or(self.path.as_str(), |(_, field)| field.trim_start_matches('.')))
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.severity == Severity::Warning {
            f.write_str("warning: ")?;
        }
        let (node, field) = self.place();
        if let Some(node) = node {
            write!(f, "node {:?}: ", node.as_str())?;
        }
        if !field.is_empty() {
            write!(f, "{field}: ")?;
        }
        write!(f, "{} ({})", self.message, self.code)?;
        if f.alternate() { write!(f, "; {}", self.fix) } else { Ok(()) }
    }
}

/// Everything that is wrong with a flow, all at once.
///
/// Prints one issue a line; `{:#}` adds how to fix each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Issues(pub(super) Vec<Issue>);

impl Issues {
    /// Returns every issue, in the order of discovery: form first, then structure.
    pub fn iter(&self) -> std::slice::Iter<'_, Issue> {
        self.0.iter()
    }

    /// Returns those that block publishing.
    pub fn errors(&self) -> impl Iterator<Item = &Issue> {
        self.0.iter().filter(|issue| issue.severity == Severity::Error)
    }

    /// Returns those that do not.
    pub fn warnings(&self) -> impl Iterator<Item = &Issue> {
        self.0.iter().filter(|issue| issue.severity == Severity::Warning)
    }

    /// Looks up where each issue is in the text that was read, which is JSON of a bounded depth.
    pub(crate) fn locate(&mut self, json: &str) {
        if self.0.is_empty() {
            return;
        }
        let lines = FlowLines::of_paths(json, self.0.iter().map(|issue| issue.path.as_str()));
        for issue in &mut self.0 {
            (issue.line, issue.column) = lines.position(&issue.path).unzip();
        }
    }

    /// Returns true if one blocks publishing.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.errors().next().is_some()
    }

    /// Returns true if there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the number of issues.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl<'a> IntoIterator for &'a Issues {
    type Item = &'a Issue;
    type IntoIter = std::slice::Iter<'a, Issue>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Issues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, issue) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            issue.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Issues {}
