//! Looking after the file: a copy while writes go on, and whether it is sound.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chatflow::error::StoreError;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::database::Database;
use crate::errors::failed;
use crate::queue::{Failure, Operation};

/// What SQLite finds wrong with the file.
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

/// A copy of the file as of one instant.
pub(super) struct Copy {
    pub(super) to: PathBuf,
}

impl Operation for Copy {
    type Answer = ();
    const DOING: &'static str = "copy the file";

    fn run(&self, database: &Database<'_>) -> Result<(), Failure> {
        let to: Arc<Path> = self.to.as_path().into();
        // Made here and now, so that no file of that name is overwritten.
        if let Err(error) = OpenOptions::new().write(true).create_new(true).open(&to) {
            let text = format!("{}: `{}`: {error}", Self::DOING, to.display());
            return Err(Failure::Refused(StoreError::permanent(text)));
        }
        copy(database.connection, &to).map_err(|error| {
            let _ = fs::remove_file(&to);
            Failure::Refused(failed(Self::DOING, &to, error))
        })
    }
}

/// All pages in one step: of one snapshot, whatever is written meanwhile.
fn copy(from: &Connection, to: &Path) -> rusqlite::Result<()> {
    let mut to = Connection::open(to)?;
    match Backup::new(from, &mut to)?.step(-1)? {
        StepResult::Done => Ok(()),
        _ => Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None)),
    }
}
