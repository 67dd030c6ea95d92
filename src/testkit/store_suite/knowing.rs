//! Decisions on conversations that were not read for them: rule 29, and stores that keep in memory
//! what they know, such as [`Known`](crate::store::Known), while another process writes.
//!
//! Where no second process can open the store, the same handle writes in its place.

use std::sync::Arc;

use crate::session::ShortList;
use crate::store::{
    Commit, Committed, ConversationStore, DecisionBasis, FlowChange, FlowEntry, FlowSaved, Lookup,
    MergedContact, Revision, Settle, Settled, StoredConversation, Txn,
};
use crate::testkit::store_suite::harness::{drop_after, step_aside};
use crate::testkit::store_suite::kit::*;
use crate::testkit::store_suite::races::{ROUNDS, Shared, TASKS, each};
use crate::testkit::store_suite::{Harness, TrustedStore};

/// A lookup of a call that holds no lease.
fn knowing(lookup: Lookup) -> Lookup {
    Lookup { known: true, ..lookup }
}

/// The same store twice: as this process has it, and as another one does.
async fn two<H: Harness<Store: ConversationStore>>(
    harness: &H,
) -> (TrustedStore<H::Store>, TrustedStore<H::Store>) {
    let store = TrustedStore::fresh(harness).await;
    let other = harness.beside(&store.0).await.map_or_else(|| store.clone(), TrustedStore::new);
    (store, other)
}

/// The findings on which an answer is given that writes nothing, however often it is decided.
async fn answered_on<S: ConversationStore>(
    store: &TrustedStore<S>,
    lookup: Lookup,
) -> Option<StoredConversation> {
    let mut lookup = knowing(lookup);
    for _ in 0..100 {
        let mut seen = None;
        let committed = store.update(&lookup, |loaded| {
            seen = loaded.conversation.clone();
            None
        });
        match committed.await {
            None => return seen,
            other => assert_eq!(other, Some(Committed::Conflict), "nothing was to be written"),
        }
        lookup.races += 1;
    }
    panic!("a store with one caller never gave an answer");
}

/// Writes this text on what is known, once it is what is stored; answers the number of decisions.
async fn written_on<S: ConversationStore>(store: &TrustedStore<S>, lookup: Lookup, text: &str) -> u32 {
    let mut lookup = knowing(lookup);
    loop {
        let committed = store.update(&lookup, |loaded| {
            let stored = loaded.conversation.as_ref()?;
            let grown = format!("{}{text}", text_of(&stored.record));
            Some(Commit { record: opaque(&grown), ..commit("ann", Some(stored.revision)) })
        });
        match committed.await {
            Some(Committed::Applied { .. }) => return lookup.races + 1,
            other => assert_eq!(other, Some(Committed::Conflict)),
        }
        lookup.races += 1;
        assert!(lookup.races < 100, "a store with one caller never took a commit");
    }
}

/// Ann, whom the store has just written and looked up, at this revision.
async fn ann<S: ConversationStore>(store: &TrustedStore<S>) -> Revision {
    let first = Commit { add_aliases: vec![phone(1), phone(2)], ..commit("ann", None) };
    store.apply(first).await;
    assert_eq!(written_on(store, by_alias(phone(1)), "+").await, 1);
    assert_eq!(written_on(store, by_alias(phone(2)), "+").await, 1);
    answered_on(store, by_contact("ann")).await.expect("she is there").revision
}

/// The watermark and the flows, as a load tells them.
async fn seen_by<S: ConversationStore>(store: &TrustedStore<S>, name: &str) -> DecisionBasis {
    let loaded = store.load(&by_contact(name)).await;
    DecisionBasis {
        settled: loaded.conversation.map_or(0, |found| found.settled),
        catalogue: loaded.catalogue,
    }
}

/// Rule 29: what was decided on is what is stored.
pub async fn a_commit_on_what_is_stored_applies(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let mut revision = store.apply(Commit { lease: take(1), ..commit("ann", None) }).await;
    for settled in [0, 3, 3, u64::from(u32::MAX)] {
        assert_eq!(store.settle(&settle("ann", 1, revision, settled)).await, Settled::Done);
        let seen = Some(seen_by(&store, "ann").await);
        let next = Commit { seen, lease: take(1), ..commit("ann", Some(revision)) };
        let Committed::Applied { revision: new, leased: true, settled: told } = store.commit(next).await
        else {
            panic!("it was refused at the watermark {settled}")
        };
        assert_eq!(told, settled);
        revision = new;
    }
}

