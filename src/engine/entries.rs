//! The flows of a workspace as this process has read them. The first read carries all of them, each
//! later one what was saved since (SEMANTICS L10).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;

use crate::address::Account;
use crate::engine::Ports;
use crate::error::Error;
use crate::gather::Gather;
use crate::id::{FlowId, WorkspaceId};
use crate::store::{Catalogue, CatalogueChanges, FlowEntry};

type Map<K, V> = HashMap<K, V, RandomState>;

/// The entries that were read.
#[derive(Default)]
pub(super) struct KnownEntries(Mutex<ReadEntries>);

#[derive(Default)]
struct ReadEntries {
    /// The store's revision; None: nothing was read yet.
    revision: Option<u64>,
    flows: Map<FlowId, KnownEntry>,
    /// The flow that changed at each count, unless it has changed again.
    by_count: BTreeMap<u64, FlowId>,
    /// Flows by their accounts.
    by_account: Map<Account, BTreeSet<FlowId>>,
    /// Counts the changes that were read.
    count: u64,
    /// Counts the reads that were begun.
    begun: u64,
    /// The youngest read that was taken, by its beginning, and the youngest of the whole.
    taken: u64,
    taken_whole: u64,
}

struct KnownEntry {
    /// None: the store does not have it any more.
    entry: Option<Arc<FlowEntry>>,
    count: u64,
}

/// The state that was read last: the store's revision, and the count of changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ReadState {
    pub(super) revision: u64,
    pub(super) count: u64,
}

/// Flows that changed, each with its entry; None: it is not there any more.
pub(super) type ChangedEntries = Vec<(FlowId, Option<Arc<FlowEntry>>)>;

/// A read that was begun.
struct BegunRead {
    number: u64,
    since: Option<u64>,
    /// The read of the whole that it continues.
    after_whole: u64,
}

impl KnownEntries {
    fn known(&self) -> MutexGuard<'_, ReadEntries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what changed in the store by now. What is known after that is never older than this
    /// call.
    pub(super) async fn read(&self, ports: &Ports, workspace: &WorkspaceId) -> Result<ReadState, Error> {
        loop {
            let begun = self.known().begin();
            let changes = match begun.since {
                Some(revision) => ports.flow_store.changes(workspace, revision).await?,
                None => CatalogueChanges::Whole(ports.flow_store.catalogue(workspace).await?),
            };
            let mut known = self.known();
            if known.take(&begun, changes) {
                return Ok(known.state());
            }
        }
    }

    /// A flow, also one that was deleted.
    pub(super) fn get(&self, flow: &FlowId) -> Option<Arc<FlowEntry>> {
        self.known().flows.get(flow)?.entry.clone()
    }

    /// All flows, those that were deleted among them.
    pub(super) fn all(&self) -> Vec<Arc<FlowEntry>> {
        self.known().flows.values().filter_map(|known| known.entry.clone()).collect()
    }

    /// The flows that are bound to an account.
    pub(super) fn bound_to(&self, account: &Account) -> Vec<Arc<FlowEntry>> {
        let known = self.known();
        let flows = known.by_account.get(account).into_iter().flatten();
        flows.filter_map(|flow| known.flows.get(flow)?.entry.clone()).collect()
    }

    /// Returns the flows that changed after this count, and these flows in any case.
    pub(super) fn changed(&self, count: u64, also: &BTreeSet<FlowId>) -> (ReadState, ChangedEntries) {
        let known = self.known();
        let with_entry = |flow: &FlowId| {
            let entry = known.flows.get(flow).and_then(|known| known.entry.clone());
            (flow.clone(), entry)
        };
        let changed = known.by_count.range(count.saturating_add(1)..).map(|(_, flow)| flow);
        let is_old = |flow: &&FlowId| known.flows.get(*flow).is_some_and(|known| known.count <= count);
        let changed = changed.chain(also.iter().filter(is_old)).map(with_entry).collect();
        (known.state(), changed)
    }
}

impl ReadEntries {
    fn state(&self) -> ReadState {
        ReadState { revision: self.revision.unwrap_or_default(), count: self.count }
    }

    fn begin(&mut self) -> BegunRead {
        self.begun += 1;
        BegunRead { number: self.begun, since: self.revision, after_whole: self.taken_whole }
    }

    /// Takes an answer in, unless one of a read that was begun later was taken already. False: it
    /// continues from what is not known any more, and is to be read again.
    fn take(&mut self, begun: &BegunRead, changes: CatalogueChanges) -> bool {
        if begun.number < self.taken {
            return true;
        }
        match changes {
            CatalogueChanges::Since(_) if begun.after_whole != self.taken_whole => return false,
            // Another read that was begun before was answered after this one.
            CatalogueChanges::Since(changed) if Some(changed.revision) < self.revision => {}
            CatalogueChanges::Since(changed) => self.put(changed),
            CatalogueChanges::Whole(whole) => {
                let there: BTreeSet<FlowId> = whole.flows.iter().map(|entry| entry.flow.clone()).gather();
                let gone: Vec<FlowId> =
                    self.flows.keys().filter(|flow| !there.contains(*flow)).cloned().collect();
                gone.into_iter().for_each(|flow| self.set(flow, None));
                self.put(whole);
                self.taken_whole = begun.number;
            }
        }
        self.taken = begun.number;
        true
    }

