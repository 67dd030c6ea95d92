//! Reads and changes by those who run flows (SEMANTICS Q).

use chatflow::flow::{FlowDef, FlowDiff, KeywordAction};
use chatflow::id::{FlowVersion, NodeId};
use chatflow::kernel::replay;
use chatflow::limits::Limits;
use chatflow::observer::EventKind;
use chatflow::ops::{Logging, SessionFilter};
use chatflow::session::{ContactChange, FailureCode};
use chatflow::talk::Transcript;
use chatflow::{Channel, Flow, Inbound, Received, Refusal, Status, TriggerRequest, Triggered};
use pollster::block_on;
use serde_json::json;

use crate::kit::*;

fn node(id: &str) -> NodeId {
    NodeId::new(id).unwrap()
}

/// Q1: by status, time, node, since when it has been there, what is overdue, and failure.
#[test]
fn q1_sessions_are_found_by_what_ails_them() {
    let world = World::with([question("cart"), flow("slow").delay("nap", "2h").send("up", "Up")]);
    let (all, began) = (SessionFilter::all, world.now());
    let first = world.start("cart").session_id;
    world.pass(minutes(5));
    let slow = world.start("slow").session_id;
    world.pass(minutes(5));
    let ids = |filter| world.sessions(filter).iter().map(|found| found.session().id()).collect::<Vec<_>>();

    assert_eq!(ids(all().status(Status::Delayed)), [slow]);
    assert_eq!(ids(all().status(Status::Delayed).status(Status::Waiting)), [slow, first]);
    assert_eq!(ids(all().node(node("wait"))), [first]);
    assert_eq!(ids(all().stuck_since(began + minutes(1))), [first]);
    assert_eq!(ids(all().started_from(began + minutes(1)).started_to(began + minutes(6))), [slow]);
    assert_eq!(ids(all().started_to(began)), []);
    assert_eq!(ids(all().overdue_at(began + minutes(29))), []);
    assert_eq!(ids(all().overdue_at(began + minutes(31))), [first]);
    assert_eq!(ids(all().failure(FailureCode::Variables)), []);
    assert_eq!(ids(all().live().failure(FailureCode::CallFailed)), [], "no live session has failed");

    world.say("fine");
    assert_eq!(ids(all().ended_from(began + minutes(10)).status(Status::Completed)), [first]);
    assert_eq!(ids(all().status(Status::Waiting)), []);
}

/// Q1: a page is whole, however few sessions match, and the next one begins behind it.
#[test]
fn q1_pages_are_whole_however_few_match() {
    let world = World::with([question("cart"), flow("slow").delay("nap", "2h").send("up", "Up")]);
    for number in 0..230 {
        let flow = if number % 2 == 0 { "cart" } else { "slow" };
        world.begin(TriggerRequest::new(flow).phone(format!("+1415555{number:04}")));
        world.pass(seconds(1));
    }
    let filter = || SessionFilter::all().status(Status::Delayed);
    let first = world.sessions(filter());
    assert_eq!(first.len(), 100);
    let rest = world.sessions(filter().after(first.last().unwrap()));
    assert_eq!(rest.len(), 15);
    assert!(first.iter().chain(&rest).all(|found| found.session().status() == Status::Delayed));
}

/// Q2: all changes are made or none, the field that is too large is named, and a repeat changes
/// nothing.
#[test]
fn q2_a_contact_is_changed_by_a_call() {
    let world = World::with([question("cart")]);
    let ada = world.start("cart").contact_id;
    world.notes();
    let update = |changes: &[ContactChange]| block_on(world.bot.update_contact(&ada, changes));
    let tag = ContactChange::AddTag("vip".to_owned());
    let city = ContactChange::Field("city".to_owned(), json!("Recife"));
    let changes = [tag.clone(), city, ContactChange::Name(Some("Ada".to_owned()))];
    update(&changes).unwrap();
    let known = world.contact(&ada).profile.unwrap();
    assert_eq!((known.tags, known.name.as_deref()), (vec!["vip".to_owned()], Some("Ada")));
    assert_eq!(known.fields.get("city").unwrap().to_json(), json!("Recife"));
    assert_eq!(world.notes(), [EventKind::ContactUpdated]);
    update(&changes).unwrap();
    assert_eq!(world.notes(), [], "a repeat changes nothing");

    let long = "x".repeat(300);
    let refused = update(&[ContactChange::RemoveTag("vip".to_owned()), ContactChange::AddTag(long.clone())]);
    assert!(told(refused).1.starts_with("`tags` "));
    let refused = update(&[ContactChange::Language(Some(long.clone()))]);
    assert!(told(refused).1.starts_with("`language` "));
    assert_eq!(world.contact(&ada).profile.unwrap().tags, ["vip"], "all or nothing");
    let nobody = block_on(world.bot.update_contact(&contact_id("nobody"), &[tag]));
    assert_eq!(told(nobody).0, "contact_not_found");

    update(&[ContactChange::OptOut]).unwrap();
    assert!(world.sessions(SessionFilter::all().live()).is_empty(), "as `opt_out` does");
    assert!(world.contact(&ada).opted_out_at.is_some());
}

