//! The parts that all handles of a store share: the pool, the runtime that does the work, the
//! lanes.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use chatflow::error::StoreError;
use deadpool_postgres::{Object, Pool};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::PostgresOptions;
use crate::errors::{AccessKind, Fault};
use crate::lane::Lanes;
use crate::link::Link;
use crate::plans::ServerEvent;
use crate::rides::Carriage;

/// The work of an operation on its connection.
pub(super) type Work<'l, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'l>>;

/// Number of attempts at an operation that loses against others inside the server.
const RACES: u32 = 9;

pub(super) struct Inner {
    pool: Pool,
    runtime: Handle,
    pub(super) options: PostgresOptions,
    /// Into how many slices the tables are partitioned.
    pub(super) slices: u16,
    /// True if transactions are isolated more strictly than `read committed`.
    pub(super) is_strict: bool,
    /// True if flows are kept here too.
    has_flows: AtomicBool,
    /// True while the server keeps statements.
    prepares: AtomicBool,
    pub(super) lanes: Lanes,
    /// Settles that are acknowledged and not written yet.
    pub(super) carriage: Arc<Carriage>,
    turns: AtomicU64,
}

impl Inner {
    pub(super) fn new(pool: Pool, runtime: Handle, options: PostgresOptions, slices: u16) -> Self {
        let (has_flows, turns) = (AtomicBool::new(false), AtomicU64::new(0));
        let prepares = AtomicBool::new(options.prepared.unwrap_or(false));
        let (lanes, carriage) = (Lanes::default(), Arc::default());
        let is_strict = false;
        Self { pool, runtime, options, slices, is_strict, has_flows, prepares, lanes, carriage, turns }
    }

    pub(super) fn on(self, slices: u16, is_strict: bool) -> Self {
        Self { slices, is_strict, ..self }
    }

    pub(super) fn has_flows(&self) -> bool {
        self.has_flows.load(Ordering::Relaxed)
    }

    /// True while the server keeps statements.
    pub(super) fn prepares(&self) -> bool {
        self.prepares.load(Ordering::Relaxed)
    }

    /// From now on loads say how new the catalogue is.
    pub(super) fn keeps_flows(&self) {
        self.has_flows.store(true, Ordering::Relaxed);
    }

    /// Does the work in the runtime. Its caller may stop waiting: it is done to its end all the
    /// same.
    pub(super) async fn ask<T, F>(
        self: &Arc<Self>,
        kind: AccessKind,
        what: &'static str,
        work: F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'l> Fn(Link<'l>) -> Work<'l, T> + Send + Sync + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let inner = Arc::clone(self);
        self.spawn(async move {
            let _ = answer.send(inner.until_done(kind, what, work).await);
        });
        answered.await.unwrap_or_else(|_| Err(stopped(what)))
    }

    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(task);
    }

    /// Works again when others were preferred inside the server.
    pub(super) async fn until_done<T, F>(
        &self,
        kind: AccessKind,
        what: &'static str,
        work: F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'l> Fn(Link<'l>) -> Work<'l, T> + Send + Sync,
    {
        self.again(kind, work).await.map_err(|(kind, fault)| fault.into_error(kind, what))
    }

    /// The same, with the failure as it is. Once others were preferred it works in a transaction
    /// that waits for them, where a stricter one could lose each time.
    pub(super) async fn again<T, F>(&self, kind: AccessKind, work: F) -> Result<T, (AccessKind, Fault)>
    where
        T: Send + 'static,
        F: for<'l> Fn(Link<'l>) -> Work<'l, T> + Send + Sync,
    {
        let mut attempt = 0;
        loop {
            let done = if attempt == 0 {
                self.once(kind, &work).await
            } else {
                self.once(kind, &|link: Link<'_>| waiting(link, work(link.inside()))).await
            };
            match done {
                Err((_, fault)) if fault.is_lost_race() && attempt < RACES => {
                    tokio::time::sleep(self.pause(attempt)).await;
                    attempt += 1;
                }
                done => return done,
            }
        }
    }

    /// Returns the pause of an operation that lost so many races: twice as long each time, give or
    /// take half, so that those who met do not meet again.
    fn pause(&self, attempt: u32) -> Duration {
        let spread = self.turns.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9) % 1024;
        Duration::from_micros((512 + spread) << attempt)
    }

    /// Works on a pooled connection. When that turns out to be broken, reads are tried on another,
    /// and so is whatever a server refused that only reads. Answers with a failure what was being
    /// done.
    pub(super) async fn once<T, F>(&self, kind: AccessKind, work: &F) -> Result<T, (AccessKind, Fault)>
    where
        F: for<'l> Fn(Link<'l>) -> Work<'l, T> + Send + Sync,
    {
        let mut is_second = false;
        loop {
            let client = self.client().await.map_err(|fault| (AccessKind::Connect, fault))?;
            let statements = self.prepares().then(|| &*client.statement_cache);
            let done = {
                let work = work(Link::pooled(&client, statements));
                timeout(self.options.statement_timeout, work).await
            };
            let fault = match done {
                Ok(Ok(done)) => return Ok(done),
                Ok(Err(fault)) => fault,
                Err(_) => {
                    drop(Object::take(client));
                    return Err((kind, Fault::timeout(kind)));
                }
            };
            if !fault.is_fatal() {
                return Err((kind, fault));
            }
            drop(Object::take(client));
            if fault.is_stale() {
                self.pool.retain(|_, _| false);
            }
            // What the server refused to run did nothing.
            if fault.is_unprepared() && self.prepares.swap(false, Ordering::Relaxed) {
                self.options.listener.tell(ServerEvent::NotPrepared);
                continue;
            }
            if is_second || !(kind == AccessKind::Read || fault.is_stale()) {
                return Err((kind, fault));
            }
            is_second = true;
        }
    }

    async fn client(&self) -> Result<Object, Fault> {
        match timeout(self.options.wait_timeout, self.pool.get()).await {
            Ok(client) => client.map_err(Fault::of_pool),
            Err(_) => Err(Fault::timeout(AccessKind::Connect)),
        }
    }
}

fn waiting<'l, T: Send + 'l>(link: Link<'l>, work: Work<'l, T>) -> Work<'l, T> {
    Box::pin(async move { link.read_committed(work).await })
}

/// The runtime ended before the work did.
pub(super) fn stopped(what: &'static str) -> StoreError {
    Fault::Sorted(chatflow::error::StoreErrorKind::Unknown, "the store's runtime has ended".into())
        .into_error(AccessKind::Write, what)
}
