//! The operations on flows of Alibaba's API, each a few lines around `Flows`: made, named, listed,
//! deleted, put online and offline, counted, logged.

use chatflow::flow::TriggerDef;
use chatflow::id::{FlowId, FlowVersion, NodeId};
use chatflow::ops::{FlowStatus, JournalFilter, Logging, Unpublish};
use chatflow::store::{FlowState, VersionState};
use chatflow::{Channel, Error};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::app::Bot;
use crate::guard::Tenant;
use crate::routes::alibaba::{Key, Outcome, Parameters, RpcError};

/// Does what an action names, and says where its answer belongs.
pub async fn operate(tenant: &Tenant, action: &str, of: &Parameters) -> (Key, Outcome) {
    let bot = &tenant.bot;
    match action {
        "CreateChatFlow" => (Key::Data, create(bot, of).await),
        "UpdateChatFlow" => (Key::Data, update(bot, of).await),
        "ListChatFlow" => (Key::Data, list(bot, of).await),
        "DeleteChatFlow" => (Key::Data, delete(bot, of).await),
        "ImportChatFlow" => (Key::Data, import(bot, of).await),
        "ExportChatFlow" => (Key::Data, export(bot, of).await),
        "OnlineFlowVersion" => (Key::Response, online(tenant, of).await),
        "OfflineFlowVersion" => (Key::Response, offline(bot, of).await),
        "ListFlowVersion" => (Key::Response, versions(bot, of).await),
        "ReadFlowVersion" => (Key::Response, read_version(bot, of).await),
        "GetChatFlowMetric" => (Key::Data, metric(bot, of).await),
        "CreateChatFlowLogSetting" => (Key::Data, log(bot, of, Some(Logging::On)).await),
        "ReadChatFlowLogSetting" => (Key::Data, log(bot, of, None).await),
        "UpdateChatFlowLogSetting" => (Key::Data, update_log(bot, of).await),
        "DeleteChatFlowLogSetting" => (Key::Data, log(bot, of, Some(Logging::Off)).await),
        "" => (Key::Data, Err(RpcError::missing("Action"))),
        _ => (Key::Data, Err(RpcError::invalid("Action", "is not one that this service knows"))),
    }
}

/// The parameter behind a field of the engine.
#[must_use]
pub fn parameter(field: &str) -> &str {
    match field {
        "code" | "flow" => "FlowCode",
        "name" => "Title",
        "remark" => "Remark",
        "version" => "FlowVersion",
        "trigger" => "FlowTriggerType",
        field => field,
    }
}

fn code(of: &Parameters) -> Result<FlowId, RpcError> {
    FlowId::new(of.required("FlowCode")?).map_err(|rule| RpcError::invalid("FlowCode", rule))
}

fn version(of: &Parameters, name: &str) -> Result<Option<FlowVersion>, RpcError> {
    let read = |text: &str| text.parse().map_err(|_| RpcError::invalid(name, "must be a number"));
    Ok(of.text(name).map(read).transpose()?.map(FlowVersion))
}

async fn found(bot: &Bot, of: &Parameters) -> Result<FlowStatus, RpcError> {
    let code = code(of)?;
    Ok(bot.flows().get(&code).await?.ok_or(Error::FlowNotFound(code))?)
}

fn data(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn trigger(of: &Parameters) -> Result<TriggerDef, RpcError> {
    let channel = match of.text("FlowTriggerType") {
        None | Some("TriggeredManually") => return Ok(TriggerDef::Manual),
        Some("TriggeredByWhatsApp") => Channel::WhatsApp,
        Some("TriggeredByInstagram") => Channel::Instagram,
        Some("TriggeredByViber") => Channel::Viber,
        Some("TriggeredByMessenger") => Channel::Messenger,
        Some(_) => return Err(RpcError::invalid("FlowTriggerType", "is not a type of trigger")),
    };
    Ok(TriggerDef::any_message(channel))
}

fn trigger_type(definition: &Value) -> &'static str {
    match definition["trigger"]["channel"].as_str() {
        Some("whatsapp") => "TriggeredByWhatsApp",
        Some("instagram") => "TriggeredByInstagram",
        Some("viber") => "TriggeredByViber",
        Some("messenger") => "TriggeredByMessenger",
        _ => "TriggeredManually",
    }
}

/// A code of our own for a new flow.
fn new_code() -> Result<String, RpcError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| RpcError::invalid("FlowCode", error))?;
    Ok(crate::tokens::hex(&bytes))
}

async fn create(bot: &Bot, of: &Parameters) -> Outcome {
    let (flows, new, title) = (bot.flows(), new_code()?, of.required("Title")?);
    match of.text("CreateFromFlowCode") {
        None => drop(flows.create(&new, title, trigger(of)?).await?),
        Some(source) => {
            let source = FlowId::new(source).map_err(|rule| RpcError::invalid("CreateFromFlowCode", rule))?;
            let json = flows.export(&source, version(of, "CreateFromFlowVersion")?).await?;
            flows.import_as(&json, &new).await?;
        }
    }
    let new = FlowId::new(new).map_err(|rule| RpcError::invalid("FlowCode", rule))?;
    flows.rename(&new, title).await?;
    if let Some(remark) = of.text("Remark") {
        flows.remark(&new, remark).await?;
    }
    Ok(data(json!({"FlowCode": new})))
}

