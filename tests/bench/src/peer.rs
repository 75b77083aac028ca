//! A peer in a process of its own, which works for a slice when told to.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::slices::{Contender, Slice};

/// A program that reads `<operation> <milliseconds>` lines and answers with a
/// JSON line: `{"operations": 12, "cpu_us": 3456.7}`.
pub struct Peer {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// One operation of a peer, as a contender.
pub struct Operation<'a> {
    /// Who does it.
    pub peer: &'a mut Peer,
    /// Its name in the peer's script.
    pub name: &'static str,
}

#[derive(Deserialize)]
struct Answer {
    operations: u64,
    cpu_us: f64,
}

impl Peer {
    /// Starts a script of `tests/peers` under Node.js.
    pub fn node(script: &str) -> Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../peers");
        ensure!(
            folder.join("node_modules").is_dir(),
            "run `cargo xtask setup` first: tests/peers/node_modules is missing"
        );
        let mut child = Command::new("node")
            .arg(script)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start node")?;
        let input = child.stdin.take().context("no standard input")?;
        let output = BufReader::new(child.stdout.take().context("no standard output")?);
        Ok(Self {
            child,
            input,
            output,
        })
    }
}

impl Peer {
    /// Sends what it needs before the first operation, as one line.
    pub fn tell(&mut self, what: &serde_json::Value) -> Result<()> {
        writeln!(self.input, "{what}")?;
        Ok(self.input.flush()?)
    }
}

impl Contender for Operation<'_> {
    fn slice(&mut self, milliseconds: u64) -> Result<Slice> {
        writeln!(self.peer.input, "{} {milliseconds}", self.name)?;
        self.peer.input.flush()?;
        let mut line = String::new();
        self.peer.output.read_line(&mut line)?;
        let answer: Answer =
            serde_json::from_str(&line).with_context(|| format!("the peer said {line:?}"))?;
        Ok(Slice {
            operations: answer.operations,
            cpu_us: answer.cpu_us,
        })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The peer keeps nothing: it may be stopped at any time.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
