//! Running the services.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use anyhow::{Context, Result, bail};
use axum::Router;
use vouchsafe_issuer::house::{Hosted, HouseConfig};
use vouchsafe_issuer::{House, Issuer, Ports};
use vouchsafe_service::config::{HttpConfig, load};
use vouchsafe_service::http::{bind, serve};
use vouchsafe_service::shutdown::{self, Shutdown};
use vouchsafe_service::telemetry;
use vouchsafe_service::tls::TlsConfig;
use vouchsafe_verifier::Verifier;

/// The prefix of environment variables that override the issuer's file.
pub const ISSUER_ENVIRONMENT: &str = "VOUCHSAFE_ISSUER_";
/// The prefix of environment variables that override the verifier's file.
pub const VERIFIER_ENVIRONMENT: &str = "VOUCHSAFE_VERIFIER_";

/// What is listened on.
struct Listening {
    address: SocketAddr,
    metrics: Option<SocketAddr>,
    tls: Option<TlsConfig>,
    /// Public addresses.
    known_as: String,
}

impl Listening {
    fn of(http: &HttpConfig) -> Result<Self> {
        Ok(Self {
            address: http.listen,
            metrics: http.metrics_listen,
            tls: http.load_tls()?,
            known_as: http.public_url.to_string(),
        })
    }
}

/// `vouchsafe issuer serve`: one issuer, or all tenants of a file that names some.
pub async fn issuer(file: &Path) -> Result<()> {
    match Hosted::load(file, ISSUER_ENVIRONMENT)? {
        Hosted::One(config) => one_issuer(*config).await,
        Hosted::Several(config) => house(&config, file).await,
    }
}

/// The configuration of one issuer. A file that names tenants is none.
pub fn load_issuer(file: &Path) -> Result<vouchsafe_issuer::Config> {
    match Hosted::load(file, ISSUER_ENVIRONMENT)? {
        Hosted::One(config) => Ok(*config),
        Hosted::Several(_) => bail!(
            "{} names tenants: name the configuration of one of them",
            file.display()
        ),
    }
}

async fn one_issuer(config: vouchsafe_issuer::Config) -> Result<()> {
    telemetry::init(&config.log)?;
    let listening = Listening::of(&config.http)?;
    let issuer = Issuer::open(config, Ports::system()).await?;
    let shutdown = on_signal();
    let background = {
        let (issuer, shutdown) = (issuer.clone(), shutdown.clone());
        tokio::spawn(async move { issuer.run_background(shutdown).await })
    };
    run("issuer", listening, issuer.router(), shutdown).await?;
    background.await.context("the background jobs failed")?;
    issuer.close().await;
    Ok(())
}

async fn house(config: &HouseConfig, file: &Path) -> Result<()> {
    telemetry::init(&config.log)?;
    let tls = config.http.tls.as_ref().map(TlsConfig::load).transpose()?;
    let house = House::open(config, file, &Ports::system()).await?;
    let urls = house
        .residents()
        .map(|(_, issuer)| &issuer.config().http.public_url);
    let urls: Vec<String> = urls.map(ToString::to_string).collect();
    let listening = Listening {
        address: config.http.listen,
        metrics: config.http.metrics_listen,
        tls,
        known_as: urls.join(", "),
    };
    let shutdown = on_signal();
    let background = {
        let (house, shutdown) = (house.clone(), shutdown.clone());
        tokio::spawn(async move { house.run_background(shutdown).await })
    };
    run("issuer", listening, house.router(), shutdown).await?;
    background.await.context("the background jobs failed")?;
    house.close().await;
    Ok(())
}

/// `vouchsafe verifier serve`.
pub async fn verifier(file: &Path) -> Result<()> {
    let config: vouchsafe_verifier::Config = load(Some(file), VERIFIER_ENVIRONMENT)?;
    telemetry::init(&config.log)?;
    let listening = Listening::of(&config.http)?;
    let verifier = Verifier::open(config, vouchsafe_verifier::Ports::system()).await?;
    let shutdown = on_signal();
    let background = {
        let (verifier, shutdown) = (verifier.clone(), shutdown.clone());
        tokio::spawn(async move { verifier.run_background(shutdown).await })
    };
    run("verifier", listening, verifier.router(), shutdown).await?;
    background.await.context("the background jobs failed")?;
    verifier.close().await;
    Ok(())
}

/// `vouchsafe issuer api-key`: the key goes to standard output, once.
#[expect(clippy::print_stdout, reason = "the key is this command's result")]
pub async fn api_key(file: &Path, name: &str, scopes: Vec<String>) -> Result<()> {
    let issuer = Issuer::open(load_issuer(file)?, Ports::system()).await?;
    known_scopes(&issuer, &scopes)?;
    let key = match scopes.is_empty() {
        true => issuer.create_api_key(name).await?,
        false => issuer.create_api_key_for(name, scopes).await?,
    };
    issuer.close().await;
    println!("{key}");
    Ok(())
}

/// `vouchsafe issuer api-client`: what the client needs goes to standard output, once.
#[expect(clippy::print_stdout, reason = "the client is this command's result")]
pub async fn api_client(
    file: &Path,
    name: &str,
    scopes: Vec<String>,
    keys: Option<&Path>,
) -> Result<()> {
    let config = load_issuer(file)?;
    let read = |path: &Path| {
        std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
    };
    let keys = keys.map(read).transpose()?;
    let issuer = Issuer::open(config, Ports::system()).await?;
    known_scopes(&issuer, &scopes)?;
    let client = issuer
        .create_api_client(name, scopes, keys.as_deref())
        .await?;
    issuer.close().await;
    println!("client_id: {}", client.id);
    if let Some(secret) = client.secret {
        println!("client_secret: {}", secret.expose());
    }
    Ok(())
}

/// `vouchsafe issuer revoke-api-client`.
pub async fn revoke_api_client(file: &Path, id: &str) -> Result<()> {
    let issuer = Issuer::open(load_issuer(file)?, Ports::system()).await?;
    let revoked = issuer.revoke_api_client(id).await?;
    issuer.close().await;
    if !revoked {
        bail!("there is no client {id}, or it was revoked before");
    }
    Ok(())
}

fn known_scopes(issuer: &Issuer, scopes: &[String]) -> Result<()> {
    let known = issuer.scopes();
    match scopes.iter().find(|scope| !known.contains(scope)) {
        None => Ok(()),
        Some(unknown) => bail!(
            "there is no scope `{unknown}`; there are {}",
            known.join(", ")
        ),
    }
}

fn on_signal() -> Shutdown {
    let (trigger, shutdown) = shutdown::channel();
    tokio::spawn(shutdown::on_signal(trigger));
    shutdown
}

#[expect(clippy::print_stdout, reason = "scripts wait for this line")]
async fn run(name: &str, on: Listening, router: Router, shutdown: Shutdown) -> Result<()> {
    let listener = bind(on.address)?;
    if let Some(address) = on.metrics {
        telemetry::install_metrics();
        let metrics = bind(address)?;
        let shutdown = shutdown.clone();
        tokio::spawn(serve(metrics, None, telemetry::metrics_router(), shutdown));
    }
    println!(
        "{name} listening on {} as {}",
        address_of(&listener)?,
        on.known_as
    );
    serve(listener, on.tls, router, shutdown).await?;
    Ok(())
}

fn address_of(listener: &TcpListener) -> Result<SocketAddr> {
    Ok(listener.local_addr()?)
}
