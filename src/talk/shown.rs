//! A message as the contact sees it, in one text.

use std::fmt::Write as _;

use crate::session::{Content, Header, Opt, Outbound};

/// A message as the contact sees it, with its labels in brackets.
pub(super) fn shown(message: &Outbound) -> String {
    let content = &message.content;
    let mut text = match content {
        Content::Media(media) => {
            let extras = media.filename.iter().chain(&media.mime).map(|extra| format!(" {extra}"));
            let caption = media.caption.iter().map(|caption| format!(" {caption:?}"));
            format!("({} {}{})", media.kind.as_str(), media.url, extras.chain(caption).collect::<String>())
        }
        Content::Location(place) => {
            let texts = place.name.iter().chain(&place.address).map(|text| format!(" {text:?}"));
            format!("(place {} {}{})", place.latitude(), place.longitude(), texts.collect::<String>())
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
            format!("{header}(template {} {} {values})", template.name, template.language)
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
        Content::LocationRequest { .. } | Content::Native(_) => content.to_string(),
        other => other.text().to_owned(),
    };
    match content {
        Content::List(list) => {
            for (title, rows) in list.sections() {
                title.into_iter().for_each(|title| _ = write!(text, " {title}:"));
                rows.iter().for_each(|row| text += &label(row));
            }
        }
        _ => message.options().iter().for_each(|option| text += &label(option)),
    }
    text.extend(content.links().iter().map(|link| format!(" [{} -> {}]", link.label, link.url)));
    text
}

fn framed(header: Option<&Header>, text: &str, footer: Option<&str>) -> String {
    let footer = footer.map(|footer| format!(" _{footer}_")).unwrap_or_default();
    header.map(header_of).unwrap_or_default() + text + &footer
}

fn header_of(header: &Header) -> String {
    match header {
        Header::Text(text) => format!("*{text}* "),
        Header::Media(media) => format!("({} {}) ", media.kind.as_str(), media.url),
    }
}

fn label(option: &Opt) -> String {
    match &option.description {
        Some(description) => format!(" [{}] {description}", option.label),
        None => format!(" [{}]", option.label),
    }
}