/// Rule 29: a watermark rises without a new revision.
pub async fn a_commit_on_another_watermark_writes_nothing(harness: &impl Harness<Store: ConversationStore>) {
    let (store, other) = two(harness).await;
    if !store.0.compares_seen() {
        return;
    }
    let revision = store.apply(Commit { lease: take(1), ..commit("ann", None) }).await;
    let before = seen_by(&store, "ann").await;
    assert_eq!(store.settle(&settle("ann", 1, revision, 3)).await, Settled::Done);
    let next = |seen| Commit {
        seen: Some(seen),
        record: opaque("next"),
        add_aliases: vec![phone(1)],
        due_at: Some(at(9)),
        ..commit("ann", Some(revision))
    };
    for settled in [0, 2, 4] {
        let refused = store.commit(next(DecisionBasis { settled, ..before })).await;
        assert_eq!(refused, Committed::Conflict, "at {settled}, where 3 are settled");
    }
    assert_eq!(store.text("ann").await.as_deref(), Some("ann"));
    assert_eq!(store.follow(phone(1)).await, None);
    store.0.flush().await.unwrap();
    assert_eq!(other.claimed(&due(2, at(10))).await, [""; 0], "nothing is due");
    let applied = store.commit(next(DecisionBasis { settled: 3, ..before })).await;
    assert!(matches!(applied, Committed::Applied { settled: 3, .. }), "{applied:?}");
}

/// Rules 8, 29: a commit that knows nothing of it does not end a quarantine.
pub async fn a_commit_on_what_was_set_aside_since_writes_nothing(
    harness: &impl Harness<Store: ConversationStore>,
) {
    let store = TrustedStore::fresh(harness).await;
    if !store.0.compares_seen() {
        return;
    }
    let revision = store.apply(Commit { lease: take(1), ..commit("ann", None) }).await;
    let seen = Some(seen_by(&store, "ann").await);
    let aside = Settle { quarantine: true, ..settle("ann", 1, revision, 0) };
    assert_eq!(store.settle(&aside).await, Settled::Done);
    let unaware = Commit { seen, ..commit("ann", Some(revision)) };
    assert_eq!(store.commit(unaware).await, Committed::Conflict);
    assert!(store.find("ann").await.is_some_and(|found| found.quarantined && found.revision == revision));
    let _ = store.apply(commit("ann", Some(revision))).await;
}

/// Rule 29: nor is it decided on flows that were changed since, where loads tell of them.
pub async fn a_commit_on_other_flows_writes_nothing(harness: &impl Harness<Store: ConversationStore>) {
    let elsewhere = other();
    let (store, other) = two(harness).await;
    if !store.0.compares_seen() {
        return;
    }
    let Some(flows) = other.0.flow_store() else { return };
    // From now on loads tell of flows.
    let _ = flows.0.catalogue(&shop()).await.unwrap();
    if let Some(flows) = store.0.flow_store() {
        let _ = flows.0.catalogue(&shop()).await.unwrap();
    }
    let revision = store.apply(commit("ann", None)).await;
    let seen = seen_by(&store, "ann").await;
    if seen.catalogue.is_none() {
        return;
    }
    assert_eq!(flows.0.save(&shop(), new_flow("cart")).await.unwrap(), FlowSaved::Saved);
    let refused = store.commit(Commit { seen: Some(seen), ..commit("ann", Some(revision)) }).await;
    assert_eq!(refused, Committed::Conflict);
    assert_eq!(flows.0.save(&elsewhere, new_flow("cart")).await.unwrap(), FlowSaved::Saved);
    let seen = seen_by(&store, "ann").await;
    let applied = store.commit(Commit { seen: Some(seen), ..commit("ann", Some(revision)) }).await;
    assert!(matches!(applied, Committed::Applied { .. }), "another workspace's flows: {applied:?}");
}

