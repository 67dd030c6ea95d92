//! Who may know whom: the arrows between the folders of `src/` point down, and the system's clock,
//! its randomness and its sleep are named in one file. Both are read from the source, so that a
//! change of the picture is a change of this file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The layers, the lowest first, each with what it may be and why it lies there. A layer knows
/// those before it and no other.
const LAYERS: &[(&str, &str)] = &[
    ("id", "words: names of things"),
    ("hex", "words: the stored form of hashes"),
    ("limits", "words: the maxima"),
    ("channel", "words: where people write from"),
    ("clock", "words: time and fresh ids, as ports without data of ours"),
    ("address", "words: accounts, addresses, phones; of a channel"),
    ("value", "words: what variables hold; within limits"),
    (
        "flow",
        "a definition, checked and compiled; it knows no session, so that it can be checked without one",
    ),
    ("error", "what went wrong, as data; it carries a flow's issues"),
    ("pace", "words: rates and bursts; one out of bounds is an error"),
    ("session", "what is remembered; names nodes by id and knows no flow, so that it outlives a definition"),
    ("observer", "what happened, as data: turns of sessions"),
    ("calls", "what a flow asks the host, as data, and the port for it; it fails with an error"),
    ("request", "what a caller asks, as data, checked before anything is decided"),
    (
        "kernel",
        "decides: flow + session + input = session + effects; it knows no store and nothing asynchronous",
    ),
    ("transport", "the port for messages"),
    ("store", "the ports for records, and those in memory"),
    ("engine", "load, decide, commit, deliver: the only asynchronous code; it knows all of the above"),
    ("wire", "beside: the products' JSON"),
    ("diagram", "beside: pictures of flows"),
    ("testkit", "beside: uses what is public, and nothing uses it"),
];

/// What reads time or draws randomness, and the only file that may.
const ONLY_IN_CLOCK: &[&str] = &[
    "Utc::now",
    "Instant::now",
    "SystemTime::now",
    "Uuid::new_v4",
    "Uuid::now_v7",
    "thread::sleep",
    "getrandom",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Each file below `src/`: its path from there, and its text.
fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.strip_prefix(&root).expect("below src").to_string_lossy().replace('\\', "/");
        (name, fs::read_to_string(&path).expect("a readable file"))
    };
    paths.into_iter().map(read).collect()
}

/// The code of a file: without comments, and without its tests.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn is_test(file: &str) -> bool {
    file.ends_with("tests.rs") || file.contains("/tests/")
}

/// Every name that follows `crate::` directly, those in braces too.
fn names_of_crate(code: &str) -> BTreeSet<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut names = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let Some(group) = rest.strip_prefix('{') else {
            names.insert(word(rest));
            continue;
        };
        let mut depth = 0;
        let mut start = 0;
        for (place, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' | '}' if depth == 0 => {
                    names.insert(word(group[start..place].trim_start()));
                    start = place + 1;
                    if c == '}' {
                        break;
                    }
                }
                _ => {}
            }
        }
    }
    // Macros that a macro calls lie at the crate's root wherever they are written; theirs begin
    // with two strokes.
    names.retain(|name| !name.is_empty() && !name.starts_with("__"));
    names
}

/// The layer that a name at the crate's root is of: the module itself, or the one that `lib.rs`
/// re-exports it from.
fn layer_of(name: &str, lib: &str) -> Option<usize> {
    let place = |module: &str| LAYERS.iter().position(|(layer, _)| *layer == module);
    place(name).or_else(|| {
        lib.split("pub use ").skip(1).find_map(|item| {
            let (module, rest) = item.split_once("::")?;
            let named = rest.split(';').next()?;
            let mut words = named.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            words.any(|word| word == name).then(|| place(module))?
        })
    })
}

