//! Whole talks with flows, as people would read them. `tests/golden/NAME.flow.json` is a flow, each
//! `NAME.talk` and `NAME.WHAT.talk` a talk with it, each `NAME.WHAT.subflow.json` a flow that it
//! may call; `UPDATE=1` writes down what is said now. The first line, `# RULES: …`, says what the
//! talk shows; `docs/talks.md` says what it is made of.

#[cfg(all(feature = "phone-numbers", feature = "time-zones"))]
mod coverage;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use chatflow::id::FlowVersion;
use chatflow::kernel::{JournalEntry, ReplayError, replay};
use chatflow::limits::Limits;
use chatflow::ops::SessionFilter;
use chatflow::session::Session;
use chatflow::talk::Talk;
use chatflow::testkit::TalkRun;
use chatflow::{Engine, Flow, FlowId, MemoryStore};
use chrono::TimeDelta;
use pollster::block_on;

use crate::build_kit::is_for_this_build;

/// SEMANTICS L6: the journal of each session leads to the session that is stored. Answers the
/// journals.
fn replays(bot: &Engine<MemoryStore>) -> Vec<JournalEntry> {
    let (mut journals, mut flows) = (Vec::new(), BTreeMap::new());
    for status in block_on(bot.flows().list()).unwrap() {
        for version in block_on(bot.flows().versions(&status.flow)).unwrap() {
            let json = block_on(bot.flows().export(&status.flow, Some(version.version))).unwrap();
            flows.insert((status.flow.clone(), version.version), Flow::from_json(&json).unwrap());
        }
    }
    let find = |id: &FlowId, version: FlowVersion| flows.get(&(id.clone(), version));
    for record in block_on(bot.sessions(SessionFilter::all())).unwrap() {
        let session: &Session = record.session();
        let journal = block_on(bot.journal(session.id())).unwrap();
        let kept = serde_json::to_string(&journal).unwrap();
        assert_eq!(serde_json::from_str::<Vec<JournalEntry>>(&kept).unwrap(), journal);
        let replayed = replay(find, &journal, &Limits::default());
        // The beginning of a journal goes after 30 days (SEMANTICS S12): a longer talk cannot
        // replay.
        let lived = session.last_interaction_at() - session.started_at();
        if lived < TimeDelta::days(30) || replayed != Err(ReplayError::NotFromStart) {
            assert_eq!(replayed.as_ref(), Ok(session), "{journal:#?}");
        }
        journals.extend(journal);
    }
    journals
}

/// A talk as it was played in a world where these flows are online.
fn play(json: &str, others: &[String], talk: &str) -> TalkRun {
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    let read = Talk::parse(talk).unwrap_or_else(|error| panic!("{error}: {talk}"));
    assert_eq!(read.to_string(), talk, "a talk prints as it was read");
    TalkRun::of(json, &others, &read).unwrap()
}

/// The transcript that the acts of a talk lead to, and the journals of its sessions.
fn have(json: &str, others: &[String], talk: &str) -> (String, Vec<JournalEntry>) {
    let run = play(json, others, talk);
    let journals = run.rehearsal().map(|rehearsal| replays(rehearsal.engine())).unwrap_or_default();
    (run.played().text().to_owned(), journals)
}

/// Talks and flows of the folder, by the name of the flow.
fn folder() -> BTreeMap<String, Vec<PathBuf>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut all: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let (flow, _) = name.split_once('.').unwrap();
        all.entry(flow.to_owned()).or_default().push(path);
    }
    all
}

/// A talk of the folder.
struct Written {
    path: PathBuf,
    text: String,
    /// Its flow.
    flow: String,
    /// The flows beside it.
    others: Vec<String>,
}

/// All talks of the folder with flows that this build can read.
fn written() -> Vec<Written> {
    let mut all = Vec::new();
    for (name, mut paths) in folder() {
        paths.sort();
        let read = |path: &PathBuf| fs::read_to_string(path).unwrap();
        let is_flow = |path: &&PathBuf| path.to_str().unwrap().ends_with(".flow.json");
        let flow = paths.iter().find(is_flow).unwrap_or_else(|| panic!("`{name}` has talks and no flow"));
        let flow = read(flow);
        if !is_for_this_build(&flow) {
            continue;
        }
        let is_other = |path: &&PathBuf| path.to_str().unwrap().ends_with(".subflow.json");
        let others: Vec<_> = paths.iter().filter(is_other).map(read).collect();
        let talks: Vec<_> = paths.iter().filter(|path| !is_flow(path) && !is_other(path)).collect();
        assert!(!talks.is_empty(), "`{name}` has a flow and no talk");
        for path in talks {
            assert!(path.extension().is_some_and(|end| end == "talk"), "{} is no talk", path.display());
            let (flow, others) = (flow.clone(), others.clone());
            all.push(Written { path: path.clone(), text: read(path), flow, others });
        }
    }
    all
}

/// Every talk goes as it is written down, line by line and to its end.
#[test]
fn talks_go_as_they_are_written_down() {
    let update = env::var_os("UPDATE").is_some();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for Written { path, text, flow, others } in written() {
        let run = play(&flow, &others, &text);
        let name = path.file_name().unwrap().to_str().unwrap();
        run.rehearsal().map(|rehearsal| replays(rehearsal.engine()));
        count += 1;
        if update && run.played().is_whole() {
            fs::write(path, run.played().text()).unwrap();
        } else if let Some(difference) = run.played().difference() {
            wrong.push(format!("tests/golden/{name}:{}:\n{difference}", difference.line));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 12, "only {count} talks");
}

/// A line of a talk that is changed is a difference, and the talk as it goes now is what is written
/// down by `UPDATE=1`.
#[test]
fn a_talk_that_goes_otherwise_is_seen() {
    let json = r#"{"spec": 1, "code": "f", "trigger": {"kind": "manual"},
        "settings": {"sender": {"channel": "whatsapp", "account": "+15550100"}},
        "nodes": [{"id": "start", "kind": "start"}, {"id": "w", "kind": "wait_reply"},
                  {"id": "s", "kind": "send_message", "text": "{{reply.text}}"}],
        "edges": [{"from": "start", "to": "w"}, {"from": "w", "to": "s"}]}"#;
    let goes = "= waiting at w\n> a\n< a\n= completed at s\n";
    for (talk, line) in [
        ("> a\n", Some(1)),
        ("= waiting at w\n> a\n< b\n= completed at s\n", Some(3)),
        ("= waiting at w\n> a\n< a\n", Some(4)),
        ("= waiting at w\n> a\n< a\n= completed at s\n* queued\n", Some(5)),
        (goes, None),
    ] {
        let run = play(json, &[], talk);
        assert_eq!(run.played().text(), goes);
        assert_eq!(run.played().difference().map(|difference| difference.line), line, "{talk}");
    }
    assert_eq!(play(json, &[], "").played().text(), "= waiting at w\n");
}
