//! The caches of all workspaces that this process works in, at most so many: a workspace is
//! whatever name a caller gives, and a process must not grow with each.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use foldhash::fast::RandomState;

use crate::engine::catalogue::WorkspaceFlows;
use crate::id::WorkspaceId;

/// The caches of workspaces, by name. Beyond the most that are kept those go that were not asked
/// for the longest; one that a handle of the engine holds never goes, since it is in memory all the
/// same, and two caches of one workspace would not tell each other what was changed.
pub(super) struct Catalogues {
    cached: RwLock<Cached>,
    most: usize,
    /// Counts what is asked for: the age of an entry is how far it lies behind.
    asked: AtomicU64,
}

struct Cached {
    entries: HashMap<WorkspaceId, CachedWorkspace, RandomState>,
    /// Beyond so many it is looked for what can go.
    full_at: usize,
}

struct CachedWorkspace {
    flows: Arc<WorkspaceFlows>,
    asked_last: AtomicU64,
}

impl Catalogues {
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        let cached = Cached { entries: HashMap::default(), full_at: most };
        Self { cached: RwLock::new(cached), most, asked: AtomicU64::new(0) }
    }

    pub(super) fn of(&self, workspace: &WorkspaceId) -> Arc<WorkspaceFlows> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        if let Some(entry) = self.cached.read().unwrap_or_else(PoisonError::into_inner).entries.get(workspace)
        {
            entry.asked_last.store(asked, Ordering::Relaxed);
            return Arc::clone(&entry.flows);
        }
        let mut cached = self.cached.write().unwrap_or_else(PoisonError::into_inner);
        let new = || CachedWorkspace { flows: Arc::default(), asked_last: AtomicU64::new(asked) };
        let flows = Arc::clone(&cached.entries.entry(workspace.clone()).or_insert_with(new).flows);
        if cached.entries.len() > cached.full_at {
            cached.shrink(self.most);
        }
        flows
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.cached.read().unwrap_or_else(PoisonError::into_inner).entries.len()
    }
}

impl Cached {
    /// Makes room for some more than one, so that not each new workspace looks through all of them.
    fn shrink(&mut self, most: usize) {
        let target = most - most / 8;
        let free = self.entries.values().filter(|entry| Arc::strong_count(&entry.flows) == 1);
        let mut ages: Vec<u64> = free.map(|entry| entry.asked_last.load(Ordering::Relaxed)).collect();
        let surplus = self.entries.len().saturating_sub(target).min(ages.len());
        ages.sort_unstable();
        if let Some(youngest) = surplus.checked_sub(1).and_then(|place| ages.get(place).copied()) {
            self.entries.retain(|_, entry| {
                Arc::strong_count(&entry.flows) > 1 || entry.asked_last.load(Ordering::Relaxed) > youngest
            });
        }
        self.entries.shrink_to(most);
        let held = self.entries.len();
        self.full_at = most.max(held + held / 8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: usize) -> WorkspaceId {
        WorkspaceId::new(format!("w{number}")).unwrap()
    }

    #[test]
    fn workspaces_that_were_once_named_do_not_stay() {
        let catalogues = Catalogues::new(100);
        for number in 0..100_000 {
            catalogues.of(&name(number));
            assert!(catalogues.len() <= 100, "after {number}");
        }
    }

    #[test]
    fn what_was_not_asked_for_the_longest_goes() {
        let catalogues = Catalogues::new(8);
        let often = Arc::downgrade(&catalogues.of(&name(0)));
        let once = Arc::downgrade(&catalogues.of(&name(1)));
        for number in 2..100 {
            catalogues.of(&name(number));
            catalogues.of(&name(0));
        }
        assert!(often.upgrade().is_some() && once.upgrade().is_none());
    }

    #[test]
    fn what_a_handle_holds_stays_one_cache() {
        let catalogues = Catalogues::new(4);
        let held: Vec<_> = (0..50).map(|number| catalogues.of(&name(number))).collect();
        for number in 50..500 {
            catalogues.of(&name(number));
        }
        assert!(
            held.iter().enumerate().all(|(number, flows)| Arc::ptr_eq(flows, &catalogues.of(&name(number))))
        );
        assert!(catalogues.len() <= 60);
    }
}
