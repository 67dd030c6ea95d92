//! One call: load, decide, commit, and again when somebody else was faster. The only place that
//! knows what a lost race or an unknown outcome means.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::engine::Engine;
use crate::engine::attempts::{Attempts, pause};
use crate::engine::catalogue::{Snapshot, WorkspaceFlows};
use crate::engine::deliver::Delivery;
use crate::error::{Error, MissingReason, StoreError, StoreErrorKind};
use crate::id::{ContactId, FlowId, FlowVersion, WorkspaceId};
use crate::kernel::{
    AbsorbedContact, Decision, Environment, FoundConversation, Operation, Outgoing, Output, Resolution,
    added_up, decide,
};
use crate::observer::{Cause, EventKind, Noted, Took};
use crate::session::{Conversation, DecodeError};
use crate::store::{
    Absorbed, Commit, Committed, ConversationStore, Lease, Lent, Loaded, Lookup, Record, SessionRecord,
    Token, Txn,
};

/// The lease of the conversation, as a call wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeaseIntent {
    /// To deliver at once what is due, if nobody else does.
    Deliver,
    /// To go on under the lease that the call holds; to end it when nothing is left to do.
    Continue,
    /// To end it, whatever is left to do: somebody goes on under another.
    Stop,
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
    /// The operation has its answer, or fails.
    Answered(Result<(), Error>),
    /// The same, with this to be done under the lease that the call holds.
    Deliver(Delivery),
    Write(Vec<Noted>, Delivery),
}

/// The way on after an attempt.
enum After {
    /// The call is done, but for this under its lease.
    Done(Option<Delivery>),
    /// The flows are to be read again.
    Renew,
    Fetch(Vec<(FlowId, FlowVersion)>),
    Again,
    /// Somebody else was faster.
    StepBack,
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
    // Not collected in place: a session's room would be shrunk to that of its record.
    let mut ended = Vec::with_capacity(out.ended.len());
    ended.extend(out.ended.into_iter().map(|session| SessionRecord::new(contact.clone(), session)));
    Commit {
        workspace: call.lookup.workspace.clone(),
        contact,
        expect,
        record: Record::new(conversation),
        due_at: write.due_at,
        lease: write.lease,
        key: out.key.and_then(|record| Some((call.lookup.key.clone()?, record))),
        add_aliases: out.add_aliases,
        drop_aliases: out.drop_aliases,
        absorbs: out.absorbed.map(|absorbed| {
            let AbsorbedContact { contact, revision, settled } = *absorbed;
            Box::new(Absorbed { contact, expect: revision, settled })
        }),
        started: out.started,
        ended,
        called: out.called,
        journal: out.journal,
        counts: added_up(out.counts),
        dead_letters: write.dead_letters,
        now: call.lookup.now,
    }
}

impl<S: ConversationStore> Engine<S> {
    /// A call that delivers what it leaves, unless somebody else does.
    pub(super) fn delivering<'a>(&'a self, cause: Cause, lookup: &'a Lookup) -> Transaction<'a> {
        Transaction { cause, flows: &self.flows, lookup, intent: LeaseIntent::Deliver }
    }

