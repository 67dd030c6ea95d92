//! Dates as a question allows them to be written (SEMANTICS U13).

use std::fmt::Write as _;

use chrono::format::{Fixed, Item, Numeric, Parsed, StrftimeItems, parse};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta};

use super::speech::Speech;
use crate::digits::plain;
use crate::flow::lang::calendar::{LanguageNames, common_year};

/// More characters are no date.
const MOST: usize = 64;

/// The ways in which dates may be written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dates {
    /// Formats of `strftime`; in ISO 8601, or with the name of the month, if there is none.
    pub(crate) formats: Box<[Box<str>]>,
    /// The first of the hundred years in which a year of two digits lies; 80 years ago if absent.
    pub(crate) century: Option<i32>,
    /// True if `tomorrow` is a date.
    pub(crate) relative: bool,
}

/// Reads a date in one of the formats, the first that fits; without formats in ISO 8601:
/// `2026-05-07`, or a time on that day. Names of months are those of the conversation's languages.
pub(super) fn read(text: &str, dates: &Dates, cx: &Speech<'_>) -> Option<NaiveDate> {
    if text.len() > MOST {
        return None;
    }
    let text: String = plain(text).chars().map(mark).collect();
    let text = text.trim().trim_end_matches(['!', '。']);
    let nearby = || dates.relative.then(|| nearby(text, cx)).flatten();
    let written = |text: &str| {
        if dates.formats.is_empty() {
            return iso(text);
        }
        dates.formats.iter().find_map(|format| formatted(text, format, dates.century, cx.today))
    };
    let date = written(text).or_else(|| written(text.trim_end_matches(['.', ',', ';', ' '])));
    let date = date.or_else(|| named(text, dates, cx)).or_else(nearby);
    let date = date.map(|date| match cx.counts_as_thai() {
        true => date.with_year(common_year(date.year())).unwrap_or(date),
        false => date,
    });
    date.filter(|date| (1_000..=9_999).contains(&date.year()))
}

/// The mark that a keyboard writes in another shape: `／`, `‑`.
fn mark(c: char) -> char {
    match c {
        '\u{ff0f}' | '\u{2044}' | '\u{2215}' => '/',
        '\u{ff0e}' => '.',
        '\u{ff0c}' => ',',
        '\u{ff1a}' => ':',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}' => '-',
        c => c,
    }
}

fn iso(text: &str) -> Option<NaiveDate> {
    let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let instant = || DateTime::parse_from_rfc3339(text).ok().map(|at| at.date_naive());
    let local = |format| NaiveDateTime::parse_from_str(text, format).ok().map(|at| at.date());
    day().or_else(instant).or_else(|| local("%Y-%m-%dT%H:%M:%S%.f")).or_else(|| local("%Y-%m-%dT%H:%M"))
}

/// In a format. A year of four digits is no other, one of two lies in the author's century.
fn formatted(text: &str, format: &str, century: Option<i32>, today: NaiveDate) -> Option<NaiveDate> {
    let mut parsed = Parsed::new();
    parse(&mut parsed, text, StrftimeItems::new(format)).ok()?;
    if parsed.year().is_some_and(|year| year < 1_000) {
        return None;
    }
    if let (None, None, Some(two)) = (parsed.year(), parsed.year_div_100(), parsed.year_mod_100()) {
        parsed.set_year_div_100(i64::from(whole_year(two, century, today)) / 100).ok()?;
    }
    parsed.to_naive_date().ok()
}

/// The year that two digits mean.
fn whole_year(two: i32, century: Option<i32>, today: NaiveDate) -> i32 {
    const BACK: i32 = 79;
    let first = century.unwrap_or(today.year() - BACK);
    first + (two - first).rem_euclid(100)
}

/// The date that a word means beside today: `tomorrow`, `mañana`.
fn nearby(text: &str, cx: &Speech<'_>) -> Option<NaiveDate> {
    let days = cx.tags().flat_map(LanguageNames::kin_of).find_map(|names| names.nearby(text))?;
    cx.today.checked_add_signed(TimeDelta::days(days))
}

/// A date with the name of its month, where no format says otherwise. A year of two digits comes
/// last, and only where a format has one.
fn named(text: &str, dates: &Dates, cx: &Speech<'_>) -> Option<NaiveDate> {
    let has = |wanted: fn(&Item<'_>) -> bool| {
        dates.formats.iter().any(|format| StrftimeItems::new(format).any(|item| wanted(&item)))
    };
    let is_month =
        |item: &Item<'_>| matches!(item, Item::Fixed(Fixed::LongMonthName | Fixed::ShortMonthName));
    if !dates.formats.is_empty() && !has(is_month) {
        return None;
    }
    let is_short = has(|item| matches!(item, Item::Numeric(Numeric::YearMod100, _)));
    let whole = |two| whole_year(two, dates.century, cx.today);
    cx.calendar().read(text, is_short.then_some(&whole))
}

