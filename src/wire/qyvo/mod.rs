//! Qyvo: `POST /v1/actions/trigger-flow` ([SEMANTICS W1](crate::semantics#w1)), and what its
//! pollers and forms look up: [`recent_sessions`], [`flow_choices`], [`GetFlow`].
//!
//! | outcome | status | body |
//! |---|---|---|
//! | started, now or by an earlier call with the same key | 201 | `{"id", "status": "started", "flow_id", "flow_name", "contact_id"}` |
//! | already running | 200 | the same of the session that runs, `"status": "already_running"` |
//! | discarded, refused | 409 | `{"error"}` |
//! | flow not found or not published | 404 | `{"error": "Flow not found or not published"}` |
//! | flow has no entry node | 422 | `{"error": "Flow has no entry node"}` |
//! | a field breaks a rule | 422 | `{"message", "errors": {"phone": ["must be a text"]}}` |
//! | the contact has too many sessions | 429 with `Retry-After` | `{"error"}` |
//! | the service cannot answer now | 503 with `Retry-After` | `{"error"}` |
//!
//! The bodies are [`FlowTriggered`], [`RefusalBody`] and [`FieldErrorsBody`]; [`Answers`] writes
//! them, [`TriggerOutcome`] reads them for a host that calls the API.
//!
//! Ids are texts of 1-256 bytes: `flow_id` is the code of the flow, ids that the engine made print
//! as UUIDs.

mod lists;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::kernel::Triggered;
use crate::request::{NO_CONTACT, TriggerRequest};
use crate::session::Status;
use crate::wire::body::{BodyReader, FieldErrors};
use crate::wire::{HttpAnswer, RETRY_AFTER, UNAVAILABLE, Unsayable, context_of};

pub use lists::{
    FlowChoice, FlowDetails, FlowSession, GetFlow, MOST_SESSIONS, flow_choices, flow_details, recent_sessions,
};

/// The header that carries the idempotency key, which the body has no field for.
pub const KEY_HEADER: &str = "Idempotency-Key";

/// The body of a request.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TriggerFlow {
    /// The code of the flow.
    pub flow_id: String,
    /// The contact by its id; one of the two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<String>,
    /// The contact by its telephone number; one of the two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The object that the flow reads as `context`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Map<String, Value>>,
}

impl TriggerFlow {
    /// Reads a body. `null` is the same as a field that is not there; fields that the product does
    /// not document are left alone.
    ///
    /// # Errors
    /// The answer to be sent: 422, with every field that breaks a rule.
    pub fn from_json(body: &[u8]) -> Result<Self, HttpAnswer> {
        let read = BodyReader::new(body).and_then(|mut fields| {
            let request = Self {
                flow_id: fields.required("flow_id"),
                contact_id: fields.text("contact_id"),
                phone: fields.text("phone"),
                context: fields.object("context"),
            };
            fields.finish(request)
        });
        read.map_err(faulty)
    }

    /// Returns the trigger that it asks for; `key` is the value of the header [`KEY_HEADER`], if
    /// there is one.
    pub fn into_request(self, key: Option<&str>) -> TriggerRequest {
        let mut request = TriggerRequest::new(self.flow_id);
        request.contact_id = self.contact_id;
        request.phone = self.phone;
        if let Some(context) = self.context {
            request = request.context(context);
        }
        match key {
            Some(key) => request.uuid(key),
            None => request,
        }
    }

    /// The body that asks for a trigger. Its key, if it has one, belongs into the header
    /// [`KEY_HEADER`].
    ///
    /// # Errors
    /// [`Unsayable`] for what the body has no field for.
    pub fn of(request: &TriggerRequest) -> Result<Self, Unsayable> {
        let unsayable = [
            ("out_id", request.out_id.is_some()),
            ("claim_time", request.claim_time.is_some()),
            ("discard_time", request.discard_time.is_some()),
        ];
        let context = context_of(request, &unsayable)?;
        Ok(Self {
            flow_id: request.flow.clone(),
            contact_id: request.contact_id.clone(),
            phone: request.phone.clone(),
            context,
        })
    }
}

/// The body of the answer to a trigger that started or found a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowTriggered {
    /// The session.
    pub id: String,
    /// `started`, `already_running`, or `failed` where [`Answers::with_outcome`] says so.
    pub status: String,
    /// The code of the flow.
    pub flow_id: String,
    /// The name of the flow.
    pub flow_name: String,
    /// The contact.
    pub contact_id: String,
}

/// Turns what the engine answered into what the API answers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answers {
    tells_outcome: bool,
}

impl Answers {
    /// A session that failed in its first turn is answered with `"status": "failed"`, which the
    /// product does not document.
    #[must_use]
    pub fn with_outcome(self) -> Self {
        Self { tells_outcome: true }
    }

