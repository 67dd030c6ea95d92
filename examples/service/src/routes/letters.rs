//! Things that need an operator: messages that were given up, conversations that were set aside.

use axum::Json;
use chatflow::id::{ContactId, MessageId};
use chatflow::ops::DeadLetterEntry;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::error::{ApiError, Refusals};
use crate::guard::Tenant;
use crate::input::{InPath, Params};
use crate::routes::contacts::Done;

/// The page of a list by contact.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AfterContact {
    /// Those of contacts after this one.
    after: Option<String>,
}

impl AfterContact {
    fn contact(&self) -> Result<Option<ContactId>, ApiError> {
        let read = |id: &String| ContactId::new(id).map_err(|rule| ApiError::invalid("after", rule));
        self.after.as_ref().map(read).transpose()
    }
}

/// Messages that were given up.
#[derive(Debug, Serialize, ToSchema)]
pub struct Letters {
    /// By contact, those of at most 100 contacts.
    #[schema(value_type = Vec<Object>)]
    letters: Vec<DeadLetterEntry>,
}

/// Lists the messages that were given up, each with the reason.
#[utoipa::path(get, path = "/api/v1/dead-letters", tag = "letters", params(AfterContact),
    responses((status = 200, description = "The messages.", body = Letters), Refusals))]
pub async fn list(
    Tenant { bot, .. }: Tenant,
    Params(page): Params<AfterContact>,
) -> Result<Json<Letters>, ApiError> {
    Ok(Json(Letters { letters: bot.dead_letters(page.contact()?.as_ref()).await? }))
}

fn names(contact: &str, message: &str) -> Result<(ContactId, MessageId), ApiError> {
    Ok((ContactId::new(contact).map_err(|_| missing())?, message.parse().map_err(|_| missing())?))
}

fn missing() -> ApiError {
    ApiError::not_found("there is no such message")
}

/// Sends a message once more, under the same id.
#[utoipa::path(post, path = "/api/v1/dead-letters/{contact}/{message}/requeue", tag = "letters",
    params(("contact" = String, Path), ("message" = String, Path)),
    responses((status = 200, description = "Done; false for a contact who opted out.", body = Done), Refusals))]
pub async fn requeue(
    Tenant { bot, .. }: Tenant,
    InPath((contact, message)): InPath<(String, String)>,
) -> Result<Json<Done>, ApiError> {
    let (contact, message) = names(&contact, &message)?;
    let done = bot.requeue_dead_letter(&contact, message).await?;
    if !done && bot.contact(&contact).await?.is_none_or(|contact| contact.opted_out_at.is_none()) {
        return Err(missing());
    }
    Ok(Json(Done { done }))
}

/// Drops a message for good.
#[utoipa::path(delete, path = "/api/v1/dead-letters/{contact}/{message}", tag = "letters",
    params(("contact" = String, Path), ("message" = String, Path)),
    responses((status = 200, description = "Done.", body = Done), Refusals))]
pub async fn drop_letter(
    Tenant { bot, .. }: Tenant,
    InPath((contact, message)): InPath<(String, String)>,
) -> Result<Json<Done>, ApiError> {
    let (contact, message) = names(&contact, &message)?;
    let done = bot.drop_dead_letter(&contact, message).await?;
    if done { Ok(Json(Done { done })) } else { Err(missing()) }
}

/// Contacts whose conversations were set aside.
#[derive(Debug, Serialize, ToSchema)]
pub struct Quarantine {
    /// At most 100.
    contacts: Vec<String>,
}

/// Lists the contacts whose conversations were set aside after repeated failure.
#[utoipa::path(get, path = "/api/v1/quarantine", tag = "letters", params(AfterContact),
    responses((status = 200, description = "The contacts.", body = Quarantine), Refusals))]
pub async fn quarantine(
    Tenant { bot, .. }: Tenant,
    Params(page): Params<AfterContact>,
) -> Result<Json<Quarantine>, ApiError> {
    let contacts = bot.quarantined(page.contact()?.as_ref()).await?;
    Ok(Json(Quarantine { contacts: contacts.iter().map(ToString::to_string).collect() }))
}
