//! Records that nobody wrote, S18: numbers, instants, texts and the structure of real ones are
//! changed, and the engine is driven over them. They are worked or quarantined, never a panic; so
//! are rows, keys and journals. `HOSTILE_RECORDS` is how many of each, `HOSTILE_SEED` where the
//! dice begin.

use std::fmt::Write as _;
use std::hash::Hasher;
use std::time::Duration;

use chatflow::calls::{Answer, CallRef};
use chatflow::id::{FlowVersion, TriggerKey};
use chatflow::kernel::replay;
use chatflow::limits::Limits;
use chatflow::ops::{EraseOptions, SessionFilter};
use chatflow::session::DeliveryReport;
use chatflow::session::{FailureCode, encode_conversation};
use chatflow::store::{
    Commit, ConversationStore, Due, Erase, JournalEntry, KeyName, KeyRecord, Lease, Lookup, MemoryStore,
    Record, Row, Settle, Subject, Token,
};
use chatflow::talk::Transcript;
use chatflow::testkit::ManualClock;
use chatflow::{
    CallError, Channel, ContactId, Engine, Error, Flow, Inbound, Receipt, SendError, SessionId, Status,
    TriggerRequest, WorkspaceId, call_fn, send_fn,
};
use chrono::{DateTime, TimeDelta, Utc};
use pollster::block_on;
use serde_json::{Value, json};
use siphasher::sip::SipHasher13;
use uuid::Uuid;

const SHOP: &str = "+15550100";
const HEADER: usize = 14;

/// The next answer of the transport: the talks below set it.
type Mood = std::sync::Arc<std::sync::atomic::AtomicU8>;

struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below.max(1) as u64).unwrap()
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

fn start() -> DateTime<Utc> {
    "2026-01-01T12:00:00Z".parse().unwrap()
}

fn flow(code: &str, settings: Value, nodes: Value, edges: Value) -> String {
    let mut all = vec![json!({"id": "start", "kind": "start"})];
    all.extend(nodes.as_array().unwrap().iter().cloned());
    let mut own = json!({"sender": {"channel": "sms", "account": SHOP}, "session_ttl_minutes": 60});
    own.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    json!({"spec": 1, "code": code, "trigger": {"kind": "manual"}, "settings": own, "nodes": all, "edges": edges})
        .to_string()
}

/// Flows that between them fill every part of a record.
fn flows() -> Vec<String> {
    let edge = |from: &str, to: &str| json!({"from": from, "to": to});
    vec![
        flow(
            "talk",
            json!({"ttl_mode": "fixed", "reentry": {"cooldown": "1m"},
                "reminder": {"before": "10m", "node": "still"}, "concurrency": "unlimited"}),
            json!([
                {"id": "split", "kind": "random_split", "branches": [{"label": "a", "weight": 1}, {"label": "b", "weight": 1}]},
                {"id": "hi", "kind": "send_message", "text": "Hi {{ session.turns }} {{ vars.n }} {{ now }}"},
                {"id": "q", "kind": "ask", "text": "How many?", "expect": "number", "retries": 2, "debounce": "5s",
                    "timeout": "30m", "save_to": "n"},
                {"id": "back", "kind": "jump", "target": "hi", "max_jumps": 3},
                {"id": "still", "kind": "send_message", "text": "Still there?"},
            ]),
            json!([edge("start", "split"), {"from": "split", "branch": "a", "to": "hi"},
                {"from": "split", "branch": "b", "to": "hi"}, edge("hi", "q"), {"from": "q", "branch": "valid", "to": "back"},
                {"from": "q", "branch": "timeout", "to": "back"}]),
        ),
        flow(
            "call",
            json!({"concurrency": "unlimited"}),
            json!([
                {"id": "f", "kind": "function", "function": "price", "save_to": "price"},
                {"id": "s", "kind": "send_message", "text": "{{ vars.price }}"},
                {"id": "d", "kind": "delay", "for": "20m"},
                {"id": "bye", "kind": "send_message", "text": "Bye"},
            ]),
            json!([edge("start", "f"), edge("f", "s"), {"from": "f", "branch": "failed", "to": "s"}, edge("s", "d"),
                {"from": "s", "branch": "failed", "to": "bye"}, edge("d", "bye")]),
        ),
        flow(
            "outer",
            json!({"concurrency": "unlimited"}),
            json!([
                {"id": "in", "kind": "call_flow", "flow": "talk"},
                {"id": "person", "kind": "handoff", "timeout": "2h"},
                {"id": "bye", "kind": "send_message", "text": "Bye"},
            ]),
            json!([edge("start", "in"), edge("in", "person"), {"from": "person", "branch": "returned", "to": "bye"},
                {"from": "person", "branch": "timeout", "to": "bye"}]),
        ),
        flow(
            "person",
            json!({"concurrency": "unlimited"}),
            json!([{"id": "h", "kind": "handoff", "timeout": "2h"}, {"id": "bye", "kind": "send_message", "text": "Bye"}]),
            json!([edge("start", "h"), edge("h", "bye")]),
        ),
    ]
}

