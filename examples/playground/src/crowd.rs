//! Many made-up contacts that talk to a flow at random: where they go, and where they drop off. A
//! seed makes them the same each time.

use chatflow::ops::JournalFilter;
use serde_json::{Value, json};

use crate::Answered;
use crate::answer::{Outcome, at_once, typed};
use crate::talk::Talk;

/// Steps that one contact takes at most.
const MOST_STEPS: usize = 60;

/// Contacts of one rehearsal at most.
const MOST_TALKS: u64 = 2_000;

/// Texts of people who are not asked to choose.
const WORDS: &[&str] = &[
    "1",
    "2",
    "yes",
    "no",
    "hello",
    "ada@shop.example",
    "+14155550123",
    "2026-05-07",
    "3",
    "9",
    "A-1",
    "Where is it?",
    "thanks",
];

/// Numbers by Marsaglia's xorshift.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % most.max(1)
    }
}

pub(crate) fn rehearse(request: &Value) -> Answered {
    let talks = typed::<u64>(request, "talks")?.clamp(1, MOST_TALKS);
    let mut dice = Dice(typed::<u64>(request, "seed")?.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut talk = Talk::open(request)?;
    let mut ends: std::collections::BTreeMap<String, u64> = Default::default();
    for number in 0..talks {
        let contact = match talk.account.channel.is_phone() {
            true => format!("+1415556{number:04}"),
            false => format!("visitor-{number}"),
        };
        let end = walk(&mut talk, &contact, request, &mut dice)?;
        *ends.entry(end).or_default() += 1;
        talk.people.clear();
        talk.asked.clear();
    }
    let filter = JournalFilter::of(talk.flow.id().clone());
    let counts = at_once(talk.bot.node_counts(filter))?;
    Ok(json!({"talks": talks, "nodes": counts, "ends": ends}))
}

/// One contact, until its session ends: the word that it ends with.
fn walk(talk: &mut Talk, contact: &str, request: &Value, dice: &mut Dice) -> Result<String, Outcome> {
    if talk.flow.trigger().is_manual() {
        let context = request.get("context").cloned().unwrap_or_else(|| json!({}));
        talk.act(&json!({"do": "trigger", "contact": contact, "context": context}))?;
    } else {
        let text = opening(request, dice);
        talk.act(&json!({"do": "say", "contact": contact, "message": {"text": text}}))?;
    }
    for _ in 0..MOST_STEPS {
        let Some(person) = talk.people.get(contact) else { return Ok("not_started".into()) };
        let Some(id) = person.session else { return Ok("not_started".into()) };
        let Some(record) = at_once(talk.bot.session(id))? else { return Ok("not_started".into()) };
        let session = record.session();
        if session.ended_at().is_some() {
            return Ok(session.status().to_string());
        }
        let options: Vec<Value> = person.lines.iter().rev().take(6).find_map(offered).unwrap_or_default();
        let asked = talk.asked.first().map(|call| (call.reference.call.to_string(), call.name().to_owned()));
        let action = match (asked, dice.below(10)) {
            (Some((call, _)), 0) => {
                json!({"do": "answer", "call": call, "result": {"failed": {"reason": "made up"}}})
            }
            (Some((call, name)), _) => {
                json!({"do": "answer", "call": call, "result": {"value": {"value": made_up(&name)}}})
            }
            (None, _) if session.status().to_string() == "handoff" => {
                json!({"do": "back", "contact": contact})
            }
            (None, 0) => json!({"do": "due"}),
            (None, _) if session.status().to_string() != "waiting" => json!({"do": "due"}),
            (None, 1..=6) if !options.is_empty() => {
                let option = &options[dice.below(options.len())];
                json!({"do": "say", "contact": contact, "message": {"payload": option["payload"], "label": option["label"]}})
            }
            _ => {
                json!({"do": "say", "contact": contact, "message": {"text": WORDS[dice.below(WORDS.len())]}})
            }
        };
        // A contact that is in no session has no deadline ahead.
        if talk.act(&action).is_err() {
            return Ok("stuck".into());
        }
    }
    Ok("still_talking".into())
}

fn opening(request: &Value, dice: &mut Dice) -> String {
    let openings = request.get("openings").and_then(Value::as_array).cloned().unwrap_or_default();
    let text = openings.get(dice.below(openings.len())).and_then(Value::as_str);
    text.unwrap_or("hello").to_owned()
}

/// The options of a line that offers some.
fn offered(line: &Value) -> Option<Vec<Value>> {
    let options = line.get("message")?.get("content")?.get("options")?.as_array()?;
    (!options.is_empty()).then(|| options.clone())
}

fn made_up(name: &str) -> Value {
    match name {
        "http_request" => json!({"status": 200, "body": {"ok": true}}),
        "llm" => json!("Made up by nobody."),
        "recognize_language" => json!("en"),
        "classify" => Value::Null,
        _ => json!({"ok": true, "status": "made up"}),
    }
}
