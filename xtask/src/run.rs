//! Starting other programs.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// The root of the workspace.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map_or_else(|| PathBuf::from("."), PathBuf::from)
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// `cargo` in the root of the workspace.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// Runs a program to its end; anything but success is an error.
pub fn succeed(command: &mut Command) -> Result<()> {
    let name = describe(command);
    eprintln!("$ {name}");
    let status = command
        .status()
        .with_context(|| format!("cannot start {name}"))?;
    if !status.success() {
        bail!("{name} ended with {status}");
    }
    Ok(())
}

/// Runs a program, shows its standard output and hands over every line of it.
/// Returns whether it succeeded. One that says nothing for longer than `silence` hangs: it is ended,
/// with everything that it started.
pub fn observe(
    command: &mut Command,
    silence: Duration,
    mut line: impl FnMut(&str),
) -> Result<bool> {
    let name = describe(command);
    eprintln!("$ {name}");
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    let output = child.stdout.take().context("no standard output")?;
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        BufReader::new(output)
            .lines()
            .try_for_each(|text| sender.send(text))
    });
    let mut last = String::new();
    loop {
        match lines.recv_timeout(silence) {
            Ok(text) => last = text.context("standard output is not text")?,
            Err(RecvTimeoutError::Disconnected) => return Ok(child.wait()?.success()),
            Err(RecvTimeoutError::Timeout) => {
                end_with_descendants(child.id())?;
                child.wait()?;
                bail!(
                    "{name} said nothing for {} minutes and was ended; its last line: {last}",
                    silence.as_secs() / 60
                );
            }
        }
        println!("{last}");
        line(&last);
    }
}

/// Kills a process and whatever descends from it.
fn end_with_descendants(process: u32) -> Result<()> {
    let table = output(Command::new("ps").args(["-eo", "pid=,ppid="]))?;
    let pairs: Vec<(u32, u32)> = table
        .lines()
        .filter_map(|line| {
            let mut numbers = line.split_whitespace().map(str::parse);
            Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
        })
        .collect();
    let mut ended = vec![process];
    let mut next = 0;
    while let Some(&parent) = ended.get(next) {
        ended.extend(
            pairs
                .iter()
                .filter(|pair| pair.1 == parent)
                .map(|pair| pair.0),
        );
        next += 1;
    }
    let ids = ended.iter().map(u32::to_string);
    // Those that ended meanwhile are no failure.
    Command::new("kill").arg("-KILL").args(ids).status()?;
    Ok(())
}

/// The standard output of a program that must succeed.
pub fn output(command: &mut Command) -> Result<String> {
    let name = describe(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {name}"))?;
    if !output.status.success() {
        bail!("{name} ended with {}", output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_hangs_is_ended_with_everything_it_started() {
        let folder = std::env::temp_dir().join(format!("vouchsafe-observe-{}", std::process::id()));
        let file = folder.display();
        let script = format!("echo begun; sleep 600 & echo $! > {file}; wait");
        let mut seen = Vec::new();
        let error = observe(
            Command::new("sh").args(["-c", &script]),
            Duration::from_secs(1),
            |line| seen.push(line.to_owned()),
        )
        .unwrap_err();
        assert!(error.to_string().contains("last line: begun"), "{error}");
        assert_eq!(seen, ["begun"]);
        let child = std::fs::read_to_string(&folder).unwrap();
        std::fs::remove_file(&folder).unwrap();
        let state = Command::new("ps")
            .args(["-o", "stat=", "-p", child.trim()])
            .output()
            .unwrap();
        let state = String::from_utf8(state.stdout).unwrap();
        assert!(state.trim().is_empty() || state.starts_with('Z'), "{state}");
    }

    #[test]
    fn who_ends_is_not_waited_for() {
        let long = Duration::from_secs(60);
        let mut quick = Command::new("sh");
        assert!(observe(quick.args(["-c", "echo one"]), long, |_| {}).unwrap());
        assert!(!observe(Command::new("false").arg("x"), long, |_| {}).unwrap());
    }
}
