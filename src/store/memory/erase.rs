//! Forgetting a contact: what lies in its shard, then what leads there. Everything of aliases and
//! keys is looked at, since neither has an index by contact: rare enough, but for strangers, whose
//! aliases are known.

use crate::address::{Address, Alias};
use crate::id::ContactId;
use crate::store::memory::MemoryStore;
use crate::store::memory::shard::{At, Shard};
use crate::store::memory::slot::Slot;
use crate::store::{Erase, Removed};

/// No workspace has this number: nothing finds a slot that has it.
const VACANT: u32 = u32::MAX;

impl MemoryStore {
    pub(super) fn erase_now(&self, erase: &Erase) -> Option<Removed> {
        let workspace = self.workspaces.find(&erase.workspace)?;
        let hash = self.shards.hash(workspace, &erase.contact);
        let mut at = self.shards.at_hash(hash);
        let id = at.find(hash, workspace, &erase.contact)?;
        if at.slot(id).revision != erase.expect {
            return None;
        }
        let place = at.place(id as usize)?;
        if erase.keeps_history {
            self.drop_aliases(&at, (hash, workspace), id, place);
            at.leave(hash, id);
            return Some(Removed::default());
        }
        let keys = self.keys.erase(place, &erase.contact, erase.now);
        self.aliases.drop_all(workspace, place);
        let sessions = at.archive.erase(workspace, &erase.contact);
        let journal = at.journal.erase(workspace, &erase.contact);
        at.vacate(hash, id);
        Some(Removed { sessions, journal, keys })
    }
}

impl MemoryStore {
    /// Drops the aliases that lead to a slot: the record and the archive say which, so that only
    /// those are looked at.
    fn drop_aliases(&self, at: &At<'_>, (hash, workspace): (u64, u32), id: u32, place: u32) {
        let slot = at.slot(id);
        let Some(Ok(conversation)) = slot.record.as_ref().map(|record| record.conversation()) else {
            return self.aliases.drop_all(workspace, place);
        };
        let ended = at.archive.of_contact(hash, workspace, &slot.contact);
        let sessions = conversation.sessions().iter().map(crate::session::Session::id).chain(ended);
        let addresses = conversation.contact().addresses.iter().flat_map(Address::aliases);
        for alias in sessions.map(Alias::Session).chain(addresses) {
            self.aliases.hold(workspace, &[], std::slice::from_ref(&alias)).drop(workspace, &alias, place);
        }
    }
}

impl Shard {
    /// Empties a slot of all but whose it was: keys that name its place say so.
    pub(super) fn leave(&mut self, hash: u64, id: u32) {
        self.unfind(hash, id);
        let slot = self.slot_mut(id);
        *slot = Slot::new(VACANT, slot.contact.clone());
    }

    /// Empties a slot for good: its number leads nowhere any more. A caller that still has it finds
    /// nobody.
    fn vacate(&mut self, hash: u64, id: u32) {
        self.unfind(hash, id);
        *self.slot_mut(id) = Slot::new(VACANT, ContactId::from(uuid::Uuid::nil()));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::{DateTime, TimeDelta, Utc};
    use pollster::block_on;

    use super::*;
    use crate::address::{Address, Phone};
    use crate::id::{FlowId, FlowVersion, SessionId, TriggerKey, WorkspaceId};
    use crate::session::Conversation;
    use crate::store::{Commit, Committed, ConversationStore, Due, KeyName, KeyRecord, Purge, Record, Token};

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn contact(number: u32) -> ContactId {
        ContactId::new(format!("c{number}")).unwrap()
    }

    fn alias(number: u32) -> Alias {
        Alias::Address(Address::Phone(Phone::parse(&format!("+1415{number:07}")).unwrap()))
    }

    fn key(number: u32) -> KeyName {
        KeyName { flow: FlowId::new("f").unwrap(), key: TriggerKey::new(format!("k{number}")).unwrap() }
    }

    /// A stranger comes, is due, may have a key for a day, and goes.
    fn comes_and_goes(store: &MemoryStore, number: u32, with_key: bool) {
        let mut conversation = Conversation::new(contact(number), NOW);
        let Alias::Address(address) = alias(number) else { return };
        conversation.contact.addresses.push(address);
        let record = KeyRecord {
            session: SessionId(uuid::Uuid::from_u128(number.into())),
            version: FlowVersion(1),
            contact: contact(number),
            started: true,
            ..KeyRecord::erased(NOW + TimeDelta::days(1))
        };
        let commit = Commit {
            add_aliases: vec![alias(number)],
            due_at: Some(NOW + TimeDelta::seconds(1)),
            key: with_key.then(|| (key(number), KeyRecord { erased: false, ..record })),
            ..Commit::new(
                WorkspaceId::default(),
                contact(number),
                None,
                Record::new(conversation.into()),
                NOW,
            )
        };
        let Ok(Committed::Applied { revision, .. }) = block_on(store.commit(commit)) else {
            panic!("it is new")
        };
        let erase = Erase {
            workspace: WorkspaceId::default(),
            contact: contact(number),
            expect: revision,
            keeps_history: true,
            now: NOW,
        };
        assert!(block_on(store.erase(&erase)).unwrap().is_some());
    }

    fn purge(store: &MemoryStore, now: DateTime<Utc>) {
        let purge = Purge { now, ended_before: now, journal_before: now, counts_before: now, limit: 10_000 };
        let _ = block_on(store.purge(&purge)).unwrap();
    }

    fn slots(store: &MemoryStore) -> usize {
        store.shards.each().map(|at| at.slots.len()).sum()
    }

    #[test]
    fn strangers_who_come_and_go_take_no_room() {
        let store = MemoryStore::new();
        for number in 0..20_000 {
            comes_and_goes(&store, number, false);
            if number % 1_000 == 0 {
                purge(&store, NOW);
            }
        }
        assert!(slots(&store) < 100 * store.shards.len() + 1_500, "{} slots", slots(&store));
        assert!((0..20_000).all(|number| store.aliases.follow(0, &alias(number)).is_none()));
        let due = Due {
            now: NOW + TimeDelta::days(1),
            token: Token(uuid::Uuid::nil()),
            lease: Duration::ZERO,
            limit: 9,
            suspects: false,
        };
        assert!(block_on(store.lease_due(&due)).unwrap().conversations.is_empty());
    }

    #[test]
    fn a_place_that_a_key_names_is_not_used_again() {
        let store = MemoryStore::new();
        for number in 0..10_000 {
            comes_and_goes(&store, number, number % 10 == 0);
            if number % 500 == 0 {
                purge(&store, NOW);
            }
        }
        for number in (0..10_000).step_by(10) {
            let found =
                store.keys.hold(store.keys.hash(0, &key(number))).find(store.keys.hash(0, &key(number)), NOW);
            let record = found.unwrap().into_record(|place| store.contact_at(place));
            assert_eq!(record.contact, contact(number));
        }
        purge(&store, NOW + TimeDelta::days(2));
        let before = slots(&store);
        for number in 10_000..10_500 {
            comes_and_goes(&store, number, false);
        }
        assert_eq!(slots(&store), before, "once the keys have expired");
    }
}
