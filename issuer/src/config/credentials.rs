//! `[[key_attestation]]` and `[encryption]`: what the credential endpoint demands.

use serde::Deserialize;
use vouchsafe_service::config::ConfigError;

use crate::settings::{Encryption, EncryptionSettings, KeyAttestationRule};

/// `[[key_attestation]]`: credential types that are bound to attested keys alone (OpenID4VCI 1.0,
/// appendix D). Who may attest is in `[[wallet_provider]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyAttestationConfig {
    /// Ids of the credential types.
    pub credential_types: Vec<String>,
    /// Accepted values of `key_storage`, such as `iso_18045_high`. None: every storage.
    #[serde(default)]
    pub key_storage: Vec<String>,
    /// Accepted values of `user_authentication`. None: every one.
    #[serde(default)]
    pub user_authentication: Vec<String>,
    /// In which proofs an attestation may come.
    #[serde(default = "all_proofs")]
    pub proof_types: Vec<AttestedProof>,
}

/// A proof that carries a key attestation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttestedProof {
    /// In the header of a `jwt` proof.
    Jwt,
    /// The attestation is the proof.
    Attestation,
}

fn all_proofs() -> Vec<AttestedProof> {
    vec![AttestedProof::Jwt, AttestedProof::Attestation]
}

/// `[encryption]`: messages encrypted on top of TLS (OpenID4VCI 1.0, section 10).
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncryptionConfig {
    /// Credential requests.
    #[serde(default = "offered")]
    pub requests: Encryption,
    /// Credential responses.
    #[serde(default = "offered")]
    pub responses: Encryption,
}

fn offered() -> Encryption {
    Encryption::Offered
}

impl Default for EncryptionConfig {
    fn default() -> Self {
        Self {
            requests: offered(),
            responses: offered(),
        }
    }
}

impl EncryptionConfig {
    pub(super) fn settings(&self) -> Result<EncryptionSettings, ConfigError> {
        let Self {
            requests,
            responses,
        } = *self;
        // Section 8.2: who wants an encrypted response must encrypt the request.
        if responses > requests {
            let problem = "responses cannot be encrypted more strictly than requests";
            return Err(ConfigError::setting("encryption.responses", problem));
        }
        Ok(EncryptionSettings {
            requests,
            responses,
        })
    }
}

/// Checks the rules; each type has one at most.
pub(super) fn key_attestations(
    configs: &[KeyAttestationConfig],
    provided: bool,
) -> Result<Vec<KeyAttestationRule>, ConfigError> {
    let wrong = |problem: &str| Err(ConfigError::setting("key_attestation", problem));
    let mut rules: Vec<KeyAttestationRule> = Vec::new();
    for config in configs {
        let KeyAttestationConfig {
            credential_types,
            key_storage,
            user_authentication,
            proof_types,
        } = config;
        if !provided {
            return wrong("nobody may attest keys: add a [[wallet_provider]]");
        }
        if credential_types.is_empty() || proof_types.is_empty() {
            return wrong("credential_types and proof_types must not be empty");
        }
        let known = |id: &String| rules.iter().any(|rule| rule.credential_types.contains(id));
        if credential_types.iter().any(known) {
            return wrong("two rules for one credential type");
        }
        rules.push(KeyAttestationRule {
            credential_types: credential_types.clone(),
            key_storage: key_storage.clone(),
            user_authentication: user_authentication.clone(),
            in_jwt: proof_types.contains(&AttestedProof::Jwt),
            alone: proof_types.contains(&AttestedProof::Attestation),
        });
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_are_never_stricter_than_requests() {
        use Encryption::{Off, Offered, Required};
        for (requests, responses, good) in [
            (Off, Off, true),
            (Offered, Off, true),
            (Offered, Offered, true),
            (Required, Required, true),
            (Required, Off, true),
            (Off, Offered, false),
            (Offered, Required, false),
        ] {
            let config = EncryptionConfig {
                requests,
                responses,
            };
            assert_eq!(config.settings().is_ok(), good, "{config:?}");
        }
    }

    #[test]
    fn rules_for_key_attestations() {
        let rule = |types: &[&str]| KeyAttestationConfig {
            credential_types: types.iter().map(|id| (*id).to_owned()).collect(),
            key_storage: Vec::new(),
            user_authentication: Vec::new(),
            proof_types: all_proofs(),
        };
        assert_eq!(
            key_attestations(&[rule(&["a", "b"])], true).unwrap().len(),
            1
        );
        assert!(key_attestations(&[rule(&["a"])], false).is_err());
        assert!(key_attestations(&[], false).unwrap().is_empty());
        assert!(key_attestations(&[rule(&[])], true).is_err());
        assert!(key_attestations(&[rule(&["a"]), rule(&["b", "a"])], true).is_err());
        let none = KeyAttestationConfig {
            proof_types: Vec::new(),
            ..rule(&["a"])
        };
        assert!(key_attestations(&[none], true).is_err());
    }
}
