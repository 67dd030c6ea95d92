//! Measures of flows: counts, errors, results, and the picture of a flow with the ways of sessions.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use chatflow::diagram::Diagram;
use chatflow::flow::Flow;
use chatflow::id::{FlowId, FlowVersion, NodeId};
use chatflow::ops::{JournalFilter, NodeCount, NodeError, ResultRow, SessionFilter};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::Bot;
use crate::error::{ApiError, Refusals};
use crate::guard::Tenant;
use crate::input::{InPath, Params};
use crate::routes::flows::found;
use crate::routes::sessions;

/// A part of what a flow did.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub struct Span {
    /// From this instant on; seven days ago if absent.
    from: Option<DateTime<Utc>>,
    /// Before this instant; until now if absent.
    to: Option<DateTime<Utc>>,
    /// Of this version only.
    version: Option<u32>,
    /// Of this node only.
    node: Option<String>,
}

impl Span {
    fn bounds(&self) -> std::ops::Range<DateTime<Utc>> {
        let now = Utc::now();
        // The minute that has begun is part of it.
        let to = self.to.unwrap_or(now + TimeDelta::minutes(1));
        self.from.unwrap_or(now - TimeDelta::days(7))..to
    }

    fn filter(&self, flow: FlowId) -> Result<JournalFilter, ApiError> {
        let span = self.bounds();
        let mut filter = JournalFilter::of(flow).from(span.start).to(span.end);
        if let Some(version) = self.version {
            filter = filter.version(FlowVersion(version));
        }
        if let Some(node) = &self.node {
            filter = filter.node(NodeId::new(node).map_err(|rule| ApiError::invalid("node", rule))?);
        }
        Ok(filter)
    }
}

/// The counts of a flow.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowMetrics {
    /// Sessions that started.
    started: u64,
    /// Sessions that ended, by their status.
    ended: BTreeMap<String, u64>,
    /// Sessions that are live now.
    live: u64,
    /// Each node that a session came to.
    nodes: Vec<NodeMetrics>,
    /// Sessions that started, by version.
    versions: BTreeMap<u32, u64>,
}

/// The counts of a node.
#[derive(Debug, Serialize, ToSchema)]
pub struct NodeMetrics {
    /// The node.
    node: String,
    /// Times that sessions came to it.
    visits: u64,
    /// Times that it was left by each branch; of sessions with a journal.
    branches: BTreeMap<String, u64>,
    /// Sessions that failed there; of sessions with a journal.
    failures: u64,
}

/// Returns the counts of a flow.
#[utoipa::path(get, path = "/api/v1/flows/{code}/metrics", tag = "measures", params(("code" = String, Path), Span),
    responses((status = 200, description = "The counts.", body = FlowMetrics), Refusals))]
pub async fn metrics(
    Tenant { bot, .. }: Tenant,
    InPath(name): InPath<String>,
    Params(span): Params<Span>,
) -> Result<Json<FlowMetrics>, ApiError> {
    let flow = found(&bot, &name).await?.flow;
    let counts = bot.counts(&flow, span.bounds()).await?;
    let journalled = bot.node_counts(span.filter(flow.clone())?).await?;
    let total = match span.version {
        Some(version) => counts.versions.get(&FlowVersion(version)).cloned().unwrap_or_default(),
        None => counts.total,
    };
    let is_meant = |node: &NodeId| span.node.as_deref().is_none_or(|wanted| wanted == node.as_str());
    let nodes = total.nodes.iter().filter(|(node, _)| is_meant(node));
    Ok(Json(FlowMetrics {
        started: total.started,
        ended: total.ended.iter().map(|(status, count)| (status.to_string(), *count)).collect(),
        live: bot.live_sessions(&flow).await?,
        nodes: nodes.map(|(node, visits)| node_metrics(node, *visits, &journalled)).collect(),
        versions: counts.versions.iter().map(|(version, counts)| (version.0, counts.started)).collect(),
    }))
}

fn node_metrics(node: &NodeId, visits: u64, journalled: &[NodeCount]) -> NodeMetrics {
    let known = journalled.iter().find(|count| count.node == *node);
    let branches = known.iter().flat_map(|count| &count.branches);
    NodeMetrics {
        node: node.to_string(),
        visits,
        branches: branches.map(|(branch, count)| (branch.to_string(), *count)).collect(),
        failures: known.map_or(0, |count| count.failures),
    }
}

