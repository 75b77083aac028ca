//! Kotlin on the JVM: the generated code, the thin layer over it, the contracts and their driver.

use std::process::Command;

use anyhow::{Context, Result};

use super::{folder, generate, launcher, library, sources, stamp};
use crate::run::{root, succeed};

/// Compiles everything once per version of its sources. `false`: there is no compiler.
pub fn make() -> Result<bool> {
    let written = root().join("mobile-bindings/kotlin");
    let Ok(classpath) = std::fs::read_to_string(written.join("target/classpath.txt")) else {
        eprintln!("left out: Kotlin (cargo xtask setup, with Maven)");
        return Ok(false);
    };
    let mut all = sources(&generate("kotlin")?, "kt")?;
    for part in ["sdk", "contract", "jvm", "test"] {
        all.extend(sources(&written.join(part), "kt")?);
    }
    all.extend(sources(&root().join("examples/wallets/kotlin/core"), "kt")?);
    let (made, marker) = (stamp(&all)?, folder("kotlin").join(".source"));
    if std::fs::read(&marker).is_ok_and(|before| before == made) {
        return Ok(true);
    }
    let classes = folder("kotlin").join("classes");
    let mut compiler = Command::new("java");
    compiler
        .args(["-cp", classpath.trim()])
        .arg("org.jetbrains.kotlin.cli.jvm.K2JVMCompiler")
        .args(["-no-stdlib", "-no-reflect", "-nowarn", "-jvm-target", "17"])
        .args(["-cp", classpath.trim(), "-d"])
        .arg(&classes)
        .args(&all);
    succeed(&mut compiler)?;
    let libraries = library();
    let libraries = libraries.parent().context("the library has no folder")?;
    launcher(
        &folder("kotlin").join("wallet"),
        &format!(
            "exec java -Xshare:auto -XX:TieredStopAtLevel=1 -Djna.library.path={} -cp {}:{} org.vouchsafe.wallet.test.MainKt \"$@\"",
            libraries.display(),
            classes.display(),
            classpath.trim()
        ),
    )?;
    std::fs::write(marker, made)?;
    Ok(true)
}
