//! Everything that goes out: webhooks, functions, a model, requests of flows. Each against a server
//! of the test's own.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::IntoResponse;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::kit::{Service, TOKEN, eventually, hello};

type Respond = Arc<dyn Fn(usize, &Value) -> (u16, Value) + Send + Sync>;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Heard {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Value,
}

#[derive(Clone)]
struct Hearing {
    heard: Arc<Mutex<Vec<Heard>>>,
    respond: Respond,
}

/// A server that notes what it is asked.
pub struct Receiver {
    pub url: String,
    hearing: Hearing,
}

impl Receiver {
    /// It answers by the number of the request, from 0, and its body.
    pub async fn start(respond: impl Fn(usize, &Value) -> (u16, Value) + Send + Sync + 'static) -> Self {
        let hearing = Hearing { heard: Arc::default(), respond: Arc::new(respond) };
        let router = Router::new().fallback(hear).with_state(hearing.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, hearing }
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.hearing.heard.lock().unwrap().clone()
    }

    pub async fn heard_all(&self, count: usize) -> Vec<Heard> {
        eventually(async || Some(self.heard()).filter(|heard| heard.len() >= count)).await
    }

    /// Starts a flow with a visitor of the channel `web`, whom a message has made known.
    pub async fn start_flow(&self, service: &Service, flow: &str) {
        let opener = json!({"spec": 1, "code": "opener", "name": "Opener",
            "trigger": {"kind": "inbound", "channel": "web", "rules": [{"match": "any"}]},
            "nodes": [{"id": "start", "kind": "start"}, {"id": "call", "kind": "call_flow", "flow": flow, "input": [{"name": "name", "value": "Ada"}]}],
            "edges": [{"from": "start", "to": "call"}]});
        assert_eq!(service.post("/api/v1/flows", json!({"definition": opener})).await.status, 201);
        let bind = json!({"accounts": [{"channel": "web", "account": "site"}]});
        let bound = service.send(reqwest::Method::PUT, "/api/v1/flows/opener/accounts", Some(bind)).await;
        assert_eq!(bound.status, 200, "{}", bound.text);
        let published = service.post("/api/v1/flows/opener/publish", json!({})).await;
        assert_eq!(published.status, 200, "{}", published.text);
        let said =
            json!({"channel": "web", "account": "site", "from": "visitor-1", "text": "hello", "id": "m1"});
        assert_eq!(service.post("/api/v1/messages", said).await.json()["outcome"], "started");
    }
}

async fn hear(
    State(hearing): State<Hearing>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let count = {
        let mut heard = hearing.heard.lock().unwrap();
        heard.push(Heard { path: uri.path().to_owned(), headers, body: body.clone() });
        heard.len() - 1
    };
    // It may take its time without keeping the test from anything.
    let answering = tokio::task::spawn_blocking(move || (hearing.respond)(count, &body));
    let (status, answer) = answering.await.unwrap();
    (StatusCode::from_u16(status).unwrap(), axum::Json(answer))
}

/// A flow with one node, whose answer is shown.
fn asking(node: Value) -> Value {
    let mut node = node;
    node["id"] = "ask".into();
    node["save_to"] = "said".into();
    json!({"spec": 1, "code": "asking", "name": "Asking", "trigger": {"kind": "manual"},
        "settings": {"sender": {"channel": "whatsapp", "account": "+15550100"}},
        "nodes": [{"id": "start", "kind": "start"}, node,
            {"id": "show", "kind": "send_message", "text": "said {{ vars.said | json }}"},
            {"id": "failed", "kind": "send_message", "text": "failed"}],
        "edges": [{"from": "start", "to": "ask"}, {"from": "ask", "to": "show"},
            {"from": "ask", "branch": "failed", "to": "failed"}]})
}

