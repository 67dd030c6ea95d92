//! The contact of a trigger or a message, and permission to write to it: T2, T10.

use chatflow::address::Phone;
use chatflow::calls::Answer;
use chatflow::ops::SessionFilter;
use chatflow::session::{EndReason, Profile};
use chatflow::{
    Address, CallResult, Channel, Inbound, Receipt, Received, Refusal, SendError, Status, TriggerRequest,
    Triggered,
};
use pollster::block_on;
use serde_json::json;

use crate::kit::*;

fn phone(text: &str) -> Address {
    Address::Phone(Phone::parse(text).unwrap())
}

fn named(flow: &str, contact: &str) -> TriggerRequest {
    TriggerRequest::new(flow).contact_id(contact)
}

fn holder_of(phone: &str, world: &World) -> String {
    world.begin(TriggerRequest::new("look").phone(phone)).contact_id.to_string()
}

/// A flow that runs through, any number of times.
fn look() -> Sketch {
    flow("look").set("concurrency", json!("unlimited"))
}

// --- T2: addresses
// -------------------------------------------------------------------------------------------------

/// T2
#[test]
fn a_phone_is_a_plus_and_7_to_15_digits_however_it_is_formatted() {
    let world = World::with([flow("f")]);
    for text in [
        "+١٤١٥٥٥٥٠١٢٣",
        "+１４１５５５５０１２３",
        "+1415\u{200b}5550123",
        "tel:+1-415-555-0123",
        "+1 (415) 555-0123",
        " +1.415.555.0123",
        "+1/415/555\u{a0}01-23",
    ] {
        let contact = world.begin(TriggerRequest::new("f").phone(text)).contact_id;
        assert_eq!(world.contact(&contact).addresses, [phone(ADA)]);
    }
    for good in ["+6834000", "+491234567890123"] {
        world.begin(TriggerRequest::new("f").phone(good));
    }
    for bad in
        ["4155550123", "+1234567", "+12345678", "+4912345678901234", "+1415555x123", "+", "", "+0123456789"]
    {
        assert_eq!(
            world.refusal(TriggerRequest::new("f").phone(bad)),
            (
                "invalid_input",
                "`phone` must be a telephone number: `+`, a calling code, and as many digits as its numbering plan has, \
             7-15 in all".to_owned()
            )
        );
    }
}

/// T2
#[test]
fn phone_channels_share_one_address_space_and_a_missing_plus_is_added() {
    let world = World::with([
        look(),
        question("q").node("more", "wait_reply", json!({"any_channel": true})).node(
            "last",
            "wait_reply",
            json!({"any_channel": true}),
        ),
    ]);
    let session = world.begin(ada("q").contact_id("ada")).session_id;
    let consumed = Received::Consumed { session };
    assert_eq!(world.receive(Inbound::text(Channel::WhatsApp, SHOP, "14155550123", "Fine")), consumed);
    assert_eq!(world.receive(Inbound::text(Channel::Sms, "555", "1 415 555 0123", "Fine")), consumed);
    assert_eq!(world.receive(Inbound::text(Channel::Viber, "shop", ADA, "Fine")), consumed);
    assert_eq!(world.contact(&contact_id("ada")).addresses, [phone(ADA)]);
}

/// T2
#[test]
fn on_other_channels_an_address_is_one_accounts() {
    let world = World::with([look()]);
    let on = |account: &str| {
        let request = TriggerRequest::new("look").address(Channel::Messenger, account, "77");
        world.begin(request).contact_id
    };
    let (one, two, again) = (on("page-1"), on("page-2"), on("page-1"));
    assert_ne!(one, two);
    assert_eq!(one, again);
}

/// T2
#[test]
fn a_new_address_makes_a_contact_that_has_opted_in() {
    let world = World::with([flow("f")]);
    let contact = world.contact(&world.start("f").contact_id);
    assert_eq!((contact.addresses, contact.opted_in_at), ([phone(ADA)].into(), Some(world.now())));
}

