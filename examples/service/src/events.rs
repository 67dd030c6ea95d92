//! Events of this process, handed on to those who watch: an observer of the engine, and the
//! source of server-sent events.

use std::sync::Arc;

use chatflow::{Event, Observer};
use tokio::sync::broadcast;

/// Events that a slow watcher may be behind; then it is told that it missed some.
const BEHIND: usize = 1_024;

/// Hands each event to all who listen.
#[derive(Debug)]
pub struct Hub(broadcast::Sender<Arc<Event>>);

impl Hub {
    /// Nobody listens yet.
    #[must_use]
    pub fn new() -> Self {
        Self(broadcast::channel(BEHIND).0)
    }

    /// Listens from now on.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<Arc<Event>> {
        self.0.subscribe()
    }
}

impl Default for Hub {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for Hub {
    fn observe(&self, event: &Event) {
        if self.0.receiver_count() > 0 {
            // Nobody listening any more is no failure.
            let _ = self.0.send(Arc::new(event.clone()));
        }
    }
}
