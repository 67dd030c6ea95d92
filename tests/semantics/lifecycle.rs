//! The life of flows: L1-L5, L7.

use std::sync::Arc;
use std::thread;

use chatflow::flow::gallery::templates;
use chatflow::flow::{FlowDef, TriggerDef};
use chatflow::id::FlowVersion;
use chatflow::ops::{FlowStatus, Unpublish};
use chatflow::session::EndReason;
use chatflow::store::{AccountName, FlowState, MemoryFlows, VersionState};
use chatflow::testkit::{ManualClock, Recorder};
use chatflow::{
    Account, Channel, Clock, Engine, Error, MemoryStore, Received, Status, TriggerRequest, Triggered,
};
use pollster::block_on;
use serde_json::json;

use crate::kit::*;

fn says_only(text: &str) -> Sketch {
    flow("f").send("s", text)
}

/// Number and state of each version.
fn versions(status: &FlowStatus) -> Vec<(u32, &'static str)> {
    let state = |state| match state {
        VersionState::Online => "online",
        VersionState::Offline => "offline",
        VersionState::Deleted => "deleted",
        VersionState::Terminated(_) => "terminated",
        _ => "other",
    };
    status.versions.iter().map(|entry| (entry.version.0, state(entry.state))).collect()
}

fn ensure(world: &World, sketch: &Sketch) -> FlowStatus {
    block_on(world.flows().ensure(&sketch.json())).unwrap()
}

/// The actions that the error says are allowed.
fn invalid_state<T: std::fmt::Debug>(answer: Result<T, Error>) -> (&'static str, &'static str, &'static str) {
    match answer.unwrap_err() {
        Error::InvalidState { action, state, allowed, .. } => (action, state, allowed),
        other => panic!("{other}"),
    }
}

const WHEN_PUBLISHED: &str = "save draft, publish, roll back, unpublish, rename, remark, logging, test";
const WHEN_UNPUBLISHED: &str = "save draft, publish, roll back, rename, remark, logging, test, bind, delete";

// --- L1: creating
// -------------------------------------------------------------------------------------------------

/// L1
#[test]
fn a_new_code_creates_a_flow_and_a_known_one_replaces_its_draft() {
    let world = World::new();
    let import = |sketch: &Sketch| block_on(world.flows().import(&sketch.json())).unwrap().status;
    let created = import(&says_only("one"));
    assert_eq!((created.state, versions(&created)), (FlowState::Unpublished, vec![]));
    import(&says_only("two"));
    assert_eq!(&*block_on(world.flows().export(&id("f"), None)).unwrap(), says_only("two").json());
    assert_eq!(block_on(world.flows().list()).unwrap().len(), 1);
}

/// L1
#[test]
fn a_definition_is_copied_under_another_code() {
    let world = World::with([says_only("Hi")]);
    let copy = block_on(world.flows().import_as(&says_only("Hi").json(), "copy")).unwrap().status;
    assert_eq!((copy.flow, copy.state), (id("copy"), FlowState::Unpublished));
    block_on(world.flows().publish(&id("copy"))).unwrap();
    assert_eq!(world.start("copy").flow_id, id("copy"));
    assert_eq!(versions(&world.status("f")), [(1, "online")]);
}

/// L1
#[test]
fn a_blank_flow_has_a_trigger_and_is_published_as_it_is() {
    let world = World::new();
    let manual = block_on(world.flows().create("m", "Manual", TriggerDef::Manual)).unwrap();
    assert_eq!((manual.status.state, &*manual.status.name), (FlowState::Unpublished, "Manual"));
    assert!(manual.issues.is_empty(), "{}", manual.issues);
    block_on(world.flows().publish(&id("m"))).unwrap();
    let started = world.start("m");
    assert_eq!(world.state(started.session_id), Status::Completed);

    let inbound = TriggerDef::keyword(Channel::WhatsApp, "menu");
    block_on(world.flows().create("i", "Menu", inbound)).unwrap();
    block_on(world.flows().bind(&id("i"), [account(SHOP)])).unwrap();
    block_on(world.flows().publish(&id("i"))).unwrap();
    assert!(matches!(world.say("menu"), Received::Started { .. }));
}

