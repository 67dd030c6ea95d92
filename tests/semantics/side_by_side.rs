//! Conversations are worked side by side, each send has a deadline, a loop ends in good order: S15,
//! S16, D5, R1.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chatflow::observer::EventKind;
use chatflow::ops::Rehearsal;
use chatflow::store::MemoryFlows;
use chatflow::talk::Line;
use chatflow::testkit::{Fault, Faulty, Recorder, StoreOperation};
use chatflow::{Builder, Clock, Engine, MemoryStore, Outbound, Transport, TriggerRequest, send_fn};
use chrono::TimeDelta;
use pollster::block_on;
use serde_json::json;

use crate::kit::*;
use crate::virtual_time::VirtualTime;

type Store = std::sync::Arc<MemoryStore>;

/// Contacts that each have a message due, on an engine whose deliveries a tick does.
struct Crowd {
    time: VirtualTime,
    store: Store,
    flows: std::sync::Arc<MemoryFlows>,
    wire: Recorder,
}

impl Crowd {
    /// So many contacts, `+1415555NNNN`.
    fn due(count: usize) -> Self {
        let crowd = Self {
            time: VirtualTime::new(),
            store: Store::default(),
            flows: std::sync::Arc::default(),
            wire: Recorder::new(),
        };
        let bot = crowd.builder().deferred_delivery().build();
        block_on(bot.flows().ensure(&flow("one").send("hi", "Hi").json())).unwrap();
        for number in 0..count {
            let request = TriggerRequest::new("one").phone(phone(number));
            let _ = block_on(bot.trigger(request)).unwrap();
        }
        crowd
    }

    fn builder(&self) -> Builder<Store> {
        Engine::builder(self.store.clone()).flow_store(self.flows.clone()).clock(self.time.clock.clone())
    }

    /// Takes each message after this time; what goes to a `stuck` contact never ends.
    fn slow(&self, time: Duration, stuck: &'static [usize]) -> Builder<Store> {
        let (clock, wire) = (self.time.clone(), self.wire.clone());
        let stuck: BTreeSet<String> = stuck.iter().map(|number| phone(*number)).collect();
        self.builder().transport(send_fn(move |message: Outbound| {
            let (sleep, wire) = (clock.sleep(time), wire.clone());
            let is_stuck = stuck.contains(&message.to().to_string());
            async move {
                if is_stuck {
                    std::future::pending::<()>().await;
                }
                sleep.await;
                wire.send(&message).await
            }
        }))
    }

    fn sent(&self) -> BTreeSet<String> {
        self.wire.sent().iter().map(|message| message.to().to_string()).collect()
    }
}

fn phone(number: usize) -> String {
    format!("+1415555{number:04}")
}

/// S15: a thousand sends of half a second take a 32nd of the time that they take one after the
/// other.
#[test]
fn conversations_are_worked_side_by_side() {
    let crowd = Crowd::due(1_000);
    let bot = crowd.slow(Duration::from_millis(500), &[]).build();
    let began = crowd.time.clock.now();
    let ticked = crowd.time.block_on(bot.tick(1_000)).unwrap();
    let took = crowd.time.clock.now() - began;
    assert_eq!((ticked.worked, crowd.sent().len()), (1_000, 1_000));
    assert!(took <= TimeDelta::milliseconds(18_750), "{took}");
}

/// S15
#[test]
fn forty_short_sends_take_two_of_them() {
    let crowd = Crowd::due(40);
    let bot = crowd.slow(Duration::from_millis(50), &[]).build();
    let began = crowd.time.clock.now();
    let _ = crowd.time.block_on(bot.tick(100)).unwrap();
    let took = crowd.time.clock.now() - began;
    assert!(crowd.sent().len() == 40 && took <= TimeDelta::milliseconds(100), "{took}");
}

/// S15: nobody waits for one that never ends; without a timer only the tick itself does.
#[test]
fn a_send_that_never_ends_keeps_its_own_hand_only() {
    let crowd = Crowd::due(100);
    let bot = crowd.slow(Duration::from_millis(500), &[0]).build();
    let began = crowd.time.clock.now();
    assert!(crowd.time.run_for(TimeDelta::seconds(3), bot.tick(100)).is_none(), "it waits for the one");
    assert!(crowd.time.clock.now() - began <= TimeDelta::seconds(3));
    assert_eq!(crowd.sent().len(), 99);
}

