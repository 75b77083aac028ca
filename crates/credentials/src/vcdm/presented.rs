//! The credentials of a presentation, and who holds them.

use super::accept::Means;
use super::{Credential, Embedded, HolderPolicy, Presentation, PresentationPolicy, VerifyError};
use crate::data_integrity::verify_credential;
use crate::vc_jose_cose::{self, KeySource};

/// Verifies every credential by itself, in its order. One that fails refuses the presentation;
/// one without proof fails.
pub(crate) async fn verify(
    presentation: &Presentation,
    policy: &PresentationPolicy<'_>,
    means: Means<'_>,
) -> Result<Vec<Credential>, VerifyError> {
    let mut credentials = Vec::with_capacity(presentation.credentials().len());
    for (index, embedded) in presentation.credentials().iter().enumerate() {
        let verified = match embedded {
            Embedded::Plain(document) => {
                verify_credential(
                    document,
                    means.suites,
                    &policy.credentials,
                    means.resolver,
                    means.crypto,
                )
                .await
            }
            Embedded::Enveloped(envelope) => {
                vc_jose_cose::verify_credential(
                    envelope,
                    KeySource::Resolver(means.resolver),
                    means.suites,
                    &policy.credentials,
                    means.crypto,
                )
                .await
            }
        };
        let verified = verified.map_err(|source| VerifyError::Credential {
            index,
            source: Box::new(source),
        })?;
        credentials.push(verified.into_inner());
    }
    Ok(credentials)
}

/// Whether the holder is the subject of every credential, where the policy asks.
pub(crate) fn check_holder(
    presentation: &Presentation,
    credentials: &[Credential],
    policy: HolderPolicy,
) -> Result<(), VerifyError> {
    if policy == HolderPolicy::Any {
        return Ok(());
    }
    let holder = presentation.holder().ok_or(VerifyError::HolderMissing)?;
    let is_holder = |id: &Option<String>| id.as_deref() == Some(holder);
    let all = credentials
        .iter()
        .all(|credential| credential.subject_ids().iter().all(is_holder));
    all.then_some(()).ok_or(VerifyError::HolderNotSubject)
}
