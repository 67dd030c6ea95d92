//! Talks that nobody wrote: the shortest one to each way of a flow that no talk takes.

mod guess;

use std::collections::{BTreeSet, HashMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};

use self::guess::Guesses;
use super::coverage::{Coverage, Missed};
use super::run::journals;
use crate::clock::Clock;
use crate::engine::Rehearsal;
use crate::error::Error;
use crate::flow::Flow;
use crate::session::Status;
use crate::talk::{Act, Line, Talk};

/// The bounds within which [`generate_talks`] looks.
#[derive(Clone, Debug)]
#[must_use]
pub struct TalkBounds {
    acts: usize,
    runs: usize,
    known: Coverage,
    beside: Vec<String>,
}

impl Default for TalkBounds {
    fn default() -> Self {
        Self { acts: 10, runs: 3_000, known: Coverage::new(), beside: Vec::new() }
    }
}

impl TalkBounds {
    /// Talks of at most 10 acts, found in at most 3,000 rehearsals.
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits the acts of a talk.
    pub fn acts(mut self, most: usize) -> Self {
        self.acts = most;
        self
    }

    /// Limits the number of rehearsals.
    pub fn runs(mut self, most: usize) -> Self {
        self.runs = most;
        self
    }

    /// With the ways that talks take already: none is looked for.
    pub fn known(mut self, coverage: Coverage) -> Self {
        self.known.merge(&coverage);
        self
    }

    /// With another flow that it may call.
    pub fn beside(mut self, flow: &str) -> Self {
        self.beside.push(flow.to_owned());
        self
    }
}

/// A talk that was found, and what it comes to that no talk before it did.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GeneratedTalk {
    /// The talk, with what comes of it, and a remark that says what it shows.
    pub talk: Talk,
    /// The nodes and branches that it comes to first.
    pub shows: Vec<Missed>,
}

/// So many rehearsals of one length continue from one node and state, each with other values.
const VARIANTS: usize = 4;

/// Returns the shortest talk to each way of a flow that no known talk takes, with contexts and
/// answers of the host filled in.
///
/// It tries what the flow itself names: labels that are offered, words of rules and choices, the
/// constants of conditions, examples of each kind of answer, the host's branches, failures and
/// silence, up to the next due time. Of shortest talks the first found is taken. A way that needs
/// a value that the flow does not name is not found; [`Coverage::missed`] of all talks has it.
///
/// ```
/// use chatflow::Flow;
/// use chatflow::testkit::{TalkBounds, generate_talks};
///
/// let flow = Flow::from_json(chatflow::flow::gallery::template("triage").expect("it is there").json)?;
/// let talks = generate_talks(&flow, &TalkBounds::new().acts(4).runs(200))?;
/// assert!(talks.iter().any(|found| found.talk.to_string().contains("! failed")));
/// # Ok::<(), chatflow::Error>(())
/// ```
///
/// # Errors
/// `Issues` of the flow or of one beside it.
pub fn generate_talks(flow: &Flow, bounds: &TalkBounds) -> Result<Vec<GeneratedTalk>, Error> {
    let json = serde_json::to_string(flow.def()).unwrap_or_default();
    let mut search = Search {
        json,
        flow,
        bounds,
        guesses: Guesses::of(flow),
        runs: 0,
        seen: HashMap::new(),
        missed: open(flow, &bounds.known),
        found: Vec::new(),
    };
    search.run()?;
    Ok(search.found)
}

/// The ways of a flow that are not known.
fn open(flow: &Flow, known: &Coverage) -> BTreeSet<Missed> {
    let mut all = Coverage::of(flow, &[]);
    all.merge(known);
    all.missed().into_iter().filter(|missed| missed.flow == flow.id().as_str()).collect()
}

struct Search<'f> {
    json: String,
    flow: &'f Flow,
    bounds: &'f TalkBounds,
    guesses: Guesses,
    runs: usize,
    /// The number of rehearsals that continued from a state at a node.
    seen: HashMap<String, usize>,
    missed: BTreeSet<Missed>,
    found: Vec<GeneratedTalk>,
}

