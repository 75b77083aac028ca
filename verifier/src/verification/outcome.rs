//! From a verified presentation to what the caller learns: what it asked for and was disclosed,
//! whose word it is, how long it holds. Nothing else of it is kept (catalogue 470).

use serde_json::{Map, Value};
use vouchsafe_credentials::sd_jwt_vc::IssuerAuthority;
use vouchsafe_protocol::vp::dcql::{ClaimPointer, PointerStep};
use vouchsafe_protocol::vp::verify::{VerifiedCredential, VerifiedPresentation};

use crate::app::Parts;
use crate::domain::verification::{Asked, Outcome, ShownClaim, ShownCredential};

/// What the caller learns.
pub(super) fn outcome(app: &Parts, asked: &Asked, presentation: &VerifiedPresentation) -> Outcome {
    Outcome {
        claims: by_name(app, asked, presentation),
        credentials: presentation
            .credentials()
            .iter()
            .map(|credential| shown(asked, credential))
            .collect(),
        verified_at: app.now(),
    }
}

/// By the names that the configuration gives, for a question of the configuration.
fn by_name(app: &Parts, asked: &Asked, presentation: &VerifiedPresentation) -> Map<String, Value> {
    let query = asked.query.as_ref().and_then(|id| app.settings.query(id));
    let mappings = query.map(|query| query.claims.as_slice());
    let mut claims = Map::new();
    for mapping in mappings.unwrap_or_default() {
        let found = mapping
            .credentials
            .iter()
            .find_map(|id| presentation.credential(id)?.claim(&mapping.path));
        if let Some(value) = found {
            claims.insert(mapping.name.clone(), value.clone());
        }
    }
    claims
}

fn shown(asked: &Asked, credential: &VerifiedCredential) -> ShownCredential {
    let query = asked.dcql.credential(credential.query().as_str());
    let framework = match &credential.issuer().authority {
        IssuerAuthority::X509 { .. } => "x509",
        IssuerAuthority::Iaca { .. } => "iaca",
        IssuerAuthority::Did(_) => "did",
    };
    ShownCredential {
        query: credential.query().as_str().to_owned(),
        format: query.map_or("", |query| query.format().as_str()).to_owned(),
        credential_type: credential.credential_type().to_owned(),
        issuer: credential.issuer().trusted.clone(),
        framework: framework.to_owned(),
        expires_at: credential.expires_at(),
        status_checked: credential.status().is_some(),
        claims: credential
            .claims()
            .iter()
            .map(|(pointer, value)| ShownClaim {
                path: path(pointer),
                value: value.clone(),
            })
            .collect(),
    }
}

fn path(pointer: &ClaimPointer) -> Vec<Value> {
    let step = |step: &PointerStep| match step {
        PointerStep::Key(key) => Value::from(key.as_str()),
        PointerStep::Index(index) => Value::from(*index),
    };
    pointer.steps().iter().map(step).collect()
}
