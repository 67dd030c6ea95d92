//! The operations of Alibaba's API, each a few lines around the engine: triggered, made, named,
//! listed, deleted, put online and offline, counted, logged.

use std::sync::Arc;

use chatflow::flow::{FlowDef, TriggerDef};
use chatflow::id::{FlowVersion, NodeId};
use chatflow::ops::{Amendment, FlowStatus, Imported, JournalFilter, Logging, NodeCount, Unpublish};
use chatflow::wire::HttpAnswer;
use chatflow::wire::alibaba::{
    ChatFlowAction, ChatFlowItem, FlowMetric, FlowTriggerType, FlowVersionItem, FlowViewModel,
    LogSettingItem, NodeErrorItem, NodeUsageItem, PageAnswer, PageParameters, answer, done, refused,
    version_done,
};
use chatflow::{Error, FlowId};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::json;

use crate::app::Bot;
use crate::guard::Tenant;
use crate::routes::flows::check_code;

/// Does what an action says, and answers as the product does.
pub async fn operate(tenant: &Tenant, action: ChatFlowAction, request_id: &str) -> HttpAnswer {
    let bot = &tenant.bot;
    let outcome = match action {
        ChatFlowAction::Trigger(asked) => {
            return match asked.into_request(request_id) {
                Ok(request) => answer(&bot.trigger(request).await, request_id),
                Err(refused) => refused,
            };
        }
        ChatFlowAction::Online { flow_code, version } => {
            online(tenant, &flow_code, version, request_id).await
        }
        ChatFlowAction::Offline { flow_code, version } => offline(bot, &flow_code, version, request_id).await,
        ChatFlowAction::ListVersions { flow_code, status, page } => {
            versions(bot, &flow_code, status.as_deref(), page, request_id).await
        }
        ChatFlowAction::ReadVersion { flow_code, version } => {
            read_version(bot, &flow_code, version, request_id).await
        }
        other => flow(bot, other).await.map(|data| done(&data, request_id)),
    };
    outcome.unwrap_or_else(|error| refused(&error, request_id))
}

/// The operations that answer by `Data`.
async fn flow(bot: &Bot, action: ChatFlowAction) -> Result<serde_json::Value, Error> {
    match action {
        ChatFlowAction::Create { flow_code, title, remark, trigger_type, from, from_version } => {
            let code = code_for(flow_code)?;
            let json = match from {
                None => FlowDef::blank(&code, trigger_type.unwrap_or_default().trigger()).to_json().into(),
                Some(source) => copied(bot, &source, from_version, trigger_type).await?,
            };
            let remark = remark.unwrap_or_default();
            made(bot, bot.flows().import_named(&json, &code, &title, &remark).await?).await
        }
        ChatFlowAction::Import { flow_code, title, remark, flow_view_model } => {
            let code = code_for(flow_code)?;
            let definition = flow_view_model.definition().map_err(|rule| invalid("FlowViewModel", rule))?;
            if title.is_none() && remark.is_none() {
                if bot.flows().get(&named(&code)?).await?.is_some() {
                    return Err(invalid("code", "belongs to another flow"));
                }
                return made(bot, bot.flows().import_as(definition, &code).await?).await;
            }
            let own = OwnNames::of(definition);
            let title = title.or(own.name).unwrap_or_else(|| code.clone());
            let remark = remark.or(own.remark).unwrap_or_default();
            made(bot, bot.flows().import_named(definition, &code, &title, &remark).await?).await
        }
        ChatFlowAction::Update { flow_code, title, remark } => {
            let mut amendment = Amendment::new();
            if let Some(title) = title {
                amendment = amendment.name(title);
            }
            if let Some(remark) = remark {
                amendment = amendment.remark(remark);
            }
            Ok(encoded(&item(bot, &bot.flows().amend(&named(&flow_code)?, &amendment).await?).await?))
        }
        ChatFlowAction::Delete { flow_code } => {
            bot.flows().delete(&named(&flow_code)?).await?;
            Ok(json!({}))
        }
        ChatFlowAction::Export { flow_code, version } => {
            let json = bot.flows().export(&named(&flow_code)?, version).await?;
            Ok(json!({"FlowViewModel": FlowViewModel::of(&json, &trigger(&json)).to_json()}))
        }
        ChatFlowAction::List { keyword, trigger_type, flow_status, phone_number, page } => {
            let wanted = Wanted { keyword, trigger_type, flow_status, phone_number };
            list(bot, &wanted, page).await
        }
        ChatFlowAction::Metric { flow_code, metric, node, page, from, to } => {
            counted(bot, &flow_code, metric, node, page, (from, to)).await
        }
        ChatFlowAction::CreateLogSetting { flow_code } => log(bot, &flow_code, Some(Logging::On)).await,
        ChatFlowAction::ReadLogSetting { flow_code } => log(bot, &flow_code, None).await,
        ChatFlowAction::DeleteLogSetting { flow_code } => log(bot, &flow_code, Some(Logging::Off)).await,
        ChatFlowAction::UpdateLogSetting { flow_code, status } => {
            log(bot, &flow_code, Some(Logging::from(status == "ENABLED"))).await
        }
        _ => Err(invalid("Action", "is not one that this service knows")),
    }
}

