//! Counts the syncs of the disk in a conversation: this program runs itself under `strace`, with
//! few conversations and with more, and the difference is what the additional ones took; opening
//! and closing the file cancels out.

use std::process::Command;

use crate::folder::Folder;
use crate::script::scripts;
use crate::sqlite_by_hand::ByHand;
use crate::{bot, sqlite, sqlite_by_hand};

const FEW: u64 = 128;
const MORE: u64 = 2_176;
const CALLS: &str = "trace=fsync,fdatasync,msync,sync_file_range";

/// Syncs per conversation; None if they cannot be counted here.
pub(crate) fn per_conversation(what: &str) -> Option<f64> {
    let more = count(what, MORE)?;
    let few = count(what, FEW)?;
    Some((more - few) / (MORE - FEW) as f64)
}

fn count(what: &str, conversations: u64) -> Option<f64> {
    let folder = Folder::new();
    let report = folder.file("strace");
    let program = std::env::current_exe().ok()?;
    let status = Command::new("strace")
        .args(["-f", "-c", "-e", CALLS, "-o"])
        .arg(&report)
        .arg(program)
        .args([what, &conversations.to_string()])
        .status()
        .ok()?;
    assert!(status.success(), "the counted run is right");
    let report = std::fs::read_to_string(&report).ok()?;
    Some(report.lines().filter_map(calls).sum())
}

/// The count of calls in a line of the report: share, seconds, time a call, calls, perhaps errors,
/// name.
fn calls(line: &str) -> Option<f64> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let name = words.last()?;
    if !["fsync", "fdatasync", "msync", "sync_file_range"].contains(name) {
        return None;
    }
    words.get(3)?.parse().ok()
}

/// The run that is counted; for `perf` and `strace` too: one caller, or 64.
pub(crate) fn work(what: &str, conversations: u64) {
    let folder = Folder::new();
    let file = folder.file("counted.db");
    let scripts = scripts(0..conversations);
    match what {
        "one-on-crate" => {
            let bot = pollster::block_on(bot::Bot::new(sqlite::open(&file, true), None));
            pollster::block_on(bot.one_by_one(scripts));
        }
        "many-on-crate" => {
            let bot = pollster::block_on(bot::Bot::new(sqlite::open(&file, true), None));
            bot::runtime().block_on(bot.in_flight(64, scripts, false));
        }
        "one-by-hand" | "many-by-hand" => {
            let db = sqlite_by_hand::open(&file, true);
            let at_a_time = if what == "one-by-hand" { 1 } else { 64 };
            ByHand::on(&db, true).converse(&scripts, at_a_time);
        }
        _ => panic!("nothing is called {what}"),
    }
}
