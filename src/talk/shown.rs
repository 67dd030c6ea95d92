//! A message as the contact sees it, in one text.

use std::fmt::Write as _;

use crate::session::{
    Content, Header, Link, Location, Outbound, ReplyOption, TemplateButton, TemplateMessage,
};

/// A message as the contact sees it, with its labels in brackets.
pub(super) fn shown(message: &Outbound) -> String {
    let content = &message.content;
    let subject = message.subject.iter().map(|subject| format!("(subject {subject}) "));
    let mut text = subject.collect::<String>() + &without_choices(content);
    match content {
        Content::List(list) => {
            for (title, rows) in list.sections() {
                title.into_iter().for_each(|title| _ = write!(text, " {title}:"));
                rows.iter().for_each(|row| text += &label(row));
            }
        }
        Content::Template(template) => text += &buttons(template.buttons()),
        _ => {
            message.options().iter().for_each(|option| text += &label(option));
            text.extend(content.links().iter().map(link));
        }
    }
    text
}

/// A message without its choices and links.
fn without_choices(content: &Content) -> String {
    match content {
        Content::Media(media) => {
            let extras = media.filename.iter().chain(&media.mime).map(|extra| format!(" {extra}"));
            let caption = media.caption.iter().map(|caption| format!(" {caption:?}"));
            format!("({} {}{})", media.kind.as_str(), media.url, extras.chain(caption).collect::<String>())
        }
        Content::Location(place) => {
            format!("({})", place_of(place))
        }
        Content::List(list) => {
            let text = framed(list.header.as_ref(), &list.text, list.footer.as_deref());
            format!("{text} ({})", list.button)
        }
        Content::Buttons(buttons) => {
            framed(buttons.header.as_ref(), &buttons.text, buttons.footer.as_deref())
        }
        Content::Template(template) => {
            let values = serde_json::to_string(&template.parameters).unwrap_or_default();
            let header = template.header.iter().map(header_of).collect::<String>();
            let cards = (0..template.cards.len()).map(|card| carousel_card(template, card));
            let cards = cards.collect::<String>();
            format!("{header}(template {} {} {values}){cards}", template.name, template.language)
        }
        Content::Card(card) => {
            let parts = card.subtitle.iter().chain(&card.image).map(|part| format!(", {part}"));
            format!("(card {}{})", card.title, parts.collect::<String>())
        }
        Content::Typing { seconds } => format!("(typing {seconds} s)"),
        Content::Form(form) => {
            let text = framed(form.header.as_ref(), &form.text, form.footer.as_deref());
            let data = form.data.iter().map(|data| format!(" {data}")).collect::<String>();
            let screen = form.screen.as_deref().unwrap_or_default();
            format!("{text} (form {} {screen}{data}) [{}]", form.form, form.button)
        }
        Content::Products(products) => {
            let around = products.header.iter().map(header_of).collect::<String>();
            let footer = products.footer.iter().map(|footer| format!(" _{footer}_")).collect::<String>();
            format!("{around}{content}{footer}")
        }
        Content::LocationRequest { .. }
        | Content::Contacts { .. }
        | Content::Reaction { .. }
        | Content::Native(_) => content.to_string(),
        other => other.text().to_owned(),
    }
}

/// A card of an approved message: its picture, what fills its gaps, its buttons.
fn carousel_card(template: &TemplateMessage, card: usize) -> String {
    let buttons = buttons(template.card_buttons(card));
    let parts = template.cards.get(card).map(|card| {
        let values = serde_json::to_string(&card.parameters).unwrap_or_default();
        card.header.iter().map(header_of).collect::<String>() + &values
    });
    format!(" (card {}{buttons})", parts.unwrap_or_default())
}

/// Those that answer, then those that open an address, then all others.
fn buttons<'a>(buttons: impl Iterator<Item = (u32, TemplateButton<'a>)>) -> String {
    let (mut replies, mut links, mut others) = (String::new(), String::new(), String::new());
    for (_, button) in buttons {
        match button {
            TemplateButton::Reply(option) => replies += &label(option),
            TemplateButton::Url(address) => links += &link(address),
            TemplateButton::Code { label, code } => _ = write!(others, " [{label}: {code}]"),
            TemplateButton::Form { label, data, .. } => {
                let data = data.map(|data| format!(" {data}")).unwrap_or_default();
                _ = write!(others, " [{label} (form{data})]");
            }
            TemplateButton::Fixed { label } => _ = write!(others, " [{label}]"),
        }
    }
    replies + &links + &others
}

fn link(link: &Link) -> String {
    format!(" [{} -> {}]", link.label, link.url)
}

fn place_of(place: &Location) -> String {
    let texts = place.name.iter().chain(&place.address).map(|text| format!(" {text:?}"));
    format!("place {} {}{}", place.latitude(), place.longitude(), texts.collect::<String>())
}

fn framed(header: Option<&Header>, text: &str, footer: Option<&str>) -> String {
    let footer = footer.map(|footer| format!(" _{footer}_")).unwrap_or_default();
    header.map(header_of).unwrap_or_default() + text + &footer
}

fn header_of(header: &Header) -> String {
    match header {
        Header::Text(text) => format!("*{text}* "),
        Header::Media(media) => format!("({} {}) ", media.kind.as_str(), media.url),
        Header::Location(place) => format!("({}) ", place_of(place)),
    }
}

fn label(option: &ReplyOption) -> String {
    match &option.description {
        Some(description) => format!(" [{}] {description}", option.label),
        None => format!(" [{}]", option.label),
    }
}
