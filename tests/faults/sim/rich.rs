//! Rounds in which everything that flows and hosts can do happens: questions, windows, refusals,
//! people, keywords, called flows, host calls of each kind. All sessions are journalled, and each
//! journal leads to its session.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chatflow::calls::{Answer, CallRef};
use chatflow::kernel::replay;
use chatflow::limits::Limits;
use chatflow::session::{DeliveryReport, Profile};
use chatflow::{CallResult, Channel, Engine, Flow, Inbound, TriggerRequest};
use pollster::block_on;
use serde_json::json;

use super::checks::Done;
use super::{Call, ENGINES, PHONES, Sim};
use crate::kit::sessions_of;
use crate::races::diary;
use crate::scenarios::{SHOP, flow, flows};

/// The flows that triggers start.
const STARTED: [&str; 9] = ["diary", "ask", "sure", "help", "form", "mixed", "detour", "lookup", "deep"];
/// Words of a contact beside those that nobody wrote before: keywords, answers, and no answers.
const WORDS: [&str; 7] = ["again", "undo", "agent", "yes", "no", "7", "menu"];

/// A flow with keywords and a reminder.
fn with_words(flow: &str, node: &str) -> String {
    flow.replace(
        r#""settings": {"#,
        &format!(
            r#""settings": {{"reminder": {{"before": "5m", "node": "remind"}}, "language": "en", "keywords": [
                {{"words": ["again"], "action": "restart"}}, {{"words": ["undo"], "action": "cancel"}},
                {{"words": ["agent"], "action": "handoff"}},
                {{"words": ["menu"], "action": "jump", "node": "{node}"}}], "#
        ),
    )
}

pub(super) fn all_flows() -> Vec<String> {
    let form = flow(
        "form",
        r#"{"id": "n", "kind": "ask", "text": "How many?", "expect": "number", "retries": 1, "debounce": "10s",
            "save_to": "n", "timeout": "9m"},
           {"id": "sure", "kind": "ask", "text": {"en": "Sure?", "pt": "Certo?"}, "retries": 2, "save_to": "sure",
            "choices": [{"id": "yes", "label": "Yes"}, {"id": "no", "label": "No"}]},
           {"id": "sign", "kind": "typing", "for": "2s"},
           {"id": "agent", "kind": "handoff", "timeout": "30m", "note": "{{vars.n}}"},
           {"id": "back", "kind": "send_message", "text": "Back {{vars.n}} {{vars.solved}}"},
           {"id": "gone", "kind": "send_message", "text": "Gone"},
           {"id": "remind", "kind": "send_message", "text": "Still there?"}"#,
        r#"{"from": "start", "to": "n"}, {"from": "n", "to": "sure"}, {"from": "n", "branch": "invalid", "to": "sure"},
           {"from": "n", "branch": "timeout", "to": "gone"}, {"from": "sure", "branch": "no", "to": "n"},
           {"from": "sure", "to": "sign"}, {"from": "sure", "branch": "invalid", "to": "agent"},
           {"from": "sign", "to": "agent"}, {"from": "agent", "to": "back"}, {"from": "agent", "branch": "timeout", "to": "gone"}"#,
    );
    let mixed = flow(
        "mixed",
        r#"{"id": "hi", "kind": "send_message", "text": {"en": "Hi", "pt": "Oi"}},
           {"id": "hear", "kind": "wait_reply", "debounce": "5s", "save_to": "heard"},
           {"id": "tongue", "kind": "recognize_language", "languages": ["en", "pt"], "update_contact": true},
           {"id": "class", "kind": "classify", "classes": [{"id": "one"}, {"id": "pt"}], "timeout": "20m"},
           {"id": "web", "kind": "http_request", "url": "https://host/{{vars.heard | urlencode}}", "save_to": "web"},
           {"id": "draft", "kind": "llm", "prompt": "{{vars.heard}}", "fallback": "Later", "save_to": "draft"},
           {"id": "fields", "kind": "update_contact", "set": {"fields": {"heard": "{{vars.heard}}"}}, "add_tags": ["{{vars.draft}}"]},
           {"id": "draw", "kind": "random_split", "branches": [{"label": "a", "weight": 2}, {"label": "b"}]},
           {"id": "tell", "kind": "send_message", "text": "{{vars.draft}}"},
           {"id": "rest", "kind": "delay", "for": "50s"},
           {"id": "bad", "kind": "send_message", "text": "Bad"},
           {"id": "remind", "kind": "send_message", "text": "Well, {{contact.language}}?"}"#,
        r#"{"from": "start", "to": "hi"}, {"from": "hi", "to": "hear"}, {"from": "hear", "to": "tongue"},
           {"from": "tongue", "branch": "en", "to": "class"}, {"from": "tongue", "branch": "pt", "to": "class"},
           {"from": "tongue", "branch": "else", "to": "class"}, {"from": "tongue", "branch": "failed", "to": "web"},
           {"from": "class", "branch": "one", "to": "web"}, {"from": "class", "branch": "pt", "to": "web"},
           {"from": "class", "branch": "else", "to": "draft"}, {"from": "class", "branch": "failed", "to": "bad"},
           {"from": "web", "to": "draft"}, {"from": "web", "branch": "failed", "to": "draft"},
           {"from": "draft", "to": "fields"}, {"from": "fields", "to": "draw"},
           {"from": "draw", "branch": "a", "to": "tell"}, {"from": "draw", "branch": "b", "to": "rest"},
           {"from": "tell", "to": "hear"}, {"from": "tell", "branch": "failed", "to": "bad"}, {"from": "rest", "to": "hi"}"#,
    );
    let deep = flow(
        "deep",
        r#"{"id": "form", "kind": "call_flow", "flow": "form", "output": [{"name": "got", "expr": "sure"}]},
           {"id": "sure", "kind": "call_flow", "flow": "sure"},
           {"id": "last", "kind": "call_flow", "flow": "mixed", "terminal": true},
           {"id": "offer", "kind": "send_message", "text": "Another time?"},
           {"id": "remind", "kind": "send_message", "text": "Deep down"},
           {"id": "wait", "kind": "wait_reply", "keywords": "off"}"#,
        r#"{"from": "start", "to": "form"}, {"from": "form", "to": "sure"}, {"from": "sure", "to": "last"},
           {"from": "form", "branch": "expired", "to": "offer"}, {"from": "sure", "branch": "failed", "to": "offer"},
           {"from": "offer", "to": "wait"}, {"from": "offer", "branch": "failed", "to": "wait"}"#,
    );
    let plain = flows(&["ask", "sure", "help", "lookup", "other", "detour"]);
    [plain, vec![diary(), with_words(&form, "n"), with_words(&mixed, "hi"), with_words(&deep, "offer")]]
        .concat()
}

