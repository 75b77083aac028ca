//! The login service: an OpenID Provider in front of OpenID4VP.
//!
//! A request goes through five stops: extractor, parse (`vouchsafe_protocol`, once, to a domain
//! type), domain ([`domain`], a transition that consumes the old state), store ([`store`]),
//! response. [`login`] holds the way of one login, stage by stage; [`login::accept`] is the one
//! place that says "accept". [`Verifier::open`] chooses the parts and nothing else does.
//!
//! To add an endpoint: one file under `handlers`, one line in its router. To add a channel
//! between browser and wallet: a variant of [`domain::transaction::Channel`]; the compiler names
//! the places. To add a subject strategy: a variant of [`config::SubjectStrategy`] and of
//! [`domain::transaction::Evidence`].

pub mod access;
mod accounts;
pub mod app;
mod backchannel;
mod caller;
mod changes;
mod client_keys;
mod clients;
pub mod config;
mod consents;
mod cookies;
pub mod domain;
mod event_streams;
mod explain;
mod fingerprint;
mod handlers;
mod hooks;
pub mod instance;
pub mod journey;
pub mod journeys;
pub mod login;
pub mod numbers;
mod operator;
pub mod outbound;
pub mod own_identity;
pub mod portable;
mod pushed;
mod references;
mod rejections;
mod reply;
pub mod restore;
pub mod risk;
mod signals;
pub mod status;
pub mod store;
mod tokens;
mod totp;
mod vc_api;
pub mod verification;
mod verifier;
mod views;
mod watcher;

pub use accounts::{AccountsError, ImportedAccounts, RowError};
pub use clients::manage::{RegisteredClient, RegistrationToken};
pub use clients::managed::{Kept as KeptClient, Known as KnownClient, ManageError};
pub use clients::settings::{ClientSettings, Proof};
pub use config::Config;
pub use verifier::{OpenError, Ports, Verifier};
