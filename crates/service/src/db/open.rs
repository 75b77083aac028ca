//! Opening a database: pools, the writer thread, settings.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use super::{
    DbError, Each, postgres,
    queue::{Jobs, Queue, queue},
    sqlite,
    write::JOB_LIMIT,
};
use crate::tenant;
use sqlx::{
    ConnectOptions, Connection, PgPool, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::runtime::{Builder, Runtime};

/// How long a caller waits for a connection before it is told to come back later.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(2);
/// The same for reading: an answer, though not the one that was hoped for, comes within two seconds.
const READ_LIMIT: Duration = Duration::from_millis(1500);
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

/// How long closing waits for what still runs.
const CLOSE_LIMIT: Duration = Duration::from_secs(10);

/// An open database. Cheap to clone; closed by [`Db::close`] or when the last clone goes.
#[derive(Debug, Clone)]
pub struct Db {
    readers: Pools,
    jobs: Jobs,
    pub(super) job_limit: Duration,
    /// Damage was found.
    damaged: Arc<AtomicBool>,
}

#[derive(Debug, Clone)]
enum Pools {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// What a journal is cut to when it begins anew, in bytes: 64 MiB. It is as long as ten thousand
/// pages in ordinary times.
const JOURNAL_BYTES: &str = "67108864";

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
            // One great transaction (an import) leaves a great journal, which a start after a kill
            // would read as a whole each time.
            .pragma("journal_size_limit", JOURNAL_BYTES)
            .statement_cache_capacity(256);
        make_private(options.get_filename())?;
        let readers = SqlitePoolOptions::new()
            .max_connections(SQLITE_READERS)
            .acquire_timeout(READ_LIMIT)
            // A file does not hang up: asking before each read would double its cost.
            .test_before_acquire(false)
            .connect_with(options.clone())
            .await?;
        // Without sockets the thread is woken by a futex, and not by way of a file descriptor.
        let timers = |runtime: &mut Builder| runtime.enable_time().build();
        let jobs = start_writer(timers, move |queue| sqlite::write_loop(options, queue))?;
        Ok(Self {
            readers: Pools::Sqlite(readers),
            jobs,
            job_limit: JOB_LIMIT,
            damaged: Arc::default(),
        })
    }

    async fn open_postgres(url: &str) -> Result<Self, DbError> {
        let options = PgConnectOptions::from_str(url).map_err(|_| DbError::Address)?;
        let pool = |size, limit| {
            PgPoolOptions::new()
                .max_connections(size)
                .acquire_timeout(limit)
        };
        let readers = pool(POSTGRES_READERS, READ_LIMIT);
        let readers = readers.connect_with(options.clone()).await?;
        let everything = |runtime: &mut Builder| runtime.enable_all().build();
        let jobs = start_writer(everything, move |queue| async move {
            let writers = pool(POSTGRES_WRITERS, ACQUIRE_LIMIT).connect_lazy_with(options);
            postgres::write_loop(writers, queue).await;
        })?;
        Ok(Self {
            readers: Pools::Postgres(readers),
            jobs,
            job_limit: JOB_LIMIT,
            damaged: Arc::default(),
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

    /// The same writer with the readers of another database, such as a replica that lags: for tests
    /// of what must not be decided by a reader.
    #[cfg(feature = "testing")]
    pub fn with_readers_of(&self, other: &Self) -> Self {
        Self {
            readers: other.readers.clone(),
            ..self.clone()
        }
    }

    /// Which database is open.
    pub fn kind(&self) -> DatabaseKind {
        match &self.readers {
            Pools::Sqlite(_) => DatabaseKind::Sqlite,
            Pools::Postgres(_) => DatabaseKind::Postgres,
        }
    }

    /// Copies a SQLite database, as it is at this moment, into a new file that only its owner reads,
    /// while others go on reading and writing, and runs `mark` in the copy. PostgreSQL has `pg_dump`.
    ///
    /// The file has its name when it is whole and marked, not before: until then it is [`unfinished`].
    pub async fn copy_to(&self, file: &Path, mark: &'static str) -> Result<(), DbError> {
        let Pools::Sqlite(pool) = &self.readers else {
            return Err(DbError::Address);
        };
        let failed = |error: std::io::Error| DbError::Unavailable(error.into());
        let part = unfinished(file);
        private_file(&part).map_err(failed)?;
        let made = copy_marked(pool, &part, mark).await;
        let made = made.and_then(|()| name_finished(&part, file).map_err(failed));
        if made.is_err() {
            let _ = std::fs::remove_file(&part);
        }
        made
    }

    /// Writes what is in the log of a SQLite database into its file and empties the log. False: it is
    /// not empty, because somebody else has the database open.
    pub async fn empty_log(&self) -> Result<bool, DbError> {
        let Pools::Sqlite(pool) = &self.readers else {
            return Ok(true);
        };
        let (busy, _, _) = sqlx::query_as::<_, (i64, i64, i64)>("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(pool)
            .await?;
        Ok(busy == 0)
    }

    /// Whether the database answers, and no damage was found. For `/readyz`.
    pub async fn ping(&self) -> Result<(), DbError> {
        if self.damaged.load(Ordering::Relaxed) {
            return Err(DbError::Damaged);
        }
        crate::each!(self, p => sqlx::query_scalar::<_, i64>("SELECT CAST(1 AS BIGINT)").fetch_one(p).await)?;
        Ok(())
    }

    /// Reads the whole file of a SQLite database and looks whether its parts fit together (catalogue
    /// 415). Where they do not, [`Self::ping`] fails from then on. PostgreSQL looks after its own.
    pub async fn look_for_damage(&self) -> Result<(), DbError> {
        let Pools::Sqlite(pool) = &self.readers else {
            return Ok(());
        };
        let found = sqlx::query_scalar::<_, String>("PRAGMA quick_check(1)");
        let found = found.fetch_one(pool).await.map_err(DbError::from);
        match found {
            Ok(found) if found == "ok" => return Ok(()),
            // The text names pages and trees, no content.
            Ok(found) => tracing::error!(found, "the file of the database is damaged"),
            Err(DbError::Damaged) => tracing::error!("the file of the database is damaged"),
            Err(error) => return Err(error),
        }
        self.damaged.store(true, Ordering::Relaxed);
        Err(DbError::Damaged)
    }

    /// Closes the database, for every clone: what was queued is written, then SQLite moves its log
    /// into the file and nothing lies beside it. A log that stays behind is taken for that of
    /// whatever file is put in the place of this one. A process ends with this.
    pub async fn close(&self) {
        let closed = async {
            self.jobs.close().await;
            match &self.readers {
                Pools::Sqlite(pool) => pool.close().await,
                Pools::Postgres(pool) => pool.close().await,
            }
        };
        if tokio::time::timeout(CLOSE_LIMIT, closed).await.is_err() {
            tracing::warn!("the database is still in use and was left open");
        }
    }

    pub(super) fn jobs(&self) -> &Jobs {
        &self.jobs
    }
}

/// The name of a copy that is not finished.
pub fn unfinished(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// Gives a file that is whole its name, which no other file has, so that a crash does not take it.
fn name_finished(part: &Path, file: &Path) -> std::io::Result<()> {
    // A second name is refused where the name is taken, which a mere `rename` is not.
    match std::fs::hard_link(part, file) {
        Ok(()) => std::fs::remove_file(part)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(error),
        // A file system without second names.
        Err(_) if std::fs::symlink_metadata(file).is_err() => std::fs::rename(part, file)?,
        Err(error) => return Err(error),
    }
    let folder = file.parent().filter(|folder| *folder != Path::new(""));
    std::fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

async fn copy_marked(pool: &SqlitePool, file: &Path, mark: &'static str) -> Result<(), DbError> {
    let name = file.to_str().ok_or(DbError::Address)?;
    let mut connection = pool.acquire().await?;
    sqlx::query("VACUUM INTO $1")
        .bind(name)
        .execute(&mut *connection)
        .await?;
    let mut copy = SqliteConnectOptions::new().filename(file).connect().await?;
    sqlx::raw_sql(mark).execute(&mut copy).await?;
    copy.close().await?;
    let written = std::fs::File::open(file).and_then(|file| file.sync_all());
    written.map_err(|error| DbError::Unavailable(error.into()))
}

/// Makes the file of a new database so that only its owner reads it; SQLite gives its log and
/// its shared memory the same mode. A file that is there keeps its mode.
fn make_private(file: &Path) -> Result<(), DbError> {
    match private_file(file) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(DbError::Unavailable(error.into())),
    }
}

/// A new file that only its owner reads.
fn private_file(file: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}

/// The writer has a thread and a runtime of its own: work that was queued is finished even when
/// the runtime of the caller stops.
fn start_writer<B, F, L>(build: B, make_loop: F) -> Result<Jobs, DbError>
where
    B: FnOnce(&mut Builder) -> std::io::Result<Runtime>,
    F: FnOnce(Queue) -> L + Send + 'static,
    L: Future<Output = ()>,
{
    let tenant = tenant::Inherited::now();
    let (jobs, waiting, end) = queue();
    let runtime = build(&mut Builder::new_current_thread())
        .map_err(|error| DbError::Unavailable(error.into()))?;
    thread::Builder::new()
        .name("database-writer".into())
        .spawn(move || {
            let local = tokio::task::LocalSet::new();
            local.block_on(&runtime, tenant.scope(make_loop(waiting)));
            drop(end);
        })
        .map_err(|error| DbError::Unavailable(error.into()))?;
    Ok(jobs)
}
