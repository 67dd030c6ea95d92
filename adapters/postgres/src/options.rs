//! Options of a store's connection: sizes, times, and whether statements are prepared.

use std::time::Duration;

use chatflow::error::StoreError;
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Config, Socket};

use crate::PostgresStore;
use crate::errors::{AccessKind, Fault};
use crate::plans::{Listener, ServerEvent};
use crate::{migrate, plans};

/// Options of a [`PostgresStore`]'s connection. Made by [`PostgresStore::options`].
///
/// | what | unless set |
/// |---|---|
/// | [`pool_size`](Self::pool_size) | 10 connections |
/// | [`prepared_statements`](Self::prepared_statements) | on where connections lead to the server itself |
/// | [`connect_timeout`](Self::connect_timeout) | 5 s |
/// | [`wait_timeout`](Self::wait_timeout) | 5 s |
/// | [`statement_timeout`](Self::statement_timeout) | 10 s |
/// | [`batch`](Self::batch) | 100 calls a statement |
/// | [`lanes`](Self::lanes) | 4 statements at a time of each kind at most |
/// | [`settle_within`](Self::settle_within) | zero: before they are acknowledged |
/// | [`partitions`](Self::partitions) | 1: plain tables |
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    pub(super) pool_size: usize,
    pub(super) prepared: Option<bool>,
    pub(super) listener: Listener,
    pub(super) connect_timeout: Duration,
    pub(super) wait_timeout: Duration,
    pub(super) statement_timeout: Duration,
    pub(super) batch: usize,
    pub(super) lanes: usize,
    pub(super) settle_within: Duration,
    pub(super) partitions: Option<u16>,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            pool_size: 10,
            prepared: None,
            listener: Listener::default(),
            connect_timeout: Duration::from_secs(5),
            wait_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
            batch: 100,
            lanes: 4,
            settle_within: Duration::ZERO,
            partitions: None,
        }
    }
}

impl PostgresOptions {
    /// Sets the maximum number of connections; at least one.
    #[must_use]
    pub fn pool_size(mut self, connections: usize) -> Self {
        self.pool_size = connections.max(1);
        self
    }

    /// Lets the server keep the plans of the frequent statements, by connection, or not. Unless it
    /// is said, [`connect`](Self::connect) does so where its connections lead to the server itself,
    /// and not through a pooler, such as PgBouncer; a pool that the host made has none. `true` is
    /// for poolers that know prepared statements (PgBouncer from 1.21). If one turns out not to,
    /// none are used from then on ([`ServerEvent::NotPrepared`]).
    #[must_use]
    pub fn prepared_statements(mut self, prepared: bool) -> Self {
        self.prepared = Some(prepared);
        self
    }

    /// Hears of what an operator should know of the server. It is called by a thread of the
    /// runtime, so it must be quick and must not wait for the store.
    #[must_use]
    pub fn on_event(mut self, listen: impl Fn(ServerEvent) + Send + Sync + 'static) -> Self {
        self.listener = Listener::new(listen);
        self
    }

    /// Sets the maximum time that a new connection may take. A shorter one in the connection's own
    /// configuration holds too.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets the maximum time that a call waits for a free connection; after that it fails, surely
    /// without effect.
    #[must_use]
    pub fn wait_timeout(mut self, timeout: Duration) -> Self {
        self.wait_timeout = timeout;
        self
    }

