//! E: what observers are told, in which order, and what each event carries.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatflow::calls::Answer;
use chatflow::id::FlowVersion;
use chatflow::observer::{BackgroundTask, Cause, EventKind};
use chatflow::ops::Reported;
use chatflow::session::DeliveryReport;
use chatflow::testkit::{Fault, Faulty, ManualClock, Recorder};
use chatflow::{
    CallResult, Clock, Engine, Error, Event, MemoryStore, Observer, Receipt, Received, Refusal, SendError,
    Status, Triggered,
};
use pollster::block_on;
use serde_json::json;

use crate::kit::*;

fn names(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(|event| event.kind.name()).collect()
}

/// The one event with this name.
fn one<'a>(events: &'a [Event], name: &str) -> &'a Event {
    let found: Vec<_> = events.iter().filter(|event| event.kind.name() == name).collect();
    assert_eq!(found.len(), 1, "{name} in {:?}", names(events));
    found[0]
}

fn asks() -> Sketch {
    flow("f").send("hi", "Hi").wait_for("wait", "10m").send("bye", "Secret: {{reply.text}}")
}

/// E1: first what was decided, then the commit, then what became of it outside.
#[test]
fn events_come_in_the_order_of_what_they_tell() {
    let world = World::with([asks()]);
    world.start("f");
    assert_eq!(names(&world.events()), ["session_started", "turn", "committed", "delivered"]);
    world.say("42");
    let events = world.events();
    assert_eq!(names(&events), ["turn", "session_ended", "committed", "received", "delivered"]);
}

/// E2: what an event carries says whose it is and which call led to it.
#[test]
fn each_event_carries_flow_version_session_and_cause() {
    let world = World::with([asks()]);
    let session = world.start("f");
    let started = world.events();
    for event in started.iter().filter(|event| event.kind.session().is_some()) {
        assert_eq!(event.session, Some(session.session_id));
        assert_eq!(event.flow, Some(id("f")));
    }
    assert_eq!(one(&started, "turn").version, Some(FlowVersion(1)));
    assert!(started.iter().all(|event| event.cause == Cause::Trigger && event.contact == session.contact_id));
    assert_eq!(one(&started, "committed").attempt, Some(1));

    world.say("42");
    let ended = world.events();
    assert!(ended.iter().all(|event| event.cause == Cause::Receive));
    let end = one(&ended, "session_ended");
    let EventKind::SessionEnded { status, failure, .. } = &end.kind else { panic!("{end:?}") };
    assert_eq!((*status, *failure), (Status::Completed, None));
    assert_eq!((&end.flow, end.version), (&Some(id("f")), Some(FlowVersion(1))));
}

/// E2: every kind of event that has a session says whose it is, also once the session is over. The
/// kit holds every event of every test of these rules to it.
#[test]
fn what_becomes_of_messages_and_calls_carries_flow_and_version() {
    let world = World::with([asks()]);
    let call = flow("f").set("reentry", json!("once_ever")).send("hi", "Hi");
    let call = call.node("call", "function", json!({"function": "stock"})).wait("wait").send("bye", "Bye");
    world.publish([call]);
    let busy = || Err(SendError::retry("busy"));
    world.answer_sends([busy(), Ok(Receipt::new()), busy(), Err(SendError::rejected("no"))]);
    world.answer_calls([Ok(Answer::Now(CallResult::value(json!(1))))]);
    let session = world.start("f").session_id;
    world.tick_after(minutes(1));
    let hi = world.channel.sent()[0].id;
    assert_eq!(block_on(world.bot.report(hi, DeliveryReport::Delivered)).unwrap(), Reported::Noted);
    assert_eq!(world.say("42"), Received::Consumed { session });
    world.tick_after(minutes(1));
    assert_eq!(world.trigger(ada("f")), Triggered::Refused(Refusal::OnceEver));
    let events = world.events();
    let told =
        ["delivered", "send_failed", "send_delayed", "dead_lettered", "called", "call_done", "reported"];
    for name in told.into_iter().chain(["received", "refused", "session_ended"]) {
        let of: Vec<_> = events.iter().filter(|event| event.kind.name() == name).collect();
        assert!(!of.is_empty(), "{name} in {:?}", names(&events));
        for event in of {
            assert_eq!((&event.flow, event.version), (&Some(id("f")), Some(FlowVersion(2))), "{event:?}");
            assert_eq!(event.session, (name != "refused").then_some(session), "{event:?}");
        }
    }
    let attempts = |name: &str| -> Vec<_> {
        events.iter().filter(|event| event.kind.name() == name).map(|event| event.attempt).collect()
    };
    assert_eq!(
        (attempts("delivered"), attempts("send_failed")),
        (vec![Some(2)], vec![Some(1), Some(1), Some(2)])
    );
}

