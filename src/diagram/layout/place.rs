//! The distance of each item from the left: as near to its neighbours above and below as the order
//! of its row and the room between the items allow. For one row that is a least-squares problem,
//! solved exactly by pooling neighbours.

use crate::diagram::layout::rows::{Item, Rows, What};
use crate::gather::Arrange;

/// Sweeps over all rows; an odd number, so that the last goes down.
const SWEEPS: usize = 9;

/// Weight of a wish that nothing else should give way to.
const FAINT: f64 = 0.001;
/// Weight of the wish of the main way to be straight, which everything gives way to.
const FIRM: f64 = 1e6;

pub(super) fn place(rows: &mut Rows) {
    for row in 0..rows.rows.len() {
        let mut x = 0.0;
        let mut last = None;
        for item in rows.rows[row].clone() {
            x += last.map_or(0.0, |last| apart(&rows.items[last], &rows.items[item]));
            rows.items[item].x = x;
            last = Some(item);
        }
    }
    for sweep in 0..SWEEPS {
        let is_down = sweep % 2 == 0;
        let count = rows.rows.len();
        for step in 0..count {
            let row = if is_down { step } else { count - 1 - step };
            settle(rows, row, if is_down { wish_of_above } else { wish_of_below });
        }
    }
    // Labels lie above what they lead to.
    for row in 0..rows.rows.len() {
        if rows.rows[row].iter().any(|item| rows.items[*item].what == What::Label) {
            settle(rows, row, label_wish);
        }
    }
    straighten(rows);
    for item in &mut rows.items {
        item.x = item.x.round();
    }
}

/// The least distance between the middles of two neighbours.
fn apart(left: &Item, right: &Item) -> f64 {
    let gap = match (left.what, right.what) {
        (What::Box, What::Box) => 36.0,
        (What::Label, What::Label) => 12.0,
        (What::Bend | What::Rise, What::Bend | What::Rise) => 4.0,
        _ => 14.0,
    };
    (left.size.width + right.size.width) / 2.0 + gap
}

/// Puts the items of a row as near as may be to where they wish to lie.
fn settle(rows: &mut Rows, row: usize, wish: fn(&Rows, usize) -> (f64, f64)) {
    let mut pools: Vec<Pool> = Vec::new();
    let mut offset = 0.0;
    let mut last: Option<usize> = None;
    for item in &rows.rows[row] {
        offset += last.map_or(0.0, |last| apart(&rows.items[last], &rows.items[*item]));
        last = Some(*item);
        let (wanted, weight) = if rows.items[*item].is_main { (0.0, FIRM) } else { wish(rows, *item) };
        let mut pool = Pool { sum: (wanted - offset) * weight, weight, items: 1 };
        while let Some(left) = pools.pop_if(|left| left.mean() > pool.mean()) {
            pool = Pool {
                sum: pool.sum + left.sum,
                weight: pool.weight + left.weight,
                items: pool.items + left.items,
            };
        }
        pools.push(pool);
    }
    let means = pools.iter().flat_map(|pool| std::iter::repeat_n(pool.mean(), pool.items));
    let (mut offset, mut last) = (0.0, None);
    for (mean, item) in means.zip(rows.rows[row].clone()) {
        offset += last.map_or(0.0, |last| apart(&rows.items[last], &rows.items[item]));
        last = Some(item);
        rows.items[item].x = mean + offset;
    }
}

/// Items that touch, and where they would lie together.
struct Pool {
    sum: f64,
    weight: f64,
    items: usize,
}

impl Pool {
    fn mean(&self) -> f64 {
        self.sum / self.weight
    }
}

fn wish_of_above(rows: &Rows, item: usize) -> (f64, f64) {
    wish(rows, item, &rows.above[item])
}

fn wish_of_below(rows: &Rows, item: usize) -> (f64, f64) {
    wish(rows, item, &rows.below[item])
}

/// A label goes above what it leads to; what else passes its row stays.
fn label_wish(rows: &Rows, item: usize) -> (f64, f64) {
    let own = &rows.items[item];
    match own.what {
        What::Label => wish(rows, item, &rows.below[item]),
        What::Rise => (own.x, FAINT),
        What::Bend | What::Box => (own.x, 1.0),
    }
}

