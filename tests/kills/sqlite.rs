//! A process on a file of SQLite is killed, and the next one goes on.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chatflow::store::SqliteStore;
use chatflow::{Clock, SystemClock};
use libtest_mimic::{Failed, Trial};

use crate::crew::{Crew, Dice, kills, wait};
use crate::durable_kit::check;
use crate::orders::Place;
use crate::verdict::{block_on, judge};

/// Short, so that the next process hands over what this one left.
const LEASE: Duration = Duration::from_millis(300);

pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test("sqlite::killed_processes_lose_and_double_nothing", killed_processes)]
}

/// A folder of its own, which stays when something is wrong.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("kills-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn killed_processes() -> Result<(), Failed> {
    let (mut dice, kills) = (Dice::new(), kills(25, 1));
    let folder = folder();
    let file = folder.join("talk.db");
    let mut crew = Crew::new(Place::Sqlite(file.clone()), LEASE);
    for _ in 0..kills {
        if dice.below(8) == 0 {
            // While it opens the file.
            let worker = crew.start();
            wait(dice.millis(0, 15));
            worker.kill();
        } else {
            let worker = crew.start_working();
            wait(dice.millis(5, 80));
            worker.kill();
        }
    }
    let history = crew.dismiss();
    let (checked, integrity) = block_on(async {
        let store = SqliteStore::open(&file)?;
        let begin = (SystemClock.now(), LEASE);
        let checked = check(store.clone(), store.clone(), &history, begin, tokio::time::sleep).await?;
        Ok((checked, store.integrity_check().await?))
    })?;
    judge("sqlite", &format!("{kills} kills"), dice.seed, &history, checked, integrity)?;
    fs::remove_dir_all(folder)?;
    Ok(())
}
