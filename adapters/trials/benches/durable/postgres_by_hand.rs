//! The conversation on PostgreSQL as one would write it by hand: a session, an outbox, the ids that
//! were seen; each call is one statement that writes, and one that reads before it. Statements are
//! prepared; what was sent is deleted by the next statement of its connection.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio_postgres::{Client, Statement};

use crate::script::{Counter, Script};
use crate::server::Database;

const TABLES: &str = "CREATE TABLE hand_session(contact text PRIMARY KEY, waits bool NOT NULL,
        until bigint NOT NULL, context text NOT NULL) WITH (fillfactor = 80);
    CREATE TABLE hand_outbox(seq bigserial PRIMARY KEY, contact text NOT NULL, body text NOT NULL);
    CREATE TABLE hand_seen(id text PRIMARY KEY, at bigint NOT NULL)";
const START: &str = "WITH sent AS (DELETE FROM hand_outbox WHERE seq = ANY($6::bigint[])),
    seen AS (INSERT INTO hand_seen VALUES($1, $2)),
    new AS (INSERT INTO hand_session VALUES($3, true, $2, $4))
    INSERT INTO hand_outbox(contact, body) VALUES($3, $5) RETURNING seq";
const FIND: &str = "SELECT waits, context FROM hand_session WHERE contact = $1";
const REPLY: &str = "WITH sent AS (DELETE FROM hand_outbox WHERE seq = ANY($6::bigint[])),
    seen AS (INSERT INTO hand_seen VALUES($1, $2)),
    next AS (UPDATE hand_session SET waits = $4, until = $2 WHERE contact = $3)
    INSERT INTO hand_outbox(contact, body) VALUES($3, $5) RETURNING seq";
const NOW: i64 = 1_800_000_000_000;

/// One connection, which many callers may share.
struct Hand {
    client: Client,
    start: Statement,
    find: Statement,
    reply: Statement,
    sent: Mutex<Vec<i64>>,
    counter: Arc<Counter>,
}

/// So many connections.
#[derive(Clone)]
pub(crate) struct Hands {
    hands: Arc<Vec<Hand>>,
    pub(crate) counter: Arc<Counter>,
}

impl Hands {
    pub(crate) async fn on(database: &Database<'_>, connections: usize) -> Self {
        database.client().await.batch_execute(TABLES).await.expect("the tables can be made");
        let (mut hands, counter) = (Vec::new(), Arc::new(Counter::default()));
        for _ in 0..connections {
            let client = database.client().await;
            let start = client.prepare(START).await.expect("a statement");
            let find = client.prepare(FIND).await.expect("a statement");
            let reply = client.prepare(REPLY).await.expect("a statement");
            let counter = Arc::clone(&counter);
            hands.push(Hand { client, start, find, reply, sent: Mutex::default(), counter });
        }
        Self { hands: Arc::new(hands), counter }
    }

    /// So many callers at once, each with its share of the scripts.
    pub(crate) async fn in_flight(&self, callers: usize, scripts: Vec<Script>) {
        let mut shares: Vec<Vec<Script>> = (0..callers).map(|_| Vec::new()).collect();
        for (place, script) in scripts.into_iter().enumerate() {
            shares[place % callers].push(script);
        }
        let mut tasks = Vec::new();
        for (number, share) in shares.into_iter().enumerate() {
            let hands = Arc::clone(&self.hands);
            tasks.push(tokio::spawn(async move {
                let hand = &hands[number % hands.len()];
                for script in share {
                    hand.converse(script).await;
                }
            }));
        }
        for task in tasks {
            task.await.expect("every call is right");
        }
    }
}

impl Hand {
    fn take_sent(&self) -> Vec<i64> {
        std::mem::take(&mut *self.sent.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Its message is committed: it is sent, and deleted later.
    fn send(&self, text: &str, seq: i64) {
        self.counter.take(text);
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(seq);
    }

    async fn converse(&self, script: Script) {
        let (phone, context) = (&script.phone[0], &script.context);
        let (name, cart) = (word(context, "first_name"), word(context, "cart_id"));
        let total = word(context, "cart_total");
        let text =
            format!("Hi {name}, your cart {cart} totals {total}. Reply 1 to check out or 2 for an agent.");
        let (kept, sent) = (context.to_string(), self.take_sent());
        let row = self.client.query_one(&self.start, &[&script.key, &NOW, phone, &kept, &text, &sent]).await;
        self.send(&text, row.expect("it starts").get(0));
        for (id, said) in script.ids.iter().zip(&script.texts) {
            let row = self.client.query_one(&self.find, &[phone]).await.expect("it is there");
            assert!(row.get::<_, bool>(0), "it waits");
            let context: Value = serde_json::from_str(row.get(1)).expect("JSON");
            let (waits, text) = match said.as_str() {
                "1" => (false, format!("Checkout: https://shop.example/c/{}", word(&context, "cart_id"))),
                _ => (true, "Sorry, please answer 1 or 2.".to_owned()),
            };
            let sent = self.take_sent();
            let row = self.client.query_one(&self.reply, &[id, &NOW, phone, &waits, &text, &sent]).await;
            self.send(&text, row.expect("it goes on").get(0));
        }
    }
}

fn word<'v>(context: &'v Value, name: &str) -> &'v str {
    context[name].as_str().expect("a text")
}
