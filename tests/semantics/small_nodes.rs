//! Nodes that ask nobody: chance, the clock, what a text holds, what is known of the contact, logs:
//! N8, T3, T10.

use chatflow::flow::LogLevel;
use chatflow::limits::Limits;
use chatflow::observer::EventKind;
use chatflow::session::{EndReason, Profile};
use chatflow::{Receipt, Refusal, SendError, SessionId, Status, Triggered};
use serde_json::{Value, json};

use crate::kit::*;

fn update(code: &str, fields: Value) -> Sketch {
    flow(code).node("u", "update_contact", fields)
}

// --- T3: what is known of the contact
// -------------------------------------------------------------------------------------------------

/// T3
#[test]
fn a_contact_is_changed_for_the_nodes_that_follow_and_for_good() {
    let set = json!({"set": {"name": " {{ context.name }} ", "email": null, "fields": {"n": 1, "old": null}},
                     "add_tags": ["a", "a", "b"], "remove_tags": ["x"], "add_groups": ["g"]});
    let world = World::with([update("f", set).send("s", "{{ contact.name }} {{ contact.groups | join }}")]);
    let fields =
        chatflow::value::PackedMap::from_json(&json!({"old": 1, "kept": 2}), &Default::default()).unwrap();
    let profile = Profile::new().name("Bob").email("b@example.com").tag("x").tag("y").fields(fields);
    let contact = world.begin(ada("f").profile(profile).context(json!({"name": "Ada {{1+1}}"}))).contact_id;
    assert_eq!(world.sent(), ["Ada {{1+1}} g"]);
    let profile = world.contact(&contact).profile.unwrap();
    assert_eq!((profile.name.as_deref(), profile.email), (Some("Ada {{1+1}}"), None));
    assert_eq!(
        (profile.tags, profile.groups),
        (vec!["y".into(), "a".into(), "b".to_owned()], vec!["g".to_owned()])
    );
    assert_eq!(profile.fields.to_json(), json!({"kept": 2, "n": 1}));
    let notes = world.notes();
    assert!(
        matches!(&notes[..], [EventKind::ContactChanged { node, .. }] if node.as_str() == "u"),
        "{notes:?}"
    );
}

/// T3
#[test]
fn what_renders_to_nothing_changes_nothing() {
    let set = json!({"set": {"name": "{{ gone | default('') }}", "fields": {"a": ""}}, "add_tags": ["{{ gone | default(' ') }}"]});
    let world = World::with([update("f", set)]);
    let contact = world.begin(ada("f").profile(Profile::new().name("Ada"))).contact_id;
    let profile = world.contact(&contact).profile.unwrap();
    assert_eq!((profile.name.as_deref(), profile.tags.len(), profile.fields.len()), (Some("Ada"), 0, 0));
}

/// T3, S9
#[test]
fn a_turn_that_fails_changes_no_contact() {
    let sketch = update("f", json!({"set": {"name": "Ada"}, "consent": "opt_out"}))
        .send("s", "Hi")
        .send("bad", "{{ 1 / 0 }}");
    let world = World::with([sketch]);
    let session = world.start("f");
    assert_eq!((world.state(session.session_id), world.sent().len()), (Status::Failed, 0));
    let contact = world.contact(&session.contact_id);
    assert_eq!((contact.profile, contact.opted_out_at), (None, None));
}

/// T3, S7
#[test]
fn a_contact_does_not_outgrow_its_limits() {
    let many: Vec<String> = (0..100).map(|n| format!("t{n}")).collect();
    for (fields, told) in [
        (json!({"set": {"name": "x".repeat(256)}}), None),
        (json!({"set": {"name": "x".repeat(257)}}), Some("the name must have at most 256 bytes")),
        (json!({"add_tags": ["x".repeat(257)]}), Some("a tag or group must have at most 256 bytes")),
        (json!({"add_tags": many}), None),
        (json!({"add_groups": many}), Some("at most 100 tags and as many groups are allowed")),
    ] {
        let more = json!({"add_groups": ["more"]});
        let world = World::with([update("f", fields).node("again", "update_contact", more)]);
        let session = world.start("f").session_id;
        let failure = world.session(session).failure().cloned();
        let failure = failure.as_ref().map(|failure| (failure.code.as_str(), failure.message.as_str()));
        assert_eq!(failure, told.map(|told| ("contact", told)));
    }
}

