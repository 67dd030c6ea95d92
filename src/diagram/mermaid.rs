//! A picture as a Mermaid flowchart. Nodes are numbered, so that no id of an author's is read as
//! syntax; in a label everything that Mermaid could read is written as a character's number.

use std::fmt::Write as _;

use crate::diagram::family::Family;
use crate::diagram::paint;
use crate::diagram::picture::{Picture, PictureNode};

const FAMILIES: &[Family] = &[
    Family::Start,
    Family::Send,
    Family::Wait,
    Family::Decide,
    Family::Act,
    Family::Call,
    Family::Person,
    Family::Jump,
    Family::End,
    Family::Stop,
    Family::Note,
];

pub(super) fn write(picture: &Picture) -> String {
    // Writing to a `String` cannot fail.
    let mut out = String::new();
    if !picture.heading.is_empty() {
        // A text in JSON is one in YAML, too.
        let title = serde_json::Value::from(picture.heading.join(", "));
        let _ = writeln!(out, "---\ntitle: {title}\n---");
    }
    out.push_str("flowchart TD\n");
    for (place, node) in picture.nodes.iter().enumerate() {
        let (open, close) = brackets(node.family);
        let _ = writeln!(out, "    n{place}{open}\"{}\"{close}", label(node));
    }
    for arrow in &picture.arrows {
        let line = match (arrow.is_dashed, arrow.is_taken) {
            (true, _) => "-.->",
            (false, true) => "==>",
            (false, false) => "-->",
        };
        let name = match arrow.label.as_str() {
            "" => String::new(),
            text => format!("|\"{}\"|", escaped(text)),
        };
        let _ = writeln!(out, "    n{} {line}{name} n{}", arrow.from, arrow.to);
    }
    classes(picture, &mut out);
    let palette = paint::palette(picture.is_dark);
    for (place, _) in picture.arrows.iter().enumerate().filter(|(_, arrow)| arrow.is_missed) {
        let _ = writeln!(out, "    linkStyle {place} stroke:{},stroke-dasharray:6 4", palette.missed);
    }
    out
}

/// The shape of a family.
fn brackets(family: Family) -> (&'static str, &'static str) {
    match family {
        Family::Start | Family::End | Family::Stop => ("([", "])"),
        Family::Decide => ("{{", "}}"),
        Family::Call | Family::Person => ("[[", "]]"),
        Family::Jump => (">", "]"),
        Family::Send | Family::Wait | Family::Act | Family::Note => ("[", "]"),
    }
}

fn label(node: &PictureNode) -> String {
    let count = node.count.map(|count| format!("{count}×"));
    let lines = [node.title.as_str(), node.kind.as_str()].into_iter().filter(|line| !line.is_empty());
    let lines = lines.chain(node.lines.iter().map(String::as_str)).chain(count.as_deref());
    lines.map(escaped).collect::<Vec<_>>().join("<br/>")
}

/// Letters and what is harmless as they are, all else by its number.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' ' | '.' | ',' | '?' | '!' | '_' | '+' | '-' => out.push(c),
            c if c.is_alphanumeric() || !c.is_ascii() => out.push(c),
            c => _ = write!(out, "#{};", u32::from(c)),
        }
    }
    out
}

fn classes(picture: &Picture, out: &mut String) {
    let palette = paint::palette(picture.is_dark);
    for family in FAMILIES {
        // `end` alone is a word of Mermaid's.
        let word = format!("kind{family:?}");
        let (ground, line) = paint::family(*family, picture.is_dark);
        let dashes = match family {
            Family::Stop | Family::Note => ",stroke-dasharray:4 3",
            _ => "",
        };
        let style = format!("fill:{ground},stroke:{line},color:{}{dashes}", palette.text);
        class(out, &word, &style, |node| node.family == *family, picture);
    }
    let is_aside = |node: &PictureNode| picture.has_path && !node.is_visited;
    class(out, "aside", "opacity:0.4", is_aside, picture);
    let missed = format!("stroke:{},stroke-width:3px,stroke-dasharray:6 4", palette.missed);
    class(out, "missed", &missed, |node| node.is_missed, picture);
    class(out, "current", "stroke-width:4px", |node| node.is_current, picture);
    let [warm, hot] = if picture.is_dark { ["#5c3410", "#8a4208"] } else { ["#ffd8a8", "#ffa94d"] };
    for (word, from, ground) in [("warm", 0.35, warm), ("hot", 0.7, hot)] {
        let is_in = |node: &PictureNode| node.heat > from && (word == "hot" || node.heat <= 0.7);
        class(out, word, &format!("fill:{ground}"), is_in, picture);
    }
}

/// A class and the nodes that have it, if any do.
fn class(out: &mut String, word: &str, style: &str, has: impl Fn(&PictureNode) -> bool, picture: &Picture) {
    let having = picture.nodes.iter().enumerate().filter(|(_, node)| has(node));
    let names: Vec<String> = having.map(|(place, _)| format!("n{place}")).collect();
    if !names.is_empty() {
        let _ = writeln!(out, "    classDef {word} {style}\n    class {} {word}", names.join(","));
    }
}
