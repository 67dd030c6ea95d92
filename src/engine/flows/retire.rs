//! The ways in which a flow goes offline, and away (SEMANTICS L4).

use crate::engine::flows::change::{Change, existing, invalid_state};
use crate::engine::flows::{FlowStatus, Flows, Unpublish};
use crate::error::Error;
use crate::id::FlowId;
use crate::store::{ConversationStore, FlowState, VersionState};

impl<S: ConversationStore> Flows<'_, S> {
    /// Takes the flow offline; the caller says what becomes of its live sessions
    /// ([SEMANTICS L4](crate::semantics#l4)).
    ///
    /// # Errors
    /// `FlowNotFound`; `InvalidState` when it is not published (sessions that are draining can
    /// still be terminated); `Contention`, `Store`.
    pub async fn unpublish(&self, flow: &FlowId, how: Unpublish) -> Result<FlowStatus, Error> {
        let changed = self
            .change(flow, |entry, now| {
                let mut entry = existing(entry, flow)?;
                if how == Unpublish::Drain && entry.state() == FlowState::Unpublished {
                    return Err(invalid_state(&entry, "unpublish"));
                }
                for version in &mut entry.versions {
                    version.state = match (version.state, how) {
                        (VersionState::Online, Unpublish::Drain) => VersionState::Offline,
                        (VersionState::Online | VersionState::Offline, Unpublish::Terminate) => {
                            VersionState::Terminated(now)
                        }
                        (state, _) => state,
                    };
                }
                Ok(Change { entry, draft: None, version: None })
            })
            .await?;
        if how == Unpublish::Terminate {
            let workspace = self.0.workspace()?;
            for version in &changed.versions {
                self.0.wake(workspace, &(flow.clone(), version.version), self.0.now()).await?;
            }
        }
        Ok(changed)
    }

    /// Deletes the flow: its versions, its draft. It cannot be undone
    /// ([SEMANTICS L4](crate::semantics#l4)).
    ///
    /// # Errors
    /// `InvalidState` while it is published; `InUse` while it has live sessions; `FlowNotFound`,
    /// `Contention`, `Store`.
    pub async fn delete(&self, flow: &FlowId) -> Result<(), Error> {
        let entry = self.find(flow).await?.ok_or_else(|| Error::FlowNotFound(flow.clone()))?;
        if entry.state() == FlowState::Published {
            return Err(invalid_state(&entry, "delete"));
        }
        let count = self.0.live_sessions(flow).await?;
        if count > 0 {
            return Err(Error::InUse { flow: flow.clone(), count });
        }
        self.change(flow, |entry, _| {
            let mut entry = existing(entry, flow)?;
            if entry.state() == FlowState::Published {
                return Err(invalid_state(&entry, "delete"));
            }
            entry.deleted = true;
            entry.draft = None;
            entry.accounts = Vec::new();
            for version in &mut entry.versions {
                version.state = VersionState::Deleted;
            }
            Ok(Change { entry, draft: None, version: None })
        })
        .await
        .map(drop)
    }
}
