//! One seed plays engines that share a store: calls that interleave at every operation, faults,
//! crashes, clocks that jump. Checkers look after every write; mutants of the store show that each
//! of them can fire.

mod checks;
mod crowd;
mod dice;
mod people;
mod rich;
mod store;
mod wire;

use std::any::Any;
use std::collections::{BTreeSet, HashSet};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use chatflow::calls::{Answer, CallRef};
use chatflow::pace::{Pace, Rate};
use chatflow::store::MemoryFlows;
use chatflow::testkit::{CountingIds, ManualClock};
use chatflow::{
    Clock, ContactId, Engine, Inbound, MemoryStore, MessageId, Session, SessionId, Status, TriggerRequest,
    call_fn,
};
use chrono::{DateTime, TimeDelta, Utc};
use pollster::block_on;

use self::checks::{Checks, Done};
use self::dice::Dice;
use self::people::People;
use self::store::{MUTANTS, Mutant, SimStore, Weather};
use self::wire::SimWire;
use crate::kit::sessions_of;
use crate::races::diary;
use crate::scenarios::{SHOP, flows};

const ENGINES: usize = 3;
const STEPS: usize = 400;
/// The contacts; one is busier than the other.
const PHONES: [&str; 3] = ["+14155550123", "+14155550123", "+14155550124"];

type Call = Pin<Box<dyn Future<Output = Done>>>;

struct Task {
    engine: usize,
    call: Call,
}

struct Sim {
    dice: Dice,
    weather: Weather,
    clock: ManualClock,
    latest: DateTime<Utc>,
    store: SimStore,
    wire: SimWire,
    flows: Arc<MemoryFlows>,
    ids: CountingIds,
    engines: Vec<Engine<SimStore>>,
    tasks: Vec<Task>,
    checks: Checks,
    /// The calls that the host was asked.
    asked: Arc<Mutex<Vec<CallRef>>>,
    /// The number of calls that people began.
    spoken: usize,
}

impl Sim {
    fn new(seed: u64, weather: Weather) -> Self {
        let dice = Dice::new(seed);
        let memory = Arc::new(MemoryStore::new());
        let healed = Arc::new(Mutex::new(false));
        let store = SimStore {
            memory: Arc::clone(&memory),
            dice: dice.clone(),
            weather,
            healed: Arc::clone(&healed),
            written: Arc::default(),
            before: Arc::default(),
        };
        let wire = SimWire {
            memory,
            dice: dice.clone(),
            weather,
            healed,
            seen: Arc::default(),
            broken: Arc::default(),
        };
        let clock = ManualClock::default();
        let mut sim = Self {
            dice,
            weather,
            latest: clock.now(),
            clock,
            store,
            wire,
            flows: Arc::default(),
            ids: CountingIds::new(),
            engines: Vec::new(),
            tasks: Vec::new(),
            checks: Checks::default(),
            asked: Arc::default(),
            spoken: 0,
        };
        let host = sim.engine();
        let plain = || [vec![diary()], flows(&["ask", "once", "later", "quick"])].concat();
        for flow in if weather.rich { rich::all_flows() } else { plain() } {
            let status = block_on(host.flows().ensure(&flow)).expect("the flow is sound");
            block_on(host.flows().set_logging(&status.flow, weather.rich)).expect("the flow is there");
        }
        sim.engines = (0..ENGINES).map(|_| sim.engine()).collect();
        sim
    }

