//! `SqliteStore`: the contract, and what a file can suffer.

#![allow(clippy::unwrap_used, reason = "a test may fail")]
#![allow(dead_code, reason = "checks of stores in memory are not for a file")]

mod faults;
mod folder;
mod joins;
mod lasting;
#[path = "../store_kit/mod.rs"]
mod store_kit;
mod talk;

#[path = "../store_contract/commits.rs"]
mod commits;
#[path = "../store_contract/erases.rs"]
mod erases;
#[path = "../store_contract/leases.rs"]
mod leases;
#[path = "../store_contract/lists.rs"]
mod lists;
#[path = "../store_contract/reads.rs"]
mod reads;
#[path = "../store_contract/settles.rs"]
mod settles;
#[path = "../store_contract/updates.rs"]
mod updates;
#[path = "../store_contract/upkeep.rs"]
mod upkeep;

use chatflow::WorkspaceId;
use chatflow::store::{JournalEntry, Purge};
use chrono::{DateTime, Utc};
use commits::*;
use erases::*;
use leases::*;
use lists::*;
use reads::*;
use serde_json::json;
use settles::*;
use store_kit::*;
use updates::*;
use upkeep::*;

macro_rules! on_a_file {
    ($($check:ident),* $(,)?) => { mod on_a_file { $(#[test] fn $check() {
        let folder = crate::folder::Folder::new();
        crate::$check(crate::Asked(chatflow::SqliteStore::open(folder.file()).unwrap()));
    })* } };
}

on_a_file! {
    a_conversation_is_found_by_contact_and_by_alias_in_its_workspace_only,
    record_revision_watermark_and_lease_are_read_together,
    a_key_is_answered_until_it_expires,
    a_refused_commit_writes_nothing,
    a_commit_applies_to_the_expected_revision_only,
    no_revision_comes_twice,
    a_taken_key_refuses_until_it_expires,
    a_key_belongs_to_workspace_and_flow,
    an_alias_of_another_contact_refuses,
    an_alias_is_dropped_only_by_whom_it_leads_to,
    many_aliases_are_added_at_once,
    a_commit_ends_a_quarantine,
    a_lease_ends_by_itself,
    a_lease_is_taken_if_it_is_free_and_renewed_by_its_token,
    hold_and_free_need_the_live_lease,
    due_conversations_are_claimed_oldest_first,
    a_conversation_is_claimed_by_one_token_while_its_lease_lives,
    claims_are_counted_until_there_is_progress,
    the_next_due_time_is_never_late,
    a_due_time_may_move_either_way,
    the_watermark_never_sinks,
    a_settle_without_the_lease_changes_nothing,
    a_settle_on_another_revision_raises_the_watermark_only,
    a_repeated_settle_is_harmless,
    a_quarantined_conversation_is_not_due,
    a_dropped_future_writes_nothing,
    a_purge_removes_what_is_old_and_says_what_is_left,
    names_are_compared_byte_by_byte,
    an_erased_contact_leaves_nothing_and_may_come_again,
    an_erase_is_for_the_revision_that_was_seen,
    an_erased_contacts_keys_stay_without_their_contact,
    an_erased_contact_belongs_to_its_workspace,
    live_sessions_are_counted_by_the_flows_that_they_call,
    an_update_that_decides_nothing_writes_nothing,
    an_update_in_place_hands_over_and_takes_back,
    an_update_may_commit_another_contact,
    a_refused_commit_leaves_nothing_to_list,
    a_purge_removes_what_is_listed,
    an_erase_removes_what_is_listed,
    a_journal_is_read_in_order,
    a_flows_journal_is_read_by_version_and_time,
    conversations_with_dead_letters_and_set_aside_are_listed,
    another_workspace_sees_nothing,
}
fn other() -> WorkspaceId {
    WorkspaceId::new("other").unwrap()
}

/// A session's entry: its number there is also its turn's.
fn entry(session: u128, turn: u32, at: DateTime<Utc>) -> JournalEntry {
    serde_json::from_value(json!({
        "session": session_id(session), "seq": turn, "contact": "ann", "flow": "cart", "version": 1, "turn": turn,
        "at": at, "input": "start", "node": "ask", "status": "waiting",
    }))
    .unwrap()
}

/// All that is older than this many seconds.
fn purge(seconds: i64, limit: usize) -> Purge {
    Purge { now: at(seconds), ended_before: at(seconds), journal_before: at(seconds), limit }
}
