//! The pace of messages, and that of campaigns: D7, T8.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatflow::observer::EventKind;
use chatflow::pace::{Pace, Rate};
use chatflow::store::ConversationStore;
use chatflow::testkit::{Fault, Faulty, StoreOperation};
use chatflow::{
    Builder, Channel, Clock, Engine, Error, Inbound, MemoryStore, Outbound, Receipt, Received, SendError,
    TriggerRequest, Triggered, send_fn,
};
use chrono::{DateTime, TimeDelta, Utc};
use pollster::block_on;
use serde_json::json;

use crate::kit::*;
use crate::virtual_time::VirtualTime;
use crate::watched::Watched;

const OTHER_SHOP: &str = "+15550200";

/// A message that left: when, from where, to whom, what.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Departure {
    at: DateTime<Utc>,
    from: String,
    to: String,
    text: String,
}

/// An engine on a store in memory whose transport notes what leaves, in a time that jumps.
struct Street {
    time: VirtualTime,
    store: Arc<Faulty<Arc<MemoryStore>>>,
    flows: Arc<chatflow::store::MemoryFlows>,
    left: Arc<Mutex<Vec<Departure>>>,
    began: DateTime<Utc>,
}

impl Street {
    fn new() -> Self {
        let time = VirtualTime::new();
        let began = time.clock.now();
        let store = Arc::new(Faulty::new(Arc::new(MemoryStore::new())));
        Self { time, store, flows: Arc::default(), left: Arc::default(), began }
    }

    /// An engine whose sends take so long.
    fn engine(&self, send: Duration) -> Builder<Arc<Faulty<Arc<MemoryStore>>>> {
        let (time, left) = (self.time.clone(), self.left.clone());
        Engine::builder(self.store.clone())
            .flow_store(self.flows.clone())
            .clock(self.time.clock.clone())
            .timer(self.time.timer())
            .transport(send_fn(move |message: Outbound| {
                left.lock().unwrap().push(Departure {
                    at: time.clock.now(),
                    from: message.account().account.to_string(),
                    to: message.to().to_string(),
                    text: message.text().to_owned(),
                });
                let sleep = time.sleep(send);
                async move {
                    if send > Duration::ZERO {
                        sleep.await;
                    }
                    Ok::<_, SendError>(Receipt::new())
                }
            }))
    }

    fn left(&self) -> Vec<Departure> {
        self.left.lock().unwrap().clone()
    }

    /// Milliseconds since it all began.
    fn times(&self, of: impl Fn(&Departure) -> bool) -> Vec<i64> {
        let left = self.left();
        left.iter().filter(|one| of(one)).map(|one| (one.at - self.began).num_milliseconds()).collect()
    }

    fn millis(&self) -> Vec<i64> {
        self.times(|_| true)
    }

    fn claims(&self) -> usize {
        self.store.log().iter().filter(|op| **op == StoreOperation::LeaseDue).count()
    }

    fn ensure(&self, sketches: impl IntoIterator<Item = Sketch>) {
        let bot = self.engine(Duration::ZERO).build();
        for sketch in sketches {
            block_on(bot.flows().ensure(&sketch.json())).unwrap();
        }
    }
}

fn phone(number: usize) -> String {
    format!("+1415{number:07}")
}

fn request(flow: &str, number: usize) -> TriggerRequest {
    TriggerRequest::new(flow).phone(phone(number))
}

fn from_other_shop(code: &str) -> Sketch {
    flow(code).set("sender", json!({"channel": "whatsapp", "account": OTHER_SHOP}))
}

fn per_account(rate: Rate) -> Pace {
    Pace { per_account: Some(rate), ..Pace::default() }
}

fn per_contact(rate: Rate) -> Pace {
    Pace { per_contact: Some(rate), ..Pace::default() }
}

/// Works until nothing is left, at most for this long.
fn run<S: ConversationStore>(time: &VirtualTime, bot: &Engine<S>, span: TimeDelta) {
    let end = time.sleep(span.to_std().unwrap());
    time.block_on(bot.run_until(end, Duration::from_secs(1), time.timer()));
}

/// No stretch of time has more of these, in milliseconds, than the burst and what comes at the
/// rate.
#[track_caller]
fn is_within(times: &[i64], burst: usize, (messages, seconds): (i64, i64)) {
    for (place, first) in times.iter().enumerate() {
        for (count, last) in (1..).zip(times.iter().skip(place)) {
            let most = burst as i64 + (last - first) * messages / (seconds * 1_000);
            assert!(count <= most, "{count} from {first} to {last}, at most {most}");
        }
    }
}