/// T2
#[test]
fn a_contact_is_made_only_if_a_session_is() {
    let world =
        World::with([flow("f").start("inputs", json!([{"name": "a", "required": true}])), question("q")]);
    assert_eq!(world.refusal(ada("f").contact_id("ada")).0, "invalid_input");
    assert_eq!(world.trigger(ada("q").contact_id("ada").discard_time(world.now())), Triggered::Discarded);
    assert!(block_on(world.bot.contact(&contact_id("ada"))).unwrap().is_none());
}

/// T2
#[test]
fn an_unknown_contact_id_is_created() {
    let world = World::with([question("q")]);
    let session = world.begin(ada("q").contact_id("ada"));
    assert_eq!(session.contact_id, contact_id("ada"));
    assert_eq!(world.contact(&session.contact_id).addresses, [phone(ADA)]);
}

/// T2
#[test]
fn an_unknown_contact_id_is_refused_if_the_host_wants_that() {
    let world = World::built(chatflow::Builder::refuse_unknown_contacts);
    world.publish([question("q")]);
    assert_eq!(
        world.refusal(ada("q").contact_id("ada")),
        ("contact_not_found", "contact `ada` does not exist".to_owned())
    );
    assert_eq!(world.sent(), [""; 0]);
    world.start("q");
}

/// T2
#[test]
fn a_contact_has_many_addresses_and_each_leads_to_it() {
    let world = World::with([look()]);
    world.begin(named("look", "ada").phone(ADA));
    world.begin(named("look", "ada").phone(BOB));
    world.begin(named("look", "ada").address(Channel::Web, "site", "77"));
    assert_eq!(world.contact(&contact_id("ada")).addresses.len(), 3);
    assert_eq!([holder_of(ADA, &world), holder_of(BOB, &world)], ["ada", "ada"]);
    let at = |text: &str| block_on(world.bot.contact_at(&phone(text))).unwrap();
    assert_eq!(at(BOB), Some(world.contact(&contact_id("ada"))));
    assert_eq!(at("+14155550999"), None);
}

/// T2
#[test]
fn an_address_is_not_linked_by_a_trigger_that_starts_nothing() {
    let world = World::with([question("q"), look()]);
    world.begin(ada("q").contact_id("ada"));
    assert!(matches!(world.trigger(named("q", "ada").phone(BOB)), Triggered::AlreadyRunning(_)));
    assert_eq!(world.contact(&contact_id("ada")).addresses, [phone(ADA)]);
    assert_ne!(holder_of(BOB, &world), "ada");
    world.begin(named("look", "bob").phone(BOB));
    assert!(matches!(world.trigger(named("q", "ada").phone(BOB)), Triggered::AlreadyRunning(_)));
    assert_eq!(holder_of(BOB, &world), "bob");
    let taken = ("invalid_input", "`phone` belongs to contact `bob`".to_owned());
    assert_eq!(world.refusal(named("look", "ada").phone(BOB)), taken, "where a session starts");
}

/// T2
#[test]
fn an_address_moves_from_the_contact_that_was_made_of_it() {
    let world = World::with([look()]);
    let made = world.start("look").contact_id;
    world.begin(named("look", "ada").phone(ADA));
    assert_eq!(world.contact(&made).addresses, []);
    assert_eq!(world.contact(&contact_id("ada")).addresses, [phone(ADA)]);
    assert_eq!(holder_of(ADA, &world), "ada");
}

/// T2
#[test]
fn an_address_stays_with_a_named_contact() {
    let world = World::with([look()]);
    world.begin(named("look", "ada").phone(ADA));
    assert_eq!(
        world.refusal(named("look", "eve").phone(ADA)),
        ("invalid_input", "`phone` belongs to contact `ada`".to_owned())
    );
    assert_eq!(holder_of(ADA, &world), "ada");
}

/// T2
#[test]
fn an_address_stays_with_a_contact_that_is_in_a_session() {
    let world = World::with([question("q"), look()]);
    let session = world.start("q");
    let made = session.contact_id.clone();
    let taken = ("invalid_input", format!("`phone` belongs to contact `{made}`"));
    assert_eq!(world.refusal(named("look", "ada").phone(ADA)), taken);
    world.pass(minutes(30));
    world.begin(named("look", "ada").phone(ADA));
    assert_eq!(world.state(session.session_id), Status::Expired);
    assert_eq!(holder_of(ADA, &world), "ada");
}

