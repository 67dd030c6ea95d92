//! The ways of the arrows, once their rows and places are known: upright through the rows, level in
//! the gaps between them. Arrows into the same box come together above it.

use std::collections::BTreeMap;

use crate::diagram::layout::rows::{Rows, What};
use crate::diagram::layout::tracks::{Net, assign};
use crate::diagram::layout::{ArrowPath, Layout, LayoutLink, Point, Size};
use crate::gather::Arrange;

/// Around the whole.
const MARGIN: f64 = 16.0;
/// In a gap: above the first level piece, between two, below the last; without any.
const ABOVE: f64 = 12.0;
const BETWEEN: f64 = 9.0;
const BELOW: f64 = 18.0;
const PLAIN: f64 = 26.0;
/// Between a box and the row of labels below it, if nothing turns there.
const TO_LABELS: f64 = 14.0;
/// Between two lanes, and between two arrows that leave one box, at most.
const LANE: f64 = 10.0;
const PORT: f64 = 30.0;
/// So much an arrow may leave beside the middle to go straight down.
const SLACK: f64 = 12.0;

/// The owner of a net: the box below that it leads into, the box that it rises to, or an arrow
/// alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Into(usize),
    Up(usize),
    Of(usize),
}

/// A level piece of an arrow: in which net, from where to where.
#[derive(Clone, Copy)]
struct Hop {
    gap: usize,
    net: usize,
    from: f64,
    to: f64,
}

/// The nets of each gap; gap `n` is above row `n`, the last below all rows.
struct Gaps {
    nets: Vec<Vec<Net>>,
    keys: Vec<BTreeMap<Key, usize>>,
}

impl Gaps {
    fn net(&mut self, gap: usize, key: Key) -> (usize, &mut Net) {
        let nets = &mut self.nets[gap];
        let place = *self.keys[gap].entry(key).or_insert_with(|| {
            nets.push(Net::default());
            nets.len() - 1
        });
        (place, &mut nets[place])
    }
}

pub(super) fn route(rows: &Rows, boxes: &[Size], links: &[LayoutLink]) -> Layout {
    let count = rows.rows.len();
    let mut gaps = Gaps { nets: vec![Vec::new(); count + 1], keys: vec![BTreeMap::new(); count + 1] };
    let ports = ports(rows, links);
    let lanes = lanes(rows, links);
    let hops: Vec<Vec<Hop>> =
        (0..links.len()).map(|link| hops(rows, links, link, ports[link], &lanes, &mut gaps)).collect();
    let tracks: Vec<usize> = gaps.nets.iter_mut().map(|nets| assign(nets)).collect();
    let heights = Heights::of(rows, &tracks);
    let (left, right) = extent(rows, &lanes);
    let shift = MARGIN - left;
    let middle =
        |item: usize| Point { x: rows.items[item].x + shift, y: heights.middle(rows.items[item].row) };
    let way = |link: usize| {
        let chain = &rows.chains[link];
        let label = chain.down.get(1).filter(|item| rows.items[**item].what == What::Label);
        let from = Point {
            x: ports[link] + shift,
            y: middle(links[link].from).y + boxes[links[link].from].height / 2.0,
        };
        let to = Point {
            x: middle(links[link].to).x,
            y: middle(links[link].to).y - boxes[links[link].to].height / 2.0,
        };
        let mut points = vec![from];
        for hop in &hops[link] {
            let net = &gaps.nets[hop.gap][hop.net];
            let y = heights.track(hop.gap, net.track);
            points.extend([Point { x: hop.from + shift, y }, Point { x: hop.to + shift, y }]);
        }
        points.push(to);
        ArrowPath { points: corners(&points), label: label.map(|item| middle(*item)) }
    };
    Layout {
        boxes: (0..boxes.len()).map(middle).collect(),
        ways: (0..links.len()).map(way).collect(),
        size: Size { width: right - left + 2.0 * MARGIN, height: heights.total },
    }
}

