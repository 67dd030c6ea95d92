//! The API for operators: flows, sessions, contacts, what needs attention.

use reqwest::Method;
use serde_json::{Value, json};

use crate::kit::{Service, TOKEN, answered, eventually, hello};

async fn started(service: &Service, flow: &str, phone: &str) -> Value {
    let body = json!({"flow_id": flow, "phone": phone, "context": {"name": "Ada"}});
    let answer = service.post("/api/v1/actions/trigger-flow", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()
}

fn say(phone: &str, text: &str) -> Value {
    json!({"channel": "whatsapp", "account": "+15550100", "from": phone, "text": text})
}

#[tokio::test]
async fn a_flow_goes_from_draft_to_version_and_back() {
    let service = Service::start();
    let made = service.post("/api/v1/flows", json!({"definition": hello("hello")})).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.json()["flow"]["state"], "unpublished");
    assert_eq!(made.json()["issues"][0]["code"], "window_may_be_closed", "a warning, which blocks nothing");
    assert_eq!(service.post("/api/v1/flows", json!({"definition": hello("hello")})).await.status, 422);

    let draft = service.get("/api/v1/flows/hello/draft").await;
    assert_eq!(draft.json(), hello("hello"));
    let save = async |tag: Option<&str>, name: &str| {
        let mut flow = hello("hello");
        flow["name"] = name.into();
        let request =
            service.request(Method::PUT, "/api/v1/flows/hello/draft").bearer_auth(TOKEN).json(&flow);
        answered(match tag {
            Some(tag) => request.header("If-Match", tag),
            None => request,
        })
        .await
    };
    assert_eq!(save(None, "Hi").await.status, 428);
    let saved = save(Some(draft.header("etag")), "Hi").await;
    assert_eq!((saved.status, &saved.json()["flow"]["name"]), (200, &json!("Hi")));
    let stale = save(Some(draft.header("etag")), "Ho").await;
    assert_eq!((stale.status, &stale.json()["code"]), (412, &json!("stale")));
    assert_eq!(save(Some("x"), "Ho").await.status, 412);

    let published = service.post("/api/v1/flows/hello/publish", json!({})).await.json();
    assert_eq!(
        (&published["online"], &published["versions"][0]["published_by"]),
        (&json!(1), &json!("demo"))
    );
    assert_eq!(save(Some(saved.header("etag")), "Ho").await.status, 412, "publishing changed the flow");
    let now = service.get("/api/v1/flows/hello").await;
    let weak = format!("W/{}", now.header("etag"));
    assert_eq!(save(Some(&weak), "Ho").await.status, 200, "as a proxy that compresses writes it");
    assert_eq!(save(Some(&weak), "Hi").await.status, 412);
    assert_eq!(save(Some("*"), "Ho").await.status, 200, "whatever it is at");
    let now = service.get("/api/v1/flows/hello").await.header("etag").to_owned();
    for (tags, status) in [
        (format!("{weak}, \"9999\""), 412),
        ("\"x\", y, *z".to_owned(), 412),
        (format!("{weak},W/{now} , \"9999\""), 200),
    ] {
        assert_eq!(save(Some(&tags), "Ho").await.status, status, "{tags}");
    }
    let mut second = hello("hello");
    second["nodes"][1]["text"] = "Hello!".into();
    let now = service.get("/api/v1/flows/hello").await;
    let request = service.request(Method::PUT, "/api/v1/flows/hello/draft").bearer_auth(TOKEN);
    assert_eq!(answered(request.json(&second).header("If-Match", now.header("etag"))).await.status, 200);
    assert_eq!(service.post("/api/v1/flows/hello/publish", json!({})).await.json()["online"], 2);
    assert_eq!(service.get("/api/v1/flows/hello/versions/2").await.json(), second);
    assert_eq!(service.get("/api/v1/flows/hello/versions/3").await.status, 404);
    assert_eq!(
        service.get("/api/v1/flows/hello/versions").await.json()["versions"].as_array().unwrap().len(),
        2
    );
    let back = service.post("/api/v1/flows/hello/roll-back", json!({"version": 1})).await.json();
    assert_eq!(back["online"], 1);

    let deleted = service.send(Method::DELETE, "/api/v1/flows/hello", None).await;
    assert_eq!((deleted.status, &deleted.json()["code"]), (409, &json!("invalid_state")));
    assert_eq!(service.post("/api/v1/flows/hello/unpublish", json!({})).await.json()["state"], "unpublished");
    assert_eq!(service.send(Method::DELETE, "/api/v1/flows/hello", None).await.status, 204);
    assert_eq!(service.get("/api/v1/flows/hello").await.status, 404);
}

