//! S11: a contact that is forgotten.

use chatflow::id::FlowVersion;
use chatflow::ops::{EraseOptions, Erased, SessionFilter};
use chatflow::session::EndReason;
use chatflow::{
    Address, Channel, ContactId, Error, Inbound, Received, Refusal, SendError, SessionId, Status,
    TriggerRequest, Triggered,
};
use pollster::block_on;
use serde_json::json;

use crate::kit::*;

fn erase(world: &World, contact: &ContactId, options: EraseOptions) -> Erased {
    block_on(world.bot.erase(contact, options)).unwrap()
}

fn counted(erased: Erased) -> [usize; 5] {
    [erased.sessions, erased.addresses, erased.journal_entries, erased.messages, erased.keys]
}

fn ada_address() -> Address {
    Address::new(&account(SHOP), ADA).unwrap()
}

/// S11: it says what it removed, and nothing of it is found any more.
#[test]
fn an_erased_contact_leaves_nothing() {
    let world = World::with([flow("done").send("s", "Hi"), question("f")]);
    for code in ["done", "f"] {
        block_on(world.flows().set_logging(&id(code), true)).unwrap();
    }
    let ended = world.begin(ada("done").uuid("event-1")).session_id;
    world.answer_sends([Err(SendError::rejected("blocked"))]);
    let started = world.begin(ada("f").uuid("event-2"));
    let other = world.begin(TriggerRequest::new("f").phone(BOB));
    assert_eq!(counted(erase(&world, &started.contact_id, EraseOptions::new())), [2, 1, 2, 1, 2]);
    assert!(block_on(world.bot.contact(&started.contact_id)).unwrap().is_none());
    assert!(block_on(world.bot.contact_at(&ada_address())).unwrap().is_none());
    for session in [ended, started.session_id] {
        assert!(block_on(world.bot.session(session)).unwrap().is_none());
        assert!(world.journal(session).is_empty());
    }
    assert_eq!(world.dead_letters().len(), 0);
    let left = world.sessions(SessionFilter::all());
    assert_eq!(left.iter().map(|record| record.session().id()).collect::<Vec<_>>(), [other.session_id]);
    assert_eq!(told(block_on(world.bot.cancel(started.session_id))).0, "session_not_found");
    world.tick_after(days(1));
    assert_eq!(counted(erase(&world, &started.contact_id, EraseOptions::new())), [0; 5], "repeating is safe");
}

/// S11, T5: a retry of its key is told that the contact was erased, until the key's retention is
/// over.
#[test]
fn a_retry_of_an_erased_contacts_key_is_told_so() {
    let world = World::with([question("f")]);
    let started = world.begin(ada("f").uuid("event-1"));
    erase(&world, &started.contact_id, EraseOptions::new());
    let error = world.try_trigger(ada("f").uuid("event-1")).unwrap_err();
    assert!(matches!(error, Error::Erased(_)));
    assert_eq!((error.code(), error.http_status(), error.is_retryable()), ("erased", 410, false));
    assert_eq!(error.to_string(), "key `event-1` was used for a contact that was erased");
    let other_request = world.try_trigger(TriggerRequest::new("f").phone(BOB).uuid("event-1"));
    assert_eq!(told(other_request).0, "erased", "the old request is not known any more");
    let anew = world.begin(ada("f").uuid("event-2"));
    assert_ne!(anew.contact_id, started.contact_id);
    world.pass(hours(24));
    assert_ne!(
        world.begin(TriggerRequest::new("f").phone(BOB).uuid("event-1")).session_id,
        started.session_id
    );
}

/// S11: what is on its way under a lease is not gone on with; the session does not come back.
#[test]
fn an_erase_stops_a_delivery() {
    let channel = chatflow::testkit::Recorder::new();
    let world = World::sending(
        chatflow::send_fn(|_message| std::future::pending::<Result<_, SendError>>()),
        channel,
        |builder| builder,
    );
    world.publish([question("f")]);
    abandon(world.bot.trigger(ada("f").contact_id("ada").uuid("event-1")));
    let erased = erase(&world, &contact_id("ada"), EraseOptions::new());
    assert_eq!(counted(erased), [1, 1, 0, 1, 1]);
    world.tick_after(minutes(5));
    assert!(world.sessions(SessionFilter::all()).is_empty());
}

