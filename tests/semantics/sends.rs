//! Sends with ways of their own, reports, and signs of writing: D1, N1, N2, I5, I9.

use chatflow::observer::EventKind;
use chatflow::ops::Reported;
use chatflow::session::DeadReason;
use chatflow::session::DeliveryReport;
use chatflow::{Inbound, MessageId, Received, SendError, SessionId, Status};
use pollster::block_on;
use serde_json::json;

use crate::kit::*;

/// Asks with these edges, each to a message of the branch's name; then waits.
fn asking(branches: &[&str]) -> Sketch {
    let sketch = flow("f").send("ask", "?").wait_for("w", "10m").send("end", "{{reply.text}}!");
    branches.iter().fold(sketch, |sketch, branch| {
        sketch.edge("ask", branch, branch).apart(branch, "send_message", json!({"text": branch}))
    })
}

fn refused() -> Result<chatflow::Receipt, SendError> {
    Err(SendError::rejected("no"))
}

fn busy() -> Result<chatflow::Receipt, SendError> {
    Err(SendError::retry_after(minutes(5).to_std().unwrap(), "busy"))
}

fn closed() -> Result<chatflow::Receipt, SendError> {
    Err(SendError::WindowClosed)
}

fn report(world: &World, session: SessionId, seq: u64, report: DeliveryReport) -> Reported {
    block_on(world.bot.report(MessageId { session, seq }, report)).unwrap()
}

fn failed() -> DeliveryReport {
    DeliveryReport::Failed { code: "131026".to_owned() }
}

/// D1
#[test]
fn a_send_with_a_way_for_refusals_is_waited_for() {
    let world = World::with([asking(&["failed"])]);
    world.answer_sends([busy()]);
    let session = world.start("f").session_id;
    assert_eq!(world.place(session), ("ask".to_owned(), Status::Calling));
    assert_eq!(world.session(session).awaits(), Some(MessageId { session, seq: 1 }));
    world.tick_after(minutes(5) - A_MOMENT);
    assert_eq!(world.state(session), Status::Calling);
    world.tick_after(A_MOMENT);
    assert_eq!(world.place(session), ("w".to_owned(), Status::Waiting));
    assert_eq!(world.session(session).deadline(), Some(world.now() + minutes(10)));
    assert_eq!(world.sent(), ["?", "?"]);
}

/// D1: each refusal takes its own branch, or the other's where that is there instead; what takes
/// one is no dead letter.
#[test]
fn a_refusal_takes_the_branch_that_there_is_for_it() {
    let cases = [
        (vec!["failed"], refused(), Some("failed")),
        (vec!["failed"], closed(), Some("failed")),
        (vec!["window_closed"], closed(), Some("window_closed")),
        (vec!["failed", "window_closed"], closed(), Some("window_closed")),
        (vec!["failed", "window_closed"], refused(), Some("failed")),
        (vec!["window_closed"], refused(), None),
    ];
    for (branches, answer, taken) in cases {
        let world = World::with([asking(&branches)]);
        world.answer_sends([answer]);
        let session = world.start("f").session_id;
        match taken {
            Some(branch) => {
                assert_eq!(world.place(session), (branch.to_owned(), Status::Completed));
                assert_eq!((world.sent(), world.dead_letters().len()), (vec!["?".into(), branch.into()], 0));
            }
            None => {
                assert_eq!(world.place(session), ("w".to_owned(), Status::Waiting));
                let letters = world.dead_letters();
                assert_eq!(letters[0].letter.reason, DeadReason::Rejected("no".to_owned()));
            }
        }
    }
}

/// D1
#[test]
fn a_message_that_is_given_up_takes_failed() {
    let world = World::built(|builder| builder.give_up_after(std::time::Duration::from_secs(60)));
    world.publish([asking(&["failed"])]);
    world.answer_sends([busy()]);
    let session = world.start("f").session_id;
    assert_eq!((world.state(session), world.dead_letters().len()), (Status::Completed, 0));
    assert_eq!(world.sent(), ["?", "failed"]);
}

/// D1, S2
#[test]
fn a_message_that_comes_too_late_takes_failed_and_so_does_the_next() {
    let sketch = flow("f").set("session_ttl_minutes", json!(600)).delay("d", "1m").send("ask", "?").wait("w");
    let sketch = sketch.edge("ask", "failed", "more").apart("more", "send_message", json!({"text": "more"}));
    let sketch = sketch.edge("more", "failed", "end").apart("end", "end", json!({"outcome": "late"}));
    let world = World::with([sketch]);
    let session = world.start("f").session_id;
    world.tick_after(hours(2));
    assert_eq!(world.place(session), ("end".to_owned(), Status::Completed));
    assert_eq!((world.sent().len(), world.dead_letters().len()), (0, 0));
}

/// D1, S1
#[test]
fn a_session_that_waits_for_its_message_expires_by_its_ttl() {
    let world = World::with([asking(&["failed"])]);
    world.answer_sends([Err(SendError::retry_after(hours(1).to_std().unwrap(), "busy")), refused()]);
    let session = world.start("f").session_id;
    world.tick_after(minutes(30));
    assert_eq!(world.state(session), Status::Expired);
    world.tick_after(minutes(30));
    assert_eq!((world.sent().len(), world.dead_letters().len()), (2, 1));
}

