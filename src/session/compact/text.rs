//! Texts that are numbers in disguise: recognised only where writing the number out again gives the
//! very same text.

use std::fmt::Write;

use chrono::{DateTime, NaiveDate, Utc};

/// A text by its shape.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A time, in milliseconds after 1970.
    Time(i64),
    /// An id of 36 characters, and so many bytes behind it.
    Uuid([u8; 16], usize),
    /// 32 hexadecimal digits.
    Hex([u8; 16]),
    /// `+` and digits.
    Phone(u64),
    /// Anything else.
    Plain,
}

const UUID_BYTES: usize = 36;
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// Finds out whether a text is a number.
pub(super) fn shape(text: &str) -> Shape {
    let bytes = text.as_bytes();
    let found = match bytes {
        [b'+', digits @ ..] => phone(digits).map(Shape::Phone),
        [.., b'Z'] if matches!(bytes.len(), 20 | 24) => time(text).map(Shape::Time),
        _ if bytes.len() == 32 => sixteen(bytes.iter().copied()).map(Shape::Hex),
        _ => {
            bytes.split_at_checked(UUID_BYTES).and_then(|(id, rest)| Some(Shape::Uuid(uuid(id)?, rest.len())))
        }
    };
    found.unwrap_or(Shape::Plain)
}

fn phone(digits: &[u8]) -> Option<u64> {
    let is_number = matches!(digits, [b'1'..=b'9', ..]) && digits.len() <= 15;
    is_number.then_some(())?;
    digits.iter().try_fold(0, |number: u64, digit| {
        let digit = digit.wrapping_sub(b'0');
        (digit <= 9).then(|| number * 10 + u64::from(digit))
    })
}

/// The time that RFC 3339 writes like this, in UTC and whole milliseconds.
fn time(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| {
        bytes.get(from..to)?.iter().try_fold(0_u32, |number, digit| {
            let digit = digit.wrapping_sub(b'0');
            (digit <= 9).then(|| number * 10 + u32::from(digit))
        })
    };
    let millis = if bytes.len() == 24 { number(20, 23)? } else { 0 };
    let date = NaiveDate::from_ymd_opt(i32::try_from(number(0, 4)?).ok()?, number(5, 7)?, number(8, 10)?)?;
    let at = date.and_hms_milli_opt(number(11, 13)?, number(14, 16)?, number(17, 19)?, millis)?;
    let at = at.and_utc().timestamp_millis();
    let mut again = String::with_capacity(24);
    write_time(&mut again, at)?;
    (again == text).then_some(at)
}

/// Writes a time; None: it is out of range.
pub(super) fn write_time(out: &mut String, millis: i64) -> Option<()> {
    let at = DateTime::<Utc>::from_timestamp_millis(millis)?;
    let (date, time) = (at.date_naive(), at.time());
    let (year, month, day) = {
        use chrono::Datelike;
        (date.year(), date.month(), date.day())
    };
    let (hour, minute, second, sub) = {
        use chrono::Timelike;
        (time.hour(), time.minute(), time.second(), time.nanosecond() / 1_000_000)
    };
    let digits = |out: &mut String, number: u32, count: u32| {
        for place in (0..count).rev() {
            out.push(char::from_digit(number / 10_u32.pow(place) % 10, 10).unwrap_or('0'));
        }
    };
    digits(out, u32::try_from(year).ok().filter(|year| *year <= 9_999)?, 4);
    for (mark, part) in [('-', month), ('-', day), ('T', hour), (':', minute), (':', second)] {
        out.push(mark);
        digits(out, part, 2);
    }
    if sub > 0 {
        out.push('.');
        digits(out, sub, 3);
    }
    out.push('Z');
    Some(())
}

fn uuid(text: &[u8]) -> Option<[u8; 16]> {
    let has_hyphens = HYPHENS.iter().all(|place| text.get(*place) == Some(&b'-'));
    has_hyphens.then_some(())?;
    sixteen(text.iter().enumerate().filter(|(place, _)| !HYPHENS.contains(place)).map(|(_, digit)| *digit))
}

/// Reads 32 hexadecimal digits in small letters.
fn sixteen(digits: impl Iterator<Item = u8>) -> Option<[u8; 16]> {
    let (mut bytes, mut count) = ([0; 16], 0_usize);
    for digit in digits {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        let byte = bytes.get_mut(count / 2)?;
        *byte = *byte << 4 | value;
        count += 1;
    }
    (count == 32).then_some(bytes)
}

/// Writes an id of 36 characters.
pub(super) fn write_uuid(out: &mut String, bytes: [u8; 16]) {
    let mut room = [0; UUID_BYTES];
    out.push_str(uuid::Uuid::from_bytes(bytes).hyphenated().encode_lower(&mut room));
}

/// Writes 32 hexadecimal digits.
pub(super) fn write_hex(out: &mut String, bytes: [u8; 16]) {
    let mut room = [0; 32];
    out.push_str(uuid::Uuid::from_bytes(bytes).simple().encode_lower(&mut room));
}

/// Writes a telephone number.
pub(super) fn write_phone(out: &mut String, number: u64) {
    // A text takes what is written into it.
    let _ = write!(out, "+{number}");
}
