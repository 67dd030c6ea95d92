//! The meaning of SQLite's errors for a write: whether it surely did not happen, perhaps did, or
//! never will.

use std::path::Path;
use std::sync::Arc;

use chatflow::error::StoreError;
use rusqlite::ErrorCode;

/// The reason a file was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error(
        "the file has schema {found}, this release knows schemas up to {known}: open it with a newer release"
    )]
    NewerSchema { found: i64, known: usize },
    #[error("the file does not support a write-ahead log (journal mode `{0}`): it needs a local file system")]
    NotWal(String),
    #[error("the file can only be read")]
    ReadOnly,
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

impl Refused {
    pub(super) fn into_store_error(self, doing: &'static str, file: &Arc<Path>) -> StoreError {
        match self {
            Self::Sqlite(error) => failed(doing, file, error),
            refused => StoreError::permanent(format!("{doing} `{}`: {refused}", file.display())),
        }
    }
}

/// The error, in SQLite's words and ours.
#[derive(Debug, thiserror::Error)]
#[error("{doing} `{}`: {meaning}: {source}", file.display())]
struct Failed {
    doing: &'static str,
    file: Arc<Path>,
    meaning: &'static str,
    source: rusqlite::Error,
}

/// An error of a statement, or of a commit that was surely rolled back.
pub(super) fn failed(doing: &'static str, file: &Arc<Path>, source: rusqlite::Error) -> StoreError {
    let (is_transient, meaning) = meaning(&source);
    let error = Failed { doing, file: Arc::clone(file), meaning, source };
    if is_transient { StoreError::transient(error) } else { StoreError::permanent(error) }
}

/// An error of `COMMIT` itself.
///
/// A disk that is full refuses a frame, and the frame that commits is the last: it was not written.
/// A sync that failed leaves that frame in the log, though nobody reads it: should the process die
/// before another commit overwrites it, recovery takes it for a commit. So an error of input and
/// output is not known to be nothing.
pub(super) fn failed_to_commit(doing: &'static str, file: &Arc<Path>, source: rusqlite::Error) -> StoreError {
    if source.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) {
        let meaning = "the disk failed while it was written";
        return StoreError::unknown(Failed { doing, file: Arc::clone(file), meaning, source });
    }
    failed(doing, file, source)
}

/// The file is not where it was opened.
pub(super) fn gone(doing: &'static str, file: &Path) -> StoreError {
    let text = "the file was removed, moved or replaced while it was open: open it again";
    StoreError::permanent(format!("{doing} `{}`: {text}", file.display()))
}

/// True if trying again may help, and what it means.
fn meaning(error: &rusqlite::Error) -> (bool, &'static str) {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => (true, "disk full"),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
            (true, "another process holds the file")
        }
        Some(ErrorCode::SystemIoFailure) => (true, "the disk failed"),
        Some(ErrorCode::OutOfMemory) => (true, "out of memory"),
        Some(ErrorCode::OperationInterrupted | ErrorCode::SchemaChanged) => (true, "interrupted"),
        Some(ErrorCode::DatabaseCorrupt) => (false, "the file is damaged"),
        Some(ErrorCode::NotADatabase) => (false, "the file is not a database of SQLite, or is damaged"),
        Some(ErrorCode::ReadOnly) => (false, "the file or its folder is read-only"),
        Some(ErrorCode::CannotOpen) => (false, "the file cannot be opened"),
        Some(ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied) => {
            (false, "access denied")
        }
        Some(ErrorCode::TooBig) => (false, "too large"),
        _ => (false, "refused"),
    }
}

/// True if the connection itself is in doubt, so that a new one is to be opened.
pub(super) fn is_doubtful(error: &rusqlite::Error) -> bool {
    !matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::ConstraintViolation
                | ErrorCode::TooBig
        )
    )
}
