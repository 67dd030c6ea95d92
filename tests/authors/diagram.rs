//! Pictures of flows: as they are written down in `tests/diagram/`, well formed whatever an author
//! wrote, and the same each time. `UPDATE=1` writes down what is drawn now; then look at it.

use std::path::Path;
use std::{env, fs};

use chatflow::diagram::{Diagram, Places};
use chatflow::id::{FlowVersion, NodeId};
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
    let dark = Diagram::of(&shipped("abandoned_cart")).dark().svg();
    pictures.push(("docs/abandoned_cart.dark.svg".to_owned(), dark));
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
    assert_eq!(pictures.len(), if cfg!(feature = "time-zones") { 14 } else { 11 });
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
    let [jump, keyword] = jumps[..] else { panic!("{jumps:?}") };
    assert!(jump.contains("at most 5×") && keyword.contains("-> n6 "), "{jumps:?}");
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

/// A flow with a bit of everything that a picture tells beside its nodes.
fn told(settings: serde_json::Value) -> Flow {
    let mut all = json!({"sender": {"channel": "whatsapp", "account": "+15550100"}});
    all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let yes_no = json!([
        {"id": "y", "label": {"en": "Yes, please", "id": "Ya, tolong"}},
        {"id": "n", "label": {"en": "No, thanks", "id": "Tidak"}}
    ]);
    let flow = json!({
        "spec": 1, "code": "told", "name": "Told <all> & \"more\"",
        "trigger": {"kind": "inbound", "channel": "whatsapp", "rules": [{"match": "has_word", "text": "hello"}]},
        "settings": all,
        "nodes": [
            {"id": "start", "kind": "start"},
            {"id": "which", "kind": "random_split", "branches": [{"label": "short", "weight": 9}, {"label": "long"}]},
            {"id": "open", "kind": "open_hours", "timezone": "UTC",
             "hours": {"mon": ["09:00-18:00"], "tue": ["09:00-18:00"], "wed": ["09:00-18:00"], "sat": ["10:00-12:00"]},
             "dates": {"2026-12-25": []}},
            {"id": "age", "kind": "ask", "text": {"en": "How old are you?", "id": "Berapa umur Anda?"},
             "expect": "number", "whole": true, "min": 18, "max": 120},
            {"id": "sure", "kind": "ask", "text": {"en": "Are you sure?", "id": "Yakin?"}, "choices": yes_no},
            {"id": "rich", "kind": "branch", "branches": [{"label": "rich", "when": {"all": [
                {"value": "{{ context.total }}", "op": "number_greater", "to": 100},
                {"any": [{"op": "option_payload", "to": "y"}, {"expr": "contact.name"}]}
            ]}}]},
            {"id": "bye", "kind": "send_message", "text": {"en": "Bye", "id": "Sampai jumpa"}},
            {"id": "done", "kind": "end"},
            {"id": "aside", "kind": "send_message", "text": {"en": "Still there?", "id": "Masih di sana?"}}
        ],
        "edges": [
            {"from": "start", "to": "which"}, {"from": "which", "branch": "short", "to": "open"},
            {"from": "which", "branch": "long", "to": "age"}, {"from": "open", "branch": "open", "to": "age"},
            {"from": "open", "branch": "closed", "to": "bye"}, {"from": "age", "branch": "valid", "to": "sure"},
            {"from": "sure", "branch": "y", "to": "rich"}, {"from": "sure", "branch": "n", "to": "done"},
            {"from": "rich", "branch": "rich", "to": "bye"}, {"from": "rich", "branch": "else", "to": "done"}
        ]
    });
    Flow::from_json(&flow.to_string()).unwrap_or_else(|issues| panic!("{issues:#}"))
}

/// Every text of a picture.
fn texts(svg: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let texts = document.descendants().filter(|element| element.has_tag_name("text"));
    texts.map(|element| element.text().unwrap_or_default().to_owned()).collect()
}

fn assert_tells(svg: &str, wanted: &[&str]) {
    let told = texts(svg);
    for text in wanted {
        assert!(told.iter().any(|line| line == text), "{text:?} is not among {told:#?}");
    }
}

