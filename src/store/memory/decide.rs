//! Looking up, and deciding under the lock of the conversation's shard.

use crate::address::Alias;
use crate::error::StoreError;
use crate::id::ContactId;
use crate::store::memory::MemoryStore;
use crate::store::memory::key::KeyHash;
use crate::store::memory::shard::At;
use crate::store::{Commit, Committed, KeyRecord, Loaded, Lookup, StoredConversation, Subject, Txn};

/// Result of a lookup.
enum LookupResult<'a> {
    /// A conversation, in its locked shard.
    Slot(At<'a>, u32),
    /// A contact without a conversation: this is where it would lie.
    Contact(At<'a>),
    /// Nothing.
    Nothing,
}

impl MemoryStore {
    pub(super) fn load_now(&self, lookup: &Lookup) -> Loaded {
        let Some(workspace) = self.workspaces.find(&lookup.workspace) else { return Loaded::default() };
        let key = self.find_key(lookup, self.key_hash(workspace, lookup));
        let conversation = match self.find(workspace, lookup) {
            LookupResult::Slot(at, id) => {
                let slot = at.slot(id);
                Some(slot.stored(slot.record(), lookup.token, lookup.now))
            }
            _ => None,
        };
        Loaded { conversation, key, catalogue: None }
    }

    pub(super) fn update_now(
        &self,
        lookup: &Lookup,
        decide: &mut (dyn FnMut(&mut Txn<'_>) + Send),
    ) -> Result<Option<Committed>, StoreError> {
        let (mut txn, mut key) = (Txn::new(lookup, Loaded::default()), None);
        let workspace = self.workspaces.find(&lookup.workspace);
        let found = workspace.map_or(LookupResult::Nothing, |workspace| {
            key = self.key_hash(workspace, lookup);
            if key.is_some() {
                txn.loaded_mut().key = self.find_key(lookup, key);
            }
            self.find(workspace, lookup)
        });
        let (workspace, at, slot) = match (workspace, found) {
            (Some(workspace), LookupResult::Slot(at, id))
                if lookup.in_place && at.slot(id).record.is_some() =>
            {
                return self.update_in_place((workspace, key), at, id, &mut txn, decide);
            }
            (Some(workspace), LookupResult::Slot(at, id)) => {
                let slot = at.slot(id);
                txn.loaded_mut().conversation = Some(slot.stored(slot.record(), lookup.token, lookup.now));
                (workspace, at, Some(id))
            }
            (Some(workspace), LookupResult::Contact(at)) => (workspace, at, None),
            (workspace, _) => {
                decide(&mut txn);
                let Some(commit) = txn.commit_mut() else { return Ok(None) };
                return match workspace.filter(|_| is_named_as(commit, lookup)) {
                    Some(workspace) => self.commit_in(workspace, key, commit).map(Some),
                    None => self.commit_now(commit).map(Some),
                };
            }
        };
        decide(&mut txn);
        let Some(commit) = txn.commit_mut() else { return Ok(None) };
        if commit.absorbs.is_none() && is_of(commit, lookup, slot.map(|id| &at.slot(id).contact)) {
            return self.write(at, workspace, slot, key, commit).map(Some);
        }
        drop(at);
        self.commit_now(commit).map(Some)
    }

    /// Decides on the record itself, taken out of its slot until the commit brings the new one. If
    /// that is refused, or the decision panics, the old record may be half changed: the slot stays
    /// without one.
    fn update_in_place(
        &self,
        (workspace, key): (u32, Option<KeyHash>),
        mut at: At<'_>,
        id: u32,
        txn: &mut Txn<'_>,
        decide: &mut (dyn FnMut(&mut Txn<'_>) + Send),
    ) -> Result<Option<Committed>, StoreError> {
        let lookup = txn.lookup();
        let slot = at.slot_mut(id);
        let Some(record) = slot.record.take() else { return Ok(None) };
        let quarantined = slot.quarantined;
        let stored = slot.stored(record, lookup.token, lookup.now);
        txn.loaded_mut().conversation = Some(StoredConversation { quarantined, ..stored });
        decide(txn);
        let Some(commit) = txn.commit_mut() else {
            let stored = txn.loaded_mut().conversation.take();
            at.slot_mut(id).record = stored.map(|stored| stored.record);
            return Ok(None);
        };
        if is_of(commit, lookup, Some(&at.slot(id).contact)) {
            let committed = self.write(at, workspace, Some(id), key, commit)?;
            if matches!(committed, Committed::Applied { .. }) {
                return Ok(Some(committed));
            }
        }
        Err(StoreError::permanent(
            "a commit that was decided in place was refused; the conversation is set aside",
        ))
    }

    fn find(&self, workspace: u32, lookup: &Lookup) -> LookupResult<'_> {
        match &lookup.subject {
            Subject::Contact(contact) => self.find_contact(workspace, contact),
            Subject::Alias(alias) => self.find_alias(workspace, alias),
        }
    }

    fn find_contact(&self, workspace: u32, contact: &ContactId) -> LookupResult<'_> {
        let hash = self.shards.hash(workspace, contact);
        let at = self.shards.at_hash(hash);
        match at.find(hash, workspace, contact) {
            Some(id) => LookupResult::Slot(at, id),
            None => LookupResult::Contact(at),
        }
    }

    fn find_alias(&self, workspace: u32, alias: &Alias) -> LookupResult<'_> {
        while let Some(trail) = self.aliases.follow(workspace, alias) {
            let (at, id) = self.shards.at_place(trail.place);
            if trail.is_warm() {
                return LookupResult::Slot(at, id);
            }
        }
        LookupResult::Nothing
    }

    fn key_hash(&self, workspace: u32, lookup: &Lookup) -> Option<KeyHash> {
        lookup.key.as_ref().map(|key| self.keys.hash(workspace, key))
    }

    /// The key's record as of now: before the conversation is looked at.
    fn find_key(&self, lookup: &Lookup, hash: Option<KeyHash>) -> Option<KeyRecord> {
        let hash = hash?;
        let found = self.keys.hold(hash).find(hash, lookup.now)?;
        Some(found.into_record(|place| self.contact_at(place)))
    }

    /// The contact of the conversation at a place. It never changes.
    pub(super) fn contact_at(&self, place: u32) -> ContactId {
        let (at, id) = self.shards.at_place(place);
        at.slot(id).contact.clone()
    }
}

/// True if a commit is of the conversation that was looked up and is locked.
fn is_of(commit: &Commit, lookup: &Lookup, found: Option<&ContactId>) -> bool {
    let contact = match (&lookup.subject, found) {
        (_, Some(contact)) | (Subject::Contact(contact), None) => contact,
        (Subject::Alias(_), None) => return false,
    };
    commit.contact == *contact && is_named_as(commit, lookup)
}

/// True if a commit is of the workspace that was looked into, and of no other key.
fn is_named_as(commit: &Commit, lookup: &Lookup) -> bool {
    commit.workspace == lookup.workspace
        && commit.key.as_ref().is_none_or(|(key, _)| lookup.key.as_ref() == Some(key))
}
