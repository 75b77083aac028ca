//! What a client says about itself when nobody wrote it into a configuration (RFC 7591, section 2;
//! OpenID Connect Dynamic Client Registration 1.0, section 2): in a registration request, in a
//! stored registration, or in a document at its `client_id`.
//!
//! [`ClientMetadata::parse`] reads it once. What is not served is refused where the client would
//! fail or be less safe without it, and left out or replaced where it is not;
//! [`ClientMetadata::to_json`] says what holds (RFC 7591, section 3.2.1), and parses again.
//!
//! To add a member: a field, its line in `parse` and in `to_json`, its negative test.

mod members;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};
use url::Url;
use vouchsafe_credentials::jwks::JwkSet;

use super::client_auth::AuthMethod;
use super::device::DEVICE_CODE;
use super::error::{ErrorCode, ErrorDescription, OAuthError};
use super::redirect::{RedirectUri, RedirectUriError, RedirectUris};
use super::token::{AUTHORIZATION_CODE, REFRESH_TOKEN};
use super::values::Scopes;
use crate::http::{UrlRule, is_loopback_url};
use crate::oidc::acr::Acr;
use crate::oidc::subject::{Sector, SectorError};
use crate::vp::values::LocalizedText;
use members::Members;

/// Longest metadata in bytes.
pub const MAX_METADATA: usize = 32 << 10;

const OPENID: &str = "openid";
const OFFLINE_ACCESS: &str = "offline_access";

/// Members that ask for what is not done here. Left out, the client would wait for it, or its data
/// would travel less protected than it believes; so they are refused.
const NOT_SERVED: [&str; 12] = [
    "userinfo_signed_response_alg",
    "userinfo_encrypted_response_alg",
    "userinfo_encrypted_response_enc",
    "id_token_encrypted_response_alg",
    "id_token_encrypted_response_enc",
    "authorization_signed_response_alg",
    "authorization_encrypted_response_alg",
    "introspection_signed_response_alg",
    "request_object_signing_alg",
    "request_object_encryption_alg",
    "require_signed_request_object",
    "tls_client_certificate_bound_access_tokens",
];

/// Why metadata are not registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// A redirect URI (catalogue 353).
    #[error("a redirect URI cannot be registered: {0}")]
    RedirectUri(#[from] RedirectUriError),
    /// A redirect URI that its kind of application may not have.
    #[error("a redirect URI cannot be registered: {0}")]
    RedirectUriKind(&'static str),
    /// A member.
    #[error("{name}: {reason}")]
    Member {
        /// Which.
        name: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// A software statement that is no JWT.
    #[error("the software statement is malformed")]
    StatementMalformed,
    /// A software statement. Nobody's word counts here.
    #[error("software statements are not accepted")]
    StatementUnapproved,
}

impl MetadataError {
    pub(crate) const fn member(name: &'static str, reason: &'static str) -> Self {
        Self::Member { name, reason }
    }

    /// What the client is told (RFC 7591, section 3.2.2). The texts are ours and repeat no value.
    #[must_use]
    pub fn to_oauth(self) -> OAuthError {
        let code = match self {
            Self::RedirectUri(_) | Self::RedirectUriKind(_) => ErrorCode::InvalidRedirectUri,
            Self::Member { name: _, reason: _ } => ErrorCode::InvalidClientMetadata,
            Self::StatementMalformed => ErrorCode::InvalidSoftwareStatement,
            Self::StatementUnapproved => ErrorCode::UnapprovedSoftwareStatement,
        };
        OAuthError {
            code,
            description: Some(ErrorDescription::new(&self.to_string())),
        }
    }
}

/// What a client may have here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Offered {
    /// Scope values of credentials.
    pub scopes: Vec<String>,
    /// Whether a client may log people in without any of them.
    pub without_scope: bool,
    /// Whether refresh tokens are given.
    pub refresh: bool,
    /// Whether devices that show a code are served.
    pub devices: bool,
    /// Whether clients can get secrets. Where they cannot, `none` is the default method.
    pub secrets: bool,
    /// Whether `http` addresses of this machine are fine.
    pub loopback_http: bool,
}

/// How a client authenticates.
#[derive(Debug, Clone)]
pub enum ClientAuthentication {
    /// Not at all.
    None,
    /// With a secret that the server makes: `client_secret_basic`.
    SecretBasic,
    /// The same, `client_secret_post`.
    SecretPost,
    /// `private_key_jwt` with these keys; as they were sent, too.
    Keys(JwkSet, Value),
    /// `private_key_jwt` with the keys at an address.
    KeysAt(Url),
}

impl ClientAuthentication {
    /// The method on the wire.
    #[must_use]
    pub const fn method(&self) -> AuthMethod {
        match self {
            Self::None => AuthMethod::None,
            Self::SecretBasic => AuthMethod::ClientSecretBasic,
            Self::SecretPost => AuthMethod::ClientSecretPost,
            Self::Keys(_, _) | Self::KeysAt(_) => AuthMethod::PrivateKeyJwt,
        }
    }

    /// Whether it is a secret.
    #[must_use]
    pub const fn is_secret(&self) -> bool {
        match self {
            Self::SecretBasic | Self::SecretPost => true,
            Self::None | Self::Keys(_, _) | Self::KeysAt(_) => false,
        }
    }
}

/// Kinds of applications (OpenID Connect Dynamic Client Registration 1.0, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApplicationType {
    /// `web`
    Web,
    /// `native`
    Native,
}

