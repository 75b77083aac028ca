//! `Db::write`: what a unit of work is, and how it travels to the writer.

use std::{error::Error, time::Duration};

use futures::future::LocalBoxFuture;
use sqlx::{PgConnection, Postgres, SqliteConnection, pool::PoolConnection};
use tokio::sync::oneshot;

use super::{Db, DbError, Each};

/// A unit of work that takes longer is undone: on SQLite all writers wait with it.
pub(super) const JOB_LIMIT: Duration = Duration::from_secs(10);

/// The transaction that a unit of work runs in. Only [`Db::write`] makes one.
#[derive(Debug)]
pub struct Tx(pub(super) Inner);

#[derive(Debug)]
pub(super) enum Inner {
    Sqlite(SqliteConnection),
    Postgres(PoolConnection<Postgres>),
}

impl Tx {
    /// The connection of the transaction, for [`each!`](crate::each).
    pub fn each(&mut self) -> Each<&mut SqliteConnection, &mut PgConnection> {
        match &mut self.0 {
            Inner::Sqlite(connection) => Each::Sqlite(connection),
            Inner::Postgres(connection) => Each::Postgres(connection),
        }
    }

    /// Makes every transaction that locks the same name wait until this one has ended.
    ///
    /// Needed only where a unit of work reads, decides in Rust and writes: on SQLite writers are
    /// already alone, on PostgreSQL they are not. One statement that decides by itself
    /// (`UPDATE … WHERE used_at IS NULL … RETURNING`, `INSERT … ON CONFLICT`) needs no lock.
    pub async fn lock(&mut self, name: &str) -> Result<(), DbError> {
        match &mut self.0 {
            Inner::Sqlite(_) => Ok(()),
            Inner::Postgres(connection) => {
                sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
                    .bind(name)
                    .execute(&mut **connection)
                    .await?;
                Ok(())
            }
        }
    }
}

impl Tx {
    /// [`Self::lock`] for many names, in an order of its own, so that two that lock the same names
    /// wait for each other and not for ever.
    pub async fn lock_all(&mut self, mut names: Vec<String>) -> Result<(), DbError> {
        match &mut self.0 {
            Inner::Sqlite(_) => Ok(()),
            Inner::Postgres(connection) => {
                names.sort();
                sqlx::query(
                    "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) \
                     FROM (SELECT name FROM unnest($1::text[]) WITH ORDINALITY AS n (name, place) \
                           ORDER BY place) AS sorted",
                )
                .bind(names)
                .execute(&mut **connection)
                .await?;
                Ok(())
            }
        }
    }
}

/// An error of a unit of work: any `std` error that can also carry a [`DbError`].
pub trait WriteFailure: Error + From<DbError> + Send + 'static {}

impl<E: Error + From<DbError> + Send + 'static> WriteFailure for E {}

impl Db {
    /// Runs `work` in a transaction and returns its result once the transaction is durable.
    ///
    /// * `Ok`: everything that `work` wrote is committed.
    /// * `Err` from `work`: nothing of it remains.
    /// * A `DbError` of the layer itself (turned into `E`): nothing remains, except after
    ///   [`DbError::UnknownOutcome`], which only PostgreSQL can give.
    ///
    /// The work is finished even if the caller goes away, so it is never applied in half. It may
    /// run more than once (PostgreSQL asks for that after a serialization failure), so it has no
    /// effect outside of the database. It must not wait for anything but the database: on SQLite
    /// all writers wait with it.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: AsyncFn(&mut Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: WriteFailure,
    {
        self.write_within(Some(self.job_limit), work).await
    }

    /// [`Self::write`] for what takes as long as it needs, before the service serves anybody.
    pub async fn write_at_leisure<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: AsyncFn(&mut Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: WriteFailure,
    {
        self.write_within(None, work).await
    }

    /// [`Self::write`] with another limit, or none, for what runs before the service does.
    pub(super) async fn write_within<T, E, F>(
        &self,
        limit: Option<Duration>,
        work: F,
    ) -> Result<T, E>
    where
        F: AsyncFn(&mut Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: WriteFailure,
    {
        let (reply, answer) = oneshot::channel();
        let job = Typed {
            work,
            limit,
            outcome: None,
            reply,
        };
        if !self.jobs().put(Box::new(job)).await {
            return Err(DbError::Closed.into());
        }
        match answer.await {
            Ok(outcome) => outcome,
            Err(_) => Err(DbError::Closed.into()),
        }
    }
}

/// What a job tells the writer after it ran.
pub(super) enum Ran {
    /// Keep what it wrote.
    Keep,
    /// Undo what it wrote.
    Undo,
    /// Undo, and run it again in a new transaction.
    Again,
}

/// A unit of work with its types forgotten.
pub(super) trait Job: Send {
    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> LocalBoxFuture<'a, Ran>;

    /// How long it may take; `None`: as long as it wants.
    fn limit(&self) -> Option<Duration>;

    /// Answers the caller: with the job's own result, or with the failure of its transaction.
    fn finish(self: Box<Self>, transaction: Result<(), DbError>);
}

struct Typed<F, T, E> {
    work: F,
    limit: Option<Duration>,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Job for Typed<F, T, E>
where
    F: AsyncFn(&mut Tx) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: WriteFailure,
{
    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> LocalBoxFuture<'a, Ran> {
        Box::pin(async move {
            self.outcome = None;
            let outcome = (self.work)(tx).await;
            let ran = match &outcome {
                Ok(_) => Ran::Keep,
                Err(error) if asks_for_retry(error) => Ran::Again,
                Err(_) => Ran::Undo,
            };
            self.outcome = Some(outcome);
            ran
        })
    }

    fn limit(&self) -> Option<Duration> {
        self.limit
    }

    fn finish(self: Box<Self>, transaction: Result<(), DbError>) {
        let Self {
            work: _,
            limit: _,
            outcome,
            reply,
        } = *self;
        let answer = match (transaction, outcome) {
            (Err(failure), _) => Err(failure.into()),
            (Ok(()), Some(outcome)) => outcome,
            (Ok(()), None) => Err(DbError::Unfinished.into()),
        };
        // The caller may be gone; the work stands all the same.
        let _ = reply.send(answer);
    }
}

/// Waits for work, at most as long as its limit. `None`: it took longer.
pub(super) async fn within<T>(limit: Option<Duration>, work: impl Future<Output = T>) -> Option<T> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, work).await.ok(),
        None => Some(work.await),
    }
}

/// PostgreSQL asks for another attempt with SQLSTATE 40001 and 40P01. The error travels inside
/// the domain's own error, so the chain of sources is searched.
fn asks_for_retry(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(DbError::Serialization(_)) = error.downcast_ref::<DbError>() {
            return true;
        }
        if let Some(sqlx::Error::Database(database)) = error.downcast_ref::<sqlx::Error>()
            && matches!(database.code().as_deref(), Some("40001" | "40P01"))
        {
            return true;
        }
        next = error.source();
    }
    false
}
