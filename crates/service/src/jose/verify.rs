//! Accepting tokens that others (or we, earlier) signed.

use josekit::{
    jwk::Jwk as Josekit,
    jws::{self, JwsVerifier},
};
use serde_json::{Map, Value};
use vouchsafe_credentials::{
    encoding::b64url_decode,
    json::parse_object,
    jwks::{Jwk, JwkSet, MAX_TRIED},
    time::UnixTime,
};

use super::{JoseError, SigningAlg, rsa};

/// Longest signed token that is looked at.
const LONGEST_JWS: usize = 64 * 1024;
/// Longest encrypted one, which may carry a presentation.
const LONGEST_JWE: usize = 1024 * 1024;
/// Longest header.
const LONGEST_HEADER: usize = 8 * 1024;

/// Public keys of a party.
#[derive(Debug, Clone)]
pub struct Jwks(JwkSet);

impl Jwks {
    /// From a key set document. Keys of unknown kinds are kept out; private members refuse it.
    pub fn parse(bytes: &[u8]) -> Result<Self, JoseError> {
        JwkSet::parse(bytes).map(Self).map_err(|_| JoseError::Key)
    }

    /// From the key set document of a provider: keys that are not well-formed are passed over (RFC
    /// 7517, section 5), private members refuse it all the same.
    pub fn parse_usable(bytes: &[u8]) -> Result<Self, JoseError> {
        JwkSet::parse_usable(bytes)
            .map(Self)
            .map_err(|_| JoseError::Key)
    }

    /// From a parsed key set document.
    pub fn from_value(document: &Value) -> Result<Self, JoseError> {
        JwkSet::from_value(document)
            .map(Self)
            .map_err(|_| JoseError::Key)
    }

    /// At most [`MAX_TRIED`] keys that fit; the ones that are not acceptable count as tried.
    fn candidates(&self, alg: SigningAlg, kid: Option<&str>) -> Vec<Josekit> {
        let kind = |key: &Jwk| match alg {
            SigningAlg::Rs256 => key.text("kty") == Some("RSA"),
            SigningAlg::Es256 => key.text("kty") == Some("EC") && key.text("crv") == Some("P-256"),
        };
        let fits = |key: &&Jwk| {
            let named = kid.is_none_or(|kid| key.kid() == Some(kid));
            let for_alg = key.text("alg").is_none_or(|own| own == alg.as_str());
            kind(key) && named && for_alg && key.may("sig", &["verify"])
        };
        let found = self.0.keys().iter().filter(fits).take(MAX_TRIED);
        found.filter_map(|key| to_josekit(key, alg)).collect()
    }
}

/// Only the members that make the key, so that nothing else of the document has an effect.
fn to_josekit(key: &Jwk, alg: SigningAlg) -> Option<Josekit> {
    let names: &[&str] = match alg {
        SigningAlg::Rs256 if rsa::acceptable(key.members()) => &["kty", "n", "e"],
        SigningAlg::Rs256 => return None,
        SigningAlg::Es256 => &["kty", "crv", "x", "y"],
    };
    // The point is checked by our own reader: full coordinates, on the curve.
    if alg == SigningAlg::Es256 && key.public_key().is_err() {
        return None;
    }
    let member = |name: &&str| Some(((*name).to_owned(), key.members().get(*name)?.clone()));
    let members: Map<String, Value> = names.iter().map(member).collect::<Option<_>>()?;
    Josekit::from_map(members).ok()
}

/// What `typ` must say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeRule {
    /// Exactly this type, in lower or upper case, with or without `application/`.
    Exactly(&'static str),
    /// `JWT` or nothing: ID tokens.
    JwtOrAbsent,
}

/// Whether an expired token is acceptable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// `exp` must be there and in the future.
    Enforced,
    /// `exp` must be there but may be over: `id_token_hint` (OpenID Connect Core 1.0, 3.1.2.1).
    Ignored,
    /// `exp` must not be there: security events (Shared Signals Framework 1.0, section 4.1.7).
    Absent,
}

/// What a token must say. There is no default: each caller says all of it.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Algorithms that are accepted.
    pub algorithms: &'a [SigningAlg],
    /// `typ`.
    pub typ: TypeRule,
    /// `iss`.
    pub issuer: &'a str,
    /// Must be `aud`, or among it.
    pub audience: &'a str,
    /// `exp`.
    pub expiry: Expiry,
    /// Now.
    pub now: UnixTime,
    /// Tolerance for clocks, in seconds.
    pub leeway: i64,
}

/// Claims whose signature, type, issuer, audience and times were checked.
#[derive(Clone)]
pub struct VerifiedJwt {
    claims: Map<String, Value>,
}

impl VerifiedJwt {
    /// All claims.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// A claim that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }
}

impl std::fmt::Debug for VerifiedJwt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.claims.keys()).finish()
    }
}

