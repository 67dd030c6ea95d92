//! Messages that contacts write while a person has the conversation: the engine says whose such a
//! message is, and the host keeps it (SEMANTICS S10, Q3). It is kept after the commit of the
//! message; where that fails, the webhook answers 503, comes again, and is known by its id.

use std::collections::HashSet;

use axum::http::StatusCode;
use chatflow::id::ContactId;
use chatflow::limits::Limits;
use chatflow::session::Contact;
use chatflow::{Account, Address, Error, Inbound, Received};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::app::{App, Bot};
use crate::database::HeardRow;
use crate::error::ApiError;

/// Messages of a contact that are shown.
const MOST: usize = 100;
/// Time for which a message is kept.
const KEPT: TimeDelta = TimeDelta::days(30);

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
    take(app, bot, inbound, &message).await
}

/// The same for a message of a webhook, where nobody is told that it is too long: the engine gets
/// it cut, a person all of it.
///
/// # Errors
/// As [`receive`].
pub async fn receive_cut(app: &App, bot: &Bot, inbound: Inbound) -> Result<Received, Error> {
    let message = inbound.to_json();
    take(app, bot, inbound.cut_to(&Limits::default()), &message).await
}

async fn take(app: &App, bot: &Bot, inbound: Inbound, message: &Value) -> Result<Received, Error> {
    let received = bot.receive(inbound).await?;
    let contact = match outcome(&received) {
        Received::Handoff { session } => bot.session(*session).await?.map(|record| record.contact().clone()),
        Received::Paused => sender(bot, message).await?.map(|contact| contact.id),
        _ => return Ok(received),
    };
    if let Some(contact) = contact {
        keep(app, bot, &contact, message).await?;
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

/// The contact that a message came from, as that is now.
async fn sender(bot: &Bot, message: &Value) -> Result<Option<Contact>, Error> {
    let of = |name: &str| message[name].as_str().unwrap_or_default();
    let Ok(channel) = of("channel").parse() else { return Ok(None) };
    let Ok(account) = Account::new(channel, of("account")) else { return Ok(None) };
    let Ok(address) = Address::new(&account, of("from")) else { return Ok(None) };
    bot.contact_at(&address).await
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
    app.database.hear(row).await.map_err(failed)?;
    // It may have been erased meanwhile, or be one with another contact.
    settle(app, bot, contact).await
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Store(chatflow::StoreError::transient(error.to_string()))
}

/// The last 100 messages of the last 30 days that a contact wrote to a person since an instant,
/// oldest first. Those that came before it turned out to be one with another contact are among
/// them.
///
/// # Errors
/// 503 where the database does not answer.
pub async fn since(
    app: &App,
    bot: &Bot,
    contact: &Contact,
    begin: DateTime<Utc>,
) -> Result<Vec<HeardView>, ApiError> {
    let (workspace, from) = (bot.workspace()?.to_string(), begin.max(oldest()).timestamp_millis());
    let mut rows = Vec::new();
    for id in ids(contact) {
        rows.extend(app.database.heard(&workspace, &id.as_str(), from).await.map_err(unavailable)?);
    }
    rows.sort_by(|one, other| (other.at, &other.id).cmp(&(one.at, &one.id)));
    // While its messages are moved from one id to another they are kept under both.
    let mut seen = HashSet::new();
    rows.retain(|row| seen.insert(row.id.clone()));
    rows.truncate(MOST);
    let shown = rows.into_iter().rev().filter_map(|row| {
        let at = DateTime::from_timestamp_millis(row.at)?;
        Some(HeardView { at, message: serde_json::from_str(&row.message).ok()? })
    });
    Ok(shown.collect())
}

/// Forgets what was kept under an id of a contact that was erased, and under those that it had
/// before, as far as it could be read.
///
/// # Errors
/// 503 where the database does not answer.
pub async fn forget(app: &App, bot: &Bot, id: &ContactId, contact: Option<&Contact>) -> Result<(), ApiError> {
    let workspace = bot.workspace()?.to_string();
    for id in std::iter::once(id).chain(contact.into_iter().flat_map(Contact::former_ids)) {
        app.database.forget_heard(&workspace, &id.as_str()).await.map_err(unavailable)?;
    }
    Ok(())
}

/// Brings the messages of all workspaces to where they belong: those of more than 30 days ago and
/// those of contacts that were erased are forgotten, those of a contact that is one with another
/// are moved to that.
///
/// # Errors
/// Those of the engine and of the database.
pub async fn tidy(app: &App) -> Result<(), Error> {
    app.database.forget_heard_before(oldest().timestamp_millis()).await.map_err(failed)?;
    for (workspace, contact) in app.database.people_heard().await.map_err(failed)? {
        let Ok(id) = ContactId::new(&*contact) else { continue };
        match settle(app, &app.bot.in_workspace(&workspace), &id).await {
            // One that cannot be read is there.
            Ok(()) | Err(Error::Quarantined(_)) => {}
            Err(error) => tracing::warn!(code = error.code(), "messages to a person were not looked after"),
        }
    }
    Ok(())
}

/// Brings the messages that are kept under an id to where they belong.
async fn settle(app: &App, bot: &Bot, id: &ContactId) -> Result<(), Error> {
    if bot.contact(id).await?.is_some() {
        return Ok(());
    }
    let workspace = bot.workspace()?.to_string();
    for row in app.database.heard(&workspace, &id.as_str(), i64::MIN).await.map_err(failed)? {
        let message = serde_json::from_str(&row.message).unwrap_or_default();
        if let Some(contact) = sender(bot, &message).await?
            && contact.former_ids().contains(id)
        {
            let moved = app.database.move_heard(&workspace, &id.as_str(), &contact.id.as_str()).await;
            return moved.map_err(failed);
        }
    }
    app.database.forget_heard(&workspace, &id.as_str()).await.map_err(failed)
}

/// The ids under which messages of a contact may have been kept.
fn ids(contact: &Contact) -> impl Iterator<Item = &ContactId> {
    std::iter::once(&contact.id).chain(contact.former_ids())
}

/// The instant before which nothing is kept.
fn oldest() -> DateTime<Utc> {
    Utc::now() - KEPT
}

fn unavailable(error: impl std::fmt::Display) -> ApiError {
    tracing::error!(%error, "the database failed");
    let answer = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the service is unavailable");
    answer.retry_after(std::time::Duration::from_secs(1))
}