/// D1
#[test]
fn cancelling_drops_the_message_that_is_waited_for() {
    let world = World::with([asking(&["failed"])]);
    world.answer_sends([busy()]);
    let session = world.start("f").session_id;
    let _ = block_on(world.bot.cancel(session)).unwrap();
    world.tick_after(minutes(5));
    assert_eq!((world.sent().len(), world.state(session)), (1, Status::Cancelled));
}

/// I1, I5
#[test]
fn a_message_that_comes_while_a_send_is_under_way_answers_the_next_question() {
    let world = World::with([asking(&["failed"])]);
    world.answer_sends([busy()]);
    let session = world.start("f").session_id;
    assert_eq!(world.say("fine"), Received::Queued { session });
    world.tick_after(minutes(5));
    assert_eq!(world.sent(), ["?", "?", "fine!"]);
}

/// I5
#[test]
fn a_message_that_another_send_overtook_is_missed() {
    let sketch = flow("f").send("one", "1").send("two", "2").wait("w").edge("one", "failed", "end");
    let world = World::with([sketch.apart("end", "end", json!({}))]);
    world.answer_sends([busy()]);
    let session = world.start("f").session_id;
    assert_eq!(world.say("fine"), Received::Queued { session });
    world.tick_after(minutes(5));
    assert_eq!(world.place(session), ("w".to_owned(), Status::Waiting));
    assert!(world.notes().contains(&EventKind::Missed { session }));
}

/// D1
#[test]
fn a_report_that_a_message_did_not_arrive_takes_failed_right_behind_its_send() {
    let world = World::with([asking(&["failed"])]);
    let session = world.start("f").session_id;
    assert_eq!(report(&world, session, 1, DeliveryReport::Delivered), Reported::Noted);
    assert_eq!(world.place(session), ("w".to_owned(), Status::Waiting));
    assert_eq!(report(&world, session, 1, failed()), Reported::Noted);
    assert_eq!(world.place(session), ("failed".to_owned(), Status::Completed));
    assert_eq!(world.sent(), ["?", "failed"]);
    assert_eq!(report(&world, session, 1, failed()), Reported::Noted);
}

/// D1
#[test]
fn a_message_that_was_read_can_no_longer_fail() {
    let world = World::with([asking(&["failed", "window_closed"])]);
    let session = world.start("f").session_id;
    for news in [DeliveryReport::Read, failed(), DeliveryReport::WindowClosed, DeliveryReport::Read] {
        assert_eq!(report(&world, session, 1, news), Reported::Noted);
        assert_eq!(world.place(session), ("w".to_owned(), Status::Waiting));
    }
    world.say("fine");
    assert_eq!(world.sent(), ["?", "fine!"]);
}

/// D1
#[test]
fn a_window_that_was_found_closed_later_takes_its_branch_or_failed() {
    let coded = || DeliveryReport::Failed { code: "131047".to_owned() };
    for (branches, news, taken) in [
        (&["window_closed"][..], DeliveryReport::WindowClosed, Some("window_closed")),
        (&["window_closed"], coded(), Some("window_closed")),
        (&["failed", "window_closed"], coded(), Some("window_closed")),
        (&["failed"], coded(), Some("failed")),
        (&["failed"], DeliveryReport::WindowClosed, Some("failed")),
        (&["window_closed"], failed(), None),
        (&["failed", "window_closed"], failed(), Some("failed")),
        (&[], coded(), None),
    ] {
        let world = World::with([asking(branches)]);
        let session = world.start("f").session_id;
        assert_eq!(report(&world, session, 1, news.clone()), Reported::Noted);
        let place = taken.unwrap_or("w");
        assert_eq!(world.place(session).0, place, "{branches:?} {news:?}");
    }
}

/// D1
#[test]
fn a_report_of_a_message_that_is_waited_for_takes_failed_and_the_message_is_not_sent_again() {
    let world = World::with([asking(&["failed"])]);
    world.answer_sends([busy()]);
    let session = world.start("f").session_id;
    assert_eq!(report(&world, session, 1, failed()), Reported::Noted);
    world.tick_after(minutes(5));
    assert_eq!(world.sent(), ["?", "failed"]);
    assert_eq!(world.state(session), Status::Completed);
}

