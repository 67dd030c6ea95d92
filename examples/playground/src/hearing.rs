//! The messages that a contact may send, as JSON.

use chatflow::{Account, Inbound};
use serde_json::Value;

use crate::answer::{Outcome, bad, optional, text};

/// A message of a contact: `{"text"}`, `{"payload", "label"}`, `{"media"}`, `{"location"}`,
/// `{"form", "token"}`, `{"order"}` or `{"contacts"}`.
pub(crate) fn message(account: &Account, from: &str, said: &Value) -> Result<Inbound, Outcome> {
    let (channel, to) = (account.channel.clone(), &*account.account);
    let part = |field: &str| said.get(field).cloned();
    let message = if let Some(payload) = optional(said, "payload") {
        Inbound::choice(channel, to, from, payload, text(said, "label")?)
    } else if let Some(media) = part("media") {
        Inbound::media(channel, to, from, media).caption(optional(said, "text").unwrap_or_default())
    } else if let Some(location) = part("location") {
        Inbound::location(channel, to, from, location)
    } else if let Some(answers) = part("form") {
        Inbound::form(channel, to, from, optional(said, "token").unwrap_or_default(), answers)
    } else if let Some(order) = part("order") {
        Inbound::order(channel, to, from, order)
    } else if let Some(contacts) = part("contacts") {
        Inbound::contacts(channel, to, from, contacts)
    } else if said.get("text").is_some() {
        Inbound::text(channel, to, from, text(said, "text")?)
    } else {
        return Err(bad("say", "is not a message that a contact can send"));
    };
    Ok(message)
}
