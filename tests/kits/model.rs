//! Random calls on a store and on a model of it: one plain map, the contract word by word. Both
//! answer the same.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chatflow::ContactId;
use chatflow::address::Alias;
use chatflow::store::{
    Commit, Committed, ConversationQuery, ConversationStore, Due, KeyRecord, Lease, Lookup, Purge, Purged,
    Revision, Settle, Settled, retry_pause,
};
use chrono::{DateTime, TimeDelta, Utc};
use pollster::block_on;
use proptest::prelude::*;

use crate::store_kit::{self, *};

/// One call, in small numbers so that calls meet.
#[derive(Clone, Debug)]
pub enum Op {
    Load { subject: Who, key: Option<u8>, token: u8 },
    Commit(Change, Way),
    Settle { contact: u8, token: u8, stale: bool, settled: u8, due_in: Option<i16>, quarantine: bool },
    Claim { token: u8, limit: u8, suspects: bool },
    Purge { limit: u8 },
    Pass(u16),
}

/// The findings of a decision: revision, text, watermark, set aside.
type Seen = (Revision, String, u64, bool);

#[derive(Clone, Debug)]
pub enum Who {
    Contact(u8),
    Alias(u8),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Way {
    Commit,
    Update,
    ByAlias(u8),
}

#[derive(Clone, Debug)]
pub struct Change {
    contact: u8,
    stale: bool,
    due_in: Option<i16>,
    lease: (u8, u8),
    key: Option<(u8, u8)>,
    add: Vec<u8>,
    drop: Vec<u8>,
    ended: Option<u8>,
    dead_letters: u8,
}

pub fn ops() -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(op(), 1..60)
}

fn op() -> impl Strategy<Value = Op> {
    let due_in = || prop::option::of(-3_000_i16..8_000);
    let who = prop_oneof![(0..4_u8).prop_map(Who::Contact), (0..6_u8).prop_map(Who::Alias)];
    let key = || prop::option::weighted(0.3, 0..3_u8);
    let way = prop_oneof![Just(Way::Commit), Just(Way::Update), (0..6_u8).prop_map(Way::ByAlias)];
    let aliases = || prop::collection::vec(0..6_u8, 0..3);
    let change = (
        (0..4_u8, prop::bool::weighted(0.1), due_in(), (0..4_u8, 0..3_u8)),
        (prop::option::weighted(0.3, (0..3_u8, 0..6_u8)), aliases(), aliases()),
        (prop::option::weighted(0.3, 0..8_u8), 0..2_u8),
    )
        .prop_map(|((contact, stale, due_in, lease), (key, add, drop), (ended, dead_letters))| Change {
            contact,
            stale,
            due_in,
            lease,
            key,
            add,
            drop,
            ended,
            dead_letters,
        });
    prop_oneof![
        2 => (who, key(), 0..3_u8).prop_map(|(subject, key, token)| Op::Load { subject, key, token }),
        6 => (change, way).prop_map(|(change, way)| Op::Commit(change, way)),
        3 => (0..4_u8, 0..3_u8, prop::bool::weighted(0.2), 0..9_u8, due_in(), prop::bool::weighted(0.1))
            .prop_map(|(contact, token, stale, settled, due_in, quarantine)| {
                Op::Settle { contact, token, stale, settled, due_in, quarantine }
            }),
        3 => (0..3_u8, 0..4_u8, any::<bool>())
            .prop_map(|(token, limit, suspects)| Op::Claim { token, limit, suspects }),
        1 => (0..3_u8).prop_map(|limit| Op::Purge { limit }),
        3 => (0..6_000_u16).prop_map(Op::Pass),
    ]
}

const LEASE_TIME: TimeDelta = TimeDelta::seconds(4);

#[derive(Default)]
struct Model {
    conversations: BTreeMap<ContactId, Conversation>,
    aliases: BTreeMap<Alias, ContactId>,
    keys: BTreeMap<u8, KeyRecord>,
    ended: BTreeMap<u128, (ContactId, DateTime<Utc>)>,
}

