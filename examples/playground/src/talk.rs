//! A flow that is tried out with contacts: what the author does, and what comes of it. The engine
//! is the one that a service runs, on a store in memory.

use std::collections::{BTreeMap, BTreeSet};

use chatflow::calls::Call;
use chatflow::flow::{ContactMode, Issues, NodeKind};
use chatflow::id::{ContactId, FlowId, SessionId};
use chatflow::observer::EventKind;
use chatflow::ops::{FlowSource, HandedBack, Logging};
use chatflow::session::DeliveryReport;
use chatflow::talk::Act;
use chatflow::{
    Account, Address, CallResult, Channel, Clock, Engine, Event, Flow, Inbound, MemoryStore, Received,
    Status, TriggerRequest, Triggered,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::Answered;
use crate::answer::{Outcome, at_once, bad, optional, text, typed};
use crate::hearing;
use crate::script::{self, Script};
use crate::stage::{Delivery, Seen, Stage};

/// Reaches the contacts, for flows that answer only those whom a campaign has reached.
const CAMPAIGN: &str = r#"{"spec": 1, "code": "playground-campaign", "trigger": {"kind": "manual"},
    "nodes": [{"id": "start", "kind": "start"}], "edges": []}"#;

/// Steps from one due time to the next, while time passes.
const MOST_STEPS: usize = 10_000;

/// One flow, and the people who talk with it.
pub(crate) struct Talk {
    pub(crate) bot: Engine<MemoryStore>,
    pub(crate) stage: Stage,
    pub(crate) flow: Flow,
    pub(crate) account: Account,
    /// By address, in the order of their addresses.
    pub(crate) people: BTreeMap<String, Person>,
    /// Calls that the author is to answer.
    pub(crate) asked: Vec<Call>,
    pub(crate) next_due: Option<DateTime<Utc>>,
    /// The flows beside it that do not run: a call of one fails.
    pub(crate) unfit: Vec<String>,
}

/// A contact, and what is seen of the talk with it.
pub(crate) struct Person {
    pub(crate) id: Option<ContactId>,
    pub(crate) lines: Vec<Value>,
    /// The session that was started or found last.
    pub(crate) session: Option<SessionId>,
    /// Messages that the channel has not taken yet, by their ids.
    pub(crate) unsent: BTreeMap<String, Value>,
    pub(crate) script: Script,
    needs_look: bool,
}

impl Person {
    fn new(now: DateTime<Utc>) -> Self {
        Self {
            id: None,
            lines: Vec::new(),
            session: None,
            unsent: BTreeMap::new(),
            script: Script::at(now),
            needs_look: false,
        }
    }

    /// The last message that the flow has sent.
    fn last_sent(&self) -> Option<&Value> {
        self.lines.iter().rev().find(|line| line["kind"] == "sent").map(|line| &line["id"])
    }
}

impl Talk {
    pub(crate) fn open(request: &Value) -> Result<Self, Outcome> {
        let json = text(request, "flow")?;
        let flow = Flow::from_json(json)?;
        let now = typed::<f64>(request, "now")? as i64;
        let now = DateTime::from_timestamp_millis(now).ok_or_else(|| bad("now", "is not a time"))?;
        let channel = match optional(request, "channel") {
            Some(word) => Some(word.parse::<Channel>().map_err(|rule| bad("channel", rule))?),
            None => None,
        };
        let stage = Stage::new(now);
        let bot = Engine::builder(MemoryStore::new())
            .transport(stage.clone())
            .calls(stage.clone())
            .observer(stage.clone())
            .clock(stage.clone())
            .build();
        let account = account_of(&flow, channel)?;
        let mut talk = Self {
            bot,
            stage,
            flow,
            account,
            people: BTreeMap::new(),
            asked: Vec::new(),
            next_due: None,
            unfit: Vec::new(),
        };
        talk.put_online(json, request)?;
        Ok(talk)
    }

