//! Conversation flows as a library: the host owns all I/O, the crate owns the conversation.

pub mod flow;
pub mod id;
pub mod limits;
pub mod value;

pub use id::{
    BadDerivedId, BadName, CallId, ContactId, FlowId, FlowVersion, MessageId, NodeId, SessionId, TriggerKey,
    WorkspaceId,
};
pub use limits::Limits;
pub use value::{Bag, Packed};
