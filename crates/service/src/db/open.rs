//! Opening a database: pools, the writer thread, settings.

use std::{io::ErrorKind, path::Path, str::FromStr, thread, time::Duration};

use sqlx::{
    PgPool, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::mpsc;

use super::{
    DbError, Each, postgres, sqlite,
    write::{JOB_LIMIT, Job},
};

/// Units of work that may wait for the writer; more of them make callers wait.
const QUEUE: usize = 1024;
/// How long a caller waits for a connection before it is told to come back later.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(2);
const SQLITE_READERS: u32 = 4;
const POSTGRES_READERS: u32 = 10;
const POSTGRES_WRITERS: u32 = 10;

/// Which database is configured. For messages and `doctor`; no query depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// An open database. Cheap to clone; closed when the last clone goes.
#[derive(Debug, Clone)]
pub struct Db {
    readers: Pools,
    queue: mpsc::Sender<Box<dyn Job>>,
    pub(super) job_limit: Duration,
}

#[derive(Debug, Clone)]
enum Pools {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl std::fmt::Debug for Box<dyn Job> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job")
    }
}

impl Db {
    /// Opens `sqlite:<file>` (created if missing) or `postgres://…`. Runs no migration.
    pub async fn open(url: &str) -> Result<Self, DbError> {
        if url.starts_with("sqlite:") {
            return Self::open_sqlite(url).await;
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Self::open_postgres(url).await;
        }
        Err(DbError::Address)
    }

    async fn open_sqlite(url: &str) -> Result<Self, DbError> {
        if url.contains(":memory:") || url.contains("mode=memory") {
            // Readers and the writer are different connections: memory would give each its own.
            return Err(DbError::Address);
        }
        let options = SqliteConnectOptions::from_str(url)
            .map_err(|_| DbError::Address)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(2))
            .pragma("wal_autocheckpoint", "10000")
            .statement_cache_capacity(256);
        make_private(options.get_filename())?;
        let readers = SqlitePoolOptions::new()
            .max_connections(SQLITE_READERS)
            .acquire_timeout(ACQUIRE_LIMIT)
            // A file does not hang up: asking before each read would double its cost.
            .test_before_acquire(false)
            .connect_with(options.clone())
            .await?;
        let queue = start_writer(move |queue| sqlite::write_loop(options, queue))?;
        Ok(Self {
            readers: Pools::Sqlite(readers),
            queue,
            job_limit: JOB_LIMIT,
        })
    }

    async fn open_postgres(url: &str) -> Result<Self, DbError> {
        let options = PgConnectOptions::from_str(url).map_err(|_| DbError::Address)?;
        let pool = |size| {
            PgPoolOptions::new()
                .max_connections(size)
                .acquire_timeout(ACQUIRE_LIMIT)
        };
        let readers = pool(POSTGRES_READERS).connect_with(options.clone()).await?;
        let queue = start_writer(move |queue| async move {
            let writers = pool(POSTGRES_WRITERS).connect_lazy_with(options);
            postgres::write_loop(writers, queue).await;
        })?;
        Ok(Self {
            readers: Pools::Postgres(readers),
            queue,
            job_limit: JOB_LIMIT,
        })
    }

    /// The pool of readers, for [`each!`](crate::each).
    ///
    /// A read sees everything that was committed before it began.
    pub fn each(&self) -> Each<&SqlitePool, &PgPool> {
        match &self.readers {
            Pools::Sqlite(pool) => Each::Sqlite(pool),
            Pools::Postgres(pool) => Each::Postgres(pool),
        }
    }

    /// Which database is open.
    pub fn kind(&self) -> DatabaseKind {
        match &self.readers {
            Pools::Sqlite(_) => DatabaseKind::Sqlite,
            Pools::Postgres(_) => DatabaseKind::Postgres,
        }
    }

    /// Whether the database answers. For `/readyz`.
    pub async fn ping(&self) -> Result<(), DbError> {
        crate::each!(self, p => sqlx::query_scalar::<_, i64>("SELECT CAST(1 AS BIGINT)").fetch_one(p).await)?;
        Ok(())
    }

    pub(super) fn queue(&self) -> &mpsc::Sender<Box<dyn Job>> {
        &self.queue
    }
}

/// Makes the file of a new database so that only its owner reads it; SQLite gives its log and
/// its shared memory the same mode. A file that is there keeps its mode.
fn make_private(file: &Path) -> Result<(), DbError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(DbError::Unavailable(error.into())),
    }
}

/// The writer has a thread and a runtime of its own: work that was queued is finished even when
/// the runtime of the caller stops.
fn start_writer<F, L>(make_loop: F) -> Result<mpsc::Sender<Box<dyn Job>>, DbError>
where
    F: FnOnce(mpsc::Receiver<Box<dyn Job>>) -> L + Send + 'static,
    L: Future<Output = ()>,
{
    let (sender, receiver) = mpsc::channel(QUEUE);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| DbError::Unavailable(error.into()))?;
    thread::Builder::new()
        .name("database-writer".into())
        .spawn(move || {
            let local = tokio::task::LocalSet::new();
            local.block_on(&runtime, make_loop(receiver));
        })
        .map_err(|error| DbError::Unavailable(error.into()))?;
    Ok(sender)
}
