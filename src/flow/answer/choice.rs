//! One of several: by its payload, its id, its label, another word for it, the number that it
//! begins with, or its place in the list (SEMANTICS U6).

use std::sync::Arc;

use super::listed::{held, is_joined, leading, number, unpadded, without_number};
use super::near;
use super::ordinal::{self, Ordinal};
use crate::flow::lang::normal::{emoji_alone, emoji_of, key, key_with_emoji, normal};

/// The choices of a question.
#[derive(Clone, Debug)]
pub(crate) struct Choices {
    pub(crate) list: Box<[Choice]>,
    /// True if the message shows the place of each.
    pub(crate) are_numbered: bool,
    /// Number of choices that make an answer, if it may be several.
    pub(crate) several: Option<Several>,
    /// There if some are not known before they are offered (SEMANTICS N10).
    pub(crate) live: Option<Box<LiveChoices>>,
}

/// The known part of choices before they are offered, where some are made of data or have a label
/// that is rendered.
#[derive(Clone, Debug)]
pub(crate) struct LiveChoices {
    /// The question's setting for the places that the contact sees.
    pub(crate) numbered: Option<bool>,
    /// Labels and other words of those that are written out, by their place.
    pub(crate) words: Box<[KnownWords]>,
}

/// The words of a choice, as far as they are written out.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownWords {
    pub(crate) labels: Box<[Box<str>]>,
    pub(crate) synonyms: Box<[Box<str>]>,
}

/// The number of choices that make an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Several {
    pub(crate) least: usize,
    pub(crate) most: usize,
}

/// A choice of a question.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) id: Arc<str>,
    /// The id, the labels and other words for it, as a message is compared with them.
    words: Box<[Box<str>]>,
    /// The same without emoji and without the number of a list (`1. Pay`), where that differs.
    bare: Box<[Box<str>]>,
    /// Both without accents, where that differs.
    folded: Box<[Box<str>]>,
    /// Labels that were cut for their channel, up to the cut.
    cut: Box<[Box<str>]>,
    /// The emoji of its labels and other words.
    signs: Box<[Box<str>]>,
    /// The numbers that its id, labels and other words begin with.
    numbers: Box<[Box<str>]>,
    /// The numbers that its labels have anywhere.
    held: Box<[Box<str>]>,
}

impl Choices {
    /// The choices that were offered, each by its id and its labels; None if they are known without
    /// that. `shows_places`: the message did.
    pub(crate) fn offered<'o, L: Iterator<Item = &'o str>>(
        &'o self,
        offered: impl Iterator<Item = (&'o str, L)>,
        shows_places: bool,
    ) -> Option<Self> {
        let live = self.live.as_ref()?;
        let list = offered.map(|(id, own)| {
            let Some(place) = self.place_of(id) else { return Choice::of_data(id, own) };
            let words = live.words.get(place);
            let (labels, synonyms) =
                words.map_or((&[][..], &[][..]), |words| (&words.labels[..], &words.synonyms[..]));
            let labels = labels.iter().map(|label| &**label).chain(own);
            Choice::new(id, labels, synonyms.iter().map(|word| &**word))
        });
        let are_numbered = live.numbered.unwrap_or(shows_places);
        Some(Self { list: list.collect(), are_numbered, several: self.several, live: None })
    }

    /// The place of a choice that is written out.
    pub(crate) fn place_of(&self, id: &str) -> Option<usize> {
        self.list.iter().position(|choice| *choice.id == *id)
    }
}

impl Choice {
    /// A choice with its labels, and other words for it.
    pub(crate) fn new<'w>(
        id: &'w str,
        labels: impl IntoIterator<Item = &'w str>,
        synonyms: impl IntoIterator<Item = &'w str>,
    ) -> Self {
        let labels: Vec<&str> = labels.into_iter().collect();
        let all: Vec<&str> = std::iter::once(id).chain(labels.iter().copied()).chain(synonyms).collect();
        let words: Vec<Box<str>> = all.iter().map(|word| key_with_emoji(word).into()).collect();
        let forms = all.iter().flat_map(|word| [Some(key(word).into()), without_number(word)]);
        let bare: Box<[Box<str>]> = forms.flatten().filter(|form| !words.contains(form)).collect();
        let accented = words.iter().chain(&bare).filter(|form| !form.is_ascii());
        let folded = accented.map(|form| near::folded(form).into()).collect();
        let cut = labels.iter().filter(|label| label.ends_with('…')).map(|label| key(label).into());
        let signs = all.iter().filter_map(|word| emoji_of(word).map(Box::from)).collect();
        let begins = |(at, word): (usize, &&str)| -> Option<Box<str>> {
            let form = normal(word);
            let number = leading(&form)?;
            // An id such as `2f8c` is a name, and begins with no number.
            let is_name =
                || form.find(number).and_then(|at| form.get(at + number.len()..)).is_some_and(is_joined);
            (at > 0 || !is_name()).then(|| unpadded(number).into())
        };
        let numbers = all.iter().enumerate().filter_map(begins).collect();
        let held = labels.iter().flat_map(|label| held(&normal(label)));
        Self {
            id: id.into(),
            numbers,
            held: held.collect(),
            words: words.into(),
            bare,
            folded,
            cut: cut.collect(),
            signs,
        }
    }

