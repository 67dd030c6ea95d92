//! Which rule of SEMANTICS is shown where: a talk names its rules in its first line, a test in its documentation.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::written;

/// The rules of a chapter: its letter, and how many there are.
const CHAPTERS: [(char, u8); 6] = [('T', 10), ('I', 12), ('S', 12), ('D', 4), ('L', 9), ('N', 9)];

/// Of the chapters that talks show (N, I, S, L), the rules that one talk with one engine can not.
const BEYOND_TALKS: &[&str] = &["I8", "L1", "L3", "L5", "L6", "L7", "L8", "L9", "S11", "S12"];

/// The rules that a text names before its colon, or before its end: `N4, S1: …`. What follows the name of an invariant
/// is one, too.
fn rules(text: &str) -> Vec<String> {
    let head = text.trim_start_matches("SEMANTICS ").split([':', '.']).next().unwrap_or_default();
    let words = head.split(", ").take_while(|word| !word.starts_with("INV-"));
    words.filter(|word| is_rule(word)).map(str::to_owned).collect()
}

fn is_rule(word: &str) -> bool {
    let mut letters = word.chars();
    let chapter = letters.next().unwrap_or_default();
    let number: Option<u8> = letters.as_str().parse().ok();
    CHAPTERS
        .iter()
        .any(|(letter, count)| *letter == chapter && number.is_some_and(|n| (1..=*count).contains(&n)))
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

/// Each rule has its talk; and those that a talk can not show, or that are the host's calls, their test.
#[test]
fn each_rule_is_shown_by_a_talk_or_a_test() {
    let talks = of_talks();
    let mut tests = Shown::new();
    of_tests(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"), &mut tests);
    let mut missing = Vec::new();
    for (chapter, count) in CHAPTERS {
        for rule in (1..=count).map(|number| format!("{chapter}{number}")) {
            let is_talked = !matches!(chapter, 'T' | 'D') && !BEYOND_TALKS.contains(&rule.as_str());
            if is_talked && !talks.contains_key(&rule) {
                missing.push(format!("no talk shows {rule}"));
            }
            if !tests.contains_key(&rule) {
                missing.push(format!("no test names {rule}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    for rule in BEYOND_TALKS {
        assert!(!talks.contains_key(*rule), "{rule} is shown by {:?}", talks[*rule]);
    }
}

#[test]
fn a_rule_is_known_by_its_number() {
    assert_eq!(rules("N4, S1: an answer."), ["N4", "S1"]);
    assert_eq!(rules("SEMANTICS I2"), ["I2"]);
    assert_eq!(rules("D3, INV-L5, L6: a call"), ["D3"]);
    assert!(rules("N10, X1, I: no such rule").is_empty());
}
