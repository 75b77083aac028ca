//! Which facts of a card an application learns, and how they are called.

use std::collections::BTreeMap;

use serde_json::Value;
use vouchsafe_protocol::vp::dcql::{ClaimsPath, CredentialQuery, DcqlQuery};
use vouchsafe_protocol::vp::values::LocalizedText;

use super::error::ConfigError;

/// A claim for the application.
#[derive(Debug, Clone)]
pub struct ClaimMapping {
    /// Its name in UserInfo and ID token.
    pub name: String,
    /// Where it is in the credential.
    pub path: ClaimsPath,
    /// Credential queries that ask for it.
    pub credentials: Vec<String>,
    /// Whether it also stands in the ID token.
    pub in_id_token: bool,
    /// What the person reads.
    pub label: LocalizedText,
}

/// Names that a mapping must not overwrite (OpenID Connect Core 1.0, section 2; back-channel
/// logout): they are ours to say.
pub(crate) const RESERVED: [&str; 20] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "nbf",
    "jti",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "azp",
    "at_hash",
    "c_hash",
    "sid",
    "external_id",
    "transaction_data_hashes",
    "transaction_data_hashes_alg",
    "presented_credentials",
    "verified_claims",
];

/// Checks one line of `claims`.
pub(super) fn mapping(
    id: &str,
    name: &str,
    path: &[Value],
    dcql: &DcqlQuery,
    id_token_claims: &[String],
    labels: &BTreeMap<String, BTreeMap<String, String>>,
) -> Result<ClaimMapping, ConfigError> {
    let refuse = |reason: String| ConfigError::query(id, &reason);
    if RESERVED.contains(&name) || name.is_empty() {
        return Err(refuse(format!("the claim name {name:?} is reserved")));
    }
    let path = ClaimsPath::parse(&Value::Array(path.to_vec()))
        .map_err(|error| refuse(format!("claim {name}: {error}")))?;
    let asks = |entry: &&CredentialQuery| {
        entry
            .claims()
            .unwrap_or_default()
            .iter()
            .any(|claim| *claim.path() == path)
    };
    let credentials: Vec<String> = dcql
        .credentials()
        .iter()
        .filter(asks)
        .map(|entry| entry.id().as_str().to_owned())
        .collect();
    // Nothing is relayed that was not asked for.
    if credentials.is_empty() {
        return Err(refuse(format!(
            "claim {name}: the query does not ask for its path"
        )));
    }
    let label = labels
        .get(name)
        .and_then(localized)
        .unwrap_or_else(|| LocalizedText {
            default: name.replace('_', " "),
            translations: BTreeMap::new(),
        });
    Ok(ClaimMapping {
        name: name.to_owned(),
        path,
        credentials,
        in_id_token: id_token_claims.iter().any(|claim| claim == name),
        label,
    })
}

/// A text for people; English is required.
pub(crate) fn localized(texts: &BTreeMap<String, String>) -> Option<LocalizedText> {
    let default = texts.get("en")?.clone();
    let translations = texts
        .iter()
        .filter(|(tag, _)| *tag != "en")
        .map(|(tag, text)| (tag.clone(), text.clone()))
        .collect();
    Some(LocalizedText {
        default,
        translations,
    })
}
