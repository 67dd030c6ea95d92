//! Starting a flow by call (SEMANTICS T).

use chrono::{DateTime, Utc};

use crate::address::Alias;
use crate::engine::Engine;
use crate::engine::attempts::CallRounds;
use crate::engine::catalogue::Snapshot;
use crate::engine::contacts::Released;
use crate::engine::deliver::Delivery;
use crate::engine::span::CallSpan;
use crate::engine::transact::{AtOnce, FirstAttempt};
use crate::error::{Error, MissingReason};
use crate::id::{ContactId, FlowId, SessionId, WorkspaceId};
use crate::kernel::{CarriedOptOut, Library, Refusal, Target, TriggerAnswer, TriggerCall, Triggered};
use crate::observer::{Cause, EventKind, PendingEvent};
use crate::request::{CheckedTrigger, TriggerRequest};
use crate::store::{ConversationStore, KeyName, Lookup, Subject};

/// A trigger that cannot be done at once.
#[expect(clippy::large_enum_variant, reason = "it is boxed where it is made")]
pub(super) enum LaterTrigger {
    /// Time or flows are to be asked for.
    Checked(CheckedTrigger),
    /// It is to be decided, be it anew.
    Begun { trigger: TriggerCall, lookup: Lookup, maybe_done: bool },
}

impl<S: ConversationStore> Engine<S> {
    /// Starts a flow for a contact, and runs it to its first wait
    /// ([SEMANTICS T](crate::semantics#t)).
    ///
    /// Safe to repeat with the same `uuid`: the first answer comes again. Without one, a contact
    /// with a live session of the flow answers [`Triggered::AlreadyRunning`].
    ///
    /// ```
    /// # use chatflow::{Engine, Error, MemoryStore};
    /// use chatflow::{TriggerRequest, Triggered};
    ///
    /// async fn remind(bot: &Engine<MemoryStore>, event: &str, phone: &str) -> Result<(), Error> {
    ///     let request = TriggerRequest::new("abandoned_cart")
    ///         .phone(phone)
    ///         .context(serde_json::json!({"cart_id": 42}))
    ///         .uuid(event);
    ///     match bot.trigger(request).await? {
    ///         Triggered::Started(session) => println!("session {} runs", session.session_id),
    ///         Triggered::AlreadyRunning(session) => println!("{} runs already", session.session_id),
    ///         Triggered::Discarded => println!("too late: the request names a time that has passed"),
    ///         Triggered::Refused(why) => println!("not started: {why:?}"),
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// `InvalidInput`, `FlowNotFound`, `FlowNotPublished`, `NoEntryNode`, `IdempotencyConflict`,
    /// `ContactNotFound`, `TooManySessions`, `Quarantined`, `VersionMissing`, `Contention`,
    /// `Store`. Nothing was started, and the key was not used, unless `Store` is of kind
    /// [`Unknown`](crate::error::StoreErrorKind::Unknown): then nobody knows, and the same call
    /// with the same `uuid` finds out ([SEMANTICS D6](crate::semantics#d6)).
    pub async fn trigger(&self, request: TriggerRequest) -> Result<Triggered, Error> {
        let mut left = None;
        let (span, first) = self.trigger_within(request, &mut left)?;
        let triggered = match first {
            FirstAttempt::Done(triggered) => triggered,
            FirstAttempt::Later(later) => return Box::pin(span.over(self.trigger_later(later))).await,
        };
        if left.is_some() {
            // Boxed: the request and the answer are in this future already.
            Box::pin(span.over(self.finish(self.workspace()?, &mut left))).await;
        }
        Ok(triggered)
    }

    /// The first attempt, within the span of the call. Apart, since a future keeps what it has
    /// lent.
    fn trigger_within(
        &self,
        request: TriggerRequest,
        left: &mut Option<Delivery>,
    ) -> Result<(CallSpan, FirstAttempt<Triggered, LaterTrigger>), Error> {
        let span = CallSpan::trigger(self.workspace()?, &request.flow);
        let first = span.within(|| self.trigger_at_once(request, left))?;
        Ok((span, first))
    }

    /// The usual trigger: all that it needs is at hand, and the store decides without a pause.
    fn trigger_at_once(
        &self,
        request: TriggerRequest,
        left: &mut Option<Delivery>,
    ) -> Result<FirstAttempt<Triggered, LaterTrigger>, Error> {
        let workspace = self.workspace()?;
        let request = request.check(&self.ports.limits)?;
        let known = self.trusted_time().and_then(|now| Some((now, self.flows.trusted(now)?)));
        let Some((now, snapshot)) = known else {
            return Ok(FirstAttempt::Later(Box::new(LaterTrigger::Checked(request))));
        };
        let (mut trigger, lookup) = self.begin_trigger(workspace, request, now, &snapshot);
        let (mut met, call) = (None, self.delivering(Cause::Trigger, &lookup));
        let done = self.at_once(call, &snapshot, &mut trigger, &mut met, left);
        let done = done.map_err(|error| no_entry(error, &trigger.request().flow))?;
        if matches!(done, AtOnce::Done)
            && let Some(Ok(TriggerAnswer::Final(_)) | Err(_)) = &trigger.answer
            && let Some(answer) = trigger.answer.take()
            && let TriggerAnswer::Final(triggered) = answer?
        {
            if let Triggered::Refused(why) = &triggered {
                self.tell_refused(workspace, &trigger, met, why);
            }
            return Ok(FirstAttempt::Done(triggered));
        }
        let maybe_done = matches!(done, AtOnce::InDoubt);
        Ok(FirstAttempt::Later(Box::new(LaterTrigger::Begun { trigger, lookup, maybe_done })))
    }

