//! The one list of the checks, read by the functions here and by the macro that makes tests
//! of them.

use crate::store::{ConversationStore, FlowStore, StoreQueries};
use crate::testkit::store_suite::{Check, Contract, Harness, Rule};

/// Hands the checks of a group to a macro, each as `module::name = rule`.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_checks {
    ([$($then:tt)*] $args:tt conversations) => {
        $($then)* ! { $args ConversationStore [
            reading::an_empty_store_has_nothing = 1,
            reading::a_conversation_is_found_by_its_contact = 1,
            reading::a_contact_may_be_named_by_a_uuid = 1,
            reading::a_conversation_is_found_by_each_of_its_aliases = 1,
            reading::a_conversation_is_found_in_its_workspace_only = 1,
            reading::one_contact_in_two_workspaces_is_two_conversations = 1,
            reading::a_load_answers_all_of_one_instant = 2,
            reading::a_load_by_alias_answers_the_same = 2,
            reading::a_commit_answers_what_a_load_will = 2,
            reading::a_key_is_answered_to_whoever_asks = 3,
            reading::a_key_is_answered_until_it_expires = 3,
            reading::a_key_expires_to_the_microsecond = 3,
            reading::a_key_is_answered_in_its_workspace_and_flow_only = 3,
            reading::a_caller_reads_its_own_writes = 3,
            writing::a_commit_writes_all_that_it_says = 4,
            writing::a_commit_on_another_revision_writes_nothing = 4,
            writing::a_commit_without_its_lease_writes_nothing = 4,
            writing::a_commit_with_a_taken_key_writes_nothing = 4,
            writing::a_commit_with_a_taken_alias_writes_nothing = 4,
            writing::a_refused_first_commit_writes_nothing = 4,
            writing::a_commit_replaces_the_due_time = 4,
            writing::a_first_commit_expects_none = 5,
            writing::a_commit_expects_the_last_revision = 5,
            writing::a_revision_is_its_conversations_alone = 5,
            writing::no_revision_comes_twice = 5,
            writing::only_a_commit_changes_the_revision = 5,
            writing::a_repeated_commit_is_refused = 5,
            writing::a_commit_ends_a_quarantine = 8,
            writing::a_refused_commit_leaves_a_quarantine = 8,
            names::a_taken_key_refuses_each_contact = 6,
            names::an_expired_key_is_taken_anew = 6,
            names::an_expired_key_is_not_renewed_by_a_refused_commit = 6,
            names::a_key_belongs_to_workspace_and_flow = 6,
            names::a_conversation_may_have_many_keys = 6,
            names::an_alias_of_another_contact_refuses = 7,
            names::an_alias_may_be_added_again = 7,
            names::an_alias_belongs_to_its_workspace = 7,
            names::a_dropped_alias_is_free = 7,
            names::an_alias_is_dropped_only_by_whom_it_leads_to = 7,
            names::an_alias_may_change_hands_and_come_back = 7,
            leases::a_lease_is_seen_by_its_token_only = 9,
            leases::a_lease_ends_by_itself = 9,
            leases::a_lease_is_of_one_conversation = 9,
            leases::a_free_lease_is_taken = 10,
            leases::a_held_lease_is_not_taken_and_the_commit_applies = 10,
            leases::a_lease_is_taken_again_by_its_token = 10,
            leases::a_commit_may_leave_the_lease_alone = 10,
            leases::a_holder_holds_and_frees = 11,
            leases::who_holds_nothing_is_refused = 11,
            leases::a_refused_commit_frees_nothing = 11,
            leases::a_claim_gives_a_lease_to_commit_under = 11,
            claims::what_is_due_is_claimed = 12,
            claims::a_claim_answers_whole_conversations = 12,
            claims::the_longest_overdue_come_first = 12,
            claims::a_limit_of_nothing_claims_nothing = 12,
            claims::a_limit_may_be_any_number = 12,
            claims::a_claimed_conversation_is_not_claimed_again = 12,
            claims::a_leased_conversation_is_not_claimed = 12,
            claims::a_lease_that_ran_out_is_claimed_over = 12,
            claims::claims_are_counted_until_a_settle = 12,
            claims::claims_are_counted_until_a_commit_under_the_lease = 12,
            claims::a_suspect_is_claimed_with_no_other = 12,
            claims::a_suspect_rests_first = 12,
            claims::a_suspect_is_claimed_when_it_is_due = 12,
            claims::a_due_time_is_exact = 12,
            claims::the_next_due_time_is_never_late = 12,
            claims::the_next_due_time_tells_what_the_limit_left = 12,
            claims::the_next_due_time_tells_when_a_lease_ends = 12,
            claims::a_due_time_may_move_either_way = 12,
            claims::a_due_time_may_be_any_instant = 12,
            claims::everything_due_is_claimed_in_portions = 12,
            claims::a_store_that_tells_the_time_tells_it_always = 26,
            settling::the_watermark_never_sinks = 13,
            settling::the_watermark_stays_with_the_record = 13,
            settling::the_watermark_may_be_large = 13,
            settling::a_settle_without_the_lease_changes_nothing = 14,
            settling::a_settle_after_the_lease_changes_nothing = 14,
            settling::a_settle_is_of_its_workspace = 14,
            settling::a_settle_sets_the_due_time_and_frees_the_lease = 15,
            settling::a_settle_may_leave_nothing_due = 15,
            settling::a_settle_on_another_revision_raises_the_watermark_only = 15,
            settling::a_repeated_settle_is_harmless = 16,
            settling::a_repeated_conflict_is_harmless = 16,
            settling::a_quarantined_conversation_is_not_due = 17,
            settling::a_quarantined_conversation_is_still_found = 17,
            settling::what_was_acknowledged_is_written_by_a_flush = 28,
            keeping::a_purge_removes_expired_keys = 20,
            keeping::the_alias_of_an_ended_session_leads_there_until_it_is_purged = 20,
            keeping::a_purge_leaves_what_is_younger = 20,
            keeping::a_purge_keeps_conversations = 20,
            keeping::a_purge_goes_on_where_its_limit_ended_it = 20,
            keeping::a_repeated_purge_finds_nothing = 20,
            keeping::a_purge_is_of_all_workspaces = 20,
            keeping::a_purged_key_may_be_used_anew = 20,
            erasing::an_erased_contact_leaves_nothing = 22,
            erasing::an_erase_leaves_others = 22,
            erasing::an_erase_is_for_the_revision_that_was_seen = 22,
            erasing::an_erase_of_nobody_answers_none = 22,
            erasing::an_erase_asks_nobody = 22,
            erasing::calls_after_an_erase_find_nothing = 22,
            erasing::an_erased_contact_may_come_again = 22,
            erasing::no_revision_comes_twice_across_erases = 22,
            erasing::an_erased_contacts_aliases_are_free = 22,
            erasing::an_erased_contacts_sessions_are_not_counted = 22,
            erasing::an_erase_is_of_its_workspace = 22,
            erasing::an_erased_contacts_keys_stay_without_it = 23,
            erasing::an_erased_contacts_key_still_refuses = 23,
            erasing::an_erased_contacts_expired_keys_go = 23,
            erasing::an_erased_contacts_keys_are_purged = 23,
            erasing::a_contact_may_be_erased_again = 22,
            erasing::an_erase_that_keeps_history_is_of_the_conversation = 23,
            erasing::no_revision_comes_twice_across_erases_that_keep_history = 23,
            erasing::who_comes_after_who_went_is_nobody_else = 23,
            absorbing::one_contact_takes_another_in = 27,
            absorbing::an_erase_takes_what_was_taken_in = 27,
            absorbing::who_is_at_work_is_not_taken_in = 27,
            absorbing::who_holds_the_lease_is_taken_in_under_it = 27,
            absorbing::what_was_settled_since_is_seen_first = 27,
            absorbing::an_alias_of_a_third_refuses_it = 27,
            absorbing::who_was_taken_in_may_come_again = 27,
            counting::live_sessions_are_counted_by_flow_and_version = 24,
            counting::live_sessions_are_counted_in_their_workspace = 24,
            counting::an_ended_session_is_not_counted = 24,
            counting::a_session_that_ends_at_once_is_not_counted = 24,
            counting::a_later_turn_leaves_the_count = 24,
            counting::a_session_that_changed_its_version_is_counted_there = 24,
            counting::a_session_is_counted_by_the_flows_that_it_calls = 24,
            counting::a_call_in_a_later_turn_is_counted = 24,
            counting::flows_that_are_called_alike_are_told_apart = 24,
            counting::counted_conversations_are_woken = 24,
            counting::conversations_of_one_version_are_woken = 24,
            counting::waking_changes_the_due_time_only = 24,
            counting::a_count_wakes_nobody = 24,
            updates::an_update_decides_on_what_is_stored = 0,
            updates::an_update_decides_once = 0,
            updates::an_update_that_decides_nothing_writes_nothing = 0,
            updates::an_update_that_is_refused_writes_nothing = 0,
            updates::an_update_in_place_hands_over_and_takes_back = 0,
            updates::an_update_in_place_may_begin_a_conversation = 0,
            updates::an_update_may_commit_another_contact = 0,
            updates::an_update_is_seen_like_a_commit = 0,
            dropping::a_dropped_first_commit_is_all_or_nothing = 19,
            dropping::a_dropped_later_commit_is_all_or_nothing = 19,
            dropping::a_dropped_update_is_all_or_nothing = 19,
            dropping::a_dropped_settle_is_all_or_nothing = 19,
            dropping::a_dropped_claim_loses_nothing = 19,
            dropping::a_dropped_erase_is_all_or_nothing = 19,
            dropping::a_dropped_purge_goes_on = 19,
            dropping::dropped_loads_harm_nobody = 19,
            holding::contacts_are_compared_byte_by_byte = 21,
            holding::aliases_are_compared_byte_by_byte = 21,
            holding::keys_are_compared_byte_by_byte = 21,
            holding::workspaces_are_compared_byte_by_byte = 21,
            holding::names_may_be_long = 21,
            holding::addresses_of_other_accounts_are_told_apart = 21,
            holding::a_record_may_be_any_bytes = 4,
            holding::a_record_may_be_large = 4,
            holding::a_record_comes_back_as_the_same_conversation = 4,
            holding::many_aliases_are_added_and_dropped_at_once = 4,
            holding::many_sessions_are_written_at_once = 4,
            holding::many_conversations_are_told_apart = 4,
            holding::a_conversation_may_have_many_turns = 4,
            holding::ids_may_be_any_uuid = 1,
            races::no_update_is_lost_between_load_and_commit = 5,
            races::no_update_is_lost_in_update = 0,
            races::of_many_first_commits_one_applies = 5,
            races::of_many_first_uses_of_a_key_one_applies = 6,
            races::of_many_uses_of_an_expired_key_one_applies = 6,
            races::of_many_contacts_one_gets_an_alias = 7,
            races::no_conversation_is_claimed_twice = 12,
            races::a_lease_has_one_holder = 10,
            races::no_watermark_is_lost_beside_commits = 13,
            races::purges_beside_commits_remove_each_thing_once = 20,
            races::an_erase_beside_commits_loses_nothing = 22,
            knowing::a_commit_on_what_is_stored_applies = 29,
            knowing::a_commit_on_another_watermark_writes_nothing = 29,
            knowing::a_commit_on_what_was_set_aside_since_writes_nothing = 29,
            knowing::a_commit_on_other_flows_writes_nothing = 29,
            knowing::what_is_known_is_what_was_written = 3,
            knowing::an_answer_is_given_on_what_another_process_wrote = 2,
            knowing::nothing_is_written_on_what_is_not_stored_any_more = 5,
            knowing::what_another_process_settled_is_known = 2,
            knowing::what_another_process_took_away_is_not_known = 2,
            knowing::who_was_taken_in_elsewhere_is_not_known = 27,
            knowing::a_session_is_known_as_long_as_its_alias_leads_there = 20,
            knowing::a_lease_of_another_process_is_respected = 9,
            knowing::no_update_of_two_processes_is_lost = 5,
            knowing::a_dropped_update_leaves_nothing_known = 19,
        ] }
    };
    ([$($then:tt)*] $args:tt queries) => {
        $($then)* ! { $args StoreQueries [
            sessions::sessions_are_listed_newest_first = 2,
            sessions::sessions_are_listed_as_asked = 2,
            sessions::sessions_are_listed_with_their_own_contacts = 7,
            sessions::sessions_are_narrowed_as_asked = 2,
            sessions::sessions_are_listed_in_pages = 2,
            sessions::a_session_is_listed_once_when_it_ends = 2,
            sessions::a_session_is_found_live_and_ended = 0,
            sessions::an_ended_session_comes_back_unchanged = 0,
            sessions::another_workspace_sees_nothing = 1,
            sessions::a_refused_commit_leaves_nothing_to_list = 0,
            sessions::conversations_with_dead_letters_and_set_aside_are_listed = 5,
            sessions::conversations_are_listed_as_they_are_now = 5,
            sessions::conversations_are_listed_in_the_order_of_bytes = 5,
            sessions::purged_sessions_are_not_listed = 0,
            sessions::an_erased_contact_is_not_listed = 0,
            sessions::an_erased_contacts_live_sessions_are_not_listed = 0,
            sessions::who_went_leaves_what_has_ended = 0,
            absorbing::what_was_taken_in_is_listed = 0,
            journal::a_journal_is_read_in_order = 3,
            journal::a_journal_is_in_the_order_of_numbers = 3,
            journal::an_entry_comes_back_unchanged = 0,
            journal::an_entry_may_be_large = 0,
            journal::a_flows_journal_is_read_in_order = 4,
            journal::a_flows_journal_is_read_as_asked = 4,
            journal::a_flows_journal_is_read_in_pages = 4,
            journal::purged_entries_are_not_read = 0,
            journal::a_journal_is_purged_from_its_beginning = 0,
            journal::an_erased_journal_begins_anew = 0,
        ] }
    };
    ([$($then:tt)*] $args:tt counters) => {
        $($then)* ! { $args ConversationStore [
            counters::what_commits_count_is_added_up = 25,
            counters::what_updates_count_is_added_up = 25,
            counters::a_refused_commit_counts_nothing = 25,
            counters::a_dropped_commit_counts_all_or_nothing = 25,
            counters::names_of_counters_are_compared_byte_by_byte = 25,
            counters::a_purge_removes_old_counters = 25,
            counters::a_purge_of_counters_goes_on_where_its_limit_ended_it = 25,
            counters::an_erase_leaves_counters = 25,
            counters::counts_at_the_same_time_lose_nothing = 25,
            counters::counters_are_read_by_the_minute = 25,
            counters::counters_are_of_their_workspace = 25,
        ] }
    };
    ([$($then:tt)*] $args:tt flows) => {
        $($then)* ! { $args FlowStore [
            flows::an_empty_store_has_no_flows = 0,
            flows::definitions_are_answered_as_they_were_saved = 0,
            flows::definitions_may_be_large_and_strange = 0,
            flows::the_revision_changes_with_each_save = 1,
            flows::a_save_leaves_the_revision_of_others = 1,
            flows::a_refused_save_leaves_the_revision = 1,
            flows::the_catalogue_has_every_entry = 2,
            flows::a_catalogue_is_of_one_workspace = 2,
            flows::a_save_on_another_revision_writes_nothing = 3,
            flows::a_draft_goes_with_its_entry = 3,
            flows::a_repeated_save_is_refused = 3,
            flows::the_text_of_a_version_never_changes = 4,
            flows::workspaces_with_a_terminated_version_are_told = 5,
            flows::flow_codes_are_compared_byte_by_byte = 0,
            dropping::a_dropped_save_is_all_or_nothing = 3,
            flows::of_many_saves_on_one_revision_one_applies = 3,
            flows::saves_of_many_flows_all_apply = 1,
            many::several_changes_are_saved_as_one = 6,
            many::hundreds_of_changes_are_saved_as_one = 6,
            many::a_refused_change_refuses_all = 6,
            many::a_changed_text_refuses_all = 6,
            many::of_many_publishers_one_saves = 6,
            dropping::a_dropped_save_of_several_is_all_or_nothing = 6,
            many::changes_are_those_since_a_revision = 7,
            many::a_deletion_is_a_change = 7,
            many::changes_are_of_one_workspace = 7,
            many::of_a_revision_that_was_not_reached_all_is_told = 7,
            many::no_change_is_missed_by_who_reads_on = 7,
        ] }
    };
}

