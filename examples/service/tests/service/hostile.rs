//! Thirty and more hostile inputs: each gets its status, and afterwards everything is as it was.

use reqwest::Method;
use serde_json::{Value, json};

use crate::kit::{Answered, Service, TOKEN, answered, hello};
use crate::whatsapp::signature;

const TRIGGER: &str = "/api/v1/actions/trigger-flow";
const JSON: &str = "application/json";
const SECRET: &str = "app-secret";

/// Everything that an operator sees of a workspace.
async fn picture(service: &Service) -> Value {
    let mut picture = json!({});
    for path in ["flows", "sessions", "dead-letters", "quarantine", "inbox", "console"] {
        picture[path] = service.get(&format!("/api/v1/{path}")).await.json();
    }
    picture
}

async fn raw(
    service: &Service,
    method: Method,
    path: &str,
    media: &str,
    body: impl Into<reqwest::Body>,
) -> Answered {
    let request = service.request(method, path).bearer_auth(TOKEN).header("Content-Type", media);
    answered(request.body(body)).await
}

#[tokio::test]
async fn hostile_inputs_get_their_status_and_change_nothing() {
    let service = Service::with(&[("WHATSAPP_APP_SECRET", SECRET), ("WHATSAPP_VERIFY_TOKEN", "word")]);
    service.publish(hello("hello")).await;
    let started = service.post(TRIGGER, json!({"flow_id": "hello", "phone": "+14155550123"})).await.json();
    service.shown(1).await;
    let session = started["id"].as_str().unwrap();
    let before = picture(&service).await;

    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let nested = format!(
        r#"{{"flow_id": "hello", "phone": "+14155550199", "context": {{"x": {}1{}}}}}"#,
        "[".repeat(100),
        "]".repeat(100)
    );
    let large = json!({"flow_id": "hello", "phone": "+14155550199", "context": {"x": "y".repeat(200_000)}})
        .to_string();
    let bodies: Vec<(&str, Vec<u8>, u16)> = vec![
        (TRIGGER, Vec::new(), 422),
        (TRIGGER, b"{".to_vec(), 422),
        (TRIGGER, b"null".to_vec(), 422),
        (TRIGGER, b"[]".to_vec(), 422),
        (TRIGGER, b"\"hello\"".to_vec(), 422),
        (TRIGGER, vec![0xff, 0xfe, 0x00], 422),
        (TRIGGER, deep.clone().into_bytes(), 422),
        (TRIGGER, nested.into_bytes(), 422),
        (TRIGGER, large.into_bytes(), 422),
        (TRIGGER, vec![b'x'; 10 << 20], 413),
        (TRIGGER, br#"{"flow_id": ["hello"], "phone": "+14155550199"}"#.to_vec(), 422),
        (TRIGGER, br#"{"flow_id": "hello", "phone": 14155550199}"#.to_vec(), 422),
        (TRIGGER, br#"{"flow_id": "hello", "phone": "call me"}"#.to_vec(), 422),
        (TRIGGER, br#"{"flow_id": "hello", "phone": "+1"}"#.to_vec(), 422),
        (TRIGGER, br#"{"flow_id": "hello", "phone": "+14155550199", "context": "x"}"#.to_vec(), 422),
        (TRIGGER, br#"{"flow_id": "hello"}"#.to_vec(), 422),
        (TRIGGER, br#"{"flow_id": "hello\u0000", "phone": "+14155550199"}"#.to_vec(), 422),
        (TRIGGER, br#"{"flow_id": "' OR 1=1 --", "phone": "+14155550199"}"#.to_vec(), 404),
        (TRIGGER, br#"{"flow_id": "../../etc/passwd", "phone": "+14155550199"}"#.to_vec(), 404),
        (
            TRIGGER,
            format!(r#"{{"flow_id": "{}", "phone": "+14155550199"}}"#, "x".repeat(300)).into_bytes(),
            422,
        ),
        (TRIGGER, br#"{"flow_id": "hello", "contact_id": ""}"#.to_vec(), 422),
        ("/api/v1/flows", deep.into_bytes(), 422),
        ("/api/v1/flows", br#"{"definition": {"code": "x\u0007"}}"#.to_vec(), 422),
        ("/api/v1/flows", br#"{"code": "x", "unknown": true}"#.to_vec(), 422),
        ("/api/v1/flows", br#"{"code": "hello", "name": "mine now"}"#.to_vec(), 422),
        (
            "/api/v1/messages",
            br#"{"channel": "WhatsApp", "account": "a", "from": "b", "text": "c"}"#.to_vec(),
            422,
        ),
        (
            "/api/v1/messages",
            br#"{"channel": "whatsapp", "account": "+15550100", "from": "nobody", "text": "menu"}"#.to_vec(),
            422,
        ),
        (
            "/api/v1/messages",
            br#"{"channel": "whatsapp", "account": "+15550100", "from": "+14155550123"}"#.to_vec(),
            422,
        ),
        ("/api/v1/calls/complete", br#"{"reference": "x", "result": {}}"#.to_vec(), 422),
        ("/api/v1/rehearsals", br#"{"flow": "hello", "steps": [{"pass": "99999999999d"}]}"#.to_vec(), 422),
        ("/webhooks/gptbots", br#"{"message_id": 7}"#.to_vec(), 422),
    ];
    let mut tried = bodies.len();
    for (path, body, status) in bodies {
        let said = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        let refused = raw(&service, Method::POST, path, JSON, body).await;
        assert_eq!(refused.status, status, "{path} {said}: {}", refused.text);
        assert!(refused.json().is_object(), "an error is JSON: {}", refused.text);
    }

    let migrate = format!("/api/v1/sessions/{session}/migrate");
    let others: Vec<(Method, String, &str, &str, u16)> = vec![
        (Method::POST, "/api/v1/flows".to_owned(), "text/plain", r#"{"code": "x"}"#, 415),
        (Method::POST, migrate, JSON, r#"{"version": -1}"#, 422),
        (Method::PUT, "/api/v1/flows/hello/draft".to_owned(), JSON, "{}", 428),
        (Method::DELETE, TRIGGER.to_owned(), JSON, "", 405),
        (Method::GET, "/api/v1/sessions/not-a-session".to_owned(), JSON, "", 404),
        (Method::GET, "/api/v1/sessions/00000000-0000-0000-0000-000000000000".to_owned(), JSON, "", 404),
        (Method::GET, "/api/v1/flows/%00/draft".to_owned(), JSON, "", 404),
        (Method::GET, "/api/v1/flows/%ff".to_owned(), JSON, "", 404),
        (Method::GET, "/api/v1/flows/..%2f..%2fetc%2fpasswd/draft".to_owned(), JSON, "", 404),
        (Method::GET, "/api/v1/sessions?after=x".to_owned(), JSON, "", 404),
        (Method::GET, "/api/v1/console?after=-1".to_owned(), JSON, "", 422),
        (Method::POST, "/api/v1/dead-letters/x/y/requeue".to_owned(), JSON, "", 404),
        (Method::POST, "/api/v1/contacts/nobody/opt-out".to_owned(), JSON, "", 404),
        (Method::GET, "/nothing/here".to_owned(), JSON, "", 404),
        (
            Method::POST,
            "/webhooks/whatsapp".to_owned(),
            JSON,
            r#"{"object": "whatsapp_business_account", "entry": []}"#,
            403,
        ),
    ];
    tried += others.len();
    for (method, path, media, body, status) in others {
        let refused = raw(&service, method.clone(), &path, media, body.to_owned()).await;
        assert_eq!(refused.status, status, "{method} {path}: {}", refused.text);
    }

    // Signed, and wrong all the same: a bad body is never asked for again, a replay changes
    // nothing.
    for (body, status) in [
        ("[]", 422),
        ("{", 422),
        (r#"{"object": "page", "entry": []}"#, 422),
        (r#"{"object": "whatsapp_business_account", "entry": [7, null, {}]}"#, 200),
    ] {
        let request = service
            .request(Method::POST, "/webhooks/whatsapp")
            .header("X-Hub-Signature-256", signature(SECRET, body));
        let answer = answered(request.body(body)).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
        tried += 1;
    }
    assert!(tried >= 50, "{tried}");
    let mut after = picture(&service).await;
    // What the commands above may count, and nothing else.
    after["console"]["last"] = before["console"]["last"].clone();
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_key_that_is_replayed_for_another_contact_starts_nothing() {
    let service = Service::start();
    service.publish(hello("hello")).await;
    let start = async |phone: &str| {
        let request =
            service.request(Method::POST, TRIGGER).bearer_auth(TOKEN).header("Idempotency-Key", "one");
        answered(request.json(&json!({"flow_id": "hello", "phone": phone}))).await
    };
    assert_eq!(start("+14155550123").await.status, 201);
    assert_eq!(start("+14155550199").await.status, 422);
    let sessions = service.get("/api/v1/sessions").await.json();
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1);
}
