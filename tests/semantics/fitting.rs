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

/// D8, D1: whichever piece is refused, the node takes the edge, and the rest is not sent.
#[test]
fn a_refused_piece_of_a_text_takes_the_branch() {
    let sketch = flow("f")
        .node("m", "send_message", json!({"text": "{{ context.t }}"}))
        .send("x", "ok")
        .apart("sorry", "send_message", json!({"text": "sorry"}))
        .edge("m", "failed", "sorry");
    let taken = || Ok(chatflow::Receipt::new());
    let refused = || Err(chatflow::SendError::rejected("no"));
    for (answers, last) in [
        (vec![refused()], "sorry"),
        (vec![taken(), refused()], "sorry"),
        (vec![taken(), taken(), refused()], "sorry"),
        (vec![taken(), taken(), taken()], "ok"),
    ] {
        let world = World::with([sketch.clone()]);
        world.answer_sends(answers.clone());
        world.begin(ada("f").context(json!({"t": "x".repeat(9_000)})));
        world.tick();
        assert_eq!(world.sent().last().map(String::as_str), Some(last), "{answers:?}");
        assert_eq!(world.dead_letters().len(), 0, "{answers:?}");
    }
}

/// D8, D1
#[test]
fn later_news_of_any_piece_takes_the_branch() {
    let sketch = flow("f")
        .node("m", "send_message", json!({"text": "{{ context.t }}"}))
        .wait("w")
        .apart("sorry", "send_message", json!({"text": "sorry"}))
        .edge("m", "failed", "sorry");
    for piece in 0..3 {
        let world = World::with([sketch.clone()]);
        let session = world.begin(ada("f").context(json!({"t": "x".repeat(9_000)}))).session_id;
        world.tick();
        let ids: Vec<_> = world.channel.take_new().iter().map(|message| message.id).collect();
        assert_eq!((ids.len(), &*world.place(session).0), (3, "w"));
        let report = chatflow::session::DeliveryReport::Failed { code: "131026".to_owned() };
        pollster::block_on(world.bot.report(ids[piece], report)).unwrap();
        world.tick();
        assert_eq!(world.sent(), ["sorry"], "piece {piece}");
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

/// D8: each part that a message makes no sense without.
#[test]
fn a_blank_part_is_never_sent_nor_fails_the_session() {
    let template = |field: &str, value: Value| {
        let mut template = json!({"name": "n", "language": "en"});
        template[field] = value;
        json!({"template": template})
    };
    let gap = "{{ context.t }}";
    let link = |label: &str, url: &str| json!([{"label": label, "url": url}]);
    let rows = json!([{"rows": [{"id": "a", "label": "A"}]}]);
    for (fields, part) in [
        (json!({"text": "?", "form": {"id": "1", "button": gap}}), "button"),
        (json!({"text": "?", "form": {"id": gap, "button": "Open"}}), "id"),
        (json!({"text": "?", "buttons": link(gap, "https://shop.example")}), "label"),
        (json!({"text": "?", "buttons": link("Shop", gap)}), "url"),
        (json!({"text": "?", "list": {"button": gap, "sections": rows}}), "button"),
        (json!({"media": {"type": "image", "url": gap}}), "url"),
        (json!({"reaction": {"emoji": gap, "to": "wamid.1"}}), "emoji"),
        (json!({"products": {"catalog": "1", "id": gap}}), "id"),
        (json!({"products": {"catalog": gap, "id": "tea"}}), "catalog"),
        (json!({"template": {"name": "n", "language": gap}}), "language"),
        (template("header", json!({"text": gap})), "header"),
        (template("header", json!({"image": gap})), "header"),
        (template("buttons", link("Shop", gap)), "url"),
        (template("buttons", json!([{"label": "Copy", "code": gap}])), "code"),
        (template("cards", json!([{"header": {"image": gap}}])), "header"),
        (json!({"location": {"latitude": gap, "longitude": 1}}), "location"),
        (json!({"location": {"latitude": 1, "longitude": "2{{ context.t }}00"}}), "location"),
    ] {
        let (contents, told, place) = sends(fields.clone(), json!({"t": ""}));
        assert_eq!((contents.len(), &*told, &*place), (1, &[part][..], "x"), "{fields}");
        let sketch = flow("f")
            .node("m", "send_message", fields.clone())
            .send("x", "ok")
            .apart("sorry", "send_message", json!({"text": "sorry"}))
            .edge("m", "failed", "sorry");
        let world = World::with([sketch]);
        world.begin(ada("f").context(json!({"t": ""})));
        world.tick();
        assert_eq!(world.sent(), ["sorry"], "{fields}");
    }
}

/// D8
#[test]
fn a_header_without_a_medium_is_left_out() {
    let fields = json!({"text": "?", "header": {"image": "{{ context.t }}"}, "footer": "{{ context.t }}",
        "buttons": [{"id": "a", "label": "A"}]});
    let (contents, told, _) = sends(fields, json!({"t": " "}));
    let Content::Buttons(buttons) = &contents[0] else { panic!("{contents:?}") };
    assert!(buttons.header.is_none() && buttons.footer.is_none() && told.is_empty(), "{told:?}");
}

/// D8
#[test]
fn the_label_of_a_form_is_rendered_and_held_to_the_channel() {
    let form = |button: &str| json!({"text": "?", "form": {"id": "1", "button": button}});
    for (written, name, button, told) in [
        ("Open {{ context.name }}", "Ada", "Open Ada", vec![]),
        ("Open {{ context.name }}", "the claim of the year", "Open the claim of t…", vec!["button"]),
        ("Open", "", "Open", vec![]),
    ] {
        let (contents, cut, _) = sends(form(written), json!({"name": name}));
        let Content::Form(form) = &contents[0] else { panic!("{contents:?}") };
        assert_eq!((&*form.button, &cut), (button, &told));
    }
    // A flow of no certain channel may say more than this one carries.
    let sketch = flow("f").unset("sender").node("m", "send_message", form(&"o".repeat(54)));
    let world = World::with([sketch]);
    world.begin(ada("f").from(Channel::WhatsApp, SHOP));
    let Content::Form(form) = &world.channel.take_new()[0].content else { panic!("a form") };
    assert_eq!(form.button.chars().count(), 20);
}

/// D8
#[test]
fn the_line_of_an_approved_header_is_held_to_the_channel() {
    let fields = json!({"template": {"name": "n", "language": "en", "header": {"text": "{{ context.h }}"}}});
    let (contents, told, _) = sends(fields, json!({"h": "word ".repeat(18)}));
    let Content::Template(template) = &contents[0] else { panic!("{contents:?}") };
    let Some(chatflow::session::Header::Text(line)) = &template.header else { panic!("{template:?}") };
    assert_eq!((line.chars().count() <= 60, &*told), (true, &["header"][..]));
}

/// D8: WhatsApp refuses buttons whose labels are the same.
#[test]
fn buttons_that_look_the_same_are_numbered() {
    let labels = |contents: &[Content]| -> Vec<String> {
        contents[0].options().iter().map(|option| option.label.clone()).collect()
    };
    let tea = |kind: &str| json!({"id": kind, "label": format!("Darjeeling First Flush {kind}")});
    let offers = json!({"from": "context.teas"});
    for message in [json!({"text": "?", "options": offers}), json!({"text": "?", "buttons": offers})] {
        let (contents, _, _) = sends(message, json!({"teas": [tea("whole"), tea("broken")]}));
        assert_eq!(labels(&contents), ["Darjeeling First Fl…", "Darjeeling Firs… (2)"]);
    }
    let (contents, _, _) = sends(
        json!({"text": "?", "options": offers}),
        json!({"teas": [tea("a"), tea("b"), tea("c"), tea("d")]}),
    );
    assert_eq!(labels(&contents)[1], "Darjeeling First Flush b", "rows of a list have room for it");
    // What is written out, in a flow of no certain channel.
    let twins = json!([{"id": "a", "label": "Yes"}, {"id": "b", "label": "Yes"}]);
    for message in [json!({"text": "?", "buttons": twins}), json!({"text": "?", "options": twins})] {
        let world = World::with([flow("f").unset("sender").node("m", "send_message", message)]);
        world.begin(ada("f").from(Channel::WhatsApp, SHOP));
        let sent = world.channel.take_new().remove(0).content;
        assert_eq!(labels(&[sent]), ["Yes", "Yes (2)"]);
    }
}

/// N10, U6: the number that the contact sees tells which of the two is meant.
#[test]
fn a_numbered_label_is_an_answer() {
    let tea = |kind: &str| json!({"id": kind, "label": format!("Darjeeling First Flush {kind}")});
    let ask = json!({"text": "?", "choices": {"from": "context.teas"}, "save_to": "a"});
    let world = World::with([flow("f").node("q", "ask", ask).send("ok", "{{ vars.a }}")]);
    world.begin(ada("f").context(json!({"teas": [tea("whole"), tea("broken")]})));
    world.say("Darjeeling Firs… (2)");
    assert_eq!(world.sent().pop().as_deref(), Some("broken"));
}

/// D8, N7
#[test]
fn a_plain_text_is_rendered_to_its_end_or_what_is_missing_is_told() {
    let text = json!({"text": "{{ context.t }}"});
    let long = "word ".repeat(9_000);
    let (contents, told, _) = sends(text.clone(), json!({"t": long}));
    let said: Vec<String> = contents.iter().map(|content| content.text().to_owned()).collect();
    assert_eq!((dense(&said), told), (dense(&[long.clone(), "ok".to_owned()]), vec![]));
    let twice = json!({"text": "{{ context.t }}{{ context.t }}{{ context.t }}"});
    let (contents, told, _) = sends(twice, json!({"t": long}));
    let said = contents.iter().map(|content| content.text().chars().count()).sum::<usize>();
    assert!(said < 100_100 && told == ["text"], "{said} {told:?}");
    // What does not go out in pieces is rendered as far as before, and that is told.
    let sketch = flow("f").unset("sender").node(
        "m",
        "send_message",
        json!({"text": "{{ context.t }}", "options": [{"id": "a", "label": "A"}]}),
    );
    let world = World::with([sketch]);
    let request = TriggerRequest::new("f").from(Channel::Web, "shop").address(Channel::Web, "shop", "ada");
    world.begin(request.context(json!({"t": long})));
    let cut = |kind: &EventKind| matches!(kind, EventKind::ContentCut { part: "text", .. });
    assert_eq!(world.notes().iter().filter(|kind| cut(kind)).count(), 1);
    assert_eq!(world.sent()[0].chars().count(), 10_000);
}

/// D8
#[test]
fn a_list_of_whatsapp_has_no_medium_above_it() {
    let rows = json!([{"rows": [{"id": "a", "label": "A"}]}]);
    let list = json!({"text": "?", "header": {"image": "https://shop.example/7.jpg"},
        "list": {"button": "Open", "sections": rows}});
    let world = World::with([flow("f").unset("sender").node("m", "send_message", list)]);
    world.begin(ada("f").from(Channel::WhatsApp, SHOP));
    let cut = |kind: EventKind| matches!(kind, EventKind::ContentCut { part: "header", .. });
    assert!(world.notes().into_iter().any(cut));
    let Content::List(list) = &world.channel.take_new()[0].content else { panic!("a list") };
    assert_eq!(list.header, None);
}

/// D8
#[test]
fn each_channel_counts_in_its_own_unit() {
    let sketch = flow("f").unset("sender").send("m", "{{ context.t }}");
    for (channel, text, lengths) in [
        (Channel::Instagram, "ж".repeat(900), vec![500, 400]),
        (Channel::Instagram, "x".repeat(1_000), vec![1_000]),
        (Channel::Line, "👍".repeat(3_000), vec![2_499, 501]),
        (Channel::Messenger, "ж".repeat(2_000), vec![2_000]),
    ] {
        let world = World::with([sketch.clone()]);
        let request = TriggerRequest::new("f").from(channel.clone(), "shop");
        world.begin(request.address(channel.clone(), "shop", "ada").context(json!({"t": text})));
        world.tick();
        let found: Vec<usize> = world.sent().iter().map(|piece| piece.chars().count()).collect();
        assert_eq!(found, lengths, "{channel}");
    }
}

/// N2, D8
#[test]
fn a_letter_has_a_subject() {
    let letter = |fields: Value| flow("f").unset("sender").node("m", "send_message", fields);
    let sent = |sketch: Sketch, channel: Channel, context: Value| {
        let world = World::with([sketch]);
        let request = TriggerRequest::new("f").from(channel.clone(), "shop");
        world.begin(request.address(channel, "shop", "ada@shop.example").context(context));
        let message = world.channel.take_new().remove(0);
        (message.subject.as_deref().map(str::to_owned), world.notes().len())
    };
    let fields = json!({"text": "Hello", "subject": "Order {{ context.n }}"});
    assert_eq!(
        sent(letter(fields.clone()), Channel::Email, json!({"n": "7\n8"})),
        (Some("Order 7 8".to_owned()), 0)
    );
    assert_eq!(sent(letter(fields.clone()), Channel::Web, json!({"n": 7})), (None, 0), "it is no letter");
    let long = sent(letter(fields), Channel::Email, json!({"n": "x".repeat(2_000)}));
    assert_eq!((long.0.unwrap().chars().count(), long.1), (998, 1));
    let blank = json!({"text": "Hello", "subject": "{{ context.n }}"});
    assert_eq!(sent(letter(blank), Channel::Email, json!({"n": ""})).0, None);
    let asked = json!({"text": "Which?", "subject": "A question", "expect": "number"});
    let sketch = flow("f").unset("sender").node("q", "ask", asked);
    assert_eq!(sent(sketch, Channel::Email, json!({})).0.as_deref(), Some("A question"));
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
            chatflow::session::TemplateButton::Code { label, code } => format!("{label}={code}"),
            chatflow::session::TemplateButton::Form { label, token, data } => {
                format!("{label}{}{data:?}", &token[token.len() - 7..])
            }
            chatflow::session::TemplateButton::Fixed { label } => label.to_owned(),
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
    let (fixed, code) = (json!({"label": "f"}), json!({"label": "c", "code": "T{{ 7 }}"}));
    let form = |data: Value| json!({"label": "o", "form": data});
    assert_eq!(places(json!([fixed, reply("a")])), ["0f", "1a"]);
    assert_eq!(places(json!([reply("a"), fixed, link("b"), code])), ["0a", "1f", "2b", "3c=T7"]);
    assert_eq!(places(json!([link("b"), fixed, reply("a"), fixed])), ["0b", "1f", "2a", "3f"]);
    assert_eq!(places(json!([form(json!({}))])), ["0o:1:formNone"]);
    assert_eq!(
        places(json!([fixed, form(json!({"a": "{{ 1 }}"}))])),
        ["0f".to_owned(), format!("1o:1:form{:?}", Some(json!({"a": 1})))]
    );
}

/// I9, I14, N13: a form that a button of an approved message opens belongs to its question.
#[test]
fn the_form_of_an_approved_message_is_fenced() {
    let template = json!({"template": {"name": "n", "language": "en",
        "buttons": [{"label": "Rate", "form": {"order": "{{ context.order }}"}}]}});
    let sketch = flow("f").node("m", "send_message", template).wait("w").wait("x").send("ok", "ok");
    let world = World::with([sketch]);
    let session = world.begin(ada("f").context(json!({"order": 7}))).session_id;
    let Content::Template(template) = world.channel.take_new().remove(0).content else {
        panic!("a template")
    };
    let (_, button) = template.buttons().next().unwrap();
    let chatflow::session::TemplateButton::Form { token, data, .. } = button else { panic!("{button:?}") };
    assert_eq!(data, Some(&json!({"order": 7})));
    let form = || chatflow::Inbound::form(Channel::WhatsApp, SHOP, ADA, token, json!({"stars": 5}));
    assert_eq!(world.receive(form()), chatflow::Received::Consumed { session });
    assert_eq!(world.place(session).0, "x");
    assert!(matches!(world.receive(form()), chatflow::Received::StaleChoice));
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

/// N2, D8: degrees in a text have either mark before their decimals, and are never thousands.
#[test]
fn a_place_may_be_written_with_a_decimal_comma() {
    let place = json!({"location": {"latitude": "{{ context.lat }}", "longitude": "{{ context.lng }}"}});
    for (lat, lng, expected) in [
        ("52,52", "13,405", (52.52, 13.405)),
        ("52.520", "13.405", (52.52, 13.405)),
        (" -23,5505 ", "-46,6333", (-23.5505, -46.6333)),
        ("5", "1e1", (5.0, 10.0)),
    ] {
        let (contents, told, _) = sends(place.clone(), json!({"lat": lat, "lng": lng}));
        let Content::Location(found) = &contents[0] else { panic!("{contents:?}") };
        assert_eq!(((found.latitude(), found.longitude()), told), (expected, vec![]));
    }
    for lat in ["52,52,1", "north", "520,5"] {
        let (_, told, _) = sends(place.clone(), json!({"lat": lat, "lng": 1}));
        assert_eq!(told, ["location"], "{lat}");
    }
}

/// D8: an address from data that no button of the channel opens is refused.
#[test]
fn an_address_that_no_button_opens_is_refused() {
    let link = json!({"text": "t", "buttons": [{"label": "Go", "url": "{{ context.url }}"}]});
    for url in ["https://shop.example/1", "HTTP://shop.example"] {
        let (contents, told, _) = sends(link.clone(), json!({"url": url}));
        assert_eq!((contents[0].links()[0].url.as_str(), told), (url, vec![]));
    }
    for url in ["tel:+49301234", "shop.example", "javascript:alert(1)", "/cart"] {
        let (contents, told, place) = sends(link.clone(), json!({"url": url}));
        assert_eq!((contents[0].text(), &*told, &*place), ("ok", &["url"][..], "x"), "{url}");
    }
}
