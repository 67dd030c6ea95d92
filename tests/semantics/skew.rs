//! Engines whose clock is far from the one that their store tells (SEMANTICS S20).

use std::collections::HashSet;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use chatflow::address::Phone;
use chatflow::observer::{BackgroundTask, EventKind};
use chatflow::store::{
    ConversationStore, Due, DynStore, Leased, Purge, Purged, Settle, Settled, SharedFlows, StoreQueries,
    Token,
};
use chatflow::testkit::{ManualClock, Recorder};
use chatflow::{
    Address, Builder, Channel, Clock, ContactId, Engine, Error, Event, Inbound, MemoryStore, Observer,
    Received, SessionId, Status, StoreError, TriggerRequest, Triggered,
};
use chrono::{DateTime, TimeDelta, Utc};
use pollster::block_on;
use serde_json::json;

use crate::handing_on::hand_on;
use crate::kit::{ADA, BOB, SHOP, flow, question};

/// A store that machines share: it tells the time of its own clock.
struct Told {
    store: MemoryStore,
    clock: ManualClock,
    /// As long as it is true, it tells none.
    is_silent: AtomicBool,
    /// The claims that it was asked for, beside those of nothing.
    claims: Mutex<Vec<usize>>,
    purges: Mutex<u32>,
    /// Done before something is settled, once.
    meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl ConversationStore for Told {
    hand_on! { store: load, commit, live, erase }
    async fn settle(&self, settle: &Settle) -> Result<Settled, StoreError> {
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
        self.store.settle(settle).await
    }
    fn flow_store(&self) -> Option<SharedFlows> {
        self.store.flow_store()
    }
    async fn lease_due(&self, due: &Due) -> Result<Leased, StoreError> {
        let leased = self.store.lease_due(due).await?;
        self.claims.lock().unwrap().extend((due.limit > 0).then_some(leased.conversations.len()));
        let store_time = (!self.is_silent.load(Ordering::SeqCst)).then(|| self.clock.now());
        Ok(Leased { store_time, ..leased })
    }
    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        *self.purges.lock().unwrap() += 1;
        self.store.purge(purge).await
    }
}

impl StoreQueries for Told {
    hand_on! { store: queries }
}

/// Keeps what it sees.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<(Vec<Event>, Vec<String>)>>);

impl Observer for Seen {
    fn observe(&self, event: &Event) {
        self.0.lock().unwrap().0.push(event.clone());
    }
    fn failed(&self, doing: BackgroundTask, error: &Error) {
        self.0.lock().unwrap().1.push(format!("{} {}", doing.as_str(), error.code()));
    }
}

impl Seen {
    /// The two clocks of each event that tells of them.
    fn skews(&self) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
        let of = |event: &Event| match event.kind {
            EventKind::ClockSkew { engine, store } => Some((engine, store)),
            _ => None,
        };
        self.0.lock().unwrap().0.iter().filter_map(of).collect()
    }

    fn failures(&self) -> Vec<String> {
        self.0.lock().unwrap().1.clone()
    }
}

/// A process.
struct Process {
    bot: Engine<Arc<Told>>,
    clock: ManualClock,
    channel: Recorder,
    seen: Seen,
}

impl Process {
    fn built(
        store: &Arc<Told>,
        off: TimeDelta,
        with: impl FnOnce(Builder<Arc<Told>>) -> Builder<Arc<Told>>,
    ) -> Self {
        let (clock, channel, seen) =
            (ManualClock::at(store.clock.now() + off), Recorder::new(), Seen::default());
        let builder = Engine::builder(Arc::clone(store)).clock(clock.clone()).transport(channel.clone());
        Self { bot: with(builder.observer(seen.clone())).build(), clock, channel, seen }
    }

    /// One whose clock is so far from the store's.
    fn off(store: &Arc<Told>, off: TimeDelta) -> Self {
        Self::built(store, off, |builder| builder)
    }

    fn start(&self, flow: &str, phone: &str) -> SessionId {
        match block_on(self.bot.trigger(TriggerRequest::new(flow).phone(phone))).unwrap() {
            Triggered::Started(session) => session.session_id,
            other => panic!("{other:?}"),
        }
    }

    fn say(&self, phone: &str, text: &str, id: &str) -> Result<Received, Error> {
        let inbound = Inbound::text(Channel::WhatsApp, SHOP, phone, text);
        block_on(self.bot.receive(if id.is_empty() { inbound } else { inbound.id(id) }))
    }

