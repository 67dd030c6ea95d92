//! Texts behind marks: how they are written, and what has to be escaped.

use std::fmt;

use chrono::TimeDelta;
use serde_json::{Value, json};

/// A text behind its mark; its further lines behind a full stop.
pub(super) fn marked(f: &mut fmt::Formatter<'_>, mark: char, text: &str) -> fmt::Result {
    for (place, line) in text.lines().enumerate() {
        let mark = if place == 0 { format!("{mark} {line}") } else { format!("\n. {line}") };
        f.write_str(mark.trim_end_matches(' '))?;
    }
    if text.is_empty() { write!(f, "{mark}") } else { Ok(()) }
}

/// A text of the contact as a talk writes it: escaped where it would read as something else.
pub(super) fn said(text: &str) -> String {
    let is_plain = text.lines().all(|line| line.trim_end() == line) && !text.contains('\r');
    if text.is_empty() || !is_plain || text.ends_with('\n') {
        return json!({ "text": text }).to_string();
    }
    let is_label = text.starts_with('[') && text.ends_with(']');
    if is_label || text.starts_with('\\') || is_object(text) { format!("\\{text}") } else { text.to_owned() }
}

/// True if a text of the contact is read as an object.
pub(super) fn is_object(text: &str) -> bool {
    text.strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with('"'))
}

/// A text of the flow as a talk writes it: escaped where it would read as a pattern.
pub(super) fn heard(text: &str) -> String {
    if text.starts_with('\\') || pattern(text).is_some() { format!("\\{text}") } else { text.to_owned() }
}

/// The regular expression that an expected text is, if it is one.
pub(super) fn pattern(text: &str) -> Option<&str> {
    text.strip_prefix('/')?.strip_suffix('/').filter(|inside| !inside.is_empty())
}

/// A time as flows write spans, with its sign; what is shorter than a second is left out.
pub(super) fn span(time: TimeDelta) -> String {
    let seconds = time.num_seconds();
    let (sign, seconds) = if seconds < 0 { ("-", -seconds) } else { ("+", seconds) };
    let units =
        [(seconds / 86_400, 'd'), (seconds / 3_600 % 24, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')];
    let text: String = units.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if text.is_empty() { "+0s".to_owned() } else { format!("{sign}{text}") }
}

/// A value behind a word, left out if there is none.
pub(super) fn beside(value: &Value) -> String {
    if value.is_null() { String::new() } else { format!(" {value}") }
}
