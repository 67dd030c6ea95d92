//! Issues of messages: forms, channels, WhatsApp's window.

use serde_json::{Value, json};

use super::kit::*;

/// The issues of a message in a flow that messages of a channel start, place and rule.
fn of_message(channel: &str, message: Value) -> String {
    let mut node = json!({"id": "n", "kind": "send_message"});
    node.as_object_mut().unwrap().extend(message.as_object().unwrap().clone());
    first(set(one(node), "trigger", json!({"kind": "inbound", "channel": channel})))
        .trim_start_matches("node \"n\": ")
        .to_owned()
}

/// C
#[test]
fn what_a_channel_does_not_carry_is_told() {
    // As long as it is, and another one for each choice.
    let own = |label: &str, n: usize| format!("{}{}", &label[1..], char::from(b'a' + n as u8));
    let buttons = |count: usize, label: &str| -> Value {
        let each = (0..count).map(|n| json!({"id": n.to_string(), "label": own(label, n)}));
        json!({"text": "?", "buttons": each.collect::<Vec<_>>()})
    };
    let replies = |count: usize| -> Value {
        let each = (0..count).map(|n| json!({"id": n.to_string(), "label": own("x", n)}));
        json!({"text": "?", "quick_replies": each.collect::<Vec<_>>()})
    };
    let reply =
        |label: usize| json!({"text": "?", "quick_replies": [{"id": "1", "label": "x".repeat(label)}]});
    let list = |count: usize, label: &str, description: &str| -> Value {
        let row = |n: usize| json!({"id": n.to_string(), "label": own(label, n), "description": description});
        let rows: Vec<Value> = (0..count).map(row).collect();
        json!({"text": "?", "list": {"button": "Open", "sections": [{"rows": rows}]}})
    };
    let body = |length: usize| json!({"text": "x".repeat(length), "buttons": [{"id": "1", "label": "x"}]});
    let image =
        |caption: usize| json!({"media": {"type": "image", "url": "u", "caption": "x".repeat(caption)}});
    let link = json!({"label": "x", "url": "https://u.example"});
    let both = json!({"text": "?", "buttons": [{"id": "1", "label": "x"}, link]});
    let template = json!({"template": {"name": "t", "language": "en"}});
    let card = json!({"card": {"title": "x".repeat(81)}});
    let place = json!({"location": {"latitude": 1, "longitude": 2}});
    let told = [
        of_message("whatsapp", buttons(3, "twenty characters ok")),
        of_message("whatsapp", buttons(4, "x")),
        of_message("whatsapp", buttons(1, "twenty-one characters")),
        of_message("whatsapp", body(1_024)),
        of_message("whatsapp", body(1_025)),
        of_message("whatsapp", both.clone()),
        of_message("messenger", both),
        of_message("whatsapp", list(10, &"x".repeat(24), &"x".repeat(72))),
        of_message("whatsapp", list(11, "x", "x")),
        of_message("whatsapp", list(1, &"x".repeat(25), "x")),
        of_message("whatsapp", list(1, "x", &"x".repeat(73))),
        of_message("whatsapp", image(1_024)),
        of_message("whatsapp", image(1_025)),
        of_message("whatsapp", template.clone()),
        of_message("whatsapp", replies(1)),
        of_message("messenger", replies(13)),
        of_message("instagram", replies(14)),
        of_message("messenger", replies(14)),
        of_message("instagram", replies(13)),
        of_message("messenger", reply(20)),
        of_message("messenger", reply(21)),
        of_message("instagram", reply(21)),
        of_message("whatsapp", json!({"text": "x".repeat(4_096)})),
        of_message("whatsapp", json!({"text": "x".repeat(4_097)})),
        of_message("messenger", image(1)),
        of_message("messenger", card.clone()),
        of_message("sms", card),
        of_message("sms", list(1, "x", "x")),
        of_message("sms", place.clone()),
        of_message("sms", template.clone()),
        of_message("web", template),
        of_message("kiosk-7", place),
        of_message("instagram", json!({"media": {"type": "sticker", "url": "u"}})),
    ];
    let expected = [
        "",
        "buttons: 4 entries, at most 3 are allowed on whatsapp (channel_limit)",
        "buttons[0].label: has 21 characters, at most 20 are allowed (channel_limit)",
        "",
        "text: has 1025 characters, at most 1024 are allowed on whatsapp (channel_limit)",
        "buttons: mixes buttons with `url` and others, which is not possible on whatsapp (channel_limit)",
        "",
        "",
        "list: 11 entries, at most 10 are allowed on whatsapp (channel_limit)",
        "list.sections[0].rows[0].label: has 25 characters, at most 24 are allowed (channel_limit)",
        "list.sections[0].rows[0].description: has 73 characters, at most 72 are allowed on whatsapp (channel_limit)",
        "",
        "media.caption: has 1025 characters, at most 1024 are allowed on whatsapp (channel_limit)",
        "",
        "quick_replies: cannot be sent on whatsapp (channel_limit)",
        "",
        "quick_replies: 14 entries, at most 13 are allowed on instagram (channel_limit)",
        "quick_replies: 14 entries, at most 13 are allowed on messenger (channel_limit)",
        "",
        "",
        "quick_replies[0].label: has 21 characters, at most 20 are allowed (channel_limit)",
        "quick_replies[0].label: has 21 characters, at most 20 are allowed (channel_limit)",
        "",
        "text: has 4097 characters, at most 4096 are allowed on whatsapp (channel_limit)",
        "media.caption: cannot be sent on messenger (channel_limit)",
        "card.title: has 81 characters, at most 80 are allowed on messenger (channel_limit)",
        "card: cannot be sent on sms (channel_limit)",
        "list: cannot be sent on sms (channel_limit)",
        "location: cannot be sent on sms (channel_limit)",
        "template: cannot be sent on sms (channel_limit)",
        "template: cannot be sent on web (channel_limit)",
        "",
        "media: cannot be sent on instagram (channel_limit)",
    ];
    assert_eq!(told, expected);
}

