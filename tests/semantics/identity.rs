//! The identity of people: the forms of a number, addresses that belong together, two contacts that
//! turn out to be one, addresses that change hands: A2 to A7.

use chatflow::address::{AddressKind, Phone};
use chatflow::observer::EventKind;
use chatflow::session::EndReason;
use chatflow::{
    Account, Address, Channel, Inbound, MemoryStore, Receipt, Received, Refusal, Status, TriggerRequest,
    Triggered,
};
use pollster::block_on;
use serde_json::json;

use crate::identity_kit::{
    Town, a_name_gets_the_address, addresses_are_linked, an_opt_out_is_the_persons, numbers_change_hands,
    two_become_one,
};
use crate::kit::*;

const BSUID: &str = "US.13491208655302741918";
/// One Mexican number as WhatsApp has it, and as the numbering plan does.
const OLD: &str = "+5215512345678";
const NEW: &str = "+525512345678";

fn phone(text: &str) -> Address {
    Address::Phone(Phone::parse(text).unwrap())
}

fn whatsapp(id: &str) -> Address {
    Address::new(&Account::new(Channel::WhatsApp, SHOP).unwrap(), id).unwrap()
}

fn writes(from: &str, text: &str) -> Inbound {
    Inbound::text(Channel::WhatsApp, SHOP, from, text)
}

/// A flow that a message starts, which waits.
fn hello(code: &str, word: &str) -> Sketch {
    question(code).on(json!([{"match": "exact", "text": word}]))
}

fn started(received: &Received) -> chatflow::SessionId {
    let Received::Started { session } = received else { panic!("{received:?}") };
    *session
}

fn contact_at(world: &World, address: &Address) -> Option<String> {
    block_on(world.bot.contact_at(address)).unwrap().map(|contact| contact.id.to_string())
}

fn ended_by(world: &World, session: chatflow::SessionId) -> Option<EndReason> {
    let record = block_on(world.bot.session(session)).unwrap().unwrap();
    record.session().ended_by()
}

// --- A2: two forms of one number
// -------------------------------------------------------------------------------------------------

/// A2
#[test]
fn both_forms_of_a_number_lead_to_one_contact() {
    for (one, other) in [
        (OLD, NEW),
        (NEW, OLD),
        ("+5491123456789", "+541123456789"),
        ("+5511981234567", "+551181234567"),
        ("+2290195123456", "+22995123456"),
    ] {
        let world = World::with([question("q")]);
        let session = world.begin(TriggerRequest::new("q").phone(one));
        let again = world.trigger(TriggerRequest::new("q").phone(other));
        let Triggered::AlreadyRunning(running) = again else { panic!("{again:?}") };
        assert_eq!(running.session_id, session.session_id);
        let session = session.session_id;
        assert_eq!(world.receive(writes(other, "Fine")), Received::Consumed { session });
        assert_eq!(contact_at(&world, &phone(one)), contact_at(&world, &phone(other)));
    }
}

/// A2
#[test]
fn the_form_that_the_channel_uses_is_written_to() {
    let world = World::with([question("q"), question("r")]);
    world.begin(TriggerRequest::new("q").phone(NEW));
    assert_eq!(world.channel.sent().last().unwrap().to().clone(), phone(NEW));
    world.receive(writes(OLD, "Fine"));
    assert_eq!(world.channel.sent().last().unwrap().to().clone(), phone(OLD), "the session goes on there");
    world.begin(TriggerRequest::new("r").phone(NEW));
    assert_eq!(world.channel.sent().last().unwrap().to().clone(), phone(OLD), "as the channel has it");
}

/// A2
#[test]
fn a_receipt_with_the_other_form_keeps_one_contact() {
    let world = World::with([question("q"), hello("hi", "hello")]);
    world.receive(writes(OLD, "hello"));
    world.receive(writes(OLD, "Fine"));
    world.answer_sends([Ok(Receipt::known_as(phone(OLD)))]);
    let session = world.begin(TriggerRequest::new("q").phone(NEW)).session_id;
    assert_eq!(world.receive(writes(OLD, "Fine")), Received::Consumed { session });
    assert_eq!(contact_at(&world, &phone(OLD)), contact_at(&world, &phone(NEW)));
}

