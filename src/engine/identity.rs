//! Finding out that two contacts are one, and that an address is somebody else's now (SEMANTICS A4
//! to A6).

use crate::address::{Address, Alias};
use crate::engine::Engine;
use crate::engine::contacts::Released;
use crate::engine::transact::unreadable;
use crate::error::Error;
use crate::id::{ContactId, WorkspaceId};
use crate::kernel::{Action, CarriedOptOut, Meeting, Unite};
use crate::observer::Cause;
use crate::session::Conversation;
use crate::store::{ConversationStore, Lookup, StoredConversation, Subject};

/// Lost races until two contacts stay two.
const ATTEMPTS: u32 = 8;

/// A contact as it was loaded.
struct LoadedContact {
    stored: StoredConversation,
    conversation: std::sync::Arc<Conversation>,
}

impl LoadedContact {
    fn id(&self) -> &ContactId {
        &self.stored.contact
    }

    /// The union of another one with it.
    fn unite(self) -> Unite {
        Unite::new(self.stored.revision, self.stored.settled, self.conversation)
    }

    fn is_minted(&self) -> bool {
        self.conversation.contact().minted
    }

    /// True if it was made from an address alone and is in no session: it gives that up to a
    /// contact that has a name (SEMANTICS T2).
    fn gives_up(&self) -> bool {
        self.is_minted() && self.conversation.sessions().is_empty()
    }
}

/// A contact that an address leads to which the channel reported for the contact that is worked:
/// who the two are to each other.
pub(super) struct Encounter {
    pub(super) meeting: Meeting,
    /// The contact that the one which is worked comes to.
    pub(super) into: Option<ContactId>,
    /// The opt-out that comes with the address, where it is known.
    pub(super) opt_out: Option<CarriedOptOut>,
}

impl From<Meeting> for Encounter {
    fn from(meeting: Meeting) -> Self {
        Self { meeting, into: None, opt_out: None }
    }
}

impl<S: ConversationStore> Engine<S> {
    /// Finds out whether the contact that is worked and the holder of an address that the channel
    /// reported for it are one (SEMANTICS A4, A5). If only one of the two has a name, and the other
    /// gives its address up, that is free afterwards, or is the named one's.
    pub(super) async fn encounter(
        &self,
        workspace: &WorkspaceId,
        worked: &ContactId,
        (alias, holder): (&Alias, &ContactId),
    ) -> Result<Encounter, Error> {
        let (own, other) = (self.known(workspace, worked).await?, self.known(workspace, holder).await?);
        let (own, other) = match (own, other) {
            (Some(own), Some(other)) if own.id() != other.id() => (own, other),
            _ => return Ok(Meeting::Open.into()),
        };
        match (own.is_minted(), other.is_minted()) {
            // Ids that the engine mints grow with time.
            (true, true) if own.id().to_string() <= other.id().to_string() => {
                Ok(Meeting::One(Box::new(other.unite())).into())
            }
            (true, true) => {
                let (into, unite) = (Some(other.id().clone()), own.unite().held());
                Ok(Encounter { into, ..Meeting::One(Box::new(unite)).into() })
            }
            (false, true) if other.gives_up() => {
                let released = self.release_address(workspace, alias, (holder, worked), "to", true).await;
                // One that came into a session meanwhile keeps it.
                let since = match released {
                    Ok(Released::Free { opted_out_at }) => opted_out_at,
                    Ok(Released::OptedOut) | Err(Error::InvalidInput { .. } | Error::Contention) => {
                        return Ok(Meeting::Two.into());
                    }
                    Err(error) => return Err(error),
                };
                let opt_out = Some(CarriedOptOut { since, is_known: true });
                Ok(Encounter { opt_out, ..Meeting::Open.into() })
            }
            (true, false) if own.gives_up() => {
                match self.move_addresses(workspace, own.conversation.contact(), holder).await {
                    Ok(()) | Err(Error::InvalidInput { .. } | Error::Contention) => Ok(Meeting::Two.into()),
                    Err(error) => Err(error),
                }
            }
            _ => Ok(Meeting::Two.into()),
        }
    }

    /// Makes one contact of two that turned out to be one, and answers which is left: the one whose
    /// id is older. Where one has a name, the address of the other moves to it if that gives it up.
    /// None: they stay two.
    pub(super) async fn unite(
        &self,
        workspace: &WorkspaceId,
        one: &ContactId,
        other: &ContactId,
    ) -> Result<Option<ContactId>, Error> {
        for _ in 0..ATTEMPTS {
            let (first, second) = (self.known(workspace, one).await?, self.known(workspace, other).await?);
            let (first, second) = match (first, second) {
                (Some(first), Some(second)) if first.id() != second.id() => (first, second),
                (Some(known), _) | (None, Some(known)) => return Ok(Some(known.id().clone())),
                (None, None) => return Ok(None),
            };
            if !first.is_minted() || !second.is_minted() {
                return self.give_up(workspace, first, second).await;
            }
            // Ids that the engine mints grow with time.
            let (older, younger) = if first.id().to_string() <= second.id().to_string() {
                (first, second)
            } else {
                (second, first)
            };
            let into = older.id().clone();
            let mut unite = younger.unite();
            if self.change_addresses(workspace, &into, &mut unite).await? {
                return Ok(Some(into));
            }
        }
        Ok(None)
    }

