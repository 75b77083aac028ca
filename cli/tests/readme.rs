//! The commands of README.md do what it says, word for word, in an empty folder.

#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::path::Path;
use std::process::Command;

const README: &str = include_str!("../../README.md");

/// The terminal sessions of a section.
fn sessions(section: &str) -> Vec<&str> {
    let (_, rest) = README.split_once(section).unwrap();
    let rest = rest.split("\n## ").next().unwrap();
    let blocks = rest.split("```console\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap())
        .collect()
}

/// The commands of a session, and what is said to them.
fn take_apart(session: &str) -> (String, String) {
    let (mut commands, mut said) = (String::new(), String::new());
    let mut lines = session.lines();
    while let Some(line) = lines.next() {
        let Some(command) = line.strip_prefix("$ ") else {
            said.push_str(line);
            said.push('\n');
            continue;
        };
        // The place of the program is another one here.
        if !command.starts_with("export PATH=") {
            commands.push_str(command);
            commands.push('\n');
        }
        if command.contains("<<END") || command.contains("<<'END'") {
            for line in lines.by_ref() {
                commands.push_str(line);
                commands.push('\n');
                if line == "END" {
                    break;
                }
            }
        }
    }
    (commands, said)
}

/// Every key is another one.
fn without_keys(text: &str) -> String {
    let mut parts = text.split("did:key:");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |text, part| {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
        text + "did:key:…" + rest
    })
}

#[test]
fn credentials_by_command() {
    let folder = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_vouchsafe"));
    let own = std::env::var("PATH").unwrap();
    let path = format!("{}:{own}", program.parent().unwrap().display());
    let sessions = sessions("## Credentials by command and over HTTP");
    // Services have ports of their own; other tests start them.
    let offline = sessions.iter().filter(|one| !one.contains(" serve "));
    let (commands, said): (Vec<_>, Vec<_>) = offline.map(|one| take_apart(one)).unzip();
    assert_eq!(commands.len(), 3);
    let output = Command::new("bash")
        .args(["-c", &format!("exec 2>&1\n{}", commands.concat())])
        .env("PATH", path)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    assert_eq!(without_keys(&output), without_keys(&said.concat()));
}
