//! The observers of the features `tracing` and `metrics`, driven by a subscriber and a recorder.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use chatflow::calls::{Answer, Call, CallRef};
use chatflow::limits::Limits;
use chatflow::observer::{MetricsObserver, TracingObserver};
use chatflow::testkit::{Fault, Faulty, ManualClock, Recorder};
use chatflow::{
    CallError, CallResult, Channel, Engine, Inbound, MemoryStore, SendError, TriggerRequest, Triggered,
    WorkspaceId, call_fn,
};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, SharedString, Unit,
};
use pollster::block_on;
use tracing::field::{Field, Visit};
use tracing::span;

const FLOW: &str = r#"{"spec": 1, "code": "hello", "name": "Hello", "trigger": {"kind": "manual"},
    "settings": {"sender": {"channel": "whatsapp", "account": "+15550100"}},
    "nodes": [{"id": "start", "kind": "start"},
              {"id": "hi", "kind": "send_message", "text": "Hi there"},
              {"id": "wait", "kind": "wait_reply", "timeout": "10m"},
              {"id": "note", "kind": "log", "text": "heard {{reply.text}}"},
              {"id": "bye", "kind": "send_message", "text": "Bye"}],
    "edges": [{"from": "start", "to": "hi"}, {"from": "hi", "to": "wait"}, {"from": "wait", "to": "note"},
              {"from": "note", "to": "bye"}]}"#;

/// Asks its host.
const CALLING: &str = r#"{"spec": 1, "code": "stock", "name": "Stock", "trigger": {"kind": "manual"},
    "settings": {"sender": {"channel": "whatsapp", "account": "+15550100"}},
    "nodes": [{"id": "start", "kind": "start"}, {"id": "ask", "kind": "function", "function": "stock"}],
    "edges": [{"from": "start", "to": "ask"}]}"#;

type Bot = Engine<MemoryStore>;

/// One test at a time: a subscriber of one thread is not asked for the spans that another thread
/// comes to first.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bot(channel: &Recorder, clock: &ManualClock, watch: impl chatflow::Observer + 'static) -> Bot {
    let builder = Engine::builder(MemoryStore::new()).transport(channel.clone()).clock(clock.clone());
    let bot = builder.observer(watch).build();
    block_on(bot.flows().ensure(FLOW)).unwrap();
    bot
}

fn start(bot: &Bot) -> chatflow::SessionRef {
    match block_on(bot.trigger(TriggerRequest::new("hello").phone("+14155550123"))).unwrap() {
        Triggered::Started(session) => session,
        other => panic!("{other:?}"),
    }
}

fn reply(bot: &Bot) {
    let said = Inbound::text(Channel::WhatsApp, "+15550100", "+14155550123", "hunter2");
    let _ = block_on(bot.receive(said)).unwrap();
}

/// Measures: by name and labels, each value in order.
#[derive(Clone, Default)]
struct Measured(Arc<Mutex<BTreeMap<String, Vec<f64>>>>, Arc<Mutex<Vec<String>>>);

struct One(String, Measured);

impl One {
    fn put(&self, value: f64) {
        self.1.0.lock().unwrap().entry(self.0.clone()).or_default().push(value);
    }
}

impl CounterFn for One {
    fn increment(&self, value: u64) {
        self.put(value as f64);
    }

    fn absolute(&self, _value: u64) {
        panic!("counters only count");
    }
}

impl GaugeFn for One {
    fn increment(&self, _value: f64) {
        panic!("gauges are only set");
    }

    fn decrement(&self, _value: f64) {
        panic!("gauges are only set");
    }

    fn set(&self, value: f64) {
        self.put(value);
    }
}

impl HistogramFn for One {
    fn record(&self, value: f64) {
        self.put(value);
    }
}

impl Measured {
    fn one(&self, key: &Key) -> Arc<One> {
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        Arc::new(One(format!("{}{{{}}}", key.name(), labels.join(",")), self.clone()))
    }

    fn described(&self, name: KeyName) {
        self.1.lock().unwrap().push(name.as_str().to_owned());
    }

    fn of(&self, name: &str) -> Vec<f64> {
        self.0.lock().unwrap().get(name).cloned().unwrap_or_default()
    }
}

impl metrics::Recorder for Measured {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.described(name);
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.described(name);
    }

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.described(name);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.one(key).into()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.one(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.one(key))
    }
}

