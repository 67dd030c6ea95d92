//! L10: many flows at once, and reads that carry what changed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatflow::id::FlowVersion;
use chatflow::ops::{FlowSource, Unpublish};
use chatflow::store::{MemoryFlows, *};
use chatflow::{
    Account, Channel, Clock, Engine, Error, FlowId, MemoryStore, Received, StoreError, Triggered, WorkspaceId,
};
use chrono::{DateTime, Utc};
use pollster::block_on;
use serde_json::json;

use crate::kit::*;
use crate::many_kit::{self, library};

fn bot() -> Engine<MemoryStore> {
    Engine::builder(MemoryStore::new()).build()
}

fn shop() -> Account {
    Account::new(Channel::WhatsApp, SHOP).unwrap()
}

fn other_shop() -> Account {
    Account::new(Channel::WhatsApp, "+15550999").unwrap()
}

/// A flow that any message starts.
fn greeter(code: &str) -> Sketch {
    flow(code).on(json!([{"match": "any"}])).send("hi", code)
}

fn calling(code: &str, callee: &str) -> Sketch {
    flow(code).node("call", "call_flow", json!({"flow": callee}))
}

fn codes(bot: &Engine<MemoryStore>) -> Vec<String> {
    block_on(bot.flows().list()).unwrap().iter().map(|state| state.flow.to_string()).collect()
}

/// L10
#[test]
fn flows_that_are_ensured_one_by_one_cost_what_each_does() {
    block_on(many_kit::one_by_one_costs_what_each_does(async || Arc::new(MemoryFlows::new())));
}

/// L10
#[test]
fn all_at_once_cost_one_read_and_one_save() {
    block_on(many_kit::all_at_once_cost_one_read_and_one_save(async || Arc::new(MemoryFlows::new())));
}

/// L10
#[test]
fn a_publish_elsewhere_carries_one_flow() {
    block_on(many_kit::a_publish_elsewhere_carries_one_flow(async || Arc::new(MemoryFlows::new())));
}

/// L10
#[test]
fn starts_at_the_same_time_publish_once() {
    block_on(many_kit::starts_at_the_same_time_publish_once(async || Arc::new(MemoryFlows::new())));
}

/// L10: each as `ensure` or `ensure_on` has it, in the order given.
#[test]
fn flows_of_each_kind_go_online_by_one_call() {
    let world = World::new();
    let (cart, menu) = (question("cart").json(), greeter("menu").json());
    let states = block_on(world.bot.flows().by("ada").ensure_all([
        FlowSource::new(menu.as_str()).on([shop()]),
        FlowSource::from(&cart),
        FlowSource::from((calling("caller", "cart").json(), [])),
    ]))
    .unwrap();
    let shown: Vec<_> = states.iter().map(|state| (state.flow.as_str(), state.accounts.as_slice())).collect();
    assert_eq!(shown, [("menu", &[shop()][..]), ("cart", &[]), ("caller", &[])]);
    for state in &states {
        assert_eq!((state.online, state.revision), (Some(FlowVersion(1)), 1));
        assert_eq!(state.versions[0].published_by.as_deref(), Some("ada"));
        assert_eq!(block_on(world.bot.flows().get(&state.flow)).unwrap().as_ref(), Some(state));
    }
    assert_eq!(&*block_on(world.bot.flows().export(&id("cart"), None)).unwrap(), cart);
    assert_eq!(&*block_on(world.bot.flows().export(&id("menu"), Some(FlowVersion(1)))).unwrap(), menu);
    assert!(matches!(block_on(world.bot.trigger(ada("cart"))), Ok(Triggered::Started(_))));
    assert!(matches!(block_on(world.bot.receive(says("hello"))), Ok(Received::Consumed { .. })));
    assert_eq!(block_on(world.bot.flows().ensure_all(Vec::<String>::new())).unwrap(), []);
}

