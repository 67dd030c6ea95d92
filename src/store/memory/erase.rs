//! Forgetting a contact: what lies in its shard, then what leads there. Everything of aliases and keys is looked at,
//! since neither has an index by contact: rare enough.

use crate::id::ContactId;
use crate::store::memory::MemoryStore;
use crate::store::memory::shard::Shard;
use crate::store::memory::slot::Slot;
use crate::store::{Erase, Removed};

/// No workspace has this number: nothing finds a slot that has it.
const VACANT: u32 = u32::MAX;

impl MemoryStore {
    pub(super) fn erase_now(&self, erase: &Erase) -> Option<Removed> {
        let workspace = self.workspaces.find(&erase.workspace)?;
        let hash = self.shards.hash(workspace, &erase.contact);
        let mut at = self.shards.at_hash(hash);
        let id = at.find(hash, workspace, &erase.contact)?;
        if at.slot(id).revision != erase.expect {
            return None;
        }
        let place = at.place(id as usize)?;
        let keys = self.keys.erase(place, &erase.contact, erase.now);
        self.aliases.drop_all(workspace, place);
        let sessions = at.archive.erase(workspace, &erase.contact);
        let journal = at.journal.erase(workspace, &erase.contact);
        at.vacate(hash, id);
        Some(Removed { sessions, journal, keys })
    }
}

impl Shard {
    /// Empties a slot for good: its number leads nowhere any more. Whoever has it still finds nobody.
    fn vacate(&mut self, hash: u64, id: u32) {
        self.unfind(hash, id);
        *self.slot_mut(id) = Slot::new(VACANT, ContactId::from(uuid::Uuid::nil()));
    }
}