fn new_flow(code: &str) -> FlowChange {
    let entry = FlowEntry {
        flow: flow(code),
        name: Arc::from(code),
        remark: None,
        logging: false,
        log_texts: false,
        accounts: Vec::new(),
        account_names: Vec::new(),
        versions: Vec::new(),
        draft: None,
        deleted: false,
        created_at: at(0),
        revision: 1,
    };
    FlowChange { entry, expect: None, draft: None, version: None }
}

/// Rule 3: a caller knows what it has written itself, whatever it was asked by.
pub async fn what_is_known_is_what_was_written(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    ann(&store).await;
    for (round, lookup) in [by_contact("ann"), by_alias(phone(1)), by_alias(phone(2))].into_iter().enumerate()
    {
        for in_place in [false, true] {
            let lookup = Lookup { in_place, ..lookup.clone() };
            assert_eq!(written_on(&store, lookup.clone(), "-").await, 1, "round {round}: nobody else writes");
            let found = store.find("ann").await.expect("she is there");
            let seen = answered_on(&store, lookup).await.expect("she is there");
            assert_eq!((seen.revision, text_of(&seen.record)), (found.revision, text_of(&found.record)));
        }
    }
    assert_eq!(store.text("ann").await.as_deref(), Some("ann++------"));
}

/// Rule 2: an answer that writes nothing is given on what is stored, not on what is known.
pub async fn an_answer_is_given_on_what_another_process_wrote(
    harness: &impl Harness<Store: ConversationStore>,
) {
    let (store, other) = two(harness).await;
    let revision = ann(&store).await;
    let theirs = other.apply(Commit { record: opaque("theirs"), ..commit("ann", Some(revision)) }).await;
    for lookup in [by_contact("ann"), by_alias(phone(1)), by_alias(phone(2))] {
        let seen = answered_on(&store, lookup).await.expect("she is there");
        assert_eq!((seen.revision, text_of(&seen.record).as_str()), (theirs, "theirs"));
    }
}

/// Rule 5: nor is anything written on what is not stored any more.
pub async fn nothing_is_written_on_what_is_not_stored_any_more(
    harness: &impl Harness<Store: ConversationStore>,
) {
    let (store, other) = two(harness).await;
    let mut revision = ann(&store).await;
    for lookup in [by_contact("ann"), by_alias(phone(1)), by_contact("ann")] {
        other.apply(Commit { record: opaque("theirs"), ..commit("ann", Some(revision)) }).await;
        written_on(&store, lookup, "+ours").await;
        assert_eq!(store.text("ann").await.as_deref(), Some("theirs+ours"));
        assert_eq!(other.text("ann").await.as_deref(), Some("theirs+ours"));
        revision = other.find("ann").await.expect("she is there").revision;
    }
}

/// Rules 13, 17: what another process settled or set aside is known, although the revision is the
/// same.
pub async fn what_another_process_settled_is_known(harness: &impl Harness<Store: ConversationStore>) {
    let (store, other) = two(harness).await;
    let revision = ann(&store).await;
    let due_now = Commit { due_at: Some(at(1)), ..commit("ann", Some(revision)) };
    let revision = store.apply(due_now).await;
    assert_eq!(answered_on(&store, by_contact("ann")).await.map(|seen| seen.settled), Some(0));
    assert_eq!(other.claimed(&due(2, at(2))).await, ["ann"]);
    let theirs = Settle { due_at: Some(at(3)), now: at(2), ..settle("ann", 2, revision, 5) };
    assert_eq!(other.settle(&theirs).await, Settled::Done);
    other.0.flush().await.unwrap();
    assert_eq!(answered_on(&store, by_alias(phone(1))).await.map(|seen| seen.settled), Some(5));
    assert_eq!(other.claimed(&due(3, at(4))).await, ["ann"]);
    let aside = Settle { quarantine: true, now: at(4), ..settle("ann", 3, revision, 5) };
    assert_eq!(other.settle(&aside).await, Settled::Done);
    let seen = answered_on(&store, by_contact("ann")).await.expect("she is there");
    assert!(seen.quarantined && seen.revision == revision);
    let mut was_aside = None;
    let lookup = Lookup { races: 1, ..knowing(by_contact("ann")) };
    let answer = store.update(&lookup, |loaded| {
        was_aside = loaded.conversation.as_ref().map(|found| found.quarantined);
        None
    });
    assert!(answer.await.is_none());
    assert_eq!(was_aside, Some(true));
}

