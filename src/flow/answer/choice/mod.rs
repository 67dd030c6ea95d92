//! One of several: by its payload, its id, its label, another word for it, the number that it
//! begins with, or its place in the list (SEMANTICS U6).

use std::sync::Arc;

use crate::flow::answer::cardinal;
use crate::flow::answer::clock::DayTime;
use crate::flow::answer::figures::{has_figures, has_same_numbers, has_words, holds, only_number};
use crate::flow::answer::listed::{held, is_joined, leading, number, unpadded, without_number};
use crate::flow::answer::near;
use crate::flow::answer::ordinal::{self, Ordinal};
use crate::flow::answer::punctuation::is_same_but_marks;
use crate::flow::lang::normal::{emoji_alone, emoji_of, key, key_with_emoji, normal};

/// The choices of a question.
#[derive(Clone, Debug)]
pub(crate) struct Choices {
    pub(crate) list: Box<[Choice]>,
    /// True if the message shows the place of each.
    pub(crate) are_numbered: bool,
    /// Number of choices that make an answer, if it may be several.
    pub(crate) several: Option<Several>,
    /// There if some are not known before they are offered (SEMANTICS N10).
    pub(crate) live: Option<Box<LiveChoices>>,
}

/// The known part of choices before they are offered, where some are made of data or have a label
/// that is rendered.
#[derive(Clone, Debug)]
pub(crate) struct LiveChoices {
    /// The question's setting for the places that the contact sees.
    pub(crate) numbered: Option<bool>,
    /// Labels and other words of those that are written out, by their place.
    pub(crate) words: Box<[KnownWords]>,
}

/// The words of a choice, as far as they are written out.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownWords {
    pub(crate) labels: Box<[Box<str>]>,
    pub(crate) synonyms: Box<[Box<str>]>,
}

/// The number of choices that make an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Several {
    pub(crate) least: usize,
    pub(crate) most: usize,
}

/// A choice of a question.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) id: Arc<str>,
    /// The id, the labels and other words for it, as a message is compared with them.
    words: Box<[Box<str>]>,
    /// The same without emoji and without the number of a list (`1. Pay`), where that differs.
    bare: Box<[Box<str>]>,
    /// Both without accents, where that differs.
    folded: Box<[Box<str>]>,
    /// Labels and other words for it, without its id, which nobody sees: what may be near a text.
    shown: Box<[Box<str>]>,
    /// Labels that were cut for their channel, up to the cut.
    cut: Box<[Box<str>]>,
    /// The emoji of its labels and other words.
    signs: Box<[Box<str>]>,
    /// The numbers that its id, labels and other words begin with.
    numbers: Box<[Box<str>]>,
    /// The numbers that its labels have anywhere.
    held: Box<[Box<str>]>,
}

