//! Dates with the name of their month, in any order that leaves no doubt: `7 de mayo de 2026`, `May
//! 7th, 2026`, `2026年5月7日` (SEMANTICS U13).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use chrono::{Datelike, NaiveDate};

use super::{LanguageNames, Named, plain};
use crate::flow::lang::normal::{is_combining, is_unspaced};
use crate::gather::{Arrange, Gather};

/// The years that are meant where they are not written in full.
#[derive(Clone, Copy, Default)]
pub(crate) struct Years<'a> {
    /// That of two digits at the end; they are none if it is absent.
    pub(crate) short: Option<&'a dyn Fn(i32) -> i32>,
    /// Today, where a day without a year is the next one; it is none if absent.
    pub(crate) today: Option<NaiveDate>,
}

/// The names of months and weekdays in some languages, ready to be found.
pub(crate) struct CalendarNames {
    /// By language, the longest name first.
    tongues: Vec<Vec<(String, Named)>>,
}

impl CalendarNames {
    pub(crate) fn of<'a>(tags: impl Iterator<Item = &'a str>) -> Self {
        let tongue = |tag| {
            let mut names: Vec<(String, Named)> =
                LanguageNames::kin_of(tag).flat_map(LanguageNames::all).collect();
            names.extend(beginnings(&names));
            names.arrange_by_key(|(name, _)| Reverse(name.len()));
            names
        };
        Self { tongues: tags.map(tongue).collect() }
    }

    /// Reads a date with the name of its month.
    pub(crate) fn read(&self, text: &str, years: &Years<'_>) -> Option<NaiveDate> {
        let text = with_first(unpadded(&plain(text)));
        let NamedDate { month, weekday, rest } =
            self.tongues.iter().find_map(|names| names_in(&text, names))?;
        let (mut numbers, mut words) = (Vec::new(), rest.as_str());
        while let Some(start) = words.find(|c: char| c.is_ascii_digit()) {
            let tail = words.get(start..)?;
            let length = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
            numbers.push(tail.get(..length)?);
            words = tail.get(length..)?;
        }
        if !rest.split(|c: char| !c.is_alphabetic()).all(is_filler) {
            return None;
        }
        let number = |text: &str| text.parse::<u32>().ok().filter(|_| text.len() <= 2);
        let year = |text: &str| text.parse::<i32>().ok().filter(|_| text.len() == 4);
        // Who names another weekday has one of the two in mind.
        let is_its =
            |date: &NaiveDate| weekday.is_none_or(|day| date.weekday().num_days_from_monday() == day);
        let (year, day) = match (&numbers[..], years.short) {
            ([a, b], _) if a.len() == 4 => (year(a)?, number(b)?),
            ([a, b], _) if b.len() == 4 => (year(b)?, number(a)?),
            ([a, b], Some(whole)) => (whole(i32::try_from(number(b)?).ok()?), number(a)?),
            ([a], _) => return next(years.today?, month, number(a)?).filter(is_its),
            _ => return None,
        };
        let year = if text.chars().any(is_thai) { common_year(year) } else { year };
        NaiveDate::from_ymd_opt(year, month, day).filter(is_its)
    }

    /// The weekday that a text names and says no more, from Monday as 0 on: `Friday`, `am Freitag`.
    pub(crate) fn weekday(&self, text: &str) -> Option<u32> {
        let text = plain(text);
        let mut named = self.tongues.iter().flatten().filter_map(|(name, meaning)| {
            let Named::Weekday(day) = meaning else { return None };
            let place = place_of(name, &text).filter(|place| is_clear_weekday(name, place, &text))?;
            says_no_more(&without(&text, place)).then_some(*day)
        });
        let day = named.next()?;
        named.all(|other| other == day).then_some(day)
    }

    /// True if words beside a date in figures say no more than its weekday: `Do`, `(木)`, `am`.
    pub(crate) fn are_beside(&self, words: &str, date: NaiveDate) -> bool {
        let text = plain(words);
        let is_its = |(name, meaning): &&(String, Named)| {
            matches!(meaning, Named::Weekday(day) if date.weekday().num_days_from_monday() == *day)
                && place_of(name, &text).is_some_and(|place| says_no_more(&without(&text, place)))
        };
        says_no_more(&text) || self.tongues.iter().flatten().any(|name| is_its(&name))
    }

    /// The dates in a text that name their month, each with its place.
    pub(crate) fn find(&self, text: &str) -> Vec<(Range<usize>, NaiveDate)> {
        /// Names of months that are looked at.
        const MOST: usize = 64;
        let words = words(text);
        let months: BTreeSet<&str> = self.tongues.iter().flatten().filter_map(first_word).gather();
        let is_month = |word: &Range<usize>| {
            let word = plain(text.get(word.clone()).unwrap_or_default());
            months.contains(&*word) || word.strip_prefix('ב').is_some_and(|word| months.contains(word))
        };
        let mut found: Vec<(Range<usize>, NaiveDate)> = Vec::new();
        let named = words.iter().enumerate().filter(|(_, word)| is_month(word) || is_joined(text, word));
        for (place, _) in named.take(MOST) {
            let Some((range, date)) = self.around(text, &words, place) else { continue };
            if found.last().is_none_or(|(last, _)| last.end <= range.start) {
                found.push((range, date));
            }
        }
        found
    }

    /// The date between the first digit and the last of a word that is a sentence without blanks.
    fn inside(&self, text: &str, word: Range<usize>) -> Option<(Range<usize>, NaiveDate)> {
        let written = text.get(word.clone())?;
        if !written.chars().any(is_unspaced) {
            return None;
        }
        let is_digit = |c: char| c.is_ascii_digit() || crate::digits::digit(c).is_some();
        let (start, last) = (written.find(is_digit)?, written.rfind(is_digit)?);
        let length = written.get(last..)?.chars().next()?.len_utf8();
        let range = word.start + start..word.start + last + length;
        Some((range.clone(), self.read(text.get(range)?, &Years::default())?))
    }

    /// The shortest date that has the word at a place in it.
    fn around(&self, text: &str, words: &[Range<usize>], place: usize) -> Option<(Range<usize>, NaiveDate)> {
        const REACH: usize = 3;
        let last = words.len().min(place + REACH + 1);
        let mut windows: Vec<(usize, usize)> = (place.saturating_sub(REACH)..=place)
            .flat_map(|first| (place..last).map(move |end| (first, end)))
            .collect();
        windows.arrange_by_key(|(first, end)| (end - first, *first));
        windows.into_iter().find_map(|(first, end)| {
            let is_end = |at: usize| {
                at == place || words.get(at).and_then(|word| text.get(word.clone())).is_some_and(has_digit)
            };
            if !is_end(first) || !is_end(end) {
                return None;
            }
            let range = words.get(first)?.start..words.get(end)?.end;
            let (range, date) = match self.inside(text, range.clone()) {
                Some(inside) => inside,
                None => (range.clone(), self.read(text.get(range)?, &Years::default())?),
            };
            (1_000..=9_999).contains(&date.year()).then_some((range, date))
        })
    }
}

