//! How often a conversation makes the disk write: this program runs itself under `strace`, with few conversations and
//! with more, and the difference is what the additional ones took; opening and closing the file cancels out.

use std::process::Command;

use crate::folder::Folder;
use crate::script::scripts;
use crate::sqlite_by_hand::ByHand;
use crate::{bot, sqlite, sqlite_by_hand};

const FEW: u64 = 100;
const MORE: u64 = 2_100;
const CALLS: &str = "trace=fsync,fdatasync,msync,sync_file_range";

/// Syncs per conversation; None if they can not be counted here.
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

/// The count of calls in a line of the report: share, seconds, time a call, calls, perhaps errors, name.
fn calls(line: &str) -> Option<f64> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let name = words.last()?;
    if !["fsync", "fdatasync", "msync", "sync_file_range"].contains(name) {
        return None;
    }
    words.get(3)?.parse().ok()
}

/// The run that is counted: one caller.
pub(crate) fn work(what: &str, conversations: u64) {
    let folder = Folder::new();
    let file = folder.file("counted.db");
    match what {
        "syncs-crate" => {
            let store = sqlite::open(&file, true);
            pollster::block_on(async {
                let bot = bot::Bot::new(store, None).await;
                bot.one_by_one(scripts(0..conversations)).await;
            });
        }
        "syncs-hand" => {
            let db = sqlite_by_hand::open(&file, true);
            let mut hand = ByHand::on(&db, true);
            hand.converse(&scripts(0..conversations), 1);
        }
        _ => panic!("nothing is called {what}"),
    }
}