    fn state(&self, session: SessionId) -> Status {
        block_on(self.bot.session(session)).unwrap().unwrap().session().status()
    }

    /// Ticks until nothing is due.
    fn tick(&self) {
        while block_on(self.bot.tick(100)).unwrap().worked > 0 {}
    }

    fn refused_tick(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        match block_on(self.bot.tick(100)).unwrap_err() {
            Error::ClockSkew { engine, store } => (engine, store),
            other => panic!("{other:?}"),
        }
    }
}

fn shared() -> Arc<Told> {
    Arc::new(Told {
        store: MemoryStore::new(),
        clock: ManualClock::default(),
        is_silent: AtomicBool::new(false),
        claims: Mutex::default(),
        purges: Mutex::default(),
        meanwhile: Mutex::default(),
    })
}

/// The store, and a process whose clock agrees with it; flows are published.
fn scene() -> (Arc<Told>, Process) {
    let store = shared();
    let right = Process::off(&store, TimeDelta::zero());
    let reminder = json!({"before": "10m", "node": "nudge"});
    for sketch in [
        question("q"),
        flow("slow").send("hi", "hi").delay("rest", "20m").send("late", "late"),
        flow("asks").send("ask", "ask").wait_for("wait", "10m").send("bye", "bye"),
        flow("reminds").set("reminder", reminder).send("ask", "ask").wait("wait").apart(
            "nudge",
            "send_message",
            json!({"text": "still there?"}),
        ),
    ] {
        block_on(right.bot.flows().ensure(&sketch.json())).unwrap();
    }
    (store, right)
}

/// Time passes, for the store and for everybody.
fn pass(store: &Told, processes: &[&Process], span: TimeDelta) {
    store.clock.advance(span);
    processes.iter().for_each(|process| process.clock.advance(span));
}

fn days(days: i64) -> TimeDelta {
    TimeDelta::days(days)
}

fn minutes(minutes: i64) -> TimeDelta {
    TimeDelta::minutes(minutes)
}

/// SEMANTICS S20: ahead or behind, a tick ends, sends and removes nothing, and says which clock
/// shows what.
#[test]
fn a_tick_does_nothing_under_a_clock_that_is_far_off() {
    for off in [days(400), days(-400), minutes(6), minutes(-6)] {
        let (store, right) = scene();
        let sessions: Vec<SessionId> = [("q", ADA), ("slow", "+14155550111"), ("asks", BOB)]
            .iter()
            .map(|(flow, phone)| right.start(flow, phone))
            .chain([right.start("reminds", "+14155550112")])
            .collect();
        pass(&store, &[&right], minutes(1));
        let before: Vec<_> = sessions.iter().map(|id| right.state(*id)).collect();
        let wrong = Process::off(&store, off);
        store.claims.lock().unwrap().clear();
        for _ in 0..3 {
            assert_eq!(wrong.refused_tick(), (wrong.clock.now(), store.clock.now()), "{off}");
        }
        let error = block_on(wrong.bot.tick(100)).unwrap_err();
        assert_eq!((error.code(), error.http_status(), error.is_retryable()), ("clock_skew", 503, true));
        let text = error.to_string();
        assert!(
            text.contains(&wrong.clock.now().to_string()) && text.contains(&store.clock.now().to_string())
        );
        assert_eq!(wrong.seen.skews(), [(wrong.clock.now(), store.clock.now()); 4]);
        assert_eq!(wrong.seen.failures(), ["claim clock_skew"; 4]);
        assert!(store.claims.lock().unwrap().is_empty(), "nothing is even claimed");
        assert_eq!(*store.purges.lock().unwrap(), 0);
        assert!(wrong.channel.sent().is_empty());
        let after: Vec<_> = sessions.iter().map(|id| right.state(*id)).collect();
        assert_eq!(before, after, "{off}");

        // And for those whose clock is right all comes at its time.
        pass(&store, &[&right], minutes(10));
        right.tick();
        assert_eq!(right.state(sessions[2]), Status::Expired, "{off}");
        assert_eq!(right.state(sessions[0]), Status::Waiting);
        pass(&store, &[&right], minutes(10));
        right.tick();
        assert_eq!(right.state(sessions[1]), Status::Completed);
        pass(&store, &[&right], minutes(10));
        right.tick();
        assert_eq!(right.state(sessions[0]), Status::Expired);
    }
}