/// The beginnings of names of months, of three letters and more, that are those of one month and no
/// name themselves: `фев`, `сен`.
fn beginnings(names: &[(String, Named)]) -> Vec<(String, Named)> {
    const LEAST: usize = 3;
    let mut meant: BTreeMap<&str, Option<u32>> = BTreeMap::new();
    for (name, meaning) in names {
        let Named::Month(month) = meaning else { continue };
        let has_letters = |begin: &&str| begin.chars().all(|c| c.is_alphabetic() && !is_unspaced(c));
        let ends = name.char_indices().map(|(place, _)| place).skip(LEAST);
        for begin in ends.filter_map(|end| name.get(..end)).filter(has_letters) {
            let known = meant.entry(begin).or_insert(Some(*month));
            *known = known.filter(|known| known == month);
        }
    }
    let is_name = |begin: &str| names.iter().any(|(name, _)| name == begin);
    let found = meant.into_iter().filter(|(begin, _)| !is_name(begin));
    found.filter_map(|(begin, month)| Some((begin.to_owned(), Named::Month(month?)))).collect()
}

fn first_word((name, meaning): &(String, Named)) -> Option<&str> {
    let is_month = matches!(meaning, Named::Month(_)) && !name.starts_with(|c: char| c.is_ascii_digit());
    name.split(' ').next().filter(|_| is_month)
}

