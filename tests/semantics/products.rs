//! The lists of the products' documents, one test for each; and the page that says which test
//! shows which row.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use chatflow::calls::{Answer, Call};
use chatflow::flow::{IssueCode, NodeKind};
use chatflow::ops::Unpublish;
use chatflow::testkit::{CountingIds, ManualClock, Recorder};
use chatflow::{
    Account, CallError, CallRequest, Channel, Clock, Engine, Error, Flow, FlowId, Inbound, MemoryStore,
    Received, TriggerRequest, Triggered, call_fn,
};
use pollster::block_on;
use serde_json::{Value, json};

const SHOP: &str = "+15550100";
const ADA: &str = "+14155550123";

fn bot(channel: &Recorder) -> Engine<MemoryStore> {
    Engine::builder(MemoryStore::new())
        .transport(channel.clone())
        .clock(ManualClock::default())
        .ids(CountingIds::new())
        .build()
}

/// A flow that says hello.
fn hello(trigger: &Value) -> String {
    json!({
        "spec": 1, "code": "hello", "name": "Hello", "trigger": trigger,
        "settings": {"sender": {"channel": "whatsapp", "account": SHOP}},
        "nodes": [{"id": "start", "kind": "start"}, {"id": "hi", "kind": "send_message", "text": "Hello"}],
        "edges": [{"from": "start", "to": "hi"}]
    })
    .to_string()
}

fn inbound(channel: &Channel) -> Value {
    json!({"kind": "inbound", "channel": channel, "rules": [{"match": "exact", "text": "hi"}]})
}

fn flow() -> FlowId {
    FlowId::new("hello").unwrap()
}

/// Alibaba, create on a blank canvas: manual, WhatsApp, Instagram, Viber, Messenger (SEMANTICS T1,
/// I4, L5).
#[test]
fn each_trigger_type_starts_its_flow() {
    let sent = Recorder::new();
    let shop = bot(&sent);
    block_on(shop.flows().ensure(&hello(&json!({"kind": "manual"})))).unwrap();
    let started = block_on(shop.trigger(TriggerRequest::new("hello").phone(ADA))).unwrap();
    assert!(matches!(started, Triggered::Started(_)));
    assert_eq!(sent.take_texts(), ["Hello"]);

    for (channel, from) in [
        (Channel::WhatsApp, ADA),
        (Channel::Instagram, "17841400000000000"),
        (Channel::Viber, ADA),
        (Channel::Messenger, "7000000000000001"),
    ] {
        let sent = Recorder::new();
        let shop = bot(&sent);
        let account = Account::new(channel.clone(), SHOP).unwrap();
        block_on(shop.flows().import(&hello(&inbound(&channel)))).unwrap();
        assert!(block_on(shop.flows().publish(&flow())).is_err(), "{channel}: bound to no account yet");
        block_on(shop.flows().bind(&flow(), [account])).unwrap();
        block_on(shop.flows().publish(&flow())).unwrap();
        let message = |text| Inbound::text(channel.clone(), SHOP, from, text);
        assert_eq!(block_on(shop.receive(message("else"))).unwrap(), Received::Unmatched, "{channel}");
        assert!(
            matches!(block_on(shop.receive(message("hi"))).unwrap(), Received::Started { .. }),
            "{channel}"
        );
        let messages = sent.sent();
        assert_eq!(messages.len(), 1, "{channel}");
        assert_eq!(messages[0].account().channel, channel);
    }
}

/// The actions on a flow, as the product's console has them.
const ACTIONS: &[&str] = &["basic information", "bind account", "logging", "publish", "delete"];

fn act(shop: &Engine<MemoryStore>, action: &str, account: &Account) -> Result<(), Error> {
    let (flows, flow) = (shop.flows(), flow());
    match action {
        "basic information" => {
            block_on(flows.rename(&flow, "Another"))?;
            block_on(flows.remark(&flow, "A remark")).map(drop)
        }
        "bind account" => block_on(flows.bind(&flow, [account.clone()])).map(drop),
        "logging" => block_on(flows.set_logging(&flow, true)).map(drop),
        "publish" => block_on(flows.publish(&flow)).map(drop),
        "delete" => block_on(flows.delete(&flow)),
        other => panic!("{other}"),
    }
}