impl Sim {
    /// Begins a call of the dice's choice.
    pub(super) fn begin_rich(&mut self) -> Option<(usize, Call)> {
        let number = self.dice.below(ENGINES);
        let engine = self.engines[number].clone();
        let phone = PHONES[self.dice.below(PHONES.len())];
        let live = {
            let mut live: Vec<_> = self.checks.live.keys().copied().collect();
            live.sort();
            (!live.is_empty()).then(|| live[self.dice.below(live.len())])
        };
        let contact = {
            let mut contacts: Vec<_> = self.contacts().into_iter().collect();
            contacts.sort();
            (!contacts.is_empty()).then(|| contacts[self.dice.below(contacts.len())].clone())
        };
        let call: Call = match self.dice.below(20) {
            0..=3 => {
                let flow = STARTED[self.dice.below(STARTED.len())];
                let key = (!self.dice.one_in(4)).then(|| format!("{phone}-{}", self.dice.below(9)));
                let mut request = TriggerRequest::new(flow).phone(phone).context(json!({"name": "Ada"}));
                if let Some(key) = &key {
                    request = request.uuid(key);
                } else if self.dice.one_in(3) {
                    request = request.during_handoff();
                }
                Box::pin(async move { Done::Triggered(flow.to_owned(), key, engine.trigger(request).await) })
            }
            4..=6 => {
                let id = format!("{phone}-{}", self.dice.below(60));
                let inbound = Inbound::text(Channel::WhatsApp, SHOP, phone, &id).id(&id);
                Box::pin(async move { Done::Received(id, engine.receive(inbound).await) })
            }
            7..=10 => {
                let word = WORDS[self.dice.below(WORDS.len())];
                let id = format!("{phone}-{word}-{}", self.dice.below(12));
                let inbound = Inbound::text(Channel::WhatsApp, SHOP, phone, word).id(&id);
                let inbound = inbound.profile(Profile::new().name("Ada"));
                Box::pin(async move { Done::Received(id, engine.receive(inbound).await) })
            }
            11 => {
                let seen = self.wire.seen.lock().unwrap();
                let mut offers: Vec<_> =
                    seen.content.values().filter(|sent| !sent.options().is_empty()).collect();
                offers.sort_by_key(|sent| sent.id);
                let offer = (!offers.is_empty()).then(|| offers[self.dice.below(offers.len())])?;
                let option = &offer.options()[self.dice.below(offer.options().len())];
                let id = format!("{phone}-{}", option.payload);
                let inbound = Inbound::choice(Channel::WhatsApp, SHOP, phone, &option.payload, &option.label);
                let inbound = inbound.id(&id);
                Box::pin(async move { Done::Received(id, engine.receive(inbound).await) })
            }
            12 => {
                let session = live?;
                Box::pin(async move { Done::Other(engine.handoff(session).await.map(|_| ())) })
            }
            13 => {
                let contact = contact?;
                Box::pin(async move {
                    let vars = json!({"solved": "yes"});
                    Done::Other(engine.resume_from_handoff(&contact, vars).await.map(|_| ()))
                })
            }
            14 => {
                let contact = contact?;
                Box::pin(async move { Done::Other(engine.touch(&contact).await.map(|_| ())) })
            }
            15 if self.dice.one_in(2) => {
                let mut seen = self.wire.seen.lock().unwrap();
                let mut sent: Vec<_> = seen.content.keys().copied().collect();
                sent.sort();
                let message = (!sent.is_empty()).then(|| sent[self.dice.below(sent.len())])?;
                seen.refused.insert(message);
                let failed = DeliveryReport::Failed { code: "131047".into() };
                Box::pin(async move { Done::Other(engine.report(message, failed).await.map(|_| ())) })
            }
            15 if self.dice.one_in(3) => {
                let session = live?;
                Box::pin(async move { Done::Other(engine.cancel(session).await.map(|_| ())) })
            }
            16 => {
                let calls = self.asked.lock().unwrap();
                let call: CallRef =
                    (!calls.is_empty()).then(|| calls[self.dice.below(calls.len())].clone())?;
                let result = match self.dice.below(4) {
                    0 => CallResult::failed("no"),
                    1 => CallResult::value("pt"),
                    2 => CallResult::value(json!({"class": "one", "status": 404})),
                    _ => CallResult::value(json!({"text": "A draft", "status": 200, "body": 1})),
                };
                Box::pin(async move { Done::Other(engine.complete(call, result).await.map(|_| ())) })
            }
            _ => Box::pin(async move { Done::Other(engine.tick(4).await.map(|_| ())) }),
        };
        Some((number, call))
    }

