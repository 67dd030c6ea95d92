//! The things that a host gives the suite: fresh stores, a way to let time pass, a way to run tasks
//! at the same time.

use std::future::{Future, poll_fn, ready};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

/// Something that runs beside others. Its result, if any, goes where the check shares it.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send + 'static>>;

/// Makes the stores that are checked. A host writes it for its own store; [`FreshStores`] is one
/// for stores in memory.
///
/// A check calls [`store`](Self::store) once, and knows nothing of other checks: they may run at
/// the same time.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use chatflow::MemoryStore;
/// use chatflow::testkit::store_suite::Harness;
///
/// struct OnMyDatabase;
///
/// impl Harness for OnMyDatabase {
///     type Store = Arc<MemoryStore>; // in your code: your store, on a schema or a file of its own
///
///     async fn store(&self) -> Self::Store {
///         Arc::new(MemoryStore::new())
///     }
///
///     async fn pass(&self, time: Duration) {
///         // A store that judges leases by the clock of a server: tokio::time::sleep(time).await
///         let _ = time;
///     }
/// }
/// ```
pub trait Harness: Send + Sync {
    /// The store under test. What it must be is said by each check: a
    /// [`ConversationStore`](crate::store::ConversationStore), a
    /// [`StoreQueries`](crate::store::StoreQueries) beside it, a
    /// [`FlowStore`](crate::store::FlowStore).
    type Store: Send + Sync + 'static;

    /// A store that holds nothing. May panic if it cannot be made.
    fn store(&self) -> impl Future<Output = Self::Store> + Send;

    /// Opens the same data once more, as a second process would. None: nobody else can, and what
    /// concerns two processes is not checked.
    fn beside(&self, store: &Self::Store) -> impl Future<Output = Option<Self::Store>> + Send {
        let _ = store;
        ready(None)
    }

    /// Lets so much time pass on the clock by which the store judges leases, at most a few seconds.
    ///
    /// Nothing needs to be done for a store that judges them by the `now` of each call; that moves
    /// on in any case.
    fn pass(&self, time: Duration) -> impl Future<Output = ()> + Send {
        let _ = time;
        ready(())
    }

    /// Runs tasks at the same time until all are done. A panic of one must come out of here.
    ///
    /// They take turns on the caller's thread unless this is overridden: on threads, or spawned on
    /// a runtime, they find more.
    fn together(&self, tasks: Vec<Task>) -> impl Future<Output = ()> + Send {
        in_turns(tasks)
    }
}

/// Stores that a function makes, judging leases by the `now` of each call: those in memory, or in
/// this process.
///
/// ```
/// use chatflow::MemoryStore;
/// use chatflow::testkit::store_suite::{FreshStores, conversations, run_all};
///
/// pollster::block_on(run_all(&conversations(), &FreshStores(MemoryStore::new)));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FreshStores<F>(pub F);

impl<S: Send + Sync + 'static, F: Fn() -> S + Send + Sync> Harness for FreshStores<F> {
    type Store = S;

    fn store(&self) -> impl Future<Output = S> + Send {
        ready((self.0)())
    }
}

/// Polls each task whenever one was woken, until all are done.
async fn in_turns(tasks: Vec<Task>) {
    let mut left: Vec<Task> = tasks;
    poll_fn(|context| {
        left.retain_mut(|task| task.as_mut().poll(context).is_pending());
        if left.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Lets the other tasks go first, once.
pub(super) async fn step_aside() {
    let mut waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Polls a call so many times, then drops it; None if it was not done by then.
pub(super) async fn drop_after<F: Future>(polls: usize, call: F) -> Option<F::Output> {
    let mut call = Box::pin(call);
    let mut left = polls;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match call.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
