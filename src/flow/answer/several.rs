//! Several choices in one answer, named one after the other by anything that names a single one,
//! with the words and marks that each language puts between them (SEMANTICS U7).

use std::ops::Range;

use super::choice::{Choices, NamedChoice, almost, find, named};
use super::conjunctions::AND;
use super::listed::{KEYCAP, number};
use super::{cardinal, near, ordinal};
use crate::flow::lang::normal::{emoji_of, key, normal};

/// Characters that part the items of an answer.
const BREAKS: [char; 12] = [',', ';', '/', '&', '+', '|', '、', '，', '；', '،', '؛', '・'];
/// Words that are `and` in these languages, and something else in others: `1 a 3` is a range to a
/// Spaniard, `1 o 3` a choice to an Italian, `1 او 3` one to an Arab.
const CONTESTED: &[(&str, &[&str])] = &[("a", &["cs", "sk"]), ("او", &["ps"]), ("o", &[])];
/// Words around the items of an answer that name none: articles, and those of `both … and`.
const FILLERS: &[&str] = &[
    "the", "both", "el", "la", "los", "las", "tanto", "como", "o", "os", "as", "le", "les", "il", "lo",
    "gli", "sia", "che", "die", "der", "das", "den", "sowohl", "als", "auch", "de", "het", "zowel", "båda",
    "både", "begge", "sekä", "zarówno", "jak", "mind", "hem", "atât", "cât", "как", "так", "оба", "обе",
    "το", "τα", "τον", "την", "da", "cả",
];
/// Words before a number that say how many, and the language in which they may be before a single
/// one: `les 2`, `båda 2`; `le 2` is one to a Frenchman, and two to an Italian.
const HOW_MANY: &[(&str, &str)] = &[
    ("los", ""),
    ("las", ""),
    ("os", ""),
    ("as", ""),
    ("les", ""),
    ("gli", ""),
    ("i", ""),
    ("τα", ""),
    ("both", ""),
    ("båda", ""),
    ("både", ""),
    ("begge", ""),
    ("оба", ""),
    ("обе", ""),
    ("the", ""),
    ("le", "fr"),
    ("die", "de"),
    ("de", "nl"),
];
/// Characters that part items of a text without blanks.
const JOINTS: [char; 6] = ['和', '跟', '与', '與', 'と', '및'];
/// Words between numbers that are written without blanks.
const UNSPACED: [&str; 11] = ["และ", "กับ", "하고", "이랑", "랑", "과", "와", "ແລະ", "និង", "और", "এবং"];
/// Letters that are written in front of an item and mean `and`.
const PREFIXES: [char; 2] = ['و', 'ו'];

/// The choices that were meant, by their places, in the order in which they were named, each once;
/// none if a part of the text is no choice. `language`: that of the contact, which settles a word
/// that is `and` in some languages.
pub(super) fn find_several(
    choices: &Choices,
    payload: Option<&str>,
    text: &str,
    language: Option<&str>,
) -> Option<Vec<usize>> {
    let one = |text: &str| match named(choices, payload, text) {
        NamedChoice::One(place) => Some(vec![place]),
        _ => None,
    };
    let apart = |text: &str| {
        let (counted, all) = (with_breaks(text, true), with_breaks(text, false));
        let found = split(choices, text, language).or_else(|| split(choices, &counted, language));
        if all == counted { found } else { found.or_else(|| split(choices, &all, language)) }
    };
    if ordinal::is_fraction(&key(text)) {
        return None;
    }
    let polite = || apart(&near::without_politeness(text)?);
    let whole = || find(choices, payload, text).map(|place| vec![place]);
    let is_many = |text: &str| says_how_many(text, language);
    let is_one = |found: &Vec<usize>| {
        found.len() > 1
            || !(is_many(text) || near::without_politeness(text).is_some_and(|text| is_many(&text)))
    };
    one(text).or_else(|| apart(text)).or_else(whole).or_else(polite).filter(is_one)
}

