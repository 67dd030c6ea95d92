//! From a message of the webhook to one for the engine.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::address::{Account, Address};
use crate::channel::Channel;
use crate::request::Inbound;
use crate::session::Profile;
use crate::wire::read_webhook;
use crate::wire::whatsapp::message::{CloudInteractive, CloudMedia, CloudMessage};
use crate::wire::whatsapp::webhook::CloudContact;

/// The longest name of a person that is taken; the engine takes no longer one.
const MOST_NAME: usize = 256;

/// Fields of a message that are no content: `reply.body` of an unknown kind does without them.
const ENVELOPE: [&str; 7] =
    ["from", "from_user_id", "from_parent_user_id", "id", "timestamp", "context", "referral"];

/// The message for the engine. None: it does not say whom it is from.
pub(super) fn inbound(
    message: CloudMessage,
    raw: Value,
    sender: Option<&CloudContact>,
    account: &Account,
) -> Option<Inbound> {
    let (from, beside) = senders(&message, sender, account)?;
    let meta = meta(&message, sender);
    let (id, at) = (message.id.clone(), message.timestamp.as_deref().and_then(instant));
    let to = Receiver { account: &account.account, from: &from };
    let mut inbound = to.content(message, raw);
    for address in beside {
        inbound = inbound.also_written(address);
    }
    if let Some(id) = id.filter(|id| !id.is_empty()) {
        inbound = inbound.id(id);
    }
    if let Some(at) = at {
        inbound = inbound.timestamp(at);
    }
    if !meta.is_empty() {
        inbound = inbound.meta(meta.into());
    }
    let name = sender.and_then(|sender| sender.profile.as_ref()?.name.clone());
    Some(match name.filter(|name| !name.is_empty() && name.len() <= MOST_NAME) {
        Some(name) => inbound.profile(Profile::new().name(name)),
        None => inbound,
    })
}

/// The sender's address, a telephone number where there is one, and the others.
fn senders(
    message: &CloudMessage,
    sender: Option<&CloudContact>,
    account: &Account,
) -> Option<(String, Vec<String>)> {
    let of_message = [&message.from, &message.from_user_id, &message.from_parent_user_id];
    let of_contact = sender.map(|sender| [&sender.wa_id, &sender.user_id, &sender.parent_user_id]);
    let mut texts: Vec<&str> = Vec::new();
    for text in of_message.into_iter().chain(of_contact.into_iter().flatten()).flatten() {
        if !text.is_empty() && !texts.contains(&&**text) {
            texts.push(text);
        }
    }
    let place = texts.iter().position(|text| Address::new(account, text).is_ok())?;
    let from = texts.remove(place);
    let address = Address::new(account, from).ok()?;
    let is_other = |text: &&str| Address::new(account, text).map_or(true, |other| !other.is_same(&address));
    let beside = texts.into_iter().filter(is_other).map(str::to_owned).collect();
    Some((from.to_owned(), beside))
}

/// The seconds after 1970 that the engine takes for an instant.
pub(super) fn instant(seconds: &str) -> Option<DateTime<Utc>> {
    const YEAR_10000: i64 = 253_402_300_800;
    let seconds = seconds.parse().ok().filter(|seconds| (0..YEAR_10000).contains(seconds))?;
    DateTime::from_timestamp(seconds, 0)
}

/// Everything known beside the content, in the words of the product.
fn meta(message: &CloudMessage, sender: Option<&CloudContact>) -> Map<String, Value> {
    let mut meta = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            meta.insert(name.to_owned(), value);
        }
    };
    put("context", message.context.as_ref().and_then(|context| serde_json::to_value(context).ok()));
    put("referral", message.referral.as_ref().and_then(|referral| serde_json::to_value(referral).ok()));
    let username = sender.and_then(|sender| sender.profile.as_ref()?.username.clone());
    put("username", username.map(Value::String));
    meta
}

/// The account that a message came to, and the address that it is from.
struct Receiver<'a> {
    account: &'a str,
    from: &'a str,
}

