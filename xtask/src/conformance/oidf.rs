//! `cargo xtask conformance oidf-issuer`: the issuer's plans in a running suite of the OpenID
//! Foundation. The suite is not part of this repository; `VOUCHSAFE_OIDF_SUITE` is its address.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::Server;
use super::suite::{Counts, Outside, Suite, judge, program, runs, serve, text};
use crate::run::succeed;

/// The condition that says that a module waits for an offer.
const WAITS: &str = "VCIWaitForCredentialOffer";

/// What is run, and where.
#[derive(Debug, clap::Args)]
pub struct Wanted {
    /// Only modules whose names contain this.
    module: Option<String>,
    /// Only runs whose `PROFILE/NAME` contains this, such as `haip/mdoc`.
    #[arg(long)]
    run: Option<String>,
    /// A `vouchsafe` that is built already, instead of a release build.
    #[arg(long)]
    program: Option<PathBuf>,
    /// Where the issuer listens, and the suite reaches it.
    #[arg(long, default_value = "localhost:8702")]
    issuer: String,
    /// The name of the tests in the suite's addresses: two runs at once need two.
    #[arg(long, default_value = "vouchsafe-issuer")]
    alias: String,
}

/// Runs the plans.
pub fn issuer(wanted: &Wanted) -> Result<()> {
    let Some(suite) = Suite::of_environment() else {
        return Ok(());
    };
    let program = program(wanted.program.as_ref())?;
    let folder = tempfile::tempdir()?;
    let mut counts = Counts::new();
    for profile in ["haip", "open"] {
        let folder = folder.path().join(profile);
        let url = format!("https://{}", wanted.issuer);
        let listen = wanted.issuer.replace("localhost", "127.0.0.1");
        let mut configure = Command::new(&program);
        configure
            .args(["conformance", "oidf-issuer"])
            .arg(&folder)
            .args(["--profile", profile, "--suite-url", &suite.url])
            .args(["--issuer-url", &url, "--listen", &listen])
            .args(["--alias", &wanted.alias])
            .stdout(Stdio::null());
        succeed(&mut configure)?;
        let mut runs = runs(&folder)?;
        runs.retain(|run| {
            let name = format!("{profile}/{}", run.name);
            wanted.run.as_ref().is_none_or(|part| name.contains(part))
        });
        if runs.is_empty() {
            continue;
        }
        let _server = start(&program, &folder, &url)?;
        for run in &runs {
            println!("\n{profile}/{}: {} {}", run.name, run.plan, run.variant);
            let only = wanted.module.as_deref();
            let mut wallet = || -> Result<Box<dyn Outside>> {
                Ok(Box::new(Wallet {
                    offer: run.offer.clone(),
                    sent: 0,
                }))
            };
            suite.run((&folder, run), only, &mut wallet, &mut counts)?;
        }
    }
    judge(&counts)
}

/// Starts the issuer and waits until it is ready.
pub(super) fn start(program: &Path, folder: &Path, url: &str) -> Result<Server> {
    let mut command = Command::new(program);
    command
        .args(["issuer", "serve", "--config"])
        .arg(folder.join("issuer.toml"));
    serve(
        &mut command,
        &folder.join("issuer.log"),
        &format!("{url}/readyz"),
    )
}

/// Opens the suite's wallet with offers.
struct Wallet {
    offer: Option<String>,
    sent: usize,
}

impl Outside for Wallet {
    /// Brings the offer, as often as the module said that it waits for one.
    fn waiting(&mut self, suite: &Suite, id: &str) -> Result<()> {
        let Some(offer) = &self.offer else {
            return Ok(());
        };
        let log = suite.log(id)?;
        let waits = log
            .iter()
            .filter(|entry| text(entry, "src").as_deref() == Some(WAITS));
        if waits.count() <= self.sent {
            return Ok(());
        }
        let endpoint = suite.exposed(id, "credential_offer_endpoint")?;
        let endpoint = endpoint.context("the module names no address for its offer")?;
        self.sent += 1;
        // The module tells its result itself, also where this answers with an error.
        let address = format!("{endpoint}?{offer}");
        let mut open = Command::new("curl");
        open.args(["-sk", "-o", "/dev/null", &address]);
        open.status().context("curl cannot be started").map(drop)
    }
}
