//! The parts of a flow that its tests reach: its nodes, its branches, and the edges for what goes
//! wrong.
//!
//! Nodes and branches with an edge count as covered, since a branch without one ends the session by
//! the contract. Failure edges are counted apart: a flow whose happy way is tested is the common
//! case.

mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::flow::Flow;
use crate::id::NodeId;
use crate::kernel::JournalEntry;

pub use report::Missed;

/// Branches that are taken when something goes wrong, or nobody answers.
const FAILURES: &[&str] = &["failed", "timeout", "expired", "window_closed", "invalid", "refused"];

/// Counts of how often tests reached each node of flows and took each of their edges.
///
/// It is made of journals, so it is the same whether a talk, a [`Scenario`](super::Scenario) or an
/// engine of the host made them. Only ways that have an edge count: where a branch has none, the
/// session ends, and its author wrote nothing that could be missed. Coverages of several tests are
/// [merged](Self::merge), also across processes by [`save`](Self::save) and
/// [`load`](Self::load).
///
/// ```
/// use chatflow::Flow;
/// use chatflow::ops::Rehearsal;
/// use chatflow::testkit::Coverage;
///
/// const FLOW: &str = r#"{"spec": 1, "code": "f", "trigger": {"kind": "manual"},
///     "settings": {"sender": {"channel": "web", "account": "shop"}},
///     "nodes": [{"id": "start", "kind": "start"}, {"id": "wait", "kind": "wait_reply", "timeout": "30m"},
///               {"id": "bye", "kind": "send_message", "text": "Bye"}, {"id": "gone", "kind": "end"}],
///     "edges": [{"from": "start", "to": "wait"}, {"from": "wait", "to": "bye"},
///               {"from": "wait", "branch": "timeout", "to": "gone"}]}"#;
/// let mut run = Rehearsal::of(FLOW)?;
/// run.start(serde_json::json!({}))?;
/// run.say("hi")?;
/// let coverage = Coverage::of(&Flow::from_json(FLOW)?, &[run.journal()]);
/// assert_eq!(coverage.percent(), 100.0 * 5.0 / 7.0);
/// assert!(coverage.check(90.0).unwrap_err().to_string().contains("node gone"));
/// # Ok::<(), chatflow::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    flows: BTreeMap<String, FlowCoverage>,
}

/// The counts of one flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct FlowCoverage {
    nodes: BTreeMap<String, u64>,
    /// By the node, then by the branch.
    ways: BTreeMap<String, BTreeMap<String, u64>>,
}

/// The counts of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Covered {
    /// A node.
    Node,
    /// A branch of a node that has an edge.
    Branch,
    /// An edge for what goes wrong: `failed`, `timeout`, `window_closed` and the like.
    Failure,
}

impl fmt::Display for Covered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Node => "node",
            Self::Branch => "branch",
            Self::Failure => "failure edge",
        })
    }
}

/// The reason a coverage is too low: the threshold, and all that was missed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{percent:.1} % is covered, and at least {at_least} % was asked for; missed: {}", missed.join(", "))]
#[non_exhaustive]
pub struct BelowThreshold {
    /// The percentage.
    pub percent: f64,
    /// The threshold.
    pub at_least: f64,
    /// The parts that were missed, in words.
    pub missed: Vec<String>,
}

