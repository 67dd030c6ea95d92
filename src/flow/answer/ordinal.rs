//! Words of an order, such as `first`, `la tercera` and `letzte`, in the languages of
//! `ordinals.txt`: a line for each, with the words from the first to the tenth and those for the
//! last, parted by bars. Words that mean something else without an article are there with one
//! (SEMANTICS U6).

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use crate::flow::lang::normal::{key, without_accents};

const TABLE: &str = include_str!("ordinals.txt");

/// Most words of an entry.
const MOST_WORDS: usize = 3;

/// A place that a word names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ordinal {
    /// Counted from 0.
    At(usize),
    Last,
}

static ORDINALS: LazyLock<HashMap<Box<str>, Ordinal>> = LazyLock::new(|| {
    let mut words = HashMap::new();
    for line in TABLE.lines() {
        let (_, places) = line.split_once(' ').unwrap_or_default();
        for (place, forms) in places.split('|').enumerate() {
            let ordinal = if place == LAST { Ordinal::Last } else { Ordinal::At(place) };
            let forms = forms.split(',').filter(|form| !form.is_empty());
            words.extend(forms.map(|form| (without_accents(&key(form)).into(), ordinal)));
        }
    }
    words
});
const LAST: usize = 10;

/// Articles, and nouns, that add nothing in front of one or behind it.
static ARTICLE_WORDS: LazyLock<HashSet<Box<str>>> = LazyLock::new(|| forms(ARTICLES));
static NOUN_WORDS: LazyLock<HashSet<Box<str>>> = LazyLock::new(|| forms(NOUNS));

fn forms(words: &[&str]) -> HashSet<Box<str>> {
    words.iter().map(|word| without_accents(&key(word)).into()).collect()
}

const ARTICLES: &[&str] = &[
    "the", "el", "la", "los", "las", "lo", "o", "os", "as", "a", "le", "les", "il", "gli", "die", "der",
    "das", "den", "dem", "de", "het", "az", "ten", "ta", "to", "tą", "te", "το", "τα", "τον", "την", "ο",
    "η", "на", "yang", "ang", "cái", "câu", "det", "dat",
];
/// Those of more than one: `los 2` are both.
const PLURAL: [&str; 7] = ["los", "las", "os", "as", "les", "gli", "τα"];
/// Nouns beside one: `the first one`, `la primera opción`.
const NOUNS: &[&str] = &[
    "one",
    "ones",
    "option",
    "options",
    "choice",
    "choices",
    "item",
    "items",
    "answer",
    "answers",
    "opción",
    "opciones",
    "opção",
    "opções",
    "opció",
    "choix",
    "réponse",
    "réponses",
    "opzione",
    "opzioni",
    "scelta",
    "risposta",
    "möglichkeit",
    "möglichkeiten",
    "auswahl",
    "antwort",
    "optionen",
    "optie",
    "opties",
    "keuze",
    "antwoord",
    "alternativet",
    "alternativ",
    "valget",
    "svaret",
    "opcja",
    "opcję",
    "opcje",
    "odpowiedź",
    "možnost",
    "možnosti",
    "možnosť",
    "opcija",
    "opciju",
    "opcia",
    "вариант",
    "варианты",
    "пункт",
    "варіант",
    "опция",
    "опцията",
    "опція",
    "επιλογή",
    "opțiune",
    "opțiunea",
    "variantă",
    "varianta",
    "vaihtoehto",
    "vaihtoehdon",
    "lehetőség",
    "lehetőséget",
    "opciót",
    "seçenek",
    "seçeneği",
    "pilihan",
    "opsi",
    "विकल्प",
    "वाला",
    "वाली",
    "বিকল্প",
    "الخيار",
    "خيار",
    "האפשרות",
    "אפשרות",
    "گزینه",
    "것",
    "거",
];

impl Ordinal {
    /// Its number, where it has one.
    pub(super) fn number(self) -> Option<String> {
        match self {
            Self::At(place) => Some((place + 1).to_string()),
            Self::Last => None,
        }
    }

    /// The place that it means in a list of so many.
    pub(super) fn place(self, count: usize) -> Option<usize> {
        match self {
            Self::At(place) => (place < count).then_some(place),
            Self::Last => count.checked_sub(1),
        }
    }
}

/// The place that a text names, as it is compared, if it names one and says no more.
pub(super) fn read(said: &str) -> Option<Ordinal> {
    const MOST_BYTES: usize = 96;
    if said.len() > MOST_BYTES || is_fraction(said) {
        return None;
    }
    let mut rest = said;
    loop {
        if let Some(ordinal) = of(rest) {
            return Some(ordinal);
        }
        rest = without_first(rest).or_else(|| without_last(rest))?;
    }
}

/// True if a label has words that name this place; of none, any.
pub(super) fn is_held(label: &str, ordinal: Option<Ordinal>) -> bool {
    let words: Vec<&str> = label.split(|c: char| c.is_whitespace() || matches!(c, '-' | '(' | ')')).collect();
    (1..=MOST_WORDS).flat_map(|count| words.windows(count)).any(|window| {
        let found = of(&key(&window.join(" ")));
        found.is_some() && (ordinal.is_none() || found == ordinal)
    })
}

fn of(text: &str) -> Option<Ordinal> {
    ORDINALS.get(&*without_accents(text)).copied()
}

fn without_first(text: &str) -> Option<&str> {
    let (first, rest) = text.split_once([' ', '\''])?;
    (first == "l" || is_beside(first)).then_some(rest)
}

fn without_last(text: &str) -> Option<&str> {
    let (rest, last) = text.rsplit_once(' ')?;
    is_beside(last).then_some(rest)
}

fn is_beside(word: &str) -> bool {
    is_article(word) || is_noun(word)
}

/// True for an article.
pub(super) fn is_article(word: &str) -> bool {
    ARTICLE_WORDS.contains(&*without_accents(word))
}

/// True for an article of more than one.
pub(super) fn is_plural(word: &str) -> bool {
    PLURAL.contains(&word)
}

/// True for a noun that adds nothing.
pub(super) fn is_noun(word: &str) -> bool {
    NOUN_WORDS.contains(&*without_accents(word))
}

/// True of `a third`, and of `a second`, which is a while.
pub(super) fn is_fraction(said: &str) -> bool {
    let english = TABLE.lines().next().and_then(|line| line.strip_prefix("en ")).unwrap_or_default();
    said.strip_prefix("a ").is_some_and(|rest| english.split(['|', ',']).any(|word| word == rest))
}
