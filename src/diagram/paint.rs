//! The colours of a picture: dark text on light grounds, so that a box reads the same on light and
//! on dark paper.

use crate::diagram::family::Family;
use crate::diagram::picture::{Node, Picture};

/// Colour of the way that a session took.
pub(super) const TAKEN: &str = "#d9480f";

/// Colour of what was missed.
pub(super) const MISSED: &str = "#c92a2a";

/// The colours that a node is painted with.
pub(super) struct Paint {
    pub(super) ground: String,
    pub(super) line: &'static str,
    /// The word for its kind.
    pub(super) word: &'static str,
}

pub(super) fn of(node: &Node, picture: &Picture) -> Paint {
    if picture.has_path && !node.is_visited {
        return Paint { ground: "#f6f7f9".to_owned(), line: "#c3cad4", word: "#8b95a3" };
    }
    let (ground, line) = family(node.family);
    let (ground, word) =
        if node.count.is_some() { (heat(node.heat), "#414b5a") } else { (ground.to_owned(), line) };
    Paint { ground, line: if node.is_current { TAKEN } else { line }, word }
}

/// Ground and line of a family.
pub(super) fn family(family: Family) -> (&'static str, &'static str) {
    match family {
        Family::Start => ("#e3f5e9", "#1f8a4c"),
        Family::Send => ("#e8f0fe", "#2f6fde"),
        Family::Wait => ("#fff4d6", "#9a6700"),
        Family::Decide => ("#f1ebfd", "#7a4fd6"),
        Family::Act => ("#eff2f5", "#5b6778"),
        Family::Call => ("#e0f5f3", "#0b7f7f"),
        Family::Person => ("#fde9f1", "#c2397a"),
        Family::Jump => ("#f8efe6", "#96622d"),
        Family::End => ("#e6e8eb", "#3d4654"),
    }
}

/// From nearly white to a warm orange, on which dark text still reads.
fn heat(heat: f64) -> String {
    let mix = |cold: f64, warm: f64| (cold + (warm - cold) * heat).round() as u8;
    format!("#{:02x}{:02x}{:02x}", mix(250.0, 255.0), mix(250.0, 159.0), mix(250.0, 67.0))
}
