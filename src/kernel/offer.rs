//! The choices that are offered, made of what the session knows and held to what the channel
//! carries (SEMANTICS N10). What must not live here: the form in which a message shows it.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;

use crate::flow::answer::Choices;
use crate::flow::content::{Capacity, DataOffer, Offer};
use crate::flow::expr::{Expr, Val};
use crate::kernel::turn::{ItemNames, Move, Run};
use crate::observer::EventKind;
use crate::session::{FailureCode, Offered, OfferedChoice, Session};
use crate::value::{Caps, Kind, Node, Packed};

/// Items of a list that are looked at.
const MOST_ITEMS: usize = 200;
/// Bytes of a choice's id.
const MOST_ID_BYTES: usize = 64;

/// Room for choices in a message of a channel.
#[derive(Clone, Copy)]
pub(super) struct OfferRoom {
    /// Maximum number of choices, together.
    pub(super) most: usize,
    /// Characters of a label, and of the line below it.
    pub(super) label: usize,
    pub(super) description: usize,
}

/// A choice as the contact sees it.
pub(super) struct ShownChoice {
    pub(super) id: Arc<str>,
    pub(super) label: String,
    pub(super) description: Option<String>,
    item: Option<Packed>,
}

/// Parts of a message, each with how many choices it has, and the choices of all.
type MadeParts<T> = (Vec<(T, usize)>, Vec<ShownChoice>);

