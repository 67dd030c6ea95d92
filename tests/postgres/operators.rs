//! What operators read, in a database (SEMANTICS Q8).

use libtest_mimic::Trial;

use crate::kit::{Database, Layout, block_on};
use crate::operators_kit;

pub fn trials() -> Vec<Trial> {
    macro_rules! on_postgres {
        ($($scenario:ident),* $(,)?) => {
            vec![$(Trial::test(concat!("operators::", stringify!($scenario)), || {
                block_on(async {
                    let database = Database::new(Layout::Plain).await;
                    operators_kit::$scenario(async || database.store().await).await;
                });
                Ok(())
            })),*]
        };
    }
    on_postgres![results_stay, pages_of_results, results_of_what_is_not_readable_here]
}
