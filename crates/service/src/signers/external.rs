//! A signer that an organisation runs itself, asked over https.
//!
//! `POST {"key", "algorithm", "data"}`, the data in base64url, signed as a webhook is (Standard
//! Webhooks 1.0.0); the answer is `{"signature"}`, `r || s` or Ed25519 in base64url. One question
//! keeps its `webhook-id` when it is repeated.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use vouchsafe_credentials::crypto::PublicKey;
use vouchsafe_credentials::encoding::{b64url, b64url_decode};
use vouchsafe_credentials::random;

use super::elsewhere::Elsewhere;
use super::{OpenSignerError, Outcome, checked, public_key, secret_file, timeout};
use crate::clock::SystemClock;
use crate::fetch::Fetcher;
use crate::random::OsRandom;
use crate::webhooks::{AskError, Secrets, System, WebhookSecret, ask};

/// Questions at once: as many as the fetcher lets to one host.
const AT_ONCE: usize = 4;

/// `external = { … }`: a signer over https.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalConfig {
    /// Where it is asked. A private address or another port than 443 needs `[[fetch.allow]]`.
    pub url: String,
    /// What it calls the key.
    pub key: String,
    /// File with the secret that signs the questions, `whsec_…`.
    pub secret_file: PathBuf,
    /// The public key, PEM.
    pub public_key_file: PathBuf,
    /// How long a signature may take, repetitions included, in milliseconds, 100 to 30000.
    #[serde(default = "super::default_timeout_ms")]
    pub timeout_ms: u64,
}

pub(super) struct ExternalSigner {
    key: String,
    public: PublicKey,
    system: System,
    fetcher: Fetcher,
    permits: Arc<Semaphore>,
}

impl ExternalSigner {
    pub(super) fn open(config: &ExternalConfig, fetcher: Fetcher) -> Result<Self, OpenSignerError> {
        let ExternalConfig {
            url,
            key,
            secret_file: secret,
            public_key_file,
            timeout_ms,
        } = config;
        fetcher
            .allows(url)
            .map_err(|refused| OpenSignerError::Fetch(refused.into()))?;
        let secret = secret_file("external.secret", secret)?;
        let secret = WebhookSecret::parse(&secret).ok_or(OpenSignerError::Secret)?;
        let patience = timeout(*timeout_ms)?;
        Ok(Self {
            key: key.clone(),
            public: public_key(public_key_file)?,
            system: System {
                url: url.clone(),
                secrets: Secrets::of(secret, None),
                // One try that hangs leaves time for another.
                timeout: patience / 2,
                patience,
            },
            fetcher,
            permits: Arc::new(Semaphore::new(AT_ONCE)),
        })
    }
}

#[async_trait::async_trait]
impl Elsewhere for ExternalSigner {
    const PLACE: &'static str = "external";

    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Asks, again where that may help, until the time is up.
    async fn ask(&self, message: &[u8]) -> Result<Vec<u8>, Outcome> {
        let until = Instant::now() + self.system.patience;
        let permit = tokio::time::timeout_at(until, self.permits.acquire()).await;
        let _permit = permit.map_err(|_| Outcome::Unavailable)?;
        let patience = until.saturating_duration_since(Instant::now());
        if patience == Duration::ZERO {
            return Err(Outcome::Unavailable);
        }
        let question = json!({
            "key": self.key,
            "algorithm": self.public.algorithm().name(),
            "data": b64url(message),
        });
        let system = System {
            patience,
            ..self.system.clone()
        };
        let id = format!("sig_{}", random::token(&OsRandom));
        let answer = ask(&self.fetcher, &SystemClock, &system, &id, &question).await;
        let answer = answer.map_err(|error| match error {
            AskError::Fetch(_) | AskError::Status(429 | 500..) => Outcome::Unavailable,
            AskError::Status(_) => Outcome::Refused,
            AskError::Malformed => Outcome::Invalid,
        })?;
        let signature = answer.get("signature").and_then(Value::as_str);
        let signature = signature.and_then(|text| b64url_decode(text).ok());
        checked(&self.public, message, signature.ok_or(Outcome::Invalid)?)
    }
}
