//! The choices that are offered, made of what the session knows and held to what the channel
//! carries (SEMANTICS N10). What must not live here: the form in which a message shows it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;

use crate::flow::answer::Choices;
use crate::flow::content::{Capacity, CompiledChoice, DataOffer, Local, Offer};
use crate::flow::expr::{Expr, Val};
use crate::flow::template::Template;
use crate::gather::Gather;
use crate::grapheme::TextUnit;
use crate::kernel::turn::{ItemNames, Move, Run};
use crate::observer::EventKind;
use crate::session::{FailureCode, Offered, OfferedChoice, Session};
use crate::value::{Kind, Node, PackLimits, Packed};

/// Items of a list that are looked at.
const MOST_ITEMS: usize = 200;
/// Bytes of a label that is cut and may yet be typed as a whole.
const MOST_TYPED_BYTES: usize = 512;
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
    /// Number of choices up to which they are buttons whose labels must differ.
    pub(super) unique: usize,
    /// Characters of a label that is a row of a list, as choices are that are no such buttons, or
    /// have a line below them. None: they are no rows.
    pub(super) row: Option<usize>,
}

/// A choice as the contact sees it.
pub(super) struct ShownChoice {
    pub(super) id: Arc<str>,
    pub(super) label: String,
    pub(super) description: Option<String>,
    /// Its label before it was cut or numbered.
    whole: Option<Arc<str>>,
    /// Its labels in the other languages of the flow.
    labels: Vec<Arc<str>>,
    item: Option<Packed>,
}

/// The texts of a choice in the making.
#[derive(Default)]
struct ChoiceTexts {
    label: String,
    /// The same in the other languages.
    labels: Vec<Arc<str>>,
    description: Option<String>,
}

/// Parts of a message, each with how many choices it has, and the choices of all.
type MadeParts<T> = (Vec<(T, usize)>, Vec<ShownChoice>);

