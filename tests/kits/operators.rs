//! Reads by operators of ended sessions (SEMANTICS Q8) and of counters (Q9), and a contact whom a
//! person takes over (S10, Q3), as scenarios for any store. `open` is what a process does at its
//! start.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use chatflow::limits::Limits;
use chatflow::ops::{FlowCounts, HandedBack, HandedOver, JournalFilter, ResultRow, SessionFilter, Unpublish};
use chatflow::store::{ConversationStore, MemoryFlows, StoreQueries};
use chatflow::testkit::{ManualClock, Recorder};
use chatflow::{
    Builder, Channel, Clock, ContactId, Engine, FlowId, Inbound, Received, Refusal, SessionId, Status,
    TriggerRequest, Triggered,
};
use chrono::TimeDelta;
use serde_json::{Value, json};

const ANN: &str = "+14155550123";
const SHOP: &str = "+15550100";

/// The world that processes share beside the store.
#[derive(Default)]
struct World {
    clock: ManualClock,
    channel: Recorder,
}

impl World {
    /// Its clock is another than the server's where the store has one.
    fn process<S: ConversationStore>(&self, store: S) -> Builder<S> {
        Engine::builder(store)
            .clock(self.clock.clone())
            .max_skew(Duration::MAX)
            .transport(self.channel.clone())
    }
}

fn poll() -> FlowId {
    FlowId::new("poll").unwrap()
}

/// A flow that asks how somebody is, and whose results are these.
fn asks(results: &Value) -> String {
    json!({
        "spec": 1, "code": "poll", "trigger": {"kind": "manual"},
        "settings": {"sender": {"channel": "sms", "account": SHOP}, "results": results},
        "nodes": [
            {"id": "start", "kind": "start", "inputs": [{"name": "order"}]},
            {"id": "set", "kind": "set_variables", "variables": [
                {"name": "kept", "value": [1, {"two": "{{ context.order }}"}]}, {"name": "other", "value": "not told"}]},
            {"id": "hi", "kind": "send_message", "text": "How are you?"},
            {"id": "wait", "kind": "wait_reply", "save_to": "mood"},
            {"id": "end", "kind": "end", "outcome": "told"}],
        "edges": [{"from": "start", "to": "set"}, {"from": "set", "to": "hi"}, {"from": "hi", "to": "wait"},
                  {"from": "wait", "to": "end"}]
    })
    .to_string()
}

async fn start<S: ConversationStore>(bot: &Engine<S>, phone: &str) -> SessionId {
    let request = TriggerRequest::new("poll").phone(phone).context(json!({"order": 7}));
    bot.trigger(request).await.unwrap().session().unwrap().session_id
}

async fn say<S: ConversationStore>(bot: &Engine<S>, phone: &str, text: &str) {
    let _ = bot.receive(Inbound::text(Channel::Sms, SHOP, phone, text)).await.unwrap();
}

async fn rows<S: ConversationStore + StoreQueries>(bot: &Engine<S>) -> Vec<ResultRow> {
    bot.results(&poll(), SessionFilter::all()).await.unwrap()
}

