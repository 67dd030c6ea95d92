//! Inbound messages: their kinds, what a channel says of them, their order (I10, I12, I14, T3).

use chatflow::{Channel, Inbound, Received, Status};
use serde_json::{Value, json};

use crate::kit::*;

fn form(token: &str, answers: Value) -> Inbound {
    Inbound::form(Channel::WhatsApp, SHOP, ADA, token, answers)
}

/// T3
#[test]
fn a_flow_reads_the_message_that_started_it_to_its_end() {
    let shown = "{{ trigger.channel }} {{ trigger.account }} {{ trigger.text }} {{ trigger.id }} \
                 {{ trigger.meta.ad }} {{ trigger.kind }} {{ reply.text }}";
    let sketch = flow("f").on(json!([{"match": "any"}])).send("q", "?").wait("w").send("s", shown);
    let world = World::with([sketch]);
    world.receive(says("menu").id("m1").meta(json!({"ad": "spring"})));
    world.say("fine");
    assert_eq!(world.sent(), ["?", "whatsapp +15550100 menu m1 spring inbound fine"]);
}

/// S10: a host keeps what is said to a person, whatever kind of message it is.
#[test]
fn a_message_reads_as_json_with_what_its_kind_has() {
    let from = || (Channel::WhatsApp, SHOP, ADA);
    let of = |message: Inbound, kind: &str| {
        let mut whole = message.to_json();
        let all = whole.as_object_mut().unwrap();
        for (name, value) in [("channel", "whatsapp"), ("account", SHOP), ("from", ADA), ("kind", kind)] {
            assert_eq!(all.remove(name), Some(json!(value)), "{name}");
        }
        whole
    };
    type Make = fn(Channel, &'static str, &'static str, Value) -> Inbound;
    let ((channel, account, ada), x) = (from(), json!({"x": 1}));
    let at = "2026-05-07T08:14:23.250Z";
    let text = says("menu").id("m1").timestamp(at.parse().unwrap()).meta(x.clone());
    assert_eq!(of(text, "text"), json!({"text": "menu", "id": "m1", "at": at, "meta": {"x": 1}}));
    let choice = Inbound::choice(channel.clone(), account, ada, "p", "Yes");
    assert_eq!(of(choice, "choice"), json!({"payload": "p", "text": "Yes"}));
    assert_eq!(of(form("t", x.clone()), "form"), json!({"payload": "t", "form": {"x": 1}}));
    let photo = Inbound::media(channel.clone(), account, ada, x.clone()).caption("Look");
    assert_eq!(of(photo, "media"), json!({"text": "Look", "media": {"x": 1}}));
    let named: [(Make, &str, &str); 5] = [
        (Inbound::location, "location", "location"),
        (Inbound::order, "order", "order"),
        (Inbound::contacts, "contacts", "contacts"),
        (Inbound::reaction, "reaction", "body"),
        (Inbound::other, "other", "body"),
    ];
    for (make, kind, name) in named {
        assert_eq!(of(make(channel.clone(), account, ada, x.clone()), kind), json!({name: x}), "{kind}");
    }
}

/// T3
#[test]
fn of_a_call_the_account_is_known_and_no_message() {
    let sketch = flow("f").send("s", "{{ trigger.channel }} {{ trigger.text | default('none') }}");
    let world = World::with([sketch]);
    world.start("f");
    assert_eq!(world.sent(), ["whatsapp none"]);
}

/// I14
#[test]
fn what_is_sent_in_a_turn_names_the_message_that_it_answers() {
    let sketch =
        flow("f").send("q", "?").wait("w").send("a", "1").send("b", "2").delay("d", "10s").send("c", "3");
    let world = World::with([sketch]);
    world.start("f");
    world.receive(says("fine").id("m1"));
    world.tick_after(seconds(10));
    let answered: Vec<_> = world.channel.sent().into_iter().map(|message| message.in_reply_to).collect();
    assert_eq!(answered, [None, Some("m1".into()), Some("m1".into()), None]);
}

/// I14
#[test]
fn a_wait_takes_the_kinds_that_it_names_and_goes_on_at_others() {
    let other = || Inbound::other(Channel::WhatsApp, SHOP, ADA, json!({"type": "call"}));
    let reaction = || Inbound::reaction(Channel::WhatsApp, SHOP, ADA, json!({"emoji": "👍"}));
    let contacts = || Inbound::contacts(Channel::WhatsApp, SHOP, ADA, json!([{"name": "Bob"}]));
    let order = || Inbound::order(Channel::WhatsApp, SHOP, ADA, json!({"items": []}));
    let filled = || form("", json!({"a": 1}));
    let accepts: [(&[&str], &[&str]); 5] = [
        (&["other"], &["other"]),
        (&["form"], &["form"]),
        (&["order", "contacts"], &["order", "contacts"]),
        (&["text"], &[]),
        (&["form", "order", "contacts", "other"], &["form", "order", "contacts", "other"]),
    ];
    for (accept, taken) in accepts {
        let messages: [(&str, Inbound); 5] = [
            ("other", other()),
            ("reaction", reaction()),
            ("contacts", contacts()),
            ("order", order()),
            ("form", filled()),
        ];
        for (kind, message) in messages {
            let world =
                World::with([flow("f").send("q", "?").node("w", "wait_reply", json!({"accept": accept}))]);
            let session = world.start("f").session_id;
            let answer = world.receive(message);
            let is_taken = answer == Received::Consumed { session };
            assert_eq!(is_taken, taken.contains(&kind), "{kind} at {accept:?}: {answer:?}");
            let status = if is_taken { Status::Completed } else { Status::Waiting };
            assert_eq!(world.state(session), status);
        }
    }
}

