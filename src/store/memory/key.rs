//! Idempotency keys: tables of their own, sharded by key, since a key is unique in workspace and
//! flow, not in a contact.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::{Mutex, MutexGuard};

use chrono::{DateTime, Utc};
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::id::{ContactId, FlowVersion, SessionId};
use crate::session::{FailureCode, Status};
use crate::store::memory::calendar::{Calendar, SweepVerdict};
use crate::store::memory::keep::Sweep;
use crate::store::memory::lock;
use crate::store::memory::slab::{Index, Slab};
use crate::store::{KeyName, KeyRecord};

/// All keys of a store.
pub(super) struct Keys {
    parts: Box<[KeyShard]>,
    /// Drawn once, so that nobody can choose names that collide.
    seed: (u64, u64),
}

#[derive(Default)]
#[repr(align(128))]
struct KeyShard(Mutex<KeyTable>);

/// Workspace, flow and key as a keyed hash of 128 bits, instead of the texts: among a thousand
/// million keys two are alike with a chance of 1 in 10^21.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct KeyHash(u64, u64);

impl Keys {
    /// `parts` is a power of two.
    #[expect(clippy::disallowed_methods, reason = "the tables' own randomness")]
    pub(super) fn new(parts: usize) -> Self {
        let random = || RandomState::new().hash_one(0_u8);
        Self { parts: (0..parts).map(|_| KeyShard::default()).collect(), seed: (random(), random()) }
    }

    pub(super) fn hash(&self, workspace: u32, name: &KeyName) -> KeyHash {
        let mut hasher = SipHasher13::new_with_keys(self.seed.0, self.seed.1);
        hasher.write_u32(workspace);
        name.hash(&mut hasher);
        let hash = hasher.finish128();
        KeyHash(hash.h1, hash.h2)
    }

    /// Locks the part that a key belongs to.
    pub(super) fn hold(&self, hash: KeyHash) -> MutexGuard<'_, KeyTable> {
        lock(&self.parts[hash.1 as usize & (self.parts.len() - 1)].0)
    }

    /// Erases the keys of a contact, and says how many had not expired.
    pub(super) fn erase(&self, place: u32, contact: &ContactId, now: DateTime<Utc>) -> usize {
        self.parts.iter().map(|part| lock(&part.0).erase(place, contact, now)).sum()
    }

    /// Makes the keys of a contact those of another one. `place` is where its conversation lies.
    pub(super) fn hand_over(&self, place: u32, from: &ContactId, into: &ContactId) {
        for part in &self.parts {
            lock(&part.0).hand_over(place, from, into);
        }
    }

    /// Those of these places, in ascending order, that keys name.
    pub(super) fn named(&self, places: &[u32]) -> HashSet<u32> {
        let mut named = HashSet::new();
        for part in &self.parts {
            let table = lock(&part.0);
            let names = table.entries.iter().filter(|entry| !entry.erased).map(|entry| entry.place);
            named.extend(names.filter(|place| places.binary_search(place).is_ok()));
        }
        named
    }

    /// Removes keys that expired at or before `now`.
    pub(super) fn purge(&self, now: DateTime<Utc>, sweep: &mut Sweep) {
        for part in &self.parts {
            lock(&part.0).purge(now, sweep);
        }
    }
}

/// The keys of one part.
#[derive(Default)]
pub(super) struct KeyTable {
    entries: Slab<KeyEntry>,
    index: Index,
    expiry: Calendar,
    /// The contacts of records that name another contact than the commit they came with did.
    others: HashMap<KeyHash, ContactId>,
    pins: Pins,
}

/// The versions that keys name, each once, with their digests: a key has the place of its own.
#[derive(Default)]
struct Pins {
    all: Vec<Pin>,
    places: HashMap<Pin, u32>,
}

type Pin = (FlowVersion, Option<u128>);

impl Pins {
    fn place(&mut self, pin: Pin) -> u32 {
        let next = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        // Most keys are of the version that came last.
        if self.all.last() == Some(&pin) {
            return next - 1;
        }
        *self.places.entry(pin).or_insert_with(|| {
            self.all.push(pin);
            next
        })
    }

    fn at(&self, place: u32) -> Pin {
        self.all.get(place as usize).copied().unwrap_or((FlowVersion(0), None))
    }
}

struct KeyEntry {
    hash: KeyHash,
    fingerprint: [u8; 16],
    session: SessionId,
    /// The place of its version among those of its table.
    pin: u32,
    /// The conversation whose commit brought it.
    place: u32,
    expires_at: DateTime<Utc>,
    started: bool,
    status: Option<Status>,
    failure: Option<FailureCode>,
    erased: bool,
}

const _: () = assert!(size_of::<Option<KeyEntry>>() <= 72);

/// A key that was found: everything but the contact's id, if that is to be read from the
/// conversation.
pub(super) struct FoundKey {
    fingerprint: u128,
    started: bool,
    session: SessionId,
    version: FlowVersion,
    digest: Option<u128>,
    expires_at: DateTime<Utc>,
    place: u32,
    other: Option<ContactId>,
    status: Option<Status>,
    failure: Option<FailureCode>,
    erased: bool,
}

