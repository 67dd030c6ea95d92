//! The frame that people and programs write around a value: blanks, quotes, emoji, brackets, the
//! final marks of every script (SEMANTICS U2, U15).

use super::mark::{is_edge, is_emoji, is_invisible};
use crate::digits::digit;

/// True for what people write around a value that they type: blanks, emoji, quotes, stars and the
/// final marks of every script (SEMANTICS U2). Brackets and dashes are none.
pub(crate) fn is_frame(c: char) -> bool {
    let c = narrow(c);
    let is_kept = matches!(c,
        '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | '-' | '~' | '\u{2010}'..='\u{2015}' | '\u{2032}'..='\u{2037}'
        | '\u{2044}' | '\u{2052}');
    let is_mark = is_edge(c) || is_emoji(c) || is_invisible(c) || matches!(c, '*' | '_' | '`' | '|');
    !is_kept && (is_mark || c.is_whitespace())
}

/// A text without the frame around it; what may be the decimal mark of a number stays.
pub(crate) fn unframed(text: &str) -> &str {
    let inner = text.trim_end_matches(is_frame);
    let rest = inner.trim_start_matches(is_frame);
    // A single mark right before a digit is that of a fraction: `.5`.
    let frame = inner.get(..inner.len() - rest.len()).unwrap_or_default();
    let point = frame.chars().next_back().filter(|c| matches!(narrow(*c), '.' | ',' | '\u{60c}'));
    let is_number = rest.starts_with(|c: char| c.is_ascii_digit() || digit(c).is_some());
    match point.filter(|_| is_number) {
        Some(point) if !frame.strip_suffix(point).is_some_and(|frame| frame.ends_with(point)) => {
            inner.get(frame.len() - point.len_utf8()..).unwrap_or(rest)
        }
        _ => rest,
    }
}

/// A text without the brackets around it, and without what is around those.
pub(crate) fn unbracketed(text: &str) -> &str {
    const PAIRS: [(char, char); 7] =
        [('(', ')'), ('[', ']'), ('<', '>'), ('{', '}'), ('（', '）'), ('［', '］'), ('＜', '＞')];
    let text = unframed(text);
    let inside = PAIRS.iter().find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close));
    inside.map_or(text, unframed)
}

/// The letters and signs that Chinese and Japanese keyboards write twice as wide, and the marks
/// that they write half as wide.
pub(crate) fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{ff61}' => '。',
        '\u{ff62}' => '「',
        '\u{ff63}' => '」',
        '\u{ff64}' => '、',
        '\u{ff65}' => '・',
        c => c,
    }
}

/// True for the brackets that are written around an address.
fn is_bracket(c: char) -> bool {
    matches!(c, '(' | ')' | '[' | ']' | '<' | '>' | '{' | '}')
}

/// An e-mail address without the marks that people and programs write around it or at its end.
pub(crate) fn unwrapped(text: &str) -> &str {
    let address = text.trim_end_matches(|c| is_frame(c) || is_bracket(c));
    unwrapped_start(address, text.get(address.len()..).unwrap_or_default())
}

/// An e-mail address without the marks before it. One that an address may begin with, such as `_`,
/// is taken away only where it is behind it as well.
pub(crate) fn unwrapped_start<'t>(address: &'t str, behind: &str) -> &'t str {
    let may_begin = |c: char| "!#$%&'*+-/=?^_`{|}~".contains(c);
    let closes = |c: char| behind.contains(if c == '{' { '}' } else { c });
    let is_outside = |c: char| (is_frame(c) || is_bracket(c)) && c != '.';
    address.trim_start_matches(|c| is_outside(c) && (!may_begin(c) || closes(c)))
}

/// A web address without the marks around it.
pub(crate) fn unwrapped_url(text: &str) -> &str {
    let address = text.trim_start_matches(|c| is_frame(c) || matches!(c, '(' | '[' | '<' | '{'));
    unwrapped_end(text.strip_suffix(address).unwrap_or_default(), address)
}

/// A web address without the marks at its end. It may end with a bracket that it opens itself, and
/// with `*`, `_`, `` ` `` or `|` that is not before it as well.
pub(crate) fn unwrapped_end<'t>(before: &str, address: &'t str) -> &'t str {
    let opened = |open| address.contains(open);
    address.trim_end_matches(|c| match c {
        ')' => !opened('('),
        ']' => !opened('['),
        '>' => !opened('<'),
        '}' => !opened('{'),
        '*' | '_' | '`' | '|' => before.contains(c),
        c => is_frame(c),
    })
}
