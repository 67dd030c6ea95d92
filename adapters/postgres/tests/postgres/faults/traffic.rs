//! Abandoned carts, many at once, for as long as a fault lasts: each call is repeated until it is
//! acknowledged, as a host repeats it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chatflow::Engine;
use chatflow_postgres::PostgresStore;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::durable_kit::{Event, History, Report, Step, Talk, last_step};
use super::stage::Stage;

/// So long a call is repeated until it counts as one that never ends.
const PATIENCE: Duration = Duration::from_secs(60);

/// Errors on the way, and for how long they lasted.
#[derive(Clone, Default)]
pub(crate) struct Troubles(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    errors: BTreeMap<String, u64>,
    longest: Duration,
    finished: usize,
}

impl Troubles {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn took(&self, time: Duration) {
        let mut inner = self.inner();
        inner.longest = inner.longest.max(time);
    }

    fn error(&self, error: &chatflow::Error) {
        *self.inner().errors.entry(error.to_string()).or_default() += 1;
    }

    /// Each error that a call was repeated after, with how often.
    pub(crate) fn errors(&self) -> BTreeMap<String, u64> {
        self.inner().errors.clone()
    }

    /// The number of repeated calls.
    pub(crate) fn repeated(&self) -> u64 {
        self.inner().errors.values().sum()
    }

    /// The longest that one call took to answer, be it with an error.
    pub(crate) fn longest(&self) -> Duration {
        self.inner().longest
    }

    pub(crate) fn finished(&self) -> usize {
        self.inner().finished
    }
}

/// One conversation as far as it is planned, each call at the next of these engines.
pub(crate) async fn converse(
    bots: &[Engine<PostgresStore>],
    history: &History,
    troubles: &Troubles,
    contact: u64,
) {
    let steps = [Step::Trigger, Step::Hello, Step::One];
    for (place, step) in steps.into_iter().filter(|step| *step <= last_step(contact)).enumerate() {
        let first = usize::try_from(contact).unwrap_or_default();
        let bot = &bots[(first + place) % bots.len()];
        let talk = Talk { bot, report: history.clone(), flip: false };
        history.report(Event::Asked { contact, step });
        match persist(&talk, troubles, contact, step).await {
            Ok(event) => history.report(event),
            Err(error) => {
                let error = format!("{}: {error}", error.code());
                return history.report(Event::Failed { contact, step, error });
            }
        }
    }
    troubles.inner().finished += 1;
}

/// Repeats a call until it is acknowledged, or answered what repeating does not help.
async fn persist(
    talk: &Talk<'_, PostgresStore, History>,
    troubles: &Troubles,
    contact: u64,
    step: Step,
) -> Result<Event, chatflow::Error> {
    let began = Instant::now();
    let mut pause = Duration::from_millis(5);
    loop {
        let asked = Instant::now();
        let answer = talk.make(contact, step).await;
        troubles.took(asked.elapsed());
        match answer {
            Err(error) if error.is_retryable() && began.elapsed() < PATIENCE => troubles.error(&error),
            answer => return answer,
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(200));
    }
}

/// Conversations that run until they are told to stop.
pub(crate) struct Traffic {
    workers: Vec<JoinHandle<()>>,
    tickers: Vec<JoinHandle<Infallible>>,
    is_stopping: Arc<AtomicBool>,
    troubles: Troubles,
}

impl Traffic {
    /// Begins with so many people at once.
    pub(crate) fn begin(stage: &Stage, bots: &[Engine<PostgresStore>], width: usize) -> Self {
        Self::begin_doubled(stage, bots, width, 1)
    }

    /// Each conversation is held so many times over, at the same time.
    pub(crate) fn begin_doubled(
        stage: &Stage,
        bots: &[Engine<PostgresStore>],
        width: usize,
        times: usize,
    ) -> Self {
        let is_stopping = Arc::new(AtomicBool::new(false));
        let work = |_| {
            let (stage, bots, is_stopping) = (stage.clone(), bots.to_vec(), Arc::clone(&is_stopping));
            tokio::spawn(async move {
                while !is_stopping.load(Ordering::SeqCst) {
                    let contact = stage.next_contact();
                    let same = (0..times).map(|turn| {
                        let (stage, mut bots) = (stage.clone(), bots.clone());
                        let places = bots.len();
                        bots.rotate_left(turn % places);
                        tokio::spawn(async move {
                            converse(&bots, &stage.history, &stage.troubles, contact).await;
                        })
                    });
                    for one in same.collect::<Vec<_>>() {
                        one.await.expect("a conversation does not panic");
                    }
                }
            })
        };
        let tick = |bot: &Engine<PostgresStore>| {
            let bot = bot.clone();
            tokio::spawn(async move { bot.run(Duration::from_millis(50), sleep).await })
        };
        Self {
            workers: (0..width).map(work).collect(),
            tickers: bots.iter().map(tick).collect(),
            is_stopping,
            troubles: stage.troubles.clone(),
        }
    }

    /// Waits until this many more conversations have come to their end.
    pub(crate) async fn goes_on(&self, more: usize) {
        let goal = self.troubles.finished() + more;
        let began = Instant::now();
        while self.troubles.finished() < goal {
            assert!(began.elapsed() < PATIENCE, "conversations do not go on: {:?}", self.troubles.errors());
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Lets those who began come to their end.
    pub(crate) async fn end(self) {
        self.is_stopping.store(true, Ordering::SeqCst);
        for worker in self.workers {
            worker.await.expect("a worker does not panic");
        }
        for ticker in self.tickers {
            ticker.abort();
            let _ = ticker.await;
        }
    }
}
