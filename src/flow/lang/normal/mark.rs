//! Which characters are seen, which surround a word, and which are written in two ways.

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

/// Pictures: emoji, flags, arrows, stars and other signs that stand beside words.
pub(super) fn is_emoji(c: char) -> bool {
    matches!(c,
        '©' | '®' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2190}'..='\u{21ff}'
        | '\u{2300}'..='\u{23ff}' | '\u{24c2}' | '\u{25a0}'..='\u{27bf}' | '\u{2900}'..='\u{297f}'
        | '\u{2b00}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}'
        | '\u{1f000}'..='\u{1faff}')
        && !is_ringed_number(c)
}

/// `❶`, `➀`: numbers among the pictures.
fn is_ringed_number(c: char) -> bool {
    matches!(c, '\u{2776}'..='\u{2793}')
}

/// Quotes, brackets and punctuation of all scripts, as they stand around a word. Signs that may be
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
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2bc}' | '\u{2032}' | '\u{b4}' | '\u{5f3}' => '\'',
        '\u{201c}' | '\u{201d}' | '\u{201f}' | '\u{2033}' | '\u{5f4}' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{6cc}' => '\u{64a}',
        '\u{6a9}' => '\u{643}',
        _ => return None,
    })
}

/// Two signs of Thai or Lao that look like another one, or like the same two the other way round:
/// `เเ` is `แ`, and the ring of `ำ` stands before a tone or behind it.
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

/// Accents and vowel points: marks that are left out where people write in a hurry. The vowel signs
/// of Indian scripts, the tones of Thai and the voicing marks of Japanese are letters, and stay.
pub(super) fn is_accent(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}' | '\u{5c5}' | '\u{5c7}'
        | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e4}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
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