/// S11: without an opt-out to be kept, the same address starts anew.
#[test]
fn an_erased_opt_out_is_gone_unless_it_is_kept() {
    let world = World::built(|builder| builder.erasure_key([7; 16]));
    world.publish([question("f")]);
    world.begin(ada("f").contact_id("ada"));
    block_on(world.bot.opt_out(&contact_id("ada"))).unwrap();
    erase(&world, &contact_id("ada"), EraseOptions::new());
    world.begin(ada("f").contact_id("ada"));
}

/// S11, T10: a hash of each address outlasts the contact; a contact that is made from one starts
/// opted out.
#[test]
fn a_kept_opt_out_is_carried_by_the_address() {
    let menu = || question("menu").on(json!([{"match": "exact", "text": "hello"}]));
    let world = World::built(|builder| builder.erasure_key([7; 16]));
    world.publish([question("f"), menu()]);
    world.begin(ada("f").contact_id("ada"));
    block_on(world.bot.opt_out(&contact_id("ada"))).unwrap();
    let since = world.contact(&contact_id("ada")).opted_out_at;
    assert_eq!(
        counted(erase(&world, &contact_id("ada"), EraseOptions::new().keep_opt_out())),
        [1, 1, 0, 0, 0]
    );
    assert!(block_on(world.bot.contact_at(&ada_address())).unwrap().is_none());

    assert_eq!(world.trigger(ada("f")), Triggered::Refused(Refusal::OptedOut));
    assert_eq!(world.trigger(ada("f").contact_id("other")), Triggered::Refused(Refusal::OptedOut));
    assert!(block_on(world.bot.contact(&contact_id("other"))).unwrap().is_none());
    world.begin(TriggerRequest::new("f").phone(BOB));

    assert!(matches!(world.say("hello"), Received::Started { .. }));
    let came_back = block_on(world.bot.contact_at(&ada_address())).unwrap().unwrap();
    assert_eq!(came_back.opted_out_at, since);
    assert_eq!(world.trigger(ada("f")), Triggered::Refused(Refusal::OptedOut));
}

/// S11, T10.
#[test]
fn a_transactional_trigger_overrides_a_kept_opt_out_and_keeps_it() {
    let world = World::built(|builder| builder.erasure_key([7; 16]));
    world.publish([question("f")]);
    world.begin(ada("f").contact_id("ada"));
    block_on(world.bot.opt_out(&contact_id("ada"))).unwrap();
    erase(&world, &contact_id("ada"), EraseOptions::new().keep_opt_out());
    let session = world.begin(ada("f").contact_id("new").transactional());
    assert!(world.contact(&contact_id("new")).opted_out_at.is_some());
    assert_eq!(world.state(session.session_id), Status::Waiting);
}

/// S11: who opted in again is forgotten with that.
#[test]
fn an_opt_in_clears_a_kept_opt_out_at_the_next_erase() {
    let world = World::built(|builder| builder.erasure_key([7; 16]));
    world.publish([question("f")]);
    let ada_id = contact_id("ada");
    world.begin(ada("f").contact_id("ada"));
    block_on(world.bot.opt_out(&ada_id)).unwrap();
    erase(&world, &ada_id, EraseOptions::new().keep_opt_out());
    world.begin(ada("f").contact_id("ada").transactional());
    block_on(world.bot.opt_in(&ada_id)).unwrap();
    erase(&world, &ada_id, EraseOptions::new().keep_opt_out());
    let started = world.begin(ada("f"));
    assert_eq!(world.contact(&started.contact_id).opted_out_at, None);
}

/// S11: a hash that is not keyed could be undone by trying all telephone numbers.
#[test]
fn an_opt_out_is_kept_only_under_a_secret() {
    let world = World::with([question("f")]);
    let refused = block_on(world.bot.erase(&contact_id("ada"), EraseOptions::new().keep_opt_out()));
    let rule = "`keep_opt_out` needs an engine that was built with an `erasure_key`";
    assert_eq!(told(refused), ("invalid_input", rule.to_owned()));
}

