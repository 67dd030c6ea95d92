//! From a text to a talk, and back as it was.

use std::fmt;
use std::str::FromStr;

use chrono::DateTime;
use serde_json::Value;

use super::act::Act;
use super::order::{self, TalkFault};
use super::text::is_object;

/// A talk as it was read, line by line; it prints as it was read.
///
/// ```
/// use chatflow::talk::{Act, Talk};
///
/// let text = "> hello\n< Hi, Ada! …\n@ +31m\n= expired at wait\n";
/// let talk = Talk::parse(text)?;
/// assert_eq!(talk.to_string(), text);
/// assert_eq!(talk.acts().count(), 2);
///
/// let wrong = Talk::parse("> hello\n@ soon\n").unwrap_err();
/// assert_eq!(wrong.to_string(), "line 2, column 3: `soon` is not a time span, such as +31m or +1h30m");
/// # Ok::<(), chatflow::talk::InvalidTalk>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Talk {
    lines: Vec<TalkLine>,
    /// True if the last line has no end.
    is_open: bool,
}

/// A line of a talk, with those that continue it.
#[derive(Clone, Debug, PartialEq)]
pub struct TalkLine {
    number: usize,
    raw: String,
    part: TalkPart,
}

/// A line of a talk, as it was read.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TalkPart {
    /// Something that is done.
    Act(Act),
    /// Something that should come of it.
    Heard {
        /// The mark of the line, one of `<`, `~`, `=`, `*` and `?`.
        mark: char,
        /// The text behind it; the lines of a text are parted by `\n`.
        text: String,
    },
    /// A remark, or a blank line.
    Remark,
}

/// The reason a text is not a talk: the line, the column and the rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {rule}")]
#[non_exhaustive]
pub struct InvalidTalk {
    /// The line, from 1.
    pub line: usize,
    /// The character in it, from 1.
    pub column: usize,
    /// The rule.
    pub rule: String,
}

impl TalkLine {
    /// Returns its number in the text, from 1.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// Returns the text of the line as it was read, and of those that continue it.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Returns its kind.
    #[must_use]
    pub fn part(&self) -> &TalkPart {
        &self.part
    }
}

impl Talk {
    /// A talk without a line.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a talk.
    ///
    /// # Errors
    /// [`InvalidTalk`]: the first line that is none of a talk, and why.
    pub fn parse(text: &str) -> Result<Self, InvalidTalk> {
        let mut groups: Vec<Group<'_>> = Vec::new();
        let bare = text.strip_suffix('\n');
        let lines = bare.unwrap_or(text);
        for (place, raw) in lines.split('\n').enumerate().filter(|_| !text.is_empty()) {
            let line = if place == 0 { raw.trim_start_matches('\u{feff}') } else { raw };
            let line = line.strip_suffix('\r').unwrap_or(line);
            let number = place + 1;
            match line.chars().next().filter(|_| !line.trim().is_empty()) {
                None | Some('#') => {
                    groups.push(Group { number, raw: vec![raw], mark: None, body: String::new() })
                }
                Some('.') => {
                    match groups.last_mut().filter(|group| group.mark.is_some_and(|mark| mark != '@')) {
                        Some(group) => {
                            group.raw.push(raw);
                            group.body.push('\n');
                            group.body += body(line, number)?;
                        }
                        None => return Err(bad(number, 1, "there is no line above it to continue")),
                    }
                }
                Some(mark @ ('>' | '<' | '@' | '!' | '~' | '=' | '*' | '?')) => {
                    let body = body(line, number)?.to_owned();
                    groups.push(Group { number, raw: vec![raw], mark: Some(mark), body });
                }
                Some(other) => {
                    let rule =
                        format!("`{other}` begins no line of a talk; write one of > < @ ! ~ = * ? . #");
                    return Err(bad(number, 1, rule));
                }
            }
        }
        let mut names = Vec::new();
        let lines = groups.into_iter().map(|group| group.read(&mut names)).collect::<Result<_, _>>()?;
        Ok(Self { lines, is_open: bare.is_none() && !text.is_empty() })
    }

    /// Returns its lines, those that continue one being part of it.
    #[must_use]
    pub fn lines(&self) -> &[TalkLine] {
        &self.lines
    }

    /// Returns the acts, in order.
    pub fn acts(&self) -> impl Iterator<Item = &Act> {
        self.lines.iter().filter_map(|line| match &line.part {
            TalkPart::Act(act) => Some(act),
            _ => None,
        })
    }

    /// Adds something that is done.
    pub fn push(&mut self, act: Act) {
        let (raw, number) = (act.to_string(), self.next_number());
        self.lines.push(TalkLine { number, raw, part: TalkPart::Act(act) });
    }

    /// Adds a remark in one line.
    pub fn remark(&mut self, text: &str) {
        let raw = format!("# {}", text.lines().collect::<Vec<_>>().join(" "));
        self.lines.push(TalkLine { number: self.next_number(), raw, part: TalkPart::Remark });
    }

