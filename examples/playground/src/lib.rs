//! The engine in a page. Two objects cross to JavaScript: a [`Desk`], where flows are kept,
//! checked and published, and a [`Talk`], in which one of them is tried out with contacts, a clock
//! and a host that are all the author's. Everything crosses as JSON.

#![forbid(unsafe_code)]

mod answer;
mod author;
mod crowd;
mod desk;
mod hearing;
mod replay;
mod script;
mod stage;
mod talk;
mod view;

use serde_json::{Value, json};
use wasm_bindgen::prelude::wasm_bindgen;

use answer::Outcome;

/// The flows of this page, with the states that a service has: drafts, versions, accounts.
#[wasm_bindgen]
pub struct Desk(desk::Desk);

#[wasm_bindgen]
impl Desk {
    /// An empty one.
    #[wasm_bindgen(constructor)]
    #[must_use]
    #[allow(clippy::new_without_default, reason = "JavaScript has no defaults")]
    pub fn new() -> Self {
        Self(desk::Desk::new())
    }

    /// Does something with flows: `request` is `{"do": WORD, …}`. Answers `{"ok": …}` or
    /// `{"error": {"code", "message", "issues"}}`.
    #[must_use]
    pub fn act(&self, request: &str) -> String {
        answer::of(request, |request| self.0.act(request))
    }
}

/// A flow that is tried out.
#[wasm_bindgen]
pub struct Talk(talk::Talk);

#[wasm_bindgen]
impl Talk {
    /// Begins with `{"flow": TEXT, "others": [TEXT], "now": MILLISECONDS}`.
    ///
    /// # Errors
    /// As [`Desk::act`] answers them.
    #[wasm_bindgen(constructor)]
    pub fn new(request: &str) -> Result<Self, String> {
        let opened = serde_json::from_str::<Value>(request).map_err(answer::bad_json);
        match opened.and_then(|request| talk::Talk::open(&request)) {
            Ok(talk) => Ok(Self(talk)),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Does something, `{"do": WORD, …}`, and answers with everything as it is then.
    #[must_use]
    pub fn act(&mut self, request: &str) -> String {
        answer::of(request, |request| self.0.act(request))
    }
}

/// The issues of a flow.
#[wasm_bindgen]
#[must_use]
pub fn check(flow: &str) -> String {
    author::check(flow).to_string()
}

/// The branches of one node, and the one that an edge leaves by which names none; null if it cannot
/// be read.
#[wasm_bindgen]
#[must_use]
pub fn ports(node: &str) -> String {
    author::ports(node).to_string()
}

/// Where boxes lie: `{"nodes": [[ID, WIDTH, HEIGHT]], "ways": [[FROM, BRANCH, TO]]}`.
#[wasm_bindgen]
#[must_use]
pub fn arrange(request: &str) -> String {
    answer::of(request, author::arrange)
}

/// The value of a text or an expression, or the messages of a node:
/// `{"text" | "expr" | "node", "channel", "context", "vars"}`.
#[wasm_bindgen]
#[must_use]
pub fn preview(request: &str) -> String {
    answer::of(request, author::preview)
}

/// A flow as a picture.
#[wasm_bindgen]
#[must_use]
pub fn picture(flow: &str) -> String {
    answer::of("{}", |_| author::picture(flow))
}

/// A flow from a description, by a model of the author's: `{"requirement"}` answers with what to
/// ask it behind the guide, `{"requirement", "answer"}` with the flow, or with what to ask next.
#[wasm_bindgen]
#[must_use]
pub fn draft(request: &str) -> String {
    answer::of(request, author::draft)
}

/// A recorded talk against a flow: `{"flow", "others", "talk", "at"}`.
#[wasm_bindgen]
#[must_use]
pub fn replay(request: &str) -> String {
    answer::of(request, replay::replay)
}

/// Many made-up contacts talk to a flow: `{"flow", "others", "context", "talks", "seed"}`.
#[wasm_bindgen]
#[must_use]
pub fn rehearse(request: &str) -> String {
    answer::of(request, crowd::rehearse)
}

/// A page that draws ids for sessions: shown so that a test can see that they do not repeat.
#[wasm_bindgen]
#[must_use]
pub fn mint() -> String {
    use chatflow::clock::{Clock, Ids, RandomIds, SystemClock};
    let (clock, now) = (SystemClock.elapsed().as_millis(), SystemClock.now());
    json!({"id": RandomIds::new().mint(now), "now": now.timestamp_millis(), "elapsed": clock as u64})
        .to_string()
}

type Answered = Result<Value, Outcome>;
