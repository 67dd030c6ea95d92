//! The abandoned cart by hand again, with what the contract promises: a trigger's key and its
//! fingerprint (T5), one live session (T6), opting out (T10), remembered ids of messages (I2),
//! keywords (I6), TTL and deadline (S1, S2), a calendar of what is due, an outbox with a watermark
//! and a lease (D1, D3), ended sessions kept (S12), contacts found by number, by id and by session.
//! Locks are held in parts, none while a message is sent. The flow is code, and nothing may be
//! plugged in.

mod deliver;
mod keys;
mod receive;
mod record;
mod shard;

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use serde_json::Value;
use siphasher::sip128::{Hasher128, SipHasher13};

use self::keys::{KeyRecord, Keys};
pub(crate) use self::record::Verdict;
use self::record::{DAY, Inputs, Message, Place, Session, Slot, State};
use self::shard::Shard;
use crate::plain::millis;
use crate::script::{ACCOUNT, Counter, Script};

const SHARDS: usize = 8;
const TTL: i64 = 30 * 60_000;
const LONGEST_LIFE: i64 = 30 * DAY;
const LEASE: i64 = 60_000;
const KEY_KEPT: i64 = DAY;
const OLDEST_MESSAGE: i64 = DAY;
const SLACK: i64 = 60_000;
const MOST_TURNS: u32 = 500;
const MOST_CONTEXT: usize = 64 << 10;
const MOST_TEXT: usize = 16 << 10;
const VERSION: u32 = 1;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Refused {
    Invalid(&'static str),
    Conflict,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Began {
    pub(crate) session: u128,
    pub(crate) contact: u128,
    pub(crate) version: u32,
    pub(crate) replayed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Triggered {
    Started(Began),
    AlreadyRunning(Began),
    Discarded,
    OptedOut,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Received {
    First(Verdict),
    Duplicate(Verdict),
}

/// Each lock in cache lines of its own.
#[derive(Default)]
#[repr(align(128))]
struct Guarded<T>(Mutex<T>);

impl<T> Guarded<T> {
    fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a contact is kept, by an id.
type Index = [Guarded<HashTable<(u128, Home)>>; SHARDS];

#[derive(Clone, Copy)]
struct Home {
    shard: u32,
    slot: u32,
}

pub(crate) struct Lean {
    shards: [Guarded<Shard>; SHARDS],
    keys: [Guarded<Keys>; SHARDS],
    contacts: Index,
    sessions: Index,
    hasher: RandomState,
    seed: (u64, u64),
    minted: AtomicU64,
    tokens: AtomicU64,
    pub(crate) counter: Counter,
}

impl Default for Lean {
    fn default() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the hand-written host draws its own randomness")]
        let random = || std::hash::RandomState::new().hash_one(0);
        Self {
            shards: Default::default(),
            keys: Default::default(),
            contacts: Default::default(),
            sessions: Default::default(),
            hasher: RandomState::default(),
            seed: (random(), random()),
            minted: AtomicU64::new(0),
            tokens: AtomicU64::new(1),
            counter: Counter::default(),
        }
    }
}

/// A trigger, checked.
struct Request {
    phone: u64,
    key: String,
    inputs: Inputs,
    print: Print,
}

/// By what a trigger is known again.
#[derive(Clone, Copy)]
struct Print {
    key: u128,
    fingerprint: u128,
}

impl Print {
    fn record(self, began: &Began, started: bool, now: i64) -> KeyRecord {
        KeyRecord {
            hash: self.key,
            fingerprint: self.fingerprint,
            session: began.session,
            contact: began.contact,
            expires_at: now + KEY_KEPT,
            version: began.version,
            started,
        }
    }
}

impl Lean {
    pub(crate) fn begin(&self, Script { phone: [phone, ..], context, key, .. }: Script) {
        self.must_start(&phone, &context, key);
    }

    pub(crate) fn converse(&self, script: Script) {
        let Script {
            phone: [first, second, third],
            context,
            key,
            ids: [id, last_id],
            texts: [text, last_text],
        } = script;
        self.must_start(&first, &context, key);
        self.must_consume(&second, text, &id);
        self.must_consume(&third, last_text, &last_id);
    }

    pub(crate) fn must_start(&self, phone: &str, context: &Value, key: String) {
        match self.trigger(phone, context, key, None) {
            Ok(Triggered::Started(_)) => {}
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn must_consume(&self, phone: &str, text: String, id: &str) {
        match self.receive(phone, text, Some(id), None) {
            Ok(Received::First(Verdict::Consumed { .. })) => {}
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn trigger(
        &self,
        phone: &str,
        context: &Value,
        key: String,
        discard_at: Option<i64>,
    ) -> Result<Triggered, Refused> {
        let request = self.read(phone, context, key)?;
        let now = millis();
        let hash = self.hasher.hash_one(request.phone);
        let number = hash as usize % SHARDS;
        let mut shard = self.shards[number].lock();
        let print = request.print;
        let mut keys = self.keys[print.key as usize % SHARDS].lock();
        if let Some(known) = keys.find(print.key, now) {
            return replay(known, print);
        }
        if discard_at.is_some_and(|at| now >= at) {
            return Ok(Triggered::Discarded);
        }
        let found = shard.find(hash, request.phone);
        if let Some(place) = found {
            shard.apply_due(place, now, &self.hasher);
            let slot = &shard.slots[place as usize];
            if slot.opted_out_at != 0 {
                return Ok(Triggered::OptedOut);
            }
            if let Some(session) = &slot.session {
                let began = Began {
                    session: session.id,
                    contact: slot.contact,
                    version: session.version,
                    replayed: false,
                };
                keys.insert(print.record(&began, false, now));
                return Ok(Triggered::AlreadyRunning(began));
            }
        }
        let place = found.unwrap_or_else(|| {
            let contact = self.mint(now);
            let place = shard.add(hash, Slot::new(contact, request.phone, now), &self.hasher);
            self.index(&self.contacts, contact, number, place);
            place
        });
        let (began, message) = self.start(&mut shard, number, place, request, now);
        keys.insert(print.record(&began, true, now));
        drop(keys);
        let token = self.commit(&mut shard, place, now);
        drop(shard);
        self.deliver(number, place, token, &message);
        Ok(Triggered::Started(began))
    }

    /// Checks a request, takes its fingerprint over the whole context, and packs what is declared.
    fn read(&self, phone: &str, context: &Value, key: String) -> Result<Request, Refused> {
        let phone = read_phone(phone).ok_or(Refused::Invalid("phone"))?;
        check_name(&key, "uuid")?;
        let Value::Object(fields) = context else { return Err(Refused::Invalid("context")) };
        let mut print = SipHasher13::new();
        print.write_u64(phone);
        let (mut first_name, mut cart_id, mut cart_total) = ("there", "", "");
        let mut size = 0;
        for (name, value) in fields {
            let written = match value {
                Value::String(text) => Cow::Borrowed(text.as_str()),
                other => Cow::Owned(other.to_string()),
            };
            size += name.len() + written.len();
            if size > MOST_CONTEXT {
                return Err(Refused::Invalid("context"));
            }
            hash_text(&mut print, name);
            hash_text(&mut print, &written);
            if let Value::String(text) = value {
                match name.as_str() {
                    "first_name" => first_name = text,
                    "cart_id" => cart_id = text,
                    "cart_total" => cart_total = text,
                    _ => {}
                }
            }
        }
        let inputs = Inputs::new(first_name, cart_id, cart_total);
        let mut hash = SipHasher13::new_with_keys(self.seed.0, self.seed.1);
        hash_text(&mut hash, "default");
        hash_text(&mut hash, "abandoned-cart");
        hash_text(&mut hash, &key);
        let print = Print { key: hash.finish128().as_u128(), fingerprint: print.finish128().as_u128() };
        Ok(Request { phone, key, inputs, print })
    }

    fn start(
        &self,
        shard: &mut Shard,
        number: usize,
        place: u32,
        request: Request,
        now: i64,
    ) -> (Began, Arc<Message>) {
        let id = self.mint(now);
        self.index(&self.sessions, id, number, place);
        let slot = &mut shard.slots[place as usize];
        let now = now.max(slot.last_at);
        slot.last_at = now;
        let context = &request.inputs;
        let text = joined(&[
            "Hi ",
            context.first_name(),
            ", your cart ",
            context.cart_id(),
            " totals ",
            context.cart_total(),
            ". Reply 1 to check out or 2 for an agent.",
        ]);
        let session = Box::new(Session {
            id,
            version: VERSION,
            state: State::Waiting,
            wait: 1,
            answered: 0,
            turns: 1,
            sent_before: slot.next_number(),
            started_at: now,
            last_interaction_at: now,
            waits_since: now,
            deadline: now + TTL,
            expires_at: now + TTL,
            ends_by: now + LONGEST_LIFE,
            ended_at: 0,
            context: request.inputs,
            key: request.key.into(),
            reply: Box::default(),
        });
        let from = Place { node: "remind", component: "start", branch: None };
        let message = slot.say(&session, from, text.into());
        slot.session = Some(session);
        (Began { session: id, contact: slot.contact, version: VERSION, replayed: false }, message)
    }

    fn mint(&self, now: i64) -> u128 {
        let mut random = SipHasher13::new_with_keys(self.seed.0, self.seed.1);
        random.write_u64(self.minted.fetch_add(1, Ordering::Relaxed));
        const RANDOM: u128 = 0x0fff_3fff_ffff_ffff_ffff;
        (u128::from(now.unsigned_abs()) << 80)
            | (7 << 76)
            | (2 << 62)
            | (random.finish128().as_u128() & RANDOM)
    }

    fn index(&self, index: &Index, id: u128, shard: usize, slot: u32) {
        let hash = self.hasher.hash_one(id);
        let home = Home { shard: u32::try_from(shard).unwrap_or(u32::MAX), slot };
        let mut part = index[hash as usize % SHARDS].lock();
        part.insert_unique(hash, (id, home), |(id, _)| self.hasher.hash_one(id));
    }

    fn home(&self, index: &Index, id: u128) -> Option<Home> {
        let hash = self.hasher.hash_one(id);
        let part = index[hash as usize % SHARDS].lock();
        part.find(hash, |(known, _)| *known == id).map(|(_, home)| *home)
    }
}

fn replay(known: &KeyRecord, print: Print) -> Result<Triggered, Refused> {
    if known.fingerprint != print.fingerprint {
        return Err(Refused::Conflict);
    }
    let KeyRecord { session, contact, version, started, .. } = *known;
    let began = Began { session, contact, version, replayed: true };
    Ok(if started { Triggered::Started(began) } else { Triggered::AlreadyRunning(began) })
}

fn read_phone(text: &str) -> Option<u64> {
    let (mut number, mut digits) = (0_u64, 0);
    for byte in text.strip_prefix('+').unwrap_or(text).bytes() {
        match byte {
            b'0'..=b'9' => {
                digits += 1;
                if digits > 15 {
                    return None;
                }
                number = number * 10 + u64::from(byte - b'0');
            }
            b' ' | b'.' | b'-' | b'/' | b'(' | b')' => {}
            _ => return None,
        }
    }
    (digits >= 8).then_some(number)
}

fn check_name(text: &str, field: &'static str) -> Result<(), Refused> {
    let fits = (1..=256).contains(&text.len()) && text.bytes().all(|byte| byte >= 0x20 && byte != 0x7f);
    if fits { Ok(()) } else { Err(Refused::Invalid(field)) }
}

fn hash_text(hash: &mut SipHasher13, text: &str) {
    hash.write_usize(text.len());
    hash.write(text.as_bytes());
}

fn joined(pieces: &[&str]) -> String {
    let mut text = String::with_capacity(pieces.iter().map(|piece| piece.len()).sum());
    pieces.iter().for_each(|piece| text.push_str(piece));
    text
}
