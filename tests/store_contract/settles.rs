//! The watermark: rules 13 to 17.

use chatflow::store::{Commit, Committed, ConversationStore, Lease, Lookup, Settle, Settled};

use crate::store_kit::*;

/// Rule 13.
pub(crate) fn the_watermark_never_sinks(store: Asked<impl ConversationStore>) {
    let revision = store.apply(Commit { lease: take(1), ..commit("ann", None) });
    assert_eq!(store.settle(&settle("ann", 1, revision + 9, 5)), Settled::Conflict { settled: 5 });
    assert_eq!(store.settle(&settle("ann", 1, revision + 9, 3)), Settled::Conflict { settled: 5 });
    let held = store.commit(Commit { lease: Lease::Hold(token(1)), ..commit("ann", Some(revision)) });
    let Committed::Applied { revision, settled: 5, .. } = held else { panic!("{held:?}") };
    assert_eq!(store.settle(&settle("ann", 1, revision, 4)), Settled::Done);
    assert_eq!(store.find("ann").unwrap().settled, 5);
}

/// Rule 14.
pub(crate) fn a_settle_without_the_lease_changes_nothing(store: Asked<impl ConversationStore>) {
    assert_eq!(store.settle(&settle("ann", 1, 1, 1)), Settled::LeaseLost);
    let revision = store.apply(Commit { lease: take(1), ..commit("ann", None) });
    let wrong = Settle { quarantine: true, ..settle("ann", 2, revision, 5) };
    assert_eq!(store.settle(&wrong), Settled::LeaseLost);
    assert_eq!(store.settle(&Settle { now: at(30), ..settle("ann", 1, revision, 5) }), Settled::LeaseLost);
    let seen = store.find("ann").unwrap();
    assert_eq!((seen.settled, seen.quarantined), (0, false));
}

/// Rule 15.
pub(crate) fn a_settle_on_another_revision_raises_the_watermark_only(store: Asked<impl ConversationStore>) {
    let old = store.apply(Commit { lease: take(1), ..commit("ann", None) });
    let new = store.apply(Commit { due_at: Some(at(500)), ..commit("ann", Some(old)) });
    let stale = Settle { due_at: Some(at(1)), quarantine: true, ..settle("ann", 1, old, 2) };
    assert_eq!(store.settle(&stale), Settled::Conflict { settled: 2 });
    let seen = store.load(&Lookup { token: token(1), ..by_contact("ann") }).conversation.unwrap();
    assert_eq!((seen.leased, seen.settled, seen.quarantined), (true, 2, false));
    assert_eq!(store.settle(&Settle { due_at: Some(at(40)), ..settle("ann", 1, new, 3) }), Settled::Done);
    assert!(store.claimed(&due(2, at(39))).is_empty());
    assert_eq!(store.claimed(&due(2, at(40))), ["ann"]);
}

/// Rule 16.
pub(crate) fn a_repeated_settle_is_harmless(store: Asked<impl ConversationStore>) {
    let revision = store.apply(Commit { lease: take(1), ..commit("ann", None) });
    let once = Settle { due_at: Some(at(9)), ..settle("ann", 1, revision, 2) };
    assert_eq!(store.settle(&once), Settled::Done);
    assert_eq!(store.settle(&once), Settled::LeaseLost);
    assert_eq!(store.find("ann").unwrap().settled, 2);
    assert_eq!(store.claimed(&due(2, at(9))), ["ann"]);
}

/// Rule 17.
pub(crate) fn a_quarantined_conversation_is_not_due(store: Asked<impl ConversationStore>) {
    let revision = store.apply(Commit { due_at: Some(at(0)), ..commit("ann", None) });
    assert_eq!(store.claimed(&due(1, at(0))), ["ann"]);
    let aside = Settle { due_at: Some(at(1)), quarantine: true, ..settle("ann", 1, revision, 0) };
    assert_eq!(store.settle(&aside), Settled::Done);
    assert!(store.claimed(&due(2, at(9_999))).is_empty());
    let seen = store.find("ann").unwrap();
    assert_eq!((seen.quarantined, text_of(&seen.record).as_str()), (true, "ann"));
}