    #[inline]
    fn begin_trigger(
        &self,
        workspace: &WorkspaceId,
        mut request: CheckedTrigger,
        now: DateTime<Utc>,
        snapshot: &Snapshot,
    ) -> (TriggerCall, Lookup) {
        let target = Target::of(&mut request, snapshot, || self.ports.ids.mint(now).into());
        let token = self.token(now);
        let trigger = TriggerCall::new(request, target, SessionId(token.0), self.no_opt_out());
        let CheckedTrigger { flow, key, .. } = trigger.request();
        let key = key.clone().map(|key| KeyName { flow: flow.clone(), key });
        let subject = match trigger.target().address() {
            Some(address) => Subject::Alias(Alias::Address(address.clone())),
            None => Subject::Contact(trigger.target().contact()),
        };
        let lookup = Lookup { key, known: true, ..Lookup::new(workspace.clone(), subject, token, now) };
        (trigger, lookup)
    }

    /// Continues with a trigger that could not be done at once, until it is done.
    async fn trigger_later(&self, later: Box<LaterTrigger>) -> Result<Triggered, Error> {
        let workspace = self.workspace()?;
        let (mut trigger, mut lookup, maybe_done) = match *later {
            LaterTrigger::Begun { trigger, lookup, maybe_done } => (trigger, lookup, maybe_done),
            LaterTrigger::Checked(request) => {
                let now = self.time(Cause::Trigger).await?;
                let snapshot = self.snapshot(now).await?;
                let (trigger, lookup) = self.begin_trigger(workspace, request, now, &snapshot);
                (trigger, lookup, false)
            }
        };
        let mut rounds = CallRounds::default();
        loop {
            self.next_round(&mut rounds, lookup.token).await?;
            let mut met = None;
            let call = self.delivering(Cause::Trigger, &lookup);
            let left = self.transact(call, None, &mut trigger, &mut met, maybe_done).await;
            let mut left = left.map_err(|error| no_entry(error, &trigger.request().flow))?;
            let Some(answer) = trigger.answer.take() else { return Err(Error::Contention) };
            match answer? {
                TriggerAnswer::Final(triggered) => {
                    if let Triggered::Refused(why) = &triggered {
                        self.tell_refused(workspace, &trigger, met, why);
                    }
                    self.finish(workspace, &mut left).await;
                    return Ok(triggered);
                }
                TriggerAnswer::AddressTaken(alias, holder) => {
                    let transactional = trigger.request().transactional;
                    let contacts = (&holder, &trigger.target().contact());
                    let released = self.release_address(workspace, &alias, contacts, "phone", transactional);
                    match Box::pin(released).await? {
                        Released::Free { opted_out_at } => {
                            trigger.opt_out = CarriedOptOut { since: opted_out_at, is_known: true };
                        }
                        Released::OptedOut => {
                            return Ok(self.opted_out(workspace, &trigger, Some(holder)));
                        }
                    }
                }
                TriggerAnswer::HeldBy(holder) => {
                    lookup.subject = Subject::Contact(holder.clone());
                    trigger.held_by = Some(holder);
                }
                TriggerAnswer::AddressNew(address) => {
                    let since = Box::pin(self.kept_opt_out(workspace, &[address])).await?;
                    if since.is_some() && !trigger.request().transactional {
                        return Ok(self.opted_out(workspace, &trigger, met));
                    }
                    trigger.opt_out = CarriedOptOut { since, is_known: true };
                }
            }
            lookup.known = false;
        }
    }

    /// The answer to a trigger of a contact who opted out, which is told.
    #[cold]
    fn opted_out(&self, workspace: &WorkspaceId, trigger: &TriggerCall, met: Option<ContactId>) -> Triggered {
        self.tell_refused(workspace, trigger, met, &Refusal::OptedOut);
        Triggered::Refused(Refusal::OptedOut)
    }

    /// Tells that a trigger was refused to this contact; None: to one that is not known.
    fn tell_refused(
        &self,
        workspace: &WorkspaceId,
        trigger: &TriggerCall,
        met: Option<ContactId>,
        why: &Refusal,
    ) {
        let contact = met.unwrap_or_else(|| trigger.target().contact());
        let flow = &trigger.request().flow;
        // That of now: one that is offline was not refused.
        let online = || self.flows.current()?.find(flow, None).map(|online| online.version);
        self.tell_one(workspace, &contact, Cause::Trigger, |at| PendingEvent {
            of: Some((flow.clone(), online())),
            ..PendingEvent::new(at, EventKind::Refused { reason: why.code() })
        });
    }
}

/// Of the flow that is to start, a version without an entry node has an error of its own (SEMANTICS
/// T1).
#[cold]
fn no_entry(error: Error, asked: &FlowId) -> Error {
    match error {
        Error::VersionMissing { flow, reason: MissingReason::NoEntryNode, .. } if flow == *asked => {
            Error::NoEntryNode(flow)
        }
        error => error,
    }
}
