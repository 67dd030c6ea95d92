//! Addresses in a sentence that is written without blanks: they end, and one of mail begins, where
//! their letters give way to those of the sentence (SEMANTICS U15).

use super::is_unspaced;

/// The mail address in a word of a sentence: `メールはada@example.comです`. One that is all in another
/// script stays as it is.
pub(crate) fn mail_in_sentence(word: &str) -> &str {
    let is_latin = |c: char| c.is_ascii_alphanumeric();
    let Some((local, domain)) = word.rsplit_once('@').filter(|(_, domain)| domain.starts_with(is_latin))
    else {
        return word;
    };
    let end = word.len() - domain.len() + domain.find(is_unspaced).unwrap_or(domain.len());
    let is_begun = |(_, c): &(usize, char)| is_unspaced(*c);
    let start = match local.char_indices().rfind(is_begun) {
        Some((place, c)) if local.ends_with(is_latin) => place + c.len_utf8(),
        _ => 0,
    };
    word.get(start..end).unwrap_or(word)
}

/// The web address that a word of a sentence begins with: `https://example.com/a谢谢`. Letters of
/// another script right behind a mark are its own (`https://example.com/路径`), and so are those of a
/// host.
pub(crate) fn url_in_sentence(word: &str) -> &str {
    let start = word.find("://").map_or(0, |place| place + 3);
    let mut before = None;
    let mut has_point = false;
    for (place, c) in word.char_indices().filter(|(place, _)| *place >= start) {
        if is_unspaced(c) {
            let is_behind = before.is_some_and(|before: char| before.is_ascii_alphanumeric());
            return if is_behind && has_point { word.get(..place).unwrap_or(word) } else { word };
        }
        has_point |= c == '.';
        before = Some(c);
    }
    word
}