/// Alibaba, flow states: Published allows basic information and logging; Unpublished also to bind
/// (no manual trigger), to publish and to delete. chatflow also publishes a newer draft over what
/// is online (SEMANTICS L2, L3).
#[test]
fn each_state_allows_what_the_product_says() {
    let triggers = [
        (json!({"kind": "manual"}), Channel::WhatsApp),
        (inbound(&Channel::WhatsApp), Channel::WhatsApp),
        (inbound(&Channel::Viber), Channel::Viber),
        (inbound(&Channel::Instagram), Channel::Instagram),
    ];
    for (trigger, channel) in triggers {
        let is_manual = trigger["kind"] == "manual";
        let account = Account::new(channel, SHOP).unwrap();
        for is_published in [true, false] {
            for action in ACTIONS {
                let shop = bot(&Recorder::new());
                block_on(shop.flows().import(&hello(&trigger))).unwrap();
                if !is_manual {
                    block_on(shop.flows().bind(&flow(), [account.clone()])).unwrap();
                }
                block_on(shop.flows().publish(&flow())).unwrap();
                if !is_published {
                    block_on(shop.flows().unpublish(&flow(), Unpublish::Drain)).unwrap();
                }
                let is_allowed = match *action {
                    "bind account" => !is_published && !is_manual,
                    "delete" => !is_published,
                    _ => true,
                };
                let did = act(&shop, action, &account);
                assert_eq!(
                    did.is_ok(),
                    is_allowed,
                    "{action}, published: {is_published}, {trigger}: {did:?}"
                );
                if let Err(error) = did {
                    assert_eq!((error.code(), error.http_status()), ("invalid_state", 409), "{action}");
                }
            }
        }
    }
}

/// Qyvo, errors: 404 not found or not published, 422 no entry node. And Alibaba's, which have codes
/// of their own.
#[test]
fn each_error_of_the_products_has_its_status() {
    let shop = bot(&Recorder::new());
    let ask = || block_on(shop.trigger(TriggerRequest::new("hello").phone(ADA))).unwrap_err();
    let error = ask();
    assert_eq!((error.code(), error.http_status()), ("flow_not_found", 404));
    block_on(shop.flows().import(&hello(&json!({"kind": "manual"})))).unwrap();
    let error = ask();
    assert_eq!((error.code(), error.http_status()), ("flow_not_published", 404));
    let error = Error::NoEntryNode(flow());
    assert_eq!((error.code(), error.http_status()), ("no_entry_node", 422));
}

/// Qyvo, 422: chatflow finds it where it can still be fixed.
#[test]
fn a_flow_without_a_start_is_not_published() {
    let shop = bot(&Recorder::new());
    let flow = json!({"spec": 1, "code": "hello", "trigger": {"kind": "manual"},
        "nodes": [{"id": "hi", "kind": "end"}], "edges": []});
    let Err(Error::Issues(issues)) = block_on(shop.flows().ensure(&flow.to_string())) else {
        panic!("it has issues")
    };
    assert!(issues.iter().any(|issue| issue.code == IssueCode::NoEntry), "{issues}");
}

/// Alibaba, the components of the canvas, each by its word.
#[test]
fn each_component_is_a_kind_of_node() {
    let components = [
        ("Start", "start"),
        ("End", "end"),
        ("Conditional Branch", "branch"),
        ("Jump to Another Step", "jump"),
        ("Set Variables", "set_variables"),
        ("Wait", "delay"),
        ("HTTP Request", "http_request"),
        ("Call a Function", "function"),
        ("Send Message", "send_message"),
        ("Wait for Response", "wait_reply"),
        ("Typing", "typing"),
        ("Natural Language Generation", "llm"),
        ("Natural Language Conversation", "llm"),
        ("Emotion and Topic Identification", "classify"),
        ("Recognise the Language of a Text", "recognize_language"),
        ("Phone Number Identification", "recognize_phone"),
        ("Identify Entities in Text", "recognize_entities"),
        ("Subscribe to a Group", "update_contact"),
        ("Unsubscribe from a Group", "update_contact"),
    ];
    for (component, word) in components {
        assert!(NodeKind::WORDS.contains(&word), "{component}");
    }
    let theirs: BTreeSet<&str> = components.iter().map(|(_, word)| *word).collect();
    let ours: Vec<_> = NodeKind::WORDS.iter().filter(|word| !theirs.contains(**word)).collect();
    assert_eq!(
        ours,
        [&"ask", &"for_each", &"random_split", &"open_hours", &"log", &"call_flow", &"handoff"],
        "ours alone"
    );
}

