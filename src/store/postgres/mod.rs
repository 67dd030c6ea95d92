//! Conversations and flows in PostgreSQL, shared by any number of processes.

mod columns;
mod commit;
mod due;
mod errors;
mod flows;
mod inner;
mod lane;
mod link;
mod load;
mod migrate;
mod options;
mod ports;
mod queries;
mod schema;
mod settle;
mod shard;
mod statements;
mod tx;
mod upkeep;
mod write;

use std::fmt;
use std::sync::Arc;

use deadpool_postgres::Pool;
use tokio::runtime::Handle;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Config, Socket, Transaction};

use crate::error::StoreError;
use crate::store::postgres::errors::{Doing, Fault};
use crate::store::postgres::inner::Inner;
use crate::store::postgres::link::Link;

pub use options::PostgresOptions;
pub use tx::PostgresTx;

/// Conversations and flows in PostgreSQL, shared by any number of processes.
#[derive(Clone)]
pub struct PostgresStore {
    inner: Arc<Inner>,
}

impl PostgresStore {
    /// How a store is connected, to be changed before it is.
    #[must_use]
    pub fn options() -> PostgresOptions {
        PostgresOptions::default()
    }

    /// Connects to a database that was [migrated](Self::migrate), as [`PostgresOptions::connect`] does.
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

    /// Creates the tables, or brings those of an older release up to date, as [`PostgresOptions::migrate`] does.
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

    /// The store inside a transaction of the host's, on the same database: for
    /// [`Engine::on`](crate::Engine::on).
    #[must_use]
    pub fn in_tx<'t>(&self, transaction: &'t Transaction<'_>) -> PostgresTx<'t> {
        PostgresTx::new(transaction.client(), Arc::clone(&self.inner))
    }

    async fn open(pool: Pool, options: PostgresOptions) -> Result<Self, StoreError> {
        let runtime = Handle::try_current()
            .map_err(|error| Fault::permanent(error).into_error(Doing::Connect, "connect"))?;
        let unchecked = Inner::new(pool, runtime, options, 1);
        let slices = unchecked.until_done(Doing::Read, "connect", checked).await?;
        Ok(Self { inner: Arc::new(unchecked.in_slices(slices)) })
    }
}

fn checked(link: Link<'_>) -> inner::Work<'_, u16> {
    Box::pin(async move { migrate::check(&link).await })
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("slices", &self.inner.slices).finish_non_exhaustive()
    }
}
