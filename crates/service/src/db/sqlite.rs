//! The one writer of a SQLite database.
//!
//! A durable commit costs one fsync (hundreds per second), a row inside a transaction a few
//! microseconds. The writer therefore takes every queued job into one transaction, with a
//! savepoint for each job, and answers only after the commit.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use sqlx::{ConnectOptions, Connection, SqliteConnection, raw_sql, sqlite::SqliteConnectOptions};

use super::{
    DbError,
    queue::Queue,
    write::{Inner, Job, Ran, Tx, within},
};

/// Most jobs in one transaction, so that the first of them does not wait for ever.
const GROUP_LIMIT: usize = 256;

pub(super) async fn write_loop(options: SqliteConnectOptions, mut queue: Queue) {
    let mut tx: Option<Tx> = None;
    while let Some(first) = queue.next().await {
        let connected = match tx.take() {
            Some(tx) => Ok(tx),
            None => options.connect().await.map(|c| Tx(Inner::Sqlite(c))),
        };
        match connected {
            Ok(mut open) => {
                if run_group(&mut open, first, &mut queue).await {
                    tx = Some(open);
                }
            }
            Err(error) => first.finish(Err(error.into())),
        }
    }
    if let Some(Tx(Inner::Sqlite(connection))) = tx {
        // Nothing is lost without it: closing only moves the log into the main file.
        let _ = connection.close().await;
    }
}

/// One transaction. Returns whether the connection is still good.
///
/// If the first job fails, the whole transaction is undone and ended. The savepoint is replaced
/// before each further job, which fails if SQLite has undone the transaction by itself (after a
/// full disk, for example): then the group ends without a commit.
async fn run_group(tx: &mut Tx, mut first: Box<dyn Job>, queue: &mut Queue) -> bool {
    if let Err(error) = statement(tx, "BEGIN IMMEDIATE; SAVEPOINT job").await {
        first.finish(Err(error));
        return rolled_back(tx).await;
    }
    match run_job(&mut first, tx).await {
        Ran::Keep => {}
        Ran::Undo | Ran::Again => {
            let good = rolled_back(tx).await;
            first.finish(Ok(()));
            return good;
        }
    }
    let mut group = vec![first];
    while group.len() < GROUP_LIMIT
        && let Some(mut job) = queue.waiting()
    {
        let mut set = statement(tx, "RELEASE job; SAVEPOINT job").await;
        if set.is_ok() {
            match run_job(&mut job, tx).await {
                Ran::Keep => {}
                Ran::Undo | Ran::Again => set = statement(tx, "ROLLBACK TO job").await,
            }
        }
        group.push(job);
        if let Err(error) = set {
            return abandon(tx, group, &error).await;
        }
    }
    match statement(tx, "COMMIT").await {
        Ok(()) => {
            group.into_iter().for_each(|job| job.finish(Ok(())));
            true
        }
        Err(error) => abandon(tx, group, &error).await,
    }
}

async fn run_job(job: &mut Box<dyn Job>, tx: &mut Tx) -> Ran {
    let limit = job.limit();
    let run = AssertUnwindSafe(job.run(tx)).catch_unwind();
    match within(limit, run).await {
        Some(Ok(ran)) => ran,
        Some(Err(_panic)) => {
            tracing::error!("a unit of work panicked and was rolled back");
            Ran::Undo
        }
        None => {
            tracing::error!("a unit of work took too long and was rolled back");
            Ran::Undo
        }
    }
}

async fn abandon(tx: &mut Tx, group: Vec<Box<dyn Job>>, error: &DbError) -> bool {
    tracing::error!(
        code = error.code(),
        jobs = group.len(),
        "a group of writes was not committed"
    );
    let good = rolled_back(tx).await;
    for job in group {
        job.finish(Err(DbError::NotCommitted));
    }
    good
}

/// Ends whatever transaction is open; a connection that cannot do that is thrown away.
async fn rolled_back(tx: &mut Tx) -> bool {
    // "No transaction is active" is an error too, so its result says nothing: ask again.
    let _ = statement(tx, "ROLLBACK").await;
    statement(tx, "BEGIN; ROLLBACK").await.is_ok()
}

async fn statement(tx: &mut Tx, sql: &'static str) -> Result<(), DbError> {
    let connection: &mut SqliteConnection = match &mut tx.0 {
        Inner::Sqlite(connection) => connection,
        Inner::Postgres(_) => return Err(DbError::Address),
    };
    raw_sql(sql).execute(connection).await?;
    Ok(())
}
