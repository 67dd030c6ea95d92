//! The only async code: load, decide, commit, deliver. What is decided is the kernel's; what is
//! stored, sent and asked goes through the ports.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod attempts;
mod campaign;
mod catalogue;
mod contacts;
mod counts;
mod deadline;
mod deliver;
mod entries;
mod erase;
mod flows;
#[cfg(feature = "metrics")]
mod gauges;
mod handoff;
mod hands;
mod identity;
mod metrics;
mod migrate;
mod outcome;
mod pacer;
mod query;
mod queue;
mod receive;
mod rehearsal;
mod results;
mod resume;
mod skew;
mod span;
mod stranded;
mod tick;
mod transact;
mod trigger;
mod upkeep;
mod work;
mod workspaces;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};

use crate::address::Account;
use crate::calls::{Calls, DynCalls, NoCalls};
use crate::channel::Channel;
use crate::clock::{Clock, Ids, RandomIds, SystemClock};
use crate::error::Error;
use crate::flow::Keywords;
use crate::id::{BadName, ContactId, WorkspaceId};
use crate::kernel::Policy;
use crate::limits::Limits;
use crate::observer::{BackgroundTask, Cause, Noted, Observer, Observers};
use crate::pace::Pace;
use crate::store::{ConversationStore, DynFlowStore, FlowStore, NoFlows, SharedFlows, Token};
use crate::transport::{DynTransport, NoTransport, Transport};

pub use campaign::{Campaign, Progress};
pub use counts::{CountTotals, FlowCounts};
pub use erase::{EraseOptions, Erased};
pub use flows::{FlowSource, FlowStatus, Flows, Imported, Logging, Unpublish};
pub use handoff::HandoffOf;
pub use metrics::{JournalFilter, NodeCount, NodeError};
pub use migrate::{Migrated, MigrationTrial};
pub use outcome::{Cancelled, Completed, HandedBack, HandedOver, Reported, Ticked};
pub use query::{DeadLetterEntry, SessionFilter};
pub use rehearsal::Rehearsal;
pub use results::ResultRow;
pub use stranded::StrandedSession;

use catalogue::WorkspaceFlows;
use deadline::{Sleeper, Timer};
use pacer::{Pacer, Paces};
use queue::CallerQueues;
use skew::StoreClock;
use tick::AtWork;
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
    workspace: Result<WorkspaceId, BadName>,
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

/// Less than this two clocks may always differ: networks and disks take their time.
const SHORTEST_SKEW: Duration = Duration::from_secs(1);

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

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(60),
            max_skew: Duration::from_secs(5 * 60),
            width: 32,
            inline_calls: false,
            journal_retention: 30 * DAY,
            counts_nodes: false,
            count_retention: 30 * DAY,
        }
    }
}