struct World {
    bot: Engine<MemoryStore>,
    clock: ManualClock,
    mood: Mood,
    workspace: WorkspaceId,
}

impl World {
    fn new() -> Self {
        let (clock, mood) = (ManualClock::at(start()), Mood::default());
        let answer = std::sync::Arc::clone(&mood);
        let transport = send_fn(move |_| {
            let answer = match answer.load(std::sync::atomic::Ordering::Relaxed) {
                0 => Ok(Receipt::new()),
                1 => Err(SendError::retry("busy")),
                _ => Err(SendError::rejected("no")),
            };
            async move { answer }
        });
        let calls = call_fn(|_| async { Ok::<_, CallError>(Answer::Later) });
        let bot = Engine::builder(MemoryStore::new())
            .transport(transport)
            .calls(calls)
            .clock(clock.clone())
            .build();
        for flow in flows() {
            block_on(bot.flows().ensure(&flow)).unwrap();
            let code = serde_json::from_str::<Value>(&flow).unwrap()["code"].as_str().unwrap().to_owned();
            block_on(bot.flows().set_logging(&chatflow::FlowId::new(&code).unwrap(), code == "talk"))
                .unwrap();
        }
        Self { bot, clock, mood, workspace: WorkspaceId::default() }
    }

    fn mood(&self, mood: u8) {
        self.mood.store(mood, std::sync::atomic::Ordering::Relaxed);
    }