#[tokio::test]
async fn a_broken_flow_is_kept_and_not_published() {
    let service = Service::start();
    let mut flow = hello("hello");
    flow["edges"][0]["to"] = "hii".into();
    let made = service.post("/api/v1/flows", json!({"definition": flow})).await;
    assert_eq!(made.status, 201);
    let issue = &made.json()["issues"][0];
    assert!(issue["message"].as_str().unwrap().contains("hii"), "{issue}");
    let refused = service.post("/api/v1/flows/hello/publish", json!({})).await;
    assert_eq!((refused.status, &refused.json()["code"]), (422, &json!("flow_has_issues")));
    assert_eq!(&refused.json()["issues"][0], issue);
    assert_eq!(service.get("/api/v1/flows/hello/issues").await.json()["issues"][0], *issue);
    // The same of a text that lies in one line, where that of a draft is indented.
    let mut sent = service.post("/api/v1/issues", flow).await.json()["issues"][0].take();
    assert_eq!(sent["line"], 1);
    (sent["line"], sent["column"]) = (issue["line"].clone(), issue["column"].clone());
    assert_eq!(sent, *issue);
}

#[tokio::test]
async fn flows_begin_blank_or_from_a_template() {
    let service = Service::start();
    let blank = json!({"code": "blank", "name": "Blank", "trigger": {"kind": "inbound", "channel": "whatsapp", "rules": [{"match": "any"}]}});
    assert_eq!(service.post("/api/v1/flows", blank).await.json()["flow"]["name"], "Blank");
    let accounts = json!({"accounts": [{"channel": "whatsapp", "account": "+15550199"}]});
    let bound = service.send(Method::PUT, "/api/v1/flows/blank/accounts", Some(accounts)).await;
    assert_eq!(
        (bound.status, &bound.json()["accounts"][0]["account"]),
        (200, &json!("+15550199")),
        "{}",
        bound.text
    );
    let templates = service.get("/api/v1/templates").await.json();
    let code = templates["templates"][0]["code"].as_str().unwrap();
    let made = service.post("/api/v1/flows", json!({"template": code, "code": "mine"})).await;
    assert_eq!((made.status, &made.json()["flow"]["code"]), (201, &json!("mine")));
    let edited = json!({"name": "Mine", "remark": "ours", "logging": "texts"});
    let edited = service.send(Method::PATCH, "/api/v1/flows/mine", Some(edited)).await.json();
    assert_eq!(
        (&edited["name"], &edited["remark"], &edited["logging"]),
        (&json!("Mine"), &json!("ours"), &json!("texts"))
    );
    let listed = service.get("/api/v1/flows").await.json();
    let codes: Vec<&str> =
        listed["flows"].as_array().unwrap().iter().map(|flow| flow["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"mine") && codes.contains(&"abandoned-cart"), "{codes:?}");
    for wrong in [
        json!({}),
        json!({"code": "x", "template": "none"}),
        json!({"code": "", "name": "x"}),
        json!({"definition": 7}),
    ] {
        let refused = service.post("/api/v1/flows", wrong.clone()).await;
        assert_eq!(refused.status, 422, "{wrong}: {}", refused.text);
    }
}

#[tokio::test]
async fn a_session_is_found_looked_at_and_cancelled() {
    let service = Service::start();
    service.publish(hello("hello")).await;
    service.send(Method::PATCH, "/api/v1/flows/hello", Some(json!({"logging": "texts"}))).await;
    let session = started(&service, "hello", "+14155550123").await;
    let id = session["id"].as_str().unwrap();
    started(&service, "hello", "+14155550124").await;
    service.shown(2).await;

    let listed = service.get("/api/v1/sessions?flow=hello&live=true&status=waiting&node=wait").await.json();
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 2);
    assert_eq!(listed["next"], Value::Null);
    let of_contact = format!("/api/v1/sessions?contact={}", session["contact_id"].as_str().unwrap());
    assert_eq!(service.get(&of_contact).await.json()["sessions"][0]["id"], id);
    assert_eq!(service.get("/api/v1/sessions?live=false").await.json()["sessions"], json!([]));
    for wrong in ["status=asleep", "live=maybe", "failure=none", "started_from=yesterday", "flow="] {
        let refused = service.get(&format!("/api/v1/sessions?{wrong}")).await;
        assert_eq!(refused.status, 422, "{wrong}: {}", refused.text);
    }

    let one = service.get(&format!("/api/v1/sessions/{id}")).await.json();
    assert_eq!(
        (&one["phone"], &one["status"], &one["node"]),
        (&json!("+14155550123"), &json!("waiting"), &json!("wait"))
    );
    assert_eq!(one["context"], json!({"name": "Ada"}));
    let journal = service.get(&format!("/api/v1/sessions/{id}/journal")).await.json();
    assert_eq!(journal["entries"][0]["steps"][1]["node"], "hi");
    let transcript = service.get(&format!("/api/v1/sessions/{id}/transcript")).await.json();
    assert!(
        transcript["transcript"].as_str().unwrap().contains("\n< Hi Ada, how are you?\n"),
        "{transcript}"
    );

    let cancel = format!("/api/v1/sessions/{id}/cancel");
    assert_eq!(service.post(&cancel, json!({})).await.json(), json!({"outcome": "cancelled"}));
    assert_eq!(service.post(&cancel, json!({})).await.json(), json!({"outcome": "already_ended"}));
    let metrics = service.get("/api/v1/flows/hello/metrics").await.json();
    assert_eq!(
        (&metrics["started"], &metrics["ended"]["cancelled"], &metrics["live"]),
        (&json!(2), &json!(1), &json!(1))
    );
    let svg = service.get(&format!("/api/v1/flows/hello/diagram?version=1&session={id}&counts=true")).await;
    assert!(
        svg.header("content-type").starts_with("image/svg") && svg.text.starts_with("<svg"),
        "{}",
        svg.text
    );
    assert!(service.get("/api/v1/flows/hello/diagram?format=mermaid").await.text.contains("flowchart"));
}

#[tokio::test]
async fn a_person_takes_a_contact_over_and_gives_it_back() {
    let service = Service::start();
    service.publish(hello("hello")).await;
    let session = started(&service, "hello", "+14155550123").await;
    let (id, contact) = (session["id"].as_str().unwrap(), session["contact_id"].as_str().unwrap());
    service.shown(1).await;
    let handed = service.post(&format!("/api/v1/sessions/{id}/hand-over"), json!({})).await;
    assert_eq!(handed.json(), json!({"outcome": "handed_over"}));
    let said = service.post("/api/v1/messages", say("+14155550123", "Is anybody there?")).await;
    assert_eq!(said.json()["outcome"], "handoff");
    let inbox = service.get("/api/v1/inbox").await.json();
    assert_eq!(
        (&inbox["waiting"][0]["contact"], &inbox["waiting"][0]["session"]["id"]),
        (&json!(contact), &json!(id))
    );
    let heard = &inbox["waiting"][0]["messages"];
    assert_eq!(
        (heard.as_array().unwrap().len(), &heard[0]["message"]["text"]),
        (1, &json!("Is anybody there?"))
    );
    assert_eq!(
        service.post(&format!("/api/v1/contacts/{contact}/touch"), json!({})).await.json(),
        json!({"done": true})
    );
    let back = format!("/api/v1/contacts/{contact}/hand-back");
    assert_eq!(
        service.post(&back, json!({"vars": {"solved": true}})).await.json(),
        json!({"outcome": "resumed"})
    );
    assert_eq!(service.post(&back, json!({})).await.json(), json!({"outcome": "not_in_handoff"}));
    assert_eq!(service.get("/api/v1/inbox").await.json(), json!({"waiting": []}));
    assert_eq!(service.get(&format!("/api/v1/sessions/{id}")).await.json()["vars"], json!({"solved": true}));
}

#[tokio::test]
async fn what_a_contact_writes_to_a_person_is_kept_once_and_forgotten_with_it() {
    let service = Service::start();
    service.publish(hello("hello")).await;
    started(&service, "hello", "+14155550123").await;
    service.post("/api/v1/messages", say("+14155550123", "to the bot")).await;
    let session = started(&service, "hello", "+14155550123").await;
    let (id, contact) = (session["id"].as_str().unwrap(), session["contact_id"].as_str().unwrap());
    let list = format!("/api/v1/contacts/{contact}/messages");
    let texts = async || -> Vec<String> {
        let listed = service.get(&list).await.json();
        let all = listed["messages"].as_array().unwrap().clone();
        all.iter().map(|heard| heard["message"]["text"].as_str().unwrap().to_owned()).collect()
    };
    assert!(texts().await.is_empty(), "an answer to the bot is no message to a person");
    service.post(&format!("/api/v1/sessions/{id}/hand-over"), json!({})).await;
    let mut one = say("+14155550123", "one");
    one["id"] = json!("m1");
    for outcome in ["handoff", "duplicate"] {
        assert_eq!(service.post("/api/v1/messages", one.clone()).await.json()["outcome"], outcome);
    }
    service.post("/api/v1/messages", say("+14155550123", "two")).await;
    assert_eq!(texts().await, ["one", "two"]);
    service.post(&format!("/api/v1/contacts/{contact}/hand-back"), json!({})).await;
    service.post(&format!("/api/v1/contacts/{contact}/pause"), json!({})).await;
    service.post("/api/v1/messages", say("+14155550123", "three")).await;
    assert_eq!(texts().await, ["one", "two", "three"]);
    service.send(Method::DELETE, &format!("/api/v1/contacts/{contact}"), None).await;
    assert_eq!(service.get(&list).await.status, 404);
    let again = started(&service, "hello", "+14155550123").await;
    assert_ne!(again["contact_id"], json!(contact));
}

#[tokio::test]
async fn a_contact_is_paused_opted_out_and_forgotten() {
    let service = Service::start();
    service.publish(hello("hello")).await;
    let session = started(&service, "hello", "+14155550123").await;
    let contact = format!("/api/v1/contacts/{}", session["contact_id"].as_str().unwrap());
    let found = service.get("/api/v1/contacts?phone=%2B1%20415%20555%200123").await.json();
    assert_eq!(found["id"], session["contact_id"]);
    let paused =
        service.post(&format!("{contact}/pause"), json!({"until": "2099-01-01T00:00:00Z"})).await.json();
    assert_eq!(paused, json!({"paused": true, "until": "2099-01-01T00:00:00Z"}));
    assert_eq!(
        service.post("/api/v1/messages", say("+14155550123", "Fine")).await.json()["outcome"],
        "paused"
    );
    assert_eq!(service.post(&format!("{contact}/unpause"), json!({})).await.json()["paused"], false);
    assert!(service.post(&format!("{contact}/opt-out"), json!({})).await.json()["opted_out_at"].is_string());
    let body = json!({"flow_id": "hello", "phone": "+14155550123"});
    assert_eq!(service.post("/api/v1/actions/trigger-flow", body).await.status, 409);
    assert!(service.post(&format!("{contact}/opt-in"), json!({})).await.json()["opted_out_at"].is_null());
    let erased = service.send(Method::DELETE, &contact, None).await.json();
    assert_eq!((&erased["sessions"], &erased["addresses"]), (&json!(1), &json!(1)));
    assert_eq!(service.get(&contact).await.status, 404);
    assert_eq!(service.send(Method::DELETE, &contact, None).await.status, 404);
    let kept = service.send(Method::DELETE, &format!("{contact}?keep_opt_out=true"), None).await;
    assert_eq!(kept.status, 422, "it needs a secret: {}", kept.text);
}

#[tokio::test]
async fn a_session_goes_to_another_version() {
    let service = Service::start();
    service.publish(hello("hello")).await;
    let session = started(&service, "hello", "+14155550123").await;
    let id = session["id"].as_str().unwrap();
    service.shown(1).await;
    let mut second = hello("hello");
    second["nodes"][3]["text"] = "Very good.".into();
    let tag = service.get("/api/v1/flows/hello").await.header("etag").to_owned();
    let save =
        service.request(Method::PUT, "/api/v1/flows/hello/draft").bearer_auth(TOKEN).header("If-Match", tag);
    assert_eq!(answered(save.json(&second)).await.status, 200);
    service.post("/api/v1/flows/hello/publish", json!({})).await;
    let migrate = format!("/api/v1/sessions/{id}/migrate");
    let gone = service.post(&migrate, json!({"version": 2})).await;
    assert_eq!(gone.json(), json!({"session": id, "from": 1, "to": 2, "node": "wait"}), "{}", gone.text);
    assert_eq!(service.post(&migrate, json!({"version": 2})).await.status, 409);
    service.post("/api/v1/messages", say("+14155550123", "Fine")).await;
    assert_eq!(service.shown(2).await[1]["text"], "Very good.");
}

#[tokio::test]
async fn a_flow_is_rehearsed_as_a_script() {
    let service = Service::start();
    let script = json!({"flow": "abandoned-cart", "context": {"first_name": "Ada", "cart_id": "9", "cart_total": "1"},
        "at": "2026-05-07T08:14:23Z", "steps": [{"pass": "10m"}, {"say": "what?"}, {"say": "1"}]});
    let played = service.post("/api/v1/rehearsals", script).await;
    assert_eq!((played.status, &played.json()["status"]), (200, &json!("completed")), "{}", played.text);
    assert_eq!(
        played.json()["transcript"].as_str().unwrap(),
        "! context {\"cart_id\":\"9\",\"cart_total\":\"1\",\"first_name\":\"Ada\"}\n\
         < Hi Ada, your cart 9 totals 1. Reply 1 to check out or 2 for an agent.\n= waiting at wait\n@ +10m\n> what?\n\
         < Sorry, please answer 1 or 2.\n= waiting at wait\n> 1\n< Checkout: https://shop.example/c/9\n= completed at bought, checkout\n"
    );
    let script = json!({"definition": hello("any"), "steps": [{"say": "Fine"}]});
    assert_eq!(service.post("/api/v1/rehearsals", script).await.json()["lines"][0]["kind"], "sent");
    for (wrong, status) in [
        (json!({"flow": "none"}), 404),
        (json!({}), 422),
        (json!({"definition": hello("x"), "steps": [{"pass": "soon"}]}), 422),
        (json!({"definition": hello("x"), "steps": [{"dance": "x"}]}), 422),
    ] {
        assert_eq!(service.post("/api/v1/rehearsals", wrong.clone()).await.status, status, "{wrong}");
    }
    assert_eq!(service.get("/api/v1/sessions").await.json()["sessions"], json!([]), "nothing is stored");
}

#[tokio::test]
async fn a_stream_ends_when_it_has_had_its_time() {
    let service = Service::with(&[("STREAM_SECONDS", "1")]);
    service.publish(hello("hello")).await;
    let session = started(&service, "hello", "+14155550123").await;
    for path in
        ["/api/v1/events".to_owned(), format!("/api/v1/sessions/{}/events", session["id"].as_str().unwrap())]
    {
        let begun = std::time::Instant::now();
        assert_eq!(service.get(&path).await.status, 200, "{path}");
        let took = begun.elapsed().as_millis();
        assert!((900..5_000).contains(&took), "{path}: {took} ms");
    }
}

#[tokio::test]
async fn a_session_is_streamed_as_it_goes_on() {
    let service = Service::start();
    service.publish(hello("hello")).await;
    let session = started(&service, "hello", "+14155550123").await;
    let path = format!("/api/v1/sessions/{}/events?access_token={TOKEN}", session["id"].as_str().unwrap());
    let stream = tokio::spawn(answered(service.request(Method::GET, &path)));
    service.shown(1).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    service.post("/api/v1/messages", say("+14155550123", "Fine")).await;
    // It ends when the session has.
    let streamed = stream.await.unwrap();
    assert!(streamed.header("content-type").starts_with("text/event-stream"));
    let statuses: Vec<&str> =
        ["\"status\":\"waiting\"", "\"event\":\"turn\"", "\"status\":\"completed\""].into();
    let mut rest = &*streamed.text;
    for status in statuses {
        let at = rest.find(status).unwrap_or_else(|| panic!("{status}: {}", streamed.text));
        rest = &rest[at..];
    }
    let refused = answered(service.request(Method::GET, "/api/v1/sessions?access_token=x")).await;
    assert_eq!(refused.status, 401, "only streams take a token from the query");
}

#[tokio::test]
async fn a_stream_sees_what_another_process_does_however_much_happens_here() {
    let service = Service::start();
    service.publish(hello("hello")).await;
    let other = service.beside(&[]);
    let session = started(&service, "hello", "+14155550123").await;
    service.shown(1).await;
    let path = format!("/api/v1/sessions/{}", session["id"].as_str().unwrap());
    let stream =
        tokio::spawn(answered(service.request(Method::GET, &format!("{path}/events?access_token={TOKEN}"))));
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let cancelled = other.post(&format!("{path}/cancel"), json!({})).await.json();
    assert_eq!(cancelled, json!({"outcome": "cancelled"}));
    let mut number = 1_000;
    let begun = std::time::Instant::now();
    while !stream.is_finished() {
        assert!(begun.elapsed().as_secs() < 10, "the stream does not tell that the session was cancelled");
        number += 1;
        started(&service, "hello", &format!("+1415555{number}")).await;
    }
    let streamed = stream.await.unwrap().text;
    assert!(streamed.contains("\"status\":\"cancelled\""), "{streamed}");
}

#[tokio::test]
async fn a_stream_ends_with_its_session_when_the_contact_is_forgotten() {
    let service = Service::start();
    service.publish(hello("hello")).await;
    let session = started(&service, "hello", "+14155550123").await;
    service.shown(1).await;
    let path = format!("/api/v1/sessions/{}/events?access_token={TOKEN}", session["id"].as_str().unwrap());
    let stream = tokio::spawn(answered(service.request(Method::GET, &path)));
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let contact = format!("/api/v1/contacts/{}", session["contact_id"].as_str().unwrap());
    assert_eq!(service.send(Method::DELETE, &contact, None).await.status, 200);
    let ended = tokio::time::timeout(std::time::Duration::from_secs(10), stream).await;
    assert_eq!(ended.expect("the stream ends").unwrap().status, 200);
}

#[tokio::test]
async fn a_refused_change_of_a_flow_changes_nothing() {
    let service = Service::start();
    let before = service.get("/api/v1/flows/menu").await.json();
    let long = "x".repeat(17 << 10);
    for edit in [
        json!({"name": "Mine", "remark": long, "logging": "off"}),
        json!({"name": "", "remark": "ours", "logging": "off"}),
    ] {
        let refused = service.send(Method::PATCH, "/api/v1/flows/menu", Some(edit)).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert_eq!(service.get("/api/v1/flows/menu").await.json(), before);
    }
    assert_eq!(service.send(Method::PATCH, "/api/v1/flows/menu", Some(json!({}))).await.json(), before);
    let gone = service.send(Method::PATCH, "/api/v1/flows/none", Some(json!({}))).await;
    assert_eq!(gone.status, 404);
}

#[tokio::test]
async fn a_message_that_was_given_up_is_tried_again_or_dropped() {
    let receiver = crate::calls::Receiver::start(|_, _| (403, json!({}))).await;
    let service = Service::with(&[("GPTBOTS_URL", &receiver.url), ("GPTBOTS_TOKEN", "secret")]);
    let mut flow = hello("hello");
    flow["settings"]["sender"] = json!({"channel": "web", "account": "site"});
    service.publish(flow).await;
    let letters = async || {
        let letters = service.get("/api/v1/dead-letters").await.json()["letters"].as_array().unwrap().clone();
        (!letters.is_empty()).then_some(letters)
    };
    let request = json!({"channel": "web", "account": "site", "from": "visitor-1", "text": "hello"});
    assert_eq!(service.post("/api/v1/messages", request).await.json()["outcome"], "unmatched");
    let trigger = json!({"flow_id": "hello", "contact_id": "ada"});
    assert_eq!(
        service.post("/api/v1/actions/trigger-flow", trigger).await.status,
        422,
        "there is no address"
    );
    receiver.start_flow(&service, "hello").await;
    let letter = eventually(letters).await[0].clone();
    let (contact, message) =
        (letter["contact"].as_str().unwrap(), letter["letter"]["message"]["id"].as_str().unwrap());
    let path = format!("/api/v1/dead-letters/{contact}/{message}");
    assert_eq!(service.post(&format!("{path}/requeue"), json!({})).await.json(), json!({"done": true}));
    eventually(letters).await;
    assert_eq!(service.send(Method::DELETE, &path, None).await.json(), json!({"done": true}));
    assert_eq!(service.send(Method::DELETE, &path, None).await.status, 404);
    assert_eq!(service.post(&format!("{path}/requeue"), json!({})).await.status, 404);
    let release =
        async |contact: &str| service.post(&format!("/api/v1/contacts/{contact}/release"), json!({})).await;
    assert_eq!(release(contact).await.json(), json!({"done": false}), "it is not set aside");
    assert_eq!(release("nobody").await.status, 404);
    assert_eq!(service.get("/api/v1/quarantine").await.json(), json!({"contacts": []}));
}