/// Grants of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grants {
    /// `authorization_code`
    pub code: bool,
    /// `refresh_token`
    pub refresh: bool,
    /// `urn:ietf:params:oauth:grant-type:device_code`
    pub device: bool,
}

/// Algorithms of ID tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdTokenAlgorithm {
    /// `RS256`
    Rs256,
    /// `ES256`
    Es256,
}

/// Texts and addresses for people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// `client_name`; empty where the client gave none.
    pub name: LocalizedText,
    /// `client_uri`
    pub client_uri: Option<LocalizedText>,
    /// `logo_uri`; nobody here fetches it.
    pub logo_uri: Option<LocalizedText>,
    /// `policy_uri`
    pub policy_uri: Option<LocalizedText>,
    /// `tos_uri`
    pub tos_uri: Option<LocalizedText>,
}

/// Checked metadata.
#[derive(Debug, Clone)]
pub struct ClientMetadata {
    /// Where it receives people back.
    pub redirect_uris: RedirectUris,
    /// `application_type`
    pub application_type: ApplicationType,
    /// `grant_types`
    pub grants: Grants,
    /// `token_endpoint_auth_method` and what it needs.
    pub authentication: ClientAuthentication,
    /// What people read.
    pub about: About,
    /// `sector_identifier_uri`, still to be fetched.
    pub sector_identifier_uri: Option<Url>,
    /// `post_logout_redirect_uris`
    pub post_logout_redirect_uris: Vec<String>,
    /// `backchannel_logout_uri`
    pub backchannel_logout_uri: Option<Url>,
    /// `id_token_signed_response_alg`
    pub id_token_alg: IdTokenAlgorithm,
    /// `default_max_age`
    pub default_max_age: Option<u64>,
    /// `require_auth_time`; every ID token has it anyway.
    pub require_auth_time: bool,
    /// `default_acr_values`
    pub default_acr: Vec<Acr>,
    /// `dpop_bound_access_tokens`
    pub only_bound: bool,
    /// `require_pushed_authorization_requests`
    pub only_pushed: bool,
    /// Scope values of credentials that it may ask for.
    pub scopes: Vec<String>,
}

