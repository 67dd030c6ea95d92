//! The same talks with the engine alone, in this process and on a file of its own: what the
//! service's figures are compared with.

use std::sync::Arc;
use std::time::Instant;

use chatflow::{Channel, Engine, Inbound, Receipt, SendError, TriggerRequest, send_fn};
use chatflow_sqlite::SqliteStore;
use serde_json::json;
use tokio::task::JoinSet;

use crate::{Failure, as_rate, talk};

/// Returns the talks a second that the engine comes to, so many at once.
pub(crate) async fn talks_a_second(talks: usize) -> Result<f64, Failure> {
    let folder = std::env::temp_dir().join(format!("chatflow-load-alone-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let transport = send_fn(|_message| async { Ok::<_, SendError>(Receipt::new()) });
    let store = SqliteStore::open(folder.join("alone.db"))?;
    let bot = Arc::new(Engine::builder(store).transport(transport).count_nodes(true).build());
    let cart = chatflow::flow::gallery::template("abandoned_cart").ok_or("the template is missing")?;
    bot.flows().ensure(cart.json).await?;
    let begun = Instant::now();
    let mut running = JoinSet::new();
    for number in 0..talks {
        let bot = Arc::clone(&bot);
        running.spawn(async move { one(&bot, number).await });
    }
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    let rate = as_rate(talks, begun.elapsed());
    drop(bot);
    std::fs::remove_dir_all(&folder)?;
    Ok(rate)
}

async fn one(bot: &Engine<SqliteStore>, number: usize) -> Result<(), chatflow::Error> {
    let phone = talk::phone(number);
    let context = json!({"first_name": "Ada", "cart_id": number.to_string(), "cart_total": "129.00"});
    let request =
        TriggerRequest::new("abandoned-cart").phone(&phone).context(context).uuid(format!("cart-{number}"));
    let _ = bot.trigger(request).await?;
    for (place, text) in ["hello", "1"].into_iter().enumerate() {
        let said = Inbound::text(Channel::WhatsApp, "+15550100", &phone, text);
        let _ = bot.receive(said.id(format!("wamid.{number}.{place}"))).await?;
    }
    Ok(())
}
