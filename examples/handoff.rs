//! An inbox for the people behind the bot: who waits for them and what for, what the contact writes
//! meanwhile, and the way back into the flow with what a person found out.

use std::sync::{Arc, Mutex, PoisonError};

use chatflow::observer::EventKind;
use chatflow::testkit::Recorder;
use chatflow::{
    Account, Channel, ContactId, Engine, Event, Inbound, MemoryStore, Observer, Received, SessionId,
};
use serde_json::json;

const FLOW: &str = r#"{"spec": 1, "code": "help", "trigger": {"kind": "inbound", "channel": "sms"},
    "settings": {"keywords": [{"words": ["agent"], "action": "jump", "node": "person"}]},
    "nodes": [
        {"id": "start", "kind": "start"},
        {"id": "topic", "kind": "ask", "text": "What is it about?", "choices": [
            {"id": "bill", "label": "A bill"}, {"id": "else", "label": "Something else", "synonyms": ["else"]}],
         "save_to": "topic"},
        {"id": "hold", "kind": "send_message", "text": "One moment, please."},
        {"id": "person", "kind": "handoff", "queue": "{{ vars.topic | default('front-desk') }}",
         "note": "{{ contact.name | default('somebody') }} wrote: {{ reply.text }}", "timeout": "8h", "vars": ["solved_by"]},
        {"id": "thanks", "kind": "send_message", "text": "{{ vars.solved_by }} was glad to help."},
        {"id": "sorry", "kind": "send_message", "text": "Sorry, nobody is there today."}],
    "edges": [
        {"from": "start", "to": "topic"}, {"from": "topic", "to": "hold"}, {"from": "topic", "branch": "invalid", "to": "hold"},
        {"from": "hold", "to": "person"}, {"from": "person", "branch": "returned", "to": "thanks"},
        {"from": "person", "branch": "timeout", "to": "sorry"}]}"#;

/// Sessions that wait for a person: a table of the host.
#[derive(Clone, Default)]
struct Inbox(Arc<Mutex<Vec<(SessionId, ContactId)>>>);

impl Inbox {
    fn take(&self) -> Vec<(SessionId, ContactId)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Observer for Inbox {
    fn observe(&self, event: &Event) {
        if let EventKind::HandedOff { session, .. } = event.kind {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push((session, event.contact.clone()));
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for line in pollster::block_on(talk())? {
        println!("{line}");
    }
    Ok(())
}

/// The talk of the contact (`>` said, `<` heard), and what the people see (`#`).
pub(crate) async fn talk() -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let (outbox, inbox) = (Recorder::new(), Inbox::default());
    let bot = Engine::builder(MemoryStore::new()).transport(outbox.clone()).observer(inbox.clone()).build();
    bot.flows().ensure_on(FLOW, [Account::new(Channel::Sms, "+15550100")?]).await?;
    let mut said = Vec::new();
    for text in ["hello", "a bill", "it is too high"] {
        said.push(format!("> {text}"));
        let message = Inbound::text(Channel::Sms, "+15550100", "+14155550123", text);
        if let Received::Handoff { .. } = bot.receive(message).await? {
            said.push(format!("# the contact writes: {text}"));
        }
        said.extend(outbox.take_texts().iter().map(|text| format!("< {text}")));
    }
    for (session, contact) in inbox.take() {
        let Some(record) = bot.session(session).await? else { continue };
        if let Some(handoff) = record.session().handoff() {
            let text = |text: &Option<Arc<str>>| text.as_deref().unwrap_or("-").to_owned();
            said.push(format!("# for {}: {}", text(&handoff.queue), text(&handoff.note)));
        }
        // A person answers through the host's own channel; each sign of work keeps the handoff from
        // timing out.
        bot.touch(&contact).await?;
        let back = bot.resume_from_handoff(&contact, json!({"solved_by": "Grace"})).await?;
        said.push(format!("# {back:?}"));
        said.extend(outbox.take_texts().iter().map(|text| format!("< {text}")));
    }
    Ok(said)
}
