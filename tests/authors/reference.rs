//! The reference of the flow file on a code host: `docs/flow.md` has what the documentation of
//! `chatflow::flow` has.

use regex::Regex;

const HEAD: &str = "# The flow file

This page is the documentation of `chatflow::flow`, for reading in the repository; a test writes it.
";

const PARTS: [&str; 3] = [
    include_str!("../../src/flow/reference.md"),
    include_str!("../../src/flow/lang/expr/filter/table.md"),
    include_str!("../../src/flow/fields.md"),
];

/// Documentation with links to the contract as a file, and without those to items.
fn for_a_code_host(docs: &str) -> String {
    let to_rule = Regex::new(r"\]\(crate::semantics(#\w+)?\)").unwrap();
    let to_item =
        Regex::new(r"\[([^\[\]]+)\]\((?:crate::)?[A-Z][\w:]*\)|\[([^\[\]]+)\]\(crate::[\w:]+\)").unwrap();
    let short = Regex::new(r"\[(`[\w:]+`)\]([^(]|$)").unwrap();
    let docs = to_rule.replace_all(docs, "](semantics.md$1)");
    let docs = to_item.replace_all(&docs, "$1$2");
    short.replace_all(&docs, "$1$2").into_owned()
}

#[test]
fn the_page_in_the_repository_is_the_documentation() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/flow.md");
    let mut page = HEAD.to_owned();
    for part in PARTS {
        page.push('\n');
        // One level below the page's own title.
        let mut is_code = false;
        for line in for_a_code_host(part.trim_end()).lines() {
            is_code ^= line.starts_with("```");
            let level = if line.starts_with('#') && !is_code { "#" } else { "" };
            page += &format!("{level}{line}\n");
        }
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    assert_eq!(page, std::fs::read_to_string(path).unwrap_or_default(), "UPDATE=1 rewrites the file");
}

#[test]
fn links_to_items_become_texts() {
    let docs = "[`end`](EndDef), ([SEMANTICS U3](crate::semantics#u3)), [`Issues`], [a](#b), [c](crate::Engine::report).";
    let page = "`end`, ([SEMANTICS U3](semantics.md#u3)), `Issues`, [a](#b), c.";
    assert_eq!(for_a_code_host(docs), page);
}
