//! Names and people that nobody knows leave behind nothing that lasts (SEMANTICS S19), and
//! nothing that ticks have to walk through.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatflow::address::Phone;
use chatflow::id::FlowVersion;
use chatflow::ops::{SessionFilter, Unpublish};
use chatflow::session::{ContactChange, Profile};
use chatflow::store::{Catalogue, FlowChange, FlowSaved, FlowStore, MemoryFlows};
use chatflow::testkit::{ManualClock, Recorder};
use chatflow::wire::whatsapp::{WebhookReader, WhatsAppEvent};
use chatflow::{
    Address, Channel, Engine, FlowId, Inbound, MemoryStore, Received, Status, StoreError, TriggerRequest,
    WorkspaceId,
};
use chrono::{DateTime, TimeDelta};
use pollster::block_on;
use serde_json::json;

use crate::kit::*;
use crate::tapped::{Tapped, Write};

type Hook = Box<dyn FnOnce() + Send>;

/// Counts what it is asked.
#[derive(Clone, Default)]
struct CounterSubject(Arc<(MemoryFlows, AtomicUsize)>);

impl CounterSubject {
    fn asked(&self) -> &MemoryFlows {
        self.0.1.fetch_add(1, Ordering::Relaxed);
        &self.0.0
    }

    fn take_count(&self) -> usize {
        self.0.1.swap(0, Ordering::Relaxed)
    }
}

impl FlowStore for CounterSubject {
    async fn revision(&self, workspace: &WorkspaceId) -> Result<u64, StoreError> {
        self.asked().revision(workspace).await
    }

    async fn catalogue(&self, workspace: &WorkspaceId) -> Result<Catalogue, StoreError> {
        self.asked().catalogue(workspace).await
    }

    async fn definition(
        &self,
        workspace: &WorkspaceId,
        flow: &FlowId,
        version: Option<FlowVersion>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        self.asked().definition(workspace, flow, version).await
    }

    async fn save(&self, workspace: &WorkspaceId, change: FlowChange) -> Result<FlowSaved, StoreError> {
        self.asked().save(workspace, change).await
    }

    async fn terminated(&self) -> Result<Vec<WorkspaceId>, StoreError> {
        self.asked().terminated().await
    }
}

#[test]
fn an_idle_tick_asks_the_same_whatever_names_were_heard() {
    let flows = CounterSubject::default();
    let world = World::built(|builder| builder.flow_store(flows.clone()));
    let ask = |ticks: i64| {
        flows.take_count();
        for _ in 0..ticks {
            world.tick_after(TimeDelta::seconds(2));
        }
        flows.take_count()
    };
    let before = ask(100);
    for number in 0..3_000 {
        let bot = world.bot.in_workspace(format!("tenant-{number}"));
        assert_eq!(told(block_on(bot.trigger(ada("hello")))).0, "flow_not_found");
    }
    assert_eq!(ask(100), before);
    assert_eq!(before, 100, "which workspaces have terminated versions, once a tick");
}

#[test]
fn what_drained_is_looked_at_once_a_minute() {
    let flows = CounterSubject::default();
    let world = World::built(|builder| builder.flow_store(flows.clone()));
    world.publish([question("hello")]);
    block_on(world.flows().unpublish(&id("hello"), Unpublish::Terminate)).unwrap();
    world.tick_after(TimeDelta::minutes(1));
    flows.take_count();
    for _ in 0..60 {
        world.tick_after(TimeDelta::seconds(1));
    }
    let asked = flows.take_count();
    assert!((60..=62).contains(&asked), "once a second, and the workspace itself once: {asked}");
}

/// SEMANTICS L4: also where the process forgot the workspace.
#[test]
fn a_terminated_version_is_worked_in_a_workspace_that_was_forgotten() {
    let (store, flows) = (Arc::new(MemoryStore::new()), Arc::new(MemoryFlows::new()));
    let clock = ManualClock::default();
    let bot = Engine::builder(Arc::clone(&store))
        .flow_store(Arc::clone(&flows))
        .transport(Recorder::new())
        .clock(clock.clone())
        .cached_workspaces(2)
        .build();
    let tenant = bot.in_workspace("tenant");
    block_on(tenant.flows().ensure(&question("hello").json())).unwrap();
    let started = block_on(tenant.trigger(ada("hello"))).unwrap();
    let session = started.session().unwrap().session_id;
    drop(tenant);
    for number in 0..10 {
        bot.in_workspace(format!("other-{number}"));
    }
    // By a process that dies before it makes its sessions due.
    let elsewhere = Engine::builder(MemoryStore::new()).flow_store(flows).clock(clock.clone()).build();
    let elsewhere = elsewhere.in_workspace("tenant");
    block_on(elsewhere.flows().unpublish(&id("hello"), Unpublish::Terminate)).unwrap();
    clock.advance(TimeDelta::seconds(1));
    block_on(bot.tick(10)).unwrap();
    let session = block_on(bot.in_workspace("tenant").session(session)).unwrap().unwrap();
    assert_eq!(session.session().status(), Status::Cancelled);
}

