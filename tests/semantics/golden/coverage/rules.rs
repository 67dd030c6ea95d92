//! The rules of `docs/semantics.md`, and where each is shown: a talk names its rules in its first
//! line, a test in its documentation.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use crate::golden::written;

/// The contract, and the rules that have a heading there: `### T5`.
const CONTRACT: &str = include_str!("../../../../docs/semantics.md");
static RULES: LazyLock<BTreeSet<&str>> =
    LazyLock::new(|| CONTRACT.lines().filter_map(|line| line.strip_prefix("### ")).collect());

/// The chapters of which each rule up to this number has a talk. Rules beyond are about engines
/// beside each other, or about calls of the host, which a talk does not have.
const TALKED: [(char, u8); 5] = [('I', 12), ('S', 12), ('L', 9), ('N', 9), ('U', 9)];

/// Of those, the rules that one talk with one engine cannot show.
const BEYOND_TALKS: &[&str] = &["I8", "L1", "L3", "L5", "L6", "L7", "L8", "L9", "S11", "S12", "S19"];

/// The rules that a text names before its colon, or before its end: `N4, S1: …`. What follows the
/// name of an invariant is one, too.
fn rules(text: &str) -> Vec<String> {
    let head = text.trim_start_matches("SEMANTICS ").split([':', '.']).next().unwrap_or_default();
    let words = head.split(", ").take_while(|word| !word.starts_with("INV-"));
    words.filter(|word| is_rule(word)).map(str::to_owned).collect()
}

fn is_rule(word: &str) -> bool {
    RULES.contains(word)
}

/// True if a word has the form of a rule: a chapter of the contract, and a number.
fn is_like_a_rule(word: &str) -> bool {
    let mut letters = word.chars();
    let chapter = letters.next().unwrap_or_default();
    let is_chapter = RULES.iter().any(|rule| rule.starts_with(chapter));
    is_chapter && !letters.as_str().is_empty() && letters.all(|letter| letter.is_ascii_digit())
}

type Shown = BTreeMap<String, BTreeSet<String>>;

fn of_talks() -> Shown {
    let mut shown = Shown::new();
    for talk in written() {
        let name = talk.path.file_name().unwrap().to_str().unwrap().to_owned();
        let first = talk.text.lines().next().and_then(|line| line.strip_prefix("# "));
        let first = first.unwrap_or_else(|| panic!("{name} does not begin with `# ` and what it shows"));
        rules(first).into_iter().for_each(|rule| _ = shown.entry(rule).or_default().insert(name.clone()));
    }
    shown
}

/// Tests below a folder, by the rules in their documentation.
fn of_tests(folder: &Path, shown: &mut Shown) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            of_tests(&path, shown);
        } else if path.extension().is_some_and(|end| end == "rs") {
            of_file(&fs::read_to_string(path).unwrap(), shown);
        }
    }
}

fn of_file(text: &str, shown: &mut Shown) {
    let (mut named, mut is_test) = (None, false);
    for line in text.lines().map(str::trim) {
        if let Some(doc) = line.strip_prefix("/// ") {
            named.get_or_insert_with(|| rules(doc));
        } else if line.starts_with("#[") {
            is_test |= line == "#[test]";
        } else {
            let name = line.strip_prefix("fn ").filter(|_| is_test).and_then(|rest| rest.split('(').next());
            for rule in named.take().filter(|_| name.is_some()).into_iter().flatten() {
                shown.entry(rule).or_default().extend(name.map(str::to_owned));
            }
            is_test = false;
        }
    }
}

/// Each rule has its talk; and those that a talk cannot show, or that are the host's calls, their
/// test.
#[test]
fn each_rule_is_shown_by_a_talk_or_a_test() {
    let talks = of_talks();
    let mut tests = Shown::new();
    of_tests(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"), &mut tests);
    let mut missing = Vec::new();
    for rule in RULES.iter().filter(|rule| !rule.starts_with('W')) {
        let number: u8 = rule[1..].parse().unwrap();
        let is_early = TALKED.iter().any(|(chapter, last)| rule.starts_with(*chapter) && number <= *last);
        if is_early && !BEYOND_TALKS.contains(rule) && !talks.contains_key(*rule) {
            missing.push(format!("no talk shows {rule}"));
        }
        if !tests.contains_key(*rule) {
            missing.push(format!("no test names {rule}"));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    for rule in BEYOND_TALKS {
        assert!(!talks.contains_key(*rule), "{rule} is shown by {:?}", talks[*rule]);
    }
}

/// The rules that a text cites: `SEMANTICS T5, T10`, also as a link.
fn cited(text: &str) -> impl Iterator<Item = &str> {
    text.split("SEMANTICS ").skip(1).flat_map(|cited| {
        let names = cited.split(", ").map(|name| name.trim_start_matches('['));
        let names =
            names.map(|name| name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default());
        names.take_while(|name| is_like_a_rule(name))
    })
}

fn sources(folder: &Path, read: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, read);
        } else if path.extension().is_some_and(|end| end == "rs" || end == "md" || end == "talk") {
            read(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}

/// Each citation is of a rule of the contract, and the contract has each once.
#[test]
fn each_rule_that_is_cited_is_in_the_contract() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut unknown = Vec::new();
    let mut count = 0;
    for folder in ["src", "tests", "docs", "examples", "benches"] {
        sources(&root.join(folder), &mut |path, text| {
            for rule in cited(text) {
                count += 1;
                if !is_rule(rule) {
                    unknown.push(format!("{} cites {rule}", path.display()));
                }
            }
        });
    }
    assert!(count > 300, "{count} citations were found");
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
    let mut seen = BTreeSet::new();
    for rule in CONTRACT.lines().filter_map(|line| line.strip_prefix("### ")) {
        assert!(is_like_a_rule(rule), "`{rule}` is no number of a rule");
        assert!(seen.insert(rule), "{rule} is there twice");
    }
}

#[test]
fn a_citation_is_found_as_words_and_as_a_link() {
    let text = "now (SEMANTICS T2, T4): x, SEMANTICS C; [SEMANTICS S9](crate::semantics#s9), L6";
    assert_eq!(cited(text).collect::<Vec<_>>(), ["T2", "T4", "S9", "L6"]);
}

#[test]
fn a_rule_is_known_by_its_number() {
    assert_eq!(rules("N4, S1: an answer."), ["N4", "S1"]);
    assert_eq!(rules("SEMANTICS I2"), ["I2"]);
    assert_eq!(rules("D3, INV-L5, L6: a call"), ["D3"]);
    assert!(rules("N99, X1, I: no such rule").is_empty());
}
