//! Where signing keys are: in a file, in a file under a passphrase, behind an external signer, in a
//! PKCS#11 module.
//!
//! Every place gives a [`Signer`]. A signature that was made elsewhere is checked with the public
//! key before anybody sees it. A key that cannot sign now is [`Unavailable`]: whoever waits may try
//! again, and nothing was used up.

mod elsewhere;
pub mod encrypted;
mod external;
#[cfg(feature = "pkcs11")]
mod pkcs11;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use pkcs8::der::Document;
use serde::Deserialize;
use vouchsafe_credentials::crypto::{
    AwsLc, AwsLcSigningKey, CryptoProvider as _, PublicKey, Signer, SignerError, SigningKey,
};
use zeroize::Zeroizing;

use self::elsewhere::Asked;
use self::encrypted::{EncryptedKeyError, Passphrase};
use crate::config::{DevConfig, FetchConfig};
use crate::fetch::{FetchError, Fetcher};
use crate::keys::{KeyError, secret_text};

pub use external::ExternalConfig;

/// `pkcs11 = { … }`: a key in a module.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pkcs11Config {
    /// The module's library, such as `/usr/lib/softhsm/libsofthsm2.so`.
    pub module: PathBuf,
    /// The label of the token.
    pub token: String,
    /// The label of the key (`CKA_LABEL`).
    #[serde(default)]
    pub key: Option<String>,
    /// The id of the key in hex (`CKA_ID`).
    #[serde(default)]
    pub key_id: Option<String>,
    /// File with the PIN of the user.
    pub pin_file: PathBuf,
    /// Public key in PEM, where the token does not hold it.
    #[serde(default)]
    pub public_key_file: Option<PathBuf>,
    /// Sessions at once, 1 to 64.
    #[serde(default = "default_sessions")]
    pub sessions: u8,
    /// How long a signature may take, in milliseconds, 100 to 30000.
    #[serde(default = "default_timeout_ms")]
    pub timeout_ms: u64,
}

const fn default_sessions() -> u8 {
    4
}

const fn default_timeout_ms() -> u64 {
    5_000
}

/// A time limit of a configuration.
fn timeout(ms: u64) -> Result<Duration, OpenSignerError> {
    let good = (100..=30_000).contains(&ms);
    good.then(|| Duration::from_millis(ms))
        .ok_or(OpenSignerError::Setting("`timeout_ms` is 100 to 30000"))
}

/// Where one key is, as a configuration says it: exactly one place.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// PKCS#8 PEM by value.
    pub key: Option<&'a str>,
    /// PKCS#8 PEM in a file.
    pub key_file: Option<&'a Path>,
    /// File with the passphrase of the key.
    pub passphrase_file: Option<&'a Path>,
    /// Environment variable with the passphrase of the key.
    pub passphrase_environment: Option<&'a str>,
    /// An external signer.
    pub external: Option<&'a ExternalConfig>,
    /// A PKCS#11 module.
    pub pkcs11: Option<&'a Pkcs11Config>,
}

