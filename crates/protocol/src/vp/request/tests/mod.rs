//! Requests that a wallet accepts, and each that it refuses.

mod client;
mod identity;
mod multi;
mod parameters;
mod parties;
mod properties;
mod registration;
mod setup;
mod unsigned;
