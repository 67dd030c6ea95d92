//! The ports to storage and their contracts. A store moves opaque records by compare-and-swap; it
//! decides nothing. Adapters of databases are packages of their own, and use what is public here.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod commit;
mod dynamic;
mod flows;
mod known;
mod memory;
mod queries;
mod record;
mod riding_settles;
mod row;
pub mod sql;
mod txn;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use commit::{
    Commit, Committed, DecisionBasis, Due, Erase, KeyName, Lease, Leased, LeasedConversation, Live, Loaded,
    Lookup, MergedContact, Purge, Purged, Removed, Revision, Settle, Settled, StoredConversation, Subject,
    Token,
};
pub use dynamic::DynStore;
pub use flows::{
    AccountName, Catalogue, CatalogueChanges, FlowChange, FlowEntry, FlowSaved, FlowState, FlowStore,
    MemoryFlows, SharedFlows, VersionEntry, VersionState,
};
pub use known::Known;
pub use memory::MemoryStore;
pub use queries::{ConversationQuery, CountQuery, CountSums, JournalQuery, SessionQuery, StoreQueries};
pub use record::{ListedSession, Record, SessionRecord};
pub use riding_settles::{BoardedSettles, RidingSettles};
pub use row::{Row, retry_pause};
pub use txn::Txn;

pub use crate::kernel::{CountDelta, CounterSubject, JournalEntry, JournalStep};
pub use crate::session::KeyRecord;

use crate::error::StoreError;

#[cfg(feature = "testkit")]
pub(crate) use flows::FlowsFuture;
pub(crate) use flows::{DynFlowStore, NoFlows};
pub(crate) use txn::Lent;