/// E2: lag is how late time's work was done.
#[test]
fn what_time_brings_says_how_late_it_is() {
    let world = World::with([asks()]);
    world.start("f");
    world.say("42");
    // What the host brings is not late; a message says how long it waited to be sent.
    for event in world.events() {
        let is_message = event.kind.name() == "delivered";
        assert_eq!(event.lag, is_message.then_some(Duration::ZERO), "{event:?}");
    }
    world.start("f");
    world.events();
    world.pass(minutes(10));
    world.tick_after(chrono::TimeDelta::seconds(7));
    let events = world.events();
    let turn = events.iter().find(|event| event.kind.name() == "turn").unwrap();
    assert_eq!((turn.cause, turn.lag), (Cause::Tick, Some(Duration::from_secs(7))));
}

/// E2: how long the parts of a call took.
#[test]
fn events_say_how_long_decide_store_and_send_took() {
    let world = World::with([asks()]);
    world.start("f");
    let events = world.events();
    let committed = one(&events, "committed").took;
    assert!(committed.decide.is_some() && committed.store.is_some() && committed.send.is_none());

    let (clock, events) = (ManualClock::default(), Kept::default());
    let slow = clock.clone();
    let transport = chatflow::send_fn(move |_| {
        slow.advance(chrono::TimeDelta::milliseconds(300));
        async { Ok::<_, SendError>(chatflow::Receipt::new()) }
    });
    let bot = Engine::builder(MemoryStore::new()).transport(transport).clock(clock).observer(events.clone());
    let bot = bot.build();
    block_on(bot.flows().ensure(&asks().json())).unwrap();
    let _ = block_on(bot.trigger(ada("f"))).unwrap();
    let all = events.0.lock().unwrap().clone();
    assert_eq!(one(&all, "delivered").took.send, Some(Duration::from_millis(300)));
}

/// E3: what became of a message, with its channel.
#[test]
fn a_send_that_fails_says_how() {
    let world = World::with([asks()]);
    world.answer_sends([Err(SendError::retry("busy")), Err(SendError::rejected("no"))]);
    world.start("f");
    world.tick_after(minutes(1));
    let events = world.events();
    let failed: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::SendFailed { channel, result, .. } => {
                Some((channel.to_string(), *result, event.cause))
            }
            _ => None,
        })
        .collect();
    let whatsapp = "whatsapp".to_owned();
    assert_eq!(failed, [(whatsapp.clone(), "retry", Cause::Trigger), (whatsapp, "rejected", Cause::Tick)]);
    assert_eq!(one(&events, "send_delayed").attempt, Some(1));
}

/// E3: what the host said to a call.
#[test]
fn a_call_says_what_came_of_it() {
    let sketch = flow("f").send("hi", "Hi").node("call", "function", json!({"function": "stock"}));
    let world = World::with([sketch]);
    world.answer_calls([Ok(Answer::Now(CallResult::value(json!(1))))]);
    world.start("f");
    world.tick();
    let events = world.events();
    let done = one(&events, "call_done");
    assert!(matches!(done.kind, EventKind::CallDone { result: "now", .. }), "{done:?}");
    assert_eq!((&done.flow, done.cause, done.took.call), (&Some(id("f")), Cause::Tick, Some(Duration::ZERO)));
}

/// E3: what was not wanted, not allowed, or came twice.
#[test]
fn what_starts_nothing_is_told_too() {
    let world = World::with([asks().set("reentry", json!("once_ever"))]);
    assert_eq!(world.say("hello?"), Received::Unmatched);
    assert_eq!(names(&world.events()), ["unmatched"]);
    let contact = world.start("f").contact_id;
    world.say("42");
    world.events();
    assert_eq!(world.trigger(ada("f")), Triggered::Refused(Refusal::OnceEver));
    let events = world.events();
    let refused = one(&events, "refused");
    assert_eq!(refused.kind, EventKind::Refused { reason: "once_ever" });
    assert_eq!((&refused.flow, &refused.contact), (&Some(id("f")), &contact));
    let twice = || says("again").id("m1");
    let _ = world.receive(twice());
    world.events();
    let _ = world.receive(twice());
    let again = world.events();
    assert_eq!(one(&again, "received").kind, EventKind::Received { outcome: "duplicate" });
}