    /// A choice made of data. Nobody sees its id: where that has digits alone it is none of the
    /// words that people write.
    fn of_data<'w>(id: &'w str, labels: impl Iterator<Item = &'w str>) -> Self {
        let labels: Vec<&str> = labels.collect();
        let mut choice = Self::new(id, labels.iter().copied(), []);
        let is_hidden = |form: &str| form.bytes().all(|b| b.is_ascii_digit());
        let number = |label: &&str| leading(&normal(label)).map(|number| unpadded(number).into());
        choice.numbers = labels.iter().filter_map(number).collect();
        if choice.words.first().is_some_and(|id| is_hidden(id)) {
            choice.words = choice.words.iter().skip(1).cloned().collect();
        }
        choice
    }

    /// Every text that means it, as it is compared; its number aside.
    pub(crate) fn keys(&self) -> impl Iterator<Item = String> {
        self.words.iter().map(|word| word.to_string())
    }

    /// True if one of its emoji is among these.
    fn is_signed(&self, emoji: &str) -> bool {
        self.signs.iter().any(|sign| emoji.contains(&**sign))
    }

    /// The same, and without emoji and the number of a list.
    fn forms(&self) -> impl Iterator<Item = &str> {
        self.words.iter().chain(&self.bare).map(|word| &**word)
    }
}

/// The choice that was meant, by its place; none if there is no such, or more than one.
pub(super) fn find(choices: &Choices, payload: Option<&str>, text: &str) -> Option<usize> {
    match named(choices, payload, text) {
        NamedChoice::One(place) => Some(place),
        NamedChoice::Many => None,
        NamedChoice::None => almost(choices, &key(text)),
    }
}

/// The choice that a text names as it is written, or by a number.
pub(super) fn named(choices: &Choices, payload: Option<&str>, text: &str) -> NamedChoice {
    let list = &choices.list;
    let (said, bare) = (key_with_emoji(text), key(text));
    let without_accents = std::cell::OnceCell::new();
    let folded = || &**without_accents.get_or_init(|| near::folded(&bare));
    let tiers: [&dyn Fn(&Choice) -> bool; 5] = [
        &|choice| payload == Some(&*choice.id),
        &|choice| choice.words.first().is_some_and(|id| **id == *said),
        &|choice| is_one(&choice.words, &said),
        &|choice| is_one(&choice.words, &bare) || is_one(&choice.bare, &bare),
        &|choice| is_one(&choice.folded, folded()) || choice.forms().any(|form| form == folded()),
    ];
    for means in tiers {
        match only(list, means) {
            NamedChoice::None => {}
            found => return found,
        }
    }
    if let Some(sign) = emoji_alone(text) {
        return only(list, &|choice| choice.signs.iter().any(|own| is_repeated(own, &sign)));
    }
    let says_more = || emoji_of(text).is_some_and(|said| list.iter().any(|choice| choice.is_signed(&said)));
    let number = number(&said).or_else(|| number(&bare).filter(|_| !says_more()));
    match number {
        Some(number) => numbered(choices, number),
        None => ordinal::read(&bare).map_or(NamedChoice::None, |ordinal| ordered(choices, ordinal)),
    }
}

