//! Writing one commit: everything that may refuse it is looked at under the locks that it is then
//! written under.

use crate::address::Alias;
use crate::error::StoreError;
use crate::store::memory::MemoryStore;
use crate::store::memory::alias::Held;
use crate::store::memory::key::KeyHash;
use crate::store::memory::shard::{At, Shard};
use crate::store::memory::slot::{LeaseState, Slot, lease_end};
use crate::store::{Commit, Committed, DecisionBasis, Lease, Record};

impl MemoryStore {
    pub(super) fn commit_now(&self, commit: &mut Commit) -> Result<Committed, StoreError> {
        let workspace = self.workspaces.number(&commit.workspace)?;
        let key = commit.key.as_ref().map(|(name, _)| self.keys.hash(workspace, name));
        self.commit_in(workspace, key, commit)
    }

    /// The same in this workspace, with the hash of its key.
    pub(super) fn commit_in(
        &self,
        workspace: u32,
        key: Option<KeyHash>,
        commit: &mut Commit,
    ) -> Result<Committed, StoreError> {
        if commit.absorbs.is_some() {
            return self.absorb_now(commit);
        }
        let hash = self.shards.hash(workspace, &commit.contact);
        let at = self.shards.at_hash(hash);
        let slot = at.find(hash, workspace, &commit.contact);
        self.write(at, workspace, slot, key, commit)
    }

    /// Writes a commit, or refuses it. `at` is the locked shard of its conversation, `slot` where
    /// that lies if there is one, `key` the hash of its key if it has one.
    pub(super) fn write(
        &self,
        mut at: At<'_>,
        workspace: u32,
        slot: Option<u32>,
        key: Option<KeyHash>,
        commit: &mut Commit,
    ) -> Result<Committed, StoreError> {
        if let Some(refusal) = refuses(slot.map(|id| at.slot(id)), commit) {
            return Ok(refusal);
        }
        let mut key = key.filter(|_| commit.key.is_some()).map(|hash| (hash, self.keys.hold(hash)));
        if key.as_ref().is_some_and(|(hash, table)| table.is_taken(*hash, commit.now)) {
            return Ok(Committed::KeyTaken);
        }
        let names = commit.add_aliases.len() + commit.drop_aliases.len();
        let mut aliases =
            (names > 0).then(|| self.aliases.hold(workspace, &commit.add_aliases, &commit.drop_aliases));
        let place = match slot {
            Some(id) => at.place(id as usize),
            None => at.place(at.next_slot()),
        };
        let place = place.ok_or_else(|| StoreError::permanent("memory store is full"))?;
        let own = slot.map(|_| place);
        if let Some((alias, holder)) = aliases.as_mut().and_then(|held| taken(held, workspace, own, commit)) {
            drop((aliases, key, at));
            return Ok(Committed::AliasTaken { alias, holder: self.contact_at(holder) });
        }
        let id = slot.unwrap_or_else(|| {
            let hash = self.shards.hash(workspace, &commit.contact);
            at.add(hash, Slot::new(workspace, commit.contact.clone()))
        });
        if let (Some((hash, table)), Some((_, record))) = (&mut key, &commit.key) {
            table.insert(*hash, record, place, &commit.contact);
        }
        if let Some(held) = &mut aliases {
            held.change(workspace, place, &commit.add_aliases, &commit.drop_aliases);
        }
        drop((aliases, key));
        if !(commit.ended.is_empty() && commit.journal.is_empty()) {
            self.keep(&mut at, workspace, commit);
        }
        if !commit.counts.is_empty() {
            at.counters.add(workspace, std::mem::take(&mut commit.counts));
        }
        let (committed, replaced) = at.apply(id, commit);
        drop(at);
        // Freed after the lock was given back: it may be large.
        drop(replaced);
        Ok(committed)
    }

    /// Archives what has ended, and writes the journal.
    pub(super) fn keep(&self, at: &mut At<'_>, workspace: u32, commit: &mut Commit) {
        for record in std::mem::take(&mut commit.ended) {
            let hash = self.shards.hash(workspace, &record.session().id());
            let contact_hash = self.shards.hash(workspace, record.contact());
            at.archive.insert(hash, contact_hash, workspace, record);
        }
        for entry in commit.journal.drain(..) {
            let hash = self.shards.hash(workspace, &entry.session);
            at.journal.append(hash, workspace, entry);
        }
    }
}

/// The refusal of a commit by its revision or its lease.
pub(super) fn refuses(slot: Option<&Slot>, commit: &Commit) -> Option<Committed> {
    let is_seen =
        |seen: DecisionBasis| slot.is_some_and(|slot| slot.settled == seen.settled && !slot.is_set_aside());
    if slot.map(|slot| slot.revision) != commit.expect || !commit.seen.is_none_or(is_seen) {
        return Some(Committed::Conflict);
    }
    match commit.lease {
        Lease::Hold(token) | Lease::Free(token) => {
            let holds = slot.is_some_and(|slot| slot.lease.is_held_by(token, commit.now));
            (!holds).then_some(Committed::LeaseLost)
        }
        Lease::Leave | Lease::Take(..) => None,
    }
}

/// The first alias to be added that leads elsewhere, and where. `own` is the conversation's place,
/// if it has one.
fn taken(held: &mut Held<'_>, workspace: u32, own: Option<u32>, commit: &Commit) -> Option<(Alias, u32)> {
    commit.add_aliases.iter().find_map(|alias| {
        let holder = held.find(workspace, alias)?;
        (own != Some(holder)).then(|| (alias.clone(), holder))
    })
}

impl Shard {
    /// Writes what concerns the conversation alone. Answers the record that was there before.
    pub(super) fn apply(&mut self, id: u32, commit: &mut Commit) -> (Committed, Option<Record>) {
        let Commit { lease, due_at, dead_letters, now, .. } = *commit;
        let revision = self.next_revision(id);
        let slot = &mut self.slots[id];
        slot.revision = revision;
        slot.dead_letters = dead_letters;
        slot.quarantined = false;
        let replaced = slot.record.replace(commit.record.take());
        let leased = self.change_lease(id, lease, now);
        let slot = &mut self.slots[id];
        self.due.set_due(id, slot, due_at, now);
        (Committed::Applied { revision, leased, settled: slot.settled }, replaced)
    }

    /// Does to the lease what a commit asks for, and says whether its token holds it now.
    fn change_lease(&mut self, id: u32, lease: Lease, now: chrono::DateTime<chrono::Utc>) -> bool {
        let slot = &mut self.slots[id];
        match lease {
            Lease::Leave => false,
            Lease::Take(token, period) => {
                if !slot.lease.is_live(now) || slot.lease.is_held_by(token, now) {
                    self.due.lease(id, &mut self.slots, token, lease_end(now, period));
                }
                self.slot(id).lease.is_held_by(token, now)
            }
            Lease::Hold(_) => {
                slot.claims = 0;
                true
            }
            Lease::Free(_) => {
                slot.claims = 0;
                slot.lease = LeaseState::free();
                false
            }
        }
    }
}
