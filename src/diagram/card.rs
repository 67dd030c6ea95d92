//! A node as a box of an SVG: its texts in lines, its outline, its marks. Each line of a text says
//! how wide it is (`textLength`), so that it stays in its box whatever font draws it; a reader that
//! does not know that has some room to spare.

use std::fmt::Write as _;

use crate::diagram::family::Family;
use crate::diagram::layout::{Point, Size};
use crate::diagram::paint;
use crate::diagram::picture::{Picture, PictureNode};
use crate::diagram::svg::{Px, escaped};
use crate::diagram::text::{width, wrap};

const KIND: f64 = 10.0;
const TITLE: f64 = 13.0;
const LINE: f64 = 11.5;
/// The widest that a text in a box may be.
const WIDEST: f64 = 204.0;
/// Bold letters are so much wider.
const BOLD: f64 = 1.07;
/// Room for fonts wider than the one that is measured, where `textLength` is not known.
const SPARE: f64 = 1.06;
/// So far apart the arrows that leave a box should be.
const WAYS: f64 = 12.0;

/// A node with its texts in lines.
pub(super) struct NodeCard<'a> {
    node: &'a PictureNode,
    title: Vec<String>,
    lines: Vec<String>,
    pub(super) size: Size,
}

/// A line of text on an SVG.
pub(super) struct TextLine<'a> {
    pub(super) text: &'a str,
    pub(super) at: Point,
    pub(super) size: f64,
    pub(super) colour: &'a str,
    pub(super) is_bold: bool,
    /// True if its middle is at the point, and not its beginning.
    pub(super) is_centred: bool,
}

impl TextLine<'_> {
    /// The width that it takes, in every font.
    pub(super) fn width(&self) -> f64 {
        width(self.text, self.size) * if self.is_bold { BOLD } else { 1.0 }
    }

    pub(super) fn draw(&self, out: &mut String) {
        let weight = if self.is_bold { " font-weight=\"600\"" } else { "" };
        let anchor = if self.is_centred { " text-anchor=\"middle\"" } else { "" };
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" font-size=\"{}\"{weight}{anchor} textLength=\"{}\" \
             lengthAdjust=\"spacingAndGlyphs\" fill=\"{}\">{}</text>",
            Px(self.at.x),
            Px(self.at.y),
            Px(self.size),
            Px(self.width()),
            self.colour,
            escaped(self.text)
        );
    }
}

impl<'a> NodeCard<'a> {
    /// The boxes of all nodes.
    pub(super) fn all(picture: &'a Picture) -> Vec<Self> {
        let mut outs = vec![0; picture.nodes.len()];
        for arrow in &picture.arrows {
            outs[arrow.from] += 1;
        }
        picture.nodes.iter().zip(&outs).map(|(node, outs)| Self::of(node, *outs)).collect()
    }

    fn of(node: &'a PictureNode, outs: usize) -> Self {
        let title = wrap(&node.title, TITLE, WIDEST / BOLD, 2);
        let lines: Vec<String> = node.lines.iter().flat_map(|line| wrap(line, LINE, WIDEST, 3)).collect();
        let widths = title.iter().map(|line| width(line, TITLE) * BOLD);
        let widths = widths.chain(lines.iter().map(|line| width(line, LINE)));
        let widest = widths.fold(width(&node.kind, KIND), f64::max) * SPARE;
        let height = if node.kind.is_empty() { 15.0 } else { 28.0 };
        let height = height + 17.0 * title.len() as f64 + 15.0 * lines.len() as f64;
        let least = (WAYS * outs as f64 + 32.0)
            .clamp(if node.family == Family::Stop { 60.0 } else { 76.0 }, WIDEST * 2.0);
        let width = (widest + 2.0 * padding(node.family)).max(least);
        // Even, so that the middle of each box is a whole number.
        Self { node, title, lines, size: Size { width: (width / 2.0).ceil() * 2.0, height } }
    }

    pub(super) fn draw(&self, picture: &Picture, middle: Point, out: &mut String) {
        let (colours, palette) = (paint::of(self.node, picture), paint::palette(picture.is_dark));
        let Size { width, height } = self.size;
        let (left, top) = (middle.x - width / 2.0, middle.y - height / 2.0);
        let _ = writeln!(out, "<g transform=\"translate({} {})\">", Px(left), Px(top));
        let _ = writeln!(out, "<title>{}</title>", escaped(&self.node.title));
        let is_missed = self.node.is_missed;
        let stroke = if self.node.is_current || is_missed { 3.0 } else { 1.4 };
        let dashes =
            if is_missed && self.node.family != Family::Jump { " stroke-dasharray=\"6 4\"" } else { "" };
        let line = if is_missed { palette.missed } else { colours.line };
        let look = format!("fill=\"{}\" stroke=\"{line}\" stroke-width=\"{stroke}\"{dashes}", colours.ground);
        out.push_str(&shape(self.node.family, self.size, &look));
        self.write_texts(&colours, out);
        if let Some(count) = self.node.count {
            self.draw_badge(&format!("{count}×"), palette, out);
        }
        out.push_str("</g>\n");
    }

    fn write_texts(&self, colours: &paint::Paint, out: &mut String) {
        let is_centred = self.node.family == Family::Stop;
        let x = if is_centred { self.size.width / 2.0 } else { padding(self.node.family) };
        let mut line = |text: &str, y: f64, size: f64, colour: &str, is_bold: bool| {
            let at = Point { x, y };
            TextLine { text, at, size, colour, is_bold, is_centred }.draw(out);
        };
        let mut y = 5.0;
        if !self.node.kind.is_empty() {
            y = 17.0;
            line(&self.node.kind, y, KIND, colours.word, false);
        }
        y += 16.0;
        for title in &self.title {
            line(title, y, TITLE, colours.title, true);
            y += 17.0;
        }
        y -= 1.0;
        for text in &self.lines {
            line(text, y, LINE, colours.text, false);
            y += 15.0;
        }
    }

    /// A number on the upper edge.
    fn draw_badge(&self, text: &str, palette: &paint::Palette, out: &mut String) {
        let wide = width(text, KIND) + 12.0;
        let middle = self.size.width - wide / 2.0 + 10.0;
        let _ = writeln!(
            out,
            "<rect x=\"{}\" y=\"-8\" width=\"{}\" height=\"16\" rx=\"8\" fill=\"{}\"/>",
            Px(middle - wide / 2.0),
            Px(wide),
            palette.badge
        );
        let at = Point { x: middle, y: 3.5 };
        TextLine { text, at, size: KIND, colour: palette.badge_text, is_bold: false, is_centred: true }
            .draw(out);
    }
}

fn padding(family: Family) -> f64 {
    match family {
        Family::Decide => 22.0,
        Family::Call | Family::Person | Family::Start | Family::End | Family::Stop | Family::Jump => 18.0,
        Family::Send | Family::Wait | Family::Act | Family::Note => 13.0,
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
        Family::Jump | Family::Stop => framed(20.0_f64.min(height / 2.0), " stroke-dasharray=\"4 3\""),
        Family::Send | Family::Wait | Family::Act => framed(6.0, ""),
        Family::Note => framed(6.0, " stroke-dasharray=\"2 3\""),
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
