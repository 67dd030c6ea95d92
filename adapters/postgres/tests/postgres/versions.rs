//! A version is its content, in a database (SEMANTICS S13, S14).

use libtest_mimic::Trial;

use crate::kit::{Database, Layout, block_on};
use crate::versions_kit;

pub fn trials() -> Vec<Trial> {
    macro_rules! on_postgres {
        ($($name:literal => $scenario:ident),* $(,)?) => {
            vec![$(Trial::test(concat!("versions::", $name), || {
                block_on(async {
                    let database = Database::new(Layout::Plain).await;
                    versions_kit::$scenario(async || database.store().await).await;
                });
                Ok(())
            })),*]
        };
    }
    on_postgres![
        "a_restart_with_an_edited_flow_changes_no_session" => a_restart_with_an_edited_flow,
        "a_session_goes_on_only_where_its_own_text_is" => two_builds_on_one_store,
        "what_does_not_compile_here_is_left_untouched" => a_process_with_smaller_limits,
        "a_call_of_what_cannot_be_read_does_not_fail" => a_call_of_what_cannot_be_read,
        "an_operator_gets_sessions_off_a_version_that_is_missing" => ways_out,
    ]
}