impl Coverage {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The coverage of a flow by sessions with these journals. Their steps in other flows are left
    /// out.
    #[must_use]
    pub fn of<'j>(flow: &Flow, journals: impl IntoIterator<Item = &'j Vec<JournalEntry>>) -> Self {
        let mut counts = FlowCoverage::default();
        for node in &flow.def().nodes {
            counts.nodes.insert(node.id.clone(), 0);
            let Ok(id) = NodeId::new(&node.id) else { continue };
            let led = flow.branches(&id).filter(|(_, to)| to.is_some());
            let ways: BTreeMap<String, u64> = led.map(|(branch, _)| (branch.to_owned(), 0)).collect();
            counts.ways.insert(node.id.clone(), ways);
        }
        for entry in journals.into_iter().flatten() {
            counts.walk(flow, entry);
        }
        Self { flows: BTreeMap::from([(flow.id().to_string(), counts)]) }
    }

    /// Adds what another test came to.
    pub fn merge(&mut self, other: &Self) {
        for (flow, theirs) in &other.flows {
            let mine = self.flows.entry(flow.clone()).or_default();
            add(&mut mine.nodes, &theirs.nodes);
            for (node, ways) in &theirs.ways {
                add(mine.ways.entry(node.clone()).or_default(), ways);
            }
        }
    }

    /// Returns the percentage of nodes, branches and failure edges together that were reached.
    #[must_use]
    pub fn percent(&self) -> f64 {
        let (mut there, mut met) = (0_u32, 0_u32);
        self.each(|_, _, _, count| {
            there += 1;
            met += u32::from(count > 0);
        });
        if there == 0 { 100.0 } else { f64::from(met) * 100.0 / f64::from(there) }
    }

    /// Returns the number of parts of a sort, and of those that were reached.
    #[must_use]
    pub fn counts(&self, sort: Covered) -> (usize, usize) {
        let (mut there, mut met) = (0, 0);
        self.each(|_, _, branch, count| {
            if sort_of(branch) == sort {
                there += 1;
                met += usize::from(count > 0);
            }
        });
        (there, met)
    }

    /// Returns all that no test came to.
    #[must_use]
    pub fn missed(&self) -> Vec<Missed> {
        let mut missed = Vec::new();
        self.each(|flow, node, branch, count| {
            if count == 0 {
                let (flow, node, branch) = (flow.to_owned(), node.to_owned(), branch.map(str::to_owned));
                missed.push(Missed { flow, node, branch });
            }
        });
        missed
    }

    /// Passes if at least this percentage is covered.
    ///
    /// # Errors
    /// [`BelowThreshold`], with all that was missed.
    pub fn check(&self, at_least: f64) -> Result<(), BelowThreshold> {
        let percent = self.percent();
        if percent >= at_least {
            return Ok(());
        }
        let missed = self.missed().iter().map(ToString::to_string).collect();
        Err(BelowThreshold { percent, at_least, missed })
    }

    /// Writes it to the file of this name in a folder, which is made if it is not there: each test
    /// has a name of its own, also in another process, and [`load`](Self::load) adds all of them
    /// up. Another run of the test takes the place of this one.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn save(&self, folder: &Path, name: &str) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let name: String = name.chars().map(plain).collect();
        std::fs::write(folder.join(format!("{name}.coverage.json")), serde_json::to_vec(self)?)
    }

    /// Returns the sum of all that was [saved](Self::save) in a folder. Where a flow was edited
    /// since a test came to it, so that it has other nodes or edges, that test is left out.
    ///
    /// # Errors
    /// Those of the file system, and `InvalidData` for a file that is no coverage.
    pub fn load(folder: &Path) -> std::io::Result<Self> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with(".coverage.json") {
                files.push((std::fs::metadata(&path)?.modified()?, path));
            }
        }
        files.sort_unstable_by(|one, other| other.cmp(one));
        let mut all = Self::new();
        for (_, newest_first) in files {
            let mut saved: Self = serde_json::from_slice(&std::fs::read(newest_first)?)?;
            saved
                .flows
                .retain(|flow, counts| all.flows.get(flow).is_none_or(|newer| newer.is_of_same(counts)));
            all.merge(&saved);
        }
        Ok(all)
    }

    /// The part that is of this flow as it is now.
    pub(super) fn only_of(mut self, now: &Self) -> Self {
        self.flows.retain(|flow, counts| now.flows.get(flow).is_some_and(|now| now.is_of_same(counts)));
        self
    }

    /// Calls with each flow, node, branch and count; the node itself has no branch.
    fn each<'c>(&'c self, mut see: impl FnMut(&'c str, &'c str, Option<&'c str>, u64)) {
        for (flow, counts) in &self.flows {
            for (node, count) in &counts.nodes {
                see(flow, node, None, *count);
                for (branch, count) in counts.ways.get(node).into_iter().flatten() {
                    see(flow, node, Some(branch), *count);
                }
            }
        }
    }
}

impl FlowCoverage {
    /// True if both are of a flow with the same nodes and edges.
    fn is_of_same(&self, other: &Self) -> bool {
        let names = |ways: &BTreeMap<String, u64>| ways.keys().cloned().collect::<Vec<_>>();
        self.nodes.keys().eq(other.nodes.keys())
            && self.ways.len() == other.ways.len()
            && self
                .ways
                .iter()
                .all(|(node, ways)| other.ways.get(node).is_some_and(|theirs| names(theirs) == names(ways)))
    }

    fn walk(&mut self, flow: &Flow, entry: &JournalEntry) {
        for step in &entry.steps {
            let within = step.called.as_ref().map_or(&entry.flow, |(called, _)| called);
            if within != flow.id() {
                continue;
            }
            if let Some(count) = self.nodes.get_mut(step.node.as_str()).filter(|_| step.entered) {
                *count += 1;
            }
            let ways = self.ways.get_mut(step.node.as_str());
            let branch = step.branch.as_deref().unwrap_or_default();
            if let Some(count) = ways.and_then(|ways| ways.get_mut(branch)) {
                *count += 1;
            }
        }
    }
}

fn add(mine: &mut BTreeMap<String, u64>, theirs: &BTreeMap<String, u64>) {
    for (name, count) in theirs {
        *mine.entry(name.clone()).or_default() += count;
    }
}

fn sort_of(branch: Option<&str>) -> Covered {
    match branch {
        None => Covered::Node,
        Some(branch) if FAILURES.contains(&branch) => Covered::Failure,
        Some(_) => Covered::Branch,
    }
}

/// The nodes and the ways of a flow that were missed, for a picture.
type MissedParts = (BTreeSet<NodeId>, Vec<(NodeId, String)>);
