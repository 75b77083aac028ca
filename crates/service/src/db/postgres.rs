//! Transactions on PostgreSQL: one per unit of work, repeated when the database asks for it.
//!
//! The isolation is READ COMMITTED: whatever must happen once is decided by one statement
//! (`UPDATE … WHERE … RETURNING`, a unique constraint) or under [`Tx::lock`].

use std::{panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt;
use sqlx::{Executor, PgPool, Postgres, pool::PoolConnection};
use tokio::task::JoinSet;

use super::{
    DbError,
    queue::Queue,
    write::{Inner, Job, Ran, Tx, within},
};

/// Attempts after the first one.
const RETRIES: u32 = 3;

pub(super) async fn write_loop(pool: PgPool, mut queue: Queue) {
    let mut running = JoinSet::new();
    while let Some(job) = queue.next().await {
        running.spawn_local(crate::tenant::inherit(run(pool.clone(), job)));
        while running.try_join_next().is_some() {}
    }
    while running.join_next().await.is_some() {}
    pool.close().await;
}

async fn run(pool: PgPool, mut job: Box<dyn Job>) {
    let mut attempt = 0;
    let result = loop {
        match run_once(&pool, &mut job).await {
            Ok(Ended::Done) => break Ok(()),
            Ok(Ended::Again) if attempt < RETRIES => {}
            // The job's own error says why.
            Ok(Ended::Again) => break Ok(()),
            Err(DbError::Serialization(_)) if attempt < RETRIES => {}
            Err(error) => break Err(error),
        }
        attempt += 1;
        tokio::time::sleep(Duration::from_millis(5 << attempt)).await;
    };
    job.finish(result);
}

enum Ended {
    Done,
    Again,
}

async fn run_once(pool: &PgPool, job: &mut Box<dyn Job>) -> Result<Ended, DbError> {
    let mut connection = pool.acquire().await?;
    connection.execute("BEGIN").await?;
    let mut tx = Tx(Inner::Postgres(connection));
    let limit = job.limit();
    let run = AssertUnwindSafe(job.run(&mut tx)).catch_unwind();
    let ran = match within(limit, run).await {
        Some(Ok(ran)) => ran,
        Some(Err(_)) | None => {
            tracing::error!("a unit of work panicked or took too long and was rolled back");
            discard(tx).await;
            return Err(DbError::Unfinished);
        }
    };
    let Inner::Postgres(mut connection) = tx.0 else {
        return Err(DbError::Address);
    };
    match ran {
        Ran::Keep => {
            commit(&mut connection).await?;
            Ok(Ended::Done)
        }
        Ran::Undo => rollback(connection).await.map(|()| Ended::Done),
        Ran::Again => rollback(connection).await.map(|()| Ended::Again),
    }
}

/// PostgreSQL answers COMMIT with the tag ROLLBACK, and no error, when a statement of the
/// transaction failed and the work went on regardless.
async fn commit(connection: &mut PoolConnection<Postgres>) -> Result<(), DbError> {
    let open = sqlx::query_scalar::<_, i64>("SELECT 1::BIGINT")
        .fetch_one(&mut **connection)
        .await;
    if let Err(error) = open {
        let _ = connection.execute("ROLLBACK").await;
        tracing::error!(%error, "a unit of work ignored the failure of a statement");
        return Err(DbError::NotCommitted);
    }
    match connection.execute("COMMIT").await {
        Ok(_) => Ok(()),
        Err(error) if error.as_database_error().is_some() => Err(match DbError::from(error) {
            serialization @ DbError::Serialization(_) => serialization,
            _ => DbError::NotCommitted,
        }),
        Err(_) => Err(DbError::UnknownOutcome),
    }
}

async fn rollback(mut connection: PoolConnection<Postgres>) -> Result<(), DbError> {
    if connection.execute("ROLLBACK").await.is_err() {
        // The server undoes the transaction of a connection that goes away.
        drop(connection.detach());
    }
    Ok(())
}

async fn discard(tx: Tx) {
    if let Inner::Postgres(connection) = tx.0 {
        drop(connection.detach());
    }
}
