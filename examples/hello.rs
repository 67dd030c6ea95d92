//! A whole conversation in one file: a flow, a transport that prints, a trigger, a reply.
use chatflow::{Channel, Engine, Inbound, MemoryStore, Receipt, SendError, TriggerRequest, send_fn};

const FLOW: &str = r#"{"spec": 1, "code": "hello", "trigger": {"kind": "manual"},
    "settings": {"sender": {"channel": "whatsapp", "account": "+15550100"}},
    "nodes": [{"id": "start", "kind": "start"}, {"id": "hi", "kind": "send_message", "text": "How are you?"},
              {"id": "wait", "kind": "wait_reply", "timeout": "10m"},
              {"id": "bye", "kind": "send_message", "text": "{{reply.text}}? Good to hear!"}],
    "edges": [{"from": "start", "to": "hi"}, {"from": "hi", "to": "wait"}, {"from": "wait", "to": "bye"}]}"#;

fn main() -> Result<(), chatflow::Error> {
    let transport = send_fn(|message| async move {
        println!("< {}", message.text());
        Ok::<_, SendError>(Receipt::new())
    });
    let bot = Engine::builder(MemoryStore::new()).transport(transport).build();
    pollster::block_on(async {
        bot.flows().ensure(FLOW).await?;
        let _ = bot.trigger(TriggerRequest::new("hello").phone("+14155550123")).await?;
        println!("> Fine");
        let _ = bot.receive(Inbound::text(Channel::WhatsApp, "+15550100", "+14155550123", "Fine")).await?;
        Ok(())
    })
}
