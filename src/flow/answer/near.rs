//! Answers that come near to a choice where nothing names it as it is written: a label without its
//! accents, its beginning up to a comma, its numbers in another shape (SEMANTICS U6).

use rust_decimal::Decimal as Amount;

use crate::flow::lang::normal::without_accents;
use crate::flow::lang::number::{self, Marks};

/// A text without its accents, where it has some.
pub(super) fn folded(text: &str) -> String {
    without_accents(text).into_owned()
}

/// True if a label begins with what was said, and continues after a comma, a bracket, a dash or the
/// like: `Yes` of `Yes, I agree`.
pub(super) fn is_heading(label: &str, said: &str) -> bool {
    let Some(rest) = label.strip_prefix(said) else { return false };
    let is_whole = said.chars().any(char::is_alphabetic) && !said.chars().any(char::is_numeric);
    let inner = rest.trim_start();
    let is_apart = inner.len() < rest.len();
    is_whole
        && inner.starts_with(|c| {
            matches!(c, ',' | ';' | ':' | '(' | '[' | '!' | '、' | '،')
                || (is_apart && matches!(c, '-' | '/' | '|'))
        })
}

/// True if two texts have the same numbers, in whatever shape (`10 €` and `€10`, `09:00` and
/// `9:00`, `1000` and `1,000`), and the one has no word that the other has not: `15 pro` is no
/// `iPhone 15`.
pub(super) fn has_same_numbers(label: &str, said: &str) -> bool {
    if said.starts_with('-') || !said.contains(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let words = |text: &str| -> Vec<String> {
        text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let own = words(label);
    let has_words = words(said).iter().all(|word| own.iter().any(|own| own.starts_with(word.as_str())));
    has_words && (digits(label) == digits(said) || (amounts(label) == amounts(said)))
}

/// The digits of a text, group by group, without the zeros that fill them up.
fn digits(text: &str) -> Vec<&str> {
    let groups = text.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty());
    groups.map(|group| group.trim_start_matches('0')).collect()
}

/// The numbers of a text, with their groups of thousands.
fn amounts(text: &str) -> Vec<Option<Amount>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (_, tail) = rest.split_at(start);
        let is_inside = |(place, c): (usize, char)| {
            let next = tail.get(place + c.len_utf8()..).unwrap_or_default();
            let count = next.bytes().take_while(u8::is_ascii_digit).count();
            c.is_ascii_digit() || (matches!(c, '.' | ',' | '\'') && count > 0) || (c == ' ' && count == 3)
        };
        let end = tail.char_indices().find(|at| !is_inside(*at)).map_or(tail.len(), |(place, _)| place);
        let (number, after) = tail.split_at(end);
        found.push(number::read(number, Marks::Open));
        rest = after;
    }
    found
}

/// A text without the politeness at its end that languages without blanks, or with particles, add
/// to an answer; none if it has none.
pub(super) fn without_politeness(said: &str) -> Option<&str> {
    const POLITE: [&str; 18] = [
        "ครับผม",
        "ครับ",
        "คับ",
        "ค่ะ",
        "คะ",
        "ค่า",
        "จ้ะ",
        "จ้า",
        "นะ",
        "でお願いします",
        "をお願いします",
        "です",
        "ですね",
        "입니다",
        "이에요",
        "예요",
        "이요",
        "요",
    ];
    let mut inner = said;
    while let Some(rest) = POLITE.iter().find_map(|word| inner.strip_suffix(word)) {
        inner = rest.trim_end();
    }
    (inner.len() < said.len() && !inner.is_empty()).then_some(inner)
}

/// The letter, or the Roman number, before a label in a list, and the label: `a) Small`.
pub(super) fn lettered(label: &str) -> Option<(&str, &str)> {
    let (letter, rest) = label.split_at(label.find(['.', ')', ':', '、'])?);
    let is_letter = {
        let mut letters = letter.chars();
        letters.next().is_some_and(char::is_alphabetic)
            && (letters.next().is_none()
                || (letter.len() <= 4 && letter.bytes().all(|b| matches!(b, b'i' | b'v' | b'x'))))
    };
    let text = rest.trim_start_matches(['.', ')', ':', '、']).trim_start();
    (is_letter && text.starts_with(char::is_alphanumeric)).then_some((letter, text))
}

/// The letter at the end of a label: `Option A`.
pub(super) fn last_letter(label: &str) -> Option<&str> {
    let (before, letter) = label.rsplit_once(' ')?;
    let mut letters = letter.chars();
    let is_letter = letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none();
    (is_letter && before.chars().any(char::is_alphabetic)).then_some(letter)
}

/// Words that count things in a list, or make a number the one of an order.
const BEHIND: [&str; 35] = [
    "번째",
    "번",
    "番目",
    "番",
    "号",
    "號",
    "个",
    "個",
    "st",
    "nd",
    "rd",
    "th",
    "o",
    "a",
    "°",
    "er",
    "ère",
    "ere",
    "ème",
    "eme",
    "e",
    "de",
    "ste",
    "-й",
    "-я",
    "-е",
    "-го",
    "й",
    "я",
    "ый",
    "ая",
    "ое",
    "го",
    "वां",
    "वाँ",
];

/// Words before such a number.
const BEFORE: [&str; 34] = [
    "option",
    "number",
    "choice",
    "answer",
    "item",
    "nummer",
    "auswahl",
    "opción",
    "opcion",
    "opção",
    "opcao",
    "número",
    "numero",
    "numéro",
    "choix",
    "scelta",
    "keuze",
    "opcja",
    "вариант",
    "номер",
    "пункт",
    "варіант",
    "seçenek",
    "numara",
    "pilihan",
    "nomor",
    "ข้อ",
    "số",
    "विकल्प",
    "नंबर",
    "رقم",
    "خيار",
    "گزينه",
    "nr",
];

/// A number without the words that call it one: `option 2`, `no. 2`, `2nd`, `2번`, `第2个`.
pub(super) fn counted(said: &str) -> &str {
    let before = |text: &'_ str| {
        let words = BEFORE.iter().chain(&["no", "n", "#", "第"]);
        words
            .filter_map(|word| {
                text.strip_prefix(word).map(|rest| rest.trim_start_matches(['.', ':', ' ', '#', '°']).len())
            })
            .min()
    };
    let text = before(said).and_then(|rest| said.get(said.len() - rest..)).unwrap_or(said);
    let text = text.trim();
    BEHIND.iter().find_map(|word| text.strip_suffix(word)).map_or(text, str::trim_end)
}
