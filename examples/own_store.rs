//! A host's own storage, here maps under one lock, and a conversation on it. `Row` knows the rules
//! for one conversation; the store finds rows, and keeps keys and aliases. On a database each
//! method is one transaction, and a row one value (`Row::to_bytes`).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chatflow::address::Alias;
use chatflow::store::*;
use chatflow::{Channel, ContactId, Engine, Inbound, Receipt, StoreError, WorkspaceId, send_fn};

#[derive(Default)]
pub(crate) struct OwnStore(Mutex<HashMap<WorkspaceId, Tables>>);

#[derive(Default)]
struct Tables {
    rows: HashMap<ContactId, Row>,
    floor: Revision, // of rows that were removed
    keys: HashMap<KeyName, KeyRecord>,
    aliases: HashMap<Alias, ContactId>,
    ended: Vec<SessionRecord>,
}

impl Tables {
    /// A key under its name, or under what erasing its contact left of that (rule 23).
    fn key(&self, name: &KeyName) -> Option<&KeyRecord> {
        self.keys.get(name).or_else(|| self.keys.get(&name.hashed()))
    }
}

impl OwnStore {
    fn lock(&self) -> MutexGuard<'_, HashMap<WorkspaceId, Tables>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        let conversation = contact.and_then(|contact| tables.rows.get(contact)?.load(contact, lookup));
        let key = lookup.key.as_ref().and_then(|name| tables.key(name));
        let key = key.filter(|key| lookup.now < key.expires_at).cloned(); // rule 3
        Ok(Loaded { conversation, key, catalogue: None })
    }

    async fn commit(&self, mut commit: Commit) -> Result<Committed, StoreError> {
        commit.record = Record::from_bytes(commit.record.to_bytes()?); // as it is kept
        let (mut all, contact) = (self.lock(), &commit.contact);
        let tables = all.entry(commit.workspace.clone()).or_default();
        let key = commit.key.as_ref().and_then(|(name, _)| tables.key(name)).cloned();
        let Tables { rows, floor, keys, aliases, ended } = tables;
        let row = rows.entry(contact.clone()).or_insert_with(|| Row::above(*floor));
        let committed = row.commit(&commit, key.as_ref(), |alias| aliases.get(alias).cloned());
        if !matches!(committed, Committed::Applied { .. }) {
            if row.erased {
                rows.remove(contact); // it was not there before
            }
            return Ok(committed);
        }
        keys.extend(commit.key);
        for alias in &commit.drop_aliases {
            if aliases.get(alias) == Some(contact) {
                aliases.remove(alias);
            }
        }
        aliases.extend(commit.add_aliases.into_iter().map(|alias| (alias, contact.clone())));
        ended.extend(commit.ended); // for `purge`; the journal is not kept
        Ok(committed)
    }

    async fn settle(&self, settle: &Settle) -> Result<Settled, StoreError> {
        let mut all = self.lock();
        let row = all.get_mut(&settle.workspace).and_then(|tables| tables.rows.get_mut(&settle.contact));
        Ok(row.map_or(Settled::LeaseLost, |row| row.settle(settle)))
    }

    /// Looks at every row; a larger store asks an index of what `Row::ready_at` said when a row was
    /// written.
    async fn lease_due(&self, due: &Due) -> Result<Leased, StoreError> {
        let mut all = self.lock();
        let rows = all.iter_mut().flat_map(|(of, tables)| tables.rows.iter_mut().map(move |row| (of, row)));
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by_key(|(_, (_, row))| row.ready_at(due.now));
        let claimed = rows.iter_mut().filter_map(|(of, (contact, row))| row.claim(of, contact, due));
        let conversations = claimed.take(due.limit).collect();
        let next_due = rows.iter().filter_map(|(_, (_, row))| row.ready_at(due.now)).min();
        Ok(Leased { conversations, next_due, store_time: None })
    }

    async fn live(&self, live: &Live) -> Result<u64, StoreError> {
        let mut all = self.lock();
        let Some(tables) = all.get_mut(&live.workspace) else { return Ok(0) };
        Ok(tables.rows.values_mut().map(|row| row.live(live)).sum())
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        let mut purged = Purged::default();
        for Tables { keys, aliases, ended, .. } in self.lock().values_mut() {
            let is_old = |key: &KeyRecord| key.expires_at <= purge.now;
            purged.keys += keys.extract_if(|_, key| is_old(key)).take(purge.limit - purged.keys).count();
            let is_past = |ended: &SessionRecord| ended.session().ended_at() < Some(purge.ended_before);
            for past in ended.extract_if(.., |ended| is_past(ended)).take(purge.limit - purged.sessions) {
                aliases.remove(&Alias::Session(past.session().id()));
                purged.sessions += 1;
            }
            purged.more |= keys.values().any(is_old) || ended.iter().any(is_past);
        }
        Ok(purged)
    }

    async fn erase(&self, erase: &Erase) -> Result<Option<Removed>, StoreError> {
        let (mut all, contact) = (self.lock(), &erase.contact);
        let Some(Tables { rows, floor, keys, aliases, ended }) = all.get_mut(&erase.workspace) else {
            return Ok(None);
        };
        if !rows.get_mut(contact).is_some_and(|row| row.erase(erase)) {
            return Ok(None);
        }
        *floor = rows.remove(contact).map_or(*floor, |row| row.revision.max(*floor)); // rule 5
        aliases.retain(|_, holder| holder != contact);
        if erase.keeps_history {
            return Ok(Some(Removed::default()));
        }
        let sessions = ended.extract_if(.., |ended| ended.contact() == contact).count();
        let theirs: Vec<_> = keys.extract_if(|_, key| !key.erased && key.contact == *contact).collect();
        let left = theirs.iter().map(|(name, key)| (name.hashed(), KeyRecord::erased(key.expires_at)));
        keys.extend(left);
        let keys = theirs.iter().filter(|(_, key)| erase.now < key.expires_at).count();
        Ok(Some(Removed { sessions, journal: 0, keys }))
    }
}

fn main() -> Result<(), chatflow::Error> {
    let print = send_fn(async |message| {
        println!("< {}", message.text());
        Ok(Receipt::new())
    });
    let bot =
        Engine::builder(OwnStore::default()).flow_store(MemoryFlows::default()).transport(print).build();
    pollster::block_on(async {
        bot.flows().ensure(include_str!("flows/nps_survey.json")).await?;
        let _ = bot.trigger(chatflow::TriggerRequest::new("nps-survey").phone("+14155550123")).await?;
        for text in ["9", "The shoes!"] {
            println!("> {text}");
            let _ = bot.receive(Inbound::text(Channel::Sms, "+15550100", "+14155550123", text)).await?;
        }
        Ok(())
    })
}