/// The choice that a word of an order means: by its label where one has that word, by its place
/// where places are seen; else where no label has a word of an order, by its place unless another
/// label begins with that number.
fn ordered(choices: &Choices, ordinal: Ordinal) -> NamedChoice {
    let list = &choices.list;
    let place = ordinal.place(list.len());
    let placed = |place: Option<usize>| place.map_or(NamedChoice::None, NamedChoice::One);
    let holds = |choice: &Choice, wanted| choice.forms().any(|label| ordinal::is_held(label, wanted));
    if list.iter().any(|choice| holds(choice, None)) {
        match only(list, &|choice| holds(choice, Some(ordinal))) {
            NamedChoice::None if choices.are_numbered => {}
            found => return found,
        }
    }
    if choices.are_numbered {
        return placed(place);
    }
    let number = ordinal.number();
    let is_anothers = |(at, choice): (usize, &Choice)| {
        Some(at) != place && number.as_ref().is_some_and(|number| is_one(&choice.numbers, number))
    };
    placed(place.filter(|_| !list.iter().enumerate().any(is_anothers)))
}

/// The choice that a number means: by its place where places are seen, by the number that it begins
/// with, by the one that its label has, by its place where no label has any.
fn numbered(choices: &Choices, number: &str) -> NamedChoice {
    let list = &choices.list;
    let place = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let place = place.filter(|place| *place < list.len());
    if let Some(place) = place.filter(|_| choices.are_numbered) {
        return NamedChoice::One(place);
    }
    match only(list, &|choice| is_one(&choice.numbers, number)) {
        NamedChoice::None => {}
        found => return found,
    }
    match only(list, &|choice| is_one(&choice.held, number)) {
        NamedChoice::One(place) => NamedChoice::One(place),
        NamedChoice::Many => NamedChoice::Many,
        NamedChoice::None => {
            let place = place.filter(|_| list.iter().all(|choice| choice.held.is_empty()));
            place.map_or(NamedChoice::None, NamedChoice::One)
        }
    }
}

/// The choice that a text comes near to, in its normal form, where it names none as it is written.
pub(super) fn almost(choices: &Choices, said: &str) -> Option<usize> {
    const MOST_BYTES: usize = 256;
    if said.len() > MOST_BYTES {
        return None;
    }
    let list = &choices.list;
    let one = |means: &dyn Fn(&str) -> bool| match only(list, &|choice| choice.forms().any(means)) {
        NamedChoice::One(place) => Some(place),
        _ => None,
    };
    let of_polite = || find(choices, None, &near::without_politeness(said)?);
    // `2. Green`: number and label mean the same.
    let both = || {
        let number = leading(said)?;
        let label = said.strip_prefix(number)?.trim_start_matches(['.', ')', ':', '-', ' ']);
        let is_label = label.chars().any(char::is_alphabetic);
        match (is_label.then(|| named(choices, None, label))?, numbered(choices, unpadded(number))) {
            (NamedChoice::One(place), NamedChoice::One(other)) => (place == other).then_some(place),
            _ => None,
        }
    };
    let folded = near::folded(said);
    let is_cut = |choice: &Choice| choice.cut.iter().any(|begin| said.starts_with(&**begin));
    if let NamedChoice::One(place) = only(list, &is_cut) {
        return Some(place);
    }
    one(&|label| near::lettered(label).is_some_and(|(letter, text)| letter == said || text == said))
        .or_else(|| one(&|label| near::last_letter(label) == Some(said)))
        .or_else(|| one(&|label| near::is_heading(&near::folded(label), &folded)))
        .or_else(both)
        .or_else(|| one(&|label| near::has_same_numbers(label, said)))
        .or_else(of_polite)
}

fn is_one(words: &[Box<str>], said: &str) -> bool {
    words.iter().any(|word| **word == *said)
}

/// True if a text is a sign, once or more often.
fn is_repeated(sign: &str, text: &str) -> bool {
    text.len().is_multiple_of(sign.len()) && text.replace(sign, "").is_empty()
}

