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

pub(crate) fn run() {
    measure(3, 10_000);
}

/// All of it, in seconds.
pub(crate) fn smoke() {
    measure(1, 100);
}

fn measure(passes: usize, due: u64) {
    println!("due: PostgreSQL, {due} expiries at once, {passes} passes, medians (spread)");
    let runtime = runtime();
    let Some(server) = Server::named() else { return };
    let (mut walls, mut cpus, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..passes {
        let (wall, cpu) = pass(&runtime, &server, due);
        walls.push(wall);
        cpus.push(cpu);
        ratios.push(wall / cpu);
    }
    let ((wall, spread), (cpu, _), (ratio, _)) = (median(walls), median(cpus), median(ratios));
    println!("    {wall:.2} s ({spread:.0} %) for {cpu:.2} s of processors: {ratio:.2} x, to be at most 2");
}

fn pass(runtime: &Runtime, server: &Server, due: u64) -> (f64, f64) {
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
        (wall, ours + theirs.unwrap_or_default())
    })
}
