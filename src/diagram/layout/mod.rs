//! Where the boxes and arrows of a picture lie: rows from top to bottom, arrows between them in
//! straight pieces that cross no box. Known as Sugiyama's method: ranks, order, places, routes.
//! Deterministic, and bounded in effort. What must not live here: what a box looks like.
//!
//! Rows go by the longest path, order by neighbours' means, places by exact least squares a row.
//! Effort is capped: 60,000 item-sweeps, 6,000 places where arrows pass; beyond that the longest
//! arrows go around in lanes.
//!
//! Arrows bend at right angles. A curve between two rows may cut the corner of a box; a level piece
//! in a gap and an upright one in a place of its own cannot. A property test draws random graphs
//! and finds no arrow that crosses a box and no label that lies on anything.
//!
//! One way runs straight down: the first branch of each node, from the start, that is not `failed`,
//! `invalid` or `timeout`, as far as it leads down.

mod order;
mod place;
mod ranks;
mod route;
mod rows;
#[cfg(test)]
mod tests;
mod tracks;

/// A point, in pixels from the upper left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// The room that something takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
}

/// An arrow to be laid out.
#[derive(Clone, Copy, Debug)]
pub(super) struct LayoutLink {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The room that its label takes, if it has one.
    pub(super) label: Option<Size>,
    /// True if it would rather go up than push its target down.
    pub(super) is_loose: bool,
    /// True if it is part of the way that is to run straight down; at most one leaves a box.
    pub(super) is_main: bool,
}

/// Where everything lies.
#[derive(Debug)]
pub(super) struct Layout {
    /// The middle of each box.
    pub(super) boxes: Vec<Point>,
    /// The way of each arrow.
    pub(super) ways: Vec<ArrowPath>,
    pub(super) size: Size,
}

/// The way of an arrow, from the lower edge of a box to the upper edge of another.
#[derive(Debug)]
pub(super) struct ArrowPath {
    /// Its corners; each piece is level or upright.
    pub(super) points: Vec<Point>,
    /// The middle of its label.
    pub(super) label: Option<Point>,
}

/// Lays out boxes and the arrows between them.
pub(super) fn lay_out(boxes: &[Size], links: &[LayoutLink]) -> Layout {
    let ranks = ranks::of(boxes.len(), links);
    let mut rows = rows::Rows::of(boxes, links, &ranks);
    order::sort(&mut rows);
    place::place(&mut rows);
    route::route(&rows, boxes, links)
}