/// The choices that decide, unless the host makes others.
fn default_policy() -> Policy {
    Policy {
        keywords: Keywords::default(),
        key_retention: DAY,
        session_retention: 90 * DAY,
        give_up_after: DAY,
        refuse_unknown_contacts: false,
        is_paced: false,
    }
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

/// Puts an engine together. Each port has a default, so that the smallest host gives a store and a
/// transport.
#[must_use]
pub struct Builder<S> {
    store: S,
    transport: Box<dyn DynTransport>,
    calls: Box<dyn DynCalls>,
    flow_store: SharedFlows,
    clock: Box<dyn Clock>,
    ids: Box<dyn Ids>,
    observers: Observers,
    limits: Limits,
    options: EngineOptions,
    policy: Policy,
    erasure_key: Option<[u8; 16]>,
    cached_workspaces: usize,
    paces: Paces,
    timer: Option<Box<dyn Timer>>,
    on_error: Option<OnError>,
    deferred: bool,
}

impl<S> fmt::Debug for Builder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl<S: ConversationStore> Engine<S> {
    /// Begins an engine on this store.
    pub fn builder(store: S) -> Builder<S> {
        let flow_store = store.flow_store().unwrap_or_else(|| SharedFlows::new(NoFlows));
        Builder {
            store,
            transport: Box::new(NoTransport),
            calls: Box::new(NoCalls),
            flow_store,
            clock: Box::new(SystemClock),
            ids: Box::new(RandomIds::new()),
            observers: Observers::default(),
            limits: Limits::default(),
            options: EngineOptions::default(),
            policy: default_policy(),
            erasure_key: None,
            cached_workspaces: 1_024,
            paces: Paces::default(),
            timer: None,
            on_error: None,
            deferred: false,
        }
    }
}

impl<S> Builder<S> {
    /// Where messages leave. Without one every message is refused and becomes a dead letter.
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.transport = Box::new(transport);
        self
    }

    /// Sets the implementation that answers host calls. Without one every call fails.
    pub fn calls(mut self, calls: impl Calls + 'static) -> Self {
        self.calls = Box::new(calls);
        self
    }

    /// Where definitions are kept, if not beside the conversations
    /// ([`ConversationStore::flow_store`]). A store that keeps none needs it: without it every call
    /// that needs a flow answers a permanent error of `Store`.
    ///
    /// With `MemoryFlows` they are in this process: import them at each start. Versions count from
    /// 1 there, so a session of an earlier process continues only while the same number has the
    /// same content ([SEMANTICS S13](crate::semantics#s13)).
    pub fn flow_store(mut self, flows: impl FlowStore + 'static) -> Self {
        self.flow_store = SharedFlows::new(flows);
        self
    }

    /// Where time is read; the system's clock by default.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Where ids come from; random UUIDs by default.
    pub fn ids(mut self, ids: impl Ids + 'static) -> Self {
        self.ids = Box::new(ids);
        self
    }

    /// Adds an observer. Each of them gets every event, in the order of these calls
    /// ([SEMANTICS E1](crate::semantics#e1)).
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observers.add(observer);
        self
    }

    /// Other maxima.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Leaves delivery to [`Engine::tick`]: `trigger` and `receive` end with their commit.
    pub fn deferred_delivery(mut self) -> Self {
        self.deferred = true;
        self
    }

    /// Makes host calls inside `trigger` and `receive` too, not only in [`Engine::tick`]
    /// ([SEMANTICS D2](crate::semantics#d2)).
    pub fn inline_calls(mut self) -> Self {
        self.options.inline_calls = true;
        self
    }

    /// Answers `ContactNotFound` to a `contact_id` that is unknown, instead of creating the contact
    /// ([SEMANTICS T2](crate::semantics#t2)).
    pub fn refuse_unknown_contacts(mut self) -> Self {
        self.policy.refuse_unknown_contacts = true;
        self
    }

    /// Words that mean something in every conversation of every workspace, instead of `stop` and
    /// `start` ([SEMANTICS I6](crate::semantics#i6)). Give every process the same: they are not
    /// stored.
    pub fn keywords(mut self, keywords: Keywords) -> Self {
        self.policy.keywords = keywords;
        self
    }

    /// Sets the number of conversations that one [`tick`](Engine::tick) or [`run`](Engine::run)
    /// works at once, 32 by default, at least 1 ([SEMANTICS S15](crate::semantics#s15)).
    pub fn width(mut self, width: usize) -> Self {
        self.options.width = width.max(1);
        self
    }

    /// Tells the engine when a time has passed, such as by `tokio::time::sleep`: each send and each
    /// call is bounded by it ([SEMANTICS D5](crate::semantics#d5)). [`run`](Engine::run) brings a
    /// timer of its own.
    pub fn timer<F, R>(mut self, sleep: F) -> Self
    where
        F: Fn(Duration) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.timer = Some(Box::new(Sleeper::new(sleep)));
        self
    }

    /// Is called with each failure in the background, where no caller gets the error, such as a
    /// dead database under [`run`](Engine::run). It returns at once.
    pub fn on_error(mut self, told: impl Fn(BackgroundTask, &Error) + Send + Sync + 'static) -> Self {
        self.on_error = Some(Box::new(told));
        self
    }

    /// Sets the speed at which messages leave from each account that has no pace of its own, by
    /// itself ([`pace_account`](Self::pace_account)) or by its channel
    /// ([`pace_channel`](Self::pace_channel)); without a limit by default
    /// ([SEMANTICS D7](crate::semantics#d7)).
    ///
    /// A message that would be too fast stays in the outbox, and is due when its turn comes:
    /// `trigger`, `receive` and `complete` return without waiting, and [`tick`](Engine::tick) or
    /// [`run`](Engine::run) sends it. Tokens are counted in this engine alone: of `n` processes
    /// each has the whole rate, so give each an `n`th of it. The burst should cover what comes due
    /// between two ticks.
    ///
    /// # Errors
    /// `InvalidInput` of `pace.per_account` or `pace.per_contact`: a [`Rate`](crate::pace::Rate) is
    /// out of bounds.
    ///
    /// ```
    /// use chatflow::pace::{Pace, Rate};
    /// use chatflow::{Channel, Engine, MemoryStore};
    /// use std::time::Duration;
    ///
    /// # fn main() -> Result<(), chatflow::Error> {
    /// let bot = Engine::builder(MemoryStore::new())
    ///     .pace(Pace { per_account: Some(Rate::per_second(10)), ..Pace::default() })?
    ///     .pace_channel(
    ///         Channel::WhatsApp,
    ///         Pace {
    ///             per_account: Some(Rate::per_second(80).burst(160)),
    ///             per_contact: Some(Rate::every(Duration::from_secs(6)).burst(45)),
    ///         },
    ///     )?
    ///     .build();
    /// # let _ = bot;
    /// # Ok(())
    /// # }
    /// ```
    pub fn pace(mut self, pace: Pace) -> Result<Self, Error> {
        self.paces.all = pace.checked()?;
        Ok(self)
    }

    /// Sets the speed at which messages leave from each account of a channel, instead of
    /// [`pace`](Self::pace).
    ///
    /// # Errors
    /// As [`pace`](Self::pace).
    pub fn pace_channel(mut self, channel: Channel, pace: Pace) -> Result<Self, Error> {
        self.paces.channels.insert(channel, pace.checked()?);
        Ok(self)
    }

    /// Sets the speed at which messages leave from one account, instead of [`pace`](Self::pace) and
    /// [`pace_channel`](Self::pace_channel).
    ///
    /// # Errors
    /// As [`pace`](Self::pace).
    pub fn pace_account(mut self, account: Account, pace: Pace) -> Result<Self, Error> {
        self.paces.accounts.insert(account, pace.checked()?);
        Ok(self)
    }

    /// Sets the time that one deliverer has a conversation for itself, 60 s by default: bound each
    /// send well below it.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.options.lease = lease;
        self
    }

    /// Sets the maximum difference between the engine's clock and the store's, where a store tells
    /// its own (`PostgresStore` does): 5 min by default, at least 1 s. Beyond it nothing is done
    /// that time alone causes, and ticks answer [`ClockSkew`](Error::ClockSkew)
    /// ([SEMANTICS S20](crate::semantics#s20)).
    pub fn max_skew(mut self, time: Duration) -> Self {
        self.options.max_skew = time.max(SHORTEST_SKEW);
        self
    }

    /// Sets the time for which a message is tried, 24 h by default
    /// ([SEMANTICS D1](crate::semantics#d1)).
    pub fn give_up_after(mut self, time: Duration) -> Self {
        self.policy.give_up_after = time;
        self
    }

    /// Sets the time for which trigger keys are honoured, 24 h by default, at most 30 d
    /// ([SEMANTICS T5](crate::semantics#t5)).
    pub fn key_retention(mut self, time: Duration) -> Self {
        self.policy.key_retention = time;
        self
    }

    /// Sets the time for which ended sessions are kept, 90 d by default
    /// ([SEMANTICS S12](crate::semantics#s12)).
    pub fn session_retention(mut self, time: Duration) -> Self {
        self.policy.session_retention = time;
        self
    }

    /// A secret of 16 random bytes, the same in every process and forever: with it erasing a
    /// contact can keep its opt-out as a hash of its addresses ([`EraseOptions::keep_opt_out`]),
    /// and each address that is new is looked up among those.
    pub fn erasure_key(mut self, secret: [u8; 16]) -> Self {
        self.erasure_key = Some(secret);
        self
    }

    /// Sets the time for which the journal is kept, 30 d by default
    /// ([SEMANTICS S12](crate::semantics#s12)).
    pub fn journal_retention(mut self, time: Duration) -> Self {
        self.options.journal_retention = time;
        self
    }

    /// Counts, if true, how often each node is come to, and how sessions start and end, in the
    /// commit of the turn that did it: [`Engine::counts`] reads it, without a journal
    /// ([SEMANTICS Q9](crate::semantics#q9)). Off by default. Each process counts what it does
    /// itself, so give all of them the same.
    ///
    /// Needs a store that [keeps counters](ConversationStore::keeps_counts); with another one
    /// nothing is counted, and [`Engine::counts`] answers a permanent error of `Store`.
    pub fn count_nodes(mut self, counts: bool) -> Self {
        self.options.counts_nodes = counts;
        self
    }

    /// Sets the time for which counters are kept, 30 d by default
    /// ([SEMANTICS Q9](crate::semantics#q9)).
    pub fn count_retention(mut self, time: Duration) -> Self {
        self.options.count_retention = time;
        self
    }

    /// Of how many workspaces the flows are kept compiled in this process, 1,024 by default: those
    /// that were asked for last, beside those that an [`Engine`] handle is held for. The flows of
    /// another are read again when it is named or has work due.
    pub fn cached_workspaces(mut self, most: usize) -> Self {
        self.cached_workspaces = most;
        self
    }

    /// The engine, in the workspace `default`.
    #[must_use]
    pub fn build(self) -> Engine<S> {
        let pacer = self.paces.pacer();
        let policy = Policy { is_paced: pacer.is_some(), ..self.policy };
        let ports = Arc::new(Ports {
            transport: self.transport,
            calls: self.calls,
            flow_store: self.flow_store.0,
            clock: self.clock,
            ids: self.ids,
            observers: self.observers,
            limits: self.limits,
            catalogues: Catalogues::new(self.cached_workspaces),
            options: self.options,
            policy,
            erasure_key: self.erasure_key,
            upkeep: Upkeep::new(),
            queues: CallerQueues::default(),
            pacer,
            timer: self.timer,
            on_error: self.on_error,
            at_work: AtWork::default(),
            store_clock: StoreClock::default(),
            suspects_at: AtomicI64::new(i64::MIN),
        });
        let workspace = WorkspaceId::default();
        let flows = ports.catalogues.of(&workspace);
        Engine {
            store: Arc::new(self.store),
            ports,
            workspace: Ok(workspace),
            flows,
            deferred: self.deferred,
        }
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

    /// The same engine on another store, such as one that writes inside the host's own transaction.
    /// Delivery is left to [`Engine::tick`] of the engine proper, since nothing may be sent before
    /// the host's commit.
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

    /// The store.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.store
    }

    /// The workspace that this handle works in.
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
        note: impl FnOnce(DateTime<Utc>) -> Noted,
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
        events: impl IntoIterator<Item = Noted>,
    ) {
        for noted in events {
            self.ports.observers.observe(&noted.event(workspace, contact, cause));
        }
    }
}
