//! The lines that a talk expects, beside those that come: the first difference, and the talk as it
//! goes now.

use std::fmt;

use regex::Regex;

use super::line::Line;
use super::read::{TalkLine, TalkPart};
use super::text::pattern;

/// A talk that was played with a flow: whether it goes as it is written, and how it goes now.
#[derive(Clone, Debug)]
pub struct Played {
    text: String,
    difference: Option<Difference>,
    is_whole: bool,
}

impl Played {
    /// Returns the talk as it goes now: its acts and remarks, and what comes of them. An expected
    /// line that fits is kept as it is written, patterns too.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the first difference; None: the talk goes as it is written.
    #[must_use]
    pub fn difference(&self) -> Option<&Difference> {
        self.difference.as_ref()
    }

    /// Returns false if an act could not be done, such as a choice of what was not offered: the
    /// rest of the talk was not played.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }
}

/// The first place at which a talk differs from its script. It prints with the talk so
/// far, the expected line behind `-` and the actual one behind `+`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The line of the talk, from 1.
    pub line: usize,
    /// The line that was expected there; None: nothing more.
    pub expected: Option<String>,
    /// The line that came; None: nothing more.
    pub actual: Option<String>,
    /// The talk as far as it went as it is written.
    pub before: String,
}

impl Difference {
    /// A difference behind these lines, which went as they were to.
    #[must_use]
    pub fn behind(before: &[Line], expected: Option<String>, actual: Option<String>) -> Self {
        let before: String = before.iter().map(|line| format!("{line}\n")).collect();
        Self { line: before.lines().count() + 1, expected, actual, before }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before: Vec<&str> = self.before.lines().collect();
        let first = self.line.saturating_sub(before.len());
        for (place, line) in before.iter().enumerate() {
            writeln!(f, "  {:>4} | {line}", first + place)?;
        }
        let block = |f: &mut fmt::Formatter<'_>, sign: char, text: Option<&str>| {
            let lines = text.unwrap_or("(nothing more)").lines().enumerate();
            lines
                .into_iter()
                .try_for_each(|(place, line)| writeln!(f, "{sign} {:>4} | {line}", self.line + place))
        };
        block(f, '-', self.expected.as_deref())?;
        block(f, '+', self.actual.as_deref())
    }
}

/// An expected text as a regular expression over the whole of the actual one.
pub(super) fn regex(inside: &str) -> Result<Regex, String> {
    let whole = format!("^(?s:{inside})$");
    Regex::new(&whole).map_err(|error| error.to_string().lines().last().unwrap_or_default().to_owned())
}

/// True if an actual text is the expected one; that of a `<` line may be a pattern.
pub(super) fn fits(mark: char, expected: &str, actual: &str) -> bool {
    let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    let (expected, actual) = (trimmed(expected), trimmed(actual));
    if mark != '<' {
        return expected == actual;
    }
    if let Some(plain) = expected.strip_prefix('\\') {
        return plain == actual;
    }
    match pattern(&expected) {
        Some(inside) => regex(inside).is_ok_and(|regex| regex.is_match(&actual)),
        None => fits_gaps(&expected, &actual),
    }
}

/// True if a text has the parts between `…` in their order.
fn fits_gaps(expected: &str, actual: &str) -> bool {
    let Some((first, rest)) = expected.split_once('…') else { return expected == actual };
    let Some(mut actual) = actual.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('…').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = actual.find(part) else { return false };
        actual = &actual[at + part.len()..];
    }
    actual.ends_with(last)
}

/// A talk beside what comes of it, while it is played.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    text: String,
    difference: Option<Difference>,
    has_failed: bool,
}

impl Comparison {
    /// Takes an act of the talk as it is written.
    pub(crate) fn act(&mut self, line: &TalkLine) {
        self.write(line.raw());
    }

    /// Takes what came of the last act, beside the lines that follow it in the talk. `next` is the
    /// number of the line behind them.
    pub(crate) fn heard(&mut self, expected: &[TalkLine], actual: &[Line], next: usize) {
        let mut actual = actual.iter().filter_map(|line| Some((line.mark(), line.heard()?, line)));
        let last = expected.iter().rposition(|line| matches!(line.part(), TalkPart::Heard { .. }));
        // Remarks above a talk go before what comes first, all others where they are.
        let is_head = self.text.is_empty();
        let (beside, after) = expected.split_at(match last {
            Some(last) => last + 1,
            None if is_head => expected.len(),
            None => 0,
        });
        for line in beside {
            let TalkPart::Heard { mark, text } = line.part() else {
                self.write(line.raw());
                continue;
            };
            match actual.next() {
                Some((found, heard, _)) if found == *mark && fits(*mark, text, &heard) => {
                    self.write(line.raw())
                }
                Some((.., heard)) => {
                    self.differ(line.number(), Some(line.raw()), Some(&heard.to_string()));
                    self.write(&heard.to_string());
                }
                None => self.differ(line.number(), Some(line.raw()), None),
            }
        }
        for (.., heard) in actual {
            let number = after.first().map_or(next, TalkLine::number);
            self.differ(number, None, Some(&heard.to_string()));
            self.write(&heard.to_string());
        }
        after.iter().for_each(|line| self.write(line.raw()));
    }

    /// Takes the reason for which an act could not be done.
    pub(crate) fn fail(&mut self, line: &TalkLine, why: &str) {
        // A difference before it is told, and not the last one.
        self.differ(line.number(), Some(line.raw()), Some(&format!("({why})")));
        self.has_failed = true;
    }

    /// The whole of it.
    pub(crate) fn finish(self) -> Played {
        Played { text: self.text, difference: self.difference, is_whole: !self.has_failed }
    }

    fn differ(&mut self, line: usize, expected: Option<&str>, actual: Option<&str>) {
        let (expected, actual) = (expected.map(str::to_owned), actual.map(str::to_owned));
        let before = &self.text;
        self.difference.get_or_insert_with(|| Difference { line, expected, actual, before: before.clone() });
    }

    fn write(&mut self, line: &str) {
        self.text += line;
        self.text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_gap_stands_for_any_text_and_a_pattern_for_what_it_matches() {
        for (expected, actual) in [
            ("Hi … bye", "Hi Ada, bye"),
            ("…", "anything\nat all"),
            ("a…b…c", "abbc"),
            ("/order [0-9]+/", "order 4711"),
            ("\\/help/", "/help/"),
            ("…", "…"),
        ] {
            assert!(fits('<', expected, actual), "{expected:?} {actual:?}");
        }
        for (expected, actual) in [
            ("Hi … bye", "Hi Ada"),
            ("a…a", "a"),
            ("/order [0-9]+/", "my order 4711"),
            ("/help/", "/help/"),
            ("Hi", "Hi Ada"),
        ] {
            assert!(!fits('<', expected, actual), "{expected:?} {actual:?}");
        }
        assert!(!fits('=', "waiting …", "waiting at x"), "only what is said has gaps");
    }
}
