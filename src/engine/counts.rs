//! Counters of the visits to each node of a flow, and of the ways in which its sessions started and
//! ended, without journals (SEMANTICS Q9).

use std::collections::BTreeMap;
use std::ops::{Bound, RangeBounds};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::engine::Engine;
use crate::error::Error;
use crate::id::{FlowId, FlowVersion, NodeId};
use crate::session::Status;
use crate::store::{ConversationStore, CountQuery, CounterSubject, StoreQueries};

/// Counters summed over a span of time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CountTotals {
    /// Sessions that started.
    pub started: u64,
    /// Sessions that ended, by how. One that was migrated ended in the version that it went to.
    pub ended: BTreeMap<Status, u64>,
    /// Number of times that sessions came to each node, those of flows that called this one too.
    pub nodes: BTreeMap<NodeId, u64>,
}

/// The counts of a flow in a span of time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FlowCounts {
    /// Of all its versions together.
    pub total: CountTotals,
    /// Of each version of which anything was counted.
    pub versions: BTreeMap<FlowVersion, CountTotals>,
}

impl CountTotals {
    fn add(&mut self, what: &CounterSubject, times: u64) {
        let sum = match what {
            CounterSubject::Started => &mut self.started,
            CounterSubject::Ended(status) => self.ended.entry(*status).or_default(),
            CounterSubject::Entered(node) => self.nodes.entry(node.clone()).or_default(),
        };
        *sum = sum.saturating_add(times);
    }
}

impl<S: ConversationStore + StoreQueries> Engine<S> {
    /// Returns the counts of a flow in a span of time: of the minutes that begin in it, as far back
    /// as [`count_retention`](crate::Builder::count_retention) says. What happened while no engine
    /// was told to [count](crate::Builder::count_nodes) is not in them
    /// ([SEMANTICS Q9](crate::semantics#q9)).
    ///
    /// ```
    /// use chatflow::{Engine, FlowId, MemoryStore, TriggerRequest};
    ///
    /// # pollster::block_on(async {
    /// # let hello = r#"{"spec": 1, "code": "hello", "trigger": {"kind": "manual"},
    /// #     "nodes": [{"id": "start", "kind": "start"}], "edges": []}"#;
    /// let bot = Engine::builder(MemoryStore::new()).count_nodes(true).build();
    /// bot.flows().ensure(hello).await?;
    /// bot.trigger(TriggerRequest::new("hello").phone("+14155550123")).await?;
    /// let counts = bot.counts(&FlowId::new("hello")?, ..).await?;
    /// assert_eq!(counts.total.started, 1);
    /// assert_eq!(counts.total.nodes.values().sum::<u64>(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `Store`; a permanent one, if the store keeps no counters.
    pub async fn counts(
        &self,
        flow: &FlowId,
        span: impl RangeBounds<DateTime<Utc>> + Send,
    ) -> Result<FlowCounts, Error> {
        let query = CountQuery {
            workspace: self.workspace()?.clone(),
            flow: flow.clone(),
            from: match span.start_bound() {
                Bound::Included(from) => minute_from(*from),
                Bound::Excluded(after) => minute_after(*after),
                Bound::Unbounded => i64::MIN,
            },
            to: match span.end_bound() {
                Bound::Included(last) => minute_after(*last),
                Bound::Excluded(to) => minute_from(*to),
                Bound::Unbounded => i64::MAX,
            },
        };
        let mut counts = FlowCounts::default();
        for (version, what, times) in self.store.counts(&query).await? {
            counts.total.add(&what, times);
            counts.versions.entry(version).or_default().add(&what, times);
        }
        Ok(counts)
    }
}

/// The first minute that begins at this instant or later.
fn minute_from(at: DateTime<Utc>) -> i64 {
    let minute = at.timestamp().div_euclid(60);
    let begins_earlier = at.timestamp().rem_euclid(60) > 0 || at.timestamp_subsec_nanos() > 0;
    minute + i64::from(begins_earlier)
}

/// The first minute that begins later than this instant.
fn minute_after(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(60) + 1
}