/// T2, T10
#[test]
fn an_opt_out_moves_with_its_address() {
    let world = World::with([look().send("s", "Receipt")]);
    let made = world.start("look").contact_id;
    block_on(world.bot.opt_out(&made)).unwrap();
    let since = world.now();
    world.pass(minutes(1));
    world.begin(named("look", "ada").phone(ADA).transactional());
    assert_eq!(world.contact(&contact_id("ada")).opted_out_at, Some(since));
    assert_eq!(world.trigger(named("look", "ada")), Triggered::Refused(Refusal::OptedOut));
}

/// T2, T10
#[test]
fn nothing_is_sent_to_an_address_that_opted_out_under_another_contact() {
    let world = World::with([look().send("s", "Sale!")]);
    let made = world.start("look").contact_id;
    block_on(world.bot.opt_out(&made)).unwrap();
    assert_eq!(world.trigger(named("look", "ada").phone(ADA)), Triggered::Refused(Refusal::OptedOut));
    assert_eq!(world.trigger(ada("look")), Triggered::Refused(Refusal::OptedOut));
    assert_eq!(world.sent(), ["Sale!"]);
}

/// T2
#[test]
fn a_message_that_names_its_contact_links_its_address() {
    let world = World::with([look(), flow("in").on(json!([{"match": "any"}]))]);
    let made = world.start("look").contact_id;
    assert!(matches!(world.receive(says("hello").contact_id("ada")), Received::Started { .. }));
    assert_eq!(world.contact(&made).addresses, []);
    assert_eq!(world.contact(&contact_id("ada")).addresses, [phone(ADA)]);
    assert_eq!(
        told(world.try_receive(says("hello").contact_id("eve"))),
        ("invalid_input", "`from` belongs to contact `ada`".to_owned())
    );
}

/// T2
#[test]
fn an_address_that_the_channel_reports_leads_to_the_contact() {
    let world = World::with([question("q"), look()]);
    world.answer_sends([Ok(Receipt::known_as(phone(BOB)))]);
    let session = world.begin(ada("q").contact_id("ada")).session_id;
    assert_eq!(world.contact(&contact_id("ada")).addresses, [phone(ADA), phone(BOB)]);
    assert_eq!(
        world.receive(Inbound::text(Channel::WhatsApp, SHOP, BOB, "Fine")),
        Received::Consumed { session }
    );
}

/// T2, D1
#[test]
fn an_address_that_the_channel_reports_stays_with_the_contact_that_has_it() {
    let world = World::with([question("q"), look()]);
    world.begin(named("look", "bob").phone(BOB));
    world.answer_sends([Ok(Receipt::known_as(phone(BOB)))]);
    world.begin(ada("q").contact_id("ada"));
    world.tick_after(minutes(5));
    assert_eq!(world.sent(), ["How are you?"]);
    assert_eq!(world.contact(&contact_id("ada")).addresses, [phone(ADA)]);
    assert_eq!(holder_of(BOB, &world), "bob");
}

/// T2
#[test]
fn merging_moves_addresses_and_opt_out() {
    let world = World::with([question("q"), look()]);
    let (old, new) = (world.start("q").contact_id, contact_id("ada"));
    world.begin(named("look", "ada"));
    let merge = || block_on(world.bot.merge(&old, &new));
    assert_eq!(told(merge()), ("invalid_input", "`from` must not be in a session".to_owned()));
    block_on(world.bot.opt_out(&old)).unwrap();
    merge().unwrap();
    let merged = world.contact(&new);
    assert_eq!((merged.addresses, merged.opted_out_at), ([phone(ADA)].into(), Some(world.now())));
    assert_eq!(world.contact(&old).addresses, []);
    assert_eq!(world.trigger(ada("look")), Triggered::Refused(Refusal::OptedOut));
    assert_eq!(told(block_on(world.bot.merge(&new, &new))).0, "invalid_input");
    assert_eq!(told(block_on(world.bot.merge(&contact_id("nobody"), &new))).0, "contact_not_found");
}

// --- T2: where the start node finds the contact
// -------------------------------------------------------------------------------------------------

