//! Levels for the facade `metrics`, asked for on request.

use crate::engine::Engine;
use crate::error::Error;
use crate::observer::{set_dead_letters, set_live, set_oldest};
use crate::store::{ConversationQuery, ConversationStore, Due, Live, StoreQueries};

/// Conversations with dead letters that are asked for at once.
const PAGE: usize = 100;

impl<S: ConversationStore + StoreQueries> Engine<S> {
    /// Asks the store for its levels and sets the gauges: `chatflow_sessions_live` for each flow of
    /// this workspace, `chatflow_dead_letters` of this workspace, and
    /// `chatflow_outbox_oldest_seconds` of the whole store: how long ago that was due which has
    /// been due longest and is not worked, be it a message, a call or a timer; 0 where nothing is
    /// late.
    ///
    /// One call of the store for each flow, one for each 100 contacts with dead letters, which
    /// reads their records, and one for what is due: call it from one process, once a minute or as
    /// often as the store can bear.
    ///
    /// # Errors
    /// `Store`.
    pub async fn count_live(&self) -> Result<(), Error> {
        let workspace = self.workspace()?;
        let snapshot = self.snapshot(self.now()).await?;
        for view in snapshot.views() {
            let flow = view.entry.flow.clone();
            let live =
                Live { workspace: workspace.clone(), flow: flow.clone(), version: None, wake_at: None };
            set_live(workspace, &flow, self.store.live(&live).await?);
        }
        set_dead_letters(workspace, self.count_dead_letters().await?);
        let now = self.now();
        let (token, lease) = (self.token(now), self.ports.options.lease);
        let due = Due { now, token, lease, limit: 0, suspects: false };
        let next = self.store.lease_due(&due).await?.next_due;
        set_oldest(next.and_then(|next| (now - next).to_std().ok()).unwrap_or_default());
        Ok(())
    }

    async fn count_dead_letters(&self) -> Result<u64, Error> {
        let workspace = self.workspace()?.clone();
        let mut query = ConversationQuery { workspace, quarantined: false, after: None, limit: PAGE };
        let mut letters = 0;
        loop {
            let page = self.store.conversations(&query).await?;
            for (_, record) in &page {
                letters += record.conversation().map_or(0, |known| known.dead_letters().len() as u64);
            }
            match page.into_iter().nth(PAGE - 1) {
                Some((last, _)) => query.after = Some(last),
                None => return Ok(letters),
            }
        }
    }
}
