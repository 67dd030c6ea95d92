//! What a host asks: a trigger, an inbound message. Taken as given, checked when the engine gets
//! it, so that an error names the field.

mod inbound;
mod rules;
mod trigger;

pub(super) use inbound::CheckedInbound;
pub use inbound::Inbound;
pub(super) use rules::bad_value;
pub(super) use trigger::CheckedTrigger;
pub use trigger::TriggerRequest;
