//! Conversation flows as a library: the host owns all I/O, the crate owns the conversation.

#![forbid(unsafe_code)]

pub mod address;
pub mod calls;
pub mod channel;
pub mod clock;
pub mod engine;
pub mod error;
pub mod flow;
pub mod id;
pub mod kernel;
pub mod limits;
pub mod observer;
pub mod session;
pub mod store;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod transport;
pub mod value;

pub use address::{Account, Address, Alias, Phone};
pub use calls::{Answer, Call, CallRef, CallResult, Calls, call_fn};
pub use channel::{BadChannel, Channel, ChannelName};
pub use clock::{Clock, Ids, RandomIds, SystemClock};
pub use engine::{
    Builder, Campaign, Cancelled, Completed, DeadLetterEntry, DeliveryReport, Engine, FlowStatus, Flows,
    Imported, Inbound, KeywordAction, Progress, Received, Reported, SessionFilter, SessionRef, Ticked,
    TriggerRequest, Triggered, Unpublish,
};
pub use error::{CallError, Error, SendError, StoreError};
pub use flow::{
    ArmDef, AssignDef, BranchDef, Clash, CompareDef, Concurrency, ConditionDef, ContactMode, DelayDef,
    EdgeDef, EndDef, Flow, FlowDef, FunctionDef, InboundDef, InputDef, InputPolicy, InputType, Issue,
    IssueCode, Issues, JumpDef, MatchKind, NodeDef, NodeKind, OnTimeout, Operand, Operator, OptionDef, Rank,
    Reentry, ReentryDef, ReplyKind, RuleDef, SendAction, SendMessageDef, Sender, SetVariablesDef, Settings,
    SettingsDef, Severity, Span, StartDef, Trigger, TriggerDef, TtlMode, Undefined, VariableDef,
    WaitReplyDef,
};
pub use id::{
    BadDerivedId, BadName, CallId, ContactId, FlowId, FlowVersion, MessageId, NodeId, SessionId, TriggerKey,
    WorkspaceId,
};
pub use kernel::Refusal;
pub use limits::Limits;
pub use observer::{Event, EventKind, Observer};
pub use session::{Contact, Content, Conversation, DeadLetter, Opt, Outbound, Profile, Session, Status};
pub use store::{DynStore, MemoryFlows, MemoryStore};
pub use transport::{Receipt, Transport, send_fn};
pub use value::{Bag, Packed};
