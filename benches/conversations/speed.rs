//! P1: conversations per CPU-second, and allocations per call.

use crate::cart::{ByHand, OnCrate};
use crate::measure::{allocations, timed};
use crate::median::median;
use crate::script::{Script, said, script, scripts};

const CONTACTS: u64 = 10_000;
const PASSES: usize = 9;

pub(crate) fn run() {
    println!("P1: {CONTACTS} contacts a pass, {PASSES} passes, medians (spread)");
    measure("nothing else live", 0);
    measure("100,000 sessions live", 100_000);
}

fn measure(what: &str, live: u64) {
    let mut on_crate = Vec::new();
    let mut by_hand = Vec::new();
    let mut ratios = Vec::new();
    let mut per_call = [0; 3];
    for _ in 0..PASSES {
        let bot = OnCrate::new();
        let mut hand = ByHand::default();
        scripts(10_000_000..10_000_000 + live).into_iter().for_each(|script| bot.begin(script));
        scripts(10_000_000..10_000_000 + live).into_iter().for_each(|script| hand.begin(script));
        let (for_hand, for_bot) = (scripts(0..CONTACTS), scripts(0..CONTACTS));
        let hand_time = timed(|| for_hand.into_iter().for_each(|script| hand.converse(script)));
        let crate_time = timed(|| for_bot.into_iter().for_each(|script| bot.converse(script)));
        assert_eq!(bot.counter.total(), hand.counter.total(), "both say the same");
        assert_eq!(bot.counter.total().0, CONTACTS * 3 + live, "three messages a conversation");
        on_crate.push(CONTACTS as f64 / crate_time as f64 * 1e9);
        by_hand.push(CONTACTS as f64 / hand_time as f64 * 1e9);
        ratios.push(hand_time as f64 / crate_time as f64);
        per_call = allocations_per_call(&bot);
    }
    let (speed, speed_spread) = median(on_crate);
    let (hand, hand_spread) = median(by_hand);
    let (ratio, _) = median(ratios);
    println!("  {what}");
    println!("    by hand   {hand:>9.0} conversations per CPU-second ({hand_spread:.0} %)");
    println!("    chatflow  {speed:>9.0} conversations per CPU-second ({speed_spread:.0} %)");
    println!("    ratio     {:>8.0} %", ratio * 100.0);
    println!("    allocations: trigger {}, reply {}, last reply {}", per_call[0], per_call[1], per_call[2]);
}

fn allocations_per_call(bot: &OnCrate) -> [u64; 3] {
    const CONTACT: u64 = 90_000_001;
    let Script { phone: [first, second, third], context, key, ids: [id, last_id], texts: [text, last_text] } =
        script(CONTACT);
    let start = allocations();
    bot.trigger(first, context, key);
    let triggered = allocations();
    bot.reply(second, text, id);
    let replied = allocations();
    bot.reply(third, last_text, last_id);
    [triggered - start, replied - triggered, allocations() - replied]
}

const COUNTED: u64 = 3_000;

/// A few conversations of each, to see that both still say the same.
pub(crate) fn smoke() {
    let bot = OnCrate::new();
    let mut hand = ByHand::default();
    scripts(0..50).into_iter().for_each(|script| bot.converse(script));
    scripts(0..50).into_iter().for_each(|script| hand.converse(script));
    assert_eq!(bot.counter.total(), hand.counter.total(), "both say the same");
    assert_eq!(bot.counter.total(), said(0..50), "and say what they should");
    println!("50 conversations, {} messages, the same on both", bot.counter.total().0);
}

/// The crate alone, for a count of instructions.
pub(crate) fn count_crate() {
    let bot = OnCrate::new();
    scripts(0..COUNTED).into_iter().for_each(|script| bot.converse(script));
    println!("{COUNTED} conversations on the crate");
}

/// The hand-written one alone, for a count of instructions.
pub(crate) fn count_by_hand() {
    let mut hand = ByHand::default();
    scripts(0..COUNTED).into_iter().for_each(|script| hand.converse(script));
    println!("{COUNTED} conversations by hand");
}
