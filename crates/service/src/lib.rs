//! What both services share: configuration, database, keys, fetcher, errors, telemetry.
//!
//! The crate is the only one that names a database driver, the only one that opens an outbound
//! connection ([`fetch::Fetcher`]), and the only one that touches the system clock and the
//! operating system's randomness ([`clock::SystemClock`], [`random::OsRandom`]).
//!
//! To add a table of single-use objects: add a variant to [`single_use::Kind`] and a migration
//! with the same shape. To add a configuration section: a struct in [`config`] with
//! `deny_unknown_fields` and a `check` function.

pub mod api_clients;
pub mod api_keys;
pub mod audit;
pub mod client_assertion;
pub mod clock;
pub mod config;
pub mod copies;
pub mod db;
pub mod did;
pub mod dpop;
pub mod fetch;
pub mod http;
pub mod id;
pub mod idempotency;
pub mod jobs;
pub mod jose;
pub mod jti;
pub mod kept;
pub mod keys;
pub mod operators;
pub mod portable;
pub mod pushed;
pub mod random;
pub mod seal;
pub mod sealed_file;
pub mod shutdown;
pub mod signers;
pub mod single_use;
pub mod telemetry;
pub mod tenant;
pub mod tls;
pub mod trust;
pub mod type_metadata;
pub mod upstream;
pub mod vc_api;
pub mod webauthn;
pub mod webhooks;
