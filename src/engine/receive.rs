//! Inbound messages (SEMANTICS I).

use chrono::{DateTime, Utc};

use crate::address::Alias;
use crate::engine::Engine;
use crate::engine::attempts::CallRounds;
use crate::engine::contacts::Released;
use crate::engine::deliver::Delivery;
use crate::engine::span::CallSpan;
use crate::engine::transact::{AtOnce, FirstAttempt};
use crate::error::Error;
use crate::id::{ContactId, WorkspaceId};
use crate::kernel::{Arrival, CarriedOptOut, InboundAnswer, Received};
use crate::observer::{Cause, EventKind, PendingEvent};
use crate::request::{CheckedInbound, Inbound};
use crate::store::{ConversationStore, Lookup, Subject};

/// A message that cannot be taken at once.
#[expect(clippy::large_enum_variant, reason = "it is boxed where it is made")]
pub(super) enum LaterMessage<'a> {
    /// Time or flows are to be asked for.
    Checked(CheckedInbound),
    /// It is to be decided, be it anew.
    Begun { arrival: Arrival<'a>, lookup: Lookup, maybe_done: bool },
}

impl<S: ConversationStore> Engine<S> {
    /// Routes a message from a contact to the session, the trigger or the queue that it is for
    /// ([SEMANTICS I1](crate::semantics#i1)).
    ///
    /// Safe to repeat with the same `id`: a redelivery answers [`Received::Duplicate`] and changes
    /// nothing.
    ///
    /// ```
    /// # use chatflow::{Channel, Engine, Error, Inbound, MemoryStore};
    /// use chatflow::Received;
    ///
    /// /// A webhook: the channel's own id of the message lets it come twice.
    /// async fn webhook(bot: &Engine<MemoryStore>, id: &str, from: &str, text: &str) -> Result<(), Error> {
    ///     let message = Inbound::text(Channel::WhatsApp, "+15550100", from, text).id(id);
    ///     match bot.receive(message).await? {
    ///         Received::Unmatched => println!("no flow takes {text:?}: for a person"),
    ///         Received::Handoff { session } => println!("for the person who has {session}"),
    ///         answered => println!("{answered:?}"),
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// `InvalidInput`, `Quarantined`, `VersionMissing`, `Contention`, `Store`. The message was not
    /// taken, unless `Store` is of kind [`Unknown`](crate::error::StoreErrorKind::Unknown): then
    /// nobody knows, and the same call with the same `id` finds out
    /// ([SEMANTICS D6](crate::semantics#d6)).
    pub async fn receive(&self, inbound: Inbound) -> Result<Received, Error> {
        let (span, mut left) = (CallSpan::receive(self.workspace()?), None);
        let received = match span.within(|| self.receive_at_once(inbound, &mut left))? {
            FirstAttempt::Done(received) => received,
            FirstAttempt::Later(later) => return Box::pin(span.over(self.receive_later(later))).await,
        };
        if left.is_some() {
            span.over(self.finish(self.workspace()?, &mut left)).await;
        }
        Ok(received)
    }