/// Changes made to choices, each with its number of times, for the observer.
#[derive(Default)]
struct Adjusted(Vec<(&'static str, u32)>);

/// Choices in the making.
struct Making {
    room: OfferRoom,
    /// Number of choices that may still be made of data.
    left: usize,
    /// The ids that are given.
    ids: BTreeSet<String>,
    shown: Vec<ShownChoice>,
    adjusted: Adjusted,
}

impl OfferRoom {
    /// Room for choices below a text.
    pub(super) fn of_options(capacity: &Capacity) -> Self {
        Self { most: capacity.options, label: capacity.label, description: capacity.description }
    }

    /// Room for buttons.
    pub(super) fn of_buttons(capacity: &Capacity) -> Self {
        Self { most: capacity.buttons, label: capacity.button, ..Self::of_options(capacity) }
    }

    /// Room for the rows of a list.
    pub(super) fn of_rows(capacity: &Capacity) -> Self {
        Self { most: capacity.rows, label: capacity.row, ..Self::of_options(capacity) }
    }

    /// Room for replies that vanish.
    pub(super) fn of_quick_replies(capacity: &Capacity) -> Self {
        Self { most: capacity.quick_replies, label: capacity.quick_reply, ..Self::of_options(capacity) }
    }

    /// Room for goods, of which no label is shown.
    pub(super) fn of_products(capacity: &Capacity) -> Self {
        let most = if capacity.products > 0 { capacity.products } else { MOST_ITEMS };
        Self { most, label: usize::MAX, ..Self::of_options(capacity) }
    }

    /// A form that the channel does not have is shown in another one, as choices below a text are.
    pub(super) fn or_options(self, capacity: &Capacity) -> Self {
        if self.most > 0 { self } else { Self { most: capacity.options.max(1), ..self } }
    }
}

impl ShownChoice {
    /// True if it was made of an item of a list.
    pub(super) fn is_of_data(&self) -> bool {
        self.item.is_some()
    }
}

impl Adjusted {
    fn count(&mut self, why: &'static str, count: usize) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        match self.0.iter_mut().find(|(known, _)| *known == why) {
            Some((_, counted)) => *counted = counted.saturating_add(count),
            None => self.0.push((why, count)),
        }
    }
}

impl Run<'_> {
    /// Makes the choices of a message; together they are no more than there is room for.
    pub(super) fn make_choices(
        &mut self,
        offers: &[Offer],
        room: OfferRoom,
    ) -> Result<Vec<ShownChoice>, Move> {
        let mut making = Making::new(room, offers.iter());
        self.make(offers, None, &mut making)?;
        Ok(self.made(making))
    }

    /// Makes the choices of several parts, of which each may be made of data itself: `parts` has
    /// for each its list, if it has one, and what it offers. Answers, for each part that there is,
    /// what `title` makes of it and how many choices it has.
    pub(super) fn make_parts<'p, T>(
        &mut self,
        parts: impl Iterator<Item = (Option<&'p Expr>, &'p [Offer])> + Clone,
        room: OfferRoom,
        mut title: impl FnMut(&mut Self, usize) -> Result<T, Move>,
    ) -> Result<MadeParts<T>, Move> {
        let written = parts.clone().filter(|(from, _)| from.is_none()).flat_map(|(_, offers)| offers);
        let mut making = Making::new(room, written);
        let mut made = Vec::new();
        for (place, (from, offers)) in parts.enumerate() {
            let Some(from) = from else {
                let before = making.shown.len();
                self.make(offers, None, &mut making)?;
                made.push((title(self, place)?, making.shown.len().saturating_sub(before)));
                continue;
            };
            let items = self.items(from)?;
            for (index, item) in items.iter().take(MOST_ITEMS).enumerate() {
                let Some(item) = self.packed(item)? else { continue };
                let before = making.shown.len();
                let names = ItemNames { item: item.clone(), index, section: Some(item) };
                let title = self.with_item(names.clone(), |run| title(run, place))?;
                self.make(offers, Some(&names), &mut making)?;
                let rows = making.shown.len().saturating_sub(before);
                if rows > 0 {
                    made.push((title, rows));
                }
            }
        }
        let shown = self.made(making);
        Ok((made, shown))
    }

    fn make(
        &mut self,
        offers: &[Offer],
        section: Option<&ItemNames>,
        making: &mut Making,
    ) -> Result<(), Move> {
        for offer in offers {
            match (offer, section) {
                (Offer::Written(choice), None) => {
                    let (label, description) = (self.pick(&choice.label), choice.description.as_ref());
                    let label = self.text(label)?;
                    let description = description.map(|text| self.local(text)).transpose()?;
                    making.show(choice.id.as_ref().to_owned(), label, description, None);
                }
                // Of a section that is made of data, each has the choices that are written in it.
                (Offer::Written(choice), Some(names)) => {
                    let names = names.clone();
                    let (label, description) = (choice.label.clone(), choice.description.clone());
                    let texts = self.with_item(names, |run| {
                        let label = run.pick(&label);
                        Ok((run.text(label)?, description.as_ref().map(|text| run.local(text)).transpose()?))
                    })?;
                    if making.takes(&choice.id) {
                        making.show(choice.id.as_ref().to_owned(), texts.0, texts.1, None);
                    }
                }
                (Offer::Data(data), _) => self.make_of_data(data, section, making)?,
            }
        }
        Ok(())
    }

    fn make_of_data(
        &mut self,
        data: &DataOffer,
        section: Option<&ItemNames>,
        making: &mut Making,
    ) -> Result<(), Move> {
        let items = match section {
            Some(names) => self.with_item(names.clone(), |run| run.items(&data.from))?,
            None => self.items(&data.from)?,
        };
        for (index, item) in items.iter().enumerate() {
            if making.left == 0 || index >= MOST_ITEMS {
                making.adjusted.count("cut", items.len().saturating_sub(index));
                break;
            }
            let Some(item) = self.packed(item)? else { continue };
            let section = section.and_then(|names| names.section.clone());
            let names = ItemNames { item: item.clone(), index, section };
            let (id, label, description) = self.with_item(names, |run| {
                let id = match &data.id {
                    Some(id) => run.text(id)?,
                    None => own_text(item.as_node(), "id"),
                };
                let label = match &data.label {
                    Some(label) => run.local(label)?,
                    None => own_text(item.as_node(), "label"),
                };
                let description = data.description.as_ref().map(|text| run.local(text)).transpose()?;
                Ok((id, label, description))
            })?;
            if making.takes(id.trim()) {
                making.show(id.trim().to_owned(), label, description, Some(item));
            }
        }
        Ok(())
    }

    /// The items of a list; what is none has no item, which is told.
    fn items(&mut self, from: &Expr) -> Result<Vec<Value>, Move> {
        match self.evaluate(from).map_err(|error| Move::fail(FailureCode::Expression, error))? {
            Value::Array(items) => Ok(items),
            Value::Null => Ok(Vec::new()),
            _ => {
                self.note_nothing("from");
                Ok(Vec::new())
            }
        }
    }

    /// An item; None for null.
    fn packed(&self, item: &Value) -> Result<Option<Packed>, Move> {
        if item.is_null() {
            return Ok(None);
        }
        let caps = Caps { depth: self.env.limits.depth.saturating_add(2), ..Caps::of(self.env.limits) };
        let packed = Packed::from_json(item, &caps);
        packed.map(Some).map_err(|error| Move::fail(FailureCode::Variables, format_args!("an item {error}")))
    }

    /// Returns the choices that were made, with what became of the rest told.
    fn made(&mut self, mut making: Making) -> Vec<ShownChoice> {
        let mut labels = BTreeSet::new();
        let twice = making.shown.iter().filter(|choice| !labels.insert(choice.label.to_lowercase())).count();
        if twice > 0 && making.room.label < usize::MAX {
            making.adjusted.count("same_label", twice);
        }
        for (why, count) in making.adjusted.0 {
            let (session, node) = (self.session.id, self.session.at.clone());
            self.note(EventKind::ChoicesAdjusted { session, node, why, count });
        }
        making.shown
    }

    /// Keeps what was offered until it is answered: a question's in the place of what it offered
    /// before.
    pub(super) fn keep_offer(&mut self, shown: &[ShownChoice], asked: bool) -> Result<(), Move> {
        let (wait, answered) = (self.offered_wait(), self.session.answered);
        let choices = shown.iter().map(|choice| OfferedChoice {
            id: Arc::clone(&choice.id),
            label: choice.label.as_str().into(),
            item: choice.item.clone(),
        });
        let offered = Offered { wait, asked, numbered: false, choices: choices.collect() };
        let most = self.env.limits.variable_bytes;
        let kept = &mut self.session.extras().offered;
        kept.retain(|old| old.wait > answered && !(asked && old.asked && old.wait == wait));
        kept.push(offered);
        if kept.iter().map(Offered::weight).sum::<usize>() > most {
            let why = format_args!("what there is to choose from takes more than {most} bytes");
            return Err(Move::fail(FailureCode::Variables, why));
        }
        Ok(())
    }
}

