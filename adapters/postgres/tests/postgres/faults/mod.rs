//! Conversations when PostgreSQL, the way to it, or a clock fails.

mod clocks;
mod connections;
#[path = "../../../../../tests/kits/durable/mod.rs"]
mod durable_kit;
mod failover;
mod frozen;
mod isolation;
mod proxy;
mod refusals;
mod restarts;
pub(crate) mod server;
mod stage;
mod strangers;
mod traffic;

use libtest_mimic::Trial;

/// A trial of the function with this name.
macro_rules! trials {
    ($($module:ident: $($name:ident),* $(,)?;)*) => {
        vec![$($(trial(concat!("faults::", stringify!($module), "::", stringify!($name)), || run($module::$name())),)*)*]
    };
}

pub(crate) fn trials() -> Vec<Trial> {
    trials! {
        restarts: a_restart_under_load_loses_and_doubles_nothing,
            an_immediate_stop_under_load_loses_and_doubles_nothing,
            a_killed_server_under_load_loses_and_doubles_nothing;
        connections: connections_that_the_server_ends_lose_and_double_nothing,
            connections_that_end_behind_pgbouncer_lose_and_double_nothing,
            a_statement_cut_before_or_after_it_took_effect_takes_effect_once,
            a_connection_cut_at_any_byte_loses_and_doubles_nothing,
            a_wire_that_is_cut_and_led_elsewhere_is_followed;
        isolation: serializable_transactions_under_contention_count_right,
            repeatable_reads_under_contention_count_right;
        refusals: a_statement_timeout_of_the_server_is_transient,
            a_lock_timeout_of_the_server_is_transient,
            calls_that_wait_for_a_connection_in_vain_are_transient,
            too_many_connections_are_transient_and_work_goes_on_with_those_there_are,
            a_server_that_only_reads_is_transient_and_named,
            missing_tables_are_permanent_and_name_the_migration,
            a_newer_schema_is_permanent_and_asks_for_a_newer_release,
            an_older_schema_is_permanent_and_names_the_migration,
            a_server_that_is_not_there_is_transient;
        failover: a_synchronous_replica_that_takes_over_has_all_that_was_acknowledged,
            a_name_that_leads_to_the_new_primary_is_followed,
            on_an_older_copy_no_more_than_the_lag_is_lost;
        frozen: a_frozen_server_is_answered_in_bounded_time_and_gone_on_with;
        strangers: a_stranger_leaves_not_one_row;
        clocks: engines_whose_clocks_differ_by_hours_never_deliver_the_same_message;
    }
}

fn trial(name: &str, test: impl FnOnce() + Send + 'static) -> Trial {
    let is_there = std::env::var_os("CHATFLOW_POSTGRES_TEMP").is_some();
    let test = move || {
        test();
        Ok(())
    };
    Trial::test(name, test).with_ignored_flag(!is_there)
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    runtime.expect("a runtime").block_on(test);
}