/// Where conversations are kept.
///
/// A store that reads and writes whole conversations leaves rules 4 to 17 and 22, as far as they
/// concern one of them, to [`Row`].
///
/// # Contract
///
/// *Reading*
/// 1. `load` finds a conversation by contact or by alias, within one workspace only.
/// 2. Record, revision, watermark and lease are read as of one instant; the trigger's key is read
///    as of the same instant or an earlier one.
/// 3. A key is answered while `now < expires_at`, and not after. A caller reads its own writes.
///
/// *Writing*
///
/// 4. `commit` is all or nothing: record, `due_at`, lease, key, aliases, ended sessions and
///    journal, or none of them.
/// 5. It applies only if the stored revision is `expect` (`None`: no record is there); else
///    [`Committed::Conflict`]. Each commit gives a new revision, and no revision of a contact is
///    ever used twice, also after a purge.
/// 6. A key that is there and unexpired at `now` refuses the commit with [`Committed::KeyTaken`].
///    Of concurrent first uses one applies.
/// 7. An alias that leads to another contact refuses it with [`Committed::AliasTaken`]. Aliases to
///    drop are dropped only if they lead here.
/// 8. A commit ends a quarantine.
///
/// *Leases*
///
/// 9. A lease is a token and an end. Tokens belong to one call or one `lease_due`. Where several
///    machines share a store, its own clock judges leases; in one process `now` does. Due times are
///    judged by `now` everywhere.
/// 10. [`Lease::Take`] takes the lease if none is live or the token holds it already, and says so
///     in [`Committed::Applied`]; when it cannot be taken the commit applies all the same,
///     `due_at` included.
/// 11. [`Lease::Hold`] and [`Lease::Free`] apply only while their token holds the live lease; else
///     [`Committed::LeaseLost`]. `Free` ends it.
/// 12. `lease_due` answers conversations with `due_at <= now`, without a live lease and not
///     quarantined, oldest first, at most `limit`, leased to the token, each with the count of
///     claims since its last commit or settle under a lease; and when the next is due. No
///     conversation is answered to two tokens at once. A conversation with such claims whose lease
///     has run out is a suspect: it may be what ended the process that worked it. It is answered
///     only where [`Due::suspects`] asks for them and for no others, once [`retry_pause`] of its
///     claims has passed since its lease ended. With that, `next_due` tells of suspects alone, else
///     of all.
///
/// *Settling*
///
/// 13. The watermark is the highest outbox number up to which all is settled: `max(old, given)`,
///     raised on [`Settled::Conflict`] too. It starts at 0 with the record and goes when the record
///     goes.
/// 14. `settle` without the live lease changes nothing and answers [`Settled::LeaseLost`].
/// 15. On a matching revision it sets `due_at` and frees the lease; else it raises the watermark
///     only, keeps the lease, and answers `Conflict`.
/// 16. Repeating a settle unchanged is harmless.
/// 17. `quarantine` sets the conversation aside: it is not due any more, and each load says so.
///
/// *Failing*
///
/// 18. [`StoreError::transient`]: surely not done. [`StoreError::unknown`]: perhaps done.
///     [`StoreError::permanent`]: not done, and never will be.
/// 19. A future that is dropped leaves all or nothing.
///
/// *Keeping*
///
/// 20. `purge` removes keys, ended sessions (with their alias) and journal that are older than
///     asked, at most `limit` each, and says whether more is left. A store without [`StoreQueries`]
///     may drop `ended` and `journal`; the alias of an ended session still leads to its contact
///     until it is purged.
/// 21. Ids, keys and aliases are compared byte by byte, and may hold any text without control
///     characters.
///
/// *Erasing*
///
/// 22. `erase` removes what is stored of a contact, all or nothing: record, lease and watermark,
///     each alias that leads there, ended sessions and journal. It applies only at the revision
///     `expect`, no matter who holds the lease and whether the conversation is set aside; else it
///     answers None. Afterwards nothing is there: a commit that expects none makes a new
///     conversation (rule 5 holds across it), a settle answers [`Settled::LeaseLost`].
/// 23. The contact's keys stay until they expire, as [`KeyName::hashed`] and [`KeyRecord::erased`]:
///     a lookup of such a key answers that record, and a commit with it is refused (rules 3, 6). A
///     store that keeps no more than a hash of names needs no other. With [`Erase::keeps_history`]
///     rule 22 is of the conversation alone (record, lease, watermark, aliases, live sessions):
///     keys, ended sessions and journal stay as they are and are counted as 0, until `purge`
///     removes them. A key still answers its record. There are many such erases, so one should
///     cost about as much as a commit.
///
/// *Counting*
///
/// 24. `live` counts a session once if it [needs](crate::Session::needs) the version: its own, or
///     that of a flow that it is in by calls. [`Commit::called`] says when those change.
///
/// *Counters*
///
/// 25. A store that [keeps counters](Self::keeps_counts) adds [`Commit::counts`] to them with the
///     rest of the commit (rule 4): all or nothing, and nothing of a refused one. A counter is
///     workspace, flow, version, minute and what is counted. Commits of many contacts add to the
///     same counters all the time: were one row shared, they would queue for it, and two that add
///     to several would deadlock. So a store keeps of each counter one row for each place that
///     writes by itself, such as a lock, a file or a connection, and adds them up where they are
///     read. `erase` leaves counters as they are; `purge` removes those of minutes that ended
///     before [`Purge::counts_before`], as by rule 20.
///
/// *Telling the time*
///
/// 26. A store that several machines share may tell the time of its own clock, the one that judges
///     leases: as [`Leased::store_time`] with each `lease_due`, whatever its limit, and by `time`;
///     never an earlier one than before, unless that clock was set back. An engine whose clock is
///     far from it does nothing that time alone causes ([SEMANTICS S20](crate::semantics#s20)). A
///     store in one process or on one machine need not: it answers None, always.
///
/// *Being one*
///
/// 27. [`Commit::absorbs`] names a contact that turns out to be the commit's ([SEMANTICS
///     A5](crate::semantics#a5)). With the rest of the commit, all or nothing (rule 4), its record,
///     lease and watermark are removed as by rule 22, and whatever led to it leads to the commit's
///     contact: aliases, ended sessions, journal, keys, so that lists and `erase` find them there.
///     It applies only if that conversation is at [`MergedContact::expect`] with the watermark
///     [`MergedContact::settled`], is not set aside, and nobody but [`MergedContact::token`] holds
///     a live lease on it; else [`Committed::Conflict`]. An alias to be added that leads to the
///     absorbed contact does not refuse the commit. The contact's addresses are among those: a
///     store that does not know of this rule refuses with [`Committed::AliasTaken`], and the two
///     stay two.
///
/// *Riding*
///
/// 28. A store may acknowledge a settle before it is written, within a second, as [`RidingSettles`]
///     says when: `Done` of the token that holds the live lease, at the revision that its process
///     committed last. Until it is written the stored lease stays the token's, so nobody else
///     delivers, and the process sees it as done: by each load, commit, claim and count. It takes
///     effect with the next commit of the conversation, or by itself, before a claim and by
///     [`flush`](Self::flush) at the latest; if the token was the last to hold the lease, it raises
///     the watermark and frees the lease whatever the revision is, and sets `due_at` on a matching
///     one. A process that ends before that has not settled: what rule 14 says of a lease that ran
///     out holds, and what it sent is sent again under the same id.
///
/// *Knowing*
///
/// 29. A store that [compares what was seen](Self::compares_seen) applies a commit with
///     [`Commit::seen`] only if, beside rule 5, the watermark is [`DecisionBasis::settled`], the
///     conversation is not set aside, and the revision of the workspace's flows is
///     [`DecisionBasis::catalogue`], if that is given; else [`Committed::Conflict`]. So a
///     conversation may be decided on that was not read for it: all that a load would have told is
///     confirmed by the commit. [`Known`] does so. Where such a store may lose what it has
///     acknowledged while its callers live, as by a fail-over to a replica that lags, it gives no
///     revision again that it gave before: the time of its clock is such a number, a count is not.
pub trait ConversationStore: Send + Sync {
    /// Everything that one decision needs, in one round trip.
    fn load(&self, lookup: &Lookup) -> impl Future<Output = Result<Loaded, StoreError>> + Send;

