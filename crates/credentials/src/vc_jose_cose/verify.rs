//! Verifying enveloped credentials and presentations.

use super::claims::{check_audience, check_credential, check_presentation};
use super::open::{Opened, Opening, open};
use super::{EnvelopeError, KeySource};
use crate::Verified;
use crate::crypto::CryptoProvider;
use crate::data_integrity::Suites;
use crate::did::{Resolution, ResolutionOptions, Resolver};
use crate::vcdm::accept::{self, Means};
use crate::vcdm::{
    Credential, Embedded, Enveloped, Policy, Presentation, PresentationPolicy, VcdmError,
    VerifiedPresentation, VerifyError, Version, presented,
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
    if envelope.kind().is_presentation() {
        return Err(EnvelopeError::Kind.into());
    }
    let opening = Opening {
        keys,
        now: policy.now,
        skew_s: policy.skew_s,
        crypto,
    };
    let opened = open(envelope, opening).await?;
    let credential = Credential::parse(&opened.document())?;
    refuse_version_1(&credential)?;
    check_credential(&opened.claims, &credential)?;
    // VC-JOSE-COSE 1.0, section 4: the key is one of the issuer's.
    let bound = |controller: &String| policy.binds(credential.issuer(), controller);
    if !opened.controller.as_ref().is_none_or(bound) {
        return Err(VerifyError::IssuerMismatch);
    }
    let means = Means {
        suites,
        resolver: resolver(keys),
        crypto,
    };
    accept::accept(&credential, policy, means).await?;
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
    let (presentation, presenter) =
        open_envelope(envelope, KeySource::Resolver(resolver), policy, crypto).await?;
    let means = Means {
        suites,
        resolver,
        crypto,
    };
    let credentials = presented::verify(&presentation, policy, means).await?;
    presented::check_holder(&presentation, &credentials, policy.holder)?;
    Ok(Verified::new(VerifiedPresentation {
        presentation,
        credentials,
        presenter,
    }))
}

/// Verifies the envelope of a presentation: who presents, and what was presented. The
/// credentials in it are *not* verified; each still has to be.
///
/// # Errors
/// Each rule has its own [`VerifyError`].
pub async fn open_presentation(
    envelope: &Enveloped,
    keys: KeySource<'_>,
    policy: &PresentationPolicy<'_>,
    crypto: &dyn CryptoProvider,
) -> Result<Verified<Presentation>, VerifyError> {
    let (presentation, _) = open_envelope(envelope, keys, policy, crypto).await?;
    Ok(Verified::new(presentation))
}

async fn open_envelope(
    envelope: &Enveloped,
    keys: KeySource<'_>,
    policy: &PresentationPolicy<'_>,
    crypto: &dyn CryptoProvider,
) -> Result<(Presentation, Option<String>), VerifyError> {
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
    check_presentation(&opened.claims, &presentation)?;
    check_audience(&opened.claims, policy.challenge, policy.domain)?;
    refuse_unsecured(&presentation)?;
    let presenter = presenter(&presentation, opened)?;
    Ok((presentation, presenter))
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

/// The holder, where one is named, is who signed.
fn presenter(presentation: &Presentation, opened: Opened) -> Result<Option<String>, VerifyError> {
    match (presentation.holder(), opened.controller) {
        (Some(holder), Some(controller)) if holder != controller => {
            Err(VerifyError::HolderMismatch)
        }
        (_, controller) => Ok(controller),
    }
}

/// What resolves the keys of a status list.
fn resolver(keys: KeySource<'_>) -> &dyn Resolver {
    match keys {
        KeySource::Resolver(resolver) => resolver,
        KeySource::Key(_) => &NoDids,
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
