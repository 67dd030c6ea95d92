//! The layers: the arrows between the folders of `src/` point down, those between the rooms
//! of a folder too, and the system's clock, its randomness and its sleep are named in one file. All
//! is read from the source, so that a change of the picture is a change of these files.

mod kinds;
mod rooms;
pub(crate) mod source;

use std::collections::BTreeSet;

use source::{code, files, is_test};

/// The layers, the lowest first, each with what it may be and why it lies there. A layer knows
/// those before it and no other.
const LAYERS: &[(&str, &str)] = &[
    ("id", "words: names of things"),
    ("digits", "words: the digits of every script"),
    ("grapheme", "words: texts as people count them"),
    ("hex", "words: the stored form of hashes"),
    ("gather", "words: sorting and collecting, compiled once"),
    ("list", "words: a list that mostly has one entry"),
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
    ("talk", "words: conversations as texts that people write, of flows, journals and calls"),
    ("engine", "load, decide, commit, deliver: the only asynchronous code; it knows all of the above"),
    ("ops", "the door of what operators ask and get: names of the engine's"),
    ("wire", "beside: the products' JSON"),
    ("diagram", "beside: pictures of flows"),
    ("testkit", "beside: uses what is public, and nothing uses it"),
];

/// Names that read time or draw randomness, and the only file that may.
const ONLY_IN_CLOCK: &[&str] = &[
    "Utc::now",
    "Instant::now",
    "SystemTime::now",
    "Uuid::new_v4",
    "Uuid::now_v7",
    "thread::sleep",
    "getrandom",
];

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
    let elsewhere: Vec<_> = named.iter().filter(|(file, _)| file != "clock/machine.rs").collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    assert!(
        named.contains(&("clock/machine.rs".to_owned(), "SystemTime::now")),
        "the check finds what is there"
    );
}

/// One style of modules: a folder's door is its `mod.rs`.
#[test]
fn no_file_is_beside_a_folder_of_its_name() {
    let files = files();
    let folders: BTreeSet<_> =
        files.iter().filter_map(|(file, _)| Some(file.rsplit_once('/')?.0.to_owned())).collect();
    let doubled: Vec<_> = files
        .iter()
        .filter(|(file, _)| folders.contains(file.trim_end_matches(".rs")))
        .map(|(file, _)| file)
        .collect();
    assert!(doubled.is_empty(), "they are to be `mod.rs` in their folders: {doubled:?}");
}