/// L10, L1: what is online as it is given is left as it is, for every caller; the rest goes online.
#[test]
fn only_what_is_new_or_changed_is_published() {
    let bot = bot();
    let (first, second) = (library(4, "Hi"), library(4, "Bye"));
    let before = block_on(bot.flows().ensure_all(&first)).unwrap();
    assert_eq!(block_on(bot.flows().by("ada").ensure_all(&first)).unwrap(), before);
    let mixed = [&first[0], &second[1], &first[2]];
    let after = block_on(bot.flows().by("ada").ensure_all(mixed)).unwrap();
    assert_eq!((&after[0], &after[2]), (&before[0], &before[2]));
    assert_eq!((after[1].online, after[1].revision), (Some(FlowVersion(2)), 2));
    assert_eq!(after[1].versions[1].published_by.as_deref(), Some("ada"));

    let back = block_on(bot.flows().ensure_all(&first)).unwrap();
    assert_eq!(
        (back[1].online, back[1].versions.len()),
        (Some(FlowVersion(1)), 2),
        "an offline version again"
    );
    let gone = id("flow-3");
    block_on(bot.flows().unpublish(&gone, Unpublish::Drain)).unwrap();
    block_on(bot.flows().delete(&gone)).unwrap();
    let revived = block_on(bot.flows().ensure_all(&first)).unwrap();
    assert_eq!(
        (revived[3].online, codes(&bot).len()),
        (Some(FlowVersion(2)), 4),
        "its number is not used again"
    );
}

/// L10: one that is refused refuses all, drafts too, and the error names it and what is wrong.
#[test]
fn an_error_names_its_flow_and_nothing_is_stored() {
    let bot = bot();
    block_on(bot.flows().ensure(&question("old").json())).unwrap();
    block_on(bot.flows().ensure_on(&greeter("menu").json(), [shop()])).unwrap();
    let good = || FlowSource::new(question("good").json());
    let refused = |sources: Vec<FlowSource>| {
        let before = block_on(bot.flows().list()).unwrap();
        let error = block_on(bot.flows().ensure_all(sources)).unwrap_err();
        assert_eq!(block_on(bot.flows().list()).unwrap(), before);
        let Error::InFlow { place, flow, source } = &error else { panic!("{error}") };
        assert_eq!((error.code(), error.http_status()), (source.code(), source.http_status()));
        assert!(!error.is_retryable());
        let flow = flow.as_ref().map(FlowId::to_string);
        (*place, flow, error.code(), error.to_string())
    };
    let named = |code: &str| Some(code.to_owned());

    let unreadable = refused(vec![good(), FlowSource::new("{]")]);
    assert_eq!((unreadable.0, unreadable.1, unreadable.2), (1, None, "flow_has_issues"));
    assert!(unreadable.3.starts_with("flow number 2 of those given: "), "{}", unreadable.3);

    let broken = question("broken").edge("ask", "nonsense", "nowhere").json();
    let (place, flow, code, text) = refused(vec![good(), FlowSource::new(broken), good_other()]);
    assert_eq!((place, flow, code), (1, named("broken"), "flow_has_issues"));
    assert!(text.contains("flow `broken` (number 2 of those given)") && text.contains("nowhere"), "{text}");

    let twice = refused(vec![good(), good_other(), FlowSource::new(question("good").send("x", "y").json())]);
    assert_eq!((twice.0, twice.1, twice.2), (2, named("good"), "invalid_input"));
    assert!(twice.3.ends_with("`code` is that of number 1, too"), "{}", twice.3);

    let elsewhere = FlowSource::new(greeter("menu").json()).on([other_shop()]);
    let (place, flow, code, text) = refused(vec![good(), elsewhere]);
    assert_eq!((place, flow, code), (1, named("menu"), "invalid_state"));
    assert!(text.contains("`bind` is not allowed"), "{text}");

    let manual = FlowSource::new(question("called").json()).on([shop()]);
    assert_eq!(refused(vec![manual, good()]).2, "invalid_state");
    assert_eq!(refused(vec![good(), greeter("unbound").json().into()]).1, named("unbound"));

    let long = "x".repeat(1_000);
    let error = block_on(bot.flows().by(long).ensure_all([good()])).unwrap_err();
    assert_eq!(error.to_string(), "`by` must have 1 to 256 bytes");
    assert_eq!(codes(&bot), ["menu", "old"]);
    block_on(bot.flows().ensure_all([good(), good_other()])).unwrap();
}

fn good_other() -> FlowSource {
    question("other").json().into()
}