/// A conversation of the model.
#[derive(Clone, Default)]
struct Conversation {
    revision: Revision,
    text: String,
    settled: u64,
    due_at: Option<DateTime<Utc>>,
    lease: Option<(u8, DateTime<Utc>)>,
    claims: u32,
    quarantined: bool,
    dead_letters: u32,
}

impl Conversation {
    /// Since when it could be claimed, but for a live lease: one that ended unsettled is followed
    /// by a pause.
    fn ready_at(&self) -> Option<DateTime<Utc>> {
        let rested =
            self.lease.filter(|_| self.claims > 0).map(|(_, until)| until + retry_pause(self.claims));
        Some(self.due_at?.max(rested.unwrap_or(DateTime::<Utc>::MIN_UTC)))
    }

    fn is_leased(&self, now: DateTime<Utc>) -> bool {
        self.lease.is_some_and(|(_, until)| until > now)
    }

    fn is_held_by(&self, by: u8, now: DateTime<Utc>) -> bool {
        self.is_leased(now) && self.lease.is_some_and(|(holder, _)| holder == by)
    }
}

impl Model {
    fn commit(&mut self, change: &Change, commit: &Commit) -> Committed {
        let now = commit.now;
        let old = self.conversations.get(&commit.contact);
        if old.map(|old| old.revision) != commit.expect {
            return Committed::Conflict;
        }
        let (by, how) = change.lease;
        let holds = old.is_some_and(|old| old.is_held_by(by, now));
        if matches!(commit.lease, Lease::Hold(_) | Lease::Free(_)) && !holds {
            return Committed::LeaseLost;
        }
        if change.key.is_some_and(|(key, _)| self.keys.get(&key).is_some_and(|known| now < known.expires_at))
        {
            return Committed::KeyTaken;
        }
        for alias in &commit.add_aliases {
            if let Some(holder) = self.aliases.get(alias).filter(|holder| **holder != commit.contact) {
                return Committed::AliasTaken { alias: alias.clone(), holder: holder.clone() };
            }
        }
        if let (Some((key, _)), Some((_, record))) = (change.key, &commit.key) {
            self.keys.insert(key, record.clone());
        }
        for alias in &commit.drop_aliases {
            if self.aliases.get(alias) == Some(&commit.contact) {
                self.aliases.remove(alias);
            }
        }
        for alias in &commit.add_aliases {
            self.aliases.insert(alias.clone(), commit.contact.clone());
        }
        for record in &commit.ended {
            let ended_at = record.session().ended_at().unwrap();
            self.ended.insert(record.session().id().0.as_u128(), (commit.contact.clone(), ended_at));
        }
        let new = self.conversations.entry(commit.contact.clone()).or_default();
        new.text = text_of(&commit.record);
        new.due_at = commit.due_at;
        new.quarantined = false;
        new.dead_letters = commit.dead_letters;
        match how {
            1 if holds || !new.is_leased(now) => new.lease = Some((by, now + LEASE_TIME)),
            2 => new.claims = 0,
            3 => (new.claims, new.lease) = (0, None),
            _ => {}
        }
        let leased = how != 0 && new.is_held_by(by, now);
        Committed::Applied { revision: 0, leased, settled: new.settled }
    }

    fn settle(&mut self, settle: &Settle, by: u8) -> Settled {
        let Some(one) =
            self.conversations.get_mut(&settle.contact).filter(|one| one.is_held_by(by, settle.now))
        else {
            return Settled::LeaseLost;
        };
        one.claims = 0;
        one.settled = one.settled.max(settle.settled);
        if one.revision != settle.revision {
            return Settled::Conflict { settled: one.settled };
        }
        one.lease = None;
        one.due_at = settle.due_at;
        one.quarantined |= settle.quarantine;
        Settled::Done
    }