/// Greets who writes, and is done.
fn greeting(code: &str) -> Sketch {
    flow(code).on(json!([{"match": "any"}])).send("hi", "Hello!")
}

/// A message of somebody whom nobody knows.
fn stranger(number: u32) -> Inbound {
    Inbound::text(Channel::WhatsApp, SHOP, format!("+1415777{number:04}"), "hi").id(format!("wamid.{number}"))
}

fn at(number: u32) -> Address {
    Address::Phone(Phone::parse(&format!("+1415777{number:04}")).unwrap())
}

impl World {
    fn knows(&self, number: u32) -> bool {
        block_on(self.bot.contact_at(&at(number))).unwrap().is_some()
    }

    /// So many days, each with its ticks.
    fn days(&self, days: i64) {
        for _ in 0..days {
            self.tick_after(TimeDelta::days(1));
        }
    }
}

/// SEMANTICS S19: once its message ids are forgotten and the retention of sessions is over.
#[test]
fn a_stranger_goes_wholly() {
    let world = World::with([greeting("greet")]);
    let Received::Started { session } = world.receive(stranger(1)) else { panic!("it starts") };
    world.days(96);
    assert!(world.knows(1));
    world.days(2);
    assert!(!world.knows(1));
    assert!(block_on(world.bot.session(session)).unwrap().is_none(), "it ended 98 days ago");
    let again = world.receive(stranger(1));
    assert!(matches!(again, Received::Started { .. }), "as one who was never seen: {again:?}");
}

/// SEMANTICS S19: also when nobody ticked for a year.
#[test]
fn a_stranger_goes_with_the_first_tick_after_a_year() {
    let world = World::with([greeting("greet")]);
    world.receive(stranger(1));
    world.tick_after(TimeDelta::days(365));
    assert!(!world.knows(1));
}

