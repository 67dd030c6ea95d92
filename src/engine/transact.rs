//! One call: load, decide, commit, and again when somebody else was faster. The only place that
//! knows what a lost race or an unknown outcome means.

use std::mem::take;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::engine::Engine;
use crate::engine::attempts::{Attempts, CallRounds, Patience, pause};
use crate::engine::catalogue::{Snapshot, WorkspaceFlows};
use crate::engine::deliver::Delivery;
use crate::engine::queue::QueueTurn;
use crate::error::{Error, MissingReason, StoreError, StoreErrorKind};
use crate::id::{ContactId, FlowId, FlowVersion, WorkspaceId};
use crate::kernel::{
    AbsorbedContact, Decision, Environment, FoundConversation, Operation, Outgoing, Output, Resolution,
    added_up, decide,
};
use crate::observer::{Cause, EventKind, PendingEvent, Timings};
use crate::session::{Conversation, DecodeError};
use crate::store::{
    Commit, Committed, ConversationStore, Lease, Lent, Loaded, Lookup, MergedContact, Record, Revision,
    SessionRecord, Subject, Token, Txn,
};

/// The lease of the conversation, as a call wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeaseIntent {
    /// To deliver at once what is due, if nobody else does.
    Deliver,
    /// To continue under the lease that the call holds; to end it when nothing is left to do.
    Continue,
    /// To end it, whatever is left to do: somebody continues under another.
    Stop,
    /// To continue, in place of the lease that the call holds, under one of this conversation.
    Change,
}

/// One call, as it is decided on.
#[derive(Clone, Copy)]
pub(super) struct Transaction<'a> {
    pub(super) cause: Cause,
    pub(super) flows: &'a WorkspaceFlows,
    pub(super) lookup: &'a Lookup,
    pub(super) intent: LeaseIntent,
}

/// The next step after a decision.
enum Next {
    Undecided,
    /// The store says that the flows are at this revision, which is not the one that was decided
    /// on.
    Renew(Option<u64>),
    Fetch(Vec<(FlowId, FlowVersion)>),
    Missing(Box<(ContactId, FlowId, FlowVersion, MissingReason)>),
    /// The operation has its answer.
    Answered,
    Failed(Box<Error>),
    /// The operation has its answer, and something is to be done under the lease that the call
    /// holds.
    Deliver,
    Write(Vec<PendingEvent>),
}

/// The way on after an attempt.
enum After {
    /// The call is done, but for what is left to deliver.
    Done,
    /// The flows are to be read again.
    Renew,
    Fetch(Vec<(FlowId, FlowVersion)>),
    Again,
    /// Somebody else was faster.
    StepBack,
}

/// The result of an attempt in a store that decides without a pause.
pub(super) enum AtOnce {
    /// The call is done, but for what is left to deliver.
    Done,
    /// It is to be decided again: nothing is written.
    Anew,
    /// The same, but nobody knows whether anything is written.
    InDoubt,
}

/// The first attempt at a call.
pub(super) enum FirstAttempt<A, L> {
    /// It is done, with this answer.
    Done(A),
    /// It continues with a future of its own.
    Later(Box<L>),
}

/// The error of a conversation that was set aside, or whose record cannot be read.
fn unusable(contact: ContactId, error: Option<DecodeError>) -> Error {
    match error {
        None => Error::Quarantined(contact),
        Some(error) => unreadable(contact, &error),
    }
}

/// The error of a conversation whose record cannot be read.
pub(super) fn unreadable(contact: ContactId, error: &DecodeError) -> Error {
    match *error {
        DecodeError::NewerFormat { found, known } => {
            Error::NewerFormat { what: "conversation", found: found.into(), known: known.into() }
        }
        _ => Error::Quarantined(contact),
    }
}

/// The part of a commit that is not in the decision's output.
struct CommitTerms {
    due_at: Option<DateTime<Utc>>,
    lease: Lease,
    dead_letters: u32,
}

