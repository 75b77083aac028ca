//! `vouchsafe issuer audit`: the chain of the audit log.

use std::path::Path;

use anyhow::{Context, Result, bail};
use vouchsafe_issuer::Issuer;
use vouchsafe_service::audit::{Broken, Head};

use crate::serve::load_issuer;

/// Reads the whole log. Prints its end, to be kept somewhere else.
#[expect(
    clippy::print_stdout,
    reason = "the end of the log is this command's result"
)]
pub async fn verify(file: &Path, since: Option<&str>) -> Result<()> {
    let known = since
        .map(|text| Head::parse(text).context("`--since` is not the end of a log, NUMBER:HASH"))
        .transpose()?;
    let issuer = Issuer::open(load_issuer(file)?, vouchsafe_issuer::Ports::system()).await?;
    let checked = issuer.verify_audit(known.as_ref()).await?;
    issuer.close().await;
    match checked {
        Ok(head) => {
            println!("{head}");
            Ok(())
        }
        Err(Broken::Changed(seq)) => bail!("the audit log was changed at event {seq}"),
        Err(Broken::Missing(seq)) => bail!("event {seq} is missing from the audit log"),
    }
}
