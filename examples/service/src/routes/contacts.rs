//! Contacts: looked up, paused, given back to the bot, forgotten. And the inbox: who waits for a
//! person.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chatflow::Address;
use chatflow::address::Phone;
use chatflow::id::ContactId;
use chatflow::ops::{EraseOptions, Erased, HandedBack, SessionFilter};
use chatflow::session::{Contact, Status};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use crate::app::{App, Bot};
use crate::error::{ApiError, Refusals};
use crate::guard::Tenant;
use crate::heard::{self, HeardView};
use crate::input::{InPath, OptionalBody, Params};
use crate::routes::sessions::{SessionView, views};

/// A contact, by its number.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ByPhone {
    /// The telephone number.
    phone: String,
}

/// Finds a contact by its telephone number.
#[utoipa::path(get, path = "/api/v1/contacts", tag = "contacts", params(ByPhone),
    responses((status = 200, description = "The contact.", body = Object), Refusals))]
pub async fn find(
    Tenant { bot, .. }: Tenant,
    Params(by): Params<ByPhone>,
) -> Result<Json<Contact>, ApiError> {
    let phone = Phone::parse_inbound(&by.phone).map_err(|rule| ApiError::invalid("phone", rule))?;
    let address = Address::Phone(phone);
    let contact = bot.contact_at(&address).await?;
    contact.map(Json).ok_or_else(|| ApiError::not_found("nobody has this number"))
}

/// Reads a contact's id out of a path, and makes sure that the contact is there.
async fn found(bot: &Bot, id: &str) -> Result<Contact, ApiError> {
    bot.contact(&named(id)?).await?.ok_or_else(missing)
}

fn named(id: &str) -> Result<ContactId, ApiError> {
    ContactId::new(id).map_err(|_| missing())
}

fn missing() -> ApiError {
    ApiError::not_found("there is no such contact")
}

/// Returns one contact.
#[utoipa::path(get, path = "/api/v1/contacts/{id}", tag = "contacts", params(("id" = String, Path)),
    responses((status = 200, description = "The contact.", body = Object), Refusals))]
pub async fn get(Tenant { bot, .. }: Tenant, InPath(id): InPath<String>) -> Result<Json<Contact>, ApiError> {
    Ok(Json(found(&bot, &id).await?))
}

/// The way in which a contact is forgotten.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Forgetting {
    /// True if an opt-out outlasts the contact, as a hash of its addresses.
    #[serde(default)]
    keep_opt_out: bool,
}

/// The number of things that were removed of a contact.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErasedView {
    /// Sessions.
    sessions: usize,
    /// Addresses.
    addresses: usize,
    /// Entries of journals.
    journal_entries: usize,
    /// Messages on their way, and dead letters.
    messages: usize,
    /// Idempotency keys.
    keys: usize,
}

impl From<Erased> for ErasedView {
    fn from(erased: Erased) -> Self {
        let Erased { sessions, addresses, journal_entries, messages, keys, .. } = erased;
        Self { sessions, addresses, journal_entries, messages, keys }
    }
}

/// Forgets a contact. Safe to repeat: then it is no longer there.
#[utoipa::path(delete, path = "/api/v1/contacts/{id}", tag = "contacts", params(("id" = String, Path), Forgetting),
    responses((status = 200, description = "Forgotten.", body = ErasedView), Refusals))]
pub async fn erase(
    State(app): State<Arc<App>>,
    Tenant { bot, .. }: Tenant,
    InPath(id): InPath<String>,
    Params(how): Params<Forgetting>,
) -> Result<Json<ErasedView>, ApiError> {
    let id = named(&id)?;
    // One that cannot be read is there, and is forgotten like any other.
    let contact = bot.contact(&id).await;
    let is_there = !matches!(contact, Ok(None));
    let mut options = EraseOptions::new();
    if how.keep_opt_out {
        options = options.keep_opt_out();
    }
    let erased = bot.erase(&id, options).await?;
    // After a failure in between, a repetition finds what is left, and so does the worker.
    heard::forget(&app, &bot, &id, contact.ok().flatten().as_ref()).await?;
    if is_there { Ok(Json(erased.into())) } else { Err(missing()) }
}

