//! Looking after the file: a copy during writes, and whether it is sound.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chatflow::error::StoreError;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::database::Database;
use crate::errors::failed;
use crate::queue::{Failure, Operation};

/// Pages that are copied at a time: 4 MiB.
const STEP: i32 = 1024;

/// Number of times that a copy is begun anew before all is copied at once.
const ROUNDS: i32 = 4;

/// Asks SQLite for the faults that it finds in the file.
pub(super) struct Check;

impl Operation for Check {
    type Answer = Vec<String>;
    const DOING: &'static str = "check the file";

    fn run(&self, database: &Database<'_>) -> Result<Vec<String>, Failure> {
        let mut findings = database.all("PRAGMA integrity_check", [], |row| row.get::<_, String>(0))?;
        findings.retain(|finding| finding != "ok");
        Ok(findings)
    }
}

/// A copy of the file.
pub(super) struct Copy {
    pub(super) to: PathBuf,
}

impl Operation for Copy {
    type Answer = ();
    const DOING: &'static str = "copy the file";

    fn is_alone(&self) -> bool {
        true
    }

    fn copy(&self) -> Option<&Path> {
        Some(&self.to)
    }

    /// The copy is there.
    fn run(&self, _: &Database<'_>) -> Result<(), Failure> {
        Ok(())
    }
}

/// A copy that is being made; its file goes unless it was made whole.
pub(super) struct Copying {
    to: Arc<Path>,
    is_whole: bool,
}

impl Copying {
    /// Made here and now, so that no file of that name is overwritten.
    pub(super) fn begin(to: &Path) -> Result<Self, StoreError> {
        if let Err(error) = OpenOptions::new().write(true).create_new(true).open(to) {
            let text = format!("{}: `{}`: {error}", Copy::DOING, to.display());
            return Err(StoreError::permanent(text));
        }
        Ok(Self { to: to.into(), is_whole: false })
    }

    /// Copies step by step on the connection that writes: what it writes between the steps gets
    /// into the copy by itself. What another process writes has the copy begin anew, a few times.
    /// `between` does what has come meanwhile, and says whether the connection is still sound.
    pub(super) fn run(
        &mut self,
        from: &Connection,
        mut between: impl FnMut() -> bool,
    ) -> Result<(), StoreError> {
        let mut copied = || {
            let mut to = Connection::open(&self.to)?;
            let backup = Backup::new(from, &mut to)?;
            let mut steps = 0;
            loop {
                let pages = backup.progress().pagecount;
                let is_endless = steps > ROUNDS * (pages / STEP + 1);
                match backup.step(if is_endless { -1 } else { STEP })? {
                    StepResult::Done => return Ok(()),
                    StepResult::More if between() => steps += 1,
                    _ => {
                        let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
                        return Err(rusqlite::Error::SqliteFailure(busy, None));
                    }
                }
            }
        };
        copied().map_err(|error| failed(Copy::DOING, &self.to, error))?;
        self.is_whole = true;
        Ok(())
    }
}

impl Drop for Copying {
    fn drop(&mut self) {
        if !self.is_whole {
            let _ = fs::remove_file(&self.to);
        }
    }
}
