//! Addresses of mail and of the web, telephone numbers, numbers and dates in a text. What one of
//! them takes no other does, in this order: addresses, dates, telephone numbers, numbers.

use std::ops::Range;

use linkify::{LinkFinder, LinkKind};
use serde_json::{Value, json};

use crate::digits;
use crate::flow::form::read::words;
use crate::flow::lang::calendar::{CalendarNames, figured, mark};
use crate::flow::lang::normal::{
    is_frame, is_unspaced, mail_in_sentence, unwrapped_end, unwrapped_start, url_in_sentence,
};
use crate::flow::lang::number::{self, Marks};
use crate::flow::recognize::PhoneFinder;
use crate::gather::Arrange;

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

/// The way in which the people of a conversation write.
pub(crate) struct Writing<'a> {
    /// The language that is spoken.
    pub(crate) language: Option<&'a str>,
    /// The marks of numbers in it.
    pub(crate) marks: Marks,
    /// The names of months and weekdays.
    pub(crate) calendar: &'a dyn Fn() -> CalendarNames,
    /// True if years may be those that Thai count.
    pub(crate) is_thai: bool,
}

/// Returns the entities of these kinds in a text, in their order, at most 64 of them. Without a
/// search for telephone numbers the kinds are to be others than those and numbers.
pub(crate) fn entities(
    text: &str,
    kinds: &[EntityType],
    phones: Option<PhoneFinder>,
    writing: &Writing<'_>,
) -> Vec<Value> {
    let mut found = Vec::new();
    add(&mut found, text, links);
    if text.contains(char::is_alphabetic) && text.contains(is_digit) {
        let calendar = (writing.calendar)();
        add(&mut found, text, |text| {
            let dates = calendar.find(text).into_iter();
            dates.map(|(place, date)| Entity::new(EntityType::Date, date.to_string(), place)).collect()
        });
    }
    add(&mut found, text, |text| dates(text, writing.is_thai));
    if let Some(finder) = phones {
        add(&mut found, text, |text| {
            let phones = finder.all(text).into_iter();
            phones.map(|(place, number)| Entity::new(EntityType::Phone, number.e164(), place)).collect()
        });
        add(&mut found, text, |text| numbers(text, writing));
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
    found.arrange_by_key(|entity| entity.place.start);
}

fn links(text: &str) -> Vec<Entity> {
    let links = LinkFinder::new();
    let links = links.links(text).filter_map(|link| {
        let (before, behind) = (text.get(..link.start())?, text.get(link.end()..)?);
        let (kind, address) = match link.kind() {
            LinkKind::Email => {
                let behind = behind.get(..behind.find(|c| !is_frame(c)).unwrap_or(behind.len()))?;
                let start = unwrapped_start(link.as_str(), behind);
                (EntityType::Email, mail_in_sentence(sentence(start).trim_end_matches(is_frame)))
            }
            LinkKind::Url => {
                let frame = before.trim_end_matches(is_frame).len();
                (
                    EntityType::Url,
                    url_in_sentence(unwrapped_end(before.get(frame..)?, sentence(link.as_str()))),
                )
            }
            _ => return None,
        };
        let start = link.start() + link.as_str().find(address)?;
        let place = start..start + address.len();
        // As an answer is saved: the domain in small letters.
        let value = match address.rsplit_once('@').filter(|_| kind == EntityType::Email) {
            Some((local, domain)) => format!("{local}@{}", domain.to_lowercase()),
            None => address.to_owned(),
        };
        Some(Entity::new(kind, value, place))
    });
    links.collect()
}

/// A link up to the first mark of another script, which ends the sentence and not the address.
fn sentence(link: &str) -> &str {
    let ends = |c: char| !c.is_ascii() && !c.is_alphanumeric() && is_frame(c);
    link.get(..link.find(ends).unwrap_or(link.len())).unwrap_or(link)
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || (!c.is_ascii() && digits::digit(c).is_some())
}

/// The places in a text where digits of any script begin that belong to no word.
fn starts(text: &str) -> impl Iterator<Item = usize> {
    let mut before = None;
    text.char_indices().filter_map(move |(place, c)| {
        let is_of_word = |c: char| c.is_alphanumeric() && !is_unspaced(c);
        let begins = is_digit(c) && !before.is_some_and(is_of_word);
        before = Some(c);
        begins.then_some(place)
    })
}

fn dates(text: &str, is_thai: bool) -> Vec<Entity> {
    /// Bytes of the longest date that is read.
    const MOST_BYTES: usize = 48;
    let mut found: Vec<Entity> = Vec::new();
    let mut from = 0;
    for start in starts(text) {
        let before = text.get(..start).unwrap_or_default();
        // The middle of a longer row of figures.
        let is_inside =
            before.strip_suffix(['-', '.', '/', ',']).is_some_and(|rest| rest.ends_with(is_digit));
        if start < from || is_inside {
            continue;
        }
        let most = text.len().min(start + MOST_BYTES);
        let end = (start..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(start);
        let Some(rest) = text.get(start..end) else { continue };
        // Character by character the same, digits and marks as ours.
        let plain: String = rest.chars().map(|c| mark(digits::digit(c).unwrap_or(c))).collect();
        if let Some((length, date)) = figured(&plain, is_thai) {
            let count = plain.get(..length).map_or(0, |date| date.chars().count());
            let length: usize = rest.chars().take(count).map(char::len_utf8).sum();
            found.push(Entity::new(EntityType::Date, date.to_string(), start..start + length));
            from = start + length;
        }
    }
    found
}

/// Characters between the digits of a number.
const MARKS: &[char] =
    &['.', ',', '\'', '’', '\u{a0}', '\u{202f}', '\u{66b}', '\u{66c}', '\u{ff0c}', '\u{ff0e}'];

fn numbers(text: &str, writing: &Writing<'_>) -> Vec<Entity> {
    let mut found = Vec::new();
    let mut from = 0;
    for start in starts(text) {
        if start < from {
            continue;
        }
        let (before, rest) = text.split_at(start);
        let run = run(rest);
        let end = start + run.len();
        from = end;
        if number::is_multiplied(text.get(end..).unwrap_or_default(), writing.language)
            || number::is_multiplier_at_end(before)
        {
            continue;
        }
        let point = before
            .strip_suffix('.')
            .filter(|before| !before.ends_with(|c: char| c.is_alphanumeric() || c == '.'));
        let (before, begin) = point.map_or((before, start), |before| (before, before.len()));
        let (is_negative, sign) = sign(before);
        let Some(value) = text.get(begin..end).and_then(|number| number::read(number, writing.marks)) else {
            found.extend(listed(run, start, writing.marks));
            continue;
        };
        let value = if is_negative { -value } else { value };
        found.push(Entity::new(EntityType::Number, number::json_number(value), begin - sign..end));
    }
    found
}

/// The digits that a text begins with, the marks between them, and groups of thousands behind
/// blanks: `1 500`, `1 234,50`.
fn run(text: &str) -> &str {
    let run = |text: &str| {
        let end = text.find(|c| !is_digit(c) && !MARKS.contains(&c)).unwrap_or(text.len());
        text.get(..end).unwrap_or(text).trim_end_matches(MARKS).len()
    };
    let digits = |text: &str| text.chars().take_while(|c| is_digit(*c)).count();
    let mut end = run(text);
    let whole = text.get(..end).unwrap_or_default();
    if digits(whole) != whole.chars().count() || digits(whole) > 3 {
        return whole;
    }
    while let Some(rest) = text.get(end..).and_then(|rest| rest.strip_prefix([' ', '\u{2009}'])) {
        if digits(rest) != 3 {
            break;
        }
        let blank = text.get(end..).map_or(0, |tail| tail.len() - rest.len());
        let group = rest.get(..run(rest)).unwrap_or_default();
        end += blank + group.len();
        if digits(group) != group.chars().count() {
            break;
        }
    }
    text.get(..end).unwrap_or(text)
}

/// True if a text before a number ends with a sign, or a word, for the negative; and its length.
fn sign(before: &str) -> (bool, usize) {
    let sign = before
        .chars()
        .next_back()
        .filter(|c| number::MINUS.contains(c))
        .filter(|sign| !before.trim_end_matches(*sign).ends_with(char::is_alphanumeric));
    match sign {
        Some(sign) => (true, sign.len_utf8()),
        None => number::minus_at_end(before).map_or((false, 0), |length| (true, length)),
    }
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

    const WRITING: Writing<'static> =
        Writing { language: None, marks: Marks::Open, calendar: &calendar, is_thai: false };

    #[cfg(feature = "phone-numbers")]
    fn found(text: &str) -> Vec<(String, Value)> {
        let all = entities(text, &[], Some(PhoneFinder::at_home(crate::address::Home::of("DE"))), &WRITING)
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
        let email = entities(text, &[EntityType::Email], None, &WRITING);
        let place =
            json!({"type": "email", "value": "ada@example.com", "text": "ada@example.com", "start": 14});
        assert_eq!(email, [place]);
    }

    /// The same with a search for telephone numbers and without.
    #[test]
    fn addresses_and_dates_are_found_in_every_build() {
        let text = "ada@example.com rings +14155550123 before 7.5.2026, see http://example.com";
        let found = entities(text, &[EntityType::Email, EntityType::Url, EntityType::Date], None, &WRITING);
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
                entities(&text, &[], Some(PhoneFinder::at_home(crate::address::Home::of("DE"))), &WRITING)
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
            let found = entities(text, &[EntityType::Date], None, &WRITING);
            let told: Vec<_> = found.iter().map(|date| (&date["value"], &date["text"])).collect();
            assert_eq!(told, [(&json!(date), &json!(written))], "{text}");
        }
        for text in
            ["may I have 7 of them in 2026 pieces?", "May 2026", "7 May", "31 February 2026", "7 mai 2026"]
        {
            assert_eq!(entities(text, &[EntityType::Date], None, &WRITING), [0; 0], "{text}");
        }
    }

    #[cfg(feature = "phone-numbers")]
    #[test]
    fn u10_a_text_has_the_numbers_that_an_answer_has() {
        for (text, value) in [
            ("it costs 1 500 €", json!(1500)),
            ("1 234,50", json!(1234.5)),
            ("about 12 345 people", json!(12_345)),
            ("it is minus 5 degrees", json!(-5)),
            ("気温は零下5度", json!(-5)),
            ("âm 5 độ", json!(-5)),
            ("menos 5", json!(-5)),
            ("al menos 5", json!(5)),
            ("au moins 5 personnes", json!(5)),
            ("più o meno 5", json!(5)),
            ("−5", json!(-5)),
            ("–5", json!(-5)),
            ("5 kg", json!(5)),
            ("I am 1.80 m", json!(1.8)),
        ] {
            assert_eq!(found(text), [("number".to_owned(), value)], "{text}");
        }
        for text in
            ["12k", "3 million", "3 million people", "5 सौ रुपये", "elfu 5", "5万円", "it is 5 тыс. рублей"]
        {
            assert_eq!(found(text), [], "{text}");
        }
        let numbers = |text: &str| found(text).into_iter().map(|(_, value)| value).collect::<Vec<_>>();
        assert_eq!(numbers("1 and 500"), [1, 500]);
        assert_eq!(numbers("2 50 7"), [2, 50, 7]);
        assert_eq!(numbers("1234 5"), [1234, 5]);
    }

    #[test]
    fn u13_a_text_has_the_dates_that_an_answer_has() {
        let thai = || CalendarNames::of(["th"].into_iter());
        let thai = Writing { calendar: &thai, is_thai: true, ..WRITING };
        for (text, writing, date, written) in [
            ("on 2026/05/07.", &WRITING, "2026-05-07", "2026/05/07"),
            ("on 7.5.2026, please", &WRITING, "2026-05-07", "7.5.2026"),
            ("2026. 5. 7. 예약", &WRITING, "2026-05-07", "2026. 5. 7"),
            ("２０２６／０５／０７", &WRITING, "2026-05-07", "２０２６／０５／０７"),
            ("07.05.2569", &thai, "2026-05-07", "07.05.2569"),
            ("พบกัน7พ.ค.2569นะ", &thai, "2026-05-07", "7พ.ค.2569"),
        ] {
            let found = entities(text, &[EntityType::Date], None, writing);
            let told: Vec<_> = found.iter().map(|date| (&date["value"], &date["text"])).collect();
            assert_eq!(told, [(&json!(date), &json!(written))], "{text}");
        }
        for text in ["1.2.2026.5", "07/05/2026", "10.20.2026", "20260507", "12026-05-07"] {
            assert_eq!(entities(text, &[EntityType::Date], None, &WRITING), [0; 0], "{text}");
        }
    }

    #[test]
    fn u15_the_mark_at_the_end_of_a_sentence_is_no_part_of_an_address() {
        for (text, address) in [
            ("लिखें ada@example.com। धन्यवाद", "ada@example.com"),
            ("ada@example.com، شكرا", "ada@example.com"),
            ("请写 ada@example.com。谢谢", "ada@example.com"),
            ("ada@example.com😊", "ada@example.com"),
            ("«ada@example.com»", "ada@example.com"),
            ("write to _ada@example.com", "_ada@example.com"),
            ("*ada@example.com*", "ada@example.com"),
            ("https://example.com/a_", "https://example.com/a_"),
            ("https://example.com/a。ありがとう", "https://example.com/a"),
            ("https://example.com/a۔", "https://example.com/a"),
            ("https://example.com/a👍🏽", "https://example.com/a"),
        ] {
            let found = entities(text, &[EntityType::Email, EntityType::Url], None, &WRITING);
            let told: Vec<_> = found.iter().map(|found| &found["value"]).collect();
            assert_eq!(told, [&json!(address)], "{text}");
        }
    }

    #[test]
    fn u13_names_of_months_are_found_in_texts_without_blanks() {
        let japanese = || CalendarNames::of(["ja"].into_iter());
        let writing = Writing { calendar: &japanese, ..WRITING };
        let found = entities("予約は 2026年05月7日 です", &[EntityType::Date], None, &writing);
        assert_eq!(found[0]["value"], "2026-05-07");
    }
}
