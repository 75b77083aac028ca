//! The Status List Token in JWT form.

use serde_json::{Map, Value, json};

use super::check::{self, TokenTimes};
use super::{Bits, Status, StatusCheck, StatusError, StatusList, StatusRef};
use crate::crypto::{CryptoProvider, Signer};
use crate::jws::{self, SignError, TokenType, Unverified};
use crate::sd_jwt_vc::claims::{Malformed, numeric_date};
use crate::sd_jwt_vc::issuer_key::NamedKey;
use crate::sd_jwt_vc::{CLOCK_SKEW_S, IssuerIdentity, IssuerKey};
use crate::time::UnixTime;

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
    if let (Some(issuer), Some(claims)) = (issuer, payload.as_object_mut()) {
        claims.insert("iss".to_owned(), Value::from(*issuer));
    }
    jws::sign(&key.header(TokenType::StatusList), &payload, signer).await
}

/// A status list that was checked for one issuer and one URI.
#[derive(Debug, Clone)]
pub struct VerifiedStatusList {
    pub(super) uri: String,
    pub(super) issuer: IssuerIdentity,
    pub(super) list: StatusList,
    pub(super) issued_at: UnixTime,
    pub(super) expires_at: Option<UnixTime>,
    pub(super) refresh_at: UnixTime,
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
    /// `min_refresh_s` and [`MAX_REFRESH_S`](super::MAX_REFRESH_S), and not after `exp`.
    #[must_use]
    pub fn refresh_at(&self) -> UnixTime {
        self.refresh_at
    }

    /// The status of a credential of this issuer at the time `at` ("Validation
    /// Rules", steps 4 to 7).
    ///
    /// # Errors
    /// When the list says nothing of that time, is for another reference, or has
    /// no such index.
    pub fn status(&self, reference: &StatusRef, at: UnixTime) -> Result<Status, StatusError> {
        if reference.uri != self.uri {
            return Err(StatusError::WrongList);
        }
        // "Historical Resolution": refused unless `at` is within `iat` and `exp`. A host that
        // knows no `time` answers such a question with the list of now.
        if self.issued_at.since(at) > CLOCK_SKEW_S {
            return Err(StatusError::InFuture);
        }
        if self.expires_at.is_some_and(|exp| exp <= at) {
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
    let named = NamedKey::of(&token).map_err(|_| StatusError::Signer)?;
    let key = check::signer_key(&named, check, provider)?;
    let payload = token
        .verify(provider, &key)
        .map_err(StatusError::Jwt)?
        .into_inner();
    let claims = &payload.claims;
    let times = TokenTimes {
        issued_at: time(claims, "iat")?,
        not_before: time(claims, "nbf")?,
        expires_at: time(claims, "exp")?,
        ttl_s: claims.get("ttl").map(ttl).transpose()?,
    };
    let sub = claims.get("sub").and_then(Value::as_str);
    let times = check::subject_and_times(sub, &times, check)?;
    Ok(VerifiedStatusList::new(check, read_list(claims)?, times))
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

/// "Status List Token in JWT Format": `ttl` is a positive number.
fn ttl(ttl: &Value) -> Result<i64, StatusError> {
    let ttl = ttl.as_f64().filter(|ttl| *ttl > 0.0);
    // Saturates for numbers beyond the range, and is clamped later.
    ttl.map(|ttl| ttl as i64).ok_or(StatusError::Claim("ttl"))
}
