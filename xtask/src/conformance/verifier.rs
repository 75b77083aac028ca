//! `cargo xtask conformance oidf-verifier`: the plans of the login service in a running suite of
//! the OpenID Foundation. Presentations: the suite is the wallet, and this program the browser.
//! Logins: the suite is the application and the browser, and the wallet is ours.

mod applications;
mod fapi;
mod folder;
mod key;
mod login;
mod steps;
mod wallet;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use self::login::Login;
use self::wallet::Wallet;
use super::Server;
use super::suite::{Counts, Outside, Suite, judge, program, runs, serve};

pub use self::folder::{Place, configure};

/// What is run, and where.
#[derive(Debug, clap::Args)]
pub struct Wanted {
    /// Only modules whose names contain this.
    module: Option<String>,
    /// Only runs whose `FOLDER/NAME` contains this, such as `presentation/haip` or `login/basic`.
    #[arg(long)]
    run: Option<String>,
    /// A `vouchsafe` that is built already, instead of a release build.
    #[arg(long)]
    program: Option<PathBuf>,
    /// Where the login service listens, and the suite reaches it.
    #[arg(long, default_value = "localhost:8701")]
    verifier: String,
}

/// A module that warns of what is meant to be so.
struct Excuse {
    module: &'static str,
    /// The conditions that may warn, and no others.
    conditions: &'static [&'static str],
    why: &'static str,
}

/// All of them.
const EXCUSES: [Excuse; 2] = [
    Excuse {
        module: "oidcc-claims-essential",
        conditions: &["EnsureUserInfoContainsName"],
        why: "who asks with the scope openid alone learns no facts, however essential it says \
              they are",
    },
    Excuse {
        module: "fapi2-security-profile-final-test-claims-parameter-identity-claims",
        conditions: &[
            "CheckForUnexpectedClaimsInUserinfo",
            "CheckForUnexpectedClaimsInIdToken",
        ],
        why: "the suite does not know sid (OpenID Connect Back-Channel Logout 1.0, section 2.1) \
              nor the names of the facts that the scope brings (OpenID Connect Core 1.0, section \
              5.1.2)",
    },
];

/// Runs the plans.
pub fn verifier(wanted: &Wanted) -> Result<()> {
    let Some(suite) = Suite::of_environment() else {
        return Ok(());
    };
    let program = program(wanted.program.as_ref())?;
    let place = Place {
        program: &program,
        suite_url: &suite.url,
        verifier_url: &format!("https://{}", wanted.verifier),
    };
    let all = tempfile::tempdir()?;
    let mut counts = Counts::new();
    for name in folder::NAMES {
        let folder = all.path().join(name);
        place.make(name, &folder)?;
        let mut runs = runs(&folder)?;
        runs.retain(|run| {
            let name = format!("{name}/{}", run.name);
            wanted.run.as_ref().is_none_or(|part| name.contains(part))
        });
        if runs.is_empty() {
            continue;
        }
        let _wallet = (name == folder::LOGIN)
            .then(|| Wallet::start(&program, &folder))
            .transpose()?;
        let _verifier = start(&place, &folder)?;
        for run in &runs {
            println!("\n{name}/{}: {} {}", run.name, run.plan, run.variant);
            let only = wanted.module.as_deref();
            let mut outside = || -> Result<Box<dyn Outside>> {
                match name {
                    folder::LOGIN => Ok(Box::new(Nobody)),
                    _ => Ok(Box::new(Login::new(place.verifier_url)?)),
                }
            };
            suite.run((&folder, run), only, &mut outside, &mut counts)?;
        }
    }
    judge(&counts)
}

/// The suite's own browser does everything.
struct Nobody;

impl Outside for Nobody {
    fn waiting(&mut self, _suite: &Suite, _id: &str) -> Result<()> {
        Ok(())
    }

    fn excuse(&self, module: &str, conditions: &[String]) -> Option<&'static str> {
        let known = |excuse: &&Excuse| {
            excuse.module == module
                && conditions
                    .iter()
                    .all(|condition| excuse.conditions.contains(&condition.as_str()))
        };
        EXCUSES.iter().find(known).map(|excuse| excuse.why)
    }
}

/// Starts the login service and waits until it is ready.
fn start(place: &Place<'_>, folder: &Path) -> Result<Server> {
    let mut command = Command::new(place.program);
    command
        .args(["verifier", "serve", "--config"])
        .arg(folder.join("verifier.toml"));
    serve(
        &mut command,
        &folder.join("verifier.log"),
        &format!("{}/readyz", place.verifier_url),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_that_nobody_expects_is_not_excused() {
        let module = "oidcc-claims-essential";
        let excused = |module: &str, conditions: &[&str]| {
            let conditions: Vec<String> = conditions.iter().map(|&it| it.to_owned()).collect();
            Nobody.excuse(module, &conditions).is_some()
        };
        let known = "EnsureUserInfoContainsName";
        assert!(!excused(
            module,
            &[known, "CheckForUnexpectedClaimsInUserinfo"]
        ));
        assert!(!excused("oidcc-server", &[known]));
        assert!(excused(module, &[known]));
    }
}