/// L10, L5: triggers are compared with those of flows that go online beside them, and of flows that
/// are online.
#[test]
fn two_flows_of_one_call_cannot_take_any_message_of_one_account() {
    let bot = bot();
    let on = |code: &str, account: Account| FlowSource::new(greeter(code).json()).on([account]);
    let clash = |sources: Vec<FlowSource>| {
        let Err(Error::InFlow { flow: Some(flow), source, .. }) = block_on(bot.flows().ensure_all(sources))
        else {
            panic!("they go online beside each other")
        };
        (flow.to_string(), source.to_string())
    };
    let (flow, text) = clash(vec![on("a", shop()), on("c", other_shop()), on("b", shop())]);
    assert!(flow == "a" && text.contains("and so does flow \"b\""), "{text}");
    assert_eq!(codes(&bot), Vec::<String>::new());

    block_on(bot.flows().ensure_all([on("a", shop()), on("c", other_shop())])).unwrap();
    let (flow, text) = clash(vec![on("d", shop())]);
    assert!(flow == "d" && text.contains("and so does flow \"a\""), "{text}");

    // As if all were online: what takes any message now did not before, and the other way round.
    let yields = FlowSource::new(flow_of_words("a"));
    let states = block_on(bot.flows().ensure_all([on("d", shop()), yields])).unwrap();
    assert!(states.iter().all(|state| state.accounts == [shop()]));
}

fn flow_of_words(code: &str) -> String {
    flow(code).on(json!([{"match": "exact", "text": "hours"}])).send("hi", code).json()
}

/// L10: flows that call each other go online in any order; what they come to together is checked.
#[test]
fn flows_of_one_call_may_call_each_other() {
    let calls: Vec<String> = ["one", "two", "three"]
        .iter()
        .zip(["two", "three", "four"])
        .map(|(code, callee)| calling(code, callee).json())
        .collect();
    let bot = bot();
    let last = question("four").json();
    let Err(Error::InFlow { place, source, .. }) = block_on(bot.flows().ensure_all(&calls)) else { panic!() };
    assert!(place == 2 && source.to_string().contains("there is no flow \"four\""), "{source}");
    block_on(bot.flows().ensure_all(calls.iter().chain([&last]))).unwrap();

    let circle = calling("four", "one").json();
    let Err(Error::InFlow { flow, source, .. }) = block_on(bot.flows().ensure_all([&circle])) else {
        panic!()
    };
    assert!(flow == Some(id("four")) && source.to_string().contains("never waits"), "{source}");
    let circle = [calling("x", "y").json(), calling("y", "x").json()];
    let Err(Error::InFlow { source, .. }) = block_on(bot.flows().ensure_all(&circle)) else { panic!() };
    assert!(source.to_string().contains("\"x\" -> \"y\" -> \"x\" never waits"), "{source}");
}

type Hook = Box<dyn FnOnce(&MemoryFlows) + Send>;

/// Lets others be faster once, and does not save several flows if it is told so.
#[derive(Clone, Default)]
struct Raced(Arc<(MemoryFlows, Mutex<Option<Hook>>, AtomicBool)>);

impl FlowStore for Raced {
    async fn revision(&self, workspace: &WorkspaceId) -> Result<u64, StoreError> {
        self.0.0.revision(workspace).await
    }
    async fn catalogue(&self, workspace: &WorkspaceId) -> Result<Catalogue, StoreError> {
        self.0.0.catalogue(workspace).await
    }
    async fn definition(
        &self,
        workspace: &WorkspaceId,
        flow: &FlowId,
        version: Option<FlowVersion>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        self.0.0.definition(workspace, flow, version).await
    }
    async fn save(&self, workspace: &WorkspaceId, change: FlowChange) -> Result<FlowSaved, StoreError> {
        self.0.0.save(workspace, change).await
    }
    async fn save_all(
        &self,
        workspace: &WorkspaceId,
        changes: Vec<FlowChange>,
    ) -> Result<FlowSaved, StoreError> {
        if self.0.2.load(Ordering::SeqCst) {
            return Ok(FlowSaved::Conflict);
        }
        if let Some(hook) = self.0.1.lock().unwrap().take() {
            hook(&self.0.0);
        }
        self.0.0.save_all(workspace, changes).await
    }
}

/// Measures a second more each time that it is asked.
#[derive(Default)]
struct Hasty(AtomicU64);

