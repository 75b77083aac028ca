//! From a credential type to its configuration.

use serde_json::Value;
use vouchsafe_credentials::credential_type::{CredentialType, Display as TypeDisplay};

use super::{ClaimDescription, CredentialConfiguration, CredentialDisplay, Display, ProofType};
use crate::vci::proof::BINDING_METHODS;

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
                .then(|| BINDING_METHODS.map(str::to_owned).to_vec()),
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