impl FoundKey {
    /// The record, given who the conversation at a place is with.
    pub(super) fn into_record(self, contact_at: impl FnOnce(u32) -> ContactId) -> KeyRecord {
        let Self {
            fingerprint,
            started,
            session,
            version,
            digest,
            expires_at,
            place,
            other,
            status,
            failure,
            erased,
        } = self;
        if erased {
            return KeyRecord::erased(expires_at);
        }
        let contact = other.unwrap_or_else(|| contact_at(place));
        KeyRecord {
            fingerprint,
            started,
            session,
            version,
            digest,
            contact,
            expires_at,
            status,
            failure,
            erased,
        }
    }
}

impl KeyTable {
    /// The key, if it is there and unexpired.
    pub(super) fn find(&self, hash: KeyHash, now: DateTime<Utc>) -> Option<FoundKey> {
        let entry = self.entries.get(self.id(hash)?)?;
        let pin = self.pins.at(entry.pin);
        (now < entry.expires_at).then(|| FoundKey {
            fingerprint: u128::from_le_bytes(entry.fingerprint),
            started: entry.started,
            session: entry.session,
            version: pin.0,
            digest: pin.1,
            expires_at: entry.expires_at,
            place: entry.place,
            other: self.others.get(&hash).cloned(),
            status: entry.status,
            failure: entry.failure,
            erased: entry.erased,
        })
    }

    pub(super) fn is_taken(&self, hash: KeyHash, now: DateTime<Utc>) -> bool {
        self.id(hash).and_then(|id| self.entries.get(id)).is_some_and(|entry| now < entry.expires_at)
    }

    /// Inserts a key in place of an expired one. `contact` is whose commit brings it.
    pub(super) fn insert(&mut self, hash: KeyHash, record: &KeyRecord, place: u32, contact: &ContactId) {
        if let Some(old) = self.id(hash) {
            self.remove(old);
        }
        let entry = KeyEntry {
            hash,
            fingerprint: record.fingerprint.to_le_bytes(),
            session: record.session,
            pin: self.pins.place((record.version, record.digest)),
            place,
            expires_at: record.expires_at,
            started: record.started,
            status: record.status,
            failure: record.failure,
            erased: record.erased,
        };
        let day = entry.day();
        let id = self.entries.insert(entry);
        self.index.insert(hash.0, id);
        self.expiry.file(day, id);
        if record.contact != *contact {
            self.others.insert(hash, record.contact.clone());
        }
    }

    /// Leaves of a contact's keys no more than that they were used. `place` is where its
    /// conversation lies.
    fn erase(&mut self, place: u32, contact: &ContactId, now: DateTime<Utc>) -> usize {
        let others = &self.others;
        let is_theirs = |entry: &KeyEntry| match others.get(&entry.hash) {
            Some(other) => other == contact,
            None => entry.place == place && !entry.erased,
        };
        let theirs: Vec<u32> = self.entries.ids(is_theirs).collect();
        let mut erased = 0;
        for id in theirs {
            let Some(entry) = self.entries.get_mut(id) else { continue };
            erased += usize::from(now < entry.expires_at);
            self.others.remove(&entry.hash);
            *entry = KeyEntry {
                fingerprint: [0; 16],
                session: SessionId(uuid::Uuid::nil()),
                started: false,
                status: None,
                failure: None,
                erased: true,
                ..*entry
            };
        }
        erased
    }

    fn hand_over(&mut self, place: u32, from: &ContactId, into: &ContactId) {
        for entry in self.entries.iter().filter(|entry| !entry.erased) {
            let is_theirs = match self.others.get(&entry.hash) {
                Some(other) => other == from,
                None => entry.place == place,
            };
            if is_theirs {
                self.others.insert(entry.hash, into.clone());
            }
        }
    }

    fn id(&self, hash: KeyHash) -> Option<u32> {
        self.index.find(hash.0, |id| self.entries.get(id).is_some_and(|entry| entry.hash == hash))
    }

    fn remove(&mut self, id: u32) {
        if let Some(entry) = self.entries.remove(id) {
            self.index.remove(entry.hash.0, id);
            self.others.remove(&entry.hash);
        }
    }

    fn purge(&mut self, now: DateTime<Utc>, sweep: &mut Sweep) {
        let mut expiry = std::mem::take(&mut self.expiry);
        expiry.sweep(day(now), |day, id| match self.entries.get(id) {
            Some(entry) if entry.day() == day && entry.expires_at > now => SweepVerdict::Stays,
            Some(entry) if entry.day() == day => {
                if !sweep.take() {
                    return SweepVerdict::Enough(day);
                }
                self.remove(id);
                SweepVerdict::Gone
            }
            _ => SweepVerdict::Gone,
        });
        self.expiry = expiry;
    }
}

impl KeyEntry {
    /// The day it is filed under; filed under another it is another's.
    fn day(&self) -> i64 {
        day(self.expires_at)
    }
}

/// One minute or so: few days, and little to look at in vain.
fn day(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(64)
}