impl Choices {
    /// The choices that were offered, each by its id and its labels; None if they are known without
    /// that. `shows_places`: the message did.
    pub(crate) fn offered<'o, L: Iterator<Item = &'o str>>(
        &'o self,
        offered: impl Iterator<Item = (&'o str, L)>,
        shows_places: bool,
    ) -> Option<Self> {
        let live = self.live.as_ref()?;
        let list = offered.map(|(id, own)| {
            let Some(place) = self.place_of(id) else { return Choice::of_data(id, own) };
            let words = live.words.get(place);
            let (labels, synonyms) =
                words.map_or((&[][..], &[][..]), |words| (&words.labels[..], &words.synonyms[..]));
            let labels = labels.iter().map(|label| &**label).chain(own);
            Choice::new(id, labels, synonyms.iter().map(|word| &**word))
        });
        let are_numbered = live.numbered.unwrap_or(shows_places);
        Some(Self { list: list.collect(), are_numbered, several: self.several, live: None })
    }

    /// The place of a choice that is written out.
    pub(crate) fn place_of(&self, id: &str) -> Option<usize> {
        self.list.iter().position(|choice| *choice.id == *id)
    }
}

impl Choice {
    /// A choice with its labels, and other words for it.
    pub(crate) fn new<'w>(
        id: &'w str,
        labels: impl IntoIterator<Item = &'w str>,
        synonyms: impl IntoIterator<Item = &'w str>,
    ) -> Self {
        let labels: Vec<&str> = labels.into_iter().collect();
        let all: Vec<&str> = std::iter::once(id).chain(labels.iter().copied()).chain(synonyms).collect();
        let words: Vec<Box<str>> = all.iter().map(|word| key_with_emoji(word).into()).collect();
        let forms = all.iter().flat_map(|word| [Some(key(word).into()), without_number(word)]);
        let bare: Box<[Box<str>]> = forms.flatten().filter(|form| !words.contains(form)).collect();
        let seen = all.iter().skip(1).flat_map(|word| [Some(key(word).into()), without_number(word)]);
        let shown = seen.flatten().collect();
        let accented = words.iter().chain(&bare).filter(|form| !form.is_ascii());
        let folded = accented.map(|form| near::folded(form).into()).collect();
        let cut = labels.iter().filter(|label| label.ends_with('…')).map(|label| key(label).into());
        let signs = all.iter().filter_map(|word| emoji_of(word).map(Box::from)).collect();
        let begins = |(at, word): (usize, &&str)| -> Option<Box<str>> {
            let form = normal(word);
            let number = leading(&form)?;
            // An id such as `2f8c` is a name, and begins with no number.
            let is_name =
                || form.find(number).and_then(|at| form.get(at + number.len()..)).is_some_and(is_joined);
            (at > 0 || !is_name()).then(|| unpadded(number).into())
        };
        let numbers = all.iter().enumerate().filter_map(begins).collect();
        let held = labels.iter().flat_map(|label| held(&normal(label)));
        Self {
            id: id.into(),
            numbers,
            held: held.collect(),
            words: words.into(),
            bare,
            folded,
            shown,
            cut: cut.collect(),
            signs,
        }
    }

    /// A choice made of data. Nobody sees its id: where that has digits alone it is none of the
    /// words that people write.
    fn of_data<'w>(id: &'w str, labels: impl Iterator<Item = &'w str>) -> Self {
        let labels: Vec<&str> = labels.collect();
        let mut choice = Self::new(id, labels.iter().copied(), []);
        let is_hidden = |form: &str| form.bytes().all(|b| b.is_ascii_digit());
        let number = |label: &&str| leading(&normal(label)).map(|number| unpadded(number).into());
        choice.numbers = labels.iter().filter_map(number).collect();
        if choice.words.first().is_some_and(|id| is_hidden(id)) {
            choice.words = choice.words.iter().skip(1).cloned().collect();
        }
        choice
    }

    /// Every text that means it, as it is compared; its number aside.
    pub(crate) fn keys(&self) -> impl Iterator<Item = String> {
        self.words.iter().map(|word| word.to_string())
    }

    /// True if one of its emoji is among these.
    fn is_signed(&self, emoji: &str) -> bool {
        self.signs.iter().any(|sign| emoji.contains(&**sign))
    }

    /// Those of them that are seen, without emoji.
    pub(super) fn shown(&self) -> impl Iterator<Item = &str> {
        self.shown.iter().map(|word| &**word)
    }

    /// The same, and without emoji and the number of a list.
    fn forms(&self) -> impl Iterator<Item = &str> {
        self.words.iter().chain(&self.bare).map(|word| &**word)
    }
}

/// The choice that was meant, by its place; none if there is no such, or more than one.
pub(super) fn find(choices: &Choices, payload: Option<&str>, text: &str) -> Option<usize> {
    match named(choices, payload, text) {
        NamedChoice::One(place) => Some(place),
        NamedChoice::Many => None,
        NamedChoice::None => almost(choices, &key(text)),
    }
}

