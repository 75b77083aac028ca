//! Verifying a presentation with embedded proofs.

use serde_json::Value;

use super::{ProofPolicy, ProofPurpose, Suites, VerifiedProof, verify_proofs};
use crate::Verified;
use crate::crypto::CryptoProvider;
use crate::did::Resolver;
use crate::vcdm::accept::Means;
use crate::vcdm::confirmation::{Presenter, PresenterKey};
use crate::vcdm::{
    Presentation, PresentationHeader, PresentationPolicy, VerifiedPresentation, VerifyError,
    presented,
};

/// Verifies a presentation: its form, every proof with challenge and domain, that the
/// holder made one of them, and every credential in it by the policy for credentials.
///
/// # Errors
/// Each rule has its own [`VerifyError`].
pub async fn verify_presentation(
    secured: &Value,
    suites: &Suites,
    policy: &PresentationPolicy<'_>,
    resolver: &dyn Resolver,
    crypto: &dyn CryptoProvider,
) -> Result<Verified<VerifiedPresentation>, VerifyError> {
    let means = Means {
        suites,
        resolver,
        crypto,
    };
    let presentation = Presentation::parse(secured)?;
    let proven = verify_proofs(secured, suites, &proof_policy(policy), resolver, crypto).await?;
    let presenter = presenter(&presentation, &proven.get().proofs)?;
    let credentials = presented::verify(&presentation, policy, means, &presenter).await?;
    presented::check_holder(&presentation, &credentials, policy.holder)?;
    Ok(Verified::new(VerifiedPresentation {
        presentation,
        credentials,
        presenter: presenter.controller,
    }))
}

/// VCDM 2.0, section 4.13: the holder, where one is named, is who presents.
fn presenter(
    presentation: &Presentation,
    proofs: &[VerifiedProof],
) -> Result<Presenter, VerifyError> {
    let fits = |proof: &&VerifiedProof| match presentation.holder() {
        None => true,
        Some(holder) => proof.controller.as_str() == holder,
    };
    let own = proofs
        .iter()
        .find(fits)
        .ok_or(VerifyError::HolderMismatch)?;
    let own_keys = proofs
        .iter()
        .filter(|proof| proof.controller == own.controller);
    Ok(Presenter {
        controller: own.controller.as_str().to_owned(),
        keys: own_keys
            .map(|proof| PresenterKey {
                key: proof.key.clone(),
                method: Some(proof.proof.verification_method().to_owned()),
            })
            .collect(),
    })
}

const fn proof_policy<'a>(policy: &PresentationPolicy<'a>) -> ProofPolicy<'a> {
    ProofPolicy {
        purpose: ProofPurpose::Authentication,
        now: policy.credentials.now,
        skew_s: policy.credentials.skew_s,
        challenge: policy.challenge.expected(),
        domain: policy.domain.expected(),
        // The header is for the credentials; the presentation has challenge and domain.
        presentation_header: PresentationHeader::Unchecked,
    }
}