/// The kept results are those of the version a session ended on, outlast that version, and go with
/// the session.
pub(crate) async fn results_stay<S: ConversationStore + StoreQueries>(open: impl AsyncFn() -> S) {
    let world = World::default();
    let bot = world.process(open().await).build();
    bot.flows().ensure(&asks(&json!(["mood", "kept", "order"]))).await.unwrap();
    let first = start(&bot, ANN).await;
    assert_eq!(rows(&bot).await, [], "it has not ended");
    say(&bot, ANN, "fine").await;
    world.clock.advance(TimeDelta::minutes(1));
    let started = world.clock.now();
    let second = start(&bot, ANN).await;
    bot.flows().ensure(&asks(&json!(["other"]))).await.unwrap();
    let online = bot.flows().get(&poll()).await.unwrap().unwrap().online.unwrap();
    let _ = bot.migrate(second, online, &[]).await.unwrap();
    world.clock.advance(TimeDelta::minutes(1));
    let _ = bot.cancel(second).await.unwrap();

    let found = rows(&bot).await;
    let told: Vec<_> = found.iter().map(|row| (row.session, row.status, row.outcome.as_deref())).collect();
    assert_eq!(told, [(second, Status::Cancelled, None), (first, Status::Completed, Some("told"))]);
    let values = |row: &ResultRow| serde_json::to_value(&row.values).unwrap();
    assert_eq!(values(&found[0]), json!({"other": "not told"}), "of the version that it went to");
    assert_eq!(values(&found[1]), json!({"kept": [1, {"two": 7}], "mood": "fine", "order": 7}));
    assert_eq!((found[0].version, found[0].started_at), (online, started));
    assert_eq!(found[0].ended_at, Some(started + TimeDelta::minutes(1)));

    let only = async |filter: SessionFilter| bot.results(&poll(), filter).await.unwrap();
    let completed = only(SessionFilter::all().status(Status::Completed)).await;
    assert_eq!(completed, found[1..]);
    assert_eq!(only(SessionFilter::all().live()).await, []);
    assert_eq!(only(SessionFilter::all().flow(FlowId::new("other").unwrap())).await, []);

    let _ = bot.flows().unpublish(&poll(), Unpublish::Drain).await.unwrap();
    bot.flows().delete(&poll()).await.unwrap();
    drop(bot);
    let again = world.process(open().await).build();
    assert_eq!(rows(&again).await, found, "after a restart, of a flow that is gone");
    world.clock.advance(TimeDelta::days(91));
    for _ in 0..10 {
        let _ = again.tick(10).await.unwrap();
        world.clock.advance(TimeDelta::hours(2));
    }
    assert_eq!(rows(&again).await, [], "they go with their sessions");
}

/// A person takes a contact over, who is in a session or in none; each step is another process's.
pub(crate) async fn a_contact_is_with_a_person<S: ConversationStore + StoreQueries>(
    open: impl AsyncFn() -> S,
) {
    let world = World::default();
    let process = async || world.process(open().await).build();
    let bot = process().await;
    bot.flows().ensure(&asks(&json!(["mood"]))).await.unwrap();
    let request = || TriggerRequest::new("poll").phone(ANN).context(json!({"order": 7}));
    let begun = bot.trigger(request()).await.unwrap().session().unwrap().clone();
    let (session, contact) = (begun.session_id, begun.contact_id);
    let write = async |text: &str, id: &str| {
        let inbound = Inbound::text(Channel::Sms, SHOP, ANN, text).id(id);
        process().await.receive(inbound).await.unwrap()
    };
    let status = async || process().await.session(session).await.unwrap().unwrap().session().status();
    let hand_over = async || process().await.handoff(&contact).await.unwrap();
    let hand_back = async || process().await.resume_from_handoff(&contact, json!({"kept": 1})).await.unwrap();

    assert_eq!(hand_over().await, HandedOver::HandedOver);
    assert_eq!(hand_over().await, HandedOver::Unchanged, "in every process");
    assert_eq!(write("are you there?", "m1").await, Received::Handoff { session });
    let again = write("are you there?", "m1").await;
    assert!(matches!(again, Received::Duplicate { .. }), "{again:?}");
    let refused = process().await.trigger(request()).await.unwrap();
    assert_eq!(refused, Triggered::Refused(Refusal::InHandoff));
    world.clock.advance(TimeDelta::hours(2));
    while process().await.tick(10).await.unwrap().worked > 0 {}
    assert_eq!(status().await, Status::Handoff, "the TTL of half an hour is held");
    assert_eq!(hand_back().await, HandedBack::Resumed);
    assert_eq!(status().await, Status::Waiting, "where it stood");
    assert_eq!(write("fine", "m2").await, Received::Consumed { session });
    assert_eq!(status().await, Status::Completed);

    assert_eq!(hand_over().await, HandedOver::HandedOver, "with no session");
    assert_eq!(hand_over().await, HandedOver::Unchanged);
    assert_eq!(write("hello?", "m3").await, Received::Paused);
    let refused = process().await.trigger(request()).await.unwrap();
    assert_eq!(refused, Triggered::Refused(Refusal::Paused));
    world.clock.advance(TimeDelta::days(3));
    while process().await.tick(10).await.unwrap().worked > 0 {}
    assert!(process().await.paused(&contact).await.unwrap().is_some(), "it has no end of its own");
    assert_eq!(hand_back().await, HandedBack::Resumed);
    assert_eq!(hand_back().await, HandedBack::NotInHandoff);
    assert_eq!(write("hello?", "m4").await, Received::Unmatched);
    let nobody = ContactId::new("nobody").unwrap();
    let unknown = process().await.handoff(&nobody).await.unwrap_err();
    assert_eq!(unknown.code(), "contact_not_found");
    let texts: Vec<_> = world.channel.sent().iter().map(|message| message.text().to_owned()).collect();
    assert_eq!(texts, ["How are you?"], "the engine was silent");
}

