//! Simulates engines on one store, seed after seed, and looks for a rule that is broken.
//!
//! ```sh
//! cargo run --release --example simulate -- --seeds 100000 --jobs 2
//! cargo run --release --example simulate -- --planted 40
//! cargo run --release --example simulate -- --seed 17 --steps 120 --faults crash=50
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program's output")]
#![allow(clippy::disallowed_methods, reason = "it tells how long it takes")]

mod args;

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use args::{Args, Asked};
use chatflow::MemoryStore;
use chatflow::testkit::store_suite::{Flaw, Flawed};
use chatflow::testkit::{Defect, Sim, SimFailure, SimFault, SimFaults, SimPlan};

fn main() -> ExitCode {
    let args = match args::read(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    // A run that panics is told as a violation; the panic itself is noise.
    std::panic::set_hook(Box::new(|_| {}));
    let ok = match args.asked {
        Asked::Many => many(&args),
        Asked::One => one(&args.plan),
        Asked::Planted(seeds) => planted(&args, seeds),
    };
    ExitCode::from(u8::from(!ok))
}

/// One run, told in full.
fn one(plan: &SimPlan) -> bool {
    match Sim::new(MemoryStore::new).plan(plan.clone()).run() {
        Ok(()) => {
            println!("no violation: {plan}");
            true
        }
        Err(failure) => {
            println!("VIOLATION {failure}");
            false
        }
    }
}

/// The state that all threads share.
struct Shared {
    next: AtomicU64,
    done: AtomicU64,
    is_over: AtomicBool,
    failures: Mutex<Vec<SimFailure>>,
}

/// So many seeds, on so many threads.
fn many(args: &Args) -> bool {
    let shared = Arc::new(Shared {
        next: AtomicU64::new(args.plan.seed),
        done: AtomicU64::new(0),
        is_over: AtomicBool::new(false),
        failures: Mutex::default(),
    });
    let (begin, last) = (Instant::now(), args.plan.seed + args.seeds);
    let threads: Vec<_> = (0..args.jobs)
        .map(|_| {
            let (shared, plan) = (Arc::clone(&shared), args.plan.clone());
            std::thread::spawn(move || work(&shared, &plan, last))
        })
        .collect();
    let progress = {
        let (shared, seeds) = (Arc::clone(&shared), args.seeds);
        std::thread::spawn(move || tell(&shared, seeds, begin))
    };
    for thread in threads {
        let _ = thread.join();
    }
    shared.is_over.store(true, Ordering::Relaxed);
    let _ = progress.join();
    let failures = shared.failures.lock().unwrap_or_else(PoisonError::into_inner);
    let (done, took) = (shared.done.load(Ordering::Relaxed), begin.elapsed().as_secs_f64());
    println!(
        "{done} schedules of {} steps, {} engines, {} contacts in {took:.0} s ({:.0} a second): {} violations",
        args.plan.steps,
        args.plan.engines,
        args.plan.contacts,
        done as f64 / took.max(0.001),
        failures.len()
    );
    failures.is_empty()
}

fn work(shared: &Shared, plan: &SimPlan, last: u64) {
    const MOST: usize = 10;
    loop {
        let seed = shared.next.fetch_add(1, Ordering::Relaxed);
        let is_full = shared.failures.lock().unwrap_or_else(PoisonError::into_inner).len() >= MOST;
        if seed >= last || is_full {
            return;
        }
        if let Err(failure) = Sim::new(MemoryStore::new).plan(plan.clone()).seed(seed).run() {
            println!("VIOLATION {failure}");
            shared.failures.lock().unwrap_or_else(PoisonError::into_inner).push(*failure);
        }
        shared.done.fetch_add(1, Ordering::Relaxed);
    }
}

/// Progress, rate and the time that is left, on standard error.
fn tell(shared: &Shared, seeds: u64, begin: Instant) {
    let (at_a_terminal, mut told) = (std::io::stderr().is_terminal(), Instant::now());
    while !shared.is_over.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(100));
        let pause = if at_a_terminal { 1 } else { 30 };
        if told.elapsed() < Duration::from_secs(pause) {
            continue;
        }
        told = Instant::now();
        let done = shared.done.load(Ordering::Relaxed);
        let rate = done as f64 / begin.elapsed().as_secs_f64().max(0.001);
        let left = (seeds.saturating_sub(done)) as f64 / rate.max(0.001);
        let end = if at_a_terminal { "\r" } else { "\n" };
        eprint!("{done} of {seeds}, {rate:.0} a second, {:.0} min left   {end}", left / 60.0);
        let _ = std::io::stderr().flush();
    }
}

