//! The ways in which a flow goes online: published, rolled back, bound to accounts (SEMANTICS L2,
//! L3, L5).

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::address::Account;
use crate::engine::flows::change::{Change, existing, rebind, rename_account};
use crate::engine::flows::{FlowStatus, Flows};
use crate::error::Error;
use crate::id::{FlowId, FlowVersion};
use crate::store::{AccountName, ConversationStore, FlowEntry, VersionEntry, VersionState};

impl<S: ConversationStore> Flows<'_, S> {
    /// Checks the draft and puts it online as a new version, in place of the one that was
    /// ([SEMANTICS L2](crate::semantics#l2)). Live sessions stay on theirs. A draft with the
    /// content of an offline version puts that one online.
    ///
    /// # Errors
    /// `Issues`, `FlowNotFound`, `Contention`, `Store`.
    pub async fn publish(&self, flow: &FlowId) -> Result<FlowStatus, Error> {
        Box::pin(self.put_draft_online(flow, None)).await
    }

    /// Publishes the draft that was saved, or read, at this revision of the flow
    /// ([SEMANTICS L2](crate::semantics#l2)).
    ///
    /// ```
    /// # fn main() -> Result<(), chatflow::Error> {
    /// use chatflow::flow::TriggerDef;
    /// use chatflow::{Engine, Error, MemoryStore};
    ///
    /// let bot = Engine::builder(MemoryStore::new()).build();
    /// let mine = pollster::block_on(bot.flows().create("hours", "Opening hours", TriggerDef::Manual))?.status;
    /// pollster::block_on(bot.flows().rename(&mine.flow, "Opening times"))?;
    /// let published = pollster::block_on(bot.flows().publish_revision(&mine.flow, mine.revision));
    /// assert!(matches!(published, Err(Error::Stale(_))));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Stale` when the flow has changed since; as [`publish`](Self::publish).
    pub async fn publish_revision(&self, flow: &FlowId, revision: u64) -> Result<FlowStatus, Error> {
        Box::pin(self.put_draft_online(flow, Some(revision))).await
    }

    async fn put_draft_online(&self, flow: &FlowId, revision: Option<u64>) -> Result<FlowStatus, Error> {
        let text = self.text(flow, None).await?;
        let draft = self.read(&text)?;
        self.check_name()?;
        let compiled = self.check(flow, &text).await?;
        let status = self
            .change(flow, |entry, now| {
                let mut entry = existing(entry, flow)?;
                if revision.is_some_and(|read| Some(entry.revision) != read.checked_add(1)) {
                    return Err(Error::Stale(flow.clone()));
                }
                let number = put_online(&mut entry, draft.digest, now, self.1.as_ref());
                let version = number.map(|number| (number, Arc::clone(&text)));
                Ok(Change { entry, draft: None, version })
            })
            .await?;
        self.learn(compiled, &status);
        Ok(status)
    }

    /// Puts an older version online again, after checking it anew
    /// ([SEMANTICS L2](crate::semantics#l2)).
    ///
    /// # Errors
    /// `InvalidInput` of `version` when it is not there or was terminated; as
    /// [`publish`](Self::publish).
    pub async fn roll_back(&self, flow: &FlowId, version: FlowVersion) -> Result<FlowStatus, Error> {
        let text = self.text(flow, Some(version)).await?;
        self.check_name()?;
        self.check(flow, &text).await?;
        self.change(flow, |entry, _| {
            let mut entry = existing(entry, flow)?;
            let known = entry.versions.iter().find(|known| known.version == version).map(|known| known.state);
            match known {
                Some(VersionState::Online | VersionState::Offline) => {}
                Some(_) => {
                    return Err(Error::invalid(
                        "version",
                        "was terminated: publish its content as a new version",
                    ));
                }
                None => return Err(Error::invalid("version", "does not exist")),
            }
            set_online(&mut entry, version, self.1.as_ref());
            Ok(Change { entry, draft: None, version: None })
        })
        .await
    }

    /// Names the accounts whose messages may start the flow, in place of those it had
    /// ([SEMANTICS L3](crate::semantics#l3)).
    ///
    /// # Errors
    /// `InvalidState` while it is published, or when calls start it; `FlowNotFound`, `Contention`,
    /// `Store`.
    pub async fn bind(
        &self,
        flow: &FlowId,
        accounts: impl IntoIterator<Item = Account>,
    ) -> Result<FlowStatus, Error> {
        let accounts: Vec<Account> = accounts.into_iter().collect();
        self.bind_named(flow, &accounts, &[]).await
    }

    /// Binds a flow and [names](Self::name_account) its accounts in one save: all of it or none. A
    /// flow that has just these accounts may be published, and has its accounts named.
    ///
    /// # Errors
    /// As [`bind`](Self::bind) and [`name_account`](Self::name_account).
    pub async fn bind_named(
        &self,
        flow: &FlowId,
        accounts: &[Account],
        names: &[AccountName],
    ) -> Result<FlowStatus, Error> {
        let is_manual = self.read(&self.text(flow, None).await?)?.is_manual();
        self.change(flow, |entry, _| {
            let mut entry = existing(entry, flow)?;
            if names.is_empty() || !are_same(&entry.accounts, accounts) {
                rebind(&mut entry, accounts, is_manual)?;
            }
            for named in names {
                rename_account(&mut entry, &named.account, &named.name)?;
            }
            Ok(Change { entry, draft: None, version: None })
        })
        .await
    }
}

/// True if two lists name the same accounts, in any order.
fn are_same(own: &[Account], given: &[Account]) -> bool {
    own.iter().all(|account| given.contains(account)) && given.iter().all(|account| own.contains(account))
}

/// Puts content online: an offline version that has it, else a new one, whose number is answered.
pub(super) fn put_online(
    entry: &mut FlowEntry,
    digest: u128,
    now: DateTime<Utc>,
    by: Option<&Arc<str>>,
) -> Option<FlowVersion> {
    let is_same = |version: &&VersionEntry| {
        version.digest == digest && matches!(version.state, VersionState::Online | VersionState::Offline)
    };
    if let Some(known) = entry.versions.iter().rev().find(is_same).map(|version| version.version) {
        set_online(entry, known, by);
        return None;
    }
    let newest = entry.versions.iter().map(|version| version.version.0).max().unwrap_or(0);
    let number = FlowVersion(newest.saturating_add(1));
    set_online(entry, number, by);
    entry.versions.push(VersionEntry {
        version: number,
        state: VersionState::Online,
        published_at: now,
        published_by: by.cloned(),
        digest,
    });
    Some(number)
}

/// Makes this version, if it is there, the only one online; put there by this one.
fn set_online(entry: &mut FlowEntry, online: FlowVersion, by: Option<&Arc<str>>) {
    for version in &mut entry.versions {
        if version.version == online {
            version.state = VersionState::Online;
            version.published_by = by.cloned();
        } else if version.state == VersionState::Online {
            version.state = VersionState::Offline;
        }
    }
}
