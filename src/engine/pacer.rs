//! Token buckets, asked before a delivery is claimed (SEMANTICS D7): a message whose token is not
//! there yet gets a place, the instant of a token that nobody else has, and is due then. The
//! buckets are this process's.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use chrono::{DateTime, Utc};
use foldhash::fast::RandomState;

use crate::address::Account;
use crate::channel::Channel;
use crate::engine::Engine;
use crate::id::WorkspaceId;
use crate::kernel::Decision;
use crate::pace::{Pace, Rate};
use crate::session::Route;
use crate::store::ConversationStore;

type Map<K, V> = HashMap<K, V, RandomState>;
/// Nanoseconds since the epoch.
type Nanos = i128;

const MILLI: Nanos = 1_000_000;
/// A clock that is behind by more than this was set back.
const SET_BACK: Nanos = 5_000 * MILLI;
/// Maximum interval at which buckets that are full again are dropped.
const SWEEP: Nanos = 60_000 * MILLI;
/// As many buckets and places as are never looked through before that.
const FEW: usize = 1_024;

/// The pace of each account: its own, else its channel's, else the one for all.
#[derive(Clone, Default)]
pub(super) struct Paces {
    pub(super) all: Pace,
    pub(super) channels: Map<Channel, Pace>,
    pub(super) accounts: Map<Account, Pace>,
}

impl Paces {
    fn of(&self, account: &Account) -> Pace {
        let own = self.accounts.get(account).or_else(|| self.channels.get(&account.channel));
        *own.unwrap_or(&self.all)
    }

    /// None, if no rate is given at all.
    pub(super) fn pacer(self) -> Option<Arc<Pacer>> {
        let mut paces = self.accounts.values().chain(self.channels.values()).chain([&self.all]);
        paces.any(|pace| *pace != Pace::default()).then(|| {
            Arc::new(Pacer {
                paces: self.clone(),
                hasher: RandomState::default(),
                state: Mutex::default(),
                bell: Mutex::default(),
            })
        })
    }
}

/// The buckets of an engine, by hashes of whose they are. Two of one hash share their tokens, which
/// is harmless.
pub(super) struct Pacer {
    paces: Paces,
    hasher: RandomState,
    state: Mutex<PacerState>,
    bell: Mutex<Bell>,
}

/// Tells a loop that sleeps of what is due before it would wake. Of several loops the one that fell
/// asleep last hears it: one is enough.
#[derive(Default)]
struct Bell {
    /// When the loop that sleeps wakes by itself.
    asleep: Option<(DateTime<Utc>, Waker)>,
    /// The earliest turn that was written since a loop looked last.
    rung: Option<DateTime<Utc>>,
}

#[derive(Default)]
struct PacerState {
    /// The latest instant that was seen.
    seen: Nanos,
    buckets: Map<u64, Bucket>,
    /// The place of the first message that waits, of each destination.
    places: Map<u64, PlaceInLine>,
    swept_at: Nanos,
    /// As many buckets and places as are looked through next.
    sweep_at: usize,
}

/// A place in line: tokens that are kept for the first message of a destination.
#[derive(Clone, Copy)]
struct PlaceInLine {
    /// When all of them are there.
    until: Nanos,
    /// When the token of the account comes, and that of the contact, in the order of [`Buckets`].
    tokens: [Option<Nanos>; 2],
}

/// The buckets that a message draws from: the account's and the contact's.
#[derive(Clone, Copy)]
struct Buckets([Option<(u64, Rate)>; 2]);

/// The answer to a message.
#[derive(Debug, PartialEq, Eq)]
enum PaceTurn {
    /// It may leave: its tokens are taken.
    Now,
    /// Its tokens are there, and kept for it.
    Kept,
    /// At this instant, not before.
    At(DateTime<Utc>),
}

