//! The queue of rows for a statement of many rows. Nobody waits for company: a lane takes what is
//! queued when it is free, so that one caller alone has a statement of its own at once.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chatflow::error::StoreError;
use tokio::sync::oneshot;

use crate::load::LoadRow;
use crate::settle::SettleRow;
use crate::write::Write;

/// So many calls wait for each lane that is at work before another one is opened: two statements of
/// few rows cost the server more than one of many.
pub(super) const QUEUED: usize = 16;

/// So long fewer calls than that wait before another lane helps: a lane may be held up by a row
/// that somebody else has locked.
pub(super) const PATIENCE: Duration = Duration::from_millis(5);

/// True if a lane is to be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    None,
    Now,
    /// After some [`PATIENCE`].
    Later,
}

/// Where the answer to a call goes.
pub(super) type Answer<A> = oneshot::Sender<Result<A, StoreError>>;

/// The waiting calls, and the number of lanes that work them.
pub(super) struct Queue<J, A>(Mutex<Waiting<J, A>>);

struct Waiting<J, A> {
    jobs: VecDeque<Job<J, A>>,
    lanes: usize,
}

/// A call, and where its answer goes.
pub(super) struct Job<J, A> {
    pub(super) row: J,
    pub(super) answer: Answer<A>,
}

impl<J, A> Default for Queue<J, A> {
    fn default() -> Self {
        Self(Mutex::new(Waiting { jobs: VecDeque::new(), lanes: 0 }))
    }
}

/// Values that no two rows of one statement may have in common, as hashes: rows that only seem to
/// get into each other's way go one after the other.
pub(super) trait Row {
    fn claims(&self) -> Vec<u64>;
}

fn hash(claim: impl Hash) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(claim)
}

impl Row for Write {
    fn claims(&self) -> Vec<u64> {
        let workspace = &self.workspace;
        let key = self.key.iter().map(|key| hash(("key", workspace, &key.flow, &key.name)));
        let aliases = self.added.iter().map(|(alias, _)| hash(("alias", workspace, alias)));
        std::iter::once(hash(self.place())).chain(key).chain(aliases).collect()
    }
}

impl Row for SettleRow {
    fn claims(&self) -> Vec<u64> {
        vec![hash(self.place())]
    }
}

impl Row for LoadRow {
    fn claims(&self) -> Vec<u64> {
        Vec::new()
    }
}

impl<J: Row, A> Queue<J, A> {
    fn lock(&self) -> MutexGuard<'_, Waiting<J, A>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a call. Another lane is opened while so many are queued for each.
    pub(super) fn push(&self, job: Job<J, A>, most: usize, queued: usize) -> Opening {
        let mut waiting = self.lock();
        waiting.jobs.push_back(job);
        if waiting.lanes >= most {
            return Opening::None;
        }
        waiting.lanes += 1;
        if waiting.jobs.len() > (waiting.lanes - 1) * queued { Opening::Now } else { Opening::Later }
    }

    /// Takes the rows of the next statement; when nothing waits, one lane is closed. Calls that
    /// nobody waits for any more are left out, those that get into each other's way stay.
    pub(super) fn take(&self, most: usize) -> Vec<Job<J, A>> {
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

    /// A lane ended before it was closed. After the last one nobody would work what waits: its
    /// callers are told.
    pub(super) fn abandon(&self) {
        let mut waiting = self.lock();
        waiting.lanes -= 1;
        let left = if waiting.lanes == 0 { std::mem::take(&mut waiting.jobs) } else { VecDeque::new() };
        drop(waiting);
        // Not under the lock: what it wakes may run at once.
        drop(left);
    }
}
