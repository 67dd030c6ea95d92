//! Counts for the facade `metrics`, made on request.

use crate::engine::Engine;
use crate::error::Error;
use crate::observer::set_live;
use crate::store::{ConversationStore, Live};

impl<S: ConversationStore> Engine<S> {
    /// Counts the live sessions of each flow of this workspace and sets the gauge
    /// `chatflow_sessions_live`. One call of the store for each flow: call it from one process,
    /// once a minute or as often as the store can bear.
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
        Ok(())
    }
}
