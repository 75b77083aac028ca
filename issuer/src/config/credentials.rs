//! `[[key_attestation]]`, `[encryption]` and `[[reuse_policy]]`: what the credential endpoint
//! demands, and what it asks of wallets.

use serde::Deserialize;
use vouchsafe_protocol::vci::metadata::reuse::{ReuseMethod, ReuseOption, ReusePolicy};
use vouchsafe_service::config::ConfigError;

use crate::settings::{Encryption, EncryptionSettings, KeyAttestationRule, ReuseRule};

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

/// `[[reuse_policy]]`: how often a wallet shows one credential (EUDI ARF, annex 2, ISSU_37).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReusePolicyConfig {
    /// Ids of the credential types.
    pub credential_types: Vec<String>,
    /// Ways to keep it, the dearest first.
    pub options: Vec<ReuseOptionConfig>,
}

/// One way to keep a policy.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReuseOptionConfig {
    /// `once_only`, `limited_time`, `rotating-batch`, `per-relying-party`, the dearest first.
    pub methods: Vec<ReuseMethod>,
    /// Credentials that a wallet asks for at once.
    #[serde(default)]
    pub batch_size: Option<u64>,
    /// When so few are left unused, it asks for new ones.
    #[serde(default)]
    pub reissue_trigger_unused: Option<u64>,
    /// So many seconds before the end, it asks for new ones.
    #[serde(default)]
    pub reissue_trigger_lifetime_left_s: Option<u64>,
}

/// Checks the policies; each type has one at most.
pub(super) fn reuse_policies(
    configs: &[ReusePolicyConfig],
    batch_size: u32,
) -> Result<Vec<ReuseRule>, ConfigError> {
    let wrong = |problem: String| ConfigError::setting("reuse_policy", problem);
    let mut rules: Vec<ReuseRule> = Vec::new();
    for config in configs {
        let ReusePolicyConfig {
            credential_types,
            options,
        } = config;
        let known = |id: &String| rules.iter().any(|rule| rule.credential_types.contains(id));
        if credential_types.is_empty() || credential_types.iter().any(known) {
            return Err(wrong("each policy has types, each type one policy".into()));
        }
        let options = options.iter().map(|option| ReuseOption {
            details: option.methods.clone(),
            batch_size: option.batch_size,
            reissue_trigger_unused: option.reissue_trigger_unused,
            reissue_trigger_lifetime_left: option.reissue_trigger_lifetime_left_s,
        });
        let policy = ReusePolicy::arf(options.collect(), u64::from(batch_size));
        rules.push(ReuseRule {
            credential_types: credential_types.clone(),
            policy: policy.map_err(|error| wrong(error.to_string()))?,
        });
    }
    Ok(rules)
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
    fn policies_of_reuse() {
        let policy = |types: &[&str], batch_size| ReusePolicyConfig {
            credential_types: types.iter().map(|id| (*id).to_owned()).collect(),
            options: vec![ReuseOptionConfig {
                methods: vec![ReuseMethod::OnceOnly],
                batch_size: Some(batch_size),
                reissue_trigger_unused: Some(1),
                reissue_trigger_lifetime_left_s: None,
            }],
        };
        assert_eq!(reuse_policies(&[policy(&["a"], 10)], 10).unwrap().len(), 1);
        // No more than the issuer issues at once.
        assert!(reuse_policies(&[policy(&["a"], 11)], 10).is_err());
        assert!(reuse_policies(&[policy(&[], 10)], 10).is_err());
        assert!(reuse_policies(&[policy(&["a"], 5), policy(&["a"], 5)], 10).is_err());
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
