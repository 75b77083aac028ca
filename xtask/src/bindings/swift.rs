//! Swift on Linux. There is no Swift for every machine: the toolchain is Debian's, in a folder of its
//! own, and what it makes is started with the libraries of that folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{folder, generate, launcher, library, sources, stamp};
use crate::run::{root, succeed};
use crate::setup::{is_root, on_path};

/// The Debian that has `swiftlang`.
const SUITE: &str = "trixie";
const MIRROR: &str = "http://deb.debian.org/debian";
/// What the compiler needs beside itself.
const PACKAGES: &str = "swiftlang,libc6-dev,libstdc++-14-dev";

/// The folder of the toolchain: `VOUCHSAFE_SWIFT`, or the one that [`fetch`] fills.
fn toolchain() -> PathBuf {
    std::env::var_os("VOUCHSAFE_SWIFT")
        .map_or_else(|| PathBuf::from("/var/tmp/vouchsafe-swift"), PathBuf::from)
}

/// Fills the folder of the toolchain, about 3 GB.
pub fn fetch() -> Result<()> {
    let to = toolchain();
    if to.join("usr/bin/swiftc").exists() {
        return Ok(());
    }
    if !is_root() || !on_path("debootstrap") {
        bail!("to fetch Swift takes root and the Debian package debootstrap");
    }
    let include = format!("--include={PACKAGES}");
    let mut debootstrap = Command::new("debootstrap");
    debootstrap.args(["--variant=minbase", &include, SUITE]);
    succeed(debootstrap.arg(&to).arg(MIRROR))
}

/// Compiles everything once per version of its sources. `false`: there is no compiler.
pub fn make() -> Result<bool> {
    let root_of_swift = toolchain();
    if !root_of_swift.join("usr/bin/swiftc").exists() || !is_root() {
        eprintln!("left out: Swift (cargo xtask bindings --fetch-swift, as root)");
        return Ok(false);
    }
    let written = root().join("mobile-bindings/swift");
    let generated = generate("swift")?;
    let mut bridge = sources(&generated, "swift")?;
    bridge.extend(sources(&written.join("Sources/VouchsafeWallet"), "swift")?);
    let mut rest = sources(&written.join("Sources/Contract"), "swift")?;
    rest.extend(sources(&written.join("Sources/Driver"), "swift")?);
    rest.extend(sources(
        &root().join("examples/wallets/swift/Core"),
        "swift",
    )?);
    let all = [bridge.clone(), rest.clone()].concat();
    let (made, marker) = (stamp(&all)?, folder("swift").join(".source"));
    // What is behind the same bridge may have changed.
    let beside = folder("swift").join("libvouchsafe_mobile_bindings.so");
    std::fs::copy(library(), beside)?;
    if std::fs::read(&marker).is_ok_and(|before| before == made) {
        return Ok(true);
    }
    compile(&root_of_swift, &generated, &bridge, &rest)?;
    launch(&root_of_swift)?;
    std::fs::write(marker, made)?;
    Ok(true)
}

/// The module, then the program over it, inside the folder of the toolchain.
fn compile(swift: &Path, generated: &Path, bridge: &[PathBuf], rest: &[PathBuf]) -> Result<()> {
    let output = folder("swift");
    // The generated files name the module of the C side as the compiler wants it.
    let map = generated.join("VouchsafeWalletFFI.modulemap");
    std::fs::rename(&map, generated.join("module.modulemap")).context("no module map")?;
    let paths = |files: &[PathBuf]| {
        let quoted = files.iter().map(|file| format!("'{}'", file.display()));
        quoted.collect::<Vec<_>>().join(" ")
    };
    let (out, headers) = (output.display(), generated.display());
    let flags = format!("-I '{headers}' -I '{out}' -L '{out}' -suppress-warnings");
    let module = format!(
        "swiftc {flags} -emit-library -emit-module -module-name VouchsafeWallet -emit-module-path '{out}/VouchsafeWallet.swiftmodule' -o '{out}/libVouchsafeWallet.so' {} -lvouchsafe_mobile_bindings",
        paths(bridge)
    );
    let program = format!(
        "swiftc {flags} -module-name Driver -o '{out}/driver' {} -lVouchsafeWallet -lvouchsafe_mobile_bindings",
        paths(rest)
    );
    // In a mount namespace of its own: nothing of it stays.
    let script = format!(
        "set -e; mkdir -p \"$0$1\"; mount --bind \"$1\" \"$0$1\"; mount -t proc proc \"$0/proc\"; exec chroot \"$0\" sh -ec \"{module}; {program}\""
    );
    let mut inside = Command::new("unshare");
    inside.args(["-m", "sh", "-c", &script]);
    succeed(inside.arg(swift).arg(root()))
}

/// Starts the program with the libraries that it was linked to.
fn launch(swift: &Path) -> Result<()> {
    let (root, out) = (swift.display(), folder("swift"));
    let libraries = format!(
        "{0}:{root}/usr/lib/x86_64-linux-gnu:{root}/lib/x86_64-linux-gnu:{root}/usr/libexec/swift/lib/swift/linux",
        out.display()
    );
    launcher(
        &out.join("wallet"),
        &format!(
            "exec {root}/usr/lib64/ld-linux-x86-64.so.2 --library-path {libraries} {}/driver \"$@\"",
            out.display()
        ),
    )
}
