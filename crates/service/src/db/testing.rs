//! Databases for tests: every test gets a fresh one of each kind.

use std::env;

use vouchsafe_credentials::time::UnixTime;

use super::{Db, Migrations};

/// Names the PostgreSQL server that tests may use, `postgres://user:password@host:port/`.
pub const POSTGRES_VARIABLE: &str = "VOUCHSAFE_TEST_POSTGRES";

/// A migrated SQLite database in a temporary folder that lives as long as this value.
#[derive(Debug)]
pub struct TemporaryDb {
    /// The database.
    pub db: Db,
    /// Its address, for programs that open it themselves.
    pub url: String,
    _folder: tempfile::TempDir,
}

/// A fresh SQLite database with these components' tables.
pub async fn sqlite(components: &[Migrations]) -> TemporaryDb {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let url = format!("sqlite:{}", folder.path().join("test.db").display());
    let db = Db::open(&url).await.expect("SQLite opens");
    db.migrate(components, UnixTime(1_800_000_000))
        .await
        .expect("the migrations run on SQLite");
    TemporaryDb {
        db,
        url,
        _folder: folder,
    }
}

/// Runs a test on SQLite and, where [`POSTGRES_VARIABLE`] names a server, on PostgreSQL, each
/// time in a fresh database. Without a server it says loudly that half of the test was skipped.
pub async fn for_each_database<F>(components: &[Migrations], test: F)
where
    F: AsyncFn(Db),
{
    let sqlite = sqlite(components).await;
    test(sqlite.db.clone()).await;
    match postgres(components).await {
        Some(db) => test(db).await,
        None => skipped(),
    }
}

/// A fresh PostgreSQL database with these components' tables, if tests may use a server.
///
/// It is left behind: the server of a test run is thrown away as a whole.
pub async fn postgres(components: &[Migrations]) -> Option<Db> {
    let url = postgres_url().await?;
    let db = Db::open(&url).await.expect("PostgreSQL opens");
    db.migrate(components, UnixTime(1_800_000_000))
        .await
        .expect("the migrations run on PostgreSQL");
    Some(db)
}

/// The address of a fresh, empty PostgreSQL database, if tests may use a server.
pub async fn postgres_url() -> Option<String> {
    use sqlx::{ConnectOptions, Executor, postgres::PgConnectOptions};
    let server = env::var(POSTGRES_VARIABLE).ok()?;
    let mut url = url::Url::parse(&server).expect("the variable holds an address");
    url.set_path("/postgres");
    let options: PgConnectOptions = url.as_str().parse().expect("the variable holds an address");
    let mut connection = options.connect().await.expect("the test server answers");
    let name = format!("test_{}", unique_name());
    connection
        .execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .await
        .expect("a database can be made");
    url.set_path(&format!("/{name}"));
    Some(url.to_string())
}

fn unique_name() -> String {
    use vouchsafe_credentials::random::Rng;
    let mut bytes = [0u8; 12];
    crate::random::OsRandom.fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn skipped() {
    use std::io::Write;
    // Not captured by the test harness on purpose: a skipped half must be seen.
    let _ = writeln!(
        std::io::stderr().lock(),
        "skipped: postgres ({POSTGRES_VARIABLE} is not set)"
    );
}
