//! Requests of a host: a trigger, an inbound message. Taken as given, checked when the engine gets
//! it, so that an error names the field.

mod inbound;
mod rules;
mod trigger;

pub(crate) use inbound::CheckedInbound;
pub use inbound::Inbound;
pub(crate) use rules::{NO_CONTACT, bad_value};
pub(crate) use trigger::CheckedTrigger;
pub use trigger::TriggerRequest;
