//! Dates as a question allows them to be written.

use std::fmt::Write as _;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime};

use crate::digits::plain;

/// More characters are no date.
const MOST: usize = 64;

/// Reads a date in one of the formats, the first that fits; without formats in ISO 8601:
/// `2026-05-07`, or a time on that day.
pub(super) fn read(text: &str, formats: &[Box<str>]) -> Option<NaiveDate> {
    if text.len() > MOST {
        return None;
    }
    let text = plain(text);
    let date = if formats.is_empty() {
        iso(&text)
    } else {
        formats.iter().find_map(|format| NaiveDate::parse_from_str(&text, format).ok())
    };
    date.filter(|date| (1..=9_999).contains(&date.year()))
}

fn iso(text: &str) -> Option<NaiveDate> {
    let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let instant = || DateTime::parse_from_rfc3339(text).ok().map(|at| at.date_naive());
    let local = |format| NaiveDateTime::parse_from_str(text, format).ok().map(|at| at.date());
    day().or_else(instant).or_else(|| local("%Y-%m-%dT%H:%M:%S%.f")).or_else(|| local("%Y-%m-%dT%H:%M"))
}

/// True if a format can write a date so that the same date is read again.
pub(crate) fn check_format(format: &str) -> bool {
    let Some(date) = NaiveDate::from_ymd_opt(2031, 11, 23) else { return false };
    let mut text = String::new();
    write!(text, "{}", date.format(format)).is_ok() && read(&text, &[format.into()]) == Some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, formats: &[&str], expected: &str) {
        let formats: Vec<Box<str>> = formats.iter().map(|format| (*format).into()).collect();
        let read = read(text, &formats).map(|date| date.to_string());
        assert_eq!(read.as_deref().unwrap_or("-"), expected, "{text}");
    }

    #[test]
    fn dates_are_read_in_iso_8601_or_as_the_question_says() {
        check("2026-05-07", &[], "2026-05-07");
        check("2026-5-7", &[], "2026-05-07");
        check("٢٠٢٦-٠٥-٠٧", &[], "2026-05-07");
        check("2026-05-07T23:30:00-08:00", &[], "2026-05-07");
        check("2026-05-07T23:30", &[], "2026-05-07");
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
    fn a_format_must_give_a_whole_date() {
        for format in ["%d/%m/%Y", "%d.%m.%y", "%Y-%m-%d", "%d %B %Y", "%e %b %Y"] {
            assert!(check_format(format), "{format}");
        }
        for format in ["", "%", "%Q", "%d/%m", "%H:%M", "dd/mm/yyyy", "%z", "%s"] {
            assert!(!check_format(format), "{format}");
        }
    }
}
