//! A campaign of a thousand contacts, run twice: the second run finds everything done.

use std::io::{IsTerminal, Write, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chatflow::ops::Progress;
use chatflow::{Engine, MemoryStore, Receipt, SendError, TriggerRequest, Triggered, send_fn};

const FLOW: &str = r#"{"spec": 1, "code": "spring", "trigger": {"kind": "manual"},
    "settings": {"sender": {"channel": "sms", "account": "+15550100"}},
    "nodes": [{"id": "start", "kind": "start"},
              {"id": "offer", "kind": "send_message", "text": "Hi {{ context.name }}, spring is here. Reply STOP to end."},
              {"id": "wait", "kind": "wait_reply", "timeout": "1d"}],
    "edges": [{"from": "start", "to": "offer"}, {"from": "offer", "to": "wait"}]}"#;

fn main() -> Result<(), chatflow::Error> {
    for (run, Summary { progress, replayed, sent }) in ["first", "second"].iter().zip(twice(1_000)?) {
        let Progress { done, started, failed, .. } = progress;
        println!(
            "{run} run: {done} done, {started} started ({replayed} before), {failed} failed, {sent} messages sent"
        );
    }
    Ok(())
}

/// The outcome of a run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) progress: Progress,
    /// Sessions that an earlier run had started.
    pub(crate) replayed: u64,
    /// Messages so far.
    pub(crate) sent: u64,
}

/// Runs the campaign twice.
pub(crate) fn twice(contacts: usize) -> Result<[Summary; 2], chatflow::Error> {
    let sent = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&sent);
    let transport = send_fn(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        async { Ok::<_, SendError>(Receipt::new()) }
    });
    let bot = Engine::builder(MemoryStore::new()).transport(transport).build();
    pollster::block_on(async {
        bot.flows().ensure(FLOW).await?;
        Ok([run(&bot, contacts, &sent).await, run(&bot, contacts, &sent).await])
    })
}

async fn run(bot: &Engine<MemoryStore>, contacts: usize, sent: &AtomicU64) -> Summary {
    let requests = (0..contacts).map(|number| {
        TriggerRequest::new("spring")
            .phone(format!("+1415{number:07}"))
            .context(serde_json::json!({"name": format!("customer {number}")}))
            .campaign("spring-2026")
    });
    let mut campaign = bot.trigger_many(16, requests);
    let mut replayed = 0;
    while let Some(outcome) = campaign.next().await {
        match outcome {
            Ok(Triggered::Started(session)) => replayed += u64::from(session.replayed),
            Ok(_) => {}
            Err(error) => eprintln!("{error}"),
        }
        bar(campaign.progress().done, contacts);
    }
    Summary { progress: campaign.progress(), replayed, sent: sent.load(Ordering::Relaxed) }
}

/// Draws how far it is, for a person.
fn bar(done: u64, of: usize) {
    const WIDTH: usize = 40;
    let done = usize::try_from(done).unwrap_or(of);
    if stderr().is_terminal() && (done.is_multiple_of(of.div_ceil(100)) || done == of) {
        let filled = "#".repeat(done * WIDTH / of.max(1));
        let end = if done == of { "\n" } else { "" };
        let _ = write!(stderr(), "\r[{filled:WIDTH$}] {done}/{of}{end}");
    }
}
