//! `vouchsafe config`: makes and checks configuration files.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Subcommand;
use vouchsafe_credentials::time::Clock;
use vouchsafe_issuer::House;
use vouchsafe_issuer::house::Hosted;
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::config::load;
use vouchsafe_verifier::own_identity::OwnIdentity;

use crate::development::{Application, Placement, Plan, generate, secret, write_new};
use crate::init::{API_KEY_FILE, first_key};
use crate::serve::{ISSUER_ENVIRONMENT, VERIFIER_ENVIRONMENT};

/// What `vouchsafe config` can do.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Make a folder with both configurations, keys and a development authority.
    Generate(GenerateOptions),
    /// Read configuration files as a service would, and say what is wrong.
    Check {
        /// The issuer's configuration file.
        #[arg(long, value_name = "FILE")]
        issuer: Option<PathBuf>,
        /// The verifier's configuration file.
        #[arg(long, value_name = "FILE")]
        verifier: Option<PathBuf>,
    },
}

/// What the generated configurations say.
#[derive(Debug, clap::Args)]
pub struct GenerateOptions {
    /// The new folder.
    folder: PathBuf,
    /// The issuer's public address.
    #[arg(long, default_value = "http://127.0.0.1:8702")]
    issuer_url: String,
    /// The verifier's public address.
    #[arg(long, default_value = "http://127.0.0.1:8701")]
    verifier_url: String,
    /// The issuer's database; a file of the folder by default.
    #[arg(long)]
    issuer_database: Option<String>,
    /// The verifier's database; a file of the folder by default.
    #[arg(long)]
    verifier_database: Option<String>,
    /// An application: `ID=ORIGIN`, such as `shop=http://127.0.0.1:8700`. Its secret is printed.
    #[arg(long = "client", value_name = "ID=ORIGIN")]
    clients: Vec<String>,
    /// Applications may leave out PKCE, as old OpenID Connect clients do.
    #[arg(long)]
    pkce_optional: bool,
    /// People may answer an application from another device (QR code and number).
    #[arg(long)]
    cross_device: bool,
    /// How ID tokens are signed.
    #[arg(long, default_value = "RS256", value_parser = ["RS256", "ES256"])]
    id_token_alg: String,
    /// What presentation links begin with.
    #[arg(long, default_value = "openid4vp://")]
    wallet_endpoint: String,
    /// How often a status list is asked for at most, in seconds.
    #[arg(long, default_value_t = 60)]
    status_refresh_s: i64,
    /// Serve metrics on the ports after the services'.
    #[arg(long)]
    metrics: bool,
}

/// Runs a command.
pub async fn run(command: ConfigCommand) -> Result<()> {
    match command {
        ConfigCommand::Generate(options) => write(options).await,
        ConfigCommand::Check { issuer, verifier } => check(issuer.as_deref(), verifier.as_deref()),
    }
}

#[expect(
    clippy::print_stdout,
    reason = "secrets of applications are this command's result"
)]
async fn write(options: GenerateOptions) -> Result<()> {
    std::fs::create_dir(&options.folder).with_context(|| {
        format!(
            "{} exists already or cannot be made",
            options.folder.display()
        )
    })?;
    let folder = options.folder.canonicalize()?;
    let plan = plan(&options, &folder)?;
    let generated = generate(&plan, &mut Placement::Folder(folder.clone()))?;
    write_new(&folder.join("issuer.toml"), &generated.issuer, 0o600)?;
    write_new(&folder.join("verifier.toml"), &generated.verifier, 0o600)?;
    for Application { id, secret, .. } in &plan.clients {
        println!("{id} {secret}");
    }
    // Elsewhere there may be no database yet.
    if options.issuer_database.is_none() {
        match first_key(&folder).await {
            Ok(_) => eprintln!("{API_KEY_FILE} opens the issuer's REST interface for commands"),
            // Addresses of both kinds may have been given; the service says the same when it starts.
            Err(error) => eprintln!("no API key was made: {error:#}"),
        }
    }
    eprintln!("made {}", folder.display());
    eprintln!(
        "next: vouchsafe issuer serve --config {}",
        folder.join("issuer.toml").display()
    );
    eprintln!(
        "      vouchsafe verifier serve --config {}",
        folder.join("verifier.toml").display()
    );
    Ok(())
}

