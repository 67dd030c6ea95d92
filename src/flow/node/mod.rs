//! The kinds of nodes: one file each, and one line each in the table below. A kind's file holds its
//! definition, its JSON, its branches, its checks and its compiled form; what a node does when a
//! session comes to it is the kernel's.

mod ask;
mod branch;
mod call;
mod call_flow;
mod classify;
mod def;
mod delay;
mod end;
mod for_each;
mod function;
mod handoff;
mod http_request;
mod jump;
mod kind;
mod llm;
mod log;
mod open_hours;
mod question;
mod random_split;
mod recognize_entities;
mod recognize_language;
mod recognize_phone;
mod send_message;
mod set_variables;
mod start;
mod timeout;
mod typing;
mod update_contact;
mod wait_reply;

use chrono::TimeDelta;
use serde::Serialize;

pub use ask::{AnswerDef, AnswerKind, AskDef, ChoiceDef, SeveralDef};
pub use branch::{BranchCaseDef, BranchDef};
pub use call_flow::CallFlowDef;
pub use classify::{ClassDef, ClassifyDef};
pub use def::NodeDef;
pub use delay::DelayDef;
pub use end::EndDef;
pub use for_each::ForEachDef;
pub use function::FunctionDef;
pub use handoff::{HandoffDef, HandoffTimeout};
pub use http_request::{HttpMethod, HttpRequestDef};
pub use jump::JumpDef;
pub use llm::LlmDef;
pub use log::{LogDef, LogLevel};
pub use open_hours::{OpenHoursDef, WeekHoursDef};
pub use question::{KeywordMode, OnTimeout};
pub use random_split::{RandomSplitDef, SplitBranchDef};
pub use recognize_entities::RecognizeEntitiesDef;
pub use recognize_language::RecognizeLanguageDef;
pub use recognize_phone::RecognizePhoneDef;
pub use send_message::{SendAction, SendMessageDef};
pub use set_variables::{AssignmentDef, SetVariablesDef, VariableDef};
pub use start::{ContactMode, InputDef, InputPolicy, InputType, StartDef};
pub use timeout::TimeoutDef;
pub use typing::TypingDef;
pub use update_contact::{Consent, SetContactDef, TextEditDef, UpdateContactDef};
pub use wait_reply::WaitReplyDef;

pub(crate) use ask::Ask;
pub(crate) use branch::Branch;
pub(crate) use call::HostCall;
pub(crate) use call_flow::CallFlow;
pub(crate) use classify::Classify;
pub(crate) use delay::Delay;
pub(crate) use end::End;
pub(crate) use for_each::ForEach;
pub(crate) use function::Function;
pub(crate) use handoff::HandoffNode as Handoff;
pub(crate) use http_request::{HttpRequest, is_web};
pub(crate) use jump::Jump;
pub(crate) use kind::{Blocking, NodeContract, PortName, ReminderStep};
use kind::{NamedList, REPLY_TEXT};
pub(crate) use llm::Llm;
pub(crate) use log::Log;
pub(crate) use open_hours::OpenHours;
pub(crate) use question::{Accept, Question};
pub(crate) use random_split::RandomSplit;
pub(crate) use recognize_entities::RecognizeEntities;
pub(crate) use recognize_language::RecognizeLanguage;
pub(crate) use recognize_phone::RecognizePhone;
pub(crate) use send_message::SendMessage;
use send_message::check_reply;
pub(crate) use set_variables::{Assign, SetVariables};
pub(crate) use start::Start;
pub(crate) use timeout::Timeout;
pub(crate) use typing::Typing;
pub(crate) use update_contact::{Edit, UpdateContact};
pub(crate) use wait_reply::WaitReply;

use crate::flow::answer::Choices;
pub(crate) use crate::flow::answer::ReplyKind;
pub(crate) use crate::flow::place::Port;

