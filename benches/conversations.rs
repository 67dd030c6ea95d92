//! The abandoned cart, in memory, beside the same conversation written by hand in the same run: speed (P1),
//! flatness (P4), memory (P5), compiling (P6). Prints medians of several passes and the spread of them.
//! `cargo bench --bench conversations [speed|flat|memory|compile]`. `count-crate` and `count-hand` run a few thousand
//! conversations and nothing else, for `valgrind --tool=callgrind`; `smoke` checks that both say the same.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a benchmark prints, and stops when it is wrong"
)]

#[path = "conversations/cart.rs"]
mod cart;
#[path = "conversations/compile.rs"]
mod compile;
#[path = "conversations/flat.rs"]
mod flat;
#[path = "conversations/measure.rs"]
mod measure;
#[path = "conversations/memory.rs"]
mod memory;
#[path = "conversations/speed.rs"]
mod speed;

#[global_allocator]
static ALLOCATOR: measure::Counting = measure::Counting;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let all = wanted.is_empty();
    let mut ran = false;
    let runs = [
        ("speed", speed::run as fn()),
        ("flat", flat::run),
        ("memory", memory::run),
        ("compile", compile::run),
        ("count-crate", speed::count_crate),
        ("count-hand", speed::count_by_hand),
        ("count-early-turns", flat::count_early_turns),
        ("count-late-turns", flat::count_late_turns),
        ("smoke", speed::smoke),
    ];
    for (name, run) in runs {
        if wanted.iter().any(|arg| arg == name) || (all && !name.starts_with("count") && name != "smoke") {
            run();
            ran = true;
        }
    }
    assert!(ran, "nothing is called {wanted:?}: speed, flat, memory, compile");
}
