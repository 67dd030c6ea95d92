//! The ground of the engines of a crowd: a store that takes its time and a channel with bad
//! numbers. Each may be told to break one promise.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chatflow::session::{Conversation, encode_conversation};
use chatflow::store::{
    Commit, Committed, ConversationStore, Due, Erase, Leased, Live, Loaded, Lookup, Purge, Purged, Record,
    Removed, Settle, Settled, Subject,
};
use chatflow::{
    Address, ContactId, Engine, Inbound, MemoryStore, MessageId, Outbound, Receipt, SendError, StoreError,
    Transport,
};
use chrono::{DateTime, TimeDelta, Utc};
use pollster::block_on;

use super::super::dice::Dice;
use super::super::store::forgetful;
use super::time::Time;
use super::{Plant, Troubles};
use crate::scenarios::SHOP;

/// Numbers on which each send takes ten seconds.
pub(super) const SLOW: &str = "+1415556";
/// Numbers on which no send ever ends.
pub(super) const HANGS: &str = "+1415557";
/// Numbers on which each send panics.
pub(super) const PANICS: &str = "+1415558";
/// Numbers on which each send ends the process.
pub(super) const DIES: &str = "+1415554";
/// Numbers that nobody knows.
pub(super) const STRANGE: &str = "+1415559";

/// The store of a crowd.
#[derive(Clone)]
pub(super) struct TownStore {
    pub(super) memory: Arc<MemoryStore>,
    pub(super) time: Time,
    pub(super) dice: Dice,
    pub(super) troubles: Troubles,
    pub(super) plant: Option<Plant>,
    /// The number of claims of each since it was last written.
    pub(super) claims: Arc<Mutex<HashMap<ContactId, u32>>>,
    pub(super) healed: Arc<Mutex<bool>>,
    /// True if the last operation failed: faults come together.
    pub(super) fails: Arc<AtomicBool>,
}

impl TownStore {
    fn is(&self, plant: Plant) -> bool {
        self.plant == Some(plant)
    }

    async fn run<T>(&self, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        self.time.millis(1 + self.dice.below(3) as u64).await;
        let chance = if self.fails.load(Ordering::Relaxed) { 2 } else { 12 };
        let fails = self.troubles.faults && !*self.healed.lock().unwrap() && self.dice.one_in(chance);
        self.fails.store(fails, Ordering::Relaxed);
        if !fails {
            return work.await;
        }
        let unknown = || match self.is(Plant::CallsUnknownTransient) {
            true => StoreError::transient("lost by the dice"),
            false => StoreError::unknown("lost by the dice"),
        };
        match self.dice.below(3) {
            0 => Err(StoreError::transient("refused by the dice")),
            1 => Err(unknown()),
            _ => {
                work.await?;
                Err(unknown())
            }
        }
    }

    /// Writes a contact down for the one who is looked up.
    fn keep(&self, lookup: &Lookup) {
        let Subject::Alias(chatflow::address::Alias::Address(Address::Phone(phone))) = &lookup.subject else {
            return;
        };
        let engine = Engine::builder(Arc::clone(&self.memory)).clock(self.time.clock.clone()).build();
        let inbound = Inbound::text(chatflow::Channel::WhatsApp, SHOP, phone.to_string(), "stop");
        let _ = block_on(engine.receive(inbound));
    }
}

impl ConversationStore for TownStore {
    async fn load(&self, lookup: &Lookup) -> Result<Loaded, StoreError> {
        let loaded = self.run(self.memory.load(lookup)).await?;
        if self.is(Plant::KeepsStrangers) && loaded.conversation.is_none() {
            self.keep(lookup);
        }
        Ok(loaded)
    }

    async fn commit(&self, mut commit: Commit) -> Result<Committed, StoreError> {
        if self.is(Plant::AlwaysConflicts) && commit.expect.is_some() && !*self.healed.lock().unwrap() {
            self.time.millis(1).await;
            return Ok(Committed::Conflict);
        }
        if self.is(Plant::ForgetsMessages) {
            commit.record = forgetful(&commit.record.conversation().expect("readable"));
        }
        if self.is(Plant::ForgetsTexts) || self.is(Plant::CutsFlows) {
            commit.record = without_digests(&commit.record);
        }
        self.claims.lock().unwrap().remove(&commit.contact);
        self.run(self.memory.commit(commit)).await
    }

    async fn settle(&self, settle: &Settle) -> Result<Settled, StoreError> {
        let mut settle = settle.clone();
        if self.is(Plant::IgnoresQuarantine) && settle.quarantine {
            settle.quarantine = false;
            settle.due_at = Some(settle.now + TimeDelta::seconds(1));
        }
        if settle.due_at != Some(settle.now) {
            self.claims.lock().unwrap().remove(&settle.contact);
        }
        self.run(self.memory.settle(&settle)).await
    }

    async fn lease_due(&self, due: &Due) -> Result<Leased, StoreError> {
        let mut leased = self.run(self.memory.lease_due(due)).await?;
        let mut counts = self.claims.lock().unwrap();
        for claimed in &leased.conversations {
            *counts.entry(claimed.stored.contact.clone()).or_default() += 1;
        }
        if self.is(Plant::CountsForAll) {
            let all = counts.values().sum();
            leased.conversations.iter_mut().for_each(|claimed| claimed.claims = all);
        }
        drop(counts);
        Ok(leased)
    }