    /// Sets the maximum time that one operation may take on its connection; after that the
    /// connection is given up, and what became of a write is unknown. A server that should give up
    /// earlier has a `statement_timeout` of its own, below this.
    #[must_use]
    pub fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.statement_timeout = timeout;
        self
    }

    /// Sets the maximum number of calls that one statement looks up, or writes, when so many wait;
    /// 1: each has its own. Under stricter isolation than `read committed`, each is looked up by
    /// its own all the same.
    #[must_use]
    pub fn batch(mut self, calls: usize) -> Self {
        self.batch = calls.clamp(1, 1000);
        self
    }

    /// Sets the maximum number of such statements under way at a time, of loads, of commits and of
    /// settles each. Another one is begun while 16 calls wait for each that is under way, or once a
    /// call has waited for 5 ms: few large statements cost a server less than many small ones.
    #[must_use]
    pub fn lanes(mut self, lanes: usize) -> Self {
        self.lanes = lanes.max(1);
        self
    }

    /// Sets how long a settle may wait that is acknowledged already: it is written with the next
    /// commit of its conversation, or with all others that wait once this has passed, before a
    /// claim, and by [`PostgresStore::flush`]. At most a second; zero, as it is unless set: each is
    /// written before it is acknowledged, as it always is under stricter isolation than `read
    /// committed`.
    ///
    /// It saves a statement of three for a trigger and for each reply. The price: a commit of
    /// another process meanwhile finds the lease taken, so its messages leave with the next tick,
    /// and not at once.
    ///
    /// A process that is killed in between has settled nothing: its lease runs out, and what it
    /// sent is sent again under the same id, as if it had been killed a moment earlier.
    #[must_use]
    pub fn settle_within(mut self, time: Duration) -> Self {
        self.settle_within = time.min(Duration::from_secs(1));
        self
    }

    /// Into how many slices [`migrate`](Self::migrate) partitions the tables that grow with
    /// conversations, 1 to 1024; 1: not at all. It holds for good: tables that are there are not
    /// partitioned anew. A tick asks each slice: some tens are plenty.
    #[must_use]
    pub fn partitions(mut self, slices: u16) -> Self {
        self.partitions = Some(slices);
        self
    }

    /// Connects to a database that was [migrated](Self::migrate), in a Tokio runtime with time and
    /// I/O, which does the work of the store for as long as it is used.
    ///
    /// Connections that lead to the server itself have planner settings of their own: generic
    /// plans, joins by index, neither sequential scans nor `jit`. Settings in the configuration's
    /// own `options` come after them, and hold.
    ///
    /// # Errors
    /// [`StoreError`]: permanent when the tables are missing, older or newer than this release,
    /// when the server refuses the user, and outside of a runtime; transient when the server cannot
    /// be reached.
    pub async fn connect<T>(self, config: Config, tls: T) -> Result<PostgresStore, StoreError>
    where
        T: MakeTlsConnect<Socket> + Clone + Sync + Send + 'static,
        T::Stream: Sync + Send,
        T::TlsConnect: Sync + Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let own = self.pool(plans::with_settings(&config), tls.clone())?;
        if plans::reach(&own).await? {
            let prepared = self.prepared.unwrap_or(true);
            return PostgresStore::open(own, Self { prepared: Some(prepared), ..self }).await;
        }
        let pool = self.pool(config, tls)?;
        self.from_pool(pool).await
    }

    /// As [`connect`](Self::connect), with a pool that the host made.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn from_pool(self, pool: Pool) -> Result<PostgresStore, StoreError> {
        PostgresStore::open(pool, self).await
    }

    /// Creates the tables, or brings those of an older release up to date. Several processes may
    /// call it at once.
    ///
    /// # Errors
    /// [`StoreError`]: permanent when the tables are of a newer release or in another number of
    /// slices than [asked](Self::partitions) for, or the user may not create tables; transient when
    /// the server cannot be reached.
    pub async fn migrate<T>(self, config: Config, tls: T) -> Result<(), StoreError>
    where
        T: MakeTlsConnect<Socket> + Clone + Sync + Send + 'static,
        T::Stream: Sync + Send,
        T::TlsConnect: Sync + Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let pool = Self { pool_size: 1, ..self.clone() }.pool(config, tls)?;
        migrate::run(&pool, &self).await
    }

    fn pool<T>(&self, mut config: Config, tls: T) -> Result<Pool, StoreError>
    where
        T: MakeTlsConnect<Socket> + Clone + Sync + Send + 'static,
        T::Stream: Sync + Send,
        T::TlsConnect: Sync + Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let shorter =
            config.get_connect_timeout().map_or(self.connect_timeout, |own| self.connect_timeout.min(*own));
        config.connect_timeout(shorter);
        if config.get_application_name().is_none() {
            config.application_name("chatflow");
        }
        let manager =
            Manager::from_config(config, tls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
        Pool::builder(manager)
            .max_size(self.pool_size)
            .build()
            .map_err(|error| Fault::permanent(error).into_error(AccessKind::Connect, "connect"))
    }
}