fn plan(options: &GenerateOptions, folder: &Path) -> Result<Plan> {
    let clients = options
        .clients
        .iter()
        .map(|client| application(client, options))
        .collect::<Result<_>>()?;
    let database = |given: &Option<String>, name: &str| {
        given
            .clone()
            .unwrap_or_else(|| format!("sqlite://{}", folder.join(name).display()))
    };
    let metrics = |url: &str, port: u16| -> Result<String> {
        Ok(shifted(listen(url, port)?, 10).to_string())
    };
    Ok(Plan {
        issuer_url: options.issuer_url.clone(),
        issuer_listen: listen(&options.issuer_url, ISSUER_PORT)?.to_string(),
        issuer_database: database(&options.issuer_database, "issuer.sqlite"),
        verifier_url: options.verifier_url.clone(),
        verifier_listen: listen(&options.verifier_url, VERIFIER_PORT)?.to_string(),
        verifier_database: database(&options.verifier_database, "verifier.sqlite"),
        metrics: match options.metrics {
            true => Some((
                metrics(&options.issuer_url, ISSUER_PORT)?,
                metrics(&options.verifier_url, VERIFIER_PORT)?,
            )),
            false => None,
        },
        offer_link: "openid-credential-offer://".to_owned(),
        wallet_endpoint: options.wallet_endpoint.clone(),
        qr_endpoint: None,
        wallet_client: Some((
            "vouchsafe-wallet".to_owned(),
            "http://127.0.0.1:8703/callback".to_owned(),
        )),
        loopback_http: options.issuer_url.starts_with("http://")
            || options.verifier_url.starts_with("http://"),
        status_refresh_s: options.status_refresh_s,
        clients,
    })
}

fn application(text: &str, options: &GenerateOptions) -> Result<Application> {
    let (id, url) = text
        .split_once('=')
        .with_context(|| format!("{text}: expected ID=ORIGIN"))?;
    ensure!(!id.is_empty(), "{text}: expected ID=ORIGIN");
    check_origin(url)?;
    Ok(Application {
        id: id.to_owned(),
        name: id.to_owned(),
        secret: secret(),
        url: url.trim_end_matches('/').to_owned(),
        pkce_optional: options.pkce_optional,
        cross_device: options.cross_device,
        alg: if options.id_token_alg == "ES256" {
            "ES256"
        } else {
            "RS256"
        },
    })
}

/// The paths of an application are those that its configuration names: an address with one of its own
/// would go into all of them.
fn check_origin(text: &str) -> Result<()> {
    let url = url::Url::parse(text).with_context(|| format!("{text} is not an address"))?;
    let origin = url.origin().ascii_serialization();
    let alone = text.trim_end_matches('/').eq_ignore_ascii_case(&origin);
    ensure!(
        alone && matches!(url.scheme(), "http" | "https"),
        "{text} is no origin: give scheme, host and port alone (such as {}); the application is answered \
         at /callback there, and other addresses go into verifier.toml",
        match url.scheme() {
            "http" | "https" => origin.as_str(),
            _ => "https://shop.example",
        }
    );
    Ok(())
}

/// Where the issuer listens behind a proxy.
pub const ISSUER_PORT: u16 = 8702;
/// Where the verifier listens behind a proxy.
pub const VERIFIER_PORT: u16 = 8701;

/// A listener for a public address: its own address on loopback, otherwise a
/// port of loopback that a proxy forwards to.
pub fn listen(url: &str, behind_proxy: u16) -> Result<std::net::SocketAddr> {
    let url = url::Url::parse(url).with_context(|| format!("{url} is not an address"))?;
    let host = match url.host_str() {
        Some("localhost") => "127.0.0.1",
        other => other.unwrap_or_default(),
    };
    match (host.parse::<std::net::IpAddr>(), url.port()) {
        (Ok(address), Some(port)) if address.is_loopback() => Ok((address, port).into()),
        _ => Ok(([127, 0, 0, 1], behind_proxy).into()),
    }
}

fn shifted(mut address: std::net::SocketAddr, by: u16) -> std::net::SocketAddr {
    address.set_port(address.port().saturating_add(by));
    address
}

fn check(issuer: Option<&Path>, verifier: Option<&Path>) -> Result<()> {
    ensure!(
        issuer.is_some() || verifier.is_some(),
        "name a configuration: --issuer FILE, --verifier FILE or both"
    );
    if let Some(file) = issuer {
        match Hosted::load(file, ISSUER_ENVIRONMENT)? {
            Hosted::One(config) => {
                config.settings()?;
                config.issued(SystemClock.now())?;
            }
            Hosted::Several(config) => House::check(&config, file, SystemClock.now())?,
        }
        eprintln!("{}: good", file.display());
    }
    if let Some(file) = verifier {
        let config: vouchsafe_verifier::Config = load(Some(file), VERIFIER_ENVIRONMENT)?;
        let settings = vouchsafe_verifier::config::Settings::parse(&config)?;
        let keys = vouchsafe_verifier::config::Keys::parse(&config.keys)?;
        OwnIdentity::parse(&settings.presentation, &keys, SystemClock.now())?;
        eprintln!("{}: good", file.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_is_an_origin() {
        for good in [
            "http://127.0.0.1:8700",
            "http://127.0.0.1:8700/",
            "https://shop.example",
            "https://Shop.example",
            "http://[::1]:8700",
        ] {
            check_origin(good).unwrap();
        }
        for bad in [
            "http://shop.example/cb",
            "http://shop.example/cb/",
            "https://shop.example?x=1",
            "https://shop.example/#a",
            "https://me@shop.example",
        ] {
            let said = check_origin(bad).unwrap_err().to_string();
            assert!(said.contains("is no origin"), "{said}");
            assert!(said.contains("such as http"), "{said}");
        }
        for bad in ["shop.example", "ftp://shop.example", "urn:shop", ""] {
            check_origin(bad).unwrap_err();
        }
    }
}
