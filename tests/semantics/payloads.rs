//! Payloads of choices where the channel has no room for the author's id: I9, N10.

use chatflow::{Channel, Inbound, Received, Session, TriggerRequest};
use serde_json::{Value, json};

use crate::kit::*;

const BOT: &str = "bot";

fn on_telegram(flow: &str, context: Value) -> TriggerRequest {
    let request = TriggerRequest::new(flow).from(Channel::Telegram, BOT);
    request.address(Channel::Telegram, BOT, "ada").context(context)
}

fn slots() -> Value {
    let slot = |id: &str, name: &str| json!({"id": id, "label": name});
    json!([
        slot("0f8fad5b-d9cb-469f-a165-70867728950e", "Nine"),
        slot("7c9e6679-7425-40de-944b-e07fc1f90ae7", "Ten"),
    ])
}

fn asking(question: Value) -> Sketch {
    flow("f").unset("sender").node("q", "ask", question).send("ok", "{{ vars.a }} {{ reply.payload }}")
}

/// The payload and the label of each choice of the last message, as Telegram takes them.
fn offered(world: &World) -> Vec<(String, String)> {
    let last = world.channel.take_new().pop().unwrap();
    let options = last.options().iter().map(|option| (option.payload.clone(), option.label.clone()));
    let options: Vec<_> = options.collect();
    assert!(options.iter().all(|(payload, _)| payload.len() <= 64), "{options:?}");
    options
}

fn tap(world: &World, (payload, label): &(String, String)) -> Received {
    world.receive(Inbound::choice(Channel::Telegram, BOT, "ada", payload, label))
}

/// I9, N10
#[test]
fn a_long_id_of_data_is_chosen_by_its_button_on_a_channel_with_little_room() {
    for (place, id) in ["0f8fad5b-d9cb-469f-a165-70867728950e", "7c9e6679-7425-40de-944b-e07fc1f90ae7"]
        .into_iter()
        .enumerate()
    {
        let question = json!({"text": "When?", "choices": {"from": "context.slots"}, "save_to": "a"});
        let world = World::with([asking(question)]);
        world.begin(on_telegram("f", json!({"slots": slots()})));
        let buttons = offered(&world);
        tap(&world, &buttons[place]);
        assert_eq!(world.sent(), [format!("{id} {id}")]);
        assert_eq!(tap(&world, &buttons[1 - place]), Received::Unmatched, "the session is over");
    }
}

/// I9
#[test]
fn a_long_id_that_is_written_out_is_chosen_by_its_button_in_each_form() {
    let id = "a-choice-with-an-id-of-thirty-and-more-bytes";
    let one = json!([{"id": id, "label": "A"}, {"id": "b", "label": "B"}]);
    for message in [
        json!({"text": "?", "options": one}),
        json!({"text": "?", "buttons": one}),
        json!({"text": "?", "quick_replies": one}),
        json!({"card": {"title": "?", "buttons": one}}),
    ] {
        let sketch = flow("f").unset("sender").node("m", "send_message", message.clone()).wait("w");
        let world = World::with([sketch.send("ok", "{{ reply.payload }}")]);
        let session = world.begin(on_telegram("f", json!({}))).session_id;
        let buttons = offered(&world);
        let stored = serde_json::to_string(&world.session(session)).unwrap();
        let read: Session = serde_json::from_str(&stored).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), stored);
        tap(&world, &buttons[0]);
        assert_eq!(world.sent(), [id], "{message}");
    }
    let choices = json!({"text": "?", "choices": one, "save_to": "a"});
    let world = World::with([asking(choices)]);
    world.begin(on_telegram("f", json!({})));
    tap(&world, &offered(&world)[0]);
    assert_eq!(world.sent(), [format!("{id} {id}")]);
}

/// I9, N10: another list in the place of the first makes no other choice of a button.
#[test]
fn a_button_of_an_earlier_list_is_never_taken_for_another_choice() {
    let sketch = flow("f")
        .unset("sender")
        .node("m", "send_message", json!({"text": "?", "options": {"from": "context.slots"}}))
        .wait("w")
        .node("q", "ask", json!({"text": "?", "choices": {"from": "context.slots"}, "save_to": "a"}))
        .send("ok", "{{ vars.a }}");
    let world = World::with([sketch]);
    world.begin(on_telegram("f", json!({"slots": slots()})));
    let first = offered(&world);
    tap(&world, &first[0]);
    let second = offered(&world);
    assert!(matches!(tap(&world, &first[1]), Received::StaleChoice));
    tap(&world, &second[1]);
    assert_eq!(world.sent(), ["7c9e6679-7425-40de-944b-e07fc1f90ae7"]);
}

/// I9: where there is room the payload has the id as it is written, and nothing is kept for it.
#[test]
fn a_short_id_is_in_its_payload() {
    let message = json!({"text": "?", "options": [{"id": "yes", "label": "Yes"}]});
    let world = World::with([flow("f").unset("sender").node("m", "send_message", message).wait("w")]);
    let session = world.begin(on_telegram("f", json!({}))).session_id;
    assert!(offered(&world)[0].0.ends_with(":1:yes"));
    assert!(!serde_json::to_string(&world.session(session)).unwrap().contains("offered"));
}