/// Sessions that failed.
#[derive(Debug, Serialize, ToSchema)]
pub struct NodeErrors {
    /// The earliest first, at most 100; of sessions with a journal.
    #[schema(value_type = Vec<Object>)]
    errors: Vec<NodeError>,
}

/// Lists where sessions failed, and why.
#[utoipa::path(get, path = "/api/v1/flows/{code}/errors", tag = "measures", params(("code" = String, Path), Span),
    responses((status = 200, description = "The errors.", body = NodeErrors), Refusals))]
pub async fn errors(
    Tenant { bot, .. }: Tenant,
    InPath(name): InPath<String>,
    Params(span): Params<Span>,
) -> Result<Json<NodeErrors>, ApiError> {
    let flow = found(&bot, &name).await?.flow;
    Ok(Json(NodeErrors { errors: bot.node_errors(span.filter(flow)?).await? }))
}

/// The page of a list of results.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ResultPage {
    /// The page after this session.
    after: Option<String>,
}

/// Results of sessions.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResultList {
    /// Of ended sessions, the newest first, at most 100.
    #[schema(value_type = Vec<Object>)]
    results: Vec<ResultRow>,
}

/// Lists what came of a flow's sessions: the variables that its settings name as results.
#[utoipa::path(get, path = "/api/v1/flows/{code}/results", tag = "measures", params(("code" = String, Path), ResultPage),
    responses((status = 200, description = "The results.", body = ResultList), Refusals))]
pub async fn results(
    Tenant { bot, .. }: Tenant,
    InPath(name): InPath<String>,
    Params(page): Params<ResultPage>,
) -> Result<Json<ResultList>, ApiError> {
    let flow = found(&bot, &name).await?.flow;
    let mut filter = SessionFilter::all();
    if let Some(last) = page.after {
        filter = filter.after(&sessions::found(&bot, &last).await?);
    }
    Ok(Json(ResultList { results: bot.results(&flow, filter).await? }))
}

/// The picture to draw.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub struct PictureQuestion {
    /// Of this version; of the draft if absent.
    version: Option<u32>,
    /// `svg`, `mermaid` or `dot`; `svg` if absent.
    #[param(inline)]
    format: PictureFormat,
    /// With the way that this session took.
    session: Option<String>,
    /// With the number of visits of the last seven days.
    counts: bool,
}

/// Formats of pictures.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum PictureFormat {
    #[default]
    Svg,
    Mermaid,
    Dot,
}

/// Draws a flow.
#[utoipa::path(get, path = "/api/v1/flows/{code}/diagram", tag = "measures", params(("code" = String, Path), PictureQuestion),
    responses((status = 200, description = "The picture.", content(("image/svg+xml"), ("text/plain"))), Refusals))]
pub async fn diagram(
    Tenant { bot, .. }: Tenant,
    InPath(name): InPath<String>,
    Params(of): Params<PictureQuestion>,
) -> Result<Response, ApiError> {
    let status = found(&bot, &name).await?;
    let json = bot.flows().export(&status.flow, of.version.map(FlowVersion)).await?;
    let flow = Flow::from_json(&json).map_err(chatflow::Error::from)?;
    let diagram = drawn(&bot, &flow, &of).await?;
    let (media, picture) = match of.format {
        PictureFormat::Svg => ("image/svg+xml", diagram.svg()),
        PictureFormat::Mermaid => ("text/plain; charset=utf-8", diagram.mermaid()),
        PictureFormat::Dot => ("text/plain; charset=utf-8", diagram.dot()),
    };
    Ok(([(CONTENT_TYPE, media)], picture).into_response())
}

async fn drawn<'a>(bot: &Bot, flow: &'a Flow, of: &PictureQuestion) -> Result<Diagram<'a>, ApiError> {
    let mut diagram = Diagram::of(flow);
    if of.counts {
        let counts = bot.counts(flow.id(), Span::default().bounds()).await?;
        diagram = diagram.counts(counts.total.nodes);
    }
    if let Some(session) = &of.session {
        let id = sessions::found(bot, session).await?.session().id();
        let journal = bot.journal(id).await?;
        diagram = diagram.path(journal.iter().flat_map(|entry| &entry.steps));
    }
    Ok(diagram)
}
