//! The bare row: SQLite alone, ordered keys, a hundred rows in one statement
//! and one commit (WAL, `synchronous=NORMAL`).

use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::cpu;
use crate::slices::{Contender, Slice};

const GROUP: u32 = 100;
const INSERT: &str = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99)
    INSERT INTO probe (id, data) SELECT printf('%016d', ? + i), zeroblob(620) FROM n";

/// A database in a folder of its own.
pub struct Row {
    runtime: Runtime,
    connection: SqliteConnection,
    next: i64,
    _folder: TempDir,
}

impl Row {
    /// Makes the database.
    pub fn new() -> Result<Self> {
        Self::with(SqliteSynchronous::Normal)
    }

    /// The same, where each commit is on the disk before it is answered.
    pub fn durable() -> Result<Self> {
        Self::with(SqliteSynchronous::Full)
    }

    fn with(synchronous: SqliteSynchronous) -> Result<Self> {
        let folder = crate::services::folder()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let url = format!("sqlite://{}", folder.path().join("probe.sqlite").display());
        let options = SqliteConnectOptions::from_str(&url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous)
            .pragma("wal_autocheckpoint", "10000");
        let connection = runtime.block_on(async {
            let mut connection = options.connect().await?;
            sqlx::query("CREATE TABLE probe (id TEXT PRIMARY KEY, data BLOB NOT NULL)")
                .execute(&mut connection)
                .await?;
            Ok::<_, sqlx::Error>(connection)
        })?;
        Ok(Self {
            runtime,
            connection,
            next: 0,
            _folder: folder,
        })
    }
}

impl Contender for Row {
    fn slice(&mut self, milliseconds: u64) -> Result<Slice> {
        let length = Duration::from_millis(milliseconds);
        // SQLite works on a thread of sqlx: all threads of this process count.
        let (start, cpu) = (Instant::now(), cpu::process_us(std::process::id())?);
        let mut operations = 0;
        while start.elapsed() < length {
            let insert = sqlx::query(INSERT)
                .bind(self.next)
                .execute(&mut self.connection);
            let done = self.runtime.block_on(insert)?;
            ensure!(done.rows_affected() == u64::from(GROUP), "rows are missing");
            self.next += i64::from(GROUP);
            operations += u64::from(GROUP);
        }
        Ok(Slice {
            operations,
            cpu_us: cpu::process_us(std::process::id())? - cpu,
        })
    }
}
