//! The wire formats: each JSON body of the products' documents, unchanged, read and written again,
//! and every outcome of a call as the API says it.

mod hostile;
mod kit;
mod lists;
mod rpc;
mod turns;
mod whatsapp;

use std::time::Duration;

use chatflow::limits::Limits;
use chatflow::testkit::{ManualClock, Recorder};
use chatflow::wire::alibaba::ChatFlowAnswer;
use chatflow::wire::gptbots::{
    Acknowledgement, Authorization, FlowOutput, MessageType, WebhookMessage, acknowledged,
};
use chatflow::wire::qyvo::TriggerOutcome;
use chatflow::wire::{HttpAnswer, alibaba, qyvo};
use chatflow::{Channel, Engine, Error, Inbound, MemoryStore, SendError, StoreError, TriggerRequest};
use pollster::block_on;
use serde_json::{Value, json};

use kit::{again, minified};

const ADA: &str = "+14155550123";

/// W1, W2, W3
#[test]
fn bodies_of_the_documents_are_read_and_written_again() {
    let request = include_str!("qyvo/request.json");
    let read = qyvo::TriggerFlow::from_json(request.as_bytes()).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), minified(request));
    again::<qyvo::FlowTriggered>(include_str!("qyvo/answer.json"));
    again::<alibaba::ChatFlowAnswer>(include_str!("alibaba/answer.json"));
    again::<WebhookMessage>(include_str!("gptbots/message.json"));
    again::<Acknowledgement>(include_str!("gptbots/acknowledgement.json"));
    let data = include_str!("alibaba/data.json");
    let read = alibaba::TriggerChatFlow::from_parameters([("FlowCode", "c"), ("Data", data)], "r").unwrap();
    assert_eq!(serde_json::to_string(&read.data).unwrap(), minified(data));
}

/// A flow that asks, one that fails in its first turn, and one with inputs that holds its contact.
const FLOWS: [&str; 3] = [
    r#"{"spec": 1, "code": "cart", "name": "Abandoned cart 30min", "trigger": {"kind": "manual"},
        "settings": {"sender": {"channel": "whatsapp", "account": "+15550100"}},
        "nodes": [{"id": "start", "kind": "start"},
            {"id": "ask", "kind": "send_message", "text": "Still interested?",
                "options": [{"id": "yes", "label": "Yes"}, {"id": "no", "label": "No"}]},
            {"id": "wait", "kind": "wait_reply"}],
        "edges": [{"from": "start", "to": "ask"}, {"from": "ask", "to": "wait"}]}"#,
    r#"{"spec": 1, "code": "broken", "name": "Broken", "trigger": {"kind": "manual"},
        "settings": {"undefined": "error", "sender": {"channel": "whatsapp", "account": "+15550100"}},
        "nodes": [{"id": "start", "kind": "start"},
            {"id": "hi", "kind": "send_message", "text": "{{context.nobody.knows}}"}],
        "edges": [{"from": "start", "to": "hi"}]}"#,
    r#"{"spec": 1, "code": "inputs", "name": "Inputs", "trigger": {"kind": "manual"},
        "settings": {"sender": {"channel": "whatsapp", "account": "+15550100"}},
        "nodes": [{"id": "start", "kind": "start", "contact_from": "phone",
                "inputs": [{"name": "phone", "type": "string"},
                    {"name": "count", "type": "number", "required": true}]},
            {"id": "hi", "kind": "send_message", "text": "Hi"}, {"id": "wait", "kind": "wait_reply"}],
        "edges": [{"from": "start", "to": "hi"}, {"from": "hi", "to": "wait"}]}"#,
];

struct Shop {
    bot: Engine<MemoryStore>,
    sent: Recorder,
}

fn shop() -> Shop {
    let sent = Recorder::new();
    let limits = Limits { live_sessions: 2, ..Limits::default() };
    let builder = Engine::builder(MemoryStore::new()).transport(sent.clone()).limits(limits);
    let bot = builder.clock(ManualClock::default()).build();
    for flow in FLOWS {
        block_on(bot.flows().ensure(flow)).unwrap();
    }
    Shop { bot, sent }
}

