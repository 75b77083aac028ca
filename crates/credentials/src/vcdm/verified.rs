//! What verifying a presentation gives.

use super::{Credential, Presentation};

/// A presentation and the credentials in it. `Verified<VerifiedPresentation>` says
/// that all of it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedPresentation {
    pub(crate) presentation: Presentation,
    pub(crate) credentials: Vec<Credential>,
    pub(crate) presenter: String,
}

impl VerifiedPresentation {
    /// The presentation.
    #[must_use]
    pub const fn presentation(&self) -> &Presentation {
        &self.presentation
    }

    /// The credentials, in the order in which they stand in it.
    #[must_use]
    pub fn credentials(&self) -> &[Credential] {
        &self.credentials
    }

    /// Who signed the presentation: the controller of the key. It is the holder,
    /// where the presentation names one.
    #[must_use]
    pub fn presenter(&self) -> &str {
        &self.presenter
    }
}
