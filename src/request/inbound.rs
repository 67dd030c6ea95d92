//! An inbound message: what a host hands in, and what the engine works with.

use std::num::NonZeroU8;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::address::{AccountRef, Address};
use crate::channel::Channel;
use crate::error::Error;
use crate::id::{ContactId, check_name};
use crate::limits::Limits;
use crate::request::rules::{bad_value, check_instant, check_profile};
use crate::session::{Message, MessageDetails, MessageKind, Profile};
use crate::value::{PackLimits, Packed};

/// A message from a contact ([SEMANTICS I](crate::semantics#i)).
#[derive(Clone, Debug)]
#[must_use]
pub struct Inbound {
    pub(crate) id: Option<Arc<str>>,
    pub(crate) channel: Channel,
    pub(crate) account: String,
    pub(crate) from: String,
    also: Vec<OtherAddress>,
    pub(crate) contact_id: Option<String>,
    pub(crate) kind: MessageKind,
    pub(crate) text: Arc<str>,
    pub(crate) payload: Option<Arc<str>>,
    parts: Option<Box<InboundParts>>,
    pub(crate) timestamp: Option<DateTime<Utc>>,
    pub(crate) profile: Option<Box<Profile>>,
}

/// The parts of a message beside its text, and what is known of it.
#[derive(Clone, Debug, Default)]
struct InboundParts {
    value: Option<Value>,
    meta: Option<Value>,
}

/// An address beside that of the sender.
#[derive(Clone, Debug)]
enum OtherAddress {
    Read(Address),
    /// As the channel writes it.
    Written(String),
}

/// Addresses beside that of the sender, at most.
const MOST_ALSO: usize = 8;

/// Characters of a payload: Messenger and Instagram have up to 1,000 (SEMANTICS I9).
const MOST_PAYLOAD: usize = 1_024;

impl Inbound {
    fn new(channel: Channel, account: impl Into<String>, from: impl Into<String>, kind: MessageKind) -> Self {
        Self {
            id: None,
            channel,
            account: account.into(),
            from: from.into(),
            also: Vec::new(),
            contact_id: None,
            kind,
            text: Arc::default(),
            payload: None,
            parts: None,
            timestamp: None,
            profile: None,
        }
    }

    fn with_value(mut self, value: Value) -> Self {
        self.parts.get_or_insert_default().value = Some(value);
        self
    }

    /// A text of at most 16 KiB, from an address to an account of the host;
    /// [`cut_to`](Self::cut_to) cuts a longer one.
    pub fn text(
        channel: Channel,
        account: impl Into<String>,
        from: impl Into<String>,
        text: impl AsRef<str>,
    ) -> Self {
        Self { text: text.as_ref().into(), ..Self::new(channel, account, from, MessageKind::Text) }
    }

    /// An option that was chosen: what the message offered as
    /// [`ReplyOption::payload`](crate::session::ReplyOption::payload) or any other payload, and its
    /// label.
    pub fn choice(
        channel: Channel,
        account: impl Into<String>,
        from: impl Into<String>,
        payload: impl AsRef<str>,
        label: impl AsRef<str>,
    ) -> Self {
        let choice = Self::new(channel, account, from, MessageKind::Choice);
        Self { text: label.as_ref().into(), payload: Some(payload.as_ref().into()), ..choice }
    }

    /// A medium: what flows read as `reply.media`, such as `{"url": …, "mime": …}`;
    /// [`caption`](Self::caption) gives its text.
    pub fn media(
        channel: Channel,
        account: impl Into<String>,
        from: impl Into<String>,
        media: Value,
    ) -> Self {
        Self::new(channel, account, from, MessageKind::Media).with_value(media)
    }

    /// A place: what flows read as `reply.location`, such as `{"latitude": …, "longitude": …}`.
    pub fn location(
        channel: Channel,
        account: impl Into<String>,
        from: impl Into<String>,
        location: Value,
    ) -> Self {
        Self::new(channel, account, from, MessageKind::Location).with_value(location)
    }

