//! Channels under names that other products give them (SEMANTICS C): a name that this crate does
//! not know is a host's own channel, with limits and addresses of its own.

use crate::Channel;
use crate::flow::def::FlowDef;
use crate::flow::form::diagnostics::{Diagnostics, did_you_mean};
use crate::flow::form::issue::{IssueCode, Repair};
use crate::flow::form::path::Path;
use crate::flow::trigger::TriggerDef;

/// Other names, without hyphens and the like.
const OTHERS: [(&str, &str); 11] = [
    ("facebook", "messenger"),
    ("fb", "messenger"),
    ("facebookmessenger", "messenger"),
    ("fbmessenger", "messenger"),
    ("wa", "whatsapp"),
    ("waba", "whatsapp"),
    ("whatsappbusiness", "whatsapp"),
    ("whatsappcloud", "whatsapp"),
    ("ig", "instagram"),
    ("insta", "instagram"),
    ("tg", "telegram"),
];

/// Warns of a channel that is probably one of those that the crate knows.
pub(super) fn check(def: &FlowDef, found: &mut Diagnostics) {
    let root = Path::Root;
    if let TriggerDef::Inbound(inbound) = &def.trigger {
        warn(&inbound.channel, &root.key("trigger").key("channel"), found);
    }
    if let Some(sender) = def.settings.as_ref().and_then(|settings| settings.sender.as_ref()) {
        warn(&sender.channel, &root.key("settings").key("sender").key("channel"), found);
    }
}

fn warn(channel: &Channel, at: &Path<'_>, found: &mut Diagnostics) {
    let Channel::Other(_) = channel else { return };
    let mut name = channel.as_str().to_owned();
    name.retain(|c| c.is_ascii_alphanumeric());
    let known = Channel::KNOWN.iter().find(|known| **known == name);
    let other = || OTHERS.iter().find(|(other, _)| *other == name).map(|(_, known)| known);
    if let Some(meant) = known.or_else(other) {
        let message = format!("{:?} is a channel of its own{}", channel.as_str(), did_you_mean(Some(meant)));
        let (fix, repair) = (format!("write {meant:?}"), Repair::replace(at, Some(meant)));
        found.add_repairable(IssueCode::UnknownName, at, message, fix, repair);
    }
}
