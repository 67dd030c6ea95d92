//! Load and kill: many conversations at once with the service as a process of its own, over HTTP,
//! each text checked. The channel is a server of this program, which takes the place of WhatsApp's
//! API.
//!
//! ```sh
//! cargo run --release --bin load -- --talks 200 --kills 3
//! ```

mod alone;
mod channel;
mod process;
mod talk;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use tokio::task::JoinSet;

use crate::channel::Channel;
use crate::process::Process;
use crate::talk::{Caller, Talk};

/// Longest time that all talks may take.
const PATIENCE: Duration = Duration::from_secs(180);

/// Talks to the service until it is known what it bears.
#[derive(Debug, Parser)]
struct Options {
    /// Talks at once.
    #[arg(long, default_value_t = 200)]
    talks: usize,
    /// Times that the service is killed under the load, in a run of its own.
    #[arg(long, default_value_t = 1)]
    kills: usize,
    /// The database; a file of its own if absent.
    #[arg(long, env = "LOAD_DATABASE_URL")]
    database_url: Option<String>,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run(&Options::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<bool, Failure> {
    let alone = alone::talks_alone(options.talks).await?;
    let load = round(options, 0, 0).await?;
    println!("load: {} talks at once, {}", options.talks, load.verdict());
    for (what, served, alone) in
        [("a call", &load.calls, &alone.calls), ("a talk", &load.talks, &alone.talks)]
    {
        for percent in [50, 99] {
            let (served, alone) = (at(served, percent), at(alone, percent));
            let ratio = served.as_secs_f64() / alone.as_secs_f64();
            println!("  {what}: p{percent} {served:?}, the engine alone {alone:?}: {ratio:.1} times");
        }
    }
    let (served, alone) = (as_rate(options.talks, load.took), as_rate(options.talks, alone.took));
    println!("  talks a second: {served:.0}, the engine alone {alone:.0}: {:.2}", served / alone);
    let mut is_right = load.is_right();
    if options.kills > 0 {
        let killed = round(options, options.talks, options.kills).await?;
        println!("kill: {} talks, killed {} times, {}", options.talks, options.kills, killed.verdict());
        println!(
            "  calls that were repeated: {}, messages under the same id: {}",
            killed.retries, killed.repeats
        );
        is_right &= killed.is_right();
    }
    Ok(is_right)
}

/// The result of one run.
#[derive(Debug, Default)]
struct Outcome {
    errors: Vec<String>,
    messages: usize,
    lost: usize,
    doubled: usize,
    /// Messages that came again under the id that they had: allowed only where something was
    /// killed.
    repeats: usize,
    may_repeat: bool,
    retries: usize,
    calls: Vec<Duration>,
    talks: Vec<Duration>,
    took: Duration,
}

impl Outcome {
    fn is_right(&self) -> bool {
        self.errors.is_empty()
            && self.lost == 0
            && self.doubled == 0
            && (self.may_repeat || self.repeats == 0)
    }

    fn verdict(&self) -> String {
        let first = self.errors.first().map_or(String::new(), |error| format!(", such as: {error}"));
        format!(
            "{} messages: {} errors, {} lost, {} doubled{first}",
            self.messages,
            self.errors.len(),
            self.lost,
            self.doubled
        )
    }
}

/// All talks once, with people of their own from this number on, while the service is killed so
/// many times.
async fn round(options: &Options, first: usize, kills: usize) -> Result<Outcome, Failure> {
    let channel = Arc::new(Channel::start().await?);
    let mut process = Process::start(&channel.url, options.database_url.as_deref()).await?;
    let caller = Arc::new(Caller::new(&process.url, kills > 0)?);
    let begun = Instant::now();
    let mut running = JoinSet::new();
    let people = first..first + options.talks;
    for number in people.clone() {
        running.spawn(Talk::new(number, Arc::clone(&channel), Arc::clone(&caller)).run());
    }
    let all = options.talks * talk::TEXTS;
    for kill in 1..=kills {
        // In the middle of everything: after each equal part of the messages.
        channel.until_heard(all * kill / (kills + 1)).await;
        process.kill_and_restart().await?;
    }
    let mut outcome = Outcome { may_repeat: kills > 0, ..Outcome::default() };
    let finished = async {
        while let Some(ended) = running.join_next().await {
            match ended.map_err(|error| error.to_string()).and_then(|ended| ended) {
                Ok(took) => outcome.talks.push(took),
                Err(error) => outcome.errors.push(error),
            }
        }
    };
    if tokio::time::timeout(PATIENCE, finished).await.is_err() {
        outcome.errors.push(format!("not all talks ended within {PATIENCE:?}"));
    }
    outcome.took = begun.elapsed();
    // Whatever would be doubled has time to come.
    tokio::time::sleep(Duration::from_millis(500)).await;
    judge(&mut outcome, people, &channel);
    outcome.calls = caller.times();
    outcome.calls.sort();
    outcome.talks.sort();
    outcome.retries = caller.retries();
    process.end()?;
    Ok(outcome)
}

fn judge(outcome: &mut Outcome, people: std::ops::Range<usize>, channel: &Channel) {
    for number in people {
        let (heard, repeats) = channel.heard_by(&talk::phone(number));
        outcome.repeats += repeats;
        outcome.messages += heard.len();
        let expected = talk::texts(number);
        for text in &expected {
            match heard.iter().filter(|heard| *heard == text).count() {
                0 => outcome.lost += 1,
                count => outcome.doubled += count - 1,
            }
        }
        if heard != expected && outcome.errors.len() < 100 {
            outcome.errors.push(format!("{} heard {heard:?}", talk::phone(number)));
        }
    }
}

fn at(sorted: &[Duration], percent: usize) -> Duration {
    let place = sorted.len() * percent / 100;
    let time = sorted.get(place.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default();
    Duration::from_micros(u64::try_from(time.as_micros()).unwrap_or(u64::MAX) / 10 * 10)
}

#[expect(clippy::cast_precision_loss, reason = "some hundred talks")]
fn as_rate(talks: usize, took: Duration) -> f64 {
    talks as f64 / took.as_secs_f64()
}