/// Where an item wishes to lie, and how much.
fn wish(rows: &Rows, item: usize, near: &[usize]) -> (f64, f64) {
    let own = &rows.items[item];
    if near.is_empty() {
        return match own.beside {
            Some(partner) => (beside(rows, item, partner), FAINT),
            None => (own.x, if own.what == What::Box { 0.5 } else { 0.1 }),
        };
    }
    let mean = near.iter().map(|near| rows.items[*near].x).sum::<f64>() / near.len() as f64;
    let is_passing = own.what == What::Bend && near.iter().all(|near| rows.items[*near].what == What::Bend);
    let weight = match own.what {
        What::Rise => FAINT,
        // A way that continues makes room for what leads to the next box.
        What::Label if rows.below[item].iter().all(|below| rows.items[*below].what != What::Box) => 0.01,
        What::Bend if is_passing => 4.0,
        _ => near.len() as f64,
    };
    (mean, weight)
}

/// Close to a partner, on the side where it is.
fn beside(rows: &Rows, item: usize, partner: usize) -> f64 {
    let (own, partner) = (&rows.items[item], &rows.items[partner]);
    let apart = apart(own, partner);
    if own.x < partner.x { partner.x - apart } else { partner.x + apart }
}

/// So far an arrow that passes moves to meet a box straight.
const NEAR: f64 = 14.0;

/// Takes small steps out of arrows that pass several rows.
fn straighten(rows: &mut Rows) {
    let mut at = vec![0; rows.items.len()];
    for row in &rows.rows {
        for (place, item) in row.iter().enumerate() {
            at[*item] = place;
        }
    }
    let mut chains: Vec<Vec<usize>> =
        rows.chains.iter().flat_map(|chain| [chain.down.clone(), chain.up.clone()]).collect();
    // The outer ones make room for the inner ones.
    let reach = |chain: &[usize]| chain.iter().map(|item| rows.items[*item].x.abs()).fold(0.0, f64::max);
    chains.arrange_by(|left, right| reach(right).total_cmp(&reach(left)));
    for chain in chains {
        let mut from = 0;
        while from < chain.len() {
            from = straighten_run(rows, &chain, from, &at);
        }
    }
}

/// Puts as many items of a chain as can be below one another; answers where the next ones begin.
fn straighten_run(rows: &mut Rows, chain: &[usize], from: usize, at: &[usize]) -> usize {
    let is_box = |rows: &Rows, item: usize| rows.items[item].what == What::Box;
    let (mut low, mut high, mut end, mut sum) = (f64::NEG_INFINITY, f64::INFINITY, from, 0.0);
    while let Some(item) = chain.get(end).copied().filter(|item| !is_box(rows, *item)) {
        let room = between(rows, item, at[item]);
        if room.0.max(low) > room.1.min(high) {
            break;
        }
        (low, high) = (room.0.max(low), room.1.min(high));
        sum += rows.items[item].x;
        end += 1;
    }
    if end == from {
        return from + 1;
    }
    let mean = (sum / (end - from) as f64).clamp(low, high);
    let x = chain.get(end).filter(|item| is_box(rows, **item)).map(|item| rows.items[*item].x);
    let x = x.filter(|x| (low..=high).contains(x) && (x - mean).abs() < NEAR).unwrap_or(mean);
    for item in &chain[from..end] {
        rows.items[*item].x = x;
    }
    end
}

/// Returns how far an item can move between its neighbours.
fn between(rows: &Rows, item: usize, at: usize) -> (f64, f64) {
    let (row, own) = (&rows.rows[rows.items[item].row], &rows.items[item]);
    let left = at.checked_sub(1).and_then(|at| row.get(at)).map(|left| &rows.items[*left]);
    let right = row.get(at + 1).map(|right| &rows.items[*right]);
    let low = left.map_or(f64::NEG_INFINITY, |left| left.x + apart(left, own));
    let high = right.map_or(f64::INFINITY, |right| right.x - apart(own, right));
    (low.min(own.x), high.max(own.x))
}