impl ClientMetadata {
    /// Reads metadata.
    ///
    /// # Errors
    /// [`MetadataError`] with the first thing that cannot be registered.
    pub fn parse(object: &Map<String, Value>, offered: &Offered) -> Result<Self, MetadataError> {
        let members = Members(object);
        software_statement(&members)?;
        not_served(object)?;
        let scope = members.text("scope")?;
        let grants = grants(&members, offered, scope)?;
        let redirect_uris = redirect_uris(&members, grants)?;
        let application_type = application_type(&members, &redirect_uris)?;
        pairwise(&members)?;
        let rule = match offered.loopback_http {
            true => UrlRule::LoopbackAllowed,
            false => UrlRule::AnyHttps,
        };
        let post_logout_redirect_uris = members.list("post_logout_redirect_uris")?;
        for uri in &post_logout_redirect_uris {
            RedirectUri::register(uri).map_err(|_| {
                MetadataError::member("post_logout_redirect_uris", "cannot be registered")
            })?;
        }
        Ok(Self {
            redirect_uris,
            application_type,
            grants,
            authentication: authentication(&members, offered, rule)?,
            about: About {
                name: members.name("client_name")?.unwrap_or_default(),
                client_uri: members.addresses("client_uri", rule)?,
                logo_uri: members.addresses("logo_uri", rule)?,
                policy_uri: members.addresses("policy_uri", rule)?,
                tos_uri: members.addresses("tos_uri", rule)?,
            },
            sector_identifier_uri: members.address("sector_identifier_uri", rule)?,
            post_logout_redirect_uris,
            backchannel_logout_uri: members.address("backchannel_logout_uri", rule)?,
            id_token_alg: id_token_alg(&members)?,
            default_max_age: members.number("default_max_age")?,
            require_auth_time: members.flag("require_auth_time")?,
            // What is not on the ladder cannot be reached here; the answer shows what is left.
            default_acr: (members.list("default_acr_values")?.iter())
                .filter_map(|value| Acr::from_wire(value))
                .collect(),
            only_bound: members.flag("dpop_bound_access_tokens")?,
            only_pushed: members.flag("require_pushed_authorization_requests")?,
            scopes: scopes(scope, offered)?,
        })
    }

    /// The sector of its subjects (OpenID Connect Core 1.0, section 8.1). Redirect URIs without a
    /// host of their own (this machine, a private-use scheme) could be anybody's: such a client is
    /// a sector for itself, under `client_id`.
    ///
    /// # Errors
    /// [`MetadataError`] where the redirect URIs name several hosts without a
    /// `sector_identifier_uri`.
    pub fn sector(&self, client_id: &str) -> Result<Sector, MetadataError> {
        let own = || {
            Sector::configured(&format!("client:{client_id}"))
                .map_err(|_| MetadataError::member("client_id", "cannot be a sector"))
        };
        if let Some(uri) = &self.sector_identifier_uri {
            let host = uri.host_str().unwrap_or_default();
            return Sector::configured(host)
                .map_err(|_| MetadataError::member("sector_identifier_uri", "has no host"));
        }
        let anybodys = |uri: &RedirectUri| {
            let url = uri.to_url();
            is_loopback_url(&url) || url.host_str().is_none() || url.scheme() != "https"
        };
        if self.redirect_uris.iter().all(anybodys) {
            return own();
        }
        let uris = self.redirect_uris.iter().map(RedirectUri::as_str);
        Sector::from_redirect_uris(uris).map_err(|error| match error {
            SectorError::Ambiguous => MetadataError::member(
                "redirect_uris",
                "they name more than one host: a sector_identifier_uri is needed",
            ),
            SectorError::Malformed => MetadataError::member("redirect_uris", "they name no host"),
        })
    }

    /// Whether the list at its `sector_identifier_uri` has all its redirect URIs (OpenID Connect
    /// Dynamic Client Registration 1.0, section 5).
    ///
    /// # Errors
    /// [`MetadataError`] where it has not, or is no list.
    pub fn check_sector_list(&self, list: &[u8]) -> Result<(), MetadataError> {
        let refused = |reason| MetadataError::member("sector_identifier_uri", reason);
        let listed: Vec<String> = serde_json::from_slice(list)
            .map_err(|_| refused("there is no list of addresses behind it"))?;
        let has = |uri: &RedirectUri| listed.iter().any(|listed| listed == uri.as_str());
        match self.redirect_uris.iter().all(has) {
            true => Ok(()),
            false => Err(refused("a redirect URI is not in the list behind it")),
        }
    }

