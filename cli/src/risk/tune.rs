//! `vouchsafe risk tune`.

use anyhow::{Result, ensure};
use clap::ValueEnum;
use vouchsafe_service::config::load;
use vouchsafe_verifier::risk::experiment::{Attacker, Outcome, interval, play};
use vouchsafe_verifier::risk::levels::WARM_UP;
use vouchsafe_verifier::{Config, Ports, Verifier};

use crate::ConfigFile;
use crate::serve::VERIFIER_ENVIRONMENT;

/// Whom the thresholds are to catch.
#[derive(Debug, clap::Args)]
pub struct TuneOptions {
    #[command(flatten)]
    file: ConfigFile,
    /// The share of such attacks that is to be of level `high`.
    #[arg(long, default_value_t = 0.99, value_name = "SHARE")]
    target_tpr: f64,
    /// Who attacks.
    #[arg(long, value_enum, default_value_t = Strength::Vpn)]
    attacker: Strength,
    /// Seed of the attacks that are made up.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Strength {
    /// From another country, with a common browser.
    Naive,
    /// From the country of the victim, with a common browser.
    Vpn,
    /// From the network of the victim, with the same kind of browser.
    Targeted,
}

impl From<Strength> for Attacker {
    fn from(strength: Strength) -> Self {
        match strength {
            Strength::Naive => Self::Naive,
            Strength::Vpn => Self::Vpn,
            Strength::Targeted => Self::Targeted,
        }
    }
}

/// Attacks below which a share of one in a thousand says nothing.
const ENOUGH: usize = 300;

/// Plays the counted logins with attacks in between and prints `[risk.thresholds]`.
pub async fn run(options: &TuneOptions) -> Result<()> {
    let TuneOptions {
        file,
        target_tpr,
        attacker,
        seed,
    } = options;
    ensure!(
        *target_tpr > 0.5 && *target_tpr < 1.0,
        "--target-tpr is a share between 0.5 and 1, such as 0.99"
    );
    let path = file.verifier()?;
    let config: Config = load(Some(&path), VERIFIER_ENVIRONMENT)?;
    ensure!(
        config.risk.is_some(),
        "no logins are counted: {} has no [risk]",
        path.display()
    );
    let verifier = Verifier::open(config, Ports::system()).await?;
    let logins = verifier.counted_logins().await;
    verifier.close().await;
    let logins = logins?;
    let counted = logins.len();
    ensure!(
        counted as u64 >= WARM_UP,
        "{counted} logins are counted; thresholds need {WARM_UP}, and until then the rules speak alone"
    );
    let outcome = play(&logins, *seed);
    let attacks = outcome.attacks((*attacker).into());
    ensure!(
        attacks >= ENOUGH,
        "people log in too rarely: only {attacks} logins have one of the same account before them"
    );
    print(&outcome, (*attacker).into(), *target_tpr, counted)
}

#[expect(
    clippy::print_stdout,
    reason = "the thresholds are this command's result"
)]
fn print(outcome: &Outcome, attacker: Attacker, target: f64, counted: usize) -> Result<()> {
    let missed = 1.0 - target;
    println!("# {counted} logins; attacker: {}", attacker.name());
    println!("[risk.thresholds]");
    for (level, share) in [
        ("medium", 1.0 - missed / 2.0),
        ("high", target),
        ("critical", 1.0 - missed * 3.0),
    ] {
        let threshold = outcome.threshold(attacker, share);
        let threshold = threshold.ok_or_else(|| anyhow::anyhow!("no attacks were played"))?;
        let (asked, of) = outcome.false_positives(threshold);
        let (low, high) = interval(asked, of);
        println!(
            "{level} = {threshold:e} # {:.1} % of attacks; {:.2} % of the people's own logins (95 %: {:.2} to {:.2})",
            share * 100.0,
            asked * 100.0,
            low * 100.0,
            high * 100.0
        );
    }
    Ok(())
}
