//! Verifying a presentation with embedded proofs.

use serde_json::Value;

use super::{Suites, VerifyError};
use crate::Verified;
use crate::crypto::CryptoProvider;
use crate::did::Resolver;
use crate::vcdm::{Presentation, PresentationPolicy};

/// Verifies a presentation: its form, every proof with challenge and domain, the holder, and every credential in it.
///
/// # Errors
/// Each rule has its own [`VerifyError`].
#[expect(clippy::unimplemented, reason = "the shape first")]
pub async fn verify_presentation(
    _secured: &Value,
    _suites: &Suites,
    _policy: &PresentationPolicy<'_>,
    _resolver: &dyn Resolver,
    _crypto: &dyn CryptoProvider,
) -> Result<Verified<Presentation>, VerifyError> {
    unimplemented!()
}
