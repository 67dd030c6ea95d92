//! The identity of people, on any store (SEMANTICS A2 to A6): found by number, then by id, then by
//! both; two contacts that turn out to be one; a number that is given away.

use std::time::Duration;

use chatflow::address::Phone;
use chatflow::ops::SessionFilter;
use chatflow::session::EndReason;
use chatflow::store::{ConversationStore, StoreQueries};
use chatflow::testkit::{ManualClock, Recorder};
use chatflow::{
    Account, Address, Channel, ContactId, Engine, Inbound, Receipt, Received, Refusal, SendError, SessionId,
    TriggerRequest, Triggered,
};
use chrono::TimeDelta;

const SHOP: &str = "+15550100";
const PHONE: &str = "+14155550123";
const ID: &str = "US.13491208655302741918";

/// A flow that is started by this word or by a call, and asks twice.
fn flow(code: &str, trigger: &str) -> String {
    let trigger = match trigger {
        "" => r#"{"kind": "manual"}"#.to_owned(),
        word => format!(
            r#"{{"kind": "inbound", "channel": "whatsapp", "rules": [{{"match": "exact", "text": "{word}"}}]}}"#
        ),
    };
    format!(
        r#"{{"spec": 1, "code": "{code}", "trigger": {trigger},
            "settings": {{"sender": {{"channel": "whatsapp", "account": "{SHOP}"}}}},
            "nodes": [{{"id": "start", "kind": "start"}}, {{"id": "a", "kind": "ask", "text": "One?"}},
                {{"id": "b", "kind": "ask", "text": "Two?"}}],
            "edges": [{{"from": "start", "to": "a"}}, {{"from": "a", "to": "b"}}]}}"#
    )
}

fn whatsapp() -> Account {
    Account::new(Channel::WhatsApp, SHOP).unwrap()
}

fn address(id: &str) -> Address {
    Address::new(&whatsapp(), id).unwrap()
}

/// A flow that says something and ends.
const NOTE: &str = r#"{"spec": 1, "code": "note", "trigger": {"kind": "manual"},
    "settings": {"sender": {"channel": "whatsapp", "account": "+15550100"}},
    "nodes": [{"id": "start", "kind": "start"}, {"id": "a", "kind": "send_message", "text": "Sent."}],
    "edges": [{"from": "start", "to": "a"}]}"#;

/// An engine on a store, the clock that it goes by, and its channel.
pub(crate) struct Town<S> {
    bot: Engine<S>,
    clock: ManualClock,
    channel: Recorder,
}

impl<S: ConversationStore + StoreQueries> Town<S> {
    pub(crate) async fn new(store: S) -> Self {
        let (clock, channel) = (ManualClock::default(), Recorder::new());
        let bot = Engine::builder(store)
            .transport(channel.clone())
            .clock(clock.clone())
            .max_skew(Duration::MAX)
            .build();
        for (code, trigger) in [("call", ""), ("hello", "hello"), ("menu", "menu")] {
            let accounts = (!trigger.is_empty()).then(whatsapp);
            let _ = bot.flows().ensure_on(&flow(code, trigger), accounts).await.unwrap();
        }
        Self { bot, clock, channel }
    }

    async fn says(&self, inbound: Inbound) -> Received {
        self.clock.advance(TimeDelta::seconds(5));
        self.bot.receive(inbound).await.unwrap()
    }

    async fn starts(&self, from: &str, word: &str) -> SessionId {
        match self.says(Inbound::text(Channel::WhatsApp, SHOP, from, word)).await {
            Received::Started { session } => session,
            other => panic!("{other:?}"),
        }
    }

    async fn contact(&self, id: &str) -> Option<ContactId> {
        self.bot.contact_at(&address(id)).await.unwrap().map(|contact| contact.id)
    }

    async fn ended_by(&self, session: SessionId) -> Option<EndReason> {
        self.bot.session(session).await.unwrap().unwrap().session().ended_by()
    }

    async fn calls(&self) -> Triggered {
        self.bot.trigger(TriggerRequest::new("call").phone(PHONE)).await.unwrap()
    }
}

fn both(text: &str) -> Inbound {
    Inbound::text(Channel::WhatsApp, SHOP, ID, text).also(Address::Phone(Phone::parse(PHONE).unwrap()))
}

/// A4: by phone, then by id, then by both.
pub(crate) async fn addresses_are_linked<S: ConversationStore + StoreQueries>(town: Town<S>) {
    let Triggered::Started(session) = town.calls().await else { panic!("it is new") };
    assert_eq!(town.contact(ID).await, None);
    assert_eq!(town.says(both("Fine")).await, Received::Consumed { session: session.session_id });
    assert_eq!(town.contact(ID).await, Some(session.contact_id.clone()));
    let answer = town.says(Inbound::text(Channel::WhatsApp, SHOP, ID, "Fine")).await;
    assert_eq!(answer, Received::Consumed { session: session.session_id });
}

