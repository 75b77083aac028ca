//! Talking to the person at the terminal: questions to stderr, data to stdout.

use std::io::{self, BufRead, IsTerminal, Write};
use std::process::Command;

use anyhow::{Context, bail};
use serde::Serialize;

/// The passphrase from `VOUCHSAFE_PASSPHRASE`, or typed without echo.
pub fn passphrase() -> anyhow::Result<String> {
    secret("VOUCHSAFE_PASSPHRASE", "Passphrase: ")
}

/// A secret from the environment, or typed without echo.
pub fn secret(variable: &str, question: &str) -> anyhow::Result<String> {
    if let Ok(secret) = std::env::var(variable) {
        return Ok(secret);
    }
    if !io::stdin().is_terminal() {
        bail!("no passphrase (hint: set {variable} or run on a terminal)");
    }
    // Where `stty` is missing the passphrase is visible while it is typed.
    let _ = Command::new("stty").arg("-echo").status();
    let typed = ask(question);
    let _ = Command::new("stty").arg("echo").status();
    eprintln!();
    typed
}

/// As [`secret`], typed twice: nobody sees what is typed, and a slip would lock the person out.
pub fn new_secret(variable: &str, question: &str) -> anyhow::Result<String> {
    let typed = secret(variable, question)?;
    if std::env::var_os(variable).is_none() && secret(variable, "Once more: ")? != typed {
        bail!("the two differ");
    }
    Ok(typed)
}

/// Asks for one line.
pub fn ask(question: &str) -> anyhow::Result<String> {
    eprint!("{question}");
    io::stderr().flush()?;
    let mut line = String::new();
    let read = io::stdin()
        .lock()
        .read_line(&mut line)
        .context("cannot read the answer")?;
    if read == 0 {
        bail!("no answer came");
    }
    Ok(line.trim().to_owned())
}

/// Asks a question to be answered with yes; anything else is no.
pub fn yes(question: &str) -> anyhow::Result<bool> {
    let answer = ask(&format!("{question} [y/N] "))?;
    Ok(matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// One line of data.
pub fn say(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(io::stdout().lock(), "{line}")?)
}

/// Data for scripts.
pub fn say_json(value: &impl Serialize) -> anyhow::Result<()> {
    say(&serde_json::to_string_pretty(value)?)
}
