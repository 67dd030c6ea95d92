//! Calls that lose races against other processes: S17.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatflow::ops::EraseOptions;
use chatflow::store::{
    Commit, Committed, ConversationStore, Due, Erase, Loaded, Lookup, MemoryFlows, Removed, Settle, Settled,
    StoreQueries, Token,
};
use chatflow::testkit::Recorder;
use chatflow::{Builder, Clock, Engine, Error, MemoryStore, StoreError, TriggerRequest, Triggered};
use chrono::TimeDelta;
use pollster::block_on;

use crate::handing_on::hand_on;
use crate::kit::{ADA, flow};
use crate::virtual_time::VirtualTime;

/// A store in which another process was faster, so many times.
#[derive(Clone, Default)]
struct Contended {
    store: Arc<MemoryStore>,
    left: Arc<AtomicUsize>,
    /// Erasures that are lost yet.
    kept: Arc<AtomicUsize>,
    /// The lost races that each lookup told of.
    told: Arc<Mutex<Vec<u32>>>,
}

impl ConversationStore for Contended {
    hand_on! { store: settle, lease_due, live, purge }
    async fn erase(&self, erase: &Erase) -> Result<Option<Removed>, StoreError> {
        match self.kept.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
            Ok(_) => Ok(None),
            Err(_) => self.store.erase(erase).await,
        }
    }
    async fn load(&self, lookup: &Lookup) -> Result<Loaded, StoreError> {
        self.told.lock().unwrap().push(lookup.races);
        self.store.load(lookup).await
    }
    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        let is_left = |left: usize| left.checked_sub(1);
        match self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, is_left) {
            Ok(_) => Ok(Committed::Conflict),
            Err(_) => self.store.commit(commit).await,
        }
    }
}

impl StoreQueries for Contended {
    hand_on! { store: queries }
}

/// An engine whose next calls lose so many races, in virtual time.
struct Setting {
    time: VirtualTime,
    store: Contended,
    naps: Arc<Mutex<Vec<Duration>>>,
}

impl Setting {
    fn new() -> Self {
        Self { time: VirtualTime::new(), store: Contended::default(), naps: Arc::default() }
    }

    fn builder(&self) -> Builder<Contended> {
        Engine::builder(self.store.clone())
            .flow_store(MemoryFlows::default())
            .clock(self.time.clock.clone())
            .transport(Recorder::new())
    }

    fn timed(&self) -> Engine<Contended> {
        let (time, naps) = (self.time.clone(), Arc::clone(&self.naps));
        let sleep = move |nap| {
            naps.lock().unwrap().push(nap);
            time.sleep(nap)
        };
        self.ready(self.builder().timer(sleep).build())
    }

    fn ready(&self, engine: Engine<Contended>) -> Engine<Contended> {
        let text = flow("ask").send("hi", "Name?").wait("answer").json();
        block_on(engine.flows().ensure(&text)).unwrap();
        engine
    }

    fn trigger(&self, engine: &Engine<Contended>, races: usize) -> (Result<Triggered, Error>, TimeDelta) {
        self.store.left.store(races, Ordering::SeqCst);
        let begun = self.time.clock.now();
        let answer = self.time.block_on(engine.trigger(TriggerRequest::new("ask").phone(ADA)));
        (answer, self.time.clock.now() - begun)
    }
}

/// SEMANTICS S17: however many races a call has lost, it tries for ten seconds; between its
/// attempts it waits for a part of at most 64 ms.
#[test]
fn contention_is_answered_after_a_time_and_never_after_a_count() {
    let setting = Setting::new();
    let engine = setting.timed();
    let (answer, took) = setting.trigger(&engine, usize::MAX);
    let error = answer.unwrap_err();
    assert!(matches!(error, Error::Contention) && error.is_retryable(), "{error}");
    assert!(took > TimeDelta::seconds(10) && took < TimeDelta::milliseconds(10_100), "{took}");
    let naps = setting.naps.lock().unwrap();
    assert!(naps.iter().all(|nap| *nap <= Duration::from_millis(64)), "{naps:?}");
    assert!(naps.iter().filter(|nap| **nap > Duration::from_millis(32)).count() > naps.len() / 4);
    assert!(naps.len() > 10_000 / 64, "{}", naps.len());
}

