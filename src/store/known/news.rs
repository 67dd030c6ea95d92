//! News that a call brings of a conversation: its findings, and its commit.

use std::hash::BuildHasher;

use foldhash::quality::FixedState;

use crate::address::Alias;
use crate::id::{ContactId, WorkspaceId};
use crate::store::{Commit, Loaded, Lookup, Record, Revision, StoredConversation, Subject, Txn};

/// The record as it is stored: its length, and a hash of it. Where a server lost what it had
/// acknowledged, a revision alone may come to mean another record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Encoded {
    pub(super) len: usize,
    digest: u64,
}

impl Encoded {
    fn of(bytes: &[u8]) -> Self {
        Self { len: bytes.len(), digest: FixedState::default().hash_one(bytes) }
    }

    /// None: it is not encoded.
    pub(super) fn of_unread(record: &Record) -> Option<Self> {
        record.unread().map(Self::of)
    }
}

/// The outcome of a decision on what was loaded.
pub(super) enum News {
    Answer(KnownAnswer),
    Write(Box<PendingCommit>),
}

/// The findings of a lookup that led to an answer.
pub(super) struct KnownAnswer {
    pub(super) workspace: WorkspaceId,
    pub(super) found: StoredConversation,
    pub(super) encoded: Encoded,
    pub(super) via: Option<Alias>,
}

/// A commit that is about to be written.
pub(super) struct PendingCommit {
    pub(super) workspace: WorkspaceId,
    pub(super) contact: ContactId,
    pub(super) expect: Option<Revision>,
    /// The new record; None: it cannot be written.
    pub(super) record: Option<(Record, Encoded)>,
    pub(super) added: Vec<Alias>,
    pub(super) dropped: Vec<Alias>,
    /// A contact that is no more once it is written.
    pub(super) absorbed: Option<ContactId>,
}

impl PendingCommit {
    /// Notes of a commit, whose record is encoded here, once. `via` is an alias that led to its
    /// contact at the revision that it expects.
    pub(super) fn of(commit: &mut Commit, via: Option<Alias>) -> Self {
        let mut added: Vec<Alias> = commit.add_aliases.clone();
        added.extend(via.filter(|alias| !commit.drop_aliases.contains(alias)));
        let record = commit.record.to_bytes().ok().map(|bytes| {
            let encoded = Encoded::of(&bytes);
            let decoded = std::mem::replace(&mut commit.record, Record::from_bytes(bytes));
            (decoded, encoded)
        });
        Self {
            workspace: commit.workspace.clone(),
            contact: commit.contact.clone(),
            expect: commit.expect,
            record,
            added,
            dropped: commit.drop_aliases.clone(),
            absorbed: commit.absorbs.as_ref().map(|absorbed| absorbed.contact.clone()),
        }
    }
}

/// The findings of a lookup, before they are decided on.
pub(super) struct LookupFindings {
    contact: Option<(ContactId, Revision)>,
    encoded: Option<Encoded>,
    /// The alias that leads to it.
    via: Option<Alias>,
}

impl LookupFindings {
    /// `encoded`: of a record that was read before.
    pub(super) fn of(lookup: &Lookup, loaded: &Loaded, encoded: Option<Encoded>) -> Self {
        let found = loaded.conversation.as_ref();
        let via = match &lookup.subject {
            Subject::Alias(alias) => found.map(|_| alias.clone()),
            Subject::Contact(_) => None,
        };
        Self {
            contact: found.map(|stored| (stored.contact.clone(), stored.revision)),
            encoded: encoded.or_else(|| Encoded::of_unread(&found?.record)),
            via,
        }
    }

    /// The news that a decision on them made. None: nothing that is to be kept.
    pub(super) fn after(self, txn: &mut Txn<'_>) -> Option<News> {
        let workspace = txn.lookup().workspace.clone();
        if let Some(commit) = txn.commit_mut() {
            let is_of = |(contact, revision)| contact == commit.contact && commit.expect == Some(revision);
            let is_same = commit.workspace == workspace && self.contact.is_some_and(is_of);
            return Some(News::Write(Box::new(PendingCommit::of(commit, self.via.filter(|_| is_same)))));
        }
        let found = txn.loaded().conversation.clone().filter(|found| !found.quarantined)?;
        let encoded = self.encoded.or_else(|| Some(Encoded::of(&found.record.to_bytes().ok()?)))?;
        Some(News::Answer(KnownAnswer { workspace, found, encoded, via: self.via }))
    }
}
