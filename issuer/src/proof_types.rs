//! Which proofs a credential type takes: the same answer for the metadata and for the credential
//! endpoint.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use vouchsafe_protocol::vci::di_vp::CRYPTOSUITES;
use vouchsafe_protocol::vci::key_attestation::AttestationPolicy;
use vouchsafe_protocol::vci::metadata::ProofType;
use vouchsafe_protocol::vci::proofs::Offered;

use crate::handlers::wire::PROOF_ALGORITHMS;
use crate::settings::{KeyAttestationRule, Settings};

/// What the credential endpoint takes.
pub fn offered<'a>(settings: &'a Settings, credential_type: &str) -> Offered<'a> {
    match settings.key_attestation(credential_type) {
        None => Offered {
            jwt: true,
            attestation: false,
            di_vp: settings.di_vp,
            key_attestation: None,
        },
        // A presentation carries no attestation.
        Some(rule) => Offered {
            jwt: rule.in_jwt,
            attestation: rule.alone,
            di_vp: false,
            key_attestation: Some(AttestationPolicy {
                providers: &settings.wallet_providers,
                key_storage: &rule.key_storage,
                user_authentication: &rule.user_authentication,
            }),
        },
    }
}

/// `proof_types_supported` (OpenID4VCI 1.0, section 12.2.4).
pub fn supported(settings: &Settings, credential_type: &str) -> BTreeMap<String, ProofType> {
    let offered = offered(settings, credential_type);
    let required = settings.key_attestation(credential_type).map(levels);
    let of = |names: &[&str]| ProofType {
        proof_signing_alg_values_supported: names.iter().map(|name| json!(name)).collect(),
        key_attestations_required: required.clone(),
    };
    let types = [
        ("jwt", offered.jwt, &PROOF_ALGORITHMS[..]),
        ("attestation", offered.attestation, &PROOF_ALGORITHMS[..]),
        ("di_vp", offered.di_vp, &CRYPTOSUITES[..]),
    ];
    let listed = types.into_iter().filter(|(_, offered, _)| *offered);
    listed
        .map(|(name, _, algorithms)| (name.to_owned(), of(algorithms)))
        .collect()
}

/// `key_attestations_required`: empty arrays are left out.
fn levels(rule: &KeyAttestationRule) -> Value {
    let mut members = Map::new();
    for (name, values) in [
        ("key_storage", &rule.key_storage),
        ("user_authentication", &rule.user_authentication),
    ] {
        if !values.is_empty() {
            members.insert(name.to_owned(), json!(values));
        }
    }
    Value::Object(members)
}
