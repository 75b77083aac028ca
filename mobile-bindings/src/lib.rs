//! The wallet for Kotlin (`org.vouchsafe.wallet`) and Swift (`VouchsafeWallet`): a thin bridge over
//! `wallet-core`, with no rules of its own.
//!
//! An app makes a [`Wallet`] from a [`WalletConfig`] and its [`Ports`]: where records go, who sends
//! requests, which hardware holds keys. A card is added through an [`IssuanceSession`] and shown
//! through a [`PresentationSession`]. Both are one-shot machines: whatever happens to a call — an
//! answer, an error, a cancelled coroutine — the session then either waits for the person or has
//! ended. Every error is a [`WalletError`] with a stable code and the party that has to change
//! something; no error holds a claim, a token or a text of a peer.
//!
//! How to extend it: a port is a trait in `ports`, with its adapter to the trait of `wallet-core`
//! beside it; what crosses the bridge is a value of `values`.

mod config;
mod credentials;
mod error;
mod history;
mod issuance;
mod machine;
mod ports;
mod presentation;
mod values;
mod wallet;

pub use config::{
    AddressRule, CredentialPolicy, KeyDerivation, KeyPolicy, TrustedIssuer, WalletConfig,
};
pub use credentials::Credentials;
pub use error::{Party, WalletError};
pub use history::History;
pub use issuance::{Issuance, IssuanceSession, IssuanceState};
pub use machine::SessionListener;
pub use ports::clock::Clock;
pub use ports::http::{HttpField, HttpReply, HttpRequest, HttpTransport, TransportFault};
pub use ports::random::Rng;
pub use ports::secure_area::{
    AuthorizationHint, HardwarePolicy, KeyAlgorithm, KeyFault, KeyInfo, KeySpec, SecureArea,
    SecureAreaCapabilities, Signature, UserAuthentication,
};
pub use ports::storage::{StorageChange, StorageDriver, StorageFault, StorageKey, file_storage};
pub use ports::{Ports, memory_storage};
pub use presentation::{PageAnswer, Presentation, PresentationSession, PresentationState};
pub use values::credential::{
    Credential, CredentialId, CredentialStatus, Fact, FactValue, IssuerRef, PendingCredential,
    PendingId,
};
pub use values::history::{HistoryEntry, HistoryId, HistoryKind, HistoryResult};
pub use values::offer::{CredentialOffer, OfferedCredential, TxCodePrompt};
pub use values::request::{
    Candidate, LearnedFact, Pick, PresentationRequest, Query, QuerySet, Selection, VerifierRef,
};
pub use wallet::Wallet;

uniffi::setup_scaffolding!("vouchsafe");
