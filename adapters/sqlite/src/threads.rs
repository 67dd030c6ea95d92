//! The store's threads: one that writes, many calls in one transaction, and those that read.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use chatflow::error::StoreError;
use rusqlite::{Connection, ErrorCode};

use crate::care::Copying;
use crate::database::{Database, durable, open_reader, open_writer};
use crate::errors::{Refused, failed, failed_to_commit, gone, is_doubtful};
use crate::log::{Log, empty};
use crate::options::{SqliteOptions, Synchronous};
use crate::queue::{Accepted, Queue, Ran};

/// The data that a thread needs to open its file, again too.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) file: Arc<Path>,
    pub(super) options: SqliteOptions,
    /// The identity of the file, where the system tells.
    identity: Option<(u64, u64)>,
}

impl Place {
    /// Absolute, so that a process may change its folder.
    pub(super) fn new(file: &Path, options: SqliteOptions) -> Self {
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_path_buf());
        Self { file: file.into(), options, identity: None }
    }

    /// Remembers the file that was opened.
    pub(super) fn is_open(&mut self) {
        self.identity = identity(&self.file);
    }

    /// True if another file is there now, or none: what is written would be lost with the one that
    /// is open.
    fn is_gone(&self) -> bool {
        self.identity.is_some() && identity(&self.file) != self.identity
    }

    fn open_writer(&self) -> Result<Connection, Refused> {
        open_writer(&self.file, &self.options, false)
    }

    fn open_reader(&self) -> Result<Connection, Refused> {
        open_reader(&self.file, &self.options)
    }
}

#[cfg(unix)]
fn identity(file: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(file).ok().map(|of| (of.dev(), of.ino()))
}

/// A file that is open can be neither removed nor replaced.
#[cfg(not(unix))]
fn identity(_: &Path) -> Option<(u64, u64)> {
    None
}

/// The state of a connection.
enum State {
    Sound,
    Doubtful,
}

impl State {
    fn after(error: &rusqlite::Error) -> Self {
        if is_doubtful(error) { Self::Doubtful } else { Self::Sound }
    }
}

