//! Errors for the other side of the bridge.

use vouchsafe_wallet_core::WalletError;

/// Why something did not work: a stable code, also a key for texts, and the
/// party at fault (`person`, `issuer`, `verifier`, `network`, `wallet`, `host`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum BindingError {
    /// The wallet says no.
    #[error("{code} ({fault})")]
    Wallet {
        /// Stable code.
        code: String,
        /// Party at fault.
        fault: String,
    },
    /// The method does not belong to the state of the session.
    #[error("the session is in another state")]
    WrongState,
    /// A certificate or an address in the settings is not readable.
    #[error("the settings are not readable")]
    Settings,
}

impl From<WalletError> for BindingError {
    fn from(error: WalletError) -> Self {
        Self::Wallet {
            code: error.code().to_owned(),
            fault: error.fault().as_str().to_owned(),
        }
    }
}