/// I14
#[test]
fn a_question_that_is_checked_is_not_asked_again_for_what_it_does_not_take() {
    let world =
        World::with([flow("f").node("q", "ask", json!({"text": "?", "expect": "number", "retries": 1}))]);
    let session = world.start("f").session_id;
    for message in [
        Inbound::order(Channel::WhatsApp, SHOP, ADA, json!({"items": []})),
        Inbound::contacts(Channel::WhatsApp, SHOP, ADA, json!([])),
        Inbound::reaction(Channel::WhatsApp, SHOP, ADA, json!({"emoji": "👍"})),
        Inbound::other(Channel::WhatsApp, SHOP, ADA, json!({})),
        form("", json!({})),
    ] {
        assert_eq!(world.receive(message), Received::Unmatched);
    }
    assert_eq!((world.sent().len(), world.state(session)), (1, Status::Waiting));
    world.say("7");
    assert_eq!(world.state(session), Status::Completed);
}

/// I14
#[test]
fn a_reaction_starts_no_flow_and_waits_for_none() {
    let any = flow("f").on(json!([{"match": "any"}])).delay("d", "10s").send("s", "hi");
    let world = World::with([any]);
    let reaction = || Inbound::reaction(Channel::WhatsApp, SHOP, ADA, json!({"emoji": "👍"}));
    assert_eq!(world.receive(reaction()), Received::Unmatched);
    world.say("hello");
    assert_eq!(world.receive(reaction()), Received::Unmatched, "it is not queued");
}

/// I9
#[test]
fn a_form_of_a_question_that_is_over_is_stale() {
    let world = World::with([flow("f").send("q", "?").wait("w").wait("x").send("s", "{{ reply.form.a }}")]);
    let session = world.start("f").session_id;
    let token = |wait: u32| format!("cf:{}:{wait}:form", session.0.as_simple());
    assert_eq!(world.receive(form(&token(1), json!({"a": 1}))), Received::Consumed { session });
    assert_eq!(world.receive(form(&token(1), json!({"a": 2}))), Received::StaleChoice);
    assert_eq!(world.receive(form(&token(2), json!({"a": 3}))), Received::Consumed { session });
    assert_eq!(world.sent(), ["?", "3"]);
}

/// I10
#[test]
fn an_album_in_any_order_is_one_answer() {
    let shown = "{{ reply.media_list[0].url }} {{ reply.media_list[1].url }} {{ reply.media_list[2].url }} \
                 {{ reply.media.url }} {{ reply.text }}";
    let sketch =
        flow("f").send("q", "?").node("w", "wait_reply", json!({"debounce": "10s"})).send("s", shown);
    let world = World::with([sketch]);
    world.start("f");
    let at = world.now();
    for (url, age) in [("b", 1), ("a", 3), ("c", 2)] {
        let photo = Inbound::media(Channel::WhatsApp, SHOP, ADA, json!({"url": url})).caption(url);
        world.receive(photo.timestamp(at - seconds(age)));
    }
    world.tick_after(seconds(10));
    assert_eq!(world.sent(), ["?", "b a c b b\na\nc"]);
}

/// I12
#[test]
fn a_late_picture_of_an_album_answers_no_later_question() {
    let sketch = flow("f").send("q", "?").node("w", "wait_reply", json!({"debounce": "10s"})).wait("x");
    let world = World::with([sketch]);
    let session = world.start("f").session_id;
    let photo =
        |url: &str, at| Inbound::media(Channel::WhatsApp, SHOP, ADA, json!({"url": url})).timestamp(at);
    let at = world.now();
    world.receive(photo("a", at));
    world.receive(photo("b", at + seconds(2)));
    world.tick_after(seconds(12));
    assert_eq!(world.place(session).0, "x");
    assert_eq!(world.receive(photo("c", at + seconds(1))), Received::TooOld);
    assert_eq!(world.receive(photo("d", at + seconds(3))), Received::Consumed { session });
}

