//! Private keys of issuers, of every type that a cryptosuite signs with.

use std::sync::Arc;

use vouchsafe_credentials::crypto::multikey::Multikey;
use vouchsafe_credentials::crypto::{Algorithm, AwsLcSigningKey, Signer, SignerError, SigningKey};
use vouchsafe_credentials::data_integrity::{BbsSigner, SuiteSigner};
use vouchsafe_credentials::random::Rng;
use vouchsafe_credentials_jsonld::bbs::{self, SecretKey};
use zeroize::Zeroizing;

/// The suite whose key is a BLS12-381 key.
pub(super) const BBS: &str = "bbs-2023";
/// Multicodec `bls12_381-g2-priv`.
const BLS_SECRET: [u8; 2] = [0x8a, 0x26];

/// A kind of key that can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// Ed25519, ECDSA on P-256, P-384, P-521.
    Signature(Algorithm),
    /// BLS12-381, for `bbs-2023`.
    Bls12381,
}

/// A private key.
#[derive(Clone)]
pub struct IssuerKey(Key);

#[derive(Clone)]
enum Key {
    Signature(Arc<dyn Signer>),
    Bbs(Arc<dyn BbsSigner>),
}

impl IssuerKey {
    /// Makes a key and returns its text, as [`Self::read`] reads it.
    #[must_use]
    pub fn generate(kind: KeyType, rng: &dyn Rng) -> Zeroizing<String> {
        match kind {
            KeyType::Signature(algorithm) => SigningKey::generate(algorithm, rng).to_pkcs8_pem(),
            KeyType::Bls12381 => {
                let secret = SecretKey::generate(rng).to_bytes();
                let bytes = Zeroizing::new([&BLS_SECRET[..], &*secret].concat());
                let text = multibase::encode(multibase::Base::Base58Btc, &*bytes);
                Zeroizing::new(format!("{text}\n"))
            }
        }
    }

    /// Reads PKCS#8 PEM, or the base58btc Multikey of a BLS12-381 secret. `None`: neither.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        match text.starts_with('z') {
            true => bbs_key(text),
            false => signature_key(text),
        }
    }

    /// What a cryptosuite signs with.
    #[must_use]
    pub fn signer(&self) -> SuiteSigner<'_> {
        match &self.0 {
            Key::Signature(signer) => SuiteSigner::Signature(&**signer),
            Key::Bbs(signer) => SuiteSigner::Bbs(&**signer),
        }
    }

    /// The signer, unless it is a BLS12-381 key.
    #[must_use]
    pub fn signature_signer(&self) -> Option<&dyn Signer> {
        match &self.0 {
            Key::Signature(signer) => Some(&**signer),
            Key::Bbs(_) => None,
        }
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> Multikey {
        match &self.0 {
            Key::Signature(signer) => Multikey::Signature(signer.public_key().clone()),
            Key::Bbs(signer) => Multikey::Bls12381G2(*signer.public_key()),
        }
    }

    /// `did:key:…`.
    #[must_use]
    pub fn did(&self) -> String {
        format!("did:key:{}", self.public().encode())
    }

    /// The URL of the key in the document of its `did:key`.
    #[must_use]
    pub fn verification_method(&self) -> String {
        let multikey = self.public().encode();
        format!("did:key:{multikey}#{multikey}")
    }

    /// The cryptosuite that the key is used with where none is named.
    #[must_use]
    pub fn default_cryptosuite(&self) -> &'static str {
        match &self.0 {
            Key::Bbs(_) => BBS,
            Key::Signature(signer) => match signer.algorithm() {
                Algorithm::EdDsa => "eddsa-rdfc-2022",
                _ => "ecdsa-rdfc-2019",
            },
        }
    }

    pub(super) const fn is_bbs(&self) -> bool {
        matches!(self.0, Key::Bbs(_))
    }
}

impl std::fmt::Debug for IssuerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IssuerKey(…)")
    }
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

fn signature_key(pem: &str) -> Option<IssuerKey> {
    let key = SigningKey::from_pkcs8_pem(pem).ok()?;
    let signer = AwsLcSigningKey::new(&key).ok()?;
    Some(IssuerKey(Key::Signature(Arc::new(signer))))
}

fn bbs_key(text: &str) -> Option<IssuerKey> {
    if text.len() > 64 {
        return None;
    }
    let bytes = Zeroizing::new(multibase::decode(text).ok()?.1);
    let scalar = bytes.strip_prefix(&BLS_SECRET)?.try_into().ok()?;
    let secret = SecretKey::from_bytes(scalar).ok()?;
    let public = *secret.public_key().as_bytes();
    Some(IssuerKey(Key::Bbs(Arc::new(BbsKey { secret, public }))))
}

#[cfg(test)]
mod tests {
    use vouchsafe_credentials::testing::SeededRng;

    use super::*;

    #[test]
    fn keys_are_written_and_read() {
        for (kind, prefix) in [
            (KeyType::Signature(Algorithm::EdDsa), "did:key:z6Mk"),
            (KeyType::Signature(Algorithm::Es256), "did:key:zDn"),
            (KeyType::Signature(Algorithm::Es384), "did:key:z82"),
            (KeyType::Bls12381, "did:key:zUC7"),
        ] {
            let text = IssuerKey::generate(kind, &SeededRng::new(3));
            let key = IssuerKey::read(&text).unwrap();
            assert!(key.did().starts_with(prefix), "{}", key.did());
            assert_eq!(key.is_bbs(), kind == KeyType::Bls12381);
            assert_eq!(format!("{key:?}"), "IssuerKey(…)");
        }
    }

    #[test]
    fn what_is_no_key_is_none() {
        for text in [
            "",
            "z",
            "z488",
            "-----BEGIN PRIVATE KEY-----",
            "z6MkpJySvETLnxhQG9DzEdmKJtysBDjuuTeDfUj1uNNCUqcj",
        ] {
            assert!(IssuerKey::read(text).is_none(), "{text}");
        }
    }
}
