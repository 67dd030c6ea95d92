//! Gathering what waits at the same time into statements of many rows. Nobody waits for company: a lane takes what is
//! queued when it is free, so that one caller alone has a statement of its own at once.

use std::collections::{HashSet, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::error::StoreError;
use crate::store::postgres::commit::{self, apply};
use crate::store::postgres::errors::Doing;
use crate::store::postgres::inner::{Inner, stopped};
use crate::store::postgres::settle::{SettleRow, settle};
use crate::store::postgres::write::Write;
use crate::store::{Committed, Settled};

/// The queues of a store.
#[derive(Default)]
pub(super) struct Lanes {
    commits: Queue<Write, Committed>,
    settles: Queue<SettleRow, Settled>,
}

/// What waits, and how many lanes work it.
struct Queue<J, A>(Mutex<Waiting<J, A>>);

struct Waiting<J, A> {
    jobs: VecDeque<Job<J, A>>,
    lanes: usize,
}

/// A call, and where its answer goes.
struct Job<J, A> {
    row: J,
    answer: oneshot::Sender<Result<A, StoreError>>,
}

impl<J, A> Default for Queue<J, A> {
    fn default() -> Self {
        Self(Mutex::new(Waiting { jobs: VecDeque::new(), lanes: 0 }))
    }
}

/// What no two rows of one statement may have in common.
trait Row {
    fn claims(&self) -> Vec<Claim>;
}

#[derive(PartialEq, Eq, Hash)]
enum Claim {
    Conversation(String, String),
    Key(String, String, String),
    Alias(String, String),
}

impl Row for Write {
    fn claims(&self) -> Vec<Claim> {
        let workspace = &self.workspace;
        let conversation = Claim::Conversation(workspace.clone(), self.contact.clone());
        let key =
            self.key.iter().map(|key| Claim::Key(workspace.clone(), key.flow.clone(), key.name.clone()));
        let aliases = self.added.iter().map(|(alias, _)| Claim::Alias(workspace.clone(), alias.clone()));
        std::iter::once(conversation).chain(key).chain(aliases).collect()
    }
}

impl Row for SettleRow {
    fn claims(&self) -> Vec<Claim> {
        vec![Claim::Conversation(self.workspace.clone(), self.contact.clone())]
    }
}

impl<J: Row, A> Queue<J, A> {
    fn lock(&self) -> MutexGuard<'_, Waiting<J, A>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a call. Answers whether another lane is to be opened.
    fn push(&self, job: Job<J, A>, most: usize) -> bool {
        let mut waiting = self.lock();
        waiting.jobs.push_back(job);
        let is_another = waiting.lanes < most;
        waiting.lanes += usize::from(is_another);
        is_another
    }

    /// What goes into the next statement; when nothing waits, one lane is closed. Calls that nobody waits for any more
    /// are left out, those that get into each other's way stay.
    fn take(&self, most: usize) -> Vec<Job<J, A>> {
        let mut waiting = self.lock();
        let (mut taken, mut left) = (Vec::new(), VecDeque::new());
        let mut claims = HashSet::new();
        while taken.len() < most
            && let Some(job) = waiting.jobs.pop_front()
        {
            if job.answer.is_closed() {
                continue;
            }
            let own = job.row.claims();
            if own.iter().any(|claim| claims.contains(claim)) {
                left.push_back(job);
                continue;
            }
            claims.extend(own);
            taken.push(job);
        }
        left.append(&mut waiting.jobs);
        waiting.jobs = left;
        if taken.is_empty() {
            waiting.lanes -= 1;
        }
        taken
    }

    /// A lane ended before it was closed. After the last one nobody would work what waits: its callers are told.
    fn abandon(&self) {
        let mut waiting = self.lock();
        waiting.lanes -= 1;
        let left = if waiting.lanes == 0 { std::mem::take(&mut waiting.jobs) } else { VecDeque::new() };
        drop(waiting);
        // Not under the lock: what it wakes may run at once.
        drop(left);
    }
}

/// A lane that works, from before its task is spawned: the task is dropped when the runtime ends, and it may panic.
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
    /// Writes a commit, together with others that wait.
    pub(super) async fn commit(self: &Arc<Self>, write: Write) -> Result<Committed, StoreError> {
        let (answer, answered) = oneshot::channel();
        if self.lanes.commits.push(Job { row: write, answer }, self.options.lanes) {
            let lane = Lane::open(self, |lanes| lanes.commits.abandon());
            self.spawn(async move {
                Arc::clone(&lane.inner).commit_lane().await;
                lane.close();
            });
        }
        answered.await.unwrap_or_else(|_| Err(stopped("commit")))
    }

    async fn commit_lane(self: Arc<Self>) {
        loop {
            let jobs = self.lanes.commits.take(self.options.batch);
            if jobs.is_empty() {
                return;
            }
            let (mut new, mut old) = (Vec::new(), Vec::new());
            for job in jobs {
                match &job.row {
                    write if !write.dropped.is_empty() => {
                        self.write_alone(Arc::new(vec![job.row]), 0, false, job.answer)
                    }
                    write if write.expect.is_none() => new.push(job),
                    _ => old.push(job),
                }
            }
            self.write_together(new).await;
            self.write_together(old).await;
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
            .once(Doing::Write, &move |link| {
                let all = Arc::clone(&all);
                Box::pin(async move { apply(&link, &all.iter().collect::<Vec<_>>()).await })
            })
            .await;
        match applied {
            Ok(applied) => {
                for ((number, answer), applied) in answers.into_iter().enumerate().zip(applied) {
                    match applied {
                        Some(applied) => drop(answer.send(Ok(applied))),
                        None => self.write_alone(Arc::clone(&writes), number, true, answer),
                    }
                }
            }
            Err((_, fault)) if fault.is_duplicate() || fault.is_lost_race() => {
                for (number, answer) in answers.into_iter().enumerate() {
                    self.write_alone(Arc::clone(&writes), number, false, answer);
                }
            }
            Err((doing, fault)) => {
                for answer in answers {
                    let _ = answer.send(Err(fault.clone().into_error(doing, "commit")));
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
        answer: oneshot::Sender<Result<Committed, StoreError>>,
    ) {
        let inner = Arc::clone(self);
        self.spawn(async move {
            let written = inner
                .until_done(Doing::Write, "commit", move |link| {
                    let writes = Arc::clone(&writes);
                    Box::pin(async move {
                        match writes.get(number) {
                            Some(write) => commit::write(&link, write, is_refused).await,
                            None => Ok(Committed::Conflict),
                        }
                    })
                })
                .await;
            let _ = answer.send(written);
        });
    }

    /// Takes note of what is delivered, together with others that wait.
    pub(super) async fn settle(self: &Arc<Self>, row: SettleRow) -> Result<Settled, StoreError> {
        let (answer, answered) = oneshot::channel();
        if self.lanes.settles.push(Job { row, answer }, self.options.lanes) {
            let lane = Lane::open(self, |lanes| lanes.settles.abandon());
            self.spawn(async move {
                Arc::clone(&lane.inner).settle_lane().await;
                lane.close();
            });
        }
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
                .again(Doing::Write, move |link| {
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
                Err((doing, fault)) => {
                    for answer in answers {
                        let _ = answer.send(Err(fault.clone().into_error(doing, "settle")));
                    }
                }
            }
        }
    }
}
