//! Alibaba's RPC form: the trigger with the documented answer, and the life of a flow.

use reqwest::Method;
use serde_json::{Value, json};

use crate::kit::{Answered, Service, TOKEN, answered};

async fn rpc(service: &Service, action: &str, parameters: &[(&str, &str)]) -> Answered {
    let mut address = url::Url::parse(&service.url).unwrap();
    address
        .query_pairs_mut()
        .append_pair("Action", action)
        .append_pair("Version", "2020-06-06")
        .extend_pairs(parameters);
    let path = format!("/?{}", address.query().unwrap());
    answered(service.request(Method::POST, &path).bearer_auth(TOKEN)).await
}

fn flow(code: &str) -> Value {
    json!({"spec": 1, "code": code, "name": "Greet", "trigger": {"kind": "manual"},
        "settings": {"sender": {"channel": "whatsapp", "account": "+15550100"}},
        "nodes": [{"id": "start", "kind": "start", "contact_from": "customerPhoneNumber",
                "inputs": [{"name": "customerPhoneNumber", "type": "string", "required": true}, {"name": "my_biz_data_0", "type": "string"},
                    {"name": "my_biz_data_1", "type": "number"}]},
            {"id": "hi", "kind": "send_message", "text": "{{ context.my_biz_data_0 }} {{ context.my_biz_data_1 }} {{ trigger.uuid }}"},
            {"id": "wait", "kind": "wait_reply", "timeout": "10m"}],
        "edges": [{"from": "start", "to": "hi"}, {"from": "hi", "to": "wait"}]})
}

#[tokio::test]
async fn a_trigger_gets_the_documented_answer() {
    let service = Service::start();
    service.publish(flow("9ccc41")).await;
    let parameters = [
        ("FlowCode", "9ccc41"),
        (
            "Data",
            r#"{"my_biz_data_0": "hi", "my_biz_data_1": "1024", "customerPhoneNumber": "+14155550123"}"#,
        ),
        ("Uuid", "c68622e6-5f0d-c8a4-af41-e949c2a7580e"),
        ("OutId", "8d4acf7e-e360-eb83-6d74-fcf9c4538fda"),
        ("ClaimTimeMillis", "1731502129000"),
    ];
    let started = rpc(&service, "TriggerChatFlow", &parameters).await;
    let id = started.json()["RequestId"].as_str().unwrap().to_owned();
    let documented = format!(
        r#"{{"AccessDeniedDetail":"None","RequestId":"{id}","Message":"None","Data":{{}},"Code":"OK","Success":true}}"#
    );
    assert_eq!((started.status, &started.text), (200, &documented));
    assert_eq!(service.shown(1).await[0]["text"], "hi 1024 c68622e6-5f0d-c8a4-af41-e949c2a7580e");
    assert_eq!(rpc(&service, "TriggerChatFlow", &parameters).await.json()["Code"], "OK", "a replay");

    let late = [("FlowCode", "9ccc41"), ("Data", parameters[1].1), ("DiscardTimeMillis", "1731502729000")];
    let discarded = rpc(&service, "TriggerChatFlow", &late).await;
    assert_eq!((discarded.status, &discarded.json()["Code"]), (200, &json!("TriggerDiscarded")));
    for (parameters, status, code) in [
        (vec![("FlowCode", "none")], 404, "FlowNotFound"),
        (vec![("Data", "{}")], 422, "MissingData.FlowCode"),
        (vec![("FlowCode", "9ccc41"), ("Data", "{")], 422, "InvalidData.Data"),
        (vec![("FlowCode", "9ccc41"), ("Data", "{}")], 422, "NoContact"),
        (vec![("FlowCode", "9ccc41"), ("ClaimTimeMillis", "soon")], 422, "InvalidData.ClaimTimeMillis"),
    ] {
        let refused = rpc(&service, "TriggerChatFlow", &parameters).await;
        assert_eq!(
            (refused.status, &refused.json()["Code"]),
            (status, &json!(code)),
            "{parameters:?}: {}",
            refused.text
        );
        assert_eq!(refused.json()["Success"], false);
    }
    let body = json!({"Action": "TriggerChatFlow", "FlowCode": "9ccc41",
        "Data": {"my_biz_data_0": "hi", "my_biz_data_1": 7, "customerPhoneNumber": "+14155550124"}});
    let request = service.request(Method::POST, "/").bearer_auth(TOKEN).json(&body);
    assert_eq!(answered(request).await.json()["Code"], "OK", "a body of JSON says the same");
}

