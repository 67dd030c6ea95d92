//! Flows: made, described, switched on and off, thrown away.

use axum::Json;
use axum::http::header::{ETAG, IF_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use chatflow::flow::{FlowDef, Issue, TriggerDef, gallery};
use chatflow::id::FlowVersion;
use chatflow::ops::{Amendment, FlowStatus, Imported, Logging, Unpublish};
use chatflow::store::{AccountName, FlowState};
use chatflow::{Account, Channel, Error, FlowId};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::app::Bot;
use crate::error::{ApiError, ErrorBody, Refusals};
use crate::guard::Tenant;
use crate::input::{InPath, JsonBody, OptionalBody};

/// A flow.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowView {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its authors' remark.
    pub remark: Option<String>,
    /// `published` or `unpublished`.
    #[schema(value_type = String)]
    pub state: FlowState,
    /// The version that new sessions start on.
    #[schema(value_type = Option<u32>)]
    pub online: Option<FlowVersion>,
    /// All published versions, oldest first.
    #[schema(value_type = Vec<Object>)]
    pub versions: Vec<chatflow::store::VersionEntry>,
    /// The scope of new sessions' journals: `off`, `on` or `texts`.
    pub logging: LoggingWord,
    /// The accounts whose messages may start it.
    #[schema(value_type = Vec<AccountView>)]
    pub accounts: Vec<Account>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// The revision, which is the ETag of its draft.
    pub revision: u64,
    /// Its live sessions.
    pub live: u64,
    /// The trigger of its draft, as it is written.
    #[schema(value_type = Object)]
    pub trigger: Value,
    /// The nodes of its draft.
    pub nodes: usize,
    /// True if its draft is not what is online.
    pub changed: bool,
    /// The names that its accounts go by with people.
    #[schema(value_type = Vec<Object>)]
    pub account_names: Vec<AccountName>,
}

/// The scope of a journal.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoggingWord {
    /// Nothing.
    Off,
    /// Each turn.
    On,
    /// The texts that were sent, too.
    Texts,
}

/// An account of a channel.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountView {
    /// The channel, such as `whatsapp`.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z][a-z0-9_.-]{0,63}$")]
    pub channel: String,
    /// The account there, such as a telephone number.
    #[schema(min_length = 1, max_length = 256)]
    pub account: String,
}

impl AccountView {
    /// The account, checked.
    ///
    /// # Errors
    /// 422 for the field that breaks a rule.
    pub fn checked(&self) -> Result<Account, ApiError> {
        let channel = Channel::parse(&self.channel).map_err(|rule| ApiError::invalid("channel", rule))?;
        Account::new(channel, &self.account).map_err(|rule| ApiError::invalid("account", rule))
    }
}

/// A flow with what is wrong with its draft.
#[derive(Debug, Serialize, ToSchema)]
pub struct DraftView {
    /// The flow.
    pub flow: FlowView,
    /// The issues; errors block publishing, and nothing else.
    #[schema(value_type = Vec<Object>)]
    pub issues: Vec<Issue>,
}

/// Reads a flow's code out of a path.
///
/// # Errors
/// 404: a text that is no code names no flow.
pub fn code(text: &str) -> Result<FlowId, ApiError> {
    FlowId::new(text).map_err(|_| ApiError::not_found("there is no such flow"))
}

/// The code of a flow that is to be made.
///
/// # Errors
/// 422.
fn new_code(text: &str) -> Result<FlowId, ApiError> {
    check_code(text).map_err(|rule| ApiError::invalid("code", rule))
}

/// Reads the code of a flow that is to be made: one that a path can name.
///
/// # Errors
/// The rule that it breaks.
pub fn check_code(text: &str) -> Result<FlowId, String> {
    // Clients take these for a step in the path, however they are written.
    if matches!(text, "." | "..") {
        return Err("must not be `.` or `..`, which no address can name".to_owned());
    }
    FlowId::new(text).map_err(|rule| rule.to_string())
}

/// The flow as the API shows it.
///
/// # Errors
/// The store's error.
pub async fn view(bot: &Bot, status: FlowStatus) -> Result<FlowView, ApiError> {
    let logging = match (status.logging, status.log_texts) {
        (false, _) => LoggingWord::Off,
        (true, false) => LoggingWord::On,
        (true, true) => LoggingWord::Texts,
    };
    let flows = bot.flows();
    let draft = flows.export(&status.flow, None).await?;
    let online = match status.online {
        Some(version) => Some(flows.export(&status.flow, Some(version)).await?),
        None => None,
    };
    let written: Value = serde_json::from_str(&draft).unwrap_or_default();
    Ok(FlowView {
        trigger: written["trigger"].clone(),
        nodes: written["nodes"].as_array().map_or(0, Vec::len),
        changed: online.is_none_or(|online| online != draft),
        account_names: status.account_names,
        live: bot.live_sessions(&status.flow).await?,
        code: status.flow.to_string(),
        name: status.name.to_string(),
        remark: status.remark.map(|remark| remark.to_string()),
        state: status.state,
        online: status.online,
        versions: status.versions,
        logging,
        accounts: status.accounts,
        created_at: status.created_at,
        revision: status.revision,
    })
}

