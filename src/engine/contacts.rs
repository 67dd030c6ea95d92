//! Contacts themselves: who has an address, who wants to be written to.

use chrono::{DateTime, Utc};

use crate::address::{Address, Alias};
use crate::engine::Engine;
use crate::engine::attempts::{CallRounds, Patience};
use crate::engine::transact::unreadable;
use crate::error::Error;
use crate::id::{ContactId, WorkspaceId};
use crate::kernel::{Action, Release};
use crate::observer::Cause;
use crate::session::{Contact, ContactChange, Conversation, Pause};
use crate::store::{Commit, Committed, ConversationStore, Lookup, Record, Subject};

/// Outcome for an address that another contact is to have.
pub(super) enum Released {
    /// It leads to nobody now; since when its contact had opted out.
    Free { opted_out_at: Option<DateTime<Utc>> },
    /// Its contact opted out, and keeps it.
    OptedOut,
}

impl<S: ConversationStore> Engine<S> {
    /// Returns what is known of a contact, if anything. Its id is the host's own, or the one that
    /// [`SessionRef::contact_id`](crate::SessionRef::contact_id) and the
    /// [events](crate::Event::contact) tell.
    ///
    /// # Errors
    /// `Quarantined`, `Store`.
    pub async fn contact(&self, contact: &ContactId) -> Result<Option<Contact>, Error> {
        self.contact_of(Subject::Contact(contact.clone())).await
    }

    /// Returns the contact that has this address, if there is one.
    ///
    /// # Errors
    /// `Quarantined`, `Store`.
    pub async fn contact_at(&self, address: &Address) -> Result<Option<Contact>, Error> {
        self.contact_of(Subject::Alias(Alias::Address(address.clone()))).await
    }

    async fn contact_of(&self, subject: Subject) -> Result<Option<Contact>, Error> {
        let lookup = self.lookup(self.workspace()?, subject);
        let Some(stored) = self.store.load(&lookup).await?.conversation else { return Ok(None) };
        let conversation =
            stored.record.conversation().map_err(|error| unreadable(stored.contact.clone(), &error))?;
        Ok(Some(conversation.contact().clone()))
    }

    /// Notes that the contact does not want to be written to, and ends its sessions
    /// ([SEMANTICS T10](crate::semantics#t10)).
    ///
    /// # Errors
    /// `ContactNotFound`, `Quarantined`, `Contention`, `Store`.
    pub async fn opt_out(&self, contact: &ContactId) -> Result<(), Error> {
        self.change(contact, Action::OptOut).await.map(drop)
    }

    /// Takes an opt-out back ([SEMANTICS T10](crate::semantics#t10)).
    ///
    /// # Errors
    /// `ContactNotFound`, `Quarantined`, `Contention`, `Store`.
    pub async fn opt_in(&self, contact: &ContactId) -> Result<(), Error> {
        self.change(contact, Action::OptIn).await.map(drop)
    }

    /// Changes what is known of a contact, as `update_contact` does in a flow: all of it, or
    /// nothing ([SEMANTICS Q2](crate::semantics#q2)). `OptIn` and `OptOut` are
    /// [`opt_in`](Self::opt_in) and [`opt_out`](Self::opt_out). Safe to repeat: a change that is
    /// made already changes nothing.
    ///
    /// ```
    /// # use chatflow::session::ContactChange;
    /// # use chatflow::{ContactId, Engine, Error, MemoryStore};
    /// # async fn tag(bot: Engine<MemoryStore>, ada: ContactId) -> Result<(), Error> {
    /// let tag = ContactChange::AddTag("vip".to_owned());
    /// bot.update_contact(&ada, &[tag, ContactChange::Language(Some("pt-BR".to_owned()))]).await
    /// # }
    /// ```
    ///
    /// # Errors
    /// `InvalidInput`, which names the field, beyond the limits of a profile; `ContactNotFound`,
    /// `Quarantined`, `Contention`, `Store`.
    pub async fn update_contact(&self, contact: &ContactId, changes: &[ContactChange]) -> Result<(), Error> {
        let mut refused = None;
        self.change(contact, Action::Update { changes, refused: &mut refused }).await?;
        refused.map_or(Ok(()), |(field, rule)| Err(Error::invalid(field, rule)))
    }

