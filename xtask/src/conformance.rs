//! `cargo xtask conformance w3c`: the suites of W3C against a release build, over https.
//!
//! The suites are not part of this repository. `VOUCHSAFE_W3C_SUITES` names a folder with checkouts
//! that `npm install` has been run in, each under the name of its repository.

pub mod oidf;
mod suite;
pub mod verifier;
pub mod wallet;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::run::{cargo, root, succeed, target};

/// Where the suites are.
const VARIABLE: &str = "VOUCHSAFE_W3C_SUITES";

/// A suite: its repository and how many tests it has with the configuration of `w3c-server`.
const SUITES: [(&str, u64); 8] = [
    ("vc-data-model-2.0-test-suite", 59),
    ("vc-di-eddsa-test-suite", 57),
    ("vc-di-ecdsa-test-suite", 150),
    ("vc-di-bbs-test-suite", 87),
    ("vc-bitstring-status-list-test-suite", 27),
    ("did-key-test-suite", 16),
    ("did-resolution-mocha-test-suite", 31),
    (JOSE_COSE, 35),
];
const JOSE_COSE: &str = "vc-jose-cose-test-suite";

/// Where issuer and suite are.
#[derive(Debug, clap::Args)]
pub struct Hosts {
    /// The folder that receives a folder for each plan.
    #[arg(long, default_value = "target/oidf")]
    folder: PathBuf,
    /// Where the suite reaches the issuer, over https.
    #[arg(long, default_value = "https://localhost:8702")]
    issuer_url: String,
    /// Where the issuer listens.
    #[arg(long, default_value = "127.0.0.1:8702")]
    listen: String,
    /// A proxy in front ends TLS.
    #[arg(long)]
    behind_proxy: bool,
    /// The suite.
    #[arg(long, default_value = "https://localhost.emobix.co.uk:8443")]
    suite_url: String,
    /// Where the suite reaches the login service, which ends TLS itself.
    #[arg(long, default_value = "https://localhost:8701")]
    verifier_url: String,
}

/// The profile of the issuer for each plan of the OpenID Foundation.
const PLANS: [(&str, &str); 2] = [
    ("oid4vci-1_0-issuer-test-plan", "open"),
    ("oid4vci-1_0-issuer-haip-test-plan", "haip"),
];

/// Writes a folder for each plan of the issuer, and two for the login service: configuration of the
/// service, of the suite, and browser steps.
pub fn configure(hosts: &Hosts) -> Result<()> {
    succeed(&mut cargo(&["build", "--release", "-p", "vouchsafe-cli"]))?;
    std::fs::create_dir_all(&hosts.folder).context("the folder cannot be made")?;
    for (plan, profile) in PLANS {
        let mut command = Command::new(target().join("release/vouchsafe"));
        command
            .args(["conformance", "oidf-issuer"])
            .arg(hosts.folder.join(plan))
            .args(["--profile", profile, "--alias", plan])
            .args(["--issuer-url", &hosts.issuer_url, "--listen", &hosts.listen])
            .args(["--suite-url", &hosts.suite_url]);
        if hosts.behind_proxy {
            command.arg("--behind-proxy");
        }
        succeed(&mut command)?;
    }
    let place = verifier::Place {
        program: &target().join("release/vouchsafe"),
        suite_url: hosts.suite_url.trim_end_matches('/'),
        verifier_url: &hosts.verifier_url,
    };
    verifier::configure(&place, &hosts.folder)
}

/// What mocha counted.
#[derive(Deserialize)]
struct Report {
    stats: Stats,
    #[serde(default)]
    failures: Vec<Failure>,
}

#[derive(Deserialize)]
struct Stats {
    tests: u64,
    passes: u64,
    pending: u64,
    failures: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    full_title: String,
}