/// D1: a send is the latest step no more once the contact answered, something else was sent, or a
/// branch is missing.
#[test]
fn a_report_changes_nothing_once_the_session_went_on() {
    let longer = |branches: &[&str]| {
        let sketch = flow("f").send("ask", "?").wait("w").send("next", "next").wait("w2");
        branches.iter().fold(sketch, |sketch, branch| {
            sketch.edge("ask", branch, branch).apart(branch, "send_message", json!({"text": branch}))
        })
    };
    let world = World::with([longer(&["failed"])]);
    let session = world.start("f").session_id;
    world.say("fine");
    assert_eq!(report(&world, session, 1, failed()), Reported::Noted);
    assert_eq!(world.place(session), ("w2".to_owned(), Status::Waiting));

    let world = World::with([flow("f")
        .send("a", "1")
        .send("b", "2")
        .wait("w")
        .edge("a", "failed", "e")
        .apart("e", "end", json!({}))]);
    let session = world.start("f").session_id;
    assert_eq!(report(&world, session, 1, failed()), Reported::Noted);
    assert_eq!(world.place(session), ("w".to_owned(), Status::Waiting));

    let world = World::with([longer(&["window_closed"])]);
    let session = world.start("f").session_id;
    assert_eq!(report(&world, session, 1, failed()), Reported::Noted);
    assert_eq!(world.place(session), ("w".to_owned(), Status::Waiting));
}

/// I9: choices of a question that a report took back are stale at the next one.
#[test]
fn a_question_that_did_not_arrive_is_over() {
    let offer = json!({"text": "?", "options": [{"id": "y", "label": "Yes"}]});
    let sketch = flow("f").node("ask", "send_message", offer).wait("w").edge("ask", "failed", "again");
    let sketch = sketch.apart("again", "send_message", json!({"text": "again"})).wait("w2");
    let world = World::with([sketch]);
    let session = world.start("f").session_id;
    let payload = world.channel.take_new()[0].options()[0].payload.clone();
    assert_eq!(report(&world, session, 1, failed()), Reported::Noted);
    assert_eq!(world.place(session), ("w2".to_owned(), Status::Waiting));
    let choice = Inbound::choice(chatflow::Channel::WhatsApp, SHOP, ADA, &payload, "Yes");
    assert_eq!(world.receive(choice), Received::StaleChoice);
}

/// L6
#[test]
fn a_report_is_journalled_while_the_session_lives() {
    let world = World::with([asking(&[])]);
    block_on(world.flows().set_logging(&id("f"), true)).unwrap();
    let session = world.start("f").session_id;
    assert_eq!(report(&world, session, 1, DeliveryReport::Delivered), Reported::Noted);
    let inputs: Vec<String> =
        world.journal(session).iter().map(|entry| entry.input.as_str().to_owned()).collect();
    assert_eq!(inputs, ["start", "report"]);
}

/// N2
#[test]
fn every_choice_of_a_message_answers_its_question_whatever_its_form() {
    let row = json!({"id": "y", "label": "Yes"});
    for message in [
        json!({"text": "?", "options": [row]}),
        json!({"text": "?", "buttons": [row]}),
        json!({"text": "?", "list": {"button": "Open", "sections": [{"rows": [row]}]}}),
        json!({"template": {"name": "t", "language": "en", "buttons": [row]}}),
    ] {
        let world = World::with([flow("f")
            .node("ask", "send_message", message)
            .wait("w")
            .send("end", "{{reply.payload}}")]);
        let session = world.start("f").session_id;
        let option = world.channel.take_new()[0].options()[0].clone();
        assert!(option.payload.len() <= 200 && option.label == "Yes");
        let choice = Inbound::choice(chatflow::Channel::WhatsApp, SHOP, ADA, &option.payload, "Yes");
        assert_eq!(world.receive(choice), Received::Consumed { session });
        assert_eq!(world.sent(), ["y"]);
    }
}

/// N2: `typing` goes in order; a refusal of it is no dead letter, is not repeated and holds nothing
/// up.
#[test]
fn a_sign_of_writing_is_lost_without_a_trace() {
    for answer in [busy(), refused()] {
        let world = World::with([flow("f").node("t", "typing", json!({"for": "2s"})).send("s", "Hi")]);
        world.answer_sends([answer]);
        world.start("f");
        let kinds: Vec<&str> =
            world.channel.take_new().iter().map(|message| message.content.kind()).collect();
        assert_eq!((kinds, world.dead_letters().len()), (vec!["typing", "text"], 0));
        world.tick_after(hours(1));
        assert_eq!(world.sent(), [""; 0]);
    }
}

/// I4, I5
#[test]
fn a_sign_of_writing_overtakes_no_message() {
    let world = World::new();
    let sketch = flow("f").on(json!([{"match": "any"}])).node("t", "typing", json!({"for": "2s"}));
    world.publish([sketch.wait("w").send("end", "{{reply.text}}!")]);
    let Received::Started { .. } = world.say("go") else { panic!() };
    assert_eq!(world.sent(), ["", "go!"]);
}

/// D1
#[test]
fn a_report_changes_nothing_once_the_session_asked_something_else() {
    let world = World::with([flow("f")
        .send("hello", "Hello")
        .node("ask", "ask", json!({"text": "Your name?", "expect": "text"}))
        .apart("sorry", "send_message", json!({"text": "sorry"}))
        .edge("hello", "failed", "sorry")]);
    let session = world.start("f").session_id;
    assert_eq!(report(&world, session, 1, failed()), Reported::Noted);
    assert_eq!(world.sent(), ["Hello", "Your name?"]);
    assert_eq!(world.place(session), ("ask".to_owned(), Status::Waiting));
}