/// Makes a test of each check.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_tests {
    ([($harness:expr) ($block_on:expr)] $contract:ident [$($module:ident::$name:ident = $rule:literal,)*]) => {$(
        #[test]
        fn $name() {
            use $crate::testkit::store_suite::{Check, Contract, Rule, $module};
            let rule = Rule { contract: Contract::$contract, number: $rule };
            let (group, name) = (stringify!($module), stringify!($name));
            let check = Check::new(group, name, rule, |harness| Box::pin($module::$name(harness)));
            ($block_on)(check.run(&$harness))
        }
    )*};
}

/// Makes a `#[test]` of each check, so that a failure in CI names the rule that the store breaks.
///
/// `harness` is an expression that makes a [`Harness`](crate::testkit::store_suite::Harness), once
/// for each test. `block_on` runs a future to its end. `groups` are those that the store can be
/// asked: `conversations`, `queries`, `counters`, `flows`. Two stores in one file go into a module
/// each.
///
/// ```
/// mod on_memory {
///     use chatflow::MemoryStore;
///     use chatflow::testkit::store_suite::FreshStores;
///
///     chatflow::store_suite! {
///         harness: FreshStores(MemoryStore::new),
///         block_on: pollster::block_on,
///         groups: [conversations, queries],
///     }
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! store_suite {
    (harness: $harness:expr, block_on: $block_on:expr, groups: [$($group:ident),* $(,)?] $(,)?) => {$(
        $crate::__store_checks! { [$crate::__store_tests] [($harness) ($block_on)] $group }
    )*};
}