    /// Loads, decides and commits until it is done; the operation may be decided several times,
    /// each time on what is there now. Answers what is left to do under the lease that the commit
    /// took or kept; None: nothing, or somebody else does it.
    pub(super) async fn transact(
        &self,
        call: Transaction<'_>,
        mut first: Option<Box<Loaded>>,
        operation: &mut dyn Operation,
        met: &mut Option<ContactId>,
    ) -> Result<Option<Delivery>, Error> {
        let Transaction { flows, lookup, .. } = call;
        let workspace = &lookup.workspace;
        let _turn = match self.store.queues_callers() {
            true => Some(Box::pin(self.ports.queues.turn(workspace, &lookup.subject)).await),
            false => None,
        };
        let mut snapshot = flows.snapshot(&self.ports, workspace, lookup.now).await?;
        let (mut attempts, mut after_races) = (Attempts::since(lookup.now), None);
        loop {
            let call = Transaction { lookup: after_races.as_deref().unwrap_or(lookup), ..call };
            let mut next = Next::Undecided;
            let begun = self.stopwatch();
            let mut decided_in = None;
            let committed = {
                let mut step = |txn: &mut Txn<'_>| {
                    let deciding = self.stopwatch();
                    next = self.attempt(call, &snapshot, &attempts, txn, operation, met);
                    decided_in = self.lap(deciding);
                };
                match first.take() {
                    Some(loaded) => Box::pin(self.update_loaded(call.lookup, *loaded, &mut step)).await,
                    None => self.store.update(call.lookup, &mut step).await,
                }
            };
            attempts.commits += u32::from(matches!(next, Next::Write(..)));
            let took = self.took(begun, decided_in);
            match self.after(&call, &mut attempts, committed, next, took)? {
                After::Done(delivery) => return Ok(delivery),
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
                    after_races = Some(Box::new(Lookup { races, ..lookup.clone() }));
                    Box::pin(self.step_back(token, races)).await;
                }
            }
        }
    }

    /// Says how to go on after an attempt.
    fn after(
        &self,
        call: &Transaction<'_>,
        attempts: &mut Attempts,
        committed: Result<Option<Committed>, StoreError>,
        next: Next,
        took: Option<Took>,
    ) -> Result<After, Error> {
        Ok(match (committed, next) {
            (Ok(None), Next::Renew(revision)) => {
                attempts.renewed_for = revision;
                After::Renew
            }
            (Ok(None), Next::Fetch(missing)) => After::Fetch(missing),
            (Ok(None), Next::Missing(missing)) => {
                return Err(self.tell_missing(&call.lookup.workspace, call.cause, *missing));
            }
            (Ok(None), Next::Answered(answer)) => {
                answer.map_err(|error| attempts.doubt_of_answer(error))?;
                After::Done(None)
            }
            (Ok(None), Next::Deliver(mut delivery)) => {
                delivery.keep_places();
                After::Done(Some(delivery))
            }
            (
                Ok(Some(Committed::Applied { revision, leased, settled })),
                Next::Write(events, mut delivery),
            ) => {
                delivery.keep_places();
                if let Some(took) = took {
                    self.tell_committed(call.lookup, &delivery, events, (attempts.commits, took));
                }
                let is_left = leased && !delivery.is_done;
                After::Done(is_left.then(|| delivery.written(revision, settled)))
            }
            (Ok(Some(Committed::AliasTaken { alias, holder })), _) => {
                attempts.refuse((alias, holder))?;
                After::Again
            }
            (Ok(Some(Committed::LeaseLost)), Next::Write(..)) => After::Done(None),
            (Ok(committed), next) => {
                if let (Some(Committed::Conflict), Next::Write(_, delivery)) = (committed, next) {
                    self.tell_conflict(call.lookup, &delivery, (attempts.commits, took));
                }
                attempts.lose(self.now())?;
                After::StepBack
            }
            (Err(error), _) if error.kind() == StoreErrorKind::Unknown && !attempts.maybe_done => {
                attempts.maybe_done = true;
                After::Again
            }
            (Err(error), _) => return Err(attempts.doubt(error.into())),
        })
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
    fn attempt(
        &self,
        call: Transaction<'_>,
        snapshot: &Snapshot,
        attempts: &Attempts,
        txn: &mut Txn<'_>,
        operation: &mut dyn Operation,
        met: &mut Option<ContactId>,
    ) -> Next {
        let newer = txn.loaded().catalogue.filter(|revision| *revision != snapshot.revision);
        if newer.is_some() && newer != attempts.renewed_for {
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
            fault: fault.map(|(contact, error)| unusable(contact, error)),
            key,
            maybe_done: attempts.maybe_done,
            taken: attempts.taken.as_ref(),
        };
        let (next, write) = match decide(&env, &mut found, &mut out, operation) {
            Err(error) => (Next::Answered(Err(error)), None),
            Ok(Resolution::Answered) => (Next::Answered(Ok(())), None),
            Ok(Resolution::Fetch(versions)) => (Next::Fetch(versions), None),
            Ok(Resolution::Missing(missing)) => (Next::Missing(missing), None),
            Ok(Resolution::Deliver(decision)) => (self.deliver_found(&call, &decision, revision), None),
            Ok(Resolution::Write(decision)) => self.draft(&call, decision, revision),
        };
        match (write, conversation) {
            (Some(write), Some(conversation)) => txn.write(commit(&call, write, out, revision, conversation)),
            (_, conversation) => txn.give_back(conversation),
        }
        next
    }

    /// Delivers under the lease that the call holds, with nothing to be written.
    fn deliver_found(&self, call: &Transaction<'_>, decision: &Decision<'_>, revision: Option<u64>) -> Next {
        let paced = self.ask_pace(decision, true);
        let outgoing = Outgoing::of(decision, &paced.held, self.may_call(call.intent));
        let mut delivery = Delivery::new(decision, outgoing, call.lookup.now, paced.passes);
        delivery.revision = revision.unwrap_or_default();
        Next::Deliver(delivery)
    }

    /// Makes a decision ready to be written.
    fn draft(
        &self,
        call: &Transaction<'_>,
        mut decision: Decision<'_>,
        revision: Option<u64>,
    ) -> (Next, Option<CommitTerms>) {
        let (intent, token) = (call.intent, call.lookup.token);
        let paced = self.ask_pace(&decision, self.will_send(intent));
        paced.put_off(&mut decision);
        if !decision.out.changed && intent == LeaseIntent::Continue {
            let outgoing = Outgoing::of(&decision, &paced.held, true);
            if outgoing.has_work() {
                let mut delivery = Delivery::new(&decision, outgoing, call.lookup.now, paced.passes);
                delivery.revision = revision.unwrap_or_default();
                return (Next::Deliver(delivery), None);
            }
        }
        let due_at = decision.finish();
        let outgoing = Outgoing::of(&decision, &paced.held, self.may_call(intent));
        let lease = match intent {
            LeaseIntent::Deliver if self.deferred || !outgoing.has_work() => Lease::Leave,
            LeaseIntent::Deliver => Lease::Take(token, self.ports.options.lease),
            LeaseIntent::Continue if outgoing.has_work() => Lease::Hold(token),
            LeaseIntent::Continue | LeaseIntent::Stop => Lease::Free(token),
        };
        let is_done = matches!(lease, Lease::Leave | Lease::Free(_));
        let dead_letters = u32::try_from(decision.conversation.dead_letters().len()).unwrap_or(u32::MAX);
        let mut delivery = Delivery::new(&decision, outgoing, call.lookup.now, paced.passes);
        delivery.is_done = is_done;
        let events = std::mem::take(&mut decision.out.events);
        (Next::Write(events, delivery), Some(CommitTerms { due_at, lease, dead_letters }))
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
            LeaseIntent::Continue => true,
            LeaseIntent::Stop => false,
        }
    }

    fn may_call(&self, intent: LeaseIntent) -> bool {
        intent == LeaseIntent::Continue || self.ports.options.inline_calls
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
            Noted { of, ..Noted::new(at, EventKind::VersionMissing { flow, version, reason }) }
        });
        Error::VersionMissing { flow, version, reason }
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
        lookup: &Lookup,
        delivery: &Delivery,
        events: Vec<Noted>,
        (attempt, took): (u32, Took),
    ) {
        let committed = Noted::new(lookup.now, EventKind::Committed);
        let events = events.into_iter().chain([committed]);
        let measured = events.map(|noted| Noted { attempt: noted.attempt.or(Some(attempt)), took, ..noted });
        self.tell(&lookup.workspace, &delivery.contact, delivery.cause, measured);
    }

    /// Tells that somebody else changed the conversation first, if anybody watches.
    fn tell_conflict(&self, lookup: &Lookup, delivery: &Delivery, (attempt, took): (u32, Option<Took>)) {
        let Some(took) = took else { return };
        let lost = Noted::new(lookup.now, EventKind::Conflict);
        self.tell(
            &lookup.workspace,
            &delivery.contact,
            delivery.cause,
            [Noted { attempt: Some(attempt), took, ..lost }],
        );
    }
}
