//! Callers of one conversation, one after the other in order of arrival (SEMANTICS S17): each would
//! lose a race against another of this process, decide again, and send once more what the first has
//! sent. Nothing is kept of a conversation that nobody calls.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::hash::BuildHasher;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use foldhash::fast::RandomState;

use crate::id::WorkspaceId;
use crate::store::Subject;

const SHARDS: usize = 64;

/// The callers who wait, by a hash of whose conversation they asked for. Two conversations of one
/// hash wait for each other, which is harmless.
pub(super) struct CallerQueues {
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

type Shard = HashMap<u64, VecDeque<Arc<Ticket>>, RandomState>;

/// A place in a queue.
#[derive(Default)]
struct Ticket(Mutex<QueuedCall>);

#[derive(Default)]
struct QueuedCall {
    is_called: bool,
    waker: Option<Waker>,
}

impl Ticket {
    fn lock(&self) -> MutexGuard<'_, QueuedCall> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for CallerQueues {
    fn default() -> Self {
        Self { hasher: RandomState::default(), shards: std::array::from_fn(|_| Mutex::default()) }
    }
}

impl CallerQueues {
    /// Waits until everybody is gone who asked for the same conversation before.
    pub(super) fn turn(&self, workspace: &WorkspaceId, subject: &Subject) -> Waiting<'_> {
        let key = match subject {
            Subject::Contact(contact) => self.hasher.hash_one((workspace, contact)),
            Subject::Alias(alias) => self.hasher.hash_one((workspace, alias)),
        };
        Waiting { queues: self, key, ticket: None, has_turn: false }
    }

    fn shard(&self, key: u64) -> MutexGuard<'_, Shard> {
        let place = usize::try_from(key % SHARDS as u64).unwrap_or_default();
        let shard = self.shards.get(place).unwrap_or(&self.shards[0]);
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls the next in line.
    fn pass_on(&self, key: u64) {
        let waker = {
            let mut shard = self.shard(key);
            let Some(line) = shard.get_mut(&key) else { return };
            match line.pop_front() {
                Some(next) => {
                    let mut call = next.lock();
                    call.is_called = true;
                    call.waker.take()
                }
                None => {
                    shard.remove(&key);
                    None
                }
            }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// A caller in line. Dropped, it leaves the line; if its turn had come, the next one is called.
pub(super) struct Waiting<'a> {
    queues: &'a CallerQueues,
    key: u64,
    ticket: Option<Arc<Ticket>>,
    has_turn: bool,
}

/// A caller whose turn it is, until this is dropped.
pub(super) struct QueueTurn<'a> {
    queues: &'a CallerQueues,
    key: u64,
}

impl Drop for QueueTurn<'_> {
    fn drop(&mut self) {
        self.queues.pass_on(self.key);
    }
}

impl<'a> Future for Waiting<'a> {
    type Output = QueueTurn<'a>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<QueueTurn<'a>> {
        let this = &mut *self;
        match &this.ticket {
            None => {
                let mut shard = this.queues.shard(this.key);
                if let Some(line) = shard.get_mut(&this.key) {
                    let ticket = Arc::new(Ticket::default());
                    ticket.lock().waker = Some(context.waker().clone());
                    line.push_back(Arc::clone(&ticket));
                    this.ticket = Some(ticket);
                    return Poll::Pending;
                }
                shard.insert(this.key, VecDeque::new());
            }
            Some(ticket) => {
                let mut call = ticket.lock();
                if !call.is_called {
                    call.waker = Some(context.waker().clone());
                    return Poll::Pending;
                }
            }
        }
        this.has_turn = true;
        Poll::Ready(QueueTurn { queues: this.queues, key: this.key })
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket.take().filter(|_| !self.has_turn) else { return };
        let is_called = {
            let mut shard = self.queues.shard(self.key);
            if let Some(line) = shard.get_mut(&self.key) {
                line.retain(|waiting| !Arc::ptr_eq(waiting, &ticket));
            }
            ticket.lock().is_called
        };
        if is_called {
            self.queues.pass_on(self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;
    use crate::id::ContactId;

    fn ann() -> Subject {
        Subject::Contact(ContactId::new("ann").unwrap_or_else(|_| unreachable!("it is a name")))
    }

    fn poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }

    fn kept(queues: &CallerQueues) -> usize {
        let len = |shard: &Mutex<Shard>| shard.lock().unwrap_or_else(PoisonError::into_inner).len();
        queues.shards.iter().map(len).sum()
    }

    #[test]
    fn callers_go_in_order_of_arrival_and_leave_nothing() {
        let queues = CallerQueues::default();
        let workspace = WorkspaceId::default();
        let mut lines: Vec<_> = (0..4).map(|_| queues.turn(&workspace, &ann())).collect();
        let first = poll(&mut lines[0]);
        assert!(first.is_some());
        assert!((1..4).all(|place| poll(&mut lines[place]).is_none()));
        drop(first);
        assert!(poll(&mut lines[2]).is_none(), "the second is before it");
        let second = poll(&mut lines[1]);
        assert!(second.is_some());
        drop(second);
        let third = poll(&mut lines[2]);
        assert!(third.is_some());
        drop((third, lines));
        assert_eq!(kept(&queues), 0);
    }

    #[test]
    fn a_caller_who_leaves_holds_up_nobody() {
        let queues = CallerQueues::default();
        let workspace = WorkspaceId::default();
        let mut lines: Vec<_> = (0..4).map(|_| Some(queues.turn(&workspace, &ann()))).collect();
        let ask = |lines: &mut Vec<Option<Waiting<'_>>>, place: usize| {
            lines[place].as_mut().and_then(|line| poll(line).map(drop)).is_some()
        };
        let mut holder = queues.turn(&workspace, &ann());
        let turn = poll(&mut holder);
        assert!((0..4).all(|place| !ask(&mut lines, place)));
        lines[0] = None;
        drop(turn);
        // Called, and gone before it came.
        lines[1] = None;
        assert!(ask(&mut lines, 2));
        assert!(ask(&mut lines, 3));
        drop(lines);
        assert_eq!(kept(&queues), 0);
    }

    #[test]
    fn others_do_not_wait() {
        let queues = CallerQueues::default();
        let workspace = WorkspaceId::default();
        let mut one = queues.turn(&workspace, &ann());
        let _turn = poll(&mut one);
        let bob = Subject::Contact(ContactId::new("bob").unwrap_or_else(|_| unreachable!("it is a name")));
        assert!(poll(&mut queues.turn(&workspace, &bob)).is_some());
    }
}