/// Where each arrow leaves its box: in the order of where they go next.
fn ports(rows: &Rows, links: &[LayoutLink]) -> Vec<f64> {
    let mut ports = vec![0.0; links.len()];
    let mut outs = vec![Vec::new(); rows.above.len()];
    for (place, link) in links.iter().enumerate() {
        let chain = &rows.chains[place];
        let next = chain.down.get(1).or(chain.up.first());
        outs[link.from].push((next.map_or(f64::INFINITY, |item| rows.items[*item].x), place));
    }
    for (from, mut outs) in outs.into_iter().enumerate().filter(|(_, outs)| !outs.is_empty()) {
        outs.arrange_by(|left, right| left.0.total_cmp(&right.0));
        let own = &rows.items[from];
        let last = (outs.len() - 1) as f64;
        // The main way leaves in the middle.
        let main = outs.iter().position(|(_, link)| links[*link].is_main && own.is_main);
        let middle = main.map_or(last / 2.0, |main| main as f64);
        // Arrows leave in the order of where they go, so that none crosses another at its start.
        // They come closer together in a narrow box, and never within 12 of its corners.
        let step = PORT.min((own.size.width / 2.0 - 12.0) / middle.max(last - middle).max(0.5));
        // A lone arrow, or one almost above its target, goes straight down: a bend of a few pixels
        // looks like a mistake.
        let slack = if outs.len() == 1 { SLACK } else { step * 0.45 };
        let first = own.x - step * middle;
        for (place, (next, link)) in outs.into_iter().enumerate() {
            let port = first + step * place as f64;
            ports[link] = if (next - port).abs() <= slack { next } else { port };
        }
    }
    ports
}

/// Where the lanes lie, beyond all rows, for each box that arrows lead to around the others.
fn lanes(rows: &Rows, links: &[LayoutLink]) -> BTreeMap<usize, f64> {
    let mut reach: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for (link, _) in links.iter().zip(&rows.chains).filter(|(_, chain)| chain.is_around) {
        let (from, to) = (rows.items[link.from].row, rows.items[link.to].row);
        let span = reach.entry(link.to).or_insert((to, to));
        *span = (span.0.min(from), span.1.max(from));
    }
    let (_, right) = extent(rows, &BTreeMap::new());
    let mut lanes: Vec<Vec<(usize, usize)>> = Vec::new();
    let place = |(target, span): (usize, (usize, usize))| {
        // Two spans share a lane if three rows lie between them: closer, their ends look joined.
        let is_free = |lane: &Vec<(usize, usize)>| {
            lane.iter().all(|other| other.1 + 3 < span.0 || span.1 + 3 < other.0)
        };
        let lane = lanes.iter().position(is_free).unwrap_or(lanes.len());
        if lane == lanes.len() {
            lanes.push(Vec::new());
        }
        lanes[lane].push(span);
        (target, right + 2.0 * LANE + LANE * lane as f64)
    };
    reach.into_iter().map(place).collect()
}

