//! WhatsApp's Cloud API: each fixture in `tests/host/wire/whatsapp` is read and written again as it
//! is; what webhooks come to at an engine, and the bodies of what an engine sends, are written down
//! there, too. `UPDATE=1` writes down what is said now; then look at it.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use chatflow::ops::Reported;
use chatflow::session::DeliveryReport;
use chatflow::testkit::{CountingIds, ManualClock, Recorder};
use chatflow::wire::whatsapp::{
    AccountEvent, CloudAnswer, CloudBody, CloudWebhook, WebhookReader, WhatsAppEvent, acknowledged,
};
use chatflow::{
    Account, Address, Channel, Engine, Inbound, MemoryStore, Outbound, Receipt, Received, SendError,
    TriggerRequest,
};
use chrono::DateTime;
use pollster::block_on;
use serde_json::{Value, json};

use super::kit::{again, minified};

const ACCOUNT: &str = "106540352249001";
const ADA: &str = "14155550123";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/host/wire/whatsapp")
}

/// The fixtures whose names begin so, in order.
fn fixtures(prefixes: &[&str]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for file in fs::read_dir(folder()).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        if is_json && prefixes.iter().any(|prefix| name.starts_with(prefix)) {
            found.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
    found
}

const WEBHOOKS: &[&str] = &["in-", "status-", "field-", "many-", "nothing"];

/// W4
#[test]
fn each_body_of_the_cloud_api_is_read_and_written_again_as_it_is() {
    let (webhooks, bodies, answers) = (fixtures(WEBHOOKS), fixtures(&["out-"]), fixtures(&["answer-"]));
    webhooks.values().for_each(|json| again::<CloudWebhook>(json));
    bodies.values().for_each(|json| again::<CloudBody>(json));
    answers.values().for_each(|json| again::<CloudAnswer>(json));
    let count = (webhooks.len(), bodies.len(), answers.len());
    assert!(count.0 >= 50 && count.1 >= 25 && count.2 >= 10, "{count:?}");
}

/// A flow that says what it hears, and waits again.
const ECHO: &str = r#"{"spec": 1, "code": "echo", "name": "Echo",
    "trigger": {"kind": "inbound", "channel": "whatsapp", "rules": [{"match": "any"}]},
    "nodes": [{"id": "start", "kind": "start"},
        {"id": "hear", "kind": "wait_reply",
            "accept": ["text", "choice", "media", "location", "form", "order", "contacts", "other"]},
        {"id": "say", "kind": "send_message", "text": "{{ reply.kind }} `{{ reply.text }}` of {{ contact.name | default('-') }} at {{ reply.at | default('-') }}, {{ reply.id | default('-') }}\npayload {{ reply.payload | default('-') }}LINES"},
        {"id": "back", "kind": "jump", "target": "hear", "max_jumps": 99}],
    "edges": [{"from": "start", "to": "hear"}, {"from": "hear", "to": "say"}, {"from": "say", "to": "back"}]}"#;

fn whatsapp(account: &str) -> Account {
    Account::new(Channel::WhatsApp, account).unwrap()
}

/// An engine whose only flow says what it hears.
fn echo() -> (Engine<MemoryStore>, Recorder) {
    let line = |path| format!("\\n{path} {{{{ reply.{path} | default('-') | json }}}}");
    let lines: String = ["media", "location", "form", "order", "contacts", "body", "meta"].map(line).concat();
    let flow = ECHO.replace("LINES", &lines);
    let sent = Recorder::new();
    let clock = ManualClock::at(DateTime::from_timestamp(1_764_400_000, 0).unwrap());
    let builder = Engine::builder(MemoryStore::new()).transport(sent.clone()).clock(clock);
    let bot = builder.ids(CountingIds::new()).build();
    block_on(bot.flows().ensure_on(&flow, [whatsapp(ACCOUNT), whatsapp("106540352249009")])).unwrap();
    (bot, sent)
}

