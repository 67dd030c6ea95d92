//! A host's own storage, here four tables under one lock, and a conversation on it. Numbers name the rules of the contract in the
//! documentation of `ConversationStore`; on a database each method is one transaction.

#![allow(clippy::print_stdout, reason = "an example prints")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chatflow::store::*;
use chatflow::{Alias, Channel, ContactId, Engine, Inbound, Receipt, Session, StoreError, TriggerRequest};
use chatflow::{WorkspaceId, send_fn};
use chrono::{DateTime, Utc};

#[derive(Default)]
pub(crate) struct OwnStore(Mutex<HashMap<WorkspaceId, Tables>>);

#[derive(Default)]
struct Tables {
    rows: HashMap<ContactId, Row>,
    keys: HashMap<KeyName, KeyRecord>,
    aliases: HashMap<Alias, ContactId>,
    ended: Vec<SessionRecord>,
    journal: Vec<JournalEntry>,
}

#[derive(Default)]
struct Row {
    record: Arc<[u8]>,
    revision: Revision,
    settled: u64,
    due_at: Option<DateTime<Utc>>,
    lease: Option<(Token, DateTime<Utc>)>,
    claims: u32,
    quarantined: bool,
}

impl OwnStore {
    fn lock(&self) -> MutexGuard<'_, HashMap<WorkspaceId, Tables>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Row {
    fn holder(&self, now: DateTime<Utc>) -> Option<Token> {
        self.lease.filter(|(_, end)| now < *end).map(|(token, _)| token)
    }

    /// When it can be claimed: 12.
    fn ready_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let lease_end = self.lease.map(|(_, end)| end).filter(|end| now < *end);
        self.due_at.filter(|_| !self.quarantined).map(|due| lease_end.map_or(due, |end| due.max(end)))
    }

    fn stored(&self, contact: &ContactId, token: Token, now: DateTime<Utc>) -> StoredConversation {
        let record = Record::from_bytes(Arc::clone(&self.record));
        let leased = self.holder(now) == Some(token);
        let &Self { revision, settled, quarantined, .. } = self;
        StoredConversation { contact: contact.clone(), revision, record, settled, leased, quarantined }
    }
}

impl ConversationStore for OwnStore {
    async fn load(&self, lookup: &Lookup) -> Result<Loaded, StoreError> {
        let all = self.lock();
        let Some(tables) = all.get(&lookup.workspace) else { return Ok(Loaded::default()) };
        let contact = match &lookup.subject {
            Subject::Contact(contact) => Some(contact),
            Subject::Alias(alias) => tables.aliases.get(alias),
        };
        let row = contact.and_then(|contact| Some((contact, tables.rows.get(contact)?)));
        let conversation = row.map(|(contact, row)| row.stored(contact, lookup.token, lookup.now));
        let key = lookup.key.as_ref().and_then(|name| tables.keys.get(name));
        let key = key.filter(|key| lookup.now < key.expires_at).cloned(); // 3
        Ok(Loaded { conversation, key, catalogue: None })
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        let Commit { contact, lease, now, .. } = commit;
        let record = commit.record.to_bytes()?;
        let mut all = self.lock();
        let tables = all.entry(commit.workspace).or_default();
        let row = tables.rows.get(&contact);
        let key = commit.key.as_ref().and_then(|(name, _)| tables.keys.get(name));
        let elsewhere = |alias: &&Alias| tables.aliases.get(*alias).is_some_and(|holder| *holder != contact);
        let taken = commit.add_aliases.iter().find(elsewhere);
        match (lease, taken) {
            _ if row.map(|row| row.revision) != commit.expect => return Ok(Committed::Conflict), // 5
            (Lease::Hold(token) | Lease::Free(token), _)
                if row.and_then(|row| row.holder(now)) != Some(token) =>
            {
                return Ok(Committed::LeaseLost); // 11
            }
            _ if key.is_some_and(|key| now < key.expires_at) => return Ok(Committed::KeyTaken), // 6
            (_, Some(alias)) => {
                let (alias, holder) = (alias.clone(), tables.aliases[alias].clone());
                return Ok(Committed::AliasTaken { alias, holder }); // 7
            }
            _ => {}
        }
        let row = tables.rows.entry(contact.clone()).or_default();
        row.revision += 1; // no row is ever removed, so no revision comes twice: 5
        (row.record, row.due_at, row.quarantined) = (record, commit.due_at, false); // 8
        let leased = match lease {
            Lease::Take(token, time) if row.holder(now).is_none_or(|holder| holder == token) => {
                row.lease = Some((token, now + time));
                true
            }
            Lease::Take(..) | Lease::Leave => false,
            Lease::Hold(_) => true,
            Lease::Free(_) => {
                row.lease = None;
                false
            }
        };
        if matches!(lease, Lease::Hold(_) | Lease::Free(_)) {
            row.claims = 0; // 12
        }
        let (revision, settled) = (row.revision, row.settled);
        tables.keys.extend(commit.key);
        for alias in &commit.drop_aliases {
            if tables.aliases.get(alias) == Some(&contact) {
                tables.aliases.remove(alias);
            }
        }
        tables.aliases.extend(commit.add_aliases.into_iter().map(|alias| (alias, contact.clone())));
        tables.ended.extend(commit.ended);
        tables.journal.extend(commit.journal);
        Ok(Committed::Applied { revision, leased, settled })
    }