    /// The answer that the host gives to a call at once.
    pub(super) fn rich_answer(dice: &super::dice::Dice) -> Answer {
        match dice.below(4) {
            0 => Answer::Later,
            1 => Answer::now("pt"),
            2 => Answer::now(json!({"class": "one", "text": "now", "status": 200})),
            _ => Answer::now("it"),
        }
    }

    /// L6: each journal leads to its session. Answers the kinds of inputs that they have.
    pub(super) fn check_journals(&self) -> BTreeSet<&'static str> {
        let mut taken = BTreeSet::new();
        let flows: HashMap<String, Flow> = all_flows()
            .iter()
            .map(|text| Flow::from_json(text).expect("a sound flow"))
            .map(|flow| (flow.id().to_string(), flow))
            .collect();
        let engine = Engine::builder(Arc::clone(&self.store.memory)).clock(self.clock.clone()).build();
        for record in sessions_of(&*self.store.memory) {
            let session = record.session();
            let journal = block_on(engine.journal(session.id())).expect("nothing fails any more");
            let replayed = replay(|flow, _| flows.get(flow.as_str()), &journal, &Limits::default());
            assert_eq!(replayed.as_ref(), Ok(session), "L6: the journal leads elsewhere");
            taken.extend(journal.iter().map(|entry| entry.input.as_str()));
        }
        taken
    }
}