async fn shown_by(service: &Service, node: Value) -> String {
    service.publish(asking(node)).await;
    let body = json!({"flow_id": "asking", "phone": "+14155550123"});
    assert_eq!(service.post("/api/v1/actions/trigger-flow", body).await.status, 201);
    service.shown(1).await[0]["text"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn messages_are_posted_as_gptbots_posts_them_and_again_until_they_are_taken() {
    let receiver = Receiver::start(|count, _| match count {
        0 => (500, json!({})),
        1 => (200, json!({"code": 500, "msg": "busy"})),
        _ => (200, json!({"code": 200, "msg": "success"})),
    })
    .await;
    let service = Service::with(&[("GPTBOTS_URL", &receiver.url), ("GPTBOTS_TOKEN", "secret")]);
    let mut flow = hello("hello");
    flow["settings"]["sender"] = json!({"channel": "web", "account": "site"});
    service.publish(flow).await;
    receiver.start_flow(&service, "hello").await;
    let heard = receiver.heard_all(3).await;
    assert!(
        heard
            .iter()
            .all(|heard| heard.body == heard.body && heard.headers["authorization"] == "Bearer secret")
    );
    let body = &heard[2].body;
    assert_eq!((&body["text"], &body["message_type"]), (&json!("Hi Ada, how are you?"), &json!("ANSWER")));
    assert_eq!(heard[0].body["message_id"], body["message_id"]);
}

#[tokio::test]
async fn a_turn_is_posted_at_once_in_the_second_version() {
    let receiver = Receiver::start(|_, _| (200, json!({"code": 200, "msg": "success"}))).await;
    let settings = [
        ("GPTBOTS_URL", &*receiver.url),
        ("GPTBOTS_TOKEN", "secret"),
        ("GPTBOTS_BASIC", "true"),
        ("GPTBOTS_BY_TURN", "true"),
    ];
    let service = Service::with(&settings);
    let mut flow = hello("hello");
    flow["settings"]["sender"] = json!({"channel": "web", "account": "site"});
    flow["nodes"][2] = json!({"id": "wait", "kind": "send_message", "text": "And here is more."});
    service.publish(flow).await;
    receiver.start_flow(&service, "hello").await;
    let heard = receiver.heard_all(1).await;
    assert_eq!(heard[0].headers["authorization"], "Basic secret");
    let texts: Vec<&Value> =
        heard[0].body["output"].as_array().unwrap().iter().map(|said| &said["content"]["text"]).collect();
    assert_eq!(texts, ["Hi Ada, how are you?", "And here is more.", "? Good to hear!"]);
}

#[tokio::test]
async fn one_service_takes_what_another_posts_in_either_version() {
    let (receiver, starter) = (Service::start(), Receiver::start(|_, _| (200, json!({}))).await);
    let url = format!("{}/webhooks/gptbots", receiver.url);
    for (by_turn, count) in [("false", 2), ("true", 4)] {
        let settings = [("GPTBOTS_URL", &*url), ("GPTBOTS_TOKEN", TOKEN), ("GPTBOTS_BY_TURN", by_turn)];
        let service = Service::with(&settings);
        let mut flow = hello("hello");
        flow["settings"]["sender"] = json!({"channel": "web", "account": "site"});
        flow["nodes"][2] = json!({"id": "wait", "kind": "send_message", "media": {"type": "audio", "url": "https://x.example/a.ogg"}});
        flow["edges"].as_array_mut().unwrap().pop();
        service.publish(flow).await;
        starter.start_flow(&service, "hello").await;
        let shown = receiver.shown(count).await;
        let texts: Vec<&Value> = shown[count - 2..].iter().map(|said| &said["text"]).collect();
        assert_eq!(texts, ["Hi Ada, how are you?", "https://x.example/a.ogg"], "by turn: {by_turn}");
    }
    let turn = json!({"create_time": 1, "conversation_id": "c", "message_id": "1", "output": [{"content": {"text": "hi"}}, null]});
    for _ in 0..2 {
        let taken = receiver.post("/webhooks/gptbots", turn.clone()).await;
        assert_eq!((taken.status, &*taken.text), (200, r#"{"code":200,"msg":"success"}"#));
    }
    assert_eq!(receiver.shown(5).await.len(), 5, "a turn that comes again is shown once");
    for (field, value) in [("message_id", json!("")), ("create_time", json!("soon")), ("output", json!([7]))]
    {
        let mut wrong = turn.clone();
        wrong[field] = value;
        let refused = receiver.post("/webhooks/gptbots", wrong).await;
        assert_eq!(refused.status, 422, "{field}: {}", refused.text);
        assert!(refused.json()["field"].as_str().unwrap().starts_with(field), "{}", refused.text);
    }
}

#[tokio::test]
async fn a_model_sorts_a_text_into_a_class() {
    let model =
        Receiver::start(|count, _| said(if count == 0 { "\"Angry\"." } else { "none of them" })).await;
    let node = json!({"kind": "classify", "text": "Where is my parcel?!",
        "classes": [{"id": "angry"}, {"id": "content", "description": "is glad"}]});
    let mut flow = asking(node);
    for (class, to) in [("angry", "show"), ("content", "show"), ("else", "failed")] {
        flow["edges"].as_array_mut().unwrap().push(json!({"from": "ask", "branch": class, "to": to}));
    }
    flow["edges"].as_array_mut().unwrap().retain(|edge| edge != &json!({"from": "ask", "to": "show"}));
    let service = Service::with(&[("LLM_URL", &model.url)]);
    service.publish(flow).await;
    for (phone, shown) in [("+14155550123", "said \"angry\""), ("+14155550124", "failed")] {
        let count = if shown == "failed" { 2 } else { 1 };
        service.post("/api/v1/actions/trigger-flow", json!({"flow_id": "asking", "phone": phone})).await;
        assert_eq!(service.shown(count).await[count - 1]["text"], shown);
    }
}

#[tokio::test]
async fn a_function_answers_now_or_later() {
    let receiver = Receiver::start(|_, body| match body["args"]["when"].as_str() {
        Some("now") => (200, json!({"value": {"value": {"status": "packed"}}})),
        _ => (202, json!({})),
    })
    .await;
    let service = Service::with(&[("FUNCTIONS_URL", &receiver.url), ("FUNCTIONS_TOKEN", "secret")]);
    let node = json!({"kind": "function", "function": "order_status", "args": {"when": "now"}});
    assert_eq!(shown_by(&service, node).await, r#"said {"status":"packed"}"#);
    let heard = receiver.heard();
    assert_eq!(
        (&*heard[0].path, &heard[0].headers["authorization"]),
        ("/order_status", &"Bearer secret".parse().unwrap())
    );

    let service = Service::with(&[("FUNCTIONS_URL", &receiver.url)]);
    service
        .publish(asking(json!({"kind": "function", "function": "order_status", "args": {"when": "later"}})))
        .await;
    service.post("/api/v1/actions/trigger-flow", json!({"flow_id": "asking", "phone": "+14155550123"})).await;
    let reference = receiver.heard_all(2).await[1].body["reference"].clone();
    let late = json!({"reference": reference, "result": {"value": {"value": "late"}}});
    let outcome = eventually(async || {
        let outcome = service.post("/api/v1/calls/complete", late.clone()).await.json()["outcome"].clone();
        (outcome == "resumed").then_some(outcome)
    });
    outcome.await;
    assert_eq!(service.post("/api/v1/calls/complete", late).await.json()["outcome"], "stale");
    assert_eq!(service.shown(1).await[0]["text"], "said \"late\"");
}

#[tokio::test]
async fn a_function_that_fails_takes_its_branch() {
    let service = Service::start();
    assert_eq!(shown_by(&service, json!({"kind": "function", "function": "order_status"})).await, "failed");
}

fn said(text: &str) -> (u16, Value) {
    (200, json!({"choices": [{"message": {"role": "assistant", "content": text}}]}))
}

#[tokio::test]
async fn a_model_is_asked_as_the_author_says() {
    let model =
        Receiver::start(|count, _| if count == 0 { (429, json!({})) } else { said("Good day.") }).await;
    let service = Service::with(&[("LLM_URL", &format!("{}/v1", model.url)), ("LLM_KEY", "key")]);
    let node = json!({"kind": "llm", "prompt": "Greet", "system": "Be kind.", "model": "small", "temperature": 0.5, "max_tokens": 9});
    assert_eq!(shown_by(&service, node).await, "said \"Good day.\"");
    let heard = &model.heard()[1];
    assert_eq!(
        (&*heard.path, &heard.headers["authorization"]),
        ("/v1/chat/completions", &"Bearer key".parse().unwrap())
    );
    assert_eq!(
        heard.body,
        json!({"model": "small", "temperature": 0.5, "max_tokens": 9, "messages": [
            {"role": "system", "content": "Be kind."}, {"role": "user", "content": "Greet"}]})
    );
}

/// An answer as OpenAI refuses a parameter.
fn unsupported(parameter: &str) -> (u16, Value) {
    let message = format!("Unsupported parameter: '{parameter}' is not supported with this model.");
    (400, json!({"error": {"message": message, "type": "invalid_request_error", "param": parameter}}))
}

#[tokio::test]
async fn a_model_that_takes_no_temperature_is_asked_without_it() {
    let model = Receiver::start(|_, body| match body {
        body if body.get("temperature").is_some() => unsupported("temperature"),
        body if body.get("max_tokens").is_some() => unsupported("max_tokens"),
        _ => said("<think>A greeting, so Portuguese.</think>\n\npt-BR"),
    })
    .await;
    let service = Service::with(&[("LLM_URL", &model.url)]);
    let mut flow = asking(json!({"kind": "recognize_language", "text": "Bom dia"}));
    let llm = json!({"id": "llm", "kind": "llm", "prompt": "Greet", "temperature": 0.5, "max_tokens": 9, "save_to": "greeting"});
    flow["nodes"].as_array_mut().unwrap().push(llm);
    flow["nodes"][2]["text"] = "said {{ vars.said }} {{ vars.greeting }}".into();
    flow["edges"] = json!([{"from": "start", "to": "ask"}, {"from": "ask", "to": "llm"}, {"from": "llm", "to": "show"},
        {"from": "ask", "branch": "failed", "to": "failed"}, {"from": "llm", "branch": "failed", "to": "failed"}]);
    service.publish(flow).await;
    service.post("/api/v1/actions/trigger-flow", json!({"flow_id": "asking", "phone": "+14155550123"})).await;
    assert_eq!(service.shown(1).await[0]["text"], "said pt-BR pt-BR");
    let heard = model.heard();
    assert_eq!(heard.len(), 4, "what a model refused once it is not told again: {heard:?}");
    assert_eq!(heard[3].body["max_completion_tokens"], 9);
}

#[tokio::test]
async fn a_model_that_refuses_all_the_same_fails() {
    let model = Receiver::start(|_, _| unsupported("temperature")).await;
    let service = Service::with(&[("LLM_URL", &model.url)]);
    assert_eq!(shown_by(&service, json!({"kind": "recognize_language", "text": "Bom dia"})).await, "failed");
    assert_eq!(model.heard().len(), 2);
}

#[tokio::test]
async fn a_model_tells_a_language() {
    let model = Receiver::start(|_, _| said(" `pt-BR`. ")).await;
    let service = Service::with(&[("LLM_URL", &model.url)]);
    let node = json!({"kind": "recognize_language", "text": "Bom dia"});
    assert!(
        shown_by(&service, node).await.starts_with("said \"pt"),
        "the tag is read out of what the model says"
    );
}

#[tokio::test]
async fn a_flow_is_drafted_in_rounds() {
    let right = hello("greet");
    let mut wrong = hello("greet");
    wrong["edges"][0]["to"] = "hii".into();
    let model = Receiver::start(move |count, _| {
        let flow = if count == 0 { &wrong } else { &right };
        said(&format!("Here it is:\n```json\n{flow}\n```"))
    })
    .await;
    let service = Service::with(&[("LLM_URL", &model.url)]);
    let drafted = service.post("/api/v1/drafts", json!({"requirement": "Greet everybody."})).await;
    assert_eq!(drafted.status, 200);
    let events: Vec<&str> = drafted.text.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    assert_eq!(events, ["round", "flow"], "{}", drafted.text);
    assert!(drafted.text.contains("hii") && drafted.text.contains("\"code\":\"greet\""), "{}", drafted.text);
    let heard = model.heard();
    assert_eq!(
        heard[1].body["messages"].as_array().unwrap().len(),
        3,
        "it is told what it said and what is wrong"
    );
    for (wrong, status) in
        [(json!({"requirement": " "}), 422), (json!({"requirement": "x", "rounds": 99}), 422)]
    {
        assert_eq!(service.post("/api/v1/drafts", wrong).await.status, status);
    }
    assert_eq!(Service::start().post("/api/v1/drafts", json!({"requirement": "x"})).await.status, 409);
}

#[tokio::test]
async fn a_request_of_a_flow_reaches_no_address_of_the_inside() {
    let inside = Receiver::start(|_, _| (200, json!({"secret": true}))).await;
    let port = inside.url.rsplit(':').next().unwrap().to_owned();
    // Even a host that is on the list, and whatever its address is written like.
    let hosts =
        "127.0.0.1,localhost,[::1],[::ffff:7f00:1],[::7f00:1],[64:ff9b::7f00:1],0.0.0.0,169.254.169.254";
    let service = Service::with(&[("HTTP_ALLOW", hosts)]);
    let addresses = [
        format!("http://127.0.0.1:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0x7f000001:{port}/"),
        format!("http://017700000001:{port}/"),
        format!("http://127.1:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://[0:0:0:0:0:ffff:7f00:0001]:{port}/"),
        format!("http://[::127.0.0.1]:{port}/"),
        format!("http://[64:ff9b::7f00:1]:{port}/"),
        format!("http://0177.0.0.1:{port}/"),
        format!("http://0x7f.0x0.0x0.0x1:{port}/"),
        format!("http://%31%32%37.0.0.1:{port}/"),
        format!("http://①②⑦.⓪.⓪.①:{port}/"),
        format!("http://127。0。0。1:{port}/"),
        format!("file://127.0.0.1:{port}/etc/passwd"),
        format!("gopher://127.0.0.1:{port}/"),
        format!("http://0.0.0.0:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://LOCALHOST.:{port}/"),
        format!("http://127.0.0.1:{port}@localhost/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        format!("http://not-on-the-list.example:{port}/"),
    ];
    let mut flow = asking(json!({"kind": "http_request", "url": "{{ context.url }}", "timeout": "3s"}));
    flow["settings"]["concurrency"] = "unlimited".into();
    service.publish(flow).await;
    for (place, address) in addresses.iter().enumerate() {
        let body = json!({"flow_id": "asking", "phone": format!("+1415555{:04}", 100 + place), "context": {"url": address}});
        assert_eq!(service.post("/api/v1/actions/trigger-flow", body).await.status, 201, "{address}");
    }
    let shown = service.shown(addresses.len()).await;
    assert!(shown.iter().all(|message| message["text"] == "failed"), "{shown:?}");
    assert!(inside.heard().is_empty(), "{:?}", inside.heard());
}