    fn engine(&self) -> Engine<SimStore> {
        let dice = self.dice.clone();
        let Weather { calm, rich, paced, .. } = self.weather;
        let asked = Arc::clone(&self.asked);
        let pace = Pace {
            per_account: paced.then_some(Rate::per_second(5).burst(3)),
            per_contact: paced.then_some(Rate::per_second(1).burst(2)),
        };
        Engine::builder(self.store.clone())
            .pace(pace)
            .expect("a sound pace")
            .clock(self.clock.clone())
            .ids(self.ids.clone())
            .flow_store(Arc::clone(&self.flows))
            .transport(self.wire.clone())
            .calls(call_fn(move |call: chatflow::calls::Call| {
                let fails = !calm && dice.one_in(6);
                asked.lock().unwrap().push(call.reference);
                let answer = if rich { Sim::rich_answer(&dice) } else { Answer::now("it") };
                async move { if fails { Err(chatflow::CallError::retry("by the dice")) } else { Ok(answer) } }
            }))
            .build()
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Begins a call of the dice's choice.
    fn begin(&mut self) {
        if self.weather.people != People::Apart {
            let (engine, call) = self.begin_of_people();
            self.tasks.push(Task { engine, call });
            return;
        }
        if self.weather.rich {
            if let Some((engine, call)) = self.begin_rich() {
                self.tasks.push(Task { engine, call });
            }
            return;
        }
        let number = self.dice.below(ENGINES);
        let engine = self.engines[number].clone();
        let phone = PHONES[self.dice.below(PHONES.len())];
        let call: Pin<Box<dyn Future<Output = Done>>> = match self.dice.below(10) {
            0..=2 => {
                let flow = ["diary", "diary", "ask", "once", "later", "quick"][self.dice.below(6)];
                let key = (!self.dice.one_in(4)).then(|| format!("{phone}-{}", self.dice.below(6)));
                let request = TriggerRequest::new(flow).phone(phone);
                let request = match &key {
                    Some(key) => request.uuid(key),
                    None => request,
                };
                Box::pin(async move { Done::Triggered(flow.to_owned(), key, engine.trigger(request).await) })
            }
            3..=6 => {
                let id = format!("{phone}-{}", self.dice.below(30));
                let inbound = Inbound::text(chatflow::Channel::WhatsApp, SHOP, phone, &id).id(&id);
                Box::pin(async move { Done::Received(id, engine.receive(inbound).await) })
            }
            7 if self.dice.one_in(3) && !self.checks.live.is_empty() => {
                let mut live: Vec<SessionId> = self.checks.live.keys().copied().collect();
                live.sort();
                let session = live[self.dice.below(live.len())];
                Box::pin(async move { Done::Other(engine.cancel(session).await.map(|_| ())) })
            }
            8 if self.dice.one_in(4) => {
                let mut contacts: Vec<ContactId> = self.contacts().into_iter().collect();
                contacts.sort();
                let Some(contact) = contacts.get(self.dice.below(contacts.len().max(1))).cloned() else {
                    return;
                };
                let out = self.dice.one_in(2);
                if out {
                    self.wire.seen.lock().unwrap().opted_out.insert(contact.clone());
                }
                Box::pin(async move {
                    let changed =
                        if out { engine.opt_out(&contact).await } else { engine.opt_in(&contact).await };
                    Done::Other(changed)
                })
            }
            _ => Box::pin(async move { Done::Other(engine.tick(4).await.map(|_| ())) }),
        };
        self.tasks.push(Task { engine: number, call });
    }

    /// Lets one call proceed to its next operation.
    fn go_on(&mut self) {
        let place = self.dice.below(self.tasks.len());
        let task = &mut self.tasks[place];
        if let Poll::Ready(done) = task.call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            drop(self.tasks.swap_remove(place));
            self.checks.answered(done);
        }
        self.wire.raise();
        self.checks.look(&self.store);
    }

    fn pass(&mut self) {
        let by = match self.dice.below(12) {
            0 if !self.weather.calm => -TimeDelta::seconds(self.dice.below(3_600) as i64),
            1..=4 => TimeDelta::seconds(self.dice.below(90) as i64),
            5 => TimeDelta::minutes(self.dice.below(20) as i64),
            _ => TimeDelta::milliseconds(self.dice.below(900) as i64),
        };
        self.clock.advance(by);
        self.latest = self.latest.max(self.now());
    }

    fn step(&mut self) {
        match self.dice.below(20) {
            0..=3 if self.tasks.len() < 6 => self.begin(),
            4 if !self.weather.calm || self.tasks.is_empty() => self.pass(),
            5 if !self.weather.calm && self.dice.one_in(4) => {
                let dead = self.dice.below(ENGINES);
                self.tasks.retain(|task| task.engine != dead);
                self.engines[dead] = self.engine();
            }
            _ if !self.tasks.is_empty() => self.go_on(),
            _ => {}
        }
    }

