//! The table of `docs/channels.md`, cell by cell: what is certainly more is an issue at publishing,
//! and what is rendered is held to the channel that it goes out on (SEMANTICS C, D8).

use std::sync::{Arc, Mutex};

use chatflow::flow::IssueCode;
use chatflow::observer::EventKind;
use chatflow::session::Header;
use chatflow::testkit::Recorder;
use chatflow::{Channel, Content, Engine, Event, Flow, MemoryStore, Outbound, TriggerRequest};
use pollster::block_on;
use serde_json::{Value, json};

const PAGE: &str = include_str!("../../docs/channels.md");

/// The most that is rendered, of a text that is alone and of others.
const MOST_RENDERED: [usize; 2] = [100_000, 10_000];

/// A cell: the part, the channel (none: not known), and how much of it.
struct Cell {
    part: String,
    channel: Option<Channel>,
    most: usize,
}

fn table() -> Vec<Cell> {
    let cells = |line: &'static str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect()
    };
    let page = PAGE.split("## Sources").next().unwrap();
    let mut lines = page.lines().filter(|line| line.starts_with('|'));
    let channels: Vec<_> = cells(lines.next().unwrap()).into_iter().skip(1).collect();
    let channel = |name: &str| match name {
        "not known" => None,
        "a host's own" => Some(Channel::parse("kiosk").unwrap()),
        known => Some(Channel::parse(known).unwrap()),
    };
    let known =
        Channel::KNOWN.iter().filter(|known| !channels.iter().any(|channel| channel == *known)).count();
    assert_eq!(known, 0, "each channel has a column");
    let rows = lines.skip(1).map(cells);
    rows.flat_map(|row| {
        let figures = row[1..].to_vec();
        assert_eq!(figures.len(), channels.len(), "{}", row[0]);
        channels
            .iter()
            .zip(figures)
            .map(|(name, figure)| {
                let most = match figure.as_str() {
                    "yes" => 1,
                    "–" => 0,
                    number => number.replace(',', "").parse().unwrap(),
                };
                Cell { part: row[0].clone(), channel: channel(name), most }
            })
            .collect::<Vec<_>>()
    })
    .collect()
}

