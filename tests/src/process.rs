//! Starting, killing and restarting the real programs.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// The longest that a service may take to say that it listens.
const START: Duration = Duration::from_secs(60);

/// What makes a process differ from an ordinary start.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    /// Shifts the wall clock by so many seconds, through libfaketime.
    pub clock_shift: Option<i64>,
    /// Further environment variables.
    pub environment: Vec<(String, String)>,
}

/// A running service and what it wrote.
#[derive(Debug)]
pub struct Process {
    program: PathBuf,
    arguments: Vec<String>,
    folder: PathBuf,
    conditions: Conditions,
    child: Option<Child>,
    log: Arc<Mutex<String>>,
}

/// The `vouchsafe` program that the tests drive.
pub fn program() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("VOUCHSAFE_PROGRAM") {
        return Ok(path.into());
    }
    let mut folder = std::env::current_exe()?;
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    let path = folder.join("vouchsafe");
    if !path.is_file() {
        bail!(
            "{} is missing: build it with `cargo build -p vouchsafe-cli`",
            path.display()
        );
    }
    Ok(path)
}

/// Runs a command of the program to its end and returns its standard output.
pub async fn run(arguments: &[&str], folder: &Path) -> Result<String> {
    let output = Command::new(program()?)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .await?;
    if !output.status.success() {
        bail!(
            "vouchsafe {arguments:?}: {}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}

impl Process {
    /// Starts `vouchsafe <arguments>` in `folder` and returns when it says on
    /// its standard output that it listens.
    pub async fn start(arguments: &[&str], folder: &Path, conditions: Conditions) -> Result<Self> {
        let mut process = Self {
            program: program()?,
            arguments: arguments
                .iter()
                .map(|argument| (*argument).to_owned())
                .collect(),
            folder: folder.to_owned(),
            conditions,
            child: None,
            log: Arc::default(),
        };
        process.launch().await?;
        Ok(process)
    }

    async fn launch(&mut self) -> Result<()> {
        let mut child = self
            .command()?
            .args(&self.arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the program")?;
        let errors = child.stderr.take().context("no standard error")?;
        let log = Arc::clone(&self.log);
        let reader = tokio::spawn(async move {
            let mut lines = BufReader::new(errors).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                log.push_str(&line);
                log.push('\n');
            }
        });
        let output = child.stdout.take().context("no standard output")?;
        let mut lines = BufReader::new(output).lines();
        let ready = async {
            while let Some(line) = lines.next_line().await? {
                if line.contains("listening") {
                    return Ok(());
                }
            }
            bail!("the program ended before it listened")
        };
        let ready = tokio::time::timeout(START, ready)
            .await
            .context("the program does not listen")?;
        self.child = Some(child);
        if ready.is_err() {
            // What it said last explains why.
            self.kill().await?;
            reader.await?;
        }
        ready.with_context(|| self.log())
    }

    fn command(&self) -> Result<Command> {
        let mut command = Command::new(&self.program);
        if let Some(seconds) = self.conditions.clock_shift {
            // Not by the `faketime` program: it would stand between us and
            // the process that is to be killed.
            command
                .env("LD_PRELOAD", faketime_library()?)
                .env("FAKETIME", format!("{seconds:+}s"))
                // Timers run on the monotonic clock, which nobody sets.
                .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        command.envs(
            self.conditions
                .environment
                .iter()
                .map(|(name, value)| (name, value)),
        );
        Ok(command)
    }

    /// `kill -9`: no chance to clean up.
    pub async fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill().await?;
        }
        Ok(())
    }

    /// Starts it again after a kill, on the same configuration.
    pub async fn restart(&mut self) -> Result<()> {
        self.kill().await?;
        self.launch().await
    }

    /// Starts it again under other conditions.
    pub async fn restart_under(&mut self, conditions: Conditions) -> Result<()> {
        self.conditions = conditions;
        self.restart().await
    }

    /// Asks it to stop (SIGTERM) and waits until it has.
    pub async fn stop(&mut self) -> Result<std::process::ExitStatus> {
        let mut child = self.child.take().context("not running")?;
        let id = child.id().context("ended already")?;
        let status = Command::new("kill")
            .arg("-TERM")
            .arg(id.to_string())
            .status()
            .await?;
        if !status.success() {
            bail!("kill ended with {status}");
        }
        tokio::time::timeout(Duration::from_secs(30), child.wait())
            .await
            .context("it does not stop")?
            .map_err(Into::into)
    }

    /// The process identifier, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// Everything it wrote to standard error so far, over all its starts.
    pub fn log(&self) -> String {
        self.log
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Debian and others keep it in a folder of the machine's kind.
fn faketime_library() -> Result<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib")?.filter_map(|entry| Some(entry.ok()?.path()));
    folders
        .map(|folder| folder.join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.is_file())
        .context("no libfaketime in /usr/lib: install the package faketime")
}

/// A port that was free a moment ago.
pub fn free_port(address: &str) -> Result<u16> {
    Ok(std::net::TcpListener::bind((address, 0))?
        .local_addr()?
        .port())
}
