//! Many flows (SEMANTICS L10), as scenarios for any store that keeps flows. `open` makes an empty
//! one.
#![allow(dead_code, reason = "stores without conversations need a part of it")]

use std::sync::{Arc, Mutex};

use chatflow::id::FlowVersion;
use chatflow::ops::{FlowStatus, Unpublish};
use chatflow::store::{
    Catalogue, CatalogueChanges, ConversationStore, FlowChange, FlowEntry, FlowSaved, FlowStore,
};
use chatflow::testkit::Recorder;
use chatflow::{Engine, FlowId, MemoryStore, StoreError, TriggerRequest, WorkspaceId};

/// The requests to a store of flows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) reads: usize,
    pub(crate) saves: usize,
    /// The entries that reads answered.
    pub(crate) entries: usize,
    /// The bytes of those entries and of definitions.
    pub(crate) bytes: usize,
}

/// Counts what a store of flows is asked, and what it answers.
#[derive(Clone)]
pub(crate) struct Metered<F> {
    flows: F,
    cost: Arc<Mutex<Cost>>,
}

impl<F> Metered<F> {
    pub(crate) fn new(flows: F) -> Self {
        Self { flows, cost: Arc::default() }
    }

    /// The cost since it was taken the last time.
    pub(crate) fn take_cost(&self) -> Cost {
        std::mem::take(&mut *self.cost.lock().unwrap())
    }

    fn read(&self, entries: &[FlowEntry]) {
        let mut cost = self.cost.lock().unwrap();
        cost.reads += 1;
        cost.entries += entries.len();
        cost.bytes += entries.iter().map(|entry| serde_json::to_vec(entry).unwrap().len()).sum::<usize>();
    }
}

impl<F: FlowStore> FlowStore for Metered<F> {
    async fn revision(&self, workspace: &WorkspaceId) -> Result<u64, StoreError> {
        self.read(&[]);
        self.flows.revision(workspace).await
    }
    async fn catalogue(&self, workspace: &WorkspaceId) -> Result<Catalogue, StoreError> {
        let catalogue = self.flows.catalogue(workspace).await?;
        self.read(&catalogue.flows);
        Ok(catalogue)
    }
    async fn definition(
        &self,
        workspace: &WorkspaceId,
        flow: &FlowId,
        version: Option<FlowVersion>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        let text = self.flows.definition(workspace, flow, version).await?;
        self.read(&[]);
        self.cost.lock().unwrap().bytes += text.as_deref().map_or(0, str::len);
        Ok(text)
    }
    async fn save(&self, workspace: &WorkspaceId, change: FlowChange) -> Result<FlowSaved, StoreError> {
        self.cost.lock().unwrap().saves += 1;
        self.flows.save(workspace, change).await
    }
    async fn save_all(
        &self,
        workspace: &WorkspaceId,
        changes: Vec<FlowChange>,
    ) -> Result<FlowSaved, StoreError> {
        self.cost.lock().unwrap().saves += 1;
        self.flows.save_all(workspace, changes).await
    }
    async fn changes(&self, workspace: &WorkspaceId, since: u64) -> Result<CatalogueChanges, StoreError> {
        let changes = self.flows.changes(workspace, since).await?;
        let (CatalogueChanges::Since(read) | CatalogueChanges::Whole(read)) = &changes;
        self.read(&read.flows);
        Ok(changes)
    }
}

/// So many flows that calls start, with this text.
pub(crate) fn library(count: usize, says: &str) -> Vec<String> {
    let one = |number| {
        format!(
            r#"{{"spec": 1, "code": "flow-{number}", "trigger": {{"kind": "manual"}},
            "settings": {{"sender": {{"channel": "sms", "account": "+15550100"}}}},
            "nodes": [{{"id": "start", "kind": "start"}}, {{"id": "hi", "kind": "send_message", "text": "{says} {number}"}}],
            "edges": [{{"from": "start", "to": "hi"}}]}}"#
        )
    };
    (0..count).map(one).collect()
}

/// A process at its start.
fn engine<F: FlowStore + Clone + 'static>(flows: &Metered<F>) -> Engine<MemoryStore> {
    Engine::builder(MemoryStore::new()).flow_store(flows.clone()).build()
}

/// The cost of ensuring so many flows one by one: at first, and at the next start.
async fn one_by_one<F: FlowStore + Clone + 'static>(flows: &Metered<F>, count: usize) -> [Cost; 2] {
    let library = library(count, "Hi");
    let mut costs = [Cost::default(); 2];
    for cost in &mut costs {
        let bot = engine(flows);
        for json in &library {
            bot.flows().ensure(json).await.unwrap();
        }
        *cost = flows.take_cost();
    }
    costs
}

/// Four times as many flows cost four times as much, whether they are new or known.
pub(crate) async fn one_by_one_costs_what_each_does<F: FlowStore + Clone + 'static>(
    open: impl AsyncFn() -> F,
) {
    let few = one_by_one(&Metered::new(open().await), 25).await;
    let many = one_by_one(&Metered::new(open().await), 100).await;
    for (few, many) in few.into_iter().zip(many) {
        assert!(many.reads <= 4 * few.reads, "{few:?} {many:?}");
        // Nobody reads the one that was written last.
        assert!(many.entries <= 4 * (few.entries + 1), "{few:?} {many:?}");
        // Codes have a digit more.
        assert!(many.bytes <= 4 * (few.bytes + 400), "{few:?} {many:?}");
        assert!(many.saves <= 4 * few.saves, "{few:?} {many:?}");
    }
}

