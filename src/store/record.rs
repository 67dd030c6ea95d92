//! The records that a store keeps without looking inside: a conversation, an ended session. In this
//! process a record stays as it is; outside it becomes bytes, only when asked (encoding each turn
//! in memory costs 2.7 times the instructions).

use std::sync::Arc;

use crate::error::StoreError;
use crate::id::ContactId;
use crate::session::{
    Contact, Conversation, DecodeError, Session, decode_conversation, decode_session, encode_conversation,
    encode_session,
};

/// A conversation, opaque and cheap to clone.
///
/// A store in this process keeps the record itself; any other writes [`Record::to_bytes`] and reads
/// [`Record::from_bytes`].
#[derive(Clone, Debug)]
pub struct Record(Repr);

#[derive(Clone, Debug)]
enum Repr {
    Here(Arc<Conversation>),
    Written(Box<Written>),
    /// Its conversation is lent to a decision.
    Lent,
}

/// Bytes, and what reads them: so a program whose records never leave its memory, such as a page,
/// links no reader.
#[derive(Clone, Debug)]
struct Written {
    bytes: Arc<[u8]>,
    read: fn(&[u8]) -> Result<Conversation, DecodeError>,
}

impl Written {
    fn conversation(&self) -> Result<Arc<Conversation>, DecodeError> {
        (self.read)(&self.bytes).map(Arc::new)
    }
}

impl Record {
    pub(crate) fn new(conversation: Arc<Conversation>) -> Self {
        Self(Repr::Here(conversation))
    }

    /// A record that was written earlier. It is read when it is used, so that a damaged one harms
    /// no other.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(Repr::Written(Box::new(Written { bytes: bytes.into(), read: decode_conversation })))
    }

    /// A record that there is not: it takes the place of one, and cannot be read.
    pub(crate) fn none() -> Self {
        let bytes: [u8; 0] = [];
        Self(Repr::Written(Box::new(Written { bytes: bytes.into(), read: |_| Err(DecodeError::NotARecord) })))
    }

    /// Returns the record as bytes: a format number, a checksum, then the conversation.
    ///
    /// # Errors
    /// A permanent [`StoreError`] when it cannot be encoded.
    pub fn to_bytes(&self) -> Result<Arc<[u8]>, StoreError> {
        match &self.0 {
            Repr::Here(conversation) => {
                Ok(encode_conversation(conversation).map_err(StoreError::permanent)?.into())
            }
            Repr::Written(written) => Ok(Arc::clone(&written.bytes)),
            Repr::Lent => Err(StoreError::permanent(DecodeError::NotARecord)),
        }
    }

    /// Returns the conversation as JSON, for a person to read. Its fields are no interface: they
    /// may be other ones in the next release.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes were damaged, or are of a newer release.
    pub fn to_json(&self) -> Result<serde_json::Value, DecodeError> {
        Ok(serde_json::to_value(&*self.conversation()?)?)
    }

    /// Returns the conversation inside.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes were damaged, or are of a newer release.
    pub fn conversation(&self) -> Result<Arc<Conversation>, DecodeError> {
        match &self.0 {
            Repr::Here(conversation) => Ok(Arc::clone(conversation)),
            Repr::Written(written) => written.conversation(),
            Repr::Lent => Err(DecodeError::NotARecord),
        }
    }

    /// Lends the conversation inside, unshared if this was its only owner. A record that cannot be
    /// read stays as it is.
    pub(crate) fn lend(&mut self) -> Result<Arc<Conversation>, DecodeError> {
        match std::mem::replace(&mut self.0, Repr::Lent) {
            Repr::Here(conversation) => Ok(conversation),
            Repr::Written(written) => written.conversation().inspect_err(|_| {
                self.0 = Repr::Written(written);
            }),
            Repr::Lent => Err(DecodeError::NotARecord),
        }
    }

    /// The same record with its conversation read, so that it is not read again. One that cannot be
    /// read stays as it is.
    pub(crate) fn read(self) -> Self {
        match self.0 {
            Repr::Written(written) => match written.conversation() {
                Ok(conversation) => Self::new(conversation),
                Err(_) => Self(Repr::Written(written)),
            },
            repr => Self(repr),
        }
    }

    /// The bytes of a record that is not read yet. None: it is.
    pub(crate) fn unread(&self) -> Option<&[u8]> {
        match &self.0 {
            Repr::Written(written) => Some(&written.bytes),
            Repr::Here(_) | Repr::Lent => None,
        }
    }

    /// Takes the record out of a commit that is written.
    pub(crate) fn take(&mut self) -> Self {
        Self(std::mem::replace(&mut self.0, Repr::Lent))
    }

    /// Takes back what was lent.
    pub(crate) fn give_back(&mut self, conversation: Arc<Conversation>) {
        self.0 = Repr::Here(conversation);
    }

    /// Frees what the watermark says is settled, if nobody else holds the record. The next commit
    /// does it in any case.
    pub fn release_settled(&mut self, settled: u64) {
        if let Repr::Here(conversation) = &mut self.0
            && let Some(conversation) = Arc::get_mut(conversation)
        {
            conversation.prune(settled);
        }
    }
}

/// A session with the contact it is of: an ended one on its way into the archive, or one that a
/// query found.
#[derive(Clone, Debug)]
pub struct SessionRecord {
    contact: ContactId,
    session: Arc<Session>,
}

impl SessionRecord {
    pub(crate) fn new(contact: ContactId, session: Session) -> Self {
        Self::of(contact, Arc::new(session))
    }

    pub(crate) fn of(contact: ContactId, session: Arc<Session>) -> Self {
        Self { contact, session }
    }

    /// Returns the live sessions of a conversation.
    pub fn live(conversation: &Conversation) -> impl Iterator<Item = Self> {
        conversation
            .sessions()
            .iter()
            .map(|session| Self::new(conversation.contact().id.clone(), session.clone()))
    }

    /// Returns its contact.
    #[must_use]
    pub fn contact(&self) -> &ContactId {
        &self.contact
    }

    /// Returns the session; its id is unique in the archive.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Returns the session as bytes, without its contact.
    ///
    /// # Errors
    /// A permanent [`StoreError`] when it cannot be encoded.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StoreError> {
        encode_session(&self.session).map_err(StoreError::permanent)
    }

    /// A session that was written earlier.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes were damaged, or are of a newer release.
    pub fn from_bytes(contact: ContactId, bytes: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self::new(contact, decode_session(bytes)?))
    }
}

/// A session of a list, and its contact as that is now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ListedSession {
    /// The session.
    pub record: SessionRecord,
    /// The contact, with name and addresses; None if there is none any more, or the store leaves it
    /// to the engine to look.
    pub contact: Option<Contact>,
}

impl ListedSession {
    /// A session and the conversation that it is of, if that is there.
    #[must_use]
    pub fn of(record: SessionRecord, conversation: Option<&Conversation>) -> Self {
        Self { record, contact: conversation.map(|conversation| conversation.contact().clone()) }
    }
}