/// I12: pieces of a reply come in any order, and the latest counts that was sent.
#[test]
fn a_late_piece_answers_no_later_question_in_whatever_order_the_others_came() {
    let sketch = flow("f").send("q", "?").node("w", "wait_reply", json!({"debounce": "10s"})).wait("x");
    let photo =
        |url: &str, at| Inbound::media(Channel::WhatsApp, SHOP, ADA, json!({"url": url})).timestamp(at);
    let text = |at| says("and this").timestamp(at);
    for first in [photo as fn(&str, _) -> Inbound, |_, at| says("Look").timestamp(at)] {
        let world = World::with([sketch.clone()]);
        let session = world.start("f").session_id;
        let at = world.now();
        world.receive(first("a", at + seconds(9)));
        world.receive(photo("b", at + seconds(1)));
        let stored = serde_json::to_string(&world.session(session)).unwrap();
        let read: chatflow::Session = serde_json::from_str(&stored).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), stored);
        world.tick_after(seconds(12));
        assert_eq!(world.place(session).0, "x");
        assert_eq!(world.receive(text(at + seconds(4))), Received::TooOld);
        assert_eq!(world.receive(text(at + seconds(10))), Received::Consumed { session });
    }
}

/// I12: a question that nobody answered does not make the session forget what it took before.
#[test]
fn a_late_message_answers_no_later_question_after_a_time_out() {
    let sketch = flow("f")
        .wait("a")
        .node("b", "wait_reply", json!({"timeout": "10s", "on_timeout": "continue"}))
        .wait("c")
        .send("ok", "{{ reply.text }}");
    let world = World::with([sketch]);
    let session = world.start("f").session_id;
    let at = world.now();
    let said = |text: &str, at| says(text).timestamp(at);
    world.pass(seconds(10));
    world.receive(said("one", at + seconds(9)));
    world.tick_after(seconds(11));
    assert_eq!(world.place(session).0, "c");
    assert_eq!(world.receive(said("late", at + seconds(1))), Received::TooOld);
    assert_eq!(world.receive(said("two", at + seconds(20))), Received::Consumed { session });
    assert_eq!(world.sent(), ["two"]);
}

/// I10
#[test]
fn an_album_has_bounds() {
    let sketch = flow("f")
        .send("q", "?")
        .node("w", "wait_reply", json!({"debounce": "10s"}))
        .send("s", "{{ reply.media_list | length }}");
    let world = World::with([sketch]);
    world.start("f");
    for part in 0..40 {
        let thumbnail = "x".repeat(8_000);
        let photo = json!({"url": format!("p{part}"), "thumbnail": thumbnail});
        world.receive(Inbound::media(Channel::WhatsApp, SHOP, ADA, photo));
    }
    assert_eq!(world.sent(), ["?", "9"], "as much as variables may have ends it");
}

/// S7
#[test]
fn what_a_channel_says_is_bounded() {
    let world = World::with([question("f")]);
    let wide = json!({"x": "y".repeat(70_000)});
    let (code, text) = told(world.try_receive(says("hi").meta(wide.clone())));
    assert!(code == "invalid_input" && text.starts_with("`meta.x` "), "{text}");
    let (_, text) = told(world.try_receive(form("", wide)));
    assert!(text.starts_with("`form.x` "), "{text}");
}

/// N4, I10
#[test]
fn each_medium_of_an_album_is_of_the_type_that_is_asked_for() {
    let ask = json!({"text": "A photo?", "expect": "media", "media_types": ["image"], "debounce": "10s",
        "save_to": "a"});
    let medium =
        |mime: &str| Inbound::media(Channel::WhatsApp, SHOP, ADA, json!({"url": mime, "mime": mime}));
    for (album, place) in [
        (["image/png", "image/jpeg"], "ok"),
        (["image/png", "application/pdf"], "q"),
        (["application/pdf", "image/png"], "q"),
    ] {
        let world = World::with([flow("f").node("q", "ask", ask.clone()).send("ok", "ok")]);
        let session = world.start("f").session_id;
        album.iter().for_each(|mime| _ = world.receive(medium(mime)));
        world.tick_after(seconds(10));
        assert_eq!(world.place(session).0, place, "{album:?}");
    }
}

/// N4: a type of media is compared with the MIME type, and with the kind that the message says.
#[test]
fn a_medium_is_of_the_kind_that_its_message_says() {
    let medium = |kind: &str, mime: &str| json!({"type": kind, "url": "https://a.example", "mime": mime});
    for (types, media, place) in [
        (json!(["document"]), medium("document", "application/pdf"), "ok"),
        (json!(["document"]), medium("document", "image/png"), "ok"),
        (json!(["document"]), medium("image", "image/png"), "q"),
        (json!(["sticker"]), medium("sticker", "image/webp"), "ok"),
        (json!(["image"]), json!({"type": "image", "url": "https://a.example"}), "ok"),
        (json!(["image/png"]), json!({"type": "image", "url": "https://a.example"}), "q"),
        (json!(["audio/*"]), medium("audio", "audio/ogg; codecs=opus"), "ok"),
    ] {
        let ask = json!({"text": "Which?", "expect": "media", "media_types": types});
        let world = World::with([flow("f").node("q", "ask", ask).send("ok", "ok")]);
        let session = world.start("f").session_id;
        world.receive(Inbound::media(Channel::WhatsApp, SHOP, ADA, media.clone()));
        assert_eq!(world.place(session).0, place, "{types} {media}");
    }
}
