//! The life of flows: draft, publish, roll back, bind, unpublish, delete (SEMANTICS L). Each change is one save of the
//! flow's entry by compare-and-swap.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::address::Account;
use crate::engine::Engine;
use crate::error::Error;
use crate::flow::{DraftText, Flow, Issues, check_binding};
use crate::id::{FlowId, FlowVersion, WorkspaceId};
use crate::store::{
    ConversationStore, FlowChange, FlowEntry, FlowSaved, FlowState, VersionEntry, VersionState,
};

/// Lost races until a change gives up.
const ATTEMPTS: u32 = 16;

/// The flows of a workspace, from [`Engine::flows`].
///
/// A flow that calls start needs [`ensure`](Self::ensure) alone. One that messages start is bound to the accounts that they come to before it
/// goes online; it keeps them, so that this may run at every start of a host:
///
/// ```
/// use chatflow::{Account, Channel, Engine, FlowId, Inbound, MemoryStore, Received};
///
/// const MENU: &str = r#"{
///     "spec": 1, "code": "menu",
///     "trigger": {"kind": "inbound", "channel": "whatsapp", "rules": [{"match": "exact", "text": "menu"}]},
///     "nodes": [{"id": "start", "kind": "start"}, {"id": "hi", "kind": "send_message", "text": "What can we do for you?"}],
///     "edges": [{"from": "start", "to": "hi"}]
/// }"#;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bot = Engine::builder(MemoryStore::new()).build();
/// let (menu, account) = (FlowId::new("menu")?, Account::new(Channel::WhatsApp, "+15550100")?);
/// # pollster::block_on(async {
/// if bot.flows().import(MENU).await?.status.accounts.is_empty() {
///     bot.flows().bind(&menu, [account]).await?;
/// }
/// bot.flows().publish(&menu).await?;
///
/// let message = Inbound::text(Channel::WhatsApp, "+15550100", "+14155550123", "Menu");
/// assert!(matches!(bot.receive(message).await?, Received::Started { .. }));
/// # assert!(!bot.flows().import(MENU).await?.status.accounts.is_empty());
/// # assert_eq!(bot.flows().publish(&menu).await?.versions.len(), 1);
/// # Ok::<(), chatflow::Error>(())
/// # })?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Flows<'a, S>(&'a Engine<S>);

/// A flow as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlowStatus {
    /// Its code.
    pub flow: FlowId,
    /// Its name.
    pub name: Arc<str>,
    /// What its authors note.
    pub remark: Option<Arc<str>>,
    /// Published or unpublished.
    pub state: FlowState,
    /// The version that new sessions start on.
    pub online: Option<FlowVersion>,
    /// All published versions, oldest first.
    pub versions: Vec<VersionEntry>,
    /// Whether new sessions are journalled.
    pub logging: bool,
    /// The accounts whose messages may start it.
    pub accounts: Vec<Account>,
    /// The revision to hand back with the next [`Flows::save_draft`].
    pub revision: u64,
}

/// What an import or a saved draft came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Imported {
    /// The flow now.
    pub status: FlowStatus,
    /// What is wrong with the draft; errors block publishing, and nothing else.
    pub issues: Issues,
}

/// What becomes of live sessions when their flow is unpublished (SEMANTICS L4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unpublish {
    /// They go on to their end.
    Drain,
    /// They are cancelled when next looked at; `tick` looks at the rest.
    Terminate,
}

impl<S: ConversationStore> Engine<S> {
    /// The flows of this workspace.
    #[must_use]
    pub fn flows(&self) -> Flows<'_, S> {
        Flows(self)
    }
}

