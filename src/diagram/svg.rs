//! A picture as an SVG that needs nothing else. Every look is an attribute, so that nothing leaks
//! into a page that holds it; every text is escaped, and cut to what its box can hold.

use std::fmt::Write as _;

use crate::diagram::family::Family;
use crate::diagram::layout::{Layout, Link, Point, Size, Way, lay_out};
use crate::diagram::paint;
use crate::diagram::picture::{Arrow, Node, Picture};
use crate::diagram::text::{width, wrap};

const KIND: f64 = 10.0;
const TITLE: f64 = 13.0;
const LINE: f64 = 11.5;
const LABEL: f64 = 11.0;
/// The widest that a text in a box may be.
const WIDEST: f64 = 196.0;
/// So far apart the arrows that leave a box should be.
const WAYS: f64 = 12.0;
/// Colour of arrows, readable on light and on dark ground.
const GREY: &str = "#8792a2";

/// A node with its texts in lines.
struct Card<'a> {
    node: &'a Node,
    title: Vec<String>,
    lines: Vec<String>,
    size: Size,
}

/// The size of each box, and the arrows between them.
pub(super) fn measure(picture: &Picture) -> (Vec<Size>, Vec<Link>) {
    let sizes = cards(picture).iter().map(|card| card.size).collect();
    (sizes, picture.arrows.iter().map(link).collect())
}

fn cards(picture: &Picture) -> Vec<Card<'_>> {
    let mut outs = vec![0; picture.nodes.len()];
    for arrow in &picture.arrows {
        outs[arrow.from] += 1;
    }
    picture.nodes.iter().zip(&outs).map(|(node, outs)| Card::of(node, *outs)).collect()
}

pub(super) fn write(picture: &Picture) -> String {
    let cards = cards(picture);
    let sizes: Vec<Size> = cards.iter().map(|card| card.size).collect();
    let links: Vec<Link> = picture.arrows.iter().map(link).collect();
    let layout = lay_out(&sizes, &links);
    // Writing to a `String` cannot fail.
    let mut out = String::new();
    let Size { width, height } = layout.size;
    let (width, height, title) = (width.ceil(), height.ceil(), escaped(&picture.title));
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif\">"
    );
    let _ = writeln!(out, "<title>{title}</title>");
    arrows(picture, &layout, &mut out);
    for (card, middle) in cards.iter().zip(&layout.boxes) {
        card.draw(picture, *middle, &mut out);
    }
    for (arrow, way) in picture.arrows.iter().zip(&layout.ways) {
        label(arrow, way, picture, &mut out);
    }
    out.push_str("</svg>\n");
    out
}

/// The room that a label takes.
pub(super) fn label_size(text: &str) -> Size {
    Size { width: width(text, LABEL) + 12.0, height: 18.0 }
}

fn link(arrow: &Arrow) -> Link {
    let label = (!arrow.label.is_empty()).then(|| label_size(&arrow.label));
    Link { from: arrow.from, to: arrow.to, label, is_loose: arrow.is_jump }
}

impl<'a> Card<'a> {
    fn of(node: &'a Node, outs: usize) -> Self {
        let title = wrap(&node.title, TITLE, WIDEST, 2);
        let lines: Vec<String> = node.lines.iter().flat_map(|line| wrap(line, LINE, WIDEST, 3)).collect();
        let widths = title.iter().map(|line| width(line, TITLE) * 1.06);
        let widths = widths.chain(lines.iter().map(|line| width(line, LINE)));
        let widest = widths.fold(width(&node.kind, KIND) + 8.0, f64::max);
        let height = if node.kind.is_empty() { 15.0 } else { 28.0 };
        let height = height + 17.0 * title.len() as f64 + 15.0 * lines.len() as f64;
        let least = (WAYS * outs as f64 + 32.0).clamp(76.0, WIDEST * 2.0);
        let size = Size { width: (widest + 2.0 * padding(node.family)).max(least).round(), height };
        Self { node, title, lines, size }
    }

