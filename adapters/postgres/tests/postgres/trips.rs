//! Round trips and statements, counted on the wire: of a trigger, of a reply, of a claim; and the
//! traces of an update in the tables and in the log.

use std::time::Duration;

use chatflow::clock::SystemClock;
use chatflow::store::{ConversationStore, Due, Token};
use chatflow::{
    Channel, Clock, Engine, Inbound, Receipt, Received, SendError, TriggerRequest, Triggered, send_fn,
};
use chatflow_postgres::{PostgresOptions, PostgresStore};
use libtest_mimic::Trial;
use serde_json::json;
use tokio_postgres::{Client, Config, NoTls};
use uuid::Uuid;

use crate::counting::Wire;
use crate::faults::server::Server;
use crate::kit::{Database, Layout, server, trial};

const FLOW: &str = include_str!("../../../../examples/flows/abandoned_cart.json");
const ACCOUNT: &str = "+15550100";

/// An engine whose calls are counted.
async fn counted(database: &Database, options: PostgresOptions) -> (Engine<PostgresStore>, Wire) {
    let wire = Wire::to(server().unwrap().get_ports()[0]).await;
    (engine(wire.config(&database.config()), options).await, wire)
}

async fn engine(config: Config, options: PostgresOptions) -> Engine<PostgresStore> {
    let store = options.connect(config, NoTls).await.unwrap();
    let transport = send_fn(|_| async { Ok::<_, SendError>(Receipt::new()) });
    let bot = Engine::builder(store).transport(transport).clock(SystemClock).build();
    bot.flows().ensure(FLOW).await.unwrap();
    bot
}

fn phone(contact: u64) -> String {
    format!("+1415555{contact:04}")
}

async fn trigger(bot: &Engine<PostgresStore>, contact: u64) {
    let context = json!({"first_name": "Ada", "cart_id": "987654321", "cart_total": "129.00"});
    let request = TriggerRequest::new("abandoned-cart").phone(phone(contact)).context(context);
    let triggered = bot.trigger(request.uuid(format!("key-{contact}"))).await.unwrap();
    assert!(matches!(triggered, Triggered::Started(_)), "{triggered:?}");
}

async fn reply(bot: &Engine<PostgresStore>, contact: u64, text: &str) {
    let id = format!("wamid.{contact}.{text}");
    let inbound = Inbound::text(Channel::WhatsApp, ACCOUNT, phone(contact), text).id(id);
    let received = bot.receive(inbound).await.unwrap();
    assert!(matches!(received, Received::Consumed { .. }), "{received:?}");
}

/// A trigger and each reply are one statement that loads and one that commits. The settle rides
/// with the next commit; that of the last reply goes out with others.
async fn a_reply_takes_two_statements() {
    const CONTACTS: u64 = 40;
    let database = Database::new(Layout::Plain).await;
    // Long enough for none to be written on its own while a slow machine converses.
    let options = PostgresStore::options().settle_within(Duration::from_secs(1)).pool_size(1);
    let (bot, wire) = counted(&database, options).await;
    trigger(&bot, 0).await;
    reply(&bot, 0, "hello").await;
    reply(&bot, 0, "1").await;
    let _ = bot.tick(1).await.unwrap();
    let mut least = [u64::MAX; 3];
    wire.take();
    for contact in 1..=CONTACTS {
        trigger(&bot, contact).await;
        least[0] = least[0].min(wire.take().all());
        reply(&bot, contact, "hello").await;
        least[1] = least[1].min(wire.take().all());
        reply(&bot, contact, "1").await;
        let counts = wire.take();
        assert_eq!(counts.all(), counts.round_trips, "each statement is one round trip: {counts:?}");
        least[2] = least[2].min(counts.all());
    }
    assert_eq!(least, [2, 2, 2], "statements of a trigger, a reply, the last reply");
    let before = wire.take();
    PostgresStore::flush(bot.store()).await.unwrap();
    let flushed = wire.take();
    assert_eq!((before.all(), flushed.all()), (0, 1), "{flushed:?}");
}

