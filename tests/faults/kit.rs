//! A world whose every outside operation (store, transport, host call) is counted and can be made
//! to fail, to hang or to yield; and engines that come and go in it.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use chatflow::calls::{Answer, Call, CallRef};
use chatflow::store::{
    Commit, Committed, ConversationStore, Due, Erase, Leased, Live, Loaded, Lookup, MemoryFlows, Purge,
    Purged, Removed, SessionQuery, SessionRecord, Settle, Settled, StoreQueries, Txn,
};
use chatflow::testkit::{CountingIds, ManualClock};
use chatflow::{
    Address, Builder, CallError, Calls, Clock, Engine, Error, MemoryStore, MessageId, Outbound, Receipt,
    SendError, SessionRef, StoreError, Transport, WorkspaceId,
};
use chrono::{DateTime, TimeDelta, Utc};

/// A fault at an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blow {
    /// Not done, and says so.
    Before,
    /// Done, and says that this is not known.
    After,
    /// Not done, and says that this is not known.
    UnknownBefore,
    /// Not done; the process dies there.
    DeathBefore,
    /// Done; the process dies before it hears of it.
    DeathAfter,
}

pub(crate) const BLOWS: [Blow; 5] =
    [Blow::Before, Blow::After, Blow::UnknownBefore, Blow::DeathBefore, Blow::DeathAfter];

/// The plan of a world: which operation fails, and how far it has come. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    done: usize,
    blow: Option<(usize, Blow)>,
    log: Vec<&'static str>,
    /// True if each operation is pending once before it begins and once after it is done.
    yields: bool,
    dead: bool,
}

