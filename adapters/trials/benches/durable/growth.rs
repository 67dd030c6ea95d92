//! The cost of a call, a claim and a purge when few or many sessions are live in the store. The
//! stores of all sizes are filled first and measured in turn, so that noise meets all of them.

use std::time::Instant;

use chatflow::store::{Due, Purge, Settle, Settled, Token};
use chatflow::testkit::ManualClock;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::bot::{Bot, Durable, runtime};
use crate::folder::Folder;
use crate::median::median;
use crate::script::{Script, script, scripts};
use crate::server::{Database, Server};
use crate::sqlite;

/// So many sessions of PostgreSQL are begun by calls; the others are copies of them.
const CALLED: u64 = 1_000;
const COPIED: &str = "CREATE TABLE copied(shard smallint, workspace text COLLATE \"C\", contact text COLLATE \"C\", session uuid,
    copy uuid, n bigint)";
const COPY: [&str; 5] = [
    "INSERT INTO copied SELECT s.shard, s.workspace, s.contact, s.session, gen_random_uuid(), n
    FROM chatflow_session s, generate_series(1, $1::bigint) n
    WHERE s.state > 0 AND s.started_at = (SELECT max(started_at) FROM chatflow_session WHERE state > 0)",
    "INSERT INTO chatflow_conversation
    SELECT (c.shard + n) % 1024, c.workspace, c.contact || '-' || n, c.revision, c.settled, c.due_at, c.filed_at,
        c.lease_until, c.lease_token, c.claims, c.dead_letters, c.quarantined, c.record
    FROM copied JOIN chatflow_conversation c USING (workspace, contact) WHERE $1::bigint > 0",
    "INSERT INTO chatflow_session
    SELECT (s.shard + n) % 1024, s.workspace, s.contact || '-' || n, copy, s.flow, s.version, s.state, s.started_at,
        s.called, s.ended_at, s.record
    FROM copied JOIN chatflow_session s USING (workspace, session) WHERE $1::bigint > 0",
    "INSERT INTO chatflow_alias
    SELECT a.workspace, a.alias || '-' || n, (a.shard + n) % 1024, a.contact || '-' || n
    FROM copied JOIN chatflow_alias a USING (workspace, contact) WHERE $1::bigint > 0",
    "INSERT INTO chatflow_key
    SELECT k.workspace, k.flow, k.key || '-' || n, k.fingerprint, k.started, copy, k.version, k.contact || '-' || n,
        k.expires_at, k.erased
    FROM copied JOIN chatflow_key k USING (workspace, contact) WHERE $1::bigint > 0",
];

/// The number of due conversations in a claim.
const DUE: u64 = 100;
/// The number of rows that a purge removes, of each kind.
const EXPIRED: u64 = 1_000;
const CALLERS: usize = 256;
/// Contacts from here on were not met while the store was filled.
const UNKNOWN: u64 = 50_000_000;

pub(crate) fn run(sizes: &[u64]) {
    compare(sizes, 7, 300);
}

/// All of it, in seconds.
pub(crate) fn smoke() {
    compare(&[200, 400], 1, 5);
}

fn compare(sizes: &[u64], passes: u64, calls: u64) {
    println!(
        "growth: what one caller's call costs among so many live sessions, {passes} passes, medians (spread)"
    );
    let runtime = runtime();
    let folder = Folder::new();
    println!("  SQLite, synchronous=NORMAL");
    let stores = sizes.iter().map(|live| (*live, sqlite::open(&folder.file(&format!("{live}.db")), false)));
    let filled = stores.map(|(live, store)| fill(&runtime, store, live, passes));
    measure(&runtime, filled.collect(), passes, calls);
    println!("  PostgreSQL");
    let Some(server) = Server::named() else { return };
    let databases: Vec<_> = sizes.iter().map(|live| (*live, server.database(&runtime))).collect();
    let filled = databases.iter().map(|(live, database)| {
        let store = runtime.block_on(database.store());
        let (mut grown, costs) = fill(&runtime, store, (*live).min(CALLED), passes);
        runtime.block_on(multiply(database, *live, grown.called));
        grown.live = *live;
        (grown, costs)
    });
    measure(&runtime, filled.collect(), passes, calls);
}

/// A store with this many live sessions, those of [`DUE`] contacts due before the others, and with
/// ended sessions and expired keys for each pass.
struct Grown<S> {
    bot: Bot<S>,
    live: u64,
    /// The number of those of contacts that are called.
    called: u64,
    /// Contacts that were triggered so far, of those that were not met before.
    triggered: u64,
    replies: u64,
}

/// The measures, in microseconds a call.
#[derive(Default)]
struct Costs {
    trigger: Vec<f64>,
    reply: Vec<f64>,
    idle_claim: Vec<f64>,
    claim: Vec<f64>,
    purge: Vec<f64>,
}

fn fill<S: Durable>(runtime: &Runtime, store: S, live: u64, passes: u64) -> (Grown<S>, Costs) {
    (runtime.block_on(Grown::fill(store, live, passes)), Costs::default())
}

/// Copies the conversations that a database has, with all that belongs to them, until so many are
/// live.
async fn multiply(database: &Database<'_>, live: u64, called: u64) {
    let copies = ((live - called) / (called - DUE)) as i64;
    let client = database.client().await;
    client.batch_execute(COPIED).await.expect("the table can be made");
    for statement in COPY {
        client.execute(statement, &[&copies]).await.expect("the rows can be copied");
    }
    for statement in ["DROP TABLE copied", "VACUUM ANALYZE", "CHECKPOINT"] {
        client.batch_execute(statement).await.expect("it is tidied up");
    }
}

