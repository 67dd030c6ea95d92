//! What a host asks: a trigger, an inbound message. Taken as given, checked when the engine gets it, so that an error
//! names the field.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use crate::address::{Account, AccountRef, Address, Phone};
use crate::channel::Channel;
use crate::error::Error;
use crate::id::{ContactId, FlowId, TriggerKey, check_name};
use crate::limits::Limits;
use crate::session::{Message, MessageKind, Profile};
use crate::value::{Bag, Caps, PackError, Packed};

/// Starts a flow for a contact (SEMANTICS T).
///
/// ```
/// use chatflow::TriggerRequest;
/// let request = TriggerRequest::new("cart-30min")
///     .phone("+1 415 555 0123")
///     .context(serde_json::json!({"cart_id": "987654321", "cart_total": "129.00"}))
///     .uuid("c68622e6-5f0d-c8a4-af41-e949c2a7580e");
/// # let _ = request;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct TriggerRequest {
    pub(super) flow: String,
    pub(super) contact_id: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) address: Option<(Channel, String, String)>,
    pub(super) channel: Option<Channel>,
    pub(super) account: Option<String>,
    pub(super) context: Option<Result<Value, String>>,
    pub(super) uuid: Option<String>,
    pub(super) out_id: Option<String>,
    pub(super) claim_time: Option<DateTime<Utc>>,
    pub(super) discard_time: Option<DateTime<Utc>>,
    pub(super) profile: Option<Box<Profile>>,
    pub(super) campaign: Option<String>,
    pub(super) transactional: bool,
    pub(super) during_handoff: bool,
}

impl TriggerRequest {
    /// A trigger of the flow with this code.
    pub fn new(flow: impl Into<String>) -> Self {
        Self {
            flow: flow.into(),
            contact_id: None,
            phone: None,
            address: None,
            channel: None,
            account: None,
            context: None,
            uuid: None,
            out_id: None,
            claim_time: None,
            discard_time: None,
            profile: None,
            campaign: None,
            transactional: false,
            during_handoff: false,
        }
    }

    /// For the contact with this id; created if it is unknown.
    pub fn contact_id(mut self, id: impl Into<String>) -> Self {
        self.contact_id = Some(id.into());
        self
    }

    /// For the contact with this telephone number: `+` and 8-15 digits, formatting characters allowed.
    pub fn phone(mut self, phone: impl Into<String>) -> Self {
        self.phone = Some(phone.into());
        self
    }

    /// For the contact with this id on a channel's account; messages go there.
    pub fn address(mut self, channel: Channel, account: impl Into<String>, id: impl Into<String>) -> Self {
        self.address = Some((channel, account.into(), id.into()));
        self
    }

    /// Messages leave from this account of this channel, not from the flow's sender (SEMANTICS D4).
    pub fn from(mut self, channel: Channel, account: impl Into<String>) -> Self {
        self.channel = Some(channel);
        self.account = Some(account.into());
        self
    }

    /// What the flow reads as `context`: a JSON object, by default of at most 64 KiB and 16 levels deep.
    pub fn context(mut self, context: impl Into<Value>) -> Self {
        self.context = Some(Ok(context.into()));
        self
    }

    /// The same, of a host's own type that serialises to an object.
    pub fn context_of(mut self, context: impl Serialize) -> Self {
        self.context = Some(serde_json::to_value(context).map_err(|error| error.to_string()));
        self
    }

    /// The idempotency key, unique for this event: the same key with the same request starts nothing twice (SEMANTICS T5).
    pub fn uuid(mut self, key: impl Into<String>) -> Self {
        self.uuid = Some(key.into());
        self
    }

    /// A correlation id of the caller's, readable as `trigger.out_id`.
    pub fn out_id(mut self, id: impl Into<String>) -> Self {
        self.out_id = Some(id.into());
        self
    }

    /// When the event happened, now if it is not said; readable as `trigger.claim_time`, decides nothing (SEMANTICS T7).
    pub fn claim_time(mut self, at: DateTime<Utc>) -> Self {
        self.claim_time = Some(at);
        self
    }

