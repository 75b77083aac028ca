//! What an operator installs: units that systemd understands and that give away as little as possible.

use std::process::Command;

use anyhow::{Context, Result};

use crate::run::root;
use crate::setup::on_path;

const UNITS: [&str; 2] = ["vouchsafe-issuer.service", "vouchsafe-verifier.service"];
/// What `systemd-analyze security` may say at most, of 10: above it stands "OK" no more.
const MOST_EXPOSED: f64 = 1.5;
/// The program is not installed where the check runs.
const NOT_INSTALLED: &str = "is not executable";

/// Every breach, one line each.
pub fn findings() -> Result<Vec<String>> {
    let mut findings = image(&std::fs::read_to_string(root().join("Containerfile"))?);
    if !on_path("systemd-analyze") {
        println!("skipped: units of systemd (there is no systemd-analyze)");
        return Ok(findings);
    }
    for unit in UNITS {
        let path = root().join("packaging/systemd").join(unit);
        let path = path.to_str().context("a path that is not text")?;
        let said = analyze(&["verify", path])?;
        let wrong = said.lines().filter(|line| !line.contains(NOT_INSTALLED));
        findings.extend(wrong.map(|line| format!("{unit}: {line}")));
        let said = analyze(&["security", "--offline=true", "--no-pager", path])?;
        match exposure(&said) {
            Some(level) if level <= MOST_EXPOSED => {}
            Some(level) => findings.push(format!("{unit}: exposure {level}, not {MOST_EXPOSED}")),
            None => findings.push(format!("{unit}: systemd-analyze does not say the exposure")),
        }
    }
    Ok(findings)
}

fn analyze(arguments: &[&str]) -> Result<String> {
    let output = Command::new("systemd-analyze").args(arguments).output()?;
    let text = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// `→ Overall exposure level for vouchsafe-issuer.service: 1.1 OK 🙂`
fn exposure(said: &str) -> Option<f64> {
    let line = said
        .lines()
        .find(|line| line.contains("Overall exposure"))?;
    let level = line.rsplit_once(": ")?.1;
    level.split_whitespace().next()?.parse().ok()
}

/// The last stage of the image: no root, and a way to see that the service is ready.
fn image(text: &str) -> Vec<String> {
    let last = text.rsplit("\nFROM ").next().unwrap_or_default();
    let needs = ["USER 65532:65532", "HEALTHCHECK", "STOPSIGNAL SIGTERM"];
    let missing = needs.iter().filter(|line| !last.contains(**line));
    let mut findings: Vec<String> = missing
        .map(|line| format!("Containerfile: the last stage has no {line}"))
        .collect();
    if last.contains("\nRUN ") {
        findings.push("Containerfile: the last stage runs something, so it has a shell".to_owned());
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exposure_is_read() {
        let said = "✓ x\n\n→ Overall exposure level for a.service: 9.6 UNSAFE 😨\n";
        assert_eq!(exposure(said), Some(9.6));
        assert_eq!(exposure("nothing"), None);
    }

    #[test]
    fn an_image_with_a_shell_or_as_root_is_found() {
        let good = "FROM a AS b\nRUN x\n\nFROM c\nUSER 65532:65532\nSTOPSIGNAL SIGTERM\nHEALTHCHECK CMD [\"x\"]\n";
        assert!(image(good).is_empty());
        assert_eq!(image("FROM a AS b\n\nFROM c\nRUN x\n").len(), 4);
    }
}
