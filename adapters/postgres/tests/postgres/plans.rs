//! The partitions that frequent statements touch, as the server itself says: each runs under
//! `auto_explain`, and its plan comes back as a notice.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use chatflow::address::{Alias, Phone};
use chatflow::id::{FlowVersion, NodeId, TriggerKey};
use chatflow::store::{
    Commit, Committed, ConversationStore, CountDelta, CounterSubject, Due, KeyName, KeyRecord, Lease, Lookup,
    Record, Settle, Settled, Subject, Token,
};
use chatflow::{Address, ContactId, FlowId, SessionId, WorkspaceId};
use chatflow_postgres::PostgresStore;
use chrono::{DateTime, TimeDelta, Utc};
use deadpool_postgres::{Connect, Manager, ManagerConfig, Pool};
use libtest_mimic::Trial;
use tokio::task::{JoinHandle, JoinSet};
use tokio_postgres::{AsyncMessage, Client, Config, Error, NoTls};
use uuid::Uuid;

use crate::kit::{Database, Layout, trial};

/// The plans that the server sent.
#[derive(Clone, Default)]
pub struct Plans {
    all: Arc<Mutex<Vec<String>>>,
    /// True where tables are so small that all partitions together cost as much as one.
    are_tiny: bool,
}

impl Connect for Plans {
    fn connect(
        &self,
        config: &Config,
    ) -> Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + '_>> {
        let config = config.clone();
        Box::pin(async move {
            let (client, mut connection) = config.connect(NoTls).await?;
            let plans = Arc::clone(&self.all);
            let pump = tokio::spawn(poll_fn(move |context| {
                loop {
                    match connection.poll_message(context) {
                        Poll::Pending => return Poll::Pending,
                        Poll::Ready(Some(Ok(AsyncMessage::Notice(notice)))) => {
                            plans.lock().unwrap().push(notice.message().to_owned());
                        }
                        Poll::Ready(Some(Ok(_))) => {}
                        Poll::Ready(_) => return Poll::Ready(()),
                    }
                }
            }));
            Ok((client, pump))
        })
    }
}

impl Plans {
    /// The partitions of a table that were looked into since the last time, and all plans.
    fn touched(&self, table: &str) -> (BTreeSet<String>, String) {
        let plans = self.all();
        let prefix = format!(" on {table}_");
        let touched = plans
            .lines()
            .filter(|line| line.contains("Scan") && line.contains("actual"))
            .filter_map(|line| line.split_once(&prefix))
            .map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
        (touched.filter(|number| !number.is_empty()).collect(), plans)
    }

    pub fn forget(&self) {
        self.all.lock().unwrap().clear();
    }

    /// The number of statements that were planned since the last time.
    pub fn count(&self) -> usize {
        self.all.lock().unwrap().iter().filter(|notice| notice.contains("Query Text")).count()
    }

    pub fn all(&self) -> String {
        self.all.lock().unwrap().join("\n")
    }

    /// Asserts that all since the last time was done in one partition of the conversations.
    fn assert_one(&self, what: &str) {
        let (touched, plans) = self.touched("chatflow_conversation");
        assert!(plans.contains("chatflow_conversation"), "{what}: no plan came\n{plans}");
        assert!(self.are_tiny || touched.len() <= 1, "{what} looks into partitions {touched:?}\n{plans}");
        assert!(!plans.contains("Seq Scan on chatflow_"), "{what} reads a table from end to end\n{plans}");
        let removed = plans.lines().filter_map(|line| line.trim().strip_prefix("Rows Removed by Filter: "));
        let most = removed.filter_map(|count| count.parse::<u64>().ok()).max().unwrap_or_default();
        assert!(most < 100, "{what} reads {most} rows for nothing\n{plans}");
        self.forget();
    }
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_750_000_000, 0).unwrap() + TimeDelta::seconds(seconds)
}

fn token(number: u128) -> Token {
    Token(Uuid::from_u128(number))
}

fn ann() -> ContactId {
    ContactId::new("ann").unwrap()
}

fn phone() -> Alias {
    Alias::Address(Address::Phone(Phone::parse("+14155550100").unwrap()))
}

fn commit(expect: Option<u64>) -> Commit {
    Commit::new(WorkspaceId::default(), ann(), expect, Record::from_bytes(*b"record"), at(0))
}

fn key() -> (KeyName, KeyRecord) {
    let name = KeyName { flow: FlowId::new("cart").unwrap(), key: TriggerKey::new("k").unwrap() };
    let record = KeyRecord {
        fingerprint: 1,
        started: true,
        session: SessionId(Uuid::from_u128(1)),
        version: FlowVersion(1),
        digest: Some(u128::MAX - 1),
        contact: ann(),
        expires_at: at(3600),
        status: None,
        failure: None,
        erased: false,
    };
    (name, record)
}

