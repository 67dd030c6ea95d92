//! The shape of the source: the length of a function, and names that no two types share.

use std::collections::BTreeMap;

use crate::layers::source::{code, files, is_test};

const MOST_LINES: usize = 60;

/// The types that a file defines, those that the macro `words!` makes of a name among them; aliases
/// aside: another name for a type is not a type.
fn types(code: &str) -> impl Iterator<Item = &str> {
    let mut is_words = false;
    code.lines().filter_map(move |line| {
        is_words = line == "words! {" || is_words && !line.starts_with('}');
        if let Some(name) = line.strip_prefix("    ").and_then(|line| line.strip_suffix(" {"))
            && is_words
            && !name.contains(' ')
        {
            return Some(name);
        }
        let mut words = line.split_whitespace().skip_while(|word| word.starts_with("pub"));
        let is_type = words.next().is_some_and(|word| ["struct", "enum", "trait", "union"].contains(&word));
        let name = words.next().filter(|_| is_type)?;
        name.split(|c: char| !c.is_alphanumeric()).next().filter(|name| !name.is_empty())
    })
}

#[test]
fn a_name_serves_one_type() {
    let mut files_of = BTreeMap::<String, Vec<String>>::new();
    // A file `xless.rs` has what `x.rs` has in a build without a feature.
    let is_code = |file: &str| !is_test(file) && !file.ends_with("less.rs");
    for (file, text) in files().iter().filter(|(file, _)| is_code(file)) {
        for name in types(&code(text)) {
            files_of.entry(name.to_owned()).or_default().push(file.clone());
        }
    }
    assert!(files_of.len() > 700, "{} types were found", files_of.len());
    files_of.retain(|_, files| files.len() > 1);
    assert!(files_of.is_empty(), "{files_of:#?}");
}

/// The functions of a file with their lengths: from the line with `fn` to the brace that closes it.
fn functions(code: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = code.lines().collect();
    let named = |line: &str| {
        let (before, rest) = line.split_once("fn ")?;
        let is_head = before.split_whitespace().all(|word| {
            ["pub", "const", "async", "unsafe"].contains(&word)
                || word.starts_with("pub(")
                || word.ends_with(')')
        });
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        (is_head && !name.is_empty()).then_some(name)
    };
    let heads = lines.iter().enumerate().filter_map(|(start, line)| Some((start, named(line)?)));
    let length = |start: usize| {
        let indent = lines[start].len() - lines[start].trim_start().len();
        let end = format!("{}}}", " ".repeat(indent));
        let is_one_line = lines[start].trim_end().ends_with(['}', ';']);
        let after = lines[start..].iter().position(|line| *line == end);
        if is_one_line { 1 } else { after.map_or(1, |after| after + 1) }
    };
    heads.map(|(start, name)| (name, length(start))).collect()
}

#[test]
fn a_function_fits_on_a_screen() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (file, text) in files().iter().filter(|(file, _)| !is_test(file)) {
        for (name, length) in functions(&code(text)) {
            count += 1;
            if length > MOST_LINES {
                wrong.push(format!(
                    "`{name}` in src/{file} has {length} lines, at most {MOST_LINES} are allowed"
                ));
            }
        }
    }
    assert!(count > 2_000, "{count} functions were found");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_type_that_a_macro_makes_is_seen() {
    let text = "pub struct A;\n\nwords! {\n    /// B.\n    B {\n        C = \"c\",\n    }\n}\nfn d() {\n    e {\n}\n";
    assert_eq!(types(text).collect::<Vec<_>>(), ["A", "B"]);
}

#[test]
fn the_length_of_a_function_is_counted_from_its_name_to_its_brace() {
    let text = "impl A {\n    pub(crate) async fn one() {\n        two();\n    }\n\n    fn three() {}\n}\n";
    assert_eq!(functions(text), [("one".to_owned(), 3), ("three".to_owned(), 1)]);
}

/// The public methods of `Engine` in the order of the source, which is that of the documentation:
/// modules by their `mod` lines, then `mod.rs` itself.
fn methods_of_engine() -> Vec<String> {
    let files = files();
    let text = |name: &str| files.iter().find(|(file, _)| file == name).map(|(_, text)| code(text));
    let door = text("engine/mod.rs").unwrap();
    let modules = door.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
    let of_module = |name| {
        let beside = text(&format!("engine/{name}.rs"));
        beside.or_else(|| text(&format!("engine/{name}/mod.rs"))).unwrap()
    };
    let mut methods = Vec::new();
    for text in modules.map(of_module).chain([door.clone()]) {
        let mut is_engine = false;
        for line in text.lines() {
            if line.starts_with("impl") {
                is_engine = line.contains(" Engine<") && !line.contains(" for ");
            }
            let name = ["    pub fn ", "    pub async fn "].iter().find_map(|head| line.strip_prefix(head));
            let name = name.filter(|_| is_engine).and_then(|rest| rest.split(['(', '<']).next());
            methods.extend(name.map(str::to_owned));
        }
    }
    methods
}

#[test]
fn methods_of_the_engine_are_in_the_order_of_use() {
    let methods = methods_of_engine();
    assert_eq!(
        methods[..10],
        [
            "builder",
            "trigger",
            "receive",
            "run",
            "run_until",
            "tick",
            "tick_until",
            "complete",
            "report",
            "cancel"
        ]
    );
    let at = |name: &str| methods.iter().position(|method| method == name).unwrap();
    let people = ["handoff", "resume_from_handoff", "pause", "contact", "merge", "relink"].map(at);
    let operators = ["sessions", "journal", "dead_letters", "counts", "migrate", "erase"].map(at);
    assert!(people.iter().max() < operators.iter().min(), "{methods:#?}");
    assert!(methods.len() > 40, "{} methods were found", methods.len());
}