/// The choices that a text names one after the other.
fn split(choices: &Choices, text: &str, language: Option<&str>) -> Option<Vec<usize>> {
    /// Words of the longest label that is looked for among others.
    const MOST_WORDS: usize = 12;
    let one = |text: &str, is_alone: bool| match named(choices, None, text) {
        NamedChoice::One(place) => Some(place),
        NamedChoice::Many => None,
        NamedChoice::None if is_alone || !text.contains(is_digit) => almost(choices, &key(text)),
        NamedChoice::None => None,
    };
    let items = items(text);
    let mut found = Vec::new();
    let mut rest = &items[..];
    let mut last: Option<Range<usize>> = None;
    while let Some((first, others)) = rest.split_first() {
        let is_and = is_joint(text.get(first.clone())?);
        let is_between = is_and && !found.is_empty() && is_followed(text, first, others);
        // `1 a 3` is a range, and not `1` and `a 3`.
        let is_contested = last.as_ref().is_some_and(|last| is_contested(text, last, first));
        let longest = if is_contested { 0 } else { rest.len().min(MOST_WORDS) };
        let named = (1..=longest).rev().find_map(|count| {
            let last = rest.get(count - 1)?;
            let item = text.get(first.start..last.end)?;
            let ends = [first, last].map(|end| text.get(end.clone()).unwrap_or_default());
            if ends.iter().any(|end| end.chars().all(is_dash)) {
                return None;
            }
            let of_stem = || one(near::without_particle(item)?, true);
            let place = one(item, count == 1 && !is_between).or_else(of_stem);
            let place = place.or_else(|| one(item.strip_prefix(PREFIXES)?.trim_start_matches('-'), true));
            Some((place?, count))
        });
        match named {
            Some((place, count)) => {
                if !found.contains(&place) {
                    found.push(place);
                }
                let (item, others) = rest.split_at_checked(count)?;
                let whole = first.start..item.last()?.end;
                let is_range = last.is_some_and(|last| !may_join(text, &last, &whole, language));
                if is_range || is_counting(text, item, others) {
                    return None;
                }
                (rest, last) = (others, Some(whole));
            }
            // `un` is `and` to a Latvian, and one to a Frenchman.
            None if is_and && (is_between || !cardinal::is_word(&key(text.get(first.clone())?))) => {
                rest = others
            }
            None => return None,
        }
    }
    (!found.is_empty()).then_some(found)
}

/// True of `los 2` and `both 2`, which are two.
fn says_how_many(text: &str, language: Option<&str>) -> bool {
    let of = |item: &Range<usize>| text.get(item.clone()).map(key).unwrap_or_default();
    let items = items(text);
    let [.., word, number] = &items[..] else { return false };
    let word = of(word);
    let primary = language.and_then(|tag| tag.split(['-', '_']).next()).unwrap_or_default();
    let is_single = |single: &str| !single.is_empty() && single.eq_ignore_ascii_case(primary);
    HOW_MANY.iter().any(|(many, single)| *many == word && !is_single(single)) && is_place(&of(number))
}

/// True if a word is `and` in some languages alone, right behind another item.
fn is_contested(text: &str, last: &Range<usize>, item: &Range<usize>) -> bool {
    let word = text.get(item.clone()).map(key).unwrap_or_default();
    let between = text.get(last.end..item.start).unwrap_or_default();
    CONTESTED.iter().any(|(contested, _)| *contested == &*word) && between.trim().is_empty()
}

/// True if an item follows, with nothing but blanks before it.
fn is_followed(text: &str, item: &Range<usize>, others: &[Range<usize>]) -> bool {
    let between = others.first().and_then(|next| text.get(item.end..next.start));
    between.is_some_and(|between| between.trim().is_empty())
}

