//! Rules of a flow in a few words: conditions, hours, chances, the answers that count, and the
//! messages that start it. They are read as a flow file has them, so that none needs code twice.

use serde_json::Value;

/// Rules of one list, at most.
const MOST: usize = 5;

/// Each of the first few items in words, and the number of those that are left out.
fn several<T>(items: &[T], words: impl Fn(&T) -> String) -> Vec<String> {
    let shown = if items.len() > MOST { MOST - 1 } else { items.len() };
    let more = (items.len() > shown).then(|| format!("… {} more", items.len() - shown));
    items.iter().take(shown).map(words).chain(more).collect()
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The ways of a `branch`, each with its condition.
pub(super) fn arms(node: &Value) -> Vec<String> {
    several(list(node, "branches"), |arm| {
        format!("{}: {}", text(arm, "label"), condition(arm.get("when").unwrap_or(&Value::Null)))
    })
}

/// A condition as somebody would say it.
fn condition(when: &Value) -> String {
    for (word, between) in [("all", " and "), ("any", " or ")] {
        if when.get(word).is_some() {
            let parts: Vec<String> = list(when, word).iter().map(nested).collect();
            return parts.join(between);
        }
    }
    if let Some(not) = when.get("not") {
        return format!("not {}", nested(not));
    }
    if let Some(expression) = when.get("expr") {
        return expression.as_str().unwrap_or_default().to_owned();
    }
    comparison(when)
}

/// A condition within another.
fn nested(when: &Value) -> String {
    let is_group = ["all", "any"].iter().any(|word| list(when, word).len() > 1);
    if is_group { format!("({})", condition(when)) } else { condition(when) }
}

fn comparison(when: &Value) -> String {
    let left = bare(text(when, "value"));
    let right = when.get("to").map(operand).unwrap_or_default();
    let among = || list(when, "list").iter().map(operand).collect::<Vec<_>>().join(", ");
    match text(when, "op") {
        "option_payload" => format!("chose {right}"),
        "exists" => format!("{left} is there"),
        "not_exists" => format!("{left} is not there"),
        "string_is_blank" => format!("{left} is blank"),
        "string_is_not_blank" => format!("{left} is not blank"),
        "in_list" => format!("{left} is one of {}", among()),
        "has_word" if right.is_empty() => format!("{left} has a word of {}", among()),
        "number_between" => {
            format!("{left} from {right} to {}", when.get("and").map(operand).unwrap_or_default())
        }
        op => format!("{left} {} {right}", sign(op)),
    }
}

/// The sign, or the words, of an operator that has two sides.
fn sign(op: &str) -> String {
    let sign = match op {
        "string_equals" | "number_equals" | "date_equals" => "=",
        "string_not_equals" | "number_not_equals" => "≠",
        "string_contains" => "contains",
        "string_not_contains" => "does not contain",
        "string_starts_with" | "starts_with" => "starts with",
        "string_ends_with" => "ends with",
        "string_matches" | "regex" => "matches",
        "string_contains_match" => "contains a match of",
        "number_greater" => ">",
        "number_greater_or_equal" => "≥",
        "number_less" => "<",
        "number_less_or_equal" => "≤",
        "date_before" => "before",
        "date_after" => "after",
        other => return other.replace('_', " "),
    };
    sign.to_owned()
}

fn operand(value: &Value) -> String {
    match value {
        Value::String(text) if text.starts_with("{{") => bare(text).to_owned(),
        Value::String(text) => format!("“{text}”"),
        other => other.to_string(),
    }
}

/// A template that is one expression, without its braces.
fn bare(template: &str) -> &str {
    let inner = template.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
    inner.filter(|inner| !inner.contains("{{")).map_or(template, str::trim)
}

/// The share of a way of a `random_split`, in per cent.
pub(super) fn share(node: &Value, label: &str) -> Option<String> {
    let ways = list(node, "branches");
    let weight = |way: &Value| way.get("weight").and_then(Value::as_u64).unwrap_or(1);
    let own = weight(ways.iter().find(|way| text(way, "label") == label)?);
    let all: u64 = ways.iter().map(weight).sum();
    let tenths = (own * 1_000 + all / 2) / all.max(1);
    Some(match tenths % 10 {
        0 => format!("{} %", tenths / 10),
        digit => format!("{}.{digit} %", tenths / 10),
    })
}

const DAYS: [(&str, &str); 7] = [
    ("mon", "Mon"),
    ("tue", "Tue"),
    ("wed", "Wed"),
    ("thu", "Thu"),
    ("fri", "Fri"),
    ("sat", "Sat"),
    ("sun", "Sun"),
];

/// The hours of `open_hours`: days with the same hours together, then dates of their own.
pub(super) fn hours(node: &Value) -> Vec<String> {
    let times = |value: Option<&Value>| {
        let times = value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        times.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
    };
    let mut days: Vec<(&str, &str, String)> = Vec::new();
    for (key, day) in DAYS {
        let times = times(node.pointer(&format!("/hours/{key}")));
        match days.last_mut() {
            Some((_, last, same)) if *same == times => *last = day,
            _ => days.push((day, day, times)),
        }
    }
    let zone = bare(text(node, "timezone")).to_owned();
    let open = days.into_iter().filter(|(.., times)| !times.is_empty());
    let open = open.map(|(first, last, times)| match first == last {
        true => format!("{first} {times}"),
        false => format!("{first}–{last} {times}"),
    });
    let dates: Vec<(&String, &Value)> =
        node.get("dates").and_then(Value::as_object).into_iter().flatten().collect();
    let dates = several(&dates, |(date, value)| match times(Some(value)) {
        times if times.is_empty() => format!("{date} closed"),
        times => format!("{date} {times}"),
    });
    std::iter::once(zone).chain(open).chain(dates).collect()
}

/// The answers that an `ask` takes, if not any text and not its choices alone.
pub(super) fn check(node: &Value) -> Option<String> {
    let number = |field: &str| node.get(field).map(operand).filter(|value| !value.is_empty());
    let range = match (number("min"), number("max")) {
        (Some(min), Some(max)) => format!("{min}–{max}"),
        (Some(min), None) => format!("from {min}"),
        (None, Some(max)) => format!("up to {max}"),
        (None, None) => String::new(),
    };
    let length = match (number("min_length"), number("max_length")) {
        (Some(min), Some(max)) => format!("{min}–{max} characters"),
        (Some(min), None) => format!("{min} characters or more"),
        (None, Some(max)) => format!("up to {max} characters"),
        (None, None) => String::new(),
    };
    let kind = match text(node, "expect") {
        "number" if node.get("whole") == Some(&Value::Bool(true)) => "a whole number".to_owned(),
        "text" | "choice" | "" => String::new(),
        "email" => "an e-mail address".to_owned(),
        "phone" => "a telephone number".to_owned(),
        "url" => "a web address".to_owned(),
        "location" => "a place".to_owned(),
        "media" => "a medium".to_owned(),
        kind => format!("a {kind}"),
    };
    let pattern = match text(node, "pattern") {
        "" => String::new(),
        pattern => format!("/{pattern}/"),
    };
    let types: Vec<&str> = list(node, "media_types").iter().filter_map(Value::as_str).collect();
    let parts = [kind, range, length, pattern, types.join(", ")];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| format!("takes {}", parts.join(", ")))
}

/// The messages that start a flow, by the rules of its trigger.
pub(super) fn trigger(trigger: &Value) -> Vec<String> {
    several(list(trigger, "rules"), |rule| {
        let words = list(rule, "list").iter().map(operand).collect::<Vec<_>>().join(", ");
        let with = rule.get("text").map(operand).unwrap_or(words);
        match text(rule, "match") {
            "any" => "any message".to_owned(),
            "exact" => with,
            "payload" => format!("button {with}"),
            "contains" => format!("contains {with}"),
            "has_word" => format!("has the word {with}"),
            "regex" => format!("matches /{}/", text(rule, "text")),
            how => format!("{} {with}", sign(how)).trim_end().to_owned(),
        }
    })
}