/// Every measure that a conversation moves, by name, labels and value.
#[test]
fn meters_feed_the_recorder() {
    let _alone = alone();
    let measured = Measured::default();
    metrics::with_local_recorder(&measured, || {
        let (channel, clock) = (Recorder::new(), ManualClock::default());
        let bot = bot(&channel, &clock, MetricsObserver::new());
        channel.answer([Err(SendError::retry("busy"))]);
        start(&bot);
        clock.advance(chrono::TimeDelta::seconds(5));
        let _ = block_on(bot.tick(10)).unwrap();
        block_on(bot.count_live()).unwrap();
        reply(&bot);
        block_on(bot.count_live()).unwrap();
        reply(&bot);
        start(&bot);
        clock.advance(chrono::TimeDelta::seconds(603));
        let _ = block_on(bot.tick(10)).unwrap();
    });
    assert_eq!(measured.of("chatflow_started_total{flow=hello}"), [1.0, 1.0]);
    assert_eq!(measured.of("chatflow_turns_total{flow=hello,outcome=waiting}"), [1.0, 1.0]);
    assert_eq!(measured.of("chatflow_ended_total{flow=hello,status=completed}"), [1.0]);
    assert_eq!(measured.of("chatflow_ended_total{flow=hello,status=expired}"), [1.0]);
    assert_eq!(measured.of("chatflow_received_total{outcome=consumed}"), [1.0]);
    assert_eq!(measured.of("chatflow_received_total{outcome=unmatched}"), [1.0]);
    assert_eq!(measured.of("chatflow_sends_total{channel=whatsapp,result=retry}"), [1.0]);
    assert_eq!(measured.of("chatflow_sends_total{channel=whatsapp,result=delivered}"), [1.0; 3]);
    assert_eq!(measured.of("chatflow_outbox_wait_seconds{channel=whatsapp}"), [5.0, 0.0, 0.0]);
    assert_eq!(measured.of("chatflow_due_lag_seconds{}"), [3.0]);
    assert_eq!(measured.of("chatflow_sessions_live{workspace=default,flow=hello}"), [1.0, 0.0]);
    assert!(!measured.of("chatflow_store_seconds{cause=trigger}").is_empty());

    let described = measured.1.lock().unwrap().clone();
    let named: Vec<String> = measured.0.lock().unwrap().keys().cloned().collect();
    for key in named {
        let (name, labels) = key.trim_end_matches('}').split_once('{').unwrap();
        assert!(described.iter().any(|known| known == name), "{name} is not described");
        let labels: Vec<_> = labels.split(',').filter_map(|label| Some(label.split_once('=')?.0)).collect();
        let listed = MetricsObserver::measures().find(|(known, _)| *known == name).unwrap().1;
        assert_eq!(labels, listed, "{name}");
        assert!(!key.contains("4155550123"), "{key}");
    }
}

/// Levels that the store is asked for.
#[test]
fn levels_are_set_when_they_are_asked_for() {
    let _alone = alone();
    let measured = Measured::default();
    metrics::with_local_recorder(&measured, || {
        let (channel, clock) = (Recorder::new(), ManualClock::default());
        let bot = bot(&channel, &clock, MetricsObserver::new());
        channel.answer([Err(SendError::rejected("no"))]);
        let contact = start(&bot).contact_id;
        block_on(bot.count_live()).unwrap();
        // The wait is over after ten minutes; nobody ticks.
        clock.advance(chrono::TimeDelta::seconds(607));
        block_on(bot.count_live()).unwrap();
        let _ = block_on(bot.tick(10)).unwrap();
        let letter = block_on(bot.dead_letters(None)).unwrap().remove(0).letter.message.id;
        assert!(block_on(bot.drop_dead_letter(&contact, letter)).unwrap());
        block_on(bot.count_live()).unwrap();
    });
    assert_eq!(measured.of("chatflow_dead_letters{workspace=default}"), [1.0, 1.0, 0.0]);
    assert_eq!(measured.of("chatflow_outbox_oldest_seconds{}"), [0.0, 7.0, 0.0]);
    assert_eq!(measured.of("chatflow_dead_letters_total{}"), [1.0]);
}

/// A version that cannot be used here is counted.
#[test]
fn versions_that_are_missing_are_counted() {
    let _alone = alone();
    let measured = Measured::default();
    metrics::with_local_recorder(&measured, || {
        let (channel, clock) = (Recorder::new(), ManualClock::default());
        let store = Arc::new(MemoryStore::new());
        let builder = || Engine::builder(Arc::clone(&store)).transport(channel.clone()).clock(clock.clone());
        let bot = builder().build();
        block_on(bot.flows().ensure(FLOW)).unwrap();
        assert!(block_on(bot.trigger(TriggerRequest::new("hello").phone("+14155550123"))).is_ok());
        let small = Limits { nodes: 2, ..Limits::default() };
        let small = builder().limits(small).observer(MetricsObserver::new()).build();
        clock.advance(chrono::TimeDelta::seconds(603));
        let _ = block_on(small.tick(10)).unwrap();
    });
    assert_eq!(measured.of("chatflow_versions_missing_total{flow=hello,reason=not_readable}"), [1.0]);
}

