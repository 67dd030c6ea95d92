//! Conversations and flows of [`chatflow`] in PostgreSQL, shared by any number of processes: see
//! [`PostgresStore`]. The guide to all stores is `docs/storage.md` in chatflow's repository.
//!
//! # Reasons
//!
//! **PostgreSQL gets planner settings.** Every frequent statement reads single rows by an index,
//! but on tables that were never analysed the planner read the keys of a flow from end to end, and
//! planned prepared statements with arrays anew each time. Connections to the server itself begin
//! with settings that leave index scans and nested loops alone, and statements are prepared once:
//! 450 µs of the server a conversation instead of 770 with 64 in flight. A mark among the settings
//! tells whether they arrived. A pooler refuses or drops them, and then nothing is kept on a
//! connection: a pooler without prepared statements might run another's under the same name.
//! `plans.rs` among the tests reads the server's own plans.
//!
//! **A commit is one statement in PostgreSQL.** The row is compared and swapped in a common table
//! expression, and key, aliases, sessions and journal are inserted from its rows. The key's insert
//! has no `ON CONFLICT`: a duplicate undoes the whole statement, and a new statement finds out why,
//! since the refused one cannot see what refused it. Each table is modified once, so that
//! CockroachDB takes it; commits that wait at the same time are rows of one statement, each applied
//! by itself.
//!
//! **A deadline is indexed under another time.** Each answer moves it on. `filed_at`, where the
//! index has it, is never late and perhaps early, so that moving a deadline changes no indexed
//! column; a claim first files anew what it meets too early. Both databases have it.
//!
//! **A lane takes what waits when it is free.** Another lane opens while 16 calls wait for each, or
//! 5 ms later, so that a locked row delays those in its statement and no others. Loads go together
//! too, but not under an isolation stricter than read committed, where a transaction that reads
//! many conversations gets in the way of those that write one. Keys are looked for call by call
//! (`LATERAL`), since PostgreSQL otherwise reads all keys of a flow.
//!
//! **A revision begins with the server's clock.** An erased conversation leaves nothing, and yet no
//! revision may come twice. Microseconds outrun a count of commits. SQLite keeps a floor instead.
//!
//! **Statements are not prepared behind a pooler.** In transaction mode it hands a connection's
//! prepared statements to somebody else. Unnamed ones with typed parameters are one round trip and
//! keep nothing.
//!
//! **Each row has its shard**: SipHash-2-4 under a key of zeros over workspace, 0xFF and contact,
//! modulo 1024. It never changes. A range of it is a partition, a distribution column (Citus) or
//! the head of a primary key (YugabyteDB), and the client knows it, so that a statement about one
//! contact names its partition.
//!
//! **Claims on partitioned tables are two steps.** The longest overdue come first wherever they
//! are: a glance at the heads of the partitions' indexes tells which have work, and each is claimed
//! alone.
//!
//! **A transaction of the host is joined.** A `tokio_postgres::Transaction` may be used by a store
//! while the host holds it, so the store works in it, each write under a savepoint.

#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod absorb;
mod columns;
mod commit;
mod due;
mod errors;
mod flows;
mod held;
mod inner;
mod lane;
mod link;
mod load;
mod migrate;
mod options;
mod plans;
mod ports;
mod queries;
mod queue;
mod rides;
mod schema;
mod settle;
mod shard;
mod statements;
mod tx;
mod upkeep;
mod write;

use std::fmt;
use std::sync::Arc;

use chatflow::error::StoreError;
use deadpool_postgres::Pool;
use tokio::runtime::Handle;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Config, Socket, Transaction};

use crate::errors::{AccessKind, Fault};
use crate::inner::Inner;
use crate::link::Link;

pub use options::PostgresOptions;
pub use plans::ServerEvent;
pub use tx::PostgresTx;

/// The drivers' types, in the version that [`PostgresStore`] takes them in.
pub use {deadpool_postgres, tokio_postgres};