/// The arrows of one file that point up, or to a name that nobody knows.
fn arrows_up(file: &str, text: &str, lib: &str) -> Vec<String> {
    let own = file.split(['/', '.']).next().unwrap_or_default();
    let Some(layer) = LAYERS.iter().position(|(layer, _)| *layer == own) else {
        return vec![format!("src/{file} is of no layer: give it its place in LAYERS")];
    };
    let wrong = |name: &String| match layer_of(name, lib) {
        Some(other) if other <= layer => None,
        Some(other) => Some(format!("src/{file} knows `{name}`, of `{}`, which lies above", LAYERS[other].0)),
        None => Some(format!("src/{file} names `crate::{name}`, of no layer")),
    };
    names_of_crate(&code(text)).iter().filter_map(wrong).collect()
}

/// DESIGN, layers: who is below knows nothing of who is above.
#[test]
fn no_arrow_points_up() {
    let files = files();
    let lib = &files.iter().find(|(file, _)| file == "lib.rs").expect("a crate has a lib.rs").1;
    let lib = code(lib);
    let checked: Vec<_> = files.iter().filter(|(file, _)| file != "lib.rs" && !is_test(file)).collect();
    assert!(checked.len() > 50);
    let wrong: Vec<String> = checked.iter().flat_map(|(file, text)| arrows_up(file, text, &lib)).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The check itself sees an arrow that points up, however it is written.
#[test]
fn an_arrow_that_points_up_is_seen() {
    let lib = "pub use store::{DynStore, MemoryStore};";
    for text in [
        "use crate::store::Record;",
        "use crate::{id::FlowId, store::{Record, Token}};",
        "fn f() { let _ = crate::engine::Engine::<()>::default(); }",
        "use crate::MemoryStore;",
        "use crate::nowhere::Thing;",
    ] {
        assert_eq!(arrows_up("kernel/run.rs", text, lib).len(), 1, "{text}");
    }
    let down =
        "use crate::flow::Flow; // use crate::store\nuse crate::{id::FlowId, session::{Session, Status}};";
    assert!(arrows_up("kernel/run.rs", down, lib).is_empty());
    assert_eq!(arrows_up("attic.rs", "", lib).len(), 1);
}

/// RELIABILITY (e): the core reads no clock and draws no randomness; one file does.
#[test]
fn only_one_file_reads_the_clock_or_sleeps() {
    let mut named = BTreeSet::new();
    for (file, text) in files() {
        for word in ONLY_IN_CLOCK.iter().filter(|word| code(&text).contains(*word)) {
            named.insert((file.clone(), *word));
        }
    }
    let elsewhere: Vec<_> = named.iter().filter(|(file, _)| file != "clock.rs").collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    assert!(named.contains(&("clock.rs".to_owned(), "SystemTime::now")), "the check finds what is there");
}

/// The rooms of `flow`, the lowest first: a room knows those before it and no other. The files that
/// lie beside them are a room each.
const ROOMS: &[(&str, &str)] = &[
    ("flow/place", "words: where a node lies in a compiled flow"),
    ("flow/form", "reads and writes the form of a flow file: JSON, spans, paths, issues"),
    ("flow/lang", "what texts in a flow say: templates, expressions, conditions, zones"),
    ("flow/recognize", "finds things in texts"),
    ("flow/content", "messages, against what channels carry"),
    ("flow/keyword", "words that act in every conversation"),
    ("flow/answer", "what contacts say to a question"),
    ("flow/trigger", "what starts a flow"),
    ("flow/node", "the kinds of nodes: read, checked, compiled"),
    ("flow/settings", "what is true of a whole flow"),
    ("flow/def", "a flow as its author wrote it"),
    ("flow/compiled", "a flow as it runs"),
    ("flow/check", "what is wrong with a flow as a whole"),
    ("flow/compile", "from one to the other"),
    ("flow/author", "what authors get beside: drafts, templates, differences, the schema"),
];

/// Files that know each other in a circle, and why they may. Any other circle is a fault.
const CIRCLES: &[(&[&str], &str)] = &[
    (
        &["flow/lang/expr/code", "flow/lang/expr/filter", "flow/lang/expr/number", "flow/lang/expr/val"],
        "values of expressions, and the filters that they go through",
    ),
    (&["flow/lang/expr", "flow/lang/expr/run"], "an expression, and what runs it"),
];

/// The modules of the crate by their paths, each with its code.
fn modules() -> BTreeMap<String, String> {
    let module = |file: &str| file.trim_end_matches(".rs").trim_end_matches("/mod").to_owned();
    let differs = ["attacks.rs", "differential.rs"];
    let is_code = |file: &str| !is_test(file) && !differs.iter().any(|test| file.ends_with(test));
    files().iter().filter(|(file, _)| is_code(file)).map(|(file, text)| (module(file), code(text))).collect()
}

/// The paths that a tree of a `use` names.
fn expand(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        return vec![tree.split(" as ").next().unwrap_or_default().trim().to_owned()];
    };
    let inner = tree[open + 1..].strip_suffix('}').unwrap_or_default();
    let (mut depth, mut start, mut paths) = (0, 0, Vec::new());
    for (place, c) in inner.char_indices().chain([(inner.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let part = inner.get(start..place).unwrap_or_default().trim();
                if !part.is_empty() {
                    paths.extend(expand(&format!("{}{part}", &tree[..open])));
                }
                start = place + 1;
            }
            _ => {}
        }
    }
    paths
}

