//! Each template of the gallery, rehearsed. `tests/gallery/TEMPLATE.WHAT.talk` is a talk with it;
//! `UPDATE=1` writes down what is said now. `docs/talks.md` says what it is made of.

use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs};

use chatflow::flow::IssueCode;
use chatflow::flow::gallery::templates;
use chatflow::ops::Rehearsal;
use chatflow::talk::Talk;
use chatflow::testkit::TalkRun;
use pollster::block_on;

use crate::build_kit::is_for_this_build;

/// True of a template that shows what is said when a session fails: nothing else may end so.
fn shows_faults(json: &str) -> bool {
    let flow: serde_json::Value = serde_json::from_str(json).unwrap();
    flow["settings"]["on_error"].is_object()
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
        let read = Talk::parse(&talk).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let run = TalkRun::of(template.json, &[], &read).unwrap();
        let now = run.played().text();
        assert!(
            ["= completed", "= expired", "= cancelled"].iter().any(|end| now.contains(end))
                || (now.contains("= failed") && shows_faults(template.json)),
            "{} does not end:\n{now}",
            path.display()
        );
        if env::var_os("UPDATE").is_some() && run.played().is_whole() {
            fs::write(&path, now).unwrap();
        } else if let Some(difference) = run.played().difference() {
            wrong.push(format!("{}:{}:\n{difference}", path.display(), difference.line));
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
        let codes: Vec<_> = created.issues.iter().map(|issue| issue.code).collect();
        let known: &[IssueCode] = match is_for_this_build(template.json) {
            true => &[],
            false => &[IssueCode::BadValue],
        };
        assert_eq!(codes, known, "{}", created.issues);
        let again = block_on(bot.flows().create_from_template(template.code, &code)).unwrap_err();
        assert_eq!(again.to_string(), "`code` belongs to another flow");
    }
    let unknown = block_on(bot.flows().create_from_template("nope", "x")).unwrap_err();
    assert_eq!(unknown.to_string(), "`template` `nope` is not in the gallery");
    assert_eq!(block_on(bot.flows().list()).unwrap().len(), templates().len());
}

#[cfg(feature = "time-zones")]
#[test]
fn only_who_is_with_a_person_is_handed_back() {
    let mut run = Rehearsal::of(chatflow::flow::gallery::template("menu").unwrap().json).unwrap();
    let nobody = "`handoff` is not active: there is nothing to hand back";
    assert_eq!(run.hand_back(serde_json::json!({})).unwrap_err().to_string(), nobody);
    run.say("menu").unwrap();
    assert_eq!(run.hand_back(serde_json::json!({})).unwrap_err().to_string(), nobody);
    run.say("agent").unwrap();
    assert!(run.hand_back(serde_json::json!([])).unwrap_err().to_string().starts_with("`vars`"));
    assert!(!run.hand_back(serde_json::json!({"solved": true})).unwrap().is_empty());
}
