//! Issuers in whose name the service signs.

use std::sync::Arc;

use serde_json::Value;
use vouchsafe_credentials::crypto::multikey::Multikey;
use vouchsafe_credentials::crypto::{AwsLcSigningKey, Signer, SignerError, SigningKey};
use vouchsafe_credentials::data_integrity::{BbsSigner, SuiteSigner, Suites};

use vouchsafe_credentials_jsonld::bbs::{self, SecretKey};
use zeroize::Zeroizing;

use super::config::IdentityConfig;
use crate::config::{ConfigError, SecretText};
use crate::keys::secret_text;

/// The suite whose key is a BLS12-381 key.
const BBS: &str = "bbs-2023";

/// A private key.
#[derive(Clone)]
pub(crate) enum Key {
    /// Ed25519 and ECDSA.
    Signature(Arc<dyn Signer>),
    /// BBS.
    Bbs(Arc<dyn BbsSigner>),
}

impl Key {
    pub(super) fn signer(&self) -> SuiteSigner<'_> {
        match self {
            Self::Signature(signer) => SuiteSigner::Signature(&**signer),
            Self::Bbs(signer) => SuiteSigner::Bbs(&**signer),
        }
    }

    fn public(&self) -> Multikey {
        match self {
            Self::Signature(signer) => Multikey::Signature(signer.public_key().clone()),
            Self::Bbs(signer) => Multikey::Bls12381G2(*signer.public_key()),
        }
    }
}

/// An issuer, its key and its suites.
#[derive(Clone)]
pub(crate) struct Identity {
    /// The issuer as credentials name it.
    pub id: String,
    /// The URL of its key.
    pub verification_method: String,
    /// At least one.
    pub cryptosuites: Vec<String>,
    pub key: Key,
    pub mandatory_pointers: Vec<String>,
    pub status: bool,
}

impl Identity {
    /// Reads the key and checks that its suites exist.
    pub(super) fn load(config: &IdentityConfig, suites: &Suites) -> Result<Self, ConfigError> {
        let wrong = |problem: &str| ConfigError::setting("vc_api.identity", problem);
        let IdentityConfig {
            id,
            verification_method,
            cryptosuites,
            key,
            key_file,
            mandatory_pointers,
            status,
        } = config;
        if cryptosuites.iter().any(|name| suites.get(name).is_none()) {
            return Err(wrong("an unknown cryptosuite"));
        }
        let text = secret_text(
            "vc_api.identity.key",
            key.as_ref().map(SecretText::expose),
            key_file.as_deref(),
        )?;
        let bbs = cryptosuites.iter().any(|name| name == BBS);
        if bbs && cryptosuites.len() > 1 {
            return Err(wrong("bbs-2023 needs an identity of its own"));
        }
        let key = match bbs {
            true => bbs_key(&text).ok_or_else(|| wrong("not a BLS12-381 secret as Multikey"))?,
            false => signature_key(&text)
                .ok_or_else(|| wrong("the key is not a signature key in PKCS#8 PEM"))?,
        };
        let multikey = key.public().encode();
        let own = format!("did:key:{multikey}");
        Ok(Self {
            verification_method: verification_method
                .clone()
                .unwrap_or_else(|| format!("{own}#{multikey}")),
            id: id.clone().unwrap_or(own),
            cryptosuites: cryptosuites.clone(),
            key,
            mandatory_pointers: mandatory_pointers.clone(),
            status: *status,
        })
    }
}

fn signature_key(pem: &str) -> Option<Key> {
    let key = SigningKey::from_pkcs8_pem(pem).ok()?;
    let signer = AwsLcSigningKey::new(&key).ok()?;
    Some(Key::Signature(Arc::new(signer)))
}

/// A BLS12-381 secret in software that signs for the suite.
struct BbsKey {
    secret: SecretKey,
    public: [u8; 96],
}

#[async_trait::async_trait]
impl BbsSigner for BbsKey {
    fn public_key(&self) -> &[u8; 96] {
        &self.public
    }

    async fn sign(&self, header: &[u8], messages: &[Vec<u8>]) -> Result<[u8; 80], SignerError> {
        let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        bbs::sign(&self.secret, header, &messages)
            .map(|signature| signature.to_bytes())
            .map_err(|error| SignerError(Box::new(error)))
    }
}

/// `secretKeyMultibase` of a BLS12-381 key in G2 (multicodec `bls12_381-g2-priv`).
fn bbs_key(text: &str) -> Option<Key> {
    const PREFIX: [u8; 2] = [0x8a, 0x26];
    if !text.starts_with('z') || text.len() > 64 {
        return None;
    }
    let bytes = Zeroizing::new(multibase::decode(text).ok()?.1);
    let scalar = bytes.strip_prefix(&PREFIX)?.try_into().ok()?;
    let secret = SecretKey::from_bytes(scalar).ok()?;
    let public = *secret.public_key().as_bytes();
    Some(Key::Bbs(Arc::new(BbsKey { secret, public })))
}

/// `issuer` of a credential: a string, or the `id` of an object (VCDM 2.0, section 4.7).
pub(super) fn issuer_of(credential: &Value) -> Option<&str> {
    match credential.get("issuer")? {
        Value::String(id) => Some(id),
        Value::Object(issuer) => issuer.get("id")?.as_str(),
        _ => None,
    }
}
