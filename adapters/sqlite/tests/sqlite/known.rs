//! Processes on one file that keep what they know ([`Known`]), while others write.

use chatflow::store::Known;
use chatflow::testkit::{ManualClock, Recorder};
use chatflow::{Channel, Engine, Inbound, Received, TriggerRequest, Triggered};
use chatflow_sqlite::SqliteStore;
use chatflow_sqlite::rusqlite::Connection;
use pollster::block_on;

use crate::folder::Folder;
use crate::identity_kit::{
    Town, addresses_are_linked, an_opt_out_is_the_persons, numbers_change_hands, two_become_one,
};
use crate::pace_kit::a_pace_holds;
use crate::talk::{ANN, FLOW, trigger};
use crate::{many_kit, operators_kit, versions_kit};

fn open(folder: &Folder) -> Known<SqliteStore> {
    Known::new(SqliteStore::open(folder.file()).unwrap())
}

/// Scenarios of every durable store, by processes that share a file and each keep what they know.
macro_rules! on_known_files {
    ($($kit:ident::$scenario:ident),* $(,)?) => {$(
        #[test]
        fn $scenario() {
            let folder = Folder::new();
            block_on($kit::$scenario(async || open(&folder)));
        }
    )*};
}

on_known_files! {
    versions_kit::a_restart_with_an_edited_flow,
    versions_kit::two_builds_on_one_store,
    versions_kit::a_process_with_smaller_limits,
    versions_kit::a_call_of_what_cannot_be_read,
    versions_kit::ways_out,
    operators_kit::results_stay,
    operators_kit::pages_of_results,
    operators_kit::results_of_what_is_not_readable_here,
    operators_kit::counts_are_what_journals_say,
    operators_kit::counts_of_many_at_once,
    operators_kit::a_contact_is_with_a_person,
    many_kit::starts_at_the_same_time_publish_once,
    many_kit::the_next_call_elsewhere_reads_what_changed,
}

/// SEMANTICS A2, A4, A5, A6
#[test]
fn people_are_found() {
    let folder = Folder::new();
    let town = |name: &str| Town::new(Known::new(SqliteStore::open(folder.path().join(name)).unwrap()));
    block_on(async {
        addresses_are_linked(town("a").await).await;
        two_become_one(town("b").await).await;
        an_opt_out_is_the_persons(town("c").await).await;
        numbers_change_hands(town("d").await).await;
    });
}

/// SEMANTICS D7: in one engine, and in two on one file.
#[test]
fn a_pace_holds_where_rows_are_known() {
    for processes in [1, 2] {
        let folder = Folder::new();
        block_on(a_pace_holds((0..processes).map(|_| open(&folder)).collect()));
    }
}

fn bot(folder: &Folder, outbox: &Recorder, clock: &ManualClock) -> Engine<Known<SqliteStore>> {
    let bot = Engine::builder(open(folder));
    bot.transport(outbox.clone()).clock(clock.clone()).build()
}

fn says(bot: &Engine<Known<SqliteStore>>, text: &str, id: &str) -> Received {
    let inbound = Inbound::text(Channel::Sms, "+15550100", ANN, text);
    block_on(bot.receive(inbound.id(id))).unwrap()
}

/// SEMANTICS T6, I2, L4: an answer that writes nothing is given on what another process wrote,
/// however well this one knows the contact.
#[test]
fn answers_are_given_on_what_another_process_wrote() {
    let folder = Folder::new();
    let (outbox, clock) = (Recorder::new(), ManualClock::default());
    let bots = [bot(&folder, &outbox, &clock), bot(&folder, &outbox, &clock)];
    let _ = block_on(bots[0].flows().ensure(FLOW)).unwrap();
    let again = || TriggerRequest::new("hi").phone(ANN);
    for (round, (here, there)) in [(0, 1), (1, 0), (0, 1), (1, 0)].into_iter().enumerate() {
        let (here, there) = (&bots[here], &bots[there]);
        let id = |text: &str| format!("{text}-{round}");
        assert!(matches!(block_on(here.trigger(again())).unwrap(), Triggered::Started(_)));
        assert!(matches!(block_on(there.trigger(again())).unwrap(), Triggered::AlreadyRunning(_)));
        let first = id("first");
        assert!(matches!(says(there, "Ann", &first), Received::Consumed { .. }));
        assert!(matches!(says(here, "Ann", &first), Received::Duplicate { .. }));
        assert!(matches!(says(here, "Bea", &id("other")), Received::Unmatched));
        assert!(matches!(block_on(here.trigger(again())).unwrap(), Triggered::Started(_)));
        let last = id("last");
        assert!(matches!(says(here, "Cay", &last), Received::Consumed { .. }));
        assert!(matches!(says(there, "Cay", &last), Received::Duplicate { .. }));
    }
}

/// SEMANTICS S9: a conversation that was set aside by others is not answered for.
#[test]
fn what_is_set_aside_by_sql_is_noticed() {
    let folder = Folder::new();
    let (outbox, clock) = (Recorder::new(), ManualClock::default());
    let bot = bot(&folder, &outbox, &clock);
    let _ = block_on(bot.flows().ensure(FLOW)).unwrap();
    let _ = block_on(bot.trigger(trigger())).unwrap();
    assert!(matches!(says(&bot, "Ann", "1"), Received::Consumed { .. }));
    let _ = block_on(bot.trigger(TriggerRequest::new("hi").phone(ANN))).unwrap();
    let shell = Connection::open(folder.file()).unwrap();
    shell.execute_batch("UPDATE chatflow_conversation SET quarantined = 1").unwrap();
    let inbound = Inbound::text(Channel::Sms, "+15550100", ANN, "Bea");
    let refused = block_on(bot.receive(inbound.clone().id("2"))).unwrap_err();
    assert_eq!(refused.code(), "quarantined", "{refused}");
    shell.execute_batch("UPDATE chatflow_conversation SET quarantined = 0").unwrap();
    assert!(matches!(block_on(bot.receive(inbound.id("2"))).unwrap(), Received::Consumed { .. }));
}

/// Two processes hold conversations of the same contacts in turn: nothing is lost, nothing is said
/// twice.
#[test]
fn processes_take_turns() {
    let folder = Folder::new();
    let (outbox, clock) = (Recorder::new(), ManualClock::default());
    let bots: Vec<_> = (0..3).map(|_| bot(&folder, &outbox, &clock)).collect();
    let _ = block_on(bots[0].flows().ensure(FLOW)).unwrap();
    for round in 0..60 {
        let bot = &bots[(round * 7 / 3) % 3];
        let triggered = block_on(bot.trigger(TriggerRequest::new("hi").phone(ANN))).unwrap();
        assert!(matches!(triggered, Triggered::Started(_)), "round {round}: {triggered:?}");
        let other = &bots[(round * 5 / 2) % 3];
        let name = format!("Ann {round}");
        assert!(matches!(says(other, &name, &name), Received::Consumed { .. }), "round {round}");
    }
    let texts = outbox.take_texts();
    let greeted: Vec<_> = texts.iter().filter(|text| text.starts_with("Hello")).cloned().collect();
    let expected: Vec<_> = (0..60).map(|round| format!("Hello Ann {round}")).collect();
    assert_eq!(greeted, expected);
}