/// Every ended session is in one page, and in no other, whatever ends or starts meanwhile.
pub(crate) async fn pages_of_results<S: ConversationStore + StoreQueries>(open: impl AsyncFn() -> S) {
    let world = World::default();
    let bot = world.process(open().await).build();
    bot.flows().ensure(&asks(&json!(["mood"]))).await.unwrap();
    let phone = |number: usize| format!("+1415555{number:04}");
    let mut ended = BTreeSet::new();
    for number in 0..230 {
        ended.insert(start(&bot, &phone(number)).await);
        say(&bot, &phone(number), &number.to_string()).await;
        if number % 3 == 0 {
            world.clock.advance(TimeDelta::seconds(1));
        }
    }
    world.clock.advance(TimeDelta::seconds(1));
    let late = start(&bot, &phone(230)).await;
    let (mut filter, mut seen, mut sizes) = (SessionFilter::all(), Vec::new(), Vec::new());
    loop {
        let page = bot.results(&poll(), filter.clone()).await.unwrap();
        sizes.push(page.len());
        seen.extend(page.iter().map(|row| row.session));
        let Some(last) = page.last() else { break };
        filter = filter.after_row(last);
        world.clock.advance(TimeDelta::seconds(1));
        say(&bot, &phone(230), "late").await;
    }
    assert_eq!(sizes, [100, 100, 30, 0]);
    assert_eq!((seen.len(), seen.into_iter().collect()), (230, ended));
    assert_eq!(rows(&bot).await[0].session, late);
}

/// A session that is cancelled where its version cannot be read has its results where it can.
pub(crate) async fn results_of_what_is_not_readable_here<S: ConversationStore + StoreQueries>(
    open: impl AsyncFn() -> S,
) {
    let world = World::default();
    let flows = Arc::new(MemoryFlows::default());
    let large = world.process(open().await).flow_store(Arc::clone(&flows)).build();
    let limits = Limits { nodes: 2, ..Limits::default() };
    let small = world.process(open().await).flow_store(flows).limits(limits).build();
    large.flows().ensure(&asks(&json!(["mood", "kept"]))).await.unwrap();
    let session = start(&large, ANN).await;
    let _ = small.cancel(session).await.unwrap();
    let (here, there) = (rows(&small).await, rows(&large).await);
    assert_eq!((here.len(), here[0].values.len()), (1, 0));
    assert_eq!(json!(there[0].values), json!({"kept": [1, {"two": 7}]}));
    assert_eq!((there[0].session, there[0].status), (session, Status::Cancelled));
}

