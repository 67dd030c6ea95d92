//! Times of a day as labels and people write them: `9:00 AM`, `14h30`, `2 pm`, `at 14 Uhr`, `2 de
//! la tarde`, `下午两点` (SEMANTICS U6), by the words of `clock.txt`. Each line has a kind and words,
//! with `_` for a blank: parts of a day, what is behind an `hour` or a `minute`, in `front` of an
//! hour, what says no more before (`at`) and behind (`after`), and the first twelve `hours`.

use std::cmp::Reverse;
use std::sync::LazyLock;

use super::near::folded;
use crate::flow::lang::normal::{is_unspaced, normal};
use crate::gather::Arrange;

const TABLE: &str = include_str!("clock.txt");

/// The words of the table by their kind, as texts are compared, the longest first.
static WORDS: LazyLock<Box<[ClockWords]>> = LazyLock::new(|| {
    let read = |line: &'static str| {
        let (kind, words) = line.split_once(' ').unwrap_or_default();
        let form = |word: &str| folded(&normal(&word.replace('_', " "))).into();
        let mut words: Box<[Box<str>]> = words.split(' ').map(form).collect();
        if kind != "hours" {
            words.arrange_by_key(|word| Reverse(word.len()));
        }
        ClockWords { kind, words }
    };
    TABLE.lines().map(read).collect()
});

struct ClockWords {
    kind: &'static str,
    words: Box<[Box<str>]>,
}

/// The kinds of lines that are parts of a day.
const PARTS: [&str; 7] = ["am", "pm", "morning", "small", "noon", "afternoon", "evening"];

/// A time of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DayTime {
    /// From midnight.
    pub(super) minutes: u32,
    /// True if it names the part of the day, such as the afternoon.
    pub(super) has_part: bool,
}

impl DayTime {
    /// The time that a label is, if it says no more.
    pub(super) fn of_label(text: &str) -> Option<Self> {
        Self::read(text, false)
    }

    /// The time that an answer is, if it says no more; without a part of the day it counts to 24. A
    /// number alone is none, but four digits are.
    pub(super) fn said(text: &str) -> Option<Self> {
        Self::read(text, true)
    }

    /// True if a label shows the time that was said. `9:00` may be in the evening, where the label
    /// says which, and `9 o'clock` where another label is twelve hours away.
    pub(super) fn is_shown(self, said: &str, label: Self, all: impl IntoIterator<Item = Self>) -> bool {
        const HALF: u32 = 12 * 60;
        let is_open = !self.has_part && label.has_part && self.minutes < 13 * 60;
        let is_twin = |other: Self| {
            other.has_part && other.minutes != self.minutes && other.minutes % HALF == self.minutes % HALF
        };
        let has_word = said.contains(char::is_alphabetic);
        self.minutes == label.minutes && (!is_open || (has_word && !all.into_iter().any(is_twin)))
    }

    fn read(text: &str, is_said: bool) -> Option<Self> {
        const MOST_BYTES: usize = 96;
        if text.len() > MOST_BYTES || !text.contains(|c: char| c.is_ascii_digit() || is_unspaced(c)) {
            return None;
        }
        let text = folded(text);
        let (mut rest, mut part, mut is_marked) = (text.trim(), None, false);
        loop {
            if let Some(inner) = stripped(rest, "at", true).filter(|_| is_said) {
                rest = inner;
            } else if let Some(inner) = stripped(rest, "front", true).filter(|_| !is_marked) {
                (rest, is_marked) = (inner, true);
            } else if let Some((kind, inner)) = part_of(rest).filter(|_| part.is_none()) {
                (rest, part) = (inner, Some(kind));
            } else if let Some(inner) = stripped(rest, "after", false).filter(|_| is_said) {
                rest = inner;
            } else {
                break;
            }
        }
        let (hour, minute, is_clear) = time(rest, is_said)?;
        let hour = match part {
            None => (hour < 24 && (is_marked || is_clear)).then_some(hour)?,
            Some(kind) => hour_in(kind, hour)?,
        };
        (minute < 60).then_some(Self { minutes: hour * 60 + minute, has_part: part.is_some() })
    }
}