impl Search<'_> {
    fn run(&mut self) -> Result<(), Error> {
        let mut queue = VecDeque::from([Vec::new()]);
        while let Some(acts) = queue.pop_front() {
            if self.missed.is_empty() || self.runs >= self.bounds.runs {
                break;
            }
            let Some(run) = self.rehearse(&acts)? else { continue };
            self.note(&run);
            if acts.len() < self.bounds.acts && self.goes_on(&run, acts.len()) {
                let next = self.moves(&run, acts.is_empty());
                queue.extend(next.into_iter().map(|act| acts.iter().cloned().chain([act]).collect()));
            }
        }
        Ok(())
    }

    /// The rehearsal after some acts; None: one of them cannot be done.
    fn rehearse(&mut self, acts: &[Act]) -> Result<Option<Rehearsal>, Error> {
        self.runs += 1;
        let mut run = Rehearsal::of(&self.json)?.at(Clock::now(&super::ManualClock::default()));
        for other in &self.bounds.beside {
            run = run.with_flow(other)?;
        }
        for act in acts {
            if run.act(act).is_err() {
                return Ok(None);
            }
        }
        Ok(Some(run))
    }

    /// Keeps a talk that comes to something new.
    fn note(&mut self, run: &Rehearsal) {
        let still = open(self.flow, &{
            let mut all = self.bounds.known.clone();
            all.merge(&Coverage::of(self.flow, &journals(run)));
            all
        });
        let shows: Vec<Missed> = self.missed.difference(&still).cloned().collect();
        if shows.is_empty() {
            return;
        }
        shows.iter().for_each(|shown| _ = self.missed.remove(shown));
        let names: Vec<String> = shows.iter().map(ToString::to_string).collect();
        let text = format!("# Shows {}.\n{}", names.join(", "), run.transcript());
        if let Ok(talk) = Talk::parse(&text) {
            self.found.push(GeneratedTalk { talk, shows });
        }
    }

    /// True for the first rehearsals that are at a node, and where none has begun.
    fn goes_on(&mut self, run: &Rehearsal, acts: usize) -> bool {
        let Some(session) = run.session() else { return self.runs == 1 };
        let state = format!("{acts} {} at {} of {}", session.status(), session.node(), session.active().0);
        let count = self.seen.entry(state).or_default();
        *count += 1;
        session.status().is_live() && *count <= VARIANTS
    }

    /// The acts that may come next.
    fn moves(&self, run: &Rehearsal, is_begin: bool) -> Vec<Act> {
        let Some(session) = run.session() else {
            let is_manual = run.flow().trigger().is_manual();
            return match (is_begin, is_manual) {
                (true, true) => self.guesses.contexts().map(Act::Context).collect(),
                (true, false) => self.guesses.texts(None),
                _ => Vec::new(),
            };
        };
        let mut moves = Vec::new();
        match session.status() {
            Status::Waiting => {
                moves.extend(offered(run).into_iter().map(Act::Choose));
                moves.extend(self.guesses.texts(Some(session.node().as_str())));
            }
            Status::Calling => moves.extend(self.guesses.answers(session.node().as_str())),
            Status::Handoff => moves.push(Act::Back(serde_json::json!({}))),
            _ => {}
        }
        let now = now_of(run);
        let due = [session.deadline(), session.expires_at()].into_iter().flatten().min();
        moves.extend(due.and_then(|due| wait(now, due)).map(Act::Pass));
        moves
    }
}

/// The labels of the last message that has some.
fn offered(run: &Rehearsal) -> Vec<String> {
    let lines = run.transcript().lines().iter().rev();
    let messages = lines.filter_map(|line| match line {
        Line::Sent(message) => Some(message.options()),
        _ => None,
    });
    let last = messages.into_iter().find(|options| !options.is_empty()).unwrap_or_default();
    last.iter().map(|option| option.label.clone()).collect()
}

fn now_of(run: &Rehearsal) -> DateTime<Utc> {
    let passed = run.transcript().lines().iter().filter_map(|line| match line {
        Line::Passed(time) => Some(*time),
        _ => None,
    });
    Clock::now(&super::ManualClock::default()) + passed.sum::<TimeDelta>()
}

/// The whole seconds until a due time, as `@ +31m` writes them.
fn wait(now: DateTime<Utc>, due: DateTime<Utc>) -> Option<TimeDelta> {
    let left = (due - now).num_milliseconds().max(0);
    let seconds = (left + 999) / 1_000;
    (1..=366 * 86_400).contains(&seconds).then(|| TimeDelta::seconds(seconds))
}
