//! The words of documentation, comments and Markdown: plain English, wrapped at 100 columns.

use std::fs;
use std::path::{Path, PathBuf};

const COLUMNS: usize = 100;

/// Turns of phrase that a reader has to translate, each by its words.
const AVOIDED: &[&[&str]] = &[
    &["stand"],
    &["stands"],
    &["stood"],
    &["go", "on"],
    &["goes", "on"],
    &["going", "on"],
    &["went", "on"],
    &["mend"],
    &["mends"],
    &["mended"],
    &["for", "ever"],
    &["whoever"],
    &["whomever"],
    &["of", "the", "host's"],
    &["can", "not"],
];

/// A doc says what a thing is or does; it does not begin with a question.
const QUESTIONS: &[&str] =
    &["What", "Whether", "How", "Why", "Who", "Which", "Whose", "Whom", "Whatever", "However"];

/// A paragraph of prose: lines that follow each other, code left out.
struct Paragraph {
    place: String,
    is_rustdoc: bool,
    /// True if nothing of the same documentation is before it.
    is_first: bool,
    text: String,
}

/// The files of the repository that people read, in a fixed order.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if !["target", "node_modules", ".git", "corpus", "pkg"].contains(&&*name) {
                files(&path, found);
            }
        } else if name.ends_with(".rs") || name.ends_with(".md") {
            found.push(path);
        }
    }
}

/// The marker of a comment and what follows it: `///`, `//!` or `//`; none in Markdown.
fn prose(line: &str, is_rust: bool) -> Option<(&str, &str)> {
    if !is_rust {
        return Some(("", line));
    }
    let line = line.trim_start();
    let marker = ["///", "//!", "//"].into_iter().find(|marker| line.starts_with(marker))?;
    let text = &line[marker.len()..];
    Some((marker, text.strip_prefix(' ').unwrap_or(text)))
}

/// True if a line cannot be broken: a row of a table, a picture, the target of a link, one word.
fn is_unbreakable(text: &str) -> bool {
    let text = text.trim_start().trim_start_matches("- ");
    let is_target = text.starts_with('[') && text.contains("]: ");
    text.starts_with('|') || text.starts_with("![") || is_target || !text.contains(' ')
}

/// The paragraphs of a file, and the places of its lines that are too long.
fn read(place: &str, text: &str) -> (Vec<Paragraph>, Vec<String>) {
    let is_rust = place.ends_with(".rs");
    let (mut paragraphs, mut long) = (Vec::<Paragraph>::new(), Vec::new());
    let (mut before, mut is_code, mut is_joined) = (None, false, false);
    // The head of a Markdown file, between two rules, is read by machines.
    let mut is_header = !is_rust && text.starts_with("---\n");
    for (number, line) in text.lines().enumerate() {
        let Some((marker, text)) = prose(line, is_rust) else {
            (before, is_code, is_joined) = (None, false, false);
            continue;
        };
        if is_header {
            is_header = number == 0 || line != "---";
            continue;
        }
        let is_first = before != Some(marker);
        before = Some(marker);
        if text.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        if is_code || text.trim().is_empty() || text.trim_start().starts_with("```") {
            is_joined = false;
            continue;
        }
        let place = format!("{place}:{}", number + 1);
        if line.chars().count() > COLUMNS && !is_unbreakable(text) {
            long.push(place.clone());
        }
        match paragraphs.last_mut() {
            Some(paragraph) if is_joined && !is_first => {
                paragraph.text.push(' ');
                paragraph.text.push_str(text.trim());
            }
            _ => {
                let is_rustdoc = marker == "///" || marker == "//!";
                paragraphs.push(Paragraph { place, is_rustdoc, is_first, text: text.trim().to_owned() });
            }
        }
        is_joined = true;
    }
    (paragraphs, long)
}

/// The words of a text, in small letters; what is in backticks is a name and no word.
fn words(text: &str) -> Vec<String> {
    let outside = text.split('`').step_by(2).collect::<Vec<_>>().join(" ` ");
    let is_word = |c: char| c.is_alphanumeric() || c == '\'' || c == '`' || c == '_';
    outside.split(|c| !is_word(c)).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// The faults in the words of a paragraph.
fn faults(paragraph: &Paragraph) -> Vec<String> {
    let words = words(&paragraph.text);
    let has = |phrase: &&&[&str]| words.windows(phrase.len()).any(|found| found == **phrase);
    let avoided = AVOIDED.iter().filter(has).map(|phrase| format!("says \"{}\"", phrase.join(" ")));
    let first = paragraph.text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let is_question = paragraph.is_rustdoc && paragraph.is_first && QUESTIONS.contains(&first);
    let begins = is_question.then(|| format!("begins with \"{first}\""));
    avoided.chain(begins).map(|fault| format!("{} {fault}", paragraph.place)).collect()
}

#[test]
fn documentation_is_plain_english_and_wraps_at_100_columns() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    files(root, &mut paths);
    paths.sort();
    let (mut count, mut wrong) = (0, Vec::new());
    for path in paths {
        let place = path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
        let text = fs::read_to_string(&path).expect("a readable file");
        let (paragraphs, long) = read(&place, &text);
        count += paragraphs.len();
        wrong.extend(paragraphs.iter().flat_map(faults));
        wrong.extend(long.into_iter().map(|place| format!("{place} has more than {COLUMNS} columns")));
    }
    assert!(count > 10_000, "{count} paragraphs were found");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn words_are_looked_for_across_lines_and_outside_of_names_and_code() {
    let told = |text: &str| {
        let (paragraphs, long) = read("a.rs", text);
        paragraphs.iter().flat_map(faults).chain(long).collect::<Vec<_>>()
    };
    assert_eq!(told("/// It goes\n/// on.\nfn a() {}"), ["a.rs:1 says \"goes on\""]);
    assert_eq!(told("    // One that stands.\n"), ["a.rs:1 says \"stands\""]);
    assert_eq!(told("//! What it is.\n//!\n//! What it has.\n"), ["a.rs:1 begins with \"What\""]);
    assert_eq!(told(&format!("/// {}\n", "word ".repeat(20))), ["a.rs:1"]);
    let fine = "/// It `stands`.\n/// ```\n/// stand(); // goes on\n/// ```\n/// | a table\nfn stand() {}\n";
    assert_eq!(told(fine), Vec::<String>::new());
}
