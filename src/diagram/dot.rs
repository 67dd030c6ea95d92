//! A picture as a DOT graph. Nodes are numbered, so that no id of an author's is read as syntax.

use std::fmt::Write as _;

use crate::diagram::family::Family;
use crate::diagram::paint;
use crate::diagram::picture::{Arrow, Picture, PictureNode};
use crate::diagram::text::wrap;

/// The widest that a text in a box may be.
const WIDEST: f64 = 196.0;

pub(super) fn write(picture: &Picture) -> String {
    // Writing to a `String` cannot fail.
    let mut out = String::from("digraph flow {\n");
    let palette = paint::palette(picture.is_dark);
    let heading: Vec<String> = picture.heading.iter().map(|line| escaped(line)).collect();
    let font = "fontname=\"Helvetica,Arial,sans-serif\"";
    let (text, soft, arrow) = (palette.text, palette.soft, palette.arrow);
    let _ = writeln!(
        out,
        "    graph [label=\"{}\", labelloc=t, bgcolor=transparent, {font}, fontcolor=\"{}\"];",
        heading.join("\\n"),
        palette.heading
    );
    let _ = writeln!(out, "    node [{font}, fontsize=11, fontcolor=\"{text}\"];");
    let _ = writeln!(out, "    edge [{font}, fontsize=10, color=\"{arrow}\", fontcolor=\"{soft}\"];");
    for (place, node) in picture.nodes.iter().enumerate() {
        let _ = writeln!(out, "    n{place} [label=\"{}\", {}];", label(node), look(node, picture));
    }
    for arrow in &picture.arrows {
        let _ = writeln!(out, "    n{} -> n{}{};", arrow.from, arrow.to, line(arrow, palette));
    }
    out.push_str("}\n");
    out
}

fn label(node: &PictureNode) -> String {
    let count = node.count.map(|count| format!("{count}×"));
    let texts = node.lines.iter().flat_map(|line| wrap(line, 11.0, WIDEST, 3));
    let lines = [node.title.clone(), node.kind.clone()].into_iter().chain(texts).chain(count);
    lines.filter(|line| !line.is_empty()).map(|line| escaped(&line)).collect::<Vec<_>>().join("\\n")
}

fn look(node: &PictureNode, picture: &Picture) -> String {
    let (shape, style) = match node.family {
        Family::Start | Family::End => ("box", "filled,rounded"),
        Family::Stop => ("box", "filled,rounded,dashed"),
        Family::Note => ("note", "filled,dashed"),
        Family::Decide => ("hexagon", "filled"),
        Family::Call | Family::Person => ("box", "filled,diagonals"),
        Family::Jump => ("box", "filled,rounded,dashed"),
        Family::Send | Family::Wait | Family::Act => ("box", "filled"),
    };
    let colours = paint::of(node, picture);
    let width = if node.is_current || node.is_missed { 3 } else { 1 };
    let missed = paint::palette(picture.is_dark).missed;
    let (ground, stroke) = (colours.ground, if node.is_missed { missed } else { colours.line });
    let text = colours.title;
    format!(
        "shape={shape}, style=\"{style}\", fillcolor=\"{ground}\", color=\"{stroke}\", fontcolor=\"{text}\", penwidth={width}"
    )
}

fn line(arrow: &Arrow, palette: &paint::Palette) -> String {
    let mut looks = Vec::new();
    if !arrow.label.is_empty() {
        looks.push(format!("label=\"{}\"", escaped(&arrow.label)));
    }
    if arrow.is_dashed {
        looks.push("style=dashed".to_owned());
    }
    if arrow.is_missed {
        looks.push(format!("color=\"{}\"", palette.missed));
    }
    if arrow.is_taken {
        looks.push(format!("color=\"{}\", penwidth=2.5", palette.taken));
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
