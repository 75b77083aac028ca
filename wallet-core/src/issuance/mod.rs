//! Adding a card: from an offer to a verified credential (OpenID4VCI 1.0).
//!
//! [`Wallet::add`](crate::Wallet::add) starts and gives a [`Step`]: requests
//! to send, questions to the person, or the cards. Each step consumes the one
//! before it. Nothing an issuer sent is a card before its signature, issuer,
//! type and key were checked, and nothing that fails a check is kept.

mod authorize;
mod card;
mod credentials;
mod error;
mod exchange;
mod issuer;
mod preview;
mod readied;
mod session;
mod store;
mod token;

pub use authorize::Authorize;
pub use error::IssuanceError;
pub use exchange::Exchange;
pub use issuer::ConfirmIssuer;
pub use preview::{CardPreview, IssuancePreview, IssuerTrustReason, Preview, TxCodePrompt};

pub(crate) use exchange::start;
pub(crate) use issuer::record_name as confirmed_issuer_name;

use crate::credential::CredentialId;

/// What comes next.
#[expect(
    clippy::large_enum_variant,
    reason = "a step is moved a few times per card"
)]
pub enum Step {
    /// A request to send.
    Send(Exchange),
    /// Whether to deal with an issuer that is on no list.
    ConfirmIssuer(ConfirmIssuer),
    /// Whether to add the offered cards.
    Preview(Preview),
    /// The person is to sign in at the issuer, in a browser.
    Authorize(Authorize),
    /// The cards are in the wallet.
    Done(Added),
}

/// What was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// The new cards, at least one.
    pub cards: Vec<CredentialId>,
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Send(_) => "Send",
            Self::ConfirmIssuer(_) => "ConfirmIssuer",
            Self::Preview(_) => "Preview",
            Self::Authorize(_) => "Authorize",
            Self::Done(_) => "Done",
        })
    }
}
