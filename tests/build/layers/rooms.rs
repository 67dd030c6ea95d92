//! The rooms inside a folder: their order, and that no two files know each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Source, circles};

/// The folders that have rooms. Each room knows those before it and no other; the folder's `mod.rs`
/// is its door, which knows all of them and is known to none.
const FOLDERS: &[(&str, &[(&str, &str)])] = &[("flow", FLOW), ("kernel", KERNEL)];

const FLOW: &[(&str, &str)] = &[
    ("form", "from JSON to typed fields, with every issue at its place"),
    ("place", "nodes and branches by number"),
    ("lang", "expressions, templates, conditions, and what compiling them needs to know"),
    ("recognize", "what is found in a text"),
    ("answer", "what counts as an answer"),
    ("content", "what a message says, and what a channel can carry"),
    ("keyword", "words that mean something wherever the contact stands"),
    ("trigger", "what starts a flow"),
    ("settings", "how sessions live"),
    ("node", "one file a kind"),
    ("def", "a flow as it is written"),
    ("compiled", "a flow as the kernel runs on it"),
    ("check", "what must hold of a flow as a whole"),
    ("compile", "from the definition to the flow, through all of the above"),
    ("author", "beside: what people work with around a flow"),
];

const KERNEL: &[(&str, &str)] = &[
    ("time", "sums of instants"),
    ("hash", "fingerprints of what is asked"),
    ("count", "what happened, as numbers"),
    ("choice", "the choice that a payload names"),
    ("library", "the flows that a turn may call"),
    ("input", "what a session takes"),
    ("inputs", "what a start accepts as context"),
    ("migrate", "whether a session fits another version"),
    ("begin", "a session before its first turn"),
    ("refusal", "why nothing starts"),
    ("aside", "inputs that enter no node"),
    ("journal", "what is kept of each input"),
    ("environment", "what a turn may read beside flow, session and input, and what it leaves"),
    ("ending", "the end of a session without its flow"),
    ("outcome", "what calls are answered"),
    ("turn", "the state of a turn in progress"),
    ("scope", "what templates read"),
    ("offer", "what there is to choose from, made of data"),
    ("content", "what a message says, rendered"),
    ("destination", "where a message goes"),
    ("message", "a message into the outbox"),
    ("fitting", "what was rendered, held to its channel"),
    ("handoff", "with a person"),
    ("node", "what a node does, one file a kind"),
    ("frames", "flows that call flows"),
    ("quiet", "what is put off"),
    ("beside", "nodes beside where a session stands"),
    ("reminder", "beside a wait"),
    ("run", "the loop of a turn"),
    ("replay", "a journal, once more"),
    ("decide", "a call as a whole"),
];

/// The folders whose files know each other in no circle but those of [`CIRCLES`].
const OPEN: &[&str] = &["flow", "kernel", "value"];

/// The circles that there are, each with why it has to be one.
const CIRCLES: &[(&[&str], &str)] = &[
    (
        &["value/codec.rs", "value/node.rs"],
        "a packed value is read by a cursor, and the cursor gives packed values",
    ),
    (&["value/compound.rs", "value/write.rs"], "values hold values: the writer of one writes those in it"),
];

fn room_of<'f>(folder: &str, file: &'f str) -> &'f str {
    let inside = file.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')).unwrap_or(file);
    inside.split(['/', '.']).next().unwrap_or_default()
}

/// The arrows that lead to a later room, to the door, or from a file of no room.
fn wrong_arrows(
    folder: &str,
    rooms: &[(&str, &str)],
    arrows: &BTreeMap<String, BTreeSet<String>>,
) -> Vec<String> {
    let place = |file: &str| rooms.iter().position(|(room, _)| *room == room_of(folder, file));
    let mut wrong = Vec::new();
    for (file, others) in arrows.iter().filter(|(file, _)| room_of(folder, file) != "mod") {
        let Some(own) = place(file) else {
            wrong.push(format!("src/{file} is of no room: give it its place in FOLDERS"));
            continue;
        };
        for other in others.iter().filter(|other| place(other).is_none_or(|other| other > own)) {
            wrong.push(format!("src/{file} knows src/{other}, which lies above"));
        }
    }
    wrong
}

/// DESIGN, layers: inside a folder, too, who is below knows nothing of who is above.
#[test]
fn no_arrow_points_up_inside_a_folder() {
    let source = Source::of_crate();
    for (folder, rooms) in FOLDERS {
        let arrows = source.arrows(folder);
        let wrong = wrong_arrows(folder, rooms, &arrows);
        assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
        for (room, _) in *rooms {
            let is_there = arrows.keys().any(|file| room_of(folder, file) == *room);
            assert!(is_there, "there is no room `{room}` in src/{folder}: strike it from FOLDERS");
        }
    }
}

/// No two files know each other, but for the circles of the list, which are there as they say.
#[test]
fn files_that_know_each_other_in_a_circle_are_listed() {
    let source = Source::of_crate();
    let arrows = OPEN.iter().map(|folder| source.arrows(folder));
    let found: BTreeSet<Vec<String>> = arrows.flat_map(|arrows| circles(&arrows)).collect();
    let listed = CIRCLES.iter().map(|(files, _)| files.iter().map(|file| (*file).to_owned()).collect());
    assert_eq!(found, listed.collect(), "the circles of the source, and those of CIRCLES");
}

/// A source of these files below one folder.
fn source_of(files: &[(&str, &str)]) -> Source {
    Source::of(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
}

/// The check itself sees an arrow however it is written, through doors too, and a circle.
#[test]
fn an_arrow_inside_a_folder_is_seen() {
    let door = "mod low; mod high; pub use high::Thing; pub(crate) use low::{Deep as Other, deep};";
    for text in [
        "use crate::flow::high::Thing;",
        "use crate::flow::{low::deep::Deep, high::{self, Thing}}; type X = Thing;",
        "use crate::flow::Thing;",
        "use super::super::high::Thing;",
        "fn f() { let _ = crate::flow::Thing::default(); }",
        "use crate::flow::high; fn f() -> high::Thing { loop {} }",
    ] {
        let files = [
            ("flow/mod.rs", door),
            ("flow/low/mod.rs", "pub(crate) mod deep; pub(crate) use deep::Deep; mod user;"),
            ("flow/low/deep.rs", "pub(crate) struct Deep;"),
            ("flow/low/user.rs", text),
            (
                "flow/high.rs",
                "use crate::flow::Other; use crate::flow::low::user::User; pub struct Thing(Other);",
            ),
        ];
        let arrows = source_of(&files).arrows("flow");
        assert!(arrows["flow/low/user.rs"].contains("flow/high.rs"), "{text}: {arrows:?}");
        assert!(arrows["flow/high.rs"].contains("flow/low/deep.rs"), "the door hands it on: {arrows:?}");
        let rooms = [("low", ""), ("high", "")];
        assert_eq!(wrong_arrows("flow", &rooms, &arrows).len(), 1, "{text}");
        assert_eq!(wrong_arrows("flow", &rooms[..1], &arrows).len(), 2, "a file of no room: {text}");
        let circle = vec!["flow/high.rs".to_owned(), "flow/low/user.rs".to_owned()];
        assert_eq!(circles(&arrows), BTreeSet::from([circle]), "{text}");
    }
}
