//! One call: load, decide, commit, and again when somebody else was faster. The only place that
//! knows what a lost race or an unknown outcome means.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::address::Alias;
use crate::engine::Engine;
use crate::engine::catalogue::{Snapshot, WorkspaceFlows};
use crate::engine::deliver::Delivery;
use crate::engine::pacer::Paced;
use crate::error::{Error, MissingReason, StoreError, StoreErrorKind};
use crate::id::{ContactId, FlowId, FlowVersion, WorkspaceId};
use crate::kernel::{Decision, Ground, Unready, added_up};
use crate::observer::{Cause, EventKind, Noted, Took};
use crate::session::{Conversation, DecodeError};
use crate::store::{
    Commit, Committed, ConversationStore, KeyName, KeyRecord, Lease, Loaded, Lookup, Record, Revision,
    SessionRecord, StoredConversation, Token,
};

/// The time for which a call decides anew after lost races, by the engine's clock (SEMANTICS S17).
const PATIENCE: TimeDelta = TimeDelta::seconds(10);
/// The most decisions of one call that lead to an alias which another contact has.
const MOST_REFUSALS: u32 = 16;
/// The most decisions of one call while the clock shows the same millisecond, and so does not move.
const MOST_AT_A_STANDSTILL: u32 = 256;

/// What a decision is made on.
pub(super) struct Facts<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) loaded: &'a mut Loaded,
    /// The clock's time.
    pub(super) now: DateTime<Utc>,
    /// Whether an earlier attempt of this call may have been written: what it left is to be found.
    pub(super) maybe_done: bool,
    /// An alias that an earlier attempt wanted, and the contact that has it.
    pub(super) taken: Option<&'a (Alias, ContactId)>,
}

/// What a decision came to.
#[expect(clippy::large_enum_variant, reason = "boxing it costs an allocation a call")]
pub(super) enum Decided<T> {
    /// The answer, with nothing to be written.
    Answer(Result<T, Error>),
    /// The answer, once this is written.
    Write(Result<T, Error>, Draft),
    /// The answer, with nothing to be written and this to be done under the lease that the call
    /// holds.
    Go(Result<T, Error>, Box<Delivery>),
    /// These versions of flows must be fetched first.
    Fetch(Vec<(FlowId, FlowVersion)>),
    /// A version that the contact's conversation needs cannot be used here (SEMANTICS S14).
    Missing(Box<(ContactId, FlowId, FlowVersion, MissingReason)>),
}

impl<T> Decided<T> {
    pub(super) fn unready(contact: ContactId, unready: Unready) -> Self {
        match unready {
            Unready::Fetch(versions) => Self::Fetch(versions),
            Unready::Missing(flow, version, reason) => {
                Self::Missing(Box::new((contact, flow, version, reason)))
            }
            Unready::InDoubt(skew) => Self::Answer(Err(skew.into())),
        }
    }
}

/// A decision that is ready to be written.
pub(super) struct Draft {
    commit: Commit,
    events: Vec<Noted>,
    batch: Delivery,
}

/// What a decision wants of the conversation's lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeaseIntent {
    /// To deliver at once what is due, if nobody else does.
    Deliver,
    /// To go on under the lease that the call holds; to end it when nothing is left to do.
    Continue,
    /// To end it, whatever is left to do: somebody goes on under another.
    Stop,
}

/// What is left to do after a commit, under the lease that it took or kept.
pub(super) struct Written<T> {
    pub(super) answer: Result<T, Error>,
    /// None: nothing is to be done, or somebody else does it.
    pub(super) batch: Option<Delivery>,
}

/// The record of a loaded conversation.
pub(super) struct Found {
    pub(super) conversation: Arc<Conversation>,
    pub(super) revision: u64,
    pub(super) settled: u64,
    pub(super) leased: bool,
}

/// Where a conversation was found, without it.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) revision: u64,
    pub(super) settled: u64,
    leased: bool,
}

impl Found {
    pub(super) fn place(&self) -> Place {
        Place { revision: self.revision, settled: self.settled, leased: self.leased }
    }
}

impl Place {
    pub(super) fn with(self, conversation: Arc<Conversation>) -> Found {
        Found { conversation, revision: self.revision, settled: self.settled, leased: self.leased }
    }
}

/// Takes the conversation out of what was loaded.
pub(super) fn take(loaded: &mut Loaded) -> Result<Option<Found>, Error> {
    let Some(stored) = loaded.conversation.take() else { return Ok(None) };
    if stored.quarantined {
        let contact = stored.contact.clone();
        loaded.conversation = Some(stored);
        return Err(Error::Quarantined(contact));
    }
    let StoredConversation { contact, revision, record, settled, leased, quarantined } = stored;
    match record.open() {
        Ok(conversation) => Ok(Some(Found { conversation, revision, settled, leased })),
        Err((record, error)) => {
            let stored = StoredConversation {
                contact: contact.clone(),
                revision,
                record,
                settled,
                leased,
                quarantined,
            };
            loaded.conversation = Some(stored);
            Err(unreadable(contact, &error))
        }
    }
}

