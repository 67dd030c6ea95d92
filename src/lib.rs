//! Conversation flows as a library: the host owns all I/O, the crate owns the conversation.

pub mod calls;
pub mod channel;
pub mod clock;
pub mod error;
pub mod flow;
pub mod id;
pub mod limits;
pub mod observer;
pub mod session;
pub mod store;
pub mod transport;
pub mod value;

pub use calls::{Answer, Call, CallRef, CallResult, Calls, call_fn};
pub use channel::{Account, Address, Alias, Channel, Phone};
pub use clock::{Clock, Ids, RandomIds, SystemClock};
pub use error::{CallError, Error, SendError, StoreError};
pub use id::{
    BadDerivedId, BadName, CallId, ContactId, FlowId, FlowVersion, MessageId, NodeId, SessionId, TriggerKey,
    WorkspaceId,
};
pub use limits::Limits;
pub use observer::{Event, EventKind, Observer};
pub use session::{Contact, Content, Conversation, DeadLetter, Opt, Outbound, Profile, Session, Status};
pub use store::{DynStore, MemoryFlows, MemoryStore};
pub use transport::{Receipt, Transport, send_fn};
