//! The cost of a new kind of node: the files that name a kind.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{code, files, is_test};

/// A kind's own file, the table of kinds, what the kernel does at it and where it says so; and one
/// more.
const MOST_FILES: usize = 5;

/// The kinds by their names in code, each with the word for it.
fn kinds(files: &[(String, String)]) -> BTreeMap<String, String> {
    let table = files.iter().find(|(file, _)| file == "flow/node/mod.rs").expect("the table of kinds");
    let rows = code(&table.1);
    let rows = rows.lines().filter_map(|line| {
        let (kind, rest) = line.trim().split_once('(')?;
        let (definition, word) = rest.split_once(") = \"")?;
        let word = word.strip_suffix("\",")?;
        (definition == format!("{kind}Def")).then(|| (kind.to_owned(), word.to_owned()))
    });
    rows.collect()
}

/// True if code names a kind: its definition, or its row in the table. A file that bears its word
/// is its own.
fn names(file: &str, code: &str, kind: &str, word: &str) -> bool {
    let is_own = file.contains("/node/") && file.ends_with(&format!("/{word}.rs"));
    let is_whole = |at: usize, length: usize| {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        !code[..at].ends_with(is_part) && !code[at + length..].starts_with(is_part)
    };
    let wanted = [format!("{kind}Def"), format!("CompiledNode::{kind}"), format!("NodeKind::{kind}")];
    is_own || wanted.iter().any(|name| code.match_indices(name).any(|(at, _)| is_whole(at, name.len())))
}

/// A kind is one file in the flow and one in the kernel; who asks about kinds asks their roles.
#[test]
fn a_kind_of_node_is_named_in_few_files() {
    let files = files();
    let kinds = kinds(&files);
    assert!(kinds.len() > 20, "the table is found: {kinds:?}");
    let code: Vec<_> =
        files.iter().filter(|(file, _)| !is_test(file)).map(|(file, text)| (file, code(text))).collect();
    let mut wrong = Vec::new();
    for (kind, word) in &kinds {
        let named = code.iter().filter(|(file, code)| names(file, code, kind, word));
        let named: BTreeSet<_> = named.map(|(file, _)| file.as_str()).collect();
        assert!(named.len() >= 3, "{kind} is named in its file, the table and the kernel: {named:?}");
        if named.len() > MOST_FILES {
            wrong.push(format!("{kind} is named in {} files: {named:?}", named.len()));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