/// The fields of a message with so much of a part. None: there is no such message.
fn with(part: &str, much: usize) -> Option<Value> {
    let long = || "x".repeat(much);
    let choices = |label: &str| -> Value {
        (0..much).map(|at| json!({"id": format!("c{at}"), "label": format!("{label}{at}")})).collect()
    };
    let one = || json!([{"id": "a", "label": "A"}]);
    let list = |row: Value| json!({"button": "Open", "sections": [{"rows": [row]}]});
    Some(match part {
        "text" => json!({"text": long()}),
        "text above options" => json!({"text": long(), "options": one()}),
        "options" => json!({"text": "t", "options": choices("L")}),
        "label of more than 3 options" => {
            let mut choices =
                [0, 1, 2, 3].map(|at| json!({"id": format!("c{at}"), "label": format!("L{at}")}));
            choices[0]["label"] = long().into();
            json!({"text": "t", "options": choices})
        }
        "label of an option" => json!({"text": "t", "options": [{"id": "a", "label": long()}]}),
        "text above buttons" => json!({"text": long(), "buttons": one()}),
        "text above a list" => {
            json!({"text": long(), "list": {"button": "Open", "sections": [{"rows": one()}]}})
        }
        "buttons" => json!({"text": "t", "buttons": choices("L")}),
        "buttons with url" => {
            let link = |at| json!({"label": format!("L{at}"), "url": "https://shop.example"});
            json!({"text": "t", "buttons": (0..much).map(link).collect::<Value>()})
        }
        "label of a button" => json!({"text": "t", "buttons": [{"id": "a", "label": long()}]}),
        "rows of a list" => {
            json!({"text": "t", "list": {"button": "Open", "sections": [{"rows": choices("L")}]}})
        }
        "label of a row" => json!({"text": "t", "list": list(json!({"id": "a", "label": long()}))}),
        "description of a row" => {
            json!({"text": "t", "list": list(json!({"id": "a", "label": "A", "description": long()}))})
        }
        "label that opens a list" => {
            json!({"text": "t", "list": {"button": long(), "sections": [{"rows": one()}]}})
        }
        "quick replies" => json!({"text": "t", "quick_replies": choices("L")}),
        "label of a quick reply" => json!({"text": "t", "quick_replies": [{"id": "a", "label": long()}]}),
        "id of a choice, bytes" => json!({"text": "t", "options": [{"id": long(), "label": "A"}]}),
        "image" | "audio" | "video" | "document" | "sticker" => {
            json!({"media": {"type": part, "url": "https://shop.example/a"}})
        }
        "caption" => {
            json!({"media": {"type": "image", "url": "https://shop.example/a", "caption": long()}})
        }
        "caption of a film or a document" => {
            json!({"media": {"type": "video", "url": "https://shop.example/a", "caption": long()}})
        }
        "header and footer" => {
            json!({"text": "t", "header": {"text": long()}, "footer": long(), "buttons": one()})
        }
        "caption of a sound" => {
            json!({"media": {"type": "audio", "url": "https://shop.example/a", "caption": long()}})
        }
        "subject" => json!({"text": "t", "subject": long()}),
        "header of a list" => {
            let list = list(json!({"id": "a", "label": "A"}));
            json!({"text": "t", "header": {"text": long()}, "list": list})
        }
        "medium above a list" => {
            let list = list(json!({"id": "a", "label": "A"}));
            json!({"text": "t", "header": {"image": "https://shop.example/a"}, "list": list})
        }
        "header of a template" => {
            json!({"template": {"name": "n", "language": "en", "header": {"text": long()}}})
        }
        "form" => json!({"text": "t", "form": {"id": "1", "button": "Open"}}),
        "label that opens a form" => json!({"text": "t", "form": {"id": "1", "button": long()}}),
        "location request" => json!({"text": "t", "location_request": true}),
        "location" => json!({"location": {"latitude": 1, "longitude": 2}}),
        "template" => json!({"template": {"name": "n", "language": "en"}}),
        "buttons of a template" => {
            json!({"template": {"name": "n", "language": "en", "buttons": choices("L")}})
        }
        "contact cards" => json!({"contacts": vec![json!({"name": "Ada"}); much]}),
        "article" => json!({"products": {"catalog": "1", "id": "tea"}}),
        "articles of a list" => {
            let items: Vec<_> = (0..much).map(|at| format!("tea-{at}")).collect();
            let products = json!({"catalog": "1", "sections": [{"items": items}]});
            json!({"text": "t", "header": {"text": "h"}, "products": products})
        }
        "sections of articles" => {
            let section = |at| json!({"title": "t", "items": [format!("tea-{at}")]});
            let sections: Vec<_> = (0..much).map(section).collect();
            let products = json!({"catalog": "1", "sections": sections});
            json!({"text": "t", "header": {"text": "h"}, "products": products})
        }
        "whole catalogue" => json!({"text": "t", "products": {}}),
        "reaction" => json!({"reaction": {"emoji": "👍", "to": "wamid.1"}}),
        "label of a button of a template" => {
            json!({"template": {"name": "n", "language": "en", "buttons": [{"id": "a", "label": long()}]}})
        }
        "cards of a template" => {
            let card = json!({"header": {"image": "https://shop.example/a"}});
            json!({"template": {"name": "n", "language": "en", "cards": vec![card; much.max(1)]}})
        }
        "buttons of a template's card" => {
            let card = json!({"header": {"image": "https://shop.example/a"}, "buttons": choices("L")});
            json!({"template": {"name": "n", "language": "en", "cards": [card]}})
        }
        "title of a card" => json!({"card": {"title": long()}}),
        "subtitle of a card" => json!({"card": {"title": "t", "subtitle": long()}}),
        "buttons of a card" => json!({"card": {"title": "t", "buttons": choices("L")}}),
        _ => return None,
    })
}

fn is_form(part: &str) -> bool {
    matches!(
        part,
        "image"
            | "audio"
            | "video"
            | "document"
            | "sticker"
            | "location"
            | "template"
            | "form"
            | "location request"
            | "medium above a list"
            | "article"
            | "whole catalogue"
            | "reaction"
    )
}

fn flow(channel: Option<&Channel>, message: &Value) -> String {
    let mut node = message.clone();
    (node["id"], node["kind"]) = ("m".into(), "send_message".into());
    let sender = channel.map(|channel| json!({"sender": {"channel": channel.as_str(), "account": "shop"}}));
    json!({
        "spec": 1, "code": "f", "trigger": {"kind": "manual"}, "settings": sender.unwrap_or(json!({})),
        "nodes": [{"id": "start", "kind": "start"}, node, {"id": "sorry", "kind": "end", "outcome": "refused"}],
        "edges": [{"from": "start", "to": "m"}, {"from": "m", "branch": "failed", "to": "sorry"}]
    })
    .to_string()
}

