//! The kit of the tests of rules: flows in a few words, and an engine in a world whose time, ids
//! and channel are the test's.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use chatflow::calls::{Answer, Call};
use chatflow::observer::EventKind;
use chatflow::ops::{DeadLetterEntry, FlowStatus, SessionFilter};
use chatflow::session::Contact;
use chatflow::store::{JournalEntry, SessionRecord};
use chatflow::testkit::{CountingIds, ManualClock, Recorder};
use chatflow::{
    Account, Builder, CallError, Channel, Clock, ContactId, Engine, Error, Event, FlowId, Flows, Inbound,
    Observer, Received, SendError, Session, SessionId, SessionRef, Status, Transport, TriggerRequest,
    Triggered, call_fn,
};
use chrono::{DateTime, TimeDelta, Utc};
use pollster::block_on;
use serde_json::{Value, json};

use crate::watched::Watched;

pub(crate) const SHOP: &str = "+15550100";
pub(crate) const ADA: &str = "+14155550123";
pub(crate) const BOB: &str = "+14155550199";

/// A flow in the making: each node follows the one before it.
#[derive(Clone)]
pub(crate) struct Sketch {
    code: String,
    trigger: Value,
    settings: Value,
    nodes: Vec<Value>,
    edges: Vec<Value>,
}

/// A flow that a call starts, with a sender on WhatsApp.
pub(crate) fn flow(code: &str) -> Sketch {
    Sketch {
        code: code.to_owned(),
        trigger: json!({"kind": "manual"}),
        settings: json!({"sender": {"channel": "whatsapp", "account": SHOP}}),
        nodes: vec![json!({"id": "start", "kind": "start"})],
        edges: Vec::new(),
    }
}

impl Sketch {
    /// With this beside the sender in the settings.
    pub(crate) fn set(mut self, key: &str, value: Value) -> Self {
        self.settings[key] = value;
        self
    }

    /// Without this in the settings.
    pub(crate) fn unset(mut self, key: &str) -> Self {
        self.settings.as_object_mut().unwrap().remove(key);
        self
    }

    /// Started by messages on WhatsApp that match one of these rules.
    pub(crate) fn on(mut self, rules: Value) -> Self {
        self.trigger = json!({"kind": "inbound", "channel": "whatsapp", "rules": rules});
        self
    }

    /// The same under another code.
    pub(crate) fn coded(mut self, code: &str) -> Self {
        self.code = code.to_owned();
        self
    }

    /// With this in its trigger.
    pub(crate) fn trigger(mut self, key: &str, value: Value) -> Self {
        self.trigger[key] = value;
        self
    }

    /// With this in its start node.
    pub(crate) fn start(mut self, key: &str, value: Value) -> Self {
        self.nodes[0][key] = value;
        self
    }

    /// A node after the one before.
    pub(crate) fn node(mut self, id: &str, kind: &str, fields: Value) -> Self {
        let from = self.nodes.last().unwrap()["id"].clone();
        self.edges.push(json!({"from": from, "to": id}));
        self.apart(id, kind, fields)
    }

    /// A node that no edge leads to yet.
    pub(crate) fn apart(mut self, id: &str, kind: &str, mut fields: Value) -> Self {
        fields["id"] = id.into();
        fields["kind"] = kind.into();
        self.nodes.push(fields);
        self
    }

    pub(crate) fn send(self, id: &str, text: &str) -> Self {
        self.node(id, "send_message", json!({"text": text}))
    }

    /// A wait for as long as the session lives.
    pub(crate) fn wait(self, id: &str) -> Self {
        self.node(id, "wait_reply", json!({}))
    }

    pub(crate) fn wait_for(self, id: &str, timeout: &str) -> Self {
        self.node(id, "wait_reply", json!({"timeout": timeout}))
    }

    pub(crate) fn delay(self, id: &str, span: &str) -> Self {
        self.node(id, "delay", json!({"for": span}))
    }

    pub(crate) fn edge(mut self, from: &str, branch: &str, to: &str) -> Self {
        self.edges.push(json!({"from": from, "branch": branch, "to": to}));
        self
    }

    pub(crate) fn id(&self) -> FlowId {
        id(&self.code)
    }

    pub(crate) fn json(&self) -> String {
        json!({
            "spec": 1, "code": self.code, "name": self.code, "trigger": self.trigger,
            "settings": self.settings, "nodes": self.nodes, "edges": self.edges,
        })
        .to_string()
    }
}

/// Asks once, and waits for the answer.
pub(crate) fn question(code: &str) -> Sketch {
    flow(code).send("ask", "How are you?").wait("wait").send("bye", "{{reply.text}}!")
}

