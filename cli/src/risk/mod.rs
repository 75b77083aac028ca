//! `vouchsafe risk`: what the login service thinks of a login, and where its thresholds lie.

mod eval;
mod tune;

use anyhow::Result;
use clap::Subcommand;

pub use eval::EvalOptions;
pub use tune::TuneOptions;

/// What `vouchsafe risk` can do.
#[derive(Debug, Subcommand)]
pub enum RiskCommand {
    /// Score a login against a history, both from files.
    Eval(EvalOptions),
    /// Find thresholds in the logins that a login service has counted.
    Tune(TuneOptions),
}

/// Does it.
pub async fn run(command: &RiskCommand) -> Result<()> {
    match command {
        RiskCommand::Eval(options) => eval::run(options),
        RiskCommand::Tune(options) => tune::run(options).await,
    }
}
