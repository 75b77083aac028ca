//! Configuration: one file per section; everything is checked before anything starts.

mod client;
mod error;
mod query;
mod trust;

pub use client::{Client, ClientConfig, IdTokenAlg, Pkce};
pub use error::ConfigError;
pub use query::{ClaimMapping, Query, QueryConfig, SubjectConfig, SubjectStrategy};
pub use trust::{Trust, TrustConfig, TrustedIssuerConfig};
