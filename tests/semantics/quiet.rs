//! Quiet hours: U18.

use std::time::Duration;

use chatflow::session::Profile;
use chatflow::{SendError, Status, TriggerRequest, Triggered};
use pollster::block_on;
use serde_json::json;

use crate::kit::*;

/// Quiet from 22 to 8 by the clock of Mexico City, where it is 02:14:23 now: until 14:00 in UTC.
const LEFT_SECONDS: i64 = 5 * 3600 + 45 * 60 + 37;

fn quiet(flow: Sketch) -> Sketch {
    flow.set("quiet_hours", json!("22:00-08:00")).set("timezone", json!("America/Mexico_City"))
}

/// U18, T8: a session of a campaign begins at the end of them, one of another call at once.
#[test]
fn a_campaign_in_quiet_hours_begins_at_their_end() {
    let world = World::with([quiet(question("q"))]);
    let campaign = ada("q").campaign("spring").uuid("1");
    let session = world.begin(campaign.clone());
    assert_eq!((session.status, world.sent().len()), (Status::Delayed, 0));
    assert_eq!(world.place(session.session_id), ("start".to_owned(), Status::Delayed));
    let due = block_on(world.bot.tick(8)).unwrap().next_due.unwrap();
    assert_eq!(due, world.now() + seconds(LEFT_SECONDS));
    assert!(matches!(world.trigger(campaign), Triggered::Started(again) if again.replayed));
    world.tick_after(seconds(LEFT_SECONDS) - A_MOMENT);
    assert_eq!(world.sent(), [""; 0]);
    world.tick_after(A_MOMENT);
    assert_eq!(world.sent(), ["How are you?"]);
    world.say("Fine");
    assert_eq!((world.sent(), world.state(session.session_id)), (vec!["Fine!".into()], Status::Completed));

    let other = world.begin(TriggerRequest::new("q").phone(BOB));
    assert_eq!((other.status, world.sent().len()), (Status::Waiting, 1));
    // By day a campaign begins at once, too.
    world.begin(TriggerRequest::new("q").phone("+14155550177").campaign("spring"));
    assert_eq!(world.sent(), ["How are you?"]);
}

/// U18, S1: what is put off does not use up a fixed TTL.
#[test]
fn a_campaign_that_was_put_off_has_its_whole_time() {
    let world = World::with([quiet(question("q")).set("ttl_mode", json!("fixed"))]);
    let session = world.begin(ada("q").campaign("spring")).session_id;
    world.tick_after(seconds(LEFT_SECONDS));
    world.tick_after(minutes(30) - A_MOMENT);
    assert_eq!(world.state(session), Status::Waiting);
    world.tick_after(A_MOMENT);
    assert_eq!(world.state(session), Status::Expired);
}

/// U18, I6: who begins anew by a word is answered at once.
#[test]
fn a_contact_who_restarts_a_campaign_is_answered() {
    let words = json!([{"words": ["again"], "action": "restart"}]);
    let world = World::with([quiet(question("q")).set("keywords", words)]);
    world.begin(ada("q").campaign("spring"));
    world.tick_after(seconds(LEFT_SECONDS));
    world.pass(hours(14) - minutes(1));
    world.tick_after(minutes(1));
    world.begin(ada("q").campaign("summer"));
    assert_eq!(world.sent(), ["How are you?"], "the second is put off");
    world.say("again");
    assert_eq!(world.sent(), ["How are you?"]);
}

/// U18: delays wait for the end; pauses of at most a minute within an answer do not.
#[test]
fn a_delay_that_ends_in_quiet_hours_ends_with_them() {
    let talk = flow("q").wait("ask").delay("breath", "60s").send("two", "2").delay("long", "61s");
    let world = World::with([quiet(talk.send("three", "3"))]);
    let session = world.start("q").session_id;
    world.say("hi");
    world.tick_after(minutes(1));
    assert_eq!((world.sent(), world.state(session)), (vec!["2".into()], Status::Delayed));
    world.tick_after(seconds(LEFT_SECONDS - 60) - A_MOMENT);
    assert_eq!(world.sent(), [""; 0]);
    world.tick_after(A_MOMENT);
    assert_eq!((world.sent(), world.state(session)), (vec!["3".into()], Status::Completed));
}

/// U18: a delay of a minute that runs into quiet hours is one that time alone ends.
#[test]
fn a_short_delay_that_runs_into_quiet_hours_waits() {
    let world = World::with([quiet(flow("q").delay("nap", "60s").send("end", "!"))]);
    world.pass(hours(19) + minutes(45) + seconds(7));
    world.start("q");
    world.tick_after(hours(10) - A_MOMENT);
    assert_eq!(world.sent(), [""; 0], "21:59:30, and 07:59:30");
    world.tick_after(seconds(30) + A_MOMENT);
    assert_eq!(world.sent(), ["!"]);
}