/// Each step of every session is counted once, in the minute in which it happened, with what
/// journals say of it.
pub(crate) async fn counts_are_what_journals_say<S: ConversationStore + StoreQueries>(
    open: impl AsyncFn() -> S,
) {
    let world = World::default();
    let bot = world.process(open().await).count_nodes(true).build();
    bot.flows().ensure(&asks(&json!([]))).await.unwrap();
    bot.flows().set_logging(&poll(), true).await.unwrap();
    let began = world.clock.now();
    let phone = |number: usize| format!("+1415555{number:04}");
    for number in 0..7 {
        start(&bot, &phone(number)).await;
    }
    for number in 0..3 {
        say(&bot, &phone(number), "fine").await;
    }
    let cancelled = start(&bot, ANN).await;
    let _ = bot.cancel(cancelled).await.unwrap();
    world.clock.advance(TimeDelta::hours(3));
    while bot.tick(10).await.unwrap().worked > 0 {}

    let counts = bot.counts(&poll(), ..).await.unwrap();
    let journalled = bot.node_counts(JournalFilter::of(poll())).await.unwrap();
    let visits: BTreeMap<_, _> = journalled.iter().map(|count| (count.node.clone(), count.visits)).collect();
    assert_eq!(counts.total.nodes, visits);
    assert_eq!(counts.total.nodes.values().copied().collect::<Vec<_>>(), [3, 8, 8, 8, 8], "{counts:?}");
    assert_eq!(counts.total.started, 8);
    let ended = [(Status::Completed, 3), (Status::Expired, 4), (Status::Cancelled, 1)];
    assert_eq!(counts.total.ended, BTreeMap::from(ended));
    assert_eq!(counts.versions.values().collect::<Vec<_>>(), [&counts.total]);

    let minute = TimeDelta::minutes(1);
    let at_start = bot.counts(&poll(), began - minute..=began).await.unwrap();
    assert_eq!((at_start.total.started, at_start.total.ended.get(&Status::Expired)), (8, None));
    let due = began + TimeDelta::minutes(30);
    let when_due = bot.counts(&poll(), due - minute..=due).await.unwrap();
    assert_eq!(when_due.total.ended, BTreeMap::from([(Status::Expired, 4)]), "not when it was worked");
    assert_eq!(bot.counts(&poll(), due + minute..).await.unwrap(), FlowCounts::default());
    let elsewhere = bot.in_workspace("elsewhere").counts(&poll(), ..).await.unwrap();
    assert_eq!(elsewhere, FlowCounts::default());

    drop(bot);
    let again = world.process(open().await).build();
    assert_eq!(again.counts(&poll(), ..).await.unwrap(), counts, "after a restart");
    start(&again, &phone(50)).await;
    assert_eq!(again.counts(&poll(), ..).await.unwrap(), counts, "this one does not count");
    world.clock.advance(TimeDelta::days(31));
    for _ in 0..10 {
        let _ = again.tick(10).await.unwrap();
        world.clock.advance(TimeDelta::hours(2));
    }
    assert_eq!(again.counts(&poll(), ..).await.unwrap(), FlowCounts::default(), "their retention is over");
}

/// Messages of many contacts at once, through two engines: each is counted once, and nobody is
/// refused.
pub(crate) async fn counts_of_many_at_once<S: ConversationStore + StoreQueries>(open: impl AsyncFn() -> S) {
    const CONTACTS: usize = 40;
    let world = World::default();
    let bots = [
        world.process(open().await).count_nodes(true).build(),
        world.process(open().await).count_nodes(true).build(),
    ];
    bots[0].flows().ensure(&asks(&json!([]))).await.unwrap();
    let talk = async |number: usize| {
        let phone = format!("+1415555{number:04}");
        start(&bots[number % 2], &phone).await;
        say(&bots[(number + 1) % 2], &phone, "fine").await;
    };
    let mut talks: Vec<_> = (0..CONTACTS).map(|number| Box::pin(talk(number))).collect();
    std::future::poll_fn(|context| {
        talks.retain_mut(|talk| talk.as_mut().poll(context).is_pending());
        if talks.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    let counts = bots[0].counts(&poll(), ..).await.unwrap().total;
    let all = CONTACTS as u64;
    assert_eq!((counts.started, counts.ended), (all, BTreeMap::from([(Status::Completed, all)])));
    assert_eq!(counts.nodes.values().copied().collect::<Vec<_>>(), [all; 5]);
}