/// A claim of a hundred takes at most three round trips, however the tables lie and whether or not
/// the limit is reached.
async fn a_claim_of_a_hundred_takes_three_round_trips() {
    const DUE: &str = "UPDATE chatflow_conversation SET due_at = 0, filed_at = 0";
    for layout in [Layout::Plain, Layout::Partitioned] {
        let database = Database::new(layout).await;
        let (bot, wire) = counted(&database, PostgresStore::options().pool_size(1)).await;
        let _ = bot.tick(1).await.unwrap();
        for contact in 0..110 {
            trigger(&bot, contact).await;
        }
        PostgresStore::flush(bot.store()).await.unwrap();
        database.client().await.batch_execute(DUE).await.unwrap();
        // Statements are prepared once.
        assert_eq!(claim(&bot, 1).await, 1, "{layout:?}");
        wire.take();
        for due in [100, 9] {
            assert_eq!(claim(&bot, 100).await, due, "{layout:?}");
            let counts = wire.take();
            assert!(counts.round_trips <= 3, "{layout:?}: {counts:?}");
        }
    }
}

/// Returns the number of conversations that it claimed.
async fn claim(bot: &Engine<PostgresStore>, limit: usize) -> usize {
    let (now, token) = (SystemClock.now(), Token(Uuid::from_u128(limit as u128)));
    let due = Due { now, token, lease: Duration::from_secs(60), limit, suspects: false };
    bot.store().lease_due(&due).await.unwrap().conversations.len()
}

/// An update changes no column that an index has, and finds room on its page: PostgreSQL writes no
/// index (`n_tup_hot_upd`). A conversation leaves less than 6 KB of write-ahead log, here where
/// most pages are written for the first time: on a server of its own, since a log is of all that
/// write to a server.
async fn a_conversation_updates_in_place() {
    updates_in_place(PostgresStore::options()).await;
    updates_in_place(PostgresStore::options().settle_within(Duration::from_millis(20))).await;
}

async fn updates_in_place(options: PostgresOptions) {
    const CONTACTS: u64 = 200;
    let server = Server::start("autovacuum = off");
    let (client, connection) = server.config().connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    PostgresStore::migrate(server.config(), NoTls).await.unwrap();
    let bot = engine(server.config(), options).await;
    let updates =
        "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'chatflow_conversation'";
    let (all, hot) = numbers(&client, updates).await;
    let begin = written(&client).await;
    for contact in 0..CONTACTS {
        trigger(&bot, contact).await;
        reply(&bot, contact, "hello").await;
        reply(&bot, contact, "1").await;
    }
    PostgresStore::flush(bot.store()).await.unwrap();
    let each = (written(&client).await - begin) / CONTACTS as i64;
    drop(bot);
    let (mut updated, mut in_place) = (0, 0);
    for _ in 0..100 {
        // A server counts for a connection when it idles.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let (all_now, hot_now) = numbers(&client, updates).await;
        (updated, in_place) = (all_now - all, hot_now - hot);
        if updated >= 3 * CONTACTS as i64 - 10 {
            break;
        }
    }
    println!("{updated} updates, {in_place} in place; {each} bytes of log a conversation");
    assert!(updated >= 2 * CONTACTS as i64, "{updated}");
    assert!(in_place * 100 >= updated * 95, "{in_place} of {updated} in place");
    assert!(each < 6_144, "{each} bytes of log a conversation");
}

async fn numbers(client: &Client, query: &str) -> (i64, i64) {
    let row = client.query_one(query, &[]).await.unwrap();
    (row.get(0), row.get(1))
}

/// The position in the write-ahead log.
async fn written(client: &Client) -> i64 {
    let row = client.query_one("SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint", &[]).await;
    row.unwrap().get(0)
}

pub fn trials() -> Vec<Trial> {
    vec![
        trial("a_reply_takes_two_statements", a_reply_takes_two_statements),
        trial("a_claim_of_a_hundred_takes_three_round_trips", a_claim_of_a_hundred_takes_three_round_trips),
        trial("a_conversation_updates_in_place", a_conversation_updates_in_place),
    ]
}
