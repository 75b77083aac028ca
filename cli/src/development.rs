//! Working configurations: keys, certificates, trust, queries and clients. The demo uses a pair in
//! memory, `vouchsafe config generate` writes one to files, `vouchsafe issuer init` an issuer alone.

mod placement;
mod texts;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use vouchsafe_credentials::crypto::{Algorithm, SigningKey};
use vouchsafe_credentials::random::token;
use vouchsafe_credentials::time::Clock;
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::jose::{JwtKey, SigningAlg};
use vouchsafe_service::random::OsRandom;

use crate::certificates::{Authority, DocumentSigner};
pub use placement::{Placement, replace, write_new};

/// ISO 3166-1 leaves codes like this to users: no country is meant.
const COUNTRY: &str = "XX";

/// Where everything is and who may log people in.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The issuer's public address.
    pub issuer_url: String,
    /// The issuer's listener, `127.0.0.1:8701`.
    pub issuer_listen: String,
    /// The issuer's database.
    pub issuer_database: String,
    /// The verifier's public address.
    pub verifier_url: String,
    /// The verifier's listener.
    pub verifier_listen: String,
    /// The verifier's database.
    pub verifier_database: String,
    /// Listeners for metrics: issuer, verifier.
    pub metrics: Option<(String, String)>,
    /// What offer links begin with.
    pub offer_link: String,
    /// What presentation links begin with.
    pub wallet_endpoint: String,
    /// What the links of QR codes begin with, when otherwise.
    pub qr_endpoint: Option<String>,
    /// Wallets that may use the authorization code flow: id and redirect URI.
    pub wallet_client: Option<(String, String)>,
    /// Plain http on loopback, for the demo and for tests.
    pub loopback_http: bool,
    /// How often the verifier asks for a status list at most, in seconds.
    pub status_refresh_s: i64,
    /// Applications.
    pub clients: Vec<Application>,
}

/// An issuer, and where it is.
#[derive(Clone, Debug)]
pub struct IssuerPlan {
    /// Its public address.
    pub url: String,
    /// Its listener.
    pub listen: String,
    /// Its database.
    pub database: String,
    /// The listener for metrics.
    pub metrics: Option<String>,
    /// Its name in front of people, by language.
    pub names: BTreeMap<String, String>,
    /// Files of credential types; none: those of the distribution.
    pub credential_types: Vec<PathBuf>,
    /// What offer links begin with.
    pub offer_link: String,
    /// Wallets that may use the authorization code flow: id and redirect URI.
    pub wallet_client: Option<(String, String)>,
    /// Plain http on loopback.
    pub loopback_http: bool,
    /// How long relying parties may keep a status list, in seconds.
    pub status_ttl_s: i64,
}

impl Plan {
    /// The issuer's part.
    fn issuer(&self) -> IssuerPlan {
        let names = [("en", "The Club"), ("de", "Der Club")];
        IssuerPlan {
            url: self.issuer_url.clone(),
            listen: self.issuer_listen.clone(),
            database: self.issuer_database.clone(),
            metrics: self.metrics.as_ref().map(|(issuer, _)| issuer.clone()),
            names: names.map(|(a, b)| (a.to_owned(), b.to_owned())).into(),
            credential_types: Vec::new(),
            offer_link: self.offer_link.clone(),
            wallet_client: self.wallet_client.clone(),
            loopback_http: self.loopback_http,
            status_ttl_s: self.status_refresh_s,
        }
    }

    /// The verifier's part.
    fn verifier(&self) -> VerifierPlan {
        VerifierPlan {
            name: "The Club's sign-in service".to_owned(),
            url: self.verifier_url.clone(),
            listen: self.verifier_listen.clone(),
            database: self.verifier_database.clone(),
            metrics: self.metrics.as_ref().map(|(_, verifier)| verifier.clone()),
            wallet_endpoint: self.wallet_endpoint.clone(),
            qr_endpoint: self.qr_endpoint.clone(),
            loopback_http: self.loopback_http,
            status_refresh_s: self.status_refresh_s,
        }
    }
}

/// An issuer's configuration file, and what others must trust.
#[derive(Clone, Debug)]
pub struct GeneratedIssuer {
    /// TOML.
    pub text: String,
    /// The authority of its cards, PEM.
    pub anchor: String,
    /// The authority of its status lists, PEM.
    pub status_anchor: String,
}

/// A verifier, and where it is.
#[derive(Clone, Debug)]
pub struct VerifierPlan {
    /// Its name in front of people: wallets read it in its certificate.
    pub name: String,
    /// Its public address.
    pub url: String,
    /// Its listener.
    pub listen: String,
    /// Its database.
    pub database: String,
    /// The listener for metrics.
    pub metrics: Option<String>,
    /// What presentation links begin with.
    pub wallet_endpoint: String,
    /// What the links of QR codes begin with, when otherwise.
    pub qr_endpoint: Option<String>,
    /// Plain http on loopback.
    pub loopback_http: bool,
    /// How often it asks for a status list at most, in seconds.
    pub status_refresh_s: i64,
}

