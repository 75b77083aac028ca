//! What the tests need from the machine: Debian packages where they may be
//! installed, Node and Python packages from the committed lock files, programs on the JVM where Maven
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
        package: "apache2-bin",
        present: || Path::new("/usr/sbin/apache2").exists(),
    },
    Need {
        package: "libapache2-mod-auth-openidc",
        present: || Path::new("/usr/lib/apache2/modules/mod_auth_openidc.so").exists(),
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

/// What Maven brings: a folder with a `pom.xml`, what else its result depends on, and its goal.
struct Project {
    what: &'static str,
    folder: &'static str,
    sources: &'static [&'static str],
    goal: &'static str,
}

const PROJECTS: &[Project] = &[
    Project {
        what: "the EU's wallet library",
        folder: "tests/peers/eudi",
        sources: &["pom.xml", "Wallet.kt"],
        goal: "process-classes",
    },
    Project {
        what: "the compiler and the libraries of Kotlin",
        folder: "mobile-bindings/kotlin",
        sources: &["pom.xml"],
        goal: "package",
    },
    Project {
        what: "the application on Spring Security",
        folder: "examples/apps/spring",
        sources: &[
            "pom.xml",
            "src/main/java/example/Members.java",
            "src/main/resources/application.properties",
        ],
        goal: "package",
    },
    Project {
        what: "Keycloak",
        folder: "tests/peers/keycloak",
        sources: &["pom.xml"],
        goal: "package",
    },
];

/// Makes what Maven brings, where it is at hand. Tests say when they are left out.
pub fn maven() -> Result<()> {
    for project in PROJECTS {
        if !on_path("mvn") {
            eprintln!("left out: {} (there is no mvn)", project.what);
            continue;
        }
        project.make()?;
    }
    Ok(())
}

impl Project {
    /// Once per version of its sources.
    fn make(&self) -> Result<()> {
        let folder = root().join(self.folder);
        let read =
            |name: &&str| std::fs::read(folder.join(name)).with_context(|| (*name).to_owned());
        let sources: Vec<Vec<u8>> = self.sources.iter().map(read).collect::<Result<_>>()?;
        let sources = sources.concat();
        let stamp = folder.join("target/.source");
        if std::fs::read(&stamp).is_ok_and(|made| made == sources) {
            return Ok(());
        }
        let mut maven = Command::new("mvn");
        maven.args(["-q", "-B", self.goal]);
        if let Err(error) = succeed(maven.current_dir(&folder)) {
            eprintln!("left out: {} ({error:#})", self.what);
            return Ok(());
        }
        std::fs::write(stamp, sources).context("cannot note what was made")
    }
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
