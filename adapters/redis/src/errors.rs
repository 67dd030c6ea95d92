//! The meaning of a failure of the server or of the connection for the store's caller. No error
//! shows values.

use std::error::Error as StdError;
use std::fmt;

use chatflow::error::StoreError;
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// The operation that was under way when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AccessKind {
    /// A script or command that changes nothing.
    Read,
    /// A script that writes.
    Write,
}

/// Errors of a server that will take the same call later; surely nothing was done. A script that
/// the server refuses to let write is refused at its first write.
const LATER: [&str; 9] =
    ["LOADING", "BUSY", "READONLY", "OOM", "MISCONF", "NOREPLICAS", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN"];

pub(super) fn into_error(error: RedisError, kind: AccessKind, what: &'static str) -> StoreError {
    let is_later = error.code().is_some_and(|code| LATER.contains(&code));
    let is_fault_of_connection = error.is_io_error() || error.is_timeout() || error.is_connection_dropped();
    let failure = Failure::new(what, error);
    if is_later || failure.is_unsent() {
        StoreError::transient(failure)
    } else if is_fault_of_connection || failure.is_cut_off() {
        match kind {
            AccessKind::Read => StoreError::transient(failure),
            AccessKind::Write => StoreError::unknown(failure),
        }
    } else {
        StoreError::permanent(failure)
    }
}

/// The source inside a [`StoreError`]: what was done, and what the server said.
#[derive(Debug)]
pub(super) struct Failure {
    what: &'static str,
    error: Box<dyn StdError + Send + Sync>,
}

impl Failure {
    pub(super) fn new(what: &'static str, error: impl StdError + Send + Sync + 'static) -> Self {
        Self { what, error: Box::new(error) }
    }

    fn redis(&self) -> Option<&RedisError> {
        self.error.downcast_ref()
    }

    /// No connection could be made, so nothing was sent.
    fn is_unsent(&self) -> bool {
        self.redis().is_some_and(RedisError::is_connection_refusal)
    }

    /// An answer that ended too early, or a script that was stopped by an operator's hand.
    fn is_cut_off(&self) -> bool {
        self.redis().is_some_and(|error| {
            matches!(error.kind(), ErrorKind::Parse | ErrorKind::Server(ServerErrorKind::ExecAbort))
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: ", self.what)?;
        match self.redis() {
            // The detail of a script's error quotes its lines, not its values.
            Some(error) => match (error.code(), error.detail()) {
                (Some(code), Some(detail)) => write!(f, "{code} {detail}"),
                _ => write!(f, "{error}"),
            },
            None => write!(f, "{}", self.error),
        }
    }
}

impl StdError for Failure {}
