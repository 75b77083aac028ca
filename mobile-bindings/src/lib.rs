//! The wallet for Kotlin and Swift: a thin bridge over `wallet-core`. Records
//! only, no rules of its own; every error has a stable code.
//!
//! The host does the network: a session hands out a request, the host sends it
//! without following redirects and gives the answer back.

mod error;
mod model;
mod offer;
mod platform;
mod request;
mod settings;
mod wallet;

pub use error::BindingError;
pub use model::{
    CardRecord, ConsentCard, ConsentRecord, FactRecord, HistoryRecord, Request, Response,
};
pub use offer::{OfferSession, OfferState};
pub use request::RequestSession;
pub use settings::TrustInput;
pub use wallet::MobileWallet;

uniffi::setup_scaffolding!("vouchsafe");
