//! A process on a file of SQLite is killed, and the next one continues.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chatflow::Clock;
use chatflow::clock::SystemClock;
use chatflow_sqlite::SqliteStore;
use libtest_mimic::{Failed, Trial};

use crate::crew::{Crew, Dice, kills, wait};
use crate::durable_kit::{History, check};
use crate::orders::Place;
use crate::verdict::{block_on, judge};

/// Short, so that the next process hands over what this one left.
const LEASE: Duration = Duration::from_millis(300);

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("sqlite::killed_processes_lose_and_double_nothing", killed_processes),
        Trial::test("sqlite::processes_that_share_a_file_are_killed", sharing_processes),
    ]
}

/// A file in a folder of its own, which stays when something is wrong.
fn new_file(name: &str) -> PathBuf {
    let name = format!("kills-{name}-{}", std::process::id());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).expect("a folder");
    folder.join("talk.db")
}

fn judged(file: &Path, what: &str, dice: &Dice, history: &History) -> Result<(), Failed> {
    let (checked, integrity) = block_on(async {
        let store = SqliteStore::open(file)?;
        let begin = (SystemClock.now(), LEASE);
        let checked = check(store.clone(), store.clone(), history, begin, tokio::time::sleep).await?;
        Ok((checked, store.integrity_check().await?))
    })?;
    judge("sqlite", what, dice.seed, history, checked, integrity)?;
    fs::remove_dir_all(file.parent().expect("a folder"))?;
    Ok(())
}

fn killed_processes() -> Result<(), Failed> {
    let (mut dice, kills) = (Dice::new(), kills(25, 1));
    let file = new_file("processes");
    let mut crew = Crew::new(Place::Sqlite(file.clone()), LEASE);
    for _ in 0..kills {
        crew.start_and_kill(&mut dice);
    }
    judged(&file, &format!("{kills} kills"), &dice, &crew.dismiss())
}

/// Two processes hold the same conversations in one file; one after the other is killed.
fn sharing_processes() -> Result<(), Failed> {
    let (mut dice, kills) = (Dice::new(), kills(5, 5));
    let file = new_file("sharing");
    let mut crew = Crew::new(Place::Sqlite(file.clone()), LEASE);
    let mut workers = VecDeque::from([crew.start_working(), crew.start_working()]);
    for _ in 0..kills {
        crew.let_work(&mut dice, 150);
        wait(dice.micros(4_000));
        workers.pop_front().expect("a worker").kill();
        workers.push_back(crew.start_working());
    }
    drop(workers);
    judged(&file, &format!("{kills} kills among two processes"), &dice, &crew.dismiss())
}