/// What a module imports, and what it re-exports, as paths from the crate's root.
fn uses(module: &str, code: &str) -> (Vec<String>, Vec<String>) {
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    for (at, _) in code.match_indices("use ") {
        let before = code[..at].rsplit(['\n', ';', '}']).next().unwrap_or_default().trim();
        if !(before.is_empty() || before.starts_with("pub")) {
            continue;
        }
        let tree = code[at + 4..].split(';').next().unwrap_or_default();
        let tree = tree.split_whitespace().collect::<Vec<_>>().join(" ");
        let absolute = |path: String| {
            let (first, rest) = path.split_once("::").unwrap_or((&path, ""));
            match first {
                "crate" => rest.to_owned(),
                "self" => format!("{}::{rest}", module.replace('/', "::")),
                "super" => {
                    let parent = module.rsplit_once('/').map_or("", |(parent, _)| parent);
                    format!("{}::{rest}", parent.replace('/', "::"))
                }
                _ => format!("{}::{path}", module.replace('/', "::")),
            }
        };
        let paths = expand(&tree).into_iter().map(absolute);
        if before.is_empty() { imports.extend(paths) } else { exports.extend(paths) }
    }
    (imports, exports)
}

/// Which module knows which: re-exports are followed to where a name comes from, and count for
/// nothing by themselves.
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let modules = modules();
    let used: BTreeMap<&String, _> = modules.iter().map(|(name, code)| (name, uses(name, code))).collect();
    let resolve = |path: &str| {
        let mut path = path.to_owned();
        for _ in 0..8 {
            let words: Vec<&str> = path.split("::").collect();
            let found = (1..=words.len()).rev().find_map(|count| {
                let module = words[..count].join("/");
                modules.contains_key(&module).then(|| (module, words.get(count).copied()))
            });
            let (module, name) = found?;
            let exports = &used[&module].1;
            let next = name.and_then(|name| {
                let is_it = |export: &&String| export.rsplit("::").next() == Some(name);
                exports.iter().find(is_it).filter(|export| **export != path)
            });
            match next {
                Some(export) => path.clone_from(export),
                None => return Some(module),
            }
        }
        None
    };
    let known = |name: &String, code: &String| {
        // Groups in braces are those of a `use`.
        let inline = code.split("crate::").skip(1).filter_map(|rest| {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
            let path = &rest[..end.unwrap_or(rest.len())];
            (!path.ends_with("::")).then(|| path.to_owned())
        });
        let paths = used[name].0.iter().cloned().chain(inline);
        let others = paths.filter_map(|path| resolve(&path)).filter(|other| other != name);
        others.collect::<BTreeSet<String>>()
    };
    modules.iter().map(|(name, code)| (name.clone(), known(name, code))).collect()
}

