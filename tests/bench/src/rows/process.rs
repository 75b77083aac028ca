//! P15 and P16: what the issuer's process takes, and how soon it answers.

use anyhow::{Context, Result};
use tokio::runtime::Runtime;
use vouchsafe_protocol::http::{HttpRequest, Method};

use super::issuance::Issuance;
use crate::load::Load;
use crate::report::{Fact, Results};
use crate::services::Services;
use crate::slices::{Contender as _, Plan};
use crate::web::Web;

/// P15 and P16.
pub fn measure(plan: &Plan) -> Result<Results> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut services = runtime.block_on(Services::start())?;
    let cold = cold_start(&runtime, &mut services, plan.slices)?;
    let idle = resident_mib(services.issuer_process()?)?;
    let mut load = Load::new(
        &runtime,
        services.issuer_process()?,
        Issuance::new(&services)?,
    );
    let mut issued = 0;
    for _ in 0..plan.slices {
        issued += load.slice(4 * plan.slice_ms)?.operations;
    }
    let busy = resident_mib(services.issuer_process()?)?;
    Ok(Results {
        lines: Vec::new(),
        facts: vec![
            Fact {
                name: "P15",
                what: "resident memory of the issuer before the first request, MiB".to_owned(),
                value: idle,
                most: 20.0,
            },
            Fact {
                name: "P15",
                what: format!("the same after {issued} issuances, MiB"),
                value: busy,
                most: 64.0,
            },
            Fact {
                name: "P16",
                what: "from the start of the process to its first answer, ms".to_owned(),
                value: cold,
                most: 30.0,
            },
        ],
    })
}

/// The median time from the start of the issuer to an answer, in milliseconds. It is killed before.
pub fn cold_start(runtime: &Runtime, services: &mut Services, times: usize) -> Result<f64> {
    let web = Web::new()?;
    let mut taken = Vec::new();
    for _ in 0..times.max(1) {
        let health = format!("{}/healthz", services.issuer_url).parse()?;
        let start = std::time::Instant::now();
        runtime.block_on(async {
            services.restart_issuer().await?;
            web.expect(200, HttpRequest::new(Method::Get, health)).await
        })?;
        taken.push(start.elapsed().as_secs_f64() * 1e3);
    }
    taken.sort_by(f64::total_cmp);
    Ok(taken[taken.len() / 2])
}

/// Resident memory of a process.
fn resident_mib(process: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.context("no VmRSS")?.trim().trim_end_matches(" kB");
    Ok(kib.parse::<f64>()? / 1024.0)
}
