//! The discovery document (OpenID Connect Discovery 1.0, section 3). It lists what the
//! caller says is enforced and nothing else.

use std::collections::BTreeMap;

use serde::Serialize;

use super::acr::Acr;
use super::prompt::Prompt;
use crate::oauth::client_auth::AuthMethod;

/// Where the provider's endpoints are. `None` for those that are not served.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Endpoints {
    /// Authorization endpoint.
    pub authorization: String,
    /// Token endpoint.
    pub token: String,
    /// UserInfo endpoint.
    pub userinfo: String,
    /// Keys of ID tokens.
    pub jwks: String,
    /// RP-initiated logout.
    pub end_session: Option<String>,
    /// Token introspection.
    pub introspection: Option<String>,
    /// Token revocation.
    pub revocation: Option<String>,
    /// Pushed authorization requests.
    pub pushed_authorization_request: Option<String>,
    /// Device authorization.
    pub device_authorization: Option<String>,
    /// Dynamic registration.
    pub registration: Option<String>,
}

/// What the provider enforces. An empty list leaves its member out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// Scopes, `openid` among them.
    pub scopes: Vec<String>,
    /// Claims that can be returned.
    pub claims: Vec<String>,
    /// Classes a login can reach here.
    pub acr: Vec<Acr>,
    /// Algorithms of ID tokens, `RS256` among them.
    pub id_token_algs: Vec<String>,
    /// Client authentication at the token endpoint.
    pub token_auth_methods: Vec<String>,
    /// Client authentication at the introspection endpoint.
    pub introspection_auth_methods: Vec<String>,
    /// Client authentication at the revocation endpoint.
    pub revocation_auth_methods: Vec<String>,
    /// Algorithms of client assertions, at each of them.
    pub assertion_algs: Vec<String>,
    /// Grants.
    pub grants: Vec<String>,
    /// Algorithms of DPoP proofs; empty where DPoP is not served.
    pub dpop_algs: Vec<String>,
    /// Languages of pages (BCP 47).
    pub ui_locales: Vec<String>,
    /// Every client must push its requests (RFC 9126, section 5).
    pub only_pushed: bool,
    /// The `claims` parameter is acted on.
    pub claims_parameter: bool,
    /// Logout tokens are sent, with `sid`.
    pub backchannel_logout: bool,
    /// `form_post` beside `query`.
    pub form_post: bool,
    /// Public subjects beside pairwise ones.
    pub public_subjects: bool,
    /// A client may be known by a document at its `client_id` (Client ID Metadata Document).
    pub client_documents: bool,
    /// Types of `authorization_details` (RFC 9396).
    pub authorization_details_types: Vec<String>,
    /// Cards that `presented_credentials` can be of, where it is served.
    pub presentations: Option<Presentations>,
    /// How claims may have been verified.
    pub assurance: Option<Assurance>,
}

/// What `presented_credentials` can be of (draft-svensson-credential-oidc-bridge-02, section 5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presentations {
    /// Scope values, and the cards that they stand for.
    pub supported: BTreeMap<String, PresentationType>,
    /// A request may bring a query of its own.
    pub dcql_query: bool,
}

/// A kind of card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PresentationType {
    /// `dc+sd-jwt` or `mso_mdoc`.
    pub format: String,
    /// `vct` or `docType`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// What `verified_claims` can say (OpenID Connect for Identity Assurance 1.0, "OP metadata").
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Assurance {
    /// At least one.
    pub trust_frameworks: Vec<String>,
    /// At least one.
    pub claims: Vec<String>,
    /// Types of evidence.
    pub evidence: Vec<String>,
    /// Types of documents.
    pub documents: Vec<String>,
    /// Types of electronic records.
    pub records: Vec<String>,
}