    /// The flow, those that it calls, and the campaign that reached everybody.
    fn put_online(&mut self, json: &str, request: &Value) -> Result<(), Outcome> {
        let own = FlowSource::new(json);
        let is_manual = self.flow.trigger().is_manual();
        let mut sources = vec![if is_manual { own } else { own.on([self.account.clone()]) }];
        let mut calls = BTreeSet::new();
        calls.extend(self.flow.calls().cloned());
        let mut known = BTreeSet::from([self.flow.id().clone()]);
        for text in request.get("others").and_then(Value::as_array).into_iter().flatten() {
            let Some(text) = text.as_str() else { continue };
            let other = match Flow::from_json(text) {
                Ok(other) => other,
                Err(issues) => {
                    self.unfit.push(unfit(text, &issues));
                    continue;
                }
            };
            if known.insert(other.id().clone()) {
                calls.extend(other.calls().cloned());
                let source = FlowSource::new(text);
                let is_manual = other.trigger().is_manual();
                sources.push(if is_manual { source } else { source.on([self.account_on(&other)]) });
            }
        }
        let flows = self.bot.flows();
        // One that is not there, or does not run, is a draft alone: a call of it fails.
        for callee in calls.difference(&known) {
            at_once(flows.import(&json!({"code": callee}).to_string()))?;
        }
        at_once(flows.ensure_all(sources))?;
        at_once(flows.set_logging(self.flow.id(), Logging::Texts))?;
        if self.flow.trigger().needs_campaign() {
            at_once(flows.ensure(CAMPAIGN))?;
        }
        Ok(())
    }

    /// An account of its own, so that it takes no message of the flow that is tried out.
    fn account_on(&self, other: &Flow) -> Account {
        let channel = other.trigger().channel().cloned().unwrap_or(Channel::WhatsApp);
        Account { channel, account: format!("other-{}", other.id()).into() }
    }

    pub(crate) fn act(&mut self, request: &Value) -> Answered {
        let word = text(request, "do")?;
        match word {
            "look" => {}
            "trigger" => self.trigger(request)?,
            "say" => self.say(request)?,
            "pass" => self.pass_for(typed::<f64>(request, "seconds")?)?,
            "due" => self.pass_to_due()?,
            "answer" => self.answer(request)?,
            "back" => self.hand_back(request)?,
            "delivery" => self.set_delivery(text(request, "mode")?)?,
            "report" => self.report(request)?,
            "rules" => {
                self.stage.state().rules = typed(request, "rules")?;
            }
            "send_again" => self.requeue(request)?,
            other => return Err(bad("do", format_args!("knows no `{other}`"))),
        }
        if word != "look" {
            self.work(self.stage.now())?;
        }
        crate::view::of(self)
    }

    fn person(&mut self, address: &str) -> &mut Person {
        let now = self.stage.now();
        self.people.entry(address.to_owned()).or_insert_with(|| Person::new(now))
    }

    fn trigger(&mut self, request: &Value) -> Result<(), Outcome> {
        let from = text(request, "contact")?.to_owned();
        let context = request.get("context").cloned().unwrap_or_else(|| json!({}));
        let mut trigger = TriggerRequest::new(self.flow.id().as_str()).context(context.clone());
        if needs_contact(&self.flow) {
            trigger = trigger.address(self.account.channel.clone(), &*self.account.account, &from);
        }
        if let Some(uuid) = optional(request, "uuid") {
            trigger = trigger.uuid(uuid);
        }
        let triggered = at_once(self.bot.trigger(trigger))?;
        let person = self.person(&from);
        person.script.act(Act::Context(context.clone()));
        person.lines.push(json!({"kind": "trigger", "context": context}));
        match triggered {
            Triggered::Started(session) => {
                person.session = Some(session.session_id);
                person.lines.push(json!({"kind": "note", "word": "started", "text": "The flow started"}));
            }
            Triggered::AlreadyRunning(session) => {
                person.session = Some(session.session_id);
                let text = "already_running: a live session of this flow is running, no second one starts";
                person.lines.push(json!({"kind": "note", "word": "already_running", "text": text}));
            }
            other => person.lines.push(json!({"kind": "note", "word": "refused", "text": other.to_string()})),
        }
        Ok(())
    }