    /// All ends well: all who are left stop, nothing fails any more, time passes.
    fn end(&mut self) {
        if self.weather.calm {
            while !self.tasks.is_empty() {
                self.go_on();
            }
        }
        self.tasks.clear();
        *self.wire.healed.lock().unwrap() = true;
        let leases_end = if self.weather.calm { TimeDelta::zero() } else { TimeDelta::seconds(61 + 64) };
        self.clock.set(self.latest + leases_end);
        let engine = self.engine();
        self.tick_out(&engine);
        self.check_nothing_waits();
        let horizon = self.now() + TimeDelta::hours(if self.weather.rich { 96 } else { 3 });
        while let Some(due) = self.tick_out(&engine).filter(|due| *due < horizon) {
            self.clock.set(due.max(self.now() + TimeDelta::milliseconds(1)));
        }
        for record in sessions_of(&*self.store.memory) {
            let session = record.session();
            assert!(!session.status().is_live(), "INV-T3: never ends: {session:?}");
            self.check_sent(session, record.contact());
        }
        self.check_nothing_is_gone();
        self.check_people();
    }

    /// INV-A5: whatever becomes of its contact, a session that a call answered with is there.
    fn check_nothing_is_gone(&self) {
        let there: HashSet<SessionId> =
            sessions_of(&*self.store.memory).iter().map(|record| record.session().id()).collect();
        for session in &self.checks.started {
            assert!(there.contains(session), "INV-A5: session {session} is gone");
        }
    }

    /// Ticks until nothing is due now. Answers when something is.
    fn tick_out(&mut self, engine: &Engine<SimStore>) -> Option<DateTime<Utc>> {
        for _ in 0..200 {
            let ticked = block_on(engine.tick(8)).expect("nothing fails any more");
            self.wire.raise();
            self.checks.look(&self.store);
            if ticked.worked == 0 {
                self.check_nothing_is_awaited_in_vain();
                return ticked.next_due;
            }
        }
        panic!("INV-T3: something is due forever");
    }

    /// INV-O2, INV-T3: once nothing is due, every message but those that are to be tried again
    /// later is settled.
    fn check_nothing_waits(&self) {
        for contact in self.contacts() {
            let stored = self.store.stored(&contact).expect("it has sessions");
            let conversation = stored.record.conversation().expect("readable");
            for unsent in conversation.outbox().iter().filter(|unsent| unsent.seq > stored.settled) {
                let later = conversation.outbox().iter().any(|head| {
                    head.seq > stored.settled && head.seq <= unsent.seq && head.not_before > self.now()
                });
                assert!(later, "INV-O2: number {} waits though it is due", unsent.seq);
            }
        }
    }

    /// INV-T3: a session that waits for what becomes of a message has one that is on its way.
    fn check_nothing_is_awaited_in_vain(&self) {
        for contact in self.contacts() {
            let stored = self.store.stored(&contact).expect("it has sessions");
            let conversation = stored.record.conversation().expect("readable");
            let sessions = conversation.sessions();
            if sessions.iter().any(|session| session.status() == Status::Handoff) {
                continue;
            }
            for awaited in sessions.iter().filter_map(Session::awaits) {
                let mut unsent = conversation.outbox().iter().filter(|unsent| unsent.seq > stored.settled);
                assert!(unsent.any(|unsent| unsent.message.id == awaited), "INV-T3: waits for {awaited:?}");
            }
        }
    }

    fn contacts(&self) -> HashSet<ContactId> {
        sessions_of(&*self.store.memory).iter().map(|record| record.contact().clone()).collect()
    }

    /// INV-O2: what a session sent has arrived, or is a dead letter, or was dropped with the
    /// session.
    fn check_sent(&self, session: &Session, contact: &ContactId) {
        if session.ended_by().is_some() || self.weather.people.drops() {
            return;
        }
        let json = serde_json::to_value(session).expect("it has a form");
        let sent = json["sent"].as_u64().expect("a number");
        let seen = self.wire.seen.lock().unwrap();
        if seen.opted_out.contains(contact) {
            return;
        }
        let mut known: HashSet<MessageId> = seen.accepted.union(&seen.refused).copied().collect();
        let stored = self.store.stored(contact).expect("it has sessions");
        let letters = stored.record.conversation().expect("readable").dead_letters().to_vec();
        known.extend(letters.iter().map(|letter| letter.message.id));
        known.retain(|id| id.session == session.id() && !seen.signs.contains(id));
        assert_eq!(known.len(), sent as usize, "INV-O2: {session:?}");
    }
}