    /// Moves the addresses of a contact that nobody named to one that has a name, if it gives them
    /// up.
    async fn give_up(
        &self,
        workspace: &WorkspaceId,
        first: LoadedContact,
        second: LoadedContact,
    ) -> Result<Option<ContactId>, Error> {
        let (named, minted) = match (first.gives_up(), second.gives_up()) {
            (true, false) if !second.is_minted() => (second, first),
            (false, true) if !first.is_minted() => (first, second),
            _ => return Ok(None),
        };
        self.move_addresses(workspace, minted.conversation.contact(), named.id()).await?;
        Ok(Some(named.id().clone()))
    }

    /// The contact that the first of these leads to which leads somewhere.
    pub(super) async fn holder_of(
        &self,
        workspace: &WorkspaceId,
        aliases: impl Iterator<Item = Alias>,
    ) -> Result<Option<ContactId>, Error> {
        for alias in aliases {
            let lookup = self.lookup(workspace, Subject::Alias(alias));
            if let Some(stored) = self.store.load(&lookup).await?.conversation {
                return Ok(Some(stored.contact));
            }
        }
        Ok(None)
    }

    async fn known(
        &self,
        workspace: &WorkspaceId,
        contact: &ContactId,
    ) -> Result<Option<LoadedContact>, Error> {
        let lookup = self.lookup(workspace, Subject::Contact(contact.clone()));
        let Some(stored) = self.store.load(&lookup).await?.conversation else { return Ok(None) };
        let conversation =
            stored.record.conversation().map_err(|error| unreadable(stored.contact.clone(), &error))?;
        Ok(Some(LoadedContact { stored, conversation }))
    }

    /// A change of a contact that may add addresses.
    async fn change_addresses(
        &self,
        workspace: &WorkspaceId,
        contact: &ContactId,
        change: &mut dyn crate::kernel::ConversationChange,
    ) -> Result<bool, Error> {
        let subject = Subject::Contact(contact.clone());
        let lookup = self.lookup_for(Cause::Contact, workspace, subject).await?;
        let lookup = Lookup { in_place: false, ..lookup };
        Box::pin(self.act_on(Cause::Contact, &lookup, change)).await
    }

    /// Puts a new address in the place of one that changed: a number that its owner changed, an id
    /// that the channel changed. Sessions continue at the new one, messages on their way go there.
    /// If the new one leads to a contact that the engine made from it, the two are merged as by
    /// [`Inbound::also`](crate::Inbound::also) ([SEMANTICS A6](crate::semantics#a6)).
    ///
    /// Safe to repeat: where nobody has the old address, or has it no more, nothing changes.
    ///
    /// # Errors
    /// `InvalidInput` of `new` when it is the old one, or it belongs to another contact
    /// that is not merged; `Quarantined`, `Contention`, `Store`.
    pub async fn relink(&self, old: &Address, new: &Address) -> Result<(), Error> {
        let workspace = self.workspace()?;
        if old == new {
            return Err(Error::invalid("new", "must be another address than `old`"));
        }
        let (contact, holder) = (self.contact_at(old).await?, self.contact_at(new).await?);
        let (contact, holder) = match (contact, holder) {
            (None, _) => return Ok(()),
            (Some(contact), holder) => (contact, holder.map(|holder| holder.id)),
        };
        if holder.is_none()
            && contact.opted_out_at.is_none()
            && let Some(since) = self.kept_opt_out(workspace, std::slice::from_ref(new)).await?
        {
            self.change(&contact.id, Action::OptedOutAt(since)).await?;
        }
        let contact = contact.id;
        let contact = match holder.filter(|holder| *holder != contact) {
            None => contact,
            Some(holder) => {
                let united = self.unite(workspace, &contact, &holder).await?;
                let rule = || Error::invalid("new", format_args!("belongs to contact `{holder}`"));
                united.ok_or_else(rule)?
            }
        };
        self.change_addresses(workspace, &contact, &mut Action::Relink { old, new }).await?;
        Ok(())
    }

    /// Takes an address from its contact, because it is somebody else's now, such as a number that
    /// was given to a new owner. Sessions that talked with it end, unsent messages to it are
    /// dropped; the contact stays, with its opt-out and its other addresses. The next person to
    /// write from the address is a new contact ([SEMANTICS A6](crate::semantics#a6)).
    ///
    /// Answers false, and changes nothing, if it leads to nobody.
    ///
    /// # Errors
    /// `Quarantined`, `Contention`, `Store`.
    pub async fn unlink(&self, address: &Address) -> Result<bool, Error> {
        let workspace = self.workspace()?;
        let lookup = self
            .lookup_for(Cause::Contact, workspace, Subject::Alias(Alias::Address(address.clone())))
            .await?;
        self.act_on(Cause::Contact, &lookup, &mut Action::Forsake { address }).await
    }
}