/// C
#[test]
fn what_a_part_of_a_message_cannot_be_on_its_channel_is_told() {
    let button = json!([{"id": "1", "label": "x"}]);
    let twins = json!([{"id": "1", "label": "Yes"}, {"id": "2", "label": "Yes"}]);
    let alike = json!([{"id": "1", "label": "Yes"}, {"id": "2", "label": "YES"}]);
    let lines = json!([{"id": "1", "label": "Yes", "description": "a"}, {"id": "2", "label": "Yes"}]);
    let list = |header: Value| {
        json!({"text": "?", "header": header,
            "list": {"button": "Open", "sections": [{"rows": [{"id": "1", "label": "x"}]}]}})
    };
    let card = |count: usize| {
        let each = (0..count).map(|n| json!({"id": n.to_string(), "label": format!("b{n}")}));
        json!({"card": {"title": "t", "buttons": each.collect::<Vec<_>>()}})
    };
    let sound = json!({"media": {"type": "audio", "url": "u", "caption": "x"}});
    let told = [
        of_message("whatsapp", json!({"text": "?", "buttons": twins})),
        of_message("whatsapp", json!({"text": "?", "options": twins})),
        of_message("whatsapp", json!({"text": "?", "options": lines})),
        of_message("whatsapp", json!({"text": "?", "buttons": alike})),
        of_message("messenger", json!({"text": "?", "buttons": twins})),
        of_message("whatsapp", list(json!({"image": "u"}))),
        of_message("whatsapp", list(json!({"text": "Today"}))),
        of_message("web", list(json!({"image": "u"}))),
        of_message("rcs", card(4)),
        of_message("rcs", card(5)),
        of_message("telegram", sound.clone()),
        of_message("whatsapp", sound),
        of_message("instagram", json!({"text": "ж".repeat(501)})),
        of_message("line", json!({"text": format!("{}{{{{ now }}}}", "👍".repeat(2_501))})),
        of_message("email", json!({"text": "x", "subject": "Your order"})),
        of_message("sms", json!({"text": "x", "subject": "Your order"})),
        of_message("rcs", json!({"text": "Where are you?", "location_request": true})),
        of_message("sms", json!({"text": "?", "options": [{"id": "1", "label": "Talk to a human agent"}]})),
        of_message(
            "web",
            json!({"text": "?", "buttons": button, "header": {"location": {"latitude": 1, "longitude": 2}}}),
        ),
        of_message("web", json!({"text": "?", "buttons": [{"label": "x", "code": "y"}]})),
        of_message("web", json!({"text": "?", "buttons": [{"label": "x", "form": {}}]})),
    ];
    let expected = [
        "buttons: label \"Yes\" appears twice, which is refused on whatsapp (channel_limit)",
        "options: label \"Yes\" appears twice, which is refused on whatsapp (channel_limit)",
        "warning: node \"n\": options: label \"Yes\" appears twice (same_label)",
        "warning: node \"n\": buttons: label \"YES\" appears twice (same_label)",
        "warning: node \"n\": buttons: label \"Yes\" appears twice (same_label)",
        "header: must be a line above a list on whatsapp (channel_limit)",
        "",
        "",
        "",
        "card.buttons: 5 entries, at most 4 are allowed on rcs (channel_limit)",
        "",
        "media.caption: cannot be sent on whatsapp (channel_limit)",
        "text: has 1002 bytes, at most 1000 are allowed on instagram (channel_limit)",
        "text: has at least 5002 UTF-16 units, at most 5000 are allowed on line (channel_limit)",
        "",
        "subject: cannot be sent on sms (channel_limit)",
        "",
        "",
        "header.location: has no meaning outside of a template (bad_value)",
        "buttons[0].code: has no meaning outside of a template (bad_value)",
        "buttons[0].form: has no meaning outside of a template (bad_value)",
    ];
    assert_eq!(told, expected);
}

