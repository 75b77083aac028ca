//! `vouchsafe demo`: issuer, verifier, shop and web wallet in one process, on
//! loopback, without phone, accounts or certificates to make.

mod browser;
mod headless;
mod report;
mod services;

use anyhow::Result;
use services::{Addresses, Running};

/// How the demo runs.
#[derive(Debug, clap::Args)]
pub struct DemoOptions {
    /// Play the story with the built-in wallet and say what was proven.
    #[arg(long)]
    headless: bool,
    /// One JSON object per line on standard output.
    #[arg(long)]
    json: bool,
    /// The shop's port; the others follow. 0 takes free ones.
    #[arg(long, env = "VOUCHSAFE_DEMO_PORT", default_value_t = 8700)]
    port: u16,
    /// What is written to standard error while it runs: `warn`, `info`, `debug`.
    #[arg(long, default_value = "warn")]
    log: String,
}

/// Runs the demo until it is asked to stop, or plays the story once.
pub async fn run(options: DemoOptions) -> Result<()> {
    let DemoOptions {
        headless,
        json,
        port,
        log,
    } = options;
    let addresses = Addresses::choose(if headless { 0 } else { port })?;
    let running = Running::start(addresses, &log).await?;
    if headless {
        let outcome = headless::play(&running, json).await;
        running.stop().await?;
        return outcome;
    }
    announce(&running, json);
    running.until_asked_to_stop().await
}

#[expect(
    clippy::print_stdout,
    reason = "the addresses are this command's result"
)]
fn announce(running: &Running, json: bool) {
    let Addresses {
        shop,
        verifier,
        issuer,
        wallet,
    } = &running.addresses;
    if json {
        let line = serde_json::json!({ "shop": shop, "wallet": wallet, "verifier": verifier, "issuer": issuer, "issuer_api_key": running.api_key, "console": running.console });
        println!("{line}");
        return;
    }
    println!("The demo is running on this machine alone. Nothing is kept when it ends.");
    println!();
    println!("  shop              {shop}    start here: \"Get one at the club\", then come back");
    println!("  wallet            {wallet}    your cards, and who saw what");
    println!("  sign-in service   {verifier}/account    what you agreed to");
    println!("  issuer            {issuer}/docs    the club's REST interface");
    println!(
        "  console           {}    offers and cards at the club; the link works once",
        running.console
    );
    println!();
    println!(
        "Press Ctrl-C to end it. `vouchsafe demo --headless` plays the story without a browser."
    );
}
