//! The only async code: load, decide, commit, deliver. What is decided is the kernel's; what is
//! stored, sent and asked goes through the ports.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

// Modules with methods of `Engine`, in the order of use, in which the documentation lists them:
// what every host calls, then people, then operators.
mod builder;

mod trigger;

mod receive;

mod tick;

mod resume;

mod campaign;

mod flows;

mod handoff;

mod contacts;

mod identity;

mod query;

mod results;

mod counts;

mod metrics;

mod stranded;

mod migrate;

mod erase;

#[cfg(feature = "metrics")]
mod gauges;

mod attempts;
mod catalogue;
mod crew;
mod deadline;
mod deliver;
mod entries;
mod hands;
mod outcome;
mod pacer;
mod queue;
mod rehearsal;
mod skew;
mod span;
mod transact;
mod upkeep;
mod work;
mod workspaces;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};

use crate::calls::DynCalls;
use crate::clock::{Clock, Ids};
use crate::error::Error;
use crate::id::{ContactId, InvalidName, WorkspaceId};
use crate::kernel::Policy;
use crate::limits::Limits;
use crate::observer::{BackgroundTask, Cause, Observer, Observers, PendingEvent};
use crate::store::{ConversationStore, DynFlowStore, Token};
use crate::transport::DynTransport;

pub use builder::Builder;
pub use campaign::{Campaign, Progress};
pub use counts::{CountTotals, FlowCounts};
pub use erase::{EraseOptions, Erased};
pub use flows::{Amendment, FlowSource, FlowStatus, Flows, Imported, Logging, Unpublish};
pub use handoff::HandoffOf;
pub use metrics::{JournalFilter, NodeCount, NodeError};
pub use migrate::{Migrated, MigrationTrial};
pub use outcome::{Cancelled, Completed, HandedBack, HandedOver, Reported, Ticked};
pub use query::{DeadLetterEntry, SessionFilter};
pub use rehearsal::Rehearsal;
pub use results::ResultRow;
pub use stranded::StrandedSession;

use catalogue::WorkspaceFlows;
use crew::AtWork;
use deadline::Timer;
use pacer::Pacer;
use queue::CallerQueues;
use skew::StoreClock;
use upkeep::Upkeep;
use workspaces::Catalogues;

type OnError = Box<dyn Fn(BackgroundTask, &Error) + Send + Sync>;

/// Runs flows on a store. Cheap to clone, and every clone is the same engine.
///
/// All methods may be called from any number of tasks and processes at once; what holds per contact
/// holds because the contact's record changes by compare-and-swap. There is no runtime inside: a
/// synchronous host blocks on the futures, with `pollster::block_on` or its like. An engine is
/// `Send` and `Sync`, and so is each future `Send`: a web server keeps one engine as its state, and
/// its handlers call it.
///
/// Each method names its errors. Beside them every method answers `InvalidInput` of `workspace` on
/// a handle that was made with a wrong name ([`in_workspace`](Self::in_workspace)), and whatever
/// reads a conversation answers [`NewerFormat`](Error::NewerFormat) to a record of a newer release,
/// and [`VersionMissing`](Error::VersionMissing) to one that needs a version of a flow which cannot
/// be used here ([SEMANTICS S14](crate::semantics#s14)), or [`ClockSkew`](Error::ClockSkew) where
/// nobody knows what time it is ([S20](crate::semantics#s20)); all but `cancel`, `erase`, `migrate`
/// and whatever only looks. After an error of `Store` of kind
/// [`Unknown`](crate::error::StoreErrorKind::Unknown) nobody knows whether a call took effect;
/// after any other it did not ([SEMANTICS D6](crate::semantics#d6)).
///
/// ```
/// use chatflow::{Engine, Error, MemoryStore, TriggerRequest, Triggered};
/// # use std::time::Duration;
///
/// type Bot = Engine<MemoryStore>;
///
/// /// A handler of any framework whose state is the engine.
/// async fn trigger(bot: Bot, phone: String, key: String) -> (u16, String) {
///     match bot.trigger(TriggerRequest::new("hello").phone(phone).uuid(key)).await {
///         Ok(Triggered::Started(session)) => (201, session.session_id.to_string()),
///         Ok(Triggered::AlreadyRunning(session)) => (200, session.session_id.to_string()),
///         Ok(Triggered::Discarded | Triggered::Refused(_)) => (200, "not now".to_owned()),
///         Err(error) => (error.http_status(), format!("{}: {error}", error.code())),
///     }
/// }
///
/// fn spawn(task: impl Future + Send + 'static) { /* such as `tokio::spawn` */ }
///
/// let bot: Bot = Engine::builder(MemoryStore::new()).build();
/// spawn(trigger(bot.clone(), "+14155550123".to_owned(), "event-1".to_owned()));
/// let ticker = bot.clone();
/// spawn(async move { ticker.run(Duration::from_secs(1), |_time| async { /* sleeps */ }).await });
/// ```
pub struct Engine<S> {
    store: Arc<S>,
    ports: Arc<Ports>,
    workspace: Result<WorkspaceId, InvalidName>,
    flows: Arc<WorkspaceFlows>,
    deferred: bool,
}

