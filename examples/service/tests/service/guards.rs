//! A test for each guard.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::calls::Receiver;
use crate::kit::{Answered, Service, TOKEN, TRIGGER, answered, hello};

#[tokio::test]
async fn an_unknown_address_is_answered_in_json_beside_a_page() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), "<h1>page</h1>").unwrap();
    for settings in [&[][..], &[("WEB_DIR", folder.path().to_str().unwrap())]] {
        let service = Service::with(settings);
        for (method, path) in [
            (Method::POST, "/nosuch"),
            (Method::POST, "/api/v1/actions/trigger-flow/"),
            (Method::GET, "/api/v1/nosuch"),
        ] {
            let answer = service.send(method.clone(), path, None).await;
            assert_eq!(
                (answer.status, &answer.json()["code"]),
                (404, &json!("not_found")),
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn a_body_that_is_encoded_is_told_so() {
    let service = Service::with(&[("WHATSAPP_APP_SECRET", "secret")]);
    for (path, shape) in [(TRIGGER, "error"), ("/api/v1/flows", "code"), ("/?Action=ListChatFlow", "Code")] {
        for (encoding, is_taken) in
            [("gzip", false), ("br, gzip", false), ("identity", true), ("Identity", true)]
        {
            let request = service.request(Method::POST, path).bearer_auth(TOKEN);
            let request =
                request.header("Content-Type", "application/json").header("Content-Encoding", encoding);
            let answer = answered(request.body("{}")).await;
            assert_eq!(answer.status == 415, !is_taken, "{path} {encoding}: {}", answer.text);
            assert!(is_taken || answer.json()[shape].is_string(), "{path}: {}", answer.text);
        }
    }
    let request = service.request(Method::POST, "/webhooks/whatsapp").header("Content-Encoding", "gzip");
    assert_eq!(answered(request.body("{}")).await.status, 415);
}

#[tokio::test]
async fn without_a_valid_token_nothing_is_answered() {
    let service = Service::start();
    let wrong = format!("{}x", &TOKEN[..TOKEN.len() - 1]);
    let schemes = [
        None,
        Some(String::new()),
        Some("Bearer".to_owned()),
        Some("Bearer ".to_owned()),
        Some(format!("Basic {TOKEN}")),
        Some(format!("Bearer {wrong}")),
        Some(format!("Bearer {TOKEN}0")),
        Some(format!("Bearer {}", &TOKEN[..TOKEN.len() - 1])),
        Some("Bearer cf_demo_".to_owned()),
        Some("Bearer cf__".to_owned()),
        Some(format!("Bearer {}", "x".repeat(8_000))),
    ];
    for scheme in schemes {
        let request = service.request(Method::GET, "/api/v1/flows");
        let request = match &scheme {
            Some(scheme) => request.header("Authorization", scheme),
            None => request,
        };
        let refused = answered(request).await;
        assert_eq!((refused.status, refused.header("www-authenticate")), (401, "Bearer"), "{scheme:?}");
        assert_eq!(refused.json()["code"], "unauthenticated");
    }
    let right =
        service.request(Method::GET, "/api/v1/flows").header("Authorization", format!("bearer {TOKEN}"));
    assert_eq!(answered(right).await.status, 200, "schemes are read in either case");
}

#[tokio::test]
async fn every_described_endpoint_but_the_open_ones_needs_a_token() {
    let service = Service::start();
    let document = answered(service.request(Method::GET, "/openapi.json")).await.json();
    let mut guarded = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let address = path.replace(['{', '}'], "");
            let status = answered(service.request(method.clone(), &address)).await.status;
            let is_page = method == Method::GET && *path == "/";
            let is_open = is_page
                || ["/healthz", "/readyz", "/metrics"].contains(&&**path)
                || ["/webhooks/whatsapp", "/webhooks/messenger"].contains(&&**path);
            assert_eq!(status == 401, !is_open, "{method} {path}: {status}");
            guarded += usize::from(!is_open);
        }
    }
    assert!(guarded > 40, "{guarded}");
}

#[tokio::test]
async fn nothing_is_seen_or_changed_across_workspaces() {
    let service = Service::start();
    service.publish(hello("hello")).await;
    let body = json!({"flow_id": "hello", "phone": "+14155550123", "context": {}});
    let session = service.post(TRIGGER, body.clone()).await.json();
    service.shown(1).await;
    let made = service.command().args(["token", "new", "acme", "shop"]).output().unwrap();
    let other = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let (id, contact) = (session["id"].as_str().unwrap(), session["contact_id"].as_str().unwrap());
    let as_other = async |method: Method, path: &str, body: Option<Value>| {
        let request = service.request(method, path).bearer_auth(&other);
        answered(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    };
    for (method, path, body) in [
        (Method::POST, TRIGGER.to_owned(), Some(body)),
        (Method::GET, "/api/v1/flows/hello".to_owned(), None),
        (Method::GET, "/api/v1/flows/hello/draft".to_owned(), None),
        (Method::POST, "/api/v1/flows/hello/unpublish".to_owned(), Some(json!({}))),
        (Method::GET, format!("/api/v1/sessions/{id}"), None),
        (Method::GET, format!("/api/v1/sessions/{id}/journal"), None),
        (Method::GET, format!("/api/v1/sessions/{id}/events"), None),
        (Method::POST, format!("/api/v1/sessions/{id}/cancel"), Some(json!({}))),
        (Method::POST, format!("/api/v1/sessions/{id}/hand-over"), Some(json!({}))),
        (Method::GET, format!("/api/v1/contacts/{contact}"), None),
        (Method::GET, "/api/v1/contacts?phone=%2B14155550123".to_owned(), None),
        (Method::POST, format!("/api/v1/contacts/{contact}/opt-out"), Some(json!({}))),
        (Method::POST, format!("/api/v1/contacts/{contact}/release"), Some(json!({}))),
        (Method::DELETE, format!("/api/v1/contacts/{contact}"), None),
        (Method::POST, format!("/api/v1/dead-letters/{contact}/{id}.0.1/requeue"), Some(json!({}))),
        (Method::DELETE, format!("/api/v1/dead-letters/{contact}/{id}.0.1"), None),
    ] {
        assert_eq!(as_other(method.clone(), &path, body).await.status, 404, "{method} {path}");
    }
    assert_eq!(as_other(Method::GET, "/api/v1/sessions", None).await.json()["sessions"], json!([]));
    assert_eq!(as_other(Method::GET, "/api/v1/console", None).await.json()["messages"], json!([]));
    let late = json!({"reference": {"workspace": "demo", "contact": contact, "call": format!("{id}.1")}, "result": {"failed": {"reason": "x"}}});
    assert_eq!(as_other(Method::POST, "/api/v1/calls/complete", Some(late)).await.status, 404);
    let one = service.get(&format!("/api/v1/sessions/{id}")).await.json();
    assert_eq!(one["status"], "waiting", "the session is as it was");
}

#[tokio::test]
async fn a_caller_that_is_too_fast_is_told_when_to_come_again() {
    let service = Service::with(&[("RATE_PER_MINUTE", "120")]);
    let mut last = None;
    for count in 1..=120 {
        let answer = service.get("/api/v1/workspace").await;
        assert_eq!(answer.status, 200, "request {count}");
        last = Some(answer);
    }
    assert_eq!(last.unwrap().header("x-ratelimit-remaining"), "0");
    let refused = service.get("/api/v1/workspace").await;
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert_eq!((refused.status, &refused.json()["code"]), (429, &json!("rate_limited")));
    assert!((1..=60).contains(&wait), "{wait}");
    let made = service.command().args(["token", "new", "demo", "second"]).output().unwrap();
    let second = String::from_utf8(made.stdout).unwrap();
    let other = service.request(Method::GET, "/api/v1/workspace").bearer_auth(second.trim());
    assert_eq!(answered(other).await.status, 200, "each token by itself");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let service = Service::start();
    let body = |bytes: usize| format!(r#"{{"flow_id": "none", "phone": "{}"}}"#, "x".repeat(bytes));
    let send = async |path: &str, bytes: usize| -> Answered {
        let request =
            service.request(Method::POST, path).bearer_auth(TOKEN).header("Content-Type", "application/json");
        answered(request.body(body(bytes))).await
    };
    for path in [TRIGGER, "/api/v1/flows", "/api/v1/issues", "/api/v1/messages"] {
        let refused = send(path, 1 << 20).await;
        assert_eq!((refused.status, &refused.json()["code"]), (413, &json!("too_large")), "{path}");
    }
    assert_ne!(send(TRIGGER, (1 << 20) - 100).await.status, 413);
}

#[tokio::test]
async fn a_parameter_that_nobody_knows_is_refused() {
    let service = Service::start();
    for path in [
        "/api/v1/sessions?contcat=x",
        "/api/v1/sessions?limit=5",
        "/api/v1/contacts?phone=%2B14155550123&name=Ada",
        "/api/v1/console?since=1",
        "/api/v1/dead-letters?flow=x",
        "/api/v1/flows/menu/metrics?day=x",
    ] {
        let refused = service.get(path).await;
        assert_eq!((refused.status, &refused.json()["field"]), (422, &json!("query")), "{path}");
    }
    assert_eq!(service.get("/api/v1/sessions?live=true&flow=menu").await.status, 200);
}

#[tokio::test]
async fn a_body_that_never_ends_is_not_waited_for() {
    let service = Service::start();
    let address = service.url.strip_prefix("http://").unwrap().to_owned();
    let head = format!(
        "POST {TRIGGER} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n\
         Content-Length: 100\r\n\r\n{{"
    );
    let timed = tokio::task::spawn_blocking(move || {
        let begun = Instant::now();
        let mut slow = TcpStream::connect(&address).unwrap();
        slow.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        slow.write_all(head.as_bytes()).unwrap();
        let mut heads = TcpStream::connect(&address).unwrap();
        heads.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        heads.write_all(b"GET /healthz HTTP/1.1\r\n").unwrap();
        let mut answer = [0; 12];
        slow.read_exact(&mut answer).unwrap();
        let mut rest = Vec::new();
        let _ = heads.read_to_end(&mut rest);
        (String::from_utf8_lossy(&answer).into_owned(), begun.elapsed())
    });
    let (answer, took) = timed.await.unwrap();
    assert_eq!(answer, "HTTP/1.1 408");
    assert!((Duration::from_secs(9)..Duration::from_secs(15)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn a_connection_that_says_too_little_is_closed() {
    let service = Service::start();
    let half = |bytes: &str| service.exchange(bytes.to_owned());
    let all = tokio::join!(
        half(""),
        half("P"),
        half("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        half("POST / HTTP/1.1\r\n")
    );
    for (_, took) in [all.0, all.1, all.2, all.3] {
        assert!(took < Duration::from_secs(15), "{took:?}");
    }
}

#[tokio::test]
async fn a_process_that_ends_does_not_wait_for_a_model() {
    // Connections are taken, and nothing is answered.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let mut service = Service::with(&[("LLM_URL", &url)]);
    let draft = service.request(Method::POST, "/api/v1/drafts").bearer_auth(TOKEN);
    let stream = draft.json(&json!({"requirement": "Greet everybody."})).send().await.unwrap();
    assert_eq!(stream.status(), 200);
    let begun = Instant::now();
    assert_eq!(service.terminate(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(stream.text().await.unwrap(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ends_begins_nothing_new() {
    let receiver = Receiver::start(|_, _| {
        std::thread::sleep(Duration::from_secs(3));
        (200, json!({"code": 200, "msg": "success"}))
    })
    .await;
    let settings = [("GPTBOTS_URL", &*receiver.url), ("GPTBOTS_TOKEN", "secret")];
    let mut service = Service::with(&settings);
    let mut flow = hello("hello");
    flow["settings"]["sender"] = json!({"channel": "web", "account": "site"});
    flow["nodes"][2] = json!({"id": "wait", "kind": "send_message", "text": "One more."});
    service.publish(flow).await;
    receiver.start_flow(&service, "hello").await;
    receiver.heard_all(1).await;
    let stopped = Instant::now();
    assert_eq!(service.terminate(), Some(0));
    assert!(stopped.elapsed() < Duration::from_secs(6), "{:?}", stopped.elapsed());
    let begun: Vec<Value> = receiver.heard().into_iter().map(|heard| heard.body["text"].clone()).collect();
    assert_eq!(begun, ["Hi Ada, how are you?"], "of three messages of a turn one was begun");
    service.restart(&settings);
    let heard = receiver.heard_all(3).await;
    let texts: Vec<&Value> = heard.iter().map(|heard| &heard.body["text"]).collect();
    assert_eq!(texts, ["Hi Ada, how are you?", "One more.", "? Good to hear!"], "each once, in order");
}

#[tokio::test]
async fn a_process_that_ends_finishes_what_runs_and_ends_its_streams() {
    let mut service = Service::start();
    service.publish(hello("hello")).await;
    let events = service.request(Method::GET, &format!("/api/v1/events?access_token={TOKEN}"));
    let events = events.send().await.unwrap();
    let stream = tokio::spawn(events.text());
    let body = json!({"flow_id": "hello", "phone": "+14155550123"});
    assert_eq!(service.post(TRIGGER, body).await.status, 201);
    let begun = Instant::now();
    assert_eq!(service.terminate(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(stream.await.unwrap().unwrap().contains("session_started"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_is_under_way_is_settled_before_the_end() {
    let receiver = Receiver::start(|_, _| {
        std::thread::sleep(Duration::from_secs(2));
        (200, json!({"code": 200, "msg": "success"}))
    })
    .await;
    let settings = [("GPTBOTS_URL", &*receiver.url), ("GPTBOTS_TOKEN", "secret"), ("LEASE_SECONDS", "9")];
    let mut service = Service::with(&settings);
    let mut flow = hello("hello");
    flow["settings"]["sender"] = json!({"channel": "web", "account": "site"});
    service.publish(flow).await;
    receiver.start_flow(&service, "hello").await;
    receiver.heard_all(1).await;
    let begun = Instant::now();
    assert_eq!(service.terminate(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    // What was settled does not come again, and what nobody took is not a dead letter.
    service.restart(&settings);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(receiver.heard().len(), 1);
    assert_eq!(service.get("/api/v1/dead-letters").await.json()["letters"], json!([]));
}

#[tokio::test]
async fn the_log_holds_no_text_and_no_number_of_a_contact() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let service = Service::logged(
        &log,
        &[
            ("RUST_LOG", "debug"),
            ("LOG_JSON", "true"),
            ("SERVICE_SECRET", "00112233445566778899aabbccddeeff"),
        ],
    );
    service.publish(hello("hello")).await;
    let body = json!({"flow_id": "hello", "phone": "+14155550123", "context": {"name": "Ada-Secret"}});
    assert_eq!(service.post(TRIGGER, body).await.status, 201);
    service.shown(1).await;
    let said = json!({"channel": "whatsapp", "account": "+15550100", "from": "+14155550123", "text": "my-secret-words"});
    service.post("/api/v1/messages", said).await;
    service.shown(2).await;
    service.get("/api/v1/contacts?phone=%2B14155550123").await;
    drop(service);
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("session_started") && log.contains("/api/v1/actions/trigger-flow"), "{log}");
    for secret in ["4155550123", "Ada-Secret", "my-secret-words", TOKEN, "0123456789abcdef"] {
        assert!(!log.contains(secret), "{secret} is in the log: {log}");
    }
}

#[tokio::test]
async fn a_stream_ends_when_its_token_is_revoked() {
    let service = Service::start();
    service.publish(hello("hello")).await;
    let made = service.command().args(["token", "new", "demo", "watcher"]).output().unwrap();
    let token = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let body = json!({"flow_id": "hello", "phone": "+14155550123"});
    let session = service.post(TRIGGER, body).await.json();
    let paths =
        ["/api/v1/events".to_owned(), format!("/api/v1/sessions/{}/events", session["id"].as_str().unwrap())];
    let mut streams = Vec::new();
    for (path, token) in paths.iter().flat_map(|path| [(path, &*token), (path, TOKEN)]) {
        let request = service.request(Method::GET, &format!("{path}?access_token={token}"));
        let begun = request.send().await.unwrap();
        assert_eq!(begun.status(), 200, "{path}");
        streams.push((token == TOKEN, tokio::spawn(begun.text())));
    }
    let revoked = service.command().args(["token", "revoke", "demo", "watcher"]).status().unwrap();
    assert!(revoked.success());
    let (valid, revoked): (Vec<_>, Vec<_>) = streams.into_iter().partition(|(is_valid, _)| *is_valid);
    for (_, stream) in revoked {
        let ended = tokio::time::timeout(Duration::from_secs(14), stream).await;
        assert!(ended.expect("it ends by itself").unwrap().is_ok());
    }
    for (_, stream) in valid {
        assert!(!stream.is_finished(), "that of another token stays");
        stream.abort();
    }
}
