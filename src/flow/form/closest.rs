//! "Did you mean": the known word that an unknown one was most likely meant to be.

/// Words of other products for fields, kinds and operators, each with ours. The first that is known
/// where it was written is the one that was meant.
const SYNONYMS: &[(&str, &[&str])] = &[
    // Fields.
    ("body", &["text"]),
    ("buttons", &["options", "choices"]),
    ("caption", &["text"]),
    ("choices", &["options"]),
    ("condition", &["when"]),
    ("content", &["text"]),
    ("destination", &["to"]),
    ("duration", &["for"]),
    ("if", &["when", "branch"]),
    ("label", &["title", "name"]),
    ("message", &["text", "send_message"]),
    ("next", &["to"]),
    ("operator", &["op"]),
    ("options", &["choices"]),
    ("phrase", &["text"]),
    ("save_as", &["save_to"]),
    ("source", &["from"]),
    ("store_in", &["save_to"]),
    ("target", &["to", "node"]),
    ("title", &["label", "name"]),
    ("ttl", &["session_ttl_minutes"]),
    ("type", &["kind", "match"]),
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
    ("question", &["ask"]),
    ("set", &["set_variables"]),
    ("set_variable", &["set_variables"]),
    ("sleep", &["delay"]),
    ("subflow", &["call_flow"]),
    ("switch", &["branch"]),
    ("wait", &["wait_reply", "for"]),
    ("webhook", &["http_request"]),
    // Operators.
    ("!=", &["string_not_equals"]),
    ("<", &["number_less"]),
    ("<=", &["number_less_or_equal"]),
    ("=", &["string_equals"]),
    ("==", &["string_equals"]),
    (">", &["number_greater"]),
    (">=", &["number_greater_or_equal"]),
    ("after", &["date_after"]),
    ("before", &["date_before"]),
    ("between", &["number_between"]),
    ("contains", &["string_contains"]),
    ("empty", &["string_is_blank"]),
    ("ends_with", &["string_ends_with"]),
    ("eq", &["string_equals"]),
    ("equals", &["string_equals"]),
    ("gt", &["number_greater"]),
    ("gte", &["number_greater_or_equal"]),
    ("greater_than", &["number_greater"]),
    ("in", &["in_list"]),
    ("is_empty", &["string_is_blank"]),
    ("less_than", &["number_less"]),
    ("lt", &["number_less"]),
    ("lte", &["number_less_or_equal"]),
    ("matches", &["string_matches"]),
    ("ne", &["string_not_equals"]),
    ("neq", &["string_not_equals"]),
    ("not_contains", &["string_not_contains"]),
    ("not_empty", &["string_is_not_blank"]),
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
    let word = word.to_lowercase();
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
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
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
        assert_eq!(closest("colour", known), None);
        assert_eq!(closest("if", known), Some("id"));
    }

    #[test]
    fn a_word_of_another_product_is_translated_where_ours_is_known() {
        assert_eq!(closest("source", ["from", "to", "branch"]), Some("from"));
        assert_eq!(closest("Title", ["id", "label"]), Some("label"));
        assert_eq!(closest("label", ["id", "title"]), Some("title"));
        assert_eq!(closest("message", ["id", "kind", "text"]), Some("text"));
        assert_eq!(closest("==", ["string_equals", "number_equals"]), Some("string_equals"));
        assert_eq!(closest("equals", ["exists"]), None, "ours is not known there");
    }
}
