//! The registered claims of an SD-JWT VC, typed. What is present but
//! malformed is an error, never the same as absent.

use serde_json::{Map, Value};

use super::VcError;
use crate::crypto::{KeyUse, PublicKey};
use crate::sd_jwt::{DisclosedClaim, ELLIPSIS, SD};
use crate::status_list::StatusRef;
use crate::time::UnixTime;

/// SD-JWT VC, "Registered JWT Claims": these and what is below them must not
/// be selectively disclosed.
pub(super) const NEVER_HIDDEN: [&str; 8] = [
    "iss",
    "nbf",
    "exp",
    "cnf",
    "vct",
    "vct#integrity",
    "aka_vcts",
    "status",
];

/// The registered claims, each absent or well-formed.
#[derive(Debug, Clone, PartialEq)]
pub struct RegisteredClaims {
    /// `vct`
    pub vct: String,
    /// `aka_vcts`, empty when absent.
    pub aka_vcts: Vec<String>,
    /// `iss`: what the credential says, not who it is (see [`super::IssuerIdentity`]).
    pub iss: Option<String>,
    /// `sub`
    pub sub: Option<String>,
    /// `iat`
    pub issued_at: Option<UnixTime>,
    /// `nbf`
    pub not_before: Option<UnixTime>,
    /// `exp`
    pub expires_at: Option<UnixTime>,
    /// `cnf.jwk`
    pub holder_key: Option<PublicKey>,
    /// `status.status_list`
    pub status: Option<StatusRef>,
}

impl RegisteredClaims {
    /// Reads them from a processed payload.
    pub(super) fn read(claims: &Map<String, Value>) -> Result<Self, VcError> {
        let vct = text(claims, "vct")?.ok_or(VcError::TypeMissing)?;
        if vct.is_empty() {
            return Err(VcError::ClaimMalformed("vct"));
        }
        text(claims, "vct#integrity")?;
        Ok(Self {
            aka_vcts: aka_vcts(claims, &vct)?,
            vct,
            iss: text(claims, "iss")?,
            sub: text(claims, "sub")?,
            issued_at: time(claims, "iat")?,
            not_before: time(claims, "nbf")?,
            expires_at: time(claims, "exp")?,
            holder_key: claims.get("cnf").map(holder_key).transpose()?,
            status: claims.get("status").map(status).transpose()?,
        })
    }
}

/// Refuses a signed payload in which a registered claim holds digests.
pub(super) fn refuse_digests_in_registered(payload: &Map<String, Value>) -> Result<(), VcError> {
    for name in NEVER_HIDDEN {
        if payload.get(name).is_some_and(holds_digests) {
            return Err(VcError::ClaimHidden(name));
        }
    }
    Ok(())
}

/// Refuses Disclosures of registered claims.
pub(super) fn refuse_disclosed_registered(disclosed: &[DisclosedClaim]) -> Result<(), VcError> {
    for claim in disclosed {
        let first = claim.path.first_key();
        if let Some(name) = NEVER_HIDDEN.into_iter().find(|name| Some(*name) == first) {
            return Err(VcError::ClaimHidden(name));
        }
    }
    Ok(())
}

fn holds_digests(value: &Value) -> bool {
    match value {
        Value::Object(map) => {
            map.contains_key(SD) || map.contains_key(ELLIPSIS) || map.values().any(holds_digests)
        }
        Value::Array(items) => items.iter().any(holds_digests),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn text(claims: &Map<String, Value>, name: &'static str) -> Result<Option<String>, VcError> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(VcError::ClaimMalformed(name)),
    }
}

fn time(claims: &Map<String, Value>, name: &'static str) -> Result<Option<UnixTime>, VcError> {
    numeric_date(claims, name).map_err(|Malformed| VcError::ClaimMalformed(name))
}

/// A claim that is present and not what it must be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Malformed;

/// RFC 7519, section 2, `NumericDate`, narrowed to whole seconds from 1970 to
/// 9999: strings, fractions and numbers that would wrap are malformed.
pub(crate) fn numeric_date(
    claims: &Map<String, Value>,
    name: &str,
) -> Result<Option<UnixTime>, Malformed> {
    const LAST: i64 = 253_402_300_799;
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    match value.as_i64() {
        Some(seconds @ 0..=LAST) => Ok(Some(UnixTime(seconds))),
        Some(_) | None => Err(Malformed),
    }
}

/// SD-JWT VC, "Other Credential Types": a non-empty array of strings without
/// the value of `vct`.
fn aka_vcts(claims: &Map<String, Value>, vct: &str) -> Result<Vec<String>, VcError> {
    const MALFORMED: VcError = VcError::ClaimMalformed("aka_vcts");
    let items = match claims.get("aka_vcts") {
        None => return Ok(Vec::new()),
        Some(Value::Array(items)) if !items.is_empty() => items,
        Some(_) => return Err(MALFORMED),
    };
    items
        .iter()
        .map(|item| match item.as_str() {
            Some(name) if !name.is_empty() && name != vct => Ok(name.to_owned()),
            Some(_) | None => Err(MALFORMED),
        })
        .collect()
}

/// Only `cnf.jwk` (RFC 7800, section 3.2) is accepted: every other way to name
/// a key would need a look-up that tells the issuer who asks (SD-JWT VC,
/// "Issuer Phone-Home").
fn holder_key(cnf: &Value) -> Result<PublicKey, VcError> {
    let cnf = cnf.as_object().ok_or(VcError::ClaimMalformed("cnf"))?;
    let jwk = match cnf.get("jwk") {
        Some(jwk) if cnf.len() == 1 => jwk,
        Some(_) | None => return Err(VcError::HolderKeyUnsupported),
    };
    let members = jwk.as_object().ok_or(VcError::ClaimMalformed("cnf"))?;
    if members.contains_key("jku") || members.contains_key("x5u") {
        return Err(VcError::HolderKeyUnsupported);
    }
    PublicKey::from_jwk_for(jwk, KeyUse::Verify).map_err(VcError::HolderKey)
}

fn status(status: &Value) -> Result<StatusRef, VcError> {
    let status = status
        .as_object()
        .ok_or(VcError::ClaimMalformed("status"))?;
    // A status that is there but cannot be checked is no "valid".
    let reference = status
        .get("status_list")
        .ok_or(VcError::StatusUnsupported)?;
    StatusRef::from_json(reference).map_err(|_| VcError::ClaimMalformed("status"))
}