/// L1: creating replaces nothing; a code that was deleted is free.
#[test]
fn a_blank_flow_takes_no_code_that_another_has() {
    let world = World::with([says_only("Hi")]);
    let create = |code: &str, name: &str| block_on(world.flows().create(code, name, TriggerDef::Manual));
    assert_eq!(told(create("f", "Mine")), ("invalid_input", "`code` belongs to another flow".to_owned()));
    assert_eq!(told(block_on(world.flows().create_from_template("menu", "f"))).0, "invalid_input");
    assert_eq!(told(create("", "Mine")).0, "invalid_input");
    assert_eq!(told(create("g", "")).0, "invalid_input");
    block_on(world.flows().unpublish(&id("f"), Unpublish::Drain)).unwrap();
    block_on(world.flows().delete(&id("f"))).unwrap();
    create("f", "Mine").unwrap();
    assert_eq!(&*world.status("f").name, "Mine");
}

/// L1
#[test]
fn ensuring_twice_makes_one_version() {
    let world = World::new();
    let first = ensure(&world, &says_only("Hi"));
    let again = ensure(&world, &says_only("Hi"));
    assert_eq!(versions(&first), [(1, "online")]);
    assert_eq!(again, first);
    assert_eq!(versions(&ensure(&world, &says_only("Ho"))), [(1, "offline"), (2, "online")]);
    assert_eq!(versions(&ensure(&world, &says_only("Hi"))), [(1, "online"), (2, "offline")]);
}

/// L1
#[test]
fn ensuring_looks_at_content_and_not_at_layout() {
    let world = World::new();
    ensure(&world, &says_only("Hi"));
    let json: serde_json::Value = serde_json::from_str(&says_only("Hi").json()).unwrap();
    let status = block_on(world.flows().ensure(&serde_json::to_string_pretty(&json).unwrap())).unwrap();
    assert_eq!(versions(&status), [(1, "online")]);
}

