//! What the tests need from the machine: Debian packages where they may be
//! installed, Node packages from the committed lock file.

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
        package: "openssl",
        present: || on_path("openssl"),
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
    node()
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
