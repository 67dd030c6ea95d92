//! The same talks with the engine alone, in this process and on a file of its own: what the
//! service's figures are compared with.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chatflow::{Channel, Engine, Inbound, Receipt, SendError, TriggerRequest, send_fn};
use chatflow_sqlite::SqliteStore;
use serde_json::json;
use tokio::task::JoinSet;

use crate::{Failure, talk};

/// Times of the engine for the same talks.
#[derive(Debug, Default)]
pub(crate) struct Alone {
    /// Each call, sorted.
    pub(crate) calls: Vec<Duration>,
    /// Each talk, sorted.
    pub(crate) talks: Vec<Duration>,
    /// All of them.
    pub(crate) took: Duration,
}

/// Holds so many talks at once.
pub(crate) async fn talks_alone(talks: usize) -> Result<Alone, Failure> {
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
    let mut alone = Alone::default();
    while let Some(ended) = running.join_next().await {
        let calls = ended??;
        alone.talks.push(calls.iter().sum());
        alone.calls.extend(calls);
    }
    alone.took = begun.elapsed();
    alone.calls.sort();
    alone.talks.sort();
    drop(bot);
    std::fs::remove_dir_all(&folder)?;
    Ok(alone)
}

/// One talk, with the time of each of its calls.
async fn one(bot: &Engine<SqliteStore>, number: usize) -> Result<[Duration; 3], chatflow::Error> {
    let phone = talk::phone(number);
    let context = json!({"first_name": "Ada", "cart_id": number.to_string(), "cart_total": "129.00"});
    let request =
        TriggerRequest::new("abandoned-cart").phone(&phone).context(context).uuid(format!("cart-{number}"));
    let mut calls = [Duration::ZERO; 3];
    let begun = Instant::now();
    let _ = bot.trigger(request).await?;
    calls[0] = begun.elapsed();
    for (place, text) in ["hello", "1"].into_iter().enumerate() {
        let said = Inbound::text(Channel::WhatsApp, "+15550100", &phone, text);
        let begun = Instant::now();
        let _ = bot.receive(said.id(format!("wamid.{number}.{place}"))).await?;
        calls[place + 1] = begun.elapsed();
    }
    Ok(calls)
}
