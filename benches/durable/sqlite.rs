//! P2: SQLite with every commit on disk, beside the same written by hand.

use std::path::Path;
use std::time::Instant;

use chatflow::SqliteStore;
use chatflow::store::{SqliteOptions, Synchronous};

use crate::bot::{Bot, runtime};
use crate::folder::Folder;
use crate::median::median;
use crate::script::{said, scripts};
use crate::sqlite_by_hand::ByHand;
use crate::{sqlite_by_hand, syncs};

const PASSES: usize = 7;
const ALONE: u64 = 2_000;
const TOGETHER: u64 = 64 * 157;
const CALLERS: usize = 64;

pub(crate) fn run() {
    println!("P2: SQLite, {PASSES} passes, medians (spread)");
    pair("one caller, synchronous=FULL", PASSES, ALONE, 1, true, 90.0);
    for (what, name) in [("syncs-crate", "chatflow"), ("syncs-hand", "by hand")] {
        match syncs::per_conversation(what) {
            Some(syncs) => println!("    {name:<9} {syncs:>9.3} syncs a conversation, one caller"),
            None => println!("    {name:<9} syncs were not counted: strace is not here"),
        }
    }
    pair(
        "64 callers, by hand 64 calls a transaction, synchronous=FULL",
        PASSES,
        TOGETHER,
        CALLERS,
        true,
        70.0,
    );
    pair("one caller, synchronous=NORMAL", PASSES, ALONE * 5, 1, false, 0.0);
}

/// All of it, in seconds.
pub(crate) fn smoke() {
    pair("smoke: one caller", 1, 20, 1, true, 0.0);
    pair("smoke: 64 callers", 1, 128, CALLERS, true, 0.0);
}

fn pair(what: &str, passes: usize, contacts: u64, callers: usize, full: bool, aim: f64) {
    let mut speeds = [Vec::new(), Vec::new(), Vec::new()];
    let (mut ratios, mut clearing_ratios) = (Vec::new(), Vec::new());
    for _ in 0..passes {
        let hand = by_hand(contacts, callers, full, false);
        let ours = on_crate(contacts, callers, full);
        let clearing = by_hand(contacts, callers, full, true);
        ratios.push(ours / hand * 100.0);
        clearing_ratios.push(ours / clearing * 100.0);
        for (speeds, speed) in speeds.iter_mut().zip([hand, clearing, ours]) {
            speeds.push(speed);
        }
    }
    println!("  {what}");
    for (name, speeds) in ["by hand", "by hand, clearing its outbox", "chatflow"].into_iter().zip(speeds) {
        let (speed, spread) = median(speeds);
        println!("    {name:<28} {speed:>9.0} conversations per second ({spread:.0} %)");
    }
    let (ratio, spread) = median(ratios);
    let (clearing, _) = median(clearing_ratios);
    let aim = if aim > 0.0 { format!(", to be at least {aim:.0} %") } else { String::new() };
    println!(
        "    ratio {ratio:.0} % ({spread:.0} %){aim}; {clearing:.0} % of the one that clears its outbox"
    );
}

/// Conversations per second on the crate.
fn on_crate(contacts: u64, callers: usize, full: bool) -> f64 {
    let folder = Folder::new();
    let runtime = runtime();
    let bot = pollster::block_on(Bot::new(open(&folder.file("ours.db"), full), None));
    let scripts = scripts(0..contacts);
    let began = Instant::now();
    if callers == 1 {
        pollster::block_on(bot.one_by_one(scripts));
    } else {
        runtime.block_on(bot.in_flight(callers, scripts, false));
    }
    let seconds = began.elapsed().as_secs_f64();
    assert_eq!(pollster::block_on(bot.live()), 0, "every session has ended");
    assert_eq!(bot.counter.total(), said(0..contacts), "every message, as it should be");
    contacts as f64 / seconds
}

/// Conversations per second by hand.
fn by_hand(contacts: u64, at_a_time: usize, full: bool, clears_outbox: bool) -> f64 {
    let folder = Folder::new();
    let db = sqlite_by_hand::open(&folder.file("hand.db"), full);
    let mut hand = ByHand::on(&db, clears_outbox);
    let scripts = scripts(0..contacts);
    let began = Instant::now();
    hand.converse(&scripts, at_a_time);
    let seconds = began.elapsed().as_secs_f64();
    assert_eq!(hand.counter.total(), said(0..contacts), "every message, as it should be");
    contacts as f64 / seconds
}

/// A store in this file.
pub(crate) fn open(file: &Path, full: bool) -> SqliteStore {
    let synchronous = if full { Synchronous::Full } else { Synchronous::Normal };
    SqliteOptions::new().synchronous(synchronous).open(file).expect("the file opens")
}
