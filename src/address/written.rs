//! The text around a telephone number: words that call it one, an extension, punctuation (SEMANTICS
//! A1).

use std::borrow::Cow;

/// Words before a number that call it one.
const LABELS: &str = "tel tél telf telef telefon telefone telefono teléfono telefoon telefoni téléphone telephone \
    phone ph fon fono mob mobil mobile mobiel mobilo móvil movil cel cell celular cellulare handy portable gsm \
    whatsapp wa number no nr num número numero numéro nummer numer n t m p hp nomor telp telpon sđt đt số \
    тел телефон моб мобильный мобільний номер сот τηλ τηλέφωνο κιν κινητό τηλεφωνο هاتف جوال موبايل موبایل تلفن رقم \
    تليفون فون نمبر טלפון טל נייד מספר फोन फ़ोन मोबाइल नंबर ফোন মোবাইল নম্বর நம்பர் โทร เบอร์ เบอร์โทร มือถือ \
    電話 電話番号 携帯 携帯電話 电话 手机 手机号 手機 電話號碼 전화 전화번호 휴대폰 핸드폰 연락처 simu namba puhelin puh \
    telefonszám szám cep cebim telefonum komórka kom mój tfn tlf";

/// Words before an extension.
const EXTENSIONS: [&str; 29] = [
    "extension",
    "extn",
    "ext",
    "x",
    "#",
    "доб",
    "вн",
    "ramal",
    "interno",
    "int",
    "anexo",
    "poste",
    "durchwahl",
    "dw",
    "nebenstelle",
    "nst",
    "dahili",
    "wew",
    "linka",
    "klapka",
    "mellék",
    "toestel",
    "anknytning",
    "內線",
    "内線",
    "分机",
    "分機",
    "내선",
    "ต่อ",
];

/// A text without the blanks, punctuation and signs around a number. What is a part of something
/// else (`$5`, `#5`) stays.
pub(super) fn bare(text: &str) -> &str {
    let is_kept = |c: char| matches!(c, '$' | '€' | '£' | '¥' | '₹' | '%' | '#' | '&' | '@' | '=' | '°');
    let is_frame = |c: char| !c.is_alphanumeric() && !is_kept(c);
    text.trim_end_matches(is_frame).trim_start_matches(|c| is_frame(c) && !matches!(c, '+' | '\u{ff0b}'))
}

/// The same without what the number is called, without an extension, and without the place that
/// Brazilians leave for a carrier (`0xx11`); none if there is nothing of that.
pub(super) fn without_extras(text: &str) -> Option<Cow<'_, str>> {
    let inner = without_extension(text).unwrap_or(text);
    let inner = without_label(inner).unwrap_or(inner);
    let carrier = inner.char_indices().zip(inner.chars().skip(1)).find(|((place, c), next)| {
        let is_open = inner.get(..*place).is_some_and(|before| before.ends_with('0'));
        is_open && c.eq_ignore_ascii_case(&'x') && next.eq_ignore_ascii_case(&'x')
    });
    if let Some(((place, _), _)) = carrier {
        let (before, behind) = (inner.get(..place)?, inner.get(place + 2..)?);
        return Some(Cow::Owned(format!("{before}{behind}")));
    }
    (inner.len() < text.len()).then_some(Cow::Borrowed(inner))
}

fn without_label(text: &str) -> Option<&str> {
    let is_number = |c: char| {
        matches!(c, '+' | '\u{ff0b}' | '(')
            || crate::digits::plain(c.encode_utf8(&mut [0; 4])).starts_with(|c: char| c.is_ascii_digit())
    };
    let (label, number) = text.split_at(text.find(is_number)?);
    let mut words = label.split(|c: char| !is_of_word(c)).filter(|word| !word.is_empty()).peekable();
    words.peek()?;
    let is_label = |word: &str| {
        let word = word.to_lowercase();
        LABELS.split_whitespace().any(|label| label == word)
    };
    words.all(is_label).then_some(number)
}

/// True for letters and the signs that are written above and below them.
fn is_of_word(c: char) -> bool {
    c.is_alphabetic()
        || matches!(c, '\u{93c}' | '\u{94d}' | '\u{9bc}' | '\u{9cd}' | '\u{bcd}' | '\u{e48}'..='\u{e4c}')
}

fn without_extension(text: &str) -> Option<&str> {
    const MOST: usize = 6;
    let head = text.trim_end_matches(|c: char| c.is_ascii_digit());
    if !(1..=MOST).contains(&(text.len() - head.len())) {
        return None;
    }
    let head = head.trim_end_matches([' ', '.', ':', '-']);
    EXTENSIONS.iter().find_map(|word| {
        let number = head.get(..head.len().checked_sub(word.len())?)?;
        let is_word = head.get(number.len()..).is_some_and(|end| end.to_lowercase() == *word);
        let is_apart = !number.ends_with(char::is_alphabetic);
        (is_word && is_apart).then(|| bare(number))
    })
}
