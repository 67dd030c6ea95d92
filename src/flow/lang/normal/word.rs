//! Words in a text: where a word of an author's is one of the contact's (SEMANTICS U3).

use unicode_segmentation::UnicodeSegmentation;

/// Letters that follow a Korean noun as a part of its word.
const PARTICLES: &[&str] = &[
    "가",
    "과",
    "까지",
    "나",
    "는",
    "도",
    "들",
    "랑",
    "로",
    "를",
    "만",
    "부터",
    "에",
    "에게",
    "에서",
    "예요",
    "와",
    "요",
    "으로",
    "은",
    "을",
    "의",
    "이",
    "이나",
    "이랑",
    "이에요",
    "이요",
    "입니다",
    "좀",
    "하고",
];

/// True if one of these words, or of these sequences of words, is in a text as a whole; all in
/// their normal form.
///
/// Words end where Unicode says (UAX 29). Scripts without blanks have an end behind each character,
/// so that a word is found inside their sentences. A word begins behind an elided article
/// (`l'addition`) and ends before `'s` and before a Korean particle.
pub(crate) fn has_word<W: AsRef<str>>(text: &str, words: impl IntoIterator<Item = W>) -> bool {
    let mut ends = None;
    words.into_iter().any(|word| {
        let word = word.as_ref();
        if word.is_empty() || !text.contains(word) {
            return false;
        }
        let ends: &Vec<usize> = ends.get_or_insert_with(|| {
            text.split_word_bound_indices().map(|(place, _)| place).chain([text.len()]).collect()
        });
        let is_end = |place| ends.binary_search(&place).is_ok();
        places(text, word).any(|start| {
            let end = start + word.len();
            let (before, after) =
                (text.get(..start).unwrap_or_default(), text.get(end..).unwrap_or_default());
            (is_end(start) || is_elided(before, word)) && (is_end(end) || is_ending(after, word))
        })
    })
}

/// Every place where a word is found, also where the finds overlap.
fn places<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    let mut from = 0;
    std::iter::from_fn(move || {
        let place = from + text.get(from..)?.find(word)?;
        from = place + text.get(place..)?.chars().next()?.len_utf8();
        Some(place)
    })
}

/// True behind `l'`, `dell'` or `qu'`; `don't` is one word.
fn is_elided(before: &str, word: &str) -> bool {
    let article = before.strip_suffix('\'').unwrap_or_default();
    article.ends_with(char::is_alphabetic) && word.chars().count() > 2
}

/// True before `'s`, and before a Korean particle.
fn is_ending(after: &str, word: &str) -> bool {
    let rest = after.split(|c: char| !c.is_alphanumeric() && c != '\'').next().unwrap_or_default();
    let is_korean = word.ends_with(|c: char| ('\u{ac00}'..='\u{d7a3}').contains(&c));
    rest == "'s" || (is_korean && PARTICLES.contains(&rest))
}

#[cfg(test)]
mod tests {
    use super::has_word;
    use crate::flow::lang::normal::normal;

    #[test]
    fn a_word_is_found_as_a_word() {
        for (text, word) in [
            ("No, thanks", "no"),
            ("well... no", "no"),
            ("¡Sí, claro!", "sí"),
            ("我想看菜单谢谢", "菜单"),
            ("メニューを見せて", "メニュー"),
            ("ขอดูเมนูหน่อย", "เมนู"),
            ("메뉴를 보여 주세요", "메뉴"),
            ("menu'yu göster", "göster"),
            ("l'addition s’il vous plaît", "addition"),
            ("un'altra dell'ordine", "ordine"),
            ("today's menu", "today"),
            ("tôi muốn xem thực đơn nhé", "thực đơn"),
            ("मुझे मेनू दिखाओ", "मेनू"),
            ("أريد القائمة، شكرا", "القائمة"),
            ("je voudrais un e-mail", "mail"),
            ("ok 👍🏽", "👍"),
            ("no-no no", "no"),
        ] {
            assert!(has_word(&normal(text), [normal(word)]), "{word} in {text}");
        }
        for (text, word) in [
            ("know", "no"),
            ("not now", "no"),
            ("can't", "can"),
            ("don't", "don"),
            ("menüler", "menü"),
            ("15 pizzas", "5"),
            ("5.5", "5"),
            ("Привет", "вет"),
            ("メニュー", "ニュー"),
            ("메뉴판", "메뉴"),
            ("कमल", "कम"),
            ("we'll", "ll"),
            ("", ""),
        ] {
            assert!(!has_word(&normal(text), [normal(word)]), "{word} in {text}");
        }
    }
}
