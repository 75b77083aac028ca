//! Cryptography of servers, over `aws-lc-rs`.

use std::fmt;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, ECDH_P256, UnparsedPublicKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED,
    ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED, ECDSA_P521_SHA512_FIXED_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, ParsedPublicKey, VerificationAlgorithm,
};
use zeroize::Zeroizing;

use super::{
    AgreementKey, CertificateAlgorithm, CryptoError, CryptoProvider, KeyError, KeyMaterial,
    PublicKey, Signer, SignerError, SigningKey,
};
use crate::random::Rng;

/// Cryptography of servers: `aws-lc-rs`.
#[derive(Clone, Copy, Debug, Default)]
pub struct AwsLc;

impl CryptoProvider for AwsLc {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        if key.algorithm() == super::Algorithm::EdDsa {
            refuse_small_order(signature)?;
        }
        prepared(key)?
            .verify_sig(message, signature)
            .map_err(|_| CryptoError::BadSignature)
    }

    fn verify_certificate(
        &self,
        algorithm: CertificateAlgorithm,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        let algorithm: &'static dyn VerificationAlgorithm = match algorithm {
            CertificateAlgorithm::EcdsaP256Sha256 => &signature::ECDSA_P256_SHA256_ASN1,
            CertificateAlgorithm::EcdsaP384Sha384 => &signature::ECDSA_P384_SHA384_ASN1,
            CertificateAlgorithm::EcdsaP521Sha512 => &signature::ECDSA_P521_SHA512_ASN1,
            CertificateAlgorithm::Ed25519 => {
                // The same strictness as for tokens.
                PublicKey::from_ed25519(key).map_err(|_| CryptoError::BadKey)?;
                refuse_small_order(signature)?;
                &signature::ED25519
            }
        };
        algorithm
            .verify_sig(key, message, signature)
            .map_err(|_| CryptoError::BadSignature)
    }

    fn generate_agreement_key(&self, rng: &dyn Rng) -> AgreementKey {
        let key = AgreementKey::generate(rng);
        // Where the fast way fails the portable one computes the public half at its first use.
        if let Ok(public) = private_key(&key).and_then(|private| public_half(&private)) {
            key.set_public(public);
        }
        key
    }

    fn ecdh(
        &self,
        private: &AgreementKey,
        peer: &PublicKey,
    ) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
        let KeyMaterial::P256(point) = peer.material() else {
            return Err(CryptoError::BadKey);
        };
        let peer = UnparsedPublicKey::new(&ECDH_P256, point);
        agreement::agree(
            &private_key(private)?,
            peer,
            CryptoError::BadKey,
            |secret| {
                let secret: [u8; 32] = secret.try_into().map_err(|_| CryptoError::BadKey)?;
                Ok(Zeroizing::new(secret))
            },
        )
    }

    fn aes_gcm_seal(
        &self,
        key: &[u8],
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; 16], CryptoError> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let tag = aead_key(key)?
            .seal_in_place_separate_tag(nonce, Aad::from(aad), buffer)
            .map_err(|_| CryptoError::BadCiphertext)?;
        tag.as_ref()
            .try_into()
            .map_err(|_| CryptoError::BadCiphertext)
    }

    fn aes_gcm_open(
        &self,
        key: &[u8],
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), CryptoError> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        aead_key(key)?
            .open_in_place_separate_tag(nonce, Aad::from(aad), tag, buffer)
            .map(drop)
            .map_err(|_| CryptoError::BadCiphertext)
    }
}

/// The parsed key; kept with the key, so a trusted issuer's key is parsed once.
fn prepared(key: &PublicKey) -> Result<&ParsedPublicKey, CryptoError> {
    if let Some(parsed) = key.prepared().get() {
        return Ok(parsed);
    }
    let algorithm: &'static dyn VerificationAlgorithm = match key.material() {
        KeyMaterial::P256(_) => &ECDSA_P256_SHA256_FIXED,
        KeyMaterial::P384(_) => &ECDSA_P384_SHA384_FIXED,
        KeyMaterial::P521(_) => &ECDSA_P521_SHA512_FIXED,
        KeyMaterial::Ed25519(_) => &signature::ED25519,
    };
    let parsed = ParsedPublicKey::new(algorithm, key.material().as_bytes())
        .map_err(|_| CryptoError::BadKey)?;
    Ok(key.prepared().get_or_init(|| parsed))
}

