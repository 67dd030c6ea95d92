//! Live sessions that cannot continue in this process, since a version that they need cannot be
//! used here (SEMANTICS S14).

use std::collections::HashMap;

use crate::engine::Engine;
use crate::engine::query::SessionFilter;
use crate::error::{Error, MissingReason};
use crate::id::{FlowId, FlowVersion};
use crate::store::{ConversationStore, SessionRecord, StoreQueries};

/// The most sessions on one page.
const PAGE: usize = 100;

/// A session that cannot continue in this process.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StrandedSession {
    /// The session.
    pub record: SessionRecord,
    /// The flow that it lacks: its own, or one that it is in by calls.
    pub flow: FlowId,
    /// The version of that flow.
    pub version: FlowVersion,
    /// The reason that version cannot be used here.
    pub reason: MissingReason,
}

impl<S: ConversationStore + StoreQueries> Engine<S> {
    /// Live sessions that match and that need a version which cannot be used in this process,
    /// newest first, at least 100 if there are so many ([SEMANTICS S14](crate::semantics#s14)).
    /// They continue once the version is stored, the limits allow it, or they are
    /// [migrated](Self::migrate); [`cancel`](Self::cancel) and [`erase`](Self::erase) work on them
    /// as ever.
    ///
    /// Reads all live sessions that match until it has found enough: for operators, not for every
    /// request.
    ///
    /// # Errors
    /// `Store`.
    pub async fn stranded(&self, filter: SessionFilter) -> Result<Vec<StrandedSession>, Error> {
        let (workspace, snapshot) = (self.workspace()?, self.snapshot(self.now()).await?);
        let (mut known, mut stranded) = (HashMap::new(), Vec::new());
        let mut filter = filter.live();
        while stranded.len() < PAGE {
            let page = self.sessions(filter.clone()).await?;
            for record in &page {
                for (flow, version, digest) in record.session().pins() {
                    let pin = (flow.clone(), version, digest);
                    let missing: &Option<(FlowId, FlowVersion, MissingReason)> = match known.entry(pin) {
                        std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
                        std::collections::hash_map::Entry::Vacant(new) => {
                            let pin = (flow, version, digest);
                            new.insert(self.flows.missing(&self.ports, workspace, &snapshot, pin).await?)
                        }
                    };
                    if let Some((flow, version, reason)) = missing.clone() {
                        let record = record.clone();
                        stranded.push(StrandedSession { record, flow, version, reason });
                        break;
                    }
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE => filter = filter.after(last),
                _ => break,
            }
        }
        Ok(stranded)
    }
}
