//! Flows tried out: a script of steps is played to its end and answered line by line. Nothing is
//! sent, asked or stored, and nothing is kept: each request plays the whole script.

use axum::Json;
use chatflow::calls::CallResult;
use chatflow::id::FlowVersion;
use chatflow::ops::Rehearsal;
use chatflow::session::Status;
use chatflow::talk::{Line, Transcript};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::error::{ApiError, Refusals};
use crate::guard::Tenant;
use crate::input::InPath;
use crate::input::JsonBody;
use crate::routes::flows::found;
use crate::routes::sessions;

/// Steps of one rehearsal.
const MOST_STEPS: usize = 200;

/// A script to be played.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The code of a flow; or
    flow: Option<String>,
    /// a definition.
    #[schema(value_type = Option<Object>)]
    definition: Option<Value>,
    /// The version of the flow; its draft if absent.
    #[schema(minimum = 1)]
    version: Option<u32>,
    /// When it begins; now if absent.
    at: Option<DateTime<Utc>>,
    /// The context of a flow that calls start.
    #[serde(default = "nothing")]
    #[schema(value_type = Object)]
    context: Value,
    /// The steps that follow.
    #[serde(default)]
    #[schema(max_items = 200)]
    steps: Vec<Step>,
}

fn nothing() -> Value {
    json!({})
}

/// A step of a rehearsal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// The contact writes.
    Say(String),
    /// The contact chooses, by the id or the label of an option.
    Choose(String),
    /// Time passes, as in `31m`, `2h` or `1d`.
    Pass(String),
    /// The host answers a node's call.
    Answer {
        /// The node.
        node: String,
        /// The answer.
        #[schema(value_type = Object)]
        value: Value,
        /// The branch that it takes.
        branch: Option<String>,
    },
    /// The host's answer to a node's call fails.
    Fail {
        /// The node.
        node: String,
        /// The reason.
        reason: String,
    },
    /// A person gives the contact back.
    #[schema(value_type = Object)]
    HandBack(Value),
}

/// The result of a script.
#[derive(Debug, Serialize, ToSchema)]
pub struct Played {
    /// Everything that was said and done, in order.
    lines: Vec<LineView>,
    /// The same as people read it.
    transcript: String,
    /// Where the session is in its life.
    #[schema(value_type = Option<String>)]
    status: Option<Status>,
    /// Its current node.
    node: Option<String>,
}

/// A line of a transcript.
#[derive(Debug, Serialize, ToSchema)]
pub struct LineView {
    /// `said`, `chose`, `sent`, `passed`, `called`, `answered`, `handed_back`, `state`,
    /// `not_taken`, `reached`, `acted`, `visited` or `noticed`.
    kind: &'static str,
    /// As people read it.
    text: String,
    /// The choices of a message.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    options: Vec<Value>,
    /// The node that sent or asked, or the current one.
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
}

impl LineView {
    fn of(line: &Line) -> Self {
        let (kind, text, node) = match line {
            Line::Said(text) => ("said", text.clone(), None),
            Line::Chose(label) => ("chose", label.clone(), None),
            Line::Sent(message) => ("sent", message.content.to_string(), Some(message.node.to_string())),
            Line::Passed(time) => ("passed", format!("{} s", time.num_seconds()), None),
            Line::Called(call) => ("called", call.to_string(), Some(call.node.to_string())),
            Line::Answered(result) => ("answered", serde_json::to_string(result).unwrap_or_default(), None),
            Line::HandedBack(vars) => ("handed_back", vars.to_string(), None),
            Line::State { status, node, .. } => ("state", status.to_string(), Some(node.to_string())),
            Line::NotTaken(what) => ("not_taken", what.clone(), None),
            Line::Reached(what) => ("reached", what.clone(), None),
            Line::Acted(act) => ("acted", act.to_string(), None),
            Line::Visited(nodes) => {
                let nodes: Vec<&str> = nodes.iter().map(chatflow::id::NodeId::as_str).collect();
                ("visited", nodes.join(", "), None)
            }
            Line::Noticed(hint) => ("noticed", hint.clone(), None),
            _ => ("other", String::new(), None),
        };
        let options = match line {
            Line::Sent(message) => {
                message.options().iter().filter_map(|option| serde_json::to_value(option).ok()).collect()
            }
            _ => Vec::new(),
        };
        Self { kind, text, options, node }
    }