/// S15: hands that are free are refilled, however few they are.
#[test]
fn one_free_hand_of_eight_works_all_others() {
    let crowd = Crowd::due(107);
    let bot = crowd.slow(Duration::from_millis(10), &[0, 1, 2, 3, 4, 5, 6]).width(8).build();
    assert!(crowd.time.run_for(TimeDelta::seconds(10), bot.tick(107)).is_none(), "it waits for the seven");
    assert_eq!(crowd.sent().len(), 100);

    let crowd = Crowd::due(107);
    let bot = crowd.slow(Duration::from_millis(10), &[0, 1, 2, 3, 4, 5, 6]).width(8).build();
    let stop = crowd.time.sleep(Duration::from_secs(10));
    let sent = async {
        stop.await;
        crowd.sent().len()
    };
    assert_eq!(crowd.time.block_on(bot.run_until(sent, Duration::from_secs(1), crowd.time.timer())), 100);
}

/// D5: a send that does not end in time is tried again under its id, and is no strike against its
/// contact.
#[test]
fn a_send_that_never_ends_is_put_off() {
    let crowd = Crowd::due(3);
    let bot = crowd.slow(Duration::from_millis(500), &[1]).timer(crowd.time.timer()).build();
    let began = crowd.time.clock.now();
    let ticked = crowd.time.block_on(bot.tick(10)).unwrap();
    assert_eq!((ticked.worked, crowd.sent().len()), (3, 2));
    assert_eq!(crowd.time.clock.now() - began, TimeDelta::seconds(20));
    for _ in 0..30 {
        crowd.time.clock.advance(TimeDelta::minutes(10));
        let _ = crowd.time.block_on(bot.tick(10)).unwrap();
    }
    let healed = crowd.slow(Duration::ZERO, &[]).build();
    crowd.time.clock.advance(TimeDelta::minutes(10));
    let _ = crowd.time.block_on(healed.tick(10)).unwrap();
    assert_eq!(crowd.sent().len(), 3, "thirty time-outs set nobody aside");
}

/// D5: `run` has a timer; one that hangs keeps nobody waiting, also not who comes later.
#[test]
fn a_loop_goes_on_beside_a_send_that_never_ends() {
    let crowd = Crowd::due(10);
    let bot = crowd.slow(Duration::from_millis(500), &[3]).build();
    let timer = crowd.time.timer();
    let late = async {
        crowd.time.sleep(Duration::from_secs(5)).await;
        let request = TriggerRequest::new("one").phone(phone(77));
        let deferred = crowd.builder().deferred_delivery().build();
        let _ = deferred.trigger(request).await.unwrap();
        crowd.time.sleep(Duration::from_secs(2)).await;
        crowd.sent().len()
    };
    assert_eq!(crowd.time.block_on(bot.run_until(late, Duration::from_secs(1), timer)), 10);
}

/// T8: one that hangs keeps its own hand only; answers stay in order.
#[test]
fn a_campaign_starts_others_beside_a_send_that_never_ends() {
    let crowd = Crowd::due(0);
    let bot = crowd.slow(Duration::from_millis(10), &[0]).build();
    let requests = (0..200).map(|number| TriggerRequest::new("one").phone(phone(number)).campaign("spring"));
    let mut campaign = bot.trigger_many(8, requests);
    assert!(crowd.time.run_for(TimeDelta::seconds(5), campaign.next()).is_none(), "the first one hangs");
    assert_eq!(crowd.sent().len(), 199);
}

/// T8: answers that wait for an earlier one are bounded; with a timer it ends, and all are told.
#[test]
fn a_campaign_keeps_64_answers_for_each_hand() {
    let crowd = Crowd::due(0);
    let requests =
        || (0..200).map(|number| TriggerRequest::new("one").phone(phone(number)).campaign("spring"));
    let bot = crowd.slow(Duration::from_millis(10), &[0]).build();
    let mut campaign = bot.trigger_many(2, requests());
    assert!(crowd.time.run_for(TimeDelta::seconds(5), campaign.next()).is_none());
    assert_eq!(crowd.sent().len(), 127);
    drop(campaign);

    let bot = crowd.slow(Duration::from_millis(10), &[0]).timer(crowd.time.timer()).build();
    let mut campaign = bot.trigger_many(2, requests().map(|request| request.campaign("summer")));
    while let Some(outcome) = crowd.time.block_on(campaign.next()) {
        let _ = outcome.unwrap();
    }
    assert_eq!((campaign.progress().done, campaign.progress().failed), (200, 0));
}

/// S15: what came due while others were worked is not late; what came due while nobody was there
/// is.
#[test]
fn a_backlog_makes_nothing_late_but_a_night_off_does() {
    for (is_off, sent) in [(false, 1_000), (true, 0)] {
        let crowd = Crowd::due(0);
        let timeout = flow("nudge").wait_for("ask", "1h").apart(
            "nudge",
            "send_message",
            json!({
            "text": "Still there?"}),
        );
        let timeout = timeout.edge("ask", "timeout", "nudge");
        let bot = crowd.slow(Duration::from_secs(10), &[]).width(1).build();
        block_on(bot.flows().ensure(&timeout.json())).unwrap();
        let _ = block_on(bot.tick(1)).unwrap();
        for number in 0..1_000 {
            let request = TriggerRequest::new("nudge").phone(phone(number));
            let _ = block_on(bot.trigger(request)).unwrap();
        }
        crowd.time.clock.advance(TimeDelta::hours(if is_off { 9 } else { 1 }));
        while crowd.time.block_on(bot.tick(100)).unwrap().worked > 0 {}
        assert_eq!(crowd.sent().len(), sent, "off: {is_off}");
    }
}

