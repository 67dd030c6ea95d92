//! The state that all handlers share: the engine, the tokens, the pace, the events.

use std::sync::Arc;
use std::time::Duration;

use chatflow::Engine;
use chatflow::observer::{MetricsObserver, TracingObserver};
use chatflow::store::DynStore;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::watch;

use crate::calls::HostCalls;
use crate::channels::Channels;
use crate::channels::console::Console;
use crate::config::Config;
use crate::database::Database;
use crate::events::Hub;
use crate::rate::Rate;
use crate::tokens::Tokens;
use crate::worker::Kick;

/// The engine of this service.
pub type Bot = Engine<DynStore>;

/// The state of a process.
pub struct App {
    /// The settings.
    pub config: Config,
    /// The engine, in its default workspace: handlers use that of the caller's.
    pub bot: Bot,
    /// The database.
    pub database: Database,
    /// The tokens that open a workspace.
    pub tokens: Tokens,
    /// The pace of each token.
    pub rate: Rate,
    /// Events, as they happen.
    pub hub: Arc<Hub>,
    /// Messages that no channel took, shown instead.
    pub console: Arc<Console>,
    /// Answers to what flows ask; the model drafts, too.
    pub calls: Arc<HostCalls>,
    /// Wakes the workers after a commit.
    pub kick: Kick,
    /// The measures of this process.
    pub metrics: PrometheusHandle,
    /// True once the process was told to end.
    pub stopping: watch::Receiver<bool>,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl App {
    /// Opens the database and builds the engine.
    ///
    /// # Errors
    /// The part that cannot be opened or is set wrongly.
    pub async fn open(
        config: Config,
        metrics: PrometheusHandle,
        stopping: watch::Receiver<bool>,
    ) -> Result<Arc<Self>, Failure> {
        let database = Database::open(&config.database_url).await?;
        let (hub, console) = (Arc::new(Hub::new()), Arc::new(Console::new()));
        let calls = Arc::new(HostCalls::new(&config.calls)?);
        let channels = Channels::new(&config.channels, &config.workspace, Arc::clone(&console))?;
        let mut engine = Engine::builder(database.store.clone())
            .transport(channels)
            .calls(Arc::clone(&calls))
            .observer(MetricsObserver::new())
            .observer(Arc::clone(&hub))
            .timer(tokio::time::sleep)
            // A process that ends waits for half of it at most, which is less than `SHUTDOWN_TIME`.
            .lease(Duration::from_secs(config.lease_seconds))
            .count_nodes(true)
            // Calls end with their commit, even if the caller hangs up; the workers send.
            .deferred_delivery()
            .on_error(|task, error| tracing::warn!(task = task.as_str(), %error, "background work failed"));
        if let Some(secret) = config.secret {
            engine = engine.observer(TracingObserver::new(secret)).erasure_key(secret);
        }
        Ok(Arc::new(Self {
            bot: engine.build(),
            tokens: Tokens::new(database.clone()),
            rate: Rate::per_minute(config.rate_per_minute),
            kick: Kick::default(),
            config,
            database,
            hub,
            console,
            calls,
            metrics,
            stopping,
        }))
    }

    /// The engine in the workspace that webhooks belong to.
    #[must_use]
    pub fn webhook_bot(&self) -> Bot {
        self.bot.in_workspace(&self.config.workspace)
    }
}

/// Longest sleep of the engine's loop.
pub const MAX_IDLE: Duration = Duration::from_millis(500);
