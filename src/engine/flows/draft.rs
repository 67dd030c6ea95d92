//! The authors' work on a draft, and with a flow's names (SEMANTICS L1, L2). Nothing here goes
//! online.

use std::sync::Arc;

use crate::address::Account;
use crate::engine::flows::change::{Change, existing, new_entry, rename_account};
use crate::engine::flows::{Amendment, FlowStatus, Flows, Imported, Logging};
use crate::error::Error;
use crate::flow::{DraftText, Flow, FlowDef, Issues, TriggerDef, gallery};
use crate::id::{FlowId, check_name};
use crate::store::{ConversationStore, FlowEntry};

impl<S: ConversationStore> Flows<'_, S> {
    /// Takes a definition as a draft: a new code creates a flow, a known one gets a new draft.
    /// Whatever is wrong with it is reported, and kept ([SEMANTICS L1](crate::semantics#l1),
    /// [L2](crate::semantics#l2)).
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

    /// Creates a blank flow as a draft: a start that leads to an end, begun by a call or by
    /// messages ([SEMANTICS L1](crate::semantics#l1)).
    ///
    /// ```
    /// # fn main() -> Result<(), chatflow::Error> {
    /// use chatflow::flow::TriggerDef;
    /// use chatflow::{Channel, Engine, MemoryStore};
    ///
    /// let bot = Engine::builder(MemoryStore::new()).build();
    /// let created = pollster::block_on(bot.flows().create("hours", "Opening hours", TriggerDef::any_message(Channel::Sms)))?;
    /// assert!(created.issues.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `InvalidInput` of `code`, also when a flow has it, and of `name`; `Issues` of the trigger;
    /// `Contention`, `Store`.
    pub async fn create(&self, code: &str, name: &str, trigger: TriggerDef) -> Result<Imported, Error> {
        check_name(name).map_err(|rule| Error::invalid("name", rule))?;
        let mut blank = FlowDef::blank(code, trigger);
        blank.name = Some(name.to_owned());
        self.take_new(code, blank.to_json()).await
    }

    /// Creates a flow as a draft from a template of the [`gallery`]
    /// ([SEMANTICS L1](crate::semantics#l1)).
    ///
    /// # Errors
    /// `InvalidInput` of `template` when there is none with this code, and of `code`, also when a
    /// flow has it; `Contention`, `Store`.
    pub async fn create_from_template(&self, template: &str, code: &str) -> Result<Imported, Error> {
        let template = gallery::template(template)
            .ok_or_else(|| Error::invalid("template", format_args!("`{template}` is not in the gallery")))?;
        let code = FlowId::new(code).map_err(|rule| Error::invalid("code", rule))?;
        self.take_new(code.as_str(), self.read(template.json)?.renamed(template.json, &code)).await
    }

    /// Takes a definition as the draft of a flow that is not there yet.
    async fn take_new(&self, code: &str, json: String) -> Result<Imported, Error> {
        let code = FlowId::new(code).map_err(|rule| Error::invalid("code", rule))?;
        let (draft, text) = (self.read(&json)?, Arc::<str>::from(json));
        let status = self
            .change(&code, |entry, now| {
                if entry.as_ref().is_some_and(|entry| !entry.deleted) {
                    return Err(Error::invalid("code", "belongs to another flow"));
                }
                let mut entry = entry.unwrap_or_else(|| new_entry(&code, now));
                entry.deleted = false;
                take_names(&mut entry, &draft);
                entry.draft = Some(entry.revision);
                Ok(Change { entry, draft: Some(Arc::clone(&text)), version: None })
            })
            .await?;
        Ok(Imported { status, issues: self.issues(&text) })
    }

    /// Takes a definition as a draft under another code: a copy
    /// ([SEMANTICS L1](crate::semantics#l1)).
    ///
    /// # Errors
    /// As [`import`](Self::import); `InvalidInput` of `code`.
    pub async fn import_as(&self, json: &str, code: &str) -> Result<Imported, Error> {
        let code = FlowId::new(code).map_err(|rule| Error::invalid("code", rule))?;
        let copy = self.read(json)?.renamed(json, &code);
        self.import(&copy).await
    }

    /// Names an account that the flow is bound to, for people: in either state of the flow, and
    /// until it is bound anew without that account. An empty name is none.
    ///
    /// # Errors
    /// `InvalidInput` of `account` where the flow is not bound to it, and of `name`;
    /// `FlowNotFound`, `Contention`, `Store`.
    pub async fn name_account(
        &self,
        flow: &FlowId,
        account: &Account,
        name: &str,
    ) -> Result<FlowStatus, Error> {
        self.change(flow, |entry, _| {
            let mut entry = existing(entry, flow)?;
            rename_account(&mut entry, account, name)?;
            Ok(Change { entry, draft: None, version: None })
        })
        .await
    }

    /// Returns the same as a new flow under a name and with a remark of its own, whatever the
    /// definition says; an empty remark is none.
    ///
    /// # Errors
    /// As [`create`](Self::create); `InvalidInput` of `remark`; `Issues` when the text is no JSON
    /// object with a `code`.
    pub async fn import_named(
        &self,
        json: &str,
        code: &str,
        name: &str,
        remark: &str,
    ) -> Result<Imported, Error> {
        check_name(name).map_err(|rule| Error::invalid("name", rule))?;
        self.check_remark(remark)?;
        let id = FlowId::new(code).map_err(|rule| Error::invalid("code", rule))?;
        let text = with_names(&self.read(json)?.renamed(json, &id), name, remark);
        self.take_new(code, text).await
    }

    /// Saves a draft that was read at this revision of the flow
    /// ([SEMANTICS L2](crate::semantics#l2)). A name or a remark that the draft before it had is
    /// nothing new: one that the flow was given since stays.
    ///
    /// # Errors
    /// `Stale` when the flow has changed since; `FlowNotFound`; `InvalidInput` when the text is of
    /// another flow; `Issues` when it is no JSON object with a `code`; `Store`.
    pub async fn save_draft(&self, flow: &FlowId, json: &str, revision: u64) -> Result<Imported, Error> {
        let draft = self.read(json)?;
        if draft.code != *flow {
            return Err(Error::invalid("code", format_args!("must be `{flow}`")));
        }
        let text: Arc<str> = json.into();
        let before = self.export(flow, None).await.ok().and_then(|json| self.read(&json).ok());
        let status = self
            .change(flow, |entry, _| {
                let mut entry = existing(entry, flow)?;
                if Some(entry.revision) != revision.checked_add(1) {
                    return Err(Error::Stale(flow.clone()));
                }
                take_new_names(&mut entry, &draft, before.as_ref());
                entry.draft = Some(entry.revision);
                Ok(Change { entry, draft: Some(Arc::clone(&text)), version: None })
            })
            .await?;
        Ok(Imported { status, issues: self.issues(json) })
    }

    /// Gives the flow another name, at once for all its versions
    /// ([SEMANTICS S5](crate::semantics#s5)).
    ///
    /// # Errors
    /// `InvalidInput` of `name`; `FlowNotFound`, `Contention`, `Store`.
    pub async fn rename(&self, flow: &FlowId, name: &str) -> Result<FlowStatus, Error> {
        self.amend(flow, &Amendment::new().name(name)).await
    }

    /// Notes something about the flow, in at most 16 KiB.
    ///
    /// # Errors
    /// `InvalidInput` of `remark`; `FlowNotFound`, `Contention`, `Store`.
    pub async fn remark(&self, flow: &FlowId, remark: &str) -> Result<FlowStatus, Error> {
        self.amend(flow, &Amendment::new().remark(remark)).await
    }

    /// Sets what is journalled of sessions that start from now on
    /// ([SEMANTICS L6](crate::semantics#l6), [Q4](crate::semantics#q4)); `true` is [`Logging::On`].
    ///
    /// # Errors
    /// `FlowNotFound`, `Contention`, `Store`.
    pub async fn set_logging(&self, flow: &FlowId, logging: impl Into<Logging>) -> Result<FlowStatus, Error> {
        self.amend(flow, &Amendment::new().logging(logging)).await
    }

    /// Changes name, remark and journal of a flow in one save, all of them or none; what the
    /// amendment does not say stays as it is, and one that says nothing changes nothing.
    ///
    /// ```
    /// # fn main() -> Result<(), chatflow::Error> {
    /// use chatflow::flow::TriggerDef;
    /// use chatflow::ops::{Amendment, Logging};
    /// use chatflow::{Engine, MemoryStore};
    ///
    /// # pollster::block_on(async {
    /// let bot = Engine::builder(MemoryStore::new()).build();
    /// let flow = bot.flows().create("hours", "Hours", TriggerDef::Manual).await?.status.flow;
    /// let amendment = Amendment::new().name("Opening hours").remark("ours").logging(Logging::Texts);
    /// let status = bot.flows().amend(&flow, &amendment).await?;
    /// assert_eq!((&*status.name, status.log_texts), ("Opening hours", true));
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// `InvalidInput` of `name` and of `remark`; `FlowNotFound`, `Contention`, `Store`.
    pub async fn amend(&self, flow: &FlowId, amendment: &Amendment) -> Result<FlowStatus, Error> {
        let Amendment { name, remark, logging } = amendment;
        if let Some(name) = name {
            check_name(name).map_err(|rule| Error::invalid("name", rule))?;
        }
        if let Some(remark) = remark {
            self.check_remark(remark)?;
        }
        if *amendment == Amendment::default() {
            return self.get(flow).await?.ok_or_else(|| Error::FlowNotFound(flow.clone()));
        }
        self.change(flow, |entry, _| {
            let mut entry = existing(entry, flow)?;
            if let Some(name) = name {
                entry.name = Arc::clone(name);
            }
            if let Some(remark) = remark {
                entry.remark = Some(Arc::clone(remark));
            }
            if let Some(logging) = logging {
                entry.logging = *logging != Logging::Off;
                entry.log_texts = *logging == Logging::Texts;
            }
            Ok(Change { entry, draft: None, version: None })
        })
        .await
    }

    fn check_remark(&self, remark: &str) -> Result<(), Error> {
        let most = self.0.ports.limits.text_bytes;
        if remark.len() > most {
            return Err(Error::invalid("remark", format_args!("must have at most {most} bytes")));
        }
        Ok(())
    }

    fn issues(&self, json: &str) -> Issues {
        match Flow::from_json_within(json, &self.0.ports.limits) {
            Ok(flow) => flow.warnings().clone(),
            Err(issues) => issues,
        }
    }
}

