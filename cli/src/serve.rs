//! Running the services.

use std::net::TcpListener;
use std::path::Path;

use anyhow::{Context, Result, bail};
use axum::Router;
use vouchsafe_issuer::Issuer;
use vouchsafe_service::config::{HttpConfig, load};
use vouchsafe_service::http::{bind, serve};
use vouchsafe_service::shutdown::{self, Shutdown};
use vouchsafe_service::telemetry;
use vouchsafe_verifier::Verifier;

/// The prefix of environment variables that override the issuer's file.
pub const ISSUER_ENVIRONMENT: &str = "VOUCHSAFE_ISSUER_";
/// The prefix of environment variables that override the verifier's file.
pub const VERIFIER_ENVIRONMENT: &str = "VOUCHSAFE_VERIFIER_";

/// `vouchsafe issuer serve`.
pub async fn issuer(file: &Path) -> Result<()> {
    let config: vouchsafe_issuer::Config = load(Some(file), ISSUER_ENVIRONMENT)?;
    telemetry::init(&config.log)?;
    let http = config.http.clone();
    let issuer = Issuer::open(config, vouchsafe_issuer::Ports::system()).await?;
    let shutdown = on_signal();
    let background = {
        let (issuer, shutdown) = (issuer.clone(), shutdown.clone());
        tokio::spawn(async move { issuer.run_background(shutdown).await })
    };
    run("issuer", &http, issuer.router(), shutdown).await?;
    background.await.context("the background jobs failed")
}

/// `vouchsafe verifier serve`.
pub async fn verifier(file: &Path) -> Result<()> {
    let config: vouchsafe_verifier::Config = load(Some(file), VERIFIER_ENVIRONMENT)?;
    telemetry::init(&config.log)?;
    let http = config.http.clone();
    let verifier = Verifier::open(config, vouchsafe_verifier::Ports::system()).await?;
    let shutdown = on_signal();
    let background = {
        let (verifier, shutdown) = (verifier.clone(), shutdown.clone());
        tokio::spawn(async move { verifier.run_background(shutdown).await })
    };
    run("verifier", &http, verifier.router(), shutdown).await?;
    background.await.context("the background jobs failed")
}

/// `vouchsafe issuer api-key`: the key goes to standard output, once.
#[expect(clippy::print_stdout, reason = "the key is this command's result")]
pub async fn api_key(file: &Path, name: &str, scopes: Vec<String>) -> Result<()> {
    let config: vouchsafe_issuer::Config = load(Some(file), ISSUER_ENVIRONMENT)?;
    let issuer = Issuer::open(config, vouchsafe_issuer::Ports::system()).await?;
    let known = issuer.scopes();
    if let Some(unknown) = scopes.iter().find(|scope| !known.contains(scope)) {
        bail!(
            "there is no scope `{unknown}`; there are {}",
            known.join(", ")
        );
    }
    let key = match scopes.is_empty() {
        true => issuer.create_api_key(name).await?,
        false => issuer.create_api_key_for(name, scopes).await?,
    };
    println!("{key}");
    Ok(())
}

fn on_signal() -> Shutdown {
    let (trigger, shutdown) = shutdown::channel();
    tokio::spawn(shutdown::on_signal(trigger));
    shutdown
}

#[expect(clippy::print_stdout, reason = "scripts wait for this line")]
async fn run(name: &str, http: &HttpConfig, router: Router, shutdown: Shutdown) -> Result<()> {
    let tls = http.load_tls()?;
    let listener = bind(http.listen)?;
    if let Some(address) = http.metrics_listen {
        telemetry::install_metrics();
        let metrics = bind(address)?;
        let shutdown = shutdown.clone();
        tokio::spawn(serve(metrics, None, telemetry::metrics_router(), shutdown));
    }
    println!(
        "{name} listening on {} as {}",
        address_of(&listener)?,
        http.public_url
    );
    serve(listener, tls, router, shutdown).await?;
    Ok(())
}

fn address_of(listener: &TcpListener) -> Result<std::net::SocketAddr> {
    Ok(listener.local_addr()?)
}
