//! Many callers of one contact at the same moment.

use std::sync::{Arc, Barrier};
use std::thread;

use chatflow::ops::Reported;
use chatflow::session::DeliveryReport;
use chatflow::testkit::{ManualClock, Recorder};
use chatflow::{Channel, Inbound, MessageId, Received};
use chatflow_sqlite::SqliteStore;
use pollster::block_on;

use crate::folder::Folder;
use crate::talk::{ANN, FLOW, bot, trigger};

const CALLERS: usize = 64;

/// Does this in so many threads at once, and answers what came of each.
fn at_once<T: Send + 'static>(work: impl Fn(usize) -> T + Send + Sync + 'static) -> Vec<T> {
    let (work, start) = (Arc::new(work), Arc::new(Barrier::new(CALLERS)));
    let threads: Vec<_> = (0..CALLERS)
        .map(|number| {
            let (work, start) = (Arc::clone(&work), Arc::clone(&start));
            thread::spawn(move || {
                start.wait();
                work(number)
            })
        })
        .collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

/// SEMANTICS S17, I8: each of 64 messages of one contact at once is taken, in two engines on one
/// file as in one.
#[test]
fn a_burst_of_one_contact_is_taken_whole() {
    for processes in [1, 2] {
        let folder = Folder::new();
        let (outbox, clock) = (Recorder::new(), ManualClock::default());
        let bots: Vec<_> = (0..processes)
            .map(|_| bot(&SqliteStore::open(folder.file()).unwrap(), &outbox, &clock))
            .collect();
        let _ = block_on(bots[0].flows().ensure(FLOW)).unwrap();
        let _ = block_on(bots[0].trigger(trigger())).unwrap();
        let came = at_once(move |number| {
            let inbound = Inbound::text(Channel::Sms, "+15550100", ANN, format!("text {number}"));
            block_on(bots[number % processes].receive(inbound.id(format!("m{number}"))))
        });
        let taken = came.iter().filter(|came| matches!(came, Ok(Received::Consumed { .. }))).count();
        let others = came.iter().filter(|came| matches!(came, Ok(Received::Unmatched))).count();
        assert_eq!((taken, others), (1, CALLERS - 1), "{came:?}");
    }
}

/// SEMANTICS S17: so are the reports of what became of its messages.
#[test]
fn a_burst_of_reports_is_taken_whole() {
    let folder = Folder::new();
    let (outbox, clock) = (Recorder::new(), ManualClock::default());
    let bot = bot(&SqliteStore::open(folder.file()).unwrap(), &outbox, &clock);
    let _ = block_on(bot.flows().ensure(FLOW)).unwrap();
    let _ = block_on(bot.flows().set_logging(&"hi".parse().unwrap(), true)).unwrap();
    let session = block_on(bot.trigger(trigger())).unwrap().session().unwrap().session_id;
    let told = at_once(move |_| {
        let message = MessageId { session, seq: 1 };
        block_on(bot.report(message, DeliveryReport::Delivered))
    });
    assert!(told.iter().all(|told| matches!(told, Ok(Reported::Noted))), "{told:?}");
}
