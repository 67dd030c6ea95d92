//! Answers that come near to a choice where nothing names it as it is written: a label without its
//! accents, its beginning up to a comma, its numbers in another shape (SEMANTICS U6).

use std::cmp::Reverse;
use std::collections::HashSet;
use std::sync::LazyLock;

use super::ordinal;
use crate::flow::lang::normal::{is_combining, is_unspaced, key, normal, trim_edges, without_accents};
use crate::flow::lang::number::MINUS;
use crate::gather::Arrange;

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
    結構です|ありがとう|ありがとうございます|ขอบคุณ|ขอบคุณค่ะ|ขอบคุณครับ|谢谢你|多谢|多謝|\
    thank you so much|thank you very much|thanks a lot|many thanks|mil gracias|muchísimas gracias|\
    muito obrigado|muito obrigada|valeu|pfv|vlw|merci beaucoup|merci bien|grazie mille|molte grazie|\
    moltes gràcies|vielen dank|herzlichen dank|danke schön|dank u wel|dank je wel|hartelijk dank|\
    tack så mycket|mange tak|tusen takk|paljon kiitoksia|suur aitäh|bardzo dziękuję|dziękuję bardzo|\
    děkuji moc|moc děkuji|ďakujem pekne|nagyon köszönöm|köszönöm szépen|te rog|mersi|mulțumesc mult|\
    hvala lijepa|hvala lepo|большое спасибо|спасибо большое|дуже дякую|ευχαριστώ πολύ|çok teşekkürler|\
    çok teşekkür ederim|sağol|شكرا جزيلا|شكرا لك|תודה רבה|خیلی ممنون|बहुत धन्यवाद|बहुत शुक्रिया|অনেক ধন্যবাদ|\
    terima kasih banyak|terimakasih|po|cảm ơn nhiều|asante sana|maraming salamat|감사해요|非常感谢|非常感謝";

/// Those that say something else before an answer: `po 5` is `5 each` in Polish.
const POLITE_BEHIND: [&str; 1] = ["po"];

/// The same as they are written at the end of a word, in languages without blanks or with
/// particles.
#[rustfmt::skip]
const POLITE_ENDS: &str = "\
    でよろしくお願いします|をよろしくお願いします|よろしくお願いします|でお願いします|をお願いします|お願いします|でおねがいします|をおねがいします|をください|ください|下さい|\
    にします|がいいです|でいいです|ですね|です|ครับผม|ครับ|คับ|ค่ะ|คะ|ค่า|จ้ะ|จ้า|นะ|부탁드립니다|부탁합니다|부탁해요|주세요|입니다|이에요|예요|\
    이요|요|으로 해주세요|로 해주세요|으로 부탁해요|로 부탁해요|으로 할게요|로 할게요|할게요|吧|呗|啊|呢";

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
        words.arrange_by_key(|word| Reverse(word.len()));
        words.into()
    })
});

/// The words that politeness begins or ends with, where it is a word beside others.
static POLITE_EDGES: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let phrases = POLITENESS.iter().take(1).flatten();
    phrases.flat_map(|phrase| edge_words(phrase)).collect()
});

/// The first and the last word of a text, without the marks around them.
fn edge_words(text: &str) -> impl Iterator<Item = &str> {
    let edges = [text.split(' ').next(), text.rsplit(' ').next()];
    edges.into_iter().flatten().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
}

/// False for a text in its normal form that surely has no politeness at its ends: most texts are
/// told so at the cost of two words.
pub(crate) fn may_be_polite(form: &str) -> bool {
    form.contains(is_unspaced) || edge_words(form).any(|word| POLITE_EDGES.contains(word))
}

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
            let before = || {
                inner
                    .strip_prefix(&**word)
                    .filter(|_| !POLITE_BEHIND.contains(&&**word))
                    .filter(|rest| is_apart(rest.chars().next()))
            };
            // The sign of a number at the other end stays.
            let behind = behind.map(|rest| rest.trim_end_matches(is_between));
            behind.or_else(|| before().map(|rest| rest.trim_start_matches(is_between)))
        });
        let hung_on = || {
            let rest = ends.iter().find_map(|word| inner.strip_suffix(&**word))?;
            Some(rest.trim_end_matches(is_between))
        };
        match words.or_else(hung_on) {
            Some(rest) if !rest.is_empty() => inner = rest,
            _ => break,
        }
    }
    (inner.len() < whole.len()).then(|| inner.to_owned())
}