impl<S: ConversationStore> Flows<'_, S> {
    /// Imports a definition and publishes it. Harmless at every start of a host, and by many hosts at once: equal content makes no new version
    /// (SEMANTICS L1).
    ///
    /// # Errors
    /// `Issues` when the definition can not be published; it stays as a draft. `Contention`, `Store`.
    pub async fn ensure(&self, json: &str) -> Result<FlowStatus, Error> {
        let draft = self.read(json)?;
        if let Some(entry) = self.find(&draft.code).await? {
            let online = entry.versions.iter().find(|version| version.state == VersionState::Online);
            if online.is_some_and(|online| online.digest == draft.digest) {
                return Ok(status(entry));
            }
        }
        let imported = self.import(json).await?;
        self.publish(&imported.status.flow).await
    }

    /// Takes a definition as a draft: a new code creates a flow, a known one gets a new draft. Whatever is wrong with it is reported, and kept
    /// (SEMANTICS L1, L2).
    ///
    /// # Errors
    /// `Issues` when the text is no JSON object with a `code`; `Contention`, `Store`.
    pub async fn import(&self, json: &str) -> Result<Imported, Error> {
        let draft = self.read(json)?;
        let text: Arc<str> = json.into();
        let status = self
            .change(&draft.code, |entry, now| {
                let mut entry = entry.unwrap_or_else(|| new_entry(&draft.code, now));
                entry.deleted = false;
                take_names(&mut entry, &draft);
                entry.draft = Some(entry.revision);
                Ok(Change { entry, draft: Some(Arc::clone(&text)), version: None })
            })
            .await?;
        Ok(Imported { status, issues: self.issues(json) })
    }

    /// Takes a definition as a draft under another code: a copy (SEMANTICS L1).
    ///
    /// # Errors
    /// As [`import`](Self::import); `InvalidInput` of `code`.
    pub async fn import_as(&self, json: &str, code: &str) -> Result<Imported, Error> {
        let code = FlowId::new(code).map_err(|rule| Error::invalid("code", rule))?;
        let copy = self.read(json)?.renamed(&code);
        self.import(&copy).await
    }

    /// Saves a draft that was read at this revision of the flow (SEMANTICS L2).
    ///
    /// # Errors
    /// `Stale` when the flow has changed since; `FlowNotFound`; `InvalidInput` when the text is of another flow; `Issues` when it is no JSON object
    /// with a `code`; `Store`.
    pub async fn save_draft(&self, flow: &FlowId, json: &str, revision: u64) -> Result<Imported, Error> {
        let draft = self.read(json)?;
        if draft.code != *flow {
            return Err(Error::invalid("code", format_args!("must be `{flow}`")));
        }
        let text: Arc<str> = json.into();
        let status = self
            .change(flow, |entry, _| {
                let mut entry = existing(entry, flow)?;
                if entry.revision != revision + 1 {
                    return Err(Error::Stale(flow.clone()));
                }
                take_names(&mut entry, &draft);
                entry.draft = Some(entry.revision);
                Ok(Change { entry, draft: Some(Arc::clone(&text)), version: None })
            })
            .await?;
        Ok(Imported { status, issues: self.issues(json) })
    }

    /// Checks the draft and puts it online as a new version, in place of the one that was (SEMANTICS L2). Live sessions stay on theirs. A draft with the
    /// content of an offline version puts that one online.
    ///
    /// # Errors
    /// `Issues`, `FlowNotFound`, `Contention`, `Store`.
    pub async fn publish(&self, flow: &FlowId) -> Result<FlowStatus, Error> {
        let text = self.text(flow, None).await?;
        let digest = self.read(&text)?.digest;
        self.check(flow, &text).await?;
        self.change(flow, |entry, now| {
            let mut entry = existing(entry, flow)?;
            let same = |version: &&VersionEntry| {
                version.digest == digest
                    && matches!(version.state, VersionState::Online | VersionState::Offline)
            };
            let known = entry.versions.iter().rev().find(same).map(|version| version.version);
            let number = known.unwrap_or_else(|| next_version(&entry));
            set_online(&mut entry, number);
            if known.is_some() {
                return Ok(Change { entry, draft: None, version: None });
            }
            entry.versions.push(VersionEntry {
                version: number,
                state: VersionState::Online,
                published_at: now,
                digest,
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
            set_online(&mut entry, version);
            Ok(Change { entry, draft: None, version: None })
        })
        .await
    }

    /// Takes the flow offline; the caller says what becomes of its live sessions (SEMANTICS L4).
    ///
    /// # Errors
    /// `FlowNotFound`; `InvalidState` when it is not published (sessions that are draining can still be terminated); `Contention`, `Store`.
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
            if entry.state() == FlowState::Published {
                return Err(invalid_state(&entry, "bind"));
            }
            if is_manual {
                let (flow, action, state) = (entry.flow, "bind", "unpublished");
                return Err(Error::InvalidState { flow, action, state, allowed: WHEN_MANUAL });
            }
            entry.accounts.clone_from(&accounts);
            Ok(Change { entry, draft: None, version: None })
        })
        .await
    }

    /// Gives the flow another name, at once for all its versions (SEMANTICS S5).
    ///
    /// # Errors
    /// `InvalidInput` of `name`; `FlowNotFound`, `Contention`, `Store`.
    pub async fn rename(&self, flow: &FlowId, name: &str) -> Result<FlowStatus, Error> {
        crate::id::check_name(name).map_err(|rule| Error::invalid("name", rule))?;
        self.edit(flow, |entry| entry.name = name.into()).await
    }

    /// Notes something about the flow, in at most 16 KiB.
    ///
    /// # Errors
    /// `InvalidInput` of `remark`; `FlowNotFound`, `Contention`, `Store`.
    pub async fn remark(&self, flow: &FlowId, remark: &str) -> Result<FlowStatus, Error> {
        let most = self.0.ports.limits.text_bytes;
        if remark.len() > most {
            return Err(Error::invalid("remark", format_args!("must have at most {most} bytes")));
        }
        self.edit(flow, |entry| entry.remark = Some(remark.into())).await
    }

    /// Whether turns are journalled from now on (SEMANTICS L6).
    ///
    /// # Errors
    /// `FlowNotFound`, `Contention`, `Store`.
    pub async fn set_logging(&self, flow: &FlowId, logging: bool) -> Result<FlowStatus, Error> {
        self.edit(flow, |entry| entry.logging = logging).await
    }

    /// Deletes the flow: its versions, its draft. It can not be undone (SEMANTICS L4).
    ///
    /// # Errors
    /// `InvalidState` while it is published; `InUse` while it has live sessions; `FlowNotFound`, `Contention`, `Store`.
    pub async fn delete(&self, flow: &FlowId) -> Result<(), Error> {
        let entry = self.find(flow).await?.ok_or_else(|| Error::FlowNotFound(flow.clone()))?;
        if entry.state() == FlowState::Published {
            return Err(invalid_state(&entry, "delete"));
        }
        let count = self.0.live(flow).await?;
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

    /// One flow. None: there is none with this code, or it was deleted.
    ///
    /// # Errors
    /// `Store`.
    pub async fn get(&self, flow: &FlowId) -> Result<Option<FlowStatus>, Error> {
        Ok(self.find(flow).await?.map(status))
    }

    /// All flows, by code.
    ///
    /// # Errors
    /// `Store`.
    pub async fn list(&self) -> Result<Vec<FlowStatus>, Error> {
        let catalogue = self.0.ports.flow_store.catalogue(self.workspace()?).await?;
        let mut flows: Vec<FlowStatus> =
            catalogue.flows.into_iter().filter(|entry| !entry.deleted).map(status).collect();
        flows.sort_by(|a, b| a.flow.cmp(&b.flow));
        Ok(flows)
    }

    /// The published versions of a flow, oldest first.
    ///
    /// # Errors
    /// `FlowNotFound`, `Store`.
    pub async fn versions(&self, flow: &FlowId) -> Result<Vec<VersionEntry>, Error> {
        Ok(self.find(flow).await?.ok_or_else(|| Error::FlowNotFound(flow.clone()))?.versions)
    }

    /// The JSON that an import took: of a version, or of the draft (SEMANTICS L7).
    ///
    /// # Errors
    /// `FlowNotFound`; `InvalidInput` of `version` when there is none; `Store`.
    pub async fn export(&self, flow: &FlowId, version: Option<FlowVersion>) -> Result<Arc<str>, Error> {
        self.text(flow, version).await
    }

    fn workspace(&self) -> Result<&WorkspaceId, Error> {
        self.0.workspace()
    }

    fn read(&self, json: &str) -> Result<DraftText, Error> {
        Ok(DraftText::read(json, &self.0.ports.limits)?)
    }

    fn issues(&self, json: &str) -> Issues {
        match Flow::from_json_within(json, &self.0.ports.limits) {
            Ok(flow) => flow.warnings().clone(),
            Err(issues) => issues,
        }
    }

    async fn find(&self, flow: &FlowId) -> Result<Option<FlowEntry>, Error> {
        let catalogue = self.0.ports.flow_store.catalogue(self.workspace()?).await?;
        Ok(catalogue.flows.into_iter().find(|entry| entry.flow == *flow && !entry.deleted))
    }

    async fn text(&self, flow: &FlowId, version: Option<FlowVersion>) -> Result<Arc<str>, Error> {
        if self.find(flow).await?.is_none() {
            return Err(Error::FlowNotFound(flow.clone()));
        }
        let text = self.0.ports.flow_store.definition(self.workspace()?, flow, version).await?;
        text.ok_or_else(|| Error::invalid("version", "does not exist"))
    }

    /// All checks of publishing: of the definition, and of where it is bound.
    async fn check(&self, flow: &FlowId, text: &str) -> Result<(), Error> {
        let compiled = Flow::from_json_within(text, &self.0.ports.limits)?;
        let entry = self.find(flow).await?.ok_or_else(|| Error::FlowNotFound(flow.clone()))?;
        let snapshot = self.0.snapshot(self.0.now()).await?;
        let others =
            snapshot.views().filter_map(|view| Some((&**view.online()?.1, view.entry.accounts.as_slice())));
        Ok(check_binding(&compiled, &entry.accounts, others)?)
    }

    async fn edit(&self, flow: &FlowId, edit: impl Fn(&mut FlowEntry)) -> Result<FlowStatus, Error> {
        self.change(flow, |entry, _| {
            let mut entry = existing(entry, flow)?;
            edit(&mut entry);
            Ok(Change { entry, draft: None, version: None })
        })
        .await
    }

    /// Reads the flow's entry, changes it and saves it, until nobody else was faster. `change` gets the entry with its next revision.
    async fn change(
        &self,
        flow: &FlowId,
        change: impl Fn(Option<FlowEntry>, DateTime<Utc>) -> Result<Change, Error>,
    ) -> Result<FlowStatus, Error> {
        let workspace = self.workspace()?;
        let now = self.0.now();
        for _ in 0..ATTEMPTS {
            let catalogue = self.0.ports.flow_store.catalogue(workspace).await?;
            let entry = catalogue.flows.into_iter().find(|entry| entry.flow == *flow);
            let expect = entry.as_ref().map(|entry| entry.revision);
            let entry = entry.map(|entry| FlowEntry { revision: entry.revision + 1, ..entry });
            let Change { entry, draft, version } = change(entry, now)?;
            let after = status(entry.clone());
            let saved =
                self.0.ports.flow_store.save(workspace, FlowChange { entry, expect, draft, version }).await?;
            self.0.flows.doubt();
            if saved == FlowSaved::Saved {
                return Ok(after);
            }
        }
        Err(Error::Contention)
    }
}

