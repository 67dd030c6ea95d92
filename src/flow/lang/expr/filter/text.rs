//! Filters of texts. What is no text is taken as it would print. Each result is capped while it is
//! written.

use std::borrow::Cow;
use std::fmt::{self, Write};

use super::super::error::EvalError;
use super::super::meter::{Meter, Text};
use super::super::val::Val;
use super::args::{quoted, whole};
use super::table::Filter;
use crate::grapheme;

/// The value as a text, borrowed if it is one.
fn printed<'v>(val: &'v Val<'_>, meter: &mut Meter) -> Result<Cow<'v, str>, EvalError> {
    if let Some(text) = val.as_str() {
        meter.bytes(text.len())?;
        return Ok(Cow::Borrowed(text));
    }
    let mut text = meter.text();
    let written = val.write(&mut text);
    meter.written(written.map(|()| text)).map(Cow::Owned)
}

fn made<'a>(meter: &mut Meter, write: impl FnOnce(&mut Text) -> fmt::Result) -> Result<Val<'a>, EvalError> {
    let mut text = meter.text();
    let written = write(&mut text);
    meter.written(written.map(|()| text)).map(Val::owned)
}

pub(super) fn change_case<'a>(
    filter: Filter,
    val: &Val<'a>,
    meter: &mut Meter,
) -> Result<Val<'a>, EvalError> {
    let text = printed(val, meter)?;
    let text = meter.bounded(&text)?;
    let changed = match filter {
        Filter::Upper => text.to_uppercase(),
        Filter::Lower => text.to_lowercase(),
        Filter::Title => return made(meter, |out| title(text, out)),
        _ => {
            let mut chars = text.chars();
            let mut changed: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
            changed.push_str(&chars.as_str().to_lowercase());
            changed
        }
    };
    meter.checked(changed).map(Val::owned)
}

/// A word starts after a blank or one of `-({[<`, so `don't` becomes `Don't`.
fn title(text: &str, out: &mut Text) -> fmt::Result {
    let mut starts = true;
    for c in text.chars() {
        if c.is_whitespace() || matches!(c, '-' | '(' | '{' | '[' | '<') {
            out.write_char(c)?;
            starts = true;
        } else if std::mem::take(&mut starts) {
            write!(out, "{}", c.to_uppercase())?;
        } else {
            write!(out, "{}", c.to_lowercase())?;
        }
    }
    Ok(())
}

pub(super) fn trim<'a>(
    val: Val<'a>,
    chars: Option<&Val<'a>>,
    meter: &mut Meter,
) -> Result<Val<'a>, EvalError> {
    match (quoted("trim", chars)?, val) {
        (None, Val::Str(Cow::Borrowed(text))) => {
            meter.bytes(text.len())?;
            Ok(Val::from(text.trim()))
        }
        (chars, val) => trim_any(val, chars, meter),
    }
}

fn trim_any<'a>(val: Val<'a>, chars: Option<&str>, meter: &mut Meter) -> Result<Val<'a>, EvalError> {
    let chars: Option<Vec<char>> = chars.map(|chars| chars.chars().collect());
    let printed = match val {
        Val::Str(text) => text,
        other => Cow::Owned(printed(&other, meter)?.into_owned()),
    };
    // Each character is sought among those to trim.
    meter.bytes(printed.len().saturating_mul(chars.as_ref().map_or(1, Vec::len).max(1)))?;
    Ok(Val::Str(match printed {
        Cow::Borrowed(text) => Cow::Borrowed(trimmed(text, chars.as_deref())),
        Cow::Owned(text) => {
            let kept = trimmed(&text, chars.as_deref());
            Cow::Owned(if kept.len() == text.len() { text } else { kept.to_owned() })
        }
    }))
}

fn trimmed<'t>(text: &'t str, chars: Option<&[char]>) -> &'t str {
    chars.map_or_else(|| text.trim(), |chars| text.trim_matches(chars))
}