/// A5: two contacts with a live session each, of one flow and of two.
pub(crate) async fn two_become_one<S: ConversationStore + StoreQueries>(town: Town<S>) {
    let first = town.starts(PHONE, "hello").await;
    let over = town.starts(ID, "menu").await;
    for _ in 0..2 {
        assert_eq!(
            town.says(Inbound::text(Channel::WhatsApp, SHOP, ID, "Fine")).await,
            Received::Consumed { session: over }
        );
    }
    let second = town.starts(ID, "hello").await;
    town.clock.advance(TimeDelta::seconds(5));
    let Triggered::Started(call) = town.calls().await else { panic!("it is new") };
    let call = call.session_id;
    let (older, younger) = (town.contact(PHONE).await.unwrap(), town.contact(ID).await.unwrap());
    assert_ne!(older, younger);
    let answered = town.says(both("Fine").id("m")).await;
    assert_eq!(answered, Received::Consumed { session: call }, "the newest question");
    assert_eq!(town.contact(ID).await, Some(older.clone()));
    assert_eq!(town.bot.contact(&younger).await.unwrap(), None);
    let left = town.bot.contact(&older).await.unwrap().unwrap();
    assert_eq!(left.former_ids(), [younger], "a host finds what it kept of it");
    assert_eq!(town.ended_by(first).await, Some(EndReason::Merged), "its wait is older");
    assert_eq!(town.ended_by(second).await, None);
    assert!(matches!(town.says(both("Fine").id("m")).await, Received::Duplicate { .. }));
    let theirs = town.bot.sessions(SessionFilter::all().contact(older.clone())).await.unwrap();
    let mut listed: Vec<SessionId> = theirs.iter().map(|record| record.session().id()).collect();
    let mut all = vec![first, over, second, call];
    listed.sort_unstable();
    all.sort_unstable();
    assert_eq!(listed, all, "what has ended is found there too");
    let erased = town.bot.erase(&older, chatflow::ops::EraseOptions::new()).await.unwrap();
    assert_eq!((erased.sessions, erased.addresses), (4, 2));
    assert_eq!(town.contact(ID).await, None);
}

/// A5: an opt-out on either side.
pub(crate) async fn an_opt_out_is_the_persons<S: ConversationStore + StoreQueries>(town: Town<S>) {
    let (first, second) = (town.starts(PHONE, "hello").await, town.starts(ID, "menu").await);
    for message in [Inbound::text(Channel::WhatsApp, SHOP, ID, "STOP"), both("hm")] {
        let _ = town.says(message).await;
    }
    assert_eq!(town.ended_by(first).await, Some(EndReason::OptedOut));
    assert_eq!(town.ended_by(second).await, Some(EndReason::OptedOut));
    assert_eq!(town.calls().await, Triggered::Refused(Refusal::OptedOut));
}

/// A2 and A6: both forms of a number, and one that is given away.
pub(crate) async fn numbers_change_hands<S: ConversationStore + StoreQueries>(town: Town<S>) {
    let (old, new) = ("+5215512345678", "+525512345678");
    let session = town.starts(old, "hello").await;
    let answer = town.says(Inbound::text(Channel::WhatsApp, SHOP, new, "Fine")).await;
    assert_eq!(answer, Received::Consumed { session });
    let contact = town.contact(old).await.unwrap();
    town.bot.relink(&address(new), &address(PHONE)).await.unwrap();
    assert_eq!((town.contact(old).await, town.contact(new).await), (None, None));
    assert_eq!(town.contact(PHONE).await, Some(contact.clone()));
    assert!(town.bot.unlink(&address(PHONE)).await.unwrap());
    assert_eq!(town.ended_by(session).await, Some(EndReason::Unlinked));
    town.starts(PHONE, "hello").await;
    assert_ne!(town.contact(PHONE).await, Some(contact));
}

/// A4, A5, T2: a contact that nobody named is written to, by a tick that works all workspaces, and
/// the receipt names the address of one that has a name.
pub(crate) async fn a_name_gets_the_address<S: ConversationStore + StoreQueries>(town: Town<S>) {
    let shop = town.bot.in_workspace("shop");
    for flow in [&*flow("call", ""), NOTE] {
        let _ = shop.flows().ensure(flow).await.unwrap();
    }
    let named = TriggerRequest::new("call").contact_id("ada").address(Channel::WhatsApp, SHOP, ID);
    let Triggered::Started(waits) = shop.trigger(named).await.unwrap() else { panic!("it is new") };
    town.channel.answer([Err(SendError::retry("busy")), Ok(Receipt::known_as(address(ID)))]);
    let to = TriggerRequest::new("note").phone(PHONE);
    let Triggered::Started(note) = shop.trigger(to).await.unwrap() else { panic!("it is new") };
    town.clock.advance(TimeDelta::seconds(5));
    assert_eq!(town.bot.tick(10).await.unwrap().worked, 1);
    let holder = async |id: &str| shop.contact_at(&address(id)).await.unwrap().map(|contact| contact.id);
    assert_eq!(holder(PHONE).await, Some(waits.contact_id.clone()), "the one with a name has the number");
    assert_eq!(holder(ID).await, Some(waits.contact_id.clone()));
    let minted = shop.contact(&note.contact_id).await.unwrap().expect("it is not merged");
    assert!(minted.addresses.is_empty(), "{:?}", minted.addresses);
    let answer = Inbound::text(Channel::WhatsApp, SHOP, PHONE, "Fine");
    assert_eq!(shop.receive(answer).await.unwrap(), Received::Consumed { session: waits.session_id });
}
