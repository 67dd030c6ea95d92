//! Increments of counters by turns: nodes that were come to, sessions that started and ended
//! (SEMANTICS Q9).

use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::value::Error as ValueError;
use serde::de::{Deserialize, IntoDeserializer};

use crate::id::{FlowId, FlowVersion, NodeId};
use crate::session::Status;

/// The subject of a counter of one version of a flow. Prints as the word under which stores keep
/// it, at most 264 bytes, and is [read](Self::parse) from that.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CounterSubject {
    /// Sessions that started on it: `started`.
    Started,
    /// Number of times that sessions came to a node of it, those of flows that called it too:
    /// `entered:NODE`.
    Entered(NodeId),
    /// Sessions that were started on it, or taken to it, and ended like this: `ended:completed`.
    Ended(Status),
}

impl CounterSubject {
    /// Reads what was printed. None: a newer release wrote it, or nobody.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word.split_once(':') {
            None if word == "started" => Some(Self::Started),
            Some(("entered", node)) => NodeId::new(node).ok().map(Self::Entered),
            Some(("ended", status)) => Status::deserialize(status.into_deserializer())
                .map_err(|_: ValueError| ())
                .ok()
                .map(Self::Ended),
            _ => None,
        }
    }
}

impl fmt::Display for CounterSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started => f.write_str("started"),
            Self::Entered(node) => write!(f, "entered:{node}"),
            Self::Ended(status) => write!(f, "ended:{status}"),
        }
    }
}

/// The increment of one counter by a commit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CountDelta {
    /// The flow.
    pub flow: FlowId,
    /// Its version.
    pub version: FlowVersion,
    /// The minute of the epoch in which it happened.
    pub minute: i64,
    /// The subject of the counter.
    pub what: CounterSubject,
    /// Number of times that it happened.
    pub times: u64,
}

impl CountDelta {
    /// Something that happened once.
    pub(crate) fn once(flow: FlowId, version: FlowVersion, what: CounterSubject, at: DateTime<Utc>) -> Self {
        Self { flow, version, minute: at.timestamp().div_euclid(60), what, times: 1 }
    }

    fn is_of_the_counter_of(&self, other: &Self) -> bool {
        (&self.flow, self.version, self.minute, &self.what)
            == (&other.flow, other.version, other.minute, &other.what)
    }
}

/// The same in order, each counter once.
pub(crate) fn added_up(mut deltas: Vec<CountDelta>) -> Vec<CountDelta> {
    deltas.sort_unstable();
    deltas.dedup_by(|next, sum| {
        let is_same = next.is_of_the_counter_of(sum);
        if is_same {
            sum.times = sum.times.saturating_add(next.times);
        }
        is_same
    });
    deltas
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_again() {
        let node = |id: &str| CounterSubject::Entered(NodeId::new(id).unwrap());
        for what in [
            CounterSubject::Started,
            node("a"),
            node("started"),
            node("x:y"),
            CounterSubject::Ended(Status::Expired),
        ] {
            assert_eq!(CounterSubject::parse(&what.to_string()), Some(what));
        }
        for word in ["", "start", "entered:", "ended:", "ended:soon", "left:a"] {
            assert_eq!(CounterSubject::parse(word), None, "{word}");
        }
    }

    #[test]
    fn each_counter_is_added_to_once() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let entered = |node: &str, seconds| {
            let what = CounterSubject::Entered(NodeId::new(node).unwrap());
            CountDelta::once(FlowId::new("f").unwrap(), FlowVersion(1), what, at(seconds))
        };
        let sums = added_up(vec![entered("b", 1), entered("a", 59), entered("b", -1), entered("b", 2)]);
        let told: Vec<_> = sums.iter().map(|sum| (sum.minute, sum.what.to_string(), sum.times)).collect();
        let entered = |node: &str| format!("entered:{node}");
        assert_eq!(told, [(-1, entered("b"), 1), (0, entered("a"), 1), (0, entered("b"), 2)]);
    }
}
