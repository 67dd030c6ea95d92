//! Promises about many conversations at once and about what fails beside them (SEMANTICS S15, S16,
//! D5, D6, I2, I13, T11), as scenarios for any store. `open` is what a process does at its start.

use std::collections::BTreeSet;
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use chatflow::error::StoreErrorKind;
use chatflow::ops::SessionFilter;
use chatflow::session::FailureCode;
use chatflow::store::{ConversationStore, StoreQueries, retry_pause};
use chatflow::testkit::{Fault, Faulty, ManualClock, Recorder};
use chatflow::{
    Account, Address, Builder, Channel, Clock, ContactId, Engine, Error, Inbound, Outbound, Received,
    SessionRef, Status, Transport, TriggerRequest, send_fn,
};
use chrono::TimeDelta;

const SHOP: &str = "+15550100";
const ADA: &str = "+14155550123";

/// So many polls take some seconds: what has not come by then does not come.
const MANY_POLLS: usize = 3_000_000;

const HI: (&str, &str) = ("hi", r#""kind": "send_message", "text": "Hi""#);

/// A flow of nodes in a row, which sends from the shop, or from nowhere.
fn flow(code: &str, trigger: &str, sends_from: Option<&str>, row: &[(&str, &str)]) -> String {
    let sender = sends_from.map_or_else(String::new, |account| {
        format!(r#""sender": {{"channel": "sms", "account": "{account}"}}"#)
    });
    let nodes: String = row.iter().map(|(id, node)| format!(r#", {{"id": "{id}", {node}}}"#)).collect();
    let from = std::iter::once("start").chain(row.iter().map(|(id, _)| *id));
    let edges: Vec<String> = from
        .zip(row)
        .map(|(from, (to, _))| {
            let branch = if from == "ask" { r#""branch": "timeout", "# } else { "" };
            format!(r#"{{"from": "{from}", {branch}"to": "{to}"}}"#)
        })
        .collect();
    let edges = edges.join(", ");
    format!(
        r#"{{"spec": 1, "code": "{code}", "trigger": {trigger}, "settings": {{{sender}}},
        "nodes": [{{"id": "start", "kind": "start"}}{nodes}], "edges": [{edges}]}}"#
    )
}

/// A flow that a call starts.
fn called(code: &str, row: &[(&str, &str)]) -> String {
    flow(code, r#"{"kind": "manual"}"#, Some(SHOP), row)
}

/// Asks once, and waits for the answer.
fn question() -> String {
    called("question", &[HI, ("wait", r#""kind": "wait_reply""#), ("again", r#""kind": "wait_reply""#)])
}

fn phone(number: usize) -> String {
    format!("+1415555{number:04}")
}

fn says(text: &str, id: &str) -> Inbound {
    Inbound::text(Channel::Sms, SHOP, ADA, text).id(id)
}

/// Polls work until it ends, or until that is enough, and drops it then: as a process that ends in
/// the middle. None: it had not ended.
async fn until<T>(work: impl Future<Output = T>, is_enough: impl Fn() -> bool) -> Option<T> {
    let (mut work, mut left) = (pin!(work), MANY_POLLS);
    poll_fn(|context| {
        if let Poll::Ready(done) = work.as_mut().poll(context) {
            return Poll::Ready(Some(done));
        }
        if is_enough() {
            return Poll::Ready(None);
        }
        left -= 1;
        assert!(left > 0, "nothing comes any more");
        std::thread::yield_now();
        again(context)
    })
    .await
}

/// Pending, and to be polled at once.
fn again<T>(context: &mut Context<'_>) -> Poll<T> {
    context.waker().wake_by_ref();
    Poll::Pending
}

/// Ends after so many polls.
async fn polled(mut times: usize) {
    poll_fn(|context| {
        times = times.saturating_sub(1);
        if times == 0 { Poll::Ready(()) } else { again(context) }
    })
    .await;
}

/// The world that processes share beside the store.
#[derive(Default)]
struct World {
    clock: ManualClock,
    channel: Recorder,
}

impl World {
    /// Its clock is another than the server's where the store has one.
    fn process<S: ConversationStore>(&self, store: S) -> Builder<S> {
        Engine::builder(store).clock(self.clock.clone()).max_skew(Duration::MAX)
    }

    /// One whose messages all arrive.
    fn healthy<S: ConversationStore>(&self, store: S) -> Engine<S> {
        self.process(store).transport(self.channel.clone()).build()
    }

    /// So many contacts that each have a message due.
    async fn due<S: ConversationStore>(&self, store: S, count: usize) {
        let bot = self.process(store).deferred_delivery().build();
        let _ = bot.flows().ensure(&called("one", &[HI])).await.unwrap();
        for number in 0..count {
            let _ = bot.trigger(TriggerRequest::new("one").phone(phone(number))).await.unwrap();
        }
    }

    /// Each message takes so long; nothing else takes any time.
    fn slow(&self, time: TimeDelta) -> impl Transport + 'static {
        let (clock, wire) = (self.clock.clone(), self.channel.clone());
        send_fn(move |message: Outbound| {
            clock.advance(time);
            let wire = wire.clone();
            async move { wire.send(&message).await }
        })
    }

    /// The contacts that have got a message.
    fn sent(&self) -> BTreeSet<String> {
        self.channel.sent().iter().map(|message| message.to().to_string()).collect()
    }
}

/// S15: as many messages are on their way at once as the engine has hands for.
pub(crate) async fn sends_are_side_by_side<S: ConversationStore>(open: impl AsyncFn() -> S) {
    let world = World::default();
    world.due(open().await, 40).await;
    let (wire, now, most, polls) =
        (world.channel.clone(), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), Arc::default());
    let seen = Arc::clone(&most);
    let transport = send_fn(move |message: Outbound| {
        let (wire, now, most, polls): (_, _, _, Arc<AtomicUsize>) =
            (wire.clone(), Arc::clone(&now), Arc::clone(&most), Arc::clone(&polls));
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            poll_fn(|context| {
                let is_over = polls.fetch_add(1, Ordering::SeqCst) > MANY_POLLS;
                if is_over || most.load(Ordering::SeqCst) >= 32 { Poll::Ready(()) } else { again(context) }
            })
            .await;
            now.fetch_sub(1, Ordering::SeqCst);
            wire.send(&message).await
        }
    });
    let bot = world.process(open().await).transport(transport).build();
    assert_eq!(bot.tick(100).await.unwrap().worked, 40);
    assert_eq!((seen.load(Ordering::SeqCst), world.sent().len()), (32, 40));
}

/// A transport where messages to a contact never arrive.
fn hanging(world: &World, number: usize) -> impl Transport + 'static {
    let (wire, hangs) = (world.channel.clone(), phone(number));
    send_fn(move |message: Outbound| {
        let (wire, hangs) = (wire.clone(), message.to().to_string() == hangs);
        async move {
            if hangs {
                pending::<()>().await;
            }
            wire.send(&message).await
        }
    })
}

/// S15: nobody waits for a send that never ends.
pub(crate) async fn a_hanging_send_keeps_its_own_hand<S: ConversationStore>(open: impl AsyncFn() -> S) {
    let world = World::default();
    world.due(open().await, 100).await;
    let bot = world.process(open().await).transport(hanging(&world, 0)).build();
    let ticked = until(bot.tick(100), || world.sent().len() == 99).await;
    assert!(ticked.is_none(), "it waits for the one");
}

/// D5: a send that does not end in time is tried again, and is no strike against its contact.
pub(crate) async fn a_hanging_send_is_put_off<S: ConversationStore>(open: impl AsyncFn() -> S) {
    let world = World::default();
    world.due(open().await, 3).await;
    let bot = world.process(open().await).transport(hanging(&world, 1)).timer(|_| polled(1_000)).build();
    assert_eq!(bot.tick(10).await.unwrap().worked, 3);
    assert_eq!(world.sent().len(), 2);
    // More often than a conversation may be claimed without progress.
    for _ in 0..12 {
        world.clock.advance(TimeDelta::minutes(10));
        assert_eq!(bot.tick(10).await.unwrap().worked, 1);
    }
    world.clock.advance(TimeDelta::minutes(10));
    let _ = world.healthy(open().await).tick(10).await.unwrap();
    assert_eq!(world.sent().len(), 3);
}

/// S15: what is due next is told as of the end of the tick.
pub(crate) async fn next_due_is_told_after_the_work<S: ConversationStore>(open: impl AsyncFn() -> S) {
    let world = World::default();
    let bot = world.process(open().await).transport(world.slow(TimeDelta::seconds(10))).build();
    let first = ("first", r#""kind": "delay", "for": "10s""#);
    let second = ("second", r#""kind": "delay", "for": "20s""#);
    let bye = ("bye", r#""kind": "send_message", "text": "Bye""#);
    let _ = bot.flows().ensure(&called("nudges", &[first, HI, second, bye])).await.unwrap();
    let _ = bot.trigger(TriggerRequest::new("nudges").phone(ADA)).await.unwrap();
    world.clock.advance(TimeDelta::seconds(10));
    let mut ticked = bot.tick(10).await.unwrap();
    assert_eq!((ticked.worked, world.sent().len()), (1, 1));
    // A store may name an instant that is too early right after some were worked, never a late one.
    if ticked.next_due.unwrap() <= world.clock.now() {
        ticked = bot.tick(10).await.unwrap();
        assert_eq!(ticked.worked, 0);
    }
    let next = ticked.next_due.unwrap() - world.clock.now();
    assert!(next > TimeDelta::zero() && next <= TimeDelta::seconds(20), "{next}");
}

/// S15: what came due while others were worked is not late, although it leaves after more than the
/// hour after which it would be.
pub(crate) async fn a_backlog_makes_nothing_late<S: ConversationStore>(open: impl AsyncFn() -> S) {
    const COUNT: usize = 160;
    let world = World::default();
    let bot = world.process(open().await).transport(world.slow(TimeDelta::seconds(25))).width(1).build();
    let ask = ("ask", r#""kind": "wait_reply", "timeout": "1h""#);
    let _ = bot.flows().ensure(&called("nudge", &[ask, HI])).await.unwrap();
    for number in 0..COUNT {
        let _ = bot.trigger(TriggerRequest::new("nudge").phone(phone(number))).await.unwrap();
    }
    world.clock.advance(TimeDelta::hours(1));
    let began = world.clock.now();
    while bot.tick(100).await.unwrap().worked > 0 {}
    assert!(world.clock.now() - began > TimeDelta::hours(1));
    assert_eq!(world.sent().len(), COUNT);
}

/// S16: a contact whose send takes the process with it harms nobody beside it. `pass` lets so much
/// time pass for leases.
pub(crate) async fn a_poisoned_neighbour<S: ConversationStore + StoreQueries>(
    open: impl AsyncFn() -> S,
    pass: impl AsyncFn(&ManualClock, Duration),
) {
    const LEASE: Duration = Duration::from_secs(1);
    let world = World::default();
    world.due(open().await, 60).await;
    for round in 1..=5 {
        let (died, wire) = (Arc::new(AtomicBool::new(false)), world.channel.clone());
        let dies = Arc::clone(&died);
        let transport = send_fn(move |message: Outbound| {
            dies.fetch_or(message.to().to_string() == phone(0), Ordering::SeqCst);
            let (is_dead, wire) = (dies.load(Ordering::SeqCst), wire.clone());
            async move {
                if is_dead {
                    pending::<()>().await;
                }
                wire.send(&message).await
            }
        });
        let bot = world.process(open().await).lease(LEASE).transport(transport).build();
        let works = async { while bot.tick(100).await.unwrap().worked > 0 {} };
        let _ = until(works, || died.load(Ordering::SeqCst) || world.sent().len() == 59).await;
        if world.sent().len() == 59 {
            break;
        }
        pass(&world.clock, LEASE + retry_pause(round).to_std().unwrap()).await;
    }
    assert_eq!(world.sent().len(), 59, "all but the poisoned one");
    let aside = world.healthy(open().await).quarantined(None).await.unwrap();
    assert!(aside.is_empty(), "{aside:?}");
}

/// S16: a panic of the transport is an answer like "try again", and nobody else notices.
pub(crate) async fn a_panic_is_tried_again<S: ConversationStore>(open: impl AsyncFn() -> S) {
    let world = World::default();
    world.due(open().await, 5).await;
    let (is_well, wire) = (AtomicBool::new(false), world.channel.clone());
    let transport = send_fn(move |message: Outbound| {
        if message.to().to_string() == phone(0) && !is_well.swap(true, Ordering::SeqCst) {
            std::panic::resume_unwind(Box::new("on purpose"));
        }
        let wire = wire.clone();
        async move { wire.send(&message).await }
    });
    let bot = world.process(open().await).transport(transport).build();
    assert_eq!(bot.tick(10).await.unwrap().worked, 5);
    assert_eq!(world.sent().len(), 4);
    world.clock.advance(TimeDelta::seconds(2));
    let _ = bot.tick(10).await.unwrap();
    assert_eq!((world.sent().len(), world.channel.sent().len()), (5, 5));
}

/// I2: calls of the host push no message out.
pub(crate) async fn a_redelivery_is_known_after_200_touches<S: ConversationStore>(open: impl AsyncFn() -> S) {
    let world = World::default();
    let bot = world.healthy(open().await);
    let _ = bot.flows().ensure(&question()).await.unwrap();
    let session = start(&bot, TriggerRequest::new("question").phone(ADA)).await;
    let first = bot.receive(says("fine", "m1")).await.unwrap();
    assert_eq!(first, Received::Consumed { session: session.session_id });
    let _ = bot.handoff(session.session_id).await.unwrap();
    for _ in 0..200 {
        world.clock.advance(TimeDelta::seconds(1));
        assert!(bot.touch(&session.contact_id).await.unwrap());
    }
    let again = world.healthy(open().await).receive(says("fine", "m1")).await.unwrap();
    assert_eq!(again, Received::Duplicate { first: Box::new(first) });
}

async fn start<S: ConversationStore>(bot: &Engine<S>, request: TriggerRequest) -> SessionRef {
    bot.trigger(request).await.unwrap().session().unwrap().clone()
}

/// I13: somebody who is not known leaves no trace, however many they are, unless a session starts
/// or they opt out; a first contact that came too late is one still. `rows` counts what is stored,
/// by kind.
pub(crate) async fn strangers_leave_nothing<S: ConversationStore + StoreQueries>(
    open: impl AsyncFn() -> S,
    rows: impl AsyncFn() -> Vec<(String, u64)>,
    count: usize,
) {
    let world = World::default();
    let bot = world.healthy(open().await);
    let shop = Account::new(Channel::Sms, SHOP).unwrap();
    let rule = r#"{"kind": "inbound", "channel": "sms", "rules": [{"match": "first_contact"}]}"#;
    let json = flow("first", rule, Some(SHOP), &[HI]);
    let _ = bot.flows().ensure_on(&json, [shop.clone()]).await.unwrap();
    let _ = bot.tick(100).await.unwrap();
    let before = rows().await;
    let stranger = |number: usize, to: &str| {
        Inbound::text(Channel::Sms, to, format!("+1415{number:07}"), "hello").id(format!("m{number}"))
    };
    let long_ago = world.clock.now() - TimeDelta::days(2);
    for number in 0..count {
        let late = bot.receive(stranger(number, SHOP).timestamp(long_ago)).await.unwrap();
        assert_eq!(late, Received::TooOld);
        assert_eq!(bot.receive(stranger(number, "+15550111")).await.unwrap(), Received::Unmatched);
    }
    let _ = bot.tick(100).await.unwrap();
    assert_eq!(rows().await, before);
    let known = async |number: usize| {
        let address = Address::new(&shop, &format!("+1415{number:07}")).unwrap();
        bot.contact_at(&address).await.unwrap().is_some()
    };
    for number in 0..count.min(50) {
        assert!(!known(number).await);
    }
    assert!(bot.sessions(SessionFilter::all()).await.unwrap().is_empty());
    let fresh = bot.receive(stranger(1, SHOP).id("fresh")).await.unwrap();
    assert!(matches!(fresh, Received::Started { .. }), "it is the first contact still");
    let stop = Inbound::text(Channel::Sms, SHOP, "+14150000002", "stop");
    assert!(matches!(bot.receive(stop).await.unwrap(), Received::Keyword { .. }));
    assert!(known(1).await && known(2).await && !known(3).await, "they are kept");
    assert_ne!(rows().await, before, "who is kept is counted");
}

/// D6: after a commit of unknown outcome no error says that nothing was done.
pub(crate) async fn what_is_not_known_stays_unknown<S: ConversationStore>(open: impl AsyncFn() -> S) {
    let world = World::default();
    for (number, later) in [Fault::Before, Fault::UnknownBefore].into_iter().enumerate() {
        let store = Faulty::new(Arc::new(open().await));
        let bot = world.healthy(store.clone());
        let _ = bot.flows().ensure(&called("one", &[HI])).await.unwrap();
        // The commit is lost, and so is the look at what became of it.
        store.fail_each([None, Some(Fault::After), Some(later)]);
        let refused = bot.trigger(TriggerRequest::new("one").phone(phone(number))).await;
        let Err(Error::Store(error)) = refused else { panic!("{refused:?}") };
        assert_eq!(error.kind(), StoreErrorKind::Unknown);
    }
}

/// D6, I2: of two calls with one message, both of unknown outcome, one took it and the other finds
/// it taken.
pub(crate) async fn one_of_two_has_taken_it<S: ConversationStore>(open: impl AsyncFn() -> S) {
    let world = World::default();
    let bot = world.healthy(open().await);
    let _ = bot.flows().ensure(&question()).await.unwrap();
    let _ = start(&bot, TriggerRequest::new("question").phone(ADA)).await;
    let told = async |fault| {
        let store = Faulty::new(Arc::new(open().await));
        store.fail_after(1, fault);
        world.healthy(store).receive(says("fine", "m1")).await.unwrap()
    };
    // The second one's commit is lost before it is done, and then it looks for its own work.
    let (first, second) = (told(Fault::After).await, told(Fault::UnknownBefore).await);
    assert!(matches!(first, Received::Consumed { .. }), "{first:?}");
    assert_eq!(second, Received::Duplicate { first: Box::new(first) });
}

/// T11: a contact without an address on the flow's channel is refused, and leaves nothing.
pub(crate) async fn who_cannot_be_reached_is_refused<S: ConversationStore + StoreQueries>(
    open: impl AsyncFn() -> S,
) {
    let world = World::default();
    let bot = world.healthy(open().await);
    let _ = bot.flows().ensure(&question()).await.unwrap();
    let request = || TriggerRequest::new("question").contact_id("bob").uuid("k");
    for bot in [&bot, &world.healthy(open().await)] {
        let refused = bot.trigger(request()).await.unwrap_err();
        assert_eq!(refused.code(), "invalid_input");
        assert_eq!(
            refused.to_string(),
            "`contact` gives no address on sms, where the flow sends from",
            "the key was not used"
        );
    }
    assert_eq!(bot.contact(&ContactId::new("bob").unwrap()).await.unwrap(), None);
    assert!(bot.sessions(SessionFilter::all()).await.unwrap().is_empty());
    // As soon as there is an address, it starts, under the same key.
    let reached = start(&bot, request().phone(ADA)).await;
    assert_eq!((reached.status, reached.replayed), (Status::Waiting, false));
}

/// T11: a session that failed in its first turn is answered as such, to each repetition too.
pub(crate) async fn a_failed_start_says_so<S: ConversationStore>(open: impl AsyncFn() -> S) {
    let world = World::default();
    let bot = world.healthy(open().await);
    let _ = bot.flows().ensure(&flow("mute", r#"{"kind": "manual"}"#, None, &[HI])).await.unwrap();
    let request = || TriggerRequest::new("mute").phone(ADA).uuid("k");
    let first = start(&bot, request()).await;
    assert_eq!((first.status, first.failure), (Status::Failed, Some(FailureCode::NoDestination)));
    world.clock.advance(TimeDelta::hours(1));
    let _ = bot.tick(10).await.unwrap();
    let elsewhere = start(&world.healthy(open().await), request()).await;
    assert_eq!(elsewhere, SessionRef { replayed: true, ..first });
    assert!(world.channel.sent().is_empty());
}
