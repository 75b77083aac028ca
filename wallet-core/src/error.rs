//! Errors a host sees: one sealed type with a stable code and the party at
//! fault. Texts and codes never hold claims, tokens or what a peer wrote.

use url::Url;

use vouchsafe_credentials::mdoc::MdocError;
use vouchsafe_credentials::sd_jwt_vc::VcError;

use crate::backup::BackupError;
use crate::issuance::IssuanceError;
use crate::presentation::PresentationError;
use crate::secure_area::SecureAreaError;
use crate::status::StatusListError;
use crate::storage::{Collection, StorageError};

/// Who has to change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The person: another passphrase, another choice, another code.
    Person,
    /// The app around this crate used it in a wrong way.
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

impl Fault {
    /// A stable name in snake_case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Host => "host",
            Self::Wallet => "wallet",
            Self::Issuer => "issuer",
            Self::Verifier => "verifier",
            Self::Network => "network",
        }
    }
}

/// Why the wallet did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WalletError {
    /// A card could not be added.
    #[error("the card could not be added")]
    Issuance(#[from] IssuanceError),
    /// A card could not be shown.
    #[error("the card could not be shown")]
    Presentation(#[from] PresentationError),
    /// A stored card cannot be used.
    #[error("the card cannot be used")]
    Credential(#[from] CredentialError),
    /// A key cannot be used.
    #[error("the key cannot be used")]
    Key(#[from] SecureAreaError),
    /// The store cannot be used.
    #[error("the wallet store cannot be used")]
    Storage(#[from] StorageError),
    /// A backup was not made or not taken in.
    #[error("the backup was not made or not taken in")]
    Backup(#[from] BackupError),
    /// The random source gives the same bytes twice.
    #[error("the random source is broken")]
    BrokenRng,
}

/// Why a stored card cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// There is no such card.
    #[error("no such card")]
    Unknown,
    /// There is no such entry in the history.
    #[error("no such entry in the history")]
    UnknownEntry,
    /// The entry can be read: only one that cannot is deleted.
    #[error("the entry can be read, and stays")]
    EntryReadable,
    /// There is no such verifier.
    #[error("no such verifier")]
    UnknownVerifier,
    /// The entry holds nothing that could be withdrawn.
    #[error("nothing to withdraw")]
    NothingToWithdraw,
    /// Nobody learned anything with the entry.
    #[error("nobody learned anything")]
    NothingToErase,
    /// Who was shown the card did not take the withdrawal.
    #[error("the withdrawal was not accepted")]
    WithdrawalRefused,
    /// The list of the status of cards says nothing.
    #[error("the status of a card could not be checked")]
    StatusList(#[source] StatusListError),
    /// What is stored does not read.
    #[error("a stored card is damaged")]
    Damaged,
    /// What is stored is no longer a credential by today's rules.
    #[error("a stored card is not acceptable")]
    NotAcceptable(#[source] VcError),
    /// The same of an mdoc.
    #[error("a stored card is not acceptable")]
    MdocNotAcceptable(#[source] MdocError),
}

impl WalletError {
    /// Whether a card cannot be read, so that it can only be deleted; not so where the store itself
    /// fails.
    pub(crate) fn is_unreadable_card(&self) -> bool {
        match self {
            Self::Storage(StorageError::Damaged(name)) => {
                name.collection == Collection::Credentials
            }
            Self::Credential(
                CredentialError::Damaged
                | CredentialError::NotAcceptable(_)
                | CredentialError::MdocNotAcceptable(_),
            ) => true,
            _ => false,
        }
    }

    /// Where the other side explains to the person why it refused, if it says
    /// so: their browser is to be sent there.
    #[must_use]
    pub fn explained_at(&self) -> Option<&Url> {
        match self {
            Self::Presentation(PresentationError::NotAccepted { explained_at, .. }) => {
                explained_at.as_ref()
            }
            _ => None,
        }
    }

    /// A stable snake_case code, also a key for translated texts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Issuance(error) => error.code(),
            Self::Presentation(error) => error.code(),
            Self::Credential(error) => error.code(),
            Self::Key(error) => error.code(),
            Self::Storage(error) => error.code(),
            Self::Backup(error) => error.code(),
            Self::BrokenRng => "rng_broken",
        }
    }

    /// Who has to change something.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Issuance(error) => error.fault(),
            Self::Presentation(error) => error.fault(),
            Self::Credential(error) => error.fault(),
            Self::Backup(error) => error.fault(),
            Self::Key(SecureAreaError::UserAuthDenied | SecureAreaError::UserAuthCanceled) => {
                Fault::Person
            }
            Self::Storage(
                StorageError::WrongPassphrase
                | StorageError::WeakPassphrase
                | StorageError::NoWallet
                | StorageError::AlreadyExists
                | StorageError::TooManyAttempts { .. }
                | StorageError::AttemptsExhausted
                | StorageError::PinLimit
                | StorageError::Locked,
            ) => Fault::Person,
            Self::Key(_) | Self::Storage(_) | Self::BrokenRng => Fault::Wallet,
        }
    }
}

impl CredentialError {
    /// A stable snake_case code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "card_unknown",
            Self::UnknownEntry => "history_entry_unknown",
            Self::EntryReadable => "history_entry_readable",
            Self::UnknownVerifier => "verifier_unknown",
            Self::NothingToWithdraw => "nothing_to_withdraw",
            Self::NothingToErase => "nothing_to_erase",
            Self::WithdrawalRefused => "withdrawal_refused",
            Self::StatusList(error) => error.code(),
            Self::Damaged => "card_damaged",
            Self::NotAcceptable(_) | Self::MdocNotAcceptable(_) => "card_not_acceptable",
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Unknown
            | Self::UnknownEntry
            | Self::EntryReadable
            | Self::UnknownVerifier
            | Self::NothingToWithdraw
            | Self::NothingToErase => Fault::Person,
            Self::WithdrawalRefused => Fault::Verifier,
            Self::StatusList(error) => error.fault(),
            Self::Damaged | Self::NotAcceptable(_) | Self::MdocNotAcceptable(_) => Fault::Wallet,
        }
    }
}
