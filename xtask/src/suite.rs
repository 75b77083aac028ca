//! `cargo xtask test`: every suite, and the counts at the end.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::postgres::Postgres;
use crate::run::{cargo, observe, root};
use crate::{bindings, check, setup, shots};

/// A suite that prints nothing for so long hangs. Building prints nothing here either.
const SILENCE: Duration = Duration::from_mins(25);
/// MiB that must be free in memory for temporary files.
const MEMORY: u64 = 4096;
/// The same as [`SILENCE`] with full counts.
const SILENCE_FULL: Duration = Duration::from_hours(6);

/// A suite: a name for `--part` and the arguments of `cargo test`.
struct Suite {
    name: &'static str,
    arguments: &'static [&'static str],
}

/// The pure crates are built alone first: in a whole workspace the features
/// of `serde_json` and others are joined and would hide a difference.
const SUITES: &[Suite] = &[
    Suite {
        name: "core",
        arguments: &[
            "-p",
            "vouchsafe-credentials",
            "-p",
            "vouchsafe-credentials-jsonld",
            "-p",
            "vouchsafe-vectors",
            "-p",
            "vouchsafe-protocol",
            "-p",
            "vouchsafe-wallet-core",
        ],
    },
    Suite {
        name: "workspace",
        arguments: &[
            "--workspace",
            "--exclude",
            "vouchsafe-tests",
            "--exclude",
            "vouchsafe-oracles",
            // Alone in `core`, and with every feature in `ssi`.
            "--exclude",
            "vouchsafe-credentials",
            "--exclude",
            "vouchsafe-credentials-jsonld",
            "--exclude",
            "vouchsafe-vectors",
            "--exclude",
            "vouchsafe-protocol",
            "--exclude",
            "vouchsafe-wallet-core",
            // Against SoftHSM2.
            "--features",
            "vouchsafe-cli/pkcs11",
        ],
    },
    // Apart from the others: `ssi` and isomdl turn on `arbitrary_precision` of `serde_json`, `ssi` a
    // second TLS. What reads and shows numbers is tested once more with it.
    Suite {
        name: "ssi",
        arguments: &[
            "-p",
            "vouchsafe-credentials",
            "-p",
            "vouchsafe-credentials-jsonld",
            "-p",
            "vouchsafe-protocol",
            "-p",
            "vouchsafe-wallet-core",
            "-p",
            "vouchsafe-pages",
            "-p",
            "vouchsafe-oracles",
            "--features",
            "vouchsafe-credentials-jsonld/ssi,vouchsafe-oracles/isomdl",
        ],
    },
    Suite {
        name: "system",
        arguments: &["-p", "vouchsafe-tests", "-p", "vouchsafe-oracles"],
    },
];

/// What the runner counted.
#[derive(Default, Debug, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Counts {
    /// Adds a closing line of libtest: `test result: ok. 3 passed; 0 failed; …`.
    fn add(&mut self, line: &str) {
        let Some(rest) = line.trim().strip_prefix("test result: ") else {
            return;
        };
        let parts = rest.split(['.', ';']).map(str::trim);
        for part in parts {
            let Some((number, word)) = part.split_once(' ') else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

/// Runs the suites. Every suite runs even where an earlier one failed.
pub fn run(full: bool, part: Option<&str>) -> Result<()> {
    let started = Instant::now();
    if let Some(part) = part
        && !SUITES.iter().any(|suite| suite.name == part)
        && part != "shots"
    {
        let names: Vec<_> = SUITES
            .iter()
            .map(|suite| suite.name)
            .chain(["shots"])
            .collect();
        bail!("no suite {part}; there are: {}", names.join(", "));
    }
    let wanted = |name: &str| part.is_none_or(|part| part == name);
    setup::run()?;
    if part.is_none() {
        check::architecture()?;
    }
    let postgres = Postgres::start()?;
    let memory = memory();
    let mut counts = Counts::default();
    let mut broken = Vec::new();
    for suite in SUITES.iter().filter(|suite| wanted(suite.name)) {
        if suite.name == "system" {
            build_programs()?;
            bindings::make()?;
        }
        let mut command = cargo(&["test", "--no-fail-fast"]);
        command.args(suite.arguments);
        environment(&mut command, &postgres, full);
        // The end-to-end tests keep to the disk, which is what they are about.
        if let (Some(folder), true) = (&memory, suite.name != "system" && !full) {
            command.env("TMPDIR", folder.path());
        }
        let silence = if full { SILENCE_FULL } else { SILENCE };
        match observe(&mut command, silence, |line| counts.add(line)) {
            Ok(true) => {}
            Ok(false) => broken.push(suite.name),
            Err(error) => {
                eprintln!("error: {error:#}");
                counts.failed += 1;
                broken.push(suite.name);
            }
        }
    }
    if wanted("shots") {
        match shots::run(&crate::run::target().join("shots"), false) {
            Ok(()) => counts.passed += 1,
            Err(error) => {
                eprintln!("error: {error:#}");
                counts.failed += 1;
                broken.push("shots");
            }
        }
    }
    println!("\n{} minutes", started.elapsed().as_secs().div_ceil(60));
    println!(
        "{} passed, {} failed, {} skipped",
        counts.passed, counts.failed, counts.ignored
    );
    if !broken.is_empty() {
        bail!("failed: {}", broken.join(", "));
    }
    Ok(())
}

/// The end-to-end tests start the real programs, and apps over the bridge to phones.
pub fn build_programs() -> Result<()> {
    let mut build = cargo(&["build", "-p", "vouchsafe-cli", "--features"]);
    build.arg("vouchsafe-cli/pkcs11").args(bindings::PACKAGES);
    crate::run::succeed(&mut build)
}

/// Room for temporary files in memory, where there is enough: several hundred tests write a SQLite
/// file each, and every commit waits for its disk.
fn memory() -> Option<tempfile::TempDir> {
    let shared = Path::new("/dev/shm");
    let output = Command::new("df")
        .args(["--output=avail", "--block-size=1M"])
        .arg(shared)
        .output()
        .ok()?;
    let free = String::from_utf8(output.stdout).ok()?;
    let free: u64 = free.lines().nth(1)?.trim().parse().ok()?;
    (free >= MEMORY)
        .then(|| tempfile::tempdir_in(shared).ok())
        .flatten()
}

fn environment(command: &mut Command, postgres: &Postgres, full: bool) {
    command
        .env("VOUCHSAFE_TEST_POSTGRES", postgres.url())
        .env("VOUCHSAFE_PEERS", "1")
        .env("VOUCHSAFE_FULL", if full { "1" } else { "0" });
    let vectors = root().join("../shared/vectors");
    match (
        std::env::var_os("VOUCHSAFE_VECTORS"),
        vectors.canonicalize(),
    ) {
        (Some(_), _) => {}
        (None, Ok(folder)) => {
            command.env("VOUCHSAFE_VECTORS", folder);
        }
        (None, Err(_)) => println!("skipped: vectors (set VOUCHSAFE_VECTORS to their folder)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_the_runner_says() {
        let mut counts = Counts::default();
        counts.add("test result: FAILED. 7 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.10s");
        counts.add("test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 4 filtered out; finished in 1.00s");
        counts.add("test something ... ok");
        assert_eq!(
            counts,
            Counts {
                passed: 10,
                failed: 1,
                ignored: 2
            }
        );
    }
}