/// D7
#[test]
fn rates_out_of_bounds_are_refused_and_the_field_is_named() {
    let build = |pace: Pace| Engine::builder(MemoryStore::new()).pace(pace).map(drop);
    let day = Duration::from_secs(86_400);
    for (rate, rule) in [
        (Rate::per_second(0), "must be 1 to 1,000,000 messages a period"),
        (Rate::per_second(1_000_001), "must be 1 to 1,000,000 messages a period"),
        (Rate::every(Duration::from_micros(999)), "must have a period of 1 millisecond to 24 hours"),
        (Rate::every(day + Duration::from_nanos(1)), "must have a period of 1 millisecond to 24 hours"),
        (
            Rate::new(1_001, Duration::from_millis(1)),
            "must leave at least 1 microsecond from one message to the next",
        ),
        (Rate::per_second(80).burst(0), "must have a burst of 1 to 1,000,000 messages"),
        (Rate::per_second(80).burst(1_000_001), "must have a burst of 1 to 1,000,000 messages"),
    ] {
        let (code, text) = told(build(per_account(rate)));
        assert_eq!((code, text), ("invalid_input", format!("`pace.per_account` {rule}")));
        assert_eq!(told(build(per_contact(rate))).1, format!("`pace.per_contact` {rule}"));
        let account = Engine::builder(MemoryStore::new()).pace_account(account(SHOP), per_contact(rate));
        assert_eq!(told(account.map(drop)).1, format!("`pace.per_contact` {rule}"));
        let channel = Engine::builder(MemoryStore::new()).pace_channel(Channel::Sms, per_account(rate));
        assert_eq!(told(channel.map(drop)).1, format!("`pace.per_account` {rule}"));
    }
    for rate in [
        Rate::per_second(1_000_000),
        Rate::per_minute(1).burst(1_000_000),
        Rate::every(Duration::from_millis(1)),
        Rate::every(day),
    ] {
        assert!(build(per_account(rate)).is_ok(), "{rate:?}");
    }
}

/// D7: the burst leaves at once, the rest at the rate, each when its token is there, and the calls
/// wait for nothing.
#[test]
fn what_is_too_fast_for_its_account_leaves_at_the_rate() {
    let street = Street::new();
    let one = flow("one").send("hi", "Hi");
    street.ensure([one]);
    let bot = street.engine(Duration::ZERO).pace(per_account(Rate::per_second(4).burst(3))).unwrap().build();
    for number in 0..10 {
        let started = block_on(bot.trigger(request("one", number))).unwrap();
        assert!(matches!(started, Triggered::Started(_)));
    }
    assert_eq!(street.millis(), [0, 0, 0], "the burst; and no call has waited");
    run(&street.time, &bot, TimeDelta::seconds(10));
    assert_eq!(street.millis(), [0, 0, 0, 250, 500, 750, 1_000, 1_250, 1_500, 1_750]);
    let order: Vec<_> = street.left().into_iter().map(|one| one.to).collect();
    assert_eq!(order, (0..10).map(phone).collect::<Vec<_>>(), "first come, first served");
}

/// D7: what waits is not claimed before its token is there; each is claimed once, and ticks do not
/// spin.
#[test]
fn what_waits_is_not_claimed() {
    let street = Street::new();
    street.ensure([flow("one").send("hi", "Hi")]);
    let bot = street.engine(Duration::ZERO).pace(per_account(Rate::per_second(10).burst(1))).unwrap().build();
    for number in 0..50 {
        block_on(bot.trigger(request("one", number))).unwrap();
    }
    let ticked = block_on(bot.tick(100)).unwrap();
    assert_eq!((ticked.worked, ticked.next_due), (0, Some(street.began + TimeDelta::milliseconds(100))));
    street.time.clock.advance(TimeDelta::milliseconds(99));
    assert_eq!(block_on(bot.tick(100)).unwrap().worked, 0);
    street.time.clock.advance(TimeDelta::milliseconds(1));
    assert_eq!(block_on(bot.tick(100)).unwrap().worked, 1);
    let before = street.claims();
    run(&street.time, &bot, TimeDelta::seconds(20));
    assert_eq!(street.millis(), (0..50).map(|place| place * 100).collect::<Vec<_>>());
    let looks = street.claims() - before;
    assert!(looks < 49 * 3 + 40, "{looks} claims for 48 messages and 20 seconds");
}

