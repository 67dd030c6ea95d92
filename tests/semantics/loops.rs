//! Lists that a session goes through, what is said last, and flows of months: N12, S21, S1. More of
//! it is in the golden talks `for_each*`, `last_words*` and `say_*`.

use chatflow::flow::Keywords;
use chatflow::observer::EventKind;
use chatflow::{Session, Status};
use serde_json::{Value, json};

use crate::kit::{Sketch, World, ada, days, flow, minutes};

fn each(limit: u32) -> Sketch {
    flow("f")
        .node("each", "for_each", json!({"from": "context.items", "limit": limit}))
        .apart("q", "ask", json!({"text": "{{ item }}?"}))
        .apart("done", "send_message", json!({"text": "done"}))
        .edge("each", "each", "q")
        .edge("q", "valid", "each")
        .edge("each", "done", "done")
}

fn texts(count: usize, bytes: usize) -> Value {
    Value::from((0..count).map(|at| json!(format!("{at}{}", "x".repeat(bytes)))).collect::<Vec<_>>())
}

/// N12: the list and the place in it are part of the record.
#[test]
fn a_loop_is_part_of_the_record() {
    let world = World::with([each(9)]);
    let id = world.begin(ada("f").context(json!({"items": ["a", "b"]}))).session_id;
    world.say("1");
    let stored = serde_json::to_string(&world.session(id)).unwrap();
    assert!(stored.contains(r#""rounds":[{"node":"each","name":"item""#), "{stored}");
    let read: Session = serde_json::from_str(&stored).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), stored);
    world.say("2");
    assert_eq!(world.sent(), ["a?", "b?", "done"]);
    let stored = serde_json::to_string(&world.session(id)).unwrap();
    assert!(!stored.contains("rounds"), "{stored}");
}

/// N12: what is beyond the limit is left out, and told.
#[test]
fn a_list_that_is_cut_is_told() {
    let world = World::with([each(2)]);
    world.begin(ada("f").context(json!({"items": ["a", "b", "c"]})));
    world.say("1");
    world.say("2");
    assert_eq!(world.sent(), ["a?", "b?", "done"]);
    let cut = world.notes().into_iter().find_map(|note| match note {
        EventKind::ListCut { given, kept, .. } => Some((given, kept)),
        _ => None,
    });
    assert_eq!(cut, Some((3, 2)));
}

/// N12, S7: lists count with the variables, so that loops inside each other cannot outgrow them.
#[test]
fn lists_are_held_to_the_bytes_of_variables() {
    let sketch = flow("f")
        .node("outer", "for_each", json!({"from": "context.items", "as": "a", "limit": 40}))
        .apart("inner", "for_each", json!({"from": "context.items", "as": "b", "limit": 40}))
        .apart("q", "wait_reply", json!({}))
        .edge("outer", "each", "inner")
        .edge("inner", "each", "q")
        .edge("q", "replied", "inner")
        .edge("inner", "done", "outer");
    let world = World::with([sketch]);
    let id = world.begin(ada("f").context(json!({"items": texts(40, 1_000)}))).session_id;
    let session = world.session(id);
    assert_eq!(session.failure().map(|failure| failure.code.as_str()), Some("variables"));
}

/// S21: what is said before the end is sent, in the same turn, and told of nobody who opted out.
#[test]
fn what_is_said_last_is_sent_before_the_end() {
    let sketch = flow("f").set("on_expire", json!({"node": "bye"})).send("hi", "hi").wait("w").apart(
        "bye",
        "send_message",
        json!({"text": "bye"}),
    );
    let world = World::with([sketch]);
    let id = world.begin(ada("f")).session_id;
    world.tick_after(minutes(31));
    assert_eq!((world.sent(), world.state(id)), (vec!["hi".to_owned(), "bye".to_owned()], Status::Expired));
    world.begin(ada("f"));
    world.say("stop");
    world.tick_after(minutes(31));
    assert_eq!(world.sent(), ["hi"]);
}

/// S21: a session that is ended from outside says nothing.
#[test]
fn a_session_that_is_cancelled_says_nothing() {
    let sketch = flow("f")
        .set("on_expire", json!({"node": "bye"}))
        .set("on_error", json!({"node": "bye"}))
        .wait("w")
        .apart("bye", "send_message", json!({"text": "bye"}));
    let world = World::built(|bot| bot.keywords(Keywords::default().cancel(["quit"])));
    world.publish([sketch]);
    world.begin(ada("f"));
    world.say("quit");
    assert_eq!(world.sent(), [""; 0]);
}

/// S1: a flow that says so lives for as long as something is to come.
#[test]
fn a_drip_of_sixty_days_comes_to_its_end() {
    let drip = |settings: Sketch| {
        let each = |sketch: Sketch, at: usize| {
            sketch.delay(&format!("d{at}"), "10d").send(&format!("m{at}"), &format!("part {at}"))
        };
        (1..=6).fold(settings, each)
    };
    let world = World::with([drip(flow("f").set("lifetime", json!("none")))]);
    let id = world.begin(ada("f")).session_id;
    for day in 1..=6 {
        world.tick_after(days(10));
        assert_eq!(world.sent(), [format!("part {day}")]);
    }
    assert_eq!(world.state(id), Status::Completed);
}
