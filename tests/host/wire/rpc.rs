//! Alibaba's operations beside the trigger: their parameters, the envelope of a flow, the answers.

use chatflow::flow::TriggerDef;
use chatflow::id::FlowVersion;
use chatflow::ops::{JournalFilter, Logging, Unpublish};
use chatflow::testkit::{CountingIds, ManualClock};
use chatflow::wire::alibaba::{
    self, ChatFlowAction, ChatFlowItem, FlowMetric, FlowTriggerType, FlowVersionItem, FlowViewModel,
    LogSettingItem, NodeErrorItem, NodeUsageItem, PageAnswer, PageParameters,
};
use chatflow::{Account, Channel, Engine, Error, MemoryStore, TriggerRequest};
use pollster::block_on;
use serde_json::{Value, json};

use super::kit::{again, minified};

const FLOW: &str = r#"{"spec": 1, "code": "hello", "name": "Hello", "trigger": {"kind": "manual"},
    "settings": {"sender": {"channel": "whatsapp", "account": "+15550100"}, "undefined": "error"},
    "nodes": [{"id": "start", "kind": "start"}, {"id": "hi", "kind": "send_message", "text": "{{ context.name }}"}],
    "edges": [{"from": "start", "to": "hi"}]}"#;

fn read(parameters: &[(&str, &str)]) -> Result<ChatFlowAction, (u16, String, String)> {
    ChatFlowAction::from_parameters(parameters.iter().copied(), "R-1").map_err(|answer| {
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((&body["Success"], &body["RequestId"]), (&json!(false), &json!("R-1")));
        let text = |field: &str| body[field].as_str().unwrap().to_owned();
        (answer.status, text("Code"), text("Message"))
    })
}

/// W2
#[test]
fn each_operation_of_alibaba_is_read_by_its_action() {
    let model = FlowViewModel::of(FLOW, &TriggerDef::Manual).to_json();
    let page = PageParameters { number: 2, size: 50 };
    let code = || "hello".to_owned();
    let is =
        |parameters: &[(&str, &str)], action: ChatFlowAction| assert_eq!(read(parameters).unwrap(), action);
    is(
        &[
            ("Action", "CreateChatFlow"),
            ("Title", "Hello"),
            ("FlowTriggerType", "TriggeredByViber"),
            ("Signature", "x"),
        ],
        ChatFlowAction::Create {
            flow_code: None,
            title: "Hello".to_owned(),
            remark: None,
            trigger_type: Some(FlowTriggerType::of(&TriggerDef::any_message(Channel::Viber))),
            from: None,
            from_version: None,
        },
    );
    is(
        &[
            ("Action", "ListChatFlow"),
            ("Keyword", "he"),
            ("FlowStatus", "Published"),
            ("PageNo", "2"),
            ("PageSize", "50"),
        ],
        ChatFlowAction::List {
            keyword: Some("he".to_owned()),
            trigger_type: None,
            flow_status: Some("Published".to_owned()),
            phone_number: None,
            page,
        },
    );
    is(
        &[("Action", "ImportChatFlow"), ("Title", "Copy"), ("FlowViewModel", &model)],
        ChatFlowAction::Import {
            flow_code: None,
            title: Some("Copy".to_owned()),
            remark: None,
            flow_view_model: serde_json::from_str(&model).unwrap(),
        },
    );
    let one = Some(FlowVersion(1));
    is(
        &[
            ("Action", "OnlineFlowVersion"),
            ("FlowCode", "hello"),
            ("FlowVersion", "1"),
            ("BizCode", "ALICOM_OPAAS"),
        ],
        ChatFlowAction::Online { flow_code: code(), version: one },
    );
    is(
        &[("Action", "OfflineFlowVersion"), ("FlowCode", "hello")],
        ChatFlowAction::Offline { flow_code: code(), version: None },
    );
    is(&[("Action", "DeleteChatFlow"), ("FlowCode", "hello")], ChatFlowAction::Delete { flow_code: code() });
    let param = r#"{"pageNo": 2, "pageSize": 50, "nodeId": "hi"}"#;
    is(
        &[
            ("Action", "GetChatFlowMetric"),
            ("FlowCode", "hello"),
            ("MetricName", "nodeErrorDetails"),
            ("MetricParam", param),
            ("From", "1778141663"),
        ],
        ChatFlowAction::Metric {
            flow_code: code(),
            metric: FlowMetric::NodeErrors,
            node: Some("hi".to_owned()),
            page,
            from: Some("2026-05-07T08:14:23Z".parse().unwrap()),
            to: None,
        },
    );
    is(
        &[("Action", "UpdateChatFlowLogSetting"), ("FlowCode", "hello"), ("Status", "ENABLED")],
        ChatFlowAction::UpdateLogSetting { flow_code: code(), status: "ENABLED".to_owned() },
    );
    for action in [
        "ExportChatFlow",
        "ReadFlowVersion",
        "ListFlowVersion",
        "UpdateChatFlow",
        "CreateChatFlowLogSetting",
        "ReadChatFlowLogSetting",
        "DeleteChatFlowLogSetting",
        "TriggerChatFlow",
    ] {
        assert!(read(&[("Action", action), ("FlowCode", "hello")]).is_ok(), "{action}");
        assert_eq!(read(&[("Action", action)]).unwrap_err().1, "MissingData.FlowCode", "{action}");
    }
}

