//! One contact that turns out to be another (rule 27): what leads to it is led to that one, under
//! the locks of both shards.

use crate::address::{Address, Alias};
use crate::error::StoreError;
use crate::id::{ContactId, SessionId};
use crate::session::Session;
use crate::store::memory::MemoryStore;
use crate::store::memory::shard::At;
use crate::store::memory::write::refuses;
use crate::store::{Commit, Committed, JournalEntry, MergedContact, SessionRecord};

/// The data that lay with the contact that is no more.
struct Past {
    sessions: Vec<SessionRecord>,
    journal: Vec<JournalEntry>,
}

impl MemoryStore {
    pub(super) fn absorb_now(&self, commit: &mut Commit) -> Result<Committed, StoreError> {
        let Some(absorbed) = commit.absorbs.take() else { return self.commit_now(commit) };
        let workspace = self.workspaces.number(&commit.workspace)?;
        let hash = self.shards.hash(workspace, &commit.contact);
        let other_hash = self.shards.hash(workspace, &absorbed.contact);
        let (mut at, mut far) = self.shards.at_hashes(hash, other_hash);
        let Some(id) = at.find(hash, workspace, &commit.contact) else { return Ok(Committed::Conflict) };
        if let Some(refusal) = refuses(Some(at.slot(id)), commit) {
            return Ok(refusal);
        }
        let other_at = far.as_ref().unwrap_or(&at);
        let Some(other) = free(other_at, other_hash, workspace, &absorbed, commit) else {
            return Ok(Committed::Conflict);
        };
        let (Some(place), Some(other_place)) = (at.place(id as usize), other_at.place(other as usize)) else {
            return Err(StoreError::permanent("memory store is full"));
        };
        let mut moved = leading_to(other_at, other, other_hash, workspace);
        moved.extend(commit.add_aliases.iter().cloned());
        let mut held = self.aliases.hold(workspace, &moved, &commit.drop_aliases);
        for alias in &commit.add_aliases {
            if let Some(holder) = held.find(workspace, alias)
                && holder != place
                && holder != other_place
            {
                drop((held, far, at));
                return Ok(Committed::AliasTaken { alias: alias.clone(), holder: self.contact_at(holder) });
            }
        }
        for alias in &moved {
            held.drop(workspace, alias, other_place);
        }
        held.change(workspace, place, &moved, &commit.drop_aliases);
        drop(held);
        self.keys.hand_over(other_place, &absorbed.contact, &commit.contact);
        let other_at = far.as_mut().unwrap_or(&mut at);
        let past = Past::take(other_at, workspace, &absorbed.contact, &commit.contact);
        other_at.leave(other_hash, other);
        drop(far);
        commit.ended.extend(past.sessions);
        commit.journal.splice(0..0, past.journal);
        self.keep(&mut at, workspace, commit);
        if !commit.counts.is_empty() {
            at.counters.add(workspace, std::mem::take(&mut commit.counts));
        }
        let (committed, replaced) = at.apply(id, commit);
        drop(at);
        drop(replaced);
        Ok(committed)
    }
}

impl Past {
    /// Takes what lies with a contact, as that of another one.
    fn take(at: &mut At<'_>, workspace: u32, from: &ContactId, into: &ContactId) -> Self {
        let sessions = at.archive.take(workspace, from).into_iter();
        let sessions =
            sessions.map(|record| SessionRecord::new(into.clone(), record.session().clone())).collect();
        let journal = at.journal.take(workspace, from).into_iter();
        let journal = journal.map(|entry| JournalEntry { contact: into.clone(), ..entry }).collect();
        Self { sessions, journal }
    }
}

/// The slot of a conversation that may be absorbed: as it was seen, whole, and nobody is at it.
fn free(at: &At<'_>, hash: u64, workspace: u32, absorbed: &MergedContact, commit: &Commit) -> Option<u32> {
    let id = at.find(hash, workspace, &absorbed.contact)?;
    let slot = at.slot(id);
    let is_as_seen = slot.revision == absorbed.expect && slot.settled == absorbed.settled;
    let is_theirs = absorbed.token.is_some_and(|token| slot.lease.is_held_by(token, commit.now));
    let is_free = !slot.is_set_aside() && (is_theirs || !slot.lease.is_live(commit.now));
    (is_as_seen && is_free).then_some(id)
}

/// The aliases that lead to a slot.
fn leading_to(at: &At<'_>, id: u32, hash: u64, workspace: u32) -> Vec<Alias> {
    let slot = at.slot(id);
    let ended = at.archive.of_contact(hash, workspace, &slot.contact);
    let Some(Ok(conversation)) = slot.record.as_ref().map(|record| record.conversation()) else {
        return Vec::new();
    };
    let live = conversation.sessions().iter().map(Session::id);
    let sessions: Vec<SessionId> = live.chain(ended).collect();
    let addresses = conversation.contact().addresses.iter().flat_map(Address::aliases);
    addresses.chain(sessions.into_iter().map(Alias::Session)).collect()
}
