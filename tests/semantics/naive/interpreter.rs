//! The second interpreter: one session, one list of messages, seconds as time. Each line says what
//! the contract says, and no more.

use std::collections::{BTreeMap, BTreeSet};

use super::generated::{Act, Kind, Node, Plan, When};

/// The time to live: 30 minutes.
const TTL: i64 = 30 * 60;

/// The answer that a person sees to an act.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) heard: Vec<String>,
    pub(crate) status: String,
    pub(crate) node: String,
}

/// A loop that the session is in.
struct Round {
    node: usize,
    item: usize,
}

pub(crate) struct Interpreter<'p> {
    plan: &'p Plan,
    now: i64,
    status: &'static str,
    at: usize,
    n: i64,
    said: String,
    reply: String,
    rounds: Vec<Round>,
    jumps: BTreeMap<usize, u32>,
    /// The number of wrong answers to the question.
    wrong: u32,
    deadline: Option<i64>,
    expires: i64,
    /// Messages that came in a short delay, each with how much had been sent by then.
    queue: Vec<(&'static str, usize)>,
    sent: usize,
    heard: Vec<String>,
}

impl<'p> Interpreter<'p> {
    pub(crate) fn new(plan: &'p Plan) -> Self {
        Self {
            plan,
            now: 0,
            status: "running",
            at: 0,
            n: 0,
            said: String::new(),
            reply: String::new(),
            rounds: Vec::new(),
            jumps: BTreeMap::new(),
            wrong: 0,
            deadline: None,
            expires: 0,
            queue: Vec::new(),
            sent: 0,
            heard: Vec::new(),
        }
    }

    pub(crate) fn start(&mut self) -> Seen {
        self.go_to(Some(0));
        self.seen()
    }

    pub(crate) fn act(&mut self, act: &Act) -> Seen {
        match act {
            Act::Say(text) => self.say(text),
            Act::Pass(minutes) => self.pass(self.now + minutes * 60),
            Act::HandBack if self.status == "handoff" => {
                let node = self.node();
                // S10: `returned`, or `next` without such an edge.
                self.leave(node.edge("returned").or(node.edge("next")));
            }
            Act::HandBack => {}
        }
        self.seen()
    }

    fn seen(&mut self) -> Seen {
        let heard = std::mem::take(&mut self.heard);
        Seen { heard, status: self.status.to_owned(), node: format!("x{}", self.at) }
    }

