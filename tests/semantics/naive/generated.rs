//! Flows and talks that dice make: small words of their own, and the flow file that they mean.

use serde_json::{Value, json};

/// Choices by a seed (splitmix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % bound.max(1) as u64) as usize
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// A condition on what the flow knows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    /// `vars.n` is above.
    Above(i64),
    /// `vars.said` is "yes".
    SaidYes,
    /// The list has items.
    HasItems,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Says its place, and all that is known.
    Send,
    /// A reply is kept in `said`.
    Wait {
        timeout: Option<i64>,
    },
    /// A number of at least 3 is kept in `n`.
    Ask {
        retries: u32,
        timeout: Option<i64>,
    },
    Branch(When),
    /// `n` is this.
    Put(i64),
    /// `n` is as much more.
    Add(i64),
    /// Seconds.
    Delay(i64),
    /// Over `context.items`.
    Loop,
    Jump {
        target: usize,
        most: u32,
    },
    /// Minutes.
    Handoff(i64),
}

/// A node, and where its branches lead.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) edges: Vec<(&'static str, usize)>,
}

impl Node {
    pub(crate) fn edge(&self, branch: &str) -> Option<usize> {
        self.edges.iter().find(|(name, _)| *name == branch).map(|(_, to)| *to)
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Act {
    Say(&'static str),
    Pass(i64),
    HandBack,
}

/// A flow and a talk with it.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) nodes: Vec<Node>,
    pub(crate) items: Vec<&'static str>,
    pub(crate) acts: Vec<Act>,
}

impl Plan {
    pub(crate) fn by(dice: &mut Dice) -> Self {
        let count = 3 + dice.below(9);
        // The first gives `n` a value.
        let mut nodes = vec![Node { kind: Kind::Put(dice.below(5) as i64), edges: vec![("next", 1)] }];
        while nodes.len() < count {
            let place = nodes.len();
            let later = |dice: &mut Dice| place + 1 + dice.below((count - place).min(3));
            let kind = Self::kind(dice, place);
            let mut edges = Vec::new();
            for branch in Self::branches(kind) {
                let to = later(dice);
                let may_lack = !matches!(*branch, "else" | "yes" | "each");
                if to < count && !(may_lack && dice.below(6) == 0) {
                    edges.push((*branch, to));
                }
            }
            nodes.push(Node { kind, edges });
            if matches!(kind, Kind::Loop) && place + 1 < count {
                // Its body: a message, now and then a question behind it, and the way back.
                let asks = dice.below(3) == 0 && place + 2 < count;
                let last = place + 1 + usize::from(asks);
                nodes.push(Node { kind: Kind::Send, edges: vec![("next", if asks { last } else { place })] });
                if asks {
                    let wait = Kind::Wait { timeout: Some(10) };
                    nodes.push(Node { kind: wait, edges: vec![("replied", place), ("timeout", place)] });
                }
                let done = last + 1 + dice.below(2);
                let node = &mut nodes[place];
                node.edges = vec![("each", place + 1)];
                if done < count {
                    node.edges.push(("done", done));
                }
            }
        }
        let items = ["a", "b", "c"][..dice.below(4)].to_vec();
        let acts = (0..3 + dice.below(7)).map(|_| Self::act(dice)).collect();
        Self { nodes, items, acts }
    }

    fn kind(dice: &mut Dice, place: usize) -> Kind {
        let timeout = |dice: &mut Dice| [None, Some(7), Some(25), Some(50)][dice.below(4)];
        match dice.below(14) {
            0..=3 => Kind::Send,
            4 | 5 => Kind::Wait { timeout: timeout(dice) },
            6 | 7 => Kind::Ask { retries: dice.below(3) as u32, timeout: timeout(dice) },
            8 => Kind::Branch(dice.one_of(&[When::Above(3), When::SaidYes, When::HasItems])),
            9 => Kind::Add(dice.below(4) as i64),
            10 => Kind::Delay(dice.one_of(&[90, 210, 2_400])),
            11 => Kind::Loop,
            12 => Kind::Jump { target: dice.below(place), most: 1 + dice.below(2) as u32 },
            _ => Kind::Handoff(dice.one_of(&[15, 45])),
        }
    }

    fn branches(kind: Kind) -> &'static [&'static str] {
        match kind {
            Kind::Wait { timeout: None } => &["replied"],
            Kind::Wait { .. } => &["replied", "timeout"],
            Kind::Ask { timeout: None, .. } => &["valid", "invalid"],
            Kind::Ask { .. } => &["valid", "invalid", "timeout"],
            Kind::Branch(_) => &["yes", "else"],
            Kind::Handoff(_) => &["returned", "next", "timeout"],
            _ => &["next"],
        }
    }

    fn act(dice: &mut Dice) -> Act {
        match dice.below(10) {
            0..=5 => Act::Say(dice.one_of(&["1", "5", "12", "yes", "a word"])),
            6..=8 => Act::Pass(dice.one_of(&[1, 3, 8, 20, 31, 60])),
            _ => Act::HandBack,
        }
    }

    /// The flow file.
    pub(crate) fn to_json(&self) -> Value {
        let mut nodes = vec![json!({"id": "start", "kind": "start"})];
        let mut edges = vec![json!({"from": "start", "to": "x0"})];
        for (place, node) in self.nodes.iter().enumerate() {
            let id = format!("x{place}");
            nodes.push(written(&id, node.kind));
            for (branch, to) in &node.edges {
                edges.push(json!({"from": id, "branch": branch, "to": format!("x{to}")}));
            }
        }
        json!({
            "spec": 1, "code": "made", "trigger": {"kind": "manual"},
            "settings": {"sender": {"channel": "sms", "account": "+15550100"}},
            "nodes": nodes, "edges": edges
        })
    }
}

fn written(id: &str, kind: Kind) -> Value {
    let minutes = |timeout: Option<i64>| timeout.map(|minutes| format!("{minutes}m"));
    let mut node = match kind {
        Kind::Send => json!({
            "kind": "send_message",
            "text": format!("{id} {{{{ vars.n }}}} {{{{ vars.said }}}} {{{{ item }}}} {{{{ reply.text }}}}.")
        }),
        Kind::Wait { timeout } => {
            json!({"kind": "wait_reply", "save_to": "said", "timeout": minutes(timeout)})
        }
        Kind::Ask { retries, timeout } => json!({
            "kind": "ask", "text": format!("{id}?"), "expect": "number", "min": 3, "save_to": "n",
            "retries": retries, "error_text": format!("{id}! {{{{ reply.text }}}}"), "timeout": minutes(timeout)
        }),
        Kind::Branch(when) => {
            let expr = match when {
                When::Above(least) => format!("vars.n > {least}"),
                When::SaidYes => "vars.said == 'yes'".to_owned(),
                When::HasItems => "(context.items | length) > 0".to_owned(),
            };
            json!({"kind": "branch", "branches": [{"label": "yes", "when": {"expr": expr}}]})
        }
        Kind::Put(value) => set(&value.to_string()),
        Kind::Add(value) => set(&format!("vars.n + {value}")),
        Kind::Delay(seconds) => json!({"kind": "delay", "for": format!("{seconds}s")}),
        Kind::Loop => json!({"kind": "for_each", "from": "context.items"}),
        Kind::Jump { target, most } => {
            json!({"kind": "jump", "target": format!("x{target}"), "max_jumps": most})
        }
        Kind::Handoff(minutes) => json!({"kind": "handoff", "timeout": format!("{minutes}m")}),
    };
    let fields = node.as_object_mut().unwrap();
    fields.retain(|_, value| !value.is_null());
    fields.insert("id".to_owned(), json!(id));
    node
}

fn set(expr: &str) -> Value {
    json!({"kind": "set_variables", "variables": [{"name": "n", "expr": expr}]})
}