/// The words of a text without the punctuation at their ends.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut start = 0;
    let mut words = Vec::new();
    for word in text.split_whitespace() {
        let Some(place) = text.get(start..).and_then(|rest| rest.find(word)) else { break };
        let from = start + place;
        start = from + word.len();
        let inner = word.trim_start_matches(['(', '"', '\'', '«', '“', '„', '¿', '¡']);
        let from = from + word.len() - inner.len();
        let inner =
            inner.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '"', '\'', '»', '”', '。', '、', '।']);
        if !inner.is_empty() {
            words.push(from..from + inner.len());
        }
    }
    words
}

/// True if a word has digits and letters in it: `7-may-2026`, `2026年5月7日`.
fn is_joined(text: &str, word: &Range<usize>) -> bool {
    let word = text.get(word.clone()).unwrap_or_default();
    word.len() <= 64 && has_digit(word) && word.chars().any(char::is_alphabetic)
}

fn has_digit(text: &str) -> bool {
    text.chars().any(|c| c.is_ascii_digit() || crate::digits::digit(c).is_some())
}

/// A text whose numbers of two digits begin with no zero: `5月` for `05月`.
fn unpadded(text: &str) -> String {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let count = digits(rest);
        let (number, after) = rest.split_at(count.max(first.len_utf8()));
        plain.push_str(if count == 2 { number.strip_prefix('0').unwrap_or(number) } else { number });
        rest = after;
    }
    plain
}

/// The names in a text.
struct NamedDate {
    month: u32,
    /// The weekday, from Monday as 0 on, where the text has one that is no other's name.
    weekday: Option<u32>,
    /// The text without them.
    rest: String,
}

/// The month and the weekday that a text names in a language.
fn names_in(text: &str, names: &[(String, Named)]) -> Option<NamedDate> {
    let (mut rest, mut month, mut weekday) = (text.to_owned(), None, None);
    for (name, meaning) in names {
        let Some(place) = place_of(name, &rest) else { continue };
        match meaning {
            Named::Month(_) if month.is_some() => continue,
            Named::Month(number) => month = Some(*number),
            Named::Weekday(day) => {
                let is_others = |(other, meaning): &(String, Named)| {
                    other == name && matches!(meaning, Named::Weekday(other) if other != day)
                };
                let is_clear = is_clear_weekday(name, &place, &rest) && !names.iter().any(is_others);
                weekday = weekday.or(Some(*day).filter(|_| is_clear));
            }
        }
        rest.replace_range(place, " ");
    }
    month.map(|month| NamedDate { month, weekday, rest })
}

/// True if a name of a weekday is one where it is written. A letter or two say too little; `日` is
/// one in `(日)`, and none in `7日`.
fn is_clear_weekday(name: &str, place: &Range<usize>, text: &str) -> bool {
    let is_wide = |c: char| matches!(c, '\u{3040}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}');
    match name.chars().count() {
        1 if name.chars().all(is_wide) => {
            let before = text.get(..place.start).and_then(|text| text.trim_end().chars().next_back());
            let after = text.get(place.end..).and_then(|text| text.trim_start().chars().next());
            ![before, after].into_iter().flatten().any(char::is_alphanumeric)
        }
        1 => false,
        2 => name.chars().all(is_wide),
        _ => true,
    }
}

