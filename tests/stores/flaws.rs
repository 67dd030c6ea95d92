//! The suite sees what it is there to see: each store with a flaw is caught, and by a check of the
//! rule that it breaks.

use std::collections::{BTreeSet, HashSet};
use std::panic;
use std::sync::{Arc, Mutex};

use chatflow::MemoryStore;
use chatflow::store::{DynStore, MemoryFlows};
use chatflow::testkit::store_suite::{
    Check, Flaw, Flawed, FreshStores, Harness, conversations, counters, flows, queries,
};
use pollster::block_on;

/// A flaw, and a check that must see it.
const CAUGHT_BY: [(Flaw, &str); 42] = [
    (Flaw::LostUpdate, "no_update_is_lost_between_load_and_commit"),
    (Flaw::TornKey, "a_commit_on_another_revision_writes_nothing"),
    (Flaw::TornAliases, "a_dropped_first_commit_is_all_or_nothing"),
    (Flaw::KeysNotUnique, "of_many_first_uses_of_a_key_one_applies"),
    (Flaw::AliasesNotUnique, "of_many_contacts_one_gets_an_alias"),
    (Flaw::ForgetsKeys, "a_key_is_answered_to_whoever_asks"),
    (Flaw::KeysNeverExpire, "a_key_is_answered_until_it_expires"),
    (Flaw::StaleRead, "a_commit_answers_what_a_load_will"),
    (Flaw::AnswersUnconfirmed, "an_answer_is_given_on_what_another_process_wrote"),
    (Flaw::ComparesRevisionOnly, "a_commit_on_another_watermark_writes_nothing"),
    (Flaw::OneWorkspace, "a_conversation_is_found_in_its_workspace_only"),
    (Flaw::FoldsCase, "contacts_are_compared_byte_by_byte"),
    (Flaw::PhantomDue, "what_is_due_is_claimed"),
    (Flaw::SharesClaims, "no_conversation_is_claimed_twice"),
    (Flaw::ForgetsDue, "a_settle_sets_the_due_time_and_frees_the_lease"),
    (Flaw::NextDueLate, "the_next_due_time_is_never_late"),
    (Flaw::GrantsTwice, "a_lease_has_one_holder"),
    (Flaw::IgnoresLease, "who_holds_nothing_is_refused"),
    (Flaw::ForgetsWatermark, "the_watermark_stays_with_the_record"),
    (Flaw::SettlesWithoutLease, "a_settle_without_the_lease_changes_nothing"),
    (Flaw::SettlesBlindly, "a_settle_on_another_revision_raises_the_watermark_only"),
    (Flaw::FlushesNothing, "what_was_acknowledged_is_written_by_a_flush"),
    (Flaw::NoQuarantine, "a_quarantined_conversation_is_not_due"),
    (Flaw::PurgesTooMuch, "a_purge_leaves_what_is_younger"),
    (Flaw::PurgeStops, "a_purge_goes_on_where_its_limit_ended_it"),
    (Flaw::KeepsErased, "an_erased_contact_leaves_nothing"),
    (Flaw::ErasesBlindly, "an_erase_is_for_the_revision_that_was_seen"),
    (Flaw::CountsAnyVersion, "live_sessions_are_counted_by_flow_and_version"),
    (Flaw::WakesNobody, "counted_conversations_are_woken"),
    (Flaw::ForgetsCounts, "counts_at_the_same_time_lose_nothing"),
    (Flaw::CountsRefused, "a_refused_commit_counts_nothing"),
    (Flaw::TornCounts, "a_dropped_commit_counts_all_or_nothing"),
    (Flaw::AbsorbsBlindly, "who_is_at_work_is_not_taken_in"),
    (Flaw::AbsorbsUnsettled, "what_was_settled_since_is_seen_first"),
    (Flaw::KeepsAbsorbed, "one_contact_takes_another_in"),
    (Flaw::LosesAbsorbed, "one_contact_takes_another_in"),
    (Flaw::CountsAnyMinute, "counters_are_read_by_the_minute"),
    (Flaw::ErasesCounts, "an_erase_leaves_counters"),
    (Flaw::DropsPast, "a_journal_is_read_in_order"),
    (Flaw::TimeGoesBack, "a_store_that_tells_the_time_tells_it_always"),
    (Flaw::IgnoresCursor, "sessions_are_listed_in_pages"),
    (Flaw::SwapsContacts, "sessions_are_listed_with_their_own_contacts"),
];

/// The same of stores that keep flows.
const CAUGHT_OF_FLOWS_BY: [(Flaw, &str); 15] = [
    (Flaw::TornFlows, "a_refused_change_refuses_all"),
    (Flaw::TornFlows, "a_dropped_save_of_several_is_all_or_nothing"),
    (Flaw::ForgetsAFlow, "several_changes_are_saved_as_one"),
    (Flaw::FewFlowsAtOnce, "hundreds_of_changes_are_saved_as_one"),
    (Flaw::SavesFlowsBlindly, "of_many_publishers_one_saves"),
    (Flaw::SavesFlowsBlindly, "a_refused_change_refuses_all"),
    (Flaw::KeepsOldText, "a_changed_text_refuses_all"),
    (Flaw::TellsOneChange, "changes_are_those_since_a_revision"),
    (Flaw::TellsOneChange, "changes_are_of_one_workspace"),
    (Flaw::TellsOneChange, "no_change_is_missed_by_who_reads_on"),
    (Flaw::OneWorkspace, "changes_are_of_one_workspace"),
    (Flaw::HidesDeletions, "a_deletion_is_a_change"),
    (Flaw::TrustsTheReader, "of_a_revision_that_was_not_reached_all_is_told"),
    (Flaw::RevisionAfterChanges, "no_change_is_missed_by_who_reads_on"),
    (Flaw::TornFlows, "a_changed_text_refuses_all"),
];