/// The level pieces of an arrow, and its part in the nets of the gaps that they lie in.
fn hops(
    rows: &Rows,
    links: &[LayoutLink],
    link: usize,
    port: f64,
    lanes: &BTreeMap<usize, f64>,
    gaps: &mut Gaps,
) -> Vec<Hop> {
    let chain = &rows.chains[link];
    let to = links[link].to;
    let mut hops = Vec::new();
    let mut at = port;
    for pair in chain.down.windows(2) {
        let item = &rows.items[pair[1]];
        // Arrows share a net only above the box that both lead into; sharing one elsewhere would
        // show a way between two boxes that there is not.
        let key = if item.what == What::Box { Key::Into(to) } else { Key::Of(link) };
        let (net, pins) = gaps.net(item.row, key);
        pins.upper.push(at);
        pins.lower.push(item.x);
        hops.push(Hop { gap: item.row, net, from: at, to: item.x });
        at = item.x;
    }
    let lowest = chain.down.last().map_or(0, |item| rows.items[*item].row);
    let above = rows.items[to].row;
    let target = rows.items[to].x;
    if let Some(lane) = lanes.get(&to).copied().filter(|_| chain.is_around) {
        let (net, pins) = gaps.net(lowest + 1, Key::Of(link));
        pins.upper.push(at);
        pins.side = Some(lane);
        hops.push(Hop { gap: lowest + 1, net, from: at, to: lane });
        let (net, pins) = gaps.net(above, Key::Into(to));
        pins.lower.push(target);
        pins.side = Some(lane);
        hops.push(Hop { gap: above, net, from: lane, to: target });
    } else if let Some(first) = chain.up.first() {
        let column = rows.items[*first].x;
        let (net, pins) = gaps.net(lowest + 1, Key::Up(to));
        pins.upper.extend([at, column]);
        hops.push(Hop { gap: lowest + 1, net, from: at, to: column });
        at = column;
        for item in chain.up.iter().skip(1).map(|item| &rows.items[*item]) {
            let (net, pins) = gaps.net(item.row + 1, Key::Up(to));
            pins.upper.push(item.x);
            pins.lower.push(at);
            hops.push(Hop { gap: item.row + 1, net, from: at, to: item.x });
            at = item.x;
        }
        let (net, pins) = gaps.net(above, Key::Into(to));
        pins.lower.extend([at, target]);
        hops.push(Hop { gap: above, net, from: at, to: target });
    }
    hops
}

fn extent(rows: &Rows, lanes: &BTreeMap<usize, f64>) -> (f64, f64) {
    let sides =
        rows.items.iter().map(|item| (item.x - item.size.width / 2.0, item.x + item.size.width / 2.0));
    let lanes = lanes.values().map(|x| (*x, *x));
    let (left, right) =
        sides.chain(lanes).fold((f64::INFINITY, f64::NEG_INFINITY), |(left, right), (from, to)| {
            (left.min(from), right.max(to))
        });
    if left > right { (0.0, 0.0) } else { (left, right) }
}

/// The distance of each gap and row from the top.
struct Heights {
    /// Where each gap begins, and where each row does.
    gaps: Vec<f64>,
    rows: Vec<f64>,
    tall: Vec<f64>,
    total: f64,
}

impl Heights {
    fn of(rows: &Rows, tracks: &[usize]) -> Self {
        let mut heights = Self { gaps: Vec::new(), rows: Vec::new(), tall: Vec::new(), total: MARGIN };
        for (gap, tracks) in tracks.iter().enumerate() {
            heights.gaps.push(heights.total);
            let row = rows.rows.get(gap);
            let has_labels =
                row.is_some_and(|row| row.iter().all(|item| rows.items[*item].what != What::Box));
            let is_outside = gap == 0 || row.is_none();
            heights.total += match tracks {
                0 if is_outside => 0.0,
                0 if has_labels => TO_LABELS,
                0 => PLAIN,
                _ if has_labels => ABOVE + BETWEEN * (tracks - 1) as f64 + ABOVE,
                _ => ABOVE + BETWEEN * (tracks - 1) as f64 + BELOW,
            };
            let Some(row) = row else { break };
            let tall = row.iter().map(|item| rows.items[*item].size.height).fold(0.0, f64::max);
            heights.rows.push(heights.total);
            heights.tall.push(tall);
            heights.total += tall;
        }
        heights.total += MARGIN;
        heights
    }

    fn middle(&self, row: usize) -> f64 {
        self.rows[row] + self.tall[row] / 2.0
    }

    fn track(&self, gap: usize, track: usize) -> f64 {
        self.gaps[gap] + ABOVE + BETWEEN * track as f64
    }
}

/// The points at which a way turns.
fn corners(points: &[Point]) -> Vec<Point> {
    let mut corners: Vec<Point> = Vec::with_capacity(points.len());
    for point in points {
        if let [.., before, last] = corners[..] {
            let is_upright = (before.x - last.x).abs() < 0.01 && (last.x - point.x).abs() < 0.01;
            let is_level = (before.y - last.y).abs() < 0.01 && (last.y - point.y).abs() < 0.01;
            if is_upright || is_level {
                corners.pop();
            }
        }
        corners.push(*point);
    }
    corners
}