    /// The metadata that hold, as JSON.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        members::write(self)
    }

    /// The scope that it may ask for.
    #[must_use]
    pub fn scope(&self) -> String {
        let cards = self.scopes.iter().map(String::as_str);
        let all = std::iter::once(OPENID).chain(cards);
        let all = all.chain(self.grants.refresh.then_some(OFFLINE_ACCESS));
        all.collect::<Vec<_>>().join(" ")
    }
}

/// RFC 7591, section 2.3. Nobody's statements count here, so one is refused and not overlooked.
fn software_statement(members: &Members<'_>) -> Result<(), MetadataError> {
    let Some(value) = members.value("software_statement") else {
        return Ok(());
    };
    let is_jwt = value
        .as_str()
        .is_some_and(|text| text.split('.').count() == 3);
    Err(match is_jwt {
        true => MetadataError::StatementUnapproved,
        false => MetadataError::StatementMalformed,
    })
}

fn not_served(object: &Map<String, Value>) -> Result<(), MetadataError> {
    let asked = |value: &Value| !matches!(value, Value::Null | Value::Bool(false));
    let plain = |value: &Value| value.as_str() == Some("none");
    for name in NOT_SERVED {
        if object
            .get(name)
            .is_some_and(|value| asked(value) && !plain(value))
        {
            return Err(MetadataError::member(name, "is not served"));
        }
    }
    Ok(())
}

/// What of the grants is served. A client gets refresh tokens where it names that grant, and where
/// it names a scope, `offline_access` in it.
fn grants(
    members: &Members<'_>,
    offered: &Offered,
    scope: Option<&str>,
) -> Result<Grants, MetadataError> {
    let named = members.optional_list("grant_types")?;
    // RFC 7591, section 2: the default.
    let named = named.unwrap_or_else(|| vec![AUTHORIZATION_CODE.to_owned()]);
    let has = |grant: &str| named.iter().any(|named| named == grant);
    let wants_to_stay = scope.is_none_or(|scope| scope.split(' ').any(|s| s == OFFLINE_ACCESS));
    let grants = Grants {
        code: has(AUTHORIZATION_CODE),
        refresh: has(REFRESH_TOKEN) && offered.refresh && wants_to_stay,
        device: has(DEVICE_CODE) && offered.devices,
    };
    if !grants.code && !grants.device {
        return Err(MetadataError::member(
            "grant_types",
            "none of them is served here",
        ));
    }
    let responses = members.optional_list("response_types")?;
    // Section 2.1: the two must agree.
    if grants.code && responses.is_some_and(|types| !types.iter().any(|one| one == "code")) {
        return Err(MetadataError::member(
            "response_types",
            "only code is served here",
        ));
    }
    Ok(grants)
}

fn redirect_uris(members: &Members<'_>, grants: Grants) -> Result<RedirectUris, MetadataError> {
    let uris = members
        .list("redirect_uris")
        .map_err(|_| MetadataError::RedirectUri(RedirectUriError::Malformed))?;
    // Nobody is sent back to a client that has no code.
    if !grants.code {
        return Ok(RedirectUris::none());
    }
    Ok(RedirectUris::register(&uris)?)
}

/// OpenID Connect Dynamic Client Registration 1.0, section 2, `application_type`.
fn application_type(
    members: &Members<'_>,
    uris: &RedirectUris,
) -> Result<ApplicationType, MetadataError> {
    let https = |uri: &RedirectUri| uri.to_url().scheme() == "https";
    let private = |uri: &RedirectUri| uri.to_url().scheme().contains('.');
    match members.text("application_type")? {
        None | Some("web") if uris.iter().any(private) => Err(MetadataError::RedirectUriKind(
            "a private-use scheme is for native applications",
        )),
        None | Some("web") => Ok(ApplicationType::Web),
        Some("native") if uris.iter().any(https) => Err(MetadataError::RedirectUriKind(
            "a native application has this machine or a private-use scheme",
        )),
        Some("native") => Ok(ApplicationType::Native),
        Some(_) => Err(MetadataError::member("application_type", "is unknown")),
    }
}

