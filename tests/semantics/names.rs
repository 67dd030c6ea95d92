//! Names that a flow can read, and those that it cannot: T3, N1, N6, N7.

use chatflow::limits::Limits;
use chatflow::observer::EventKind;
use chatflow::session::Profile;
use chatflow::value::{PackLimits, PackedMap};
use chatflow::{Channel, Inbound, Status};
use serde_json::json;

use crate::kit::*;

fn shows(text: &str) -> Sketch {
    flow("f").send("say", text)
}

/// T3
#[test]
fn a_flow_reads_what_its_trigger_brought() {
    let world = World::with([shows(
        "{{context.cart.items[1].name}} {{trigger.uuid}} {{trigger.out_id}} {{trigger.claim_time}} {{trigger.kind}}",
    )]);
    world.begin(
        ada("f")
            .context(json!({"cart": {"items": [{"name": "a"}, {"name": "b"}]}}))
            .uuid("u-1")
            .out_id("o-1")
            .claim_time("2026-01-02T03:04:05.678Z".parse().unwrap()),
    );
    assert_eq!(world.sent(), ["b u-1 o-1 2026-01-02T03:04:05.678Z manual"]);
}

/// T3
#[test]
fn a_flow_reads_who_its_contact_is() {
    let world = World::with([shows(
        "{{contact.id}} {{contact.name}} {{contact.email}} {{contact.phone}} {{contact.language}} \
         {{contact.tags | join(',')}} {{contact.fields.tier}} {{contact.opted_in_at}}",
    )]);
    let fields = PackedMap::from_json(&json!({"tier": "gold"}), &PackLimits::of(&Limits::default())).unwrap();
    let profile = Profile::new().name("Ada").email("a@b.c").language("en").tag("x").tag("y").fields(fields);
    world.begin(ada("f").contact_id("ada-1").profile(profile));
    assert_eq!(world.sent(), [format!("ada-1 Ada a@b.c {ADA} en x,y gold 2026-05-07T08:14:23Z")]);
}

/// T3
#[test]
fn a_flow_reads_itself_its_session_and_the_time() {
    let world = World::with([shows(
        "{{flow.id}} {{flow.name}} {{flow.version}} {{session.id}} {{session.started_at}} {{session.turns}} {{now}}",
    )
    .delay("rest", "1h")
    .send("later", "{{session.turns}} {{now}}")]);
    let session = world.start("f").session_id;
    world.tick_after(hours(1));
    assert_eq!(
        world.sent(),
        [
            format!("f f 1 {session} 2026-05-07T08:14:23Z 1 2026-05-07T08:14:23Z"),
            "2 2026-05-07T09:14:23Z".to_owned()
        ]
    );
}

/// T3
#[test]
fn no_key_of_a_context_stands_for_a_name_of_the_language() {
    let world = World::with([shows("{{now}} {{flow.id}} {{context.now}}")]);
    world.begin(ada("f").context(json!({"now": "never", "flow": {"id": "g"}})));
    assert_eq!(world.sent(), ["2026-05-07T08:14:23Z f never"]);
}

/// T3
#[test]
fn a_flow_reads_the_latest_reply() {
    let text = "{{reply.kind}}|{{reply.text}}|{{reply.payload}}|{{reply.media.url}}|{{reply.location.latitude}}|{{reply.timed_out}}";
    let world = World::with([(0..4)
        .fold(flow("f").send("ask", "?"), |sketch, number| {
            sketch.wait(&format!("w{number}")).send(&format!("s{number}"), text)
        })
        .wait_for("w4", "1m")
        .edge("w4", "timeout", "s4")
        .apart("s4", "send_message", json!({"text": text}))]);
    world.start("f");
    world.say("hi");
    world.receive(Inbound::choice(Channel::WhatsApp, SHOP, ADA, "BUY", "Buy"));
    world.receive(Inbound::media(Channel::WhatsApp, SHOP, ADA, json!({"url": "u"})).caption("cat"));
    world.receive(Inbound::location(Channel::WhatsApp, SHOP, ADA, json!({"latitude": 1.5})));
    world.tick_after(minutes(1));
    assert_eq!(
        world.sent(),
        [
            "?",
            "text|hi||||false",
            "choice|Buy|BUY|||false",
            "media|cat||u||false",
            "location||||1.5|false",
            "||||true"
        ]
        .map(|text| text.replace("||||true", "|||||true"))
    );
}

/// T3
#[test]
fn a_bare_name_is_a_variable_before_it_is_context() {
    let world = World::with([flow("f")
        .send("one", "{{a}} {{b}}")
        .node("set", "set_variables", json!({"variables": [{"name": "a", "value": "var"}]}))
        .send("two", "{{a}} {{b}} {{vars.a}} {{context.a}}")]);
    world.begin(ada("f").context(json!({"a": "ctx", "b": "B"})));
    assert_eq!(world.sent(), ["ctx B", "var B var ctx"]);
}

