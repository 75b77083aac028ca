//! The members of metadata, read one by one and written again.

use serde_json::{Map, Value, json};
use url::Url;
use vouchsafe_credentials::text::is_hidden;

use super::{
    About, ApplicationType, ClientAuthentication, ClientMetadata, Grants, IdTokenAlgorithm, METHOD,
    MetadataError,
};
use crate::http::UrlRule;
use crate::oauth::device::DEVICE_CODE;
use crate::oauth::redirect::RedirectUri;
use crate::oauth::token::{AUTHORIZATION_CODE, REFRESH_TOKEN};
use crate::vp::values::LocalizedText;

/// Most values of a list.
const MAX_VALUES: usize = 20;
/// Most languages of a text.
const MAX_LANGUAGES: usize = 20;
/// Longest name in characters.
const MAX_NAME: usize = 100;
/// Longest address or other value in bytes.
const MAX_VALUE: usize = 2048;
/// Oldest `default_max_age` that says anything, in seconds: ten years.
const MAX_AGE: u64 = 10 * 366 * 86_400;

/// Reads members. `null` is as good as absent (RFC 7592, section 2.2).
pub(super) struct Members<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Members<'a> {
    pub(super) fn value(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: &'static str) -> Result<Option<&'a str>, MetadataError> {
        let malformed = MetadataError::member(name, "is no text");
        match self.value(name) {
            None => Ok(None),
            Some(value) => match value.as_str().filter(|text| text.len() <= MAX_VALUE) {
                Some(text) => Ok(Some(text)),
                None => Err(malformed),
            },
        }
    }

    pub(super) fn flag(&self, name: &'static str) -> Result<bool, MetadataError> {
        match self.value(name) {
            None => Ok(false),
            Some(value) => value
                .as_bool()
                .ok_or(MetadataError::member(name, "is neither true nor false")),
        }
    }

    pub(super) fn number(&self, name: &'static str) -> Result<Option<u64>, MetadataError> {
        let malformed = MetadataError::member(name, "is no number of seconds");
        match self.value(name) {
            None => Ok(None),
            Some(value) => match value.as_u64().filter(|&number| number <= MAX_AGE) {
                Some(number) => Ok(Some(number)),
                None => Err(malformed),
            },
        }
    }

    pub(super) fn list(&self, name: &'static str) -> Result<Vec<String>, MetadataError> {
        Ok(self.optional_list(name)?.unwrap_or_default())
    }

    pub(super) fn optional_list(
        &self,
        name: &'static str,
    ) -> Result<Option<Vec<String>>, MetadataError> {
        let malformed = MetadataError::member(name, "is no list of texts, or a long one");
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        let values = value.as_array().ok_or(malformed)?;
        if values.len() > MAX_VALUES {
            return Err(malformed);
        }
        let text = |value: &Value| {
            let text = value.as_str().filter(|text| text.len() <= MAX_VALUE);
            text.map(str::to_owned).ok_or(malformed)
        };
        values.iter().map(text).collect::<Result<_, _>>().map(Some)
    }

    pub(super) fn address(
        &self,
        name: &'static str,
        rule: UrlRule,
    ) -> Result<Option<Url>, MetadataError> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let parsed = rule.endpoint(text);
        parsed
            .map(Some)
            .map_err(|_| MetadataError::member(name, "is no https address"))
    }

    /// A name, in as many languages as it has (RFC 7591, section 2.2).
    pub(super) fn name(&self, name: &'static str) -> Result<Option<LocalizedText>, MetadataError> {
        self.localized(name, showable, "cannot be shown to people")
    }

    /// An address for people, in as many languages as it has.
    pub(super) fn addresses(
        &self,
        name: &'static str,
        rule: UrlRule,
    ) -> Result<Option<LocalizedText>, MetadataError> {
        let is_address = |text: &str| text.len() <= MAX_VALUE && rule.parse(text).is_ok();
        self.localized(name, is_address, "is no https address")
    }

    fn localized(
        &self,
        name: &'static str,
        good: impl Fn(&str) -> bool,
        reason: &'static str,
    ) -> Result<Option<LocalizedText>, MetadataError> {
        let refused = MetadataError::member(name, reason);
        let checked = |value: &Value| {
            let text = value.as_str().filter(|text| good(text)).ok_or(refused)?;
            Ok::<_, MetadataError>(text.to_owned())
        };
        let default = self.value(name).map(checked).transpose()?;
        let mut text = LocalizedText::default();
        for (key, value) in self.0 {
            let tag = key
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix('#'));
            let Some(tag) = tag else { continue };
            if value.is_null() {
                continue;
            }
            if !is_tag(tag) || text.translations.len() == MAX_LANGUAGES {
                return Err(MetadataError::member(name, "has a tag of no language"));
            }
            text.translations.insert(tag.to_owned(), checked(value)?);
        }
        let first = text.translations.values().next().cloned();
        Ok(default
            .or(first)
            .map(|default| LocalizedText { default, ..text }))
    }
}

