//! Where a service keeps its state in a scenario.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail};
use vouchsafe_service::db::Db;

/// Which database a scenario runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file in the scenario's folder.
    Sqlite,
    /// A fresh database on the server of `VOUCHSAFE_TEST_POSTGRES`.
    Postgres,
}

static NEXT: AtomicU32 = AtomicU32::new(0);

impl Kind {
    /// Both, or SQLite alone where no PostgreSQL was started: said aloud.
    pub fn available() -> Vec<Kind> {
        if server().is_some() {
            vec![Kind::Sqlite, Kind::Postgres]
        } else {
            eprintln!("skipped: PostgreSQL (set VOUCHSAFE_TEST_POSTGRES)");
            vec![Kind::Sqlite]
        }
    }

    /// The URL of a fresh, empty database.
    pub fn create(self, folder: &Path, name: &str) -> Result<String> {
        match self {
            Kind::Sqlite => Ok(format!(
                "sqlite://{}",
                folder.join(name).with_extension("sqlite").display()
            )),
            Kind::Postgres => {
                let server = server().context("VOUCHSAFE_TEST_POSTGRES is not set")?;
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                let fresh = format!("{name}_{}_{number}", std::process::id());
                let (base, _) = server
                    .rsplit_once('/')
                    .context("a URL without a database")?;
                succeed(psql(&server).args(["-c", &format!("CREATE DATABASE {fresh}")]))?;
                Ok(format!("{base}/{fresh}"))
            }
        }
    }
}

/// Copies a PostgreSQL database into a file, as an operator does.
pub fn dump(url: &str, file: &Path) -> Result<()> {
    succeed(
        Command::new("pg_dump")
            .args(["--format=custom", "--file"])
            .arg(file)
            .arg(url),
    )
}

/// Drops a PostgreSQL database; an empty one has its name.
pub fn lose(url: &str) -> Result<()> {
    let server = server().context("VOUCHSAFE_TEST_POSTGRES is not set")?;
    let (_, name) = url.rsplit_once('/').context("a URL without a database")?;
    for statement in [
        format!("DROP DATABASE {name} WITH (FORCE)"),
        format!("CREATE DATABASE {name}"),
    ] {
        succeed(psql(&server).args(["-c", &statement]))?;
    }
    Ok(())
}

/// Brings a dump back into an empty database.
pub fn restore(url: &str, file: &Path) -> Result<()> {
    succeed(
        Command::new("pg_restore")
            .args(["--exit-on-error", "--dbname", url])
            .arg(file),
    )
}

fn psql(server: &str) -> Command {
    let mut command = Command::new("psql");
    command.args(["--quiet", "--no-psqlrc", server]);
    command
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status()?;
    match status.success() {
        true => Ok(()),
        false => bail!("{} ended with {status}", command.get_program().display()),
    }
}

fn server() -> Option<String> {
    std::env::var("VOUCHSAFE_TEST_POSTGRES")
        .ok()
        .filter(|url| !url.is_empty())
}

/// The bytes of a database, as somebody who steals it would have them:
/// SQLite's files, or a complete dump of PostgreSQL.
pub fn bytes(url: &str) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    if let Some(path) = url.strip_prefix("sqlite://") {
        let mut files = Vec::new();
        for suffix in ["", "-wal", "-shm"] {
            let file = PathBuf::from(format!("{path}{suffix}"));
            if file.exists() {
                files.push((file.clone(), std::fs::read(&file)?));
            }
        }
        return Ok(files);
    }
    let output = Command::new("pg_dump").args(["--inserts", url]).output()?;
    if !output.status.success() {
        bail!("pg_dump ended with {}", output.status);
    }
    Ok(vec![(PathBuf::from("pg_dump"), output.stdout)])
}

/// The number that a query gives, such as `SELECT COUNT(*) FROM subjects`.
pub async fn number(url: &str, query: &'static str) -> Result<i64> {
    let db = Db::open(url).await?;
    Ok(vouchsafe_service::each!(db, pool => {
        sqlx::query_scalar::<_, i64>(query).fetch_one(pool).await
    })?)
}

/// Runs statements, to plant many things.
pub async fn run(url: &str, statements: String) -> Result<()> {
    let db = Db::open(url).await?;
    let statements = sqlx::AssertSqlSafe(statements);
    vouchsafe_service::each!(db, pool => {
        sqlx::raw_sql(statements).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// Runs a statement, to plant something.
pub async fn execute(url: &str, statement: &'static str) -> Result<u64> {
    let db = Db::open(url).await?;
    Ok(vouchsafe_service::execute!(db, sqlx::query(statement))?)
}