impl Clock for Hasty {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// L10, S17: a lost race is decided again on what is there now; `Contention` after ten seconds,
/// with nothing changed.
#[test]
fn a_lost_race_is_decided_anew() {
    let flows = Raced::default();
    let bot = Engine::builder(MemoryStore::new()).flow_store(flows.clone()).clock(Hasty::default()).build();
    let all = library(3, "Hi");
    let theirs = library(2, "Hi").remove(1);
    let faster: Hook = Box::new(move |flows| {
        let workspace = WorkspaceId::default();
        let there = Arc::new(MemoryFlows::new());
        let other = Engine::builder(MemoryStore::new()).flow_store(Arc::clone(&there)).build();
        block_on(other.flows().by("bob").ensure(&theirs)).unwrap();
        let entry = block_on(there.catalogue(&workspace)).unwrap().flows.remove(0);
        let version = Some((FlowVersion(1), theirs.as_str().into()));
        let change = FlowChange { entry, expect: None, draft: Some(theirs.as_str().into()), version };
        assert_eq!(block_on(flows.save(&workspace, change)).unwrap(), FlowSaved::Saved);
    });
    *flows.0.1.lock().unwrap() = Some(faster);
    let states = block_on(bot.flows().by("ada").ensure_all(&all)).unwrap();
    let by = states.iter().map(|state| state.versions[0].published_by.as_deref().unwrap());
    assert_eq!(by.collect::<Vec<_>>(), ["ada", "bob", "ada"]);
    flows.0.2.store(true, Ordering::SeqCst);
    let error = block_on(bot.flows().ensure_all(library(3, "Bye"))).unwrap_err();
    assert!(matches!(error, Error::Contention) && error.is_retryable());
    assert_eq!(block_on(bot.flows().list()).unwrap(), states);
}

/// Has nothing but what a store of flows must have.
struct Plain(MemoryFlows);

impl FlowStore for Plain {
    async fn revision(&self, workspace: &WorkspaceId) -> Result<u64, StoreError> {
        self.0.revision(workspace).await
    }
    async fn catalogue(&self, workspace: &WorkspaceId) -> Result<Catalogue, StoreError> {
        self.0.catalogue(workspace).await
    }
    async fn definition(
        &self,
        workspace: &WorkspaceId,
        flow: &FlowId,
        version: Option<FlowVersion>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        self.0.definition(workspace, flow, version).await
    }
    async fn save(&self, workspace: &WorkspaceId, change: FlowChange) -> Result<FlowSaved, StoreError> {
        self.0.save(workspace, change).await
    }
}

/// L10: a store that saves one flow at a time never saves a part of several.
#[test]
fn a_store_that_saves_one_flow_at_a_time_refuses_several() {
    let bot = Engine::builder(MemoryStore::new()).flow_store(Plain(MemoryFlows::new())).build();
    let all = library(3, "Hi");
    let error = block_on(bot.flows().ensure_all(&all)).unwrap_err();
    assert!(error.to_string().contains("FlowStore::save_all") && !error.is_retryable(), "{error}");
    assert_eq!(codes(&bot), Vec::<String>::new());
    for json in &all {
        block_on(bot.flows().ensure(json)).unwrap();
    }
    let edited = [&all[0], &all[1], &library(3, "Bye")[2]];
    let states = block_on(bot.flows().ensure_all(edited)).unwrap();
    assert_eq!(states[2].online, Some(FlowVersion(2)), "one that changed among those that did not");
    assert!(matches!(block_on(bot.trigger(ada("flow-0"))), Ok(Triggered::Started(_))));
}

/// L10, L2: a publish in one process is seen by the very next call in every other, and so is a
/// deletion.
#[test]
fn the_next_call_elsewhere_sees_what_changed() {
    let flows = Arc::new(MemoryFlows::new());
    let engine = || Engine::builder(MemoryStore::new()).flow_store(Arc::clone(&flows)).build();
    let (bot, other) = (engine(), engine());
    block_on(bot.flows().ensure_all(library(5, "Hi"))).unwrap();
    let flow = id("flow-2");
    let online =
        |bot: &Engine<MemoryStore>| block_on(bot.flows().get(&flow)).unwrap().and_then(|state| state.online);
    assert_eq!(online(&other), Some(FlowVersion(1)));
    block_on(bot.flows().ensure(&library(3, "Bye")[2])).unwrap();
    assert_eq!(online(&other), Some(FlowVersion(2)));
    block_on(other.flows().roll_back(&flow, FlowVersion(1))).unwrap();
    assert_eq!(online(&bot), Some(FlowVersion(1)));
    block_on(bot.flows().unpublish(&flow, Unpublish::Terminate)).unwrap();
    assert_eq!(block_on(other.flows().ensure(&library(3, "Hi")[2])).unwrap().online, Some(FlowVersion(3)));
}
