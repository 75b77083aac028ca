//! Databases for tests: every test gets a fresh one of each kind.

use std::{collections::HashMap, env, path::Path, sync::Arc};

use tokio::sync::{Mutex, OnceCell};
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
    let file = folder.path().join("test.db");
    let model = model(&SQLITE_MODELS, components).await;
    let bytes = model.get_or_init(|| migrated_file(components)).await;
    std::fs::write(&file, bytes).expect("a file can be written");
    let url = format!("sqlite:{}", file.display());
    let db = Db::open(&url).await.expect("SQLite opens");
    TemporaryDb {
        db,
        url,
        _folder: folder,
    }
}

/// What a database looks like once the steps of its key ran: each is made once in a process, for
/// several hundred tests that would otherwise all run the same steps.
type Models<T> = Mutex<Option<HashMap<Vec<(String, i64, String)>, Arc<OnceCell<T>>>>>;

/// The bytes of a migrated SQLite database.
static SQLITE_MODELS: Models<Vec<u8>> = Mutex::const_new(None);
/// The name of a migrated PostgreSQL database to which nobody is connected.
static POSTGRES_MODELS: Models<String> = Mutex::const_new(None);

async fn model<T>(models: &Models<T>, components: &[Migrations]) -> Arc<OnceCell<T>> {
    let mut models = models.lock().await;
    let models = models.get_or_insert_default();
    let key = Db::known_migrations(components);
    Arc::clone(models.entry(key).or_default())
}

/// Opens the database, runs the steps and closes it.
async fn migrate(url: &str, components: &[Migrations]) {
    let db = Db::open(url).await.expect("the database opens");
    db.migrate(components, UnixTime(1_800_000_000))
        .await
        .expect("the migrations run");
    db.close().await;
}

async fn migrated_file(components: &[Migrations]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("model.db");
    migrate(&format!("sqlite:{}", file.display()), components).await;
    alone(&file).await
}

/// The bytes of a closed SQLite database, with what its journal held.
async fn alone(file: &Path) -> Vec<u8> {
    use sqlx::{ConnectOptions, Connection, Executor, sqlite::SqliteConnectOptions};
    let options = SqliteConnectOptions::new().filename(file);
    let mut connection = options.connect().await.expect("SQLite opens");
    connection
        .execute("PRAGMA wal_checkpoint(TRUNCATE)")
        .await
        .expect("the journal can be folded in");
    connection.close().await.expect("SQLite closes");
    std::fs::read(file).expect("the file can be read")
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
    env::var(POSTGRES_VARIABLE).ok()?;
    let model = model(&POSTGRES_MODELS, components).await;
    let name = model
        .get_or_init(|| async {
            let name = format!("model_{}", unique_name());
            migrate(&create(&name, "").await, components).await;
            name
        })
        .await;
    let url = create(&format!("test_{}", unique_name()), name).await;
    Some(Db::open(&url).await.expect("PostgreSQL opens"))
}

/// The address of a fresh, empty PostgreSQL database, if tests may use a server.
pub async fn postgres_url() -> Option<String> {
    env::var(POSTGRES_VARIABLE).ok()?;
    Some(create(&format!("test_{}", unique_name()), "").await)
}

/// Makes a database, a copy of `model` unless that is empty, and gives its address.
async fn create(name: &str, model: &str) -> String {
    use sqlx::{ConnectOptions, Executor, postgres::PgConnectOptions};
    let server = env::var(POSTGRES_VARIABLE).expect("tests may use a server");
    let mut url = url::Url::parse(&server).expect("the variable holds an address");
    url.set_path("/postgres");
    let options: PgConnectOptions = url.as_str().parse().expect("the variable holds an address");
    let mut connection = options.connect().await.expect("the test server answers");
    let template = match model {
        "" => String::new(),
        model => format!(" TEMPLATE {model}"),
    };
    connection
        .execute(sqlx::AssertSqlSafe(format!(
            "CREATE DATABASE {name}{template}"
        )))
        .await
        .expect("a database can be made");
    url.set_path(&format!("/{name}"));
    url.to_string()
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
