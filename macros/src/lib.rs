//! `talks!` of chatflow's test kit: the files of a folder, each a test of its own.
//!
//! A crate of its own, since each talk is to be a test that `cargo test` lists and filters, and
//! only a procedural macro can look into a folder. It is a dependency of the feature `testkit`
//! alone, and has none itself.

#![forbid(unsafe_code)]

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use proc_macro::{Delimiter, TokenStream, TokenTree};

/// Makes each talk of a folder a test of its own, and the coverage of their flow one more.
///
/// ```text
/// chatflow::testkit::talks!("flows/cart.json", "talks/cart/*.talk", at_least = 90);
/// ```
///
/// Both paths begin at the folder of the manifest. They may be followed, in any order, by:
///
/// - `at_least = 90`: the percentage of the flow that the talks have to reach;
/// - `beside = ["flows/menu.json"]`: flows that it calls;
/// - `setup = |run| run.with_call("price", CallResult::value(12))`: what makes a rehearsal ready
///   before each talk;
/// - `name = cart`: the module of the tests, else named after the flow's file.
///
/// `UPDATE=1 cargo test` writes down what is said now. A file that is newer than the test is told
/// of by the test of the coverage.
#[proc_macro]
pub fn talks(input: TokenStream) -> TokenStream {
    let text = expand(input).unwrap_or_else(|rule| format!("::core::compile_error!({rule:?});"));
    text.parse().unwrap_or_default()
}

/// The arguments of the macro.
#[derive(Default)]
struct Given {
    flow: String,
    pattern: String,
    at_least: Option<String>,
    beside: Vec<String>,
    setup: Option<String>,
    name: Option<String>,
}

fn expand(input: TokenStream) -> Result<String, String> {
    let given = read(input)?;
    let root = env::var("CARGO_MANIFEST_DIR").map_err(|_| "`CARGO_MANIFEST_DIR` is not set".to_owned())?;
    let files = files(&root, &given.pattern)?;
    let stem = Path::new(&given.flow).file_stem().and_then(|stem| stem.to_str()).unwrap_or("flow");
    let mut out = format!("mod {} {{\n", given.name.clone().unwrap_or_else(|| word(stem)));
    out.push_str("#[allow(unused_imports)] use super::*;\n");
    // Each file that is read rebuilds the test when it changes.
    let tracked = files.iter().chain([&given.flow]).chain(&given.beside);
    for file in tracked {
        let path = format!("{root}/{file}");
        if !Path::new(&path).is_file() {
            return Err(format!("`{file}` is not a file of {root}"));
        }
        let _ = writeln!(out, "const _: &str = ::core::include_str!({path:?});");
    }
    let _ = write!(
        out,
        "fn talks() -> ::chatflow::testkit::Talks {{\n::chatflow::testkit::Talks::new({root:?}, {:?}, {:?})",
        given.flow, given.pattern
    );
    given.beside.iter().for_each(|flow| _ = write!(out, ".beside({flow:?})"));
    if let Some(percent) = &given.at_least {
        let _ = write!(out, ".at_least(({percent}) as f64)");
    }
    if let Some(setup) = &given.setup {
        let _ = write!(out, ".setup({setup})");
    }
    out.push_str("\n}\n");
    let mut names = Vec::new();
    for file in &files {
        let stem = Path::new(file).file_stem().and_then(|stem| stem.to_str()).unwrap_or("talk");
        let mut name = word(stem);
        while names.contains(&name) || name == "coverage" || name == "talks" {
            name.push('_');
        }
        let _ = writeln!(out, "#[test] fn {name}() {{ talks().assert_talk({file:?}) }}");
        names.push(name);
    }
    let _ = writeln!(out, "#[test] fn coverage() {{ talks().assert_coverage(&{files:?}) }}\n}}");
    Ok(out)
}

fn read(input: TokenStream) -> Result<Given, String> {
    let mut parts: Vec<Vec<TokenTree>> = vec![Vec::new()];
    for token in input {
        match &token {
            TokenTree::Punct(comma) if comma.as_char() == ',' => parts.push(Vec::new()),
            _ => parts.iter_mut().last().into_iter().for_each(|part| part.push(token.clone())),
        }
    }
    let mut parts = parts.into_iter().filter(|part| !part.is_empty());
    const USAGE: &str = "give the flow's file and a pattern of talks, as in talks!(\"flows/cart.json\", \"talks/cart/*.talk\", at_least = 90)";
    let mut given = Given {
        flow: parts.next().and_then(|part| text(&part)).ok_or(USAGE)?,
        pattern: parts.next().and_then(|part| text(&part)).ok_or(USAGE)?,
        ..Given::default()
    };
    for part in parts {
        let (name, value) = match &part[..] {
            [TokenTree::Ident(name), TokenTree::Punct(equals), value @ ..] if equals.as_char() == '=' => {
                (name.to_string(), value)
            }
            _ => return Err(USAGE.to_owned()),
        };
        let written = value.iter().cloned().collect::<TokenStream>().to_string();
        match name.as_str() {
            "at_least" => given.at_least = Some(written),
            "setup" => given.setup = Some(written),
            "name" => given.name = Some(written),
            "beside" => given.beside = list(value).ok_or("`beside` must be a list of files in [ ]")?,
            other => return Err(format!("`{other}` is not known; write at_least, beside, setup or name")),
        }
    }
    Ok(given)
}

fn list(value: &[TokenTree]) -> Option<Vec<String>> {
    let [TokenTree::Group(group)] = value else { return None };
    if group.delimiter() != Delimiter::Bracket {
        return None;
    }
    let items = group.stream().into_iter().filter(|token| !matches!(token, TokenTree::Punct(_)));
    items.map(|token| text(&[token])).collect()
}

/// A text in quotes.
fn text(part: &[TokenTree]) -> Option<String> {
    let [TokenTree::Literal(literal)] = part else { return None };
    let written = literal.to_string();
    let inside = written.strip_prefix('"')?.strip_suffix('"')?;
    Some(inside.replace("\\\\", "\\"))
}

/// A name that Rust reads, made of a file's.
fn word(text: &str) -> String {
    let mut word: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    if !word.starts_with(|c: char| c.is_ascii_lowercase()) {
        word.insert_str(0, "talk_");
    }
    const TAKEN: [&str; 12] =
        ["as", "if", "in", "do", "fn", "for", "let", "loop", "match", "move", "return", "yield"];
    if TAKEN.contains(&word.as_str()) {
        word.push('_');
    }
    word
}

fn files(root: &str, pattern: &str) -> Result<Vec<String>, String> {
    let (folder, name) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    let read = fs::read_dir(Path::new(root).join(folder))
        .map_err(|error| format!("`{folder}` of {root} cannot be read: {error}"))?;
    let names = read.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut files: Vec<String> = names
        .filter(|found| fits(name, found))
        .map(|found| if folder.is_empty() { found } else { format!("{folder}/{found}") })
        .collect();
    files.sort();
    if files.is_empty() { Err(format!("no file of {root} is `{pattern}`")) } else { Ok(files) }
}

/// True if a file's name fits a pattern with `*`.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(name) = name.strip_prefix(first) else { return false };
    (0..=name.len()).any(|at| name.is_char_boundary(at) && fits(rest, &name[at..]))
}
