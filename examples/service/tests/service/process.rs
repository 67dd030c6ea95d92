//! The life of a process: how it starts, is watched and ends.

use std::process::Stdio;

use reqwest::Method;
use serde_json::{Value, json};

use crate::kit::{Service, TOKEN, answered};

#[tokio::test]
async fn a_process_says_that_it_lives_and_may_get_requests() {
    let service = Service::start();
    for (path, text) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
        let answer = answered(service.request(Method::GET, path)).await;
        assert_eq!((answer.status, &*answer.text), (200, text));
    }
}

#[tokio::test]
async fn what_happens_is_measured() {
    let service = Service::start();
    let body = serde_json::json!({"flow_id": "abandoned-cart", "phone": "+14155550123"});
    assert_eq!(service.post("/api/v1/actions/trigger-flow", body).await.status, 201);
    service.shown(1).await;
    let measures = answered(service.request(Method::GET, "/metrics")).await.text;
    assert!(measures.contains("chatflow_started_total{flow=\"abandoned-cart\"} 1"), "{measures}");
    assert!(measures.contains("route=\"/api/v1/actions/trigger-flow\",status=\"201\""), "{measures}");
    assert!(!measures.contains("14155550123"));
}

#[tokio::test]
async fn a_process_that_is_told_to_end_ends_well() {
    let mut service = Service::start();
    assert_eq!(service.terminate(), Some(0));
}

/// Every flow with its draft, as its authors see it.
async fn flows_of(service: &Service) -> Vec<Value> {
    let mut flows = Vec::new();
    for mut flow in service.get("/api/v1/flows").await.json()["flows"].as_array().unwrap().clone() {
        let code = flow["code"].as_str().unwrap().to_owned();
        flow["draft"] = service.get(&format!("/api/v1/flows/{code}/draft")).await.json();
        flows.push(flow);
    }
    flows
}

#[tokio::test]
async fn what_authors_did_with_the_demo_flows_outlasts_a_restart() {
    let mut service = Service::start();
    assert_eq!(flows_of(&service).await.len(), 6);
    let post = async |path: &str| {
        let done = service.post(&format!("/api/v1/flows/{path}"), json!({})).await;
        assert_eq!(done.status, 200, "{path}: {}", done.text);
    };
    // The guide "WhatsApp in an afternoon", step 4.
    post("menu/unpublish").await;
    let number = json!({"accounts": [{"channel": "whatsapp", "account": "+49301234567"}]});
    assert_eq!(service.send(Method::PUT, "/api/v1/flows/menu/accounts", Some(number)).await.status, 200);
    post("menu/publish").await;
    // Another text, no journal, a flow that is offline, and one that is gone.
    let draft = service.get("/api/v1/flows/nps-survey/draft").await;
    let mut flow = draft.json();
    flow["name"] = "Ours".into();
    let save = service.request(Method::PUT, "/api/v1/flows/nps-survey/draft").bearer_auth(TOKEN);
    assert_eq!(answered(save.header("If-Match", draft.header("etag")).json(&flow)).await.status, 200);
    post("nps-survey/publish").await;
    service.send(Method::PATCH, "/api/v1/flows/opt-in", Some(json!({"logging": "off"}))).await;
    post("order-status/unpublish").await;
    post("order-triage/unpublish").await;
    assert_eq!(service.send(Method::DELETE, "/api/v1/flows/order-triage", None).await.status, 204);
    let before = flows_of(&service).await;
    assert_eq!(service.terminate(), Some(0));
    service.restart(&[]);
    assert_eq!(flows_of(&service).await, before);
}

#[tokio::test]
async fn the_document_describes_every_endpoint() {
    let service = Service::start();
    let document = answered(service.request(Method::GET, "/openapi.json")).await.json();
    assert_eq!(document["paths"]["/api/v1/actions/trigger-flow"]["post"]["tags"][0], "Qyvo");
    let printed = service.command().arg("openapi").output().unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&printed.stdout).unwrap(), document);
}

