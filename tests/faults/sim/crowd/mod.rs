//! One seed plays a crowd: processes whose loops run all the time, contacts who write at once,
//! channels that are slow or never answer or panic, records that are damaged, processes of other
//! builds. Time is virtual. What must hold is checked of every answer and at the end; plants show
//! that each check can fire.

mod oracle;
mod plan;
mod time;
mod town;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use chatflow::address::{Alias, Phone};
use chatflow::limits::Limits;
use chatflow::pace::{Pace, Rate};
use chatflow::store::{
    Commit, Committed, ConversationStore, Lookup, MemoryFlows, StoredConversation, Subject, Token,
};
use chatflow::testkit::CountingIds;
use chatflow::{
    Address, Channel, ContactId, Engine, Error, Inbound, Received, Session, TriggerRequest, WorkspaceId,
};
use chrono::{DateTime, TimeDelta, Utc};
use pollster::block_on;
use uuid::Uuid;

use self::plan::{SIZE, SMALL, large, shop};
use self::time::{Task, Time};
use self::town::{DIES, TownStore, TownWire, damaged};
use super::dice::Dice;
use crate::scenarios::SHOP;

/// The faults of a round.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Troubles {
    /// Some sends take ten seconds, some never end.
    pub(super) slow: bool,
    /// Some sends panic, and some end the process, which is started again.
    pub(super) poison: bool,
    /// Many messages of one contact at the same moment.
    pub(super) bursts: bool,
    /// Some of those come twice at once.
    pub(super) twins: bool,
    /// Processes restart with an edited flow, which they keep to themselves.
    pub(super) editions: bool,
    /// One process has smaller limits, by which it cannot read all flows.
    pub(super) limits: bool,
    /// A handoff that is touched many times comes between a message and its redelivery.
    pub(super) again: bool,
    /// Messages of people whom nobody knows.
    pub(super) strangers: bool,
    /// Stored records are changed.
    pub(super) damage: bool,
    /// The store fails.
    pub(super) faults: bool,
    /// There is one process.
    pub(super) alone: bool,
    /// Each process sends one message a second.
    pub(super) paced: bool,
}

/// A defect that is planted for a check to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plant {
    /// The number of a version is all that is kept of it.
    ForgetsTexts,
    /// The same, and a process that cannot read a flow has a shorter one under its number.
    CutsFlows,
    /// One send at a time.
    HasOneLine,
    /// There is one count of claims for all conversations.
    CountsForAll,
    /// A commit never finds the revision it expects.
    AlwaysConflicts,
    /// The outcome of a message is not kept.
    ForgetsMessages,
    /// A contact that is looked up is written down.
    KeepsStrangers,
    /// A write that may have been done is said not to have been.
    CallsUnknownTransient,
    /// A conversation that cannot be read is not set aside.
    IgnoresQuarantine,
    /// One process knows of no pace.
    ForgetsPace,
}

/// The outcome of a task of a crowd.
enum Done {
    Told(Call, Result<Answer, Error>),
    Other,
}

enum Answer {
    Received(Received),
    Other,
}

/// An act of a contact or a host.
#[derive(Clone, Debug)]
enum Act {
    Trigger {
        flow: &'static str,
        key: String,
    },
    Say {
        id: String,
    },
    HandOver,
    Touch,
    HandBack,
    /// A message of three days ago, and one that nobody wants.
    Strange {
        id: String,
    },
}

#[derive(Clone, Debug)]
struct Call {
    phone: String,
    act: Act,
    attempt: usize,
    /// True if nobody else hands this in at the same time.
    sole: bool,
    begun: DateTime<Utc>,
}

enum Event {
    Call(Call),
    Damage(String),
    /// A process ends, or one takes the place of another.
    Stop(usize),
    Restart(usize),
}

/// A process: its engine, its loop, the calls that it answers.
struct Process {
    engine: Engine<TownStore>,
    flows: Arc<MemoryFlows>,
    tasks: Vec<(Option<Call>, Task<Done>)>,
}