/// Changes made to choices, each with its number of times, for the observer.
#[derive(Default)]
struct Adjusted(Vec<(&'static str, u32)>);

/// Choices in the making.
struct Making {
    room: OfferRoom,
    /// True if their labels in all languages are wanted: they are those of a question.
    asked: bool,
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
        Self {
            most: capacity.options,
            label: capacity.label,
            description: capacity.description,
            unique: if capacity.unique_buttons { capacity.buttons } else { 0 },
            row: capacity.lists_options.then_some(capacity.row),
        }
    }

    /// Room for buttons.
    pub(super) fn of_buttons(capacity: &Capacity) -> Self {
        Self { most: capacity.buttons, label: capacity.button, ..Self::of_options(capacity) }
    }

    /// Room for the buttons of a card.
    pub(super) fn of_card(capacity: &Capacity) -> Self {
        Self { most: capacity.card_buttons, ..Self::of_buttons(capacity) }
    }

    /// Room for the rows of a list.
    pub(super) fn of_rows(capacity: &Capacity) -> Self {
        let (label, row) = (capacity.row, Some(capacity.row));
        Self { most: capacity.rows, label, unique: 0, row, ..Self::of_options(capacity) }
    }

    /// Room for choices whose labels nobody sees.
    pub(super) fn of_unseen(capacity: &Capacity) -> Self {
        Self { label: usize::MAX, row: None, ..Self::of_rows(capacity) }.or_options(capacity)
    }

    /// Room for replies that vanish.
    pub(super) fn of_quick_replies(capacity: &Capacity) -> Self {
        Self { most: capacity.quick_replies, label: capacity.quick_reply, ..Self::of_options(capacity) }
    }

    /// Room for goods, of which no label is shown.
    pub(super) fn of_products(capacity: &Capacity) -> Self {
        let most = if capacity.products > 0 { capacity.products } else { MOST_ITEMS };
        Self { most, label: usize::MAX, unique: 0, row: None, ..Self::of_options(capacity) }
    }

    /// A form that the channel does not have is shown in another one, as choices below a text are.
    pub(super) fn or_options(self, capacity: &Capacity) -> Self {
        if self.most > 0 { self } else { Self { most: capacity.options.max(1), ..self } }
    }

    /// Characters of a label of a row, if that is what these choices are.
    fn row_of(&self, shown: &[ShownChoice]) -> Option<usize> {
        let has_lines = || shown.iter().any(|choice| choice.description.is_some());
        self.row.filter(|_| shown.len() > self.unique || has_lines())
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
    /// Makes the choices of a message; together they are no more than there is room for. `asked`:
    /// they are those of a question.
    pub(super) fn make_choices(
        &mut self,
        offers: &[Offer],
        room: OfferRoom,
        asked: bool,
    ) -> Result<Vec<ShownChoice>, Move> {
        let mut making = Making::new(room, asked, offers.iter());
        self.make(offers, None, &mut making)?;
        Ok(self.made(making))
    }

    /// Makes the choices of several parts, of which each may be made of data itself: `parts` has
    /// for each its list, if it has one, and what it offers. Returns, for each part that there is,
    /// what `title` makes of it and how many choices it has.
    pub(super) fn make_parts<'p, T>(
        &mut self,
        parts: impl Iterator<Item = (Option<&'p Expr>, &'p [Offer])> + Clone,
        (room, asked): (OfferRoom, bool),
        mut title: impl FnMut(&mut Self, usize) -> Result<T, Move>,
    ) -> Result<MadeParts<T>, Move> {
        let written = parts.clone().filter(|(from, _)| from.is_none()).flat_map(|(_, offers)| offers);
        let mut making = Making::new(room, asked, written);
        let mut made = Vec::new();
        for (place, (from, offers)) in parts.enumerate() {
            let Some(from) = from else {
                let before = making.shown.len();
                self.make(offers, None, &mut making)?;
                made.push((title(self, place)?, making.shown.len().saturating_sub(before)));
                continue;
            };
            let items = self.evaluate_list(from)?;
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
                    let texts = self.written_texts(choice, making.asked)?;
                    making.show(choice.id.as_ref().to_owned(), texts, None);
                }
                // Of a section that is made of data, each has the choices that are written in it.
                (Offer::Written(choice), Some(names)) => {
                    let asked = making.asked;
                    let texts = self.with_item(names.clone(), |run| run.written_texts(choice, asked))?;
                    if making.takes(&choice.id) {
                        making.show(choice.id.as_ref().to_owned(), texts, None);
                    }
                }
                (Offer::Data(data), _) => self.make_of_data(data, section, making)?,
            }
        }
        Ok(())
    }

    fn written_texts(&mut self, choice: &CompiledChoice, asked: bool) -> Result<ChoiceTexts, Move> {
        let label = self.local(&choice.label)?;
        let labels = if asked { self.other_labels(&choice.label, &label)? } else { Vec::new() };
        let description = choice.description.as_ref().map(|text| self.local(text)).transpose()?;
        Ok(ChoiceTexts { label, labels, description })
    }

    /// A label in the other languages, as far as it is another one there.
    fn other_labels(&mut self, texts: &Local<Template>, shown: &str) -> Result<Vec<Arc<str>>, Move> {
        let mut labels: Vec<Arc<str>> = Vec::new();
        if texts.is_plain() {
            return Ok(labels);
        }
        let shown = in_one_line(shown);
        for (_, template) in texts.all() {
            let label = in_one_line(&self.text(template)?);
            if !label.is_empty() && label != shown && labels.iter().all(|known| **known != *label) {
                labels.push(label.into());
            }
        }
        Ok(labels)
    }

    fn make_of_data(
        &mut self,
        data: &DataOffer,
        section: Option<&ItemNames>,
        making: &mut Making,
    ) -> Result<(), Move> {
        let items = match section {
            Some(names) => self.with_item(names.clone(), |run| run.evaluate_list(&data.from))?,
            None => self.evaluate_list(&data.from)?,
        };
        for (index, item) in items.iter().enumerate() {
            if making.left == 0 || index >= MOST_ITEMS {
                making.adjusted.count("cut", items.len().saturating_sub(index));
                break;
            }
            let Some(item) = self.packed(item)? else { continue };
            let section = section.and_then(|names| names.section.clone());
            let names = ItemNames { item: item.clone(), index, section };
            let asked = making.asked;
            let (id, texts) = self.with_item(names, |run| {
                let id = match &data.id {
                    Some(id) => run.text(id)?,
                    None => own_text(item.as_node(), "id"),
                };
                let (label, labels) = match &data.label {
                    Some(texts) => {
                        let label = run.local(texts)?;
                        let labels = if asked { run.other_labels(texts, &label)? } else { Vec::new() };
                        (label, labels)
                    }
                    None => (own_text(item.as_node(), "label"), Vec::new()),
                };
                let description = data.description.as_ref().map(|text| run.local(text)).transpose()?;
                Ok((id, ChoiceTexts { label, labels, description }))
            })?;
            if making.takes(id.trim()) {
                making.show(id.trim().to_owned(), texts, Some(item));
            }
        }
        Ok(())
    }

    /// An item; None for null.
    fn packed(&self, item: &Value) -> Result<Option<Packed>, Move> {
        if item.is_null() {
            return Ok(None);
        }
        let pack_limits =
            PackLimits { depth: self.env.limits.depth.saturating_add(2), ..PackLimits::of(self.env.limits) };
        let packed = Packed::from_json(item, &pack_limits);
        packed.map(Some).map_err(|error| Move::fail(FailureCode::Variables, format_args!("an item {error}")))
    }

    /// Returns the choices that were made, with what became of the rest told.
    fn made(&mut self, mut making: Making) -> Vec<ShownChoice> {
        let row = making.room.row_of(&making.shown);
        making.fit(row);
        let mut labels = BTreeSet::new();
        let twice = making.shown.iter().filter(|choice| !labels.insert(choice.label.to_lowercase())).count();
        if twice > 0 && making.room.label < usize::MAX {
            making.adjusted.count("same_label", twice);
        }
        if twice > 0 {
            for choice in making.shown.iter_mut().filter(|choice| choice.whole.is_none()) {
                choice.whole = Some(choice.label.as_str().into());
            }
        }
        if making.shown.len() <= making.room.unique && row.is_none() {
            tell_apart(making.shown.iter_mut().map(|choice| &mut choice.label).collect(), making.room.label);
        } else if let Some(most) = row.filter(|_| making.room.unique > 0) {
            // Those of a list are told apart within their sections, once it is fitted.
            let rows = making.shown.iter_mut();
            tell_rows_apart(rows.map(|choice| (&mut choice.label, choice.description.as_deref())), most);
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
        let choices = shown.iter().map(|choice| OfferedChoice {
            id: Arc::clone(&choice.id),
            label: choice.label.as_str().into(),
            whole: choice.whole.clone(),
            labels: choice.labels.clone(),
            item: choice.item.clone(),
        });
        self.keep(choices.collect(), asked)
    }

    /// Keeps choices that are written out, whose ids their channel has no room for (SEMANTICS I9).
    #[cold]
    pub(super) fn keep_written(&mut self, choices: &[CompiledChoice]) -> Result<(), Move> {
        let choices = choices.iter().map(|choice| OfferedChoice {
            id: Arc::clone(&choice.id),
            label: "".into(),
            whole: None,
            labels: Vec::new(),
            item: None,
        });
        self.keep(choices.collect(), false)
    }

    fn keep(&mut self, choices: Vec<OfferedChoice>, asked: bool) -> Result<(), Move> {
        let (wait, answered) = (self.offered_wait(), self.session.answered);
        let offered = Offered { wait, asked, numbered: false, choices };
        let most = self.env.limits.variable_bytes;
        let kept = &mut self.session.extras().offered;
        kept.retain(|old| {
            old.wait > answered && !(asked && old.asked && old.wait == wait) && *old != offered
        });
        kept.push(offered);
        if kept.iter().map(Offered::weight).sum::<usize>() > most {
            let why = format_args!("what there is to choose from takes more than {most} bytes");
            return Err(Move::fail(FailureCode::Variables, why));
        }
        Ok(())
    }
}