    /// Pauses the bot for a contact until [`unpause`](Self::unpause), or until this instant at the
    /// latest. It is silent as in a handoff, whether the contact is in a session or not: messages
    /// answer [`Received::Paused`](crate::Received::Paused), triggers are refused, timers are
    /// suspended; words of opting out work ([SEMANTICS Q3](crate::semantics#q3)). A second call
    /// gives the pause another end; an instant that has passed changes nothing.
    ///
    /// # Errors
    /// `ContactNotFound`, `Quarantined`, `Contention`, `Store`.
    pub async fn pause(&self, contact: &ContactId, until: Option<DateTime<Utc>>) -> Result<(), Error> {
        self.change(contact, Action::Pause { until }).await.map(drop)
    }

    /// Ends a pause: every session continues with the time that it had left
    /// ([SEMANTICS Q3](crate::semantics#q3)). Without one it changes nothing.
    ///
    /// # Errors
    /// `ContactNotFound`, `Quarantined`, `Contention`, `Store`.
    pub async fn unpause(&self, contact: &ContactId) -> Result<(), Error> {
        self.change(contact, Action::Unpause).await.map(drop)
    }

    /// Returns the pause of the bot for a contact. None: it is not paused, or its end has passed.
    ///
    /// # Errors
    /// `Quarantined`, `Store`.
    pub async fn paused(&self, contact: &ContactId) -> Result<Option<Pause>, Error> {
        let lookup = self.lookup(self.workspace()?, Subject::Contact(contact.clone()));
        let Some(stored) = self.store.load(&lookup).await?.conversation else { return Ok(None) };
        let conversation =
            stored.record.conversation().map_err(|error| unreadable(stored.contact.clone(), &error))?;
        Ok(conversation.pause().filter(|pause| pause.until.is_none_or(|until| lookup.now < until)))
    }

    /// Returns whether it took effect.
    pub(super) async fn change(&self, contact: &ContactId, action: Action<'_>) -> Result<bool, Error> {
        // Boxed: the futures of the calls of hosts have no room for it.
        Box::pin(self.change_in(self.workspace()?, contact, action)).await
    }

    /// The same in a workspace that may be another than this handle's: a tick works all of them.
    async fn change_in(
        &self,
        workspace: &WorkspaceId,
        contact: &ContactId,
        mut action: Action<'_>,
    ) -> Result<bool, Error> {
        let subject = Subject::Contact(contact.clone());
        if self.store.load(&self.lookup(workspace, subject.clone())).await?.conversation.is_none() {
            return Err(Error::ContactNotFound(contact.clone()));
        }
        self.act(Cause::Contact, workspace, subject, &mut action).await
    }

    /// Takes an address from a contact that the engine made from it alone and that is in no
    /// session, so that another contact can have it (SEMANTICS T2). One that opted out keeps it,
    /// unless the other may be written to all the same (T10); then the other has its opt-out first,
    /// so that it is not lost on the way.
    pub(super) async fn release_address(
        &self,
        workspace: &WorkspaceId,
        alias: &Alias,
        (holder, into): (&ContactId, &ContactId),
        field: &'static str,
        even_opted_out: bool,
    ) -> Result<Released, Error> {
        let Alias::Address(address) = alias else { return Err(Error::Contention) };
        let (mut carried, mut rounds) = (None, CallRounds::default());
        loop {
            let token = self.token(self.now());
            self.next_round(&mut rounds, token).await?;
            let mut release = Release::new(address, carried);
            let subject = Subject::Contact(holder.clone());
            let released = self.act(Cause::Contact, workspace, subject, &mut release).await?;
            let Release { opted_out_at, gives_up, .. } = release;
            if released {
                return Ok(Released::Free { opted_out_at });
            }
            match opted_out_at.filter(|_| gives_up) {
                Some(at) if even_opted_out => {
                    self.carry_opt_out(workspace, into, at).await?;
                    carried = Some(at);
                }
                Some(_) => return Ok(Released::OptedOut),
                None => return Err(Error::invalid(field, format_args!("belongs to contact `{holder}`"))),
            }
        }
    }

