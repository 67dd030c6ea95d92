//! Answers that come near to a choice where nothing names it as it is written: a label without its
//! accents, its beginning up to a comma, its numbers in another shape (SEMANTICS U6).

use std::cmp::Reverse;
use std::collections::HashSet;
use std::sync::LazyLock;

use super::ordinal;
use crate::flow::lang::normal::{is_unspaced, key, normal, trim_edges, without_accents};

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

/// Words of politeness that are written apart.
#[rustfmt::skip]
const POLITE: &str = "\
    please|pls|plz|thanks|thank you|thx|por favor|porfa|porfavor|gracias|muchas gracias|obrigado|\
    obrigada|s'il vous plaît|s'il te plaît|s'il vous plait|s'il te plait|svp|stp|merci|per favore|\
    per piacere|grazie|si us plau|gràcies|bitte|danke|bitte schön|alstublieft|alsjeblieft|aub|\
    graag|dank je|dank u|bedankt|asseblief|dankie|tack|snälla|tak|takk|vær så snill|kiitos|palun|\
    aitäh|lūdzu|paldies|prašau|ačiū|proszę|poproszę|dziękuję|prosím|děkuji|díky|ďakujem|kérem|\
    köszönöm|köszi|vă rog|va rog|mulțumesc|multumesc|molim|hvala|prosim|молим|хвала|моля|благодаря|\
    пожалуйста|спасибо|плиз|будь ласка|дякую|калі ласка|рахмет|өтінемін|παρακαλώ|ευχαριστώ|lütfen|\
    teşekkürler|teşekkür ederim|zəhmət olmasa|من فضلك|لو سمحت|لو سمحتي|رجاء|شكرا|בבקשה|תודה|لطفا|\
    ممنون|مرسي|متشكرم|براہ کرم|برائے مہربانی|شکریہ|कृपया|प्लीज|प्लीज़|धन्यवाद|शुक्रिया|দয়া করে|\
    ধন্যবাদ|প্লিজ|தயவுசெய்து|நன்றி|దయచేసి|ధన్యవాదాలు|tolong|silakan|terima kasih|makasih|dong|\
    làm ơn|cảm ơn|cám ơn|ạ|nhé|nha|tafadhali|asante|ahsante|opo|salamat|谢谢|謝謝|请|請|გთხოვთ|გმადლობთ|\
    խնդրում եմ|እባክህ|እባክዎ|감사합니다|고맙습니다|dạ|vâng ạ|aja|saja|deh|ya kak|kak|जी|dzięki|dzieki|\
    結構です|ありがとう|ありがとうございます|ขอบคุณ|ขอบคุณค่ะ|ขอบคุณครับ|谢谢你|多谢|多謝";

/// The same as they are written at the end of a word, in languages without blanks or with
/// particles.
#[rustfmt::skip]
const POLITE_ENDS: &str = "\
    でよろしくお願いします|をよろしくお願いします|よろしくお願いします|でお願いします|をお願いします|お願いします|でおねがいします|をおねがいします|をください|ください|下さい|\
    にします|がいいです|でいいです|ですね|です|ครับผม|ครับ|คับ|ค่ะ|คะ|ค่า|จ้ะ|จ้า|นะ|부탁드립니다|부탁합니다|부탁해요|주세요|입니다|이에요|예요|\
    이요|요|으로 해주세요|로 해주세요|으로 부탁해요|로 부탁해요|吧|呗|啊|呢";

/// The same in their normal form, with accents and without, the longest first.
static POLITENESS: LazyLock<[Box<[Box<str>]>; 2]> = LazyLock::new(|| {
    [POLITE, POLITE_ENDS].map(|words| {
        // Of a short word without its accents nothing is left that is certain: `ạ`, `dạ`.
        const LEAST_FOLDED: usize = 4;
        let forms = words.split('|').flat_map(|word| {
            let form = normal(word);
            let folded = Some(folded(&form)).filter(|word| word.chars().count() >= LEAST_FOLDED);
            [Some(form.into()), folded.map(Box::from)]
        });
        let mut words: Vec<Box<str>> = forms.flatten().collect();
        words.sort_by_key(|word| Reverse(word.len()));
        words.into()
    })
});

/// A text without the politeness at its ends; none if it has none.
pub(crate) fn without_politeness(said: &str) -> Option<String> {
    let form = normal(said);
    let whole = trim_edges(&form);
    let [apart, ends] = &*POLITENESS;
    let mut inner = whole;
    loop {
        let words = apart.iter().find_map(|word| {
            let is_apart = |edge: Option<char>| {
                edge.is_some_and(|c| !c.is_alphanumeric() || word.chars().all(is_unspaced))
            };
            let behind = inner.strip_suffix(&**word).filter(|rest| is_apart(rest.chars().next_back()));
            behind.or_else(|| inner.strip_prefix(&**word).filter(|rest| is_apart(rest.chars().next())))
        });
        let rest = words.or_else(|| ends.iter().find_map(|word| inner.strip_suffix(&**word)));
        match rest.map(trim_ends) {
            Some(rest) if !rest.is_empty() => inner = rest,
            _ => break,
        }
    }
    (inner.len() < whole.len()).then(|| inner.to_owned())
}

