//! Times of a day as labels and people write them: `9:00 AM`, `14h30`, `2 pm`, `14 Uhr`, `下午2点`
//! (SEMANTICS U6).

/// Words for the half of the day, and if that is the second.
const HALVES: [(&str, bool); 20] = [
    ("a.m.", false),
    ("p.m.", true),
    ("a.m", false),
    ("p.m", true),
    ("am", false),
    ("pm", true),
    ("午前", false),
    ("午後", true),
    ("上午", false),
    ("下午", true),
    ("早上", false),
    ("晚上", true),
    ("오전", false),
    ("오후", true),
    ("a m", false),
    ("p m", true),
    ("صباحا", false),
    ("مساء", true),
    ("πμ", false),
    ("μμ", true),
];

/// Words behind an hour, and behind the minutes.
const HOUR_WORDS: [&str; 16] =
    ["uhr", "h", "hs", "hrs", "hr", "u", "uur", "ч", "o'clock", "时", "點", "点", "時", "시", "น.", "น"];
const MINUTE_WORDS: [&str; 6] = ["uhr", "分", "분", "h", "hrs", "น."];

/// Minutes from midnight of a text that is a time and says no more; without a half of the day it
/// counts to 24. A number alone is none.
pub(super) fn minutes(text: &str) -> Option<u32> {
    let (half, text) = without_half(text.trim());
    let (hour, rest) = number(text)?;
    let rest = rest.trim_start();
    let (minute, is_marked) = match behind(rest, &HOUR_WORDS) {
        Some("") => (0, true),
        Some("半" | "반") => (30, true),
        Some(rest) => (minute(rest)?, true),
        None if rest.is_empty() => (0, false),
        None => (minute(rest.strip_prefix([':', '.'])?)?, true),
    };
    if minute >= 60 || (half.is_none() && !is_marked) {
        return None;
    }
    let hour = match half {
        None => (hour < 24).then_some(hour)?,
        Some(is_second) => {
            let hour = (1..=12).contains(&hour).then_some(hour % 12)?;
            if is_second { hour + 12 } else { hour }
        }
    };
    Some(hour * 60 + minute)
}

/// The half of the day that a text names, and the rest of it.
fn without_half(text: &str) -> (Option<bool>, &str) {
    let found = HALVES.iter().find_map(|(word, is_second)| {
        let rest = text.strip_suffix(word).or_else(|| text.strip_prefix(word))?;
        Some((Some(*is_second), rest.trim()))
    });
    found.unwrap_or((None, text))
}

/// The minutes of an hour: two digits, and a word for them or none.
fn minute(text: &str) -> Option<u32> {
    let (minute, rest) = number(text.trim_start())?;
    let has_two = text.trim_start().len() - rest.len() == 2;
    let rest = rest.trim();
    (has_two && (rest.is_empty() || MINUTE_WORDS.contains(&rest))).then_some(minute)
}

/// The text behind one of these words.
fn behind<'t>(text: &'t str, words: &[&str]) -> Option<&'t str> {
    words.iter().find_map(|word| {
        let rest = text.strip_prefix(word)?;
        let is_whole =
            !word.ends_with(char::is_alphabetic) || !rest.starts_with(|c: char| c.is_ascii_alphabetic());
        is_whole.then(|| rest.trim_start())
    })
}

/// The number of one or two digits that a text begins with, and the rest.
fn number(text: &str) -> Option<(u32, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at((1..=2).contains(&length).then_some(length)?);
    Some((digits.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::minutes;

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
}