/// N2
#[test]
fn an_approved_message_has_every_part_that_channels_approve() {
    let of = |template: Value| of_message("whatsapp", json!({"template": template}));
    let with = |field: &str, value: Value| {
        let mut template = json!({"name": "t", "language": "en"});
        template[field] = value;
        of(template)
    };
    let place = json!({"location": {"latitude": 52.5, "longitude": "{{ now }}", "name": "Shop"}});
    let named = |header: Value| {
        of(json!({"name": "t", "language": "en", "header": header, "parameters": {"a": "b"}}))
    };
    let told = [
        with("buttons", json!([{"label": "Call us"}, {"id": "stop", "label": "Stop"}])),
        with("buttons", json!([{"label": "Copy", "code": "{{ now }}"}, {"label": "Rate", "form": {"a": 1}}])),
        with("header", place),
        named(json!({"text": "Order 7", "parameter": "order"})),
        with("buttons", json!([{"label": "x", "code": ""}])),
        with("buttons", json!([{"label": "x", "code": "y", "id": "z"}])),
        with("buttons", json!([{"label": " "}])),
        named(json!({"text": "Order 7"})),
        named(json!({"image": "u", "parameter": "order"})),
        with("header", json!({"text": "Order 7", "parameter": "order"})),
        with("header", json!({"location": {"latitude": 91, "longitude": 0}})),
        with("header", json!({})),
    ];
    let expected = [
        "",
        "",
        "",
        "",
        "template.buttons[0].code: must not be blank (bad_value)",
        "template.buttons[0].code: is given together with `id` (bad_value)",
        "template.buttons[0].label: must not be blank (bad_value)",
        "template.header.parameter: is required (missing_field)",
        "template.header.parameter: has no meaning unless gaps have names and the header is a line (bad_value)",
        "template.header.parameter: has no meaning unless gaps have names and the header is a line (bad_value)",
        "template.header.location.latitude: must be from -90 to 90, not 91 (bad_value)",
        "template.header: has 0 of its fields (bad_value)",
    ];
    assert_eq!(told, expected);
}

/// N4, C: a question whose message cannot be answered by what it checks.
#[test]
fn a_question_asks_for_what_it_can_take() {
    let ask = |fields: Value| {
        let mut node = json!({"id": "n", "kind": "ask", "expect": "text"});
        node.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        first(set(one(node), "trigger", json!({"kind": "inbound", "channel": "whatsapp"})))
            .trim_start_matches("node \"n\": ")
            .to_owned()
    };
    let rate = json!({"name": "t", "language": "en", "buttons": [{"label": "Rate", "form": {}}]});
    let told = [
        ask(json!({"text": "?", "products": {}})),
        ask(json!({"text": "?", "form": {"id": "1", "button": "Open"}})),
        ask(json!({"template": rate})),
    ];
    let expected = ["products", "form", "template"]
        .map(|field| format!("{field}: has no meaning for a question that is checked (bad_value)"));
    assert_eq!(told, expected);
    let list = json!({"catalog": "1", "sections": [{"items": ["tea"]}]});
    assert_eq!(ask(json!({"text": "?", "header": {"text": "h"}, "products": list})), expected[0]);
    assert_eq!(ask(json!({"text": "Do you like it?", "products": {"catalog": "1", "id": "tea"}})), "");
}