/// The codes of what is wrong with a flow.
fn issues(channel: Option<&Channel>, message: &Value) -> Vec<IssueCode> {
    match Flow::from_json(&flow(channel, message)) {
        Ok(_) => Vec::new(),
        Err(issues) => issues.iter().map(|issue| issue.code).collect(),
    }
}

/// SEMANTICS C
#[test]
fn what_is_certainly_more_is_an_issue_at_publishing() {
    let mut wrong = Vec::new();
    let cells = table();
    assert!(cells.len() >= 26 * 12, "{}", cells.len());
    for Cell { part, channel, most } in &cells {
        let on = channel.as_ref().map_or("nowhere", Channel::as_str);
        let enough = with(part, *most).unwrap_or_else(|| panic!("{part} is not of this test"));
        if *most > 0 && !issues(channel.as_ref(), &enough).is_empty() {
            wrong
                .push(format!("{part} on {on}: {most} are refused: {:?}", issues(channel.as_ref(), &enough)));
        }
        if is_form(part) && *most > 0 {
            continue;
        }
        let found = issues(channel.as_ref(), &with(part, most + 1).unwrap());
        let is_name = part.starts_with("id ") && *most == 64;
        let code = if is_name { IssueCode::BadName } else { IssueCode::ChannelLimit };
        if !found.contains(&code) {
            wrong.push(format!("{part} on {on}: {} are taken: {found:?}", most + 1));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

/// The message that a flow of no certain channel sends on this one, what was told of it, and
/// whether it was refused.
fn sent(channel: &Channel, message: &Value, context: Value) -> (Vec<Outbound>, Vec<(&'static str, String)>) {
    let (recorder, seen) = (Recorder::new(), Arc::new(Mutex::new(Vec::new())));
    let events = Arc::clone(&seen);
    let bot = Engine::builder(MemoryStore::new()).transport(recorder.clone()).observer(Seen(events)).build();
    let flow = block_on(bot.flows().import(&flow(None, message))).unwrap().status.flow;
    block_on(bot.flows().publish(&flow)).unwrap();
    let request = TriggerRequest::new("f").from(channel.clone(), "shop").context(context);
    let request = match channel.is_phone() {
        true => request.phone("+14155550123"),
        false => request.address(channel.clone(), "shop", "ada"),
    };
    let _ = block_on(bot.trigger(request)).unwrap();
    let told = seen.lock().unwrap().clone();
    (recorder.sent(), told)
}

struct Seen(Arc<Mutex<Vec<(&'static str, String)>>>);

impl chatflow::Observer for Seen {
    fn observe(&self, event: &Event) {
        let told = match &event.kind {
            EventKind::ContentCut { part, .. } => ("cut", (*part).to_owned()),
            EventKind::ContentRefused { part, fault, .. } => (fault.as_str(), (*part).to_owned()),
            _ => return,
        };
        self.0.lock().unwrap().push(told);
    }
}

/// The length of a header.
fn line(header: Option<&Header>) -> usize {
    match header {
        Some(Header::Text(text)) => text.chars().count(),
        other => panic!("{other:?}"),
    }
}

/// The length of a text in the unit of a channel.
fn length(channel: &Channel, text: &str) -> usize {
    match channel {
        Channel::Instagram => text.len(),
        Channel::Line => text.encode_utf16().count(),
        _ => text.chars().count(),
    }
}

/// The amount of a part in a message on a channel.
fn much(part: &str, channel: &Channel, content: &Content) -> usize {
    let label = || content.options().first().map_or(0, |option| option.label.chars().count());
    let text = |text: Option<&str>| text.map_or(0, |text| text.chars().count());
    match (part, content) {
        ("text" | "text above options", other) => length(channel, other.text()),
        ("text above buttons" | "text above a list", other) => text(Some(other.text())),
        ("buttons with url", other) => other.links().len(),
        (
            "options"
            | "buttons"
            | "rows of a list"
            | "quick replies"
            | "buttons of a template"
            | "buttons of a card",
            other,
        ) => other.options().len(),
        (
            "label of an option"
            | "label of more than 3 options"
            | "label of a button"
            | "label of a row"
            | "label of a quick reply",
            _,
        ) => label(),
        ("description of a row", other) => text(other.options()[0].description.as_deref()),
        ("label that opens a list", Content::List(list)) => text(Some(&list.button)),
        ("header and footer", Content::Buttons(buttons)) => {
            let Some(Header::Text(header)) = &buttons.header else { panic!("a header") };
            assert_eq!(Some(header), buttons.footer.as_ref());
            text(Some(header))
        }
        ("header of a list", Content::List(list)) => line(list.header.as_ref()),
        ("header of a template", Content::Template(template)) => line(template.header.as_ref()),
        ("medium above a list", Content::List(list)) => usize::from(list.header.is_some()),
        ("label that opens a form", Content::Form(form)) => text(Some(&form.button)),
        ("caption" | "caption of a film or a document" | "caption of a sound", Content::Media(media)) => {
            text(media.caption.as_deref())
        }
        ("contact cards", Content::Contacts { cards }) => cards.len(),
        ("articles of a list", Content::Products(products)) => {
            products.sections.iter().map(|section| section.items.len()).sum()
        }
        ("sections of articles", Content::Products(products)) => products.sections.len(),
        ("title of a card", Content::Card(card)) => text(Some(&card.title)),
        ("subtitle of a card", Content::Card(card)) => text(card.subtitle.as_deref()),
        other => panic!("{other:?}"),
    }
}

/// I9, D8: each id that an author may write has a payload on each channel, and comes back.
#[test]
fn an_id_of_any_length_has_a_payload_on_each_channel() {
    for Cell { part, channel, most } in table().iter().filter(|cell| cell.part.starts_with("id ")) {
        let Some(channel) = channel else { continue };
        let (messages, told) = sent(channel, &with(part, *most).unwrap(), json!({}));
        let room = if *channel == Channel::Telegram { 64 } else { 200 };
        let payload = &messages[0].options()[0].payload;
        assert!(payload.len() <= room && told.is_empty(), "{channel}: {payload}");
    }
}

/// The same message with its long text in a template, where there may be one.
fn rendered(part: &str, much: usize) -> (Value, Value) {
    let message = with(part, much).unwrap();
    let is_text = !part.starts_with("label") && !part.starts_with("id ");
    if !is_text || !message.to_string().contains(&"x".repeat(much.max(2))) {
        return (message, json!({}));
    }
    let templated = message.to_string().replace(&"x".repeat(much), "{{ context.long }}");
    (serde_json::from_str(&templated).unwrap(), json!({"long": "x".repeat(much)}))
}

/// D8
#[test]
fn what_is_rendered_is_held_to_the_channel() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    let cells = table();
    let any =
        |part: &str| cells.iter().find(|cell| cell.part == part && cell.channel.is_none()).unwrap().most;
    for Cell { part, channel, most } in &cells {
        let Some(channel) = channel else { continue };
        // Where there is no frame the transport may have a way for what it holds. The bytes of an
        // id, and the subject, which is no part of the content, have tests of their own; the labels
        // of an approved message are not sent.
        let is_loose = matches!(part.as_str(), "header and footer" | "header of a list") && *most == 0;
        let is_apart =
            part.starts_with("id ") || part == "subject" || part == "label of a button of a template";
        if is_loose || is_apart || (is_form(part) && *most > 0) {
            continue;
        }
        let (message, context) = rendered(part, most + 1);
        let is_there = issues(None, &message).is_empty();
        // What no flow can say where the channel is not certain, and what is never rendered.
        if !is_there
            || (context == json!({}) && most + 1 > any(part))
            || most + 1 > MOST_RENDERED[usize::from(part != "text")]
        {
            continue;
        }
        count += 1;
        let (messages, told) = sent(channel, &message, context);
        let lacks = told.iter().any(|(fault, _)| *fault == "lacking");
        let cut = told.iter().any(|(fault, _)| *fault == "cut");
        let sizes: Vec<usize> =
            messages.iter().map(|message| much(part, channel, &message.content)).collect();
        let is_held = match part.as_str() {
            _ if lacks => *most == 0 && messages.is_empty(),
            "text" => sizes == [*most, 1] && !cut,
            _ => sizes == [*most] && cut,
        };
        if !is_held {
            wrong.push(format!("{part} on {channel}: {most}, but {sizes:?} and {told:?}"));
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert!(count >= 120, "only {count} cells can be reached");
}