/// T2
#[test]
fn the_contact_is_read_from_the_context_where_the_start_node_says() {
    let world = World::with([look()
        .start("contact_from", json!("customerPhoneNumber"))
        .start("contact_id_from", json!("customer"))]);
    let read =
        |context: serde_json::Value| world.begin(TriggerRequest::new("look").context(context)).contact_id;
    let made = read(json!({"customerPhoneNumber": "+1 415-555-0123"}));
    assert_eq!(world.contact(&made).addresses, [phone(ADA)]);
    assert_eq!(read(json!({"customerPhoneNumber": 14155550123_u64})), made);
    assert_eq!(read(json!({"customer": "bob", "customerPhoneNumber": BOB})), contact_id("bob"));
    assert_eq!(world.contact(&contact_id("bob")).addresses, [phone(BOB)]);
}

/// T2
#[test]
fn what_the_caller_names_goes_before_what_the_context_holds() {
    let world = World::with([look().start("contact_from", json!("phone"))]);
    let request = TriggerRequest::new("look").contact_id("ada").context(json!({"phone": BOB}));
    assert_eq!(world.begin(request).contact_id, contact_id("ada"));
    assert_eq!(world.contact(&contact_id("ada")).addresses, []);
}

/// T2
#[test]
fn a_context_without_a_contact_is_refused() {
    let world = World::with([look().start("contact_from", json!("phone"))]);
    assert_eq!(
        world.refusal(TriggerRequest::new("look").context(json!({"phone": null}))),
        (
            "invalid_input",
            "`contact` must be given: a `contact_id`, a `phone` or an `address`, or `context.phone`"
                .to_owned()
        )
    );
    for wrong in [json!(["+14155550123"]), json!({"number": "+14155550123"}), json!(true), json!(-1)] {
        assert_eq!(
            world.refusal(TriggerRequest::new("look").context(json!({"phone": wrong}))),
            ("invalid_input", "`context.phone` must be a text or a whole number from 0 on".to_owned())
        );
    }
    assert_eq!(
        world.refusal(TriggerRequest::new("look").context(json!({"phone": "12"}))),
        (
            "invalid_input",
            "`context.phone` holds the contact's address, which must be a telephone number: `+`, a calling code, and as many digits as its numbering plan has, \
             7-15 in all"
                .to_owned()
        )
    );
}

/// T2
#[test]
fn a_flow_without_a_contact_has_one_of_its_own_each_time() {
    let world = World::with([flow("f").start("contact", json!("none")).node(
        "s",
        "send_message",
        json!({"text": "Order", "action": "from_to", "to": "{{context.desk}}"}),
    )]);
    let request = || TriggerRequest::new("f").context(json!({"desk": BOB}));
    let (one, two) = (world.begin(request()).contact_id, world.begin(request()).contact_id);
    assert_ne!(one, two);
    let own = world.contact(&one);
    assert_eq!((own.addresses, own.opted_in_at), ([].into(), None));
    let to: Vec<String> = world.channel.sent().iter().map(|message| message.to().to_string()).collect();
    assert_eq!(to, [BOB, BOB]);
}

/// T2
#[test]
fn a_flow_without_a_contact_can_not_wait_or_reply() {
    let world = World::new();
    let sketch = question("q").start("contact", json!("none"));
    let issues = block_on(world.flows().import(&sketch.json())).unwrap().issues;
    let codes: Vec<&str> = issues.iter().map(|issue| issue.code.as_str()).collect();
    assert_eq!(codes, ["no_destination", "wait_without_contact", "no_destination"]);
}

// --- T3: profiles
// -------------------------------------------------------------------------------------------------

/// T3
#[test]
fn profiles_of_triggers_and_messages_fill_the_contact() {
    let world = World::with([
        question("q").send("who", "{{contact.name}} {{contact.email}} {{contact.tags | join('+')}}")
    ]);
    world.begin(ada("q").profile(Profile::new().name("Ada").tag("vip")));
    world.receive(says("Fine").profile(Profile::new().email("ada@example.org").tag("new").tag("vip")));
    assert_eq!(world.sent(), ["How are you?", "Fine!", "Ada ada@example.org vip+new"]);
}

