//! One conversation, the abandoned cart: a trigger, "hello", "1"; three calls and three messages.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::channel::Channel;
use crate::process::{APP_SECRET, TOKEN};

/// Messages of one talk.
pub(crate) const TEXTS: usize = 3;
/// Longest time that a message may take, kills included.
const PATIENCE: Duration = Duration::from_secs(90);

/// The telephone number of a talk.
pub(crate) fn phone(number: usize) -> String {
    format!("+1415{number:07}")
}

/// The texts that its contact is to hear.
pub(crate) fn texts(number: usize) -> Vec<String> {
    vec![
        format!("Hi Ada, your cart {number} totals 129.00. Reply 1 to check out or 2 for an agent."),
        "Sorry, please answer 1 or 2.".to_owned(),
        format!("Checkout: https://shop.example/c/{number}"),
    ]
}

/// The calls of all talks.
pub(crate) struct Caller {
    client: Client,
    url: String,
    /// True if the service may be away for a while: then calls are repeated.
    insists: bool,
    times: Mutex<Vec<Duration>>,
    retries: AtomicUsize,
}

impl Caller {
    pub(crate) fn new(url: &str, insists: bool) -> Result<Self, reqwest::Error> {
        let client = Client::builder().timeout(Duration::from_secs(20)).build()?;
        let url = url.to_owned();
        Ok(Self { client, url, insists, times: Mutex::default(), retries: AtomicUsize::new(0) })
    }

    pub(crate) fn times(&self) -> Vec<Duration> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn retries(&self) -> usize {
        self.retries.load(Ordering::Relaxed)
    }

    /// Makes a call, again and again where that is allowed. Each is safe to repeat by its key.
    async fn call(&self, request: impl Fn() -> RequestBuilder) -> Result<(u16, Value), String> {
        let begun = Instant::now();
        loop {
            let once = Instant::now();
            let answer = match request().send().await {
                Ok(answer) => {
                    let status = answer.status().as_u16();
                    answer.json::<Value>().await.map(|body| (status, body)).map_err(|error| error.to_string())
                }
                Err(error) => Err(error.to_string()),
            };
            let may_pass = matches!(&answer, Err(_) | Ok((429 | 503 | 408, _)));
            if !may_pass || !self.insists || begun.elapsed() > PATIENCE {
                self.times.lock().unwrap_or_else(PoisonError::into_inner).push(once.elapsed());
                return answer;
            }
            self.retries.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn trigger(&self, number: usize) -> Result<(), String> {
        let context = json!({"first_name": "Ada", "cart_id": number.to_string(), "cart_total": "129.00"});
        let body = json!({"flow_id": "abandoned-cart", "phone": phone(number), "context": context});
        let request = || {
            let request = self.client.post(format!("{}/api/v1/actions/trigger-flow", self.url));
            request.bearer_auth(TOKEN).header("Idempotency-Key", format!("cart-{number}")).json(&body)
        };
        match self.call(request).await? {
            (201, body) if body["status"] == "started" => Ok(()),
            (status, body) => Err(format!("the trigger answered {status} {body}")),
        }
    }

    async fn say(&self, number: usize, place: usize, text: &str) -> Result<(), String> {
        let number_there = phone(number).trim_start_matches('+').to_owned();
        let at = chrono::Utc::now().timestamp().to_string();
        let message = json!({"from": number_there, "id": format!("wamid.{number}.{place}"), "timestamp": at,
            "type": "text", "text": {"body": text}});
        let value = json!({"messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550100", "phone_number_id": "1"},
            "contacts": [{"profile": {"name": "Ada"}, "wa_id": number_there}], "messages": [message]});
        let body = json!({"object": "whatsapp_business_account",
            "entry": [{"id": "1", "changes": [{"value": value, "field": "messages"}]}]})
        .to_string();
        let signed = signature(&body);
        let request = || {
            let request = self.client.post(format!("{}/webhooks/whatsapp", self.url));
            request
                .header("X-Hub-Signature-256", &signed)
                .header("Content-Type", "application/json")
                .body(body.clone())
        };
        match self.call(request).await? {
            (200, body) if body["consumed"] == 1 || (self.insists && body["duplicate"] == 1) => Ok(()),
            (status, body) => Err(format!("the webhook answered {status} {body}")),
        }
    }
}

fn signature(body: &str) -> String {
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(APP_SECRET.as_bytes()) else { return String::new() };
    let digest = mac.chain_update(body.as_bytes()).finalize().into_bytes();
    format!("sha256={}", chatflow_service::tokens::hex(&digest))
}

/// One conversation.
pub(crate) struct Talk {
    number: usize,
    channel: Arc<Channel>,
    caller: Arc<Caller>,
}

impl Talk {
    pub(crate) fn new(number: usize, channel: Arc<Channel>, caller: Arc<Caller>) -> Self {
        Self { number, channel, caller }
    }

    /// Talks to the end. Answers how long it took.
    pub(crate) async fn run(self) -> Result<Duration, String> {
        let begun = Instant::now();
        self.caller.trigger(self.number).await?;
        self.hears(1).await?;
        self.caller.say(self.number, 1, "hello").await?;
        self.hears(2).await?;
        self.caller.say(self.number, 2, "1").await?;
        self.hears(3).await?;
        Ok(begun.elapsed())
    }

    async fn hears(&self, count: usize) -> Result<(), String> {
        let phone = phone(self.number);
        let heard = self.channel.until_heard_by(&phone, count);
        match tokio::time::timeout(PATIENCE, heard).await {
            Ok(()) => Ok(()),
            Err(_) => Err(format!("{phone} did not hear message {count}")),
        }
    }
}