/// Returns what a question takes for an answer now, if that was not known before it was asked.
pub(super) fn offered_choices(session: &Session, choices: &Choices) -> Option<Choices> {
    choices.live.as_ref()?;
    let is_asked = |offered: &&Offered| offered.asked && offered.wait == session.wait;
    let offered = session.offered().iter().rev().find(is_asked);
    let list = offered.map_or(&[][..], |offered| &offered.choices);
    let shows_places = offered.is_some_and(|offered| offered.numbered);
    choices.offered(list.iter().map(|choice| (&*choice.id, &*choice.label)), shows_places)
}

impl Making {
    fn new<'o>(room: OfferRoom, offers: impl Iterator<Item = &'o Offer>) -> Self {
        let written: BTreeSet<String> = offers
            .filter_map(|offer| match offer {
                Offer::Written(choice) => Some(choice.id.as_ref().to_owned()),
                Offer::Data(_) => None,
            })
            .collect();
        let left = room.most.saturating_sub(written.len());
        Self { room, left, ids: written, shown: Vec::new(), adjusted: Adjusted::default() }
    }

    /// True if there may be one more choice made of data, with this id.
    fn takes(&mut self, id: &str) -> bool {
        if self.left == 0 {
            self.adjusted.count("cut", 1);
        } else if id.is_empty() || id.len() > MOST_ID_BYTES || id.chars().any(char::is_control) {
            self.adjusted.count("bad_id", 1);
        } else if !self.ids.insert(id.to_owned()) {
            self.adjusted.count("same_id", 1);
        } else {
            self.left = self.left.saturating_sub(1);
            return true;
        }
        false
    }

    fn show(&mut self, id: String, label: String, description: Option<String>, item: Option<Packed>) {
        let mut label = in_one_line(&label);
        if label.is_empty() {
            if self.room.label < usize::MAX {
                self.adjusted.count("no_label", 1);
            }
            label.clone_from(&id);
        }
        let mut fit = |text: String, most: usize| {
            let cut = cut(&text, most);
            if cut.len() < text.len() {
                self.adjusted.count("label_cut", 1);
            }
            cut
        };
        let label = fit(label, self.room.label);
        let description = description.map(|text| in_one_line(&text)).filter(|text| !text.is_empty());
        let description = description.map(|text| fit(text, self.room.description));
        self.shown.push(ShownChoice { id: id.into(), label, description, item });
    }
}

/// The field of an object, or the item itself as a text.
fn own_text(item: Node<'_>, field: &str) -> String {
    let value =
        if item.kind() == Kind::Object { item.get(field).or_else(|| item.get("id")) } else { Some(item) };
    let mut text = String::new();
    if let Some(value) = value {
        let _ = Val::from(value).write(&mut text);
    }
    text
}

/// A text without line breaks and runs of blanks.
pub(super) fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text of at most so many characters, cut behind a whole one as people see it.
pub(super) fn cut(text: &str, most: usize) -> String {
    const ELLIPSIS: char = '…';
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut left = most.saturating_sub(1);
    for grapheme in text.graphemes(true) {
        let Some(rest) = left.checked_sub(grapheme.chars().count()) else { break };
        left = rest;
        kept.push_str(grapheme);
    }
    let mut kept = kept.trim_end().to_owned();
    if most > 0 {
        kept.push(ELLIPSIS);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_behind_a_whole_character() {
        assert_eq!(cut("Small", 5), "Small");
        assert_eq!(cut("Smaller", 5), "Smal…");
        assert_eq!(cut("a b c d", 5), "a b…");
        assert_eq!(cut("ab👨‍👩‍👧cd", 5), "ab…", "a family is one character of five");
        assert_eq!(cut("ab", 1), "…");
        assert_eq!(cut("ab", 0), "");
    }
}
