//! Messages that contacts write while a person has the conversation: the engine says whose such a
//! message is, and the host keeps it (SEMANTICS S10, Q3). It is kept after the commit of the
//! message; where that fails, the webhook answers 503, comes again, and is known by its id.

use axum::http::StatusCode;
use chatflow::id::ContactId;
use chatflow::{Account, Address, Error, Inbound, Received};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::app::{App, Bot};
use crate::database::HeardRow;
use crate::error::ApiError;

/// A message that a contact wrote to a person.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HeardView {
    /// When it came.
    at: DateTime<Utc>,
    /// The message: `kind`, `text`, and what its kind has, such as `media`.
    #[schema(value_type = Object)]
    message: Value,
}

/// Takes a message, and keeps it where it is for a person.
///
/// # Errors
/// Those of the engine and of the database; either comes to the same when it is tried again.
pub async fn receive(app: &App, bot: &Bot, inbound: Inbound) -> Result<Received, Error> {
    let message = inbound.to_json();
    let received = bot.receive(inbound).await?;
    let contact = match outcome(&received) {
        Received::Handoff { session } => bot.session(*session).await?.map(|record| record.contact().clone()),
        Received::Paused => sender(bot, &message).await?,
        _ => return Ok(received),
    };
    if let Some(contact) = contact {
        keep(app, bot, &contact, &message).await?;
    }
    Ok(received)
}

/// The outcome of a message, of its first coming where it came again.
fn outcome(received: &Received) -> &Received {
    match received {
        Received::Duplicate { first } => outcome(first),
        other => other,
    }
}

async fn sender(bot: &Bot, message: &Value) -> Result<Option<ContactId>, Error> {
    let of = |name: &str| message[name].as_str().unwrap_or_default();
    let Ok(channel) = of("channel").parse() else { return Ok(None) };
    let Ok(account) = Account::new(channel, of("account")) else { return Ok(None) };
    let Ok(address) = Address::new(&account, of("from")) else { return Ok(None) };
    Ok(bot.contact_at(&address).await?.map(|contact| contact.id))
}

async fn keep(app: &App, bot: &Bot, contact: &ContactId, message: &Value) -> Result<(), Error> {
    let id = match message["id"].as_str() {
        Some(id) => id.to_owned(),
        None => crate::tokens::random_word().map_err(failed)?,
    };
    let of = |name: &str| message[name].as_str().unwrap_or_default();
    let row = HeardRow {
        workspace: bot.workspace()?.to_string(),
        contact: contact.to_string(),
        id: format!("{}/{}/{id}", of("channel"), of("account")),
        at: Utc::now().timestamp_millis(),
        message: message.to_string(),
    };
    app.database.hear(row).await.map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Store(chatflow::StoreError::transient(error.to_string()))
}

/// The last 100 messages that a contact wrote to a person since an instant, oldest first.
///
/// # Errors
/// 503 where the database does not answer.
pub async fn since(
    app: &App,
    bot: &Bot,
    contact: &ContactId,
    begin: DateTime<Utc>,
) -> Result<Vec<HeardView>, ApiError> {
    let rows = app.database.heard(bot.workspace()?.to_string(), contact.to_string()).await;
    let rows = rows.map_err(unavailable)?;
    let shown = rows.into_iter().filter(|row| row.at >= begin.timestamp_millis()).filter_map(|row| {
        let at = DateTime::from_timestamp_millis(row.at)?;
        Some(HeardView { at, message: serde_json::from_str(&row.message).ok()? })
    });
    Ok(shown.collect())
}

/// Forgets what a contact wrote.
///
/// # Errors
/// 503 where the database does not answer.
pub async fn forget(app: &App, bot: &Bot, contact: &ContactId) -> Result<(), ApiError> {
    let forgotten = app.database.forget_heard(bot.workspace()?.to_string(), contact.to_string()).await;
    forgotten.map_err(unavailable)
}

fn unavailable(error: impl std::fmt::Display) -> ApiError {
    tracing::error!(%error, "the database failed");
    let answer = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the service is unavailable");
    answer.retry_after(std::time::Duration::from_secs(1))
}
