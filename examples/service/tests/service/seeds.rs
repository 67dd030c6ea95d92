//! The commands of the products' documents, word for word but for host and token, and the
//! documented answers, byte by byte.

use std::process::Command;

use serde_json::json;

use crate::kit::{Service, TOKEN, hello};

/// Runs a command of a document. Returns the status and the body that it printed.
fn run(command: &str, folder: &std::path::Path) -> (u16, String) {
    std::fs::write(folder.join(".curlrc"), "silent\nwrite-out = \"\\n%{http_code}\"\n").unwrap();
    let done = Command::new("bash").args(["-c", command]).env("CURL_HOME", folder).output().unwrap();
    let printed = String::from_utf8(done.stdout).unwrap();
    let (body, status) = printed.rsplit_once('\n').unwrap_or_else(|| panic!("{printed}"));
    (status.parse().unwrap(), body.to_owned())
}

const QYVO: &str = include_str!("../seeds/qyvo-trigger-flow.sh");
const GPTBOTS: &str = include_str!("../seeds/gptbots-message.sh");

#[tokio::test]
async fn the_command_of_qyvo_gets_its_documented_answers() {
    let service = Service::start();
    let command = QYVO.replace("https://www.qyvo.io", &service.url).replace("YOUR_TOKEN_HERE", TOKEN);
    let (status, body) = run(&command, service.folder.path());
    assert_eq!((status, &*body), (404, r#"{"error":"Flow not found or not published"}"#));

    let mut flow = hello("01J3F...");
    flow["name"] = "Abandoned cart 30min".into();
    flow["nodes"][1]["text"] = "Cart {{ context.cart_id }}: {{ context.cart_total }}".into();
    service.publish(flow).await;
    let (status, body) = run(&command, service.folder.path());
    let said: serde_json::Value = serde_json::from_str(&body).unwrap();
    let (id, contact) = (said["id"].as_str().unwrap(), said["contact_id"].as_str().unwrap());
    let documented = |status: &str| {
        format!(
            "{{\"id\":\"{id}\",\"status\":\"{status}\",\"flow_id\":\"01J3F...\",\"flow_name\":\"Abandoned cart 30min\",\
             \"contact_id\":\"{contact}\"}}"
        )
    };
    assert_eq!((status, &*body), (201, &*documented("started")));
    let (status, body) = run(&command, service.folder.path());
    assert_eq!((status, &*body), (200, &*documented("already_running")));
    assert_eq!(service.shown(1).await[0]["text"], "Cart 987654321: 129.00");
}

#[tokio::test]
async fn the_command_of_gptbots_is_acknowledged_under_either_scheme() {
    let service = Service::start();
    let to = GPTBOTS.replace("YOUR_API", &format!("{}/webhooks/gptbots", service.url));
    for command in
        [to.replace("your_apikey", TOKEN), to.replace("Bearer your_apikey", &format!("Basic {TOKEN}"))]
    {
        let (status, body) = run(&command, service.folder.path());
        assert_eq!((status, &*body), (200, r#"{"code":200,"msg":"success"}"#));
    }
    assert_eq!(run(&to.replace("your_apikey", "cf_demo_wrong"), service.folder.path()).0, 401);
    let shown = service.get("/api/v1/console").await.json();
    let shown = shown["messages"].as_array().unwrap();
    assert_eq!(shown.len(), 1, "a message that comes again is shown once: {shown:?}");
    assert_eq!(
        (&shown[0]["text"], &shown[0]["id"]),
        (&json!("Hi, is there anything I can help you?"), &json!("65a4ccfC7ce58e728d5897e0"))
    );
}