    /// Notes that a contact, which may be new, does not want to be written to at an address that it
    /// is about to get.
    async fn carry_opt_out(
        &self,
        workspace: &WorkspaceId,
        contact: &ContactId,
        since: DateTime<Utc>,
    ) -> Result<(), Error> {
        let mut patience = Patience::default();
        loop {
            let subject = Subject::Contact(contact.clone());
            let lookup = self.lookup_for(Cause::Contact, workspace, subject).await?;
            if self.store.load(&lookup).await?.conversation.is_some() {
                let action = Action::CarryOptOut { since };
                return self.change_in(workspace, contact, action).await.map(drop);
            }
            let mut conversation = Conversation::new(contact.clone(), lookup.now);
            conversation.contact.opted_out_at = Some(since);
            let record = Record::new(conversation.into());
            let commit = Commit::new(workspace.clone(), contact.clone(), None, record, lookup.now);
            if let Committed::Applied { .. } = self.store.commit(commit).await? {
                return Ok(());
            }
            self.lose_race(&mut patience, lookup.token).await?;
        }
    }

    /// Moves the addresses of one contact, and an opt-out, to another; `from` stays, without them
    /// ([SEMANTICS T2](crate::semantics#t2)). An opt-out ends the other's sessions
    /// ([T10](crate::semantics#t10)).
    ///
    /// # Errors
    /// `ContactNotFound` of either; `InvalidInput` of `from` when it is in a session, or the same;
    /// `Quarantined`, `Contention`, `Store`. After an error some addresses may have moved;
    /// repeating the call moves the rest.
    pub async fn merge(&self, from: &ContactId, into: &ContactId) -> Result<(), Error> {
        let workspace = self.workspace()?;
        if from == into {
            return Err(Error::invalid("from", "must be another contact than `into`"));
        }
        let old = self.contact(from).await?.ok_or_else(|| Error::ContactNotFound(from.clone()))?;
        self.contact(into).await?.ok_or_else(|| Error::ContactNotFound(into.clone()))?;
        self.move_addresses(workspace, &old, into).await
    }

    /// Moves the addresses of a contact that is in no session, and its opt-out first, to another.
    /// Each leads nowhere before it leads to the other, and is one of the old contact's until it
    /// does: wherever the process dies, a repeat finds it.
    pub(super) async fn move_addresses(
        &self,
        workspace: &WorkspaceId,
        from: &Contact,
        into: &ContactId,
    ) -> Result<(), Error> {
        if let Some(at) = from.opted_out_at {
            self.change_in(workspace, into, Action::OptedOutAt(at)).await?;
        }
        for address in &from.addresses {
            let old = || Subject::Contact(from.id.clone());
            if !self.act(Cause::Contact, workspace, old(), &mut Action::Yield { address }).await? {
                return Err(Error::invalid("from", "must not be in a session"));
            }
            // Somebody else may have it by now.
            if self.holder_of(workspace, address.aliases()).await?.is_none() {
                let subject = Subject::Contact(into.clone());
                let lookup = self.lookup_for(Cause::Contact, workspace, subject).await?;
                let lookup = Lookup { in_place: false, ..lookup };
                self.act_on(Cause::Contact, &lookup, &mut Action::Link { address }).await?;
            }
            self.act(Cause::Contact, workspace, old(), &mut Action::Unlink { address }).await?;
        }
        Ok(())
    }
}
