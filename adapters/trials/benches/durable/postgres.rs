//! P3: PostgreSQL. Round trips of one caller; 64 in flight beside raw compare-and-swap of the same
//! bytes.

use std::sync::Arc;
use std::time::Instant;

use chatflow::store::{Commit, Committed, ConversationStore, Lookup, Record, Revision, Subject, Token};
use chatflow::{ContactId, MemoryStore, TriggerRequest, Triggered, WorkspaceId};
use chatflow_postgres::PostgresStore;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::runtime::Runtime;
use tokio_postgres::{Config, NoTls};
use uuid::Uuid;

use crate::bot::{Bot, runtime};
use crate::cpu::Cpu;
use crate::median::median;
use crate::proxy::Proxy;
use crate::script::{Script, script, scripts};
use crate::server::{Database, Server};
use crate::swap::Swap;

const CALLERS: usize = 64;

/// The amount of work of a run.
struct Size {
    passes: usize,
    alone: u64,
    together: u64,
    contacts: usize,
    rounds: usize,
}

pub(crate) fn run() {
    measure(&Size { passes: 5, alone: 200, together: 3_200, contacts: 6_400, rounds: 4 });
}

/// All of it, in seconds.
pub(crate) fn smoke() {
    measure(&Size { passes: 1, alone: 10, together: 128, contacts: 128, rounds: 1 });
}

fn measure(size: &Size) {
    println!("P3: PostgreSQL, {} passes, medians (spread)", size.passes);
    let runtime = runtime();
    let Some(server) = Server::named() else { return };
    round_trips(&runtime, &server);
    conversations(&runtime, &server, size, false);
    conversations(&runtime, &server, size, true);
    swaps(&runtime, &server, size, false);
    swaps(&runtime, &server, size, true);
}

/// The round trips of one caller, settle included: load, commit, settle.
fn round_trips(runtime: &Runtime, server: &Server) {
    const COUNTED: u64 = 50;
    let database = server.database(runtime);
    let (proxy, bot) = runtime.block_on(async {
        let (host, port) = server.address();
        let proxy = Proxy::before(host, port).await;
        drop(database.store().await);
        let store = PostgresStore::connect(database.config_at(proxy.port), NoTls).await;
        (proxy, Bot::new(store.expect("the store opens"), None).await)
    });
    runtime.block_on(bot.one_by_one(scripts(1_000..1_020)));
    let mut counts = [0; 3];
    for Script {
        phone: [first, second, third],
        context,
        key,
        ids: [id, last_id],
        texts: [text, last_text],
    } in scripts(0..COUNTED)
    {
        let mut seen = proxy.round_trips();
        let mut count = |step: usize| {
            let now = proxy.round_trips();
            counts[step] += now - seen;
            seen = now;
        };
        runtime.block_on(bot.trigger(first, context, key));
        count(0);
        runtime.block_on(bot.reply(second, text, id));
        count(1);
        runtime.block_on(bot.reply(third, last_text, last_id));
        count(2);
    }
    let [trigger, reply, last] = counts.map(|count| count as f64 / COUNTED as f64);
    println!("  one caller, round trips counted by a proxy, to be at most 2 a turn and one to settle");
    println!("    trigger {trigger:.2}, reply {reply:.2}, last reply {last:.2}");
}

