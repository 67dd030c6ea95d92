//! Trying a flow out: the engine itself, on a stage where time, channel and host are the author's
//! (SEMANTICS L8). Nothing of it reaches a store, a transport or the host.

mod act;
mod play;
mod stage;

use std::collections::HashMap;
use std::fmt;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use stage::{Stage, StageEvent};

use crate::address::Account;
use crate::calls::{Call, CallRef, CallResult};
use crate::channel::Channel;
use crate::clock::{Clock, SystemClock};
use crate::engine::Engine;
use crate::error::Error;
use crate::flow::{ContactMode, Flow};
use crate::id::{MessageId, NodeId, SessionId};
use crate::kernel::own_choice;
use crate::kernel::{Received, Triggered};
use crate::limits::Limits;
use crate::observer::EventKind;
use crate::request::{Inbound, TriggerRequest};
use crate::session::{Content, Profile, ReplyOption, Session};
use crate::store::{JournalEntry, MemoryStore};
use crate::talk::{self, Act, Line, Transcript};

/// A flow that is tried out: a conversation with a made-up contact, in this process and at once.
///
/// Messages are shown and not sent, the host is asked nothing, nothing is stored, and time passes
/// when it is told to. It needs no executor. Each step answers with the lines that came of it;
/// [`transcript`](Self::transcript) has all.
///
/// ```
/// use chatflow::ops::Rehearsal;
/// use chrono::TimeDelta;
///
/// let mut run = Rehearsal::of(r#"{"spec": 1, "code": "hello", "trigger": {"kind": "manual"},
///     "nodes": [{"id": "start", "kind": "start"},
///               {"id": "ask", "kind": "send_message", "text": "Hi {{ context.name }}, shall we?",
///                "options": [{"id": "yes", "label": "Yes"}, {"id": "no", "label": "No"}]},
///               {"id": "wait", "kind": "wait_reply", "timeout": "30m"},
///               {"id": "bye", "kind": "send_message", "text": "You said {{ reply.payload }}."}],
///     "edges": [{"from": "start", "to": "ask"}, {"from": "ask", "to": "wait"}, {"from": "wait", "to": "bye"}]}"#)?;
/// run.start(serde_json::json!({"name": "Ada"}))?;
/// run.pass(TimeDelta::minutes(10))?;
/// run.choose("yes")?;
/// assert_eq!(run.transcript().to_string(), "\
/// ! context {\"name\":\"Ada\"}
/// < Hi Ada, shall we? [Yes] [No]
/// = waiting at wait
/// @ +10m
/// > [Yes]
/// < You said yes.
/// = completed at bye
/// ");
/// # Ok::<(), chatflow::Error>(())
/// ```
pub struct Rehearsal {
    bot: Engine<MemoryStore>,
    stage: Stage,
    flow: Flow,
    account: Account,
    from: &'static str,
    profile: Option<Profile>,
    transcript: Transcript,
    session: Option<SessionId>,
    offered: Vec<ReplyOption>,
    asked: Vec<Call>,
    beyond: Beyond,
}

/// The memory of a rehearsal, for acts that refer to earlier ones.
#[derive(Default)]
struct Beyond {
    /// The flow as it was published last.
    json: String,
    /// True if the time is the author's choice.
    is_timed: bool,
    /// True if what the flow's check warns of was told.
    is_warned: bool,
    /// The last call and the last message.
    call: Option<CallRef>,
    message: Option<MessageId>,
    /// The token of the last form that was sent.
    token: String,
    /// The channel's id of the contact's next message, and how long it was on its way.
    id: Option<String>,
    age: Option<TimeDelta>,
    /// The sessions as they were shown last.
    shown: HashMap<SessionId, (u32, String)>,
}

impl fmt::Debug for Rehearsal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rehearsal").field("flow", self.flow.id()).finish_non_exhaustive()
    }
}

/// Steps from one due time to the next, while time passes.
const MOST_STEPS: usize = 10_000;

impl Rehearsal {
    /// A flow that is tried out from now on, under the default limits.
    ///
    /// # Errors
    /// `Issues`: what keeps it from running.
    pub fn of(json: &str) -> Result<Self, Error> {
        Self::within(json, &Limits::default(), SystemClock.now())
    }