// --- T10: opt-out
// -------------------------------------------------------------------------------------------------

/// T10
#[test]
fn a_contact_that_opted_out_is_refused_and_a_trigger_never_takes_it_back() {
    let world = World::with([look().send("s", "Sale")]);
    let contact = world.start("look").contact_id;
    block_on(world.bot.opt_out(&contact)).unwrap();
    assert_eq!(world.trigger(ada("look")), Triggered::Refused(Refusal::OptedOut));
    world.begin(ada("look").transactional());
    assert_eq!(world.trigger(ada("look")), Triggered::Refused(Refusal::OptedOut));
    assert_eq!(world.contact(&contact).opted_out_at, Some(world.now()));
    assert_eq!(world.sent(), ["Sale", "Sale"]);
}

/// T10
#[test]
fn opting_in_again_clears_the_opt_out() {
    let world = World::with([look()]);
    let contact = world.start("look").contact_id;
    block_on(world.bot.opt_out(&contact)).unwrap();
    block_on(world.bot.opt_in(&contact)).unwrap();
    world.start("look");
    assert_eq!(world.contact(&contact).opted_out_at, None);
    assert_eq!(told(block_on(world.bot.opt_out(&contact_id("nobody")))).0, "contact_not_found");
}

/// T10, D1
#[test]
fn opting_out_ends_all_sessions_and_drops_what_they_have_not_sent() {
    let world = World::with([question("q"), question("r")]);
    world.answer_sends([Err(SendError::retry("busy")), Err(SendError::retry("busy"))]);
    let (q, r) = (world.start("q"), world.start("r").session_id);
    block_on(world.bot.opt_out(&q.contact_id)).unwrap();
    let ends = [q.session_id, r].map(|id| (world.state(id), world.session(id).ended_by()));
    assert_eq!(ends, [(Status::Cancelled, Some(EndReason::OptedOut)); 2]);
    assert_eq!(world.sent(), ["How are you?"]);
    world.tick_after(hours(1));
    assert_eq!(world.sent(), [""; 0]);
    assert_eq!(world.dead_letters().len(), 0);
    assert_eq!(world.sessions(SessionFilter::all().live()).len(), 0);
}

/// T10, D1
#[test]
fn a_dead_letter_of_a_contact_who_opted_out_stays_one() {
    let world = World::with([flow("f").send("a", "Sale!")]);
    world.answer_sends([Err(SendError::rejected("no"))]);
    world.begin(named("f", "ada").phone(ADA));
    let letter = world.dead_letters()[0].letter.message.id;
    world.sent();
    world.say("stop");
    assert!(!block_on(world.bot.requeue_dead_letter(&contact_id("ada"), letter)).unwrap());
    world.tick();
    assert_eq!((world.sent().len(), world.dead_letters().len()), (0, 1));
    world.say("start");
    assert!(block_on(world.bot.requeue_dead_letter(&contact_id("ada"), letter)).unwrap());
    world.tick();
    assert_eq!(world.sent(), ["Sale!"]);
}

/// T10, T2
#[test]
fn merging_a_contact_who_opted_out_ends_the_others_sessions() {
    let world = World::with([question("f")]);
    let from = world.begin(ada("f")).contact_id;
    world.say("stop");
    let session = world.begin(named("f", "bob").phone(BOB)).session_id;
    block_on(world.bot.merge(&from, &contact_id("bob"))).unwrap();
    assert_eq!(world.session(session).ended_by(), Some(EndReason::OptedOut));
}

/// T10
#[test]
fn a_contact_who_opted_out_is_sent_the_answer_that_a_call_gives_and_nothing_later() {
    let world = World::with([flow("f")
        .on(json!([{"match": "exact", "text": "help"}]))
        .node("look", "function", json!({"function": "look"}))
        .send("answer", "answer")
        .delay("pause", "5m")
        .send("late", "late")]);
    world.say("stop");
    world.answer_calls([Ok(Answer::Now(CallResult::value(json!(1))))]);
    world.say("help");
    world.tick();
    assert_eq!(world.sent(), ["answer"]);
    world.tick_after(minutes(5));
    assert_eq!(world.sent(), Vec::<String>::new());
}
