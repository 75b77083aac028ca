//! P19: what grows with the number of credentials that were issued before, and P16 with them.

use std::str::FromStr as _;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions as _, SqliteConnection};
use tokio::runtime::Runtime;
use vouchsafe_protocol::http::{HttpRequest, Method};

use super::issuance::{Issuance, offer};
use super::process::cold_start;
use crate::load::{Load, Scenario};
use crate::report::{Fact, Results};
use crate::services::Services;
use crate::slices::{Figure, Plan};
use crate::web::{self, Web};

/// Few.
const FEW: u64 = 1_000;
/// Many. `VOUCHSAFE_BENCH_MANY` makes it another number; ten millions take 6 GB.
const MANY: u64 = 1_000_000;
/// Entries of a status list.
const ENTRIES: u64 = 131_072;

/// One call of the administration interface, over and over.
struct Calls<'a> {
    services: &'a Services,
    web: Web,
    kind: Call,
}

enum Call {
    /// The credentials of one record.
    Lookup,
    /// A page in the middle.
    Page(String),
    /// Looked at, suspended, and valid again.
    Flip(String),
    /// An offer.
    Offer,
}

impl Calls<'_> {
    async fn get(&self, path: &str) -> Result<Value> {
        let url = format!("{}{path}", self.services.issuer_url).parse()?;
        let request = HttpRequest::get_json(url)
            .header("authorization", format!("Bearer {}", self.services.api_key));
        web::json(&self.web.expect(200, request).await?)
    }

    /// Changes a credential that is as `tag` says; what it is then.
    async fn change(&self, id: &str, verb: &str, tag: &str) -> Result<String> {
        let url = format!("{}/v1/credentials/{id}/{verb}", self.services.issuer_url);
        let request = HttpRequest::new(Method::Post, url.parse()?)
            .header("authorization", format!("Bearer {}", self.services.api_key))
            .header("if-match", tag);
        web::etag(&self.web.expect(200, request).await?)
    }

    async fn tag(&self, id: &str) -> Result<String> {
        let url = format!("{}/v1/credentials/{id}", self.services.issuer_url);
        let request = HttpRequest::get_json(url.parse()?)
            .header("authorization", format!("Bearer {}", self.services.api_key));
        web::etag(&self.web.expect(200, request).await?)
    }
}

impl Scenario for Calls<'_> {
    type Prepared = ();
    type Outcome = usize;

    async fn prepare(&self) -> Result<()> {
        Ok(())
    }

    async fn run(&self, (): ()) -> Result<usize> {
        let items = |page: Value| page["items"].as_array().map_or(0, Vec::len);
        match &self.kind {
            Call::Lookup => Ok(items(self.get("/v1/credentials?record_id=bench").await?)),
            Call::Page(before) => {
                let path = format!("/v1/credentials?limit=50&before={before}");
                Ok(items(self.get(&path).await?))
            }
            Call::Flip(id) => {
                let tag = self.tag(id).await?;
                let tag = self.change(id, "suspend", &tag).await?;
                self.change(id, "resume", &tag).await?;
                Ok(1)
            }
            Call::Offer => offer(&self.web, self.services, "membership")
                .await
                .map(|_| 1),
        }
    }

    fn check(&self, found: usize) -> Result<()> {
        ensure!(found > 0, "nothing was found");
        Ok(())
    }
}

