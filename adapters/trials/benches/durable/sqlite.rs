//! P2: SQLite with every commit on disk, beside the same written by hand.

use std::path::Path;
use std::time::Instant;

use chatflow::store::Known;
use chatflow_sqlite::SqliteStore;
use chatflow_sqlite::{SqliteOptions, Synchronous};

use crate::bot::{Bot, Durable, runtime};
use crate::folder::Folder;
use crate::median::median;
use crate::script::{Script, said, scripts};
use crate::sqlite_by_hand::ByHand;
use crate::{sqlite_by_hand, syncs};
use cpu_time::ProcessTime;
use tokio::runtime::Runtime;

const PASSES: usize = 7;
/// In how many parts a pass is done, by one after the other.
const SLICES: u64 = 20;
const ALONE: u64 = 1_000;
const TOGETHER: u64 = 64 * 160;
const CALLERS: usize = 64;

pub(crate) fn run() {
    println!("P2: SQLite, {PASSES} passes, medians (spread)");
    pair("one caller, synchronous=FULL", PASSES, ALONE, 1, true, 90.0);
    count_syncs("one-by-hand", "one-on-crate");
    let by_hand = "64 callers, by hand 64 calls a transaction, synchronous=FULL";
    pair(by_hand, PASSES, TOGETHER, CALLERS, true, 70.0);
    count_syncs("many-by-hand", "many-on-crate");
    pair("one caller, synchronous=NORMAL", PASSES, ALONE * 5, 1, false, 0.0);
}

/// All of it, in seconds.
pub(crate) fn smoke() {
    pair("smoke: one caller", 1, 20, 1, true, 0.0);
    pair("smoke: 64 callers", 1, 128, CALLERS, true, 0.0);
}

fn count_syncs(by_hand: &str, on_crate: &str) {
    match (syncs::per_conversation(by_hand), syncs::per_conversation(on_crate)) {
        (Some(hand), Some(ours)) => {
            println!("    syncs a conversation: by hand {hand:.3}, chatflow {ours:.3}")
        }
        _ => println!("    syncs were not counted: strace does not run here"),
    }
}

/// Four do the same in turn, a little at a time, so that a busy machine is busy for all of them.
fn pair(what: &str, passes: usize, contacts: u64, callers: usize, full: bool, aim: f64) {
    let mut results: [Vec<Spent>; 4] = Default::default();
    for _ in 0..passes {
        for (results, spent) in results.iter_mut().zip(pass(contacts, callers, full)) {
            results.push(spent);
        }
    }
    println!("  {what}");
    for (name, results) in NAMES.into_iter().zip(&results) {
        let (speed, spread) = median(results.iter().map(|spent| contacts as f64 / spent.wall).collect());
        let (cpu, _) = median(results.iter().map(|spent| spent.cpu * 1e6 / contacts as f64).collect());
        println!(
            "    {name:<28} {speed:>7.0} conversations per second ({spread:.0} %), {cpu:>4.0} us of CPU each"
        );
    }
    let [hand, clearing, ours, known] = &results;
    let ratio = |other: &[Spent], ours: &[Spent]| {
        median(other.iter().zip(ours).map(|(other, ours)| other.wall / ours.wall * 100.0).collect())
    };
    let aim = if aim > 0.0 { format!(", to be at least {aim:.0} %") } else { String::new() };
    for (name, ours) in [("chatflow", ours), ("known", known)] {
        let ((ratio, spread), (clearing, _)) = (ratio(hand, ours), ratio(clearing, ours));
        println!(
            "    {name}: ratio {ratio:.0} % ({spread:.0} %){aim}; {clearing:.0} % of the one that clears its outbox"
        );
    }
}

const NAMES: [&str; 4] =
    ["by hand", "by hand, clearing its outbox", "chatflow", "chatflow, with what it knows"];

/// Seconds.
#[derive(Clone, Copy, Default)]
struct Spent {
    wall: f64,
    cpu: f64,
}

impl Spent {
    fn add(&mut self, work: impl FnOnce()) {
        let (began, cpu) = (Instant::now(), ProcessTime::now());
        work();
        self.wall += began.elapsed().as_secs_f64();
        self.cpu += cpu.elapsed().as_secs_f64();
    }
}

fn pass(contacts: u64, callers: usize, full: bool) -> [Spent; 4] {
    let folder = Folder::new();
    let runtime = runtime();
    let bot = pollster::block_on(Bot::new(open(&folder.file("ours.db"), full), None));
    let known = pollster::block_on(Bot::new(Known::new(open(&folder.file("known.db"), full)), None));
    let dbs = ["hand.db", "clearing.db"].map(|name| sqlite_by_hand::open(&folder.file(name), full));
    let mut hands = [ByHand::on(&dbs[0], false), ByHand::on(&dbs[1], true)];
    let mut spent = [Spent::default(); 4];
    let slice = (contacts / SLICES).next_multiple_of(callers as u64);
    for from in (0..contacts).step_by(slice as usize) {
        let part = from..(from + slice).min(contacts);
        for (hand, spent) in hands.iter_mut().zip(&mut spent) {
            let scripts = scripts(part.clone());
            spent.add(|| hand.converse(&scripts, callers));
        }
        let (first, second) = (scripts(part.clone()), scripts(part));
        spent[2].add(|| converse(&runtime, &bot, callers, first));
        spent[3].add(|| converse(&runtime, &known, callers, second));
    }
    assert_eq!(pollster::block_on(bot.live()), 0, "every session has ended");
    assert_eq!(pollster::block_on(known.live()), 0, "every session has ended");
    for counter in [&hands[0].counter, &hands[1].counter, &bot.counter, &known.counter] {
        assert_eq!(counter.total(), said(0..contacts), "every message, as it should be");
    }
    spent
}

fn converse<S: Durable>(runtime: &Runtime, bot: &Bot<S>, callers: usize, scripts: Vec<Script>) {
    match callers {
        1 => pollster::block_on(bot.one_by_one(scripts)),
        _ => runtime.block_on(bot.in_flight(callers, scripts, false)),
    }
}

/// A store in this file.
pub(crate) fn open(file: &Path, full: bool) -> SqliteStore {
    let synchronous = if full { Synchronous::Full } else { Synchronous::Normal };
    SqliteOptions::new().synchronous(synchronous).open(file).expect("the file opens")
}
