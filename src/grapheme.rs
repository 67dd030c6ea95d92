//! Texts as people count them: by what they see as one character, such as a family of emoji or a
//! letter with its accent (UAX 29). How long a text may be is for others.

use unicode_segmentation::UnicodeSegmentation;

/// The unit in which a channel counts how long a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextUnit {
    /// Code points.
    Characters,
    /// Units of UTF-16.
    Utf16,
    /// Bytes of UTF-8.
    Bytes,
}

impl TextUnit {
    /// The length of a text.
    pub(crate) fn count(self, text: &str) -> usize {
        match self {
            Self::Characters => text.chars().count(),
            Self::Utf16 => text.encode_utf16().count(),
            Self::Bytes => text.len(),
        }
    }

    /// The length of a code point.
    fn of(self, c: char) -> usize {
        match self {
            Self::Characters => 1,
            Self::Utf16 => c.len_utf16(),
            Self::Bytes => c.len_utf8(),
        }
    }

    /// Its name in an issue.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Characters => "characters",
            Self::Utf16 => "UTF-16 units",
            Self::Bytes => "bytes",
        }
    }
}

/// True if each byte is a character that people see as one.
fn is_plain(text: &str) -> bool {
    text.is_ascii() && !text.contains('\r')
}

/// The number of characters that people see.
pub(crate) fn count(text: &str) -> usize {
    if is_plain(text) { text.len() } else { text.graphemes(true).count() }
}

/// The character at a place; from the end, with -1 for the last, where the place is negative.
pub(crate) fn at(text: &str, place: i64) -> Option<&str> {
    let steps = usize::try_from(place.unsigned_abs()).ok()?;
    if place < 0 {
        text.graphemes(true).nth_back(steps.checked_sub(1)?)
    } else {
        text.graphemes(true).nth(steps)
    }
}

/// The characters, last first.
pub(crate) fn reversed(text: &str) -> String {
    text.graphemes(true).rev().collect()
}

/// The first so many characters, and whether that is all of them.
pub(crate) fn first(text: &str, most: usize) -> (&str, bool) {
    match text.grapheme_indices(true).nth(most) {
        Some((end, _)) => (text.get(..end).unwrap_or(text), false),
        None => (text, true),
    }
}

/// So many characters from a place on, which counts from the end where it is negative.
pub(crate) fn slice(text: &str, start: i64, count: usize) -> String {
    let from = match usize::try_from(start) {
        Ok(start) => start,
        Err(_) => {
            let back = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
            self::count(text).saturating_sub(back)
        }
    };
    text.graphemes(true).skip(from).take(count).collect()
}

/// As much of a text as has a length of at most `most`, ending between two characters that people
/// see; within one only where a single one is longer than that.
pub(crate) fn within(text: &str, most: usize, unit: TextUnit) -> &str {
    let mut left = most;
    let is_beyond = |(_, c): &(usize, char)| match left.checked_sub(unit.of(*c)) {
        Some(rest) => {
            left = rest;
            false
        }
        None => true,
    };
    let Some((cap, _)) = text.char_indices().find(is_beyond) else { return text };
    // Where the last one is cut decides the text up to the character behind it.
    let ends = text.grapheme_indices(true).map(|(start, whole)| start + whole.len());
    let end = ends.take_while(|end| *end <= cap).last().unwrap_or(cap);
    text.get(..end).unwrap_or_default()
}

/// A text in pieces of a length of at most `most`: parted at paragraphs, else at lines, sentences
/// or words, else between two characters. White space at the ends of pieces is left out.
pub(crate) fn pieces(text: &str, most: usize, unit: TextUnit) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let whole = match within(rest, most, unit) {
            "" => rest.split_at(rest.chars().next().map_or(0, char::len_utf8)).0,
            whole => whole,
        };
        let end = if whole.len() == rest.len() { whole.len() } else { parting(rest, whole) };
        let (piece, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        found.push(piece.trim_end());
        rest = after.trim_start();
    }
    found
}

/// The place where a text is parted that begins with `head` and has more: the last of the strongest
/// kind in its second half, so that no piece is needlessly short.
fn parting(text: &str, head: &str) -> usize {
    let half = head.len() / 2;
    let after = |mark: &str| head.rfind(mark).map(|at| at + mark.len()).filter(|end| *end > half);
    let blank_follows = text.get(head.len()..).is_some_and(|rest| rest.starts_with(char::is_whitespace));
    let paragraph = || after("\n\n").or_else(|| after("\r\n\r\n"));
    let sentence = || {
        let ends = head.split_sentence_bound_indices().map(|(start, _)| start);
        ends.filter(|start| *start > half).last()
    };
    let word = || {
        let blank = head.rfind(char::is_whitespace).filter(|at| *at > 0);
        let bound =
            || head.split_word_bound_indices().map(|(start, _)| start).next_back().filter(|at| *at > half);
        blank.or_else(bound)
    };
    let whole_word = || blank_follows.then_some(head.len());
    paragraph()
        .or_else(|| after("\n"))
        .or_else(sentence)
        .or_else(whole_word)
        .or_else(word)
        .unwrap_or(head.len())
}

