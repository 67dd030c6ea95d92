//! Conversation flows as a library: the host owns all I/O, the crate owns the conversation.

pub mod channel;
pub mod flow;
pub mod id;
pub mod limits;
pub mod value;

pub use channel::{BadChannel, Channel, ChannelName};
pub use flow::{
    ArmDef, AssignDef, BadSpan, BranchDef, Campaign, Clash, CompareDef, Concurrency, ConditionDef,
    ContactMode, DelayDef, EdgeDef, EndDef, Flow, FlowDef, FunctionDef, InboundDef, InputDef, InputPolicy,
    InputType, Issue, IssueCode, Issues, JumpDef, MatchKind, NodeDef, NodeKind, OnTimeout, Operand, Operator,
    OptionDef, Rank, Reentry, ReentryDef, ReplyKind, RuleDef, SendAction, SendMessageDef, Sender,
    SetVariablesDef, Settings, SettingsDef, Severity, Span, StartDef, Trigger, TriggerDef, TtlMode,
    Undefined, VariableDef, WaitReplyDef,
};
pub use id::{
    BadDerivedId, BadName, CallId, ContactId, FlowId, FlowVersion, MessageId, NodeId, SessionId, TriggerKey,
    WorkspaceId,
};
pub use limits::Limits;
pub use value::{Bag, Packed};