#[tokio::test]
async fn a_flow_is_made_copied_put_online_and_deleted() {
    let service = Service::start();
    let made = rpc(
        &service,
        "CreateChatFlow",
        &[("Title", "Hours"), ("Remark", "ours"), ("FlowTriggerType", "TriggeredManually")],
    )
    .await;
    let code = made.json()["Data"]["FlowCode"].as_str().unwrap().to_owned();
    let of = |more: &[(&'static str, &'static str)]| {
        let code = code.clone();
        let more = more.to_vec();
        let service = &service;
        async move |action: &str| {
            let mut parameters = vec![("FlowCode", code.as_str())];
            parameters.extend(more.iter().copied());
            rpc(service, action, &parameters).await
        }
    };
    assert_eq!(of(&[("Title", "Opening hours")])("UpdateChatFlow").await.json()["Success"], true);
    let listed = rpc(&service, "ListChatFlow", &[("Keyword", "opening")]).await.json();
    let row = &listed["Data"]["List"][0];
    assert_eq!(
        (&row["Title"], &row["Remark"], &row["FlowStatus"], &row["FlowTriggerType"]),
        (&json!("Opening hours"), &json!("ours"), &json!("Unpublished"), &json!("TriggeredManually"))
    );
    let online = of(&[])("OnlineFlowVersion").await.json();
    assert_eq!((&online["Response"]["FlowVersion"], &online["Code"]), (&json!("1"), &json!("OK")));
    assert!(online.get("Data").is_none(), "operations on versions answer by `Response`");
    let refused = of(&[])("DeleteChatFlow").await;
    assert_eq!((refused.status, &refused.json()["Code"]), (409, &json!("FlowStateConflict")));
    let versions = of(&[("Status", "ONLINE")])("ListFlowVersion").await.json();
    assert_eq!(versions["Response"]["List"][0]["FlowVersion"], "1");
    let read = of(&[("FlowVersion", "1")])("ReadFlowVersion").await.json();
    assert_eq!(read["Response"]["Status"], "ONLINE");

    let exported =
        of(&[])("ExportChatFlow").await.json()["Data"]["FlowViewModel"].as_str().unwrap().to_owned();
    let copy =
        rpc(&service, "ImportChatFlow", &[("FlowViewModel", &exported), ("Title", "Copy")]).await.json();
    let copied = copy["Data"]["FlowCode"].as_str().unwrap();
    assert_ne!(copied, code);
    let one = service.get(&format!("/api/v1/flows/{copied}/draft")).await.json();
    let other = service.get(&format!("/api/v1/flows/{code}/draft")).await.json();
    assert_eq!(one["nodes"], other["nodes"]);

    assert_eq!(
        of(&[("Status", "ENABLED")])("UpdateChatFlowLogSetting").await.json()["Data"]["Status"],
        "ENABLED"
    );
    assert_eq!(of(&[])("ReadChatFlowLogSetting").await.json()["Data"]["Status"], "ENABLED");
    assert_eq!(of(&[])("DeleteChatFlowLogSetting").await.json()["Data"]["Status"], "DISABLED");
    let usage = of(&[("MetricName", "nodeUsageStatistics")])("GetChatFlowMetric").await.json();
    assert_eq!(usage["Data"]["List"], json!([]));
    assert_eq!(
        of(&[("MetricName", "x")])("GetChatFlowMetric").await.json()["Code"],
        "InvalidData.MetricName"
    );

    assert_eq!(of(&[])("OfflineFlowVersion").await.json()["Success"], true);
    assert_eq!(of(&[])("DeleteChatFlow").await.json()["Success"], true);
    assert_eq!(of(&[])("ReadFlowVersion").await.json()["Code"], "FlowNotFound");
    for (action, parameters, code) in [
        ("Dance", vec![], "InvalidData.Action"),
        ("", vec![], "InvalidData.Action"),
        ("CreateChatFlow", vec![], "MissingData.Title"),
        (
            "CreateChatFlow",
            vec![("Title", "x"), ("FlowTriggerType", "ByHand")],
            "InvalidData.FlowTriggerType",
        ),
        ("CreateChatFlow", vec![("Title", "x"), ("FlowCode", "..")], "InvalidData.FlowCode"),
        ("ListChatFlow", vec![("PageSize", "1000")], "InvalidData.PageSize"),
        ("ImportChatFlow", vec![("FlowViewModel", "{}")], "InvalidData.FlowViewModel"),
    ] {
        let refused = rpc(&service, action, &parameters).await;
        assert_eq!(
            (refused.status, &refused.json()["Code"]),
            (422, &json!(code)),
            "{action}: {}",
            refused.text
        );
    }
}