    /// Writes one decision, all or nothing.
    fn commit(&self, commit: Commit) -> impl Future<Output = Result<Committed, StoreError>> + Send;

    /// Records what was delivered, and releases the lease.
    fn settle(&self, settle: &Settle) -> impl Future<Output = Result<Settled, StoreError>> + Send;

    /// Claims conversations with work due.
    fn lease_due(&self, due: &Due) -> impl Future<Output = Result<Leased, StoreError>> + Send;

    /// Counts the live sessions that [need](crate::Session::needs) a flow; asked to, it also makes
    /// their conversations due.
    fn live(&self, live: &Live) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Removes what is past its retention: bounded work per call.
    fn purge(&self, purge: &Purge) -> impl Future<Output = Result<Purged, StoreError>> + Send;

    /// Forgets a contact. None: its conversation is not there, or at another revision, and nothing
    /// was removed.
    fn erase(&self, erase: &Erase) -> impl Future<Output = Result<Option<Removed>, StoreError>> + Send;

    /// Makes callers of one conversation wait for each other in this process, in order of arrival
    /// ([SEMANTICS S17](crate::semantics#s17)), if true. A store answers false if its `update`
    /// decides under its own lock, without a pause between load and commit; and if it works inside
    /// a transaction of the host, where a caller who waits for what the transaction wrote must not
    /// be waited for.
    fn queues_callers(&self) -> bool {
        true
    }

    /// True if the store keeps counters (rule 25), and [`StoreQueries::counts`] reads them. An
    /// engine writes none if not.
    fn keeps_counts(&self) -> bool {
        false
    }

    /// True if a commit compares [`Commit::seen`] with what is stored (rule 29). Where it does not,
    /// [`Known`] loads each conversation that it is asked for.
    fn compares_seen(&self) -> bool {
        false
    }

    /// The flows that are kept beside the conversations, which an engine uses unless its builder is
    /// [given others](crate::Builder::flow_store). None: flows are kept elsewhere.
    fn flow_store(&self) -> Option<SharedFlows> {
        None
    }

    /// The time of the store's own clock (rule 26). None: it has none, and is not asked again. By
    /// default it is what `lease_due` tells when it claims nothing.
    fn time(&self) -> impl Future<Output = Result<Option<DateTime<Utc>>, StoreError>> + Send {
        async move {
            let due = Due {
                now: DateTime::UNIX_EPOCH,
                token: Token(Uuid::nil()),
                lease: Duration::ZERO,
                limit: 0,
                suspects: false,
            };
            Ok(self.lease_due(&due).await?.store_time)
        }
    }

    /// Writes what was acknowledged and is not written yet: settles (rule 28). A process that ends
    /// cleanly calls it last. By default nothing waits.
    fn flush(&self) -> impl Future<Output = Result<(), StoreError>> + Send {
        async { Ok(()) }
    }

