//! The checker is checked: each thing that must not be is done on purpose, and must be found, for
//! the contact it was done to and no other.

use std::sync::Arc;
use std::time::Duration;

use chatflow::address::{Alias, Phone};
use chatflow::store::{
    Commit, Committed, ConversationStore, Due, Lookup, MemoryFlows, Settle, Settled, StoredConversation,
    Subject, Token,
};
use chatflow::testkit::ManualClock;
use chatflow::{
    Address, Channel, Clock, Inbound, MemoryStore, Received, SessionId, TriggerRequest, WorkspaceId,
};
use chrono::TimeDelta;
use libtest_mimic::{Failed, Trial};
use pollster::block_on;
use uuid::Uuid;

use crate::durable_kit::{
    Checked, Event, FLOW, History, Replied, Step, Talk, Violation, check, contact_id, engine, phone,
};

const LEASE: Duration = Duration::from_secs(1);

/// Twenty conversations, held by the book.
struct World {
    store: Arc<MemoryStore>,
    flows: Arc<MemoryFlows>,
    clock: ManualClock,
    history: History,
}

impl World {
    fn of(contacts: impl Iterator<Item = u64>) -> Self {
        let world = Self {
            store: Arc::new(MemoryStore::new()),
            flows: Arc::new(MemoryFlows::default()),
            clock: ManualClock::default(),
            history: History::default(),
        };
        block_on(async {
            let bot = world.engine();
            bot.flows().ensure(FLOW).await.unwrap();
            let talk = Talk { bot: &bot, report: world.history.clone(), flip: false };
            for contact in contacts {
                assert!(talk.hold(contact, || async {}).await);
            }
        });
        world
    }

    fn engine(&self) -> chatflow::Engine<Arc<MemoryStore>> {
        let (store, flows) = (Arc::clone(&self.store), Arc::clone(&self.flows));
        engine(store, flows, self.clock.clone(), self.history.clone(), LEASE)
    }

    fn check(&self) -> Checked {
        let (store, flows) = (Arc::clone(&self.store), Arc::clone(&self.flows));
        block_on(check(store, flows, &self.history, (self.clock.now(), LEASE), |_| async {})).unwrap()
    }

    fn stored(&self, contact: u64) -> StoredConversation {
        let subject = Subject::Contact(contact_id(contact));
        let lookup =
            Lookup::new(WorkspaceId::default(), subject, Token(Uuid::from_u128(7)), self.clock.now());
        block_on(self.store.load(&lookup)).unwrap().conversation.unwrap()
    }

    /// A commit that changes nothing but what a test makes of it.
    fn same(&self, contact: u64) -> Commit {
        let stored = self.stored(contact);
        let (workspace, expect) = (WorkspaceId::default(), Some(stored.revision));
        Commit::new(workspace, stored.contact, expect, stored.record, self.clock.now())
    }

    /// Rewrites the history.
    fn retold(mut self, tell: impl FnOnce(&mut Vec<Event>)) -> Self {
        let mut events = self.history.events();
        tell(&mut events);
        self.history = History::of(events);
        self
    }
}

fn world() -> World {
    World::of(1..=20)
}

/// Where a contact was first handed its message of this number.
fn sent(events: &[Event], of: u64, seq: u64) -> usize {
    events
        .iter()
        .position(|event| matches!(event, Event::Sent { contact, message, .. } if *contact == of && message.seq == seq))
        .unwrap()
}

/// The session that a contact's trigger was answered with.
fn named(events: &[Event], of: u64) -> SessionId {
    let mut answers = events.iter().rev().filter_map(|event| match event {
        Event::Triggered { contact, session, .. } if *contact == of => Some(*session),
        _ => None,
    });
    answers.next().unwrap()
}

fn finds(world: World, contact: u64, expected: impl Fn(&Violation) -> bool) -> Result<(), Failed> {
    let violations = world.check().violations;
    if violations.iter().any(expected) && violations.iter().all(|violation| violation.concerns(contact)) {
        return Ok(());
    }
    Err(format!("found {violations:#?}").into())
}

fn an_honest_history_is_found_sound() -> Result<(), Failed> {
    let checked = world().check();
    assert_eq!(checked.violations, []);
    assert_eq!((checked.conversations, checked.completed), (20, 16));
    assert_eq!((checked.messages, checked.redeliveries), (16 * 3 + 2 + 2 * 2, 0));
    Ok(())
}

