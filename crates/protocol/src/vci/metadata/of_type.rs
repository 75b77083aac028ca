//! From a credential type to its configurations, one for each format.

use serde_json::{Value, json};
use vouchsafe_credentials::cose;
use vouchsafe_credentials::credential_type::{
    CredentialType, Display as TypeDisplay, Format, MdocFormat, W3cFormat,
};
use vouchsafe_credentials::crypto::Algorithm;

use super::{ClaimDescription, CredentialConfiguration, CredentialDisplay, Display, ProofType};
use crate::vci::proof::BINDING_METHODS;

/// The context of the data model (VCDM 2.0, section 4.3).
const VCDM: &str = "https://www.w3.org/ns/credentials/v2";

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
        let claims = kind.claims.iter().map(|claim| ClaimDescription {
            path: claim.path.to_json(),
            mandatory: kind.is_mandatory(claim),
            display: Some(names_of(&claim.display)).filter(|d| !d.is_empty()),
        });
        let (methods, proofs) = binding(kind, &BINDING_METHODS, proof_algs);
        Self {
            format: kind.format.clone(),
            scope: Some(scope.to_owned()),
            credential_signing_alg_values_supported: Some(values(signing_algs)),
            cryptographic_binding_methods_supported: methods,
            proof_types_supported: proofs,
            vct: Some(kind.vct.clone()),
            doctype: None,
            credential_definition: None,
            credential_metadata: Some(shown(kind, claims.collect())),
        }
    }

    /// The configuration of a type as mdoc (appendix A.2).
    #[must_use]
    pub fn of_mdoc(
        kind: &CredentialType,
        mdoc: &MdocFormat,
        signing_alg: Algorithm,
        proof_algs: &[&str],
    ) -> Self {
        let claims = mdoc.paths().filter_map(|(element, path)| {
            let claim = kind.claims.iter().find(|claim| claim.path == *path)?;
            Some(ClaimDescription {
                // Appendix C.2: namespace and element identifier.
                path: json!([element.namespace, element.element]),
                mandatory: kind.is_mandatory(claim),
                display: Some(names_of(&claim.display)).filter(|d| !d.is_empty()),
            })
        });
        // Section 12.2.4: the key of an mdoc is a COSE_Key, whatever names it in the proof.
        let (methods, proofs) = binding(kind, &["cose_key"], proof_algs);
        Self {
            format: Format::Mdoc.name().to_owned(),
            scope: Some(kind.configuration_id(Format::Mdoc)),
            // Appendix A.2.2: the number of the COSE algorithm.
            credential_signing_alg_values_supported: Some(vec![
                cose::algorithm_number(signing_alg).into(),
            ]),
            cryptographic_binding_methods_supported: methods,
            proof_types_supported: proofs,
            vct: None,
            doctype: Some(mdoc.doctype.clone()),
            credential_definition: None,
            credential_metadata: Some(shown(kind, claims.collect())),
        }
    }

    /// The configuration of a type in the W3C data model, `ldp_vc` or `jwt_vc_json` (appendix A.1).
    /// `signing_alg` is a JWS algorithm or a cryptosuite.
    #[must_use]
    pub fn of_w3c(
        kind: &CredentialType,
        w3c: &W3cFormat,
        format: Format,
        signing_alg: &str,
        proof_algs: &[&str],
    ) -> Self {
        let claims = kind.claims.iter().map(|claim| ClaimDescription {
            path: below_subject(claim.path.to_json()),
            mandatory: kind.is_mandatory(claim),
            display: Some(names_of(&claim.display)).filter(|d| !d.is_empty()),
        });
        let (methods, proofs) = binding(kind, &["did:key"], proof_algs);
        let own = w3c.types.iter().map(String::as_str);
        let types: Vec<&str> = ["VerifiableCredential"].into_iter().chain(own).collect();
        let mut definition = json!({ "type": types });
        if format == Format::LdpVc {
            let own = w3c.contexts.iter().map(String::as_str);
            let contexts: Vec<&str> = [VCDM].into_iter().chain(own).collect();
            definition["@context"] = json!(contexts);
        }
        Self {
            format: format.name().to_owned(),
            scope: Some(kind.configuration_id(format)),
            credential_signing_alg_values_supported: Some(values(&[signing_alg])),
            cryptographic_binding_methods_supported: methods,
            proof_types_supported: proofs,
            vct: None,
            doctype: None,
            credential_definition: Some(definition),
            credential_metadata: Some(shown(kind, claims.collect())),
        }
    }
}

type Binding = (
    Option<Vec<String>>,
    Option<std::collections::BTreeMap<String, ProofType>>,
);

/// Section 12.2.4: binding methods and proof types, both or neither.
fn binding(kind: &CredentialType, methods: &[&str], proof_algs: &[&str]) -> Binding {
    if !kind.key_binding {
        return (None, None);
    }
    let proof = ProofType {
        proof_signing_alg_values_supported: values(proof_algs),
        key_attestations_required: None,
    };
    let methods = methods.iter().map(|method| (*method).to_owned()).collect();
    (Some(methods), Some([("jwt".to_owned(), proof)].into()))
}

fn values(list: &[&str]) -> Vec<Value> {
    list.iter().map(|text| Value::from(*text)).collect()
}

fn below_subject(path: Value) -> Value {
    let subject = [Value::from("credentialSubject")].into_iter();
    match path {
        Value::Array(elements) => subject.chain(elements).collect(),
        other => other,
    }
}

fn shown(kind: &CredentialType, claims: Vec<ClaimDescription>) -> CredentialDisplay {
    CredentialDisplay {
        display: Some(names_of(&kind.display)),
        claims: Some(claims),
        credential_reuse_policy: None,
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
