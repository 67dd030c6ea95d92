//! Counting what lives and removing what is past its retention.

use crate::address::Alias;
use crate::store::memory::MemoryStore;
use crate::store::memory::archive::EndedSession;
use crate::store::memory::shard::{At, Shard};
use crate::store::memory::slot::Slot;
use crate::store::{Live, Purge, Purged};

/// The number of one kind that a purge may still remove.
pub(super) struct Sweep {
    left: usize,
    taken: usize,
    more: bool,
}

impl Sweep {
    fn new(limit: usize) -> Self {
        Self { left: limit, taken: 0, more: false }
    }

    /// True if one more may be removed.
    pub(super) fn take(&mut self) -> bool {
        if self.left == 0 {
            self.more = true;
            return false;
        }
        self.left -= 1;
        self.taken += 1;
        true
    }
}

impl MemoryStore {
    pub(super) fn purge_now(&self, purge: &Purge) -> Purged {
        let new = || Sweep::new(purge.limit);
        let (mut keys, mut sessions, mut journal, mut counts) = (new(), new(), new(), new());
        self.keys.purge(purge.now, &mut keys);
        for mut at in self.shards.each() {
            for ended in at.archive.purge(purge.ended_before, &mut sessions) {
                self.forget(&at, &ended);
            }
            at.journal.purge(purge.journal_before, &mut journal);
            at.counters.purge(purge.counts_before_minute(), &mut counts);
            self.reuse(&mut at);
        }
        Purged {
            keys: keys.taken,
            sessions: sessions.taken,
            journal: journal.taken,
            counts: counts.taken,
            more: keys.more || sessions.more || journal.more || counts.more,
        }
    }

    /// Has slots of erased contacts used again whose place no key names any more. No new key can
    /// name it meanwhile: that takes a commit of the contact.
    fn reuse(&self, at: &mut At<'_>) {
        let vacant = at.take_vacant();
        let mut places: Vec<u32> = vacant.iter().filter_map(|id| at.place(*id as usize)).collect();
        if places.is_empty() {
            return;
        }
        places.sort_unstable();
        let named = self.keys.named(&places);
        let is_named = |id: &u32| at.place(*id as usize).is_none_or(|place| named.contains(&place));
        let (named, free) = vacant.into_iter().partition(is_named);
        at.give_vacant(free, named);
    }

    /// Drops the alias of an ended session.
    fn forget(&self, at: &At<'_>, ended: &EndedSession) {
        let hash = self.shards.hash(ended.workspace, ended.record.contact());
        let slot = at.find(hash, ended.workspace, ended.record.contact());
        if let Some(place) = slot.and_then(|id| at.place(id as usize)) {
            let alias = Alias::Session(ended.record.session().id());
            self.aliases.hold(ended.workspace, &[], std::slice::from_ref(&alias)).drop(
                ended.workspace,
                &alias,
                place,
            );
        }
    }

    pub(super) fn live_now(&self, live: &Live) -> u64 {
        let Some(workspace) = self.workspaces.find(&live.workspace) else { return 0 };
        self.shards.each().map(|mut at| at.live(workspace, live)).sum()
    }
}

impl Shard {
    fn live(&mut self, workspace: u32, live: &Live) -> u64 {
        let mut sum = 0;
        for (id, slot) in (0..).zip(self.slots.iter_mut()) {
            let count = if slot.workspace == workspace { slot.live(live) } else { 0 };
            sum += count;
            if let Some(wake_at) = live.wake_at.filter(|_| count > 0) {
                let due_at = slot.due_at.map_or(wake_at, |due_at| due_at.min(wake_at));
                self.due.set_due(id, slot, Some(due_at), wake_at);
            }
        }
        sum
    }
}

impl Slot {
    /// Returns the number of sessions of this conversation that are meant. A record that cannot be
    /// read has none.
    fn live(&self, live: &Live) -> u64 {
        let Some(Ok(conversation)) = self.record.as_ref().map(|record| record.conversation()) else {
            return 0;
        };
        let is_meant = |session: &&crate::session::Session| session.needs(&live.flow, live.version);
        conversation.sessions().iter().filter(is_meant).count() as u64
    }
}