/// The choice that a text names as it is written, or by a number.
pub(super) fn named(choices: &Choices, payload: Option<&str>, text: &str) -> NamedChoice {
    let list = &choices.list;
    let (said, bare) = (key_with_emoji(text), key(text));
    let without_accents = std::cell::OnceCell::new();
    let folded = || &**without_accents.get_or_init(|| near::folded(&bare));
    let tiers: [&dyn Fn(&Choice) -> bool; 5] = [
        &|choice| payload == Some(&*choice.id),
        &|choice| choice.words.first().is_some_and(|id| **id == *said),
        &|choice| is_one(&choice.words, &said),
        &|choice| is_one(&choice.words, &bare) || is_one(&choice.bare, &bare),
        &|choice| is_one(&choice.folded, folded()) || choice.forms().any(|form| form == folded()),
    ];
    for means in tiers {
        match only(list, means) {
            NamedChoice::None => {}
            found => return found,
        }
    }
    if let Some(sign) = emoji_alone(text) {
        return match only(list, &|choice| choice.signs.iter().any(|own| **own == *sign)) {
            // Five stars are not the one star of a label among others with more.
            NamedChoice::None => only(list, &|choice| {
                choice.signs.iter().any(|own| is_repeated(own, &sign) && !is_counted(list, own))
            }),
            found => found,
        };
    }
    let says_more = || emoji_of(text).is_some_and(|said| list.iter().any(|choice| choice.is_signed(&said)));
    let number = number(&said).or_else(|| number(&bare).filter(|_| !says_more()));
    match number {
        Some(number) => numbered(choices, number),
        None => ordinal::read(&bare).map_or(NamedChoice::None, |ordinal| ordered(choices, ordinal)),
    }
}

/// The choice that a word of an order means: by its label where one has that word, by its place
/// where places are seen; else where no label has a word of an order, by its place unless another
/// label begins with that number.
fn ordered(choices: &Choices, ordinal: Ordinal) -> NamedChoice {
    let list = &choices.list;
    let place = ordinal.place(list.len());
    let placed = |place: Option<usize>| place.map_or(NamedChoice::None, NamedChoice::One);
    let holds = |choice: &Choice, wanted| choice.forms().any(|label| ordinal::is_held(label, wanted));
    if list.iter().any(|choice| holds(choice, None)) {
        match only(list, &|choice| holds(choice, Some(ordinal))) {
            NamedChoice::None if choices.are_numbered => {}
            found => return found,
        }
    }
    if choices.are_numbered {
        return placed(place);
    }
    let number = ordinal.number();
    let is_anothers = |(at, choice): (usize, &Choice)| {
        Some(at) != place && number.as_ref().is_some_and(|number| is_one(&choice.numbers, number))
    };
    placed(place.filter(|_| !list.iter().enumerate().any(is_anothers)))
}

/// The choice that a number means: by its place where places are seen, by the number that it begins
/// with, by the one that its label has, by its place where no label has any.
fn numbered(choices: &Choices, number: &str) -> NamedChoice {
    let list = &choices.list;
    let place = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let place = place.filter(|place| *place < list.len());
    if let Some(place) = place.filter(|_| choices.are_numbered) {
        return NamedChoice::One(place);
    }
    match only(list, &|choice| is_one(&choice.numbers, number)) {
        NamedChoice::None => {}
        found => return found,
    }
    match only(list, &|choice| is_one(&choice.held, number)) {
        NamedChoice::One(place) => NamedChoice::One(place),
        NamedChoice::Many => NamedChoice::Many,
        NamedChoice::None => {
            let place = place.filter(|_| list.iter().all(|choice| choice.held.is_empty()));
            place.map_or(NamedChoice::None, NamedChoice::One)
        }
    }
}

/// The choice that a number in words means: by its label where one has such a word, else as the
/// number in figures.
fn worded(choices: &Choices, number: usize) -> Option<usize> {
    let list = &choices.list;
    if list.iter().any(|choice| choice.shown().any(cardinal::is_inside)) {
        return None;
    }
    let holds = |choice: &Choice, number| choice.shown().any(|label| cardinal::is_held(label, number));
    let found = match list.iter().any(|choice| holds(choice, None)) {
        true => only(list, &|choice| holds(choice, Some(number))),
        false => numbered(choices, &number.to_string()),
    };
    match found {
        NamedChoice::One(place) => Some(place),
        _ => None,
    }
}

