//! The news of a webhook, one thing after another. A part that is wrong is kept as it is, and hides
//! none of its neighbours.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::address::{Account, Address};
use crate::channel::Channel;
use crate::id::MessageId;
use crate::request::Inbound;
use crate::session::DeliveryReport;
use crate::wire::read_webhook;
use crate::wire::whatsapp::message::CloudMessage;
use crate::wire::whatsapp::webhook::{CloudContact, CloudIdUpdate, CloudMetadata, CloudStatus};
use crate::wire::whatsapp::{inbound, relink};

/// A piece of news from a webhook.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AccountEvent {
    /// The host's account that it is about, by which a host finds the workspace; None where the
    /// webhook names none.
    pub account: Option<Account>,
    /// The news.
    pub event: WhatsAppEvent,
}

/// A piece of news, by what is to be done with it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum WhatsAppEvent {
    /// A message of a contact, for [`Engine::receive`](crate::Engine::receive). People may write
    /// more than an engine takes, which [`Inbound::cut_to`] cuts.
    Inbound(Box<Inbound>),
    /// News of a message that this crate sent, for [`Engine::report`](crate::Engine::report).
    Report {
        /// The message.
        message: MessageId,
        /// The news.
        report: DeliveryReport,
        /// The same as the channel tells it, with its errors and its price.
        status: Box<CloudStatus>,
    },
    /// An address that changed, for [`Engine::relink`](crate::Engine::relink).
    Relink {
        /// The address as it was.
        old: Address,
        /// The address as it is now.
        new: Address,
    },
    /// A status with nothing to report: that a message was sent, or one of a message
    /// that this crate did not send.
    Status(Box<CloudStatus>),
    /// Anything else, as it came.
    Unknown {
        /// The field of the webhook that it came in, such as `account_update`; `entry` or `changes`
        /// for what is not even that.
        field: String,
        /// The value.
        value: Value,
    },
}

/// A body that is no webhook of WhatsApp.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {rule}")]
pub struct InvalidWebhook {
    /// The field that breaks a rule, or `body`.
    pub field: &'static str,
    /// The rule that it breaks.
    pub rule: String,
}

/// Reads webhooks. By default an account goes by its `phone_number_id`, which a message is sent by,
/// too; a flow names it so: `{"channel": "whatsapp", "account": "106540352242922"}`.
#[derive(Clone, Copy, Debug, Default)]
pub struct WebhookReader {
    by_number: bool,
}

impl WebhookReader {
    /// Accounts go by their telephone numbers, as in `+15550100`.
    #[must_use]
    pub fn by_number(self) -> Self {
        Self { by_number: true }
    }

    /// Reads the body of a webhook, as [`read_webhook`] does: everything that it says, in its
    /// order. Messages of groups are not known, since what a flow says is for one person.
    ///
    /// ```
    /// use chatflow::wire::whatsapp::{WebhookReader, WhatsAppEvent};
    /// # let bot = chatflow::Engine::builder(chatflow::MemoryStore::new()).build();
    /// # pollster::block_on(async {
    /// # let body = br#"{"object": "whatsapp_business_account", "entry": []}"#;
    /// for news in WebhookReader::default().read(body)? {
    ///     let done = match news.event {
    ///         WhatsAppEvent::Inbound(message) => bot.receive(*message).await.map(drop),
    ///         WhatsAppEvent::Report { message, report, .. } => bot.report(message, report).await.map(drop),
    ///         WhatsAppEvent::Relink { old, new } => bot.relink(&old, &new).await,
    ///         _ => Ok(()),
    ///     };
    ///     match done {
    ///         // Answered with 503, the webhook comes again.
    ///         Err(error) if error.is_retryable() => return Err(error.into()),
    ///         Err(error) => println!("left out: {error}"),
    ///         Ok(()) => {}
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`InvalidWebhook`] for a body that is no webhook of WhatsApp: it will never be one, so there
    /// is no use in having it sent again.
    pub fn read(self, body: &[u8]) -> Result<Vec<AccountEvent>, InvalidWebhook> {
        let bad = |field, rule: &str| InvalidWebhook { field, rule: rule.to_owned() };
        let body = read_webhook(body)
            .map_err(|error| InvalidWebhook { field: "body", rule: format!("must be JSON: {error}") })?;
        let Value::Object(mut body) = body else { return Err(bad("body", "must be a JSON object")) };
        if body.get("object").and_then(Value::as_str) != Some("whatsapp_business_account") {
            return Err(bad("object", "must be `whatsapp_business_account`"));
        }
        let Some(Value::Array(entries)) = body.remove("entry") else {
            return Err(bad("entry", "must be an array"));
        };
        let mut reading = Reading { reader: self, account: None, news: Vec::new() };
        entries.into_iter().for_each(|entry| reading.entry(entry));
        Ok(reading.news)
    }
}

