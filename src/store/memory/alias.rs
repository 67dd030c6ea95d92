//! Where aliases lead: tables of their own, sharded by alias, since an alias may belong to any
//! conversation.

use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::address::{Address, Alias, NamedAddress, Phone};
use crate::id::SessionId;
use crate::store::memory::lock;

/// All aliases of a store.
pub(super) struct Aliases {
    parts: Box<[AliasShard]>,
    hasher: RandomState,
}

#[derive(Default)]
#[repr(align(128))]
struct AliasShard {
    tables: Mutex<Tables>,
    /// Number of aliases ever dropped here. An alias that leads somewhere leads there until it is
    /// dropped.
    drops: AtomicU64,
}

/// One table for each kind: most aliases are a session's or a telephone number, and those need no
/// pointer.
#[derive(Default)]
struct Tables {
    phones: Table<Phone>,
    sessions: Table<SessionId>,
    named: Table<Arc<NamedAddress>>,
}

/// Where an alias led when it was looked up.
pub(super) struct AliasLookup<'a> {
    pub(super) place: u32,
    part: &'a AliasShard,
    drops: u64,
}

impl AliasLookup<'_> {
    /// True if it surely still leads there. To be asked under the lock of the conversation's shard,
    /// without which nothing is dropped that leads into it.
    pub(super) fn is_warm(&self) -> bool {
        self.part.drops.load(Ordering::Acquire) == self.drops
    }
}

impl Aliases {
    /// `parts` is a power of two.
    pub(super) fn new(parts: usize) -> Self {
        Self { parts: (0..parts).map(|_| AliasShard::default()).collect(), hasher: RandomState::default() }
    }

    /// Where an alias leads now.
    pub(super) fn follow(&self, workspace: u32, alias: &Alias) -> Option<AliasLookup<'_>> {
        let hash = self.hash(workspace, alias);
        let part = &self.parts[self.part_of(hash)];
        let tables = lock(&part.tables);
        let place = tables.find(hash, workspace, alias)?;
        Some(AliasLookup { place, part, drops: part.drops.load(Ordering::Acquire) })
    }

    /// Locks the parts of all these aliases, in ascending order.
    pub(super) fn hold(&self, workspace: u32, some: &[Alias], others: &[Alias]) -> Held<'_> {
        let mut few = [usize::MAX; FEW];
        if some.len() + others.len() > FEW {
            let all = self.parts.iter().map(|part| lock(&part.tables)).collect();
            return Held { aliases: self, few: [const { None }; FEW], all };
        }
        for (wanted, alias) in few.iter_mut().zip(some.iter().chain(others)) {
            *wanted = self.part_of(self.hash(workspace, alias));
        }
        few.sort_unstable();
        let mut last = usize::MAX;
        let few = few.map(|number| {
            let is_new = number != last;
            last = number;
            (is_new && number != usize::MAX).then(|| (number, lock(&self.parts[number].tables)))
        });
        Held { aliases: self, few, all: Vec::new() }
    }

    /// Drops every alias that leads to a place. To be called under the lock of its shard.
    pub(super) fn drop_all(&self, workspace: u32, place: u32) {
        for part in &self.parts {
            let mut tables = lock(&part.tables);
            let dropped = tables.drop_all(workspace, place);
            part.drops.fetch_add(dropped, Ordering::Release);
        }
    }

    fn hash(&self, workspace: u32, alias: &Alias) -> u64 {
        match alias {
            Alias::Address(Address::Phone(phone)) => self.hasher.hash_one((workspace, phone)),
            Alias::Address(Address::Named(named)) => self.hasher.hash_one((workspace, named)),
            Alias::Session(session) => self.hasher.hash_one((workspace, session)),
        }
    }

    fn part_of(&self, hash: u64) -> usize {
        (hash >> 32) as usize & (self.parts.len() - 1)
    }
}

/// So many aliases of one commit are locked without an allocation.
const FEW: usize = 4;

