//! One seed plays engines that share a store: calls that interleave at every operation, faults, crashes, clocks
//! that jump. Checkers look after every write; mutants of the store show that each of them can fire.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use chatflow::session::{encode_conversation, encode_session};
use chatflow::store::{
    Commit, Committed, ConversationStore, Due, Lease, Leased, Live, Loaded, Lookup, Purge, Purged, Settle,
    Settled, Subject, Token,
};
use chatflow::testkit::{CountingIds, ManualClock};
use chatflow::{
    Answer, Clock, ContactId, Conversation, Engine, Error, Inbound, MemoryFlows, MemoryStore, MessageId,
    Outbound, Receipt, Received, SendError, Session, SessionId, Status, StoreError, Transport,
    TriggerRequest, Triggered, WorkspaceId, call_fn,
};
use chrono::{DateTime, TimeDelta, Utc};
use pollster::block_on;
use uuid::Uuid;

use crate::kit::{route, sessions_of};
use crate::races::diary;
use crate::scenarios::{SHOP, flows};

const ENGINES: usize = 3;
const STEPS: usize = 400;
/// The contacts; one is busier than the other.
const PHONES: [&str; 3] = ["+14155550123", "+14155550123", "+14155550124"];

/// A sequence of choices, by its seed alone (splitmix64). Clones go on together.
#[derive(Clone)]
struct Dice(Arc<Mutex<u64>>);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(seed)))
    }

    fn below(&self, bound: usize) -> usize {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }

    fn one_in(&self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// What a store does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mutant {
    /// Writes over what others wrote.
    NoCompareAndSwap,
    /// Does not keep keys.
    ForgetsKeys,
    /// Does not keep when something is due.
    ForgetsDue,
    /// Settles whatever the revision is.
    SettlesBlindly,
    /// Says that a lease is taken that somebody else has.
    GrantsTwice,
    /// Answers no watermark.
    ForgetsWatermark,
    /// Forgets the end of a session, and brings it back.
    RevivesSessions,
    /// Keeps what was remembered of messages no longer than a commit.
    ForgetsMessages,
}

const MUTANTS: [Mutant; 8] = [
    Mutant::NoCompareAndSwap,
    Mutant::ForgetsKeys,
    Mutant::ForgetsDue,
    Mutant::SettlesBlindly,
    Mutant::GrantsTwice,
    Mutant::ForgetsWatermark,
    Mutant::RevivesSessions,
    Mutant::ForgetsMessages,
];

/// How a round is played.
#[derive(Clone, Copy, Debug, Default)]
struct Weather {
    /// Nothing fails and nobody dies; time passes only while nothing runs.
    calm: bool,
    /// The store decides under its own lock; else each decision is a load and a commit.
    whole: bool,
    mutant: Option<Mutant>,
}

