//! Credential issuer metadata (section 12.2): published by an issuer, read by a wallet.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::http::UrlRefused;

mod check;
mod issuer;
mod language;
mod of_type;
pub mod reuse;
pub mod signed;

pub use issuer::IssuerMetadata;

/// Name inserted between host and path.
pub const WELL_KNOWN: &str = "openid-credential-issuer";
/// Longest accepted document in bytes.
pub const MAX_BYTES: usize = 512 * 1024;
/// Format of SD-JWT VC.
pub const DC_SD_JWT: &str = "dc+sd-jwt";
/// The format of mdocs (appendix A.2).
pub const MSO_MDOC: &str = "mso_mdoc";

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
    /// Types, and contexts, of a W3C credential: an object as it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_definition: Option<Value>,
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
    /// How often a wallet shows one credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_reuse_policy: Option<Value>,
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
    /// Picture behind all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background_image: Option<BackgroundImage>,
}

/// A picture behind the card, by address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackgroundImage {
    /// `https:` or `data:`.
    pub uri: String,
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
    /// The metadata are not signed, though they must be.
    #[error("the issuer's metadata are not signed")]
    Unsigned,
    /// Signed metadata whose signature, signer or time is not acceptable (section 12.2.3: then
    /// they MUST be rejected).
    #[error("the signature of the issuer's metadata is not acceptable")]
    Signature,
}

#[cfg(test)]
#[path = "metadata_tests.rs"]
mod tests;
