//! Whole conversations on PostgreSQL through the engine, by one caller and by many, beside the same
//! by hand on 16 connections in the same run. Names are in random order, as telephone numbers are:
//! consecutive ones flatter what is written by hand.

use std::time::{Duration, Instant};

use chatflow::store::Known;
use chatflow_postgres::PostgresStore;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, Config, NoTls};
use uuid::Uuid;

use crate::bot::{Bot, runtime};
use crate::cpu::Cpu;
use crate::median::median;
use crate::postgres_by_hand::Hands;
use crate::proxy::Proxy;
use crate::script::{Script, said, script};
use crate::server::{Database, Server};

const CONNECTIONS: usize = 16;

pub(crate) fn run() {
    println!("PostgreSQL through the engine, 3 passes, medians");
    measure(3, &[(1, 400), (16, 3_200), (64, 6_400), (256, 12_800)]);
}

/// All of it, in seconds.
pub(crate) fn smoke() {
    measure(1, &[(1, 10), (16, 64)]);
}

fn measure(passes: usize, sizes: &[(usize, u64)]) {
    let runtime = runtime();
    let Some(server) = Server::named() else { return };
    for &(callers, contacts) in sizes {
        let mut ways: [Vec<Pass>; 4] = Default::default();
        for _ in 0..passes {
            for (way, done) in WAYS.into_iter().zip(&mut ways) {
                done.push(pass(&runtime, &server, callers, contacts, way));
            }
        }
        let [hand, others @ ..] = &ways;
        let ratio = |ours: &[Pass]| {
            let (ratio, spread) =
                median(hand.iter().zip(ours).map(|(hand, ours)| ours.speed / hand.speed * 100.0).collect());
            format!("{ratio:.0} % ({spread:.0} %)")
        };
        let ratios: Vec<String> = others.iter().map(|ours| ratio(ours)).collect();
        println!("  {callers} in flight: {} of hand", ratios.join(", "));
        for (way, done) in WAYS.into_iter().zip(&ways) {
            print(way.name(), done);
        }
    }
    for callers in [1, 64] {
        for way in [Way::Engine, Way::Known, Way::KnownRiding] {
            let trips = round_trips(&runtime, &server, callers, way);
            println!("  {callers} in flight, {}: {trips:.2} round trips a conversation", way.name().trim());
        }
    }
}

/// A side of the comparison.
#[derive(Clone, Copy)]
enum Way {
    Hand,
    Engine,
    /// The engine on a store that keeps what it knows; with settles that ride.
    Known,
    KnownRiding,
}

const WAYS: [Way; 4] = [Way::Hand, Way::Engine, Way::Known, Way::KnownRiding];

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Hand => "by hand          ",
            Self::Engine => "chatflow         ",
            Self::Known => "known            ",
            Self::KnownRiding => "known, riding    ",
        }
    }

    async fn store(self, config: Config) -> Known<PostgresStore> {
        let within =
            if matches!(self, Self::KnownRiding) { Duration::from_millis(20) } else { Duration::ZERO };
        let store = PostgresStore::options().settle_within(within).connect(config, NoTls).await;
        let known = Known::new(store.expect("the store opens"));
        if matches!(self, Self::Engine) { known.cache_bytes(0) } else { known }
    }
}

/// The cost of one pass, a conversation.
struct Pass {
    speed: f64,
    our_cpu: f64,
    server_cpu: f64,
    wal: f64,
}

fn print(name: &str, passes: &[Pass]) {
    let of = |of: fn(&Pass) -> f64| median(passes.iter().map(of).collect()).0;
    println!(
        "    {name} {:>6.0} conversations a second; each {:>5.0} us of this process, {:>5.0} us of the \
         server, {:>6.0} bytes of WAL",
        of(|pass| pass.speed),
        of(|pass| pass.our_cpu),
        of(|pass| pass.server_cpu),
        of(|pass| pass.wal),
    );
}

enum Worker {
    Hand(Hands),
    Engine(Bot<Known<PostgresStore>>),
}

impl Worker {
    async fn on(database: &Database<'_>, callers: usize, way: Way) -> Self {
        if let Way::Hand = way {
            return Self::Hand(Hands::on(database, CONNECTIONS.min(callers)).await);
        }
        drop(database.store().await);
        Self::Engine(Bot::new(way.store(database.config()).await, None).await)
    }

    async fn work(&self, callers: usize, scripts: Vec<Script>) {
        match self {
            Self::Hand(hands) => hands.in_flight(callers, scripts).await,
            Self::Engine(bot) => bot.in_flight(callers, scripts, false).await,
        }
    }

    fn total(&self) -> (u64, u64) {
        match self {
            Self::Hand(hands) => hands.counter.total(),
            Self::Engine(bot) => bot.counter.total(),
        }
    }
}

/// Conversations on a fresh database, after some that open its connections.
fn pass(runtime: &Runtime, server: &Server, callers: usize, contacts: u64, way: Way) -> Pass {
    let database = server.database(runtime);
    runtime.block_on(async {
        let client = database.client().await;
        let worker = Worker::on(&database, callers, way).await;
        worker.work(callers, random(1_000_000..1_000_000 + 2 * callers as u64)).await;
        let (texts, scripts) = (worker.total(), random(0..contacts));
        let (cpu, wal, began) = (Cpu::now(&client).await, written(&client).await, Instant::now());
        worker.work(callers, scripts).await;
        let took = began.elapsed().as_secs_f64();
        let (ours, theirs) = cpu.passed();
        let wal = written(&client).await - wal;
        let (messages, sum) = said(0..contacts);
        let total = worker.total();
        assert_eq!((total.0 - texts.0, total.1.wrapping_sub(texts.1)), (messages, sum), "every message");
        let each = |all: f64| all / contacts as f64;
        Pass {
            speed: contacts as f64 / took,
            our_cpu: each(ours * 1e6),
            server_cpu: each(theirs.unwrap_or(0.0) * 1e6),
            wal: each(wal),
        }
    })
}

fn round_trips(runtime: &Runtime, server: &Server, callers: usize, way: Way) -> f64 {
    let database = server.database(runtime);
    runtime.block_on(async {
        let (host, port) = server.address();
        let proxy = Proxy::before(host, port).await;
        drop(database.store().await);
        let bot = Bot::new(way.store(database.config_at(proxy.port)).await, None).await;
        bot.in_flight(callers, random(1_000_000..1_000_000 + 2 * callers as u64), false).await;
        let count = 10 * callers as u64 + 40;
        let before = proxy.round_trips();
        bot.in_flight(callers, random(0..count), false).await;
        (proxy.round_trips() - before) as f64 / count as f64
    })
}

/// The bytes of write-ahead log that the server has written so far.
async fn written(client: &Client) -> f64 {
    let position = "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8";
    client.query_one(position, &[]).await.expect("a position").get(0)
}

/// Scripts whose names are in no order.
fn random(contacts: std::ops::Range<u64>) -> Vec<Script> {
    contacts
        .map(|contact| {
            let phone = format!("+1415{:08}", contact.wrapping_mul(2_654_435_761) % 100_000_000);
            Script {
                phone: [phone.clone(), phone.clone(), phone],
                key: Uuid::from_u64_pair(mixed(contact + 77), mixed(contact + 99)).to_string(),
                ids: [1, 2].map(|nth| format!("wamid.{:032x}", mixed(contact * 2 + nth))),
                ..script(contact)
            }
        })
        .collect()
}

/// A number that looks like no other.
fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let number = (number ^ (number >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    number ^ (number >> 33)
}
