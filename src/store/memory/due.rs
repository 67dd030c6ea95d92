//! When what is due: conversations by their due time, leases by their end. Filed lazily, so that an
//! answer that moves a deadline touches nothing here.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use chrono::{DateTime, Utc};

use crate::store::memory::calendar::Calendar;
use crate::store::memory::slot::{LeaseState, READY, Slot, UNFILED, is_suspect, suspect_at};
use crate::store::memory::slots::Slots;
use crate::store::{Token, retry_pause};

/// The due times and leases of one shard.
///
/// Invariants between calls, for each slot that is not set aside and has a due time:
/// - its lease is live, and its end is in `leases`; or
/// - it is filed under the second of its due time or an earlier one; or
/// - it is in `ready` under its due time; or
/// - its last lease ended unsettled, and it is in `suspects` under the time when it may be tried.
///
/// An entry whose slot says otherwise is stale and is dropped when it is met.
pub(super) struct DueIndex {
    /// By second.
    calendar: Calendar,
    /// Those whose second has come, by due time.
    ready: Timeline,
    /// Those whose last lease ended unsettled, by when they may be tried.
    suspects: Timeline,
    /// Ends of leases.
    leases: Timeline,
    /// Nothing happens before this millisecond.
    earliest: i64,
}

type Timeline = BinaryHeap<Reverse<(DateTime<Utc>, u32)>>;

/// Nothing is due, ever.
pub(super) const NEVER: i64 = i64::MAX;

impl Default for DueIndex {
    fn default() -> Self {
        Self {
            calendar: Calendar::default(),
            ready: Timeline::new(),
            suspects: Timeline::new(),
            leases: Timeline::new(),
            earliest: NEVER,
        }
    }
}

impl DueIndex {
    /// A millisecond before which nothing is due and no lease ends. May be early, never late.
    pub(super) fn earliest(&self) -> i64 {
        self.earliest
    }

    /// Sets the due time. While a lease is live nothing is filed: most leases end with a settle
    /// that sets the time anew.
    pub(super) fn set_due(
        &mut self,
        id: u32,
        slot: &mut Slot,
        due_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) {
        // A suspect stays where it is filed while it is one: a due time that moves must not let it
        // be tried earlier than its pause allows. `ready` and `suspects` are in order of time, so
        // an entry with another time than the slot's would be met too late.
        let is_moved = slot.due_at != due_at;
        let is_filed_by_due = slot.filed == READY
            || (is_suspect(slot.filed) && slot.due_at.is_some_and(|due_at| slot.filed == suspect_at(due_at)));
        if (is_filed_by_due && is_moved) || (is_suspect(slot.filed) && slot.claims == 0) {
            slot.filed = UNFILED;
        }
        slot.due_at = due_at;
        if !slot.lease.is_live(now) {
            self.file(id, slot);
        }
    }

    /// Files a slot by its due time, unless it is filed as early already.
    fn file(&mut self, id: u32, slot: &mut Slot) {
        let Some(second) = slot.due_at.map(|at| at.timestamp()) else { return };
        // A later time leaves the old entry, which is met too early and filed again then: every
        // reply moves a deadline on, and few deadlines come.
        if second < slot.filed && !slot.is_set_aside() {
            self.calendar.file(second, id);
            slot.filed = second;
            self.earliest = self.earliest.min(second.saturating_mul(1000));
        }
    }

    /// Gives the lease to a token.
    pub(super) fn lease(&mut self, id: u32, slots: &mut Slots, token: Token, until: DateTime<Utc>) {
        // Before the lease is set: while the clock does not move, an old lease of the same slot
        // would look like the new one.
        while let Some(&Reverse((end, other))) = self.leases.peek()
            && slots[other].lease.until() != Some(end)
        {
            self.leases.pop();
        }
        let slot = &mut slots[id];
        if slot.lease.until() != Some(until) {
            self.leases.push(Reverse((until, id)));
            self.earliest = self.earliest.min(until.timestamp_millis());
        }
        slot.lease = LeaseState::held(token, until);
    }

    /// Brings up what has come due: ends leases that ran out, and makes ready whose second has
    /// come.
    pub(super) fn surface(&mut self, slots: &mut Slots, now: DateTime<Utc>) {
        while let Some(&Reverse((end, id))) = self.leases.peek() {
            let slot = &mut slots[id];
            if slot.lease.until() == Some(end) {
                if end > now {
                    break;
                }
                // Once seen to be over it is over, also for a caller whose clock is a little
                // behind.
                slot.lease = LeaseState::free();
                // Nobody settled what this lease was for. The conversation may have ended the
                // process that worked it, so it is not claimed beside others any more (rule 12).
                if slot.claims > 0 {
                    let rested = end.checked_add_signed(retry_pause(slot.claims)).unwrap_or(end);
                    self.suspect(id, slot, slot.due_at.map_or(rested, |due_at| due_at.max(rested)));
                } else {
                    if is_suspect(slot.filed) {
                        slot.filed = UNFILED;
                    }
                    self.file(id, slot);
                }
            }
            self.leases.pop();
        }
        while let Some((second, ids)) = self.calendar.take_day(now.timestamp()) {
            for id in ids {
                self.surface_one(second, id, &mut slots[id], now);
            }
        }
        self.refresh();
    }

    fn surface_one(&mut self, second: i64, id: u32, slot: &mut Slot, now: DateTime<Utc>) {
        if slot.filed != second {
            return;
        }
        slot.filed = UNFILED;
        match slot.due_at {
            // The deadline moved on after it was filed.
            Some(due_at) if due_at.timestamp() > second => self.file(id, slot),
            Some(due_at) if !slot.is_set_aside() && !slot.lease.is_live(now) && slot.claims > 0 => {
                self.suspect(id, slot, due_at);
            }
            Some(due_at) if !slot.is_set_aside() && !slot.lease.is_live(now) => {
                slot.filed = READY;
                self.ready.push(Reverse((due_at, id)));
            }
            _ => {}
        }
    }