/// Conversations and flows in PostgreSQL, shared by any number of processes. Clones share
/// one pool.
///
/// ```no_run
/// use chatflow_postgres::PostgresStore;
/// use tokio_postgres::NoTls; // or a connector of `tokio-postgres-rustls`, `postgres-native-tls`, …
///
/// # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
/// let config: tokio_postgres::Config = "postgres://chatflow@localhost/chatflow".parse()?;
/// PostgresStore::migrate(config.clone(), NoTls).await?; // once for each release, or at each start
/// let store = PostgresStore::connect(config, NoTls).await?;
/// # drop(store);
/// # Ok(())
/// # }
/// ```
///
/// # What it does to the database
///
/// One row is one conversation. A load is one statement and one round trip, a commit another, a
/// settle a third; each is a transaction of its own. Calls that wait at the same time are looked
/// up, or written, by one statement of many rows ([`PostgresOptions::batch`]); each still applies,
/// or is refused, by itself. One caller alone waits for nobody.
///
/// Connections that lead to the server itself keep the plans of the frequent statements, made by
/// settings of their own ([`PostgresOptions::connect`]). Where a pooler in transaction mode is on
/// the way, such as any version of PgBouncer, there is no state of a session: no named statements
/// (unless [`prepared_statements`] says so), no settings. Nowhere are there advisory locks,
/// `LISTEN` or temporary tables. A load balancer may lead to the primary. Under `serializable` and
/// `repeatable read` the store repeats what the server gave up.
///
/// The work is done in the Tokio runtime that the store was connected in (with time and I/O);
/// its callers may run on any executor. A call that is dropped is done whole or not at all.
///
/// # Time
///
/// The server's clock judges leases, so that hosts whose clocks differ never deliver one message at
/// the same time. Due times and the expiry of keys are judged by the `now` of each call.
///
/// # Tables
///
/// | table | one row is | grows with |
/// |---|---|---|
/// | `chatflow_conversation` | a conversation: record, revision, watermark, lease, due time | contacts |
/// | `chatflow_alias` | an address or a session that leads to a conversation | contacts, kept sessions |
/// | `chatflow_key` | a trigger's key, until it expires; under its own name, and under a hash once its contact is erased | triggers within the retention |
/// | `chatflow_session` | a session: live ones for counting and lists, ended ones whole | kept sessions |
/// | `chatflow_journal` | an entry of the journal | journalled turns within the retention |
/// | `chatflow_flow`, `chatflow_definition`, `chatflow_catalogue` | a flow, a text of it, a workspace's count of changes | flows |
/// | `chatflow_count` | what one connection counted in a minute | nodes visited a minute, times connections, within the retention |
/// | `chatflow_schema` | the version of the tables | |
///
/// Texts are compared byte by byte (`COLLATE "C"`); instants are microseconds of the epoch;
/// sessions' and journal's bodies are bytes. The user of a running host needs `SELECT`, `INSERT`,
/// `UPDATE` and `DELETE` on them; the one that migrates owns them. They lie where the connection's
/// `search_path` says.
///
/// # Partitions
///
/// With [`PostgresOptions::partitions`] the first table and those of sessions and journal are
/// partitioned by range of `shard`: SipHash-2-4 with a key of zeros over the workspace, a byte 0xFF
/// and the contact, modulo 1024. Every frequent statement says which shard it is about, so that
/// load, commit, settle and the claim of what is due touch one partition. (A claim first asks the
/// index of due times of all slices which of them have work.) 1024 even values can be cut into any
/// number of slices; which servers or tablespaces the partitions lie on is the database's own
/// matter.
///
/// # Faults
///
/// | what happens | what a call answers |
/// |---|---|
/// | no server, no free connection in time, disk full, too many connections, lock or statement timeout of the server | transient |
/// | serialization failure, deadlock | tried again a few times, then transient |
/// | the connection breaks, the server stops, or it does not answer in time, while a write is under way | unknown; the engine looks what became of it |
/// | the same while something is read | tried once more on another connection, then transient |
/// | the server only reads, as a standby or a replaced primary does | connections are given up; tried once more, then transient |
/// | tables missing, older or newer than this release | permanent, with what to run |
///
/// A list of hosts with `target_session_attrs=read-write` finds the new primary after a fail-over.
///
/// # Databases that speak its language
///
/// The statements keep to what CockroachDB, YugabyteDB and Citus document that they share with
/// PostgreSQL: none of them was at hand, so run `testkit::store_suite` on yours. No statement
/// modifies a table twice, no table with a partial index is the target of `ON CONFLICT DO UPDATE`,
/// settings that only PostgreSQL knows are tried apart and may be refused. Plain tables (one
/// partition) are the portable layout. On CockroachDB an index of due times may be made anew
/// `USING HASH`; on Citus all tables are distributed by `workspace`.
///
/// [`prepared_statements`]: PostgresOptions::prepared_statements
#[derive(Clone)]
pub struct PostgresStore {
    inner: Arc<Inner>,
}