/// Alibaba, Conditional Branch: its operators, by what they are called here (SEMANTICS N5).
#[test]
fn each_operator_of_the_product_is_one_of_ours() {
    for (theirs, ours) in [
        ("dateEquals", "date_equals"),
        ("dateGreaterThan", "date_after"),
        ("dateLessThan", "date_before"),
        ("numberEquals", "number_equals"),
        ("numberGreaterThan", "number_greater"),
        ("numberLessThan", "number_less"),
        ("stringContains", "string_contains"),
        ("stringEquals", "string_equals"),
        ("stringStartsWith", "string_starts_with"),
        ("stringIsBlank", "string_is_blank"),
        ("stringIsNotBlank", "string_is_not_blank"),
        ("stringEntireMatchesRegex", "string_matches"),
        ("stringAnyMatchesRegex", "string_contains_match"),
    ] {
        let flow = json!({
            "spec": 1, "code": "hello", "trigger": {"kind": "manual"},
            "nodes": [{"id": "start", "kind": "start"}, {"id": "end", "kind": "end"},
                      {"id": "pick", "kind": "branch", "branches": [
                          {"label": "a", "when": {"value": "{{ context.it }}", "op": ours, "to": "1"}}]}],
            "edges": [{"from": "start", "to": "pick"}, {"from": "pick", "branch": "a", "to": "end"},
                      {"from": "pick", "branch": "else", "to": "end"}]
        });
        let flow = flow.to_string();
        let flow = if ours.contains("blank") { flow.replace(",\"to\":\"1\"", "") } else { flow };
        assert!(Flow::from_json(&flow).is_ok(), "{theirs}: {ours}");
    }
}

/// Alibaba, Send WhatsApp, Viber, Instagram, Messenger Message, SMS: each from an account to an
/// address.
#[test]
fn each_channel_of_the_product_is_sent_to() {
    let channels = [Channel::WhatsApp, Channel::Viber, Channel::Instagram, Channel::Messenger, Channel::Sms];
    for channel in channels {
        let sent = Recorder::new();
        let shop = bot(&sent);
        let flow = json!({
            "spec": 1, "code": "hello", "trigger": {"kind": "manual"},
            "nodes": [{"id": "start", "kind": "start", "contact": "none"},
                      {"id": "hi", "kind": "send_message", "action": "from_to", "channel": channel, "from": "shop",
                       "to": "+15550177", "text": "Hello"}],
            "edges": [{"from": "start", "to": "hi"}]
        });
        block_on(shop.flows().ensure(&flow.to_string())).unwrap();
        let _ = block_on(shop.trigger(TriggerRequest::new("hello"))).unwrap();
        let messages = sent.sent();
        assert_eq!(messages.len(), 1, "{channel}");
        assert_eq!((&messages[0].account().channel, messages[0].text()), (&channel, "Hello"));
    }
}

/// Alibaba, Natural Language Conversation: what the contact says goes to the model, in its order,
/// and what that says to the contact, turn by turn.
#[test]
fn a_model_talks_on_for_as_long_as_the_contact_does() {
    let sent = Recorder::new();
    let shop = Engine::builder(MemoryStore::new())
        .transport(sent.clone())
        .calls(call_fn(|call: Call| async move {
            let CallRequest::Llm(request) = &call.request else { return Err(CallError::failed("no model")) };
            Ok(Answer::now(format!("{}!", request.prompt)))
        }))
        .clock(ManualClock::default())
        .ids(CountingIds::new())
        .build();
    let flow = json!({
        "spec": 1, "code": "hello", "trigger": {"kind": "manual"},
        "settings": {"sender": {"channel": "whatsapp", "account": SHOP}},
        "nodes": [
            {"id": "start", "kind": "start"}, {"id": "wait", "kind": "wait_reply"},
            {"id": "model", "kind": "llm", "prompt": "{{ session.id | length }} {{ reply.text }}", "save_to": "said"},
            {"id": "say", "kind": "send_message", "text": "{{ said }}"},
            {"id": "on", "kind": "jump", "target": "wait", "max_jumps": 2}
        ],
        "edges": [{"from": "start", "to": "wait"}, {"from": "wait", "to": "model"}, {"from": "model", "to": "say"},
                  {"from": "say", "to": "on"}]
    });
    block_on(shop.flows().ensure(&flow.to_string())).unwrap();
    let _ = block_on(shop.trigger(TriggerRequest::new("hello").phone(ADA))).unwrap();
    for text in ["one", "two", "three"] {
        let _ = block_on(shop.receive(Inbound::text(Channel::WhatsApp, SHOP, ADA, text))).unwrap();
        let _ = block_on(shop.tick(10)).unwrap();
    }
    assert_eq!(sent.take_texts(), ["36 one!", "36 two!", "36 three!"]);
}