/// The part of a text that the politeness around it leaves, as it is written: `5` of `5 please`;
/// none if there is none, or where a sign or a mark of the number itself would be left out with it.
pub(super) fn within_politeness(text: &str) -> Option<&str> {
    /// More bytes are no answer with a word beside it.
    const MOST_BYTES: usize = 320;
    if text.len() > MOST_BYTES {
        return None;
    }
    let wanted = without_politeness(text)?;
    let places = || text.char_indices().map(|(place, c)| (place, place + c.len_utf8()));
    let ends_so = |end: &usize| text.get(..*end).is_some_and(|part| normal(part).ends_with(&*wanted));
    let end = places().map(|(_, end)| end).find(ends_so)?;
    let starts_so = |start: &usize| text.get(*start..end).is_some_and(|part| *normal(part) == wanted);
    let start = places().map(|(start, _)| start).filter(|start| *start < end).rfind(starts_so)?;
    let (before, part, after) = (text.get(..start)?, text.get(start..end)?, text.get(end..)?);
    // `please -5` is not 5, `500- please` not 500.
    let is_signed = before.trim_end().ends_with(|c| matches!(c, '.' | '<' | '>' | '~') || MINUS.contains(&c));
    let is_apart_before = before.is_empty()
        || (!is_signed
            && before.ends_with(|c: char| c.is_whitespace() || is_unspaced(c) || matches!(c, '，' | '、')));
    let is_apart =
        |c: char| c.is_whitespace() || is_unspaced(c) || matches!(c, ',' | ';' | '!' | '、' | '،' | '，');
    let is_apart_after = after.is_empty() || after.starts_with(is_apart) || after.starts_with(". ");
    (is_apart_before && is_apart_after).then_some(part)
}

/// True for a text of politeness alone.
pub(crate) fn is_politeness(text: &str) -> bool {
    POLITENESS.iter().any(|words| words.iter().any(|word| **word == *text))
}

/// True for a blank or a break between what is said and the politeness beside it.
fn is_between(c: char) -> bool {
    matches!(c, ' ' | ',' | ';' | '、' | '،' | '.' | '!' | '-')
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
    // `a b` are two letters.
    let is_article = || word.chars().count() > 1 && ordinal::is_article(word) && !ordinal::is_plural(word);
    (is_letter && (is_call(word) || is_article())).then_some(letter)
}

/// True for a word that calls a number or a letter a choice: `option`, `numéro`.
pub(super) fn is_call(word: &str) -> bool {
    NUMBERED_WORDS.contains(&*folded(word)) || ordinal::is_noun(word)
}

/// A text that is said twice or three times, once: `yes yes`, `네네`, `ใช่ๆ`; none if it is not.
pub(super) fn undoubled(said: &str) -> Option<&str> {
    let is_said = |text: &&str| text.chars().all(|c| c.is_alphabetic() || is_combining(c));
    let half = || said.split_at_checked(said.len() / 2);
    let is_unbroken = |text: &str| text.chars().all(is_unspaced);
    let mut words = said.split([' ', ',']).filter(|word| !word.is_empty());
    let (first, count) = (words.next()?, words.clone().count());
    let once = match count {
        1 | 2 => words.all(|word| word == first).then_some(first),
        0 => said
            .strip_suffix('ๆ')
            .or_else(|| half().filter(|(a, b)| a == b && is_unbroken(a)).map(|(word, _)| word)),
        _ => None,
    };
    once.map(str::trim_end).filter(is_said).filter(|text| !text.is_empty())
}

/// The letter at the end of a label: `Option A`.
pub(super) fn last_letter(label: &str) -> Option<&str> {
    let (before, letter) = label.rsplit_once(' ')?;
    let mut letters = letter.chars();
    let is_letter = letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none();
    (is_letter && before.chars().any(char::is_alphabetic)).then_some(letter)
}

/// Words that count things in a list, or make a number the one of an order; the longest first.
const BEHIND: &str = "번으로 번째 번 番目 番で 番 つ目 号 號 个 個 st nd rd th era do da to ta ro ra mo ma vo va no na o a ο η ος ° er ère ere \
    ème eme e de te ste :a :e -ой -ый -й -я -е -го -es -os -as -ös -ik й я ый ая ое го -та -то वां वाँ वा वी রা য় টি টা नं";

