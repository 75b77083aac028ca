//! The status lists of the issuing service in this process, on an SQLite file.

use std::str::FromStr as _;

use anyhow::{Result, ensure};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use vouchsafe_credentials::crypto::{Algorithm, SigningKey};
use vouchsafe_issuer::{Config, Issuer, Ports};
use vouchsafe_service::random::OsRandom;

use super::status_publish::{ENTRIES, LISTS, REVOKED};
use crate::cpu;
use crate::slices::{Contender, Figure, Here, Plan, Slice};

/// What was measured.
pub struct Served {
    /// One list was dirty.
    pub one: Figure,
    /// All were.
    pub all: Figure,
    /// The same list, compressed at level 6 and nothing else.
    pub raw: Figure,
    /// Lists that were signed again after one status changed.
    pub signed_again: usize,
}

/// `LISTS` lists with their revoked credentials.
struct Service {
    runtime: Runtime,
    issuer: Issuer,
    database: SqliteConnection,
    _folder: TempDir,
}

impl Service {
    fn new() -> Result<Self> {
        let folder = crate::services::folder()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let url = format!("sqlite://{}", folder.path().join("issuer.sqlite").display());
        let config: Config = vouchsafe_service::config::parse(&configuration(&url))?;
        let (issuer, database) = runtime.block_on(async {
            let issuer = Issuer::open(config, Ports::system()).await?;
            let mut database = SqliteConnectOptions::from_str(&url)?.connect().await?;
            fill(&mut database).await?;
            anyhow::Ok((issuer, database))
        })?;
        Ok(Self {
            runtime,
            issuer,
            database,
            _folder: folder,
        })
    }

    /// A change of a status in each of the first `lists` lists, as the administration interface
    /// writes it.
    fn change(&mut self, lists: u64) -> Result<()> {
        let lists = i64::try_from(lists)?;
        let changed =
            sqlx::query("UPDATE issuer_status_lists SET version = version + 1 WHERE seq <= ?")
                .bind(lists)
                .execute(&mut self.database);
        let changed = self.runtime.block_on(changed)?.rows_affected();
        ensure!(i64::try_from(changed)? == lists, "lists are missing");
        Ok(())
    }

    fn publish(&mut self) -> Result<usize> {
        Ok(self.runtime.block_on(self.issuer.publish_status_lists())?)
    }
}

/// A configuration with a key of its own.
fn configuration(url: &str) -> String {
    let key = SigningKey::generate(Algorithm::Es256, &OsRandom).to_pkcs8_pem();
    format!(
        r#"
[http]
listen = "127.0.0.1:0"
public_url = "https://issuer.example"
[database]
url = "{url}"
[keys]
secret = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA"
[issuer]
names = {{ en = "Bench" }}
[status]
list_size = {ENTRIES}
[signing]
method = "did_key"
key = '''{}'''
"#,
        key.as_str()
    )
}

/// The lists, and `REVOKED` revoked credentials of each at random places.
async fn fill(database: &mut SqliteConnection) -> Result<()> {
    let list = "printf('0190a6f0-0000-7000-8000-%012d', i % LISTS + 1)"
        .replace("LISTS", &LISTS.to_string());
    let statements = [
        "BEGIN".to_owned(),
        "INSERT INTO issuer_records VALUES ('bench', x'00', x'00', 0)".to_owned(),
        format!(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {LISTS} - 1)
             INSERT INTO issuer_status_lists (id, seq, size, version, published_version, token, issued_at, expires_at)
             SELECT {list}, i + 1, {ENTRIES}, 1, 0, '', 0, 0 FROM n"
        ),
        // A place that is drawn twice has one credential: a few in a thousand fewer.
        format!(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {LISTS} * {REVOKED} - 1)
             INSERT OR IGNORE INTO issuer_credentials (id, offer_id, record_id, credential_type, holder_key, list_id, idx, status,
                version, issued_at, expires_at, status_changed_at)
             SELECT printf('c-%012d', i), printf('o-%012d', i), 'bench', 'membership', 'key', {list},
                    abs(random()) % {ENTRIES}, 'revoked', 1, 0, 0, 0 FROM n"
        ),
        "COMMIT".to_owned(),
    ];
    for statement in statements {
        sqlx::query(sqlx::AssertSqlSafe(statement))
            .execute(&mut *database)
            .await?;
    }
    Ok(())
}

/// Changes statuses, and publishes: only that is timed.
struct Publishing<'a> {
    service: &'a mut Service,
    lists: u64,
}

impl Contender for Publishing<'_> {
    fn slice(&mut self, milliseconds: u64) -> Result<Slice> {
        let start = std::time::Instant::now();
        let (mut operations, mut cpu_us) = (0, 0.0);
        while operations == 0 || start.elapsed().as_millis() < u128::from(milliseconds) {
            self.service.change(self.lists)?;
            // SQLite works on threads of sqlx: all threads of this process count.
            let before = cpu::process_us(std::process::id())?;
            let published = self.service.publish()?;
            cpu_us += cpu::process_us(std::process::id())? - before;
            ensure!(
                published as u64 == self.lists,
                "{published} lists were published"
            );
            operations += 1;
        }
        Ok(Slice { operations, cpu_us })
    }
}

/// Measures.
pub fn measure(plan: &Plan, raw: impl Fn() -> Result<()>) -> Result<Served> {
    let mut service = Service::new()?;
    // The first time all are due, for none was ever published.
    ensure!(service.publish()? as u64 == LISTS, "lists are missing");
    service.change(1)?;
    let signed_again = service.publish()?;
    let figures = plan.race(&mut [
        &mut Publishing {
            service: &mut service,
            lists: 1,
        },
        &mut Here(raw),
    ])?;
    let all = plan.race(&mut [&mut Publishing {
        service: &mut service,
        lists: LISTS,
    }])?;
    Ok(Served {
        one: figures[0],
        raw: figures[1],
        all: all[0],
        signed_again,
    })
}
