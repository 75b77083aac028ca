//! What a request asks, however it reached the wallet.

use serde_json::{Map, Value};
use vouchsafe_credentials::crypto::PublicKey;
use vouchsafe_credentials::time::UnixTime;

use super::about::{self, About};
use super::parse::WalletPolicy;
use super::party::{Parties, Requester};
use super::registration::{self, Registration};
use super::{AUDIENCE, CLOCK_SKEW_S, RequestError};
use crate::vp::dcql::DcqlQuery;
use crate::vp::metadata::ClientMetadata;
use crate::vp::transaction_data::{self, TransactionData, TransactionDataError};
use crate::vp::values::Nonce;

/// The parameters that every request has.
#[derive(Clone, Debug)]
pub(in crate::vp) struct Question {
    pub(in crate::vp) nonce: Nonce,
    pub(in crate::vp) query: DcqlQuery,
    pub(in crate::vp) transaction_data: Vec<TransactionData>,
    pub(in crate::vp) metadata: ClientMetadata,
    pub(super) about: About,
    pub(super) registration: Registration,
    pub(in crate::vp) expires_at: Option<UnixTime>,
}

/// A response mode: that of encrypted responses, and that of others where they are allowed.
#[derive(Clone, Copy)]
pub(super) struct Modes {
    pub(super) encrypted: &'static str,
    pub(super) open: Option<&'static str>,
}

impl Modes {
    /// Section 8.2.
    pub(super) fn posted(parties: &Parties<'_>) -> Self {
        Modes {
            encrypted: "direct_post.jwt",
            open: parties.unencrypted.then_some("direct_post"),
        }
    }

    /// Appendix A.2.
    pub(super) fn api(parties: &Parties<'_>) -> Self {
        Modes {
            encrypted: "dc_api.jwt",
            open: parties.unencrypted.then_some("dc_api"),
        }
    }
}

/// HAIP 1.0: the response type "MUST be `vp_token`", and the response mode is one of encrypted
/// responses, where the wallet does not allow others. Gives whether the response is encrypted.
pub(super) fn check_kind(claims: &Map<String, Value>, modes: Modes) -> Result<bool, RequestError> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    match text("response_type") {
        Some("vp_token") => {}
        Some(_) => return Err(RequestError::ResponseType),
        None => return Err(RequestError::Parameter("response_type")),
    }
    match text("response_mode") {
        Some(mode) if mode == modes.encrypted => Ok(true),
        Some(mode) if modes.open == Some(mode) => Ok(false),
        _ => Err(RequestError::ResponseMode),
    }
}

/// Section 5.8: for whom a request object is.
pub(super) fn check_audience(claims: &Map<String, Value>) -> Result<(), RequestError> {
    if claims.get("aud").and_then(Value::as_str) == Some(AUDIENCE) {
        Ok(())
    } else {
        Err(RequestError::Audience)
    }
}

/// `exp`, `iat` and `nbf` are optional in a request object (RFC 9101); what is there counts.
pub(super) fn check_times(
    claims: &Map<String, Value>,
    now: UnixTime,
) -> Result<Option<UnixTime>, RequestError> {
    let time = |name: &'static str| match claims.get(name) {
        None => Ok(None),
        Some(value) => {
            let time = UnixTime::from_numeric_date(value);
            Ok(Some(time.ok_or(RequestError::Parameter(name))?))
        }
    };
    let expires_at = time("exp")?;
    if expires_at.is_some_and(|exp| now >= exp.plus(CLOCK_SKEW_S)) {
        return Err(RequestError::Expired);
    }
    for name in ["iat", "nbf"] {
        if time(name)?.is_some_and(|start| now.plus(CLOCK_SKEW_S) < start) {
            return Err(RequestError::NotYetValid);
        }
    }
    Ok(expires_at)
}

impl Question {
    /// The key that the response is encrypted to.
    pub(in crate::vp) fn encryption_key(&self) -> Option<&PublicKey> {
        let encryption = self.metadata.encryption.as_ref();
        encryption.map(|encryption| &encryption.key)
    }

    /// The question with what registrars say of who asks.
    pub(super) fn of(
        mut self,
        requester: &Requester,
        claims: &Map<String, Value>,
        (policy, parties): (&WalletPolicy<'_>, &Parties<'_>),
    ) -> Self {
        let (info, certificate) = (claims.get("verifier_info"), requester.certificate());
        self.registration = registration::read(info, certificate, parties.registrars, policy);
        self
    }

    /// Reads the parameters. Unknown ones are ignored (section 5).
    pub(super) fn read(
        claims: &Map<String, Value>,
        encrypted: bool,
        expires_at: Option<UnixTime>,
        parties: &Parties<'_>,
    ) -> Result<Self, RequestError> {
        let nonce = claims.get("nonce").and_then(Value::as_str);
        let nonce = nonce.and_then(|nonce| Nonce::parse(nonce).ok());
        let query = query(claims)?;
        let transaction_data = transactions(claims, &query, parties);
        let transaction_data = transaction_data.map_err(RequestError::TransactionData)?;
        let metadata = ClientMetadata::parse(claims.get("client_metadata"), encrypted)
            .map_err(RequestError::Metadata)?;
        // Section 8.5, `vp_formats_not_supported`.
        let ours = query
            .credentials()
            .iter()
            .any(|entry| metadata.reads(entry.format()));
        if !ours {
            return Err(RequestError::Formats);
        }
        Ok(Question {
            nonce: nonce.ok_or(RequestError::Parameter("nonce"))?,
            query,
            transaction_data,
            metadata,
            about: about::read(claims.get("verifier_info")),
            registration: Registration::None,
            expires_at,
        })
    }
}

/// Section 5.1: the one parameter that is never ignored.
fn transactions(
    claims: &Map<String, Value>,
    query: &DcqlQuery,
    parties: &Parties<'_>,
) -> Result<Vec<TransactionData>, TransactionDataError> {
    match claims.get("transaction_data") {
        None => Ok(Vec::new()),
        // Section 8.4: a wallet that does not support it "MUST return an error".
        Some(_) if !parties.transactions => Err(TransactionDataError::Unsupported),
        Some(strings) => transaction_data::read(strings, query),
    }
}

/// Section 5.1: "Either a `dcql_query` or a `scope` parameter representing a DCQL
/// Query MUST be present in the Authorization Request, but not both."
fn query(claims: &Map<String, Value>) -> Result<DcqlQuery, RequestError> {
    match (claims.get("dcql_query"), claims.contains_key("scope")) {
        (Some(_), true) => Err(RequestError::QueryAndScope),
        (None, false) => Err(RequestError::NoQuery),
        (None, true) => Err(RequestError::Scope),
        (Some(query), false) => DcqlQuery::parse(query).map_err(RequestError::Query),
    }
}