/// A webhook that is being read.
struct Reading {
    reader: WebhookReader,
    /// The account of the change that is being read.
    account: Option<Account>,
    news: Vec<AccountEvent>,
}

impl Reading {
    fn tell(&mut self, event: WhatsAppEvent) {
        self.news.push(AccountEvent { account: self.account.clone(), event });
    }

    fn keep(&mut self, field: &str, value: Value) {
        self.tell(WhatsAppEvent::Unknown { field: field.to_owned(), value });
    }

    fn entry(&mut self, mut entry: Value) {
        self.account = None;
        match entry.get_mut("changes").map(Value::take) {
            Some(Value::Array(changes)) => changes.into_iter().for_each(|change| self.change(change)),
            Some(changes) => self.keep("changes", changes),
            None => self.keep("entry", entry),
        }
    }

    fn change(&mut self, mut change: Value) {
        self.account = None;
        let field = change.get("field").and_then(Value::as_str).unwrap_or_default().to_owned();
        let value = match change.get_mut("value").map(Value::take) {
            Some(Value::Object(value)) if !field.is_empty() => value,
            Some(value) if !field.is_empty() => return self.keep(&field, value),
            Some(value) => {
                if let Value::Object(change) = &mut change {
                    change.insert("value".to_owned(), value);
                }
                return self.keep("changes", change);
            }
            None => return self.keep("changes", change),
        };
        self.value(&field, value);
    }

    fn value(&mut self, field: &str, mut value: Map<String, Value>) {
        self.account = value.get("metadata").and_then(|metadata| self.account_of(metadata));
        if field == "messages" || field == "user_id_update" {
            let people = People::of(value.get("contacts"));
            for message in taken(&mut value, "messages") {
                self.message(field, message, &people);
            }
            for status in taken(&mut value, "statuses") {
                self.status(field, status);
            }
            for update in taken(&mut value, "user_id_update") {
                self.update(field, update);
            }
            let is_known = |name: &String| ["messaging_product", "metadata", "contacts"].contains(&&**name);
            if value.keys().all(is_known) {
                return;
            }
        }
        self.keep(field, value.into());
    }

    fn account_of(&self, metadata: &Value) -> Option<Account> {
        let metadata = CloudMetadata::deserialize(metadata).ok()?;
        let name = match self.reader.by_number {
            false => metadata.phone_number_id?,
            true => {
                let number = metadata.display_phone_number?;
                let digits: String = number.chars().filter(char::is_ascii_digit).collect();
                if digits.is_empty() {
                    return None;
                }
                format!("+{digits}")
            }
        };
        Account::new(Channel::WhatsApp, name).ok()
    }

    fn message(&mut self, field: &str, mut raw: Value, people: &People) {
        let (message, odd) = read_or_without::<CloudMessage>(&mut raw, &["context", "referral", "errors"]);
        let (Some(message), Some(account)) = (message, self.account.clone()) else {
            return self.keep(field, raw);
        };
        if let Some(odd) = odd {
            self.keep(field, odd);
        }
        if message.group_id.is_some() {
            return self.keep(field, raw);
        }
        if message.system.is_some() || message.kind == "system" {
            let changes = relink::of_system(&message, &account);
            if changes.is_empty() {
                self.keep(field, raw);
            }
            return changes.into_iter().for_each(|(old, new)| self.tell(WhatsAppEvent::Relink { old, new }));
        }
        let sender = people.sender_of(&message, &account);
        match inbound::inbound(message, raw.clone(), sender, &account) {
            Some(inbound) => self.tell(WhatsAppEvent::Inbound(Box::new(inbound))),
            None => self.keep(field, raw),
        }
    }