struct Crowd {
    dice: Dice,
    troubles: Troubles,
    time: Time,
    store: TownStore,
    wire: TownWire,
    shared: Arc<MemoryFlows>,
    ids: CountingIds,
    processes: Vec<Process>,
    events: BTreeMap<(DateTime<Utc>, usize), Event>,
    count: usize,
    /// Every phone that was named to an engine on purpose.
    phones: BTreeSet<String>,
    damaged: BTreeSet<ContactId>,
    /// The answer that each message id was given first, other than that it is a duplicate.
    verdicts: HashMap<String, Received>,
    /// The ids of messages that some call was told it had brought first.
    told: HashSet<String>,
    polls: usize,
}

impl Crowd {
    fn new(seed: u64, troubles: Troubles, plant: Option<Plant>) -> Self {
        let (dice, time) = (Dice::new(seed), Time::default());
        let store = TownStore {
            memory: Arc::default(),
            time: time.clone(),
            dice: dice.clone(),
            troubles,
            plant,
            claims: Arc::default(),
            healed: Arc::default(),
            fails: Arc::default(),
        };
        let wire = TownWire {
            time: time.clone(),
            seen: Arc::default(),
            plant,
            line: Arc::default(),
            has_died: Arc::default(),
        };
        let shared = Arc::new(MemoryFlows::default());
        let mut crowd = Self {
            dice,
            troubles,
            time,
            store,
            wire,
            shared: Arc::clone(&shared),
            ids: CountingIds::new(),
            processes: Vec::new(),
            events: BTreeMap::new(),
            count: 0,
            phones: BTreeSet::new(),
            damaged: BTreeSet::new(),
            verdicts: HashMap::new(),
            told: HashSet::new(),
            polls: 0,
        };
        // What a host does before it opens, on a store that does not wait.
        for flow in [shop(1), large(SIZE)] {
            crowd.publish(&shared, &flow);
        }
        let processes = if troubles.alone { 1 } else { 3 };
        crowd.processes = (0..processes).map(|number| crowd.process(number, Arc::clone(&shared))).collect();
        if plant == Some(Plant::CutsFlows) {
            let own = Arc::new(MemoryFlows::default());
            crowd.publish(&own, &shop(1));
            crowd.publish(&own, &large(3));
            crowd.processes[0] = crowd.process(0, own);
        }
        crowd.plan();
        crowd
    }

    fn publish(&self, flows: &Arc<MemoryFlows>, flow: &str) {
        let host = Engine::builder(Arc::clone(&self.store.memory)).clock(self.time.clock.clone());
        block_on(host.flow_store(Arc::clone(flows)).build().flows().ensure(flow)).expect("a sound flow");
    }

    fn process(&self, number: usize, flows: Arc<MemoryFlows>) -> Process {
        let is_small = self.troubles.limits && number == 0 && !self.troubles.alone;
        let limits = Limits { nodes: if is_small { SMALL } else { 1_000 }, ..Limits::default() };
        let is_paced = self.troubles.paced && !(number == 0 && self.store.plant == Some(Plant::ForgetsPace));
        let rate = is_paced.then_some(Rate::per_second(1).burst(1));
        let engine = Engine::builder(self.store.clone())
            .pace(Pace { per_account: rate, ..Pace::default() })
            .expect("a sound pace")
            .clock(self.time.clock.clone())
            .ids(self.ids.clone())
            .flow_store(Arc::clone(&flows))
            .transport(self.wire.clone())
            .limits(limits)
            .build();
        let (runner, time) = (engine.clone(), self.time.clone());
        let run = async move {
            runner.run(Duration::from_secs(2), move |by| time.sleep(by)).await;
        };
        let run = Task::new(async move {
            run.await;
            Done::Other
        });
        Process { engine, flows, tasks: vec![(None, run)] }
    }

