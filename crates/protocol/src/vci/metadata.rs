//! Credential issuer metadata (section 12.2): published by an issuer, read by a wallet.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;
use vouchsafe_credentials::credential_type::{CredentialType, Display as TypeDisplay};
use vouchsafe_credentials::json;
use vouchsafe_credentials::sd_jwt::ClaimPath;

use super::CredentialIssuerId;
use crate::http::{HttpResponse, UrlRefused, UrlRule};

/// Name inserted between host and path.
pub const WELL_KNOWN: &str = "openid-credential-issuer";
/// Longest accepted document in bytes.
pub const MAX_BYTES: usize = 512 * 1024;
/// Format of SD-JWT VC.
pub const DC_SD_JWT: &str = "dc+sd-jwt";

/// The document as it stands on the wire. An issuer fills it in; a wallet gets an
/// [`IssuerMetadata`] instead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CredentialIssuerMetadata {
    /// Identifier of the issuer.
    pub credential_issuer: String,
    /// Authorization servers; absent where the issuer is its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_servers: Option<Vec<String>>,
    /// Credential endpoint.
    pub credential_endpoint: String,
    /// Nonce endpoint; present means every proof needs a nonce.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce_endpoint: Option<String>,
    /// Deferred credential endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferred_credential_endpoint: Option<String>,
    /// Notification endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification_endpoint: Option<String>,
    /// Encryption of requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_request_encryption: Option<RequestEncryption>,
    /// Encryption of responses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_response_encryption: Option<ResponseEncryption>,
    /// Several proofs in one request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_credential_issuance: Option<BatchIssuance>,
    /// Names of the issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<Vec<Display>>,
    /// What can be issued, by configuration id.
    pub credential_configurations_supported: BTreeMap<String, CredentialConfiguration>,
}

/// Encryption of credential requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestEncryption {
    /// Public keys, each with a `kid`.
    pub jwks: Value,
    /// JWE `enc` values.
    pub enc_values_supported: Vec<String>,
    /// Whether every request must be encrypted.
    pub encryption_required: bool,
}

/// Encryption of credential responses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseEncryption {
    /// JWE `alg` values.
    pub alg_values_supported: Vec<String>,
    /// JWE `enc` values.
    pub enc_values_supported: Vec<String>,
    /// Whether every response is encrypted.
    pub encryption_required: bool,
}

/// Several proofs in one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchIssuance {
    /// Most proofs of one request, at least 2.
    pub batch_size: u64,
}

/// One credential configuration. Members of formats we do not issue are ignored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CredentialConfiguration {
    /// Format identifier.
    pub format: String,
    /// OAuth scope that asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Algorithms of the issuer's signature; names, for mdoc numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_signing_alg_values_supported: Option<Vec<Value>>,
    /// How the holder's key is named (`jwk`, `did:key`, …); absent means no key binding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cryptographic_binding_methods_supported: Option<Vec<String>>,
    /// Proof types; present exactly where binding methods are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof_types_supported: Option<BTreeMap<String, ProofType>>,
    /// Type of an SD-JWT VC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vct: Option<String>,
    /// Type of an mdoc.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doctype: Option<String>,
    /// Names and claims for display.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_metadata: Option<CredentialDisplay>,
}

/// What a proof type asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProofType {
    /// Algorithms of the proof.
    pub proof_signing_alg_values_supported: Vec<Value>,
    /// A key attestation is required, with these properties.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_attestations_required: Option<Value>,
}

/// Names and claims of a credential.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CredentialDisplay {
    /// Names per language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<Vec<Display>>,
    /// Claims in the order of display.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Vec<ClaimDescription>>,
}

/// A name in one language. Foreign text: escape it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Display {
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// BCP 47 tag; absent for the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// CSS colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background_color: Option<String>,
    /// CSS colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_color: Option<String>,
    /// Picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<Logo>,
}

/// A picture by address. Not fetched unless the wallet chooses to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logo {
    /// `https:` or `data:`.
    pub uri: String,
    /// Text in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt_text: Option<String>,
}

/// A claim (appendix B.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimDescription {
    /// Claims path pointer in its JSON form.
    pub path: Value,
    /// Always in the credential.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mandatory: bool,
    /// Names per language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<Vec<Display>>,
}

