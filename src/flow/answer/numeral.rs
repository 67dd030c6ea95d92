//! Numbers as people say them: in words, by `numerals.txt`, and behind words that only say that one
//! comes (SEMANTICS U10). Each line of the table has its languages, the word between a ten and a
//! unit (`<` where the unit is said first), the words from 0 to 20 and those of the other tens;
//! forms of one number are parted by commas, and a number that has no word is made of ten and a
//! unit. The words are those of the Unicode CLDR and others that people use.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use crate::flow::lang::language::Language;
use crate::flow::lang::normal::{normal, unframed, without_accents};

const TABLE: &str = include_str!("numerals.txt");

/// Marks of a word from one to ten that is something else, or another number, in some language:
/// with `*` it names a place in a list only where it is called a number, with `-` it names none.
const MARKS: [char; 2] = ['*', '-'];

/// More bytes are no number below a hundred, with its unit.
const MOST_BYTES: usize = 160;

/// Words that say that a number comes, and nothing about it.
#[rustfmt::skip]
const INTRODUCING: &str = "\
    i am|i'm|im|we are|we're|we will be|we'll be|it is|it's|its|that is|that's|there are|there will be|\
    there'll be|i have|we have|i want|i need|i would like|i'd like|just|only|for|my age is|\
    soy|somos|seremos|vamos a ser|tengo|tenemos|son|es|hay|para|solo|sólo|quiero|necesito|\
    sou|são|sao|vamos ser|tenho|temos|é|só|so|quero|preciso de|\
    je suis|nous sommes|on est|on sera|nous serons|j'ai|nous avons|c'est|il y a|pour|seulement|je veux|\
    ich bin|wir sind|es sind|sind|ich habe|wir haben|für|nur|das sind|ich möchte|\
    siamo|siamo in|saremo|saremo in|sono|ho|abbiamo|per|solo|vorrei|\
    we zijn|wij zijn|we zijn met|wij zijn met|ik ben|ik heb|wij hebben|we hebben|voor|alleen|het zijn|\
    vi är|jag är|jag har|vi har|det är|för|bara|vi er|jeg er|jeg har|vi har|det er|kun|\
    olen|meitä on|minulla on|vain|jest nas|jesteśmy|będzie nas|mam|mamy|dla|tylko|\
    je nás|jsme|bude nás|mám|máme|je mi|pro|jen|suntem|sunt|am|avem|pentru|doar|\
    нас|нас будет|мне|у меня|у нас|это|для|только|нас буде|мені|у мене|це|тільки|\
    είμαστε|είμαι|έχω|έχουμε|θα είμαστε|για|μόνο|biz|ben|toplam|sadece|\
    kami|saya|umur saya|usia saya|saya punya|ada|untuk|hanya|cuma|chúng tôi có|tôi có|tôi|chỉ|\
    نحن|احنا|عندي|لدي|لدينا|عمري|سنكون|فقط|אנחנו|אנחנו נהיה|יש לי|אני|אני בן|אני בת|רק|\
    हम|मैं|हम लोग|मेरी उम्र|केवल|सिर्फ|আমরা|আমার বয়স|tuko|mimi|nina|tuna";

static INTRODUCTIONS: LazyLock<HashSet<Box<str>>> =
    LazyLock::new(|| INTRODUCING.split('|').map(|phrase| normal(phrase).into()).collect());

/// The same in languages without blanks.
const INTRODUCING_UNSPACED: [&str; 12] =
    ["我们一共", "我们有", "我们", "我有", "一共", "共", "我", "私は", "全部で", "저는", "우리는", "เรามี"];

/// Words that count, in languages without blanks.
const COUNTERS: &str = "个 個 人 位 名 岁 歲 歳 つ 명 개 살 분 คน ปี ชิ้น ขวบ នាក់";

/// Nouns for several, behind the article that is also the word for one.
const COLLECTIVE: [&str; 16] = [
    "couple", "pair", "few", "par", "pares", "paar", "paire", "paio", "pareja", "parella", "decena",
    "dezena", "dizaine", "decina", "пара", "para",
];

