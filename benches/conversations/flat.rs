//! P4: what a call costs does not depend on how many turns a session had or how many sessions there
//! are.

use std::sync::Arc;

use chatflow::testkit::ManualClock;
use chatflow::{Engine, MemoryStore};

use crate::cart::{OnCrate, now};
use crate::measure::timed;
use crate::median::median;
use crate::script::{Counter, FLOW, Sink, script};

const PASSES: usize = 9;

pub(crate) fn run() {
    turns();
    let small = bot_with(1_000);
    let large = bot_with(1_000_000);
    sessions(&small, &large);
    ticks(&small.0, "1,000");
    ticks(&large.0, "1,000,000");
}

/// Many sessions at the same turn, so that one turn can be timed.
fn turns() {
    const CONTACTS: u64 = 2_000;
    let mut at = Vec::new();
    for _ in 0..5 {
        let bot = OnCrate::new();
        (0..CONTACTS).for_each(|contact| bot.begin(script(contact)));
        let mut times = [0_u64; 2];
        for turn in 1..=405_u64 {
            let time = timed(|| (0..CONTACTS).for_each(|contact| hello(&bot, contact, turn.to_string())));
            match turn {
                2..=6 => times[0] += time,
                401..=405 => times[1] += time,
                _ => {}
            }
        }
        at.push(times[1] as f64 / times[0] as f64);
    }
    let (ratio, spread) = median(at);
    println!("P4: turn 400 costs {ratio:.2} times turn 1 (spread {spread:.0} %)");
}

fn hello(bot: &OnCrate, contact: u64, id: String) {
    let [phone, ..] = script(contact).phone;
    bot.reply(phone, "hello".to_owned(), id);
}

fn bot_with(live: u64) -> (OnCrate, ManualClock, u64) {
    let clock = ManualClock::default();
    let counter = Arc::new(Counter::default());
    let engine = Engine::builder(MemoryStore::new())
        .transport(Sink(Arc::clone(&counter)))
        .clock(clock.clone())
        .build();
    now(engine.flows().ensure(FLOW)).expect("the flow is right");
    let bot = OnCrate { engine, counter };
    (0..live).for_each(|contact| bot.begin(script(contact)));
    (bot, clock, live)
}

fn sessions(small: &(OnCrate, ManualClock, u64), large: &(OnCrate, ManualClock, u64)) {
    const CALLS: u64 = 20_000;
    let mut ratios = Vec::new();
    let mut round = 0_u64;
    for _ in 0..PASSES {
        let mut time = |(bot, _, live): &(OnCrate, ManualClock, u64)| {
            round += 1;
            timed(|| {
                for call in 0..CALLS {
                    let contact = call.wrapping_mul(7_919_777) % live;
                    hello(bot, contact, format!("{round}.{call}"));
                }
            })
        };
        let (of_small, of_large) = (time(small), time(large));
        ratios.push(of_large as f64 / of_small as f64);
    }
    let (ratio, spread) = median(ratios);
    println!(
        "P4: a call among 1,000,000 live sessions costs {ratio:.2} times one among 1,000 (spread {spread:.0} %)"
    );
}

fn ticks(bot: &OnCrate, live: &str) {
    let _ = now(bot.engine.tick(100)).expect("it ticks");
    const TICKS: u64 = 1_000;
    let mut costs = Vec::new();
    for _ in 0..PASSES {
        let time = timed(|| {
            for _ in 0..TICKS {
                let ticked = now(bot.engine.tick(100)).expect("it ticks");
                assert_eq!(ticked.worked, 0, "nothing is due");
            }
        });
        costs.push(time as f64 / TICKS as f64 / 1_000.0);
    }
    let (cost, spread) = median(costs);
    println!(
        "P4: a tick with nothing due among {live} live sessions costs {cost:.2} us (spread {spread:.0} %)"
    );
}

/// Turns 2 to 6 of some sessions, for a count of instructions: `--toggle-collect='*five_turns*'`.
pub(crate) fn count_early_turns() {
    count_turns(1);
}

/// Turns 401 to 405 of the same.
pub(crate) fn count_late_turns() {
    count_turns(400);
}

fn count_turns(before: u64) {
    let bot = OnCrate::new();
    (0..COUNTED).for_each(|contact| bot.begin(script(contact)));
    for turn in 1..=before {
        (0..COUNTED).for_each(|contact| hello(&bot, contact, turn.to_string()));
    }
    five_turns(&bot, before);
    println!("5 turns of {COUNTED} sessions after {before}");
}

#[inline(never)]
fn five_turns(bot: &OnCrate, before: u64) {
    for turn in before + 1..=before + 5 {
        (0..COUNTED).for_each(|contact| hello(bot, contact, turn.to_string()));
    }
}

const COUNTED: u64 = 100;
