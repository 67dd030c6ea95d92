//! Checks that the answers of a store to several questions agree.

use std::collections::BTreeMap;

use chatflow::address::{Alias, Phone};
use chatflow::store::{
    ConversationStore, Loaded, Lookup, SessionQuery, SessionRecord, StoreQueries, Subject, Token,
};
use chatflow::{Address, SessionId, StoreError, WorkspaceId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::talk::{contact_id, phone};
use super::violation::Violation;

/// A store that is asked.
pub(super) struct Probe<'a, S> {
    pub(super) store: &'a S,
    pub(super) now: DateTime<Utc>,
}

impl<S: ConversationStore + StoreQueries> Probe<'_, S> {
    async fn load(&self, subject: Subject) -> Result<Loaded, StoreError> {
        self.store
            .load(&Lookup::new(WorkspaceId::default(), subject, Token(Uuid::from_u128(1)), self.now))
            .await
    }

    /// All sessions, live and ended.
    pub(super) async fn sessions(&self) -> Result<Vec<SessionRecord>, StoreError> {
        const PAGE: usize = 500;
        let mut all: Vec<SessionRecord> = Vec::new();
        loop {
            let after = all.last().map(|last| (last.session().started_at(), last.session().id()));
            let workspace = WorkspaceId::default();
            let query = SessionQuery { after, ..SessionQuery::new(workspace, PAGE) };
            let page = self.store.sessions(&query).await?;
            let is_last = page.len() < PAGE;
            all.extend(page);
            if is_last {
                return Ok(all);
            }
        }
    }

    /// Compares records, addresses and the list of sessions with one another.
    pub(super) async fn agrees(
        &self,
        contacts: impl Iterator<Item = u64>,
        listed: &[SessionRecord],
    ) -> Result<Vec<Violation>, StoreError> {
        let mut found = Vec::new();
        let mut live: BTreeMap<_, Vec<SessionId>> = BTreeMap::new();
        for record in listed.iter().filter(|record| record.session().status().is_live()) {
            live.entry(record.contact().clone()).or_default().push(record.session().id());
        }
        for contact in contacts {
            let id = contact_id(contact);
            let by_id = self.load(Subject::Contact(id.clone())).await?.conversation;
            let address = Alias::Address(Address::Phone(Phone::parse(&phone(contact)).expect("a number")));
            let by_address = self.load(Subject::Alias(address)).await?.conversation;
            let revisions = [&by_id, &by_address].map(|stored| stored.as_ref().map(|stored| stored.revision));
            if revisions[0] != revisions[1] {
                found.push(Violation::Inconsistent {
                    what: format!("contact {contact} by its id and by its address: revisions {revisions:?}"),
                });
            }
            let in_record: Vec<SessionId> = match by_id.as_ref().map(|stored| stored.record.conversation()) {
                None => Vec::new(),
                Some(Ok(conversation)) => {
                    conversation.sessions().iter().map(|session| session.id()).collect()
                }
                Some(Err(error)) => {
                    found.push(Violation::Inconsistent {
                        what: format!("the record of contact {contact}: {error}"),
                    });
                    continue;
                }
            };
            let in_list = live.remove(&id).unwrap_or_default();
            if in_record != in_list {
                found.push(Violation::Inconsistent {
                    what: format!("live sessions of contact {contact}: {in_record:?} in its record, {in_list:?} in the list"),
                });
            }
        }
        found.extend(live.into_iter().map(|(contact, sessions)| Violation::Inconsistent {
            what: format!("live sessions of `{contact}`: {sessions:?} in the list, no record"),
        }));
        Ok(found)
    }
}
