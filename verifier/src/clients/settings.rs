//! What an administrator says about an application: the members of a `[[client]]`, without those that
//! are a matter of the machine or of other sections.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use url::Url;
use utoipa::ToSchema;

use crate::config::{
    Authentication, Client, ClientConfig, ClientConsentConfig, ClientKeys, IdTokenAlg, Pkce,
    Profile,
};
use crate::domain::ids::{ClientId, QueryId};

/// An application. `null` is as good as a member that may be left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientSettings {
    /// How people know it.
    #[schema(example = "The Shop")]
    pub name: String,
    /// It runs in a browser or on a phone and keeps no secret. Without it, and without keys, it gets a
    /// secret of ours.
    #[serde(default, deserialize_with = "or_default")]
    pub public: bool,
    /// Its public keys instead of a secret (`private_key_jwt`): a JSON Web Key Set. Keys of the
    /// configuration are not repeated here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<std::collections::BTreeMap<String, Value>>)]
    pub jwks: Option<Map<String, Value>>,
    /// Where it publishes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// Where it receives people back; compared exactly.
    #[serde(default, deserialize_with = "or_default")]
    #[schema(example = json!(["https://shop.example/callback"]))]
    pub redirect_uris: Vec<String>,
    /// Where people may go after they logged out; compared exactly.
    #[serde(default, deserialize_with = "or_default")]
    pub post_logout_redirect_uris: Vec<String>,
    /// Whether PKCE may be left out.
    #[serde(default, deserialize_with = "or_default")]
    pub pkce: Pkce,
    /// How its ID tokens and logout tokens are signed.
    #[serde(default, deserialize_with = "or_default")]
    pub id_token_signed_response_alg: IdTokenAlg,
    /// Where it takes logout tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// Sector of its pairwise subjects; without it, the one host of its redirect URIs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sector: Option<String>,
    /// Whether people may answer from another device.
    #[serde(default, deserialize_with = "or_default")]
    pub cross_device: bool,
    /// Whether no QR code is offered where the browser has the Digital Credentials API.
    #[serde(default, deserialize_with = "or_default")]
    pub prefer_digital_credentials: bool,
    /// Whether it is a device that shows a code (RFC 8628).
    #[serde(default, deserialize_with = "or_default")]
    pub device: bool,
    /// Scope values it may ask for, beside `openid`.
    #[serde(default, deserialize_with = "or_default")]
    pub scopes: Vec<String>,
    /// Names of attributes that it may learn.
    #[serde(default, deserialize_with = "or_default")]
    pub attributes: Vec<String>,
    /// Whether it may go on while the person is away (`offline_access`).
    #[serde(default, deserialize_with = "or_default")]
    pub offline_access: bool,
    /// Whether it must push its authorization requests (RFC 9126, section 6).
    #[serde(default, deserialize_with = "or_default")]
    pub require_pushed_authorization_requests: bool,
    /// Whether it gets no tokens but those that are bound to a key (RFC 9449, section 5.2).
    #[serde(default, deserialize_with = "or_default")]
    pub dpop_bound_access_tokens: bool,
    /// Whether it is told by which id the organisation knows the account.
    #[serde(default, deserialize_with = "or_default")]
    pub external_id: bool,
    /// Whether people may log in to it with a passkey, where passkeys are on.
    #[serde(default = "yes", deserialize_with = "or_yes")]
    pub passkeys: bool,
    /// The query that logs people in when no scope of a query is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_query: Option<String>,
    /// Oldest acceptable login in seconds, where the request names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u64>,
    /// What people are told before they agree.
    #[serde(default, deserialize_with = "or_default")]
    pub consent: ConsentSettings,
}

/// What people are told before they agree.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentSettings {
    /// Days for which the application keeps the facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stays_days: Option<i64>,
    /// Days after which a consent ends and is asked for again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_days: Option<i64>,
    /// Others whom it gives the facts to.
    #[serde(default, deserialize_with = "or_default")]
    pub recipients: Vec<String>,
}

fn yes() -> bool {
    true
}

/// A member, where `null` is what is left out.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    value: D,
) -> Result<T, D::Error> {
    Option::deserialize(value).map(Option::unwrap_or_default)
}

fn or_yes<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    Option::deserialize(value).map(|value| value.unwrap_or_else(yes))
}

/// How an application proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// With a secret.
    Secret,
    /// With signed assertions.
    Keys,
    /// It does not.
    Public,
}

impl From<&Authentication> for Proof {
    fn from(authentication: &Authentication) -> Self {
        match authentication {
            Authentication::None => Self::Public,
            Authentication::Secret(_) => Self::Secret,
            Authentication::PrivateKeyJwt(_) => Self::Keys,
        }
    }
}

impl ClientSettings {
    /// How it is to prove who it is; `None` where it says two things.
    #[must_use]
    pub fn proof(&self) -> Option<Proof> {
        let keys = self.jwks.is_some() || self.jwks_uri.is_some();
        match (self.public, keys) {
            (true, false) => Some(Proof::Public),
            (false, true) => Some(Proof::Keys),
            (false, false) => Some(Proof::Secret),
            (true, true) => None,
        }
    }