    /// Since when each that could be claimed could be, the oldest first.
    fn due(&self, now: DateTime<Utc>, suspects: bool) -> Vec<(DateTime<Utc>, ContactId)> {
        let is_free = |one: &Conversation| !one.quarantined && !one.is_leased(now);
        let is_asked_for = |one: &Conversation| (one.claims > 0) == suspects;
        let due = self.conversations.iter().filter(|(_, one)| is_free(one) && is_asked_for(one));
        let mut due: Vec<_> = due.filter_map(|(name, one)| Some((one.ready_at()?, name.clone()))).collect();
        due.retain(|(due_at, _)| *due_at <= now);
        due.sort();
        due
    }

    /// When something can be claimed that cannot be now, or can.
    fn next(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let next = |one: &Conversation| {
            let free_at = one.lease.map(|(_, until)| until).filter(|until| *until > now);
            Some(one.ready_at()?.max(free_at.unwrap_or(DateTime::<Utc>::MIN_UTC)))
        };
        self.conversations.values().filter(|one| !one.quarantined).filter_map(next).min()
    }

    fn purge(&mut self, purge: &Purge) -> (Purged, BTreeSet<u128>) {
        let keys = self.keys.values().filter(|key| key.expires_at <= purge.now).count();
        let old: BTreeSet<_> =
            self.ended.iter().filter(|(_, (_, at))| *at < purge.ended_before).map(|(id, _)| *id).collect();
        let limit = purge.limit;
        let more = keys > limit || old.len() > limit;
        (Purged { keys: keys.min(limit), sessions: old.len().min(limit), journal: 0, counts: 0, more }, old)
    }
}

/// Store and model side by side.
pub struct Pair<S> {
    store: TrustedStore<S>,
    model: Model,
    now: DateTime<Utc>,
    count: u32,
    /// None: this store lists nothing, so that it cannot be seen what it purged.
    lists: Option<Lists<S>>,
}

/// The operations of a store that lists what it holds.
pub struct Lists<S> {
    purge: fn(&mut Pair<S>, usize),
    compare: fn(&Pair<S>),
}

fn name_of(contact: u8) -> String {
    format!("contact {contact}")
}

/// Some are telephone numbers, some sessions.
fn alias_of(number: u8) -> Alias {
    if number < 3 { phone(number.into()) } else { session_alias(number.into()) }
}

fn in_ms(now: DateTime<Utc>, millis: Option<i16>) -> Option<DateTime<Utc>> {
    millis.map(|millis| now + TimeDelta::milliseconds(millis.into()))
}

impl<S: ConversationStore> Pair<S> {
    fn run(&mut self, op: &Op) {
        match op {
            Op::Load { subject, key, token } => self.load(subject, *key, *token),
            Op::Commit(change, way) => self.commit(change, *way),
            Op::Settle { contact, token: by, stale, settled, due_in, quarantine } => {
                let known = self.model.conversations.get(&store_kit::contact(&name_of(*contact)));
                let revision = known.map_or(1, |one| one.revision) + u64::from(*stale);
                let settle = Settle {
                    due_at: in_ms(self.now, *due_in),
                    quarantine: *quarantine,
                    now: self.now,
                    ..settle(&name_of(*contact), (*by).into(), revision, (*settled).into())
                };
                assert_eq!(self.store.settle(&settle), self.model.settle(&settle, *by));
            }
            Op::Claim { token, limit, suspects } => self.claim(*token, (*limit).into(), *suspects),
            Op::Purge { limit } => {
                if let Some(lists) = &self.lists {
                    (lists.purge)(self, (*limit).into());
                }
            }
            Op::Pass(millis) => self.now += TimeDelta::milliseconds((*millis).into()),
        }
        self.compare();
    }

