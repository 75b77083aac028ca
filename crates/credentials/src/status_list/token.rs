//! The Status List Token in JWT form.

use serde_json::{Map, Value, json};

use super::{Bits, Status, StatusError, StatusList, StatusRef};
use crate::crypto::{CryptoProvider, PublicKey, Signer};
use crate::jws::{self, SignError, TokenType, Unverified};
use crate::sd_jwt_vc::claims::{Malformed, numeric_date};
use crate::sd_jwt_vc::issuer_key::{NamedKey, authority, did_key};
use crate::sd_jwt_vc::{
    CLOCK_SKEW_S, IssuerAuthority, IssuerIdentity, IssuerKey, IssuerMethod, IssuerTrust,
    StatusMethod, TrustedIssuer,
};
use crate::time::UnixTime;
use crate::x509::{Role, verify_chain};

/// Longest time a list is used before a fresh copy is fetched, in seconds.
pub const MAX_REFRESH_S: i64 = 12 * 60 * 60;

/// What a Status List Token says.
#[derive(Debug, Clone)]
pub struct StatusTokenInput<'a> {
    /// `sub`: its own URI.
    pub uri: &'a str,
    /// `iss`
    pub issuer: Option<&'a str>,
    /// The statuses.
    pub list: &'a StatusList,
    /// `iat`
    pub issued_at: UnixTime,
    /// `exp`
    pub expires_at: UnixTime,
    /// `ttl` in seconds, not 0.
    pub ttl_s: u32,
    /// How the signer's key is named.
    pub key: IssuerKey<'a>,
}

/// Signs a Status List Token.
///
/// # Errors
/// When the signer fails.
pub async fn sign_status_list(
    input: &StatusTokenInput<'_>,
    signer: &dyn Signer,
) -> Result<String, SignError> {
    let StatusTokenInput {
        uri,
        issuer,
        list,
        issued_at,
        expires_at,
        ttl_s,
        key,
    } = input;
    let mut payload = json!({
        "sub": uri,
        "iat": issued_at,
        "exp": expires_at,
        "ttl": ttl_s,
        "status_list": {"bits": list.bits().count(), "lst": list.encode()},
    });
    if let Some(issuer) = issuer {
        payload["iss"] = Value::from(*issuer);
    }
    jws::sign(&key.header(TokenType::StatusList), &payload, signer).await
}

/// What a Status List Token is checked against.
#[derive(Debug, Clone, Copy)]
pub struct StatusCheck<'a> {
    /// `uri` of the reference.
    pub uri: &'a str,
    /// The validated issuer of the credential.
    pub issuer: &'a IssuerIdentity,
    /// The issuers that are believed, with who signs their lists.
    pub trust: &'a IssuerTrust,
    /// `iat` of the newest list seen for this URI.
    pub newest_seen: Option<UnixTime>,
    /// Shortest time between two fetches, in seconds.
    pub min_refresh_s: i64,
    /// The time now.
    pub now: UnixTime,
}

/// A status list that was checked for one issuer and one URI.
#[derive(Debug, Clone)]
pub struct VerifiedStatusList {
    uri: String,
    issuer: IssuerIdentity,
    list: StatusList,
    issued_at: UnixTime,
    expires_at: Option<UnixTime>,
    refresh_at: UnixTime,
}

impl VerifiedStatusList {
    /// URI of the list.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The issuer for whose credentials it counts.
    #[must_use]
    pub fn issuer(&self) -> &IssuerIdentity {
        &self.issuer
    }

    /// `iat`, to pass as `newest_seen` next time.
    #[must_use]
    pub fn issued_at(&self) -> UnixTime {
        self.issued_at
    }

    /// `exp`: never used from then on.
    #[must_use]
    pub fn expires_at(&self) -> Option<UnixTime> {
        self.expires_at
    }

    /// When a fresh copy is due: `ttl` from the time of the check, clamped to
    /// `min_refresh_s` and [`MAX_REFRESH_S`], and not after `exp`.
    #[must_use]
    pub fn refresh_at(&self) -> UnixTime {
        self.refresh_at
    }

    /// The status of a credential of this issuer ("Validation Rules", steps 4
    /// to 7).
    ///
    /// # Errors
    /// When the list has expired at `now`, is for another reference, or has no
    /// such index.
    pub fn status(&self, reference: &StatusRef, now: UnixTime) -> Result<Status, StatusError> {
        if reference.uri != self.uri {
            return Err(StatusError::WrongList);
        }
        if self.expires_at.is_some_and(|exp| exp <= now) {
            return Err(StatusError::Expired);
        }
        self.list.get(reference.idx)
    }
}