    fn all(transcript: &Transcript) -> Vec<Self> {
        transcript.lines().iter().map(Self::of).collect()
    }
}

/// Plays a script.
#[utoipa::path(post, path = "/api/v1/rehearsals", tag = "drafts", request_body = Script,
    responses((status = 200, description = "What came of it.", body = Played), Refusals))]
pub async fn play(
    Tenant { bot, .. }: Tenant,
    JsonBody(script): JsonBody<Script>,
) -> Result<Json<Played>, ApiError> {
    let rehearsal = match (&script.flow, &script.definition) {
        (Some(name), None) => {
            let flow = found(&bot, name).await?.flow;
            bot.flows().rehearse(&flow, script.version.map(FlowVersion)).await?
        }
        (None, Some(definition)) => Rehearsal::of(&definition.to_string())?,
        _ => return Err(ApiError::invalid("flow", "or `definition` is required, one of the two")),
    };
    if script.steps.len() > MOST_STEPS {
        return Err(ApiError::invalid("steps", format_args!("must be at most {MOST_STEPS}")));
    }
    // It computes, and waits for nothing: other requests are served meanwhile.
    let played = tokio::task::spawn_blocking(move || played(rehearsal, script)).await;
    played.map_err(|_| ApiError::invalid("steps", "cannot be played"))?.map(Json)
}

fn played(rehearsal: Rehearsal, script: Script) -> Result<Played, ApiError> {
    let mut rehearsal = match script.at {
        Some(at) => rehearsal.at(at),
        None => rehearsal,
    };
    if rehearsal.flow().trigger().is_manual() {
        rehearsal.start(script.context)?;
    }
    for step in script.steps {
        match step {
            Step::Say(text) => rehearsal.say(&text)?,
            Step::Choose(option) => rehearsal.choose(&option)?,
            Step::Pass(time) => rehearsal.pass(span(&time)?)?,
            Step::Answer { node, value, branch: Some(branch) } => {
                rehearsal.answer(&node, CallResult::branch(value, branch))?
            }
            Step::Answer { node, value, branch: None } => {
                rehearsal.answer(&node, CallResult::value(value))?
            }
            Step::Fail { node, reason } => rehearsal.answer(&node, CallResult::failed(reason))?,
            Step::HandBack(vars) => rehearsal.hand_back(vars)?,
        };
    }
    let session = rehearsal.session();
    Ok(Played {
        lines: LineView::all(rehearsal.transcript()),
        transcript: rehearsal.transcript().to_string(),
        status: session.as_ref().map(chatflow::Session::status),
        node: session.map(|session| session.node().to_string()),
    })
}

/// A span such as `45s`, `31m`, `2h` or `1d`, at most ten years.
fn span(text: &str) -> Result<TimeDelta, ApiError> {
    let bad = || ApiError::invalid("steps.pass", "must be a time such as `45s`, `31m`, `2h` or `1d`");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(bad)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(bad()),
    };
    let number: u32 = number.parse().map_err(|_| bad())?;
    let span = TimeDelta::seconds(i64::from(number) * seconds);
    if span > TimeDelta::days(3_660) {
        return Err(ApiError::invalid("steps.pass", "must be at most ten years"));
    }
    Ok(span)
}

/// A session as people read it.
#[derive(Debug, Serialize, ToSchema)]
pub struct TranscriptView {
    /// Everything that was said and done, in order; texts that were sent where the flow logs them.
    lines: Vec<LineView>,
    /// The same as one text.
    transcript: String,
}

/// Returns what was said in a session; empty where its flow did not log.
#[utoipa::path(get, path = "/api/v1/sessions/{id}/transcript", tag = "sessions", params(("id" = String, Path)),
    responses((status = 200, description = "The transcript.", body = TranscriptView), Refusals))]
pub async fn transcript(
    Tenant { bot, .. }: Tenant,
    InPath(id): InPath<String>,
) -> Result<Json<TranscriptView>, ApiError> {
    let id = sessions::found(&bot, &id).await?.session().id();
    let transcript = Transcript::of(&bot.journal(id).await?);
    Ok(Json(TranscriptView { lines: LineView::all(&transcript), transcript: transcript.to_string() }))
}
