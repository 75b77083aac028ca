//! `vouchsafe doctor`: looks at a running set-up as others see it.

use std::path::PathBuf;

use anyhow::{Result, bail};
use serde_json::Value;
use vouchsafe_credentials::time::Clock;
use vouchsafe_issuer::expiry;
use vouchsafe_issuer::instance::no_log_beside_a_copy;
use vouchsafe_issuer::signing::Signing;
use vouchsafe_protocol::vp::request::Identity;
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::config::{DevConfig, FetchConfig, load};
use vouchsafe_service::db::Db;
use vouchsafe_service::fetch::{Fetcher, Limits};
use vouchsafe_verifier::config::{Keys, Settings};
use vouchsafe_verifier::own_identity::OwnIdentity;

use crate::serve::{VERIFIER_ENVIRONMENT, load_issuer};

/// From so many days on the end of something is a finding.
const SOON_DAYS: i64 = 30;

/// What to look at.
#[derive(Debug, clap::Args)]
pub struct DoctorOptions {
    /// The issuer's configuration file.
    #[arg(long, value_name = "FILE")]
    issuer: Option<PathBuf>,
    /// The verifier's configuration file.
    #[arg(long, value_name = "FILE")]
    verifier: Option<PathBuf>,
}

/// What was found.
#[derive(Default)]
struct Findings {
    bad: u32,
}

impl Findings {
    fn note(&mut self, what: &str, result: Result<()>, hint: &str) {
        match result {
            Ok(()) => eprintln!("ok    {what}"),
            Err(error) => {
                self.bad += 1;
                eprintln!("bad   {what}: {error:#}");
                eprintln!("      hint: {hint}");
            }
        }
    }
}

/// Looks at the configuration, the database and the public address of each
/// service that was named.
pub async fn run(options: &DoctorOptions) -> Result<()> {
    let mut findings = Findings::default();
    if let Some(file) = &options.issuer {
        let config = load_issuer(file)?;
        findings.note(
            "issuer: configuration",
            config.settings().map(drop).map_err(Into::into),
            "see `vouchsafe config check`",
        );
        let signing = config.signers(SystemClock.now());
        let endings = signing.as_ref().map(certificates).unwrap_or_default();
        findings.note(
            "issuer: keys and certificates",
            signing.map(drop).map_err(Into::into),
            "the certificate must belong to the key",
        );
        for (what, result) in endings {
            let hint = "`vouchsafe issuer certificate request`, then `… install`";
            findings.note(&what, result, hint);
        }
        findings.note(
            "issuer: database",
            issuer_database(config.database.resolve()?.as_str()).await,
            "does the server run, and may this user connect?",
        );
        let url = &config.http.public_url;
        let metadata = url.well_known("openid-credential-issuer");
        let reached = names_itself(
            &config.dev,
            &FetchConfig::default(),
            &metadata,
            "credential_issuer",
            url.as_str(),
        )
        .await;
        findings.note(
            &format!("issuer: {metadata}"),
            reached,
            "is the service running, and does the proxy forward this path?",
        );
    }
    if let Some(file) = &options.verifier {
        let config: vouchsafe_verifier::Config = load(Some(file), VERIFIER_ENVIRONMENT)?;
        let settings = vouchsafe_verifier::config::Settings::parse(&config);
        let keys = vouchsafe_verifier::config::Keys::parse(&config.keys);
        let known = match (&settings, &keys) {
            (Ok(settings), Ok(keys)) => Some(identity(settings, keys)),
            _ => None,
        };
        findings.note(
            "verifier: configuration",
            settings.map(drop).map_err(Into::into),
            "see `vouchsafe config check`",
        );
        findings.note(
            "verifier: keys and access certificate",
            keys.map(drop).map_err(Into::into),
            "the certificate must belong to keys.request",
        );
        if let Some(known) = known {
            known_to_wallets(&mut findings, &config, known).await;
        }
        findings.note(
            "verifier: database",
            database(config.database.resolve()?.as_str()).await,
            "does the server run, and may this user connect?",
        );
        let url = &config.http.public_url;
        let metadata = format!("{}/.well-known/openid-configuration", url.as_str());
        let reached = names_itself(
            &config.dev,
            &config.fetch,
            &metadata,
            "issuer",
            url.as_str(),
        )
        .await;
        findings.note(
            &format!("verifier: {metadata}"),
            reached,
            "is the service running, and does the proxy forward this path?",
        );
    }
    if options.issuer.is_none() && options.verifier.is_none() {
        bail!("name a configuration: --issuer FILE, --verifier FILE or both");
    }
    if findings.bad > 0 {
        bail!("{} findings", findings.bad);
    }
    Ok(())
}

