//! The answers to the other operations. The envelope and its six keys are the product's; what its
//! documents leave open inside `Data` and `Response` is this crate's own.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::address::Channel;
use crate::engine::{FlowStatus, NodeCount, NodeError};
use crate::flow::TriggerDef;
use crate::store::{FlowState, VersionEntry, VersionState};
use crate::wire::HttpAnswer;

/// The type of a flow's trigger: `TriggeredManually`, `TriggeredByWhatsApp`,
/// `TriggeredByInstagram`, `TriggeredByViber`, `TriggeredByMessenger`; other channels go by their
/// names, as in `TriggeredBysms`, which the product does not document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowTriggerType(Option<Channel>);

const CHANNELS: [(&str, Channel); 4] = [
    ("WhatsApp", Channel::WhatsApp),
    ("Instagram", Channel::Instagram),
    ("Viber", Channel::Viber),
    ("Messenger", Channel::Messenger),
];

impl FlowTriggerType {
    /// The type of a trigger.
    #[must_use]
    pub fn of(trigger: &TriggerDef) -> Self {
        match trigger {
            TriggerDef::Inbound(inbound) => Self(Some(inbound.channel.clone())),
            TriggerDef::Manual => Self(None),
        }
    }

    /// Reads a word. None: it is not one of these.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        if word == "TriggeredManually" {
            return Some(Self(None));
        }
        let name = word.strip_prefix("TriggeredBy")?;
        let known = CHANNELS.iter().find(|(known, _)| *known == name).map(|(_, channel)| channel.clone());
        known.or_else(|| Channel::parse(name).ok()).map(|channel| Self(Some(channel)))
    }

    /// Returns the trigger of a blank flow of this type.
    #[must_use]
    pub fn trigger(&self) -> TriggerDef {
        match &self.0 {
            Some(channel) => TriggerDef::any_message(channel.clone()),
            None => TriggerDef::Manual,
        }
    }
}

impl std::fmt::Display for FlowTriggerType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(channel) = &self.0 else { return f.write_str("TriggeredManually") };
        let known = CHANNELS.iter().find(|(_, known)| known == channel).map(|(name, _)| *name);
        write!(f, "TriggeredBy{}", known.unwrap_or(channel.as_str()))
    }
}

/// The envelope of an exported flow, which `ImportChatFlow` takes: a text of JSON, in the keys that
/// the product documents. What it has for `editor`, a packed canvas, is not documented; here it is
/// the definition of the flow, as [`Flows::export`](crate::Flows::export) gives it, and
/// `schema.namespace` says so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowViewModel {
    /// The format.
    pub schema: FlowSchema,
    /// The definition.
    pub editor: String,
    /// Facts of the flow.
    pub flow: FlowHead,
}

/// The one who defines the format of what this crate exports.
const NAMESPACE: &str = "chatflow";

/// The format of an exported flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowSchema {
    /// The one who defines it: `chatflow`.
    pub namespace: String,
    /// Its version.
    pub version: String,
    /// The rights of the one who defines it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copyright: Option<String>,
}

/// Facts of an exported flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FlowHead {
    /// The type of its trigger.
    pub trigger_type: String,
}

impl FlowViewModel {
    /// A definition in its envelope.
    #[must_use]
    pub fn of(definition: &str, trigger: &TriggerDef) -> Self {
        Self {
            schema: FlowSchema {
                namespace: NAMESPACE.to_owned(),
                version: "1.0".to_owned(),
                copyright: None,
            },
            editor: definition.to_owned(),
            flow: FlowHead { trigger_type: FlowTriggerType::of(trigger).to_string() },
        }
    }

    /// Returns the definition.
    ///
    /// # Errors
    /// The rule that is broken: a canvas of the product cannot be read.
    pub fn definition(&self) -> Result<&str, &'static str> {
        match &*self.schema.namespace {
            NAMESPACE => Ok(&self.editor),
            _ => {
                Err("must have the namespace `chatflow`: the product does not document the canvas of its own")
            }
        }
    }

    /// Returns the text, as `FlowViewModel` takes it.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// An answer with what an operation came to.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DoneAnswer<'a, T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<&'a T>,
    access_denied_detail: &'a str,
    request_id: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a T>,
    code: &'a str,
    success: bool,
}

/// Returns the answer to an operation about flows, logs and metrics that succeeded: `Data` is what
/// it came to.
pub fn done(data: &impl Serialize, request_id: &str) -> HttpAnswer {
    done_with(Some(data), None, request_id)
}

/// Returns the answer to an operation about versions that succeeded: it has `Response`, before the
/// other keys, for `Data`.
pub fn version_done(response: &impl Serialize, request_id: &str) -> HttpAnswer {
    done_with(None, Some(response), request_id)
}

fn done_with<T: Serialize>(data: Option<&T>, response: Option<&T>, request_id: &str) -> HttpAnswer {
    let body = DoneAnswer {
        response,
        access_denied_detail: "None",
        request_id,
        message: "None",
        data,
        code: "OK",
        success: true,
    };
    HttpAnswer::new(200, &body)
}