#[test]
fn rules_weights_hours_and_choices_are_told() {
    let svg = Diagram::of(&told(json!({"language": "en"}))).svg();
    assert_tells(&svg, &["▸ has the word “hello”", "expires after 30m", "short · 90 %", "long · 10 %"]);
    assert_tells(&svg, &["UTC", "Mon–Wed 09:00-18:00", "Sat 10:00-12:00", "2026-12-25 closed"]);
    assert_tells(&svg, &["takes a whole number, 18–120", "Yes, please", "No, thanks"]);
    let condition = "rich: context.total > 100 and (chose “y” or contact.name)";
    assert!(texts(&svg).join(" ").contains(condition), "{:#?}", texts(&svg));
}

#[test]
fn ends_without_an_edge_are_told_where_a_session_comes_to_them() {
    let settings = json!({"language": "en", "reminder": {"before": "5m", "node": "aside"}});
    let svg = Diagram::of(&told(settings)).svg();
    let count = |text: &str| texts(&svg).iter().filter(|line| *line == text).count();
    assert_eq!(count("completed"), 1, "after \"bye\"; the reminder ends nothing, each choice has an edge");
    assert_eq!((count("invalid: fails"), count("timeout: expires")), (2, 2), "of both questions");
}

#[test]
fn the_settings_are_told_with_what_they_lead_to() {
    let flow = told(json!({
        "language": "en", "session_ttl_minutes": 120, "quiet_hours": "22:00-08:00", "reentry": {"cooldown": "7d"},
        "concurrency": {"per_contact": "reject"}, "reminder": {"before": "5m", "node": "aside"},
        "keywords": [
            {"words": ["menu", "back"], "action": "jump", "node": "age"},
            {"words": ["stop"], "action": "opt_out"}, {"words": ["again"], "action": "restart"}
        ],
        "on_error": {"node": "aside"}, "on_expire": {"node": "aside"}
    }));
    let svg = Diagram::of(&flow).svg();
    assert_tells(
        &svg,
        &["expires after 2h", "quiet 22:00-08:00", "again after 7d", "not beside another flow"],
    );
    assert_tells(&svg, &["“menu”, “back”", "from anywhere", "“stop”: opts out", "“again”: starts again"]);
    assert_tells(&svg, &["5m before it expires", "if it fails", "if it expires"]);
    let dot = Diagram::of(&flow).dot();
    let note = |title: &str| {
        let line = dot.lines().find(|line| line.contains(title)).unwrap();
        line.split_whitespace().next().unwrap().to_owned()
    };
    for (title, node) in
        [("before it expires", "n8"), ("“menu”", "n3"), ("if it fails", "n8"), ("if it expires", "n8")]
    {
        let arrow = format!("    {} -> {node} [style=dashed];", note(title));
        assert!(dot.lines().any(|line| line == arrow), "{title} leads to {node}: {dot}");
    }
    check(&flow);
    let places = Diagram::of(&flow).places();
    assert_eq!(places.nodes.len(), flow.def().nodes.len(), "places are of the flow's nodes alone");
    assert_eq!(places.ways.len(), flow.def().edges.len());
}

#[test]
fn texts_are_in_the_first_language_of_the_settings() {
    let indonesian = ["Berapa umur Anda?", "Yakin?", "Ya, tolong", "Tidak", "Sampai jumpa"];
    assert_tells(&Diagram::of(&told(json!({"language": "id"}))).svg(), &indonesian);
    assert_tells(&Diagram::of(&told(json!({"languages": ["id", "en"]}))).svg(), &indonesian);
    assert_tells(
        &Diagram::of(&told(json!({"language": "en-GB"}))).svg(),
        &["How old are you?", "Yes, please", "Bye"],
    );
    let mermaid = Diagram::of(&told(json!({"language": "id"}))).mermaid();
    assert!(mermaid.contains("Yakin?") && !mermaid.contains("sure?"), "{mermaid}");
}

