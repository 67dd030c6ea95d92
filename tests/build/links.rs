//! Links of Markdown files lead to files and headings that exist.

use std::fs;
use std::path::{Path, PathBuf};

/// Markdown that a reader of the repository opens.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders =
        ["", "docs", "examples", "adapters/postgres", "adapters/redis", "adapters/sqlite", ".github"];
    let files =
        folders.iter().flat_map(|folder| fs::read_dir(root.join(folder)).expect("the folder is there"));
    let paths = files.map(|file| file.expect("an entry").path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

/// The text of a page without its code, inline code kept.
fn prose(page: &str) -> String {
    page.split("```").step_by(2).collect()
}

/// The anchors of a page: those that code hosts make of headings, and `<a id="…">`.
fn anchors(page: &str) -> Vec<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| -> String {
        let title = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    let named = page.lines().filter_map(|line| line.strip_prefix("<a id=\"")?.split('"').next());
    headings.map(anchor).chain(named.map(str::to_owned)).collect()
}

/// The targets of links, `[…](target)`.
fn targets(prose: &str) -> impl Iterator<Item = &str> {
    prose.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

#[test]
fn links_lead_to_files_and_headings_that_exist() {
    let (mut count, mut wrong) = (0, Vec::new());
    for path in pages() {
        let page = prose(&fs::read_to_string(&path).expect("a readable file"));
        for target in
            targets(&page).filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
        {
            count += 1;
            let (file, anchor) =
                target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
            let other = if file.is_empty() { path.clone() } else { path.with_file_name(file) };
            let is_there = other.exists();
            let has_anchor = |anchor: &str| {
                fs::read_to_string(&other)
                    .is_ok_and(|text| anchors(&prose(&text)).iter().any(|known| known == anchor))
            };
            if !is_there || anchor.is_some_and(|anchor| !has_anchor(anchor)) {
                wrong.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(count > 130, "{count} links were found");
    assert!(wrong.is_empty(), "these lead nowhere:\n{}", wrong.join("\n"));
}

#[test]
fn anchors_are_those_of_code_hosts() {
    assert_eq!(anchors("# A, b & `c`\n<a id=\"z\"></a>\n## On-call: x_y"), ["a-b--c", "on-call-x_y", "z"]);
    assert_eq!(targets("[a](b.md#c), [d](#e)").collect::<Vec<_>>(), ["b.md#c", "#e"]);
}
