//! The processes of a simulation, and the people who write to them.

use std::collections::{BTreeSet, HashMap};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::SimPlan;
use super::defects::Defect;
use super::dice::Dice;
use super::faults::{SimFault, SimFaults};
use super::oracle::Oracle;
use super::people::{Person, SHOP, address_of};
use super::ports::{SimHost, SimStore, SimWire, Weather, answer_to};
use crate::channel::Channel;
use crate::clock::Clock;
use crate::engine::{Engine, SessionFilter};
use crate::error::Error;
use crate::id::{ContactId, SessionId};
use crate::kernel::{Received, Triggered};
use crate::limits::Limits;
use crate::request::{Inbound, TriggerRequest};
use crate::store::{ConversationStore, Known, MemoryFlows, MemoryStore, SessionRecord, StoreQueries};
use crate::testkit::run::at_once;
use crate::testkit::{CountingIds, ManualClock};

/// So many messages are remembered of a contact, however few people there are (SEMANTICS I2).
const MOST_REPEATED: usize = 40;

/// The nodes that a process with small limits can read: one fewer than the diary has.
const SMALL: usize = 5;

/// The lease of an engine that is given none.
const USUAL_LEASE: Duration = Duration::from_secs(60);

/// The outcome of a call.
pub(super) enum CallOutcome {
    Triggered {
        flow: String,
        key: Option<String>,
        answer: Result<Triggered, Error>,
    },
    Received {
        text: String,
        answer: Result<Received, Error>,
    },
    /// A contact was erased, with nobody else at work, and so many sessions were found after it.
    Erased {
        contact: ContactId,
        is_alone: bool,
        left: usize,
    },
    Operated(Result<(), Error>),
    Ticked(Result<usize, Error>),
}

pub(super) type Call = Pin<Box<dyn Future<Output = CallOutcome>>>;

struct Process<S> {
    engine: Engine<Known<SimStore<S>>>,
    clock: ManualClock,
}

/// The store's own time: how long its leases are, and how to let them end where its clock is not
/// the simulation's.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Setting {
    pub(super) lease: Option<Duration>,
    pub(super) pass: Option<fn(Duration)>,
}

pub(super) struct World<S> {
    plan: SimPlan,
    pub(super) weather: Weather,
    pub(super) store: SimStore<S>,
    /// Flows of a store that keeps none.
    flows: Option<Arc<MemoryFlows>>,
    ids: CountingIds,
    processes: Vec<Process<S>>,
    pub(super) tasks: Vec<(usize, Call)>,
    now: DateTime<Utc>,
    latest: DateTime<Utc>,
    /// The messages of the last while, each of which may come again.
    said: Vec<(String, Inbound)>,
    pub(super) edition: usize,
    /// The number of processes that were built with flows of their own.
    edited: usize,
    setting: Setting,
    looked_at: u64,
    /// The people whose addresses each contact may have got by a merger.
    pub(super) held: HashMap<ContactId, BTreeSet<Person>>,
}

/// The flows that are simulated; the texts of one change with its edition.
pub(super) fn flows(edition: usize) -> [String; 4] {
    let flow = |code: &str, nodes: &str, edges: &str| {
        format!(
            r#"{{"spec": 1, "code": "{code}", "trigger": {{"kind": "manual"}},
                "settings": {{"sender": {{"channel": "whatsapp", "account": "{SHOP}"}}}},
                "nodes": [{{"id": "start", "kind": "start"}}, {nodes}], "edges": [{edges}]}}"#
        )
    };
    [
        flow(
            "diary",
            &format!(
                r#"{{"id": "hi", "kind": "send_message", "text": "hi {edition}"}},
                   {{"id": "hear", "kind": "wait_reply", "timeout": "10m"}},
                   {{"id": "note", "kind": "set_variables", "variables": [{{"name": "said", "value": "{{{{vars.said}}}}[{{{{reply.text}}}}]"}}]}},
                   {{"id": "nod", "kind": "send_message", "text": "heard {{{{reply.text}}}}"}},
                   {{"id": "gone", "kind": "send_message", "text": "gone {edition}"}}"#
            ),
            r#"{"from": "start", "to": "hi"}, {"from": "hi", "to": "hear"}, {"from": "hear", "to": "note"},
               {"from": "hear", "branch": "timeout", "to": "gone"}, {"from": "note", "to": "nod"}, {"from": "nod", "to": "hear"}"#,
        ),
        flow(
            "lookup",
            r#"{"id": "look", "kind": "function", "function": "look", "save_to": "found", "timeout": "5m"},
               {"id": "tell", "kind": "send_message", "text": "found {{vars.found}}"},
               {"id": "sorry", "kind": "send_message", "text": "sorry"}"#,
            r#"{"from": "start", "to": "look"}, {"from": "look", "to": "tell"}, {"from": "look", "branch": "failed", "to": "sorry"}"#,
        ),
        flow(
            "rest",
            r#"{"id": "rest", "kind": "delay", "for": "2m"}, {"id": "up", "kind": "send_message", "text": "up"}"#,
            r#"{"from": "start", "to": "rest"}, {"from": "rest", "to": "up"}"#,
        ),
        flow(
            "help",
            r#"{"id": "person", "kind": "handoff", "timeout": "20m"}, {"id": "back", "kind": "send_message", "text": "back"}"#,
            r#"{"from": "start", "to": "person"}, {"from": "person", "to": "back"}, {"from": "person", "branch": "timeout", "to": "back"}"#,
        ),
    ]
}