/// The hour of a day that an hour in a part of it is.
fn hour_in(part: &str, hour: u32) -> Option<u32> {
    match (part, hour) {
        ("am", 1..=12) => Some(hour % 12),
        ("pm", 1..=12) => Some(hour % 12 + 12),
        ("morning", 1..=11) | ("small", 1..=6) | ("noon", 10..=12) | ("afternoon", 12) => Some(hour),
        ("small", 12) => Some(0),
        ("noon", 1..=4) | ("afternoon", 1..=8) | ("evening", 4..=11) => Some(hour + 12),
        ("noon" | "afternoon", 13..=20) | ("evening", 16..=23) => Some(hour),
        _ => None,
    }
}

/// The part of the day that a text begins or ends with, and the rest of it.
fn part_of(text: &str) -> Option<(&'static str, &str)> {
    let of = |kind: &&'static str| {
        let rest = stripped(text, kind, false).or_else(|| stripped(text, kind, true))?;
        Some((*kind, rest))
    };
    PARTS.iter().filter_map(of).min_by_key(|(_, rest)| rest.len())
}

/// A text without a word of a kind at its beginning or its end. Letters end a word, but for those
/// of scripts without blanks.
fn stripped<'t>(text: &'t str, kind: &str, is_before: bool) -> Option<&'t str> {
    words(kind).find_map(|word| {
        let rest = if is_before { text.strip_prefix(word) } else { text.strip_suffix(word) }?;
        let (edge, beside) = match is_before {
            true => (word.chars().next_back(), rest.chars().next()),
            false => (word.chars().next(), rest.chars().next_back()),
        };
        let is_word = edge.is_some_and(|c| c.is_alphabetic() && !is_unspaced(c));
        let is_whole = !is_word || !beside.is_some_and(char::is_alphabetic);
        (is_whole && !rest.trim().is_empty()).then(|| rest.trim())
    })
}

fn words(kind: &str) -> impl Iterator<Item = &'static str> {
    let lines = WORDS.iter().filter(move |line| line.kind == kind);
    lines.flat_map(|line| &line.words).map(|word| &**word)
}

/// Hour and minute, and if a mark or a word says that they are.
fn time(text: &str, is_said: bool) -> Option<(u32, u32, bool)> {
    let four = text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
    if is_said && four {
        let (hour, minute) = text.split_at_checked(2)?;
        return Some((hour.parse().ok()?, minute.parse().ok()?, true));
    }
    let (hour, rest) = number(text).or_else(|| hour_word(text))?;
    let rest = rest.trim_start();
    let (minute, is_marked) = match behind(rest) {
        Some("") => (0, true),
        Some("半" | "반") => (30, true),
        Some(rest) => (minute(rest)?, true),
        None if rest.is_empty() => (0, false),
        None => {
            let is_mark = |c| matches!(c, ':' | '.') || (is_said && c == '-');
            (minute(rest.strip_prefix(is_mark)?)?, true)
        }
    };
    Some((hour, minute, is_marked))
}

/// The minutes of an hour: two digits, and a word for them or none.
fn minute(text: &str) -> Option<u32> {
    let (minute, rest) = number(text.trim_start())?;
    let has_two = text.trim_start().len() - rest.len() == 2;
    let rest = rest.trim();
    let is_word = || words("minute").chain(words("hour")).any(|word| word == rest);
    (has_two && (rest.is_empty() || is_word())).then_some(minute)
}

/// The text behind a word for the hour.
fn behind(text: &str) -> Option<&str> {
    words("hour").find_map(|word| {
        let rest = text.strip_prefix(word)?;
        let is_whole = !word.ends_with(|c: char| c.is_alphabetic() && !is_unspaced(c))
            || !rest.starts_with(char::is_alphabetic);
        is_whole.then(|| rest.trim_start())
    })
}

/// The number of one or two digits that a text begins with, and the rest.
fn number(text: &str) -> Option<(u32, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at((1..=2).contains(&length).then_some(length)?);
    Some((digits.parse().ok()?, rest))
}

/// The hour that a text begins with in the letters of China or Korea, and the word behind it.
fn hour_word(text: &str) -> Option<(u32, &str)> {
    let hours =
        (1..).zip(words("hours")).flat_map(|(hour, words)| words.split('|').map(move |word| (hour, word)));
    let found = hours.filter_map(|(hour, word)| Some((hour, text.strip_prefix(word)?)));
    found.min_by_key(|(_, rest)| rest.len()).filter(|(_, rest)| behind(rest.trim_start()).is_some())
}

#[cfg(test)]
mod tests {
    use super::DayTime;
    use crate::flow::lang::normal::key;