/// A verifier's configuration file, and what wallets must trust.
#[derive(Clone, Debug)]
pub struct GeneratedVerifier {
    /// TOML.
    pub text: String,
    /// The authority of its requests, PEM.
    pub anchor: String,
}

/// An application that logs people in.
#[derive(Clone, Debug)]
pub struct Application {
    /// `client_id`.
    pub id: String,
    /// Its name in front of people.
    pub name: String,
    /// `client_secret`.
    pub secret: String,
    /// Its origin.
    pub url: String,
    /// Whether PKCE may be left out (OpenID Connect clients of old).
    pub pkce_optional: bool,
    /// Whether people may answer from another device; whoever relays the code
    /// can abuse it, so it is off unless it is asked for.
    pub cross_device: bool,
    /// `RS256` or `ES256`.
    pub alg: &'static str,
}

/// The two configuration files, and what the wallet must trust.
#[derive(Clone, Debug)]
pub struct Generated {
    /// TOML of the issuer.
    pub issuer: String,
    /// TOML of the verifier.
    pub verifier: String,
    /// Anchors that a wallet pins: issuers of credentials, PEM.
    pub issuer_anchor: String,
    /// Anchors that a wallet pins: status lists of that issuer, PEM.
    pub status_anchor: String,
    /// Anchors that a wallet pins: verifiers, PEM.
    pub verifier_anchor: String,
}

/// Makes fresh keys and certificates and writes both configurations.
pub fn generate(plan: &Plan, placement: &mut Placement) -> Result<Generated> {
    let issuer = generate_issuer(&plan.issuer(), placement)?;
    let mut verifier = generate_verifier(&plan.verifier(), placement)?;
    texts::trust(
        &mut verifier.text,
        plan,
        placement,
        &issuer.anchor,
        &issuer.status_anchor,
    )?;
    placement.public("wallet-issuer-anchors.pem", &issuer.anchor)?;
    placement.public("status-anchors.pem", &issuer.status_anchor)?;
    placement.public("wallet-verifier-anchors.pem", &verifier.anchor)?;
    Ok(Generated {
        issuer: issuer.text,
        verifier: verifier.text,
        issuer_anchor: issuer.anchor,
        status_anchor: issuer.status_anchor,
        verifier_anchor: verifier.anchor,
    })
}

/// Makes fresh keys and certificates of a verifier and writes its configuration, which trusts
/// nobody and asks nothing yet.
pub fn generate_verifier(
    plan: &VerifierPlan,
    placement: &mut Placement,
) -> Result<GeneratedVerifier> {
    let access = Authority::new("Development root for sign-in services", SystemClock.now().0)?;
    // Wallets may know it by the name of its host, too (`x509_san_dns`).
    let host = url::Url::parse(&plan.url)?;
    let request = match host.domain() {
        Some(host) => access.host_leaf(&plan.name, &plan.url, host)?,
        None => access.leaf(&plan.name, &plan.url)?,
    };
    let keys = texts::VerifierKeys {
        request,
        rs256: JwtKey::generate(SigningAlg::Rs256)?.to_pem().to_string(),
        es256: SigningKey::generate(Algorithm::Es256, &OsRandom)
            .to_pkcs8_pem()
            .to_string(),
    };
    Ok(GeneratedVerifier {
        text: texts::verifier(plan, placement, &keys)?,
        anchor: access.certificate_pem,
    })
}

/// Makes fresh keys and certificates of an issuer and writes its configuration.
pub fn generate_issuer(plan: &IssuerPlan, placement: &mut Placement) -> Result<GeneratedIssuer> {
    let now = SystemClock.now().0;
    // One root for each role: a certificate of one role never works for another.
    let credentials = Authority::new("Development root for credentials", now)?;
    let statuses = Authority::new("Development root for status lists", now)?;
    let name = plan.names.get("en").or_else(|| plan.names.values().next());
    let name = name.map_or("Issuer", String::as_str);
    let text = texts::issuer(
        plan,
        placement,
        &credentials.leaf(name, &plan.url)?,
        &DocumentSigner::new(name, COUNTRY, now)?,
        &statuses.leaf(&format!("{name}, status lists"), &plan.url)?,
    )?;
    Ok(GeneratedIssuer {
        text,
        anchor: credentials.certificate_pem,
        status_anchor: statuses.certificate_pem,
    })
}

/// A fresh secret of 256 bits, base64url.
pub fn secret() -> String {
    token(&OsRandom)
}