const NO_EMPTY: &str = "warning: node \"n\": fails the session where its list has no item (no_empty_edge)";

/// C: a form belongs to the first question behind it.
#[test]
fn a_form_that_no_question_takes_is_told() {
    let form = json!({"id": "f", "kind": "send_message", "text": "?", "form": {"id": "1", "button": "Open"}});
    let wait = |id: &str, accept: Value| json!({"id": id, "kind": "wait_reply", "accept": accept});
    let told = |nodes: Value, edges: Value| first(flow(nodes, edges));
    let pause = json!({"id": "d", "kind": "delay", "for": "5s"});
    let (one_wait, edges) = (
        |accept: Value| json!([form, pause, wait("a", accept)]),
        json!([{"from": "s", "to": "f"}, {"from": "f", "to": "d"}, {"from": "d", "to": "a"}]),
    );
    let warning =
        "warning: node \"f\": sends a form, and the question behind it takes no form (form_not_taken)";
    assert_eq!(told(one_wait(json!(["text", "media"])), edges.clone()), warning);
    assert_eq!(told(one_wait(json!(["form"])), edges.clone()), "");
    assert_eq!(told(json!([form, pause, {"id": "a", "kind": "wait_reply"}]), edges), "");
    let two = json!([form, wait("a", json!(["text"])), wait("b", json!(["form"]))]);
    let edges = json!([{"from": "s", "to": "f"}, {"from": "f", "to": "a"}, {"from": "a", "to": "b"}]);
    assert_eq!(told(two, edges), warning, "it is stale by then");
    let ask = json!([form, {"id": "a", "kind": "ask", "text": "Well?"}]);
    assert_eq!(told(ask, json!([{"from": "s", "to": "f"}, {"from": "f", "to": "a"}])), warning);
    let alone =
        "warning: node \"f\": sends a form, and no question behind it takes the answer (form_not_taken)";
    assert_eq!(told(json!([form]), json!([{"from": "s", "to": "f"}])), alone);
    let rate = json!({"name": "t", "language": "en", "buttons": [{"label": "Rate", "form": {}}]});
    let template = json!({"id": "f", "kind": "send_message", "template": rate});
    assert_eq!(
        told(json!([template]), json!([{"from": "s", "to": "f"}])),
        "",
        "its answers may start a flow"
    );
    let mut away = form.clone();
    away["to"] = "+14155550123".into();
    assert_eq!(told(json!([away]), json!([{"from": "s", "to": "f"}])), "", "somebody else answers it");
}

/// N10: labels that no message shows may have any length.
#[test]
fn a_choice_that_no_message_shows_may_have_a_long_label() {
    let long = "A label of many more characters than the twenty of a choice below a text, and than eighty";
    let ask = |message: Value| {
        let mut node = json!({"id": "n", "kind": "ask", "text": "?",
            "choices": [{"from": "context.items"}, {"id": "a", "label": long}]});
        node.as_object_mut().unwrap().extend(message.as_object().unwrap().clone());
        first(one(node))
    };
    let rows = json!([{"rows": [{"from": "context.items"}, {"id": "a", "label": "A"}]}]);
    assert_eq!(ask(json!({"list": {"button": "Open", "sections": rows}})), "");
    assert!(ask(json!({})).contains("characters, at most 80 are allowed"));
}

