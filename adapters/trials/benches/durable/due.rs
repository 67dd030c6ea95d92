//! Conversations that are due at once and send nothing: the time that one loop takes to work them,
//! beside the processor time of this process and of the server. While the wall clock shows much
//! more than the processors did, something waits.

use std::time::Instant;

use chatflow::Clock;
use chatflow::clock::SystemClock;
use chatflow::testkit::ManualClock;
use chrono::TimeDelta;
use tokio::runtime::Runtime;

use crate::bot::{Bot, runtime};
use crate::cpu::Cpu;
use crate::median::median;
use crate::script::scripts;
use crate::server::Server;

const CALLERS: usize = 64;

/// The wall clock shows at most so much of what the processors did.
const MOST: f64 = 2.0;

pub(crate) fn run() {
    measure(3, 10_000, None);
}

/// The same, which stops where more waits than may. `CHATFLOW_DUE` is the number of expiries.
pub(crate) fn check() {
    let due = std::env::var("CHATFLOW_DUE").map_or(10_000, |due| due.parse().expect("a number"));
    measure(3, due, Some(MOST));
}

/// All of it, in seconds.
pub(crate) fn smoke() {
    measure(1, 100, None);
}

/// Where a bound is given the least ratio of all passes must keep it: what else the machine does
/// takes time from single ones.
fn measure(passes: usize, due: u64, most: Option<f64>) {
    println!("due: PostgreSQL, {due} expiries at once, {passes} passes, medians (spread)");
    let runtime = runtime();
    let Some(server) = Server::named() else {
        assert!(most.is_none(), "there is no server to measure");
        return;
    };
    let (mut walls, mut cpus, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..passes {
        let (wall, ours, theirs) = pass(&runtime, &server, due);
        let theirs = theirs.expect("the server is on this machine, and tells its process");
        walls.push(wall);
        cpus.push(ours + theirs);
        ratios.push(wall / (ours + theirs));
    }
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let ((wall, spread), (cpu, _), (ratio, _)) = (median(walls), median(cpus), median(ratios));
    println!("    {wall:.2} s ({spread:.0} %) for {cpu:.2} s of processors: {ratio:.2} x");
    println!("    the least of them: {least:.2} x, at most {MOST}");
    if let Some(most) = most {
        assert!(least <= most, "{least:.2} x, at most {most}");
    }
}

/// Seconds by the wall clock, of this process, and of the server where they can be read.
fn pass(runtime: &Runtime, server: &Server, due: u64) -> (f64, f64, Option<f64>) {
    let database = server.database(runtime);
    runtime.block_on(async {
        let (clock, client) = (ManualClock::at(SystemClock.now()), database.client().await);
        let bot = Bot::new(database.store().await, Some(clock.clone())).await;
        bot.in_flight(CALLERS, scripts(0..due), true).await;
        clock.advance(TimeDelta::days(2));
        let cpu = Cpu::now(&client).await;
        let began = Instant::now();
        while bot.engine.tick(1000).await.expect("the store answers").worked > 0 {}
        let wall = began.elapsed().as_secs_f64();
        let (ours, theirs) = cpu.passed();
        assert_eq!(bot.live().await, 0, "every session has ended");
        (wall, ours, theirs)
    })
}
