//! Errors for the other side of the bridge.

use vouchsafe_credentials::sd_jwt_vc::VcError;
use vouchsafe_protocol::vp::request::RequestError;
use vouchsafe_wallet_core::issuance::IssuanceError;
use vouchsafe_wallet_core::presentation::PresentationError;
use vouchsafe_wallet_core::secure_area::SecureAreaError;
use vouchsafe_wallet_core::storage::StorageError;
use vouchsafe_wallet_core::{Fault, WalletError as CoreError};

/// Who has to change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Party {
    /// The person: another passphrase, another choice, another code.
    Person,
    /// The app: it used the wallet in a wrong way.
    Host,
    /// The wallet or the device it runs on.
    Wallet,
    /// Who issues the card.
    Issuer,
    /// Who asks for a card.
    Verifier,
    /// Nobody in particular: a party could not be reached.
    Network,
}

/// Why something did not work. `code` is stable, in snake_case, and also a key for texts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum WalletError {
    /// A card could not be added.
    #[error("{code} ({party:?})")]
    Issuance {
        /// Stable code.
        code: String,
        /// Who has to change something.
        party: Party,
    },
    /// A card could not be shown.
    #[error("{code} ({party:?})")]
    Presentation {
        /// Stable code.
        code: String,
        /// Who has to change something.
        party: Party,
        /// Where the other side explains to the person why it refused.
        explained_at: Option<String>,
    },
    /// A stored card or an entry of the history cannot be used.
    #[error("{code} ({party:?})")]
    Credential {
        /// Stable code.
        code: String,
        /// Who has to change something.
        party: Party,
    },
    /// A key cannot be used: `user_auth_denied`, `user_auth_canceled`, `hardware_unavailable`,
    /// `key_invalidated` and others.
    #[error("{code} ({party:?})")]
    Key {
        /// Stable code.
        code: String,
        /// Who has to change something.
        party: Party,
    },
    /// A party is not on the wallet's list, or does not prove who it is.
    #[error("{code} ({party:?})")]
    Trust {
        /// Stable code.
        code: String,
        /// Who has to change something.
        party: Party,
    },
    /// The store cannot be used: `wrong_passphrase`, `storage_full` and others.
    #[error("{code} ({party:?})")]
    Storage {
        /// Stable code.
        code: String,
        /// Who has to change something.
        party: Party,
    },
    /// The session is in another state (`wrong_state`), or was cancelled (`canceled`).
    #[error("{code} ({party:?})")]
    Session {
        /// Stable code.
        code: String,
        /// Who has to change something.
        party: Party,
    },
    /// A setting does not read (`setting_…`), or a port does not do what the wallet needs.
    #[error("{code} ({party:?})")]
    Configuration {
        /// Stable code.
        code: String,
        /// Who has to change something.
        party: Party,
    },
}

impl WalletError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Issuance { code, .. }
            | Self::Presentation { code, .. }
            | Self::Credential { code, .. }
            | Self::Key { code, .. }
            | Self::Trust { code, .. }
            | Self::Storage { code, .. }
            | Self::Session { code, .. }
            | Self::Configuration { code, .. } => code,
        }
    }

    /// The method does not belong to the state of the session.
    pub(crate) fn wrong_state() -> Self {
        Self::Session {
            code: "wrong_state".to_owned(),
            party: Party::Host,
        }
    }

    /// The app or the person gave up.
    pub(crate) fn canceled() -> Self {
        Self::Session {
            code: "canceled".to_owned(),
            party: Party::Person,
        }
    }

    /// A setting that does not read.
    pub(crate) fn setting(code: &'static str) -> Self {
        Self::Configuration {
            code: code.to_owned(),
            party: Party::Host,
        }
    }
}

impl From<Fault> for Party {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Person => Self::Person,
            Fault::Host => Self::Host,
            Fault::Wallet => Self::Wallet,
            Fault::Issuer => Self::Issuer,
            Fault::Verifier => Self::Verifier,
            Fault::Network => Self::Network,
        }
    }
}

impl From<CoreError> for WalletError {
    fn from(error: CoreError) -> Self {
        let (code, party) = (code_of(&error), Party::from(error.fault()));
        if is_about_trust(&error) {
            return Self::Trust { code, party };
        }
        match &error {
            CoreError::Issuance(_) => Self::Issuance { code, party },
            CoreError::Presentation(_) => Self::Presentation {
                code,
                party,
                explained_at: error.explained_at().map(ToString::to_string),
            },
            CoreError::Credential(_) => Self::Credential { code, party },
            CoreError::Key(_) => Self::Key { code, party },
            CoreError::Storage(_) => Self::Storage { code, party },
            CoreError::BrokenRng => Self::Configuration { code, party },
            // The enum is open to variants that this bridge has not heard of.
            _ => Self::Credential { code, party },
        }
    }
}

/// A full disk is nothing that the person can guess from `storage_failed`.
fn code_of(error: &CoreError) -> String {
    match error {
        CoreError::Storage(StorageError::Io(io))
        | CoreError::Key(SecureAreaError::Storage(StorageError::Io(io)))
            if io.kind() == std::io::ErrorKind::StorageFull =>
        {
            "storage_full"
        }
        other => other.code(),
    }
    .to_owned()
}

fn is_about_trust(error: &CoreError) -> bool {
    matches!(
        error,
        CoreError::Issuance(
            IssuanceError::UnknownIssuer
                | IssuanceError::IssuerNotForType
                | IssuanceError::NotAcceptable(VcError::IssuerUntrusted)
        ) | CoreError::Presentation(PresentationError::Request(RequestError::Certificate(_)))
    )
}