/// Q3: nothing is said, started or timed out in a pause; afterwards a session has the time that it
/// had left.
#[test]
fn q3_the_bot_is_silent_in_a_pause() {
    let asks = flow("cart").send("ask", "How are you?").wait_for("wait", "10m").send("bye", "Bye");
    let world = World::with([asks.edge("wait", "timeout", "bye"), question("other")]);
    let session = world.start("cart");
    world.pass(minutes(5));
    let contact = session.contact_id;
    block_on(world.bot.pause(&contact, None)).unwrap();
    world.sent();
    assert_eq!(world.receive(says("fine").id("m1")), Received::Paused);
    let first = Box::new(Received::Paused);
    assert_eq!(world.receive(says("fine").id("m1")), Received::Duplicate { first });
    assert_eq!(world.trigger(ada("other")), Triggered::Refused(Refusal::Paused));
    world.tick_after(hours(5));
    assert_eq!(world.state(session.session_id), Status::Waiting);
    assert!(world.sent().is_empty());

    block_on(world.bot.unpause(&contact)).unwrap();
    assert_eq!(block_on(world.bot.paused(&contact)).unwrap(), None);
    world.tick_after(minutes(4));
    assert_eq!(world.state(session.session_id), Status::Waiting);
    world.tick_after(minutes(2));
    assert_eq!(world.sent(), ["Bye"], "five of its ten minutes were left");
}

/// Q3: a pause ends by itself at its own time, with or without a session, and by a word of opting
/// out no session lives.
#[test]
fn q3_a_pause_ends_by_itself() {
    let world = World::with([question("cart")]);
    let session = world.start("cart");
    let (ada, until) = (session.contact_id, world.now() + hours(1));
    block_on(world.bot.pause(&ada, Some(until))).unwrap();
    assert_eq!(block_on(world.bot.paused(&ada)).unwrap().unwrap().until, Some(until));
    world.tick_after(hours(1) + minutes(20));
    assert_eq!(world.say("fine"), Received::Consumed { session: session.session_id });

    block_on(world.bot.pause(&ada, Some(world.now() + hours(1)))).unwrap();
    assert_eq!(world.say("hello?"), Received::Paused, "without a session, too");
    assert_eq!(world.say("stop"), Received::Keyword { action: KeywordAction::OptOut });
    assert_eq!(world.say("start"), Received::Keyword { action: KeywordAction::OptIn });
    assert_eq!(world.say("hello?"), Received::Paused);
    world.tick_after(hours(2));
    assert_eq!(world.say("hello?"), Received::Unmatched);
    let notes = world.notes();
    assert_eq!(notes.iter().filter(|note| **note == EventKind::Unpaused).count(), 2);
}

/// Q3: a handoff outlasts a pause, whose end says nothing; to give the contact back ends the pause.
#[test]
fn q3_a_pause_and_a_handoff_are_one_silence() {
    let world = World::with([question("cart")]);
    let session = world.start("cart");
    block_on(world.bot.handoff(session.session_id)).unwrap();
    block_on(world.bot.pause(&session.contact_id, None)).unwrap();
    world.tick_after(days(2));
    assert_eq!(world.state(session.session_id), Status::Handoff);
    assert_eq!(world.say("hm"), Received::Handoff { session: session.session_id });
    block_on(world.bot.resume_from_handoff(&session.contact_id, json!({}))).unwrap();
    assert_eq!(block_on(world.bot.paused(&session.contact_id)).unwrap(), None);
    assert_eq!(world.say("fine"), Received::Consumed { session: session.session_id });
}

/// Q4: a journal reads as a talk; with what was sent, if the flow logged that when the session
/// started.
#[test]
fn q4_a_journal_reads_as_a_talk() {
    let world = World::with([question("cart")]);
    let talk = |logging: Logging| {
        block_on(world.flows().set_logging(&id("cart"), logging)).unwrap();
        let session = world.start("cart").session_id;
        world.pass(minutes(2));
        world.say("fine");
        Transcript::of(&world.journal(session)).to_string()
    };
    let end = "= completed at bye\n";
    let texts = ["< How are you?\n", "@ +2m\n", "> fine\n", "< fine!\n", end].concat();
    assert_eq!(talk(Logging::Texts), texts);
    assert!(world.status("cart").log_texts);
    let nodes = ["# start, ask, wait\n", "@ +2m\n", "> fine\n", "# bye\n", end].concat();
    assert_eq!(talk(Logging::On), nodes);
    assert_eq!(talk(Logging::Off), "");
}