/// E4: no event but an author's log line holds what people wrote.
#[test]
fn no_event_holds_a_text() {
    let world = World::with([asks()]);
    world.start("f");
    world.say("hunter2");
    let told = serde_json::to_string(&world.events()).unwrap();
    assert!(!told.contains("hunter2") && !told.contains("Secret") && !told.contains("Hi"), "{told}");
}

/// E3: an event serialises under the name of its kind.
#[test]
fn an_event_serialises_under_its_name() {
    let world = World::with([asks()]);
    world.start("f");
    for event in world.events() {
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["kind"]["event"], event.kind.name());
        assert_eq!(json["cause"], "trigger");
    }
}

/// A clock that must not be measured by.
struct Unmeasured;

impl Clock for Unmeasured {
    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        ManualClock::default().now()
    }

    fn elapsed(&self) -> Duration {
        panic!("measured, and nobody watches")
    }
}

/// E5: nothing is measured where nobody watches.
#[test]
fn without_an_observer_nothing_is_measured() {
    let bot = Engine::builder(MemoryStore::new()).transport(Recorder::new()).clock(Unmeasured).build();
    block_on(bot.flows().ensure(&asks().json())).unwrap();
    assert!(matches!(block_on(bot.trigger(ada("f"))).unwrap(), Triggered::Started(_)));
    let _ = block_on(bot.receive(says("42"))).unwrap();
    let _ = block_on(bot.tick(10)).unwrap();
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Event>>>, Arc<Mutex<Vec<BackgroundTask>>>);

impl Observer for Kept {
    fn observe(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }

    fn failed(&self, doing: BackgroundTask, _error: &Error) {
        self.1.lock().unwrap().push(doing);
    }
}

/// E1: every observer gets every event.
#[test]
fn several_observers_see_the_same() {
    let (first, second) = (Kept::default(), Kept::default());
    let bot = Engine::builder(MemoryStore::new())
        .transport(Recorder::new())
        .observer(first.clone())
        .observer(second.clone())
        .build();
    block_on(bot.flows().ensure(&asks().json())).unwrap();
    let _ = block_on(bot.trigger(ada("f"))).unwrap();
    let (first, second) = (first.0.lock().unwrap(), second.0.lock().unwrap());
    assert_eq!(*first, *second);
    assert_eq!(first.len(), 4);
}

/// E1: every observer is told of each failure in the background (R1).
#[test]
fn several_observers_are_told_of_the_same_failures() {
    let (first, second) = (Kept::default(), Kept::default());
    let store = Faulty::new(Arc::new(MemoryStore::new()));
    let bot = Engine::builder(store.clone()).observer(first.clone()).observer(second.clone()).build();
    store.fail_always(Fault::Before);
    assert!(block_on(bot.tick(10)).is_err());
    let (first, second) = (first.1.lock().unwrap(), second.1.lock().unwrap());
    assert_eq!(*first, *second);
    assert!(first.contains(&BackgroundTask::Claim), "{first:?}");
}

/// E2: a message that is given up after its session ended still says which flow sent it.
#[test]
fn a_message_says_whose_it_is_after_its_session_ended() {
    let world = World::with([flow("f").send("hi", "Hi")]);
    world.answer_sends([Err(SendError::retry("busy")), Err(SendError::rejected("no"))]);
    let session = world.start("f");
    let events = world.events();
    assert!(matches!(one(&events, "session_ended").kind, EventKind::SessionEnded { .. }));
    assert_eq!(one(&events, "send_delayed").flow, Some(id("f")));
    world.tick_after(minutes(1));
    let events = world.events();
    let lost = one(&events, "dead_lettered");
    assert_eq!((&lost.flow, lost.session), (&Some(id("f")), Some(session.session_id)));
}

/// E2: what an operator does says so, and so does what the pause keeps from happening.
#[test]
fn what_operators_do_is_told_with_its_cause() {
    let world = World::with([asks()]);
    let contact = world.start("f").contact_id;
    world.events();
    block_on(world.bot.pause(&contact, None)).unwrap();
    let events = world.events();
    assert_eq!(names(&events), ["paused", "committed"]);
    assert!(events.iter().all(|event| event.cause == Cause::Contact));
    assert_eq!(world.say("42"), Received::Paused);
    let events = world.events();
    assert_eq!(one(&events, "received").kind, EventKind::Received { outcome: "paused" });
    assert_eq!(world.trigger(ada("f")), Triggered::Refused(Refusal::Paused));
    assert_eq!(one(&world.events(), "refused").kind, EventKind::Refused { reason: "paused" });
    block_on(world.bot.unpause(&contact)).unwrap();
    assert_eq!(names(&world.events()), ["unpaused", "committed"]);
}
