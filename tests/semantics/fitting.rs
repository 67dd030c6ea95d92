//! A rendered message is held to its channel (D8).

use chatflow::observer::EventKind;
use chatflow::{Channel, Content, TriggerRequest};
use serde_json::{Value, json};

use crate::kit::*;

const FAMILY: &str = "👨\u{200d}👩\u{200d}👧\u{200d}👦";

/// The messages of a flow with this node, and the notes about them.
fn sends(fields: Value, context: Value) -> (Vec<Content>, Vec<&'static str>, String) {
    let world = World::with([flow("f").node("m", "send_message", fields).send("x", "ok")]);
    let session = world.begin(ada("f").context(context)).session_id;
    world.tick();
    let told = world.notes().into_iter().filter_map(|kind| match kind {
        EventKind::ContentCut { part, .. } | EventKind::ContentRefused { part, .. } => Some(part),
        _ => None,
    });
    let told = told.collect();
    let contents = world.channel.take_new().into_iter().map(|message| message.content).collect();
    (contents, told, world.place(session).0)
}

fn texts(context: Value) -> Vec<String> {
    let (contents, told, _) = sends(json!({"text": "{{ context.t }}"}), context);
    assert_eq!(told, [""; 0]);
    contents.iter().map(|content| content.text().to_owned()).collect()
}

fn dense(texts: &[String]) -> String {
    texts.concat().split_whitespace().collect()
}

/// D8
#[test]
fn a_text_that_is_too_long_goes_out_in_pieces() {
    let paragraph = |words: usize| format!("{}.", vec!["word"; words].join(" "));
    let three = [paragraph(399), paragraph(399), paragraph(399)].join("\n\n");
    let found = texts(json!({"t": three}));
    assert_eq!(found.len(), 3, "two paragraphs, one, and what follows");
    assert_eq!(found[0], [paragraph(399), paragraph(399)].join("\n\n"));
    assert_eq!((&*found[1], &*found[2]), (&*paragraph(399), "ok"));
    for text in [
        "x".repeat(6_000),
        "A sentence of some length. ".repeat(220),
        "word ".repeat(1_200),
        "第一句很長很長很長。".repeat(600),
        "שלום עולם זה טקסט ארוך. ".repeat(250),
        "مرحبا بالعالم هذا نص طويل. ".repeat(230),
        FAMILY.repeat(700),
        "e\u{301}".repeat(3_000),
        "line\n".repeat(1_200),
        "line\r\n\r\n".repeat(700),
        format!("{}\n\n{}", "y".repeat(90), "z".repeat(4_096)),
    ] {
        let mut found = texts(json!({"t": text}));
        assert_eq!(found.pop().as_deref(), Some("ok"), "in order, before what follows");
        assert!(found.len() > 1 && found.iter().all(|piece| piece.chars().count() <= 4_096));
        assert_eq!(dense(&found), dense(std::slice::from_ref(&text)), "nothing but white space is lost");
        let is_whole = |piece: &String| !piece.starts_with(['\u{200d}', '\u{301}']);
        assert!(found.iter().all(is_whole), "{found:?}");
    }
}

/// D8
#[test]
fn a_text_that_fits_goes_out_as_it_is() {
    for text in ["x".repeat(4_096), format!(" {} \n", "ж".repeat(4_000)), "Hi\n\n there".to_owned()] {
        assert_eq!(texts(json!({"t": text}))[0], text);
    }
}

/// D8
#[test]
fn a_node_waits_for_the_last_piece() {
    let sketch = flow("f")
        .node("m", "send_message", json!({"text": "{{ context.t }}"}))
        .send("x", "ok")
        .apart("sorry", "send_message", json!({"text": "sorry"}))
        .edge("m", "failed", "sorry");
    for (answers, last) in [
        (vec![Ok(chatflow::Receipt::new()); 2], "ok"),
        (vec![Ok(chatflow::Receipt::new()), Err(chatflow::SendError::rejected("no"))], "sorry"),
    ] {
        let world = World::with([sketch.clone()]);
        world.answer_sends(answers);
        world.begin(ada("f").context(json!({"t": "x".repeat(5_000)})));
        world.tick();
        assert_eq!(world.sent().last().map(String::as_str), Some(last));
    }
}

