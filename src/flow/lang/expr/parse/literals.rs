//! Arguments of filters that are written out and can mean nothing: a format without a code, a unit
//! or a zone that there is not, the name of a field that is a condition (SEMANTICS N11). Each is
//! told with the right form.

use super::super::code::Lit;
use super::super::filter::{Filter, FilterRow, Takes, millis_per};
use crate::flow::lang::zone::Zone;

/// Codes of dates in the language of other products, the longer ones first: moment.js and Java.
const WORDS: [(&str, &str); 23] = [
    ("yyyy", "%Y"),
    ("YYYY", "%Y"),
    ("MMMM", "%B"),
    ("EEEE", "%A"),
    ("dddd", "%A"),
    ("MMM", "%b"),
    ("EEE", "%a"),
    ("ddd", "%a"),
    ("yy", "%y"),
    ("YY", "%y"),
    ("MM", "%m"),
    ("DD", "%d"),
    ("dd", "%d"),
    ("HH", "%H"),
    ("hh", "%I"),
    ("mm", "%M"),
    ("ss", "%S"),
    ("D", "%-d"),
    ("d", "%-d"),
    ("M", "%-m"),
    ("H", "%-H"),
    ("h", "%-I"),
    ("A", "%p"),
];

/// The same in single letters: PHP and Twig.
const LETTERS: [(char, &str); 15] = [
    ('Y', "%Y"),
    ('y', "%y"),
    ('m', "%m"),
    ('n', "%-m"),
    ('F', "%B"),
    ('M', "%b"),
    ('d', "%d"),
    ('j', "%-d"),
    ('l', "%A"),
    ('D', "%a"),
    ('H', "%H"),
    ('G', "%-H"),
    ('h', "%I"),
    ('i', "%M"),
    ('s', "%S"),
];

/// Units of time, each with the words that people write for it.
const UNITS: [(&str, &[&str]); 7] = [
    ("seconds", &["s", "sec", "secs"]),
    ("minutes", &["m", "min", "mins"]),
    ("hours", &["h", "hr", "hrs"]),
    ("days", &["d", "dayz"]),
    ("weeks", &["w", "wk", "wks"]),
    ("months", &["mo", "mon", "mth"]),
    ("years", &["y", "yr", "yrs"]),
];

/// Returns the fault of an argument that is written out, with the right form, if it has one.
pub(super) fn fault(row: &FilterRow, param: usize, written: &Lit) -> Option<String> {
    let name = *row.params.get(param)?;
    let text = match written {
        Lit::Str(text) => &**text,
        Lit::Float(_) | Lit::Decimal(_) if (row.filter, name) == (Filter::Add, "value") => {
            return Some("`add` takes a whole number for `value`".to_owned());
        }
        _ => return None,
    };
    match (row.filter, name) {
        (Filter::Date, "format") => format_fault(text),
        (Filter::Add, "unit") => unit_fault(text),
        (Filter::FromEpoch, "unit") => epoch_unit_fault(text),
        (Filter::Add, "value") if !text.contains(char::is_numeric) => {
            Some("`add` takes a whole number for `value`, such as 3".to_owned())
        }
        (Filter::Add | Filter::Date | Filter::DaysBetween | Filter::Local | Filter::Weekday, "zone") => {
            zone_fault(row.name, text)
        }
        _ if matches!(row.takes(param), Some(Takes::Field | Takes::FieldOrTruth)) => {
            field_fault(row, name, text)
        }
        _ => None,
    }
}

fn format_fault(format: &str) -> Option<String> {
    if format.contains('%') {
        return None;
    }
    let meant = translated(format).unwrap_or_else(|| "%d.%m.%Y %H:%M".to_owned());
    Some(format!("`date` prints {format:?} as it is: write a format such as '{meant}'"))
}

/// The format of `strftime` that one of another product means. None: it is of none.
fn translated(format: &str) -> Option<String> {
    let is_pair = |pair: &[u8]| matches!(pair, [one, two] if one == two && one.is_ascii_alphabetic());
    let has_words = format.as_bytes().windows(2).any(is_pair);
    let is_day_alone = !has_words && format.chars().all(|c| !c.is_ascii_alphabetic() || "DMHhA".contains(c));
    let mut rest = format;
    let mut meant = String::new();
    // Of minutes and months a small `mm` is what the rest leaves open.
    let has_hours = format.contains(['H', 'h']);
    while let Some(c) = rest.chars().next() {
        let word =
            WORDS.iter().filter(|_| has_words || is_day_alone).find(|(word, _)| rest.starts_with(word));
        let letter = LETTERS.iter().filter(|_| !has_words).find(|(letter, _)| *letter == c);
        if let Some((word, code)) = word {
            meant.push_str(if *word == "mm" && !has_hours { "%m" } else { code });
            rest = rest.get(word.len()..)?;
            continue;
        }
        match letter {
            Some((_, code)) => meant.push_str(code),
            None if c.is_alphabetic() && c != 'T' => return None,
            None => meant.push(c),
        }
        rest = rest.get(c.len_utf8()..)?;
    }
    meant.contains('%').then_some(meant)
}

