//! The key of a signer of trusted lists. Operators sign with RSA as often as with ECDSA.

use rsa::pkcs1v15;
use rsa::pkcs8::DecodePublicKey as _;
use rsa::signature::hazmat::PrehashVerifier as _;
use rsa::traits::PublicKeyParts as _;
use x509_cert::Certificate;
use x509_cert::der::{Decode as _, Encode as _};

use super::{ListPolicy, TrustListError};
use crate::crypto::{Algorithm, CryptoProvider, PublicKey, sha256, sha384, sha512};
use crate::x509::{Chain, Role, X509Error, verify_chain};

/// Smallest accepted RSA key (ETSI TS 119 312), in bits.
const RSA_MIN_BITS: u32 = 2048;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// A signature method of XML Signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Method {
    rsa: bool,
    hash: Hash,
}

impl Method {
    /// RSASSA-PKCS1-v1_5 and ECDSA with SHA-2 (RFC 9231).
    pub(super) fn from_uri(uri: &str) -> Option<Self> {
        let name = uri.strip_prefix("http://www.w3.org/2001/04/xmldsig-more#")?;
        let (family, hash) = name.split_once('-')?;
        Some(Self {
            rsa: match family {
                "rsa" => true,
                "ecdsa" => false,
                _ => return None,
            },
            hash: match hash {
                "sha256" => Hash::Sha256,
                "sha384" => Hash::Sha384,
                "sha512" => Hash::Sha512,
                _ => return None,
            },
        })
    }
}

/// A key that may sign lists.
pub(super) enum SignerKey {
    Ec(PublicKey),
    Rsa(Box<rsa::PublicKey>),
}

impl SignerKey {
    /// The key of the first certificate: a listed signer with any key, or one with a chain to
    /// an anchor (no RSA in chains).
    pub(super) fn trusted(
        certificates: Vec<Vec<u8>>,
        policy: &ListPolicy<'_>,
        provider: &dyn CryptoProvider,
    ) -> Result<Self, TrustListError> {
        let leaf = certificates.first();
        let leaf = leaf.ok_or(TrustListError::SignatureForm("no certificate"))?;
        match policy
            .operators
            .is_signer(leaf, Role::ListOperator, policy.now)
        {
            Some(Ok(())) => return Self::of(leaf).map_err(TrustListError::Signer),
            Some(Err(error)) => return Err(TrustListError::Signer(error)),
            None => {}
        }
        let chain = Chain::from_der(certificates).map_err(TrustListError::Signer)?;
        let (operators, now) = (policy.operators, policy.now);
        verify_chain(&chain, operators, Role::ListOperator, now, provider)
            .map(|certificate| Self::Ec(certificate.public_key().clone()))
            .map_err(TrustListError::Signer)
    }

    fn of(der: &[u8]) -> Result<Self, X509Error> {
        let certificate = Certificate::from_der(der).map_err(|_| X509Error::Malformed)?;
        let spki = certificate.tbs_certificate().subject_public_key_info();
        let spki = spki.to_der().map_err(|_| X509Error::Malformed)?;
        if let Ok(key) = PublicKey::from_spki_der(&spki) {
            return Ok(Self::Ec(key));
        }
        let key = rsa::PublicKey::from_public_key_der(&spki);
        let key = key.map_err(|_| X509Error::UnsupportedKey)?;
        if key.n().bit_width_vartime() < RSA_MIN_BITS {
            return Err(X509Error::UnsupportedKey);
        }
        Ok(Self::Rsa(Box::new(key)))
    }

    /// Checks a signature: PKCS #1 v1.5, or `r || s` (RFC 4050, section 3.3).
    pub(super) fn verify(
        &self,
        method: Method,
        message: &[u8],
        signature: &[u8],
        provider: &dyn CryptoProvider,
    ) -> Result<(), TrustListError> {
        let fits = match self {
            Self::Ec(key) => {
                // XML Signature fixes the hash apart from the curve; here they go together.
                let hash = match key.algorithm() {
                    Algorithm::Es256 => Some(Hash::Sha256),
                    Algorithm::Es384 => Some(Hash::Sha384),
                    Algorithm::Es512 => Some(Hash::Sha512),
                    _ => None,
                };
                let agreed = !method.rsa && hash == Some(method.hash);
                agreed && provider.verify(key, message, signature).is_ok()
            }
            Self::Rsa(key) => method.rsa && verify_rsa(key, method.hash, message, signature),
        };
        if fits {
            Ok(())
        } else {
            Err(TrustListError::Signature)
        }
    }
}

fn verify_rsa(key: &rsa::PublicKey, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
    let Ok(signature) = pkcs1v15::Signature::try_from(signature) else {
        return false;
    };
    let key = key.clone();
    match hash {
        Hash::Sha256 => pkcs1v15::VerifyingKey::<sha2::Sha256>::new(key)
            .verify_prehash(&sha256(message), &signature),
        Hash::Sha384 => pkcs1v15::VerifyingKey::<sha2::Sha384>::new(key)
            .verify_prehash(&sha384(message), &signature),
        Hash::Sha512 => pkcs1v15::VerifyingKey::<sha2::Sha512>::new(key)
            .verify_prehash(&sha512(message), &signature),
    }
    .is_ok()
}
