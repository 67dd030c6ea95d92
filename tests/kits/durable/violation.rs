//! Facts that must not have happened.

use std::fmt;

use chatflow::{ContactId, MessageId, SessionId, Status};

use super::history::Step;
use super::talk::contact_id;

/// A promise that was broken, with whose it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A call was answered, and its effect is not there.
    LostTurn { contact: u64, step: Step, why: String },
    /// A call took effect twice.
    TwiceDone { contact: u64, step: Step },
    /// A (contact, flow), or a key, has two sessions.
    SecondSession { contact: u64, sessions: Vec<SessionId> },
    /// A session is stored that nobody asked for.
    UnknownSession { contact: ContactId, session: SessionId },
    /// A call was answered with an error that is none of its own.
    Refused { contact: u64, step: Step, error: String },
    /// A committed message was never handed over.
    LostMessage { contact: u64, session: SessionId, text: String },
    /// One message went out under two ids.
    TwoIds { contact: u64, first: MessageId, second: MessageId },
    /// One id was given to two messages.
    TwoContents { contact: u64, message: MessageId },
    /// A message was first handed over before one that comes before it.
    Disorder { contact: u64, message: MessageId, after: u64 },
    /// A message left that no stored session can have sent.
    UnknownMessage { contact: u64, message: MessageId },
    /// A session that time does not move on.
    Stuck { contact: ContactId, session: SessionId, status: Status },
    /// A conversation was set aside, or has a dead letter.
    SetAside { contact: ContactId },
    /// A session ended otherwise than what was answered says.
    WrongEnd { contact: u64, session: SessionId, expected: &'static str, found: String },
    /// Two ways to ask the store for the same thing answer differently.
    Inconsistent { what: String },
}

impl Violation {
    /// True if it is of this contact, or of none.
    pub fn concerns(&self, number: u64) -> bool {
        match self {
            Self::LostTurn { contact, .. }
            | Self::TwiceDone { contact, .. }
            | Self::SecondSession { contact, .. }
            | Self::Refused { contact, .. }
            | Self::LostMessage { contact, .. }
            | Self::TwoIds { contact, .. }
            | Self::TwoContents { contact, .. }
            | Self::Disorder { contact, .. }
            | Self::UnknownMessage { contact, .. }
            | Self::WrongEnd { contact, .. } => *contact == number,
            Self::UnknownSession { contact, .. }
            | Self::Stuck { contact, .. }
            | Self::SetAside { contact } => *contact == contact_id(number),
            Self::Inconsistent { .. } => true,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LostTurn { contact, step, why } => {
                write!(f, "lost turn: {step:?} of {contact} was answered; {why}")
            }
            Self::TwiceDone { contact, step } => write!(f, "done twice: {step:?} of {contact}"),
            Self::SecondSession { contact, sessions } => {
                write!(f, "second session: {contact} has {sessions:?}")
            }
            Self::UnknownSession { contact, session } => {
                write!(f, "unknown session: {session} of `{contact}`")
            }
            Self::Refused { contact, step, error } => write!(f, "refused: {step:?} of {contact}: {error}"),
            Self::LostMessage { contact, session, text } => {
                write!(f, "lost message: `{text}` of {session}, contact {contact}, was never handed over")
            }
            Self::TwoIds { contact, first, second } => {
                write!(f, "two ids: one message to {contact} went out as {first} and {second}")
            }
            Self::TwoContents { contact, message } => write!(f, "two contents: {message} to {contact}"),
            Self::Disorder { contact, message, after } => {
                write!(f, "disorder: {message} to {contact} came first after number {after}")
            }
            Self::UnknownMessage { contact, message } => {
                write!(
                    f,
                    "unknown message: {message} to {contact} is of no stored session, or of a later turn than it had"
                )
            }
            Self::Stuck { contact, session, status } => {
                write!(f, "stuck: {session} of `{contact}` stays {status:?}")
            }
            Self::SetAside { contact } => write!(f, "set aside: `{contact}`"),
            Self::WrongEnd { contact, session, expected, found } => {
                write!(f, "wrong end: {session} of {contact} is {found}, not {expected}")
            }
            Self::Inconsistent { what } => write!(f, "inconsistent: {what}"),
        }
    }
}
