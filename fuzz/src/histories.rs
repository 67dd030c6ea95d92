//! Histories: the bytes say what is done to an engine, two bytes a step.

use chatflow::calls::{Answer, Call};
use chatflow::kernel::replay;
use chatflow::limits::Limits;
use chatflow::ops::SessionFilter;
use chatflow::testkit::{CountingIds, ManualClock, Recorder};
use chatflow::{Channel, Engine, Flow, Inbound, MemoryStore, TriggerRequest, call_fn};
use chrono::TimeDelta;
use pollster::block_on;
use serde_json::json;

const SHOP: &str = "+15550100";
const STEPS: usize = 48;

fn flow(code: &str, settings: &str, nodes: &str, edges: &[(&str, &str, &str)]) -> String {
    let edges: Vec<_> =
        edges.iter().map(|(from, branch, to)| json!({"from": from, "branch": branch, "to": to})).collect();
    format!(
        r#"{{"spec": 1, "code": "{code}", "trigger": {{"kind": "manual"}},
            "settings": {{"sender": {{"channel": "whatsapp", "account": "{SHOP}"}}{settings}}},
            "nodes": [{{"id": "start", "kind": "start"}}, {nodes}], "edges": {}}}"#,
        json!(edges)
    )
}

/// A questionnaire, and a flow with a call, a delay, a loop and a handoff.
fn flows() -> [String; 2] {
    [
        flow(
            "ask",
            r#", "session_ttl_minutes": 20, "reminder": {"before": "5m", "node": "still"}"#,
            r#"{"id": "q", "kind": "ask", "text": "How many?", "expect": "number", "retries": 2, "save_to": "n", "timeout": "10m"},
               {"id": "way", "kind": "branch", "branches": [{"label": "many", "when": {"expr": "vars.n > 3"}}]},
               {"id": "menu", "kind": "send_message", "text": "Which?", "options": [{"id": "a", "label": "First"}, {"id": "b", "label": "Second"}]},
               {"id": "wait", "kind": "wait_reply", "timeout": "5m"},
               {"id": "bye", "kind": "send_message", "text": "Bye {{ vars.n }} {{ reply.text }}"},
               {"id": "still", "kind": "send_message", "text": "Still there?"}"#,
            &[
                ("start", "next", "q"),
                ("q", "valid", "way"),
                ("q", "invalid", "bye"),
                ("q", "timeout", "bye"),
                ("way", "many", "menu"),
                ("way", "else", "q"),
                ("menu", "next", "wait"),
                ("wait", "replied", "bye"),
                ("wait", "timeout", "bye"),
            ],
        ),
        flow(
            "work",
            "",
            r#"{"id": "look", "kind": "function", "function": "look", "save_to": "found", "timeout": "1m"},
               {"id": "each", "kind": "for_each", "from": "vars.found"},
               {"id": "tell", "kind": "send_message", "text": "{{ item }}"},
               {"id": "rest", "kind": "delay", "for": "2m"},
               {"id": "person", "kind": "handoff", "timeout": "30m"},
               {"id": "back", "kind": "send_message", "text": "back"}"#,
            &[
                ("start", "next", "look"),
                ("look", "next", "each"),
                ("look", "failed", "person"),
                ("each", "each", "tell"),
                ("tell", "next", "each"),
                ("each", "done", "rest"),
                ("rest", "next", "person"),
                ("person", "returned", "back"),
                ("person", "timeout", "back"),
            ],
        ),
    ]
}

/// Any acts in any order: no call panics, all sessions end once nothing more is done,
/// and each journal leads to its session.
pub fn histories(bytes: &[u8]) {
    let clock = ManualClock::default();
    let bot = Engine::builder(MemoryStore::new())
        .transport(Recorder::new())
        .calls(call_fn(|call: Call| async move {
            Ok::<_, chatflow::CallError>(match call.reference.call.to_string().len() % 2 {
                0 => Answer::now(json!(["a", "b"])),
                _ => Answer::Later,
            })
        }))
        .clock(clock.clone())
        .ids(CountingIds::new())
        .build();
    for json in flows() {
        let status = block_on(bot.flows().ensure(&json)).expect("the flow is sound");
        block_on(bot.flows().set_logging(&status.flow, true)).expect("the flow is there");
    }
    block_on(async {
        for (place, step) in bytes.chunks_exact(2).take(STEPS).enumerate() {
            take(&bot, &clock, place, step[0], step[1]).await;
        }
        end(&bot, &clock).await;
    });
}

