//! The server's plans for the statements of this store, and whether it may keep them.

use std::fmt;
use std::sync::Arc;

use chatflow::error::StoreError;
use deadpool_postgres::{Pool, PoolError};
use tokio_postgres::Config;

use crate::errors::{AccessKind, Fault};

/// Settings of each connection. Every frequent statement reads single rows by an index, whatever
/// the tables hold: a planner that goes by what it knows of them reads them from end to end while
/// they are new, or were never analysed. With arrays as parameters it would plan a prepared
/// statement anew each time. The first is no setting of the server's: it tells that they all
/// arrived.
const SETTINGS: &str = "-c chatflow.settings=own -c plan_cache_mode=force_generic_plan -c enable_hashjoin=off \
    -c enable_mergejoin=off -c enable_material=off -c enable_seqscan=off -c jit=off";
const HAVE_ARRIVED: &str = "SELECT coalesce(current_setting('chatflow.settings', true) = 'own', false)";

/// Something about the server that an operator should hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerEvent {
    /// A statement that was prepared is not there, or is another's: there is a pooler on the way
    /// that does not know prepared statements, such as PgBouncer before 1.21 in transaction mode.
    /// From now on this store prepares none. Nothing is lost; say so in
    /// [`PostgresOptions::prepared_statements`](crate::PostgresOptions::prepared_statements).
    NotPrepared,
}

/// The listener for [`ServerEvent`]s.
#[derive(Clone, Default)]
pub(super) struct Listener(Option<Arc<dyn Fn(ServerEvent) + Send + Sync>>);

impl Listener {
    pub(super) fn new(listen: impl Fn(ServerEvent) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listen)))
    }

    pub(super) fn tell(&self, event: ServerEvent) {
        if let Some(listen) = &self.0 {
            listen(event);
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "listens" } else { "nobody listens" })
    }
}

/// The same configuration with the settings of this store. The host's own hold where both say
/// something.
pub(super) fn with_settings(config: &Config) -> Config {
    let mut config = config.clone();
    let options = match config.get_options() {
        Some(own) => format!("{SETTINGS} {own}"),
        None => SETTINGS.to_owned(),
    };
    config.options(options);
    config
}

/// True if the settings reach the server that does the work. A pooler in transaction mode refuses
/// them, or takes no notice of them; then connections are shared, and nothing may be kept there.
///
/// # Errors
/// The server cannot be reached.
pub(super) async fn reach(pool: &Pool) -> Result<bool, StoreError> {
    let client = match pool.get().await {
        Ok(client) => client,
        Err(PoolError::Backend(error)) if error.as_db_error().is_some() => return Ok(false),
        Err(error) => return Err(Fault::of_pool(error).into_error(AccessKind::Connect, "connect")),
    };
    let rows = client.query_typed(HAVE_ARRIVED, &[]).await;
    Ok(rows.ok().and_then(|rows| rows.first()?.try_get(0).ok()).unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The server takes the last of two.
    #[test]
    fn settings_of_the_host_come_last() {
        let mut config = Config::new();
        assert_eq!(with_settings(&config).get_options(), Some(SETTINGS));
        config.options("-c jit=on");
        let all = with_settings(&config).get_options().map(str::to_owned);
        assert_eq!(all, Some(format!("{SETTINGS} -c jit=on")));
    }
}
