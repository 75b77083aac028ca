//! What of the metadata is served, member by member.

use serde_json::{Map, Value};
use vouchsafe_credentials::crypto::Algorithm;
use vouchsafe_credentials::jwks::JwkSet;

use super::members::Members;
use super::{
    ApplicationType, ClientAuthentication, Grants, IdTokenAlgorithm, METHOD, MetadataError,
    OFFLINE_ACCESS, Offered,
};
use crate::http::UrlRule;
use crate::oauth::device::DEVICE_CODE;
use crate::oauth::redirect::{RedirectUri, RedirectUriError, RedirectUris};
use crate::oauth::token::{AUTHORIZATION_CODE, REFRESH_TOKEN};
use crate::oauth::values::Scopes;

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

/// RFC 7591, section 2.3. Nobody's statements count here, so one is refused and not overlooked.
pub(super) fn software_statement(members: &Members<'_>) -> Result<(), MetadataError> {
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

pub(super) fn not_served(object: &Map<String, Value>) -> Result<(), MetadataError> {
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
pub(super) fn grants(
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

pub(super) fn redirect_uris(
    members: &Members<'_>,
    grants: Grants,
) -> Result<RedirectUris, MetadataError> {
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
pub(super) fn application_type(
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
pub(super) fn pairwise(members: &Members<'_>) -> Result<(), MetadataError> {
    match members.text("subject_type")? {
        None | Some("pairwise") => Ok(()),
        Some(_) => Err(MetadataError::member(
            "subject_type",
            "only pairwise is served",
        )),
    }
}

pub(super) fn id_token_alg(members: &Members<'_>) -> Result<IdTokenAlgorithm, MetadataError> {
    match members.text("id_token_signed_response_alg")? {
        None | Some("RS256") => Ok(IdTokenAlgorithm::Rs256),
        Some("ES256") => Ok(IdTokenAlgorithm::Es256),
        Some(_) => Err(MetadataError::member(
            "id_token_signed_response_alg",
            "only RS256 and ES256 are served",
        )),
    }
}

pub(super) fn authentication(
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

fn keys(value: &Value) -> Result<ClientAuthentication, MetadataError> {
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
pub(super) fn scopes(asked: Option<&str>, offered: &Offered) -> Result<Vec<String>, MetadataError> {
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