    /// Returns the answer to a trigger.
    pub fn of(self, outcome: &Result<Triggered, Error>) -> HttpAnswer {
        let (status, session, word) = match outcome {
            Ok(Triggered::Started(session)) if self.tells_outcome && session.status == Status::Failed => {
                (201, session, "failed")
            }
            Ok(Triggered::Started(session)) => (201, session, "started"),
            Ok(Triggered::AlreadyRunning(session)) => (200, session, "already_running"),
            Ok(refused @ (Triggered::Discarded | Triggered::Refused(_))) => return error(409, refused),
            Err(failed) => return failure(failed),
        };
        let body = FlowTriggered {
            id: session.session_id.to_string(),
            status: word.to_owned(),
            flow_id: session.flow_id.to_string(),
            flow_name: session.flow_name.to_string(),
            contact_id: session.contact_id.to_string(),
        };
        HttpAnswer::new(status, &body)
    }
}

fn failure(failed: &Error) -> HttpAnswer {
    match failed {
        Error::InvalidInput { field, rule } => match (&**field, rule.strip_prefix(NO_CONTACT)) {
            ("contact", Some(places)) => {
                invalid("phone", format_args!("must be given, or a `contact_id`{places}"))
            }
            // The one that was given by its id.
            ("contact", None) => invalid("contact_id", rule),
            ("flow", _) => invalid("flow_id", rule),
            ("uuid", _) => invalid(KEY_HEADER, rule),
            (field, _) => invalid(field, rule),
        },
        Error::FlowNotFound(_) | Error::FlowNotPublished(_) => error(404, "Flow not found or not published"),
        Error::NoEntryNode(_) => error(422, "Flow has no entry node"),
        _ => match failed.http_status() {
            503 => HttpAnswer { retry_after: Some(RETRY_AFTER), ..error(503, UNAVAILABLE) },
            429 => HttpAnswer { retry_after: Some(RETRY_AFTER), ..error(429, failed) },
            status => error(status, failed),
        },
    }
}

fn error(status: u16, what: impl ToString) -> HttpAnswer {
    HttpAnswer::new(status, &RefusalBody { error: what.to_string() })
}

fn faulty(errors: FieldErrors) -> HttpAnswer {
    HttpAnswer::new(422, &FieldErrorsBody { message: errors.sentence(), errors })
}

/// Returns the answer to a request with a field that breaks a rule, such as one that the host reads
/// from the query: 422.
pub fn invalid(field: &str, rule: impl ToString) -> HttpAnswer {
    faulty(FieldErrors::one(field, rule))
}

/// The body of an answer that says in words why nothing was started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalBody {
    /// The reason.
    pub error: String,
}

/// The body of an answer to a request with fields that break rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldErrorsBody {
    /// All of them in a sentence.
    pub message: String,
    /// Each by its field.
    pub errors: FieldErrors,
}

/// The outcome of a trigger, for a host that calls the API.
///
/// ```
/// use chatflow::wire::qyvo::TriggerOutcome;
///
/// let body = br#"{"id": "s", "status": "started", "flow_id": "f", "flow_name": "F", "contact_id": "c"}"#;
/// assert!(matches!(TriggerOutcome::read(201, body), TriggerOutcome::Started(session) if session.id == "s"));
/// let refused = TriggerOutcome::read(409, br#"{"error": "the contact opted out"}"#);
/// assert_eq!(refused, TriggerOutcome::Refused { status: 409, error: "the contact opted out".to_owned() });
/// assert!(matches!(TriggerOutcome::read(502, b"<html>"), TriggerOutcome::Retry { .. }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TriggerOutcome {
    /// 201: a session was started, now or by an earlier call with the same key.
    Started(FlowTriggered),
    /// 200: this session runs already.
    AlreadyRunning(FlowTriggered),
    /// 422: fields break rules.
    Faulty(FieldErrors),
    /// Another status that no repetition changes.
    Refused {
        /// The status.
        status: u16,
        /// The reason, as far as the body says it.
        error: String,
    },
    /// 408, 425, 429, a status from 500 on, or a body that cannot be read where the session should
    /// be: the same call may be made again, with the same key.
    Retry {
        /// The status.
        status: u16,
        /// The reason, as far as the body says it.
        error: String,
    },
}

impl TriggerOutcome {
    /// Reads an answer of the API.
    #[must_use]
    pub fn read(status: u16, body: &[u8]) -> Self {
        let session = || serde_json::from_slice::<FlowTriggered>(body);
        let error = serde_json::from_slice(body).map(|RefusalBody { error }| error).unwrap_or_default();
        match status {
            201 => session().map_or(Self::Retry { status, error }, Self::Started),
            200..=299 => session().map_or(Self::Retry { status, error }, Self::AlreadyRunning),
            408 | 425 | 429 | 500.. => Self::Retry { status, error },
            _ => match serde_json::from_slice(body) {
                Ok(FieldErrorsBody { errors, .. }) => Self::Faulty(errors),
                Err(_) => Self::Refused { status, error },
            },
        }
    }
}