/// Q4, L6: a session whose journal has texts replays to the same end.
#[test]
fn q4_a_journal_with_texts_replays() {
    let world = World::with([question("cart")]);
    block_on(world.flows().set_logging(&id("cart"), Logging::Texts)).unwrap();
    let session = world.start("cart").session_id;
    world.say("fine");
    let compiled = Flow::from_json(&question("cart").json()).unwrap();
    let journal = world.journal(session);
    let replayed = replay(|_, _| Some(&compiled), &journal, &Limits::default()).unwrap();
    assert_eq!(replayed, world.session(session));
}

/// Q6: each difference is named once; what an editor keeps and the order make none.
#[test]
fn q6_the_differences_of_two_versions_are_named() {
    let def = |sketch: &Sketch| FlowDef::from_json(&sketch.json()).unwrap();
    let old = question("cart").set("language", json!("en"));
    let new =
        question("cart").set("session_ttl_minutes", json!(5)).wait("again").edge("wait", "timeout", "bye");
    assert!(FlowDiff::of(&def(&old), &def(&old)).is_empty());
    let diff = FlowDiff::of(&def(&old), &def(&new));
    let lines = [
        "+ node again (wait_reply)",
        "+ edge bye -> again",
        "+ edge wait -> bye by timeout",
        "~ settings.language: \"en\" removed",
        "~ settings.session_ttl_minutes: 5",
    ];
    assert_eq!(diff.to_string().lines().collect::<Vec<_>>(), lines);
    assert_eq!(serde_json::to_value(&diff).unwrap()["added"], json!({"again": "wait_reply"}));
    let back = FlowDiff::of(&def(&new), &def(&question("cart").send("ask2", "x")));
    assert_eq!(back.removed.keys().collect::<Vec<_>>(), ["again"]);
    let changed = FlowDiff::of(&def(&flow("f").send("hi", "Hi")), &def(&flow("f").send("hi", "Hello")));
    assert_eq!(changed.to_string(), "~ node hi, text: \"Hi\" -> \"Hello\"\n");
}

/// Q7: a dry run says what a migration would, and writes nothing.
#[test]
fn q7_a_dry_run_says_what_a_migration_would() {
    let world = World::with([question("cart").delay("nap", "20m")]);
    let waits = world.start("cart").session_id;
    let naps = world.begin(TriggerRequest::new("cart").phone(BOB)).session_id;
    world.receive(Inbound::text(Channel::WhatsApp, SHOP, BOB, "fine"));
    world.publish([question("cart").send("more", "More")]);
    let online = world.status("cart").online.unwrap();
    let tried =
        |version| block_on(world.bot.try_migrate(&id("cart"), version, &[], SessionFilter::all())).unwrap();
    let trials = tried(online);
    assert_eq!(trials.len(), 2);
    for trial in &trials {
        let session = trial.record.session().id();
        assert_eq!(world.session(session).version(), FlowVersion(1), "nothing is written");
        let really = block_on(world.bot.migrate(session, online, &[]));
        match &trial.outcome {
            Ok(node) => assert_eq!((session, node), (waits, &really.unwrap().node)),
            Err(reason) => {
                assert_eq!(session, naps);
                assert!(told(really).1.contains(reason.as_str()), "{reason}");
            }
        }
    }
    assert!(tried(online).iter().all(|trial| trial.outcome.is_err()), "they are there, or nap");
    let unknown = block_on(world.bot.try_migrate(&id("cart"), FlowVersion(9), &[], SessionFilter::all()));
    assert_eq!(told(unknown).0, "invalid_input");
}

/// Q5: a version says who put it online last; without a name, nobody.
#[test]
fn q5_a_version_says_who_published_it() {
    let world = World::with([question("cart")]);
    let by = |version: usize| {
        let status = world.status("cart");
        status.versions[version].published_by.as_deref().map(str::to_owned)
    };
    assert_eq!(by(0), None);
    let flows = world.flows().by("ada");
    block_on(flows.ensure(&question("cart").send("more", "More").json())).unwrap();
    assert_eq!((by(0), by(1).as_deref()), (None, Some("ada")));
    block_on(world.flows().by("bob").roll_back(&id("cart"), FlowVersion(1))).unwrap();
    assert_eq!((by(0).as_deref(), by(1).as_deref()), (Some("bob"), Some("ada")));
    let refused = block_on(world.flows().by("x".repeat(300)).publish(&id("cart")));
    assert_eq!(told(refused).1, "`by` must have 1 to 256 bytes");
}
