//! Pictures of flows: as they are written down in `tests/diagram/`, well formed whatever an author
//! wrote, and the same each time. `UPDATE=1` writes down what is drawn now; then look at it.

use std::path::Path;
use std::{env, fs};

use chatflow::diagram::{Diagram, Places};
use chatflow::id::NodeId;
use chatflow::testkit::{CountingIds, ManualClock, Recorder};
use chatflow::{Channel, Engine, Flow, FlowId, Inbound, MemoryStore, TriggerRequest};
use pollster::block_on;
use proptest::prelude::*;
use regex::Regex;
use serde_json::json;

use crate::build_kit::is_for_this_build;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn shipped(name: &str) -> Flow {
    let path = root().join("examples/flows").join(name).with_extension("json");
    Flow::from_json(&fs::read_to_string(path).unwrap()).unwrap()
}

fn node(id: &str) -> NodeId {
    NodeId::new(id).unwrap()
}

/// The cart, with the way of somebody who pays.
fn paid(draw: impl Fn(Diagram<'_>) -> String) -> String {
    let flow = shipped("abandoned_cart");
    let bot = Engine::builder(MemoryStore::new())
        .transport(Recorder::new())
        .clock(ManualClock::default())
        .ids(CountingIds::new())
        .build();
    let id = FlowId::new("abandoned-cart").unwrap();
    block_on(bot.flows().ensure(&flow.def().to_json())).unwrap();
    block_on(bot.flows().set_logging(&id, true)).unwrap();
    let request =
        TriggerRequest::new("abandoned-cart").phone("+14155550123").context(json!({"cart_id": "7"}));
    let session = block_on(bot.trigger(request)).unwrap().session().unwrap().session_id;
    let reply = Inbound::text(Channel::WhatsApp, "+15550100", "+14155550123", "1");
    let _ = block_on(bot.receive(reply)).unwrap();
    let turns = block_on(bot.journal(session)).unwrap();
    draw(Diagram::of(&flow).path(turns.iter().flat_map(|turn| &turn.steps)))
}

/// The cart, with what became of a campaign.
fn counted(draw: impl Fn(Diagram<'_>) -> String) -> String {
    let flow = shipped("abandoned_cart");
    let counts = [
        ("start", 1_000),
        ("remind", 1_000),
        ("wait", 990),
        ("pick", 400),
        ("checkout", 310),
        ("bought", 310),
        ("agent", 90),
        ("handed_over", 90),
    ];
    let counts = counts.map(|(id, count)| (node(id), count));
    let ways = [(node("wait"), "replied", 400), (node("pick"), "1", 310), (node("pick"), "2", 90)];
    draw(Diagram::of(&flow).counts(counts).branch_counts(ways))
}

type Picture = (String, fn(Diagram<'_>) -> String);

fn formats() -> [Picture; 3] {
    [
        ("svg".to_owned(), |diagram| diagram.svg()),
        ("mmd".to_owned(), |diagram| diagram.mermaid()),
        ("dot".to_owned(), |diagram| diagram.dot()),
    ]
}

/// DESIGN, diagrams: what is drawn is what was looked at.
#[test]
fn pictures_are_as_they_are_written_down() {
    let mut pictures =
        vec![("docs/abandoned_cart.svg".to_owned(), Diagram::of(&shipped("abandoned_cart")).svg())];
    for (end, draw) in formats() {
        #[cfg(feature = "time-zones")]
        pictures.push((format!("tests/diagram/menu.{end}"), draw(Diagram::of(&shipped("menu")))));
        pictures.push((format!("tests/diagram/triage.{end}"), draw(Diagram::of(&shipped("triage")))));
        pictures.push((format!("tests/diagram/cart.path.{end}"), paid(draw)));
        pictures.push((format!("tests/diagram/cart.counts.{end}"), counted(draw)));
    }
    let mut wrong = Vec::new();
    for (file, now) in &pictures {
        let path = root().join(file);
        if env::var_os("UPDATE").is_some() {
            fs::write(&path, now).unwrap();
        }
        if fs::read_to_string(&path).unwrap_or_default() != *now {
            wrong.push(file);
        }
    }
    assert!(wrong.is_empty(), "drawn otherwise: {wrong:?}; UPDATE=1 writes them, then look at them");
    assert_eq!(pictures.len(), if cfg!(feature = "time-zones") { 13 } else { 10 });
}

#[test]
fn a_path_marks_where_a_session_went_and_stands() {
    let dot = paid(|diagram| diagram.dot());
    let taken = |line: &&str| line.contains("->") && line.contains("penwidth=2.5");
    assert_eq!(dot.lines().filter(taken).count(), 5, "start, remind, wait, pick, checkout, bought");
    let current: Vec<&str> = dot.lines().filter(|line| line.contains("penwidth=3")).collect();
    assert!(matches!(current[..], [line] if line.contains("bought")), "{current:?}");
}

#[test]
fn counts_warm_what_is_frequent_and_stand_beside_branches() {
    let dot = counted(|diagram| diagram.dot());
    let line = |title: &str| dot.lines().find(|line| line.contains(title)).unwrap();
    assert!(line("Remind of the cart").contains("1000×") && line("Remind of the cart").contains("#ff9f43"));
    assert!(line("Ask again").contains("\\n0×") && line("Ask again").contains("#fafafa"));
    assert!(dot.contains("label=\"1 · 310×\"") && dot.contains("label=\"400×\""));
}

#[cfg(feature = "time-zones")]
#[test]
fn a_jump_is_a_dashed_arrow_and_is_marked_when_it_was_made() {
    let flow = shipped("menu");
    let is_jump = |line: &&str| line.contains("style=dashed") && line.contains("->");
    let dot = Diagram::of(&flow).dot();
    let jumps: Vec<&str> = dot.lines().filter(is_jump).collect();
    assert!(matches!(jumps[..], [line] if line.contains("at most 5×")), "{jumps:?}");
}

#[test]
fn places_are_those_of_the_picture_and_ways_keep_their_branches() {
    let flow = shipped("abandoned_cart");
    let (places, svg) = (Diagram::of(&flow).places(), Diagram::of(&flow).svg());
    assert_eq!(places.nodes.len(), flow.def().nodes.len());
    for (place, def) in places.nodes.iter().zip(&flow.def().nodes) {
        assert_eq!(place.node, def.id);
        assert!(place.x >= 0.0 && place.x + place.width <= places.width, "{place:?}");
        let tenth = |length: f64| (length * 10.0).round() / 10.0;
        let drawn = format!("<g transform=\"translate({} {})\">", tenth(place.x), tenth(place.y));
        assert!(svg.contains(&drawn), "the picture has no {drawn}");
    }
    let of = |from: &str| -> Vec<&str> {
        places.ways.iter().filter(|way| way.from == from).filter_map(|way| way.branch.as_deref()).collect()
    };
    assert_eq!(of("pick"), ["1", "2", "else"]);
    for way in &places.ways {
        let node = |id: &str| places.nodes.iter().find(|place| place.node == id).unwrap();
        let (from, to) = (node(&way.from), node(&way.to));
        let (first, last) = (way.points.first().unwrap(), way.points.last().unwrap());
        assert!(first[0] >= from.x && first[0] <= from.x + from.width, "{way:?} leaves its node");
        assert!((last[1] - to.y).abs() < 1.0, "{way:?} ends on its node");
    }
}

#[test]
fn boxes_of_a_canvas_are_laid_out_without_a_flow() {
    let boxes = [("a", 100.0, 40.0), ("b", 300.0, 200.0), ("c", f64::NAN, -5.0)];
    let places = Places::arrange(boxes, [("a", "next", "b"), ("a", "x", "nowhere"), ("b", "", "b")]);
    let [a, b, c] = &places.nodes[..] else { panic!("{places:?}") };
    assert!(a.y + 40.0 <= b.y && b.height == 200.0 && (c.width, c.height) == (1.0, 1.0), "{places:?}");
    let named: Vec<_> = places.ways.iter().map(|way| (&*way.from, way.branch.as_deref(), &*way.to)).collect();
    assert_eq!(named, [("a", Some("next"), "b"), ("b", Some(""), "b")]);
    assert!(places.ways[0].label.is_some() && places.ways[1].label.is_none());
    assert_eq!(places, Places::arrange(boxes, [("a", "next", "b"), ("b", "", "b")]), "the same each time");
}

#[test]
fn every_shipped_flow_is_drawn_in_every_format() {
    for entry in fs::read_dir(root().join("examples/flows")).unwrap() {
        let json = fs::read_to_string(entry.unwrap().path()).unwrap();
        if !is_for_this_build(&json) {
            continue;
        }
        let flow = Flow::from_json(&json).unwrap();
        check(&flow);
        for node in &flow.def().nodes {
            let title = node.name.as_deref().unwrap_or(&node.id);
            let first = title.split_whitespace().next().unwrap();
            assert!(Diagram::of(&flow).svg().contains(first), "{title} is in the picture");
        }
    }
}

/// A flow with this wherever an author may write.
fn scribbled(text: &str, word: &str) -> Result<Flow, chatflow::flow::Issues> {
    // Names have no control characters, or are refused; texts may have them.
    let name: String = text.chars().filter(|c| !c.is_control()).take(100).collect();
    let name = if name.trim().is_empty() { "x".to_owned() } else { name };
    let flow = json!({
        "spec": 1, "code": "f", "name": name, "trigger": {"kind": "manual"},
        "settings": {"sender": {"channel": "sms", "account": "555"}},
        "nodes": [
            {"id": "start", "kind": "start", "name": name},
            {"id": format!("n{word}"), "kind": "set_variables", "name": name, "variables": [{"name": "x", "value": "1"}]},
            {"id": "s", "kind": "send_message", "name": name, "text": "x".to_owned() + &text.replace("{{", "")},
            {"id": "b", "kind": "branch", "name": name, "branches": [{"label": word, "when": {"expr": "true"}}]},
            {"id": "e", "kind": "end", "name": name}
        ],
        "edges": [
            {"from": "start", "to": format!("n{word}")}, {"from": format!("n{word}"), "to": "s"},
            {"from": "s", "to": "b"}, {"from": "b", "branch": word, "to": "e"}, {"from": "b", "branch": "else", "to": "e"}
        ]
    });
    Flow::from_json(&flow.to_string())
}

/// All three formats are well formed, and hold nothing but what we draw.
fn check(flow: &Flow) {
    let diagram = Diagram::of(flow);
    check_svg(&diagram.svg());
    check_mermaid(&diagram.mermaid());
    check_dot(&diagram.dot());
    assert_eq!(diagram.svg(), Diagram::of(flow).svg());
}

fn check_svg(svg: &str) {
    let document = roxmltree::Document::parse(svg).unwrap_or_else(|error| panic!("{error}\n{svg}"));
    for element in document.descendants().filter(roxmltree::Node::is_element) {
        let name = element.tag_name().name();
        assert!(["svg", "title", "g", "rect", "path", "text"].contains(&name), "{name}");
        for attribute in element.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            assert!(!name.starts_with("on") && name != "href" && name != "style", "{name}");
            assert!(!value.contains("url(") && !value.contains("javascript"), "{value}");
        }
    }
}

fn check_mermaid(text: &str) {
    let plain = Regex::new(r"^[A-Za-z0-9_ .=>|(){}\[\]:#,-]*$").unwrap();
    let known = Regex::new(r"<br/>|#[0-9]+;").unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("flowchart TD"));
    for line in lines {
        let parts: Vec<&str> = line.split('"').collect();
        assert!(matches!(parts.len(), 1 | 3), "{line}");
        assert!(plain.is_match(parts[0]) && parts.get(2).is_none_or(|part| plain.is_match(part)), "{line}");
        if let Some(label) = parts.get(1) {
            let rest = known.replace_all(label, "");
            assert!(
                !rest.contains(['#', ';', '<', '>', '&', '`', '{', '[', '(', '|', '%', '$', ':', '\\', '@']),
                "{line}"
            );
            assert!(!rest.contains(char::is_control), "{line}");
        }
    }
}

fn check_dot(text: &str) {
    let plain = Regex::new(r"^[A-Za-z0-9_ .=,;#>{}\[\]\n-]*$").unwrap();
    let (mut outside, mut is_text, mut is_escaped) = (String::new(), false, false);
    for c in text.chars() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_text => is_escaped = true,
            '"' => is_text = !is_text,
            '\n' => assert!(!is_text, "a text ends with its line"),
            _ if is_text => {}
            c => outside.push(c),
        }
    }
    assert!(!is_text && plain.is_match(&outside), "{outside}");
}