    async fn live(&self, live: &Live) -> Result<u64, StoreError> {
        self.run(self.memory.live(live)).await
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        self.run(self.memory.purge(purge)).await
    }

    async fn erase(&self, erase: &Erase) -> Result<Option<Removed>, StoreError> {
        self.run(self.memory.erase(erase)).await
    }
}

/// The conversation without what tells the text of a version from another under the same number.
fn without_digests(record: &Record) -> Record {
    let conversation = record.conversation().expect("readable");
    let mut json = serde_json::to_value(&*conversation).expect("it has a form");
    remove_digests(&mut json);
    let changed: Conversation = serde_json::from_value(json).expect("still one");
    Record::from_bytes(encode_conversation(&changed).expect("it has a form"))
}

fn remove_digests(json: &mut serde_json::Value) {
    match json {
        serde_json::Value::Object(fields) => {
            fields.retain(|name, _| !name.ends_with("digest"));
            fields.values_mut().for_each(remove_digests);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(remove_digests),
        _ => {}
    }
}

/// The conversation with some of its numbers beyond all measure, or cut in the middle.
pub(super) fn damaged(record: &Record, dice: &Dice) -> Record {
    let conversation = record.conversation().expect("readable");
    if dice.one_in(4) {
        let bytes = encode_conversation(&conversation).expect("it has a form");
        return Record::from_bytes(bytes[..bytes.len() - 1 - dice.below(20)].to_vec());
    }
    let mut json = serde_json::to_value(&*conversation).expect("it has a form");
    distort(&mut json, dice);
    let body = serde_json::to_vec(&json).expect("JSON");
    let mut hasher = siphasher::sip::SipHasher13::new();
    std::hash::Hasher::write(&mut hasher, &body);
    let sum = std::hash::Hasher::finish(&hasher).to_le_bytes();
    // Format 1, whose body is JSON.
    Record::from_bytes([&b"cflw\x01\x00"[..], &sum, &body].concat())
}

/// Replaces numbers and instants.
fn distort(json: &mut serde_json::Value, dice: &Dice) {
    const NUMBERS: [i64; 4] = [i64::MAX, i64::MIN, u32::MAX as i64, -1];
    const INSTANTS: [&str; 3] =
        ["9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00Z", "+262142-12-31T23:59:59.999Z"];
    match json {
        serde_json::Value::Number(number) if dice.one_in(6) => {
            *number = NUMBERS[dice.below(NUMBERS.len())].into();
        }
        serde_json::Value::String(text) if dice.one_in(6) && DateTime::parse_from_rfc3339(text).is_ok() => {
            *text = INSTANTS[dice.below(INSTANTS.len())].to_owned();
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| distort(item, dice)),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(|field| distort(field, dice)),
        _ => {}
    }
}

/// The messages that a channel saw.
#[derive(Default)]
pub(super) struct Seen {
    /// Each message: its number, its text, how late it was first handed over.
    pub(super) first: HashMap<MessageId, (String, String, TimeDelta)>,
    pub(super) accepted: HashSet<MessageId>,
    /// When each attempt began.
    pub(super) at: Vec<DateTime<Utc>>,
}

/// The channel of a crowd.
#[derive(Clone)]
pub(super) struct TownWire {
    pub(super) time: Time,
    pub(super) seen: Arc<Mutex<Seen>>,
    pub(super) plant: Option<Plant>,
    /// Until when somebody has the only line, where there is one line.
    pub(super) line: Arc<Mutex<Option<DateTime<Utc>>>>,
    /// True if a send has ended the process that began it.
    pub(super) has_died: Arc<AtomicBool>,
}

impl Transport for TownWire {
    async fn send(&self, message: &Outbound) -> Result<Receipt, SendError> {
        let Address::Phone(phone) = &message.route.to else { panic!("all are telephones") };
        let phone = phone.to_string();
        let takes = if phone.starts_with(SLOW) { 10_000 } else { 300 };
        if self.plant == Some(Plant::HasOneLine) {
            let free = {
                let mut line = self.line.lock().unwrap();
                let from = line.map_or(self.time.now(), |until| until.max(self.time.now()));
                *line = Some(from + TimeDelta::milliseconds(takes as i64));
                from - self.time.now()
            };
            self.time.sleep(free.to_std().unwrap_or(Duration::ZERO)).await;
        }
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            let late = self.time.now() - message.created_at;
            seen.at.push(self.time.now());
            seen.first.entry(message.id).or_insert_with(|| (phone.clone(), message.text().to_owned(), late));
        }
        if phone.starts_with(DIES) {
            self.has_died.store(true, Ordering::SeqCst);
        }
        if phone.starts_with(HANGS) || phone.starts_with(DIES) {
            std::future::pending::<()>().await;
        }
        assert!(!phone.starts_with(PANICS), "a transport that panics");
        self.time.millis(takes).await;
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).accepted.insert(message.id);
        Ok(Receipt::new())
    }
}
