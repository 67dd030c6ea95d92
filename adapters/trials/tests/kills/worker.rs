//! The process that is killed: an engine, several conversations at once, a ticker. Each event is a
//! line on its standard output, written by one call.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::exit;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use chatflow::clock::SystemClock;
use chatflow::store::{ConversationStore, FlowStore, Known};
use chatflow::{Error, StoreError};
use chatflow_postgres::PostgresStore;
use chatflow_redis::RedisStore;
use chatflow_redis::redis::Client;
use chatflow_sqlite::SqliteStore;
use rusqlite::Connection;
use tokio::time::sleep;
use tokio_postgres::NoTls;

use crate::crew::wait;
use crate::durable_kit::{Event, FLOW, Report, Talk, engine};
use crate::orders::{Orders, Place};

const AT_ONCE: usize = 8;
const PAUSE: Duration = Duration::from_millis(5);

/// The pipe to the parent of this process.
struct Lines(File);

impl Lines {
    fn open() -> Self {
        let output = std::io::stdout().as_fd().try_clone_to_owned().unwrap();
        Self(File::from(output))
    }
}

impl Report for Lines {
    fn report(&self, event: Event) {
        let mut line = serde_json::to_vec(&event).unwrap();
        line.push(b'\n');
        if (&self.0).write_all(&line).is_err() {
            // Nobody listens any more.
            exit(1);
        }
    }
}

/// Works until it is killed.
pub(crate) fn work(orders: Orders) -> ! {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        match orders.place.clone() {
            Place::Sqlite(file) => hold(SqliteStore::open(&file), orders).await,
            Place::Postgres(url) => {
                let within = if orders.rides() { Duration::from_millis(20) } else { Duration::ZERO };
                let options = PostgresStore::options().settle_within(within);
                hold(
                    connect(async || options.clone().connect(url.parse().unwrap(), NoTls).await).await,
                    orders,
                )
                .await
            }
            Place::Redis(url) => {
                let client = Client::open(url).unwrap();
                hold(connect(async || RedisStore::connect(client.clone()).await).await, orders).await
            }
        }
    })
}

/// A connection, as soon as the server takes one.
async fn connect<S>(open: impl AsyncFn() -> Result<S, StoreError>) -> Result<S, StoreError> {
    loop {
        match open().await {
            Err(error) if error.is_retryable() => sleep(PAUSE).await,
            done => return done,
        }
    }
}

async fn hold<S>(store: Result<S, StoreError>, orders: Orders) -> !
where
    S: ConversationStore + FlowStore + Clone + 'static,
{
    let report = Arc::new(Lines::open());
    let bot = match begin(store, &orders, &report).await {
        Ok(bot) => bot,
        Err(error) => {
            eprintln!("a worker cannot begin: {error}");
            exit(2);
        }
    };
    report.report(Event::Ready);
    if let (Place::Sqlite(file), true) = (&orders.place, orders.checkpoints()) {
        empty_the_log(file.clone());
    }
    let unfinished = Arc::new(Mutex::new(orders.unfinished.clone()));
    let next = Arc::new(AtomicU64::new(orders.first));
    for _ in 0..AT_ONCE {
        let (bot, report, flip) = (bot.clone(), Arc::clone(&report), orders.flip());
        let (unfinished, next) = (Arc::clone(&unfinished), Arc::clone(&next));
        tokio::spawn(async move {
            let talk = Talk { bot: &bot, report, flip };
            loop {
                let begun = unfinished.lock().unwrap().pop();
                let contact = begun.unwrap_or_else(|| next.fetch_add(1, Ordering::Relaxed));
                talk.hold(contact, || sleep(PAUSE)).await;
            }
        });
    }
    loop {
        // What fails now is at the next tick.
        let _ = bot.tick(10).await;
        sleep(PAUSE).await;
    }
}

/// Moves what is in a file's log into the file, forever.
fn empty_the_log(file: PathBuf) {
    thread::spawn(move || {
        let connection = Connection::open(file).unwrap();
        loop {
            // A busy file is tried again.
            let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            wait(PAUSE);
        }
    });
}

async fn begin<S>(
    store: Result<S, StoreError>,
    orders: &Orders,
    report: &Arc<Lines>,
) -> Result<chatflow::Engine<Known<S>>, Error>
where
    S: ConversationStore + FlowStore + Clone + 'static,
{
    let store = Known::new(store?).cache_bytes(orders.room());
    let bot = engine(store.clone(), store, SystemClock, Arc::clone(report), orders.lease);
    loop {
        match bot.flows().ensure(FLOW).await {
            Ok(_) => return Ok(bot),
            Err(error) if error.is_retryable() => sleep(PAUSE).await,
            Err(error) => return Err(error),
        }
    }
}