/// SEMANTICS, hostile labels: nothing of an author's breaks out.
#[test]
fn what_would_break_out_is_drawn_as_text() {
    let bad = [
        "\"]; click n0 \"javascript:alert(1)\"",
        "</text><script>alert(1)</script>",
        "]]>&lt;&amp;&#0;<!--",
        "%%{init: {'theme':'x'}}%% `code` #quot; $$x$$",
        "\\\" ]; x -> y; \\",
        "style x:y#z; classDef a:b#c;",
        "a\u{202E}b\u{0}c\u{FFFE}\u{FFFF}d\r\n e\u{2028}f",
        "subgraph end\nend",
        "👩‍👩‍👧 مرحبا 你好",
    ];
    for text in bad {
        let flow = scribbled(text, "w").unwrap();
        check(&flow);
        let mut words: String = text.chars().filter(|c| !c.is_control()).take(60).collect();
        words.retain(|c| c.is_ascii_alphabetic());
        let svg = Diagram::of(&flow).svg();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let mut title = document.root_element().first_element_child().unwrap().text().unwrap().to_owned();
        title.retain(|c| c.is_ascii_alphabetic());
        assert!(title.starts_with(&words), "{title} is {words}");
    }
    for word in ["\"];", "<b>", "a|b", "x\\", "end", "{{", "#1;", "`"] {
        check(&scribbled("x", word).unwrap());
    }
}

#[test]
fn what_people_said_is_not_in_a_picture() {
    let svg = paid(|diagram| diagram.svg());
    assert!(!svg.contains("4155550123"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_label_gives_a_well_formed_picture(
        text in "[\\PC\"'<>&`#;\\\\{}\\[\\]()|%\\n]{0,120}|(.|\\s){0,60}",
        word in "[\\PC\"<&#\\\\]{1,12}",
    ) {
        if let Ok(flow) = scribbled(&text, &word) {
            check(&flow);
        }
    }
}