fn commit(
    call: &Transaction<'_>,
    write: CommitTerms,
    out: Output,
    expect: Option<u64>,
    conversation: Arc<Conversation>,
) -> Commit {
    let contact = conversation.contact().id.clone();
    let ended = out.ended.into_iter();
    let ended = ended.map(|session| SessionRecord::of(contact.clone(), session)).collect();
    Commit {
        workspace: call.lookup.workspace.clone(),
        contact,
        expect,
        seen: None,
        record: Record::new(conversation),
        due_at: write.due_at,
        lease: write.lease,
        key: out.key.and_then(|record| Some((call.lookup.key.clone()?, record))),
        add_aliases: out.add_aliases,
        drop_aliases: out.drop_aliases,
        absorbs: out.absorbed.map(|absorbed| {
            let AbsorbedContact { contact, revision, settled, is_held } = *absorbed;
            let token = is_held.then_some(call.lookup.token);
            Box::new(MergedContact { contact, expect: revision, settled, token })
        }),
        started: out.started,
        ended,
        called: out.called,
        journal: out.journal,
        counts: if out.counts.is_empty() { Vec::new() } else { added_up(out.counts) },
        dead_letters: write.dead_letters,
        now: call.lookup.now,
    }
}

impl<S: ConversationStore> Engine<S> {
    /// A call that delivers what it leaves, unless somebody else does.
    pub(super) fn delivering<'a>(&'a self, cause: Cause, lookup: &'a Lookup) -> Transaction<'a> {
        Transaction { cause, flows: &self.flows, lookup, intent: LeaseIntent::Deliver }
    }

    /// Decides and commits a call once, in a store that does it without a pause: what is usual
    /// takes no future. `left` is what is left to do under the lease that the commit took; None:
    /// nothing, or somebody else does it.
    pub(super) fn at_once(
        &self,
        call: Transaction<'_>,
        snapshot: &Snapshot,
        operation: &mut dyn Operation,
        met: &mut Option<ContactId>,
        left: &mut Option<Delivery>,
    ) -> Result<AtOnce, Error> {
        let (mut next, mut decided_in, begun) = (Next::Undecided, None, self.stopwatch());
        let committed = self.store.update_at_once(call.lookup, &mut |txn| {
            let deciding = self.stopwatch();
            next = self.attempt(call, snapshot, None, txn, operation, met, left);
            decided_in = self.lap(deciding);
        });
        match (committed, next) {
            (Some(Ok(Some(Committed::Applied { revision, leased, settled }))), Next::Write(events)) => {
                let took = self.took(begun, decided_in);
                self.applied(&call, (revision, leased, settled), (events, 1, took), left);
                Ok(AtOnce::Done)
            }
            (Some(Ok(None)), Next::Answered) => Ok(AtOnce::Done),
            (Some(Ok(None)), Next::Failed(error)) => Err(*error),
            (Some(Err(error)), _) if error.kind() != StoreErrorKind::Unknown => Err(error.into()),
            (committed, _) => {
                *left = None;
                Ok(if matches!(committed, Some(Err(_))) { AtOnce::InDoubt } else { AtOnce::Anew })
            }
        }
    }

