//! The issuing service: OpenID4VCI 1.0 with its own OAuth authorization server, administration
//! REST and status lists.
//!
//! A request goes through five stops: extractor, parse (`vouchsafe_protocol`), domain
//! ([`domain`], `prepare`, `redeem`, `issue`), store ([`store`]), response. `app` chooses the
//! parts.
//!
//! How to extend it: a credential type is a file (`specs/credential-types/`), not code. An
//! endpoint is one file under [`handlers`], its path in `paths`, one line in `app`. A new way to
//! redeem an offer is a variant of [`domain::offer::GrantKind`] and a function in `redeem`.

pub mod access;
pub mod app;
pub mod authentication;
pub mod author;
pub mod background;
pub mod batch;
mod bitstring;
pub mod claims;
pub mod claims_source;
pub mod client;
pub mod config;
pub mod configurations;
pub mod console;
pub mod core;
pub mod deferral;
pub mod docs;
pub mod domain;
pub mod events;
pub mod expiry;
pub mod handlers;
pub mod house;
pub mod instance;
mod issue;
pub mod lifecycle;
pub mod links;
pub mod metadata;
pub mod negotiation;
pub mod paths;
pub mod places;
pub mod portable;
pub mod ports;
pub mod prepare;
pub mod presentation;
pub mod profile;
pub mod proof_types;
mod purge;
pub mod pushed;
pub mod redeem;
pub mod request_keys;
pub mod restore;
mod router;
pub mod settings;
pub mod shown;
pub mod sign;
pub mod signed_metadata;
pub mod signing;
pub mod status;
pub mod status_jobs;
pub mod store;
pub mod table;
pub mod tries;
pub mod types;
pub mod wanted;

pub use app::{Issuer, OpenError};
pub use config::Config;
pub use house::House;
pub use ports::Ports;

#[cfg(test)]
mod tests;
