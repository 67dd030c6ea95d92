//! Messages on Messenger, as the bodies of Meta's Send API.

use chatflow::SendError;
use chatflow::flow::MediaType;
use chatflow::session::{
    Buttons, Card, ContactCard, Content, Header, Link, List, Location, Media, NativeMessage, Outbound,
    ReplyOption,
};
use serde_json::{Value, json};

/// Buttons that a template takes.
const MOST_BUTTONS: usize = 3;
/// Quick replies that a message takes.
const MOST_REPLIES: usize = 13;
/// Characters above the buttons of a template.
const MOST_ABOVE_BUTTONS: usize = 640;
/// Characters of the title and of the subtitle of a card.
const MOST_OF_CARD: usize = 80;

/// The body that sends a message.
///
/// A form that the channel does not have is sent in one that it has: a list as quick replies, a
/// place and cards of people as text.
///
/// # Errors
/// `Rejected` for what the channel has no form for.
pub fn body(message: &Outbound) -> Result<Value, SendError> {
    let mut body = match &message.content {
        Content::Typing { .. } => json!({"sender_action": "typing_on"}),
        Content::Reaction { message, emoji } if emoji.is_empty() => {
            json!({"sender_action": "unreact", "payload": {"message_id": message}})
        }
        Content::Reaction { message, emoji } => {
            json!({"sender_action": "react", "payload": {"message_id": message, "reaction": emoji}})
        }
        Content::Native(native) => in_own_words(native)?,
        content => json!({"messaging_type": "RESPONSE", "message": said(content)?}),
    };
    body["recipient"] = json!({"id": message.to().to_string()});
    Ok(body)
}

fn said(content: &Content) -> Result<Value, SendError> {
    match content {
        Content::Text { text, options } => with_replies(text.clone(), options),
        Content::QuickReplies(replies) => with_replies(replies.text.clone(), &replies.options),
        Content::List(list) => of_list(list),
        Content::Buttons(buttons) => of_buttons(buttons),
        Content::Card(card) => of_card(card),
        Content::Media(media) => Ok(of_media(media)),
        Content::Location(place) => Ok(json!({"text": of_place(place)})),
        Content::LocationRequest { text } => Ok(json!({"text": text})),
        Content::Contacts { cards } => {
            let cards: Vec<String> = cards.iter().map(of_contact).collect();
            Ok(json!({"text": cards.join("\n\n")}))
        }
        other => Err(SendError::rejected(format_args!("Messenger has no form for `{}`", other.kind()))),
    }
}

/// A message in Messenger's own words: a whole body, or what is in `message`.
fn in_own_words(native: &NativeMessage) -> Result<Value, SendError> {
    if native.channel != chatflow::Channel::Messenger {
        return Err(SendError::rejected("the message is in the words of another channel"));
    }
    match &native.body {
        Value::Object(body) if body.contains_key("message") || body.contains_key("sender_action") => {
            let mut body = native.body.clone();
            if body.get("messaging_type").is_none() && body.get("message").is_some() {
                body["messaging_type"] = "RESPONSE".into();
            }
            Ok(body)
        }
        Value::Object(_) => Ok(json!({"messaging_type": "RESPONSE", "message": native.body})),
        _ => Err(SendError::rejected("a message in Messenger's words must be an object")),
    }
}

/// A text with its choices as quick replies.
fn with_replies(text: String, options: &[ReplyOption]) -> Result<Value, SendError> {
    if options.len() > MOST_REPLIES {
        return Err(SendError::rejected(format_args!("Messenger takes at most {MOST_REPLIES} choices")));
    }
    let mut said = json!({"text": text});
    if !options.is_empty() {
        let reply = |option: &ReplyOption| json!({"content_type": "text", "title": option.label, "payload": option.payload});
        said["quick_replies"] = options.iter().map(reply).collect();
    }
    Ok(said)
}

fn of_list(list: &List) -> Result<Value, SendError> {
    let described = list.options.iter().filter_map(|option| {
        let description = option.description.as_deref()?;
        Some(format!("{}: {description}", option.label))
    });
    let mut lines = around(&list.text, list.header.as_ref(), None);
    lines.extend(described);
    lines.extend(list.footer.clone());
    with_replies(lines.join("\n"), &list.options)
}

