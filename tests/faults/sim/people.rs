//! Rounds in which people have a number and an id each, and it turns out that they do: messages and
//! receipts that name both, numbers that change and change hands (SEMANTICS A2 to A6).

use chatflow::address::Phone;
use chatflow::{Account, Address, Channel, Error, Inbound, TriggerRequest};
use pollster::block_on;

use super::checks::Done;
use super::{Call, ENGINES, Sim};
use crate::scenarios::SHOP;

/// The way in which people meet in a round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum People {
    /// Everybody has one address.
    #[default]
    Apart,
    /// Messages name both addresses of a person.
    Meeting,
    /// The same, and people opt out.
    Leaving,
    /// The same, and addresses change, and change hands.
    Moving,
}

impl People {
    /// True if messages of sessions that have ended may be dropped.
    pub(super) fn drops(self) -> bool {
        matches!(self, Self::Leaving | Self::Moving)
    }
}

/// The number, the id and the next number of each person.
const PEOPLE: [[&str; 3]; 2] = [
    ["+14155550123", "US.13491208655302741918", "+14155550177"],
    ["+5215512345678", "MX.1002", "+5215512345699"],
];

fn address(text: &str) -> Address {
    let account = Account::new(Channel::WhatsApp, SHOP).expect("an account");
    Address::new(&account, text).expect("an address")
}

impl Sim {
    /// Begins a call of the dice's choice.
    pub(super) fn begin_of_people(&mut self) -> (usize, Call) {
        let number = self.dice.below(ENGINES);
        let engine = self.engines[number].clone();
        let (person, side) = (self.dice.below(PEOPLE.len()), self.dice.below(2));
        let [phone, id, next] = PEOPLE[person];
        let (from, other) = if side == 0 { (phone, id) } else { (id, phone) };
        let people = self.weather.people;
        self.spoken += 1;
        // Who has an address anew is new: what is said twice is said by nobody twice then.
        let repeats = if people == People::Moving { self.spoken } else { self.dice.below(12) };
        let call: Call = match self.dice.below(12) {
            0..=2 => {
                let flow = ["diary", "ask", "once", "quick"][self.dice.below(4)];
                let key = format!("{from}-{repeats}");
                let request = TriggerRequest::new(flow).uuid(&key);
                let request = match side {
                    0 => request.phone(from),
                    _ => request.address(Channel::WhatsApp, SHOP, from),
                };
                Box::pin(
                    async move { Done::Triggered(flow.into(), Some(key), engine.trigger(request).await) },
                )
            }
            3..=6 => {
                let text = format!("{from}-{repeats}");
                let mut inbound = Inbound::text(Channel::WhatsApp, SHOP, from, &text).id(&text);
                if self.dice.one_in(3) {
                    inbound = inbound.also(address(other));
                }
                Box::pin(async move { Done::Received(text, engine.receive(inbound).await) })
            }
            7 if people == People::Leaving && self.dice.one_in(6) => {
                let word = format!("stop-{person}-{}", self.spoken);
                let inbound = Inbound::text(Channel::WhatsApp, SHOP, from, "stop").id(&word);
                Box::pin(async move { Done::Received(word, engine.receive(inbound).await) })
            }
            8 if people == People::Moving && self.dice.one_in(3) => {
                let (old, new) = if self.dice.one_in(2) { (phone, next) } else { (next, phone) };
                Box::pin(async move { tolerated(engine.relink(&address(old), &address(new)).await) })
            }
            9 if people == People::Moving && self.dice.one_in(3) => {
                Box::pin(async move { tolerated(engine.unlink(&address(from)).await.map(drop)) })
            }
            _ => Box::pin(async move { Done::Other(engine.tick(4).await.map(drop)) }),
        };
        (number, call)
    }

    /// An address leads to a contact that has it; those of one person lead to one contact, and what
    /// was said by one of them counts.
    pub(super) fn check_people(&self) {
        let engine = self.engine();
        let at = |text: &str| block_on(engine.contact_at(&address(text))).expect("memory answers");
        for (person, [phone, id, next]) in PEOPLE.into_iter().enumerate() {
            for text in [phone, id, next] {
                let Some(contact) = at(text) else { continue };
                let asked = address(text);
                let is_same = |own: &Address| {
                    *own == asked
                        || own.phone().and_then(Phone::twin).is_some_and(|twin| Some(twin) == asked.phone())
                };
                assert!(
                    contact.addresses.iter().any(is_same),
                    "INV-A6: {text} leads to who does not have it"
                );
            }
            if self.weather.people == People::Moving || (at(phone).is_none() && at(id).is_none()) {
                continue;
            }
            let both = Inbound::text(Channel::WhatsApp, SHOP, id, "both").also(address(phone));
            let received = block_on(engine.receive(both));
            let (one, other) = (at(phone), at(id));
            let ids = [&one, &other].map(|contact| contact.as_ref().map(|contact| contact.id.clone()));
            assert_eq!(ids[0], ids[1], "INV-A1: one person is two contacts: {received:?}");
            let is_out = one.is_some_and(|contact| contact.opted_out_at.is_some());
            let has_left = self.checks.left.contains(&person.to_string());
            assert!(is_out || !has_left, "INV-A5: an opt-out of one address does not count for the person");
        }
    }
}

/// An address that is nobody's, or somebody's who keeps it, is no fault.
fn tolerated(done: Result<(), Error>) -> Done {
    Done::Other(match done {
        Err(Error::InvalidInput { .. }) => Ok(()),
        done => done,
    })
}