    /// From this instant on the trigger is void (SEMANTICS T7).
    pub fn discard_time(mut self, at: DateTime<Utc>) -> Self {
        self.discard_time = Some(at);
        self
    }

    /// What is known of the contact.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = Some(Box::new(profile));
        self
    }

    /// The campaign that it belongs to; recorded on session and contact (SEMANTICS T8).
    pub fn campaign(mut self, campaign: impl Into<String>) -> Self {
        self.campaign = Some(campaign.into());
        self
    }

    /// Starts even if the contact opted out (SEMANTICS T10): an order's receipt, not an advertisement.
    pub fn transactional(mut self) -> Self {
        self.transactional = true;
        self
    }

    /// Starts even while the contact is with a person of the host's (SEMANTICS S10).
    pub fn during_handoff(mut self) -> Self {
        self.during_handoff = true;
        self
    }

    /// The contact as the caller names it: what a campaign's key is made of (SEMANTICS T8).
    pub(super) fn contact_as_given(&self) -> Option<&str> {
        let address = self.address.as_ref().map(|(_, _, id)| id.as_str());
        self.contact_id.as_deref().or(self.phone.as_deref()).or(address)
    }

    pub(super) fn check(self, limits: &Limits) -> Result<CheckedTrigger, Error> {
        let flow = FlowId::new(&self.flow).map_err(|rule| Error::invalid("flow", rule))?;
        let contact = self
            .contact_id
            .map(|id| ContactId::new(id).map_err(|rule| Error::invalid("contact_id", rule)))
            .transpose()?;
        let from = match (self.channel, self.account) {
            (Some(channel), Some(account)) => {
                Some(Account::new(channel, account).map_err(|rule| Error::invalid("account", rule))?)
            }
            _ => None,
        };
        let (address, from) = match (&self.phone, &self.address) {
            (Some(_), Some(_)) => return Err(Error::invalid("address", "must not be given beside `phone`")),
            (Some(phone), None) => {
                let phone = Phone::parse(phone).map_err(|rule| Error::invalid("phone", rule))?;
                if from.as_ref().is_some_and(|account| !account.channel.is_phone()) {
                    return Err(Error::invalid(
                        "channel",
                        "must be one with telephone numbers when `phone` is given",
                    ));
                }
                (Some(Address::Phone(phone)), from)
            }
            (None, Some((channel, account, id))) => {
                let account =
                    Account::new(channel.clone(), account).map_err(|rule| Error::invalid("account", rule))?;
                let address = Address::new(&account, id).map_err(|rule| Error::invalid("address", rule))?;
                (Some(address), from.or(Some(account)))
            }
            (None, None) => (None, from),
        };
        let context = match self.context {
            None => Bag::new(),
            Some(Ok(context)) => {
                Bag::from_json(&context, &Caps::of(limits)).map_err(|error| bad_value("context", &error))?
            }
            Some(Err(error)) => {
                return Err(Error::invalid("context", format_args!("must serialise: {error}")));
            }
        };
        if let Some(out_id) = &self.out_id {
            check_name(out_id).map_err(|rule| Error::invalid("out_id", rule))?;
        }
        if let Some(campaign) = &self.campaign {
            check_name(campaign).map_err(|rule| Error::invalid("campaign", rule))?;
        }
        let key = self
            .uuid
            .map(|key| TriggerKey::new(key).map_err(|rule| Error::invalid("uuid", rule)))
            .transpose()?;
        for (field, at) in [("claim_time", self.claim_time), ("discard_time", self.discard_time)] {
            check_instant(field, at)?;
        }
        check_profile(self.profile.as_deref(), limits)?;
        Ok(CheckedTrigger {
            flow,
            contact,
            address,
            from,
            given: (None, None),
            context,
            key,
            out_id: self.out_id.map(Into::into),
            claim_time: self.claim_time,
            discard_time: self.discard_time,
            profile: self.profile,
            campaign: self.campaign.map(Into::into),
            transactional: self.transactional,
            during_handoff: self.during_handoff,
        })
    }
}