/// Who the login service is to wallets.
fn identity(settings: &Settings, keys: &Keys) -> Result<OwnIdentity> {
    let known = OwnIdentity::parse(&settings.presentation, keys, SystemClock.now())?;
    let end = known.signing().and_then(Identity::ends_at);
    let days = end.map(|end| end.since(SystemClock.now()).div_euclid(86_400));
    match days {
        Some(days) if days < SOON_DAYS => {
            bail!("the verifier attestation ends in {days} days; get a new one and restart")
        }
        _ => Ok(known),
    }
}

/// Says how wallets know the login service, and whether they can look it up.
async fn known_to_wallets(
    findings: &mut Findings,
    config: &vouchsafe_verifier::Config,
    known: Result<OwnIdentity>,
) {
    let hint = "docs/operating.md, \"Who the login service is to wallets\"";
    let known = match known {
        Ok(known) => known,
        Err(error) => {
            findings.note("verifier: client identifier", Err(error), hint);
            return;
        }
    };
    let name = match known.signing() {
        Some(identity) => identity.client_id().as_str(),
        None => "redirect_uri (requests are not signed)",
    };
    findings.note(
        &format!("verifier: wallets know it as {name}"),
        Ok(()),
        hint,
    );
    let did = known
        .did_document()
        .and_then(|document| document["id"].as_str());
    if let Some(did) = did {
        let url = config.http.public_url.join("/.well-known/did.json");
        let reached = names_itself(&config.dev, &config.fetch, &url, "id", did).await;
        let hint = "is the service running, and does the proxy forward this path?";
        findings.note(&format!("verifier: {url}"), reached, hint);
    }
}

/// Certificates that end soon while nothing follows them.
fn certificates(signing: &Signing) -> Vec<(String, Result<()>)> {
    let now = SystemClock.now();
    let endings = expiry::soon(signing, now).into_iter();
    endings
        .map(|ending| {
            let days = ending.at.since(now).div_euclid(86_400);
            let what = format!("issuer: certificate of {} ({})", ending.key, ending.purpose);
            (
                what,
                Err(anyhow::anyhow!(
                    "it ends in {days} days and nothing follows it"
                )),
            )
        })
        .collect()
}

async fn issuer_database(url: &str) -> Result<()> {
    // Opening a file writes the log beside it into it.
    no_log_beside_a_copy(url).await?;
    database(url).await
}

async fn database(url: &str) -> Result<()> {
    Db::open(url).await?.close().await;
    Ok(())
}

/// Reads a metadata document and checks that it names the address it came from.
async fn names_itself(
    dev: &DevConfig,
    fetch: &FetchConfig,
    url: &str,
    member: &str,
    expected: &str,
) -> Result<()> {
    let fetcher = Fetcher::new(fetch, dev)?;
    let response = fetcher
        .get(url, "application/json", Limits::METADATA)
        .await?;
    if !response.is_success() {
        bail!("it answers {}", response.status);
    }
    let document: Value = serde_json::from_slice(&response.body)?;
    match document.get(member).and_then(Value::as_str) {
        Some(named) if named == expected => Ok(()),
        Some(named) => bail!("it calls itself {named}"),
        None => bail!("its metadata has no `{member}`"),
    }
}
