//! JOSE with foreign parties, on `josekit`: ID tokens, logout tokens, key sets, and JWEs whose
//! algorithms are wider than ours.
//!
//! Credentials, proofs and request objects are not made here but in `vouchsafe_credentials`.

pub mod jwe;
mod key;
mod rsa;
mod verify;

#[cfg(test)]
mod peer_tests;
#[cfg(test)]
mod tests;

pub use key::{JwtKey, KeySet, SigningAlg};
pub use verify::{Expected, Expiry, Jwks, TypeRule, VerifiedJwt, numeric_date, verify};

/// Why a token was not made or not accepted. No text contains anything of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    /// The key does not parse, is too short, or is of another kind.
    #[error("the key is not a private key of the expected kind and size")]
    Key,
    /// Signing failed.
    #[error("the token could not be signed")]
    Signing,
    /// Not three (JWS) or five (JWE) parts of base64url, or a header that is not acceptable JSON.
    #[error("the token is malformed")]
    Malformed,
    /// The token is longer than allowed.
    #[error("the token is too long")]
    TooLong,
    /// The algorithm is not one that is accepted here.
    #[error("the algorithm is not accepted")]
    Algorithm,
    /// The header has a parameter that is not accepted: `crit`, `zip`, `jwk`, `x5c`, `jku`, `x5u`.
    #[error("the header has a parameter that is not accepted")]
    HeaderParameter,
    /// Another `typ` than expected.
    #[error("the type is not the expected one")]
    Type,
    /// No key of the set fits.
    #[error("no key fits the token")]
    NoKey,
    /// The signature, or the authentication of the ciphertext, is wrong.
    #[error("the token is not authentic")]
    NotAuthentic,
    /// A claim is missing or has the wrong type.
    #[error("a claim is missing or has the wrong type")]
    Claim,
    /// Another issuer than expected.
    #[error("the issuer is not the expected one")]
    Issuer,
    /// Another audience than expected.
    #[error("the audience is not the expected one")]
    Audience,
    /// Expired, or not yet valid.
    #[error("the token is not valid at this time")]
    Time,
}
