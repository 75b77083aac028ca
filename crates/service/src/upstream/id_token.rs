//! The list of OpenID Connect Core 1.0, section 3.1.3.7.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use vouchsafe_credentials::{encoding::b64url, time::UnixTime};

use super::begin::Pending;
use crate::jose::{self, Expected, Expiry, JoseError, Jwks, SigningAlg, TypeRule};

/// Tolerance for clocks, in seconds.
const LEEWAY_S: i64 = 60;
/// Longest subject (section 2).
const LONGEST_SUBJECT: usize = 255;

/// Why an ID token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    /// Signature, algorithm, type, issuer, audience or times.
    #[error(transparent)]
    Token(#[from] JoseError),
    /// There are further audiences, and none is trusted (3).
    #[error("there is an audience beside us")]
    Audience,
    /// It was issued to another client (4, 5).
    #[error("`azp` is another client")]
    AuthorizedParty,
    /// It is older than the sign-in (10).
    #[error("it was issued before the sign-in began")]
    Old,
    /// It belongs to another sign-in (11).
    #[error("`nonce` is missing or another one")]
    Nonce,
    /// The person authenticated in another way than demanded (12).
    #[error("`acr` is missing or not one that is demanded")]
    Acr,
    /// The person authenticated too long ago (13).
    #[error("`auth_time` is missing or too old")]
    AuthTime,
    /// It belongs to another access token (section 3.1.3.8).
    #[error("`at_hash` is another one")]
    AccessToken,
    /// `sub` is missing, empty or too long.
    #[error("`sub` is not a subject")]
    Subject,
}

/// What an ID token must fit.
pub(super) struct Wanted<'a> {
    pub(super) client_id: &'a str,
    pub(super) algorithms: &'a [SigningAlg],
    pub(super) pending: &'a Pending,
    pub(super) access_token: &'a str,
    pub(super) now: UnixTime,
}

/// Checks an ID token that came from the token endpoint, and gives its claims.
pub(super) fn check(
    token: &str,
    keys: &Jwks,
    wanted: &Wanted<'_>,
) -> Result<Map<String, Value>, IdTokenError> {
    // (2), (3), (6) to (9): iss, aud, signature, alg, exp; and that iat is not in the future. The
    // signature is checked although TLS would do: a token endpoint may stand behind a proxy.
    let expected = Expected {
        algorithms: wanted.algorithms,
        typ: TypeRule::JwtOrAbsent,
        issuer: &wanted.pending.issuer,
        audience: wanted.client_id,
        expiry: Expiry::Enforced,
        now: wanted.now,
        leeway: LEEWAY_S,
    };
    let verified = jose::verify(token, keys, &expected)?;
    let claims = verified.claims();
    check_audience(claims, wanted.client_id)?;
    // (10): nothing that was made before we asked.
    let issued = claims.get("iat").and_then(jose::numeric_date);
    let earliest = wanted.pending.started_at.plus(-LEEWAY_S);
    if issued.is_none_or(|issued| issued < earliest) {
        return Err(IdTokenError::Old);
    }
    // (11)
    if verified.text("nonce") != Some(wanted.pending.nonce.as_str()) {
        return Err(IdTokenError::Nonce);
    }
    check_authentication(claims, wanted)?;
    check_access_token(claims, wanted.access_token)?;
    let subject = verified.text("sub").unwrap_or_default();
    if subject.is_empty() || subject.len() > LONGEST_SUBJECT {
        return Err(IdTokenError::Subject);
    }
    Ok(claims.clone())
}

fn check_audience(claims: &Map<String, Value>, client_id: &str) -> Result<(), IdTokenError> {
    // (3): it MUST be rejected if it contains additional audiences not trusted by the client.
    if let Some(Value::Array(audiences)) = claims.get("aud")
        && audiences.iter().any(|one| one != client_id)
    {
        return Err(IdTokenError::Audience);
    }
    // (5)
    match claims.get("azp") {
        None => Ok(()),
        Some(Value::String(azp)) if azp == client_id => Ok(()),
        Some(_) => Err(IdTokenError::AuthorizedParty),
    }
}

fn check_authentication(
    claims: &Map<String, Value>,
    wanted: &Wanted<'_>,
) -> Result<(), IdTokenError> {
    let demanded = &wanted.pending.acr_values;
    // (12)
    let acr = claims.get("acr").and_then(Value::as_str);
    if !demanded.is_empty() && !acr.is_some_and(|acr| demanded.iter().any(|one| one == acr)) {
        return Err(IdTokenError::Acr);
    }
    // (13)
    if let Some(max_age_s) = wanted.pending.max_age_s {
        let auth_time = claims.get("auth_time").and_then(jose::numeric_date);
        let auth_time = auth_time.ok_or(IdTokenError::AuthTime)?;
        // What was asked at the start held at the start: how long the person then stays on the
        // provider's pages does not count.
        let earliest = wanted.pending.started_at.plus(-i64::from(max_age_s));
        let early = auth_time.since(earliest) < -LEEWAY_S;
        if early || wanted.now.since(auth_time) < -LEEWAY_S {
            return Err(IdTokenError::AuthTime);
        }
    }
    Ok(())
}

/// Section 3.1.3.8: the left half of the hash that belongs to the algorithm, SHA-256 for both of
/// ours.
fn check_access_token(claims: &Map<String, Value>, access_token: &str) -> Result<(), IdTokenError> {
    let Some(at_hash) = claims.get("at_hash") else {
        return Ok(());
    };
    let digest = Sha256::digest(access_token.as_bytes());
    match at_hash.as_str() == Some(b64url(&digest[..16]).as_str()) {
        true => Ok(()),
        false => Err(IdTokenError::AccessToken),
    }
}
