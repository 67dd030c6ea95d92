//! Test mode: L8, and L3's "test in both states".

use chatflow::ops::{Rehearsal, SessionFilter, Unpublish};
use chatflow::talk::Line;
use chatflow::{CallResult, Error, Inbound, Session, Status};
use chrono::TimeDelta;
use pollster::block_on;
use serde_json::json;

use crate::kit::*;

fn asks() -> Sketch {
    flow("f")
        .node(
            "ask",
            "send_message",
            json!({"text": "Hi {{ context.name }}", "options": [{"id": "y", "label": "Yes"}]}),
        )
        .wait_for("wait", "30m")
        .send("bye", "You said {{ reply.text }}.")
        .apart("gone", "end", json!({"outcome": "gave up"}))
        .edge("wait", "timeout", "gone")
}

fn rehearsed(sketch: &Sketch) -> Rehearsal {
    Rehearsal::of(&sketch.json()).unwrap()
}

fn text(lines: &[Line]) -> Vec<String> {
    lines.iter().map(ToString::to_string).collect()
}

/// L8
#[test]
fn a_draft_is_tried_out_and_leaves_no_trace() {
    let world = World::with([sends("online")]);
    let revision = world.status("f").revision;
    block_on(world.flows().save_draft(&id("f"), &asks().json(), revision)).unwrap();
    let before = (world.status("f"), world.sessions(SessionFilter::all()).len());

    let mut run = block_on(world.flows().rehearse(&id("f"), None)).unwrap();
    let lines = text(run.start(json!({"name": "Ada"})).unwrap());
    assert_eq!(lines, [r#"! context {"name":"Ada"}"#, "< Hi Ada [Yes]", "= waiting at wait"]);
    assert_eq!(text(run.choose("y").unwrap()), ["> [Yes]", "< You said Yes.", "= completed at bye"]);

    assert_eq!((world.status("f"), world.sessions(SessionFilter::all()).len()), before);
    assert_eq!(world.sent(), Vec::<String>::new());
    world.start("f");
    assert_eq!(world.sent(), ["online"]);
}

fn sends(text: &str) -> Sketch {
    flow("f").send("s", text)
}

/// L3: both states allow a test; a version is tried out beside the draft.
#[test]
fn a_published_and_an_unpublished_flow_are_tried_out() {
    let world = World::with([sends("one")]);
    let revision = world.status("f").revision;
    block_on(world.flows().save_draft(&id("f"), &sends("two").json(), revision)).unwrap();
    let said = |version| {
        let mut run = block_on(world.flows().rehearse(&id("f"), version)).unwrap();
        text(run.start(json!({})).unwrap())
    };
    let version = world.status("f").online;
    for _ in 0..2 {
        assert_eq!(said(version), ["< one", "= completed at s"]);
        assert_eq!(said(None), ["< two", "= completed at s"]);
        let _ = block_on(world.flows().unpublish(&id("f"), Unpublish::Drain));
    }
    assert_eq!(told(block_on(world.flows().rehearse(&id("g"), None))).0, "flow_not_found");
}

/// L8
#[test]
fn a_draft_with_errors_says_what_keeps_it_from_running() {
    let world = World::new();
    block_on(world.flows().import(&flow("f").edge("start", "next", "nowhere").json())).unwrap();
    let error = told(block_on(world.flows().rehearse(&id("f"), None)));
    assert_eq!(error.0, "flow_has_issues");
    assert!(matches!(Rehearsal::of("{"), Err(Error::Issues(_))));
}

/// L8: time is the author's, and what falls due happens at its own time.
#[test]
fn time_passes_from_one_due_time_to_the_next() {
    let mut run =
        rehearsed(&sends("one").delay("d", "2h").send("t", "two").delay("e", "20h").send("u", "{{ now }}"));
    run.start(json!({})).unwrap();
    let started = run.session().unwrap().started_at();
    let lines = text(run.pass(TimeDelta::days(2)).unwrap());
    let end = (started + TimeDelta::hours(22)).to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
    assert_eq!(lines[..3], ["@ +2d", "< two", "= delayed at e"]);
    assert_eq!(lines[4], "= completed at u");
    assert!(lines[3].starts_with(&format!("< {}", &end[..19])), "{} at {end}", lines[3]);

    let mut run = rehearsed(&asks());
    run.start(json!({})).unwrap();
    assert_eq!(text(run.pass(TimeDelta::minutes(29)).unwrap()), ["@ +29m"]);
    assert_eq!(text(run.pass(TimeDelta::minutes(1)).unwrap()), ["@ +1m", "= completed at gone, gave up"]);
}

/// L8: what the host would be asked is shown, and answered by the author, before or after.
#[test]
fn calls_are_answered_by_the_author() {
    let sketch = flow("f")
        .node(
            "ask",
            "function",
            json!({"function": "status", "args": {"of": "A-1"}, "save_to": "order", "timeout": "30s"}),
        )
        .send("tell", "It is {{ vars.order }}.")
        .apart("sorry", "send_message", json!({"text": "Sorry"}))
        .edge("ask", "failed", "sorry");
    let asked = "~ status {\"of\":\"A-1\"}";

    let mut run = rehearsed(&sketch);
    assert_eq!(text(run.start(json!({})).unwrap()), ["= calling at ask", asked]);
    let answered = text(run.answer("ask", CallResult::value("packed")).unwrap());
    assert_eq!(answered, ["! now \"packed\"", "< It is packed.", "= completed at tell"]);

    let mut run = rehearsed(&sketch);
    assert!(run.answer("ask", CallResult::failed("busy")).unwrap().is_empty());
    let answered = text(run.start(json!({})).unwrap());
    assert_eq!(answered, ["= calling at ask", asked, "! failed busy", "< Sorry", "= completed at sorry"]);

    let mut run = rehearsed(&sketch);
    run.start(json!({})).unwrap();
    assert_eq!(
        text(run.pass(TimeDelta::seconds(30)).unwrap()),
        ["@ +30s", "< Sorry", "= completed at sorry"]
    );
}

/// L8
#[test]
fn a_flow_that_messages_start_is_started_by_what_the_contact_says() {
    let sketch = flow("f")
        .on(json!([{"match": "exact", "text": "menu"}]))
        .trigger("campaign", json!("required"))
        .send("hi", "Hi")
        .wait("wait");
    let mut run = rehearsed(&sketch);
    assert_eq!(text(run.say("hello").unwrap()), ["> hello", "* unmatched"]);
    assert_eq!(text(run.say(" Menu ").unwrap()), [r#"> {"text":" Menu "}"#, "< Hi", "= waiting at wait"]);
    let (account, from) = (run.account().clone(), run.address());
    let media =
        Inbound::media(account.channel, &*account.account, from, json!({"url": "https://x.example/1.png"}));
    assert_eq!(
        text(run.receive(media).unwrap()),
        [r#"> {"media":{"url":"https://x.example/1.png"}}"#, "= completed at wait"]
    );
    assert_eq!(run.session().as_ref().map(Session::status), Some(Status::Completed));
    assert_eq!(told(run.start(json!({})).map(<[Line]>::len)).0, "flow_not_published");
}

/// L8
#[test]
fn what_an_author_should_look_at_is_noticed() {
    let sketch = sends("Hi {{ context.nam }}").start("inputs", json!([{"name": "name"}]));
    let mut run = rehearsed(&sketch);
    let lines = text(run.start(json!({"name": "Ada", "age": 3})).unwrap());
    assert_eq!(
        lines,
        [
            r#"! context {"age":3,"name":"Ada"}"#,
            "? the context's `age` is not an input of the flow",
            "? node \"s\": reads `context.nam`, which has no value",
            "< Hi",
            "= completed at s"
        ]
    );
    assert_eq!(run.journal().len(), 1);
    let mut run = rehearsed(&asks());
    run.start(json!({})).unwrap();
    assert_eq!(
        told(run.choose("maybe").map(<[Line]>::len)),
        ("invalid_input", "`option` `maybe` was not offered".to_owned())
    );
    assert_eq!(text(run.start(json!({})).unwrap()).len(), 2);
    assert!(run.transcript().to_string().ends_with("\n! context {}\n* already running\n"));
}

/// L8: a transcript is the same each time.
#[test]
fn a_rehearsal_at_one_time_goes_the_same_each_time() {
    let run = || {
        let mut run = rehearsed(&asks()).at("2026-05-07T08:14:23Z".parse().unwrap());
        run.start(json!({"name": "Ada"})).unwrap();
        run.say("yes").unwrap();
        run.transcript().to_string()
    };
    let begun = "! context {\"name\":\"Ada\"}\n".to_owned();
    assert_eq!(
        run(),
        begun + "< Hi Ada [Yes]\n= waiting at wait\n> yes\n< You said yes.\n= completed at bye\n"
    );
    assert_eq!(run(), run());
}