/// GPTBots, webhook: `branch`, `from_component_name`, `create_time`, `conversation_id` (SEMANTICS
/// W3).
#[test]
fn a_message_names_the_branch_and_the_component_before_it() {
    let sent = Recorder::new();
    let shop = bot(&sent);
    let flow = json!({
        "spec": 1, "code": "hello", "trigger": {"kind": "manual"},
        "settings": {"sender": {"channel": "whatsapp", "account": SHOP}},
        "nodes": [
            {"id": "start", "kind": "start"}, {"id": "ask", "kind": "send_message", "text": "1 or 2?"},
            {"id": "wait", "kind": "wait_reply", "name": "User Input"},
            {"id": "pick", "kind": "branch", "name": "Pick",
             "branches": [{"label": "1", "when": {"value": "{{ reply.text }}", "op": "string_equals", "to": "1"}}]},
            {"id": "one", "kind": "send_message", "text": "One"}, {"id": "two", "kind": "end"}
        ],
        "edges": [
            {"from": "start", "to": "ask"}, {"from": "ask", "to": "wait"}, {"from": "wait", "to": "pick"},
            {"from": "pick", "branch": "1", "to": "one"}, {"from": "pick", "branch": "else", "to": "two"}
        ]
    });
    block_on(shop.flows().ensure(&flow.to_string())).unwrap();
    let started = block_on(shop.trigger(TriggerRequest::new("hello").phone(ADA))).unwrap();
    let _ = block_on(shop.receive(Inbound::text(Channel::WhatsApp, SHOP, ADA, "1"))).unwrap();
    let messages = sent.sent();
    let [_, answer] = &messages[..] else { panic!("two messages") };
    assert_eq!((answer.text(), answer.branch.as_deref()), ("One", Some("1")));
    assert_eq!(&*answer.component, "Pick");
    assert_eq!(answer.contact, started.session().unwrap().contact_id);
    assert_eq!(answer.created_at, ManualClock::default().now());
}

/// Names of all tests below a folder.
fn tests(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests(&path, names);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(path).unwrap();
            let attributes = ["#[test]", "#[tokio::test]"];
            let tests = attributes.iter().flat_map(|attribute| text.split(attribute).skip(1));
            names.extend(tests.filter_map(|rest| {
                let (_, rest) = rest.split_once("fn ")?;
                rest.split_once('(').map(|(name, _)| name.to_owned())
            }));
        }
    }
}

/// Names of the tests of the playground, which run in a browser.
fn browser_tests(file: &Path, names: &mut BTreeSet<String>) {
    let text = fs::read_to_string(file).unwrap();
    let named = text.split("\ntest(\"").skip(1);
    names.extend(named.filter_map(|rest| rest.split_once('"').map(|(name, _)| name.to_owned())));
}

fn all_browser_tests(root: &Path) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for file in fs::read_dir(root.join("examples/playground/page/test")).unwrap() {
        let file = file.unwrap().path();
        if file.to_string_lossy().ends_with(".test.mjs") {
            browser_tests(&file, &mut known);
        }
    }
    known
}

/// Each row about the console is a step of a test in a browser.
#[test]
fn each_row_of_the_life_of_a_flow_names_a_test_in_a_browser() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let known = all_browser_tests(root);
    let page = fs::read_to_string(root.join("docs/products.md")).unwrap();
    let (_, life) = page.split_once("## Alibaba Chat Flow, the life of a flow").expect("the section");
    let life = life.split("\n## ").next().unwrap_or_default();
    let rows: Vec<&str> =
        life.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| what the")).collect();
    assert!(rows.len() > 20, "{}", rows.len());
    let is_shown = |row: &str| row.split('`').any(|name| known.contains(name));
    let hidden: Vec<&&str> = rows.iter().filter(|row| !is_shown(row)).collect();
    assert!(hidden.is_empty(), "{hidden:#?}");
}

/// Each row of the page of products names tests that exist.
#[test]
fn each_row_of_the_products_has_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut known = BTreeSet::new();
    tests(&root.join("tests"), &mut known);
    tests(&root.join("examples/service/tests"), &mut known);
    known.extend(all_browser_tests(root));
    let page = fs::read_to_string(root.join("docs/products.md")).unwrap();
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with('|') && !line.starts_with("|---"))
        .map(|line| line.trim_matches('|').split(" |").map(str::trim).collect())
        .filter(|row: &Vec<&str>| row[0] != "what the product says")
        .collect();
    assert!(rows.len() > 60, "{}", rows.len());
    let mut wrong = Vec::new();
    for row in rows {
        let [says, _, shows] = row[..] else { panic!("{row:?} has three columns") };
        let named: Vec<&str> = shows.split(", ").map(|name| name.trim_matches('`')).collect();
        wrong.extend(
            named.into_iter().filter(|name| !known.contains(*name)).map(|name| format!("{says}: `{name}`")),
        );
    }
    assert!(wrong.is_empty(), "no such tests:\n{}", wrong.join("\n"));
}
