//! The types of the TypeScript client are those of the description of the REST interface.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::run::root;
use crate::setup::on_path;

const TYPES: &str = "clients/typescript/issuer.d.ts";
const DESCRIPTION: &str = "../../specs/openapi/issuer.json";

/// Types that are not current. Without Node and its packages nothing is compared, and that is said.
pub fn findings() -> Result<Vec<String>> {
    let folder = root().join("tests/peers");
    let generator = folder.join("node_modules/openapi-typescript/bin/cli.js");
    if !on_path("node") || !generator.is_file() {
        println!("skipped: the types of the TypeScript client (`cargo xtask setup`)");
        return Ok(Vec::new());
    }
    let output = Command::new("node")
        .arg(generator)
        .arg(DESCRIPTION)
        .current_dir(&folder)
        .output()
        .context("openapi-typescript")?;
    if !output.status.success() {
        bail!(
            "openapi-typescript: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let committed = std::fs::read(root().join(TYPES)).context(TYPES)?;
    if committed == output.stdout {
        return Ok(Vec::new());
    }
    let how = format!(
        "{TYPES} is not current: `cd tests/peers && npx openapi-typescript {DESCRIPTION} -o ../../{TYPES}`"
    );
    Ok(vec![how])
}
