//! The inputs of a conversation of the abandoned cart, and a transport that counts its
//! outputs.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chatflow::{Outbound, Receipt, SendError, Transport};
use serde_json::{Value, json};

pub(crate) const FLOW: &str = include_str!("../../examples/flows/abandoned_cart.json");
pub(crate) const ACCOUNT: &str = "+15550100";

/// The inputs of one conversation, as a host has them in hand: made before the clock runs, given
/// away to the code that is measured.
pub(crate) struct Script {
    pub(crate) phone: [String; 3],
    pub(crate) context: Value,
    pub(crate) key: String,
    pub(crate) ids: [String; 2],
    pub(crate) texts: [String; 2],
}

pub(crate) fn script(contact: u64) -> Script {
    let phone = format!("+1415{contact:08}");
    Script {
        context: json!({"first_name": "Ada", "cart_id": (987_654_321 + contact).to_string(), "cart_total": "129.00"}),
        key: format!("{contact:08x}-5f0d-4c8a-8f41-e949c2a7580e"),
        ids: [format!("wamid.{contact}.1"), format!("wamid.{contact}.2")],
        texts: ["hello".to_owned(), "1".to_owned()],
        phone: [phone.clone(), phone.clone(), phone],
    }
}

pub(crate) fn scripts(contacts: Range<u64>) -> Vec<Script> {
    contacts.map(script).collect()
}

/// Counts what is sent: messages, and a sum of their texts that a wrong text would change.
#[derive(Default)]
pub(crate) struct Counter {
    messages: AtomicU64,
    sum: AtomicU64,
}

impl Counter {
    pub(crate) fn take(&self, text: &str) {
        self.messages.fetch_add(1, Ordering::Relaxed);
        let sum = text
            .bytes()
            .fold(text.len() as u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        self.sum.fetch_add(sum, Ordering::Relaxed);
    }

    pub(crate) fn total(&self) -> (u64, u64) {
        (self.messages.load(Ordering::Relaxed), self.sum.load(Ordering::Relaxed))
    }
}

/// The number of messages to these contacts, and of their bytes.
pub(crate) fn said(contacts: Range<u64>) -> (u64, u64) {
    let counter = Counter::default();
    for contact in contacts {
        let cart = 987_654_321 + contact;
        counter.take(&format!(
            "Hi Ada, your cart {cart} totals 129.00. Reply 1 to check out or 2 for an agent."
        ));
        counter.take("Sorry, please answer 1 or 2.");
        counter.take(&format!("Checkout: https://shop.example/c/{cart}"));
    }
    counter.total()
}

pub(crate) struct Sink(pub(crate) Arc<Counter>);

impl Transport for Sink {
    async fn send(&self, message: &Outbound) -> Result<Receipt, SendError> {
        self.0.take(message.text());
        Ok(Receipt::new())
    }
}
