//! Key binding, RFC 9901, section 4.3.

use super::KbError;
use crate::crypto::{CryptoProvider, PublicKey, Signer};
use crate::jws::SignError;
use crate::sd_jwt::HashAlg;
use crate::time::UnixTime;

/// Oldest accepted Key Binding JWT, in seconds.
pub const MAX_AGE_S: i64 = 300;
/// Furthest accepted lead of the Holder's clock, in seconds.
pub const MAX_AHEAD_S: i64 = 60;

/// To what a Key Binding JWT is bound.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// `aud`: the full client identifier with its prefix, or `origin:…`.
    pub audience: &'a str,
    /// `nonce` of the request.
    pub nonce: &'a str,
    /// `iat`
    pub issued_at: UnixTime,
}

/// Makes the Key Binding JWT for `sd_jwt`, which ends in `~`.
///
/// # Errors
/// When the signer fails.
pub async fn build(
    _sd_jwt: &str,
    _hash: HashAlg,
    _binding: &Binding<'_>,
    _signer: &dyn Signer,
) -> Result<String, SignError> {
    unimplemented!()
}

/// What a Key Binding JWT must say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// `aud`, compared byte by byte.
    pub audience: &'a str,
    /// `nonce`, compared byte by byte.
    pub nonce: &'a str,
    /// The time now.
    pub now: UnixTime,
}

/// Checks a Key Binding JWT over `bound_text` with the Holder's key.
///
/// # Errors
/// Each rule has its own [`KbError`].
pub fn check(
    _jwt: &str,
    _bound_text: &str,
    _hash: HashAlg,
    _holder: &PublicKey,
    _expected: &Expected<'_>,
    _provider: &dyn CryptoProvider,
) -> Result<(), KbError> {
    unimplemented!()
}
