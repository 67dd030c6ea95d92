//! The command line.

use chatflow::testkit::SimPlan;

/// The request of the command line.
pub(crate) struct Args {
    pub(crate) asked: Asked,
    pub(crate) plan: SimPlan,
    pub(crate) seeds: u64,
    pub(crate) jobs: usize,
}

pub(crate) enum Asked {
    /// So many seeds.
    Many,
    /// One seed, shrunk where it fails.
    One,
    /// Every planted defect, by so many seeds.
    Planted(u64),
}

const USAGE: &str = "usage: simulate [--seeds N] [--jobs N] | --seed N | --planted SEEDS
  --seeds N      so many schedules, from --from or 0 on; 1000 if absent
  --from N       the first seed
  --jobs N       so many threads; 1 if absent
  --seed N       one schedule, told in full
  --planted N    every planted defect, by N seeds each
  --engines N, --contacts N, --steps N, --faults NAME=WEIGHT,… or none
  --known BYTES  processes keep what they know in so much room";

/// Reads it; the error names what is wrong.
pub(crate) fn read(args: impl Iterator<Item = String>) -> Result<Args, String> {
    let mut args = args;
    let mut read = Args { asked: Asked::Many, plan: SimPlan::default(), seeds: 1_000, jobs: 1 };
    while let Some(name) = args.next() {
        let value = args.next().ok_or_else(|| format!("`{name}` needs a value\n\n{USAGE}"))?;
        let number =
            || value.parse::<u64>().map_err(|_| format!("`{name}`: `{value}` is no number\n\n{USAGE}"));
        match name.as_str() {
            "--seeds" => read.seeds = number()?,
            "--from" => read.plan.seed = number()?,
            "--jobs" => read.jobs = number()?.max(1) as usize,
            "--seed" => {
                read.plan.seed = number()?;
                read.asked = Asked::One;
            }
            "--planted" => read.asked = Asked::Planted(number()?),
            "--engines" => read.plan.engines = number()?.max(1) as usize,
            "--contacts" => read.plan.contacts = number()?.max(1) as usize,
            "--steps" => read.plan.steps = number()? as usize,
            "--known" => read.plan.known = number()? as usize,
            "--faults" => read.plan.faults = value.parse()?,
            _ => return Err(format!("there is no `{name}`\n\n{USAGE}")),
        }
    }
    Ok(read)
}
