//! The examples do what they say, and the store of one's own keeps the contract.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../examples/campaign.rs"]
#[allow(dead_code, reason = "a program's entry is not needed here")]
mod campaign;
#[path = "../examples/function_call.rs"]
#[allow(dead_code, reason = "a program's entry is not needed here")]
mod function_call;
#[path = "../examples/own_store.rs"]
#[allow(dead_code, reason = "a program's entry is not needed here")]
mod own_store;
mod store_kit;

use chatflow::store::{
    Commit, Committed, ConversationStore, Lease, Live, Lookup, Purge, Purged, Settle, Settled,
};
use chatflow::{Engine, Inbound, TriggerRequest};
use own_store::OwnStore;
use pollster::block_on;
use store_kit::{
    at, by_alias, by_contact, commit, contact, due, ended, flow, key_name, key_record, opaque, phone,
    record_with, session, session_alias, settle, shop, take, text_of, token,
};

fn ask(store: &OwnStore, lookup: &Lookup) -> chatflow::store::Loaded {
    block_on(store.load(lookup)).unwrap()
}

fn write(store: &OwnStore, commit: Commit) -> Committed {
    block_on(store.commit(commit)).unwrap()
}

#[track_caller]
fn apply(store: &OwnStore, commit: Commit) -> u64 {
    match write(store, commit) {
        Committed::Applied { revision, .. } => revision,
        refused => panic!("{refused:?}"),
    }
}

fn note(store: &OwnStore, settle: &Settle) -> Settled {
    block_on(store.settle(settle)).unwrap()
}

fn claimed(store: &OwnStore, by: u128, now: i64) -> Vec<(String, u32)> {
    let leased = block_on(store.lease_due(&due(by, at(now)))).unwrap();
    leased.conversations.iter().map(|one| (one.stored.contact.to_string(), one.claims)).collect()
}

#[test]
fn the_own_store_writes_to_the_expected_revision_only() {
    let store = OwnStore::default();
    assert_eq!(write(&store, commit("ann", Some(1))), Committed::Conflict);
    let first = apply(&store, commit("ann", None));
    assert_eq!(write(&store, commit("ann", None)), Committed::Conflict);
    let second = apply(&store, Commit { record: opaque("new"), ..commit("ann", Some(first)) });
    assert_ne!(first, second);
    let refused =
        Commit { record: opaque("lost"), add_aliases: vec![phone(1)], ..commit("ann", Some(first)) };
    assert_eq!(write(&store, refused), Committed::Conflict);
    let found = ask(&store, &by_contact("ann")).conversation.unwrap();
    assert_eq!((found.revision, text_of(&found.record).as_str()), (second, "new"));
    assert!(ask(&store, &by_alias(phone(1))).conversation.is_none(), "all or nothing");
}

#[test]
fn the_own_store_takes_a_key_once_until_it_expires() {
    let store = OwnStore::default();
    let with_key = |who: &str, now, until| Commit {
        key: Some((key_name("cart", "k"), key_record(who, 1, at(until)))),
        now: at(now),
        ..commit(who, None)
    };
    apply(&store, with_key("ann", 0, 10));
    assert_eq!(write(&store, with_key("bob", 9, 30)), Committed::KeyTaken);
    let asked = |now| Lookup { key: Some(key_name("cart", "k")), now: at(now), ..by_contact("ann") };
    assert_eq!(ask(&store, &asked(9)).key, Some(key_record("ann", 1, at(10))));
    assert_eq!(ask(&store, &asked(10)).key, None);
    apply(&store, with_key("bob", 10, 30));
}

#[test]
fn the_own_store_gives_an_alias_to_one_contact() {
    let store = OwnStore::default();
    let first =
        apply(&store, Commit { add_aliases: vec![phone(1), session_alias(1)], ..commit("ann", None) });
    let taken = Committed::AliasTaken { alias: phone(1), holder: contact("ann") };
    let second = Commit { add_aliases: vec![phone(2), phone(1)], ..commit("bob", None) };
    assert_eq!(write(&store, second.clone()), taken);
    let again = Commit { add_aliases: vec![session_alias(1), phone(3)], ..commit("ann", Some(first)) };
    let revision = apply(&store, again);
    apply(&store, Commit { drop_aliases: vec![phone(1)], ..commit("eve", None) });
    assert_eq!(write(&store, second.clone()), taken, "eve can not drop what leads to ann");
    apply(&store, Commit { drop_aliases: vec![phone(1)], ..commit("ann", Some(revision)) });
    apply(&store, second);
    assert_eq!(ask(&store, &by_alias(phone(1))).conversation.unwrap().contact, contact("bob"));
}