/// Rules 7, 22: an alias that another process led elsewhere, and a contact that it erased, are not
/// known any more.
pub async fn what_another_process_took_away_is_not_known(harness: &impl Harness<Store: ConversationStore>) {
    let (store, other) = two(harness).await;
    let revision = ann(&store).await;
    let revision =
        other.apply(Commit { drop_aliases: vec![phone(1)], ..commit("ann", Some(revision)) }).await;
    assert!(answered_on(&store, by_alias(phone(1))).await.is_none(), "it leads nowhere");
    other.apply(Commit { add_aliases: vec![phone(1)], ..commit("bob", None) }).await;
    let seen = answered_on(&store, by_alias(phone(1))).await.expect("it leads to Bob");
    assert_eq!(seen.contact, contact("bob"));
    assert_eq!(answered_on(&store, by_alias(phone(2))).await.map(|seen| seen.contact), Some(contact("ann")));
    assert!(other.erase("ann", revision).await.is_some());
    for lookup in [by_alias(phone(2)), by_contact("ann")] {
        assert!(answered_on(&store, lookup).await.is_none(), "she was erased");
    }
    let again = other.apply(Commit { add_aliases: vec![phone(2)], ..commit("ann", None) }).await;
    let seen = answered_on(&store, by_alias(phone(2))).await.expect("she came again");
    assert_eq!((seen.revision, seen.settled), (again, 0));
}

/// Rule 27: nor is a contact that another process took in.
pub async fn who_was_taken_in_elsewhere_is_not_known(harness: &impl Harness<Store: ConversationStore>) {
    let (store, other) = two(harness).await;
    let anns = ann(&store).await;
    let bobs = other.apply(Commit { add_aliases: vec![phone(9)], ..commit("bob", None) }).await;
    let absorbed = MergedContact { contact: contact("ann"), expect: anns, settled: 0, token: None };
    let add_aliases = vec![phone(1), phone(2)];
    let takes_in = Commit { absorbs: Some(Box::new(absorbed)), add_aliases, ..commit("bob", Some(bobs)) };
    if !matches!(other.commit(takes_in).await, Committed::Applied { .. }) {
        // A store that does not know of rule 27.
        return;
    }
    assert!(answered_on(&store, by_contact("ann")).await.is_none());
    for alias in [phone(1), phone(2), phone(9)] {
        let seen = answered_on(&store, by_alias(alias)).await.expect("it leads to Bob");
        assert_eq!(seen.contact, contact("bob"));
    }
}

/// Rule 20: an ended session whose alias another process purged leads nowhere; a live one leads to
/// its contact.
pub async fn a_session_is_known_as_long_as_its_alias_leads_there(
    harness: &impl Harness<Store: ConversationStore>,
) {
    let (store, other) = two(harness).await;
    let both = [session(1, "cart", 1, at(0)), session(2, "help", 1, at(0))];
    let first = store.apply(commit_with("ann", None, &both)).await;
    let left = Commit {
        started: ShortList::None,
        add_aliases: Vec::new(),
        ended: [ended("ann", 1, at(0), at(1))].into(),
        ..commit_with("ann", Some(first), &both[1..])
    };
    let revision = store.apply(left).await;
    for number in [1, 2] {
        let seen = answered_on(&store, by_alias(session_alias(number))).await.expect("it leads to Ann");
        assert_eq!(seen.revision, revision, "session {number}");
    }
    let _ = other.purge(&purge(100, 100)).await;
    // A store that keeps no ended sessions may have dropped the alias before.
    let is_purged = other.follow(session_alias(1)).await.is_none();
    assert_eq!(answered_on(&store, by_alias(session_alias(1))).await.is_none(), is_purged);
    assert!(answered_on(&store, by_alias(session_alias(2))).await.is_some());
}

