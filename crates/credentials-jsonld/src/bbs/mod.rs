//! The BBS signature scheme (draft-irtf-cfrg-bbs-signatures, ciphersuite BLS12-381-SHA-256).
//!
//! One signature over many messages; its holder proves to know it and discloses some
//! of the messages, and two such proofs cannot be linked to each other.
//!
//! The curve arithmetic is `blstrs` over `blst`. Every point that comes from outside is
//! checked: on the curve, in the subgroup, not the identity, canonical encoding; every
//! scalar is between 1 and `r - 1`.
//!
//! Whatever multiplies with the secret key takes the same time for every key. The two
//! sums over all messages in [`proof_gen`] use variable-time multiplication: they run
//! on the holder's own device.
//!
//! ```
//! use vouchsafe_credentials::testing::SeededRng;
//! use vouchsafe_credentials_jsonld::bbs::{self, SecretKey};
//!
//! let key = SecretKey::key_gen(&[7; 32], b"example")?;
//! let messages: [&[u8]; 3] = [b"name", b"birth date", b"over 18"];
//! let signature = bbs::sign(&key, b"header", &messages)?;
//!
//! // The holder discloses the last message only.
//! let rng = SeededRng::new(1);
//! let proof = bbs::proof_gen(
//!     &key.public_key(), &signature, b"header", b"for this verifier", &messages, &[2], &rng,
//! )?;
//! bbs::proof_verify(
//!     &key.public_key(), &proof, b"header", b"for this verifier", &[(2, b"over 18")],
//! )?;
//! # Ok::<(), bbs::BbsError>(())
//! ```

mod ciphersuite;
#[cfg(test)]
mod fixtures;
mod generators;
mod keys;
mod proof;
mod signature;
mod tables;
#[cfg(test)]
mod tests;

pub use ciphersuite::expand_message;
pub use keys::{PublicKey, SecretKey};
pub use proof::{proof_gen, proof_gen_verified, proof_verify};
pub use signature::{Signature, sign, verify};

/// Most messages under one signature. Bounds the work that a proof can ask for.
pub const MAX_MESSAGES: usize = 1024;

/// Bytes of a public key: a compressed point of G2.
pub const PUBLIC_KEY_LENGTH: usize = 96;

/// Bytes of a signature: a compressed point of G1 and a scalar.
pub const SIGNATURE_LENGTH: usize = 80;

/// Why a BBS operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BbsError {
    /// Too short key material, key information too long, or a scalar out of range.
    #[error("invalid BBS secret key")]
    SecretKey,
    /// Not a point of G2, not in the subgroup, the identity, or another encoding.
    #[error("invalid BBS public key")]
    PublicKey,
    /// A signature that cannot be one: length, point or scalar.
    #[error("malformed BBS signature")]
    MalformedSignature,
    /// A proof that cannot be one: length, points or scalars.
    #[error("malformed BBS proof")]
    MalformedProof,
    /// More messages than [`MAX_MESSAGES`].
    #[error("too many messages for one BBS signature")]
    TooManyMessages,
    /// Indexes that are not ascending or name no message.
    #[error("invalid indexes of disclosed messages")]
    Indexes,
    /// The signature does not belong to this key, header and messages.
    #[error("BBS signature verification failed")]
    BadSignature,
    /// The proof does not belong to this key, header, presentation header and messages.
    #[error("BBS proof verification failed")]
    BadProof,
}

impl BbsError {
    /// A stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::SecretKey => "bbs_invalid_secret_key",
            Self::PublicKey => "bbs_invalid_public_key",
            Self::MalformedSignature => "bbs_malformed_signature",
            Self::MalformedProof => "bbs_malformed_proof",
            Self::TooManyMessages => "bbs_too_many_messages",
            Self::Indexes => "bbs_invalid_indexes",
            Self::BadSignature => "bbs_bad_signature",
            Self::BadProof => "bbs_bad_proof",
        }
    }
}
