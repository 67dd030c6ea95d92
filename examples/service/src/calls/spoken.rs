//! The word in an answer of a model, among its thoughts, marks and sentences.

/// The answer without the thoughts before it, as models write them in `<think>`. None: it only
/// thought.
#[must_use]
pub fn thought_out(said: &str) -> Option<&str> {
    let (begin, end) = ("<think>", "</think>");
    let thinks = said.trim_start().starts_with(begin);
    // Some servers leave the first mark out.
    match said.split_once(end) {
        Some((before, after)) if thinks || !before.contains(begin) => Some(after.trim()),
        _ if thinks => None,
        _ => Some(said),
    }
}

/// The word itself, without quotes, marks and a full stop.
#[must_use]
pub fn bare(said: &str) -> &str {
    said.trim_matches(|c: char| c.is_whitespace() || "`\"'.,;:*_#[](){}“”„«»「」。".contains(c))
}

/// Words that make the opposite of what a sentence names, in the languages that people ask models
/// in. A model that says one of them names nothing for sure.
const NEGATIONS: &str = "not no never nor neither cannot without isnt nicht kein keine weder pas aucun ni non não nem \
    niet geen inte ikke ei nie nenhum ninguna ninguno nunca не нет ні ne değil ليس ليست لا ולא לא नहीं không bukan \
    tidak 不是 不属于 不屬於 并非 並非 없다 아니다 아닙니다";
/// Those that are parts of other words.
const NEGATING_PARTS: [&str; 12] = [
    "n't",
    "n’t",
    "不是",
    "不属于",
    "不屬於",
    "并非",
    "並非",
    "ではない",
    "じゃない",
    "ではありません",
    "아니",
    "ไม่",
];

/// The one word of a list that an answer is or names. `Some(None)`: it says `none`. None: it names
/// nothing of the list, or more than one, or says that it is not that.
#[must_use]
pub fn one_of<'a>(words: &[&'a str], said: &str) -> Option<Option<&'a str>> {
    let same = |word: &str, other: &str| word.to_lowercase() == other.to_lowercase();
    for said in [said.trim(), bare(said)] {
        if let Some(word) = words.iter().find(|word| same(word, said)) {
            return Some(Some(word));
        }
    }
    let mut named = words.iter().filter(|word| names(said, word));
    match (named.next(), named.next(), names(said, "none")) {
        (Some(word), None, false) => (!is_negated(said, word)).then_some(Some(word)),
        (None, _, true) => Some(None),
        _ => None,
    }
}

/// True if a sentence says that something is not a word, such as `not billing`.
fn is_negated(said: &str, word: &str) -> bool {
    let beside = said.to_lowercase().replace(&word.to_lowercase(), " ");
    NEGATIONS.split_whitespace().any(|negation| names(&beside, negation))
        || NEGATING_PARTS.iter().any(|part| beside.contains(part))
}

/// The tag that an answer is, or that of the language whose English name it is; of those in the
/// list, where one is of the same language. None: it is no tag of BCP 47.
#[must_use]
pub fn language<'a>(tags: &[&'a str], said: &'a str) -> Option<&'a str> {
    const NAMES: [(&str, &str); 24] = [
        ("arabic", "ar"),
        ("bengali", "bn"),
        ("chinese", "zh"),
        ("czech", "cs"),
        ("dutch", "nl"),
        ("english", "en"),
        ("filipino", "fil"),
        ("french", "fr"),
        ("german", "de"),
        ("greek", "el"),
        ("hebrew", "he"),
        ("hindi", "hi"),
        ("indonesian", "id"),
        ("italian", "it"),
        ("japanese", "ja"),
        ("korean", "ko"),
        ("persian", "fa"),
        ("polish", "pl"),
        ("portuguese", "pt"),
        ("russian", "ru"),
        ("spanish", "es"),
        ("thai", "th"),
        ("turkish", "tr"),
        ("vietnamese", "vi"),
    ];
    let said = bare(said);
    let Some((_, tag)) = NAMES.iter().find(|(name, _)| *name == said.to_lowercase()) else {
        return is_tag(said).then_some(said);
    };
    let is_same = |known: &&&str| known.split('-').next().is_some_and(|own| own.eq_ignore_ascii_case(tag));
    Some(tags.iter().find(is_same).copied().unwrap_or(tag))
}

