//! `[vc_api]`: whether the endpoints exist, who may call them and in whose name they issue.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Deserialize;
use vouchsafe_credentials::vcdm::Delegation;

use crate::config::{ConfigError, HttpConfig, SecretText};

/// Identities at most.
const MAX_IDENTITIES: usize = 64;

/// `[vc_api]`. Without the section, or with `enabled = false`, none of the paths exists.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VcApiConfig {
    /// Whether the endpoints exist.
    #[serde(default)]
    pub enabled: bool,
    /// Whether anybody who reaches the service may verify. Without it a caller needs an API key.
    /// Refused unless the public address is https or on loopback. Issuing, deriving and changing
    /// a status are open too only where every listener and the public address are on loopback.
    #[serde(default)]
    pub open: bool,
    /// Whether a second implementation must accept a credential before it leaves. Needs a build
    /// with the feature `ssi`.
    #[serde(default)]
    pub second_opinion: bool,
    /// Whether a credential may bring contexts of its own, and `@vocab` in them. No RDF signature covers
    /// them: whoever passes a credential on can change what its names mean. For test suites.
    #[serde(default)]
    pub inline_vocab: bool,
    /// Issuers whose credentials verify; empty: everyone who can be resolved.
    #[serde(default)]
    pub accepted_issuers: Vec<String>,
    /// Issuers that are no DIDs and the controllers whose keys sign for them.
    #[serde(default)]
    pub trusted_issuer: Vec<TrustedIssuerConfig>,
    /// In whose name credentials are issued.
    #[serde(default)]
    pub identity: Vec<IdentityConfig>,
}

/// `[[vc_api.trusted_issuer]]`: "these controllers sign for this issuer", said by the operator.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedIssuerConfig {
    /// The issuer as credentials name it.
    pub id: String,
    /// DIDs whose assertion keys sign for it.
    pub controllers: Vec<String>,
}

/// `[[vc_api.identity]]`: an issuer, its key and how it secures credentials.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityConfig {
    /// The issuer as credentials name it. None: the `did:key` of the key.
    #[serde(default)]
    pub id: Option<String>,
    /// The URL of the key in the issuer's DID document. Given exactly when `id` is.
    #[serde(default)]
    pub verification_method: Option<String>,
    /// Cryptosuites by name; the first is used where a request names none.
    pub cryptosuites: Vec<String>,
    /// Private key: PKCS#8 PEM, or for `bbs-2023` the base58btc Multikey of the secret.
    #[serde(default)]
    pub key: Option<SecretText>,
    /// File with the private key.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// What a holder must always disclose where a request does not say it. For `ecdsa-sd-2023` and `bbs-2023`.
    #[serde(default = "default_mandatory_pointers")]
    pub mandatory_pointers: Vec<String>,
    /// Whether credentials get an entry in a Bitstring Status List that this service publishes.
    #[serde(default)]
    pub status: bool,
}

/// A derived credential without issuer is none (VCDM 2.0, section 4.7).
fn default_mandatory_pointers() -> Vec<String> {
    vec!["/issuer".to_owned()]
}

impl VcApiConfig {
    /// The DIDs of listed issuers and of those who sign for them; empty where none are listed.
    pub(super) fn known_dids(&self) -> BTreeSet<String> {
        let listed = self.accepted_issuers.iter();
        let signers = self.trusted_issuer.iter().flat_map(|one| &one.controllers);
        match self.accepted_issuers.is_empty() {
            true => BTreeSet::new(),
            false => listed.chain(signers).cloned().collect(),
        }
    }

    /// Who signs for whom.
    pub(super) fn delegations(&self) -> Vec<Delegation> {
        let mut delegations = Vec::new();
        for TrustedIssuerConfig { id, controllers } in &self.trusted_issuer {
            delegations.extend(controllers.iter().map(|controller| Delegation {
                issuer: id.clone(),
                controller: controller.clone(),
            }));
        }
        delegations
    }

    /// Checks what needs no key.
    ///
    /// # Errors
    /// [`ConfigError`] that names the setting.
    pub fn check(&self, http: &HttpConfig) -> Result<(), ConfigError> {
        let wrong = |setting: &str, problem: &str| {
            Err(ConfigError::setting(format!("vc_api.{setting}"), problem))
        };
        if !self.enabled {
            return Ok(());
        }
        let loopback = http.listeners().iter().all(|at| at.ip().is_loopback());
        if self.open && !(http.public_url.is_https() || loopback) {
            return wrong(
                "open",
                "is refused unless the service is https or on loopback",
            );
        }
        if self.identity.len() > MAX_IDENTITIES {
            return wrong("identity", "too many identities");
        }
        if self.second_opinion && !cfg!(feature = "ssi") {
            return wrong(
                "second_opinion",
                "this program was built without the feature `ssi`",
            );
        }
        if self
            .trusted_issuer
            .iter()
            .any(|one| one.controllers.is_empty())
        {
            return wrong("trusted_issuer.controllers", "at least one is needed");
        }
        for identity in &self.identity {
            if identity.cryptosuites.is_empty() {
                return wrong("identity.cryptosuites", "at least one is needed");
            }
            if identity.id.is_some() != identity.verification_method.is_some() {
                return wrong(
                    "identity.verification_method",
                    "give it together with `id`, or neither",
                );
            }
        }
        Ok(())
    }
}

/// Whether nobody but this machine reaches the service.
pub(super) fn is_local(http: &HttpConfig) -> bool {
    let loopback = http.listeners().iter().all(|at| at.ip().is_loopback());
    loopback && http.public_url.is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    fn http(listen: &str, url: &str) -> HttpConfig {
        parse(&format!("listen = '{listen}'\npublic_url = '{url}'")).unwrap()
    }

    fn check(text: &str, http: &HttpConfig) -> Result<(), ConfigError> {
        parse::<VcApiConfig>(text)?.check(http)
    }

    #[test]
    fn it_is_off_and_closed_unless_said() {
        let config = VcApiConfig::default();
        assert!(!config.enabled && !config.open);
    }

    #[test]
    fn open_is_refused_without_https_and_loopback() {
        let text = "enabled = true\nopen = true";
        let proxy = http("0.0.0.0:8702", "http://127.0.0.1:8702");
        assert!(check(text, &proxy).is_err());
        check(text, &http("127.0.0.1:8702", "http://127.0.0.1:8702")).unwrap();
        check(text, &http("0.0.0.0:8702", "https://issuer.example")).unwrap();
    }

    #[test]
    fn only_this_machine_is_local() {
        for (listen, url, local) in [
            ("127.0.0.1:8702", "https://localhost:8702", true),
            ("0.0.0.0:8702", "https://localhost:8702", false),
            ("127.0.0.1:8702", "https://issuer.example", false),
            ("0.0.0.0:8702", "https://issuer.example", false),
        ] {
            assert_eq!(is_local(&http(listen, url)), local, "{listen} {url}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let http = http("127.0.0.1:1", "https://issuer.example");
        for text in [
            "enabled = true\nunknown = 1",
            "enabled = true\n[[identity]]\ncryptosuites = []\nkey = 'x'",
            "enabled = true\n[[identity]]\ncryptosuites = ['a']\nkey = 'x'\nid = 'did:web:e'",
            "enabled = true\n[[trusted_issuer]]\nid = 'https://e'\ncontrollers = []",
        ] {
            assert!(check(text, &http).is_err(), "{text}");
        }
    }
}