/// I9: the id of a choice is short enough for a payload of 200 bytes, wherever the choice
/// is.
#[test]
fn the_id_of_a_choice_has_at_most_64_bytes() {
    let told = |bytes: usize| {
        let option = json!({"id": "x".repeat(bytes), "label": "x"});
        let ask = one(json!({"id": "n", "kind": "ask", "text": "?", "choices": [option.clone()]}));
        [
            of_message("web", json!({"text": "?", "options": [option]})),
            of_message("web", json!({"text": "?", "buttons": [option]})),
            of_message("web", json!({"text": "?", "quick_replies": [option]})),
            of_message(
                "whatsapp",
                json!({"text": "?", "list": {"button": "x", "sections": [{"rows": [option]}]}}),
            ),
            of_message("web", json!({"card": {"title": "x", "buttons": [option]}})),
            of_message("whatsapp", json!({"template": {"name": "t", "language": "en", "buttons": [option]}})),
            first(on_sms(ask)),
        ]
    };
    assert_eq!(told(64), [""; 7]);
    for told in told(65) {
        assert!(told.contains("must have at most 64 bytes (bad_name)"), "{told}");
    }
}

/// N2, T3
#[test]
fn a_message_that_contradicts_itself_is_told() {
    let button = json!([{"id": "1", "label": "x"}]);
    let told = [
        of_message("web", json!({"text": "?", "media": {"type": "image", "url": "u"}})),
        of_message("web", json!({"text": "?", "buttons": button, "quick_replies": button})),
        of_message("web", json!({"buttons": button})),
        of_message("web", json!({"text": "?", "buttons": []})),
        of_message("web", json!({"text": "?", "buttons": [{"label": "x"}]})),
        of_message("web", json!({"text": "?", "buttons": [{"id": "1", "label": "x", "url": "u"}]})),
        of_message("web", json!({"text": "?", "list": {"button": "x", "sections": []}})),
        of_message("web", json!({"text": {}})),
        of_message("web", json!({"text": {"english": "Hi"}})),
        of_message("web", json!({"text": {"en": "Hi", "EN": "Ho"}})),
        of_message("web", json!({"text": {"en": "Hi", "de": " "}})),
        of_message("web", json!({"text": {"en": "Hi", "de": 1}})),
        of_message("web", json!({"location": {"latitude": 91, "longitude": 0}})),
        of_message("web", json!({"media": {"type": "gif", "url": "u"}})),
        of_message("web", json!({"media": {"type": "image", "url": " "}})),
    ];
    let expected = [
        "text: is given together with `media` (bad_value)",
        "quick_replies: is given together with `buttons` (bad_value)",
        "text: is required (missing_field)",
        "buttons: has no button (bad_value)",
        "buttons[0].id: is required (missing_field)",
        "buttons[0].url: is given together with `id` (bad_value)",
        "list.sections: has no row (bad_value)",
        "text: has no language (bad_value)",
        "text.english: \"english\" is not a language tag (bad_name)",
        "text.en: is already there in other letters (duplicate_key)",
        "text.de: must not be blank (bad_value)",
        "text.de: must be text, not a number (wrong_type)",
        "location.latitude: must be from -90 to 90, not 91 (bad_value)",
        "media.type: unknown value \"gif\" (bad_value)",
        "media.url: must not be blank (bad_value)",
    ];
    assert_eq!(told, expected);
}

