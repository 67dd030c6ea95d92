//! The gap between two rows: which arrow turns at which height, so that no two lie on one another
//! and few cross.

use crate::gather::Arrange;

/// Something that runs level in a gap, with what comes down to it and what goes down, or up, from
/// it.
#[derive(Clone, Debug, Default)]
pub(super) struct Net {
    /// Where it meets the row above.
    pub(super) upper: Vec<f64>,
    /// Where it meets the row below.
    pub(super) lower: Vec<f64>,
    /// Where it turns into a lane, beyond all rows.
    pub(super) side: Option<f64>,
    /// Its height, from 0 at the top; of no meaning if it runs straight down.
    pub(super) track: usize,
}

/// Nets of one gap that are weighed against each other; more are put in the order they begin.
const MOST_WEIGHED: usize = 80;
/// Closer than this, two upright pieces look like one.
const NEAR: f64 = 5.0;

impl Net {
    pub(super) fn is_straight(&self) -> bool {
        let (low, high) = self.span();
        high - low < 0.5
    }

    fn span(&self) -> (f64, f64) {
        let all = self.upper.iter().chain(&self.lower).chain(&self.side);
        all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)))
    }
}

/// Gives each net its track; answers how many there are.
pub(super) fn assign(nets: &mut [Net]) -> usize {
    for pins in nets.iter_mut().flat_map(|net| [&mut net.upper, &mut net.lower]) {
        pins.arrange_by(f64::total_cmp);
        pins.dedup();
    }
    let spans: Vec<(f64, f64)> = nets.iter().map(Net::span).collect();
    let mut bent: Vec<usize> = (0..nets.len()).filter(|net| !nets[*net].is_straight()).collect();
    bent.arrange_by(|left, right| spans[*left].0.total_cmp(&spans[*right].0));
    if bent.len() > MOST_WEIGHED {
        return pack(nets, &spans, &bent);
    }
    let mut order: Vec<usize> = Vec::with_capacity(bent.len());
    for net in bent {
        // Below all of them; then each one further up, as long as that costs less in sum.
        let (mut cost, mut least, mut at) = (0, 0, order.len());
        for place in (0..order.len()).rev() {
            let other = order[place];
            if spans[net].0 <= spans[other].1 && spans[other].0 <= spans[net].1 {
                cost += over(&nets[net], &nets[other], spans[net], spans[other]);
                cost -= over(&nets[other], &nets[net], spans[other], spans[net]);
            }
            if cost < least {
                (least, at) = (cost, place);
            }
        }
        order.insert(at, net);
    }
    let mut tracks = 0;
    for place in 0..order.len() {
        let (low, high) = spans[order[place]];
        let meets = |other: &&usize| spans[**other].0 <= high + NEAR && low - NEAR <= spans[**other].1;
        let below = order[..place].iter().filter(meets).map(|other| nets[*other].track + 1).max();
        nets[order[place]].track = below.unwrap_or_default();
        tracks = tracks.max(nets[order[place]].track + 1);
    }
    tracks
}

/// The cost of having `high` above `low`: crossings, and much more for pieces that lie on one
/// another.
fn over(high: &Net, low: &Net, high_span: (f64, f64), low_span: (f64, f64)) -> i64 {
    let within =
        |xs: &[f64], span: (f64, f64)| xs.iter().filter(|x| span.0 < **x && **x < span.1).count() as i64;
    let near = |x: &f64| low.upper.iter().any(|other| (x - other).abs() < NEAR);
    let on_one_another = high.lower.iter().filter(|x| near(x)).count() as i64;
    within(&high.lower, low_span) + within(&low.upper, high_span) + 50 * on_one_another
}

/// The first track that is free.
fn pack(nets: &mut [Net], spans: &[(f64, f64)], bent: &[usize]) -> usize {
    let mut ends: Vec<f64> = Vec::new();
    for net in bent {
        let (low, high) = spans[*net];
        let track = ends.iter().position(|end| end + NEAR < low).unwrap_or(ends.len());
        if track == ends.len() {
            ends.push(high);
        } else {
            ends[track] = high;
        }
        nets[*net].track = track;
    }
    ends.len()
}
