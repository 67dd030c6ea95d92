//! Dates in figures that leave no doubt: the year first, of four digits, with hyphens, dots or
//! slashes, or the day first with dots, or the day anywhere before the year where it is no month or
//! the month's own number (SEMANTICS U13).

use chrono::NaiveDate;

use super::common_year;
use crate::flow::lang::normal::narrow;

/// The mark of a date that a keyboard writes in another shape: `／`, `‑`.
pub(crate) fn mark(c: char) -> char {
    match narrow(c) {
        '\u{2044}' | '\u{2215}' => '/',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        c => c,
    }
}

/// Reads the date that a text begins with, and where it ends; `7/5/2026` is none, since it is the
/// 5th of July to others, and `25/12/2026` is one. `is_thai`: a year may be one that Thai count.
pub(crate) fn figured(text: &str, is_thai: bool) -> Option<(usize, NaiveDate)> {
    let (first, rest) = digits(text)?;
    let mark = rest.chars().next().filter(|c| matches!(c, '-' | '.' | '/'))?;
    let (second, rest) = digits(behind(rest, mark)?)?;
    let (third, rest) = digits(behind(rest, mark)?)?;
    let (year, month, day) = match (first.len(), third.len()) {
        (4, 1..=2) => (first, second, third),
        (1..=2, 4) if mark == '.' || is_no_month(first) => (third, second, first),
        (1..=2, 4) if is_no_month(second) || is_same(first, second) => (third, first, second),
        _ => return None,
    };
    // A fourth group: an address of a machine, a version.
    if rest.strip_prefix(['-', '.', '/']).is_some_and(|rest| rest.starts_with(is_digit)) {
        return None;
    }
    let date = (second.len() <= 2).then(|| whole(year, month, day, is_thai))??;
    Some((text.len() - rest.len(), date))
}

/// Reads eight digits as a date of these days: `20260507`.
pub(crate) fn compact(text: &str, is_thai: bool) -> Option<NaiveDate> {
    let is_date = text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
    let date = is_date.then(|| whole(text.get(..4)?, text.get(4..6)?, text.get(6..)?, is_thai))??;
    (1900..2200).contains(&chrono::Datelike::year(&date)).then_some(date)
}

fn whole(year: &str, month: &str, day: &str, is_thai: bool) -> Option<NaiveDate> {
    let year: i32 = year.parse().ok()?;
    let year = if is_thai { common_year(year) } else { year };
    NaiveDate::from_ymd_opt(year, month.parse().ok()?, day.parse().ok()?)
}

/// True for a number that is a day at most: `25/12/2026` leaves no doubt.
fn is_no_month(number: &str) -> bool {
    number.parse().is_ok_and(|number: u32| number > 12)
}

/// True for a day that is the number of its month: `12-12-2026` is one date to everybody.
fn is_same(first: &str, second: &str) -> bool {
    first.trim_start_matches('0') == second.trim_start_matches('0')
}

fn digits(text: &str) -> Option<(&str, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    (1..=4).contains(&length).then(|| text.split_at(length))
}

/// The text behind a mark, and behind the blank that Koreans and Hungarians write after a dot.
fn behind(text: &str, mark: char) -> Option<&str> {
    let rest = text.strip_prefix(mark)?;
    Some(if mark == '.' { rest.strip_prefix(' ').unwrap_or(rest) } else { rest })
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}
