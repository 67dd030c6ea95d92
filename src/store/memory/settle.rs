//! Taking note of what is delivered.

use crate::store::memory::MemoryStore;
use crate::store::memory::shard::Shard;
use crate::store::memory::slot::LeaseState;
use crate::store::{Settle, Settled};

impl MemoryStore {
    pub(super) fn settle_now(&self, settle: &Settle) -> Settled {
        let Some(workspace) = self.workspaces.find(&settle.workspace) else { return Settled::LeaseLost };
        let hash = self.shards.hash(workspace, &settle.contact);
        let mut at = self.shards.at_hash(hash);
        match at.find(hash, workspace, &settle.contact) {
            Some(id) => at.settle(id, settle),
            None => Settled::LeaseLost,
        }
    }
}

impl Shard {
    fn settle(&mut self, id: u32, settle: &Settle) -> Settled {
        let slot = &mut self.slots[id];
        if !slot.lease.is_held_by(settle.token, settle.now) {
            return Settled::LeaseLost;
        }
        slot.claims = 0;
        slot.settled = slot.settled.max(settle.settled);
        if let Some(record) = &mut slot.record {
            record.release_settled(slot.settled);
        }
        if slot.revision != settle.revision {
            return Settled::Conflict { settled: slot.settled };
        }
        slot.lease = LeaseState::free();
        slot.quarantined |= settle.quarantine;
        let due_at = if slot.quarantined { None } else { settle.due_at };
        self.due.set_due(id, slot, due_at, settle.now);
        Settled::Done
    }
}
