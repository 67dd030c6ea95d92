//! Counting and waking what lives, removing what is past its retention, forgetting a contact.

use chatflow::error::StoreError;
use chatflow::store::sql::micros;
use chatflow::store::{Erase, Live, Purge, Purged, Removed};

use crate::scripts::{ERASE, LIVE, PURGE};
use crate::server::Server;
use crate::values::args;

/// Sessions are woken page by page: each that is there all the time is.
pub(super) async fn live(server: &Server, live: &Live) -> Result<u64, StoreError> {
    let version = live.version.map(|version| version.0.to_string()).unwrap_or_default();
    let mut set = format!("{}:n:{}\u{1f}{}", server.root(), live.workspace, live.flow);
    if !version.is_empty() {
        set.push('\u{1f}');
        set.push_str(&version);
    }
    let mut command = redis::cmd("SCARD");
    command.arg(set);
    let count: u64 = server.ask("count live sessions", command).await?;
    if let Some(wake_at) = live.wake_at.filter(|_| count > 0) {
        let mut place = "0".to_owned();
        loop {
            let args = args![live.workspace, live.flow, version, micros(wake_at), place];
            place = server.run(&LIVE, args).await?;
            if place == "0" {
                break;
            }
        }
    }
    Ok(count)
}

pub(super) async fn purge(server: &Server, purge: &Purge) -> Result<Purged, StoreError> {
    let args = args![
        micros(purge.now),
        micros(purge.ended_before),
        micros(purge.journal_before),
        purge.counts_before_minute(),
        purge.limit,
    ];
    let (keys, sessions, journal, counts, more): (usize, usize, usize, usize, bool) =
        server.run(&PURGE, args).await?;
    Ok(Purged { keys, sessions, journal, counts, more })
}

pub(super) async fn erase(server: &Server, erase: &Erase) -> Result<Option<Removed>, StoreError> {
    let keeps = u8::from(erase.keeps_history);
    let args = args![erase.workspace, erase.contact, erase.expect, keeps, micros(erase.now)];
    let removed: Option<(usize, usize, usize)> = server.run(&ERASE, args).await?;
    Ok(removed.map(|(sessions, journal, keys)| Removed { sessions, journal, keys }))
}