/// D7: a loop that sleeps for long wakes for a turn that comes before.
#[test]
fn a_loop_that_sleeps_wakes_in_time() {
    let street = Street::new();
    street.ensure([flow("two").send("a", "A").send("b", "B").send("c", "C")]);
    let rate = Rate::every(Duration::from_secs(6));
    let bot = street.engine(Duration::ZERO).pace(per_contact(rate)).unwrap().build();
    let caller = async {
        for number in 0..3 {
            street.time.sleep(Duration::from_millis(1_100)).await;
            bot.trigger(request("two", number)).await.unwrap();
        }
        street.time.sleep(Duration::from_secs(30)).await;
    };
    street.time.block_on(bot.run_until(caller, Duration::from_secs(3_600), street.time.timer()));
    for number in 0..3 {
        let first = 1_100 * (number as i64 + 1);
        let times = street.times(|one| one.to == phone(number));
        assert_eq!(times, [first, first + 6_000, first + 12_000]);
    }
}

/// D7: each message is claimed once, also where both rates hold it back.
#[test]
fn nothing_is_claimed_in_vain() {
    let street = Street::new();
    let many =
        (0..6).fold(flow("many"), |sketch, place| sketch.send(&format!("n{place}"), &place.to_string()));
    street.ensure([many]);
    let pace = Pace {
        per_account: Some(Rate::per_second(7).burst(3)),
        per_contact: Some(Rate::every(Duration::from_secs(6)).burst(2)),
    };
    let bot = street.engine(Duration::ZERO).pace(pace).unwrap().build();
    for number in 0..30 {
        block_on(bot.trigger(request("many", number))).unwrap();
    }
    let mut worked = 0;
    while street.left().len() < 180 {
        let ticked = block_on(bot.tick(100)).unwrap();
        worked += ticked.worked;
        let next = ticked.next_due.unwrap();
        assert!(next > street.time.clock.now());
        street.time.clock.set(next);
    }
    let by_ticks = street.millis().iter().filter(|at| **at > 0).count();
    assert!(worked <= by_ticks, "{worked} claims for {by_ticks} messages");
}

/// D7: the order of a contact's messages never changes, and one contact's messages hold up nobody
/// else.
#[test]
fn a_contacts_messages_keep_their_order_and_their_distance() {
    let street = Street::new();
    let burst =
        (0..6).fold(flow("many"), |sketch, place| sketch.send(&format!("n{place}"), &place.to_string()));
    street.ensure([burst]);
    let rate = Rate::every(Duration::from_secs(6)).burst(2);
    let bot = street.engine(Duration::ZERO).pace(per_contact(rate)).unwrap().build();
    for number in 0..3 {
        block_on(bot.trigger(request("many", number))).unwrap();
    }
    run(&street.time, &bot, TimeDelta::minutes(1));
    for number in 0..3 {
        let is_its = |one: &Departure| one.to == phone(number);
        assert_eq!(street.times(is_its), [0, 0, 6_000, 12_000, 18_000, 24_000]);
        let texts: Vec<_> = street.left().into_iter().filter(is_its).map(|one| one.text).collect();
        assert_eq!(texts, ["0", "1", "2", "3", "4", "5"]);
    }
}

/// D7: contacts of an account take turns: one with much to say does not go before all others.
#[test]
fn contacts_of_an_account_take_turns() {
    let street = Street::new();
    let many =
        (0..20).fold(flow("many"), |sketch, place| sketch.send(&format!("n{place}"), &place.to_string()));
    street.ensure([many, flow("one").send("hi", "Hi")]);
    let bot = street.engine(Duration::ZERO).pace(per_account(Rate::per_second(10).burst(1))).unwrap().build();
    block_on(bot.trigger(request("many", 0))).unwrap();
    for number in 1..5 {
        block_on(bot.trigger(request("one", number))).unwrap();
    }
    run(&street.time, &bot, TimeDelta::seconds(10));
    for number in 1..5 {
        assert!(street.times(|one| one.to == phone(number))[0] <= 500, "{:?}", street.left());
    }
    let texts: Vec<_> =
        street.left().into_iter().filter(|one| one.to == phone(0)).map(|one| one.text).collect();
    assert_eq!(texts, (0..20).map(|place| place.to_string()).collect::<Vec<_>>());
    is_within(&street.millis(), 1, (10, 1));
}