impl PostgresStore {
    /// Returns the default options of a connection, to be changed before the store is connected.
    #[must_use]
    pub fn options() -> PostgresOptions {
        PostgresOptions::default()
    }

    /// Connects to a database that was [migrated](Self::migrate), as [`PostgresOptions::connect`]
    /// does.
    ///
    /// # Errors
    /// As [`PostgresOptions::connect`].
    pub async fn connect<T>(config: Config, tls: T) -> Result<Self, StoreError>
    where
        T: MakeTlsConnect<Socket> + Clone + Sync + Send + 'static,
        T::Stream: Sync + Send,
        T::TlsConnect: Sync + Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        Self::options().connect(config, tls).await
    }

    /// As [`connect`](Self::connect), with a pool that the host made.
    ///
    /// # Errors
    /// As [`PostgresOptions::connect`].
    pub async fn from_pool(pool: Pool) -> Result<Self, StoreError> {
        Self::options().from_pool(pool).await
    }

    /// Creates the tables, or brings those of an older release up to date, as
    /// [`PostgresOptions::migrate`] does.
    ///
    /// # Errors
    /// As [`PostgresOptions::migrate`].
    pub async fn migrate<T>(config: Config, tls: T) -> Result<(), StoreError>
    where
        T: MakeTlsConnect<Socket> + Clone + Sync + Send + 'static,
        T::Stream: Sync + Send,
        T::TlsConnect: Sync + Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        Self::options().migrate(config, tls).await
    }

    /// Writes settles of deliveries that were acknowledged and are not written yet
    /// ([`PostgresOptions::settle_within`]). A process that ends in peace calls it last;
    /// [`Engine::run_until`](chatflow::Engine::run_until) does so before it returns.
    ///
    /// # Errors
    /// As a settle: what could not be written is tried again while the runtime is there.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.inner.write_settles().await
    }

    /// Returns the store inside a transaction of the host, on the same database: for
    /// [`Engine::on`](chatflow::Engine::on).
    ///
    /// The engine's flows are read by the store's own pool meanwhile. A host that takes its
    /// transactions from the same pool leaves a connection free there; otherwise its calls wait for
    /// one in vain, and fail as transient.
    ///
    /// Read committed is the isolation to use: under a stricter one a conversation that changed
    /// after the transaction began is refused as transient, and the whole transaction is to be
    /// tried again.
    #[must_use]
    pub fn in_tx<'t>(&self, transaction: &'t Transaction<'_>) -> PostgresTx<'t> {
        PostgresTx::new(transaction.client(), Arc::clone(&self.inner))
    }

    async fn open(pool: Pool, options: PostgresOptions) -> Result<Self, StoreError> {
        let runtime = Handle::try_current()
            .map_err(|error| Fault::permanent(error).into_error(AccessKind::Connect, "connect"))?;
        let unchecked = Inner::new(pool, runtime, options, 1);
        let (slices, is_strict) = unchecked.until_done(AccessKind::Read, "connect", checked).await?;
        Ok(Self { inner: Arc::new(unchecked.on(slices, is_strict)) })
    }
}

fn checked(link: Link<'_>) -> inner::Work<'_, (u16, bool)> {
    Box::pin(async move { migrate::check(&link).await })
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("slices", &self.inner.slices)
            .field("prepares", &self.inner.prepares())
            .finish_non_exhaustive()
    }
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