/// S15
#[test]
fn a_minute_is_sixty_seconds_to_a_rehearsal() {
    let json = flow("nudges")
        .send("a", "A")
        .delay("d1", "10s")
        .send("b", "B")
        .delay("d2", "20s")
        .send("c", "C")
        .json();
    let spoken = |steps: i32, step: TimeDelta| {
        let mut rehearsal = Rehearsal::of(&json).unwrap();
        let _ = rehearsal.start(json!({})).unwrap();
        for _ in 0..steps {
            let _ = rehearsal.pass(step).unwrap();
        }
        rehearsal.transcript().lines().iter().filter(|line| matches!(line, Line::Sent(_))).count()
    };
    assert_eq!((spoken(1, TimeDelta::minutes(1)), spoken(60, TimeDelta::seconds(1))), (3, 3));
}

/// S16: a contact whose send takes the process with it harms nobody beside it.
#[test]
fn neighbours_of_a_poisoned_contact_are_worked_and_not_set_aside() {
    let crowd = Crowd::due(60);
    // The first in the queue: the process ends in its send, ten times and more.
    for _ in 0..40 {
        let bot = crowd.slow(Duration::from_millis(500), &[0]).build();
        let _ = crowd.time.run_for(TimeDelta::milliseconds(400), async {
            while bot.tick(100).await.unwrap().worked > 0 {}
        });
        crowd.time.clock.advance(TimeDelta::seconds(61 + 64));
    }
    let bot = crowd.slow(Duration::ZERO, &[0]).build();
    for _ in 0..100 {
        let _ = crowd.time.run_for(TimeDelta::milliseconds(400), bot.tick(100));
        crowd.time.clock.advance(TimeDelta::seconds(61 + 64));
    }
    assert_eq!(crowd.sent().len(), 59, "all but the poisoned one");
    let aside = block_on(bot.quarantined(None)).unwrap();
    assert_eq!(aside.len(), 1);
}

/// The longest time from a message's turn until it left, of those that waited for less than the
/// given time.
#[derive(Clone, Default)]
struct LongestWait(std::sync::Arc<std::sync::Mutex<Vec<Duration>>>);

impl chatflow::Observer for LongestWait {
    fn observe(&self, event: &chatflow::Event) {
        if let (EventKind::Delivered { .. }, Some(lag)) = (&event.kind, event.lag) {
            self.0.lock().unwrap().push(lag);
        }
    }
}

/// S16: after a kill its neighbours, suspects all of them, are worked soon, however steady the
/// stream of other work is; and that does not wait for them for long, be it that they hang.
#[test]
fn suspects_are_worked_beside_a_steady_stream() {
    const HANG: &[usize] = &[0, 1, 2, 3];
    for (stuck, sent_of_32) in [(&[] as &[usize], 32), (HANG, 28)] {
        let crowd = Crowd::due(32);
        let killed = crowd.slow(Duration::from_millis(500), stuck).build();
        assert!(crowd.time.run_for(TimeDelta::milliseconds(100), killed.tick(100)).is_none());
        crowd.time.clock.advance(TimeDelta::seconds(62));
        let waits = LongestWait::default();
        let bot = crowd.slow(Duration::from_millis(500), stuck).observer(waits.clone()).build();
        let deferred = crowd.builder().deferred_delivery().build();
        let stream = async {
            for number in 0..1_800 {
                crowd.time.sleep(Duration::from_millis(100)).await;
                let request = TriggerRequest::new("one").phone(phone(1_000 + number));
                let _ = deferred.trigger(request).await.unwrap();
            }
            crowd.time.sleep(Duration::from_secs(10)).await;
        };
        crowd.time.block_on(bot.run_until(stream, Duration::from_secs(1), crowd.time.timer()));
        let sent = crowd.sent();
        let of_32 = (0..32).filter(|number| sent.contains(&phone(*number))).count();
        assert_eq!((of_32, sent.len() - of_32), (sent_of_32, 1_800), "stuck: {}", stuck.len());
        let waits = waits.0.lock().unwrap();
        let of_stream = waits.iter().filter(|wait| **wait < Duration::from_secs(60)).max().unwrap();
        assert!(*of_stream <= Duration::from_secs(12), "{of_stream:?}, stuck: {}", stuck.len());
    }
}

