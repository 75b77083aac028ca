//! `vouchsafe issuer audit`: the chain of the audit log.

use std::path::Path;

use anyhow::{Context, Result, bail};
use vouchsafe_issuer::Issuer;
use vouchsafe_service::audit::{Broken, Head};
use vouchsafe_service::config::load;

use crate::serve::ISSUER_ENVIRONMENT;

/// Reads the whole log. Prints its end, to be kept somewhere else.
#[expect(
    clippy::print_stdout,
    reason = "the end of the log is this command's result"
)]
pub async fn verify(file: &Path, since: Option<&str>) -> Result<()> {
    let known = since
        .map(|text| Head::parse(text).context("`--since` is not the end of a log, NUMBER:HASH"))
        .transpose()?;
    let config: vouchsafe_issuer::Config = load(Some(file), ISSUER_ENVIRONMENT)?;
    let issuer = Issuer::open(config, vouchsafe_issuer::Ports::system()).await?;
    match issuer.verify_audit(known.as_ref()).await? {
        Ok(head) => {
            println!("{head}");
            Ok(())
        }
        Err(Broken::Changed(seq)) => bail!("the audit log was changed at event {seq}"),
        Err(Broken::Missing(seq)) => bail!("event {seq} is missing from the audit log"),
    }
}