fn a_trigger_that_was_forgotten_is_found() -> Result<(), Failed> {
    let other = World::of(5..=5).history.events();
    let world = World::of((1..=20).filter(|contact| *contact != 5)).retold(|events| events.extend(other));
    finds(world, 5, |violation| matches!(violation, Violation::LostTurn { step: Step::Trigger, .. }))
}

fn a_reply_that_was_forgotten_is_found() -> Result<(), Failed> {
    let world = world().retold(|events| {
        let session = named(events, 3);
        events.push(Event::Asked { contact: 3, step: Step::Hello });
        events.push(Event::Replied { contact: 3, step: Step::Hello, replied: Replied::Taken(session) });
    });
    finds(world, 3, |violation| matches!(violation, Violation::LostTurn { step: Step::Hello, .. }))
}

fn a_reply_that_nobody_wanted_is_found() -> Result<(), Failed> {
    let world = world().retold(|events| {
        events.push(Event::Replied { contact: 2, step: Step::One, replied: Replied::Lost });
    });
    finds(world, 2, |violation| matches!(violation, Violation::LostTurn { step: Step::One, .. }))
}

fn a_reply_that_was_taken_twice_is_found() -> Result<(), Failed> {
    let world = world().retold(|events| {
        let taken = |event: &&Event| matches!(event, Event::Replied { contact: 2, step: Step::Hello, .. });
        events.push(events.iter().find(taken).unwrap().clone());
    });
    finds(world, 2, |violation| matches!(violation, Violation::TwiceDone { step: Step::Hello, .. }))
}

fn a_second_session_is_found() -> Result<(), Failed> {
    let world = world();
    block_on(async {
        let second = TriggerRequest::new("abandoned-cart").phone(phone(2)).uuid("again");
        assert!(world.engine().trigger(second).await.unwrap().session().is_some());
    });
    finds(world, 2, |violation| matches!(violation, Violation::SecondSession { .. }))
}

fn a_key_that_answers_two_sessions_is_found() -> Result<(), Failed> {
    let world = world().retold(|events| {
        let session = SessionId(Uuid::from_u128(99));
        let step = Step::Trigger;
        events.push(Event::Triggered { contact: 4, step, session, started: true, replayed: true });
    });
    finds(world, 4, |violation| matches!(violation, Violation::SecondSession { .. }))
}

fn a_session_that_nobody_asked_for_is_found() -> Result<(), Failed> {
    let world = world().retold(|events| {
        events.retain(|event| match event {
            Event::Asked { contact, .. }
            | Event::Triggered { contact, .. }
            | Event::Replied { contact, .. }
            | Event::Sent { contact, .. } => *contact != 6,
            Event::Failed { .. } | Event::Ready => true,
        });
    });
    finds(world, 6, |violation| matches!(violation, Violation::UnknownSession { .. }))
}

fn a_message_under_two_ids_is_found() -> Result<(), Failed> {
    let world = world().retold(|events| {
        let Event::Sent { contact, mut message, turn, index, text } = events[sent(events, 2, 3)].clone()
        else {
            unreachable!()
        };
        message.seq = 4;
        events.push(Event::Sent { contact, message, turn, index, text });
    });
    finds(world, 2, |violation| matches!(violation, Violation::TwoIds { .. }))
}

fn an_id_with_two_contents_is_found() -> Result<(), Failed> {
    let world = world().retold(|events| {
        let mut again = events[sent(events, 2, 1)].clone();
        if let Event::Sent { text, .. } = &mut again {
            text.push('!');
        }
        events.push(again);
    });
    finds(world, 2, |violation| matches!(violation, Violation::TwoContents { .. }))
}

fn messages_in_the_wrong_order_are_found() -> Result<(), Failed> {
    let world = world().retold(|events| {
        let (second, third) = (sent(events, 2, 2), sent(events, 2, 3));
        events.swap(second, third);
    });
    finds(world, 2, |violation| matches!(violation, Violation::Disorder { .. }))
}

