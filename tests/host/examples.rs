//! The examples do what they say. That the store of one's own keeps the contract is checked with
//! the other stores.

#[path = "../../examples/campaign.rs"]
#[allow(dead_code, reason = "a program's entry is not needed here")]
mod campaign;
#[path = "../../examples/function_call.rs"]
#[allow(dead_code, reason = "a program's entry is not needed here")]
mod function_call;
#[path = "../../examples/handoff.rs"]
#[allow(dead_code, reason = "a program's entry is not needed here")]
mod handoff;
#[path = "../../examples/operator.rs"]
#[allow(dead_code, reason = "a program's entry is not needed here")]
mod operator;
#[path = "../../examples/own_store.rs"]
#[allow(dead_code, reason = "a program's entry is not needed here")]
mod own_store;

use chatflow::{Engine, FlowId, Inbound, TriggerRequest};
use own_store::OwnStore;
use pollster::block_on;

#[test]
fn a_campaign_runs_on_the_own_store_and_is_answered() {
    const FLOW: &str = r#"{"spec": 1, "code": "hi", "trigger": {"kind": "manual"},
        "settings": {"sender": {"channel": "sms", "account": "+15550100"}},
        "nodes": [{"id": "start", "kind": "start"}, {"id": "hi", "kind": "send_message", "text": "Hi"},
                  {"id": "wait", "kind": "wait_reply", "timeout": "10m"}],
        "edges": [{"from": "start", "to": "hi"}, {"from": "hi", "to": "wait"}]}"#;
    let (outbox, clock) = (chatflow::testkit::Recorder::new(), chatflow::testkit::ManualClock::default());
    let bot = Engine::builder(OwnStore::default()).flow_store(chatflow::store::MemoryFlows::default());
    let bot = bot.transport(outbox.clone()).clock(clock.clone()).build();
    let hi = FlowId::new("hi").unwrap();
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
        assert_eq!(bot.live_sessions(&hi).await.unwrap(), 19);
        clock.advance(chrono::TimeDelta::minutes(11));
        while bot.tick(7).await.unwrap().worked > 0 {}
        assert_eq!(bot.live_sessions(&hi).await.unwrap(), 0);
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
            "< Sorry, we cannot refund that.",
            "(Resumed, then Stale)",
        ]
    );
}

#[test]
fn people_see_who_waits_for_them_and_hand_back() {
    let talk = block_on(handoff::talk()).unwrap();
    assert_eq!(
        talk,
        [
            "> hello",
            "< What is it about?",
            "> a bill",
            "< One moment, please.",
            "> it is too high",
            "# the contact writes: it is too high",
            "# for bill: somebody wrote: a bill",
            "# Resumed",
            "< Grace was glad to help.",
        ]
    );
}

#[test]
fn an_operators_day_ends_with_nothing_undelivered() {
    let day = block_on(operator::day()).unwrap();
    assert_eq!(
        day,
        [
            "the first went start, remind, wait, pick, checkout, bought",
            "pick: 2 visits, {\"1\": 1, \"else\": 1}",
            "the heat map is an SVG: true",
            "counted 3 starts, {Completed: 1} ends, Some((NodeId(pick), 2))",
            "result completed (checkout): {\"answer\":\"1\",\"cart_id\":\"7\"}",
            "taken from version 1 to 2 at wait",
            "taken from version 1 to 2 at wait",
            "not delivered to +14155550103: rejected: no such number",
            "after a requeue 0 are left",
            "erased 1 session, 1 address, 3 journal entries",
        ]
    );
}
