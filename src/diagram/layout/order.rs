//! The order of the items in each row, so that few arrows cross: each row is sorted by where the
//! neighbours of its items lie, downwards and upwards in turn, and the best order seen is kept.

use crate::diagram::layout::rows::{Rows, What};
use crate::gather::Arrange;

/// Sweeps over all rows, at most and at least.
const SWEEPS: (usize, usize) = (2, 24);
/// Items times sweeps, about, at most.
const EFFORT: usize = 60_000;

pub(super) fn sort(rows: &mut Rows) {
    begin(rows);
    let mut place = vec![0.0; rows.items.len()];
    note(rows, &mut place);
    let mut best = rows.rows.clone();
    let mut fewest = crossings(rows, &place);
    let sweeps = (EFFORT / rows.items.len().max(1)).clamp(SWEEPS.0, SWEEPS.1);
    for sweep in 0..sweeps {
        let is_down = sweep % 2 == 0;
        let count = rows.rows.len();
        for step in 0..count {
            let row = if is_down { step } else { count - 1 - step };
            sort_row(rows, row, is_down, &mut place);
        }
        let crossings = crossings(rows, &place);
        if crossings < fewest {
            fewest = crossings;
            best.clone_from(&rows.rows);
        }
        if fewest == 0 {
            break;
        }
    }
    rows.rows = best;
}

/// The first order: depth first, so that a branch's ways lie in the order of its arms.
fn begin(rows: &mut Rows) {
    let mut beside = vec![Vec::new(); rows.items.len()];
    for (place, item) in rows.items.iter().enumerate() {
        if let Some(partner) = item.beside {
            beside[partner].push(place);
        }
    }
    let mut is_in = vec![false; rows.items.len()];
    let mut first: Vec<usize> = (0..rows.items.len()).collect();
    first.arrange_by_key(|item| !rows.above[*item].is_empty());
    for root in first {
        let mut stack = vec![root];
        while let Some(item) = stack.pop() {
            if !std::mem::replace(&mut is_in[item], true) {
                rows.rows[rows.items[item].row].push(item);
                stack.extend(beside[item].iter().rev());
                // Ways that turn up come last, on the side where they rise.
                let (turning, onwards): (Vec<usize>, Vec<usize>) =
                    rows.below[item].iter().rev().partition(|below| {
                        rows.below[**below].is_empty() && rows.items[**below].what == What::Label
                    });
                stack.extend(turning);
                stack.extend(onwards);
            }
        }
    }
}

fn note(rows: &Rows, place: &mut [f64]) {
    for row in &rows.rows {
        for (at, item) in row.iter().enumerate() {
            place[*item] = at as f64;
        }
    }
}

fn sort_row(rows: &mut Rows, row: usize, is_down: bool, place: &mut [f64]) {
    let neighbours = if is_down { &rows.above } else { &rows.below };
    let mean = |item: usize| {
        let near = &neighbours[item];
        (!near.is_empty()).then(|| near.iter().map(|item| place[*item]).sum::<f64>() / near.len() as f64)
    };
    let wanted = |item: usize| match (mean(item), rows.items[item].beside) {
        (Some(mean), _) => mean,
        (None, Some(partner)) => mean(partner).unwrap_or(place[partner]) + 0.01,
        (None, None) => place[item],
    };
    let mut sorted: Vec<(f64, usize)> = rows.rows[row].iter().map(|item| (wanted(*item), *item)).collect();
    sorted.arrange_by(|left, right| left.0.total_cmp(&right.0));
    for (at, (_, item)) in sorted.iter().enumerate() {
        place[*item] = at as f64;
        rows.rows[row][at] = *item;
    }
}

/// Returns the number of arrows that cross between rows.
fn crossings(rows: &Rows, place: &[f64]) -> usize {
    let mut crossings = 0;
    for pair in rows.rows.windows(2) {
        let mut ends: Vec<usize> = Vec::new();
        for item in &pair[0] {
            let mut below: Vec<usize> = rows.below[*item].iter().map(|item| place[*item] as usize).collect();
            below.sort_unstable();
            ends.extend(below);
        }
        crossings += inversions(&ends, pair[1].len());
    }
    crossings
}

/// Returns the number of pairs that are in the wrong order, counted with a binary indexed tree.
fn inversions(ends: &[usize], most: usize) -> usize {
    let mut tree = vec![0_usize; most + 1];
    let mut inversions = 0;
    for (before, end) in ends.iter().enumerate() {
        let (mut up_to, mut at) = (0, end + 1);
        while at > 0 {
            up_to += tree[at];
            at &= at - 1;
        }
        inversions += before - up_to;
        at = end + 1;
        while at <= most {
            tree[at] += 1;
            at += at & at.wrapping_neg();
        }
    }
    inversions
}
