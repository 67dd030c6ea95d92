//! `update`, in place and not.

use std::panic::{AssertUnwindSafe, catch_unwind};

use chatflow::store::{Commit, Committed, ConversationQuery, ConversationStore, Lease, Lookup};
use pollster::block_on;

use crate::other;
use crate::store_kit::*;

/// `update`.
pub(crate) fn an_update_that_decides_nothing_writes_nothing(store: Asked<impl ConversationStore>) {
    let revision = store.apply(Commit { add_aliases: vec![phone(1)], ..commit("ann", None) });
    for in_place in [false, true] {
        for lookup in [by_contact("ann"), by_alias(phone(1)), by_contact("bob"), by_alias(phone(2))] {
            let lookup = Lookup { in_place, ..lookup };
            assert!(store.update(&lookup, |_| None).unwrap().is_none());
        }
    }
    let seen = store.find("ann").unwrap();
    assert_eq!((seen.revision, text_of(&seen.record).as_str()), (revision, "ann"));
    assert!(!seen.quarantined && store.find("bob").is_none());
}

/// `update` in place.
pub(crate) fn an_update_in_place_hands_over_and_takes_back(store: Asked<impl ConversationStore>) {
    store.apply(Commit { add_aliases: vec![phone(1)], ..commit("ann", None) });
    for round in 0..3 {
        let lookup = Lookup { in_place: true, ..by_alias(phone(1)) };
        let committed = store.update(&lookup, |loaded| {
            let stored = loaded.conversation.take()?;
            let grown = format!("{}+{round}", text_of(&stored.record));
            Some(Commit { record: opaque(&grown), lease: take(1), ..commit("ann", Some(stored.revision)) })
        });
        assert!(matches!(committed, Ok(Some(Committed::Applied { leased: true, .. }))), "{committed:?}");
    }
    assert_eq!(store.text("ann").as_deref(), Some("ann+0+1+2"));
    let made = store
        .update(&Lookup { in_place: true, ..by_contact("bob") }, |loaded| {
            assert!(loaded.conversation.is_none());
            Some(commit("bob", None))
        })
        .unwrap();
    assert!(matches!(made, Some(Committed::Applied { .. })));
}

/// `update` in place. A store with another copy of the record may refuse as ever; one without sets aside.
pub(crate) fn an_update_in_place_that_is_refused_sets_aside(store: Asked<impl Store>) {
    let revision = store.apply(Commit { due_at: Some(at(0)), ..commit("ann", None) });
    let lookup = Lookup { in_place: true, ..by_contact("ann") };
    let refused = store.update(&lookup, |loaded| {
        let stored = loaded.conversation.take()?;
        Some(Commit { lease: Lease::Free(token(8)), ..commit("ann", Some(stored.revision)) })
    });
    assert!(refused.is_err_and(|error| !error.is_retryable()));
    let seen = store.find("ann").unwrap();
    assert_eq!((seen.quarantined, seen.revision), (true, revision));
    assert!(seen.record.conversation().is_err() && store.claimed(&due(1, at(9))).is_empty());
    store.update(&lookup, |_| None).unwrap();
    assert!(store.find("ann").unwrap().quarantined, "a look does not change that");
    let query = ConversationQuery { workspace: shop(), quarantined: true, after: None, limit: 9 };
    assert_eq!(block_on(store.0.conversations(&query)).unwrap().len(), 1);
    store.apply(Commit { due_at: Some(at(1)), ..commit("ann", Some(revision)) });
    assert_eq!(store.claimed(&due(1, at(9))), ["ann"]);
}

/// `update` in place: a decision that panics harms this conversation only.
pub(crate) fn an_update_in_place_that_panics_sets_aside(store: Asked<impl Store>) {
    let revision = store.apply(commit("ann", None));
    let lookup = Lookup { in_place: true, ..by_contact("ann") };
    let panicked =
        catch_unwind(AssertUnwindSafe(|| store.update(&lookup, |_| panic!("as the test wants it"))));
    assert!(panicked.is_err());
    assert!(store.find("ann").unwrap().quarantined);
    store.apply(commit("ann", Some(revision)));
    assert_eq!(store.text("ann").as_deref(), Some("ann"));
}

/// `update`.
pub(crate) fn an_update_may_commit_another_contact(store: Asked<impl ConversationStore>) {
    store.apply(commit("ann", None));
    for (lookup, name) in
        [(by_contact("ann"), "bob"), (by_contact("cid"), "dan"), (by_alias(phone(1)), "eve")]
    {
        let committed = store.update(&lookup, |_| Some(commit(name, None))).unwrap();
        assert!(matches!(committed, Some(Committed::Applied { .. })));
        assert_eq!(store.text(name).as_deref(), Some(name));
    }
    let elsewhere =
        store.update(&by_contact("ann"), |_| Some(Commit { workspace: other(), ..commit("ann", None) }));
    assert!(matches!(elsewhere, Ok(Some(Committed::Applied { .. }))));
    assert_eq!(store.text("ann").as_deref(), Some("ann"));
    assert!(store.find("cid").is_none());
}