/// Notes of a subscriber: the names of spans, those that they began in, and the fields of events
/// with the span that they were in.
#[derive(Clone, Default)]
struct Seen(Arc<Log>);

#[derive(Default)]
struct Log {
    spans: Mutex<Vec<&'static str>>,
    /// The name of the span that each one began in.
    parents: Mutex<Vec<&'static str>>,
    /// The fields of each span.
    fields: Mutex<Vec<BTreeMap<String, String>>>,
    inside: Mutex<Vec<&'static str>>,
    events: Mutex<Vec<BTreeMap<String, String>>>,
    next: AtomicU64,
}

#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

impl tracing::Subscriber for Seen {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "chatflow"
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let mut fields = Fields::default();
        span.record(&mut fields);
        self.0.fields.lock().unwrap().push(fields.0);
        let parent = self.0.inside.lock().unwrap().last().copied().unwrap_or_default();
        self.0.parents.lock().unwrap().push(parent);
        self.0.spans.lock().unwrap().push(span.metadata().name());
        span::Id::from_u64(self.0.next.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, id: &span::Id, values: &span::Record<'_>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        let place = usize::try_from(id.into_u64()).unwrap() - 1;
        self.0.fields.lock().unwrap()[place].extend(fields.0);
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        fields.0.insert("level".to_owned(), event.metadata().level().to_string());
        let inside = self.0.inside.lock().unwrap().last().copied().unwrap_or_default();
        fields.0.insert("span".to_owned(), inside.to_owned());
        self.0.events.lock().unwrap().push(fields.0);
    }

    fn enter(&self, id: &span::Id) {
        let place = usize::try_from(id.into_u64()).unwrap() - 1;
        let name = self.0.spans.lock().unwrap()[place];
        self.0.inside.lock().unwrap().push(name);
    }

    fn exit(&self, _: &span::Id) {
        self.0.inside.lock().unwrap().pop();
    }
}

