//! Issues that keep a right flow from going online: accounts, and the flows that it calls.

use chatflow::flow::Issues;
use serde_json::{Value, json};

use super::kit::*;

/// L5: what keeps a right flow from going online where it is bound: nothing is bound, or another
/// takes it all.
pub(crate) fn on_accounts() -> [Issues; 2] {
    let any = |code: &str| {
        let flow = set(one(json!({"id": "n", "kind": "end"})), "code", json!(code));
        set(flow, "trigger", json!({"kind": "inbound", "channel": "whatsapp"})).to_string()
    };
    let account = |name: &str| chatflow::Account::new(chatflow::Channel::WhatsApp, name).unwrap();
    let refused = |outcome: Result<_, chatflow::Error>| match outcome {
        Err(chatflow::Error::Issues(issues)) => issues,
        other => panic!("{other:?}"),
    };
    pollster::block_on(async {
        let bot = chatflow::Engine::builder(chatflow::MemoryStore::new()).build();
        let first = bot.flows().import(&any("first")).await.unwrap().status.flow;
        let unbound = refused(bot.flows().publish(&first).await);
        bot.flows().bind(&first, [account("+1"), account("+2")]).await.unwrap();
        assert_eq!(bot.flows().publish(&first).await.unwrap().online, Some(chatflow::id::FlowVersion(1)));

        let second = bot.flows().import(&any("second")).await.unwrap().status.flow;
        bot.flows().bind(&second, [account("+2")]).await.unwrap();
        let twice = refused(bot.flows().publish(&second).await);
        bot.flows().bind(&second, [account("+3")]).await.unwrap();
        assert!(bot.flows().publish(&second).await.is_ok());
        [unbound, twice]
    })
}

#[test]
fn a_flow_that_messages_start_needs_an_account_that_no_other_takes_all_of() {
    assert_eq!(
        on_accounts().map(|issues| issues.to_string()),
        [
            "trigger: is bound to no whatsapp account (unbound_account)",
            "trigger: takes any message on whatsapp:+2, and so does flow \"first\" (two_any_triggers)"
        ]
    );
}

/// A flow of one call, or of two nodes of which the second is a call, or of none.
fn calls(code: &str, nodes: Value) -> String {
    let mut edges = vec![];
    let mut before = json!("s");
    for node in nodes.as_array().unwrap() {
        edges.push(json!({"from": before, "to": node["id"]}));
        before = node["id"].clone();
    }
    set(flow(nodes, json!(edges)), "code", json!(code)).to_string()
}

/// C, N9: what keeps a right flow from going online for the flows that it calls.
#[test]
fn a_flow_calls_flows_that_are_there_and_not_itself_through_them_with_no_wait() {
    let bot = chatflow::Engine::builder(chatflow::MemoryStore::new()).build();
    let publish = |json: String| match pollster::block_on(bot.flows().ensure(&json)) {
        Err(chatflow::Error::Issues(issues)) => format!("{issues:#}"),
        other => other.map(|status| status.flow.to_string()).unwrap(),
    };
    let import = |json: String| drop(pollster::block_on(bot.flows().import(&json)).unwrap());
    let wait = || json!({"id": "w", "kind": "wait_reply"});
    let say = || json!({"id": "say", "kind": "send_message", "text": "Hi"});

    import(calls("address", json!([wait()])));
    assert_eq!(
        publish(calls("a", json!([say(), call("adress")]))),
        "node \"call\": flow: there is no flow \"adress\"; did you mean \"address\"? (unknown_subflow); \
         import that flow first, or name another one"
    );
    assert_eq!(publish(calls("a", json!([say(), call("address")]))), "a", "it need not be online");

    import(calls("b", json!([wait()])));
    assert_eq!(publish(calls("a", json!([say(), call("b")]))), "a");
    assert_eq!(publish(calls("c", json!([call("a")]))), "c");
    assert_eq!(
        publish(calls("b", json!([say(), call("c")]))),
        "node \"call\": \"b\" -> \"c\" -> \"a\" -> \"b\" never waits (endless_recursion); \
         put a wait before one of the calls"
    );
    assert_eq!(publish(calls("b", json!([wait(), call("c")]))), "b");

    // What a call comes back from without a wait is walked through; a terminal one does not come
    // back.
    let then = |first: Value| {
        let mut again = call("d");
        again["id"] = json!("again");
        publish(calls("d", json!([first, again])))
    };
    publish(calls("quick", json!([say()])));
    publish(calls("slow", json!([say(), wait()])));
    publish(calls("through", json!([call("quick")])));
    let endless = "\"d\" -> \"d\" never waits (endless_recursion)";
    assert_eq!(then(call("slow")), "d");
    assert!(then(call("through")).contains(endless), "{}", then(call("through")));
    let mut terminal = call("slow");
    terminal["terminal"] = json!(true);
    terminal["id"] = json!("last");
    let failing = flow(
        json!([terminal, call("e")]),
        json!([{"from": "s", "to": "last"}, {"from": "last", "branch": "failed", "to": "call"}]),
    );
    assert!(publish(set(failing, "code", json!("e")).to_string()).contains("calls its own flow"));
}

/// N9
#[test]
fn a_terminal_call_leaves_by_failed_alone_and_keeps_nothing() {
    let terminal = |fields: Value, branch: &str| {
        let mut node = json!({"id": "n", "kind": "call_flow", "flow": "other", "terminal": true});
        node.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let edge = json!({"from": "n", "branch": branch, "to": "e"});
        first(flow(json!([node, {"id": "e", "kind": "end"}]), json!([{"from": "s", "to": "n"}, edge])))
    };
    assert_eq!(terminal(json!({}), "failed"), "");
    assert_eq!(
        terminal(json!({}), "next"),
        "edges[1]: leaves \"n\" by branch \"next\", which it does not have (unknown_branch)"
    );
    assert_eq!(
        terminal(json!({"output": [{"name": "a", "expr": "vars.a"}]}), "failed"),
        "node \"n\": output: has no meaning for a terminal call (bad_value)"
    );
}