/// A trigger whose form is right.
pub(super) struct CheckedTrigger {
    pub(super) flow: FlowId,
    pub(super) contact: Option<ContactId>,
    pub(super) address: Option<Address>,
    pub(super) from: Option<Account>,
    /// Contact and address as the caller gave them, before the start node had its say.
    pub(super) given: (Option<ContactId>, Option<Address>),
    pub(super) context: Bag,
    pub(super) key: Option<TriggerKey>,
    pub(super) out_id: Option<Arc<str>>,
    pub(super) claim_time: Option<DateTime<Utc>>,
    pub(super) discard_time: Option<DateTime<Utc>>,
    pub(super) profile: Option<Box<Profile>>,
    pub(super) campaign: Option<Arc<str>>,
    pub(super) transactional: bool,
    pub(super) during_handoff: bool,
}

/// A message from a contact (SEMANTICS I).
#[derive(Clone, Debug)]
#[must_use]
pub struct Inbound {
    pub(super) id: Option<String>,
    pub(super) channel: Channel,
    pub(super) account: String,
    pub(super) from: String,
    pub(super) contact_id: Option<String>,
    pub(super) kind: MessageKind,
    pub(super) text: String,
    pub(super) payload: Option<String>,
    pub(super) value: Option<Value>,
    pub(super) timestamp: Option<DateTime<Utc>>,
    pub(super) profile: Option<Box<Profile>>,
}

impl Inbound {
    fn new(channel: Channel, account: impl Into<String>, from: impl Into<String>, kind: MessageKind) -> Self {
        Self {
            id: None,
            channel,
            account: account.into(),
            from: from.into(),
            contact_id: None,
            kind,
            text: String::new(),
            payload: None,
            value: None,
            timestamp: None,
            profile: None,
        }
    }

    /// A text of at most 16 KiB, from an address to an account of the host's.
    pub fn text(
        channel: Channel,
        account: impl Into<String>,
        from: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self { text: text.into(), ..Self::new(channel, account, from, MessageKind::Text) }
    }

    /// An option that was chosen: what the message offered as [`Opt::payload`](crate::Opt::payload) or any other payload, and its label.
    pub fn choice(
        channel: Channel,
        account: impl Into<String>,
        from: impl Into<String>,
        payload: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        let choice = Self::new(channel, account, from, MessageKind::Choice);
        Self { text: label.into(), payload: Some(payload.into()), ..choice }
    }

    /// A medium: what flows read as `reply.media`, such as `{"url": …, "mime": …}`; [`caption`](Self::caption) gives its text.
    pub fn media(
        channel: Channel,
        account: impl Into<String>,
        from: impl Into<String>,
        media: Value,
    ) -> Self {
        Self { value: Some(media), ..Self::new(channel, account, from, MessageKind::Media) }
    }

    /// A place: what flows read as `reply.location`, such as `{"latitude": …, "longitude": …}`.
    pub fn location(
        channel: Channel,
        account: impl Into<String>,
        from: impl Into<String>,
        location: Value,
    ) -> Self {
        Self { value: Some(location), ..Self::new(channel, account, from, MessageKind::Location) }
    }

    /// The text beside a medium or a place.
    pub fn caption(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }

    /// The channel's id of the message: a redelivery changes nothing. Without an id nothing is recognised (SEMANTICS I2).
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The host's id of the contact; the address is linked to it (SEMANTICS T2).
    pub fn contact_id(mut self, id: impl Into<String>) -> Self {
        self.contact_id = Some(id.into());
        self
    }

    /// When the channel says it was sent (SEMANTICS I12).
    pub fn timestamp(mut self, at: DateTime<Utc>) -> Self {
        self.timestamp = Some(at);
        self
    }

