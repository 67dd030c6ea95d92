//! Texts of other systems: bodies of the products' APIs. The first byte says which.

use chatflow::testkit::ManualClock;
use chatflow::wire::{alibaba, gptbots, qyvo, whatsapp};
use chatflow::{Engine, MemoryStore};
use pollster::block_on;

/// Each body is taken or refused with an answer; what is taken, an engine can be asked.
pub fn wire(bytes: &[u8]) {
    let Some((which, body)) = bytes.split_first() else { return };
    match which % 6 {
        0 => {
            if let Ok(request) = qyvo::TriggerFlow::from_json(body) {
                let answer =
                    qyvo::Answers::default().of(&block_on(engine().trigger(request.into_request(None))));
                assert!(answer.status >= 400, "there is no flow");
            }
        }
        1 => drop(qyvo::GetFlow::from_json(body)),
        2 => {
            if let Ok(request) = alibaba::TriggerChatFlow::from_json(body, "r-1") {
                assert!(!format!("{request:?}").is_empty());
            }
        }
        3 => {
            let Ok(news) = whatsapp::WebhookReader::default().read(body) else { return };
            let by_number = whatsapp::WebhookReader::default().by_number().read(body);
            assert_eq!(by_number.expect("the same body").len(), news.len());
            let bot = engine();
            for news in news {
                if let whatsapp::WhatsAppEvent::Inbound(inbound) = news.event {
                    drop(block_on(bot.receive(*inbound)));
                }
            }
        }
        4 => {
            if let Ok(read) = serde_json::from_slice::<whatsapp::CloudWebhook>(body) {
                let written = serde_json::to_string(&read).expect("a webhook is JSON");
                let again: whatsapp::CloudWebhook = serde_json::from_str(&written).expect("it can be read");
                assert_eq!(again, read);
            }
        }
        _ => {
            for status in [200, 400, 500] {
                drop(gptbots::acknowledged(status, body));
            }
        }
    }
}

fn engine() -> Engine<MemoryStore> {
    Engine::builder(MemoryStore::new()).clock(ManualClock::default()).build()
}