/// What a conversation's record that cannot be read is to the host.
pub(super) fn unreadable(contact: ContactId, error: &DecodeError) -> Error {
    match *error {
        DecodeError::NewerFormat { found, known } => {
            Error::NewerFormat { what: "conversation", found: found.into(), known: known.into() }
        }
        _ => Error::Quarantined(contact),
    }
}

/// Puts a conversation back that nothing was decided about.
pub(super) fn put_back(loaded: &mut Loaded, found: Found) {
    let Found { conversation, revision, settled, leased } = found;
    loaded.conversation = Some(StoredConversation {
        contact: conversation.contact().id.clone(),
        revision,
        record: Record::new(conversation),
        settled,
        leased,
        quarantined: false,
    });
}

impl<S: ConversationStore> Engine<S> {
    /// Loads, decides and commits until it is done; `decide` may be called several times, each time
    /// on what is there now.
    pub(super) async fn transact<T: Send>(
        &self,
        cause: Cause,
        workspace: &WorkspaceId,
        flows: &WorkspaceFlows,
        lookup: &Lookup,
        mut first: Option<Loaded>,
        mut decide: impl FnMut(Facts<'_>) -> Decided<T> + Send,
    ) -> Result<Written<T>, Error> {
        let _turn = match self.store.queues_callers() {
            true => Some(self.ports.queues.turn(workspace, &lookup.subject).await),
            false => None,
        };
        let mut snapshot = flows.snapshot(&self.ports, workspace, lookup.now).await?;
        let mut maybe_done = false;
        let (mut attempt, mut refusals, mut still, mut seen) = (0, 0, 0, lookup.now);
        let mut taken = None;
        let mut after_races = None;
        // A revision that the flows were read again for, whatever was found then: once is enough.
        let mut renewed_for = None;
        loop {
            let lookup = after_races.as_ref().unwrap_or(lookup);
            let mut outcome = Outcome::Undecided;
            let begun = self.stopwatch();
            let mut decided_in = None;
            let committed = {
                let snapshot = &*snapshot;
                let mut step = |loaded: &mut Loaded| {
                    let newer = loaded.catalogue.filter(|revision| *revision != snapshot.revision);
                    if newer.is_some() && newer != renewed_for {
                        outcome = Outcome::Renew(newer);
                        return None;
                    }
                    let facts =
                        Facts { snapshot, loaded, now: lookup.now, maybe_done, taken: taken.as_ref() };
                    let deciding = self.stopwatch();
                    let decided = decide(facts);
                    decided_in = self.lap(deciding);
                    match decided {
                        Decided::Fetch(missing) => {
                            outcome = Outcome::Fetch(missing);
                            None
                        }
                        Decided::Missing(missing) => {
                            outcome = Outcome::Missing(missing);
                            None
                        }
                        Decided::Answer(answer) => {
                            outcome = Outcome::Answer(answer, None);
                            None
                        }
                        Decided::Go(answer, batch) => {
                            outcome = Outcome::Answer(answer, Some(batch));
                            None
                        }
                        Decided::Write(answer, draft) => {
                            let Draft { commit, events, batch } = draft;
                            attempt += 1;
                            outcome = Outcome::Write(answer, events, batch);
                            Some(commit)
                        }
                    }
                };
                match first.take() {
                    Some(mut loaded) => match step(&mut loaded) {
                        Some(commit) => self.store.commit(commit).await.map(Some),
                        None => Ok(None),
                    },
                    None => self.store.update(lookup, &mut step).await,
                }
            };
            let took = self.took(begun, decided_in);
            match (committed, outcome) {
                (Ok(None), Outcome::Renew(revision)) => {
                    renewed_for = revision;
                    let renewed = flows.reload(&self.ports, workspace).await;
                    snapshot = renewed.map_err(|error| after_doubt(maybe_done, error))?;
                }
                (Ok(None), Outcome::Fetch(missing)) => {
                    let fuller = flows.fetch(&self.ports, workspace, &snapshot, &missing).await;
                    snapshot = fuller.map_err(|error| after_doubt(maybe_done, error))?;
                }
                (Ok(None), Outcome::Missing(missing)) => {
                    let (contact, flow, version, reason) = *missing;
                    self.tell_one(workspace, &contact, cause, |at| {
                        let (flow, reason) = (flow.clone(), reason.clone());
                        let of = Some((flow.clone(), Some(version)));
                        Noted { of, ..Noted::new(at, EventKind::VersionMissing { flow, version, reason }) }
                    });
                    let answer = Err(Error::VersionMissing { flow, version, reason });
                    return Ok(Written { answer, batch: None });
                }
                (Ok(None), Outcome::Answer(answer, mut batch)) => {
                    if let Some(batch) = &mut batch {
                        batch.keep_places();
                    }
                    let answer = match answer {
                        // What was done before cannot be looked for in such a record.
                        Err(
                            error @ (Error::Quarantined(_)
                            | Error::NewerFormat { .. }
                            | Error::ClockSkew { .. }),
                        ) => Err(after_doubt(maybe_done, error)),
                        other => other,
                    };
                    return Ok(Written { answer, batch: batch.map(|batch| *batch) });
                }
                (
                    Ok(Some(Committed::Applied { revision, leased, settled })),
                    Outcome::Write(answer, events, mut batch),
                ) => {
                    batch.keep_places();
                    if let Some(took) = took {
                        self.tell_committed(workspace, lookup, &batch, events, (attempt, took));
                    }
                    let batch = leased.then(|| batch.written(revision, settled));
                    return Ok(Written { answer, batch: batch.filter(|batch| !batch.is_done) });
                }
                (Ok(Some(Committed::AliasTaken { alias, holder })), _) => {
                    // No race: a decision that does not know what to do about it comes to the same
                    // each time.
                    refusals += 1;
                    if refusals >= MOST_REFUSALS {
                        return Err(after_doubt(maybe_done, Error::Contention));
                    }
                    taken = Some((alias, holder));
                }
                (Ok(Some(Committed::LeaseLost)), Outcome::Write(answer, ..)) => {
                    return Ok(Written { answer, batch: None });
                }
                (Ok(committed), outcome) => {
                    if let (Some(Committed::Conflict), Outcome::Write(_, _, batch)) = (committed, outcome) {
                        self.tell_conflict(workspace, lookup, &batch, (attempt, took));
                    }
                    let now = self.now();
                    still = if now == seen { still + 1 } else { 0 };
                    seen = now;
                    if still >= MOST_AT_A_STANDSTILL || now - lookup.now > PATIENCE {
                        return Err(after_doubt(maybe_done, Error::Contention));
                    }
                    let (token, races) = (lookup.token, lookup.races.saturating_add(1));
                    after_races = Some(Lookup { races, ..lookup.clone() });
                    self.step_back(token, races).await;
                }
                (Err(error), _) if error.kind() == StoreErrorKind::Unknown && !maybe_done => {
                    maybe_done = true
                }
                (Err(error), _) => return Err(after_doubt(maybe_done, error.into())),
            }
        }
    }

    /// Lets others go first: those of this task's executor, and after a second lost race, which
    /// another process must have won, all for a short time, so that those who met do not meet
    /// again.
    async fn step_back(&self, token: Token, races: u32) {
        if let Some(timer) = self.ports.timer.as_deref().filter(|_| races > 1) {
            return timer.sleep(pause(token, races)).await;
        }
        let mut is_back = false;
        std::future::poll_fn(|context| {
            if std::mem::replace(&mut is_back, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// The contact that was found, for whoever watches.
    pub(super) fn met(&self, facts: &Facts<'_>) -> Option<ContactId> {
        let stored = facts.loaded.conversation.as_ref().filter(|_| self.is_observed())?;
        Some(stored.contact.clone())
    }

    /// The measures of one attempt. None: nobody watches.
    fn took(&self, begun: Option<Duration>, decide: Option<Duration>) -> Option<Took> {
        let whole = self.lap(begun)?;
        Some(Took {
            decide,
            store: Some(whole.saturating_sub(decide.unwrap_or_default())),
            ..Took::default()
        })
    }

    /// Tells what a commit wrote, and that it did.
    fn tell_committed(
        &self,
        workspace: &WorkspaceId,
        lookup: &Lookup,
        batch: &Delivery,
        events: Vec<Noted>,
        (attempt, took): (u32, Took),
    ) {
        let committed = Noted::new(lookup.now, EventKind::Committed);
        let events = events.into_iter().chain([committed]);
        let measured = events.map(|noted| Noted { attempt: noted.attempt.or(Some(attempt)), took, ..noted });
        self.tell(workspace, &batch.contact, batch.cause, measured);
    }

    /// Tells that somebody else changed the conversation first, if anybody watches.
    fn tell_conflict(
        &self,
        workspace: &WorkspaceId,
        lookup: &Lookup,
        batch: &Delivery,
        (attempt, took): (u32, Option<Took>),
    ) {
        let Some(took) = took else { return };
        let lost = Noted::new(lookup.now, EventKind::Conflict);
        self.tell(workspace, &batch.contact, batch.cause, [Noted { attempt: Some(attempt), took, ..lost }]);
    }

    /// Makes a decision ready to be written: its commit, and what is to be done after it.
    pub(super) fn draft(
        &self,
        decision: Decision<'_>,
        lookup: &Lookup,
        expect: Option<Revision>,
        key: Option<(KeyName, KeyRecord)>,
        want: LeaseIntent,
    ) -> Draft {
        let paced = self.ask_pace(&decision, self.will_send(want));
        self.draft_paced(decision, lookup, expect, key, want, paced)
    }

    /// The same, once the pace was asked.
    pub(super) fn draft_paced(
        &self,
        mut decision: Decision<'_>,
        lookup: &Lookup,
        expect: Option<Revision>,
        key: Option<(KeyName, KeyRecord)>,
        want: LeaseIntent,
        paced: Paced,
    ) -> Draft {
        paced.put_off(&mut decision);
        let due_at = decision.finish();
        let contact = decision.conversation.contact().id.clone();
        let batch = Delivery::of(&decision, &contact, self.may_call(want), lookup.now, &paced);
        let lease = match want {
            LeaseIntent::Deliver if self.deferred || !batch.has_work() => Lease::Leave,
            LeaseIntent::Deliver => Lease::Take(lookup.token, self.ports.policy.lease),
            LeaseIntent::Continue if batch.has_work() => Lease::Hold(lookup.token),
            LeaseIntent::Continue | LeaseIntent::Stop => Lease::Free(lookup.token),
        };
        let is_done = matches!(lease, Lease::Leave | Lease::Free(_));
        let batch = Delivery { is_done, passes: paced.passes, ..batch };
        let dead_letters = u32::try_from(decision.conversation.dead_letters().len()).unwrap_or(u32::MAX);
        let archived = |session| SessionRecord::new(contact.clone(), session);
        let ended = decision.ended.into_iter().map(archived).collect();
        let commit = Commit {
            workspace: decision.ground.workspace.clone(),
            contact,
            expect,
            record: Record::new(decision.conversation),
            due_at,
            lease,
            key,
            add_aliases: decision.add_aliases,
            drop_aliases: decision.drop_aliases,
            started: decision.started,
            ended,
            called: decision.called,
            journal: decision.journal,
            counts: added_up(decision.counts),
            dead_letters,
            now: lookup.now,
        };
        Draft { commit, events: decision.events, batch }
    }

    /// Whether what a decision leaves to send is sent under the lease that it wants.
    pub(super) fn will_send(&self, want: LeaseIntent) -> bool {
        match want {
            LeaseIntent::Deliver => !self.deferred,
            LeaseIntent::Continue => true,
            LeaseIntent::Stop => false,
        }
    }

    fn may_call(&self, want: LeaseIntent) -> bool {
        want == LeaseIntent::Continue || self.ports.policy.inline_calls
    }

    /// The ground of a decision in this engine.
    pub(super) fn ground<'a>(
        &'a self,
        workspace: &'a WorkspaceId,
        snapshot: &'a Snapshot,
        now: DateTime<Utc>,
        cause: Cause,
    ) -> Ground<'a> {
        let observed = self.is_observed();
        let counted = self.ports.policy.counts_nodes && self.store.keeps_counts();
        let retention = self.ports.policy.session_retention;
        let at_work_since = self.ports.at_work.since(now);
        let limits = &self.ports.limits;
        let skew = self.behind(now);
        Ground {
            workspace,
            limits,
            flows: snapshot,
            observed,
            counted,
            retention,
            at_work_since,
            skew,
            cause,
        }
    }
}

/// An error of a call that may have written before: nobody knows whether it took effect (SEMANTICS
/// D6).
fn after_doubt(maybe_done: bool, error: Error) -> Error {
    match error {
        Error::Store(known) if known.kind() == StoreErrorKind::Unknown => Error::Store(known),
        error if maybe_done => Error::Store(StoreError::unknown(error)),
        error => error,
    }
}

/// 1 or 2 ms after two lost races, 1 to 4 ms after three, up to 64 ms; another time for each call.
fn pause(token: Token, races: u32) -> Duration {
    let (high, low) = token.0.as_u64_pair();
    let mixed = (high ^ low ^ u64::from(races)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    Duration::from_millis(1 + mixed % (1 << races.clamp(2, 7).saturating_sub(1)))
}

enum Outcome<T> {
    Undecided,
    /// The store says that the flows are at this revision, which is not the one that was decided
    /// on.
    Renew(Option<u64>),
    Fetch(Vec<(FlowId, FlowVersion)>),
    Missing(Box<(ContactId, FlowId, FlowVersion, MissingReason)>),
    Answer(Result<T, Error>, Option<Box<Delivery>>),
    Write(Result<T, Error>, Vec<Noted>, Delivery),
}