/// Serves a queue until it is closed, on one connection after the other: each until it is in doubt.
fn serve(
    queue: &Queue,
    share: usize,
    place: &Place,
    first: Connection,
    open: impl Fn(&Place) -> Result<Connection, Refused>,
    mut run: impl FnMut(&Database<'_>, Vec<Accepted>) -> State,
) {
    let mut next = Ok(first);
    loop {
        match next {
            Ok(connection) => {
                let database = Database::over(&connection);
                loop {
                    let Some(calls) = queue.take(share, true) else { return };
                    // A thread outlives a panic: calls that have no answer are told as they are
                    // dropped, and closing the connection rolls back what is open.
                    let run = AssertUnwindSafe(|| run(&database, calls));
                    if !matches!(catch_unwind(run), Ok(State::Sound)) {
                        break;
                    }
                }
            }
            Err(refused) => {
                let Some(calls) = queue.take(share, false) else { return };
                tell_all(&calls, not_open(refused, place));
            }
        }
        // Not before a call needs it: what was wrong may be over by then.
        if !queue.wait() {
            return;
        }
        next = open(place);
    }
}

/// Says the same to several calls: the error itself is not to be copied.
fn not_open(refused: Refused, place: &Place) -> impl Fn(&'static str) -> StoreError {
    let first = refused.into_store_error("open", &place.file);
    move |doing| {
        let text = format!("{doing}: {first}");
        if first.is_retryable() { StoreError::transient(text) } else { StoreError::permanent(text) }
    }
}

fn tell_all(calls: &[Accepted], error: impl Fn(&'static str) -> StoreError) {
    for call in calls {
        call.tell(Some(error(call.doing())));
    }
}

/// Reads until the queue is closed: the calls that wait share one snapshot, taken after the last of
/// them came.
pub(super) fn read(queue: &Queue, readers: usize, place: &Place, first: Connection) {
    serve(queue, readers, place, first, Place::open_reader, |database, calls| {
        read_together(database, place, calls)
    });
}

fn read_together(database: &Database<'_>, place: &Place, calls: Vec<Accepted>) -> State {
    if let Err(error) = database.execute("BEGIN", []) {
        tell_all(&calls, |doing| failed(doing, &place.file, copy(&error)));
        return State::after(&error);
    }
    let mut state = State::Sound;
    for call in calls {
        match call.run(database) {
            Ok(_) => call.tell(None),
            Err(error) => {
                if is_doubtful(&error) {
                    state = State::Doubtful;
                }
                call.tell(Some(failed(call.doing(), &place.file, error)));
            }
        }
    }
    if database.connection.is_autocommit() || database.execute("COMMIT", []).is_ok() {
        state
    } else {
        State::Doubtful
    }
}

/// Writes until the queue is closed. Between writes it looks up too: its cache is warm, those of
/// the readers are lost with each commit.
pub(super) fn write(queue: &Queue, place: &Place, first: Connection) {
    let log = Log::of(&place.file, &place.options);
    let mut writer = Writer { queue, place, current: place.options.synchronous, log };
    serve(queue, 1, place, first, Place::open_writer, |database, calls| {
        let state = match calls.first().and_then(|call| call.copy()) {
            Some(_) => writer.copy(database, calls),
            None => writer.work(database, calls),
        };
        if let State::Doubtful = state {
            writer.current = place.options.synchronous;
        }
        state
    });
}

/// The thread that writes, whatever connection it has.
struct Writer<'w> {
    queue: &'w Queue,
    place: &'w Place,
    /// The current setting of the connection.
    current: Synchronous,
    log: Log,
}

impl Writer<'_> {
    fn work(&mut self, database: &Database<'_>, calls: Vec<Accepted>) -> State {
        let place = self.place;
        if calls.iter().all(|call| call.is_read()) {
            return read_together(database, place, calls);
        }
        let chosen = place.options.synchronous;
        let wanted = if calls.iter().all(|call| call.may_be_lost()) { Synchronous::Normal } else { chosen };
        if wanted != self.current {
            if let Err(error) = database.connection.execute_batch(durable(wanted)) {
                tell_all(&calls, |doing| failed(doing, &place.file, copy(&error)));
                return State::Doubtful;
            }
            self.current = wanted;
        }
        let state = write_together(database, self.queue, place, calls);
        match self.log.bound(database.connection) {
            Ok(()) => state,
            Err(_) => State::Doubtful,
        }
    }

    /// Makes a copy, and between its steps does what has come meanwhile. Who asks for another copy
    /// waits.
    fn copy(&mut self, database: &Database<'_>, calls: Vec<Accepted>) -> State {
        let mut copies = VecDeque::from(calls);
        while let Some(call) = copies.pop_front() {
            let mut state = State::Sound;
            let copied = call.copy().map_or(Ok(()), |to| {
                Copying::begin(to)?.run(database.connection, || {
                    let Some(calls) = self.queue.take_now() else { return true };
                    if calls.first().is_some_and(|call| call.copy().is_some()) {
                        copies.extend(calls);
                        return true;
                    }
                    state = self.work(database, calls);
                    matches!(state, State::Sound)
                })
            });
            match copied.map(|()| call.run(database)) {
                Ok(_) => call.tell(None),
                Err(error) => call.tell(Some(error)),
            }
            if let State::Doubtful = state {
                return state;
            }
        }
        State::Sound
    }
}

/// Writes calls in one transaction. One that spoils it is set apart: then each has a transaction of
/// its own.
fn write_together(database: &Database<'_>, queue: &Queue, place: &Place, calls: Vec<Accepted>) -> State {
    match attempt(database, queue, place, &calls) {
        Attempt::Told(state) => state,
        Attempt::Spoilt(state) if calls.len() == 1 => state,
        Attempt::Spoilt(_) => {
            let mut state = State::Sound;
            for call in calls {
                let call = [call];
                let one = match attempt(database, queue, place, &call) {
                    Attempt::Told(one) | Attempt::Spoilt(one) => one,
                };
                if let State::Doubtful = one {
                    state = State::Doubtful;
                }
            }
            state
        }
    }
}