    fn pass(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds));
        for _ in 0..3 {
            let _ = block_on(self.bot.tick(10)).unwrap();
        }
    }

    fn stored(&self, contact: &ContactId) -> Option<Record> {
        let lookup = Lookup::new(
            self.workspace.clone(),
            Subject::Contact(contact.clone()),
            Token(Uuid::from_u128(1)),
            start(),
        );
        Some(block_on(self.bot.store().load(&lookup)).unwrap().conversation?.record)
    }

    /// The bodies of real records, of one contact in many situations.
    fn seeds(&self) -> Vec<String> {
        let mut bodies = Vec::new();
        type Talk = fn(&World, &ContactId);
        let seeds: [(&str, Talk); 8] = [
            ("talk", |_, _| ()),
            ("talk", |world, _| {
                world.say("x");
                world.pass(6);
                world.say("3");
                world.say("4");
            }),
            ("call", |world, _| world.pass(1)),
            ("call", |world, _| {
                world.pass(1);
                world.mood(1);
                world.pass(31);
                world.pass(1);
            }),
            ("call", |world, _| {
                world.mood(2);
                world.pass(31);
                world.pass(1300);
            }),
            ("outer", |world, _| world.say("x")),
            ("person", |world, _| world.say("x")),
            ("talk", |world, contact| {
                let _ = block_on(world.bot.trigger(TriggerRequest::new("call").contact_id("seed"))).unwrap();
                world.pass(1);
                let session =
                    block_on(world.bot.sessions(SessionFilter::all().contact(contact.clone()))).unwrap();
                let _ = block_on(world.bot.handoff(session.last().unwrap().session().id())).unwrap();
                world.say("hm");
                world.pass(40);
            }),
        ];
        for (code, talk) in seeds {
            let contact = ContactId::new("seed").unwrap();
            self.clock.set(start());
            self.mood(0);
            let request = TriggerRequest::new(code).contact_id("seed").phone("+14155550123");
            let _ =
                block_on(self.bot.trigger(request.context(json!({"cart": [1, {"total": "2.50"}]})))).unwrap();
            talk(self, &contact);
            let conversation = self.stored(&contact).unwrap().conversation().unwrap();
            bodies.push(serde_json::to_string(&*conversation).unwrap());
            let _ = block_on(self.bot.erase(&contact, EraseOptions::default())).unwrap();
        }
        bodies
    }

    fn say(&self, text: &str) {
        let _ = block_on(self.bot.receive(Inbound::text(Channel::Sms, SHOP, "+14155550123", text)));
    }

    /// Stores a record as that of a contact of its own, and does to it all that is done to
    /// conversations.
    fn drive(&self, contact: &ContactId, record: Vec<u8>, dice: &mut Dice) -> bool {
        self.clock.set(start() + TimeDelta::seconds(dice.roll(4000) as i64));
        self.mood(u8::try_from(dice.roll(3)).unwrap());
        let now = *[start(), start() + TimeDelta::hours(2)].get(dice.roll(2)).unwrap();
        let record = Record::from_bytes(record);
        let read = record.conversation().ok();
        let commit = Commit {
            due_at: Some(start()),
            ..Commit::new(self.workspace.clone(), contact.clone(), None, record, now)
        };
        let _ = block_on(self.bot.store().commit(commit)).unwrap();
        let bot = &self.bot;
        let name = contact.to_string();
        for _ in 0..3 {
            match dice.roll(8) {
                0 => self.pass(1),
                1 => self.pass(7200),
                2 => told(block_on(
                    bot.trigger(TriggerRequest::new("talk").contact_id(&*name).during_handoff()),
                )),
                3 => told(block_on(bot.receive(
                    Inbound::text(Channel::Sms, SHOP, "+14155550123", "3").contact_id(&*name).id("m"),
                ))),
                4 => told(block_on(bot.resume_from_handoff(contact, json!({"x": 1})))),
                5 => told(block_on(bot.touch(contact))),
                6 => {
                    for session in read.iter().flat_map(|read| read.sessions()) {
                        if let Some(call) = session.call() {
                            let reference = CallRef {
                                workspace: self.workspace.clone(),
                                contact: contact.clone(),
                                call: call.id,
                            };
                            told(block_on(bot.complete(reference, chatflow::CallResult::value(1))));
                        }
                    }
                }
                _ => {
                    for letter in read.iter().flat_map(|read| read.dead_letters()) {
                        told(block_on(bot.requeue_dead_letter(contact, letter.message.id)));
                    }
                    for unsent in read.iter().flat_map(|read| read.outbox()) {
                        let report = DeliveryReport::Failed { code: "1".to_owned() };
                        told(block_on(bot.report(unsent.message.id, report)));
                    }
                }
            }
        }
        self.pass(40_000_000);
        if let Some(record) = self.stored(contact)
            && let Ok(conversation) = record.conversation()
        {
            // Counted beyond the bounds, it is set aside the next time.
            if let Ok(again) = Record::from_bytes(record.to_bytes().unwrap()).conversation() {
                assert_eq!(json!(conversation), json!(again));
            }
        }
        let is_readable = read.is_some();
        told(block_on(bot.erase(contact, EraseOptions::default())));
        is_readable
    }
}

/// Any answer can be said.
fn told<T: std::fmt::Debug>(answer: Result<T, Error>) {
    let said = answer.map_or_else(|error| error.to_string(), |answer| format!("{answer:?}"));
    assert!(!said.is_empty());
}

/// A body of format 1, with the head that makes it a record.
fn sealed(body: &[u8]) -> Vec<u8> {
    sealed_as(1, body)
}

fn sealed_as(format: u16, body: &[u8]) -> Vec<u8> {
    let mut hasher = SipHasher13::new();
    hasher.write(body);
    let mut bytes = b"cflw".to_vec();
    bytes.extend_from_slice(&format.to_le_bytes());
    bytes.extend_from_slice(&hasher.finish().to_le_bytes());
    bytes.extend_from_slice(body);
    bytes
}

