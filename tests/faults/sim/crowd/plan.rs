//! The flows of a crowd, and what contacts and hosts do in twenty minutes.

use super::Dice;
use super::town::{DIES, HANGS, PANICS, SLOW, STRANGE};
use super::{Act, Crowd, Event, Troubles};
use crate::scenarios::SHOP;

/// The nodes of a flow that a small process reads.
pub(super) const SMALL: usize = 8;
/// The number of rests of the large flow: too often for a small process.
pub(super) const SIZE: usize = 9;

/// Says its edition in every text.
pub(super) fn shop(edition: usize) -> String {
    format!(
        r#"{{"spec": 1, "code": "shop", "name": "shop", "trigger": {{"kind": "manual"}},
            "settings": {{"sender": {{"channel": "whatsapp", "account": "{SHOP}"}}}},
            "nodes": [{{"id": "start", "kind": "start"}},
                {{"id": "hi", "kind": "send_message", "text": "E{edition} hi"}},
                {{"id": "wait", "kind": "wait_reply", "timeout": "5m"}},
                {{"id": "echo", "kind": "send_message", "text": "E{edition} got {{{{reply.text}}}}"}},
                {{"id": "gone", "kind": "send_message", "text": "E{edition} gone"}}],
            "edges": [{{"from": "start", "to": "hi"}}, {{"from": "hi", "to": "wait"}}, {{"from": "wait", "to": "echo"}},
                {{"from": "wait", "branch": "timeout", "to": "gone"}}, {{"from": "echo", "to": "wait"}}]}}"#
    )
}

/// A flow that rests so many times.
pub(super) fn large(rests: usize) -> String {
    let nodes = (1..=rests).map(|n| format!(r#"{{"id": "r{n}", "kind": "delay", "for": "40s"}}, "#));
    let edges = (1..rests).map(|n| format!(r#"{{"from": "r{n}", "to": "r{}"}}, "#, n + 1));
    format!(
        r#"{{"spec": 1, "code": "large", "name": "large", "trigger": {{"kind": "manual"}},
            "settings": {{"sender": {{"channel": "whatsapp", "account": "{SHOP}"}}}},
            "nodes": [{{"id": "start", "kind": "start"}}, {}
                {{"id": "up", "kind": "send_message", "text": "E1 up"}}],
            "edges": [{{"from": "start", "to": "r1"}}, {} {{"from": "r{rests}", "to": "up"}}]}}"#,
        nodes.collect::<String>(),
        edges.collect::<String>()
    )
}

impl Crowd {
    /// Twenty minutes of what contacts and hosts do.
    pub(super) fn plan(&mut self) {
        let people: Vec<String> = (0..30).map(|n| format!("+1415555{n:04}")).collect();
        for (n, phone) in people.iter().enumerate() {
            // Half of them are asked at the same time, so that their time passes at the same time.
            let begin = if n % 2 == 0 { 10.0 } else { self.some(600) };
            self.trigger(begin, phone, "shop");
            if self.dice.one_in(2) {
                let later = begin + self.some(300);
                self.trigger(later, phone, "large");
            }
            if n % 4 != 0 {
                let words = self.dice.below(4);
                for _ in 0..words {
                    let later = begin + 20.0 + self.some(600);
                    self.say(later, phone);
                }
            }
        }
        let Troubles { slow, poison, bursts, twins, editions, again, strangers, damage, .. } = self.troubles;
        for (n, prefix) in [SLOW, SLOW, HANGS].iter().enumerate().filter(|_| slow) {
            let begin = 8.0 + self.some(4);
            self.trigger(begin, &format!("{prefix}{n:04}"), "shop");
        }
        // Their first try ends with the process. Their leases end while nobody works, as the time
        // of many others passes.
        for number in 0..if poison { self.processes.len() } else { 0 } {
            self.at(300.0, Event::Stop(number));
            self.at(330.0, Event::Restart(number));
        }
        for n in 0..if poison { 6 } else { 0 } {
            let prefix = if n % 3 == 0 { PANICS } else { DIES };
            self.trigger(249.9 + f64::from(n) / 25.0, &format!("{prefix}{n:04}"), "shop");
        }
        let one = |dice: &Dice| people[dice.below(people.len())].clone();
        for n in 0..if bursts { 6 } else { 0 } {
            // Each of another contact, who has not said so much that the first of it may be
            // forgotten (SEMANTICS I2).
            let (phone, at) = (people[5 * n + self.dice.below(5)].clone(), 60.0 + self.some(600));
            self.trigger(at - 5.0, &phone, "shop");
            for _ in 0..60 {
                let id = self.id(&phone);
                let twins = if twins && self.dice.one_in(3) { 2 } else { 1 };
                for _ in 0..twins {
                    self.call(at, &phone, Act::Say { id: id.clone() }, twins == 1);
                }
            }
        }
        for _ in 0..if again { 6 } else { 0 } {
            let (phone, at) = (one(&self.dice), 60.0 + self.some(600));
            self.trigger(at - 20.0, &phone, "shop");
            let id = self.say(at, &phone);
            self.call(at + 5.0, &phone, Act::HandOver, true);
            for n in 0..70 {
                self.call(at + 10.0 + f64::from(n) / 10.0, &phone, Act::Touch, true);
            }
            self.call(at + 30.0, &phone, Act::Say { id }, false);
            self.call(at + 40.0, &phone, Act::HandBack, true);
        }
        for n in 0..if strangers { 20 } else { 0 } {
            let phone = format!("{STRANGE}{n:04}");
            let (at, id) = (self.some(1_000), self.id(&phone));
            self.call(at, &phone, Act::Strange { id }, true);
        }
        for _ in 0..if damage { 15 } else { 0 } {
            let (at, phone) = (100.0 + self.some(700), one(&self.dice));
            self.at(at, Event::Damage(phone));
        }
        for _ in 0..if editions { 6 } else { 0 } {
            let (at, number) = (30.0 + self.some(900), self.dice.below(self.processes.len()));
            self.at(at, Event::Restart(number));
        }
    }
}
