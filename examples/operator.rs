//! The work of those who run flows: look at a session's journal and at the counts of all, draw
//! them, take a session to a new version, read what came of those that ended, see what could not be
//! sent, and forget a contact.

use chatflow::diagram::Diagram;
use chatflow::ops::{EraseOptions, JournalFilter, SessionFilter};
use chatflow::testkit::{ManualClock, Recorder};
use chatflow::{Channel, Engine, Flow, FlowId, Inbound, MemoryStore, SendError, TriggerRequest, Triggered};
use serde_json::json;

const FLOW: &str = include_str!("flows/abandoned_cart.json");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for line in pollster::block_on(day())? {
        println!("{line}");
    }
    Ok(())
}

/// An operator's day, in lines.
pub(crate) async fn day() -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let (outbox, clock) = (Recorder::new(), ManualClock::default());
    let bot = Engine::builder(MemoryStore::new()).transport(outbox.clone()).clock(clock.clone());
    let bot = bot.count_nodes(true).build();
    let cart = FlowId::new("abandoned-cart")?;
    // What comes of its sessions: the answer, and what they were started with.
    let text = FLOW
        .replace(r#""timeout": "30m""#, r#""timeout": "30m", "save_to": "answer""#)
        .replace(r#""language": "en","#, r#""language": "en", "results": ["answer", "cart_id"],"#);
    let flow = Flow::from_json(&text)?;
    bot.flows().ensure(&text).await?;
    bot.flows().set_logging(&cart, true).await?; // for sessions that start from now on
    let mut log = Vec::new();

    // Three carts: one is bought, one waits, one cannot be reached.
    let mut sessions = Vec::new();
    for (phone, reply) in [("+14155550101", Some("1")), ("+14155550102", Some("hm")), ("+14155550103", None)]
    {
        if reply.is_none() {
            outbox.answer([Err(SendError::rejected("no such number"))]);
        }
        let request = TriggerRequest::new("abandoned-cart").phone(phone).context(json!({"cart_id": "7"}));
        if let Triggered::Started(session) = bot.trigger(request).await? {
            sessions.push(session);
        }
        if let Some(text) = reply {
            let _ = bot.receive(Inbound::text(Channel::WhatsApp, "+15550100", phone, text)).await?;
        }
    }

    // One session, step by step, and its way as a picture.
    let journal = bot.journal(sessions[0].session_id).await?;
    let steps = || journal.iter().flat_map(|turn| &turn.steps);
    let mut way: Vec<&str> = steps().map(|step| step.node.as_str()).collect();
    way.dedup(); // a wait is a step when it begins and when it ends
    log.push(format!("the first went {}", way.join(", ")));
    let _its_picture = Diagram::of(&flow).path(steps()).svg();

    // All of them, added up.
    let counts = bot.node_counts(JournalFilter::of(cart.clone())).await?;
    for count in counts.iter().filter(|count| count.node.as_str() == "pick") {
        log.push(format!("{}: {} visits, {:?}", count.node, count.visits, count.branches));
    }
    let heat = Diagram::of(&flow).node_counts(&counts).svg();
    log.push(format!("the heat map is an SVG: {}", heat.starts_with("<svg")));

    // The same without a journal, of any span of time: what is counted is written with each turn.
    let counts = bot.counts(&cart, ..).await?.total;
    let picked = counts.nodes.iter().find(|(node, _)| node.as_str() == "pick");
    log.push(format!("counted {} starts, {:?} ends, {picked:?}", counts.started, counts.ended));

    // What came of them, row by row: for a spreadsheet, or a warehouse.
    let mut filter = SessionFilter::all();
    loop {
        let page = bot.results(&cart, filter.clone()).await?;
        for row in &page {
            let outcome = row.outcome.as_deref().unwrap_or("none");
            log.push(format!("result {} ({outcome}): {}", row.status, json!(row.values)));
        }
        let Some(last) = page.last() else { break };
        filter = filter.after_row(last);
    }

    // A new version. Sessions stay on theirs, unless they are taken along.
    bot.flows().ensure(&text.replace("Sorry, please answer 1 or 2.", "1 or 2?")).await?;
    let online = bot.flows().get(&cart).await?.and_then(|status| status.online).ok_or("offline")?;
    for record in bot.sessions(SessionFilter::all().flow(cart.clone()).live()).await? {
        let moved = bot.migrate(record.session().id(), online, &[]).await?;
        log.push(format!("taken from version {} to {} at {}", moved.from, moved.to, moved.node));
    }

    // What did not arrive: tried again under the same id, or dropped.
    for letter in bot.dead_letters(None).await? {
        log.push(format!("not delivered to {}: {}", letter.letter.message.to(), letter.letter.reason));
        bot.requeue_dead_letter(&letter.contact, letter.letter.message.id).await?;
    }
    log.push(format!("after a requeue {} are left", bot.dead_letters(None).await?.len()));

    // A contact who wants to be forgotten.
    let gone = bot.erase(&sessions[1].contact_id, EraseOptions::new()).await?;
    log.push(format!(
        "erased {} session, {} address, {} journal entries",
        gone.sessions, gone.addresses, gone.journal_entries
    ));
    Ok(log)
}
