//! The observer that feeds the facade `metrics`.

use std::time::Duration;

use metrics::{Unit, counter, gauge, histogram};

use crate::error::Error;
use crate::id::{FlowId, WorkspaceId};
use crate::observer::{BackgroundTask, Event, EventKind, Observer};

/// The shape of a measure: it counts, is a level, or is spread over a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MeasureShape {
    Counter,
    Gauge,
    Histogram,
}

/// A measure: its stable name, its shape, its labels, its unit, its description.
struct Measure {
    name: &'static str,
    shape: MeasureShape,
    labels: &'static [&'static str],
    unit: Unit,
    says: &'static str,
}

const fn count(name: &'static str, labels: &'static [&'static str], says: &'static str) -> Measure {
    Measure { name, shape: MeasureShape::Counter, labels, unit: Unit::Count, says }
}

const fn seconds(name: &'static str, labels: &'static [&'static str], says: &'static str) -> Measure {
    Measure { name, shape: MeasureShape::Histogram, labels, unit: Unit::Seconds, says }
}

const fn level(
    name: &'static str,
    labels: &'static [&'static str],
    unit: Unit,
    says: &'static str,
) -> Measure {
    Measure { name, shape: MeasureShape::Gauge, labels, unit, says }
}

/// All measures. `docs/metrics.md` has the same table; a test compares them.
const MEASURES: &[Measure] = &[
    count("chatflow_started_total", &["flow"], "sessions that began"),
    count("chatflow_ended_total", &["flow", "status"], "sessions that ended"),
    count("chatflow_turns_total", &["flow", "outcome"], "turns, by the status that they led to"),
    count("chatflow_refused_total", &["flow", "reason"], "triggers that were refused"),
    count("chatflow_received_total", &["outcome"], "inbound messages"),
    count("chatflow_commits_total", &["cause"], "decisions that were committed"),
    count("chatflow_commit_conflicts_total", &["cause"], "decisions that lost a race"),
    count("chatflow_sends_total", &["channel", "result"], "messages handed to the transport"),
    count("chatflow_sends_paced_total", &["channel"], "messages that had to wait for their turn"),
    count("chatflow_dead_letters_total", &[], "messages that were given up"),
    count("chatflow_calls_total", &["result"], "host calls that were made"),
    count("chatflow_quarantined_total", &[], "conversations that were set aside"),
    count("chatflow_versions_missing_total", &["flow", "reason"], "conversations left untouched"),
    count("chatflow_clock_skews_total", &["cause"], "times that the store's clock was far off"),
    count("chatflow_background_errors_total", &["task"], "failures in the background"),
    seconds("chatflow_due_lag_seconds", &[], "how late what time brings was done"),
    seconds("chatflow_outbox_wait_seconds", &["channel"], "from a message's turn until it left"),
    seconds("chatflow_send_seconds", &["channel"], "the transport, for one message"),
    seconds("chatflow_calls_seconds", &[], "the host, for one call"),
    seconds("chatflow_decide_seconds", &["cause"], "the decision that was committed"),
    seconds("chatflow_store_seconds", &["cause"], "the store, from load to commit"),
    level("chatflow_sessions_live", &["workspace", "flow"], Unit::Count, "live sessions"),
    level("chatflow_dead_letters", &["workspace"], Unit::Count, "messages that were given up"),
    level("chatflow_outbox_oldest_seconds", &[], Unit::Seconds, "the age of what is due longest"),
];

/// Feeds the recorder of the `metrics` facade, the global one or the local one of the thread. The
/// names are stable, and listed with labels and units in `docs/metrics.md`. Labels hold flows,
/// channels and names of this crate, never a contact.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct MetricsObserver;

impl MetricsObserver {
    /// Describes all measures to the recorder that is installed: install it before.
    #[must_use]
    pub fn new() -> Self {
        for Measure { name, shape, unit, says, .. } in MEASURES {
            match shape {
                MeasureShape::Counter => metrics::describe_counter!(*name, *unit, *says),
                MeasureShape::Gauge => metrics::describe_gauge!(*name, *unit, *says),
                MeasureShape::Histogram => metrics::describe_histogram!(*name, *unit, *says),
            }
        }
        Self
    }

    /// Returns all measures, each by its name with its labels.
    pub fn measures() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
        MEASURES.iter().map(|measure| (measure.name, measure.labels))
    }
}

impl Default for MetricsObserver {
    fn default() -> Self {
        Self::new()
    }
}

