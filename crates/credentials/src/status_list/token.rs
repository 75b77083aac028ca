//! The Status List Token in JWT form.

use super::{Status, StatusError, StatusList, StatusRef};
use crate::crypto::{CryptoProvider, Signer};
use crate::jws::SignError;
use crate::sd_jwt_vc::{IssuerIdentity, IssuerKey, IssuerTrust};
use crate::time::UnixTime;

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
    /// `ttl` in seconds.
    pub ttl_s: u32,
    /// How the signer's key is named.
    pub key: IssuerKey<'a>,
}

/// Signs a Status List Token.
///
/// # Errors
/// When the signer fails.
pub async fn sign_status_list(
    _input: &StatusTokenInput<'_>,
    _signer: &dyn Signer,
) -> Result<String, SignError> {
    unimplemented!()
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

    /// `exp`: never used after it.
    #[must_use]
    pub fn expires_at(&self) -> Option<UnixTime> {
        self.expires_at
    }

    /// When a fresh copy is due: `ttl` from now, clamped to
    /// [`min_refresh_s`, [`MAX_REFRESH_S`]] and not after `exp`.
    #[must_use]
    pub fn refresh_at(&self) -> UnixTime {
        self.refresh_at
    }

    /// The status of a credential of this issuer.
    ///
    /// # Errors
    /// When the list has expired at `now`, is for another reference, or has no
    /// such index.
    pub fn status(&self, _reference: &StatusRef, _now: UnixTime) -> Result<Status, StatusError> {
        let _ = &self.list;
        unimplemented!()
    }
}

/// Verifies a Status List Token for one credential's issuer and URI.
///
/// # Errors
/// Each rule has its own [`StatusError`].
pub fn verify_status_list(
    _compact: &str,
    _check: &StatusCheck<'_>,
    _provider: &dyn CryptoProvider,
) -> Result<VerifiedStatusList, StatusError> {
    unimplemented!()
}