    fn at(&mut self, seconds: f64, event: Event) {
        self.count += 1;
        let at = self.time.now() + TimeDelta::milliseconds((seconds * 1_000.0) as i64);
        self.events.insert((at, self.count), event);
    }

    fn call(&mut self, seconds: f64, phone: &str, act: Act, sole: bool) {
        let call = Call { phone: phone.to_owned(), act, attempt: 0, sole, begun: self.time.now() };
        self.at(seconds, Event::Call(call));
    }

    fn id(&mut self, phone: &str) -> String {
        self.count += 1;
        format!("{phone}-{}", self.count)
    }

    fn trigger(&mut self, seconds: f64, phone: &str, flow: &'static str) {
        self.phones.insert(phone.to_owned());
        let key = self.id(phone);
        self.call(seconds, phone, Act::Trigger { flow, key }, true);
    }

    fn say(&mut self, seconds: f64, phone: &str) -> String {
        let id = self.id(phone);
        self.call(seconds, phone, Act::Say { id: id.clone() }, true);
        id
    }

    fn some(&self, below: usize) -> f64 {
        self.dice.below(below) as f64
    }

    fn stored(&self, phone: &str) -> Option<StoredConversation> {
        let alias = Alias::Address(Address::Phone(Phone::parse(phone).expect("a number")));
        let (subject, token) = (Subject::Alias(alias), Token(Uuid::nil()));
        let lookup = Lookup::new(WorkspaceId::default(), subject, token, self.time.now());
        block_on(self.store.memory.load(&lookup)).expect("memory answers").conversation
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Call(call) => self.begin(call),
            Event::Stop(number) => {
                let tasks = std::mem::take(&mut self.processes[number].tasks);
                tasks.into_iter().filter_map(|(call, _)| call).for_each(|call| self.again(call));
            }
            Event::Restart(number) => {
                let flows = if !self.troubles.editions || self.dice.one_in(3) {
                    Arc::clone(&self.shared)
                } else {
                    let own = Arc::new(MemoryFlows::default());
                    self.publish(&own, &shop(2 + self.dice.below(2)));
                    self.publish(&own, &large(SIZE));
                    own
                };
                self.restart(number, flows);
            }
            Event::Damage(phone) => {
                let Some(stored) = self.stored(&phone) else { return };
                let Ok(_) = stored.record.conversation() else { return };
                let mut commit = Commit::new(
                    WorkspaceId::default(),
                    stored.contact.clone(),
                    Some(stored.revision),
                    damaged(&stored.record, &self.dice),
                    self.time.now(),
                );
                commit.due_at = Some(self.time.now());
                let committed = block_on(self.store.memory.commit(commit)).expect("memory answers");
                assert!(matches!(committed, Committed::Applied { .. }), "{committed:?}");
                self.damaged.insert(stored.contact);
            }
        }
    }

    /// The process dies, and another takes its place; what it was asked is asked again.
    fn restart(&mut self, number: usize, flows: Arc<MemoryFlows>) {
        let next = self.process(number, flows);
        let dead = std::mem::replace(&mut self.processes[number], next);
        for call in dead.tasks.into_iter().filter_map(|(call, _)| call) {
            self.again(call);
        }
    }

    /// A host that got no answer hands a call in again, to whichever process it reaches.
    fn again(&mut self, call: Call) {
        let most = if call.phone.starts_with(DIES) { 2 } else { 30 };
        if call.attempt < most {
            self.at(5.0, Event::Call(Call { attempt: call.attempt + 1, ..call }));
        }
    }

    fn begin(&mut self, call: Call) {
        let number = self.dice.below(self.processes.len());
        if self.processes[number].tasks.is_empty() {
            return self.again(call);
        }
        let engine = self.processes[number].engine.clone();
        let call = Call { begun: self.time.now(), ..call };
        let stored = self.stored(&call.phone);
        let session = stored.as_ref().and_then(|stored| {
            let conversation = stored.record.conversation().ok()?;
            conversation.sessions().iter().find(|session| session.flow().as_str() == "shop").map(Session::id)
        });
        let contact = stored.map(|stored| stored.contact);
        let asked = call.clone();
        let now = self.time.now();
        let work = async move {
            let answer = match &asked.act {
                Act::Trigger { flow, key } => {
                    let request = TriggerRequest::new(*flow).phone(&asked.phone).uuid(key);
                    engine.trigger(request).await.map(|_| Answer::Other)
                }
                Act::Say { id } => {
                    let inbound = Inbound::text(Channel::WhatsApp, SHOP, &asked.phone, id).id(id);
                    engine.receive(inbound).await.map(Answer::Received)
                }
                Act::HandOver => match session {
                    Some(session) => engine.handoff(session).await.map(|_| Answer::Other),
                    None => Ok(Answer::Other),
                },
                Act::Touch | Act::HandBack if contact.is_none() => Ok(Answer::Other),
                Act::Touch => engine.touch(&contact.expect("it is there")).await.map(|_| Answer::Other),
                Act::HandBack => {
                    let vars = serde_json::json!({});
                    let back = engine.resume_from_handoff(&contact.expect("it is there"), vars).await;
                    back.map(|_| Answer::Other)
                }
                Act::Strange { id } => {
                    let inbound = Inbound::text(Channel::WhatsApp, SHOP, &asked.phone, id).id(id);
                    let old = inbound.clone().timestamp(now - TimeDelta::days(3));
                    match engine.receive(old).await {
                        Ok(_) => engine.receive(inbound).await.map(Answer::Received),
                        Err(error) => Err(error),
                    }
                }
            };
            Done::Told(asked, answer)
        };
        self.processes[number].tasks.push((Some(call), Task::new(work)));
    }

    /// Lets all tasks run that can, until none can before this instant.
    fn go_on_until(&mut self, end: DateTime<Utc>) {
        loop {
            let woken: Vec<(usize, usize)> = (0..self.processes.len())
                .flat_map(|process| {
                    let tasks = self.processes[process].tasks.iter().enumerate();
                    let woken = tasks.filter(|(_, (_, task))| task.is_woken());
                    woken.map(|(place, _)| (process, place)).collect::<Vec<_>>()
                })
                .collect();
            if !woken.is_empty() {
                let (process, place) = woken[self.dice.below(woken.len())];
                self.poll(process, place);
                continue;
            }
            let event = self.events.first_key_value().map(|((at, _), _)| *at);
            let next = [event, self.time.next()].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.time.advance_to(next);
            while let Some(entry) = self.events.first_entry().filter(|entry| entry.key().0 <= next) {
                let event = entry.remove();
                self.happens(event);
            }
        }
        self.time.advance_to(end);
    }

    fn poll(&mut self, process: usize, place: usize) {
        self.polls += 1;
        assert!(self.polls < 3_000_000, "busy: nothing comes to an end");
        let (_, task) = &mut self.processes[process].tasks[place];
        match catch_unwind(AssertUnwindSafe(|| task.poll())) {
            Ok(Poll::Pending) if self.wire.has_died.swap(false, Ordering::SeqCst) => {
                let flows = Arc::clone(&self.processes[process].flows);
                self.restart(process, flows);
            }
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(done)) => {
                drop(self.processes[process].tasks.swap_remove(place));
                if let Done::Told(call, answer) = done {
                    self.told(call, answer);
                }
            }
            Err(what) => panic!("damage: the engine panics: {}", super::said(&*what)),
        }
    }
}

