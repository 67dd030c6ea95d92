//! What a load answers: rules 1 to 3.

use chatflow::store::{Commit, ConversationStore, Lookup, Settled};
use chatflow::{Account, Address, Alias, Channel};

use crate::other;
use crate::store_kit::*;

/// Rule 1.
pub(crate) fn a_conversation_is_found_by_contact_and_by_alias_in_its_workspace_only(
    store: Asked<impl ConversationStore>,
) {
    let named = Address::new(&Account::new(Channel::Web, "site").unwrap(), "visitor-1").unwrap();
    let aliases = vec![phone(1), Alias::Address(named), session_alias(1)];
    store.apply(Commit { add_aliases: aliases.clone(), ..commit("ann", None) });
    assert_eq!(store.text("ann").as_deref(), Some("ann"));
    assert!(store.find("bob").is_none());
    for alias in aliases {
        assert_eq!(store.follow(alias.clone()), Some(contact("ann")), "{alias}");
        let elsewhere = Lookup { workspace: other(), ..by_alias(alias) };
        assert!(store.load(&elsewhere).conversation.is_none());
    }
    assert!(store.follow(phone(2)).is_none());
    assert!(store.load(&Lookup { workspace: other(), ..by_contact("ann") }).conversation.is_none());
}

/// Rule 2.
pub(crate) fn record_revision_watermark_and_lease_are_read_together(store: Asked<impl ConversationStore>) {
    let revision = store.apply(Commit { lease: take(1), ..commit("ann", None) });
    assert_eq!(store.settle(&settle("ann", 1, revision + 1, 3)), Settled::Conflict { settled: 3 });
    let mine = store.load(&Lookup { token: token(1), ..by_contact("ann") }).conversation.unwrap();
    assert_eq!((mine.revision, mine.settled, mine.leased, mine.quarantined), (revision, 3, true, false));
    let anothers = store.find("ann").unwrap();
    assert_eq!((anothers.revision, anothers.settled, anothers.leased), (revision, 3, false));
}

/// Rule 3.
pub(crate) fn a_key_is_answered_until_it_expires(store: Asked<impl ConversationStore>) {
    let (name, record) = (key_name("cart", "k"), key_record("ann", 1, at(10)));
    store.apply(Commit { key: Some((name.clone(), record.clone())), ..commit("ann", None) });
    let asked = |who: &str, now| Lookup { key: Some(name.clone()), now, ..by_contact(who) };
    assert_eq!(store.load(&asked("ann", at_ms(9_999))).key, Some(record.clone()));
    assert_eq!(store.load(&asked("bob", at(0))).key, Some(record), "whoever asks");
    assert_eq!(store.load(&asked("ann", at(10))).key, None);
    assert_eq!(store.load(&by_contact("ann")).key, None, "it was not asked for");
}