async fn update(bot: &Bot, of: &Parameters) -> Outcome {
    let (flows, code) = (bot.flows(), found(bot, of).await?.flow);
    if let Some(title) = of.text("Title") {
        flows.rename(&code, title).await?;
    }
    if let Some(remark) = of.text("Remark") {
        flows.remark(&code, remark).await?;
    }
    Ok(Map::new())
}

async fn delete(bot: &Bot, of: &Parameters) -> Outcome {
    bot.flows().delete(&code(of)?).await?;
    Ok(Map::new())
}

/// The part of a list that a page is.
fn page<T>(of: &Parameters, all: Vec<T>) -> Result<(Vec<T>, Value), RpcError> {
    let number = of.number("PageNo", 1..=1_000_000, 1)?;
    let size = of.number("PageSize", 1..=100, 10)?;
    let total = all.len();
    let skipped = usize::try_from((number - 1) * size).unwrap_or(usize::MAX);
    let part = all.into_iter().skip(skipped).take(usize::try_from(size).unwrap_or(100)).collect();
    Ok((part, json!({"PageNo": number, "PageSize": size, "Total": total})))
}

async fn list(bot: &Bot, of: &Parameters) -> Outcome {
    let is_meant = |flow: &FlowStatus| {
        let words = of.text("Keyword").map(str::to_lowercase);
        let has_words = words.is_none_or(|words| flow.name.to_lowercase().contains(&words));
        let state = if flow.state == FlowState::Published { "Published" } else { "Unpublished" };
        has_words && of.text("FlowStatus").is_none_or(|wanted| wanted.eq_ignore_ascii_case(state))
    };
    let mut rows = Vec::new();
    for flow in bot.flows().list().await?.into_iter().filter(is_meant) {
        let definition = bot.flows().export(&flow.flow, flow.online).await?;
        let kind = trigger_type(&serde_json::from_str(&definition).unwrap_or_default());
        if of.text("FlowTriggerType").is_none_or(|wanted| wanted == kind) {
            rows.push(row(&flow, kind));
        }
    }
    let (rows, mut answer) = page(of, rows)?;
    answer["List"] = rows.into();
    Ok(data(answer))
}

fn row(flow: &FlowStatus, kind: &str) -> Value {
    json!({
        "FlowCode": flow.flow,
        "Title": flow.name,
        "Remark": flow.remark,
        "FlowTriggerType": kind,
        "FlowStatus": if flow.state == FlowState::Published { "Published" } else { "Unpublished" },
        "Status": "NORMAL",
        "OnlineVersion": flow.online.map(|version| version.to_string()),
        "GmtCreate": flow.created_at.timestamp_millis(),
    })
}

async fn import(bot: &Bot, of: &Parameters) -> Outcome {
    let envelope: Value = serde_json::from_str(of.required("FlowViewModel")?)
        .map_err(|error| RpcError::invalid("FlowViewModel", format_args!("must be JSON: {error}")))?;
    let editor = match &envelope["editor"] {
        Value::String(text) => text.clone(),
        Value::Null => return Err(RpcError::invalid("FlowViewModel", "has no `editor`")),
        flow => flow.to_string(),
    };
    let (flows, new) = (bot.flows(), new_code()?);
    flows.import_as(&editor, &new).await?;
    let new = FlowId::new(new).map_err(|rule| RpcError::invalid("FlowCode", rule))?;
    if let Some(title) = of.text("Title") {
        flows.rename(&new, title).await?;
    }
    if let Some(remark) = of.text("Remark") {
        flows.remark(&new, remark).await?;
    }
    Ok(data(json!({"FlowCode": new})))
}

async fn export(bot: &Bot, of: &Parameters) -> Outcome {
    let json = bot.flows().export(&code(of)?, version(of, "FlowVersion")?).await?;
    let definition: Value = serde_json::from_str(&json).unwrap_or_default();
    let envelope = json!({
        "schema": {"namespace": "chatflow", "version": "1.0"},
        "editor": &*json,
        "flow": {"triggerType": trigger_type(&definition)},
    });
    Ok(data(json!({"FlowViewModel": envelope.to_string()})))
}

async fn online(tenant: &Tenant, of: &Parameters) -> Outcome {
    let flows = tenant.bot.flows().by(tenant.holder.name.clone());
    let status = match version(of, "FlowVersion")? {
        Some(version) => flows.roll_back(&code(of)?, version).await?,
        None => flows.publish(&code(of)?).await?,
    };
    Ok(data(
        json!({"FlowCode": status.flow, "FlowVersion": status.online.map(|version| version.to_string())}),
    ))
}