use crate::flow::content::PlacedText;
use crate::flow::form::path::Path;
use crate::flow::form::read::Fields;
use crate::flow::lang::context::Compile;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $kind:ident($def:ident) = $word:literal),+ $(,)?) => {
        /// A node's kind with its fields.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(tag = "kind")]
        #[non_exhaustive]
        pub enum NodeKind { $($(#[doc = $doc])* #[serde(rename = $word)] $kind($def)),+ }

        /// A compiled node.
        #[derive(Clone, Debug)]
        pub(crate) enum CompiledNode { $($kind($kind)),+ }

        impl NodeKind {
            /// The word for each kind.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word for each kind, and what it does.
            pub(crate) const DOCS: &'static [(&'static str, &'static str)] = &[$(($word, concat!($($doc),*))),+];

            /// Returns the word for this kind, as a flow file writes it.
            #[must_use]
            pub fn as_str(&self) -> &'static str {
                match self { $(Self::$kind(_) => $word),+ }
            }

            pub(crate) fn read(word: &str, fields: &mut Fields<'_, '_, '_>) -> Option<Self> {
                match word {
                    $($word => Some(Self::$kind($def::read(fields))),)+
                    _ => None,
                }
            }

            pub(crate) fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<CompiledNode> {
                match self { $(Self::$kind(def) => def.compile(at, cx).map(CompiledNode::$kind)),+ }
            }

            pub(crate) fn ports(&self) -> Vec<PortName> {
                match self { $(Self::$kind(def) => def.ports()),+ }
            }

            pub(crate) fn blocking(&self) -> Blocking<'_> {
                match self { $(Self::$kind(def) => def.blocking()),+ }
            }

            pub(crate) fn sends(&self) -> bool {
                match self { $(Self::$kind(def) => def.sends()),+ }
            }

            pub(crate) fn sends_free_text(&self) -> bool {
                match self { $(Self::$kind(def) => def.sends_free_text()),+ }
            }

            pub(crate) fn longest(&self, port: Port) -> Option<TimeDelta> {
                match self { $(Self::$kind(def) => def.longest(port)),+ }
            }

            pub(crate) fn needs_items(&self) -> bool {
                match self { $(Self::$kind(def) => def.needs_items()),+ }
            }

            pub(crate) fn shortest(&self) -> TimeDelta {
                match self { $(Self::$kind(def) => def.shortest()),+ }
            }

            pub(crate) fn at_once(&self) -> Option<Port> {
                match self { $(Self::$kind(def) => def.at_once()),+ }
            }

            pub(crate) fn writes(&self) -> Vec<&str> {
                match self { $(Self::$kind(def) => def.writes()),+ }
            }

            pub(crate) fn has_default_port(&self) -> bool {
                match self { $(Self::$kind(def) => def.has_default_port()),+ }
            }

            pub(crate) fn needs_edge(&self, port: Port) -> bool {
                match self { $(Self::$kind(def) => def.needs_edge(port)),+ }
            }

            pub(crate) fn wants_edge(&self, port: Port) -> bool {
                match self { $(Self::$kind(def) => def.wants_edge(port)),+ }
            }

            pub(crate) fn is_else(&self, port: Port) -> bool {
                match self { $(Self::$kind(def) => def.is_else(port)),+ }
            }

            pub(crate) fn needs_sender(&self) -> bool {
                match self { $(Self::$kind(def) => def.needs_sender()),+ }
            }

            pub(crate) fn texts_mut(&mut self) -> Vec<PlacedText<'_>> {
                match self { $(Self::$kind(def) => def.texts_mut()),+ }
            }

            pub(crate) fn aside(&self) -> ReminderStep {
                match self { $(Self::$kind(def) => def.aside()),+ }
            }
        }

        $(impl From<$def> for NodeKind {
            fn from(def: $def) -> Self {
                Self::$kind(def)
            }
        })+
    };
}

