//! A picture as a DOT graph. Nodes are numbered, so that no id of an author's is read as syntax.

use std::fmt::Write as _;

use crate::diagram::family::Family;
use crate::diagram::paint;
use crate::diagram::picture::{Arrow, Node, Picture};
use crate::diagram::text::wrap;

/// The widest that a text in a box may be.
const WIDEST: f64 = 196.0;

pub(super) fn write(picture: &Picture) -> String {
    // Writing to a `String` cannot fail.
    let mut out = String::from("digraph flow {\n");
    let _ =
        writeln!(out, "    graph [label=\"{}\", labelloc=t, bgcolor=transparent];", escaped(&picture.title));
    out.push_str("    graph [fontname=\"Helvetica,Arial,sans-serif\", fontcolor=\"#6b7686\"];\n");
    out.push_str("    node [fontname=\"Helvetica,Arial,sans-serif\", fontsize=11, fontcolor=\"#1b2330\"];\n");
    out.push_str("    edge [fontname=\"Helvetica,Arial,sans-serif\", fontsize=10, color=\"#8792a2\", fontcolor=\"#6b7686\"];\n");
    for (place, node) in picture.nodes.iter().enumerate() {
        let _ = writeln!(out, "    n{place} [label=\"{}\", {}];", label(node), look(node, picture));
    }
    for arrow in &picture.arrows {
        let _ = writeln!(out, "    n{} -> n{}{};", arrow.from, arrow.to, line(arrow));
    }
    out.push_str("}\n");
    out
}

fn label(node: &Node) -> String {
    let count = node.count.map(|count| format!("{count}×"));
    let texts = node.lines.iter().flat_map(|line| wrap(line, 11.0, WIDEST, 3));
    let lines = [node.title.clone(), node.kind.clone()].into_iter().chain(texts).chain(count);
    lines.filter(|line| !line.is_empty()).map(|line| escaped(&line)).collect::<Vec<_>>().join("\\n")
}

fn look(node: &Node, picture: &Picture) -> String {
    let (shape, style) = match node.family {
        Family::Start | Family::End => ("box", "filled,rounded"),
        Family::Decide => ("hexagon", "filled"),
        Family::Call | Family::Person => ("box", "filled,diagonals"),
        Family::Jump => ("box", "filled,rounded,dashed"),
        Family::Send | Family::Wait | Family::Act => ("box", "filled"),
    };
    let colours = paint::of(node, picture);
    let width = if node.is_current || node.is_missed { 3 } else { 1 };
    let (ground, stroke) = (colours.ground, if node.is_missed { paint::MISSED } else { colours.line });
    format!("shape={shape}, style=\"{style}\", fillcolor=\"{ground}\", color=\"{stroke}\", penwidth={width}")
}

fn line(arrow: &Arrow) -> String {
    let mut looks = Vec::new();
    if !arrow.label.is_empty() {
        looks.push(format!("label=\"{}\"", escaped(&arrow.label)));
    }
    if arrow.is_jump {
        looks.push("style=dashed".to_owned());
    }
    if arrow.is_missed {
        looks.push(format!("color=\"{}\"", paint::MISSED));
    }
    if arrow.is_taken {
        looks.push(format!("color=\"{}\", penwidth=2.5", paint::TAKEN));
    }
    if looks.is_empty() { String::new() } else { format!(" [{}]", looks.join(", ")) }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '&' => out.push_str("&amp;"),
            c => out.push(c),
        }
    }
    out
}