#[tokio::test]
async fn a_flow_is_made_from_another_and_renamed_as_it_is_said() {
    let service = Service::start();
    for (parameters, code) in [
        (
            vec![("CreateFromFlowCode", "menu"), ("CreateFromFlowVersion", "3")],
            "InvalidData.CreateFromFlowVersion",
        ),
        (
            vec![("CreateFromFlowCode", "menu"), ("FlowTriggerType", "TriggeredManually")],
            "InvalidData.FlowTriggerType",
        ),
        (vec![("CreateFromFlowCode", "none")], "FlowNotFound"),
        (vec![("Title", " ")], "InvalidData.Title"),
    ] {
        let titled = [vec![("Title", "Copy")], parameters.clone()].concat();
        let refused = rpc(&service, "CreateChatFlow", &titled).await.json();
        assert_eq!(refused["Code"], code, "{parameters:?}: {refused}");
    }
    for more in [None, Some(("FlowTriggerType", "TriggeredByWhatsApp"))] {
        let from = [("Title", "Copy"), ("Remark", "ours"), ("CreateFromFlowCode", "menu")];
        let parameters: Vec<_> = from.into_iter().chain(more).collect();
        let made = rpc(&service, "CreateChatFlow", &parameters).await.json();
        assert_eq!(made["Data"]["FlowTriggerType"], "TriggeredByWhatsApp", "{made}");
        let code = made["Data"]["FlowCode"].as_str().unwrap();
        let without = rpc(&service, "UpdateChatFlow", &[("FlowCode", code), ("Remark", "")]).await.json();
        assert_eq!(
            (&without["Data"]["Remark"], &without["Data"]["Title"]),
            (&json!(""), &json!("Copy")),
            "{without}"
        );
        let blank = rpc(&service, "UpdateChatFlow", &[("FlowCode", code), ("Title", " ")]).await.json();
        assert_eq!(blank["Code"], "InvalidData.Title");
    }
    let found = async |number: &str| {
        let listed = rpc(&service, "ListChatFlow", &[("PhoneNumber", number)]).await.json();
        listed["Data"]["List"].as_array().unwrap().len()
    };
    let all = found("+15550100").await;
    assert!(all > 0);
    assert_eq!((found("15550100").await, found("+1 555-0100").await), (all, all));
    assert_eq!((found("5550100").await, found("x").await), (0, 0));
}