/// D7: a newcomer goes behind those who wait, also when their turn has come and no tick
/// yet.
#[test]
fn a_newcomer_overtakes_nobody() {
    let street = Street::new();
    street.ensure([flow("one").send("hi", "Hi")]);
    let pace = per_account(Rate::per_second(10).burst(10));
    let bot = street.engine(Duration::ZERO).pace(pace).unwrap().build();
    for number in 0..25 {
        block_on(bot.trigger(request("one", number))).unwrap();
    }
    street.time.clock.advance(TimeDelta::seconds(1));
    for number in 25..30 {
        block_on(bot.trigger(request("one", number))).unwrap();
    }
    assert_eq!(street.left().len(), 10);
    run(&street.time, &bot, TimeDelta::seconds(5));
    let order: Vec<_> = street.left().into_iter().map(|one| one.to).collect();
    assert_eq!(order, (0..30).map(phone).collect::<Vec<_>>());
}

/// D7: ten thousand that wait for one account keep nobody waiting who has another.
#[test]
fn a_crowd_that_waits_starves_nobody() {
    let street = Street::new();
    street.ensure([flow("one").send("hi", "Hi"), from_other_shop("other").send("hi", "Hi")]);
    let whatsapp = Pace {
        per_account: Some(Rate::per_second(80).burst(160)),
        per_contact: Some(Rate::every(Duration::from_secs(6)).burst(45)),
    };
    let bot = street.engine(Duration::from_millis(100)).pace(whatsapp).unwrap().build();
    let deferred = street.engine(Duration::ZERO).pace(whatsapp).unwrap().deferred_delivery().build();
    for number in 0..10_000 {
        block_on(deferred.trigger(request("one", number))).unwrap();
    }
    let others = async {
        for number in 20_000..20_020 {
            deferred.trigger(request("other", number)).await.unwrap();
            street.time.sleep(Duration::from_secs(1)).await;
        }
        street.time.sleep(Duration::from_secs(120)).await;
    };
    street.time.block_on(bot.run_until(others, Duration::from_secs(1), street.time.timer()));
    let busy = street.times(|one| one.from == SHOP);
    assert_eq!(busy.len(), 10_000);
    is_within(&busy, 160, (80, 1));
    assert!(*busy.last().unwrap() <= 128_000, "{}", busy.last().unwrap());
    let others = street.times(|one| one.from == OTHER_SHOP);
    let late = others.iter().enumerate().map(|(place, at)| at - place as i64 * 1_000).max();
    assert!(others.len() == 20 && late <= Some(1_500), "{others:?}");
}

/// D7: each send is within the rate, also after a time in which nobody ticked, and however seldom
/// ticks come.
#[test]
fn ticks_that_come_late_do_not_exceed_the_rate() {
    for step in [TimeDelta::milliseconds(10), TimeDelta::milliseconds(700), TimeDelta::seconds(10)] {
        let street = Street::new();
        street.ensure([flow("one").send("a", "A").send("b", "B")]);
        let pace = per_account(Rate::per_second(20).burst(10));
        let bot = street.engine(Duration::ZERO).pace(pace).unwrap().build();
        for number in 0..50 {
            block_on(bot.trigger(request("one", number))).unwrap();
        }
        street.time.clock.advance(TimeDelta::minutes(2));
        for _ in 0..2_000 {
            let _ = block_on(bot.tick(1_000)).unwrap();
            street.time.clock.advance(step);
        }
        let times = street.millis();
        assert_eq!(times.len(), 100, "{step}");
        is_within(&times, 10, (20, 1));
        for number in 0..50 {
            let texts: Vec<_> =
                street.left().into_iter().filter(|one| one.to == phone(number)).map(|one| one.text).collect();
            assert_eq!(texts, ["A", "B"]);
        }
    }
}