/// All at once cost one read and one save; at the next start one read, which carries each entry
/// once; and a change of a few reads and writes no more than that.
pub(crate) async fn all_at_once_cost_one_read_and_one_save<F: FlowStore + Clone + 'static>(
    open: impl AsyncFn() -> F,
) {
    for count in [25, 100] {
        let flows = Metered::new(open().await);
        let bot = engine(&flows);
        let states = bot.flows().ensure_all(library(count, "Hi")).await.unwrap();
        assert!(states.iter().all(|state| state.online == Some(FlowVersion(1))));
        assert_eq!(flows.take_cost(), Cost { reads: 1, saves: 1, ..Cost::default() });
        assert_eq!(bot.flows().list().await.unwrap().len(), count);
        flows.take_cost();

        let restarted = engine(&flows);
        assert_eq!(restarted.flows().ensure_all(&library(count, "Hi")).await.unwrap(), states);
        let cost = flows.take_cost();
        assert_eq!((cost.reads, cost.saves, cost.entries), (1, 0, count));
        restarted.flows().ensure_all(&library(count, "Hi")).await.unwrap();
        assert_eq!(flows.take_cost(), Cost { reads: 1, ..Cost::default() });

        let mut edited = library(count, "Hi");
        edited.splice(3..6, library(6, "Bye").split_off(3));
        restarted.flows().ensure_all(edited).await.unwrap();
        assert_eq!(flows.take_cost(), Cost { reads: 1, saves: 1, ..Cost::default() });
        bot.flows().list().await.unwrap();
        let cost = flows.take_cost();
        assert_eq!((cost.reads, cost.entries), (1, 3), "what this process had read before is not read again");
    }
}

/// Two processes on one store: each sees at once what the other publishes and takes away, and reads
/// no more than that.
pub(crate) async fn a_publish_elsewhere_carries_one_flow<F: FlowStore + Clone + 'static>(
    open: impl AsyncFn() -> F,
) {
    let store = open().await;
    let (here, there) = (Metered::new(store.clone()), Metered::new(store));
    let (bot, other) = (engine(&here), engine(&there));
    let all = library(50, "Hi");
    bot.flows().ensure_all(&all).await.unwrap();
    assert_eq!(other.flows().list().await.unwrap().len(), 50);
    assert_eq!(there.take_cost().entries, 50);
    let flow = FlowId::new("flow-7").unwrap();
    for round in 2..6 {
        let json = &library(8, &format!("Round {round}"))[7];
        bot.flows().ensure(json).await.unwrap();
        let found = other.flows().get(&flow).await.unwrap().unwrap();
        assert_eq!(found.online, Some(FlowVersion(round)));
        assert_eq!(there.take_cost().entries, 1);
    }
    bot.flows().unpublish(&flow, Unpublish::Drain).await.unwrap();
    bot.flows().delete(&flow).await.unwrap();
    assert_eq!(other.flows().get(&flow).await.unwrap(), None);
    assert_eq!(other.flows().list().await.unwrap().len(), 49);
    let cost = there.take_cost();
    assert_eq!((cost.reads, cost.entries), (2, 1));
}

/// Two processes with conversations and flows in one store: the next call of the one starts the
/// version that the other has just published, and reads no more than that flow. `open` is what a
/// process does at its start.
pub(crate) async fn the_next_call_elsewhere_reads_what_changed<S>(open: impl AsyncFn() -> S)
where
    S: ConversationStore + FlowStore + Clone + 'static,
{
    let (here, there) = (open().await, open().await);
    let flows = Metered::new(there.clone());
    let bot = Engine::builder(here).transport(Recorder::new()).build();
    let other = Engine::builder(there).flow_store(flows.clone()).transport(Recorder::new()).build();
    bot.flows().ensure_all(library(50, "Hi")).await.unwrap();
    for round in 1..6 {
        bot.flows().ensure(&library(8, &format!("Round {round}"))[7]).await.unwrap();
        let request = TriggerRequest::new("flow-7").phone(format!("+1415555010{round}"));
        let started = other.trigger(request).await.unwrap();
        assert_eq!(started.session().unwrap().flow_version, FlowVersion(round + 1));
        assert_eq!(flows.take_cost().entries, if round == 1 { 50 } else { 1 });
    }
}

/// Of several processes that start at the same time with the same flows one publishes them.
pub(crate) async fn starts_at_the_same_time_publish_once<F: FlowStore + Clone + 'static>(
    open: impl AsyncFn() -> F,
) {
    let flows = Metered::new(open().await);
    let all = library(20, "Hi");
    let states: Vec<Vec<FlowStatus>> = std::thread::scope(|scope| {
        let start = || pollster::block_on(engine(&flows).flows().ensure_all(&all)).unwrap();
        let starts = [(); 4].map(|()| scope.spawn(start));
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    for states in states {
        assert!(states.iter().all(|state| state.versions.len() == 1 && state.revision == 1));
    }
}
