//! The test kit for hosts, used as a host uses it: talks as tests, conversations in code, coverage
//! and its reports, talks that nobody wrote.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use chatflow::flow::{FlowLines, gallery};
use chatflow::talk::{Act, Talk};
use chatflow::testkit::{Coverage, Covered, Scenario, TalkBounds, TalkRun, Talks, generate_talks, talks};
use chatflow::{CallResult, Flow};
use serde_json::json;

const CART: &str = include_str!("../testkit/cart.json");
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

talks!(
    "tests/testkit/cart.json",
    "tests/testkit/talks/*.talk",
    at_least = 100,
    setup = |run| run.with_call("price", CallResult::value(12))
);

fn cart_talks(pattern: &str) -> Talks {
    Talks::new(ROOT, "tests/testkit/cart.json", pattern)
        .setup(|run| run.with_call("price", CallResult::value(12)))
}

/// A folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("chatflow-testkit-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The message of a panic.
fn told(act: impl FnOnce()) -> String {
    let what = catch_unwind(AssertUnwindSafe(act)).expect_err("it panics");
    what.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn a_conversation_is_held_in_code() {
    let mut cart =
        Scenario::new(CART).unwrap().context(json!({"name": "Ada"})).call("price", 12).start().unwrap();
    cart.asks("price").hears("Hi Ada, … Buy? [Yes] [No]").hears_nothing().is("waiting at wait");
    cart.passes("29m").is_waiting().chooses("yes").hears("/Pay .*/").is_completed().is("completed at pay");
    cart.says("hm").is_told("unmatched");
    let again = TalkRun::of(CART, &[], &cart.talk()).unwrap();
    assert_eq!(again.played().difference(), None);
    assert_eq!(cart.coverage().counts(Covered::Failure), (2, 0));

    let mut late = Scenario::new(CART).unwrap().start().unwrap();
    late.is("calling").fails("no prices").hears("Sorry, …").is("completed at sorry");
}

#[test]
fn a_failed_check_prints_the_talk_so_far_with_file_and_line() {
    let mut cart = Scenario::new(CART).unwrap().call("price", 12).start().unwrap();
    let line = line!() + 1;
    let text = told(|| _ = cart.says("No").hears("Good bye."));
    let start = format!("\ntests/host/testkit.rs:{line}:");
    assert!(text.starts_with(&start), "{text}");
    let end = "     7 | > No\n-    8 | < Good bye.\n+    8 | < Bye.\n";
    assert!(text.ends_with(end) && text.contains("     2 | ~ price {}\n"), "{text}");
    for wrong in [
        told(|| _ = cart.is("waiting")),
        told(|| _ = cart.hears("more")),
        told(|| _ = cart.asks("price")),
        told(|| _ = cart.chooses("maybe")),
        told(|| _ = cart.passes("soon")),
        told(|| _ = cart.does(&Act::Say("again".to_owned())).is_told("queued")),
    ] {
        assert!(!wrong.is_empty());
    }
}

#[test]
fn a_talk_that_goes_otherwise_fails_with_its_file_and_line() {
    let root = folder("talks");
    std::fs::write(root.join("cart.json"), CART).unwrap();
    let file = root.join("a.talk");
    std::fs::write(&file, "= calling at look\n~ price {}\n! now 1\n< It costs 2.\n").unwrap();
    let talks = Talks::new(&root, "cart.json", "*.talk");
    let told = talks.check("a.talk").unwrap_err();
    assert!(told.starts_with(&format!("{}:4: the talk took another course\n", file.display())), "{told}");
    assert!(told.contains("-    4 | < It costs 2.\n+    4 | ? node \"ask\": reads"), "{told}");
    std::fs::write(&file, "> a\nb\n").unwrap();
    let told = talks.check("a.talk").unwrap_err();
    assert!(told.starts_with(&format!("{}:2:1: `b` begins no line", file.display())), "{told}");
    std::fs::write(root.join("cart.json"), "{}").unwrap();
    std::fs::write(&file, "> a\n").unwrap();
    assert!(talks.check_coverage(None).unwrap_err().contains("has issues"));
    assert!(Talks::new(&root, "cart.json", "*.none").trials().is_err());
    std::fs::remove_dir_all(root).unwrap();
}

#[test]
fn talks_that_are_found_at_run_time_are_tests_too() {
    let trials = cart_talks("tests/testkit/talks/*.talk").at_least(100.0).trials().unwrap();
    let names: Vec<_> = trials.iter().map(|trial| trial.name().to_owned()).collect();
    assert_eq!(names.len(), 5);
    assert_eq!(names[4], "coverage of tests/testkit/cart.json");
    trials.into_iter().for_each(|trial| trial.run().unwrap());
    let few = cart_talks("tests/testkit/talks/*s.talk").at_least(90.0);
    let told = few.check_coverage(None).unwrap_err();
    assert!(told.contains("76.5 % is covered, and at least 90 % was asked for"), "{told}");
    let told = few.check_coverage(Some(&[])).unwrap_err();
    assert!(told.contains("`tests/testkit/talks/leaves.talk` is newer than this test"), "{told}");
}

#[test]
fn a_coverage_is_merged_over_tests_and_processes() {
    let (pays, all) = (cart_talks("tests/testkit/talks/p*.talk"), cart_talks("tests/testkit/talks/*.talk"));
    let (pays, all) = (pays.coverage().unwrap(), all.coverage().unwrap());
    assert_eq!((all.percent(), all.missed()), (100.0, vec![]));
    let missed: Vec<String> = pays.missed().iter().map(ToString::to_string).collect();
    let lines = [
        "node bye",
        "node late",
        "failure edge look -> failed",
        "node sorry",
        "failure edge wait -> timeout",
    ];
    assert_eq!(missed, [&lines[..], &["branch which -> else"]].concat());
    let folder = folder("merged");
    pays.save(&folder, "a").unwrap();
    cart_talks("tests/testkit/talks/s*.talk").coverage().unwrap().save(&folder, "b/c").unwrap();
    let merged = Coverage::load(&folder).unwrap();
    assert_eq!(merged.counts(Covered::Node), (9, 7));
    assert_eq!(merged.counts(Covered::Failure), (2, 1));
    let mut by_hand = pays.clone();
    by_hand.merge(&cart_talks("tests/testkit/talks/s*.talk").coverage().unwrap());
    assert_eq!(merged, by_hand);
    pays.save(&folder, "a").unwrap();
    assert_eq!(Coverage::load(&folder).unwrap(), by_hand, "another run takes the place of the first");

    let edited = Flow::from_json(&CART.replace("\"late\"", "\"tardy\"")).unwrap();
    Coverage::of(&edited, &[]).save(&folder, "before").unwrap();
    let long_ago = std::time::SystemTime::UNIX_EPOCH;
    let file = std::fs::File::options().append(true).open(folder.join("before.coverage.json")).unwrap();
    file.set_modified(long_ago).unwrap();
    assert_eq!(Coverage::load(&folder).unwrap(), by_hand, "the flow has other nodes since");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_coverage_is_shown_beside_the_lines_of_the_flow() {
    let flow = Flow::from_json(CART).unwrap();
    let coverage = cart_talks("tests/testkit/talks/*s.talk").coverage().unwrap();
    let line = |text: &str| 1 + CART.lines().position(|line| line.contains(text)).unwrap();
    let (late, timeout) = (line("\"id\": \"late\""), line("\"branch\": \"timeout\""));
    let lcov = coverage.lcov(&flow, "flows/cart.json", CART);
    assert!(lcov.starts_with("TN:\nSF:flows/cart.json\n") && lcov.ends_with("end_of_record\n"));
    assert!(lcov.contains(&format!("DA:{late},0\n")) && lcov.contains("LF:17\nLH:13\n"), "{lcov}");
    assert!(lcov.contains("BRF:8\nBRH:6\n"), "{lcov}");
    let marks = coverage.annotations(&flow, "flows/cart.json", CART);
    let mark = format!(
        "::warning file=flows/cart.json,line={timeout},title=No test comes here::failure edge wait -> timeout\n"
    );
    assert!(marks.contains(&mark) && marks.lines().count() == 4, "{marks}");
    let xml = coverage.cobertura(&flow, "flows/<cart>.json", CART);
    let read = roxmltree::Document::parse(&xml).unwrap();
    let missed = read.descendants().filter(|node| node.attribute("hits") == Some("0"));
    let numbers: BTreeSet<_> =
        missed.filter_map(|node| node.attribute("number")?.parse::<usize>().ok()).collect();
    assert_eq!(numbers.len(), 4);
    assert!(numbers.contains(&late) && numbers.contains(&timeout), "{numbers:?}");
    let table = coverage.to_string();
    assert!(table.contains("cart                           7/9       6/6       0/2   76.5 %\n"), "{table}");
}

#[test]
fn what_was_missed_is_marked_in_pictures() {
    let flow = Flow::from_json(CART).unwrap();
    let coverage = cart_talks("tests/testkit/talks/*s.talk").coverage().unwrap();
    let mermaid = coverage.mermaid(&flow);
    assert!(mermaid.contains("    class n7,n8 missed\n"), "{mermaid}");
    assert_eq!(mermaid.matches("    linkStyle ").count(), 2);
    let svg = coverage.svg(&flow);
    roxmltree::Document::parse(&svg).unwrap();
    assert_eq!(svg.matches("stroke=\"#c92a2a\"").count(), 4, "two nodes and two edges");
    let all = cart_talks("tests/testkit/talks/*.talk").coverage().unwrap();
    assert!(!all.svg(&flow).contains("#c92a2a") && !all.mermaid(&flow).contains("missed"));
}

#[test]
fn each_field_of_a_flow_file_has_its_line() {
    for template in gallery::templates() {
        let lines = FlowLines::of(template.json);
        let flow = Flow::from_json(template.json);
        let Ok(flow) = flow else { continue };
        for (place, node) in flow.def().nodes.iter().enumerate() {
            let line = lines.node(&node.id).unwrap();
            assert_eq!(lines.path(&format!("nodes[{place}]")), Some(line));
            let text = template.json.lines().nth(line as usize - 1).unwrap();
            assert!(text.contains('{'), "{}: {text}", node.id);
        }
        for (place, edge) in flow.def().edges.iter().enumerate() {
            let text =
                template.json.lines().nth(lines.path(&format!("edges[{place}].to")).unwrap() as usize - 1);
            assert!(text.unwrap().contains(&format!("{:?}", edge.to)));
        }
    }
    let strange = "{\"a\": \"}\\\"[\\n\",\n \"b\": [1,\n [], {}, {\"c\": null}]}";
    let lines = FlowLines::of(strange);
    let at = |path: &str| lines.path(path);
    assert_eq!(
        [at(""), at("a"), at("b"), at("b[0]"), at("b[3].c")],
        [Some(1), Some(1), Some(2), Some(2), Some(3)]
    );
    assert_eq!(FlowLines::of("{"), FlowLines::default());
}

/// Talks are found to nearly every way of shipped flows, and each goes again as it went.
#[test]
fn talks_that_nobody_wrote_are_found() {
    let (mut there, mut met) = (0, 0);
    for code in ["abandoned_cart", "opt_in", "order_status"] {
        let json = gallery::template(code).unwrap().json;
        let flow = Flow::from_json(json).unwrap();
        let found = generate_talks(&flow, &TalkBounds::new().runs(200)).unwrap();
        let mut all = Coverage::of(&flow, &[]);
        for talk in &found {
            let run = TalkRun::of(json, &[], &talk.talk).unwrap();
            all.merge(&Coverage::of(&flow, &run.journals()));
            assert_eq!(run.played().difference(), None, "{code}: {}", talk.talk);
            assert!(!talk.shows.is_empty() && talk.talk.acts().count() <= 21);
        }
        for sort in [Covered::Node, Covered::Branch, Covered::Failure] {
            let (all, some) = all.counts(sort);
            (there, met) = (there + all, met + some);
        }
    }
    assert!(met * 100 >= there * 95, "{met} of {there}");
}

#[test]
fn what_talks_show_already_is_not_looked_for() {
    let flow = Flow::from_json(CART).unwrap();
    let found = generate_talks(&flow, &TalkBounds::new()).unwrap();
    let ways: Vec<_> = found.iter().map(|talk| talk.talk.acts().count()).collect();
    assert_eq!(found.iter().map(|talk| talk.shows.len()).sum::<usize>(), 17, "{ways:?}");
    let known = cart_talks("tests/testkit/talks/*s.talk").coverage().unwrap();
    let rest = generate_talks(&flow, &TalkBounds::new().known(known)).unwrap();
    let shown: Vec<String> = rest.iter().flat_map(|talk| &talk.shows).map(ToString::to_string).collect();
    assert_eq!(shown.len(), 4, "{shown:?}");
    let all = cart_talks("tests/testkit/talks/*.talk").coverage().unwrap();
    assert_eq!(generate_talks(&flow, &TalkBounds::new().known(all)).unwrap(), []);
    assert!(rest.iter().all(|talk| Talk::parse(&talk.talk.to_string()).is_ok()));
}
