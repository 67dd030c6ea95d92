//! Races and faults that were found by reading, each played in the one order that matters.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chatflow::id::FlowVersion;
use chatflow::ops::EraseOptions;
use chatflow::store::{
    Catalogue, Commit, Committed, ConversationStore, Due, Erase, FlowChange, FlowSaved, FlowStore, Leased,
    Live, Loaded, Lookup, MemoryFlows, Purge, Purged, Removed, Settle, Settled, Txn,
};
use chatflow::testkit::{Fault, Faulty, ManualClock, Recorder, StoreOperation};
use chatflow::{
    Account, Channel, ContactId, Engine, Error, FlowId, Inbound, MemoryStore, Outbound, Receipt, Received,
    Refusal, SendError, Status, StoreError, Transport, TriggerRequest, Triggered, WorkspaceId, send_fn,
};
use chrono::TimeDelta;
use pollster::block_on;

use crate::kit::{Setup, World, poll_some};
use crate::scenarios::{ADA, SHOP, flow, flows, says, trigger};

type Hook = Box<dyn FnOnce() + Send>;

/// Just before the first erase, instead of at a decision.
const AT_ERASE: usize = usize::MAX;

/// A store that lets something happen at one moment of its n-th decision.
struct Interrupted {
    inner: Arc<MemoryStore>,
    updates: AtomicUsize,
    at: usize,
    /// True if it happens between load and commit; else before the decision, which is then made
    /// whole.
    between: bool,
    hook: Mutex<Option<Hook>>,
}

impl Interrupted {
    fn new(inner: &Arc<MemoryStore>, at: usize, between: bool, hook: impl FnOnce() + Send + 'static) -> Self {
        Self {
            inner: Arc::clone(inner),
            updates: AtomicUsize::new(0),
            at,
            between,
            hook: Mutex::new(Some(Box::new(hook))),
        }
    }

    fn happen(&self) {
        let hook = self.hook.lock().unwrap_or_else(PoisonError::into_inner).take();
        hook.expect("it happens once")();
    }
}