/// D7: neither attempts nor lateness nor time to give up come of the pace alone.
#[test]
fn the_pace_makes_nothing_late_and_nothing_given_up() {
    let street = Street::new();
    street.ensure([flow("one").send("hi", "Hi")]);
    let (left, refusals) = (street.left.clone(), Arc::new(AtomicUsize::new(0)));
    let (clock, refused) = (street.time.clock.clone(), refusals.clone());
    let bot = street
        .engine(Duration::ZERO)
        .pace(per_account(Rate::every(Duration::from_secs(2 * 3_600))))
        .unwrap()
        .transport(send_fn(move |message: Outbound| {
            let is_refused =
                message.to().to_string() == phone(29) && refused.fetch_add(1, Ordering::SeqCst) < 2;
            if !is_refused {
                left.lock().unwrap().push(Departure {
                    at: clock.now(),
                    from: message.account().account.to_string(),
                    to: message.to().to_string(),
                    text: message.text().to_owned(),
                });
            }
            async move { if is_refused { Err(SendError::retry("busy")) } else { Ok(Receipt::new()) } }
        }))
        .build();
    for number in 0..30 {
        block_on(bot.trigger(request("one", number))).unwrap();
    }
    for _ in 0..70 {
        street.time.clock.advance(TimeDelta::hours(1));
        let _ = block_on(bot.tick(100)).unwrap();
    }
    assert_eq!(
        (street.left().len(), refusals.load(Ordering::SeqCst)),
        (30, 3),
        "two days and a half, and a retry"
    );
    let operator = Engine::builder(street.store.inner().clone()).build();
    let dead = block_on(operator.dead_letters(None)).unwrap();
    assert!(dead.is_empty(), "{dead:?}");
}

/// D7, D1: a channel that asks for patience gets it, and the token after that.
#[test]
fn what_the_transport_asks_for_is_honoured_too() {
    let world =
        World::built(|builder| builder.pace(per_contact(Rate::every(Duration::from_secs(6)))).unwrap());
    world.publish([flow("two").send("a", "A").send("b", "B")]);
    world.answer_sends([Err(SendError::retry_after(Duration::from_secs(2), "busy")), Ok(Receipt::new())]);
    world.start("two");
    assert_eq!(world.sent(), ["A"], "which was not taken");
    for (wait, sent) in [(5_999, &[][..]), (1, &["A"]), (5_999, &[]), (1, &["B"])] {
        world.tick_after(TimeDelta::milliseconds(wait));
        assert_eq!(world.sent()[..], *sent, "{wait}");
    }
    world.answer_sends([Err(SendError::retry_after(Duration::from_secs(60), "busy"))]);
    world.begin(TriggerRequest::new("two").phone(BOB));
    assert_eq!(world.sent(), ["A"], "which was not taken");
    world.tick_after(TimeDelta::milliseconds(59_999));
    assert!(world.sent().is_empty());
    world.tick_after(A_MOMENT);
    assert_eq!(world.sent(), ["A"]);
}

/// D7: an account's own pace goes before its channel's, and that before the one for all.
#[test]
fn the_nearest_pace_holds() {
    for (own, channel, at_once) in [(Some(5), Some(3), 5), (None, Some(3), 3), (None, None, 2)] {
        let world = World::built(|builder| {
            let rate = |burst| per_account(Rate::per_second(1).burst(burst));
            let mut builder = builder.pace(rate(2)).unwrap();
            if let Some(burst) = channel {
                builder = builder.pace_channel(Channel::WhatsApp, rate(burst)).unwrap();
            }
            if let Some(burst) = own {
                builder = builder.pace_account(account(SHOP), rate(burst)).unwrap();
            }
            builder.pace_account(account(OTHER_SHOP), Pace::default()).unwrap()
        });
        world.publish([flow("one").send("hi", "Hi"), from_other_shop("other").send("hi", "Hi")]);
        for number in 0..10 {
            world.begin(request("one", number));
        }
        assert_eq!(world.sent().len(), at_once);
        for number in 0..10 {
            world.begin(request("other", number));
        }
        assert_eq!(world.sent().len(), 10, "without a limit");
    }
}

/// D7: tenants do not share their tokens, even if they name their accounts alike.
#[test]
fn each_workspace_has_its_own_tokens() {
    let world = World::built(|builder| builder.pace(per_account(Rate::per_minute(1))).unwrap());
    let tenants = ["one", "two"].map(|name| world.bot.in_workspace(name));
    for tenant in &tenants {
        block_on(tenant.flows().ensure(&flow("one").send("hi", "Hi").json())).unwrap();
        for number in 0..2 {
            block_on(tenant.trigger(request("one", number))).unwrap();
        }
    }
    assert_eq!(world.sent().len(), 2);
}