/// What is to be saved.
struct Change {
    entry: FlowEntry,
    draft: Option<Arc<str>>,
    version: Option<(FlowVersion, Arc<str>)>,
}

fn new_entry(flow: &FlowId, now: DateTime<Utc>) -> FlowEntry {
    FlowEntry {
        flow: flow.clone(),
        name: flow.as_str().into(),
        remark: None,
        logging: false,
        accounts: Vec::new(),
        versions: Vec::new(),
        draft: None,
        deleted: false,
        created_at: now,
        revision: 1,
    }
}

fn existing(entry: Option<FlowEntry>, flow: &FlowId) -> Result<FlowEntry, Error> {
    entry.filter(|entry| !entry.deleted).ok_or_else(|| Error::FlowNotFound(flow.clone()))
}

fn take_names(entry: &mut FlowEntry, draft: &DraftText) {
    if let Some(name) = &draft.name {
        entry.name = name.as_str().into();
    }
    if let Some(remark) = &draft.remark {
        entry.remark = Some(remark.as_str().into());
    }
}

fn next_version(entry: &FlowEntry) -> FlowVersion {
    FlowVersion(entry.versions.iter().map(|version| version.version.0).max().unwrap_or(0) + 1)
}

/// Makes this version, if it is there, the only one online.
fn set_online(entry: &mut FlowEntry, online: FlowVersion) {
    for version in &mut entry.versions {
        if version.version == online {
            version.state = VersionState::Online;
        } else if version.state == VersionState::Online {
            version.state = VersionState::Offline;
        }
    }
}

fn status(entry: FlowEntry) -> FlowStatus {
    FlowStatus {
        state: entry.state(),
        online: entry.online(),
        flow: entry.flow,
        name: entry.name,
        remark: entry.remark,
        versions: entry.versions,
        logging: entry.logging,
        accounts: entry.accounts,
        revision: entry.revision,
    }
}

/// What an unpublished flow allows that calls start.
const WHEN_MANUAL: &str = "save draft, publish, roll back, rename, remark, logging, test, delete";

/// What each state allows (SEMANTICS L3).
fn invalid_state(entry: &FlowEntry, action: &'static str) -> Error {
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
