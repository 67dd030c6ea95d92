//! Numbers that labels and answers begin with, or have: those of a list that is shown (SEMANTICS
//! U6).

use super::near;
use crate::flow::lang::normal::{key, normal};

/// The number that a normal form begins with, in 0-9; `1.5` and `1/2` are one, `-1` begins with
/// none.
pub(super) fn leading(text: &str) -> Option<&str> {
    let text = text.trim_start_matches(['#', '(', '[']);
    let is_inside = |(place, c): (usize, char)| {
        let rest = text.get(place + 1..).unwrap_or_default();
        c.is_ascii_digit()
            || (matches!(c, '.' | ',') && place > 0 && rest.starts_with(|c: char| c.is_ascii_digit()))
            || (c == '/' && place == 1 && is_denominator(rest))
    };
    let end = text.char_indices().find(|at| !is_inside(*at)).map_or(text.len(), |(place, _)| place);
    text.get(..end).filter(|number| !number.is_empty())
}

/// True if a letter follows a number without anything between: `2f8c`.
pub(super) fn is_joined(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_alphabetic() || c == '-' || c == '_')
}

/// True if a text begins with the denominator of a fraction, and not with a part of a date.
fn is_denominator(text: &str) -> bool {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    (1..=2).contains(&(text.len() - rest.len())) && !rest.starts_with('/')
}

/// A number without the zeros that fill it up.
pub(super) fn unpadded(number: &str) -> &str {
    let rest = number.trim_start_matches('0');
    if rest.starts_with(|c: char| c.is_ascii_digit()) { rest } else { number }
}

/// Every number in a normal form.
pub(super) fn held(text: &str) -> Vec<Box<str>> {
    let mut numbers = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        rest = rest.get(start..).unwrap_or_default();
        let Some(number) = leading(rest) else { break };
        numbers.push(unpadded(number).into());
        rest = rest.get(number.len()..).unwrap_or_default();
    }
    numbers
}

/// The frame of a key: `3️⃣`.
pub(super) const KEYCAP: char = '\u{20e3}';

/// A word without the number of a list before it: `1. Pay`, `2) Wait`, `3️⃣ Call`.
pub(super) fn without_number(word: &str) -> Option<Box<str>> {
    let form = normal(word);
    let number = leading(&form)?;
    let rest = form.trim_start_matches(['#', '(', '[']).strip_prefix(number)?;
    let text = rest.trim_start_matches(['.', ')', ']', ':', '-', ' ']);
    let is_marked = rest.trim_start().starts_with(['.', ')', ']', ':', '-']) || word.contains(KEYCAP);
    let is_word = text.starts_with(char::is_alphabetic);
    (is_marked && is_word).then(|| key(text).into())
}

/// Returns what was said, if it is a number and no more: `2`, `2.`, `#2`, `option 2`, `2nd`, `2번`,
/// `第2个`, in the digits of any script.
pub(super) fn number(said: &str) -> Option<&str> {
    let is_bare = said.bytes().all(|b| b.is_ascii_digit());
    let text = if is_bare { said } else { near::counted(said) };
    leading(text).filter(|number| number.len() == text.len() && number.len() <= 9).map(unpadded)
}

/// True if a text shows the places of so many choices: each number at the beginning of a line.
pub(crate) fn shows_places(text: &str, count: usize) -> bool {
    let lines: Vec<_> = text.lines().map(normal).collect();
    (1..=count).all(|place| {
        let place = place.to_string();
        lines.iter().any(|line| leading(line) == Some(&*place))
    })
}