    fn load(&self, subject: &Who, key: Option<u8>, by: u8) {
        let (lookup, expected) = match subject {
            Who::Contact(number) => (by_contact(&name_of(*number)), Some(contact(&name_of(*number)))),
            Who::Alias(number) => {
                (by_alias(alias_of(*number)), self.model.aliases.get(&alias_of(*number)).cloned())
            }
        };
        let name = key.map(|key| key_name("cart", &key.to_string()));
        let found = self.store.load(&Lookup { key: name, token: token(by.into()), now: self.now, ..lookup });
        let one = expected.as_ref().and_then(|contact| self.model.conversations.get(contact));
        let seen = found.conversation.map(|stored| {
            assert_eq!(Some(stored.contact), expected);
            (stored.revision, text_of(&stored.record), stored.settled, stored.leased, stored.quarantined)
        });
        let leased = one.is_some_and(|one| one.is_held_by(by, self.now));
        assert_eq!(
            seen,
            one.map(|one| (one.revision, one.text.clone(), one.settled, leased, one.quarantined))
        );
        let known = key.and_then(|key| self.model.keys.get(&key)).filter(|known| self.now < known.expires_at);
        assert_eq!(found.key.as_ref(), known);
    }

    fn commit(&mut self, change: &Change, way: Way) {
        self.count += 1;
        let name = name_of(change.contact);
        let known = self.model.conversations.get(&contact(&name)).map(|one| one.revision);
        let by = token(change.lease.0.into());
        let commit = Commit {
            record: opaque(&format!("record {}", self.count)),
            expect: if change.stale { Some(known.unwrap_or(0) + 1) } else { known },
            due_at: in_ms(self.now, change.due_in),
            lease: match change.lease.1 {
                0 => Lease::Leave,
                1 => Lease::Take(by, Duration::from_secs(4)),
                2 => Lease::Hold(by),
                _ => Lease::Free(by),
            },
            key: change.key.map(|(key, seconds)| {
                let expires_at = self.now + TimeDelta::seconds(seconds.into());
                (key_name("cart", &key.to_string()), key_record(&name, self.count.into(), expires_at))
            }),
            add_aliases: change.add.iter().copied().map(alias_of).collect(),
            drop_aliases: change.drop.iter().copied().map(alias_of).collect(),
            ended: change
                .ended
                .map(|id| ended(&name, (id + 8 * change.contact).into(), at(0), self.now))
                .into_iter()
                .collect(),
            dead_letters: change.dead_letters.into(),
            now: self.now,
            ..store_kit::commit(&name, None)
        };
        let expected_there = self.found(&commit.contact);
        let alias = alias_of(if let Way::ByAlias(number) = way { number } else { 0 });
        let led_to = self.model.aliases.get(&alias).and_then(|contact| self.found(contact));
        let expected = self.model.commit(change, &commit);
        let contact = commit.contact.clone();
        let answer = match way {
            Way::Commit => self.store.commit(commit),
            Way::Update => self.update(by_contact(&name), commit, expected_there),
            Way::ByAlias(_) => self.update(by_alias(alias), commit, led_to),
        };
        match (answer, expected) {
            (
                Committed::Applied { revision, leased, settled },
                Committed::Applied { leased: model_leased, settled: model_settled, .. },
            ) => {
                assert_eq!((leased, settled), (model_leased, model_settled));
                let one = self.model.conversations.get_mut(&contact).unwrap();
                assert!(revision > one.revision, "this store's revisions grow");
                one.revision = revision;
            }
            (answer, expected) => assert_eq!(answer, expected),
        }
    }

    /// The findings of a decision at a contact.
    fn found(&self, contact: &ContactId) -> Option<Seen> {
        let one = self.model.conversations.get(contact)?;
        Some((one.revision, one.text.clone(), one.settled, one.quarantined))
    }

    /// By a call that holds no lease, on what is known if the store keeps that.
    fn update(&self, lookup: Lookup, commit: Commit, expected: Option<Seen>) -> Committed {
        let (mut commit, mut seen) = (Some(commit), None);
        let lookup = Lookup { known: true, token: token(u128::MAX), now: self.now, ..lookup };
        let committed = self.store.update(&lookup, |loaded| {
            seen = loaded
                .conversation
                .as_ref()
                .map(|stored| (stored.revision, text_of(&stored.record), stored.settled, stored.quarantined));
            commit.take()
        });
        assert_eq!(seen, expected);
        committed.unwrap().unwrap()
    }