/// S11: sessions that ended otherwise, and a contact that nobody has ever heard of.
#[test]
fn an_unknown_contact_is_erased_already() {
    let world = World::with([question("f")]);
    assert_eq!(erase(&world, &contact_id("nobody"), EraseOptions::new()), Erased::default());
    let session = world.start("f");
    block_on(world.bot.opt_out(&session.contact_id)).unwrap();
    let ended = world.session(session.session_id);
    assert_eq!((ended.ended_by(), ended.version()), (Some(EndReason::OptedOut), FlowVersion(1)));
    assert_eq!(counted(erase(&world, &session.contact_id, EraseOptions::new())), [1, 1, 0, 0, 0]);
    let choice = Inbound::choice(
        Channel::WhatsApp,
        SHOP,
        ADA,
        format!("cf:{}:1:x", SessionId(uuid::Uuid::nil())),
        "x",
    );
    assert_eq!(world.receive(choice), Received::Unmatched);
}

/// S11, A2, A4: an opt-out is kept under every form of each address, and found by any address that
/// comes with a message, a receipt or `relink`.
#[test]
fn a_kept_opt_out_is_found_by_every_address_of_the_person() {
    const OLD: &str = "5215512345678";
    const NEW: &str = "525512345678";
    const ID: &str = "MX.13491208655302741918";
    let whatsapp = |text: &str| Address::new(&account(SHOP), text).unwrap();
    let begun = || {
        let hello = question("hello").on(json!([{"match": "exact", "text": "hello"}]));
        let world = World::built(|builder| builder.erasure_key([7; 16]));
        world.publish([question("f"), hello]);
        world.begin(TriggerRequest::new("f").phone(format!("+{OLD}")).contact_id("ada"));
        block_on(world.bot.opt_out(&contact_id("ada"))).unwrap();
        erase(&world, &contact_id("ada"), EraseOptions::new().keep_opt_out());
        world
    };
    let opted_out = |world: &World, address: &str| {
        let contact = block_on(world.bot.contact_at(&whatsapp(address))).unwrap();
        contact.map(|contact| contact.opted_out_at.is_some())
    };
    // The other form of the number.
    let world = begun();
    let triggered = world.trigger(TriggerRequest::new("f").phone(format!("+{NEW}")));
    assert_eq!(triggered, Triggered::Refused(Refusal::OptedOut));
    world.receive(Inbound::text(Channel::WhatsApp, SHOP, NEW, "hello"));
    assert_eq!(opted_out(&world, NEW), Some(true));
    // Beside the address of a sender who is new, and of one who is known.
    let world = begun();
    world.receive(Inbound::text(Channel::WhatsApp, SHOP, ID, "hello").also(whatsapp(NEW)));
    assert_eq!(opted_out(&world, ID), Some(true));
    let world = begun();
    let Received::Started { session } = world.receive(Inbound::text(Channel::WhatsApp, SHOP, ID, "hello"))
    else {
        panic!("not started")
    };
    assert_eq!(opted_out(&world, ID), Some(false));
    world.receive(Inbound::text(Channel::WhatsApp, SHOP, ID, "hm").also(whatsapp(NEW)));
    assert_eq!((opted_out(&world, ID), world.state(session)), (Some(true), Status::Cancelled));
    // By a receipt.
    let world = begun();
    world.answer_sends([Ok(chatflow::Receipt::known_as(whatsapp(NEW)))]);
    world.receive(Inbound::text(Channel::WhatsApp, SHOP, ID, "hello"));
    assert_eq!(opted_out(&world, NEW), Some(true));
    // By a number in the place of an id; who opts in again stays in.
    let world = begun();
    world.receive(Inbound::text(Channel::WhatsApp, SHOP, ID, "hello"));
    block_on(world.bot.relink(&whatsapp(ID), &whatsapp(NEW))).unwrap();
    assert_eq!(opted_out(&world, NEW), Some(true));
    world.receive(Inbound::text(Channel::WhatsApp, SHOP, NEW, "start"));
    world.receive(Inbound::text(Channel::WhatsApp, SHOP, OLD, "hello").also(whatsapp(ID)));
    assert_eq!(opted_out(&world, NEW), Some(false));
}
