//! What is checked on a list token, whatever its form.

use super::{StatusError, StatusList, VerifiedStatusList};
use crate::crypto::{CryptoProvider, PublicKey};
use crate::sd_jwt_vc::issuer_key::{NamedKey, authority};
use crate::sd_jwt_vc::{
    CLOCK_SKEW_S, IssuerAuthority, IssuerIdentity, IssuerMethod, IssuerTrust, StatusMethod,
    TrustedIssuer,
};
use crate::time::UnixTime;
use crate::x509::{Chain, Role, TrustAnchors, verify_chain};

/// Longest time a list is used before a fresh copy is fetched, in seconds.
pub const MAX_REFRESH_S: i64 = 12 * 60 * 60;
/// 9999-12-31T23:59:59Z
pub(super) const LAST_TIME: i64 = 253_402_300_799;

/// What a list token is checked against.
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

/// The times that a token states.
pub(super) struct TokenTimes {
    pub(super) issued_at: Option<UnixTime>,
    pub(super) not_before: Option<UnixTime>,
    pub(super) expires_at: Option<UnixTime>,
    /// Positive.
    pub(super) ttl_s: Option<i64>,
}

/// The times of a token that was checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) issued_at: UnixTime,
    pub(super) expires_at: Option<UnixTime>,
    pub(super) refresh_at: UnixTime,
}

/// "Validation Rules", step 4.
pub(super) fn subject_and_times(
    sub: Option<&str>,
    times: &TokenTimes,
    check: &StatusCheck<'_>,
) -> Result<Times, StatusError> {
    // Step 4.a.
    if sub != Some(check.uri) {
        return Err(StatusError::WrongUri);
    }
    let issued_at = times.issued_at.ok_or(StatusError::Claim("iat"))?;
    if issued_at.since(check.now) > CLOCK_SKEW_S {
        return Err(StatusError::InFuture);
    }
    // RFC 7519, section 4.1.5, and RFC 8392, section 3.1.5: not before `nbf`.
    if times
        .not_before
        .is_some_and(|nbf| nbf.since(check.now) > CLOCK_SKEW_S)
    {
        return Err(StatusError::InFuture);
    }
    // A list that was replaced must not come back, expired or not.
    if check.newest_seen.is_some_and(|newest| issued_at < newest) {
        return Err(StatusError::Rollback);
    }
    let expires_at = times.expires_at;
    if expires_at.is_some_and(|exp| exp <= check.now) {
        return Err(StatusError::Expired);
    }
    Ok(Times {
        issued_at,
        expires_at,
        refresh_at: refresh_at(times.ttl_s, expires_at, check),
    })
}

/// "Expiration and Caching": `ttl` out of reasonable bounds is clamped. Without it, a fresh copy
/// is due at `exp`.
fn refresh_at(
    ttl_s: Option<i64>,
    expires_at: Option<UnixTime>,
    check: &StatusCheck<'_>,
) -> UnixTime {
    let until_exp = expires_at.map(|exp| exp.since(check.now));
    let wanted = ttl_s.or(until_exp).unwrap_or(0);
    let least = check.min_refresh_s.clamp(1, MAX_REFRESH_S);
    let seconds = wanted.clamp(least, MAX_REFRESH_S);
    check
        .now
        .plus(until_exp.map_or(seconds, |left| seconds.min(left)))
}

/// "Key Resolution and Trust Management": who may sign is decided per issuer,
/// never by the token.
pub(super) fn signer_key(
    named: &NamedKey<'_>,
    check: &StatusCheck<'_>,
    provider: &dyn CryptoProvider,
) -> Result<PublicKey, StatusError> {
    let trusted = check.trust.of(check.issuer);
    let trusted = trusted.ok_or(StatusError::Signer)?;
    match &trusted.status {
        StatusMethod::SameIssuer => same_issuer_key(named, trusted, check, provider),
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
            let key = check.trust.did_key(did, url, check.now);
            key.ok_or(StatusError::Signer)
        }
        (
            NamedKey::X5c(chain),
            IssuerMethod::X509 {
                anchors,
                subject: _,
            },
            IssuerAuthority::X509 { .. },
        ) => same_subject_key(chain, anchors, check, provider),
        (
            NamedKey::X5c(chain),
            IssuerMethod::Iaca { anchors },
            IssuerAuthority::Iaca { anchor },
        ) => {
            // Any signer of the authority: the one of the document may be gone by now.
            let certificate = verify_chain(chain, anchors, Role::MdocIssuer, check.now, provider)
                .map_err(StatusError::Chain)?;
            match certificate.anchor_id().as_str() == anchor {
                true => Ok(certificate.public_key().clone()),
                false => Err(StatusError::Signer),
            }
        }
        _ => Err(StatusError::Signer),
    }
}

fn same_subject_key(
    chain: &Chain,
    anchors: &TrustAnchors,
    check: &StatusCheck<'_>,
    provider: &dyn CryptoProvider,
) -> Result<PublicKey, StatusError> {
    let certificate = verify_chain(chain, anchors, Role::Issuer, check.now, provider)
        .map_err(StatusError::Chain)?;
    if authority(&certificate) != check.issuer.authority {
        return Err(StatusError::Signer);
    }
    Ok(certificate.public_key().clone())
}

impl VerifiedStatusList {
    pub(super) fn new(check: &StatusCheck<'_>, list: StatusList, times: Times) -> Self {
        Self {
            uri: check.uri.to_owned(),
            issuer: check.issuer.clone(),
            list,
            issued_at: times.issued_at,
            expires_at: times.expires_at,
            refresh_at: times.refresh_at,
        }
    }
}
