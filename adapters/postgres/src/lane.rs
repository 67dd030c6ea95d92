//! The lanes that work the queues: each takes what waits, and writes or reads it by one statement.

use std::future::Future;
use std::sync::Arc;

use chatflow::error::StoreError;
use chatflow::store::{Commit, Committed, Loaded, Settled};
use tokio::sync::oneshot;

use crate::commit::{self, apply};
use crate::errors::AccessKind;
use crate::inner::{Inner, stopped};
use crate::load::{LoadRow, load, load_one};
use crate::queue::{Answer, Job, Opening, PATIENCE, QUEUED, Queue};
use crate::settle::{SettleRow, settle};
use crate::write::Write;

/// The queues of a store.
#[derive(Default)]
pub(super) struct Lanes {
    loads: Queue<LoadRow, Loaded>,
    /// First commits of conversations, and all others: each kind has a statement of its own.
    first_commits: Queue<Write, Committed>,
    commits: Queue<Write, Committed>,
    settles: Queue<SettleRow, Settled>,
}

impl Lanes {
    fn commits(&self, is_first: bool) -> &Queue<Write, Committed> {
        if is_first { &self.first_commits } else { &self.commits }
    }
}

/// A lane that works, from before its task is spawned: the task is dropped when the runtime ends,
/// and it may panic.
struct Lane {
    inner: Arc<Inner>,
    abandon: Option<fn(&Lanes)>,
}

impl Lane {
    fn open(inner: &Arc<Inner>, abandon: fn(&Lanes)) -> Self {
        Self { inner: Arc::clone(inner), abandon: Some(abandon) }
    }

    /// It found nothing left to do.
    fn close(mut self) {
        self.abandon = None;
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        if let Some(abandon) = self.abandon {
            abandon(&self.inner.lanes);
        }
    }
}

impl Inner {
    /// Looks up, together with others that wait. (Not under strict isolation: a transaction that
    /// reads many conversations would get into the way of those who write one of them.)
    pub(super) async fn load(self: &Arc<Self>, row: LoadRow) -> Result<Loaded, StoreError> {
        if self.is_strict || self.options.batch == 1 {
            return self.load_alone(row).await;
        }
        let (answer, answered) = oneshot::channel();
        let opening = self.lanes.loads.push(Job { row, answer }, self.options.lanes, self.queued());
        self.open_lane(opening, |lanes| lanes.loads.abandon(), Self::load_lane);
        answered.await.unwrap_or_else(|_| Err(stopped("load")))
    }

    /// Opens a lane, if the queue wants one: at once, or to help when those at work are held up.
    fn open_lane<F: Future<Output = ()> + Send>(
        self: &Arc<Self>,
        opening: Opening,
        abandon: fn(&Lanes),
        work: impl FnOnce(Arc<Self>) -> F + Send + 'static,
    ) {
        if opening == Opening::None {
            return;
        }
        let lane = Lane::open(self, abandon);
        self.spawn(async move {
            if opening == Opening::Later {
                tokio::time::sleep(PATIENCE).await;
            }
            work(Arc::clone(&lane.inner)).await;
            lane.close();
        });
    }

    /// Under strict isolation large statements get into each other's way, so that small ones are
    /// better.
    fn queued(&self) -> usize {
        if self.is_strict { 0 } else { QUEUED }
    }

    async fn load_alone(self: &Arc<Self>, row: LoadRow) -> Result<Loaded, StoreError> {
        let (row, has_flows) = (Arc::new(row), self.has_flows());
        self.ask(AccessKind::Read, "load", move |link| {
            let row = Arc::clone(&row);
            Box::pin(async move { load_one(&link, &row, has_flows).await })
        })
        .await
    }

    async fn load_lane(self: Arc<Self>) {
        loop {
            let jobs = self.lanes.loads.take(self.options.batch);
            if jobs.is_empty() {
                return;
            }
            let (rows, answers): (Vec<LoadRow>, Vec<_>) =
                jobs.into_iter().map(|job| (job.row, job.answer)).unzip();
            let (rows, has_flows) = (Arc::new(rows), self.has_flows());
            let loaded = self
                .again(AccessKind::Read, move |link| {
                    let rows = Arc::clone(&rows);
                    Box::pin(async move { load(&link, &rows, has_flows).await })
                })
                .await;
            match loaded {
                Ok(loaded) => {
                    for (answer, loaded) in answers.into_iter().zip(loaded) {
                        let _ =
                            answer.send(loaded.map_err(|fault| fault.into_error(AccessKind::Read, "load")));
                    }
                }
                Err((kind, fault)) => {
                    for answer in answers {
                        let _ = answer.send(Err(fault.clone().into_error(kind, "load")));
                    }
                }
            }
        }
    }

    /// A commit as rows, with the settle that rides with it.
    pub(super) fn write(&self, commit: Commit) -> Result<Write, StoreError> {
        let passage = self.carries().then(|| self.carriage.begin(&commit));
        let write = Write::of(commit)?;
        Ok(match passage {
            Some(passage) => write.on(passage),
            None => write,
        })
    }

