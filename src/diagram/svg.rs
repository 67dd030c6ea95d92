//! A picture as an SVG that needs nothing else. Every look is an attribute, so that nothing leaks
//! into a page that holds it; every text is escaped, and held to the room that was measured for it.

use std::fmt::Write as _;

use crate::diagram::card::{NodeCard, TextLine};
use crate::diagram::layout::{ArrowPath, Layout, LayoutLink, Point, Size, lay_out};
use crate::diagram::paint;
use crate::diagram::picture::{Arrow, Picture};
use crate::diagram::text::{width, wrap};
use crate::gather::Arrange;

const LABEL: f64 = 11.0;
/// Of the heading: its margin, the sizes of the name and the version, and the least width.
const MARGIN: f64 = 16.0;
const NAME: f64 = 17.0;
const VERSION: f64 = 12.0;
const LEAST: f64 = 280.0;

/// A picture with everything in its place.
pub(super) struct Drawing<'a> {
    picture: &'a Picture,
    pub(super) cards: Vec<NodeCard<'a>>,
    pub(super) links: Vec<LayoutLink>,
    pub(super) layout: Layout,
    /// Its heading in lines.
    name: Vec<String>,
    /// The height of the heading, which everything else is below.
    pub(super) top: f64,
    pub(super) size: Size,
}

impl<'a> Drawing<'a> {
    pub(super) fn of(picture: &'a Picture) -> Self {
        let cards = NodeCard::all(picture);
        let sizes: Vec<Size> = cards.iter().map(|card| card.size).collect();
        let links: Vec<LayoutLink> = picture.arrows.iter().map(link).collect();
        let layout = lay_out(&sizes, &links);
        let (mut wide, mut name, mut top) = (layout.size.width, Vec::new(), 0.0);
        if let Some(title) = picture.heading.first() {
            wide = wide.max(LEAST);
            name = wrap(title, NAME, (wide - 2.0 * MARGIN) / 1.1, 2);
            top = MARGIN + 22.0 * name.len() as f64 + if picture.heading.len() > 1 { 18.0 } else { 0.0 };
        }
        let size = Size { width: wide.ceil(), height: (layout.size.height + top).ceil() };
        Self { picture, cards, links, layout, name, top, size }
    }

    pub(super) fn write(&self) -> String {
        // Writing to a `String` cannot fail.
        let mut out = String::new();
        let (Size { width, height }, name) = (self.size, escaped(&self.picture.name));
        let _ = writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             role=\"img\" font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif\">"
        );
        let _ = writeln!(out, "<title>{name}</title>");
        self.write_heading(&mut out);
        if self.top > 0.0 {
            let _ = writeln!(out, "<g transform=\"translate(0 {})\">", Px(self.top));
        }
        self.draw_arrows(&mut out);
        for (card, middle) in self.cards.iter().zip(&self.layout.boxes) {
            card.draw(self.picture, *middle, &mut out);
        }
        for (arrow, way) in self.picture.arrows.iter().zip(&self.layout.ways) {
            label(arrow, way, self.picture, &mut out);
        }
        out.push_str(if self.top > 0.0 { "</g>\n</svg>\n" } else { "</svg>\n" });
        out
    }

    fn write_heading(&self, out: &mut String) {
        let palette = paint::palette(self.picture.is_dark);
        let mut y = MARGIN + NAME - 3.0;
        for text in &self.name {
            let (at, colour) = (Point { x: MARGIN, y }, palette.heading);
            TextLine { text, at, size: NAME, colour, is_bold: true, is_centred: false }.draw(out);
            y += 22.0;
        }
        if let Some(text) = self.picture.heading.get(1) {
            let (at, colour) = (Point { x: MARGIN, y: y - 1.0 }, palette.arrow);
            TextLine { text, at, size: VERSION, colour, is_bold: false, is_centred: false }.draw(out);
        }
    }

    /// All arrows, those that were taken above the others.
    fn draw_arrows(&self, out: &mut String) {
        let palette = paint::palette(self.picture.is_dark);
        let mut order: Vec<(&Arrow, &ArrowPath)> =
            self.picture.arrows.iter().zip(&self.layout.ways).collect();
        order.arrange_by_key(|(arrow, _)| arrow.is_taken);
        for (arrow, way) in order {
            let colour = match (arrow.is_taken, arrow.is_missed) {
                (true, _) => palette.taken,
                (false, true) => palette.missed,
                (false, false) => palette.arrow,
            };
            let wide = if arrow.is_taken { 2.6 } else { 1.5 };
            let dashes = if arrow.is_dashed || arrow.is_missed { " stroke-dasharray=\"5 4\"" } else { "" };
            let faint = if self.picture.has_path && !arrow.is_taken { " opacity=\".55\"" } else { "" };
            let _ = writeln!(
                out,
                "<g{faint}><path d=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{wide}\"{dashes}/>{}</g>",
                path(&way.points),
                head(&way.points, colour)
            );
        }
    }
}

/// The room that a label takes.
pub(super) fn label_size(text: &str) -> Size {
    Size { width: width(text, LABEL) + 14.0, height: 18.0 }
}

fn link(arrow: &Arrow) -> LayoutLink {
    let label = (!arrow.label.is_empty()).then(|| label_size(&arrow.label));
    let Arrow { from, to, is_dashed: is_loose, is_main, .. } = *arrow;
    LayoutLink { from, to, label, is_loose, is_main }
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

fn label(arrow: &Arrow, way: &ArrowPath, picture: &Picture, out: &mut String) {
    let Some(Point { x, y }) = way.label else { return };
    let palette = paint::palette(picture.is_dark);
    let wide = label_size(&arrow.label).width - 2.0;
    let is_aside = picture.has_path && !arrow.is_taken;
    let colour = if is_aside { palette.arrow } else { palette.soft };
    let stroke = if arrow.is_taken { palette.taken } else { palette.label_line };
    let _ = writeln!(
        out,
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"18\" rx=\"9\" fill=\"{}\" stroke=\"{stroke}\"/>",
        Px(x - wide / 2.0),
        Px(y - 9.0),
        Px(wide),
        palette.label
    );
    let at = Point { x, y: y + 4.0 };
    TextLine { text: &arrow.label, at, size: LABEL, colour, is_bold: false, is_centred: true }.draw(out);
}

/// A length with one digit at most.
pub(super) struct Px(pub(super) f64);

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

pub(super) fn escaped(text: &str) -> String {
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
