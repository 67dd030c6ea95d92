//! WhatsApp by its webhooks: a conversation as it was recorded, with duplicates and out of order,
//! against an API of the test's own.

use std::collections::HashMap;

use chatflow_sqlite::rusqlite::Connection;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::calls::Receiver;
use crate::kit::{Answered, Service, TRIGGER, answered, eventually, hello};

pub const SECRET: &str = "app-secret";
pub const SETTINGS: [(&str, &str); 2] = [("WHATSAPP_APP_SECRET", SECRET), ("WHATSAPP_VERIFY_TOKEN", "word")];

pub fn signature(secret: &str, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(body.as_bytes());
    let digits = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("sha256={digits}")
}

pub async fn post(service: &Service, path: &str, body: &Value) -> Answered {
    post_text(service, path, body.to_string()).await
}

async fn post_text(service: &Service, path: &str, body: String) -> Answered {
    let request = service.request(Method::POST, path).header("X-Hub-Signature-256", signature(SECRET, &body));
    answered(request.header("Content-Type", "application/json").body(body)).await
}

pub async fn webhook(service: &Service, body: &Value) -> Answered {
    post(service, "/webhooks/whatsapp", body).await
}

/// A webhook with these messages of Ada's.
pub fn messages(messages: &[Value]) -> Value {
    change(json!({"contacts": [{"profile": {"name": "Ada"}, "wa_id": "14155550123"}], "messages": messages}))
}

pub fn change(mut value: Value) -> Value {
    value["messaging_product"] = "whatsapp".into();
    value["metadata"] = json!({"display_phone_number": "15550100", "phone_number_id": "106540352242922"});
    json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"value": value, "field": "messages"}]}]})
}

pub fn text(id: &str, text: &str) -> Value {
    let at = chrono::Utc::now().timestamp().to_string();
    json!({"from": "14155550123", "id": id, "timestamp": at, "type": "text", "text": {"body": text}})
}

/// The Cloud API: it takes what it gets.
async fn cloud() -> Receiver {
    Receiver::start(|count, body| {
        let id = format!("wamid.out.{count}");
        let to = body["to"].as_str().unwrap_or_default();
        let contacts = json!([{"input": to, "wa_id": to.trim_start_matches('+')}]);
        (200, json!({"messaging_product": "whatsapp", "contacts": contacts, "messages": [{"id": id}]}))
    })
    .await
}

fn connected(api: &Receiver) -> Service {
    let settings = [
        ("WHATSAPP_TOKEN", "secret"),
        ("GRAPH_URL", &*api.url),
        ("WHATSAPP_NUMBERS", "+15550100=106540352242922"),
        SETTINGS[0],
        SETTINGS[1],
    ];
    Service::with(&settings)
}

/// The accounts belong to one workspace, and an author chooses no part of the API's address.
#[tokio::test]
async fn only_the_accounts_of_the_own_workspace_reach_the_api() {
    let api = cloud().await;
    let service = connected(&api);
    let from = |code: &str, account: &str| {
        let mut flow = hello(code);
        flow["settings"]["sender"] = json!({"channel": "whatsapp", "account": account});
        flow
    };
    let start = |code: &str| json!({"flow_id": code, "phone": "+14155550123", "context": {}});
    let accounts = ["1/../../me/accounts?x=", "9999#", "../1065", "1065", "+15550100"];
    for (place, account) in accounts.into_iter().enumerate() {
        let code = format!("flow-{place}");
        service.publish(from(&code, account)).await;
        assert_eq!(service.post(TRIGGER, start(&code)).await.status, 201, "{account}");
    }
    let made = service.command().args(["token", "new", "acme", "shop"]).output().unwrap();
    let other = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let as_other = async |path: &str, body: Value| {
        answered(service.request(Method::POST, path).bearer_auth(&other).json(&body)).await
    };
    let flow = json!({"definition": from("theirs", "+15550100")});
    assert_eq!(as_other("/api/v1/flows", flow).await.status, 201);
    assert_eq!(as_other("/api/v1/flows/theirs/publish", json!({})).await.status, 200);
    assert_eq!(as_other(TRIGGER, start("theirs")).await.status, 201);
    eventually(async || {
        let request = service.request(Method::GET, "/api/v1/console").bearer_auth(&other);
        let shown = answered(request).await.json();
        (shown["messages"].as_array()?.len() == 1).then_some(())
    })
    .await;
    let heard = api.heard_all(2).await;
    let mut paths: Vec<&str> = heard.iter().map(|heard| &*heard.path).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["/1065/messages", "/106540352242922/messages"]);
}