/// Subjects are pairwise here and nothing else.
fn pairwise(members: &Members<'_>) -> Result<(), MetadataError> {
    match members.text("subject_type")? {
        None | Some("pairwise") => Ok(()),
        Some(_) => Err(MetadataError::member(
            "subject_type",
            "only pairwise is served",
        )),
    }
}

fn id_token_alg(members: &Members<'_>) -> Result<IdTokenAlgorithm, MetadataError> {
    match members.text("id_token_signed_response_alg")? {
        None | Some("RS256") => Ok(IdTokenAlgorithm::Rs256),
        Some("ES256") => Ok(IdTokenAlgorithm::Es256),
        Some(_) => Err(MetadataError::member(
            "id_token_signed_response_alg",
            "only RS256 and ES256 are served",
        )),
    }
}

fn authentication(
    members: &Members<'_>,
    offered: &Offered,
    rule: UrlRule,
) -> Result<ClientAuthentication, MetadataError> {
    let refused = |reason| Err::<ClientAuthentication, _>(MetadataError::member(METHOD, reason));
    let jwks = members.value("jwks");
    let uri = members.address("jwks_uri", rule)?;
    // RFC 7591, section 2: never both.
    if jwks.is_some() && uri.is_some() {
        return Err(MetadataError::member("jwks", "not beside jwks_uri"));
    }
    match members.text(METHOD)? {
        Some("none") => Ok(ClientAuthentication::None),
        None if !offered.secrets => Ok(ClientAuthentication::None),
        Some("client_secret_basic" | "client_secret_post") if !offered.secrets => {
            refused("nobody shares a secret with this client")
        }
        // RFC 7591, section 2: the default.
        None | Some("client_secret_basic") => Ok(ClientAuthentication::SecretBasic),
        Some("client_secret_post") => Ok(ClientAuthentication::SecretPost),
        Some("private_key_jwt") => match (jwks, uri) {
            (Some(jwks), None) => keys(jwks),
            (None, Some(uri)) => Ok(ClientAuthentication::KeysAt(uri)),
            (None, None) => refused("private_key_jwt needs jwks or jwks_uri"),
            (Some(_), Some(_)) => Err(MetadataError::member("jwks", "not beside jwks_uri")),
        },
        Some(_) => refused("the method is not served"),
    }
}

const METHOD: &str = "token_endpoint_auth_method";

fn keys(value: &Value) -> Result<ClientAuthentication, MetadataError> {
    use vouchsafe_credentials::crypto::Algorithm;
    // A private key refuses the set.
    let set = JwkSet::from_value(value)
        .map_err(|_| MetadataError::member("jwks", "is no set of public keys"))?;
    let usable = |&algorithm: &Algorithm| set.verification_keys(algorithm, None).next().is_some();
    if !Algorithm::ALL.iter().any(usable) {
        return Err(MetadataError::member("jwks", "has no usable key"));
    }
    Ok(ClientAuthentication::Keys(set, value.clone()))
}

/// The scope values that the client asks for and may have; all of them where it names none.
fn scopes(asked: Option<&str>, offered: &Offered) -> Result<Vec<String>, MetadataError> {
    let refused = |reason| MetadataError::member("scope", reason);
    let asked = asked
        .map(Scopes::parse)
        .transpose()
        .map_err(|_| refused("is malformed"))?;
    let wanted = |scope: &&String| (asked.as_ref()).is_none_or(|asked| asked.contains(scope));
    let granted: Vec<String> = offered.scopes.iter().filter(wanted).cloned().collect();
    if granted.is_empty() && !offered.without_scope {
        return Err(refused("none of these values may be asked for here"));
    }
    Ok(granted)
}
