//! `vouchsafe verifier key`: the keys that sign for applications.

use std::path::Path;

use anyhow::Result;
use serde_json::Value;

use super::registered::open;
use crate::credential::output;

/// Public keys, one in a line.
pub async fn list(file: &Path) -> Result<()> {
    let verifier = open(file).await?;
    let keys = verifier.signing_keys();
    verifier.close().await;
    for key in keys {
        output::line(&Value::Object(key).to_string())?;
    }
    Ok(())
}
