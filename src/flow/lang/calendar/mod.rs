//! The names of months and weekdays, and the words for nearby days, in some eighty languages:
//! `names.txt`, which `scripts/cldr-names` makes of the Unicode CLDR (SEMANTICS U13). Each line is
//! a language: its tag, months within a date, months alone, both abbreviated, weekdays, weekdays
//! abbreviated, and from two days ago to in two days.

mod dated;

use std::fmt::{self, Write};

use chrono::format::{Fixed, Item, Numeric, StrftimeItems};
use chrono::{DateTime, Datelike, FixedOffset};

pub(crate) use dated::{CalendarNames, common_year};

use crate::flow::lang::language::lookup;
use crate::flow::lang::normal::{key, without_accents};

const TABLE: &str = include_str!("names.txt");

/// The names of one language.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LanguageNames {
    row: &'static str,
}

/// The meaning of a name in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// A month, from 1 on.
    Month(u32),
    /// A weekday, which says nothing that the date does not.
    Weekday,
}

const MONTHS: [usize; 4] = [1, 2, 3, 4];
const WEEKDAYS: [usize; 2] = [5, 6];
const NEARBY: usize = 7;

impl LanguageNames {
    /// Those of a language, or of the one that its readers are best served with.
    pub(crate) fn of(tag: &str) -> Option<Self> {
        let place = lookup(tag, TABLE.lines().filter_map(|row| row.split('\t').next()))?;
        TABLE.lines().nth(place).map(|row| Self { row })
    }

    /// Those of a language in all its regions, since people move.
    pub(crate) fn kin_of(tag: &str) -> impl Iterator<Item = Self> {
        let own = Self::of(tag).map(|names| names.primary());
        TABLE.lines().map(|row| Self { row }).filter(move |names| own == Some(names.primary()))
    }

    fn primary(self) -> &'static str {
        self.row.split(['\t', '-']).next().unwrap_or_default()
    }

    fn list(self, place: usize) -> impl Iterator<Item = &'static str> {
        self.row.split('\t').nth(place).unwrap_or_default().split('|')
    }

    fn name(self, list: usize, place: u32) -> &'static str {
        self.list(list).nth(place as usize).unwrap_or_default()
    }

    /// Writes a time in a format of `strftime`, with names in this language. A month beside a day
    /// has the form that it takes in a date.
    pub(crate) fn write(self, at: DateTime<FixedOffset>, format: &str, out: &mut dyn Write) -> fmt::Result {
        let has_day = StrftimeItems::new(format).any(|item| matches!(item, Item::Numeric(Numeric::Day, _)));
        let (month, weekday) = (at.month0(), at.weekday().num_days_from_monday());
        for item in StrftimeItems::new(format) {
            match item {
                Item::Fixed(Fixed::LongMonthName) => {
                    out.write_str(self.name(if has_day { 1 } else { 2 }, month))
                }
                Item::Fixed(Fixed::ShortMonthName) => {
                    out.write_str(self.name(if has_day { 3 } else { 4 }, month))
                }
                Item::Fixed(Fixed::LongWeekdayName) => out.write_str(self.name(5, weekday)),
                Item::Fixed(Fixed::ShortWeekdayName) => out.write_str(self.name(6, weekday)),
                item => write!(out, "{}", at.format_with_items(std::iter::once(item))),
            }?;
        }
        Ok(())
    }

    /// The names of months and weekdays in a text of the form of [`plain`], each with its
    /// place; the longest first.
    pub(crate) fn all(self) -> impl Iterator<Item = (String, Named)> {
        let months = MONTHS.into_iter().flat_map(move |list| (1..).zip(self.list(list)));
        let months = months.map(|(month, name)| (plain(name), Named::Month(month)));
        let weekdays = WEEKDAYS.into_iter().flat_map(move |list| self.list(list));
        let names = months.chain(weekdays.map(|name| (plain(name), Named::Weekday)));
        names.filter(|(name, _)| !name.is_empty()).chain(self.further())
    }

    /// Further forms that names of months have in a date: their cases, and the spelling of a
    /// keyboard without `ä`.
    fn further(self) -> Vec<(String, Named)> {
        let with = |ends: &'static [&'static str]| {
            let months = (1..).zip(self.list(MONTHS[0]));
            let forms = months
                .flat_map(move |(month, name)| ends.iter().map(move |end| (month, format!("{name}{end}"))));
            forms.map(|(month, name)| (plain(&name), Named::Month(month))).collect()
        };
        match self.primary() {
            "de" => vec![("maerz".to_owned(), Named::Month(3))],
            "eu" => with(&["k", "ren", "n", "ko"]),
            "sr" | "bs" => with(&["a", "а"]),
            "mn" => {
                let forms = ["-р сар", "-р сарын", " сарын", " дугаар сарын", " дүгээр сарын"];
                let counted = (1..=12)
                    .flat_map(|month| forms.map(|form| (format!("{month}{form}"), Named::Month(month))));
                let named: Vec<_> = with(&["ын"]);
                counted.chain(named).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The days from today that a text names: -1 for `yesterday`.
    pub(crate) fn nearby(self, text: &str) -> Option<i64> {
        let text = plain(text);
        (-2..)
            .zip(self.list(NEARBY))
            .find(|(_, word)| !word.is_empty() && plain(word) == text)
            .map(|(day, _)| day)
    }
}

/// A text for names to be found in: without case, accents, and dots of abbreviations.
fn plain(text: &str) -> String {
    without_accents(&key(text)).replace(['.', '\'', '’', '׳'], "")
}
