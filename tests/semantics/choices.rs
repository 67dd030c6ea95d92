//! Choices that are made of data, and the filters of lists: N10, N11. More
//! of it is in the golden talks `choices_*`, `rows_*`, `buttons_*`, `labels_*` and `filter_*`.

use chatflow::observer::EventKind;
use chatflow::{Session, TriggerRequest};
use serde_json::{Value, json};

use crate::kit::{Sketch, World, ada, flow};

fn asking(choices: Value) -> Sketch {
    flow("f")
        .node("q", "ask", json!({"text": "Which?", "choices": choices, "save_to": "a"}))
        .send("ok", "{{ vars.a }} {{ reply.item.name }}")
        .apart("none", "send_message", json!({"text": "none"}))
        .edge("q", "empty", "none")
}

fn given(items: Value) -> TriggerRequest {
    ada("f").context(json!({"items": items}))
}

fn told(world: &World) -> Vec<(&'static str, u32)> {
    let notes = world.notes().into_iter().filter_map(|note| match note {
        EventKind::ChoicesAdjusted { why, count, .. } => Some((why, count)),
        _ => None,
    });
    notes.collect()
}

/// N10: what does not fit is told, each with how often.
#[test]
fn what_is_changed_of_choices_is_told() {
    let name = |id: &str, name: &str| json!({"id": id, "name": name});
    let many: Vec<Value> = (0..13).map(|at| name(&at.to_string(), "x")).collect();
    for (items, expected) in [
        (json!([name("a", "A"), name("b", "B")]), vec![]),
        (
            json!([name("a", "A"), name("a", "B"), name("", "C"), name("\n", "D")]),
            vec![("same_id", 1), ("bad_id", 2)],
        ),
        (json!([name("a", "a name of more than twenty characters")]), vec![("label_cut", 1)]),
        (json!([name("a", " "), {"id": "b"}]), vec![("no_label", 2)]),
        (json!([name("a", "One"), name("b", "ONE")]), vec![("same_label", 1)]),
        (Value::from(many), vec![("cut", 3), ("same_label", 9)]),
    ] {
        let world = World::with([asking(json!({"from": "context.items", "label": "name"}))]);
        world.trigger(given(items.clone()));
        assert_eq!(told(&world), expected, "{items}");
    }
}

/// N10: the list is kept in the record, so that the choice means the item after a restart.
#[test]
fn what_was_offered_is_part_of_the_record() {
    let world = World::with([asking(json!({"from": "context.items", "label": "name"}))]);
    let id =
        world.begin(given(json!([{"id": "s", "name": "Small"}, {"id": "l", "name": "Large"}]))).session_id;
    let session = world.session(id);
    let stored = serde_json::to_string(&session).unwrap();
    assert!(stored.contains(r#""offered":[{"wait":1,"asked":true"#), "{stored}");
    let read: Session = serde_json::from_str(&stored).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), stored);
    world.say("large");
    assert_eq!(world.sent().pop().as_deref(), Some("l Large"));
    let stored = serde_json::to_string(&world.session(id)).unwrap();
    assert!(!stored.contains("offered"), "{stored}");
}

/// N10, U6: a choice of data is meant by its label in any language of the flow.
#[test]
fn a_choice_of_data_is_meant_by_its_label_in_any_language() {
    let label = json!({"en": "{{ item.en }}", "de": "{{ item.de }}"});
    let data = json!({"from": "context.items", "label": label});
    let written =
        json!({"id": "none", "label": {"en": "None of {{ context.n }}", "de": "Keine von {{ context.n }}"}});
    let items = json!([{"id": "r", "en": "Red", "de": "Rot"}, {"id": "b", "en": "Blue", "de": "Blau"}]);
    let list = json!({"text": "Which?", "list": {"button": "Open", "sections": [{"rows": data}]}});
    let listed = |mut fields: Value| {
        fields["choices"] = data.clone();
        fields["save_to"] = "a".into();
        fields
    };
    for (question, said, id) in [
        (json!({"text": "Which?", "choices": [data, written], "save_to": "a"}), "rot", "r"),
        (json!({"text": "Which?", "choices": [data, written], "save_to": "a"}), "Blue", "b"),
        (json!({"text": "Which?", "choices": [data, written], "save_to": "a"}), "keine von 2", "none"),
        (listed(list), "Blau", "b"),
    ] {
        let world = World::with([flow("f").node("q", "ask", question).send("ok", "{{ vars.a }}")]);
        let session = world.begin(ada("f").context(json!({"items": items, "n": 2}))).session_id;
        let stored = serde_json::to_string(&world.session(session)).unwrap();
        let read: Session = serde_json::from_str(&stored).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), stored);
        world.say(said);
        assert_eq!(world.sent().pop().as_deref(), Some(id), "{said}");
    }
}

