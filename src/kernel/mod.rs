//! The pure core: from a session and an input to the next session and its effects, and from a
//! conversation and a call to what is to be written and sent. Nothing here awaits, reads a clock,
//! draws randomness, does I/O or panics; the same arguments give the same turn.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod aside;
mod begin;
mod beside;
mod choice;
mod content;
mod count;
mod decide;
mod destination;
mod ending;
mod environment;
mod fitting;
mod frames;
mod handoff;
mod hash;
mod input;
mod inputs;
mod journal;
mod library;
mod message;
mod migrate;
mod node;
mod offer;
mod outcome;
mod quiet;
mod refusal;
mod reminder;
mod replay;
mod run;
mod scope;
mod time;
mod turn;

pub use begin::{NewSession, start};
pub(crate) use choice::own_choice;
pub(crate) use count::added_up;
pub use count::{CountDelta, CounterSubject};
pub(crate) use decide::{
    AbsorbedContact, Action, Arrival, CarriedOptOut, ConversationChange, Decision, DeliveryResult,
    Environment, FlowLookup, FoundConversation, HostChange, InboundAnswer, Meeting, Migrate, Operation,
    Outgoing, Output, Pinned, Policy, Published, Release, Resolution, SendException, Skew, Target,
    TriggerAnswer, TriggerCall, Unite, Unusable, WorkBooking, decide, destination,
};
pub use environment::{Effect, Turn, TurnEnvironment};
pub(crate) use hash::{address_hash, fingerprint, key_hash, message_hash};
pub use input::Input;
pub(crate) use inputs::{accept_inputs, default_inputs};
pub use journal::{CalledFlow, JournalEntry, JournalStep, Seen, StepEvent};
pub use library::{Callee, Library};
pub use outcome::{Received, SessionRef, Triggered};
pub use refusal::Refusal;
pub use replay::{ReplayError, replay};
pub use run::advance;
pub(crate) use time::{later, span};
