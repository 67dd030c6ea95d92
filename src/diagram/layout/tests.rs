//! Properties of every layout: nothing lies on anything else, and no arrow crosses a box.

use proptest::prelude::*;

use crate::diagram::layout::{Layout, LayoutLink, Point, Size, lay_out};

const BOX: Size = Size { width: 100.0, height: 50.0 };
const LABEL: Size = Size { width: 40.0, height: 18.0 };

#[derive(Clone, Copy, Debug)]
struct Frame {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Frame {
    fn around(middle: Point, size: Size) -> Self {
        let (x, y) = (size.width / 2.0, size.height / 2.0);
        Self { left: middle.x - x, right: middle.x + x, top: middle.y - y, bottom: middle.y + y }
    }

    fn between(from: Point, to: Point) -> Self {
        let (left, right) = (from.x.min(to.x), from.x.max(to.x));
        Self { left, right, top: from.y.min(to.y), bottom: from.y.max(to.y) }
    }

    /// True if they have more than an edge in common.
    fn meets(&self, other: &Self) -> bool {
        const EDGE: f64 = 0.5;
        self.left + EDGE < other.right
            && other.left + EDGE < self.right
            && self.top + EDGE < other.bottom
            && other.top + EDGE < self.bottom
    }

    fn crosses(&self, piece: &Self) -> bool {
        let wide = Self {
            left: piece.left - 0.6,
            right: piece.right + 0.6,
            top: piece.top - 0.6,
            bottom: piece.bottom + 0.6,
        };
        let inner = Self {
            left: self.left + 1.0,
            right: self.right - 1.0,
            top: self.top + 1.0,
            bottom: self.bottom - 1.0,
        };
        inner.meets(&wide)
    }
}

fn link(from: usize, to: usize) -> LayoutLink {
    LayoutLink { from, to, label: None, is_loose: false, is_main: false }
}

fn check(boxes: usize, links: &[LayoutLink]) -> Layout {
    let layout = lay_out(&vec![BOX; boxes], links);
    let whole = Frame { left: 0.0, right: layout.size.width, top: 0.0, bottom: layout.size.height };
    let frames: Vec<Frame> = layout.boxes.iter().map(|middle| Frame::around(*middle, BOX)).collect();
    let labels = layout.ways.iter().filter_map(|way| way.label.map(|middle| Frame::around(middle, LABEL)));
    let solid: Vec<Frame> = frames.iter().copied().chain(labels).collect();
    for (place, frame) in solid.iter().enumerate() {
        assert!(
            frame.left >= whole.left && frame.right <= whole.right && frame.bottom <= whole.bottom,
            "{frame:?}"
        );
        for other in &solid[place + 1..] {
            assert!(!frame.meets(other), "{frame:?} lies on {other:?}");
        }
    }
    for (link, way) in links.iter().zip(&layout.ways) {
        assert_eq!(way.label.is_some(), link.label.is_some());
        for pair in way.points.windows(2) {
            assert!((pair[0].x - pair[1].x).abs() < 0.01 || pair[0].y == pair[1].y, "{way:?} goes askew");
            let piece = Frame::between(pair[0], pair[1]);
            assert!(
                piece.left >= 0.0 && piece.right <= whole.right && piece.bottom <= whole.bottom,
                "{way:?} leaves"
            );
            for frame in &frames {
                assert!(!frame.crosses(&piece), "{link:?} {piece:?} crosses {frame:?}");
            }
        }
        let (first, last) = (way.points[0], way.points[way.points.len() - 1]);
        assert!((first.y - frames[link.from].bottom).abs() < 0.01 && frames[link.from].left <= first.x);
        assert!(
            (last.y - frames[link.to].top).abs() < 0.01 && (last.x - layout.boxes[link.to].x).abs() < 0.01
        );
    }
    layout
}

#[test]
fn a_row_of_boxes_stands_in_one_line() {
    let layout = check(3, &[link(0, 1), link(1, 2)]);
    assert!(layout.boxes.iter().all(|middle| middle.x == layout.boxes[0].x));
    assert!(layout.boxes[0].y < layout.boxes[1].y && layout.boxes[1].y < layout.boxes[2].y);
    assert!(layout.ways.iter().all(|way| way.points.len() == 2));
}

#[test]
fn what_a_branch_leads_to_lies_in_the_order_of_its_arms_around_the_branch() {
    let layout = check(4, &[link(0, 1), link(0, 2), link(0, 3)]);
    let [branch, left, middle, right] = layout.boxes[..] else { panic!("four boxes") };
    assert!(left.x < middle.x && middle.x < right.x);
    assert!((middle.x - branch.x).abs() < 0.01 && left.y == right.y);
}

#[test]
fn an_arrow_back_goes_around_and_comes_from_above() {
    let layout = check(3, &[link(0, 1), link(1, 2), link(2, 1), link(1, 1)]);
    assert!(layout.boxes[1].y < layout.boxes[2].y);
    let lowest = layout.ways[2].points.iter().map(|point| point.y).fold(0.0, f64::max);
    assert!(lowest > layout.boxes[2].y + BOX.height / 2.0);
}

#[test]
fn nothing_is_laid_out_as_nothing() {
    assert!(lay_out(&[], &[]).boxes.is_empty());
}

#[test]
fn a_thousand_boxes_in_a_row_with_arrows_across_are_laid_out() {
    let mut links: Vec<LayoutLink> = (1..1_000).map(|to| link(to - 1, to)).collect();
    links.extend((0..3_000).map(|place| link(place * 7 % 1_000, place * 13 % 1_000)));
    check(1_000, &links);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn nothing_lies_on_anything_else(
        boxes in 1_usize..14,
        ends in prop::collection::vec((0_usize..14, 0_usize..14, any::<bool>(), any::<bool>()), 0..30),
    ) {
        let links: Vec<LayoutLink> = ends
            .into_iter()
            .map(|(from, to, has_label, is_loose)| LayoutLink {
                from: from % boxes,
                to: to % boxes,
                label: has_label.then_some(LABEL),
                is_loose,
                is_main: false,
            })
            .collect();
        check(boxes, &links);
    }

    #[test]
    fn the_main_way_is_straight_as_far_as_it_goes_down(
        main in 2_usize..8,
        ends in prop::collection::vec((0_usize..14, 0_usize..14, any::<bool>()), 0..20),
    ) {
        let way = (1..main).map(|to| LayoutLink { label: (to % 2 == 0).then_some(LABEL), is_main: true, ..link(to - 1, to) });
        let beside = ends.into_iter().map(|(from, to, has_label)| LayoutLink {
            label: has_label.then_some(LABEL),
            ..link(from, to)
        });
        let links: Vec<LayoutLink> = way.chain(beside).collect();
        let layout = check(14, &links);
        for step in 1..main {
            if layout.boxes[step].y <= layout.boxes[step - 1].y {
                break;
            }
            prop_assert_eq!(layout.boxes[step].x, layout.boxes[0].x);
            prop_assert_eq!(layout.ways[step - 1].points.len(), 2);
        }
    }
}