/// So many conversations of others, in tables that hold nothing else, not even the room of what was
/// deleted.
fn others(count: u32) -> String {
    format!(
        "TRUNCATE chatflow_conversation, chatflow_alias, chatflow_key, chatflow_catalogue;
    INSERT INTO chatflow_conversation SELECT i % 1024, 'default', 'other-' || i, 1, 0, 9000000000000000,
        9000000000000000, 0, NULL, 0, 0,
        false, '\\x00' FROM generate_series(1, {count}) i;
    INSERT INTO chatflow_alias SELECT 'default', 'p:+1' || i, i % 1024, 'other-' || i
        FROM generate_series(1, {count}) i;
    INSERT INTO chatflow_key SELECT 'default', 'cart', 'other-' || i, '00000000-0000-0000-0000-000000000000', true,
        '00000000-0000-0000-0000-000000000000', 1, 'other-' || i, 9000000000000000, false
        FROM generate_series(1, {count}) i;
    INSERT INTO chatflow_catalogue SELECT 'other-' || i, 1 FROM generate_series(1, least({count}, 1000)) i;"
    )
}

/// The planner knows nothing of the tables: what it knew of an earlier trial's is forgotten.
const NEVER_ANALYSED: &str =
    "DELETE FROM pg_statistic WHERE starelid IN (SELECT oid FROM pg_class WHERE relname LIKE 'chatflow%')";

/// The way in which statements come to their plans. A plan for tables of ten rows goes when the
/// server analyses them, which it does by itself after fifty more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planning {
    /// Each time, with the server's settings: behind a pooler.
    EachTime,
    /// Once for all parameters, with the server's settings otherwise.
    Generic,
    /// As `connect` does where its connections lead to the server itself.
    Own,
}

/// A store whose connections send the plans of their statements.
pub async fn store(database: &Database, plans: &Plans, planning: Planning) -> PostgresStore {
    let mut config = database.config();
    let mut options = "-c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=0 \
        -c auto_explain.log_analyze=on -c auto_explain.log_timing=off -c auto_explain.log_level=notice"
        .to_owned();
    if planning != Planning::EachTime {
        options.push_str(" -c plan_cache_mode=force_generic_plan");
    }
    if planning == Planning::Own {
        options.push_str(
            " -c enable_hashjoin=off -c enable_mergejoin=off -c enable_material=off -c enable_seqscan=off -c jit=off",
        );
    }
    config.options(options);
    let manager = Manager::from_connect(config, plans.clone(), ManagerConfig::default());
    let pool = Pool::builder(manager).max_size(2).build().unwrap();
    let is_prepared = planning != Planning::EachTime;
    PostgresStore::options().prepared_statements(is_prepared).from_pool(pool).await.unwrap()
}

async fn applied(store: &PostgresStore, commit: Commit) -> u64 {
    match store.commit(commit).await.unwrap() {
        Committed::Applied { revision, .. } => revision,
        refused => panic!("{refused:?}"),
    }
}

async fn keyed_triggers_that_go_together_find_their_keys_by_the_index(store: &PostgresStore, plans: &Plans) {
    let mut set = JoinSet::new();
    for number in 0..30 {
        let contact = ContactId::new(format!("new-{number}")).unwrap();
        let (name, record) = key();
        let key = KeyName { key: TriggerKey::new(format!("new-{number}")).unwrap(), ..name };
        let (store, key) = (store.clone(), Some((key, record)));
        set.spawn(async move { applied(&store, Commit { contact, key, ..commit(None) }).await });
    }
    set.join_all().await;
    let (_, all) = plans.touched("chatflow_key");
    assert!(!all.contains("Seq Scan on chatflow_"), "a batch reads a table from end to end\n{all}");
    plans.forget();
}