/// T3
#[test]
fn a_reply_is_saved_where_the_wait_says() {
    let world = World::with([flow("f")
        .send("ask", "?")
        .node("w", "wait_reply", json!({"save_to": "name"}))
        .send("hi", "Hi {{name}}")]);
    let session = world.start("f").session_id;
    world.say("Ada");
    assert_eq!(world.sent(), ["?", "Hi Ada"]);
    assert_eq!(world.session(session).vars().to_json(), json!({"name": "Ada"}));
}

/// N7
#[test]
fn an_undefined_name_renders_empty_with_an_event() {
    let world = World::with([shows("a{{nothing}}b{{context.gone.deep}}c{{nothing | default('d')}}")]);
    let session = world.start("f").session_id;
    assert_eq!(world.sent(), ["abcd"]);
    let undefined = |name: &str| EventKind::UndefinedVariable {
        session,
        node: "say".parse().unwrap(),
        name: name.into(),
    };
    assert_eq!(world.notes(), [undefined("nothing"), undefined("context.gone.deep")]);
}

/// N7
#[test]
fn an_undefined_name_is_kept_as_it_is_written_if_the_flow_wants_that() {
    let world = World::with([shows("a{{ nothing }}b").set("undefined", json!("keep"))]);
    world.start("f");
    assert_eq!(world.sent(), ["a{{ nothing }}b"]);
}

/// N7
#[test]
fn an_undefined_name_fails_the_session_if_the_flow_wants_that() {
    let world = World::with([shows("a{{nothing}}b").set("undefined", json!("error"))]);
    let session = world.start("f").session_id;
    assert_eq!(world.place(session), ("say".to_owned(), Status::Failed));
    assert_eq!(world.session(session).failure().unwrap().code.as_str(), "expression");
    assert_eq!(world.sent(), [""; 0]);
}

/// N7
#[test]
fn values_are_never_expanded_again() {
    let world = World::with([question("q")]);
    world.start("q");
    world.say("{{contact.id}}");
    assert_eq!(world.sent(), ["How are you?", "{{contact.id}}!"]);
}

/// U19
#[test]
fn characters_are_what_people_see() {
    let family = "👨\u{200d}👩\u{200d}👧\u{200d}👦";
    for (text, template, shown) in [
        (format!("{family}ab"), "{{ context.t | length }}", "3".to_owned()),
        (format!("{family}ab"), "{{ context.t | first }}", family.to_owned()),
        (format!("ab{family}"), "{{ context.t | last }}", family.to_owned()),
        (format!("ab{family}"), "{{ context.t | reverse }}", format!("{family}ba")),
        (format!("ab{family}cd"), "{{ context.t | truncate(4, end='…') }}", format!("ab{family}…")),
        (format!("a{family}b"), "{{ context.t[1] }}", family.to_owned()),
        (format!("a{family}b"), "{{ context.t[-2] }}", family.to_owned()),
        ("e\u{301}a".to_owned(), "{{ context.t | length }}", "2".to_owned()),
        ("🇫🇷🇩🇪".to_owned(), "{{ context.t | first }}", "🇫🇷".to_owned()),
        ("👍🏽!".to_owned(), "{{ context.t | length }}", "2".to_owned()),
        ("한국어".to_owned(), "{{ context.t | length }}", "3".to_owned()),
        ("a\r\nb".to_owned(), "{{ context.t | length }}", "3".to_owned()),
    ] {
        let world = World::with([shows(template)]);
        world.begin(ada("f").context(json!({"t": text})));
        assert_eq!(world.sent(), [shown], "{template} of {text:?}");
    }
}

/// N7
#[test]
fn a_text_is_cut_at_100_000_characters() {
    let world = World::with([shows(&"{{context.a}}".repeat(20))]);
    for (length, cut) in [(4_999, 99_980), (5_000, 100_000), (5_001, 100_000)] {
        world.begin(ada("f").context(json!({"a": "ü".repeat(length)})));
        assert_eq!(world.sent().concat(), "ü".repeat(cut), "in pieces, as the channel takes them");
    }
}

/// N1
#[test]
fn a_node_without_an_edge_completes_the_session() {
    let world = World::with([flow("f").send("s", "Bye"), flow("g").send("ask", "?").wait("w")]);
    let (sent, asked) = (world.start("f").session_id, world.start("g").session_id);
    world.say("x");
    assert_eq!(world.place(sent), ("s".to_owned(), Status::Completed));
    assert_eq!(world.place(asked), ("w".to_owned(), Status::Completed));
}

/// N6
#[test]
fn a_jump_goes_back_so_many_times_in_a_session_and_then_onwards() {
    for (most, rounds) in [(json!(null), 2), (json!(3), 4)] {
        let mut jump = json!({"target": "s"});
        if !most.is_null() {
            jump["max_jumps"] = most;
        }
        let world =
            World::with([flow("f").send("s", "Again").node("back", "jump", jump).send("end", "Done")]);
        world.start("f");
        let mut expected = vec!["Again"; rounds];
        expected.push("Done");
        assert_eq!(world.sent(), expected);
    }
}