    pub(in crate::engine) fn within(json: &str, limits: &Limits, now: DateTime<Utc>) -> Result<Self, Error> {
        let flow = Flow::from_json_within(json, limits)?;
        let stage = Stage::new(now);
        let bot = Engine::builder(MemoryStore::new())
            .transport(stage.clone())
            .calls(stage.clone())
            .observer(stage.clone())
            .clock(stage.clone())
            .ids(stage.clone())
            .limits(limits.clone())
            .build();
        let account = account_of(&flow);
        let from = if account.channel.is_phone() { "+14155550123" } else { "tester" };
        let (transcript, offered) = (Transcript::default(), Vec::new());
        let run = Self {
            bot,
            stage,
            flow,
            account,
            from,
            profile: None,
            transcript,
            session: None,
            offered,
            asked: Vec::new(),
            beyond: Beyond { json: json.to_owned(), ..Beyond::default() },
        };
        run.put_online(json, &run.flow)?;
        if run.flow.trigger().needs_campaign() {
            run.reach()?;
        }
        Ok(run)
    }

    /// With another flow beside it, such as one that it calls.
    ///
    /// # Errors
    /// `Issues`: what keeps the other from running.
    pub fn with_flow(self, json: &str) -> Result<Self, Error> {
        let other = Flow::from_json_within(json, &self.bot.ports.limits)?;
        self.put_online(json, &other)?;
        Ok(self)
    }

    /// From another time on than now.
    #[must_use]
    pub fn at(mut self, now: DateTime<Utc>) -> Self {
        self.stage.set(now);
        self.beyond.is_timed = true;
        self
    }

