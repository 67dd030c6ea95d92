//! Thirty and more hostile inputs: each gets its status, and afterwards everything is as it was.

use chatflow_sqlite::rusqlite::{Connection, OpenFlags};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::kit::{Answered, Service, TOKEN, TRIGGER, answered, hello};
use crate::whatsapp::signature;

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
        ("/api/v1/flows", br#"{"code": ".."}"#.to_vec(), 422),
        ("/api/v1/flows", br#"{"code": ".", "template": "welcome"}"#.to_vec(), 422),
        (
            "/api/v1/flows",
            br#"{"definition": {"spec": 1, "code": "..", "trigger": {"kind": "manual"}, "nodes": [], "edges": []}}"#
                .to_vec(),
            422,
        ),
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
        (Method::GET, "/api/v1/flows/hello/versions/x".to_owned(), JSON, "", 404),
        (Method::GET, "/api/v1/flows/hello/versions/99999999999".to_owned(), JSON, "", 404),
        (Method::GET, "/api/v1/contacts?phone=abc".to_owned(), JSON, "", 422),
        (Method::GET, "/api/v1/contacts?phone=".to_owned(), JSON, "", 422),
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
        let is_told = status != 404 || !refused.text.contains("u32");
        assert!(is_told, "words of the framework: {}", refused.text);
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

/// Every row of every table, as text. Of a server it is what an operator sees.
async fn stored(service: &Service) -> String {
    let file = service.folder.path().join("service.db");
    if !file.exists() {
        return picture(service).await.to_string();
    }
    let database = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut names =
        database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(names.iter().any(|name| name == "service_tokens") && names.len() > 5, "{names:?}");
    let mut whole = String::new();
    for name in names {
        let mut table = database.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
        let columns = table.column_count();
        let mut rows: Vec<String> = table
            .query_map([], |row| {
                let values = (0..columns).map(|at| format!("{:?}", row.get_ref(at)));
                Ok(values.collect::<Vec<_>>().join(" "))
            })
            .unwrap()
            .map(Result::unwrap)
            .collect();
        rows.sort();
        whole.push_str(&format!("{name}\n{}\n", rows.join("\n")));
    }
    whole
}

/// One hostile input, and the status that it gets.
type Attack = (&'static str, RequestBuilder, u16);

/// Requests with the token of another workspace for what is not in it.
fn of_another_workspace(service: &Service, other: &str, session: &str, contact: &str) -> Vec<Attack> {
    let with = |method: Method, path: String, body: Value| {
        service.request(method, &path).bearer_auth(other).json(&body)
    };
    let post = |path: String, body: Value| with(Method::POST, path, body);
    let flow = hello("hello");
    let call = json!({"workspace": "demo", "contact": contact, "call": format!("{session}.1")});
    let stale = || with(Method::PUT, "/api/v1/flows/hello/draft".to_owned(), flow.clone());
    vec![
        ("its session is cancelled", post(format!("/api/v1/sessions/{session}/cancel"), json!({})), 404),
        ("it is handed over", post(format!("/api/v1/sessions/{session}/hand-over"), json!({})), 404),
        ("it is migrated", post(format!("/api/v1/sessions/{session}/migrate"), json!({"version": 1})), 404),
        ("its contact is paused", post(format!("/api/v1/contacts/{contact}/pause"), json!({})), 404),
        ("it opts out", post(format!("/api/v1/contacts/{contact}/opt-out"), json!({})), 404),
        ("it is taken back to work", post(format!("/api/v1/contacts/{contact}/release"), json!({})), 404),
        ("it is forgotten", with(Method::DELETE, format!("/api/v1/contacts/{contact}"), json!({})), 404),
        (
            "its message is sent again",
            post(format!("/api/v1/dead-letters/{contact}/{session}.0.1/requeue"), json!({})),
            404,
        ),
        (
            "its message is dropped",
            with(Method::DELETE, format!("/api/v1/dead-letters/{contact}/{session}.0.1"), json!({})),
            404,
        ),
        (
            "its messages are read",
            with(Method::GET, format!("/api/v1/contacts/{contact}/messages"), json!({})),
            404,
        ),
        ("its flow is published", post("/api/v1/flows/hello/publish".to_owned(), json!({})), 404),
        ("its flow is taken offline", post("/api/v1/flows/hello/unpublish".to_owned(), json!({})), 404),
        ("its flow is deleted", with(Method::DELETE, "/api/v1/flows/hello".to_owned(), json!({})), 404),
        ("its draft is replaced", stale().header("If-Match", "\"1\""), 404),
        (
            "its call is answered",
            post(
                "/api/v1/calls/complete".to_owned(),
                json!({"reference": call, "result": {"value": {"value": 1}}}),
            ),
            404,
        ),
        (
            "its flow is started",
            post(TRIGGER.to_owned(), json!({"flow_id": "hello", "contact_id": contact})),
            404,
        ),
    ]
}

/// Webhooks that Meta did not sign, and a challenge by who does not know the word.
fn forged(service: &Service, body: &str) -> Vec<Attack> {
    let send = |path: &str, header: Option<String>, body: String| {
        let request = service.request(Method::POST, path).header("Content-Type", JSON).body(body);
        header.iter().fold(request, |request, header| request.header("X-Hub-Signature-256", header))
    };
    let whatsapp = |header: Option<String>, body: String| send("/webhooks/whatsapp", header, body);
    let right = signature(SECRET, body);
    let get = |query: &str| service.request(Method::GET, &format!("/webhooks/whatsapp?{query}"));
    vec![
        ("no signature", whatsapp(None, body.to_owned()), 403),
        ("an empty one", whatsapp(Some(String::new()), body.to_owned()), 403),
        ("that of another secret", whatsapp(Some(signature("app-secre", body)), body.to_owned()), 403),
        ("that of another body", whatsapp(Some(signature(SECRET, "{}")), body.to_owned()), 403),
        ("a body with a blank behind it", whatsapp(Some(right.clone()), format!("{body} ")), 403),
        ("half of it", whatsapp(Some(right[..39].to_owned()), body.to_owned()), 403),
        ("another algorithm", whatsapp(Some(right.replace("sha256", "sha1")), body.to_owned()), 403),
        ("no algorithm", whatsapp(Some(right["sha256=".len()..].to_owned()), body.to_owned()), 403),
        ("a forged page", send("/webhooks/messenger", Some(signature("x", body)), body.to_owned()), 403),
        ("a wrong word", get("hub.mode=subscribe&hub.verify_token=world&hub.challenge=1"), 403),
        ("no word", get("hub.mode=subscribe&hub.verify_token=&hub.challenge=1"), 403),
        (
            "ten megabytes, signed",
            whatsapp(Some(signature(SECRET, &"x".repeat(10 << 20))), "x".repeat(10 << 20)),
            413,
        ),
    ]
}

/// Wrong types, sizes and texts, by who has a token.
fn misshapen(service: &Service, session: &str) -> Vec<Attack> {
    let with = |method: Method, path: &str, body: String| {
        service.request(method, path).bearer_auth(TOKEN).header("Content-Type", JSON).body(body)
    };
    let post = |path: &str, body: Value| with(Method::POST, path, body.to_string());
    let migrate =
        |version: Value| post(&format!("/api/v1/sessions/{session}/migrate"), json!({"version": version}));
    let say = |text: Value| {
        let (account, from) = ("+15550100", "+14155550123");
        post(
            "/api/v1/messages",
            json!({"channel": "whatsapp", "account": account, "from": from, "text": text}),
        )
    };
    let save = |revision: &str, body: String| {
        with(Method::PUT, "/api/v1/flows/hello/draft", body).header("If-Match", revision)
    };
    let start = || post(TRIGGER, json!({"flow_id": "hello", "phone": "+14155550177"}));
    let twice = r#"{"flow_id": "hello", "flow_id": "other", "phone": "+14155550177"}"#.to_owned();
    vec![
        ("a text for a version", migrate(json!("1")), 422),
        ("a fraction for a version", migrate(json!(1.5)), 422),
        ("a version beyond all, of what has ended", migrate(json!(4_000_000_000_u64)), 409),
        ("a list for an object", post("/api/v1/messages", json!(["menu"])), 422),
        ("an object for a text", say(json!({"body": "menu"})), 422),
        ("a text of a megabyte", say(json!("x".repeat(1_000_000))), 422),
        ("ten megabytes for a draft", save("\"1\"", "x".repeat(10 << 20)), 413),
        ("another revision", save("\"77\"", hello("hello").to_string()), 412),
        ("a revision that is none", save("x", hello("hello").to_string()), 412),
        (
            "a list of revisions without that of now",
            save("\"77\", W/\"78\"", hello("hello").to_string()),
            412,
        ),
        ("a field twice, of which the last counts", with(Method::POST, TRIGGER, twice), 404),
        ("a key of 300 bytes", start().header("Idempotency-Key", "k".repeat(300)), 422),
        (
            "a page behind all",
            with(Method::GET, "/api/v1/sessions?after=%27%20OR%201%3D1", String::new()),
            404,
        ),
        ("an unknown action", with(Method::POST, "/?Action=DropAllTables", "{}".to_owned()), 422),
    ]
}

#[tokio::test]
async fn the_store_is_row_by_row_as_it_was_after_hostile_inputs() {
    let service = Service::with(&[("WHATSAPP_APP_SECRET", SECRET), ("WHATSAPP_VERIFY_TOKEN", "word")]);
    service.publish(hello("hello")).await;
    let started = service.post(TRIGGER, json!({"flow_id": "hello", "phone": "+14155550123"})).await.json();
    service.shown(1).await;
    let made = service.command().args(["token", "new", "acme", "shop"]).output().unwrap();
    let other = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let (session, contact) = (started["id"].as_str().unwrap(), started["contact_id"].as_str().unwrap());
    let at = chrono::Utc::now().timestamp().to_string();
    let said = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": {
        "messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550100", "phone_number_id": "1"},
        "messages": [{"from": "14155550123", "id": "wamid.one", "timestamp": at, "type": "text", "text": {"body": "Fine"}}]}}]}]})
    .to_string();
    let signed = || {
        let request = service.request(Method::POST, "/webhooks/whatsapp").header("Content-Type", JSON);
        request.header("X-Hub-Signature-256", signature(SECRET, &said)).body(said.clone())
    };
    assert_eq!(answered(signed()).await.status, 200, "once it is taken");
    service.shown(2).await;
    let mut attacks = of_another_workspace(&service, &other, session, contact);
    attacks.extend(forged(&service, &said));
    attacks.extend(misshapen(&service, session));
    attacks.extend([("a replay", signed(), 200), ("the same once more", signed(), 200)]);
    assert!(attacks.len() >= 30, "{}", attacks.len());
    let settled = crate::kit::eventually(async || {
        let before = stored(&service).await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        (before == stored(&service).await).then_some(before)
    });
    let before = settled.await;
    let mut wrong = Vec::new();
    for (name, request, status) in attacks {
        let refused = answered(request).await;
        if refused.status != status {
            wrong.push(format!("{name}: {} and not {status}: {}", refused.status, refused.text));
        }
        let after = stored(&service).await;
        let changed = after.lines().find(|line| !before.contains(line));
        assert!(before == after, "{name} changed what is stored: {changed:?}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
