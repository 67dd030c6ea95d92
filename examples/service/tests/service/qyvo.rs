//! The endpoints of Qyvo, byte by byte.

use reqwest::Method;
use serde_json::json;

use crate::kit::{Service, TOKEN, answered, eventually, hello};

#[tokio::test]
async fn a_flow_is_started_once_and_then_runs_already() {
    let service = Service::start();
    let body = json!({"flow_id": "abandoned-cart", "phone": "+14155550123", "context": {"cart_id": "987654321", "cart_total": "129.00"}});
    let first = service.post("/api/v1/actions/trigger-flow", body.clone()).await;
    assert_eq!(first.status, 201);
    let session = first.json();
    let (id, contact) = (session["id"].as_str().unwrap(), session["contact_id"].as_str().unwrap());
    let said = |status| {
        format!(
            r#"{{"id":"{id}","status":"{status}","flow_id":"abandoned-cart","flow_name":"Abandoned cart 30min","contact_id":"{contact}"}}"#
        )
    };
    assert_eq!(first.text, said("started"));
    let again = service.post("/api/v1/actions/trigger-flow", body).await;
    assert_eq!((again.status, again.text), (200, said("already_running")));
    let shown = service.shown(1).await;
    let words = "Hi there, your cart 987654321 totals 129.00. Reply 1 to check out or 2 for an agent.";
    assert_eq!(shown[0]["text"], words);
}

#[tokio::test]
async fn what_is_wrong_is_said_as_the_product_says_it() {
    let service = Service::start();
    let unknown = service
        .post("/api/v1/actions/trigger-flow", json!({"flow_id": "01J3F...", "phone": "+14155550123"}))
        .await;
    assert_eq!((unknown.status, &*unknown.text), (404, r#"{"error":"Flow not found or not published"}"#));
    let wrong = service.post("/api/v1/actions/trigger-flow", json!({"flow_id": 7, "phone": ""})).await;
    assert_eq!(wrong.status, 422);
    assert_eq!(
        wrong.json()["errors"],
        json!({"flow_id": ["must be a text"], "phone": ["must not be empty"]})
    );
}

#[tokio::test]
async fn a_key_starts_nothing_twice() {
    let service = Service::start();
    let start = async |phone: &str| {
        let request = service.request(Method::POST, "/api/v1/actions/trigger-flow").bearer_auth(TOKEN);
        let body = json!({"flow_id": "abandoned-cart", "phone": phone});
        answered(request.header("Idempotency-Key", "event-1").json(&body)).await
    };
    let first = start("+14155550123").await;
    let again = start("+14155550123").await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.text, again.text);
    assert_eq!(start("+14155550124").await.status, 422);
}

#[tokio::test]
async fn flows_and_sessions_are_listed_for_pollers() {
    let service = Service::start();
    let flows = service.get("/api/v1/dropdowns/flows").await.json();
    assert!(
        flows.as_array().unwrap().contains(&json!({"id": "abandoned-cart", "label": "Abandoned cart 30min"}))
    );
    let body = json!({"flow_id": "abandoned-cart", "phone": "+14155550123", "context": {"cart_id": "9"}});
    let session = service.post("/api/v1/actions/trigger-flow", body).await.json();
    // It is at the reminder until that is delivered.
    let rows = eventually(async || {
        let listed = service.get("/api/v1/triggers/new-flow-triggered?flow_id=abandoned-cart").await;
        assert_eq!(listed.status, 200);
        Some(listed.json()).filter(|rows| rows[0]["current_node_id"] == "wait")
    })
    .await;
    assert_eq!(rows.as_array().unwrap().len(), 1);
    let row = &rows[0];
    assert_eq!(
        (&row["id"], &row["status"], &row["contact_phone"]),
        (&session["id"], &json!("running"), &json!("+14155550123"))
    );
    assert_eq!(row["context"], json!({"first_name": "there", "cart_id": "9"}));
    assert!(
        row["created_at"].as_str().unwrap().ends_with("+00:00")
            && !row["created_at"].as_str().unwrap().contains('.')
    );
    assert_eq!(service.get("/api/v1/triggers/new-flow-triggered?flow_id=menu").await.json(), json!([]));
    let flow = service.post("/api/v1/actions/get-flow", json!({"flow_id": "abandoned-cart"})).await.json();
    assert_eq!(
        (&flow["status"], &flow["trigger_type"], &flow["sessions_count"]),
        (&json!("published"), &json!("manual"), &json!(1))
    );
}

#[tokio::test]
async fn an_answer_goes_to_the_flow_that_asked() {
    let service = Service::start();
    service.publish(hello("hello")).await;
    let body = json!({"flow_id": "hello", "phone": "+14155550123", "context": {"name": "Ada"}});
    assert_eq!(service.post("/api/v1/actions/trigger-flow", body).await.status, 201);
    service.shown(1).await;
    let said = json!({"channel": "whatsapp", "account": "+15550100", "from": "+14155550123", "text": "Fine", "id": "m1"});
    assert_eq!(service.post("/api/v1/messages", said.clone()).await.json()["outcome"], "consumed");
    assert_eq!(service.post("/api/v1/messages", said).await.json()["outcome"], "duplicate");
    let shown = service.shown(2).await;
    assert_eq!(shown[0]["text"], "Hi Ada, how are you?");
    assert_eq!(shown[1]["text"], "Fine? Good to hear!");
}

#[tokio::test]
async fn a_field_that_breaks_a_rule_is_told_in_the_shape_of_the_product_everywhere() {
    let service = Service::start();
    let actions = "/api/v1/actions";
    let long = json!({"flow_id": "x".repeat(300)});
    let poll = "/api/v1/triggers/new-flow-triggered";
    let trigger = service.request(Method::POST, &format!("{actions}/trigger-flow")).bearer_auth(TOKEN);
    let trigger = trigger.json(&json!({"flow_id": "abandoned-cart", "phone": "+14155550123"}));
    for (refused, field) in [
        (service.post(&format!("{actions}/get-flow"), json!({"flow_id": "a\u{0}"})).await, "flow_id"),
        (service.post(&format!("{actions}/get-flow"), long).await, "flow_id"),
        (service.get(&format!("{poll}?flow_id=")).await, "flow_id"),
        (service.get(&format!("{poll}?flow_id=a%00")).await, "flow_id"),
        (answered(trigger.header("Idempotency-Key", b"caf\xc3\xa9".as_slice())).await, "Idempotency-Key"),
    ] {
        assert_eq!(refused.status, 422, "{}", refused.text);
        let body = refused.json();
        let keys: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["errors", "message"], "{body}");
        assert!(body["errors"][field][0].is_string(), "{body}");
        assert!(body["message"].as_str().unwrap().starts_with(&format!("`{field}` ")), "{body}");
    }
    let twice = service.get(&format!("{poll}?flow_id=menu&flow_id=abandoned-cart")).await;
    assert_eq!((twice.status, twice.json()), (200, json!([])));
}