impl PacerState {
    /// Takes note of the time, which never goes back, unless the clock was set back: then what is
    /// kept for instants of the old time is free again.
    fn advance(&mut self, now: Nanos) -> Nanos {
        if now + SET_BACK < self.seen {
            self.places.clear();
            for bucket in self.buckets.values_mut() {
                bucket.begin_anew(now);
            }
            (self.seen, self.swept_at) = (now, now);
        }
        self.seen = self.seen.max(now);
        if self.buckets.len() + self.places.len() >= self.sweep_at.max(FEW)
            || self.seen - self.swept_at > SWEEP
        {
            self.sweep();
        }
        self.seen
    }

    /// Drops buckets that are full and places of messages that did not come.
    fn sweep(&mut self) {
        let now = self.seen;
        self.buckets.retain(|_, bucket| {
            bucket.refill(now);
            !bucket.is_idle()
        });
        self.places.retain(|_, place| place.until + SWEEP > now);
        self.swept_at = now;
        self.sweep_at = (self.buckets.len() + self.places.len()) * 2;
        if self.buckets.capacity() > FEW.max(self.buckets.len() * 4) {
            self.buckets.shrink_to(self.buckets.len() * 2);
        }
        if self.places.capacity() > FEW.max(self.places.len() * 4) {
            self.places.shrink_to(self.places.len() * 2);
        }
    }

    /// The bucket as of now; a full one, if it is new.
    fn bucket(&mut self, (key, rate): (u64, Rate)) -> &mut Bucket {
        let now = self.seen;
        let bucket = self.buckets.entry(key).or_insert_with(|| Bucket::full(rate, now));
        bucket.refill(now);
        bucket
    }

    fn all(&mut self, buckets: Buckets, mut is_so: impl FnMut(&Bucket) -> bool) -> bool {
        buckets.0.into_iter().flatten().all(|bucket| is_so(self.bucket(bucket)))
    }

    fn take(&mut self, buckets: Buckets, kept: bool) {
        for bucket in buckets.0.into_iter().flatten() {
            let now = self.seen;
            let bucket = self.bucket(bucket);
            if kept {
                bucket.owed = (bucket.owed - 1).max(0);
            }
            bucket.take(now);
        }
    }

    /// The turn of the first message of a destination, which is to leave from
    /// `from` on.
    fn turn(&mut self, line: u64, buckets: Buckets, from: Nanos, will_send: bool) -> PaceTurn {
        let now = self.seen;
        if let Some(place) = self.places.get(&line).copied() {
            if place.until >= from && place.until > now {
                return PaceTurn::At(instant(place.until));
            }
            let is_there = from <= now && self.all(buckets, |bucket| bucket.level >= 1);
            if is_there && !will_send {
                return PaceTurn::Kept;
            }
            if is_there {
                self.places.remove(&line);
                self.take(buckets, true);
                return PaceTurn::Now;
            }
            // Nobody came in time, and the tokens went to waste.
            self.give_up_place(line, buckets);
        } else if from <= now && will_send && self.all(buckets, |bucket| bucket.level > bucket.owed) {
            self.take(buckets, false);
            return PaceTurn::Now;
        }
        let place = self.reserve(buckets, from.max(now));
        self.places.insert(line, place);
        if place.until <= now { PaceTurn::Kept } else { PaceTurn::At(instant(place.until)) }
    }

    /// Keeps the first tokens that are nobody's: the contact's before the account's, so that nobody
    /// waits for those who wait for their own contact.
    fn reserve(&mut self, Buckets([account, contact]): Buckets, from: Nanos) -> PlaceInLine {
        let mut place = PlaceInLine { until: from, tokens: [None; 2] };
        let [of_account, of_contact] = &mut place.tokens;
        for (bucket, token) in [(contact, of_contact), (account, of_account)] {
            let Some(bucket) = bucket else { continue };
            let now = self.seen;
            let comes = self.bucket(bucket).reserve(place.until, now);
            *token = Some(comes);
            place.until = place.until.max(comes);
        }
        place.until = whole_millis(place.until);
        place
    }

    fn give_up_place(&mut self, line: u64, buckets: Buckets) {
        let Some(place) = self.places.remove(&line) else { return };
        for (bucket, token) in buckets.0.into_iter().zip(place.tokens) {
            if let Some((bucket, token)) = bucket.zip(token) {
                self.bucket(bucket).release(token);
            }
        }
    }