async fn offline(bot: &Bot, of: &Parameters) -> Outcome {
    let status = found(bot, of).await?;
    let meant = version(of, "FlowVersion")?;
    if meant.is_some() && meant != status.online {
        return Err(RpcError::invalid("FlowVersion", "is not the version that is online"));
    }
    // The product says that the flow stops running.
    let status = bot.flows().unpublish(&status.flow, Unpublish::Terminate).await?;
    Ok(data(json!({"FlowCode": status.flow})))
}

fn word(state: VersionState) -> &'static str {
    match state {
        VersionState::Online => "ONLINE",
        VersionState::Deleted => "DELETED",
        _ => "OFFLINE",
    }
}

async fn versions(bot: &Bot, of: &Parameters) -> Outcome {
    let status = found(bot, of).await?;
    let is_meant = |state: &str| of.text("Status").is_none_or(|wanted| wanted == state);
    let rows: Vec<Value> = status
        .versions
        .iter()
        .rev()
        .filter(|entry| is_meant(word(entry.state)))
        .map(|entry| {
            json!({"FlowVersion": entry.version.to_string(), "Status": word(entry.state),
                "GmtPublish": entry.published_at.timestamp_millis()})
        })
        .collect();
    let (rows, mut answer) = page(of, rows)?;
    answer["List"] = rows.into();
    Ok(data(answer))
}

async fn read_version(bot: &Bot, of: &Parameters) -> Outcome {
    let (code, version) = (code(of)?, version(of, "FlowVersion")?);
    let json = bot.flows().export(&code, version).await?;
    let state = match version {
        None => "DRAFT",
        Some(version) => {
            let known = bot.flows().versions(&code).await?.into_iter().find(|entry| entry.version == version);
            known.map_or("OFFLINE", |entry| word(entry.state))
        }
    };
    Ok(data(
        json!({"FlowCode": code, "FlowVersion": version.map(|version| version.to_string()), "Status": state,
        "FlowViewModel": &*json}),
    ))
}

async fn metric(bot: &Bot, of: &Parameters) -> Outcome {
    let flow = found(bot, of).await?.flow;
    let asked: Value = serde_json::from_str(of.text("MetricParam").unwrap_or("{}"))
        .map_err(|error| RpcError::invalid("MetricParam", format_args!("must be JSON: {error}")))?;
    let now = Utc::now().timestamp();
    let instant = |name: &str, otherwise| {
        let seconds = of.number(name, 0..=253_402_300_799, otherwise)?;
        DateTime::from_timestamp(seconds, 0).ok_or_else(|| RpcError::invalid(name, "must be a time"))
    };
    let (from, to) = (instant("From", now - 7 * 86_400)?, instant("To", now + 60)?);
    let mut filter = JournalFilter::of(flow.clone()).from(from).to(to);
    if let Some(node) = asked["nodeId"].as_str() {
        filter = filter.node(NodeId::new(node).map_err(|rule| RpcError::invalid("MetricParam", rule))?);
    }
    match of.required("MetricName")? {
        "nodeUsageStatistics" => {
            let counts = bot.counts(&flow, from..to).await?.total.nodes;
            let is_meant =
                |node: &NodeId| asked["nodeId"].as_str().is_none_or(|wanted| wanted == node.as_str());
            let rows = counts.iter().filter(|(node, _)| is_meant(node));
            let rows: Vec<Value> =
                rows.map(|(node, count)| json!({"nodeId": node, "count": count})).collect();
            Ok(data(json!({"nodeUsageStatistics": rows})))
        }
        "nodeErrorDetails" => {
            let errors = bot.node_errors(filter).await?;
            let rows = errors.iter().map(|error| {
                json!({"nodeId": error.node, "flowVersion": error.version.to_string(), "time": error.at.timestamp(),
                    "code": error.code, "message": error.message, "sessionId": error.session})
            });
            Ok(data(json!({"nodeErrorDetails": rows.collect::<Vec<_>>()})))
        }
        _ => Err(RpcError::invalid("MetricName", "must be `nodeUsageStatistics` or `nodeErrorDetails`")),
    }
}

async fn log(bot: &Bot, of: &Parameters, set: Option<Logging>) -> Outcome {
    let mut status = found(bot, of).await?;
    if let Some(logging) = set {
        status = bot.flows().set_logging(&status.flow, logging).await?;
    }
    let word = if status.logging { "ENABLED" } else { "DISABLED" };
    Ok(data(json!({"FlowCode": status.flow, "Status": word})))
}

async fn update_log(bot: &Bot, of: &Parameters) -> Outcome {
    let logging = match of.required("Status")? {
        "ENABLED" => Logging::On,
        "DISABLED" | "DELETED" => Logging::Off,
        _ => return Err(RpcError::invalid("Status", "must be `ENABLED`, `DISABLED` or `DELETED`")),
    };
    log(bot, of, Some(logging)).await
}