/// L1
#[test]
fn ensuring_from_many_threads_makes_one_version() {
    let world = World::new();
    let made: Vec<FlowStatus> = thread::scope(|scope| {
        let runs: Vec<_> = (0..8).map(|_| scope.spawn(|| ensure(&world, &says_only("Hi")))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert!(made.iter().all(|status| versions(status) == [(1, "online")]));
    assert_eq!(versions(&world.status("f")), [(1, "online")]);
}

fn greeter() -> Sketch {
    flow("f").on(json!([{"match": "exact", "text": "x"}])).send("s", "Hi")
}

fn ensure_on(world: &World, sketch: &Sketch, accounts: &[&str]) -> Result<FlowStatus, Error> {
    let accounts = accounts.iter().map(|name| account(name));
    block_on(world.flows().ensure_on(&sketch.json(), accounts))
}

const OUTLET: &str = "+15550111";

/// L1, L3
#[test]
fn a_flow_that_messages_start_is_ensured_on_its_accounts() {
    let world = World::new();
    let first = ensure_on(&world, &greeter(), &[SHOP, OUTLET]).unwrap();
    assert_eq!(
        (versions(&first), &first.accounts[..]),
        (vec![(1, "online")], &[account(SHOP), account(OUTLET)][..])
    );
    assert_eq!(ensure_on(&world, &greeter(), &[OUTLET, SHOP, SHOP]).unwrap(), first);
    assert!(matches!(world.say("x"), Received::Started { .. }));
    assert_eq!(world.sent(), ["Hi"]);
    let newer = ensure_on(&world, &greeter().send("t", "Ho"), &[SHOP, OUTLET]).unwrap();
    assert_eq!(versions(&newer), [(1, "offline"), (2, "online")]);
}

/// L3
#[test]
fn a_published_flow_is_not_ensured_on_other_accounts_until_it_is_unpublished() {
    let world = World::new();
    let first = ensure_on(&world, &greeter(), &[SHOP]).unwrap();
    for sketch in [greeter(), greeter().send("t", "Ho")] {
        for accounts in [&[OUTLET][..], &[SHOP, OUTLET], &[]] {
            assert_eq!(
                invalid_state(ensure_on(&world, &sketch, accounts)),
                ("bind", "published", WHEN_PUBLISHED)
            );
        }
    }
    assert_eq!(world.status("f"), first);
    block_on(world.flows().unpublish(&id("f"), Unpublish::Drain)).unwrap();
    let moved = ensure_on(&world, &greeter(), &[OUTLET]).unwrap();
    assert_eq!((versions(&moved), moved.accounts), (vec![(1, "online")], vec![account(OUTLET)]));
}

/// L3, L5
#[test]
fn what_can_not_be_published_on_its_accounts_is_not_bound_to_them() {
    let world = World::new();
    assert_eq!(invalid_state(ensure_on(&world, &says_only("Hi"), &[SHOP])).0, "bind");
    assert_eq!(block_on(world.flows().list()).unwrap(), []);
    let ensured = ensure_on(&world, &says_only("Hi"), &[]).unwrap();
    assert_eq!(versions(&ensured), [(1, "online")]);
    let error = told(ensure_on(&world, &greeter().coded("g"), &[]));
    assert!(error.1.contains("(unbound_account)"), "{}", error.1);
    ensure_on(&world, &flow("any").on(json!([{"match": "any"}])), &[SHOP]).unwrap();
    let error = told(ensure_on(&world, &flow("g").on(json!([{"match": "any"}])), &[OUTLET, SHOP]));
    assert!(error.1.contains("(two_any_triggers)"), "{}", error.1);
    let kept = world.status("g");
    assert_eq!((kept.state, kept.accounts), (FlowState::Unpublished, vec![]));
}

/// L1, L3
#[test]
fn ensuring_on_accounts_from_many_threads_makes_one_version() {
    let world = World::new();
    let made: Vec<FlowStatus> = thread::scope(|scope| {
        let ensure = || ensure_on(&world, &greeter(), &[SHOP]).unwrap();
        let runs: Vec<_> = (0..8).map(|_| scope.spawn(ensure)).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert!(made.iter().all(|status| versions(status) == [(1, "online")]));
    assert_eq!(world.status("f").accounts, [account(SHOP)]);
}

/// L3: the first caller binds the flow; it is never online on accounts that its caller did not
/// name.
#[test]
fn of_hosts_that_disagree_on_the_accounts_one_publishes() {
    for _ in 0..20 {
        let world = World::new();
        let both = thread::scope(|scope| {
            let runs = [SHOP, OUTLET].map(|name| {
                let world = &world;
                (name, scope.spawn(move || ensure_on(world, &greeter(), &[name])))
            });
            runs.map(|(name, run)| (name, run.join().unwrap()))
        });
        for (name, answer) in &both {
            match answer {
                Ok(status) => assert_eq!(status.accounts, [account(name)]),
                Err(error) => assert_eq!(error.code(), "invalid_state"),
            }
        }
        assert_eq!(both.iter().filter(|(_, answer)| answer.is_ok()).count(), 1);
    }
}

// --- L2: drafts and versions
// -------------------------------------------------------------------------------------------------

/// L2
#[test]
fn a_draft_is_kept_whatever_its_issues_and_only_publishing_is_blocked() {
    let world = World::with([says_only("Hi")]);
    let broken = r#"{"spec": 1, "code": "f", "trigger": {"kind": "manual"}, "nodes": [], "edges": [], "mood": "good"}"#;
    let revision = world.status("f").revision;
    let saved = block_on(world.flows().save_draft(&id("f"), broken, revision)).unwrap();
    let codes: Vec<&str> = saved.issues.iter().map(|issue| issue.code.as_str()).collect();
    assert_eq!(codes, ["unknown_field", "no_entry"]);
    assert_eq!(&*block_on(world.flows().export(&id("f"), None)).unwrap(), broken);
    assert_eq!(told(block_on(world.flows().publish(&id("f")))).0, "flow_has_issues");
    world.start("f");
    assert_eq!(world.sent(), ["Hi"]);
}

/// L2
#[test]
fn a_draft_that_was_read_at_an_older_revision_is_stale() {
    let world = World::with([says_only("Hi")]);
    let read = world.status("f").revision;
    let save =
        |text, revision| block_on(world.flows().save_draft(&id("f"), &says_only(text).json(), revision));
    let next = save("mine", read).unwrap().status.revision;
    assert_eq!(told(save("theirs", read)), ("stale", "flow `f` was changed by someone else".to_owned()));
    assert_eq!(told(save("theirs", next + 1)).0, "stale");
    save("mine again", next).unwrap();
    assert_eq!(&*block_on(world.flows().export(&id("f"), None)).unwrap(), says_only("mine again").json());
}

/// L2
#[test]
fn a_draft_of_another_flow_is_refused() {
    let world = World::with([says_only("Hi")]);
    let revision = world.status("f").revision;
    let other = says_only("Hi").coded("g").json();
    assert_eq!(
        told(block_on(world.flows().save_draft(&id("f"), &other, revision))),
        ("invalid_input", "`code` must be `f`".to_owned())
    );
}

/// L2
#[test]
fn a_draft_goes_online_only_when_it_is_published() {
    let world = World::with([says_only("one")]);
    let revision = world.status("f").revision;
    block_on(world.flows().save_draft(&id("f"), &says_only("two").json(), revision)).unwrap();
    world.start("f");
    block_on(world.flows().publish(&id("f"))).unwrap();
    world.start("f");
    assert_eq!(world.sent(), ["one", "two"]);
    assert_eq!(versions(&world.status("f")), [(1, "offline"), (2, "online")]);
}

/// L2
#[test]
fn an_older_version_is_put_online_again() {
    let world = World::with([says_only("one")]);
    world.publish([says_only("two")]);
    block_on(world.flows().roll_back(&id("f"), FlowVersion(1))).unwrap();
    assert_eq!(world.start("f").flow_version, FlowVersion(1));
    assert_eq!(world.sent(), ["one"]);
    assert_eq!(versions(&world.status("f")), [(1, "online"), (2, "offline")]);
    assert_eq!(
        told(block_on(world.flows().roll_back(&id("f"), FlowVersion(3)))),
        ("invalid_input", "`version` does not exist".to_owned())
    );
}

/// L2
#[test]
fn a_publish_is_seen_by_the_next_call_of_every_thread() {
    let world = World::new();
    for round in 0..50 {
        let sketch = says_only(&format!("{round}")).set("concurrency", json!("unlimited"));
        let version = ensure(&world, &sketch).online.unwrap();
        let started: Vec<FlowVersion> = thread::scope(|scope| {
            let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| world.start("f").flow_version)).collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        assert_eq!(started, [version; 4]);
    }
}

// --- L3: states and what they allow
// -------------------------------------------------------------------------------------------------

/// L3
#[test]
fn a_published_flow_is_neither_bound_nor_deleted() {
    let world = World::with([flow("f").on(json!([{"match": "any"}]))]);
    assert_eq!(
        invalid_state(block_on(world.flows().bind(&id("f"), [account(SHOP)]))),
        ("bind", "published", WHEN_PUBLISHED)
    );
    assert_eq!(
        invalid_state(block_on(world.flows().delete(&id("f")))),
        ("delete", "published", WHEN_PUBLISHED)
    );
}

/// L3
#[test]
fn an_unpublished_flow_is_not_unpublished_again() {
    let world = World::with([says_only("Hi")]);
    block_on(world.flows().unpublish(&id("f"), Unpublish::Drain)).unwrap();
    assert_eq!(
        invalid_state(block_on(world.flows().unpublish(&id("f"), Unpublish::Drain))),
        ("unpublish", "unpublished", WHEN_UNPUBLISHED)
    );
}

/// L3
#[test]
fn a_flow_that_calls_start_is_bound_to_no_account() {
    let world = World::new();
    block_on(world.flows().import(&says_only("Hi").json())).unwrap();
    assert_eq!(
        invalid_state(block_on(world.flows().bind(&id("f"), [account(SHOP)]))),
        ("bind", "unpublished", "save draft, publish, roll back, rename, remark, logging, test, delete")
    );
    assert_eq!(world.status("f").accounts, []);
}

/// Does what an author does with a flow, by the word that `InvalidState` has for it.
fn act(world: &World, action: &str) -> Result<(), Error> {
    let (flows, f) = (world.flows(), id("f"));
    let revision = world.status("f").revision;
    match action {
        "save draft" => block_on(flows.save_draft(&f, &greeter().json(), revision)).map(drop),
        "publish" => block_on(flows.publish(&f)).map(drop),
        "roll back" => block_on(flows.roll_back(&f, FlowVersion(1))).map(drop),
        "unpublish" => block_on(flows.unpublish(&f, Unpublish::Drain)).map(drop),
        "rename" => block_on(flows.rename(&f, "Name")).map(drop),
        "remark" => block_on(flows.remark(&f, "Remark")).map(drop),
        "logging" => block_on(flows.set_logging(&f, true)).map(drop),
        "test" => block_on(flows.rehearse(&f, None)).map(drop),
        "bind" => block_on(flows.bind(&f, [account(OUTLET)])).map(drop),
        "delete" => block_on(flows.delete(&f)),
        other => panic!("{other}"),
    }
}

/// L3: what a state is said to allow works in it, and the rest does not and says what does.
#[test]
fn each_state_allows_what_it_lists_and_nothing_else() {
    let actions: std::collections::BTreeSet<&str> =
        [WHEN_PUBLISHED, WHEN_UNPUBLISHED].iter().flat_map(|list| list.split(", ")).collect();
    assert_eq!(actions.len(), 10);
    for (state, allowed) in [("published", WHEN_PUBLISHED), ("unpublished", WHEN_UNPUBLISHED)] {
        for action in &actions {
            let world = World::new();
            ensure_on(&world, &greeter(), &[SHOP]).unwrap();
            if state == "unpublished" {
                block_on(world.flows().unpublish(&id("f"), Unpublish::Drain)).unwrap();
            }
            let answer = act(&world, action);
            if allowed.split(", ").any(|listed| listed == *action) {
                assert!(answer.is_ok(), "{action} while {state}: {answer:?}");
            } else {
                assert_eq!(invalid_state(answer), (*action, state, allowed));
            }
        }
    }
}

/// L1, L3: what the draft before did not say is new, a name that the flow was given since is not
/// undone.
#[test]
fn a_name_that_was_given_stays_when_the_draft_is_saved() {
    let world = World::with([]);
    block_on(world.flows().create_from_template("menu", "mine")).unwrap();
    block_on(world.flows().rename(&id("mine"), "Ours")).unwrap();
    let name = || world.status("mine").name.to_string();
    let save = |json: &str| {
        let revision = world.status("mine").revision;
        block_on(world.flows().save_draft(&id("mine"), json, revision)).unwrap();
    };
    let draft = block_on(world.flows().export(&id("mine"), None)).unwrap();
    save(&draft);
    assert_eq!(name(), "Ours");
    let template = chatflow::flow::gallery::template("menu").unwrap().name;
    save(&draft.replace(&format!("{template:?}"), "\"Theirs\""));
    assert_eq!(name(), "Theirs");
}

/// L3
#[test]
fn both_states_allow_drafts_names_remarks_and_logging() {
    let world = World::with([says_only("Hi")]);
    for state in [FlowState::Published, FlowState::Unpublished] {
        block_on(world.flows().rename(&id("f"), "Name")).unwrap();
        block_on(world.flows().remark(&id("f"), "Remark")).unwrap();
        block_on(world.flows().set_logging(&id("f"), true)).unwrap();
        let revision = world.status("f").revision;
        block_on(world.flows().save_draft(&id("f"), &says_only("Ho").json(), revision)).unwrap();
        let status = world.status("f");
        assert_eq!((status.state, status.remark.as_deref(), status.logging), (state, Some("Remark"), true));
        if state == FlowState::Published {
            block_on(world.flows().unpublish(&id("f"), Unpublish::Drain)).unwrap();
        }
    }
    block_on(world.flows().roll_back(&id("f"), FlowVersion(1))).unwrap();
    assert_eq!(versions(&world.status("f")), [(1, "online")]);
}

/// L3
#[test]
fn what_is_unknown_is_not_found() {
    let world = World::new();
    let nowhere = id("nowhere");
    let flows = world.flows();
    for error in [
        told(block_on(flows.publish(&nowhere))),
        told(block_on(flows.roll_back(&nowhere, FlowVersion(1)))),
        told(block_on(flows.unpublish(&nowhere, Unpublish::Drain))),
        told(block_on(flows.rename(&nowhere, "x"))),
        told(block_on(flows.delete(&nowhere))),
        told(block_on(flows.export(&nowhere, None))),
        told(block_on(flows.versions(&nowhere))),
        told(block_on(flows.save_draft(&nowhere, &says_only("x").coded("nowhere").json(), 1))),
    ] {
        assert_eq!(error, ("flow_not_found", "flow `nowhere` does not exist".to_owned()));
    }
}

// --- L4: ending a flow
// -------------------------------------------------------------------------------------------------

fn live(world: &World) -> u64 {
    block_on(world.bot.live_sessions(&id("q"))).unwrap()
}

/// L4
#[test]
fn a_flow_that_drains_lets_its_sessions_end_and_starts_no_new_ones() {
    let world = World::with([question("q")]);
    let session = world.start("q").session_id;
    block_on(world.flows().unpublish(&id("q"), Unpublish::Drain)).unwrap();
    world.tick_after(minutes(1));
    assert_eq!(live(&world), 1);
    assert_eq!(world.refusal(TriggerRequest::new("q").phone(BOB)).0, "flow_not_published");
    assert_eq!(world.say("Fine"), Received::Consumed { session });
    assert_eq!((world.state(session), live(&world)), (Status::Completed, 0));
}

/// L4
#[test]
fn a_terminated_flows_sessions_end_when_they_are_loaded() {
    let world = World::with([question("q")]);
    let session = world.start("q").session_id;
    block_on(world.flows().unpublish(&id("q"), Unpublish::Terminate)).unwrap();
    assert_eq!(world.say("Fine"), Received::Unmatched);
    let ended = world.session(session);
    assert_eq!((ended.status(), ended.ended_by()), (Status::Cancelled, Some(EndReason::FlowTerminated)));
    assert_eq!(world.sent(), ["How are you?"]);
}

/// L4
#[test]
fn a_tick_ends_the_rest_of_a_terminated_flows_sessions_and_live_counts_down() {
    let world = World::with([question("q")]);
    let phones = ["+14155550101", "+14155550102", "+14155550103"];
    let sessions = phones.map(|phone| world.begin(TriggerRequest::new("q").phone(phone)).session_id);
    block_on(world.flows().unpublish(&id("q"), Unpublish::Terminate)).unwrap();
    let mut counts = vec![live(&world)];
    for _ in phones {
        block_on(world.bot.tick(1)).unwrap();
        counts.push(live(&world));
    }
    assert_eq!(counts, [3, 2, 1, 0]);
    assert_eq!(sessions.map(|session| world.state(session)), [Status::Cancelled; 3]);
}

/// L4: a process that has not heard of it yet may start a session when none is left.
#[test]
fn a_session_that_starts_late_on_a_terminated_version_is_ended_too() {
    let (store, flows) = (Arc::new(MemoryStore::new()), Arc::new(MemoryFlows::default()));
    let (clock, channel) = (ManualClock::default(), Recorder::new());
    let engine = || {
        let builder = Engine::builder(Arc::clone(&store)).flow_store(Arc::clone(&flows));
        builder.clock(clock.clone()).transport(channel.clone()).build()
    };
    let (here, there) = (engine(), engine());
    let endless = question("q").set("session_ttl_minutes", json!(0));
    block_on(here.flows().ensure(&endless.json())).unwrap();
    let seen = block_on(there.trigger(TriggerRequest::new("q").phone(BOB).discard_time(Clock::now(&clock))));
    assert_eq!(seen.unwrap(), Triggered::Discarded);
    block_on(here.flows().unpublish(&id("q"), Unpublish::Terminate)).unwrap();
    let _ = block_on(here.tick(10)).unwrap();
    let late = block_on(there.trigger(ada("q"))).unwrap();
    let session = late.session().unwrap().session_id;
    for _ in 0..3 {
        clock.advance(seconds(2));
        let _ = block_on(here.tick(10)).unwrap();
    }
    let ended = block_on(here.session(session)).unwrap().unwrap();
    assert_eq!(ended.session().ended_by(), Some(EndReason::FlowTerminated));
}

/// L4
#[test]
fn draining_sessions_can_still_be_terminated() {
    let world = World::with([question("q")]);
    let session = world.start("q").session_id;
    block_on(world.flows().unpublish(&id("q"), Unpublish::Drain)).unwrap();
    let status = block_on(world.flows().unpublish(&id("q"), Unpublish::Terminate)).unwrap();
    assert_eq!(versions(&status), [(1, "terminated")]);
    world.tick_after(seconds(1));
    assert_eq!(world.state(session), Status::Cancelled);
}

/// L4, L2
#[test]
fn a_terminated_version_is_not_rolled_back_to_and_its_content_becomes_a_new_one() {
    let world = World::with([question("q")]);
    block_on(world.flows().unpublish(&id("q"), Unpublish::Terminate)).unwrap();
    assert_eq!(
        told(block_on(world.flows().roll_back(&id("q"), FlowVersion(1)))),
        ("invalid_input", "`version` was terminated: publish its content as a new version".to_owned())
    );
    block_on(world.flows().publish(&id("q"))).unwrap();
    assert_eq!(versions(&world.status("q")), [(1, "terminated"), (2, "online")]);
    let session = world.start("q").session_id;
    world.tick_after(minutes(1));
    assert_eq!(world.state(session), Status::Waiting);
}

/// L4
#[test]
fn a_flow_with_live_sessions_is_not_deleted() {
    let world = World::with([question("q")]);
    world.start("q");
    world.begin(TriggerRequest::new("q").phone(BOB));
    block_on(world.flows().unpublish(&id("q"), Unpublish::Drain)).unwrap();
    let delete = || block_on(world.flows().delete(&id("q")));
    assert_eq!(told(delete()), ("in_use", "flow `q` has live sessions: 2".to_owned()));
    world.tick_after(minutes(30));
    delete().unwrap();
    assert_eq!(block_on(world.flows().get(&id("q"))).unwrap(), None);
}

/// L4
#[test]
fn deleting_can_not_be_undone() {
    let world = World::with([says_only("Hi")]);
    block_on(world.flows().unpublish(&id("f"), Unpublish::Drain)).unwrap();
    block_on(world.flows().delete(&id("f"))).unwrap();
    assert_eq!(told(block_on(world.flows().publish(&id("f")))).0, "flow_not_found");
    assert_eq!(told(block_on(world.flows().delete(&id("f")))).0, "flow_not_found");
    assert_eq!(block_on(world.flows().list()).unwrap(), []);
    block_on(world.flows().import(&says_only("Hi").json())).unwrap();
    assert_eq!(told(block_on(world.flows().roll_back(&id("f"), FlowVersion(1)))).0, "invalid_input");
    block_on(world.flows().publish(&id("f"))).unwrap();
    assert_eq!(versions(&world.status("f")), [(1, "deleted"), (2, "online")]);
}

// --- L5, L7
// -------------------------------------------------------------------------------------------------

/// L5
#[test]
fn an_inbound_flow_needs_an_account_before_it_goes_online() {
    let world = World::new();
    let sketch = flow("f").on(json!([{"match": "exact", "text": "x"}]));
    block_on(world.flows().import(&sketch.json())).unwrap();
    let error = told(block_on(world.flows().publish(&id("f"))));
    assert!(error.1.contains("(unbound_account)"), "{}", error.1);
    block_on(world.flows().bind(&id("f"), [account(SHOP)])).unwrap();
    block_on(world.flows().publish(&id("f"))).unwrap();
}

/// L5
#[test]
fn two_flows_for_any_message_on_one_account_do_not_go_online() {
    let world = World::with([flow("f").on(json!([{"match": "any"}]))]);
    let other = flow("g").on(json!([{"match": "any"}]));
    block_on(world.flows().import(&other.json())).unwrap();
    block_on(world.flows().bind(&id("g"), [account(SHOP)])).unwrap();
    let error = told(block_on(world.flows().publish(&id("g"))));
    assert!(error.1.contains("(two_any_triggers)"), "{}", error.1);
    block_on(world.flows().bind(&id("g"), [account("+15550111")])).unwrap();
    block_on(world.flows().publish(&id("g"))).unwrap();
}

/// L3, L5: accounts are a set; one save binds them and names them, or does neither.
#[test]
fn a_published_flow_has_its_accounts_named_in_whatever_order_they_come() {
    let world = World::new();
    let sketch = flow("f").on(json!([{"match": "exact", "text": "x"}]));
    block_on(world.flows().import(&sketch.json())).unwrap();
    let both = [account(SHOP), account(OUTLET)];
    let names = |of: &Account, name: &str| [AccountName { account: of.clone(), name: name.into() }];
    let known = || -> Vec<String> {
        world.status("f").account_names.iter().map(|named| named.name.to_string()).collect()
    };
    block_on(world.flows().bind_named(&id("f"), &both, &names(&both[0], "Shop"))).unwrap();
    block_on(world.flows().publish(&id("f"))).unwrap();
    let [first, second] = both.clone();
    block_on(world.flows().bind_named(&id("f"), &[second, first], &names(&both[1], "Outlet"))).unwrap();
    assert_eq!(known(), ["Shop", "Outlet"]);
    for (accounts, names) in [(&both[..1], &[][..]), (&both[..1], &names(&both[0], "Berlin")[..])] {
        let refused = block_on(world.flows().bind_named(&id("f"), accounts, names));
        assert!(matches!(refused, Err(Error::InvalidState { action: "bind", .. })), "{refused:?}");
    }
    let stranger = names(&account("+15550122"), "Berlin");
    let error = told(block_on(world.flows().bind_named(&id("f"), &both, &stranger)));
    assert_eq!(error.0, "invalid_input");
    assert_eq!(known(), ["Shop", "Outlet"]);
}

/// L7: whatever the layout and order of a file, its canonical form is that of the file that comes
/// out.
#[test]
fn an_export_has_the_canonical_form_of_what_was_imported() {
    let canonical = |json: &str| FlowDef::from_json(json).unwrap().to_json();
    let odd = r#"{"ui": {"z": 1, "a": [1.50, -0.0, 1e3, "\u00e9\ud83d\ude00", {"b": null, "a": true}]}, "edges": [{"to": "e", "ui": {}, "from": "s"}],
        "nodes": [{"kind": "start", "ui": "left", "id": "s"}, {"id": "e", "outcome": "x", "kind": "end", "ui": null}],
        "trigger": {"kind": "manual"}, "code": "odd", "spec": 1}"#;
    let world = World::new();
    for json in templates().iter().map(|template| template.json).chain([odd]) {
        let flow = block_on(world.flows().import(json)).unwrap().status.flow;
        let export = block_on(world.flows().export(&flow, None)).unwrap();
        assert_eq!(&*export, json);
        assert_eq!(canonical(&canonical(json)), canonical(json));
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(canonical(&value.to_string()), canonical(json), "whatever the order of keys");
        block_on(world.flows().import(&canonical(json))).unwrap();
        assert_eq!(&*block_on(world.flows().export(&flow, None)).unwrap(), canonical(json));
    }
}

/// L1, L7: a copy is written in the canonical form; a draft that cannot be read whole keeps what
/// it has.
#[test]
fn a_copy_has_all_of_its_original_but_the_code() {
    let world = World::new();
    for json in [
        templates()[0].json,
        r#"{"code": "x", "mood": {"b": 1, "a": 2}, "nodes": [{"id": "n", "kind": "nap"}], "ui": [null]}"#,
    ] {
        block_on(world.flows().import_as(json, "copy")).unwrap();
        let copy = block_on(world.flows().export(&id("copy"), None)).unwrap();
        let mut wanted: serde_json::Value = serde_json::from_str(json).unwrap();
        wanted["code"] = "copy".into();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&copy).unwrap(), wanted);
        if let Ok(def) = FlowDef::from_json(&copy) {
            assert_eq!(&*copy, def.to_json());
        }
    }
}

/// L1, T3: the first language of a text is the one that a contact of no known language reads.
#[test]
fn a_copy_keeps_the_order_of_languages() {
    let world = World::new();
    let json = r#"{"spec": 1, "code": "f", "trigger": {"kind": "manual"},
        "nodes": [{"id": "start", "kind": "start"},
                  {"id": "s", "kind": "send_message", "text": {"pt": "Olá", "en": "Hello", "de": "Hallo"}}],
        "edges": [{"from": "start", "to": "s"}]}"#;
    block_on(world.flows().import_as(json, "copy")).unwrap();
    let copy = block_on(world.flows().export(&id("copy"), None)).unwrap();
    let place = |tag: &str| copy.find(&format!("\"{tag}\": ")).unwrap();
    assert!(place("pt") < place("en") && place("en") < place("de"), "{copy}");
}

/// L7
#[test]
fn an_export_is_what_the_import_took_canvas_and_all() {
    let world = World::new();
    let json = r#"{
        "edges": [{"from": "start", "to": "s", "ui": {"bend": [1, 2]}}],
        "nodes": [{"id": "start", "kind": "start", "ui": {"x": 1, "y": 2.50}},
                  {"id": "s", "text": "Hi", "kind": "send_message"}],
        "trigger": {"kind": "manual"}, "code": "f", "spec": 1, "ui": {"zoom": 1e0}
    }"#;
    block_on(world.flows().import(json)).unwrap();
    block_on(world.flows().publish(&id("f"))).unwrap();
    for version in [None, Some(FlowVersion(1))] {
        assert_eq!(&*block_on(world.flows().export(&id("f"), version)).unwrap(), json);
    }
}