    /// Puts tokens back that were taken for nothing; kept for the destination, if they were before.
    fn put_back(&mut self, line: u64, buckets: Buckets, was_kept: bool) {
        let now = self.seen;
        for bucket in buckets.0.into_iter().flatten() {
            let bucket = self.bucket(bucket);
            bucket.level = (bucket.level + 1).min(bucket.capacity);
            if was_kept {
                bucket.owed = (bucket.owed + 1).min(bucket.level);
            }
        }
        if was_kept {
            let tokens = buckets.0.map(|bucket| bucket.map(|_| now));
            self.places.entry(line).or_insert(PlaceInLine { until: now, tokens });
        }
    }
}

/// A bucket of tokens. They come at `origin + n * interval`, and go to waste when it is full.
struct Bucket {
    interval: Nanos,
    capacity: i64,
    origin: Nanos,
    /// The number of the last token that came.
    last: i64,
    /// The tokens that are here.
    level: i64,
    /// Those among them that are kept for somebody.
    owed: i64,
    /// Tokens to come that are kept for somebody.
    kept: Runs,
}

impl Bucket {
    fn full(rate: Rate, now: Nanos) -> Self {
        let (interval, capacity) = (rate.interval(), rate.capacity());
        Self { interval, capacity, origin: now, last: 0, level: capacity, owed: 0, kept: Runs::default() }
    }

    fn begin_anew(&mut self, now: Nanos) {
        (self.origin, self.last, self.owed, self.kept) = (now, 0, 0, Runs::default());
    }

    /// True if nothing is lost with it.
    fn is_idle(&self) -> bool {
        self.level == self.capacity && self.kept.is_empty()
    }

    /// The number of the token that came last by then.
    fn number_at(&self, at: Nanos) -> i64 {
        i64::try_from((at - self.origin).div_euclid(self.interval)).unwrap_or(i64::MAX)
    }

    fn comes_at(&self, number: i64) -> Nanos {
        self.origin + Nanos::from(number) * self.interval
    }

    fn refill(&mut self, now: Nanos) {
        let number = self.number_at(now);
        let came = (number - self.last).max(0);
        self.last = self.last.max(number);
        let wasted = (self.level.saturating_add(came) - self.capacity).max(0);
        self.level = self.level.saturating_add(came).min(self.capacity);
        self.owed = (self.owed - wasted).max(0) + self.kept.take_until(number);
        self.owed = self.owed.min(self.level);
    }

    /// From a full one the next token comes a whole interval later, if nobody has one to come.
    fn take(&mut self, now: Nanos) {
        if self.level == self.capacity && self.kept.is_empty() {
            (self.origin, self.last) = (now, 0);
        }
        self.level -= 1;
    }

    /// Keeps a token: the last one that comes until `from`, else one that is here, else the first
    /// that is free. Answers when it comes.
    fn reserve(&mut self, from: Nanos, now: Nanos) -> Nanos {
        let mut number = self.number_at(from);
        if number <= self.last || self.kept.first_free(number) > number {
            if self.level > self.owed {
                self.owed += 1;
                return now;
            }
            number = self.kept.first_free(number.saturating_add(1).max(self.last + 1));
        }
        self.kept.insert(number);
        self.comes_at(number)
    }

    fn release(&mut self, token: Nanos) {
        let number = self.number_at(token);
        if number > self.last {
            self.kept.remove(number);
        } else {
            self.owed = (self.owed - 1).max(0);
        }
    }
}

/// A set of numbers, as runs without gaps: the first of each with its last.
#[derive(Default)]
struct Runs(BTreeMap<i64, i64>);

impl Runs {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn run_of(&self, number: i64) -> Option<(i64, i64)> {
        let (first, last) = self.0.range(..=number).next_back()?;
        (*last >= number).then_some((*first, *last))
    }

    /// The first number from here on that is not in it.
    fn first_free(&self, from: i64) -> i64 {
        self.run_of(from).map_or(from, |(_, last)| last.saturating_add(1))
    }