    fn say(&mut self, request: &Value) -> Result<(), Outcome> {
        let from = text(request, "contact")?.to_owned();
        let said = request.get("message").ok_or_else(|| bad("message", "is missing"))?;
        let message = hearing::message(&self.account, &from, said)?;
        if self.flow.trigger().needs_campaign() && !self.people.contains_key(&from) {
            self.reach(&from)?;
        }
        self.hear(&from, message, said)
    }

    fn reach(&mut self, from: &str) -> Result<(), Outcome> {
        let (channel, account) = (self.account.channel.clone(), &*self.account.account);
        let request = TriggerRequest::new("playground-campaign").address(channel, account, from);
        let _ = at_once(self.bot.trigger(request.campaign("playground")))?;
        drop(self.stage.take());
        Ok(())
    }

    fn hear(&mut self, from: &str, message: Inbound, said: &Value) -> Result<(), Outcome> {
        // As a channel gives one to each, so that a sign can be put on it.
        let id = format!("said-{}", self.person(from).lines.len());
        let received = at_once(self.bot.receive(message.id(&*id)))?;
        let person = self.person(from);
        match script::said(said, &person.lines) {
            Ok(act) => person.script.act(act),
            Err(lost) => person.script.lose(lost),
        }
        person.lines.push(json!({"kind": "said", "id": id, "message": said}));
        match &received {
            Received::Started { session } | Received::Consumed { session } => person.session = Some(*session),
            other => {
                let text = match other {
                    Received::Queued { .. } => "kept for the next question".to_owned(),
                    Received::Handoff { .. } => "for the person who has the contact".to_owned(),
                    other => other.to_string(),
                };
                person.lines.push(json!({"kind": "note", "word": "untaken", "text": text}));
            }
        }
        Ok(())
    }

    fn pass_for(&mut self, seconds: f64) -> Result<(), Outcome> {
        let time = TimeDelta::seconds(seconds.clamp(0.0, 400.0 * 86_400.0) as i64);
        let until =
            self.stage.now().checked_add_signed(time).ok_or_else(|| bad("seconds", "are too many"))?;
        for person in self.people.values_mut() {
            person.script.act(Act::Pass(time));
            person.lines.push(json!({"kind": "passed", "seconds": time.num_seconds()}));
        }
        self.work(until)?;
        self.stage.state().now = until;
        Ok(())
    }

    /// To the second at which something happens next: talks are written down in seconds.
    fn pass_to_due(&mut self) -> Result<(), Outcome> {
        self.work(self.stage.now())?;
        if self.deadline()?.is_none() {
            return Err(bad("due", "is nothing: no deadline is ahead"));
        }
        let begun = self.stage.now();
        for person in self.people.values_mut() {
            person.script.act(Act::Pass(TimeDelta::zero()));
            person.lines.push(json!({"kind": "passed", "seconds": 0}));
        }
        let marks: Vec<usize> = self.people.values().map(|person| person.lines.len()).collect();
        // Work that the store finds due need not be seen: a message is tried again a little later.
        for _ in 0..MOST_STEPS {
            let Some(due) = self.deadline()? else { break };
            let seconds = ((due - begun).num_milliseconds().max(1) as f64 / 1_000.0).ceil() as i64;
            let until = begun + TimeDelta::seconds(seconds).max(self.stage.now() - begun);
            self.work(until)?;
            self.stage.state().now = until;
            if self.people.values().zip(&marks).any(|(person, mark)| person.lines.len() > *mark) {
                break;
            }
            self.stage.state().now = until + TimeDelta::milliseconds(1);
        }
        let passed = self.stage.now() - begun;
        let seconds = TimeDelta::seconds((passed.num_milliseconds() as f64 / 1_000.0).ceil() as i64);
        self.stage.state().now = begun + seconds;
        for (person, mark) in self.people.values_mut().zip(marks) {
            person.script.lasted(seconds);
            person.lines[mark - 1]["seconds"] = json!(seconds.num_seconds());
        }
        Ok(())
    }