/// A world with one engine.
pub(crate) struct World {
    pub(crate) bot: Engine<Watched>,
    pub(crate) clock: ManualClock,
    pub(crate) channel: Recorder,
    events: Events,
    calls: Calls,
}

/// Keeps what it sees.
#[derive(Clone, Default)]
struct Events(Arc<Mutex<Vec<Event>>>);

impl Observer for Events {
    fn observe(&self, event: &Event) {
        // SEMANTICS E2: of a session that is over a conversation may hold nothing any more.
        let is_known = !matches!(event.kind, EventKind::Received { .. } | EventKind::Reported { .. });
        let is_named = event.flow.is_some() && event.version.is_some();
        assert!(event.session.is_none() || !is_known || is_named, "{event:?}");
        self.0.lock().unwrap().push(event.clone());
    }
}

type Answers = Vec<Result<Answer, CallError>>;

/// The host's side of calls: what was asked, and what is to be answered, `Later` when nothing else
/// is.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<(Vec<Call>, Answers)>>);

impl World {
    pub(crate) fn new() -> Self {
        Self::built(|builder| builder)
    }

    pub(crate) fn built(with: impl FnOnce(Builder<Watched>) -> Builder<Watched>) -> Self {
        let channel = Recorder::new();
        Self::sending(channel.clone(), channel, with)
    }

    /// A world whose messages leave by another transport than the recorder.
    pub(crate) fn sending(
        transport: impl Transport + 'static,
        channel: Recorder,
        with: impl FnOnce(Builder<Watched>) -> Builder<Watched>,
    ) -> Self {
        let (clock, events, calls) = (ManualClock::default(), Events::default(), Calls::default());
        let host = calls.clone();
        let builder = Engine::builder(Watched::new())
            .transport(transport)
            .calls(call_fn(move |call: Call| {
                let mut host = host.0.lock().unwrap();
                host.0.push(call);
                let answer = if host.1.is_empty() { Ok(Answer::Later) } else { host.1.remove(0) };
                async move { answer }
            }))
            .clock(clock.clone())
            .ids(CountingIds::new())
            .observer(events.clone());
        Self { bot: with(builder).build(), clock, channel, events, calls }
    }

    /// With these flows online; those that messages start are bound to the shop's WhatsApp account.
    pub(crate) fn with(flows: impl IntoIterator<Item = Sketch>) -> Self {
        let world = Self::new();
        world.publish(flows);
        world
    }

    pub(crate) fn publish(&self, flows: impl IntoIterator<Item = Sketch>) {
        for sketch in flows {
            let flow = id(&sketch.code);
            block_on(self.flows().import(&sketch.json())).unwrap();
            let manual = sketch.trigger["kind"] == "manual";
            if !manual && block_on(self.flows().get(&flow)).unwrap().unwrap().online.is_none() {
                block_on(self.flows().bind(&flow, [account(SHOP)])).unwrap();
            }
            block_on(self.flows().publish(&flow)).unwrap();
        }
    }

