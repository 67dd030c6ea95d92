//! How a flow goes online: ensured, published, rolled back, bound to accounts (SEMANTICS L2, L3, L5).

use std::sync::Arc;

use crate::address::Account;
use crate::engine::flows::change::{Change, existing, new_entry, rebind};
use crate::engine::flows::{FlowStatus, Flows};
use crate::error::Error;
use crate::flow::{Flow, check_binding, check_calls};
use crate::id::{FlowId, FlowVersion};
use crate::store::{ConversationStore, FlowEntry, VersionEntry, VersionState};

impl<S: ConversationStore> Flows<'_, S> {
    /// Imports a definition and publishes it. Harmless at every start of a host, and by many hosts at once: equal
    /// content makes no new version (SEMANTICS L1). A flow that messages start goes by [`ensure_on`](Self::ensure_on).
    ///
    /// # Errors
    /// `Issues` when the definition can not be published; it stays as a draft. `Contention`, `Store`.
    pub async fn ensure(&self, json: &str) -> Result<FlowStatus, Error> {
        self.ensure_bound(json, None).await
    }

    /// Imports a definition, binds it to the accounts whose messages may start it, and publishes it. As harmless as
    /// [`ensure`](Self::ensure) while the accounts stay the same, in whatever order (SEMANTICS L1, L3).
    ///
    /// ```
    /// # fn main() -> Result<(), chatflow::Error> {
    /// use chatflow::{Account, Channel, Engine, MemoryStore};
    ///
    /// const FLOW: &str = r#"{"spec": 1, "code": "hi", "trigger": {"kind": "inbound", "channel": "sms", "rules": [{"match": "any"}]},
    ///     "nodes": [{"id": "start", "kind": "start"}, {"id": "hi", "kind": "send_message", "text": "Hello!"}],
    ///     "edges": [{"from": "start", "to": "hi"}]}"#;
    /// let bot = Engine::builder(MemoryStore::new()).build();
    /// let shop = Account::new(Channel::Sms, "555").expect("a name of digits");
    /// let status = pollster::block_on(bot.flows().ensure_on(FLOW, [shop.clone()]))?;
    /// assert_eq!(status.accounts, [shop]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `InvalidState` when the flow is published on other accounts (unpublish it first), or when calls start it:
    /// nothing was changed. `Issues` when the definition can not be published there; it stays as a draft.
    /// `Contention`, `Store`.
    pub async fn ensure_on(
        &self,
        json: &str,
        accounts: impl IntoIterator<Item = Account>,
    ) -> Result<FlowStatus, Error> {
        let accounts: Vec<Account> = accounts.into_iter().collect();
        self.ensure_bound(json, Some(&accounts)).await
    }

    async fn ensure_bound(&self, json: &str, accounts: Option<&[Account]>) -> Result<FlowStatus, Error> {
        let draft = self.read(json)?;
        let known = self.find(&draft.code).await?;
        let mut entry = known.unwrap_or_else(|| new_entry(&draft.code, self.0.now()));
        keep_bound(&mut entry, accounts, draft.is_manual())?;
        let online = entry.versions.iter().find(|version| version.state == VersionState::Online);
        if online.is_some_and(|online| online.digest == draft.digest) {
            return Ok(entry.into());
        }
        self.import(json).await?;
        self.put_online(&draft.code, json.into(), accounts).await
    }

    /// Checks the draft and puts it online as a new version, in place of the one that was (SEMANTICS L2). Live
    /// sessions stay on theirs. A draft with the content of an offline version puts that one online.
    ///
    /// # Errors
    /// `Issues`, `FlowNotFound`, `Contention`, `Store`.
    pub async fn publish(&self, flow: &FlowId) -> Result<FlowStatus, Error> {
        let text = self.text(flow, None).await?;
        self.put_online(flow, text, None).await
    }

    /// Publishes this text; on these accounts, if some are given.
    async fn put_online(
        &self,
        flow: &FlowId,
        text: Arc<str>,
        accounts: Option<&[Account]>,
    ) -> Result<FlowStatus, Error> {
        let draft = self.read(&text)?;
        self.check_name()?;
        self.check(flow, &text, accounts).await?;
        self.change(flow, |entry, now| {
            let mut entry = existing(entry, flow)?;
            keep_bound(&mut entry, accounts, draft.is_manual())?;
            let same = |version: &&VersionEntry| {
                version.digest == draft.digest
                    && matches!(version.state, VersionState::Online | VersionState::Offline)
            };
            let known = entry.versions.iter().rev().find(same).map(|version| version.version);
            let number = known.unwrap_or_else(|| next_version(&entry));
            set_online(&mut entry, number, self.1.as_ref());
            if known.is_some() {
                return Ok(Change { entry, draft: None, version: None });
            }
            entry.versions.push(VersionEntry {
                version: number,
                state: VersionState::Online,
                published_at: now,
                published_by: self.1.clone(),
                digest: draft.digest,
            });
            Ok(Change { entry, draft: None, version: Some((number, Arc::clone(&text))) })
        })
        .await
    }

    /// Puts an older version online again, after checking it anew (SEMANTICS L2).
    ///
    /// # Errors
    /// `InvalidInput` of `version` when it is not there or was terminated; as [`publish`](Self::publish).
    pub async fn roll_back(&self, flow: &FlowId, version: FlowVersion) -> Result<FlowStatus, Error> {
        let text = self.text(flow, Some(version)).await?;
        self.check_name()?;
        self.check(flow, &text, None).await?;
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

    /// Names the accounts whose messages may start the flow, in place of those it had (SEMANTICS L3).
    ///
    /// # Errors
    /// `InvalidState` while it is published, or when calls start it; `FlowNotFound`, `Contention`, `Store`.
    pub async fn bind(
        &self,
        flow: &FlowId,
        accounts: impl IntoIterator<Item = Account>,
    ) -> Result<FlowStatus, Error> {
        let accounts: Vec<Account> = accounts.into_iter().collect();
        let is_manual = self.read(&self.text(flow, None).await?)?.is_manual();
        self.change(flow, |entry, _| {
            let mut entry = existing(entry, flow)?;
            rebind(&mut entry, &accounts, is_manual)?;
            Ok(Change { entry, draft: None, version: None })
        })
        .await
    }

    fn check_name(&self) -> Result<(), Error> {
        let most = self.0.ports.limits.id_bytes;
        match &self.1 {
            Some(name) if name.is_empty() || name.len() > most => {
                Err(Error::invalid("by", format_args!("must have 1 to {most} bytes")))
            }
            _ => Ok(()),
        }
    }

    /// All checks of publishing: of the definition, of the accounts it is bound to, or is to be, and of the flows that
    /// it calls.
    async fn check(&self, flow: &FlowId, text: &str, accounts: Option<&[Account]>) -> Result<(), Error> {
        let compiled = Flow::from_json_within(text, &self.0.ports.limits)?;
        let entry = self.find(flow).await?.ok_or_else(|| Error::FlowNotFound(flow.clone()))?;
        let snapshot = self.0.snapshot(self.0.now()).await?;
        let others =
            snapshot.views().filter_map(|view| Some((&**view.online()?.1, view.entry.accounts.as_slice())));
        check_binding(&compiled, accounts.unwrap_or(&entry.accounts), others)?;
        let known = snapshot.views().filter(|view| !view.entry.deleted).map(|view| view.entry.flow.as_str());
        let online = |flow: &FlowId| snapshot.view(flow)?.online().map(|(_, flow)| &**flow);
        Ok(check_calls(&compiled, &known.collect(), online)?)
    }
}

/// Binds a flow to accounts, if some are given and they are not those it has.
fn keep_bound(entry: &mut FlowEntry, accounts: Option<&[Account]>, is_manual: bool) -> Result<(), Error> {
    let has = |some: &[Account], others: &[Account]| others.iter().all(|other| some.contains(other));
    match accounts {
        Some(accounts) if !(has(&entry.accounts, accounts) && has(accounts, &entry.accounts)) => {
            rebind(entry, accounts, is_manual)
        }
        _ => Ok(()),
    }
}

fn next_version(entry: &FlowEntry) -> FlowVersion {
    let newest = entry.versions.iter().map(|version| version.version.0).max().unwrap_or(0);
    FlowVersion(newest.saturating_add(1))
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
