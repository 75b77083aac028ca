//! P13 and P14: issuance by the wall clock, where every answer waits for the disk.
//!
//! Other work on the machine, and the scripted wallets themselves, which share its processors, are
//! in these figures: they mean something on a machine that does nothing else.

use anyhow::{Result, ensure};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::runtime::Runtime;

use super::issuance::Issuance;
use crate::floor::{Row, fdatasync_ms, rows_per_second};
use crate::load::{Timed, at_once, at_rate};
use crate::report::{Fact, Results};
use crate::services::Services;
use crate::slices::Plan;

/// Clients that keep the writer's groups full.
const CLIENTS: usize = 64;
/// Issuances of a slice at most: each needs an offer, which is made before.
const MOST: f64 = 2000.0;
/// Commits that an issuance waits for: the token, the credential.
const COMMITS: f64 = 2.0;
/// Tables that an issuance writes to, and how one row of it is recognised as new.
const TABLES: [&str; 3] = [
    "issuer_access_tokens",
    "seen_identifier",
    "issuer_credentials",
];

/// Rows that the issuer has written down for issuances.
async fn rows(services: &Services) -> Result<i64> {
    let options = SqliteConnectOptions::new().filename(services.issuer_database());
    let mut database = options.connect().await?;
    let mut sum = 0;
    for table in TABLES {
        let count = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        sum += sqlx::query_scalar::<_, i64>(count)
            .fetch_one(&mut database)
            .await?;
    }
    database.close().await?;
    Ok(sum)
}

/// Issuances of a slice at this rate.
fn operations(plan: &Plan, per_second: f64) -> usize {
    let wanted = per_second * plan.slice_ms as f64 / 1e3;
    wanted.clamp(CLIENTS as f64, MOST) as usize
}

fn median(mut values: Vec<f64>) -> Result<f64> {
    ensure!(!values.is_empty(), "no slice");
    values.sort_by(f64::total_cmp);
    Ok(values[values.len() / 2])
}

/// What 64 clients at once and the disk alone gave, in turns.
struct Throughput {
    issued: f64,
    rows_each: f64,
    bare: f64,
}

fn throughput(plan: &Plan, runtime: &Runtime, services: &Services) -> Result<Throughput> {
    let issuance = Issuance::new(services)?;
    let mut bare = Row::durable()?;
    let first = runtime.block_on(at_once(&issuance, CLIENTS, CLIENTS))?;
    let mut rate = first.per_second();
    let (mut issued, mut grouped, mut rows_each) = (Vec::new(), Vec::new(), 0.0);
    for _ in 0..plan.slices.max(1) {
        let count = operations(plan, rate);
        let before = runtime.block_on(rows(services))?;
        rate = runtime
            .block_on(at_once(&issuance, CLIENTS, count))?
            .per_second();
        let written = runtime.block_on(rows(services))? - before;
        // The row of the offer is changed, not added.
        rows_each = 1.0 + written as f64 / count as f64;
        issued.push(rate);
        grouped.push(rows_per_second(&mut bare, plan.slice_ms)?);
    }
    Ok(Throughput {
        issued: median(issued)?,
        rows_each,
        bare: median(grouped)?,
    })
}

/// P13.
pub fn measure(plan: &Plan) -> Result<Results> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let services = runtime.block_on(Services::start())?;
    let Throughput {
        issued,
        rows_each,
        bare,
    } = throughput(plan, &runtime, &services)?;
    let issuance = Issuance::new(&services)?;
    let (mut alone, mut synced) = (Vec::new(), Vec::new());
    for _ in 0..plan.slices.max(1) {
        let count = operations(plan, 200.0);
        let timed = runtime.block_on(at_once(&issuance, 1, count))?;
        alone.push(timed.quantile_ms(0.5));
        synced.push(fdatasync_ms()?);
    }
    let (alone, synced) = (median(alone)?, median(synced)?);
    let facts = vec![
        Fact {
            name: "P13",
            what: format!(
                "rows a second that SQLite alone makes durable, 100 a commit ({bare:.0}), / those of \
                 issuances by {CLIENTS} clients ({issued:.0} a second x {rows_each:.1} rows)"
            ),
            value: bare / (issued * rows_each),
            most: 2.0,
        },
        Fact {
            name: "P13",
            what: format!(
                "issuance by one client ({alone:.2} ms, its own arithmetic with it) / {COMMITS} x \
                 fdatasync ({synced:.2} ms)"
            ),
            value: alone / (COMMITS * synced),
            most: 1.3,
        },
    ];
    Ok(Results {
        lines: Vec::new(),
        facts,
    })
}

/// P14.
pub fn latency(plan: &Plan) -> Result<Results> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let services = runtime.block_on(Services::start())?;
    let issuance = Issuance::new(&services)?;
    let mut most = 0.0f64;
    let mut count = CLIENTS;
    for _ in 0..plan.slices.max(1) {
        let timed = runtime.block_on(at_once(&issuance, 16, count))?;
        most = most.max(timed.per_second());
        count = operations(plan, most);
    }
    let half = most / 2.0;
    let (mut p50, mut p99) = (Vec::new(), Vec::new());
    for _ in 0..plan.slices.max(1) {
        let timed: Timed = runtime.block_on(at_rate(&issuance, half, operations(plan, half)))?;
        p50.push(timed.quantile_ms(0.5));
        p99.push(timed.quantile_ms(0.99));
    }
    let (p50, p99) = (median(p50)?, median(p99)?);
    Ok(Results {
        lines: Vec::new(),
        facts: vec![
            Fact {
                name: "P14",
                what: format!(
                    "issuance, three requests, at half of {most:.0} a second: p99 ({p99:.1} ms) / p50 \
                     ({p50:.1} ms)"
                ),
                value: p99 / p50,
                most: 3.0,
            },
            Fact {
                name: "P14",
                what: "the same p99 for one of the three requests, ms".to_owned(),
                value: p99 / 3.0,
                most: 5.0,
            },
        ],
    })
}