    /// Loads, decides and commits until it is done; the operation may be decided several times,
    /// each time on what is there now. Answers what is left to do under the lease that the commit
    /// took or kept; None: nothing, or somebody else does it. `maybe_done`: an earlier attempt may
    /// have been written.
    pub(super) async fn transact(
        &self,
        call: Transaction<'_>,
        mut first: Option<Box<Loaded>>,
        operation: &mut dyn Operation,
        met: &mut Option<ContactId>,
        maybe_done: bool,
    ) -> Result<Option<Delivery>, Error> {
        let Transaction { flows, lookup, .. } = call;
        let workspace = &lookup.workspace;
        let _turn = self.queue_turn(workspace, &lookup.subject).await;
        let mut snapshot = flows.snapshot(&self.ports, workspace, lookup.now).await?;
        let mut attempts = Attempts::new(maybe_done);
        let (mut after_races, mut left) = (None, None);
        loop {
            if lookup.known && attempts.maybe_done && after_races.is_none() {
                after_races = Some(Box::new(Lookup { known: false, ..lookup.clone() }));
            }
            let call = Transaction { lookup: after_races.as_deref().unwrap_or(lookup), ..call };
            let mut next = Next::Undecided;
            let begun = self.stopwatch();
            let mut decided_in = None;
            let committed = {
                let mut step = |txn: &mut Txn<'_>| {
                    let deciding = self.stopwatch();
                    next = self.attempt(call, &snapshot, Some(&attempts), txn, operation, met, &mut left);
                    decided_in = self.lap(deciding);
                };
                match first.take() {
                    Some(loaded) => Box::pin(self.update_loaded(call.lookup, *loaded, &mut step)).await,
                    None => self.store.update(call.lookup, &mut step).await,
                }
            };
            attempts.commits += u32::from(matches!(next, Next::Write(..)));
            let took = self.took(begun, decided_in);
            match self.after(&call, &mut attempts, committed, next, took, &mut left)? {
                After::Done => return Ok(left),
                After::Renew => {
                    let renewed = Box::pin(flows.reload(&self.ports, workspace)).await;
                    snapshot = renewed.map_err(|error| attempts.doubt(error))?;
                }
                After::Fetch(missing) => {
                    let fuller = Box::pin(flows.fetch(&self.ports, workspace, &snapshot, &missing)).await;
                    snapshot = fuller.map_err(|error| attempts.doubt(error))?;
                }
                After::Again => {}
                After::StepBack => {
                    let (token, races) = (lookup.token, call.lookup.races.saturating_add(1));
                    after_races = Some(Box::new(Lookup { races, known: false, ..lookup.clone() }));
                    Box::pin(self.step_back(token, races)).await;
                }
            }
        }
    }

    /// Says how to continue after an attempt.
    fn after(
        &self,
        call: &Transaction<'_>,
        attempts: &mut Attempts,
        committed: Result<Option<Committed>, StoreError>,
        next: Next,
        took: Option<Timings>,
        left: &mut Option<Delivery>,
    ) -> Result<After, Error> {
        let way = match (committed, next) {
            (Ok(None), Next::Renew(revision)) => {
                attempts.renewed_for = revision;
                After::Renew
            }
            (Ok(None), Next::Fetch(missing)) => After::Fetch(missing),
            (Ok(None), Next::Missing(missing)) => {
                return Err(self.tell_missing(&call.lookup.workspace, call.cause, *missing));
            }
            (Ok(None), Next::Answered) => After::Done,
            (Ok(None), Next::Failed(error)) => return Err(attempts.doubt_of_answer(*error)),
            (Ok(None), Next::Deliver) => {
                left.iter_mut().for_each(Delivery::keep_places);
                return Ok(After::Done);
            }
            (Ok(Some(Committed::Applied { revision, leased, settled })), Next::Write(events)) => {
                self.applied(call, (revision, leased, settled), (events, attempts.commits, took), left);
                return Ok(After::Done);
            }
            (Ok(Some(Committed::AliasTaken { alias, holder })), _) => {
                match attempts.refuse((alias, holder), self.ports.clock.elapsed())? {
                    true => After::StepBack,
                    false => After::Again,
                }
            }
            (Ok(Some(Committed::LeaseLost)), Next::Write(..)) => After::Done,
            (Ok(committed), next) => {
                if let (Some(Committed::Conflict), Next::Write(_), Some(delivery)) =
                    (committed, next, left.as_ref())
                {
                    self.tell_conflict(call.lookup, delivery, (attempts.commits, took));
                }
                attempts.lose(self.ports.clock.elapsed())?;
                After::StepBack
            }
            (Err(error), _) if error.kind() == StoreErrorKind::Unknown && !attempts.maybe_done => {
                attempts.maybe_done = true;
                After::Again
            }
            (Err(error), _) => return Err(attempts.doubt(error.into())),
        };
        *left = None;
        Ok(way)
    }

    /// Takes note of a commit that was written. What was settled between its load and its commit is
    /// not sent again.
    fn applied(
        &self,
        call: &Transaction<'_>,
        (revision, leased, settled): (Revision, bool, u64),
        (events, attempt, took): (Vec<PendingEvent>, u32, Option<Timings>),
        left: &mut Option<Delivery>,
    ) {
        let Some(delivery) = left else { return };
        delivery.keep_places();
        if let Some(took) = took {
            self.tell_committed(call.lookup, delivery, events, (attempt, took));
        }
        if leased && !delivery.is_done {
            delivery.revision = revision;
            delivery.outgoing.messages.retain(|(seq, _)| *seq > settled);
        } else {
            *left = None;
        }
    }

    /// Decides on what a claim has loaded already, and commits.
    async fn update_loaded(
        &self,
        lookup: &Lookup,
        loaded: Loaded,
        step: &mut (dyn FnMut(&mut Txn<'_>) + Send),
    ) -> Result<Option<Committed>, StoreError> {
        let commit = {
            let mut txn = Txn::new(lookup, loaded);
            step(&mut txn);
            txn.into_commit()
        };
        match commit {
            Some(commit) => self.store.commit(commit).await.map(Some),
            None => Ok(None),
        }
    }

    /// Decides once, on what was loaded. That is as it was unless there is a commit.
    #[expect(clippy::too_many_arguments, reason = "a call, what it is decided on, and what comes of it")]
    fn attempt(
        &self,
        call: Transaction<'_>,
        snapshot: &Snapshot,
        attempts: Option<&Attempts>,
        txn: &mut Txn<'_>,
        operation: &mut dyn Operation,
        met: &mut Option<ContactId>,
        left: &mut Option<Delivery>,
    ) -> Next {
        let newer = txn.loaded().catalogue.filter(|revision| *revision != snapshot.revision);
        if newer.is_some() && attempts.is_none_or(|attempts| newer != attempts.renewed_for) {
            return Next::Renew(newer);
        }
        if self.is_observed() {
            *met = txn.loaded().conversation.as_ref().map(|stored| stored.contact.clone());
        }
        let env = self.environment(call, snapshot);
        let Lent { mut conversation, revision, settled, leased, key, fault } = txn.lend();
        let mut out = Output::default();
        let mut found = FoundConversation {
            conversation: &mut conversation,
            revision: revision.unwrap_or_default(),
            settled,
            is_leased: leased,
            fault: fault.map(|fault| Box::new(unusable(fault.0, fault.1))),
            key,
            maybe_done: attempts.is_some_and(|attempts| attempts.maybe_done),
            taken: attempts.and_then(|attempts| attempts.taken.as_ref()),
        };
        let (next, write) = match decide(&env, &mut found, &mut out, operation) {
            Err(error) => (Next::Failed(Box::new(error)), None),
            Ok(Resolution::Answered) => (Next::Answered, None),
            Ok(Resolution::Fetch(versions)) => (Next::Fetch(versions), None),
            Ok(Resolution::Missing(missing)) => (Next::Missing(missing), None),
            Ok(Resolution::Deliver(decision)) => (self.deliver_found(&call, &decision, revision, left), None),
            Ok(Resolution::Write(mut decision)) => self.draft(&call, &mut decision, revision, left),
        };
        match (write, conversation) {
            (Some(write), Some(conversation)) => {
                txn.write(commit(&call, write, out, revision, conversation));
            }
            (_, conversation) => txn.give_back(conversation),
        }
        next
    }

    /// Delivers under the lease that the call holds, with nothing to be written.
    #[cold]
    fn deliver_found(
        &self,
        call: &Transaction<'_>,
        decision: &Decision<'_>,
        revision: Option<u64>,
        left: &mut Option<Delivery>,
    ) -> Next {
        let paced = self.ask_pace(decision, true);
        let outgoing = Outgoing::of(decision, &paced.held, self.may_call(call.intent));
        let delivery = left.insert(Delivery::new(decision, outgoing, call.lookup, paced.passes));
        delivery.revision = revision.unwrap_or_default();
        Next::Deliver
    }

    /// Makes a decision ready to be written.
    fn draft(
        &self,
        call: &Transaction<'_>,
        decision: &mut Decision<'_>,
        revision: Option<u64>,
        left: &mut Option<Delivery>,
    ) -> (Next, Option<CommitTerms>) {
        let (intent, token) = (call.intent, call.lookup.token);
        let paced = self.ask_pace(decision, self.will_send(intent));
        paced.put_off(decision);
        if !decision.out.changed && intent == LeaseIntent::Continue {
            let outgoing = Outgoing::of(decision, &paced.held, true);
            if outgoing.has_work() {
                let delivery = left.insert(Delivery::new(decision, outgoing, call.lookup, paced.passes));
                delivery.revision = revision.unwrap_or_default();
                return (Next::Deliver, None);
            }
        }
        decision.finish();
        let outgoing = Outgoing::of(decision, &paced.held, self.may_call(intent));
        let due_at = decision.due_now(outgoing.due_after);
        let lease = match intent {
            LeaseIntent::Deliver if self.deferred => Lease::Leave,
            LeaseIntent::Deliver | LeaseIntent::Change if !outgoing.has_work() => Lease::Leave,
            LeaseIntent::Deliver | LeaseIntent::Change => Lease::Take(token, self.ports.options.lease),
            LeaseIntent::Continue if outgoing.has_work() => Lease::Hold(token),
            LeaseIntent::Continue | LeaseIntent::Stop => Lease::Free(token),
        };
        let dead_letters = u32::try_from(decision.conversation.dead_letters().len()).unwrap_or(u32::MAX);
        let delivery = left.insert(Delivery::new(decision, outgoing, call.lookup, paced.passes));
        delivery.is_done = matches!(lease, Lease::Leave | Lease::Free(_));
        (Next::Write(take(&mut decision.out.events)), Some(CommitTerms { due_at, lease, dead_letters }))
    }

    /// The environment of a decision in this engine.
    fn environment<'a>(&'a self, call: Transaction<'a>, snapshot: &'a Snapshot) -> Environment<'a> {
        let Lookup { workspace, token, now, .. } = call.lookup;
        Environment {
            workspace,
            limits: &self.ports.limits,
            policy: &self.ports.policy,
            flows: snapshot,
            now: *now,
            call: token.0.as_u128(),
            observed: self.is_observed(),
            counted: self.ports.options.counts_nodes && self.store.keeps_counts(),
            at_work_since: self.ports.at_work.since(*now),
            skew: self.behind(*now),
            cause: call.cause,
        }
    }

    /// True if messages that a decision leaves are sent under the lease that it wants.
    fn will_send(&self, intent: LeaseIntent) -> bool {
        match intent {
            LeaseIntent::Deliver => !self.deferred,
            LeaseIntent::Continue | LeaseIntent::Change => true,
            LeaseIntent::Stop => false,
        }
    }

    fn may_call(&self, intent: LeaseIntent) -> bool {
        matches!(intent, LeaseIntent::Continue | LeaseIntent::Change) || self.ports.options.inline_calls
    }

    /// Tells of a version that cannot be used here, and answers the error of the call.
    #[cold]
    fn tell_missing(
        &self,
        workspace: &WorkspaceId,
        cause: Cause,
        (contact, flow, version, reason): (ContactId, FlowId, FlowVersion, MissingReason),
    ) -> Error {
        self.tell_one(workspace, &contact, cause, |at| {
            let (flow, reason) = (flow.clone(), reason.clone());
            let of = Some((flow.clone(), Some(version)));
            PendingEvent { of, ..PendingEvent::new(at, EventKind::VersionMissing { flow, version, reason }) }
        });
        Error::VersionMissing { flow, version, reason }
    }

    /// Takes note of a race that a call lost which does not decide but writes as it is told, and
    /// lets others go first; an error once it has been tried for long enough (SEMANTICS S17).
    pub(super) async fn lose_race(&self, patience: &mut Patience, token: Token) -> Result<(), Error> {
        patience.lose(self.ports.clock.elapsed())?;
        self.step_back(token, patience.races()).await;
        Ok(())
    }

    /// Begins the next round of a call; an error once it has been tried for long enough (SEMANTICS
    /// S17).
    pub(super) async fn next_round(&self, rounds: &mut CallRounds, token: Token) -> Result<(), Error> {
        if rounds.begin() {
            Box::pin(self.lose_race(&mut rounds.patience, token)).await?;
        }
        Ok(())
    }

    /// Waits for the turn of a caller of this contact or address, where the store wants it.
    pub(super) async fn queue_turn(
        &self,
        workspace: &WorkspaceId,
        subject: &Subject,
    ) -> Option<QueueTurn<'_>> {
        match self.store.queues_callers() {
            true => Some(Box::pin(self.ports.queues.turn(workspace, subject)).await),
            false => None,
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

    /// The measures of one attempt. None: nobody watches.
    fn took(&self, begun: Option<Duration>, decide: Option<Duration>) -> Option<Timings> {
        let whole = self.lap(begun)?;
        Some(Timings {
            decide,
            store: Some(whole.saturating_sub(decide.unwrap_or_default())),
            ..Timings::default()
        })
    }

    /// Tells what a commit wrote, and that it did.
    #[cold]
    fn tell_committed(
        &self,
        lookup: &Lookup,
        delivery: &Delivery,
        events: Vec<PendingEvent>,
        (attempt, took): (u32, Timings),
    ) {
        let committed = PendingEvent::new(lookup.now, EventKind::Committed);
        let events = events.into_iter().chain([committed]);
        let measured =
            events.map(|noted| PendingEvent { attempt: noted.attempt.or(Some(attempt)), took, ..noted });
        self.tell(&lookup.workspace, &delivery.contact, delivery.cause, measured);
    }

    /// Tells that somebody else changed the conversation first, if anybody watches.
    fn tell_conflict(&self, lookup: &Lookup, delivery: &Delivery, (attempt, took): (u32, Option<Timings>)) {
        let Some(took) = took else { return };
        let lost = PendingEvent::new(lookup.now, EventKind::Conflict);
        self.tell(
            &lookup.workspace,
            &delivery.contact,
            delivery.cause,
            [PendingEvent { attempt: Some(attempt), took, ..lost }],
        );
    }
}
