//! Citations of the contract: each rule that documentation cites is there, and what hosts read
//! links to it.

use std::collections::BTreeSet;

use crate::layers::source::{files, is_test};

const CONTRACT: &str = include_str!("../../docs/semantics.md");

/// The names that a citation may have: chapters, such as `S`, and rules, such as `S5`.
fn names() -> BTreeSet<&'static str> {
    let chapters = CONTRACT.lines().filter_map(|line| line.strip_prefix("## ")?.split_once(". "));
    let rules = CONTRACT.lines().filter_map(|line| line.strip_prefix("### "));
    chapters.map(|(chapter, _)| chapter).chain(rules).collect()
}

/// Macros that make public types of what is in their braces.
const MAKERS: &[&str] =
    &["words! {", "codes! {", "name! {", "compact_name! {", "minted_id! {", "channels! {"];

/// The documentation of one item.
struct Docs {
    line: usize,
    is_public: bool,
    text: String,
}

/// The item below line `at`: the first line that is no comment and no attribute.
fn item<'t>(lines: &[&'t str], at: usize) -> &'t str {
    let mut depth = 0;
    for line in &lines[at..] {
        let trimmed = line.trim_start();
        if depth == 0 && !trimmed.starts_with("#[") && !trimmed.starts_with("//") {
            return line;
        }
        let count = |chars: &[char]| line.matches(chars).count();
        depth = (depth + count(&['(', '['])).saturating_sub(count(&[')', ']']));
    }
    ""
}

/// The documentation in a file, code left out. An item that is written `pub` is public, and so is
/// all in a public enum or trait, or in the braces of a macro that makes one.
fn docs(text: &str, is_public_module: bool) -> Vec<Docs> {
    let lines: Vec<&str> = text.lines().collect();
    let (mut found, mut around, mut is_code) = (Vec::<Docs>::new(), "", false);
    let mut before = "";
    for (at, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let marker =
            ["///", "//!"].into_iter().find(|marker| trimmed.starts_with(marker)).unwrap_or_default();
        if !marker.is_empty() {
            if before != marker {
                let item = item(&lines, at);
                let is_inside = item.starts_with(' ') && !around.is_empty();
                let is_public = item.trim_start().starts_with("pub ") || is_inside;
                let is_public = if marker == "//!" { is_public_module } else { is_public };
                found.push(Docs { line: at + 1, is_public, text: String::new() });
                is_code = false;
            }
            let told = trimmed[marker.len()..].trim();
            is_code ^= told.starts_with("```");
            if let Some(docs) = found.last_mut().filter(|_| !is_code) {
                docs.text.push_str(told);
                docs.text.push(' ');
            }
        } else if ["pub enum ", "pub trait "].iter().chain(MAKERS).any(|start| line.starts_with(start)) {
            around = line;
        } else if line.starts_with('}') {
            around = "";
        }
        before = marker;
    }
    found
}

/// True if the documentation of a module is shown: it and all above it are public.
fn is_public_module(file: &str, files: &[(String, String)]) -> bool {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let above = if folder.is_empty() { "lib.rs".to_owned() } else { format!("{folder}/mod.rs") };
    let text = files.iter().find(|(other, _)| *other == above).map_or("", |(_, text)| text);
    let is_named = text.lines().any(|line| {
        line.strip_prefix("pub mod ").is_some_and(|rest| rest.trim_end_matches([';', '{', '}', ' ']) == name)
    });
    file == "lib.rs" || is_named && is_public_module(&above, files)
}

/// The citations of a text, and whether each is a link: `SEMANTICS T5`, and what is linked beside.
fn citations<'t>(text: &'t str, names: &BTreeSet<&str>) -> Vec<(&'t str, bool)> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut is_name = false;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let is_like = word.len() > 1 && names.contains(word) || is_name && !word.is_empty();
        if is_like {
            let link = format!("](crate::semantics#{})", word.to_lowercase());
            found.push((word, after.starts_with(&link)));
        }
        is_name = word == "SEMANTICS" && after.starts_with(' ');
        let name_of_code =
            after.strip_prefix('`').and_then(|code| code.find('`').map(|end| &code[end + 1..]));
        rest = match name_of_code {
            Some(after) => after,
            None => after.char_indices().nth(1).map_or("", |(at, _)| &after[at..]),
        };
    }
    found
}

#[test]
fn each_rule_that_is_cited_is_in_the_contract_and_what_hosts_read_links_to_it() {
    let (files, names) = (files(), names());
    assert!(names.len() > 120, "{names:?}");
    let (mut linked, mut wrong) = (0, Vec::new());
    for (file, text) in files.iter().filter(|(file, _)| !is_test(file)) {
        for docs in docs(text, is_public_module(file, &files)) {
            for (name, is_link) in citations(&docs.text, &names) {
                linked += usize::from(is_link);
                if !names.contains(name) {
                    wrong.push(format!("src/{file}:{} cites {name}, which is no rule", docs.line));
                } else if docs.is_public && !is_link {
                    wrong.push(format!("src/{file}:{} cites {name} without a link to it", docs.line));
                }
            }
        }
    }
    assert!(linked > 280, "{linked} links were found");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_citation_is_seen_with_its_link() {
    let names = names();
    let of = |text: &'static str| citations(text, &names);
    let link = "[SEMANTICS S5](crate::semantics#s5), [T9](crate::semantics#t9)";
    assert_eq!(of(link), [("S5", true), ("T9", true)]);
    assert_eq!(of("(SEMANTICS C, S5), `SEMANTICS T9`"), [("C", false), ("S5", false)]);
    // In two parts: a citation of no rule is found in sources, too.
    assert_eq!(of(concat!("[SEMANTICS", " S99](crate::semantics#s99)")), [("S99", true)]);
    assert_eq!(of("[SEMANTICS S5](crate::semantics#s6)"), [("S5", false)]);
    let text = "//! M.\n\n/// A.\n#[must_use]\npub fn a() {}\n\n/// B.\nfn b() {}\n\npub enum E {\n    /// C.\n    C,\n}\n\nwords! {\n    /// D.\n    D {}\n}\n";
    let are_public = docs(text, false).iter().map(|docs| docs.is_public).collect::<Vec<_>>();
    assert_eq!(are_public, [false, true, false, true, true]);
}
