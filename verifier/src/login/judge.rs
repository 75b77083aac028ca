//! The question to the one function that verifies a presentation.

use std::time::Instant;

use vouchsafe_credentials::sd_jwt_vc::StatusPolicy;
use vouchsafe_protocol::vp::response::ErrorCode;
use vouchsafe_protocol::vp::verify::{
    PresentationError, Received, Transaction as Asked, VerifiedPresentation, VerifierPolicy,
    verify_presentation,
};

use crate::app::Parts;

/// Whether the wallet says that the person does not want to.
pub(crate) fn is_no(error: &PresentationError) -> bool {
    matches!(error, PresentationError::Wallet(error) if error.code == Some(ErrorCode::AccessDenied))
}

/// Asks the one function that verifies a presentation, under the policy of this service. `one_holder`:
/// all cards of the answer are bound to one key, a rule of the question and not of the protocol.
pub(crate) async fn judge(
    app: &Parts,
    received: Received<'_>,
    asked: &Asked<'_>,
    (format, one_holder): (&'static str, bool),
) -> Result<VerifiedPresentation, PresentationError> {
    let policy = VerifierPolicy {
        trust: app.settings.trust.issuers(),
        status: StatusPolicy::WhenPresent,
        same_holder: one_holder,
        statuses: &app.statuses,
        crypto: app.crypto.as_ref(),
        now: app.now(),
    };
    let started = Instant::now();
    let outcome = verify_presentation(received, asked, &policy).await;
    metrics::histogram!("vouchsafe_presentation_verify_duration_seconds", "format" => format)
        .record(started.elapsed().as_secs_f64());
    outcome
}