    fn status(&mut self, field: &str, mut raw: Value) {
        let (status, odd) = read_or_without::<CloudStatus>(&mut raw, &["conversation", "pricing", "errors"]);
        let Some(status) = status.filter(|status| !status.status.is_empty()) else {
            return self.keep(field, raw);
        };
        let message = status.biz_opaque_callback_data.as_deref().and_then(|id| id.parse().ok());
        let status = Box::new(status);
        self.tell(match (message, report(&status)) {
            (Some(message), Some(report)) => WhatsAppEvent::Report { message, report, status },
            _ => WhatsAppEvent::Status(status),
        });
        if let Some(odd) = odd {
            self.keep(field, odd);
        }
    }

    fn update(&mut self, field: &str, raw: Value) {
        let changes = match (CloudIdUpdate::deserialize(&raw), &self.account) {
            (Ok(update), Some(account)) => relink::of_update(&update, account),
            _ => Vec::new(),
        };
        if changes.is_empty() {
            self.keep(field, raw);
        }
        changes.into_iter().for_each(|(old, new)| self.tell(WhatsAppEvent::Relink { old, new }));
    }
}

/// The items of a list; what is none stays where it is.
fn taken(value: &mut Map<String, Value>, name: &str) -> Vec<Value> {
    match value.get_mut(name) {
        Some(Value::Array(items)) => {
            let items = std::mem::take(items);
            value.remove(name);
            items
        }
        _ => Vec::new(),
    }
}

/// Reads a value; if it cannot be read, without facts that nothing hangs on. These are answered,
/// too.
fn read_or_without<T: DeserializeOwned>(raw: &mut Value, beside: &[&str]) -> (Option<T>, Option<Value>) {
    if let Ok(read) = T::deserialize(&*raw) {
        return (Some(read), None);
    }
    let mut less = raw.clone();
    let Value::Object(fields) = &mut less else { return (None, None) };
    let odd: Map<String, Value> = beside.iter().filter_map(|name| fields.remove_entry(*name)).collect();
    match T::deserialize(&less) {
        Ok(read) => {
            *raw = less;
            (Some(read), Some(odd.into()))
        }
        Err(_) => (None, None),
    }
}

/// The code of the API for a message outside the window.
const WINDOW_CLOSED: i64 = 131_047;

/// The report that a status is. None: there is none, such as for `sent`.
fn report(status: &CloudStatus) -> Option<DeliveryReport> {
    match &*status.status {
        "delivered" => Some(DeliveryReport::Delivered),
        "read" | "played" => Some(DeliveryReport::Read),
        "failed" => Some(match status.errors.first().map(|error| error.code) {
            Some(WINDOW_CLOSED) => DeliveryReport::WindowClosed,
            Some(code) => DeliveryReport::Failed { code: code.to_string() },
            None => DeliveryReport::Failed { code: "failed".to_owned() },
        }),
        _ => None,
    }
}

/// The people that a change names, by each of their ids.
struct People {
    all: Vec<CloudContact>,
    places: BTreeMap<String, usize>,
}

impl People {
    fn of(contacts: Option<&Value>) -> Self {
        let contacts = contacts.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let all: Vec<_> =
            contacts.iter().filter_map(|contact| CloudContact::deserialize(contact).ok()).collect();
        let mut places = BTreeMap::new();
        for (place, contact) in all.iter().enumerate() {
            for id in [&contact.wa_id, &contact.user_id, &contact.parent_user_id].into_iter().flatten() {
                places.entry(id.clone()).or_insert(place);
            }
        }
        Self { all, places }
    }

    /// The person who sent a message, by an id or by the other form of the number.
    fn sender_of(&self, message: &CloudMessage, account: &Account) -> Option<&CloudContact> {
        let ids = [&message.from_user_id, &message.from, &message.from_parent_user_id];
        let by_id = ids.into_iter().flatten().find_map(|id| self.places.get(id));
        let by_form = || {
            let address = Address::new(account, message.from.as_deref()?).ok()?;
            let mut forms = address.forms().map(|form| form.to_string());
            forms.find_map(|form| self.places.get(form.trim_start_matches('+')))
        };
        self.all.get(*by_id.or_else(by_form)?)
    }
}
