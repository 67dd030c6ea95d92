//! Each template of the gallery, rehearsed. `tests/gallery/TEMPLATE.WHAT.talk` is a talk with it;
//! `UPDATE=1` writes down what is said now. What it is made of is what `Line` prints, and what the
//! author does: `# context {…}` starts the flow, `# node VALUE`, `# node branch NAME` and
//! `# node failed WHY` answer a node's call, `# back {…}` gives the contact back from a person,
//! `> text`, `> [Label]`, `@ +31m`.

#![allow(clippy::unwrap_used, reason = "a test may fail, and says why")]

mod build_kit;

use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs};

use chatflow::CallResult;
use chatflow::flow::gallery::templates;
use chatflow::flow::{IssueCode, Span};
use chatflow::ops::Rehearsal;
use pollster::block_on;
use serde_json::Value;

use build_kit::is_for_this_build;

/// Thursday, 7 May 2026.
const BEGIN: &str = "2026-05-07T08:14:23Z";

/// Does what a line says.
fn act(run: &mut Rehearsal, line: &str) {
    let (mark, rest) = line.split_once(' ').unwrap_or((line, ""));
    let done = match mark {
        ">" => match rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(label) => run.choose(label).map(drop),
            None => run.say(rest).map(drop),
        },
        "@" => {
            let span = Span::parse(rest.trim_start_matches('+')).unwrap();
            run.pass(span.as_delta()).map(drop)
        }
        "#" => order(run, rest),
        _ => Ok(()),
    };
    done.unwrap_or_else(|error| panic!("{line}: {error}"));
}

fn order(run: &mut Rehearsal, order: &str) -> Result<(), chatflow::Error> {
    let (word, value) = order.split_once(' ').unwrap_or_else(|| panic!("{order}"));
    match (word, value.split_once(' ')) {
        ("back", _) => run.hand_back(serde_json::from_str::<Value>(value).unwrap()).map(drop),
        ("context", _) => run.start(serde_json::from_str::<Value>(value).unwrap()).map(drop),
        (node, Some(("failed", why))) => run.answer(node, CallResult::failed(why)).map(drop),
        (node, Some(("branch", branch))) => {
            run.answer(node, CallResult::branch(Value::Null, branch)).map(drop)
        }
        (node, _) => {
            run.answer(node, CallResult::value(serde_json::from_str::<Value>(value).unwrap())).map(drop)
        }
    }
}

/// The talk as it goes now: what is done in it, each followed by what comes of it.
fn played(json: &str, talk: &str) -> String {
    let mut run = Rehearsal::of(json).unwrap().at(BEGIN.parse().unwrap());
    let mut text = String::new();
    for line in talk.lines().filter(|line| line.starts_with(['#', '>', '@'])) {
        let before = run.transcript().lines().len();
        act(&mut run, line);
        if line.starts_with('#') {
            text += &format!("{line}\n");
        }
        for line in &run.transcript().lines()[before..] {
            text += &format!("{line}\n");
        }
    }
    text
}

#[test]
fn every_template_is_talked_with_as_it_is_written_down() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gallery");
    let (mut wrong, mut talked) = (Vec::new(), BTreeSet::new());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().split('.').next().unwrap().to_owned();
        let template = chatflow::flow::gallery::template(&name)
            .unwrap_or_else(|| panic!("there is no template `{name}`"));
        talked.insert(name);
        if !is_for_this_build(template.json) {
            continue;
        }
        let talk = fs::read_to_string(&path).unwrap();
        let now = played(template.json, &talk);
        assert!(
            ["= completed", "= expired", "= cancelled", "= failed"].iter().any(|end| now.contains(end)),
            "{} does not end:\n{now}",
            path.display()
        );
        if env::var_os("UPDATE").is_some() {
            fs::write(&path, &now).unwrap();
        } else if now != talk {
            wrong.push(format!("--- {} is\n{talk}--- but goes\n{now}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let all: BTreeSet<String> = templates().iter().map(|template| template.code.to_owned()).collect();
    assert_eq!(talked, all);
}

#[test]
fn a_flow_is_created_from_each_template_under_a_code_of_its_own() {
    let bot = chatflow::Engine::builder(chatflow::MemoryStore::new()).build();
    for template in templates() {
        let code = format!("my-{}", template.code);
        let created = block_on(bot.flows().create_from_template(template.code, &code)).unwrap();
        assert_eq!((created.status.flow.as_str(), &*created.status.name), (code.as_str(), template.name));
        // The cart, which the README talks with, needs a text that WhatsApp approves before it is a
        // shop's.
        let codes: Vec<_> = created.issues.iter().map(|issue| issue.code).collect();
        let known: &[IssueCode] = match template.code {
            "abandoned_cart" => &[IssueCode::WindowMayBeClosed],
            _ if !is_for_this_build(template.json) => &[IssueCode::BadValue],
            _ => &[],
        };
        assert_eq!(codes, known, "{}", created.issues);
        let again = block_on(bot.flows().create_from_template(template.code, &code)).unwrap_err();
        assert_eq!(again.to_string(), "`code` is that of another flow");
    }
    let unknown = block_on(bot.flows().create_from_template("nope", "x")).unwrap_err();
    assert_eq!(unknown.to_string(), "`template` `nope` is not in the gallery");
    assert_eq!(block_on(bot.flows().list()).unwrap().len(), templates().len());
}

#[cfg(feature = "time-zones")]
#[test]
fn only_who_is_with_a_person_is_handed_back() {
    let mut run = Rehearsal::of(chatflow::flow::gallery::template("menu").unwrap().json).unwrap();
    let nobody = "`handoff` is none to come back from";
    assert_eq!(run.hand_back(serde_json::json!({})).unwrap_err().to_string(), nobody);
    run.say("menu").unwrap();
    assert_eq!(run.hand_back(serde_json::json!({})).unwrap_err().to_string(), nobody);
    run.say("agent").unwrap();
    assert!(run.hand_back(serde_json::json!([])).unwrap_err().to_string().starts_with("`vars`"));
    assert!(!run.hand_back(serde_json::json!({"solved": true})).unwrap().is_empty());
}
