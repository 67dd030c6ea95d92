//! Addresses of mail and of the web, telephone numbers, numbers and dates in a text. What one of
//! them takes no other does, in this order: addresses, dates, telephone numbers, numbers.

use std::ops::Range;

use chrono::NaiveDate;
use linkify::{LinkFinder, LinkKind};
use serde_json::{Value, json};

use crate::digits;
use crate::flow::form::read::words;
use crate::flow::lang::calendar::CalendarNames;
use crate::flow::lang::number::{self, Marks};
use crate::flow::recognize::PhoneFinder;

words! {
    /// A kind of thing that a text can hold.
    EntityType {
        /// An e-mail address.
        Email = "email",
        /// A web address, with its scheme.
        Url = "url",
        /// A telephone number; its value is E.164.
        Phone = "phone",
        /// A number.
        Number = "number",
        /// A date; its value is such as `2026-05-07`.
        Date = "date",
    }
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entity {
    pub(crate) kind: EntityType,
    value: Value,
    place: Range<usize>,
}

/// Things that are found in one text; what comes after them is left out.
const MOST: usize = 64;

impl Entity {
    fn new(kind: EntityType, value: impl Into<Value>, place: Range<usize>) -> Self {
        Self { kind, value: value.into(), place }
    }

    /// Returns the value that a flow reads.
    fn to_json(&self, text: &str) -> Value {
        let written = text.get(self.place.clone()).unwrap_or_default();
        let start = text.get(..self.place.start).unwrap_or_default().chars().count();
        json!({"type": self.kind.as_str(), "value": self.value, "text": written, "start": start})
    }
}

/// Returns the entities of these kinds in a text, in their order, at most 64 of them. Without a
/// search for telephone numbers the kinds are to be others than those and numbers.
pub(crate) fn entities(
    text: &str,
    kinds: &[EntityType],
    phones: Option<PhoneFinder>,
    marks: Marks,
    calendar: &dyn Fn() -> CalendarNames,
) -> Vec<Value> {
    let mut found = Vec::new();
    add(&mut found, text, links);
    if text.contains(char::is_alphabetic) && text.contains(is_digit) {
        let calendar = calendar();
        add(&mut found, text, |text| {
            let dates = calendar.find(text).into_iter();
            dates.map(|(place, date)| Entity::new(EntityType::Date, date.to_string(), place)).collect()
        });
    }
    add(&mut found, text, dates);
    if let Some(finder) = phones {
        add(&mut found, text, |text| {
            let phones = finder.all(text).into_iter();
            phones.map(|(place, number)| Entity::new(EntityType::Phone, number.e164(), place)).collect()
        });
        add(&mut found, text, |text| numbers(text, marks));
    }
    let wanted = found.iter().filter(|entity| kinds.is_empty() || kinds.contains(&entity.kind));
    wanted.take(MOST).map(|entity| entity.to_json(text)).collect()
}

/// Looks for more in what nothing has been found in yet.
fn add(found: &mut Vec<Entity>, text: &str, look: impl Fn(&str) -> Vec<Entity>) {
    let mut more = Vec::new();
    let mut from = 0;
    let taken = found.iter().map(|entity| entity.place.clone());
    for place in taken.chain(std::iter::once(text.len()..text.len())) {
        let part = text.get(from..place.start).unwrap_or_default();
        more.extend(look(part).into_iter().map(|entity| {
            let place = from + entity.place.start..from + entity.place.end;
            Entity { place, ..entity }
        }));
        from = place.end;
    }
    found.append(&mut more);
    found.sort_by_key(|entity| entity.place.start);
}

fn links(text: &str) -> Vec<Entity> {
    let links = LinkFinder::new();
    let links = links.links(text).filter_map(|link| {
        let kind = match link.kind() {
            LinkKind::Email => EntityType::Email,
            LinkKind::Url => EntityType::Url,
            _ => return None,
        };
        Some(Entity::new(kind, link.as_str(), link.start()..link.end()))
    });
    links.collect()
}

/// Runs of digits, of any script, and of the characters between digits, each with its place.
fn runs<'t>(text: &'t str, inside: &'static [char]) -> impl Iterator<Item = (usize, &'t str)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(from..)?;
            let start = from + rest.find(is_digit)?;
            let run = text.get(start..)?;
            let run = run.get(..run.find(|c| !is_digit(c) && !inside.contains(&c)).unwrap_or(run.len()))?;
            from = start + run.len();
            let run = run.trim_end_matches(inside);
            let before = text.get(..start).and_then(|text| text.chars().next_back());
            if !before.is_some_and(char::is_alphanumeric) {
                return Some((start, run));
            }
        }
    })
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || (!c.is_ascii() && digits::digit(c).is_some())
}