/// The outcome of the news at an engine that has begun to talk with the people of the fixtures.
fn outcome(news: &AccountEvent, bot: &Engine<MemoryStore>, sent: &Recorder) -> String {
    let account = news.account.as_ref().map_or("-", |account| &account.account);
    let mut line = format!("  {account}: ");
    match &news.event {
        WhatsAppEvent::Inbound(inbound) => {
            let received = block_on(bot.receive((**inbound).clone())).unwrap();
            write!(line, "inbound, {}", received.as_str()).unwrap();
            for text in sent.take_texts() {
                let kept = text.lines().filter(|line| !line.ends_with("\"-\"") && !line.ends_with(" -"));
                kept.for_each(|said| write!(line, "\n    {said}").unwrap());
            }
        }
        WhatsAppEvent::Report { message, report, status } => {
            write!(line, "report of {message}: {report:?}, errors: {}", status.errors.len()).unwrap();
        }
        WhatsAppEvent::Relink { old, new } => write!(line, "relink {old} to {new}").unwrap(),
        WhatsAppEvent::Status(status) => write!(line, "status {} of {}", status.status, status.id).unwrap(),
        WhatsAppEvent::Unknown { field, value } => write!(line, "unknown `{field}`: {value}").unwrap(),
        other => panic!("{other:?}"),
    }
    line
}

/// W4
#[test]
fn each_webhook_comes_to_what_is_written_down() {
    let mut told = String::new();
    for (name, body) in fixtures(WEBHOOKS) {
        let (bot, sent) = echo();
        let people =
            [ADA, "GB.13491208655302741918", "441134960199", "5511991234567", "46701234567", "33612345678"];
        for account in [ACCOUNT, "106540352249009"] {
            for person in people {
                drop(block_on(bot.receive(Inbound::text(Channel::WhatsApp, account, person, "hi"))).unwrap());
            }
        }
        drop(sent.take_texts());
        writeln!(told, "{name}").unwrap();
        for news in WebhookReader::default().read(body.as_bytes()).unwrap() {
            writeln!(told, "{}", outcome(&news, &bot, &sent)).unwrap();
        }
    }
    let path = folder().join("told.txt");
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, &told).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(told, written, "UPDATE=1 writes down what is said now; then look at it");
}

/// W4
#[test]
fn a_redelivered_webhook_changes_nothing() {
    let (bot, sent) = echo();
    let body = fixtures(&["many-entries"]).remove("many-entries").unwrap();
    let mut outcomes = Vec::new();
    for _ in 0..2 {
        for news in WebhookReader::default().read(body.as_bytes()).unwrap() {
            if let WhatsAppEvent::Inbound(inbound) = news.event {
                outcomes.push(block_on(bot.receive(*inbound)).unwrap());
            }
        }
    }
    assert_eq!(outcomes.len(), 8);
    assert!(
        outcomes[4..].iter().all(|outcome| matches!(outcome, Received::Duplicate { .. })),
        "{outcomes:?}"
    );
    assert_eq!(sent.sent().len(), 4);
}

