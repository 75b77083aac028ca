//! `/.well-known/ssf-configuration` (Shared Signals Framework 1.0, section 7.1).

use serde::Serialize;
use serde_json::{Value, json};

use super::{POLL, PUSH};

/// Where the transmitter is.
#[derive(Debug, Clone)]
pub struct TransmitterEndpoints {
    /// Keys of its tokens.
    pub jwks: String,
    /// Streams.
    pub configuration: String,
    /// Their states.
    pub status: String,
    /// Verification of a stream.
    pub verification: String,
}

/// The document.
#[derive(Debug, Clone, Serialize)]
pub struct TransmitterMetadata {
    spec_version: &'static str,
    issuer: String,
    jwks_uri: String,
    delivery_methods_supported: [&'static str; 2],
    configuration_endpoint: String,
    status_endpoint: String,
    verification_endpoint: String,
    authorization_schemes: Value,
    default_subjects: &'static str,
}

impl TransmitterMetadata {
    /// A transmitter whose streams carry every session of their receiver.
    #[must_use]
    pub fn new(issuer: &str, endpoints: TransmitterEndpoints) -> Self {
        Self {
            spec_version: "1_0",
            issuer: issuer.to_owned(),
            jwks_uri: endpoints.jwks,
            delivery_methods_supported: [PUSH, POLL],
            configuration_endpoint: endpoints.configuration,
            status_endpoint: endpoints.status,
            verification_endpoint: endpoints.verification,
            // Section 7.1.1: tokens of the client credentials grant.
            authorization_schemes: json!([{ "spec_urn": "urn:ietf:rfc:6749" }]),
            default_subjects: "ALL",
        }
    }
}