    async fn settle(&self, settle: &Settle) -> Result<Settled, StoreError> {
        let mut all = self.lock();
        let row = all.get_mut(&settle.workspace).and_then(|tables| tables.rows.get_mut(&settle.contact));
        let Some(row) = row.filter(|row| row.holder(settle.now) == Some(settle.token)) else {
            return Ok(Settled::LeaseLost); // 14
        };
        row.claims = 0;
        row.settled = row.settled.max(settle.settled); // 13
        if row.revision != settle.revision {
            return Ok(Settled::Conflict { settled: row.settled }); // 15
        }
        row.quarantined |= settle.quarantine; // 17
        (row.lease, row.due_at) = (None, settle.due_at);
        Ok(Settled::Done)
    }

    async fn lease_due(&self, due: &Due) -> Result<Leased, StoreError> {
        let mut all = self.lock();
        let rows = all.iter_mut().flat_map(|(of, tables)| tables.rows.iter_mut().map(move |row| (of, row)));
        let mut rows: Vec<_> = rows
            .filter_map(|(of, (contact, row))| Some((row.ready_at(due.now)?, of, contact, row)))
            .collect();
        rows.sort_by_key(|(at, ..)| *at);
        let later = rows.split_off(rows.partition_point(|(at, ..)| *at <= due.now).min(due.limit));
        let claim = |(_, of, contact, row): (_, &WorkspaceId, &ContactId, &mut Row)| {
            row.lease = Some((due.token, due.now + due.lease));
            row.claims += 1;
            let stored = row.stored(contact, due.token, due.now);
            LeasedConversation { workspace: of.clone(), stored, claims: row.claims }
        };
        let next_due = later.first().map(|(at, ..)| *at);
        Ok(Leased { conversations: rows.into_iter().map(claim).collect(), next_due })
    }

    async fn live(&self, live: &Live) -> Result<u64, StoreError> {
        let is_meant = |session: &&Session| {
            *session.flow() == live.flow && live.version.is_none_or(|of| of == session.version())
        };
        let mut count = 0;
        for row in self.lock().entry(live.workspace.clone()).or_default().rows.values_mut() {
            let Ok(conversation) = Record::from_bytes(Arc::clone(&row.record)).conversation() else {
                continue;
            };
            let here = conversation.sessions().iter().filter(is_meant).count();
            if here > 0 {
                row.due_at = row.due_at.into_iter().chain(live.wake_at).min();
            }
            count += here as u64;
        }
        Ok(count)
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        let mut purged = Purged::default();
        for tables in self.lock().values_mut() {
            let old = |key: &KeyRecord| key.expires_at <= purge.now;
            let gone = tables.keys.extract_if(|_, key| old(key)).take(purge.limit - purged.keys);
            purged.keys += gone.count();
            purged.more |= tables.keys.values().any(old);
            let old = |ended: &SessionRecord| ended.session().ended_at() < Some(purge.ended_before);
            for ended in tables.ended.extract_if(.., |ended| old(ended)).take(purge.limit - purged.sessions) {
                tables.aliases.remove(&Alias::Session(ended.session().id()));
                purged.sessions += 1;
            }
            purged.more |= tables.ended.iter().any(old);
            let old = |entry: &JournalEntry| entry.at < purge.journal_before;
            let gone = tables.journal.extract_if(.., |entry| old(entry)).take(purge.limit - purged.journal);
            purged.journal += gone.count();
            purged.more |= tables.journal.iter().any(old);
        }
        Ok(purged)
    }
}

const FLOW: &str = r#"{"spec": 1, "code": "hello", "trigger": {"kind": "manual"},
    "nodes": [{"id": "start", "kind": "start"}, {"id": "hi", "kind": "send_message", "text": "Who are you?"},
              {"id": "wait", "kind": "wait_reply"},
              {"id": "bye", "kind": "send_message", "text": "Hello, {{reply.text}}!"}],
    "edges": [{"from": "start", "to": "hi"}, {"from": "hi", "to": "wait"}, {"from": "wait", "to": "bye"}]}"#;

fn main() -> Result<(), chatflow::Error> {
    let bot = Engine::builder(OwnStore::default())
        .transport(send_fn(async |message| {
            println!("< {}", message.text());
            Ok(Receipt::new())
        }))
        .build();
    pollster::block_on(async {
        bot.flows().ensure(FLOW).await?;
        let _ = bot.trigger(TriggerRequest::new("hello").address(Channel::Web, "shop", "visitor")).await?;
        println!("> Ada");
        let _ = bot.receive(Inbound::text(Channel::Web, "shop", "visitor", "Ada")).await?;
        Ok(())
    })
}