async fn take(bot: &Engine<MemoryStore>, clock: &ManualClock, place: usize, what: u8, how: u8) {
    let who = format!("+1415555010{}", how % 3);
    let some = async || {
        let all = bot.sessions(SessionFilter::all()).await.unwrap_or_default();
        all.get(usize::from(how) % all.len().max(1)).cloned()
    };
    match what % 16 {
        0 | 1 => {
            let request = TriggerRequest::new(if how & 8 == 0 { "ask" } else { "work" }).phone(&*who);
            drop(
                bot.trigger(if how & 16 == 0 { request } else { request.uuid(format!("k{}", how / 32)) })
                    .await,
            );
        }
        2..=5 => {
            let texts = ["5", "2", "many", "First", "b", "stop", "start", ""];
            let text = texts[usize::from(how / 3) % texts.len()];
            let message = Inbound::text(Channel::WhatsApp, SHOP, &*who, text);
            let id = if how & 128 == 0 { format!("m{place}") } else { format!("m{}", how % 8) };
            drop(bot.receive(message.id(&*id)).await);
        }
        6 | 7 => clock.advance(TimeDelta::seconds(i64::from(how))),
        8 => clock.advance(TimeDelta::minutes(i64::from(how))),
        9 => clock.advance(-TimeDelta::minutes(i64::from(how))),
        10 | 11 => drop(bot.tick(usize::from(how % 4) + 1).await),
        12 => drop(
            bot.cancel(match some().await {
                Some(it) => it.session().id(),
                None => return,
            })
            .await,
        ),
        13 => drop(
            bot.handoff(match some().await {
                Some(it) => it.session().id(),
                None => return,
            })
            .await,
        ),
        14 => {
            let Some(it) = some().await else { return };
            match how % 4 {
                0 => drop(bot.resume_from_handoff(it.contact(), json!({"x": 1})).await),
                1 => drop(bot.touch(it.contact()).await),
                2 => drop(bot.pause(it.contact(), None).await),
                _ => drop(bot.unpause(it.contact()).await),
            }
        }
        _ => {
            let Some(it) = some().await else { return };
            match how % 3 {
                0 => drop(bot.opt_out(it.contact()).await),
                1 => drop(bot.opt_in(it.contact()).await),
                _ => drop(bot.unpause(it.contact()).await),
            }
        }
    }
}

/// Time passes until nothing is due.
async fn end(bot: &Engine<MemoryStore>, clock: &ManualClock) {
    let all = bot.sessions(SessionFilter::all()).await.expect("memory answers");
    for record in &all {
        drop(bot.unpause(record.contact()).await);
    }
    for _ in 0..2_000 {
        let ticked = bot.tick(64).await.expect("memory answers");
        // Later on, journals are removed as their retention says.
        let all = bot.sessions(SessionFilter::all()).await.expect("memory answers");
        if !all.iter().any(|record| record.session().status().is_live()) {
            break;
        }
        match ticked.next_due {
            Some(due) if ticked.worked == 0 => clock.set(due),
            None if ticked.worked == 0 => break,
            _ => {}
        }
    }
    let flows = flows().map(|json| Flow::from_json(&json).expect("the flow is sound"));
    for record in bot.sessions(SessionFilter::all()).await.expect("memory answers") {
        let session = record.session();
        assert!(!session.status().is_live(), "{session:?} never ends");
        let journal = bot.journal(session.id()).await.expect("memory answers");
        let own = |id: &chatflow::FlowId, _| flows.iter().find(|flow| flow.id() == id);
        let replayed = replay(own, &journal, &Limits::default()).expect("a journal can be played again");
        assert_eq!(replayed, *session, "a journal leads to its session");
    }
}
