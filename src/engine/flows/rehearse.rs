//! Trying a stored flow out (SEMANTICS L3, L8).

use std::collections::BTreeSet;

use crate::engine::flows::Flows;
use crate::engine::rehearsal::Rehearsal;
use crate::error::Error;
use crate::id::{FlowId, FlowVersion};
use crate::store::ConversationStore;

impl<S: ConversationStore> Flows<'_, S> {
    /// Tries a flow out, in either of its states: its draft, or a version. Nothing is sent, asked
    /// or stored. The flows that it calls are there, as they are online now
    /// ([SEMANTICS L8](crate::semantics#l8)).
    ///
    /// # Errors
    /// `Issues`: what keeps it from running; `FlowNotFound`; `InvalidInput` of `version` when there
    /// is none; `Store`.
    pub async fn rehearse(&self, flow: &FlowId, version: Option<FlowVersion>) -> Result<Rehearsal, Error> {
        let text = self.text(flow, version).await?;
        let mut run = Rehearsal::within(&text, &self.0.ports.limits, self.0.now())?;
        let (mut called, mut known) = (self.read(&text)?.calls(), BTreeSet::from([flow.clone()]));
        while let Some(next) = called.pop() {
            let online = self.find(&next).await?.and_then(|entry| entry.online());
            let Some(online) = online.filter(|_| known.insert(next.clone())) else { continue };
            let text = self.text(&next, Some(online)).await?;
            called.extend(self.read(&text)?.calls());
            run = run.with_flow(&text)?;
        }
        Ok(run)
    }
}