/// SEMANTICS S20: the event is about the process, not about a contact.
#[test]
fn the_event_names_no_contact() {
    let (store, _) = scene();
    let wrong = Process::off(&store, days(400));
    wrong.refused_tick();
    let events = wrong.seen.0.lock().unwrap().0.clone();
    let nobody = ContactId::new("00000000-0000-0000-0000-000000000000").unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].kind.name(), &events[0].contact, events[0].session), ("clock_skew", &nobody, None));
}

/// SEMANTICS S20: what is within the bound is trusted, to the millisecond; the bound is a setting.
#[test]
fn the_bound_is_max_skew() {
    let (store, right) = scene();
    let asked = right.start("asks", ADA);
    for off in [minutes(5), minutes(-5)] {
        assert!(block_on(Process::off(&store, off).bot.tick(0)).is_ok());
        let beyond = off + TimeDelta::milliseconds(off.num_milliseconds().signum());
        assert_eq!(block_on(Process::off(&store, beyond).bot.tick(0)).unwrap_err().code(), "clock_skew");
    }
    let built = |off, most| Process::built(&store, off, |builder| builder.max_skew(most));
    let hour = Duration::from_secs(3_600);
    assert!(block_on(built(minutes(59), hour).bot.tick(0)).is_ok());
    assert!(block_on(built(minutes(61), hour).bot.tick(0)).is_err());
    // Less than a second is no bound.
    assert!(block_on(built(TimeDelta::seconds(1), Duration::ZERO).bot.tick(0)).is_ok());
    assert!(block_on(built(TimeDelta::seconds(2), Duration::ZERO).bot.tick(0)).is_err());
    // This is what it protects from.
    let trusting = built(days(400), Duration::MAX);
    trusting.tick();
    assert!(block_on(right.bot.session(asked)).unwrap().is_none(), "ended, and removed after its retention");
}

/// SEMANTICS S20: stores that tell no time are on one machine.
#[test]
fn where_a_store_tells_no_time_the_engine_is_right() {
    let (store, right) = scene();
    let asked = right.start("asks", ADA);
    store.is_silent.store(true, Ordering::SeqCst);
    let alone = Process::off(&store, days(400));
    alone.tick();
    assert!(block_on(right.bot.session(asked)).unwrap().is_none(), "ended, and removed after its retention");
}

/// SEMANTICS S20: messages and triggers are taken at the store's time, which ends nothing early and
/// makes nothing last.
#[test]
fn calls_under_a_clock_that_is_far_off_go_by_the_store() {
    for off in [days(400), days(-400)] {
        let (store, right) = scene();
        let (answered, left) = (right.start("q", ADA), right.start("slow", ADA));
        pass(&store, &[&right], minutes(25));
        // "slow" is over by the store's clock: a call applies that in its time, once nobody doubts
        // it.
        right.tick();
        assert_eq!(right.state(left), Status::Completed);
        let other = right.start("asks", ADA);
        let wrong = Process::off(&store, off);
        let taken = wrong.say(ADA, "fine", "m1").unwrap();
        assert_eq!(taken, Received::Consumed { session: other }, "{off}");
        assert_eq!(right.state(other), Status::Completed);
        assert_eq!(right.state(answered), Status::Waiting);
        assert_eq!(wrong.channel.take_texts(), ["bye"], "it leaves in the call");

        // Sessions that begin there end as if they had begun anywhere.
        let new = wrong.start("asks", BOB);
        assert_eq!(wrong.channel.take_texts(), ["ask"]);
        pass(&store, &[&right], minutes(9));
        right.tick();
        assert_eq!(right.state(new), Status::Waiting, "{off}");
        assert_eq!(right.state(answered), Status::Expired, "30 minutes are over");
        pass(&store, &[&right], minutes(2));
        right.tick();
        assert_eq!(right.state(new), Status::Expired, "{off}");
    }
}

/// SEMANTICS S20, T5, I2: neither a key nor a message id is forgotten early.
#[test]
fn keys_and_message_ids_are_kept_whatever_a_clock_shows() {
    let (store, right) = scene();
    let request = || TriggerRequest::new("q").phone(ADA).uuid("key");
    let first = block_on(right.bot.trigger(request())).unwrap().session().unwrap().session_id;
    let Received::Consumed { session } = right.say(ADA, "fine", "m1").unwrap() else { panic!("not taken") };
    assert_eq!(session, first);
    let wrong = Process::off(&store, days(400));
    let again = block_on(wrong.bot.trigger(request())).unwrap();
    assert_eq!(again.session().map(|again| (again.session_id, again.replayed)), Some((first, true)));
    let is_known = |received: Result<Received, Error>| matches!(received, Ok(Received::Duplicate { .. }));
    assert!(is_known(wrong.say(ADA, "fine", "m1")));
    wrong.start("q", ADA);
    assert!(matches!(wrong.say(ADA, "fine", "m2"), Ok(Received::Consumed { .. })));
    assert!(is_known(right.say(ADA, "fine", "m1")));
    assert!(is_known(right.say(ADA, "fine", "m2")));
}

