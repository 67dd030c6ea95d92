//! Messages to a person: kept for their time, found under the contact that a person turned out to
//! be, and gone with it.

use chatflow_sqlite::rusqlite::Connection;
use reqwest::Method;
use serde_json::{Value, json};

use crate::kit::Service;
use crate::whatsapp::{SETTINGS, change, text, webhook};

const ID: &str = "DE.11881237645982301";
const NUMBER: &str = "491768880013";

fn from(id: &str, words: &str, sender: &[(&str, &str)]) -> Value {
    let mut message = text(id, words);
    message.as_object_mut().unwrap().remove("from");
    let mut contact = json!({"profile": {"name": "Ada"}});
    for (name, value) in sender {
        message[*name] = (*value).into();
        contact[if *name == "from" { "wa_id" } else { "user_id" }] = (*value).into();
    }
    change(json!({"contacts": [contact], "messages": [message]}))
}

/// The database of a service, where that is a file.
fn database(service: &Service) -> Option<Connection> {
    let file = service.folder.path().join("service.db").canonicalize().ok()?;
    Some(Connection::open(file).unwrap())
}

fn kept(service: &Service) -> Vec<String> {
    let Some(database) = database(service) else { return Vec::new() };
    let mut statement = database.prepare("SELECT message FROM service_heard ORDER BY at").unwrap();
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(|row| {
        let message: Value = serde_json::from_str(&row.unwrap()).unwrap();
        message["text"].as_str().unwrap().to_owned()
    })
    .collect()
}

async fn listed(service: &Service, contact: &str) -> Vec<String> {
    let listed = service.get(&format!("/api/v1/contacts/{contact}/messages")).await.json();
    let all = listed["messages"].as_array().unwrap_or_else(|| panic!("{listed}")).clone();
    all.iter().map(|heard| heard["message"]["text"].as_str().unwrap().to_owned()).collect()
}

async fn contact_of(service: &Service, phone: &str) -> String {
    let found = service.get(&format!("/api/v1/contacts?phone=%2B{phone}")).await.json();
    found["id"].as_str().unwrap_or_else(|| panic!("{found}")).to_owned()
}

/// A person who wrote from an id, and to a person from a number; then from both.
async fn united(service: &Service) -> String {
    webhook(service, &from("wamid.1", "menu", &[("from_user_id", ID)])).await;
    webhook(service, &from("wamid.2", "menu", &[("from", NUMBER)])).await;
    let younger = contact_of(service, NUMBER).await;
    service.post(&format!("/api/v1/contacts/{younger}/pause"), json!({})).await;
    let secret = webhook(service, &from("wamid.3", "my secret", &[("from", NUMBER)])).await;
    assert_eq!(secret.json(), json!({"paused": 1}));
    assert_eq!(listed(service, &younger).await, ["my secret"]);
    webhook(service, &from("wamid.4", "and more", &[("from", NUMBER), ("from_user_id", ID)])).await;
    let older = contact_of(service, NUMBER).await;
    assert_ne!(older, younger, "the two are one");
    older
}

#[tokio::test]
async fn what_was_written_before_two_contacts_became_one_is_listed_and_erased() {
    let service = Service::with(&SETTINGS);
    let contact = united(&service).await;
    assert_eq!(listed(&service, &contact).await, ["my secret", "and more"]);
    assert_eq!(service.send(Method::DELETE, &format!("/api/v1/contacts/{contact}"), None).await.status, 200);
    assert!(kept(&service).is_empty(), "{:?}", kept(&service));
}

#[tokio::test]
async fn a_long_text_is_taken_and_a_person_reads_all_of_it() {
    let service = Service::with(&SETTINGS);
    let long = "\u{6d41}".repeat(65_536);
    let taken = webhook(&service, &from("wamid.1", &long, &[("from", NUMBER)])).await;
    assert_eq!(taken.json(), json!({"started": 1}));
    let contact = contact_of(&service, NUMBER).await;
    service.post(&format!("/api/v1/contacts/{contact}/pause"), json!({})).await;
    let taken = webhook(&service, &from("wamid.3", &long, &[("from", NUMBER)])).await;
    assert_eq!(taken.json(), json!({"paused": 1}));
    assert_eq!(listed(&service, &contact).await, [long]);
}

#[tokio::test]
async fn a_start_looks_after_what_a_process_that_was_killed_left() {
    let mut service = Service::with(&SETTINGS);
    let contact = united(&service).await;
    service.terminate();
    // What the contact wrote is moved to the one that it is now.
    service.restart(&SETTINGS);
    let elsewhere = "SELECT count(*) FROM service_heard WHERE contact <> ?1";
    if let Some(database) = database(&service) {
        crate::kit::eventually(async || {
            let count: i64 = database.query_row(elsewhere, [&contact], |row| row.get(0)).unwrap();
            (count == 0).then_some(())
        })
        .await;
        // Messages of a contact that is no longer there, which came as it was erased.
        database.execute("UPDATE service_heard SET contact = 'gone'", []).unwrap();
    }
    assert_eq!(service.send(Method::DELETE, &format!("/api/v1/contacts/{contact}"), None).await.status, 200);
    service.terminate();
    service.restart(&SETTINGS);
    crate::kit::eventually(async || kept(&service).is_empty().then_some(())).await;
    webhook(&service, &from("wamid.9", "menu", &[("from", NUMBER)])).await;
    assert!(listed(&service, &contact_of(&service, NUMBER).await).await.is_empty(), "another contact");
}

#[tokio::test]
async fn what_is_older_than_thirty_days_is_neither_shown_nor_kept() {
    let mut service = Service::with(&SETTINGS);
    webhook(&service, &from("wamid.1", "menu", &[("from", NUMBER)])).await;
    let contact = contact_of(&service, NUMBER).await;
    service.post(&format!("/api/v1/contacts/{contact}/pause"), json!({})).await;
    for (id, words) in [("wamid.2", "old"), ("wamid.3", "new")] {
        webhook(&service, &from(id, words, &[("from", NUMBER)])).await;
    }
    let Some(file) = database(&service) else { return };
    let day = 24 * 60 * 60 * 1_000_i64;
    for (id, days) in [("%wamid.2", 31), ("%wamid.3", 29)] {
        let aged = "UPDATE service_heard SET at = at - ?2 WHERE id LIKE ?1";
        assert_eq!(file.execute(aged, (id, days * day)).unwrap(), 1);
    }
    assert_eq!(listed(&service, &contact).await, ["new"]);
    service.terminate();
    service.restart(&SETTINGS);
    crate::kit::eventually(async || (kept(&service) == ["new"]).then_some(())).await;
}