/// Words that call a number one right before it alone: `no la 2` and `2 no` are not the second, and
/// `c` is a letter.
const RIGHT_BEFORE: [&str; 2] = ["no", "č"];

/// Words before such a number, or behind it, beside those of `ordinal`.
const NUMBERED: &str = "nro nro. 选项 選項 chọn lựa tùy ตัวเลือก ตัวเลือกที่ ข้อที่ option number choice answer item nummer num nr n n° auswahl opción opcion opção opcao número \
    numero numéro choix scelta keuze opcja numer вариант номер пункт варіант seçenek numara numaralı numarali pilihan \
    nomor angka ข้อ หมายเลข เบอร์ số câu विकल्प नंबर नम्बर नं क्रमांक নম্বর নং رقم الرقم خيار الخيار اختيار گزينه شماره نمبر \
    מספר אפשרות תשובה namba chaguo nambari číslo cislo možnosť číslom broj opcija број опција číslo numărul numarul \
    varianta opt alternativa alternativet punkt variante ответ цифра pilih nomer เลือก 选择 選擇 respuesta letter letra \
    lettre lettera buchstabe inciso буква litera literă huruf harf מס 선택 szám lehetőség tal nummeret numero vaihtoehto numer номеру сан нөмір nömrə variant αριθμός επιλογή νούμερο \
    எண் సంఖ్య 第 选 選 我选 我選 選択 번호 bilang";

static NUMBERED_WORDS: LazyLock<HashSet<Box<str>>> =
    LazyLock::new(|| NUMBERED.split_whitespace().map(|word| folded(&key(word)).into()).collect());

/// A number without the words that call it one, on both sides: `option 2`, `no. 2`, `the 2nd`, `2
/// numara`, `2번`, `第2个`.
pub(super) fn counted(said: &str) -> &str {
    let is_digit = |c: char| c.is_ascii_digit();
    let is_around = |word: &str| ordinal::is_noun(word) || NUMBERED_WORDS.contains(&*folded(word));
    let mut inner = said;
    loop {
        let trimmed = inner.trim_matches(|c: char| matches!(c, ' ' | '.' | ':' | '#' | ')' | '('));
        let first = || {
            let (word, rest) = trimmed.split_once([' ', '\'', '.', ':'])?;
            let is_counted = || rest.trim_start_matches([' ', '.', ':', '#']).starts_with(is_digit);
            let is_call = word == "l"
                || (ordinal::is_article(word) && !(ordinal::is_plural(word) && is_counted()))
                || is_around(word)
                || (RIGHT_BEFORE.contains(&word) && is_counted());
            is_call.then_some(rest)
        };
        let last = || {
            let (rest, word) = trimmed.rsplit_once([' ', '.'])?;
            is_around(word).then_some(rest)
        };
        // `no2`, `第2`, `ข้อ2`.
        let joined = || {
            let (word, rest) = trimmed.split_at(trimmed.find(is_digit)?);
            (NUMBERED_WORDS.contains(&*folded(word)) || RIGHT_BEFORE.contains(&word)).then_some(rest)
        };
        match first().or_else(last).or_else(joined) {
            Some(rest) if rest.contains(is_digit) => inner = rest,
            _ => {
                inner = trimmed;
                break;
            }
        }
    }
    let behind = BEHIND.split_whitespace().find_map(|word| {
        let rest = inner.strip_suffix(word)?;
        // `2no` is an order, `2 no` is not; nor is `1 ή` (or), whose accent is left out.
        let is_written_on = |c: char| c.is_ascii() || matches!(c, '\u{370}'..='\u{3ff}');
        let rest = if word.chars().all(is_written_on) { rest } else { rest.trim_end() };
        rest.ends_with(is_digit).then_some(rest)
    });
    behind.map_or(inner, |rest| rest.trim_end_matches([' ', '.']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_politeness_is_overlooked_at_first_sight() {
        for phrase in POLITENESS.iter().flatten() {
            for text in [format!("menu {phrase}"), format!("{phrase} menu"), format!("{phrase}, menu")] {
                assert!(without_politeness(&text).is_none() || may_be_polite(&text), "{text}");
            }
        }
        assert!(!may_be_polite("where is my order"));
    }
}
