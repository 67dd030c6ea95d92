//! Promises of every store, in a database (SEMANTICS S15, S16, D5, D6, I2, I13, T11).

use libtest_mimic::Trial;

use crate::kit::{Database, Layout, block_on};
use crate::promises_kit;

/// The leases are judged by the server's clock.
async fn a_poisoned_neighbour() {
    let database = Database::new(Layout::Plain).await;
    let open = async || database.store().await;
    promises_kit::a_poisoned_neighbour(open, async |_, time| tokio::time::sleep(time).await).await;
}

/// Not one row, in any table.
async fn strangers_leave_nothing() {
    let database = Database::new(Layout::Plain).await;
    let client = database.client().await;
    let rows = async || {
        let named =
            "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relname LIKE 'chatflow%' ORDER BY 1";
        let mut rows = Vec::new();
        for table in client.query(named, &[]).await.unwrap() {
            let table: String = table.get(0);
            let count = client.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.unwrap();
            rows.push((table, count.get::<_, i64>(0).unsigned_abs()));
        }
        rows
    };
    promises_kit::strangers_leave_nothing(async || database.store().await, rows, 500).await;
}

pub fn trials() -> Vec<Trial> {
    macro_rules! on_postgres {
        ($($scenario:ident),* $(,)?) => {
            vec![$(Trial::test(concat!("promises::", stringify!($scenario)), || {
                block_on(async {
                    let database = Database::new(Layout::Plain).await;
                    promises_kit::$scenario(async || database.store().await).await;
                });
                Ok(())
            })),*]
        };
    }
    let mut trials = on_postgres![
        sends_are_side_by_side,
        a_hanging_send_keeps_its_own_hand,
        a_hanging_send_is_put_off,
        next_due_is_told_after_the_work,
        a_backlog_makes_nothing_late,
        a_panic_is_tried_again,
        a_redelivery_is_known_after_200_touches,
        what_is_not_known_stays_unknown,
        one_of_two_has_taken_it,
        who_cannot_be_reached_is_refused,
        a_failed_start_says_so,
    ];
    trials.push(Trial::test("promises::a_poisoned_neighbour", || {
        block_on(a_poisoned_neighbour());
        Ok(())
    }));
    trials.push(Trial::test("promises::strangers_leave_nothing", || {
        block_on(strangers_leave_nothing());
        Ok(())
    }));
    trials
}