    /// A form that was filled in: what flows read as `reply.form`. `token` is the one that the
    /// message with the form carried: one of an earlier question is stale
    /// ([SEMANTICS I9](crate::semantics#i9)), and an empty one names none.
    pub fn form(
        channel: Channel,
        account: impl Into<String>,
        from: impl Into<String>,
        token: impl AsRef<str>,
        answers: Value,
    ) -> Self {
        let token = Some(token.as_ref()).filter(|token| !token.is_empty()).map(Into::into);
        Self { payload: token, ..Self::new(channel, account, from, MessageKind::Form).with_value(answers) }
    }

    /// An order: the contents of a cart, which flows read as `reply.order`.
    pub fn order(
        channel: Channel,
        account: impl Into<String>,
        from: impl Into<String>,
        order: Value,
    ) -> Self {
        Self::new(channel, account, from, MessageKind::Order).with_value(order)
    }

    /// Cards of contacts: what flows read as `reply.contacts`.
    pub fn contacts(
        channel: Channel,
        account: impl Into<String>,
        from: impl Into<String>,
        contacts: Value,
    ) -> Self {
        Self::new(channel, account, from, MessageKind::Contacts).with_value(contacts)
    }

    /// A sign on a message that was sent before, such as an emoji. It answers no question and
    /// starts no flow ([SEMANTICS I14](crate::semantics#i14)).
    pub fn reaction(
        channel: Channel,
        account: impl Into<String>,
        from: impl Into<String>,
        reaction: Value,
    ) -> Self {
        Self::new(channel, account, from, MessageKind::Reaction).with_value(reaction)
    }

    /// Anything else that a channel has. It answers only a wait that names `other` among what it
    /// accepts, and flows read it as `reply.body` ([SEMANTICS I14](crate::semantics#i14)).
    pub fn other(channel: Channel, account: impl Into<String>, from: impl Into<String>, body: Value) -> Self {
        Self::new(channel, account, from, MessageKind::Other).with_value(body)
    }

    /// Further facts, such as the advertisement that it came by or that it was
    /// forwarded: what flows read as `reply.meta` and `trigger.meta`.
    pub fn meta(mut self, meta: Value) -> Self {
        self.parts.get_or_insert_default().meta = Some(meta);
        self
    }

    /// The text beside a medium or a place.
    pub fn caption(mut self, text: impl AsRef<str>) -> Self {
        self.text = text.as_ref().into();
        self
    }

    /// The channel's id of the message: a redelivery changes nothing. Without an id nothing is
    /// recognised ([SEMANTICS I2](crate::semantics#i2)).
    pub fn id(mut self, id: impl AsRef<str>) -> Self {
        self.id = Some(id.as_ref().into());
        self
    }

    /// The host's id of the contact; the address is linked to it
    /// ([SEMANTICS T2](crate::semantics#t2)).
    pub fn contact_id(mut self, id: impl Into<String>) -> Self {
        self.contact_id = Some(id.into());
        self
    }

    /// Another address of the same person that came with the message, such as the telephone number
    /// beside a business-scoped id: both lead to one contact from now on. At most 8; call it once
    /// for each. Two contacts that the engine made from one address each are merged
    /// ([SEMANTICS A4](crate::semantics#a4)).
    pub fn also(mut self, address: Address) -> Self {
        self.also.push(OtherAddress::Read(address));
        self
    }

    /// The same as the channel writes it, such as the number in a webhook: read as the sender's is,
    /// on the same channel and account. What cannot be read, or is beyond 8, is left out, and the
    /// event [`AddressLeftOut`](crate::observer::EventKind::AddressLeftOut) says so; the message is
    /// taken all the same.
    pub fn also_written(mut self, address: impl Into<String>) -> Self {
        self.also.push(OtherAddress::Written(address.into()));
        self
    }

    /// When the channel says it was sent ([SEMANTICS I12](crate::semantics#i12)).
    pub fn timestamp(mut self, at: DateTime<Utc>) -> Self {
        self.timestamp = Some(at);
        self
    }

