//! `vouchsafe verifier trace`: what the journey of a login did, by the reference of its page.

use anyhow::{Result, bail};
use vouchsafe_service::config::load;
use vouchsafe_verifier::{Config, Ports, Verifier};

use crate::ConfigFile;
use crate::credential::output;
use crate::serve::VERIFIER_ENVIRONMENT;

/// A login that somebody asks about.
#[derive(Debug, clap::Args)]
pub struct TraceOptions {
    #[command(flatten)]
    file: ConfigFile,
    /// The reference on the page of the login.
    reference: String,
}

/// Prints the rules that fired, in order. They hold no value of anything.
pub async fn run(options: &TraceOptions) -> Result<()> {
    let TraceOptions { file, reference } = options;
    let config: Config = load(Some(&file.verifier()?), VERIFIER_ENVIRONMENT)?;
    let verifier = Verifier::open(config, Ports::system()).await?;
    let traces = verifier.journey_traces(reference).await;
    verifier.close().await;
    let traces = traces?;
    if traces.is_empty() {
        bail!("no journey ended under this reference in the last week");
    }
    for trace in traces {
        let hash = trace.hash.get(..12).unwrap_or_default();
        let (journey, outcome) = (&trace.journey, &trace.outcome);
        output::line(&format!("{journey} ({hash}): {outcome}"))?;
        for line in &trace.lines {
            let then = line.then.as_deref().unwrap_or_default();
            output::line(&format!("  {}  {}  {then}", line.rule, line.what.word()))?;
        }
    }
    Ok(())
}