    fn draw(&self, picture: &Picture, middle: Point, out: &mut String) {
        let colours = paint::of(self.node, picture);
        let Size { width, height } = self.size;
        let (left, top) = (middle.x - width / 2.0, middle.y - height / 2.0);
        let _ = writeln!(out, "<g transform=\"translate({} {})\">", Px(left), Px(top));
        let _ = writeln!(out, "<title>{}</title>", escaped(&self.node.title));
        let stroke = if self.node.is_current || self.node.is_missed { 3.0 } else { 1.4 };
        let (line, dashes) = match self.node.is_missed {
            true if self.node.family == Family::Jump => (paint::MISSED, ""),
            true => (paint::MISSED, " stroke-dasharray=\"6 4\""),
            false => (colours.line, ""),
        };
        let look = format!("fill=\"{}\" stroke=\"{line}\" stroke-width=\"{stroke}\"{dashes}", colours.ground);
        out.push_str(&shape(self.node.family, self.size, &look));
        let x = padding(self.node.family);
        let mut y = if self.node.kind.is_empty() { 5.0 } else { 17.0 };
        let _ = writeln!(
            out,
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{KIND}\" letter-spacing=\".3\" fill=\"{}\">{}</text>",
            colours.word,
            escaped(&self.node.kind)
        );
        let is_aside = picture.has_path && !self.node.is_visited;
        let (dark, soft) = if is_aside { ("#77818f", "#8b95a3") } else { ("#1b2330", "#414b5a") };
        y += 16.0;
        for line in &self.title {
            let text = escaped(line);
            let _ = writeln!(
                out,
                "<text x=\"{x}\" y=\"{y}\" font-size=\"{TITLE}\" font-weight=\"600\" fill=\"{dark}\">{text}</text>"
            );
            y += 17.0;
        }
        y -= 1.0;
        for line in &self.lines {
            let text = escaped(line);
            let _ =
                writeln!(out, "<text x=\"{x}\" y=\"{y}\" font-size=\"{LINE}\" fill=\"{soft}\">{text}</text>");
            y += 15.0;
        }
        if let Some(count) = self.node.count {
            badge(&format!("{count}×"), self.size.width, out);
        }
        out.push_str("</g>\n");
    }
}

fn padding(family: Family) -> f64 {
    match family {
        Family::Decide => 22.0,
        Family::Call | Family::Person | Family::Start | Family::End | Family::Jump => 18.0,
        Family::Send | Family::Wait | Family::Act => 13.0,
    }
}

/// The outline of a family.
fn shape(family: Family, size: Size, look: &str) -> String {
    let Size { width, height } = size;
    let framed = |radius: f64, more: &str| {
        format!("<rect width=\"{width}\" height=\"{height}\" rx=\"{radius}\" {look}{more}/>\n")
    };
    match family {
        Family::Start | Family::End => framed(20.0, ""),
        Family::Jump => framed(20.0, " stroke-dasharray=\"4 3\""),
        Family::Send | Family::Wait | Family::Act => framed(6.0, ""),
        Family::Call | Family::Person => {
            let bar = |x: f64| format!("<path d=\"M{x} 0V{height}\" {look}/>\n");
            framed(2.0, "") + &bar(7.0) + &bar(width - 7.0)
        }
        Family::Decide => {
            let (middle, right) = (height / 2.0, width - 14.0);
            format!(
                "<path d=\"M14 0H{right}L{width} {middle}L{right} {height}H14L0 {middle}Z\" stroke-linejoin=\"round\" {look}/>\n"
            )
        }
    }
}

/// A number on the upper edge of a box.
fn badge(text: &str, right: f64, out: &mut String) {
    let wide = width(text, KIND) + 10.0;
    let (x, middle) = (right - wide + 10.0, right - wide / 2.0 + 10.0);
    let _ = writeln!(
        out,
        "<rect x=\"{}\" y=\"-8\" width=\"{}\" height=\"16\" rx=\"8\" fill=\"#1b2330\"/>\
         <text x=\"{}\" y=\"3.5\" font-size=\"{KIND}\" text-anchor=\"middle\" fill=\"#ffffff\">{text}</text>",
        Px(x),
        Px(wide),
        Px(middle)
    );
}