/// An answer that carries a flow's revision as its ETag.
pub fn with_etag(revision: u64, answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{revision}\"")) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// All flows.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowList {
    /// By code.
    flows: Vec<FlowView>,
}

/// Lists the flows.
#[utoipa::path(get, path = "/api/v1/flows", tag = "flows",
    responses((status = 200, description = "The flows.", body = FlowList), Refusals))]
pub async fn list(Tenant { bot, .. }: Tenant) -> Result<Json<FlowList>, ApiError> {
    let views = stream::iter(bot.flows().list().await?).map(|status| view(&bot, status)).buffered(16);
    let mut flows = Vec::new();
    for seen in views.collect::<Vec<_>>().await {
        match seen {
            Ok(flow) => flows.push(flow),
            // It was deleted meanwhile.
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Json(FlowList { flows }))
}

/// A new flow: blank, from a template, or from a definition.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFlow {
    /// Its code; of a definition its own if absent.
    #[schema(min_length = 1, max_length = 256)]
    code: Option<String>,
    /// The name of a blank flow.
    name: Option<String>,
    /// The trigger of a blank flow, as a flow file says it; by call if absent.
    #[schema(value_type = Option<Object>)]
    trigger: Option<Value>,
    /// The code of a template.
    template: Option<String>,
    /// A definition.
    #[schema(value_type = Option<Object>)]
    definition: Option<Value>,
}

/// Makes a flow, as a draft.
#[utoipa::path(post, path = "/api/v1/flows", tag = "flows", request_body = NewFlow,
    responses((status = 201, description = "Made.", body = DraftView), Refusals))]
pub async fn create(
    Tenant { bot, .. }: Tenant,
    JsonBody(new): JsonBody<NewFlow>,
) -> Result<Response, ApiError> {
    let flows = bot.flows();
    let named = |code: Option<String>| {
        let code = code.ok_or_else(|| ApiError::invalid("code", "is required"))?;
        new_code(&code)
    };
    let made = match (new.definition, new.template) {
        (Some(_), Some(_)) => {
            return Err(ApiError::invalid("template", "must not be given together with `definition`"));
        }
        (Some(definition), None) => {
            let (json, own) = (definition.to_string(), definition["code"].as_str());
            let code = new.code.as_deref().or(own).unwrap_or_default();
            let code = new_code(code)?;
            if flows.get(&code).await?.is_some() {
                return Err(ApiError::invalid("code", "belongs to another flow"));
            }
            flows.import_as(&json, code.as_str()).await?
        }
        (None, Some(template)) => flows.create_from_template(&template, named(new.code)?.as_str()).await?,
        (None, None) => {
            let code = named(new.code)?;
            let trigger = new.trigger.map_or(Ok(TriggerDef::Manual), trigger)?;
            flows.create(code.as_str(), new.name.as_deref().unwrap_or(code.as_str()), trigger).await?
        }
    };
    let revision = made.status.revision;
    let body = draft_view(&bot, made).await?;
    Ok(with_etag(revision, (StatusCode::CREATED, Json(body))))
}

/// Reads a trigger as a flow file has it.
fn trigger(json: Value) -> Result<TriggerDef, ApiError> {
    let file = serde_json::json!({"spec": 1, "code": "trigger", "trigger": json, "nodes": [], "edges": []});
    let read = FlowDef::from_json(&file.to_string());
    read.map(|def| def.trigger).map_err(|issues| chatflow::Error::from(issues).into())
}

/// The flow after a change, with its issues.
///
/// # Errors
/// The store's error.
pub async fn draft_view(bot: &Bot, made: Imported) -> Result<DraftView, ApiError> {
    let issues = made.issues.iter().cloned().collect();
    Ok(DraftView { flow: view(bot, made.status).await?, issues })
}

/// Returns one flow.
#[utoipa::path(get, path = "/api/v1/flows/{code}", tag = "flows", params(("code" = String, Path)),
    responses((status = 200, description = "The flow; its ETag is the revision.", body = FlowView), Refusals))]