/// False if all that two items have between them is a dash or an article between numbers, or a word
/// that does not mean `and` in this language.
fn may_join(text: &str, item: &Range<usize>, next: &Range<usize>, language: Option<&str>) -> bool {
    let between = text.get(item.end..next.start).unwrap_or_default();
    if between.contains(BREAKS) || between.contains('\n') {
        return true;
    }
    let between = between.trim();
    let is_number = |range: &Range<usize>| text.get(range.clone()).is_some_and(|item| is_place(&key(item)));
    if !between.is_empty() && between.chars().all(is_dash) {
        return !(is_number(item) && is_number(next));
    }
    // `1 to 3`, of which the word is an article in Polish.
    let written = text.get(next.clone()).unwrap_or_default();
    let has_article = written.split_once(' ').is_some_and(|(first, _)| ordinal::is_article(&key(first)));
    if between.is_empty() && has_article && is_number(item) && is_number(next) {
        return false;
    }
    let word = key(between);
    let primary = language.and_then(|tag| tag.split(['-', '_']).next()).unwrap_or_default();
    let contested = CONTESTED.iter().find(|(contested, _)| *contested == &*word);
    contested.is_none_or(|(_, languages)| languages.iter().any(|tag| tag.eq_ignore_ascii_case(primary)))
}

/// True for a number that names a place, in figures or in words.
fn is_place(item: &str) -> bool {
    number(item).is_some() || cardinal::read(item).is_some()
}

fn is_dash(c: char) -> bool {
    matches!(c, '-' | '~' | '〜' | '～' | '\u{2010}'..='\u{2015}')
}

/// True of `the first 3`, which are three.
fn is_counting(text: &str, item: &[Range<usize>], others: &[Range<usize>]) -> bool {
    let (Some(begin), Some(end), Some(next)) = (item.first(), item.last(), others.first()) else {
        return false;
    };
    let of = |range: Range<usize>| text.get(range).unwrap_or_default();
    of(end.end..next.start).trim().is_empty()
        && is_place(&key(of(next.clone())))
        && ordinal::read(&key(of(begin.start..end.end))).is_some()
}

/// A text with `&` for the words that mean it and are written without blanks; `counted`: only
/// beside a digit. Empty if it is too long for an answer.
fn with_breaks(text: &str, counted: bool) -> String {
    const MOST_BYTES: usize = 2_048;
    let mut spaced = if text.len() > MOST_BYTES { String::new() } else { text.to_owned() };
    for word in UNSPACED {
        let Some((before, after)) = spaced.split_once(word) else { continue };
        let is_counted = before.trim_end().ends_with(is_digit) || after.trim_start().starts_with(is_digit);
        if is_counted || !counted {
            spaced = spaced.replace(word, " & ");
        }
    }
    spaced
}

fn is_digit(c: char) -> bool {
    normal(c.encode_utf8(&mut [0; 4])).starts_with(|c: char| c.is_ascii_digit())
}

/// True for `and`, for a word that names no item, and for what is nothing but marks.
fn is_joint(item: &str) -> bool {
    let word = key(item);
    let is_listed = |words: &[&str]| words.contains(&&*word);
    let is_contested = || CONTESTED.iter().any(|(contested, _)| *contested == &*word);
    is_listed(AND)
        || is_listed(FILLERS)
        || is_contested()
        || is_listed(&UNSPACED)
        || !word.chars().any(char::is_alphanumeric)
}

/// The parts of a text between blanks and breaks.
fn items(text: &str) -> Vec<Range<usize>> {
    let mut items = Vec::new();
    let mut start = 0;
    for (place, c) in text.char_indices() {
        let (is_joint, end) = (JOINTS.contains(&c), place + c.len_utf8());
        if c == KEYCAP || ends_item(c, text.get(end..).unwrap_or_default()) {
            items.push(start..end);
            start = end;
        }
        if c.is_whitespace() || BREAKS.contains(&c) || is_joint {
            items.push(start..place);
            if is_joint {
                items.push(place..end);
            }
            start = end;
        }
    }
    items.push(start..text.len());
    items.retain(|item| !item.is_empty());
    items
}