    /// When something happens next with no word of a contact: a wait, a delay or a session ends, or
    /// a message is tried again. What else the store finds due does nothing that is seen.
    pub(crate) fn deadline(&self) -> Result<Option<DateTime<Utc>>, Outcome> {
        let mut earliest =
            self.next_due.filter(|_| self.people.values().any(|person| !person.unsent.is_empty()));
        for id in self.people.values().filter_map(|person| person.session) {
            let Some(record) = at_once(self.bot.session(id))? else { continue };
            let session = record.session();
            if session.ended_at().is_none() {
                let both = [session.deadline(), session.expires_at()].into_iter().flatten();
                earliest = both.chain(earliest).min();
            }
        }
        Ok(earliest)
    }

    fn answer(&mut self, request: &Value) -> Result<(), Outcome> {
        let wanted = text(request, "call")?;
        let found = self.asked.iter().position(|call| call.reference.call.to_string() == wanted);
        let Some(call) = found.map(|place| self.asked.remove(place)) else {
            return Err(bad("call", "waits for no answer"));
        };
        let result: CallResult = typed(request, "result")?;
        let _ = at_once(self.bot.complete(call.reference.clone(), result.clone()))?;
        if let Some(person) = self.person_of(&call.reference.contact) {
            person.script.answer(&result);
            person.lines.push(json!({"kind": "answered", "node": call.node, "result": result}));
        }
        Ok(())
    }

    fn hand_back(&mut self, request: &Value) -> Result<(), Outcome> {
        let from = text(request, "contact")?.to_owned();
        let vars = request.get("vars").cloned().unwrap_or_else(|| json!({}));
        let contact = self.person(&from).id.clone().ok_or_else(|| bad("contact", "has not talked yet"))?;
        if at_once(self.bot.resume_from_handoff(&contact, vars.clone()))? == HandedBack::NotInHandoff {
            return Err(bad("contact", "is with nobody"));
        }
        let person = self.person(&from);
        person.script.act(Act::Back(vars.clone()));
        person.lines.push(json!({"kind": "back", "vars": vars}));
        Ok(())
    }

    fn set_delivery(&mut self, mode: &str) -> Result<(), Outcome> {
        let found = Delivery::WORDS.iter().find(|(word, _)| *word == mode);
        let (_, delivery) =
            found.ok_or_else(|| bad("mode", "is none of taken, retried, rejected, window_closed"))?;
        self.stage.state().delivery = *delivery;
        Ok(())
    }

    /// The channel says later what became of a message.
    fn report(&mut self, request: &Value) -> Result<(), Outcome> {
        const FAILED: &str = "131026";
        let (report, word) = match text(request, "report")? {
            "failed" => (DeliveryReport::Failed { code: FAILED.to_owned() }, FAILED),
            "window_closed" => (DeliveryReport::WindowClosed, "window_closed"),
            "read" => (DeliveryReport::Read, "read"),
            _ => (DeliveryReport::Delivered, "delivered"),
        };
        let wanted = request.get("message");
        let has = |line: &Value| line["kind"] == "sent" && Some(&line["id"]) == wanted;
        if let Some(person) = self.people.values_mut().find(|person| person.lines.iter().any(has)) {
            match person.last_sent() == wanted {
                true => person.script.act(Act::Report(word.to_owned())),
                false => person.script.lose("the channel reported on a message that is not the last one"),
            }
        }
        let _ = at_once(self.bot.report(typed(request, "message")?, report))?;
        Ok(())
    }