/// The choice that a text comes near to, in its normal form, where it names none as it is written.
pub(super) fn almost(choices: &Choices, said: &str) -> Option<usize> {
    const MOST_BYTES: usize = 256;
    if said.len() > MOST_BYTES {
        return None;
    }
    let list = &choices.list;
    let one = |means: &dyn Fn(&str) -> bool| match only(list, &|choice| choice.shown().any(means)) {
        NamedChoice::One(place) => Some(place),
        _ => None,
    };
    let of_polite = || find(choices, None, &near::without_politeness(said)?);
    // `2. Green`: number and label mean the same.
    let both = || {
        let number = leading(said)?;
        let label = said.strip_prefix(number)?.trim_start_matches(['.', ')', ':', '-', ' ']);
        let is_label = label.chars().any(char::is_alphabetic);
        match (is_label.then(|| named(choices, None, label))?, numbered(choices, unpadded(number))) {
            (NamedChoice::One(place), NamedChoice::One(other)) => (place == other).then_some(place),
            _ => None,
        }
    };
    // `$500` is neither of `Less than $500` and `$500 - $1000`, and `18 years` neither of `Under 18
    // years` and `18-30 years`; `10 €` is `€10`.
    let is_alone = |place: &usize| {
        let is_bare = |choice: &Choice| choice.shown().any(|label| !label.contains(char::is_alphabetic));
        if list.get(*place).is_some_and(is_bare) {
            return true;
        }
        let number = only_number(said);
        let has_number =
            |label: &str| number.map_or_else(|| has_figures(label, said), |number| holds(label, number));
        let has = |label: &str| has_number(label) && has_words(label, said);
        !list.iter().enumerate().any(|(other, choice)| other != *place && choice.shown().any(has))
    };
    let of_hour = || {
        let clock = DayTime::said(said)?;
        let labels = || list.iter().flat_map(Choice::shown).filter_map(DayTime::of_label);
        one(&|label| DayTime::of_label(label).is_some_and(|label| clock.is_shown(said, label, labels())))
    };
    let of_letter = || find(choices, None, near::called_letter(said)?);
    let folded = near::folded(said);
    let is_cut = |choice: &Choice| choice.cut.iter().any(|begin| said.starts_with(&**begin));
    if let NamedChoice::One(place) = only(list, &is_cut) {
        return Some(place);
    }
    one(&|label| near::lettered(label).is_some_and(|(letter, text)| letter == said || text == said))
        .or_else(|| one(&|label| near::last_letter(label) == Some(said)))
        .or_else(|| one(&|label| near::is_heading(&near::folded(label), &folded)))
        .or_else(|| one(&|label| is_same_but_marks(&near::folded(label), &folded)))
        .or_else(both)
        .or_else(of_hour)
        .or_else(|| one(&|label| has_same_numbers(label, said)).filter(is_alone))
        .or_else(of_letter)
        .or_else(|| worded(choices, cardinal::read(said)?))
        .or_else(|| find(choices, None, near::undoubled(said)?))
        .or_else(of_polite)
}

fn is_one(words: &[Box<str>], said: &str) -> bool {
    words.iter().any(|word| **word == *said)
}

/// True if a text is a sign, once or more often.
fn is_repeated(sign: &str, text: &str) -> bool {
    text.len().is_multiple_of(sign.len()) && text.replace(sign, "").is_empty()
}

/// True if labels tell their choices apart by how often they have a sign.
fn is_counted(list: &[Choice], sign: &str) -> bool {
    list.iter().flat_map(|choice| &choice.signs).any(|own| **own != *sign && is_repeated(sign, own))
}

/// The choices that a test holds for: none, one or many.
pub(super) enum NamedChoice {
    None,
    One(usize),
    Many,
}

fn only(list: &[Choice], means: &dyn Fn(&Choice) -> bool) -> NamedChoice {
    let mut meant = list.iter().enumerate().filter(|(_, choice)| means(choice)).map(|(place, _)| place);
    match (meant.next(), meant.next()) {
        (Some(place), None) => NamedChoice::One(place),
        (Some(_), Some(_)) => NamedChoice::Many,
        (None, _) => NamedChoice::None,
    }
}

#[cfg(test)]
mod tests;