/// Calls back with each word from one to ten that names a place in a list, whatever the language,
/// and its number; true for one that does so only where it is called a number: `option um`.
pub(super) fn each_place_word(mut found: impl FnMut(&'static str, usize, bool)) {
    for line in TABLE.lines() {
        for (number, forms) in line.split('|').skip(2).enumerate().take(11).skip(1) {
            for form in forms.split(',').filter(|form| !form.is_empty() && !form.ends_with('-')) {
                let word = form.trim_end_matches(MARKS);
                found(word, number, word.len() < form.len());
            }
        }
    }
}

/// The number in words that a text begins with, and the text behind it: of `two adults` 2.
/// Languages are asked in their order.
pub(super) fn read<'t, 'l>(text: &'t str, tags: impl Iterator<Item = &'l str>) -> Option<(u8, &'t str)> {
    const MOST_WORDS: usize = 10;
    let text = unframed(text);
    let is_long = text.len() > MOST_BYTES || text.split_whitespace().nth(MOST_WORDS).is_some();
    if is_long || text.contains(char::is_numeric) {
        return None;
    }
    tags.flat_map(numerals_of).find_map(|numerals| {
        let (number, rest) =
            ends(text).find_map(|(words, rest)| Some((numerals.number(&squashed(words))?, rest)))?;
        // `one or two`, `ten thirty`, `un par`.
        let is_other = |word: &str| COLLECTIVE.contains(&word) || numerals.number(word).is_some();
        let is_alone = !rest.split_whitespace().any(|word| is_other(&squashed(word)));
        is_alone.then_some((number, rest))
    })
}

/// The text behind words that only say that a number comes: `4` of `we are 4`.
pub(super) fn introduced(text: &str) -> Option<&str> {
    const MOST_WORDS: usize = 4;
    if text.len() > MOST_BYTES {
        return None;
    }
    let is_introducing = |words: &str| INTRODUCTIONS.contains(&*normal(words.trim_end_matches([':', ','])));
    let blanks = text.match_indices(char::is_whitespace).map(|(place, _)| place);
    let behind = blanks.take(MOST_WORDS).filter_map(|place| text.split_at_checked(place));
    let longest = behind.filter(|(words, _)| is_introducing(words)).last();
    let unspaced = || INTRODUCING_UNSPACED.iter().find_map(|words| text.strip_prefix(words));
    longest.map(|(_, rest)| rest).or_else(unspaced).map(str::trim_start).filter(|rest| !rest.is_empty())
}

/// The beginnings of a text that may be a number in words, the longest first, with what is behind.
fn ends(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_end = |(place, _): &(usize, char)| {
        let rest = text.get(*place..).unwrap_or_default();
        let is_counted = || *place > 0 && COUNTERS.split(' ').any(|counter| rest.starts_with(counter));
        rest.starts_with(char::is_whitespace) || is_counted()
    };
    let inner = text.char_indices().rev().filter(is_end).map(|(place, _)| place);
    [text.len()].into_iter().chain(inner).filter_map(|place| text.split_at_checked(place))
}

/// A text as its words are compared: without accents, blanks, hyphens and apostrophes.
fn squashed(text: &str) -> String {
    let is_between = |c: &char| c.is_whitespace() || matches!(c, '-' | '\'' | '’');
    without_accents(&normal(text)).chars().filter(|c| !is_between(c)).collect()
}

/// A line of the table, as its words are compared.
struct Numerals {
    languages: &'static str,
    is_unit_first: bool,
    /// The word between a ten and a unit.
    join: String,
    /// The forms of each number that has a word of its own.
    forms: Vec<(u8, String)>,
}

static NUMERALS: LazyLock<Vec<Numerals>> =
    LazyLock::new(|| TABLE.lines().filter_map(Numerals::parse).collect());

/// The lines of a language: of one in two scripts there are two.
fn numerals_of(tag: &str) -> impl Iterator<Item = &'static Numerals> + use<> {
    let language = Language::parse(tag);
    let is_its = move |numerals: &&Numerals| {
        let primary = language.as_ref().map(Language::primary);
        numerals.languages.split(',').any(|own| primary == Some(own))
    };
    NUMERALS.iter().filter(is_its)
}

impl Numerals {
    fn parse(line: &'static str) -> Option<Self> {
        let (languages, rest) = line.split_once('|')?;
        let (join, words) = rest.split_once('|')?;
        let number = |place: u8| if place <= 20 { place } else { (place - 18) * 10 };
        let mut forms = Vec::new();
        for (place, written) in (0..).zip(words.split('|')) {
            for form in written.split(',').filter(|form| !form.is_empty()) {
                forms.push((number(place), squashed(form.trim_end_matches(MARKS))));
            }
        }
        let (is_unit_first, join) = join.strip_prefix('<').map_or((false, join), |join| (true, join));
        Some(Self { languages, is_unit_first, join: squashed(join), forms })
    }

    fn number(&self, said: &str) -> Option<u8> {
        self.named(said, 0..=99).or_else(|| self.composed(said))
    }

    fn named(&self, said: &str, range: RangeInclusive<u8>) -> Option<u8> {
        let found = self.forms.iter().find(|(number, form)| range.contains(number) && form == said);
        found.map(|(number, _)| *number)
    }

    /// A number of a ten and a unit: `twenty-five`, `fünfundzwanzig`, `soixante-douze`.
    fn composed(&self, said: &str) -> Option<u8> {
        let mut tens = self.forms.iter().filter(|(number, _)| *number >= 10 && number % 10 == 0);
        tens.find_map(|(ten, word)| {
            let (rest, unit) = if self.is_unit_first {
                let rest = said.strip_suffix(&**word)?;
                (rest, rest.strip_suffix(&*self.join))
            } else {
                let rest = said.strip_prefix(&**word)?;
                (rest, rest.strip_prefix(&*self.join))
            };
            // French counts on behind 60 and 80.
            let most = if matches!(ten, 60 | 80) { 19 } else { 9 };
            let mut units = [unit, Some(rest)].into_iter().flatten();
            let unit = units.find_map(|unit| self.named(unit, 1..=most))?;
            Some(ten + unit)
        })
    }
}