/// A2
#[test]
fn an_opt_out_of_one_form_counts_for_the_other() {
    let world = World::with([question("q"), hello("hi", "hello")]);
    world.receive(writes(OLD, "hello"));
    world.receive(writes(OLD, "STOP"));
    assert_eq!(world.trigger(TriggerRequest::new("q").phone(NEW)), Triggered::Refused(Refusal::OptedOut));
}

// --- A3: kinds of addresses
// -------------------------------------------------------------------------------------------------

/// A3
#[test]
fn an_address_says_of_which_kind_it_is() {
    let on = |channel: Channel, account: &str, id: &str| {
        Address::new(&Account::new(channel, account).unwrap(), id).map(|address| address.kind())
    };
    for (id, kind) in [
        ("14155550123", AddressKind::Phone),
        ("+6834000", AddressKind::Phone),
        (BSUID, AddressKind::BusinessScoped),
        ("DE.ENT.1a2B3c", AddressKind::BusinessScoped),
    ] {
        assert_eq!(on(Channel::WhatsApp, SHOP, id).unwrap(), kind, "{id}");
    }
    for id in ["", "US.", "us.134", "USA.134", "US.13-4", "72727", "ACME", "US.ENT."] {
        assert!(on(Channel::WhatsApp, SHOP, id).is_err(), "{id}");
    }
    assert!(on(Channel::WhatsApp, SHOP, &format!("US.{}", "1".repeat(128))).is_ok());
    assert!(on(Channel::WhatsApp, SHOP, &format!("US.{}", "1".repeat(129))).is_err());
    for id in ["72727", "123", "1234567", "12345678", "50012345", "ACME", "My Shop", "O2-Info"] {
        assert_eq!(on(Channel::Sms, "555", id).unwrap(), AddressKind::SmsSender, "{id}");
    }
    for id in ["+50012345", "+12345678", "123456789", "14155550123"] {
        assert_eq!(on(Channel::Sms, "555", id).unwrap(), AddressKind::Phone, "{id}");
    }
    for id in ["12", "A name too long", ""] {
        assert!(on(Channel::Sms, "555", id).is_err(), "{id}");
    }
    assert_eq!(on(Channel::Messenger, "page", "77").unwrap(), AddressKind::AccountScoped);
    assert_eq!(
        on(Channel::Viber, "shop", "72727").unwrap_err().to_string(),
        Phone::parse("").unwrap_err().to_string()
    );
}

/// A3
#[test]
fn who_shows_no_number_is_talked_with() {
    let world = World::with([hello("hi", "hello")]);
    let session = started(&world.receive(writes(BSUID, "hello")));
    let sent = world.channel.sent().pop().unwrap();
    assert_eq!((sent.to().kind(), sent.to().to_string()), (AddressKind::BusinessScoped, BSUID.to_owned()));
    assert_eq!(world.receive(writes(BSUID, "Fine")), Received::Consumed { session });
    assert_eq!(world.contact(&sent.contact).addresses[0].phone(), None, "no number is known");
}

/// A3
#[test]
fn a_business_scoped_id_is_one_on_every_account() {
    let world = World::with([hello("hi", "hello")]);
    world.receive(writes(BSUID, "hello"));
    let other = Address::new(&Account::new(Channel::WhatsApp, "+15550111").unwrap(), BSUID).unwrap();
    assert_eq!(contact_at(&world, &other), contact_at(&world, &whatsapp(BSUID)));
    assert!(contact_at(&world, &other).is_some());
}

// --- A4: addresses that come together
// -------------------------------------------------------------------------------------------------

/// A4
#[test]
fn a_message_with_two_addresses_links_them() {
    let world = World::with([hello("hi", "hello")]);
    let session = started(&world.receive(writes(BSUID, "hello").also(phone(ADA))));
    assert_eq!(world.receive(writes(ADA, "Fine")), Received::Consumed { session });
    assert_eq!(contact_at(&world, &phone(ADA)), contact_at(&world, &whatsapp(BSUID)));
}