impl<S: ConversationStore + StoreQueries + 'static> World<S> {
    pub(super) fn new(plan: &SimPlan, store: S, defect: Option<Defect>, setting: Setting) -> Self {
        let weather = Weather {
            dice: Dice::new(plan.seed),
            faults: Arc::new(plan.faults.clone()),
            is_over: Arc::new(AtomicBool::new(true)),
            writes: Arc::new(AtomicU64::new(0)),
            spent: Arc::new(AtomicU64::new(0)),
            oracle: Arc::new(Mutex::new(Oracle::default())),
            asked: Arc::default(),
            defect,
            busy: Arc::default(),
        };
        let store = SimStore { inner: Arc::new(store), weather: weather.clone() };
        let now = Clock::now(&ManualClock::default());
        let mut world = Self {
            plan: plan.clone(),
            weather,
            flows: store.flow_store().is_none().then(Arc::default),
            store,
            ids: CountingIds::new(),
            processes: Vec::new(),
            tasks: Vec::new(),
            now,
            latest: now,
            said: Vec::new(),
            edition: 1,
            edited: 0,
            setting,
            looked_at: 0,
            held: HashMap::new(),
        };
        let host = world.plain();
        for flow in flows(1) {
            let _ = at_once(host.flows().ensure(&flow));
        }
        world.weather.is_over.store(false, Ordering::Relaxed);
        world.processes = (0..plan.engines).map(|number| world.process(number)).collect();
        world.weather.oracle().is_calm = plan.faults == SimFaults::none();
        world
    }

    /// An engine without weather, which looks and operates.
    pub(super) fn plain(&self) -> Engine<Arc<S>> {
        let engine = Engine::builder(Arc::clone(&self.store.inner));
        let engine = self.flows.iter().fold(engine, |engine, flows| engine.flow_store(Arc::clone(flows)));
        engine.clock(ManualClock::at(self.now)).max_skew(Duration::MAX).ids(self.ids.clone()).build()
    }

    fn process(&mut self, number: usize) -> Process<S> {
        let clock = ManualClock::at(self.now);
        let engine = Engine::builder(Known::new(self.store.clone()).cache_bytes(self.plan.known));
        let flows = self.own_flows(number).or_else(|| self.flows.clone());
        let engine = flows.into_iter().fold(engine, |engine, flows| engine.flow_store(flows));
        let engine = match self.setting.lease {
            Some(lease) => engine.lease(lease),
            None => engine,
        };
        let is_small = self.weather.happens(SimFault::SmallLimits);
        let nodes = if is_small { SMALL } else { Limits::default().nodes };
        let engine = engine
            .limits(Limits { nodes, ..Limits::default() })
            .max_skew(Duration::MAX)
            .transport(SimWire(self.weather.clone()))
            .calls(SimHost(self.weather.clone()))
            .clock(clock.clone())
            .ids(self.ids.clone())
            .build();
        Process { engine, clock }
    }

    /// The flows of a process that keeps them itself, one with another text under the same number.
    fn own_flows(&mut self, number: usize) -> Option<Arc<MemoryFlows>> {
        let is_over = self.weather.is_over.load(Ordering::Relaxed);
        let is_cut = self.weather.is(Defect::CutsFlows) && number == 0 && !is_over;
        if !is_cut && !self.weather.happens(SimFault::EditedFlows) {
            return None;
        }
        self.edited += 1;
        let own = Arc::new(MemoryFlows::default());
        let scratch = Engine::builder(MemoryStore::new()).flow_store(Arc::clone(&own));
        let scratch = scratch.clock(ManualClock::at(self.now)).build();
        let [diary, others @ ..] = flows(1_000 + self.edited);
        let diary = if is_cut { diary.replace("\"hear\"", "\"ear\"") } else { diary };
        for flow in [diary].iter().chain(&others) {
            let _ = at_once(scratch.flows().ensure(flow));
        }
        Some(own)
    }

    /// One thing happens. Answers what must not have happened.
    pub(super) fn step(&mut self) -> Option<String> {
        let dice = self.weather.dice.clone();
        match dice.below(16) {
            0..=3 if self.tasks.len() < 2 * self.plan.engines => self.begin(),
            4 if self.tasks.is_empty() || self.weather.happens(SimFault::LeaseLoss) => self.pass(),
            5 => self.trouble(),
            _ if !self.tasks.is_empty() => self.go_on(),
            _ => self.pass(),
        }
        self.look()
    }

    /// Lets one call proceed to its next operation.
    fn go_on(&mut self) {
        let place = self.weather.dice.below(self.tasks.len());
        let Some(done) = self.poll(place) else { return };
        drop(self.tasks.swap_remove(place));
        let done = self.spoil(done);
        self.weather.oracle().answered(done);
    }

    /// Polls a call until it is done, or waits for the weather or for another call. What a store
    /// itself takes its time for is waited for: a call that is left in it, even in its queue for a
    /// connection, would have what the others then wait for.
    fn poll(&mut self, place: usize) -> Option<CallOutcome> {
        let (_, call) = self.tasks.get_mut(place)?;
        let weather = &self.weather;
        loop {
            if let Poll::Ready(done) = call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return Some(done);
            }
            if weather.busy.load(Ordering::Relaxed) == 0 {
                return None;
            }
            std::thread::yield_now();
        }
    }

    fn spoil(&self, done: CallOutcome) -> CallOutcome {
        match (self.weather.defect, done) {
            (
                Some(Defect::SaysStarted),
                CallOutcome::Triggered { flow, key, answer: Ok(Triggered::AlreadyRunning(session)) },
            ) => CallOutcome::Triggered { flow, key, answer: Ok(Triggered::Started(session)) },
            (
                Some(Defect::ForgetsFirstVerdict),
                CallOutcome::Received { text, answer: Ok(Received::Duplicate { .. }) },
            ) => {
                let session = SessionId(uuid::Uuid::from_u128(9));
                CallOutcome::Received { text, answer: Ok(Received::Consumed { session }) }
            }
            (_, done) => done,
        }
    }

    pub(super) fn engine(&self, number: usize) -> Option<Engine<Known<SimStore<S>>>> {
        self.processes.get(number).map(|process| process.engine.clone())
    }

    pub(super) fn person(&self) -> Person {
        Person(self.weather.dice.below(self.plan.contacts))
    }

    /// A message of somebody, or one that came before.
    fn message(&mut self) -> (String, Inbound) {
        let dice = self.weather.dice.clone();
        let first = self.said.len().saturating_sub(MOST_REPEATED);
        if let Some(again) = dice.one_in(5).then(|| first + dice.below(self.said.len() - first))
            && let Some(message) = self.said.get(again)
        {
            return message.clone();
        }
        let person = self.person();
        let text = format!("t{}{person}", self.said.len());
        self.weather.oracle().says(&text);
        let [phone, id, _] = person.addresses();
        let inbound = if self.weather.happens(SimFault::SecondAddress) {
            let (from, other) = if dice.one_in(2) { (phone, id) } else { (id, phone) };
            let inbound = Inbound::text(Channel::WhatsApp, SHOP, from, &text);
            if dice.one_in(3) { inbound } else { inbound.also_written(other) }
        } else {
            Inbound::text(Channel::WhatsApp, SHOP, phone, &text)
        };
        let message = (text.clone(), inbound.id(&text));
        self.said.push(message.clone());
        message
    }

    /// One person writes many messages at once, every third of which comes twice.
    fn burst(&mut self) {
        let dice = self.weather.dice.clone();
        let [phone, ..] = self.person().addresses();
        for number in 0..12 {
            let text = format!("t{}{phone}", self.said.len());
            self.weather.oracle().says(&text);
            let inbound = Inbound::text(Channel::WhatsApp, SHOP, &phone, &text).id(&text);
            self.said.push((text.clone(), inbound.clone()));
            for _ in 0..(if number % 3 == 0 { 2 } else { 1 }) {
                let process = dice.below(self.plan.engines);
                let Some(engine) = self.engine(process) else { continue };
                let (text, inbound) = (text.clone(), inbound.clone());
                let call: Call =
                    Box::pin(
                        async move { CallOutcome::Received { text, answer: engine.receive(inbound).await } },
                    );
                self.tasks.push((process, call));
            }
        }
    }

    /// A request to start a flow.
    fn request(&self) -> (String, Option<String>, TriggerRequest) {
        let (dice, person) = (self.weather.dice.clone(), self.person());
        let flow = ["diary", "diary", "lookup", "rest", "help"][dice.below(5)].to_owned();
        let key = (!dice.one_in(4)).then(|| format!("{person}-{}", dice.below(8)));
        let [phone, id, _] = person.addresses();
        let request = TriggerRequest::new(&flow);
        let request = match self.weather.happens(SimFault::SecondAddress) {
            true => request.address(Channel::WhatsApp, SHOP, id),
            false => request.phone(phone),
        };
        let request = key.iter().fold(request, |request, key| request.uuid(key.as_str()));
        (flow, key, request)
    }

    /// Somebody writes, triggers, or ticks.
    fn begin(&mut self) {
        let (dice, number) = (self.weather.dice.clone(), self.weather.dice.below(self.plan.engines));
        let Some(process) = self.processes.get(number) else { return };
        let engine = process.engine.clone();
        let call: Call = match dice.below(12) {
            0..=2 => {
                let (flow, key, request) = self.request();
                Box::pin(async move {
                    CallOutcome::Triggered { flow, key, answer: engine.trigger(request).await }
                })
            }
            3..=7 => {
                let (text, inbound) = self.message();
                Box::pin(async move { CallOutcome::Received { text, answer: engine.receive(inbound).await } })
            }
            8 => {
                let mut asked = self.weather.asked.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let place = dice.below(asked.len());
                let Some(call) = asked.get(place).cloned() else { return };
                if !dice.one_in(3) {
                    asked.swap_remove(place);
                }
                let answer = answer_to(&call);
                Box::pin(async move { CallOutcome::Operated(engine.complete(call, answer).await.map(drop)) })
            }
            _ => {
                Box::pin(async move { CallOutcome::Ticked(engine.tick(4).await.map(|ticked| ticked.worked)) })
            }
        };
        self.tasks.push((number, call));
    }

    /// Time passes.
    fn pass(&mut self) {
        let dice = self.weather.dice.clone();
        let by = match dice.below(8) {
            0 if self.weather.happens(SimFault::ClockBack) => -TimeDelta::seconds(dice.below(3_600) as i64),
            1 if self.weather.happens(SimFault::ClockJump) => TimeDelta::minutes(dice.below(90) as i64),
            2 => TimeDelta::seconds(dice.below(200) as i64),
            _ => TimeDelta::milliseconds(dice.below(2_000) as i64),
        };
        self.now += by;
        self.latest = self.latest.max(self.now);
        for process in &self.processes {
            process.clock.advance(by);
        }
        if self.weather.happens(SimFault::ClockDrift) {
            let by = TimeDelta::milliseconds(dice.below(4_000) as i64 - 2_000);
            let number = dice.below(self.processes.len());
            self.processes.get(number).into_iter().for_each(|process| process.clock.set(self.now + by));
        }
    }

    /// Something gets in the way.
    fn trouble(&mut self) {
        let kinds: Vec<SimFault> = self.plan.faults.kinds().collect();
        let Some(kind) = kinds.get(self.weather.dice.below(kinds.len())).copied() else { return };
        if self.weather.dice.below(250) >= self.weather.faults.weight(kind) as usize {
            return;
        }
        let number = self.weather.dice.below(self.plan.engines);
        match kind {
            SimFault::Crash => {
                self.tasks.retain(|(engine, _)| *engine != number);
                let next = self.process(number);
                if let Some(process) = self.processes.get_mut(number) {
                    *process = next;
                }
            }
            SimFault::Burst => self.burst(),
            SimFault::DropFuture if !self.tasks.is_empty() => {
                let place = self.weather.dice.below(self.tasks.len());
                drop(self.tasks.swap_remove(place));
            }
            SimFault::LeaseLoss => {
                self.now += TimeDelta::minutes(2);
                self.latest = self.latest.max(self.now);
                self.processes.iter().for_each(|process| process.clock.advance(TimeDelta::minutes(2)));
            }
            kind => {
                if let Some(call) = self.operate(kind, number) {
                    self.tasks.push((number, call));
                }
            }
        }
    }

    pub(super) fn records(&self) -> Vec<SessionRecord> {
        let engine = self.plain();
        let mut all: Vec<SessionRecord> = Vec::new();
        loop {
            let filter = match all.last() {
                Some(last) => SessionFilter::all().after(last),
                None => SessionFilter::all(),
            };
            match at_once(engine.sessions(filter)) {
                Ok(page) if !page.is_empty() => all.extend(page),
                _ => return all,
            }
        }
    }

    /// The oracle's verdict on what is stored, if anything was written.
    fn look(&mut self) -> Option<String> {
        let writes = self.weather.writes.load(Ordering::Relaxed);
        if std::mem::replace(&mut self.looked_at, writes) != writes {
            let records = self.records();
            self.weather.oracle().look(&records);
        }
        self.weather.oracle().violation.clone()
    }

    /// All ends well: those at work stop, nothing fails any more, time passes.
    pub(super) fn end(&mut self) -> Option<String> {
        self.tasks.clear();
        self.weather.is_over.store(true, Ordering::Relaxed);
        // Calls that stop on the way may have sent what they did not settle.
        self.weather.oracle().is_calm = false;
        // Leases end, and so do pauses between attempts.
        self.now = self.latest + TimeDelta::minutes(10);
        if let Some(pass) = self.setting.pass {
            pass(self.setting.lease.unwrap_or(USUAL_LEASE));
        }
        self.processes = vec![self.process(0)];
        self.free_stranded();
        let horizon = self.now + TimeDelta::hours(48);
        while self.now < horizon {
            let Some((worked, due)) = self.tick_out() else { break };
            match due {
                Some(due) if due < horizon => self.now = due.max(self.now + TimeDelta::milliseconds(1)),
                _ => break,
            }
            // What is due by the simulation's clock may rest by the store's.
            if let Some(pass) = self.setting.pass.filter(|_| worked == 0) {
                pass(Duration::from_secs(1));
            }
            self.processes.iter().for_each(|process| process.clock.set(self.now));
        }
        let letters = at_once(self.plain().dead_letters(None)).unwrap_or_default();
        let records = self.records();
        let people = self.people_of_all(&records);
        self.weather.oracle().end(&records, &letters, &people);
        self.meet();
        self.weather.oracle().violation.clone()
    }

    /// Ends sessions of versions that only processes had which are gone: an operator would.
    fn free_stranded(&mut self) {
        let engine = self.plain();
        for stranded in at_once(engine.stranded(SessionFilter::all())).unwrap_or_default() {
            self.ends_from_outside(&stranded.record);
            let _ = at_once(engine.cancel(stranded.record.session().id()));
        }
    }

    fn people_of_all(&self, records: &[SessionRecord]) -> HashMap<ContactId, Vec<Person>> {
        let contacts: BTreeSet<&ContactId> = records.iter().map(SessionRecord::contact).collect();
        contacts.into_iter().map(|contact| (contact.clone(), self.people_of(contact))).collect()
    }

    /// Each address leads to who has it, and those of one person lead to one contact once a message
    /// has named them.
    fn meet(&mut self) {
        let engine = self.plain();
        let at = |text: &str| at_once(engine.contact_at(&address_of(text).ok()?)).ok().flatten();
        for person in (0..self.plan.contacts).map(Person) {
            let addresses = person.addresses();
            for text in &addresses {
                let has = |own: &crate::address::Address| own.to_string() == *text;
                let leads = at(text).is_none_or(|contact| contact.addresses.iter().any(has));
                self.weather.oracle().check(leads, || format!("A6: {text} leads to who does not have it"));
            }
            let [phone, id, _] = addresses;
            let is_loose = self.weather.oracle().loose.contains(&person);
            if is_loose || (at(&phone).is_none() && at(&id).is_none()) {
                continue;
            }
            let both = Inbound::text(Channel::WhatsApp, SHOP, &id, "both").also_written(&phone);
            let received = at_once(engine.receive(both));
            let ids = [&phone, &id].map(|text| at(text).map(|contact| contact.id));
            self.weather
                .oracle()
                .check(ids[0] == ids[1], || format!("A1: one person is two contacts, {ids:?}: {received:?}"));
        }
    }

    /// Ticks until nothing is due now, and answers how many were worked and when something is due;
    /// None: the oracle has spoken.
    fn tick_out(&mut self) -> Option<(usize, Option<DateTime<Utc>>)> {
        let mut worked = 0;
        for _ in 0..200 {
            let engine = self.processes.first()?.engine.clone();
            match at_once(engine.tick(16)) {
                Ok(ticked) if ticked.worked == 0 => return Some((worked, ticked.next_due)),
                Ok(ticked) => worked += ticked.worked,
                Err(error) => self
                    .weather
                    .oracle()
                    .violation
                    .get_or_insert(format!("T3: a tick fails: {error}"))
                    .truncate(500),
            }
            if self.look().is_some() {
                return None;
            }
        }
        self.weather
            .oracle()
            .violation
            .get_or_insert_with(|| "T3: something is due again and again".to_owned());
        None
    }
}