impl ConversationStore for Interrupted {
    async fn load(&self, lookup: &Lookup) -> Result<Loaded, StoreError> {
        self.inner.load(lookup).await
    }
    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        self.inner.commit(commit).await
    }
    async fn settle(&self, settle: &Settle) -> Result<Settled, StoreError> {
        self.inner.settle(settle).await
    }
    async fn lease_due(&self, due: &Due) -> Result<Leased, StoreError> {
        self.inner.lease_due(due).await
    }
    async fn live(&self, live: &Live) -> Result<u64, StoreError> {
        self.inner.live(live).await
    }
    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        self.inner.purge(purge).await
    }
    async fn erase(&self, erase: &Erase) -> Result<Option<Removed>, StoreError> {
        if self.at == AT_ERASE && self.updates.fetch_add(1, Ordering::SeqCst) == 0 {
            self.happen();
        }
        self.inner.erase(erase).await
    }
    async fn update(
        &self,
        lookup: &Lookup,
        decide: &mut (dyn FnMut(&mut Txn<'_>) + Send),
    ) -> Result<Option<Committed>, StoreError> {
        let is_now = self.updates.fetch_add(1, Ordering::SeqCst) == self.at;
        if is_now && !self.between {
            self.happen();
        }
        if !self.between {
            return self.inner.update(lookup, decide).await;
        }
        let mut txn = Txn::new(lookup, self.inner.load(lookup).await?);
        if is_now {
            self.happen();
        }
        decide(&mut txn);
        match txn.into_commit() {
            Some(commit) => self.inner.commit(commit).await.map(Some),
            None => Ok(None),
        }
    }
}

fn world(codes: &[&str]) -> World {
    World::with_flows(Setup::default(), &flows(codes))
}

/// T2, INV-S2: of two triggers that meet a new address at once, one makes the contact and the other
/// finds it.
#[test]
fn two_triggers_of_a_new_address_find_one_contact() {
    for code in ["ask", "once"] {
        let world = world(&[code]);
        let other = world.engine();
        let first = Arc::new(Mutex::new(None));
        let kept = Arc::clone(&first);
        let store = Interrupted::new(&world.store, 0, true, move || {
            *kept.lock().unwrap() = Some(block_on(other.trigger(trigger(code, Some("k1")))).unwrap());
        });
        let second = block_on(world.engine_on(store).trigger(trigger(code, Some("k2")))).unwrap();
        let first = first.lock().unwrap().take().unwrap();
        let (first, second) = (first.session().unwrap().clone(), second);
        assert_eq!(first.contact_id, second.session().unwrap().contact_id);
        match code {
            "ask" => {
                assert!(matches!(&second, Triggered::AlreadyRunning(s) if s.session_id == first.session_id));
            }
            _ => assert!(matches!(second, Triggered::Started(_))),
        }
    }
}

/// Store contract, `Lookup::in_place`: a merge that loses the address to somebody else harms no
/// conversation.
#[test]
fn a_merge_that_loses_the_address_leaves_the_contact_as_it_was() {
    let world = world(&["once"]);
    let engine = world.engine();
    let menu = flow(
        "menu",
        r#"{"id": "say", "kind": "send_message", "text": "Menu"}"#,
        r#"{"from": "start", "to": "say"}"#,
    )
    .replace(r#"{"kind": "manual"}"#, r#"{"kind": "inbound", "channel": "whatsapp"}"#);
    let menu_id: FlowId = "menu".parse().unwrap();
    block_on(async {
        engine.flows().import(&menu).await.unwrap();
        engine.flows().bind(&menu_id, [Account::new(Channel::WhatsApp, SHOP).unwrap()]).await.unwrap();
        engine.flows().publish(&menu_id).await.unwrap();
    });
    let ada = block_on(engine.trigger(trigger("once", None))).unwrap().session().unwrap().contact_id.clone();
    let boss = ContactId::new("boss").unwrap();
    let request = TriggerRequest::new("once").contact_id("boss").phone("+14155559999");
    let _ = block_on(engine.trigger(request)).unwrap();
    let other = world.engine();
    // The second decision of the merge gives the address to `boss`; just before it, the address
    // writes.
    let store = Interrupted::new(&world.store, 1, false, move || {
        let came = block_on(other.receive(says("m1", "hello"))).unwrap();
        assert!(matches!(came, Received::Started { .. }), "{came:?}");
    });
    let merged = block_on(world.engine_on(store).merge(&ada, &boss));
    assert!(merged.is_err(), "the address is somebody else's now");
    assert!(block_on(engine.contact(&boss)).unwrap().is_some(), "the conversation can be read");
    let again = block_on(engine.trigger(TriggerRequest::new("once").contact_id("boss"))).unwrap();
    assert!(matches!(again, Triggered::Started(_)), "{again:?}");
}

/// INV-O5: what one call delivers and settles while another decides is not sent again by the other.
#[test]
fn what_is_settled_between_a_load_and_its_commit_is_not_sent_again() {
    let world = world(&["ask", "other"]);
    world.plan.yield_at_each(true);
    let first = world.engine();
    let mut running: Pin<Box<dyn Future<Output = Result<Triggered, Error>> + Send>> =
        Box::pin(async move { first.trigger(trigger("ask", Some("k1"))).await });
    // All is sent, nothing is settled.
    while !world.plan.log().contains(&"settle") {
        assert!(poll_some(&world.plan, 1, running.as_mut()).is_none());
    }
    let plan = world.plan.clone();
    let store = Interrupted::new(&world.store, 0, true, move || {
        let _ = poll_some(&plan, 100, running).expect("the first call ends").unwrap();
    });
    let second = world.engine_on(store);
    let started = poll_some(&world.plan, 100, second.trigger(trigger("other", Some("k2")))).unwrap().unwrap();
    assert!(matches!(started, Triggered::Started(_)));
    let texts: Vec<String> = world.wire.taken().iter().map(|message| message.text().to_owned()).collect();
    assert_eq!(texts, ["Hi Ada", "How are you?", "Other question"]);
}

/// O7, S8: a clock that went back does not turn the pause between attempts into none.
#[test]
fn a_transport_that_fails_is_not_asked_without_pause_under_a_clock_that_went_back() {
    let world = world(&["once", "other"]);
    let _ = block_on(world.engine().trigger(trigger("other", Some("k1")))).unwrap();
    world.pass(TimeDelta::hours(-2));
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let engine = Engine::builder(Arc::clone(&world.store))
        .clock(world.clock.clone())
        .flow_store(world.flows())
        .transport(send_fn(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            async { Err(SendError::retry("down")) }
        }))
        .build();
    let _ = block_on(engine.trigger(trigger("once", Some("k2")))).unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

/// A flow store that is slow once it is told to be.
#[derive(Clone)]
struct SlowFlows {
    inner: Arc<MemoryFlows>,
    slow: Arc<Mutex<bool>>,
}

impl FlowStore for SlowFlows {
    async fn revision(&self, workspace: &WorkspaceId) -> Result<u64, StoreError> {
        self.inner.revision(workspace).await
    }
    async fn catalogue(&self, workspace: &WorkspaceId) -> Result<Catalogue, StoreError> {
        if std::mem::take(&mut *self.slow.lock().unwrap()) {
            let () = std::future::pending().await;
        }
        self.inner.catalogue(workspace).await
    }
    async fn definition(
        &self,
        workspace: &WorkspaceId,
        flow: &FlowId,
        version: Option<FlowVersion>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        self.inner.definition(workspace, flow, version).await
    }
    async fn save(&self, workspace: &WorkspaceId, change: FlowChange) -> Result<FlowSaved, StoreError> {
        self.inner.save(workspace, change).await
    }
}

/// L2, D3: a call that is dropped, or still waits, while it reads the new catalogue does not make
/// others trust the old one.
#[test]
fn a_publish_is_seen_by_the_next_call_though_another_was_dropped_while_it_read_it() {
    let slow = SlowFlows { inner: Arc::default(), slow: Arc::default() };
    let engine = Engine::builder(MemoryStore::new())
        .clock(ManualClock::default())
        .flow_store(slow.clone())
        .transport(Recorder::new())
        .build();
    let old = flows(&["once"]).remove(0);
    block_on(engine.flows().ensure(&old)).unwrap();
    let _ = block_on(engine.trigger(trigger("once", Some("k1")))).unwrap();
    block_on(engine.flows().ensure(&old.replace("One", "Eins"))).unwrap();
    *slow.slow.lock().unwrap() = true;
    let plan = crate::kit::Plan::default();
    let mut waiting = Box::pin(engine.trigger(trigger("once", Some("k2"))));
    assert!(poll_some(&plan, 1, waiting.as_mut()).is_none());
    let started = block_on(engine.trigger(trigger("once", Some("k3")))).unwrap();
    assert_eq!(started.session().unwrap().flow_version, FlowVersion(2));
}

/// N3: a wait's time begins when the last message before it is settled, no matter who else sent
/// meanwhile.
#[test]
fn a_wait_that_was_held_gets_its_time_though_another_session_sent_later() {
    let slow = flow(
        "slow",
        r#"{"id": "ask", "kind": "send_message", "text": "Ask"},
           {"id": "rest", "kind": "delay", "for": "1s"},
           {"id": "wait", "kind": "wait_reply", "timeout": "1m"}"#,
        r#"{"from": "start", "to": "ask"}, {"from": "ask", "to": "rest"}, {"from": "rest", "to": "wait"}"#,
    );
    let world = World::with_flows(Setup::default(), &[slow, flows(&["other"]).remove(0)]);
    let wire = Recorder::new();
    let engine = Engine::builder(Arc::clone(&world.store))
        .clock(world.clock.clone())
        .flow_store(world.flows())
        .transport(wire.clone())
        .build();
    wire.answer([Err(SendError::retry_after(Duration::from_secs(600), "limited"))]);
    let waits = block_on(engine.trigger(trigger("slow", Some("k1")))).unwrap().session().unwrap().session_id;
    let _ = block_on(engine.trigger(trigger("other", Some("k2")))).unwrap();
    world.pass(TimeDelta::seconds(2));
    let _ = block_on(engine.tick(10)).unwrap();
    world.pass(TimeDelta::seconds(600));
    let _ = block_on(engine.tick(10)).unwrap();
    assert_eq!(wire.take_texts(), ["Ask", "Ask", "Other question"]);
    let record = block_on(engine.session(waits)).unwrap().unwrap();
    assert_eq!(record.session().status(), Status::Waiting);
    assert_eq!(record.session().deadline(), Some(world.now() + TimeDelta::minutes(1)));
}

/// A transport that takes longer than the lease for its first message; meanwhile somebody else
/// works.
struct Slow {
    world: World,
    was_slow: AtomicUsize,
}

impl Transport for Slow {
    async fn send(&self, message: &Outbound) -> Result<Receipt, SendError> {
        if self.was_slow.fetch_add(1, Ordering::SeqCst) == 0 {
            self.world.pass(TimeDelta::seconds(61));
            self.world.tick_out();
        }
        self.world.wire.send(message).await
    }
}

/// INV-O6: conversations that were claimed together are not worked any more when the first of them
/// took the whole lease.
#[test]
fn a_claim_is_not_begun_when_its_lease_may_be_over() {
    let world = World::with_flows(Setup { deferred: true, ..Setup::default() }, &flows(&["once"]));
    let engine = world.engine();
    for phone in [ADA, "+14155550124", "+14155550125"] {
        let _ = block_on(engine.trigger(TriggerRequest::new("once").phone(phone))).unwrap();
    }
    let slow = Engine::builder(Arc::clone(&world.store))
        .clock(world.clock.clone())
        .flow_store(world.flows())
        .transport(Slow { world: world.clone(), was_slow: AtomicUsize::new(0) })
        .build();
    let _ = block_on(slow.tick(10)).unwrap();
    // Nine messages, and the one that was on its way when the lease ended.
    assert_eq!(world.wire.taken().len(), 10);
}

/// INV-O6: a batch that takes longer than half of its lease is left to a fresh one, and each
/// message leaves once.
#[test]
fn a_batch_that_takes_long_goes_on_under_a_fresh_lease() {
    let many: Vec<String> =
        (0..6).map(|n| format!(r#"{{"id": "m{n}", "kind": "send_message", "text": "M{n}"}}"#)).collect();
    let edges: Vec<String> = (1..6).map(|n| format!(r#"{{"from": "m{}", "to": "m{n}"}}"#, n - 1)).collect();
    let flow =
        flow("many", &many.join(","), &format!(r#"{{"from": "start", "to": "m0"}}, {}"#, edges.join(",")));
    let world = World::with_flows(Setup::default(), &[flow]);
    let wire = Recorder::new();
    let (clock, sent, started) = (world.clock.clone(), wire.clone(), world.now());
    let engine = Engine::builder(Arc::clone(&world.store))
        .clock(world.clock.clone())
        .flow_store(world.flows())
        .transport(send_fn(move |message: Outbound| {
            clock.advance(TimeDelta::seconds(20));
            let sent = sent.clone();
            async move { sent.send(&message).await }
        }))
        .build();
    let _ = block_on(engine.trigger(TriggerRequest::new("many").phone(ADA))).unwrap();
    assert!(world.now() - started < TimeDelta::seconds(60), "the call ends within its lease");
    while block_on(engine.tick(10)).unwrap().worked > 0 {}
    assert_eq!(wire.take_texts(), ["M0", "M1", "M2", "M3", "M4", "M5"]);
}

/// I1: the contact's own message is not lost to a session whose message is still on its way.
#[test]
fn a_reply_that_overtakes_the_settlement_of_the_question_is_taken() {
    let world = world(&["ask"]);
    world.plan.yield_at_each(true);
    let first = world.engine();
    let mut running = Box::pin(first.trigger(trigger("ask", Some("k1"))));
    while !world.plan.log().contains(&"settle") {
        assert!(poll_some(&world.plan, 1, running.as_mut()).is_none());
    }
    let second = world.engine();
    let inbound: Inbound = says("m1", "fine");
    let came = poll_some(&world.plan, 100, second.receive(inbound)).unwrap().unwrap();
    assert!(matches!(came, Received::Consumed { .. }), "{came:?}");
    let _ = poll_some(&world.plan, 100, running).expect("the first call ends").unwrap();
    world.plan.yield_at_each(false);
    let texts: Vec<String> = world.wire.taken().iter().map(|message| message.text().to_owned()).collect();
    assert_eq!(
        texts,
        ["Hi Ada", "How are you?", "fine, I see"],
        "the first call sends what the second left to it"
    );
}

/// T10: what a completed session has not sent when the contact opts out is not sent any more.
#[test]
fn an_opt_out_stops_messages_that_are_still_on_their_way() {
    let world = world(&["once"]);
    let wire = Recorder::new();
    let engine = Engine::builder(Arc::clone(&world.store))
        .clock(world.clock.clone())
        .flow_store(world.flows())
        .transport(wire.clone())
        .build();
    wire.answer([Err(SendError::retry("down"))]);
    let answer = block_on(engine.trigger(trigger("once", Some("k1")))).unwrap();
    assert_eq!(wire.take_texts(), ["One"]);
    block_on(engine.opt_out(&answer.session().unwrap().contact_id)).unwrap();
    world.pass(TimeDelta::minutes(10));
    while block_on(engine.tick(10)).unwrap().worked > 0 {}
    assert!(wire.take_texts().is_empty());
}

/// T2, T10: an address that opted out is not written to because somebody names its owner.
#[test]
fn an_address_that_opted_out_is_refused_under_another_name_too() {
    let world = world(&["once"]);
    let engine = world.engine();
    let first = block_on(engine.trigger(trigger("once", Some("k1")))).unwrap();
    let ada = first.session().unwrap().contact_id.clone();
    block_on(engine.opt_out(&ada)).unwrap();
    let sent = world.wire.taken().len();
    let named = || TriggerRequest::new("once").contact_id("boss").phone(ADA);
    for _ in 0..2 {
        let refused = block_on(engine.trigger(named())).unwrap();
        assert_eq!(refused, Triggered::Refused(chatflow::Refusal::OptedOut));
    }
    let again = block_on(engine.trigger(trigger("once", Some("k2")))).unwrap();
    assert_eq!(again, Triggered::Refused(chatflow::Refusal::OptedOut), "the opt-out is where it was");
    assert_eq!(world.wire.taken().len(), sent);
    let paid = block_on(engine.trigger(named().transactional())).unwrap();
    assert!(matches!(paid, Triggered::Started(_)), "{paid:?}");
    let boss = block_on(engine.contact(&ContactId::new("boss").unwrap())).unwrap().unwrap();
    assert!(boss.opted_out_at.is_some(), "the opt-out came with the address");
}

/// S11: a turn that is committed between an erase's load and its write is erased with the rest.
#[test]
fn an_erase_that_a_turn_overtakes_takes_the_turn_along() {
    let world = world(&["ask"]);
    let engine = world.engine();
    let ada =
        block_on(engine.trigger(trigger("ask", Some("k1")))).unwrap().session().unwrap().contact_id.clone();
    let store = Interrupted::new(&world.store, AT_ERASE, false, move || {
        let _ = block_on(engine.receive(says("m1", "fine"))).unwrap();
    });
    let erased = block_on(world.engine_on(store).erase(&ada, EraseOptions::new())).unwrap();
    assert_eq!((erased.sessions, erased.addresses, erased.keys), (1, 1, 1));
    let engine = world.engine();
    assert!(block_on(engine.contact(&ada)).unwrap().is_none());
    assert!(world.sessions().is_empty());
    let retry = block_on(engine.trigger(trigger("ask", Some("k1"))));
    assert!(matches!(retry, Err(Error::Erased(_))));
}

/// S11: whether an erase whose answer was lost was done or not, repeating it ends with nothing.
#[test]
fn an_erase_of_unknown_outcome_is_repeated() {
    for fault in [Fault::Before, Fault::After, Fault::UnknownBefore] {
        let world = world(&["ask"]);
        let engine = world.engine();
        let ada =
            block_on(engine.trigger(trigger("ask", None))).unwrap().session().unwrap().contact_id.clone();
        let store = Faulty::new(Arc::clone(&world.store));
        store.fail_after(1, fault);
        let erasing = world.engine_on(store.clone());
        assert!(block_on(erasing.erase(&ada, EraseOptions::new())).is_err());
        assert_eq!(store.log(), [StoreOperation::Load, StoreOperation::Erase]);
        let again = block_on(erasing.erase(&ada, EraseOptions::new())).unwrap();
        assert_eq!(again.sessions, usize::from(fault != Fault::After));
        assert!(block_on(engine.contact(&ada)).unwrap().is_none());
    }
}

/// D3, T2, T10: a process that dies while an address moves to another contact does not lose its
/// opt-out.
#[test]
fn an_opt_out_outlasts_a_process_that_dies_while_its_address_moves() {
    for place in 0..12 {
        for fault in [Fault::Before, Fault::After, Fault::UnknownBefore] {
            let world = world(&["other"]);
            let engine = world.engine();
            let made = block_on(engine.trigger(trigger("other", None))).unwrap();
            block_on(engine.opt_out(&made.session().unwrap().contact_id)).unwrap();
            let ada = || TriggerRequest::new("other").contact_id("ada").phone(ADA);
            let store = Faulty::new(Arc::clone(&world.store));
            store.fail_after(place, fault);
            let _ = block_on(world.engine_on(store.clone()).trigger(ada().transactional()));
            let refused = Triggered::Refused(Refusal::OptedOut);
            assert_eq!(block_on(engine.trigger(ada())).unwrap(), refused, "{fault:?} at {place}");
        }
    }
}
