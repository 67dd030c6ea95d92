//! Work that no request waits for: messages are sent and calls are made after the commit, timers
//! go off, gauges are set.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::app::{App, MAX_IDLE};
use crate::heard;

/// Workers that are woken by commits, beside the loop that looks by itself.
const WORKERS: usize = 4;
/// Conversations that a woken worker takes at once.
const BATCH: usize = 32;
/// Time between two counts of the live sessions.
const GAUGES: Duration = Duration::from_secs(15);
/// Time between two looks at what is kept of messages to people.
const TIDY: Duration = Duration::from_secs(60 * 60);

/// Wakes a worker.
#[derive(Clone, Debug, Default)]
pub struct Kick(Arc<Notify>);

impl Kick {
    /// Says that there may be something to send.
    pub fn now(&self) {
        self.0.notify_one();
    }
}

/// Works until the process is told to end; then ends what was begun.
pub async fn work(app: Arc<App>) {
    let mut tasks = JoinSet::new();
    for _ in 0..WORKERS {
        tasks.spawn(on_kicks(Arc::clone(&app)));
    }
    tasks.spawn(count_live(Arc::clone(&app)));
    tasks.spawn(tidy(Arc::clone(&app)));
    let (bot, stopping) = (app.bot.clone(), app.stopping.clone());
    tasks.spawn(async move {
        bot.run_until(stopped(stopping), MAX_IDLE, tokio::time::sleep).await;
    });
    while tasks.join_next().await.is_some() {}
}

async fn on_kicks(app: Arc<App>) {
    loop {
        tokio::select! {
            // The end comes first, however much there is to do.
            biased;
            () = stopped(app.stopping.clone()) => return,
            () = app.kick.0.notified() => {}
        }
        match app.bot.tick_until(stopped(app.stopping.clone()), BATCH).await {
            // More may have come while this batch was worked.
            Ok(ticked) if ticked.worked > 0 => app.kick.now(),
            // A failure was told by the engine; the loop tries again.
            Ok(_) | Err(_) => {}
        }
    }
}

async fn count_live(app: Arc<App>) {
    let bot = app.webhook_bot();
    loop {
        if let Err(error) = bot.count_live().await {
            tracing::warn!(%error, "live sessions could not be counted");
        }
        app.metrics.run_upkeep();
        tokio::select! {
            () = tokio::time::sleep(GAUGES) => {}
            () = stopped(app.stopping.clone()) => return,
        }
    }
}

/// Forgets what is no longer to be kept, at once and then every hour.
async fn tidy(app: Arc<App>) {
    loop {
        tokio::select! {
            done = heard::tidy(&app) => if let Err(error) = done {
                tracing::warn!(code = error.code(), "messages to people were not looked after");
            },
            () = stopped(app.stopping.clone()) => return,
        }
        tokio::select! {
            () = tokio::time::sleep(TIDY) => {}
            () = stopped(app.stopping.clone()) => return,
        }
    }
}

/// Ends once the process is told to.
pub async fn stopped(mut stopping: watch::Receiver<bool>) {
    // An error means that the sender is gone.
    let _ = stopping.wait_for(|is_stopping| *is_stopping).await;
}