/// True if a sign is an item of its own: a number in a ring, or an emoji with another one behind
/// it.
fn ends_item(c: char, rest: &str) -> bool {
    let of = |text: &str| emoji_of(text).is_some();
    let is_ringed =
        |c: char| matches!(c, '\u{2460}'..='\u{2473}' | '\u{2776}'..='\u{2793}' | '\u{24f5}'..='\u{24fe}');
    let parts = |c: char| matches!(c, '\u{200d}' | '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{1f1e6}'..='\u{1f1ff}');
    let next = rest.chars().next();
    is_ringed(c)
        || (of(c.encode_utf8(&mut [0; 4]))
            && !parts(c)
            && next.is_some_and(|n| n != c && !parts(n) && of(n.encode_utf8(&mut [0; 4]))))
}

#[cfg(test)]
mod tests {
    use super::super::choice::Choice;
    use super::*;

    fn labels<const N: usize>(labels: [&str; N]) -> Choices {
        let list = labels.iter().enumerate();
        let list = list.map(|(place, label)| {
            Choice::new(&format!("id-{}", char::from(b'a' + place as u8)), [*label], [])
        });
        Choices { list: list.collect(), are_numbered: false, several: None, live: None }
    }

    #[test]
    fn each_item_of_several_may_come_near_to_its_label() {
        let listed = |listed: [&str; 3]| labels(listed);
        let sizes = ["A) Small", "B) Medium", "C) Large"];
        for (choices, said, places) in [
            (sizes, "A and C", vec![0, 2]),
            (sizes, "a, c", vec![0, 2]),
            (sizes, "Small and Large", vec![0, 2]),
            (sizes, "b & c please", vec![1, 2]),
            (["Yes, I agree", "No, thanks", "Perhaps"], "yes, no", vec![0, 1]),
            (["りんご", "ぶどう", "もも"], "りんごとぶどうです", vec![0, 1]),
            (["りんご", "ぶどう", "もも"], "りんごとももをお願いします", vec![0, 2]),
            (["사과", "포도", "배"], "사과랑 포도", vec![0, 1]),
            (["사과", "포도", "배"], "사과와 배", vec![0, 2]),
            (["사과", "포도", "배"], "사과하고 배요", vec![0, 2]),
            (["ส้ม", "มะม่วง", "กล้วย"], "ส้มและกล้วยค่ะ", vec![0, 2]),
            (["Café (black)", "Thé", "Eau"], "cafe et eau", vec![0, 2]),
            (["Option A", "Option B", "Option C"], "a und c", vec![0, 2]),
        ] {
            assert_eq!(find_several(&listed(choices), None, said, None), Some(places), "{said}");
        }
        for (said, language, places) in [
            ("1 a 3", Some("cs-CZ"), Some(vec![0, 2])),
            ("1 a 3", Some("sk"), Some(vec![0, 2])),
            ("le 2", Some("fr-CA"), Some(vec![1])),
            ("le 2", Some("it"), None),
            ("de 2", Some("nl"), Some(vec![1])),
            ("de 2", Some("sv"), None),
            ("die 2", Some("de"), Some(vec![1])),
            ("1 a 3", Some("es-MX"), None),
            ("1 a 3", Some("pt-BR"), None),
            ("1 او 3", Some("ps"), Some(vec![0, 2])),
            ("1 او 3", Some("ar"), None),
        ] {
            assert_eq!(
                find_several(&listed(["X", "Y", "Z"]), None, said, language),
                places,
                "{said} {language:?}"
            );
        }
    }