/// At most so many characters that people see, the end included; an end that is longer than that is
/// cut itself.
pub(super) fn truncate<'a>(
    val: &Val<'a>,
    length: Option<&Val<'a>>,
    end: Option<&Val<'a>>,
    meter: &mut Meter,
) -> Result<Val<'a>, EvalError> {
    let length = whole("truncate", length, 0)?;
    let length = usize::try_from(length).unwrap_or_default();
    let end = quoted("truncate", end)?.unwrap_or("...");
    let text = printed(val, meter)?;
    if grapheme::first(&text, length).1 {
        return made(meter, |out| out.write_str(&text));
    }
    let (end, _) = grapheme::first(end, length);
    let (kept, _) = grapheme::first(&text, length.saturating_sub(grapheme::count(end)));
    made(meter, |out| out.write_str(kept).and_then(|()| out.write_str(end)))
}

pub(super) fn replace<'a>(
    val: &Val<'a>,
    old: Option<&Val<'a>>,
    new: Option<&Val<'a>>,
    meter: &mut Meter,
) -> Result<Val<'a>, EvalError> {
    let text = printed(val, meter)?;
    let old = old.map(|old| printed(old, meter)).transpose()?.unwrap_or_default();
    let new = new.map(|new| printed(new, meter)).transpose()?.unwrap_or_default();
    made(meter, |out| {
        let mut from = 0;
        for (at, found) in text.match_indices(old.as_ref()) {
            out.write_str(text.get(from..at).unwrap_or_default())?;
            out.write_str(&new)?;
            from = at.saturating_add(found.len());
        }
        out.write_str(text.get(from..).unwrap_or_default())
    })
}

pub(super) fn split<'a>(
    val: &Val<'a>,
    sep: Option<&Val<'a>>,
    meter: &mut Meter,
) -> Result<Val<'a>, EvalError> {
    let sep = quoted("split", sep)?;
    let most = meter.max_chars.saturating_add(1);
    let pieces: Vec<Val<'a>> = match val {
        Val::Str(Cow::Borrowed(text)) => {
            meter.bytes(text.len())?;
            match sep {
                Some(sep) => text.split(sep).take(most).map(Val::from).collect(),
                None => text.split_whitespace().take(most).map(Val::from).collect(),
            }
        }
        Val::Null => Vec::new(),
        Val::Str(Cow::Owned(text)) => {
            meter.bytes(text.len())?;
            let own = |piece: &str| Val::owned(piece.to_owned());
            match sep {
                Some(sep) => text.split(sep).take(most).map(own).collect(),
                None => text.split_whitespace().take(most).map(own).collect(),
            }
        }
        other => return Err(EvalError::TypeMismatch { op: "split", found: other.kind() }),
    };
    meter.items(pieces.len())?;
    Ok(Val::List(pieces))
}

pub(super) fn string<'a>(val: Val<'a>, meter: &mut Meter) -> Result<Val<'a>, EvalError> {
    match val {
        Val::Str(_) => Ok(val),
        other => printed(&other, meter).map(|text| Val::owned(text.into_owned())),
    }
}

pub(super) fn json<'a>(val: &Val<'a>, meter: &mut Meter) -> Result<Val<'a>, EvalError> {
    made(meter, |out| val.write_json(out))
}

/// Letters and digits of ASCII and `/ . - _` stay; every other byte becomes `%XX`.
pub(super) fn urlencode<'a>(val: &Val<'a>, meter: &mut Meter) -> Result<Val<'a>, EvalError> {
    let text = printed(val, meter)?;
    made(meter, |out| {
        text.bytes().try_for_each(|b| match b {
            b'/' | b'.' | b'-' | b'_' => out.write_char(char::from(b)),
            _ if b.is_ascii_alphanumeric() => out.write_char(char::from(b)),
            _ => write!(out, "%{b:02X}"),
        })
    })
}