/// W2
#[test]
fn a_parameter_that_breaks_a_rule_is_named() {
    let theirs = r#"{"schema":{"namespace":"External","version":"1.0","copyright":"x"},"editor":"H4sI","flow":{"triggerType":"TriggeredManually"}}"#;
    for (parameters, code) in [
        (vec![], "MissingData.Action"),
        (vec![("Action", "")], "InvalidData.Action"),
        (vec![("Action", "DropTables")], "InvalidData.Action"),
        (vec![("Action", "CreateChatFlow")], "MissingData.Title"),
        (
            vec![("Action", "CreateChatFlow"), ("Title", "x"), ("FlowTriggerType", "Triggered")],
            "InvalidData.FlowTriggerType",
        ),
        (
            vec![("Action", "CreateChatFlow"), ("Title", "x"), ("CreateFromFlowVersion", "0")],
            "InvalidData.CreateFromFlowVersion",
        ),
        (vec![("Action", "ListChatFlow"), ("PageNo", "0")], "InvalidData.PageNo"),
        (vec![("Action", "ListChatFlow"), ("PageSize", "101")], "InvalidData.PageSize"),
        (vec![("Action", "ListChatFlow"), ("FlowStatus", "On")], "InvalidData.FlowStatus"),
        (vec![("Action", "ImportChatFlow")], "MissingData.FlowViewModel"),
        (vec![("Action", "ImportChatFlow"), ("FlowViewModel", "{")], "InvalidData.FlowViewModel"),
        (vec![("Action", "ImportChatFlow"), ("FlowViewModel", "{}")], "InvalidData.FlowViewModel"),
        (vec![("Action", "ImportChatFlow"), ("FlowViewModel", theirs)], "InvalidData.FlowViewModel"),
        (
            vec![("Action", "OnlineFlowVersion"), ("FlowCode", "x"), ("FlowVersion", "-1")],
            "InvalidData.FlowVersion",
        ),
        (vec![("Action", "UpdateChatFlowLogSetting"), ("FlowCode", "x")], "MissingData.Status"),
        (
            vec![("Action", "UpdateChatFlowLogSetting"), ("FlowCode", "x"), ("Status", "on")],
            "InvalidData.Status",
        ),
        (vec![("Action", "GetChatFlowMetric"), ("FlowCode", "x")], "MissingData.MetricName"),
        (
            vec![("Action", "GetChatFlowMetric"), ("FlowCode", "x"), ("MetricName", "clicks")],
            "InvalidData.MetricName",
        ),
        (
            vec![
                ("Action", "GetChatFlowMetric"),
                ("FlowCode", "x"),
                ("MetricName", "nodeErrorDetails"),
                ("MetricParam", r#"{"pageSize": 0}"#),
            ],
            "InvalidData.MetricParam.pageSize",
        ),
        (
            vec![
                ("Action", "GetChatFlowMetric"),
                ("FlowCode", "x"),
                ("MetricName", "nodeErrorDetails"),
                ("From", "99999999999999999"),
            ],
            "InvalidData.From",
        ),
    ] {
        let (status, found, message) = read(&parameters).unwrap_err();
        assert_eq!((status, &*found), (422, code), "{parameters:?}: {message}");
        assert!(message.starts_with('`'), "{message}");
    }
}

/// W2, L7
#[test]
fn a_flow_goes_out_and_in_by_its_envelope() {
    let written = include_str!("alibaba/flow_view_model.json");
    again::<FlowViewModel>(written);
    let bot = Engine::builder(MemoryStore::new()).build();
    block_on(bot.flows().ensure(FLOW)).unwrap();
    let text = block_on(bot.flows().export(&"hello".parse().unwrap(), None)).unwrap();
    let model = FlowViewModel::of(&text, &TriggerDef::Manual);
    let ChatFlowAction::Import { flow_view_model, .. } =
        read(&[("Action", "ImportChatFlow"), ("FlowViewModel", &model.to_json())]).unwrap()
    else {
        panic!("an import")
    };
    assert_eq!(flow_view_model.definition(), Ok(&*text));
    let imported = block_on(bot.flows().import_named(
        flow_view_model.definition().unwrap(),
        "copy",
        "A copy",
        "for tests",
    ))
    .unwrap();
    assert_eq!((&*imported.status.name, imported.status.remark.as_deref()), ("A copy", Some("for tests")));
    block_on(bot.flows().publish(&"copy".parse().unwrap())).unwrap();
    let kept = block_on(bot.flows().get(&"copy".parse().unwrap())).unwrap().unwrap();
    assert_eq!((&*kept.name, kept.remark.as_deref()), ("A copy", Some("for tests")), "publishing keeps them");
    let taken = block_on(bot.flows().import_named(&text, "copy", "Again", "")).unwrap_err();
    assert_eq!(alibaba::refused(&taken, "R").status, 422);
    assert!(matches!(taken, Error::InvalidInput { field, .. } if field == "code"));
    let nameless = block_on(bot.flows().import_named(&text, "other", "", "")).unwrap_err();
    assert!(alibaba::refused(&nameless, "R").body.contains(r#""Code":"InvalidData.Title""#));
}

/// W2
#[test]
fn operations_answer_in_the_envelope_of_the_product() {
    let builder = Engine::builder(MemoryStore::new()).ids(CountingIds::new()).clock(ManualClock::default());
    let bot = builder.build();
    let id = "hello".parse().unwrap();
    block_on(bot.flows().ensure(FLOW)).unwrap();
    let flow = block_on(bot.flows().set_logging(&id, Logging::On)).unwrap();
    drop(block_on(bot.trigger(TriggerRequest::new("hello").phone("+14155550123"))).unwrap());

    let items = [ChatFlowItem::of(&flow, &TriggerDef::Manual)];
    let list = alibaba::done(&PageAnswer::of(&items, PageParameters::default()), "R-1");
    assert_eq!(list.body, minified(include_str!("alibaba/flows.json")));
    let versions: Vec<_> =
        flow.versions.iter().map(FlowVersionItem::of).chain([FlowVersionItem::draft()]).collect();
    let listed = alibaba::version_done(&PageAnswer::of(&versions, PageParameters::default()), "R-1");
    assert_eq!(listed.body, minified(include_str!("alibaba/versions.json")));
    let usage = block_on(bot.node_counts(JournalFilter::of(id.clone()))).unwrap();
    let usage: Vec<NodeUsageItem> = usage.iter().map(NodeUsageItem::from).collect();
    assert!(usage.iter().any(|node| node.node_id == "hi" && node.failures == 1), "{usage:?}");
    let errors = block_on(bot.node_errors(JournalFilter::of(id.clone()))).unwrap();
    let error = NodeErrorItem::from(&errors[0]);
    assert_eq!((&*error.node_id, error.time), ("hi", 1_778_141_663));
    assert_eq!(LogSettingItem::from(&flow).status, "ENABLED");

    let conflict = block_on(bot.flows().delete(&id)).unwrap_err();
    let answer = alibaba::refused(&conflict, "R-1");
    assert!(answer.status == 409 && answer.body.contains(r#""Code":"FlowStateConflict""#), "{}", answer.body);
    block_on(bot.flows().unpublish(&id, Unpublish::Terminate)).unwrap();
    let wrong = block_on(bot.flows().import(r#"{"spec": 1}"#)).unwrap_err();
    let answer = alibaba::refused(&wrong, "R-1");
    assert!(answer.status == 422 && answer.body.contains(r#""Code":"InvalidData.FlowViewModel""#));
}

/// W2
#[test]
fn a_page_is_what_it_says() {
    let items: Vec<u32> = (0..25).collect();
    let page = |number, size| PageAnswer::of(&items, PageParameters { number, size }).list;
    assert_eq!(page(1, 10), (0..10).collect::<Vec<_>>());
    assert_eq!(page(3, 10), (20..25).collect::<Vec<_>>());
    assert!(page(4, 10).is_empty() && page(u32::MAX, 100).is_empty());
    for word in ["TriggeredManually", "TriggeredByWhatsApp", "TriggeredByMessenger", "TriggeredBysms"] {
        assert_eq!(FlowTriggerType::parse(word).unwrap().to_string(), word);
    }
    assert_eq!(FlowTriggerType::parse("TriggeredBy"), None);
}

/// L3: an account has a name for people, for as long as the flow is bound to it.
#[test]
fn an_account_has_a_name_for_people() {
    let bot = Engine::builder(MemoryStore::new()).build();
    let id = "in".parse().unwrap();
    let (berlin, paris) = (account("+4930901820"), account("+33123456789"));
    block_on(bot.flows().create("in", "In", TriggerDef::any_message(Channel::WhatsApp))).unwrap();
    block_on(bot.flows().bind(&id, [berlin.clone(), paris.clone()])).unwrap();
    let named = block_on(bot.flows().name_account(&id, &berlin, "Shop Berlin")).unwrap();
    assert_eq!(&*named.account_names[0].name, "Shop Berlin");
    block_on(bot.flows().name_account(&id, &paris, "Paris")).unwrap();
    let named = block_on(bot.flows().name_account(&id, &paris, "")).unwrap();
    assert_eq!(named.account_names.len(), 1);
    let other = block_on(bot.flows().name_account(&id, &account("+1"), "x")).unwrap_err();
    assert_eq!(other.to_string(), "`account` `whatsapp:+1` is not bound to the flow");
    let bound = block_on(bot.flows().bind(&id, [paris])).unwrap();
    assert!(bound.account_names.is_empty());
}

fn account(number: &str) -> Account {
    Account::new(Channel::WhatsApp, number).unwrap()
}