/// D7: a contact who answers faster than the pace is heard at once; the answer waits.
#[test]
fn calls_of_every_kind_return_without_waiting() {
    let world =
        World::built(|builder| builder.pace(per_contact(Rate::every(Duration::from_secs(6)))).unwrap());
    world.publish([question("q")]);
    let session = world.start("q");
    assert_eq!(world.sent(), ["How are you?"]);
    assert!(matches!(world.say("Fine"), Received::Consumed { .. }));
    assert!(world.sent().is_empty());
    assert_eq!(world.state(session.session_id), chatflow::Status::Completed);
    let paced = |kind: &EventKind| matches!(kind, EventKind::SendPaced { .. });
    assert_eq!(world.notes().iter().filter(|kind| paced(kind)).count(), 1);
    world.tick_after(TimeDelta::milliseconds(5_999));
    assert!(world.sent().is_empty());
    world.tick_after(A_MOMENT);
    assert_eq!(world.sent(), ["Fine!"]);
}

/// D7: an indicator takes no token, and overtakes nothing that waits.
#[test]
fn an_indicator_takes_no_token() {
    let world =
        World::built(|builder| builder.pace(per_contact(Rate::every(Duration::from_secs(6)))).unwrap());
    let typing = flow("f").node("t", "typing", json!({"for": "1s"})).send("a", "A");
    world.publish([typing]);
    world.start("f");
    world.tick_after(TimeDelta::seconds(1));
    assert_eq!(world.sent().last().unwrap(), "A");
}

/// D7: tokens of what was decided and not written, or written and not sent, are not lost.
#[test]
fn a_decision_that_is_not_written_costs_no_token() {
    let street = Street::new();
    street.ensure([flow("one").send("hi", "Hi")]);
    let bot = street.engine(Duration::ZERO).pace(per_account(Rate::per_minute(1).burst(2))).unwrap().build();
    for _ in 0..5 {
        street.store.fail_after(1, Fault::Before);
        assert!(block_on(bot.trigger(request("one", 0))).is_err());
    }
    for number in 0..3 {
        block_on(bot.trigger(request("one", number))).unwrap();
    }
    assert_eq!(street.millis(), [0, 0]);
    // Neither does the place of a message that waits.
    for number in 3..8 {
        street.store.fail_after(1, Fault::Before);
        assert!(block_on(bot.trigger(request("one", number))).is_err());
    }
    block_on(bot.trigger(request("one", 8))).unwrap();
    run(&street.time, &bot, TimeDelta::minutes(3));
    assert_eq!(street.millis(), [0, 0, 60_000, 120_000]);
}

/// D7, D6: a commit whose outcome is unknown, and that was done, is sent once, at its pace.
#[test]
fn a_commit_of_unknown_outcome_keeps_the_pace() {
    let street = Street::new();
    street.ensure([flow("two").send("a", "A").send("b", "B")]);
    let rate = Rate::every(Duration::from_secs(6));
    let bot = street.engine(Duration::ZERO).pace(per_contact(rate)).unwrap().build();
    for number in 0..2 {
        street.store.fail_after(1, Fault::After);
        block_on(bot.trigger(request("two", number))).unwrap();
    }
    assert_eq!(street.millis(), [0, 0]);
    run(&street.time, &bot, TimeDelta::minutes(1));
    assert_eq!(street.millis(), [0, 0, 6_000, 6_000]);
}

/// D7: what waits for its pace waits across a restart, and leaves within the rate then.
#[test]
fn what_waits_survives_the_process() {
    let street = Street::new();
    street.ensure([flow("one").send("hi", "Hi")]);
    let pace = per_account(Rate::per_second(10).burst(1));
    let first = street.engine(Duration::ZERO).pace(pace).unwrap().build();
    for number in 0..20 {
        block_on(first.trigger(request("one", number))).unwrap();
    }
    drop(first);
    street.time.clock.advance(TimeDelta::milliseconds(450));
    let second = street.engine(Duration::ZERO).pace(pace).unwrap().build();
    run(&street.time, &second, TimeDelta::seconds(10));
    let times = street.millis();
    assert_eq!(times.len(), 20);
    is_within(&times, 1, (10, 1));
    let without = Street::new();
    without.ensure([flow("one").send("hi", "Hi")]);
    let bot = without.engine(Duration::ZERO).build();
    for number in 0..20 {
        block_on(bot.trigger(request("one", number))).unwrap();
    }
    assert_eq!(without.millis(), [0; 20], "quiet when it is not used");
}