/// The groups of modules in which each leads to each, of one part of the crate.
fn circles(arrows: &BTreeMap<String, BTreeSet<String>>, part: &str) -> BTreeSet<BTreeSet<String>> {
    let is_in = |name: &str| name == part || name.starts_with(&format!("{part}/"));
    let reached = |from: &String| {
        let (mut seen, mut waiting) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(name) = waiting.pop() {
            for next in arrows.get(&name).into_iter().flatten().filter(|next| is_in(next)) {
                if seen.insert(next.clone()) {
                    waiting.push(next.clone());
                }
            }
        }
        seen
    };
    let names: Vec<&String> = arrows.keys().filter(|name| is_in(name)).collect();
    assert!(names.len() > 20, "{part} has its files");
    let all: BTreeMap<&String, BTreeSet<String>> = names.iter().map(|name| (*name, reached(name))).collect();
    let circle = |name: &&String| {
        let own = &all[*name];
        let back = |other: &&String| own.contains(*other) && all[*other].contains(*name);
        names.iter().filter(|other| back(other)).map(|other| (*other).clone()).collect::<BTreeSet<String>>()
    };
    names.iter().map(circle).filter(|circle| circle.len() > 1).collect()
}

/// DESIGN, layers: no file knows another that knows it, but for those that are named here.
#[test]
fn no_files_know_each_other_in_a_circle() {
    let arrows = arrows();
    let found: BTreeSet<BTreeSet<String>> =
        ["flow", "kernel"].iter().flat_map(|part| circles(&arrows, part)).collect();
    let named = |circle: &[&str]| circle.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
    let allowed: BTreeSet<BTreeSet<String>> = CIRCLES.iter().map(|(circle, _)| named(circle)).collect();
    assert_eq!(found, allowed, "a circle that is gone is taken off the list");
}

/// DESIGN, layers: the rooms of `flow` have an order.
#[test]
fn no_room_of_flow_knows_one_above() {
    let room = |name: &str| {
        ROOMS.iter().position(|(room, _)| name == *room || name.starts_with(&format!("{room}/")))
    };
    let mut wrong = Vec::new();
    for (name, known) in arrows().iter().filter(|(name, _)| name.starts_with("flow/")) {
        let Some(own) = room(name) else {
            wrong.push(format!("{name} is in no room"));
            continue;
        };
        let above = known.iter().filter(|other| room(other).is_some_and(|other| other > own));
        wrong.extend(above.map(|other| format!("{name} knows {other}")));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Kinds of nodes that other rooms must know by name: flows are walked by them, or what they write
/// is checked as a whole.
const KNOWN_BY_NAME: &[&str] = &[
    "start",
    "end",
    "jump",
    "branch",
    "call_flow",
    "ask",
    "wait_reply",
    "send_message",
    "set_variables",
    "update_contact",
    "handoff",
];

/// A new kind of node touches its own files, the two lists of kinds, and at most two others.
#[test]
fn a_kind_of_node_is_named_in_few_files() {
    let modules = modules();
    let kinds = modules["flow/node"].lines().filter_map(|line| {
        let (variant, rest) = line.trim().split_once('(')?;
        let (def, rest) = rest.split_once(") = \"")?;
        Some((variant.to_owned(), def.to_owned(), rest.split('"').next()?.to_owned()))
    });
    let mut counted = 0;
    for (variant, def, word) in kinds.filter(|(.., word)| !KNOWN_BY_NAME.contains(&word.as_str())) {
        let names =
            [def, format!("Node::{variant}("), format!("NodeKind::{variant}"), format!("(\"{word}\"")];
        let is_own = |module: &str| module.ends_with(&format!("node/{word}"));
        let touched: Vec<&String> = modules
            .iter()
            .filter(|(module, code)| is_own(module) || names.iter().any(|name| code.contains(name)))
            .map(|(module, _)| module)
            .collect();
        assert!(touched.len() <= 6, "{word}: {touched:?}");
        counted += 1;
    }
    assert!(counted > 10, "the list of kinds was found");
}
