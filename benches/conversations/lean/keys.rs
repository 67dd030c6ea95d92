//! The keys of triggers: what each came to, until it is forgotten.

use std::collections::VecDeque;

use hashbrown::HashTable;

/// The outcome of a key. Its hash is of workspace, flow and key.
pub(super) struct KeyRecord {
    pub(super) hash: u128,
    /// Of the request, to tell a repeat from another one.
    pub(super) fingerprint: u128,
    pub(super) session: u128,
    pub(super) contact: u128,
    pub(super) expires_at: i64,
    pub(super) version: u32,
    /// True if it started the session; false if it found it running.
    pub(super) started: bool,
}

#[derive(Default)]
pub(super) struct Keys {
    table: HashTable<KeyRecord>,
    /// Hashes, by the minute in which they are forgotten.
    expiry: VecDeque<(i64, Vec<u128>)>,
}

const MINUTE: i64 = 60_000;

/// Hashes of keys are as good as random: a part of one is its place.
fn place(hash: u128) -> u64 {
    hash as u64
}

impl Keys {
    pub(super) fn find(&self, hash: u128, now: i64) -> Option<&KeyRecord> {
        self.table.find(place(hash), |key| key.hash == hash && key.expires_at > now)
    }

    pub(super) fn insert(&mut self, key: KeyRecord) {
        let (hash, minute) = (key.hash, key.expires_at / MINUTE);
        self.table.insert_unique(place(hash), key, |key| place(key.hash));
        match self.expiry.back_mut() {
            Some((last, hashes)) if *last == minute => hashes.push(hash),
            _ => self.expiry.push_back((minute, vec![hash])),
        }
    }

    pub(super) fn purge(&mut self, now: i64) {
        while self.expiry.front().is_some_and(|(minute, _)| (*minute + 1) * MINUTE <= now) {
            for hash in self.expiry.pop_front().into_iter().flat_map(|(_, hashes)| hashes) {
                if let Ok(entry) = self.table.find_entry(place(hash), |key| key.hash == hash) {
                    entry.remove();
                }
            }
        }
    }
}