/// Verifies a compact JWT of a party whose keys are known.
pub fn verify(token: &str, keys: &Jwks, expected: &Expected<'_>) -> Result<VerifiedJwt, JoseError> {
    let header = header(token, 3)?;
    let alg = text(&header, "alg").and_then(SigningAlg::parse);
    let alg = alg
        .filter(|alg| expected.algorithms.contains(alg))
        .ok_or(JoseError::Algorithm)?;
    check_type(expected.typ, text(&header, "typ"))?;
    let payload = authentic_payload(token, keys, alg, text(&header, "kid"))?;
    let claims = parse_object(&payload).map_err(|_| JoseError::Malformed)?;
    check_claims(&claims, expected)?;
    Ok(VerifiedJwt { claims })
}

/// Decodes the header and refuses what none of our tokens has.
pub(super) fn header(token: &str, parts: usize) -> Result<Map<String, Value>, JoseError> {
    let longest = if parts == 3 { LONGEST_JWS } else { LONGEST_JWE };
    if token.len() > longest {
        return Err(JoseError::TooLong);
    }
    if token.split('.').count() != parts {
        return Err(JoseError::Malformed);
    }
    let header = token.split('.').next().unwrap_or_default();
    if header.len() > LONGEST_HEADER {
        return Err(JoseError::TooLong);
    }
    for part in token.split('.') {
        b64url_decode(part).map_err(|_| JoseError::Malformed)?;
    }
    let header = b64url_decode(header).map_err(|_| JoseError::Malformed)?;
    let header = parse_object(&header).map_err(|_| JoseError::Malformed)?;
    // RFC 7515, section 4.1.11: an extension that is not understood refuses the token. The others
    // would let the token choose its own key, or decompress without end.
    const REFUSED: [&str; 7] = ["crit", "b64", "zip", "jwk", "jku", "x5u", "x5c"];
    match REFUSED.iter().any(|name| header.contains_key(*name)) {
        true => Err(JoseError::HeaderParameter),
        false => Ok(header),
    }
}

fn check_type(rule: TypeRule, typ: Option<&str>) -> Result<(), JoseError> {
    let essence = typ.map(|typ| {
        let typ = typ.to_ascii_lowercase();
        typ.strip_prefix("application/").unwrap_or(&typ).to_owned()
    });
    let good = match (rule, essence.as_deref()) {
        (TypeRule::Exactly(wanted), Some(typ)) => typ.eq_ignore_ascii_case(wanted),
        (TypeRule::Exactly(_), None) => false,
        (TypeRule::JwtOrAbsent, typ) => typ.is_none_or(|typ| typ == "jwt"),
    };
    match good {
        true => Ok(()),
        false => Err(JoseError::Type),
    }
}

fn authentic_payload(
    token: &str,
    keys: &Jwks,
    alg: SigningAlg,
    kid: Option<&str>,
) -> Result<Vec<u8>, JoseError> {
    let candidates = keys.candidates(alg, kid);
    if candidates.is_empty() {
        return Err(JoseError::NoKey);
    }
    for key in candidates {
        let verifier: Box<dyn JwsVerifier> = match alg {
            SigningAlg::Rs256 => match jws::RS256.verifier_from_jwk(&key) {
                Ok(verifier) => Box::new(verifier),
                Err(_) => continue,
            },
            SigningAlg::Es256 => match jws::ES256.verifier_from_jwk(&key) {
                Ok(verifier) => Box::new(verifier),
                Err(_) => continue,
            },
        };
        if let Ok((payload, _)) = jws::deserialize_compact(token, verifier.as_ref()) {
            return Ok(payload);
        }
    }
    Err(JoseError::NotAuthentic)
}

fn check_claims(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), JoseError> {
    if text(claims, "iss").ok_or(JoseError::Claim)? != expected.issuer {
        return Err(JoseError::Issuer);
    }
    let audience = match claims.get("aud") {
        Some(Value::String(one)) => one == expected.audience,
        Some(Value::Array(many)) => many.iter().any(|one| one == expected.audience),
        _ => return Err(JoseError::Claim),
    };
    if !audience {
        return Err(JoseError::Audience);
    }
    let now = expected.now;
    match (expected.expiry, time(claims, "exp")?) {
        (Expiry::Enforced, Some(expires)) if now >= expires.plus(expected.leeway) => {
            return Err(JoseError::Time);
        }
        (Expiry::Enforced | Expiry::Ignored, Some(_)) | (Expiry::Absent, None) => {}
        (Expiry::Enforced | Expiry::Ignored, None) | (Expiry::Absent, Some(_)) => {
            return Err(JoseError::Claim);
        }
    }
    let issued = time(claims, "iat")?.ok_or(JoseError::Claim)?;
    let earliest = time(claims, "nbf")?.unwrap_or(issued).max(issued);
    match earliest > now.plus(expected.leeway) {
        true => Err(JoseError::Time),
        false => Ok(()),
    }
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

/// A time that is there but is none is an error, never "absent".
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<UnixTime>, JoseError> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    numeric_date(value).map(Some).ok_or(JoseError::Claim)
}

/// `NumericDate` (RFC 7519, section 2): seconds since 1970, which may have a fraction; it is cut off.
pub fn numeric_date(value: &Value) -> Option<UnixTime> {
    let text = value.as_number()?.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let seconds = whole.parse::<i64>().ok()?;
    let fraction = fraction.bytes().all(|b| b.is_ascii_digit());
    (fraction && !text.starts_with('-')).then_some(UnixTime(seconds))
}