    pub(crate) fn flows(&self) -> Flows<'_, Watched> {
        self.bot.flows()
    }

    pub(crate) fn status(&self, flow: &str) -> FlowStatus {
        block_on(self.flows().get(&id(flow))).unwrap().unwrap()
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Moves the clock on, and does nothing else.
    pub(crate) fn pass(&self, span: TimeDelta) {
        self.clock.advance(span);
    }

    /// Ticks until nothing is due.
    pub(crate) fn tick(&self) {
        for _ in 0..100 {
            if block_on(self.bot.tick(100)).unwrap().worked == 0 {
                return;
            }
        }
        panic!("work without end");
    }

    /// Moves the clock on, and ticks.
    pub(crate) fn tick_after(&self, span: TimeDelta) {
        self.pass(span);
        self.tick();
    }

    pub(crate) fn try_trigger(&self, request: TriggerRequest) -> Result<Triggered, Error> {
        block_on(self.bot.trigger(request))
    }

    pub(crate) fn trigger(&self, request: TriggerRequest) -> Triggered {
        self.try_trigger(request).unwrap()
    }

    /// Code and text of the error that a trigger answers.
    pub(crate) fn refusal(&self, request: TriggerRequest) -> (&'static str, String) {
        told(self.try_trigger(request))
    }

    /// Starts a session, and takes care that it is a new one.
    pub(crate) fn begin(&self, request: TriggerRequest) -> SessionRef {
        match self.trigger(request) {
            Triggered::Started(session) if !session.replayed => session,
            other => panic!("not started: {other:?}"),
        }
    }

    /// Starts the flow with Ada.
    pub(crate) fn start(&self, flow: &str) -> SessionRef {
        self.begin(ada(flow))
    }

    pub(crate) fn try_receive(&self, inbound: Inbound) -> Result<Received, Error> {
        block_on(self.bot.receive(inbound))
    }

    pub(crate) fn receive(&self, inbound: Inbound) -> Received {
        self.try_receive(inbound).unwrap()
    }

    /// Ada says something to the shop on WhatsApp.
    pub(crate) fn say(&self, text: &str) -> Received {
        self.receive(says(text))
    }

    /// The texts that left since this was last asked.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.channel.take_texts()
    }

    pub(crate) fn session(&self, session: SessionId) -> Session {
        block_on(self.bot.session(session)).unwrap().unwrap().session().clone()
    }

    pub(crate) fn state(&self, session: SessionId) -> Status {
        self.session(session).status()
    }

    /// Node and status.
    pub(crate) fn place(&self, session: SessionId) -> (String, Status) {
        let session = self.session(session);
        (session.node().to_string(), session.status())
    }

    pub(crate) fn sessions(&self, filter: SessionFilter) -> Vec<SessionRecord> {
        block_on(self.bot.sessions(filter)).unwrap()
    }

    pub(crate) fn journal(&self, session: SessionId) -> Vec<JournalEntry> {
        block_on(self.bot.journal(session)).unwrap()
    }

    pub(crate) fn contact(&self, contact: &ContactId) -> Contact {
        block_on(self.bot.contact(contact)).unwrap().unwrap()
    }

    pub(crate) fn dead_letters(&self) -> Vec<DeadLetterEntry> {
        block_on(self.bot.dead_letters(None)).unwrap()
    }

    pub(crate) fn answer_sends(
        &self,
        answers: impl IntoIterator<Item = Result<chatflow::Receipt, SendError>>,
    ) {
        self.channel.answer(answers);
    }

    pub(crate) fn answer_calls(&self, answers: impl IntoIterator<Item = Result<Answer, CallError>>) {
        self.calls.0.lock().unwrap().1.extend(answers);
    }

    /// The calls that were made so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.0.lock().unwrap().0.clone()
    }

    /// Everything that was observed since this was last asked.
    pub(crate) fn events(&self) -> Vec<Event> {
        std::mem::take(&mut *self.events.0.lock().unwrap())
    }

    /// Events since this was last asked, without what every conversation brings.
    pub(crate) fn notes(&self) -> Vec<EventKind> {
        let is_note = |kind: &EventKind| {
            !matches!(
                kind,
                EventKind::Turn { .. }
                    | EventKind::SessionStarted { .. }
                    | EventKind::SessionEnded { .. }
                    | EventKind::Received { .. }
                    | EventKind::Unmatched
                    | EventKind::Committed
                    | EventKind::Conflict
                    | EventKind::Delivered { .. }
                    | EventKind::SendFailed { .. }
                    | EventKind::CallDone { .. }
            )
        };
        self.events().into_iter().map(|event| event.kind).filter(is_note).collect()
    }
}

/// Code and text of an error.
pub(crate) fn told<T: std::fmt::Debug>(answer: Result<T, Error>) -> (&'static str, String) {
    let error = answer.unwrap_err();
    (error.code(), error.to_string())
}

/// Polls once and drops: a process that stops in the middle.
pub(crate) fn abandon<T>(future: impl Future<Output = T>) {
    let mut context = Context::from_waker(Waker::noop());
    assert!(matches!(pin!(future).poll(&mut context), Poll::Pending), "it was done already");
}

pub(crate) fn id(flow: &str) -> FlowId {
    FlowId::new(flow).unwrap()
}

pub(crate) fn contact_id(contact: &str) -> ContactId {
    ContactId::new(contact).unwrap()
}

pub(crate) fn account(account: &str) -> Account {
    Account::new(Channel::WhatsApp, account).unwrap()
}

/// A trigger for Ada's telephone number.
pub(crate) fn ada(flow: &str) -> TriggerRequest {
    TriggerRequest::new(flow).phone(ADA)
}

/// Ada says something to the shop on WhatsApp.
pub(crate) fn says(text: &str) -> Inbound {
    Inbound::text(Channel::WhatsApp, SHOP, ADA, text)
}

pub(crate) fn seconds(count: i64) -> TimeDelta {
    TimeDelta::seconds(count)
}

pub(crate) fn minutes(count: i64) -> TimeDelta {
    TimeDelta::minutes(count)
}

pub(crate) fn hours(count: i64) -> TimeDelta {
    TimeDelta::hours(count)
}

pub(crate) fn days(count: i64) -> TimeDelta {
    TimeDelta::days(count)
}

pub(crate) const A_MOMENT: TimeDelta = TimeDelta::milliseconds(1);