/// D8
#[test]
fn what_cannot_be_parted_is_cut_between_two_characters() {
    let long = json!({"t": format!("{}{FAMILY}", "x".repeat(70))});
    let row = json!({"id": "a", "label": "A", "description": "{{ context.t }}"});
    let list = json!({"text": "T", "list": {"button": "Open", "sections": [{"rows": [row]}]}});
    let (contents, told, _) = sends(list, long);
    assert_eq!(contents[0].options()[0].description.as_deref(), Some(&*format!("{}…", "x".repeat(70))));
    assert_eq!(told, ["description"]);
    let options = json!({"text": "{{ context.t }}", "options": [{"id": "a", "label": "A"}]});
    let (contents, told, _) = sends(options, json!({"t": "ж".repeat(2_000)}));
    assert_eq!((contents[0].text(), &*told), (&*format!("{}…", "ж".repeat(1_023)), &["text"][..]));
    let image = json!({"media": {"type": "image", "url": "https://a.example", "caption": "{{ context.t }}"}});
    let (contents, told, _) = sends(image, json!({"t": "word ".repeat(300)}));
    assert_eq!((contents[0].text().chars().count(), &*told), (1_024, &["caption"][..]));
}

/// D8
#[test]
fn a_blank_message_takes_the_branch_failed() {
    let blank = json!({"text": "{{ context.t }}"});
    let gap = |value: &str| json!({"template": {"name": "n", "language": "en", "parameters": [value]}});
    let named = json!({"template": {"name": "n", "language": "en", "parameters": {"a": "{{ context.t }}"}}});
    let below = json!({"text": "{{ context.t }}", "options": [{"id": "a", "label": "A"}]});
    for (fields, part) in [
        (blank, "text"),
        (gap("{{ context.t }}"), "parameters"),
        (gap(" \n {{ context.t }}\t"), "parameters"),
        (named, "parameters"),
        (below, "text"),
        (json!({"text": "{{ context.t }}", "buttons": [{"id": "a", "label": "A"}]}), "text"),
        (json!({"text": {"en": "{{ context.t }}"}}), "text"),
    ] {
        for t in ["", " ", "\n\t\u{a0}", "\u{3000}\u{2003}"] {
            let (contents, told, place) = sends(fields.clone(), json!({"t": t}));
            assert_eq!(
                contents.len(),
                1,
                "nothing is sent, and the flow goes on: {fields} {t:?} {contents:?}"
            );
            assert_eq!((contents[0].text(), &*told, &*place), ("ok", &[part][..], "x"));
            let sketch = flow("f")
                .node("m", "send_message", fields.clone())
                .send("x", "ok")
                .apart("sorry", "send_message", json!({"text": "sorry"}))
                .edge("m", "failed", "sorry");
            let world = World::with([sketch]);
            world.begin(ada("f").context(json!({"t": t})));
            world.tick();
            assert_eq!(world.sent(), ["sorry"]);
        }
    }
}

/// D8
#[test]
fn a_question_that_comes_out_blank_fails_and_a_blank_hint_is_not_said() {
    let ask = |text: &str, again: &str| {
        flow("f").node("q", "ask", json!({"text": text, "error_text": again, "expect": "number"}))
    };
    let world = World::with([ask("{{ context.t }}", "No")]);
    let session = world.begin(ada("f").context(json!({"t": ""}))).session_id;
    assert_eq!(world.session(session).failure().unwrap().message, "the question came out blank");
    let world = World::with([ask("How many?", "{{ context.t }}")]);
    world.begin(ada("f").context(json!({"t": ""})));
    world.say("many");
    assert_eq!(world.sent(), ["How many?"]);
}