/// R1: what was begun ends, nothing else begins, and nothing is left under a lease.
#[test]
fn a_loop_that_is_stopped_ends_what_it_began() {
    let crowd = Crowd::due(100);
    let bot = crowd.slow(Duration::from_millis(500), &[]).width(10).build();
    let stop = crowd.time.sleep(Duration::from_millis(700));
    let began = crowd.time.clock.now();
    crowd.time.block_on(bot.run_until(stop, Duration::from_secs(1), crowd.time.timer()));
    assert_eq!((crowd.sent().len(), crowd.time.clock.now() - began), (20, TimeDelta::seconds(1)));
    let next = crowd.slow(Duration::ZERO, &[]).build();
    assert_eq!(block_on(next.tick(100)).unwrap().worked, 80);
    assert_eq!(crowd.wire.sent().len(), 100, "each once");
}

/// R1: a tick that is stopped ends what it began, claims nothing more, and leaves no lease.
#[test]
fn a_tick_that_is_stopped_ends_what_it_began() {
    let crowd = Crowd::due(100);
    let timer = crowd.time.timer();
    let bot = crowd.slow(Duration::from_millis(500), &[]).width(10).timer(timer).build();
    let stop = crowd.time.sleep(Duration::from_millis(700));
    let began = crowd.time.clock.now();
    let ticked = crowd.time.block_on(bot.tick_until(stop, 100)).unwrap();
    assert_eq!((ticked.worked, crowd.time.clock.now() - began), (20, TimeDelta::seconds(1)));
    assert_eq!(crowd.sent().len(), 20);
    let next = crowd.slow(Duration::ZERO, &[]).build();
    assert_eq!(block_on(next.tick_until(std::future::pending(), 100)).unwrap().worked, 80);
    assert_eq!(crowd.wire.sent().len(), 100, "each once");
}

/// R1: of a turn no further message is begun.
#[test]
fn a_tick_that_is_stopped_sends_no_further_message_of_a_turn() {
    let crowd = Crowd::due(0);
    let deferred = crowd.builder().deferred_delivery().build();
    let three = flow("three").send("one", "One").send("two", "Two").send("three", "Three");
    block_on(deferred.flows().ensure(&three.json())).unwrap();
    let _ = block_on(deferred.trigger(TriggerRequest::new("three").phone(phone(0)))).unwrap();
    let bot = crowd.slow(Duration::from_secs(7), &[]).timer(crowd.time.timer()).build();
    let began = crowd.time.clock.now();
    let stop = crowd.time.sleep(Duration::from_secs(1));
    assert_eq!(crowd.time.block_on(bot.tick_until(stop, 10)).unwrap().worked, 1);
    assert_eq!((crowd.wire.sent().len(), crowd.time.clock.now() - began), (1, TimeDelta::seconds(7)));
    let stuck = crowd.slow(Duration::ZERO, &[0]).timer(crowd.time.timer()).build();
    let (began, stop) = (crowd.time.clock.now(), crowd.time.sleep(Duration::from_secs(1)));
    let _ = crowd.time.block_on(stuck.tick_until(stop, 10)).unwrap();
    assert!(crowd.time.clock.now() - began <= TimeDelta::seconds(31), "half of the lease at most");
}

/// R1: one that never ends does not keep the loop from ending.
#[test]
fn a_loop_that_is_stopped_ends_within_a_bound() {
    let crowd = Crowd::due(1);
    let bot = crowd.slow(Duration::ZERO, &[0]).build();
    let stop = crowd.time.sleep(Duration::from_secs(1));
    let began = crowd.time.clock.now();
    crowd.time.block_on(bot.run_until(stop, Duration::from_secs(1), crowd.time.timer()));
    assert!(crowd.time.clock.now() - began <= TimeDelta::seconds(31));
}

/// R1: a dead database does not look like an idle bot.
#[test]
fn a_store_that_fails_under_a_loop_is_told() {
    let time = VirtualTime::new();
    let store = Faulty::new(std::sync::Arc::new(MemoryStore::new()));
    store.fail_always(Fault::Before);
    let told = std::sync::Arc::new(AtomicUsize::new(0));
    let count = told.clone();
    let bot = Engine::builder(store.clone())
        .clock(time.clock.clone())
        .on_error(move |doing, error| {
            assert!(matches!(error, chatflow::Error::Store(_)), "{doing:?}: {error}");
            count.fetch_add(1, Ordering::SeqCst);
        })
        .build();
    let stop = time.sleep(Duration::from_millis(2_500));
    time.block_on(bot.run_until(stop, Duration::from_secs(1), time.timer()));
    assert!(told.load(Ordering::SeqCst) >= 3 && store.log().contains(&StoreOperation::LeaseDue));
    let before = told.load(Ordering::SeqCst);
    assert!(block_on(bot.tick(10)).is_err());
    assert!(told.load(Ordering::SeqCst) > before);
}
