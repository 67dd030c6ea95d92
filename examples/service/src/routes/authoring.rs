//! A flow drafted by a model, round by round; and answers of functions that come later.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event as Sse, KeepAlive, Sse as Stream};
use chatflow::calls::{CallRef, CallResult};
use chatflow::flow::draft::{Answered, Draft};
use chatflow::flow::{Flow, Issue, Issues};
use chatflow::ops::Completed;
use futures_util::StreamExt;
use futures_util::stream::{self, Stream as AnyStream};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::app::App;
use crate::calls::ai::ModelMessage;
use crate::error::{ApiError, Refusals};
use crate::guard::Tenant;
use crate::input::JsonBody;
use crate::worker::stopped;

/// Rounds of one draft.
const MOST_ROUNDS: u32 = 10;

/// A description of the flow that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// In any language.
    #[schema(min_length = 1, max_length = 16384)]
    requirement: String,
    /// Answers of the model that are judged; 3 if absent.
    #[schema(minimum = 1, maximum = 10)]
    rounds: Option<u32>,
}

/// Drafts a flow by the model. Nothing is saved: the last event brings the definition. A stream
/// that ends without one was cut off, since the process ends.
#[utoipa::path(post, path = "/api/v1/drafts", tag = "drafts", request_body = Requirement,
    responses((status = 200, description = "Events `round`, then `flow`, `given_up` or `failed`.", content_type = "text/event-stream"),
        Refusals))]
pub async fn draft(
    State(app): State<Arc<App>>,
    _: Tenant,
    JsonBody(asked): JsonBody<Requirement>,
) -> Result<Stream<impl AnyStream<Item = Result<Sse, Infallible>> + use<>>, ApiError> {
    if asked.requirement.trim().is_empty() {
        return Err(ApiError::invalid("requirement", "must not be empty"));
    }
    let rounds = asked.rounds.unwrap_or(3);
    if !(1..=MOST_ROUNDS).contains(&rounds) {
        return Err(ApiError::invalid("rounds", format_args!("must be 1 to {MOST_ROUNDS}")));
    }
    if app.calls.model.is_none() {
        let rule = "LLM_URL names no model";
        return Err(ApiError::new(StatusCode::CONFLICT, "no_model", rule));
    }
    let draft = Draft::from_requirement(&asked.requirement).with_rounds(rounds);
    let talk = vec![ModelMessage::user(draft.prompt())];
    let over = stopped(app.stopping.clone());
    let drafting = Drafting { app, draft, talk, over: false };
    let parts =
        stream::unfold(drafting, |mut drafting| async move { Some((Ok(drafting.next().await?), drafting)) });
    Ok(Stream::new(parts.take_until(over)).keep_alive(KeepAlive::default()))
}

struct Drafting {
    app: Arc<App>,
    draft: Draft,
    talk: Vec<ModelMessage>,
    over: bool,
}

impl Drafting {
    /// One round: the model is asked, and its answer judged.
    async fn next(&mut self) -> Option<Sse> {
        if self.over {
            return None;
        }
        let model = self.app.calls.model.as_ref()?;
        let said = match model.say(&self.talk).await {
            Ok(said) => said,
            Err(error) => {
                self.over = true;
                return Some(event("failed", &json!({"error": error.to_string()})));
            }
        };
        let part = match self.draft.answer(&said) {
            Answered::Flow(flow) => {
                self.over = true;
                event("flow", &Drafted::of(&flow))
            }
            Answered::GivenUp(issues) => {
                self.over = true;
                event("given_up", &json!({"issues": list(&issues)}))
            }
            Answered::Repair { prompt, issues } => {
                let progress = self.draft.progress();
                let wrong: Vec<String> = issues.errors().map(|issue| format!("{issue:#}")).collect();
                let part = event(
                    "round",
                    &json!({"round": progress.judged, "of": progress.rounds, "issues": wrong}),
                );
                self.talk.push(ModelMessage::assistant(said));
                self.talk.push(ModelMessage::user(prompt));
                part
            }
        };
        Some(part)
    }
}

/// A flow that a model wrote.
#[derive(Serialize)]
struct Drafted {
    definition: Value,
    issues: Vec<Issue>,
}

impl Drafted {
    fn of(flow: &Flow) -> Self {
        let definition = serde_json::from_str(&flow.def().to_json()).unwrap_or_default();
        Self { definition, issues: list(flow.warnings()) }
    }
}

fn list(issues: &Issues) -> Vec<Issue> {
    issues.iter().cloned().collect()
}

fn event(name: &str, what: &impl Serialize) -> Sse {
    Sse::default().event(name).data(serde_json::to_string(what).unwrap_or_default())
}

/// The answer of a function that said it would come later.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LateAnswer {
    /// The reference that came with the call.
    #[schema(value_type = Object)]
    reference: CallRef,
    /// `{"value": {"value": …, "branch"?: …}}`, or `{"failed": {"reason": …}}`.
    #[schema(value_type = Object)]
    result: CallResult,
}

/// The outcome of a late answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct CompletedView {
    /// `resumed`, or `stale`: nobody waits for it.
    #[schema(value_type = String)]
    outcome: Completed,
}

/// Takes the answer of a function that said it would come later.
#[utoipa::path(post, path = "/api/v1/calls/complete", tag = "sessions", request_body = LateAnswer,
    responses((status = 200, description = "The outcome.", body = CompletedView), Refusals))]
pub async fn complete(
    Tenant { bot, .. }: Tenant,
    JsonBody(answer): JsonBody<LateAnswer>,
) -> Result<Json<CompletedView>, ApiError> {
    if answer.reference.workspace != *bot.workspace()? {
        return Err(ApiError::not_found("there is no such call"));
    }
    Ok(Json(CompletedView { outcome: bot.complete(answer.reference, answer.result).await? }))
}