/// N10: labels that no message shows are held to nothing.
#[test]
fn choices_that_no_message_shows_may_have_long_labels() {
    let name = "a label of more than twenty characters, and of more than eighty, which nobody sees at all";
    let rows = json!({"from": "context.items", "label": "short"});
    let question = json!({"text": "Which?", "list": {"button": "Open", "sections": [{"rows": rows}]},
        "choices": [{"from": "context.items", "label": "long"}, {"id": "none", "label": name}], "save_to": "a"});
    let world = World::with([flow("f").node("q", "ask", question).send("ok", "{{ vars.a }}")]);
    world.trigger(given(json!([{"id": "s", "short": "Small", "long": format!("{name} or less")}])));
    assert_eq!(told(&world), []);
    world.say(&format!("{name} or less"));
    assert_eq!(world.sent().pop().as_deref(), Some("s"));
}

/// N10, S7: a hostile list costs no more than a bound, and neither fails the call nor hangs.
#[test]
fn a_hostile_list_is_bounded() {
    for items in [
        Value::from(vec![json!("same"); 8_000]),
        Value::from(vec![json!([[[[[[1]]]]]]); 2_000]),
        Value::from((0..4_000).map(Value::from).collect::<Vec<_>>()),
        json!([{"id": "x".repeat(60_000), "name": "n"}]),
        json!([{"id": "x", "name": "n ".repeat(30_000)}]),
        json!({"not": "a list"}),
    ] {
        let world = World::with([asking(
            json!({"from": "context.items", "label": "{{ item.name | default(item) }}"}),
        )]);
        world.trigger(given(items));
        assert!(world.sent().pop().is_some());
    }
}

/// N11, U12: what comes to nothing in a filter is told, and what does not match is no fault.
#[test]
fn a_filter_that_comes_to_nothing_is_told() {
    for (text, operator) in [
        ("{{ context.raw | from_json }}", Some("from_json")),
        ("{{ context.items | where('n', '<', context.raw) | length }}", Some("<")),
        ("{{ context.raw | match('[0-9]') }}", None),
        ("{{ context.items | index(7, by='n') }}", None),
    ] {
        let world = World::with([flow("f").send("m", &format!("so: {text}"))]);
        world.trigger(ada("f").context(json!({"raw": "no json", "items": [{"n": 1}]})));
        let told = world.notes().into_iter().find_map(|note| match note {
            EventKind::NoResult { operator, .. } => Some(operator.to_string()),
            _ => None,
        });
        assert_eq!(told.as_deref(), operator, "{text}");
        assert_eq!(world.sent().len(), 1, "{text}");
    }
}

/// N11: what is no number is left out of a sum, and told.
#[test]
fn a_sum_leaves_out_what_is_no_number() {
    for (items, sum, is_told) in [
        (json!([{"n": 1}, {"n": "2.5"}, {}]), "3.5", false),
        (json!([{"n": 1}, {"n": null}, {"n": 2}]), "3", true),
        (json!([{"n": ""}, {"n": "free"}, {"n": 2}, {"n": [1]}]), "2", true),
        (json!([{"n": null}]), "0", true),
    ] {
        let world = World::with([flow("f").send("m", "{{ context.items | sum('n') }}")]);
        world.trigger(given(items.clone()));
        let told =
            world.notes().into_iter().filter(|note| matches!(note, EventKind::NoResult { .. })).count();
        assert_eq!((world.sent(), told), (vec![sum.to_owned()], usize::from(is_told)), "{items}");
    }
}
