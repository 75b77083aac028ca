//! The supply chain: what may be built in, and the lints that parsers live under.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::run::{cargo, output, root};

/// A second way to the network, or a second TLS.
const SECOND_STACK: &[&str] = &[
    "actix-web",
    "attohttpc",
    "curl",
    "hyper-tls",
    "isahc",
    "minreq",
    "native-tls",
    "surf",
    "ureq",
];
/// Of these, what `ssi` brings along. Its feature is off in what is shipped, so
/// the lock file may name them and the program may not.
const ONLY_WITH_SSI: &[&str] = &["hyper-tls", "native-tls"];
/// What an exception of `deny.toml` starts with.
const DATE: &str = "20";

/// Every breach, one line each.
pub fn findings() -> Result<Vec<String>> {
    let read =
        |path: &str| std::fs::read_to_string(root().join(path)).with_context(|| path.to_owned());
    let mut findings = locked(&read("Cargo.lock")?)?;
    findings.extend(shipped()?);
    findings.extend(exceptions(&read("deny.toml")?)?);
    let workspace = read("Cargo.toml")?;
    if !forbids_unsafe(&workspace)? {
        findings.push("Cargo.toml: unsafe_code is not forbidden".to_owned());
    }
    for member in members(&workspace)? {
        let path = format!("{member}/Cargo.toml");
        findings.extend(manifest(&path, &read(&path)?)?);
    }
    findings.extend(workflows()?);
    Ok(findings)
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    source: Option<String>,
}

/// Nothing from a git repository or another registry, and no second stack.
fn locked(text: &str) -> Result<Vec<String>> {
    let Lock { package } = toml::from_str(text).context("Cargo.lock")?;
    let mut findings = Vec::new();
    for Locked { name, source } in package {
        let registry = "registry+https://github.com/rust-lang/crates.io-index";
        if source.as_deref().is_some_and(|source| source != registry) {
            findings.push(format!("{name} is not from the registry"));
        }
        let optional = ONLY_WITH_SSI.contains(&name.as_str());
        if SECOND_STACK.contains(&name.as_str()) && !optional {
            findings.push(format!("{name}: a second HTTP client or TLS"));
        }
    }
    Ok(findings)
}

/// The program as it is shipped has one HTTP client and one TLS.
fn shipped() -> Result<Vec<String>> {
    let tree = output(&mut cargo(&[
        "tree",
        "-p",
        "vouchsafe-cli",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]))?;
    let names: BTreeSet<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    Ok(SECOND_STACK
        .iter()
        .filter(|second| names.contains(**second))
        .map(|second| format!("{second}: a second HTTP client or TLS in the program"))
        .collect())
}

/// Each exception has a reason that says since when.
fn exceptions(text: &str) -> Result<Vec<String>> {
    let deny: toml::Table = toml::from_str(text).context("deny.toml")?;
    let ignored = deny.get("advisories").and_then(|table| table.get("ignore"));
    let ignored = ignored
        .and_then(toml::Value::as_array)
        .cloned()
        .unwrap_or_default();
    let undated = |entry: &toml::Value| {
        let reason = entry.get("reason").and_then(toml::Value::as_str);
        !reason.is_some_and(|reason| {
            let date = reason.split(':').next().unwrap_or_default();
            date.len() == 10 && date.starts_with(DATE) && date.matches('-').count() == 2
        })
    };
    let undated = ignored.iter().filter(|entry| undated(entry));
    Ok(undated
        .map(|entry| format!("deny.toml: an exception without a date: {entry}"))
        .collect())
}

fn forbids_unsafe(workspace: &str) -> Result<bool> {
    let table: toml::Table = toml::from_str(workspace).context("Cargo.toml")?;
    let lint = table
        .get("workspace")
        .and_then(|t| t.get("lints")?.get("rust")?.get("unsafe_code")?.as_str());
    Ok(lint == Some("forbid"))
}

fn members(workspace: &str) -> Result<Vec<String>> {
    let table: toml::Table = toml::from_str(workspace).context("Cargo.toml")?;
    let members = table
        .get("workspace")
        .and_then(|t| t.get("members")?.as_array());
    let names = members
        .into_iter()
        .flatten()
        .filter_map(toml::Value::as_str);
    Ok(names.map(str::to_owned).collect())
}