kinds! {
    /// Where every session begins.
    Start(StartDef) = "start",
    /// Where a session is complete.
    End(EndDef) = "end",
    /// Sends a message.
    SendMessage(SendMessageDef) = "send_message",
    /// Waits for the contact.
    WaitReply(WaitReplyDef) = "wait_reply",
    /// Asks, and hears answers until one is valid.
    Ask(AskDef) = "ask",
    /// Goes one way of several.
    Branch(BranchDef) = "branch",
    /// Goes back, or elsewhere, a limited number of times.
    Jump(JumpDef) = "jump",
    /// Once for each item of a list.
    ForEach(ForEachDef) = "for_each",
    /// Writes variables.
    SetVariables(SetVariablesDef) = "set_variables",
    /// Waits for a time.
    Delay(DelayDef) = "delay",
    /// Asks the host.
    Function(FunctionDef) = "function",
    /// Has the host send a request over HTTP.
    HttpRequest(HttpRequestDef) = "http_request",
    /// Has the host ask a language model.
    Llm(LlmDef) = "llm",
    /// Goes the way of the class that the host finds a text in.
    Classify(ClassifyDef) = "classify",
    /// Has the host tell the language of a text.
    RecognizeLanguage(RecognizeLanguageDef) = "recognize_language",
    /// Finds a telephone number in a text.
    RecognizePhone(RecognizePhoneDef) = "recognize_phone",
    /// Finds addresses, numbers and dates in a text.
    RecognizeEntities(RecognizeEntitiesDef) = "recognize_entities",
    /// Changes what is known of the contact.
    UpdateContact(UpdateContactDef) = "update_contact",
    /// Goes one way of several by chance.
    RandomSplit(RandomSplitDef) = "random_split",
    /// Goes one way in office hours and another outside.
    OpenHours(OpenHoursDef) = "open_hours",
    /// Tells those who run the flow something.
    Log(LogDef) = "log",
    /// Runs another flow.
    CallFlow(CallFlowDef) = "call_flow",
    /// Hands over to a person.
    Handoff(HandoffDef) = "handoff",
    /// Shows that somebody is writing.
    Typing(TypingDef) = "typing",
}

impl NodeKind {
    /// A start that asks for nothing.
    pub(crate) fn plain_start() -> Self {
        Self::Start(StartDef::default())
    }

    /// An end that says nothing of how.
    pub(crate) fn plain_end() -> Self {
        Self::End(EndDef::default())
    }

    pub(crate) fn as_start(&self) -> Option<&StartDef> {
        if let Self::Start(start) = self { Some(start) } else { None }
    }

    pub(crate) fn as_jump(&self) -> Option<&JumpDef> {
        if let Self::Jump(jump) = self { Some(jump) } else { None }
    }
}

impl CompiledNode {
    pub(crate) fn as_start(&self) -> Option<&Start> {
        if let Self::Start(start) = self { Some(start) } else { None }
    }

    pub(crate) fn as_call_flow(&self) -> Option<&CallFlow> {
        if let Self::CallFlow(call) = self { Some(call) } else { None }
    }

    pub(crate) fn as_jump(&self) -> Option<&Jump> {
        if let Self::Jump(jump) = self { Some(jump) } else { None }
    }

    pub(crate) fn is_end(&self) -> bool {
        matches!(self, Self::End(_))
    }

    pub(crate) fn is_handoff(&self) -> bool {
        matches!(self, Self::Handoff(_))
    }

    /// True if it sends to somebody whom it names, and not to the contact.
    pub(crate) fn names_recipient(&self) -> bool {
        matches!(self, Self::SendMessage(send) if send.to.is_some())
    }

    /// True if a session whose branch has no edge leaves by `next`.
    pub(crate) fn falls_back(&self, port: Port) -> bool {
        port != Port::NEXT && matches!(self, Self::SendMessage(_))
    }

    /// Returns the question that it asks the contact; none if it does not wait for a reply.
    pub(crate) fn question(&self) -> Option<&Question> {
        match self {
            Self::WaitReply(wait) => Some(&wait.question),
            Self::Ask(ask) => Some(&ask.question),
            _ => None,
        }
    }

    /// Returns the choices that it offers.
    pub(crate) fn choices(&self) -> Option<&Choices> {
        if let Self::Ask(ask) = self { ask.expect.choices() } else { None }
    }

    /// True if it writes to the contact, or waits for it (SEMANTICS T2).
    pub(crate) fn needs_contact(&self) -> bool {
        match self {
            Self::SendMessage(send) => send.to.is_none(),
            Self::Handoff(_) | Self::Typing(_) => true,
            _ => self.question().is_some(),
        }
    }
}
