//! Talking without an account: what the contact says comes in here, what the flow says is listed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chatflow::Inbound;
use chatflow::session::Profile;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::channels::console::ShownMessage;
use crate::error::{ApiError, Refusals};
use crate::guard::Tenant;
use crate::heard;
use crate::input::{JsonBody, Params};
use crate::routes::flows::AccountView;

/// A message of a contact.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// The channel, such as `whatsapp`.
    channel: String,
    /// The account that it was sent to.
    account: String,
    /// The contact's address.
    from: String,
    /// A text; or
    text: Option<String>,
    /// an option that was offered.
    choice: Option<ChosenOption>,
    /// The channel's id of the message; a message that comes again is taken once.
    id: Option<String>,
    /// The contact's name.
    name: Option<String>,
}

/// An option that was chosen.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChosenOption {
    /// Its `payload`, as it was offered.
    payload: String,
    /// Its `label`.
    #[serde(default)]
    label: String,
}

/// Takes a message of a contact, as a webhook would.
#[utoipa::path(post, path = "/api/v1/messages", tag = "console", request_body = Said,
    responses((status = 200, description = "What it came to, as `outcome`.", body = Object), Refusals))]
pub async fn say(
    State(app): State<Arc<App>>,
    Tenant { bot, .. }: Tenant,
    JsonBody(said): JsonBody<Said>,
) -> Result<Json<Value>, ApiError> {
    let account = AccountView { channel: said.channel, account: said.account }.checked()?;
    let (channel, account) = (account.channel, account.account.to_string());
    let mut inbound = match (said.text, said.choice) {
        (Some(text), None) => Inbound::text(channel, account, said.from, text),
        (None, Some(choice)) => Inbound::choice(channel, account, said.from, choice.payload, choice.label),
        _ => return Err(ApiError::invalid("text", "or `choice` is required, one of the two")),
    };
    if let Some(id) = said.id {
        inbound = inbound.id(id);
    }
    if let Some(name) = said.name {
        inbound = inbound.profile(Profile::new().name(name));
    }
    let received = heard::receive(&app, &bot, inbound).await?;
    Ok(Json(serde_json::to_value(&received).unwrap_or_default()))
}

/// The messages to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ShownAfter {
    /// Those after this number.
    #[serde(default)]
    after: u64,
    /// Those to this contact, by its id or its address.
    contact: Option<String>,
}

/// Messages on the console.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownList {
    /// Oldest first, at most 1,000.
    messages: Vec<ShownMessage>,
    /// The number to ask after next.
    last: u64,
}

/// Lists what would have been sent, as far as this process remembers.
#[utoipa::path(get, path = "/api/v1/console", tag = "console", params(ShownAfter),
    responses((status = 200, description = "The messages.", body = ShownList), Refusals))]
pub async fn shown(
    State(app): State<Arc<App>>,
    tenant: Tenant,
    Params(of): Params<ShownAfter>,
) -> Json<ShownList> {
    let (messages, last) = app.console.after(&tenant.holder.workspace, of.after, of.contact.as_deref());
    Json(ShownList { messages, last })
}

/// The abilities of a workspace.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkspaceView {
    /// Its name.
    workspace: String,
    /// The name of the token.
    token: String,
    /// The channels whose messages are sent; those of all others are shown by the console.
    channels: Vec<&'static str>,
    /// True if flows can be drafted by a model.
    drafting: bool,
}

/// Returns what the token's workspace can do.
#[utoipa::path(get, path = "/api/v1/workspace", tag = "console",
    responses((status = 200, description = "The workspace.", body = WorkspaceView), Refusals))]
pub async fn workspace(State(app): State<Arc<App>>, tenant: Tenant) -> Json<WorkspaceView> {
    let set = &app.config.channels;
    let channels = [
        ("whatsapp", set.whatsapp_token.is_some()),
        ("messenger", set.messenger_token.is_some()),
        ("web", set.gptbots_url.is_some()),
    ];
    Json(WorkspaceView {
        workspace: tenant.holder.workspace.to_string(),
        token: tenant.holder.name.to_string(),
        channels: channels.iter().filter(|(_, is_set)| *is_set).map(|(name, _)| *name).collect(),
        drafting: app.calls.model.is_some(),
    })
}