fn private_key(key: &AgreementKey) -> Result<agreement::PrivateKey, CryptoError> {
    agreement::PrivateKey::from_private_key(&ECDH_P256, &*key.to_bytes())
        .map_err(|_| CryptoError::BadKey)
}

fn public_half(private: &agreement::PrivateKey) -> Result<PublicKey, CryptoError> {
    let public = private
        .compute_public_key()
        .map_err(|_| CryptoError::BadKey)?;
    let point = public
        .as_ref()
        .try_into()
        .map_err(|_| CryptoError::BadKey)?;
    Ok(PublicKey::new(KeyMaterial::P256(point)))
}

fn aead_key(key: &[u8]) -> Result<LessSafeKey, CryptoError> {
    let algorithm = match key.len() {
        16 => &AES_128_GCM,
        32 => &AES_256_GCM,
        _ => return Err(CryptoError::BadKey),
    };
    let key = UnboundKey::new(algorithm, key).map_err(|_| CryptoError::BadKey)?;
    Ok(LessSafeKey::new(key))
}

/// y coordinates of the eight points of small order, sign bit cleared.
/// The library compares R with a canonical encoding, so others need not be listed.
pub(super) const SMALL_ORDER: [[u8; 32]; 5] = [
    *b"\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    *b"\xec\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    [0; 32],
    *b"\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05",
    *b"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a",
];

/// The library checks everything `verify_strict` checks but the order of R; keys were checked when they were made.
fn refuse_small_order(signature: &[u8]) -> Result<(), CryptoError> {
    let (r, _s) = signature
        .split_first_chunk::<32>()
        .ok_or(CryptoError::BadSignature)?;
    let mut y = *r;
    y[31] &= 0x7f;
    if SMALL_ORDER.contains(&y) {
        Err(CryptoError::BadSignature)
    } else {
        Ok(())
    }
}

/// A software signing key over `aws-lc-rs`.
pub struct AwsLcSigningKey {
    inner: Inner,
    public: PublicKey,
}

enum Inner {
    Ecdsa(Box<EcdsaKeyPair>, SystemRandom),
    Ed25519(Box<Ed25519KeyPair>),
}

impl AwsLcSigningKey {
    /// The same key, signing with `aws-lc-rs`.
    pub fn new(key: &SigningKey) -> Result<Self, KeyError> {
        let public = key.public_key().clone();
        let secret = key.secret_bytes();
        let ecdsa = |algorithm: &'static EcdsaSigningAlgorithm, point: &[u8]| {
            EcdsaKeyPair::from_private_key_and_public_key(algorithm, &secret, point)
                .map(|pair| Inner::Ecdsa(Box::new(pair), SystemRandom::new()))
        };
        let inner = match public.material() {
            KeyMaterial::P256(point) => ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING, point),
            KeyMaterial::P384(point) => ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING, point),
            KeyMaterial::P521(point) => ecdsa(&ECDSA_P521_SHA512_FIXED_SIGNING, point),
            KeyMaterial::Ed25519(bytes) => Ed25519KeyPair::from_seed_and_public_key(&secret, bytes)
                .map(|pair| Inner::Ed25519(Box::new(pair))),
        };
        let inner = inner.map_err(|_| KeyError::Invalid)?;
        Ok(Self { inner, public })
    }
}

#[async_trait::async_trait]
impl Signer for AwsLcSigningKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let signature = match &self.inner {
            Inner::Ecdsa(pair, rng) => {
                pair.sign(rng, message).map_err(|e| SignerError(e.into()))?
            }
            Inner::Ed25519(pair) => pair.sign(message),
        };
        Ok(signature.as_ref().to_vec())
    }
}

impl fmt::Debug for AwsLcSigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsLcSigningKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}
