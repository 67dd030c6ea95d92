//! Choices that WhatsApp shows as a list rather than as buttons: their labels have the room of rows
//! (N10, D8).

use chatflow::{Channel, Content};
use serde_json::{Value, json};

use crate::kit::{SHOP, World, ada, flow, says};

/// The labels and lines of choices of these names, as they are shown.
fn shown(choices: Value, context: Value) -> Vec<(String, Option<String>)> {
    let world = World::with([flow("f").node("q", "ask", json!({"text": "Which?", "choices": choices}))]);
    world.begin(ada("f").context(context));
    world.tick();
    let content = world.channel.take_new().remove(0).content;
    assert!(matches!(content, Content::Text { .. }), "{content:?}");
    let row = |option: &chatflow::session::ReplyOption| {
        (option.label.clone(), option.description.as_deref().map(str::to_owned))
    };
    content.options().iter().map(row).collect()
}

fn of_names(names: &[&str]) -> Vec<(String, Option<String>)> {
    let items: Vec<Value> =
        names.iter().enumerate().map(|(at, name)| json!({"id": at.to_string(), "name": name})).collect();
    shown(json!({"from": "context.items", "label": "name"}), json!({"items": items}))
}

fn labels(rows: &[(String, Option<String>)]) -> Vec<&str> {
    rows.iter().map(|(label, _)| label.as_str()).collect()
}

/// N10
#[test]
fn more_choices_than_buttons_have_the_room_of_rows() {
    let names = [0, 1, 2, 3, 4].map(|order| format!("Question about order {order}"));
    let rows = of_names(&names.each_ref().map(String::as_str));
    assert_eq!(labels(&rows), names, "22 of 24 characters");
    assert!(rows.iter().all(|(_, line)| line.is_none()));
    let three = of_names(&["Question about order 0", "Question about order 1", "x"]);
    assert_eq!(labels(&three), ["Question about orde…", "Question about… (2)", "x"], "buttons have 20");
}

/// N10
#[test]
fn a_label_that_is_cut_in_a_list_has_its_whole_below_it() {
    let long = "Frage zu einer Bestellung, die noch nicht da ist";
    let rows = of_names(&[long, "B", "C", "D"]);
    assert_eq!(rows[0], ("Frage zu einer Bestellu…".to_owned(), Some(long.to_owned())));
    assert_eq!(rows[1], ("B".to_owned(), None));
    let kana = "ご注文いただいた商品の配送状況についてのお問い合わせ";
    assert_eq!(of_names(&[kana, "B", "C", "D"])[0].1.as_deref(), Some(kana));
    let beyond = of_names(&[&"word ".repeat(30), "B", "C", "D"]);
    assert_eq!(beyond[0].1.as_deref().map(|line| line.chars().count()), Some(72));
}

/// N10: a list with lines is one however few its rows are, and a line that is there stays.
#[test]
fn a_line_makes_rows_of_choices() {
    let choices = json!({"from": "context.items", "label": "name", "description": "more"});
    let item = json!({"id": "a", "name": "Question about order 12345", "more": "since May"});
    let rows = shown(choices, json!({"items": [item]}));
    assert_eq!(rows, [("Question about order 12…".to_owned(), Some("since May".to_owned()))]);
}

/// D8
#[test]
fn rows_that_look_the_same_are_numbered() {
    let rows = of_names(&["Table", "Table", "Chair", "Lamp"]);
    assert_eq!(labels(&rows), ["Table", "Table (2)", "Chair", "Lamp"]);
    let choices = json!({"from": "context.items", "label": "name", "description": "size"});
    let sized = |id: &str, size: &str| json!({"id": id, "name": "Shirt", "size": size});
    let rows = shown(
        choices,
        json!({"items": [sized("1", "S"), sized("2", "M"), sized("3", "S"), sized("4", "L")]}),
    );
    assert_eq!(labels(&rows), ["Shirt", "Shirt", "Shirt (2)", "Shirt"], "the line below tells some apart");
}

/// U6, N10: the whole of a label that was cut means its choice, also where others begin so.
#[test]
fn the_whole_of_a_cut_label_is_an_answer() {
    let items: Vec<Value> = ["Monday", "Tuesday", "Wednesday", "Friday"]
        .map(|day| json!({"id": day, "name": format!("The appointment that is free on {day}")}))
        .into();
    let ask =
        json!({"text": "Which?", "choices": {"from": "context.items", "label": "name"}, "save_to": "a"});
    let world = World::with([flow("f").node("q", "ask", ask).send("ok", "{{ vars.a }}")]);
    world.begin(ada("f").context(json!({"items": items})));
    world.receive(says("the appointment that is free on tuesday"));
    world.tick();
    assert_eq!(world.sent().last().map(String::as_str), Some("Tuesday"));
}

/// D8: a flow that does not know its channel may have longer labels than a row has.
#[test]
fn written_labels_are_held_to_rows() {
    let options: Vec<Value> = ["a", "b", "c", "d"]
        .map(|id| json!({"id": id, "label": format!("Somewhat more than twenty-four {id}")}))
        .into();
    let sketch = flow("f").set("sender", json!({"channel": "web", "account": "site"})).node(
        "m",
        "send_message",
        json!({"text": "?", "options": options}),
    );
    let world = World::with([sketch]);
    world.begin(ada("f").from(Channel::WhatsApp, SHOP));
    world.tick();
    let content = world.channel.take_new().remove(0).content;
    let first = &content.options()[0];
    assert_eq!(first.label, "Somewhat more than twen…");
    assert_eq!(first.description.as_deref(), Some("Somewhat more than twenty-four a"));
}
