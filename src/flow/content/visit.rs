//! Every text of a message that may be written in several languages, by its place.

use crate::flow::content::{
    ButtonDef, ContactCardDef, HeaderDef, LocationDef, MessageDef, OfferEntry, OptionDef, ProductsDef,
    TextDef,
};

/// A text, and where it is in its node: `list.sections[0].title`.
pub(crate) type PlacedText<'d> = (String, &'d mut TextDef);

impl MessageDef {
    /// Its texts and labels, to be translated.
    pub(crate) fn texts_mut(&mut self) -> Vec<PlacedText<'_>> {
        let mut found: Vec<PlacedText<'_>> = Vec::new();
        found.extend(self.text.iter_mut().map(|text| ("text".to_owned(), text)));
        found.extend(options("options", self.options.as_deref_mut()));
        found.extend(labels("buttons", self.buttons.as_deref_mut(), |button: &mut ButtonDef| {
            &mut button.label
        }));
        found.extend(options("quick_replies", self.quick_replies.as_deref_mut()));
        if let Some(list) = &mut self.list {
            found.push(("list.button".to_owned(), &mut list.button));
            for (place, section) in list.sections.iter_mut().enumerate() {
                let (at, is_data) = (format!("list.sections[{place}]"), section.from.is_some());
                let title = section.title.iter_mut().filter(|title| !is_data || is_text(title));
                found.extend(title.map(|title| (format!("{at}.title"), title)));
                for (place, row) in section.rows.iter_mut().enumerate() {
                    let is_data = row.from.is_some();
                    let texts = [("label", Some(&mut row.label)), ("description", row.description.as_mut())];
                    found.extend(parts(&format!("{at}.rows[{place}]"), is_data, texts));
                }
            }
        }
        let header = self.header.as_mut().and_then(|header| header.text.as_mut());
        found.extend(header.map(|text| ("header.text".to_owned(), text)));
        found.extend(self.footer.iter_mut().map(|text| ("footer".to_owned(), text)));
        found.extend(self.subject.iter_mut().map(|text| ("subject".to_owned(), text)));
        found.extend(self.form.iter_mut().map(|form| ("form.button".to_owned(), &mut form.button)));
        found.extend(goods(self.products.as_deref_mut()));
        found.extend(card_titles(self.contacts.as_deref_mut()));
        if let Some(media) = &mut self.media {
            found.extend(media.caption.iter_mut().map(|caption| ("media.caption".to_owned(), caption)));
        }
        found.extend(place_texts("location", self.location.as_deref_mut()));
        if let Some(template) = &mut self.template {
            if let Some(header) = template.header.as_deref_mut() {
                let HeaderDef { text, location, .. } = header;
                found.extend(text.iter_mut().map(|text| ("template.header.text".to_owned(), text)));
                found.extend(place_texts("template.header.location", location.as_deref_mut()));
            }
            let buttons = template.buttons.as_deref_mut();
            found.extend(labels("template.buttons", buttons, |button: &mut ButtonDef| &mut button.label));
            for (place, card) in template.cards.iter_mut().flatten().enumerate() {
                let (at, buttons) = (format!("template.cards[{place}].buttons"), card.buttons.as_deref_mut());
                found.extend(labels(&at, buttons, |button: &mut ButtonDef| &mut button.label));
            }
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

/// The name and the address of a place.
fn place_texts<'d>(at: &'d str, place: Option<&'d mut LocationDef>) -> impl Iterator<Item = PlacedText<'d>> {
    let texts = place.map(|place| [("name", place.name.as_mut()), ("address", place.address.as_mut())]);
    let given = texts.into_iter().flatten().filter_map(|(key, text)| Some((key, text?)));
    given.map(move |(key, text)| (format!("{at}.{key}"), text))
}

/// The titles of sections of goods.
fn goods(products: Option<&mut ProductsDef>) -> impl Iterator<Item = PlacedText<'_>> {
    let sections = products.into_iter().filter_map(|products| products.sections.as_deref_mut()).flatten();
    sections.enumerate().filter_map(|(place, section)| {
        let is_data = section.from.is_some();
        let title = section.title.as_mut().filter(|title| !is_data || is_text(title))?;
        Some((format!("products.sections[{place}].title"), title))
    })
}

/// The names of people and firms are the same in every language; what they do is not.
fn card_titles(cards: Option<&mut [ContactCardDef]>) -> impl Iterator<Item = PlacedText<'_>> {
    let cards = cards.unwrap_or_default().iter_mut().enumerate();
    cards.filter_map(|(place, card)| Some((format!("contacts[{place}].title"), card.title.as_mut()?)))
}

fn labels<'d, T: OfferEntry>(
    field: &str,
    list: Option<&'d mut [T]>,
    label: impl Fn(&'d mut T) -> &'d mut TextDef + 'd,
) -> impl Iterator<Item = PlacedText<'d>> {
    let (field, each) = (field.to_owned(), list.unwrap_or_default().iter_mut().enumerate());
    each.flat_map(move |(place, item)| {
        let is_data = item.from().is_some();
        parts(&format!("{field}[{place}]"), is_data, [("label", Some(label(item)))])
    })
}

/// Labels and descriptions.
fn options<'d>(field: &'static str, list: Option<&'d mut [OptionDef]>) -> Vec<PlacedText<'d>> {
    let each = list.unwrap_or_default().iter_mut().enumerate();
    let each = each.flat_map(|(place, option)| {
        let texts = [("label", Some(&mut option.label)), ("description", option.description.as_mut())];
        parts(&format!("{field}[{place}]"), option.from.is_some(), texts)
    });
    each.collect()
}

/// The texts of an entry; of one that is made of data those that are more than the name of a field.
pub(crate) fn parts<'d, const N: usize>(
    at: &str,
    is_data: bool,
    texts: [(&str, Option<&'d mut TextDef>); N],
) -> Vec<PlacedText<'d>> {
    let given = texts.into_iter().filter_map(|(key, text)| Some((key, text?)));
    let given = given.filter(|(_, text)| !is_data || is_text(text));
    given.map(|(key, text)| (format!("{at}.{key}"), text)).collect()
}

fn is_text(text: &TextDef) -> bool {
    text.texts().any(|text| text.contains("{{"))
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