    fn minutes(text: &str) -> Option<u32> {
        DayTime::said(&key(text)).map(|clock| clock.minutes)
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        for text in [
            "14:00",
            "14.00",
            "2 pm",
            "2pm",
            "2:00 pm",
            "2 p.m.",
            "14 uhr",
            "14:00 uhr",
            "14h",
            "14h00",
            "14 h",
            "14 hs",
            "下午2点",
            "午後2時",
            "오후 2시",
            "14时",
            "14시",
            "14:00 น.",
            "14 u",
        ] {
            assert_eq!(minutes(text), Some(14 * 60), "{text}");
        }
        for (text, expected) in [
            ("12 am", Some(0)),
            ("12 pm", Some(12 * 60)),
            ("9h30", Some(9 * 60 + 30)),
            ("下午2点半", Some(14 * 60 + 30)),
            ("9:05 am", Some(9 * 60 + 5)),
            ("14", None),
            ("14 pm", None),
            ("25:00", None),
            ("9:5", None),
            ("9:75", None),
            ("9 hours", None),
            ("9 am tea", None),
            ("table for 9", None),
            ("pm", None),
            ("", None),
        ] {
            assert_eq!(minutes(text), expected, "{text}");
        }
    }

    #[test]
    fn u6_words_around_a_time_say_no_more_than_its_part_of_the_day() {
        for text in [
            "at 2pm",
            "at 14:00",
            "1400",
            "14-00",
            "2 in the afternoon",
            "a las 14:00",
            "2 de la tarde",
            "a las 2 de la tarde",
            "2 p. m.",
            "14 horas",
            "às 14h",
            "14h00min",
            "2 da tarde",
            "à 14h",
            "14 heures",
            "um 14 uhr",
            "2 uhr nachmittags",
            "jam 14",
            "pukul 14.00",
            "2 siang",
            "pukul 14.00 siang",
            "в 14:00",
            "14 часов",
            "2 часа дня",
            "saat 14:00",
            "öğleden sonra 2",
            "الساعة 14",
            "2 م",
            "الساعة 2 مساء",
            "下午两点",
            "下午2點",
            "오후 두 시",
            "午後2時に",
            "दोपहर 2 बजे",
            "দুপুর 2টা",
            "2 giờ chiều",
            "lúc 14 giờ",
            "บ่าย 2 โมง",
            "ב-14:00",
            "kl. 14",
            "klo 14",
            "o godz. 14",
            "ve 14 hodin",
            "14 órakor",
            "στις 14:00",
            "ore 14",
            "alle 14:00",
            "2 del pomeriggio",
            "om 14 uur",
        ] {
            assert_eq!(minutes(text), Some(14 * 60), "{text}");
        }
        for (text, expected) in [
            ("0900", Some(9 * 60)),
            ("9 a. m.", Some(9 * 60)),
            ("9 pagi", Some(9 * 60)),
            ("jam 9", Some(9 * 60)),
            ("الساعة 9", Some(9 * 60)),
            ("九点", Some(9 * 60)),
            ("九点半", Some(9 * 60 + 30)),
            ("十一点", Some(11 * 60)),
            ("12 de la tarde", Some(12 * 60)),
            ("8 вечера", Some(20 * 60)),
            ("2 часа ночи", Some(2 * 60)),
            ("12 ночи", Some(0)),
            ("晚上8点", Some(20 * 60)),
            ("晚上12点", None),
            ("12 de la noche", None),
            ("12 de la mañana", None),
            ("at 9", None),
            ("a las 9", None),
            ("à 9", None),
            ("after 9:00", None),
            ("before 2pm", None),
            ("until 14:00", None),
            ("nach 14 uhr", None),
            ("después de las 14:00", None),
            ("14:00 or 15:00", None),
            ("9 saat", None),
            ("9 stunden", None),
            ("9 jam", None),
            ("saa 3", None),
            ("saa 3 asubuhi", None),
            ("2500", None),
            ("0960", None),
            ("141", None),
            ("2 pm pm", None),
            ("两", None),
            ("三个", None),
            ("um", None),
            ("at", None),
        ] {
            assert_eq!(minutes(text), expected, "{text}");
        }
        for label in ["18-30", "1400", "at 14:00"] {
            assert_eq!(DayTime::of_label(label), None, "{label}");
        }
    }
}