/// All arrows, those that were taken above the others.
fn arrows(picture: &Picture, layout: &Layout, out: &mut String) {
    let mut order: Vec<(&Arrow, &Way)> = picture.arrows.iter().zip(&layout.ways).collect();
    order.sort_by_key(|(arrow, _)| arrow.is_taken);
    for (arrow, way) in order {
        let colour = match (arrow.is_taken, arrow.is_missed) {
            (true, _) => paint::TAKEN,
            (false, true) => paint::MISSED,
            (false, false) => GREY,
        };
        let wide = if arrow.is_taken { 2.6 } else { 1.5 };
        let dashes = if arrow.is_jump || arrow.is_missed { " stroke-dasharray=\"5 4\"" } else { "" };
        let faint = if picture.has_path && !arrow.is_taken { " opacity=\".55\"" } else { "" };
        let _ = writeln!(
            out,
            "<g{faint}><path d=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{wide}\"{dashes}/>{}</g>",
            path(&way.points),
            head(&way.points, colour)
        );
    }
}

/// A way with its corners rounded, from its end to its beginning: so the dashes of ways that come
/// together coincide.
fn path(points: &[Point]) -> String {
    let mut path = String::new();
    let mut before: Option<Point> = None;
    for (place, at) in points.iter().enumerate().rev() {
        let next = place.checked_sub(1).map(|next| points[next]);
        match (before, next) {
            // The head covers the end.
            (None, _) => _ = write!(path, "M{} {}", Px(at.x), Px(at.y - 4.0)),
            (Some(_), None) => _ = write!(path, "L{} {}", Px(at.x), Px(at.y)),
            (Some(before), Some(next)) => corner(before, *at, next, &mut path),
        }
        before = Some(*at);
    }
    path
}

fn corner(before: Point, at: Point, next: Point, path: &mut String) {
    let radius = 7.0_f64.min(distance(before, at) / 2.0).min(distance(at, next) / 2.0);
    let (from, to) = (towards(at, before, radius), towards(at, next, radius));
    let _ = write!(path, "L{} {}", Px(from.x), Px(from.y));
    let _ = write!(path, "Q{} {} {} {}", Px(at.x), Px(at.y), Px(to.x), Px(to.y));
}

/// The head of an arrow, which comes from above.
fn head(points: &[Point], colour: &str) -> String {
    let Some(Point { x, y }) = points.last().copied() else { return String::new() };
    let (left, right, top) = (Px(x - 4.5), Px(x + 4.5), Px(y - 9.0));
    format!("<path d=\"M{} {}L{left} {top}H{right}Z\" fill=\"{colour}\"/>", Px(x), Px(y))
}

fn distance(one: Point, other: Point) -> f64 {
    (one.x - other.x).abs() + (one.y - other.y).abs()
}

/// The point so far from one towards another, on a level or upright line.
fn towards(one: Point, other: Point, far: f64) -> Point {
    let step =
        |from: f64, to: f64| if (to - from).abs() < 0.01 { from } else { from + far * (to - from).signum() };
    Point { x: step(one.x, other.x), y: step(one.y, other.y) }
}

fn label(arrow: &Arrow, way: &Way, picture: &Picture, out: &mut String) {
    let Some(Point { x, y }) = way.label else { return };
    let wide = width(&arrow.label, LABEL) + 10.0;
    let is_aside = picture.has_path && !arrow.is_taken;
    let colour = if is_aside { "#8b95a3" } else { "#414b5a" };
    let stroke = if arrow.is_taken { paint::TAKEN } else { "#d5dae1" };
    let _ = writeln!(
        out,
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"18\" rx=\"9\" fill=\"#ffffff\" stroke=\"{stroke}\"/>\
         <text x=\"{}\" y=\"{}\" font-size=\"{LABEL}\" text-anchor=\"middle\" fill=\"{colour}\">{}</text>",
        Px(x - wide / 2.0),
        Px(y - 9.0),
        Px(wide),
        Px(x),
        Px(y + 4.0),
        escaped(&arrow.label)
    );
}

/// A length with one digit at most.
struct Px(f64);

impl std::fmt::Display for Px {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tenths = (self.0 * 10.0).round() as i64;
        let (sign, size) = (if tenths < 0 { "-" } else { "" }, tenths.abs());
        match size % 10 {
            0 => write!(f, "{sign}{}", size / 10),
            digit => write!(f, "{sign}{}.{digit}", size / 10),
        }
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
