//! Certificate signatures for the path builder, by way of the [`CryptoProvider`].

use rustls_pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};

use crate::crypto::{CertificateAlgorithm, CryptoProvider};

/// One algorithm over a provider.
#[derive(Debug)]
pub(super) struct Algorithm<'p> {
    pub kind: CertificateAlgorithm,
    pub provider: &'p dyn CryptoProvider,
}

/// All accepted algorithms. No RSA, no SHA-1, no other curves.
pub(super) fn all(provider: &dyn CryptoProvider) -> [Algorithm<'_>; 4] {
    [
        CertificateAlgorithm::EcdsaP256Sha256,
        CertificateAlgorithm::EcdsaP384Sha384,
        CertificateAlgorithm::EcdsaP521Sha512,
        CertificateAlgorithm::Ed25519,
    ]
    .map(|kind| Algorithm { kind, provider })
}

impl SignatureVerificationAlgorithm for Algorithm<'_> {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        self.provider
            .verify_certificate(self.kind, public_key, message, signature)
            .map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        match self.kind {
            CertificateAlgorithm::EcdsaP256Sha256 => alg_id::ECDSA_P256,
            CertificateAlgorithm::EcdsaP384Sha384 => alg_id::ECDSA_P384,
            CertificateAlgorithm::EcdsaP521Sha512 => alg_id::ECDSA_P521,
            CertificateAlgorithm::Ed25519 => alg_id::ED25519,
        }
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        match self.kind {
            CertificateAlgorithm::EcdsaP256Sha256 => alg_id::ECDSA_SHA256,
            CertificateAlgorithm::EcdsaP384Sha384 => alg_id::ECDSA_SHA384,
            CertificateAlgorithm::EcdsaP521Sha512 => alg_id::ECDSA_SHA512,
            CertificateAlgorithm::Ed25519 => alg_id::ED25519,
        }
    }
}
