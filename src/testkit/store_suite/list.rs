//! Which checks there are: one list, read by the functions here and by the macro that makes tests of them.

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
        ] }
    };
    ([$($then:tt)*] $args:tt queries) => {
        $($then)* ! { $args StoreQueries [
        ] }
    };
    ([$($then:tt)*] $args:tt flows) => {
        $($then)* ! { $args FlowStore [
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
            let check = Check::new(stringify!($name), rule, |harness| Box::pin($module::$name(harness)));
            ($block_on)(check.run(&$harness))
        }
    )*};
}

/// Makes a `#[test]` of each check, so that a failure in CI names the rule that the store breaks.
///
/// `harness` is an expression that makes a [`Harness`](crate::testkit::store_suite::Harness), once for each test.
/// `block_on` runs a future to its end. `groups` are those that the store can be asked: `conversations`, `queries`,
/// `flows`. Two stores in one file go into a module each.
///
/// ```
/// mod on_memory {
///     use chatflow::MemoryStore;
///     use chatflow::testkit::store_suite::Fresh;
///
///     chatflow::store_suite! {
///         harness: Fresh(MemoryStore::new),
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
            stringify!($name),
            Rule { contract: Contract::$contract, number: $rule },
            |harness| Box::pin(crate::testkit::store_suite::$module::$name(harness)),
        )),*]
    };
}

/// The checks of [`ConversationStore`].
#[must_use]
pub fn conversations<H: Harness<Store: ConversationStore>>() -> Vec<Check<H>> {
    __store_checks! { [listed] [] conversations }
}

/// The checks of [`StoreQueries`], for a store that keeps ended sessions and the journal too.
#[must_use]
pub fn queries<H: Harness<Store: ConversationStore + StoreQueries>>() -> Vec<Check<H>> {
    __store_checks! { [listed] [] queries }
}

/// The checks of [`FlowStore`].
#[must_use]
pub fn flows<H: Harness<Store: FlowStore>>() -> Vec<Check<H>> {
    __store_checks! { [listed] [] flows }
}