/// Verifies a Status List Token for one credential's issuer and URI.
///
/// # Errors
/// Each rule has its own [`StatusError`].
pub fn verify_status_list(
    compact: &str,
    check: &StatusCheck<'_>,
    provider: &dyn CryptoProvider,
) -> Result<VerifiedStatusList, StatusError> {
    let token = Unverified::parse(compact, TokenType::StatusList).map_err(StatusError::Jwt)?;
    let key = signer_key(&token, check, provider)?;
    let payload = token
        .verify(provider, &key)
        .map_err(StatusError::Jwt)?
        .into_inner();
    let claims = &payload.claims;

    // "Validation Rules", step 4.a.
    if claims.get("sub").and_then(Value::as_str) != Some(check.uri) {
        return Err(StatusError::WrongUri);
    }
    let issued_at = time(claims, "iat")?.ok_or(StatusError::Claim("iat"))?;
    if issued_at.since(check.now) > CLOCK_SKEW_S {
        return Err(StatusError::InFuture);
    }
    // A list that was replaced must not come back, expired or not.
    if check.newest_seen.is_some_and(|newest| issued_at < newest) {
        return Err(StatusError::Rollback);
    }
    let expires_at = time(claims, "exp")?;
    if expires_at.is_some_and(|exp| exp <= check.now) {
        return Err(StatusError::Expired);
    }
    Ok(VerifiedStatusList {
        uri: check.uri.to_owned(),
        issuer: check.issuer.clone(),
        list: read_list(claims)?,
        issued_at,
        expires_at,
        refresh_at: refresh_at(claims, expires_at, check)?,
    })
}

/// "Key Resolution and Trust Management": who may sign is decided per issuer,
/// never by the token.
fn signer_key(
    token: &Unverified<'_>,
    check: &StatusCheck<'_>,
    provider: &dyn CryptoProvider,
) -> Result<PublicKey, StatusError> {
    let trusted = check.trust.by_id(&check.issuer.trusted);
    let trusted = trusted.ok_or(StatusError::Signer)?;
    let named = NamedKey::of(token).map_err(|_| StatusError::Signer)?;
    match &trusted.status {
        StatusMethod::SameIssuer => same_issuer_key(&named, trusted, check, provider),
        StatusMethod::X509(anchors) => match named {
            NamedKey::X5c(chain) => verify_chain(chain, anchors, Role::Status, check.now, provider)
                .map(|certificate| certificate.public_key().clone())
                .map_err(StatusError::Chain),
            NamedKey::Did { .. } => Err(StatusError::Signer),
        },
    }
}

fn same_issuer_key(
    named: &NamedKey<'_>,
    trusted: &TrustedIssuer,
    check: &StatusCheck<'_>,
    provider: &dyn CryptoProvider,
) -> Result<PublicKey, StatusError> {
    match (named, &trusted.method, &check.issuer.authority) {
        (
            NamedKey::Did { did, url },
            IssuerMethod::Did(trusted_did),
            IssuerAuthority::Did(issuer_did),
        ) if did == trusted_did && did == issuer_did => {
            did_key(did, url).ok_or(StatusError::Signer)
        }
        (
            NamedKey::X5c(chain),
            IssuerMethod::X509 {
                anchors,
                subject: _,
            },
            IssuerAuthority::X509 { .. },
        ) => {
            let certificate = verify_chain(chain, anchors, Role::Issuer, check.now, provider)
                .map_err(StatusError::Chain)?;
            if authority(&certificate) != check.issuer.authority {
                return Err(StatusError::Signer);
            }
            Ok(certificate.public_key().clone())
        }
        _ => Err(StatusError::Signer),
    }
}

fn time(claims: &Map<String, Value>, name: &'static str) -> Result<Option<UnixTime>, StatusError> {
    numeric_date(claims, name).map_err(|Malformed| StatusError::Claim(name))
}

/// "Status List in JSON Format".
fn read_list(claims: &Map<String, Value>) -> Result<StatusList, StatusError> {
    let list = claims.get("status_list").and_then(Value::as_object);
    let list = list.ok_or(StatusError::Claim("status_list"))?;
    let bits = list.get("bits").and_then(Value::as_u64);
    let bits = Bits::from_count(bits.ok_or(StatusError::Bits)?)?;
    let lst = list.get("lst").and_then(Value::as_str);
    StatusList::decode(bits, lst.ok_or(StatusError::Claim("lst"))?)
}

/// "Expiration and Caching": `ttl` is a positive number; out of reasonable
/// bounds it is clamped. Without it, a fresh copy is due at `exp`.
fn refresh_at(
    claims: &Map<String, Value>,
    expires_at: Option<UnixTime>,
    check: &StatusCheck<'_>,
) -> Result<UnixTime, StatusError> {
    let until_exp = expires_at.map(|exp| exp.since(check.now));
    let wanted = match claims.get("ttl") {
        Some(ttl) => {
            let ttl = ttl.as_f64().filter(|ttl| *ttl > 0.0);
            let ttl = ttl.ok_or(StatusError::Claim("ttl"))?;
            // Saturates for numbers beyond the range, and is clamped below.
            ttl as i64
        }
        None => until_exp.unwrap_or(0),
    };
    let least = check.min_refresh_s.clamp(1, MAX_REFRESH_S);
    let seconds = wanted.clamp(least, MAX_REFRESH_S);
    Ok(check
        .now
        .plus(until_exp.map_or(seconds, |left| seconds.min(left))))
}
