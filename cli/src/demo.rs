//! `vouchsafe demo`: issuer, verifier, shop and web wallet in one process, without phone, accounts
//! or certificates to make: on loopback, or where phones reach it (`--lan`, `--public-url`).

mod abroad;
mod announce;
mod authority;
mod browser;
mod headless;
mod played;
mod reach;
mod report;
mod services;
mod traffic;
mod wallet;

use std::sync::Arc;

use anyhow::Result;
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::config::PublicUrl;

use announce::announce;
use reach::Reach;
use services::Running;

/// How the demo runs.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct DemoOptions {
    #[command(subcommand)]
    play: Option<Play>,
    /// Play the story with the built-in wallet and say what was proven.
    #[arg(long, conflicts_with_all = ["lan", "public_url"])]
    headless: bool,
    /// One JSON object per line on standard output.
    #[arg(long)]
    json: bool,
    /// The shop's port; the others follow. 0 takes free ones.
    #[arg(long, env = "VOUCHSAFE_DEMO_PORT", default_value_t = 8700)]
    port: u16,
    /// Let phones in this network take part, over https with a certificate made on the spot.
    /// Takes the address of this machine where it has several: --lan=192.168.1.5.
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, require_equals = true, default_missing_value = reach::AUTOMATIC, conflicts_with = "public_url")]
    lan: Option<String>,
    /// The https address of a proxy in front of the demo. Where it is that of demo.example, that name leads to
    /// the shop, and login.demo.example, club.demo.example and wallet.demo.example to the others.
    #[arg(long, value_name = "URL")]
    public_url: Option<PublicUrl>,
    /// What is written to standard error while it runs: `warn`, `info`, `debug`.
    #[arg(long, default_value = "warn")]
    log: String,
}

/// What else the demo plays.
#[derive(Debug, clap::Subcommand)]
enum Play {
    /// Play logins whose outcomes are known, in a demo without a screen that has a clock of its own, and compare every
    /// number of the login service with what it must be.
    Traffic(traffic::TrafficOptions),
}

/// Runs the demo until it is asked to stop, or plays the story once.
pub async fn run(options: DemoOptions) -> Result<()> {
    let DemoOptions {
        play,
        headless,
        json,
        port,
        lan,
        public_url,
        log,
    } = options;
    if let Some(Play::Traffic(options)) = play {
        return traffic::run(&options).await;
    }
    let reach = Reach::parse(lan.as_deref(), public_url.as_ref())?;
    let addresses = reach.addresses(if headless { 0 } else { port })?;
    let running = Running::start(reach, addresses, &log, Arc::new(SystemClock)).await?;
    if headless {
        let outcome = headless::play(&running, json).await;
        running.stop().await?;
        return outcome;
    }
    announce(&running, json);
    running.until_asked_to_stop().await
}