fn of_buttons(buttons: &Buttons) -> Result<Value, SendError> {
    let text = around(&buttons.text, buttons.header.as_ref(), buttons.footer.as_deref()).join("\n");
    let shown = buttons_of(&buttons.options, &buttons.links);
    let fits = (1..=MOST_BUTTONS).contains(&shown.len()) && is_within(&text, MOST_ABOVE_BUTTONS);
    if fits {
        return Ok(template(json!({"template_type": "button", "text": text, "buttons": shown})));
    }
    with_replies(with_links(text, &buttons.links), &buttons.options)
}

fn of_card(card: &Card) -> Result<Value, SendError> {
    let shown = buttons_of(&card.options, &card.links);
    let subtitle = card.subtitle.as_deref();
    let is_more_than_title = subtitle.is_some() || card.image.is_some() || !shown.is_empty();
    let texts = [Some(&*card.title), subtitle];
    let fits = is_more_than_title
        && shown.len() <= MOST_BUTTONS
        && texts.iter().flatten().all(|text| is_within(text, MOST_OF_CARD));
    if !fits {
        let lines: Vec<&str> = texts.into_iter().chain([card.image.as_deref()]).flatten().collect();
        return with_replies(with_links(lines.join("\n"), &card.links), &card.options);
    }
    let mut element = json!({"title": card.title});
    for (name, value) in [("subtitle", &card.subtitle), ("image_url", &card.image)] {
        if let Some(value) = value {
            element[name] = value.as_str().into();
        }
    }
    if !shown.is_empty() {
        element["buttons"] = shown.into();
    }
    Ok(template(json!({"template_type": "generic", "elements": [element]})))
}

fn template(payload: Value) -> Value {
    json!({"attachment": {"type": "template", "payload": payload}})
}

fn of_media(media: &Media) -> Value {
    let kind = match media.kind {
        MediaType::Image | MediaType::Sticker => "image",
        MediaType::Audio => "audio",
        MediaType::Video => "video",
        _ => "file",
    };
    json!({"attachment": {"type": kind, "payload": {"url": media.url}}})
}

fn buttons_of(options: &[ReplyOption], links: &[Link]) -> Vec<Value> {
    let answers = options
        .iter()
        .map(|option| json!({"type": "postback", "title": option.label, "payload": option.payload}));
    let links = links.iter().map(|link| json!({"type": "web_url", "title": link.label, "url": link.url}));
    answers.chain(links).collect()
}

/// A text between what is above and below it.
fn around(text: &str, header: Option<&Header>, footer: Option<&str>) -> Vec<String> {
    let above = match header {
        Some(Header::Text(line)) => Some(line.clone()),
        Some(Header::Media(media)) => Some(media.url.clone()),
        Some(Header::Location(place)) => Some(of_place(place)),
        _ => None,
    };
    above.into_iter().chain([text.to_owned()]).chain(footer.map(str::to_owned)).collect()
}

fn with_links(text: String, links: &[Link]) -> String {
    links.iter().fold(text, |text, link| format!("{text}\n{}: {}", link.label, link.url))
}

fn of_place(place: &Location) -> String {
    let (latitude, longitude) = (place.latitude(), place.longitude());
    let map = format!("https://www.google.com/maps?q={latitude},{longitude}");
    let lines: Vec<&str> =
        [place.name.as_deref(), place.address.as_deref(), Some(&*map)].into_iter().flatten().collect();
    lines.join("\n")
}

fn of_contact(card: &ContactCard) -> String {
    let facts = [&card.title, &card.company].into_iter().flatten();
    let lines = std::iter::once(&card.name).chain(facts);
    let lines: Vec<&str> =
        lines.chain(&card.phones).chain(&card.emails).chain(&card.urls).map(String::as_str).collect();
    lines.join("\n")
}

fn is_within(text: &str, most: usize) -> bool {
    text.encode_utf16().count() <= most
}