/// A4
#[test]
fn a_known_contact_gets_the_address_of_a_sender_who_is_not() {
    let world = World::with([question("q")]);
    let session = world.begin(TriggerRequest::new("q").phone(ADA)).session_id;
    assert_eq!(world.receive(writes(BSUID, "Fine").also(phone(ADA))), Received::Consumed { session });
    assert_eq!(contact_at(&world, &phone(ADA)), contact_at(&world, &whatsapp(BSUID)));

    let world = World::with([question("q")]);
    let session = world.begin(ada("q").contact_id("ada")).session_id;
    assert_eq!(world.receive(writes(BSUID, "Fine").also(phone(ADA))), Received::Consumed { session });
    assert_eq!(contact_at(&world, &whatsapp(BSUID)).as_deref(), Some("ada"), "also one that has a name");
}

/// A4
#[test]
fn a_receipt_links_an_address_that_was_not_known() {
    let world = World::with([question("q")]);
    world.answer_sends([Ok(Receipt::known_as(whatsapp(BSUID)))]);
    let session = world.begin(TriggerRequest::new("q").phone(ADA)).session_id;
    assert_eq!(world.receive(writes(BSUID, "Fine")), Received::Consumed { session });
}

/// A4
#[test]
fn more_addresses_than_eight_are_refused() {
    let world = World::with([hello("hi", "hello")]);
    let many =
        (0..9).fold(writes(BSUID, "hello"), |message, n| message.also(phone(&format!("+1415555010{n}"))));
    let error = block_on(world.bot.receive(many)).unwrap_err();
    assert_eq!(error.to_string(), "`also` must be at most 8 addresses");
}

// --- A5: two contacts that are one
// -------------------------------------------------------------------------------------------------

/// A5
#[test]
fn two_contacts_that_nobody_named_become_one() {
    let world = World::with([hello("one", "one").wait("more"), hello("two", "two").wait("more")]);
    let first = started(&world.receive(writes(ADA, "one")));
    let second = started(&world.receive(writes(BSUID, "two")));
    let (older, younger) = (contact_at(&world, &phone(ADA)), contact_at(&world, &whatsapp(BSUID)));
    assert_ne!(older, younger);
    let taken = world.receive(writes(BSUID, "hm").id("m1").also(phone(ADA)));
    assert_eq!(taken, Received::Consumed { session: second });
    assert_eq!(contact_at(&world, &whatsapp(BSUID)), older, "the older id stays");
    let contact = contact_id(older.as_deref().unwrap());
    assert_eq!(world.contact(&contact).addresses, [phone(ADA), whatsapp(BSUID)]);
    assert!(block_on(world.bot.contact(&contact_id(younger.as_deref().unwrap()))).unwrap().is_none());
    for session in [first, second] {
        assert_eq!(world.session(session).status(), Status::Waiting, "the sessions come along");
    }
    let again = world.receive(writes(BSUID, "hm").id("m1").also(phone(ADA)));
    assert!(matches!(again, Received::Duplicate { .. }), "{again:?}");
    let merged = world.notes().iter().any(|event| matches!(event, EventKind::ContactsMerged { .. }));
    assert!(merged);
}

/// A5
#[test]
fn a_contact_names_all_that_it_was_before() {
    let world = World::with([hello("hi", "hello")]);
    let other = "US.13491208655302741919";
    for from in [ADA, BSUID, other] {
        world.receive(writes(from, "hello"));
    }
    let ids = [phone(ADA), whatsapp(BSUID), whatsapp(other)];
    let [older, second, third] = ids.map(|id| contact_id(&contact_at(&world, &id).unwrap()));
    assert_eq!(world.contact(&older).former_ids(), []);
    world.receive(writes(other, "hm").also(whatsapp(BSUID)));
    assert_eq!(world.contact(&second).former_ids(), std::slice::from_ref(&third));
    world.receive(writes(BSUID, "hm").also(phone(ADA)));
    assert_eq!(world.contact(&older).former_ids(), [second, third]);
    let stored = serde_json::to_string(&world.contact(&older)).unwrap();
    let read: chatflow::session::Contact = serde_json::from_str(&stored).unwrap();
    assert_eq!(read, world.contact(&older));
}

