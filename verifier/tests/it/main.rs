//! The login service as its neighbours see it: a browser, a wallet, an application and an issuer
//! talk to the router in process, with a frozen clock and seeded randomness.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on must fail loudly"
)]

mod account;
mod attacks;
mod config;
mod cross_device;
mod hostile;
mod login;
mod logout;
mod oidc;
mod races;
mod refusals;
mod status;
mod subjects;
mod watcher;
mod world;