/// Why metadata were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// The fetch did not end with status 200.
    #[error("the issuer's metadata could not be fetched")]
    Fetch,
    /// Another media type than `application/json`.
    #[error("the issuer's metadata are not application/json")]
    MediaType,
    /// Longer than [`MAX_BYTES`], or not JSON of the form of section 12.2.4.
    #[error("malformed issuer metadata")]
    Malformed,
    /// `credential_issuer` is not the identifier asked for.
    #[error("the metadata belong to another issuer")]
    IssuerMismatch,
    /// An endpoint breaks the URL rule.
    #[error("an endpoint is not acceptable: {0}")]
    Endpoint(#[from] UrlRefused),
    /// Empty where at least one entry is demanded, or `batch_size` below 2.
    #[error("a list is empty or a number out of range")]
    Range,
    /// Binding methods without proof types or the reverse.
    #[error("binding methods and proof types do not go together")]
    Binding,
    /// A configuration lacks what its format needs, or describes a claim twice.
    #[error("a credential configuration is malformed")]
    Configuration,
    /// Two names for one language.
    #[error("two names for one language")]
    Locale,
}

/// Metadata that passed every check, with the endpoints as URLs.
#[derive(Debug, Clone, PartialEq)]
pub struct IssuerMetadata {
    issuer: CredentialIssuerId,
    credential_endpoint: Url,
    nonce_endpoint: Option<Url>,
    document: CredentialIssuerMetadata,
}

impl IssuerMetadata {
    /// Reads the answer to the GET of [`CredentialIssuerId::metadata_url`].
    ///
    /// # Errors
    /// [`MetadataError`].
    pub fn from_response(
        response: &HttpResponse,
        issuer: &CredentialIssuerId,
        rule: UrlRule,
    ) -> Result<Self, MetadataError> {
        if response.status != 200 {
            return Err(MetadataError::Fetch);
        }
        if !response.is_media_type("application/json") {
            return Err(MetadataError::MediaType);
        }
        Self::parse(&response.body, issuer, rule)
    }

    /// Reads a document fetched for `issuer`; unknown members are ignored.
    ///
    /// # Errors
    /// [`MetadataError`].
    pub fn parse(
        body: &[u8],
        issuer: &CredentialIssuerId,
        rule: UrlRule,
    ) -> Result<Self, MetadataError> {
        if body.len() > MAX_BYTES {
            return Err(MetadataError::Malformed);
        }
        let value = json::parse_strict(body).map_err(|_| MetadataError::Malformed)?;
        let document: CredentialIssuerMetadata =
            serde_json::from_value(value).map_err(|_| MetadataError::Malformed)?;
        // Section 12.2.4: simple string comparison, no normalisation.
        if document.credential_issuer != issuer.as_str() {
            return Err(MetadataError::IssuerMismatch);
        }
        document.check()?;
        let optional =
            |endpoint: &Option<String>| endpoint.as_deref().map(|e| rule.parse(e)).transpose();
        optional(&document.deferred_credential_endpoint)?;
        optional(&document.notification_endpoint)?;
        for server in document.authorization_servers.iter().flatten() {
            rule.parse(server)?;
        }
        Ok(Self {
            issuer: issuer.clone(),
            credential_endpoint: rule.parse(&document.credential_endpoint)?,
            nonce_endpoint: optional(&document.nonce_endpoint)?,
            document,
        })
    }

    /// Who issues.
    #[must_use]
    pub fn issuer(&self) -> &CredentialIssuerId {
        &self.issuer
    }

    /// Where credentials are asked for.
    #[must_use]
    pub fn credential_endpoint(&self) -> &Url {
        &self.credential_endpoint
    }

    /// Where nonces come from, where proofs need one.
    #[must_use]
    pub fn nonce_endpoint(&self) -> Option<&Url> {
        self.nonce_endpoint.as_ref()
    }

    /// A configuration by its id.
    #[must_use]
    pub fn configuration(&self, id: &str) -> Option<&CredentialConfiguration> {
        self.document.credential_configurations_supported.get(id)
    }

    /// Most proofs of one request.
    #[must_use]
    pub fn batch_size(&self) -> u64 {
        self.document
            .batch_credential_issuance
            .map_or(1, |b| b.batch_size)
    }

    /// The whole document.
    #[must_use]
    pub fn document(&self) -> &CredentialIssuerMetadata {
        &self.document
    }

    /// The authorization server to use. `hint` is the one of the offer's grant, allowed only
    /// where several are listed, and then one of them (section 4.1.1; catalogue 289).
    ///
    /// # Errors
    /// [`MetadataError::IssuerMismatch`] for a hint that is not listed.
    pub fn authorization_server(&self, hint: Option<&str>) -> Result<&str, MetadataError> {
        let servers = self
            .document
            .authorization_servers
            .as_deref()
            .unwrap_or_default();
        match (servers, hint) {
            ([], None) => Ok(self.issuer.as_str()),
            ([first, ..], None) => Ok(first),
            (servers, Some(hint)) => servers
                .iter()
                .find(|s| *s == hint)
                .map(String::as_str)
                .ok_or(MetadataError::IssuerMismatch),
        }
    }
}