/// C: the warning comes where a day may have passed since the contact wrote, and nowhere else.
#[test]
fn a_text_may_be_sent_within_a_day_of_the_contacts_last_word() {
    let row = |nodes: Value, edges: Value, inbound: bool| {
        let flow = flow(nodes, edges);
        let flow = if inbound {
            set(flow, "trigger", json!({"kind": "inbound", "channel": "whatsapp"}))
        } else {
            on_whatsapp(flow)
        };
        first(flow)
    };
    let hi = json!({"id": "hi", "kind": "send_message", "text": "Hi"});
    let after = |node: Value, branch: &str| {
        let id = node["id"].clone();
        (json!([node, hi]), json!([{"from": "s", "to": id}, {"from": id, "branch": branch, "to": "hi"}]))
    };
    let (wait, delay) = (
        |timeout: &str| json!({"id": "w", "kind": "wait_reply", "timeout": timeout}),
        |span: &str| json!({"id": "d", "kind": "delay", "for": span}),
    );
    let told = |(nodes, edges): (Value, Value), inbound| !row(nodes, edges, inbound).is_empty();
    assert!(told(after(delay("24h"), "next"), true));
    assert!(!told(after(delay("23h59m"), "next"), true));
    assert!(told(after(wait("1d"), "timeout"), true));
    assert!(!told(after(wait("1d"), "replied"), true));
    assert!(
        !told(after(wait("1h"), "replied"), false),
        "a reply opens the window of a flow that a call starts"
    );
    assert!(told(after(wait("1h"), "timeout"), false));
    let (nodes, edges) = after(wait("1h"), "timeout");
    let mut open = on_whatsapp(flow(nodes, edges));
    open["settings"]["window"] = json!("open");
    assert_eq!(first(open), "", "the host says that it starts the flow within the window");
    let (nodes, edges) = after(delay("24h"), "next");
    let mut open = on_whatsapp(flow(nodes, edges));
    open["settings"]["window"] = json!("open");
    assert_ne!(first(open), "", "a day later it may be closed all the same");
    let until = json!({"id": "d", "kind": "delay", "until": "{{ contact.fields.at }}"});
    assert!(told(after(until, "next"), true));
    let jumps = |most: u32| {
        let nodes = json!([hi, {"id": "d", "kind": "delay", "for": "10h"},
                           {"id": "j", "kind": "jump", "target": "hi", "max_jumps": most}]);
        (nodes, json!([{"from": "s", "to": "hi"}, {"from": "hi", "to": "d"}, {"from": "d", "to": "j"}]))
    };
    assert!(told(jumps(3), true), "three times ten hours");
    assert!(!told(jumps(2), true), "twice");
    // Beside the talk: some time before the session expires, and when it has.
    let beside = |settings: Value, last: Value| {
        let nodes = json!([{"id": "w", "kind": "wait_reply"}, hi, last, {"id": "e", "kind": "end"}]);
        let edges = json!([{"from": "s", "to": "w"}, {"from": "w", "to": "e"}]);
        let flow = set(flow(nodes, edges), "trigger", json!({"kind": "inbound", "channel": "whatsapp"}));
        first(set(flow, "settings", settings))
    };
    let bye = json!({"id": "bye", "kind": "send_message", "text": "Bye"});
    let approved = json!({"id": "bye", "kind": "send_message", "template": {"name": "t", "language": "en"}});
    let both = |ttl: u32, before: &str| {
        json!({"session_ttl_minutes": ttl, "on_expire": {"node": "bye"},
            "reminder": {"before": before, "node": "hi"}})
    };
    let late =
        |settings: Value, last: &Value| beside(settings, last.clone()).contains("window_may_be_closed");
    assert!(late(both(48 * 60, "1h"), &bye), "the reminder comes after 47 hours");
    assert!(late(both(48 * 60, "30h"), &bye), "the last words after two days");
    assert!(!late(both(48 * 60, "30h"), &approved));
    assert!(late(both(48 * 60, "1h"), &approved), "the reminder is a free text");
    assert!(!late(both(23 * 60, "1h"), &bye));
    let fixed = |ttl: u32| {
        json!({"session_ttl_minutes": ttl, "ttl_mode": "fixed", "on_expire": {"node": "bye"},
            "reminder": {"before": "1h", "node": "hi"}})
    };
    assert!(!late(fixed(23 * 60), &bye));
    let template = json!({"id": "hi", "kind": "send_message", "template": {"name": "t", "language": "en"}});
    let edges = json!([{"from": "s", "to": "hi"}]);
    assert!(!told((json!([template]), edges.clone()), false));
    let elsewhere =
        json!({"id": "hi", "kind": "send_message", "text": "x", "action": "from_to", "to": "+15550100"});
    assert!(!told((json!([elsewhere]), edges), false));
}