/// A5
#[test]
fn of_two_sessions_of_a_flow_the_newer_wait_stays() {
    for newer_is in [ADA, BSUID] {
        let world = World::with([hello("hi", "hello").wait("more")]);
        let (mut ada, mut bsuid) = (None, None);
        for from in [ADA, BSUID] {
            let session = started(&world.receive(writes(from, "hello")));
            *(if from == ADA { &mut ada } else { &mut bsuid }) = Some(session);
            world.tick_after(seconds(5));
        }
        world.receive(writes(newer_is, "Fine"));
        world.tick_after(seconds(5));
        let (stays, ends) = if newer_is == ADA { (ada, bsuid) } else { (bsuid, ada) };
        let (stays, ends) = (stays.unwrap(), ends.unwrap());
        let consumed = world.receive(writes(BSUID, "All").also(phone(ADA)));
        assert_eq!(consumed, Received::Consumed { session: stays });
        assert_eq!(ended_by(&world, ends), Some(EndReason::Merged));
    }
}

/// A5
#[test]
fn an_opt_out_on_either_side_counts_for_the_person() {
    for out in [ADA, BSUID] {
        let world = World::with([hello("one", "one"), hello("two", "two"), question("q")]);
        let first = started(&world.receive(writes(ADA, "one")));
        let second = started(&world.receive(writes(BSUID, "two")));
        world.receive(writes(out, "STOP"));
        world.receive(writes(BSUID, "hm").also(phone(ADA)));
        for session in [first, second] {
            assert_eq!(ended_by(&world, session), Some(EndReason::OptedOut), "{out}");
        }
        let refused = world.trigger(TriggerRequest::new("q").phone(ADA));
        assert_eq!(refused, Triggered::Refused(Refusal::OptedOut));
    }
}

/// A5
#[test]
fn a_receipt_unites_too() {
    let world = World::with([question("q"), hello("hi", "hello")]);
    let first = started(&world.receive(writes(BSUID, "hello")));
    world.answer_sends([Ok(Receipt::known_as(whatsapp(BSUID)))]);
    let second = world.begin(TriggerRequest::new("q").phone(ADA)).session_id;
    assert_eq!(contact_at(&world, &phone(ADA)), contact_at(&world, &whatsapp(BSUID)));
    let taken = [world.receive(writes(BSUID, "Fine")), world.receive(writes(ADA, "Fine"))];
    for session in [first, second] {
        assert!(taken.contains(&Received::Consumed { session }), "{taken:?}");
    }
}

/// A5
#[test]
fn contacts_that_the_host_named_are_never_merged() {
    let world = World::with([question("q"), hello("hi", "hello")]);
    world.begin(TriggerRequest::new("q").phone(ADA).contact_id("ada"));
    world.begin(TriggerRequest::new("q").address(Channel::WhatsApp, SHOP, BSUID).contact_id("bob"));
    world.receive(writes(BSUID, "Fine").also(phone(ADA)));
    assert_eq!(contact_at(&world, &phone(ADA)).as_deref(), Some("ada"));
    assert_eq!(contact_at(&world, &whatsapp(BSUID)).as_deref(), Some("bob"));
    // Nor is one that has a name with one that has none and is in a session.
    let session = started(&world.receive(writes(BOB, "hello")));
    assert_eq!(world.receive(writes(BOB, "Fine").also(phone(ADA))), Received::Consumed { session });
    assert_eq!(contact_at(&world, &phone(ADA)).as_deref(), Some("ada"));
}

/// A5
#[test]
fn what_is_said_later_of_a_contact_that_was_merged_finds_the_other() {
    let world = World::with([
        hello("one", "one"),
        flow("two")
            .on(json!([{"match": "exact", "text": "two"}]))
            .node("f", "function", json!({"function": "price", "save_to": "p"}))
            .send("bye", "{{vars.p}}")
            .wait("w"),
    ]);
    world.receive(writes(ADA, "one"));
    let session = started(&world.receive(writes(BSUID, "two")));
    world.tick();
    let call = world.calls().pop().unwrap().reference;
    world.receive(writes(BSUID, "hm").also(phone(ADA)));
    let done = block_on(world.bot.complete(call, chatflow::CallResult::value(7))).unwrap();
    assert_eq!(done, chatflow::Completed::Resumed);
    assert_eq!(world.sent().pop().unwrap(), "7");
    let sent = world.channel.sent().pop().unwrap();
    assert_eq!(
        (sent.session(), sent.contact.to_string()),
        (session, contact_at(&world, &phone(ADA)).unwrap())
    );
}

// --- A6: addresses that change hands
// -------------------------------------------------------------------------------------------------