    fn insert(&mut self, number: i64) {
        let first = self.run_of(number - 1).map_or(number, |(first, _)| first);
        let last = self.0.remove(&(number + 1)).unwrap_or(number);
        self.0.insert(first, last);
    }

    fn remove(&mut self, number: i64) {
        let Some((first, last)) = self.run_of(number) else { return };
        self.0.remove(&first);
        if first < number {
            self.0.insert(first, number - 1);
        }
        if number < last {
            self.0.insert(number + 1, last);
        }
    }

    /// Removes the numbers up to this one. Answers how many there were.
    fn take_until(&mut self, number: i64) -> i64 {
        let mut count = 0;
        while let Some(run) = self.0.first_entry().filter(|run| *run.key() <= number) {
            let (first, last) = run.remove_entry();
            count += last.min(number) - first + 1;
            if last > number {
                self.0.insert(number + 1, last);
            }
        }
        count
    }
}

/// Up to the next millisecond, to which the engine works.
fn whole_millis(at: Nanos) -> Nanos {
    at.div_euclid(MILLI) * MILLI + if at.rem_euclid(MILLI) > 0 { MILLI } else { 0 }
}

fn nanos(at: DateTime<Utc>) -> Nanos {
    Nanos::from(at.timestamp_millis()) * MILLI
}