    fn put(&mut self, read: Catalogue) {
        self.revision = Some(read.revision);
        for entry in read.flows {
            self.set(entry.flow.clone(), Some(Arc::new(entry)));
        }
    }

    fn set(&mut self, flow: FlowId, entry: Option<Arc<FlowEntry>>) {
        if let Some(old) = self.flows.get(&flow) {
            if old.entry == entry {
                return;
            }
            self.by_count.remove(&old.count);
            for account in old.entry.iter().flat_map(|entry| &entry.accounts) {
                if let Some(bound) = self.by_account.get_mut(account) {
                    bound.remove(&flow);
                    if bound.is_empty() {
                        self.by_account.remove(account);
                    }
                }
            }
        }
        for account in entry.iter().flat_map(|entry| &entry.accounts) {
            self.by_account.entry(account.clone()).or_default().insert(flow.clone());
        }
        self.count += 1;
        self.by_count.insert(self.count, flow.clone());
        self.flows.insert(flow, KnownEntry { entry, count: self.count });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(code: &str, revision: u64) -> FlowEntry {
        let json = format!(
            r#"{{"flow": "{code}", "name": "{code}", "created_at": "2026-01-01T00:00:00Z", "revision": {revision}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    fn since(revision: u64, flows: Vec<FlowEntry>) -> CatalogueChanges {
        CatalogueChanges::Since(Catalogue { revision, flows })
    }

    fn whole(revision: u64, flows: Vec<FlowEntry>) -> CatalogueChanges {
        CatalogueChanges::Whole(Catalogue { revision, flows })
    }

    /// Returns what is known after the whole was read once.
    fn known(revision: u64, flows: Vec<FlowEntry>) -> ReadEntries {
        let mut known = ReadEntries::default();
        let begun = known.begin();
        assert!(known.take(&begun, whole(revision, flows)));
        known
    }

    fn revision_of(known: &ReadEntries, code: &str) -> Option<u64> {
        let flow = FlowId::new(code).unwrap();
        Some(known.flows.get(&flow)?.entry.as_ref()?.revision)
    }

    #[test]
    fn an_answer_that_was_overtaken_changes_nothing() {
        let mut known = known(1, vec![entry("a", 1)]);
        let (first, second) = (known.begin(), known.begin());
        assert!(known.take(&second, since(3, vec![entry("a", 3)])));
        assert!(known.take(&first, since(2, vec![entry("a", 2)])));
        assert_eq!((known.revision, revision_of(&known, "a")), (Some(3), Some(3)));
        let (first, second) = (known.begin(), known.begin());
        assert!(known.take(&first, since(5, vec![entry("a", 5)])));
        assert!(known.take(&second, since(4, vec![entry("a", 4)])));
        assert_eq!((known.revision, revision_of(&known, "a")), (Some(5), Some(5)));
        let (first, second) = (known.begin(), known.begin());
        assert!(known.take(&second, since(6, vec![entry("b", 1)])));
        assert!(known.take(&first, whole(5, vec![entry("a", 5)])));
        assert_eq!((known.revision, revision_of(&known, "b")), (Some(6), Some(1)));
    }

    #[test]
    fn changes_since_what_is_not_known_any_more_are_read_again() {
        let mut known = known(7, vec![entry("a", 7), entry("b", 1)]);
        let (first, second) = (known.begin(), known.begin());
        assert!(known.take(&first, whole(2, vec![entry("a", 2)])));
        assert!(!known.take(&second, since(8, vec![entry("c", 1)])));
        assert_eq!(
            (known.revision, revision_of(&known, "b"), revision_of(&known, "c")),
            (Some(2), None, None)
        );
    }

    #[test]
    fn a_flow_is_told_as_changed_once_and_only_if_it_changed() {
        let mut known = known(1, vec![entry("a", 1), entry("b", 1)]);
        let before = known.state();
        let begun = known.begin();
        known.take(&begun, whole(4, vec![entry("a", 1), entry("b", 3)]));
        let entries = KnownEntries(Mutex::new(known));
        let told = |also: &[&str]| {
            let also = also.iter().map(|code| FlowId::new(code).unwrap()).collect();
            let (state, changed) = entries.changed(before.count, &also);
            (state.revision, changed.iter().map(|(flow, _)| flow.to_string()).collect::<Vec<_>>())
        };
        assert_eq!(told(&[]), (4, vec!["b".to_owned()]));
        assert_eq!(told(&["a", "b"]), (4, vec!["b".to_owned(), "a".to_owned()]));
    }
}