/// The messages of a contact to a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeardList {
    /// The last 100 of the last 30 days, oldest first.
    messages: Vec<HeardView>,
}

/// Lists what a contact wrote while a person had the conversation, or the bot was paused.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/messages", tag = "inbox", params(("id" = String, Path)),
    responses((status = 200, description = "The messages.", body = HeardList), Refusals))]
pub async fn messages(
    State(app): State<Arc<App>>,
    Tenant { bot, .. }: Tenant,
    InPath(id): InPath<String>,
) -> Result<Json<HeardList>, ApiError> {
    let contact = found(&bot, &id).await?;
    let messages = heard::since(&app, &bot, &contact, DateTime::<Utc>::MIN_UTC).await?;
    Ok(Json(HeardList { messages }))
}

/// Facts that a person found out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandBack {
    /// Variables for the flow.
    #[serde(default = "nothing")]
    #[schema(value_type = Object)]
    vars: Value,
}

fn nothing() -> Value {
    json!({})
}

/// The outcome of a handing back.
#[derive(Debug, Serialize, ToSchema)]
pub struct HandBackOutcome {
    /// `resumed`, or `not_in_handoff`.
    #[schema(value_type = String)]
    outcome: HandedBack,
}

/// Gives a contact back to the flow.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/hand-back", tag = "inbox", params(("id" = String, Path)),
    request_body = Option<HandBack>, responses((status = 200, description = "Given back.", body = HandBackOutcome), Refusals))]
pub async fn hand_back(
    Tenant { bot, .. }: Tenant,
    InPath(id): InPath<String>,
    OptionalBody(found_out): OptionalBody<HandBack>,
) -> Result<Json<HandBackOutcome>, ApiError> {
    let contact = found(&bot, &id).await?;
    let outcome = bot.resume_from_handoff(&contact.id, found_out.vars).await?;
    Ok(Json(HandBackOutcome { outcome }))
}

/// True or false: something was there to be done.
#[derive(Debug, Serialize, ToSchema)]
pub struct Done {
    /// True if it was.
    pub done: bool,
}

/// Says that a person is busy with the contact: the handoff's time begins anew.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/touch", tag = "inbox", params(("id" = String, Path)),
    responses((status = 200, description = "Done; false if it is not in handoff.", body = Done), Refusals))]
pub async fn touch(Tenant { bot, .. }: Tenant, InPath(id): InPath<String>) -> Result<Json<Done>, ApiError> {
    let contact = found(&bot, &id).await?;
    Ok(Json(Done { done: bot.touch(&contact.id).await? }))
}

/// Notes that a contact does not want to be written to, and ends its sessions.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/opt-out", tag = "contacts", params(("id" = String, Path)),
    responses((status = 200, description = "The contact.", body = Object), Refusals))]
pub async fn opt_out(
    Tenant { bot, .. }: Tenant,
    InPath(id): InPath<String>,
) -> Result<Json<Contact>, ApiError> {
    bot.opt_out(&found(&bot, &id).await?.id).await?;
    Ok(Json(found(&bot, &id).await?))
}

/// Takes an opt-out back.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/opt-in", tag = "contacts", params(("id" = String, Path)),
    responses((status = 200, description = "The contact.", body = Object), Refusals))]
pub async fn opt_in(
    Tenant { bot, .. }: Tenant,
    InPath(id): InPath<String>,
) -> Result<Json<Contact>, ApiError> {
    bot.opt_in(&found(&bot, &id).await?.id).await?;
    Ok(Json(found(&bot, &id).await?))
}

/// Until when the bot is silent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Silence {
    /// Its end; until `unpause` if absent.
    until: Option<DateTime<Utc>>,
}