/// The place of a name as a whole word, or as a whole number with its sign.
fn place_of(name: &str, text: &str) -> Option<Range<usize>> {
    let goes_on = |edge: Option<char>, beside: Option<char>| match (edge, beside) {
        (Some(edge), Some(beside)) if edge.is_ascii_digit() => beside.is_ascii_digit(),
        (Some(edge), Some(beside)) => {
            edge.is_alphabetic() && beside.is_alphabetic() && beside != 'ב' && !is_unspaced(edge)
        }
        _ => false,
    };
    text.match_indices(name).map(|(start, _)| start..start + name.len()).find(|place| {
        let before = text.get(..place.start).and_then(|text| text.chars().next_back());
        let after = text.get(place.end..).and_then(|text| text.chars().next());
        !goes_on(name.chars().next(), before) && !goes_on(name.chars().next_back(), after)
    })
}

/// The next day of a month, today or later, that this year or the next one has.
fn next(today: NaiveDate, month: u32, day: u32) -> Option<NaiveDate> {
    let years = [today.year(), today.year() + 1].into_iter();
    years.filter_map(|year| NaiveDate::from_ymd_opt(year, month, day)).find(|date| *date >= today)
}

fn without(text: &str, place: Range<usize>) -> String {
    let mut rest = text.to_owned();
    rest.replace_range(place, " ");
    rest
}

fn says_no_more(rest: &str) -> bool {
    let is_said = |word: &str| word.is_empty() || BESIDE.contains(&word);
    rest.split(|c: char| !is_letter(c)).all(is_said) && !has_digit(rest)
}

/// Words beside a date in figures that say nothing.
const BESIDE: [&str; 35] = [
    "am",
    "den",
    "der",
    "dem",
    "le",
    "el",
    "em",
    "dia",
    "il",
    "on",
    "op",
    "pa",
    "la",
    "на",
    "в",
    "во",
    "у",
    "w",
    "we",
    "dne",
    "hari",
    "tanggal",
    "ngay",
    "วันที",
    "ที",
    "的",
    "v",
    "ve",
    "this",
    "ce",
    "este",
    "esta",
    "diesen",
    "questo",
    "يوم",
];

/// A text with a figure for the word that the first of a month has in some languages.
fn with_first(text: String) -> String {
    const FIRST: [&str; 6] = ["primero", "primeiro", "premier", "primo", "intai", "first"];
    match FIRST.iter().find_map(|word| place_of(word, &text)) {
        Some(place) => format!(
            "{}1{}",
            text.get(..place.start).unwrap_or_default(),
            text.get(place.end..).unwrap_or_default()
        ),
        None => text,
    }
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() || is_combining(c)
}

fn is_thai(c: char) -> bool {
    matches!(c, '\u{e01}'..='\u{e4e}')
}

/// A year as Thai count them, since 543 before the others: 2569 is 2026.
pub(crate) fn common_year(year: i32) -> i32 {
    if (2_400..=2_700).contains(&year) { year - THAI_OFFSET } else { year }
}

/// The years by which Thai count more.
pub(crate) const THAI_OFFSET: i32 = 543;

/// True if a word says nothing in a date: `de`, `of`, `th`, `года`, `日`.
fn is_filler(word: &str) -> bool {
    const LONG: &[&str] = &[
        "года",
        "году",
        "року",
        "roku",
        "gada",
        "ngay",
        "year",
        "anno",
        "godine",
        "өдөр",
        "tarehe",
        "tanggal",
        "วันที",
        "mung",
        "mong",
        "ងៃទី",
        "hari",
        "жылғы",
    ];
    // `not 7 May 2026` is any other day.
    const NOT: [&str; 8] = ["not", "no", "non", "nie", "не", "nao", "nej", "nei"];
    (word.chars().count() <= 3 && !NOT.contains(&word)) || LONG.contains(&word)
}