/// What was measured with one number of credentials.
struct Costs {
    figures: Vec<(&'static str, Figure)>,
    cold_ms: f64,
}

fn costs(plan: &Plan, runtime: &Runtime, credentials: u64) -> Result<Costs> {
    let mut services = runtime.block_on(Services::start())?;
    runtime.block_on(fill(&services, credentials))?;
    let cold_ms = cold_start(runtime, &mut services, plan.slices)?;
    let process = services.issuer_process()?;
    let call = |kind| -> Result<_> {
        let calls = Calls {
            services: &services,
            web: Web::new()?,
            kind,
        };
        Ok(Load::one_by_one(runtime, process, calls))
    };
    let mut issue = Load::new(runtime, process, Issuance::new(&services)?);
    plan.race(&mut [&mut issue])?;
    let middle = runtime.block_on(middle(&services, credentials))?;
    let newest = runtime.block_on(newest(&services))?;
    let figures = plan.race(&mut [
        &mut issue,
        &mut call(Call::Offer)?,
        &mut call(Call::Lookup)?,
        &mut call(Call::Page(middle))?,
        &mut call(Call::Flip(newest))?,
    ])?;
    let names = [
        "issue",
        "offer",
        "look up a record",
        "a page",
        "suspend and resume",
    ];
    Ok(Costs {
        figures: names.into_iter().zip(figures).collect(),
        cold_ms,
    })
}

async fn connect(services: &Services) -> Result<SqliteConnection> {
    let url = format!("sqlite://{}", services.issuer_database().display());
    let options = SqliteConnectOptions::from_str(&url)?.journal_mode(SqliteJournalMode::Wal);
    Ok(options.connect().await?)
}

/// Credentials of other records in lists that are full, as years of work leave them.
async fn fill(services: &Services, credentials: u64) -> Result<()> {
    let lists = credentials.div_ceil(ENTRIES);
    let list = format!("printf('0190a6f0-0000-7000-8000-%012d', i / {ENTRIES} + 1)");
    let id = "printf('0190a6f0-0000-7000-9000-%012d', i)";
    let numbers = |count: u64| {
        format!(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count} - 1)"
        )
    };
    let statements = [
        "BEGIN".to_owned(),
        format!(
            "{} INSERT INTO issuer_records (id, record_hash, record_sealed, created_at)
             SELECT {id}, randomblob(32), randomblob(48), 0 FROM n",
            numbers(credentials)
        ),
        format!(
            "{} INSERT INTO issuer_status_lists (id, seq, size, version, published_version, token, issued_at, expires_at)
             SELECT printf('0190a6f0-0000-7000-8000-%012d', i + 1), i + 1, {ENTRIES}, 1, 1, 'x', 0, 4000000000 FROM n",
            numbers(lists)
        ),
        format!(
            "{} INSERT INTO issuer_credentials (id, offer_id, record_id, credential_type, holder_key, list_id, idx, status,
                version, issued_at, expires_at, status_changed_at)
             SELECT {id}, {id}, {id}, 'membership', hex(randomblob(16)), {list}, i % {ENTRIES},
                    CASE WHEN i % 100 = 0 THEN 'revoked' ELSE 'valid' END, 1, 1700000000 + i % 1000000, 2000000000, 0 FROM n",
            numbers(credentials)
        ),
        "COMMIT".to_owned(),
        // No service leaves a journal of one transaction of a million rows.
        "PRAGMA wal_checkpoint(TRUNCATE)".to_owned(),
    ];
    let mut database = connect(services).await?;
    for statement in statements {
        sqlx::query(sqlx::AssertSqlSafe(statement))
            .execute(&mut database)
            .await?;
    }
    Ok(())
}

async fn middle(services: &Services, credentials: u64) -> Result<String> {
    let id = format!("0190a6f0-0000-7000-9000-{:012}", credentials / 2);
    let query = "SELECT id FROM issuer_credentials WHERE id = ?";
    let mut database = connect(services).await?;
    let found = sqlx::query_scalar(query).bind(id);
    Ok(found.fetch_one(&mut database).await?)
}

async fn newest(services: &Services) -> Result<String> {
    let query = "SELECT id FROM issuer_credentials ORDER BY id DESC LIMIT 1";
    let mut database = connect(services).await?;
    Ok(sqlx::query_scalar(query).fetch_one(&mut database).await?)
}

/// P19.
pub fn measure(plan: &Plan) -> Result<Results> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let many = match std::env::var("VOUCHSAFE_BENCH_MANY") {
        Ok(text) => text.parse().context("VOUCHSAFE_BENCH_MANY is no number")?,
        Err(_) => MANY,
    };
    let few = costs(plan, &runtime, FEW)?;
    let most = costs(plan, &runtime, many)?;
    let mut facts = vec![Fact {
        name: "P16",
        what: format!("from the start to the first answer with {many} credentials, ms"),
        value: most.cold_ms,
        most: 60.0,
    }];
    for ((what, before), (_, after)) in few.figures.into_iter().zip(most.figures) {
        facts.push(Fact {
            name: "P19",
            what: format!(
                "{what}: CPU with {many} credentials / with {FEW} ({:.0} / {:.0} us)",
                after.median_us, before.median_us
            ),
            value: after.median_us / before.median_us,
            most: 1.5,
        });
    }
    Ok(Results {
        lines: Vec::new(),
        facts,
    })
}
