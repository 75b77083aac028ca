//! Who may use whom (ARCHITECTURE.md), read from `cargo metadata`.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

use crate::run::{cargo, output, root};

/// What each of our packages may depend on. Tests and tools may use all.
const ALLOWED: &[(&str, &[&str])] = &[
    ("vouchsafe-credentials", &[]),
    ("vouchsafe-credentials-jsonld", &["vouchsafe-credentials"]),
    ("vouchsafe-protocol", &["vouchsafe-credentials"]),
    (
        "vouchsafe-wallet-core",
        &[
            "vouchsafe-credentials",
            "vouchsafe-credentials-jsonld",
            "vouchsafe-protocol",
        ],
    ),
    ("vouchsafe-mobile-bindings", WALLET),
    ("vouchsafe-bindgen", &[]),
    (
        "vouchsafe-service",
        &[
            "vouchsafe-credentials",
            "vouchsafe-credentials-jsonld",
            "vouchsafe-protocol",
        ],
    ),
    ("vouchsafe-pages", &[]),
    ("vouchsafe-issuer", SERVICE),
    ("vouchsafe-verifier", SERVICE),
    (
        "vouchsafe-shop",
        &[
            "vouchsafe-credentials",
            "vouchsafe-service",
            "vouchsafe-pages",
        ],
    ),
    (
        "vouchsafe-cli",
        &[
            "vouchsafe-credentials",
            "vouchsafe-credentials-jsonld",
            "vouchsafe-protocol",
            "vouchsafe-service",
            "vouchsafe-pages",
            "vouchsafe-issuer",
            "vouchsafe-verifier",
            "vouchsafe-wallet-core",
            "vouchsafe-shop",
        ],
    ),
    ("xtask", &[]),
];

/// The bindings add no rules of their own; they name types of the crates below.
const WALLET: &[&str] = &[
    "vouchsafe-credentials",
    "vouchsafe-protocol",
    "vouchsafe-wallet-core",
];

const SERVICE: &[&str] = &[
    "vouchsafe-credentials",
    "vouchsafe-credentials-jsonld",
    "vouchsafe-protocol",
    "vouchsafe-service",
    "vouchsafe-pages",
];

/// Packages that may use everything: they test and measure the others.
const FREE: &[&str] = &[
    "vouchsafe-tests",
    "vouchsafe-bench",
    "vouchsafe-oracles",
    "vouchsafe-vectors",
];

/// What must build for a phone, with default features, and without what.
const PURE: &[&str] = &[
    "vouchsafe-credentials",
    "vouchsafe-credentials-jsonld",
    "vouchsafe-protocol",
    "vouchsafe-wallet-core",
];
const IMPURE: &[&str] = &[
    "tokio",
    "ssi",
    "josekit",
    "openssl",
    "openssl-sys",
    "sqlx",
    "sqlx-core",
    "axum",
    "hyper",
    "reqwest",
    "aws-lc-rs",
];

/// Crates that only one package may name: the database drivers (as features
/// of `sqlx`) and whatever makes an outbound request.
const ONLY_SERVICE: &[&str] = &["reqwest", "josekit"];
const DRIVERS: &[&str] = &["sqlite", "postgres", "mysql", "any"];

/// Every breach, one line each.
pub fn findings() -> Result<Vec<String>> {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .context("cargo metadata")?;
    let mut findings = directions(&metadata);
    for package in PURE {
        findings.extend(impurities(package)?);
    }
    Ok(findings)
}

fn directions(metadata: &Metadata) -> Vec<String> {
    let ours: BTreeSet<&str> = metadata
        .packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    metadata
        .packages
        .iter()
        .filter(|package| !FREE.contains(&package.name.as_str()))
        .flat_map(|package| breaches(package, &ours))
        .collect()
}

fn breaches(package: &Package, ours: &BTreeSet<&str>) -> Vec<String> {
    let name = package.name.as_str();
    let Some((_, allowed)) = ALLOWED.iter().find(|(ours, _)| *ours == name) else {
        return vec![format!(
            "{name}: not named in xtask/src/check/directions.rs"
        )];
    };
    let mut findings = Vec::new();
    for dependency in package
        .dependencies
        .iter()
        .filter(|d| d.kind == DependencyKind::Normal)
    {
        let used = dependency.name.as_str();
        if ours.contains(used) && !allowed.contains(&used) {
            findings.push(format!("{name} must not use {used}"));
        }
        if name == "vouchsafe-service" {
            continue;
        }
        if ONLY_SERVICE.contains(&used) {
            findings.push(format!(
                "{name} must not use {used}: only vouchsafe-service does"
            ));
        }
        let driver = dependency
            .features
            .iter()
            .any(|feature| DRIVERS.contains(&feature.as_str()));
        if used == "sqlx" && driver {
            findings.push(format!(
                "{name} must not name a database driver: only vouchsafe-service does"
            ));
        }
    }
    findings
}

/// `cargo tree` of one package resolves its features alone, as a build for a
/// phone would.
fn impurities(package: &str) -> Result<Vec<String>> {
    let tree = output(&mut cargo(&[
        "tree", "-p", package, "--edges", "normal", "--prefix", "none", "--format", "{p}",
    ]))?;
    let names: BTreeSet<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    Ok(IMPURE
        .iter()
        .filter(|impure| names.contains(**impure))
        .map(|impure| format!("{package} must build for a phone, but uses {impure}"))
        .collect())
}