fn dates(text: &str) -> Vec<Entity> {
    let dates = runs(text, &['-', '.', '/']).filter_map(|(start, run)| {
        let plain = digits::plain(run);
        let forms: &[&str] = if plain.get(4..5).is_some_and(|c| !c.starts_with(|c: char| c.is_ascii_digit()))
        {
            &["%Y-%m-%d", "%Y/%m/%d"]
        } else {
            &["%d.%m.%Y"]
        };
        let year_is_whole = plain.split(['-', '.', '/']).any(|part| part.len() == 4);
        let date = forms.iter().find_map(|form| NaiveDate::parse_from_str(&plain, form).ok());
        let date = date.filter(|_| year_is_whole && plain.len() <= 10)?;
        Some(Entity::new(EntityType::Date, date.to_string(), start..start + run.len()))
    });
    dates.collect()
}

/// Characters between the digits of a number.
const MARKS: &[char] =
    &['.', ',', '\'', '’', '\u{a0}', '\u{202f}', '\u{66b}', '\u{66c}', '\u{ff0c}', '\u{ff0e}'];

fn numbers(text: &str, marks: Marks) -> Vec<Entity> {
    let mut found = Vec::new();
    for (start, run) in runs(text, MARKS) {
        let before = text.get(..start).unwrap_or_default();
        let end = start + run.len();
        let point = before
            .strip_suffix('.')
            .filter(|before| !before.ends_with(|c: char| c.is_alphanumeric() || c == '.'));
        let (before, start) = point.map_or((before, start), |before| (before, before.len()));
        let sign = before
            .chars()
            .next_back()
            .filter(|c| matches!(c, '-' | '−'))
            .filter(|sign| !before.trim_end_matches(*sign).ends_with(char::is_alphanumeric));
        let width = sign.map_or(0, char::len_utf8);
        let place = start - width..end;
        match number::read(text.get(place.clone()).unwrap_or_default(), marks) {
            Some(value) => found.push(Entity::new(EntityType::Number, number::json_number(value), place)),
            None => found.extend(listed(run, end - run.len(), marks)),
        }
    }
    found
}