fn measure<S: Durable>(runtime: &Runtime, mut grown: Vec<(Grown<S>, Costs)>, passes: u64, calls: u64) {
    for _ in 0..passes {
        for (grown, costs) in &mut grown {
            runtime.block_on(grown.pass(calls, costs));
        }
    }
    print(&mut grown);
}

fn print<S>(grown: &mut [(Grown<S>, Costs)]) {
    type Row = (&'static str, fn(&mut Costs) -> &mut Vec<f64>);
    let rows: [Row; 5] = [
        ("trigger", |costs| &mut costs.trigger),
        ("reply", |costs| &mut costs.reply),
        ("claim, nothing due", |costs| &mut costs.idle_claim),
        ("claim of 100 due", |costs| &mut costs.claim),
        ("purge of 1,000 each", |costs| &mut costs.purge),
    ];
    for (name, of) in rows {
        let mut line = format!("    {name:<20}");
        let mut first = None;
        for (grown, costs) in grown.iter_mut() {
            let (cost, spread) = median(std::mem::take(of(costs)));
            let ratio = cost / *first.get_or_insert(cost);
            line += &format!("  {:>9}: {cost:>8.0} us ({spread:.0} %) x{ratio:.2}", grown.live);
        }
        println!("{line}");
    }
}

impl<S: Durable> Grown<S> {
    async fn fill(store: S, live: u64, passes: u64) -> Self {
        let clock = ManualClock::at(began() - TimeDelta::hours(40));
        let bot = Bot::new(store, Some(clock.clone())).await;
        let began_at = Instant::now();
        bot.in_flight(CALLERS, scripts(UNKNOWN * 3..UNKNOWN * 3 + passes * EXPIRED), false).await;
        clock.set(began() - TimeDelta::minutes(10));
        bot.in_flight(CALLERS, scripts(live - DUE..live), true).await;
        clock.set(began());
        let mut from = 0;
        while from < live - DUE {
            let to = (from + 50_000).min(live - DUE);
            bot.in_flight(CALLERS, scripts(from..to), true).await;
            from = to;
        }
        // As ticks would have done meanwhile: each files some of what is filed too early anew.
        while let Some(next) =
            bot.engine.store().lease_due(&claim(began())).await.expect("it claims").next_due
            && next <= began()
        {}
        println!("    {live} sessions are live after {:.0} s", began_at.elapsed().as_secs_f64());
        Self { bot, live, called: live, triggered: 0, replies: 0 }
    }

    async fn pass(&mut self, calls: u64, costs: &mut Costs) {
        costs.trigger.push(self.triggers(calls).await);
        costs.reply.push(self.hellos(calls).await);
        costs.idle_claim.push(self.idle_claims(calls).await);
        costs.claim.push(self.claim().await);
        costs.purge.push(self.purge().await);
    }

    async fn triggers(&mut self, calls: u64) -> f64 {
        let from = UNKNOWN + self.triggered;
        self.triggered += calls;
        let scripts = scripts(from..from + calls);
        let start = Instant::now();
        for script in scripts {
            self.bot.begin(script).await;
        }
        micros(start) / calls as f64
    }

    async fn hellos(&mut self, calls: u64) -> f64 {
        let mut replies = Vec::new();
        for _ in 0..calls {
            self.replies += 1;
            let Script { phone: [phone, ..], .. } =
                script(self.replies.wrapping_mul(7_919_777) % (self.called - DUE));
            replies.push((phone, self.replies.to_string()));
        }
        let start = Instant::now();
        for (phone, id) in replies {
            self.bot.reply(phone, "hello".to_owned(), id).await;
        }
        micros(start) / calls as f64
    }

    async fn idle_claims(&self, calls: u64) -> f64 {
        let due = claim(began());
        let start = Instant::now();
        for _ in 0..calls {
            let leased = self.bot.engine.store().lease_due(&due).await.expect("it claims");
            assert!(leased.conversations.is_empty(), "nothing is due");
            assert!(leased.next_due.is_some(), "and something will be");
        }
        micros(start) / calls as f64
    }

    /// Claims what is due, and gives it back as it was.
    async fn claim(&self) -> f64 {
        let due = claim(began() + TimeDelta::minutes(25));
        let store = self.bot.engine.store();
        let start = Instant::now();
        let leased = store.lease_due(&due).await.expect("it claims");
        let cost = micros(start);
        assert_eq!(leased.conversations.len() as u64, DUE, "all that are due");
        for claimed in leased.conversations {
            let settle = Settle {
                workspace: claimed.workspace,
                contact: claimed.stored.contact,
                token: due.token,
                revision: claimed.stored.revision,
                settled: claimed.stored.settled,
                due_at: Some(began() + TimeDelta::minutes(20)),
                quarantine: false,
                now: due.now,
            };
            assert_eq!(store.settle(&settle).await.expect("it is given back"), Settled::Done);
        }
        cost
    }

    async fn purge(&self) -> f64 {
        let before = began() - TimeDelta::hours(30);
        let limit = EXPIRED as usize;
        let purge = Purge {
            now: began(),
            ended_before: before,
            journal_before: before,
            counts_before: before,
            limit,
        };
        let start = Instant::now();
        let purged = self.bot.engine.store().purge(&purge).await.expect("it purges");
        let cost = micros(start);
        assert_eq!((purged.keys, purged.sessions), (limit, limit), "as many as are asked for");
        cost
    }
}

fn claim(now: DateTime<Utc>) -> Due {
    let limit = DUE as usize;
    Due {
        now,
        token: Token(Uuid::from_u128(7)),
        lease: std::time::Duration::from_secs(60),
        limit,
        suspects: false,
    }
}

/// When the sessions began that are live.
fn began() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

fn micros(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e6
}