enum Attempt {
    /// All calls know what became of them.
    Told(State),
    /// Nothing was written. A single call knows it.
    Spoilt(State),
}

/// Writes calls in one transaction. On a full disk the log is moved into the file, which may be all
/// the room that is needed, and it is tried once more.
fn attempt(database: &Database<'_>, queue: &Queue, place: &Place, calls: &[Accepted]) -> Attempt {
    if let Ok(attempt) = once(database, queue, place, calls) {
        return attempt;
    }
    // Whatever comes of it, the second attempt says how it is.
    let _ = empty(database.connection);
    once(database, queue, place, calls).unwrap_or_else(|NoRoom(error)| {
        if let [call] = calls {
            call.tell(Some(failed(call.doing(), &place.file, error)));
        }
        Attempt::Spoilt(State::Sound)
    })
}

/// The disk is full: nothing was written, and no call knows it.
struct NoRoom(rusqlite::Error);

fn once(
    database: &Database<'_>,
    queue: &Queue,
    place: &Place,
    calls: &[Accepted],
) -> Result<Attempt, NoRoom> {
    let is_full = |error: &rusqlite::Error| error.sqlite_error_code() == Some(ErrorCode::DiskFull);
    if place.is_gone() {
        tell_all(calls, |doing| gone(doing, &place.file));
        return Ok(Attempt::Told(State::Sound));
    }
    if let Err(error) = database.execute("BEGIN IMMEDIATE", []) {
        tell_all(calls, |doing| failed(doing, &place.file, copy(&error)));
        return Ok(Attempt::Told(State::after(&error)));
    }
    for call in calls {
        match call.run(database) {
            Ok(Ran::Refused) if call.is_alone() => {
                let state = roll_back(database);
                call.tell(None);
                return Ok(Attempt::Told(state));
            }
            Ok(_) if database.connection.is_autocommit() => {
                // Only a hook of the host can do that.
                call.tell(Some(StoreError::unknown(format!(
                    "{}: the host's hook ended the transaction",
                    call.doing()
                ))));
                return Ok(Attempt::Told(State::Sound));
            }
            Ok(_) => {}
            Err(error) => {
                let doubtful = is_doubtful(&error);
                let state = roll_back(database);
                if is_full(&error) {
                    return Err(NoRoom(error));
                }
                if calls.len() == 1 {
                    call.tell(Some(failed(call.doing(), &place.file, error)));
                }
                return Ok(Attempt::Spoilt(if doubtful { State::Doubtful } else { state }));
            }
        }
    }
    if let Err(error) = database.execute("COMMIT", []) {
        let state = roll_back(database);
        if is_full(&error) {
            return Err(NoRoom(error));
        }
        tell_all(calls, |doing| failed_to_commit(doing, &place.file, copy(&error)));
        return Ok(Attempt::Told(if is_doubtful(&error) { State::Doubtful } else { state }));
    }
    queue.rest();
    for call in calls {
        call.tell(None);
    }
    Ok(Attempt::Told(State::Sound))
}

/// Some errors roll back by themselves.
fn roll_back(database: &Database<'_>) -> State {
    if database.connection.is_autocommit() || database.execute("ROLLBACK", []).is_ok() {
        State::Sound
    } else {
        State::Doubtful
    }
}

/// The same error for another call.
fn copy(error: &rusqlite::Error) -> rusqlite::Error {
    match error {
        rusqlite::Error::SqliteFailure(code, text) => rusqlite::Error::SqliteFailure(*code, text.clone()),
        other => rusqlite::Error::ToSqlConversionFailure(other.to_string().into()),
    }
}