/// SEMANTICS S20: what is due by the store's clock only is in doubt, and the conversation is left
/// as it is.
#[test]
fn what_one_clock_says_is_due_is_left_alone() {
    let (store, right) = scene();
    let asked = right.start("asks", ADA);
    let behind = Process::off(&store, TimeDelta::zero());
    pass(&store, &[&right], minutes(40));
    let refused = behind.say(ADA, "fine", "m1").unwrap_err();
    assert_eq!((refused.code(), refused.is_retryable()), ("clock_skew", true));
    assert_eq!(right.state(asked), Status::Waiting, "neither answered nor ended");
    let refused = block_on(behind.bot.trigger(TriggerRequest::new("q").phone(ADA))).unwrap_err();
    assert_eq!(refused.code(), "clock_skew");
    assert!(behind.channel.sent().is_empty());
    // It comes again, to a process that knows.
    assert_eq!(right.say(ADA, "fine", "m1").unwrap(), Received::Unmatched);
    assert_eq!(right.state(asked), Status::Expired);
}

/// SEMANTICS S20, I6: who does not want to be written to is heard whatever the time.
#[test]
fn words_of_opting_out_and_cancels_work_in_doubt() {
    let (store, right) = scene();
    let (asked, other) = (right.start("asks", ADA), right.start("asks", BOB));
    let behind = Process::off(&store, TimeDelta::zero());
    pass(&store, &[&right], minutes(40));
    let heard = behind.say(ADA, "stop", "m1").unwrap();
    assert!(matches!(heard, Received::Keyword { .. }), "{heard:?}");
    assert_eq!(right.state(asked), Status::Cancelled);
    block_on(behind.bot.cancel(other)).unwrap();
    assert_eq!(right.state(other), Status::Cancelled);
}

/// SEMANTICS S20: a claim that the store answers with a far time is given back as it was.
#[test]
fn what_was_claimed_is_given_back_untouched() {
    let (store, right) = scene();
    let asked: Vec<SessionId> =
        (0..40).map(|number| right.start("asks", &format!("+14155550{number:03}"))).collect();
    pass(&store, &[&right], minutes(10) - TimeDelta::seconds(1));
    right.tick();
    // The engine's clock was right a moment ago; now the store's is another, as after a failover.
    pass(&store, &[&right], TimeDelta::seconds(2));
    let time = store.clock.now();
    store.claims.lock().unwrap().clear();
    store.clock.set(time - days(400));
    assert_eq!(right.refused_tick(), (time, time - days(400)));
    assert_eq!(*store.claims.lock().unwrap(), [32], "no more than there are hands");
    right.refused_tick();
    assert_eq!(store.claims.lock().unwrap().len(), 1, "and not again");
    assert_eq!(right.channel.sent().len(), 40, "nothing but the questions");
    store.clock.set(time);
    let claim = Due {
        now: time,
        token: Token(uuid::Uuid::from_u128(7)),
        lease: Duration::from_secs(1),
        limit: 100,
        suspects: false,
    };
    let leased = block_on(store.store.lease_due(&claim)).unwrap().conversations;
    let names: HashSet<String> = leased.iter().map(|leased| leased.stored.contact.to_string()).collect();
    assert_eq!(names.len(), 40, "all are free, and due at once");
    assert!(leased.iter().all(|leased| leased.claims == 1), "no attempt was counted");
    assert!(asked.iter().all(|session| right.state(*session) == Status::Waiting));
}

