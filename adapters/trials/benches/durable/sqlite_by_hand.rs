//! The same conversation as one would write it on rusqlite: a session row, an outbox row and a row
//! against duplicates, one transaction for one call or for many. What is sent is deleted from the
//! outbox together with the next call's writes, or never: then nothing tells after a crash what was
//! sent.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Statement, params};
use serde_json::Value;

use crate::script::{Counter, Script};

const SCHEMA: &str = "
    CREATE TABLE session(contact TEXT PRIMARY KEY, waits INTEGER NOT NULL, until INTEGER NOT NULL,
        context TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE outbox(seq INTEGER PRIMARY KEY, contact TEXT NOT NULL, body TEXT NOT NULL);
    CREATE TABLE seen(id TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;";
const HALF_AN_HOUR: i64 = 30 * 60 * 1_000;

pub(crate) fn open(file: &Path, full: bool) -> Connection {
    let db = Connection::open(file).expect("the file can be made");
    db.pragma_update(None, "journal_mode", "WAL").expect("WAL");
    db.pragma_update(None, "synchronous", if full { "FULL" } else { "NORMAL" }).expect("synchronous");
    db.execute_batch(SCHEMA).expect("the schema is right");
    db
}

pub(crate) struct ByHand<'db> {
    db: &'db Connection,
    statements: Statements<'db>,
    pub(crate) counter: Counter,
    clears_outbox: bool,
    /// Sent, and still in the outbox.
    sent: Vec<i64>,
}

struct Statements<'db> {
    begin: Statement<'db>,
    commit: Statement<'db>,
    seen: Statement<'db>,
    start: Statement<'db>,
    find: Statement<'db>,
    go_on: Statement<'db>,
    send: Statement<'db>,
    clear: Statement<'db>,
}

impl<'db> ByHand<'db> {
    pub(crate) fn on(db: &'db Connection, clears_outbox: bool) -> Self {
        let prepare = |text| db.prepare(text).expect("the statement is right");
        let statements = Statements {
            begin: prepare("BEGIN IMMEDIATE"),
            commit: prepare("COMMIT"),
            seen: prepare("INSERT INTO seen(id, at) VALUES(?1, ?2)"),
            start: prepare("INSERT INTO session(contact, waits, until, context) VALUES(?1, 1, ?2, ?3)"),
            find: prepare("SELECT waits, until, context FROM session WHERE contact = ?1"),
            go_on: prepare("UPDATE session SET waits = ?2, until = ?3 WHERE contact = ?1"),
            send: prepare("INSERT INTO outbox(contact, body) VALUES(?1, ?2)"),
            clear: prepare("DELETE FROM outbox WHERE seq = ?1"),
        };
        Self { db, statements, counter: Counter::default(), clears_outbox, sent: Vec::new() }
    }

    /// So many calls in each transaction: the scripts go in step, so many at a time.
    pub(crate) fn converse(&mut self, scripts: &[Script], at_a_time: usize) {
        for scripts in scripts.chunks(at_a_time) {
            for step in 0..3 {
                self.calls(scripts, step);
            }
        }
    }

    fn calls(&mut self, scripts: &[Script], step: usize) {
        self.statements.begin.execute([]).expect("a transaction begins");
        for seq in self.sent.drain(..) {
            one(&mut self.statements.clear, params![seq]);
        }
        let messages: Vec<(i64, String)> = scripts.iter().map(|script| self.call(script, step)).collect();
        self.statements.commit.execute([]).expect("it commits");
        for (seq, message) in messages {
            self.counter.take(&message);
            if self.clears_outbox {
                self.sent.push(seq);
            }
        }
    }

    fn call(&mut self, script: &Script, step: usize) -> (i64, String) {
        let now = millis();
        let contact = script.phone[step].as_str();
        let id = if step == 0 { &script.key } else { &script.ids[step - 1] };
        one(&mut self.statements.seen, params![id, now]);
        let message = if step == 0 {
            let context = script.context.to_string();
            one(&mut self.statements.start, params![contact, now + HALF_AN_HOUR, context]);
            hello(&script.context)
        } else {
            self.reply(contact, script.texts[step - 1].trim(), now)
        };
        one(&mut self.statements.send, params![contact, message]);
        (self.db.last_insert_rowid(), message)
    }

    fn reply(&mut self, contact: &str, text: &str, now: i64) -> String {
        let find = &mut self.statements.find;
        let found: Option<(bool, i64, String)> = find
            .query_row([contact], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()
            .expect("the session can be read");
        let Some((_, until, context)) = found.filter(|(waits, until, _)| *waits && now < *until) else {
            panic!("a session waits")
        };
        let (waits, until, message) = match text {
            "1" => {
                let context: Value = serde_json::from_str(&context).expect("the context is JSON");
                let cart = context["cart_id"].as_str().unwrap_or_default();
                (false, until, format!("Checkout: https://shop.example/c/{cart}"))
            }
            "2" => (false, until, "An agent will write to you.".to_owned()),
            _ => (true, now + HALF_AN_HOUR, "Sorry, please answer 1 or 2.".to_owned()),
        };
        one(&mut self.statements.go_on, params![contact, waits, until]);
        message
    }
}

fn one(statement: &mut Statement<'_>, params: impl rusqlite::Params) {
    assert_eq!(statement.execute(params).expect("it is written"), 1, "one row");
}

fn hello(context: &Value) -> String {
    let text = |name: &str| context[name].as_str().unwrap_or_default();
    format!(
        "Hi {}, your cart {} totals {}. Reply 1 to check out or 2 for an agent.",
        text("first_name"),
        text("cart_id"),
        text("cart_total")
    )
}

fn millis() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    i64::try_from(now.as_millis()).expect("before the year 292 million")
}
