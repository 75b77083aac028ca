//! Making and opening wallets on this machine.

use std::sync::Arc;

use url::Url;
use vouchsafe_credentials::crypto::Portable;
use vouchsafe_credentials::time::Clock;
use vouchsafe_protocol::http::UrlRule;
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::config::FetchConfig;
use vouchsafe_service::random::OsRandom;
use vouchsafe_wallet_core::Wallet;
use vouchsafe_wallet_core::attestation::Attestations;
use vouchsafe_wallet_core::issuance::IssuancePolicy;
use vouchsafe_wallet_core::status::StatusPolicy;
use vouchsafe_wallet_core::storage::{KdfParams, Storage};
use vouchsafe_wallet_core::trust::TrustList;
use vouchsafe_wallet_core::wallet::{Config, Ports};

use super::handle::{Transport, WalletHandle};
use super::transport::FetcherTransport;

/// The most copies of one card to ask an issuer for.
const BATCH_SIZE: usize = 10;
/// The `client_id` where none is configured.
const CLIENT_ID: &str = "vouchsafe-wallet";

/// How a wallet on this machine behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whom it believes.
    pub trust: TrustList,
    /// Exceptions for outbound requests.
    pub fetch: FetchConfig,
    /// Plain http on this machine, for development.
    pub loopback_http: bool,
    /// Languages of the person, the favourite first.
    pub locales: Vec<String>,
    /// Where a browser comes back to after the person signed in at an issuer.
    pub redirect_uri: Url,
    /// How it gets its cards.
    pub issuance: Issuance,
    /// Whether it asks for status lists.
    pub status: StatusPolicy,
}

/// How a wallet on this machine gets its cards.
#[derive(Debug, Clone)]
pub struct Issuance {
    /// The `client_id` for issuers that want one.
    pub client_id: String,
    /// The most copies of one card to ask an issuer for.
    pub batch_size: usize,
    /// How often a copy is shown, how credentials are asked for.
    pub policy: IssuancePolicy,
    /// Who vouches for the wallet and its keys.
    pub attestations: Attestations,
}

impl Default for Issuance {
    fn default() -> Self {
        Self {
            client_id: CLIENT_ID.to_owned(),
            batch_size: BATCH_SIZE,
            policy: IssuancePolicy::default(),
            attestations: Attestations::default(),
        }
    }
}

impl Settings {
    fn parts(self, storage: Arc<dyn Storage>, clock: Arc<dyn Clock>) -> (Config, Ports) {
        let ports = Ports {
            storage,
            clock,
            rng: Arc::new(OsRandom),
            crypto: Arc::new(Portable),
            secure_area: None,
            attestations: self.issuance.attestations,
        };
        let config = Config {
            trust: self.trust,
            urls: match (self.loopback_http, self.fetch.allow.is_empty()) {
                (true, _) => UrlRule::LoopbackAllowed,
                // The fetcher allows the listed hosts only.
                (false, false) => UrlRule::AnyHttps,
                (false, true) => UrlRule::PublicHttps,
            },
            locales: self.locales,
            redirect_uri: self.redirect_uri,
            client_id: self.issuance.client_id,
            batch_size: self.issuance.batch_size,
            issuance: self.issuance.policy,
            status: self.status,
            // The terminal and the pages show them.
            transactions: true,
        };
        (config, ports)
    }
}

/// Makes a new wallet in an empty store.
pub fn create(
    settings: Settings,
    storage: Arc<dyn Storage>,
    passphrase: &str,
    params: KdfParams,
) -> anyhow::Result<WalletHandle> {
    let transport = FetcherTransport::new(&settings.fetch, settings.loopback_http)?;
    create_with(settings, storage, passphrase, params, Arc::new(transport))
}

/// As [`create`], with another way to reach others.
pub fn create_with(
    settings: Settings,
    storage: Arc<dyn Storage>,
    passphrase: &str,
    params: KdfParams,
    transport: Arc<dyn Transport>,
) -> anyhow::Result<WalletHandle> {
    let world = (transport, Arc::new(SystemClock) as Arc<dyn Clock>);
    create_in(settings, storage, passphrase, params, world)
}

/// As [`create_with`], at another time.
pub fn create_in(
    settings: Settings,
    storage: Arc<dyn Storage>,
    passphrase: &str,
    params: KdfParams,
    (transport, clock): (Arc<dyn Transport>, Arc<dyn Clock>),
) -> anyhow::Result<WalletHandle> {
    let (config, ports) = settings.parts(storage, clock);
    let wallet = Wallet::create(config, ports, passphrase, params)?;
    Ok(WalletHandle::new(wallet, transport))
}

/// Opens an existing wallet.
pub async fn open(
    settings: Settings,
    storage: Arc<dyn Storage>,
    passphrase: &str,
) -> anyhow::Result<WalletHandle> {
    let transport = FetcherTransport::new(&settings.fetch, settings.loopback_http)?;
    let (config, ports) = settings.parts(storage, Arc::new(SystemClock));
    let wallet = Wallet::open(config, ports, passphrase).await?;
    Ok(WalletHandle::new(wallet, Arc::new(transport)))
}
