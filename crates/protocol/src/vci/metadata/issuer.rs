//! Metadata as a wallet uses them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use url::Url;
use vouchsafe_credentials::json;

use super::{CredentialConfiguration, CredentialIssuerMetadata, MAX_BYTES, MetadataError};
use crate::http::{HttpResponse, UrlRule};
use crate::vci::CredentialIssuerId;

/// Metadata that passed every check, with the endpoints as URLs. A configuration that did not pass
/// is left out of the document and kept by its id: whatever else the issuer has can still be had.
#[derive(Debug, Clone, PartialEq)]
pub struct IssuerMetadata {
    issuer: CredentialIssuerId,
    credential_endpoint: Url,
    nonce_endpoint: Option<Url>,
    deferred_endpoint: Option<Url>,
    notification_endpoint: Option<Url>,
    document: CredentialIssuerMetadata,
    refused: BTreeMap<String, MetadataError>,
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
        mut value: Value,
        issuer: &CredentialIssuerId,
        rule: UrlRule,
    ) -> Result<Self, MetadataError> {
        let refused = leave_out(&mut value);
        let document: CredentialIssuerMetadata =
            serde_json::from_value(value).map_err(|_| MetadataError::Malformed)?;
        // Section 12.2.4: simple string comparison, no normalisation.
        if document.credential_issuer != issuer.as_str() {
            return Err(MetadataError::IssuerMismatch);
        }
        document.check_issuer()?;
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
            refused,
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

    /// Why a configuration was left out; `None` for one that is there, or that the issuer never named.
    #[must_use]
    pub fn refused_configuration(&self, id: &str) -> Option<MetadataError> {
        self.refused.get(id).copied()
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

    /// The whole document, without the configurations that were left out.
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

/// Takes the configurations out that do not keep the rules of section 12.2.4. Each stands for itself:
/// nothing there makes the issuer's other cards unacceptable.
fn leave_out(document: &mut Value) -> BTreeMap<String, MetadataError> {
    let mut refused = BTreeMap::new();
    let all = document.get_mut("credential_configurations_supported");
    // What is no object is refused with the document.
    let Some(all) = all.and_then(Value::as_object_mut) else {
        return refused;
    };
    all.retain(|id, one| match check(one) {
        Ok(()) => true,
        Err(error) => {
            refused.insert(id.clone(), error);
            false
        }
    });
    refused
}

fn check(configuration: &Value) -> Result<(), MetadataError> {
    let read = CredentialConfiguration::deserialize(configuration);
    read.map_err(|_| MetadataError::Configuration)?.check()
}
