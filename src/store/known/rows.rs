//! The conversations that are kept: in shards, each under its own lock and with a part of the room;
//! beside them where aliases lead. No two locks are held at once, and none while anything is
//! awaited.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;

use crate::address::Alias;
use crate::id::{ContactId, WorkspaceId};
use crate::session::Session;
use crate::store::known::news::{Encoded, KnownAnswer, PendingCommit};
use crate::store::{Committed, Lookup, Record, Revision, Settle, Settled, StoredConversation, Subject};

/// The most shards. There are fewer where each would have less room than [`LEAST`].
const SHARDS: usize = 16;
const LEAST: usize = 64 << 10;

/// A decoded conversation takes about twice what it takes as bytes (`docs/storage.md`), and what
/// leads to it some more.
const DECODED: usize = 3;
const BESIDE: usize = 512;
const PER_NAME: usize = 192;

/// The most workspaces whose flows' revision is kept; beyond that all are forgotten.
const WORKSPACES: usize = 4_096;

type Name = Arc<(WorkspaceId, ContactId)>;

type Trails = HashMap<(WorkspaceId, Alias), ContactId, RandomState>;

/// A conversation that is kept.
struct KnownRow {
    revision: Revision,
    settled: u64,
    /// None: it is with a call.
    record: Option<Record>,
    encoded: Encoded,
    /// Addresses that lead here at this revision, as far as they were seen to, and the live
    /// sessions. Each of them leads here as long as the revision is this one: addresses are taken
    /// away by commits of the conversation alone, and a purge takes ended sessions.
    names: Vec<Alias>,
    used: u64,
}

impl KnownRow {
    /// True if its record is that of a conversation that was loaded and not read yet: but for
    /// messages that are settled there, too.
    fn is_record_of(&self, stored: &StoredConversation) -> bool {
        self.revision == stored.revision
            && self.settled <= stored.settled
            && Encoded::of_unread(&stored.record) == Some(self.encoded)
    }

    fn weight(&self) -> usize {
        weight(self.encoded.len, self.names.len())
    }
}

/// The estimated bytes of a conversation that is kept.
fn weight(bytes: usize, names: usize) -> usize {
    bytes.saturating_mul(DECODED).saturating_add(BESIDE + PER_NAME * names)
}

#[derive(Default)]
struct KnownShard {
    rows: HashMap<Name, KnownRow, RandomState>,
    /// The rows by their last use, the oldest first.
    order: BTreeMap<u64, Name>,
    uses: u64,
    weight: usize,
}

/// A conversation, taken out for a decision.
pub(super) struct Recalled {
    pub(super) contact: ContactId,
    pub(super) revision: Revision,
    pub(super) settled: u64,
    pub(super) record: Record,
    pub(super) encoded: Encoded,
    /// The revision of the flows, as the store told it last.
    pub(super) catalogue: Option<u64>,
}