/// Each statement on a known conversation, of replies, of timers and of deliveries.
async fn each_statement_touches_one_partition(planning: Planning, count: u32, is_analysed: bool) {
    let database = Database::new(Layout::Partitioned).await;
    let client = database.client().await;
    client.batch_execute(&others(count)).await.unwrap();
    client.batch_execute(if is_analysed { "ANALYZE" } else { NEVER_ANALYSED }).await.unwrap();
    let plans = Plans { are_tiny: count < 50 && is_analysed, ..Plans::default() };
    let store = store(&database, &plans, planning).await;
    plans.forget();

    let first = Commit { key: Some(key()), add_aliases: vec![phone()], ..commit(None) };
    let revision = applied(&store, first).await;
    plans.assert_one("the first commit");

    let by = |subject, key| {
        let lookup = Lookup::new(WorkspaceId::default(), subject, token(1), at(0));
        Lookup { key, ..lookup }
    };
    let found = store.load(&by(Subject::Contact(ann()), Some(key().0))).await.unwrap();
    assert!(found.conversation.is_some() && found.key.is_some());
    plans.assert_one("a load by contact");
    let found = store.load(&by(Subject::Alias(phone()), None)).await.unwrap();
    assert!(found.conversation.is_some());
    plans.assert_one("a load by alias");
    for subject in [Subject::Contact(ann()), Subject::Alias(phone())] {
        let mut set = JoinSet::new();
        for _ in 0..30 {
            let (store, lookup) = (store.clone(), by(subject.clone(), Some(key().0)));
            set.spawn(async move { store.load(&lookup).await.unwrap() });
        }
        let found = set.join_all().await;
        assert!(found.iter().all(|found| found.conversation.is_some() && found.key.is_some()));
        let (_, all) = plans.touched("chatflow_conversation");
        assert!(all.contains("unnest"), "no two loads went together\n{all}");
        plans.assert_one("loads that go together");
    }

    let lease = Lease::Take(token(1), Duration::from_secs(60));
    let revision = applied(&store, Commit { lease, ..commit(Some(revision)) }).await;
    plans.assert_one("a turn");
    let settle = Settle {
        workspace: WorkspaceId::default(),
        contact: ann(),
        token: token(1),
        revision,
        settled: 1,
        due_at: Some(at(10)),
        quarantine: false,
        now: at(0),
    };
    assert_eq!(store.settle(&settle).await.unwrap(), Settled::Done);
    store.flush().await.unwrap();
    plans.assert_one("a settle");

    let session = (SessionId(Uuid::from_u128(1)), FlowId::new("cart").unwrap(), FlowVersion(1));
    let started = Commit { started: [session].into(), due_at: Some(at(10)), ..commit(Some(revision)) };
    let revision = applied(&store, started).await;
    plans.assert_one("a turn that starts a session");
    let what = CounterSubject::Entered(NodeId::new("ask").unwrap());
    let flow = FlowId::new("cart").unwrap();
    let count = CountDelta { flow, version: FlowVersion(1), minute: 1, what, times: 1 };
    let revision = applied(&store, Commit { counts: vec![count], ..commit(Some(revision)) }).await;
    plans.assert_one("a turn that counts");
    let (name, record) = key();
    let name = KeyName { key: TriggerKey::new("other").unwrap(), ..name };
    let keyed = Commit { key: Some((name, record)), due_at: Some(at(10)), ..commit(Some(revision)) };
    let revision = applied(&store, keyed).await;
    plans.assert_one("a keyed trigger");

    keyed_triggers_that_go_together_find_their_keys_by_the_index(&store, &plans).await;
    let due =
        Due { now: at(20), token: token(2), lease: Duration::from_secs(60), limit: 10, suspects: false };
    assert_eq!(store.lease_due(&due).await.unwrap().conversations.len(), 1);
    let claim: Vec<String> = plans
        .all
        .lock()
        .unwrap()
        .iter()
        .filter(|plan| plan.contains("FOR UPDATE SKIP LOCKED"))
        .cloned()
        .collect();
    assert_eq!(claim.len(), 1);
    *plans.all.lock().unwrap() = claim;
    plans.assert_one("a claim");
    let freed = Commit { lease: Lease::Free(token(2)), ..commit(Some(revision)) };
    applied(&store, freed).await;
    plans.assert_one("a turn under a claim");
    let _ = database.client().await.batch_execute("TRUNCATE chatflow_catalogue").await;
}

pub fn trials() -> Vec<Trial> {
    let cases = [
        ("planned", Planning::EachTime, 40_000, true),
        ("planned_never_analysed", Planning::EachTime, 100_000, false),
        ("generic", Planning::Generic, 40_000, true),
        ("own", Planning::Own, 100_000, true),
        ("own_never_analysed", Planning::Own, 100_000, false),
        ("own_of_ten_rows", Planning::Own, 10, true),
        ("own_of_ten_rows_never_analysed", Planning::Own, 10, false),
    ];
    let one_partition = |(name, planning, count, is_analysed)| {
        trial(format!("plans::each_statement_touches_one_partition::{name}"), move || {
            each_statement_touches_one_partition(planning, count, is_analysed)
        })
    };
    cases.into_iter().map(one_partition).collect()
}
