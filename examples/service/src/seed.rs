//! The demo workspace: flows to try, and a token.

use chatflow::flow::gallery;
use chatflow::ops::{FlowSource, Logging};
use chatflow::{Account, Channel};

use crate::app::App;
use crate::tokens;

/// The account that the demo flows talk on.
pub const SHOP: &str = "+15550100";

/// Flows that calls start.
const CALLED: &[&str] = &["abandoned_cart", "nps_survey", "opt_in", "order_status"];
/// Flows that messages to the shop start.
const SPOKEN_TO: &[&str] = &["menu", "triage"];

/// The name of its token.
const TOKEN_NAME: &str = "demo";

/// Fills the workspace where it has no flow, and makes its token. Nothing is put back that its
/// authors changed, took offline or deleted while a flow is left.
///
/// # Errors
/// The error of the database or the engine.
pub async fn demo(app: &App) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    if app.webhook_bot().flows().list().await?.is_empty() {
        fill(app).await?;
    }
    tokens::issue(&app.database, &app.config.workspace, TOKEN_NAME, app.config.token.as_deref()).await
}

/// Publishes the flows, and journals what they do, so that an operator has something to look at.
async fn fill(app: &App) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let bot = app.webhook_bot();
    let shop = Account::new(Channel::WhatsApp, SHOP)?;
    let mut sources = Vec::new();
    for name in CALLED.iter().chain(SPOKEN_TO) {
        let template = gallery::template(name).ok_or_else(|| format!("there is no template `{name}`"))?;
        let source = FlowSource::new(template.json);
        sources.push(if template.is_manual { source } else { source.on([shop.clone()]) });
    }
    for flow in bot.flows().by(TOKEN_NAME).ensure_all(sources).await? {
        bot.flows().set_logging(&flow.flow, Logging::Texts).await?;
    }
    Ok(())
}
