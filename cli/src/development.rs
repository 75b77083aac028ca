//! A working pair of configurations: keys, certificates, trust, queries and
//! clients. The demo uses it in memory, `vouchsafe config generate` writes it
//! to files.

mod placement;
mod texts;

use anyhow::Result;
use vouchsafe_credentials::crypto::{Algorithm, SigningKey};
use vouchsafe_credentials::random::token;
use vouchsafe_credentials::time::Clock;
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::jose::{JwtKey, SigningAlg};
use vouchsafe_service::random::OsRandom;

use crate::certificates::Authority;
pub use placement::{Placement, write_new};

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
    /// Wallets that may use the authorization code flow: id and redirect URI.
    pub wallet_client: Option<(String, String)>,
    /// Plain http on loopback, for the demo and for tests.
    pub loopback_http: bool,
    /// How often the verifier asks for a status list at most, in seconds.
    pub status_refresh_s: i64,
    /// Applications.
    pub clients: Vec<Application>,
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
    /// Anchors that a wallet pins: verifiers, PEM.
    pub verifier_anchor: String,
}

/// Makes fresh keys and certificates and writes both configurations.
pub fn generate(plan: &Plan, placement: &mut Placement) -> Result<Generated> {
    let now = SystemClock.now().0;
    // One root for each role: a certificate of one role never works for another.
    let credentials = Authority::new("Development root for credentials", now)?;
    let statuses = Authority::new("Development root for status lists", now)?;
    let access = Authority::new("Development root for sign-in services", now)?;
    let issuer = texts::issuer(
        plan,
        placement,
        &credentials.leaf("The Club", &plan.issuer_url)?,
        &statuses.leaf("The Club, status lists", &plan.issuer_url)?,
    )?;
    let keys = texts::VerifierKeys {
        request: access.leaf("The Club's sign-in service", &plan.verifier_url)?,
        rs256: JwtKey::generate(SigningAlg::Rs256)?.to_pem().to_string(),
        es256: SigningKey::generate(Algorithm::Es256, &OsRandom)
            .to_pkcs8_pem()
            .to_string(),
    };
    let verifier = texts::verifier(
        plan,
        placement,
        &keys,
        &credentials.certificate_pem,
        &statuses.certificate_pem,
    )?;
    placement.public("wallet-issuer-anchors.pem", &credentials.certificate_pem)?;
    placement.public("wallet-verifier-anchors.pem", &access.certificate_pem)?;
    Ok(Generated {
        issuer,
        verifier,
        issuer_anchor: credentials.certificate_pem,
        verifier_anchor: access.certificate_pem,
    })
}

/// A fresh secret of 256 bits, base64url.
pub fn secret() -> String {
    token(&OsRandom)
}