/// D8, N2
#[test]
fn words_of_a_channel_reach_its_transport_as_they_are_written() {
    let body = json!({"type": "x", "n": 1.5, "list": [true, null, {"é": "👨\u{200d}👩"}], "raw": "<b>\n\"'"});
    let mut written = body.clone();
    written["said"] = json!("{{ context.t }}");
    let (contents, told, _) =
        sends(json!({"native": {"channel": "whatsapp", "body": written}}), json!({"t": " a\n\nb "}));
    let Content::Native(native) = &contents[0] else { panic!("{contents:?}") };
    let mut expected = body;
    expected["said"] = json!(" a\n\nb ");
    assert_eq!((&native.channel, &native.body, &*told), (&Channel::WhatsApp, &expected, &[][..]));
    // Of another channel than the message goes out on.
    let sketch = flow("f")
        .unset("sender")
        .node("m", "send_message", json!({"native": {"channel": "telegram", "body": {}}}))
        .apart("sorry", "end", json!({}))
        .edge("m", "failed", "sorry");
    let world = World::with([sketch]);
    let session = world.begin(ada("f").from(Channel::WhatsApp, SHOP)).session_id;
    assert_eq!((world.place(session).0.as_str(), world.channel.sent().len()), ("sorry", 0));
}

/// N2
#[test]
fn buttons_of_a_template_keep_their_order() {
    let places = |buttons: Value| {
        let template = json!({"template": {"name": "n", "language": "en", "buttons": buttons}});
        let (contents, _, _) = sends(template, json!({}));
        let Content::Template(template) = &contents[0] else { panic!("{contents:?}") };
        let label = |button: chatflow::session::TemplateButton<'_>| match button {
            chatflow::session::TemplateButton::Reply(option) => option.label.clone(),
            chatflow::session::TemplateButton::Url(link) => link.label.clone(),
            _ => unreachable!(),
        };
        template.buttons().map(|(place, button)| format!("{place}{}", label(button))).collect::<Vec<_>>()
    };
    let reply = |label: &str| json!({"id": label, "label": label});
    let link = |label: &str| json!({"url": "x", "label": label});
    assert_eq!(places(json!([reply("a"), link("b"), reply("c"), link("d")])), ["0a", "1b", "2c", "3d"]);
    assert_eq!(places(json!([link("a"), reply("b")])), ["0a", "1b"]);
    assert_eq!(places(json!([reply("a"), reply("b"), link("c")])), ["0a", "1b", "2c"]);
    assert_eq!(places(json!([link("a"), link("b")])), ["0a", "1b"]);
    assert_eq!(places(json!([reply("a")])), ["0a"]);
}

/// D8
#[test]
fn what_fills_a_gap_is_one_line() {
    for (value, line) in [
        ("Ada\n     Lovelace\t", "Ada Lovelace"),
        ("a\r\nb", "a b"),
        ("  a", "a"),
        ("a    b", "a b"),
        ("a\u{a0}\u{a0}b", "a b"),
        ("a\u{2028}b", "a b"),
        ("a b", "a b"),
        ("один\tдва", "один два"),
        ("שלום\n\nעולם", "שלום עולם"),
        (FAMILY, FAMILY),
    ] {
        let template =
            json!({"template": {"name": "n", "language": "en", "parameters": ["{{ context.t }}"]}});
        let (contents, told, _) = sends(template, json!({"t": value}));
        let Content::Template(template) = &contents[0] else { panic!("{contents:?}") };
        assert_eq!(serde_json::to_value(&template.parameters).unwrap(), json!([line]));
        assert_eq!(told, [""; 0]);
    }
}

/// D8
#[test]
fn the_channel_that_a_message_goes_out_on_counts() {
    let sketch = flow("f").unset("sender").send("m", "{{ context.t }}");
    for (channel, pieces) in [
        (Channel::Sms, 4),
        (Channel::Instagram, 6),
        (Channel::Messenger, 3),
        (Channel::WhatsApp, 2),
        (Channel::Telegram, 2),
        (Channel::Line, 2),
        (Channel::Rcs, 2),
        (Channel::Viber, 1),
        (Channel::Email, 1),
        (Channel::Web, 1),
    ] {
        let world = World::with([sketch.clone()]);
        let request = TriggerRequest::new("f").from(channel.clone(), "shop");
        let request = match channel.is_phone() {
            true => request.phone(ADA),
            false => request.address(channel.clone(), "shop", "ada"),
        };
        world.begin(request.context(json!({"t": "word ".repeat(1_200)})));
        world.tick();
        assert_eq!(world.sent().len(), pieces, "{channel}");
    }
}