/// Why there is no signer. No text contains key material.
#[derive(Debug, thiserror::Error)]
pub enum OpenSignerError {
    /// None or several places.
    #[error("give one of key, key_file, external and pkcs11")]
    Place,
    /// The file.
    #[error(transparent)]
    File(#[from] KeyError),
    /// Not a private key of ours.
    #[error("the key is not a P-256 or Ed25519 key in PKCS#8 PEM")]
    PrivateKey,
    /// The key is encrypted, and there is no passphrase.
    #[error("the key is encrypted: give key_passphrase_file or key_passphrase_environment")]
    NoPassphrase,
    /// A passphrase for a key that is not encrypted: somebody believes that it is.
    #[error("there is a passphrase, and the key is not encrypted")]
    NotEncrypted,
    /// The encrypted key.
    #[error(transparent)]
    Encrypted(#[from] EncryptedKeyError),
    /// The public key of a key elsewhere.
    #[error("the public key is not a P-256 or Ed25519 key in PEM (`PUBLIC KEY`)")]
    PublicKey,
    /// The secret that is shared with an external signer.
    #[error("the secret of the external signer is not `whsec_` and base64 of 24 to 64 bytes")]
    Secret,
    /// A setting out of range.
    #[error("{0}")]
    Setting(&'static str),
    /// Outbound requests.
    #[error("the external signer cannot be asked: {0}")]
    Fetch(#[from] FetchError),
    /// The module is not part of this build.
    #[error("this program was built without PKCS#11 (feature `pkcs11`)")]
    NoPkcs11,
    /// The module, the token or the key.
    #[error("the PKCS#11 module: {0}")]
    Pkcs11(String),
}

/// A key cannot sign now. Nothing was signed; a later try may succeed.
#[derive(Debug, thiserror::Error)]
#[error("the signing key is not available: {0}")]
pub struct Unavailable(pub(crate) &'static str);

/// Whether a failure comes from a key that cannot sign now.
pub fn is_unavailable(error: &(dyn std::error::Error + 'static)) -> bool {
    let chain = std::iter::successors(Some(error), |error| error.source());
    let mut chain = chain.take(16);
    chain.any(|error| error.is::<Unavailable>())
}

impl Place<'_> {
    /// Opens the key.
    pub fn open(
        &self,
        fetch: &FetchConfig,
        dev: &DevConfig,
    ) -> Result<Arc<dyn Signer>, OpenSignerError> {
        match (self.external, self.pkcs11) {
            (None, None) => self.software(),
            (Some(external), None) if self.has_no_file() => {
                let fetcher = Fetcher::new(fetch, dev)?;
                let signer = external::ExternalSigner::open(external, fetcher)?;
                Ok(Arc::new(Asked::new(signer)))
            }
            (None, Some(config)) if self.has_no_file() => pkcs11_signer(config),
            (_, _) => Err(OpenSignerError::Place),
        }
    }

    fn has_no_file(&self) -> bool {
        let passphrase = self.passphrase_file.is_some() || self.passphrase_environment.is_some();
        self.key.is_none() && self.key_file.is_none() && !passphrase
    }

    fn software(&self) -> Result<Arc<dyn Signer>, OpenSignerError> {
        if self.key.is_some() == self.key_file.is_some() {
            return Err(OpenSignerError::Place);
        }
        let pem = secret_text("key", self.key, self.key_file)?;
        let key = private_key(&pem, self.passphrase()?.as_ref())?;
        let signer = AwsLcSigningKey::new(&key).map_err(|_| OpenSignerError::PrivateKey)?;
        Ok(Arc::new(signer))
    }

    fn passphrase(&self) -> Result<Option<Passphrase>, OpenSignerError> {
        match (self.passphrase_file, self.passphrase_environment) {
            (None, None) => Ok(None),
            (Some(path), None) => Ok(Some(Passphrase::from_file(path)?)),
            (None, Some(name)) => match Passphrase::from_environment(name) {
                Some(passphrase) => Ok(Some(passphrase)),
                None => Err(OpenSignerError::NoPassphrase),
            },
            (Some(_), Some(_)) => Err(OpenSignerError::Setting(
                "give one of key_passphrase_file and key_passphrase_environment",
            )),
        }
    }
}

/// Reads a private key in PKCS#8 PEM, plain or encrypted.
pub fn private_key(
    pem: &str,
    passphrase: Option<&Passphrase>,
) -> Result<SigningKey, OpenSignerError> {
    match (encrypted::is_encrypted(pem), passphrase) {
        (false, None) => SigningKey::from_pkcs8_pem(pem),
        (true, Some(passphrase)) => {
            let der = encrypted::decrypt(pem, passphrase)?;
            SigningKey::from_pkcs8_der(der.as_bytes())
        }
        (true, None) => return Err(OpenSignerError::NoPassphrase),
        (false, Some(_)) => return Err(OpenSignerError::NotEncrypted),
    }
    .map_err(|_| OpenSignerError::PrivateKey)
}

#[cfg(feature = "pkcs11")]
fn pkcs11_signer(config: &Pkcs11Config) -> Result<Arc<dyn Signer>, OpenSignerError> {
    Ok(Arc::new(Asked::new(pkcs11::Pkcs11Signer::open(config)?)))
}

#[cfg(not(feature = "pkcs11"))]
fn pkcs11_signer(_: &Pkcs11Config) -> Result<Arc<dyn Signer>, OpenSignerError> {
    Err(OpenSignerError::NoPkcs11)
}

/// A public key in PEM.
fn public_key(path: &Path) -> Result<PublicKey, OpenSignerError> {
    let pem = std::fs::read_to_string(path).map_err(|source| KeyError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let (label, document) =
        Document::from_pem(pem.trim()).map_err(|_| OpenSignerError::PublicKey)?;
    if label != "PUBLIC KEY" {
        return Err(OpenSignerError::PublicKey);
    }
    PublicKey::from_spki_der(document.as_bytes()).map_err(|_| OpenSignerError::PublicKey)
}

/// A secret of a file, for the modules here.
fn secret_file(name: &'static str, path: &Path) -> Result<Zeroizing<String>, OpenSignerError> {
    Ok(secret_text(name, None, Some(path))?)
}

/// How a signature that was asked for elsewhere ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Signed,
    /// Out of reach, out of time, or too many are waiting.
    Unavailable,
    /// It refused.
    Refused,
    /// What came is no signature of this key.
    Invalid,
    /// It gave no signature some times in a row and was not asked.
    Resting,
}

impl Outcome {
    const fn label(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Unavailable => "unavailable",
            Self::Refused => "refused",
            Self::Invalid => "invalid",
            Self::Resting => "resting",
        }
    }
}

fn count(place: &'static str, outcome: Outcome) {
    let outcome = outcome.label();
    metrics::counter!("vouchsafe_signatures_total", "place" => place, "outcome" => outcome)
        .increment(1);
}

/// Lets through what the public key says is its signature.
fn checked(key: &PublicKey, message: &[u8], signature: Vec<u8>) -> Result<Vec<u8>, Outcome> {
    let good = AwsLc.verify(key, message, &signature).is_ok();
    good.then_some(signature).ok_or(Outcome::Invalid)
}

/// What a signer says when a signature could not be had.
fn failed(place: &'static str, outcome: Outcome) -> SignerError {
    let reason = match outcome {
        Outcome::Signed | Outcome::Unavailable => "no answer in time",
        Outcome::Refused => "it refused",
        Outcome::Invalid => "what it answered is no signature of the key",
        Outcome::Resting => "it gave no signatures and is asked again in a moment",
    };
    tracing::warn!(place, outcome = outcome.label(), "no signature");
    SignerError(Box::new(Unavailable(reason)))
}
