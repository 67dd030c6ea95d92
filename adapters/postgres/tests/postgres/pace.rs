//! Messages that wait for their pace, on a server.

use libtest_mimic::Trial;

use crate::kit::{Database, Layout, trial};
use crate::pace_kit;

/// SEMANTICS D7: in one process, and in two.
async fn a_pace_holds_on_a_server() {
    for processes in [1, 2] {
        let database = Database::new(Layout::Plain).await;
        let mut stores = Vec::new();
        for _ in 0..processes {
            stores.push(database.store().await);
        }
        pace_kit::a_pace_holds(stores).await;
    }
}

pub fn trials() -> Vec<Trial> {
    vec![trial("a_pace_holds_on_a_server", a_pace_holds_on_a_server)]
}
