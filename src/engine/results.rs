//! The results of a flow's sessions: the variables that it names as its results (SEMANTICS Q8).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use crate::engine::{Engine, SessionFilter};
use crate::error::Error;
use crate::flow::Flow;
use crate::gather::Gather;
use crate::id::{ContactId, FlowId, FlowVersion, SessionId};
use crate::session::{FailureCode, Session, Status};
use crate::store::{ConversationStore, StoreQueries};
use crate::value::PackedMap;

/// The results of one session.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ResultRow {
    /// The session.
    pub session: SessionId,
    /// Its contact.
    pub contact: ContactId,
    /// The version that it ran on at its end.
    pub version: FlowVersion,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Its final status.
    pub status: Status,
    /// The outcome that its end node names.
    pub outcome: Option<Box<str>>,
    /// The kind of fault, if it failed.
    pub failure: Option<FailureCode>,
    /// The results that have a value, by name.
    pub values: BTreeMap<Box<str>, Value>,
}

impl ResultRow {
    fn of(session: &Session, contact: &ContactId, values: Option<&PackedMap>) -> Self {
        let values = values.into_iter().flat_map(PackedMap::iter);
        Self {
            session: session.id(),
            contact: contact.clone(),
            version: session.version(),
            started_at: session.started_at(),
            ended_at: session.ended_at(),
            status: session.status(),
            outcome: session.outcome().map(Box::from),
            failure: session.failure().map(|failure| failure.code),
            values: values.map(|(name, value)| (name.into(), value.to_json())).gather(),
        }
    }
}

impl<S: ConversationStore + StoreQueries> Engine<S> {
    /// Returns the results of a flow's ended sessions, of those that the filter names: at most 100,
    /// the newest start first; the next page comes [after the last row](SessionFilter::after_row),
    /// and fewer than 100 are the last ([SEMANTICS Q8](crate::semantics#q8)). A filter that asks
    /// for live sessions, or for those of another flow, finds none.
    ///
    /// The values are those of `settings.results`, as they were when the session ended. They are
    /// stored with it, so they are there as long as it is
    /// ([`session_retention`](crate::Builder::session_retention)), whatever becomes of its version.
    /// Only of a session that ended while its version could not be used
    /// ([S14](crate::semantics#s14)) they are read by means of that version, once it can be.
    ///
    /// ```
    /// use chatflow::ops::SessionFilter;
    /// use chatflow::{Engine, Error, FlowId, MemoryStore};
    ///
    /// async fn export(bot: &Engine<MemoryStore>, flow: &FlowId) -> Result<(), Error> {
    ///     let mut filter = SessionFilter::all();
    ///     loop {
    ///         let page = bot.results(flow, filter.clone()).await?;
    ///         for row in &page {
    ///             println!("{} {} {:?}", row.session, row.status, row.values);
    ///         }
    ///         match page.last() {
    ///             Some(last) => filter = filter.after_row(last),
    ///             None => return Ok(()),
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// `Store`.
    pub async fn results(&self, flow: &FlowId, filter: SessionFilter) -> Result<Vec<ResultRow>, Error> {
        let Some(filter) = filter.ended_of(flow) else { return Ok(Vec::new()) };
        let mut versions = BTreeMap::new();
        let mut rows = Vec::new();
        for record in self.sessions(filter).await? {
            let (session, contact) = (record.session(), record.contact());
            if let Some(kept) = session.kept_results() {
                rows.push(ResultRow::of(session, contact, Some(kept)));
                continue;
            }
            let own = match versions.entry((session.version(), session.digest())) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(self.version_of(session).await?),
            };
            let values = own.as_ref().and_then(|own| session.results(&own.settings().results));
            rows.push(ResultRow::of(session, contact, values.as_ref()));
        }
        Ok(rows)
    }

    /// The version of a session, if it can be used here.
    async fn version_of(&self, session: &Session) -> Result<Option<Arc<Flow>>, Error> {
        let snapshot = self.snapshot(self.now()).await?;
        let Some(view) = snapshot.view(session.flow()) else { return Ok(None) };
        let workspace = self.workspace()?;
        let own = self.flows.compiled(&self.ports, workspace, &view.entry, session.version()).await?;
        Ok(own.ok().filter(|own| session.digest().is_none_or(|digest| digest == own.digest())))
    }
}