/// Everything that an engine owns beside its store.
struct Ports {
    transport: Box<dyn DynTransport>,
    calls: Box<dyn DynCalls>,
    flow_store: Arc<dyn DynFlowStore>,
    clock: Box<dyn Clock>,
    ids: Box<dyn Ids>,
    observers: Observers,
    limits: Limits,
    catalogues: Catalogues,
    options: EngineOptions,
    policy: Policy,
    /// The host's secret, under which addresses are hashed.
    erasure_key: Option<[u8; 16]>,
    upkeep: Upkeep,
    queues: CallerQueues,
    /// None: every message may leave at once.
    pacer: Option<Arc<Pacer>>,
    timer: Option<Box<dyn Timer>>,
    on_error: Option<OnError>,
    at_work: AtWork,
    store_clock: StoreClock,
    /// When conversations whose last lease ended unsettled were asked for, or known not to be
    /// there, in milliseconds.
    suspects_at: AtomicI64,
}

/// A host's choices about the work of an engine.
#[derive(Clone, Copy, Debug)]
struct EngineOptions {
    lease: Duration,
    max_skew: Duration,
    width: usize,
    inline_calls: bool,
    journal_retention: Duration,
    /// True if nodes and sessions are counted, in stores that keep counters (SEMANTICS Q9).
    counts_nodes: bool,
    count_retention: Duration,
}

impl<S> Clone for Engine<S> {
    fn clone(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            ports: Arc::clone(&self.ports),
            workspace: self.workspace.clone(),
            flows: Arc::clone(&self.flows),
            deferred: self.deferred,
        }
    }
}

impl<S> fmt::Debug for Engine<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("workspace", &self.workspace).finish_non_exhaustive()
    }
}

impl<S> Engine<S> {
    /// The same engine for another tenant. A name that breaks the rules of ids is answered by each
    /// call as `InvalidInput` of `workspace`.
    #[must_use]
    pub fn in_workspace(&self, workspace: impl AsRef<str>) -> Self {
        let workspace = WorkspaceId::new(workspace);
        let flows = self.ports.catalogues.of(workspace.as_ref().unwrap_or(&WorkspaceId::default()));
        Self { workspace, flows, ..self.clone() }
    }

    /// Returns the same engine on another store, such as one that writes inside the host's own
    /// transaction. Delivery is left to [`Engine::tick`] of the engine proper, since nothing may be
    /// sent before the host's commit.
    #[must_use]
    pub fn on<T: ConversationStore>(&self, store: T) -> Engine<T> {
        Engine {
            store: Arc::new(store),
            ports: Arc::clone(&self.ports),
            workspace: self.workspace.clone(),
            flows: Arc::clone(&self.flows),
            deferred: true,
        }
    }

    /// Returns the store.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Returns the workspace that this handle works in.
    ///
    /// # Errors
    /// `InvalidInput` of `workspace` when the handle was made with a name that breaks the rules of
    /// ids.
    pub fn workspace(&self) -> Result<&WorkspaceId, Error> {
        self.workspace.as_ref().map_err(|rule| Error::invalid("workspace", rule))
    }

    /// Returns the time of the engine's own clock, to the millisecond.
    fn clock_now(&self) -> DateTime<Utc> {
        let now = self.ports.clock.now();
        if now.timestamp_subsec_nanos().is_multiple_of(1_000_000) { now } else { now.trunc_subsecs(3) }
    }

    fn token(&self, now: DateTime<Utc>) -> Token {
        Token(self.ports.ids.mint(now))
    }

    /// True if anybody watches.
    fn is_observed(&self) -> bool {
        !self.ports.observers.is_empty()
    }

    /// The name of a contact in the log, as an observer hashes it.
    #[cfg(feature = "tracing")]
    fn contact_label(&self, workspace: &WorkspaceId, contact: &ContactId) -> Option<String> {
        self.ports.observers.contact_label(workspace, contact)
    }

    /// Begins to measure, if anybody watches.
    fn stopwatch(&self) -> Option<Duration> {
        self.is_observed().then(|| self.ports.clock.elapsed())
    }

    /// The time since this was begun.
    fn lap(&self, begun: Option<Duration>) -> Option<Duration> {
        begun.map(|begun| self.ports.clock.elapsed().saturating_sub(begun))
    }

    /// Tells one event, of now; it is made only if somebody watches.
    fn tell_one(
        &self,
        workspace: &WorkspaceId,
        contact: &ContactId,
        cause: Cause,
        note: impl FnOnce(DateTime<Utc>) -> PendingEvent,
    ) {
        if self.is_observed() {
            self.tell(workspace, contact, cause, [note(self.now())]);
        }
    }

    fn tell(
        &self,
        workspace: &WorkspaceId,
        contact: &ContactId,
        cause: Cause,
        events: impl IntoIterator<Item = PendingEvent>,
    ) {
        for noted in events {
            self.ports.observers.observe(&noted.event(workspace, contact, cause));
        }
    }
}