impl Shop {
    fn qyvo(&self, body: &Value, key: Option<&str>, answers: qyvo::Answers) -> HttpAnswer {
        match qyvo::TriggerFlow::from_json(body.to_string().as_bytes()) {
            Ok(request) => answers.of(&block_on(self.bot.trigger(request.into_request(key)))),
            Err(refused) => refused,
        }
    }

    fn alibaba(&self, body: &Value) -> (u16, Value) {
        let request = alibaba::TriggerChatFlow::from_json(body.to_string().as_bytes(), "R-1")
            .and_then(|request| request.into_request("R-1"));
        let answer = match request {
            Ok(request) => alibaba::answer(&block_on(self.bot.trigger(request)), "R-1"),
            Err(refused) => refused,
        };
        assert!(answer.body.starts_with(r#"{"AccessDeniedDetail":"None","RequestId":"R-1","Message":"#));
        (answer.status, serde_json::from_str(&answer.body).unwrap())
    }
}

fn error(answer: &HttpAnswer) -> (u16, String) {
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    (answer.status, body["error"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned())
}

/// W1
#[test]
fn qyvo_answers_started_and_already_running_with_the_five_keys_in_order() {
    let shop = shop();
    let body = json!({"flow_id": "cart", "phone": ADA, "contact_id": null, "context": {"cart_id": 7}});
    let first = shop.qyvo(&body, Some("k"), qyvo::Answers::default());
    let read: qyvo::FlowTriggered = serde_json::from_str(&first.body).unwrap();
    assert_eq!((first.status, &*read.status), (201, "started"));
    let keys = [&read.id, &read.status, &read.flow_id, &read.flow_name, &read.contact_id];
    let [id, status, flow, name, contact] = keys.map(|text| json!(text).to_string());
    assert_eq!(
        first.body,
        format!(
            r#"{{"id":{id},"status":{status},"flow_id":{flow},"flow_name":{name},"contact_id":{contact}}}"#
        )
    );
    assert_eq!((&*read.flow_id, &*read.flow_name), ("cart", "Abandoned cart 30min"));
    assert_eq!(shop.qyvo(&body, Some("k"), qyvo::Answers::default()), first, "the same key, the same answer");
    let second = shop.qyvo(&body, None, qyvo::Answers::default());
    let running: qyvo::FlowTriggered = serde_json::from_str(&second.body).unwrap();
    assert_eq!((second.status, &*running.status), (200, "already_running"));
    assert_eq!((running.id, running.contact_id), (read.id, read.contact_id));
    assert_eq!(shop.sent.sent().len(), 1);
}

/// W1
#[test]
fn qyvo_errors_have_their_status_and_body() {
    let shop = shop();
    let ask = |body: Value| shop.qyvo(&body, None, qyvo::Answers::default());
    let unknown = ask(json!({"flow_id": "nobody", "phone": ADA}));
    assert_eq!(error(&unknown), (404, "Flow not found or not published".to_owned()));
    let no_entry = qyvo::Answers::default().of(&Err(Error::NoEntryNode("cart".parse().unwrap())));
    assert_eq!(error(&no_entry), (422, "Flow has no entry node".to_owned()));

    let php = ask(json!({"flow_id": "cart", "phone": "+14155550124", "context": []}));
    assert_eq!(php.status, 201, "an array without keys: {}", php.body);
    let list = ask(json!({"flow_id": "cart", "phone": ADA, "context": [1]}));
    assert_eq!(list.status, 422);

    let wrong = ask(json!({"flow_id": "", "phone": 14155550123_u64, "context": "x"}));
    assert_eq!(wrong.status, 422);
    assert_eq!(
        wrong.body,
        r#"{"message":"`flow_id` must not be empty; `phone` must be a text; `context` must be an object","errors":{"flow_id":["must not be empty"],"phone":["must be a text"],"context":["must be an object"]}}"#
    );
    for (body, field) in [
        (json!({"phone": ADA}), "flow_id"),
        (json!({"flow_id": null, "phone": ADA}), "flow_id"),
        (json!({"flow_id": "cart"}), "phone"),
        (json!({"flow_id": "cart", "phone": "call me"}), "phone"),
        (json!({"flow_id": "inputs", "phone": ADA, "context": {"count": "many"}}), "context.count"),
        (json!([1]), "body"),
    ] {
        let answer = ask(body.clone());
        let read: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(answer.status, 422, "{body}");
        assert!(read["errors"][field][0].is_string(), "{body}: {read}");
    }
    for (body, field, rule) in [
        (json!({"flow_id": "cart"}), "phone", "must be given, or a `contact_id`"),
        (
            json!({"flow_id": "inputs", "context": {"count": 2}}),
            "phone",
            "must be given, or a `contact_id`, or `context.phone`",
        ),
        (
            json!({"flow_id": "cart", "contact_id": "somebody"}),
            "contact_id",
            "gives no address on whatsapp, where the flow sends from",
        ),
    ] {
        let read: Value = serde_json::from_str(&ask(body.clone()).body).unwrap();
        assert_eq!(read["errors"], json!({field: [rule]}), "{body}");
    }
    let conflict = |phone| {
        shop.qyvo(&json!({"flow_id": "cart", "phone": phone}), Some("same"), qyvo::Answers::default())
    };
    assert_eq!(conflict(ADA).status, 201);
    assert_eq!(error(&conflict("+14155550199")).0, 422);
    let bad_key = shop.qyvo(&json!({"flow_id": "cart", "phone": ADA}), Some(""), qyvo::Answers::default());
    assert!(bad_key.body.contains(r#""errors":{"Idempotency-Key":["#), "{}", bad_key.body);
}

/// W1: a host that calls the API reads what one that serves it writes.
#[test]
fn qyvo_answers_are_read_again() {
    let shop = shop();
    let ask = |body: Value, key: Option<&str>| {
        let answer = shop.qyvo(&body, key, qyvo::Answers::default());
        (answer.status, TriggerOutcome::read(answer.status, answer.body.as_bytes()))
    };
    let cart = || json!({"flow_id": "cart", "phone": ADA});
    let TriggerOutcome::Started(session) = ask(cart(), Some("k")).1 else { panic!("it starts") };
    assert_eq!((&*session.flow_id, &*session.status), ("cart", "started"));
    let TriggerOutcome::AlreadyRunning(running) = ask(cart(), None).1 else { panic!("it runs") };
    assert_eq!((running.id, running.contact_id), (session.id, session.contact_id));
    let TriggerOutcome::Faulty(errors) = ask(json!({"flow_id": 7, "phone": ""}), None).1 else {
        panic!("two fields are wrong")
    };
    let told: Vec<(&str, &str)> = errors.iter().collect();
    assert_eq!(told, [("flow_id", "must be a text"), ("phone", "must not be empty")]);
    let refused = |status, error: &str| TriggerOutcome::Refused { status, error: error.to_owned() };
    let unknown = ask(json!({"flow_id": "nobody", "phone": ADA}), None);
    assert_eq!(unknown, (404, refused(404, "Flow not found or not published")));
    for (status, body, error) in [(422, r#"{"error": "no entry"}"#, "no entry"), (403, "<html>", "")] {
        assert_eq!(TriggerOutcome::read(status, body.as_bytes()), refused(status, error));
    }
    for (status, body) in [(201, "{}"), (200, "<html>"), (408, ""), (429, r#"{"error": "wait"}"#), (503, "")]
    {
        let read = TriggerOutcome::read(status, body.as_bytes());
        assert!(matches!(read, TriggerOutcome::Retry { .. }), "{status} {body}: {read:?}");
    }
}

/// W1
#[test]
fn qyvo_bodies_of_refusals_are_read_and_written_again() {
    let answer = qyvo::invalid("flow_id", "must not be empty");
    let body = r#"{"message":"`flow_id` must not be empty","errors":{"flow_id":["must not be empty"]}}"#;
    assert_eq!((answer.status, &*answer.body), (422, body));
    again::<qyvo::FieldErrorsBody>(body);
    again::<qyvo::FieldErrorsBody>(r#"{"message":"","errors":{"b":["1","2"],"a":["3"]}}"#);
    again::<qyvo::RefusalBody>(r#"{"error":"no"}"#);
}

/// W2
#[test]
fn alibaba_answers_are_read_again() {
    let shop = shop();
    let read = |body: &Value| {
        let (status, answer) = shop.alibaba(body);
        ChatFlowAnswer::read(status, answer.to_string().as_bytes())
    };
    let started = read(&json!({"FlowCode": "inputs", "Data": {"phone": ADA, "count": 2}}));
    assert_eq!((started.success, started.is_retryable(), &*started.code), (true, false, "OK"));
    let unknown = read(&json!({"FlowCode": "nobody"}));
    assert_eq!((unknown.success, unknown.is_retryable(), &*unknown.code), (false, false, "FlowNotFound"));
    for (status, code, is_retryable) in [
        (400, "BadRequest", false),
        (401, "Unauthenticated", false),
        (403, "Forbidden", false),
        (405, "BadRequest", false),
        (408, "Timeout", true),
        (413, "TooLarge", false),
        (429, "Throttled", true),
        (500, "InternalError", true),
        (503, "ServiceUnavailable", true),
    ] {
        let denied = alibaba::denied(status, "not now", "R-1");
        let read = ChatFlowAnswer::read(denied.status, denied.body.as_bytes());
        assert_eq!((denied.status, &*read.code, read.is_retryable()), (status, code, is_retryable));
        assert_eq!((&*read.message, &*read.request_id, read.success), ("not now", "R-1", false));
        let bare = ChatFlowAnswer::read(status, b"<html>");
        assert_eq!((bare.success, bare.is_retryable()), (false, is_retryable), "{bare:?}");
    }
    assert!(ChatFlowAnswer::read(200, b"").is_retryable(), "it is not known");
    let no_entry = alibaba::refused(&Error::NoEntryNode("cart".parse().unwrap()), "R-2");
    assert_eq!(no_entry.status, 422);
    assert!(no_entry.body.contains(r#""Code":"FlowNotPublished""#), "{}", no_entry.body);
}

/// W1: what the product does not document is answered only if the host asks for it.
#[test]
fn qyvo_tells_of_a_session_that_failed_at_once_if_the_host_wants_it() {
    let shop = shop();
    let body = json!({"flow_id": "broken", "phone": ADA});
    let status = |answer: HttpAnswer| {
        let read: qyvo::FlowTriggered = serde_json::from_str(&answer.body).unwrap();
        (answer.status, read.status)
    };
    let listed = |status| {
        block_on(shop.bot.sessions(chatflow::ops::SessionFilter::all()))
            .unwrap()
            .iter()
            .filter(|record| record.session().status() == status)
            .count()
    };
    assert_eq!(status(shop.qyvo(&body, None, qyvo::Answers::default())), (201, "started".to_owned()));
    assert_eq!(
        status(shop.qyvo(&body, None, qyvo::Answers::default().with_outcome())),
        (201, "failed".to_owned())
    );
    assert_eq!(listed(chatflow::Status::Failed), 2);
}

/// W1, W2: a caller learns that it may come again, and nothing of what is inside.
#[test]
fn failures_inside_are_not_shown() {
    let broken = || Err(Error::Store(StoreError::transient("password of the database is hunter2")));
    let answer = qyvo::Answers::default().of(&broken());
    assert_eq!(error(&answer), (503, "the service is unavailable for the moment".to_owned()));
    assert_eq!(answer.retry_after, Some(Duration::from_secs(1)));
    let answer = alibaba::answer(&broken(), "R-2");
    assert_eq!((answer.status, answer.retry_after), (503, Some(Duration::from_secs(1))));
    assert!(answer.body.contains(r#""Code":"ServiceUnavailable""#) && !answer.body.contains("hunter2"));
}

/// W1, W2
#[test]
fn requests_are_written_as_they_are_read() {
    let request = TriggerRequest::new("cart").phone(ADA).context(json!({"b": 1, "a": [true, null]}));
    let written = serde_json::to_string(&qyvo::TriggerFlow::of(&request).unwrap()).unwrap();
    let read = qyvo::TriggerFlow::from_json(written.as_bytes()).unwrap();
    assert_eq!(read, qyvo::TriggerFlow::of(&read.clone().into_request(None)).unwrap());
    assert_eq!(qyvo::TriggerFlow::of(&request.clone().out_id("o")).unwrap_err().0, "out_id");

    let at = "2024-11-13T12:48:49Z".parse().unwrap();
    let request =
        TriggerRequest::new("inputs").context(json!({"count": 1})).uuid("u").out_id("o").claim_time(at);
    let written = serde_json::to_string(&alibaba::TriggerChatFlow::of(&request).unwrap()).unwrap();
    assert_eq!(
        written,
        r#"{"FlowCode":"inputs","Data":{"count":1},"Uuid":"u","OutId":"o","ClaimTimeMillis":1731502129000}"#
    );
    let read = alibaba::TriggerChatFlow::from_json(written.as_bytes(), "r").unwrap();
    let request = read.clone().into_request("r").unwrap();
    assert_eq!(read, alibaba::TriggerChatFlow::of(&request).unwrap());
    assert_eq!(alibaba::TriggerChatFlow::of(&request.phone(ADA)).unwrap_err().0, "phone");
}

/// W2
#[test]
fn alibaba_takes_data_and_times_as_values_and_as_texts() {
    let shop = shop();
    let full = json!({"FlowCode": "inputs", "Data": {"phone": ADA, "count": 2}, "Uuid": "u-1", "OutId": "o",
        "ClaimTimeMillis": 1731502129000_i64, "DiscardTimeMillis": "99999999999999", "Other": {"is": "ignored"}});
    let (status, body) = shop.alibaba(&full);
    assert_eq!((status, &body["Code"], &body["Success"]), (200, &json!("OK"), &json!(true)));
    let as_text = json!({"FlowCode": "inputs", "Data": "{\"phone\": \"+14155550123\", \"count\": 2}"});
    assert_eq!(shop.alibaba(&as_text).1["Code"], "OK", "it runs already");
    let rpc = [("Action", "TriggerChatFlow"), ("FlowCode", "inputs"), ("ClaimTimeMillis", "1731502129000")];
    let read = alibaba::TriggerChatFlow::from_parameters(rpc, "r").unwrap();
    assert_eq!(read.claim_time_millis, Some(1_731_502_129_000));
    assert_eq!(shop.sent.sent().len(), 1);
}

/// W2
#[test]
fn alibaba_errors_have_a_code_of_the_closed_list() {
    let shop = shop();
    let data = json!({"phone": ADA, "count": 2});
    for (body, status, code) in [
        (json!({"FlowCode": "nobody", "Data": data}), 404, "FlowNotFound"),
        (json!({"Data": data}), 422, "MissingData.FlowCode"),
        (json!({"FlowCode": ["inputs"]}), 422, "InvalidData.FlowCode"),
        (json!({"FlowCode": "inputs", "Data": {"phone": ADA}}), 422, "MissingData.count"),
        (json!({"FlowCode": "inputs", "Data": {"phone": ADA, "count": "x"}}), 422, "InvalidData.count"),
        (json!({"FlowCode": "inputs", "Data": "not JSON"}), 422, "InvalidData.Data"),
        (json!({"FlowCode": "inputs", "Data": data, "Uuid": 7}), 422, "InvalidData.Uuid"),
        (
            json!({"FlowCode": "inputs", "Data": data, "ClaimTimeMillis": "soon"}),
            422,
            "InvalidData.ClaimTimeMillis",
        ),
        (
            json!({"FlowCode": "inputs", "Data": data, "ClaimTimeMillis": i64::MAX}),
            422,
            "InvalidData.ClaimTimeMillis",
        ),
        (json!({"FlowCode": "cart"}), 422, "NoContact"),
        (json!({"FlowCode": "inputs", "Data": data, "DiscardTimeMillis": 1}), 200, "TriggerDiscarded"),
    ] {
        let (found, answer) = shop.alibaba(&body);
        assert_eq!((found, answer["Code"].as_str().unwrap()), (status, code), "{body}");
        assert_eq!((&answer["Success"], &answer["Data"]), (&json!(false), &json!({})), "{body}");
        assert_ne!(answer["Message"], "None", "{body}");
    }
    for (body, code, message) in [
        (
            json!({"FlowCode": "cart"}),
            "NoContact",
            "the flow's start node does not say where in `Data` the contact is",
        ),
        (
            json!({"FlowCode": "inputs", "Data": {"count": 2, "phone": null}}),
            "NoContact",
            "the contact must be given in `Data.phone`",
        ),
        (
            json!({"FlowCode": "inputs", "Data": {"count": 2, "phone": [ADA]}}),
            "InvalidData.phone",
            "`phone` must be a text or a whole number from 0 on",
        ),
    ] {
        let (_, answer) = shop.alibaba(&body);
        assert_eq!((&answer["Code"], &answer["Message"]), (&json!(code), &json!(message)), "{body}");
    }
    let keyed = |count| {
        shop.alibaba(&json!({"FlowCode": "inputs", "Data": {"phone": ADA, "count": count}, "Uuid": "k"}))
    };
    assert_eq!(keyed(1).1["Code"], "OK");
    assert_eq!((keyed(2).0, keyed(2).1["Code"].as_str().unwrap()), (422, "IdempotencyConflict"));
}

/// W1, W2
#[test]
fn too_many_sessions_may_be_tried_again_later() {
    let many = || Err(Error::TooManySessions { contact: "ada".parse().unwrap(), max: 2 });
    let answer = qyvo::Answers::default().of(&many());
    assert_eq!((answer.status, answer.retry_after), (429, Some(Duration::from_secs(1))));
    let answer = alibaba::answer(&many(), "r");
    assert!(answer.status == 429 && answer.body.contains(r#""Code":"Throttled""#));
}

/// W3
#[test]
fn gptbots_gets_each_message_with_its_branch_and_component() {
    let shop = shop();
    let _ = shop.qyvo(&json!({"flow_id": "cart", "phone": ADA}), None, qyvo::Answers::default());
    let [sent] = &shop.sent.sent()[..] else { panic!("one message") };
    let message = WebhookMessage::of(sent);
    assert_eq!((message.message_type, &*message.message_id), (MessageType::Answer, &*sent.id.to_string()));
    assert_eq!(message.conversation_id, sent.contact.to_string());
    assert_eq!(message.create_time, sent.created_at.timestamp());
    let words = message.text.clone().unwrap();
    assert_eq!(words, "Still interested?\n- Yes\n- No");
    let [FlowOutput { content, from_component_name, .. }] = &message.flow_output[..] else { panic!("one") };
    assert_eq!((content.as_deref(), from_component_name.as_deref()), (Some(&*words), Some(&*sent.component)));
    assert_eq!(WebhookMessage::by_session(sent).conversation_id, sent.session().to_string());
    let mut bare = serde_json::to_value(&message).unwrap();
    bare["flow_output"] = Value::Null;
    let read: WebhookMessage = serde_json::from_value(bare).unwrap();
    assert_eq!(read, WebhookMessage { flow_output: Vec::new(), ..message.clone() });
    let inbound = Inbound::text(Channel::WhatsApp, "+15550100", ADA, "Yes");
    let _ = block_on(shop.bot.receive(inbound)).unwrap();

    let question = WebhookMessage::question("wamid.1", "ada", "Yes", sent.created_at);
    assert!(
        serde_json::to_string(&question)
            .unwrap()
            .contains(r#""message_type":"QUESTION","text":"Yes","create_time""#)
    );
}

/// W3
#[test]
fn gptbots_takes_a_message_by_status_and_code() {
    let taken = include_bytes!("gptbots/acknowledgement.json");
    assert!(acknowledged(200, taken).is_ok());
    for (status, body) in [
        (200, r#"{"code": 500, "msg": "busy"}"#),
        (200, "<html>"),
        (200, ""),
        (500, ""),
        (429, ""),
        (302, ""),
    ] {
        assert!(
            matches!(acknowledged(status, body.as_bytes()), Err(SendError::Retry { .. })),
            "{status} {body}"
        );
    }
    for status in [401, 403, 404, 410] {
        assert!(matches!(acknowledged(status, taken), Err(SendError::Rejected { .. })), "{status}");
    }
    assert_eq!(
        serde_json::to_string(&Acknowledgement::success()).unwrap(),
        r#"{"code":200,"msg":"success"}"#
    );
    let token = Authorization::Bearer("secret".to_owned());
    assert_eq!(
        (token.to_string(), format!("{token:?}")),
        ("Bearer secret".to_owned(), "Bearer …".to_owned())
    );
    assert_eq!(Authorization::Basic("x".to_owned()).to_string(), "Basic x");
}
