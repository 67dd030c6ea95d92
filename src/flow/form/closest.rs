//! "Did you mean": the known word that an unknown one was most likely meant to be.

/// Words of other products for fields, kinds and operators, each with ours. The first that is known
/// where it was written is the one that was meant.
const SYNONYMS: &[(&str, &[&str])] = &[
    // Fields.
    ("arguments", &["args"]),
    ("body", &["text"]),
    ("buttons", &["options", "choices"]),
    ("caption", &["text"]),
    ("choices", &["options"]),
    ("condition", &["when"]),
    ("content", &["text"]),
    ("destination", &["to"]),
    ("duration", &["for"]),
    ("handle", &["branch"]),
    ("if", &["when", "branch"]),
    ("key", &["name"]),
    ("label", &["title", "name", "branch"]),
    ("lat", &["latitude"]),
    ("left", &["value"]),
    ("lng", &["longitude"]),
    ("lon", &["longitude"]),
    ("long", &["longitude"]),
    ("message", &["text", "send_message"]),
    ("minutes", &["for"]),
    ("name", &["label"]),
    ("next", &["to"]),
    ("operator", &["op"]),
    ("options", &["choices"]),
    ("output", &["branch", "save_to"]),
    ("parameters", &["args", "params"]),
    ("params", &["args"]),
    ("phrase", &["text"]),
    ("port", &["branch"]),
    ("prompt", &["text"]),
    ("right", &["to"]),
    ("save_as", &["save_to"]),
    ("seconds", &["for"]),
    ("source", &["from"]),
    ("source_handle", &["branch"]),
    ("store_in", &["save_to"]),
    ("target", &["to", "node"]),
    ("text", &["label", "title"]),
    ("title", &["label", "name"]),
    ("to", &["target"]),
    ("ttl", &["session_ttl_minutes"]),
    ("type", &["kind", "expect", "match"]),
    ("value", &["to"]),
    ("variable", &["save_to", "name"]),
    // Kinds of nodes.
    ("ai", &["llm"]),
    ("agent", &["handoff"]),
    ("api", &["http_request"]),
    ("goto", &["jump"]),
    ("go_to", &["jump"]),
    ("handover", &["handoff"]),
    ("http", &["http_request"]),
    ("human", &["handoff"]),
    ("loop", &["for_each"]),
    ("pause", &["delay"]),
    ("question", &["text", "ask"]),
    ("set", &["set_variables"]),
    ("set_variable", &["set_variables"]),
    ("sleep", &["delay"]),
    ("subflow", &["flow", "call_flow"]),
    ("switch", &["branch"]),
    ("wait", &["wait_reply", "for"]),
    ("webhook", &["http_request"]),
    // Operators.
    ("!=", &["string_not_equals"]),
    ("<", &["number_less"]),
    ("<=", &["number_less_or_equal"]),
    ("<>", &["string_not_equals"]),
    ("=", &["string_equals"]),
    ("==", &["string_equals"]),
    ("===", &["string_equals"]),
    ("!==", &["string_not_equals"]),
    (">", &["number_greater"]),
    (">=", &["number_greater_or_equal"]),
    ("after", &["date_after"]),
    ("before", &["date_before"]),
    ("between", &["number_between"]),
    ("contains", &["string_contains"]),
    ("does_not_contain", &["string_not_contains"]),
    ("does_not_equal", &["string_not_equals"]),
    ("empty", &["string_is_blank"]),
    ("ends_with", &["string_ends_with"]),
    ("eq", &["string_equals"]),
    ("equal", &["string_equals"]),
    ("equal_to", &["string_equals"]),
    ("equals", &["string_equals"]),
    ("gt", &["number_greater"]),
    ("gte", &["number_greater_or_equal"]),
    ("greater_than", &["number_greater"]),
    ("greater_than_or_equal", &["number_greater_or_equal"]),
    ("greater_than_or_equals", &["number_greater_or_equal"]),
    ("in", &["in_list"]),
    ("is", &["string_equals"]),
    ("is_empty", &["string_is_blank"]),
    ("is_equal_to", &["string_equals"]),
    ("is_not", &["string_not_equals"]),
    ("is_not_empty", &["string_is_not_blank"]),
    ("less_than", &["number_less"]),
    ("less_than_or_equal", &["number_less_or_equal"]),
    ("less_than_or_equals", &["number_less_or_equal"]),
    ("lt", &["number_less"]),
    ("lte", &["number_less_or_equal"]),
    ("matches", &["string_matches"]),
    ("ne", &["string_not_equals"]),
    ("neq", &["string_not_equals"]),
    ("not_contains", &["string_not_contains"]),
    ("not_empty", &["string_is_not_blank"]),
    ("not_equal", &["string_not_equals"]),
    ("not_equals", &["string_not_equals"]),
    ("regex", &["string_matches", "pattern"]),
    ("starts_with", &["string_starts_with"]),
];