fn epoch_unit_fault(unit: &str) -> Option<String> {
    let is_known = millis_per(unit).is_some();
    (!is_known).then(|| format!("`from_epoch` has no unit {unit:?}: write 'seconds' or 'milliseconds'"))
}

fn unit_fault(unit: &str) -> Option<String> {
    let is = |word: &str| word == unit || word.strip_suffix('s') == Some(unit);
    if UNITS.iter().any(|(known, _)| is(known)) {
        return None;
    }
    let lower = unit.trim().to_ascii_lowercase();
    let is_meant = |known: &str, words: &[&str]| {
        known == lower || known.strip_suffix('s') == Some(&lower) || words.contains(&&*lower)
    };
    let meant = UNITS.iter().find(|(known, words)| is_meant(known, words));
    Some(match meant {
        Some((known, _)) => format!("`add` has no unit {unit:?}: write '{known}'"),
        None => {
            format!("`add` has no unit {unit:?}: write seconds, minutes, hours, days, weeks, months or years")
        }
    })
}

fn zone_fault(filter: &str, zone: &str) -> Option<String> {
    if Zone::known(zone).is_some() {
        return None;
    }
    if cfg!(not(feature = "time-zones")) {
        let why = "a time zone other than UTC needs the feature `time-zones`";
        return Some(format!("`{filter}` knows no time zone {zone:?} here: {why}"));
    }
    let meant = zone_meant(zone).unwrap_or("Europe/Berlin");
    Some(format!("`{filter}` knows no time zone {zone:?}: write a name such as '{meant}'"))
}

/// The zone that a name in other letters means, or that of a town.
fn zone_meant(name: &str) -> Option<&'static str> {
    let name = name.trim().replace(' ', "_");
    let town = |zone: &str| zone.rsplit('/').next().unwrap_or_default().eq_ignore_ascii_case(&name);
    let same = zones().find(|zone| zone.eq_ignore_ascii_case(&name));
    same.or_else(|| zones().find(|zone| town(zone)))
}

#[cfg(feature = "time-zones")]
fn zones() -> impl Iterator<Item = &'static str> {
    chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())
}

#[cfg(not(feature = "time-zones"))]
fn zones() -> impl Iterator<Item = &'static str> {
    std::iter::empty()
}

/// Fields of data may have blanks and brackets, but are no condition and no order.
fn field_fault(row: &FilterRow, name: &str, field: &str) -> Option<String> {
    let filter = row.name;
    if row.filter == Filter::Sort {
        let reversed = field.strip_prefix('-').or_else(|| field.strip_suffix(" desc"));
        if let Some(field) = reversed {
            return Some(format!("`sort` takes the name of a field: write sort('{}', true)", field.trim()));
        }
        if let Some(field) = field.strip_suffix(" asc").or_else(|| field.strip_prefix('+')) {
            return Some(format!("`sort` takes the name of a field: write sort('{}')", field.trim()));
        }
    }
    let is_condition = field.contains(['=', '<', '>', '"', '{', '}']) || field.trim().is_empty();
    is_condition.then(|| match row.filter {
        Filter::Where => {
            let own = field.split(['=', '!', '<', '>']).next().unwrap_or_default().trim();
            format!("`where` takes the name of a field: write where('{own}', '==', …)")
        }
        _ => format!("`{filter}` takes the name of a field for `{name}`, such as 'price'"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_of_other_products_are_translated() {
        for (format, meant) in [
            ("DD.MM.YYYY", "%d.%m.%Y"),
            ("YYYY-MM-DD", "%Y-%m-%d"),
            ("yyyy-MM-dd", "%Y-%m-%d"),
            ("dd/mm/yyyy", "%d/%m/%Y"),
            ("HH:mm", "%H:%M"),
            ("h:mm A", "%-I:%M %p"),
            ("D MMMM YYYY", "%-d %B %Y"),
            ("dddd, D. MMM", "%A, %-d. %b"),
            ("EEEE dd.MM.yy HH:mm:ss", "%A %d.%m.%y %H:%M:%S"),
            ("YYYY-MM-DDTHH:mm", "%Y-%m-%dT%H:%M"),
            ("d/m/Y", "%d/%m/%Y"),
            ("Y-m-d H:i:s", "%Y-%m-%d %H:%M:%S"),
            ("j. F Y", "%-d. %B %Y"),
            ("l", "%A"),
        ] {
            assert_eq!(translated(format).as_deref(), Some(meant), "{format}");
        }
        for other in ["long", "full date", "", "kurz", "  ", "12.5."] {
            assert_eq!(translated(other), None, "{other}");
        }
    }
}