fn invalid(field: &'static str, rule: impl ToString) -> Error {
    Error::InvalidInput { field: field.into(), rule: rule.to_string() }
}

fn named(code: &str) -> Result<FlowId, Error> {
    FlowId::new(code).map_err(|rule| invalid("flow", rule))
}

/// The code of a new flow: the one that is asked for, else one of our own.
fn code_for(asked: Option<String>) -> Result<String, Error> {
    if let Some(code) = asked {
        return check_code(&code).map(|_| code).map_err(|rule| invalid("code", rule));
    }
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| invalid("flow", error))?;
    Ok(crate::tokens::hex(&bytes))
}

/// The definition of a flow that another one is made from.
async fn copied(
    bot: &Bot,
    source: &str,
    version: Option<FlowVersion>,
    trigger_type: Option<FlowTriggerType>,
) -> Result<Arc<str>, Error> {
    let of_source = |field: &str| match field {
        "version" => "CreateFromFlowVersion",
        _ => "CreateFromFlowCode",
    };
    let json = bot.flows().export(&named(source)?, version).await.map_err(|error| match error {
        Error::InvalidInput { field, rule } => invalid(of_source(&field), rule),
        other => other,
    })?;
    match trigger_type.filter(|wanted| *wanted != FlowTriggerType::of(&trigger(&json))) {
        None => Ok(json),
        Some(_) => Err(invalid("FlowTriggerType", "differs from that of the flow that it is made from")),
    }
}

async fn found(bot: &Bot, code: &str) -> Result<FlowStatus, Error> {
    let code = named(code)?;
    bot.flows().get(&code).await?.ok_or(Error::FlowNotFound(code))
}

/// The trigger of a definition; a draft that cannot be read is started by nobody as yet.
fn trigger(definition: &str) -> TriggerDef {
    FlowDef::from_json(definition).map_or(TriggerDef::Manual, |def| def.trigger)
}

fn encoded(value: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or_default()
}

async fn item(bot: &Bot, flow: &FlowStatus) -> Result<ChatFlowItem, Error> {
    let definition = bot.flows().export(&flow.flow, flow.online).await?;
    Ok(ChatFlowItem::of(flow, &trigger(&definition)))
}

async fn made(bot: &Bot, imported: Imported) -> Result<serde_json::Value, Error> {
    Ok(encoded(&item(bot, &imported.status).await?))
}

/// The names that a definition has itself, whatever else is wrong with it.
#[derive(Default, Deserialize)]
struct OwnNames {
    name: Option<String>,
    remark: Option<String>,
}

impl OwnNames {
    fn of(definition: &str) -> Self {
        serde_json::from_str(definition).unwrap_or_default()
    }
}

/// The flows that a list is to have.
struct Wanted {
    keyword: Option<String>,
    trigger_type: Option<FlowTriggerType>,
    flow_status: Option<String>,
    phone_number: Option<String>,
}

impl Wanted {
    fn has(&self, flow: &ChatFlowItem) -> bool {
        let is = |wanted: &Option<String>, word: &str| wanted.as_deref().is_none_or(|wanted| wanted == word);
        let has_keyword = self.keyword.as_ref().is_none_or(|word| {
            let word = word.to_lowercase();
            flow.title.to_lowercase().contains(&word) || flow.flow_code.to_lowercase().contains(&word)
        });
        let kind = self.trigger_type.as_ref().map(ToString::to_string);
        let number = self.phone_number.as_deref().map(digits);
        has_keyword
            && is(&self.flow_status, &flow.flow_status)
            && is(&kind, &flow.flow_trigger_type)
            && number.is_none_or(|number| flow.phone_numbers.iter().any(|own| digits(own) == number))
    }
}

/// A number as webhooks write it, without `+`; anything else as it is.
fn digits(number: &str) -> String {
    let written = number.trim().trim_start_matches('+');
    let is_number = written.bytes().all(|byte| byte.is_ascii_digit() || b" -()".contains(&byte));
    if is_number { written.chars().filter(char::is_ascii_digit).collect() } else { number.to_owned() }
}

async fn list(bot: &Bot, wanted: &Wanted, page: PageParameters) -> Result<serde_json::Value, Error> {
    let mut items = Vec::new();
    for flow in bot.flows().list().await? {
        let item = item(bot, &flow).await?;
        if wanted.has(&item) {
            items.push(item);
        }
    }
    Ok(encoded(&PageAnswer::of(&items, page)))
}