/// U18: the timeout of a wait speaks at the end, and until then an answer is taken.
#[test]
fn a_timeout_in_quiet_hours_waits_for_their_end() {
    let talk = || flow("q").wait_for("wait", "10m").send("bye", "{{ reply.text }}!");
    let talk = || {
        quiet(talk().apart("nudge", "send_message", json!({"text": "?"})).edge("wait", "timeout", "nudge"))
    };
    let world = World::with([talk()]);
    let silent = world.start("q").session_id;
    world.tick_after(seconds(LEFT_SECONDS) - A_MOMENT);
    assert_eq!((world.sent().len(), world.state(silent)), (0, Status::Waiting));
    world.tick_after(A_MOMENT);
    assert_eq!((world.sent(), world.state(silent)), (vec!["?".into()], Status::Completed));

    let world = World::with([talk()]);
    world.start("q");
    world.tick_after(hours(3));
    world.say("late");
    assert_eq!(world.sent(), ["late!"]);
}

/// U18, N3: a deadline that an undelivered message moved into quiet hours is put off as well.
#[test]
fn a_deadline_that_moves_into_quiet_hours_is_put_off() {
    let talk = flow("q").send("ask", "?").wait_for("wait", "30m");
    let talk = talk.apart("nudge", "send_message", json!({"text": "!"})).edge("wait", "timeout", "nudge");
    let world = World::with([quiet(talk)]);
    // It is 21:00 there; the channel takes the message at 21:45.
    world.pass(hours(18) + minutes(45) + seconds(37));
    let later = SendError::retry_after(Duration::from_secs(45 * 60), "busy");
    world.answer_sends([Err(later)]);
    world.start("q");
    world.tick_after(minutes(45));
    assert_eq!(world.sent(), ["?", "?"], "tried twice");
    world.tick_after(minutes(30));
    world.tick_after(hours(9) + minutes(45) - A_MOMENT);
    assert_eq!(world.sent(), [""; 0]);
    world.tick_after(A_MOMENT);
    assert_eq!(world.sent(), ["!"]);
}

/// U18, S6: a reminder comes at the end, and the session lives on for as long after it as it would.
#[test]
fn a_reminder_in_quiet_hours_comes_at_their_end() {
    let talk = question("q").set("reminder", json!({"before": "5m", "node": "remind"}));
    let world = World::with([quiet(talk.apart("remind", "send_message", json!({"text": "Still there?"})))]);
    let session = world.start("q").session_id;
    assert_eq!(world.sent(), ["How are you?"]);
    world.tick_after(seconds(LEFT_SECONDS) - A_MOMENT);
    assert_eq!(world.sent(), [""; 0]);
    world.tick_after(A_MOMENT);
    assert_eq!(world.sent(), ["Still there?"]);
    world.tick_after(minutes(5) - A_MOMENT);
    assert_eq!(world.state(session), Status::Waiting);
    world.tick_after(A_MOMENT);
    assert_eq!((world.state(session), world.sent().len()), (Status::Expired, 0));
}

/// U18, S1: a session whose longest life ends in quiet hours ends then, and says nothing.
#[test]
fn the_longest_life_ends_in_quiet_hours_too() {
    let talk = question("q").set("reminder", json!({"before": "5m", "node": "remind"}));
    let talk = talk.set("max_lifetime", json!("1h")).set("session_ttl_minutes", json!(0));
    let world = World::with([quiet(talk.apart("remind", "send_message", json!({"text": "Still there?"})))]);
    let session = world.start("q").session_id;
    world.sent();
    world.tick_after(hours(1) - A_MOMENT);
    assert_eq!(world.state(session), Status::Waiting);
    world.tick_after(A_MOMENT);
    assert_eq!((world.state(session), world.sent().len()), (Status::Expired, 0));
}

/// U18, N9: the `expired` edge of a flow that called speaks at the end.
#[test]
fn a_called_flow_that_expires_in_quiet_hours_does_so_at_their_end() {
    let inner = flow("inner").wait("wait");
    let outer = quiet(flow("outer").node("call", "call_flow", json!({"flow": "inner"})));
    let outer =
        outer.apart("sorry", "send_message", json!({"text": "sorry"})).edge("call", "expired", "sorry");
    let world = World::with([inner, outer]);
    world.start("outer");
    world.tick_after(seconds(LEFT_SECONDS) - A_MOMENT);
    assert_eq!(world.sent(), [""; 0]);
    world.tick_after(A_MOMENT);
    assert_eq!(world.sent(), ["sorry"]);
}

