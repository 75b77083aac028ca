//! Metadata as a wallet uses them.

use url::Url;
use vouchsafe_credentials::json;

use super::{CredentialConfiguration, CredentialIssuerMetadata, MAX_BYTES, MetadataError};
use crate::http::{HttpResponse, UrlRule};
use crate::vci::CredentialIssuerId;

/// Metadata that passed every check, with the endpoints as URLs.
#[derive(Debug, Clone, PartialEq)]
pub struct IssuerMetadata {
    issuer: CredentialIssuerId,
    credential_endpoint: Url,
    nonce_endpoint: Option<Url>,
    deferred_endpoint: Option<Url>,
    notification_endpoint: Option<Url>,
    document: CredentialIssuerMetadata,
}

impl IssuerMetadata {
    /// Reads the answer to the GET of [`CredentialIssuerId::metadata_url`].
    ///
    /// # Errors
    /// [`MetadataError`].
    pub fn from_response(
        response: &HttpResponse,
        issuer: &CredentialIssuerId,
        rule: UrlRule,
    ) -> Result<Self, MetadataError> {
        if response.status != 200 {
            return Err(MetadataError::Fetch);
        }
        if !response.is_media_type("application/json") {
            return Err(MetadataError::MediaType);
        }
        Self::parse(&response.body, issuer, rule)
    }

    /// Reads a document fetched for `issuer`; unknown members are ignored.
    ///
    /// # Errors
    /// [`MetadataError`].
    pub fn parse(
        body: &[u8],
        issuer: &CredentialIssuerId,
        rule: UrlRule,
    ) -> Result<Self, MetadataError> {
        if body.len() > MAX_BYTES {
            return Err(MetadataError::Malformed);
        }
        let value = json::parse_strict(body).map_err(|_| MetadataError::Malformed)?;
        Self::read(value, issuer, rule)
    }

    /// Reads the claims of signed metadata, or a document.
    pub(super) fn read(
        value: serde_json::Value,
        issuer: &CredentialIssuerId,
        rule: UrlRule,
    ) -> Result<Self, MetadataError> {
        let document: CredentialIssuerMetadata =
            serde_json::from_value(value).map_err(|_| MetadataError::Malformed)?;
        // Section 12.2.4: simple string comparison, no normalisation.
        if document.credential_issuer != issuer.as_str() {
            return Err(MetadataError::IssuerMismatch);
        }
        document.check()?;
        let optional =
            |endpoint: &Option<String>| endpoint.as_deref().map(|e| rule.parse(e)).transpose();
        for server in document.authorization_servers.iter().flatten() {
            rule.parse(server)?;
        }
        Ok(Self {
            issuer: issuer.clone(),
            credential_endpoint: rule.parse(&document.credential_endpoint)?,
            nonce_endpoint: optional(&document.nonce_endpoint)?,
            deferred_endpoint: optional(&document.deferred_credential_endpoint)?,
            notification_endpoint: optional(&document.notification_endpoint)?,
            document,
        })
    }

    /// Who issues.
    #[must_use]
    pub fn issuer(&self) -> &CredentialIssuerId {
        &self.issuer
    }

    /// Where credentials are asked for.
    #[must_use]
    pub fn credential_endpoint(&self) -> &Url {
        &self.credential_endpoint
    }

    /// Where nonces come from, where proofs need one.
    #[must_use]
    pub fn nonce_endpoint(&self) -> Option<&Url> {
        self.nonce_endpoint.as_ref()
    }

    /// Where what was deferred is asked for.
    #[must_use]
    pub fn deferred_endpoint(&self) -> Option<&Url> {
        self.deferred_endpoint.as_ref()
    }

    /// Where the issuer wants to hear what became of its credentials.
    #[must_use]
    pub fn notification_endpoint(&self) -> Option<&Url> {
        self.notification_endpoint.as_ref()
    }

    /// A configuration by its id.
    #[must_use]
    pub fn configuration(&self, id: &str) -> Option<&CredentialConfiguration> {
        self.document.credential_configurations_supported.get(id)
    }

    /// Most proofs of one request.
    #[must_use]
    pub fn batch_size(&self) -> u64 {
        self.document
            .batch_credential_issuance
            .map_or(1, |b| b.batch_size)
    }

    /// The whole document.
    #[must_use]
    pub fn document(&self) -> &CredentialIssuerMetadata {
        &self.document
    }

    /// The authorization server to use. `hint` is the one of the offer's grant, allowed only
    /// where several are listed, and then one of them (section 4.1.1; catalogue 289).
    ///
    /// # Errors
    /// [`MetadataError::IssuerMismatch`] for a hint that is not listed.
    pub fn authorization_server(&self, hint: Option<&str>) -> Result<&str, MetadataError> {
        let servers = self
            .document
            .authorization_servers
            .as_deref()
            .unwrap_or_default();
        match (servers, hint) {
            ([], None) => Ok(self.issuer.as_str()),
            ([first, ..], None) => Ok(first),
            (servers, Some(hint)) => servers
                .iter()
                .find(|s| *s == hint)
                .map(String::as_str)
                .ok_or(MetadataError::IssuerMismatch),
        }
    }
}