/// The word of `known` that a word of another product means.
fn translated<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let (_, ours) = SYNONYMS.iter().find(|(theirs, _)| *theirs == word)?;
    ours.iter().find_map(|ours| known.clone().into_iter().find(|known| known == ours))
}

/// The word of `known` that is another product's `word`, or else differs from it in at most two
/// letters (one, if it is short).
pub(crate) fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Option<&'a str> {
    const LONGEST: usize = 32;
    if word.len() > LONGEST {
        return None;
    }
    let word = snake_case(word);
    if let Some(meant) = translated(&word, known.clone()) {
        return Some(meant);
    }
    let allowed = match word.chars().count() {
        0..2 => 0,
        2..5 => 1,
        _ => 2,
    };
    known
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        // Of two that are as near, a wrong letter is likelier than one too many.
        .min_by_key(|(distance, candidate)| (*distance, candidate.len().abs_diff(word.len())))
        .map(|(_, candidate)| candidate)
}

/// A word in the spelling of fields and operators: `notEquals` and `Not-Equals` are `not_equals`.
fn snake_case(word: &str) -> String {
    let mut written = String::with_capacity(word.len() + 2);
    let mut before = ' ';
    for letter in word.chars() {
        if letter.is_uppercase() && before.is_lowercase() {
            written.push('_');
        }
        before = letter;
        match letter {
            '-' | ' ' => written.push('_'),
            letter => written.extend(letter.to_lowercase()),
        }
    }
    written
}

/// Levenshtein's distance, one row at a time.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, in_a) in a.chars().enumerate() {
        let (mut diagonal, mut left) = (i, i + 1);
        for (cell, in_b) in row.iter_mut().skip(1).zip(b.chars()) {
            let above = *cell;
            left = (diagonal + usize::from(in_a != in_b)).min(above + 1).min(left + 1);
            (*cell, diagonal) = (left, above);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_miss_is_recognised_and_a_stranger_is_not() {
        let known = ["timeout", "save_to", "accept", "id"];
        assert_eq!(closest("timout", known), Some("timeout"));
        assert_eq!(closest("saveTo", known), Some("save_to"));
        assert_eq!(closest("SAVE_TO", known), Some("save_to"));
        assert_eq!(closest("colour", known), None);
        assert_eq!(closest("if", known), Some("id"));
        assert_eq!(closest("uri", ["ui", "url"]), Some("url"));
    }

    #[test]
    fn a_word_of_another_product_is_translated_where_ours_is_known() {
        assert_eq!(closest("source", ["from", "to", "branch"]), Some("from"));
        assert_eq!(closest("Title", ["id", "label"]), Some("label"));
        assert_eq!(closest("label", ["id", "title"]), Some("title"));
        assert_eq!(closest("message", ["id", "kind", "text"]), Some("text"));
        assert_eq!(closest("==", ["string_equals", "number_equals"]), Some("string_equals"));
        assert_eq!(closest("equals", ["exists"]), None, "ours is not known there");
        for (theirs, ours) in [
            ("notEquals", "string_not_equals"),
            ("isNotEmpty", "string_is_not_blank"),
            ("greaterThanOrEqual", "number_greater_or_equal"),
            ("startsWith", "string_starts_with"),
            ("does-not-contain", "string_not_contains"),
            ("sourceHandle", "branch"),
            ("lng", "longitude"),
        ] {
            assert_eq!(closest(theirs, ["op", ours]), Some(ours), "{theirs}");
        }
    }
}
