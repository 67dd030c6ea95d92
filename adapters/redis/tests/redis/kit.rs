//! Shared by the tests: the server from the environment, one runtime, and stores of a trial's own.

use std::future::Future;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use chatflow_redis::{RedisOptions, RedisStore, redis};
use libtest_mimic::Trial;
use tokio::runtime::Runtime;

/// The server's URL.
pub fn url() -> Option<String> {
    std::env::var("CHATFLOW_REDIS").ok()
}

pub fn client() -> redis::Client {
    redis::Client::open(url().unwrap()).unwrap()
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    RUNTIME.block_on(work)
}

/// A trial that is a future, run in the runtime.
pub fn trial<F: Future<Output = ()> + Send + 'static>(
    name: impl Into<String>,
    run: impl Fn() -> F + Send + 'static,
) -> Trial {
    Trial::test(name, move || {
        block_on(run());
        Ok(())
    })
}

/// Keys that nobody else uses, for one trial.
pub struct Keys(String);

impl Keys {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        Self(format!("test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    pub fn options(&self) -> RedisOptions {
        RedisStore::options().prefix(&self.0)
    }

    pub async fn store(&self) -> RedisStore {
        self.options().connect(client()).await.unwrap()
    }

    /// All keys there are.
    pub async fn names(&self) -> Vec<String> {
        let mut connection = client().get_multiplexed_async_connection().await.unwrap();
        let pattern = format!("{{{}}}*", self.0);
        redis::cmd("KEYS").arg(pattern).query_async(&mut connection).await.unwrap()
    }
}