impl Plan {
    fn state<T>(&self, read: impl FnOnce(&mut State) -> T) -> T {
        read(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn strike(&self, place: usize, blow: Blow) {
        self.state(|state| state.blow = Some((place, blow)));
    }

    pub(crate) fn yield_at_each(&self, yields: bool) {
        self.state(|state| state.yields = yields);
    }

    pub(crate) fn log(&self) -> Vec<&'static str> {
        self.state(|state| state.log.clone())
    }

    /// True if the process died since this was last asked.
    pub(crate) fn take_death(&self) -> bool {
        self.state(|state| std::mem::take(&mut state.dead))
    }

    fn begin(&self, what: &'static str) -> Option<Blow> {
        self.state(|state| {
            let place = state.done;
            state.done += 1;
            state.log.push(what);
            state.blow.filter(|(at, _)| *at == place).map(|(_, blow)| blow)
        })
    }

    async fn pause(&self) {
        if !self.state(|state| state.yields) {
            return;
        }
        let mut waited = false;
        poll_fn(|context| {
            if std::mem::replace(&mut waited, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    async fn die<T>(&self) -> T {
        self.state(|state| state.dead = true);
        std::future::pending().await
    }

    /// One operation that fails as planned.
    async fn run<T, E>(
        &self,
        what: &'static str,
        work: impl Future<Output = Result<T, E>>,
        surely_not: impl FnOnce() -> E,
        unknown: impl FnOnce() -> E,
    ) -> Result<T, E> {
        let blow = self.begin(what);
        self.pause().await;
        let outcome = match blow {
            None => work.await,
            Some(Blow::Before) => Err(surely_not()),
            Some(Blow::UnknownBefore) => Err(unknown()),
            Some(Blow::After) => {
                work.await?;
                Err(unknown())
            }
            Some(Blow::DeathBefore) => self.die().await,
            Some(Blow::DeathAfter) => {
                let _ = work.await;
                self.die().await
            }
        };
        self.pause().await;
        outcome
    }

    async fn store<T>(
        &self,
        what: &'static str,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.run(
            what,
            work,
            || StoreError::transient("failed as planned"),
            || StoreError::unknown("lost as planned"),
        )
        .await
    }
}

/// A store whose operations follow a plan.
#[derive(Clone)]
pub(crate) struct Gate<S> {
    pub(crate) inner: S,
    plan: Plan,
    /// True if the store inside decides under its own lock; else each decision is a load and a
    /// commit.
    whole: bool,
}

impl<S: ConversationStore> ConversationStore for Gate<S> {
    async fn load(&self, lookup: &Lookup) -> Result<Loaded, StoreError> {
        self.plan.store("load", self.inner.load(lookup)).await
    }
    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        self.plan.store("commit", self.inner.commit(commit)).await
    }
    async fn settle(&self, settle: &Settle) -> Result<Settled, StoreError> {
        self.plan.store("settle", self.inner.settle(settle)).await
    }
    async fn lease_due(&self, due: &Due) -> Result<Leased, StoreError> {
        self.plan.store("lease_due", self.inner.lease_due(due)).await
    }
    async fn live(&self, live: &Live) -> Result<u64, StoreError> {
        self.plan.store("live", self.inner.live(live)).await
    }
    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        self.plan.store("purge", self.inner.purge(purge)).await
    }
    async fn erase(&self, erase: &Erase) -> Result<Option<Removed>, StoreError> {
        self.plan.store("erase", self.inner.erase(erase)).await
    }
    async fn update(
        &self,
        lookup: &Lookup,
        decide: &mut (dyn FnMut(&mut Txn<'_>) + Send),
    ) -> Result<Option<Committed>, StoreError> {
        if self.whole {
            return self.plan.store("update", self.inner.update(lookup, decide)).await;
        }
        let mut txn = Txn::new(lookup, self.load(lookup).await?);
        decide(&mut txn);
        match txn.into_commit() {
            Some(commit) => self.commit(commit).await.map(Some),
            None => Ok(None),
        }
    }
}

/// A transport that follows a plan and keeps what it took.
#[derive(Clone)]
pub(crate) struct Wire {
    plan: Plan,
    taken: Arc<Mutex<Vec<Outbound>>>,
    /// The address that receipts name.
    named: Arc<Mutex<Option<Address>>>,
}

impl Wire {
    /// Receipts name this address from now on.
    pub(crate) fn name(&self, address: Address) {
        *self.named.lock().unwrap_or_else(PoisonError::into_inner) = Some(address);
    }

    /// Every hand-over, repeats included.
    pub(crate) fn taken(&self) -> Vec<Outbound> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The messages by destination, each where it was first handed over.
    pub(crate) fn firsts(&self) -> BTreeMap<String, Vec<Outbound>> {
        let mut seen = std::collections::HashSet::new();
        let mut firsts: BTreeMap<String, Vec<Outbound>> = BTreeMap::new();
        for message in self.taken() {
            if seen.insert(message.id) {
                firsts.entry(route(&message)).or_default().push(message);
            }
        }
        firsts
    }

    /// INV-O3: an id names one text, and a text goes out under one id.
    pub(crate) fn check_ids(&self) {
        let mut by_id: BTreeMap<String, Outbound> = BTreeMap::new();
        let mut by_text: BTreeMap<(String, String), MessageId> = BTreeMap::new();
        for message in self.taken() {
            let first = by_id.entry(format!("{:?}", message.id)).or_insert_with(|| message.clone());
            assert_eq!(*first, message, "one id, two messages");
            let place = (route(&message), message.text().to_owned());
            let id = *by_text.entry(place).or_insert(message.id);
            assert_eq!(id, message.id, "`{}` went out under two ids", message.text());
        }
    }
}

/// Where a message goes, for people.
pub(crate) fn route(message: &Outbound) -> String {
    serde_json::to_string(&message.route).expect("a route has a JSON form")
}

impl Transport for Wire {
    async fn send(&self, message: &Outbound) -> Result<Receipt, SendError> {
        let take = async {
            self.taken.lock().unwrap_or_else(PoisonError::into_inner).push(message.clone());
            let named = self.named.lock().unwrap_or_else(PoisonError::into_inner).clone();
            Ok(named.map_or_else(Receipt::new, Receipt::known_as))
        };
        let no = || SendError::retry("failed as planned");
        self.plan.run("send", take, no, no).await
    }
}

/// A desk that answers host calls: `now…` at once, anything else later.
#[derive(Clone)]
pub(crate) struct Desk {
    plan: Plan,
    asked: Arc<Mutex<Vec<Call>>>,
}

impl Desk {
    pub(crate) fn asked(&self) -> Vec<Call> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn last(&self) -> CallRef {
        self.asked().last().expect("a call was made").reference.clone()
    }
}

impl Calls for Desk {
    async fn call(&self, call: &Call) -> Result<Answer, CallError> {
        let answer = async {
            self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(call.clone());
            Ok(if call.name().starts_with("now") { Answer::now("at once") } else { Answer::Later })
        };
        let no = || CallError::retry("failed as planned");
        self.plan.run("call", answer, no, no).await
    }
}

/// The store of a world.
pub(crate) type Store = Gate<Arc<MemoryStore>>;

/// A world that outlives an engine: the store, the flows, the clock, the channel; and what fails in
/// it.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: ManualClock,
    pub(crate) wire: Wire,
    pub(crate) desk: Desk,
    pub(crate) setup: Setup,
    flows: Arc<MemoryFlows>,
    ids: CountingIds,
}

/// The settings of the engines of a world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Setup {
    pub(crate) whole: bool,
    pub(crate) deferred: bool,
    pub(crate) inline_calls: bool,
}

impl World {
    pub(crate) fn new(setup: Setup) -> Self {
        let plan = Plan::default();
        Self {
            store: Arc::new(MemoryStore::new()),
            clock: ManualClock::default(),
            wire: Wire { plan: plan.clone(), taken: Arc::default(), named: Arc::default() },
            desk: Desk { plan: plan.clone(), asked: Arc::default() },
            setup,
            flows: Arc::new(MemoryFlows::default()),
            ids: CountingIds::new(),
            plan,
        }
    }

    pub(crate) fn with_flows(setup: Setup, flows: &[String]) -> Self {
        let world = Self::new(setup);
        let clean = world.clean_engine();
        for flow in flows {
            pollster::block_on(clean.flows().ensure(flow)).expect("the flow is sound");
        }
        world
    }

    fn build<S: ConversationStore>(&self, builder: Builder<S>) -> Engine<S> {
        let mut builder = builder
            .clock(self.clock.clone())
            .ids(self.ids.clone())
            .flow_store(Arc::clone(&self.flows))
            .transport(self.wire.clone())
            .calls(self.desk.clone());
        if self.setup.deferred {
            builder = builder.deferred_delivery();
        }
        if self.setup.inline_calls {
            builder = builder.inline_calls();
        }
        builder.build()
    }

    /// A new process.
    pub(crate) fn engine(&self) -> Engine<Store> {
        self.build(Engine::builder(Gate {
            inner: Arc::clone(&self.store),
            plan: self.plan.clone(),
            whole: self.setup.whole,
        }))
    }

    /// A process on the store itself, or on another around it.
    pub(crate) fn engine_on<S: ConversationStore>(&self, store: S) -> Engine<S> {
        self.build(Engine::builder(store))
    }

    fn clean_engine(&self) -> Engine<Arc<MemoryStore>> {
        self.build(Engine::builder(Arc::clone(&self.store)))
    }

    pub(crate) fn flows(&self) -> Arc<MemoryFlows> {
        Arc::clone(&self.flows)
    }

    pub(crate) fn pass(&self, time: TimeDelta) {
        self.clock.advance(time);
    }

    /// Ticks an engine of its own until nothing is due now, a failed tick again after the lease.
    /// Answers when something is due next.
    pub(crate) fn tick_out(&self) -> Option<DateTime<Utc>> {
        let engine = self.engine();
        for _ in 0..1_000 {
            match poll_some(&self.plan, 10_000, engine.tick(16)) {
                Some(Ok(ticked)) if ticked.worked == 0 => return ticked.next_due,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => self.pass(TimeDelta::seconds(61)),
            }
        }
        panic!("something is due forever: {:?}", self.sessions());
    }

    /// Lets time pass, from one due time to the next, until nothing is due within `horizon`.
    pub(crate) fn wind_up(&self, horizon: TimeDelta) {
        let end = self.now() + horizon;
        for _ in 0..1_000 {
            match self.tick_out().filter(|next| *next <= end) {
                Some(next) => self.clock.set(next.max(self.now() + TimeDelta::milliseconds(1))),
                None => return,
            }
        }
        panic!("something is due forever: {:?}", self.sessions());
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        Clock::now(&self.clock)
    }

    pub(crate) fn sessions(&self) -> Vec<SessionRecord> {
        sessions_of(&*self.store)
    }
}

pub(crate) fn sessions_of(store: &impl StoreQueries) -> Vec<SessionRecord> {
    let query = SessionQuery::new(WorkspaceId::default(), 10_000);
    pollster::block_on(store.sessions(&query)).expect("memory answers")
}

/// Polls a call at most `polls` times, then drops it. None: it was dropped, or died.
pub(crate) fn poll_some<T>(plan: &Plan, polls: usize, call: impl Future<Output = T>) -> Option<T> {
    let mut call = pin!(call);
    for _ in 0..polls {
        if let Poll::Ready(answer) = call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(answer);
        }
        if plan.take_death() {
            return None;
        }
    }
    None
}

/// A process that dies and is started again, and whose callers repeat what was not answered.
pub(crate) struct Host {
    pub(crate) world: World,
    pub(crate) engine: Engine<Store>,
    /// Drops the future of the n-th call after so many polls.
    pub(crate) drop_at: Option<(usize, usize)>,
    pub(crate) calls: usize,
    pub(crate) was_dropped: bool,
    /// The sessions that calls answered with.
    pub(crate) answers: Vec<SessionRef>,
}

impl Host {
    pub(crate) fn new(world: World) -> Self {
        let engine = world.engine();
        Self { world, engine, drop_at: None, calls: 0, was_dropped: false, answers: Vec::new() }
    }

