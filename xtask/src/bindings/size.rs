//! `cargo xtask bindings --size`: the library as a phone gets it (performance.md, P18).

use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::run::{cargo, root, succeed, target};
use crate::setup::on_path;

/// The processor of phones.
const PHONE: &str = "aarch64-unknown-linux-gnu";
const LINKER: &str = "aarch64-linux-gnu-gcc";
const STRIP: &str = "aarch64-linux-gnu-strip";
/// A change may make it so much larger, in percent.
const SLACK: u64 = 2;

/// `mobile-bindings/size.toml`: the bytes of the last library that was agreed to.
#[derive(Deserialize)]
struct Budget {
    aarch64: u64,
}

pub fn run() -> Result<()> {
    if !on_path(LINKER) {
        bail!("to build for a phone takes the Debian package gcc-aarch64-linux-gnu");
    }
    let installed =
        crate::run::output(Command::new("rustup").args(["target", "list", "--installed"]))?;
    if !installed.lines().any(|line| line == PHONE) {
        succeed(Command::new("rustup").args(["target", "add", PHONE]))?;
    }
    let mut build = cargo(&["build", "--profile", "phone", "--target", PHONE]);
    build.args(["-p", "vouchsafe-mobile-bindings"]);
    build.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", LINKER);
    succeed(&mut build)?;
    let folder = target().join(PHONE).join("phone");
    let (built, stripped) = (
        folder.join("libvouchsafe_mobile_bindings.so"),
        folder.join("stripped.so"),
    );
    let mut strip = Command::new(STRIP);
    succeed(
        strip
            .arg("--strip-all")
            .arg("-o")
            .arg(&stripped)
            .arg(&built),
    )?;
    let bytes = std::fs::metadata(&stripped)?.len();
    let text = std::fs::read_to_string(root().join("mobile-bindings/size.toml"))?;
    let Budget { aarch64 } = toml::from_str(&text).context("mobile-bindings/size.toml")?;
    println!("{bytes} bytes for aarch64, stripped; the budget is {aarch64}");
    if is_above(bytes, aarch64) {
        bail!(
            "more than {SLACK} % above its budget: make it smaller, or agree to the new size in mobile-bindings/size.toml"
        );
    }
    Ok(())
}

fn is_above(bytes: u64, budget: u64) -> bool {
    bytes * 100 > budget * (100 + SLACK)
}

#[cfg(test)]
mod tests {
    use super::is_above;

    #[test]
    fn two_percent_are_let_pass_and_no_more() {
        assert!(!is_above(1_020_000, 1_000_000));
        assert!(is_above(1_020_001, 1_000_000));
        assert!(!is_above(10, 1_000_000));
    }
}
