//! One save of a flow's entry by compare-and-swap, and what each state allows (SEMANTICS L3).

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::address::Account;
use crate::engine::attempts::Patience;
use crate::engine::flows::{FlowStatus, Flows};
use crate::error::Error;
use crate::id::{FlowId, FlowVersion, check_name};
use crate::store::{AccountName, ConversationStore, FlowChange, FlowEntry, FlowSaved, FlowState};

impl<S: ConversationStore> Flows<'_, S> {
    /// Reads the flow's entry, changes it and saves it, until nobody else was faster. `change` gets
    /// the entry with its next revision.
    pub(super) async fn change(
        &self,
        flow: &FlowId,
        change: impl Fn(Option<FlowEntry>, DateTime<Utc>) -> Result<Change, Error>,
    ) -> Result<FlowStatus, Error> {
        let workspace = self.workspace()?;
        let now = self.0.now();
        let mut patience = Patience::default();
        loop {
            let entry = self.entries().await?.get(flow);
            let expect = entry.as_ref().map(|entry| entry.revision);
            let Change { entry, draft, version } = change(entry.as_deref().map(next), now)?;
            let after = FlowStatus::from(&entry);
            let saved =
                self.0.ports.flow_store.save(workspace, FlowChange { entry, expect, draft, version }).await?;
            self.0.flows.doubt();
            if saved == FlowSaved::Saved {
                return Ok(after);
            }
            self.0.lose_race(&mut patience, self.0.token(now)).await?;
        }
    }
}

/// The change that is to be saved.
pub(super) struct Change {
    pub(super) entry: FlowEntry,
    pub(super) draft: Option<Arc<str>>,
    pub(super) version: Option<(FlowVersion, Arc<str>)>,
}

/// An entry at its next revision.
pub(super) fn next(entry: &FlowEntry) -> FlowEntry {
    FlowEntry { revision: entry.revision.saturating_add(1), ..entry.clone() }
}

pub(super) fn new_entry(flow: &FlowId, now: DateTime<Utc>) -> FlowEntry {
    FlowEntry {
        flow: flow.clone(),
        name: flow.as_str().into(),
        remark: None,
        logging: false,
        log_texts: false,
        accounts: Vec::new(),
        account_names: Vec::new(),
        versions: Vec::new(),
        draft: None,
        deleted: false,
        created_at: now,
        revision: 1,
    }
}

pub(super) fn existing(entry: Option<FlowEntry>, flow: &FlowId) -> Result<FlowEntry, Error> {
    entry.filter(|entry| !entry.deleted).ok_or_else(|| Error::FlowNotFound(flow.clone()))
}

/// Binds a flow to accounts in place of those it had; `is_manual`: calls start it.
pub(super) fn rebind(entry: &mut FlowEntry, accounts: &[Account], is_manual: bool) -> Result<(), Error> {
    const WHEN_MANUAL: &str = "save draft, publish, roll back, rename, remark, logging, test, delete";
    if entry.state() == FlowState::Published {
        return Err(invalid_state(entry, "bind"));
    }
    if is_manual {
        let (flow, action, state) = (entry.flow.clone(), "bind", "unpublished");
        return Err(Error::InvalidState { flow, action, state, allowed: WHEN_MANUAL });
    }
    entry.accounts = accounts.to_vec();
    entry.account_names.retain(|named| accounts.contains(&named.account));
    Ok(())
}

/// Names an account that a flow is bound to; an empty name is none.
pub(super) fn rename_account(entry: &mut FlowEntry, account: &Account, name: &str) -> Result<(), Error> {
    if !name.is_empty() {
        check_name(name).map_err(|rule| Error::invalid("name", rule))?;
    }
    if !entry.accounts.contains(account) {
        return Err(Error::invalid("account", format_args!("`{account}` is not bound to the flow")));
    }
    entry.account_names.retain(|named| named.account != *account);
    if !name.is_empty() {
        entry.account_names.push(AccountName { account: account.clone(), name: name.into() });
    }
    Ok(())
}

/// Returns the error that names what each state allows (SEMANTICS L3).
pub(super) fn invalid_state(entry: &FlowEntry, action: &'static str) -> Error {
    let (state, allowed) = match entry.state() {
        FlowState::Published => {
            ("published", "save draft, publish, roll back, unpublish, rename, remark, logging, test")
        }
        FlowState::Unpublished => {
            ("unpublished", "save draft, publish, roll back, rename, remark, logging, test, bind, delete")
        }
    };
    Error::InvalidState { flow: entry.flow.clone(), action, state, allowed }
}
