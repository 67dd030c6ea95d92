//! Facts about a flow's text that its life needs: which flow it is, whether it changed, what is
//! wrong with where it is bound.

use serde_json::Value;

use crate::address::Account;
use crate::flow::compiled::Flow;
use crate::flow::def::FlowDef;
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::digest::digest;
use crate::flow::form::issue::{IssueCode, Issues};
use crate::flow::form::json;
use crate::flow::form::path::Path;
use crate::flow::form::read::wrong_type;
use crate::flow::trigger::Rank;
use crate::id::FlowId;
use crate::limits::Limits;

/// A definition's text, read only as far as it takes to keep it.
pub(crate) struct DraftText {
    /// The flow it is of.
    pub(crate) code: FlowId,
    /// Its own name.
    pub(crate) name: Option<String>,
    /// Its author's remark.
    pub(crate) remark: Option<String>,
    /// A hash of its content, whatever its layout and order of keys.
    pub(crate) digest: u128,
    json: Value,
}

impl DraftText {
    /// Reads a text that has at least a code; whatever else is wrong with it may stay wrong in a
    /// draft (SEMANTICS L2).
    pub(crate) fn read(text: &str, limits: &Limits) -> Result<Self, Issues> {
        let mut found = Diagnostics::default();
        let json = json::parse(text, limits, &mut found);
        let Some(json) = json.filter(|_| !found.has_errors()) else { return Err(found.into_issues()) };
        if !json.is_object() {
            let _: Option<()> = wrong_type("an object", &json, &Path::Root, &mut found);
            return Err(found.into_issues());
        }
        let at = Path::Root.key("code");
        let code = match json.get("code").map(|code| code.as_str().map(FlowId::new)) {
            Some(Some(Ok(code))) => code,
            Some(Some(Err(rule))) => {
                found.add(IssueCode::BadName, &at, rule.to_string(), "give the flow another code");
                return Err(found.into_issues());
            }
            Some(None) => {
                found.add(IssueCode::WrongType, &at, "must be text", "write the code in quotes");
                return Err(found.into_issues());
            }
            None => {
                found.add(
                    IssueCode::MissingField,
                    &at,
                    "is required",
                    "give the flow a code, by which callers know it",
                );
                return Err(found.into_issues());
            }
        };
        let text = |field: &str| json.get(field).and_then(Value::as_str).map(ToOwned::to_owned);
        Ok(Self { code, name: text("name"), remark: text("remark"), digest: digest(&json), json })
    }

    /// True if calls start it, as far as the text says.
    pub(crate) fn is_manual(&self) -> bool {
        self.json.pointer("/trigger/kind").and_then(Value::as_str) == Some("manual")
    }

    /// The flows that its `call_flow` nodes name.
    pub(crate) fn calls(&self) -> Vec<FlowId> {
        let nodes = self.json.get("nodes").and_then(Value::as_array).into_iter().flatten();
        let named = nodes.filter(|node| node.get("kind").and_then(Value::as_str) == Some("call_flow"));
        named.filter_map(|node| FlowId::new(node.get("flow")?.as_str()?).ok()).collect()
    }

    /// The same definition under another code; `text` is what it was read from. In the order of the
    /// format, if it can be read whole.
    pub(crate) fn renamed(mut self, text: &str, code: &FlowId) -> String {
        if let Ok(def) = FlowDef::from_json(text) {
            return FlowDef { code: code.to_string(), ..def }.to_json();
        }
        if let Some(field) = self.json.get_mut("code") {
            *field = Value::String(code.to_string());
        }
        format!("{:#}", self.json)
    }
}

/// Checks that nothing keeps a flow from going online on these accounts (SEMANTICS L5). `others`
/// are the flows that are online, with theirs.
pub(crate) fn check_binding<'a>(
    flow: &Flow,
    accounts: &[Account],
    others: impl Iterator<Item = (&'a Flow, &'a [Account])>,
) -> Result<(), Issues> {
    let Some(channel) = flow.trigger().channel() else { return Ok(()) };
    let mut found = Diagnostics::default();
    let at = Path::Root.key("trigger");
    let bound = || accounts.iter().filter(|account| account.channel == *channel);
    if bound().next().is_none() {
        let message = format!("is bound to no {channel} account");
        found.add(IssueCode::UnboundAccount, &at, message, "bind an account before publishing");
    }
    if takes_any(flow) {
        for (other, theirs) in others.filter(|(other, _)| other.id() != flow.id() && takes_any(other)) {
            for account in bound().filter(|account| theirs.contains(account)) {
                let message = format!("takes any message on {account}, and so does flow \"{}\"", other.id());
                found.add(
                    IssueCode::TwoAnyTriggers,
                    &at,
                    message,
                    "give one of them rules, or another account",
                );
            }
        }
    }
    if found.has_errors() { Err(found.into_issues()) } else { Ok(()) }
}

/// True if any message on its accounts may start a flow, so that no other such flow may have one of
/// them.
pub(crate) fn takes_any(flow: &Flow) -> bool {
    flow.trigger().matches(None, None, false) == Some(Rank::Any)
}