/// The numbers of a list without blanks: `1,2,3`.
fn listed(run: &str, start: usize, marks: Marks) -> Vec<Entity> {
    let mut at = start;
    let pieces = run.split(',').filter_map(|piece| {
        let place = at..at + piece.len();
        at = place.end + 1;
        number::read(piece, marks)
            .map(|value| Entity::new(EntityType::Number, number::json_number(value), place))
    });
    pieces.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar() -> CalendarNames {
        CalendarNames::of(["es", "en"].into_iter())
    }

    #[cfg(feature = "phone-numbers")]
    fn found(text: &str) -> Vec<(String, Value)> {
        let all = entities(
            text,
            &[],
            Some(PhoneFinder::at_home(crate::address::Home::of("DE"))),
            Marks::Open,
            &calendar,
        )
        .into_iter();
        all.map(|entity| (entity["type"].as_str().unwrap().to_owned(), entity["value"].clone())).collect()
    }

    #[cfg(feature = "phone-numbers")]
    #[test]
    fn a_text_is_taken_apart_in_its_order() {
        let text = "Ünï: write to ada@example.com (see https://example.com/a?b=1), ring 0176 1234567 before 7.5.2026; \
                    I owe 1.234,50 or -3 for 2 of A-10023.";
        let expected = [
            ("email", json!("ada@example.com")),
            ("url", json!("https://example.com/a?b=1")),
            ("phone", json!("+491761234567")),
            ("date", json!("2026-05-07")),
            ("number", json!(1234.5)),
            ("number", json!(-3)),
            ("number", json!(2)),
            ("number", json!(10023)),
        ];
        let expected: Vec<_> = expected.into_iter().map(|(kind, value)| (kind.to_owned(), value)).collect();
        assert_eq!(found(text), expected);
        let email = entities(text, &[EntityType::Email], None, Marks::Open, &calendar);
        let place =
            json!({"type": "email", "value": "ada@example.com", "text": "ada@example.com", "start": 14});
        assert_eq!(email, [place]);
    }

    /// The same with a search for telephone numbers and without.
    #[test]
    fn addresses_and_dates_are_found_in_every_build() {
        let text = "ada@example.com rings +14155550123 before 7.5.2026, see http://example.com";
        let found = entities(
            text,
            &[EntityType::Email, EntityType::Url, EntityType::Date],
            None,
            Marks::Open,
            &calendar,
        );
        let values: Vec<_> = found.iter().map(|entity| entity["value"].as_str().unwrap()).collect();
        assert_eq!(values, ["ada@example.com", "2026-05-07", "http://example.com"]);
    }

    #[cfg(feature = "phone-numbers")]
    #[test]
    fn numbers_are_read_with_their_points_and_commas() {
        for (text, value) in [
            ("1500", json!(1500)),
            ("1,500", json!(1500)),
            ("1.500", json!(1500)),
            ("1.500.000", json!(1_500_000)),
            ("1,5", json!(1.5)),
            ("0.125", json!(0.125)),
            ("12.", json!(12)),
            ("1,234,567.89", json!(1_234_567.89)),
            ("12kg", json!(12)),
            ("١٢٫٥", json!(12.5)),
            ("1’500", json!(1500)),
            (".5", json!(0.5)),
            ("−3", json!(-3)),
        ] {
            assert_eq!(found(text), [("number".to_owned(), value)], "{text}");
        }
        for text in ["", "none", "A1"] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[cfg(feature = "phone-numbers")]
    #[test]
    fn hostile_texts_take_little_time_and_find_at_most_64_things() {
        for unit in
            ["1 ", "a@a.", "http://", "+1", "(", "1.1", "2026-05-07 ", "@", "a@b.c ", "é1-", "://", "a.b@"]
        {
            let text = unit.repeat((40 << 10) / unit.len());
            let before = cpu_time::ThreadTime::now();
            assert!(
                entities(
                    &text,
                    &[],
                    Some(PhoneFinder::at_home(crate::address::Home::of("DE"))),
                    Marks::Open,
                    &calendar
                )
                .len()
                    <= MOST
            );
            let spent = before.elapsed();
            assert!(spent.as_millis() < 1_000, "{unit:?} took {spent:?}");
        }
    }

    #[test]
    fn u13_dates_with_the_names_of_months_are_found() {
        for (text, date, written) in [
            ("I come on May 7th, 2026.", "2026-05-07", "May 7th, 2026"),
            ("Llego el jueves 7 de mayo de 2026, gracias", "2026-05-07", "7 de mayo de 2026"),
            ("between 7 and 9 May 2026", "2026-05-09", "9 May 2026"),
            ("07-may-2026?", "2026-05-07", "07-may-2026"),
            ("٧ mayo ٢٠٢٦", "2026-05-07", "٧ mayo ٢٠٢٦"),
        ] {
            let found = entities(text, &[EntityType::Date], None, Marks::Open, &calendar);
            let told: Vec<_> = found.iter().map(|date| (&date["value"], &date["text"])).collect();
            assert_eq!(told, [(&json!(date), &json!(written))], "{text}");
        }
        for text in
            ["may I have 7 of them in 2026 pieces?", "May 2026", "7 May", "31 February 2026", "7 mai 2026"]
        {
            assert_eq!(entities(text, &[EntityType::Date], None, Marks::Open, &calendar), [0; 0], "{text}");
        }
    }

    #[test]
    fn u13_names_of_months_are_found_in_texts_without_blanks() {
        let japanese = || CalendarNames::of(["ja"].into_iter());
        let found = entities("予約は 2026年05月7日 です", &[EntityType::Date], None, Marks::Open, &japanese);
        assert_eq!(found[0]["value"], "2026-05-07");
    }
}