/// Pending once.
async fn pause() {
    let mut waited = false;
    poll_fn(|_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

/// The store of a simulation: pending at each operation, failing now and then, wrong if it is told to be.
#[derive(Clone)]
struct SimStore {
    memory: Arc<MemoryStore>,
    dice: Dice,
    weather: Weather,
    healed: Arc<Mutex<bool>>,
    /// How many commits were asked for.
    written: Arc<AtomicUsize>,
    /// A conversation as it was when it had a live session that has ended since.
    before: Arc<Mutex<HashMap<ContactId, chatflow::store::Record>>>,
}

impl SimStore {
    async fn run<T>(&self, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let quiet = self.weather.calm || *self.healed.lock().unwrap();
        if quiet || !self.dice.one_in(12) {
            return work.await;
        }
        match self.dice.below(3) {
            0 => Err(StoreError::transient("refused by the dice")),
            1 => Err(StoreError::unknown("lost by the dice")),
            _ => {
                work.await?;
                Err(StoreError::unknown("lost by the dice, after"))
            }
        }
    }

    /// Each operation lets others go before it.
    async fn begin(&self) {
        if !*self.healed.lock().unwrap() {
            pause().await;
        }
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.weather.mutant == Some(mutant)
    }

    fn stored(&self, contact: &ContactId) -> Option<chatflow::store::StoredConversation> {
        block_on(self.memory.load(&lookup_of(contact))).expect("memory answers").conversation
    }
}

fn lookup_of(contact: &ContactId) -> Lookup {
    let (subject, token) = (Subject::Contact(contact.clone()), Token(Uuid::nil()));
    Lookup::new(WorkspaceId::default(), subject, token, DateTime::UNIX_EPOCH)
}

/// The conversation without what it remembers of messages.
fn forgetful(conversation: &Conversation) -> chatflow::store::Record {
    let bytes = encode_conversation(conversation).expect("it has a form");
    let mut json: serde_json::Value = serde_json::from_slice(&bytes[14..]).expect("JSON after the header");
    json.as_object_mut().expect("an object").remove("remembered");
    let changed: Conversation = serde_json::from_value(json).expect("still one");
    chatflow::store::Record::from_bytes(encode_conversation(&changed).expect("it has a form"))
}

impl ConversationStore for SimStore {
    async fn load(&self, lookup: &Lookup) -> Result<Loaded, StoreError> {
        self.begin().await;
        let mut loaded = self.run(self.memory.load(lookup)).await?;
        if self.is(Mutant::ForgetsWatermark)
            && let Some(stored) = &mut loaded.conversation
        {
            stored.settled = 0;
        }
        Ok(loaded)
    }

    async fn commit(&self, mut commit: Commit) -> Result<Committed, StoreError> {
        self.begin().await;
        let stored = self.weather.mutant.and_then(|_| self.stored(&commit.contact));
        match self.weather.mutant {
            Some(Mutant::NoCompareAndSwap) => commit.expect = stored.map(|stored| stored.revision),
            Some(Mutant::ForgetsKeys) => commit.key = None,
            Some(Mutant::ForgetsDue) => commit.due_at = commit.due_at.filter(|due| *due <= commit.now),
            Some(Mutant::ForgetsMessages) => {
                commit.record = forgetful(&commit.record.conversation().expect("readable"));
            }
            Some(Mutant::RevivesSessions) => {
                let mut before = self.before.lock().unwrap();
                if let Some(record) = before.remove(&commit.contact) {
                    commit.record = record;
                } else if let (false, Some(stored)) = (commit.ended.is_empty(), stored) {
                    before.insert(commit.contact.clone(), stored.record);
                }
            }
            _ => {}
        }
        let takes = matches!(commit.lease, Lease::Take(..));
        let work = async {
            let committed = self.memory.commit(commit).await;
            self.written.fetch_add(1, Ordering::Relaxed);
            committed
        };
        let committed = self.run(work).await?;
        Ok(match committed {
            Committed::Applied { revision, settled, .. } if takes && self.is(Mutant::GrantsTwice) => {
                Committed::Applied { revision, settled, leased: true }
            }
            Committed::Applied { revision, leased, .. } if self.is(Mutant::ForgetsWatermark) => {
                Committed::Applied { revision, settled: 0, leased }
            }
            other => other,
        })
    }

    async fn update(
        &self,
        lookup: &Lookup,
        decide: &mut (dyn FnMut(&mut Loaded) -> Option<Commit> + Send),
    ) -> Result<Option<Committed>, StoreError> {
        if self.weather.whole {
            self.begin().await;
            let work = async {
                let committed = self.memory.update(lookup, decide).await;
                self.written.fetch_add(1, Ordering::Relaxed);
                committed
            };
            return self.run(work).await;
        }
        let mut loaded = self.load(lookup).await?;
        match decide(&mut loaded) {
            Some(commit) => self.commit(commit).await.map(Some),
            None => Ok(None),
        }
    }

    async fn settle(&self, settle: &Settle) -> Result<Settled, StoreError> {
        self.begin().await;
        let mut settle = settle.clone();
        if self.is(Mutant::ForgetsDue) {
            settle.due_at = None;
        }
        let work = async {
            if self.is(Mutant::SettlesBlindly)
                && let Some(stored) = self.stored(&settle.contact)
            {
                settle.revision = stored.revision;
            }
            self.memory.settle(&settle).await
        };
        self.run(work).await
    }

    async fn lease_due(&self, due: &Due) -> Result<Leased, StoreError> {
        self.begin().await;
        self.run(self.memory.lease_due(due)).await
    }
    async fn live(&self, live: &Live) -> Result<u64, StoreError> {
        self.begin().await;
        self.run(self.memory.live(live)).await
    }
    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        self.begin().await;
        self.run(self.memory.purge(purge)).await
    }
}

/// What the channel saw.
#[derive(Default)]
struct Seen {
    content: HashMap<MessageId, Outbound>,
    /// How often each was handed over.
    times: HashMap<MessageId, usize>,
    accepted: HashSet<MessageId>,
    /// Who has ever opted out: what was still to be sent to them was dropped.
    opted_out: HashSet<ContactId>,
    /// The highest number that each destination has got.
    last: BTreeMap<String, u64>,
}

#[derive(Clone)]
struct SimWire {
    memory: Arc<MemoryStore>,
    dice: Dice,
    weather: Weather,
    healed: Arc<Mutex<bool>>,
    seen: Arc<Mutex<Seen>>,
}

impl SimWire {
    fn take(&self, message: &Outbound) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let known =
            sessions_of(&*self.memory).iter().any(|record| record.session().id() == message.session());
        assert!(known, "INV-O1: handed over before it was committed");
        let first = seen.content.entry(message.id).or_insert_with(|| message.clone());
        assert_eq!(first, message, "INV-O3: one id, two messages");
        let times = seen.times.entry(message.id).or_default();
        *times += 1;
        let times = *times;
        assert!(!self.weather.calm || times == 1, "INV-O5: `{}` was handed over twice", message.text());
        if times == 1 {
            let last = seen.last.entry(route(message)).or_default();
            assert!(message.id.seq > *last, "INV-O4: number {} after {last}", message.id.seq);
            *last = message.id.seq;
            let earlier = |other: &&Outbound| other.route == message.route && other.id.seq < message.id.seq;
            for other in seen.content.values().filter(earlier) {
                assert!(
                    seen.accepted.contains(&other.id)
                        || seen.opted_out.contains(&other.contact)
                        || self.is_dropped(other.session()),
                    "INV-O4: {} left before {}",
                    message.id.seq,
                    other.id.seq
                );
            }
        }
    }

    fn is_dropped(&self, session: SessionId) -> bool {
        let sessions = sessions_of(&*self.memory);
        sessions.iter().any(|found| found.session().id() == session && found.session().ended_by().is_some())
    }
}