impl CredentialIssuerMetadata {
    /// Rules of section 12.2.4 beyond the types. An issuer runs it on its own document too.
    ///
    /// # Errors
    /// [`MetadataError`].
    pub fn check(&self) -> Result<(), MetadataError> {
        let empty = |list: &Option<Vec<String>>| list.as_ref().is_some_and(Vec::is_empty);
        let small_batch = self
            .batch_credential_issuance
            .is_some_and(|b| b.batch_size < 2);
        let weak = |e: &ResponseEncryption| {
            e.alg_values_supported.is_empty() || e.enc_values_supported.is_empty()
        };
        if empty(&self.authorization_servers)
            || small_batch
            || self
                .credential_response_encryption
                .as_ref()
                .is_some_and(weak)
        {
            return Err(MetadataError::Range);
        }
        check_locales(self.display.as_deref())?;
        self.credential_configurations_supported
            .values()
            .try_for_each(CredentialConfiguration::check)
    }
}

impl CredentialConfiguration {
    /// The configuration of an SD-JWT VC type.
    ///
    /// `signing_algs` are the algorithms of the issuer's key, `proof_algs` those it accepts
    /// in proofs.
    #[must_use]
    pub fn of_type(
        kind: &CredentialType,
        scope: &str,
        signing_algs: &[&str],
        proof_algs: &[&str],
    ) -> Self {
        let algs = |list: &[&str]| list.iter().map(|a| Value::from(*a)).collect::<Vec<_>>();
        let proof = || ProofType {
            proof_signing_alg_values_supported: algs(proof_algs),
            key_attestations_required: None,
        };
        Self {
            format: kind.format.clone(),
            scope: Some(scope.to_owned()),
            credential_signing_alg_values_supported: Some(algs(signing_algs)),
            cryptographic_binding_methods_supported: kind
                .key_binding
                .then(|| super::proof::BINDING_METHODS.map(str::to_owned).to_vec()),
            proof_types_supported: kind
                .key_binding
                .then(|| [("jwt".to_owned(), proof())].into()),
            vct: Some(kind.vct.clone()),
            doctype: None,
            credential_metadata: Some(CredentialDisplay {
                display: Some(names_of(&kind.display)),
                claims: Some(
                    kind.claims
                        .iter()
                        .map(|claim| ClaimDescription {
                            path: claim.path.to_json(),
                            mandatory: claim.required,
                            display: Some(names_of(&claim.display)).filter(|d| !d.is_empty()),
                        })
                        .collect(),
                ),
            }),
        }
    }

    fn check(&self) -> Result<(), MetadataError> {
        // Section 12.2.4: proof types are present exactly where binding methods are.
        match (
            &self.cryptographic_binding_methods_supported,
            &self.proof_types_supported,
        ) {
            (None, None) => {}
            (Some(methods), Some(types)) => {
                let no_alg = |t: &ProofType| t.proof_signing_alg_values_supported.is_empty();
                if methods.is_empty() || types.is_empty() || types.values().any(no_alg) {
                    return Err(MetadataError::Range);
                }
            }
            (Some(_), None) | (None, Some(_)) => return Err(MetadataError::Binding),
        }
        // Appendix A.3.2: vct is REQUIRED.
        if self.format == DC_SD_JWT && self.vct.as_ref().is_none_or(String::is_empty) {
            return Err(MetadataError::Configuration);
        }
        let Some(CredentialDisplay { display, claims }) = &self.credential_metadata else {
            return Ok(());
        };
        check_locales(display.as_deref())?;
        check_claims(claims.as_deref().unwrap_or_default())
    }
}

fn names_of(display: &TypeDisplay) -> Vec<Display> {
    display
        .names
        .iter()
        .map(|(locale, name)| Display {
            name: Some(name.clone()),
            locale: Some(locale.clone()),
            description: display.descriptions.get(locale).cloned(),
            ..Display::default()
        })
        .collect()
}

fn check_locales(display: Option<&[Display]>) -> Result<(), MetadataError> {
    let Some(display) = display else {
        return Ok(());
    };
    let mut seen = BTreeSet::new();
    // There MUST be only one object for each language identifier.
    if display.iter().all(|d| seen.insert(d.locale.as_deref())) {
        Ok(())
    } else {
        Err(MetadataError::Locale)
    }
}

fn check_claims(claims: &[ClaimDescription]) -> Result<(), MetadataError> {
    let mut seen = BTreeSet::new();
    for ClaimDescription {
        path,
        mandatory: _,
        display,
    } in claims
    {
        let path = ClaimPath::from_json(path).map_err(|_| MetadataError::Configuration)?;
        // Appendix B.3: a repeated description aborts the processing.
        if !seen.insert(path) {
            return Err(MetadataError::Configuration);
        }
        check_locales(display.as_deref())?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "metadata_tests.rs"]
mod tests;
