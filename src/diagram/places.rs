//! Where nodes and ways lie, as data: for a canvas that draws them itself.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::diagram::layout::{Layout, LayoutLink, Point, Size, lay_out};
use crate::diagram::picture::{Arrow, Picture};
use crate::diagram::svg::{Drawing, label_size};
use crate::gather::Gather;

/// Where everything of a flow lies, in pixels from the upper left corner.
///
/// ```
/// use chatflow::diagram::{Diagram, Places};
/// use chatflow::flow::gallery;
/// use chatflow::Flow;
///
/// let cart = gallery::template("abandoned_cart").expect("a template");
/// let flow = Flow::from_json(cart.json)?;
/// let places = Diagram::of(&flow).places();
/// assert_eq!(places.nodes[0].node, "start");
/// assert!(places.ways.iter().all(|way| way.points.len() > 1));
///
/// // A canvas has boxes of its own, and flows that are not whole yet.
/// let places = Places::arrange([("start", 120.0, 40.0), ("hi", 200.0, 90.0)], [("start", "next", "hi")]);
/// assert!(places.nodes[1].y >= places.nodes[0].y + 40.0);
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Places {
    /// The width of the whole.
    pub width: f64,
    /// The height of the whole.
    pub height: f64,
    /// The nodes, in the order of the flow.
    pub nodes: Vec<NodePlace>,
    /// The ways between them, node by node in the order of the branches.
    pub ways: Vec<WayPlace>,
}

/// Where a node lies.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NodePlace {
    /// The node's id.
    pub node: String,
    /// The left edge of its box.
    pub x: f64,
    /// The upper edge of its box.
    pub y: f64,
    /// The width of its box.
    pub width: f64,
    /// The height of its box.
    pub height: f64,
}

/// Where a way runs, from the lower edge of a box to the upper edge of another.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct WayPlace {
    /// The node that it leaves.
    pub from: String,
    /// The branch that it leaves by; None of a jump.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The node that it leads to.
    pub to: String,
    /// Its corners; each piece is level or upright.
    pub points: Vec<[f64; 2]>,
    /// The middle of its label, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<[f64; 2]>,
}

impl Places {
    /// Lays out boxes of sizes of one's own: each with its id, its width and its height, at least
    /// a pixel. A way names the node it leaves, the branch, and the node it leads to; one whose
    /// nodes are not there is left out. It needs no flow, so that one which is not whole yet can
    /// be drawn. The same boxes and ways give the same places.
    #[must_use]
    pub fn arrange<'a>(
        nodes: impl IntoIterator<Item = (&'a str, f64, f64)>,
        ways: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>,
    ) -> Self {
        let (mut ids, mut sizes) = (Vec::new(), Vec::new());
        for (id, width, height) in nodes {
            ids.push(id);
            let bounded = |length: f64| if length.is_finite() { length.clamp(1.0, 10_000.0) } else { 1.0 };
            sizes.push(Size { width: bounded(width), height: bounded(height) });
        }
        let known: BTreeMap<&str, usize> = ids.iter().enumerate().map(|(place, id)| (*id, place)).gather();
        let (mut names, mut links) = (Vec::new(), Vec::new());
        for (from, branch, to) in ways {
            let (Some(from), Some(to)) = (known.get(from), known.get(to)) else { continue };
            names.push(Some(branch.to_owned()));
            let label = (!branch.is_empty()).then(|| label_size(branch));
            links.push(LayoutLink { from: *from, to: *to, label, is_loose: false, is_main: false });
        }
        let layout = lay_out(&sizes, &links);
        Self::of(&ids, &sizes, &links, names, &layout)
    }

    /// Where the nodes of a flow lie in its picture; what is drawn beside them is left out.
    pub(super) fn of_picture(picture: &Picture) -> Self {
        let drawing = Drawing::of(picture);
        let sizes: Vec<Size> = drawing.cards.iter().map(|card| card.size).collect();
        let ids: Vec<&str> = picture.nodes.iter().map(|node| &*node.id).collect();
        let names = picture.arrows.iter().map(|arrow| arrow.branch.clone()).collect();
        let mut places = Self::of(&ids, &sizes, &drawing.links, names, &drawing.layout);
        places.nodes.truncate(picture.own_nodes);
        let is_own = |arrow: &Arrow| arrow.from.max(arrow.to) < picture.own_nodes;
        let mut own = picture.arrows.iter().map(is_own);
        places.ways.retain(|_| own.next().unwrap_or(false));
        places.nodes.iter_mut().for_each(|node| node.y += drawing.top);
        for way in &mut places.ways {
            way.points.iter_mut().chain(&mut way.label).for_each(|point| point[1] += drawing.top);
        }
        Self { width: drawing.size.width, height: drawing.size.height, ..places }
    }

    fn of(
        ids: &[&str],
        sizes: &[Size],
        links: &[LayoutLink],
        names: Vec<Option<String>>,
        layout: &Layout,
    ) -> Self {
        let node = |((id, size), middle): ((&&str, &Size), &Point)| NodePlace {
            node: (*id).to_owned(),
            x: middle.x - size.width / 2.0,
            y: middle.y - size.height / 2.0,
            width: size.width,
            height: size.height,
        };
        let pair = |at: &Point| [at.x, at.y];
        let ways = links.iter().zip(names).zip(&layout.ways).map(|((link, branch), way)| WayPlace {
            from: ids[link.from].to_owned(),
            branch,
            to: ids[link.to].to_owned(),
            points: way.points.iter().map(pair).collect(),
            label: way.label.as_ref().map(pair),
        });
        Self {
            width: layout.size.width,
            height: layout.size.height,
            nodes: ids.iter().zip(sizes).zip(&layout.boxes).map(node).collect(),
            ways: ways.collect(),
        }
    }
}