#[tokio::test]
async fn tokens_are_made_listed_and_revoked() {
    let service = Service::start();
    let token = |arguments: &[&str]| {
        let done = service.command().arg("token").args(arguments).output().unwrap();
        (done.status.success(), String::from_utf8(done.stdout).unwrap().trim().to_owned())
    };
    let (is_made, made) = token(&["new", "acme", "shop"]);
    assert!(is_made && made.starts_with("cf_"));
    let list =
        async || answered(service.request(Method::GET, "/api/v1/dropdowns/flows").bearer_auth(&made)).await;
    let answer = list().await;
    assert_eq!((answer.status, &*answer.text), (200, "[]"), "another workspace has no flows");
    assert!(token(&["list"]).1.contains("acme\tshop\tcf_"));
    assert!(!token(&["list"]).1.contains(&made), "a secret is shown once");
    assert!(token(&["revoke", "acme", "shop"]).0);
    assert!(!token(&["revoke", "acme", "shop"]).0);
    tokio::time::sleep(std::time::Duration::from_secs(11)).await;
    assert_eq!(list().await.status, 401);
}

/// Just looked at, since somebody guesses, the table is looked at again for a token that is new.
#[tokio::test]
async fn a_token_is_valid_once_it_is_shown() {
    let service = Service::start();
    let flows = async |token: &str| {
        answered(service.request(Method::GET, "/api/v1/flows").bearer_auth(token)).await.status
    };
    for name in ["first", "second", "third"] {
        let mut command = service.command();
        let mut making = command.args(["token", "new", "acme", name]).stdout(Stdio::piped()).spawn().unwrap();
        while making.try_wait().unwrap().is_none() {
            assert_eq!(flows("cf_guess_0123456789abcdef").await, 401);
        }
        let made = String::from_utf8(making.wait_with_output().unwrap().stdout).unwrap();
        assert_eq!(flows(made.trim()).await, 200, "{name}");
    }
}

#[tokio::test]
async fn a_start_that_fails_changes_nothing() {
    let service = Service::start();
    let taken = service.url.strip_prefix("http://").unwrap();
    let second = service.command().env("LISTEN", taken).output().unwrap();
    assert!(!second.status.success(), "the port is taken");
    tokio::time::sleep(std::time::Duration::from_secs(11)).await;
    assert_eq!(service.get("/api/v1/workspace").await.status, 200, "the token is valid as before");
}

#[tokio::test]
async fn a_token_is_replaced_only_where_that_is_asked_for() {
    let service = Service::start();
    let token = |arguments: &[&str]| {
        let done = service.command().args(["token", "new"]).args(arguments).output().unwrap();
        let told = if done.status.success() { done.stdout } else { done.stderr };
        (done.status.success(), String::from_utf8(told).unwrap().trim().to_owned())
    };
    let (_, first) = token(&["acme", "shop"]);
    let (is_made, told) = token(&["acme", "shop"]);
    assert!(!is_made && told.contains("--replace"), "{told}");
    let flows = async |token: &str| {
        answered(service.request(Method::GET, "/api/v1/flows").bearer_auth(token)).await.status
    };
    assert_eq!(flows(&first).await, 200);
    let (is_made, other) = token(&["acme", "shop", "--replace"]);
    assert!(is_made && other != first);
    for (workspace, name) in [("acme", ""), ("acme", " "), ("acme", "a\nb"), ("", "shop"), ("a\nb", "shop")] {
        let (is_made, told) = token(&[workspace, name]);
        assert!(!is_made, "`{workspace}` `{name}`: {told}");
    }
}

#[tokio::test]
async fn a_token_of_another_workspace_is_said_to_be_so() {
    let mut service = Service::with(&[("WORKSPACE", "shop")]);
    service.terminate();
    let mut start = service.command();
    start.envs([("LISTEN", "127.0.0.1:0"), ("WORKSPACE", "demo"), ("SERVICE_TOKEN", TOKEN)]);
    let refused = start.output().unwrap();
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && told.contains("workspace `shop`"), "{told}");
}