#[tokio::test]
async fn what_is_refused_leaves_no_trace() {
    let service = Service::start();
    let exported = rpc(&service, "ExportChatFlow", &[("FlowCode", "menu")]).await.json();
    let model = exported["Data"]["FlowViewModel"].as_str().unwrap().to_owned();
    let (title, remark) = ("x".repeat(300), "y".repeat(17 << 10));
    let before = service.get("/api/v1/flows").await.json();
    for (action, parameters, code) in [
        ("ImportChatFlow", vec![("FlowViewModel", &*model), ("Title", &*title)], "InvalidData.Title"),
        ("ImportChatFlow", vec![("FlowViewModel", &*model), ("Remark", &*remark)], "InvalidData.Remark"),
        (
            "ImportChatFlow",
            vec![("FlowViewModel", &*model), ("Title", "New"), ("Remark", &*remark)],
            "InvalidData.Remark",
        ),
        ("CreateChatFlow", vec![("Title", "New"), ("Remark", &*remark)], "InvalidData.Remark"),
        ("CreateChatFlow", vec![("Title", &*title), ("Remark", "ours")], "InvalidData.Title"),
        (
            "CreateChatFlow",
            vec![("Title", "New"), ("CreateFromFlowCode", "menu"), ("Remark", &*remark)],
            "InvalidData.Remark",
        ),
        (
            "UpdateChatFlow",
            vec![("FlowCode", "menu"), ("Title", "New"), ("Remark", &*remark)],
            "InvalidData.Remark",
        ),
        (
            "UpdateChatFlow",
            vec![("FlowCode", "menu"), ("Title", &*title), ("Remark", "ours")],
            "InvalidData.Title",
        ),
    ] {
        let refused = rpc(&service, action, &parameters).await;
        assert_eq!((refused.status, &refused.json()["Code"]), (422, &json!(code)), "{}", refused.text);
        assert_eq!(service.get("/api/v1/flows").await.json(), before, "{action}: {code}");
    }
    let taken = [("FlowViewModel", &*model), ("FlowCode", "menu"), ("Title", "New")];
    assert_eq!(rpc(&service, "ImportChatFlow", &taken).await.json()["Code"], "InvalidData.FlowCode");
    let made =
        rpc(&service, "ImportChatFlow", &[("FlowViewModel", &*model), ("Remark", "ours")]).await.json();
    assert_eq!(
        (&made["Data"]["Title"], &made["Data"]["Remark"]),
        (&json!("Main menu"), &json!("ours")),
        "{made}"
    );
    let made = rpc(&service, "CreateChatFlow", &[("Title", "Blank"), ("Remark", "ours")]).await.json();
    assert_eq!(
        (&made["Data"]["Title"], &made["Data"]["Remark"]),
        (&json!("Blank"), &json!("ours")),
        "{made}"
    );
    let code = made["Data"]["FlowCode"].as_str().unwrap();
    assert_eq!(rpc(&service, "OnlineFlowVersion", &[("FlowCode", code)]).await.json()["Code"], "OK");
}

#[tokio::test]
async fn the_refusals_of_the_guards_have_the_six_keys() {
    let check = |refused: &Answered, status: u16, code: &str| {
        assert_eq!(refused.status, status, "{}", refused.text);
        let keys = ["AccessDeniedDetail", "RequestId", "Message", "Data", "Code", "Success"];
        let places = keys.map(|key| refused.text.find(&format!("\"{key}\":")));
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{}", refused.text);
        let body = refused.json();
        assert_eq!((&body["Code"], &body["Success"]), (&json!(code), &json!(false)), "{}", refused.text);
        assert_eq!(body["RequestId"].as_str().unwrap().len(), 36);
        assert_eq!(refused.header("content-type"), "application/json");
    };
    let service = Service::with(&[("RATE_PER_MINUTE", "3")]);
    let path = "/?Action=ListChatFlow";
    let stranger = answered(service.request(Method::POST, path)).await;
    check(&stranger, 401, "Unauthenticated");
    assert_eq!(stranger.header("www-authenticate"), "Bearer");
    let large = service.request(Method::POST, path).bearer_auth(TOKEN).body("x".repeat(2 << 20));
    check(&answered(large).await, 413, "TooLarge");
    let host = "Host: x\r\nContent-Length: 100\r\n";
    let slow = format!("POST {path} HTTP/1.1\r\n{host}Authorization: Bearer {TOKEN}\r\n\r\nx");
    let slow = service.exchange(slow).await.0;
    assert!(slow.starts_with("HTTP/1.1 408") && slow.contains("\"Code\":\"Timeout\""), "{slow}");
    assert_eq!(rpc(&service, "ListChatFlow", &[]).await.status, 200);
    let throttled = rpc(&service, "ListChatFlow", &[]).await;
    check(&throttled, 429, "Throttled");
    assert!(throttled.header("retry-after").parse::<u64>().is_ok());
    let elsewhere = service.get("/api/v1/workspace").await;
    assert_eq!(elsewhere.json()["code"], "rate_limited", "the others answer as ever");
}