macro_rules! listed {
    ([] $contract:ident [$($module:ident::$name:ident = $rule:literal,)*]) => {
        vec![$(Check::new(
            stringify!($module),
            stringify!($name),
            Rule { contract: Contract::$contract, number: $rule },
            |harness| Box::pin(crate::testkit::store_suite::$module::$name(harness)),
        )),*]
    };
}

/// Returns the checks of [`ConversationStore`].
#[must_use]
pub fn conversations<H: Harness<Store: ConversationStore>>() -> Vec<Check<H>> {
    __store_checks! { [listed] [] conversations }
}

/// Returns the checks of [`StoreQueries`], for a store that keeps ended sessions and the journal
/// too.
#[must_use]
pub fn queries<H: Harness<Store: ConversationStore + StoreQueries>>() -> Vec<Check<H>> {
    __store_checks! { [listed] [] queries }
}

/// Returns the checks of counters, for a store that [keeps them](ConversationStore::keeps_counts).
#[must_use]
pub fn counters<H: Harness<Store: ConversationStore + StoreQueries>>() -> Vec<Check<H>> {
    __store_checks! { [listed] [] counters }
}

/// Returns the checks of [`FlowStore`].
#[must_use]
pub fn flows<H: Harness<Store: FlowStore>>() -> Vec<Check<H>> {
    __store_checks! { [listed] [] flows }
}
