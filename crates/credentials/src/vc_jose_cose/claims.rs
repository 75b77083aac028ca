//! Registered claims beside the document (VC-JOSE-COSE 1.0, section 3.1.3; RFC 7519, section 4.1).

use serde_json::{Map, Value};

use super::EnvelopeError;
use crate::time::UnixTime;
use crate::vcdm::{Binding, Credential, Presentation};

/// What data model 1.1 wrapped the document in.
pub(super) fn refuse_wrappers(claims: &Map<String, Value>) -> Result<(), EnvelopeError> {
    // Section 3.1.3: neither may be there.
    for name in ["vc", "vp"] {
        if claims.contains_key(name) {
            return Err(EnvelopeError::Wrapper(name));
        }
    }
    Ok(())
}

/// Whether the claims are valid now. `iat` is the time of signing and decides nothing.
pub(super) fn check_times(
    claims: &Map<String, Value>,
    now: UnixTime,
    skew_s: i64,
) -> Result<(), EnvelopeError> {
    if moment(claims, "exp")?.is_some_and(|exp| exp.plus(skew_s) <= now) {
        return Err(EnvelopeError::Expired);
    }
    if moment(claims, "nbf")?.is_some_and(|nbf| nbf > now.plus(skew_s)) {
        return Err(EnvelopeError::NotYetValid);
    }
    Ok(())
}

/// RFC 7519, section 2: a number of seconds, fractions cut off.
fn moment(
    claims: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<UnixTime>, EnvelopeError> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    UnixTime::from_numeric_date(value)
        .map(Some)
        .ok_or(EnvelopeError::ClaimMalformed(name))
}

/// Section 3.1.3: what is said twice must be said alike.
pub(super) fn check_credential(
    claims: &Map<String, Value>,
    credential: &Credential,
) -> Result<(), EnvelopeError> {
    equal(claims, "iss", Some(credential.issuer()))?;
    equal(claims, "jti", credential.id())?;
    let subject = match credential.subject_ids() {
        [one] => one.as_deref(),
        // More than one subject has no common `sub`.
        _ => None,
    };
    equal(claims, "sub", subject)
}

/// Likewise for a presentation, whose issuer is the holder, and who signs it (`None`: unknown).
pub(super) fn check_presentation(
    claims: &Map<String, Value>,
    presentation: &Presentation,
    signer: Option<&str>,
) -> Result<(), EnvelopeError> {
    if signer.is_some() {
        equal(claims, "iss", signer)?;
    }
    if presentation.holder().is_some() {
        equal(claims, "iss", presentation.holder())?;
    }
    equal(claims, "jti", presentation.id())
}

fn equal(
    claims: &Map<String, Value>,
    name: &'static str,
    wanted: Option<&str>,
) -> Result<(), EnvelopeError> {
    match claims.get(name) {
        None => Ok(()),
        Some(Value::String(text)) if Some(text.as_str()) == wanted => Ok(()),
        Some(Value::String(_)) => Err(EnvelopeError::ClaimMismatch(name)),
        Some(_) => Err(EnvelopeError::ClaimMalformed(name)),
    }
}

/// Challenge and domain, as `nonce` and `aud`.
pub(super) fn check_audience(
    claims: &Map<String, Value>,
    challenge: Binding<'_>,
    domain: Binding<'_>,
) -> Result<(), EnvelopeError> {
    let nonce = claims.get("nonce").and_then(Value::as_str);
    if let Binding::Expected(challenge) = challenge
        && nonce != Some(challenge)
    {
        return Err(EnvelopeError::Challenge);
    }
    let Binding::Expected(domain) = domain else {
        return Ok(());
    };
    // RFC 7519, section 4.1.3. Another audience beside us could replay it here.
    let meant = match claims.get("aud") {
        Some(Value::Array(items)) => matches!(items.as_slice(), [one] if one == domain),
        Some(one) => one == domain,
        None => false,
    };
    meant.then_some(()).ok_or(EnvelopeError::Audience)
}