#[tokio::test]
async fn a_challenge_is_answered_to_who_knows_the_word() {
    let service = Service::with(&SETTINGS);
    let ask = async |query: &str| {
        answered(service.request(Method::GET, &format!("/webhooks/whatsapp?{query}"))).await
    };
    let right = ask("hub.mode=subscribe&hub.verify_token=word&hub.challenge=1158201444").await;
    assert_eq!((right.status, &*right.text), (200, "1158201444"));
    for wrong in [
        "hub.mode=subscribe&hub.verify_token=other&hub.challenge=1",
        "hub.mode=x&hub.verify_token=word&hub.challenge=1",
        "",
    ] {
        assert_eq!(ask(wrong).await.status, 403, "{wrong}");
    }
    let without = Service::start();
    let asked = "/webhooks/whatsapp?hub.mode=subscribe&hub.verify_token=&hub.challenge=1";
    assert_eq!(answered(without.request(Method::GET, asked)).await.status, 403, "no word is no word");
}

#[tokio::test]
async fn what_is_not_signed_changes_nothing() {
    let service = Service::with(&SETTINGS);
    let body = messages(&[text("wamid.1", "menu")]).to_string();
    let send = async |body: &str, header: Option<String>| {
        let request = service.request(Method::POST, "/webhooks/whatsapp").body(body.to_owned());
        answered(match header {
            Some(header) => request.header("X-Hub-Signature-256", header),
            None => request,
        })
        .await
        .status
    };
    let right = signature(SECRET, &body);
    assert_eq!(send(&body, None).await, 403);
    assert_eq!(send(&body, Some(signature("other", &body))).await, 403);
    assert_eq!(send(&body, Some(right.replace("sha256=", "sha1="))).await, 403);
    assert_eq!(send(&body, Some(right[..right.len() - 2].to_owned())).await, 403);
    assert_eq!(send(&body.replace("menu", "stop"), Some(right.clone())).await, 403);
    assert_eq!(service.get("/api/v1/sessions").await.json()["sessions"], json!([]));
    assert_eq!(send(&body, Some(right)).await, 200);
    assert_eq!(service.get("/api/v1/sessions").await.json()["sessions"][0]["flow"], "menu");
    let open = Service::start();
    let request =
        open.request(Method::POST, "/webhooks/whatsapp").header("X-Hub-Signature-256", signature("", &body));
    assert_eq!(answered(request.body(body)).await.status, 403, "without a secret nothing is taken");
}

