//! Characters that are not seen, that surround a word, or that are written in two ways.

use std::iter;

/// Marks that nobody sees, or that change nothing about what is said: zero width, direction,
/// variation selectors, skin tones, the frame of a key (`1️⃣`), the stretch of Arabic.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{640}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{20e3}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fffc}'
        | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0000}'..='\u{e0fff}'
        | '\0'..='\u{8}' | '\u{e}'..='\u{1f}' | '\u{7f}')
}

/// Pictures: emoji, flags, arrows, stars and other signs beside words.
pub(super) fn is_emoji(c: char) -> bool {
    matches!(c,
        '©' | '®' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2190}'..='\u{21ff}'
        | '\u{2300}'..='\u{23ff}' | '\u{24c2}' | '\u{25a0}'..='\u{27bf}' | '\u{2900}'..='\u{297f}'
        | '\u{2b00}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}'
        | '\u{1f000}'..='\u{1faff}')
        && ringed(c).is_none()
}

/// A number in a ring or on a key that is a picture to Unicode, and its digits: `❶`, `➀`, `🔟`.
fn ringed(c: char) -> Option<&'static str> {
    const NUMBERS: [&str; 10] = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];
    let place = match c {
        '\u{2776}'..='\u{277f}' => c as u32 - 0x2776,
        '\u{2780}'..='\u{2789}' => c as u32 - 0x2780,
        '\u{278a}'..='\u{2793}' => c as u32 - 0x278a,
        '\u{24f5}'..='\u{24fe}' => c as u32 - 0x24f5,
        '\u{1f51f}' => 9,
        '\u{24ff}' => return Some("0"),
        _ => return None,
    };
    NUMBERS.get(place as usize).copied()
}

/// A sign as it is spelt with others: numbers in a ring, and the final consonants of Malayalam,
/// which older telephones write as a consonant and its killer.
pub(super) fn spelt(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{d7a}' => "\u{d23}\u{d4d}",
        '\u{d7b}' => "\u{d28}\u{d4d}",
        '\u{d7c}' => "\u{d30}\u{d4d}",
        '\u{d7d}' => "\u{d32}\u{d4d}",
        '\u{d7e}' => "\u{d33}\u{d4d}",
        '\u{d7f}' => "\u{d15}\u{d4d}",
        c => return ringed(c),
    })
}

/// A mark that is left out as often as it is written, and tells no two words of one message apart:
/// vowel points of Arabic and Hebrew, the accent of Greek, which capitals do not have, and the dots
/// of the Russian `ё`. `before`: the character before it, decomposed.
pub(super) fn is_optional(before: &str, c: char) -> bool {
    let last = || before.chars().rev().find(|c| *c != '\u{308}');
    match c {
        '\u{64b}'..='\u{652}' | '\u{670}' => true,
        '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}' | '\u{5c5}' | '\u{5c7}' => true,
        '\u{301}' => last().is_some_and(|c| matches!(c, '\u{391}'..='\u{3c9}')),
        '\u{308}' => before.ends_with('\u{435}'),
        _ => false,
    }
}

/// Settles what is spelt in two ways within a word, of letters that are decomposed: the place of
/// the tone in Vietnamese (`hóa` is `hoá`), and in Hindi the nasal before a consonant of its own
/// class (`हिन्दी` is `हिंदी`).
pub(super) fn settle(plain: &mut String) {
    const TONES: [char; 5] = ['\u{300}', '\u{301}', '\u{303}', '\u{309}', '\u{323}'];
    const VIRAMA: char = '\u{94d}';
    if !plain.contains(TONES) && !plain.contains(VIRAMA) {
        return;
    }
    let mut letters: Vec<char> = plain.chars().collect();
    let mut place = 0;
    while let Some([first, second, third]) =
        letters.get(place..place + 3).and_then(|three| three.first_chunk())
    {
        let (first, second, third) = (*first, *second, *third);
        let is_late = TONES.contains(&second) && matches!((first, third), ('o', 'a' | 'e') | ('u', 'y'));
        if is_late {
            letters.swap(place + 1, place + 2);
        }
        if second == VIRAMA && class_of_nasal(first).is_some_and(|class| class.contains(&third)) {
            letters.splice(place..place + 2, ['\u{902}']);
        }
        place += 1;
    }
    *plain = letters.into_iter().collect();
}

/// The consonants before which a nasal of Devanagari is written as a dot.
fn class_of_nasal(nasal: char) -> Option<std::ops::RangeInclusive<char>> {
    Some(match nasal {
        '\u{919}' => '\u{915}'..='\u{918}',
        '\u{91e}' => '\u{91a}'..='\u{91d}',
        '\u{923}' => '\u{91f}'..='\u{922}',
        '\u{928}' => '\u{924}'..='\u{927}',
        '\u{92e}' => '\u{92a}'..='\u{92d}',
        _ => return None,
    })
}