/// D7: a place in line is the destination's: when its message is dropped the next one has it.
#[test]
fn a_dropped_message_leaves_its_place_to_the_next() {
    let world =
        World::built(|builder| builder.pace(per_contact(Rate::every(Duration::from_secs(60)))).unwrap());
    world.publish([flow("f").send("a", "A").send("b", "B").wait("w"), flow("g").send("c", "C")]);
    let session = world.start("f");
    world.pass(TimeDelta::seconds(10));
    block_on(world.bot.cancel(session.session_id)).unwrap();
    world.start("g");
    assert_eq!(world.sent(), ["A"]);
    world.tick_after(TimeDelta::milliseconds(49_999));
    assert!(world.sent().is_empty());
    world.tick_after(A_MOMENT);
    assert_eq!(world.sent(), ["C"]);
}

/// D7, S8: a clock that is set back stops nothing.
#[test]
fn a_clock_that_is_set_back_stops_nothing() {
    let world = World::built(|builder| builder.pace(per_account(Rate::per_second(1).burst(1))).unwrap());
    world.publish([flow("one").send("hi", "Hi")]);
    world.begin(request("one", 0));
    world.pass(-days(400));
    world.begin(request("one", 1));
    world.tick_after(TimeDelta::seconds(1));
    world.tick_after(TimeDelta::seconds(1));
    assert_eq!(world.sent().len(), 2);
    world.begin(request("one", 2));
    world.begin(request("one", 0));
    world.begin(request("one", 3));
    for _ in 0..5 {
        world.tick_after(TimeDelta::seconds(1));
    }
    assert_eq!(world.sent().len(), 3);
}

/// D7: both rates hold at once, however long the run.
#[test]
fn both_rates_hold_in_a_long_run() {
    let street = Street::new();
    let many =
        (0..8).fold(flow("many"), |sketch, place| sketch.send(&format!("n{place}"), &place.to_string()));
    street.ensure([many]);
    let pace = Pace {
        per_account: Some(Rate::per_second(7).burst(3)),
        per_contact: Some(Rate::every(Duration::from_millis(5_500)).burst(2)),
    };
    let bot = street.engine(Duration::from_millis(30)).pace(pace).unwrap().build();
    for number in 0..60 {
        street.time.block_on(bot.trigger(request("many", number))).unwrap();
    }
    run(&street.time, &bot, TimeDelta::minutes(5));
    let times = street.millis();
    assert_eq!(times.len(), 480);
    is_within(&times, 3, (7, 1));
    let mut of: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for one in street.left() {
        of.entry(one.to).or_default().push((one.at - street.began).num_milliseconds());
    }
    of.values().for_each(|times| is_within(times, 2, (2, 11)));
    assert!(*times.last().unwrap() < 80_000, "{}: 480 at 7 a second take 69 seconds", times.last().unwrap());
}

// --- T8: starts of a campaign
// -------------------------------------------------------------------------------------------------

fn requests(count: usize) -> impl Iterator<Item = TriggerRequest> {
    (0..count).map(|number| request("one", number).campaign("spring"))
}

/// T8: starts are evenly spaced, whatever the width.
#[test]
fn starts_of_a_campaign_are_evenly_spaced() {
    for width in [1, 8] {
        let street = Street::new();
        street.ensure([flow("one").send("hi", "Hi")]);
        let bot = street.engine(Duration::from_millis(5)).build();
        let mut campaign = bot.trigger_many(width, requests(30)).per_second(20).unwrap();
        let mut started = 0;
        while let Some(outcome) = street.time.block_on(campaign.next()) {
            started += usize::from(matches!(outcome, Ok(Triggered::Started(_))));
        }
        assert_eq!(started, 30);
        assert_eq!(street.millis(), (0..30).map(|place| place * 50).collect::<Vec<_>>());
    }
}

