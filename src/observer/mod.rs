//! The port through which a host watches: what happened, after it is committed
//! ([SEMANTICS E](crate::semantics#e)). Ids, never what people wrote, except what an author
//! makes a flow log.

mod event;
#[cfg(feature = "metrics")]
mod meters;
mod notice;
#[cfg(feature = "tracing")]
mod traces;

use std::sync::Arc;

use crate::error::Error;
use crate::id::{ContactId, WorkspaceId};

pub(crate) use event::PendingEvent;
pub use event::{Cause, ContentFault, Event, EventKind, Timings};
#[cfg(feature = "metrics")]
pub use meters::MetricsObserver;
#[cfg(feature = "metrics")]
pub(crate) use meters::{set_dead_letters, set_live, set_oldest};
#[cfg(feature = "tracing")]
pub use traces::TracingObserver;

/// All observers of an engine, in the order in which they were given.
#[derive(Default)]
pub(crate) struct Observers(Vec<Box<dyn Observer>>);

impl Observers {
    pub(crate) fn add(&mut self, observer: impl Observer + 'static) {
        self.0.push(Box::new(observer));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Observer for Observers {
    fn observe(&self, event: &Event) {
        self.0.iter().for_each(|observer| observer.observe(event));
    }

    fn contact_label(&self, workspace: &WorkspaceId, contact: &ContactId) -> Option<String> {
        self.0.iter().find_map(|observer| observer.contact_label(workspace, contact))
    }

    fn failed(&self, doing: BackgroundTask, error: &Error) {
        self.0.iter().for_each(|observer| observer.failed(doing, error));
    }
}

/// Receives events. An engine may have several: each gets every event, in the order in which
/// [`Builder::observer`](crate::Builder) was given them.
///
/// Contract:
/// 1. Events of one call come in order, after its commit, on the task that made it
///    ([SEMANTICS E1](crate::semantics#e1)). After a crash some may be missing.
/// 2. `observe` returns at once: it runs between the commit and the delivery.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use chatflow::observer::{BackgroundTask, EventKind};
/// use chatflow::{Engine, Error, Event, MemoryStore, Observer};
///
/// #[derive(Default)]
/// struct Ended(AtomicU64);
///
/// impl Observer for Ended {
///     fn observe(&self, event: &Event) {
///         if let EventKind::SessionEnded { session, status, .. } = &event.kind {
///             self.0.fetch_add(1, Ordering::Relaxed);
///             println!("{session} of {} ended: {}", event.contact, status.as_str());
///         }
///     }
///
///     fn failed(&self, task: BackgroundTask, error: &Error) {
///         eprintln!("{} failed and is tried again: {error}", task.as_str());
///     }
/// }
///
/// let bot = Engine::builder(MemoryStore::new()).observer(Ended::default()).build();
/// # let _ = bot;
/// ```
pub trait Observer: Send + Sync {
    /// Receives one event.
    fn observe(&self, event: &Event);

    /// Receives a failure in the background, where no caller gets the error: it is tried
    /// again by itself.
    fn failed(&self, doing: BackgroundTask, error: &Error) {
        let _ = (doing, error);
    }

    /// Names a contact in spans of `tracing`, by a hash under a secret of the host, such as that
    /// of `TracingObserver`, never as it is. By default spans do not name it.
    fn contact_label(&self, workspace: &WorkspaceId, contact: &ContactId) -> Option<String> {
        let _ = (workspace, contact);
        None
    }
}

/// A task that the engine does in the background, when no caller gets its error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BackgroundTask {
    /// It claimed what is due.
    Claim,
    /// It worked a conversation under its lease.
    Work,
    /// It settled what was delivered, or set a conversation aside.
    Settle,
    /// It looked for live sessions of terminated versions.
    Wake,
    /// It removed what is past its retention.
    Purge,
}

impl BackgroundTask {
    /// Returns its name, such as `claim`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Work => "work",
            Self::Settle => "settle",
            Self::Wake => "wake",
            Self::Purge => "purge",
        }
    }
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn observe(&self, event: &Event) {
        (**self).observe(event);
    }

    fn contact_label(&self, workspace: &WorkspaceId, contact: &ContactId) -> Option<String> {
        (**self).contact_label(workspace, contact)
    }

    fn failed(&self, doing: BackgroundTask, error: &Error) {
        (**self).failed(doing, error);
    }
}

impl<O: Observer + ?Sized> Observer for &O {
    fn observe(&self, event: &Event) {
        (**self).observe(event);
    }

    fn contact_label(&self, workspace: &WorkspaceId, contact: &ContactId) -> Option<String> {
        (**self).contact_label(workspace, contact)
    }

    fn failed(&self, doing: BackgroundTask, error: &Error) {
        (**self).failed(doing, error);
    }
}
