//! Who vouches for this wallet and for its keys (OpenID4VCI 1.0, appendices D and E).
//!
//! An issuer that wants to know with what it talks asks for a wallet attestation; one that wants to
//! know where keys live asks for a key attestation. Both are signed by the provider of the wallet,
//! which a host reaches through [`WalletAttestationProvider`] and, for keys in software,
//! [`KeyAttester`]; key hardware attests itself, see
//! [`SecureArea::attest`](crate::secure_area::SecureArea::attest). [`SoftwareWalletProvider`] is a
//! provider inside the program: for development and conformance tests, as its signature says no
//! more than that somebody has its key.

use std::sync::Arc;

use async_trait::async_trait;
use vouchsafe_credentials::crypto::{PublicKey, Signer};
use vouchsafe_credentials::jws::{Header, TokenType};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::Chain;
use vouchsafe_protocol::oauth::attested::{self, Attests, AttestsKeys};

/// Who vouches; nobody by default.
#[derive(Clone, Default)]
pub struct Attestations {
    /// For the wallet.
    pub wallet: Option<Arc<dyn WalletAttestationProvider>>,
    /// For keys of the software secure area.
    pub keys: Option<Arc<dyn KeyAttester>>,
}

impl std::fmt::Debug for Attestations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attestations")
            .field("wallet", &self.wallet.is_some())
            .field("keys", &self.keys.is_some())
            .finish()
    }
}

/// An instance that wants to be attested.
#[derive(Debug, Clone, Copy)]
pub struct Instance<'a> {
    /// Its key: one for each authorization server, so that attestations link nothing.
    pub key: &'a PublicKey,
    /// The `client_id` of the wallet.
    pub client_id: &'a str,
    /// The time.
    pub now: UnixTime,
}

/// Keys that want to be attested.
#[derive(Debug, Clone, Copy)]
pub struct Keys<'a> {
    /// The keys, at least one.
    pub keys: &'a [PublicKey],
    /// The issuer's nonce, where it has a nonce endpoint.
    pub nonce: Option<&'a str>,
    /// The time.
    pub now: UnixTime,
}

/// No attestation could be had.
#[derive(Debug, thiserror::Error)]
#[error("no attestation could be had")]
pub struct NotAttested(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Attests instances of the wallet.
#[async_trait]
pub trait WalletAttestationProvider: Send + Sync {
    /// A client attestation (`oauth-client-attestation+jwt`) of this instance, never used at
    /// another server (HAIP 1.0, section 4.4.1).
    async fn attest_wallet(&self, instance: &Instance<'_>) -> Result<String, NotAttested>;
}

/// Attests keys that live in software.
#[async_trait]
pub trait KeyAttester: Send + Sync {
    /// A key attestation (`key-attestation+jwt`) of these keys, used once.
    async fn attest_keys(&self, keys: &Keys<'_>) -> Result<String, NotAttested>;
}

/// A provider inside the program.
pub struct SoftwareWalletProvider {
    /// Its identifier (`iss`).
    pub name: String,
    /// Its key.
    pub signer: Arc<dyn Signer>,
    /// Certificates of the key, without their anchor.
    pub chain: Chain,
    /// What key attestations say of how keys are kept (appendix D.2).
    pub key_storage: Vec<String>,
    /// What they say of how their owner is known.
    pub user_authentication: Vec<String>,
}

/// How long an attestation of a wallet is good, in seconds (EUDI TS3: less than a day).
const WALLET_LIFETIME: i64 = 3600;
/// How long an attestation of keys is good, in seconds: it serves one request.
const KEYS_LIFETIME: i64 = 300;

#[async_trait]
impl WalletAttestationProvider for SoftwareWalletProvider {
    async fn attest_wallet(&self, instance: &Instance<'_>) -> Result<String, NotAttested> {
        let attests = Attests {
            provider: &self.name,
            client_id: instance.client_id,
            instance: instance.key,
            issued_at: instance.now,
            expires_at: instance.now.plus(WALLET_LIFETIME),
        };
        let header = Header::new(TokenType::ClientAttestation).with_x5c(&self.chain);
        let signed = attested::attest(&attests, &header, self.signer.as_ref()).await;
        signed.map_err(|error| NotAttested(error.into()))
    }
}

#[async_trait]
impl KeyAttester for SoftwareWalletProvider {
    async fn attest_keys(&self, keys: &Keys<'_>) -> Result<String, NotAttested> {
        let attests = AttestsKeys {
            provider: &self.name,
            keys: keys.keys,
            nonce: keys.nonce,
            key_storage: &self.key_storage,
            user_authentication: &self.user_authentication,
            issued_at: keys.now,
            expires_at: keys.now.plus(KEYS_LIFETIME),
        };
        let header = Header::new(TokenType::KeyAttestation).with_x5c(&self.chain);
        let signed = attested::attest_keys(&attests, &header, self.signer.as_ref()).await;
        signed.map_err(|error| NotAttested(error.into()))
    }
}

impl std::fmt::Debug for SoftwareWalletProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SoftwareWalletProvider")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
