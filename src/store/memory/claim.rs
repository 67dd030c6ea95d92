//! Claiming conversations with work due.

use chrono::{DateTime, Utc};

use crate::store::memory::MemoryStore;
use crate::store::memory::due::NEVER;
use crate::store::memory::shard::{At, Shard};
use crate::store::memory::slot::lease_end;
use crate::store::{Due, Leased, LeasedConversation};

impl MemoryStore {
    pub(super) fn lease_due_now(&self, due: &Due) -> Leased {
        let mut ready = self.surface(due);
        let mut claimed = Vec::new();
        while claimed.len() < due.limit
            && let Some(at) = longest_overdue(&mut ready, due)
        {
            claimed.extend(at.claim(due));
        }
        for at in &mut ready {
            at.due.refresh();
        }
        drop(ready);
        let conversations = claimed
            .into_iter()
            .map(|(workspace, stored, claims)| LeasedConversation {
                workspace: self.workspaces.name(workspace),
                stored,
                claims,
            })
            .collect();
        if due.suspects {
            let next_due = self.shards.each().filter_map(|at| at.due.next_suspect()).min();
            return Leased { conversations, next_due, store_time: None };
        }
        let next = (0..self.shards.len()).map(|number| self.shards.earliest(number)).min().unwrap_or(NEVER);
        let next_due = (next != NEVER).then(|| DateTime::from_timestamp_millis(next).unwrap_or(due.now));
        Leased { conversations, next_due, store_time: None }
    }

    /// Locks those shards that have work, in ascending order. What has come due is brought up
    /// first, one shard after the other.
    fn surface(&self, due: &Due) -> Vec<At<'_>> {
        let now = due.now.timestamp_millis();
        let has_work = |number: &usize| self.shards.earliest(*number) <= now;
        let mut shards: Vec<usize> = (0..self.shards.len()).filter(has_work).collect();
        shards.retain(|number| {
            let shard = &mut *self.shards.at(*number);
            shard.due.surface(&mut shard.slots, due.now);
            let is_ready = shard.first(due).is_some();
            shard.due.refresh();
            is_ready
        });
        shards.into_iter().map(|number| self.shards.at(number)).collect()
    }
}

/// Among locked shards the one with the conversation that has waited longest.
fn longest_overdue<'a, 's>(ready: &'a mut [At<'s>], due: &Due) -> Option<&'a mut At<'s>> {
    ready
        .iter_mut()
        .filter_map(|at| {
            let shard = &mut **at;
            let (due_at, _) = shard.first(due)?;
            Some((due_at, at))
        })
        .min_by_key(|(due_at, _)| *due_at)
        .map(|(_, at)| at)
}

impl Shard {
    /// The conversation that this claim takes first, and since when it could be taken.
    fn first(&mut self, due: &Due) -> Option<(DateTime<Utc>, u32)> {
        if due.suspects {
            self.due.first_suspect(&mut self.slots, due.now)
        } else {
            self.due.first_ready(&mut self.slots, due.now)
        }
    }

    /// Leases the longest overdue conversation of this shard.
    fn claim(&mut self, due: &Due) -> Option<(u32, crate::store::StoredConversation, u32)> {
        let (_, id) = self.first(due)?;
        let until = lease_end(due.now, due.lease);
        self.due.claim(&mut self.slots, due.token, until, due.suspects);
        let slot = self.slot(id);
        Some((slot.workspace, slot.stored(slot.record(), due.token, due.now), slot.claims))
    }
}