/// T3, S7
#[test]
fn fields_of_a_contact_take_as_much_as_variables() {
    let limits = Limits { variable_bytes: 1_000, ..Limits::default() };
    let world = World::built(|builder| builder.limits(limits));
    world
        .publish([update("f", json!({"set": {"fields": {"a": "{{ context.a }}", "b": "{{ context.a }}"}}}))]);
    let session = world.begin(ada("f").context(json!({"a": "x".repeat(600)}))).session_id;
    assert_eq!(world.session(session).failure().map(|failure| failure.code.as_str()), Some("contact"));
}

// --- T10: consent by a node
// -------------------------------------------------------------------------------------------------

fn leaves() -> Sketch {
    flow("leaves")
        .send("ask", "Leave?")
        .wait("w")
        .send("before", "Sorry to see you go.")
        .node("u", "update_contact", json!({"consent": "opt_out"}))
        .send("after", "Goodbye.")
        .wait("w2")
}

/// T10
#[test]
fn a_node_that_opts_out_ends_all_sessions_and_its_own_turn_is_still_sent() {
    let world = World::with([leaves(), question("other"), question("receipt")]);
    let other = world.start("other").session_id;
    let receipt = world.begin(ada("receipt").transactional()).session_id;
    let own = world.start("leaves");
    world.sent();
    world.say("yes");
    assert_eq!(world.sent(), ["Sorry to see you go.", "Goodbye."]);
    for ended in [own.session_id, other] {
        assert_eq!(world.session(ended).ended_by(), Some(EndReason::OptedOut));
    }
    assert_eq!(world.state(receipt), Status::Waiting);
    assert_eq!(world.contact(&own.contact_id).opted_out_at, Some(world.now()));
    assert_eq!(world.trigger(ada("other")), Triggered::Refused(Refusal::OptedOut));
}

/// T10
#[test]
fn what_was_still_to_be_sent_before_an_opt_out_is_dropped() {
    let world = World::with([leaves(), flow("news").send("s", "News!")]);
    world.start("leaves");
    world.sent();
    world.answer_sends([Err(SendError::retry("busy")), Ok(Receipt::new()), Ok(Receipt::new())]);
    world.start("news");
    world.say("yes");
    world.tick_after(hours(1));
    let texts = world.sent();
    assert!(texts.ends_with(&["Sorry to see you go.".to_owned(), "Goodbye.".to_owned()]), "{texts:?}");
    assert_eq!(
        texts.iter().filter(|text| *text == "News!").count(),
        1,
        "tried once, then dropped: {texts:?}"
    );
}

/// T10
#[test]
fn a_session_that_opts_out_and_is_complete_stays_so() {
    let world = World::with([update("f", json!({"consent": "opt_out"})).send("s", "Bye")]);
    let session = world.start("f").session_id;
    assert_eq!((world.state(session), world.sent()), (Status::Completed, vec!["Bye".to_owned()]));
}

/// T10
#[test]
fn a_node_that_opts_in_takes_an_opt_out_back() {
    let world = World::with([update("f", json!({"consent": "opt_in"})), question("q")]);
    let contact = world.start("q").contact_id;
    pollster::block_on(world.bot.opt_out(&contact)).unwrap();
    world.pass(minutes(1));
    world.begin(ada("f").transactional());
    let known = world.contact(&contact);
    assert_eq!((known.opted_out_at, known.opted_in_at), (None, Some(world.now())));
    world.start("q");
}

// --- N8: chance
// -------------------------------------------------------------------------------------------------

/// A flow that draws three times and says what it drew.
fn draws() -> Sketch {
    let label = |label: &str, weight: u32| json!({"label": label, "weight": weight});
    let split = json!({"branches": [label("a", 700), label("b", 200), label("c", 100)]});
    flow("f")
        .set("concurrency", json!("unlimited"))
        .node("r", "random_split", split)
        .edge("r", "a", "sa")
        .edge("r", "b", "sb")
        .edge("r", "c", "sc")
        .apart("sa", "send_message", json!({"text": "a"}))
        .edge("sa", "next", "j")
        .apart("sb", "send_message", json!({"text": "b"}))
        .edge("sb", "next", "j")
        .apart("sc", "send_message", json!({"text": "c"}))
        .edge("sc", "next", "j")
        .apart("j", "jump", json!({"target": "r", "max_jumps": 2}))
}

