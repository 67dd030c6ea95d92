//! Conversation flows as a library: a host hands in triggers and messages, `chatflow` remembers
//! where each conversation is, says what to send, and keeps its promises across crashes,
//! duplicates and races.
//!
//! ```
//! use chatflow::{Channel, Engine, Inbound, MemoryStore, Receipt, SendError, TriggerRequest, send_fn};
//!
//! const FLOW: &str = r#"{"spec": 1, "code": "hello", "name": "Hello", "trigger": {"kind": "manual"},
//!     "settings": {"sender": {"channel": "whatsapp", "account": "+15550100"}},
//!     "nodes": [{"id": "start", "kind": "start"},
//!               {"id": "hi", "kind": "send_message", "text": "Hi {{context.name}}, how are you?"},
//!               {"id": "wait", "kind": "wait_reply", "timeout": "10m"},
//!               {"id": "bye", "kind": "send_message", "text": "{{reply.text}}? Good to hear!"}],
//!     "edges": [{"from": "start", "to": "hi"}, {"from": "hi", "to": "wait"}, {"from": "wait", "to": "bye"}]}"#;
//!
//! fn main() -> Result<(), chatflow::Error> {
//!     let transport = send_fn(|message| async move {
//!         println!("< {}", message.text());
//!         Ok::<_, SendError>(Receipt::new())
//!     });
//!     let bot = Engine::builder(MemoryStore::new()).transport(transport).build();
//!     pollster::block_on(async {
//!         bot.flows().ensure(FLOW).await?;
//!         let ada = TriggerRequest::new("hello").phone("+14155550123").context(serde_json::json!({"name": "Ada"}));
//!         let _ = bot.trigger(ada).await?; // < Hi Ada, how are you?
//!         let _ = bot.receive(Inbound::text(Channel::WhatsApp, "+15550100", "+14155550123", "Fine")).await?; // < Fine? Good to hear!
//!         Ok(())
//!     })
//! }
//! ```
//!
//! # Three nouns
//!
//! - A [`Flow`] is a graph of nodes and edges, read from JSON, checked and compiled. All that it
//!   may say is in [`flow`], the reference of the file.
//! - A [`Session`] is one run of a flow with one contact. It runs until it has to wait: for a
//!   reply, a point in time, an answer of the host.
//! - A [`Conversation`](session::Conversation) is everything about one contact: its live sessions,
//!   the messages still to be sent, the ids of messages seen lately. It is one record, and changes
//!   by one compare-and-swap; so whatever must hold per contact does.
//!
//! ```text
//!  trigger, receive, complete, tick
//!        │
//!        ▼
//!   load ──► decide ──► commit ──► deliver ──► settle
//!   record   pure       record,    messages,   watermark
//!   + key    kernel     key,       in order
//!                       outbox
//! ```
//!
//! [`kernel::advance`] is the pure function in the middle: no clock, no randomness, no I/O.
//!
//! # By task
//!
//! **Serve it with axum.** The engine is the state of the web server: cheap to clone, each call a
//! future that may be dropped. `examples/service` is a whole service to start from.
//!
//! ```
//! use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
//! use chatflow::{Engine, MemoryStore, TriggerRequest, Triggered};
//!
//! #[derive(serde::Deserialize)]
//! struct Start { flow: String, phone: String, event: String, context: serde_json::Value }
//!
//! async fn start(State(bot): State<Engine<MemoryStore>>, Json(body): Json<Start>) -> (StatusCode, String) {
//!     let request = TriggerRequest::new(body.flow).phone(body.phone).context(body.context).uuid(body.event);
//!     match bot.trigger(request).await {
//!         Ok(Triggered::Started(session)) => (StatusCode::CREATED, session.session_id.to_string()),
//!         Ok(Triggered::AlreadyRunning(session)) => (StatusCode::OK, session.session_id.to_string()),
//!         Ok(Triggered::Discarded | Triggered::Refused(_)) => (StatusCode::CONFLICT, "not now".to_owned()),
//!         Err(error) => {
//!             let status = StatusCode::from_u16(error.http_status());
//!             (status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), error.to_string())
//!         }
//!     }
//! }
//!
//! fn routes(bot: Engine<MemoryStore>) -> Router {
//!     Router::new().route("/start", post(start)).with_state(bot)
//! }
//! # let _ = routes(Engine::builder(MemoryStore::new()).build());
//! ```
//!
//! **Speak to WhatsApp.** A webhook's body becomes calls of the engine, a message the body of a
//! request; [`wire::whatsapp`] has both. The host checks the signature and makes the request.
//!
//! ```
//! use chatflow::wire::whatsapp::{CloudBody, WebhookReader, WhatsAppEvent, acknowledged};
//! use chatflow::{Engine, MemoryStore, Outbound, Receipt, SendError};
//!
//! async fn webhook(bot: &Engine<MemoryStore>, body: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
//!     for news in WebhookReader::default().read(body)? {
//!         match news.event {
//!             WhatsAppEvent::Inbound(message) => drop(bot.receive(*message).await?),
//!             WhatsAppEvent::Report { message, report, .. } => drop(bot.report(message, report).await?),
//!             WhatsAppEvent::Relink { old, new } => bot.relink(&old, &new).await?,
//!             _ => {}
//!         }
//!     }
//!     Ok(())
//! }
//!
//! /// `post` is your HTTP client: status and body of the answer.
//! async fn send(message: &Outbound, post: impl AsyncFn(Vec<u8>) -> (u16, Vec<u8>)) -> Result<Receipt, SendError> {
//!     let body = serde_json::to_vec(&CloudBody::of(message)?).map_err(SendError::rejected)?;
//!     let (status, answer) = post(body).await;
//!     acknowledged(message, status, None, &answer)
//! }
//! ```
//!
//! **Run it, and shut it down.** One loop per process handles what falls due. It finishes what it
//! has begun and returns once `stop` is ready.
//!
//! ```
//! # use std::time::Duration;
//! # use chatflow::{Engine, MemoryStore};
//! async fn work(bot: Engine<MemoryStore>, stop: impl Future) {
//!     // `stop` may be `tokio::signal::ctrl_c()`.
//!     bot.run_until(stop, Duration::from_secs(1), tokio::time::sleep).await;
//! }
//! ```
//!
//! **Observe it.** An observer hears of everything once it is committed; the features `metrics`
//! and `tracing` each bring one.
//!
//! ```
//! use chatflow::observer::EventKind;
//! use chatflow::{Engine, Event, MemoryStore, Observer};
//!
//! struct Alerts;
//!
//! impl Observer for Alerts {
//!     fn observe(&self, event: &Event) {
//!         if let EventKind::DeadLettered { message } = &event.kind {
//!             eprintln!("message {message} to contact {} was given up", event.contact);
//!         }
//!     }
//! }
//!
//! let bot = Engine::builder(MemoryStore::new()).observer(Alerts).build();
//! # let _ = bot;
//! ```
//!
//! **Test a flow in CI.** With the feature `testkit` a test holds the conversation, and moves its
//! clock; the guide [`docs/testing.md`] continues from here.
//!
//! ```
//! # fn main() -> Result<(), chatflow::Error> {
//! # #[cfg(feature = "testkit")] {
//! use chatflow::testkit::Scenario;
//! # const FLOW: &str = r#"{"spec": 1, "code": "hello", "trigger": {"kind": "manual"},
//! #     "settings": {"sender": {"channel": "whatsapp", "account": "+15550100"}},
//! #     "nodes": [{"id": "start", "kind": "start"},
//! #               {"id": "hi", "kind": "send_message", "text": "Hi {{context.name}}, how are you?"},
//! #               {"id": "wait", "kind": "wait_reply"},
//! #               {"id": "bye", "kind": "send_message", "text": "{{reply.text}}? Good to hear!"}],
//! #     "edges": [{"from": "start", "to": "hi"}, {"from": "hi", "to": "wait"}, {"from": "wait", "to": "bye"}]}"#;
//!
//! let ada = || Scenario::new(FLOW)?.context(serde_json::json!({"name": "Ada"})).start();
//! ada()?.hears("Hi Ada, how are you?").says("Fine").hears("Fine? Good to hear!").is_completed();
//! ada()?.hears("Hi Ada, …").passes("31m").is_expired();
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! **Choose a store.**
//!
//! | conversations | store |
//! |---|---|
//! | may end with the process | [`MemoryStore`] |
//! | outlive it, on one machine | `SqliteStore` of the package `chatflow-sqlite`: one file |
//! | are shared by several machines | `PostgresStore` of the package `chatflow-postgres` |
//! | live in your own database | [`store::Row`] has the rules of one conversation, [`store::sql`] what stores with columns share, `testkit::store_suite` the contract as tests; `examples/own_store.rs` is a whole one |
//!
//! A store whose type the configuration chooses is a [`DynStore`](store::DynStore):
//!
//! ```
//! use chatflow::store::DynStore;
//! use chatflow::{Engine, MemoryStore};
//!
//! let store = match std::env::var("DATABASE_URL") {
//!     // Ok(url) => DynStore::new(PostgresStore::connect(&url, NoTls).await?),
//!     _ => DynStore::new(MemoryStore::new()),
//! };
//! let bot = Engine::builder(store).build();
//! # let _ = bot;
//! ```
//!
//! **Write your own store.** Per contact a store keeps one value; [`store::Row`] judges a commit,
//! and the store writes what it left in one transaction:
//!
//! ```
//! use chatflow::store::{Commit, Committed, KeyRecord, Row};
//!
//! /// `row` and `key` are what the transaction has read. It is written unless it was refused.
//! fn commit(row: &mut Row, key: Option<&KeyRecord>, commit: &Commit) -> Committed {
//!     row.commit(commit, key, |alias| { let _ = alias; None }) // who has this alias already
//! }
//! ```
//!
//! The guide is [`docs/own-store.md`]; `store_suite!` of the feature `testkit` then tries every
//! rule.
//!
//! **Run many engines.** Engines in any number of tasks, processes and machines share a store:
//! there is no leader, and nothing to assign. Clones of an engine are one engine;
//! [`in_workspace`](Engine::in_workspace) gives a handle for another tenant.
//!
//! ```
//! # use chatflow::{Engine, MemoryStore};
//! let store = std::sync::Arc::new(MemoryStore::new());
//! let (web, worker) = (Engine::builder(store.clone()).build(), Engine::builder(store).build());
//! let tenant = web.in_workspace("acme");
//! # let _ = (worker, tenant);
//! ```
//!
//! # Who owns what
//!
//! | the host | the crate |
//! |---|---|
//! | storage: a [`ConversationStore`](store::ConversationStore), one of those that are here or its own | what is stored, and when |
//! | sending: a [`Transport`] | what is sent, in which order, how often, under which id |
//! | answering calls: [`Calls`] | when they are made, their time-out, that a result counts once |
//! | time and ids: [`Clock`] and [`Ids`], with defaults | TTL, deadlines, expiry |
//! | the runtime: none is needed, any will do | futures that are `Send` and may be dropped at any point |
//!
//! # Time, ids, delivery
//!
//! **Time.** Deadlines are fields of the record. [`Engine::tick`] works what is due;
//! [`Engine::run`] is the loop around it. A missed tick costs latency only: every call first
//! applies what is due for its contact, each thing at its own time.
//!
//! **Ids.** A trigger with a [`uuid`](TriggerRequest::uuid) and a message with an
//! [`id`](Inbound::id) may be handed in again after a failure: the first answer comes again, and
//! nothing happens twice. Ids of messages to the contact are derived from session and sequence, so
//! that a receiver can recognise a repeat.
//!
//! **Delivery.** Nothing is sent before it is committed. After that each message is handed over at
//! least once, in order per destination, always under the same id; what cannot be delivered ends
//! as a dead letter, listed by [`Engine::dead_letters`].
//!
//! # Where to look
//!
//! | for | see |
//! |---|---|
//! | the rules by which every call answers, by number | [`semantics`] |
//! | what a flow file may say, each kind of node with its JSON | [`flow`] |
//! | what may be wrong with one, and how it is fixed | [`flow::IssueCode`] |
//! | flows to start from | [`flow::gallery`] |
//! | a flow tried out by its author, without sending anything | [`ops::Rehearsal`] |
//! | such a rehearsal as a text to read, write and run again | [`talk`] |
//! | tests of flows: talks as tests, conversations in code, coverage | the guide [`docs/testing.md`] |
//! | a flow written by a model of the host | [`flow::draft`] |
//! | drafts, publishing, accounts, roll-back | [`Flows`] |
//! | what a flow asks the host | [`CallRequest`] |
//! | keywords for every flow; handing over to people | [`flow::Keywords`]; [`Engine::handoff`], [`Engine::resume_from_handoff`] |
//! | why a session went where it went; what all did | [`Engine::journal`]; [`Engine::node_counts`], [`Engine::node_errors`] |
//! | pictures, with a path or as a heat map; where everything lies, for a canvas | [`diagram::Diagram`] |
//! | what was not delivered; another version; forgetting somebody | [`Engine::dead_letters`]; [`Engine::migrate`]; [`Engine::erase`] |
//! | conversations that outlive the process | the packages `chatflow-sqlite` and `chatflow-postgres`, and the guide [`docs/storage.md`] |
//! | how fast messages leave, for channels with rate limits | [`Builder::pace`], [`pace::Pace`], [`pace::Rate`] |
//! | the JSON of the APIs of Qyvo, Alibaba and GPTBots, and of WhatsApp's Cloud API | [`wire`] |
//! | shutting down, watching, scaling out, deploying | the guide [`docs/operate.md`] |
//!
//! `examples/` has a program for each idea. Citations such as [SEMANTICS T5](crate::semantics#t5)
//! are rules of [`semantics`], the contract of behaviour; the tests carry them too.
//!
//! # The path of a call
//!
//! A call is checked for its form; the engine takes the time, a snapshot of the flows and a place
//! in the contact's queue. The [store](store::ConversationStore::update) loads the conversation and
//! lends it to the decision, which is pure: it recognises a repeat, looks whether the versions are
//! there, applies what was due, does what was asked, turn by turn, and leaves what is to be
//! written and sent. Then the store commits all of it or none; if another writer was faster, it
//! is decided again. Only after the commit is anything sent, under a lease of the conversation, and
//! settled. A turn alone, without engine and store, is [`kernel::advance`].
//!
//! # What it does not do
//!
//! It speaks to no channel or database, reads no webhook, makes no HTTP request and starts no
//! thread; database adapters are separate packages. It does not verify webhooks: rejecting a forged
//! message is up to the host. Contacts' values are data: never a template, an expression or
//! a pattern.
//!
//! # Types of other crates
//!
//! [`clock`] re-exports `DateTime`, `TimeDelta` and `Utc` of `chrono` 0.4, and [`id`] the `Uuid` of
//! `uuid` 1, for hosts that name them. `Value` is that of `serde_json` 1. The adapters re-export
//! their drivers.
//!
//! # Features
//!
//! On by default; a build without one refuses the flows that need it, each at the field that does
//! ([SEMANTICS C](crate::semantics#c)), and leaves alone the sessions of such flows
//! ([S14](crate::semantics#s14)):
//!
//! - `phone-numbers`: telephone numbers found in texts, by `recognize_phone` and
//!   `recognize_entities`. Addresses of contacts and answers of the kind `phone` need none of it.
//! - `time-zones`: the IANA database for `open_hours`. `UTC`, `Etc/GMT+5` and offsets such as
//!   `+05:30` need none of it.
//!
//! Off by default:
//!
//! - `js`: clock and ids for a page, a worker or any other JavaScript host. A build for
//!   `wasm32-unknown-unknown`, which has neither, needs it; elsewhere it changes nothing.
//! - `schema`: `flow::schema()`, the JSON Schema of a flow file. `flow.schema.json` beside the
//!   manifest is its text.
//! - `tracing`: `TracingObserver`, an observer that writes events to `tracing`, and spans around
//!   calls, deliveries and host calls.
//! - `metrics`: `MetricsObserver`, an observer that feeds the facade `metrics`; the names are in
//!   the guide [`docs/metrics.md`].
//! - `testkit`: doubles for a host's own tests, and `store_suite`, the contracts of stores as
//!   tests.
//!
//! [`docs/metrics.md`]: https://docs.rs/crate/chatflow/latest/source/docs/metrics.md
//! [`docs/operate.md`]: https://docs.rs/crate/chatflow/latest/source/docs/operate.md
//! [`docs/own-store.md`]: https://docs.rs/crate/chatflow/latest/source/docs/own-store.md
//! [`docs/storage.md`]: https://docs.rs/crate/chatflow/latest/source/docs/storage.md
//! [`docs/testing.md`]: https://docs.rs/crate/chatflow/latest/source/docs/testing.md

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(clippy::print_stdout, clippy::print_stderr)]

