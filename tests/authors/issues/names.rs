//! Names that nothing gives a value to.

use serde_json::{Value, json};

use super::kit::*;

/// The issues of a flow that asks for `first_name`, and then says a text.
fn after_question(trigger: Value, start: Value, text: &str) -> String {
    let nodes = json!([
        {"id": "ask_name", "kind": "ask", "text": "Who are you?", "save_to": "first_name"},
        {"id": "look", "kind": "http_request", "url": "https://shop.example", "save_to": "answer"},
        {"id": "n", "kind": "send_message", "text": text}
    ]);
    let edges = json!([{"from": "s", "to": "ask_name"}, {"from": "ask_name", "to": "look"},
                       {"from": "look", "to": "n"}, {"from": "look", "branch": "failed", "to": "n"}]);
    let mut first = json!({"id": "s", "kind": "start"});
    first.as_object_mut().unwrap().extend(start.as_object().unwrap().clone());
    said(&set(with_start(first, nodes, edges), "trigger", trigger).to_string())
        .replace("warning: node \"n\": text: ", "")
}

fn inbound(text: &str) -> String {
    after_question(json!({"kind": "inbound", "channel": "sms"}), json!({}), text)
}

fn manual(text: &str) -> String {
    after_question(json!({"kind": "manual"}), json!({}), text)
}

/// T1, T4
#[test]
fn a_message_that_starts_a_flow_brings_no_context() {
    for text in [
        "Hi {{ first_name }}{{ vars.first_name }}",
        "{{ answer.body }}",
        "{{ name | default('you') }}",
        "{{ context.name | default('') }}",
        "{{ contact.name }} {{ trigger.text }} {{ now }}",
    ] {
        assert_eq!(inbound(text), "", "{text}");
    }
    for (text, expected) in [
        ("{{ frist_name }}", "and no node sets it; did you mean \"first_name\"?"),
        ("{{ FIRST_NAME }}", "and no node sets it; did you mean \"first_name\"?"),
        ("{{ last_input_text }}", "and no node sets it (undeclared_variable); declare it"),
        ("{{ user.name }}", "`user` is not an input of the start node"),
        ("{{ look.body.name }}", "read the variable that the node of this name saves to"),
        ("{{ context.first_name }}", "not an input of the start node; did you mean \"first_name\"?"),
    ] {
        assert!(inbound(text).contains(expected), "{text}: {}", inbound(text));
    }
    let trigger = json!({"kind": "inbound", "channel": "sms"});
    let declared = |start: Value| after_question(trigger.clone(), start, "{{ plan }}");
    assert_eq!(declared(json!({"inputs": [{"name": "plan"}]})), "");
    assert_eq!(declared(json!({"input_policy": "any"})), "");
}

/// T4
#[test]
fn what_a_trigger_may_bring_is_a_slip_of_the_pen_alone() {
    for text in [
        "{{ name }} {{ first_names }} {{ fist_name }}",
        "{{ context.frist_name }}",
        "{{ first }} {{ look.body }}",
    ] {
        assert_eq!(manual(text), "", "{text}");
    }
    for text in ["{{ frist_name }}", "{{ first_nmae }}", "{{ firrst_name }}"] {
        assert!(manual(text).contains("did you mean \"first_name\"?"), "{text}: {}", manual(text));
    }
}

/// N10
#[test]
fn a_field_of_an_item_is_read_by_the_item() {
    let offering = |label: &str, trigger: Value| {
        let choices = json!([{"from": "answer.items", "id": "{{ item.id }}", "label": label}, {"id": "no", "label": "None"}]);
        let nodes = json!([
            {"id": "look", "kind": "http_request", "url": "https://shop.example", "save_to": "answer"},
            {"id": "n", "kind": "ask", "text": "Which?", "choices": choices}
        ]);
        let edges = json!([{"from": "s", "to": "look"}, {"from": "look", "to": "n"}, {"from": "look", "branch": "failed", "to": "n"}]);
        said(&set(flow(nodes, edges), "trigger", trigger).to_string())
    };
    let inbound = json!({"kind": "inbound", "channel": "sms"});
    assert!(
        offering("{{ name }}", inbound.clone())
            .contains("write `item.name`: a field of the item is read by it")
    );
    for label in ["{{ item.name }}", "name", "{{ index }}: {{ item.name }}"] {
        assert_eq!(offering(label, inbound.clone()), "", "{label}");
    }
    assert_eq!(offering("{{ currency }} {{ item.price }}", json!({"kind": "manual"})), "");
}

/// C
#[test]
fn a_channel_under_another_name_is_told() {
    let told = |channel: &str| {
        let flow = set(end(), "settings", json!({"sender": {"channel": channel, "account": "a"}}));
        (
            said(&flow.to_string()),
            said(&set(end(), "trigger", json!({"kind": "inbound", "channel": channel})).to_string()),
        )
    };
    for (channel, meant) in [
        ("facebook", "messenger"),
        ("fb", "messenger"),
        ("whats-app", "whatsapp"),
        ("e-mail", "email"),
        ("ig", "instagram"),
    ] {
        let expected = format!("{channel:?} is a channel of its own; did you mean {meant:?}? (unknown_name)");
        assert!(told(channel).0.contains(&format!("settings.sender.channel: {expected}")), "{channel}");
        assert!(told(channel).1.contains(&format!("trigger.channel: {expected}")), "{channel}");
    }
    for channel in ["kiosk-7", "whatsapp-2", "sms.de", "webchat", "mail", "messenger", "faces"] {
        assert_eq!(told(channel), (String::new(), String::new()), "{channel}");
    }
}
