//! Answers: what counts as one, and what it is once it is understood. One file per kind of value
//! (SEMANTICS N4). Pure, total, and in time that grows with the text. What must not live here: what
//! an author writes, and what a flow does with an answer.

mod cardinal;
mod choice;
mod clock;
mod conjunctions;
mod date;
mod figures;
mod listed;
mod near;
mod numeral;
mod ordinal;
mod punctuation;
mod reply;
mod several;
mod speech;
mod web;

use std::borrow::Cow;
use std::sync::Arc;

use rust_decimal::Decimal as Amount;
use serde_json::Value;

pub(crate) use choice::{Choice, Choices, KnownWords, LiveChoices, Several};
pub(crate) use date::{Dates, check_format};
pub(crate) use listed::shows_places;
pub(crate) use near::{is_politeness, may_be_polite, without_politeness};
pub use reply::ReplyKind;
pub(crate) use speech::Speech;

use crate::address::{Home, Phone, read_phone};
use crate::digits::plain;
use crate::flow::lang::normal::word::has_word;
use crate::flow::lang::normal::{key, without_emoji};
use crate::flow::lang::number::{self, Decimal, Marks};
use crate::flow::lang::operator::Operator;
use crate::flow::lang::pattern::Pattern;
use crate::flow::lang::region::HomeRegion;
use crate::flow::lang::template::Template;
use crate::flow::lang::zone::Zone;
use crate::flow::recognize::PhoneFinder;
use crate::grapheme;

/// The kind of answer that a question expects.
#[derive(Clone, Debug)]
pub(crate) enum Expect {
    /// A text of so many characters, both included, that matches a pattern.
    Text { least: usize, most: usize, pattern: Option<Pattern> },
    /// A number.
    Number { whole: bool, decimal: Option<Decimal>, has_unit: bool, bounds: Bounds },
    /// A telephone number with its country, or one of this region.
    Phone(Option<HomeRegion>),
    /// An e-mail address.
    Email,
    /// A date.
    Date { dates: Box<Dates>, bounds: Bounds },
    /// An address on the web.
    Url,
    /// A medium of one of these types; of any if there is none.
    Media { types: Box<[Box<str>]> },
    /// A place.
    Location,
    /// One of several.
    Choice(Choices),
}

/// The ends of what is allowed, both included.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bounds {
    pub(crate) min: Option<Template>,
    pub(crate) max: Option<Template>,
}

/// A contact's words, as far as they count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawReply<'a> {
    pub(crate) kind: ReplyKind,
    pub(crate) text: &'a str,
    /// The id of a choice, or another payload.
    pub(crate) payload: Option<&'a str>,
    /// The type of a medium, as the host names it: `image/png`.
    pub(crate) mime: Option<&'a str>,
    /// Where a telephone number without a calling code is at home.
    pub(crate) home: Option<Home>,
}

/// The meaning of what was said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ReplyMeaning {
    /// This value.
    Value(Value),
    /// The choice at this place, with this id.
    Choice { place: usize, id: Arc<str> },
    /// The choices with these ids, as they were named.
    Several(Vec<Arc<str>>),
    /// The medium.
    Medium,
    /// The place.
    Place,
}

impl Expect {
    /// Understands what was said; none if it is no such thing. [`within`](Self::within) says
    /// whether it is in bounds.
    pub(crate) fn understand(&self, said: RawReply<'_>, cx: &Speech<'_>) -> Option<ReplyMeaning> {
        match self {
            Self::Media { types } => {
                let fits = types.is_empty() || said.mime.is_some_and(|mime| is_of(types, mime));
                return (said.kind == ReplyKind::Media && fits).then_some(ReplyMeaning::Medium);
            }
            Self::Location => return (said.kind == ReplyKind::Location).then_some(ReplyMeaning::Place),
            _ if !matches!(said.kind, ReplyKind::Text | ReplyKind::Choice) => return None,
            Self::Choice(choices) => return choices.understand(said, cx.language()),
            _ => {}
        }
        let text = said.text.trim();
        self.value(text, said.home, cx)
            .or_else(|| self.polite_value(text, said.home, cx))
            .map(ReplyMeaning::Value)
    }

