//! The credential offer (section 4): built by an issuer, read by a wallet, which trusts
//! nothing in it (section 13.4).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;
use vouchsafe_credentials::json;

use super::CredentialIssuerId;
use crate::http::{HttpResponse, UrlRefused, UrlRule};
use crate::oauth::params::{Params, ParamsError};
use crate::oauth::values::Secret;

mod wire;

use wire::{WireOffer, check_configurations};

/// Default scheme of invocations.
pub const SCHEME: &str = "openid-credential-offer://";
/// Longest offer in bytes, by value or by reference. Catalogue 287.
pub const MAX_BYTES: usize = 64 * 1024;

/// How a wallet is invoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfferInvocation {
    /// The offer itself.
    ByValue(Box<CredentialOffer>),
    /// Where the offer is. Fetch it with GET, `Accept: application/json`, without following
    /// redirects, at most [`MAX_BYTES`], then [`CredentialOffer::from_response`].
    ByReference(Url),
}

/// Why an offer was refused. Catalogue 286, 287.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// Not a URL with a query.
    #[error("not a credential offer link")]
    Link,
    /// Repeated or malformed parameters.
    #[error("malformed credential offer link")]
    Params(#[from] ParamsError),
    /// Both `credential_offer` and `credential_offer_uri`, or neither.
    #[error("the link must carry exactly one of credential_offer and credential_offer_uri")]
    OneOf,
    /// `credential_offer_uri` breaks the URL rule.
    #[error("the address of the offer is not acceptable: {0}")]
    Reference(UrlRefused),
    /// The fetch did not end with status 200 (a redirect is not followed).
    #[error("the offer could not be fetched")]
    Fetch,
    /// Another media type than `application/json`.
    #[error("the offer is not application/json")]
    MediaType,
    /// Longer than [`MAX_BYTES`].
    #[error("the offer is too long")]
    TooLong,
    /// Not JSON, or not of the form of section 4.1.1.
    #[error("malformed credential offer")]
    Malformed,
    /// `credential_issuer` breaks the URL rule.
    #[error("the issuer of the offer is not acceptable: {0}")]
    Issuer(UrlRefused),
    /// The wallet does not know this issuer.
    #[error("the issuer of the offer is not known")]
    UnknownIssuer,
    /// No identifiers, too many, or one twice.
    #[error("the offer names no credentials, too many, or one twice")]
    Configurations,
    /// `grants` present without a grant this wallet can use.
    #[error("the offer has no grant this wallet can use")]
    Grants,
}

/// An offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialOffer {
    /// Who offers.
    pub credential_issuer: CredentialIssuerId,
    /// What is offered: keys of `credential_configurations_supported`.
    pub credential_configuration_ids: Vec<String>,
    /// How to redeem it.
    pub grants: Grants,
}

/// Grants of an offer. Both absent: the authorization server's metadata decide.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grants {
    /// Code flow.
    pub authorization_code: Option<AuthorizationCodeGrant>,
    /// Pre-authorized code flow.
    pub pre_authorized_code: Option<PreAuthorizedCodeGrant>,
}

/// Code flow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuthorizationCodeGrant {
    /// Goes into the authorization request unchanged.
    pub issuer_state: Option<String>,
    /// Which authorization server, where the issuer's metadata name several.
    pub authorization_server: Option<String>,
}

/// Pre-authorized code flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreAuthorizedCodeGrant {
    /// The code.
    pub code: Secret,
    /// Present where a transaction code must be typed, even if it says nothing about it.
    pub tx_code: Option<TxCode>,
    /// Which authorization server, where the issuer's metadata name several.
    pub authorization_server: Option<String>,
}

/// What the transaction code looks like.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TxCode {
    /// Characters.
    #[serde(default, skip_serializing_if = "InputMode::is_default")]
    pub input_mode: InputMode,
    /// Number of characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u32>,
    /// Where the person finds it. Foreign text, at most 300 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Characters of a transaction code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputMode {
    /// Digits.
    #[default]
    Numeric,
    /// Any characters.
    Text,
}

