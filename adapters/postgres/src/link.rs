//! One connection while an operation uses it: a pooled one, or that of a transaction of the host.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use deadpool_postgres::StatementCache;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use crate::errors::Fault;

/// A parameter with its type, so that the server need not be asked.
pub(super) type Param<'p> = (&'p (dyn ToSql + Sync), Type);

/// Where statements go.
#[derive(Clone, Copy)]
pub(super) struct Link<'c> {
    client: &'c Client,
    /// Where prepared statements are kept, if they are to be used.
    statements: Option<&'c StatementCache>,
    /// A transaction is open that survives a refused statement.
    in_tx: bool,
}

impl<'c> Link<'c> {
    pub(super) fn pooled(client: &'c Client, statements: Option<&'c StatementCache>) -> Self {
        Self { client, statements, in_tx: false }
    }

    pub(super) fn in_tx(client: &'c Client) -> Self {
        Self { client, statements: None, in_tx: true }
    }

    /// A statement of the daily work: in one round trip, or prepared once.
    pub(super) async fn hot(&self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>, Fault> {
        let Some(statements) = self.statements else { return self.query(sql, params).await };
        let types: Vec<Type> = params.iter().map(|(_, of)| of.clone()).collect();
        let statement = statements.prepare_typed(self.client, sql, &types).await?;
        let values: Vec<&(dyn ToSql + Sync)> = params.iter().map(|(value, _)| *value).collect();
        Ok(self.client.query(&statement, &values).await?)
    }

    /// A statement that is run seldom: planned each time for its parameters.
    pub(super) async fn query(&self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>, Fault> {
        Ok(self.client.query_typed(sql, params).await?)
    }

    /// The first row of the answer.
    pub(super) async fn first(&self, sql: &'static str, params: &[Param<'_>]) -> Result<Option<Row>, Fault> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }

    /// Statements without parameters and answers.
    pub(super) async fn run(&self, sql: &'static str) -> Result<(), Fault> {
        Ok(self.client.batch_execute(sql).await?)
    }

    /// Work of several statements, all or nothing.
    pub(super) async fn atomically<T>(
        &self,
        work: impl Future<Output = Result<T, Fault>> + Send,
    ) -> Result<T, Fault> {
        let words = if self.in_tx { (SAVE, RELEASE, UNDO) } else { ("BEGIN", "COMMIT", "ROLLBACK") };
        self.between(words, work).await
    }

    /// Work in a transaction of its own that sees what others have committed, however strict the
    /// database is otherwise: there it waits for a row where a stricter one would be given up.
    /// `work` goes by [`inside`](Self::inside).
    pub(super) async fn read_committed<T>(
        &self,
        work: impl Future<Output = Result<T, Fault>> + Send,
    ) -> Result<T, Fault> {
        self.between((READ_COMMITTED, "COMMIT", "ROLLBACK"), work).await
    }

    /// The same connection, for work inside a transaction.
    pub(super) fn inside(self) -> Self {
        Self { in_tx: true, ..self }
    }

    async fn between<T>(
        &self,
        (begin, end, undo): (&'static str, &'static str, &'static str),
        work: impl Future<Output = Result<T, Fault>> + Send,
    ) -> Result<T, Fault> {
        let mut left = Left { client: self.in_tx.then_some(self.client) };
        self.run(begin).await?;
        let done = work.await;
        left.client = None;
        match done {
            Ok(done) => self.run(end).await.map(|()| done),
            // A host's transaction lasts as long as its connection does, whatever the server
            // refused.
            Err(fault) if fault.is_fatal() && !(self.in_tx && fault.is_stale()) => Err(fault),
            Err(fault) => self.run(undo).await.and(Err(fault)),
        }
    }

    /// One statement that may be refused: in the host's transaction a refusal undoes no more than
    /// itself.
    pub(super) async fn refusably<T>(
        &self,
        statement: impl Future<Output = Result<T, Fault>> + Send,
    ) -> Result<T, Fault> {
        if self.in_tx { self.atomically(statement).await } else { statement.await }
    }
}

/// Undoes what was begun in the host's transaction when the call is dropped before its end. (A
/// pooled connection is closed then.) The statement is sent by the first poll; nobody needs its
/// answer.
struct Left<'c> {
    client: Option<&'c Client>,
}

impl Drop for Left<'_> {
    fn drop(&mut self) {
        if let Some(client) = self.client {
            let mut undo = pin!(client.batch_execute(UNDO));
            let _ = undo.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
    }
}

const READ_COMMITTED: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
const SAVE: &str = "SAVEPOINT chatflow";
const RELEASE: &str = "RELEASE SAVEPOINT chatflow";
const UNDO: &str = "ROLLBACK TO SAVEPOINT chatflow; RELEASE SAVEPOINT chatflow";
