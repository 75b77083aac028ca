//! The raw primitives of our cryptographic back end: the limit.

use anyhow::{Result, anyhow};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey as AgreementPublicKey, agree};
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
    other_side: Vec<u8>,
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
            other_side: PrivateKey::generate(&ECDH_P256)
                .and_then(|key| key.compute_public_key())
                .map_err(|_| anyhow!("no agreement key"))?
                .as_ref()
                .to_vec(),
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

    /// One P-256 key with its public half, and one agreement with it.
    pub fn agree(&self) -> Result<()> {
        let failed = |_| anyhow!("no agreement");
        let key = PrivateKey::generate(&ECDH_P256).map_err(failed)?;
        std::hint::black_box(key.compute_public_key().map_err(failed)?);
        let peer = AgreementPublicKey::new(&ECDH_P256, &self.other_side);
        agree(&key, peer, anyhow!("no agreement"), |secret| {
            std::hint::black_box(secret);
            Ok(())
        })
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