/// Whether a name can stand on a page: some text on one line, and nothing that nobody sees or that
/// turns the direction of what is around it. Two names that look the same would differ in it.
fn showable(name: &str) -> bool {
    let bad = |c: char| is_hidden(c) || matches!(c, '\u{2028}' | '\u{2029}');
    !name.trim().is_empty() && name.chars().count() <= MAX_NAME && !name.chars().any(bad)
}

/// BCP 47, as far as form goes.
fn is_tag(tag: &str) -> bool {
    let part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    tag.len() <= 35 && tag.split('-').all(part)
}

/// Writes the metadata that hold.
pub(super) fn write(metadata: &ClientMetadata) -> Map<String, Value> {
    let ClientMetadata {
        redirect_uris,
        application_type,
        grants,
        authentication,
        about,
        sector_identifier_uri,
        post_logout_redirect_uris,
        backchannel_logout_uri,
        id_token_alg,
        default_max_age,
        require_auth_time,
        default_acr,
        only_bound,
        only_pushed,
        scopes: _,
    } = metadata;
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| drop(object.insert(name.to_owned(), value));
    let uris: Vec<&str> = redirect_uris.iter().map(RedirectUri::as_str).collect();
    put("redirect_uris", json!(uris));
    put(
        "application_type",
        json!(match application_type {
            ApplicationType::Web => "web",
            ApplicationType::Native => "native",
        }),
    );
    put("grant_types", json!(grant_names(*grants)));
    let responses: &[&str] = if grants.code { &["code"] } else { &[] };
    put("response_types", json!(responses));
    put(METHOD, json!(authentication.method().as_str()));
    match authentication {
        ClientAuthentication::Keys(_, sent) => put("jwks", sent.clone()),
        ClientAuthentication::KeysAt(uri) => put("jwks_uri", json!(uri.as_str())),
        ClientAuthentication::None
        | ClientAuthentication::SecretBasic
        | ClientAuthentication::SecretPost => {}
    }
    put("subject_type", json!("pairwise"));
    if let Some(uri) = sector_identifier_uri {
        put("sector_identifier_uri", json!(uri.as_str()));
    }
    if !post_logout_redirect_uris.is_empty() {
        put(
            "post_logout_redirect_uris",
            json!(post_logout_redirect_uris),
        );
    }
    if let Some(uri) = backchannel_logout_uri {
        put("backchannel_logout_uri", json!(uri.as_str()));
        // Every logout token has `sid`.
        put("backchannel_logout_session_required", json!(true));
    }
    put(
        "id_token_signed_response_alg",
        json!(match id_token_alg {
            IdTokenAlgorithm::Rs256 => "RS256",
            IdTokenAlgorithm::Es256 => "ES256",
        }),
    );
    if let Some(seconds) = default_max_age {
        put("default_max_age", json!(seconds));
    }
    put("require_auth_time", json!(require_auth_time));
    if !default_acr.is_empty() {
        let values: Vec<&str> = default_acr.iter().map(|acr| acr.as_str()).collect();
        put("default_acr_values", json!(values));
    }
    put("dpop_bound_access_tokens", json!(only_bound));
    put("require_pushed_authorization_requests", json!(only_pushed));
    put("scope", json!(metadata.scope()));
    write_about(about, &mut object);
    object
}

fn write_about(about: &About, object: &mut Map<String, Value>) {
    let About {
        name,
        client_uri,
        logo_uri,
        policy_uri,
        tos_uri,
    } = about;
    if !name.default.is_empty() {
        name.write("client_name", object);
    }
    let addresses = [
        ("client_uri", client_uri),
        ("logo_uri", logo_uri),
        ("policy_uri", policy_uri),
        ("tos_uri", tos_uri),
    ];
    for (member, text) in addresses {
        if let Some(text) = text {
            text.write(member, object);
        }
    }
}

fn grant_names(grants: Grants) -> Vec<&'static str> {
    let Grants {
        code,
        refresh,
        device,
    } = grants;
    let names = [
        code.then_some(AUTHORIZATION_CODE),
        refresh.then_some(REFRESH_TOKEN),
        device.then_some(DEVICE_CODE),
    ];
    names.into_iter().flatten().collect()
}