    /// The same as it would stand in the configuration, for the one parser. It has no secret: what is
    /// known of that is kept beside.
    #[must_use]
    pub fn to_config(&self, id: &ClientId) -> ClientConfig {
        let Self {
            name,
            public: _,
            jwks,
            jwks_uri,
            redirect_uris,
            post_logout_redirect_uris,
            pkce,
            id_token_signed_response_alg,
            backchannel_logout_uri,
            sector,
            cross_device,
            prefer_digital_credentials,
            device,
            scopes,
            attributes,
            offline_access,
            require_pushed_authorization_requests,
            dpop_bound_access_tokens,
            external_id,
            passkeys,
            default_query,
            default_max_age,
            consent,
        } = self.clone();
        let ConsentSettings {
            stays_days,
            expires_days,
            recipients,
        } = consent;
        ClientConfig {
            id: id.as_str().to_owned(),
            name,
            profile: Profile::Open,
            secret: None,
            secret_file: None,
            jwks: jwks.map(|keys| Value::Object(keys).to_string()),
            jwks_file: None,
            jwks_uri,
            redirect_uris,
            post_logout_redirect_uris,
            pkce,
            id_token_signed_response_alg,
            backchannel_logout_uri,
            sector,
            cross_device,
            prefer_digital_credentials,
            device,
            scopes,
            attributes,
            offline_access,
            require_pushed_authorization_requests,
            dpop_bound_access_tokens,
            security_events: false,
            presented_credentials: false,
            external_id,
            authorization_details_types: BTreeSet::new(),
            passkeys,
            default_query,
            default_max_age,
            consent: ClientConsentConfig {
                controller: None,
                stays_days,
                expires_days,
                recipients,
                webhook: None,
            },
        }
    }

    /// What holds of an application of the configuration.
    #[must_use]
    pub fn of(client: &Client) -> Self {
        let jwks_uri = match &client.authentication {
            Authentication::PrivateKeyJwt(ClientKeys::At(uri)) => Some(uri.to_string()),
            Authentication::PrivateKeyJwt(ClientKeys::Listed(_))
            | Authentication::Secret(_)
            | Authentication::None => None,
        };
        let uris = client.redirect_uris.iter();
        Self {
            name: client.name.default.clone(),
            public: !client.authentication.is_confidential(),
            jwks: None,
            jwks_uri,
            redirect_uris: uris.map(|uri| uri.as_str().to_owned()).collect(),
            post_logout_redirect_uris: client.post_logout_redirect_uris.clone(),
            pkce: client.pkce,
            id_token_signed_response_alg: client.alg,
            backchannel_logout_uri: client.backchannel_logout_uri.as_ref().map(Url::to_string),
            sector: Some(client.sector.as_str().to_owned()),
            cross_device: client.cross_device,
            prefer_digital_credentials: client.prefer_digital_credentials,
            device: client.device,
            scopes: client.scopes.clone(),
            attributes: client.attributes.clone(),
            offline_access: client.offline_access,
            require_pushed_authorization_requests: client.only_pushed,
            dpop_bound_access_tokens: client.only_bound,
            external_id: client.external_id,
            passkeys: client.passkeys,
            default_query: client.default_query.as_ref().map(QueryId::to_string),
            default_max_age: client.default_max_age,
            consent: ConsentSettings {
                stays_days: client.consent.stays_days,
                expires_days: client.consent.expires_days,
                recipients: client.consent.recipients.clone(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything but the name may be left out, and nothing else is added by a `null`.
    #[test]
    fn null_is_as_good_as_a_member_that_is_left_out() {
        let least: ClientSettings = serde_json::from_str(r#"{"name":"App"}"#).unwrap();
        assert!(least.passkeys);
        let Value::Object(mut members) = serde_json::to_value(&least).unwrap() else {
            panic!("an object");
        };
        for absent in [
            "jwks",
            "jwks_uri",
            "backchannel_logout_uri",
            "sector",
            "default_query",
            "default_max_age",
        ] {
            assert_eq!(members.insert(absent.to_owned(), Value::Null), None);
        }
        for (name, value) in &mut members {
            if name != "name" {
                *value = Value::Null;
            }
        }
        let read: ClientSettings = serde_json::from_value(Value::Object(members.clone())).unwrap();
        assert_eq!(read, least);
        let consent =
            serde_json::json!({ "stays_days": null, "expires_days": null, "recipients": null });
        members.insert("consent".to_owned(), consent);
        let read: ClientSettings = serde_json::from_value(Value::Object(members.clone())).unwrap();
        assert_eq!(read, least);
        for (name, value) in [("secret", Value::Null), ("name", Value::Null)] {
            let mut wrong = members.clone();
            wrong.insert(name.to_owned(), value);
            assert!(serde_json::from_value::<ClientSettings>(Value::Object(wrong)).is_err());
        }
    }
}
