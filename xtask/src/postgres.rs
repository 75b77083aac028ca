//! A PostgreSQL of the tests' own, on a free port, in a temporary folder.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::setup::is_root;

/// A running server; it ends with this value.
pub struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
}

/// The newest folder with PostgreSQL's server programs.
pub fn programs() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|folder| folder.join("initdb").is_file())
        .collect();
    versions.sort();
    versions.pop()
}

/// The server is thrown away when the machine stops, so nothing of it must outlast that: tests
/// kill programs of ours and servers of their own, not this one.
const UNSAFE: &str = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off";

impl Postgres {
    /// Creates a cluster and starts it. PostgreSQL refuses to run as root, so
    /// root runs it as the user `postgres` that Debian's package made.
    pub fn start() -> Result<Self> {
        let programs =
            programs().context("no PostgreSQL server programs in /usr/lib/postgresql")?;
        let folder = tempfile::Builder::new()
            .prefix("vouchsafe-postgres")
            .tempdir()?;
        if is_root() {
            succeed(Command::new("chown").arg("postgres").arg(folder.path()))?;
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let server = Self {
            folder,
            programs,
            port,
        };
        let data = server.data();
        succeed(server.program("initdb").arg("-D").arg(&data).args([
            "-U",
            "vouchsafe",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-locale",
        ]))?;
        let options = format!(
            "-p {port} -k {} -c listen_addresses=127.0.0.1 -c max_connections=300 {UNSAFE}",
            server.folder.path().display()
        );
        let log = server.folder.path().join("log");
        succeed(
            server
                .program("pg_ctl")
                .arg("-D")
                .arg(&data)
                .arg("-l")
                .arg(log)
                .args(["-w", "-o", &options, "start"]),
        )?;
        Ok(server)
    }

    /// Where the tests connect; each makes a database of its own there.
    pub fn url(&self) -> String {
        format!("postgres://vouchsafe@127.0.0.1:{}/postgres", self.port)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn program(&self, name: &str) -> Command {
        as_server_user(&self.programs.join(name), self.folder.path())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.data();
        let stop = self
            .program("pg_ctl")
            .arg("-D")
            .arg(data)
            .args(["-m", "immediate", "stop"])
            .stdout(Stdio::null())
            .status();
        if stop.is_err() {
            eprintln!("warning: PostgreSQL was not stopped");
        }
    }
}

fn as_server_user(program: &Path, folder: &Path) -> Command {
    let mut command;
    if is_root() {
        command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
    } else {
        command = Command::new(program);
    }
    command.current_dir(folder);
    command
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.stdout(Stdio::null()).status()?;
    if !status.success() {
        bail!("{} ended with {status}", command.get_program().display());
    }
    Ok(())
}