/// L4, D3
#[test]
fn a_process_that_knows_nothing_of_a_workspace_ends_its_terminated_sessions() {
    let (store, flows) = (Arc::new(MemoryStore::new()), Arc::new(MemoryFlows::new()));
    let clock = ManualClock::default();
    let engine = |store: Arc<MemoryStore>| {
        let builder = Engine::builder(store).flow_store(Arc::clone(&flows));
        builder.clock(clock.clone()).transport(Recorder::new()).build()
    };
    let shop = engine(Arc::clone(&store)).in_workspace("acme");
    block_on(shop.flows().ensure(&question("q").set("session_ttl_minutes", json!(0)).json())).unwrap();
    block_on(shop.trigger(ada("q"))).unwrap();
    // The process that terminates dies before it has woken a session.
    let dying = engine(Arc::default()).in_workspace("acme");
    block_on(dying.flows().unpublish(&id("q"), Unpublish::Terminate)).unwrap();
    let restarted = engine(store);
    block_on(restarted.tick(10)).unwrap();
    assert_eq!(block_on(restarted.in_workspace("acme").live_sessions(&id("q"))).unwrap(), 0);
}

/// S15: the instant that a tick tells is never later than what the conversations that it worked
/// have due next, such as the end of the lease that it took.
#[test]
fn a_tick_tells_what_is_due_next_in_what_it_worked() {
    let talk = flow("f").send("a", "a").delay("d", "5s").send("b", "b").delay("e", "5s").send("c", "c");
    let world = World::with([talk]);
    world.start("f");
    world.pass(seconds(5));
    let ticked = block_on(world.bot.tick(8)).unwrap();
    assert_eq!(ticked.next_due, Some(world.now() + seconds(5)));
    world.tick_after(seconds(5));
    assert_eq!(world.sent(), ["a", "b", "c"]);
}
