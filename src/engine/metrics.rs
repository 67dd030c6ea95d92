//! Sums of journals: how often each node was visited, which way it was left, what failed there
//! (SEMANTICS L6).

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::engine::Engine;
use crate::error::Error;
use crate::id::{ContactId, FlowId, FlowVersion, NodeId, SessionId};
use crate::session::FailureCode;
use crate::store::{ConversationStore, JournalEntry, JournalQuery, StoreQueries};

/// Entries that one question to the store answers.
const ENTRIES: usize = 1_000;
/// Errors of one page.
const PAGE: usize = 100;

/// The part of a flow's journal to be read. Sessions that were not journalled are in none of it.
#[derive(Clone, Debug)]
#[must_use]
pub struct JournalFilter {
    flow: FlowId,
    version: Option<FlowVersion>,
    node: Option<NodeId>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    after: Option<(DateTime<Utc>, SessionId, u32)>,
}

impl JournalFilter {
    /// Everything that is kept of a flow.
    pub fn of(flow: FlowId) -> Self {
        let (from, to) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
        Self { flow, version: None, node: None, from, to, after: None }
    }

    /// Turns of this version only.
    pub fn version(mut self, version: FlowVersion) -> Self {
        self.version = Some(version);
        self
    }

    /// One node only.
    pub fn node(mut self, node: NodeId) -> Self {
        self.node = Some(node);
        self
    }

    /// At this instant or later.
    pub fn from(mut self, from: DateTime<Utc>) -> Self {
        self.from = from;
        self
    }

    /// Before this instant.
    pub fn to(mut self, to: DateTime<Utc>) -> Self {
        self.to = to;
        self
    }

    /// Errors that come after this one in the list: the next page.
    pub fn after(mut self, error: &NodeError) -> Self {
        self.after = Some((error.at, error.session, error.seq));
        self
    }

    fn has(&self, node: &NodeId) -> bool {
        self.node.as_ref().is_none_or(|wanted| wanted == node)
    }
}

/// Counters of one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NodeCount {
    /// The node.
    pub node: NodeId,
    /// Number of times that sessions came to it.
    pub visits: u64,
    /// Number of times that it was left by each branch.
    pub branches: BTreeMap<Arc<str>, u64>,
    /// Number of sessions that failed there.
    pub failures: u64,
}

/// A session that failed at a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NodeError {
    /// The node.
    pub node: NodeId,
    /// The called flow that the node is of; None: the session's own
    /// ([SEMANTICS N9](crate::semantics#n9)).
    pub flow: Option<FlowId>,
    /// The session.
    pub session: SessionId,
    /// Its contact.
    pub contact: ContactId,
    /// Its version.
    pub version: FlowVersion,
    /// Its turn that failed.
    pub turn: u32,
    /// The place in its journal.
    pub seq: u32,
    /// When.
    pub at: DateTime<Utc>,
    /// The kind of fault.
    pub code: FailureCode,
    /// A description of what happened, for people.
    pub message: String,
}

impl<S: ConversationStore + StoreQueries> Engine<S> {
    /// Returns the counters of each node of a flow, by node; nodes that no journalled session came
    /// to are left out.
    ///
    /// Reads every entry that matches, 1,000 at a time: give it a version or a span of time.
    ///
    /// # Errors
    /// `Store`.
    pub async fn node_counts(&self, filter: JournalFilter) -> Result<Vec<NodeCount>, Error> {
        let mut counts = BTreeMap::new();
        let mut query = self.journal_query(&filter, false)?;
        loop {
            let page = self.store.journal_of(&query).await?;
            page.iter().for_each(|entry| count(&mut counts, entry, &filter));
            match page.last() {
                Some(last) if page.len() >= query.limit => query.after = Some(place(last)),
                _ => break,
            }
        }
        Ok(counts.into_values().collect())
    }

    /// Sessions that failed, the earliest first, at most 100.
    ///
    /// # Errors
    /// `Store`.
    pub async fn node_errors(&self, filter: JournalFilter) -> Result<Vec<NodeError>, Error> {
        let mut errors = Vec::new();
        let mut query = self.journal_query(&filter, true)?;
        loop {
            let page = self.store.journal_of(&query).await?;
            let (is_last, last) = (page.len() < query.limit, page.last().map(place));
            let is_meant = |error: &NodeError| {
                filter.node.is_none() || (error.flow.is_none() && filter.has(&error.node))
            };
            let failed = page.into_iter().filter_map(error).filter(is_meant);
            errors.extend(failed.take(PAGE - errors.len()));
            if is_last || last.is_none() || errors.len() == PAGE {
                return Ok(errors);
            }
            query.after = last;
        }
    }

    fn journal_query(&self, filter: &JournalFilter, failed: bool) -> Result<JournalQuery, Error> {
        Ok(JournalQuery {
            workspace: self.workspace()?.clone(),
            flow: filter.flow.clone(),
            version: filter.version,
            failed,
            from: filter.from,
            to: filter.to,
            after: filter.after,
            limit: ENTRIES,
        })
    }
}

fn place(entry: &JournalEntry) -> (DateTime<Utc>, SessionId, u32) {
    (entry.at, entry.session, entry.seq)
}

fn count(counts: &mut BTreeMap<NodeId, NodeCount>, entry: &JournalEntry, filter: &JournalFilter) {
    let mut at = |node: &NodeId, note: &dyn Fn(&mut NodeCount)| {
        if filter.has(node) {
            let new = || NodeCount { node: node.clone(), visits: 0, branches: BTreeMap::new(), failures: 0 };
            note(counts.entry(node.clone()).or_insert_with(new));
        }
    };
    // Nodes of a called flow are not this flow's, whatever their names.
    for step in entry.steps.iter().filter(|step| step.called.is_none()) {
        at(&step.node, &|count| {
            count.visits += u64::from(step.entered);
            if let Some(branch) = &step.branch {
                *count.branches.entry(Arc::clone(branch)).or_default() += 1;
            }
        });
    }
    if let Some(failure) = entry.failure.as_ref().filter(|failure| failure.flow.is_none()) {
        at(&failure.node, &|count| count.failures += 1);
    }
}

fn error(entry: JournalEntry) -> Option<NodeError> {
    let JournalEntry { session, contact, version, turn, seq, at, failure, .. } = entry;
    let crate::session::Failure { code, node, flow, message } = failure?;
    Some(NodeError { node, flow, session, contact, version, turn, seq, at, code, message })
}