/// A definition with another name and remark; everything else stays as it is.
fn with_names(json: &str, name: &str, remark: &str) -> String {
    if let Ok(mut def) = FlowDef::from_json(json) {
        (def.name, def.remark) =
            (Some(name.to_owned()), Some(remark.to_owned()).filter(|text| !text.is_empty()));
        return def.to_json();
    }
    let Ok(serde_json::Value::Object(mut fields)) = serde_json::from_str(json) else {
        return json.to_owned();
    };
    fields.insert("name".to_owned(), name.into());
    match remark {
        "" => fields.remove("remark"),
        remark => fields.insert("remark".to_owned(), remark.into()),
    };
    serde_json::Value::Object(fields).to_string()
}

/// The same, of what the draft before did not say.
fn take_new_names(entry: &mut FlowEntry, draft: &DraftText, before: Option<&DraftText>) {
    let Some(before) = before else { return take_names(entry, draft) };
    if let Some(name) = draft.name.as_ref().filter(|_| draft.name != before.name) {
        entry.name = name.as_str().into();
    }
    if let Some(remark) = draft.remark.as_ref().filter(|_| draft.remark != before.remark) {
        entry.remark = Some(remark.as_str().into());
    }
}

pub(super) fn take_names(entry: &mut FlowEntry, draft: &DraftText) {
    if let Some(name) = &draft.name {
        entry.name = name.as_str().into();
    }
    if let Some(remark) = &draft.remark {
        entry.remark = Some(remark.as_str().into());
    }
}