    /// The usual message: all that it needs is at hand, and the store decides without a pause.
    fn receive_at_once(
        &self,
        inbound: Inbound,
        left: &mut Option<Delivery>,
    ) -> Result<FirstAttempt<Received, LaterMessage<'_>>, Error> {
        let workspace = self.workspace()?;
        let inbound = inbound.check(&self.ports.limits)?;
        let known = self.trusted_time().and_then(|now| Some((now, self.flows.trusted(now)?)));
        let Some((now, snapshot)) = known else {
            return Ok(FirstAttempt::Later(Box::new(LaterMessage::Checked(inbound))));
        };
        let (mut arrival, lookup) = self.begin_message(workspace, inbound, now);
        let (mut met, call) = (None, self.delivering(Cause::Receive, &lookup));
        let done = self.at_once(call, &snapshot, &mut arrival, &mut met, left)?;
        if matches!(done, AtOnce::Done)
            && let Some(InboundAnswer::Final(_)) = &arrival.answer
            && let Some(InboundAnswer::Final(received)) = arrival.answer.take()
        {
            if self.is_observed() {
                self.tell_heard(workspace, &arrival, met.as_ref(), &received);
            }
            return Ok(FirstAttempt::Done(received));
        }
        let maybe_done = matches!(done, AtOnce::InDoubt);
        Ok(FirstAttempt::Later(Box::new(LaterMessage::Begun { arrival, lookup, maybe_done })))
    }

    #[inline]
    fn begin_message(
        &self,
        workspace: &WorkspaceId,
        inbound: CheckedInbound,
        now: DateTime<Utc>,
    ) -> (Arrival<'_>, Lookup) {
        let token = self.token(now);
        let arrival = Arrival::new(inbound, (&*self.ports.ids, now), token.0.as_u128(), self.no_opt_out());
        let is_named = arrival.inbound().contact.is_some();
        let subject = match is_named {
            true => Subject::Contact(arrival.contact().clone()),
            false => Subject::Alias(Alias::Address(arrival.inbound().address.clone())),
        };
        let in_place = !is_named && arrival.inbound().also.is_empty();
        let lookup = Lookup { in_place, known: true, ..Lookup::new(workspace.clone(), subject, token, now) };
        (arrival, lookup)
    }

    /// Continues with a message that could not be taken at once, until it is done.
    async fn receive_later(&self, later: Box<LaterMessage<'_>>) -> Result<Received, Error> {
        let workspace = self.workspace()?;
        let (mut arrival, mut lookup, maybe_done) = match *later {
            LaterMessage::Begun { arrival, lookup, maybe_done } => (arrival, lookup, maybe_done),
            LaterMessage::Checked(inbound) => {
                let now = self.time(Cause::Receive).await?;
                let (arrival, lookup) = self.begin_message(workspace, inbound, now);
                (arrival, lookup, false)
            }
        };
        let mut rounds = CallRounds::with(2 * arrival.inbound().also.len());
        loop {
            self.next_round(&mut rounds, lookup.token).await?;
            let mut met = None;
            let call = self.delivering(Cause::Receive, &lookup);
            let mut left = self.transact(call, None, &mut arrival, &mut met, maybe_done).await?;
            match arrival.answer.take().ok_or(Error::Contention)? {
                InboundAnswer::Final(received) => {
                    if self.is_observed() {
                        self.tell_heard(workspace, &arrival, met.as_ref(), &received);
                    }
                    self.finish(workspace, &mut left).await;
                    return Ok(received);
                }
                unclear => self.clear_up(workspace, &mut arrival, &mut lookup, unclear).await?,
            }
            lookup.known = false;
        }
    }

    /// Finds out what a decision on a message must know about addresses.
    async fn clear_up(
        &self,
        workspace: &WorkspaceId,
        arrival: &mut Arrival<'_>,
        lookup: &mut Lookup,
        unclear: InboundAnswer,
    ) -> Result<(), Error> {
        match unclear {
            InboundAnswer::Final(_) => {}
            InboundAnswer::AddressTaken(alias, holder) => {
                let contacts = (&holder, arrival.contact());
                let released = self.release_address(workspace, &alias, contacts, "from", true);
                if let Released::Free { opted_out_at } = Box::pin(released).await? {
                    arrival.opt_out = CarriedOptOut { since: opted_out_at, is_known: true };
                }
            }
            InboundAnswer::SenderNew => {
                arrival.is_looked_for = true;
                if let Some(holder) = Box::pin(self.holder_of(workspace, arrival.others())).await? {
                    (lookup.subject, lookup.in_place) = (Subject::Contact(holder.clone()), false);
                    arrival.held_by = Some(holder);
                }
            }
            InboundAnswer::HeldBy(holder) => {
                (lookup.subject, lookup.in_place) = (Subject::Contact(holder.clone()), false);
                arrival.held_by = Some(holder);
            }
            InboundAnswer::TwoContacts { alias, met, holder } => {
                match Box::pin(self.unite(workspace, &met, &holder)).await? {
                    Some(one) => lookup.subject = Subject::Contact(one),
                    None => arrival.ignore(&alias),
                }
            }
            InboundAnswer::AddressesNew(addresses) => {
                let since = Box::pin(self.kept_opt_out(workspace, &addresses)).await?;
                arrival.opt_out = CarriedOptOut { since, is_known: true };
            }
        }
        Ok(())
    }

    /// Tells what became of a message, and of addresses beside it that cannot be read.
    #[cold]
    fn tell_heard(
        &self,
        workspace: &WorkspaceId,
        arrival: &Arrival<'_>,
        met: Option<&ContactId>,
        received: &Received,
    ) {
        let contact = met.unwrap_or_else(|| arrival.contact());
        let (session, of) = (received.session(), arrival.taken_by.as_deref().cloned());
        let heard = |at| PendingEvent { session, of, ..PendingEvent::new(at, heard_as(received)) };
        self.tell_one(workspace, contact, Cause::Receive, heard);
        if let Some(count) = arrival.inbound().left_out {
            let kind = EventKind::AddressLeftOut { count: count.get() };
            self.tell_one(workspace, contact, Cause::Receive, |at| PendingEvent::new(at, kind));
        }
    }
}

/// The event of what became of an inbound message.
fn heard_as(received: &Received) -> EventKind {
    match received {
        Received::Unmatched => EventKind::Unmatched,
        taken => EventKind::Received { outcome: taken.as_str() },
    }
}