/// The weathers in which a defect is looked for: each shows what others hide.
fn weathers(plan: &SimPlan) -> [(&'static str, SimPlan); 8] {
    let weather = |contacts: usize, faults: &[(SimFault, u32)]| {
        let mut plan = plan.clone();
        plan.contacts = contacts;
        plan.faults =
            faults.iter().fold(SimFaults::none(), |faults, (fault, weight)| faults.weigh(*fault, *weight));
        plan
    };
    let mut crowd = plan.clone();
    crowd.contacts = 1;
    let people = [
        (SimFault::SecondAddress, 500),
        (SimFault::ReceiptNames, 200),
        (SimFault::Relink, 100),
        (SimFault::Unlink, 100),
        (SimFault::Merge, 50),
    ];
    let operators = [
        (SimFault::Erase, 250),
        (SimFault::Publish, 250),
        (SimFault::RollBack, 250),
        (SimFault::Unpublish, 250),
        (SimFault::Migrate, 250),
    ];
    let lost = [(SimFault::StoreLost, 25), (SimFault::StoreLosesAnswer, 25)];
    let burst = [&lost[..], &[(SimFault::Burst, 1_000), (SimFault::DropFuture, 100)]].concat();
    let builds = [(SimFault::Crash, 500), (SimFault::SmallLimits, 300), (SimFault::EditedFlows, 300)];
    let panics = [(SimFault::ChannelPanics, 300), (SimFault::CallPanics, 300), (SimFault::CallSlow, 300)];
    [
        ("usual", plan.clone()),
        ("crowd", crowd),
        ("calm", weather(1, &[])),
        ("people", weather(2, &people)),
        ("operators", weather(2, &operators)),
        ("burst", weather(1, &burst)),
        ("builds", weather(2, &builds)),
        ("panics", weather(2, &panics)),
    ]
}

/// The number of seeds that find a defect, and the weathers in which they did.
fn count(args: &Args, seeds: u64, fails: impl Fn(SimPlan) -> bool) -> (usize, String) {
    let (mut found, mut where_found) = (0, BTreeSet::new());
    for seed in 0..seeds {
        let plans = weathers(&args.plan).into_iter();
        let by = plans.filter(|(_, plan)| fails(plan.clone().with_seed(seed))).map(|(name, _)| name);
        let by: Vec<&str> = by.collect();
        found += usize::from(!by.is_empty());
        where_found.extend(by);
    }
    (found, where_found.into_iter().collect::<Vec<_>>().join(", "))
}

/// Every planted defect, with the number of seeds that find it: false if a defect of what lies
/// between engine and world is not found. Flaws of stores that no schedule shows are for
/// `store_suite!`.
fn planted(args: &Args, seeds: u64) -> bool {
    let tell = |name: &str, (found, by): (usize, String)| {
        println!("{found:>5} of {seeds} seeds find {name}: {by}");
        found > 0
    };
    let (mut missed, mut left) = (Vec::new(), Vec::new());
    for defect in Defect::ALL {
        let fails = |plan| Sim::new(MemoryStore::new).plan(plan).plant(defect).fails().is_some();
        let name = format!("{defect:?}");
        if !tell(&name, count(args, seeds, fails)) {
            missed.push(name);
        }
    }
    for flaw in Flaw::ALL {
        let fails = |plan| {
            let sim = Sim::new(|| Flawed::new(MemoryStore::new(), flaw)).plan(plan);
            sim.fails().is_some()
        };
        let name = format!("{flaw:?}");
        if !tell(&format!("store: {name}"), count(args, seeds, fails)) {
            left.push(name);
        }
    }
    let all = Defect::ALL.len() + Flaw::ALL.len();
    println!("{} of {all} planted defects are found", all - missed.len() - left.len());
    println!("left to `store_suite!`: {}", left.join(", "));
    if !missed.is_empty() {
        println!("MISSED {}", missed.join(", "));
    }
    missed.is_empty()
}
