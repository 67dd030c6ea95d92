//! Numbers in words, as people say them for a place or a label: `two`, `option two`, `la dos`
//! (SEMANTICS U6), whatever the language: by those words of `numeral` from one to ten that are
//! nothing else elsewhere.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::near::is_call;
use super::numeral::each_place_word;
use crate::flow::lang::normal::{is_unspaced, normal};

/// A number from one on.
#[derive(Clone, Copy)]
struct Cardinal {
    number: usize,
    /// True if the word is a number only where one is called so: `option um`.
    needs_call: bool,
}

static CARDINALS: LazyLock<HashMap<Box<str>, Cardinal>> = LazyLock::new(|| {
    let mut words = HashMap::new();
    each_place_word(|word, number, needs_call| {
        words.insert(normal(word).into(), Cardinal { number, needs_call });
    });
    words
});

/// The number that a text is, as it is compared, if it says no more.
pub(super) fn read(said: &str) -> Option<usize> {
    /// Articles of one thing in every language that has them; `the two` are both.
    const SINGLE: [&str; 3] = ["el", "la", "il"];
    const MOST_BYTES: usize = 96;
    if said.len() > MOST_BYTES {
        return None;
    }
    let (mut rest, mut is_called) = (said, false);
    loop {
        let found = CARDINALS.get(rest).filter(|cardinal| is_called || !cardinal.needs_call);
        if let Some(cardinal) = found {
            return Some(cardinal.number);
        }
        let (word, behind) = rest.split_once(' ')?;
        let word = word.trim_end_matches(['.', ':']);
        // `one` is a noun elsewhere: `the first one`.
        let is_calling = is_call(word) && !is_word(word);
        is_called |= is_calling;
        if !is_calling && !SINGLE.contains(&word) {
            return None;
        }
        rest = behind;
    }
}

/// True for a word that is a number in some language.
pub(super) fn is_word(word: &str) -> bool {
    CARDINALS.contains_key(word)
}

/// True if a label has this number in words; of none, any.
pub(super) fn is_held(label: &str, number: Option<usize>) -> bool {
    let mut words =
        label.split(|c: char| c.is_whitespace() || matches!(c, '-' | '(' | ')' | '/' | ',' | ':' | '.'));
    let is_it = |word: &str| {
        // Weekdays of Arabs are numbers with an article.
        let found = CARDINALS.get(word).or_else(|| CARDINALS.get(word.strip_prefix("ال")?));
        found.is_some_and(|found| !found.needs_call && number.is_none_or(|number| number == found.number))
    };
    words.any(is_it)
}

/// True if a label without blanks between its words has the sign of a number in one of them:
/// `周二`.
pub(super) fn is_inside(label: &str) -> bool {
    label.contains(is_unspaced)
        && CARDINALS.keys().any(|word| word.chars().all(is_unspaced) && label.contains(&**word))
}