    /// The value that a text is, of the kinds that are saved as they are read.
    fn value(&self, text: &str, home: Option<Home>, cx: &Speech<'_>) -> Option<Value> {
        match self {
            Self::Text { least, most, pattern } => {
                let length = grapheme::count(text);
                let fits = length > 0 && (*least..=*most).contains(&length);
                (fits && pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))).then(|| text.into())
            }
            Self::Number { whole, decimal, has_unit, .. } => {
                let marks = decimal.map_or_else(|| cx.marks(), Marks::Fixed);
                let read = |text| spoken_number(text, marks, *has_unit, cx);
                let number = read(text).or_else(|| read(numeral::introduced(text)?));
                let number =
                    number.filter(|number| if *whole { is_whole(*number) } else { is_exact(*number) });
                number.map(|number| Value::Number(number::json_number(number)))
            }
            Self::Phone(_) => phone(text, home).map(|phone| phone.to_string().into()),
            Self::Email => web::email(text).map(Value::String),
            Self::Date { dates, .. } => date::read(text, dates, cx).map(|date| date.to_string().into()),
            Self::Url => web::url(text).map(Value::String),
            Self::Media { .. } | Self::Location | Self::Choice(_) => None,
        }
    }

    /// The same of a text with politeness around it, which is a part of a text alone.
    #[cold]
    fn polite_value(&self, text: &str, home: Option<Home>, cx: &Speech<'_>) -> Option<Value> {
        if matches!(self, Self::Text { .. }) {
            return None;
        }
        self.value(near::within_politeness(text)?, home, cx)
    }

    /// Returns the choices of the question.
    pub(crate) fn choices(&self) -> Option<&Choices> {
        if let Self::Choice(choices) = self { Some(choices) } else { None }
    }

    /// The ends of what is allowed, if the kind of answer has such.
    pub(crate) fn bounds(&self) -> Option<&Bounds> {
        match self {
            Self::Number { bounds, .. } | Self::Date { bounds, .. } => Some(bounds),
            _ => None,
        }
    }

    /// True if a value lies between these ends, of which a number is given as JSON writes it, and a
    /// time may be given for a date: its day in the zone. An end that is no number, or no date,
    /// allows everything.
    pub(crate) fn within(&self, value: &Value, min: Option<&str>, max: Option<&str>, zone: Zone) -> bool {
        let value = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let holds = |operator: Operator, end: &str| match self {
            Self::Date { .. } => operator.compare(&value, end, || zone),
            _ => operator.compare_numbers(json_amount(&value), json_amount(end)),
        };
        let (below, above) = match self {
            Self::Date { .. } => (Operator::DateBefore, Operator::DateAfter),
            _ => (Operator::NumberLess, Operator::NumberGreater),
        };
        min.is_none_or(|min| holds(below, min) != Some(true))
            && max.is_none_or(|max| holds(above, max) != Some(true))
    }

    /// True if a text can be an end of what is allowed.
    pub(crate) fn is_bound(&self, text: &str) -> bool {
        match self {
            Self::Date { .. } => Operator::DateEquals.compare(text, text, || Zone::UTC).is_some(),
            _ => json_amount(text).is_some(),
        }
    }
}

/// A number in digits, or one in words.
fn spoken_number(text: &str, marks: Marks, has_unit: bool, cx: &Speech<'_>) -> Option<Amount> {
    let in_digits = match has_unit {
        true => number::read_amount(text, marks, cx.language()),
        false => number::read(text, marks),
    };
    let in_words = || {
        let (number, rest) = numeral::read(text, cx.tags())?;
        let is_all = rest.is_empty() || (has_unit && number::is_unit_behind(rest, cx.language()));
        is_all.then(|| Amount::from(number))
    };
    in_digits.or_else(in_words)
}

/// A number as JSON writes it.
fn json_amount(text: &str) -> Option<Amount> {
    number::read(text, Marks::Fixed(Decimal::Point)).or_else(|| number::parse_programmed(text))
}

/// False for a whole number of more than 64 bits, which would be saved as another one.
fn is_exact(number: Amount) -> bool {
    !number.is_integer() || is_whole(number) || u64::try_from(number).is_ok()
}

/// A whole number of 64 bits.
fn is_whole(number: Amount) -> bool {
    number.is_integer() && i64::try_from(number).is_ok()
}

/// A telephone number, or the one in a few words (SEMANTICS A1).
fn phone(text: &str, home: Option<Home>) -> Option<Phone> {
    const MOST: usize = 128;
    if text.len() > MOST {
        return None;
    }
    let text = without_emoji(text).map_or(Cow::Borrowed(text), Cow::Owned);
    let scheme =
        ["whatsapp:", "sms:", "wa.me/", "https://wa.me/"].iter().find_map(|scheme| text.strip_prefix(scheme));
    let phone = match scheme {
        Some(number) if number.starts_with('+') => read_phone(&plain(number), home),
        Some(number) => read_phone(&plain(&format!("+{number}")), home),
        None => read_phone(&plain(&text), home),
    };
    phone.or_else(|| {
        let has_words = text.contains(char::is_alphabetic);
        has_words.then(|| PhoneFinder::at_home(home).only(&text)).flatten()
    })
}

impl Choices {
    /// Returns what was chosen: one, or as many as the question asks for. `language`: the one that
    /// is spoken.
    pub(crate) fn understand(&self, said: RawReply<'_>, language: Option<&str>) -> Option<ReplyMeaning> {
        if !matches!(said.kind, ReplyKind::Text | ReplyKind::Choice) {
            return None;
        }
        let id = |place: usize| self.list.get(place).map(|choice| choice.id.clone());
        let Some(several) = self.several else {
            let place = choice::find(self, said.payload, said.text)?;
            return Some(ReplyMeaning::Choice { place, id: id(place)? });
        };
        let places = several::find_several(self, said.payload, said.text, language)?;
        let fits = (several.least..=several.most).contains(&places.len());
        fits.then(|| places.into_iter().filter_map(id).collect()).map(ReplyMeaning::Several)
    }

    /// True if a text is a whole word of a label, or of another word for a choice.
    pub(crate) fn mention(&self, text: &str) -> bool {
        let word = key(text);
        self.list.iter().any(|choice| choice.shown().any(|label| has_word(label, [&*word])))
    }

    /// True if a text names one of them.
    pub(crate) fn has(&self, text: &str) -> bool {
        match self.several {
            None => choice::find(self, None, text).is_some(),
            Some(_) => several::find_several(self, None, text, None).is_some(),
        }
    }
}

/// True if a medium is of one of these types: `image/png`, or `image` for all of them.
fn is_of(types: &[Box<str>], mime: &str) -> bool {
    let mime = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let family = mime.split('/').next().unwrap_or_default();
    types.iter().any(|wanted| **wanted == *mime || **wanted == *family)
}

#[cfg(test)]
mod tests;
