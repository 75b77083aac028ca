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

/// Asks the one function that verifies a presentation, under the policy of this service.
pub(crate) async fn judge(
    app: &Parts,
    received: Received<'_>,
    asked: &Asked<'_>,
    format: &'static str,
) -> Result<VerifiedPresentation, PresentationError> {
    let policy = VerifierPolicy {
        trust: app.settings.trust.issuers(),
        status: StatusPolicy::WhenPresent,
        // Rule of our own: all cards of one answer belong to one holder.
        same_holder: true,
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