    /// Facts that the channel knows of the contact.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = Some(Box::new(profile));
        self
    }

    /// The message within these limits, which are those of the engine: for a host that would rather
    /// lose the end of a long text than all of it, since an engine refuses what is too large. The
    /// text is cut at a character's boundary. What the kind has, such as the cards of
    /// [`contacts`](Self::contacts), is not cut: where it is too large, the message becomes another
    /// one ([`other`](Self::other)) whose body names the kind it had. Where anything is missing,
    /// `reply.meta.cut` is true ([SEMANTICS S7](crate::semantics#s7)).
    ///
    /// ```
    /// use chatflow::limits::Limits;
    /// use chatflow::{Channel, Inbound};
    ///
    /// let limits = Limits::default();
    /// let letter = Inbound::text(Channel::WhatsApp, "+15550100", "+14155550123", "x".repeat(65_536));
    /// let message = letter.cut_to(&limits).to_json();
    /// assert_eq!(message["text"].as_str().map(str::len), Some(limits.text_bytes));
    /// assert_eq!(message["meta"]["cut"], true);
    /// ```
    pub fn cut_to(mut self, limits: &Limits) -> Self {
        let is_large = |value: &Value| Packed::from_json(value, &PackLimits::of(limits)).is_err();
        let most = limits.text_bytes.min(self.text.len());
        let kept = (0..=most).rev().find_map(|end| self.text.get(..end)).unwrap_or_default();
        let mut is_cut = kept.len() < self.text.len();
        if is_cut {
            self.text = kept.into();
        }
        if self.parts().0.is_some_and(is_large) {
            let body = json!({"kind": self.kind.as_str()});
            (self.kind, self.payload, is_cut) = (MessageKind::Other, None, true);
            self = self.with_value(body);
        }
        let of_host = self.parts().1;
        if !is_cut && !of_host.is_some_and(is_large) {
            return self;
        }
        let mut facts = of_host.and_then(Value::as_object).cloned().unwrap_or_default();
        facts.insert("cut".to_owned(), true.into());
        let facts = Some(Value::from(facts)).filter(|facts| !is_large(facts));
        self.meta(facts.unwrap_or_else(|| json!({"cut": true})))
    }

    /// The message as JSON, for a host that keeps what a contact writes to a person
    /// ([`Received::Handoff`](crate::Received::Handoff)): `channel`, `account`, `from`, `kind`, and
    /// where they are there `id`, `at`, `text`, `payload`, `meta` and what the kind has, under the
    /// name by which flows read it (`media`, `location`, `form`, `order`, `contacts`, else `body`).
    ///
    /// ```
    /// use chatflow::{Channel, Inbound};
    /// use serde_json::json;
    ///
    /// let photo = json!({"url": "https://shop.example/1.jpg"});
    /// let message = Inbound::media(Channel::WhatsApp, "+15550100", "+14155550123", photo).id("wamid.1");
    /// assert_eq!(message.to_json()["media"]["url"], "https://shop.example/1.jpg");
    /// ```
    #[must_use]
    pub fn to_json(&self) -> Value {
        let (value, meta) = self.parts();
        let part = match self.kind {
            MessageKind::Text | MessageKind::Choice => "value",
            MessageKind::Media => "media",
            MessageKind::Location => "location",
            MessageKind::Form => "form",
            MessageKind::Order => "order",
            MessageKind::Contacts => "contacts",
            MessageKind::Reaction | MessageKind::Other => "body",
        };
        let text = Some(&self.text).filter(|text| !text.is_empty());
        let fields = [
            ("channel", Some(self.channel.to_string().into())),
            ("account", Some(self.account.as_str().into())),
            ("from", Some(self.from.as_str().into())),
            ("id", self.id.as_deref().map(Value::from)),
            ("at", self.timestamp.map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true).into())),
            ("kind", Some(self.kind.as_str().into())),
            ("text", text.map(|text| (**text).into())),
            ("payload", self.payload.as_deref().map(Value::from)),
            (part, value.cloned()),
            ("meta", meta.cloned()),
        ];
        let there = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(there.collect())
    }

    /// The value of a message that is no text, and the host's words on it.
    pub(crate) fn parts(&self) -> (Option<&Value>, Option<&Value>) {
        let parts = self.parts.as_deref();
        (parts.and_then(|parts| parts.value.as_ref()), parts.and_then(|parts| parts.meta.as_ref()))
    }

    pub(crate) fn check(self, limits: &Limits) -> Result<CheckedInbound, Error> {
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
        check_instant("timestamp", self.timestamp)?;
        check_profile(self.profile.as_deref(), limits)?;
        let said = (self.kind, self.text, self.payload);
        let message = message(said, self.parts, (self.id, self.timestamp), limits)?;
        if self.also.iter().filter(|beside| matches!(beside, OtherAddress::Read(_))).count() > MOST_ALSO {
            return Err(Error::invalid("also", format_args!("must be at most {MOST_ALSO} addresses")));
        }
        let (also, left_out) = read_beside(self.also, account);
        let Self { channel, account, timestamp, profile, .. } = self;
        Ok(CheckedInbound { channel, account, address, also, left_out, contact, message, timestamp, profile })
    }
}