/// The choices that a test holds for: none, one or many.
pub(super) enum NamedChoice {
    None,
    One(usize),
    Many,
}

fn only(list: &[Choice], means: &dyn Fn(&Choice) -> bool) -> NamedChoice {
    let mut meant = list.iter().enumerate().filter(|(_, choice)| means(choice)).map(|(place, _)| place);
    match (meant.next(), meant.next()) {
        (Some(place), None) => NamedChoice::One(place),
        (Some(_), Some(_)) => NamedChoice::Many,
        (None, _) => NamedChoice::None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::listed::shows_places;
    use super::*;

    fn of<const N: usize>(list: [Choice; N]) -> Choices {
        Choices { list: list.into(), are_numbered: false, several: None, live: None }
    }

    fn labels<const N: usize>(labels: [&str; N]) -> Choices {
        let list = labels.iter().enumerate();
        let list = list.map(|(place, label)| {
            Choice::new(&format!("id-{}", char::from(b'a' + place as u8)), [*label], [])
        });
        Choices { list: list.collect(), are_numbered: false, several: None, live: None }
    }

    fn sizes() -> Choices {
        of([
            Choice::new("s", ["Small"], ["little"]),
            Choice::new("m", ["Medium"], []),
            Choice::new("l", ["Large"], ["1", "Straße"]),
        ])
    }

    #[test]
    fn a_choice_is_known_by_payload_id_label_synonym_and_number() {
        for (payload, text, place) in [
            (Some("m"), "Small", 1),
            (None, " S ", 0),
            (None, "MEDIUM", 1),
            (None, "Little", 0),
            (None, "STRASSE", 2),
            (None, "2", 1),
            (None, "2.", 1),
            (None, "#3", 2),
            (None, "٢", 1),
            (None, "2️⃣", 1),
            (Some("unknown"), "large", 2),
        ] {
            assert_eq!(find(&sizes(), payload, text), Some(place), "{payload:?} {text}");
        }
    }

    #[test]
    fn a_word_of_the_authors_goes_before_a_number_in_the_list() {
        assert_eq!(find(&sizes(), None, "1"), Some(2));
    }

    #[test]
    fn what_means_none_or_two_is_no_choice() {
        for text in ["", "huge", "0", "4", "-1", "1.5", "small or large", "999999999999"] {
            assert_eq!(find(&sizes(), None, text), None, "{text}");
        }
        let twins = of([Choice::new("a", ["Same"], []), Choice::new("b", ["same"], [])]);
        assert_eq!(find(&twins, None, "SAME"), None);
    }

    #[test]
    fn a_number_is_that_of_a_label_before_it_is_a_place() {
        let stars = labels(["5 ⭐", "4 ⭐", "3 ⭐", "2 ⭐", "1 ⭐"]);
        for (said, place) in [("5", Some(0)), ("1", Some(4)), ("５", Some(0)), ("4 ⭐", Some(1)), ("6", None)]
        {
            assert_eq!(find(&stars, None, said), place, "{said}");
        }
        let hours = labels(["9:00", "11:00", "14:30"]);
        for (said, place) in [("9", Some(0)), ("11:00", Some(1)), ("14", Some(2)), ("1", None), ("3", None)] {
            assert_eq!(find(&hours, None, said), place, "{said}");
        }
        let tables = labels(["Table for 2", "Table for 4", "Terrace"]);
        for (said, place) in [("2", Some(0)), ("4", Some(1)), ("1", None), ("3", None), ("terrace", Some(2))]
        {
            assert_eq!(find(&tables, None, said), place, "{said}");
        }
        let listed = labels(["2. Pay", "1. Wait", "3️⃣ Call"]);
        for (said, place) in [("2", Some(0)), ("wait", Some(1)), ("call", Some(2)), ("1.", Some(1))] {
            assert_eq!(find(&listed, None, said), place, "{said}");
        }
    }

    #[test]
    fn places_that_are_shown_count() {
        let numbered = Choices { are_numbered: true, ..labels(["9:00", "11:00"]) };
        assert_eq!(find(&numbered, None, "1"), Some(0));
        assert_eq!(find(&numbered, None, "11"), Some(1));
        assert!(shows_places("When?\n1. 9:00\n2) 11:00", 2));
        assert!(!shows_places("When?\n1. 9:00", 2));
    }

    #[test]
    fn a_word_of_an_order_is_that_of_a_label_before_it_is_a_place() {
        for (said, place) in [
            ("the second", Some(1)),
            ("First one!", Some(0)),
            ("letztes", Some(2)),
            ("la primera", Some(0)),
            ("a second", None),
            ("prima", None),
            ("fourth", None),
        ] {
            assert_eq!(find(&labels(["Small", "Medium", "Large"]), None, said), place, "{said}");
        }
        let days = labels(["Segunda-feira", "Terça-feira", "Quarta-feira"]);
        for (said, place) in [("segunda", Some(0)), ("quarta", Some(2)), ("primeira", None)] {
            assert_eq!(find(&days, None, said), place, "{said}");
        }
        let hours = labels(["9:00", "11:00", "14:30"]);
        assert_eq!(find(&hours, None, "the second"), Some(1));
        let stars = labels(["5 ⭐", "4 ⭐", "3 ⭐", "2 ⭐", "1 ⭐"]);
        for (said, place) in [("first", None), ("third", Some(2)), ("last", Some(4))] {
            assert_eq!(find(&stars, None, said), place, "{said}");
        }
    }

    #[test]
    fn emoji_of_a_label_may_be_left_out_and_may_tell_apart() {
        let liked = labels(["Like 👍", "Like 👎", "Yes ✅", "🇬🇧 English"]);
        for (said, place) in [
            ("yes", Some(2)),
            ("Like 👎", Some(1)),
            ("like", None),
            ("english", Some(3)),
            ("like 👍🏽", Some(0)),
            ("👍🏿", Some(0)),
            ("✅✅", Some(2)),
            ("🇬🇧", Some(3)),
            ("🇬", None),
            ("👍👎", None),
            ("❤️", None),
        ] {
            assert_eq!(find(&liked, None, said), place, "{said}");
        }
    }

    #[test]
    fn a_hidden_id_decides_nothing() {
        let cities = |ids: [&str; 3]| {
            let list = ids.into_iter().zip(["Roma", "Milano", "Torino"]);
            list.map(|(id, label)| Choice::new(id, [label], [])).collect::<Box<[_]>>()
        };
        for ids in [["2f8c11d0", "3ab4", "b77e"], ["3-a1", "2_x", "1z"], ["2kg", "3kg", "1kg"]] {
            let choices = Choices { list: cities(ids), are_numbered: false, several: None, live: None };
            for (said, place) in [("2.", 1), ("3.", 2), ("1", 0), ("#2", 1)] {
                assert_eq!(find(&choices, None, said), Some(place), "{ids:?} {said}");
            }
        }
        let live = LiveChoices { numbered: None, words: Box::default() };
        let choices =
            Choices { list: Box::default(), are_numbered: false, several: None, live: Some(live.into()) };
        let offered = [("3", "Roma"), ("1", "Milano"), ("2", "Torino"), ("x7", "Bari")];
        let offered = offered.into_iter().map(|(id, label)| (id, std::iter::once(label)));
        let choices = choices.offered(offered, false).unwrap();
        for (payload, said, place) in
            [(None, "2.", 1), (None, "3", 2), (None, "milano", 1), (Some("2"), "", 2), (None, "x7", 3)]
        {
            assert_eq!(find(&choices, payload, said), Some(place), "{payload:?} {said}");
        }
    }

    #[test]
    fn a_word_of_an_order_is_that_of_a_label_also_in_a_list_with_numbers() {
        for (listed, said, place) in [
            (["Segunda-feira", "Terça-feira", "Quarta-feira", "Quinta-feira"], "quarta", 2),
            (["Δευτέρα 4/5", "Τρίτη 5/5", "Τετάρτη 6/5", "Πέμπτη 7/5"], "Τρίτη", 1),
            (["Thứ hai, 4/5", "Thứ ba, 5/5", "Thứ tư, 6/5", "Thứ năm, 7/5"], "thứ ba", 1),
            (["יום ראשון", "יום שני", "יום שלישי", "יום רביעי"], "שני", 1),
            (["Economy", "First class", "Second class", "Bus"], "second", 2),
            (["Economy", "First class", "Second class", "Bus"], "first", 1),
            (["Economía", "Primera clase", "Segunda clase", "Bus"], "la segunda", 2),
            (["Budget", "Premier étage", "Deuxième étage", "Toit"], "deuxième", 2),
            (["Erdgeschoss", "Erster Stock", "Zweiter Stock", "Dach"], "erster", 1),
            (["Parter", "Pierwsze piętro", "Drugie piętro", "Dach"], "drugie", 2),
            (["Подвал", "Первый этаж", "Второй этаж", "Крыша"], "первый", 1),
            (["Zemin", "Birinci kat", "İkinci kat", "Çatı"], "birinci", 1),
            (["Small", "Medium", "Large", "Huge"], "second", 1),
            (["Economy", "First class", "Second class", "Bus"], "fourth", 3),
        ] {
            let choices = Choices { are_numbered: true, ..labels(listed) };
            assert_eq!(find(&choices, None, said), Some(place), "{said}");
        }
    }

    #[test]
    fn a_number_is_called_one_in_the_order_of_each_language() {
        let sizes = labels(["Small", "Medium", "Large"]);
        for said in [
            "la 2",
            "el 2",
            "2da",
            "2do",
            "la opción 2",
            "2 por favor",
            "a 2",
            "o 2",
            "le 2",
            "l'option 2",
            "il 2",
            "die 2",
            "the 2nd",
            "2 please",
            "الخيار 2",
            "الرقم 2",
            "אפשרות 2",
            "מספר 2",
            "2. seçenek",
            "2 numara",
            "2 नंबर",
            "২ নম্বর",
            "το 2",
            "2ο",
            "επιλογή 2",
            "namba 2",
            "yang 2",
            "câu 2",
            "หมายเลข 2",
            "numer 2",
            "选2",
            "選2",
            "number 2 please",
            "option 2, thanks",
            "nº 2",
            "n° 2",
            "opção 2",
            "a opção 2",
            "numéro 2 svp",
            "Nummer 2 bitte",
            "la 2da",
            "la numero 2",
            "l'opzione 2",
            "den 2",
            "nr 2",
            "tal 2",
            "numer 2 proszę",
            "číslo 2",
            "možnost 2",
            "вариант 2",
            "номер 2 пожалуйста",
            "варіант 2",
            "опция 2",
            "2 номер",
            "2 वाला",
            "विकल्प 2",
            "বিকল্প 2",
            "pilihan 2",
            "nomor 2",
            "số 2",
            "số 2 ạ",
            "ข้อ 2 ค่ะ",
            "2번 주세요",
            "2番でお願いします",
            "2つ目",
            "2号",
            "第2个",
            "گزینه 2",
            "شماره 2",
            "نمبر 2",
            "chaguo la 2",
            "ang 2",
            "opsi 2",
            "numărul 2",
            "varianta 2",
            "2. lehetőség",
            "vaihtoehto 2",
            "alternativ 2",
            "2:a",
            "2e",
            "2ème",
            "2º",
            "2ª",
            "2-й",
            "2.",
            "(2)",
        ] {
            assert_eq!(find(&sizes, None, said), Some(1), "{said}");
        }
        let answers = labels(["はい", "いいえ"]);
        assert_eq!(find(&answers, None, "はい、お願いします"), Some(0));
        let answers = labels(["Yes", "No", "Sí", "Oui", "Ja", "да"]);
        for (said, place) in [
            ("yes please", 0),
            ("Yes, please!", 0),
            ("no, thanks", 1),
            ("no thank you", 1),
            ("sí, por favor", 2),
            ("oui merci", 3),
            ("Ja, bitte", 4),
            ("да, пожалуйста", 5),
            ("please yes", 0),
            ("sí, muchas gracias", 2),
        ] {
            assert_eq!(find(&answers, None, said), Some(place), "{said}");
        }
        for said in ["please", "thanks", "2 of them", "two or 2", "the 2 and 3", "2 kg", "not 2", "2 days"] {
            assert_eq!(find(&sizes, None, said), None, "{said}");
        }
    }
}