    #[test]
    fn several_are_named_in_one_answer() {
        let toppings = labels(["Cheese 🧀", "Ham", "Salt, pepper", "Olive oil"]);
        for (said, places) in [
            ("1, 3 and 4", Some(vec![0, 2, 3])),
            ("1,3,4", Some(vec![0, 2, 3])),
            ("1 3 4", Some(vec![0, 2, 3])),
            ("4 y 1", Some(vec![3, 0])),
            ("ham, cheese", Some(vec![1, 0])),
            ("ham und olive oil!", Some(vec![1, 3])),
            ("salt, pepper and ham", Some(vec![2, 1])),
            ("١ و٣", Some(vec![0, 2])),
            ("1 ו-2", Some(vec![0, 1])),
            ("1和2", Some(vec![0, 1])),
            ("１、２", Some(vec![0, 1])),
            ("1&2", Some(vec![0, 1])),
            ("1\n2", Some(vec![0, 1])),
            ("1และ3", Some(vec![0, 2])),
            ("1하고 3", Some(vec![0, 2])),
            ("1번, 3번", Some(vec![0, 2])),
            ("第1个和第3个", Some(vec![0, 2])),
            ("1️⃣3️⃣", Some(vec![0, 2])),
            ("1 și 3", Some(vec![0, 2])),
            ("1 és 3", Some(vec![0, 2])),
            ("1 اور 3", Some(vec![0, 2])),
            ("1 এবং 3", Some(vec![0, 2])),
            ("1 மற்றும் 3", Some(vec![0, 2])),
            ("both 1 and 3", Some(vec![0, 2])),
            ("the ham and the cheese", Some(vec![1, 0])),
            ("La 1 y la 3.", Some(vec![0, 2])),
            ("sowohl 1 als auch 3", Some(vec![0, 2])),
            ("tanto a 1 como a 3", Some(vec![0, 2])),
            ("sia 1 che 3", Some(vec![0, 2])),
            ("le 1 et le 3", Some(vec![0, 2])),
            ("zowel 1 als 3", Some(vec![0, 2])),
            ("zarówno 1, jak i 3", Some(vec![0, 2])),
            ("hem 1 hem 3", Some(vec![0, 2])),
            ("как 1, так и 3", Some(vec![0, 2])),
            ("1 da 3", Some(vec![0, 2])),
            ("🧀, 2", Some(vec![0, 1])),
            ("2, 2", Some(vec![1])),
            ("the first and the third", Some(vec![0, 2])),
            ("first, third and last", Some(vec![0, 2, 3])),
            ("the second one and the third one", Some(vec![1, 2])),
            ("both the first and the last option", Some(vec![0, 3])),
            ("le premier et le troisième", Some(vec![0, 2])),
            ("Premièrement, deuxièmement", Some(vec![0, 1])),
            ("erstens und drittens", Some(vec![0, 2])),
            ("das Erste und das Dritte", Some(vec![0, 2])),
            ("sowohl die erste als auch die letzte", Some(vec![0, 3])),
            ("el primero y el tercero", Some(vec![0, 2])),
            ("la primera opción y la última", Some(vec![0, 3])),
            ("a primeira e a terceira", Some(vec![0, 2])),
            ("il primo e l'ultimo", Some(vec![0, 3])),
            ("de eerste en de derde", Some(vec![0, 2])),
            ("den första och den tredje", Some(vec![0, 2])),
            ("ensimmäinen ja kolmas", Some(vec![0, 2])),
            ("pierwsza i trzecia", Some(vec![0, 2])),
            ("první a třetí", Some(vec![0, 2])),
            ("первый и третий", Some(vec![0, 2])),
            ("перший та останній", Some(vec![0, 3])),
            ("το πρώτο και το τρίτο", Some(vec![0, 2])),
            ("az elsőt és a harmadikat", Some(vec![0, 2])),
            ("primul și al treilea", Some(vec![0, 2])),
            ("birinci ve üçüncü", Some(vec![0, 2])),
            ("الأول والثالث", Some(vec![0, 2])),
            ("הראשון והשלישי", Some(vec![0, 2])),
            ("पहला और तीसरा", Some(vec![0, 2])),
            ("yang pertama dan yang ketiga", Some(vec![0, 2])),
            ("thứ nhất và thứ ba", Some(vec![0, 2])),
            ("อันแรกและอันที่สาม", Some(vec![0, 2])),
            ("第一个和第三个", Some(vec![0, 2])),
            ("一番目と三番目", Some(vec![0, 2])),
            ("첫 번째와 세 번째", Some(vec![0, 2])),
            ("the 1st and the 3rd", Some(vec![0, 2])),
            ("le 1er et le 3e", Some(vec![0, 2])),
            ("der 1. und der 3.", Some(vec![0, 2])),
            ("1と3です", Some(vec![0, 2])),
            ("1番と3番でお願いします", Some(vec![0, 2])),
            ("1 และ 3 ครับ", Some(vec![0, 2])),
            ("1,3 ค่ะ", Some(vec![0, 2])),
            ("1번과 3번이요", Some(vec![0, 2])),
            ("1번하고 3번 주세요", Some(vec![0, 2])),
            ("ham and cheese please", Some(vec![1, 0])),
            ("1 y 3, por favor", Some(vec![0, 2])),
            ("1 et 3 s'il vous plaît", Some(vec![0, 2])),
            ("ya kwanza na ya tatu", Some(vec![0, 2])),
            ("el 1 y el 3", Some(vec![0, 2])),
            ("o 1 e o 3", Some(vec![0, 2])),
            ("la 1, la 3", Some(vec![0, 2])),
            ("la 1\nla 3", Some(vec![0, 2])),
            ("los 1 y 3", Some(vec![0, 2])),
            ("les 1 et 3", Some(vec![0, 2])),
            ("το 1 και το 3", Some(vec![0, 2])),
            ("η 1 και η 3", Some(vec![0, 2])),
            ("1ο και 3ο", Some(vec![0, 2])),
            ("1 ή 3", None),
            ("1 Ή 3", None),
            ("το 1 ή το 3", None),
            ("la 1 o la 3", None),
            ("los 2", None),
            ("Las 2", None),
            ("os 2", None),
            ("as 2", None),
            ("les 2", None),
            ("τα 2", None),
            ("le 2", None),
            ("båda 2", None),
            ("i 2", None),
            ("the 2", None),
            ("y las 2 por favor", None),
            ("le 2 per favore", None),
            ("two, four", Some(vec![1, 3])),
            ("one and three", Some(vec![0, 2])),
            ("uno y tres", Some(vec![0, 2])),
            ("un et trois", None),
            ("eins und drei", Some(vec![0, 2])),
            ("один и три", Some(vec![0, 2])),
            ("une, trois", None),
            ("trois, un", None),
            ("one to three", None),
            ("one or three", None),
            ("one - three", None),
            ("uno o tres", None),
            ("los dos", None),
            ("les deux", None),
            ("i due", None),
            ("os dois", None),
            ("the two", None),
            ("de två", None),
            ("둘 다", None),
            ("两个", None),
            ("no la 2", None),
            ("la 1 no", None),
            ("1 a 3", None),
            ("1 o 3", None),
            ("1 or 3", None),
            ("1 או 3", None),
            ("1 ou 3", None),
            ("1 oder 3", None),
            ("1 или 3", None),
            ("1 - 3", None),
            ("1-3", None),
            ("1 ~ 3", None),
            ("1 to 3", None),
            ("1から3", None),
            ("1 bis 3", None),
            ("the first 3", None),
            ("the first two", None),
            ("the first and the fifth", None),
            ("not the first", None),
            ("a third", None),
            ("both", None),
            ("the", None),
            ("not 1 but the 3", None),
            ("1 and 9", None),
            ("ham or cheese", None),
            ("and", None),
        ] {
            assert_eq!(find_several(&toppings, None, said, None), places, "{said}");
        }
    }
}
