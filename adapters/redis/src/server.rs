//! The server: one connection for all calls, and what is asked of it.

use chatflow::error::StoreError;
use redis::aio::ConnectionManager;
use redis::{Cmd, FromRedisValue, Value};
use tokio::runtime::Handle;

use crate::errors::{AccessKind, Failure, into_error};
use crate::options::Durability;
use crate::scripts::Script;

/// The form of the keys that this release writes.
const FORMAT: u32 = 1;

pub(super) struct Server {
    connection: ConnectionManager,
    runtime: Handle,
    root: String,
}

impl Server {
    pub(super) fn new(connection: ConnectionManager, runtime: Handle, prefix: &str) -> Self {
        Self { connection, runtime, root: format!("{{{prefix}}}") }
    }

    /// The beginning of all keys.
    pub(super) fn root(&self) -> &str {
        &self.root
    }

    /// Runs a script that is sent by its hash; a server that does not know it is told it once.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        script: &'static Script,
        args: Vec<Vec<u8>>,
    ) -> Result<T, StoreError> {
        let by_hash = script.call("EVALSHA", script.hash(), &self.root, &args);
        let answer = match self.send(by_hash).await {
            Err(error) if error.code() == Some("NOSCRIPT") => {
                self.send(script.call("EVAL", script.text(), &self.root, &args)).await
            }
            answer => answer,
        };
        read(answer, script.kind, script.what)
    }

    /// Runs a command that changes nothing.
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        what: &'static str,
        command: Cmd,
    ) -> Result<T, StoreError> {
        read(self.send(command).await, AccessKind::Read, what)
    }

    /// Sends in the runtime that the store was connected in, from any executor; the answer is
    /// waited for there, also if the caller is not interested any more.
    async fn send(&self, command: Cmd) -> Result<Value, redis::RedisError> {
        let mut connection = self.connection.clone();
        let answer = self.runtime.spawn(async move { connection.send_packed_command(&command).await });
        match answer.await {
            Ok(answer) => answer?.extract_error(),
            Err(_) => Err(std::io::Error::other("the store's runtime has ended").into()),
        }
    }
}

fn read<T: FromRedisValue>(
    answer: Result<Value, redis::RedisError>,
    kind: AccessKind,
    what: &'static str,
) -> Result<T, StoreError> {
    let value = answer.map_err(|error| into_error(error, kind, what))?;
    T::from_redis_value(value).map_err(|error| StoreError::permanent(Failure::new(what, error)))
}

/// Refuses a server that keeps less than is asked for, and data of a newer release.
pub(super) async fn look_at(server: &Server, least: Durability) -> Result<(), StoreError> {
    if let Some(kept) = durability_of(server).await?
        && kept < least
    {
        let rule = "the server is to keep an append-only file (`appendonly yes`, for `Always` with \
                    `appendfsync always`) and to evict nothing (`maxmemory-policy noeviction`)";
        return Err(StoreError::permanent(format!(
            "durability: {least:?} is asked for, {kept:?} is there: {rule}"
        )));
    }
    let mut command = redis::cmd("HSETNX");
    command.arg(server.root()).arg("format").arg(FORMAT);
    let _: i64 = server.ask("look at the data's format", command).await?;
    let mut command = redis::cmd("HGET");
    command.arg(server.root()).arg("format");
    let found: u32 = server.ask("look at the data's format", command).await?;
    if found > FORMAT {
        let text = format!("the data has format {found}, this release knows up to {FORMAT}: update it first");
        return Err(StoreError::permanent(text));
    }
    Ok(())
}

/// None: the server does not say.
async fn durability_of(server: &Server) -> Result<Option<Durability>, StoreError> {
    let mut command = redis::cmd("CONFIG");
    command.arg("GET").arg("append*").arg("maxmemory*");
    let settings: Vec<(String, String)> = match server.send(command).await {
        Ok(value) => match redis::from_redis_value(value) {
            Ok(settings) => settings,
            Err(_) => return Ok(None),
        },
        Err(error) if matches!(error.kind(), redis::ErrorKind::Server(_) | redis::ErrorKind::Extension) => {
            return Ok(None);
        }
        Err(error) => return Err(into_error(error, AccessKind::Read, "look at the server's settings")),
    };
    let is = |name: &str, value: &str| settings.iter().any(|(key, found)| key == name && found == value);
    let may_evict =
        settings.iter().any(|(key, policy)| key == "maxmemory-policy" && policy.starts_with("allkeys"));
    Ok(Some(if is("appendonly", "no") || may_evict && !is("maxmemory", "0") {
        Durability::Memory
    } else if is("appendfsync", "always") {
        Durability::Always
    } else {
        Durability::Seconds
    }))
}
