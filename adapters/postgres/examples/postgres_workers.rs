//! Three processes share one PostgreSQL and work through a campaign together. One is killed in the
//! middle; in the end every conversation was completed exactly once.
//!
//! ```sh
//! scripts/with-postgres cargo run -p chatflow-postgres --example postgres_workers
//! ```
//!
//! Each worker goes through the whole list, from a place of its own: what another one did already
//! is answered as a repeat, since each trigger has a key and each reply an id. So nobody hands work
//! out, and what a dead worker began is finished by the others.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::io::{IsTerminal, Write, stderr};
use std::process::Stdio;
use std::time::Duration;

use chatflow::clock::{RandomIds, SystemClock};
use chatflow::ops::SessionFilter;
use chatflow::{
    Channel, Clock, Engine, Ids, Inbound, Outbound, Receipt, SendError, Status, TriggerRequest, send_fn,
};
use chatflow_postgres::PostgresStore;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio_postgres::{Config, NoTls};

type Problem = Box<dyn std::error::Error + Send + Sync>;

const FLOW: &str = include_str!("../../../examples/flows/abandoned_cart.json");
const DATABASE: &str = "CHATFLOW_POSTGRES";
const WORKERS: u32 = 3;
const CONVERSATIONS: u32 = 300;
/// Conversations that a worker has under way at a time.
const WIDTH: u32 = 8;
/// So long nobody else sends what a dead worker was about to send.
const LEASE: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> Result<(), Problem> {
    let Ok(url) = env::var(DATABASE) else {
        println!("this needs a PostgreSQL: set {DATABASE} to its URL, or run it by scripts/with-postgres");
        return Ok(());
    };
    let config: Config = url.parse()?;
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [workspace, worker] => work(config, workspace, worker.parse()?).await,
        _ => conduct(config).await,
    }
}

/// An engine like every other one. Its messages go to this process's output, each in one line.
async fn engine(config: Config, workspace: &str) -> Result<Engine<PostgresStore>, Problem> {
    let store = PostgresStore::connect(config, NoTls).await?;
    let transport = send_fn(|message: Outbound| {
        println!("sent {}", message.id);
        async { Ok::<_, SendError>(Receipt::new()) }
    });
    let bot = Engine::builder(store).transport(transport).lease(LEASE).build();
    let bot = bot.in_workspace(workspace);
    bot.flows().ensure(FLOW).await?;
    Ok(bot)
}

/// One worker: a web server would do the same in its handlers.
async fn work(config: Config, workspace: &str, worker: u32) -> Result<(), Problem> {
    let bot = engine(config, workspace).await?;
    let ticker = bot.clone();
    tokio::spawn(async move { ticker.run(Duration::from_secs(1), tokio::time::sleep).await });
    let first = worker * CONVERSATIONS / WORKERS;
    let tasks = (0..WIDTH).map(|task| {
        let bot = bot.clone();
        tokio::spawn(async move {
            for step in (task..CONVERSATIONS).step_by(WIDTH as usize) {
                let number = (first + step) % CONVERSATIONS;
                while let Err(error) = converse(&bot, number).await {
                    if !error.is_retryable() {
                        return Err(error);
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                println!("done {number}");
            }
            Ok(())
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await??;
    }
    Ok(())
}

/// A cart is left, and its owner answers twice.
async fn converse(bot: &Engine<PostgresStore>, number: u32) -> Result<(), chatflow::Error> {
    let phone = format!("+1415{number:07}");
    let context =
        serde_json::json!({"first_name": "Ada", "cart_id": number.to_string(), "cart_total": "129.00"});
    let trigger = TriggerRequest::new("abandoned-cart").phone(&phone).context(context);
    let _ = bot.trigger(trigger.uuid(format!("cart {number}"))).await?;
    for (place, text) in ["hello", "1"].into_iter().enumerate() {
        let reply = Inbound::text(Channel::WhatsApp, "+15550100", &phone, text);
        let _ = bot.receive(reply.id(format!("wamid.{number}.{place}"))).await?;
    }
    Ok(())
}

/// Starts the workers, kills one, and looks at what is stored in the end.
async fn conduct(config: Config) -> Result<(), Problem> {
    PostgresStore::migrate(config.clone(), NoTls).await?;
    // A tenant of this run's own, so that it can be run again.
    let workspace = format!("workers-{}", RandomIds::new().mint(SystemClock.now()));
    let (tell, mut told) = mpsc::unbounded_channel();
    let mut workers = Vec::new();
    for worker in 0..WORKERS {
        workers.push(start(&workspace, worker, tell.clone())?);
    }
    drop(tell);

    let (mut done, mut sent, mut is_killed) = (BTreeSet::new(), BTreeMap::<String, u32>::new(), false);
    while let Some(line) = told.recv().await {
        match line.split_once(' ') {
            Some(("done", number)) => drop(done.insert(number.to_owned())),
            Some(("sent", message)) => *sent.entry(message.to_owned()).or_default() += 1,
            _ => println!("{line}"),
        }
        if !is_killed && done.len() >= CONVERSATIONS as usize / 3 {
            is_killed = true;
            workers[1].start_kill()?;
            progress(&format!("{} of {CONVERSATIONS} done, a worker is killed\n", done.len()));
        }
        progress(&format!("{} of {CONVERSATIONS} done, {} messages", done.len(), sent.len()));
    }
    progress("\n");
    for (number, worker) in workers.iter_mut().enumerate() {
        println!("worker {number}: {}", worker.wait().await?);
    }
    prove(&engine(config, &workspace).await?, &sent).await
}

/// This program again, as a worker whose lines are told here.
fn start(workspace: &str, worker: u32, tell: mpsc::UnboundedSender<String>) -> Result<Child, Problem> {
    let mut command = Command::new(env::current_exe()?);
    command.args([workspace, &worker.to_string()]).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn()?;
    let output = child.stdout.take().ok_or("a worker's output")?;
    tokio::spawn(async move {
        let mut lines = BufReader::new(output).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let _ = tell.send(line);
        }
    });
    Ok(child)
}

/// One session for each contact, completed; each message handed over.
async fn prove(bot: &Engine<PostgresStore>, sent: &BTreeMap<String, u32>) -> Result<(), Problem> {
    // What a dead worker had committed and not sent is due when its lease has ended; then it is
    // printed here.
    while let Some(due) = bot.tick(100).await?.next_due
        && due < SystemClock.now() + LEASE
    {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (mut contacts, mut sessions, mut completed) = (BTreeSet::new(), 0, 0);
    let mut filter = SessionFilter::all();
    loop {
        let page = bot.sessions(filter).await?;
        for record in &page {
            contacts.insert(record.contact().clone());
            sessions += 1;
            completed += u32::from(record.session().status() == Status::Completed);
        }
        let Some(last) = page.last() else { break };
        filter = SessionFilter::all().after(last);
    }
    let again: u32 = sent.values().map(|times| times - 1).sum();
    println!("{sessions} sessions with {} contacts, {completed} completed", contacts.len());
    println!("{} messages reported by the workers, {again} of them handed over again", sent.len());
    if (sessions, completed, contacts.len()) != (CONVERSATIONS, CONVERSATIONS, CONVERSATIONS as usize) {
        return Err("some conversation was not completed exactly once".into());
    }
    println!("every conversation was completed exactly once");
    Ok(())
}

/// One line that changes, for a person.
fn progress(line: &str) {
    if stderr().is_terminal() {
        let _ = write!(stderr(), "\r\x1b[K{line}");
    }
}
