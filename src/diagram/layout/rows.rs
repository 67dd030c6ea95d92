//! The contents of each row: boxes, the labels of arrows in rows of their own, and the places where
//! arrows pass by. An arrow that goes up leaves its box downwards, turns, passes its rows beside
//! the boxes, and turns into its target from above; those to one box do so together. An arrow that
//! would pass too many rows goes around all of them, in a lane at the right.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagram::layout::{LayoutLink, Size};
use crate::gather::{Arrange, Gather};

/// Places where arrows pass, at most: beyond that the longest go around.
const MOST_BENDS: usize = 6_000;
/// Rows that an arrow passes, at most.
const LONGEST: usize = 60;
/// The room for an arrow that passes.
const BEND: f64 = 12.0;

/// Something that has its place in a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) row: usize,
    pub(super) what: What,
    pub(super) size: Size,
    /// Its middle.
    pub(super) x: f64,
    /// The item of the same row that it is to stay close to.
    pub(super) beside: Option<usize>,
    /// True if it is on the way that runs straight down; at most one is in a row.
    pub(super) is_main: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Box,
    /// The label of an arrow.
    Label,
    /// An arrow that passes downwards.
    Bend,
    /// Arrows that pass upwards, all to one box.
    Rise,
}

/// The items that an arrow goes by.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// From its box downwards, each in the row below the one before.
    pub(super) down: Vec<usize>,
    /// If it goes up: from where it has turned upwards, each in the row above the one before.
    pub(super) up: Vec<usize>,
    /// True if it goes around in a lane.
    pub(super) is_around: bool,
}

pub(super) struct Rows {
    /// The boxes first, by their numbers.
    pub(super) items: Vec<Item>,
    /// The items of each row, from left to right.
    pub(super) rows: Vec<Vec<usize>>,
    /// For each item those in the row above, and below, that an arrow joins it to.
    pub(super) above: Vec<Vec<usize>>,
    pub(super) below: Vec<Vec<usize>>,
    /// For each arrow.
    pub(super) chains: Vec<Chain>,
}

impl Rows {
    pub(super) fn of(boxes: &[Size], links: &[LayoutLink], ranks: &[usize]) -> Self {
        let most = ranks.iter().max().map_or(0, |rank| rank + 1);
        let mut has_labels = vec![false; most];
        for link in links.iter().filter(|link| link.label.is_some()) {
            has_labels[ranks[link.from]] = true;
        }
        let mut row_of = Vec::with_capacity(most);
        let mut next = 0;
        for has_labels in &has_labels {
            row_of.push(next);
            next += 1 + usize::from(*has_labels);
        }
        let item = |(size, rank): (&Size, &usize)| Item {
            row: row_of[*rank],
            what: What::Box,
            size: *size,
            x: 0.0,
            beside: None,
            is_main: false,
        };
        let mut rows = Self {
            items: boxes.iter().zip(ranks).map(item).collect(),
            rows: vec![Vec::new(); next],
            above: vec![Vec::new(); boxes.len()],
            below: vec![Vec::new(); boxes.len()],
            chains: Vec::with_capacity(links.len()),
        };
        let around = rows.around(links);
        for (link, is_around) in links.iter().zip(around) {
            let chain = rows.chain(link, is_around);
            rows.chains.push(chain);
        }
        rows.rise(links);
        rows.mark_main(links);
        rows
    }

    /// Marks the items of the main way, from its first box as far as it goes down.
    fn mark_main(&mut self, links: &[LayoutLink]) {
        let onwards: BTreeMap<usize, usize> = links
            .iter()
            .enumerate()
            .filter(|(_, link)| link.is_main)
            .map(|(place, link)| (link.from, place))
            .gather();
        let led_to: BTreeSet<usize> = onwards.values().map(|link| links[*link].to).gather();
        let mut at = onwards.keys().copied().find(|from| !led_to.contains(from));
        while let Some(from) = at {
            self.items[from].is_main = true;
            let next = onwards.get(&from).copied().filter(|link| {
                let chain = &self.chains[*link];
                !chain.is_around && self.items[links[*link].to].row > self.items[from].row
            });
            for item in next.iter().flat_map(|link| &self.chains[*link].down) {
                self.items[*item].is_main = true;
            }
            at = next.map(|link| links[link].to);
        }
    }

    /// True for each link that goes around: those that pass too many rows, and the longest of all
    /// if they are too many together.
    fn around(&self, links: &[LayoutLink]) -> Vec<bool> {
        let passes = |link: &LayoutLink| self.items[link.from].row.abs_diff(self.items[link.to].row);
        let mut by_length: Vec<usize> = (0..links.len()).collect();
        by_length.arrange_by_key(|link| passes(&links[*link]));
        let mut around = vec![false; links.len()];
        let mut bends = 0;
        for link in by_length {
            bends += passes(&links[link]);
            around[link] = passes(&links[link]) > LONGEST || bends > MOST_BENDS;
        }
        around
    }

    /// The way of an arrow, as far as it goes down.
    fn chain(&mut self, link: &LayoutLink, is_around: bool) -> Chain {
        let (from, to) = (self.items[link.from].row, self.items[link.to].row);
        let mut down = vec![link.from];
        let mut last = link.from;
        if let Some(size) = link.label {
            last = self.put(from + 1, What::Label, size);
            self.join(link.from, last);
            down.push(last);
        }
        if !is_around {
            for row in self.items[last].row + 1..=to {
                let item = if row == to { link.to } else { self.bend(row, What::Bend) };
                self.join(last, item);
                down.push(item);
                last = item;
            }
        }
        Chain { down, up: Vec::new(), is_around }
    }

    /// The ways up: one for each box that arrows lead up to, joined by each where it turns.
    fn rise(&mut self, links: &[LayoutLink]) {
        let mut lowest: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
        let turns = |chain: &Chain, link: &LayoutLink| {
            let last = chain.down.last().copied().filter(|last| *last != link.to || chain.down.len() == 1);
            last.filter(|_| !chain.is_around)
        };
        for (chain, link) in self.chains.iter().zip(links) {
            if let Some(last) = turns(chain, link) {
                let turn = (self.items[last].row, last);
                let deepest = lowest.entry(link.to).or_insert(turn);
                *deepest = turn.max(*deepest);
            }
        }
        let mut rises = BTreeMap::new();
        for (to, (row, last)) in lowest {
            let top = self.items[to].row;
            let rise: Vec<usize> = (top..=row).map(|row| self.bend(row, What::Rise)).collect();
            for pair in rise.windows(2) {
                self.join(pair[0], pair[1]);
            }
            // Each end stays close to where it comes from, or goes to.
            self.items[rise[rise.len() - 1]].beside = Some(last);
            self.items[rise[0]].beside = Some(to);
            rises.insert(to, rise);
        }
        for (place, link) in links.iter().enumerate() {
            let (Some(last), Some(rise)) = (turns(&self.chains[place], link), rises.get(&link.to)) else {
                continue;
            };
            let far = self.items[last].row - self.items[link.to].row;
            self.chains[place].up = rise[..=far].iter().rev().copied().collect();
        }
    }

    fn bend(&mut self, row: usize, what: What) -> usize {
        self.put(row, what, Size { width: BEND, height: 0.0 })
    }

    fn put(&mut self, row: usize, what: What, size: Size) -> usize {
        self.items.push(Item { row, what, size, x: 0.0, beside: None, is_main: false });
        self.above.push(Vec::new());
        self.below.push(Vec::new());
        self.items.len() - 1
    }

    fn join(&mut self, above: usize, below: usize) {
        self.below[above].push(below);
        self.above[below].push(above);
    }
}
