//! The credentials of a presentation, and who holds them.

use super::accept::Means;
use super::confirmation::Presenter;
use super::{
    Credential, Embedded, EmptyPresentation, HolderPolicy, Presentation, PresentationPolicy,
    VerifyError,
};
use crate::{data_integrity, vc_jose_cose};

/// Verifies every credential by itself, in its order, and that a bound one is the presenter's. One that fails refuses the presentation;
/// one without proof fails.
pub(crate) async fn verify(
    presentation: &Presentation,
    policy: &PresentationPolicy<'_>,
    means: Means<'_>,
    presenter: &Presenter,
) -> Result<Vec<Credential>, VerifyError> {
    if presentation.credentials().is_empty() && policy.empty == EmptyPresentation::Refused {
        return Err(VerifyError::Empty);
    }
    let (policy, presenter) = (&policy.credentials, Some(presenter));
    let mut credentials = Vec::with_capacity(presentation.credentials().len());
    for (index, embedded) in presentation.credentials().iter().enumerate() {
        let verified = match embedded {
            Embedded::Plain(document) => {
                data_integrity::verify_presented(document, policy, means, presenter).await
            }
            Embedded::Enveloped(envelope) => {
                vc_jose_cose::verify_presented(envelope, policy, means, presenter).await
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
