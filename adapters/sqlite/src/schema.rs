//! The tables, and how a file gets to have them: step by step, all in one transaction.
//!
//! - `chatflow_schema`: one row. `version` counts the steps that were taken; `revision_floor` is
//!   the highest revision of any conversation that was erased, so that none comes twice (rule 5).
//! - `chatflow_conversation`: `due_at` is when something is due; `filed_at` is where the index has
//!   it, which is `due_at` or earlier, so that a deadline that moves on rewrites no index (see
//!   `due.rs`).
//! - `chatflow_alias`: where an alias leads, as the conversation's `id`.
//! - `chatflow_session`: the index of live sessions, and the archive of ended ones (`ended_at`,
//!   `record`). `called` holds the versions that a session needs beside its own.
//! - `chatflow_flow`: `saved_at` is the revision of the workspace's catalogue that its last save
//!   made.
//! - `chatflow_definition`: a draft has version -1.
//! - `chatflow_count`: a counter (rule 25). `minute` is one of the epoch, `what` is as
//!   `CounterSubject` prints. One row each: the file has one writer.
//!
//! Instants are microseconds of the epoch, texts are compared byte by byte, session ids are their
//! 16 bytes.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use crate::errors::Refused;

/// The steps, the oldest first. One that was released never changes.
pub(super) const STEPS: &[&str] = &[include_str!("schema.sql"), include_str!("counters.sql")];

const VERSION: &str = "SELECT version FROM chatflow_schema";
const HAS_TABLES: &str = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'chatflow_schema'";
const SET_VERSION: &str = "UPDATE chatflow_schema SET version = ?1";

/// Returns the number of steps that a file has taken; refuses one that has taken more than these.
/// Writes nothing.
pub(super) fn check(connection: &Connection, steps: &[&str]) -> Result<usize, Refused> {
    let has_tables = connection.query_row(HAS_TABLES, [], |_| Ok(())).optional()?.is_some();
    let found: i64 = if has_tables { connection.query_row(VERSION, [], |row| row.get(0))? } else { 0 };
    match usize::try_from(found) {
        Ok(taken) if taken <= steps.len() => Ok(taken),
        _ => Err(Refused::NewerSchema { found, known: steps.len() }),
    }
}

/// Takes the steps that are left, all or none.
pub(super) fn migrate(connection: &mut Connection, steps: &[&str]) -> Result<(), Refused> {
    if check(connection, steps)? == steps.len() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Again: another process may have taken them meanwhile.
    let taken = check(&transaction, steps)?;
    for step in steps.iter().skip(taken) {
        transaction.execute_batch(step)?;
    }
    transaction.execute(SET_VERSION, [i64::try_from(steps.len()).unwrap_or(i64::MAX)])?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEXT: &str = "ALTER TABLE chatflow_flow ADD COLUMN note TEXT";

    #[test]
    fn a_file_of_an_older_release_takes_the_steps_that_it_lacks() {
        let mut file = Connection::open_in_memory().unwrap();
        migrate(&mut file, STEPS).unwrap();
        file.execute_batch("INSERT INTO chatflow_catalogue VALUES ('shop', 7)").unwrap();
        let next = [STEPS, &[NEXT]].concat();
        migrate(&mut file, &next).unwrap();
        migrate(&mut file, &next).unwrap();
        file.execute_batch("UPDATE chatflow_flow SET note = 'there'").unwrap();
        let kept: i64 =
            file.query_row("SELECT revision FROM chatflow_catalogue", [], |row| row.get(0)).unwrap();
        assert_eq!((check(&file, &next).unwrap(), kept), (STEPS.len() + 1, 7));
    }

    #[test]
    fn a_file_without_counters_gets_them() {
        let mut file = Connection::open_in_memory().unwrap();
        migrate(&mut file, &STEPS[..1]).unwrap();
        file.execute_batch("INSERT INTO chatflow_catalogue VALUES ('shop', 7)").unwrap();
        migrate(&mut file, STEPS).unwrap();
        let found: (i64, i64) = file
            .query_row(
                "SELECT revision, (SELECT count(*) FROM chatflow_count) FROM chatflow_catalogue",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        assert_eq!(found, (7, 0));
    }

    #[test]
    fn a_step_that_fails_leaves_the_file_as_it_was() {
        let mut file = Connection::open_in_memory().unwrap();
        migrate(&mut file, STEPS).unwrap();
        let broken = [STEPS, &[NEXT, "ALTER TABLE nothing ADD COLUMN note TEXT"]].concat();
        assert!(migrate(&mut file, &broken).is_err());
        assert_eq!(check(&file, STEPS).unwrap(), STEPS.len());
        assert!(file.execute_batch("UPDATE chatflow_flow SET note = ''").is_err());
    }

    #[test]
    fn a_file_of_a_newer_release_is_refused_with_both_versions() {
        let mut file = Connection::open_in_memory().unwrap();
        migrate(&mut file, &[STEPS, &[NEXT]].concat()).unwrap();
        let refused = migrate(&mut file, STEPS).unwrap_err();
        let said = refused.to_string();
        assert!(
            said.contains(&STEPS.len().to_string()) && said.contains(&(STEPS.len() + 1).to_string()),
            "{said}"
        );
    }
}