fn instant(at: Nanos) -> DateTime<Utc> {
    let millis = i64::try_from(at.div_euclid(MILLI)).ok();
    millis.and_then(DateTime::from_timestamp_millis).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

impl Pacer {
    fn ring(&self, until: DateTime<Utc>) {
        let mut bell = self.bell.lock().unwrap_or_else(PoisonError::into_inner);
        bell.rung = Some(bell.rung.map_or(until, |rung| rung.min(until)));
        let waker = bell.asleep.take_if(|(wakes_at, _)| *wakes_at > until);
        drop(bell);
        if let Some((_, waker)) = waker {
            waker.wake();
        }
    }

    /// Forgets what was written so far: a loop is about to look.
    pub(super) fn look(&self) {
        self.bell.lock().unwrap_or_else(PoisonError::into_inner).rung = None;
    }

    /// Answers what is due sooner than a loop wakes, if anything is; else wakes it once there is.
    pub(super) fn listen(&self, wakes_at: DateTime<Utc>, waker: &Waker) -> Option<DateTime<Utc>> {
        let mut bell = self.bell.lock().unwrap_or_else(PoisonError::into_inner);
        let sooner = bell.rung.take_if(|rung| *rung < wakes_at);
        bell.asleep = Some((sooner.unwrap_or(wakes_at), waker.clone()));
        sooner
    }

    fn lock(&self) -> MutexGuard<'_, PacerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the buckets that a message on this route draws from, and the line that it waits in.
    /// None: no rate holds for it.
    fn buckets(&self, workspace: &WorkspaceId, route: &Route) -> Option<(u64, Buckets)> {
        let Pace { per_account, per_contact } = self.paces.of(&route.account);
        if per_account.is_none() && per_contact.is_none() {
            return None;
        }
        let line = self.hasher.hash_one((1_u8, workspace, &route.account, &route.to));
        let of_account = || self.hasher.hash_one((0_u8, workspace, &route.account));
        let account = per_account.map(|rate| (of_account(), rate));
        Some((line, Buckets([account, per_contact.map(|rate| (line, rate))])))
    }
}

/// Tokens that a decision took or had kept. What was taken and not spent goes back when this is
/// dropped, and so does what was kept, unless the decision was written.
pub(super) struct Passes {
    pacer: Arc<Pacer>,
    /// By the message's number in the outbox.
    taken: Vec<(u64, Taken)>,
    kept: Vec<(u64, Buckets)>,
    /// The earliest turn of those that wait.
    next: Option<DateTime<Utc>>,
}

struct Taken {
    line: u64,
    buckets: Buckets,
    was_kept: bool,
}

impl Passes {
    /// The message is handed over.
    pub(super) fn spend(&mut self, seq: u64) {
        self.taken.retain(|(of, _)| *of != seq);
    }

    /// Keeps the places in line, since the wait of the messages is written.
    pub(super) fn keep(&mut self) {
        self.kept.clear();
        if let Some(next) = self.next.take() {
            self.pacer.ring(next);
        }
    }
}

impl Drop for Passes {
    fn drop(&mut self) {
        if self.taken.is_empty() && self.kept.is_empty() {
            return;
        }
        let mut state = self.pacer.lock();
        for (_, Taken { line, buckets, was_kept }) in self.taken.drain(..) {
            state.put_back(line, buckets, was_kept);
        }
        for (line, buckets) in self.kept.drain(..) {
            state.give_up_place(line, buckets);
        }
    }
}

/// The pace's answer for the messages of a decision.
#[derive(Default)]
pub(super) struct Paced {
    /// Messages that must wait, by their numbers in the outbox, and until when.
    pub(super) held: Vec<(u64, DateTime<Utc>)>,
    pub(super) passes: Option<Box<Passes>>,
}

impl Paced {
    /// Puts what must wait off, in the decision.
    pub(super) fn put_off(&self, decision: &mut Decision<'_>) {
        for (seq, until) in &self.held {
            decision.pace(*seq, *until);
        }
    }
}

impl<S: ConversationStore> Engine<S> {
    /// Asks the pace, if there is one, for each message that could leave, in order (SEMANTICS D7).
    /// With `will_send` they leave under the lease that the decision takes or holds; else they are
    /// claimed later, and the first of each destination has its tokens kept.
    pub(super) fn ask_pace(&self, decision: &Decision<'_>, will_send: bool) -> Paced {
        match &self.ports.pacer {
            None => Paced::default(),
            Some(pacer) => self.ask_pacer(pacer, decision, will_send),
        }
    }

    #[cold]
    fn ask_pacer(&self, pacer: &Arc<Pacer>, decision: &Decision<'_>, will_send: bool) -> Paced {
        let outbox = decision.conversation.outbox.iter();
        let mut unsettled = outbox.filter(|unsent| unsent.seq > decision.settled).peekable();
        if unsettled.peek().is_none() {
            return Paced::default();
        }
        let mut held = Vec::new();
        let mut passes = Passes { pacer: Arc::clone(pacer), taken: Vec::new(), kept: Vec::new(), next: None };
        let mut waiting: Vec<&Route> = Vec::new();
        let mut state = pacer.lock();
        let now = state.advance(nanos(self.now()));
        for unsent in unsettled {
            let route = &*unsent.message.route;
            if waiting.contains(&route) || unsent.message.content.is_typing() {
                continue;
            }
            let is_put_off = unsent.not_before > decision.now;
            let from = if is_put_off { nanos(unsent.not_before) } else { now };
            let Some((line, buckets)) = pacer.buckets(decision.env.workspace, route) else {
                if is_put_off {
                    waiting.push(route);
                }
                continue;
            };
            let was_kept = state.places.contains_key(&line);
            match state.turn(line, buckets, from, will_send) {
                PaceTurn::Now => {
                    passes.taken.push((unsent.seq, Taken { line, buckets, was_kept }));
                    continue;
                }
                PaceTurn::Kept => {}
                PaceTurn::At(until) => held.push((unsent.seq, until)),
            }
            waiting.push(route);
            if !was_kept {
                passes.kept.push((line, buckets));
            }
        }
        drop(state);
        passes.next = held.iter().map(|(_, until)| *until).min();
        Paced { held, passes: Some(Box::new(passes)) }
    }

    /// The shortest pause of a loop before what is due next, while others are being worked: what
    /// waits for its token is not to wait for the loop.
    pub(super) fn paced_look(&self, left: Duration) -> Option<Duration> {
        const SOON: Duration = Duration::from_millis(10);
        self.ports.pacer.as_ref().filter(|_| left > Duration::ZERO).map(|_| SOON)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Nanos = 1_000 * MILLI;
    const START: Nanos = 1_778_141_663 * SECOND;

    fn buckets(line: u64) -> Buckets {
        let contact = Rate::every(Duration::from_secs(6)).burst(2);
        Buckets([Some((0, Rate::per_second(80).burst(10))), Some((line, contact))])
    }

    #[test]
    fn nothing_is_kept_of_those_whose_buckets_are_full_again() {
        let mut state = PacerState::default();
        for line in 1..=100_000_u64 {
            let now = state.advance(START + Nanos::from(line) * SECOND);
            assert_eq!(state.turn(line, buckets(line), now, true), PaceTurn::Now);
            assert!(state.buckets.len() < 2_000, "{}", state.buckets.len());
        }
        // A crowd that waits is kept as long as it waits, and the room is given back.
        for line in 1..=100_000 {
            let now = state.advance(START + 100_010 * SECOND);
            let _ = state.turn(line, buckets(line), now, true);
        }
        assert_eq!(state.places.len(), 100_000 - 10);
        let _ = state.advance(START + 200_000 * SECOND);
        assert_eq!((state.places.len(), state.buckets.len()), (0, 0));
        assert!(state.places.capacity() <= FEW * 2 && state.buckets.capacity() <= FEW * 2);
    }

    #[test]
    fn ten_thousand_who_wait_are_a_single_run() {
        let mut state = PacerState::default();
        let now = state.advance(START);
        for line in 1..=10_010 {
            let turn = state.turn(line, buckets(line), now, true);
            let waits = i64::try_from(line).unwrap() - 10;
            let at = Nanos::from(waits) * SECOND / 80;
            assert_eq!(
                turn,
                if waits > 0 { PaceTurn::At(instant(whole_millis(now + at))) } else { PaceTurn::Now }
            );
        }
        assert_eq!(state.buckets[&0].kept.0.len(), 1);
        for line in (12..=10_010).step_by(2) {
            state.give_up_place(line, buckets(line));
        }
        assert_eq!(state.buckets[&0].kept.0.len(), 5_000);
        let turn = state.turn(20_000, buckets(20_000), now, true);
        assert_eq!(turn, PaceTurn::At(instant(now + 25 * MILLI)), "the first that came free");
    }

    #[test]
    fn who_waits_for_the_contact_holds_up_nobody_of_the_account() {
        let mut state = PacerState::default();
        let now = state.advance(START);
        for _ in 0..2 {
            assert_eq!(state.turn(1, buckets(1), now, true), PaceTurn::Now);
        }
        assert_eq!(state.turn(1, buckets(1), now, true), PaceTurn::At(instant(now + 6 * SECOND)));
        for line in 2..10 {
            assert_eq!(state.turn(line, buckets(line), now, true), PaceTurn::Now);
        }
        assert_eq!(
            state.turn(10, buckets(10), now, true),
            PaceTurn::At(instant(whole_millis(now + SECOND / 80)))
        );
    }

    #[test]
    fn an_account_with_tokens_but_a_slow_rate_keeps_one_of_those_it_has() {
        let account = Rate::every(Duration::from_secs(60)).burst(100);
        let contact = Rate::every(Duration::from_secs(6));
        let buckets = Buckets([Some((0, account)), Some((1, contact))]);
        let mut state = PacerState::default();
        let now = state.advance(START);
        assert_eq!(state.turn(1, buckets, now, true), PaceTurn::Now);
        assert_eq!(state.turn(1, buckets, now, true), PaceTurn::At(instant(now + 6 * SECOND)));
    }

    #[test]
    fn runs_are_joined_and_split() {
        let mut runs = Runs::default();
        for number in [5, 7, 6, 9, 1] {
            runs.insert(number);
        }
        assert_eq!(runs.0, BTreeMap::from([(1, 1), (5, 7), (9, 9)]));
        assert_eq!([0, 1, 5, 6, 8, 9].map(|from| runs.first_free(from)), [0, 2, 8, 8, 8, 10]);
        runs.remove(6);
        runs.remove(8);
        assert_eq!(runs.0, BTreeMap::from([(1, 1), (5, 5), (7, 7), (9, 9)]));
        runs.insert(8);
        assert_eq!(runs.take_until(8), 4);
        assert_eq!(runs.0, BTreeMap::from([(9, 9)]));
    }
}
