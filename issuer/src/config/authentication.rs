//! `[[authentication]]`: who the person is.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use vouchsafe_service::config::{ConfigError, SecretText};
use vouchsafe_service::upstream::{ClientAuthMethod, ProviderConfig};

use super::claims_source::{Around, Written, default_patience_s, default_timeout_s, one_each};
use super::presentation::PresentationConfig;
use crate::authentication::{Authentication, Field, Mapped, Method, OpenIdConnect, Questions};
use crate::claims_source::ClaimsSource;
use crate::paths::authorize_upstream;

/// Claims that change hands or that the person may choose: no record hangs on them (OpenID Connect
/// Core 1.0, section 5.7).
const NO_SUBJECT: [&str; 7] = [
    "email",
    "phone_number",
    "preferred_username",
    "nickname",
    "name",
    "given_name",
    "family_name",
];
/// Fields of a page at most.
const MAX_FIELDS: usize = 8;

/// `[[authentication]]`: how somebody who begins in the wallet is known.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "method")]
pub enum AuthenticationConfig {
    /// A one-time code. What is done where nothing is said.
    #[serde(rename = "code")]
    Code(CodeConfig),
    /// A sign-in at an OpenID Provider.
    #[serde(rename = "openid_connect")]
    OpenIdConnect(Box<OpenIdConnectConfig>),
    /// Questions that the organisation's system judges.
    #[serde(rename = "webhook")]
    Webhook(Box<WebhookConfig>),
    /// A card that the person shows.
    #[serde(rename = "presentation")]
    Presentation(Box<PresentationConfig>),
}

/// `method = "code"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeConfig {
    /// Ids of the credential types; none: every other type.
    #[serde(default)]
    pub credential_types: Vec<String>,
}

/// `method = "openid_connect"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenIdConnectConfig {
    /// Ids of the credential types; none: every other type.
    #[serde(default)]
    pub credential_types: Vec<String>,
    /// The issuer identifier of the provider.
    pub issuer: String,
    /// Our client identifier there.
    pub client_id: String,
    /// The client secret.
    #[serde(default)]
    pub client_secret: Option<SecretText>,
    /// A file with the client secret.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    /// A file with a private key instead: `private_key_jwt`.
    #[serde(default)]
    pub client_key_file: Option<PathBuf>,
    /// The algorithm of that key: `ES256` or `RS256`.
    #[serde(default)]
    pub client_key_alg: Option<String>,
    /// How we are registered to authenticate there, where it is not what the provider names first.
    #[serde(default)]
    pub client_auth_method: Option<ClientAuthMethod>,
    /// Scopes beside `openid`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Whether UserInfo is asked too.
    #[serde(default)]
    pub user_info: bool,
    /// The claim that says who the person is.
    #[serde(default = "default_subject_claim")]
    pub subject_claim: String,
    /// Claims of the card (`address.country` for one in an object), and the claims of the provider
    /// that they come from.
    #[serde(default)]
    pub claims: BTreeMap<String, ClaimFrom>,
    /// One of these must be the `acr`.
    #[serde(default)]
    pub acr_values: Vec<String>,
    /// How long ago the person may have authenticated, in seconds.
    #[serde(default)]
    pub max_age_s: Option<u32>,
}

fn default_subject_claim() -> String {
    "sub".to_owned()
}

/// A claim of the provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum ClaimFrom {
    /// Its name.
    Name(String),
    /// Its path through objects.
    Path(Vec<String>),
}

/// `method = "webhook"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// Ids of the credential types; none: every other type.
    #[serde(default)]
    pub credential_types: Vec<String>,
    /// The address of the organisation's system.
    pub url: String,
    /// The secret that signs the questions, `whsec_…`.
    #[serde(default)]
    pub secret: Option<SecretText>,
    /// A file with that secret.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// How long one try may take, in seconds.
    #[serde(default = "default_timeout_s")]
    pub timeout_s: u64,
    /// How long all tries together may take, in seconds.
    #[serde(default = "default_patience_s")]
    pub patience_s: u64,
    /// What the person is asked.
    pub fields: Vec<FieldConfig>,
}

/// A field of the page.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldConfig {
    /// Its name in the message.
    pub name: String,
    /// Its label by language tag.
    pub labels: BTreeMap<String, String>,
    /// Whether what is typed is not shown.
    #[serde(default)]
    pub secret: bool,
}

impl AuthenticationConfig {
    /// The types that it names.
    pub fn credential_types(&self) -> &[String] {
        match self {
            Self::Code(config) => &config.credential_types,
            Self::OpenIdConnect(config) => &config.credential_types,
            Self::Webhook(config) => &config.credential_types,
            Self::Presentation(config) => &config.credential_types,
        }
    }

    fn method(&self, around: &Around<'_>) -> Result<Method, ConfigError> {
        match self {
            Self::Code(_) => Ok(Method::Code),
            Self::OpenIdConnect(config) => {
                Ok(Method::OpenIdConnect(Box::new(config.method(around)?)))
            }
            Self::Webhook(config) => Ok(Method::Webhook(Box::new(config.method(around)?))),
            Self::Presentation(config) => {
                let method = config.method(around.names)?;
                Ok(Method::Presentation(Box::new(method)))
            }
        }
    }
}