/// Lints of the workspace hold in every crate. The bridge to Kotlin and Swift is generated code:
/// it alone allows what its generator writes, and nothing of its own (`mobile-bindings`).
fn manifest(path: &str, text: &str) -> Result<Vec<String>> {
    let table: toml::Table = toml::from_str(text).with_context(|| path.to_owned())?;
    let mut findings = Vec::new();
    let lints = table.get("lints");
    let inherits = lints.and_then(|lints| lints.get("workspace")?.as_bool()) == Some(true);
    let names_its_own = lints
        .and_then(|lints| lints.get("rust")?.get("unsafe_code"))
        .is_some();
    let bridge = path == "mobile-bindings/Cargo.toml";
    let excused = bridge && names_its_own;
    if !inherits && !excused {
        findings.push(format!("{path}: does not take the lints of the workspace"));
    }
    for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let dependencies = table.get(kind).and_then(toml::Value::as_table);
        for (name, entry) in dependencies.into_iter().flatten() {
            findings.extend(dependency(path, name, entry));
        }
    }
    Ok(findings)
}

fn dependency(path: &str, name: &str, entry: &toml::Value) -> Option<String> {
    let text = |key: &str| entry.get(key).and_then(toml::Value::as_str);
    let version = entry.as_str().or_else(|| text("version"));
    if entry.get("git").is_some() {
        return Some(format!("{path}: {name} is a git dependency"));
    }
    if version.is_some_and(|version| version.contains('*')) {
        return Some(format!("{path}: {name} has a wildcard version"));
    }
    // A crate may name itself, to switch features on for its tests.
    let elsewhere = text("path").is_some_and(|path| path != ".");
    elsewhere.then(|| format!("{path}: {name} has a path of its own; the workspace names it"))
}

/// Workflows: actions by hash, and no job of a fork beside a secret.
fn workflows() -> Result<Vec<String>> {
    let folder = root().join(".github/workflows");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut findings = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.display().to_string();
        findings.extend(workflow(&name, &std::fs::read_to_string(&path)?));
    }
    Ok(findings)
}

fn workflow(name: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let for_forks = text.contains("pull_request");
    if text.contains("pull_request_target") {
        findings.push(format!(
            "{name}: pull_request_target gives forks the secrets"
        ));
    }
    if for_forks && text.contains("secrets.") {
        findings.push(format!("{name}: secrets in a job of pull requests"));
    }
    for line in text.lines() {
        let Some((_, action)) = line.split_once("uses:") else {
            continue;
        };
        let action = action.split('#').next().unwrap_or_default().trim();
        let pin = action.rsplit_once('@').map_or("", |(_, pin)| pin);
        let by_hash = pin.len() == 40 && pin.bytes().all(|b| b.is_ascii_hexdigit());
        if !action.starts_with("./") && !by_hash {
            findings.push(format!("{name}: {action} is not pinned by its hash"));
        }
    }
    findings
}

/// Modules that read what strangers send. Here a panic, an index or an overflow is an error of
/// the lints, outside of tests.
const PARSERS: &[&str] = &[
    "crates/credentials/src/bitstring_status_list/mod.rs",
    "crates/credentials/src/cbor/mod.rs",
    "crates/credentials/src/cose/mod.rs",
    "crates/credentials/src/data_integrity/mod.rs",
    "crates/credentials/src/did/mod.rs",
    "crates/credentials/src/encoding.rs",
    "crates/credentials/src/jcs.rs",
    "crates/credentials/src/json/mod.rs",
    "crates/credentials/src/jwe/mod.rs",
    "crates/credentials/src/jwks.rs",
    "crates/credentials/src/jws/mod.rs",
    "crates/credentials/src/mdoc/mod.rs",
    "crates/credentials/src/multibase.rs",
    "crates/credentials/src/sd_jwt/mod.rs",
    "crates/credentials/src/sd_jwt_vc/mod.rs",
    "crates/credentials/src/status_list/mod.rs",
    "crates/credentials/src/text.rs",
    "crates/credentials/src/trust/mod.rs",
    "crates/credentials/src/type_metadata/mod.rs",
    "crates/credentials/src/vc_jose_cose/mod.rs",
    "crates/credentials/src/vcdm/mod.rs",
    "crates/credentials/src/x509/mod.rs",
];
const STRICT: &[&str] = &[
    "clippy::arithmetic_side_effects",
    "clippy::expect_used",
    "clippy::indexing_slicing",
    "clippy::panic",
    "clippy::string_slice",
    "clippy::unwrap_used",
];

/// Parsers that do not live under the strict lints.
pub fn parsers() -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for path in PARSERS {
        let text =
            std::fs::read_to_string(root().join(path)).with_context(|| (*path).to_owned())?;
        findings.extend(lenient(path, &text));
    }
    Ok(findings)
}

fn lenient(path: &str, text: &str) -> Vec<String> {
    let text: String = text.split_whitespace().collect();
    let denied = text
        .split_once("cfg_attr(not(test)")
        .and_then(|(_, rest)| rest.split_once(")]"))
        .map_or("", |(lints, _)| lints);
    let missing = STRICT.iter().filter(|lint| !denied.contains(*lint));
    missing
        .map(|lint| format!("{path}: does not deny {lint}"))
        .collect()
}