/// True for a text of politeness alone.
pub(crate) fn is_politeness(text: &str) -> bool {
    POLITENESS.iter().any(|words| words.iter().any(|word| **word == *text))
}

/// A text without blanks and breaks at its ends.
fn trim_ends(text: &str) -> &str {
    text.trim_matches(|c: char| c == ' ' || matches!(c, ',' | ';' | '、' | '،' | '.' | '!' | '-'))
}

/// A Korean noun without the particle for `and`; none if it has none.
pub(super) fn without_particle(item: &str) -> Option<&str> {
    let stem = ["이랑", "하고", "랑", "과", "와"].iter().find_map(|particle| item.strip_suffix(particle))?;
    (!stem.is_empty()).then_some(stem)
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

/// The letter of a label behind a word that calls it a choice: `option d`.
pub(super) fn called_letter(said: &str) -> Option<&str> {
    let (word, letter) = said.rsplit_once(' ')?;
    let is_letter = letter.chars().all(char::is_alphabetic) && letter.chars().count() == 1;
    let is_call = || NUMBERED_WORDS.contains(&*folded(word)) || ordinal::is_noun(word);
    (is_letter && is_call()).then_some(letter)
}

/// The letter at the end of a label: `Option A`.
pub(super) fn last_letter(label: &str) -> Option<&str> {
    let (before, letter) = label.rsplit_once(' ')?;
    let mut letters = letter.chars();
    let is_letter = letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none();
    (is_letter && before.chars().any(char::is_alphabetic)).then_some(letter)
}

/// Words that count things in a list, or make a number the one of an order; the longest first.
const BEHIND: &str = "번으로 번째 번 番目 番で 番 つ目 号 號 个 個 st nd rd th do da to ta ro ra mo ma vo va no na o a ο η ος ° er ère ere \
    ème eme e de te ste :a :e -ой -ый -й -я -е -го -es -os -as -ös -ik й я ый ая ое го -та -то वां वाँ वा वी রা য় টি টা नं";

/// Words before such a number, or behind it, beside those of `ordinal`.
const NUMBERED: &str = "nro nro. 选项 選項 chọn lựa tùy ตัวเลือก ตัวเลือกที่ ข้อที่ option number choice answer item nummer num nr no n n° nº auswahl opción opcion opção opcao número \
    numero numéro choix scelta keuze opcja numer вариант номер пункт варіант seçenek numara numaralı numarali pilihan \
    nomor angka ข้อ หมายเลข เบอร์ số câu विकल्प नंबर नम्बर नं क्रमांक নম্বর নং رقم الرقم خيار الخيار اختيار گزينه شماره نمبر \
    מספר אפשרות תשובה namba chaguo nambari číslo cislo možnosť číslom broj opcija број опција číslo numărul numarul \
    varianta szám lehetőség tal nummeret numero vaihtoehto numer номеру сан нөмір nömrə variant αριθμός επιλογή νούμερο \
    எண் సంఖ్య 第 选 選 我选 我選 選択 번호 bilang";

static NUMBERED_WORDS: LazyLock<HashSet<Box<str>>> =
    LazyLock::new(|| NUMBERED.split_whitespace().map(|word| folded(&key(word)).into()).collect());

/// A number without the words that call it one, on both sides: `option 2`, `no. 2`, `the 2nd`, `2
/// numara`, `2번`, `第2个`.
pub(super) fn counted(said: &str) -> &str {
    let is_around = |word: &str| ordinal::is_noun(word) || NUMBERED_WORDS.contains(&*folded(word));
    let mut inner = said;
    loop {
        let trimmed = inner.trim_matches(|c: char| matches!(c, ' ' | '.' | ':' | '#' | ')' | '('));
        let first = || {
            let (word, rest) = trimmed.split_once([' ', '\'', '.', ':'])?;
            (word == "l" || ordinal::is_article(word) || is_around(word)).then_some(rest)
        };
        let last = || {
            let (rest, word) = trimmed.rsplit_once([' ', '.'])?;
            is_around(word).then_some(rest)
        };
        // `no2`, `第2`, `ข้อ2`.
        let joined = || {
            let (word, rest) = trimmed.split_at(trimmed.find(|c: char| c.is_ascii_digit())?);
            NUMBERED_WORDS.contains(&*folded(word)).then_some(rest)
        };
        match first().or_else(last).or_else(joined) {
            Some(rest) if rest.contains(|c: char| c.is_ascii_digit()) => inner = rest,
            _ => {
                inner = trimmed;
                break;
            }
        }
    }
    let behind = BEHIND.split_whitespace().find_map(|word| {
        let rest = inner.strip_suffix(word)?;
        // `2no` is an order, `2 no` is not.
        let rest = if word.is_ascii() { rest } else { rest.trim_end() };
        rest.ends_with(|c: char| c.is_ascii_digit()).then_some(rest)
    });
    behind.map_or(inner, |rest| rest.trim_end_matches([' ', '.']))
}
