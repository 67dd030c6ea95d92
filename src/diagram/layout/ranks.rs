//! The row of each box: below all that lead to it, but for the arrows that close a loop.

use crate::diagram::layout::LayoutLink;
use crate::gather::Arrange;

/// The rank of each box, from 0 at the top.
pub(super) fn of(boxes: usize, links: &[LayoutLink]) -> Vec<usize> {
    let mut outs = vec![Vec::new(); boxes];
    for (place, link) in links.iter().enumerate().filter(|(_, link)| link.from != link.to) {
        outs[link.from].push(place);
    }
    for out in &mut outs {
        out.arrange_by_key(|link| links[*link].is_loose);
    }
    let (kept, finished) = walk(boxes, links, &outs);
    let mut ranks = vec![0; boxes];
    for node in finished.iter().rev() {
        for link in outs[*node].iter().filter(|link| kept[**link]) {
            let to = links[*link].to;
            ranks[to] = ranks[to].max(ranks[*node] + 1);
        }
    }
    sink_roots(&mut ranks, links, &kept);
    ranks
}

/// Walks depth first; answers which links close no loop, and the boxes in the order in which they
/// were done with.
fn walk(boxes: usize, links: &[LayoutLink], outs: &[Vec<usize>]) -> (Vec<bool>, Vec<usize>) {
    #[derive(Clone, Copy, PartialEq)]
    enum VisitState {
        Never,
        Open,
        Done,
    }
    let mut seen = vec![VisitState::Never; boxes];
    let mut kept = vec![false; links.len()];
    let mut finished = Vec::with_capacity(boxes);
    let mut led_to = vec![false; boxes];
    for link in links.iter().filter(|link| link.from != link.to) {
        led_to[link.to] = true;
    }
    let roots = (0..boxes).filter(|node| !led_to[*node]).chain(0..boxes);
    for root in roots {
        if seen[root] != VisitState::Never {
            continue;
        }
        seen[root] = VisitState::Open;
        let mut stack = vec![(root, 0)];
        while let Some((node, next)) = stack.last_mut() {
            let Some(link) = outs[*node].get(*next).copied() else {
                seen[*node] = VisitState::Done;
                finished.push(*node);
                stack.pop();
                continue;
            };
            *next += 1;
            let to = links[link].to;
            kept[link] = seen[to] != VisitState::Open;
            if seen[to] == VisitState::Never {
                seen[to] = VisitState::Open;
                stack.push((to, 0));
            }
        }
    }
    (kept, finished)
}

/// A box that nothing leads to goes right above the first one that it leads to.
fn sink_roots(ranks: &mut [usize], links: &[LayoutLink], kept: &[bool]) {
    let mut led_to = vec![false; ranks.len()];
    let mut above = vec![usize::MAX; ranks.len()];
    for (link, _) in links.iter().zip(kept).filter(|(_, kept)| **kept) {
        led_to[link.to] = true;
        above[link.from] = above[link.from].min(ranks[link.to]);
    }
    for (node, rank) in ranks.iter_mut().enumerate() {
        if !led_to[node] && above[node] != usize::MAX {
            *rank = above[node].saturating_sub(1);
        }
    }
}