    /// With a contact who has this profile.
    #[must_use]
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.profile = Some(profile);
        self
    }

    /// With a host that answers every call of a function, a kind of node or a node of this name
    /// like this, unless an answer is [given](Self::answer) for it.
    #[must_use]
    pub fn with_call(self, name: &str, result: CallResult) -> Self {
        self.stage.stub(name, result);
        self
    }

    /// Starts the flow as a call does, with this context.
    ///
    /// # Errors
    /// `InvalidInput` when the context lacks what the flow needs; `FlowNotPublished` when
    /// messages start it.
    pub fn start(&mut self, context: impl Into<Value>) -> Result<&[Line], Error> {
        let context = context.into();
        let is_told = self.session.is_some() || !is_empty(&context);
        let mut request = TriggerRequest::new(self.flow.id().as_str()).context(context.clone());
        if self.flow.start().1.contact == ContactMode::Needed {
            let (channel, account) = (self.account.channel.clone(), &*self.account.account);
            request = request.address(channel, account, self.from);
        }
        if let Some(profile) = &self.profile {
            request = request.profile(profile.clone());
        }
        let since = self.transcript.0.len();
        let triggered = at_once(self.bot.trigger(request))?;
        self.transcript.0.extend(is_told.then_some(Line::Acted(Act::Context(context))));
        match triggered {
            Triggered::Started(session) => self.session = Some(session.session_id),
            Triggered::AlreadyRunning(_) => self.untaken("already running"),
            other => self.untaken(other.to_string()),
        }
        self.look(since)
    }

    /// Lets the contact write.
    ///
    /// # Errors
    /// `InvalidInput` when the text is too long.
    pub fn say(&mut self, text: &str) -> Result<&[Line], Error> {
        let Account { channel, account } = self.account.clone();
        let inbound = Inbound::text(channel, &*account, self.from, text);
        self.hear(Line::Said(text.to_owned()), inbound)
    }

    /// Lets the contact choose one of the options that were offered, by its id or its label.
    ///
    /// # Errors
    /// `InvalidInput` of `option` when it was not offered.
    pub fn choose(&mut self, option: &str) -> Result<&[Line], Error> {
        let is_meant = |offered: &&ReplyOption| {
            let is_named = own_choice(&offered.payload).is_some_and(|(_, _, id)| id.is(option));
            offered.label == option || is_named
        };
        let Some(chosen) = self.offered.iter().rev().find(is_meant).cloned() else {
            return Err(Error::invalid("option", format_args!("`{option}` was not offered")));
        };
        let Account { channel, account } = self.account.clone();
        let inbound = Inbound::choice(channel, &*account, self.from, &chosen.payload, &chosen.label);
        self.hear(Line::Chose(chosen.label), inbound)
    }

    /// Lets the contact send something else than text: make it for [`account`](Self::account)
    /// and [`address`](Self::address).
    ///
    /// # Errors
    /// `InvalidInput` when it is malformed or too large.
    pub fn receive(&mut self, inbound: Inbound) -> Result<&[Line], Error> {
        let (value, meta) = inbound.parts();
        let line = talk::sent(inbound.kind, &inbound.text, value.cloned(), meta.cloned());
        self.hear(line, inbound)
    }

    /// Lets time pass, from one due time to the next.
    ///
    /// # Errors
    /// `InvalidInput` of `time` when more happens in it than a rehearsal shows.
    pub fn pass(&mut self, time: TimeDelta) -> Result<&[Line], Error> {
        let since = self.transcript.0.len();
        self.transcript.0.push(Line::Passed(time));
        let until = self.stage.now().checked_add_signed(time).unwrap_or(DateTime::<Utc>::MAX_UTC);
        self.work(until)?;
        self.stage.set(until);
        Ok(self.transcript.0.get(since..).unwrap_or_default())
    }

    /// Lets the host answer a node: its call, if one waits for an answer, else its next one.
    ///
    /// # Errors
    /// `InvalidInput` of `node`.
    pub fn answer(&mut self, node: &str, result: CallResult) -> Result<&[Line], Error> {
        let node = NodeId::new(node).map_err(|rule| Error::invalid("node", rule))?;
        let since = self.transcript.0.len();
        let Some(waiting) = self.asked.iter().position(|call| call.node == node) else {
            self.stage.expect(node, result);
            return Ok(&[]);
        };
        self.complete(waiting, result)?;
        Ok(self.transcript.0.get(since..).unwrap_or_default())
    }

    /// Lets a person give the contact back, with what they found out: an object, `json!({})`
    /// for nothing.
    ///
    /// # Errors
    /// `InvalidInput` of `vars`, or of `handoff` when the contact is with nobody.
    pub fn hand_back(&mut self, vars: impl Into<Value>) -> Result<&[Line], Error> {
        let (since, vars) = (self.transcript.0.len(), vars.into());
        let Some(contact) = self.contact_in_handoff()? else {
            return Err(Error::invalid("handoff", "is not active: there is nothing to hand back"));
        };
        let _ = at_once(self.bot.resume_from_handoff(&contact, vars.clone()))?;
        self.transcript.0.push(Line::HandedBack(vars));
        self.look(since)
    }

    /// Returns all that was said and done.
    #[must_use]
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// Returns the session that was started last, as it is now.
    #[must_use]
    pub fn session(&self) -> Option<Session> {
        let record = at_once(self.bot.session(self.session?)).ok().flatten()?;
        Some(record.session().clone())
    }

    /// Returns the journal of that session, turn by turn: the reasons for which it went where it
    /// went.
    #[must_use]
    pub fn journal(&self) -> Vec<JournalEntry> {
        self.session.and_then(|id| at_once(self.bot.journal(id)).ok()).unwrap_or_default()
    }

    /// Returns the flow that is tried out.
    #[must_use]
    pub fn flow(&self) -> &Flow {
        &self.flow
    }

    /// Returns the account that the flow talks on: its sender, or one on its trigger's channel.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Returns the contact's address there.
    #[must_use]
    pub fn address(&self) -> &str {
        self.from
    }

    /// Returns the engine underneath, for what a rehearsal has no word for.
    #[must_use]
    pub fn engine(&self) -> &Engine<MemoryStore> {
        &self.bot
    }

    /// Flows that it calls are there too, and offline until they are given.
    fn put_online(&self, json: &str, flow: &Flow) -> Result<(), Error> {
        let flows = self.bot.flows();
        for callee in flow.calls().filter(|callee| *callee != flow.id()) {
            if at_once(flows.get(callee))?.is_none() {
                at_once(flows.import(&serde_json::json!({"code": callee}).to_string()))?;
            }
        }
        if flow.trigger().is_manual() {
            at_once(flows.ensure(json))?;
        } else {
            at_once(flows.ensure_on(json, [self.account.clone()]))?;
        }
        at_once(flows.set_logging(flow.id(), true)).map(drop)
    }

    /// Lets a campaign reach the contact, for flows that answer only such.
    fn reach(&self) -> Result<(), Error> {
        const CAMPAIGN: &str = r#"{"spec": 1, "code": "rehearsal-campaign", "trigger": {"kind": "manual"},
            "nodes": [{"id": "start", "kind": "start"}], "edges": []}"#;
        at_once(self.bot.flows().ensure(CAMPAIGN))?;
        let (channel, account) = (self.account.channel.clone(), &*self.account.account);
        let request = TriggerRequest::new("rehearsal-campaign").address(channel, account, self.from);
        let _ = at_once(self.bot.trigger(request.campaign("rehearsal")))?;
        drop(self.stage.take());
        Ok(())
    }

    fn hear(&mut self, line: Line, mut inbound: Inbound) -> Result<&[Line], Error> {
        let since = self.transcript.0.len();
        if let Some(profile) = &self.profile {
            inbound = inbound.profile(profile.clone());
        }
        if let Some(id) = self.beyond.id.take() {
            inbound = inbound.id(id);
        }
        if let Some(age) = self.beyond.age.take() {
            inbound = inbound.timestamp(self.stage.now() - age);
        }
        let received = at_once(self.bot.receive(inbound))?;
        self.transcript.0.push(line);
        match received {
            Received::Started { session } => self.session = Some(session),
            Received::Consumed { .. } => {}
            Received::Queued { .. } => self.untaken("queued"),
            Received::Handoff { .. } => self.untaken("in handoff"),
            Received::Duplicate { .. } => self.untaken("duplicate"),
            other => self.untaken(other.to_string()),
        }
        self.look(since)
    }

    fn untaken(&mut self, what: impl Into<String>) {
        self.transcript.0.push(Line::NotTaken(what.into()));
    }

    /// Works what is due now, and answers with the lines since a place.
    fn look(&mut self, since: usize) -> Result<&[Line], Error> {
        self.work(self.stage.now())?;
        Ok(self.transcript.0.get(since..).unwrap_or_default())
    }

    /// Works what falls due until a time, each at its own.
    fn work(&mut self, until: DateTime<Utc>) -> Result<(), Error> {
        const SMALLEST: TimeDelta = TimeDelta::milliseconds(1);
        self.note()?;
        for _ in 0..MOST_STEPS {
            let ticked = at_once(self.bot.tick(100))?;
            self.note()?;
            let now = self.stage.now();
            let earliest = if ticked.worked > 0 { now } else { now + SMALLEST };
            match ticked.next_due.map(|due| due.max(earliest)) {
                Some(due) if due <= until => self.stage.set(due),
                _ => return Ok(()),
            }
        }
        Err(Error::invalid("time", format_args!("brings more than {MOST_STEPS} steps")))
    }

    /// Writes down what was seen.
    fn note(&mut self) -> Result<(), Error> {
        let mut moved: Vec<SessionId> = Vec::new();
        for seen in self.stage.take() {
            match seen {
                StageEvent::Sent(message) => {
                    self.offered.extend_from_slice(message.options());
                    self.beyond.message = Some(message.id);
                    if let Content::Form(form) = &message.content {
                        self.beyond.token.clone_from(&form.token);
                    }
                    self.transcript.0.push(Line::Sent(Box::new(message)));
                }
                StageEvent::Called { call, answer } => {
                    self.beyond.call = Some(call.reference.clone());
                    self.transcript.0.push(Line::Called(Box::new(call.clone())));
                    match answer {
                        Some(answer) => self.transcript.0.push(Line::Answered(answer)),
                        None => self.asked.push(call),
                    }
                }
                StageEvent::Event(event) => {
                    // The word `restart` starts one, too.
                    if let EventKind::SessionStarted { session, .. } = event {
                        self.session = Some(session);
                    }
                    if let EventKind::Turn { session, .. } = event {
                        moved.retain(|other| *other != session);
                        moved.push(session);
                    }
                    self.transcript.0.extend(event.notice().map(Line::Noticed));
                }
            }
        }
        moved.into_iter().try_for_each(|session| self.show(session))
    }

    /// Writes down where a session is, if that is news.
    fn show(&mut self, id: SessionId) -> Result<(), Error> {
        let Some(record) = at_once(self.bot.session(id))? else { return Ok(()) };
        let session = record.session();
        let is_own = |asked: &Call| asked.reference.call.session == id;
        self.asked.retain(|asked| {
            !is_own(asked) || session.call().is_some_and(|call| call.id == asked.reference.call)
        });
        let (flow, _) = session.active();
        let line = Line::State {
            status: session.status(),
            node: session.node().clone(),
            called: Some(flow).filter(|flow| *flow != session.flow()).cloned(),
            outcome: session.outcome().map(Into::into),
            failure: session.failure().cloned().map(Box::new),
        };
        let shown = (session.turns(), line.to_string());
        if self.beyond.shown.insert(id, shown.clone()).is_none_or(|before| before != shown) {
            self.transcript.0.push(line);
        }
        Ok(())
    }
}

/// True if a context says nothing.
fn is_empty(context: &Value) -> bool {
    context.is_null() || context.as_object().is_some_and(serde_json::Map::is_empty)
}

/// Waits for what never waits: the store is in memory, and each port of the stage answers at once.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
}

fn account_of(flow: &Flow) -> Account {
    let trigger = flow.trigger().channel();
    let sender = flow.settings().sender.as_ref();
    if let Some(sender) = sender.filter(|sender| trigger.is_none_or(|channel| sender.channel == *channel)) {
        return sender.clone();
    }
    let channel = trigger.cloned().unwrap_or(Channel::WhatsApp);
    let account = if channel.is_phone() { "+15550100" } else { "test" };
    Account { channel, account: account.into() }
}
