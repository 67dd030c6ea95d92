//! The state of the session in a trigger's answer, and contacts who cannot be reached: T11.

use chatflow::ops::SessionFilter;
use chatflow::session::FailureCode;
use chatflow::testkit::Fault;
use chatflow::{Channel, SessionRef, Status, TriggerRequest, Triggered};
use pollster::block_on;
use serde_json::json;

use crate::kit::*;
use crate::trigger::{echo, on_faulty};

/// T11
#[test]
fn an_answer_says_what_became_of_the_session() {
    let world = World::with([
        question("q"),
        echo("said", "Hi"),
        flow("later").delay("d", "1m"),
        flow("mute").unset("sender").send("s", "x"),
    ]);
    let state = |session: &SessionRef| (session.status, session.failure);
    assert_eq!(state(&world.start("q")), (Status::Waiting, None));
    assert_eq!(state(&world.start("said")), (Status::Completed, None));
    assert_eq!(state(&world.start("later")), (Status::Delayed, None));
    let failed = world.start("mute");
    assert_eq!(state(&failed), (Status::Failed, Some(FailureCode::NoDestination)));
    assert_eq!(world.state(failed.session_id), Status::Failed);
    let answer = serde_json::to_value(world.trigger(ada("mute"))).unwrap();
    assert_eq!((&answer["status"], &answer["failure"]), (&json!("failed"), &json!("no_destination")));

    let Triggered::AlreadyRunning(running) = world.trigger(ada("q")) else { panic!() };
    assert_eq!(state(&running), (Status::Waiting, None));
}

/// T11, T5
#[test]
fn a_replay_says_what_the_first_answer_said() {
    let world = World::with([question("q"), flow("mute").unset("sender").send("s", "x")]);
    for code in ["q", "mute"] {
        let first = world.begin(ada(code).uuid("k"));
        world.say("1");
        world.tick_after(hours(1));
        let replay = SessionRef { replayed: true, ..first };
        assert_eq!(world.trigger(ada(code).uuid("k")), Triggered::Started(replay));
    }
    let first = world.start("q");
    let Triggered::AlreadyRunning(found) = world.trigger(ada("q").uuid("again")) else { panic!() };
    assert_eq!((found.session_id, found.status), (first.session_id, Status::Waiting));
    world.tick_after(hours(1));
    assert!(!world.state(first.session_id).is_live());
    let replay = SessionRef { replayed: true, ..found };
    assert_eq!(world.trigger(ada("q").uuid("again")), Triggered::AlreadyRunning(replay));
}

/// T11
#[test]
fn a_contact_who_cannot_be_reached_is_refused_and_leaves_nothing() {
    let sender = json!({"channel": "messenger", "account": "page"});
    let messenger = echo("messenger", "Hi").set("sender", sender);
    let world = World::with([echo("said", "Hi"), question("q"), messenger]);
    let known = contact_id("bob");
    let rule = |field: &str, channel: &str| {
        ("invalid_input", format!("`{field}` gives no address on {channel}, where the flow sends from"))
    };
    for code in ["said", "q"] {
        let request = || TriggerRequest::new(code).contact_id("bob").uuid("k");
        assert_eq!(world.refusal(request()), rule("contact", "whatsapp"));
        assert_eq!(world.refusal(request()), rule("contact", "whatsapp"), "the key was not used");
    }
    assert_eq!(world.refusal(ada("messenger").uuid("k")), rule("phone", "messenger"));
    assert_eq!(block_on(world.bot.contact(&known)).unwrap(), None);
    assert_eq!((world.sessions(SessionFilter::all()).len(), world.sent()), (0, vec![]));

    // As soon as there is an address, it starts, under the same key. The trigger's own account goes
    // before the sender.
    let own = TriggerRequest::new("said").address(Channel::Messenger, "page", "7");
    assert_eq!(world.begin(own).status, Status::Completed);
    let first = world.begin(ada("said").contact_id("bob"));
    assert_eq!(first.status, Status::Completed);
    assert_eq!(
        world.begin(TriggerRequest::new("said").contact_id("bob").uuid("k")).status,
        Status::Completed
    );
}

/// T11
#[test]
fn a_refusal_for_want_of_an_address_interrupts_nobody() {
    let other = question("other");
    let urgent = echo("urgent", "Hi")
        .set("sender", json!({"channel": "messenger", "account": "page"}))
        .set("concurrency", json!({"per_contact": "interrupt"}));
    let world = World::with([other, urgent]);
    let running = world.start("other");
    assert_eq!(world.refusal(ada("urgent")).0, "invalid_input");
    assert_eq!(world.state(running.session_id), Status::Waiting);
}

/// T11
#[test]
fn who_need_not_be_reached_in_the_first_turn_is_not_refused() {
    let to = json!({"text": "x", "to": "+14155550199"});
    let world = World::with([
        flow("silent").node("v", "set_variables", json!({"variables": [{"name": "x", "value": "1"}]})),
        flow("ops").node("s", "send_message", to.clone()),
        flow("wrong").node("s", "send_message", json!({"text": "x", "to": "{{context.nobody}}"})),
        flow("first").node("s", "send_message", to).delay("d", "1m").send("t", "x"),
        flow("later").delay("d", "1m").send("s", "x"),
    ]);
    let state = |code: &str| {
        let session = world.begin(TriggerRequest::new(code).contact_id("bob"));
        (session.status, session.failure)
    };
    assert_eq!(state("silent"), (Status::Completed, None));
    assert_eq!(state("ops"), (Status::Completed, None));
    assert_eq!(state("wrong"), (Status::Failed, Some(FailureCode::NoDestination)));
    assert_eq!(state("first"), (Status::Delayed, None));
    assert_eq!(state("later"), (Status::Delayed, None));
}

/// T11, T5
#[test]
fn a_trigger_that_finds_its_own_session_says_what_became_of_it() {
    for key in [None, Some("k")] {
        let (bot, store, _) = on_faulty();
        block_on(bot.flows().ensure(&flow("mute").unset("sender").send("s", "x").json())).unwrap();
        let request = || key.into_iter().fold(ada("mute"), TriggerRequest::uuid);
        store.fail_after(1, Fault::After);
        let Triggered::Started(session) = block_on(bot.trigger(request())).unwrap() else { panic!() };
        assert_eq!((session.status, session.failure), (Status::Failed, Some(FailureCode::NoDestination)));
    }
}