/// Where each value lies.
fn places(value: &Value, at: &mut String, all: &mut Vec<String>) {
    let length = at.len();
    let mut visit = |name: &dyn std::fmt::Display, inner: &Value, at: &mut String| {
        let _ = write!(at, "/{name}");
        all.push(at.clone());
        places(inner, at, all);
        at.truncate(length);
    };
    match value {
        Value::Array(items) => items.iter().enumerate().for_each(|(place, item)| visit(&place, item, at)),
        Value::Object(map) => {
            map.iter().for_each(|(name, item)| visit(&name.replace('~', "~0").replace('/', "~1"), item, at))
        }
        _ => {}
    }
}

fn changed(body: &str, contact: &str, dice: &mut Dice) -> Vec<u8> {
    let mut value: Value = serde_json::from_str(body).unwrap();
    change(&mut value, dice);
    if let Some(id) = value.pointer_mut("/contact/id") {
        *id = json!(contact);
    }
    serde_json::to_vec(&value).unwrap()
}

/// Changes a few of the values in it.
fn change(value: &mut Value, dice: &mut Dice) {
    for _ in 0..=dice.roll(3) {
        let mut all = Vec::new();
        places(value, &mut String::new(), &mut all);
        let place = &all[dice.roll(all.len())];
        let other = value.pointer(&all[dice.roll(all.len())]).cloned().unwrap_or_default();
        let Some(found) = value.pointer_mut(place) else { continue };
        let instants = [
            "+262142-12-31T23:59:59.999999999Z",
            "-262143-01-01T00:00:00Z",
            "9999-12-31T23:59:60Z",
            "1970-01-01T00:00:00Z",
            "2026-01-01T12:00:01Z",
        ];
        *found = match (&*found, dice.roll(8)) {
            (_, 0) => other,
            (_, 1) => Value::Null,
            (Value::Number(_), kind) => match kind {
                2 => json!(u64::MAX),
                3 => json!(u32::MAX),
                4 => json!(i64::MAX),
                5 => json!(i64::MIN),
                6 => json!(u32::MAX / 2),
                _ => json!([0_i64, 1, -1, 1 << 53, i64::MAX / 4, i64::MAX / 1000][dice.roll(6)]),
            },
            (Value::String(text), _) if text.parse::<DateTime<Utc>>().is_ok() => {
                json!(instants[dice.roll(5)])
            }
            (Value::String(_), 2) => json!("x".repeat(dice.roll(2000))),
            (Value::String(text), _) => json!(text.chars().rev().collect::<String>()),
            (Value::Array(items), 2) => json!(items.iter().chain(items).collect::<Vec<_>>()),
            (Value::Array(items), _) => json!(items.iter().rev().skip(dice.roll(2)).collect::<Vec<_>>()),
            (Value::Object(map), _) => {
                let gone = dice.roll(map.len());
                Value::Object(
                    map.clone()
                        .into_iter()
                        .enumerate()
                        .filter(|(at, _)| *at != gone)
                        .map(|(_, it)| it)
                        .collect(),
                )
            }
            (Value::Bool(is), _) => json!(!is),
            (Value::Null, _) => json!(0),
        };
    }
}

/// Does it for each round that is asked for, and says which one panicked, with what it worked on;
/// counts those that could be read.
fn for_each_round(mut round: impl FnMut(u64, &mut Dice, &mut String) -> bool) {
    let (count, seed) = (number("HOSTILE_RECORDS", 600), number("HOSTILE_SEED", 7));
    let mut readable = 0_u64;
    for place in 0..count {
        let mut dice = Dice((seed << 32 | place).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let mut shown = String::new();
        let work = || round(place, &mut dice, &mut shown);
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)) {
            Ok(is_readable) => readable += u64::from(is_readable),
            Err(_) => panic!("round {place} of seed {seed}: {shown}"),
        }
    }
    assert!(readable > count / 4 && readable < count, "{readable} of {count} could be read");
}