/// A flow, in lists and as what an operation made of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ChatFlowItem {
    /// Its code.
    pub flow_code: String,
    /// Its name.
    pub title: String,
    /// Its remark.
    pub remark: Option<String>,
    /// The type of its trigger.
    pub flow_trigger_type: String,
    /// `Published` or `Unpublished`.
    pub flow_status: String,
    /// `NORMAL`.
    pub status: String,
    /// The version that is online.
    pub online_version: Option<String>,
    /// The accounts that it is bound to.
    pub phone_numbers: Vec<String>,
    /// When it was created, in milliseconds after 1970.
    pub gmt_create: i64,
}

impl ChatFlowItem {
    /// A flow; its trigger is said in its definition.
    #[must_use]
    pub fn of(flow: &FlowStatus, trigger: &TriggerDef) -> Self {
        let status = match flow.state {
            FlowState::Published => "Published",
            FlowState::Unpublished => "Unpublished",
        };
        Self {
            flow_code: flow.flow.to_string(),
            title: flow.name.to_string(),
            remark: flow.remark.as_deref().map(str::to_owned),
            flow_trigger_type: FlowTriggerType::of(trigger).to_string(),
            flow_status: status.to_owned(),
            status: "NORMAL".to_owned(),
            online_version: flow.online.map(|version| version.to_string()),
            phone_numbers: flow.accounts.iter().map(|account| account.account.to_string()).collect(),
            gmt_create: flow.created_at.timestamp_millis(),
        }
    }
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PageAnswer<T> {
    /// The items of the page.
    pub list: Vec<T>,
    /// The number of the page, from 1.
    pub page_no: u32,
    /// Items on a page.
    pub page_size: u32,
    /// Items on all pages.
    pub total: usize,
}

impl<T: Clone> PageAnswer<T> {
    /// The page of a list that was asked for.
    #[must_use]
    pub fn of(items: &[T], page: super::PageParameters) -> Self {
        Self { list: page.of(items).to_vec(), page_no: page.number, page_size: page.size, total: items.len() }
    }
}

/// A version of a flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FlowVersionItem {
    /// Its number; none for the draft.
    pub flow_version: Option<String>,
    /// `DRAFT`, `ONLINE`, `OFFLINE` or `DELETED`.
    pub status: String,
    /// When it was published first, in milliseconds after 1970.
    pub gmt_publish: Option<i64>,
}

impl FlowVersionItem {
    /// A version that was published.
    #[must_use]
    pub fn of(version: &VersionEntry) -> Self {
        let status = match version.state {
            VersionState::Online => "ONLINE",
            VersionState::Deleted => "DELETED",
            _ => "OFFLINE",
        };
        Self {
            flow_version: Some(version.version.to_string()),
            status: status.to_owned(),
            gmt_publish: Some(version.published_at.timestamp_millis()),
        }
    }

    /// The draft of a flow.
    #[must_use]
    pub fn draft() -> Self {
        Self { flow_version: None, status: "DRAFT".to_owned(), gmt_publish: None }
    }
}

/// The number of times that a node was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NodeUsageItem {
    /// The node.
    pub node_id: String,
    /// Number of times that sessions came to it.
    pub visits: u64,
    /// Number of sessions that failed there.
    pub failures: u64,
    /// Number of times that it was left by each branch.
    pub branches: Value,
}

impl From<&NodeCount> for NodeUsageItem {
    fn from(count: &NodeCount) -> Self {
        let branches = count.branches.iter().map(|(branch, times)| (branch.to_string(), Value::from(*times)));
        Self {
            node_id: count.node.to_string(),
            visits: count.visits,
            failures: count.failures,
            branches: Value::Object(branches.collect()),
        }
    }
}

/// A session that failed at a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NodeErrorItem {
    /// The node.
    pub node_id: String,
    /// The session.
    pub session_id: String,
    /// Its version.
    pub flow_version: String,
    /// The kind of fault.
    pub error_code: String,
    /// The fault in words.
    pub error_message: String,
    /// When, in seconds after 1970, as `From` and `To` are.
    pub time: i64,
}

impl From<&NodeError> for NodeErrorItem {
    fn from(error: &NodeError) -> Self {
        Self {
            node_id: error.node.to_string(),
            session_id: error.session.to_string(),
            flow_version: error.version.to_string(),
            error_code: error.code.to_string(),
            error_message: error.message.clone(),
            time: error.at.timestamp(),
        }
    }
}

/// The setting of a flow's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LogSettingItem {
    /// The flow.
    pub flow_code: String,
    /// `ENABLED` or `DISABLED`.
    pub status: String,
}

impl From<&FlowStatus> for LogSettingItem {
    fn from(flow: &FlowStatus) -> Self {
        let status = if flow.logging { "ENABLED" } else { "DISABLED" };
        Self { flow_code: flow.flow.to_string(), status: status.to_owned() }
    }
}