/// N8
#[test]
fn a_split_draws_as_its_weights_say_and_anew_at_each_visit() {
    let world = World::with([draws()]);
    let (mut counts, mut same) = ([0_u32; 3], 0);
    const SESSIONS: u32 = 1_000;
    for _ in 0..SESSIONS {
        world.start("f");
        let drawn = world.sent();
        assert_eq!(drawn.len(), 3);
        same += u32::from(drawn[0] == drawn[1] && drawn[1] == drawn[2]);
        for label in &drawn {
            counts[usize::from(label.as_bytes()[0] - b'a')] += 1;
        }
    }
    // Of 3,000 draws 2,100, 600 and 300 are expected; the bounds are more than four standard
    // deviations away.
    for (count, expected) in counts.into_iter().zip([2_100_u32, 600, 300]) {
        assert!(count.abs_diff(expected) < 105, "{counts:?}");
    }
    // All alike: 0.7^3 + 0.2^3 + 0.1^3 = 0.352 of the sessions.
    assert!(same.abs_diff(352) < 70, "{same}");
}

/// N8
#[test]
fn a_split_draws_the_same_for_the_same_session() {
    let drawn = |_| {
        let world = World::with([draws()]);
        let sessions: Vec<SessionId> = (0..20).map(|_| world.start("f").session_id).collect();
        (sessions, world.sent())
    };
    assert_eq!(drawn(1), drawn(2));
}

// --- the clock, logs
// -------------------------------------------------------------------------------------------------

#[cfg(feature = "time-zones")]
#[test]
fn hours_are_those_of_the_clock_on_the_wall_in_winter_and_summer() {
    let hours = json!({"timezone": "America/New_York", "hours": {"sun": ["01:30-03:30"]}});
    let sketch = flow("f")
        .node("h", "open_hours", hours)
        .edge("h", "open", "o")
        .edge("h", "closed", "c")
        .apart("o", "send_message", json!({"text": "open"}))
        .apart("c", "send_message", json!({"text": "closed"}));
    let world = World::with([sketch]);
    // On the 1st of November 2026 the hour from 1 to 2 comes twice; on the 14th of March 2027 that
    // from 2 to 3 never.
    for (at, expected) in [
        ("2026-11-01T05:29:59Z", "closed"),
        ("2026-11-01T05:30:00Z", "open"),
        ("2026-11-01T06:29:59Z", "closed"),
        ("2026-11-01T06:30:00Z", "open"),
        ("2026-11-01T08:29:59Z", "open"),
        ("2026-11-01T08:30:00Z", "closed"),
        ("2027-03-14T06:59:59Z", "open"),
        ("2027-03-14T07:29:59Z", "open"),
        ("2027-03-14T07:30:00Z", "closed"),
    ] {
        world.clock.set(at.parse().unwrap());
        world.start("f");
        assert_eq!(world.sent(), [expected], "{at}");
    }
}

#[test]
fn a_line_of_a_log_is_told_to_the_observer_and_changes_nothing() {
    let log = json!({"level": "error", "text": "{{ context.a }} is {{ 1 + 1 }}"});
    let world = World::with([flow("f").node("l", "log", log).send("s", "Hi")]);
    let session = world.begin(ada("f").context(json!({"a": "{{x}}"}))).session_id;
    assert_eq!((world.sent(), world.state(session)), (vec!["Hi".to_owned()], Status::Completed));
    let notes = world.notes();
    let [EventKind::Logged { session: by, node, level, text }] = &notes[..] else { panic!("{notes:?}") };
    assert_eq!((*by, node.as_str(), *level, &**text), (session, "l", LogLevel::Error, "{{x}} is 2"));
}

// --- what a text holds
// -------------------------------------------------------------------------------------------------

#[cfg(feature = "phone-numbers")]
#[test]
fn a_search_that_finds_nothing_leaves_the_number_and_empties_the_list() {
    let sketch = flow("f")
        .node("p", "recognize_phone", json!({"text": "{{ context.text }}", "save_to": "phone"}))
        .edge("p", "found", "e")
        .edge("p", "not_found", "e")
        .apart(
            "e",
            "recognize_entities",
            json!({"text": "{{ context.text }}", "types": ["number"], "save_to": "all"}),
        )
        .edge("e", "found", "yes")
        .edge("e", "not_found", "no")
        .apart(
            "yes",
            "send_message",
            json!({"text": "{{ phone.e164 | default('none') }} {{ all[0].value }}"}),
        )
        .apart(
            "no",
            "send_message",
            json!({"text": "{{ phone.e164 | default('none') }} {{ all | length }}"}),
        );
    let world = World::with([sketch.set("concurrency", json!("unlimited"))]);
    for (text, expected) in [
        ("+14155550123 and 7", "+14155550123 7"),
        ("+14155550123", "+14155550123 0"),
        ("7", "none 7"),
        ("", "none 0"),
    ] {
        world.begin(ada("f").context(json!({"text": text})));
        assert_eq!(world.sent(), [expected], "{text}");
    }
}
