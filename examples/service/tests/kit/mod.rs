//! A service as a process of its own, with a database of its own, and a client for it.

#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses what it needs")]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot continue")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The token of the demo workspace.
pub const TOKEN: &str = "cf_demo_0123456789abcdef0123456789abcdef";

/// The endpoint that starts a flow.
pub const TRIGGER: &str = "/api/v1/actions/trigger-flow";

/// A running service.
pub struct Service {
    child: Child,
    pub url: String,
    pub folder: Arc<TempDir>,
    client: Client,
}

/// An answer, read whole.
#[derive(Clone, Debug)]
pub struct Answered {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answered {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Service {
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// With settings in its environment beside the default ones.
    pub fn with(settings: &[(&str, &str)]) -> Self {
        Self::of(Arc::new(tempfile::tempdir().unwrap()), settings, None)
    }

    /// The same, with its log in a file.
    pub fn logged(log: &std::path::Path, settings: &[(&str, &str)]) -> Self {
        Self::of(Arc::new(tempfile::tempdir().unwrap()), settings, Some(log))
    }

    /// Another process on the same database.
    pub fn beside(&self, settings: &[(&str, &str)]) -> Self {
        Self::of(Arc::clone(&self.folder), settings, None)
    }

    fn of(folder: Arc<TempDir>, settings: &[(&str, &str)], log: Option<&std::path::Path>) -> Self {
        let (child, url) = start(&folder, settings, log);
        Self { child, url, folder, client: client() }
    }

    /// Sends bytes as they are on a connection of their own. Returns what comes until it is closed,
    /// and the time that this took.
    pub async fn exchange(&self, bytes: impl Into<Vec<u8>>) -> (String, Duration) {
        let (address, bytes) = (self.url.strip_prefix("http://").unwrap().to_owned(), bytes.into());
        let talk = tokio::task::spawn_blocking(move || {
            let begun = Instant::now();
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            stream.write_all(&bytes).unwrap();
            let mut heard = Vec::new();
            stream.read_to_end(&mut heard).expect("the connection is closed within 20 s");
            (String::from_utf8_lossy(&heard).into_owned(), begun.elapsed())
        });
        talk.await.unwrap()
    }

    /// The command, for its other tasks on the same database.
    pub fn command(&self) -> Command {
        command(&self.folder)
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answered {
        let mut request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(TOKEN);
        if let Some(body) = body {
            request = request.json(&body);
        }
        answered(request).await
    }

    pub async fn get(&self, path: &str) -> Answered {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answered {
        self.send(Method::POST, path, Some(body)).await
    }

    /// A request that is made by hand.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// Publishes a flow, with its journal on.
    pub async fn publish(&self, flow: Value) {
        let code = flow["code"].as_str().unwrap().to_owned();
        let made = self.post("/api/v1/flows", json!({"definition": flow})).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let published = self.post(&format!("/api/v1/flows/{code}/publish"), json!({})).await;
        assert_eq!(published.status, 200, "{}", published.text);
    }

    /// The messages on the console, once there are this many.
    pub async fn shown(&self, count: usize) -> Vec<Value> {
        eventually(async || {
            let shown = self.get("/api/v1/console").await.json();
            let messages = shown["messages"].as_array().unwrap().clone();
            (messages.len() >= count).then_some(messages)
        })
        .await
    }

    /// Ends the process as a supervisor does. Returns its exit code.
    pub fn terminate(&mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(25) {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the process did not end");
    }

    /// Starts another process on the same database, after the first has ended.
    pub fn restart(&mut self, settings: &[(&str, &str)]) {
        (self.child, self.url) = start(&self.folder, settings, None);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(folder: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatflow-service"));
    let database = std::env::var("TEST_DATABASE_URL");
    let file = format!("sqlite:{}", folder.path().join("service.db").display());
    command.env_clear().env("DATABASE_URL", database.unwrap_or(file));
    command
}

fn start(folder: &TempDir, settings: &[(&str, &str)], log: Option<&std::path::Path>) -> (Child, String) {
    let mut command = command(folder);
    command.envs([("LISTEN", "127.0.0.1:0"), ("SERVICE_TOKEN", TOKEN), ("RATE_PER_MINUTE", "0")]);
    command.envs(settings.iter().copied()).stdout(Stdio::piped());
    match log {
        Some(log) => drop(command.stderr(std::fs::File::create(log).unwrap())),
        None if std::env::var_os("SERVICE_LOG").is_some() => {}
        None => drop(command.stderr(Stdio::null())),
    }
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().expect("the service says where it listens").unwrap();
    let url = first.strip_prefix("listening on ").unwrap().to_owned();
    // What else it prints is read, so that it never waits for that.
    std::thread::spawn(move || lines.for_each(drop));
    (child, url)
}

pub fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().timeout(Duration::from_secs(30)).build().unwrap()
}

pub async fn answered(request: reqwest::RequestBuilder) -> Answered {
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Answered { status, headers, text: answer.text().await.unwrap() }
}

/// Asks again until there is an answer, for at most ten seconds.
pub async fn eventually<T>(ask: impl AsyncFn() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "it did not come to pass");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A flow that greets, waits and answers.
pub fn hello(code: &str) -> Value {
    json!({"spec": 1, "code": code, "name": "Hello", "trigger": {"kind": "manual"},
        "settings": {"sender": {"channel": "whatsapp", "account": "+15550100"}},
        "nodes": [{"id": "start", "kind": "start"},
            {"id": "hi", "kind": "send_message", "text": "Hi {{context.name | default('there')}}, how are you?"},
            {"id": "wait", "kind": "wait_reply", "timeout": "10m", "save_to": "mood"},
            {"id": "bye", "kind": "send_message", "text": "{{vars.mood}}? Good to hear!"}],
        "edges": [{"from": "start", "to": "hi"}, {"from": "hi", "to": "wait"}, {"from": "wait", "to": "bye"}]})
}
