//! What a provider says about itself (OpenID Connect Discovery 1.0, sections 3 and 4).

use serde_json::{Map, Value};
use url::Url;
use vouchsafe_credentials::json::parse_object;

use crate::jose::SigningAlg;

/// Why the metadata of a provider are not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    /// Not a JSON object.
    #[error("the metadata are not a JSON object")]
    Json,
    /// Another issuer than the one that was configured.
    #[error("`issuer` is not the configured one")]
    Issuer,
    /// An endpoint is missing or is no acceptable address.
    #[error("`{0}` is missing or not acceptable")]
    Endpoint(&'static str),
    /// A member has the wrong type.
    #[error("`{0}` has the wrong type")]
    Member(&'static str),
    /// The provider cannot do what is needed.
    #[error("the provider does not support {0}")]
    NotSupported(&'static str),
}

/// Metadata of a provider, checked.
#[derive(Debug, Clone)]
pub(super) struct Metadata {
    pub(super) authorization_endpoint: Url,
    pub(super) token_endpoint: String,
    pub(super) jwks_uri: String,
    pub(super) user_info_endpoint: Option<String>,
    pub(super) pushed_requests: Option<String>,
    /// RFC 9207, section 3.
    pub(super) sends_iss: bool,
    pub(super) algorithms: Vec<SigningAlg>,
    token_auth_methods: Option<Vec<String>>,
}

/// Where the metadata of an issuer are (section 4.1).
pub(super) fn location(issuer: &str) -> String {
    let base = issuer.strip_suffix('/').unwrap_or(issuer);
    format!("{base}/.well-known/openid-configuration")
}

impl Metadata {
    pub(super) fn parse(bytes: &[u8], issuer: &str) -> Result<Self, DiscoveryError> {
        let document = parse_object(bytes).map_err(|_| DiscoveryError::Json)?;
        // Section 4.3: the issuer MUST be exactly the one that was asked.
        if document.get("issuer").and_then(Value::as_str) != Some(issuer) {
            return Err(DiscoveryError::Issuer);
        }
        // Our own issuer may be http on loopback alone; then its endpoints may be too.
        let plain = issuer.starts_with("http://");
        let endpoint = |name| endpoint(&document, name, plain);
        let required = |name| endpoint(name)?.ok_or(DiscoveryError::Endpoint(name));
        let pushed = endpoint("pushed_authorization_request_endpoint")?;
        if pushed.is_none() && flag(&document, "require_pushed_authorization_requests")? {
            return Err(DiscoveryError::NotSupported("the endpoint that it demands"));
        }
        let methods = list(&document, "code_challenge_methods_supported")?;
        if methods.is_some_and(|methods| !methods.iter().any(|one| one == "S256")) {
            return Err(DiscoveryError::NotSupported("PKCE with S256"));
        }
        let responses = list(&document, "response_types_supported")?;
        if responses.is_some_and(|types| !types.iter().any(|one| one == "code")) {
            return Err(DiscoveryError::NotSupported("response_type=code"));
        }
        let authorization_endpoint = required("authorization_endpoint")?;
        // RFC 6749, section 3.1.
        if authorization_endpoint.fragment().is_some() {
            return Err(DiscoveryError::Endpoint("authorization_endpoint"));
        }
        Ok(Self {
            authorization_endpoint,
            token_endpoint: required("token_endpoint")?.into(),
            jwks_uri: required("jwks_uri")?.into(),
            user_info_endpoint: endpoint("userinfo_endpoint")?.map(String::from),
            pushed_requests: pushed.map(String::from),
            sends_iss: flag(&document, "authorization_response_iss_parameter_supported")?,
            algorithms: algorithms(&document)?,
            token_auth_methods: list(&document, "token_endpoint_auth_methods_supported")?,
        })
    }

    /// Whether a client may authenticate in this way (section 3: absent means
    /// `client_secret_basic`).
    pub(super) fn takes(&self, method: &str) -> bool {
        match &self.token_auth_methods {
            Some(methods) => methods.iter().any(|one| one == method),
            None => method == "client_secret_basic",
        }
    }
}

/// What the provider signs with, as far as it is accepted here: never `none`, never a MAC.
fn algorithms(document: &Map<String, Value>) -> Result<Vec<SigningAlg>, DiscoveryError> {
    let named = list(document, "id_token_signing_alg_values_supported")?;
    let named = named.unwrap_or_else(|| vec!["RS256".to_owned()]);
    let known: Vec<SigningAlg> = named.iter().filter_map(|n| SigningAlg::parse(n)).collect();
    match known.is_empty() {
        true => Err(DiscoveryError::NotSupported("ES256 or RS256")),
        false => Ok(known),
    }
}

fn endpoint(
    document: &Map<String, Value>,
    name: &'static str,
    plain: bool,
) -> Result<Option<Url>, DiscoveryError> {
    let Some(value) = document.get(name) else {
        return Ok(None);
    };
    let url = value.as_str().and_then(|text| Url::parse(text).ok());
    let url = url.ok_or(DiscoveryError::Endpoint(name))?;
    let scheme = url.scheme() == "https" || (plain && url.scheme() == "http");
    let clean = url.username().is_empty() && url.password().is_none();
    match scheme && clean && url.has_host() {
        true => Ok(Some(url)),
        false => Err(DiscoveryError::Endpoint(name)),
    }
}

/// A flag that is there but is none is an error, never "absent".
fn flag(document: &Map<String, Value>, name: &'static str) -> Result<bool, DiscoveryError> {
    match document.get(name) {
        None => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(_) => Err(DiscoveryError::Member(name)),
    }
}

fn list(
    document: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<Vec<String>>, DiscoveryError> {
    let Some(value) = document.get(name) else {
        return Ok(None);
    };
    let text = |one: &Value| one.as_str().map(str::to_owned);
    let items = value
        .as_array()
        .and_then(|all| all.iter().map(text).collect());
    items.map(Some).ok_or(DiscoveryError::Member(name))
}