impl Transport for SimWire {
    async fn send(&self, message: &Outbound) -> Result<Receipt, SendError> {
        let healed = *self.healed.lock().unwrap();
        if !healed {
            pause().await;
        }
        let stormy = !self.weather.calm && !healed;
        if stormy && self.dice.one_in(8) {
            return Err(SendError::retry("refused by the dice"));
        }
        self.take(message);
        if !healed {
            pause().await;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.accepted.insert(message.id);
        if stormy && self.dice.one_in(8) {
            return Err(SendError::retry("taken, but the answer was lost by the dice"));
        }
        Ok(Receipt::new())
    }
}

/// What a call came to.
enum Done {
    Triggered(String, Option<String>, Result<Triggered, Error>),
    Received(String, Result<Received, Error>),
    Other(Result<(), Error>),
}

struct Task {
    engine: usize,
    call: Pin<Box<dyn Future<Output = Done>>>,
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
}

/// What was seen so far, against which the next is checked.
#[derive(Default)]
struct Checks {
    /// INV-S3: ended sessions as they ended.
    ended: HashMap<SessionId, Vec<u8>>,
    /// Live sessions as they were last seen: status, wait number, when the first timer passes.
    live: HashMap<SessionId, (Status, u32, Option<DateTime<Utc>>)>,
    /// INV-K1: what each key was answered with.
    keys: HashMap<(String, String), (SessionId, bool)>,
    /// INV-M1: what each message came to.
    verdicts: HashMap<String, Received>,
    started: HashSet<SessionId>,
    /// INV-S6: what each session took.
    taken: HashMap<SessionId, Vec<String>>,
    /// How many commits had been written when all was looked at last.
    looked_at: usize,
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
        let wire = SimWire { memory, dice: dice.clone(), weather, healed, seen: Arc::default() };
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
        };
        let host = sim.engine();
        for flow in [vec![diary()], flows(&["ask", "once", "later", "quick"])].concat() {
            block_on(host.flows().ensure(&flow)).expect("the flow is sound");
        }
        sim.engines = (0..ENGINES).map(|_| sim.engine()).collect();
        sim
    }

    fn engine(&self) -> Engine<SimStore> {
        let dice = self.dice.clone();
        let calm = self.weather.calm;
        Engine::builder(self.store.clone())
            .clock(self.clock.clone())
            .ids(self.ids.clone())
            .flow_store(Arc::clone(&self.flows))
            .transport(self.wire.clone())
            .calls(call_fn(move |_| {
                let fails = !calm && dice.one_in(6);
                async move {
                    if fails { Err(chatflow::CallError::retry("by the dice")) } else { Ok(Answer::now("it")) }
                }
            }))
            .build()
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Begins a call of the dice's choice.
    fn begin(&mut self) {
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

    /// Lets one call go on to its next operation.
    fn go_on(&mut self) {
        let place = self.dice.below(self.tasks.len());
        let task = &mut self.tasks[place];
        if let Poll::Ready(done) = task.call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            drop(self.tasks.swap_remove(place));
            self.checks.answered(done);
        }
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

    /// All ends well: whoever is left stops, nothing fails any more, time goes on.
    fn end(&mut self) {
        if self.weather.calm {
            while !self.tasks.is_empty() {
                self.go_on();
            }
        }
        self.tasks.clear();
        *self.wire.healed.lock().unwrap() = true;
        let leases_end = if self.weather.calm { TimeDelta::zero() } else { TimeDelta::seconds(61) };
        self.clock.set(self.latest + leases_end);
        let engine = self.engine();
        self.tick_out(&engine);
        self.check_nothing_waits();
        let horizon = self.now() + TimeDelta::hours(3);
        while let Some(due) = self.tick_out(&engine).filter(|due| *due < horizon) {
            self.clock.set(due.max(self.now() + TimeDelta::milliseconds(1)));
        }
        for record in sessions_of(&*self.store.memory) {
            let session = record.session();
            assert!(!session.status().is_live(), "INV-T3: never ends: {session:?}");
            self.check_sent(session, record.contact());
        }
    }

    /// Ticks until nothing is due now. Answers when something is.
    fn tick_out(&mut self, engine: &Engine<SimStore>) -> Option<DateTime<Utc>> {
        for _ in 0..200 {
            let ticked = block_on(engine.tick(8)).expect("nothing fails any more");
            self.checks.look(&self.store);
            if ticked.worked == 0 {
                return ticked.next_due;
            }
        }
        panic!("INV-T3: something is due for ever");
    }

    /// INV-O2, INV-T3: once nothing is due, every message but those that are to be tried again later is settled.
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

    fn contacts(&self) -> HashSet<ContactId> {
        sessions_of(&*self.store.memory).iter().map(|record| record.contact().clone()).collect()
    }

    /// INV-O2: what a session sent has arrived, or is a dead letter, or was dropped with the session.
    fn check_sent(&self, session: &Session, contact: &ContactId) {
        if session.ended_by().is_some() {
            return;
        }
        let bytes = encode_session(session).expect("it has a form");
        let json: serde_json::Value = serde_json::from_slice(&bytes[14..]).expect("JSON after the header");
        let sent = json["sent"].as_u64().expect("a number");
        let seen = self.wire.seen.lock().unwrap();
        if seen.opted_out.contains(contact) {
            return;
        }
        let arrived = seen.accepted.iter().filter(|id| id.session == session.id()).count();
        let stored = self.store.stored(contact).expect("it has sessions");
        let letters = stored.record.conversation().expect("readable").dead_letters().to_vec();
        let dead = letters
            .iter()
            .filter(|letter| letter.message.session() == session.id())
            .filter(|letter| !seen.accepted.contains(&letter.message.id))
            .count();
        assert_eq!(arrived + dead, sent as usize, "INV-O2: {session:?}");
    }
}

impl Checks {
    fn answered(&mut self, done: Done) {
        match done {
            Done::Triggered(flow, key, Ok(triggered)) => {
                let Some(session) = triggered.session() else { return };
                let started = matches!(triggered, Triggered::Started(_));
                if started && !session.replayed {
                    assert!(self.started.insert(session.session_id), "INV-S4: one id, two sessions");
                }
                let Some(key) = key else { return };
                let answer = (session.session_id, started);
                let first = *self.keys.entry((flow, key)).or_insert(answer);
                assert_eq!(first, answer, "INV-K1: one key, two answers");
            }
            Done::Received(id, Ok(received)) => {
                let verdict = match received {
                    Received::Duplicate { first } => *first,
                    received => received,
                };
                if let Received::Consumed { session } = &verdict {
                    self.taken.entry(*session).or_default().push(id.clone());
                    self.looked_at = 0;
                }
                if verdict == Received::Unmatched {
                    return;
                }
                let first = self.verdicts.entry(id).or_insert_with(|| verdict.clone());
                assert_eq!(*first, verdict, "INV-M1: one message, two verdicts");
            }
            Done::Triggered(.., Err(error)) | Done::Received(_, Err(error)) | Done::Other(Err(error)) => {
                let is_expected = error.is_retryable()
                    || matches!(error, Error::SessionNotFound(_) | Error::IdempotencyConflict(_));
                assert!(is_expected, "not an answer to a fault or a lost race: {error}");
            }
            Done::Other(Ok(())) => {}
        }
    }

    fn look(&mut self, store: &SimStore) {
        let written = store.written.load(Ordering::Relaxed);
        if std::mem::replace(&mut self.looked_at, written) == written {
            return;
        }
        let mut live = HashSet::new();
        let mut now_live = HashMap::new();
        let mut heard = HashSet::new();
        for record in sessions_of(&*store.memory) {
            let session = record.session();
            let id = session.id();
            let said = said(session);
            for text in self.taken.get(&id).into_iter().flatten() {
                assert!(said.contains(text), "INV-S6: what was taken is lost");
            }
            for text in said {
                assert!(heard.insert(text), "INV-M1: a message was taken twice");
            }
            if session.status().is_live() {
                assert!(!self.ended.contains_key(&id), "INV-S3: an ended session lives");
                let place = (record.contact().clone(), session.flow().clone());
                assert!(live.insert(place), "INV-S1: two live sessions of one flow and contact");
                let timer = session.deadline().or(session.expires_at());
                now_live.insert(id, (session.status(), session.wait_number(), timer));
                continue;
            }
            let bytes = encode_session(session).expect("it has a form");
            assert!(bytes.len() < 64 << 10, "INV-L3");
            let first = self.ended.entry(id).or_insert_with(|| bytes.clone());
            assert_eq!(*first, bytes, "INV-S3: an ended session changed");
            if let Some((Status::Waiting, wait, Some(timer))) = self.live.get(&id)
                && session.status() == Status::Expired
                && *wait == session.wait_number()
            {
                assert!(session.ended_at() >= Some(*timer), "INV-T2: it expired early");
            }
        }
        self.live = now_live;
    }
}

/// What a session has written down of what it heard.
fn said(session: &Session) -> Vec<String> {
    let vars = session.vars().to_json();
    let texts = ["said", "mood", "more"].iter().filter_map(|name| vars[*name].as_str());
    let parts = texts.flat_map(|text| text.split_terminator(']'));
    parts.map(|part| part.trim_start_matches('[').to_owned()).collect()
}

/// Plays one round. The error is what a checker said.
fn play(seed: u64, weather: Weather) -> Result<(), String> {
    let round = || {
        let mut sim = Sim::new(seed, weather);
        for _ in 0..STEPS {
            sim.step();
        }
        sim.end();
    };
    catch_unwind(AssertUnwindSafe(round)).map_err(|what| {
        let text = what.downcast_ref::<String>().cloned();
        text.or_else(|| what.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
    })
}

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn play_many(calm: bool, rounds: u64) {
    let seeds = match from_env("CHATFLOW_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..from_env("CHATFLOW_ROUNDS").unwrap_or(rounds),
    };
    for seed in seeds {
        let weather = Weather { calm, whole: seed % 3 == 0, mutant: None };
        if let Err(what) = play(seed, weather) {
            panic!("CHATFLOW_SEED={seed} ({weather:?}): {what}");
        }
    }
}

/// INV-S1 to S6, K1, K3, M1 to M3, O1 to O5, T2, T3, R4: engines that share a store, without a fault.
#[test]
fn engines_in_calm_weather_keep_every_invariant() {
    play_many(true, 20);
}

/// The same with faults, crashes and clocks that jump, without O5: INV-R1, R2, R3, L5, T4.
#[test]
fn engines_in_a_storm_keep_every_invariant() {
    play_many(false, 40);
}

/// A checker that can not fire proves nothing: for each mutant of the store some round fails.
#[test]
fn each_mutant_of_the_store_is_caught() {
    for mutant in MUTANTS {
        let caught = (0..60).find_map(|seed| {
            let calm = seed % 2 == 0;
            play(seed, Weather { calm, whole: false, mutant: Some(mutant) }).err()
        });
        let what = caught.unwrap_or_else(|| panic!("{mutant:?} is not caught"));
        assert!(what.contains("INV-"), "{mutant:?} is caught by accident: {what}");
    }
}
