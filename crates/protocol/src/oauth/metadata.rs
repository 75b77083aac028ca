//! Authorization server metadata (RFC 8414): published by a server, read by a client.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::http::{UrlRefused, UrlRule};

/// Name inserted between host and path (RFC 8414, section 3).
pub const WELL_KNOWN: &str = "oauth-authorization-server";

/// The URL of a metadata document: `/.well-known/{name}` goes between host and path of the
/// identifier, whose terminating "/" is removed first (RFC 8414, section 3.1).
///
/// # Errors
/// [`UrlRefused`] where the identifier breaks the rule or has a query.
pub fn well_known_url(identifier: &str, name: &str, rule: UrlRule) -> Result<Url, UrlRefused> {
    let mut url = insert_well_known(identifier, name, rule)?;
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// As [`well_known_url`], a path kept as it is (OpenID4VCI 1.0, section 12.2.2).
pub(crate) fn insert_well_known(
    identifier: &str,
    name: &str,
    rule: UrlRule,
) -> Result<Url, UrlRefused> {
    let mut url = rule.parse(identifier)?;
    if url.query().is_some() {
        return Err(UrlRefused::Query);
    }
    let path = if url.path() == "/" { "" } else { url.path() };
    url.set_path(&format!("/.well-known/{name}{path}"));
    Ok(url)
}

/// The document. List only what is enforced; absent members are not written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationServerMetadata {
    /// Issuer identifier.
    pub issuer: String,
    /// Authorization endpoint, absent where only pre-authorized codes are served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_endpoint: Option<String>,
    /// Token endpoint.
    pub token_endpoint: String,
    /// Pushed authorization request endpoint (RFC 9126).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed_authorization_request_endpoint: Option<String>,
    /// Whether authorization requests must be pushed (RFC 9126, section 5).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_pushed_authorization_requests: bool,
    /// Challenges for client attestations (attestation-based client authentication, section 8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge_endpoint: Option<String>,
    /// Keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// Scopes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes_supported: Vec<String>,
    /// Response types.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response_types_supported: Vec<String>,
    /// Response modes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response_modes_supported: Vec<String>,
    /// Grants; the default is `authorization_code` and `implicit` (RFC 8414, section 2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grant_types_supported: Vec<String>,
    /// Client authentication at the token endpoint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// Algorithms of client assertions; there exactly where `private_key_jwt` is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub token_endpoint_auth_signing_alg_values_supported: Vec<String>,
    /// Algorithms of client attestations (attestation-based client authentication, section 10.1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub client_attestation_signing_alg_values_supported: Vec<String>,
    /// Algorithms of their proofs of possession.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub client_attestation_pop_signing_alg_values_supported: Vec<String>,
    /// Types of authorization details (RFC 9396, section 10).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorization_details_types_supported: Vec<String>,
    /// PKCE methods; only `S256` is ever listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub code_challenge_methods_supported: Vec<String>,
    /// Algorithms of DPoP proofs (RFC 9449, section 5.1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dpop_signing_alg_values_supported: Vec<String>,
    /// RFC 9207, section 3.
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
    /// OpenID4VCI 1.0, section 12.3.
    #[serde(
        default,
        rename = "pre-authorized_grant_anonymous_access_supported",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub pre_authorized_grant_anonymous_access_supported: bool,
}

/// Why metadata were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Not JSON of the expected form.
    #[error("malformed authorization server metadata")]
    Malformed,
    /// RFC 8414, section 3.3: `issuer` MUST be identical to the identifier asked for.
    #[error("the metadata belong to another issuer")]
    IssuerMismatch,
    /// An endpoint breaks the URL rule.
    #[error("an endpoint is not acceptable: {0}")]
    Endpoint(#[from] UrlRefused),
}

impl AuthorizationServerMetadata {
    /// Reads a document fetched for `issuer`; unknown members are ignored.
    ///
    /// # Errors
    /// [`MetadataError`].
    pub fn parse(body: &[u8], issuer: &str, rule: UrlRule) -> Result<Self, MetadataError> {
        let value = vouchsafe_credentials::json::parse_strict(body)
            .map_err(|_| MetadataError::Malformed)?;
        let document: Self = serde_json::from_value(value).map_err(|_| MetadataError::Malformed)?;
        if document.issuer != issuer {
            return Err(MetadataError::IssuerMismatch);
        }
        let optional = [
            &document.authorization_endpoint,
            &document.pushed_authorization_request_endpoint,
            &document.challenge_endpoint,
            &document.jwks_uri,
        ];
        for endpoint in optional
            .into_iter()
            .flatten()
            .chain([&document.token_endpoint])
        {
            rule.parse(endpoint)?;
        }
        Ok(document)
    }

    /// Whether the server says it serves the grant.
    #[must_use]
    pub fn supports_grant(&self, grant: &str) -> bool {
        if self.grant_types_supported.is_empty() {
            // RFC 8414, section 2: the default value.
            return grant == super::token::AUTHORIZATION_CODE;
        }
        self.grant_types_supported.iter().any(|g| g == grant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_is_inserted_before_the_path() {
        let url =
            |id: &str| well_known_url(id, WELL_KNOWN, UrlRule::PublicHttps).map(|u| u.to_string());
        assert_eq!(
            url("https://as.example.com").unwrap(),
            "https://as.example.com/.well-known/oauth-authorization-server"
        );
        assert_eq!(
            url("https://as.example.com:8443/tenant/").unwrap(),
            "https://as.example.com:8443/.well-known/oauth-authorization-server/tenant"
        );
        assert_eq!(url("https://as.example.com/?a=b"), Err(UrlRefused::Query));
        assert_eq!(url("http://as.example.com"), Err(UrlRefused::Scheme));
    }

    fn document(extra: &str) -> Vec<u8> {
        format!(r#"{{"issuer":"https://as.example.com","token_endpoint":"https://as.example.com/token"{extra}}}"#).into_bytes()
    }

    fn parse(body: &[u8], issuer: &str) -> Result<AuthorizationServerMetadata, MetadataError> {
        AuthorizationServerMetadata::parse(body, issuer, UrlRule::PublicHttps)
    }

    #[test]
    fn cat_289_metadata_of_another_issuer() {
        let issuer = "https://as.example.com";
        assert!(parse(&document(r#","unknown":{"a":1}"#), issuer).is_ok());
        assert_eq!(
            parse(&document(""), "https://as.example.com/"),
            Err(MetadataError::IssuerMismatch)
        );
        assert_eq!(
            parse(&document(""), "https://AS.example.com"),
            Err(MetadataError::IssuerMismatch)
        );
        assert_eq!(
            parse(
                &document(r#","authorization_endpoint":"http://10.0.0.1/"#),
                issuer
            ),
            Err(MetadataError::Malformed)
        );
        assert_eq!(
            parse(
                &document(r#","authorization_endpoint":"https://10.0.0.1/""#),
                issuer
            ),
            Err(MetadataError::Endpoint(UrlRefused::PrivateHost))
        );
        assert_eq!(
            parse(&document(r#","issuer":"https://evil.example""#), issuer),
            Err(MetadataError::Malformed)
        );
    }

    #[test]
    fn absent_lists_are_not_written() {
        let metadata = parse(&document(""), "https://as.example.com").unwrap();
        let json = serde_json::to_string(&metadata).unwrap();
        assert!(!json.contains("[]") && !json.contains("null"), "{json}");
        assert!(metadata.supports_grant("authorization_code"));
        assert!(!metadata.supports_grant(super::super::token::PRE_AUTHORIZED_CODE));
    }
}
