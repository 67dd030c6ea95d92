//! Starting a flow by call: T1, T4-T9.

use std::sync::Arc;
use std::thread;

use chatflow::limits::Limits;
use chatflow::observer::EventKind;
use chatflow::ops::{SessionFilter, Unpublish};
use chatflow::store::StoreQueries;
use chatflow::testkit::{CountingIds, Fault, Faulty, ManualClock, Recorder};
use chatflow::{Engine, MemoryStore, Refusal, Status, TriggerRequest, Triggered};
use pollster::block_on;
use serde_json::{Value, json};

use crate::kit::*;

/// Sends what it was given, so that a test can see it.
pub(crate) fn echo(code: &str, text: &str) -> Sketch {
    flow(code).send("say", text)
}

fn declared(inputs: Value) -> Sketch {
    echo("f", "{{context | json}}").start("inputs", inputs)
}

// --- T: the order of the checks
// -------------------------------------------------------------------------------------------------

/// T
#[test]
fn the_form_of_a_request_is_checked_before_its_flow() {
    let world = World::new();
    let request = TriggerRequest::new("nowhere").phone("12");
    assert_eq!(
        world.refusal(request),
        ("invalid_input", "`phone` must be a telephone number: `+`, a calling code, and as many digits as its numbering plan has, \
             7-15 in all".to_owned())
    );
}

/// T
#[test]
fn a_key_is_replayed_before_the_flow_has_to_be_online() {
    let world = World::with([question("q")]);
    let session = world.begin(ada("q").uuid("k"));
    block_on(world.flows().unpublish(&id("q"), Unpublish::Drain)).unwrap();
    let replay = chatflow::SessionRef { replayed: true, ..session };
    assert_eq!(world.trigger(ada("q").uuid("k")), Triggered::Started(replay));
    assert_eq!(
        world.refusal(ada("q").uuid("other")),
        ("flow_not_published", "flow `q` is not published with a manual trigger".to_owned())
    );
}

/// T
#[test]
fn a_flow_must_be_online_before_a_trigger_is_discarded() {
    let world = World::with([question("q")]);
    block_on(world.flows().unpublish(&id("q"), Unpublish::Drain)).unwrap();
    let request = ada("q").discard_time(world.now());
    assert_eq!(world.refusal(request).0, "flow_not_published");
}

/// T
#[test]
fn a_trigger_is_discarded_before_its_contact_is_looked_for() {
    let world = World::with([declared(json!([{"name": "cart", "required": true}]))]);
    let request = TriggerRequest::new("f").discard_time(world.now());
    assert_eq!(world.trigger(request), Triggered::Discarded);
}

/// T
#[test]
fn the_contact_is_looked_for_before_inputs_are_checked() {
    let world = World::with([declared(json!([{"name": "cart", "required": true}]))]);
    assert_eq!(
        world.refusal(TriggerRequest::new("f")),
        ("invalid_input", "`contact` must be given: a `contact_id`, a `phone` or an `address`".to_owned())
    );
}

/// T
#[test]
fn inputs_are_checked_before_the_contacts_opt_out() {
    let world = World::with([question("q"), declared(json!([{"name": "cart", "required": true}]))]);
    let session = world.start("q");
    block_on(world.bot.opt_out(&session.contact_id)).unwrap();
    assert_eq!(
        world.refusal(ada("f")),
        ("invalid_input", "`context.cart` is required by the flow's start node".to_owned())
    );
    assert_eq!(world.trigger(ada("f").context(json!({"cart": 1}))), Triggered::Refused(Refusal::OptedOut));
}

/// T
#[test]
fn opt_out_is_told_before_reentry_and_reentry_before_a_running_session() {
    let world = World::with([question("q").set("reentry", json!("once_ever"))]);
    let session = world.start("q");
    assert_eq!(world.trigger(ada("q")), Triggered::Refused(Refusal::OnceEver));
    block_on(world.bot.opt_out(&session.contact_id)).unwrap();
    assert_eq!(world.trigger(ada("q")), Triggered::Refused(Refusal::OptedOut));
}

