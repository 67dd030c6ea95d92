//! The channel: takes messages as WhatsApp's API does, and knows each by its id.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// The messages that were heard.
pub(crate) struct Channel {
    pub(crate) url: String,
    heard: Arc<Heard>,
}

#[derive(Default)]
struct Heard {
    people: Mutex<People>,
    news: Notify,
}

#[derive(Default)]
struct People {
    /// Each message once, by the telephone number that it went to: its id and its text.
    messages: HashMap<String, Vec<(String, String)>>,
    /// Messages that came again under the same id, by number.
    repeats: HashMap<String, usize>,
    count: usize,
}

impl Channel {
    /// Listens on a free port.
    pub(crate) async fn start() -> std::io::Result<Self> {
        let heard = Arc::new(Heard::default());
        let router = Router::new().fallback(take).with_state(Arc::clone(&heard));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, heard })
    }

    /// The texts that a number got, in order, each message once; and how many came again.
    pub(crate) fn heard_by(&self, phone: &str) -> (Vec<String>, usize) {
        let people = self.heard.people.lock().unwrap_or_else(PoisonError::into_inner);
        let texts = people.messages.get(phone).into_iter().flatten().map(|(_, text)| text.clone());
        (texts.collect(), people.repeats.get(phone).copied().unwrap_or_default())
    }

    /// Waits until a number got so many messages.
    pub(crate) async fn until_heard_by(&self, phone: &str, count: usize) {
        self.until(|people| people.messages.get(phone).map_or(0, Vec::len) >= count).await;
    }

    /// Waits until there were so many messages.
    pub(crate) async fn until_heard(&self, count: usize) {
        self.until(|people| people.count >= count).await;
    }

    async fn until(&self, is_so: impl Fn(&People) -> bool) {
        loop {
            let news = self.heard.news.notified();
            let mut news = std::pin::pin!(news);
            // Told from now on, so that nothing falls between the look and the wait.
            news.as_mut().enable();
            if is_so(&self.heard.people.lock().unwrap_or_else(PoisonError::into_inner)) {
                return;
            }
            news.await;
        }
    }
}

async fn take(State(heard): State<Arc<Heard>>, Json(body): Json<Value>) -> Json<Value> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (to, id) = (word(&body["to"]), word(&body["biz_opaque_callback_data"]));
    let text = word(&body["text"]["body"]);
    {
        let mut people = heard.people.lock().unwrap_or_else(PoisonError::into_inner);
        let messages = people.messages.entry(to.clone()).or_default();
        if messages.iter().any(|(known, _)| *known == id) {
            *people.repeats.entry(to.clone()).or_default() += 1;
        } else {
            messages.push((id.clone(), text));
            people.count += 1;
        }
    }
    heard.news.notify_waiters();
    Json(
        json!({"messaging_product": "whatsapp", "contacts": [{"input": to, "wa_id": to}], "messages": [{"id": format!("wamid.{id}")}]}),
    )
}