/// A webhook of WhatsApp with a message of somebody, by name, whom nobody knows.
fn webhook(number: u32) -> Inbound {
    let from = format!("1415777{number:04}");
    let value = json!({
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550100", "phone_number_id": SHOP},
        "contacts": [{"profile": {"name": "Ann"}, "wa_id": from}],
        "messages": [{"from": from, "id": format!("wamid.{number}"), "timestamp": "1770000000",
            "type": "text", "text": {"body": "hi"}}],
    });
    let body = json!({"object": "whatsapp_business_account",
        "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]});
    let news = WebhookReader::default().read(body.to_string().as_bytes()).unwrap().remove(0);
    let WhatsAppEvent::Inbound(inbound) = news.event else { panic!("{news:?}") };
    *inbound
}

/// SEMANTICS S19: who is somebody stays.
#[test]
fn whoever_is_known_stays() {
    type Meet = fn(&World);
    let known: [(&str, Meet); 6] = [
        ("asked to be written to", |world| {
            world.trigger(TriggerRequest::new("hello").phone("+14157770001"));
        }),
        ("opted out", |world| {
            world.receive(Inbound::text(Channel::WhatsApp, SHOP, "+14157770001", "stop"));
        }),
        ("has a profile that the host wrote", |world| {
            world.receive(stranger(1).profile(Profile::new().name("Ann")));
            let contact = block_on(world.bot.contact_at(&at(1))).unwrap().unwrap();
            let name = ContactChange::Name(Some("Ann".to_owned()));
            block_on(world.bot.update_contact(&contact.id, &[name])).unwrap();
        }),
        ("was told of in a trigger", |world| {
            world.receive(stranger(1).profile(Profile::new().name("Ann")));
            let request = TriggerRequest::new("hello").phone("+14157770001");
            world.trigger(request.profile(Profile::new().language("en")));
        }),
        ("is paused", |world| {
            world.receive(stranger(1));
            let contact = block_on(world.bot.contact_at(&at(1))).unwrap().unwrap();
            block_on(world.bot.pause(&contact.id, None)).unwrap();
        }),
        ("may run a flow once", |world| {
            world.publish([greeting("greet").set("reentry", json!("once_ever"))]);
            world.receive(stranger(1));
        }),
    ];
    for (why, meet) in known {
        let world = World::with([greeting("greet"), flow("hello").send("hi", "Hello!")]);
        meet(&world);
        assert!(world.knows(1), "{why}");
        world.days(250);
        assert!(world.knows(1), "{why}");
    }
}

/// SEMANTICS S19: names and ids that came with messages alone keep nobody.
#[test]
fn what_messages_say_of_a_stranger_keeps_nobody() {
    type Meet = fn() -> Inbound;
    let met: [(&str, Meet); 3] = [
        ("by name, in a webhook of WhatsApp", || webhook(1)),
        ("with a profile", || stranger(1).profile(Profile::new().name("Ann").language("en"))),
        ("with an id", || stranger(1).contact_id("ann")),
    ];
    for (how, meet) in met {
        let world = World::with([greeting("greet")]);
        world.clock.set(DateTime::from_timestamp(1_770_000_100, 0).unwrap());
        let begun = world.receive(meet());
        assert!(matches!(begun, Received::Started { .. }) && world.knows(1), "{how}: {begun:?}");
        world.days(120);
        assert!(!world.knows(1), "{how}");
    }
}

/// SEMANTICS S19: a flow that is not online refuses nobody, and so its marks keep nobody; that of a
/// flow which goes offline later lapses, too.
#[test]
fn marks_of_flows_that_are_not_online_lapse() {
    for later in [0, 100] {
        let world = World::with([greeting("greet").set("reentry", json!("once_ever"))]);
        world.receive(stranger(1));
        world.days(later);
        block_on(world.flows().unpublish(&id("greet"), Unpublish::Drain)).unwrap();
        world.days(200);
        assert!(!world.knows(1), "offline after {later} days");
    }
}

/// SEMANTICS S19: a mark of re-entry keeps a stranger as long as it says something.
#[test]
fn a_mark_of_reentry_keeps_a_stranger_as_long_as_it_matters() {
    let world = World::with([greeting("greet").set("reentry", json!({"cooldown": "200d"}))]);
    world.receive(stranger(1));
    world.days(190);
    assert!(world.knows(1));
    world.days(15);
    assert!(!world.knows(1));
}

/// SEMANTICS S19: a stranger who is in a session is none of those who go.
#[test]
fn a_stranger_in_a_session_stays() {
    let asks = question("ask").on(json!([{"match": "any"}])).set("session_ttl_minutes", json!(0));
    let world = World::built(|builder| builder.session_retention(Duration::from_secs(5 * 24 * 60 * 60)));
    world.publish([asks]);
    world.receive(stranger(1));
    world.days(25);
    let sessions = world.sessions(SessionFilter::default());
    assert!(world.knows(1) && sessions[0].session().status() == Status::Waiting);
}

/// SEMANTICS S19, D3: who comes back while its conversation goes loses nothing.
#[test]
fn a_message_that_comes_while_a_stranger_goes_is_kept() {
    let meanwhile: Arc<Mutex<Option<Hook>>> = Arc::default();
    let hook = Arc::clone(&meanwhile);
    let store = Tapped::new(move |write| {
        let first = matches!(write, Write::Erase).then(|| hook.lock().unwrap().take()).flatten();
        if let Some(first) = first {
            first();
        }
    });
    let clock = ManualClock::default();
    let builder = Engine::builder(store).flow_store(MemoryFlows::default());
    let bot = builder.transport(Recorder::new()).clock(clock.clone()).build();
    let json = question("ask").on(json!([{"match": "any"}])).json();
    block_on(bot.flows().ensure_on(&json, [account(SHOP)])).unwrap();
    block_on(bot.receive(stranger(1))).unwrap();
    clock.advance(TimeDelta::days(1));
    while block_on(bot.tick(10)).unwrap().worked > 0 {}
    clock.advance(TimeDelta::days(200));
    let writer = bot.clone();
    *meanwhile.lock().unwrap() = Some(Box::new(move || {
        block_on(writer.receive(stranger(1).id("again"))).unwrap();
    }));
    while block_on(bot.tick(10)).unwrap().worked > 0 {}
    assert!(meanwhile.lock().unwrap().is_none(), "it was about to go");
    assert!(block_on(bot.contact_at(&at(1))).unwrap().is_some());
    let reply = Inbound::text(Channel::WhatsApp, SHOP, "+14157770001", "fine").id("reply");
    let taken = block_on(bot.receive(reply)).unwrap();
    assert!(matches!(taken, Received::Consumed { .. }), "{taken:?}");
}