/// Rules 9, 11: a lease that another process took is neither granted nor ended by what is known.
pub async fn a_lease_of_another_process_is_respected(harness: &impl Harness<Store: ConversationStore>) {
    let (store, other) = two(harness).await;
    let revision = ann(&store).await;
    let theirs = Commit { lease: take(7), ..commit("ann", Some(revision)) };
    let revision = other.apply(theirs).await;
    for lookup in [by_contact("ann"), by_alias(phone(1))] {
        let seen = answered_on(&store, lookup.clone()).await.expect("she is there");
        assert!(!seen.leased && seen.revision == revision);
    }
    let lookup = knowing(by_contact("ann"));
    let mine = store.update(&lookup, |loaded| {
        let expect = loaded.conversation.as_ref().map(|found| found.revision);
        Some(Commit { lease: take(1), ..commit("ann", expect) })
    });
    let Some(Committed::Applied { leased: false, revision, .. }) = mine.await else {
        panic!("it applies without the lease")
    };
    let holds = Lookup { token: token(7), ..by_contact("ann") };
    assert!(store.load(&holds).await.conversation.is_some_and(|found| found.leased));
    let freed = other.settle(&settle("ann", 7, revision, 0)).await;
    assert_eq!(freed, Settled::Done);
}

/// Rule 5: of what two processes know and write at the same time nothing is lost.
pub async fn no_update_of_two_processes_is_lost(harness: &impl Harness<Store: ConversationStore>) {
    let (store, other) = two(harness).await;
    let first = Commit { record: opaque("0"), add_aliases: vec![phone(1)], ..commit("ann", None) };
    store.apply(first).await;
    let answers = Shared::<Vec<u64>>::new();
    let tasks = each(|number| {
        let store = if number % 2 == 0 { store.clone() } else { other.clone() };
        let answers = answers.clone();
        Box::pin(async move {
            for round in 0..ROUNDS {
                let lookup = if round % 2 == 0 { by_contact("ann") } else { by_alias(phone(1)) };
                let mut lookup = Lookup { in_place: round % 3 == 0, ..knowing(lookup) };
                loop {
                    let committed = store.update(&lookup, |loaded| {
                        let stored = loaded.conversation.as_ref()?;
                        let next = text_of(&stored.record).parse::<u64>().unwrap() + 1;
                        Some(Commit {
                            record: opaque(&next.to_string()),
                            ..commit("ann", Some(stored.revision))
                        })
                    });
                    match committed.await {
                        Some(Committed::Applied { .. }) => break,
                        other => assert_eq!(other, Some(Committed::Conflict)),
                    }
                    lookup.races += 1;
                    step_aside().await;
                }
                // No later answer knows less than an earlier one.
                let known = answered_on(&store, by_contact("ann")).await.expect("she is there");
                let count: u64 = text_of(&known.record).parse().unwrap();
                answers.with(|answers| answers.push(count));
                assert!(count > round, "its own updates are {}", round + 1);
            }
        })
    });
    harness.together(tasks).await;
    assert_eq!(store.text("ann").await, Some((TASKS * ROUNDS).to_string()), "updates were lost");
    assert!(answers.with(|answers| answers.iter().all(|count| *count <= TASKS * ROUNDS)));
}

/// Rule 19: an update that is dropped leaves nothing known that is not stored.
pub async fn a_dropped_update_leaves_nothing_known(harness: &impl Harness<Store: ConversationStore>) {
    let (store, other) = two(harness).await;
    ann(&store).await;
    for polls in 0..6 {
        let lookup = knowing(by_contact("ann"));
        let mut decide = |txn: &mut Txn<'_>| {
            let expect = txn.loaded().conversation.as_ref().map(|found| found.revision);
            txn.write(Commit { record: opaque(&format!("dropped {polls}")), ..commit("ann", expect) });
        };
        let _ = drop_after(polls, store.0.update(&lookup, &mut decide)).await;
        // What was accepted may still be on its way.
        written_on(&store, by_contact("ann"), " and more").await;
        let stored = other.find("ann").await.expect("she is there");
        let seen = answered_on(&store, by_alias(phone(1))).await.expect("she is there");
        assert_eq!((seen.revision, text_of(&seen.record)), (stored.revision, text_of(&stored.record)));
    }
}