#[test]
fn the_own_store_leases_to_one_token_at_a_time() {
    let store = OwnStore::default();
    let due_now = Commit { due_at: Some(at(0)), lease: take(1), ..commit("ann", None) };
    assert!(matches!(write(&store, due_now), Committed::Applied { leased: true, .. }));
    let seen =
        |by| ask(&store, &Lookup { token: token(by), ..by_contact("ann") }).conversation.unwrap().leased;
    assert!(seen(1) && !seen(2));
    let other = Commit { lease: take(2), due_at: Some(at(0)), ..commit("ann", Some(1)) };
    assert!(matches!(write(&store, other), Committed::Applied { leased: false, .. }));
    for lease in [Lease::Hold(token(2)), Lease::Free(token(2))] {
        assert_eq!(write(&store, Commit { lease, ..commit("ann", Some(2)) }), Committed::LeaseLost);
    }
    assert!(claimed(&store, 3, 29).is_empty());
    let leased = block_on(store.lease_due(&due(3, at(29)))).unwrap();
    assert_eq!(leased.next_due, Some(at(30)), "when the lease ends");
    assert_eq!(claimed(&store, 3, 30), [("ann".to_owned(), 1)]);
    assert!(claimed(&store, 4, 30).is_empty());
    assert_eq!(claimed(&store, 4, 60), [("ann".to_owned(), 2)]);
    let free =
        Commit { lease: Lease::Free(token(4)), due_at: Some(at(61)), now: at(61), ..commit("ann", Some(2)) };
    assert!(matches!(write(&store, free), Committed::Applied { leased: false, .. }));
    assert_eq!(claimed(&store, 5, 61), [("ann".to_owned(), 1)], "claims count anew after progress");
}

#[test]
fn the_own_store_claims_the_longest_overdue_first() {
    let store = OwnStore::default();
    for (who, due_at) in [("ann", 3), ("bob", 1), ("eve", 2), ("tim", 50)] {
        apply(&store, Commit { due_at: Some(at(due_at)), ..commit(who, None) });
    }
    let few = chatflow::store::Due { limit: 2, ..due(1, at(10)) };
    let leased = block_on(store.lease_due(&few)).unwrap();
    let names: Vec<_> = leased.conversations.iter().map(|one| one.stored.contact.to_string()).collect();
    assert_eq!((names, leased.next_due), (vec!["bob".to_owned(), "eve".to_owned()], Some(at(3))));
    assert!(leased.conversations.iter().all(|one| one.stored.leased));
}

#[test]
fn the_own_store_never_lowers_the_watermark() {
    let store = OwnStore::default();
    let revision = apply(&store, Commit { lease: take(1), ..commit("ann", None) });
    assert_eq!(note(&store, &settle("ann", 2, revision, 9)), Settled::LeaseLost);
    assert_eq!(note(&store, &settle("ann", 1, revision + 1, 5)), Settled::Conflict { settled: 5 });
    assert_eq!(note(&store, &settle("ann", 1, revision + 1, 3)), Settled::Conflict { settled: 5 });
    let due_then = Settle { due_at: Some(at(7)), ..settle("ann", 1, revision, 4) };
    assert_eq!(note(&store, &due_then), Settled::Done);
    assert_eq!(note(&store, &due_then), Settled::LeaseLost, "it is free");
    assert_eq!(ask(&store, &by_contact("ann")).conversation.unwrap().settled, 5);
    assert_eq!(claimed(&store, 3, 7), [("ann".to_owned(), 1)]);
    let aside = Settle { quarantine: true, due_at: Some(at(7)), now: at(8), ..settle("ann", 3, revision, 5) };
    assert_eq!(note(&store, &aside), Settled::Done);
    assert!(claimed(&store, 4, 99).is_empty());
    assert!(ask(&store, &by_contact("ann")).conversation.unwrap().quarantined);
    apply(&store, Commit { due_at: Some(at(7)), ..commit("ann", Some(revision)) });
    assert_eq!(claimed(&store, 5, 99), [("ann".to_owned(), 1)], "a commit ends a quarantine");
}

