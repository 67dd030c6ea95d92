//! Putting an engine together: the ports, the limits, the times.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use crate::address::Account;
use crate::calls::{Calls, DynCalls, NoCalls};
use crate::channel::Channel;
use crate::clock::{Clock, Ids, RandomIds, SystemClock};
use crate::engine::crew::AtWork;
use crate::engine::deadline::{Sleeper, Timer};
use crate::engine::pacer::Paces;
use crate::engine::queue::CallerQueues;
use crate::engine::skew::StoreClock;
use crate::engine::upkeep::Upkeep;
use crate::engine::workspaces::Catalogues;
use crate::engine::{Engine, EngineOptions, OnError, Ports};
use crate::error::Error;
use crate::flow::Keywords;
use crate::id::WorkspaceId;
use crate::kernel::Policy;
use crate::limits::Limits;
use crate::observer::{BackgroundTask, Observer, Observers};
use crate::pace::Pace;
use crate::store::{ConversationStore, FlowStore, NoFlows, SharedFlows};
use crate::transport::{DynTransport, NoTransport, Transport};

/// Less than this two clocks may always differ: networks and disks take their time.
const SHORTEST_SKEW: Duration = Duration::from_secs(1);

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

/// Builds an engine. Each port has a default, so that the smallest host gives a store and a
/// transport.
///
/// ```
/// use std::time::Duration;
///
/// use chatflow::calls::Answer;
/// use chatflow::{Engine, MemoryStore, Receipt, call_fn, send_fn};
///
/// let bot = Engine::builder(MemoryStore::new())
///     .transport(send_fn(|message| async move {
///         println!("to {}: {}", message.to(), message.text());
///         Ok(Receipt::default())
///     }))
///     .calls(call_fn(|call| async move { Ok(Answer::now(call.to_string())) }))
///     .timer(tokio::time::sleep)
///     .on_error(|task, error| eprintln!("{}: {error}", task.as_str()))
///     .session_retention(Duration::from_secs(30 * 24 * 3600))
///     .build();
/// # let _ = bot;
/// ```
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
    /// Returns a builder for an engine on this store.
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
    /// Sets the transport. Without one every message is refused and becomes a dead letter.
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.transport = Box::new(transport);
        self
    }

    /// Sets the implementation that answers host calls. Without one every call fails.
    pub fn calls(mut self, calls: impl Calls + 'static) -> Self {
        self.calls = Box::new(calls);
        self
    }

    /// Sets the store of flows, for those not kept beside the conversations
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

    /// Sets the clock; the system's by default.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Sets the source of ids; random UUIDs by default.
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

    /// Sets the limits, in place of the defaults.
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

    /// Sets the keywords of every conversation in every workspace, instead of `stop` and
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

    /// Gives the engine a timer, such as `tokio::time::sleep`: each send and each
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

    /// Sets a function for failures in the background, where no caller gets the error, such as a
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
    /// contact can keep its opt-out as a hash of its addresses
    /// ([`keep_opt_out`](crate::ops::EraseOptions::keep_opt_out)), and each address that is new is
    /// looked up among those.
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

    /// Counts, if true, how often each node is reached, and how sessions start and end, in the
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

    /// Sets how many workspaces this process keeps compiled flows of, 1,024 by default: those
    /// that were asked for last, beside those that an [`Engine`] handle is held for. The flows of
    /// another are read again when it is named or has work due.
    pub fn cached_workspaces(mut self, most: usize) -> Self {
        self.cached_workspaces = most;
        self
    }

    /// Returns the engine, in the workspace `default`.
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
