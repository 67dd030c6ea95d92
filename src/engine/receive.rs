//! Inbound messages (SEMANTICS I).

use crate::address::Alias;
use crate::engine::Engine;
use crate::engine::contacts::Released;
use crate::error::Error;
use crate::id::{ContactId, WorkspaceId};
use crate::kernel::{Arrival, CarriedOptOut, InboundAnswer, Received};
use crate::observer::{Cause, EventKind, Noted};
use crate::request::Inbound;
use crate::store::{ConversationStore, Lookup, Subject};

impl<S: ConversationStore> Engine<S> {
    /// Takes a message from a contact to the session, the trigger or the queue that it is for
    /// (SEMANTICS I1).
    ///
    /// Safe to repeat with the same `id`: a redelivery answers [`Received::Duplicate`] and changes
    /// nothing.
    ///
    /// # Errors
    /// `InvalidInput`, `Quarantined`, `VersionMissing`, `Contention`, `Store`. The message was not
    /// taken, unless `Store` is of kind [`Unknown`](crate::error::StoreErrorKind::Unknown): then
    /// nobody knows, and the same call with the same `id` finds out (SEMANTICS D6).
    #[cfg_attr(
        feature = "tracing",
        tracing::instrument(name = "chatflow.receive", level = "debug", target = "chatflow", skip_all)
    )]
    pub async fn receive(&self, inbound: Inbound) -> Result<Received, Error> {
        let workspace = self.workspace()?;
        let inbound = inbound.check(&self.ports.limits)?;
        let now = self.time(Cause::Receive).await?;
        let token = self.token(now);
        let mint = || self.ports.ids.mint(now).into();
        let mut arrival = Arrival::new(inbound, &mint, token.0.as_u128(), self.no_opt_out());
        let is_named = arrival.inbound().contact.is_some();
        let subject = match is_named {
            true => Subject::Contact(arrival.contact().clone()),
            false => Subject::Alias(Alias::Address(arrival.inbound().address.clone())),
        };
        let in_place = !is_named && arrival.inbound().also.is_empty();
        let mut lookup = Lookup { in_place, ..Lookup::new(workspace.clone(), subject, token, now) };
        for _ in 0..4 + 2 * arrival.inbound().also.len() {
            let mut met = None;
            let call = self.delivering(Cause::Receive, &lookup);
            let delivery = self.transact(call, None, &mut arrival, &mut met).await?;
            match arrival.answer.take().ok_or(Error::Contention)? {
                InboundAnswer::Final(received) => {
                    if self.is_observed() {
                        self.tell_heard(workspace, &arrival, met.as_ref(), &received);
                    }
                    self.finish(&lookup, &self.flows, delivery).await;
                    return Ok(received);
                }
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
        }
        Err(Error::Contention)
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
        let heard = |at| Noted::new(at, heard_as(received));
        self.tell_one(workspace, contact, Cause::Receive, heard);
        if let Some(count) = arrival.inbound().left_out {
            let kind = EventKind::AddressLeftOut { count: count.get() };
            self.tell_one(workspace, contact, Cause::Receive, |at| Noted::new(at, kind));
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