    fn requeue(&mut self, request: &Value) -> Result<(), Outcome> {
        let from = text(request, "contact")?.to_owned();
        let contact = self.person(&from).id.clone().ok_or_else(|| bad("contact", "has not talked yet"))?;
        at_once(self.bot.requeue_dead_letter(&contact, typed(request, "message")?))?;
        self.person(&from).script.lose("a message was sent again by hand");
        Ok(())
    }

    pub(crate) fn person_of(&mut self, contact: &ContactId) -> Option<&mut Person> {
        self.people.values_mut().find(|person| person.id.as_ref() == Some(contact))
    }

    /// Works what falls due until a time, each at its own.
    pub(crate) fn work(&mut self, until: DateTime<Utc>) -> Result<(), Outcome> {
        const SMALLEST: TimeDelta = TimeDelta::milliseconds(1);
        self.note()?;
        for _ in 0..MOST_STEPS {
            let ticked = at_once(self.bot.tick(100))?;
            self.note()?;
            self.next_due = ticked.next_due;
            let now = self.stage.now();
            let earliest = if ticked.worked > 0 { now } else { now + SMALLEST };
            match ticked.next_due.map(|due| due.max(earliest)) {
                Some(due) if due <= until => self.stage.state().now = due,
                _ => return Ok(()),
            }
        }
        Err(bad("seconds", format_args!("bring more than {MOST_STEPS} steps")))
    }

    /// Writes down what was seen.
    fn note(&mut self) -> Result<(), Outcome> {
        for seen in self.stage.take() {
            match seen {
                Seen::Sent(message, delivery) => {
                    let address = match message.to() {
                        Address::Phone(phone) => phone.to_string(),
                        Address::Named(named) => named.id.to_string(),
                    };
                    let person = self.person(&address);
                    person.id = Some(message.contact.clone());
                    let id = json!(message.id);
                    match delivery {
                        Delivery::Retried => {
                            _ = person.unsent.insert(id.to_string(), json!({"message": &message}))
                        }
                        _ => _ = person.unsent.remove(&id.to_string()),
                    }
                    match delivery {
                        Delivery::Rejected => {
                            person.script.refuse(Act::Refuse("the channel refuses it".to_owned()))
                        }
                        Delivery::WindowClosed => person.script.refuse(Act::Window),
                        Delivery::Retried => person.script.lose("the channel did not answer for a while"),
                        Delivery::Taken => person.script.took(),
                    }
                    let delivery = delivery.word();
                    person
                        .lines
                        .push(json!({"kind": "sent", "id": id, "message": message, "delivery": delivery}));
                }
                Seen::Called(call, answer) => self.note_call(call, answer.as_ref()),
                Seen::Event(event) => self.note_event(&event)?,
            }
        }
        self.note_standing()
    }

    fn note_call(&mut self, call: Call, answer: Option<&CallResult>) {
        let line = json!({
            "kind": "called", "id": call.reference.call, "node": call.node, "request": call.request,
            "shown": call.to_string(), "answer": answer,
        });
        let contact = call.reference.contact.clone();
        let waits = |asked: &Call| asked.reference.contact == contact && asked.reference != call.reference;
        let has_other = self.asked.iter().any(waits);
        if let Some(person) = self.person_of(&contact) {
            person.lines.push(line);
            if let Some(result) = answer {
                if has_other {
                    person.script.lose("a rule answered while another call waited");
                }
                person.script.answer_by_rule(result);
            }
        }
        self.asked.retain(|asked| asked.reference != call.reference);
        if answer.is_none() {
            self.asked.push(call);
        }
    }

    fn note_event(&mut self, event: &Event) -> Result<(), Outcome> {
        if self.person_of(&event.contact).is_none() {
            self.meet(&event.contact)?;
        }
        let hint = hint(&event.kind);
        let Some(person) = self.person_of(&event.contact) else { return Ok(()) };
        if let EventKind::SessionStarted { session, .. } = event.kind {
            person.session = Some(session);
        }
        person.needs_look |= matches!(event.kind, EventKind::Turn { .. });
        person.lines.extend(hint.map(|text| json!({"kind": "hint", "text": text})));
        Ok(())
    }

