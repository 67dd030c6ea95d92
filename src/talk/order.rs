//! The words for acts of the host, each with what follows it.

use chrono::TimeDelta;
use serde_json::Value;

use super::TALK_VERSION;
use super::act::Act;
use crate::flow::Span;

/// A fault of a part of a talk: how many characters in, counted over its lines, and the rule.
#[derive(Debug)]
pub(super) struct TalkFault {
    pub(super) at: usize,
    pub(super) rule: String,
}

impl TalkFault {
    pub(super) fn new(at: usize, rule: impl Into<String>) -> Self {
        Self { at, rule: rule.into() }
    }

    fn behind(self, by: usize) -> Self {
        Self { at: self.at + by, rule: self.rule }
    }
}

/// The words, for who misspells one.
const WORDS: &str = "talk, context, profile, language, now, later, failed, branch, result, back, touch, refuse, window, \
     report, publish, unpublish, let, id, age, asleep";

/// Reads `word rest`.
pub(super) fn read(order: &str) -> Result<Act, TalkFault> {
    let (word, rest) = order.split_once([' ', '\n']).unwrap_or((order, ""));
    let act = with_rest(word, rest).map_err(|fault| fault.behind(word.chars().count() + 1))?;
    let alone = match (act, word) {
        (Some(act), _) => return Ok(act),
        (None, "later") => Act::Later,
        (None, "touch") => Act::Touch,
        (None, "window") => Act::Window,
        (None, _) => {
            return Err(TalkFault::new(0, format!("`{word}` is not an order; write one of {WORDS}")));
        }
    };
    match rest {
        "" => Ok(alone),
        _ => Err(TalkFault::new(word.chars().count() + 1, format!("`{word}` has nothing behind it"))),
    }
}

fn with_rest(word: &str, rest: &str) -> Result<Option<Act>, TalkFault> {
    Ok(Some(match word {
        "context" => Act::Context(value(rest)?),
        "profile" => Act::Profile(object(rest)?),
        "language" => Act::Language(words("a language tag, such as `pt-BR`", rest)?),
        "now" => Act::Now(value(rest)?),
        "failed" => Act::Failed(words("a reason", rest)?),
        "branch" => branch(rest)?,
        "result" => Act::Result(value(rest)?),
        "back" => Act::Back(value(rest)?),
        "refuse" => Act::Refuse(words("a reason", rest)?),
        "report" => Act::Report(words("`read`, `delivered`, `window_closed` or a code", rest)?),
        "publish" => match rest.split_once(" -> ") {
            Some((old, new)) if !old.is_empty() => Act::Publish { old: old.to_owned(), new: new.to_owned() },
            _ => return Err(TalkFault::new(0, "give a text of the flow and another, as in `tea -> coffee`")),
        },
        "unpublish" => match rest.split_once(' ') {
            Some((how @ ("drain" | "terminate"), flow)) if !flow.is_empty() => {
                Act::Unpublish { drains: how == "drain", flow: flow.to_owned() }
            }
            _ => return Err(TalkFault::new(0, "give `drain` or `terminate`, and the code of a flow")),
        },
        "let" => named(rest)?,
        "id" => Act::Id(words("an id", rest)?),
        "age" => Act::Age(span(rest)?),
        "asleep" => Act::Asleep(span(rest)?),
        "talk" => match rest.parse() {
            Ok(TALK_VERSION) => Act::Version(TALK_VERSION),
            _ => {
                return Err(TalkFault::new(
                    0,
                    format!("`{rest}` is not a known version of talks; {TALK_VERSION} is"),
                ));
            }
        },
        _ => return Ok(None),
    }))
}

fn words(what: &str, rest: &str) -> Result<String, TalkFault> {
    if rest.is_empty() { Err(TalkFault::new(0, format!("give {what}"))) } else { Ok(rest.to_owned()) }
}

fn branch(rest: &str) -> Result<Act, TalkFault> {
    let rest = words("the name of a branch", rest)?;
    let (branch, given) = rest.split_once([' ', '\n']).unwrap_or((&rest, "null"));
    let value = value(given).map_err(|fault| fault.behind(branch.chars().count() + 1))?;
    Ok(Act::Branch { branch: branch.to_owned(), value })
}

fn named(rest: &str) -> Result<Act, TalkFault> {
    let Some((name, given)) = rest.split_once(' ') else {
        return Err(TalkFault::new(0, "give a name and a value, as in `cart \"4711\"`"));
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(is_name) || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(TalkFault::new(0, format!("`{name}` is not a name: write letters, digits and `_`")));
    }
    let value = value(given).map_err(|fault| fault.behind(name.chars().count() + 1))?;
    Ok(Act::Let { name: name.to_owned(), value })
}

/// A value in JSON, over one line or several.
pub(super) fn value(text: &str) -> Result<Value, TalkFault> {
    if text.is_empty() {
        return Err(TalkFault::new(0, "give a value in JSON"));
    }
    serde_json::from_str(text).map_err(|error| {
        let before: usize =
            text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let at = before + error.column().saturating_sub(1);
        let told = error.to_string();
        let told = told.split(" at line ").next().unwrap_or_default();
        TalkFault::new(
            text.char_indices().take_while(|(place, _)| *place < at).count(),
            format!("is no JSON: {told}"),
        )
    })
}

pub(super) fn object(text: &str) -> Result<Value, TalkFault> {
    match value(text)? {
        value @ Value::Object(_) => Ok(value),
        _ => Err(TalkFault::new(0, "must be a JSON object")),
    }
}

/// A time span, forwards or back.
pub(super) fn span(text: &str) -> Result<TimeDelta, TalkFault> {
    let (sign, bare) = match text.strip_prefix('-') {
        Some(bare) => (-1, bare),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if bare == "0s" {
        return Ok(TimeDelta::zero());
    }
    match Span::parse(bare) {
        Ok(span) => Ok(TimeDelta::seconds(i64::from(span.seconds()) * sign)),
        Err(rule) => Err(TalkFault::new(0, format!("`{text}` {rule}, such as +31m or +1h30m"))),
    }
}