/// SEMANTICS S20: also a conversation that somebody changed meanwhile; it is due when it is now.
#[test]
fn what_changed_meanwhile_is_given_back_as_it_is_now() {
    for says in [true, false] {
        let (store, right) = scene();
        right.start("asks", ADA);
        pass(&store, &[&right], minutes(10) - TimeDelta::seconds(1));
        right.tick();
        pass(&store, &[&right], TimeDelta::seconds(2));
        let time = store.clock.now();
        let other = Process::off(&store, TimeDelta::zero());
        let at = Address::Phone(Phone::parse(ADA).unwrap());
        let is_changed = Arc::new(AtomicBool::new(false));
        let changed = Arc::clone(&is_changed);
        let contact = block_on(right.bot.contact_at(&at)).unwrap().unwrap().id;
        *store.meanwhile.lock().unwrap() = Some(Box::new(move || {
            let until = time + minutes(30);
            match says {
                true => block_on(other.bot.pause(&contact, Some(until))).unwrap(),
                false => block_on(other.bot.opt_in(&contact)).unwrap(),
            }
            changed.store(true, Ordering::SeqCst);
        }));
        store.clock.set(time - days(400));
        right.refused_tick();
        store.clock.set(time);
        assert!(is_changed.load(Ordering::SeqCst));
        let claim = |now, token| Due {
            now,
            token: Token(uuid::Uuid::from_u128(token)),
            lease: Duration::from_secs(1),
            limit: 100,
            suspects: false,
        };
        let leased = block_on(store.store.lease_due(&claim(time, 7))).unwrap().conversations;
        assert_eq!(leased.len(), usize::from(!says), "it is free, and due when its pause is over");
        if says {
            let leased = block_on(store.store.lease_due(&claim(time + minutes(31), 8))).unwrap();
            assert_eq!(leased.conversations.len(), 1);
        }
    }
}

/// SEMANTICS S20: a clock that jumps is noticed before anything is claimed by it.
#[test]
fn a_clock_that_jumps_is_noticed_at_once() {
    let (store, right) = scene();
    let asked = right.start("asks", ADA);
    right.tick();
    right.clock.advance(days(400));
    store.claims.lock().unwrap().clear();
    right.refused_tick();
    assert!(store.claims.lock().unwrap().is_empty());
    right.clock.advance(days(-400));
    right.tick();
    assert_eq!(right.state(asked), Status::Waiting);
    assert_eq!(right.say(ADA, "fine", "m1").unwrap(), Received::Consumed { session: asked });
}

/// SEMANTICS S20, R1: a loop keeps trying, tells of it, and works once the clock is right.
#[test]
fn a_loop_goes_on_once_the_clock_is_right() {
    let (store, right) = scene();
    let asked = right.start("asks", ADA);
    pass(&store, &[&right], minutes(11));
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let (tells, clock) = (Arc::clone(&told), store.clock.clone());
    let wrong = Process::built(&store, days(400), |builder| {
        builder.on_error(move |doing, error| {
            tells.lock().unwrap().push(format!("{} {}", doing.as_str(), error.code()));
        })
    });
    let set_right = wrong.clock.clone();
    let naps = Mutex::new(0);
    let sleep = |_| {
        let mut naps = naps.lock().unwrap();
        *naps += 1;
        if *naps == 3 {
            set_right.set(clock.now());
        }
        let mut is_over = false;
        poll_fn(move |context| {
            context.waker().wake_by_ref();
            if std::mem::replace(&mut is_over, true) { Poll::Ready(()) } else { Poll::Pending }
        })
    };
    let stop = poll_fn(|context| {
        context.waker().wake_by_ref();
        match right.state(asked) {
            Status::Expired => Poll::Ready(()),
            _ => Poll::Pending,
        }
    });
    block_on(wrong.bot.run_until(stop, Duration::from_secs(1), sleep));
    assert_eq!(*told.lock().unwrap(), ["claim clock_skew"; 3]);
}

/// Rule 26 of `ConversationStore`: pointers and erased types carry it; a store on one machine tells
/// none.
#[test]
fn whatever_carries_a_store_carries_its_time() {
    let store = shared();
    let time = Some(store.clock.now());
    assert_eq!(block_on(Arc::clone(&store).time()).unwrap(), time);
    assert_eq!(block_on(ConversationStore::time(&&*store)).unwrap(), time);
    let erased = DynStore::new(Arc::clone(&store));
    assert_eq!(block_on(erased.time()).unwrap(), time);
    let nothing = Due {
        now: DateTime::UNIX_EPOCH,
        token: Token(uuid::Uuid::nil()),
        lease: Duration::ZERO,
        limit: 0,
        suspects: false,
    };
    assert_eq!(block_on(erased.lease_due(&nothing)).unwrap().store_time, time);
    assert_eq!(block_on(MemoryStore::new().time()).unwrap(), None);
    assert_eq!(block_on(MemoryStore::new().lease_due(&nothing)).unwrap().store_time, None);
}