#[test]
fn a_title_a_version_and_dark_colours_are_there_on_request_alone() {
    let flow = told(json!({"language": "en"}));
    let plain = Diagram::of(&flow);
    let titled = plain.clone().version(FlowVersion(12));
    let name = "Told <all> & \"more\"".to_owned();
    assert!(!texts(&plain.svg()).contains(&name) && texts(&plain.clone().titled().svg()).contains(&name));
    assert_tells(&titled.svg(), &[&name, "version 12"]);
    assert!(
        titled
            .mermaid()
            .starts_with("---\ntitle: \"Told <all> & \\\"more\\\", version 12\"\n---\nflowchart TD\n")
    );
    assert!(
        titled.dot().contains("label=\"Told <all> &amp; \\\"more\\\"\\nversion 12\""),
        "{}",
        titled.dot()
    );
    assert!(plain.dot().contains("graph [label=\"\"") && plain.mermaid().starts_with("flowchart TD\n"));
    let (low, high) = (titled.places(), plain.places());
    assert_eq!(low.nodes[0].y - high.nodes[0].y, low.height - high.height, "the heading is above all of it");
    let dark = plain.clone().dark();
    assert_ne!(dark.svg(), plain.svg());
    assert_eq!(dark.places(), plain.places(), "colours move nothing");
    let ground = Regex::new("<rect [^>]*rx=\"6\" fill=\"#(..)").unwrap();
    for (picture, lightest) in [(dark.svg(), false), (plain.svg(), true)] {
        let red = u8::from_str_radix(&ground.captures(&picture).unwrap()[1], 16).unwrap();
        assert_eq!(red > 200, lightest, "{red} of a box");
    }
    check(&flow);
    check_svg(&titled.dark().svg());
}

#[test]
fn the_main_way_runs_straight_down() {
    for name in ["abandoned_cart", "lead_qualification", "nps_survey", "triage"] {
        let flow = shipped(name);
        let places = Diagram::of(&flow).places();
        let middle =
            |id: &str| places.nodes.iter().find(|node| node.node == id).map(|node| node.x + node.width / 2.0);
        let (mut at, mut steps) = ("start", 0);
        let first = |from: &str| {
            let is_aside = |branch: &str| ["invalid", "timeout", "failed"].contains(&branch);
            let is_way = |way: &&chatflow::diagram::WayPlace| {
                way.from == from && way.branch.as_deref().is_some_and(|branch| !is_aside(branch))
            };
            places.ways.iter().find(is_way)
        };
        while let Some(way) = first(at) {
            assert_eq!(way.points.len(), 2, "{name}: {} -> {} bends", way.from, way.to);
            assert_eq!(middle(&way.to), middle("start"), "{name}: {} is not below the start", way.to);
            (at, steps) = (&way.to, steps + 1);
        }
        assert!(steps > 3, "{name} has {steps} steps");
    }
}

/// In any font: each text says how wide it is, and its box is wider.
fn check_texts_are_in_their_boxes(svg: &str) {
    let document = roxmltree::Document::parse(svg).unwrap();
    let number = |element: roxmltree::Node<'_, '_>, name: &str| -> f64 {
        element.attribute(name).unwrap().parse().unwrap()
    };
    let right_of = |shape: roxmltree::Node<'_, '_>| match shape.attribute("width") {
        Some(width) => {
            shape.attribute("x").map_or(0.0, |x| x.parse().unwrap()) + width.parse::<f64>().unwrap()
        }
        // A hexagon: its right corner is the third point.
        None => shape.attribute("d").unwrap().split(['L', ' ']).nth(2).unwrap().parse().unwrap(),
    };
    for text in document.descendants().filter(|element| element.has_tag_name("text")) {
        let is_shape = |element: &roxmltree::Node<'_, '_>| {
            ["rect", "path"].iter().any(|name| element.has_tag_name(*name))
        };
        let is_own = |element: &roxmltree::Node<'_, '_>| {
            text.attribute("text-anchor").is_some() || !element.has_attribute("x")
        };
        let shape = text.prev_siblings().filter(|element| is_shape(element)).find(is_own).unwrap();
        let shape = if shape.attribute("d").is_some_and(|bar| bar.contains('V')) {
            shape.parent().unwrap().children().find(is_shape).unwrap()
        } else {
            shape
        };
        let (length, x) = (number(text, "textLength"), number(text, "x"));
        let from = if text.attribute("text-anchor").is_some() { x - length / 2.0 } else { x };
        let left = shape.attribute("x").map_or(0.0, |x| x.parse().unwrap());
        assert!(from >= left + 1.0 && from + length <= right_of(shape) - 1.0, "{:?} of {svg}", text.text());
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
    if !svg.contains("font-size=\"17\"") {
        check_texts_are_in_their_boxes(svg);
    }
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