/// The message that was said, with what came beside it.
fn message(
    (kind, text, payload): (MessageKind, Arc<str>, Option<Arc<str>>),
    parts: Option<Box<InboundParts>>,
    (id, at): (Option<Arc<str>>, Option<DateTime<Utc>>),
    limits: &Limits,
) -> Result<Message, Error> {
    if text.len() > limits.text_bytes {
        let rule = format_args!("must have at most {} bytes", limits.text_bytes);
        return Err(Error::invalid("text", rule));
    }
    if let Some(payload) = &payload {
        check_payload(payload)?;
    }
    let pack = |field: &'static str, value: Option<Value>| {
        let packed = value.map(|value| Packed::from_json(&value, &PackLimits::of(limits)));
        packed.transpose().map_err(|error| bad_value(field, &error))
    };
    let InboundParts { mut value, meta } = parts.map(|parts| *parts).unwrap_or_default();
    // Of an album each medium keeps its own words.
    if kind == MessageKind::Media
        && let Some(Value::Object(medium)) = &mut value
        && !text.trim().is_empty()
        && !medium.contains_key("caption")
    {
        medium.insert("caption".to_owned(), Value::String(text.as_ref().to_owned()));
    }
    let value = pack(kind.as_str(), value)?;
    let meta = pack("meta", meta)?;
    let (media, location, body) = match kind {
        MessageKind::Media => (value, None, None),
        MessageKind::Location => (None, value, None),
        _ => (None, None, value),
    };
    let has_details = at.is_some() || meta.is_some() || body.is_some();
    let details = has_details.then(|| Arc::new(MessageDetails { at, meta, body, album: Vec::new() }));
    Ok(Message { kind, text, payload, media, location, id, details })
}

/// Those that can be read, and how many others there are.
fn read_beside(beside: Vec<OtherAddress>, account: AccountRef<'_>) -> (Vec<Address>, Option<NonZeroU8>) {
    let given = beside.len();
    let read = beside.into_iter().filter_map(|beside| match beside {
        OtherAddress::Read(address) => Some(address),
        OtherAddress::Written(text) => Address::on(account, &text).ok(),
    });
    let also: Vec<Address> = read.take(MOST_ALSO).collect();
    let left_out = u8::try_from(given - also.len()).unwrap_or(u8::MAX);
    (also, NonZeroU8::new(left_out))
}

/// An inbound message whose form is right.
pub(crate) struct CheckedInbound {
    pub(crate) channel: Channel,
    pub(crate) account: String,
    pub(crate) address: Address,
    /// Other addresses of the same person.
    pub(crate) also: Vec<Address>,
    /// The number of others that could not be read.
    pub(crate) left_out: Option<NonZeroU8>,
    pub(crate) contact: Option<ContactId>,
    pub(crate) message: Message,
    pub(crate) timestamp: Option<DateTime<Utc>>,
    pub(crate) profile: Option<Box<Profile>>,
}

/// A payload of any channel: not empty, without control characters but line breaks and tabs.
fn check_payload(payload: &str) -> Result<(), Error> {
    let is_bad = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    let rule = match payload {
        "" => "must not be empty".to_owned(),
        _ if payload.len() > MOST_PAYLOAD && payload.chars().count() > MOST_PAYLOAD => {
            format!("must have at most {MOST_PAYLOAD} characters")
        }
        _ if payload.chars().any(is_bad) => "must not contain control characters but line breaks".to_owned(),
        _ => return Ok(()),
    };
    Err(Error::invalid("payload", rule))
}
