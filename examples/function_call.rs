//! A flow that asks the host: one function answers at once, another when a person has decided, in
//! another process perhaps.

use std::sync::{Arc, Mutex, PoisonError};

use chatflow::calls::{Answer, CallRef};
use chatflow::testkit::Recorder;
use chatflow::{CallError, CallResult, Channel, Engine, Inbound, MemoryStore, TriggerRequest, call_fn};
use serde_json::{Value, json};

const FLOW: &str = r#"{"spec": 1, "code": "refund", "trigger": {"kind": "manual"},
    "settings": {"sender": {"channel": "sms", "account": "+15550100"}},
    "nodes": [
        {"id": "start", "kind": "start"},
        {"id": "ask", "kind": "send_message", "text": "Which order is it?"},
        {"id": "number", "kind": "wait_reply", "save_to": "number"},
        {"id": "lookup", "kind": "function", "function": "order", "args": {"number": "{{ number | trim }}"},
         "save_to": "order", "branches": ["not_found"]},
        {"id": "unknown", "kind": "send_message", "text": "We know no order {{ number }}."},
        {"id": "approve", "kind": "function", "function": "approve", "args": {"amount": "{{ order.total }}"},
         "timeout": "2h", "save_to": "by"},
        {"id": "yes", "kind": "send_message", "text": "{{ by }} sends you {{ order.total }} EUR."},
        {"id": "no", "kind": "send_message", "text": "Sorry, we cannot refund that."}],
    "edges": [
        {"from": "start", "to": "ask"}, {"from": "ask", "to": "number"}, {"from": "number", "to": "lookup"},
        {"from": "lookup", "to": "approve"}, {"from": "lookup", "branch": "not_found", "to": "unknown"},
        {"from": "lookup", "branch": "failed", "to": "no"}, {"from": "approve", "to": "yes"},
        {"from": "approve", "branch": "failed", "to": "no"}]}"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for line in talk()? {
        println!("{line}");
    }
    Ok(())
}

/// The talk of three contacts, and of the person who decides.
pub(crate) fn talk() -> Result<Vec<String>, Box<dyn std::error::Error>> {
    // Calls that wait for a person: a table of the host, as text.
    let desk = Arc::new(Mutex::new(Vec::<String>::new()));
    let inbox = Arc::clone(&desk);
    let calls = call_fn(move |call| {
        let answer = match (call.name(), call.arg("number").and_then(|number| number.as_str())) {
            ("order", Some("A-1" | "A-2")) => Ok(Answer::now(json!({"total": 25}))),
            ("order", _) => Ok(Answer::Now(CallResult::branch(Value::Null, "not_found"))),
            ("approve", _) => file(&inbox, &call.reference),
            (other, _) => Err(CallError::failed(format_args!("there is no function `{other}`"))),
        };
        async { answer }
    });
    let outbox = Recorder::new();
    let bot =
        Engine::builder(MemoryStore::new()).transport(outbox.clone()).calls(calls).inline_calls().build();
    let mut said = Vec::new();
    let hear = |said: &mut Vec<String>| {
        said.extend(outbox.take_texts().iter().map(|text| format!("< {text}")));
    };
    pollster::block_on(async {
        bot.flows().ensure(FLOW).await?;
        for (phone, number) in [("+14155550101", "A-1"), ("+14155550102", "A-2"), ("+14155550103", "B-7")] {
            let _ = bot.trigger(TriggerRequest::new("refund").phone(phone)).await?;
            hear(&mut said);
            said.push(format!("> {number}"));
            let _ = bot.receive(Inbound::text(Channel::Sms, "+15550100", phone, number)).await?;
            hear(&mut said);
        }
        let references = std::mem::take(&mut *desk.lock().unwrap_or_else(PoisonError::into_inner));
        let decisions = [CallResult::value("Grace"), CallResult::failed("too late for that")];
        for (reference, decision) in references.iter().zip(decisions) {
            let reference: CallRef = serde_json::from_str(reference)?;
            let first = bot.complete(reference.clone(), decision.clone()).await?;
            hear(&mut said);
            let again = bot.complete(reference, decision).await?;
            said.push(format!("({first:?}, then {again:?})"));
        }
        Ok(said)
    })
}

/// Keeps what it takes to answer later.
fn file(desk: &Mutex<Vec<String>>, reference: &CallRef) -> Result<Answer, CallError> {
    let text = serde_json::to_string(reference).map_err(CallError::failed)?;
    desk.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    Ok(Answer::Later)
}