    /// Files a slot whose last lease ended unsettled, to be tried at a time.
    fn suspect(&mut self, id: u32, slot: &mut Slot, time: DateTime<Utc>) {
        if !slot.is_set_aside() {
            slot.filed = suspect_at(time);
            self.suspects.push(Reverse((time, id)));
            self.earliest = self.earliest.min(time.timestamp_millis());
        }
    }

    /// When a slot whose last lease ended unsettled may be tried: the first. Maybe early, never
    /// late.
    pub(super) fn next_suspect(&self) -> Option<DateTime<Utc>> {
        self.suspects.peek().map(|Reverse((time, _))| *time)
    }

    /// The slot that is free to be leased, whose last lease ended unsettled, and that may be tried
    /// first.
    pub(super) fn first_suspect(
        &mut self,
        slots: &mut Slots,
        now: DateTime<Utc>,
    ) -> Option<(DateTime<Utc>, u32)> {
        while let Some(&Reverse((time, id))) = self.suspects.peek() {
            let slot = &mut slots[id];
            let is_current = slot.filed == suspect_at(time);
            if is_current && time > now {
                return None;
            }
            let is_free = !slot.is_set_aside() && !slot.lease.is_live(now);
            let due_at = slot.due_at.filter(|_| is_current && is_free && slot.claims > 0);
            if due_at.is_some_and(|due_at| due_at <= time) {
                return Some((time, id));
            }
            self.suspects.pop();
            // A commit has moved its due time on since it was filed.
            if let Some(due_at) = due_at {
                self.suspect(id, slot, due_at);
                continue;
            }
            if is_current {
                slot.filed = UNFILED;
                if is_free {
                    self.file(id, slot);
                }
            }
        }
        None
    }

    /// The slot that is longest overdue and free to be leased.
    pub(super) fn first_ready(
        &mut self,
        slots: &mut Slots,
        now: DateTime<Utc>,
    ) -> Option<(DateTime<Utc>, u32)> {
        while let Some(&Reverse((due_at, id))) = self.ready.peek() {
            let slot = &mut slots[id];
            let is_current = slot.filed == READY && slot.due_at == Some(due_at);
            if is_current && !slot.is_set_aside() && !slot.lease.is_live(now) {
                return (due_at <= now).then_some((due_at, id));
            }
            if is_current {
                slot.filed = UNFILED;
            }
            self.ready.pop();
        }
        None
    }

    /// Leases the slot that [`Self::first_ready`] answered, or [`Self::first_suspect`].
    pub(super) fn claim(&mut self, slots: &mut Slots, token: Token, until: DateTime<Utc>, suspects: bool) {
        let timeline = if suspects { &mut self.suspects } else { &mut self.ready };
        let Some(Reverse((_, id))) = timeline.pop() else { return };
        self.lease(id, slots, token, until);
        let slot = &mut slots[id];
        slot.claims = slot.claims.saturating_add(1);
        slot.filed = UNFILED;
    }

    /// Looks up anew when something happens next.
    pub(super) fn refresh(&mut self) {
        let millis = |timeline: &Timeline| timeline.peek().map(|Reverse((at, _))| at.timestamp_millis());
        let filed = self.calendar.first_day().map(|second| second.saturating_mul(1000));
        self.earliest = [filed, millis(&self.ready), millis(&self.suspects), millis(&self.leases)]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(NEVER);
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;
    use crate::store::Record;

    fn slots(count: u32) -> Slots {
        let mut slots = Slots::default();
        for _ in 0..count {
            let mut slot = Slot::new(0, Uuid::nil().into());
            slot.record = Some(Record::none());
            slots.push(slot);
        }
        slots
    }

    #[test]
    fn leases_that_ended_take_no_room_even_if_the_clock_stands_still() {
        let (mut due, mut slots, now) = (DueIndex::default(), slots(3), DateTime::UNIX_EPOCH);
        for round in 0..1_000 {
            let id = round % 3;
            due.lease(id, &mut slots, Token(Uuid::from_u128(round.into())), now + TimeDelta::seconds(30));
            slots[id].lease = LeaseState::free();
            due.set_due(id, &mut slots[id], Some(now + TimeDelta::seconds(round.into())), now);
        }
        assert!(due.leases.len() <= 2);
    }

    #[test]
    fn a_suspect_whose_deadline_moved_on_comes_after_those_that_are_due_before() {
        let (mut due, mut slots) = (DueIndex::default(), slots(2));
        let at = |seconds| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        for (id, due_at) in [(0, 8), (1, 5)] {
            (slots[id].claims, slots[id].due_at) = (1, Some(at(due_at)));
            due.suspect(id, &mut slots[id], at(due_at));
        }
        due.set_due(1, &mut slots[1], Some(at(9)), at(6));
        assert_eq!(due.first_suspect(&mut slots, at(7)), None);
        assert_eq!(due.first_suspect(&mut slots, at(10)), Some((at(8), 0)));
    }

    #[test]
    fn a_deadline_that_moves_on_is_filed_again_only_when_it_is_met() {
        let (mut due, mut slots, now) = (DueIndex::default(), slots(1), DateTime::UNIX_EPOCH);
        for seconds in 10..1_000 {
            due.set_due(0, &mut slots[0], Some(now + TimeDelta::seconds(seconds)), now);
        }
        assert_eq!(due.calendar.take_day(i64::MAX), Some((10, vec![0])));
        assert_eq!(due.calendar.take_day(i64::MAX), None);
    }
}
