//! The bodies of the fuzz targets over their seeds, found inputs and changed seeds, on the stable
//! compiler. `CHATFLOW_FUZZ` is how many changed seeds of each target; `fuzz/` has the targets.

#[path = "../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "a crate of its own elsewhere")]
mod fuzz;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Choices by a seed (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound.max(1) as u64).unwrap()
    }
}

/// A seed with a few changes: bytes turned, cut, doubled, or taken from another seed.
fn changed(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    const WORDS: [&str; 12] = [
        "{{",
        "}}",
        "\"",
        "-1",
        "1e999",
        "9223372036854775807",
        "null",
        "\u{0}",
        "\u{202e}",
        "[[[[",
        "é",
        "|",
    ];
    let mut bytes = seeds[dice.below(seeds.len())].clone();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        let end = (at + 1 + dice.below(16)).min(bytes.len());
        match dice.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 => drop(bytes.drain(at.min(end)..end)),
            2 => {
                let again = bytes[at.min(end)..end].to_vec();
                bytes.splice(at..at, again);
            }
            3 => {
                let other = &seeds[dice.below(seeds.len())];
                let from = dice.below(other.len());
                let piece = other[from..(from + dice.below(64)).min(other.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            4 => bytes.truncate(at),
            _ => drop(bytes.splice(at..at, WORDS[dice.below(WORDS.len())].bytes())),
        }
    }
    bytes
}

fn holds(target: &str, body: fn(&[u8]), bytes: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| body(bytes))).is_err() {
        panic!("{target}: {:?}", String::from_utf8_lossy(bytes));
    }
}

fn run(target: &str) {
    let rounds = std::env::var("CHATFLOW_FUZZ").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(400);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let seeds = fuzz::seeds(root, target);
    assert!(seeds.len() >= 3, "{target}: {} seeds", seeds.len());
    let (_, body) = fuzz::TARGETS.into_iter().find(|(name, _)| *name == target).unwrap();
    seeds.iter().for_each(|seed| holds(target, body, seed));
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    for _ in 0..rounds {
        holds(target, body, &changed(&seeds, &mut dice));
    }
}

#[test]
fn a_changed_flow_file_is_a_flow_or_has_issues() {
    run("flows");
}

#[test]
fn a_changed_expression_has_a_value_or_is_refused() {
    run("expressions");
}

#[test]
fn a_changed_talk_prints_as_it_is_read_or_names_its_place() {
    run("talks");
}

#[test]
fn a_changed_body_of_another_product_is_answered() {
    run("wire");
}

#[test]
fn a_changed_stored_form_is_read_as_it_is_written_or_refused() {
    run("stored");
}

#[test]
fn a_changed_history_ends_and_its_journals_lead_to_its_sessions() {
    run("histories");
}
