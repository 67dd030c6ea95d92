//! Every text of a message that may be written in several languages, by its place.

use crate::flow::content::{ButtonDef, MessageDef, OptionDef, TextDef};

/// A text, and where it is in its node: `list.sections[0].title`.
pub(crate) type PlacedText<'d> = (String, &'d mut TextDef);

impl MessageDef {
    /// Its texts and labels, to be translated.
    pub(crate) fn texts_mut(&mut self) -> Vec<PlacedText<'_>> {
        let mut found: Vec<PlacedText<'_>> = Vec::new();
        found.extend(self.text.iter_mut().map(|text| ("text".to_owned(), text)));
        found.extend(labels("options", self.options.as_deref_mut(), |option: &mut OptionDef| {
            &mut option.label
        }));
        found.extend(labels("buttons", self.buttons.as_deref_mut(), |button: &mut ButtonDef| {
            &mut button.label
        }));
        found.extend(labels("quick_replies", self.quick_replies.as_deref_mut(), |reply| &mut reply.label));
        if let Some(list) = &mut self.list {
            found.push(("list.button".to_owned(), &mut list.button));
            for (place, section) in list.sections.iter_mut().enumerate() {
                let at = format!("list.sections[{place}]");
                found.extend(section.title.iter_mut().map(|title| (format!("{at}.title"), title)));
                for (place, row) in section.rows.iter_mut().enumerate() {
                    let at = format!("{at}.rows[{place}]");
                    found.push((format!("{at}.label"), &mut row.label));
                    found.extend(row.description.iter_mut().map(|text| (format!("{at}.description"), text)));
                }
            }
        }
        if let Some(media) = &mut self.media {
            found.extend(media.caption.iter_mut().map(|caption| ("media.caption".to_owned(), caption)));
        }
        if let Some(location) = &mut self.location {
            found.extend(location.name.iter_mut().map(|name| ("location.name".to_owned(), name)));
            found.extend(location.address.iter_mut().map(|address| ("location.address".to_owned(), address)));
        }
        if let Some(template) = &mut self.template {
            let buttons = template.buttons.as_deref_mut();
            found.extend(labels("template.buttons", buttons, |button: &mut ButtonDef| &mut button.label));
        }
        if let Some(card) = &mut self.card {
            found.push(("card.title".to_owned(), &mut card.title));
            found.extend(card.subtitle.iter_mut().map(|text| ("card.subtitle".to_owned(), text)));
            let buttons = card.buttons.as_deref_mut();
            found.extend(labels("card.buttons", buttons, |button: &mut ButtonDef| &mut button.label));
        }
        found
    }
}

fn labels<'d, T>(
    field: &'static str,
    list: Option<&'d mut [T]>,
    label: impl Fn(&'d mut T) -> &'d mut TextDef + 'd,
) -> impl Iterator<Item = PlacedText<'d>> {
    let each = list.unwrap_or_default().iter_mut().enumerate();
    each.map(move |(place, item)| (format!("{field}[{place}].label"), label(item)))
}

/// True if there is anything to translate beside what is filled in.
pub(crate) fn has_letters(text: &str) -> bool {
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once("{{") {
        if before.chars().any(char::is_alphabetic) {
            return true;
        }
        rest = inside.split_once("}}").map_or("", |(_, rest)| rest);
    }
    rest.chars().any(char::is_alphabetic)
}
