//! `[presentation]`: who this service is to wallets, and which profile its requests keep to.

use std::path::PathBuf;

use serde::Deserialize;
use vouchsafe_credentials::did::{Did, web_document_url};
use vouchsafe_protocol::vp::api::Protocol;
use vouchsafe_service::config::PublicUrl;

use super::Config;
use super::digital_credentials::DigitalCredentials;
use super::error::ConfigError;
use super::trust::text;

/// `[presentation]`, as written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresentationConfig {
    /// Which profile requests to wallets keep to: `haip` or `open` (OpenID4VP 1.0 alone).
    #[serde(default)]
    pub profile: PresentationProfile,
    /// How wallets know this service. HAIP 1.0 has `x509_hash` alone.
    #[serde(default)]
    pub client_id_prefix: ClientIdPrefix,
    /// For `decentralized_identifier`: the method of the DID (`web`, `jwk`, `key`); `web` without it.
    pub did_method: Option<DidMethod>,
    /// For `verifier_attestation`: the attestation, a JWT.
    pub attestation: Option<String>,
    /// The same from a file.
    pub attestation_file: Option<PathBuf>,
}

/// Which profile requests keep to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PresentationProfile {
    /// HAIP 1.0.
    #[default]
    Haip,
    /// OpenID4VP 1.0, with whatever else the configuration chooses.
    Open,
}

/// A client identifier prefix (OpenID4VP 1.0, section 5.9.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientIdPrefix {
    /// The hash of the access certificate.
    #[default]
    X509Hash,
    /// The host of the public address, a DNS name of the access certificate.
    X509SanDns,
    /// A DID with the request key.
    DecentralizedIdentifier,
    /// The subject of a verifier attestation for the request key.
    VerifierAttestation,
    /// The address that the answer goes to: nothing is signed.
    RedirectUri,
}

/// How the DID of the service comes from its key or its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DidMethod {
    /// `did:web` of the public address; the document is served.
    #[default]
    Web,
    /// `did:jwk` of the request key.
    Jwk,
    /// `did:key` of the request key.
    Key,
}

/// Who this service is to wallets, as far as it is known without the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presentation {
    /// The owner of the access certificate.
    Certificate,
    /// The owner of this DNS name, which stands in the access certificate.
    DnsName(String),
    /// The subject of this `did:web`.
    DidWeb(Did),
    /// The subject of the `did:jwk` of the request key.
    DidJwk,
    /// The subject of the `did:key` of the request key.
    DidKey,
    /// Whom this attestation names.
    Attestation(String),
    /// Whoever reads the answers: requests are not signed.
    Address,
}

fn refuse(key: &str, reason: &str) -> ConfigError {
    ConfigError::Shared(format!("presentation.{key}: {reason}"))
}

impl Presentation {
    /// Checks the section, and what else of the configuration depends on it.
    pub fn parse(config: &Config, api: Option<&DigitalCredentials>) -> Result<Self, ConfigError> {
        let PresentationConfig {
            profile,
            client_id_prefix: prefix,
            did_method,
            attestation,
            attestation_file,
        } = &config.presentation;
        let wrong = |reason: &str| refuse("client_id_prefix", reason);
        // HAIP 1.0, section 5: `x509_hash` "MUST be […] used by the Verifier".
        if *profile == PresentationProfile::Haip && *prefix != ClientIdPrefix::X509Hash {
            return Err(wrong(
                "HAIP 1.0 allows x509_hash alone; presentation.profile = \"open\" allows the others",
            ));
        }
        if did_method.is_some() && *prefix != ClientIdPrefix::DecentralizedIdentifier {
            return Err(refuse(
                "did_method",
                "goes with client_id_prefix = \"decentralized_identifier\" alone",
            ));
        }
        let attestation = text(attestation.as_deref(), attestation_file.as_ref())
            .map_err(|reason| refuse("attestation", &reason))?;
        if attestation.is_some() && *prefix != ClientIdPrefix::VerifierAttestation {
            return Err(refuse(
                "attestation",
                "goes with client_id_prefix = \"verifier_attestation\" alone",
            ));
        }
        let url = &config.http.public_url;
        Ok(match prefix {
            ClientIdPrefix::X509Hash => Self::Certificate,
            // Section 5.9.3: the host of the `response_uri` "MUST match the Client Identifier".
            ClientIdPrefix::X509SanDns => Self::DnsName(url.host().to_owned()),
            ClientIdPrefix::DecentralizedIdentifier => match did_method.unwrap_or_default() {
                DidMethod::Web => Self::DidWeb(did_web(url)?),
                DidMethod::Jwk => Self::DidJwk,
                DidMethod::Key => Self::DidKey,
            },
            ClientIdPrefix::VerifierAttestation => {
                let jwt = attestation.ok_or_else(|| {
                    wrong("verifier_attestation needs presentation.attestation_file")
                })?;
                Self::Attestation(jwt.trim().to_owned())
            }
            ClientIdPrefix::RedirectUri => {
                unsigned_is_enough(config, api)?;
                Self::Address
            }
        })
    }

    /// Whether an application fits that comes while the service runs: what is demanded of those of the
    /// configuration at its start.
    pub(super) fn fits(&self, cross_device: bool) -> Result<(), ConfigError> {
        // Catalogue 316.
        match self {
            Self::Address if cross_device => Err(refuse("client_id_prefix", SAME_DEVICE)),
            _ => Ok(()),
        }
    }
}

/// The `did:web` of the public address.
fn did_web(url: &PublicUrl) -> Result<Did, ConfigError> {
    let wrong = |reason: &str| refuse("did_method", reason);
    let host = url.as_str().strip_prefix("https://");
    let host = host.filter(|_| url.path().is_empty());
    let host = host.ok_or_else(|| wrong("web needs an https address without a path"))?;
    // did:web, "Method-specific identifier": the port's colon is encoded.
    let did = Did::parse(&format!("did:web:{}", host.replace(':', "%3A")));
    let did = did.map_err(|_| wrong("the public address makes no did:web"))?;
    // Resolvers refuse addresses that are no DNS names.
    web_document_url(&did).map_err(|_| wrong("web needs an address with a DNS name"))?;
    Ok(did)
}

/// Why nobody answers from another device where nothing is signed.
const SAME_DEVICE: &str =
    "redirect_uri asks on the same device alone: cross_device must not be set";

/// Where nothing is signed, nothing may depend on a signature.
fn unsigned_is_enough(
    config: &Config,
    api: Option<&DigitalCredentials>,
) -> Result<(), ConfigError> {
    let wrong = |reason: &str| Err(refuse("client_id_prefix", reason));
    // Section 5.9.3: requests with this prefix "cannot be signed".
    if api.is_some_and(|api| api.protocols.contains(&Protocol::Signed)) {
        return wrong(
            "redirect_uri signs nothing: wallet.digital_credentials must not name openid4vp-v1-signed",
        );
    }
    // Catalogue 316: a code in which the whole request stands is never fetched, so it could be relayed
    // for as long as its login lives.
    let clients = config.client.iter().any(|client| client.cross_device);
    let registered = (config.registration.as_ref()).is_some_and(|rules| rules.cross_device);
    let documents = (config.client_documents.as_ref()).is_some_and(|rules| rules.cross_device);
    let callers = config.verifications.caller.iter();
    let callers = callers.clone().any(|caller| caller.cross_device);
    if clients || registered || documents || callers {
        return wrong(SAME_DEVICE);
    }
    Ok(())
}
