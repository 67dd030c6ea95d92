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

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use args::{Args, Asked};
use chatflow::MemoryStore;
use chatflow::testkit::store_suite::{Flaw, Flawed};
use chatflow::testkit::{Defect, Sim, SimFailure, SimPlan};

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

/// Every planted defect, with the number of seeds that find it.
fn planted(args: &Args, seeds: u64) -> bool {
    let (mut found, mut missed) = (BTreeMap::new(), Vec::new());
    let plan = |seed: u64| args.plan.clone().with_seed(seed);
    for defect in Defect::ALL {
        let count = (0..seeds)
            .filter(|seed| Sim::new(MemoryStore::new).plan(plan(*seed)).plant(defect).fails().is_some())
            .count();
        found.insert(format!("{defect:?}"), count);
    }
    for flaw in Flaw::ALL {
        let count = (0..seeds)
            .filter(|seed| {
                let sim = Sim::new(|| Flawed::new(MemoryStore::new(), flaw)).plan(plan(*seed));
                sim.fails().is_some()
            })
            .count();
        found.insert(format!("store: {flaw:?}"), count);
    }
    for (name, count) in &found {
        println!("{count:>5} of {seeds} seeds find {name}");
        if *count == 0 {
            missed.push(name);
        }
    }
    println!("{} of {} planted defects are found", found.len() - missed.len(), found.len());
    true
}