/// All that is kept.
pub(super) struct KnownRows {
    hasher: RandomState,
    shards: Box<[Mutex<KnownShard>]>,
    /// Where aliases lead: a hint, which the row confirms.
    trails: Box<[Mutex<Trails>]>,
    catalogues: Mutex<HashMap<WorkspaceId, Option<u64>, RandomState>>,
    /// The room of a shard.
    room: usize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl KnownRows {
    pub(super) fn new(room: usize) -> Self {
        let shards = (room / LEAST).clamp(1, SHARDS);
        Self {
            hasher: RandomState::default(),
            shards: (0..shards).map(|_| Mutex::default()).collect(),
            trails: (0..shards).map(|_| Mutex::default()).collect(),
            catalogues: Mutex::default(),
            room: room / shards,
        }
    }

    fn part<'p, T>(&self, parts: &'p [Mutex<T>], name: &impl Hash) -> Option<MutexGuard<'p, T>> {
        let place = self.hasher.hash_one(name) as usize % parts.len().max(1);
        parts.get(place).map(lock)
    }

    fn shard(&self, name: &Name) -> Option<MutexGuard<'_, KnownShard>> {
        self.part(&self.shards, name)
    }

    /// The revision of a workspace's flows, as a load told it.
    pub(super) fn note_catalogue(&self, workspace: &WorkspaceId, catalogue: Option<u64>) {
        let mut catalogues = lock(&self.catalogues);
        match catalogues.get_mut(workspace) {
            Some(known) => *known = catalogue,
            None => {
                if catalogues.len() >= WORKSPACES {
                    catalogues.clear();
                }
                catalogues.insert(workspace.clone(), catalogue);
            }
        }
    }

    /// Takes out the conversation of a lookup, for one decision. It is kept again by
    /// [`give_back`](Self::give_back) or by what is learnt of the commit.
    pub(super) fn take(&self, lookup: &Lookup) -> Option<Recalled> {
        let catalogue = *lock(&self.catalogues).get(&lookup.workspace)?;
        let (contact, alias) = match &lookup.subject {
            Subject::Contact(contact) => (contact.clone(), None),
            Subject::Alias(alias) => {
                let name = (lookup.workspace.clone(), alias.clone());
                let contact = self.part(&self.trails, &name)?.get(&name)?.clone();
                (contact, Some(alias))
            }
        };
        let name: Name = Arc::new((lookup.workspace.clone(), contact.clone()));
        let mut shard = self.shard(&name)?;
        let row = shard.use_now(&name)?;
        if alias.is_some_and(|alias| !row.names.contains(alias)) {
            return None;
        }
        let record = row.record.take()?;
        let KnownRow { revision, settled, encoded, .. } = *row;
        Some(Recalled { contact, revision, settled, record, encoded, catalogue })
    }

    /// Keeps a record again that was taken out, if its row is as it was.
    pub(super) fn give_back(&self, workspace: &WorkspaceId, stored: StoredConversation) {
        let name: Name = Arc::new((workspace.clone(), stored.contact));
        let Some(mut shard) = self.shard(&name) else { return };
        if let Some(row) = shard.rows.get_mut(&name)
            && row.revision == stored.revision
        {
            row.record = Some(stored.record);
        }
    }

    /// Puts the decoded record, taken out, in the place of one that was just loaded, if it is the
    /// same.
    pub(super) fn spare_decoding(
        &self,
        workspace: &WorkspaceId,
        stored: &mut StoredConversation,
    ) -> Option<Encoded> {
        let name: Name = Arc::new((workspace.clone(), stored.contact.clone()));
        let mut shard = self.shard(&name)?;
        let row = shard.use_now(&name).filter(|row| row.is_record_of(stored))?;
        stored.record = row.record.take()?;
        Some(row.encoded)
    }

    /// The same with a record that is shared.
    pub(super) fn share_decoded(&self, workspace: &WorkspaceId, stored: &mut StoredConversation) {
        let name: Name = Arc::new((workspace.clone(), stored.contact.clone()));
        if let Some(shard) = self.shard(&name)
            && let Some(row) = shard.rows.get(&name).filter(|row| row.is_record_of(stored))
            && let Some(record) = &row.record
        {
            stored.record = record.clone();
        }
    }

    /// Keeps what a load found, or a commit wrote, in place of what was kept of it.
    fn put(
        &self,
        workspace: WorkspaceId,
        stored: StoredConversation,
        encoded: Encoded,
        addresses: Vec<Alias>,
    ) {
        let StoredConversation { contact, revision, settled, record, .. } = stored;
        let mut record = record.read();
        record.release_settled(settled);
        let mut names = addresses;
        names.retain(|alias| matches!(alias, Alias::Address(_)));
        names.sort_unstable();
        names.dedup();
        if let Ok(conversation) = record.conversation() {
            names.extend(conversation.sessions().iter().map(Session::id).map(Alias::Session));
        }
        let name: Name = Arc::new((workspace, contact));
        if weight(encoded.len, names.len()) > self.room {
            return self.forget_name(&name);
        }
        let row =
            KnownRow { revision, settled, record: Some(record), encoded, names: names.clone(), used: 0 };
        let Some(mut shard) = self.shard(&name) else { return };
        let old = shard.insert(&name, row);
        let mut gone: Vec<(Name, Vec<Alias>)> = vec![(Arc::clone(&name), old)];
        while shard.weight > self.room {
            let Some((_, oldest)) = shard.order.pop_first() else { break };
            let names = shard.remove(&oldest);
            gone.push((oldest, names));
        }
        drop(shard);
        for (of, mut left) in gone {
            if of == name {
                left.retain(|alias| !names.contains(alias));
            }
            self.leave(&of, left);
        }
        for alias in names {
            let of = (name.0.clone(), alias);
            if let Some(mut trails) = self.part(&self.trails, &of) {
                trails.insert(of, name.1.clone());
            }
        }
    }

    /// Forgets where these aliases lead, unless they lead elsewhere by now.
    fn leave(&self, name: &Name, aliases: Vec<Alias>) {
        for alias in aliases {
            let of = (name.0.clone(), alias);
            if let Some(mut trails) = self.part(&self.trails, &of)
                && trails.get(&of).is_some_and(|contact| *contact == name.1)
            {
                trails.remove(&of);
            }
        }
    }

    /// A conversation is no more, or nobody knows how it is.
    pub(super) fn forget(&self, workspace: &WorkspaceId, contact: &ContactId) {
        self.forget_name(&Arc::new((workspace.clone(), contact.clone())));
    }

    fn forget_name(&self, name: &Name) {
        let Some(mut shard) = self.shard(name) else { return };
        let names = shard.remove(name);
        drop(shard);
        self.leave(name, names);
    }

    /// The addresses that led to a contact at this revision.
    fn addresses(&self, name: &Name, revision: Option<Revision>) -> Vec<Alias> {
        let Some(shard) = self.shard(name) else { return Vec::new() };
        let row = shard.rows.get(name).filter(|row| Some(row.revision) == revision);
        row.map(|row| row.names.clone()).unwrap_or_default()
    }

    /// Keeps what a lookup found that led to an answer.
    pub(super) fn learn_found(&self, answer: KnownAnswer) {
        let KnownAnswer { workspace, found, encoded, via } = answer;
        let name: Name = Arc::new((workspace.clone(), found.contact.clone()));
        let mut addresses = self.addresses(&name, Some(found.revision));
        addresses.extend(via);
        self.put(workspace, found, encoded, addresses);
    }

    /// Keeps what a commit wrote. The old row is forgotten if it was refused, or nobody knows what
    /// became of it (None).
    pub(super) fn learn(&self, draft: PendingCommit, committed: Option<&Committed>) {
        let PendingCommit { workspace, contact, expect, record, added, dropped, absorbed } = draft;
        if let Some(absorbed) = absorbed {
            self.forget(&workspace, &absorbed);
        }
        let (Some(&Committed::Applied { revision, settled, .. }), Some((record, encoded))) =
            (committed, record)
        else {
            return self.forget(&workspace, &contact);
        };
        let name: Name = Arc::new((workspace.clone(), contact.clone()));
        let mut addresses = self.addresses(&name, expect);
        addresses.retain(|alias| !dropped.contains(alias));
        addresses.extend(added);
        let (leased, quarantined) = (false, false);
        let stored = StoredConversation { contact, revision, record, settled, leased, quarantined };
        self.put(workspace, stored, encoded, addresses);
    }

    /// The weight of all rows, their number, that of their places in the order, and of aliases.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize, usize, usize) {
        let sum = |of: fn(&KnownShard) -> usize| self.shards.iter().map(|shard| of(&lock(shard))).sum();
        let trails = self.trails.iter().map(|trails| lock(trails).len()).sum();
        (sum(|shard| shard.weight), sum(|shard| shard.rows.len()), sum(|shard| shard.order.len()), trails)
    }

    /// Takes note of what was delivered.
    pub(super) fn learn_settled(&self, settle: &Settle, settled: Option<Settled>) {
        let watermark = match settled {
            Some(Settled::Done) if !settle.quarantine => settle.settled,
            Some(Settled::Conflict { settled }) => settled,
            _ => return self.forget(&settle.workspace, &settle.contact),
        };
        let name: Name = Arc::new((settle.workspace.clone(), settle.contact.clone()));
        let Some(mut shard) = self.shard(&name) else { return };
        if let Some(row) = shard.rows.get_mut(&name) {
            row.settled = row.settled.max(watermark);
            let settled = row.settled;
            row.record.iter_mut().for_each(|record| record.release_settled(settled));
        }
    }
}

impl KnownShard {
    /// A row, which becomes the one that was used last.
    fn use_now(&mut self, name: &Name) -> Option<&mut KnownRow> {
        let row = self.rows.get_mut(name)?;
        if let Some(name) = self.order.remove(&row.used) {
            self.uses += 1;
            row.used = self.uses;
            self.order.insert(row.used, name);
        }
        Some(row)
    }

    /// Answers the names of the row whose place it took.
    fn insert(&mut self, name: &Name, row: KnownRow) -> Vec<Alias> {
        let old = self.remove(name);
        self.uses += 1;
        self.weight += row.weight();
        self.order.insert(self.uses, Arc::clone(name));
        self.rows.insert(Arc::clone(name), KnownRow { used: self.uses, ..row });
        old
    }

    /// Answers the names of the row.
    fn remove(&mut self, name: &Name) -> Vec<Alias> {
        let Some(row) = self.rows.remove(name) else { return Vec::new() };
        self.order.remove(&row.used);
        self.weight = self.weight.saturating_sub(row.weight());
        row.names
    }
}
