//! How many durable rows a second the database layer writes, alone and in groups.
//!
//! `cargo run --release -p vouchsafe-service --features testing --example storage_probe`
//! The figures stand in `specs/decisions/0001-database-layer.md`.

use std::time::{Duration, Instant};

use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};
use vouchsafe_service::{
    db::{Db, DbError, Migration, Migrations, testing},
    each, execute,
};

const PROBE: Migrations = Migrations {
    component: "probe",
    steps: &[Migration {
        version: 1000,
        name: "a table",
        sql: "CREATE TABLE probe (id TEXT PRIMARY KEY, data BYTEA NOT NULL)",
    }],
};
const ROW: usize = 600;
const TIME: Duration = Duration::from_secs(2);
const INSERT: &str = "INSERT INTO probe (id, data) VALUES ($1, $2)";

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a program for the terminal")]
async fn main() -> Result<(), DbError> {
    let sqlite = testing::sqlite(&[PROBE]).await;
    let raw = raw(&sqlite.url).await?;
    println!("SQLite, plain connection, one row a commit: {raw:.0} rows/s");
    for clients in [1, 8, 64, 256] {
        let rate = writes(&sqlite.db, clients).await?;
        println!("SQLite, {clients} clients: {rate:.0} rows/s");
    }
    let rate = reads(&sqlite.db).await?;
    println!("SQLite, reads, 8 clients: {rate:.0} rows/s");
    let Some(db) = testing::postgres(&[PROBE]).await else {
        println!(
            "skipped: postgres ({} is not set)",
            testing::POSTGRES_VARIABLE
        );
        return Ok(());
    };
    for clients in [1, 8, 64] {
        let rate = writes(&db, clients).await?;
        println!("PostgreSQL, {clients} clients: {rate:.0} rows/s");
    }
    Ok(())
}

async fn raw(url: &str) -> Result<f64, DbError> {
    let options: SqliteConnectOptions = url.parse()?;
    let mut connection: SqliteConnection = options
        .pragma("synchronous", "FULL")
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
        .connect()
        .await?;
    let started = Instant::now();
    let mut rows = 0u32;
    while started.elapsed() < TIME {
        sqlx::query(INSERT)
            .bind(format!("raw {rows:09}"))
            .bind(vec![7u8; ROW])
            .execute(&mut connection)
            .await?;
        rows += 1;
    }
    Ok(f64::from(rows) / started.elapsed().as_secs_f64())
}

async fn writes(db: &Db, clients: u32) -> Result<f64, DbError> {
    let started = Instant::now();
    let work = (0..clients).map(|client| {
        let db = db.clone();
        tokio::spawn(async move {
            let mut rows = 0u32;
            while started.elapsed() < TIME {
                let id = format!("{clients} {rows:09} {client}");
                db.write(async move |tx| {
                    execute!(tx, sqlx::query(INSERT).bind(&id).bind(vec![7u8; ROW]))
                })
                .await?;
                rows += 1;
            }
            Ok::<_, DbError>(rows)
        })
    });
    let mut rows = 0;
    for client in work.collect::<Vec<_>>() {
        rows += client.await.map_err(|_| DbError::Unfinished)??;
    }
    Ok(f64::from(rows) / started.elapsed().as_secs_f64())
}

async fn reads(db: &Db) -> Result<f64, DbError> {
    let started = Instant::now();
    let work = (0..8).map(|_| {
        let db = db.clone();
        tokio::spawn(async move {
            let mut rows = 0u32;
            while started.elapsed() < TIME {
                let id = format!("raw {:09}", rows % 100);
                each!(&db, p => sqlx::query_scalar::<_, Vec<u8>>(
                    "SELECT data FROM probe WHERE id = $1").bind(id).fetch_one(p).await)?;
                rows += 1;
            }
            Ok::<_, DbError>(rows)
        })
    });
    let mut rows = 0;
    for client in work.collect::<Vec<_>>() {
        rows += client.await.map_err(|_| DbError::Unfinished)??;
    }
    Ok(f64::from(rows) / started.elapsed().as_secs_f64())
}