    /// Loads, decides, commits. The engine calls only this; a store that can hold a conversation
    /// still decides under its own lock.
    ///
    /// `decide` is called at most once and runs no code of the host. Where it leaves no commit, the
    /// transaction is as it was made, and None is answered. With [`Lookup::known`] that may be
    /// [`Committed::Conflict`] as well: what was decided on is not what is stored, and it is to be
    /// decided again.
    ///
    /// With [`Lookup::in_place`] a store may have no other copy of the record while `decide` runs.
    /// Should the commit be refused all the same, the old record is lost: such a store sets the
    /// conversation aside (each load says so, with a record that cannot be read, until a commit
    /// brings a new one) and answers [`StoreError::permanent`].
    fn update(
        &self,
        lookup: &Lookup,
        decide: &mut (dyn FnMut(&mut Txn<'_>) + Send),
    ) -> impl Future<Output = Result<Option<Committed>, StoreError>> + Send {
        async move {
            let mut txn = Txn::new(lookup, self.load(lookup).await?);
            decide(&mut txn);
            match txn.into_commit() {
                Some(commit) => self.commit(commit).await.map(Some),
                None => Ok(None),
            }
        }
    }

    /// The same without a future, in a store that loads, decides and commits without a pause: an
    /// engine asks for it first. None: the store cannot, and `decide` was not called; then `update`
    /// is asked. A store that wraps another one and overrides `update` leaves both methods alone.
    fn update_at_once(
        &self,
        _lookup: &Lookup,
        _decide: &mut (dyn FnMut(&mut Txn<'_>) + Send),
    ) -> Option<Result<Option<Committed>, StoreError>> {
        None
    }

    /// [`settle`](Self::settle) without a future, in a store that settles without a pause. None: it
    /// cannot; then `settle` is asked.
    fn settle_at_once(&self, _settle: &Settle) -> Option<Result<Settled, StoreError>> {
        None
    }
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<S: ConversationStore + ?Sized> ConversationStore for $pointer {
            fn load(&self, lookup: &Lookup) -> impl Future<Output = Result<Loaded, StoreError>> + Send {
                (**self).load(lookup)
            }
            fn commit(&self, commit: Commit) -> impl Future<Output = Result<Committed, StoreError>> + Send {
                (**self).commit(commit)
            }
            fn settle(&self, settle: &Settle) -> impl Future<Output = Result<Settled, StoreError>> + Send {
                (**self).settle(settle)
            }
            fn lease_due(&self, due: &Due) -> impl Future<Output = Result<Leased, StoreError>> + Send {
                (**self).lease_due(due)
            }
            fn live(&self, live: &Live) -> impl Future<Output = Result<u64, StoreError>> + Send {
                (**self).live(live)
            }
            fn purge(&self, purge: &Purge) -> impl Future<Output = Result<Purged, StoreError>> + Send {
                (**self).purge(purge)
            }
            fn erase(&self, erase: &Erase) -> impl Future<Output = Result<Option<Removed>, StoreError>> + Send {
                (**self).erase(erase)
            }
            fn time(&self) -> impl Future<Output = Result<Option<DateTime<Utc>>, StoreError>> + Send {
                (**self).time()
            }
            fn flush(&self) -> impl Future<Output = Result<(), StoreError>> + Send {
                (**self).flush()
            }
            fn update(
                &self,
                lookup: &Lookup,
                decide: &mut (dyn FnMut(&mut Txn<'_>) + Send),
            ) -> impl Future<Output = Result<Option<Committed>, StoreError>> + Send {
                (**self).update(lookup, decide)
            }
            fn update_at_once(
                &self,
                lookup: &Lookup,
                decide: &mut (dyn FnMut(&mut Txn<'_>) + Send),
            ) -> Option<Result<Option<Committed>, StoreError>> {
                (**self).update_at_once(lookup, decide)
            }
            fn settle_at_once(&self, settle: &Settle) -> Option<Result<Settled, StoreError>> {
                (**self).settle_at_once(settle)
            }
            fn queues_callers(&self) -> bool {
                (**self).queues_callers()
            }
            fn keeps_counts(&self) -> bool {
                (**self).keeps_counts()
            }
            fn compares_seen(&self) -> bool {
                (**self).compares_seen()
            }
            fn flow_store(&self) -> Option<SharedFlows> {
                (**self).flow_store()
            }
        }
    )*};
}

forward!(Arc<S>, &S);