    /// Finds out whose address a contact has.
    fn meet(&mut self, contact: &ContactId) -> Result<(), Outcome> {
        let addresses: Vec<String> = self.people.keys().cloned().collect();
        for address in addresses {
            let Ok(known) = Address::new(&self.account, &address) else { continue };
            let found = at_once(self.bot.contact_at(&known))?;
            if found.is_some_and(|found| found.id == *contact) {
                self.person(&address).id = Some(contact.clone());
            }
        }
        Ok(())
    }

    /// Notes where each session is after its turns.
    fn note_standing(&mut self) -> Result<(), Outcome> {
        let bot = self.bot.clone();
        for person in self.people.values_mut() {
            if !std::mem::take(&mut person.needs_look) {
                continue;
            }
            let Some(id) = person.session else { continue };
            let Some(record) = at_once(bot.session(id))? else { continue };
            let session = record.session();
            self.asked.retain(|asked| {
                asked.reference.contact != *record.contact()
                    || session.call().is_some_and(|call| call.id == asked.reference.call)
            });
            person.lines.push(json!({
                "kind": "stands", "status": session.status(), "node": session.node(),
                "outcome": session.outcome(), "failure": session.failure(),
                "ended": matches!(session.status(), Status::Completed | Status::Failed | Status::Expired | Status::Cancelled),
            }));
        }
        Ok(())
    }
}

/// The account that the flow talks on: its sender, else one on its trigger's channel.
pub(crate) fn account_of(flow: &Flow, wanted: Option<Channel>) -> Result<Account, Outcome> {
    let trigger = flow.trigger().channel();
    let sender = flow.settings().sender.as_ref();
    let fits = |sender: &&Account| {
        trigger.is_none_or(|channel| sender.channel == *channel)
            && wanted.as_ref().is_none_or(|channel| sender.channel == *channel)
    };
    if let Some(sender) = sender.filter(fits) {
        return Ok(sender.clone());
    }
    let channel = trigger.cloned().or(wanted).unwrap_or(Channel::WhatsApp);
    let account = if channel.is_phone() { "+15550100" } else { "playground" };
    Ok(Account { channel, account: account.into() })
}

/// True unless the flow runs without a contact.
fn needs_contact(flow: &Flow) -> bool {
    let start = flow.def().nodes.iter().find_map(|node| match &node.kind {
        NodeKind::Start(start) => Some(start.contact),
        _ => None,
    });
    start.flatten() != Some(ContactMode::None)
}

/// Remarks for the author, beside what is said.
fn hint(event: &EventKind) -> Option<String> {
    Some(match event {
        EventKind::UndefinedVariable { node, name, .. } => format!("{node}: `{name}` has no value"),
        EventKind::NoResult { node, operator, .. } => format!("{node}: `{operator}` has no result"),
        EventKind::ContentCut { node, part, .. } => {
            format!("{node}: `{part}` is too long for the channel and is cut")
        }
        EventKind::ContentRefused { node, part, .. } => format!("{node}: `{part}` cannot be sent"),
        EventKind::ListCut { node, given, kept, .. } => format!("{node}: {kept} of {given} items are kept"),
        EventKind::InputDropped { key, .. } => format!("input `{key}` is declared by no input of the start"),
        EventKind::Logged { node, level, text, .. } => format!("{node} logs ({level:?}): {text}"),
        _ => return None,
    })
}

/// A flow that does not run, with the first reason.
fn unfit(text: &str, issues: &Issues) -> String {
    let written: Value = serde_json::from_str(text).unwrap_or_default();
    let first = issues.errors().next().map(ToString::to_string).unwrap_or_default();
    format!("The flow `{}` does not run: {first}", written["code"].as_str().unwrap_or_default())
}

/// A flow by its code, whichever there is.
pub(crate) fn flow_id(flow: &Flow) -> FlowId {
    flow.id().clone()
}
