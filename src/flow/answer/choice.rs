//! One of several: by its payload, its id, its label, another word for it, or its number in the
//! list.

use std::sync::Arc;

use crate::flow::lang::digits::plain;
use crate::flow::lang::normal;

/// A choice of a question.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) id: Arc<str>,
    /// Its label and other words for it, as [`key`] gives them.
    words: Box<[Box<str>]>,
}

impl Choice {
    pub(crate) fn new<'w>(id: &str, words: impl IntoIterator<Item = &'w str>) -> Self {
        Self { id: id.into(), words: words.into_iter().map(|word| key(word).into()).collect() }
    }

    /// Every text that means it, as it is compared; its number in the list aside.
    pub(crate) fn keys(&self) -> impl Iterator<Item = String> {
        std::iter::once(key(&self.id)).chain(self.words.iter().map(|word| word.to_string()))
    }
}

/// The choice that was meant, by its place; none if there is no such, or more than one.
pub(super) fn find(choices: &[Choice], payload: Option<&str>, text: &str) -> Option<usize> {
    let said = key(text);
    let by_payload = |choice: &Choice| payload == Some(&*choice.id);
    let by_id = |choice: &Choice| key(&choice.id) == said;
    let by_word = |choice: &Choice| choice.words.iter().any(|word| **word == *said);
    let tiers: [&dyn Fn(&Choice) -> bool; 3] = [&by_payload, &by_id, &by_word];
    for means in tiers {
        let mut meant = choices.iter().enumerate().filter(|(_, choice)| means(choice));
        match (meant.next(), meant.next()) {
            (Some((place, _)), None) => return Some(place),
            (Some(_), Some(_)) => return None,
            (None, _) => {}
        }
    }
    number(&said).and_then(|number| number.checked_sub(1)).filter(|place| *place < choices.len())
}

/// A text as it is compared: without case, without space around it.
fn key(text: &str) -> String {
    normal::key(text).into_owned()
}

/// The number in a list: `2`, `2.`, `2)`, `#2`, in the digits of any script.
fn number(text: &str) -> Option<usize> {
    let text = plain(text);
    let text = text.trim_start_matches(['#', '(']).trim_end_matches(['.', ')', ':']);
    let is_number = !text.is_empty() && text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes() -> [Choice; 3] {
        [
            Choice::new("s", ["Small", "little"]),
            Choice::new("m", ["Medium"]),
            Choice::new("l", ["Large", "1", "Straße"]),
        ]
    }

    #[test]
    fn a_choice_is_known_by_payload_id_label_synonym_and_number() {
        for (payload, text, place) in [
            (Some("m"), "Small", 1),
            (None, " S ", 0),
            (None, "MEDIUM", 1),
            (None, "Little", 0),
            (None, "STRASSE", 2),
            (None, "2", 1),
            (None, "2.", 1),
            (None, "#3", 2),
            (None, "٢", 1),
            (None, "2️⃣", 1),
            (Some("unknown"), "large", 2),
        ] {
            assert_eq!(find(&sizes(), payload, text), Some(place), "{payload:?} {text}");
        }
    }

    #[test]
    fn a_word_of_the_authors_goes_before_a_number_in_the_list() {
        assert_eq!(find(&sizes(), None, "1"), Some(2));
    }

    #[test]
    fn what_means_none_or_two_is_no_choice() {
        for text in ["", "huge", "0", "4", "-1", "1.5", "small please", "999999999999"] {
            assert_eq!(find(&sizes(), None, text), None, "{text}");
        }
        let twins = [Choice::new("a", ["Same"]), Choice::new("b", ["same"])];
        assert_eq!(find(&twins, None, "SAME"), None);
    }
}