/// SEMANTICS S17.
#[test]
fn a_call_that_lost_races_tells_the_store_and_is_done_in_the_end() {
    let setting = Setting::new();
    let engine = setting.timed();
    setting.store.told.lock().unwrap().clear();
    let (answer, took) = setting.trigger(&engine, 50);
    assert!(matches!(answer, Ok(Triggered::Started(_))), "{answer:?}");
    assert!(took < TimeDelta::seconds(4), "{took}");
    let told = setting.store.told.lock().unwrap();
    assert_eq!(told[..51], (0..51).collect::<Vec<_>>());
}

/// SEMANTICS S17: the first race is lost to somebody who is done, so that nothing is waited for.
#[test]
fn after_one_lost_race_a_call_decides_again_at_once() {
    let setting = Setting::new();
    let engine = setting.timed();
    let (answer, _) = setting.trigger(&engine, 1);
    assert!(matches!(answer, Ok(Triggered::Started(_))), "{answer:?}");
    assert!(setting.naps.lock().unwrap().is_empty());
}

/// SEMANTICS S17: two engines that lose the same races do not wait for the same times.
#[test]
fn each_call_waits_for_times_of_its_own() {
    let naps = [1, 2].map(|_| {
        let setting = Setting::new();
        let engine = setting.timed();
        let (answer, _) = setting.trigger(&engine, 8);
        assert!(matches!(answer, Ok(Triggered::Started(_))), "{answer:?}");
        setting.naps.lock().unwrap().clone()
    });
    assert_eq!(naps[0].len(), 7);
    assert_ne!(naps[0], naps[1]);
}

/// SEMANTICS S17: without a timer a call that lost a race only lets others go first.
#[test]
fn without_a_timer_lost_races_are_tried_again() {
    let setting = Setting::new();
    let engine = setting.ready(setting.builder().build());
    let (answer, took) = setting.trigger(&engine, 50);
    assert!(matches!(answer, Ok(Triggered::Started(_))), "{answer:?}");
    assert_eq!(took, TimeDelta::zero());
}

/// SEMANTICS S17: by how much time has passed, not by how often a race was lost, also while the
/// time of day shows the same.
#[test]
fn a_thousand_races_within_a_millisecond_are_no_contention() {
    let setting = Setting::new();
    let engine = setting.ready(setting.builder().build());
    let (answer, took) = setting.trigger(&engine, 1_000);
    assert!(matches!(answer, Ok(Triggered::Started(_))), "{answer:?}");
    assert_eq!(took, TimeDelta::zero());
}

/// SEMANTICS S17: erasing and releasing are calls like all others.
#[test]
fn erasing_is_tried_for_ten_seconds() {
    let setting = Setting::new();
    let engine = setting.timed();
    let contact = setting.trigger(&engine, 0).0.unwrap().session().unwrap().contact_id.clone();
    setting.store.kept.store(100, Ordering::SeqCst);
    let erased = setting.time.block_on(engine.erase(&contact, EraseOptions::new())).unwrap();
    assert_eq!(erased.sessions, 1);

    let contact = setting.trigger(&engine, 0).0.unwrap().session().unwrap().contact_id.clone();
    setting.store.kept.store(usize::MAX, Ordering::SeqCst);
    let begun = setting.time.clock.now();
    let error = setting.time.block_on(engine.erase(&contact, EraseOptions::new())).unwrap_err();
    let took = setting.time.clock.now() - begun;
    assert!(matches!(error, Error::Contention), "{error}");
    assert!(took > TimeDelta::seconds(10) && took < TimeDelta::milliseconds(10_100), "{took}");
}

/// SEMANTICS S17
#[test]
fn releasing_is_tried_again_after_a_lost_race() {
    let setting = Setting::new();
    let engine = setting.timed();
    let contact = setting.trigger(&engine, 0).0.unwrap().session().unwrap().contact_id.clone();
    setting.time.clock.advance(TimeDelta::hours(1));
    let due = Due {
        now: setting.time.clock.now(),
        token: Token(uuid::Uuid::from_u128(7)),
        lease: Duration::from_secs(60),
        limit: 1,
        suspects: false,
    };
    let claimed = block_on(setting.store.store.lease_due(&due)).unwrap().conversations.remove(0);
    let aside = Settle {
        workspace: claimed.workspace.clone(),
        contact: contact.clone(),
        token: due.token,
        revision: claimed.stored.revision,
        settled: claimed.stored.settled,
        due_at: None,
        quarantine: true,
        now: due.now,
    };
    assert_eq!(block_on(setting.store.store.settle(&aside)).unwrap(), Settled::Done);
    setting.store.left.store(50, Ordering::SeqCst);
    assert!(setting.time.block_on(engine.release(&contact)).unwrap());
    assert!(!setting.time.block_on(engine.release(&contact)).unwrap());
}