async fn online(
    tenant: &Tenant,
    code: &str,
    version: Option<FlowVersion>,
    request_id: &str,
) -> Result<HttpAnswer, Error> {
    let (code, flows) = (named(code)?, tenant.bot.flows().by(tenant.holder.name.clone()));
    let flow = match version {
        Some(version) => flows.roll_back(&code, version).await?,
        None => flows.publish(&code).await?,
    };
    Ok(version_done(&online_item(&flow), request_id))
}

fn online_item(flow: &FlowStatus) -> FlowVersionItem {
    let online = flow.versions.iter().find(|entry| Some(entry.version) == flow.online);
    online.map_or_else(FlowVersionItem::draft, FlowVersionItem::of)
}

async fn offline(
    bot: &Bot,
    code: &str,
    version: Option<FlowVersion>,
    request_id: &str,
) -> Result<HttpAnswer, Error> {
    let flow = found(bot, code).await?;
    if version.is_some() && version != flow.online {
        return Err(invalid("version", "is not the one that is online"));
    }
    // The product says that the flow stops running.
    bot.flows().unpublish(&flow.flow, Unpublish::Terminate).await?;
    let offline = FlowVersionItem { status: "OFFLINE".to_owned(), ..online_item(&flow) };
    Ok(version_done(&offline, request_id))
}

async fn versions(
    bot: &Bot,
    code: &str,
    status: Option<&str>,
    page: PageParameters,
    request_id: &str,
) -> Result<HttpAnswer, Error> {
    let flow = found(bot, code).await?;
    let published = flow.versions.iter().rev().map(FlowVersionItem::of);
    let items = [FlowVersionItem::draft()].into_iter().chain(published);
    let items: Vec<_> = items.filter(|item| status.is_none_or(|wanted| wanted == item.status)).collect();
    Ok(version_done(&PageAnswer::of(&items, page), request_id))
}

async fn read_version(
    bot: &Bot,
    code: &str,
    version: Option<FlowVersion>,
    request_id: &str,
) -> Result<HttpAnswer, Error> {
    let flow = found(bot, code).await?;
    let json = bot.flows().export(&flow.flow, version).await?;
    let entry = flow.versions.iter().find(|entry| Some(entry.version) == version);
    let mut read = encoded(&entry.map_or_else(FlowVersionItem::draft, FlowVersionItem::of));
    read["FlowCode"] = code.into();
    read["FlowViewModel"] = FlowViewModel::of(&json, &trigger(&json)).to_json().into();
    Ok(version_done(&read, request_id))
}

async fn counted(
    bot: &Bot,
    code: &str,
    metric: FlowMetric,
    node: Option<String>,
    page: PageParameters,
    (from, to): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
) -> Result<serde_json::Value, Error> {
    let (flow, now) = (found(bot, code).await?.flow, Utc::now());
    let from = from.unwrap_or(now - TimeDelta::days(7));
    let to = to.unwrap_or(now + TimeDelta::minutes(1));
    let mut filter = JournalFilter::of(flow.clone()).from(from).to(to);
    let node =
        node.map(|node| NodeId::new(node).map_err(|rule| invalid("MetricParam.nodeId", rule))).transpose()?;
    if let Some(node) = &node {
        filter = filter.node(node.clone());
    }
    Ok(match metric {
        FlowMetric::NodeErrors => {
            let errors = bot.node_errors(filter).await?;
            let items: Vec<NodeErrorItem> = errors.iter().map(NodeErrorItem::from).collect();
            encoded(&PageAnswer::of(&items, page))
        }
        _ => {
            let counts = bot.counts(&flow, from..to).await?.total.nodes;
            let journalled = bot.node_counts(filter).await?;
            let is_meant = |of: &NodeId| node.as_ref().is_none_or(|wanted| wanted == of);
            let counts = counts.iter().filter(|(node, _)| is_meant(node));
            let items: Vec<NodeUsageItem> =
                counts.map(|(node, visits)| usage(node, *visits, &journalled)).collect();
            encoded(&PageAnswer::of(&items, page))
        }
    })
}

/// Visits are counted for all sessions, branches and failures for those with a journal.
fn usage(node: &NodeId, visits: u64, journalled: &[NodeCount]) -> NodeUsageItem {
    match journalled.iter().find(|count| count.node == *node) {
        Some(count) => NodeUsageItem { visits, ..NodeUsageItem::from(count) },
        None => NodeUsageItem { node_id: node.to_string(), visits, failures: 0, branches: json!({}) },
    }
}

async fn log(bot: &Bot, code: &str, set: Option<Logging>) -> Result<serde_json::Value, Error> {
    let mut flow = found(bot, code).await?;
    if let Some(logging) = set {
        flow = bot.flows().set_logging(&flow.flow, logging).await?;
    }
    Ok(encoded(&LogSettingItem::from(&flow)))
}