/// The messages that a flow has in a node each, by name.
const MESSAGES: &[(&str, &str)] = &[
    ("text", r#""text": "Hello {{ context.name }}, \"how\" are you?\nFine? 👍""#),
    (
        "text-options",
        r#""text": "Sure?", "options": [{"id": "y", "label": "Yes"}, {"id": "n", "label": "No"}]"#,
    ),
    (
        "text-many-options",
        r#""text": "Size?", "options": [{"id": "xs", "label": "XS"}, {"id": "s", "label": "S"}, {"id": "m", "label": "M"}, {"id": "l", "label": "L"}]"#,
    ),
    (
        "buttons",
        r#""text": "Pay?", "buttons": [{"id": "now", "label": "Now"}, {"id": "later", "label": "Later"}], "header": {"text": "Order 7"}, "footer": "Shop""#,
    ),
    (
        "buttons-picture",
        r#""text": "This one?", "buttons": [{"id": "y", "label": "Yes"}], "header": {"image": "https://shop.example/7.jpg"}"#,
    ),
    (
        "buttons-film",
        r#""text": "This one?", "buttons": [{"id": "y", "label": "Yes"}], "header": {"video": "https://shop.example/7.mp4"}"#,
    ),
    (
        "buttons-document",
        r#""text": "Agreed?", "buttons": [{"id": "y", "label": "Yes"}], "header": {"document": "https://shop.example/terms.pdf"}"#,
    ),
    (
        "link",
        r#""text": "See it", "buttons": [{"url": "https://shop.example/7", "label": "Shop"}], "header": {"text": "New"}, "footer": "Today only""#,
    ),
    (
        "list",
        r#""text": "When?", "list": {"button": "Times", "sections": [{"title": "Monday", "rows": [{"id": "m9", "label": "9 h", "description": "with Bo"}, {"id": "m10", "label": "10 h"}]}, {"title": "Tuesday", "rows": [{"id": "t9", "label": "9 h"}]}]}, "header": {"text": "Appointments"}, "footer": "All times are yours""#,
    ),
    (
        "list-one-section",
        r#""text": "When?", "list": {"button": "Times", "sections": [{"rows": [{"id": "m9", "label": "9 h"}]}]}"#,
    ),
    ("image", r#""media": {"type": "image", "url": "https://shop.example/7.jpg", "caption": "The shirt"}"#),
    ("image-uploaded", r#""media": {"type": "image", "url": "1003383421387256"}"#),
    ("audio", r#""media": {"type": "audio", "url": "https://shop.example/7.ogg"}"#),
    (
        "video",
        r#""media": {"type": "video", "url": "https://shop.example/7.mp4", "caption": "How to wear it"}"#,
    ),
    (
        "document",
        r#""media": {"type": "document", "url": "https://shop.example/7.pdf", "caption": "Your invoice", "filename": "invoice.pdf", "mime": "application/pdf"}"#,
    ),
    ("sticker", r#""media": {"type": "sticker", "url": "https://shop.example/7.webp"}"#),
    (
        "location",
        r#""location": {"latitude": 52.5, "longitude": "{{ context.longitude }}", "name": "The shop", "address": "1 Main St"}"#,
    ),
    ("location-request", r#""text": "Where are you?", "location_request": true"#),
    ("template", r#""template": {"name": "hello", "language": "pt-BR"}"#),
    (
        "template-parameters",
        r#""template": {"name": "cart_reminder", "language": "en_US", "header": {"image": "https://shop.example/7.jpg"}, "parameters": ["{{ context.name }}", "7"], "buttons": [{"id": "pay", "label": "Pay"}, {"label": "See", "url": "cart/7"}, {"id": "no", "label": "No"}]}"#,
    ),
    (
        "template-names",
        r#""template": {"name": "cart_reminder", "language": "en", "header": {"text": "Order 7", "parameter": "order"}, "parameters": {"name": "Ada", "total": "129.00"}}"#,
    ),
    (
        "template-buttons",
        r#""template": {"name": "offer", "language": "en", "header": {"location": {"latitude": 52.5, "longitude": "{{ context.longitude }}", "name": "The shop", "address": "1 Main St"}}, "buttons": [{"label": "Shop"}, {"id": "stop", "label": "Stop"}, {"label": "Copy", "code": "TEA{{ context.name }}"}, {"label": "See", "url": "7"}, {"label": "Rate", "form": {"day": "{{ context.day }}"}}, {"label": "Call"}]}"#,
    ),
    (
        "form",
        r#""text": "Book a table", "form": {"id": "871250000000000", "button": "Book", "screen": "FIRST", "data": {"day": "{{ context.day }}", "guests": 2}}, "header": {"text": "Tables"}, "footer": "Until ten""#,
    ),
    (
        "contacts",
        r#""contacts": [{"name": "{{ context.name }} Lovelace", "company": "Engines Ltd", "title": "Sales", "phones": ["+442079460000", "+442079460001"], "emails": ["ada@shop.example"], "urls": ["https://shop.example"]}, {"name": "The shop"}]"#,
    ),
    (
        "product",
        r#""text": "Look", "footer": "Today only", "products": {"catalog": "194", "id": "{{ context.sku }}"}"#,
    ),
    ("product-bare", r#""products": {"catalog": "194", "id": "shirt-7"}"#),
    (
        "product-list",
        r#""text": "Our shirts", "header": {"text": "Shop"}, "footer": "Today only", "products": {"catalog": "194", "sections": [{"title": "Blue", "items": ["shirt-7", "shirt-8"]}, {"title": "Found", "items": {"from": "context.found", "id": "sku"}}]}"#,
    ),
    ("catalogue", r#""text": "All that we have", "products": {}"#),
    ("reaction", r#""reaction": {"emoji": "👍", "to": "wamid.HBgL"}"#),
    ("reaction-taken-away", r#""reaction": {"emoji": "", "to": "wamid.HBgL"}"#),
    (
        "template-authentication",
        r#""template": {"name": "otp", "language": "en_US", "category": "authentication", "parameters": ["12{{ context.name }}"], "buttons": [{"label": "Copy code", "code": "12{{ context.name }}"}]}"#,
    ),
    (
        "template-document",
        r#""template": {"name": "invoice", "language": "en", "header": {"document": "https://shop.example/1.pdf", "filename": "Invoice {{ context.name }}.pdf"}}"#,
    ),
    (
        "template-carousel",
        r#""template": {"name": "new_shirts", "language": "en", "parameters": ["{{ context.name }}"], "cards": [{"header": {"image": "https://shop.example/7.jpg"}, "parameters": ["Blue"], "buttons": [{"id": "buy-7", "label": "Buy"}, {"label": "See", "url": "7"}]}, {"header": {"video": "1003383421387256"}, "parameters": ["Red"], "buttons": [{"id": "buy-8", "label": "Buy"}, {"label": "See", "url": "8"}]}]}"#,
    ),
    ("form-bare", r#""text": "Tell us", "form": {"id": "871250000000000", "button": "Open"}"#),
    (
        "native-contacts",
        r#""native": {"channel": "whatsapp", "body": {"type": "contacts", "contacts": [{"name": {"first_name": "{{ context.name }}", "formatted_name": "Ada"}}], "to": "+15550000000"}}"#,
    ),
    (
        "native-product",
        r#""native": {"channel": "whatsapp", "body": {"type": "interactive", "interactive": {"type": "product", "body": {"text": "Look"}, "action": {"catalog_id": "194", "product_retailer_id": "shirt-7"}}}}"#,
    ),
    (
        "quick-replies",
        r#""text": "More?", "quick_replies": [{"id": "y", "label": "Yes"}, {"id": "n", "label": "No"}]"#,
    ),
    (
        "card",
        r#""card": {"title": "Blue shirt", "subtitle": "Size M", "image": "https://shop.example/7.jpg", "buttons": [{"id": "buy", "label": "Buy"}, {"label": "Shop", "url": "https://shop.example/7"}]}"#,
    ),
    (
        "card-to-look-at",
        r#""card": {"title": "Blue shirt", "image": "https://shop.example/7.jpg", "buttons": [{"label": "Shop", "url": "https://shop.example/7"}]}"#,
    ),
];

/// The message that a node of this content makes, to a person on WhatsApp.
pub(super) fn message(content: &str, person: &str) -> Outbound {
    let flow = format!(
        r#"{{"spec": 1, "code": "c", "name": "C", "trigger": {{"kind": "manual"}},
            "nodes": [{{"id": "start", "kind": "start"}}, {{"id": "say", "kind": "send_message", {content}}},
                {{"id": "wait", "kind": "wait_reply", "accept": ["text", "choice", "form", "location"]}}],
            "edges": [{{"from": "start", "to": "say"}}, {{"from": "say", "to": "wait"}}]}}"#
    );
    let sent = Recorder::new();
    let builder = Engine::builder(MemoryStore::new()).transport(sent.clone()).ids(CountingIds::new());
    let bot = builder.clock(ManualClock::default()).build();
    block_on(bot.flows().ensure(&flow)).unwrap_or_else(|error| panic!("{content}: {error:#}"));
    let context = json!({"name": "Ada", "longitude": "13.4", "day": "2026-12-01", "sku": "shirt-7", "found": [{"sku": "shirt-9"}, {"sku": "shirt-7"}]});
    let request = TriggerRequest::new("c").address(Channel::WhatsApp, ACCOUNT, person).context(context);
    drop(block_on(bot.trigger(request.from(Channel::WhatsApp, ACCOUNT))).unwrap());
    sent.sent().pop().unwrap_or_else(|| panic!("{content}: nothing was sent"))
}

/// W4
#[test]
fn each_message_has_its_body() {
    for (name, content) in MESSAGES {
        check_body(&format!("out-{name}"), &CloudBody::of(&message(content, ADA)).unwrap());
    }
    let to_user = message(MESSAGES[0].1, "GB.13491208655302741918");
    check_body("out-to-user-id", &CloudBody::of(&to_user).unwrap());
    let names = fixtures(&["out-"]).len();
    assert_eq!(names, MESSAGES.len() + 1, "each fixture is checked");
}

/// W4: a message in the product's own words has every field of them, known here or not.
#[test]
fn a_native_body_reaches_the_api_whole() {
    for own in [
        json!({"type": "template", "template": {"name": "n", "namespace": "x", "later": {"a": [null, 1]},
            "language": {"code": "en", "policy": "deterministic", "x": 1},
            "components": [{"type": "button", "sub_type": "limited_time_offer", "index": 0, "parameters": []}]}}),
        json!({"type": "interactive", "interactive": {"type": "button", "body": {"text": "?", "x": 1},
            "action": {"buttons": [{"type": "reply", "x": 2, "reply": {"id": "a", "title": "A", "x": 3}}]}}}),
        json!({"type": "text", "text": {"body": "Hi", "preview_url": null, "x": {}}, "context": {"message_id": "w", "x": 1}}),
        json!({"type": "location", "location": {"latitude": 1, "longitude": 2, "x": true}}),
        json!({"type": "reaction", "reaction": {"message_id": "w", "emoji": "👍", "x": 1}}),
        json!({"type": "contacts", "contacts": [{"name": {"formatted_name": "A"}, "org": {"x": 1}, "phones": []}]}),
    ] {
        let content = format!(r#""native": {{"channel": "whatsapp", "body": {own}}}"#);
        let body = CloudBody::of(&message(&content, ADA)).unwrap().to_json();
        let mut body: Value = serde_json::from_str(&body).unwrap();
        let envelope = ["messaging_product", "recipient_type", "to", "biz_opaque_callback_data"];
        envelope.iter().for_each(|field| assert!(body.as_object_mut().unwrap().remove(*field).is_some()));
        assert_eq!(body, own);
    }
}

fn check_body(name: &str, body: &CloudBody) {
    let path = folder().join(format!("{name}.json"));
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, serde_json::to_string_pretty(body).unwrap() + "\n").unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(body.to_json(), minified(&written), "{name}");
}

/// W4
#[test]
fn an_answer_of_the_api_is_a_receipt_or_says_why_not() {
    let sent = message(MESSAGES[0].1, "5511991234567");
    let answers = fixtures(&["answer-"]);
    let read = |name: &str, status| acknowledged(&sent, status, None, answers[name].as_bytes());
    let other = Address::new(&whatsapp(ACCOUNT), "551191234567").unwrap();
    assert_eq!(read("answer-other-number", 200), Ok(Receipt::known_as(other)));
    for name in ["answer-user-id", "answer-success"] {
        assert_eq!(read(name, 200), Ok(Receipt::new()), "{name}");
    }
    let taken = acknowledged(&message(MESSAGES[0].1, ADA), 200, None, answers["answer-taken"].as_bytes());
    assert_eq!(taken, Ok(Receipt::new()), "it is known under the same number");

    assert_eq!(read("answer-window-closed", 400), Err(SendError::WindowClosed));
    let rejected =
        |name| matches!(read(name, 400), Err(SendError::Rejected { reason }) if reason.contains(": "));
    assert!(rejected("answer-unreachable") && rejected("answer-no-such-template"));
    let pause = |name, status| match read(name, status) {
        Err(SendError::Retry { after, .. }) => after.map(|after| after.as_secs()),
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(pause("answer-too-fast", 429), Some(5));
    assert_eq!(pause("answer-too-fast-for-one", 400), Some(6));
    assert_eq!(pause("answer-token", 401), None, "another token serves the same message");
    let told = acknowledged(&sent, 429, Some(Duration::from_secs(30)), answers["answer-too-fast"].as_bytes());
    assert!(matches!(told, Err(SendError::Retry { after: Some(after), .. }) if after.as_secs() == 30));
    let none = acknowledged(&sent, 429, Some(Duration::ZERO), answers["answer-too-fast"].as_bytes());
    assert!(matches!(none, Err(SendError::Retry { after: Some(after), .. }) if after.as_secs() == 5));
}

/// W4
#[test]
fn an_answer_without_a_code_is_read_by_its_status() {
    let sent = message(MESSAGES[0].1, ADA);
    let read = |status, body: &str| acknowledged(&sent, status, None, body.as_bytes());
    for (status, body) in [
        (200, ""),
        (200, "<html>"),
        (200, "{}"),
        (200, r#"{"messages": []}"#),
        (200, r#"{"success": false}"#),
        (200, r#"{"messages": "none"}"#),
        (401, ""),
        (408, ""),
        (429, "[]"),
        (500, "<html>"),
        (503, r#"{"error": {"message": "down"}}"#),
        (400, r#"{"error": {"code": 2, "message": "temporarily"}}"#),
        (400, r#"{"error": {"code": 7777, "is_transient": true}}"#),
        (400, r#"{"error": {"code": "131056"}}"#),
        (429, r#"{"error": {"code": 17, "message": "User request limit reached"}}"#),
        (429, r#"{"error": {"code": 80004}}"#),
        (503, r#"{"error": {"code": 7777}}"#),
        (408, r#"{"error": {"code": 7777}}"#),
        (425, r#"{"error": {"code": 7777}}"#),
    ] {
        assert!(matches!(read(status, body), Err(SendError::Retry { .. })), "{status} {body}");
    }
    for (status, body) in [
        (400, ""),
        (403, "<html>"),
        (404, "{}"),
        (302, ""),
        (400, r#"{"error": {"code": 100, "message": "Invalid parameter"}}"#),
        (400, r#"{"error": {"code": 131049}}"#),
        (500, r#"{"error": {"code": 132000}}"#),
        (429, r#"{"error": {"code": 131026}}"#),
        (503, r#"{"error": {"code": 100, "is_transient": true}}"#),
        (500, r#"{"error": {"code": 7777}}"#),
    ] {
        assert!(matches!(read(status, body), Err(SendError::Rejected { .. })), "{status} {body}");
    }
}

/// W4
#[test]
fn a_status_leads_to_the_message_that_was_sent() {
    let sent = Recorder::new();
    let flow = r#"{"spec": 1, "code": "c", "name": "C", "trigger": {"kind": "manual"},
        "settings": {"sender": {"channel": "whatsapp", "account": "106540352249001"}},
        "nodes": [{"id": "start", "kind": "start"}, {"id": "say", "kind": "send_message", "text": "Hello"},
            {"id": "wait", "kind": "wait_reply"}, {"id": "late", "kind": "send_message",
                "template": {"name": "hello", "language": "en"}}],
        "edges": [{"from": "start", "to": "say"}, {"from": "say", "to": "wait"},
            {"from": "say", "branch": "window_closed", "to": "late"}]}"#;
    let bot = Engine::builder(MemoryStore::new()).transport(sent.clone()).build();
    block_on(bot.flows().ensure(flow)).unwrap();
    drop(block_on(bot.trigger(TriggerRequest::new("c").phone(format!("+{ADA}")))).unwrap());
    let posted: Value = serde_json::from_str(&CloudBody::of(&sent.take_new()[0]).unwrap().to_json()).unwrap();
    let mut webhook: Value =
        serde_json::from_str(&fixtures(&["status-window-closed"])["status-window-closed"]).unwrap();
    let status = &mut webhook["entry"][0]["changes"][0]["value"]["statuses"][0];
    status["biz_opaque_callback_data"] = posted["biz_opaque_callback_data"].clone();
    let news = WebhookReader::default().read(webhook.to_string().as_bytes()).unwrap();
    let [AccountEvent { event: WhatsAppEvent::Report { message, report, .. }, .. }] = &news[..] else {
        panic!("{news:?}")
    };
    assert_eq!(*report, DeliveryReport::WindowClosed);
    assert_eq!(block_on(bot.report(*message, report.clone())).unwrap(), Reported::Noted);
    assert_eq!(sent.take_new()[0].content.kind(), "template");
}

/// W4, A4, A6
#[test]
fn a_person_whose_number_or_id_changed_goes_on_with_the_same_talk() {
    let (bot, sent) = echo();
    let read = |name: &str| {
        let body = &fixtures(&[name])[name];
        for news in WebhookReader::default().read(body.as_bytes()).unwrap() {
            match news.event {
                WhatsAppEvent::Inbound(inbound) => drop(block_on(bot.receive(*inbound)).unwrap()),
                // Nobody knew the id that she has in the group of businesses.
                WhatsAppEvent::Relink { old, new } => drop(block_on(bot.relink(&old, &new))),
                other => panic!("{other:?}"),
            }
        }
        sent.take_new().pop().map(|message| (message.session(), message.to().to_string()))
    };
    let (first, _) = read("in-text").unwrap();
    assert_eq!(read("in-changed-number"), None);
    let (bot_talk, to) = read("in-user-with-number").unwrap();
    assert_eq!(to, "+441134960199", "a number is written to before an id");
    assert_ne!(bot_talk, first);
    let contact = block_on(bot.contact_at(&Address::new(&whatsapp(ACCOUNT), "14155550999").unwrap()));
    assert_eq!(contact.unwrap().unwrap().profile.unwrap().name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(read("in-user-id-update"), None);
    let mary = |id: &str| block_on(bot.contact_at(&Address::new(&whatsapp(ACCOUNT), id).unwrap())).unwrap();
    assert_eq!(mary("GB.77777777777777777777").unwrap().id, mary("441134960199").unwrap().id);
    assert_eq!(mary("GB.13491208655302741918"), None);
}