/// Stops the server when the suites are done, however that is.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs all suites, or the one whose name contains `only`.
pub fn w3c(only: Option<&str>) -> Result<()> {
    let Some(suites) = std::env::var_os(VARIABLE).map(PathBuf::from) else {
        println!("skipped: {VARIABLE} names no folder with the W3C suites (see CONTRIBUTING.md)");
        return Ok(());
    };
    succeed(&mut cargo(&["build", "--release", "-p", "vouchsafe-cli"]))?;
    let program = target().join("release/vouchsafe");
    let folder = root().join("target/w3c");
    let _server = start(&program, &folder)?;
    let wanted = SUITES
        .into_iter()
        .filter(|(name, _)| only.is_none_or(|only| name.contains(only)));
    let mut lines = Vec::new();
    let mut wrong = 0;
    for (name, expected) in wanted {
        let suite = suites.join(name);
        if !suite.is_dir() {
            lines.push(format!("{name:38} skipped: not in the folder"));
            continue;
        }
        let Report { stats, failures } = run(&suite, name, &folder, &program)?;
        for Failure { full_title } in &failures {
            println!("failed: {full_title}");
        }
        let good = stats.failures == 0 && stats.tests == expected;
        wrong += u64::from(!good);
        lines.push(format!(
            "{name:38} {} of {expected} tests: {} passed, {} left out by the suite, {} failed",
            stats.tests, stats.passes, stats.pending, stats.failures
        ));
    }
    println!("\n{}", lines.join("\n"));
    match wrong {
        0 => Ok(()),
        _ => bail!("{wrong} suites are not as they must be"),
    }
}

/// Starts the server and waits until it says that it serves.
fn start(program: &Path, folder: &Path) -> Result<Server> {
    let mut child = Command::new(program)
        .args(["conformance", "w3c-server", "--folder"])
        .arg(folder)
        .stdout(Stdio::piped())
        .spawn()
        .context("the server does not start")?;
    let output = child.stdout.take().context("no standard output")?;
    let server = Server(child);
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    match line.starts_with("serving ") {
        true => Ok(server),
        false => bail!("the server ended before it served"),
    }
}

fn run(suite: &Path, name: &str, folder: &Path, program: &Path) -> Result<Report> {
    let manifest = folder.join(format!("{name}.localConfig.cjs"));
    std::fs::copy(manifest, suite.join("localConfig.cjs"))?;
    let report = folder.join(format!("{name}.json"));
    let _ = std::fs::remove_file(&report);
    let polyfill = folder.join("polyfill.cjs");
    std::fs::write(&polyfill, POLYFILL)?;
    let shims = folder.join("shims");
    shim(&shims, program)?;
    let path = format!(
        "{}:{}",
        shims.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    eprintln!("$ mocha in {name}");
    // Failing tests are an exit code of mocha; the report says more.
    Command::new("npx")
        .args([
            "mocha",
            "tests/",
            "--timeout",
            "30000",
            "--preserve-symlinks",
        ])
        .args(["--reporter", "json", "--reporter-option"])
        .arg(format!("output={}", report.display()))
        .current_dir(suite)
        .env("NODE_EXTRA_CA_CERTS", folder.join("ca.pem"))
        .env("NODE_OPTIONS", format!("--require {}", polyfill.display()))
        .env("PATH", path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .context("npx cannot be started")?;
    let text = std::fs::read(&report)
        .with_context(|| format!("{name} made no report; was `npm install` run in it?"))?;
    Ok(serde_json::from_slice(&text)?)
}

/// `Iterator.prototype.map`, which the JOSE/COSE suite uses, is missing before Node 22.
const POLYFILL: &str =
    "const p = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
if(!p.map) {
  Object.defineProperty(p, 'map', {value: function*(f) { for(const x of this) yield f(x); }});
}
";

/// The JOSE/COSE suite starts implementations as `docker compose -f FILE run --rm NAME FUNCTION …`
/// with its folder mounted as `/tests`. The same call without a container.
fn shim(folder: &Path, program: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let file = folder.join("docker");
    let text = format!(
        "#!/bin/sh
shift 6
mkdir -p tests/output
for argument do
  shift
  case $argument in
    /tests/*) set -- \"$@\" \".$argument\" ;;
    *) set -- \"$@\" \"$argument\" ;;
  esac
done
exec {} conformance vc-jose-cose \"$@\"
",
        program.display()
    );
    std::fs::write(&file, text)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}