    fn next_number(&self) -> usize {
        self.lines.last().map_or(1, |last| last.number + last.raw.split('\n').count())
    }
}

impl FromStr for Talk {
    type Err = InvalidTalk;

    fn from_str(text: &str) -> Result<Self, InvalidTalk> {
        Self::parse(text)
    }
}

impl fmt::Display for Talk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, line) in self.lines.iter().enumerate() {
            f.write_str(&line.raw)?;
            if !self.is_open || place + 1 < self.lines.len() {
                f.write_str("\n")?;
            }
        }
        Ok(())
    }
}

fn bad(line: usize, column: usize, rule: impl Into<String>) -> InvalidTalk {
    InvalidTalk { line, column, rule: rule.into() }
}

/// The text of a line behind its mark.
fn body(line: &str, number: usize) -> Result<&str, InvalidTalk> {
    let mut rest = line.chars();
    rest.next();
    match rest.as_str() {
        "" => Ok(""),
        text => text.strip_prefix(' ').ok_or_else(|| bad(number, 2, "a space must follow the mark")),
    }
}

/// A line and those that continue it.
struct Group<'t> {
    number: usize,
    raw: Vec<&'t str>,
    /// None: a remark.
    mark: Option<char>,
    body: String,
}

impl Group<'_> {
    fn read(self, names: &mut Vec<(String, String)>) -> Result<TalkLine, InvalidTalk> {
        let number = self.number;
        let text = named(&self.body, names);
        let part = match self.mark {
            None => TalkPart::Remark,
            Some('>') => TalkPart::Act(said(&text).map_err(|fault| self.at(&fault))?),
            Some('@') => TalkPart::Act(time(&text).map_err(|fault| self.at(&fault))?),
            Some('!') => TalkPart::Act(order::read(&text).map_err(|fault| self.at(&fault))?),
            Some(mark) => {
                if let ('<', Some(inside)) = (mark, super::text::pattern(&text)) {
                    super::expected::regex(inside).map_err(|rule| {
                        self.at(&TalkFault::new(0, format!("is not a regular expression: {rule}")))
                    })?;
                }
                TalkPart::Heard { mark, text }
            }
        };
        if let TalkPart::Act(Act::Let { name, value }) = &part {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            names.retain(|(known, _)| known != name);
            names.push((name.clone(), text));
        }
        Ok(TalkLine { number, raw: self.raw.join("\n"), part })
    }

    /// A fault at its place in the text.
    fn at(&self, fault: &TalkFault) -> InvalidTalk {
        let (mut line, mut column) = (self.number, fault.at.min(self.body.chars().count()));
        for text in self.body.split('\n') {
            let length = text.chars().count();
            if column <= length {
                break;
            }
            column -= length + 1;
            line += 1;
        }
        bad(line, column + 3, fault.rule.clone())
    }
}

/// A text with the names that it has put in their places.
fn named(text: &str, names: &[(String, String)]) -> String {
    let mut parts = text.split('$');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        match names.iter().find(|(known, _)| known == name) {
            Some((_, value)) => whole.extend([value, rest]),
            None => whole.extend(["$", part]),
        }
    }
    whole
}

/// The kinds of messages that a contact may send beside texts and choices.
const KINDS: [&str; 9] =
    ["text", "media", "location", "choice", "form", "order", "contacts", "reaction", "other"];

/// The contact's message: a text, a label or an object.
fn said(text: &str) -> Result<Act, TalkFault> {
    if let Some(plain) = text.strip_prefix('\\') {
        return Ok(Act::Say(plain.to_owned()));
    }
    if let Some(label) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return Ok(Act::Choose(label.to_owned()));
    }
    if !is_object(text) {
        return Ok(Act::Say(text.to_owned()));
    }
    let value = order::object(text)?;
    match KINDS.into_iter().filter(|kind| value.get(kind).is_some()).collect::<Vec<_>>()[..] {
        [kind @ ("text" | "choice")] if !value.get(kind).is_some_and(Value::is_string) => {
            Err(TalkFault::new(0, format!("`{kind}` must be a text")))
        }
        ["text"] if value.as_object().is_some_and(|object| object.len() == 1) => {
            Ok(Act::Say(value["text"].as_str().unwrap_or_default().to_owned()))
        }
        [_] => Ok(Act::Send(value)),
        _ => {
            Err(TalkFault::new(0, format!("must have one of {}; escape a text as `\\{{`", KINDS.join(", "))))
        }
    }
}

/// A span or an instant.
fn time(text: &str) -> Result<Act, TalkFault> {
    match DateTime::parse_from_rfc3339(text) {
        Ok(instant) => Ok(Act::At(instant.to_utc())),
        Err(_) => order::span(text).map(Act::Pass),
    }
}