/// Plays one round; the error is what a check said.
fn play(seed: u64, troubles: Troubles, plant: Option<Plant>) -> Result<(), String> {
    let round = || {
        let mut crowd = Crowd::new(seed, troubles, plant);
        let begin = crowd.time.now();
        crowd.go_on_until(begin + TimeDelta::minutes(20));
        *crowd.store.healed.lock().unwrap() = true;
        crowd.go_on_until(begin + TimeDelta::minutes(60));
        crowd.check();
    };
    catch_unwind(AssertUnwindSafe(round)).map_err(|what| super::said(&*what))
}

fn play_many(troubles: Troubles) {
    let seeds = match super::from_env("CHATFLOW_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..super::from_env("CHATFLOW_ROUNDS").unwrap_or(8),
    };
    for seed in seeds {
        if let Err(what) = play(seed, troubles, None) {
            panic!("CHATFLOW_SEED={seed} ({troubles:?}): {what}");
        }
    }
}

#[test]
fn in_a_calm_crowd_everybody_is_answered_on_time() {
    play_many(Troubles::default());
}

/// S13, S5
#[test]
fn a_session_speaks_the_text_that_it_started_on() {
    play_many(Troubles { editions: true, ..Troubles::default() });
}

/// S14
#[test]
fn a_process_that_cannot_read_a_flow_leaves_its_sessions_alone() {
    play_many(Troubles { limits: true, ..Troubles::default() });
}

