//! The state that is kept between turns: one session of a flow, and the conversation that holds a
//! contact's sessions. Nodes are named by id, so that a session outlives a definition's layout.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bounds;
mod call;
mod change;
mod compact;
mod contact;
mod content;
mod conversation;
mod delivery;
mod end;
mod failure;
mod form;
mod frame;
mod handoff;
mod heard;
mod key;
mod message;
mod offered;
mod origin;
mod outbox;
mod ring;
mod rounds;
#[expect(clippy::module_inception, reason = "the file of `Session`")]
mod session;
mod standing;
mod status;
mod stored;
mod words;

pub use call::{CallKind, CallStage, PendingCall};
pub use change::ContactChange;
pub use contact::{Contact, Profile};
pub(crate) use content::OtherButton;
pub use content::{
    Buttons, Card, ContactCard, Content, FormMessage, Header, Link, List, Location, Media, NativeMessage,
    Parameters, ProductMessage, ProductSection, QuickReplies, ReplyOption, TemplateButton, TemplateCard,
    TemplateMessage,
};
pub use conversation::Conversation;
pub(crate) use conversation::{ReentryMark, SessionTimer};
pub(crate) use delivery::Sending;
pub use delivery::{DeliveryReport, SendOutcome};
pub(crate) use end::Ending;
pub use failure::{Failure, FailureCode};
pub(crate) use frame::Frame;
pub use handoff::{Handoff, Pause};
pub(crate) use handoff::{KeptResult, Silence};
pub(crate) use heard::PartialReply;
pub use key::KeyRecord;
pub use message::{Message, MessageDetails, MessageKind, Reply};
pub(crate) use message::{Opening, Queued};
pub(crate) use offered::{Offered, OfferedChoice};
pub use origin::{Origin, Route};
pub use outbox::{DeadLetter, DeadReason, Outbound, Unsent};
pub(crate) use ring::Verdict;
pub(crate) use rounds::Rounds;
pub use session::Session;
pub(crate) use session::{Extras, Journalled, LeftOpen};
pub(crate) use standing::{Handover, OpenCall, SessionEnd, Standing, Stop, Suspended, Wait};
pub use status::{EndReason, Status};
pub use stored::{
    DecodeError, EncodeError, decode_conversation, decode_session, encode_conversation, encode_session,
};

pub use crate::list::ShortList;