/// Aliases that nobody else changes for now.
pub(super) struct Held<'a> {
    aliases: &'a Aliases,
    few: [Option<(usize, MutexGuard<'a, Tables>)>; FEW],
    /// All parts, when there are more than a few aliases.
    all: Vec<MutexGuard<'a, Tables>>,
}

impl Held<'_> {
    pub(super) fn find(&mut self, workspace: u32, alias: &Alias) -> Option<u32> {
        let (_, hash, tables) = self.tables(workspace, alias)?;
        tables.find(hash, workspace, alias)
    }

    /// Drops and adds aliases of the conversation at a place.
    pub(super) fn change(&mut self, workspace: u32, place: u32, added: &[Alias], dropped: &[Alias]) {
        for alias in dropped {
            self.drop(workspace, alias, place);
        }
        for alias in added {
            self.add(workspace, alias, place);
        }
    }

    /// Lets an alias lead to a place, if it leads nowhere.
    fn add(&mut self, workspace: u32, alias: &Alias, place: u32) {
        let hasher = &self.aliases.hasher;
        let Some((_, hash, tables)) = self.tables(workspace, alias) else { return };
        if tables.find(hash, workspace, alias).is_none() {
            tables.insert(hash, workspace, alias, place, hasher);
        }
    }

    /// Drops an alias if it leads to this place.
    pub(super) fn drop(&mut self, workspace: u32, alias: &Alias, place: u32) {
        let Some((part, hash, tables)) = self.tables(workspace, alias) else { return };
        if tables.find(hash, workspace, alias) == Some(place) {
            tables.remove(hash, workspace, alias);
            self.aliases.parts[part].drops.fetch_add(1, Ordering::Release);
        }
    }

    fn tables(&mut self, workspace: u32, alias: &Alias) -> Option<(usize, u64, &mut Tables)> {
        let hash = self.aliases.hash(workspace, alias);
        let part = self.aliases.part_of(hash);
        let few = self
            .few
            .iter_mut()
            .flatten()
            .find(|(number, _)| *number == part)
            .map(|(_, tables)| &mut **tables);
        let tables = few.or_else(|| self.all.get_mut(part).map(|tables| &mut **tables))?;
        Some((part, hash, tables))
    }
}

impl Tables {
    fn find(&self, hash: u64, workspace: u32, alias: &Alias) -> Option<u32> {
        match alias {
            Alias::Address(Address::Phone(phone)) => self.phones.find(hash, workspace, phone),
            Alias::Address(Address::Named(named)) => self.named.find(hash, workspace, named),
            Alias::Session(session) => self.sessions.find(hash, workspace, session),
        }
    }

    fn insert(&mut self, hash: u64, workspace: u32, alias: &Alias, place: u32, hasher: &RandomState) {
        match alias {
            Alias::Address(Address::Phone(phone)) => {
                self.phones.insert(hash, AliasTarget { name: *phone, workspace, place }, hasher);
            }
            Alias::Address(Address::Named(named)) => {
                self.named.insert(hash, AliasTarget { name: Arc::clone(named), workspace, place }, hasher);
            }
            Alias::Session(session) => {
                self.sessions.insert(hash, AliasTarget { name: *session, workspace, place }, hasher);
            }
        }
    }

    /// Answers how many there were.
    fn drop_all(&mut self, workspace: u32, place: u32) -> u64 {
        self.phones.drop_all(workspace, place)
            + self.sessions.drop_all(workspace, place)
            + self.named.drop_all(workspace, place)
    }

    fn remove(&mut self, hash: u64, workspace: u32, alias: &Alias) {
        match alias {
            Alias::Address(Address::Phone(phone)) => self.phones.remove(hash, workspace, phone),
            Alias::Address(Address::Named(named)) => self.named.remove(hash, workspace, named),
            Alias::Session(session) => self.sessions.remove(hash, workspace, session),
        }
    }
}

/// Aliases of one kind.
struct Table<N>(HashTable<AliasTarget<N>>);

/// An alias, and the place of the conversation it leads to.
struct AliasTarget<N> {
    name: N,
    workspace: u32,
    place: u32,
}

const _: () = assert!(size_of::<AliasTarget<Phone>>() == 16 && size_of::<AliasTarget<SessionId>>() == 24);

impl<N> Default for Table<N> {
    fn default() -> Self {
        Self(HashTable::new())
    }
}

impl<N: Eq + Hash> Table<N> {
    fn find(&self, hash: u64, workspace: u32, name: &N) -> Option<u32> {
        self.0.find(hash, |lead| lead.is(workspace, name)).map(|lead| lead.place)
    }

    fn insert(&mut self, hash: u64, lead: AliasTarget<N>, hasher: &RandomState) {
        self.0.insert_unique(hash, lead, |lead| hasher.hash_one((lead.workspace, &lead.name)));
    }

    fn drop_all(&mut self, workspace: u32, place: u32) -> u64 {
        let before = self.0.len();
        self.0.retain(|lead| lead.workspace != workspace || lead.place != place);
        (before - self.0.len()) as u64
    }

    fn remove(&mut self, hash: u64, workspace: u32, name: &N) {
        if let Ok(found) = self.0.find_entry(hash, |lead| lead.is(workspace, name)) {
            found.remove();
        }
    }
}

impl<N: Eq> AliasTarget<N> {
    fn is(&self, workspace: u32, name: &N) -> bool {
        self.workspace == workspace && self.name == *name
    }
}