/// S18
#[test]
fn a_changed_record_is_worked_or_quarantined() {
    let world = World::new();
    let seeds = world.seeds();
    for_each_round(|round, dice, shown| {
        let contact = ContactId::new(format!("c{round}")).unwrap();
        let body = &seeds[dice.roll(seeds.len())];
        let body = changed(body, &contact.to_string(), dice);
        *shown = String::from_utf8_lossy(&body).into_owned();
        world.drive(&contact, sealed(&body), dice)
    });
}

/// S18: the same of the compact form, in which most bytes say what is to come.
#[test]
fn a_changed_compact_record_is_worked_or_quarantined() {
    let world = World::new();
    let seeds = world.seeds();
    for_each_round(|round, dice, shown| {
        let contact = ContactId::new(format!("c{round}")).unwrap();
        let body = seeds[dice.roll(seeds.len())].replace("\"seed\"", &format!("\"{contact}\""));
        let conversation = Record::from_bytes(sealed(body.as_bytes())).conversation().unwrap();
        let mut body = encode_conversation(&conversation).unwrap().split_off(HEADER);
        let place = dice.roll(body.len());
        match dice.roll(16) {
            0 => body.truncate(place),
            1 => body.insert(place, u8::try_from(dice.roll(256)).unwrap()),
            2 => drop(body.remove(place)),
            3 => body[place] = u8::try_from(dice.roll(256)).unwrap(),
            // Mostly a value of the same kind.
            bit => body[place] ^= 1 << (bit % 3),
        }
        *shown = format!("{body:x?}");
        world.drive(&contact, sealed_as(2, &body), dice)
    });
}

/// An instant that a clock, or a column, may show.
fn instant(dice: &mut Dice) -> DateTime<Utc> {
    [start(), start() + TimeDelta::days(400), DateTime::<Utc>::MAX_UTC, DateTime::<Utc>::MIN_UTC]
        [dice.roll(4)]
}

/// S18
#[test]
fn a_changed_row_is_read_and_judged_or_refused() {
    let world = World::new();
    let body = world.seeds().swap_remove(1);
    let ann = ContactId::new("seed").unwrap();
    let head = json!({"row": 1, "revision": 7, "settled": 3, "due_at": start(),
        "lease": [Uuid::from_u128(1), start() + TimeDelta::seconds(60)], "claims": 2, "dead_letters": 1,
        "quarantined": false, "erased": false});
    for_each_round(|_, dice, shown| {
        let mut head = head.clone();
        change(&mut head, dice);
        let mut bytes = serde_json::to_vec(&head).unwrap();
        *shown = String::from_utf8_lossy(&bytes).into_owned();
        bytes.push(b'\n');
        bytes.extend_from_slice(&sealed(body.as_bytes()));
        let Ok(mut row) = Row::from_bytes(&bytes) else { return false };
        for _ in 0..4 {
            let (now, token) = (instant(dice), Token(Uuid::from_u128(dice.roll(3) as u128)));
            let lease = Duration::from_secs([60, 0, u64::MAX][dice.roll(3)]);
            let lookup = Lookup::new(world.workspace.clone(), Subject::Contact(ann.clone()), token, now);
            let _ = row.load(&ann, &lookup);
            let _ = row.ready_at(now);
            let due = Due { now, token, lease, limit: 10, suspects: dice.roll(2) == 0 };
            let _ = row.claim(&world.workspace, &ann, &due);
            let settle = Settle {
                workspace: world.workspace.clone(),
                contact: ann.clone(),
                token,
                revision: row.revision,
                settled: [0, 5, u64::MAX][dice.roll(3)],
                due_at: Some(instant(dice)),
                quarantine: dice.roll(8) == 0,
                now,
            };
            let _ = row.settle(&settle);
            let expect = (row.revision > 0).then_some(row.revision);
            let commit = Commit {
                lease: [Lease::Take(token, lease), Lease::Hold(token), Lease::Free(token)][dice.roll(3)],
                ..Commit::new(world.workspace.clone(), ann.clone(), expect, row.record.clone(), now)
            };
            let _ = row.commit(&commit, None, |_| None);
            let erase = Erase {
                workspace: world.workspace.clone(),
                contact: ann.clone(),
                expect: row.revision,
                keeps_history: false,
                now,
            };
            let _ = dice.roll(4) == 0 && row.erase(&erase);
            assert!(Row::from_bytes(&row.to_bytes().unwrap()).is_ok());
        }
        true
    });
}