    /// INV-S2: a session that a call answers with is there, as it was answered.
    pub(crate) fn check_answers(&self) {
        let stored = self.world.sessions();
        for answer in &self.answers {
            let found = stored.iter().find(|record| record.session().id() == answer.session_id);
            let found = found.unwrap_or_else(|| panic!("{answer:?} is not stored"));
            assert_eq!(*found.contact(), answer.contact_id, "{answer:?}");
            assert_eq!(found.session().version(), answer.flow_version, "{answer:?}");
        }
    }

    fn restart(&mut self) {
        self.engine = self.world.engine();
    }

    /// Makes one call, until it is answered.
    pub(crate) fn call<T>(&mut self, make: impl AsyncFn(&Engine<Store>) -> Result<T, Error>) -> T {
        for _ in 0..5 {
            let number = self.calls;
            self.calls += 1;
            let dropped = self.drop_at.filter(|(call, _)| *call == number);
            let polls = dropped.map_or(10_000, |(_, polls)| polls);
            let answer = poll_some(&self.world.plan, polls, make(&self.engine));
            match answer {
                Some(Ok(answer)) => return answer,
                Some(Err(error)) => assert!(error.is_retryable(), "not to be retried: {error}"),
                None => {
                    self.was_dropped |= dropped.is_some();
                    self.restart();
                }
            }
        }
        panic!("five answers of failure, for one planned");
    }

    /// Ticks until nothing is due, a failed tick again after the lease.
    pub(crate) fn tick(&mut self) {
        for _ in 0..100 {
            let before = self.world.plan.log().len();
            let failed = self.calls;
            let worked = self.call(async |engine| engine.tick(16).await).worked;
            let repeated = self.calls > failed + 1;
            if repeated {
                self.world.pass(TimeDelta::seconds(61));
            }
            if worked == 0 && !repeated {
                return;
            }
            assert!(self.world.plan.log().len() > before);
        }
        panic!("something is due forever");
    }
}