/// True of `en`, `fil`, `pt-BR`, not of a word.
fn is_tag(text: &str) -> bool {
    let mut parts = text.split(['-', '_']);
    let is_language =
        |part: &str| (2..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic());
    let is_part =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    parts.next().is_some_and(is_language) && parts.all(is_part)
}

/// True if a word is in a text, with no letter of another word beside it.
fn names(text: &str, word: &str) -> bool {
    let (text, word) = (text.to_lowercase(), word.to_lowercase());
    let is_of_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let is_whole = |at: usize| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        // Marks around a word, as in `_billing_`, are none of it.
        let before = before.trim_end_matches(['_', '*']);
        let after = after.trim_start_matches(['_', '*']);
        !before.ends_with(is_of_word) && !after.starts_with(is_of_word)
    };
    !word.is_empty() && text.match_indices(&word).any(|(at, _)| is_whole(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thoughts_are_no_answer() {
        for (said, answer) in [
            ("<think>hm, money</think>\n\nbilling", Some("billing")),
            ("\n<think>\n</think>\n\nbilling\n", Some("billing")),
            ("hm, money</think>billing", Some("billing")),
            ("<think>hm, mon", None),
            ("billing", Some("billing")),
            ("the tag <think>…</think> is not hers", Some("the tag <think>…</think> is not hers")),
        ] {
            assert_eq!(thought_out(said), answer, "{said}");
        }
    }

    #[test]
    fn a_language_is_a_tag_or_its_english_name() {
        for (tags, said, tag) in [
            (&[][..], "en", Some("en")),
            (&[], "`pt-BR`.", Some("pt-BR")),
            (&[], "zh-Hant-TW", Some("zh-Hant-TW")),
            (&[], "English", Some("en")),
            (&["en", "pt-BR"], "Portuguese", Some("pt-BR")),
            (&["en", "pt-BR"], "french.", Some("fr")),
            (&[], "Klingon", None),
            (&[], "It is English, I think.", None),
            (&[], "", None),
        ] {
            assert_eq!(language(tags, said), tag, "{said}");
        }
    }

    #[test]
    fn one_word_of_a_list_is_found_in_what_is_said() {
        let words = ["billing", "sales", "pre-sales", "reklamação", "返金"];
        for (said, word) in [
            ("billing", "billing"),
            ("**Billing**", "billing"),
            ("_billing_", "billing"),
            ("`sales`.", "sales"),
            ("The class is: billing", "billing"),
            ("{\"id\": \"billing\"}", "billing"),
            ("A classe é **Reklamação**.", "reklamação"),
            ("「返金」", "返金"),
            ("It is pre-sales.", "pre-sales"),
        ] {
            assert_eq!(one_of(&words, said), Some(Some(word)), "{said}");
        }
        for none in ["none", "None.", "**none**", "It is none of these."] {
            assert_eq!(one_of(&words, none), Some(None), "{none}");
        }
        for unclear in ["", "billing or sales", "salesman", "none, or billing", "I cannot tell"] {
            assert_eq!(one_of(&words, unclear), None, "{unclear}");
        }
        for opposite in [
            "not billing",
            "Not `billing`.",
            "It is not about billing",
            "It isn't billing.",
            "This doesn’t belong to billing",
            "neither billing",
            "Nicht billing",
            "no es billing",
            "ce n'est pas billing",
            "não é reklamação",
            "это не billing",
            "这不是 billing",
            "「返金」 ではありません",
        ] {
            assert_eq!(one_of(&words, opposite), None, "{opposite}");
        }
        assert_eq!(one_of(&["none", "some"], "None"), Some(Some("none")), "a class may be called so");
        let negative = ["no", "not_interested", "non-billing"];
        for (said, word) in [
            ("no", "no"),
            ("The class is: no", "no"),
            ("The class is not_interested.", "not_interested"),
            ("It is **non-billing**.", "non-billing"),
            ("A nota: not_interested", "not_interested"),
        ] {
            assert_eq!(one_of(&negative, said), Some(Some(word)), "{said}");
        }
    }
}