/// A6
#[test]
fn a_changed_address_takes_the_place_of_the_old_one() {
    let world = World::with([question("q")]);
    let session = world.begin(TriggerRequest::new("q").phone(ADA)).session_id;
    block_on(world.bot.relink(&phone(ADA), &phone(BOB))).unwrap();
    assert_eq!(contact_at(&world, &phone(ADA)), None);
    assert_eq!(world.receive(writes(BOB, "Fine")), Received::Consumed { session });
    assert_eq!(world.channel.sent().last().unwrap().to().clone(), phone(BOB));
    block_on(world.bot.relink(&phone(ADA), &phone(BOB))).unwrap();
    block_on(world.bot.relink(&whatsapp(BSUID), &phone(OLD))).unwrap();
    assert_eq!(contact_at(&world, &phone(OLD)), None, "a stranger's change is nobody's fault");
}

/// A6
#[test]
fn a_session_that_waits_goes_on_at_the_new_address() {
    let world = World::with([flow("f").send("a", "One").delay("d", "1m").send("b", "Two")]);
    world.begin(TriggerRequest::new("f").phone(ADA));
    block_on(world.bot.relink(&phone(ADA), &whatsapp(BSUID))).unwrap();
    world.tick_after(seconds(61));
    assert_eq!(world.channel.sent().last().unwrap().to().clone(), whatsapp(BSUID));
}

/// A6
#[test]
fn a_changed_address_of_a_named_contact_stays_with_its_holder() {
    let world = World::with([question("q")]);
    world.begin(ada("q").contact_id("ada"));
    world.begin(TriggerRequest::new("q").phone(BOB).contact_id("bob"));
    let error = block_on(world.bot.relink(&phone(ADA), &phone(BOB))).unwrap_err();
    assert_eq!(error.to_string(), "`new` belongs to contact `bob`");
    assert_eq!(contact_at(&world, &phone(ADA)).as_deref(), Some("ada"));
}

/// A6
#[test]
fn both_forms_of_a_number_can_be_exchanged() {
    let world = World::with([question("q")]);
    let session = world.begin(TriggerRequest::new("q").phone(OLD)).session_id;
    block_on(world.bot.relink(&phone(OLD), &phone(NEW))).unwrap();
    assert_eq!(world.receive(writes(NEW, "Fine")), Received::Consumed { session });
    assert_eq!(contact_at(&world, &phone(OLD)), contact_at(&world, &phone(NEW)));
}

/// A6
#[test]
fn a_number_that_was_given_away_is_somebody_elses() {
    let world = World::with([question("q"), hello("hi", "hello")]);
    let session = world.begin(TriggerRequest::new("q").phone(ADA));
    block_on(world.bot.opt_out(&session.contact_id)).unwrap();
    assert!(block_on(world.bot.unlink(&phone(ADA))).unwrap());
    assert!(!block_on(world.bot.unlink(&phone(ADA))).unwrap(), "safe to repeat");
    let fresh = started(&world.receive(writes(ADA, "hello")));
    assert_ne!(contact_at(&world, &phone(ADA)).unwrap(), session.contact_id.to_string());
    assert_eq!(world.session(fresh).status(), Status::Waiting, "the opt-out was the old owner's");
    assert!(world.contact(&session.contact_id).opted_out_at.is_some());
}

/// A6
#[test]
fn sessions_with_an_address_that_was_given_away_end() {
    let world = World::with([flow("f").send("a", "One").delay("d", "1m").send("b", "Two")]);
    let session = world.begin(TriggerRequest::new("f").phone(ADA)).session_id;
    assert!(block_on(world.bot.unlink(&phone(ADA))).unwrap());
    world.tick_after(seconds(61));
    assert_eq!(world.sent(), ["One"]);
    assert_eq!(ended_by(&world, session), Some(EndReason::Unlinked));
}

// --- A7: which address is written to
// -------------------------------------------------------------------------------------------------

/// A7
#[test]
fn a_number_is_preferred_where_both_are_known() {
    let world = World::with([question("q"), hello("hi", "hello")]);
    let contact = contact_id("ada");
    world.begin(ada("q").contact_id("ada"));
    world.receive(writes(BSUID, "Fine").contact_id("ada"));
    world.begin(TriggerRequest::new("q").contact_id("ada"));
    assert_eq!(world.contact(&contact).addresses.len(), 2);
    assert_eq!(world.channel.sent().last().unwrap().to().clone(), phone(ADA));
}

