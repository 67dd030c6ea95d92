//! Starts workers and kills them. All of them write to one pipe, which the kernel keeps in order;
//! what was written before a death is read after it.

use std::env;
use std::io::{BufRead, BufReader, PipeWriter};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use chatflow::Clock;
use chatflow::clock::SystemClock;

use crate::durable_kit::{Event, History, Report};
use crate::orders::{Orders, Place, VARIABLE};

/// Random numbers that a seed repeats.
pub(crate) struct Dice {
    pub(crate) seed: u64,
    state: u64,
}

impl Dice {
    /// By `CHATFLOW_SEED`, or by the time.
    pub(crate) fn new() -> Self {
        let given =
            env::var("CHATFLOW_SEED").ok().map(|seed| seed.parse().expect("CHATFLOW_SEED is a number"));
        let seed = given.unwrap_or_else(|| SystemClock.now().timestamp_millis().unsigned_abs());
        Self { seed, state: seed }
    }

    /// A number below the limit.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }

    pub(crate) fn micros(&mut self, limit: u64) -> Duration {
        Duration::from_micros(self.below(limit))
    }

    pub(crate) fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }
}

/// The number of kills that are asked for, or this many by default.
pub(crate) fn kills(by_default: u64, one_in: u64) -> u64 {
    let asked = env::var("CHATFLOW_KILLS")
        .ok()
        .map(|kills| kills.parse::<u64>().expect("CHATFLOW_KILLS is a number"));
    asked.map_or(by_default, |kills| kills.div_ceil(one_in))
}

/// Lets processes work.
#[expect(clippy::disallowed_methods, reason = "other processes work meanwhile")]
pub(crate) fn wait(time: Duration) {
    thread::sleep(time);
}

/// Workers on one store, and what they said.
pub(crate) struct Crew {
    place: Place,
    lease: Duration,
    history: History,
    pipe: PipeWriter,
    reader: JoinHandle<()>,
    started: u64,
}

/// A process; dropped, it is killed.
pub(crate) struct Worker(Child);

impl Crew {
    pub(crate) fn new(place: Place, lease: Duration) -> Self {
        let (lines, pipe) = std::io::pipe().expect("a pipe");
        let history = History::default();
        let told = history.clone();
        let reader = thread::spawn(move || {
            for line in BufReader::new(lines).lines() {
                let line = line.expect("a readable pipe");
                let event: Event =
                    serde_json::from_str(&line).unwrap_or_else(|error| panic!("`{line}`: {error}"));
                told.report(event);
            }
        });
        Self { place, lease, history, pipe, reader, started: 0 }
    }

    /// Starts a process. It continues what others left.
    pub(crate) fn start(&mut self) -> Worker {
        self.started += 1;
        let orders = Orders {
            place: self.place.clone(),
            lease: self.lease,
            unfinished: self.history.unfinished(),
            first: self.history.next_contact(),
            number: self.started,
        };
        let child = Command::new(env::current_exe().expect("this program"))
            .env(VARIABLE, serde_json::to_string(&orders).expect("orders"))
            .stdin(Stdio::null())
            .stdout(self.pipe.try_clone().expect("a pipe"))
            .spawn();
        Worker(child.expect("a process"))
    }

    /// Starts a process, and waits until it works.
    pub(crate) fn start_working(&mut self) -> Worker {
        const PATIENCE: u32 = 30_000;
        let ready = self.history.ready();
        let mut worker = self.start();
        for _ in 0..PATIENCE {
            assert!(worker.is_alive(), "a worker ended by itself");
            if self.history.ready() > ready {
                return worker;
            }
            wait(Duration::from_millis(1));
        }
        panic!("a worker does not begin to work");
    }

    /// Starts a process and kills it: mostly after it has told a random number of events, now and
    /// then while it begins.
    pub(crate) fn start_and_kill(&mut self, dice: &mut Dice) {
        let worker = if dice.below(8) == 0 {
            let worker = self.start();
            wait(dice.millis(0, 15));
            worker
        } else {
            let worker = self.start_working();
            self.let_work(dice, 150);
            worker
        };
        wait(dice.micros(4_000));
        worker.kill();
    }

    /// Waits until fewer than so many events were told, by the machine's own speed; at most a
    /// second.
    pub(crate) fn let_work(&self, dice: &mut Dice, events: u64) {
        let goal = self.history.len() + usize::try_from(dice.below(events)).expect("few");
        for _ in 0..1_000 {
            if self.history.len() >= goal {
                return;
            }
            wait(Duration::from_millis(1));
        }
    }

    /// All that was said, once every worker is gone.
    pub(crate) fn dismiss(self) -> History {
        drop(self.pipe);
        self.reader.join().expect("each line is whole");
        self.history
    }
}

impl Worker {
    pub(crate) fn is_alive(&mut self) -> bool {
        self.0.try_wait().expect("a child").is_none()
    }

    /// Kills it. It must not have ended by itself.
    pub(crate) fn kill(mut self) {
        assert!(self.is_alive(), "a worker ended by itself");
    }

    /// Stops it at once, or lets it run again.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.0.id().to_string()).status();
        assert!(status.expect("kill runs").success(), "the worker is gone");
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