#[tokio::test]
async fn a_recorded_conversation_goes_well_with_duplicates_and_out_of_order() {
    let api = cloud().await;
    let service = connected(&api);
    let first = messages(&[text("wamid.1", "menu")]);
    assert_eq!(webhook(&service, &first).await.json(), json!({"started": 1}));
    assert_eq!(webhook(&service, &first).await.json(), json!({"duplicate": 1}), "a webhook that came again");
    let sent = api.heard_all(1).await[0].clone();
    assert_eq!(
        (&*sent.path, &sent.headers["authorization"]),
        ("/106540352242922/messages", &"Bearer secret".parse().unwrap())
    );
    assert_eq!(
        (&sent.body["to"], &sent.body["interactive"]["type"]),
        (&json!("+14155550123"), &json!("list"))
    );
    let rows = sent.body["interactive"]["action"]["sections"][0]["rows"].as_array().unwrap().clone();
    let order = rows.iter().find(|row| row["title"] == "My order").unwrap();

    // The reports come in another order than things happened, and one twice.
    let message = sent.body["biz_opaque_callback_data"].as_str().unwrap();
    let report = |status: &str| {
        change(json!({"statuses": [{"id": "wamid.out.0", "status": status, "timestamp": "1700000000",
            "recipient_id": "14155550123", "biz_opaque_callback_data": message}]}))
    };
    for status in ["read", "delivered", "delivered"] {
        assert_eq!(webhook(&service, &report(status)).await.json(), json!({"reported": 1}), "{status}");
    }
    assert_eq!(webhook(&service, &report("sent")).await.json(), json!({"ignored": 1}));

    // The choice, and before it a message that was written earlier but comes later.
    let choice = json!({"from": "14155550123", "id": "wamid.3", "timestamp": chrono::Utc::now().timestamp().to_string(),
        "type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"id": order["id"], "title": "My order"}}});
    let mut early = text("wamid.2", "hello?");
    early["timestamp"] = (chrono::Utc::now().timestamp() - 3_600).to_string().into();
    assert_eq!(
        webhook(&service, &messages(std::slice::from_ref(&choice))).await.json(),
        json!({"consumed": 1})
    );
    let rest = webhook(&service, &messages(&[choice, early])).await.json();
    assert_eq!(rest["duplicate"], 1, "{rest}");
    let heard = api.heard_all(2).await;
    assert_eq!(heard[1].body["text"]["body"], "Please write \"where is my order\", and we look it up.");
    let session = eventually(async || {
        let listed = service.get("/api/v1/sessions?flow=menu").await.json();
        listed["sessions"]
            .as_array()
            .unwrap()
            .iter()
            .find(|session| session["status"] == "completed")
            .cloned()
    })
    .await;
    assert_eq!((&session["contact_name"], &session["phone"]), (&json!("Ada"), &json!("+14155550123")));
    let ids: Vec<&Value> = heard.iter().map(|heard| &heard.body["biz_opaque_callback_data"]).collect();
    assert!(
        ids.iter().enumerate().all(|(place, id)| !ids[..place].contains(id)),
        "no message twice: {ids:?}"
    );
}

#[tokio::test]
async fn many_events_in_one_webhook_are_each_taken() {
    let api = cloud().await;
    let service = connected(&api);
    let mut other = text("wamid.9", "menu");
    other["from"] = "14155550124".into();
    let webhook_body = messages(&[
        text("wamid.1", "menu"),
        other,
        text("wamid.1", "menu"),
        json!({"type": "text"}),
        json!(7),
    ]);
    let taken: HashMap<String, u32> =
        serde_json::from_value(webhook(&service, &webhook_body).await.json()).unwrap();
    assert_eq!((taken["started"], taken["duplicate"]), (2, 1), "{taken:?}");
    assert_eq!(taken.values().sum::<u32>(), 5, "what is wrong in itself hides no neighbour: {taken:?}");
}

#[tokio::test]
async fn a_message_that_cannot_be_taken_keeps_no_other_from_being_taken() {
    let service = connected(&cloud().await);
    let from = |people: &[(&str, &str)]| {
        let contacts: Vec<Value> = people.iter().map(|(number, _)| json!({"wa_id": number})).collect();
        let messages = people.iter().map(|(number, id)| {
            let mut said = text(id, "menu");
            said["from"] = (*number).into();
            said
        });
        change(json!({"contacts": contacts, "messages": messages.collect::<Vec<_>>()}))
    };
    let first = from(&[("14155550101", "wamid.a"), ("14155550102", "wamid.b")]);
    assert_eq!(webhook(&service, &first).await.json(), json!({"started": 2}));
    let Ok(file) = service.folder.path().join("service.db").canonicalize() else { return };
    crate::kit::eventually(async || {
        let live = service.get("/api/v1/sessions?status=waiting").await.json();
        (live["sessions"].as_array().unwrap().len() == 2).then_some(())
    })
    .await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let contact = async |phone: &str| {
        let found = service.get(&format!("/api/v1/contacts?phone=%2B{phone}")).await.json();
        found["id"].as_str().unwrap().to_owned()
    };
    let (aside, newer) = (contact("14155550101").await, contact("14155550102").await);
    assert_ne!(aside, newer);
    let database = Connection::open(file).unwrap();
    // One was set aside after repeated failure; the other was written by a newer release.
    let set_aside = "UPDATE chatflow_conversation SET quarantined = 1 WHERE contact = ?1";
    assert_eq!(database.execute(set_aside, [&aside]).unwrap(), 1);
    let read = "SELECT record FROM chatflow_conversation WHERE contact = ?1";
    let mut record: Vec<u8> = database.query_row(read, [&newer], |row| row.get(0)).unwrap();
    record[4..6].copy_from_slice(&[0xff, 0xff]);
    let write = "UPDATE chatflow_conversation SET record = ?2 WHERE contact = ?1";
    assert_eq!(database.execute(write, (&newer, record)).unwrap(), 1);
    let mixed = from(&[("14155550101", "wamid.1"), ("14155550102", "wamid.2"), ("14155550103", "wamid.3")]);
    for _ in 0..2 {
        let later = webhook(&service, &mixed).await;
        assert_eq!((later.status, later.header("retry-after")), (503, "1"), "{}", later.text);
        assert_eq!(later.json()["code"], "newer_format");
        let listed = service.get(&format!("/api/v1/sessions?contact={}", contact("14155550103").await)).await;
        assert_eq!(listed.json()["sessions"].as_array().unwrap().len(), 1, "it was taken, and once");
    }
    let rest = from(&[("14155550101", "wamid.1"), ("14155550104", "wamid.4")]);
    let taken = webhook(&service, &rest).await;
    assert_eq!((taken.status, taken.json()), (200, json!({"left_out": 1, "started": 1})));
}

#[tokio::test]
async fn errors_of_the_api_decide_what_becomes_of_a_message() {
    let api = Receiver::start(|count, _| match count {
        0 => (400, json!({"error": {"code": 131_056, "message": "pair rate limit"}})),
        _ => (400, json!({"error": {"code": 131_026, "message": "undeliverable"}})),
    })
    .await;
    let service = connected(&api);
    webhook(&service, &messages(&[text("wamid.1", "menu")])).await;
    let letter =
        eventually(async || service.get("/api/v1/dead-letters").await.json()["letters"].get(0).cloned())
            .await;
    assert!(letter["letter"]["reason"]["rejected"].as_str().unwrap().contains("131026"), "{letter}");
    assert_eq!(api.heard().len(), 2, "the first was tried again");
}

#[tokio::test]
async fn half_a_character_of_one_hides_no_message_of_another() {
    let service = Service::with(&SETTINGS);
    let mut other = text("wamid.2", "menu");
    other["from"] = "14155550124".into();
    let body = messages(&[text("wamid.1", "menu HALF"), other]).to_string();
    let body = body.replace("HALF", r"\ud83d").replace("\"Ada\"", r#""Ada \ude00""#);
    let taken = post_text(&service, "/webhooks/whatsapp", body).await;
    assert_eq!((taken.status, taken.json()), (200, json!({"started": 2})));
    let named = service.get("/api/v1/contacts?phone=%2B14155550123").await.json();
    assert_eq!(named["profile"]["name"], "Ada \u{fffd}", "{named}");
}

#[tokio::test]
async fn a_webhook_as_large_as_they_come_is_taken() {
    let service = Service::with(&SETTINGS);
    let mut long = messages(&[text("wamid.1", "menu")]);
    long["padding"] = "x".repeat(3_000_000).into();
    assert_eq!(webhook(&service, &long).await.json()["started"], 1);
    long["padding"] = "x".repeat(4 << 20).into();
    assert_eq!(webhook(&service, &long).await.status, 413);
}