/// T, S2
#[test]
fn what_is_due_is_applied_before_a_running_session_is_looked_for() {
    let world = World::with([question("q")]);
    let first = world.start("q");
    world.pass(minutes(30));
    let second = world.start("q");
    assert_eq!(world.state(first.session_id), Status::Expired);
    assert_eq!(world.state(second.session_id), Status::Waiting);
}

// --- T1: which flows start by call
// -------------------------------------------------------------------------------------------------

/// T1
#[test]
fn an_unknown_flow_is_not_found() {
    let world = World::new();
    assert_eq!(world.refusal(ada("nowhere")), ("flow_not_found", "flow `nowhere` does not exist".to_owned()));
}

/// T1
#[test]
fn a_draft_is_not_published() {
    let world = World::new();
    block_on(world.flows().import(&question("q").json())).unwrap();
    assert_eq!(
        world.refusal(ada("q")),
        ("flow_not_published", "flow `q` is not published with a manual trigger".to_owned())
    );
}

/// T1
#[test]
fn a_flow_that_messages_start_is_not_started_by_call() {
    let world = World::with([question("q").on(json!([{"match": "any"}]))]);
    assert_eq!(world.refusal(ada("q")).0, "flow_not_published");
}

/// T1
#[test]
fn a_deleted_flow_is_not_found() {
    let world = World::with([echo("f", "Hi")]);
    block_on(world.flows().unpublish(&id("f"), Unpublish::Drain)).unwrap();
    block_on(world.flows().delete(&id("f"))).unwrap();
    assert_eq!(world.refusal(ada("f")).0, "flow_not_found");
}

/// T1
#[test]
fn a_flow_of_another_workspace_is_not_found() {
    let world = World::with([question("q")]);
    let elsewhere = world.bot.in_workspace("elsewhere");
    assert_eq!(told(block_on(elsewhere.trigger(ada("q")))).0, "flow_not_found");
}

// --- T4: inputs
// -------------------------------------------------------------------------------------------------

