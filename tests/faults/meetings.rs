//! A receipt that shows two contacts to be one, broken at every place (SEMANTICS A4, A5).

use std::collections::HashMap;

use chatflow::address::Alias;
use chatflow::store::{ConversationStore, Lookup, Subject, Token};
use chatflow::{Account, Address, Channel, ContactId, TriggerRequest, WorkspaceId};
use chrono::TimeDelta;

use crate::crash::{Remains, remains};
use crate::kit::{BLOWS, Blow, Setup, World, poll_some};
use crate::scenarios::{ADA, SHOP, flows};

const ID: &str = "US.13491208655302741918";

fn address(id: &str) -> Address {
    Address::new(&Account::new(Channel::WhatsApp, SHOP).unwrap(), id).unwrap()
}

/// Starts a flow in a process that may die of it. Returns whether it did not fail.
fn begins(world: &World, flow: &str, at: &str) -> bool {
    let request = TriggerRequest::new(flow).address(Channel::WhatsApp, SHOP, at).uuid(flow);
    matches!(poll_some(&world.plan, 10_000, world.engine().trigger(request)), Some(Ok(_)))
}

/// The contact that an address leads to, and the number of its messages that are not settled.
fn contact_at(world: &World, at: &str) -> (ContactId, usize) {
    known(world, Subject::Alias(Alias::Address(address(at))))
        .unwrap_or_else(|| panic!("{at} leads to nobody"))
}

fn known(world: &World, subject: Subject) -> Option<(ContactId, usize)> {
    let lookup = Lookup::new(WorkspaceId::default(), subject, Token(uuid::Uuid::nil()), world.now());
    let stored = pollster::block_on(world.store.load(&lookup)).unwrap().conversation?;
    let conversation = stored.record.conversation().unwrap();
    let unsettled = conversation.outbox().iter().filter(|unsent| unsent.seq > stored.settled).count();
    Some((stored.contact, unsettled))
}

/// Two contacts that were made from an address each, of whom one is written to; the receipts name
/// the other.
fn tell(setup: Setup, to: &str, blow: Option<(usize, Blow)>) -> (World, usize, Remains) {
    let world = World::with_flows(setup, &flows(&["ask", "form", "once"]));
    assert!(begins(&world, "ask", ADA) && begins(&world, "form", ID));
    let (older, _) = contact_at(&world, ADA);
    let before = world.plan.log().len();
    if let Some((place, blow)) = blow {
        world.plan.strike(before + place, blow);
    }
    world.wire.name(address(if to == ADA { ID } else { ADA }));
    for _ in 0..3 {
        let is_done = begins(&world, "once", to);
        let ((one, first), (other, second)) = (contact_at(&world, ADA), contact_at(&world, ID));
        let unsettled = if to == ADA { first } else { second };
        let is_begun = world.sessions().iter().any(|record| record.session().flow().as_str() == "once");
        let is_whole = one == other || unsettled == 3 || !is_begun;
        assert!(is_whole, "what a receipt says is booked without what it shows");
        if is_done {
            break;
        }
    }
    world.pass(TimeDelta::seconds(61));
    world.tick_out();
    let (one, other) = (contact_at(&world, ADA), contact_at(&world, ID));
    assert_eq!(one, (older, 0), "the older one stays");
    assert_eq!(other, one, "they are one");
    let operations = world.plan.log().len() - before;
    world.wind_up(TimeDelta::hours(2));
    // A message that is sent again is the person's who is left.
    let mut texts = HashMap::new();
    for message in world.wire.taken() {
        let text = texts.entry(message.id).or_insert_with(|| message.text().to_owned());
        assert_eq!(*text, message.text(), "one id, two messages");
    }
    let remains = remains(&world);
    (world, operations, remains)
}

/// A4, A5: what a receipt says of a message, and that it shows two contacts to be one, is written
/// by one commit, whichever of the two was written to, and wherever the process dies.
#[test]
fn a_receipt_and_the_union_that_it_shows_are_one_commit() {
    let mut cases = 0;
    for (to, whole) in [(ADA, false), (ADA, true), (ID, false), (ID, true)] {
        let setup = Setup { whole, ..Setup::default() };
        let (_, operations, clean) = tell(setup, to, None);
        for place in 0..operations {
            for blow in BLOWS {
                let told = std::panic::catch_unwind(|| tell(setup, to, Some((place, blow))).2);
                let case = format!("to {to}, whole {whole}: {blow:?} at {place}");
                assert_eq!(told.unwrap_or_else(|_| panic!("{case}")), clean, "{case}");
                cases += 1;
            }
        }
    }
    assert!(cases > 100, "{cases} cases");
}

/// A contact that was made from an address is written to and is in no session; the receipts name
/// the address of one that has a name.
fn give_up(setup: Setup, blow: Option<(usize, Blow)>) -> (World, usize, Remains) {
    let world = World::with_flows(setup, &flows(&["ask", "once"]));
    let named = TriggerRequest::new("ask").contact_id("ada").address(Channel::WhatsApp, SHOP, ID);
    let _ = pollster::block_on(world.engine().trigger(named)).unwrap();
    let before = world.plan.log().len();
    if let Some((place, blow)) = blow {
        world.plan.strike(before + place, blow);
    }
    world.wire.name(address(ID));
    let ada = contact_at(&world, ID).0;
    for _ in 0..3 {
        let is_done = begins(&world, "once", ADA);
        let begun = world.sessions().into_iter().find(|record| record.session().flow().as_str() == "once");
        if let Some(record) = begun {
            let (_, unsettled) = known(&world, Subject::Contact(record.contact().clone())).unwrap();
            let holder = known(&world, Subject::Alias(Alias::Address(address(ADA))));
            let is_given = holder.is_some_and(|(holder, _)| holder == ada);
            assert!(is_given || unsettled == 3, "what a receipt says is booked without what it shows");
        }
        if is_done {
            break;
        }
    }
    world.pass(TimeDelta::seconds(61));
    world.tick_out();
    let (one, other) = (contact_at(&world, ADA), contact_at(&world, ID));
    assert_eq!((one, other), ((ada.clone(), 0), (ada, 0)), "both lead to the one that has a name");
    let operations = world.plan.log().len() - before;
    world.wind_up(TimeDelta::hours(2));
    let remains = remains(&world);
    (world, operations, remains)
}

/// A4, A5: who was made from an address alone gives it up to one that has a name before what a
/// receipt says is booked, wherever the process dies; the one that has a name is not merged.
#[test]
fn an_address_is_given_up_to_who_has_a_name_before_the_receipt_is_booked() {
    let mut cases = 0;
    for whole in [false, true] {
        let setup = Setup { whole, ..Setup::default() };
        let (world, operations, clean) = give_up(setup, None);
        let once = world.sessions().into_iter().find(|record| record.session().flow().as_str() == "once");
        assert_ne!(once.unwrap().contact().as_str(), "ada", "the named one is not merged");
        for place in 0..operations {
            for blow in BLOWS {
                let told = std::panic::catch_unwind(|| give_up(setup, Some((place, blow))).2);
                let case = format!("whole {whole}: {blow:?} at {place}");
                assert_eq!(told.unwrap_or_else(|_| panic!("{case}")), clean, "{case}");
                cases += 1;
            }
        }
    }
    assert!(cases > 60, "{cases} cases");
}
