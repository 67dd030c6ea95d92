//! Labels and answers that differ in punctuation and blanks alone: `Yes, I agree` and `yes i agree`
//! (SEMANTICS U6).

use super::conjunctions::is_and;
use crate::flow::lang::normal::is_combining;

/// True if two texts, without accents, have the same words, whatever is written between them:
/// `check in` is `Check-in`, `terms and conditions` are `Terms & conditions`.
pub(super) fn is_same_but_marks(label: &str, said: &str) -> bool {
    if !said.contains(char::is_alphabetic) {
        return false;
    }
    let (own, said) = (words(label), words(said));
    let is_same = |(own, said): (&String, &String)| {
        own == said || (own == AND && is_and(said)) || (said == AND && is_and(own))
    };
    let is_each = own.len() == said.len() && own.iter().zip(&said).all(is_same);
    is_each || (!has_numbers_beside(&own) && !has_numbers_beside(&said) && own.concat() == said.concat())
}

const AND: &str = "&";

/// The words of a text. Marks between digits, and signs of a number, are a part of it.
fn words(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let mut words = vec![String::new()];
    for (place, c) in characters.iter().enumerate() {
        match c {
            '\'' => {}
            '&' => words.extend([AND.to_owned(), String::new()]),
            c if is_of_word(*c) || is_inside_number(&characters, place) => {
                if let Some(word) = words.last_mut() {
                    word.push(*c);
                }
            }
            _ => words.push(String::new()),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric()
        || is_combining(c)
        || matches!(c, '+' | '#' | '$' | '%' | '€' | '£' | '¥' | '₹' | '@' | '=' | '°')
}

/// True for a mark between two digits, with blanks or without, and for a sign before one.
fn is_inside_number(text: &[char], place: usize) -> bool {
    let is_digit = |c: Option<&char>| c.is_some_and(char::is_ascii_digit);
    let (before, after) = text.split_at(place);
    let Some((mark, after)) = after.split_first() else { return false };
    let last = before.iter().rev().find(|c| **c != ' ');
    let next = after.iter().find(|c| **c != ' ');
    let is_sign = matches!(mark, '-' | '<' | '>' | '~')
        && is_digit(after.first())
        && before.last().is_none_or(|c| *c == ' ');
    *mark != ' ' && ((is_digit(last) && is_digit(next)) || is_sign)
}

/// True if two words would become one number if there were no blank.
fn has_numbers_beside(words: &[String]) -> bool {
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    words
        .iter()
        .zip(words.iter().skip(1))
        .any(|(a, b)| is_digit(a.chars().next_back()) && is_digit(b.chars().next()))
}

#[cfg(test)]
mod tests {
    use super::is_same_but_marks;

    #[test]
    fn marks_between_words_make_no_difference() {
        for (label, said) in [
            ("yes, i agree", "yes i agree"),
            ("no thanks", "no, thanks"),
            ("oui, d'accord", "oui d'accord"),
            ("oui, d'accord", "oui daccord"),
            ("visa (debit)", "visa - debit"),
            ("check-in", "check in"),
            ("check-in", "checkin"),
            ("rendez-vous", "rendez vous"),
            ("yes/oui", "yes / oui"),
            ("24/7 support (phone)", "24/7 support phone"),
            ("terms & conditions", "terms and conditions"),
            ("terminos y condiciones", "terminos & condiciones"),
            ("예약 취소", "예약취소"),
            ("จอง โต๊ะ", "จองโต๊ะ"),
            ("size: 5-10 km", "size 5-10 km"),
        ] {
            assert!(is_same_but_marks(label, said), "{said} of {label}");
        }
        for (label, said) in [
            ("1-5 km", "15 km"),
            ("1.5 l", "1 5 l"),
            ("1.5 l", "15 l"),
            ("room 1, 2 beds", "room 12 beds"),
            ("level -1", "level 1"),
            ("under <18", "under 18"),
            ("no", "no no"),
            ("yes, i agree", "yes"),
            ("ja", "& "),
            ("c#", "c"),
            ("18+ only", "18 only"),
        ] {
            assert!(!is_same_but_marks(label, said), "{said} of {label}");
        }
    }
}
