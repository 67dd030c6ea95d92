//! What is remembered between turns: one session of a flow, and the conversation that holds a contact's sessions.
//! Nodes are named by id, so that a session outlives a definition's layout. No rule of behaviour lives here.

mod contact;
mod conversation;
mod journal;
mod outbox;
mod ring;
mod session_state;
mod stored;

pub use contact::{Contact, Profile};
pub(crate) use conversation::Timer;
pub use conversation::{Conversation, ReentryMark};
pub use journal::{JournalEntry, JournalStep};
pub use outbox::{Content, DeadLetter, DeadReason, Opt, Outbound, Unsent};
pub use ring::{Remembered, Verdict};
pub use session_state::{
    CallStage, EndReason, Failure, FailureCode, Message, MessageKind, Origin, PendingCall, Queued, Reply,
    Route, Session, Status,
};
pub use stored::{DecodeError, decode_conversation, decode_session, encode_conversation, encode_session};