/// Quotes, brackets and punctuation of all scripts, as they surround a word. Signs that may be
/// a part of it (`#`, `%`, `&`, `+`, `@`, `$`) are none.
pub(super) fn is_edge(c: char) -> bool {
    matches!(c,
        '!' | '"' | '\'' | '(' | ')' | ',' | '-' | '.' | ':' | ';' | '<' | '>' | '?' | '[' | ']' | '{' | '}' | '~'
        | '¡' | '«' | '·' | '»' | '¿' | '\u{b4}' | '\u{55a}'..='\u{55f}' | '\u{589}' | '\u{58a}' | '\u{5be}' | '\u{5c0}'
        | '\u{5c3}' | '\u{5f3}' | '\u{5f4}' | '\u{60c}' | '\u{61b}' | '\u{61d}'..='\u{61f}' | '\u{6d4}'
        | '\u{964}' | '\u{965}' | '\u{df4}' | '\u{e2f}' | '\u{e5a}' | '\u{e5b}' | '\u{f08}' | '\u{f0b}'..='\u{f12}'
        | '\u{104a}'..='\u{104f}' | '\u{10fb}' | '\u{1361}'..='\u{1368}' | '\u{17d4}'..='\u{17da}'
        | '\u{1800}'..='\u{180a}' | '\u{2010}'..='\u{2027}' | '\u{2032}'..='\u{205e}'
        | '\u{2e00}'..='\u{2e5d}' | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}'
        | '\u{3014}'..='\u{301f}' | '\u{30fb}')
}

/// The same sign in another shape: curly quotes, dashes, the letters that Persian and Arabic
/// keyboards write in two ways.
pub(super) fn twin(c: char) -> Option<char> {
    Some(match c {
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2bc}' | '\u{2032}' | '\u{b4}' | '\u{5f3}' | '`' => '\'',
        '\u{201c}' | '\u{201d}' | '\u{201f}' | '\u{2033}' | '\u{5f4}' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{6cc}' => '\u{64a}',
        '\u{6a9}' => '\u{643}',
        '\u{6c1}' => '\u{647}',
        '\u{901}' => '\u{902}',
        '\u{a81}' => '\u{a82}',
        '\u{2044}' | '\u{2215}' => '/',
        '臺' => '台',
        _ => return None,
    })
}

/// Two signs of Thai or Lao that look like another one, or like the same two the other way round:
/// `เเ` is `แ`, and the ring of `ำ` comes before a tone or after it.
pub(super) fn joined(before: char, c: char) -> Option<[Option<char>; 2]> {
    match (before, c) {
        ('\u{e40}', '\u{e40}') => Some([Some('\u{e41}'), None]),
        ('\u{ec0}', '\u{ec0}') => Some([Some('\u{ec1}'), None]),
        ('\u{e4d}', '\u{e48}'..='\u{e4b}') | ('\u{ecd}', '\u{ec8}'..='\u{ecb}') => {
            Some([Some(c), Some(before)])
        }
        _ => None,
    }
}

/// Accents, vowel points and the nukta of Indian scripts: marks that are left out where people
/// write in a hurry. The vowel signs of Indian scripts, the tones of Thai and the voicing marks of
/// Japanese are letters, and stay.
pub(super) fn is_accent(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{93c}' | '\u{9bc}' | '\u{a3c}' | '\u{abc}' | '\u{b3c}' | '\u{cbc}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}' | '\u{5c5}' | '\u{5c7}'
        | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e4}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Marks that are written with the letter before them: accents, vowel signs, tones, and those that
/// take a vowel away.
pub(crate) fn is_combining(c: char) -> bool {
    let is_of_india = matches!(c, '\u{900}'..='\u{dff}')
        && !c.is_alphanumeric()
        && !is_edge(c)
        && !matches!(c, '\u{970}' | '\u{9f2}' | '\u{9f3}' | '\u{9fa}'..='\u{9fd}' | '\u{a76}' | '\u{af0}' | '\u{af1}' | '\u{b70}' | '\u{bf0}'..='\u{bfa}' | '\u{c77}'..='\u{c7f}' | '\u{d4f}' | '\u{d79}' | '\u{df4}');
    is_of_india
        || is_accent(c)
        || matches!(c,
            '\u{483}'..='\u{487}' | '\u{711}' | '\u{730}'..='\u{74a}' | '\u{7a6}'..='\u{7b0}' | '\u{7eb}'..='\u{7f3}'
            | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}' | '\u{eb1}' | '\u{eb4}'..='\u{ebc}'
            | '\u{ec8}'..='\u{ecd}' | '\u{f18}' | '\u{f19}' | '\u{f35}' | '\u{f37}' | '\u{f39}' | '\u{f71}'..='\u{f84}'
            | '\u{102b}'..='\u{103e}' | '\u{1056}'..='\u{1059}' | '\u{135d}'..='\u{135f}' | '\u{17b6}'..='\u{17d3}'
            | '\u{17dd}' | '\u{3099}' | '\u{309a}')
}

/// True for a letter of a script that writes no blanks between words, or hangs particles on them.
pub(crate) fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
}

/// A letter whose accent is a part of it, as it is written without.
pub(super) fn plain_letter(c: char) -> impl Iterator<Item = char> {
    let (first, second) = match c {
        'đ' | 'ð' => ('d', None),
        'ø' => ('o', None),
        'ł' => ('l', None),
        'ħ' => ('h', None),
        'ŧ' => ('t', None),
        'æ' => ('a', Some('e')),
        'œ' => ('o', Some('e')),
        'þ' => ('t', Some('h')),
        '\u{671}' => ('\u{627}', None),
        '\u{649}' => ('\u{64a}', None),
        '\u{629}' => ('\u{647}', None),
        c => (c, None),
    };
    iter::once(first).chain(second)
}
