//! Messenger by its webhooks, against an API of the test's own.

use reqwest::Method;
use serde_json::{Value, json};

use crate::calls::Receiver;
use crate::kit::Service;
use crate::whatsapp::{SETTINGS, post};

const PATH: &str = "/webhooks/messenger";

/// The Send API: it takes what it gets.
async fn page() -> (Receiver, Service) {
    let api = Receiver::start(|_, _| (200, json!({"recipient_id": "psid", "message_id": "m"}))).await;
    let settings = [("MESSENGER_TOKEN", "page"), ("GRAPH_URL", &*api.url), SETTINGS[0], SETTINGS[1]];
    let service = Service::with(&settings);
    (api, service)
}

/// A flow that any message to the page starts.
async fn publish(service: &Service, nodes: Value, edges: Value) {
    let flow = json!({"spec": 1, "code": "page", "name": "Page",
        "trigger": {"kind": "inbound", "channel": "messenger", "rules": [{"match": "any"}]},
        "nodes": nodes, "edges": edges});
    assert_eq!(service.post("/api/v1/flows", json!({"definition": flow})).await.status, 201);
    let bind = json!({"accounts": [{"channel": "messenger", "account": "page-1"}]});
    assert_eq!(service.send(Method::PUT, "/api/v1/flows/page/accounts", Some(bind)).await.status, 200);
    let published = service.post("/api/v1/flows/page/publish", json!({})).await;
    assert_eq!(published.status, 200, "{}", published.text);
}

fn event(message: Value) -> Value {
    let at = chrono::Utc::now().timestamp_millis();
    json!({"object": "page", "entry": [{"messaging": [{"sender": {"id": "psid"}, "recipient": {"id": "page-1"}, "timestamp": at, "message": message}]}]})
}

#[tokio::test]
async fn messenger_is_talked_to_as_well() {
    let (api, service) = page().await;
    publish(&service, json!([{"id": "start", "kind": "start"},
            {"id": "ask", "kind": "ask", "text": "Tea?", "choices": [{"id": "yes", "label": "Yes"}, {"id": "no", "label": "No"}], "save_to": "tea"},
            {"id": "bye", "kind": "send_message", "text": "You said {{ vars.tea }}."}]),
        json!([{"from": "start", "to": "ask"}, {"from": "ask", "branch": "yes", "to": "bye"}, {"from": "ask", "branch": "no", "to": "bye"},
            {"from": "ask", "branch": "invalid", "to": "bye"}])).await;
    let path = PATH;
    assert_eq!(
        post(&service, path, &event(json!({"mid": "m1", "text": "hi"}))).await.json(),
        json!({"started": 1})
    );
    let asked = api.heard_all(1).await[0].clone();
    assert_eq!(
        (&*asked.path, &asked.body["recipient"]["id"], &asked.body["message"]["text"]),
        ("/me/messages", &json!("psid"), &json!("Tea?"))
    );
    let payload = &asked.body["message"]["quick_replies"][0]["payload"];
    let chosen = event(json!({"mid": "m2", "text": "Yes", "quick_reply": {"payload": payload}}));
    assert_eq!(post(&service, path, &chosen).await.json(), json!({"consumed": 1}));
    assert_eq!(post(&service, path, &chosen).await.json(), json!({"duplicate": 1}));
    assert_eq!(api.heard_all(2).await[1].body["message"]["text"], "You said yes.");
    let mut mixed = event(json!({"mid": "m4", "text": "hi", "attachments": null, "quick_reply": 7}));
    let good = mixed["entry"][0]["messaging"][0].clone();
    mixed["entry"] = json!([7, null, {}, {"messaging": null}, {"messaging": {"sender": 1}},
        {"messaging": [null, {"sender": {"id": 7}}, good]}]);
    let taken = post(&service, path, &mixed).await;
    assert_eq!(
        (taken.status, taken.json()),
        (200, json!({"ignored": 7, "started": 1})),
        "each part by itself"
    );
    for none in [json!({"object": "page"}), json!({"object": "page", "entry": null})] {
        assert_eq!(post(&service, path, &none).await.status, 200, "{none}");
    }
    for wrong in [json!({"object": "user", "entry": []}), json!([]), json!({"entry": []})] {
        assert_eq!(post(&service, path, &wrong).await.status, 422, "{wrong}");
    }
    let echo = event(json!({"mid": "m3", "text": "You said yes.", "is_echo": true}));
    assert_eq!(post(&service, path, &echo).await.json(), json!({"ignored": 1}));
}

