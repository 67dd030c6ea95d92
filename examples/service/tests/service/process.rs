//! The life of a process: how it starts, is watched and ends.

use reqwest::Method;

use crate::kit::{Service, answered};

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
