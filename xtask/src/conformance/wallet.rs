//! `cargo xtask conformance oidf-wallet`: the plans of the wallet in a running suite of the OpenID
//! Foundation. The suite is the verifier or the issuer, the wallet is ours on the command line, and
//! this program is the person at the terminal and the browser between the two.

mod home;
mod issuance;
mod picture;
mod presentation;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Result;

use self::home::Home;
use self::issuance::Issuance;
use self::presentation::Presentation;
use super::oidf::start;
use super::suite::{Counts, Outside, Suite, judge, program, runs};
use crate::run::succeed;

/// What is run, and where.
#[derive(Debug, clap::Args)]
pub struct Wanted {
    /// Only modules whose names contain this.
    module: Option<String>,
    /// Only runs whose name contains this, such as `vp-haip` or `vp/x509_hash`.
    #[arg(long)]
    run: Option<String>,
    /// A `vouchsafe` that is built already, instead of a release build.
    #[arg(long)]
    program: Option<PathBuf>,
    /// Where the issuer of the cards listens, and the suite reaches it.
    #[arg(long, default_value = "localhost:8702")]
    issuer: String,
    /// The name of the tests in the suite's addresses: two runs at once need two.
    #[arg(long, default_value = "vouchsafe-wallet")]
    alias: String,
}

/// Runs the plans.
pub fn wallet(wanted: &Wanted) -> Result<()> {
    let Some(suite) = Suite::of_environment() else {
        return Ok(());
    };
    let program = program(wanted.program.as_ref())?;
    let all = tempfile::tempdir()?;
    let folder = all.path().join("wallet");
    let url = format!("https://{}", wanted.issuer);
    let listen = wanted.issuer.replace("localhost", "127.0.0.1");
    let mut configure = Command::new(&program);
    configure
        .args(["conformance", "oidf-wallet"])
        .arg(&folder)
        .args(["--suite-url", &suite.url, "--alias", &wanted.alias])
        .args(["--issuer-url", &url, "--listen", &listen])
        .stdout(Stdio::null());
    succeed(&mut configure)?;
    let mut runs = runs(&folder)?;
    runs.retain(|run| {
        let part = wanted.run.as_ref();
        part.is_none_or(|part| run.name.contains(part))
    });
    let _issuer = start(&program, &folder, &url)?;
    let home = Home::make(&program, &folder, &suite)?;
    let mut counts = Counts::new();
    for run in &runs {
        println!("\n{}: {} {}", run.name, run.plan, run.variant);
        let only = wanted.module.as_deref();
        let mut outside = || -> Result<Box<dyn Outside>> {
            let (home, variant) = (home.clone(), run.variant.clone());
            Ok(match run.name.starts_with("vci") {
                true => Box::new(Issuance::new(home, variant)?),
                false => Box::new(Presentation::new(home, variant)),
            })
        };
        suite.run((&folder, run), only, &mut outside, &mut counts)?;
    }
    judge(&counts)
}
