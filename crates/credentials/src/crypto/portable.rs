//! Cryptography that builds everywhere.

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes128Gcm, Aes256Gcm, KeyInit};
use zeroize::Zeroizing;

use super::{
    AgreementKey, CertificateAlgorithm, CryptoError, CryptoProvider, KeyMaterial, PublicKey, curve,
};
use crate::random::Rng;

/// Portable cryptography: `ed25519-dalek`, `p256`, `p384`, `p521`, `aes-gcm`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Portable;

impl CryptoProvider for Portable {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        match key.material() {
            KeyMaterial::P256(point) => curve::p256::verify_fixed(point, message, signature),
            KeyMaterial::P384(point) => curve::p384::verify_fixed(point, message, signature),
            KeyMaterial::P521(point) => curve::p521::verify_fixed(point, message, signature),
            KeyMaterial::Ed25519(key) => verify_ed25519(key, message, signature),
        }
    }

    fn verify_certificate(
        &self,
        algorithm: CertificateAlgorithm,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        match algorithm {
            CertificateAlgorithm::EcdsaP256Sha256 => {
                curve::p256::verify_der(key, message, signature)
            }
            CertificateAlgorithm::EcdsaP384Sha384 => {
                curve::p384::verify_der(key, message, signature)
            }
            CertificateAlgorithm::EcdsaP521Sha512 => {
                curve::p521::verify_der(key, message, signature)
            }
            CertificateAlgorithm::Ed25519 => {
                // The same strictness as for tokens.
                let key = PublicKey::from_ed25519(key).map_err(|_| CryptoError::BadKey)?;
                self.verify(&key, message, signature)
            }
        }
    }

    fn generate_agreement_key(&self, rng: &dyn Rng) -> AgreementKey {
        AgreementKey::generate(rng)
    }

    fn ecdh(
        &self,
        private: &AgreementKey,
        peer: &PublicKey,
    ) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
        let KeyMaterial::P256(point) = peer.material() else {
            return Err(CryptoError::BadKey);
        };
        let peer = p256::PublicKey::from_sec1_bytes(point).map_err(|_| CryptoError::BadKey)?;
        let shared = private.secret_key().diffie_hellman(&peer);
        Ok(Zeroizing::new((*shared.raw_secret_bytes()).into()))
    }

    fn aes_gcm_seal(
        &self,
        key: &[u8],
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; 16], CryptoError> {
        let tag = match key.len() {
            16 => {
                cipher::<Aes128Gcm>(key)?.encrypt_inout_detached(nonce.into(), aad, buffer.into())
            }
            32 => {
                cipher::<Aes256Gcm>(key)?.encrypt_inout_detached(nonce.into(), aad, buffer.into())
            }
            _ => return Err(CryptoError::BadKey),
        };
        tag.map(Into::into).map_err(|_| CryptoError::BadCiphertext)
    }

    fn aes_gcm_open(
        &self,
        key: &[u8],
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), CryptoError> {
        let (nonce, tag, buffer) = (nonce.into(), tag.into(), buffer.into());
        let opened = match key.len() {
            16 => cipher::<Aes128Gcm>(key)?.decrypt_inout_detached(nonce, aad, buffer, tag),
            32 => cipher::<Aes256Gcm>(key)?.decrypt_inout_detached(nonce, aad, buffer, tag),
            _ => return Err(CryptoError::BadKey),
        };
        opened.map_err(|_| CryptoError::BadCiphertext)
    }
}

fn cipher<C: KeyInit>(key: &[u8]) -> Result<C, CryptoError> {
    C::new_from_slice(key).map_err(|_| CryptoError::BadKey)
}

fn verify_ed25519(key: &[u8; 32], message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(key).map_err(|_| CryptoError::BadKey)?;
    let signature =
        ed25519_dalek::Signature::from_slice(signature).map_err(|_| CryptoError::BadSignature)?;
    key.verify_strict(message, &signature)
        .map_err(|_| CryptoError::BadSignature)
}