    fn node(&self) -> &'p Node {
        &self.plan.nodes[self.at]
    }

    fn tell(&mut self, text: String) {
        self.sent += 1;
        self.heard.push(text);
    }

    fn say(&mut self, text: &'static str) {
        match (self.status, self.node().kind) {
            ("waiting", Kind::Wait { .. }) => self.replied(text),
            ("waiting", Kind::Ask { retries, .. }) => self.answered(text, retries),
            // I5: kept in a delay that ends within a minute.
            ("delayed", _) if self.deadline.is_some_and(|end| end - self.now <= 60) => {
                self.queue.push((text, self.sent));
            }
            // S10: the handoff's own time begins anew.
            ("handoff", Kind::Handoff(minutes)) => self.deadline = Some(self.now + minutes * 60),
            _ => {}
        }
    }

    fn replied(&mut self, text: &str) {
        text.clone_into(&mut self.reply);
        text.clone_into(&mut self.said);
        self.leave(self.node().edge("replied"));
    }

    /// N4
    fn answered(&mut self, text: &str, retries: u32) {
        text.clone_into(&mut self.reply);
        match text.parse::<i64>() {
            Ok(number) if number >= 3 => {
                self.n = number;
                self.leave(self.node().edge("valid"));
            }
            _ if self.wrong < retries => {
                self.wrong += 1;
                self.tell(format!("x{}! {text}", self.at));
                self.expires = self.now + TTL;
            }
            _ => match self.node().edge("invalid") {
                Some(to) => self.leave(Some(to)),
                None => self.end("failed"),
            },
        }
    }

    /// S2: what is due comes at its own time, earliest first.
    fn pass(&mut self, until: i64) {
        while let Some(due) = self.due().filter(|due| *due <= until) {
            self.now = due;
            self.come_due();
        }
        self.now = until;
    }

    /// S3: a deadline goes before expiry, which waits for it.
    fn due(&self) -> Option<i64> {
        match self.status {
            "waiting" | "delayed" | "handoff" => Some(self.deadline.unwrap_or(self.expires)),
            _ => None,
        }
    }

    fn come_due(&mut self) {
        match self.node().kind {
            Kind::Delay(_) => self.leave(self.node().edge("next")),
            _ if self.deadline.is_none() => self.end("expired"),
            kind => {
                if !matches!(kind, Kind::Handoff(_)) {
                    self.reply.clear();
                }
                match self.node().edge("timeout") {
                    Some(to) => self.leave(Some(to)),
                    None => self.end("expired"),
                }
            }
        }
    }

    fn end(&mut self, status: &'static str) {
        self.status = status;
        self.deadline = None;
    }

    /// A turn begins that leaves the node.
    fn leave(&mut self, to: Option<usize>) {
        self.status = "running";
        self.deadline = None;
        self.go_to(to);
    }

    /// Walks from node to node until the session waits; N1: without an edge it is complete.
    fn go_to(&mut self, to: Option<usize>) {
        let mut to = to;
        while let Some(place) = to {
            self.at = place;
            self.leave_loops(place);
            to = match self.visit() {
                Some(next) => next,
                None => {
                    self.expires = self.now + TTL;
                    return;
                }
            };
        }
        self.end("completed");
    }

    /// Some: the next node, if there is one. None: the session waits.
    fn visit(&mut self) -> Option<Option<usize>> {
        let node = self.node();
        match node.kind {
            Kind::Send => {
                let item = self.rounds.last().map_or("", |round| self.plan.items[round.item]);
                self.tell(format!("x{} {} {} {item} {}.", self.at, self.n, self.said, self.reply));
            }
            Kind::Wait { timeout } => {
                while !self.queue.is_empty() {
                    // I5: it answers only if nothing was sent since.
                    let (text, sent) = self.queue.remove(0);
                    if sent == self.sent {
                        text.clone_into(&mut self.reply);
                        text.clone_into(&mut self.said);
                        return Some(node.edge("replied"));
                    }
                }
                return self.park("waiting", timeout.map(|minutes| minutes * 60));
            }
            Kind::Ask { timeout, .. } => {
                self.tell(format!("x{}?", self.at));
                self.queue.clear();
                self.wrong = 0;
                return self.park("waiting", timeout.map(|minutes| minutes * 60));
            }
            Kind::Branch(when) => {
                let holds = match when {
                    When::Above(least) => self.n > least,
                    When::SaidYes => self.said == "yes",
                    When::HasItems => !self.plan.items.is_empty(),
                };
                return Some(node.edge(if holds { "yes" } else { "else" }));
            }
            Kind::Put(value) => self.n = value,
            Kind::Add(value) => self.n += value,
            Kind::Delay(seconds) => return self.park("delayed", Some(seconds)),
            Kind::Loop => return Some(self.go_round()),
            Kind::Jump { target, most } => {
                let done = self.jumps.entry(self.at).or_default();
                if *done < most {
                    *done += 1;
                    return Some(Some(target));
                }
            }
            Kind::Handoff(minutes) => return self.park("handoff", Some(minutes * 60)),
        }
        Some(node.edge("next"))
    }

    fn park(&mut self, status: &'static str, seconds: Option<i64>) -> Option<Option<usize>> {
        self.status = status;
        self.deadline = seconds.map(|seconds| self.now + seconds);
        None
    }

    /// N12: the next item of the loop that it is in, else the first.
    fn go_round(&mut self) -> Option<usize> {
        let item = match self.rounds.last() {
            Some(round) if round.node == self.at => round.item + 1,
            _ => 0,
        };
        self.rounds.retain(|round| round.node != self.at);
        if item < self.plan.items.len() {
            self.rounds.push(Round { node: self.at, item });
            return self.node().edge("each");
        }
        self.node().edge("done")
    }

    /// N12: who comes to a node that is not in the body has left the loop.
    fn leave_loops(&mut self, place: usize) {
        let plan = self.plan;
        self.rounds.retain(|round| round.node == place || body(plan, round.node).contains(&place));
    }
}

/// The nodes that `each` leads to and `done` does not.
fn body(plan: &Plan, start: usize) -> BTreeSet<usize> {
    let node = &plan.nodes[start];
    let done = reached(plan, start, node.edge("done"));
    reached(plan, start, node.edge("each")).difference(&done).copied().collect()
}

fn reached(plan: &Plan, start: usize, from: Option<usize>) -> BTreeSet<usize> {
    let (mut found, mut left) = (BTreeSet::new(), Vec::from_iter(from));
    while let Some(place) = left.pop() {
        if place == start || !found.insert(place) {
            continue;
        }
        let node = &plan.nodes[place];
        left.extend(node.edges.iter().map(|(_, to)| *to));
        if let Kind::Jump { target, .. } = node.kind {
            left.push(target);
        }
    }
    found
}
