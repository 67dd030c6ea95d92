//! The other operations, as their parameters say them.

use chrono::{DateTime, Utc};

use crate::id::FlowVersion;
use crate::wire::HttpAnswer;
use crate::wire::alibaba::{FlowTriggerType, FlowViewModel, TriggerChatFlow, invalid};
use crate::wire::body::{BodyReader, FieldErrors};

/// An operation by its `Action`, with its parameters under the product's names: `FlowCode`,
/// `Title`, `Remark`, `FlowTriggerType`, `FlowVersion` and so on. Parameters of other names are
/// left alone.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ChatFlowAction {
    /// `TriggerChatFlow`
    Trigger(TriggerChatFlow),
    /// `CreateChatFlow`
    Create {
        /// The code of the new flow, which is a parameter of ours; the host may choose one.
        flow_code: Option<String>,
        /// Its name.
        title: String,
        /// Its remark.
        remark: Option<String>,
        /// The type of its trigger, which must be that of `from` if there is one; if absent that
        /// one's, or `TriggeredManually`.
        trigger_type: Option<FlowTriggerType>,
        /// The flow that it is a copy of.
        from: Option<String>,
        /// The version of that.
        from_version: Option<FlowVersion>,
    },
    /// `UpdateChatFlow`
    Update {
        /// The flow.
        flow_code: String,
        /// A new name.
        title: Option<String>,
        /// A new remark.
        remark: Option<String>,
    },
    /// `ListChatFlow`
    List {
        /// A part of the name or the code.
        keyword: Option<String>,
        /// With this type of trigger.
        trigger_type: Option<FlowTriggerType>,
        /// Published or not: `Published`, `Unpublished`.
        flow_status: Option<String>,
        /// Bound to this account.
        phone_number: Option<String>,
        /// The page.
        page: PageParameters,
    },
    /// `DeleteChatFlow`
    Delete {
        /// The flow.
        flow_code: String,
    },
    /// `ImportChatFlow`
    Import {
        /// The code of the new flow, which is a parameter of ours; the host may choose one.
        flow_code: Option<String>,
        /// Its name; that of the definition if absent.
        title: Option<String>,
        /// Its remark.
        remark: Option<String>,
        /// The definition in its envelope.
        flow_view_model: FlowViewModel,
    },
    /// `ExportChatFlow`
    Export {
        /// The flow.
        flow_code: String,
        /// The version; the draft if absent.
        version: Option<FlowVersion>,
    },
    /// `OnlineFlowVersion`
    Online {
        /// The flow.
        flow_code: String,
        /// The version; the draft if absent.
        version: Option<FlowVersion>,
    },
    /// `OfflineFlowVersion`: what is live is terminated.
    Offline {
        /// The flow.
        flow_code: String,
        /// The version, which must be the one that is online.
        version: Option<FlowVersion>,
    },
    /// `ListFlowVersion`
    ListVersions {
        /// The flow.
        flow_code: String,
        /// In this state only: `DRAFT`, `DELETED`, `ONLINE`, `OFFLINE`.
        status: Option<String>,
        /// The page.
        page: PageParameters,
    },
    /// `ReadFlowVersion`
    ReadVersion {
        /// The flow.
        flow_code: String,
        /// The version; the draft if absent.
        version: Option<FlowVersion>,
    },
    /// `GetChatFlowMetric`
    Metric {
        /// The flow.
        flow_code: String,
        /// The operation.
        metric: FlowMetric,
        /// Of this node only.
        node: Option<String>,
        /// The page.
        page: PageParameters,
        /// From this instant on.
        from: Option<DateTime<Utc>>,
        /// Before this instant.
        to: Option<DateTime<Utc>>,
    },
    /// `CreateChatFlowLogSetting`
    CreateLogSetting {
        /// The flow.
        flow_code: String,
    },
    /// `ReadChatFlowLogSetting`
    ReadLogSetting {
        /// The flow.
        flow_code: String,
    },
    /// `DeleteChatFlowLogSetting`
    DeleteLogSetting {
        /// The flow.
        flow_code: String,
    },
    /// `UpdateChatFlowLogSetting`
    UpdateLogSetting {
        /// The flow.
        flow_code: String,
        /// `ENABLED`, `DISABLED` or `DELETED`.
        status: String,
    },
}

