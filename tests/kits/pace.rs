//! The promises of a pace on any store (SEMANTICS D7), by engines that share one.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatflow::pace::{Pace, Rate};
use chatflow::store::{ConversationStore, FlowStore};
use chatflow::testkit::ManualClock;
use chatflow::{Clock, Engine, Outbound, Receipt, SendError, TriggerRequest, send_fn};

const BUSY: &str = "+15550100";
const QUIET: &str = "+15550200";
const CONTACTS: usize = 20;

/// A flow that says three things from this account.
fn flow(code: &str, account: &str) -> String {
    let nodes = ["a", "b", "c"]
        .map(|text| format!(r#"{{"id": "{text}", "kind": "send_message", "text": "{text}"}}"#));
    format!(
        r#"{{"spec": 1, "code": "{code}", "trigger": {{"kind": "manual"}},
            "settings": {{"sender": {{"channel": "sms", "account": "{account}"}}}},
            "nodes": [{{"id": "start", "kind": "start"}}, {}],
            "edges": [{{"from": "start", "to": "a"}}, {{"from": "a", "to": "b"}}, {{"from": "b", "to": "c"}}]}}"#,
        nodes.join(", ")
    )
}

fn phone(number: usize) -> String {
    format!("+1415{number:07}")
}

/// Three messages to each of many contacts of one account: each leaves at the rate, in its
/// contact's order, is claimed once, and keeps nobody of another account waiting.
pub(crate) async fn a_pace_holds<S: ConversationStore + FlowStore + Clone + 'static>(stores: Vec<S>) {
    let (clock, left) = (ManualClock::default(), Arc::new(Mutex::new(Vec::new())));
    let began = clock.now();
    let pace = Pace {
        per_account: Some(Rate::per_second(10).burst(5)),
        per_contact: Some(Rate::every(Duration::from_secs(2))),
    };
    let bots: Vec<Engine<S>> = stores
        .into_iter()
        .map(|store| {
            let (now, left) = (clock.clone(), left.clone());
            let transport = send_fn(move |message: Outbound| {
                let at = (now.now() - began).num_milliseconds();
                let from = message.account().account.to_string();
                left.lock().unwrap().push((at, from, message.to().to_string(), message.text().to_owned()));
                async { Ok::<_, SendError>(Receipt::new()) }
            });
            let builder =
                Engine::builder(store.clone()).flow_store(store).clock(clock.clone()).max_skew(Duration::MAX);
            builder.transport(transport).pace(pace).unwrap().build()
        })
        .collect();
    for (code, account) in [("busy", BUSY), ("quiet", QUIET)] {
        let _ = bots[0].flows().ensure(&flow(code, account)).await.unwrap();
    }
    for number in 0..CONTACTS {
        let bot = &bots[number % bots.len()];
        let _ = bot.trigger(TriggerRequest::new("busy").phone(phone(number))).await.unwrap();
    }
    let _ = bots[0].trigger(TriggerRequest::new("quiet").phone(phone(CONTACTS))).await.unwrap();
    let (mut worked, at_once) = (0, left.lock().unwrap().len());
    let all = (CONTACTS + 1) * 3;
    while left.lock().unwrap().len() < all {
        let (mut is_idle, mut next) = (true, None);
        for bot in &bots {
            let ticked = bot.tick(100).await.unwrap();
            worked += ticked.worked;
            is_idle &= ticked.worked == 0;
            next = ticked.next_due;
        }
        // Right after some were worked a store may answer an instant that is too early.
        if is_idle {
            let next = next.unwrap();
            assert!(next > clock.now(), "what is due is worked");
            clock.set(next);
        }
    }
    let left = left.lock().unwrap();
    assert_eq!(left.len(), all);
    for number in 0..=CONTACTS {
        let texts: String = left.iter().filter(|one| one.2 == phone(number)).map(|one| &*one.3).collect();
        assert_eq!(texts, "abc", "to {}", phone(number));
    }
    let quiet: Vec<i64> = left.iter().filter(|one| one.1 == QUIET).map(|one| one.0).collect();
    assert_eq!(quiet, [0, 2_000, 4_000]);
    let busy: Vec<i64> = left.iter().filter(|one| one.1 == BUSY).map(|one| one.0).collect();
    let processes = i64::try_from(bots.len()).unwrap();
    for (place, first) in busy.iter().enumerate() {
        for (more, last) in (1..).zip(&busy[place..]) {
            let most = processes * (5 + (last - first) * 10 / 1_000);
            assert!(more <= most, "{more} from {first} to {last}, at most {most}");
        }
    }
    if bots.len() == 1 {
        assert!(worked <= all - at_once, "{worked} claims for {} messages", all - at_once);
    }
}
