//! The colours of a picture. Boxes have grounds of their own, so that they read the same on any
//! paper; arrows are readable on light and on dark. A dark picture has dark boxes.

use crate::diagram::family::Family;
use crate::diagram::picture::{Picture, PictureNode};

/// The colours that do not depend on a node.
pub(super) struct Palette {
    /// Titles, and other texts.
    pub(super) text: &'static str,
    pub(super) soft: &'static str,
    /// Arrows.
    pub(super) arrow: &'static str,
    /// The way that a session took.
    pub(super) taken: &'static str,
    /// Parts that were missed.
    pub(super) missed: &'static str,
    /// The pill of a label.
    pub(super) label: &'static str,
    pub(super) label_line: &'static str,
    /// The badge of a number, and its text.
    pub(super) badge: &'static str,
    pub(super) badge_text: &'static str,
    /// The heading above the picture, on the page's own ground.
    pub(super) heading: &'static str,
    /// Ground, line, title and lines of what a session did not visit.
    aside: [&'static str; 4],
}

const LIGHT: Palette = Palette {
    text: "#1b2330",
    soft: "#414b5a",
    arrow: "#8792a2",
    taken: "#d9480f",
    missed: "#c92a2a",
    label: "#ffffff",
    label_line: "#d5dae1",
    badge: "#1b2330",
    badge_text: "#ffffff",
    heading: "#1b2330",
    aside: ["#f6f7f9", "#c3cad4", "#6b7686", "#7a8593"],
};

const DARK: Palette = Palette {
    text: "#f1f4f8",
    soft: "#c3ccd8",
    arrow: "#7d899a",
    taken: "#ff8a4c",
    missed: "#ff7b7b",
    label: "#1c2430",
    label_line: "#3b4757",
    badge: "#f1f4f8",
    badge_text: "#1b2330",
    heading: "#f1f4f8",
    aside: ["#171d26", "#333e4d", "#8a96a6", "#7a8696"],
};

/// The colours of a node.
pub(super) struct Paint {
    pub(super) ground: String,
    pub(super) line: &'static str,
    /// The word for its kind.
    pub(super) word: &'static str,
    pub(super) title: &'static str,
    pub(super) text: &'static str,
}

pub(super) fn palette(is_dark: bool) -> &'static Palette {
    if is_dark { &DARK } else { &LIGHT }
}

pub(super) fn of(node: &PictureNode, picture: &Picture) -> Paint {
    let palette = palette(picture.is_dark);
    if picture.has_path && !node.is_visited {
        let [ground, line, title, text] = palette.aside;
        return Paint { ground: ground.to_owned(), line, word: text, title, text };
    }
    let (ground, line) = family(node.family, picture.is_dark);
    let is_counted = node.count.is_some();
    let ground = if is_counted { heat(node.heat, picture.is_dark) } else { ground.to_owned() };
    let word = if is_counted { palette.soft } else { line };
    let line = if node.is_current { palette.taken } else { line };
    Paint { ground, line, word, title: palette.text, text: palette.soft }
}

/// Ground and line of a family.
pub(super) fn family(family: Family, is_dark: bool) -> (&'static str, &'static str) {
    let [light, dark] = match family {
        Family::Start => [("#e3f5e9", "#187a42"), ("#12301f", "#5fcf8f")],
        Family::Send => [("#e8f0fe", "#2a63c9"), ("#14264a", "#82aefc")],
        Family::Wait => [("#fff4d6", "#875a00"), ("#382a08", "#e9b949")],
        Family::Decide => [("#f1ebfd", "#6f46c9"), ("#2a1f4a", "#b79cf7")],
        Family::Act => [("#eff2f5", "#566173"), ("#232b36", "#a5b1c2")],
        Family::Call => [("#e0f5f3", "#0a7272"), ("#0c3131", "#58cfc8")],
        Family::Person => [("#fde9f1", "#b32f6d"), ("#43172c", "#f58bb8")],
        Family::Jump => [("#f8efe6", "#865524"), ("#38260f", "#e0a66b")],
        Family::End | Family::Stop => [("#e6e8eb", "#3d4654"), ("#2b3340", "#c3ccd8")],
        Family::Note => [("#fffdf5", "#7d6a2f"), ("#24220f", "#d8c67a")],
    };
    if is_dark { dark } else { light }
}

/// From the ground's own colour to a warm orange, on which the text still reads.
fn heat(heat: f64, is_dark: bool) -> String {
    let mix = |cold: f64, warm: f64| (cold + (warm - cold) * heat).round() as u8;
    let [cold, warm] = match is_dark {
        true => [[35.0, 43.0, 54.0], [138.0, 66.0, 8.0]],
        false => [[250.0, 250.0, 250.0], [255.0, 159.0, 67.0]],
    };
    let [red, green, blue] = [0, 1, 2].map(|part| mix(cold[part], warm[part]));
    format!("#{red:02x}{green:02x}{blue:02x}")
}
