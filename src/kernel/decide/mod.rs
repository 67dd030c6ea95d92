//! One decision on one conversation, whole: the frame that every call goes through, the operations,
//! and the turns that they lead to. Pure and synchronous: it knows no store, and the same
//! conversation, operation and environment give the same decision.

mod act;
mod admit;
mod book;
mod contact;
mod decision;
mod delivery;
mod due;
mod environment;
mod frame;
mod inbound;
mod keyword;
mod migrate;
mod outbox;
mod output;
mod release;
mod route;
mod silence;
#[cfg(test)]
mod tests;
mod trigger;
mod turn;
mod unite;

pub(crate) use act::{Action, ConversationChange, HostChange};
pub(crate) use book::{Meeting, WorkBooking};
pub(crate) use decision::Decision;
pub(crate) use delivery::{DeliveryResult, Outgoing, SendException};
pub(crate) use environment::{
    CarriedOptOut, Environment, FlowLookup, Pinned, Policy, Published, Skew, Unusable,
};
pub(crate) use frame::{FoundConversation, Operation, Resolution, decide};
pub(crate) use inbound::{Arrival, InboundAnswer};
pub(crate) use migrate::{Migrate, destination};
pub(crate) use output::{AbsorbedContact, Output};
pub(crate) use release::Release;
pub(crate) use trigger::{Target, TriggerAnswer, TriggerCall};
pub(crate) use unite::Unite;
