//! Programs that we did not write, on Node and on the JVM, driven line by line.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// How long a program may think about a line: some lines stand for a dozen pages, on machines
/// with other work.
const PATIENCE: Duration = Duration::from_secs(300);

/// The script `file` of `tests/peers`, where node's `package` is there. `VOUCHSAFE_PEERS=1`
/// requires it.
///
/// # Panics
/// Where it is required and missing.
#[must_use]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
pub fn script(package: &str, file: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    if folder.join("node_modules").join(package).is_dir() {
        return Some(folder.join(file));
    }
    let required = std::env::var("VOUCHSAFE_PEERS").is_ok_and(|value| value == "1");
    assert!(!required, "run `npm ci` in {}", folder.display());
    eprintln!("skipped: {package} (run `npm ci` in {})", folder.display());
    None
}

/// What `cargo xtask setup` compiled, fetched or installed: a path below the root of the sources, or
/// an absolute one. `None`, and a line that says so, where it is not there.
#[must_use]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
pub fn built(path: impl AsRef<Path>) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = root.join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!(
        "skipped: there is no {} (cargo xtask setup)",
        path.display()
    );
    None
}

/// The wallet on the EU's library, where `cargo xtask setup` compiled it with Maven.
#[must_use]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
pub fn eudi_wallet() -> Option<Command> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/eudi/target");
    let Ok(classes) = std::fs::read_to_string(target.join("classpath.txt")) else {
        eprintln!("skipped: eudi-lib-jvm-openid4vci-kt (run `cargo xtask setup` with Maven)");
        return None;
    };
    let classes = format!("{}:{}", target.join("classes").display(), classes.trim());
    let mut command = Command::new("java");
    command.args(["-cp", &classes, "WalletKt"]);
    Some(command)
}

/// A running program. It ends when this is dropped.
#[derive(Debug)]
pub struct Peer {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    /// Starts a script with these variables.
    pub fn start(script: &Path, environment: &[(&str, &str)]) -> Result<Self> {
        let mut command = Command::new("node");
        command.arg(script);
        Self::run(command, environment)
    }

    /// Starts a program with these variables.
    pub fn run(mut command: Command, environment: &[(&str, &str)]) -> Result<Self> {
        let mut child = command
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let input = child.stdin.take().context("no input")?;
        let output = BufReader::new(child.stdout.take().context("no output")?).lines();
        Ok(Self {
            child,
            input,
            output,
        })
    }

    /// The next line that it prints, as JSON.
    pub async fn says(&mut self) -> Result<Value> {
        let line = tokio::time::timeout(PATIENCE, self.output.next_line())
            .await
            .context("the peer says nothing")??
            .context("the peer ended")?;
        Ok(serde_json::from_str(&line)?)
    }

    /// Gives it a line to read.
    pub async fn hears(&mut self, line: &str) -> Result<()> {
        self.input.write_all(line.as_bytes()).await?;
        Ok(self.input.write_all(b"\n").await?)
    }

    /// Whether it ends well, and soon.
    pub async fn ends_well(&mut self) -> Result<bool> {
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await??;
        Ok(status.success())
    }
}