#[cfg(test)]
mod tests {
    use super::TextUnit::{Bytes, Characters, Utf16};
    use super::*;

    const FAMILY: &str = "👨\u{200d}👩\u{200d}👧\u{200d}👦";

    #[test]
    fn a_family_a_flag_and_an_accent_count_once() {
        assert_eq!(count(FAMILY), 1);
        assert_eq!(count("🇫🇷🇩🇪"), 2);
        assert_eq!(count("e\u{301}a"), 2);
        assert_eq!(count("a\r\nb"), 3);
        assert_eq!(count("abc"), 3);
        assert_eq!(at(&format!("{FAMILY}a"), 0), Some(FAMILY));
        assert_eq!(at(&format!("a{FAMILY}"), -1), Some(FAMILY));
        assert_eq!((at("abc", -4), at("abc", 3), at("abc", i64::MIN)), (None, None, None));
        assert_eq!(reversed(&format!("ab{FAMILY}")), format!("{FAMILY}ba"));
        assert_eq!(first(&format!("{FAMILY}bc"), 2), (format!("{FAMILY}b").as_str(), false));
        assert_eq!(first("abc", 3), ("abc", true));
        assert_eq!(slice(&format!("a{FAMILY}bc"), 1, 2), format!("{FAMILY}b"));
        assert_eq!((&*slice("e\u{301}a", -1, 9), &*slice("abc", i64::MIN, 1)), ("a", "a"));
    }

    #[test]
    fn what_is_cut_ends_between_two_characters() {
        let text = format!("ab{FAMILY}c");
        assert_eq!(within(&text, 3, Characters), "ab");
        assert_eq!(within(&text, 9, Characters), format!("ab{FAMILY}"));
        assert_eq!(within(&text, 10, Characters), text);
        assert_eq!(within("🇫🇷🇩🇪", 3, Characters), "🇫🇷");
        assert_eq!(within("abc", 0, Characters), "");
        assert_eq!((within("aжb", 2, Bytes), within("aжb", 3, Bytes)), ("a", "aж"));
        assert_eq!((within("a👍b", 2, Utf16), within("a👍b", 3, Utf16)), ("a", "a👍"));
        // One character that is longer than all there is room for.
        let tower = format!("a{}", "\u{301}".repeat(20));
        assert_eq!(within(&tower, 5, Characters).chars().count(), 5);
    }

    #[test]
    fn a_text_is_parted_at_the_strongest_place() {
        let parted = |text: &str, most| pieces(text, most, Characters).join("|");
        assert_eq!(parted("one two", 10), "one two");
        assert_eq!(parted("One, two.\n\nThree. Four", 14), "One, two.|Three. Four");
        assert_eq!(parted("One. Two.\nThree. Four", 14), "One. Two.|Three. Four");
        assert_eq!(parted("One two. Three four", 12), "One two.|Three four");
        assert_eq!(parted("one two three", 7), "one two|three");
        assert_eq!(parted("one two three", 6), "one|two|three");
        assert_eq!(parted("aaaaaaaaaa", 4), "aaaa|aaaa|aa");
        assert_eq!(parted("這是一個很長的句子。這也是一個", 12), "這是一個很長的句子。|這也是一個");
        assert_eq!(parted(" \n ", 4), "");
        assert_eq!(parted(&FAMILY.repeat(3), 8), [FAMILY; 3].join("|"));
    }

    #[test]
    fn nothing_but_white_space_is_lost_in_any_text() {
        let texts = [
            "a\u{301}".repeat(500),
            "שלום עולם. ".repeat(90),
            "x\r\n\r\ny ".repeat(99),
            "👩🏽\u{200d}🚀".repeat(77),
        ];
        for text in &texts {
            for most in [1, 2, 3, 7, 64, 500] {
                for unit in [Characters, Utf16, Bytes] {
                    let parted = pieces(text, most, unit);
                    let fits = |piece: &&str| unit.count(piece) <= most || piece.chars().count() == 1;
                    assert!(parted.iter().all(|piece| !piece.is_empty() && fits(piece)));
                    let dense = |text: &str| text.split_whitespace().collect::<String>();
                    assert_eq!(dense(&parted.concat()), dense(text), "at {most}");
                }
            }
        }
    }
}
