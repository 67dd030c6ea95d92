//! The flows of a page, on the engine's own flow store: what a service would do with them.

use chatflow::flow::TriggerDef;
use chatflow::id::FlowId;
use chatflow::ops::{FlowStatus, Imported, Logging, Unpublish};
use chatflow::store::AccountName;
use chatflow::{Account, Engine, Flow, MemoryStore};
use serde_json::{Value, json};

use crate::Answered;
use crate::answer::{Outcome, at_once, bad, optional, text, typed};

pub(crate) struct Desk {
    bot: Engine<MemoryStore>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { bot: Engine::builder(MemoryStore::new()).build() }
    }

    pub(crate) fn act(&self, request: &Value) -> Answered {
        let flows = self.bot.flows();
        match text(request, "do")? {
            "list" => at_once(flows.list())?.iter().map(|status| self.summary(status)).collect(),
            "create" => self.create(request),
            "read" => {
                let code = code(request)?;
                let version = match request.get("version") {
                    None | Some(Value::Null) => None,
                    Some(_) => Some(typed(request, "version")?),
                };
                let json = at_once(flows.export(&code, version))?;
                let status = at_once(flows.get(&code))?.ok_or_else(|| bad("code", "is that of no flow"))?;
                Ok(json!({"json": &*json, "flow": self.summary(&status)?}))
            }
            "save" => {
                let (code, json) = (code(request)?, text(request, "json")?);
                self.imported(&at_once(flows.save_draft(&code, json, typed(request, "revision")?))?)
            }
            "publish" => {
                let code = code(request)?;
                self.summary(&at_once(flows.publish(&code))?)
            }
            "unpublish" => {
                let status = at_once(flows.unpublish(&code(request)?, Unpublish::Drain))?;
                self.summary(&status)
            }
            "roll_back" => {
                let status = at_once(flows.roll_back(&code(request)?, typed(request, "version")?))?;
                self.summary(&status)
            }
            "change" => self.change(request),
            "delete" => at_once(flows.delete(&code(request)?)).map(|()| json!({})).map_err(Outcome::from),
            other => Err(bad("do", format_args!("knows no `{other}`"))),
        }
    }

    fn create(&self, request: &Value) -> Answered {
        let (flows, code) = (self.bot.flows(), text(request, "code")?);
        if let Some(json) = optional(request, "json") {
            // As it is written: an import is an identical copy.
            if optional(request, "as") == Some("written") {
                return self.imported(&at_once(flows.import(json))?);
            }
            return self.imported(&at_once(flows.import_as(json, code))?);
        }
        let trigger = match optional(request, "trigger").unwrap_or("manual") {
            "manual" => TriggerDef::Manual,
            channel => {
                // The reader of flows knows what a trigger is.
                let blank = json!({
                    "spec": 1, "code": "blank", "trigger": {"kind": "inbound", "channel": channel},
                    "nodes": [{"id": "start", "kind": "start"}], "edges": [],
                });
                Flow::from_json(&blank.to_string())?.def().trigger.clone()
            }
        };
        self.imported(&at_once(flows.create(code, optional(request, "name").unwrap_or(code), trigger))?)
    }

    /// Name, remark, accounts and logging: what may be changed is the engine's to say.
    fn change(&self, request: &Value) -> Answered {
        let (flows, code) = (self.bot.flows(), code(request)?);
        if let Some(name) = optional(request, "name") {
            at_once(flows.rename(&code, name))?;
        }
        if let Some(remark) = optional(request, "remark") {
            at_once(flows.remark(&code, remark))?;
        }
        if let Some(on) = request.get("logging").and_then(Value::as_bool) {
            at_once(flows.set_logging(&code, if on { Logging::On } else { Logging::Off }))?;
        }
        if request.get("accounts").is_some() {
            let accounts: Vec<Account> = typed(request, "accounts")?;
            at_once(flows.bind(&code, accounts))?;
        }
        for named in typed::<Option<Vec<AccountName>>>(request, "account_names")?.unwrap_or_default() {
            at_once(flows.name_account(&code, &named.account, &named.name))?;
        }
        let status = at_once(flows.get(&code))?.ok_or_else(|| bad("code", "is that of no flow"))?;
        self.summary(&status)
    }

    fn imported(&self, imported: &Imported) -> Answered {
        Ok(json!({"flow": self.summary(&imported.status)?, "issues": imported.issues}))
    }

    /// A flow with whether its draft differs from what is online.
    fn summary(&self, status: &FlowStatus) -> Answered {
        let draft = at_once(self.bot.flows().export(&status.flow, None))?;
        let online = match status.online {
            Some(version) => Some(at_once(self.bot.flows().export(&status.flow, Some(version)))?),
            None => None,
        };
        let mut summary = json!(status);
        let written: Value = serde_json::from_str(&draft).unwrap_or_default();
        summary["trigger"] = written["trigger"].clone();
        summary["nodes"] = json!(written["nodes"].as_array().map_or(0, Vec::len));
        summary["changed"] = json!(online.is_none_or(|online| online != draft));
        Ok(summary)
    }
}

fn code(request: &Value) -> Result<FlowId, Outcome> {
    FlowId::new(text(request, "code")?).map_err(|rule| bad("code", rule))
}