/// The document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiscoveryDocument {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    jwks_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_session_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    introspection_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pushed_authorization_request_endpoint: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    require_pushed_authorization_requests: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_authorization_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes_supported: Vec<String>,
    response_types_supported: [&'static str; 1],
    response_modes_supported: Vec<&'static str>,
    grant_types_supported: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    acr_values_supported: Vec<Acr>,
    subject_types_supported: Vec<&'static str>,
    id_token_signing_alg_values_supported: Vec<String>,
    token_endpoint_auth_methods_supported: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    introspection_endpoint_auth_methods_supported: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    revocation_endpoint_auth_methods_supported: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    token_endpoint_auth_signing_alg_values_supported: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    introspection_endpoint_auth_signing_alg_values_supported: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    revocation_endpoint_auth_signing_alg_values_supported: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    claims_supported: Vec<String>,
    claims_parameter_supported: bool,
    request_parameter_supported: bool,
    // The default of this member is true (section 3), so the false must be written.
    request_uri_parameter_supported: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ui_locales_supported: Vec<String>,
    code_challenge_methods_supported: [&'static str; 1],
    authorization_response_iss_parameter_supported: bool,
    prompt_values_supported: [&'static str; 4],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dpop_signing_alg_values_supported: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    backchannel_logout_supported: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    backchannel_logout_session_supported: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    client_id_metadata_document_supported: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authorization_details_types_supported: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_presentations_supported: Option<BTreeMap<String, PresentationType>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dcql_query_supported: Option<bool>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    verified_claims_supported: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trust_frameworks_supported: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    claims_in_verified_claims_supported: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evidence_supported: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    documents_supported: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    electronic_records_supported: Vec<String>,
}

impl DiscoveryDocument {
    /// Builds the document from what is served.
    #[must_use]
    pub fn new(issuer: &str, endpoints: Endpoints, capabilities: Capabilities) -> Self {
        let Endpoints {
            authorization,
            token,
            userinfo,
            jwks,
            end_session,
            introspection,
            revocation,
            pushed_authorization_request,
            device_authorization,
            registration,
        } = endpoints;
        let Capabilities {
            scopes,
            claims,
            acr,
            id_token_algs,
            token_auth_methods,
            introspection_auth_methods,
            revocation_auth_methods,
            assertion_algs,
            grants,
            dpop_algs,
            ui_locales,
            only_pushed,
            claims_parameter,
            backchannel_logout,
            form_post,
            public_subjects,
            client_documents,
            authorization_details_types,
            presentations,
            assurance,
        } = capabilities;
        let dcql_query = presentations.as_ref().map(|one| one.dcql_query);
        let verified = assurance.is_some();
        let assurance = assurance.unwrap_or_default();
        Self {
            issuer: issuer.to_owned(),
            authorization_endpoint: authorization,
            token_endpoint: token,
            userinfo_endpoint: userinfo,
            jwks_uri: jwks,
            end_session_endpoint: end_session,
            introspection_endpoint: introspection,
            revocation_endpoint: revocation,
            pushed_authorization_request_endpoint: pushed_authorization_request,
            require_pushed_authorization_requests: only_pushed,
            device_authorization_endpoint: device_authorization,
            registration_endpoint: registration,
            scopes_supported: scopes,
            response_types_supported: ["code"],
            response_modes_supported: with("query", form_post, "form_post"),
            grant_types_supported: grants,
            acr_values_supported: acr,
            subject_types_supported: with("pairwise", public_subjects, "public"),
            id_token_signing_alg_values_supported: id_token_algs,
            token_endpoint_auth_methods_supported: token_auth_methods,
            introspection_endpoint_auth_signing_alg_values_supported: algs_of(
                &introspection_auth_methods,
                &assertion_algs,
            ),
            revocation_endpoint_auth_signing_alg_values_supported: algs_of(
                &revocation_auth_methods,
                &assertion_algs,
            ),
            token_endpoint_auth_signing_alg_values_supported: assertion_algs,
            introspection_endpoint_auth_methods_supported: introspection_auth_methods,
            revocation_endpoint_auth_methods_supported: revocation_auth_methods,
            claims_supported: claims,
            claims_parameter_supported: claims_parameter,
            request_parameter_supported: false,
            request_uri_parameter_supported: false,
            ui_locales_supported: ui_locales,
            code_challenge_methods_supported: ["S256"],
            authorization_response_iss_parameter_supported: true,
            prompt_values_supported: Prompt::SUPPORTED,
            dpop_signing_alg_values_supported: dpop_algs,
            backchannel_logout_supported: backchannel_logout,
            backchannel_logout_session_supported: backchannel_logout,
            client_id_metadata_document_supported: client_documents,
            // RFC 9396, section 10.
            authorization_details_types_supported: authorization_details_types,
            credential_presentations_supported: presentations.map(|one| one.supported),
            dcql_query_supported: dcql_query,
            // Drafts before 1.0 demand it, and 1.0 takes members that it does not know.
            verified_claims_supported: verified,
            trust_frameworks_supported: assurance.trust_frameworks,
            claims_in_verified_claims_supported: assurance.claims,
            evidence_supported: assurance.evidence,
            documents_supported: assurance.documents,
            electronic_records_supported: assurance.records,
        }
    }
}

/// RFC 8414, section 2: only where an endpoint takes assertions.
fn algs_of(methods: &[String], algs: &[String]) -> Vec<String> {
    let signed = methods
        .iter()
        .any(|method| method == AuthMethod::PrivateKeyJwt.as_str());
    if signed { algs.to_vec() } else { Vec::new() }
}

fn with(always: &'static str, second: bool, name: &'static str) -> Vec<&'static str> {
    let mut values = vec![always];
    values.extend(second.then_some(name));
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_enabled_is_advertised() {
        let endpoints = Endpoints {
            authorization: "https://op.example.com/authorize".into(),
            token: "https://op.example.com/token".into(),
            userinfo: "https://op.example.com/userinfo".into(),
            jwks: "https://op.example.com/jwks".into(),
            ..Endpoints::default()
        };
        let capabilities = Capabilities {
            scopes: vec!["openid".into()],
            id_token_algs: vec!["RS256".into()],
            token_auth_methods: vec!["client_secret_basic".into()],
            grants: vec!["authorization_code".into()],
            ..Capabilities::default()
        };
        let document = DiscoveryDocument::new("https://op.example.com", endpoints, capabilities);
        let json = serde_json::to_value(document).unwrap();
        for absent in [
            "registration_endpoint",
            "client_id_metadata_document_supported",
            "introspection_endpoint",
            "pushed_authorization_request_endpoint",
            "require_pushed_authorization_requests",
            "introspection_endpoint_auth_methods_supported",
            "revocation_endpoint_auth_methods_supported",
            "token_endpoint_auth_signing_alg_values_supported",
            "introspection_endpoint_auth_signing_alg_values_supported",
            "backchannel_logout_supported",
            "dpop_signing_alg_values_supported",
            "acr_values_supported",
            "authorization_details_types_supported",
            "credential_presentations_supported",
            "dcql_query_supported",
            "verified_claims_supported",
            "trust_frameworks_supported",
            "claims_in_verified_claims_supported",
            "evidence_supported",
            "documents_supported",
            "electronic_records_supported",
        ] {
            assert!(json.get(absent).is_none(), "{absent}");
        }
        assert_eq!(json["request_uri_parameter_supported"], false);
        assert_eq!(
            json["code_challenge_methods_supported"],
            serde_json::json!(["S256"])
        );
        assert_eq!(
            json["response_modes_supported"],
            serde_json::json!(["query"])
        );
        assert_eq!(
            json["subject_types_supported"],
            serde_json::json!(["pairwise"])
        );
    }
}