#[tokio::test]
async fn pictures_cards_and_links_reach_the_contact() {
    let (api, service) = page().await;
    let nodes = json!([{"id": "start", "kind": "start"},
        {"id": "picture", "kind": "send_message", "media": {"type": "image", "url": "https://x.example/b.png"}},
        {"id": "links", "kind": "send_message", "text": "Have a look.", "buttons": [{"label": "Shop", "url": "https://x.example/"}]},
        {"id": "card", "kind": "send_message", "card": {"title": "Shirt", "subtitle": "blue, 20 EUR", "image": "https://x.example/a.png",
            "buttons": [{"id": "buy", "label": "Buy"}, {"label": "Details", "url": "https://x.example/a"}]}},
        {"id": "wait", "kind": "wait_reply", "timeout": "10m"},
        {"id": "bye", "kind": "send_message", "text": "Thanks for {{ reply.payload }}."}]);
    let edges = json!([{"from": "start", "to": "picture"}, {"from": "picture", "to": "links"}, {"from": "links", "to": "card"},
        {"from": "card", "to": "wait"}, {"from": "wait", "to": "bye"}]);
    publish(&service, nodes, edges).await;
    post(&service, PATH, &event(json!({"mid": "m1", "text": "hi"}))).await;
    let heard = api.heard_all(3).await;
    let said: Vec<&Value> = heard.iter().map(|heard| &heard.body["message"]).collect();
    assert_eq!(
        *said[0],
        json!({"attachment": {"type": "image", "payload": {"url": "https://x.example/b.png"}}})
    );
    let shop = json!([{"type": "web_url", "title": "Shop", "url": "https://x.example/"}]);
    assert_eq!(
        said[1]["attachment"]["payload"],
        json!({"template_type": "button", "text": "Have a look.", "buttons": shop})
    );
    let element = &said[2]["attachment"]["payload"]["elements"][0];
    let payload = &element["buttons"][0]["payload"];
    assert_eq!(
        *element,
        json!({"title": "Shirt", "subtitle": "blue, 20 EUR", "image_url": "https://x.example/a.png",
            "buttons": [{"type": "postback", "title": "Buy", "payload": payload},
                {"type": "web_url", "title": "Details", "url": "https://x.example/a"}]})
    );
    let mut tapped = event(json!(null));
    tapped["entry"][0]["messaging"][0]["postback"] = json!({"mid": "m2", "title": "Buy", "payload": payload});
    assert_eq!(post(&service, PATH, &tapped).await.json(), json!({"consumed": 1}));
    assert_eq!(api.heard_all(4).await[3].body["message"], json!({"text": "Thanks for buy."}));
}

#[tokio::test]
async fn a_text_with_the_preview_of_a_link_is_a_text() {
    let (api, service) = page().await;
    let nodes = json!([{"id": "start", "kind": "start"},
        {"id": "ready", "kind": "send_message", "text": "Ready."},
        {"id": "wait", "kind": "wait_reply", "timeout": "10m", "save_to": "said"},
        {"id": "show", "kind": "send_message", "text": "{{ reply.kind }} [{{ reply.text }}] {{ reply.media.type | default('-') }}"}]);
    let edges = json!([{"from": "start", "to": "ready"}, {"from": "ready", "to": "wait"}, {"from": "wait", "to": "show"}]);
    publish(&service, nodes, edges).await;
    let media = |kind: &str| json!({"type": kind, "payload": {"url": "https://x.example/a"}});
    let messages = [
        (
            json!({"text": "see https://a.example", "attachments": [media("fallback")]}),
            "text [see https://a.example] -",
        ),
        (json!({"text": "my cat", "attachments": [media("image")]}), "media [my cat] image"),
        (json!({"attachments": [media("file")]}), "media [] document"),
    ];
    let nothing = event(json!({"mid": "void", "is_unsupported": true, "text": null}));
    assert_eq!(post(&service, PATH, &nothing).await.json(), json!({"unmatched": 1}));
    for (place, (mut message, shown)) in messages.into_iter().enumerate() {
        post(&service, PATH, &event(json!({"mid": format!("start-{place}"), "text": "hi"}))).await;
        message["mid"] = format!("m-{place}").into();
        assert_eq!(post(&service, PATH, &event(message)).await.json(), json!({"consumed": 1}), "{shown}");
        assert_eq!(api.heard_all(2 * place + 2).await[2 * place + 1].body["message"]["text"], shown);
    }
    let both = json!({"mid": "two", "attachments": [media("image"), media("video")]});
    let taken = post(&service, PATH, &event(both.clone())).await.json();
    assert_eq!(taken, json!({"started": 1, "consumed": 1}), "each attachment is a message");
    assert_eq!(post(&service, PATH, &event(both)).await.json(), json!({"duplicate": 2}));
}

fn posted_back(mid: &str, postback: Value) -> Value {
    let mut tapped = event(json!(null));
    tapped["entry"][0]["messaging"][0]["postback"] = postback;
    tapped["entry"][0]["messaging"][0]["postback"]["mid"] = mid.into();
    tapped
}

#[tokio::test]
async fn flows_know_the_advertisement_and_the_message_that_a_person_came_by() {
    let (api, service) = page().await;
    let nodes = json!([{"id": "start", "kind": "start"},
        {"id": "show", "kind": "send_message",
            "text": "{{ trigger.text }}|{{ trigger.payload | default('-') }}|{{ trigger.meta.referral.ref | default('-') }}|{{ trigger.meta.context.id | default('-') }}"}]);
    publish(&service, nodes, json!([{"from": "start", "to": "show"}])).await;
    let referral = json!({"ref": "spring", "source": "ADS", "type": "OPEN_THREAD", "ad_id": "6"});
    let both = json!({"mid": "m1", "text": "hi", "referral": referral, "reply_to": {"mid": "m0"}});
    let odd = json!({"mid": "m2", "text": "hi", "referral": "x", "reply_to": null});
    let tapped = |payload: Value| json!({"title": "Begin", "payload": payload, "referral": referral});
    for (place, (body, shown)) in [
        (event(both), "hi|-|spring|m0"),
        (event(odd), "hi|-|-|-"),
        (posted_back("m3", tapped(json!("GO"))), "Begin|GO|spring|-"),
        (posted_back("m4", tapped(json!(null))), "Begin|-|spring|-"),
        (posted_back("m5", tapped(json!(""))), "Begin|-|spring|-"),
        (event(json!({"mid": "m6", "text": "Begin", "quick_reply": {"payload": ""}})), "Begin|-|-|-"),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(post(&service, PATH, &body).await.json(), json!({"started": 1}), "{shown}");
        assert_eq!(api.heard_all(place + 1).await[place].body["message"]["text"], shown);
    }
    let nothing = posted_back("m7", json!({"referral": referral}));
    assert_eq!(post(&service, PATH, &nothing).await.json(), json!({"ignored": 1}));
}