/// Returns what a question takes for an answer now, if that was not known before it was asked.
pub(super) fn offered_choices<'c>(session: &'c Session, choices: &'c Choices) -> Option<Choices> {
    choices.live.as_ref()?;
    let is_asked = |offered: &&Offered| offered.asked && offered.wait == session.wait;
    let offered = session.offered().iter().rev().find(is_asked);
    let list = offered.map_or(&[][..], |offered| &offered.choices);
    let shows_places = offered.is_some_and(|offered| offered.numbered);
    let texts = list.iter().map(|choice| {
        (&*choice.id, std::iter::once(&choice.label).chain(&choice.labels).map(|label| &**label))
    });
    choices.offered(texts, shows_places)
}

impl Making {
    fn new<'o>(room: OfferRoom, asked: bool, offers: impl Iterator<Item = &'o Offer>) -> Self {
        let written: BTreeSet<String> = offers
            .filter_map(|offer| match offer {
                Offer::Written(choice) => Some(choice.id.as_ref().to_owned()),
                Offer::Data(_) => None,
            })
            .gather();
        let left = room.most.saturating_sub(written.len());
        Self { room, asked, left, ids: written, shown: Vec::new(), adjusted: Adjusted::default() }
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

    fn show(&mut self, id: String, texts: ChoiceTexts, item: Option<Packed>) {
        let ChoiceTexts { label, labels, description } = texts;
        let mut label = in_one_line(&label);
        if label.is_empty() {
            if self.room.label < usize::MAX {
                self.adjusted.count("no_label", 1);
            }
            label.clone_from(&id);
        }
        let description = description.map(|text| in_one_line(&text)).filter(|text| !text.is_empty());
        self.shown.push(ShownChoice { id: id.into(), label, description, whole: None, labels, item });
    }

    /// Cuts what is too long, now that all are known: of a `row` the whole label is the line below
    /// it, where it has none.
    fn fit(&mut self, row: Option<usize>) {
        let most = row.unwrap_or(self.room.label);
        for choice in &mut self.shown {
            let whole = std::mem::take(&mut choice.label);
            choice.label = cut(&whole, most);
            if choice.label != whole {
                self.adjusted.count("label_cut", 1);
                if whole.len() <= MOST_TYPED_BYTES {
                    let whole: Arc<str> = whole.as_str().into();
                    choice.labels.extend(self.asked.then(|| Arc::clone(&whole)));
                    choice.whole = Some(whole);
                }
                if row.is_some() && choice.description.is_none() {
                    choice.description = Some(cut(&whole, self.room.description));
                    continue;
                }
            }
            if let Some(line) = &mut choice.description {
                let kept = cut(line, self.room.description);
                if kept != *line {
                    self.adjusted.count("label_cut", 1);
                }
                *line = kept;
            }
        }
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

/// True of a text that shows nothing.
pub(super) fn is_blank(text: &str) -> bool {
    text.trim_start().is_empty()
}

/// Numbers labels that are the same as one before, within so many characters (SEMANTICS N10).
pub(super) fn tell_apart(mut labels: Vec<&mut String>, most: usize) {
    for place in 1..labels.len() {
        let Some((label, before)) = labels.get_mut(..=place).and_then(<[_]>::split_last_mut) else {
            continue;
        };
        let is_taken = |label: &str| before.iter().any(|other| **other == *label);
        if !is_taken(label) {
            continue;
        }
        let numbered = (2..=place + 2).map(|number| {
            let mark = format!(" ({number})");
            cut(label, most.saturating_sub(mark.len())) + &mark
        });
        if let Some(free) = numbered.into_iter().find(|label| !is_taken(label)) {
            **label = free;
        }
    }
}

/// Numbers the labels of rows of a list that look the same, with the lines below them.
pub(super) fn tell_rows_apart<'r>(
    rows: impl Iterator<Item = (&'r mut String, Option<&'r str>)>,
    most: usize,
) {
    let mut alike: BTreeMap<(String, Option<&str>), Vec<&mut String>> = BTreeMap::new();
    for (label, line) in rows {
        alike.entry((label.clone(), line)).or_default().push(label);
    }
    alike.into_values().for_each(|labels| tell_apart(labels, most));
}

/// A text of at most so many characters, cut behind a whole one as people see it.
pub(super) fn cut(text: &str, most: usize) -> String {
    cut_in(text, most, TextUnit::Characters)
}

/// A text of at most this length, cut in the same way.
pub(super) fn cut_in(text: &str, most: usize, unit: TextUnit) -> String {
    const ELLIPSIS: &str = "…";
    if unit.count(text) <= most {
        return text.to_owned();
    }
    let Some(room) = most.checked_sub(unit.count(ELLIPSIS)) else { return String::new() };
    let mut kept = String::new();
    let mut left = room;
    for grapheme in text.graphemes(true) {
        let Some(rest) = left.checked_sub(unit.count(grapheme)) else { break };
        left = rest;
        kept.push_str(grapheme);
    }
    let mut kept = kept.trim_end().to_owned();
    kept.push_str(ELLIPSIS);
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

    #[test]
    fn labels_that_are_the_same_are_numbered() {
        let told = |labels: &[&str]| {
            let mut labels: Vec<String> = labels.iter().map(ToString::to_string).collect();
            tell_apart(labels.iter_mut().collect(), 8);
            labels.join("|")
        };
        assert_eq!(told(&["a", "b", "a"]), "a|b|a (2)");
        assert_eq!(told(&["a", "a (2)", "a", "a"]), "a|a (2)|a (3)|a (4)");
        assert_eq!(told(&["Small c…", "Small c…"]), "Small c…|Sma… (2)");
    }
}
