//! Adding a card: from an offer to a verified credential (OpenID4VCI 1.0).
//!
//! [`Wallet::add`](crate::Wallet::add) starts and gives a [`Step`]: requests
//! to send, questions to the person, or the cards. Each step consumes the one
//! before it. Nothing an issuer sent is a card before its signature, issuer,
//! type and key were checked, and nothing that fails a check is kept.
//!
//! [`Wallet::request`](crate::Wallet::request) begins without an offer,
//! [`Wallet::resume`](crate::Wallet::resume) goes on with a card that came
//! later, [`Wallet::renew`](crate::Wallet::renew) gets new copies of a card,
//! and [`Wallet::notify`](crate::Wallet::notify) tells issuers what became of
//! theirs: each is the same kind of session. What has to survive a restart is
//! in the vault before it is relied on.

mod authorize;
mod busy;
mod call;
mod card;
mod client;
mod credentials;
mod error;
mod exchange;
mod goal;
mod grant;
mod issuer;
mod keep;
mod later;
mod moving;
mod notify;
mod policy;
mod preview;
mod proofs;
mod readied;
mod recheck;
mod records;
mod renewal;
mod request;
mod session;
mod store;
mod sweep;

pub use authorize::Authorize;
pub use error::IssuanceError;
pub use exchange::Exchange;
pub use issuer::ConfirmIssuer;
pub use later::{Pending, PendingId};
pub use policy::{AskBy, CopyPolicy, IssuancePolicy};
pub use preview::{CardPreview, IssuancePreview, IssuerTrustReason, Preview, TxCodePrompt};

pub(crate) use exchange::start;
pub(crate) use issuer::record_name as confirmed_issuer_name;
pub(crate) use later::{forget, pending, resume};
pub(crate) use moving::{Dealing, Dealings, MovedDealings, dealing};
pub(crate) use notify::{deleted, notify};
pub(crate) use recheck::{recheck, trust_in};
pub(crate) use renewal::{cards_to_top_up, renew};
pub(crate) use sweep::{keys_in_use, sweep, sweep_at_opening};

use crate::WalletError;
use crate::credential::CredentialId;
use crate::wallet::Wallet;

/// Asks an issuer for a card that it has not offered.
pub(crate) fn request(
    wallet: Wallet,
    issuer: &str,
    type_id: Option<&str>,
) -> Result<Step, WalletError> {
    let chosen = type_id.map(str::to_owned);
    let configurations = chosen.iter().cloned().collect();
    goal::begin(
        wallet,
        goal::Goal::Request { chosen },
        issuer,
        configurations,
    )
}

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
    /// The end: what could be had is in the wallet.
    Done(Added),
}

/// What was added.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Added {
    /// Cards that are in the wallet, or have new copies.
    pub cards: Vec<CredentialId>,
    /// Cards that come later; see [`Wallet::resume`](crate::Wallet::resume).
    pub pending: Vec<PendingId>,
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
