//! The counters of one shard, by minute: what commits of its conversations added.

use std::collections::BTreeMap;

use crate::id::{FlowId, FlowVersion};
use crate::store::memory::keep::Sweep;
use crate::store::{CountDelta, CountQuery, CounterSubject};

/// Workspace, flow, version, and what is counted.
type Counter = (u32, FlowId, FlowVersion, CounterSubject);

#[derive(Default)]
pub(super) struct Counters(BTreeMap<i64, BTreeMap<Counter, u64>>);

impl Counters {
    pub(super) fn add(&mut self, workspace: u32, deltas: Vec<CountDelta>) {
        for CountDelta { flow, version, minute, what, times } in deltas {
            let counters = self.0.entry(minute).or_default();
            let sum = counters.entry((workspace, flow, version, what)).or_default();
            *sum = sum.saturating_add(times);
        }
    }

    /// Adds what is asked for to the sums.
    pub(super) fn add_to(
        &self,
        workspace: u32,
        query: &CountQuery,
        sums: &mut BTreeMap<(FlowVersion, CounterSubject), u64>,
    ) {
        let minutes = self.0.iter().skip_while(|(minute, _)| **minute < query.from);
        for (_, counters) in minutes.take_while(|(minute, _)| **minute < query.to) {
            for ((of, flow, version, what), times) in counters {
                if *of == workspace && *flow == query.flow {
                    let sum = sums.entry((*version, what.clone())).or_default();
                    *sum = sum.saturating_add(*times);
                }
            }
        }
    }

    /// Removes counters of minutes before this one, as far as the sweep goes.
    pub(super) fn purge(&mut self, before: i64, sweep: &mut Sweep) {
        while let Some(mut oldest) = self.0.first_entry().filter(|oldest| *oldest.key() < before) {
            while !oldest.get().is_empty() {
                if !sweep.take() {
                    return;
                }
                oldest.get_mut().pop_first();
            }
            oldest.remove();
        }
    }
}
