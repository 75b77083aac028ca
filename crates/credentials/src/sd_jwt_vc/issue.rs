//! Issuing.

use serde_json::{Map, Value};
use thiserror::Error;

use crate::crypto::{PublicKey, Signer};
use crate::jws::SignError;
use crate::random::Rng;
use crate::sd_jwt::{Frame, HashAlg, SdJwtError};
use crate::status_list::StatusRef;
use crate::time::UnixTime;
use crate::x509::Chain;

/// How the credential names its issuer's key.
#[derive(Debug, Clone, Copy)]
pub enum IssuerKey<'a> {
    /// A certificate chain in `x5c`, without the anchor.
    X5c(&'a Chain),
    /// The absolute DID URL of the key in `kid`.
    Did(&'a str),
}

/// What a credential says.
#[derive(Debug, Clone)]
pub struct IssueInput<'a> {
    /// `vct`
    pub vct: &'a str,
    /// `iss`
    pub issuer: Option<&'a str>,
    /// How the issuer's key is named.
    pub key: IssuerKey<'a>,
    /// `iat`
    pub issued_at: Option<UnixTime>,
    /// `nbf`
    pub not_before: Option<UnixTime>,
    /// `exp`
    pub expires_at: Option<UnixTime>,
    /// `cnf.jwk`
    pub holder_key: Option<&'a PublicKey>,
    /// `status.status_list`
    pub status: Option<&'a StatusRef>,
    /// All other claims.
    pub claims: Map<String, Value>,
    /// Which of them are hidden.
    pub frame: &'a Frame,
    /// Hash of the Disclosures.
    pub hash: HashAlg,
}

/// Why a credential was not issued.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The claims hold a registered claim that has its own field, or the frame
    /// hides one.
    #[error("the claim `{0}` may not be set or hidden here")]
    RegisteredClaim(&'static str),
    /// The claims and the frame do not fit the format.
    #[error("the claims cannot be hidden as wanted")]
    Conceal(#[from] SdJwtError),
    /// The signature could not be made.
    #[error("the credential could not be signed")]
    Sign(#[from] SignError),
}

/// Issues a credential in the compact serialization.
///
/// # Errors
/// See [`IssueError`].
pub async fn issue(
    _input: IssueInput<'_>,
    _signer: &dyn Signer,
    _rng: &dyn Rng,
) -> Result<String, IssueError> {
    unimplemented!()
}
