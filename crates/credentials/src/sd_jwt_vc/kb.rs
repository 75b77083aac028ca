//! Key binding, RFC 9901, section 4.3.

use serde::Serialize;
use serde_json::{Map, Value};

use super::KbError;
use super::claims::{Malformed, numeric_date};
use crate::crypto::{CryptoProvider, PublicKey, Signer, constant_time_eq};
use crate::jws::{self, Header, SignError, TokenType, Unverified};
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

/// What the Holder agrees to with a presentation: hashes of transaction data (OpenID4VP 1.0, annex
/// B.3.3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// `transaction_data_hashes`, never empty.
    pub hashes: Vec<String>,
    /// `transaction_data_hashes_alg`, where it is named.
    pub alg: Option<String>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iat: UnixTime,
    aud: &'a str,
    nonce: &'a str,
    sd_hash: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    transaction_data_hashes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_data_hashes_alg: Option<&'a str>,
}

/// Makes the Key Binding JWT for `sd_jwt`, which ends in `~`.
///
/// # Errors
/// When the signer fails.
pub async fn build(
    sd_jwt: &str,
    hash: HashAlg,
    binding: &Binding<'_>,
    signer: &dyn Signer,
) -> Result<String, SignError> {
    build_agreeing(sd_jwt, hash, binding, None, signer).await
}

/// The same, with what the Holder agrees to.
///
/// # Errors
/// When the signer fails.
pub async fn build_agreeing(
    sd_jwt: &str,
    hash: HashAlg,
    binding: &Binding<'_>,
    agreed: Option<&Agreed>,
    signer: &dyn Signer,
) -> Result<String, SignError> {
    let claims = Claims {
        iat: binding.issued_at,
        aud: binding.audience,
        nonce: binding.nonce,
        sd_hash: &hash.digest(sd_jwt),
        transaction_data_hashes: agreed.map_or(&[], |agreed| agreed.hashes.as_slice()),
        transaction_data_hashes_alg: agreed.and_then(|agreed| agreed.alg.as_deref()),
    };
    jws::sign(&Header::new(TokenType::KeyBinding), &claims, signer).await
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

/// Checks a Key Binding JWT over `bound_text` with the Holder's key (RFC 9901,
/// section 7.3, step 5). Gives what it agrees to; whether that was asked the caller knows.
///
/// # Errors
/// Each rule has its own [`KbError`].
pub fn check(
    jwt: &str,
    bound_text: &str,
    hash: HashAlg,
    holder: &PublicKey,
    expected: &Expected<'_>,
    provider: &dyn CryptoProvider,
) -> Result<Option<Agreed>, KbError> {
    // Steps 5.b to 5.d: algorithm, `typ` and signature.
    let verified = Unverified::parse(jwt, TokenType::KeyBinding)
        .and_then(|unverified| unverified.verify(provider, holder))
        .map_err(KbError::Jwt)?;
    let claims = &verified.get().claims;
    // Step 5.e, and 5.h for the times of RFC 7519.
    check_times(claims, expected.now)?;
    // Step 5.f. OpenID4VP 1.0, section 14.8: the full client identifier.
    if text(claims, "aud")? != expected.audience {
        return Err(KbError::Audience);
    }
    if !constant_time_eq(text(claims, "nonce")?.as_bytes(), expected.nonce.as_bytes()) {
        return Err(KbError::Nonce);
    }
    // Step 5.g.
    if text(claims, "sd_hash")? != hash.digest(bound_text) {
        return Err(KbError::SdHash);
    }
    agreed(claims)
}

/// OpenID4VP 1.0, annex B.3.3.1: "a non-empty array of strings", and the name of a hash algorithm that
/// says nothing alone. What has another form is not absent.
fn agreed(claims: &Map<String, Value>) -> Result<Option<Agreed>, KbError> {
    const HASHES: &str = "transaction_data_hashes";
    const ALG: &str = "transaction_data_hashes_alg";
    let malformed = || KbError::TransactionData;
    let unknown = |name: &&String| name.starts_with(HASHES) && *name != HASHES && *name != ALG;
    if claims.keys().any(|name| unknown(&name)) {
        return Err(malformed());
    }
    let alg = match claims.get(ALG) {
        None => None,
        Some(alg) => Some(alg.as_str().ok_or_else(malformed)?.to_owned()),
    };
    let Some(hashes) = claims.get(HASHES) else {
        return alg.map_or(Ok(None), |_| Err(malformed()));
    };
    let hashes = hashes.as_array().filter(|hashes| !hashes.is_empty());
    let hashes = hashes.ok_or_else(malformed)?.iter();
    let hashes = hashes.map(|hash| hash.as_str().map(str::to_owned));
    let hashes = hashes.collect::<Option<Vec<String>>>();
    let hashes = hashes.ok_or_else(malformed)?;
    Ok(Some(Agreed { hashes, alg }))
}

fn check_times(claims: &Map<String, Value>, now: UnixTime) -> Result<(), KbError> {
    let issued_at = time(claims, "iat")?.ok_or(KbError::ClaimMissing("iat"))?;
    let age = now.since(issued_at);
    if age > MAX_AGE_S {
        return Err(KbError::TooOld);
    }
    if age < -MAX_AHEAD_S {
        return Err(KbError::InFuture);
    }
    if time(claims, "exp")?.is_some_and(|exp| exp <= now) {
        return Err(KbError::TooOld);
    }
    if time(claims, "nbf")?.is_some_and(|nbf| nbf.since(now) > MAX_AHEAD_S) {
        return Err(KbError::InFuture);
    }
    Ok(())
}

fn time(claims: &Map<String, Value>, name: &'static str) -> Result<Option<UnixTime>, KbError> {
    numeric_date(claims, name).map_err(|Malformed| KbError::ClaimMalformed(name))
}

/// Section 4.3: `aud`, `nonce` and `sd_hash` are required, each one string.
fn text<'c>(claims: &'c Map<String, Value>, name: &'static str) -> Result<&'c str, KbError> {
    match claims.get(name) {
        None => Err(KbError::ClaimMissing(name)),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(KbError::ClaimMalformed(name)),
    }
}