pub async fn get(Tenant { bot, .. }: Tenant, InPath(name): InPath<String>) -> Result<Response, ApiError> {
    let status = found(&bot, &name).await?;
    Ok(with_etag(status.revision, Json(view(&bot, status).await?)))
}

/// The flow of a code.
///
/// # Errors
/// 404.
pub async fn found(bot: &Bot, name: &str) -> Result<FlowStatus, ApiError> {
    let code = code(name)?;
    let status = bot.flows().get(&code).await?;
    status.ok_or_else(|| chatflow::Error::FlowNotFound(code).into())
}

/// Changes that a flow takes at any time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FlowEdit {
    /// Another name.
    name: Option<String>,
    /// Another remark.
    remark: Option<String>,
    /// The scope of the journals of sessions that start from now on.
    logging: Option<LoggingWord>,
}

/// Renames a flow, notes a remark, switches its journal: all that is asked, or nothing.
#[utoipa::path(patch, path = "/api/v1/flows/{code}", tag = "flows", params(("code" = String, Path)),
    request_body = FlowEdit, responses((status = 200, description = "The flow.", body = FlowView), Refusals))]
pub async fn edit(
    Tenant { bot, .. }: Tenant,
    InPath(name): InPath<String>,
    JsonBody(edit): JsonBody<FlowEdit>,
) -> Result<Response, ApiError> {
    let mut amendment = Amendment::new();
    if let Some(name) = edit.name {
        amendment = amendment.name(name);
    }
    if let Some(remark) = edit.remark {
        amendment = amendment.remark(remark);
    }
    if let Some(word) = edit.logging {
        amendment = amendment.logging(match word {
            LoggingWord::Off => Logging::Off,
            LoggingWord::On => Logging::On,
            LoggingWord::Texts => Logging::Texts,
        });
    }
    let status = bot.flows().amend(&code(&name)?, &amendment).await?;
    Ok(with_etag(status.revision, Json(view(&bot, status).await?)))
}

/// Deletes an unpublished flow, for good.
#[utoipa::path(delete, path = "/api/v1/flows/{code}", tag = "flows", params(("code" = String, Path)),
    responses((status = 204, description = "Deleted."), Refusals))]
pub async fn delete(
    Tenant { bot, .. }: Tenant,
    InPath(name): InPath<String>,
) -> Result<StatusCode, ApiError> {
    bot.flows().delete(&code(&name)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Puts the draft online as a new version: the one that was read, if `If-Match` has its ETag.
#[utoipa::path(post, path = "/api/v1/flows/{code}/publish", tag = "flows",
    params(("code" = String, Path), ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    responses((status = 200, description = "The flow.", body = FlowView),
        (status = 412, description = "Somebody changed the flow meanwhile.", body = ErrorBody), Refusals))]
pub async fn publish(
    Tenant { bot, holder }: Tenant,
    InPath(name): InPath<String>,
    headers: HeaderMap,
) -> Result<Json<FlowView>, ApiError> {
    let (code, flows) = (code(&name)?, bot.flows().by(holder.name));
    let published = match headers.contains_key(IF_MATCH) {
        true => {
            let read = revision_read(&headers, &found(&bot, &name).await?)?;
            flows.publish_revision(&code, read).await
        }
        false => flows.publish(&code).await,
    };
    match published {
        Err(stale @ Error::Stale(_)) => Err(ApiError::new(StatusCode::PRECONDITION_FAILED, "stale", stale)),
        published => Ok(Json(view(&bot, published?).await?)),
    }
}

/// The way in which a flow goes offline.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Retirement {
    /// `drain` lets live sessions run to their end, `terminate` cancels them; `drain` if absent.
    #[serde(default)]
    mode: RetirementMode,
}

/// The effect on live sessions.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum RetirementMode {
    /// They run to their end.
    #[default]
    Drain,
    /// They are cancelled.
    Terminate,
}

/// Takes a flow offline.
#[utoipa::path(post, path = "/api/v1/flows/{code}/unpublish", tag = "flows", params(("code" = String, Path)),
    request_body = Option<Retirement>, responses((status = 200, description = "The flow.", body = FlowView), Refusals))]
pub async fn unpublish(
    Tenant { bot, .. }: Tenant,
    InPath(name): InPath<String>,
    OptionalBody(how): OptionalBody<Retirement>,
) -> Result<Json<FlowView>, ApiError> {
    let how = match how.mode {
        RetirementMode::Drain => Unpublish::Drain,
        RetirementMode::Terminate => Unpublish::Terminate,
    };
    let status = bot.flows().unpublish(&code(&name)?, how).await?;
    Ok(Json(view(&bot, status).await?))
}

