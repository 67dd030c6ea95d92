//! A part of the contacts under one lock: found by number, by what is due, by what has ended.

use std::collections::{BTreeMap, VecDeque};
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::record::{DAY, NEVER, Session, Slot, State};

/// Ended sessions are kept for so long.
const KEPT_FOR: i64 = 90 * DAY;

#[derive(Default)]
pub(super) struct Shard {
    pub(super) slots: Vec<Slot>,
    phones: HashTable<(u64, u32)>,
    /// Slots by the second in which something is due; one that moved away is passed over.
    calendar: BTreeMap<i64, Vec<u32>>,
    ended: HashTable<Box<Session>>,
    /// Ids of ended sessions, by day.
    ended_on: VecDeque<(i64, Vec<u128>)>,
}

impl Shard {
    pub(super) fn find(&self, hash: u64, phone: u64) -> Option<u32> {
        self.phones.find(hash, |(known, _)| *known == phone).map(|(_, slot)| *slot)
    }

    pub(super) fn add(&mut self, hash: u64, slot: Slot, hasher: &RandomState) -> u32 {
        let place = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.phones.insert_unique(hash, (slot.phone, place), |(phone, _)| hasher.hash_one(phone));
        self.slots.push(slot);
        place
    }

    /// Files a slot under the second in which something is due. An earlier entry stays: it is
    /// looked at again then.
    pub(super) fn file(&mut self, place: u32) {
        let slot = &mut self.slots[place as usize];
        let due = slot.due();
        if due == NEVER {
            return;
        }
        let second = due / 1000 + 1;
        if second < slot.filed {
            slot.filed = second;
            match self.calendar.last_entry() {
                Some(mut last) if *last.key() == second => last.get_mut().push(place),
                _ => self.calendar.entry(second).or_default().push(place),
            }
        }
    }

    /// Slots with something due, taken out of the calendar.
    pub(super) fn take_due(&mut self, now: i64) -> Option<u32> {
        loop {
            let mut first = self.calendar.first_entry().filter(|first| *first.key() <= now / 1000)?;
            let second = *first.key();
            let Some(place) = first.get_mut().pop() else {
                first.remove();
                continue;
            };
            let slot = &mut self.slots[place as usize];
            if slot.filed == second {
                slot.filed = NEVER;
                return Some(place);
            }
        }
    }

    /// Ends the session of a contact that time has ended, unless it still waits for a delivery.
    pub(super) fn apply_due(&mut self, place: u32, now: i64, hasher: &RandomState) {
        let slot = &mut self.slots[place as usize];
        let Some(session) = slot.session.as_deref() else { return };
        let waits_for_delivery = !slot.has_heard(session);
        let at = if waits_for_delivery { session.ends_by } else { session.deadline.min(session.expires_at) };
        if now >= at
            && let Some(session) = slot.session.take()
        {
            self.archive(session, State::Expired, at, hasher);
        }
    }

    pub(super) fn archive(&mut self, mut session: Box<Session>, state: State, at: i64, hasher: &RandomState) {
        (session.state, session.ended_at) = (state, at);
        let (id, day) = (session.id, at / DAY);
        self.ended.insert_unique(hasher.hash_one(id), session, |session| hasher.hash_one(session.id));
        match self.ended_on.back_mut() {
            Some((last, ids)) if *last == day => ids.push(id),
            _ => self.ended_on.push_back((day, vec![id])),
        }
    }

    pub(super) fn ended(&self, id: u128, hasher: &RandomState) -> Option<&Session> {
        self.ended.find(hasher.hash_one(id), |session| session.id == id).map(|session| &**session)
    }

    pub(super) fn count_ended(&self) -> usize {
        self.ended.len()
    }

    /// Forgets what has been over for too long.
    pub(super) fn purge(&mut self, now: i64, hasher: &RandomState) {
        while self.ended_on.front().is_some_and(|(day, _)| (*day + 1) * DAY + KEPT_FOR <= now) {
            for id in self.ended_on.pop_front().into_iter().flat_map(|(_, ids)| ids) {
                if let Ok(entry) = self.ended.find_entry(hasher.hash_one(id), |session| session.id == id) {
                    entry.remove();
                }
            }
        }
    }
}
