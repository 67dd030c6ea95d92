//! The demo workspace: flows to try, and a token.

use chatflow::flow::gallery;
use chatflow::ops::FlowSource;
use chatflow::{Account, Channel, Error};

use crate::app::App;
use crate::tokens;

/// The account that the demo flows talk on.
pub const SHOP: &str = "+15550100";

/// Flows that calls start.
const CALLED: &[&str] = &["abandoned_cart", "nps_survey", "opt_in", "order_status"];
/// Flows that messages to the shop start.
const SPOKEN_TO: &[&str] = &["menu", "triage"];

/// Fills the workspace, and makes its token.
///
/// # Errors
/// The error of the database or the engine.
pub async fn demo(app: &App) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let bot = app.webhook_bot();
    let shop = Account::new(Channel::WhatsApp, SHOP)?;
    let text = |code: &&str| gallery::template(code).map(|template| template.json);
    let called = CALLED.iter().filter_map(text).map(FlowSource::new);
    let spoken_to = SPOKEN_TO.iter().filter_map(text).map(|json| FlowSource::new(json).on([shop.clone()]));
    let flows = bot.flows();
    let online = flows.by("demo").ensure_all(called.chain(spoken_to)).await?;
    for flow in &online {
        log_all(app, flow).await?;
    }
    tokens::issue(&app.database, &app.config.workspace, "demo", app.config.token.as_deref()).await
}

/// Journals what the demo flows do, so that an operator has something to look at.
async fn log_all(app: &App, flow: &chatflow::ops::FlowStatus) -> Result<(), Error> {
    if !flow.log_texts {
        app.webhook_bot().flows().set_logging(&flow.flow, chatflow::ops::Logging::Texts).await?;
    }
    Ok(())
}