/// W1 by one caller and by many.
fn conversations(runtime: &Runtime, server: &Server, size: &Size, is_prepared: bool) {
    println!("  statements {}", kind(is_prepared));
    for (name, callers, contacts) in [("one caller", 1, size.alone), ("64 callers", CALLERS, size.together)] {
        let (mut speeds, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..size.passes {
            let database = server.database(runtime);
            let (bot, client) = runtime.block_on(async {
                // Makes the tables.
                drop(database.store().await);
                let store = store(database.config(), is_prepared).await;
                (Bot::new(store, None).await, database.client().await)
            });
            let scripts = scripts(0..contacts);
            let cpu = runtime.block_on(Cpu::now(&client));
            let began = Instant::now();
            runtime.block_on(bot.in_flight(callers, scripts, false));
            speeds.push(contacts as f64 / began.elapsed().as_secs_f64());
            let (our, their) = cpu.passed();
            ours.push(our / contacts as f64 * 1e6);
            theirs.push(their.unwrap_or(0.0) / contacts as f64 * 1e6);
            assert_eq!(
                bot.counter.total(),
                crate::script::said(0..contacts),
                "every message, as it should be"
            );
            assert_eq!(runtime.block_on(bot.live()), 0, "every session has ended");
        }
        let (speed, spread) = median(speeds);
        let ((ours, _), (theirs, _)) = (median(ours), median(theirs));
        println!(
            "  {name}: {speed:.0} conversations, {:.0} turns per second ({spread:.0} %); processor time a conversation: \
             ours {ours:.0} us, the server's {theirs:.0} us",
            speed * 3.0
        );
    }
}

/// Commits of a record with 64 in flight, and raw swaps of its bytes: in statements of as many
/// rows, which are sent in the same way (planned each time, or prepared once), on as many
/// connections. Both move the due time, which is indexed.
fn swaps(runtime: &Runtime, server: &Server, size: &Size, is_prepared: bool) {
    let record = runtime.block_on(record());
    let rows = rows_in_a_statement(runtime, server, is_prepared, &record);
    let lanes = (CALLERS as f64 / rows).round().max(1.0) as usize;
    let (mut ours, mut raw, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..size.passes {
        let swapped = swap_raw(runtime, server, size, lanes, is_prepared, &record);
        let committed = commit(runtime, server, size, is_prepared, &record);
        ratios.push(committed / swapped * 100.0);
        ours.push(committed);
        raw.push(swapped);
    }
    let ((ours, our_spread), (raw, raw_spread)) = (median(ours), median(raw));
    let (ratio, spread) = median(ratios);
    let kind = kind(is_prepared);
    println!("  64 in flight, statements {kind}, a record of {} bytes, {rows:.1} rows each", record.len());
    println!(
        "    raw swaps {raw:>9.0} per second ({raw_spread:.0} %): {lanes} connections, {} rows a statement",
        CALLERS / lanes
    );
    println!("    chatflow  {ours:>9.0} commits per second ({our_spread:.0} %)");
    println!("    ratio     {ratio:>8.0} % ({spread:.0} %), to be at least 70 %");
}

/// A conversation at its first wait, as it is stored.
async fn record() -> Vec<u8> {
    let store = Arc::new(MemoryStore::new());
    let engine = chatflow::Engine::builder(Arc::clone(&store)).build();
    engine.flows().ensure(crate::script::FLOW).await.expect("the flow is right");
    let Script { phone: [phone, ..], context, key, .. } = script(1);
    let request = TriggerRequest::new("abandoned-cart").phone(phone).context(context).uuid(key);
    let Ok(Triggered::Started(started)) = engine.trigger(request).await else { panic!("it starts") };
    let token = Token(Uuid::nil());
    let lookup = Lookup::new(WorkspaceId::default(), Subject::Contact(started.contact_id), token, at(0));
    let loaded = store.load(&lookup).await.expect("it loads");
    let stored = loaded.conversation.expect("it is there");
    stored.record.to_bytes().expect("it becomes bytes").to_vec()
}

/// The number of commits in one statement when so many are in flight.
fn rows_in_a_statement(runtime: &Runtime, server: &Server, is_prepared: bool, record: &[u8]) -> f64 {
    const CONTACTS: usize = 1_280;
    const ROUNDS: usize = 3;
    let database = server.database(runtime);
    runtime.block_on(async {
        let (host, port) = server.address();
        let proxy = Proxy::before(host, port).await;
        drop(database.store().await);
        let store = store(database.config_at(proxy.port), is_prepared).await;
        let callers = commit_rounds(&store, callers(CONTACTS), record, 1).await;
        let before = proxy.round_trips();
        commit_rounds(&store, callers, record, ROUNDS).await;
        (CONTACTS * ROUNDS) as f64 / (proxy.round_trips() - before) as f64
    })
}

fn swap_raw(
    runtime: &Runtime,
    server: &Server,
    size: &Size,
    lanes: usize,
    is_prepared: bool,
    record: &[u8],
) -> f64 {
    let database = server.database(runtime);
    runtime.block_on(async {
        let swap = Swap::new(&database, lanes, is_prepared, contacts(size.contacts), at(0), record).await;
        let began = Instant::now();
        let swapped = swap.rounds(size.rounds, CALLERS / lanes).await;
        swapped as f64 / began.elapsed().as_secs_f64()
    })
}

fn commit(runtime: &Runtime, server: &Server, size: &Size, is_prepared: bool, record: &[u8]) -> f64 {
    let database: Database<'_> = server.database(runtime);
    runtime.block_on(async {
        drop(database.store().await);
        let store = store(database.config(), is_prepared).await;
        let callers = commit_rounds(&store, callers(size.contacts), record, 1).await;
        let began = Instant::now();
        commit_rounds(&store, callers, record, size.rounds).await;
        (size.contacts * size.rounds) as f64 / began.elapsed().as_secs_f64()
    })
}

fn kind(is_prepared: bool) -> &'static str {
    if is_prepared { "prepared once" } else { "planned each time" }
}

async fn store(config: Config, is_prepared: bool) -> PostgresStore {
    let options = PostgresStore::options().prepared_statements(is_prepared);
    options.connect(config, NoTls).await.expect("the store opens")
}

/// The conversations of one caller, each at its revision.
type Caller = Vec<(ContactId, Option<Revision>)>;

fn callers(count: usize) -> Vec<Caller> {
    let contacts: Vec<(ContactId, Option<Revision>)> =
        contacts(count).into_iter().map(|contact| (ContactId::new(contact).expect("an id"), None)).collect();
    contacts.chunks(count.div_ceil(CALLERS)).map(<[_]>::to_vec).collect()
}

/// Each caller commits to each of its conversations so many times, one after the other.
async fn commit_rounds(
    store: &PostgresStore,
    callers: Vec<Caller>,
    record: &[u8],
    rounds: usize,
) -> Vec<Caller> {
    let record: Arc<[u8]> = record.into();
    let tasks: Vec<_> = callers
        .into_iter()
        .map(|mut caller| {
            let (store, record) = (store.clone(), Arc::clone(&record));
            tokio::spawn(async move {
                for round in 0..rounds {
                    for (contact, revision) in &mut caller {
                        let record = Record::from_bytes(Arc::clone(&record));
                        let (workspace, contact) = (WorkspaceId::default(), contact.clone());
                        let mut commit = Commit::new(workspace, contact, *revision, record, at(0));
                        commit.due_at = Some(at(round as i64));
                        *revision = match store.commit(commit).await.expect("it is written") {
                            Committed::Applied { revision, .. } => Some(revision),
                            other => panic!("{other:?}"),
                        };
                    }
                }
                caller
            })
        })
        .collect();
    let mut callers = Vec::new();
    for task in tasks {
        callers.push(task.await.expect("every commit is right"));
    }
    callers
}

fn contacts(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("contact-{number:08}")).collect()
}

fn at(micros: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::microseconds(micros)
}