    /// What the channel knows of the contact.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = Some(Box::new(profile));
        self
    }

    pub(super) fn check(self, limits: &Limits) -> Result<CheckedInbound, Error> {
        check_name(&self.account).map_err(|rule| Error::invalid("account", rule))?;
        let account = AccountRef { channel: &self.channel, account: &self.account };
        let address = Address::on(account, &self.from).map_err(|rule| Error::invalid("from", rule))?;
        let contact = self
            .contact_id
            .map(|id| ContactId::new(id).map_err(|rule| Error::invalid("contact_id", rule)))
            .transpose()?;
        if let Some(id) = &self.id {
            check_name(id).map_err(|rule| Error::invalid("id", rule))?;
        }
        if self.text.len() > limits.text_bytes {
            return Err(Error::invalid(
                "text",
                format_args!("must have at most {} bytes", limits.text_bytes),
            ));
        }
        if let Some(payload) = &self.payload {
            check_name(payload).map_err(|rule| Error::invalid("payload", rule))?;
        }
        check_instant("timestamp", self.timestamp)?;
        check_profile(self.profile.as_deref(), limits)?;
        let field = if self.kind == MessageKind::Media { "media" } else { "location" };
        let value = self.value.map(|value| {
            Packed::from_json(&value, &Caps::of(limits)).map_err(|error| bad_value(field, &error))
        });
        let value = value.transpose()?;
        let (media, location) = if self.kind == MessageKind::Media { (value, None) } else { (None, value) };
        let message = Message {
            kind: self.kind,
            text: self.text.into(),
            payload: self.payload.map(Into::into),
            media,
            location,
        };
        let Self { id, channel, account, timestamp, profile, .. } = self;
        Ok(CheckedInbound { id, channel, account, address, contact, message, timestamp, profile })
    }
}

/// An inbound message whose form is right.
pub(super) struct CheckedInbound {
    pub(super) id: Option<String>,
    pub(super) channel: Channel,
    pub(super) account: String,
    pub(super) address: Address,
    pub(super) contact: Option<ContactId>,
    pub(super) message: Message,
    pub(super) timestamp: Option<DateTime<Utc>>,
    pub(super) profile: Option<Box<Profile>>,
}

fn bad_value(field: &'static str, error: &PackError) -> Error {
    let rule = error.to_string();
    match error.at().filter(|at| !at.is_empty()) {
        Some(at) => {
            let rule = rule.strip_prefix(&format!("`{at}` ")).unwrap_or(&rule);
            let dot = if at.starts_with('[') { "" } else { "." };
            Error::invalid(format!("{field}{dot}{at}"), rule)
        }
        None => Error::invalid(field, rule),
    }
}

/// Instants that a text form can hold: years 1970 to 9999.
fn check_instant(field: &'static str, at: Option<DateTime<Utc>>) -> Result<(), Error> {
    const YEAR_10000: i64 = 253_402_300_800;
    match at {
        Some(at) if !(0..YEAR_10000).contains(&at.timestamp()) => {
            Err(Error::invalid(field, "must be between 1970 and 9999"))
        }
        _ => Ok(()),
    }
}

fn check_profile(profile: Option<&Profile>, limits: &Limits) -> Result<(), Error> {
    let Some(profile) = profile else { return Ok(()) };
    for (field, text) in [
        ("profile.name", &profile.name),
        ("profile.email", &profile.email),
        ("profile.language", &profile.language),
    ] {
        if text.as_ref().is_some_and(|text| text.len() > limits.id_bytes) {
            return Err(Error::invalid(field, format_args!("must have at most {} bytes", limits.id_bytes)));
        }
    }
    if profile.tags.len() > 100 || profile.tags.iter().any(|tag| tag.len() > limits.id_bytes) {
        return Err(Error::invalid(
            "profile.tags",
            format_args!("must be at most 100, of at most {} bytes", limits.id_bytes),
        ));
    }
    if profile.fields.byte_len() > limits.variable_bytes {
        return Err(Error::invalid(
            "profile.fields",
            format_args!("must take at most {} bytes", limits.variable_bytes),
        ));
    }
    Ok(())
}