/// The counts of `GetChatFlowMetric`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlowMetric {
    /// `nodeUsageStatistics`: how often each node was come to.
    NodeUsage,
    /// `nodeErrorDetails`: the sessions that failed.
    NodeErrors,
}

/// `PageNo`, from 1, and `PageSize`, 1 to 100; 1 and 10 if absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageParameters {
    /// The number of the page.
    pub number: u32,
    /// Items on it.
    pub size: u32,
}

impl Default for PageParameters {
    fn default() -> Self {
        Self { number: 1, size: 10 }
    }
}

impl PageParameters {
    /// Returns the items of this page.
    #[must_use]
    pub fn of<'a, T>(&self, items: &'a [T]) -> &'a [T] {
        let before = (self.number.saturating_sub(1) as usize).saturating_mul(self.size as usize);
        let rest = items.get(before..).unwrap_or_default();
        rest.get(..self.size as usize).unwrap_or(rest)
    }
}

/// The operations, by name.
const ACTIONS: [&str; 16] = [
    "TriggerChatFlow",
    "CreateChatFlow",
    "UpdateChatFlow",
    "ListChatFlow",
    "DeleteChatFlow",
    "ImportChatFlow",
    "ExportChatFlow",
    "OnlineFlowVersion",
    "OfflineFlowVersion",
    "ListFlowVersion",
    "ReadFlowVersion",
    "GetChatFlowMetric",
    "CreateChatFlowLogSetting",
    "ReadChatFlowLogSetting",
    "UpdateChatFlowLogSetting",
    "DeleteChatFlowLogSetting",
];

impl ChatFlowAction {
    /// Reads the parameters of a query string or a form, `Action` among them.
    ///
    /// # Errors
    /// The answer to be sent: 422, with the first parameter that breaks a rule as its code, and all
    /// of them in its message.
    pub fn from_parameters<K: Into<String>, V: Into<String>>(
        parameters: impl IntoIterator<Item = (K, V)>,
        request_id: &str,
    ) -> Result<Self, HttpAnswer> {
        let mut fields = BodyReader::of_texts(parameters);
        let action = fields.required("Action");
        let read = match fields.check_one_of("Action", &action, &ACTIONS) {
            true => Self::read(&action, fields),
            false => fields.finish(()).and(Err(FieldErrors::default())),
        };
        read.map_err(|errors| invalid(&errors, request_id))
    }

    fn read(action: &str, mut fields: BodyReader) -> Result<Self, FieldErrors> {
        if action == "TriggerChatFlow" {
            return TriggerChatFlow::read(fields).map(Self::Trigger);
        }
        let read = match action {
            "CreateChatFlow" => Self::Create {
                flow_code: fields.text("FlowCode"),
                title: fields.required_name("Title"),
                remark: fields.text("Remark"),
                trigger_type: trigger_type(&mut fields),
                from: fields.text("CreateFromFlowCode"),
                from_version: version(&mut fields, "CreateFromFlowVersion"),
            },
            "ListChatFlow" => Self::List {
                keyword: fields.text("Keyword"),
                trigger_type: trigger_type(&mut fields),
                flow_status: one_of(&mut fields, "FlowStatus", &["Published", "Unpublished"]),
                phone_number: fields.text("PhoneNumber"),
                page: page(&mut fields),
            },
            "ImportChatFlow" => Self::Import {
                flow_code: fields.text("FlowCode"),
                title: fields.name("Title"),
                remark: fields.text("Remark"),
                flow_view_model: view_model(&mut fields),
            },
            other => Self::read_of_flow(other, &mut fields),
        };
        fields.finish(read)
    }

    /// The operations that are about one flow.
    fn read_of_flow(action: &str, fields: &mut BodyReader) -> Self {
        let flow_code = fields.required("FlowCode");
        match action {
            "UpdateChatFlow" => {
                let (title, remark) = (fields.name("Title"), fields.text_or_empty("Remark"));
                Self::Update { flow_code, title, remark }
            }
            "DeleteChatFlow" => Self::Delete { flow_code },
            "ExportChatFlow" => Self::Export { flow_code, version: version(fields, "FlowVersion") },
            "OnlineFlowVersion" => Self::Online { flow_code, version: version(fields, "FlowVersion") },
            "OfflineFlowVersion" => Self::Offline { flow_code, version: version(fields, "FlowVersion") },
            "ListFlowVersion" => Self::ListVersions {
                flow_code,
                status: one_of(fields, "Status", &["DRAFT", "DELETED", "ONLINE", "OFFLINE"]),
                page: page(fields),
            },
            "ReadFlowVersion" => Self::ReadVersion { flow_code, version: version(fields, "FlowVersion") },
            "GetChatFlowMetric" => metric(flow_code, fields),
            "CreateChatFlowLogSetting" => Self::CreateLogSetting { flow_code },
            "ReadChatFlowLogSetting" => Self::ReadLogSetting { flow_code },
            "DeleteChatFlowLogSetting" => Self::DeleteLogSetting { flow_code },
            _ => {
                let status = one_of(fields, "Status", &["ENABLED", "DISABLED", "DELETED"]);
                if status.is_none() {
                    fields.lacks("Status");
                }
                Self::UpdateLogSetting { flow_code, status: status.unwrap_or_default() }
            }
        }
    }
}