/// Names a version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionName {
    /// Its number.
    #[schema(minimum = 1)]
    version: u32,
}

/// Puts an earlier version online again.
#[utoipa::path(post, path = "/api/v1/flows/{code}/roll-back", tag = "flows", params(("code" = String, Path)),
    request_body = VersionName, responses((status = 200, description = "The flow.", body = FlowView), Refusals))]
pub async fn roll_back(
    Tenant { bot, holder }: Tenant,
    InPath(name): InPath<String>,
    JsonBody(to): JsonBody<VersionName>,
) -> Result<Json<FlowView>, ApiError> {
    let status = bot.flows().by(holder.name).roll_back(&code(&name)?, FlowVersion(to.version)).await?;
    Ok(Json(view(&bot, status).await?))
}

/// The accounts whose messages start a flow.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Accounts {
    /// All of them: those that were bound before are replaced.
    accounts: Vec<AccountView>,
    /// Names that they go by with people, as `{"account": {"channel", "account"}, "name"}`.
    #[serde(default)]
    names: Vec<AccountNaming>,
}

/// The name that an account goes by with people.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountNaming {
    /// The account.
    account: AccountView,
    /// Its name; empty for none.
    #[schema(max_length = 256)]
    name: String,
}

/// Binds an unpublished flow to accounts.
#[utoipa::path(put, path = "/api/v1/flows/{code}/accounts", tag = "flows", params(("code" = String, Path)),
    request_body = Accounts, responses((status = 200, description = "The flow.", body = FlowView), Refusals))]
pub async fn bind(
    Tenant { bot, .. }: Tenant,
    InPath(name): InPath<String>,
    JsonBody(to): JsonBody<Accounts>,
) -> Result<Json<FlowView>, ApiError> {
    let accounts: Result<Vec<Account>, ApiError> = to.accounts.iter().map(AccountView::checked).collect();
    let named = |naming: &AccountNaming| {
        Ok(AccountName { account: naming.account.checked()?, name: naming.name.as_str().into() })
    };
    let names: Result<Vec<AccountName>, ApiError> = to.names.iter().map(named).collect();
    let status = bot.flows().bind_named(&code(&name)?, &accounts?, &names?).await?;
    Ok(Json(view(&bot, status).await?))
}

/// A template.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateView {
    /// Its code.
    code: &'static str,
    /// Its name.
    name: &'static str,
    /// Its purpose.
    description: &'static str,
    /// True if a call starts it; else messages do.
    is_manual: bool,
}

/// The templates.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateList {
    /// In the order of the gallery.
    templates: Vec<TemplateView>,
}

/// Lists the templates to begin with.
#[utoipa::path(get, path = "/api/v1/templates", tag = "flows",
    responses((status = 200, description = "The templates.", body = TemplateList), Refusals))]
pub async fn templates(_: Tenant) -> Json<TemplateList> {
    let templates = gallery::templates().iter().map(|template| TemplateView {
        code: template.code,
        name: template.name,
        description: template.description,
        is_manual: template.is_manual,
    });
    Json(TemplateList { templates: templates.collect() })
}

/// The revision of a flow that a request says it read: of a list that which the flow is at, if it
/// is there; with `*` whichever that is.
///
/// # Errors
/// 428 when it says none; 412 when it is none.
pub fn revision_read(headers: &HeaderMap, flow: &FlowStatus) -> Result<u64, ApiError> {
    if !headers.contains_key(IF_MATCH) {
        let rule = "the header If-Match must name the revision that was read";
        return Err(ApiError::new(StatusCode::PRECONDITION_REQUIRED, "precondition_required", rule));
    }
    let lines = headers.get_all(IF_MATCH).into_iter().filter_map(|line| line.to_str().ok());
    let read: Vec<u64> = lines.flat_map(|line| line.split(',')).filter_map(|tag| named(tag, flow)).collect();
    let current = read.iter().find(|revision| **revision == flow.revision);
    current.or(read.first()).copied().ok_or_else(|| {
        let rule = "the header If-Match names no revision of this flow";
        ApiError::new(StatusCode::PRECONDITION_FAILED, "stale", rule)
    })
}

/// The revision that a tag names. A proxy that compresses makes it a weak one; the number in it is
/// the same.
fn named(tag: &str, flow: &FlowStatus) -> Option<u64> {
    match tag.trim() {
        "*" => Some(flow.revision),
        tag => tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"')?.strip_suffix('"')?.parse().ok(),
    }
}