/// Stores with a flaw, each of which a second process can open.
struct Processes(Flaw, Mutex<Arc<MemoryStore>>);

impl Harness for Processes {
    type Store = Flawed<Arc<MemoryStore>>;

    async fn store(&self) -> Self::Store {
        let store = Arc::new(MemoryStore::new());
        *self.1.lock().unwrap() = Arc::clone(&store);
        Flawed::new(store, self.0)
    }

    async fn beside(&self, _store: &Self::Store) -> Option<Self::Store> {
        Some(Flawed::new(Arc::clone(&self.1.lock().unwrap()), self.0))
    }
}

/// The names of the checks that fail, with what they say.
fn caught<H>(checks: &[Check<H>], harness: &H) -> Vec<(&'static str, String)> {
    checks
        .iter()
        .filter_map(|check| block_on(check.verdict(harness)).err())
        .map(|broken| (broken.check, broken.to_string()))
        .collect()
}

#[test]
fn each_flaw_is_caught_by_a_check_of_its_rule() {
    // Panics are what a check says; hundreds of them are nothing to print.
    panic::set_hook(Box::new(|_| {}));
    let mut report = Vec::new();
    let mut missed = Vec::new();
    for (flaw, expected) in CAUGHT_BY {
        let harness = Processes(flaw, Mutex::default());
        let mut checks = conversations();
        checks.extend(queries());
        checks.extend(counters());
        let names = caught(&checks, &harness);
        let (_, said) = names.iter().find(|(name, _)| *name == expected).cloned().unwrap_or_default();
        if !said.contains("rule") && !said.contains("StoreQueries") {
            missed.push(format!("{flaw:?} is not seen by {expected}, but by {names:?}"));
        }
        report.push(format!("{flaw:?}: {} checks", names.len()));
    }
    let _ = panic::take_hook();
    println!("{}", report.join("\n"));
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// Each check of counters fails on a store with one of the flaws.
#[test]
fn each_check_of_counters_sees_a_flaw() {
    panic::set_hook(Box::new(|_| {}));
    let mut seen = BTreeSet::new();
    for flaw in Flaw::ALL {
        let harness = FreshStores(move || Flawed::new(MemoryStore::new(), flaw));
        seen.extend(caught(&counters(), &harness).into_iter().map(|(name, _)| name));
    }
    let _ = panic::take_hook();
    let all: BTreeSet<_> =
        counters::<FreshStores<fn() -> MemoryStore>>().iter().map(|check| check.name).collect();
    assert_eq!(seen, all);
}

#[test]
fn each_flaw_of_flows_is_caught_by_a_check_of_its_rule() {
    panic::set_hook(Box::new(|_| {}));
    let mut missed = Vec::new();
    for (flaw, expected) in CAUGHT_OF_FLOWS_BY {
        let names = caught(&flows(), &FreshStores(move || Flawed::new(MemoryFlows::new(), flaw)));
        let said = names.iter().find(|(name, _)| *name == expected).map(|(_, said)| said.as_str());
        if !said.is_some_and(|said| said.starts_with("FlowStore, rule")) {
            missed.push(format!("{flaw:?} is not seen by {expected}, but by {names:?}"));
        }
    }
    let _ = panic::take_hook();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// Rule 20 allows it.
#[test]
fn a_store_that_drops_the_past_keeps_the_contract_of_conversations() {
    let harness = FreshStores(|| Flawed::new(MemoryStore::new(), Flaw::DropsPast));
    assert_eq!(caught(&conversations(), &harness), []);
}

#[test]
fn every_flaw_is_in_the_table() {
    let named: HashSet<Flaw> = CAUGHT_BY.iter().chain(&CAUGHT_OF_FLOWS_BY).map(|(flaw, _)| *flaw).collect();
    assert_eq!(named, HashSet::from(Flaw::ALL));
}

#[test]
fn every_check_has_a_name_of_its_own_and_tells_its_rule() {
    type H = FreshStores<fn() -> DynStore>;
    type F = FreshStores<fn() -> MemoryFlows>;
    let told = |name: &'static str, rule: String| {
        assert!(rule.contains(": ") && !rule.ends_with(": "), "{name}: {rule}");
        name
    };
    let mut names: Vec<_> = conversations::<H>().iter().map(|c| told(c.name, c.rule.to_string())).collect();
    names.extend(queries::<H>().iter().map(|c| told(c.name, c.rule.to_string())));
    names.extend(counters::<H>().iter().map(|c| told(c.name, c.rule.to_string())));
    names.extend(flows::<F>().iter().map(|c| told(c.name, c.rule.to_string())));
    println!("{} checks", names.len());
    assert!(names.len() >= 140);
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
}