/// True if a format can write a date so that the same date is read again.
pub(crate) fn check_format(format: &str) -> bool {
    let Some(date) = NaiveDate::from_ymd_opt(2031, 11, 23) else { return false };
    let mut text = String::new();
    write!(text, "{}", date.format(format)).is_ok()
        && formatted(&text, format, Some(2000), date) == Some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speech(language: &str) -> Speech<'_> {
        let today = NaiveDate::from_ymd_opt(2026, 5, 7).unwrap();
        Speech { languages: [Some(language), None], decimal: None, today }
    }

    #[track_caller]
    fn check(text: &str, formats: &[&str], expected: &str) {
        let formats = formats.iter().map(|format| (*format).into()).collect();
        let dates = Dates { formats, ..Dates::default() };
        let read = read(text, &dates, &speech("es")).map(|date| date.to_string());
        assert_eq!(read.as_deref().unwrap_or("-"), expected, "{text}");
    }

    #[test]
    fn dates_are_read_in_iso_8601_or_as_the_question_says() {
        check("2026-05-07", &[], "2026-05-07");
        check("2026-5-7", &[], "2026-05-07");
        check("٢٠٢٦-٠٥-٠٧", &[], "2026-05-07");
        check("2026-05-07T23:30:00-08:00", &[], "2026-05-07");
        check("2026-05-07T23:30", &[], "2026-05-07");
        check("２０２６－０５－０７", &[], "2026-05-07");
        check("2026‑05‑07.", &[], "2026-05-07");
        check("０７／０５／２０２６", &["%d/%m/%Y"], "2026-05-07");
        check("7.5.2026.", &["%d.%m.%Y"], "2026-05-07");
        check("7.5.2026.", &["%d.%m.%Y."], "2026-05-07");
        check("7/5/2026", &["%d/%m/%Y", "%d.%m.%Y"], "2026-05-07");
        check("7.5.2026", &["%d/%m/%Y", "%d.%m.%Y"], "2026-05-07");
        check("7 May 2026", &["%d %B %Y"], "2026-05-07");
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in ["", "tomorrow", "2026-02-30", "2026-13-01", "07.05.2026", "+12345-01-01", "0000-01-01"] {
            check(text, &[], "-");
        }
        check("2026-05-07", &["%d/%m/%Y"], "-");
    }

    #[test]
    fn u13_a_year_of_two_digits_is_none_of_four() {
        check("07/05/26", &["%d/%m/%Y"], "-");
        check("07/05/26", &["%d/%m/%y"], "2026-05-07");
        check("07/05/26", &["%d/%m/%Y", "%d/%m/%y"], "2026-05-07");
        check("07/05/26", &["%d/%m/%y", "%d/%m/%Y"], "2026-05-07");
        check("07/05/2026", &["%d/%m/%y", "%d/%m/%Y"], "2026-05-07");
        check("07/05/46", &["%d/%m/%y"], "2046-05-07");
        check("07/05/47", &["%d/%m/%y"], "1947-05-07");
        check("0026-05-07", &[], "-");
        let born = Dates { formats: ["%d/%m/%y".into()].into(), century: Some(1920), relative: false };
        let read = |text| read(text, &born, &speech("en")).map(|date| date.year());
        assert_eq!((read("07/05/19"), read("07/05/20")), (Some(2019), Some(1920)));
    }

    #[test]
    fn u13_months_have_names_in_the_languages_of_the_conversation() {
        for text in
            ["7 de mayo de 2026", "jueves, 7 de mayo del 2026", "7 May 2026", "May 7th, 2026", "7 MAYO 2026"]
        {
            check(text, &["%d %B %Y"], "2026-05-07");
            check(text, &[], "2026-05-07");
        }
        check("7 may 26", &["%d %b %y"], "2026-05-07");
        check("7 may 26", &["%d %b %Y"], "-");
        check("7 mai 2026", &["%d %B %Y"], "-");
        check("mayo 2026", &["%d %B %Y"], "-");
        check("31 de febrero de 2026", &["%d %B %Y"], "-");
        check("7 de mayo de 2026", &["%d/%m/%Y"], "-");
    }

    #[test]
    fn u13_words_for_days_are_dates_only_if_asked_for() {
        let dates = Dates { relative: true, ..Dates::default() };
        for (text, language, expected) in [
            ("mañana", "es", "2026-05-08"),
            ("Gestern!", "de", "2026-05-06"),
            ("明日", "ja", "2026-05-08"),
            ("today", "fr", "2026-05-07"),
        ] {
            let read = read(text, &dates, &speech(language)).map(|date| date.to_string());
            assert_eq!(read.as_deref(), Some(expected), "{text}");
        }
        check("mañana", &[], "-");
    }

    #[test]
    fn a_format_must_give_a_whole_date() {
        for format in ["%d/%m/%Y", "%d.%m.%y", "%Y-%m-%d", "%d %B %Y", "%e %b %Y"] {
            assert!(check_format(format), "{format}");
        }
        for format in ["", "%", "%Q", "%d/%m", "%H:%M", "dd/mm/yyyy", "%z", "%s"] {
            assert!(!check_format(format), "{format}");
        }
    }
}
