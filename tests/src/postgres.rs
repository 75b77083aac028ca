//! A PostgreSQL of one scenario, which may break it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// A running server; it ends with this value.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
}

impl Postgres {
    /// Creates a cluster and starts it. `None` where the server's programs are missing.
    pub fn start() -> Result<Option<Self>> {
        Self::start_in(&std::env::temp_dir())
    }

    /// The same with everything below `place`.
    pub fn start_in(place: &Path) -> Result<Option<Self>> {
        let Some(programs) = programs() else {
            return Ok(None);
        };
        let folder = tempfile::Builder::new()
            .prefix("vouchsafe-pg")
            .tempdir_in(place)?;
        if is_root() {
            succeed(Command::new("chown").arg("postgres").arg(folder.path()))?;
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let server = Self {
            folder,
            programs,
            port,
        };
        let data = server.folder.path().join("data");
        let usual = [
            "-U",
            "vouchsafe",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-locale",
        ];
        succeed(server.program("initdb").arg("-D").arg(&data).args(usual))?;
        server.control(&["start"])?;
        Ok(Some(server))
    }

    /// Where to connect.
    pub fn url(&self) -> String {
        self.url_through(self.address())
    }

    /// The same through a proxy.
    pub fn url_through(&self, proxy: SocketAddr) -> String {
        format!("postgres://vouchsafe@{proxy}/postgres")
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Stops in a mode of `pg_ctl` and starts again: `fast` says goodbye, `immediate` breaks off
    /// whatever runs, without a checkpoint, and recovers afterwards.
    pub fn restart(&self, mode: &str) -> Result<()> {
        self.control(&["-m", mode, "restart"])
    }

    /// Stops in a mode of `pg_ctl`.
    pub fn stop(&self, mode: &str) -> Result<()> {
        self.control(&["-m", mode, "stop"])
    }

    /// Starts after a stop.
    pub fn start_again(&self) -> Result<()> {
        self.control(&["start"])
    }

    /// Waits until it answers, and starts it where it has ended by itself.
    pub fn start_unless_running(&self) -> Result<()> {
        let port = self.port.to_string();
        let data = self.folder.path().join("data");
        let end = Instant::now() + Duration::from_secs(30);
        while Instant::now() < end {
            let mut asked = self.program("pg_isready");
            if succeed(asked.args(["-q", "-h", "127.0.0.1", "-p", &port])).is_ok() {
                return Ok(());
            }
            if succeed(self.program("pg_ctl").arg("status").arg("-D").arg(&data)).is_err() {
                self.start_again()?;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("PostgreSQL does not come back")
    }

    /// `kill -9` of the first process, which leaves the others to themselves, and a start.
    pub fn kill_and_start(&self) -> Result<()> {
        let file = self.folder.path().join("data/postmaster.pid");
        let text = std::fs::read_to_string(file)?;
        let process = text.lines().next().context("no process")?;
        succeed(Command::new("kill").args(["-9", process]))?;
        // It is refused while one of the others still has the memory that they share.
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            match self.start_again() {
                Err(_) if Instant::now() < end => std::thread::sleep(Duration::from_millis(50)),
                started => return started,
            }
        }
    }

    fn control(&self, arguments: &[&str]) -> Result<()> {
        let folder = self.folder.path();
        let options = format!(
            "-p {} -k {} -c listen_addresses=127.0.0.1",
            self.port,
            folder.display()
        );
        succeed(
            self.program("pg_ctl")
                .arg("-D")
                .arg(folder.join("data"))
                .arg("-l")
                .arg(folder.join("log"))
                .args(["-w", "-o", &options])
                .args(arguments),
        )
    }

    /// PostgreSQL refuses to run as root, so root runs it as the user that its package made.
    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = match is_root() {
            false => Command::new(program),
            true => {
                let mut command = Command::new("runuser");
                command.args(["-u", "postgres", "--"]).arg(program);
                command
            }
        };
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Err(error) = self.control(&["-m", "immediate", "stop"]) {
            eprintln!("warning: PostgreSQL was not stopped: {error}");
        }
    }
}

/// The newest folder with the server's programs.
fn programs() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = folders.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    folders
        .filter(|folder| folder.join("initdb").is_file())
        .max()
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

fn succeed(command: &mut Command) -> Result<()> {
    let output = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .with_context(|| format!("{command:?}"))?;
    match output.success() {
        true => Ok(()),
        false => bail!("{command:?} ended with {output}"),
    }
}
