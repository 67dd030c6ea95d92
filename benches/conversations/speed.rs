//! P1: conversations per CPU-second.

use crate::cart::OnCrate;
use crate::lean::Lean;
use crate::measure::timed;
use crate::median::median;
use crate::plain::Plain;
use crate::script::{said, scripts};

const CONTACTS: u64 = 10_000;
const PASSES: usize = 9;

pub(crate) fn run() {
    println!("P1: {CONTACTS} contacts a pass, {PASSES} passes, medians (spread)");
    measure("nothing else live", 0);
    measure("100,000 sessions live", 100_000);
}

/// The figures of each pass.
#[derive(Default)]
struct Passes {
    plain: Vec<f64>,
    lean: Vec<f64>,
    on_crate: Vec<f64>,
    /// The share of its speed that the crate has, in percent.
    of_plain: Vec<f64>,
    of_lean: Vec<f64>,
}

fn measure(what: &str, live: u64) {
    let mut passes = Passes::default();
    for _ in 0..PASSES {
        passes.add(live);
    }
    println!("  {what}");
    for (name, speeds) in [("plain", passes.plain), ("lean", passes.lean), ("chatflow", passes.on_crate)] {
        let (speed, spread) = median(speeds);
        println!("    {name:<9} {speed:>9.0} conversations per CPU-second ({spread:.0} %)");
    }
    for (name, shares) in [("of lean", passes.of_lean), ("of plain", passes.of_plain)] {
        let (share, spread) = median(shares);
        println!("    {name:<9} {share:>9.0} % ({spread:.0} %)");
    }
}

impl Passes {
    /// One pass of each, one after the other, so that what else the machine does meets all of them.
    fn add(&mut self, live: u64) {
        let (on_crate, lean, mut plain) = (OnCrate::new(), Lean::default(), Plain::default());
        let others = || scripts(10_000_000..10_000_000 + live).into_iter();
        others().for_each(|script| on_crate.begin(script));
        others().for_each(|script| lean.begin(script));
        others().for_each(|script| plain.begin(script));
        let (for_plain, for_lean, for_crate) =
            (scripts(0..CONTACTS), scripts(0..CONTACTS), scripts(0..CONTACTS));
        let plain_time = timed(|| for_plain.into_iter().for_each(|script| plain.converse(script))) as f64;
        let lean_time = timed(|| for_lean.into_iter().for_each(|script| lean.converse(script))) as f64;
        let crate_time = timed(|| for_crate.into_iter().for_each(|script| on_crate.converse(script))) as f64;
        let total = on_crate.counter.total();
        assert_eq!(total, plain.counter.total(), "all say the same");
        assert_eq!(total, lean.counter.total(), "all say the same");
        assert_eq!(total.0, CONTACTS * 3 + live, "three messages a conversation");
        let speed = |time: f64| CONTACTS as f64 / time * 1e9;
        self.plain.push(speed(plain_time));
        self.lean.push(speed(lean_time));
        self.on_crate.push(speed(crate_time));
        self.of_plain.push(plain_time / crate_time * 100.0);
        self.of_lean.push(lean_time / crate_time * 100.0);
    }
}

/// A few conversations of each, to see that all still say the same, and that the lean one keeps its
/// promises.
pub(crate) fn smoke() {
    const CONVERSATIONS: usize = 50;
    let contacts = 0..CONVERSATIONS as u64;
    let (on_crate, lean, mut plain) = (OnCrate::new(), Lean::default(), Plain::default());
    scripts(contacts.clone()).into_iter().for_each(|script| on_crate.converse(script));
    scripts(contacts.clone()).into_iter().for_each(|script| lean.converse(script));
    scripts(contacts.clone()).into_iter().for_each(|script| plain.converse(script));
    let expected = said(contacts);
    for counter in [&on_crate.counter, &lean.counter, &plain.counter] {
        assert_eq!(counter.total(), expected, "all say what they should");
    }
    lean.prove(CONVERSATIONS);
    println!("{CONVERSATIONS} conversations, {} messages, the same on all", expected.0);
}