    fn claim(&mut self, by: u8, limit: usize, suspects: bool) {
        let expected = self.model.due(self.now, suspects);
        let due = Due { lease: Duration::from_secs(4), limit, suspects, ..due(by.into(), self.now) };
        let leased = self.store.claim(&due);
        assert_eq!(leased.conversations.len(), expected.len().min(limit));
        for (one, (due_at, _)) in leased.conversations.iter().zip(&expected) {
            let known = self.model.conversations.get_mut(&one.stored.contact).unwrap();
            assert!(!known.is_leased(self.now) && !known.quarantined);
            assert_eq!(known.ready_at(), Some(*due_at), "oldest first; of equal ones any");
            known.claims += 1;
            known.lease = Some((by, self.now + LEASE_TIME));
            assert_eq!(
                (one.claims, one.stored.revision, one.stored.settled),
                (known.claims, known.revision, known.settled)
            );
            assert!(one.stored.leased && text_of(&one.stored.record) == known.text);
        }
        if let Some(next) = self.model.next(self.now).filter(|_| !suspects) {
            assert!(
                leased.next_due.is_some_and(|answered| answered <= next),
                "{:?} <= {next}",
                leased.next_due
            );
        }
    }

    /// Compares what can be seen from outside at any time.
    fn compare(&self) {
        for (name, one) in &self.model.conversations {
            let seen = self.store.find(&name.to_string()).unwrap();
            assert_eq!(
                (seen.revision, seen.settled, seen.quarantined),
                (one.revision, one.settled, one.quarantined)
            );
        }
        if let Some(lists) = &self.lists {
            (lists.compare)(self);
        }
    }
}

impl<S: Store> Pair<S> {
    fn purge(&mut self, limit: usize) {
        let purge = Purge {
            now: self.now,
            ended_before: self.now,
            journal_before: self.now,
            counts_before: self.now,
            limit,
        };
        let (expected, old) = self.model.purge(&purge);
        assert_eq!(self.store.purge(&purge), expected);
        let asked = |id: &u128| block_on(self.store.0.session(&shop(), session_id(*id))).unwrap();
        let gone: Vec<_> = old.into_iter().filter(|id| asked(id).is_none()).collect();
        assert_eq!(gone.len(), expected.sessions);
        for id in gone {
            let (holder, _) = self.model.ended.remove(&id).unwrap();
            let alias = session_alias(id);
            if self.model.aliases.get(&alias) == Some(&holder) {
                self.model.aliases.remove(&alias);
            }
        }
        // Which of the expired keys went cannot be seen, so all go.
        if expected.more {
            let rest = self.store.purge(&Purge { limit: usize::MAX, ended_before: at(-9), ..purge });
            let expired = self.model.keys.values().filter(|key| key.expires_at <= self.now).count();
            assert_eq!((rest.keys, rest.more), (expired - expected.keys, false));
        }
        self.model.keys.retain(|_, key| key.expires_at > self.now);
    }

    fn compare_lists(&self) {
        for (id, (holder, _)) in &self.model.ended {
            let found = block_on(self.store.0.session(&shop(), session_id(*id))).unwrap();
            assert_eq!(found.map(|record| record.contact().clone()).as_ref(), Some(holder));
        }
        for quarantined in [false, true] {
            let query = ConversationQuery { workspace: shop(), quarantined, after: None, limit: 9 };
            let listed = block_on(self.store.0.conversations(&query)).unwrap();
            let is_meant =
                |one: &Conversation| if quarantined { one.quarantined } else { one.dead_letters > 0 };
            let expected =
                self.model.conversations.iter().filter(|(_, one)| is_meant(one)).map(|(name, _)| name);
            assert!(listed.iter().map(|(name, _)| name).eq(expected));
        }
    }
}

pub fn check<S: ConversationStore>(store: S, lists: Option<Lists<S>>, ops: &[Op]) {
    let mut pair = Pair { store: TrustedStore(store), model: Model::default(), now: at(0), count: 0, lists };
    for op in ops {
        pair.run(op);
    }
}

pub fn check_with_lists<S: Store>(store: S, ops: &[Op]) {
    check(store, Some(Lists { purge: Pair::purge, compare: Pair::compare_lists }), ops);
}
