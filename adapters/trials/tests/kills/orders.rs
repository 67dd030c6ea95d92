//! The orders that a process is given.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The variable that makes a process of this program a worker.
pub(crate) const VARIABLE: &str = "CHATFLOW_KILLS_ORDERS";

/// Where conversations are kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Place {
    /// In a file.
    Sqlite(PathBuf),
    /// In a database, by URL.
    Postgres(String),
    /// On a server of Redis, by URL.
    Redis(String),
}

/// Hold conversations until you are killed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Orders {
    pub(crate) place: Place,
    pub(crate) lease: Duration,
    /// Contacts that somebody began: they come first.
    pub(crate) unfinished: Vec<u64>,
    /// Then these, and all after it.
    pub(crate) first: u64,
    /// The number of this process, from 1.
    pub(crate) number: u64,
}

impl Orders {
    /// True if a second trigger is made before the first.
    pub(crate) fn flip(&self) -> bool {
        self.number.is_multiple_of(2)
    }

    /// True if settles ride with later commits, beside processes whose settles do not.
    pub(crate) fn rides(&self) -> bool {
        !self.number.is_multiple_of(3)
    }

    /// The room in which it keeps what it knows of conversations, in bytes, beside processes that
    /// keep nothing or little.
    pub(crate) fn room(&self) -> usize {
        match self.number % 4 {
            0 => 0,
            1 => 20_000,
            _ => 64 << 20,
        }
    }

    /// True if the log of a file is emptied again and again, so that processes die in the middle of
    /// that.
    pub(crate) fn checkpoints(&self) -> bool {
        self.number.is_multiple_of(3)
    }
}