/// A7, D4: also where the session's last message came from the id.
#[test]
fn an_answer_goes_to_the_number_where_both_are_known() {
    let world = World::with([hello("hi", "hello").wait("more").send("end", "Done")]);
    let contact = contact_id("ada");
    let session = started(&world.receive(writes(BSUID, "hello").contact_id("ada")));
    assert_eq!(world.channel.sent().pop().unwrap().to(), &whatsapp(BSUID));
    world.receive(writes(BSUID, "Fine").also(phone(ADA)));
    assert_eq!(world.contact(&contact).addresses.len(), 2);
    assert_eq!(world.receive(writes(BSUID, "All")), Received::Consumed { session });
    assert_eq!(world.channel.sent().pop().unwrap().to(), &phone(ADA));
}

/// A7
#[test]
fn an_authentication_template_goes_to_a_number_alone() {
    let template =
        |category: &str| json!({"template": {"name": "code", "language": "en", "category": category}});
    let flow = |category: &str| {
        flow(category).on(json!([{"match": "exact", "text": category}])).node(
            "t",
            "send_message",
            template(category),
        )
    };
    let world = World::with([flow("authentication"), flow("utility")]);
    let session = started(&world.receive(writes(BSUID, "authentication")));
    let failed = world.session(session);
    assert_eq!(
        failed.failure().map(|failure| failure.code),
        Some(chatflow::session::FailureCode::NoDestination)
    );
    world.receive(writes(BSUID, "utility"));
    assert_eq!(world.channel.sent().pop().unwrap().to(), &whatsapp(BSUID));
    world.receive(writes(BSUID, "authentication").also(phone(ADA)));
    assert_eq!(world.channel.sent().pop().unwrap().to(), &phone(ADA));
}

// --- A1: the region of a flow
// -------------------------------------------------------------------------------------------------

/// A1
#[test]
#[cfg(feature = "phone-numbers")]
fn a_trigger_takes_a_number_as_it_is_dialled_in_the_region_of_the_flow() {
    let world = World::with([look_in("GB"), question("nowhere"), from_context("in", "DE")]);
    let contact = world.begin(TriggerRequest::new("look").phone("07911 123456")).contact_id;
    assert_eq!(world.contact(&contact).addresses, [phone("+447911123456")]);
    let again = world.begin(TriggerRequest::new("look").phone("+44 (0)7911 123456")).contact_id;
    assert_eq!(again, contact);
    let (code, told) = world.refusal(TriggerRequest::new("nowhere").phone("07911 123456"));
    assert!(code == "invalid_input" && told.starts_with("`phone` must be a telephone number"), "{told}");
    let there = world.begin(TriggerRequest::new("in").context(json!({"mobile": "0176/1234567"})));
    assert_eq!(world.contact(&there.contact_id).addresses, [phone("+491761234567")]);
}

/// A1
#[test]
#[cfg(feature = "phone-numbers")]
fn a_key_is_replayed_for_a_number_without_its_calling_code() {
    let world = World::with([look_in("GB")]);
    let request = || TriggerRequest::new("look").phone("07911 123456").uuid("k");
    let first = world.begin(request());
    let Triggered::Started(again) = world.trigger(request()) else { panic!("it is a replay") };
    assert!(again.replayed && again.session_id == first.session_id);
}

#[cfg(feature = "phone-numbers")]
fn look_in(region: &str) -> Sketch {
    flow("look").set("concurrency", json!("unlimited")).set("default_region", json!(region))
}

#[cfg(feature = "phone-numbers")]
fn from_context(code: &str, region: &str) -> Sketch {
    flow(code).set("default_region", json!(region)).start("contact_from", json!("mobile"))
}

// --- the same as on any store
// -------------------------------------------------------------------------------------------------

/// A2, A4, A5, A6
#[test]
fn people_are_found_in_memory() {
    let town = || Town::new(MemoryStore::new());
    block_on(async {
        addresses_are_linked(town().await).await;
        two_become_one(town().await).await;
        a_name_gets_the_address(town().await).await;
        an_opt_out_is_the_persons(town().await).await;
        numbers_change_hands(town().await).await;
    });
}