    /// Writes a commit, together with others that wait.
    pub(super) async fn commit(self: &Arc<Self>, write: Write) -> Result<Committed, StoreError> {
        let (answer, answered) = oneshot::channel();
        let is_first = write.expect.is_none();
        let (queue, abandon): (_, fn(&Lanes)) = match is_first {
            true => (&self.lanes.first_commits, |lanes| lanes.first_commits.abandon()),
            false => (&self.lanes.commits, |lanes| lanes.commits.abandon()),
        };
        let opening = queue.push(Job { row: write, answer }, self.options.lanes, self.queued());
        self.open_lane(opening, abandon, move |inner| inner.commit_lane(is_first));
        answered.await.unwrap_or_else(|_| Err(stopped("commit")))
    }

    async fn commit_lane(self: Arc<Self>, is_first: bool) {
        loop {
            let jobs = self.lanes.commits(is_first).take(self.options.batch);
            if jobs.is_empty() {
                return;
            }
            let (together, alone): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| !job.row.is_alone());
            for job in alone {
                self.write_alone(Arc::new(vec![job.row]), 0, false, job.answer);
            }
            self.write_together(together).await;
        }
    }

    async fn write_together(self: &Arc<Self>, mut jobs: Vec<Job<Write, Committed>>) {
        // Always in one order, so that two statements seldom wait for each other.
        jobs.sort_unstable_by(|one, other| one.row.place().cmp(&other.row.place()));
        let (writes, answers): (Vec<Write>, Vec<_>) =
            jobs.into_iter().map(|job| (job.row, job.answer)).unzip();
        if writes.is_empty() {
            return;
        }
        let writes = Arc::new(writes);
        let all = Arc::clone(&writes);
        let applied = self
            .once(AccessKind::Write, &move |link| {
                let all = Arc::clone(&all);
                Box::pin(async move { apply(&link, &all.iter().collect::<Vec<_>>()).await })
            })
            .await;
        match applied {
            Ok(applied) => {
                for ((number, answer), applied) in answers.into_iter().enumerate().zip(applied) {
                    match applied {
                        Some(applied) => {
                            if let Some(write) = writes.get(number) {
                                write.answered(&applied);
                            }
                            let _ = answer.send(Ok(applied));
                        }
                        None => self.write_alone(Arc::clone(&writes), number, true, answer),
                    }
                }
            }
            Err((_, fault)) if fault.is_duplicate() || fault.is_lost_race() => {
                for (number, answer) in answers.into_iter().enumerate() {
                    self.write_alone(Arc::clone(&writes), number, false, answer);
                }
            }
            Err((kind, fault)) => {
                for answer in answers {
                    let _ = answer.send(Err(fault.clone().into_error(kind, "commit")));
                }
            }
        }
    }

    /// Writes one commit of a batch by itself, without holding up its lane.
    fn write_alone(
        self: &Arc<Self>,
        writes: Arc<Vec<Write>>,
        number: usize,
        is_refused: bool,
        answer: Answer<Committed>,
    ) {
        let inner = Arc::clone(self);
        self.spawn(async move {
            let written = inner
                .until_done(AccessKind::Write, "commit", move |link| {
                    let writes = Arc::clone(&writes);
                    Box::pin(async move {
                        match writes.get(number) {
                            Some(write) => {
                                let committed = commit::write(&link, write, is_refused).await?;
                                write.answered(&committed);
                                Ok(committed)
                            }
                            None => Ok(Committed::Conflict),
                        }
                    })
                })
                .await;
            let _ = answer.send(written);
        });
    }

    /// Takes note of what is delivered, together with others that wait.
    pub(super) async fn settle_now(self: &Arc<Self>, row: SettleRow) -> Result<Settled, StoreError> {
        let (answer, answered) = oneshot::channel();
        let opening = self.lanes.settles.push(Job { row, answer }, self.options.lanes, self.queued());
        self.open_lane(opening, |lanes| lanes.settles.abandon(), Self::settle_lane);
        answered.await.unwrap_or_else(|_| Err(stopped("settle")))
    }

    async fn settle_lane(self: Arc<Self>) {
        loop {
            let mut jobs = self.lanes.settles.take(self.options.batch);
            if jobs.is_empty() {
                return;
            }
            jobs.sort_unstable_by(|one, other| one.row.place().cmp(&other.row.place()));
            let (rows, answers): (Vec<SettleRow>, Vec<_>) =
                jobs.into_iter().map(|job| (job.row, job.answer)).unzip();
            let rows = Arc::new(rows);
            let settled = self
                .again(AccessKind::Write, move |link| {
                    let rows = Arc::clone(&rows);
                    Box::pin(async move { settle(&link, &rows.iter().collect::<Vec<_>>()).await })
                })
                .await;
            match settled {
                Ok(settled) => {
                    for (answer, settled) in answers.into_iter().zip(settled) {
                        let _ = answer.send(Ok(settled));
                    }
                }
                Err((kind, fault)) => {
                    for answer in answers {
                        let _ = answer.send(Err(fault.clone().into_error(kind, "settle")));
                    }
                }
            }
        }
    }
}