fn one_of(fields: &mut BodyReader, field: &'static str, words: &[&str]) -> Option<String> {
    let word = fields.text(field)?;
    fields.check_one_of(field, &word, words).then_some(word)
}

fn trigger_type(fields: &mut BodyReader) -> Option<FlowTriggerType> {
    let word = fields.text("FlowTriggerType")?;
    let read = FlowTriggerType::parse(&word);
    if read.is_none() {
        let rule =
            "must be `TriggeredManually`, or `TriggeredBy` and a channel, such as `TriggeredByWhatsApp`";
        fields.breaks("FlowTriggerType", rule);
    }
    read
}

fn version(fields: &mut BodyReader, field: &'static str) -> Option<FlowVersion> {
    let number = fields.integer(field)?;
    match u32::try_from(number) {
        Ok(number) if number > 0 => Some(FlowVersion(number)),
        _ => {
            fields.breaks(field, "must be the number of a version, from 1");
            None
        }
    }
}

fn page(fields: &mut BodyReader) -> PageParameters {
    let usual = PageParameters::default();
    PageParameters {
        number: within(fields, "PageNo", u32::MAX).unwrap_or(usual.number),
        size: within(fields, "PageSize", 100).unwrap_or(usual.size),
    }
}

fn within(fields: &mut BodyReader, field: &'static str, most: u32) -> Option<u32> {
    let number = fields.integer(field)?;
    let number = u32::try_from(number).ok().filter(|number| (1..=most).contains(number));
    if number.is_none() {
        fields.breaks(field, format_args!("must be between 1 and {most}"));
    }
    number
}

fn view_model(fields: &mut BodyReader) -> FlowViewModel {
    let Some(model) = fields.object_or_text("FlowViewModel") else {
        fields.lacks("FlowViewModel");
        return FlowViewModel::default();
    };
    let read = serde_json::from_value::<FlowViewModel>(model.into());
    let checked = read.map_err(|error| error.to_string()).and_then(|model| match model.definition() {
        Ok(_) => Ok(model),
        Err(rule) => Err(rule.to_owned()),
    });
    checked.unwrap_or_else(|rule| {
        fields.breaks("FlowViewModel", rule);
        FlowViewModel::default()
    })
}

fn metric(flow_code: String, fields: &mut BodyReader) -> ChatFlowAction {
    let name = fields.required("MetricName");
    let metric = match &*name {
        "nodeUsageStatistics" | "" => FlowMetric::NodeUsage,
        "nodeErrorDetails" => FlowMetric::NodeErrors,
        _ => {
            fields.breaks("MetricName", "must be `nodeUsageStatistics` or `nodeErrorDetails`");
            FlowMetric::NodeUsage
        }
    };
    let mut inside = BodyReader::of(fields.object_or_text("MetricParam").unwrap_or_default());
    let usual = PageParameters::default();
    let node = inside.text("nodeId");
    let page = PageParameters {
        number: within(&mut inside, "pageNo", u32::MAX).unwrap_or(usual.number),
        size: within(&mut inside, "pageSize", 100).unwrap_or(usual.size),
    };
    fields.take_errors("MetricParam.", inside);
    let (from, to) = (seconds(fields, "From"), seconds(fields, "To"));
    ChatFlowAction::Metric { flow_code, metric, node, page, from, to }
}

fn seconds(fields: &mut BodyReader, field: &'static str) -> Option<DateTime<Utc>> {
    let at = DateTime::from_timestamp(fields.integer(field)?, 0);
    if at.is_none() {
        fields.breaks(field, "must be a time that a date can say");
    }
    at
}