/// U18, U16: the contact's clock goes before the flow's; without either it is UTC.
#[test]
fn quiet_hours_are_those_of_the_contacts_clock() {
    let talk = || {
        flow("q")
            .delay("nap", "2h")
            .send("end", "!")
            .set("quiet_hours", json!(["10:00-12:00 thu", "00:00-24:00 sun"]))
    };
    // In UTC it is Thursday, 08:14:23.
    let world = World::with([talk()]);
    world.start("q");
    world.tick_after(hours(2));
    assert_eq!(world.sent(), [""; 0]);
    world.tick_after(hours(1) + minutes(45) + seconds(37));
    assert_eq!(world.sent(), ["!"]);
    for (zone, is_quiet) in [("Europe/Berlin", false), ("Europe/London", true), ("nowhere", true)] {
        let world = World::with([talk()]);
        let mut profile = Profile::default();
        profile.timezone = Some(zone.into());
        world.begin(ada("q").profile(profile));
        world.tick_after(hours(2));
        assert_eq!(world.sent().is_empty(), is_quiet, "{zone}");
    }
}

/// U18, L6: a journal that has what was put off leads to the same session.
#[test]
fn a_session_that_was_put_off_replays() {
    let talk = question("q").set("reminder", json!({"before": "5m", "node": "remind"}));
    let talk = quiet(talk.apart("remind", "send_message", json!({"text": "Still there?"})));
    let world = World::with([talk.clone()]);
    block_on(world.flows().set_logging(&id("q"), true)).unwrap();
    let session = world.begin(ada("q").campaign("spring")).session_id;
    world.tick_after(seconds(LEFT_SECONDS));
    world.say("Fine");
    let flow = chatflow::Flow::from_json(&talk.json()).unwrap();
    let journal = world.journal(session);
    let replayed =
        chatflow::kernel::replay(|_, _| Some(&flow), &journal, &chatflow::limits::Limits::default()).unwrap();
    assert_eq!(replayed, world.session(session));
}

/// U18, C: what is no time of a day, and hours that never end, are issues.
#[test]
fn quiet_hours_are_checked() {
    for (hours, told) in [
        (json!("22-8"), "settings.quiet_hours[0]: \"22-8\" is not a time range (bad_value)"),
        (
            json!(["22:00-08:00 fun"]),
            "settings.quiet_hours[0]: \"22:00-08:00 fun\" is not a time range (bad_value)",
        ),
        (json!("00:00-24:00"), "settings.quiet_hours: leaves no time of the week (bad_value)"),
        (
            json!(["20:00-08:00", "08:00-20:00"]),
            "settings.quiet_hours: leaves no time of the week (bad_value)",
        ),
        (json!([]), "settings.quiet_hours: has 0 times, 1 to 16 are allowed (bad_value)"),
        (
            json!(22),
            "settings.quiet_hours: must be a text such as \"22:00-08:00\", or a list of them, not a number (wrong_type)",
        ),
    ] {
        let issues = chatflow::Flow::from_json(&question("q").set("quiet_hours", hours).json()).unwrap_err();
        assert_eq!(issues.to_string().lines().next(), Some(told));
    }
}

/// U18, S21: last words wait for the end of quiet hours, and until then an answer is taken; where
/// the longest life ends before, the session ends in silence.
#[test]
fn last_words_are_not_said_in_quiet_hours() {
    let talk = || {
        let talk = question("q").apart("sorry", "send_message", json!({"text": "Another time."}));
        quiet(talk).set("on_expire", json!({"node": "sorry"}))
    };
    let world = World::with([talk()]);
    let session = world.start("q").session_id;
    assert_eq!(world.sent(), ["How are you?"]);
    world.tick_after(hours(1));
    assert_eq!((world.sent().len(), world.state(session)), (0, Status::Waiting), "half an hour has passed");
    world.tick_after(seconds(LEFT_SECONDS) - hours(1) - A_MOMENT);
    assert_eq!(world.sent(), [""; 0]);
    world.tick_after(A_MOMENT);
    assert_eq!((world.sent(), world.state(session)), (vec!["Another time.".into()], Status::Expired));

    let world = World::with([talk()]);
    let session = world.start("q").session_id;
    world.tick_after(hours(1));
    world.say("Fine");
    assert_eq!(world.state(session), Status::Completed, "who answers late at night is answered");

    let world = World::with([talk().set("max_lifetime", json!("2h"))]);
    let session = world.start("q").session_id;
    world.tick_after(hours(3));
    assert_eq!((world.sent(), world.state(session)), (vec!["How are you?".into()], Status::Expired));
    // By day they are said at once.
    let world = World::with([talk()]);
    world.tick_after(seconds(LEFT_SECONDS));
    world.start("q");
    world.tick_after(minutes(30));
    assert_eq!(world.sent(), ["How are you?", "Another time."]);
}
