//! The wallet for Kotlin and Swift: a thin bridge over `wallet-core`. Records
//! only, no rules of its own; every error has a stable code.
//!
//! The host does the network: a session hands out a request, the host sends it
//! without following redirects and gives the answer back.

mod model;
mod platform;
mod wallet;

pub use model::{
    CardRecord, ConsentCard, ConsentRecord, FactRecord, HistoryRecord, Request, Response,
};
pub use wallet::{
    BindingError, MobileWallet, OfferSession, OfferState, RequestSession, TrustInput,
};

uniffi::setup_scaffolding!("vouchsafe");