/// T8: odd rates too, and slow starts go side by side.
#[test]
fn starts_go_on_while_earlier_ones_are_under_way() {
    let street = Street::new();
    street.ensure([flow("one").send("hi", "Hi")]);
    let bot = street.engine(Duration::from_secs(1)).build();
    let mut campaign = bot.trigger_many(10, requests(21)).per_second(3).unwrap();
    while let Some(outcome) = street.time.block_on(campaign.next()) {
        assert!(outcome.is_ok());
    }
    let times = street.millis();
    assert_eq!((times.len(), times[3], times[20]), (21, 1_000, 6_667));
    // A width that is too small for the rate: each starts when one has ended.
    let mut narrow = bot.trigger_many(1, requests(25).skip(21)).per_second(3).unwrap();
    while let Some(outcome) = street.time.block_on(narrow.next()) {
        assert!(outcome.is_ok());
    }
    let later = &street.millis()[21..];
    assert!(later.windows(2).all(|pair| pair[1] - pair[0] == 1_000), "{later:?}");
}

/// T8: dropping the future of an outcome loses nothing, dropping the campaign stops it.
#[test]
fn a_paced_campaign_may_be_dropped_at_any_point() {
    let street = Street::new();
    street.ensure([flow("one").send("hi", "Hi")]);
    let bot = street.engine(Duration::ZERO).build();
    let mut campaign = bot.trigger_many(2, requests(100)).per_second(10).unwrap();
    let mut answered = 0;
    for _ in 0..40 {
        if street.time.run_for(TimeDelta::milliseconds(30), campaign.next()).is_some() {
            answered += 1;
        }
    }
    assert!((9..=13).contains(&answered), "{answered}");
    assert_eq!(campaign.progress().started, answered);
    drop(campaign);
    let before = street.left().len();
    assert!(street.time.run_for(TimeDelta::seconds(5), std::future::pending::<()>()).is_none());
    assert_eq!(street.left().len(), before);
    let mut again = bot.trigger_many(2, requests(20)).per_second(1_000).unwrap();
    while let Some(outcome) = street.time.block_on(again.next()) {
        assert!(outcome.is_ok());
    }
    assert_eq!(street.left().len(), 20, "what was started is not started again");
    assert_eq!(again.progress().replayed, before as u64);
}

/// T8: who does not ask for outcomes for a while does not get a rush of starts.
#[test]
fn a_campaign_that_falls_behind_does_not_catch_up() {
    let street = Street::new();
    street.ensure([flow("one").send("hi", "Hi")]);
    let bot = street.engine(Duration::ZERO).build();
    let mut campaign = bot.trigger_many(4, requests(20)).per_second(10).unwrap();
    for _ in 0..5 {
        street.time.block_on(campaign.next()).unwrap().unwrap();
    }
    street.time.clock.advance(TimeDelta::minutes(1));
    while let Some(outcome) = street.time.block_on(campaign.next()) {
        assert!(outcome.is_ok());
    }
    is_within(&street.millis(), 1, (10, 1));
}

/// T8
#[test]
fn a_campaigns_rate_needs_a_timer_and_a_number() {
    let bot = World::new().bot;
    let error =
        |bot: &Engine<Watched>, rate| told(bot.trigger_many(1, requests(1)).per_second(rate).map(drop));
    assert_eq!(
        error(&bot, 10),
        ("invalid_input", "`per_second` needs an engine with a timer: `Builder::timer` sets one".to_owned())
    );
    for rate in [0, 1_000_001] {
        assert_eq!(error(&bot, rate).1, "`per_second` must be 1 to 1,000,000 starts");
    }
    // A timer that does not wait is no reason to hang.
    let bot = Engine::builder(MemoryStore::new()).timer(|_| async {}).build();
    let mut campaign = bot.trigger_many(1, requests(3)).per_second(1).unwrap();
    let answers: Vec<_> = std::iter::from_fn(|| block_on(campaign.next())).collect();
    assert!(answers.iter().all(|answer| matches!(answer, Err(Error::FlowNotFound(_)))) && answers.len() == 3);
}

/// D7: with a message from the contact at the same time.
#[test]
fn a_reply_while_something_waits_overtakes_nothing() {
    let world =
        World::built(|builder| builder.pace(per_contact(Rate::every(Duration::from_secs(6)))).unwrap());
    world.publish([flow("f").send("a", "A").send("b", "B").wait("w").send("c", "C {{reply.text}}")]);
    world.start("f");
    world.pass(TimeDelta::seconds(1));
    assert!(matches!(
        world.receive(Inbound::text(Channel::WhatsApp, SHOP, ADA, "x")),
        Received::Consumed { .. }
    ));
    for expected in [&["A"][..], &["B"], &["C x"]] {
        world.tick();
        assert_eq!(world.sent(), expected);
        world.pass(TimeDelta::seconds(6));
    }
}
