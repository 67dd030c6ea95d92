//! A small host that keeps everything in one file: start it again, and the conversation continues
//! where it was.
//!
//! ```sh
//! cargo run -p chatflow-sqlite --example sqlite_host -- talk.db
//! ```

use std::io::{self, BufRead};
use std::path::PathBuf;

use chatflow::{Channel, Engine, Inbound, Receipt, Received, SendError, TriggerRequest, Triggered, send_fn};
use chatflow_sqlite::SqliteStore;
use serde_json::json;

const FLOW: &str = include_str!("../../../examples/flows/abandoned_cart.json");
const SHOP: &str = "+15550100";
const CUSTOMER: &str = "+14155550123";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args_os().nth(1).map(PathBuf::from);
    let file = file.unwrap_or_else(|| std::env::temp_dir().join("chatflow-sqlite-host.db"));
    eprintln!("kept in {}", file.display());
    pollster::block_on(talk(SqliteStore::open(file)?, io::stdin().lock()))
}

/// Each line is a reply of the customer's, until there is none.
async fn talk(store: SqliteStore, lines: impl BufRead) -> Result<(), Box<dyn std::error::Error>> {
    let transport = send_fn(|message| async move {
        println!("< {}", message.text());
        Ok::<_, SendError>(Receipt::new())
    });
    let bot = Engine::builder(store).transport(transport).build();
    bot.flows().ensure(FLOW).await?;
    // What came due while nobody ran: timers, and messages that an end of the process kept back.
    while bot.tick(100).await?.worked > 0 {}

    let cart = json!({"first_name": "Ada", "cart_id": "987654321", "cart_total": "129.00"});
    let triggered = bot.trigger(TriggerRequest::new("abandoned-cart").phone(CUSTOMER).context(cart)).await?;
    eprintln!(
        "{}",
        if matches!(triggered, Triggered::Started(_)) { "a new cart" } else { "the cart of before" }
    );
    for line in lines.lines() {
        let reply = Inbound::text(Channel::WhatsApp, SHOP, CUSTOMER, line?);
        if !matches!(bot.receive(reply).await?, Received::Consumed { .. }) {
            eprintln!("nobody waits for that");
        }
        while bot.tick(100).await?.worked > 0 {}
    }
    Ok(())
}
