//! What is known when a presentation's envelope holds and nobody looked inside.

use crate::vcdm::Presentation;

/// A presentation whose envelope holds. Its credentials are *not* verified, so it is no
/// `Verified<…>`: it says who presents, and what they claim to have.
#[derive(Clone, Debug, PartialEq)]
pub struct EnvelopeOnly {
    presentation: Presentation,
    signer: String,
}

impl EnvelopeOnly {
    pub(super) const fn new(presentation: Presentation, signer: String) -> Self {
        Self {
            presentation,
            signer,
        }
    }

    /// The presentation, with credentials that nobody verified.
    #[must_use]
    pub const fn presentation(&self) -> &Presentation {
        &self.presentation
    }

    /// Who controls the key that signed. The holder, where one is named, unless the policy is
    /// `Issuers::DangerousUnbound`.
    #[must_use]
    pub fn signer(&self) -> &str {
        &self.signer
    }
}