/// SEMANTICS E4: spans and events of a conversation; the contact is hashed, and no text is there.
#[test]
fn traces_write_events_within_spans() {
    let _alone = alone();
    let seen = Seen::default();
    let traces = TracingObserver::new([7; 16]);
    let asked: Arc<Mutex<Vec<CallRef>>> = Arc::default();
    let contact = tracing::subscriber::with_default(seen.clone(), || {
        let (channel, clock) = (Recorder::new(), ManualClock::default());
        let hears = Arc::clone(&asked);
        let builder = Engine::builder(MemoryStore::new()).transport(channel.clone()).clock(clock.clone());
        let host = call_fn(move |call: Call| {
            hears.lock().unwrap().push(call.reference);
            async { Ok::<_, CallError>(Answer::Later) }
        });
        let bot = builder.calls(host).observer(traces.clone()).build();
        block_on(bot.flows().ensure(FLOW)).unwrap();
        let session = start(&bot);
        reply(&bot);
        channel.answer([Err(SendError::rejected("no"))]);
        start(&bot);
        let _ = block_on(bot.tick(10)).unwrap();
        block_on(bot.flows().ensure(CALLING)).unwrap();
        let _ = block_on(bot.trigger(TriggerRequest::new("stock").phone("+14155550123"))).unwrap();
        let _ = block_on(bot.tick(10)).unwrap();
        let call = asked.lock().unwrap().remove(0);
        let _ = block_on(bot.complete(call, CallResult::value(serde_json::json!(1)))).unwrap();
        session.contact_id
    });
    let hashed = traces.contact(&WorkspaceId::default(), &contact);
    let spans = seen.0.spans.lock().unwrap().clone();
    let fields = seen.0.fields.lock().unwrap().clone();
    let named = |name: &str| {
        let place = spans.iter().position(|span| *span == name).unwrap_or_else(|| panic!("{name}"));
        fields[place].iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(named("chatflow.trigger"), "flow=hello workspace=default");
    assert_eq!(named("chatflow.receive"), "workspace=default");
    assert_eq!(named("chatflow.deliver"), format!("contact={hashed} flow=hello workspace=default"));
    assert_eq!(named("chatflow.call"), format!("contact={hashed} flow=stock workspace=default"));
    assert_eq!(named("chatflow.complete"), format!("contact={hashed} workspace=default"));
    assert_eq!(spans[..4], ["chatflow.trigger", "chatflow.deliver", "chatflow.receive", "chatflow.deliver"]);
    assert!(spans.contains(&"chatflow.tick"), "{spans:?}");
    let events = seen.0.events.lock().unwrap().clone();
    let of =
        |name: &str| events.iter().find(|event| event["event"] == name).unwrap_or_else(|| panic!("{name}"));
    let turn = of("turn");
    assert_eq!((turn["flow"].as_str(), turn["version"].as_str()), ("hello", "1"));
    assert_eq!((turn["cause"].as_str(), turn["span"].as_str()), ("trigger", "chatflow.trigger"));
    assert_eq!((turn["node"].as_str(), turn["status"].as_str()), ("wait", "waiting"));
    assert_eq!(of("delivered")["span"], "chatflow.deliver");
    assert_eq!((of("dead_lettered")["level"].as_str(), turn["level"].as_str()), ("WARN", "DEBUG"));
    assert_eq!(of("logged")["node"], "note");
    assert_ne!(hashed, TracingObserver::new([8; 16]).contact(&WorkspaceId::default(), &contact));
    for event in &events {
        assert_eq!(event["contact"], hashed);
    }
    for written in events.iter().chain(&fields).map(|event| format!("{event:?}")) {
        for hidden in ["hunter2", "Hi there", "4155550123", &*contact.to_string()] {
            assert!(!written.contains(hidden), "{hidden} in {written}");
        }
    }
}

/// SEMANTICS E4: a loop looks for work within a span as a tick does, and what it begins there stays
/// within that span while it waits.
#[test]
fn a_loop_works_within_the_spans_of_ticks() {
    let _alone = alone();
    let seen = Seen::default();
    tracing::subscriber::with_default(seen.clone(), || {
        let (channel, clock) = (Recorder::new(), ManualClock::default());
        let builder = Engine::builder(MemoryStore::new()).transport(channel.clone()).clock(clock.clone());
        let bot = builder.deferred_delivery().observer(TracingObserver::new([7; 16])).build();
        block_on(bot.flows().ensure(FLOW)).unwrap();
        start(&bot);
        let is_sent = std::future::poll_fn(|context| {
            context.waker().wake_by_ref();
            if channel.sent().is_empty() { Poll::Pending } else { Poll::Ready(()) }
        });
        block_on(bot.run_until(is_sent, Duration::from_secs(1), |_| std::future::pending()));
    });
    let (spans, parents) = (seen.0.spans.lock().unwrap().clone(), seen.0.parents.lock().unwrap().clone());
    let within: Vec<_> = spans.iter().copied().zip(parents).collect();
    assert!(within.contains(&("chatflow.tick", "")), "{within:?}");
    assert!(within.contains(&("chatflow.deliver", "chatflow.tick")), "{within:?}");
    assert_eq!(spans.iter().filter(|span| **span == "chatflow.deliver").count(), 1, "{within:?}");
}

/// SEMANTICS R1: what fails in the background is counted, and written without the text of the
/// error.
#[test]
fn failures_in_the_background_are_counted_and_written() {
    let _alone = alone();
    let (measured, seen) = (Measured::default(), Seen::default());
    metrics::with_local_recorder(&measured, || {
        tracing::subscriber::with_default(seen.clone(), || {
            let store = Faulty::new(Arc::new(MemoryStore::new()));
            let bot = Engine::builder(store.clone())
                .observer(MetricsObserver::new())
                .observer(TracingObserver::new([7; 16]))
                .build();
            store.fail_always(Fault::Before);
            assert!(block_on(bot.tick(10)).is_err());
        });
    });
    assert_eq!(measured.of("chatflow_background_errors_total{task=claim}"), [1.0]);
    let events = seen.0.events.lock().unwrap().clone();
    let failed: Vec<_> = events.iter().filter(|event| event["event"] == "background_failed").collect();
    let of_claim: Vec<_> = failed.iter().filter(|event| event["task"] == "claim").collect();
    assert_eq!(of_claim.len(), 1, "{events:?}");
    for event in failed {
        assert_eq!((event["level"].as_str(), event["result"].as_str()), ("WARN", "store_failed"));
        assert_eq!(event["span"], "chatflow.tick");
        assert_eq!(event.len(), 5, "{event:?}");
    }
}
