//! The raw primitives of our cryptographic back end: the limit.

use anyhow::{Result, anyhow};
use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    UnparsedPublicKey,
};

/// A P-256 key and what is needed to use it bare.
pub struct Primitives {
    key: EcdsaKeyPair,
    random: SystemRandom,
    signature: Vec<u8>,
}

/// About the size of a credential's signing input.
const MESSAGE: [u8; 1200] = [7; 1200];

impl Primitives {
    /// Generates a key.
    pub fn new() -> Result<Self> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map_err(|_| anyhow!("no key"))?;
        let random = SystemRandom::new();
        let signature = key
            .sign(&random, &MESSAGE)
            .map_err(|_| anyhow!("no signature"))?
            .as_ref()
            .to_vec();
        Ok(Self {
            key,
            random,
            signature,
        })
    }

    /// One ES256 signature.
    pub fn sign(&self) -> Result<()> {
        let signature = self
            .key
            .sign(&self.random, &MESSAGE)
            .map_err(|_| anyhow!("no signature"))?;
        std::hint::black_box(signature);
        Ok(())
    }

    /// One ES256 verification.
    pub fn verify(&self) -> Result<()> {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.key.public_key().as_ref())
            .verify(&MESSAGE, &self.signature)
            .map_err(|_| anyhow!("a good signature was refused"))
    }

    /// One SHA-256 of a disclosure's length.
    pub fn hash(&self) -> Result<()> {
        std::hint::black_box(digest::digest(
            &digest::SHA256,
            std::hint::black_box(&MESSAGE[..64]),
        ));
        Ok(())
    }
}