/// What `cargo deny check advisories` says. The database is a git repository on the web; where it
/// cannot be had that is said, and is no finding.
pub fn advisories() -> Result<Option<String>> {
    if output(&mut cargo(&["deny", "fetch", "db"])).is_err() {
        return Ok(Some(
            "not checked: advisories (the database cannot be reached)".to_owned(),
        ));
    }
    crate::run::succeed(&mut cargo(&["deny", "check", "advisories"]))?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cat_472_exceptions_are_dated() {
        let with = |reason: &str| {
            format!("[advisories]\nignore = [{{ id = \"RUSTSEC-1\", reason = \"{reason}\" }}]")
        };
        assert_eq!(
            exceptions(&with("2026-11-23: only verifies")).unwrap(),
            Vec::<String>::new()
        );
        for reason in ["", "later", "23.11.2026: no", "2026-11: no"] {
            assert_eq!(exceptions(&with(reason)).unwrap().len(), 1, "{reason}");
        }
        let bare = "[advisories]\nignore = [\"RUSTSEC-1\"]";
        assert_eq!(exceptions(bare).unwrap().len(), 1);
    }

    #[test]
    fn cat_473_what_may_be_built_in() {
        let lock = |name: &str, source: &str| {
            format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n{source}")
        };
        let registry = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
        assert!(locked(&lock("serde", registry)).unwrap().is_empty());
        assert!(locked(&lock("vouchsafe-cli", "")).unwrap().is_empty());
        for (name, source) in [
            ("serde", "source = \"git+https://example.com/serde\""),
            ("serde", "source = \"registry+https://example.com/index\""),
            ("ureq", registry),
            ("curl", registry),
        ] {
            assert_eq!(
                locked(&lock(name, source)).unwrap().len(),
                1,
                "{name} {source}"
            );
        }
        let lints = "[lints]\nworkspace = true\n[dependencies]\n";
        let judge = |line: &str| {
            manifest("x/Cargo.toml", &format!("{lints}{line}"))
                .unwrap()
                .len()
        };
        assert_eq!(judge("a.workspace = true"), 0);
        assert_eq!(judge("a = { path = \".\" }"), 0);
        for line in [
            "a = \"*\"",
            "a = { version = \"1.*\" }",
            "a = { git = \"https://a\" }",
            "a = { path = \"../a\" }",
        ] {
            assert_eq!(judge(line), 1, "{line}");
        }
    }

    #[test]
    fn cat_475_unsafe_is_forbidden_everywhere() {
        let workspace = |level: &str| format!("[workspace.lints.rust]\nunsafe_code = \"{level}\"");
        assert!(forbids_unsafe(&workspace("forbid")).unwrap());
        assert!(!forbids_unsafe(&workspace("deny")).unwrap());
        assert_eq!(manifest("x/Cargo.toml", "[package]").unwrap().len(), 1);
        assert_eq!(
            manifest("x/Cargo.toml", "[lints.rust]\nunsafe_code = \"allow\"")
                .unwrap()
                .len(),
            1
        );
        let bridge = "[lints.rust]\nunsafe_code = \"deny\"";
        assert!(
            manifest("mobile-bindings/Cargo.toml", bridge)
                .unwrap()
                .is_empty()
        );
        assert_eq!(manifest("mobile-bindings/Cargo.toml", "").unwrap().len(), 1);
    }

    #[test]
    fn cat_476_parsers_live_under_the_strict_lints() {
        let good = format!("#![cfg_attr(not(test), deny({}))]", STRICT.join(", "));
        assert!(lenient("x", &good).is_empty());
        assert_eq!(lenient("x", "").len(), STRICT.len());
        assert_eq!(lenient("x", &good.replace("clippy::panic, ", "")).len(), 1);
    }

    #[test]
    fn cat_481_workflows_keep_secrets_from_forks() {
        let hash = "0123456789abcdef0123456789abcdef01234567";
        let good =
            format!("on: pull_request\n- uses: actions/checkout@{hash} # v4\n- uses: ./local\n");
        assert!(workflow("x", &good).is_empty());
        for bad in [
            "on: pull_request_target",
            "on: pull_request\n env: ${{ secrets.TOKEN }}",
            "- uses: actions/checkout@v4",
            "- uses: actions/checkout",
        ] {
            assert!(!workflow("x", bad).is_empty(), "{bad}");
        }
    }

    #[test]
    fn this_repository_holds_the_rules() {
        assert_eq!(findings().unwrap(), Vec::<String>::new());
        assert_eq!(parsers().unwrap(), Vec::<String>::new());
    }
}