#[test]
fn the_own_store_counts_and_wakes_live_sessions() {
    let store = OwnStore::default();
    let sessions = [session(1, "cart", 1, at(0)), session(2, "cart", 2, at(0)), session(3, "menu", 1, at(0))];
    apply(&store, Commit { record: record_with("ann", &sessions), ..commit("ann", None) });
    apply(
        &store,
        Commit { record: record_with("bob", &sessions[..1]), due_at: Some(at(1)), ..commit("bob", None) },
    );
    let live = Live { workspace: shop(), flow: flow("cart"), version: None, wake_at: None };
    assert_eq!(block_on(store.live(&live)).unwrap(), 3);
    assert_eq!(claimed(&store, 1, 0), []);
    let second = Live { version: Some(chatflow::FlowVersion(2)), wake_at: Some(at(5)), ..live };
    assert_eq!(block_on(store.live(&second)).unwrap(), 1);
    let names: Vec<_> = claimed(&store, 1, 9).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["bob", "ann"]);
}

#[test]
fn the_own_store_purges_a_bounded_number() {
    let store = OwnStore::default();
    for number in 0..3_u128 {
        let who = format!("contact {number}");
        apply(
            &store,
            Commit {
                key: Some((key_name("cart", &who), key_record(&who, number, at(10)))),
                add_aliases: vec![session_alias(number)],
                ended: vec![ended(&who, number, at(0), at(10))],
                ..commit(&who, None)
            },
        );
    }
    let purge = |now, limit| {
        let purge = Purge { now: at(now), ended_before: at(now), journal_before: at(now), limit };
        block_on(store.purge(&purge)).unwrap()
    };
    assert_eq!(purge(9, 10), Purged::default());
    assert_eq!(purge(11, 2), Purged { keys: 2, sessions: 2, journal: 0, more: true });
    assert_eq!(purge(11, 1), Purged { keys: 1, sessions: 1, journal: 0, more: false });
    assert!(ask(&store, &by_alias(session_alias(0))).conversation.is_none());
    assert!(ask(&store, &by_contact("contact 0")).conversation.is_some());
}

#[test]
fn a_campaign_runs_on_the_own_store_and_is_answered() {
    const FLOW: &str = r#"{"spec": 1, "code": "hi", "trigger": {"kind": "manual"},
        "settings": {"sender": {"channel": "sms", "account": "+15550100"}},
        "nodes": [{"id": "start", "kind": "start"}, {"id": "hi", "kind": "send_message", "text": "Hi"},
                  {"id": "wait", "kind": "wait_reply", "timeout": "10m"}],
        "edges": [{"from": "start", "to": "hi"}, {"from": "hi", "to": "wait"}]}"#;
    let (outbox, clock) = (chatflow::testkit::Recorder::new(), chatflow::testkit::ManualClock::default());
    let bot = Engine::builder(OwnStore::default()).transport(outbox.clone()).clock(clock.clone()).build();
    block_on(async {
        bot.flows().ensure(FLOW).await.unwrap();
        for run in 0..2 {
            for number in 0..20 {
                let ask = TriggerRequest::new("hi")
                    .phone(format!("+1415555{number:04}"))
                    .uuid(format!("key {number}"));
                let triggered = bot.trigger(ask).await.unwrap();
                assert_eq!(triggered.session().unwrap().replayed, run > 0);
            }
        }
        let reply = Inbound::text(chatflow::Channel::Sms, "+15550100", "+14155550000", "hello");
        assert!(matches!(bot.receive(reply).await, Ok(chatflow::Received::Consumed { .. })));
        assert_eq!(bot.live(&flow("hi")).await.unwrap(), 19);
        clock.advance(chrono::TimeDelta::minutes(11));
        while bot.tick(7).await.unwrap().worked > 0 {}
        assert_eq!(bot.live(&flow("hi")).await.unwrap(), 0);
    });
    assert_eq!(outbox.sent().len(), 20);
}

#[test]
fn a_second_run_of_a_campaign_doubles_nothing() {
    let [first, second] = campaign::twice(100).unwrap();
    assert_eq!((first.progress.done, first.progress.started, first.replayed, first.sent), (100, 100, 0, 100));
    assert_eq!((second.progress.done, second.replayed, second.sent), (100, 100, 100));
}

#[test]
fn host_calls_are_answered_now_later_and_not_at_all() {
    let talk = function_call::talk().unwrap();
    assert_eq!(
        talk,
        [
            "< Which order is it?",
            "> A-1",
            "< Which order is it?",
            "> A-2",
            "< Which order is it?",
            "> B-7",
            "< We know no order B-7.",
            "< Grace sends you 25 EUR.",
            "(Resumed, then Stale)",
            "< Sorry, we can not refund that.",
            "(Resumed, then Stale)",
        ]
    );
}
