//! Verifying enveloped credentials and presentations.

use super::claims::{check_audience, check_credential, check_presentation};
use super::key::SignerKey;
use super::open::{Opening, open};
use super::{EnvelopeError, EnvelopeOnly, KeySource};
use crate::Verified;
use crate::crypto::{CryptoProvider, Multikey};
use crate::data_integrity::{ProofError, Suites};
use crate::did::{Resolution, ResolutionOptions, Resolver};
use crate::vcdm::accept::{self, Means};
use crate::vcdm::confirmation::{Presenter, PresenterKey};
use crate::vcdm::{
    Credential, Embedded, Enveloped, Issuers, Policy, Presentation, PresentationHeader,
    PresentationPolicy, VcdmError, VerifiedPresentation, VerifyError, Version, presented,
};

/// Verifies an enveloped credential: signature, type, claims, that the key is the
/// issuer's, and what the policy asks.
///
/// `suites` are for a status list that is secured by Data Integrity.
///
/// # Errors
/// Each rule has its own [`VerifyError`].
pub async fn verify_credential(
    envelope: &Enveloped,
    keys: KeySource<'_>,
    suites: &Suites,
    policy: &Policy<'_>,
    crypto: &dyn CryptoProvider,
) -> Result<Verified<Credential>, VerifyError> {
    let means = Means {
        suites,
        resolver: resolver(keys),
        crypto,
    };
    verify_with(envelope, keys, policy, means, None).await
}

/// As [`verify_credential`], for a credential that somebody presents.
pub(crate) async fn verify_presented(
    envelope: &Enveloped,
    policy: &Policy<'_>,
    means: Means<'_>,
    presenter: Option<&Presenter>,
) -> Result<Verified<Credential>, VerifyError> {
    let keys = KeySource::Resolver(means.resolver);
    verify_with(envelope, keys, policy, means, presenter).await
}

async fn verify_with(
    envelope: &Enveloped,
    keys: KeySource<'_>,
    policy: &Policy<'_>,
    means: Means<'_>,
    presenter: Option<&Presenter>,
) -> Result<Verified<Credential>, VerifyError> {
    if envelope.kind().is_presentation() {
        return Err(EnvelopeError::Kind.into());
    }
    // Only derived BBS proofs have one.
    if policy.presentation_header != PresentationHeader::Unchecked {
        return Err(ProofError::PresentationHeader.into());
    }
    let opening = Opening {
        keys,
        now: policy.now,
        skew_s: policy.skew_s,
        crypto: means.crypto,
    };
    let opened = open(envelope, opening).await?;
    let credential = Credential::parse(&opened.document())?;
    refuse_version_1(&credential)?;
    check_credential(&opened.claims, &credential)?;
    // VC-JOSE-COSE 1.0, section 4: the key is one of the issuer's.
    if !policy.binds(credential.issuer(), &opened.signer.controller) {
        return Err(VerifyError::IssuerMismatch);
    }
    accept::accept(&credential, policy, means, presenter).await?;
    Ok(Verified::new(credential))
}

/// VC-JOSE-COSE 1.0, section 3: version 1.1 has a JWT form of its own.
pub(super) fn refuse_version_1(credential: &Credential) -> Result<(), VcdmError> {
    match credential.version() {
        Version::V2_0 => Ok(()),
        Version::V1_1 => Err(VcdmError::Version1),
    }
}

/// Verifies an enveloped presentation and every credential in it.
///
/// # Errors
/// Each rule has its own [`VerifyError`].
pub async fn verify_presentation(
    envelope: &Enveloped,
    suites: &Suites,
    policy: &PresentationPolicy<'_>,
    resolver: &dyn Resolver,
    crypto: &dyn CryptoProvider,
) -> Result<Verified<VerifiedPresentation>, VerifyError> {
    let keys = KeySource::Resolver(resolver);
    let (presentation, signer) = open_envelope(envelope, keys, policy, true, crypto).await?;
    let presenter = Presenter {
        controller: signer.controller,
        keys: vec![PresenterKey {
            key: Multikey::Signature(signer.key),
            method: signer.method,
        }],
    };
    let means = Means {
        suites,
        resolver,
        crypto,
    };
    let credentials = presented::verify(&presentation, policy, means, &presenter).await?;
    presented::check_holder(&presentation, &credentials, policy.holder)?;
    Ok(Verified::new(VerifiedPresentation {
        presentation,
        credentials,
        presenter: presenter.controller,
    }))
}

/// Verifies the envelope of a presentation: who presents, and what was presented. The
/// credentials in it are *not* verified; each still has to be. `Issuers::DangerousUnbound` lets
/// any key present for any holder here, and nowhere else.
///
/// # Errors
/// Each rule has its own [`VerifyError`].
pub async fn open_presentation(
    envelope: &Enveloped,
    keys: KeySource<'_>,
    policy: &PresentationPolicy<'_>,
    crypto: &dyn CryptoProvider,
) -> Result<EnvelopeOnly, VerifyError> {
    let bound = !matches!(policy.credentials.issuers, Issuers::DangerousUnbound);
    let (presentation, signer) = open_envelope(envelope, keys, policy, bound, crypto).await?;
    Ok(EnvelopeOnly::new(presentation, signer.controller))
}

async fn open_envelope(
    envelope: &Enveloped,
    keys: KeySource<'_>,
    policy: &PresentationPolicy<'_>,
    bound: bool,
    crypto: &dyn CryptoProvider,
) -> Result<(Presentation, SignerKey), VerifyError> {
    if !envelope.kind().is_presentation() {
        return Err(EnvelopeError::Kind.into());
    }
    let opening = Opening {
        keys,
        now: policy.credentials.now,
        skew_s: policy.credentials.skew_s,
        crypto,
    };
    let opened = open(envelope, opening).await?;
    let presentation = Presentation::parse(&opened.document())?;
    let signer = opened.signer;
    // VCDM 2.0, section 4.13: the holder, where one is named, is who presents.
    let other = |holder: &str| holder != signer.controller;
    if bound && presentation.holder().is_some_and(other) {
        return Err(VerifyError::HolderMismatch);
    }
    let own = bound.then_some(signer.controller.as_str());
    check_presentation(&opened.claims, &presentation, own)?;
    check_audience(&opened.claims, policy.challenge, policy.domain)?;
    refuse_unsecured(&presentation)?;
    Ok((presentation, signer))
}

/// VC-JOSE-COSE 1.0, section 3.1.2: credentials in a presentation are secured.
fn refuse_unsecured(presentation: &Presentation) -> Result<(), EnvelopeError> {
    let secured = |embedded: &Embedded| match embedded {
        Embedded::Enveloped(_) => true,
        Embedded::Plain(document) => document.get("proof").is_some(),
    };
    let all = presentation.credentials().iter().all(secured);
    all.then_some(()).ok_or(EnvelopeError::Unsecured)
}

/// What resolves the keys of a status list.
fn resolver(keys: KeySource<'_>) -> &dyn Resolver {
    match keys {
        KeySource::Resolver(resolver) => resolver,
        KeySource::Key { .. } => &NoDids,
    }
}

/// Who brings one key brings no way to others.
struct NoDids;

#[async_trait::async_trait]
impl Resolver for NoDids {
    async fn resolve(&self, _did: &str, _options: &ResolutionOptions) -> Resolution {
        Resolution::failed(crate::did::ResolutionError::new(
            crate::did::ErrorCode::MethodNotSupported,
            "no DID is resolved beside a given key",
        ))
    }
}