fn a_message_that_never_left_is_found() -> Result<(), Failed> {
    let world = world().retold(|events| {
        events.remove(sent(events, 2, 3));
    });
    finds(world, 2, |violation| matches!(violation, Violation::LostMessage { .. }))
}

fn a_message_of_a_turn_that_never_was_is_found() -> Result<(), Failed> {
    let world = world().retold(|events| {
        let Event::Sent { contact, mut message, text, .. } = events[sent(events, 7, 2)].clone() else {
            unreachable!()
        };
        message.seq = 3;
        events.push(Event::Sent { contact, message, turn: 3, index: 0, text: format!("{text} Please.") });
    });
    finds(world, 7, |violation| matches!(violation, Violation::UnknownMessage { .. }))
}

fn a_call_that_was_refused_for_good_is_found() -> Result<(), Failed> {
    let world = world().retold(|events| {
        events.push(Event::Failed { contact: 9, step: Step::One, error: "quarantined".to_owned() });
    });
    finds(world, 9, |violation| matches!(violation, Violation::Refused { .. }))
}

fn a_session_that_ended_otherwise_is_found() -> Result<(), Failed> {
    let world = world();
    let unasked = Inbound::text(Channel::WhatsApp, "+15550100", phone(3), "1");
    assert!(matches!(block_on(world.engine().receive(unasked)), Ok(Received::Consumed { .. })));
    finds(world, 3, |violation| matches!(violation, Violation::WrongEnd { .. }))
}

fn a_session_without_its_timer_is_found() -> Result<(), Failed> {
    let world = world();
    let committed = block_on(world.store.commit(Commit { due_at: None, ..world.same(3) })).unwrap();
    assert!(matches!(committed, Committed::Applied { .. }));
    finds(world, 3, |violation| matches!(violation, Violation::Stuck { .. }))
}

fn a_conversation_that_was_set_aside_is_found() -> Result<(), Failed> {
    let world = world();
    let (now, token) = (world.clock.now() + TimeDelta::minutes(31), Token(Uuid::from_u128(8)));
    let set_aside = block_on(async {
        let leased = world
            .store
            .lease_due(&Due { now, token, lease: LEASE, limit: 1, suspects: false })
            .await
            .unwrap();
        let stored = &leased.conversations[0].stored;
        let settle = Settle {
            workspace: WorkspaceId::default(),
            contact: stored.contact.clone(),
            token,
            revision: stored.revision,
            settled: stored.settled,
            due_at: None,
            quarantine: true,
            now,
        };
        assert_eq!(world.store.settle(&settle).await.unwrap(), Settled::Done);
        (1..=20).find(|number| contact_id(*number) == stored.contact).unwrap()
    });
    finds(world, set_aside, |violation| matches!(violation, Violation::SetAside { .. }))
}

fn an_address_that_leads_nowhere_is_found() -> Result<(), Failed> {
    let world = world();
    let address = Alias::Address(Address::Phone(Phone::parse(&phone(2)).unwrap()));
    let committed =
        block_on(world.store.commit(Commit { drop_aliases: vec![address], ..world.same(2) })).unwrap();
    assert!(matches!(committed, Committed::Applied { .. }));
    finds(world, 2, |violation| matches!(violation, Violation::Inconsistent { .. }))
}

/// The checks of the checker.
pub(crate) fn trials() -> Vec<Trial> {
    macro_rules! trials {
        ($($name:ident)*) => { vec![$(Trial::test(concat!("checker::", stringify!($name)), $name)),*] };
    }
    trials! {
        an_honest_history_is_found_sound
        a_trigger_that_was_forgotten_is_found
        a_reply_that_was_forgotten_is_found
        a_reply_that_nobody_wanted_is_found
        a_reply_that_was_taken_twice_is_found
        a_second_session_is_found
        a_key_that_answers_two_sessions_is_found
        a_session_that_nobody_asked_for_is_found
        a_message_under_two_ids_is_found
        an_id_with_two_contents_is_found
        messages_in_the_wrong_order_are_found
        a_message_that_never_left_is_found
        a_message_of_a_turn_that_never_was_is_found
        a_call_that_was_refused_for_good_is_found
        a_session_that_ended_otherwise_is_found
        a_session_without_its_timer_is_found
        a_conversation_that_was_set_aside_is_found
        an_address_that_leads_nowhere_is_found
    }
}