#[doc = include_str!("../docs/semantics.md")]
pub mod semantics {}

pub mod id;

mod digits;

mod grapheme;

mod hex;

mod gather;
mod list;

pub mod limits;

mod channel;

pub mod address;

pub mod value;

pub mod clock;

pub mod flow;

pub mod error;

pub mod pace;

pub mod session;

pub mod calls;

pub mod observer;

mod request;

pub mod kernel;

pub mod store;

mod transport;

pub mod talk;

mod engine;

pub mod ops;

pub mod wire;

pub mod diagram;

#[cfg(feature = "testkit")]
pub mod testkit;

// The engine, and what it is asked.
#[doc(inline)]
pub use engine::{Builder, Engine, Flows};
#[doc(inline)]
pub use request::{Inbound, TriggerRequest};
// Its answers.
#[doc(inline)]
pub use kernel::{Received, Refusal, SessionRef, Triggered};
#[doc(inline)]
pub use ops::{Completed, Ticked};
// The ports, which a host implements or takes from here.
#[doc(inline)]
pub use calls::{CallRequest, CallResult, Calls, call_fn};
#[doc(inline)]
pub use clock::{Clock, Ids};
#[doc(inline)]
pub use observer::{Event, Observer};
#[doc(inline)]
pub use store::MemoryStore;
#[doc(inline)]
pub use transport::{Receipt, Transport, send_fn};
// Flows and sessions, and the messages that a transport is handed.
#[doc(inline)]
pub use address::{Account, Address, Channel};
#[doc(inline)]
pub use flow::Flow;
#[doc(inline)]
pub use session::{Content, Outbound, Session, Status};
// Names of things, and what goes wrong.
#[doc(inline)]
pub use error::{CallError, Error, SendError, StoreError};
#[doc(inline)]
pub use id::{ContactId, FlowId, MessageId, SessionId, WorkspaceId};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../docs/operate.md")]
struct Operate;
