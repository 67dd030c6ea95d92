//! The engine beside a second interpreter, which is written from the contract for clarity alone, on
//! flows and talks that dice make. `CHATFLOW_NAIVE` is how many, `CHATFLOW_SEED` plays one.

mod generated;
mod interpreter;

use chatflow::ops::Rehearsal;
use chatflow::talk::Line;
use chrono::{DateTime, TimeDelta};
use generated::{Act, Dice, Plan};
use interpreter::{Interpreter, Seen};
use serde_json::json;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The answer that a person sees the engine give to an act.
fn seen(run: &Rehearsal, lines: &[Line]) -> Seen {
    let session = run.session().unwrap();
    let heard = lines.iter().filter_map(|line| match line {
        Line::Sent(message) => Some(message.text().to_owned()),
        _ => None,
    });
    Seen { heard: heard.collect(), status: session.status().to_string(), node: session.node().to_string() }
}

/// Plays a talk on both, and answers how many turns they agreed on. None: the flow is refused.
fn play(seed: u64) -> Option<usize> {
    let plan = Plan::by(&mut Dice::new(seed));
    let flow = plan.to_json();
    let mut run = Rehearsal::of(&flow.to_string()).ok()?.at(DateTime::UNIX_EPOCH);
    let mut naive = Interpreter::new(&plan);
    let told = run.start(json!({"items": plan.items})).unwrap().to_vec();
    let mut talk = vec!["start".to_owned()];
    let compare = |run: &Rehearsal, told: &[Line], expected: Seen, talk: &[String]| {
        assert_eq!(seen(run, told), expected, "CHATFLOW_SEED={seed}, {talk:?}\n{flow:#}");
    };
    compare(&run, &told, naive.start(), &talk);
    for act in &plan.acts {
        talk.push(format!("{act:?}"));
        let told = match act {
            Act::Say(text) => run.say(text).unwrap().to_vec(),
            Act::Pass(minutes) => run.pass(TimeDelta::minutes(*minutes)).unwrap().to_vec(),
            Act::HandBack => run.hand_back(json!({})).map(<[Line]>::to_vec).unwrap_or_default(),
        };
        compare(&run, &told, naive.act(act), &talk);
    }
    Some(talk.len())
}

/// D1, I3, I5, N1, N3, N4, N5, N6, N12, S1, S2, S3, S10
#[test]
fn both_interpreters_say_the_same_in_every_turn() {
    let seeds = match number("CHATFLOW_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("CHATFLOW_NAIVE").unwrap_or(400),
    };
    let (all, mut played, mut turns) = (seeds.end - seeds.start, 0, 0);
    for seed in seeds {
        if let Some(agreed) = play(seed) {
            played += 1;
            turns += agreed;
        }
    }
    println!("{played} flows of {all}, {turns} turns");
    assert!(played * 2 > all, "{played} of {all} flows are taken");
}