/// The present silence of the bot.
#[derive(Debug, Serialize, ToSchema)]
pub struct PauseView {
    /// True if it is.
    paused: bool,
    /// Until when, if it ends by itself.
    until: Option<DateTime<Utc>>,
}

async fn pause_view(bot: &Bot, contact: &Contact) -> Result<Json<PauseView>, ApiError> {
    let pause = bot.paused(&contact.id).await?;
    Ok(Json(PauseView { paused: pause.is_some(), until: pause.and_then(|pause| pause.until) }))
}

/// Makes the bot silent for a contact.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/pause", tag = "contacts", params(("id" = String, Path)),
    request_body = Option<Silence>, responses((status = 200, description = "The pause.", body = PauseView), Refusals))]
pub async fn pause(
    Tenant { bot, .. }: Tenant,
    InPath(id): InPath<String>,
    OptionalBody(silence): OptionalBody<Silence>,
) -> Result<Json<PauseView>, ApiError> {
    let contact = found(&bot, &id).await?;
    bot.pause(&contact.id, silence.until).await?;
    pause_view(&bot, &contact).await
}

/// Ends a pause.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/unpause", tag = "contacts", params(("id" = String, Path)),
    responses((status = 200, description = "The pause.", body = PauseView), Refusals))]
pub async fn unpause(
    Tenant { bot, .. }: Tenant,
    InPath(id): InPath<String>,
) -> Result<Json<PauseView>, ApiError> {
    let contact = found(&bot, &id).await?;
    bot.unpause(&contact.id).await?;
    pause_view(&bot, &contact).await
}

/// Takes a conversation that was set aside back to work.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/release", tag = "letters", params(("id" = String, Path)),
    responses((status = 200, description = "Done; false if it was not set aside.", body = Done), Refusals))]
pub async fn release(Tenant { bot, .. }: Tenant, InPath(id): InPath<String>) -> Result<Json<Done>, ApiError> {
    let id = named(&id)?;
    let done = bot.release(&id).await?;
    if !done && bot.contact(&id).await?.is_none() {
        return Err(missing());
    }
    Ok(Json(Done { done }))
}

/// Somebody who waits for a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct Waiting {
    /// The session.
    session: SessionView,
    /// The contact.
    contact: String,
    /// Since when.
    since: DateTime<Utc>,
    /// The people that it is for, as the flow says.
    queue: Option<String>,
    /// A note of the flow.
    note: Option<String>,
    /// Messages of the contact since then, oldest first, at most 100.
    messages: Vec<HeardView>,
}

/// Those who wait.
#[derive(Debug, Serialize, ToSchema)]
pub struct Inbox {
    /// The longest wait comes first; of at most 100 sessions.
    waiting: Vec<Waiting>,
}

/// Lists who waits for a person.
#[utoipa::path(get, path = "/api/v1/inbox", tag = "inbox",
    responses((status = 200, description = "Who waits.", body = Inbox), Refusals))]
pub async fn inbox(State(app): State<Arc<App>>, Tenant { bot, .. }: Tenant) -> Result<Json<Inbox>, ApiError> {
    let listed = bot.sessions_with_contacts(SessionFilter::all().status(Status::Handoff)).await?;
    let shown = views(&bot, &listed).await?;
    let mut waiting = Vec::with_capacity(listed.len());
    for (listed, session) in listed.iter().zip(shown) {
        let record = &listed.record;
        let Some(handoff) = record.session().handoff() else { continue };
        let contact = match &listed.contact {
            Some(contact) => contact.clone(),
            None => Contact::new(record.contact().clone()),
        };
        waiting.push(Waiting {
            session,
            contact: record.contact().to_string(),
            since: handoff.since,
            queue: handoff.queue.as_deref().map(str::to_owned),
            note: handoff.note.as_deref().map(str::to_owned),
            messages: heard::since(&app, &bot, &contact, handoff.since).await?,
        });
    }
    waiting.sort_by_key(|waiting| waiting.since);
    Ok(Json(Inbox { waiting }))
}
