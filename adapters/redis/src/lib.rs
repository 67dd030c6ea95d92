//! Conversations and flows of [`chatflow`] in Redis or Valkey, shared by any number of processes:
//! see [`RedisStore`]. The guide to all stores is `docs/storage.md` in chatflow's repository.
//!
//! # Reasons
//!
//! **`RedisStore` refuses `appendfsync everysec`.** The kill test found acknowledged turns lost:
//! while an earlier sync takes long, Redis answers before it writes its file, so that even the end
//! of its process takes them. A host that can afford that says so by `durability`. A commit is one
//! script and not `MULTI` with `WATCH`: its aliases' holders are not known before, so `WATCH` takes
//! two round trips and a connection of its own.

#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod commit;
mod due;
mod errors;
mod flows;
mod load;
mod options;
mod queries;
mod scripts;
mod server;
mod settle;
mod upkeep;
mod values;

use std::fmt;
use std::sync::Arc;

use chatflow::error::StoreError;
use chatflow::store::{
    Commit, Committed, ConversationStore, Due, Erase, Leased, Live, Loaded, Lookup, Purge, Purged, Removed,
    Settle, Settled, SharedFlows,
};

use crate::server::Server;

pub use options::{Durability, RedisOptions};
/// The driver's types, in the version that [`RedisStore`] takes them in.
pub use redis;

/// Conversations and flows in Redis (7.0 or later) or Valkey, shared by any number of processes.
/// Clones share one connection, which is made again when it ends.
///
/// ```no_run
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// use chatflow::Engine;
/// use chatflow_redis::{RedisStore, redis};
///
/// let client = redis::Client::open("redis://127.0.0.1/")?;
/// let bot = Engine::builder(RedisStore::connect(client).await?).build();
/// # drop(bot);
/// # Ok(())
/// # }
/// ```
///
/// # Durability
///
/// Redis keeps all data in memory and writes a log, the append-only file. It decides what an
/// acknowledged turn is worth ([`Durability`]): with `appendfsync always` a turn is on disk before
/// the call returns; with `everysec` the last seconds go with the server's process, although it had
/// acknowledged them; without the file everything does. [`connect`](Self::connect) refuses a server
/// that syncs less than `always`, or may evict keys, unless [`RedisOptions::durability`] asks for
/// less; it believes a server that does not let it look (`CONFIG` forbidden). A replica that takes
/// over has all that had reached it: replication is asynchronous, so the last turns may be missing,
/// as after an older copy was restored.
///
/// # What it does to the server
///
/// A load, a commit and a settle are one script each, which the server runs alone: all or nothing,
/// in one round trip. Calls of many tasks share the connection and are sent without waiting for
/// each other. The server's clock judges leases; due times and the expiry of keys are judged by the
/// `now` of each call.
///
/// All keys begin with [`RedisOptions::prefix`] in braces, so they lie on one slot: a cluster holds
/// a store on one of its servers, and tenants are spread by giving them stores with prefixes of
/// their own. No key expires by itself: the engine's `tick` purges. What the keys hold is written
/// at the head of `src/lua/common.lua`.
///
/// # Limits
///
/// Everything lies in memory: about 3 KB a waiting session with its address, its key and its places
/// in the indexes. Scripts need `EVAL` and `EVALSHA`. A list of sessions by flow alone looks at the
/// sessions of other flows too, 2,000 in one script. Instants beyond the year 2255 are rounded to
/// the next microseconds that a double holds.
///
/// # Faults
///
/// A connection that ends before an answer makes a read a transient error and a write one of
/// unknown outcome ([`StoreError`]); the engine looks for its own work and repeats what is missing.
/// A server that loads its data, only reads, is out of memory or cannot write its file is a
/// transient error. Wrong credentials, or a key of the prefix that somebody else wrote, are
/// permanent ones.
#[derive(Clone)]
pub struct RedisStore {
    server: Arc<Server>,
}

impl RedisStore {
    /// Connects with the options as they are unless set.
    ///
    /// # Errors
    /// As [`RedisOptions::connect`].
    pub async fn connect(client: redis::Client) -> Result<Self, StoreError> {
        Self::options().connect(client).await
    }

    /// Options to be set before connecting.
    pub fn options() -> RedisOptions {
        RedisOptions::default()
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("root", &self.server.root()).finish_non_exhaustive()
    }
}

impl ConversationStore for RedisStore {
    async fn load(&self, lookup: &Lookup) -> Result<Loaded, StoreError> {
        load::load(&self.server, lookup).await
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        commit::commit(&self.server, commit).await
    }

    async fn settle(&self, settle: &Settle) -> Result<Settled, StoreError> {
        settle::settle(&self.server, settle).await
    }

    async fn lease_due(&self, due: &Due) -> Result<Leased, StoreError> {
        due::lease_due(&self.server, due).await
    }

    async fn live(&self, live: &Live) -> Result<u64, StoreError> {
        upkeep::live(&self.server, live).await
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        upkeep::purge(&self.server, purge).await
    }

    async fn erase(&self, erase: &Erase) -> Result<Option<Removed>, StoreError> {
        upkeep::erase(&self.server, erase).await
    }

    fn keeps_counts(&self) -> bool {
        true
    }

    fn compares_seen(&self) -> bool {
        true
    }

    fn flow_store(&self) -> Option<SharedFlows> {
        Some(SharedFlows::new(self.clone()))
    }
}