impl InputMode {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Which issuers a wallet deals with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssuerRule {
    /// Any issuer whose URL is acceptable; the credential itself is judged later.
    Any,
    /// Listed identifiers only, compared byte for byte.
    Listed(BTreeSet<String>),
}

impl OfferInvocation {
    /// Reads a link or the text of a QR code. The scheme is not judged: what counts is the query.
    ///
    /// # Errors
    /// [`OfferError`]; nothing has been sent by then.
    pub fn parse(link: &str, urls: UrlRule, issuers: &IssuerRule) -> Result<Self, OfferError> {
        if link.len() > 2 * MAX_BYTES {
            return Err(OfferError::TooLong);
        }
        let (_, query) = link.split_once('?').ok_or(OfferError::Link)?;
        let query = query.split('#').next().unwrap_or_default();
        let params = Params::parse_with_limit(query, 2 * MAX_BYTES)?;
        let sent = |name| params.was_sent(name);
        match (sent("credential_offer"), sent("credential_offer_uri")) {
            (true, false) => {
                let offer = params.required("credential_offer")?;
                let offer = CredentialOffer::parse(offer.as_bytes(), urls, issuers)?;
                Ok(Self::ByValue(Box::new(offer)))
            }
            (false, true) => {
                let uri = params.required("credential_offer_uri")?;
                urls.parse(uri)
                    .map(Self::ByReference)
                    .map_err(OfferError::Reference)
            }
            (true, true) | (false, false) => Err(OfferError::OneOf),
        }
    }
}

impl CredentialOffer {
    /// Reads an offer. Unknown members are ignored (section 4.1.1).
    ///
    /// # Errors
    /// [`OfferError`].
    pub fn parse(body: &[u8], urls: UrlRule, issuers: &IssuerRule) -> Result<Self, OfferError> {
        if body.len() > MAX_BYTES {
            return Err(OfferError::TooLong);
        }
        let value = json::parse_strict(body).map_err(|_| OfferError::Malformed)?;
        let WireOffer {
            credential_issuer,
            credential_configuration_ids,
            grants,
        } = serde_json::from_value(value).map_err(|_| OfferError::Malformed)?;
        let credential_issuer =
            CredentialIssuerId::parse(&credential_issuer, urls).map_err(OfferError::Issuer)?;
        if let IssuerRule::Listed(known) = issuers
            && !known.contains(credential_issuer.as_str())
        {
            return Err(OfferError::UnknownIssuer);
        }
        check_configurations(&credential_configuration_ids)?;
        Ok(Self {
            credential_issuer,
            credential_configuration_ids,
            grants: Grants::read(grants.unwrap_or_default())?,
        })
    }

    /// Reads the answer to the GET of an offer by reference.
    ///
    /// # Errors
    /// [`OfferError`]; a redirect or another media type is refused.
    pub fn from_response(
        response: &HttpResponse,
        urls: UrlRule,
        issuers: &IssuerRule,
    ) -> Result<Self, OfferError> {
        if response.status != 200 {
            return Err(OfferError::Fetch);
        }
        if !response.is_media_type("application/json") {
            return Err(OfferError::MediaType);
        }
        Self::parse(&response.body, urls, issuers)
    }

    /// The offer object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let Self {
            credential_issuer,
            credential_configuration_ids,
            grants,
        } = self;
        let wire = WireOffer {
            credential_issuer: credential_issuer.as_str().to_owned(),
            credential_configuration_ids: credential_configuration_ids.clone(),
            grants: grants.to_wire(),
        };
        serde_json::to_value(wire).expect("an offer has string keys and no maps with others")
    }

    /// `openid-credential-offer://?credential_offer=…`
    #[must_use]
    pub fn link_by_value(&self) -> String {
        link("credential_offer", &self.to_json().to_string())
    }

    /// `openid-credential-offer://?credential_offer_uri=…`, short enough for a QR code.
    #[must_use]
    pub fn link_by_reference(offer_uri: &Url) -> String {
        link("credential_offer_uri", offer_uri.as_str())
    }
}

fn link(name: &str, value: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair(name, value)
        .finish();
    // Percent-encoding alone: some wallets do not read `+` as a space.
    format!("{SCHEME}?{}", query.replace('+', "%20"))
}

#[cfg(test)]
#[path = "offer_tests.rs"]
mod tests;