/// N2: goods, cards of people, signs and the cards of an approved message.
#[test]
fn what_whatsapp_has_beside_texts_is_checked() {
    let goods = |text: Value, header: Value, products: Value| {
        let mut message = json!({"products": products});
        for (field, value) in [("text", text), ("header", header)] {
            if !value.is_null() {
                message[field] = value;
            }
        }
        of_message("whatsapp", message)
    };
    let (text, line, none) = (json!("t"), json!({"text": "h"}), Value::Null);
    let list = |items: Value| json!({"catalog": "1", "sections": [{"items": items}]});
    let one = json!({"catalog": "1", "id": "tea"});
    let card = |card: Value| {
        of_message("whatsapp", json!({"template": {"name": "n", "language": "en", "cards": [card]}}))
    };
    let button = json!([{"id": "a", "label": "A"}]);
    let twice = json!([{"buttons": button}, {"buttons": button}]);
    let told = [
        (goods(none.clone(), none.clone(), one.clone()), ""),
        (goods(text.clone(), none.clone(), json!({})), ""),
        (goods(text.clone(), line.clone(), list(json!(["tea", {"from": "context.x", "id": "sku"}]))), ""),
        (goods(text.clone(), line.clone(), list(json!({"from": "context.x"}))), NO_EMPTY),
        (goods(none.clone(), none.clone(), json!({})), "text: is required (missing_field)"),
        (goods(none.clone(), line.clone(), list(json!(["tea"]))), "text: is required (missing_field)"),
        (goods(text.clone(), none.clone(), list(json!(["tea"]))), "header: is required (missing_field)"),
        (
            goods(text.clone(), line.clone(), one),
            "header: has no meaning unless `products` is a list (bad_value)",
        ),
        (
            goods(text.clone(), json!({"image": "u"}), list(json!(["tea"]))),
            "header: must be a line above a list of goods (bad_value)",
        ),
        (
            goods(text.clone(), none.clone(), json!({"id": "tea"})),
            "products.catalog: is required (missing_field)",
        ),
        (
            goods(
                text.clone(),
                line.clone(),
                json!({"catalog": "1", "id": "tea", "sections": [{"items": ["tea"]}]}),
            ),
            "products.sections: is given together with `id` (bad_value)",
        ),
        (goods(text.clone(), line.clone(), list(json!([]))), "products.sections: has no article (bad_value)"),
        (
            goods(text.clone(), line.clone(), list(json!(["{{ vars.x }}"]))),
            "products.sections[0].items[0]: must not be a template (bad_value)",
        ),
        (
            goods(text.clone(), line.clone(), list(json!(["tea", "tea"]))),
            "products.sections: article \"tea\" appears twice (duplicate_branch)",
        ),
        (
            goods(text, line, list(json!([7]))),
            "products.sections[0].items[0]: must be an object such as {\"from\": \"vars.found\", \"id\": \"sku\"}, not a number (wrong_type)",
        ),
        (of_message("whatsapp", json!({"contacts": []})), "contacts: has no card (bad_value)"),
        (
            of_message("whatsapp", json!({"contacts": [{"phones": ["1"]}]})),
            "contacts[0].name: is required (missing_field)",
        ),
        (
            of_message("whatsapp", json!({"contacts": [{"name": "A", "phones": "1"}]})),
            "contacts[0].phones: must be a list, not text (wrong_type)",
        ),
        (
            of_message("telegram", json!({"contacts": [{"name": "A"}, {"name": "B"}]})),
            "contacts: 2 entries, at most 1 are allowed on telegram (channel_limit)",
        ),
        (
            of_message("sms", json!({"reaction": {"emoji": "👍"}})),
            "reaction: cannot be sent on sms (channel_limit)",
        ),
        (
            of_message("whatsapp", json!({"reaction": {"to": "m"}})),
            "reaction.emoji: is required (missing_field)",
        ),
        (
            of_message("whatsapp", json!({"reaction": {"emoji": "👍"}, "text": "x"})),
            "text: is given together with `reaction` (bad_value)",
        ),
        (of_message("whatsapp", json!({"reaction": {"emoji": ""}})), ""),
        (of_message("messenger", json!({"reaction": {"emoji": "👍"}})), ""),
        (card(json!({"header": {"image": "u"}, "parameters": ["a"], "buttons": button})), ""),
        (
            card(json!({"header": {"text": "t"}})),
            "template.cards[0].header: must be an image or a video (bad_value)",
        ),
        (
            card(json!({"header": {"image": "u"}, "buttons": []})),
            "template.cards[0].buttons: has no button (bad_value)",
        ),
        (
            of_message("whatsapp", json!({"template": {"name": "n", "language": "en", "cards": []}})),
            "template.cards: has no card (bad_value)",
        ),
        (
            of_message("whatsapp", json!({"template": {"name": "n", "language": "en", "cards": twice}})),
            "template.cards: option \"a\" appears twice (duplicate_branch)",
        ),
    ];
    for (place, (told, expected)) in told.iter().enumerate() {
        assert_eq!(told, expected, "{place}");
    }
}
