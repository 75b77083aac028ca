//! What the tests need from the machine: Debian packages where they may be
//! installed, Node and Python packages from the committed lock files, a wallet on the JVM where Maven
//! is at hand.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::run::{root, succeed};

/// A program that a test starts, and the Debian package that brings it.
struct Need {
    package: &'static str,
    present: fn() -> bool,
}

const NEEDS: &[Need] = &[
    Need {
        package: "libssl-dev",
        present: || Path::new("/usr/include/openssl/ssl.h").exists(),
    },
    Need {
        package: "pkg-config",
        present: || on_path("pkg-config"),
    },
    Need {
        package: "postgresql",
        present: || crate::postgres::programs().is_some(),
    },
    Need {
        package: "chromium",
        present: || on_path("chromium"),
    },
    Need {
        package: "nodejs",
        present: || on_path("node"),
    },
    Need {
        package: "npm",
        present: || on_path("npm"),
    },
    Need {
        package: "python3-venv",
        present: has_venv,
    },
    Need {
        package: "openssl",
        present: || on_path("openssl"),
    },
    Need {
        package: "softhsm2",
        present: || on_path("softhsm2-util"),
    },
    Need {
        package: "xmlsec1",
        present: || on_path("xmlsec1"),
    },
    Need {
        package: "curl",
        present: || on_path("curl"),
    },
    Need {
        package: "faketime",
        present: || on_path("faketime"),
    },
];

/// Installs what is missing, or names it.
pub fn run() -> Result<()> {
    debian()?;
    node()?;
    python()?;
    maven()
}

fn debian() -> Result<()> {
    let missing: Vec<&str> = NEEDS
        .iter()
        .filter(|need| !(need.present)())
        .map(|need| need.package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !is_root() || !on_path("apt-get") {
        bail!(
            "the tests need these Debian packages: {}",
            missing.join(" ")
        );
    }
    eprintln!("installing: {}", missing.join(" "));
    succeed(Command::new("apt-get").arg("update").stdout(Stdio::null()))?;
    succeed(
        Command::new("apt-get")
            .args(["install", "-y", "--no-install-recommends"])
            .args(&missing)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdout(Stdio::null()),
    )
}

/// Installs the packages of `tests/peers/package-lock.json` once per lock file.
fn node() -> Result<()> {
    let folder = root().join("tests/peers");
    let lock =
        std::fs::read(folder.join("package-lock.json")).context("tests/peers/package-lock.json")?;
    let stamp = folder.join("node_modules/.lock");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    succeed(
        Command::new("npm")
            .args([
                "ci",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--loglevel=error",
            ])
            .current_dir(&folder),
    )?;
    std::fs::write(stamp, lock).context("cannot note the installed lock file")
}

/// Installs the packages of `tests/peers/requirements.txt` once per lock file, into an environment
/// of their own.
fn python() -> Result<()> {
    let folder = root().join("tests/peers");
    let lock =
        std::fs::read(folder.join("requirements.txt")).context("tests/peers/requirements.txt")?;
    let stamp = folder.join("venv/.lock");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    let mut make = Command::new("python3");
    succeed(
        make.args(["-m", "venv", "--clear", "venv"])
            .current_dir(&folder),
    )?;
    let mut install = Command::new(folder.join("venv/bin/pip"));
    install.args([
        "install",
        "--quiet",
        "--no-deps",
        "--disable-pip-version-check",
    ]);
    succeed(
        install
            .args(["-r", "requirements.txt"])
            .current_dir(&folder),
    )?;
    std::fs::write(stamp, lock).context("cannot note the installed lock file")
}

/// Whether Python is there with what makes environments.
fn has_venv() -> bool {
    let mut python = Command::new("python3");
    python.args(["-c", "import venv, ensurepip"]);
    let quiet = python.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Compiles the wallet of `tests/peers/eudi` once per version of it, where Maven is at hand. Its
/// tests say when they are left out.
fn maven() -> Result<()> {
    if !on_path("mvn") {
        eprintln!("left out: the EU's wallet library (there is no mvn)");
        return Ok(());
    }
    let folder = root().join("tests/peers/eudi");
    let read = |name: &str| std::fs::read(folder.join(name)).with_context(|| name.to_owned());
    let source = [read("pom.xml")?, read("Wallet.kt")?].concat();
    let stamp = folder.join("target/.source");
    if std::fs::read(&stamp).is_ok_and(|compiled| compiled == source) {
        return Ok(());
    }
    let mut compile = Command::new("mvn");
    compile.args(["-q", "-B", "process-classes"]);
    if let Err(error) = succeed(compile.current_dir(&folder)) {
        eprintln!("left out: the EU's wallet library ({error:#})");
        return Ok(());
    }
    std::fs::write(stamp, source).context("cannot note what was compiled")
}

/// Whether a program can be found.
pub fn on_path(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    })
}

/// Whether this process may install packages and must not run PostgreSQL itself.
pub fn is_root() -> bool {
    std::fs::metadata("/proc/self")
        .is_ok_and(|data| std::os::unix::fs::MetadataExt::uid(&data) == 0)
}
