//! Requests that a wallet accepts, and each that it refuses.

mod client;
mod parameters;
mod properties;
mod setup;