impl Receiver<'_> {
    /// The message by its kind. One whose content is not where it should be is of another kind, and
    /// so is one that is not known.
    fn content(&self, message: CloudMessage, raw: Value) -> Inbound {
        let (account, from) = (self.account, self.from);
        let value = |value: Option<Value>| value.filter(|value| !value.is_null());
        match &*message.kind {
            "text" => message.text.map(|text| self.text(text.body)),
            "button" => message.button.map(|button| self.choice(button.payload, button.text)),
            "interactive" => message.interactive.and_then(|interactive| self.interactive(interactive)),
            "image" => message.image.map(|media| self.media("image", media)),
            "audio" => message.audio.map(|media| self.media("audio", media)),
            "video" => message.video.map(|media| self.media("video", media)),
            "document" => message.document.map(|media| self.media("document", media)),
            "sticker" => message.sticker.map(|media| self.media("sticker", media)),
            "location" => value(message.location.and_then(|place| serde_json::to_value(place).ok()))
                .map(|place| Inbound::location(Channel::WhatsApp, account, from, place)),
            "contacts" => message
                .contacts
                .map(|cards| Inbound::contacts(Channel::WhatsApp, account, from, Value::Array(cards))),
            "order" => message.order.map(|order| {
                let text = order.text.clone().unwrap_or_default();
                let order = serde_json::to_value(order).unwrap_or_default();
                Inbound::order(Channel::WhatsApp, account, from, order).caption(text)
            }),
            "reaction" => value(message.reaction.and_then(|sign| serde_json::to_value(sign).ok()))
                .map(|sign| Inbound::reaction(Channel::WhatsApp, account, from, sign)),
            _ => None,
        }
        .unwrap_or_else(|| self.other(raw))
    }

    fn text(&self, text: String) -> Inbound {
        Inbound::text(Channel::WhatsApp, self.account, self.from, text)
    }

    /// A button without a payload says its label.
    fn choice(&self, payload: Option<String>, label: String) -> Inbound {
        match payload.filter(|payload| !payload.is_empty()) {
            Some(payload) => Inbound::choice(Channel::WhatsApp, self.account, self.from, payload, label),
            None => self.text(label),
        }
    }

    fn interactive(&self, interactive: CloudInteractive) -> Option<Inbound> {
        if let Some(reply) = interactive.button_reply.or(interactive.list_reply) {
            return Some(self.choice(Some(reply.id), reply.title));
        }
        let answers = match interactive.nfm_reply?.response_json {
            Value::String(text) => read_webhook(text.as_bytes()).ok()?,
            answers => answers,
        };
        let Value::Object(mut answers) = answers else { return None };
        let token = match answers.remove("flow_token") {
            Some(Value::String(token)) => token,
            _ => String::new(),
        };
        Some(Inbound::form(Channel::WhatsApp, self.account, self.from, token, answers.into()))
    }

    fn media(&self, kind: &str, media: CloudMedia) -> Inbound {
        let mut value = media.rest;
        let texts = [
            ("type", Some(kind.to_owned())),
            ("id", media.id),
            ("mime", media.mime_type),
            ("sha256", media.sha256),
            ("url", media.url),
            ("filename", media.filename),
        ];
        let flags = [("voice", media.voice), ("animated", media.animated)];
        let texts = texts.into_iter().map(|(name, text)| (name, text.map(Value::String)));
        for (name, part) in texts.chain(flags.into_iter().map(|(name, flag)| (name, flag.map(Value::Bool)))) {
            if let Some(part) = part {
                value.insert(name.to_owned(), part);
            }
        }
        let inbound = Inbound::media(Channel::WhatsApp, self.account, self.from, value.into());
        inbound.caption(media.caption.unwrap_or_default())
    }

    fn other(&self, mut raw: Value) -> Inbound {
        if let Value::Object(fields) = &mut raw {
            fields.retain(|name, _| !ENVELOPE.contains(&&**name));
        }
        Inbound::other(Channel::WhatsApp, self.account, self.from, raw)
    }
}
