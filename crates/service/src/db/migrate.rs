//! Migrations: one SQL text for both databases, embedded in the program, never going back.

use sha2::{Digest, Sha256};
use vouchsafe_credentials::time::UnixTime;

use super::{Db, DbError, Each, Tx};

/// One step of the schema. Its text must not change once it was released.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Number within its component; steps run in ascending order.
    pub version: i64,
    /// What it does, for people.
    pub name: &'static str,
    /// Statements, separated by semicolons, that both databases accept.
    pub sql: &'static str,
}

/// The migrations of one component.
///
/// Versions below 1000 belong to this crate, versions from 1000 to the services.
#[derive(Debug, Clone, Copy)]
pub struct Migrations {
    /// Name of the owner, `issuer` or `verifier`.
    pub component: &'static str,
    /// Its steps in ascending order.
    pub steps: &'static [Migration],
}

/// The tables of this crate.
pub(crate) const SERVICE: Migrations = Migrations {
    component: "service",
    steps: &[
        Migration {
            version: 1,
            name: "single-use objects, replay store, API keys, idempotency",
            sql: include_str!("../../migrations/0001_service.sql"),
        },
        Migration {
            version: 2,
            name: "status lists of the VC API",
            sql: include_str!("../../migrations/0002_vc_status.sql"),
        },
        Migration {
            version: 3,
            name: "audit log",
            sql: include_str!("../../migrations/0003_audit.sql"),
        },
        Migration {
            version: 4,
            name: "webhooks",
            sql: include_str!("../../migrations/0004_webhooks.sql"),
        },
        Migration {
            version: 5,
            name: "operators, their passkeys and sessions",
            sql: include_str!("../../migrations/0005_operators.sql"),
        },
        Migration {
            version: 6,
            name: "operators at OpenID Providers",
            sql: include_str!("../../migrations/0006_operator_identities.sql"),
        },
        Migration {
            version: 10,
            name: "clients of the administration interface",
            sql: include_str!("../../migrations/0010_api_clients.sql"),
        },
    ],
};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migration (\
    component TEXT NOT NULL, version BIGINT NOT NULL, name TEXT NOT NULL, \
    checksum TEXT NOT NULL, applied_at BIGINT NOT NULL, PRIMARY KEY (component, version))";

#[derive(sqlx::FromRow)]
struct AppliedRow {
    version: i64,
    checksum: String,
}

impl Db {
    /// Brings the schema up to date: this crate's tables, then those of `components`.
    ///
    /// Running it again changes nothing. Several processes may run it at once. It refuses a
    /// database whose applied steps differ from the program's. Each step is a transaction of its
    /// own that takes as long as it needs: after a failure the steps before it stay.
    pub async fn migrate(
        &self,
        components: &[Migrations],
        now: UnixTime,
    ) -> Result<Vec<String>, DbError> {
        let mut applied = Vec::new();
        for component in std::iter::once(&SERVICE).chain(components) {
            let component = *component;
            while let Some(step) = self
                .write_within(None, async move |tx| apply_next(tx, component, now).await)
                .await?
            {
                applied.push(step);
            }
        }
        Ok(applied)
    }

    /// The steps that a program with these components has, each with its checksum.
    pub fn known_migrations(components: &[Migrations]) -> Vec<(String, i64, String)> {
        let components = std::iter::once(&SERVICE).chain(components);
        let steps = components.flat_map(|c| c.steps.iter().map(move |step| (c.component, step)));
        let named = steps.map(|(c, step)| (c.to_owned(), step.version, checksum(step.sql)));
        named.collect()
    }

    /// Steps that [`migrate`](Self::migrate) would run. For `doctor`.
    pub async fn pending_migrations(
        &self,
        components: &[Migrations],
    ) -> Result<Vec<String>, DbError> {
        let mut pending = Vec::new();
        for component in std::iter::once(&SERVICE).chain(components) {
            let component = *component;
            let steps = self
                .write(async move |tx| missing(tx, component).await)
                .await?;
            pending.extend(steps.iter().map(|step| label(component, step)));
        }
        Ok(pending)
    }
}

/// Applies the first step that is missing. `None`: there is none.
async fn apply_next(
    tx: &mut Tx,
    component: Migrations,
    now: UnixTime,
) -> Result<Option<String>, DbError> {
    let Some(step) = missing(tx, component).await?.into_iter().next() else {
        return Ok(None);
    };
    script(tx, step.sql).await?;
    crate::execute!(
        tx,
        sqlx::query(
            "INSERT INTO schema_migration (component, version, name, checksum, applied_at) \
             VALUES ($1, $2, $3, $4, $5)"
        )
        .bind(component.component)
        .bind(step.version)
        .bind(step.name)
        .bind(checksum(step.sql))
        .bind(now.0)
    )?;
    Ok(Some(label(component, &step)))
}

/// The steps that were not applied yet; an error if an applied one is not ours.
async fn missing(tx: &mut Tx, component: Migrations) -> Result<Vec<Migration>, DbError> {
    tx.lock("schema_migration").await?;
    script(tx, TABLE).await?;
    let rows = crate::each!(tx, c => sqlx::query_as::<_, AppliedRow>(
        "SELECT version, checksum FROM schema_migration WHERE component = $1 ORDER BY version")
        .bind(component.component).fetch_all(c).await)?;
    for row in &rows {
        let step = component
            .steps
            .iter()
            .find(|step| step.version == row.version);
        let owner = || component.component.to_owned();
        match step {
            None => {
                return Err(DbError::MigrationUnknown {
                    component: owner(),
                    version: row.version,
                });
            }
            Some(step) if checksum(step.sql) != row.checksum => {
                return Err(DbError::MigrationChanged {
                    component: owner(),
                    version: row.version,
                });
            }
            Some(_) => {}
        }
    }
    let applied = |version| rows.iter().any(|row| row.version == version);
    Ok(component
        .steps
        .iter()
        .copied()
        .filter(|step| !applied(step.version))
        .collect())
}

async fn script(tx: &mut Tx, sql: &'static str) -> Result<(), DbError> {
    match tx.each() {
        Each::Sqlite(connection) => sqlx::raw_sql(sql).execute(connection).await.map(drop)?,
        Each::Postgres(connection) => sqlx::raw_sql(sql).execute(connection).await.map(drop)?,
    }
    Ok(())
}

fn label(component: Migrations, step: &Migration) -> String {
    format!("{} {}: {}", component.component, step.version, step.name)
}

fn checksum(sql: &str) -> String {
    // Line ends differ between checkouts; the schema does not.
    let digest = Sha256::digest(sql.replace("\r\n", "\n").as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