#[test]
fn a_send_that_never_ends_holds_nobody() {
    play_many(Troubles { slow: true, ..Troubles::default() });
}

#[test]
fn a_contact_whose_sends_panic_or_end_the_process_harms_no_neighbour() {
    play_many(Troubles { poison: true, ..Troubles::default() });
}

#[test]
fn many_messages_at_once_are_all_answered_in_one_process() {
    play_many(Troubles { bursts: true, alone: true, ..Troubles::default() });
}

#[test]
fn many_messages_at_once_are_answered_once_each_by_many_processes() {
    play_many(Troubles { bursts: true, twins: true, faults: true, ..Troubles::default() });
}

#[test]
fn a_redelivery_is_known_whatever_came_between() {
    play_many(Troubles { again: true, ..Troubles::default() });
}

#[test]
fn strangers_leave_no_record() {
    play_many(Troubles { strangers: true, ..Troubles::default() });
}

#[test]
fn a_damaged_record_is_set_aside_or_worked() {
    play_many(Troubles { damage: true, ..Troubles::default() });
}

#[test]
fn what_is_said_not_to_be_done_is_not_done() {
    play_many(Troubles { faults: true, ..Troubles::default() });
}

/// D7
#[test]
fn messages_leave_no_faster_than_their_pace() {
    play_many(Troubles { paced: true, ..Troubles::default() });
    play_many(Troubles { paced: true, alone: true, bursts: true, ..Troubles::default() });
}

/// A check that cannot fire proves nothing: whatever is planted is found, by the check that is
/// meant for it.
#[test]
fn each_plant_is_found() {
    let calm = Troubles::default();
    let plants = [
        (Plant::ForgetsTexts, Troubles { editions: true, ..calm }, "editions: "),
        (Plant::CutsFlows, Troubles { limits: true, ..calm }, "limits: "),
        (Plant::HasOneLine, Troubles { slow: true, ..calm }, "late: "),
        (Plant::CountsForAll, Troubles { poison: true, ..calm }, "neighbours: "),
        (Plant::AlwaysConflicts, Troubles { bursts: true, alone: true, ..calm }, "contention: "),
        (Plant::ForgetsMessages, Troubles { again: true, ..calm }, "redelivery: "),
        (Plant::KeepsStrangers, Troubles { strangers: true, ..calm }, "strangers: "),
        (Plant::CallsUnknownTransient, Troubles { faults: true, ..calm }, "unknown: "),
        (Plant::IgnoresQuarantine, Troubles { damage: true, ..calm }, "damage: "),
        (Plant::ForgetsPace, Troubles { paced: true, ..calm }, "pace: "),
    ];
    for (plant, troubles, check) in plants {
        let found = (0..8).find_map(|seed| play(seed, troubles, Some(plant)).err());
        let what = found.unwrap_or_else(|| panic!("{plant:?} is not found"));
        assert!(what.starts_with(check), "{plant:?} is found by accident: {what}");
    }
}