/// T4
#[test]
fn undeclared_inputs_are_kept_when_nothing_is_declared() {
    let world = World::with([echo("f", "{{context | json}}")]);
    world.begin(ada("f").context(json!({"b": 1, "a": [true]})));
    assert_eq!(world.sent(), [r#"{"a":[true],"b":1}"#]);
    assert_eq!(world.notes(), []);
}

/// T4
#[test]
fn undeclared_inputs_are_dropped_with_an_event_each_when_some_are_declared() {
    let world = World::with([declared(json!([{"name": "a"}]))]);
    let session = world.begin(ada("f").context(json!({"a": 1, "b": 2, "c": 3}))).session_id;
    assert_eq!(world.sent(), [r#"{"a":1}"#]);
    let dropped = |key: &str| EventKind::InputDropped { session, key: key.into() };
    assert_eq!(world.notes(), [dropped("b"), dropped("c")]);
}

/// T4
#[test]
fn all_inputs_are_dropped_by_the_policy_none() {
    let world = World::with([echo("f", "{{context | json}}").start("input_policy", json!("none"))]);
    let session = world.begin(ada("f").context(json!({"a": 1}))).session_id;
    assert_eq!(world.sent(), ["{}"]);
    assert_eq!(world.notes(), [EventKind::InputDropped { session, key: "a".into() }]);
}

/// T4
#[test]
fn undeclared_inputs_are_kept_by_the_policy_any_beside_declared_ones() {
    let world = World::with([declared(json!([{"name": "a"}])).start("input_policy", json!("any"))]);
    world.begin(ada("f").context(json!({"a": 1, "b": 2})));
    assert_eq!(world.sent(), [r#"{"a":1,"b":2}"#]);
    assert_eq!(world.notes(), []);
}

/// T4
#[test]
fn a_missing_input_takes_its_default() {
    let world = World::with([declared(
        json!([{"name": "a", "default": {"x": 1}}, {"name": "b", "required": true, "default": "B"}, {"name": "c"}]),
    )]);
    world.begin(ada("f").context(json!({"b": null})));
    assert_eq!(world.sent(), [r#"{"a":{"x":1},"b":"B"}"#]);
}

/// T4
#[test]
fn a_missing_required_input_is_named() {
    let world = World::with([declared(json!([{"name": "cart_id", "required": true}]))]);
    let missing = ("invalid_input", "`context.cart_id` is required by the flow's start node".to_owned());
    assert_eq!(world.refusal(ada("f")), missing);
    assert_eq!(world.refusal(ada("f").context(json!({"cart_id": null}))), missing);
    assert_eq!(world.sent(), [""; 0]);
}

/// T4
#[test]
fn an_input_of_another_type_is_refused() {
    let cases = [
        ("string", json!(1), json!("1")),
        ("number", json!("x"), json!(1.5)),
        ("integer", json!(1.5), json!(7)),
        ("boolean", json!("true"), json!(true)),
        ("object", json!([]), json!({})),
        ("array", json!({}), json!([])),
    ];
    for (kind, wrong, right) in cases {
        let world = World::with([declared(json!([{"name": "a", "type": kind}]))]);
        assert_eq!(
            world.refusal(ada("f").context(json!({"a": wrong}))),
            ("invalid_input", format!("`context.a` must be of type `{kind}`"))
        );
        world.begin(ada("f").context(json!({"a": right})));
        assert_eq!(world.sent(), [json!({"a": right}).to_string()]);
    }
}

// --- T5: keys
// -------------------------------------------------------------------------------------------------

fn replayed(session: &chatflow::SessionRef) -> Triggered {
    Triggered::Started(chatflow::SessionRef { replayed: true, ..session.clone() })
}

/// T5
#[test]
fn the_same_key_and_request_answers_the_same_session_again() {
    let world = World::with([question("q")]);
    let session = world.begin(ada("q").uuid("k").context(json!({"a": 1, "b": 2})).out_id("o"));
    assert_eq!(
        world.trigger(ada("q").uuid("k").context(json!({"b": 2, "a": 1})).out_id("o")),
        replayed(&session)
    );
    assert_eq!(world.sent(), ["How are you?"]);
    assert_eq!(world.sessions(SessionFilter::all()).len(), 1);
}

/// T5
#[test]
fn a_key_is_replayed_after_the_session_ended() {
    let world = World::with([question("q")]);
    let session = world.begin(ada("q").uuid("k"));
    world.say("Fine");
    assert_eq!(world.state(session.session_id), Status::Completed);
    assert_eq!(world.trigger(ada("q").uuid("k")), replayed(&session));
    assert_eq!(world.sent(), ["How are you?", "Fine!"]);
}

/// T5
#[test]
fn a_key_is_replayed_after_the_discard_time() {
    let world = World::with([question("q")]);
    let request = || ada("q").uuid("k").discard_time("2026-05-07T09:00:00Z".parse().unwrap());
    let session = world.begin(request());
    world.pass(hours(2));
    assert_eq!(world.trigger(request()), replayed(&session));
    assert_eq!(world.trigger(request().uuid("other")), Triggered::Discarded);
}

/// T5
#[test]
fn a_key_is_replayed_with_another_claim_or_discard_time() {
    let world = World::with([question("q")]);
    let session = world.begin(ada("q").uuid("k").claim_time(world.now()));
    world.pass(minutes(1));
    let restamped = ada("q").uuid("k").claim_time(world.now()).discard_time(world.now() + hours(1));
    assert_eq!(world.trigger(restamped), replayed(&session));
}

/// T5
#[test]
fn a_key_with_another_context_contact_or_out_id_is_a_conflict() {
    let world = World::with([question("q")]);
    let request = || ada("q").uuid("k").context(json!({"a": 1})).out_id("o");
    let session = world.begin(request());
    let conflict = ("idempotency_conflict", "key `k` was used for another request".to_owned());
    assert_eq!(world.refusal(request().context(json!({"a": 2}))), conflict);
    assert_eq!(world.refusal(request().context(json!({"a": "1"}))), conflict);
    assert_eq!(world.refusal(request().phone(BOB)), conflict);
    assert_eq!(world.refusal(request().contact_id("ada")), conflict);
    assert_eq!(world.refusal(request().out_id("p")), conflict);
    assert_eq!(world.trigger(request()), replayed(&session));
}

/// T5
#[test]
fn a_contact_that_is_written_differently_is_the_same_request() {
    let world = World::with([question("q")]);
    let session = world.begin(ada("q").uuid("k"));
    let request = TriggerRequest::new("q").phone("+1 (415) 555-0123").uuid("k");
    assert_eq!(world.trigger(request), replayed(&session));
}

/// T5
#[test]
fn a_key_is_one_workspaces_and_one_flows() {
    let world = World::with([echo("f", "f"), echo("g", "g")]);
    let elsewhere = world.bot.in_workspace("elsewhere");
    block_on(elsewhere.flows().ensure(&echo("f", "elsewhere").json())).unwrap();
    world.begin(ada("f").uuid("k"));
    world.begin(ada("g").uuid("k"));
    assert!(
        matches!(block_on(elsewhere.trigger(ada("f").uuid("k"))), Ok(Triggered::Started(s)) if !s.replayed)
    );
    assert_eq!(world.sent(), ["f", "g", "elsewhere"]);
}

/// T5
#[test]
fn a_key_is_kept_for_24_hours() {
    let world = World::with([echo("f", "Hi")]);
    let session = world.begin(ada("f").uuid("k"));
    world.tick_after(hours(24) - A_MOMENT);
    assert_eq!(world.trigger(ada("f").uuid("k")), replayed(&session));
    world.tick_after(A_MOMENT);
    assert_ne!(world.begin(ada("f").uuid("k")).session_id, session.session_id);
}

/// T5
#[test]
fn a_key_is_kept_until_the_discard_time_if_that_is_later() {
    let world = World::with([echo("f", "Hi")]);
    let until = world.now() + days(3);
    let session = world.begin(ada("f").uuid("k").discard_time(until));
    world.tick_after(days(3) - A_MOMENT);
    assert_eq!(world.trigger(ada("f").uuid("k")), replayed(&session));
    world.tick_after(A_MOMENT);
    world.begin(ada("f").uuid("k"));
}

/// T5
#[test]
fn a_key_is_kept_for_30_days_at_most() {
    let world = World::with([echo("f", "Hi")]);
    let session = world.begin(ada("f").uuid("k").discard_time(world.now() + days(300)));
    world.tick_after(days(30) - A_MOMENT);
    assert_eq!(world.trigger(ada("f").uuid("k")), replayed(&session));
    world.tick_after(A_MOMENT);
    world.begin(ada("f").uuid("k"));
}

/// T5
#[test]
fn the_retention_of_keys_is_the_hosts_choice() {
    let world = World::built(|builder| builder.key_retention(std::time::Duration::from_secs(60)));
    world.publish([echo("f", "Hi")]);
    let session = world.begin(ada("f").uuid("k"));
    world.pass(minutes(1) - A_MOMENT);
    assert_eq!(world.trigger(ada("f").uuid("k")), replayed(&session));
    world.pass(A_MOMENT);
    world.begin(ada("f").uuid("k"));
}

/// T5
#[test]
fn already_running_is_recorded_under_its_key() {
    let world = World::with([question("q")]);
    let session = world.start("q");
    assert_eq!(world.trigger(ada("q").uuid("k")), Triggered::AlreadyRunning(session.clone()));
    world.say("Fine");
    let replay = chatflow::SessionRef { replayed: true, ..session };
    assert_eq!(world.trigger(ada("q").uuid("k")), Triggered::AlreadyRunning(replay));
}

/// T5
#[test]
fn a_start_that_fails_in_its_first_turn_is_recorded() {
    let world = World::with([echo("f", "{{1 / 0}}")]);
    let session = world.begin(ada("f").uuid("k"));
    assert_eq!(world.state(session.session_id), Status::Failed);
    assert_eq!(world.trigger(ada("f").uuid("k")), replayed(&session));
}

/// T5
#[test]
fn errors_discards_and_refusals_leave_the_key_unused() {
    let world = World::with([
        declared(json!([{"name": "a", "required": true}])).set("reentry", json!({"cooldown": "1h"}))
    ]);
    let good = || ada("f").uuid("k").context(json!({"a": 1}));
    assert_eq!(world.refusal(ada("f").uuid("k")).0, "invalid_input");
    assert_eq!(world.trigger(good().discard_time(world.now())), Triggered::Discarded);
    world.begin(good().uuid("first"));
    let until = world.now() + hours(1);
    assert_eq!(world.trigger(good()), Triggered::Refused(Refusal::Cooldown { until }));
    world.pass(hours(1));
    let other = ada("f").uuid("k").context(json!({"a": 2}));
    world.begin(other);
    assert_eq!(world.sent(), [r#"{"a":1}"#, r#"{"a":2}"#]);
}

/// T5
#[test]
fn of_first_uses_at_the_same_time_one_starts_and_the_others_replay_it() {
    let world = World::with([question("q")]);
    let answers: Vec<Triggered> = thread::scope(|scope| {
        let runs: Vec<_> = (0..8).map(|_| scope.spawn(|| world.trigger(ada("q").uuid("k")))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let session = answers[0].session().unwrap();
    let first = Triggered::Started(chatflow::SessionRef { replayed: false, ..session.clone() });
    assert_eq!(answers.iter().filter(|answer| **answer == first).count(), 1);
    assert_eq!(answers.iter().filter(|answer| **answer == replayed(session)).count(), 7);
    assert_eq!(world.sent(), ["How are you?"]);
}

type Shaky = Faulty<Arc<MemoryStore>>;

/// An engine on a store that fails on purpose.
pub(crate) fn on_faulty() -> (Engine<Shaky>, Shaky, Recorder) {
    let (store, channel) = (Faulty::new(Arc::new(MemoryStore::new())), Recorder::new());
    let bot = Engine::builder(store.clone())
        .transport(channel.clone())
        .clock(ManualClock::default())
        .ids(CountingIds::new())
        .build();
    block_on(bot.flows().ensure(&question("q").json())).unwrap();
    (bot, store, channel)
}

/// T5
#[test]
fn a_trigger_whose_commit_may_have_happened_finds_its_own_session() {
    for key in [None, Some("k")] {
        let (bot, store, channel) = on_faulty();
        let request = || key.into_iter().fold(ada("q"), TriggerRequest::uuid);
        store.fail_after(1, Fault::After);
        let started = block_on(bot.trigger(request())).unwrap();
        let session = started.session().unwrap().clone();
        assert_eq!(started, Triggered::Started(chatflow::SessionRef { replayed: false, ..session.clone() }));
        assert_eq!(channel.take_texts(), ["How are you?"]);
        let stored = block_on(store.inner().session(bot.workspace().unwrap(), session.session_id));
        assert_eq!(*stored.unwrap().unwrap().contact(), session.contact_id);
    }
}

/// T5
#[test]
fn a_session_that_is_found_after_an_unknown_commit_names_the_contact_that_has_the_address() {
    for key in [None, Some("k")] {
        let (bot, store, _) = on_faulty();
        let known = block_on(bot.trigger(ada("q").contact_id("ada"))).unwrap();
        let _ = block_on(bot.cancel(known.session().unwrap().session_id)).unwrap();
        store.fail_after(1, Fault::After);
        let started = block_on(bot.trigger(key.into_iter().fold(ada("q"), TriggerRequest::uuid))).unwrap();
        assert_eq!(started.session().unwrap().contact_id, contact_id("ada"));
    }
}

// --- T6: already running, concurrency, re-entry
// -------------------------------------------------------------------------------------------------

/// T6
#[test]
fn a_second_trigger_reports_already_running() {
    let world = World::with([question("q")]);
    let session = world.start("q");
    assert_eq!(world.trigger(ada("q").context(json!({"other": 1}))), Triggered::AlreadyRunning(session));
    assert_eq!(world.sent(), ["How are you?"]);
}

/// T6
#[test]
fn ended_sessions_never_block() {
    let world = World::with([question("q")]);
    let cancelled = world.start("q").session_id;
    let _ = block_on(world.bot.cancel(cancelled)).unwrap();
    let completed = world.start("q").session_id;
    world.say("Fine");
    let expired = world.start("q").session_id;
    world.pass(minutes(30));
    world.start("q");
    let ends = [cancelled, completed, expired].map(|session| world.state(session));
    assert_eq!(ends, [Status::Cancelled, Status::Completed, Status::Expired]);
}

/// T6
#[test]
fn a_session_of_an_older_version_is_already_running() {
    let world = World::with([question("q")]);
    let session = world.start("q");
    world.publish([question("q").send("more", "More")]);
    assert_eq!(session.flow_version.0, 1);
    assert_eq!(world.trigger(ada("q")), Triggered::AlreadyRunning(session));
}

/// T6
#[test]
fn other_flows_and_other_contacts_run_beside() {
    let world = World::with([question("q"), question("r")]);
    let sessions = [world.start("q"), world.start("r"), world.begin(TriggerRequest::new("q").phone(BOB))];
    assert_eq!(sessions.map(|session| world.state(session.session_id)), [Status::Waiting; 3]);
}

/// T6
#[test]
fn a_flow_that_wants_the_contact_for_itself_is_refused_while_another_runs() {
    let world =
        World::with([question("q"), question("only").set("concurrency", json!({"per_contact": "reject"}))]);
    world.start("q");
    assert_eq!(world.trigger(ada("only")), Triggered::Refused(Refusal::Busy));
    world.say("Fine");
    let only = world.start("only");
    assert_eq!(world.trigger(ada("only")), Triggered::AlreadyRunning(only));
    world.start("q");
}

/// T6
#[test]
fn a_flow_that_interrupts_ends_every_session_of_the_contact() {
    let world = World::with([
        question("q"),
        question("r"),
        question("now").set("concurrency", json!({"per_contact": "interrupt"})),
    ]);
    let ended = [world.start("q").session_id, world.start("r").session_id];
    let now = world.start("now").session_id;
    let reasons = ended.map(|session| (world.state(session), world.session(session).ended_by()));
    let interrupted = (Status::Cancelled, Some(chatflow::session::EndReason::Interrupted));
    assert_eq!(reasons, [interrupted; 2]);
    assert_eq!(world.state(now), Status::Waiting);
}

/// T6
#[test]
fn an_unlimited_flow_runs_beside_itself() {
    let world = World::with([question("q").set("concurrency", json!("unlimited"))]);
    let (first, second) = (world.start("q"), world.start("q"));
    assert_ne!(first.session_id, second.session_id);
    assert_eq!([world.state(first.session_id), world.state(second.session_id)], [Status::Waiting; 2]);
}

/// T6
#[test]
fn a_flow_that_runs_once_ever_does_so_once_with_each_contact() {
    let world = World::with([echo("f", "Hi").set("reentry", json!("once_ever"))]);
    world.start("f");
    world.tick_after(days(365));
    assert_eq!(world.trigger(ada("f")), Triggered::Refused(Refusal::OnceEver));
    world.begin(TriggerRequest::new("f").phone(BOB));
    assert_eq!(world.sent(), ["Hi", "Hi"]);
}

/// T6
#[test]
fn a_flow_that_cools_down_starts_again_from_that_instant_on() {
    let world = World::with([echo("f", "Hi").set("reentry", json!({"cooldown": "2h"}))]);
    let until = world.now() + hours(2);
    world.start("f");
    world.pass(hours(2) - A_MOMENT);
    assert_eq!(world.trigger(ada("f")), Triggered::Refused(Refusal::Cooldown { until }));
    world.pass(A_MOMENT);
    world.start("f");
}

// --- T7: discard
// -------------------------------------------------------------------------------------------------

/// T7
#[test]
fn a_trigger_is_discarded_from_its_discard_time_on() {
    let world = World::with([echo("f", "Hi")]);
    let at = world.now() + minutes(5);
    let request = || ada("f").discard_time(at).uuid("k");
    world.pass(minutes(5));
    assert_eq!(world.trigger(request()), Triggered::Discarded);
    world.clock.set(at - A_MOMENT);
    world.begin(request());
    assert_eq!(world.sent(), ["Hi"]);
}

/// T7
#[test]
fn a_discarded_trigger_leaves_no_session_and_no_contact() {
    let world = World::with([echo("f", "Hi")]);
    let request = ada("f").contact_id("ada").discard_time(world.now());
    assert_eq!(world.trigger(request), Triggered::Discarded);
    assert!(block_on(world.bot.contact(&contact_id("ada"))).unwrap().is_none());
    assert_eq!(world.sessions(SessionFilter::all()).len(), 0);
    assert_eq!(world.sent(), [""; 0]);
}

/// T7
#[test]
fn the_claim_time_is_now_when_none_is_given_and_decides_nothing() {
    let world = World::with([echo("f", "{{trigger.claim_time}}")]);
    world.start("f");
    world.begin(ada("f").claim_time("2031-01-01T00:00:00Z".parse().unwrap()));
    world.begin(ada("f").claim_time("1999-01-01T00:00:00Z".parse().unwrap()));
    assert_eq!(world.sent(), ["2026-05-07T08:14:23Z", "2031-01-01T00:00:00Z", "1999-01-01T00:00:00Z"]);
}

// --- T8: campaigns
// -------------------------------------------------------------------------------------------------

const PHONES: [&str; 5] = ["+14155550101", "+14155550102", "no phone", "+14155550104", "+14155550105"];

fn run(world: &World, width: usize, phones: &[&str]) -> (Vec<String>, chatflow::ops::Progress) {
    let requests = phones.iter().map(|phone| TriggerRequest::new("f").phone(*phone).campaign("spring"));
    let mut campaign = world.bot.trigger_many(width, requests);
    let mut outcomes = Vec::new();
    while let Some(outcome) = block_on(campaign.next()) {
        outcomes.push(match outcome {
            Ok(Triggered::Started(session)) => {
                let contact = world.contact(&session.contact_id);
                let again = if session.replayed { " again" } else { "" };
                format!("{}{again}", contact.addresses[0])
            }
            other => told(other).0.to_owned(),
        });
    }
    (outcomes, campaign.progress())
}

/// T8
#[test]
fn a_campaign_answers_each_contact_in_order_and_counts() {
    for width in [0, 1, 2, 100] {
        let world = World::with([echo("f", "Hi")]);
        let (outcomes, progress) = run(&world, width, &PHONES);
        assert_eq!(
            outcomes,
            ["+14155550101", "+14155550102", "invalid_input", "+14155550104", "+14155550105"]
        );
        assert_eq!(
            format!("{progress:?}"),
            "Progress { done: 5, started: 4, replayed: 0, already_running: 0, refused: 0, discarded: 0, failed: 1 }"
        );
        assert_eq!(world.sent(), ["Hi"; 4]);
    }
}

/// T8
#[test]
fn a_second_run_of_a_campaign_goes_on_where_the_first_stopped() {
    let world = World::with([echo("f", "Hi")]);
    run(&world, 2, &PHONES[..2]);
    let (outcomes, progress) = run(&world, 2, &PHONES);
    assert_eq!(
        outcomes,
        ["+14155550101 again", "+14155550102 again", "invalid_input", "+14155550104", "+14155550105"]
    );
    assert_eq!(progress.started, 4);
    assert_eq!(world.sent(), ["Hi"; 4]);
}

/// T8
#[test]
fn a_campaigns_key_is_its_name_and_the_contact_as_given() {
    let world = World::with([echo("f", "{{trigger.uuid}} {{trigger.campaign}}")]);
    let requests = [
        ada("f").campaign("spring"),
        TriggerRequest::new("f").contact_id("bob").phone(BOB).campaign("spring"),
        ada("f").campaign("spring").uuid("own"),
    ];
    let mut campaign = world.bot.trigger_many(1, requests);
    while let Some(outcome) = block_on(campaign.next()) {
        assert!(matches!(outcome, Ok(Triggered::Started(_))));
    }
    assert_eq!(world.sent(), ["spring:+14155550123 spring", "spring:bob spring", "own spring"]);
}

// --- T9: what is answered
// -------------------------------------------------------------------------------------------------

/// T9
#[test]
fn a_start_names_session_flow_version_and_contact() {
    let world = World::with([question("q")]);
    block_on(world.flows().rename(&id("q"), "Well-being")).unwrap();
    let session = world.begin(ada("q").contact_id("ada"));
    let digest = block_on(world.flows().versions(&id("q"))).unwrap()[0].digest;
    assert_eq!(
        serde_json::to_value(&session).unwrap(),
        json!({
            "session_id": session.session_id, "flow_id": "q", "flow_name": "Well-being", "flow_version": 1,
            "flow_digest": format!("{digest:032x}"), "contact_id": "ada", "status": "waiting", "replayed": false,
        })
    );
}

// --- S7: sizes of a request
// -------------------------------------------------------------------------------------------------

/// S7
#[test]
fn ids_and_keys_have_1_to_256_bytes_without_control_characters() {
    let world = World::with([flow("f").wait("w").set("concurrency", json!("unlimited"))]);
    type Give = fn(TriggerRequest, &str) -> TriggerRequest;
    let with: [(&str, Give); 4] = [
        ("contact_id", |request, text| request.contact_id(text)),
        ("uuid", |request, text| request.uuid(text)),
        ("out_id", |request, text| request.out_id(text)),
        ("campaign", |request, text| request.campaign(text)),
    ];
    for (field, give) in with {
        world.begin(give(TriggerRequest::new("f").contact_id("x"), &"n".repeat(256)));
        for (text, rule) in [
            ("n".repeat(257), "must have at most 256 bytes"),
            (format!("{}ü", "n".repeat(255)), "must have at most 256 bytes"),
            (String::new(), "must not be empty"),
            ("a\nb".to_owned(), "must not contain control characters"),
        ] {
            assert_eq!(
                world.refusal(give(TriggerRequest::new("f").contact_id("x"), &text)),
                ("invalid_input", format!("`{field}` {rule}"))
            );
        }
    }
}

/// S7
#[test]
fn a_context_has_at_most_64_kib() {
    let world = World::with([flow("f")]);
    // Around the text: the object's and the entry's own bytes.
    let with = |length: usize| world.try_trigger(ada("f").context(json!({"a": "x".repeat(length)})));
    let most = (65_000..=65_536).rev().find(|length| with(*length).is_ok()).unwrap();
    let session = with(most).unwrap().session().unwrap().session_id;
    assert_eq!(world.session(session).context().byte_len(), 65_536);
    assert_eq!(told(with(most + 1)).0, "invalid_input");
}

/// S7
#[test]
fn a_context_is_at_most_16_levels_deep() {
    let world = World::with([flow("f")]);
    let nested = |depth: usize| (1..depth).fold(json!({}), |inner, _| json!({"a": inner}));
    world.begin(ada("f").context(nested(16)));
    assert_eq!(world.refusal(ada("f").context(nested(17))).0, "invalid_input");
}

/// S7
#[test]
fn a_contact_has_at_most_as_many_live_sessions_as_are_allowed() {
    let world = World::built(|builder| builder.limits(Limits { live_sessions: 3, ..Limits::default() }));
    world.publish([question("q").set("concurrency", json!("unlimited"))]);
    let sessions: Vec<_> = (0..3).map(|_| world.begin(ada("q").contact_id("ada"))).collect();
    assert_eq!(
        world.refusal(ada("q")),
        ("too_many_sessions", "contact `ada` already has 3 live sessions, the maximum".to_owned())
    );
    let _ = block_on(world.bot.cancel(sessions[0].session_id)).unwrap();
    world.begin(ada("q"));
}

/// S7
#[test]
fn a_context_has_at_most_as_many_bytes_as_the_host_allows() {
    let bytes = {
        let world = World::with([flow("f")]);
        let session = world.begin(ada("f").context(json!({"a": "x".repeat(100)}))).session_id;
        world.session(session).context().byte_len()
    };
    let world = World::built(|builder| builder.limits(Limits { variable_bytes: bytes, ..Limits::default() }));
    world.publish([flow("f")]);
    world.begin(ada("f").context(json!({"a": "x".repeat(100)})));
    assert_eq!(
        world.refusal(ada("f").context(json!({"a": "x".repeat(101)}))),
        ("invalid_input", format!("`context.a` must take at most {bytes} bytes"))
    );
}

/// S7
#[test]
fn a_flow_has_at_most_as_many_nodes_as_are_allowed() {
    for (allowed, codes) in [(4, vec![]), (3, vec![]), (2, vec!["too_many_nodes"])] {
        let world = World::built(|builder| builder.limits(Limits { nodes: allowed, ..Limits::default() }));
        let imported =
            block_on(world.flows().import(&flow("f").send("a", "1").send("b", "2").json())).unwrap();
        let found: Vec<&str> = imported.issues.errors().map(|issue| issue.code.as_str()).collect();
        assert_eq!(found, codes);
    }
}