/// S18
#[test]
fn a_changed_key_is_answered_or_refused() {
    let world = World::new();
    let contact = ContactId::new("seed").unwrap();
    let record = json!(KeyRecord {
        fingerprint: 1,
        started: true,
        session: SessionId(Uuid::from_u128(1)),
        version: FlowVersion(1),
        digest: Some(1),
        contact: contact.clone(),
        expires_at: start() + TimeDelta::hours(1),
        status: Some(Status::Failed),
        failure: Some(FailureCode::ConversationSize),
        erased: false,
    });
    for_each_round(|round, dice, shown| {
        let mut value = record.clone();
        change(&mut value, dice);
        *shown = value.to_string();
        let Ok(read) = serde_json::from_value::<KeyRecord>(value) else { return false };
        world.clock.set(start());
        world.mood(0);
        let name = KeyName {
            flow: chatflow::FlowId::new("talk").unwrap(),
            key: TriggerKey::new(format!("k{round}")).unwrap(),
        };
        let owner = ContactId::new(format!("c{round}")).unwrap();
        let key = Some((name, read));
        let base = Commit::new(world.workspace.clone(), owner, None, Record::from_bytes([]), start());
        let _ = block_on(world.bot.store().commit(Commit { key, ..base })).unwrap();
        for _ in 0..2 {
            let request = TriggerRequest::new("talk").contact_id("seed").phone("+14155550123");
            told(block_on(world.bot.trigger(request.uuid(format!("k{round}")))));
            world.clock.advance(TimeDelta::hours(2));
        }
        told(block_on(world.bot.erase(&contact, EraseOptions::default())));
        true
    });
}

/// S18
#[test]
fn a_changed_journal_is_told_and_replayed_or_diverges() {
    let world = World::new();
    let contact = ContactId::new("seed").unwrap();
    let mut journals = Vec::new();
    for answers in [&["3", "x", "4"][..], &["x", "x", "x", "x"], &["1"]] {
        world.clock.set(start());
        world.mood(0);
        let request = TriggerRequest::new("talk").contact_id("seed").phone("+14155550123");
        let _ = block_on(world.bot.trigger(request.context(json!({"cart": [1]})))).unwrap();
        for answer in answers {
            world.say(answer);
            world.pass(6);
        }
        world.pass(7200);
        let sessions = block_on(world.bot.sessions(SessionFilter::all().contact(contact.clone()))).unwrap();
        let id = sessions[0].session().id();
        journals.push(json!(block_on(world.bot.journal(id)).unwrap()));
        let _ = block_on(world.bot.erase(&contact, EraseOptions::default())).unwrap();
    }
    let compiled: Vec<(String, Flow)> = flows()
        .into_iter()
        .map(|text| {
            let code = serde_json::from_str::<Value>(&text).unwrap()["code"].as_str().unwrap().to_owned();
            (code, Flow::from_json(&text).unwrap())
        })
        .collect();
    let find = |flow: &chatflow::FlowId, _| {
        compiled.iter().find(|(code, _)| code == flow.as_str()).map(|(_, flow)| flow)
    };
    let whole: Vec<JournalEntry> = serde_json::from_value(journals[0].clone()).unwrap();
    assert!(replay(find, &whole, &Limits::default()).is_ok(), "unchanged it replays");
    for_each_round(|_, dice, shown| {
        let mut value = journals[dice.roll(journals.len())].clone();
        change(&mut value, dice);
        *shown = value.to_string();
        let Ok(journal) = serde_json::from_value::<Vec<JournalEntry>>(value) else { return false };
        let _ = Transcript::of(&journal).to_string();
        let _ = replay(find, &journal, &Limits::default()).map_err(|error| error.to_string());
        true
    });
}
