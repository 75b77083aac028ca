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
mod rules;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};
use url::Url;
use vouchsafe_credentials::jwks::JwkSet;

use super::client_auth::AuthMethod;
use super::error::{ErrorCode, ErrorDescription, OAuthError};
use super::redirect::{RedirectUri, RedirectUriError, RedirectUris};
use crate::http::UrlRule;
use crate::oidc::acr::Acr;
use crate::oidc::subject::{Sector, SectorError};
use crate::vp::values::LocalizedText;
use members::Members;

const OPENID: &str = "openid";
const OFFLINE_ACCESS: &str = "offline_access";
const METHOD: &str = "token_endpoint_auth_method";

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
        rules::software_statement(&members)?;
        rules::not_served(object)?;
        let scope = members.text("scope")?;
        let grants = rules::grants(&members, offered, scope)?;
        let redirect_uris = rules::redirect_uris(&members, grants)?;
        let application_type = rules::application_type(&members, &redirect_uris)?;
        rules::pairwise(&members)?;
        let rule = match offered.loopback_http {
            true => UrlRule::LoopbackAllowed,
            false => UrlRule::AnyHttps,
        };
        let post_logout_redirect_uris = members.list("post_logout_redirect_uris")?;
        for uri in &post_logout_redirect_uris {
            RedirectUri::register_after_logout(uri).map_err(|_| {
                MetadataError::member("post_logout_redirect_uris", "cannot be registered")
            })?;
        }
        Ok(Self {
            redirect_uris,
            application_type,
            grants,
            authentication: rules::authentication(&members, offered, rule)?,
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
            id_token_alg: rules::id_token_alg(&members)?,
            default_max_age: members.number("default_max_age")?,
            require_auth_time: members.flag("require_auth_time")?,
            // What is not on the ladder cannot be reached here; the answer shows what is left.
            default_acr: (members.list("default_acr_values")?.iter())
                .filter_map(|value| Acr::from_wire(value))
                .collect(),
            only_bound: members.flag("dpop_bound_access_tokens")?,
            only_pushed: members.flag("require_pushed_authorization_requests")?,
            scopes: rules::scopes(scope, offered)?,
        })
    }

    /// The sector of its subjects (OpenID Connect Core 1.0, section 8.1). Anybody can name the redirect
    /// URI of somebody else, and then be told by other ways (a device, a logout token) what that one
    /// calls a person. So a host is a sector only where it says so itself, by the list at
    /// `sector_identifier_uri`; who has none, or is a device, is a sector for itself, under `client_id`.
    ///
    /// # Errors
    /// [`MetadataError`] where the redirect URIs name several hosts without a
    /// `sector_identifier_uri`, and where logout tokens would leave the sector.
    pub fn sector(&self, client_id: &str) -> Result<Sector, MetadataError> {
        let Some(list) = &self.sector_identifier_uri else {
            let uris = self.redirect_uris.iter().map(RedirectUri::as_str);
            if let Err(SectorError::Ambiguous) = Sector::from_redirect_uris(uris) {
                return Err(MetadataError::member(
                    "redirect_uris",
                    "they name more than one host: a sector_identifier_uri is needed",
                ));
            }
            return Ok(Sector::of_client(client_id));
        };
        if self.grants.device {
            return Ok(Sector::of_client(client_id));
        }
        let host = list.host_str().unwrap_or_default();
        let sector = Sector::configured(host)
            .map_err(|_| MetadataError::member("sector_identifier_uri", "has no host"))?;
        let logout = self.backchannel_logout_uri.as_ref();
        if logout.is_some_and(|uri| uri.host_str() != list.host_str()) {
            return Err(MetadataError::member(
                "backchannel_logout_uri",
                "is not at the host of the sector_identifier_uri",
            ));
        }
        Ok(sector)
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
