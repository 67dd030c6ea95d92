//! Another server takes over while conversations are held: a replica that has all, or a copy that
//! is behind.

use std::collections::BTreeSet;
use std::time::Duration;

use chatflow::{Engine, SessionId};
use chatflow_postgres::PostgresStore;
use tokio_postgres::Config;
use tokio_postgres::config::TargetSessionAttrs;

use super::durable_kit::{Event, History};
use super::proxy::Proxy;
use super::server::{Server, Stop};
use super::stage::{Stage, prove};
use super::traffic::{Traffic, converse};

async fn lose_and_promote(primary: &mut Server, replica: &Server) {
    primary.lose();
    tokio::time::sleep(Duration::from_millis(200)).await;
    replica.promote().await;
}

pub(crate) async fn a_synchronous_replica_that_takes_over_has_all_that_was_acknowledged() {
    let mut primary = Server::start("");
    let mut stage = Stage::on(primary.config()).await;
    let replica = primary.replica(true).await;
    let mut both = Config::new();
    both.host("127.0.0.1").port(primary.port()).host("127.0.0.1").port(replica.port());
    both.user("postgres").dbname("postgres").target_session_attrs(TargetSessionAttrs::ReadWrite);
    let options = PostgresStore::options;
    let bots = [stage.bot_by(&both, options()).await, stage.bot_by(&both, options()).await];
    let traffic = Traffic::begin(&stage, &bots, 8);
    traffic.goes_on(40).await;
    lose_and_promote(&mut primary, &replica).await;
    traffic.goes_on(40).await;
    traffic.end().await;
    stage.config = replica.config();
    stage.prove().await;
}

pub(crate) async fn a_name_that_leads_to_the_new_primary_is_followed() {
    let mut primary = Server::start("");
    let mut stage = Stage::on(primary.config()).await;
    let replica = primary.replica(true).await;
    let proxy = Proxy::to(primary.port()).await;
    let bots = [stage.bot_by(&proxy.config(&stage.config), PostgresStore::options()).await];
    let traffic = Traffic::begin(&stage, &bots, 8);
    traffic.goes_on(40).await;
    // The name leads to the replica before it takes writes: connections to it are thrown away
    // again.
    proxy.lead_to(replica.port());
    tokio::time::sleep(Duration::from_millis(300)).await;
    lose_and_promote(&mut primary, &replica).await;
    traffic.goes_on(40).await;
    traffic.end().await;
    let errors = stage.troubles.errors();
    assert!(errors.keys().any(|error| error.contains("only reads")), "{errors:?}");
    stage.config = replica.config();
    stage.prove().await;
}

pub(crate) async fn on_an_older_copy_no_more_than_the_lag_is_lost() {
    let mut server = Server::start("");
    let stage = Stage::on(server.config()).await;
    let mut bots = vec![stage.bot().await];
    let traffic = Traffic::begin(&stage, &bots, 8);
    traffic.goes_on(40).await;
    let copied_at = stage.history.len();
    let copy = server.copy();
    traffic.goes_on(40).await;
    server.stop(Stop::Immediate);
    let _server = copy.start_instead_of(server);
    // The engine that ran on the newer data continues, and a new one joins it. Replies to what is
    // lost find no session.
    traffic.goes_on(20).await;
    traffic.end().await;
    bots.push(stage.bot().await);
    let repeated_at = stage.history.len();
    for contact in 1..stage.next_contact() {
        converse(&bots, &stage.history, &stage.troubles, contact).await;
    }

    let events = stage.history.events();
    let kept = kept(&bots[0], &events).await;
    let lost = named(&events).len() - kept.len();
    let counts = |(place, event): &(usize, Event)| match event {
        Event::Sent { message, .. } => kept.contains(&message.session),
        _ => *place < copied_at || *place >= repeated_at,
    };
    let events = events.into_iter().enumerate().filter(counts).map(|(_, event)| event);
    println!("  {lost} sessions are lost that began after the copy");
    prove(&stage.config, &History::of(events), &stage.troubles).await;
}

/// The sessions that answers named.
fn named(events: &[Event]) -> BTreeSet<SessionId> {
    let named = events.iter().filter_map(|event| match event {
        Event::Triggered { session, .. } => Some(*session),
        _ => None,
    });
    named.collect()
}

/// Those of them that are there.
async fn kept(bot: &Engine<PostgresStore>, events: &[Event]) -> BTreeSet<SessionId> {
    let mut kept = BTreeSet::new();
    for session in named(events) {
        if bot.session(session).await.expect("the copy answers").is_some() {
            kept.insert(session);
        }
    }
    kept
}