/// Plays one round. Answers the kinds of inputs that journals have of it; the error is what a
/// checker said.
fn play(seed: u64, weather: Weather) -> Result<BTreeSet<&'static str>, String> {
    let round = || {
        let mut sim = Sim::new(seed, weather);
        for _ in 0..STEPS {
            sim.step();
        }
        sim.end();
        if weather.rich { sim.check_journals() } else { BTreeSet::new() }
    };
    catch_unwind(AssertUnwindSafe(round)).map_err(|what| said(&*what))
}

/// The text of a panic.
fn said(what: &(dyn Any + Send)) -> String {
    let text = what.downcast_ref::<String>().cloned();
    text.or_else(|| what.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn play_many(weather: Weather, rounds: u64) -> BTreeSet<&'static str> {
    let mut taken = BTreeSet::new();
    let seeds = match from_env("CHATFLOW_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..from_env("CHATFLOW_ROUNDS").unwrap_or(rounds),
    };
    for seed in seeds {
        let weather = Weather { whole: seed % 3 == 0, ..weather };
        match play(seed, weather) {
            Ok(inputs) => taken.extend(inputs),
            Err(what) => panic!("CHATFLOW_SEED={seed} ({weather:?}): {what}"),
        }
    }
    taken
}

/// INV-S1 to S6, K1, K3, M1 to M3, O1 to O5, T2, T3, R4: engines that share a store, without a
/// fault.
#[test]
fn engines_in_calm_weather_keep_every_invariant() {
    play_many(Weather { calm: true, ..Weather::default() }, 20);
}

/// The same with faults, crashes and clocks that jump, without O5: INV-R1, R2, R3, L5, T4.
#[test]
fn engines_in_a_storm_keep_every_invariant() {
    play_many(Weather::default(), 40);
}

/// All of them where messages leave at a pace (SEMANTICS D7), as what waits for its turn meets
/// whatever may happen.
#[test]
fn a_pace_breaks_no_invariant() {
    let paced = Weather { paced: true, ..Weather::default() };
    play_many(Weather { calm: true, ..paced }, 10);
    play_many(paced, 20);
    play_many(Weather { calm: true, rich: true, ..paced }, 10);
    play_many(Weather { rich: true, ..paced }, 20);
}

/// The same two with everything that flows and hosts can do, and L6: every journal leads to its
/// session.
#[test]
fn whatever_flows_and_hosts_do_every_invariant_holds() {
    let rich = Weather { rich: true, ..Weather::default() };
    let mut taken = play_many(Weather { calm: true, ..rich }, 20);
    taken.extend(play_many(rich, 40));
    let all = [
        "start",
        "reply",
        "deadline",
        "expiry",
        "result",
        "sent",
        "end",
        "jump",
        "handoff",
        "resume",
        "touch",
        "thaw",
        "reminder",
        "queue",
        "report",
        "handed",
        "call_later",
        "held",
    ];
    let missing: Vec<_> = all.iter().filter(|input| !taken.contains(*input)).collect();
    assert!(missing.is_empty() || from_env("CHATFLOW_SEED").is_some(), "nothing took {missing:?}");
}

/// The same where people have two addresses each, and it turns out that they do: INV-A1, A5, A6.
#[test]
fn people_who_turn_out_to_be_one_keep_every_invariant() {
    for people in [People::Meeting, People::Leaving, People::Moving] {
        let weather = Weather { people, ..Weather::default() };
        play_many(Weather { calm: true, ..weather }, 20);
        play_many(weather, 30);
    }
}

/// A checker that cannot fire proves nothing: for each mutant of the store some round fails.
#[test]
fn each_mutant_of_the_store_is_caught() {
    for mutant in MUTANTS {
        let caught = (0..60).find_map(|seed| {
            let calm = seed % 2 == 0;
            let is_of_people = matches!(mutant, Mutant::KeepsAbsorbed | Mutant::LosesAbsorbed);
            let people = if is_of_people { People::Meeting } else { People::Apart };
            play(seed, Weather { calm, people, mutant: Some(mutant), ..Weather::default() }).err()
        });
        let what = caught.unwrap_or_else(|| panic!("{mutant:?} is not caught"));
        assert!(what.contains("INV-"), "{mutant:?} is caught by accident: {what}");
    }
}