/// A4: what cannot be read beside the sender's address is left out, and the message is taken.
#[test]
fn an_address_that_is_none_costs_no_message() {
    let world = World::with([hello("hi", "hello")]);
    let message =
        writes(BSUID, "hello").also_written("not a number").also_written(ADA.trim_start_matches('+'));
    started(&world.receive(message.also_written("")));
    assert_eq!(contact_at(&world, &phone(ADA)), contact_at(&world, &whatsapp(BSUID)));
    assert!(world.notes().contains(&EventKind::AddressLeftOut { count: 2 }));
    let many =
        (0..12).fold(writes(BSUID, "hello"), |message, n| message.also_written(format!("141555501{n:02}")));
    assert!(matches!(world.receive(many), Received::Consumed { .. }));
    let left_out = world.notes().into_iter().find(|note| matches!(note, EventKind::AddressLeftOut { .. }));
    assert_eq!(left_out, Some(EventKind::AddressLeftOut { count: 4 }));
}

/// A5, S10: a session of the side that was not silent is held from the union on, the others since
/// they were.
#[test]
fn a_session_is_held_for_the_time_for_which_it_was() {
    for (silent, other) in [(ADA, BSUID), (BSUID, ADA)] {
        let waiting = |code: &str| {
            let sketch = flow(code).on(json!([{"match": "exact", "text": code}])).send("hi", "Hi");
            sketch.wait_for("wait", "60m").send("late", "Late")
        };
        let world = World::with([waiting("one"), waiting("two")]);
        let address = |from: &str| if from == ADA { phone(ADA) } else { whatsapp(BSUID) };
        let began = world.now();
        let held = started(&world.receive(writes(silent, "one")));
        let ran = started(&world.receive(writes(other, "two")));
        let contact = contact_id(&contact_at(&world, &address(silent)).unwrap());
        world.tick_after(seconds(10 * 60));
        block_on(world.bot.pause(&contact, None)).unwrap();
        world.tick_after(seconds(30 * 60));
        assert_eq!(world.receive(writes(BSUID, "hm").also(phone(ADA))), Received::Paused);
        world.tick_after(seconds(10 * 60));
        let contact = contact_id(&contact_at(&world, &phone(ADA)).unwrap());
        block_on(world.bot.unpause(&contact)).unwrap();
        let minutes = |session| (world.session(session).deadline().unwrap() - began).num_minutes();
        assert_eq!((minutes(held), minutes(ran)), (100, 70), "{silent} was silent for 40 minutes");
    }
}

/// A5, Q3: a pause of either counts for the person, and of two the one that lasts longer.
#[test]
fn a_pause_on_either_side_counts_for_the_person() {
    let hour = |count| Some(Some(count));
    let cases = [
        (hour(1), None, hour(1)),
        (None, hour(1), hour(1)),
        (hour(1), hour(2), hour(2)),
        (hour(2), hour(1), hour(2)),
        (hour(1), Some(None), Some(None)),
        (Some(None), hour(1), Some(None)),
        (None, None, None),
    ];
    for (first, second, both) in cases {
        let world = World::with([hello("one", "one"), hello("two", "two")]);
        world.receive(writes(ADA, "one"));
        world.receive(writes(BSUID, "two"));
        let began = world.now();
        let end = |hours: i64| began + crate::kit::hours(hours);
        for (address, pause) in [(phone(ADA), first), (whatsapp(BSUID), second)] {
            let contact = contact_id(&contact_at(&world, &address).unwrap());
            let Some(until) = pause else { continue };
            block_on(world.bot.pause(&contact, until.map(end))).unwrap();
        }
        let received = world.receive(writes(BSUID, "hm").also(phone(ADA)));
        assert_eq!(received == Received::Paused, both.is_some(), "{first:?} {second:?}");
        let contact = contact_id(&contact_at(&world, &phone(ADA)).unwrap());
        assert_eq!(contact_at(&world, &whatsapp(BSUID)), Some(contact.to_string()));
        let pause = block_on(world.bot.paused(&contact)).unwrap();
        assert_eq!(pause.map(|pause| pause.until), both.map(|until| until.map(end)), "{first:?} {second:?}");
    }
}
