//! Settings of a store, and what they ask of the server.

use std::sync::Arc;
use std::time::Duration;

use chatflow::error::StoreError;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use tokio::runtime::Handle;

use crate::RedisStore;
use crate::errors::{AccessKind, into_error};
use crate::server::{Server, look_at};

/// The faults that an acknowledged turn survives, by the server's append-only file; the later, the
/// more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Durability {
    /// Nothing: it is in the server's memory alone, or may be evicted from there.
    Memory,
    /// The end of the server or of its power, but for the last seconds (`appendfsync everysec`;
    /// with `no` it is as many as the system likes). Redis answers before it has written its file
    /// while an earlier sync takes long, so that its process alone takes them with it, too.
    Seconds,
    /// The end of the server and of its power (`appendfsync always`).
    Always,
}

/// Settings of a [`RedisStore`].
#[derive(Clone, Debug)]
#[must_use]
pub struct RedisOptions {
    pub(super) prefix: String,
    pub(super) durability: Durability,
    pub(super) answer_within: Duration,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self {
            prefix: "chatflow".to_owned(),
            durability: Durability::Always,
            answer_within: Duration::from_secs(10),
        }
    }
}

impl RedisOptions {
    /// The text that all keys begin with, in braces: `chatflow` unless set. Stores with different
    /// prefixes share nothing. 1 to 100 bytes, without braces and control characters.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The least that an acknowledged turn is to survive: [`Durability::Always`] unless set.
    pub fn durability(mut self, least: Durability) -> Self {
        self.durability = least;
        self
    }

    /// The time that an answer of the server is waited for: 10 s unless set, at least 1 ms.
    pub fn answer_within(mut self, limit: Duration) -> Self {
        self.answer_within = limit.max(Duration::from_millis(1));
        self
    }

    /// Connects, and looks at what the server keeps.
    ///
    /// # Errors
    /// Permanent: called outside of a Tokio runtime, a prefix that breaks its rule, a server that
    /// keeps less than [`durability`](Self::durability) asks for, or data of a newer release.
    /// Transient: no connection.
    pub async fn connect(self, client: redis::Client) -> Result<RedisStore, StoreError> {
        let runtime = Handle::try_current()
            .map_err(|_| StoreError::permanent("connect: it needs a Tokio runtime with time and I/O"))?;
        self.check_prefix()?;
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_millis(200))
            .set_connection_timeout(Some(self.answer_within))
            .set_response_timeout(Some(self.answer_within));
        let connection = ConnectionManager::new_with_config(client, config).await;
        let connection = connection.map_err(|error| into_error(error, AccessKind::Read, "connect"))?;
        let server = Server::new(connection, runtime, &self.prefix);
        look_at(&server, self.durability).await?;
        Ok(RedisStore { server: Arc::new(server) })
    }

    fn check_prefix(&self) -> Result<(), StoreError> {
        let is_wrong = |letter: char| letter.is_control() || letter == '{' || letter == '}';
        let rule = match self.prefix.len() {
            1..=100 if !self.prefix.contains(is_wrong) => return Ok(()),
            1..=100 => "must have no braces and no control characters",
            _ => "must have 1 to 100 bytes",
        };
        Err(StoreError::permanent(format!("prefix: {rule}")))
    }
}
