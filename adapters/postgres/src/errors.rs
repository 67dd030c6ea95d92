//! The meaning of a failure of the server or of the connection for the store's caller. No error
//! shows values of rows.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use chatflow::error::{StoreError, StoreErrorKind};
use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;

/// The operation that was under way when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AccessKind {
    /// Getting a connection: nothing was sent.
    Connect,
    /// A statement that changes nothing.
    Read,
    /// A statement that writes.
    Write,
}

/// A failure, before it is known what was being done; shared by all the calls of a batch.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// The server or the connection.
    Postgres(Arc<tokio_postgres::Error>),
    /// Anything else, already sorted.
    Sorted(StoreErrorKind, Arc<str>),
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(Arc::new(error))
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        let text = StdError::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        Self::Sorted(error.kind(), text.into())
    }
}

impl Fault {
    pub(super) fn permanent(rule: impl fmt::Display) -> Self {
        Self::Sorted(StoreErrorKind::Permanent, rule.to_string().into())
    }

    pub(super) fn timeout(kind: AccessKind) -> Self {
        let (sorted, text) = match kind {
            AccessKind::Connect => (
                StoreErrorKind::Transient,
                "no connection in time: overloaded, or the server does not answer",
            ),
            AccessKind::Read => (StoreErrorKind::Transient, "the server did not answer in time"),
            AccessKind::Write => (StoreErrorKind::Unknown, "the server did not answer in time"),
        };
        Self::Sorted(sorted, text.into())
    }

    pub(super) fn of_pool(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => error.into(),
            PoolError::Timeout(_) => Self::timeout(AccessKind::Connect),
            error => Self::Sorted(StoreErrorKind::Transient, format!("no connection: {error}").into()),
        }
    }

    fn state(&self) -> Option<&SqlState> {
        match self {
            Self::Postgres(error) => error.code(),
            Self::Sorted(..) => None,
        }
    }

    /// Another has the key, or the alias, or made the conversation.
    pub(super) fn is_duplicate(&self) -> bool {
        self.state() == Some(&SqlState::UNIQUE_VIOLATION)
    }

    /// The server gave the statement up in favour of another: surely rolled back, and worth trying
    /// again at once.
    pub(super) fn is_lost_race(&self) -> bool {
        matches!(self.state(), Some(state) if *state == SqlState::T_R_SERIALIZATION_FAILURE
            || *state == SqlState::T_R_DEADLOCK_DETECTED)
    }

    /// Another made the same table at the same time.
    pub(super) fn is_raced_creation(&self) -> bool {
        matches!(self.state(), Some(state) if *state == SqlState::DUPLICATE_TABLE
            || *state == SqlState::DUPLICATE_OBJECT)
    }

    /// True if the connection is of no use any more.
    pub(super) fn is_fatal(&self) -> bool {
        match self {
            Self::Postgres(error) => match error.code() {
                Some(state) => self.is_stale() || is_going(state),
                None => true,
            },
            Self::Sorted(kind, _) => *kind != StoreErrorKind::Permanent,
        }
    }

    /// The connection leads to a server that does not write any more, or knows no statement of
    /// ours.
    pub(super) fn is_stale(&self) -> bool {
        matches!(self.state(), Some(state) if *state == SqlState::READ_ONLY_SQL_TRANSACTION
            || *state == SqlState::INVALID_SQL_STATEMENT_NAME
            || *state == SqlState::DUPLICATE_PSTATEMENT
            || *state == SqlState::FEATURE_NOT_SUPPORTED)
    }

    /// A statement that was prepared is not there, or is another's: connections are shared.
    pub(super) fn is_unprepared(&self) -> bool {
        matches!(self.state(), Some(state) if *state == SqlState::INVALID_SQL_STATEMENT_NAME
            || *state == SqlState::DUPLICATE_PSTATEMENT)
    }

    /// The error for the caller; `what` names the operation.
    pub(super) fn into_error(self, kind: AccessKind, what: &'static str) -> StoreError {
        let (kind, hint) = match &self {
            Self::Postgres(error) => match error.code() {
                Some(state) => sort(state, kind),
                None if is_local(error) => (StoreErrorKind::Permanent, None),
                None if kind == AccessKind::Write => (StoreErrorKind::Unknown, None),
                None => (StoreErrorKind::Transient, None),
            },
            Self::Sorted(kind, _) => (*kind, None),
        };
        let failure = Failure { what, fault: self, hint };
        match kind {
            StoreErrorKind::Transient => StoreError::transient(failure),
            StoreErrorKind::Permanent => StoreError::permanent(failure),
            _ => StoreError::unknown(failure),
        }
    }
}

/// True if an error without a code was made here, before anything was sent or after all was read.
fn is_local(error: &tokio_postgres::Error) -> bool {
    let text = error.to_string();
    ["error serializing", "error deserializing", "invalid c", "expected ", "query returned"]
        .iter()
        .any(|start| text.starts_with(start))
}

/// The server is going away, or has closed the connection.
fn is_going(state: &SqlState) -> bool {
    let code = state.code();
    code.starts_with("08") || matches!(code, "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "40003")
}

const MIGRATE: &str = "the tables are not there or are older: run `PostgresStore::migrate`";
const UNPREPARED: &str = "behind a pooler leave `prepared_statements` off";
const READ_ONLY: &str =
    "what is written to only reads: a standby, a primary that was replaced, or a transaction of the host";

fn sort(state: &SqlState, kind: AccessKind) -> (StoreErrorKind, Option<&'static str>) {
    use StoreErrorKind::{Permanent, Transient, Unknown};
    let code = state.code();
    if is_going(state) {
        let kind = if kind == AccessKind::Write { Unknown } else { Transient };
        return (kind, None);
    }
    match code {
        "25006" => (Transient, Some(READ_ONLY)),
        "26000" | "42P05" | "0A000" => (Transient, Some(UNPREPARED)),
        "42P01" | "42703" | "3F000" => (Permanent, Some(MIGRATE)),
        "55P03" | "57014" | "55006" | "25P02" => (Transient, None),
        _ if ["40", "53", "57", "58"].iter().any(|class| code.starts_with(class)) => (Transient, None),
        _ => (Permanent, None),
    }
}

/// The source inside a [`StoreError`]: what was done, what the server said, and what helps. The
/// server's detail line is left out, since it quotes rows.
struct Failure {
    what: &'static str,
    fault: Fault,
    hint: Option<&'static str>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.what)?;
        match &self.fault {
            Fault::Postgres(error) => match error.as_db_error() {
                Some(said) => write!(f, "{} {}: {}", said.severity(), said.code().code(), said.message())?,
                None => {
                    write!(f, "{error}")?;
                    let mut source = error.source();
                    while let Some(cause) = source {
                        write!(f, ": {cause}")?;
                        source = cause.source();
                    }
                }
            },
            Fault::Sorted(_, text) => f.write_str(text)?,
        }
        match self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Failure({self})")
    }
}

impl StdError for Failure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.fault {
            Fault::Postgres(error) if error.as_db_error().is_none() => Some(&**error),
            _ => None,
        }
    }
}