fn flow_of(event: &Event) -> String {
    event.flow.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn spread(time: Option<Duration>, histogram: impl FnOnce() -> metrics::Histogram) {
    if let Some(time) = time {
        histogram().record(time.as_secs_f64());
    }
}

fn count_send(event: &Event) {
    match &event.kind {
        EventKind::Delivered { channel, .. } => {
            let channel = channel.to_string();
            counter!("chatflow_sends_total", "channel" => channel.clone(), "result" => "delivered")
                .increment(1);
            spread(event.took.send, || histogram!("chatflow_send_seconds", "channel" => channel.clone()));
            spread(event.lag, || histogram!("chatflow_outbox_wait_seconds", "channel" => channel));
        }
        EventKind::SendFailed { channel, result, .. } => {
            let channel = channel.to_string();
            counter!("chatflow_sends_total", "channel" => channel.clone(), "result" => *result).increment(1);
            spread(event.took.send, || histogram!("chatflow_send_seconds", "channel" => channel));
        }
        EventKind::SendPaced { channel, .. } => {
            counter!("chatflow_sends_paced_total", "channel" => channel.to_string()).increment(1);
        }
        _ => {}
    }
}

impl Observer for MetricsObserver {
    fn observe(&self, event: &Event) {
        let cause = event.cause.as_str();
        match &event.kind {
            EventKind::SessionStarted { .. } => {
                counter!("chatflow_started_total", "flow" => flow_of(event)).increment(1);
            }
            EventKind::Turn { status, .. } => {
                counter!("chatflow_turns_total", "flow" => flow_of(event), "outcome" => status.as_str())
                    .increment(1);
                spread(event.lag, || histogram!("chatflow_due_lag_seconds"));
            }
            EventKind::SessionEnded { status, .. } => {
                counter!("chatflow_ended_total", "flow" => flow_of(event), "status" => status.as_str())
                    .increment(1);
            }
            EventKind::Refused { reason } => {
                counter!("chatflow_refused_total", "flow" => flow_of(event), "reason" => *reason)
                    .increment(1);
            }
            EventKind::Received { outcome } => {
                counter!("chatflow_received_total", "outcome" => *outcome).increment(1);
            }
            EventKind::Unmatched => {
                counter!("chatflow_received_total", "outcome" => "unmatched").increment(1);
            }
            EventKind::Committed => {
                counter!("chatflow_commits_total", "cause" => cause).increment(1);
                spread(event.took.decide, || histogram!("chatflow_decide_seconds", "cause" => cause));
                spread(event.took.store, || histogram!("chatflow_store_seconds", "cause" => cause));
            }
            EventKind::Conflict => {
                counter!("chatflow_commit_conflicts_total", "cause" => cause).increment(1);
            }
            EventKind::Delivered { .. } | EventKind::SendFailed { .. } | EventKind::SendPaced { .. } => {
                count_send(event);
            }
            EventKind::DeadLettered { .. } => counter!("chatflow_dead_letters_total").increment(1),
            EventKind::CallDone { result, .. } => {
                counter!("chatflow_calls_total", "result" => *result).increment(1);
                spread(event.took.call, || histogram!("chatflow_calls_seconds"));
            }
            EventKind::Quarantined => counter!("chatflow_quarantined_total").increment(1),
            EventKind::VersionMissing { reason, .. } => {
                let (flow, reason) = (flow_of(event), reason.as_str());
                counter!("chatflow_versions_missing_total", "flow" => flow, "reason" => reason).increment(1);
            }
            EventKind::ClockSkew { .. } => {
                counter!("chatflow_clock_skews_total", "cause" => event.cause.as_str()).increment(1);
            }
            _ => {}
        }
    }

    fn failed(&self, doing: BackgroundTask, _error: &Error) {
        counter!("chatflow_background_errors_total", "task" => doing.as_str()).increment(1);
    }
}

/// Sets how many sessions of a flow are live.
pub(crate) fn set_live(workspace: &WorkspaceId, flow: &FlowId, live: u64) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; exact below 2^53")]
    gauge!("chatflow_sessions_live", "workspace" => workspace.to_string(), "flow" => flow.to_string())
        .set(live as f64);
}

/// Sets how many dead letters a workspace has.
pub(crate) fn set_dead_letters(workspace: &WorkspaceId, letters: u64) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; exact below 2^53")]
    gauge!("chatflow_dead_letters", "workspace" => workspace.to_string()).set(letters as f64);
}

/// Sets for how long that has been due which has been due longest.
pub(crate) fn set_oldest(age: Duration) {
    gauge!("chatflow_outbox_oldest_seconds").set(age.as_secs_f64());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `docs/metrics.md` lists what is fed, no more and no less.
    #[test]
    fn the_page_lists_every_measure() {
        let page = include_str!("../../docs/metrics.md");
        let listed: Vec<Vec<String>> = page
            .lines()
            .filter(|line| line.starts_with("| `chatflow_"))
            .map(|line| line.split('|').skip(1).take(4).map(|cell| cell.trim().to_owned()).collect())
            .collect();
        let fed: Vec<Vec<String>> = MEASURES
            .iter()
            .map(|measure| {
                let labels: Vec<_> = measure.labels.iter().map(|label| format!("`{label}`")).collect();
                let shape = format!("{:?}", measure.shape).to_lowercase();
                let unit = if measure.unit == Unit::Seconds { "seconds" } else { "count" };
                vec![format!("`{}`", measure.name), shape, labels.join(", "), unit.to_owned()]
            })
            .collect();
        assert_eq!(listed, fed);
    }
}