impl OpenIdConnectConfig {
    fn method(&self, around: &Around<'_>) -> Result<OpenIdConnect, ConfigError> {
        let wrong = |setting: &str, problem: &str| {
            Err(ConfigError::setting(
                format!("authentication.{setting}"),
                problem,
            ))
        };
        if !self.issuer.starts_with("https://") && !around.loopback_http {
            return wrong("issuer", "must be an https address");
        }
        if NO_SUBJECT.contains(&self.subject_claim.as_str()) || self.subject_claim.is_empty() {
            return wrong("subject_claim", "must be a claim that never changes hands");
        }
        let provider = ProviderConfig {
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone(),
            client_secret_file: self.client_secret_file.clone(),
            client_key_file: self.client_key_file.clone(),
            client_key_alg: self.client_key_alg.clone(),
            client_auth_method: self.client_auth_method,
            scopes: self.scopes.clone(),
            user_info: self.user_info,
        };
        let redirect_uri = format!("{}{}", around.issuer, authorize_upstream(&self.issuer));
        Ok(OpenIdConnect {
            provider: provider.settings("authentication", &redirect_uri)?,
            subject_claim: self.subject_claim.clone(),
            claims: mapped(&self.claims)?,
            acr_values: self.acr_values.clone(),
            max_age_s: self.max_age_s,
        })
    }
}

/// Checks a mapping of claims.
pub(super) fn mapped(claims: &BTreeMap<String, ClaimFrom>) -> Result<Vec<Mapped>, ConfigError> {
    let mut mapped = Vec::new();
    for (to, from) in claims {
        let to: Vec<String> = to.split('.').map(str::to_owned).collect();
        let from = match from {
            ClaimFrom::Name(name) => vec![name.clone()],
            ClaimFrom::Path(path) => path.clone(),
        };
        if from.is_empty() || to.iter().chain(&from).any(String::is_empty) {
            return Err(ConfigError::setting(
                "authentication.claims",
                "an empty name",
            ));
        }
        mapped.push(Mapped { to, from });
    }
    Ok(mapped)
}

impl WebhookConfig {
    fn method(&self, around: &Around<'_>) -> Result<Questions, ConfigError> {
        let wrong = |problem: &str| Err(ConfigError::setting("authentication.fields", problem));
        if !(1..=MAX_FIELDS).contains(&self.fields.len()) {
            return wrong("one to eight fields are needed");
        }
        let mut fields: Vec<Field> = Vec::new();
        for FieldConfig {
            name,
            labels,
            secret,
        } in &self.fields
        {
            let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            if name.is_empty() || name.len() > 32 || !name.bytes().all(fine) {
                return wrong("a name is 1 to 32 small letters, digits and _");
            }
            if fields.iter().any(|field| field.name == *name) {
                return wrong("two fields of one name");
            }
            if labels.is_empty() || labels.values().any(String::is_empty) {
                return wrong("each field has a label in at least one language");
            }
            fields.push(Field {
                name: name.clone(),
                labels: labels.clone(),
                secret: *secret,
            });
        }
        // Wrong answers are counted for who it is: what is not secret says that.
        let secrets = fields.iter().filter(|field| field.secret).count();
        if secrets == 0 || secrets == fields.len() {
            return wrong("a field must say who it is, and one with secret = true must prove it");
        }
        let written = Written {
            section: "authentication",
            url: &self.url,
            secret: self.secret.as_ref(),
            secret_file: &self.secret_file,
            timeout_s: self.timeout_s,
            patience_s: self.patience_s,
        };
        Ok(Questions {
            system: written.system(around)?,
            fields,
        })
    }
}

/// Checks `[[authentication]]`; each type has one at most, and somebody has the claims.
pub(super) fn authentications(
    configs: &[AuthenticationConfig],
    sources: &[ClaimsSource],
    around: &Around<'_>,
) -> Result<Vec<Authentication>, ConfigError> {
    one_each(
        "authentication",
        configs.iter().map(AuthenticationConfig::credential_types),
    )?;
    let mut rules = Vec::new();
    for config in configs {
        let rule = Authentication {
            credential_types: config.credential_types().to_vec(),
            method: config.method(around)?,
        };
        let claims = match &rule.method {
            Method::OpenIdConnect(method) => Some(&method.claims),
            Method::Presentation(method) => Some(&method.claims),
            Method::Code | Method::Webhook(_) => None,
        };
        if let Some(claims) = claims {
            check_claims(&rule.credential_types, claims, sources)?;
        }
        rules.push(rule);
    }
    Ok(rules)
}

/// The claims come from the mapping or from a source: not from both, and not from nowhere.
fn check_claims(
    types: &[String],
    claims: &[Mapped],
    sources: &[ClaimsSource],
) -> Result<(), ConfigError> {
    let wrong = |problem: &str| Err(ConfigError::setting("authentication.claims", problem));
    let sourced = |id: Option<&String>| {
        sources.iter().any(|source| match id {
            Some(id) => source.credential_types.is_empty() || source.credential_types.contains(id),
            None => source.credential_types.is_empty(),
        })
    };
    let mut each: Vec<bool> = types.iter().map(|id| sourced(Some(id))).collect();
    if types.is_empty() {
        each.push(sourced(None));
    }
    match claims.is_empty() {
        true if !each.iter().all(|one| *one) => {
            wrong("are needed where the type has no [[claims_source]]")
        }
        false if each.iter().any(|one| *one) => {
            wrong("cannot be mapped where the type has a [[claims_source]]")
        }
        true | false => Ok(()),
    }
}
